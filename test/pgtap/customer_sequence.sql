/*
 * test/pgtap/customer_sequence.sql
 *	  Sessions and funnels against their definitions.
 *
 * The oracle of a funnel looks at every chain of rows.  Besides 4,000 random
 * cases there are the cases of ClickHouse's and duckdb-behavioral's tests,
 * with what the definition makes of them.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
SET LOCAL timezone = 'UTC';

SELECT plan(83);

CREATE SCHEMA oracle;

/* ------------------------------------------------------------------------
 * Sessions
 * ------------------------------------------------------------------------ */

CREATE FUNCTION oracle.sessions(ats timestamptz[], gap interval) RETURNS int[] LANGUAGE sql AS $$
	SELECT array_agg(n ORDER BY i)
	FROM (SELECT i, recommender.session_number(at, gap) OVER (ORDER BY i) AS n FROM unnest(ats) WITH ORDINALITY u (at, i)) s
$$;

SELECT is(oracle.sessions('{2026-01-01 00:00,2026-01-01 00:05,2026-01-01 00:10,2026-01-01 02:00,2026-01-01 02:05}', '30 minutes'), '{1,1,1,2,2}', 'a session ends after a gap');
SELECT is(oracle.sessions('{2026-01-01 00:00,NULL,2026-01-01 00:05}', '30 minutes'), '{1,NULL,1}', 'a row without a time ends no session');
SELECT is(oracle.sessions('{2026-01-01 10:00,2026-01-01 10:15,2026-01-01 10:25,2026-01-01 11:30,2026-01-01 11:45,2026-01-01 13:00}', '30 minutes'), '{1,1,1,2,2,3}', 'three sessions');
SELECT is(oracle.sessions('{2026-01-01 10:00,2026-01-01 10:30}', '30 minutes'), '{1,1}', 'a gap of just that length ends none');
SELECT is(oracle.sessions('{2026-01-01 10:00,2026-01-01 10:30:00.000001}', '30 minutes'), '{1,2}', 'a microsecond more does');
SELECT is(oracle.sessions('{-infinity,2026-01-01 10:00,infinity,NULL}', '0'), '{NULL,1,NULL,NULL}', 'infinite times are skipped');
SELECT is(oracle.sessions('{-infinity,NULL}', '0'), '{NULL,NULL}', 'nothing but such times');
SELECT is(oracle.sessions('{4713-01-01 BC,294276-12-31}', '292000 years'), '{1,2}', 'the widest span that there is does not overflow');
SELECT is(oracle.sessions('{2026-01-01,2026-01-31}', '1 month'), '{1,1}', 'a month has 30 days');
SELECT is(oracle.sessions('{2026-01-01,2026-02-01}', '1 month'), '{1,2}', 'and not 31');
SELECT is((SELECT array_agg(n ORDER BY i) FROM (
	SELECT i, recommender.session_number(at, gap) OVER (ORDER BY at) AS n
	FROM (VALUES (1, timestamptz '2026-01-01 10:00', interval '30 minutes'), (2, '2026-01-01 11:00', '1 day'), (3, '2026-01-01 12:00', '30 minutes')) v (i, at, gap)) s),
	'{1,1,2}', 'the row''s own gap counts');
SELECT is((SELECT array_agg(n ORDER BY i) FROM (
	SELECT i, recommender.session_number(at, '1 hour') OVER (PARTITION BY u ORDER BY at ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) AS n
	FROM (VALUES (1, 1, timestamptz '2026-01-01 10:00'), (2, 1, '2026-01-01 12:00'), (3, 2, '2026-01-01 11:00')) v (i, u, at)) s),
	'{1,2,1}', 'each partition begins at 1, and the frame is ignored');
SELECT throws_ok($$SELECT oracle.sessions('{2026-01-02,2026-01-01}', '1 hour')$$, '22023', 'rows are not in order of time');
SELECT throws_ok($$SELECT oracle.sessions('{2026-01-02}', '-1 hour')$$, '22023', 'gap must be greater than or equal to zero');
SELECT throws_ok($$SELECT oracle.sessions('{2026-01-02}', NULL)$$, '22004', 'gap must not be null');

