/*
 * Similarity of items, computed by hand for five customers.
 *
 *			tea	mug	pot	jam
 *	ann		2	1	1	.
 *	bob		1	1	.	.
 *	cat		3	2	.	.
 *	dan		1	.	.	1
 *	eve		.	.	1	2
 *
 * Users: tea 4, mug 3, pot 2, jam 2, of 5.  Users of both: tea and mug 3;
 * tea and pot, tea and jam, mug and pot, pot and jam 1; mug and jam none.
 */
CREATE SCHEMA shop;
CREATE TABLE shop.orders (customer text, product text, quantity int, day date, country text);
INSERT INTO shop.orders VALUES
	('ann', 'tea', 2, '2026-01-03', 'fr'), ('ann', 'mug', 1, '2026-01-02', 'fr'), ('ann', 'pot', 1, '2026-01-01', 'fr'),
	('bob', 'tea', 1, '2026-01-03', 'fr'), ('bob', 'mug', 1, '2026-01-03', 'fr'),
	('cat', 'tea', 3, '2026-01-02', 'de'), ('cat', 'mug', 2, '2026-01-02', 'de'),
	('dan', 'tea', 1, '2026-01-01', 'de'), ('dan', 'jam', 1, '2026-01-01', 'de'),
	('eve', 'pot', 1, '2026-01-03', 'de'), ('eve', 'jam', 2, NULL, 'de');

-- The result of item_similarities() with some options, six digits.
CREATE FUNCTION shop.neighbors(options jsonb, query text = 'SELECT customer, product, quantity FROM shop.orders')
RETURNS TABLE (item_id text, similar_item_id text, similarity numeric, support bigint)
LANGUAGE sql AS $$
	SELECT item_id, similar_item_id, round(similarity::numeric, 6), support
	FROM recommender.item_similarities(query, options)
$$;

-- jaccard c / (n_i + n_j - c): tea and mug 3/4, tea and pot 1/5, mug and pot 1/4, pot and jam 1/3;
-- popular items first; jam and pot tie with two users each, so that the smaller id comes first
SELECT * FROM shop.neighbors('{"measure": "jaccard"}');

-- cosine of quantities: tea and mug (2*1 + 1*1 + 3*2) / sqrt(15 * 6), pot and jam 2 / sqrt(2 * 5)
SELECT * FROM shop.neighbors('{}');

-- binary cosine: tea and mug 3 / sqrt(4 * 3), pot and jam 1/2
SELECT * FROM shop.neighbors('{"weighting": "binary"}') WHERE item_id IN ('mug', 'pot');

-- conditional c / n_i, the share of buyers of the first: mug to pot 1/3, mug to jam 0
SELECT * FROM shop.neighbors('{"measure": "conditional"}') WHERE item_id IN ('mug', 'jam');

-- lift N c / (n_i n_j): tea and mug 5 * 3 / 12, pot and jam 5/4, mug and pot 5/6; pmi is its logarithm, above 0
SELECT * FROM shop.neighbors('{"measure": "lift"}') WHERE item_id = 'pot';
SELECT * FROM shop.neighbors('{"measure": "pmi"}');

-- min_support 2: only tea and mug; shrinkage 3 on top: 3/4 * 3/6
SELECT * FROM shop.neighbors('{"measure": "jaccard", "min_support": 2, "shrinkage": 3}');

-- one neighbour per item; one source per target: pot is the best for jam, and jam for pot
SELECT * FROM shop.neighbors('{"measure": "jaccard", "neighbors": 1}');
SELECT * FROM shop.neighbors('{"measure": "conditional", "neighbors": 1, "truncate": "target"}');

-- a maximum history of two: ann's oldest item, pot, is ignored
SELECT * FROM shop.neighbors('{"measure": "overlap", "max_history": 2}',
						   'SELECT customer, product, quantity, day FROM shop.orders') WHERE 'pot' IN (item_id, similar_item_id);

-- half-life of a day: tea (2,1,1.5,.25,0), mug (.5,1,1,0,0): 3.5 / sqrt(7.3125 * 2.25); no decay without a time: jam (0,0,0,.25,2)
SELECT * FROM shop.neighbors('{"half_life": "1 day"}',
						   'SELECT customer, product, quantity, day FROM shop.orders') WHERE item_id IN ('mug', 'jam');

