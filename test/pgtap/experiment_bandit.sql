/*
 * test/pgtap/experiment_bandit.sql
 *	  Assignment, bandits and off-policy evaluation against published values,
 *	  plain SQL and simulations.
 *
 * Published values: GrowthBook's getBucketRange and chooseVariation; MABWiser's
 * tests/test_ucb.py, test_linucb.py and test_ridge.py; formulas of Open Bandit's
 * obp/ope/estimators.py.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL search_path = public;

SELECT plan(88);

CREATE SCHEMA oracle;

CREATE FUNCTION oracle.near(value float8, expected float8, digits int, description text) RETURNS text LANGUAGE sql AS $$
	SELECT ok(abs(value - expected) <= 0.5000001 * 10.0 ^ -digits, format('%s: %s, expected %s', description, value, expected))
$$;

/* ------------------------------------------------------------------------
 * Assignment
 * ------------------------------------------------------------------------ */

SELECT is(bucket, expected::float8, 'bucket of ' || title)
FROM (VALUES
	('checkout/42', recommender.bucket('checkout', 42), 0.29803475418575087),
	('checkout/43', recommender.bucket('checkout', '43'::text), 0.4629906558479082),
	('blend_test/42', recommender.bucket('blend_test', 42::bigint), 0.5692385861996918),
	('blend_test/alice', recommender.bucket('blend_test', 'alice'::varchar), 0.6291468771003259),
	('/', recommender.bucket('', ''::text), 0.5405098615468771),
	('a number with zeros', recommender.bucket('checkout', 42.00), 0.29803475418575087),
	('blanks at the end', recommender.bucket('checkout', '42'::char(9)), 0.29803475418575087)) v (title, bucket, expected);
-- against PostgreSQL's own SHA-256
CREATE DOMAIN oracle.sku AS text;
SELECT is_empty($$
	SELECT id FROM generate_series(1, 2000) i, LATERAL (SELECT chr(64 + i % 900) || i) d (id), LATERAL (SELECT sha256(convert_to('s' || i % 7 || '/' || id, 'UTF8'))) h (h)
	WHERE recommender.bucket('s' || i % 7, id::oracle.sku) <> ('x' || encode(substr(h, 1, 7), 'hex'))::bit(56)::bigint / 16 / 2.0 ^ 52
$$, 'buckets by sha256()');
SELECT is(recommender.bucket('s', '7f3d0000-0000-0000-0000-000000000001'::uuid), recommender.bucket('s', '7f3d0000-0000-0000-0000-000000000001'::text), 'a uuid is its text');

-- GrowthBook's ranges of variants, by ids in each
CREATE FUNCTION oracle.range_of(variants text[], weights float8[], traffic float8, variant text) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s of %s to %s', count(*), round(min(b)::numeric, 2), round(max(b)::numeric, 2))
	FROM generate_series(1, 20000) i, recommender.bucket('r', i) b WHERE recommender.variant('r', i, variants, weights, traffic) = variant
$$;
CREATE FUNCTION oracle.between(low float8, high float8) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s of %s to %s', count(*), round(min(b)::numeric, 2), round(max(b)::numeric, 2))
	FROM generate_series(1, 20000) i, recommender.bucket('r', i) b WHERE b >= low AND b < high
$$;
SELECT is(oracle.range_of(variants, weights, traffic, variant), oracle.between(low, high), format('%s of %s, traffic %s', variant, variants, traffic))
FROM (VALUES ('{a,b}'::text[], NULL::float8[], 1, 'a', 0, 0.5), ('{a,b}', NULL, 1, 'b', 0.5, 1), ('{a,b}', NULL, 0.5, 'a', 0, 0.25), ('{a,b}', NULL, 0.5, 'b', 0.5, 0.75),
	('{a,b}', NULL, 0, 'a', 0, 0), ('{a,b,c}', '{0.2,0.3,0.5}', 0.2, 'a', 0, 0.04), ('{a,b,c}', '{0.2,0.3,0.5}', 0.2, 'b', 0.2, 0.26), ('{a,b,c}', '{0.2,0.3,0.5}', 0.2, 'c', 0.5, 0.6)) v (variants, weights, traffic, variant, low, high);