-- random rows against two nested window queries
CREATE TEMP TABLE click AS
SELECT n, n % 50 AS u, timestamptz '2026-01-01' + (abs(hashint8extended(n, 7)) % 100000) * interval '1 minute' AS at FROM generate_series(1, 20000) n;
SELECT is_empty($$
	WITH cut AS (SELECT *, at - lag(at) OVER (PARTITION BY u ORDER BY at) > interval '90 minutes' AS starts FROM click),
	oracle AS (SELECT n, u, at, 1 + count(*) FILTER (WHERE starts) OVER (PARTITION BY u ORDER BY at) AS session FROM cut),
	ours AS (SELECT n, u, at, recommender.session_number(at, '90 minutes') OVER (PARTITION BY u ORDER BY at) AS session FROM click)
	SELECT * FROM oracle JOIN ours USING (n) WHERE oracle.session <> ours.session$$, 'as two nested window queries say');

/* ------------------------------------------------------------------------
 * The oracle for funnels
 * ------------------------------------------------------------------------ */

-- All chains, by the definition.  Times are seconds since the epoch.
CREATE FUNCTION oracle.funnel_times(ats timestamptz[], masks int[], nsteps int, within interval, mode text) RETURNS timestamptz[] LANGUAGE sql AS $$
	WITH RECURSIVE event AS (
		SELECT at, mask, row_number() OVER (ORDER BY at, mask = 0, positions) AS rank
		FROM unnest(ats, masks) AS u (at, mask),
			 LATERAL (SELECT ARRAY(SELECT s FROM generate_series(1, nsteps) s WHERE mask & (1 << (s - 1)) <> 0 ORDER BY s) AS positions) p
		WHERE at IS NOT NULL AND isfinite(at)),
	chain AS (
		SELECT 1 AS depth, rank, ARRAY[at] AS times FROM event WHERE mask & 1 <> 0
		UNION ALL
		SELECT c.depth + 1, e.rank, c.times || e.at
		FROM chain c JOIN event e ON e.rank > c.rank AND e.mask & (1 << c.depth) <> 0 AND c.depth < nsteps
		WHERE (within IS NULL OR e.at <= c.times[1] + within)
		AND (mode <> 'increasing' OR e.at > c.times[c.depth])
		AND (mode <> 'strict' OR NOT EXISTS (SELECT FROM event b WHERE b.rank > c.rank AND b.rank < e.rank AND b.mask & (1 << (c.depth - 1)) = 0)))
	SELECT coalesce((SELECT times FROM chain ORDER BY depth DESC, times[depth], times[1] DESC, times LIMIT 1), '{}')
$$;

CREATE FUNCTION oracle.steps(mask int, nsteps int) RETURNS boolean[] LANGUAGE sql AS $$
	SELECT array_agg(mask & (1 << (s - 1)) <> 0 ORDER BY s) FROM generate_series(1, nsteps) s
$$;

CREATE TEMP TABLE funnel_case AS
SELECT c, 1 + abs(hashint8extended(c, 1)) % 4 AS nsteps,
	   CASE WHEN c % 7 = 0 THEN NULL ELSE abs(hashint8extended(c, 2)) % 5 * interval '1 second' END AS within,
	   (abs(hashint8extended(c, 3)) % 8)::int AS n
FROM generate_series(1, 4000) c;
CREATE TEMP TABLE funnel_row AS
SELECT c, nsteps, within, r,
	   timestamptz '2026-01-01' + abs(hashint8extended(c * 16 + r, 4)) % 5 * interval '1 second' AS at,
	   -- mostly one true step
	   (CASE abs(hashint8extended(c * 16 + r, 5)) % 3 WHEN 0 THEN abs(hashint8extended(c * 16 + r, 6)) % (1 << nsteps::int)
			ELSE 1 << (abs(hashint8extended(c * 16 + r, 6)) % nsteps)::int END)::int AS mask
FROM funnel_case, generate_series(1, n) r;
INSERT INTO funnel_row SELECT c, nsteps, within, 100, CASE WHEN c % 2 = 0 THEN '-infinity' END::timestamptz, 1 FROM funnel_case WHERE c % 10 = 0;

