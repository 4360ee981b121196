/*
 * test/pgtap/experiment_results.sql
 *	  Results of experiments from queries against plain SQL, and what was shown:
 *	  overlaps, divergence, entropy and popularity of lists.
 *
 * Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL search_path = public;
SET LOCAL timezone = 'UTC';

SELECT plan(59);

CREATE SCHEMA oracle;

/* ------------------------------------------------------------------------
 * Results
 * ------------------------------------------------------------------------ */

-- 3,000 people, some of them exposed more than once, a few to two variants, some late
CREATE TABLE oracle.exposure AS
SELECT 'u' || i AS unit, CASE WHEN i % 31 = 0 AND n = 2 THEN 'b' ELSE recommender.variant('trial', i, '{a,b,c}', '{0.5,0.25,0.25}') END AS variant,
	'2025-03-01 00:00Z'::timestamptz + (i % 500) * interval '1 hour' + (n - 1) * interval '30 hours' AS at, (ARRAY['DE', 'FR', NULL])[1 + i % 3] AS country
FROM generate_series(1, 3000) i, generate_series(1, 1 + i % 2) n;
CREATE TABLE oracle.outcome AS
SELECT 'u' || i AS unit, '2025-02-20 00:00Z'::timestamptz + recommender.bucket('at' || n, i) * interval '40 days' AS at,
	round((recommender.bucket('value' || n, i) * 10)::numeric, 2)::float8 + CASE recommender.variant('trial', i, '{a,b,c}', '{0.5,0.25,0.25}') WHEN 'b' THEN 2 ELSE 0 END AS value,
	CASE WHEN recommender.bucket('metric' || n, i) < 0.3 THEN 'orders' ELSE 'views' END AS metric
FROM generate_series(1, 3300) i, generate_series(1, i % 7) n;
-- at the very moment, at the end of the window, and after it
INSERT INTO oracle.outcome SELECT unit, min(at), 1000, 'orders' FROM oracle.exposure GROUP BY unit;
INSERT INTO oracle.outcome SELECT unit, min(at) + interval '3 days', 1, 'orders' FROM oracle.exposure GROUP BY unit;
INSERT INTO oracle.outcome SELECT unit, min(at) + interval '3 days 1 microsecond', 1000, 'orders' FROM oracle.exposure GROUP BY unit;
INSERT INTO oracle.outcome VALUES (NULL, now(), 5, 'orders'), ('u1', NULL, 5, 'orders'), ('u1', now(), NULL, 'orders');

CREATE VIEW oracle.unit AS
SELECT unit, min(variant) AS variant, count(DISTINCT variant) > 1 AS several, min(at) AS at, (array_agg(country ORDER BY at, country))[1] AS country FROM oracle.exposure GROUP BY unit;
-- people without a country are in no segment
CREATE FUNCTION oracle.cells(until timestamptz) RETURNS TABLE (metric text, country text, variant text, n bigint, mean float8, variance float8, buyers bigint, before float8, variance_before float8, covariance float8) LANGUAGE sql AS $$
	WITH value AS (
		SELECT u.*, m.metric, (SELECT coalesce(sum(value), 0) FROM oracle.outcome o WHERE o.unit = u.unit AND o.metric = m.metric AND o.at > u.at AND o.at <= u.at + interval '3 days') AS y,
			(SELECT coalesce(sum(value), 0) FROM oracle.outcome o WHERE o.unit = u.unit AND o.metric = m.metric AND o.at <= u.at AND o.at > u.at - interval '6 days') AS x
		FROM oracle.unit u, unnest('{orders,views}'::text[]) m (metric) WHERE NOT several AND (until IS NULL OR u.at + interval '3 days' <= until)),
	row AS (SELECT NULL AS s, * FROM value UNION ALL SELECT country, * FROM value WHERE country IS NOT NULL)
	SELECT metric, s, variant, count(*), avg(y), var_samp(y), count(*) FILTER (WHERE y <> 0), avg(x), var_samp(x), covar_samp(y, x) FROM row GROUP BY metric, s, variant
