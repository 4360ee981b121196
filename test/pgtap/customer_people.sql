/*
 * test/pgtap/customer_people.sql
 *	  The events of a recommender's users, their purchases, and funnels.
 *
 * The view of events is compared with a union written by hand, for ids of
 * several types.  The oracle of a funnel looks at every chain of rows, and finds
 * users, waits and those who may still go on.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
SET LOCAL timezone = 'UTC';

SELECT plan(70);

CREATE SCHEMA shop;
CREATE FUNCTION shop.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (COSTS off) ' || query;
END $$;

/* ------------------------------------------------------------------------
 * Events, for ids of several types
 * ------------------------------------------------------------------------ */

CREATE FUNCTION shop.check_events(user_type text, item_type text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	id text := CASE WHEN user_type = 'uuid' THEN 'md5((%s)::text)::uuid' ELSE '(%s)::' || user_type END;
	item text := CASE WHEN item_type = 'uuid' THEN 'md5((%s)::text)::uuid' ELSE '(%s)::' || item_type END;
	expected text := $q$
		SELECT who, what, kind, at, CASE kind WHEN 'view' THEN 1 WHEN 'back' THEN -2.5 ELSE 0 END * coalesce(times, 1)::float8,
			jsonb_build_object('channel', channel, 'nth', nth), 'shop.click'::regclass FROM shop.click
		UNION ALL SELECT who, what, 'purchase', at::timestamptz, 1, NULL, 'shop.sale'::regclass FROM shop.sale
		UNION ALL SELECT who, what, NULL, NULL, 1, NULL, 'shop.old'::regclass FROM shop.old$q$;
BEGIN
	EXECUTE format('CREATE TABLE shop.click (who %s, what %s, kind varchar(10), at timestamptz, times int, channel text, nth int)', user_type, item_type);
	EXECUTE format('CREATE TABLE shop.sale (who %s, what %s, at timestamp)', user_type, item_type);
	EXECUTE format('CREATE TABLE shop.old (who %s, what %s)', user_type, item_type);
	EXECUTE format('INSERT INTO shop.click SELECT CASE WHEN n %% 11 > 0 THEN %s END, CASE WHEN n %% 13 > 0 THEN %s END, (ARRAY[''view'', ''back'', ''support'', NULL])[1 + n %% 4], CASE WHEN n %% 7 > 0 THEN timestamptz ''2026-01-01'' + n * interval ''1 hour'' END, nullif(n %% 5, 0), ''c'' || n %% 3, n FROM generate_series(1, 200) n',
				   format(id, 'n % 20'), format(item, 'n % 9'));
	EXECUTE format('INSERT INTO shop.sale SELECT %s, %s, timestamp ''2026-02-01'' + n * interval ''1 hour'' FROM generate_series(1, 50) n', format(id, 'n % 20'), format(item, 'n % 9'));
	EXECUTE format('INSERT INTO shop.old SELECT %s, %s FROM generate_series(1, 10) n', format(id, 'n % 20'), format(item, 'n % 9'));
	CREATE INDEX ON shop.click (who, at);
	CREATE INDEX ON shop.sale (who);
	CREATE INDEX ON shop.old (who);
	PERFORM recommender.create_recommender('recs', 'shop.click', 'who', 'what', 'at', 'kind', 'times', event_weights => '{"view": 1, "back": -2.5}', context_columns => '{channel,nth}');
	PERFORM recommender.create_events_view('recs');
	PERFORM recommender.add_interactions('recs', 'shop.sale', 'who', 'what', 'at', event => 'purchase');
	PERFORM recommender.add_interactions('recs', 'shop.old', 'who', 'what');
	RETURN NEXT bag_eq('SELECT * FROM recs.events', expected, format('the rows of all sources, for ids of types %s and %s', user_type, item_type));
	SET LOCAL enable_seqscan = off;
	RETURN NEXT is_empty(format($q$SELECT line FROM shop.plan_of('SELECT * FROM recs.events WHERE user_id = %s') line WHERE line LIKE '%%Seq Scan%%'$q$, replace(format(id, 7), '''', '''''')),
		format('an index of each source finds a user of type %s', user_type));
	RETURN NEXT is((SELECT count(*)::int FROM shop.plan_of(format('SELECT * FROM recs.events WHERE user_id = %s', format(id, 7))) line WHERE line ~ 'Index Cond: \(?who'), 3,
		'by the user''s column');
	SET LOCAL enable_seqscan = on;
	RETURN NEXT bag_eq('SELECT user_id, first_at, last_at, purchases, frequency, recency, age FROM recs.user_purchases',
		$q$SELECT who, min(at)::timestamptz AS first, max(at)::timestamptz AS last, cardinality(array_agg(DISTINCT at::date)) AS days, cardinality(array_agg(DISTINCT at::date)) - 1 AS repeats,
			(max(at)::date - min(at)::date)::float8 AS recency, (current_date - min(at)::date)::float8 AS age FROM shop.sale GROUP BY who$q$, 'the purchases of each user');
	PERFORM recommender.remove_interactions('recs', 'shop.old');
	PERFORM recommender.remove_interactions('recs', 'shop.sale');
	RETURN NEXT bag_eq('SELECT * FROM recs.events', format('SELECT * FROM (%s) e(u, i, e, a, w, c, source) WHERE source = ''shop.click''::regclass', expected), 'the view follows the sources');
	PERFORM recommender.remove_interactions('recs', 'shop.click');
	RETURN NEXT is_empty('SELECT * FROM recs.events', 'there are no rows without sources');
	PERFORM recommender.add_interactions('recs', 'shop.sale', 'who', 'what', 'at', event => 'purchase', event_weights => '{"purchase": 4}');
	RETURN NEXT results_eq('SELECT DISTINCT event, weight FROM recs.events', $q$VALUES ('purchase', 4::float8)$q$, 'and with a source again');
	PERFORM recommender.drop_recommender('recs');
	DROP TABLE shop.click, shop.sale, shop.old;
END $$;

SELECT shop.check_events(u, i) FROM (VALUES ('bigint', 'int'), ('text COLLATE "C"', 'bigint'), ('uuid', 'text'), ('smallint', 'uuid')) v (u, i);

/* ------------------------------------------------------------------------
 * Rows as they are, and rights
 * ------------------------------------------------------------------------ */

CREATE TABLE shop.click (user_id int, item_id int, event text, at timestamptz);
CREATE TABLE shop.sale (user_id int, item_id int, at timestamptz);
SELECT recommender.create_recommender('recs', 'shop.click', time_column => 'at', event_column => 'event');
SELECT hasnt_view('recs', 'events', 'no view hinders changes of a table unless asked for');
SELECT recommender.add_interactions('recs', 'shop.sale', time_column => 'at', event => 'buy');
SELECT hasnt_view('recs', 'events', 'nor after add_interactions()');
SELECT recommender.create_events_view('recs');
SELECT recommender.set_options('recs', '{"event_weights": {"shop.sale": {"buy": 7}}}');

SAVEPOINT order_placed;
INSERT INTO shop.sale VALUES (1, 2, now());
SELECT results_eq('SELECT user_id, item_id, event, at = now() FROM recs.events', $$VALUES (1, 2, 'buy', true)$$, 'a row of this transaction is there');
SELECT is((SELECT users FROM recs.funnel('{buy}')), 1::bigint, 'and counts');
ROLLBACK TO order_placed;
SELECT is_empty('SELECT * FROM recs.events', 'until it is rolled back');
SELECT results_eq($$SELECT * FROM recs.funnel('{view,buy}')$$,
	$$VALUES (1, 'view', 0::bigint, NULL::float8, NULL::float8, 0::bigint, NULL::interval), (2, 'buy', 0, NULL, NULL, 0, NULL)$$, 'a funnel without rows has all its steps');

ALTER TABLE shop.sale RENAME TO order_line;
ALTER TABLE shop.order_line RENAME at TO ordered_at;
INSERT INTO shop.order_line VALUES (1, 2, '2026-01-01'), (2, 2, '2026-01-01');
SELECT is((SELECT count(*)::int FROM recs.events WHERE event = 'buy' AND source = 'shop.order_line'::regclass), 2, 'the view follows renamed tables and columns');
SELECT throws_ok('DROP TABLE shop.order_line', '2BP01', NULL, 'a table that it reads is not dropped by mistake');

CREATE ROLE people_reader;
GRANT USAGE ON SCHEMA shop, recs TO people_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA recs TO people_reader;
GRANT SELECT ON shop.click TO people_reader;
SET LOCAL ROLE people_reader;
SELECT throws_ok('SELECT * FROM recs.events', '42501', 'permission denied for table order_line', 'rows are read with the caller''s rights');
RESET ROLE;
GRANT SELECT ON shop.order_line TO people_reader;
ALTER TABLE shop.order_line ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON shop.order_line USING (user_id = 2);
SET LOCAL ROLE people_reader;
SELECT results_eq('SELECT user_id FROM recs.events', 'VALUES (2)', 'a policy hides rows');
SELECT is((SELECT users FROM recs.funnel('{buy}')), 1::bigint, 'also from a funnel');
SELECT throws_ok($$SELECT recommender.create_events_view('recs')$$, '42501', NULL, 'only the owner makes the view');
RESET ROLE;
ALTER TABLE shop.order_line DISABLE ROW LEVEL SECURITY;
SELECT throws_ok($$SELECT recommender.create_events_view(NULL)$$, '22004', NULL, 'a recommender must be named');

/* ------------------------------------------------------------------------
 * Funnels
 * ------------------------------------------------------------------------ */

SELECT throws_ok($$SELECT * FROM recs.funnel('{}')$$, '22023', 'steps must not be empty', 'steps must not be empty');
SELECT throws_ok($$SELECT * FROM recs.funnel(NULL)$$, '22023', 'steps must not be empty', 'nor NULL');
SELECT throws_ok($$SELECT * FROM recs.funnel('{view,NULL}')$$, '22023', 'steps must not be empty', 'nor have an element without a name');
SELECT throws_ok($$SELECT * FROM recs.funnel('{view}', mode => 'any')$$, '22023', 'unknown mode "any"', 'the mode is checked, also without rows');
SELECT throws_ok($$SELECT * FROM recs.funnel('{view}', '-1 day')$$, '22023', 'within must be greater than or equal to zero', 'and within');

-- every chain of rows
CREATE FUNCTION shop.funnel_oracle(steps text[], within interval, since timestamptz, until timestamptz, same_item boolean)
RETURNS TABLE (step int, event text, users bigint, of_previous float8, of_first float8, pending bigint, median_wait interval) LANGUAGE sql AS $$
	WITH RECURSIVE row AS (
		SELECT user_id, CASE WHEN same_item THEN item_id END AS item_id, event, at FROM recs.events
		WHERE user_id IS NOT NULL AND isfinite(at) AND (NOT same_item OR item_id IS NOT NULL)),
	chain AS (
		SELECT user_id, item_id, ARRAY[at] AS times FROM row
		WHERE event = steps[1] AND (since IS NULL OR at >= since) AND (until IS NULL OR at < until)
		UNION
		SELECT c.user_id, c.item_id, times || r.at FROM chain c JOIN row r
			ON r.user_id = c.user_id AND r.item_id IS NOT DISTINCT FROM c.item_id
			AND r.event = steps[cardinality(times) + 1] AND r.at >= times[cardinality(times)]
			AND (within IS NULL OR r.at - times[1] <= within)),
	best AS (
		SELECT DISTINCT ON (user_id, item_id) user_id, item_id, times FROM chain
		ORDER BY user_id, item_id, cardinality(times) DESC, times[cardinality(times)], times[1] DESC, times),
	reached AS (
		SELECT b.*, EXISTS (SELECT FROM chain c WHERE c.user_id = b.user_id AND c.item_id IS NOT DISTINCT FROM b.item_id
			AND cardinality(c.times) = cardinality(b.times) AND (within IS NULL OR now() - c.times[1] <= within)) AS may_go_on
		FROM best b),
	figure AS (
		SELECT n, (SELECT count(*) FROM reached WHERE cardinality(times) >= n) AS users,
			(SELECT count(*) FROM reached WHERE cardinality(times) = n - 1 AND may_go_on) AS pending,
			(SELECT (percentile_disc(0.5) WITHIN GROUP (ORDER BY w) + percentile_disc(0.5) WITHIN GROUP (ORDER BY w DESC)) / 2
			 FROM (SELECT times[n] - times[n - 1] AS w FROM reached WHERE cardinality(times) >= n AND n > 1) x) AS median
		FROM generate_series(1, cardinality(steps)) n)
	SELECT n, steps[n], users, users / nullif(lag(users) OVER (ORDER BY n), 0)::float8, users / nullif(first_value(users) OVER (ORDER BY n), 0)::float8, pending, median
	FROM figure ORDER BY n
$$;

DELETE FROM shop.order_line;
INSERT INTO shop.click
SELECT CASE WHEN n % 37 > 0 THEN abs(hashint4(n)) % 150 END, CASE WHEN n % 29 > 0 THEN abs(hashint4(n + 5000)) % 3 END,
	(ARRAY['view', 'view', 'cart', 'help', NULL])[1 + abs(hashint4(n + 10000)) % 5],
	CASE WHEN n % 31 = 0 THEN NULL WHEN n % 41 = 0 THEN 'infinity' WHEN n % 43 = 0 THEN '-infinity' ELSE now() - abs(hashint4(n + 15000)) % 240 * interval '1 hour' END
FROM generate_series(1, 1000) n;
INSERT INTO shop.order_line
SELECT abs(hashint4(n + 20000)) % 150, abs(hashint4(n + 25000)) % 3, now() - abs(hashint4(n + 30000)) % 240 * interval '1 hour' FROM generate_series(1, 300) n;

SELECT results_eq(format('SELECT * FROM recs.funnel(%L, %L, %L, %L, same_item => %L)', steps, within, since, until, same_item),
				  format('SELECT * FROM shop.funnel_oracle(%L, %L, %L, %L, %L)', steps, within, since, until, same_item),
				  format('a funnel %s within %s%s%s%s', steps, coalesce(within, 'any time'), CASE WHEN since IS NOT NULL THEN ' since' END, CASE WHEN until IS NOT NULL THEN ' until' END, CASE WHEN same_item THEN ' of the same item' END))
FROM (VALUES
	('{view,cart,buy}', '3 days', NULL, NULL, false), ('{view,cart,buy}', '3 days', NULL, NULL, true),
	('{view,cart,buy}', '2 days', (now() - interval '6 days')::text, (now() - interval '2 days')::text, false),
	('{view,cart,buy}', '2 days', NULL, (now() - interval '1 day')::text, true),
	('{buy,view}', NULL, (now() - interval '6 days')::text, (now() - interval '2 days')::text, false),
	('{cart,view,buy,help}', '1 month', NULL, NULL, false), ('{view}', '0', '-infinity', 'infinity', false),
	('{view,cart}', '1 hour', '-infinity', '-infinity', false), ('{none,view}', '5 days', NULL, NULL, false)) v (steps, within, since, until, same_item);
SELECT results_eq($$SELECT users FROM recs.funnel('{view,view,cart}', NULL)$$,
	$$SELECT (SELECT count(*) FROM (SELECT user_id, recommender.window_funnel(at, NULL, ARRAY[event = 'view', event = 'view', event = 'cart']) AS depth FROM recs.events WHERE user_id IS NOT NULL GROUP BY user_id) d WHERE depth >= n) FROM generate_series(1, 3) n$$,
	'a step may come twice');
SELECT results_eq(format($$SELECT users FROM recs.funnel('{view,cart}', '3 days', mode => %L)$$, mode),
	format($$SELECT (SELECT count(*) FROM (SELECT user_id, recommender.window_funnel(at, '3 days', ARRAY[event = 'view', event = 'cart'], %L) AS depth FROM recs.events WHERE user_id IS NOT NULL GROUP BY user_id) d WHERE depth >= n) FROM generate_series(1, 2) n$$, mode),
	format('mode %s', mode)) FROM unnest('{strict,increasing}'::text[]) mode;
SELECT isnt_empty($$SELECT FROM recs.funnel('{view,cart,buy}', '3 days') WHERE step = 3 AND users > 5 AND pending > 5$$, 'the cases are not empty');

/* ------------------------------------------------------------------------
 * Purchases
 * ------------------------------------------------------------------------ */

-- a source without events, in which a negative amount is a return
CREATE TABLE shop.loan (user_id int, item_id int, at timestamptz, amount int);
CREATE INDEX ON shop.loan (user_id, at);
CREATE INDEX ON shop.click (user_id, at);
CREATE INDEX ON shop.order_line (user_id, ordered_at);
INSERT INTO shop.loan
SELECT n % 90, n % 4, CASE WHEN n % 19 = 0 THEN NULL WHEN n % 23 = 0 THEN 'infinity' ELSE now() - (abs(hashint4(n)) % 3000 - 40) * interval '1 hour' END, n % 5 - 1
FROM generate_series(1, 400) n;
SELECT throws_ok($$SELECT recommender.add_interactions('recs', 'shop.loan')$$, '42703', 'column "at" of relation "order_line" does not exist', 'the view is not replaced by one without a source whose column was renamed');
SELECT recommender.add_interactions('recs', 'shop.order_line', time_column => 'ordered_at', event => 'buy');
SELECT recommender.add_interactions('recs', 'shop.loan', time_column => 'at', weight_column => 'amount');
SELECT is_empty($$SELECT FROM recs.user_purchases WHERE last_at NOT IN (SELECT at FROM shop.loan)$$, 'without an event "purchase", only a source without events has purchases');
SELECT recommender.set_options('recs', '{"seen_events": ["buy", "cart"], "context_timezone": "Asia/Seoul"}');

-- each purchase by itself: the day in Seoul, which is nine hours ahead all year
CREATE TABLE shop.purchase AS
SELECT user_id, at, ((CASE WHEN at > now() THEN now() ELSE at END AT TIME ZONE 'UTC') + interval '9 hours')::date AS day
FROM (SELECT user_id, at FROM shop.click WHERE event = 'cart'
	  UNION ALL SELECT user_id, ordered_at FROM shop.order_line
	  UNION ALL SELECT user_id, at FROM shop.loan WHERE amount >= 0) p
WHERE user_id IS NOT NULL AND at > '-infinity' AND at < 'infinity';
SELECT bag_eq('SELECT user_id, first_at, last_at, purchases, frequency, recency, age FROM recs.user_purchases', $$
	SELECT u.user_id, f.at AS first_at, l.at AS last_at, d.n::int AS days, d.n::int - 1 AS repeats, (d.last - d.first)::float8 AS recency, ((now() AT TIME ZONE 'UTC' + interval '9 hours')::date - d.first)::float8 AS age
	FROM (SELECT DISTINCT user_id FROM shop.purchase) u
	CROSS JOIN LATERAL (SELECT at FROM shop.purchase p WHERE p.user_id = u.user_id ORDER BY at LIMIT 1) f
	CROSS JOIN LATERAL (SELECT at FROM shop.purchase p WHERE p.user_id = u.user_id ORDER BY at DESC LIMIT 1) l
	CROSS JOIN LATERAL (SELECT count(*) AS n, (array_agg(day ORDER BY day))[1] AS first, (array_agg(day ORDER BY day DESC))[1] AS last
						FROM (SELECT day FROM shop.purchase p WHERE p.user_id = u.user_id GROUP BY day) x) d$$,
	'days with purchases, counted one by one');
SELECT isnt_empty($$SELECT FROM recs.user_purchases WHERE purchases > 3 AND last_at > now()$$, 'the cases are not empty');
SELECT is_empty($$SELECT FROM recs.user_purchases WHERE recency > age OR recency < 0 OR (recency = 0) <> (frequency = 0)$$, 'a model of purchasing can be fitted on them');
SELECT is((SELECT (m).users FROM (SELECT recommender.purchase_model_agg(frequency, recency, age) AS m FROM recs.user_purchases) f), (SELECT count(DISTINCT user_id) FROM shop.purchase), 'and is');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT count(*)::int FROM shop.plan_of('SELECT * FROM recs.user_purchases WHERE user_id = 7') line WHERE line ~ 'Index Cond: .*user_id = 7'), 3, 'an index of each source finds the purchases of one user');
SELECT is_empty($$SELECT line FROM shop.plan_of('SELECT * FROM recs.user_purchases WHERE user_id = 7') line WHERE line ~ 'Seq Scan on (click|order_line|loan)'$$, 'and no source is read whole');
SET LOCAL enable_seqscan = on;
SAVEPOINT order_placed;
INSERT INTO shop.order_line VALUES (5000, 1, now()), (5000, 2, now());
SELECT results_eq('SELECT last_at, purchases, frequency, recency, age FROM recs.user_purchases WHERE user_id = 5000', 'SELECT now(), 1, 0, 0::float8, 0::float8', 'an order of this transaction is there, its lines being one purchase');
ROLLBACK TO order_placed;
SELECT is_empty('SELECT * FROM recs.user_purchases WHERE user_id = 5000', 'until it is rolled back');

SELECT recommender.drop_recommender('recs');
SELECT hasnt_schema('recs', 'the view and its functions are dropped with the recommender');
SELECT * FROM finish();
ROLLBACK;
