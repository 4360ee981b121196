/*
 * Experiments: published examples, examples computed by hand, and all errors.
 */
CREATE FUNCTION pg_temp.rounded(r recommender.test_result) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(key || ' ' || coalesce(round(value::numeric, 5)::text, 'NULL'), ', ') FROM (
		SELECT key, CASE WHEN value ~ 'Inf' THEN NULL ELSE value END AS value FROM json_each_text(row_to_json(r))) e
$$;

-- Twenty of a hundred buy, and thirty of a hundred
SELECT pg_temp.rounded(recommender.compare_proportions(20, 100, 30, 100));
SELECT pg_temp.rounded(recommender.compare_proportions(20, 100, 30, 100, relative => true));
-- Three values of each group: 1 2 3 and 3 4 5 (d 2, s sqrt(2/3), t 2.44949 with 4 degrees of freedom)
SELECT pg_temp.rounded(recommender.compare_means(3, 2, 1, 3, 4, 1));
SELECT pg_temp.rounded(recommender.compare_means(3, 2, 1, 3, 4, 1, alternative => 'greater'));
SELECT pg_temp.rounded(recommender.compare_means(3, 2, 1, 3, 4, 1, method => 'sequential', horizon => 1000));
-- Revenue per order
SELECT pg_temp.rounded(recommender.compare_ratios((a).n, (a).means, (a).covariances, (b).n, (b).means, (b).covariances))
FROM (SELECT recommender.moments(ARRAY[revenue, orders]) FILTER (WHERE variant = 'a') AS a,
			 recommender.moments(ARRAY[revenue, orders]) FILTER (WHERE variant = 'b') AS b
	  FROM (VALUES ('a', 10, 1), ('a', 30, 2), ('a', 0, 1), ('b', 40, 2), ('b', 20, 1), ('b', 60, 4)) v (variant, revenue, orders)) m;
SELECT (recommender.moments(ARRAY[x, y])).* FROM (VALUES (1, 2), (3, 8), (NULL, 9)) v (x, y);
-- Covariates from before the experiment
SELECT * FROM recommender.cuped(3, 2, 1, 1, 1, 1, 3, 4, 2, 1, 1, 1);
-- Sizes
SELECT recommender.sample_size(0.2, 0.05, relative => false) AS units, round(recommender.power_of(0.2, 0.05, 1091, relative => false)::numeric, 4) AS power,
	   round(recommender.detectable_effect(0.2, 1091, relative => false)::numeric, 4) AS effect;
SELECT round(recommender.power_of(0.2, 0, 1000, looks => 20)::numeric, 3) AS peeking, round(recommender.power_of(0.2, 0, 1000, method => 'sequential', horizon => 2000, looks => 20)::numeric, 3) AS sequential;
-- Any number of groups
SELECT round(statistic::numeric, 4) AS statistic, degrees_of_freedom, round(p_value::numeric, 7) AS p_value FROM recommender.sample_ratio('{1000,1100}', '{0.5,0.5}');
SELECT recommender.adjust_p_values('{0.01,0.04,NULL,0.03}') AS holm, recommender.adjust_p_values('{0.01,0.04,NULL,0.03}', 'benjamini_hochberg') AS bh;
SELECT ARRAY(SELECT round(p::numeric, 6) FROM unnest(recommender.probability_best('{11,16}', '{91,86}')) p) AS best,
	   ARRAY(SELECT round(p::numeric, 6) FROM unnest(recommender.expected_loss('{11,16}', '{91,86}')) p) AS loss;

-- Undefined results are NULL, with a warning
SELECT effect, p_value FROM recommender.compare_means(5, 0, 1, 5, 1, 1, relative => true);
SELECT effect, standard_error, p_value FROM recommender.compare_proportions(0, 5, 0, 5);
SELECT recommender.compare_means(1, 1, NULL, 5, 1, 1) IS NULL AS of_one_row;

