/*
 * test/pgtap/experiment.sql
 *	  Statistics of groups against published values, exact sums in numeric, and
 *	  simulations.
 *
 * Published values: GrowthBook, packages/stats/tests at 8f1db445; statsmodels,
 * stats/tests/test_proportion.py and test_multi.py; Kohavi's example of a
 * sample ratio; Evan Miller's sums.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL search_path = public, oracle;

SELECT plan(213);

CREATE SCHEMA oracle;

CREATE FUNCTION oracle.divide(float8[], float8) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(x / $2 ORDER BY i) FROM unnest($1) WITH ORDINALITY u (x, i)
$$;
CREATE OPERATOR oracle./ (leftarg = float8[], rightarg = float8, function = oracle.divide);

-- Is a value what it should be, up to a number of digits after the point?
CREATE FUNCTION oracle.near(value float8, expected float8, digits int, description text) RETURNS text LANGUAGE sql AS $$
	SELECT ok(abs(value - expected) <= 0.5000001 * 10.0 ^ -digits, format('%s: %s, expected %s', description, value, expected))
$$;

-- And relatively, up to a tolerance?
CREATE FUNCTION oracle.close(value float8, expected float8, tolerance float8, description text) RETURNS text LANGUAGE sql AS $$
	SELECT ok(abs(value - expected) <= tolerance * abs(expected), format('%s: %s, expected %s', description, value, expected))
$$;

/* ------------------------------------------------------------------------
 * GrowthBook's tests of two groups
 * ------------------------------------------------------------------------ */

-- n, sum and sum of squares of two groups of revenue
CREATE FUNCTION oracle.revenue(n_a bigint, relative boolean, method text DEFAULT 'welch', alternative text DEFAULT 'two_sided', horizon bigint DEFAULT NULL)
RETURNS recommender.test_result LANGUAGE sql AS $$
	SELECT recommender.compare_means(n_a, 1396.87 / n_a, (52377.9767 - 1396.87 ^ 2 / n_a) / (n_a - 1),
		3461, 2422.7 / 3461, (134698.29 - 2422.7 ^ 2 / 3461) / 3460, relative, method, alternative, 0.05, horizon)
$$;

SELECT oracle.near((to_jsonb(r) ->> key)::float8, expected, 5, format('%s, %s', title, key))
FROM (VALUES
	('Welch', oracle.revenue(3407, false), '{"effect": 0.29, "standard_error": 0.12478, "ci_low": 0.04538, "ci_high": 0.53462, "p_value": 0.02016}'::jsonb),
	('Welch, relative', oracle.revenue(3407, true), '{"effect": 0.70732, "standard_error": 0.37879, "ci_low": -0.03526, "ci_high": 1.44989, "p_value": 0.06191}'),
	('shares by Welch, relative', recommender.compare_proportions(14, 28, 16, 30, true, 'welch'),
		'{"effect": 0.06667, "standard_error": 0.2717, "ci_low": -0.47767, "ci_high": 0.61101, "p_value": 0.80707}'),
	('sequential, relative', oracle.revenue(3000, true, 'sequential', horizon => 1000), '{"effect": 0.50336, "standard_error": 0.33341, "ci_low": -0.55844, "ci_high": 1.56516, "p_value": 1}'),
	('sequential, absolute', oracle.revenue(3000, false, 'sequential', horizon => 5000), '{"effect": 0.23438, "ci_low": -0.16012, "ci_high": 0.62887, "p_value": 0.76013}'),
	('sequential, shares', recommender.compare_proportions(1396, 3000, 2422, 3461, true, 'sequential', horizon => 5000),
		'{"effect": 0.50386, "standard_error": 0.03386, "ci_low": 0.40098, "ci_high": 0.60675, "p_value": 0}'),
	('greater, relative', oracle.revenue(3000, true, 'welch', 'greater'), '{"effect": 0.50336, "ci_low": -0.04514, "p_value": 0.06558}'),
	('greater, absolute', oracle.revenue(3000, false, 'welch', 'greater'), '{"ci_low": 0.02079, "p_value": 0.03554}'),
	('less, relative', oracle.revenue(3000, true, 'welch', 'less'), '{"ci_high": 1.05186, "p_value": 0.93442}'),
	('sequential, greater, relative', oracle.revenue(3000, true, 'sequential', 'greater', 5000), '{"ci_low": -0.42356}'),
	-- GrowthBook returns .46316: its bisection ends one step after the value that it has tested
	('sequential, greater, absolute', oracle.revenue(3000, false, 'sequential', 'greater', 5000), '{"ci_low": -0.12657, "p_value": 0.46305}'),
	('sequential, less, absolute', oracle.revenue(3000, false, 'sequential', 'less', 5000), '{"ci_high": 0.59532, "p_value": 1}'),
	('z of 200 and 250 of 10,000', recommender.compare_proportions(200, 10000, 250, 10000), '{"statistic": 2.3839951, "p_value": 0.0171258, "ci_low": 0.00089, "ci_high": 0.00911}'),
	('z of 15 and 10 of 20', recommender.compare_proportions(15, 20, 10, 20), '{"statistic": -1.6329932, "p_value": 0.1024704}')
) v (title, r, wanted), jsonb_each_text(wanted) w (key, value), LATERAL (SELECT value::float8) e (expected);
SELECT oracle.near((oracle.revenue(3407, false)).degrees_of_freedom, 5841.742, 3, 'Welch''s degrees of freedom');