$$;
CREATE INDEX ON oracle.outcome (unit);
CREATE TABLE oracle.cell AS SELECT * FROM oracle.cells('2025-03-15Z');

CREATE TABLE oracle.result AS
SELECT * FROM recommender.experiment_results('SELECT unit, variant, at, country FROM oracle.exposure', 'SELECT unit, at, value, metric FROM oracle.outcome',
	"window" => '3 days', horizon => 3000, before => '6 days', until => '2025-03-15Z', weights => '{0.5,0.25,0.25}');
SELECT is((SELECT count(*) FROM oracle.result), 2 * 3 * 2 * 2::bigint, 'metrics, segments, variants, and each also adjusted');
SELECT is_empty($$
	SELECT r.metric, r.segment, r.variant, r.units, b.n, r.value, b.mean FROM oracle.result r
	LEFT JOIN oracle.cell a ON a.metric = r.metric AND a.country IS NOT DISTINCT FROM r.segment AND a.variant = 'a'
	LEFT JOIN oracle.cell b ON b.metric = r.metric AND b.country IS NOT DISTINCT FROM r.segment AND b.variant = r.variant
	LEFT JOIN LATERAL recommender.compare_means(a.n, a.mean, a.variance, b.n, b.mean, b.variance, true, 'sequential', horizon => 3000) t ON true
	WHERE r.method = 'sequential' AND NOT coalesce(r.baseline = 'a' AND r.units = b.n AND abs(r.value - b.mean) < 1e-9 AND abs(r.baseline_value - a.mean) < 1e-9 AND abs(r.effect - t.effect) < 1e-9
		AND abs(r.standard_error - t.standard_error) < 1e-9 AND abs(r.ci_low - t.ci_low) < 1e-9 AND abs(r.ci_high - t.ci_high) < 1e-9 AND abs(r.p_value - t.p_value) < 1e-9, false)
$$, 'means by plain SQL');
SELECT is_empty($$
	SELECT r.metric, r.segment, r.variant, r.effect, t.effect FROM oracle.result r
	LEFT JOIN oracle.cell a ON a.metric = r.metric AND a.country IS NOT DISTINCT FROM r.segment AND a.variant = 'a'
	LEFT JOIN oracle.cell b ON b.metric = r.metric AND b.country IS NOT DISTINCT FROM r.segment AND b.variant = r.variant
	LEFT JOIN LATERAL recommender.cuped(a.n, a.mean, a.before, a.variance, a.variance_before, a.covariance, b.n, b.mean, b.before, b.variance, b.variance_before, b.covariance) c ON true
	LEFT JOIN LATERAL recommender.compare_means(a.n, c.mean_a, c.variance_a, b.n, c.mean_b, c.variance_b, true, 'sequential', horizon => 3000) t ON true
	WHERE r.method = 'sequential, cuped' AND NOT coalesce(abs(r.effect - t.effect) < 1e-9 AND abs(r.standard_error - t.standard_error) < 1e-9, false)
$$, 'adjusted means by plain SQL');
SELECT is_empty($$
	SELECT r.*, t.* FROM recommender.experiment_results('SELECT unit, variant, at, country FROM oracle.exposure', 'SELECT unit, at, value, metric FROM oracle.outcome',
		"window" => '3 days', method => 'z', kind => 'share', baseline => 'c', relative => false, until => '2025-03-15Z', alpha => 0.1) r
	LEFT JOIN oracle.cell a ON a.metric = r.metric AND a.country IS NOT DISTINCT FROM r.segment AND a.variant = 'c'
	LEFT JOIN oracle.cell b ON b.metric = r.metric AND b.country IS NOT DISTINCT FROM r.segment AND b.variant = r.variant
	LEFT JOIN LATERAL recommender.compare_proportions(a.buyers, a.n, b.buyers, b.n, alpha => 0.1) t ON true
	WHERE NOT coalesce(r.baseline = 'c' AND abs(r.value - b.buyers::float8 / b.n) < 1e-12 AND abs(r.effect - t.effect) < 1e-12 AND abs(r.ci_low - t.ci_low) < 1e-12 AND abs(r.p_value - t.p_value) < 1e-12, b.buyers = b.n AND a.buyers = a.n)
$$, 'shares by plain SQL');
SELECT is((SELECT array_agg(round(p_adjusted::numeric, 9) ORDER BY n) FROM (SELECT *, row_number() OVER () AS n FROM oracle.result) r),
	(SELECT ARRAY(SELECT round(p::numeric, 9) FROM unnest(recommender.adjust_p_values(array_agg(p_value ORDER BY n))) p) FROM (SELECT *, row_number() OVER () AS n FROM oracle.result) r), 'p-values are corrected together');
