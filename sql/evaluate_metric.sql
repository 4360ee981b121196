/*
 * Metrics of ranked lists: published examples, and examples computed by hand.
 */
CREATE SCHEMA shop;

-- Five items are recommended, the second and the fifth are relevant:
-- ndcg (1/log2(3) + 1/log2(6)) / (1 + 1/log2(3)) = 0.6241, average precision (1/2 + 2/5) / 2
SELECT recommender.precision(list, hits) AS precision, recommender.recall(list, hits) AS recall,
	   recommender.hit_rate(list, hits) AS hit_rate, recommender.average_precision(list, hits) AS average_precision,
	   recommender.reciprocal_rank(list, hits) AS reciprocal_rank, round(recommender.ndcg(list, hits)::numeric, 4) AS ndcg
FROM (VALUES ('{tea,mug,pot,jam,cup}'::text[], '{cup,mug}'::text[])) v (list, hits);

-- First hits at ranks 4, 2 and 6: the mean reciprocal rank is 0.3056
SELECT round(avg(recommender.reciprocal_rank('{1,2,3,4,5,6}', hits))::numeric, 4) AS mean_reciprocal_rank
FROM (VALUES ('{4}'::int[]), ('{6,2}'), ('{6}')) v (hits);

-- Two queries, hits at 1, 3, 6, 9, 10 and at 2, 5, 7: average precision 0.62 and 0.44, their mean 0.53
SELECT round(avg(ap)::numeric, 2) AS mean_average_precision, array_agg(round(ap::numeric, 2) ORDER BY ap DESC) AS of_each
FROM (SELECT recommender.average_precision('{1,2,3,4,5,6,7,8,9,10}', hits) AS ap
	  FROM (VALUES ('{1,3,6,9,10}'::int[]), ('{2,5,7}')) v (hits)) q;

-- Documents 1 to 6 with relevance 3, 2, 3, 0, 1, 2, and two more with 3 and 2 that were not found:
-- 6.861 / 8.740 = 0.785; if these six were all there is, 6.861 / 7.141 = 0.961
SELECT round(recommender.ndcg('{1,2,3,4,5,6}', '{1,2,3,4,5,6,7,8}', gains => '{3,2,3,0,1,2,3,2}')::numeric, 3) AS of_eight,
	   round(recommender.ndcg('{1,2,3,4,5,6}', '{1,2,3,4,5,6}', gains => '{3,2,3,0,1,2}')::numeric, 3) AS of_six;

-- Gains as 2^gain - 1: (1 + 7/log2(3)) / (7 + 1/log2(3))
SELECT round(recommender.ndcg('{1,2}', '{1,2}', gains => '{1,3}', exponential => true)::numeric, 6) AS exponential,
	   round(recommender.ndcg('{1,2}', '{1,2}', gains => '{1,3}')::numeric, 6) AS linear;

-- k ranks, also if the list is shorter; the ideal list has at most k items
SELECT k, recommender.precision(list, hits, k) AS precision, recommender.recall(list, hits, k) AS recall,
	   round(recommender.average_precision(list, hits, k)::numeric, 4) AS average_precision, round(recommender.ndcg(list, hits, k)::numeric, 4) AS ndcg
FROM (VALUES ('{10,20,30,40}'::bigint[], '{40,30,20,50}'::bigint[])) v (list, hits), unnest('{1,2,4,8,NULL}'::int[]) k ORDER BY k;

-- A duplicate occupies its rank and is one hit; NULL occupies its rank and is none.  In relevant, both are ignored.
SELECT list, hits, recommender.precision(list, hits) AS precision, recommender.recall(list, hits) AS recall,
	   recommender.reciprocal_rank(list, hits) AS reciprocal_rank
FROM (VALUES ('{a,a,b,a}'::text[], '{a,b}'::text[]), ('{NULL,b}', '{b}'), ('{a,b}', '{b,b,b,NULL}'), ('{NULL}', '{b,NULL}')) v (list, hits);

-- A duplicate has the larger gain; an item with gain 0 is not relevant
SELECT recommender.ndcg('{a,b}', '{a,a,b,NULL,c}', gains => '{1,2,2,9,0}'), recommender.ndcg('{a}', '{b}', gains => '{0}') AS nothing_relevant;

-- 0 for an empty list; NULL without relevant items, as the user cannot be evaluated
SELECT recommender.precision('{}', '{1}') AS precision, recommender.recall('{}', '{1}') AS recall, recommender.ndcg('{}', '{1}') AS ndcg,
	   recommender.precision('{1}', '{}') AS nothing_relevant, recommender.ndcg('{1}', '{NULL}') AS null_relevant,
	   recommender.ndcg(NULL, '{1}') AS no_list, recommender.recall('{1}', NULL) AS no_set;

-- Ids have any type common to both arrays, and its equality
SELECT recommender.recall(ARRAY[1::int, 2], ARRAY[2::bigint, 9223372036854775807]) AS integers,
	   recommender.recall(ARRAY[1.50], ARRAY[1.5]) AS numerics,
	   recommender.recall(ARRAY['00000000-0000-0000-0000-00000000000A'::uuid], '{00000000-0000-0000-0000-00000000000a}') AS uuids,
	   recommender.recall('{tea}'::varchar[], '{tea}'::text[]) AS texts;

