/*
 * test/pgtap/tune.sql
 *	  The search for options: what it sees, what it finds, what it sets.
 *
 * The search must see nothing of the reserved interactions, so that a
 * recommender over all the others, asked by evaluate(), gives the value of
 * every trial.  What is found must be what compare_options() says of the
 * reserved part, and what is set must be what was found.
 *
 * Data is drawn from md5 of its number, so that it is the same on every run.
 * Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;

SELECT * FROM no_plan();

CREATE SCHEMA shop;

-- Numbers from 0 to below 1.
CREATE FUNCTION shop.draw(n int, i int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || left(md5(n || ' ' || i), 8))::bit(32)::bigint / 4294967296::float8
$$;

-- A hundred customers of five tastes, each of which has eight items; what is left of a basket is from a long tail.
CREATE TABLE shop.orders (user_id int, item_id text, at timestamptz, kind text);
CREATE INDEX ON shop.orders (user_id);
CREATE FUNCTION shop.fill(seed int, noise float8) RETURNS void LANGUAGE sql AS $$
	TRUNCATE shop.orders;
	INSERT INTO shop.orders
	SELECT u, CASE WHEN shop.draw(seed, u * 100 + i) < noise THEN 'tail ' || floor(150 * shop.draw(seed, u * 100 + i + 50))
				   ELSE 'taste ' || u % 5 || ' ' || floor(8 * shop.draw(seed, u * 100 + i + 50)) END,
		   '2026-01-01'::timestamptz + shop.draw(seed, u * 100 + i + 75) * interval '60 days', 'buy'
	FROM generate_series(1, 100) u, generate_series(1, 9) i
$$;
SELECT shop.fill(1, 0.4);
SELECT recommender.create_recommender('recs', 'shop.orders', time_column => 'at', event_column => 'kind', event_weights => '{"buy": 1}',
	options => '{"seen_events": ["buy"]}');

/* ------------------------------------------------------------------------
 * Trials
 * ------------------------------------------------------------------------ */

-- Lift with a single user's support believes in coincidences.
CREATE FUNCTION shop.bad_options() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT '{"measure": "lift", "min_support": 1, "weighting": "none", "truncate": "source", "blend": {"behaviour": 2, "popularity": 0, "trend": 0.01}, "kappa": 0.5}'::jsonb
$$;
SELECT recommender.set_options('recs', shop.bad_options());

CREATE TABLE shop.first AS SELECT row_number() OVER () AS nth, t.* FROM recommender.tune('recs', refinements => 0, trials => 16, sample => 10, seed => 4) t;
SELECT results_eq('SELECT stage, count(*)::int FROM shop.first GROUP BY stage ORDER BY min(nth)',
				  $$VALUES ('search, stage 1', 16), ('search, stage 2', 5), ('search, stage 3', 1), ('held out, in force', 1), ('held out, best', 1)$$, 'each stage has a third of the trials');
SELECT set_eq($$SELECT trial FROM shop.first WHERE stage = 'search, stage 1'$$, 'SELECT generate_series(0, 15)', 'all trials are tried');
SELECT results_eq($$SELECT options FROM shop.first WHERE trial < 3 AND stage = 'search, stage 1' ORDER BY nth$$,
				  $$VALUES ('{}'::jsonb), ('{"model": "neighbors", "measure": "cosine"}'), ('{"model": "neighbors", "measure": "damped_cosine", "truncate": "source", "user_exponent": 1, "source_exponent": 1, "target_exponent": 0}')$$, 'beginning with what is in force');
SELECT results_eq($$SELECT options FROM shop.first WHERE trial BETWEEN 8 AND 10 AND stage = 'search, stage 1' ORDER BY trial$$,
				  $$VALUES ('{"model": "ridge", "truncate": "target"}'::jsonb), ('{"model": "als", "measure": "damped_cosine", "weighting": "log"}'), ('{"model": "als", "weighting": "log", "blend": {"behaviour": 0}}')$$, 'each model is among the first');
SELECT results_eq($$SELECT trial FROM shop.first WHERE stage = 'search, stage 1' ORDER BY nth$$,
				  $$SELECT trial FROM shop.first WHERE stage = 'search, stage 1' ORDER BY array_position('{neighbors,als,ridge}', coalesce(options ->> 'model', 'neighbors')), trial$$, 'what trains fast is tried first');
