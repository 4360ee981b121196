/*
 * Evaluation, computed by hand for three customers and five products.
 *
 *			tea	mug	pot	jam	pie
 *	ann		J F	J	J	J	.
 *	bob		J	J	F	.	F
 *	cat		.	.	J	F	.
 *
 * Purchases of January (J) are the training data, those of February (F) the test
 * set.  In January mug, pot and tea had two customers each, jam one.  Jaccard
 * similarities: pot and jam 1/2, pot and mug 1/3, pot and tea 1/3, tea and mug
 * 2/2, tea and jam 1/2, mug and jam 1/2.
 *
 *			behaviour			popularity		relevant
 *	ann		all bought			all bought		none: she has tea
 *	bob		jam 1, pot 2/3		pot, jam		pot, pie
 *	cat		jam 1/2, mug 1/3	mug, tea		jam
 */
CREATE SCHEMA shop;
CREATE TABLE shop.orders (customer text, product text, day date);
CREATE INDEX ON shop.orders (customer, day);
INSERT INTO shop.orders VALUES
	('ann', 'tea', '2026-01-01'), ('ann', 'mug', '2026-01-01'), ('ann', 'pot', '2026-01-02'), ('ann', 'jam', '2026-01-02'),
	('bob', 'tea', '2026-01-03'), ('bob', 'mug', '2026-01-03'), ('cat', 'pot', '2026-01-03'),
	('ann', 'tea', '2026-02-01'), ('bob', 'pot', '2026-02-01'), ('bob', 'pie', '2026-02-02'), ('cat', 'jam', '2026-02-03');

CREATE FUNCTION shop.measure(k int[], metrics text[])
RETURNS TABLE (strategy text, segment text, metric text, k int, value numeric, users bigint)
LANGUAGE sql AS $$
	SELECT strategy, segment, metric, k, round(value::numeric, 4), users
	FROM recommender.evaluate_query('SELECT customer, product FROM shop.orders WHERE day < ''2026-02-01''',
									'SELECT customer, product FROM shop.orders WHERE day >= ''2026-02-01''',
									k, metrics, options => '{"measure": "jaccard"}', resamples => 0)
$$;

-- bob's hit is at rank 2 of 2 by behaviour, cat's at 1: ndcg (0.6309 / 1.6309 + 1) / 2, recall (1/2 + 1) / 2,
-- precision (1/2 + 1/2) / 2, average precision ((1/2) / 2 + 1) / 2, reciprocal rank (1/2 + 1) / 2;
-- by popularity bob's is at rank 1, cat has none: ndcg (1 / 1.6309 + 0) / 2
SELECT strategy, metric, value, users FROM shop.measure('{2}', '{ndcg,recall,precision,hit_rate,average_precision,reciprocal_rank}')
WHERE segment = 'all';

-- at k = 1, only cat has a hit by behaviour, only bob by popularity
SELECT * FROM shop.measure('{1}', '{hit_rate,recall}') WHERE segment = 'all';

-- the head is the first fifth of four products, mug, which is relevant to no user; pot and jam are in the tail, pie is new
SELECT * FROM shop.measure('{2}', '{recall}') WHERE segment LIKE 'items%';

-- both users have a light history; none is new
SELECT * FROM shop.measure('{2}', '{recall}') WHERE segment LIKE 'users%';

-- the lists of both users together: jam, pot, jam, mug are 3 of 4 products, shown 2, 1, 1 and 0 times; pot, jam, mug,
-- tea are all, once each
SELECT strategy, metric, k, value, users FROM shop.measure('{1,2}', '{coverage,gini}');

-- metrics of lists: two of three users have tea, mug and pot, one has jam, so that the mean of jam and pot is 1/2,
-- (log2(3) + log2(3/2)) / 2 bits, and 1 - 1/sqrt(1 * 2); cat's jam is a hit that is not in the list of popularity, mug and tea
SELECT strategy, segment, metric, value, users
FROM shop.measure('{2}', '{average_popularity,novelty,intra_list_diversity,serendipity}') WHERE strategy = 'behaviour' AND segment IN ('all', 'items: tail');