-- CUPED of small groups, of GrowthBook's, and its theta
SELECT oracle.near(value, expected, 10, 'CUPED of three and three, ' || name)
FROM recommender.cuped(3, 31 / 3.0, 26 / 3.0, 7 / 3.0, 13 / 3.0, 19 / 6.0, 3, 38 / 3.0, 34 / 3.0, 7 / 3.0, 4 / 3.0, 5 / 3.0) c,
	recommender.compare_means(3, c.mean_a, c.variance_a, 3, c.mean_b, c.variance_b) t,
	LATERAL (VALUES ('theta', c.theta, 0.8636363636), ('effect', t.effect, 0.0303030303), ('standard error', t.standard_error, 0.4261321549)) v (name, value, expected);
SELECT oracle.near(value, expected, 5, 'CUPED of GrowthBook''s, ' || name)
FROM recommender.cuped(3000, 1396.87 / 3000, 16.87 / 3000, (52377.9767 - 1396.87 ^ 2 / 3000) / 2999, (527.9767 - 16.87 ^ 2 / 3000) / 2999, (1 - 1396.87 * 16.87 / 3000) / 2999,
		3461, 2422.7 / 3461, 22.7 / 3461, (134698.29 - 2422.7 ^ 2 / 3461) / 3460, (1348.29 - 22.7 ^ 2 / 3461) / 3460, (1 - 2422.7 * 22.7 / 3461) / 3460) c,
	-- its effects are relative to the mean that is not adjusted; ours is, which moves the sixth digit
	recommender.compare_means(3000, mean_a, variance_a, 3461, mean_b, variance_b, true, 'sequential', horizon => 5000) t,
	LATERAL (VALUES ('ci_low', ci_low, -0.50971), ('ci_high', ci_high, 1.51649)) v (name, value, expected);
SELECT oracle.near((recommender.cuped(4, avg(y), avg(x), var_samp(y), var_samp(x), covar_samp(y, x), 4, avg(y), avg(x), var_samp(y), var_samp(x), covar_samp(y, x))).theta,
				   0.01864, 5, 'theta of GrowthBook''s')
FROM (VALUES (0.3::float8, 2::float8), (0.5, 1), (0.9, 5), (22, 3)) v (x, y);

-- Ratios
SELECT oracle.near(value, expected, 10, 'ratio of four, ' || name)
FROM (SELECT (recommender.moments(ARRAY[n, d])).* FROM (VALUES (3, 2), (0, 1), (5, 4), (2, 2)) v (n, d)) m,
	-- against itself the error is that of one ratio times the root of 2
	recommender.compare_ratios(m.n, m.means, m.covariances, m.n, m.means, m.covariances) t,
	LATERAL (VALUES ('value', m.means[1] / m.means[2], 1.1111111111), ('standard error', t.standard_error / sqrt(2), 0.1901929219)) v (name, value, expected);

-- sums of numerator, denominator and both before, and of their products
CREATE FUNCTION oracle.sums(n float8, m float8, d float8, mp float8, dp float8, mm float8, dd float8, mpmp float8, dpdp float8,
	m_mp float8, d_dp float8, mp_dp float8, m_d float8, m_dp float8, mp_d float8, OUT n_units bigint, OUT means float8[], OUT covariances float8[]) LANGUAGE sql AS $$
	SELECT n::bigint, ARRAY[m, d, mp, dp] / n, ARRAY[
		ARRAY[mm - m * m / n, m_d - m * d / n, m_mp - m * mp / n, m_dp - m * dp / n] / (n - 1),
		ARRAY[m_d - m * d / n, dd - d * d / n, mp_d - d * mp / n, d_dp - d * dp / n] / (n - 1),
		ARRAY[m_mp - m * mp / n, mp_d - d * mp / n, mpmp - mp * mp / n, mp_dp - mp * dp / n] / (n - 1),
		ARRAY[m_dp - m * dp / n, d_dp - d * dp / n, mp_dp - mp * dp / n, dpdp - dp * dp / n] / (n - 1)]
$$;

SELECT oracle.near((to_jsonb(r) ->> key)::float8, value::float8, 5, format('%s, %s', title, key))
FROM oracle.sums(100, 485.112236689623, 679.9093275844917, 192.59138069991536, 290.1398399750233, 2715.484666118136, 4939.424001640236, 460.076026390857, 920.9461385038898,
		1113.6215759318352, 2130.9404074446747, 634.239482353647, 3602.146836776702, 1559.2878434944676, 1460.3181079276983) a,
	oracle.sums(100, 514.7757826608777, 705.4090874383759, 206.94157227402536, 302.54389139107326, 2994.897482705013, 5291.36604146392, 514.2903702246757, 994.4506208125663,
		1237.0953021125997, 2292.081739775257, 698.4173425817908, 3918.1561431600717, 1701.0287270040265, 1604.0759503266522) b,
	LATERAL (VALUES
		('ratios with CUPED', recommender.compare_ratios(a.n_units, a.means, a.covariances, b.n_units, b.means, b.covariances, true),
		 '{"effect": -0.0007, "standard_error": 0.00391, "ci_low": -0.00841, "ci_high": 0.00700, "p_value": 0.85771}'::jsonb),
		('ratios with CUPED, sequential', recommender.compare_ratios(a.n_units, a.means, a.covariances, b.n_units, b.means, b.covariances, true, 'sequential', horizon => 5000),
		 '{"ci_low": -0.02063, "ci_high": 0.01923}')) v (title, r, wanted), jsonb_each_text(wanted);