SELECT is(count(DISTINCT options)::int, 5, 'then random ones') FROM shop.first WHERE trial >= 11 AND stage = 'search, stage 1';
SELECT ok(bool_and(users <= 10 * 3 ^ (substr(stage, 15)::int - 1) AND users > 0), 'each stage has three times the sample') FROM shop.first WHERE stage LIKE 'search%';
SELECT ok(bool_and(metric = 'ndcg' AND k = 10 AND value BETWEEN 0 AND 1 AND train_ms >= 0), 'figures') FROM shop.first;
SELECT ok(bool_and((ci_low IS NULL AND ci_high IS NULL AND p_value IS NULL) = (stage <> 'held out, best')), 'an interval of the last row alone') FROM shop.first;
SELECT ok(NOT bool_or(applied), 'nothing is set unless asked') FROM shop.first;
-- who goes on is who was best, ties to the smaller number
SELECT set_eq(format('SELECT trial FROM shop.first WHERE stage = ''search, stage %s''', stage + 1),
				  format('SELECT trial FROM shop.first WHERE stage = ''search, stage %s'' ORDER BY value DESC, trial LIMIT %s', stage, survivors), 'the best of stage ' || stage || ' go on')
FROM (VALUES (1, 5), (2, 1)) s (stage, survivors);
SELECT is((SELECT trial FROM shop.first WHERE stage = 'held out, best'), (SELECT trial FROM shop.first WHERE stage = 'search, stage 3' ORDER BY value DESC, trial LIMIT 1), 'the best of the last stage is held out');

/* ------------------------------------------------------------------------
 * What the search sees
 * ------------------------------------------------------------------------ */

-- A recommender over what is not reserved, in the same options, evaluated by the same split, gives each trial's value.
CREATE TABLE shop.rest (LIKE shop.orders);
CREATE INDEX ON shop.rest (user_id);
SELECT recommender.create_recommender('rest', 'shop.rest', time_column => 'at', event_column => 'kind', event_weights => '{"buy": 1}', options => '{"seen_events": ["buy"]}');
CREATE FUNCTION shop.search_difference(trials shop.first[], split text, test_share float8, last int, sample int, seed bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.trial, t.stage, t.value, t.users, 'not', e.value, e.users), E'\n')
	FROM unnest(trials) t, recommender.evaluate('rest', split => split, test_share => test_share, last => last, k => '{10}', metrics => '{ndcg}', options => t.options,
												sample => (sample * 3 ^ (substr(t.stage, 15)::int - 1))::int, resamples => 0, seed => seed, store => false) e
	WHERE t.stage LIKE 'search%' AND e.strategy = 'recommender' AND e.segment = 'all' AND e.metric = 'ndcg'
	  AND (abs(t.value - e.value) < 1e-12 AND t.users = e.users) IS NOT TRUE
$$;
SELECT recommender.set_options('rest', shop.bad_options());
INSERT INTO shop.rest SELECT * FROM shop.orders ORDER BY at LIMIT 720;
SELECT is(shop.search_difference(ARRAY(SELECT f FROM shop.first f), 'time', 0.2, 1, 10, 4), NULL, 'trials know what is not reserved, split by time');

CREATE TABLE shop.by_last AS SELECT row_number() OVER () AS nth, t.* FROM recommender.tune('recs', refinements => 0, trials => 9, split => 'leave_last', last => 2, sample => 30, seed => 5) t;
DELETE FROM shop.rest;
INSERT INTO shop.rest SELECT user_id, item_id, at, kind FROM (SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY at DESC, item_id DESC) AS nth FROM shop.orders) o WHERE nth > 2;
SELECT is(shop.search_difference(ARRAY(SELECT f::text::shop.first FROM shop.by_last f), 'leave_last', 0.2, 2, 30, 5), NULL, 'and the last ones left out');
SELECT ok(min(users) > 0 AND max(users) <= 100, 'and at random') FROM recommender.tune('recs', refinements => 0, trials => 3, split => 'random') WHERE stage LIKE 'search%';
SELECT ok(min(users) > 0 AND max(users) <= 100, 'and by users') FROM recommender.tune('recs', refinements => 0, trials => 3, split => 'users', test_share => 0.5) WHERE stage LIKE 'search%';

-- What was held out is what compare_options() says of the reserved part.
SELECT results_eq($$SELECT value, users, ci_low, ci_high, p_value FROM shop.first WHERE stage = 'held out, best'$$,
				  $$SELECT c.value_b, c.users, c.ci_low, c.ci_high, c.p_value FROM shop.first f, recommender.compare_options('recs', '{}', f.options, seed => 4) c WHERE f.stage = 'held out, best'$$, 'the reserved part');
