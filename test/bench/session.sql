/*
 * session.sql
 *	  The recommender bench_all, small, with content, context and filters.
 */
CREATE TABLE bench.products AS
SELECT n AS id, 'k' || n % 7 AS kind, n % 100 AS price, 'a thing of sort ' || n % 40 AS title, n % 10 > 0 AS in_stock
FROM   generate_series(0, 2000) AS n;

ALTER TABLE bench.products ADD PRIMARY KEY (id);

CREATE TABLE bench.visits AS
SELECT 1 + abs(hashint8extended(g, 1)) % 5000 AS user_id,
	   (power((abs(hashint8extended(g, 2)) % 1000003) / 1000003.0, 2) * 1990)::int AS item_id,
	   (ARRAY['mobile', 'desktop', 'tablet'])[1 + abs(hashint8extended(g, 3)) % 3] AS device,
	   timestamptz '2026-01-01' + g * interval '1 minute' AS at
FROM   generate_series(1, 100000) AS g;

ALTER TABLE bench.visits ALTER user_id TYPE integer;
CREATE INDEX ON bench.visits (user_id, at);
ANALYZE bench.products;
ANALYZE bench.visits;

SELECT recommender.create_recommender('bench_all', 'bench.visits', time_column => 'at', context_columns => '{device}');
SELECT recommender.set_items('bench_all', 'bench.products', feature_columns => '{kind,price}',
							 text_columns => '{title}', available_column => 'in_stock');
SELECT * FROM recommender.refresh('bench_all');