-- GrowthBook's data of a negative baseline: negating the metric negates the effect and keeps its error.  (Its own
-- values are those of a theta that is fixed at .5, which ours is not.)
CREATE TABLE oracle.ratio (arm int, m float8, d float8, mp float8, dp float8);
INSERT INTO oracle.ratio SELECT 0, * FROM unnest('{12,19,16,24,21,9,14,26}'::float8[], '{1,2,1.5,2.5,2,1,1.5,2.5}'::float8[], '{16,11,21,19,26,11,9,21}'::float8[], '{1.5,1,2,2,2.5,1,1,2}'::float8[]);
INSERT INTO oracle.ratio SELECT 1, * FROM unnest('{17,12,23,28,12,22,29,16}'::float8[], '{1.5,1,2,2.5,1,2,2.5,1.5}'::float8[], '{11,17,22,27,10,27,21,16}'::float8[], '{1,1.5,2,2.5,1,2.5,2,1.5}'::float8[]);
CREATE FUNCTION oracle.compare(sign float8, relative boolean) RETURNS recommender.test_result LANGUAGE sql AS $$
	SELECT recommender.compare_ratios((a.m).n, (a.m).means, (a.m).covariances, (b.m).n, (b.m).means, (b.m).covariances, relative)
	FROM (SELECT recommender.moments(ARRAY[sign * m, d, sign * mp, dp]) AS m FROM oracle.ratio WHERE arm = 0) a,
		(SELECT recommender.moments(ARRAY[sign * m, d, sign * mp, dp]) AS m FROM oracle.ratio WHERE arm = 1) b
$$;
SELECT oracle.close((oracle.compare(-1, true)).effect, -(oracle.compare(1, true)).effect, 1e-12, 'a negative baseline negates the effect');
SELECT oracle.close((oracle.compare(-1, true)).standard_error, (oracle.compare(1, true)).standard_error, 1e-12, 'and keeps its error');

-- ratios against the variance of linearised units, computed from the rows
WITH arm AS (SELECT arm, avg(m) / avg(d) AS r, avg(mp) / avg(dp) AS rp, avg(d) AS ad, avg(dp) AS adp FROM oracle.ratio GROUP BY arm),
unit AS (SELECT arm, r + (m - r * d) / ad AS y, rp + (mp - rp * dp) / adp AS x FROM oracle.ratio JOIN arm USING (arm)),
theta AS (SELECT sum(c) / sum(v) AS theta FROM (SELECT covar_samp(y, x) AS c, var_samp(x) AS v FROM unit GROUP BY arm) t),
adjusted AS (SELECT arm, count(*) AS n, avg(y - theta * x) AS mean, var_samp(y - theta * x) AS variance FROM unit, theta GROUP BY arm)
SELECT oracle.close(value, expected, 1e-12, 'ratios with CUPED by linearised units: ' || name)
FROM adjusted a, adjusted b, oracle.compare(1, false) t, recommender.compare_means(a.n, a.mean, a.variance, b.n, b.mean, b.variance) e,
	LATERAL (VALUES ('effect', t.effect, e.effect), ('standard error', t.standard_error, e.standard_error), ('degrees of freedom', t.degrees_of_freedom, e.degrees_of_freedom), ('p-value', t.p_value, e.p_value)) v (name, value, expected)
WHERE a.arm = 0 AND b.arm = 1;

-- relative effects of ratios by differences of the effect in each mean
CREATE FUNCTION oracle.lift(m float8[], theta float8) RETURNS float8 LANGUAGE sql AS $$
	SELECT ((m[5] / m[6] - theta * m[7] / m[8]) - (m[1] / m[2] - theta * m[3] / m[4])) / abs(m[1] / m[2])
$$;
WITH arm AS (SELECT recommender.moments(ARRAY[m, d, mp, dp]) FILTER (WHERE arm = 0) AS a, recommender.moments(ARRAY[m, d, mp, dp]) FILTER (WHERE arm = 1) AS b FROM oracle.ratio),
-- theta from the effect, which is linear in it
theta AS (SELECT a, b, (a).means || (b).means AS m, (oracle.lift((a).means || (b).means, 0) - (oracle.compare(1, true)).effect)
		  / (oracle.lift((a).means || (b).means, 0) - oracle.lift((a).means || (b).means, 1)) AS theta FROM arm),
slope AS (SELECT i, (oracle.lift((SELECT array_agg(x + CASE WHEN j = i THEN 1e-6 ELSE 0 END ORDER BY j) FROM unnest(m) WITH ORDINALITY u (x, j)), theta)
					 - oracle.lift((SELECT array_agg(x - CASE WHEN j = i THEN 1e-6 ELSE 0 END ORDER BY j) FROM unnest(m) WITH ORDINALITY u (x, j)), theta)) / 2e-6 AS g
		  FROM theta, generate_series(1, 8) i)
SELECT oracle.close((oracle.compare(1, true)).standard_error,
	sqrt((SELECT sum(x.g * y.g * CASE WHEN x.i <= 4 AND y.i <= 4 THEN (a).covariances[x.i][y.i] WHEN x.i > 4 AND y.i > 4 THEN (b).covariances[x.i - 4][y.i - 4] ELSE 0 END)
		  FROM slope x, slope y) / 8), 1e-7, 'the error of a relative ratio, by its slopes')
FROM theta;

/* ------------------------------------------------------------------------
 * Distributions, against exact sums in numeric
 * ------------------------------------------------------------------------ */

-- Student's t with an even number of degrees of freedom, which two groups of equal size and variance have
CREATE FUNCTION oracle.t_two_sided(t numeric, df int) RETURNS numeric LANGUAGE sql AS $$
	WITH RECURSIVE term AS (
		SELECT 0 AS k, 1.0::numeric + 1e-60 - 1e-60 AS x, 1::numeric AS total
		UNION ALL SELECT k + 1, x * (2 * k + 1) / (2 * k + 2) * df / (df + t * t), total + x * (2 * k + 1) / (2 * k + 2) * df / (df + t * t) FROM term WHERE k + 1 < df / 2)
	SELECT 1 - t / sqrt((df + t * t)::numeric(100, 60)) * total FROM term ORDER BY k DESC LIMIT 1