SELECT results_eq($$SELECT a.value, b.value FROM shop.by_last a, shop.by_last b WHERE a.stage = 'held out, in force' AND b.stage = 'held out, best'$$,
				  $$SELECT c.value_a, c.value_b FROM shop.by_last f, recommender.compare_options('recs', '{}', f.options, split => 'leave_last', last => 2, seed => 5) c WHERE f.stage = 'held out, best'$$,
				  'of another split');

-- A leak: customers of the first taste take to one of the tail at the end.  The search does not learn of it.
CREATE FUNCTION shop.fresh(seed bigint, metric text DEFAULT 'ndcg', k int DEFAULT 10, trials int DEFAULT 16) RETURNS TABLE (stage text, trial int, options jsonb, value float8, users bigint, p_value float8) LANGUAGE sql AS $$
	DELETE FROM recs.trial;
	SELECT t.stage, t.trial, t.options, t.value, t.users, t.p_value FROM recommender.tune('recs', trials => trials, refinements => 0, sample => 10, seed => seed, metric => metric, k => k) t
$$;
CREATE TABLE shop.reserved AS SELECT ctid AS row, * FROM shop.orders WHERE at >= (SELECT at FROM shop.orders ORDER BY at OFFSET 720 LIMIT 1);
CREATE TABLE shop.before AS SELECT * FROM shop.fresh(4);
UPDATE shop.orders SET item_id = CASE WHEN user_id % 5 = 0 THEN 'tail 1' ELSE 'unheard of' END WHERE at IN (SELECT at FROM shop.reserved);
CREATE TABLE shop.after AS SELECT * FROM shop.fresh(4);
SELECT results_eq($$SELECT * FROM shop.after WHERE stage LIKE 'search%'$$, $$SELECT * FROM shop.before WHERE stage LIKE 'search%'$$, 'the search is the same whatever is reserved');
SELECT results_ne($$SELECT value FROM shop.after WHERE stage LIKE 'held out%'$$, $$SELECT value FROM shop.before WHERE stage LIKE 'held out%'$$, 'what is held out is not');
UPDATE shop.orders o SET item_id = r.item_id FROM shop.reserved r WHERE r.user_id = o.user_id AND r.at = o.at;

/* ------------------------------------------------------------------------
 * Again
 * ------------------------------------------------------------------------ */

CREATE VIEW shop.trials AS SELECT settings, sample, options, value, users, train_ms FROM recs.trial;

SELECT results_eq('SELECT * FROM shop.fresh(4)', 'TABLE shop.before', 'the same seed, the same search');
SELECT results_ne('SELECT options FROM shop.fresh(5) WHERE trial = 11', 'SELECT options FROM shop.before WHERE trial = 11', 'another seed, other trials');
SELECT is((SELECT array_agg(value ORDER BY trial) FROM shop.fresh(4, trials => 30) WHERE stage = 'search, stage 1' AND trial < 16),
		  (SELECT array_agg(value ORDER BY trial) FROM shop.before WHERE stage = 'search, stage 1'), 'with more trials the first ones are the same');

-- What was measured is not measured again: a stored value is believed, though it be wrong.
DELETE FROM recs.trial;
CREATE TABLE shop.once AS SELECT * FROM recommender.tune('recs', refinements => 0, trials => 9, sample => 10, seed => 4);
CREATE TABLE shop.stored AS TABLE shop.trials;
SELECT set_eq('SELECT DISTINCT value, users, train_ms FROM shop.stored', $$SELECT DISTINCT value, users, train_ms FROM shop.once WHERE stage LIKE 'search%'$$, 'trials are stored');
SELECT set_eq('SELECT DISTINCT sample FROM shop.stored', 'VALUES (10), (30), (90)', 'by the sample they were tried on');
SELECT results_eq($$SELECT stage, trial, options, value, users, train_ms FROM recommender.tune('recs', refinements => 0, trials => 9, sample => 10, seed => 4) WHERE stage LIKE 'search%'$$,
				  $$SELECT stage, trial, options, value, users, train_ms FROM shop.once WHERE stage LIKE 'search%'$$, 'a second time all is known');
