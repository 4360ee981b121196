-- test/bench/filters.sql
--
-- The cost of a filter: recommend() for one user after the other, with filters
-- that half, a hundredth and a thousandth of 100,000 generated items pass, on
-- columns with an index and without.  Run it in a fresh database, from the
-- project's root:
--
--     test/tools/with-server psql -X -f test/bench/filters.sql

\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\pset footer off
SET client_min_messages = warning;
SET jit = off;

CREATE EXTENSION IF NOT EXISTS recommender;
SELECT setseed(0.5) \g /dev/null
CREATE SCHEMA bench;
CREATE TABLE bench.product AS
SELECT n AS id, floor(random() * 2)::int AS half, floor(random() * 100)::int AS hundredth,
       floor(random() * 1000)::int AS thousandth, 0 AS half_indexed, 0 AS hundredth_indexed, 0 AS thousandth_indexed,
       repeat(md5(n::text), 8) AS description
FROM   generate_series(1, 100000) n;
UPDATE bench.product SET half_indexed = half, hundredth_indexed = hundredth, thousandth_indexed = thousandth;
ALTER TABLE bench.product ADD PRIMARY KEY (id);
CREATE INDEX ON bench.product (half_indexed);
CREATE INDEX ON bench.product (hundredth_indexed);
CREATE INDEX ON bench.product (thousandth_indexed);
CREATE TABLE bench.purchase AS
SELECT u AS user_id, floor(100000 * power(random(), 3))::int + 1 AS item_id
FROM   generate_series(1, 20000) u, generate_series(1, 50);
CREATE INDEX ON bench.purchase (user_id);
VACUUM (FULL, ANALYZE) bench.product, bench.purchase;
SELECT recommender.create_recommender('filtered', 'bench.purchase', options => '{"truncate": "source"}') \g /dev/null
SELECT recommender.create_recommender('unfiltered', 'bench.purchase', options => '{"truncate": "source"}') \g /dev/null
SELECT recommender.set_items('filtered', 'bench.product') \g /dev/null
SELECT recommender.refresh(r) FROM unnest('{filtered,unfiltered}'::text[]) r \g /dev/null
VACUUM;

-- Median milliseconds of a call for some users, and the number of its rows.
CREATE FUNCTION bench.measure(call text, OUT median float8, OUT rows float8) LANGUAGE plpgsql AS $$
DECLARE started timestamptz; n bigint; times float8[] := '{}'; counts bigint[] := '{}';
BEGIN
    FOR u IN 1 .. 220 LOOP
        started := clock_timestamp();
        EXECUTE format('SELECT count(*) FROM %s', replace(call, '$1', '$1::int')) INTO n USING u;
        IF u > 20 THEN      -- plans are cached by then
            times := times || extract(epoch FROM clock_timestamp() - started)::float8 * 1000;
            counts := counts || n;
        END IF;
    END LOOP;
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY t) INTO median FROM unnest(times) t;
    SELECT avg(c) INTO rows FROM unnest(counts) c;
END $$;

CREATE TEMP TABLE result AS
SELECT n, call, passes, (bench.measure(call)).*
FROM   (VALUES (1, 'unfiltered.recommend($1, 10)', 'all: no table of items'),
               (2, 'filtered.recommend($1, 10)', 'all'),
               (3, 'filtered.recommend($1, 10, ''{"half": 1}'')', '1/2'),
               (4, 'filtered.recommend($1, 10, ''{"half_indexed": 1}'')', '1/2, index'),
               (5, 'filtered.recommend($1, 10, ''{"hundredth": 1}'')', '1/100'),
               (6, 'filtered.recommend($1, 10, ''{"hundredth_indexed": 1}'')', '1/100, index'),
               (7, 'filtered.recommend($1, 10, ''{"thousandth": 1}'')', '1/1,000'),
               (8, 'filtered.recommend($1, 10, ''{"thousandth_indexed": 1}'')', '1/1,000, index'),
               (9, 'filtered.recommend($1, 10, ''{"thousandth_indexed": -1}'')', 'none, index')) v (n, call, passes)
ORDER  BY n;

SELECT passes, round(rows::numeric, 1) AS rows, round(median::numeric, 3) AS ms,
       round((median / (SELECT median FROM result WHERE n = 2))::numeric, 1) AS "times unfiltered"
FROM   result ORDER BY n;

SELECT recommender.drop_recommender(r) FROM unnest('{filtered,unfiltered}'::text[]) r \g /dev/null
DROP SCHEMA bench CASCADE;