CREATE TABLE oracle.unit AS
SELECT i, recommender.variant('blend_test', i, '{C,T}', traffic => 0.2) AS fifth, recommender.variant('blend_test', i, '{C,T}', traffic => 0.6) AS most,
	recommender.variant('blend_test', i, '{C,T}') AS everyone, recommender.variant('filter_test', i, '{C,T}') AS other,
	recommender.variant('x', i, '{C,T}', layer => 'page', layer_from => 0, layer_to => 0.4) AS x, recommender.variant('y', i, '{C,T}', layer => 'page', layer_from => 0.4, layer_to => 1) AS y
FROM generate_series(1, 100000) i;
SELECT results_eq('SELECT most, count(*) FROM oracle.unit GROUP BY 1 ORDER BY 1', $$VALUES ('C', 30014::bigint), ('T', 29909), (NULL, 40077)$$, 'traffic of 0.6');
SELECT results_eq('SELECT everyone, count(*) FROM oracle.unit GROUP BY 1 ORDER BY 1', $$VALUES ('C', 49968::bigint), ('T', 50032)$$, 'all');
SELECT is((SELECT string_agg(everyone, ' ' ORDER BY i) FROM oracle.unit WHERE i <= 10), 'C C C T C C T C C T', 'the first ten');
SELECT results_eq('SELECT count(*) FROM oracle.unit GROUP BY everyone, other ORDER BY everyone, other', 'VALUES (25259::bigint), (24709), (24897), (25135)', 'another salt is independent');
SELECT is_empty('SELECT FROM oracle.unit WHERE fifth <> most OR most <> everyone OR (fifth IS NOT NULL AND most IS NULL)', 'more traffic moves nobody');
SELECT is((SELECT count(*) FROM oracle.unit WHERE (x IS NULL) = (y IS NULL)), 0::bigint, 'experiments of a layer exclude one another');
SELECT ok(abs(count(*) - 40000) < 500, 'and have their shares of it') FROM oracle.unit WHERE x IS NOT NULL;
SELECT ok(p_value > 0.001, 'variants are independent of the layer') FROM recommender.sample_ratio((SELECT array_agg(n) FROM (SELECT count(*) AS n FROM oracle.unit WHERE x IS NOT NULL GROUP BY x) c), '{1,1}');
SELECT is(recommender.variant('s', NULL::int, '{a,b}'), NULL, 'no id, no variant');

/* ------------------------------------------------------------------------
 * Policies
 * ------------------------------------------------------------------------ */

SELECT results_eq($$SELECT round(index::numeric, 12), probability FROM recommender.bandit_arms('{3,2,5}', '{1,0,3}', policy => 'ucb1', options => '{"floor": 0}')$$,
	'VALUES (1.572307396283, 1::float8), (1.517427129385, 0), (1.559705182438, 0)', 'UCB1 as MABWiser');
SELECT is(ARRAY(SELECT round(probability::numeric, 9) FROM recommender.bandit_arms(n, total, squares, policy, options)), wanted, title)
FROM (VALUES
	('untried arms first', '{3,0,0}'::float8[], '{3,0,0}'::float8[], NULL::float8[], 'ucb1', '{"floor": 0}'::jsonb, '{0,0.5,0.5}'::numeric[]),
	('the best mean, and a share for all', '{10,10,10,10}', '{1,2,5,5}', NULL, 'epsilon_greedy', '{"floor": 0, "epsilon": 0.2}', '{0.05,0.05,0.45,0.45}'),
	('Thompson of shares', '{3,2,5}', '{2,0,3}', NULL, 'thompson', '{"floor": 0}', '{0.523776224,0.049650350,0.426573427}'),
	('with a floor', '{3,2,5}', '{2,0,3}', NULL, 'thompson', '{"floor": 0.1}', '{0.466643357,0.134755245,0.398601399}'),
	('a floor that leaves nothing', '{3,2,5}', '{2,0,3}', NULL, 'thompson', '{"floor": 0.4}', '{0.333333333,0.333333333,0.333333333}'),
	('warming up', '{30,2,50}', '{20,0,3}', NULL, 'thompson', '{"warmup": 3}', '{0.333333333,0.333333333,0.333333333}'),
	('softmax', '{10,10}', '{5,10}', NULL, 'softmax', '{"floor": 0, "temperature": 0.5}', '{0.268941421,0.731058579}'),
	('one arm', '{0}', '{0}', NULL, 'thompson', '{}', '{1}'),
	('no arm', '{}', '{}', NULL, 'thompson', '{}', '{}')) v (title, n, total, squares, policy, options, wanted);