$$;
SELECT oracle.close((recommender.compare_means(df / 2 + 1, 0, (df / 2 + 1) / 2.0, df / 2 + 1, t, (df / 2 + 1) / 2.0)).p_value, oracle.t_two_sided(t, df)::float8, 1e-12,
	format('Student''s t of %s with %s degrees of freedom', t, df))
FROM unnest(ARRAY[2, 4, 30, 400]) df, unnest(ARRAY[0.1, 1, 2.5, 8]) t;
-- published quantiles (Abramowitz and Stegun, table 26.10): by the half width of an interval
SELECT oracle.near(-(recommender.compare_means(n, 0, n / 2.0, n, 0, n / 2.0, alpha => alpha)).ci_low, t, 3, format('quantile of Student''s t with %s degrees of freedom', 2 * n - 2))
FROM (VALUES (2, 0.05, 4.303), (6, 0.05, 2.228), (6, 0.01, 3.169), (16, 0.001, 3.646), (61, 0.05, 1.980)) v (n, alpha, t);
-- an interval ends where the p-value of what lies between is alpha
SELECT oracle.close(u.p_value, alpha, 1e-9, format('the interval and the p-value of %s, %s, %s', method, alternative, alpha))
FROM unnest(ARRAY['welch', 'z', 'sequential']) method, unnest(ARRAY['two_sided', 'greater', 'less']) alternative, unnest(ARRAY[0.05, 0.2]) alpha,
	LATERAL recommender.compare_means(17, 3, 5, 23, 4, 9, false, method, alternative, alpha, CASE method WHEN 'sequential' THEN 100 END) t,
	LATERAL recommender.compare_means(17, 3, 5, 23, 4 - CASE alternative WHEN 'less' THEN t.ci_high ELSE t.ci_low END, 9, false, method, alternative, alpha, CASE method WHEN 'sequential' THEN 100 END) u;

-- the normal distribution by its series
CREATE FUNCTION oracle.normal(x numeric) RETURNS numeric LANGUAGE sql AS $$
	WITH RECURSIVE term AS (
		SELECT 0 AS k, round(x, 100) AS y, round(x, 100) AS total
		UNION ALL SELECT k + 1, round(-y * x * x / (2 * (k + 1)), 100), total - y * x * x / (2 * (k + 1)) / (2 * k + 3) FROM term WHERE k < 400)
	SELECT 0.5 + total / sqrt(2 * 3.14159265358979323846264338327950288419716939937510582097494459) FROM term ORDER BY k DESC LIMIT 1
$$;
SELECT oracle.close((recommender.probability_best(ARRAY[0, x], '{0,1}', 'normal'))[2], oracle.normal(x)::float8, 1e-13, format('normal distribution at %s', x))
FROM unnest(ARRAY[-6, -2.5, -0.3, 0, 1.7, 5]) x;

-- chi-square with an even number of degrees of freedom
SELECT oracle.close(p_value, (SELECT sum(exp(-(statistic::numeric(60, 40)) / 2) * (statistic::numeric(60, 40) / 2) ^ i / factorial(i)) FROM generate_series(0, degrees_of_freedom / 2 - 1) i)::float8, 1e-12,
	format('chi-square of %s with %s degrees of freedom', round(statistic::numeric, 3), degrees_of_freedom))
FROM (VALUES ('{100,110,120}'::bigint[], '{1,1,1}'::float8[]), ('{1000,1200,900}', '{1,1,1}'), ('{10,11,12,9,8,10,10}', '{1,1,1,1,1,1,1}'), ('{200,90,80,100,0}', '{4,2,2,2,0}')) v (observed, expected),
	LATERAL recommender.sample_ratio(observed, expected) WHERE degrees_of_freedom % 2 = 0;

/* ------------------------------------------------------------------------
 * Shares of units and several tests
 * ------------------------------------------------------------------------ */

SELECT oracle.close(p, expected, 1e-3, 'sample ratio: ' || title)
FROM (VALUES
	('Kohavi', (recommender.sample_ratio('{821588,815482}', '{1,1}')).p_value, 1.82e-6),
	('Kohavi''s statistic', (recommender.sample_ratio('{821588,815482}', '{1,1}')).statistic, 22.774369),
	('Kohavi, sequential', (recommender.sample_ratio('{821588,815482}', '{1,1}', true)).p_value, 0.0014556),
	('1000 and 1100', (recommender.sample_ratio('{1000,1100}', '{1,1}')).p_value, 0.0290963),
	('1000 and 1100, sequential', (recommender.sample_ratio('{1000,1100}', '{1,1}', true)).p_value, 0.4835322),
	('three groups', (recommender.sample_ratio('{5000,5200,4800}', '{1,1,1}')).p_value, 0.000335463),
	('5000 and 5400, sequential', (recommender.sample_ratio('{5000,5400}', '{1,1}', true)).p_value, 0.0050309),
	('as expected, sequential', (recommender.sample_ratio('{50,50}', '{1,1}', true)).p_value, 1),
	('no units', (recommender.sample_ratio('{0,0}', '{1,1}')).p_value, 1)) v (title, p, expected);

