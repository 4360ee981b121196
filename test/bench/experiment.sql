-- test/bench/experiment.sql
--
-- What the functions of experiments cost, each beside plain SQL in the same run:
--
--     test/tools/with-server psql -X -f test/bench/experiment.sql
--
-- Times are medians of five, one process.

\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS recommender;
SET max_parallel_workers_per_gather = 0;
SET maintenance_work_mem = '1GB';
SET work_mem = '256MB';
SET jit = off;

CREATE SCHEMA bench;
-- a million exposures and outcomes of 100,000 people
CREATE TABLE bench.exposure AS
SELECT i % 100000 AS unit, CASE hashint8extended(i % 100000, 1) & 1 WHEN 0 THEN 'a' ELSE 'b' END AS variant, '2025-01-01 00:00Z'::timestamptz + i / 100000 * interval '1 hour' AS at FROM generate_series(0, 999999) i;
CREATE TABLE bench.outcome AS
SELECT ((hashint8extended(i, 2) & 131071) % 100000)::int AS unit, '2025-01-01 00:00Z'::timestamptz + (hashint8extended(i, 3) & 1023) * interval '15 minutes' AS at, (hashint8extended(i, 4) & 1023)::float8 AS value FROM generate_series(0, 999999) i;
-- a million logged choices
CREATE TABLE bench.choice AS
SELECT (hashint8extended(i, 5) & 1)::float8 AS reward, 0.1 + (hashint8extended(i, 6) & 7) / 10.0::float8 AS propensity, 0.2::float8 AS target, 0.4::float8 AS q_logged, 0.5::float8 AS q_target FROM generate_series(0, 999999) i;
ANALYZE;

CREATE FUNCTION bench.median_ms(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz;
	ms float8[] := '{}';
BEGIN
	FOR run IN 1 .. 5 LOOP
		start := clock_timestamp();
		EXECUTE query;
		ms := ms || extract(epoch FROM clock_timestamp() - start)::float8 * 1000;
	END LOOP;
	RETURN (SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY m)::numeric, 1) FROM unnest(ms) m);
END $$;

SELECT what, bench.median_ms(ours) AS ms, plain, CASE WHEN sql IS NOT NULL THEN bench.median_ms(sql) END AS plain_ms
FROM (VALUES
	('variant() of 100,000 ids', $$SELECT count(recommender.variant('s', i, '{a,b}')) FROM generate_series(1, 100000) i$$,
	 'sha256() of as many texts', $$SELECT count(sha256(convert_to('s/' || i, 'UTF8'))) FROM generate_series(1, 100000) i$$),
	('experiment_results(), 1M exposures, 1M outcomes', $$SELECT count(*) FROM recommender.experiment_results('SELECT * FROM bench.exposure', 'SELECT * FROM bench.outcome', method => 'welch')$$,
	 'means and variances', $$WITH u AS (SELECT unit, min(variant) AS variant, min(at) AS at FROM bench.exposure GROUP BY unit HAVING min(variant) = max(variant)),
	  y AS (SELECT u.unit, u.variant, coalesce(sum(o.value), 0) AS y FROM u LEFT JOIN bench.outcome o ON o.unit = u.unit AND o.at > u.at AND o.at <= u.at + interval '7 days' GROUP BY 1, 2)
	  SELECT variant, count(*), avg(y), var_samp(y) FROM y GROUP BY variant$$),
	('off_policy() of 1M rows, 2 estimators', 'SELECT recommender.off_policy(reward, propensity, target) FROM bench.choice',
	 'the same sums', 'SELECT avg(target / propensity * reward), sum(target / propensity * reward) / sum(target / propensity), stddev(target / propensity * reward) FROM bench.choice'),
	('off_policy() of 1M rows, 5 estimators', 'SELECT recommender.off_policy(reward, propensity, target, q_logged, q_target) FROM bench.choice', NULL, NULL),
	('moments() of 1M rows, 2 measures', 'SELECT recommender.moments(ARRAY[reward, propensity]) FROM bench.choice',
	 'avg, var_samp, covar_samp', 'SELECT avg(reward), avg(propensity), var_samp(reward), var_samp(propensity), covar_samp(reward, propensity) FROM bench.choice'),
	('bandit_arms(), thompson, 10 arms, 1,000 times', $$SELECT count(*) FROM generate_series(1, 1000) i, LATERAL recommender.bandit_arms(ARRAY[100, 100, 100, 100, 100, 100, 100, 100, 100, 100 + i], ARRAY[10, 12, 11, 10, 9, 8, 14, 5, 6, 10])$$, NULL, NULL),
	('linear_bandit_arms(), 32 features, 20 arms, 1,000 times', $$SELECT count(*) FROM (SELECT array_agg(s) AS s FROM (SELECT recommender.linear_state(i, ARRAY(SELECT (hashint8extended(j, i) & 7)::float8 FROM generate_series(1, 32) j)) AS s FROM generate_series(1, 1000) i GROUP BY i % 20) q) z,
	  generate_series(1, 1000) i, LATERAL recommender.linear_bandit_arms(s, array_fill(i::float8, ARRAY[32]))$$, NULL, NULL),
	('power_of() at 50 looks', $$SELECT recommender.power_of(0.2, 0, 3000, method => 'sequential', horizon => 6000, looks => 50)$$, NULL, NULL)) v (what, ours, plain, sql);
DROP SCHEMA bench CASCADE;