-- Thompson of means: the posterior by hand
SELECT is(ARRAY(SELECT round(probability::numeric, 9) FROM recommender.bandit_arms('{4,3}', '{10,6}', '{30,14}', options => '{"floor": 0, "prior_variance": 100, "prior_mean": 1}')),
	ARRAY(SELECT round(p::numeric, 9) FROM unnest(recommender.probability_best(
		ARRAY[(1 / 100.0 + 10 / v1) / (1 / 100.0 + 4 / v1), (1 / 100.0 + 6 / v2) / (1 / 100.0 + 3 / v2)], ARRAY[1 / sqrt(1 / 100.0 + 4 / v1), 1 / sqrt(1 / 100.0 + 3 / v2)], 'normal')) p), 'Thompson of means')
FROM (SELECT (30 - 100 / 4.0) / 3 AS v1, (14 - 36 / 3.0) / 2 AS v2) v;

CREATE TABLE oracle.mab (i int, d1 int, r1 float8, d0 int, r0 float8, x float8[]);
INSERT INTO oracle.mab
SELECT i, d1, r1, d0, r0, ARRAY(SELECT jsonb_array_elements_text('[[0,1,2,3,5],[1,1,1,1,1],[0,0,1,0,0],[0,2,2,3,5],[1,3,1,1,1],[0,0,0,0,0],[0,1,4,3,5],[0,1,2,4,5],[1,2,1,1,3],[0,2,1,0,0]]'::jsonb -> (i::int - 1))::float8)
FROM unnest('{1,1,1,2,2,3,3,3,3,3}'::int[], '{0,0,1,0,0,0,0,1,1,1}'::float8[], '{1,1,1,2,2,2,3,3,3,1}'::int[], '{0,0,0,0,0,0,1,1,1,1}'::float8[]) WITH ORDINALITY u (d1, r1, d0, r0, i);
CREATE TABLE oracle.states AS
SELECT (SELECT array_agg(s ORDER BY d1) FROM (SELECT d1, recommender.linear_state(r1, x) AS s FROM oracle.mab GROUP BY d1) q) AS s1,
	   (SELECT array_agg(s ORDER BY d0) FROM (SELECT d0, recommender.linear_state(r0, x) AS s FROM oracle.mab GROUP BY d0) q) AS s0;
SELECT is(ARRAY(SELECT round(index::numeric, 12) FROM recommender.linear_bandit_arms(states, context, 'linucb', options)), ARRAY(SELECT round(w, 12) FROM unnest(wanted) w), format('LinUCB as MABWiser, %s', options))
FROM oracle.states, LATERAL (VALUES
	(s1, '{0,1,2,3,5}'::float8[], '{"alpha": 1}'::jsonb, '{.9790312458954391,1.1617706239438832,1.4247056229871702}'::numeric[]),
	(s1, '{1,1,1,1,1}', '{"alpha": 1}', '{.8896475809353053,.923364043088837,1.457085577251709}'),
	(s0, '{0,1,2,3,5}', '{"alpha": 0}', '{-.018378378378378413,0,.9966292134831471}'),
	(s0, '{1,1,1,1,1}', '{"alpha": 0}', '{.14054054054054055,0,.43258426966292074}')) v (states, context, options, wanted);