CREATE TEMP TABLE oracle_answer AS
SELECT c, mode, oracle.funnel_times(array_agg(at), array_agg(mask), nsteps::int, within, mode) AS times
FROM funnel_row, unnest('{ordered,strict,increasing}'::text[]) mode GROUP BY c, nsteps, within, mode;
SELECT cmp_ok((SELECT count(DISTINCT cardinality(times)) FROM oracle_answer), '=', 5::bigint, 'cases of all depths from 0 to 4');

CREATE FUNCTION oracle.differences(by text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		WITH ours AS (
			SELECT c, mode, recommender.window_funnel_times(at, within, steps, mode) AS times, recommender.window_funnel(at, within, steps, mode) AS depth
			FROM (SELECT *, oracle.steps(mask, nsteps::int) AS steps FROM funnel_row ORDER BY %s) f, unnest('{ordered,strict,increasing}'::text[]) mode
			GROUP BY c, mode)
		SELECT format('case %%s, %%s: %%s, not %%s', c, mode, o.times, a.times) FROM ours o JOIN oracle_answer a USING (c, mode)
		WHERE o.times <> a.times OR o.depth <> cardinality(a.times)$q$, by);
END
$$;
SELECT is_empty($$SELECT * FROM oracle.differences('r')$$, '4,000 random cases in three modes are as the oracle says');
SELECT is_empty($$SELECT * FROM oracle.differences('hashint8(c * 100 + r)')$$, 'whatever the order of the rows');
SELECT is_empty($$SELECT * FROM oracle.differences('at DESC')$$, 'or from the last to the first');
SELECT is_empty($$
	SELECT c FROM (SELECT c, nsteps, at, within, oracle.steps(mask, nsteps::int) AS steps FROM funnel_row) f
	GROUP BY c HAVING recommender.window_funnel(at, within, steps) <> recommender.window_funnel(at, within, steps, 'ordered')
				   OR recommender.window_funnel_times(at, within, steps) <> recommender.window_funnel_times(at, within, steps, 'ordered')$$,
	'without a mode it is "ordered"');

-- long journeys, with many steps, against the same oracle of another kind: greedy from every start
CREATE TEMP TABLE long_row AS
SELECT c, r, timestamptz '2026-01-01' + (r / 2) * interval '1 second' AS at, 1 << (abs(hashint8extended(c * 10000 + r, 9)) % 32)::int AS mask
FROM generate_series(1, 5) c, generate_series(1, 5000) r;
CREATE FUNCTION oracle.greedy(cc int, within interval) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	begin_at record; e record; reached int; deepest int := 0; bits int;
BEGIN
	FOR begin_at IN SELECT at, r FROM long_row WHERE c = cc AND mask = 1 LOOP
		reached := 1;
		FOR e IN SELECT at, mask FROM long_row l WHERE c = cc AND at BETWEEN begin_at.at AND begin_at.at + within
				 ORDER BY at, (mask & 1) DESC, CASE WHEN mask < 0 THEN 31 ELSE log(2, mask::numeric) END LOOP
			IF reached < 32 AND e.mask = 1 << reached THEN reached := reached + 1; END IF;
		END LOOP;
		deepest := greatest(deepest, reached);
	END LOOP;
	RETURN deepest;
END
$$;
SELECT is((SELECT array_agg(recommender_depth ORDER BY c) FROM (
	SELECT c, recommender.window_funnel(at, '200 seconds', oracle.steps(mask, 32)) AS recommender_depth FROM long_row GROUP BY c) s),
	(SELECT array_agg(oracle.greedy(c, '200 seconds') ORDER BY c) FROM generate_series(1, 5) c), 'journeys of 5,000 events and 32 steps');

/* ------------------------------------------------------------------------
 * The cases of others
 * ------------------------------------------------------------------------ */

-- one event a second; the steps are letters
CREATE FUNCTION oracle.letters(events text, steps text, mode text, within interval DEFAULT '1 hour') RETURNS int LANGUAGE sql AS $$
	SELECT recommender.window_funnel(timestamptz '2026-01-01' + i * interval '1 second', within,
									 ARRAY(SELECT e = s FROM regexp_split_to_table(steps, '') WITH ORDINALITY t (s, o) ORDER BY o), mode)
	FROM regexp_split_to_table(events, '') WITH ORDINALITY u (e, i)