SELECT set_eq('TABLE shop.trials', 'TABLE shop.stored', 'and stored once');
CREATE TABLE shop.more AS SELECT * FROM recommender.tune('recs', refinements => 0, trials => 20, sample => 10, seed => 4);
SELECT results_eq($$SELECT trial, value, train_ms FROM shop.more WHERE stage = 'search, stage 1' AND trial < 9$$,
				  $$SELECT trial, value, train_ms FROM shop.once WHERE stage = 'search, stage 1' AND trial < 9$$, 'a longer search goes on where the first one ended');
SELECT set_has('TABLE shop.trials', 'TABLE shop.stored', 'keeps what there is');
SELECT is_empty('SELECT settings, sample, options FROM recs.trial GROUP BY 1, 2, 3 HAVING count(*) > 1', 'and nothing twice');
UPDATE recs.trial SET value = 2 WHERE sample = 10 AND options ->> 'measure' = 'llr';
SELECT is(max(value), 2::float8, 'a stored value is believed') FROM recommender.tune('recs', refinements => 0, trials => 9, sample => 10, seed => 4);
-- ... of the same question alone: another metric, k, split, share, seed, sample or other data
SELECT ok(max(value) <= 1, 'but not of ' || arguments)
FROM (VALUES ('another metric'), ('another k'), ('another split'), ('another share'), ('another seed'), ('another sample')) a (arguments),
	 recommender.tune('recs', refinements => 0, trials => 8, sample => CASE WHEN arguments = 'another sample' THEN 11 ELSE 10 END, seed => CASE WHEN arguments = 'another seed' THEN 44 ELSE 4 END,
					  metric => CASE WHEN arguments = 'another metric' THEN 'recall' ELSE 'ndcg' END, k => CASE WHEN arguments = 'another k' THEN 9 ELSE 10 END,
					  split => CASE WHEN arguments = 'another split' THEN 'leave_last' ELSE 'time' END, test_share => CASE WHEN arguments = 'another share' THEN 0.25 ELSE 0.2 END)
GROUP BY arguments;
UPDATE shop.orders SET item_id = 'taste 1 1' WHERE user_id = 7;
SELECT ok(max(value) <= 1, 'but not of other items') FROM recommender.tune('recs', refinements => 0, trials => 8, sample => 10, seed => 4);
UPDATE recs.trial SET value = 2;
SELECT recommender.add_interactions('recs', 'shop.orders', time_column => 'at', event_column => 'kind', event_weights => '{"buy": 3}');
SELECT ok(max(value) <= 1, 'but not of other weights') FROM recommender.tune('recs', refinements => 0, trials => 8, sample => 10, seed => 4);

/* ------------------------------------------------------------------------
 * A budget
 * ------------------------------------------------------------------------ */

DELETE FROM recs.trial;
SELECT is_empty($$SELECT * FROM recommender.tune('recs', refinements => 0, trials => 100, budget => '0 seconds')$$, 'without time nothing is tried');
SELECT is_empty($$SELECT * FROM recommender.tune('recs', refinements => 0, trials => 100, budget => '-1 day')$$, 'nor with less');
SELECT is_empty('TABLE recs.trial', 'or stored');
CREATE TABLE shop.plenty AS SELECT * FROM recommender.tune('recs', refinements => 0, trials => 9, sample => 10, seed => 4, budget => '1 hour');
SELECT is(count(*)::int, 9 + 3 + 1 + 2, 'with time enough all are') FROM shop.plenty;
SELECT results_eq($$SELECT stage, trial, options, value, users FROM recommender.tune('recs', refinements => 0, trials => 9, sample => 10, seed => 4, budget => '0 seconds')$$,
				  'SELECT stage, trial, options, value, users FROM shop.plenty', 'what is known takes no time');
-- a search that ends early tells the best of what it knows
DELETE FROM recs.trial WHERE sample > 10;
SELECT results_eq($$SELECT stage, trial FROM recommender.tune('recs', refinements => 0, trials => 9, sample => 10, seed => 4, budget => '0 seconds') WHERE stage <> 'search, stage 1'$$,
				  $$(SELECT 'held out, in force', 0) UNION ALL (SELECT 'held out, best', trial FROM shop.plenty WHERE stage = 'search, stage 1' ORDER BY value DESC, trial LIMIT 1)$$, 'time for one stage');

/* ------------------------------------------------------------------------
 * What is set
 * ------------------------------------------------------------------------ */

CREATE VIEW shop.options AS SELECT options FROM recommender.recommenders WHERE name = 'recs';