SELECT is_empty($$SELECT * FROM oracle.result WHERE abs(chance_to_win - (recommender.probability_best(ARRAY[0, effect], ARRAY[0, standard_error], 'normal'))[2]) > 1e-12
	OR abs(expected_loss - (recommender.expected_loss(ARRAY[0, effect], ARRAY[0, standard_error], 'normal'))[2]) > 1e-12$$, 'chance and loss');
SELECT ok(bool_and('multiple_variants' = ANY (warnings)) AND bool_and('immature' = ANY (warnings)) AND NOT bool_or('sample_ratio_mismatch' = ANY (warnings)), 'who is left out is warned of') FROM oracle.result;
SELECT is((SELECT count(*) FROM recommender.experiment_results('SELECT unit, variant, at FROM oracle.exposure', 'SELECT unit, at, value FROM oracle.outcome', horizon => 3000, until => NULL) WHERE 'immature' = ANY (warnings)), 0::bigint, 'without an end all units count');
SELECT is((SELECT min(units) FROM recommender.experiment_results('SELECT unit, variant, at FROM oracle.exposure', 'SELECT unit, at, value FROM oracle.outcome', horizon => 3000, until => NULL) WHERE variant = 'b'),
	(SELECT count(*) FROM oracle.unit WHERE variant = 'b' AND NOT several), 'and are as many as there are');
SELECT ok((SELECT bool_and('sample_ratio_mismatch' = ANY (warnings)) FROM recommender.experiment_results('SELECT unit, variant, at FROM oracle.exposure', 'SELECT unit, at, value FROM oracle.outcome', horizon => 3000)), 'other shares than expected are warned of');
-- the order of rows does not matter but for rounding
SELECT is_empty($$
	SELECT * FROM oracle.result a FULL JOIN recommender.experiment_results('SELECT unit, variant, at, country FROM oracle.exposure ORDER BY md5(unit)', 'SELECT unit, at, value, metric FROM oracle.outcome ORDER BY md5(unit || at)',
		"window" => '3 days', horizon => 3000, before => '6 days', until => '2025-03-15Z', weights => '{0.5,0.25,0.25}') b
	ON a.metric = b.metric AND a.segment IS NOT DISTINCT FROM b.segment AND a.variant = b.variant AND a.method = b.method
	WHERE NOT coalesce(abs(a.effect - b.effect) < 1e-12 AND a.units = b.units AND abs(a.p_adjusted - b.p_adjusted) < 1e-9 AND a.warnings = b.warnings, false)
$$, 'the order of rows does not matter');
SELECT is_empty($$SELECT * FROM recommender.experiment_results('SELECT 1, ''a''::text, now() WHERE false', 'SELECT 1, now(), 1::float8', horizon => 10)$$, 'nobody exposed, no result');
SELECT is_empty($$SELECT * FROM recommender.experiment_results('SELECT 1, ''a''::text, now()', 'SELECT 1, now(), 1::float8', horizon => 10)$$, 'one variant, nothing to compare');
SELECT is((SELECT warnings FROM recommender.experiment_results('SELECT i, chr(97 + i % 2), ''2025-01-01Z''::timestamptz FROM generate_series(1, 10) i', 'SELECT 1, now(), 1::float8', horizon => 10)), '{no_effect}', 'a baseline of 0');
SELECT is((SELECT units FROM recommender.experiment_results('SELECT i, chr(97 + i % 2), ''2025-01-01Z''::timestamptz FROM generate_series(1, 10) i', 'SELECT 1, now(), 1::float8', horizon => 10)), 5::bigint, 'who did nothing counts');
-- A/A: 200 experiments of 200 people
SELECT ok(abs(count(*) FILTER (WHERE p_value < .05) - 10) <= 3 * sqrt(200 * .05 * .95), format('%s of 200 A/A tests rejected', count(*) FILTER (WHERE p_value < .05)))
FROM generate_series(1, 200) t, LATERAL recommender.experiment_results(format('SELECT i, recommender.variant(%L, i, ''{a,b}''), ''2025-01-01Z''::timestamptz FROM generate_series(1, 200) i', 't' || t),
	format('SELECT i, ''2025-01-02Z''::timestamptz, recommender.bucket(%L, i) ^ 2 FROM generate_series(1, 200) i', 'y' || t), method => 'welch');