SELECT is(ARRAY(SELECT round(p::numeric, 7) FROM unnest(adjusted) p), wanted, title)
FROM (VALUES
	('Holm', recommender.adjust_p_values('{.01,.04,.03,.005,.55,.6}'), '{0.05,0.12,0.12,0.03,1,1}'::numeric[]),
	('Benjamini and Hochberg', recommender.adjust_p_values('{.898,.138,.007,.964,.538,.006,.138}', 'benjamini_hochberg'), '{0.964,0.2415,0.0245,0.964,0.7532,0.0245,0.2415}'),
	('NULL is not counted', recommender.adjust_p_values('{.01,NULL,.04,NULL}'), '{0.02,NULL,0.04,NULL}'),
	('Bonferroni', recommender.adjust_p_values('{.01,.5,NULL}', 'bonferroni'), '{0.02,1,NULL}'),
	('none', recommender.adjust_p_values('{.01,.5}', 'none'), '{0.01,0.5}'),
	('nothing', recommender.adjust_p_values('{}'), '{}')) v (title, adjusted, wanted);
-- against the definition, with ties
SELECT is_empty($$
	WITH list AS (SELECT n, ARRAY(SELECT round((hashint8extended(i, n) & 1023)::numeric / 1023, 2)::float8 FROM generate_series(1, 1 + n % 9) i) AS p FROM generate_series(1, 100) n),
	value AS (SELECT n, i, q, cardinality(p) AS m, row_number() OVER (PARTITION BY n ORDER BY q, i) AS rank FROM list, unnest(p) WITH ORDINALITY u (q, i))
	SELECT * FROM list, unnest(recommender.adjust_p_values(p), recommender.adjust_p_values(p, 'benjamini_hochberg')) WITH ORDINALITY a (holm, bh, i)
	JOIN LATERAL (SELECT max(least(1, w.q * (w.m - w.rank + 1))) FILTER (WHERE w.rank <= v.rank) AS holm, min(w.q * w.m / w.rank) FILTER (WHERE w.rank >= v.rank) AS bh
				  FROM value v JOIN value w USING (n) WHERE v.n = list.n AND v.i = a.i) o ON abs(o.holm - a.holm) > 1e-12 OR abs(o.bh - a.bh) > 1e-12
$$, 'Holm, Benjamini and Hochberg by their definitions');

/* ------------------------------------------------------------------------
 * Power
 * ------------------------------------------------------------------------ */

SELECT oracle.near(value, expected, digits, title)
FROM (VALUES
	('GrowthBook''s power', recommender.power_of(10, .05, 400000 / 3.0, 3909.9997749994377), 0.52144, 5),
	('and detectable effect', recommender.detectable_effect(10, 400000 / 3.0, .8, 3909.9997749994377), 0.07027, 5),
	('R, two shares', recommender.power_of(.75, -.25, 76.70692, relative => false, method => 'z'), 0.9, 6),
	('Stata, two shares', recommender.power_of(.015, -.014, 550, relative => false, method => 'z'), 0.7415600, 6),
	('R, power of a half', recommender.power_of(.65, -.15, 83.4373, relative => false, method => 'z'), 0.5, 5),
	('Stata, unequal groups', recommender.power_of(.1, .1, 154, relative => false, method => 'z', ratio => 2), 0.7995659, 6),
	-- GrowthBook's own .20596 inflates the error instead; this is the probability of the interval
	('sequential, last look', recommender.power_of(10, .05, 400000 / 3.0, 3909.9997749994377, method => 'sequential', horizon => 5000), 0.0720649, 6),
	-- simulated with 20,000 runs: .150
	('sequential, any of 50 looks', recommender.power_of(10, .05, 400000 / 3.0, 3909.9997749994377, method => 'sequential', horizon => 5000, looks => 50), 0.150, 2),
	-- Armitage, McPherson and Rowe 1969, table 2
	('peeking, 2 looks', recommender.power_of(.5, 0, 1000, method => 'z', looks => 2), 0.0831, 4),
	('peeking, 5 looks', recommender.power_of(.5, 0, 1000, method => 'z', looks => 5), 0.142, 3),
	('peeking, 10 looks', recommender.power_of(.5, 0, 1000, method => 'z', looks => 10), 0.193, 3),
	('peeking, 20 looks', recommender.power_of(.5, 0, 1000, method => 'z', looks => 20), 0.248, 3),
	('peeking, 50 looks', recommender.power_of(.5, 0, 1000, method => 'z', looks => 50), 0.320, 3)) v (title, value, expected, digits);
-- GrowthBook's weeks; of its shares both groups have the variance of the baseline
SELECT oracle.near(recommender.power_of(.1, .05, 1500 * week, .09), p, 5, format('week %s, share', week))
FROM unnest('{.073,.0965,.1204,.14458,.16895,.19342,.21791,.24235,.26666}'::float8[]) WITH ORDINALITY w (p, week) WHERE week > 3;
SELECT oracle.near(recommender.power_of(.1, .3, 1500 * week, .5), p, 5, format('week %s, mean', week))
FROM unnest('{.17053,.29389,.41122,.51749,.61037,.68938,.75513,.80886,.85213}'::float8[]) WITH ORDINALITY w (p, week);
SELECT oracle.near(recommender.detectable_effect(.1, 1500 * week, variance => variance), effect, 5, format('week %s, detectable effect', week))
FROM (VALUES (1, .09, .36767), (9, .09, .10796), (1, .5, 1.26769), (9, .5, .27647)) v (week, variance, effect);
-- sample size, power and detectable effect are inverse to one another
SELECT ok(recommender.power_of(b, e, n - 1, v, r, 1.5, m, a, .05, h) < 0.8 AND recommender.power_of(b, e, n, v, r, 1.5, m, a, .05, h) >= 0.8
		  AND abs(recommender.detectable_effect(b, n, recommender.power_of(b, e, n, v, r, 1.5, m, a, .05, h), v, r, 1.5, m, a, .05, h) - e) < 1e-9,
		  format('%s, %s, %s: %s units', m, a, e, n))