SELECT shop.fill(1, 0.4);
CREATE TABLE shop.options_before AS TABLE shop.options;
CREATE TABLE shop.applied AS SELECT * FROM recommender.tune('recs', trials => 25, seed => 2, apply => true);
SELECT ok(b.value > f.value AND b.p_value <= 0.05 AND b.ci_low > 0, format('a real improvement, from %s to %s', f.value, b.value))
FROM shop.applied f, shop.applied b WHERE f.stage = 'held out, in force' AND b.stage = 'held out, best';
SELECT results_eq('SELECT stage FROM shop.applied WHERE applied', $$VALUES ('held out, best')$$, 'is set');
SELECT is(o.options - 'blend', (b.options - 'blend') || (a.options - 'blend'), 'the options are those of the best trial, the others stay')
FROM shop.options o, shop.options_before b, shop.applied a WHERE a.applied;
SELECT is(o.options -> 'blend', (b.options -> 'blend') || coalesce(a.options -> 'blend', '{}'), 'and so do the weights of a blend')
FROM shop.options o, shop.options_before b, shop.applied a WHERE a.applied;
SELECT is(e.value, a.value, 'what is set gives what was measured')
FROM shop.applied a, recommender.evaluate('recs', k => '{10}', metrics => '{ndcg}', store => false) e WHERE a.applied AND e.strategy = 'recommender' AND e.segment = 'all' AND e.metric = 'ndcg';
-- a trial with a blend of its own
SELECT recommender.set_options('recs', '{"blend": {"behaviour": 0.2, "popularity": 1, "trend": 0.001}, "kappa": 1000}');
TRUNCATE shop.options_before, shop.applied;
INSERT INTO shop.options_before TABLE shop.options;
INSERT INTO shop.applied SELECT * FROM recommender.tune('recs', trials => 40, seed => 0, apply => true);
SELECT results_eq('SELECT stage FROM shop.applied WHERE applied AND options ? ''blend''', $$VALUES ('held out, best')$$, 'a trial with a blend is set');
SELECT is(o.options, b.options || a.options || jsonb_build_object('blend', (b.options -> 'blend') || (a.options -> 'blend')), format('as it was tried: %s', a.options -> 'blend'))
FROM shop.options o, shop.options_before b, shop.applied a WHERE a.applied;
SELECT is(e.value, a.value, 'and gives what was measured')
FROM shop.applied a, recommender.evaluate('recs', k => '{10}', metrics => '{ndcg}', store => false) e WHERE a.applied AND e.strategy = 'recommender' AND e.segment = 'all' AND e.metric = 'ndcg';
SELECT is(generation, 0::bigint, 'the model waits for a refresh') FROM recommender.recommenders WHERE name = 'recs';
-- what is best already stays
TRUNCATE shop.options_before;
INSERT INTO shop.options_before TABLE shop.options;
SELECT ok(count(*) > 0 AND NOT bool_or(applied), 'the same search finds no better a second time') FROM recommender.tune('recs', trials => 1, apply => true);
SELECT results_eq('TABLE shop.options', 'TABLE shop.options_before', 'and sets nothing');