-- with the caller's rights
CREATE ROLE experiment_analyst;
GRANT USAGE ON SCHEMA oracle TO experiment_analyst;
GRANT SELECT ON oracle.exposure TO experiment_analyst;
SET LOCAL ROLE experiment_analyst;
SELECT throws_ok($$SELECT * FROM recommender.experiment_results('SELECT unit, variant, at FROM oracle.exposure', 'SELECT unit, at, value FROM oracle.outcome', horizon => 1)$$, '42501', NULL, 'queries run with the caller''s rights');
RESET ROLE;
SELECT throws_ok($$SELECT * FROM recommender.experiment_results('DELETE FROM oracle.exposure RETURNING unit, variant, at', 'SELECT unit, at, value FROM oracle.outcome', horizon => 1)$$, NULL, NULL, 'and write nothing');

-- where nothing may be written, as on a standby
SAVEPOINT writable;
SET TRANSACTION READ ONLY;
SELECT count(*) AS n FROM recommender.experiment_results('SELECT unit, variant, at FROM oracle.exposure', 'SELECT unit, at, value FROM oracle.outcome', horizon => 3000, until => NULL) \gset
ROLLBACK TO writable;
SELECT is(:n, 2, 'in a read-only transaction');
-- a statement is cancelled soon: so many looks take seconds
CREATE FUNCTION oracle.is_cancelled() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM recommender.detectable_effect(0.5, 1000, looks => 1000);
	RETURN false;
EXCEPTION WHEN query_canceled THEN
	RETURN true;
END $$;
SET LOCAL statement_timeout = '50ms';
SELECT oracle.is_cancelled() AS cancelled \gset
SET LOCAL statement_timeout = 0;
SELECT ok(:'cancelled', 'a long computation can be cancelled');

/* ------------------------------------------------------------------------
 * What was shown
 * ------------------------------------------------------------------------ */