-- a recommender splits its own interactions: the newest 36 per cent of eleven are the four of February
SELECT recommender.create_recommender('recs', 'shop.orders', 'customer', 'product', time_column => 'day',
									  options => '{"measure": "jaccard", "min_support": 1, "truncate": "source"}');
SELECT strategy, segment, metric, k, round(value::numeric, 4) AS value, ci_low, ci_high, users
FROM recommender.evaluate('recs', test_share => 0.36, k => '{2}', metrics => '{ndcg}', resamples => 0) WHERE segment = 'all';

-- the last purchase of each user is the test set: tea of ann (which she has), pie of bob (which no other user has), jam of
-- cat, third in a list of mug, tea (each 2/3 similar to pot) and jam (1/3)
SELECT strategy, segment, metric, k, round(value::numeric, 4) AS value, users
FROM recommender.evaluate('recs', split => 'leave_last', k => '{3}', metrics => '{recall}', resamples => 0)
WHERE strategy = 'behaviour' AND metric = 'recall';

-- segments by a query
SELECT strategy, segment, round(value::numeric, 4) AS value, users
FROM recommender.evaluate('recs', test_share => 0.36, k => '{2}', metrics => '{ndcg}', resamples => 0, store => false,
						  segments => $$VALUES ('ann', 'town'), ('bob', 'town'), ('cat', 'country')$$)
WHERE segment LIKE 'segment: %';

-- and by a column of the user's first purchase in the test set: bob's on the first, cat's on the third
SELECT strategy, segment, round(value::numeric, 4) AS value, users
FROM recommender.evaluate('recs', test_share => 0.36, k => '{2}', metrics => '{ndcg}', resamples => 0, store => false, segment_columns => '{day}')
WHERE segment LIKE 'day = %';

-- stored rows
SELECT recommender, run, settings, strategy, metric, k, round(value::numeric, 4) AS value, users
FROM recommender.evaluations WHERE segment = 'all' AND metric IN ('ndcg', 'recall');

-- popularity alone against behaviour alone: bob loses 0.2263, cat gains 1
SELECT metric, k, round(value_a::numeric, 4) AS value_a, round(value_b::numeric, 4) AS value_b, round(difference::numeric, 4) AS difference,
	   ci_low <= difference AND difference <= ci_high AS within, p_value > 0.2 AS by_chance, users
FROM recommender.compare_options('recs', '{"blend": {"behaviour": 0}}', '{"blend": {"popularity": 0}}', test_share => 0.36, k => 2);

-- a search: three trials, then the best one; the last two rows are of the reserved test set.  The search uses January
-- alone, where all products of ann are recommended to bob and cat, jam and mug first: mug, of bob's mug and tea, is the only
-- hit, 0.6309 / 1.6309 / 2.  No configuration is better here, and none is applied.
SELECT trial, stage, options, metric, k, round(value::numeric, 4) AS value, users, p_value, applied
FROM recommender.tune('recs', trials => 3, refinements => 0, test_share => 0.36, k => 2, apply => true);