$$;
SELECT is(ARRAY[oracle.letters(events, steps, 'ordered'), oracle.letters(events, steps, 'strict')], ARRAY[ordered, strict], format('%s through %s', events, steps))
FROM (VALUES ('abc', 'abc', 3, 3), ('adbc', 'abc', 3, 1), ('aabbcc', 'abc', 3, 3), ('aaaabbcc', 'abc', 3, 3), ('aabbdcc', 'abc', 3, 2), ('ccbbaa', 'abc', 1, 1),
	('acb', 'abc', 2, 1), ('adabc', 'abc', 3, 3), ('abac', 'abc', 3, 2), ('ababc', 'abc', 3, 3), ('abcbd', 'abcd', 4, 3), ('abcabcd', 'abcd', 4, 4)) v (events, steps, ordered, strict);
SELECT is((SELECT ARRAY[recommender.window_funnel(at, '60 seconds', steps), recommender.window_funnel(at, '60 seconds', steps, 'strict')]
	FROM (SELECT timestamptz '2026-01-01' + i * interval '5 seconds' AS at, ARRAY[e = 'install', e = 'start', e = 'login', e = 'end'] AS steps
		  FROM unnest('{install,start,login,install,start,install,start,login,end}'::text[]) WITH ORDINALITY u (e, i)) s), '{4,4}', 'a journey that begins three times');

-- numbered events at times in seconds
CREATE FUNCTION oracle.numbers(ats int[], events int[], steps int[], within int, mode text) RETURNS int LANGUAGE sql AS $$
	SELECT recommender.window_funnel(to_timestamp(at), within * interval '1 second', ARRAY(SELECT e = s FROM unnest(steps) WITH ORDINALITY t (s, o) ORDER BY o), mode)
	FROM unnest(ats, events) u (at, e)
$$;
SELECT is(oracle.numbers('{0,1,2,3,4,5,6,7,8}', '{1000,1001,1002,1003,1004,1005,1006,1007,1008}', steps::int[], within, 'ordered'), depth, format('steps %s within %s', steps, within))
FROM (VALUES ('{1000}', 10000, 1), ('{1000,1001}', 10000, 2), ('{1000,1001,1002}', 10000, 3), ('{1000,1001,1002,1008}', 10000, 4),
	('{1003,1004,1005,1006,1007}', 0, 1), ('{1003,1004,1005,1006,1007}', 1, 2), ('{1003,1004,1005,1006,1007}', 2, 3), ('{1003,1004,1005,1006,1007}', 3, 4),
	('{1003,1004,1005,1006,1007}', 4, 5), ('{1001,1008}', 10000, 2), ('{1008,1001}', 10000, 1)) v (steps, within, depth);
SELECT is((SELECT recommender.window_funnel(to_timestamp(e - 1000), '4 seconds', ARRAY[e <= 1007, e >= 1002, e <= 1006, e >= 1004]) FROM generate_series(1001, 1008) e), 4, 'conditions that overlap');
SELECT is(oracle.numbers('{0,1,1,1,2}', '{1000,1001,1002,1003,1004}', '{1000,1001,1002,1003,1004}', 10, mode), depth, format('three steps of one moment, %s', mode))
FROM (VALUES ('ordered', 5), ('increasing', 2)) v (mode, depth);
SELECT is(oracle.numbers('{0,1,1,1,2}', '{1000,1001,1002,1003,1004}', '{1004,1004,1004}', 10, mode), 1, format('one row counts for one step, %s', mode)) FROM unnest('{ordered,strict,increasing}'::text[]) mode;
SELECT is((SELECT array_agg(d ORDER BY u, mode) FROM (
	SELECT u, mode, recommender.window_funnel(to_timestamp(at), '200 seconds', ARRAY[e = 'f', e = 'f', e = 's'], mode) AS d
	FROM (VALUES (123, 180, 'f'), (123, 220, 'f'), (123, 250, 's'), (234, 100, 'f'), (234, 250, 'f'), (345, 200, 's'), (345, 210, 'f'), (345, 230, 's')) v (u, at, e),
		 unnest('{ordered,strict,increasing}'::text[]) mode GROUP BY u, mode) s), '{3,3,3,2,2,2,1,1,1}', 'failure, failure, success');