SELECT oracle.near(mean, 2.8167701863354, 12, 'ridge regression as MABWiser')
FROM (SELECT ARRAY[recommender.linear_state(y, x)] AS s FROM (VALUES ('{1,0,2,1,1}'::float8[], 3), ('{3,1,2,3,4}', 3), ('{2,-1,1,0,2}', 1)) v (x, y)) s, recommender.linear_bandit_arms(s, '{0,1,2,3,5}', 'linucb');
-- an untried arm has the inverse I / ridge: its width is alpha |x| / sqrt(ridge)
SELECT oracle.near(index, 2 * 5 / sqrt(4), 12, 'an untried arm')
FROM (SELECT ARRAY[recommender.linear_state(NULL, '{3,4}')] AS s) s, recommender.linear_bandit_arms(s, '{3,4}', 'linucb', '{"alpha": 2, "ridge": 4}');
-- LinTS: probabilities of being best of the normal means
SELECT is((SELECT array_agg(round(l.probability::numeric, 10)) FROM recommender.linear_bandit_arms(s1, '{0,1,2,3,5}', 'lints', '{"alpha": 0.5, "floor": 0}') l),
	(SELECT array_agg(round(p::numeric, 10)) FROM unnest(recommender.probability_best(
		(SELECT array_agg(mean) FROM recommender.linear_bandit_arms(s1, '{0,1,2,3,5}', 'linucb', '{"alpha": 0.5}')),
		(SELECT array_agg(index - mean) FROM recommender.linear_bandit_arms(s1, '{0,1,2,3,5}', 'linucb', '{"alpha": 0.5}')), 'normal')) p), 'LinTS draws from the normal means') FROM oracle.states;
-- the aggregate in parts is the aggregate of all
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TABLE oracle.context AS SELECT i % 3 AS arm, (i % 5)::float8 AS r, ARRAY[1, i % 7, i % 11]::float8[] AS x FROM generate_series(1, 30000) i;
CREATE TABLE oracle.serial AS SELECT arm, recommender.linear_state(r, x) AS s FROM oracle.context GROUP BY arm;
SET LOCAL max_parallel_workers_per_gather = 3;
SELECT results_eq('SELECT arm, recommender.linear_state(r, x) FROM oracle.context GROUP BY arm ORDER BY arm', 'SELECT * FROM oracle.serial ORDER BY arm', 'the state of a linear arm in parallel');
SELECT is(s, ARRAY[10000, 3, (SELECT sum(r) FROM oracle.context WHERE arm = 0), (SELECT sum(r * x[2]) FROM oracle.context WHERE arm = 0), (SELECT sum(r * x[3]) FROM oracle.context WHERE arm = 0)]
	|| (SELECT array_agg(v ORDER BY i, j) FROM (SELECT i, j, sum(x[i] * x[j]) AS v FROM oracle.context, generate_series(1, 3) i, generate_series(1, i) j WHERE arm = 0 GROUP BY i, j) c), 'what is in it')
FROM oracle.serial WHERE arm = 0;

-- draws follow their probabilities, and each can be drawn again
SELECT ok(p_value > 0.001, format('100,000 draws: p-value %s', round(p_value::numeric, 4)))
FROM (SELECT array_agg(n ORDER BY arm) AS n FROM (SELECT arm, count(*) AS n FROM generate_series(1, 100000) i, recommender.draw('{0.5,0.3,0.15,0,0.05}', 'shelf', i, '2025-01-01') arm GROUP BY arm) c) c,
	recommender.sample_ratio(n[1:3] || 0::bigint || n[4:4], '{0.5,0.3,0.15,0,0.05}');
SELECT is((SELECT count(DISTINCT recommender.draw('{0.5,0.5}', 'shelf', 7, day::text)) FROM generate_series(1, 20) day), 2::bigint, 'another counter draws anew');
SELECT is((SELECT count(DISTINCT recommender.draw('{0.5,0.5}', 'shelf', 7, 'a')) FROM generate_series(1, 20)), 1::bigint, 'the same one does not');