-- Errors
SELECT recommender.compare_means(1, 1, 0, 5, 1, 1);
SELECT recommender.compare_means(5, 'NaN', 1, 5, 1, 1);
SELECT recommender.compare_means(5, 1, -1, 5, 1, 1);
SELECT recommender.compare_means(5, 1, 1, 5, 1, 'Infinity');
SELECT recommender.compare_means(5, 1, 1, 5, 1, 1, method => 'squential');
SELECT recommender.compare_means(5, 1, 1, 5, 1, 1, alternative => 'more');
SELECT recommender.compare_means(5, 1, 1, 5, 1, 1, alpha => 1);
SELECT recommender.compare_means(5, 1, 1, 5, 1, 1, method => 'sequential');
SELECT recommender.compare_means(5, 1, 1, 5, 1, 1, method => 'sequential', horizon => 0);
SELECT recommender.compare_means(5, 1, 1, 5, 1, 1, horizon => 100);
SELECT recommender.compare_means(5, 1, 1, 5, 1, 1, method => 'sequential', alternative => 'less', alpha => 0.5, horizon => 100);
SELECT recommender.compare_proportions(6, 5, 1, 5);
SELECT recommender.compare_proportions(-1, 5, 1, 5);
SELECT recommender.compare_ratios(5, '{1}', '{{1}}', 5, '{1}', '{{1}}');
SELECT recommender.compare_ratios(5, '{1,2}', '{1,2,3,4}', 5, '{1,2}', '{{1,0},{0,1}}');
SELECT recommender.compare_ratios(5, '{1,2}', '{{1,2},{3,4}}', 5, '{1,2}', '{{1,0},{0,1}}');
SELECT recommender.compare_ratios(5, '{1,2}', '{{-1,0},{0,4}}', 5, '{1,2}', '{{1,0},{0,1}}');
SELECT recommender.compare_ratios(5, '{1,2,3,4}', '{{1,0,0,0},{0,1,0,0},{0,0,1,0},{0,0,0,1}}', 5, '{1,2}', '{{1,0},{0,1}}');
SELECT recommender.compare_ratios(5, '{1,NULL}', '{{1,0},{0,1}}', 5, '{1,2}', '{{1,0},{0,1}}');
SELECT recommender.moments(ARRAY[x, y]) FROM (VALUES (1, 2), (3, 'Infinity'::float8)) v (x, y);
SELECT recommender.moments(CASE x WHEN 1 THEN ARRAY[1, 2] ELSE ARRAY[1] END) FROM generate_series(1, 2) x;
SELECT recommender.moments('{}'::float8[]);
SELECT recommender.sample_size(0, 0.1, variance => 1);
SELECT recommender.sample_size(1.5, 0.1);
SELECT recommender.sample_size(0.5, 1);
SELECT recommender.sample_size(0.5, 0.1, power => 0.04);
SELECT recommender.sample_size(0.5, 0.1, ratio => 0);
SELECT recommender.sample_size(0.5, 0.1, looks => 0);
SELECT recommender.power_of(0.5, 0.1, 1);
SELECT recommender.sample_ratio('{1,2}', '{1}');
SELECT recommender.sample_ratio('{1,2}', '{1,0}');
SELECT recommender.sample_ratio('{1,0}', '{1,0}');
SELECT recommender.sample_ratio('{1,-2}', '{1,1}');
SELECT recommender.sample_ratio('{1,NULL}', '{1,1}');
SELECT recommender.sample_ratio('{1,2}', '{1,-1}');
SELECT recommender.adjust_p_values('{0.1,1.1}');
SELECT recommender.adjust_p_values('{0.1,NaN}');
SELECT recommender.adjust_p_values('{{0.1},{0.2}}');
SELECT recommender.adjust_p_values('{0.1}', 'holms');
SELECT recommender.probability_best('{1,2}', '{1}');
SELECT recommender.probability_best('{1,0}', '{1,1}');
SELECT recommender.probability_best('{1,2}', '{1,-1}', 'normal');
SELECT recommender.probability_best('{1,2}', '{1,1}', 'gamma');