-- Mug, pot and jam are relevant, mug is expected: pot is at rank 3
SELECT recommender.serendipity('{tea,mug,pot,cup}', '{mug,pot,jam}', '{mug,spoon}') AS of_four,
	   recommender.serendipity('{tea,mug,pot,cup}', '{mug,pot,jam}', '{mug,spoon}', 2) AS of_two,
	   recommender.serendipity('{tea,mug,pot,cup}', '{mug,pot,jam}', '{}') AS nothing_expected;

/*
 * Lists shown: ann {tea, mug}, bob {tea, pot}, cat {tea}, of a catalogue
 * of tea, mug, pot and jam, which 4, 2, 1 and 0 of 8 users have.
 */
CREATE TABLE shop.product (id text, popularity float8);
INSERT INTO shop.product VALUES ('tea', 4 / 8.0), ('mug', 2 / 8.0), ('pot', 1 / 8.0), ('jam', 0);
CREATE TABLE shop.list (customer text, rank int, product text);
INSERT INTO shop.list VALUES ('ann', 1, 'tea'), ('ann', 2, 'mug'), ('bob', 1, 'tea'), ('bob', 2, 'pot'), ('cat', 1, 'tea');

-- 3 of 4 items; shown 0, 1, 1 and 3 times: (-3*0 - 1*1 + 1*1 + 3*3) / (4 * 5)
SELECT recommender.catalog_coverage(shown) AS coverage, round(recommender.gini(shown)::numeric, 6) AS gini
FROM (SELECT count(l.product) AS shown FROM shop.product p LEFT JOIN shop.list l ON l.product = p.id GROUP BY p.id) e;
SELECT recommender.gini(x) FILTER (WHERE x < 5) AS "1 to 4", recommender.gini(7) AS alike, recommender.gini(0) AS "not shown",
	   recommender.gini((x = 1)::int) AS one_takes_all, recommender.gini(x) FILTER (WHERE x > 9) AS nothing,
	   recommender.catalog_coverage(nullif(x, 1)) AS coverage
FROM generate_series(1, 5) x;

-- popularity (3 * 4 + 2 + 1) / 8 / 5; novelty (3 * 1 + 2 + 3) / 5 bits
SELECT recommender.average_popularity(popularity), recommender.novelty(popularity)
FROM shop.list JOIN shop.product ON product = id;

-- three pairs, two of them with similarities of 1/2 and 1/4: 1 - 3/4 / 3
SELECT recommender.intra_list_diversity(s) FROM unnest('{0.5, 0.25, NULL}'::float8[]) s;

-- Scores .1, .4, .35, .8, of which the last two are relevant: 3 of 4 pairs are in order.  A tie is one half.
SELECT recommender.auc(score, relevant) AS auc, recommender.auc(-score, relevant) AS reversed,
	   recommender.auc(1, relevant) AS constant, recommender.auc(score, true) AS no_other
FROM (VALUES (0.1, false), (0.4, false), (0.35, true), (0.8, true), (NULL, true), (0, NULL)) v (score, relevant);

-- Predicted .9, .1, .2, .65 for true, false, false, true: 0.21616.  Infinity for an outcome of predicted probability 0.
SELECT round(recommender.log_loss(p, y)::numeric, 5) AS log_loss, recommender.log_loss(1 - y::int, y) AS always_wrong,
	   recommender.log_loss(y::int, y) AS always_right, recommender.log_loss(NULL, y) AS nothing_said
FROM (VALUES (.9, true), (.1, false), (.2, false), (.65, true), (NULL, true), (.5, NULL)) v (p, y);

-- Errors: lists
SELECT recommender.precision('{1}', '{1}', 0);
SELECT recommender.serendipity('{1}', '{1}', '{1}', -1);
SELECT recommender.recall('{{1},{2}}'::int[], '{1}');
SELECT recommender.recall('{1}', '{{1},{2}}'::int[]);
SELECT recommender.serendipity('{1}', '{1}', '{{1},{2}}'::int[]);
SELECT recommender.ndcg('{1}', '{1}', gains => '{{1},{1}}');
SELECT recommender.ndcg('{1}', '{1,2}', gains => '{1}');
SELECT recommender.ndcg('{1}', '{1}', gains => '{NULL}');
SELECT recommender.ndcg('{1}', '{1}', gains => '{-1}');
SELECT recommender.ndcg('{1}', '{1}', gains => '{1025}', exponential => true);
SELECT recommender.hit_rate('{"(1,2)"}'::point[], '{}');
SELECT recommender.hit_rate(ARRAY[v.a], ARRAY[w.a]) FROM (SELECT 'a' COLLATE "C" AS a) v, (SELECT 'a' COLLATE "POSIX" AS a) w;
-- versions of PostgreSQL differ in detail and hint
\set VERBOSITY terse
SELECT recommender.hit_rate('{1}'::int[], '{1}'::text[]);
\set VERBOSITY default

-- Errors: rows
SELECT recommender.catalog_coverage(-1);
SELECT recommender.gini('NaN');
SELECT recommender.average_popularity('Infinity');
SELECT recommender.novelty(2);
SELECT recommender.novelty(NULL);
SELECT recommender.intra_list_diversity('NaN');
SELECT recommender.auc('NaN', true);
SELECT recommender.log_loss(1.5, true);
SET maintenance_work_mem = '1MB';
SELECT recommender.auc(x, x > 5) FROM generate_series(1, 200000) x;
RESET maintenance_work_mem;

DROP SCHEMA shop CASCADE;