/* ------------------------------------------------------------------------
 * Bandits at work
 * ------------------------------------------------------------------------ */

-- Play a number of steps on shares that may change half way; rewards are hashes.  With a half-life, in steps, old rewards fade.
CREATE FUNCTION oracle.play(policy text, before float8[], after float8[], steps int, half_life float8, options jsonb,
	OUT earned float8, OUT late float8, OUT ips float8, OUT error float8, OUT mean_weight float8) LANGUAGE plpgsql AS $$
DECLARE
	n float8[] := array_fill(0::float8, ARRAY[cardinality(before)]);
	total float8[] := n;
	p float8[];
	arm int;
	r float8;
	w float8;
	sum_w float8 := 0; sum_wr float8 := 0; sum_squares float8 := 0;
	fade float8 := coalesce(0.5 ^ (1 / half_life), 1);
BEGIN
	earned := 0; late := 0;
	FOR step IN 1 .. steps LOOP
		p := ARRAY(SELECT a.probability FROM recommender.bandit_arms(n, total, policy => policy, options => options) a ORDER BY a.arm);
		arm := recommender.draw(p, 'play', step);
		r := (recommender.bucket('reward', step) < CASE WHEN step <= steps / 2 THEN before[arm] ELSE after[arm] END)::int;
		earned := earned + r;
		IF step > steps * 3 / 4 THEN late := late + r / (steps / 4); END IF;
		-- what an even choice would have earned
		w := 1.0 / cardinality(before) / p[arm];
		sum_w := sum_w + w; sum_wr := sum_wr + w * r; sum_squares := sum_squares + (w * r) ^ 2;
		IF fade < 1 THEN
			FOR i IN 1 .. cardinality(n) LOOP n[i] := n[i] * fade; total[i] := total[i] * fade; END LOOP;
		END IF;
		n[arm] := n[arm] + 1; total[arm] := total[arm] + r;
	END LOOP;
	ips := sum_wr / steps; mean_weight := sum_w / steps;
	error := sqrt((sum_squares / steps - ips ^ 2) / steps);
END $$;
CREATE TABLE oracle.game AS
SELECT policy, (oracle.play(policy, '{.1,.2,.3}', '{.1,.2,.3}', 1600, NULL, '{}')).* FROM unnest('{thompson,epsilon_greedy,ucb1,softmax}'::text[]) policy;
SELECT ok(t.earned > e.earned, format('Thompson earns more than epsilon-greedy: %s, %s', t.earned, e.earned)) FROM oracle.game t, oracle.game e WHERE t.policy = 'thompson' AND e.policy = 'epsilon_greedy';
SELECT ok(earned > 1.2 * 0.2 * 1600, format('%s earns more than even choices: %s', policy, earned)) FROM oracle.game WHERE policy <> 'softmax';
SELECT ok(abs(ips - 0.2) <= 3 * error, format('the log of %s tells what even choices would have earned: %s, error %s', policy, round(ips::numeric, 3), round(error::numeric, 3))) FROM oracle.game;
SELECT ok(abs(mean_weight - 1) < 0.35, format('with a mean weight of about 1: %s', round(mean_weight::numeric, 3))) FROM oracle.game;
-- after a swap of the arms, a bandit that forgets recovers
CREATE TABLE oracle.swap AS
SELECT half_life, (oracle.play('thompson', '{.1,.2,.5}', '{.5,.2,.1}', 2400, half_life, '{}')).* FROM (VALUES (NULL::float8), (200)) h (half_life);
SELECT ok(f.late > 0.43 AND f.late > k.late, format('after a swap: %s with a half-life, %s without', round(f.late::numeric, 3), round(k.late::numeric, 3)))
FROM oracle.swap f, oracle.swap k WHERE f.half_life IS NOT NULL AND k.half_life IS NULL;