-- Where nobody has a taste, the best of a search is the luckiest; it is not set, but for a mistake in forty.
CREATE FUNCTION shop.is_applied(n int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE shop.orders;
	INSERT INTO shop.orders SELECT u, 'item ' || floor(25 * shop.draw(n, u * 10 + i)), '2026-01-01'::timestamptz + shop.draw(n + 1000, u * 10 + i) * interval '60 days', 'buy'
	FROM generate_series(1, 80) u, generate_series(1, 6) i;
	RETURN (SELECT bool_or(applied) FROM recommender.tune('recs', trials => 12, seed => n, apply => true, resamples => 100));
END $$;
SELECT recommender.set_options('recs', '{"measure": "cosine", "blend": null, "kappa": null}');
TRUNCATE shop.options_before;
INSERT INTO shop.options_before TABLE shop.options;
SELECT is(count(*) FILTER (WHERE shop.is_applied(n))::int, 0, 'luck is not set') FROM generate_series(1, 10) n;
SELECT results_eq('TABLE shop.options', 'TABLE shop.options_before', 'the options are as they were');

-- The owner alone.
CREATE ROLE rec_reader;
GRANT USAGE ON SCHEMA shop, recs TO rec_reader;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA shop, recs TO rec_reader;
SET LOCAL ROLE rec_reader;
SELECT throws_ok('SELECT * FROM recommender.tune(''recs'')', '42501', 'must be owner of recommender recs', 'only the owner tunes');
RESET ROLE;

/* ------------------------------------------------------------------------
 * Errors
 * ------------------------------------------------------------------------ */

SELECT throws_ok(format('SELECT * FROM recommender.tune(''recs'', %s)', arguments), code, message, arguments) FROM (VALUES
	('trials => 0', '22023', 'trials must be between 1 and 100000'),
	('trials => 100001', '22023', 'trials must be between 1 and 100000'),
	('trials => NULL', '22004', 'argument 2 must not be null'),
	('metric => ''ndgc''', '22023', 'metric "ndgc" does not exist'),
	('metric => ''ndcg@10''', '22023', 'metric "ndcg@10" does not exist'),
	('metric => NULL', '22004', 'argument 4 must not be null'),
	('k => 0', '22023', 'k must be between 1 and 10000'),
	('k => 10001', '22023', 'k must be between 1 and 10000'),
	('k => NULL', '22004', 'argument 5 must not be null'),
	('split => ''tim''', '22023', 'split "tim" does not exist'),
	('split => NULL', '22004', 'argument 6 must not be null'),
	('test_share => 0', '22023', 'test_share must be between 0 and 1, without either'),
	('test_share => 1', '22023', 'test_share must be between 0 and 1, without either'),
	('test_share => ''NaN''', '22023', 'test_share must be between 0 and 1, without either'),
	('test_share => NULL', '22004', 'argument 7 must not be null'),
	('last => 0', '22023', 'last must be between 1 and 10000'),
	('last => NULL', '22004', 'argument 8 must not be null'),
	('sample => 0', '22023', 'sample must be between 1 and 2147483647'),
	('sample => NULL', '22004', 'argument 9 must not be null'),
	('resamples => 0', '22023', 'resamples must be between 1 and 100000'),
	('resamples => NULL', '22004', 'argument 10 must not be null'),
	('seed => NULL', '22004', 'argument 11 must not be null'),
	('apply => NULL', '22004', 'argument 12 must not be null'),
	('context => NULL', '22004', 'argument 13 must not be null'),
	('models => NULL', '22004', 'argument 14 must not be null'),
	('models => ''{}''', '22023', 'models must not be empty'),
	('models => ''{rigde}''', '22023', 'model "rigde" does not exist'),
	('models => ''{als,NULL}''', '22004', 'models must not contain null'),
	('refinements => -1', '22023', 'refinements must be between 0 and 100000'),
	('refinements => NULL', '22004', 'argument 15 must not be null')) e (arguments, code, message);
SELECT throws_ok('SELECT * FROM recommender.tune(NULL)', '22004', 'argument 1 must not be null', 'no recommender');
SELECT throws_ok('SELECT * FROM recommender.tune(''rics'')', '42704', 'recommender "rics" does not exist', 'not this one');

-- Interactions of which nothing can be learnt.
TRUNCATE shop.orders;
SELECT ok(NOT bool_or(applied) AND max(users) = 0 AND max(value) = 0 AND NOT bool_or(stage LIKE 'held out%'), 'no interactions') FROM recommender.tune('recs', trials => 3, apply => true);
INSERT INTO shop.orders SELECT 1, 'item ' || n, '2026-01-01'::timestamptz + n * interval '1 day', 'buy' FROM generate_series(1, 10) n;
SELECT ok(NOT bool_or(applied) AND max(users) = 1 AND max(value) = 0 AND max(p_value) = 1, 'one user: ' || split) FROM unnest('{time,leave_last}'::text[]) split, recommender.tune('recs', trials => 3, apply => true, split => split) GROUP BY split;
UPDATE shop.orders SET at = NULL;
SELECT throws_ok('SELECT * FROM recommender.tune(''recs'')', '55000', 'the interactions have no times to split them by', 'no times');

-- A search can be cancelled, and has stored nothing then.
CREATE FUNCTION shop.is_cancelled(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE started timestamptz := clock_timestamp();
BEGIN
	EXECUTE query;
	RETURN false;
EXCEPTION WHEN query_canceled THEN RETURN clock_timestamp() < started + '1 second';
END $$;
SELECT shop.fill(3, 0.4);
DELETE FROM recs.trial;
SET LOCAL statement_timeout = '50ms';
SELECT ok(shop.is_cancelled($$SELECT * FROM recommender.tune('recs', trials => 20000)$$), 'a search can be cancelled');
RESET statement_timeout;
SELECT is_empty('TABLE recs.trial', 'and leaves nothing');

SELECT * FROM finish();
ROLLBACK;
