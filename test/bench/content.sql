/*
 * content.sql
 *	What neighbours by content cost, by the size of the catalogue.
 *
 *	test/tools/with-server psql -X -q -f test/bench/content.sql
 *	with -v most=100000 before -f for other than 100,000 items at most.
 *
 * Catalogues of a quarter, a half and all of as many made-up items, with a
 * category, a brand, two tags, a price and a title of six words: in the one
 * nothing goes with anything, in the other a brand is of a category, and tags,
 * prices and words go with it, as they do in shops.  A refresh with hardly any
 * interactions, in seconds of the processor, and per item in microseconds.
 */
\set ON_ERROR_STOP on
\pset footer off
\if :{?most}
\else
	\set most 100000
\endif
SET client_min_messages = warning;
SET maintenance_work_mem = '4GB';
SET max_parallel_maintenance_workers = 0;
SET jit = off;
CREATE EXTENSION IF NOT EXISTS recommender;
DROP SCHEMA IF EXISTS catalogs, catalogs_recs CASCADE;
CREATE SCHEMA catalogs;
SET search_path = catalogs, public;
SELECT setseed(0.5) \gset
CREATE TABLE visits AS
SELECT (random() * 2000)::int AS user_id, (random() * 5000)::int AS item_id
FROM   generate_series(1, 20000);
CREATE TABLE anything AS
SELECT g AS id, 'c' || floor(power(random(), 2) * 200)::int AS category,
	   'b' || floor(power(random(), 2) * 3000)::int AS brand,
	   ARRAY['t' || (random() * 500)::int, 't' || (random() * 500)::int] AS tags,
	   round((random() * 100)::numeric, 2) AS price,
	   (SELECT string_agg('w' || floor(power(random(), 3) * 20000)::int, ' ')
		FROM generate_series(1, 6) WHERE g > 0) AS title
FROM   generate_series(1, :most) AS g;
CREATE TABLE shop AS
SELECT id, 'c' || brand % 200 AS category, 'b' || brand AS brand,
	   ARRAY['t' || brand % 200 + (random() * 20)::int, 't' || (random() * 500)::int] AS tags,
	   round((exp((brand % 17) / 4.0) * (0.5 + random()))::numeric, 2) AS price,
	   (SELECT string_agg(word, ' ')
		FROM (SELECT 'w' || floor(power(random(), 3) * 2000)::int + 300 * (brand % 200) AS word
			  FROM generate_series(1, 6) WHERE id > 0) AS words) AS title
FROM   (SELECT g AS id, floor(power(random(), 2) * 3000)::int AS brand
		FROM generate_series(1, :most) AS g OFFSET 0) AS items;

CREATE FUNCTION cpu_seconds() RETURNS float8 LANGUAGE sql AS $$
	SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e9
$$;
CREATE TABLE costs (catalogue text, items int, seconds float8);
CREATE PROCEDURE measure(catalogue text, items int) LANGUAGE plpgsql AS $$
DECLARE
	before float8;
BEGIN
	EXECUTE format('CREATE TABLE catalogue AS SELECT * FROM %I WHERE id <= %s', catalogue, items);
	ALTER TABLE catalogue ADD PRIMARY KEY (id);
	ANALYZE catalogue;
	PERFORM recommender.create_recommender('catalogs_recs', 'visits', options => '{"content_kappa": 0}');
	PERFORM recommender.set_items('catalogs_recs', 'catalogue',
								  feature_columns => '{category,brand,tags,price}', text_columns => '{title}');
	before := cpu_seconds();
	PERFORM generation FROM recommender.refresh('catalogs_recs');
	INSERT INTO costs VALUES (catalogue, items, cpu_seconds() - before);
	PERFORM recommender.drop_recommender('catalogs_recs');
	DROP TABLE catalogue;
END $$;
SELECT format('CALL measure(%L, %s)', catalogue, :most / part)
FROM   unnest('{anything,shop}'::text[]) AS catalogue, unnest('{4,2,1}'::int[]) AS part
\gexec

SELECT catalogue, items, round(seconds::numeric, 2) AS seconds, round(seconds::numeric * 1e6 / items) AS "microseconds an item"
FROM   costs
ORDER BY 1, 2;