FROM (VALUES (.2, .05, NULL::float8, false, 'z', 'two_sided', NULL::bigint), (.2, .05, NULL, false, 'welch', 'greater', NULL), (5, .1, 3, true, 'welch', 'two_sided', NULL),
			 (5, -.1, 3, true, 'welch', 'less', NULL), (5, .2, 9, true, 'sequential', 'two_sided', 1000), (-5, .2, 9, true, 'sequential', 'greater', 1000)) d (b, e, v, r, m, a, h),
	LATERAL recommender.sample_size(b, e, .8, v, r, 1.5, m, a, .05, h) n;
SELECT is(recommender.sample_size(.2, .05, relative => false, method => 'z'), 1094::bigint, 'units as R''s power.prop.test (1093.739)');
SELECT is(recommender.detectable_effect(1, 10, .9, 1000), NULL, 'an effect that no size brings about');

/* ------------------------------------------------------------------------
 * The best of several
 * ------------------------------------------------------------------------ */

SELECT is(ARRAY(SELECT round(p::numeric, 8) FROM unnest(got) p), ARRAY(SELECT round(p, 8) FROM unnest(wanted) p), title)
FROM (VALUES
	('120 of 200 and 100 of 200', recommender.probability_best('{121,101}', '{81,101}'), '{0.9775863633,0.0224136367}'::numeric[]),
	('10 and 15 of 100', recommender.probability_best('{11,16}', '{91,86}'), '{0.1467162101,0.8532837899}'),
	('their losses', recommender.expected_loss('{11,16}', '{91,86}'), '{0.0525976960,0.0035780881}'),
	('49 and 51 of 100', recommender.probability_best('{50,52}', '{52,50}'), '{0.3892294773122,0.6107705226877711}'),
	('three shares', recommender.probability_best('{3,1,4}', '{2,3,3}'), '{.5237762238,.0496503497,.4265734266}'),
	('three more', recommender.probability_best('{11,16,13}', '{91,86,89}'), '{.0971046274,.6645701170,.2383252557}'),
	('three means', recommender.probability_best('{.1,.12,.09}', '{.01,.015,.02}', 'normal'), '{.1079317208,.7951683008,.0968999785}'),
	('GrowthBook''s risk', recommender.expected_loss('{0,.1}', '{0,.05}', 'normal'), '{.1004245351,.0004245351}'),
	('and that of a narrow mean', recommender.expected_loss('{0,.01}', '{0,4.5e-9}', 'normal'), '{.01,0}'),
	('one', recommender.probability_best('{3}', '{4}'), '{1}'),
	('none', recommender.probability_best('{}', '{}'), '{}'),
	('known exactly', recommender.probability_best('{1,2,2,0}', '{0,0,0,0}', 'normal'), '{0,0.5,0.5,0}'),
	('known exactly, but one', recommender.probability_best('{0,0,5}', '{0,1,0}', 'normal'), '{0,0.0000002867,0.9999997133}')) v (title, got, wanted);
-- GrowthBook's Bayesian test: the normal lift of two shares, its risks and its interval
SELECT oracle.near(value, expected, digits, 'Bayes of 49 and 51 of 100: ' || name)
FROM recommender.compare_proportions(49, 100, 51, 100, true) t,
	LATERAL (VALUES ('lift', effect, .04082, 5), ('ci_low', ci_low, -.24779, 5), ('ci_high', ci_high, .32943, 5),
		('chance', (recommender.probability_best(ARRAY[0, effect], ARRAY[0, standard_error], 'normal'))[2], .60918, 5),
		('risk of staying', (recommender.expected_loss(ARRAY[0, effect], ARRAY[0, standard_error], 'normal'))[1], .0814, 4),
		('risk of changing', (recommender.expected_loss(ARRAY[0, effect], ARRAY[0, standard_error], 'normal'))[2], .04058, 5)) v (name, value, expected, digits);
-- any three shares with whole parameters, by exact sums
CREATE FUNCTION oracle.beta(a numeric, b numeric) RETURNS numeric LANGUAGE sql AS $$
	SELECT factorial(a::bigint - 1)::numeric(1000, 200) * factorial(b::bigint - 1) / factorial((a + b)::bigint - 1)
$$;
CREATE FUNCTION oracle.choose(n int, k int) RETURNS numeric LANGUAGE sql AS $$ SELECT factorial(n) / (factorial(k) * factorial(n - k)) $$;
CREATE FUNCTION oracle.first_best(a int[], b int[]) RETURNS numeric LANGUAGE sql AS $$
	SELECT sum(oracle.choose(a[2] + b[2] - 1, j) * oracle.choose(a[3] + b[3] - 1, k)
			   * oracle.beta(a[1] + j + k, b[1] + (a[2] + b[2] - 1 - j) + (a[3] + b[3] - 1 - k))) / oracle.beta(a[1], b[1])
	FROM generate_series(a[2], a[2] + b[2] - 1) j, generate_series(a[3], a[3] + b[3] - 1) k