-- Variants by hashes of ids
SELECT i, recommender.variant('blend_test', i, '{control,fresh}') AS variant, recommender.variant('blend_test', i, '{control,fresh}', traffic => 0.5) AS of_half,
	   round(recommender.bucket('blend_test', i)::numeric, 6) AS bucket FROM generate_series(1, 6) i;
-- Arms of a bandit: three rewards of five, one of five, none of none
SELECT arm, round(mean::numeric, 3) AS mean, round(index::numeric, 3) AS index, round(probability::numeric, 6) AS probability FROM recommender.bandit_arms('{5,5,0}', '{3,1,0}');
SELECT arm, mean, round(probability::numeric, 6) AS probability FROM recommender.bandit_arms('{5,5,0}', '{3,1,0}', policy => 'epsilon_greedy', options => '{"epsilon": 0.3, "floor": 0}');
SELECT recommender.draw('{0.2,0.5,0.3}', 'shelf', 42, '2025-01-01') AS arm;
SELECT arm, round(mean::numeric, 3) AS mean, round(index::numeric, 3) AS index FROM
	(SELECT array_agg(s ORDER BY arm) AS states FROM (SELECT arm, recommender.linear_state(reward, ARRAY[1, x]) AS s FROM (VALUES (1, 1, 0), (1, 0, 1), (2, 1, 1), (2, 1, 0)) v (arm, reward, x) GROUP BY arm) l) a,
	recommender.linear_bandit_arms(states, '{1,1}', 'linucb');
-- The value of another policy: by hand (2 * 1 + 0.4 * 0) / 2 and (2 * 1 + 0.4 * 0) / (2 + 0.4)
SELECT e.estimator, round(e.value::numeric, 6) AS value, e.n, round(e.effective_n::numeric, 4) AS effective_n, e.mean_weight, e.max_weight, e.warnings
FROM (SELECT recommender.off_policy(reward, propensity, target) AS o FROM (VALUES (1, 0.25, 0.5), (0, 0.5, 0.2)) v (reward, propensity, target)) l, unnest(o) e;
SELECT e.estimator, round(e.value::numeric, 6) AS value
FROM (SELECT recommender.off_policy(reward, propensity, target, q, qt, '{"clip": 1, "lambda": 1}') AS o FROM (VALUES (1, 0.25, 0.5, 0.6, 0.5), (0, 0.5, 0.2, 0.3, 0.35)) v (reward, propensity, target, q, qt)) l, unnest(o) e;