/* ------------------------------------------------------------------------
 * What another policy would have earned
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.toy (reward float8, propensity float8, target float8, q_logged float8, q_target float8);
INSERT INTO oracle.toy VALUES (1, .25, .5, .6, .5), (0, .5, .2, .3, .35), (1, .4, .8, .5, .55), (1, .2, .1, .4, .3), (0, .3, .6, .2, .25);
SELECT oracle.near(e.value, wanted, 10, e.estimator)
FROM (SELECT recommender.off_policy(reward, propensity, target, q_logged, q_target, '{"lambda": 1, "sub_gaussian": 0.5}') AS o FROM oracle.toy) t, unnest(o) e
JOIN (VALUES ('ips', .9), ('snips', .6521739130), ('dm', .39), ('dr', .706), ('sndr', .6189855072), ('shrunk_dr', .4733103448), ('sub_gaussian_ips', .6666666667)) w (estimator, wanted) USING (estimator);
SELECT oracle.near(v.value, wanted, 10, name)
FROM (SELECT recommender.off_policy(reward, propensity, target) AS o FROM oracle.toy) t, unnest(o) e,
	LATERAL (VALUES ('effective n', e.effective_n, 3.8364222401), ('standard error', e.standard_error, .4582575695), ('mean weight', e.mean_weight, 1.38), ('max weight', e.max_weight, 2)) v (name, value, wanted)
WHERE e.estimator = 'ips';

-- random logs against plain SQL; standard errors of ratios by the jackknife of groups
CREATE TABLE oracle.log AS
SELECT i, i % 4 AS site, (recommender.bucket('r', i) < 0.3)::int::float8 AS reward, 0.05 + 0.9 * recommender.bucket('p', i) AS propensity, recommender.bucket('t', i) AS target,
	recommender.bucket('q', i) AS q_logged, recommender.bucket('z', i) AS q_target FROM generate_series(1, 20000) i;
CREATE VIEW oracle.weighted AS SELECT *, target / propensity AS w, reward - q_logged AS e FROM oracle.log;
SELECT is_empty($$
	SELECT e.estimator, e.value, wanted.value FROM (SELECT site, recommender.off_policy(reward, propensity, target, q_logged, q_target, '{"clip": 2, "lambda": 3, "sub_gaussian": 0.2}') AS o FROM oracle.log GROUP BY site) l, unnest(o) e
	JOIN LATERAL (SELECT v.* FROM (SELECT avg(w * reward) AS ips, sum(w * reward) / sum(w) AS snips, avg(least(w, 2) * reward) AS clipped, avg(w * reward / (0.8 + 0.2 * w)) AS sub, avg(q_target) AS dm,
			avg(q_target + w * e) AS dr, avg(q_target) + sum(w * e) / sum(w) AS sndr, avg(q_target + CASE WHEN w <= 2 THEN w * e ELSE 0 END) AS switch, avg(q_target + 3 * w / (w * w + 3) * e) AS shrunk
			FROM oracle.weighted x WHERE x.site = l.site) s,
		LATERAL (VALUES ('ips', ips), ('snips', snips), ('clipped_ips', clipped), ('sub_gaussian_ips', sub), ('dm', dm), ('dr', dr), ('sndr', sndr), ('switch_dr', switch), ('shrunk_dr', shrunk)) v (estimator, value)) wanted
		USING (estimator)
	WHERE abs(e.value - wanted.value) > 1e-12
$$, 'nine estimators by plain SQL');
SELECT is((SELECT count(*) FROM (SELECT recommender.off_policy(reward, propensity, target, q_logged, q_target, '{"clip": 2, "lambda": 3, "sub_gaussian": 0.2}') AS o FROM oracle.log) l, unnest(o)), 9::bigint, 'nine there are');
WITH whole AS (SELECT sum(w * reward) AS wr, sum(w) AS w, sum(w * e) AS we, sum(q_target) AS q, count(*) AS n FROM oracle.weighted),
jackknife AS (SELECT (h.wr - x.w * x.reward) / (h.w - x.w) AS snips, (h.q - x.q_target) / (h.n - 1) + (h.we - x.w * x.e) / (h.w - x.w) AS sndr FROM oracle.weighted x, whole h)
SELECT ok(abs(e.standard_error / j.error - 1) < 0.002, format('the error of %s by the jackknife: %s, %s', e.estimator, e.standard_error, j.error))
FROM (SELECT recommender.off_policy(reward, propensity, target, q_logged, q_target) AS o FROM oracle.log) l, unnest(o) e
JOIN (SELECT 'snips' AS estimator, sqrt(var_pop(snips) * (count(*) - 1)) AS error FROM jackknife UNION ALL SELECT 'sndr', sqrt(var_pop(sndr) * (count(*) - 1)) FROM jackknife) j USING (estimator);
-- in parallel
SELECT is_empty($$
	WITH p AS (SELECT e.* FROM (SELECT recommender.off_policy(reward, propensity, target, q_logged, q_target, '{"clip": 2}') AS o FROM oracle.log) l, unnest(o) e),
	s AS (SELECT e.* FROM (SELECT recommender.off_policy(reward, propensity, target, q_logged, q_target, '{"clip": 2}' ORDER BY i) AS o FROM oracle.log) l, unnest(o) e)
	SELECT * FROM p FULL JOIN s USING (estimator) WHERE abs(p.value - s.value) > 1e-12 OR abs(p.standard_error - s.standard_error) > 1e-12 OR p.n <> s.n OR p.warnings <> s.warnings OR p.value IS NULL OR s.value IS NULL
$$, 'and in parallel');
-- coverage: 300 logs of a policy that is known, of which another one's value is .35 * .2 + .65 * .6
SELECT ok(abs(count(*) FILTER (WHERE ci_low <= .46 AND ci_high >= .46) - 300 * .95) <= 3 * sqrt(300 * .95 * .05), format('%s: %s of 300 intervals contain the truth', estimator, count(*) FILTER (WHERE ci_low <= .46 AND ci_high >= .46)))
FROM (SELECT l, recommender.off_policy(r, CASE a WHEN 1 THEN .7 ELSE .3 END, CASE a WHEN 1 THEN .35 ELSE .65 END, CASE a WHEN 1 THEN .25 ELSE .5 END, .35 * .25 + .65 * .5) AS o
	  FROM generate_series(1, 300) l, generate_series(1, 400) i, recommender.draw('{.7,.3}', 'a' || l, i) a, LATERAL (SELECT (recommender.bucket('r' || l, i) < CASE a WHEN 1 THEN .2 ELSE .6 END)::int AS r) r GROUP BY l) q, unnest(o)
WHERE estimator <> 'dm' GROUP BY estimator ORDER BY estimator;
-- warnings
SELECT is(e.warnings, wanted, title)
FROM (VALUES
	('few rows', (SELECT recommender.off_policy(1, .5, .5) FROM generate_series(1, 50)), '{low_effective_n}'::text[]),
	('enough', (SELECT recommender.off_policy(i % 2, .5, .3 + .4 * (i % 2)) FROM generate_series(1, 2000) i), '{}'),
	('weights that are not 1', (SELECT recommender.off_policy(1, .5, .4 + .01 * (i % 2)) FROM generate_series(1, 2000) i), '{mean_weight_off}'),
	('one choice only', (SELECT recommender.off_policy(1, 1, 1) FROM generate_series(1, 2000)), '{deterministic_log}')) v (title, o, wanted), unnest(o) e WHERE e.estimator = 'ips';
SELECT is((SELECT recommender.off_policy(reward, propensity, target) FROM oracle.toy WHERE false), NULL, 'no rows, no estimate');
SELECT is((SELECT array_agg(e.ci_low) FROM (SELECT recommender.off_policy(1, .5, .5) AS o) q, unnest(o) e), ARRAY[NULL, NULL]::float8[], 'one row, no interval');

SELECT * FROM finish();
ROLLBACK;