-- Errors: evaluate
SELECT * FROM recommender.evaluate('rex');
SELECT * FROM recommender.evaluate(NULL);
SELECT * FROM recommender.evaluate('recs', split => 'leave-last');
SELECT * FROM recommender.evaluate('recs', split => 'by moonlight');
SELECT * FROM recommender.evaluate('recs', metrics => '{ncdg}');
SELECT * FROM recommender.evaluate('recs', metrics => '{}');
SELECT * FROM recommender.evaluate('recs', k => '{0}');
SELECT * FROM recommender.evaluate('recs', k => '{10001}');
SELECT * FROM recommender.evaluate('recs', k => '{NULL}');
SELECT * FROM recommender.evaluate('recs', test_share => 0);
SELECT * FROM recommender.evaluate('recs', test_share => 1);
SELECT * FROM recommender.evaluate('recs', test_share => 'NaN');
SELECT * FROM recommender.evaluate('recs', last => 0);
SELECT * FROM recommender.evaluate('recs', cuts => 101);
SELECT * FROM recommender.evaluate('recs', sample => 0);
SELECT * FROM recommender.evaluate('recs', resamples => -1);
SELECT * FROM recommender.evaluate('recs', options => '{"mesure": "jaccard"}');
SELECT * FROM recommender.evaluate('recs', segments => 'SELECT 1, 2');
SELECT * FROM recommender.evaluate('recs', segments => '');
SELECT * FROM recommender.evaluate('recs', segments => 'DELETE FROM shop.orders');
SELECT * FROM recommender.evaluate('recs', segments => 'SELECT customer, land FROM shop.orders');
SELECT * FROM recommender.evaluate('recs', segment_columns => '{dai}');
SELECT * FROM recommender.evaluate('recs', filter => '{"product": "tea"}');

-- No relevant items: the test set has only items seen before
CREATE TABLE shop.again AS SELECT 1 AS customer, 1 AS product, date '2026-01-01' + n AS day FROM generate_series(1, 5) n;
CREATE INDEX ON shop.again (customer);
SELECT recommender.create_recommender('again', 'shop.again', 'customer', 'product', 'day');
SELECT * FROM recommender.evaluate('again');
SELECT * FROM recommender.compare_options('again', '{}', '{"kappa": 2}');
SELECT stage FROM recommender.tune('again', trials => 1, refinements => 0);
SELECT strategy, value, users FROM recommender.evaluate('again', metrics => '{recall}', options => '{"exclude_seen": false}', resamples => 0) WHERE segment = 'all';
SELECT recommender.drop_recommender('again');
SELECT * FROM recommender.evaluate_query('SELECT 1, 2', 'SELECT 1, 2');

-- Errors: evaluate_query
SELECT * FROM recommender.evaluate_query('SELECT 1, 2', NULL);
SELECT * FROM recommender.evaluate_query('SELECT 1, 2', 'SELECT 1');
SELECT * FROM recommender.evaluate_query('SELECT 1, 2', 'SELECT 1; SELECT 2');
SELECT * FROM recommender.evaluate_query('SELECT 1, 2', 'SELECT 1, ''tea''::text');
SELECT * FROM recommender.evaluate_query('SELECT 1, 2', 'SELECT 1, 3, float8 ''NaN''');

-- Errors: compare_options and tune
SELECT * FROM recommender.compare_options('recs', '{}', '{"measure": "jacard"}');
SELECT * FROM recommender.compare_options('recs', '{}', '{}', metric => 'coverage');
SELECT * FROM recommender.compare_options('recs', '{}', '{}', k => 0);
SELECT * FROM recommender.compare_options('recs', '{}', '{}', resamples => 0);
SELECT * FROM recommender.tune('recs', trials => 0);
SELECT * FROM recommender.tune('recs', metric => 'ndgc@10');
SELECT * FROM recommender.tune('recs', metric => 'ndcg@0');
SELECT * FROM recommender.tune('recs', metric => 'novelty');
SELECT * FROM recommender.tune('recs', sample => NULL);
SELECT * FROM recommender.tune('recs', models => '{rigde}');

-- Errors: interactions without times
CREATE TABLE shop.timeless AS SELECT customer, product FROM shop.orders;
CREATE INDEX ON shop.timeless (customer);
SELECT recommender.add_interactions('recs', 'shop.timeless', 'customer', 'product') IS NOT NULL AS added;
DELETE FROM shop.orders;
SELECT * FROM recommender.evaluate('recs');
SELECT * FROM recommender.tune('recs');

SELECT recommender.drop_recommender('recs');
DROP SCHEMA shop CASCADE;