SELECT recommender.bucket('a', now());
SELECT recommender.bucket('a', 1.5::float8);
SELECT recommender.variant('a', 1, '{}');
SELECT recommender.variant('a', 1, '{a,NULL}');
SELECT recommender.variant('a', 1, '{a,b,a}');
SELECT recommender.variant('a', 1, '{a,b}', '{0.5,0.6}');
SELECT recommender.variant('a', 1, '{a,b}', '{1.5,-0.5}');
SELECT recommender.variant('a', 1, '{a,b}', '{1}');
SELECT recommender.variant('a', 1, '{a,b}', traffic => 1.1);
SELECT recommender.variant('a', 1, '{a,b}', layer_to => 0.5);
SELECT recommender.variant('a', 1, '{a,b}', layer => 'l', layer_from => 0.6, layer_to => 0.5);
SELECT recommender.draw('{0.5,0.4}', 'a', 1);
SELECT * FROM recommender.bandit_arms('{1,2}', '{1}');
SELECT * FROM recommender.bandit_arms('{1,2}', '{1,3}');
SELECT * FROM recommender.bandit_arms('{1,-2}', '{1,0}', policy => 'ucb1');
SELECT * FROM recommender.bandit_arms('{1,2}', '{1,2}', policy => 'thomson');
SELECT * FROM recommender.bandit_arms('{1,2}', '{1,2}', policy => 'linucb');
SELECT * FROM recommender.bandit_arms('{1,2}', '{1,2}', options => '{"epsilom": 1}');
SELECT * FROM recommender.bandit_arms('{1,2}', '{1,2}', options => '{"epsilon": 2}');
SELECT * FROM recommender.bandit_arms('{1,2}', '{1,2}', options => '[]');
SELECT * FROM recommender.linear_bandit_arms('{1,1,1,1}', '{1}');
SELECT * FROM recommender.linear_bandit_arms('{{1,1,1,1}}', '{1,2}');
SELECT * FROM recommender.linear_bandit_arms('{{1,1,1,1}}', '{1}', 'ucb1');
SELECT recommender.linear_state(1, '{}');
SELECT recommender.linear_state(1, array_fill(1::float8, ARRAY[65]));
SELECT recommender.linear_state(x, CASE x WHEN 1 THEN ARRAY[1, 2] ELSE ARRAY[1] END) FROM generate_series(1, 2) x;
SELECT recommender.off_policy(1, 0, 1);
SELECT recommender.off_policy(1, 0.5, 2);
SELECT recommender.off_policy(1, 0.5, 0.5, 1, 1, ('{"clip": ' || x || '}')::jsonb) FROM generate_series(1, 2) x;
SELECT recommender.off_policy(1, 0.5, 0.5, CASE x WHEN 1 THEN 1 END, 1) FROM generate_series(1, 2) x;
SELECT recommender.off_policy(1, 0.5, 0.5, 1, 1, '{"clop": 1}');

-- Results from queries: four people each; outcomes at the moment of exposure and after the window do not count
CREATE TEMP TABLE seen (person int, variant text, at timestamptz);
CREATE TEMP TABLE bought (person int, at timestamptz, amount float8);
INSERT INTO seen SELECT i, CASE WHEN i <= 4 THEN 'old' ELSE 'new' END, '2025-01-01 00:00Z' FROM generate_series(1, 8) i;
INSERT INTO bought VALUES (1, '2025-01-01 00:00Z', 100), (1, '2025-01-02 00:00Z', 3), (2, '2025-01-08 00:00Z', 5), (3, '2025-01-08 00:01Z', 100),
	(5, '2025-01-02 00:00Z', 4), (6, '2025-01-03 00:00Z', 8), (7, '2025-01-03 00:00Z', 6), (9, '2025-01-03 00:00Z', 100);
SELECT metric, segment, variant, baseline, units, value, baseline_value, effect, round(standard_error::numeric, 4) AS standard_error, round(p_value::numeric, 4) AS p_value,
	   round(chance_to_win::numeric, 4) AS chance_to_win, method, warnings
FROM recommender.experiment_results('SELECT * FROM seen', 'SELECT * FROM bought', method => 'welch', baseline => 'old', relative => false);
SELECT variant, value, baseline_value, effect, method FROM recommender.experiment_results('SELECT * FROM seen', 'SELECT * FROM bought', kind => 'share', method => 'z', baseline => 'old');

