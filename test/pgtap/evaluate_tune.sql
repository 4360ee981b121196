/*
 * test/pgtap/evaluate_tune.sql
 *	  tune(): the data it uses, the trials it finds, the options it sets.
 *
 * The search must not use the reserved interactions, so that evaluate() on a
 * recommender over all others returns the value of every trial.  The result must
 * be that of compare_options() on the reserved test set, and the options set must
 * be those of the best trial.
 *
 * Data is drawn from md5 of its number, so that it is equal on every run.  Leaves
 * nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;

SELECT plan(173);

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

-- Lift with min_support 1 overfits to coincidences.
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
SELECT is(count(DISTINCT options)::int, 4, 'then random ones') FROM shop.first WHERE trial >= 12 AND stage = 'search, stage 1';
SELECT ok(bool_and(users <= 10 * 3 ^ (substr(stage, 15)::int - 1) AND users > 0), 'each stage has three times the sample') FROM shop.first WHERE stage LIKE 'search%';
SELECT ok(bool_and(metric = 'ndcg' AND k = 10 AND value BETWEEN 0 AND 1 AND train_ms >= 0), 'figures') FROM shop.first;
SELECT ok(bool_and((ci_low IS NULL AND ci_high IS NULL AND p_value IS NULL) = (stage <> 'held out, best')), 'an interval of the last row alone') FROM shop.first;
SELECT ok(NOT bool_or(applied), 'nothing is set unless asked') FROM shop.first;
-- the best trials survive, of ties the smaller number
SELECT set_eq(format('SELECT trial FROM shop.first WHERE stage = ''search, stage %s''', stage + 1),
				  format('SELECT trial FROM shop.first WHERE stage = ''search, stage %s'' ORDER BY value DESC, trial LIMIT %s', stage, survivors), 'the best of stage ' || stage || ' go on')
FROM (VALUES (1, 5), (2, 1)) s (stage, survivors);
SELECT is((SELECT trial FROM shop.first WHERE stage = 'held out, best'), (SELECT trial FROM shop.first WHERE stage = 'search, stage 3' ORDER BY value DESC, trial LIMIT 1), 'the best of the last stage is held out');

/* ------------------------------------------------------------------------
 * What there is to choose from
 * ------------------------------------------------------------------------ */

-- Options of a configuration without effect, or missing although another needs them, for a recommender with default options.
CREATE FUNCTION shop.nonsense(options jsonb, has_content boolean, has_context boolean, has_events boolean) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(k, ', ' ORDER BY k) FROM (
		SELECT coalesce(options ->> 'model', 'neighbors') AS model, coalesce(options ->> 'measure', 'damped_cosine') AS measure,
			   coalesce(options -> 'blend' ->> 'behaviour', '1')::float8 AS behaviour, coalesce(options -> 'blend' ->> 'content', '0.3')::float8 AS content) s,
		LATERAL (SELECT model = 'neighbors' OR model = 'als' AND behaviour > 0 AS compares) c,
		LATERAL (SELECT 'blend ' || key FROM jsonb_each(options -> 'blend') UNION ALL SELECT key FROM jsonb_object_keys(options - 'blend') o (key)) o (k)
	WHERE NOT coalesce(CASE
		WHEN k IN ('model', 'weighting', 'max_history', 'history', 'kappa', 'half_life', 'blend popularity', 'blend trend') THEN true
		WHEN k IN ('measure', 'shrinkage') THEN compares
		WHEN k IN ('neighbors', 'min_support', 'truncate') THEN compares OR model = 'ridge'
		WHEN k IN ('source_exponent', 'target_exponent') THEN compares AND measure = 'damped_cosine'
		WHEN k = 'user_exponent' THEN compares AND measure = 'damped_cosine' OR model = 'ridge'
		WHEN k LIKE 'tversky%' THEN compares AND measure = 'tversky'
		WHEN k LIKE 'ridge%' THEN model = 'ridge'
		WHEN k LIKE 'als%' OR k IN ('blend behaviour', 'blend factors') THEN model = 'als'
		WHEN k = 'blend content' THEN has_content
		WHEN k = 'item_kappa' THEN has_content AND content > 0
		WHEN k = 'blend context' THEN has_context
		WHEN k = 'event_weights' THEN has_events END, false)
$$;
SELECT is(shop.nonsense('{"model": "als", "blend": {"behaviour": 0, "content": 1}, "user_exponent": 1, "ridge_lambda": 5, "item_kappa": 1, "exclude_seen": false}', false, false, false),
		  'blend content, exclude_seen, item_kappa, ridge_lambda, user_exponent', 'the test finds nonsense');