SELECT is(ARRAY[oracle.numbers('{100,100}', '{2,1}', '{1,2}', 10, 'ordered'), oracle.numbers('{100,100}', '{2,1}', '{1,2}', 10, 'increasing')], '{2,1}', 'two steps of one moment');
SELECT is(oracle.numbers('{85,95,95}', '{1,1,2}', '{1,2}', 100, 'increasing'), 2, 'a later first step hides no earlier one');
SELECT is((SELECT recommender.window_funnel(to_timestamp(i), '1 hour', ARRAY[a = 'a1', a = 'a2']) FROM (VALUES (1, 'a1'), (2, 'a2')) v (i, a)), 2, 'two values');
SELECT is((SELECT recommender.window_funnel(to_timestamp(i), '1 hour', ARRAY[a = 'a1', b = 'b2']) FROM (VALUES (1, 'a1', NULL::text), (2, 'a2', NULL)) v (i, a, b)), 1, 'a null element is false');
SELECT is((SELECT recommender.window_funnel(to_timestamp(i), '1 hour', ARRAY[a IS NULL, b IS NULL]) FROM (VALUES (1, NULL::text, NULL::text)) v (i, a, b)), 1, 'one row, both steps');
SELECT is((SELECT ARRAY[recommender.window_funnel(to_timestamp(i), '1 hour', ARRAY[a IS NULL, b = 'b3']), recommender.window_funnel(to_timestamp(i), '1 hour', ARRAY[a IS NULL, b = 'b3'], 'strict')]
	FROM (VALUES (1, NULL, 'b1'), (2, 'a2', NULL), (3, NULL, 'b3')) v (i, a, b)), '{2,1}', 'nulls, ordered and strict');
SELECT is((SELECT recommender.window_funnel(timestamptz '2026-01-01' + m * interval '1 minute', '1 hour', ARRAY[e = 'view', e = 'cart', e = 'purchase']) FROM (VALUES (0, 'view'), (5, 'cart'), (10, 'purchase')) v (m, e)), 3, 'view, cart, purchase');
SELECT is((SELECT recommender.window_funnel(timestamptz '2026-01-01' + m * interval '1 minute', '1 hour', ARRAY[e = 'view', e = 'cart', e = 'purchase']) FROM (VALUES (0, 'view'), (305, 'cart')) v (m, e)), 1, 'a cart five hours later');

/* ------------------------------------------------------------------------
 * Edges
 * ------------------------------------------------------------------------ */

SELECT is((SELECT (recommender.window_funnel(now(), '1 day', '{t}'), recommender.window_funnel_times(now(), '1 day', '{t}'))::text FROM generate_series(1, 0)), '(0,{})', 'no rows');
SELECT is((SELECT recommender.window_funnel_times(NULL, '1 day', '{t}')), '{}', 'a row without a time');
SELECT is((SELECT recommender.window_funnel(now(), NULL, NULL)), 0, 'a row without steps, no limit');
SELECT is((SELECT recommender.window_funnel(at, '290000 years', steps) FROM (VALUES (timestamptz '4713-01-01 BC', '{t,f}'::boolean[]), ('294276-12-31', '{f,t}')) v (at, steps)), 1, 'the widest span');
SELECT is((SELECT recommender.window_funnel(at, NULL, steps) FROM (VALUES (timestamptz '4713-01-01 BC', '{t,f}'::boolean[]), ('294276-12-31', '{f,t}')) v (at, steps)), 2, 'the widest span without a limit');
SELECT is((SELECT recommender.window_funnel(at, '178000000 years', steps) FROM (VALUES (timestamptz '4713-01-01 BC', '{t,f}'::boolean[]), ('294276-12-31', '{f,t}')) v (at, steps)), 2, 'a limit too long for a number is none');
SELECT is((SELECT recommender.window_funnel(to_timestamp(i), '1 day', ('[0:1]={' || s || '}')::boolean[]) FROM (VALUES (1, 't,f'), (2, 'f,t')) v (i, s)), 2, 'an array that begins at 0');
SELECT throws_ok($$SELECT recommender.window_funnel(now(), '-1 day', '{t}')$$, '22023', 'within must be greater than or equal to zero');
SELECT throws_ok($$SELECT recommender.window_funnel(now(), '1 day', '{}')$$, '22023', 'steps must not be empty');
SELECT throws_ok($$SELECT recommender.window_funnel(now(), '1 day', '{{t},{t}}')$$, '22023', 'steps must be an array of one dimension');
SELECT throws_ok($$SELECT recommender.window_funnel(now(), '1 day', array_fill(true, '{33}'))$$, '22023', 'there must be at most 32 steps, not 33');
SELECT throws_ok($$SELECT recommender.window_funnel(now(), '1 day', array_fill(true, ARRAY[n])) FROM generate_series(2, 3) n$$, '22023', 'there must be as many steps in all rows of a group');
SELECT throws_ok($$SELECT recommender.window_funnel(now(), n * interval '1 day', '{t}') FROM generate_series(2, 3) n$$, '22023', 'within must be the same for all rows of a group');
SELECT throws_ok($$SELECT recommender.window_funnel(now(), CASE WHEN n = 2 THEN interval '1 day' END, '{t}') FROM generate_series(2, 3) n$$, '22023', 'within must be the same for all rows of a group');
SELECT throws_ok($$SELECT recommender.window_funnel(now(), '1 day', '{t}', m) FROM unnest('{strict,ordered}'::text[]) m$$, '22023', 'mode must be the same for all rows of a group');
SELECT throws_ok($$SELECT recommender.window_funnel(now(), '1 day', '{t}', 'strict_order')$$, '22023', 'unknown mode "strict_order"');
SELECT throws_ok($$SELECT recommender.window_funnel(now(), '1 day', '{t}', NULL)$$, '22004', 'mode must not be null');
SET LOCAL maintenance_work_mem = '1MB';
SELECT throws_ok($$SELECT recommender.window_funnel(to_timestamp(i), '1 day', '{t}') FROM generate_series(1, 200000) i$$, '53400', 'the rows of a group do not fit into maintenance_work_mem');
RESET maintenance_work_mem;

