/*
 * Measured quality, worked by hand on three customers and five products.
 *
 *			tea	mug	pot	jam	pie
 *	ann		J F	J	J	J	.
 *	bob		J	J	F	.	F
 *	cat		.	.	J	F	.
 *
 * What was bought in January (J) is trained on; what was bought in February (F)
 * is to be found.  In January mug, pot and tea had two customers each, jam one.
 * By jaccard, pot is like jam 1/2, mug 1/3 and tea 1/3; tea and mug are like
 * each other 2/2, like jam 1/2 and like pot 1/3.
 *
 *			behaviour			popularity		relevant
 *	ann		all bought			all bought		none: tea she has
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

-- with one place cat alone has a hit by behaviour, bob alone by popularity
SELECT * FROM shop.measure('{1}', '{hit_rate,recall}') WHERE segment = 'all';

-- the head is the first fifth of four products, mug, which nobody had to find; pot and jam are of the tail, pie is new
SELECT * FROM shop.measure('{2}', '{recall}') WHERE segment LIKE 'items%';

-- both users have a light history; none is new
SELECT * FROM shop.measure('{2}', '{recall}') WHERE segment LIKE 'users%';

-- the lists of both users together: jam, pot, jam, mug are 3 of 4 products, shown 2, 1, 1 and 0 times; pot, jam, mug,
-- tea are all, once each
SELECT strategy, metric, k, value, users FROM shop.measure('{1,2}', '{coverage,gini}');

-- what they are like: tea, mug and pot are had by two of three, jam by one, so that jam and pot have 1/2 on average,
-- (log2(3) + log2(3/2)) / 2 bits, and 1 - 1/sqrt(1 * 2); cat's jam is a hit that the list of popularity, mug and tea, has not
SELECT strategy, segment, metric, value, users
FROM shop.measure('{2}', '{average_popularity,novelty,intra_list_diversity,serendipity}') WHERE strategy = 'behaviour' AND segment IN ('all', 'items: tail');

-- a recommender splits its own interactions: the newest 36 per cent of eleven are the four of February
SELECT recommender.create_recommender('recs', 'shop.orders', 'customer', 'product', time_column => 'day',
									  options => '{"measure": "jaccard", "min_support": 1, "truncate": "source"}');
SELECT strategy, segment, metric, k, round(value::numeric, 4) AS value, ci_low, ci_high, users
FROM recommender.evaluate('recs', test_share => 0.36, k => '{2}', metrics => '{ndcg}', resamples => 0) WHERE segment = 'all';

-- the last of each is left out: tea of ann (which she has), pie of bob (which nobody else has), jam of cat, third in a
-- list of mug, tea (each 2/3 like pot) and jam (1/3)
SELECT strategy, segment, metric, k, round(value::numeric, 4) AS value, users
FROM recommender.evaluate('recs', split => 'leave_last', k => '{3}', metrics => '{recall}', resamples => 0)
WHERE strategy = 'behaviour' AND metric = 'recall';

-- segments of one's own
SELECT strategy, segment, round(value::numeric, 4) AS value, users
FROM recommender.evaluate('recs', test_share => 0.36, k => '{2}', metrics => '{ndcg}', resamples => 0, store => false,
						  segments => $$VALUES ('ann', 'town'), ('bob', 'town'), ('cat', 'country')$$)
WHERE segment LIKE 'segment: %';

-- and by a column, where the first purchase that is to be found tells: bob's on the first, cat's on the third
SELECT strategy, segment, round(value::numeric, 4) AS value, users
FROM recommender.evaluate('recs', test_share => 0.36, k => '{2}', metrics => '{ndcg}', resamples => 0, store => false, segment_columns => '{day}')
WHERE segment LIKE 'day = %';

-- what was stored
SELECT recommender, run, settings, strategy, metric, k, round(value::numeric, 4) AS value, users
FROM recommender.evaluations WHERE segment = 'all' AND metric IN ('ndcg', 'recall');

-- popularity alone against behaviour alone: bob loses 0.2263, cat gains 1
SELECT metric, k, round(value_a::numeric, 4) AS value_a, round(value_b::numeric, 4) AS value_b, round(difference::numeric, 4) AS difference,
	   ci_low <= difference AND difference <= ci_high AS within, p_value > 0.2 AS by_chance, users
FROM recommender.compare_options('recs', '{"blend": {"behaviour": 0}}', '{"blend": {"popularity": 0}}', test_share => 0.36, k => 2);

-- a search: three trials, then the best one; the last two rows are of what was reserved.  The search itself knows January
-- alone, where all that ann bought is offered to bob and cat, jam and mug first: mug, of bob's mug and tea, is the one hit,
-- 0.6309 / 1.6309 / 2.  No setting can do better here, and none is set.
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

-- Nothing to be found: what is hidden had been seen before
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
