-- recommender: recommendations computed where the data lives
\echo Use "CREATE EXTENSION recommender" to load this file. \quit

-- Schema recommender has what users call, schema recommender_internal what these
-- functions, aggregates and views call.  Everything runs with the caller's rights,
-- so that every role may use both.
CREATE SCHEMA recommender_internal;
COMMENT ON SCHEMA recommender_internal IS
'internal: functions that the objects of extension recommender call; not meant to be called directly';
GRANT USAGE ON SCHEMA recommender, recommender_internal TO PUBLIC;