$$;
SELECT is_empty($$
	SELECT a, b, p, oracle.first_best(a, b) FROM (
		SELECT ARRAY(SELECT 1 + (hashint8extended(i, n) & 15)::int FROM generate_series(1, 3) i) AS a, ARRAY(SELECT 1 + (hashint8extended(i, n + 1000) & 15)::int FROM generate_series(1, 3) i) AS b
		FROM generate_series(1, 40) n) d, LATERAL (SELECT recommender.probability_best(a, b)) l (p)
	WHERE abs(p[1] - oracle.first_best(a, b)) > 1e-11 OR abs(p[1] + p[2] + p[3] - 1) > 1e-12
$$, 'three shares by exact sums');
-- extremes: the sum is 1, order does not matter, and nothing is NaN
SELECT is_empty($$
	SELECT a, b, p FROM (VALUES ('{1e-6,1,1e15}'::float8[], '{1e-6,1e-6,1e15}'::float8[]), ('{1e15,1e15,1}', '{1e15,9.9999999e14,1}'), ('{0.5,0.5,0.001}', '{0.5,1000,0.01}'), ('{1e8,3,1e4}', '{1,2,1e8}'), ('{1e15,1e-6,1}', '{1e-6,1e15,1}')) d (a, b),
	LATERAL (SELECT recommender.probability_best(a, b)) l (p), LATERAL (SELECT recommender.probability_best(ARRAY[a[3], a[1], a[2]], ARRAY[b[3], b[1], b[2]])) m (q)
	WHERE NOT abs(p[1] + p[2] + p[3] - 1) < 1e-12 OR NOT abs(p[3] - q[1]) < 1e-9 OR NOT abs(p[1] - q[2]) < 1e-9
$$, 'extreme shares');
SELECT oracle.near((recommender.probability_best(array_fill(7::float8, ARRAY[200]), array_fill(3::float8, ARRAY[200])))[200], 1 / 200.0, 12, 'two hundred alike');

/* ------------------------------------------------------------------------
 * Moments
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.row AS
SELECT i, 1e6 + (hashint8extended(i, 1) & 1023) AS x, (hashint8extended(i, 2) & 7)::float8 AS y, CASE WHEN i % 10 > 0 THEN i % 13 END AS z FROM generate_series(1, 20000) i;
SELECT is_empty($$
	SELECT * FROM (SELECT (recommender.moments(ARRAY[x, y, z])).* FROM oracle.row) m,
		(SELECT count(*) AS n, avg(x) AS x, avg(y) AS y, var_samp(x) AS xx, covar_samp(x, y) AS xy, covar_samp(z, x) AS xz, var_samp(z) AS zz FROM oracle.row WHERE z IS NOT NULL) o
	WHERE m.n <> o.n OR abs(means[1] / o.x - 1) > 1e-13 OR abs(means[2] / o.y - 1) > 1e-12 OR abs(covariances[1][1] / xx - 1) > 1e-10
		OR abs(covariances[1][2] / xy - 1) > 1e-8 OR abs(covariances[3][1] / xz - 1) > 1e-8 OR abs(covariances[3][3] / zz - 1) > 1e-10
		OR covariances[1][2] <> covariances[2][1]
$$, 'moments as PostgreSQL computes them, rows with a null left out');
CREATE FUNCTION oracle.moments() RETURNS recommender.moments_result LANGUAGE sql AS 'SELECT recommender.moments(ARRAY[x, y, z]) FROM oracle.row';
CREATE TABLE oracle.serial AS SELECT * FROM oracle.moments();
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 3;
SELECT is_empty($$
	SELECT s.n, p.n FROM oracle.serial s, (SELECT (m).* FROM (SELECT recommender.moments(ARRAY[x, y, z]) AS m FROM oracle.row) q) p, unnest(s.means, p.means) m (a, b)
	WHERE s.n <> p.n OR abs(a / b - 1) > 1e-13 OR abs(s.covariances[1][2] / p.covariances[1][2] - 1) > 1e-9
$$, 'and in parallel');
SELECT results_eq('SELECT * FROM (SELECT (recommender.moments(ARRAY[x])).* FROM oracle.row WHERE i < 0) m', $$VALUES (0::bigint, NULL::float8[], NULL::float8[])$$, 'moments of no row');
SELECT results_eq('SELECT * FROM (SELECT (recommender.moments(ARRAY[y])).* FROM oracle.row WHERE i = 1) m', $$SELECT 1::bigint, ARRAY[y], NULL::float8[] FROM oracle.row WHERE i = 1$$, 'and of one');

/* ------------------------------------------------------------------------
 * Simulations: what is promised of errors
 * ------------------------------------------------------------------------ */

-- 500 tests of two equal groups, in 20 steps of 96 units each: bits of SHA-256
CREATE TABLE oracle.coin AS
SELECT test, look, (sum(a) OVER w)::bigint AS a, (sum(b) OVER w)::bigint AS b, 96 * look AS n
FROM generate_series(1, 500) test, generate_series(1, 20) look,
	LATERAL (SELECT bit_count(substr(sha256(convert_to(format('%s/%s/a', test, look), 'UTF8')), 1, 12)) AS a, bit_count(substr(sha256(convert_to(format('%s/%s/b', test, look), 'UTF8')), 1, 12)) AS b) h
WINDOW w AS (PARTITION BY test ORDER BY look);
CREATE TABLE oracle.rejection AS
SELECT test, bool_or(p < .05) AS peeking, bool_or(p < .05) FILTER (WHERE look = 20) AS fixed, bool_or(s < .05) AS sequential,
	bool_and(ci_low <= 0 AND ci_high >= 0) AS always, bool_or(u.low <= 0.02 AND u.high >= 0.02) FILTER (WHERE look = 20) AS covered