SELECT is(round(recommender.rank_overlap('{1,2,3,4,5}'::int[], '{3,2,6,7,1}'::int[])::numeric, 10), 0.4268906742, 'rank-biased overlap');
SELECT is(round((recommender.rank_overlap('{1,2,3,4,5}'::int[], '{3,2,6,7,1}'::int[]) * (1 - 0.9 ^ 5))::numeric, 10), 0.1748160000, 'and its sum');
SELECT is_empty($$
	WITH list AS (SELECT n, ARRAY(SELECT i FROM generate_series(1, 20) i ORDER BY recommender.bucket('a' || n, i) LIMIT n % 9) AS a, ARRAY(SELECT i FROM generate_series(1, 20) i ORDER BY recommender.bucket('b' || n, i) LIMIT n % 7) AS b FROM generate_series(1, 200) n)
	SELECT * FROM list, LATERAL (SELECT sum(0.8 ^ (d - 1) * (SELECT count(*) FROM unnest(a[1:d]) x WHERE x = ANY (b[1:d])) / d) / nullif(sum(0.8 ^ (d - 1)), 0) AS rbo FROM generate_series(1, greatest(cardinality(a), cardinality(b))) d) o,
		LATERAL (SELECT count(*) FILTER (WHERE x = ANY (a) AND x = ANY (b))::float8 / nullif(count(*), 0) AS jaccard FROM (SELECT DISTINCT x FROM unnest(a || b) x) u) j
	WHERE abs(coalesce(recommender.rank_overlap(a, b, 0.8), 9) - coalesce(rbo, 9)) > 1e-12 OR abs(coalesce(recommender.jaccard(a, b), 9) - coalesce(j.jaccard, 9)) > 1e-12
$$, 'overlaps by plain SQL');
SELECT is(round(recommender.divergence('{.7,.2,.1}', '{.5,.5,0}', 'kullback_leibler', .01)::numeric, 10), 0.7375037391, 'Steck''s calibration');
SELECT is(round(recommender.divergence('{7,2,1}', '{1,1,0}')::numeric, 10), 0.1099865470, 'Jensen and Shannon''s divergence');
SELECT is(recommender.divergence('{1,1}', '{1,0}', 'kullback_leibler'), 'Infinity', 'what cannot be');
SELECT is(round(recommender.entropy(x)::numeric, 10), 2.2892464285, 'entropy') FROM unnest('{0,2,3,4,3,3}'::float8[]) x;
SELECT is(round(recommender.entropy(x)::numeric, 10), 3.0, 'of eight alike') FROM unnest('{5,5,5,5,5,5,5,5,NULL,0}'::float8[]) x;
SELECT is(recommender.entropy(x), NULL, 'of nothing') FROM unnest('{0,NULL}'::float8[]) x;

-- Elliot's metrics of popularity on a worked example, by the recipes of the page: the short head is the items that most
-- popular first reach 80 per cent of the interactions
CREATE TABLE oracle.train AS SELECT u, i FROM (VALUES (1, '{1,2}'::int[]), (2, '{1,3}'), (3, '{1,2,4}'), (4, '{1,2,5}'), (5, '{1,6}')) v (u, items), unnest(items) i;
CREATE TABLE oracle.test AS SELECT u, i FROM (VALUES (1, '{3,4}'::int[]), (2, '{2,5}'), (3, '{3,6}'), (4, '{3,6}'), (5, '{2,3}')) v (u, items), unnest(items) i;
CREATE TABLE oracle.list AS SELECT u, i, rank FROM (VALUES (1, '{3,4,5}'::int[]), (2, '{2,4,6}'), (3, '{3,5,6}'), (4, '{3,4,6}'), (5, '{2,4,5}')) v (u, items), unnest(items) WITH ORDINALITY l (i, rank);
CREATE TABLE oracle.item AS
SELECT i, popularity, sum(popularity) OVER (ORDER BY popularity DESC, i) - popularity < 0.8 * sum(popularity) OVER () AS head FROM (SELECT i, count(*) AS popularity FROM oracle.train GROUP BY i) p;
SELECT results_eq($$
	SELECT round(avg(popularity), 10), round(avg((NOT head)::int), 10), round(count(*) FILTER (WHERE NOT head) / count(DISTINCT u)::numeric, 10) FROM oracle.list JOIN oracle.item USING (i)
$$, 'VALUES (1.2666666667, 0.4000000000, 1.2000000000)', 'popularity, share and number of tail items');
SELECT is(round((stddev_pop(rate) / avg(rate))::numeric, 10), 0.1250000000, 'equal opportunity of head and tail')
FROM (SELECT count(l.i)::float8 / count(*) AS rate FROM oracle.test JOIN oracle.item USING (i) LEFT JOIN oracle.list l USING (u, i) GROUP BY head) r;
SELECT is(round((stddev_pop(rate) / avg(rate))::numeric, 10), 0.0909090909, 'statistical parity of head and tail')
FROM (SELECT count(l.i)::float8 / count(*) AS rate FROM oracle.item CROSS JOIN generate_series(1, 5) u LEFT JOIN oracle.list l USING (u, i) WHERE NOT EXISTS (SELECT FROM oracle.train t WHERE t.u = u.u AND t.i = item.i) GROUP BY head) r;

