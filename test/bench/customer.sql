/*
 * customer.sql
 *	  Functions over customers' events and purchases, and how long they take.
 *
 * Needs a database of its own.  Settings: -v users=1000000, who have ten events
 * each.  For example:
 *	  test/tools/with-server psql -X -q -v users=100000 -f test/bench/customer.sql
 */
\set ON_ERROR_STOP 1
\if :{?users}
\else
\set users 1000000
\endif
CREATE EXTENSION IF NOT EXISTS recommender;
SET work_mem = '1GB';
SET maintenance_work_mem = '1GB';
SET jit = off;

-- events in order of time; those of a visit are near each other
CREATE TABLE event AS
SELECT (n / 10 + abs(hashint8extended(n, 1)) % 100)::int AS user_id, timestamptz '2026-01-01' + n * interval '1 second' AS at,
	   (ARRAY['view', 'cart', 'purchase', 'view', 'view'])[1 + abs(hashint8extended(n, 3)) % 5] AS event
FROM   generate_series(1, :users * 10) AS n;
VACUUM ANALYZE event;

-- customers no two of whom are alike
CREATE TABLE customer AS
SELECT n, x, CASE WHEN x = 0 THEN 0 ELSE t * (0.02 + 0.98 * u) END AS recency, t AS age
FROM   (SELECT n, 20 + 20 * (abs(hashint8extended(n, 1)) % 1000003) / 1000003.0::float8 AS t,
			   floor(ln((0.5 + abs(hashint8extended(n, 2)) % 1000003) / 1000003.5::float8)
					 * ln((0.5 + abs(hashint8extended(n, 4)) % 1000003) / 1000003.5::float8) * 1.5)::int AS x,
			   (abs(hashint8extended(n, 3)) % 1000003) / 1000003.0::float8 AS u
		FROM   generate_series(1, :users) AS n) AS drawn;
VACUUM ANALYZE customer;
CREATE TABLE features AS
SELECT ARRAY(SELECT (abs(hashint8extended(n * 8 + j, 3)) % 1000003)::float8 / 1000003 + (n % 8) * (j % 3) * 0.3
			 FROM generate_series(1, 8) AS j) AS f
FROM   generate_series(1, :users) AS n;

\timing on
\echo == ten events of each user: a funnel of three steps, one process
SET max_parallel_workers_per_gather = 0;
SELECT count(*) AS users, sum(d) AS steps
FROM   (SELECT recommender.window_funnel(at, '1 day', ARRAY[event = 'view', event = 'cart', event = 'purchase']) AS d
		FROM event GROUP BY user_id) AS f;
\echo == count() in its place: what reading, arrays and grouping take
SELECT count(*) AS users, sum(d) AS events
FROM   (SELECT count(ARRAY[event = 'view', event = 'cart', event = 'purchase']) AS d FROM event GROUP BY user_id) AS f;
\echo == the same funnel by window functions
SELECT count(*) AS users, sum(d) AS steps
FROM   (SELECT user_id, max(CASE WHEN event = 'purchase' AND via >= at - interval '1 day' THEN 3
								 WHEN event = 'cart' AND first >= at - interval '1 day' THEN 2 WHEN event = 'view' THEN 1 ELSE 0 END) AS d
		FROM   (SELECT *, max(CASE WHEN event = 'cart' THEN first END) OVER w AS via
				FROM   (SELECT *, max(at) FILTER (WHERE event = 'view') OVER w AS first FROM event WINDOW w AS (PARTITION BY user_id ORDER BY at)) AS a
				WINDOW w AS (PARTITION BY user_id ORDER BY at)) AS b
		GROUP  BY user_id) AS f;
\echo == two processes
SET max_parallel_workers_per_gather = 1;
SELECT count(*) AS users, sum(d) AS steps
FROM   (SELECT recommender.window_funnel(at, '1 day', ARRAY[event = 'view', event = 'cart', event = 'purchase']) AS d
		FROM event GROUP BY user_id) AS f;
SET max_parallel_workers_per_gather = 0;
\echo == one process, by an index that has all columns
\timing off
CREATE INDEX ON event (user_id, at) INCLUDE (event);
VACUUM ANALYZE event;
SET enable_hashagg = off;
SET enable_sort = off;
\timing on
SELECT count(*) AS users, sum(d) AS steps
FROM   (SELECT recommender.window_funnel(at, '1 day', ARRAY[event = 'view', event = 'cart', event = 'purchase']) AS d
		FROM event GROUP BY user_id) AS f;
RESET enable_hashagg;
RESET enable_sort;
\echo == sessions
SELECT max(s) FROM (SELECT recommender.session_number(at, '30 minutes') OVER (PARTITION BY user_id ORDER BY at) AS s FROM event) AS q;

\echo == models of purchasing and spending
SELECT (recommender.purchase_model_agg(x, recency, age)).* FROM customer;
SELECT (recommender.purchase_model_agg(x, recency, age, 'bg')).* FROM customer;
SELECT (recommender.spend_model_agg(x, recency)).* FROM customer;
\echo == forecasts for all
SELECT sum((f).expected) FROM (SELECT recommender.purchase_forecast(('mbg', 0.525, 6.183, 0.891, 1.614, NULL, NULL, NULL, true, true)::recommender.purchase_model, x, recency, age, 13) AS f FROM customer) AS q;

\echo == eight clusters of rows of eight features
SELECT array_agg((c).size) FROM (SELECT unnest(recommender.cluster_agg(f, 8)) AS c FROM features) AS q;
\echo == attribution to 2,000 touchpoints
SELECT cardinality(recommender.attribution_agg(ARRAY[n % 2000, (n * 7 + n / 13) % 2000, n * 31 % 2000]::text[], 1, 2, 1)) FROM generate_series(1, 100000) AS n;
