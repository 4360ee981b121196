-- recommender: recommendations computed where the data lives
\echo Use "CREATE EXTENSION recommender" to load this file. \quit