-- repeats: one user has tea 3, then 1, and mug 2; another has 1 of each:
-- (4*2 + 1) / sqrt(17 * 5), (3*2 + 1) / sqrt(10 * 5), (1*2 + 1) / sqrt(2 * 5), 2 / 2
SELECT repeats, s.* FROM unnest('{sum, max, last, binary}'::text[]) repeats,
	 shop.neighbors(format('{"repeats": "%s"}', repeats)::jsonb,
		$$VALUES (1, 'tea', 3, date '2026-01-01'), (1, 'tea', 1, '2026-01-02'), (1, 'mug', 2, NULL), (2, 'tea', 1, NULL), (2, 'mug', 1, NULL)$$) s
WHERE item_id = 'tea';

-- ratings, centred by item: a (1,-1), b (-1,1), c (2,-2): a and c are similar, b is dissimilar to both
SELECT * FROM shop.neighbors('{"measure": "pearson"}',
	'VALUES (1, ''a'', 5), (2, ''a'', 3), (1, ''b'', -1), (2, ''b'', 1), (1, ''c'', 4), (2, ''c'', 0)');

-- rows without user or item are ignored, a weight of NULL is 1, a weight of zero or less is ignored
SELECT * FROM shop.neighbors('{}', $$VALUES (1, 'a', 1), (1, 'b', NULL), (NULL, 'a', 5), (1, NULL, 5), (1, 'c', 0), (1, 'd', -1)$$);

-- The aggregate returns the lists as one value per group: in fr, tea (2,1) and mug (1,1) 3 / sqrt(5 * 2), tea and pot (1,0) 2 / sqrt(5).
SELECT country, item_id, similar_item_id, round(similarity::numeric, 6) AS similarity, support
FROM (SELECT country, recommender.item_similarity_agg(customer, product, quantity) AS list FROM shop.orders GROUP BY country) o,
	 unnest(o.list) WITH ORDINALITY AS s (item_id, similar_item_id, similarity, support, nth)
ORDER BY country, nth;
SELECT recommender.item_similarity_agg(customer, product, 1, '{"measure": "conditional"}') FILTER (WHERE country = 'fr') AS fr,
	   recommender.item_similarity_agg(customer, product) FILTER (WHERE country = 'it') AS it
FROM shop.orders;

-- Ids have any type, and its equality; of equal ids the smaller text is shown.
SELECT * FROM recommender.item_similarities('VALUES (1::int2, 9223372036854775807), (1, -9223372036854775808)');
SELECT * FROM recommender.item_similarities('VALUES
	(uuid ''00000000-0000-0000-0000-00000000000a'', 1.50),
	(''00000000-0000-0000-0000-00000000000A'', 2),
	(''00000000-0000-0000-0000-00000000000b'', 1.5)', '{"measure": "jaccard"}');
SELECT * FROM recommender.item_similarities('SELECT day, country::varchar(2) FROM shop.orders', '{"measure": "jaccard"}');

-- Errors: options
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"mesure": "cosine"}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"colour": "blue"}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"measure": "cosin"}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"weighting": "tf-idf"}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"measure": 1}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"neighbors": 0}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"neighbors": "10"}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"neighbors": 1.5}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"shrinkage": -1}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"shrinkage": "much"}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"shrinkage": 1e400}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"half_life": 7}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"half_life": "soon"}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"half_life": "-1 day"}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"measure": "pearson", "weighting": "log"}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '{"history": 10}');
SELECT * FROM recommender.item_similarities('VALUES (1, 2)', '[]');
SELECT recommender.item_similarity_agg(1, 2, 1, '{"half_life": "1 day"}');
SELECT recommender.item_similarity_agg(1, 2, 1, '{"repeats": "last"}');
SELECT recommender.item_similarity_agg(1, 2, 1, format('{"neighbors": %s}', n)::jsonb) FROM generate_series(1, 2) n;

-- Errors: rows
SELECT * FROM recommender.item_similarities('VALUES (1, ''tea'', float8 ''NaN'')');
SELECT recommender.item_similarity_agg(1, 'tea'::text, 'Infinity');
SELECT * FROM recommender.item_similarities('SELECT 1, point(1, 2)');
SELECT recommender.item_similarity_agg(json '{}', 2);

-- Errors: queries
SELECT * FROM recommender.item_similarities('SELECT 1');
SELECT * FROM recommender.item_similarities('SELECT 1, 2, 3, now(), 5');
SELECT * FROM recommender.item_similarities('SELECT 1, 2, ''much''::text');
SELECT * FROM recommender.item_similarities('SELECT 1, 2, 3, 4');
SELECT * FROM recommender.item_similarities('');
SELECT * FROM recommender.item_similarities('SELECT 1, 2; SELECT 1, 3');
SELECT * FROM recommender.item_similarities('DELETE FROM shop.orders');
SELECT * FROM recommender.item_similarities('SELECT customer, produkt FROM shop.orders');

DROP SCHEMA shop CASCADE;