SELECT recommender.set_options('recs', (SELECT jsonb_object_agg(key, NULL) FROM jsonb_object_keys(shop.bad_options()) AS key));
CREATE TABLE shop.many AS SELECT t.* FROM recommender.tune('recs', trials => 120, refinements => 40, sample => 1, seed => 9, resamples => 1) t;
SELECT set_eq($$SELECT options ->> 'model' FROM shop.many WHERE stage = 'search, stage 1' AND trial >= 12$$, $$VALUES ('neighbors'), ('ridge'), ('als')$$, 'all models are tried');
SELECT is_empty('SELECT shop.nonsense(options, false, false, false), options FROM shop.many WHERE shop.nonsense(options, false, false, false) IS NOT NULL', 'nothing that makes no sense is named');
SELECT set_eq($$SELECT DISTINCT o.named FROM shop.many, LATERAL (SELECT 'blend ' || key FROM jsonb_object_keys(options -> 'blend') b (key) UNION ALL SELECT key FROM jsonb_object_keys(options - 'blend') o (key)) o (named)$$,
			  $$SELECT unnest('{model,measure,weighting,neighbors,min_support,shrinkage,truncate,user_exponent,source_exponent,target_exponent,tversky_alpha,tversky_beta,
				max_history,history,kappa,half_life,ridge_lambda,ridge_damping,ridge_candidates,als_factors,als_iterations,als_unobserved,als_regularization,als_exponent,
				blend behaviour,blend factors,blend popularity,blend trend}'::text[])$$, 'and all of the rest is tried');
CREATE TABLE shop.als AS SELECT t.* FROM recommender.tune('recs', trials => 113, refinements => 0, sample => 1, seed => 9, resamples => 1, models => '{als}') t WHERE stage = 'search, stage 1';
SELECT is_empty($$SELECT * FROM shop.als WHERE trial > 0 AND options ->> 'model' <> 'als'$$, 'or the models that are asked for alone');
SELECT results_eq($$SELECT options FROM shop.als WHERE trial BETWEEN 1 AND 2 ORDER BY trial$$, $$SELECT options FROM shop.many WHERE trial BETWEEN 9 AND 10 AND stage = 'search, stage 1' ORDER BY trial$$, 'of the known settings theirs');
-- eight known configurations fewer, so that random configuration n is trial n - 8
SELECT is_empty($$SELECT a.options, m.options FROM shop.many m JOIN shop.als a ON a.trial = m.trial - 8 WHERE m.stage = 'search, stage 1' AND m.trial >= 12 AND m.options ->> 'model' = 'als' AND a.options <> m.options$$,
				'and the random settings of one do not depend on the others');
SELECT ok(count(*) > 20, 'of which there are some') FROM shop.many m JOIN shop.als a ON a.trial = m.trial - 8 AND a.options = m.options WHERE m.stage = 'search, stage 1' AND m.options ->> 'model' = 'als';
-- in force: a measure without weighting, or factors alone; no trial has invalid options or nothing to recommend by
SELECT ok(count(*) FILTER (WHERE stage = 'search, stage 1') = 60, 'where the options in force are ' || name)
FROM (VALUES ('of ratings', '{"measure": "adjusted_cosine", "weighting": "none"}'), ('factors alone', '{"model": "als", "blend": {"behaviour": 0}}'), ('tfidf', '{"weighting": "tfidf"}')) o (name, options),
	 LATERAL (SELECT recommender.set_options('recs', '{"model": null, "measure": null, "weighting": null, "blend": null}'::jsonb || options::jsonb) IS NOT NULL AS is_set) s,
	 LATERAL (SELECT * FROM recommender.tune('recs', trials => CASE WHEN is_set THEN 60 END, refinements => 20, sample => 1, seed => 9, resamples => 1)) t GROUP BY name;
SELECT recommender.set_options('recs', '{"model": "als", "measure": null, "weighting": null, "blend": {"behaviour": 0}}');
SELECT is_empty($$SELECT options FROM recommender.tune('recs', trials => 40, refinements => 0, sample => 1, seed => 9, resamples => 1) t
				  WHERE options ->> 'model' <> 'als' AND stage = 'search, stage 1' AND (options -> 'blend' ->> 'behaviour') IS DISTINCT FROM '1'$$, 'who has neighbours alone listens to them');
SELECT recommender.set_options('recs', '{"model": null, "blend": null}');

/* ------------------------------------------------------------------------
 * Refinement
 * ------------------------------------------------------------------------ */

SELECT shop.fill(1, 0.4);
CREATE TABLE shop.fine AS SELECT row_number() OVER () AS nth, t.* FROM recommender.tune('recs', trials => 12, refinements => 20, sample => 10, seed => 3) t;
SELECT results_eq($$SELECT trial FROM shop.fine WHERE stage = 'refinement' ORDER BY nth$$, 'SELECT generate_series(12, 31)', 'refinements have the next numbers');
SELECT set_eq($$SELECT DISTINCT users FROM shop.fine WHERE stage = 'refinement'$$, $$SELECT DISTINCT users FROM shop.fine WHERE stage = 'search, stage 3'$$, 'are measured on the users of the last stage');
-- each is a mutation of the best so far; a tie does not replace it
CREATE FUNCTION shop.flat(options jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT (options - 'blend') || coalesce((SELECT jsonb_object_agg('blend ' || key, value) FROM jsonb_each(options -> 'blend')), '{}')
$$;
CREATE TABLE shop.steps AS
SELECT r.nth, r.trial, shop.flat(r.options) AS options, shop.flat(b.options) AS best,
	   ARRAY(SELECT key FROM (SELECT key, value FROM jsonb_each(shop.flat(r.options)) UNION SELECT key, value FROM jsonb_each(shop.flat(b.options))) u GROUP BY key
			 HAVING count(*) > 1 OR NOT shop.flat(b.options) ? key) AS changed
FROM shop.fine r, LATERAL (SELECT * FROM shop.fine p WHERE p.nth < r.nth AND (p.stage = 'refinement' OR p.stage = (SELECT max(stage) FROM shop.fine WHERE stage LIKE 'search%'))
						   ORDER BY value DESC, trial LIMIT 1) b
WHERE r.stage = 'refinement';
SELECT is_empty('SELECT * FROM shop.steps WHERE cardinality(changed) NOT BETWEEN 1 AND 2', 'each changes one thing or two of the best so far');
SELECT is_empty($$SELECT * FROM shop.steps WHERE trial < 22 AND changed && '{history,kappa,blend popularity,blend trend}' OR trial >= 22 AND NOT changed <@ '{history,kappa,blend popularity,blend trend,blend factors,blend behaviour}'$$,
				'first in how a model is built, then in how it is served');
SELECT ok(count(DISTINCT best) > 1, 'what is better is gone on from') FROM shop.steps;
SELECT is_empty('SELECT options FROM shop.steps GROUP BY options HAVING count(*) > 1', 'nothing is tried twice');
SELECT is((SELECT trial FROM shop.fine WHERE stage = 'held out, best'), (SELECT trial FROM shop.fine WHERE stage IN ('search, stage 3', 'refinement') ORDER BY value DESC, trial LIMIT 1), 'the best of all is held out');
SELECT results_eq($$SELECT stage, trial, options, value, users FROM recommender.tune('recs', trials => 12, refinements => 20, sample => 10, seed => 3, budget => '0 seconds')$$,
				  'SELECT stage, trial, options, value, users FROM shop.fine ORDER BY nth', 'refinements are remembered');
-- but a search that is out of time does not look for more of them
SET statement_timeout = '20 s';
SELECT lives_ok($$SELECT count(*) FROM recommender.tune('recs', trials => 12, refinements => 100000, sample => 10, seed => 3, budget => '0 seconds')$$, 'a budget ends the refinements, too');
RESET statement_timeout;
DELETE FROM recs.trial;
SELECT results_eq($$SELECT stage, trial, options, value, users FROM recommender.tune('recs', trials => 12, refinements => 20, sample => 10, seed => 3)$$,
				  'SELECT stage, trial, options, value, users FROM shop.fine ORDER BY nth', 'and come out the same again');
SELECT is_empty($$SELECT * FROM recommender.tune('recs', trials => 12, refinements => 10, sample => 10, seed => 3) t JOIN shop.fine f USING (stage, trial)
				  WHERE stage = 'refinement' AND trial < 17 AND (t.value, t.options) IS DISTINCT FROM (f.value, f.options)$$, 'fewer of them begin the same way');

/* ------------------------------------------------------------------------
 * What the search sees
 * ------------------------------------------------------------------------ */

-- A recommender over the rows not reserved, with a trial's options and evaluated on the search's split, has the trial's value.
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
SELECT recommender.set_options('recs', shop.bad_options()), recommender.set_options('rest', shop.bad_options());
INSERT INTO shop.rest SELECT * FROM shop.orders ORDER BY at LIMIT 720;
SELECT is(shop.search_difference(ARRAY(SELECT f FROM shop.first f), 'time', 0.2, 1, 10, 4), NULL, 'trials know what is not reserved, split by time');
-- refinements too, of which the second half is served by a model that was trained before
SELECT is(count(*)::int, 20, 'there are refinements') FROM shop.fine WHERE stage = 'refinement';
SELECT recommender.set_options('rest', (SELECT jsonb_object_agg(key, NULL) FROM jsonb_object_keys(shop.bad_options()) AS key));
SELECT is_empty($$
	SELECT t.trial, t.value, e.value FROM shop.fine t, recommender.evaluate('rest', k => '{10}', metrics => '{ndcg}', options => t.options, sample => 90, resamples => 0, seed => 3, store => false) e
	WHERE t.stage = 'refinement' AND e.strategy = 'recommender' AND e.segment = 'all' AND e.metric = 'ndcg' AND (abs(t.value - e.value) < 1e-12 AND t.users = e.users) IS NOT TRUE$$, 'and so do refinements');
SELECT recommender.set_options('rest', shop.bad_options());

CREATE TABLE shop.by_last AS SELECT row_number() OVER () AS nth, t.* FROM recommender.tune('recs', refinements => 0, trials => 9, split => 'leave_last', last => 2, sample => 30, seed => 5) t;
DELETE FROM shop.rest;
INSERT INTO shop.rest SELECT user_id, item_id, at, kind FROM (SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY at DESC, item_id DESC) AS nth FROM shop.orders) o WHERE nth > 2;
SELECT is(shop.search_difference(ARRAY(SELECT f::text::shop.first FROM shop.by_last f), 'leave_last', 0.2, 2, 30, 5), NULL, 'and the last ones left out');
SELECT ok(min(users) > 0 AND max(users) <= 100, 'and at random') FROM recommender.tune('recs', refinements => 0, trials => 3, split => 'random') WHERE stage LIKE 'search%';
SELECT ok(min(users) > 0 AND max(users) <= 100, 'and by users') FROM recommender.tune('recs', refinements => 0, trials => 3, split => 'users', test_share => 0.5) WHERE stage LIKE 'search%';

-- The held-out rows are those of compare_options() on the reserved test set.
SELECT results_eq($$SELECT value, users, ci_low, ci_high, p_value FROM shop.first WHERE stage = 'held out, best'$$,
				  $$SELECT c.value_b, c.users, c.ci_low, c.ci_high, c.p_value FROM shop.first f, recommender.compare_options('recs', '{}', f.options, seed => 4) c WHERE f.stage = 'held out, best'$$, 'the reserved part');
SELECT results_eq($$SELECT a.value, b.value FROM shop.by_last a, shop.by_last b WHERE a.stage = 'held out, in force' AND b.stage = 'held out, best'$$,
				  $$SELECT c.value_a, c.value_b FROM shop.by_last f, recommender.compare_options('recs', '{}', f.options, split => 'leave_last', last => 2, seed => 5) c WHERE f.stage = 'held out, best'$$,
				  'of another split');

-- A leak: customers of the first taste choose one tail item at the end.  The search does not use it.
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
SELECT results_ne('SELECT options FROM shop.fresh(5) WHERE trial = 12', 'SELECT options FROM shop.before WHERE trial = 12', 'another seed, other trials');
SELECT is((SELECT array_agg(value ORDER BY trial) FROM shop.fresh(4, trials => 30) WHERE stage = 'search, stage 1' AND trial < 16),
		  (SELECT array_agg(value ORDER BY trial) FROM shop.before WHERE stage = 'search, stage 1'), 'with more trials the first ones are the same');

-- Stored values are not computed again: a wrong one is used.
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
-- ... only under equal conditions: not with another metric, k, split, share, seed, sample or other data
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
-- a trial that would exceed the time budget is not started: exact ridge regression of 3,000 items
CREATE TABLE shop.long AS SELECT u AS user_id, 'item ' || (u * 37 + i * 101) % 3000 AS item_id, '2026-01-01'::timestamptz + i * interval '1 day' AS at FROM generate_series(1, 400) u, generate_series(1, 10) i;
CREATE INDEX ON shop.long (user_id);
SELECT recommender.create_recommender('long', 'shop.long', time_column => 'at');
SELECT is_empty($$SELECT * FROM recommender.tune('long', trials => 11, refinements => 0, sample => 1, budget => '10 seconds') WHERE options ->> 'model' = 'ridge'$$, 'what takes too long is left out');
SELECT set_has($$SELECT trial FROM recommender.tune('long', trials => 11, refinements => 0, sample => 1, budget => '0 seconds') WHERE stage = 'search, stage 1'$$, 'SELECT generate_series(0, 7)', 'the rest is not');
-- nor one that exceeds the memory, which is reported
SET LOCAL maintenance_work_mem = '20MB';
SELECT set_eq($$SELECT trial FROM recommender.tune('long', trials => 11, refinements => 0, sample => 1) WHERE stage = 'search, stage 1'$$, 'SELECT generate_series(0, 10) EXCEPT VALUES (8)', 'what does not fit into memory is left out');
SELECT recommender.set_options('long', '{"model": "ridge"}');
SELECT throws_ok($$SELECT * FROM recommender.tune('long', trials => 11, refinements => 0, sample => 1)$$, '53400', 'the data do not fit into maintenance_work_mem', 'but for what is in force');
RESET maintenance_work_mem;
SELECT recommender.drop_recommender('long');
-- a search that ends early returns the best trial so far
DELETE FROM recs.trial WHERE sample > 10;
SELECT results_eq($$SELECT stage, trial FROM recommender.tune('recs', refinements => 0, trials => 9, sample => 10, seed => 4, budget => '0 seconds') WHERE stage <> 'search, stage 1'$$,
				  $$(SELECT 'held out, in force', 0) UNION ALL (SELECT 'held out, best', trial FROM shop.plenty WHERE stage = 'search, stage 1' ORDER BY value DESC, trial LIMIT 1)$$, 'time for one stage');

/* ------------------------------------------------------------------------
 * What is found: a model, the weights of events, a blend
 * ------------------------------------------------------------------------ */

-- A model: one that was trained to say nothing is not kept.
SELECT shop.fill(1, 0.2);
DELETE FROM recs.trial;
SELECT recommender.set_options('recs', '{"model": "als", "als_factors": 1, "als_regularization": 1000, "blend": {"behaviour": 0, "popularity": 0}, "measure": null, "kappa": null, "min_support": null, "weighting": null, "truncate": null}');
CREATE TABLE shop.model AS SELECT * FROM recommender.tune('recs', trials => 11, refinements => 10, apply => true);
SELECT ok(b.applied AND b.value > 2 * f.value AND b.options ? 'model', format('a model that is twice as good is found: %s', b.options))
FROM shop.model f, shop.model b WHERE f.stage = 'held out, in force' AND b.stage = 'held out, best';
SELECT is(r.options ->> 'model', b.options ->> 'model', 'and set') FROM recommender.recommenders r, shop.model b WHERE r.name = 'recs' AND b.applied;
SELECT recommender.set_options('recs', '{"model": null, "als_factors": null, "als_regularization": null, "blend": null}');

-- Events.  People buy by their taste and look at anything, four times as often.
CREATE TABLE shop.acts (user_id int, item_id text, at timestamptz, kind text, n float8);
CREATE INDEX ON shop.acts (user_id);
INSERT INTO shop.acts
SELECT u, 'item ' || CASE WHEN i % 5 = 0 THEN u % 5 * 8 + floor(8 * shop.draw(21, u * 100 + i)) ELSE floor(40 * shop.draw(22, u * 100 + i)) END,
	   '2026-01-01'::timestamptz + shop.draw(23, u * 100 + i) * interval '60 days', CASE WHEN i % 5 = 0 THEN 'buy' ELSE 'look' END, 1 + i % 3
FROM generate_series(1, 150) u, generate_series(1, 40) i;
CREATE TABLE shop.clicks AS SELECT user_id, item_id, at FROM shop.acts WHERE kind = 'look';
CREATE INDEX ON shop.clicks (user_id);
CREATE VIEW shop.buys AS SELECT user_id, item_id, at, kind FROM shop.acts WHERE kind = 'buy';
SELECT recommender.create_recommender('one', 'shop.acts', time_column => 'at', event_column => 'kind', weight_column => 'n', event_weights => '{"look": 1, "buy": 1, "rest": 0.5}', options => '{"seen_events": ["buy"]}');
SELECT recommender.create_recommender('two', 'shop.buys', time_column => 'at', event_column => 'kind', event_weights => '{"buy": 2}', options => '{"seen_events": ["buy"]}');
SELECT recommender.add_interactions('two', 'shop.clicks', time_column => 'at', event => 'look');

-- Measuring takes other weights: it is a recommender whose source has them that is measured.
SELECT recommender.create_recommender('other', 'shop.acts', time_column => 'at', event_column => 'kind', weight_column => 'n', event_weights => '{"look": 0.25, "buy": 3}', options => '{"seen_events": ["buy"]}');
SELECT results_eq($$SELECT strategy, segment, metric, k, value, ci_low, users FROM recommender.evaluate('one', options => '{"event_weights": {"shop.acts": {"look": 0.25, "buy": 3}}}', store => false)$$,
				  $$SELECT strategy, segment, metric, k, value, ci_low, users FROM recommender.evaluate('other', store => false)$$, 'evaluate() takes weights of events');
SELECT results_ne($$SELECT value FROM recommender.evaluate('one', store => false)$$, $$SELECT value FROM recommender.evaluate('other', store => false)$$, 'which matter');
SELECT is(ARRAY[c.value_a, c.value_b], ARRAY[a.value, b.value], 'so does compare_options()')
FROM recommender.compare_options('one', '{"event_weights": {"shop.acts": {"look": 0.25, "buy": 3}}}', '{"event_weights": {"shop.acts": {"look": 0}}}') c,
	 recommender.evaluate('other', store => false) a, recommender.evaluate('one', options => '{"event_weights": {"shop.acts": {"look": 0}}}', store => false) b
WHERE (a.strategy, a.segment, a.metric) = ('recommender', 'all', 'ndcg') AND (b.strategy, b.segment, b.metric) = ('recommender', 'all', 'ndcg');
-- what is to be found goes by the source: of nothing known, people are found all the same
SELECT is((SELECT max(users) FROM recommender.evaluate('one', options => '{"event_weights": {"shop.acts": {"look": 0, "buy": 0}}}', store => false)),
		  (SELECT max(users) FROM recommender.evaluate('one', store => false)), 'what is to be found goes by the source');
SELECT lives_ok($$SELECT recommender.evaluate('one')$$, 'evaluations are stored');
SELECT lives_ok($$SELECT recommender.evaluate('one', options => '{"event_weights": {"shop.acts": {"look": 0}}}')$$, 'with weights, too');
SELECT results_eq($$SELECT DISTINCT run, options -> 'event_weights' FROM recommender.evaluations WHERE recommender = 'one' ORDER BY run$$, $$VALUES (1::bigint, NULL), (2, '{"shop.acts": {"look": 0}}'::jsonb)$$, 'which are told if they were given');

CREATE TABLE shop.events AS SELECT 'one' AS recommender, t.* FROM recommender.tune('one', trials => 40, refinements => 30, models => '{neighbors}', apply => true) t;
INSERT INTO shop.events SELECT 'two', t.* FROM recommender.tune('two', trials => 40, refinements => 30, models => '{neighbors}', apply => true) t;
CREATE VIEW shop.weights AS
SELECT recommender, trial, (options -> 'event_weights' -> 'shop.acts' ->> 'look')::float8 / 1 AS look, (options -> 'event_weights' -> 'shop.acts' ->> 'buy')::float8 / 1 AS buy
FROM shop.events WHERE recommender = 'one' AND stage = 'held out, best'
UNION ALL SELECT recommender, trial, (options -> 'event_weights' -> 'shop.clicks' ->> 'look')::float8 / 1, (options -> 'event_weights' -> 'shop.buys' ->> 'buy')::float8 / 2
FROM shop.events WHERE recommender = 'two' AND stage = 'held out, best';
SELECT ok(coalesce(look, 1) <= 0.5 * coalesce(buy, 1), format('a look is found to weigh less: %s against %s, recommender %s', look, buy, recommender)) FROM shop.weights;
SELECT ok(applied, 'and that is set') FROM shop.events WHERE stage = 'held out, best';
SELECT is_empty($$SELECT options FROM shop.events WHERE options #> '{event_weights,shop.acts}' ? 'rest'$$, 'an event that never comes is left alone');
SELECT is((SELECT event_weights FROM one.source), '{"look": 1, "buy": 1, "rest": 0.5}'::jsonb || (options -> 'event_weights' -> 'shop.acts'), 'the source has the weights, and keeps those of others')
FROM shop.events WHERE recommender = 'one' AND applied;
SELECT is((SELECT jsonb_object_agg(relation::text, coalesce(event_weights, '{}')) FROM two.source),
		  jsonb_build_object('shop.buys', '{"buy": 2}'::jsonb || coalesce(options -> 'event_weights' -> 'shop.buys', '{}'), 'shop.clicks', coalesce(options -> 'event_weights' -> 'shop.clicks', '{}')), 'so have two sources')
FROM shop.events WHERE recommender = 'two' AND applied;
SELECT is((SELECT options FROM one.definition), '{"seen_events": ["buy"]}'::jsonb || (options - 'event_weights'), 'the options have the rest')
FROM shop.events WHERE recommender = 'one' AND applied;
-- what is served has them: a refresh and an evaluation
SELECT ok(refresh IS NOT NULL, 'what is set is refreshed') FROM recommender.refresh('one');
SELECT is((SELECT value FROM recommender.evaluate('one', store => false) WHERE (strategy, segment, metric) = ('recommender', 'all', 'ndcg')),
		  (SELECT value FROM recommender.evaluate('other', options => (SELECT options FROM one.definition), store => false) WHERE (strategy, segment, metric) = ('recommender', 'all', 'ndcg')), 'and measured as it is')
FROM recommender.add_interactions('other', 'shop.acts', time_column => 'at', event_column => 'kind', weight_column => 'n', event_weights => (SELECT event_weights FROM one.source));
-- of one event the weight means nothing
SELECT is_empty($$SELECT options FROM recommender.tune('recs', trials => 60, refinements => 20, sample => 5, resamples => 1) WHERE options ? 'event_weights'$$, 'a single event has no weight to find');

-- set_options() and the errors
SELECT recommender.add_interactions('one', 'shop.acts', time_column => 'at', event_column => 'kind', weight_column => 'n', event_weights => '{"look": 1, "buy": 1}');
SELECT ok(NOT recommender.set_options('one', '{"kappa": 2, "event_weights": {"shop.acts": {"look": 0.5, "wish": 2}}}') ? 'event_weights', 'set_options() takes weights');
SELECT is(event_weights, '{"look": 0.5, "buy": 1, "wish": 2}', 'and gives them to the source') FROM one.source;
SELECT is(options ->> 'kappa', '2', 'beside options') FROM one.definition;
SET LOCAL search_path = shop, public, pg_catalog;
SELECT recommender.set_options('one', '{"event_weights": {"acts": {"wish": -2}}}');
RESET search_path;
SELECT is(event_weights, '{"look": 0.5, "buy": 1, "wish": -2}', 'by the name that the caller may use') FROM one.source;
SELECT recommender.create_recommender('plain', 'shop.clicks', time_column => 'at');
SELECT throws_ok(format('SELECT %s', call), '22023', message, call) FROM (VALUES
	($$recommender.set_options('one', '{"event_weights": {"shop.act": {"look": 1}}}')$$, 'relation "shop.act" is no source of recommender one'),
	($$recommender.set_options('one', '{"event_weights": {"shop.clicks": {"look": 1}}}')$$, 'relation "shop.clicks" is no source of recommender one'),
	($$recommender.set_options('one', '{"event_weights": {"look": 1}}')$$, 'option "event_weights" must be an object of event weights by relation, such as {"orders": {"view": 1}}'),
	($$recommender.set_options('one', '{"event_weights": [1]}')$$, 'option "event_weights" must be an object of event weights by relation, such as {"orders": {"view": 1}}'),
	($$recommender.set_options('one', '{"event_weights": {"shop.acts": {"look": "much"}}}')$$, 'option "event_weights" must be a number'),
	($$recommender.set_options('one', '{"event_weights": {"shop.acts": {"look": 1e10}}}')$$, 'option "event_weights" must be between -1000000000 and 1000000000'),
	($$recommender.set_options('plain', '{"event_weights": {"shop.clicks": {"look": 1}}}')$$, 'all events of relation "shop.clicks" weigh the same'),
	($$recommender.evaluate('one', options => '{"event_weights": {"shop.act": {"look": 1}}}')$$, 'relation "shop.act" is no source of recommender one'),
	($$recommender.evaluate('plain', options => '{"event_weights": {"shop.clicks": {"look": 1}}}')$$, 'all events of relation "shop.clicks" weigh the same'),
	($$recommender.evaluate_query('SELECT 1, 2', 'SELECT 1, 2', options => '{"event_weights": {}}')$$, 'option "event_weights" cannot be given here'),
	($$one.recommend(1, options => '{"event_weights": {}}')$$, 'option "event_weights" cannot be given here'),
	($$recommender.create_recommender('none', 'shop.acts', options => '{"event_weights": {}}')$$, 'option "event_weights" cannot be given here')) e (call, message);
-- the product of an event's weight and that of the row can be out of range
UPDATE shop.acts SET n = 1e25 WHERE (user_id, kind) = (7, 'buy');
SELECT throws_like($$SELECT recommender.evaluate('one', options => '{"event_weights": {"shop.acts": {"buy": 1e9}}}')$$, 'weight 1e+34 of user 7 and item item % is out of range', 'a weight out of range');

-- A blend.  Each week has new things of the five tastes, of which nothing but their kind is known when they come.
CREATE TABLE shop.things (id text PRIMARY KEY, kind text, look text);
INSERT INTO shop.things SELECT week || ' ' || taste || ' ' || n, 'taste ' || taste, 'look ' || n FROM generate_series(0, 9) week, generate_series(0, 4) taste, generate_series(1, 6) n;
CREATE TABLE shop.news (user_id int, item_id text, at timestamptz, place text);
CREATE INDEX ON shop.news (user_id);
INSERT INTO shop.news
SELECT u, week || ' ' || CASE WHEN shop.draw(31, u * 100 + i) < 0.85 THEN u % 5 ELSE floor(5 * shop.draw(32, u * 100 + i)) END || ' ' || 1 + floor(6 * shop.draw(33, u * 100 + i)),
	   '2026-01-01'::timestamptz + (week + shop.draw(34, u * 100 + i)) * interval '7 days', CASE WHEN shop.draw(35, u * 100 + i) < 0.5 THEN 'here' ELSE 'there' END
FROM generate_series(1, 120) u, generate_series(0, 19) i, LATERAL (SELECT i / 2 AS week) w;
SELECT recommender.create_recommender('blend', 'shop.news', time_column => 'at', context_columns => '{place}', options => '{"blend": {"content": 0}}');
SELECT recommender.set_items('blend', 'shop.things', feature_columns => '{kind,look}');
CREATE TABLE shop.blend AS SELECT * FROM recommender.tune('blend', trials => 40, refinements => 20, models => '{neighbors}', sample => 40, apply => true);
SELECT ok(b.applied AND b.value > f.value AND (b.options -> 'blend' ->> 'content')::float8 > 0, format('content is found to count: %s, which gives %s instead of %s', b.options -> 'blend', b.value, f.value))
FROM shop.blend f, shop.blend b WHERE f.stage = 'held out, in force' AND b.stage = 'held out, best';
SELECT is_empty('SELECT shop.nonsense(options, true, false, false), options FROM shop.blend WHERE shop.nonsense(options, true, false, false) IS NOT NULL', 'content can be named, context cannot');
SELECT ok(bool_or(options -> 'blend' ? 'content') AND bool_or(options ? 'item_kappa'), 'and is') FROM shop.blend;
SELECT recommender.set_options('blend', (SELECT jsonb_object_agg(key, NULL) FROM jsonb_object_keys((SELECT options FROM shop.blend WHERE applied)) AS key));
CREATE TABLE shop.moment AS SELECT * FROM recommender.tune('blend', trials => 60, refinements => 20, models => '{neighbors}', sample => 40, context => true);
SELECT ok(bool_or(options -> 'blend' ? 'context'), 'context can be named where it is told') FROM shop.moment;
SELECT is_empty('SELECT shop.nonsense(options, true, true, false), options FROM shop.moment WHERE shop.nonsense(options, true, true, false) IS NOT NULL', 'and all makes sense');
SELECT results_eq($$SELECT value, users, ci_low, ci_high, p_value FROM shop.moment WHERE stage = 'held out, best'$$,
				  $$SELECT c.value_b, c.users, c.ci_low, c.ci_high, c.p_value FROM shop.moment m, recommender.compare_options('blend', '{}', m.options, context => true) c WHERE m.stage = 'held out, best'$$, 'it is measured in the situation');
SELECT set_eq('SELECT DISTINCT (settings -> ''context'')::boolean FROM blend.trial', 'VALUES (false), (true)', 'and what was measured without is another thing');

/* ------------------------------------------------------------------------
 * What is set
 * ------------------------------------------------------------------------ */

CREATE VIEW shop.options AS SELECT options FROM recommender.recommenders WHERE name = 'recs';

SELECT shop.fill(1, 0.4);
SELECT recommender.set_options('recs', shop.bad_options());
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
	('metric => ''ndgc@10''', '22023', 'metric "ndgc" does not exist'),
	('metric => ''ndcg@0''', '22023', 'k must be between 1 and 10000'),
	('metric => ''ndcg@''', '22P02', 'invalid input syntax for type integer: ""'),
	('metric => NULL', '22004', 'argument 4 must not be null'),
	('k => 0', '22023', 'k must be between 1 and 10000'),
	('k => 10001', '22023', 'k must be between 1 and 10000'),
	('k => NULL', '22004', 'argument 5 must not be null'),
	('split => ''tim''', '22023', 'split "tim" does not exist'),
	('split => NULL', '22004', 'argument 6 must not be null'),
	('test_share => 0', '22023', 'test_share must be greater than 0 and less than 1'),
	('test_share => 1', '22023', 'test_share must be greater than 0 and less than 1'),
	('test_share => ''NaN''', '22023', 'test_share must be greater than 0 and less than 1'),
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
SELECT throws_ok('SELECT * FROM recommender.tune(''recs'')', '55000', 'the interactions have no times to split by', 'no times');

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