FROM oracle.coin,
	LATERAL (SELECT (recommender.compare_proportions(a, n, b, n)).p_value AS p) f,
	LATERAL (SELECT p_value AS s, ci_low, ci_high FROM recommender.compare_proportions(a, n, b, n, method => 'sequential', horizon => 3840)) q,
	LATERAL (SELECT ci_low + .02 AS low, ci_high + .02 AS high FROM recommender.compare_proportions(a, n, b, n)) u
GROUP BY test;
SELECT ok(abs(count(*) FILTER (WHERE fixed) - 500 * .05) <= 3 * sqrt(500 * .05 * .95), format('one look: %s of 500 rejected at 5 per cent', count(*) FILTER (WHERE fixed))) FROM oracle.rejection;
SELECT ok(abs(count(*) FILTER (WHERE peeking) - 500 * p) <= 3 * sqrt(500 * p * (1 - p)), format('twenty looks: %s of 500 rejected, %s expected', count(*) FILTER (WHERE peeking), round(500 * p)))
FROM oracle.rejection, recommender.power_of(.5, 0, 1920, method => 'z', looks => 20) p GROUP BY p;
SELECT ok(abs(count(*) FILTER (WHERE sequential) - 500 * p) <= 3 * sqrt(500 * p * (1 - p)) AND p < .05, format('twenty looks, sequential: %s of 500 rejected, %s expected', count(*) FILTER (WHERE sequential), round((500 * p)::numeric, 1)))
FROM oracle.rejection, recommender.power_of(.5, 0, 1920, method => 'sequential', horizon => 3840, looks => 20) p GROUP BY p;
SELECT ok(count(*) FILTER (WHERE always) >= 500 * .95, 'the sequential interval contains the truth at all looks, as promised') FROM oracle.rejection;
SELECT ok(abs(count(*) FILTER (WHERE covered) - 500 * .95) <= 3 * sqrt(500 * .05 * .95), format('the interval contains a planted effect in %s of 500', count(*) FILTER (WHERE covered))) FROM oracle.rejection;

-- 300 pairs of skewed means, with what was known before: coverage of a planted difference, and CUPED's gain
CREATE TABLE oracle.purchase AS
SELECT test, i % 2 AS arm, x, exp(x) + CASE i % 2 WHEN 1 THEN .3 ELSE 0 END + e AS y
FROM generate_series(1, 300) test, generate_series(1, 200) i,
	LATERAL (SELECT (bit_count(substr(h, 1, 8)) - 32) / 4.0::float8 AS x, (bit_count(substr(h, 9, 8)) - 32) / 4.0::float8 AS e FROM sha256(convert_to(format('%s:%s', test, i), 'UTF8')) h) d;
CREATE TABLE oracle.estimate AS
SELECT t.ci_low <= .3 AND t.ci_high >= .3 AS plain, c.ci_low <= .3 AND c.ci_high >= .3 AS cuped, (c.standard_error / t.standard_error) ^ 2 AS gain
FROM (SELECT test, count(*) FILTER (WHERE arm = 0) AS na, avg(y) FILTER (WHERE arm = 0) AS ya, avg(x) FILTER (WHERE arm = 0) AS xa, var_samp(y) FILTER (WHERE arm = 0) AS vya, var_samp(x) FILTER (WHERE arm = 0) AS vxa, covar_samp(y, x) FILTER (WHERE arm = 0) AS ca,
		count(*) FILTER (WHERE arm = 1) AS nb, avg(y) FILTER (WHERE arm = 1) AS yb, avg(x) FILTER (WHERE arm = 1) AS xb, var_samp(y) FILTER (WHERE arm = 1) AS vyb, var_samp(x) FILTER (WHERE arm = 1) AS vxb, covar_samp(y, x) FILTER (WHERE arm = 1) AS cb
	  FROM oracle.purchase GROUP BY test) s,
	LATERAL recommender.compare_means(na, ya, vya, nb, yb, vyb) t,
	LATERAL recommender.cuped(na, ya, xa, vya, vxa, ca, nb, yb, xb, vyb, vxb, cb) a,
	LATERAL recommender.compare_means(na, a.mean_a, a.variance_a, nb, a.mean_b, a.variance_b) c;
SELECT ok(abs(count(*) FILTER (WHERE plain) - 300 * .95) <= 3 * sqrt(300 * .05 * .95), format('%s of 300 intervals contain the difference', count(*) FILTER (WHERE plain))) FROM oracle.estimate;
SELECT ok(abs(count(*) FILTER (WHERE cuped) - 300 * .95) <= 3 * sqrt(300 * .05 * .95), format('%s of 300 with CUPED', count(*) FILTER (WHERE cuped))) FROM oracle.estimate;
SELECT ok(avg(gain) < .7, format('with %s of the variance', round(avg(gain)::numeric, 2))) FROM oracle.estimate;

/* ------------------------------------------------------------------------
 * Nulls, and what cannot be
 * ------------------------------------------------------------------------ */

SELECT is(recommender.compare_means(NULL, 1, 1, 2, 1, 1), NULL, 'a null makes a null');
SELECT is(recommender.compare_means(2, 1, NULL, 2, 1, 1), NULL, 'as the variance of one row is');
SELECT is((recommender.compare_means(5, 0, 1, 5, 1, 1, true)).effect, NULL, 'no effect relative to 0');
SELECT is((recommender.compare_proportions(0, 5, 0, 5)).p_value, NULL, 'no test without variance');
SELECT is((recommender.compare_ratios(5, '{1,0}', '{{1,0},{0,1}}', 5, '{1,1}', '{{1,0},{0,1}}')).effect, NULL, 'no ratio to 0');

SELECT * FROM finish();
ROLLBACK;