/* ------------------------------------------------------------------------
 * Interleaving
 * ------------------------------------------------------------------------ */

-- team draft in PL/pgSQL, with coins given: true for team a
CREATE FUNCTION oracle.interleave(a text[], b text[], coins boolean[], k int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	list text[] := '{}'; teams text := ''; picks int[] := '{0,0}'; toss int := 0; turn int; item text;
BEGIN
	FOR rank IN 1 .. k LOOP
		IF picks[1] = picks[2] THEN toss := toss + 1; turn := CASE WHEN coins[toss] THEN 1 ELSE 2 END;
		ELSE turn := CASE WHEN picks[1] < picks[2] THEN 1 ELSE 2 END; END IF;
		FOR attempt IN 1 .. 2 LOOP
			SELECT x INTO item FROM unnest(CASE turn WHEN 1 THEN a ELSE b END) WITH ORDINALITY u (x, n) WHERE x IS NOT NULL AND x <> ALL (list) ORDER BY n LIMIT 1;
			EXIT WHEN item IS NOT NULL;
			turn := 3 - turn;
		END LOOP;
		EXIT WHEN item IS NULL;
		list := list || item; teams := teams || CASE turn WHEN 1 THEN 'a' ELSE 'b' END; picks[turn] := picks[turn] + 1;
	END LOOP;
	RETURN array_to_string(list, ' ') || ' / ' || teams;
END $$;
SELECT is(oracle.interleave(a, b, coins, 4), wanted, 'the oracle: ' || wanted)
FROM (VALUES ('{a,b,c,d}'::text[], '{b,e,a,f}'::text[], '{t,t}'::boolean[], 'a b c e / abab'), ('{a,b,c,d}', '{b,e,a,f}', '{f,f}', 'b a e c / baba'),
	('{a,b,c,d}', '{a,b,c,d}', '{t,f}', 'a b c d / abba')) v (a, b, coins, wanted);
SELECT is_empty($$
	SELECT s, a, b FROM generate_series(1, 300) s, LATERAL (SELECT (ARRAY(SELECT chr(96 + i) FROM generate_series(1, 12) i ORDER BY recommender.bucket('a' || s, i) LIMIT s % 8)) AS a, (ARRAY(SELECT CASE i WHEN 12 THEN NULL ELSE chr(96 + i) END FROM generate_series(1, 12) i ORDER BY recommender.bucket('b' || s, i) LIMIT s % 7)) AS b) l
	WHERE oracle.interleave(a, b, ARRAY(SELECT recommender.bucket('salt', s || '/day/' || i) < 0.5 FROM generate_series(1, 12) i), s % 11)
		<> (SELECT coalesce(string_agg(item_id, ' ' ORDER BY rank), '') || ' / ' || coalesce(string_agg(team, '' ORDER BY rank), '') FROM recommender.interleave(a, b, 'salt', s, 'day', s % 11))
$$, 'team draft by the oracle');
SELECT is(string_agg(item_id::text, ' ' ORDER BY rank), '1 2 3 4', 'of equal lists the list itself') FROM recommender.interleave('{1,2,3,4}'::int[], '{1,2,3,4}'::int[], 's', 7);
SELECT ok(abs(sum(CASE team WHEN 'a' THEN 1 ELSE -1 END)) <= 3 * sqrt(2000), 'where no team is preferred in the long run')
FROM generate_series(1, 2000) u, LATERAL (SELECT team FROM recommender.interleave('{1,2,3,4}'::int[], '{1,2,3,4}'::int[], 's', u) WHERE item_id = 1) t;
SELECT is(round(recommender.sign_test(wins, losses)::numeric, 10), p, format('sign test of %s and %s', wins, losses))
FROM (VALUES (60, 40, 0.0568879336), (24, 8, 0.0070003667), (8, 24, 0.0070003667), (0, 0, 1.0000000000), (5, 5, 1.0000000000), (0, 1, 1.0000000000)) v (wins, losses, p);
SELECT is_empty($$
	SELECT w, l FROM generate_series(0, 25) w, generate_series(0, 25) l
	WHERE abs(recommender.sign_test(w, l) - least(1, 2 * (SELECT sum(factorial(w + l) / factorial(i) / factorial(w + l - i)) FROM generate_series(0, least(w, l)) i) / 2 ^ (w + l)::numeric)::float8) > 1e-13
$$, 'and of all small numbers, by exact sums');

/* ------------------------------------------------------------------------
 * Position bias
 * ------------------------------------------------------------------------ */

-- ten queries of three or four items, two rankings, places that are looked at with probabilities 1, .6, .4, .25
CREATE TABLE oracle.placement AS
SELECT 'i' || item AS item, rank, 1 AS shown, (recommender.bucket('click ' || list, rank) < ('{1,.6,.4,.25}'::float8[])[rank] * (0.1 + 0.6 * recommender.bucket('good', item)))::int AS clicked, list
FROM generate_series(1, 20000) list, generate_series(1, 4) rank, LATERAL (SELECT list / 2 % 10 AS query) q,
	LATERAL (SELECT query * 3 + CASE list % 2 WHEN 0 THEN rank - 1 ELSE (rank * 3 + query) % 4 END AS item) i;
SELECT ok(bool_and(abs(ln(p.examination / truth)) <= 3 * greatest(ln(p.ci_high / p.ci_low) / 3.92, 1e-9)), 'estimates within 3 standard errors: ' || string_agg(round(p.examination::numeric, 3)::text, ' ' ORDER BY rank))
FROM (SELECT recommender.position_bias(item, rank, shown, clicked) AS p FROM oracle.placement) e, unnest(p) p, LATERAL (SELECT ('{1,.6,.4,.25}'::float8[])[rank] AS truth) t;
SELECT results_eq($$SELECT rank, round(examination::numeric, 9), shown, clicked, pairs FROM (SELECT recommender.position_bias(item, rank, shown, clicked ORDER BY list DESC) AS p FROM oracle.placement) e, unnest(p)$$,
	$$SELECT rank, round(examination::numeric, 9), shown, clicked, pairs FROM (SELECT recommender.position_bias(item, rank, shown, clicked) AS p FROM (SELECT item, rank, sum(shown) AS shown, sum(clicked) AS clicked FROM oracle.placement GROUP BY item, rank) g) e, unnest(p)$$, 'rows or sums of them, in any order');
SELECT is((SELECT count(examination) FROM (SELECT recommender.position_bias(item, rank, shown, clicked) AS p FROM oracle.placement WHERE list % 2 = 0 AND rank IN (1, 2, 3) AND (rank < 3 OR list / 2 % 10 < 0)) e, unnest(p)), 0::bigint, 'without items at two ranks there is no estimate')
FROM (SELECT 1) one;
SELECT is(recommender.position_bias(item, rank, shown, clicked), NULL, 'nor without rows') FROM oracle.placement WHERE rank > 4;

/* ------------------------------------------------------------------------
 * Groups
 * ------------------------------------------------------------------------ */

-- Fairlearn's example of selection rates (docs/user_guide/assessment/common_fairness_metrics.rst)
CREATE TABLE oracle.prediction AS SELECT * FROM unnest('{b,b,a,b,b,c,c,c,a,a,c,a,b,c,c,b,c,c}'::text[], '{0,1,1,1,1,0,1,0,1,0,0,0,1,1,1,1,1,1}'::float8[], '{0,0,1,0,1,1,1,0,0,1,1,1,1,0,0,1,1,0}'::float8[]) u (g, truth, predicted);
SELECT results_eq($$SELECT group_value, measure, round(value::numeric, 7), n FROM (SELECT recommender.disparity(g, predicted) AS d FROM oracle.prediction) e, unnest(d)$$,
	$$VALUES ('a', 'mean', 0.7500000, 4::bigint), ('b', 'mean', 0.5000000, 6), ('c', 'mean', 0.5000000, 8), (NULL, 'difference', 0.2500000, 18), (NULL, 'ratio', 0.6666667, 18), (NULL, 'spread', 0.2020305, 18)$$, 'selection rates');
SELECT is(ARRAY(SELECT round(value::numeric, 7) FROM (SELECT recommender.disparity(g, predicted) AS d FROM oracle.prediction WHERE truth = 1) e, unnest(d) WHERE measure = 'mean'), '{0.5000000,0.6000000,0.4000000}', 'true positive rates');
-- Elliot's difference of quality: mean absolute difference of two groups
SELECT is((SELECT round(value::numeric, 9) FROM (SELECT recommender.disparity(g, x) AS d FROM (VALUES ('1', 1), ('1', .6131471928), ('1', .9197207891), ('2', .9197207891), ('2', .6131471928)) v (g, x)) e, unnest(d) WHERE measure = 'difference'), 0.077855336, 'a difference of quality');
-- intervals by plain SQL
SELECT is_empty($$
	SELECT * FROM (SELECT recommender.disparity(country, value) AS d FROM (SELECT country, bucket AS value FROM oracle.exposure, recommender.bucket('d', unit || at) bucket) v) e, unnest(d) r
	JOIN (SELECT country, avg(bucket) AS mean, stddev_samp(bucket) / sqrt(count(*)) AS error, count(*) AS n FROM oracle.exposure, recommender.bucket('d', unit || at) bucket GROUP BY country) o ON o.country IS NOT DISTINCT FROM r.group_value
	-- Student's quantile with more than 1,000 degrees of freedom is 1.96 to three digits
	WHERE r.measure = 'mean' AND (abs(r.value - o.mean) > 1e-12 OR abs((r.ci_high - r.value) / o.error - 1.962) > 0.002 OR r.n <> o.n)
$$, 'means and intervals by plain SQL, NULL a group of its own');
-- the p-value of all shufflings of three against three: 2 of 20 are as extreme
SELECT ok(abs(p_value - 0.1) < 0.02, format('p-value %s of 0.1', p_value)) FROM (SELECT recommender.disparity(g, x, 4000, 1) AS d FROM (VALUES ('a', 1), ('a', 2), ('a', 3), ('b', 4), ('b', 5), ('b', 6)) v (g, x)) e, unnest(d) WHERE measure = 'difference';
SELECT is((SELECT count(DISTINCT d) FROM (SELECT recommender.disparity(g, predicted ORDER BY recommender.bucket(salt, g || predicted || truth)) AS d FROM oracle.prediction, unnest('{a,b,c}'::text[]) salt GROUP BY salt) e), 1::bigint, 'the order of rows does not matter');
SELECT isnt((SELECT d FROM (SELECT recommender.disparity(g, predicted, 100, 1) AS d FROM oracle.prediction) e), (SELECT d FROM (SELECT recommender.disparity(g, predicted, 100, 2) AS d FROM oracle.prediction) e), 'but the seed does');
SELECT ok(abs(count(*) FILTER (WHERE p_value <= .1) - 30) <= 3 * sqrt(300 * .1 * .9), format('%s of 300 p-values of equal groups are at most 0.1', count(*) FILTER (WHERE p_value <= .1)))
FROM (SELECT t, recommender.disparity((i % 3)::text, recommender.bucket('eq' || t, i) ^ 2, 199, t) AS d FROM generate_series(1, 300) t, generate_series(1, 60) i GROUP BY t) e, unnest(d) WHERE measure = 'spread';
SELECT is((SELECT array_agg(value) FROM (SELECT recommender.disparity('a', 5) AS d) e, unnest(d)), '{5,0,1,0}', 'one group, one row');
SELECT is((SELECT recommender.disparity(NULL, NULL::float8)), NULL, 'no rows');

SELECT * FROM finish();
ROLLBACK;