SELECT * FROM recommender.experiment_results(NULL, 'SELECT * FROM bought', method => 'welch');
SELECT * FROM recommender.experiment_results('SELECT * FROM seen', 'SELECT * FROM bought');
SELECT * FROM recommender.experiment_results('SELECT * FROM seen', 'SELECT * FROM bought', method => 'welch', kind => 'sum');
SELECT * FROM recommender.experiment_results('SELECT * FROM seen', 'SELECT * FROM bought', method => 'welch', baseline => 'odl');
SELECT * FROM recommender.experiment_results('SELECT * FROM seen', 'SELECT * FROM bought', method => 'welch', weights => '{1}');
SELECT * FROM recommender.experiment_results('SELECT person, at FROM seen', 'SELECT * FROM bought', method => 'welch');
SELECT * FROM recommender.experiment_results('SELECT person, at, variant FROM seen', 'SELECT * FROM bought', method => 'welch');
SELECT * FROM recommender.experiment_results('SELECT * FROM seen', 'SELECT person::text, at, amount FROM bought', method => 'welch');
SELECT * FROM recommender.experiment_results('SELECT * FROM seen', 'SELECT person, at, ''NaN''::float8 FROM bought', method => 'welch');
SELECT * FROM recommender.experiment_results('SELECT 1; SELECT 2', 'SELECT * FROM bought', method => 'welch');
DROP TABLE seen, bought;

-- What was shown
SELECT round(recommender.rank_overlap('{tea,mug,pot}'::text[], '{tea,pot,cup}'::text[])::numeric, 4) AS rank_overlap, recommender.jaccard('{tea,mug,pot}'::text[], '{tea,pot,cup}'::text[]) AS jaccard,
	   round(recommender.divergence('{5,3,2}', '{2,3,5}')::numeric, 4) AS divergence, (SELECT round(recommender.entropy(x)::numeric, 4) FROM unnest('{8,4,2,2,0}'::float8[]) x) AS entropy;
SELECT recommender.rank_overlap('{1}'::int[], '{1}'::int[], 1);
SELECT recommender.rank_overlap('{{1}}'::int[], '{1}'::int[]);
SELECT recommender.divergence('{1,2}', '{1}');
SELECT recommender.divergence('{1,-2}', '{1,1}');
SELECT recommender.divergence('{1,2}', '{1,1}', smoothing => 2);
SELECT recommender.divergence('{1,2}', '{1,1}', 'hellinger');
SELECT recommender.entropy(x) FROM unnest('{1,-1}'::float8[]) x;

-- Two rankings in one list; the coins of user 7 are fixed by the salt
SELECT * FROM recommender.interleave('{tea,mug,pot}'::text[], '{pot,cup,tea}'::text[], 'new blend', 7, '2025-01-01', 4);
SELECT round(recommender.sign_test(24, 8)::numeric, 6) AS p_value;
-- Two lists of two items in both orders: the second place is looked at half as often
SELECT p.rank, round(p.examination::numeric, 3) AS examination, round(p.ci_low::numeric, 3) AS ci_low, round(p.ci_high::numeric, 3) AS ci_high, p.shown, p.clicked, p.pairs
FROM (SELECT recommender.position_bias(item, rank, shown, clicked) AS ranks FROM (VALUES ('tea', 1, 1000, 400), ('tea', 2, 1000, 200), ('mug', 1, 1000, 100), ('mug', 2, 1000, 50), ('pot', 3, 500, 100)) v (item, rank, shown, clicked)) b, unnest(ranks) p;

SELECT * FROM recommender.interleave('{a}'::text[], '{b}'::text[], 's', 1, k => -1);
SELECT recommender.sign_test(-1, 1);
SELECT recommender.position_bias('a', 0, 1, 1);
SELECT recommender.position_bias('a', 101, 1, 1);
SELECT recommender.position_bias('a', 1, 1, 2);

-- Groups: means 2 and 5; of the 20 ways to part six values, 2 differ as much
SELECT group_value, measure, value, round(ci_low::numeric, 4) AS ci_low, round(ci_high::numeric, 4) AS ci_high, n, p_value < 0.15 AS below
FROM (SELECT recommender.disparity(g, x) AS d FROM (VALUES ('a', 1), ('a', 2), ('a', 3), ('b', 4), ('b', 5), ('b', 6)) v (g, x)) e, unnest(d);
SELECT recommender.disparity('a', 'NaN');
SELECT recommender.disparity('a', 1, -1, 0);
SELECT recommender.disparity('a', 1, x, 0) FROM generate_series(1, 2) x;