-- a window, whose state goes on after each result
SELECT is((SELECT array_agg(d ORDER BY i) FROM (SELECT i, recommender.window_funnel(to_timestamp(i), '1 day', ARRAY[e = 'a', e = 'b', e = 'c']) OVER (ORDER BY i) AS d
	FROM unnest('{c,a,c,b,a,c}'::text[]) WITH ORDINALITY u (e, i)) s), '{0,1,1,2,2,3}', 'as a window function');
SELECT is((SELECT array_agg(d ORDER BY i) FROM (SELECT i, recommender.window_funnel(to_timestamp(-i), '1 day', ARRAY[e = 'a', e = 'b', e = 'c']) OVER (ORDER BY i) AS d
	FROM unnest('{c,a,b,a}'::text[]) WITH ORDINALITY u (e, i)) s), '{0,1,1,3}', 'the same with events that come from the last to the first');

/* ------------------------------------------------------------------------
 * Parallel plans
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.event AS
SELECT (abs(hashint8extended(n, 1)) % 1000)::int AS u, timestamptz '2026-01-01' + abs(hashint8extended(n, 2)) % 100000 * interval '1 second' AS at,
	   abs(hashint8extended(n, 3)) % 4 AS e FROM generate_series(1, 60000) n;
ANALYZE oracle.event;
CREATE FUNCTION oracle.answers() RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(concat_ws(' ', u, d, t, s, i), '|' ORDER BY u)) FROM (
		SELECT u, recommender.window_funnel(at, '1 hour', steps) AS d, recommender.window_funnel_times(at, '2 hours', steps) AS t,
			   recommender.window_funnel(at, '3 hours', steps, 'strict') AS s, recommender.window_funnel_times(at, '5 hours', steps, 'increasing') AS i
		FROM (SELECT u, at, ARRAY[e = 0, e = 1, e = 2, e < 2] AS steps FROM oracle.event) e GROUP BY u) x
$$;
CREATE TEMP TABLE serial AS SELECT oracle.answers() AS answer;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE FUNCTION oracle.plan() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) SELECT u, recommender.window_funnel(at, ''1 hour'', ARRAY[e = 0, e = 1]) FROM oracle.event GROUP BY u';
END
$$;
SELECT matches(string_agg(p, E'\n'), 'Finalize.*Partial', 'workers aggregate') FROM oracle.plan() p;
SELECT is(oracle.answers(), (SELECT answer FROM serial), 'a parallel plan has the same answers');

SELECT * FROM finish();
ROLLBACK;
