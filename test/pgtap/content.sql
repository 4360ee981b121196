/*
 * test/pgtap/content.sql
 *	  Content against an oracle: features, TF-IDF, lengths and cosines in
 *	  brute-force SQL on products with every kind of column, with nulls, empty
 *	  texts and duplicates.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public, shop;
SELECT setseed(0.25);

SELECT plan(215);

CREATE SCHEMA shop;
CREATE TABLE shop.orders (user_id int, item_id int);
CREATE INDEX ON shop.orders (user_id);
INSERT INTO shop.orders SELECT u, 1 + (random() * 60)::int FROM generate_series(1, 60) u, generate_series(1, 6);

-- Words and categories with very different frequencies.
CREATE FUNCTION shop.word() RETURNS text LANGUAGE sql VOLATILE AS
$$SELECT (ARRAY['tea', 'Tea', 'green', 'mug', 'mugs', 'the', 'grün', '茶', 'a-b', '12.5'])[1 + floor(10 * random() ^ 2)::int]$$;
CREATE FUNCTION shop.maybe(value anyelement) RETURNS anyelement LANGUAGE sql VOLATILE AS
$$SELECT CASE WHEN random() < 0.85 THEN value END$$;
CREATE TYPE shop.grade AS ENUM ('plain', 'fine', 'finest');
CREATE TABLE shop.products (
	id int PRIMARY KEY, category text, brand varchar(10), grade shop.grade, fair boolean, tags text[], sizes int[], details jsonb,
	price numeric, stars float8, pieces int, maker int, launched date, seen timestamptz, title text, body text, words tsvector,
	picture real[], sound float8[]);
INSERT INTO shop.products
SELECT i, shop.maybe((ARRAY['a', 'b', 'c', ''])[1 + floor(4 * random() ^ 2)::int]), shop.maybe('b' || floor(random() * 8)), shop.maybe((ARRAY['plain', 'fine', 'finest']::shop.grade[])[1 + floor(random() * 3)::int]),
	shop.maybe(random() < 0.3), shop.maybe(ARRAY(SELECT shop.maybe('t' || floor(6 * random() ^ 2)) FROM generate_series(1, i % 4))), shop.maybe(ARRAY[i % 3, i % 5, i % 3]),
	shop.maybe(jsonb_build_object('colour', ARRAY['red', 'blue', shop.maybe('grün'::text)], 'size', i % 4, 'ok', i % 2 = 0, 'none', NULL, 'empty', '', 'inner', jsonb_build_object('x', i % 3, 'y', jsonb_build_array(1.50, 2)))),
	shop.maybe((random() * 100)::numeric(6, 2)), shop.maybe(floor(random() * 5)), shop.maybe(CASE WHEN i % 3 = 0 THEN 0 ELSE floor(random() * 1000)::int END), shop.maybe(i % 7),
	shop.maybe('2024-01-01'::date + floor(random() * 400)::int), shop.maybe('2024-01-01'::timestamptz + i % 5 * interval '1 day'),
	shop.maybe((SELECT string_agg(shop.word(), ' ') FROM generate_series(1, 1 + i % 6))), shop.maybe((SELECT coalesce(string_agg(shop.word(), ', '), '') FROM generate_series(1, i % 20))),
	shop.maybe(to_tsvector('simple', shop.word() || ' ' || shop.word())), shop.maybe(ARRAY[random() - 0.5, random(), random(), random(), random(), random(), random(), random(), random()]::real[]),
	shop.maybe(CASE WHEN i % 11 = 0 THEN '{}' WHEN i % 13 = 0 THEN '{0,0,0}' ELSE ARRAY[random(), random(), 0.5] END)
FROM generate_series(1, 200) i;
-- items without features, and items with equal features
INSERT INTO shop.products (id) VALUES (201), (202);
INSERT INTO shop.products (id, category, title, tags) SELECT 210 + i, 'same', 'the same thing', '{}' FROM generate_series(1, 12) i;

SELECT recommender.create_recommender('recs', 'shop.orders', options => '{"neighbors": 8, "content_kappa": 0}');
SELECT recommender.set_items('recs', 'shop.products',
	feature_columns => '{category,brand,grade,fair,tags,sizes,details,price,stars,pieces,maker,launched,seen,picture,sound}', text_columns => '{title,body,words}',
	options => '{"config": "english", "weights": {"title": 2, "brand": 0.5, "body": 1.5, "sound": 0.7}, "buckets": {"price": 7, "pieces": [1, 10, 500.5]}, "categorical": ["maker"]}');
SELECT isnt((recommender.refresh('recs')).items, NULL, 'refreshed');

/* ------------------------------------------------------------------------
 * The items of a generation
 * ------------------------------------------------------------------------ */

SELECT set_eq('SELECT item_id FROM recs.item', 'SELECT id FROM shop.products UNION SELECT item_id FROM shop.orders', 'all items are there, with interactions or without');
SELECT results_eq('SELECT item_id FROM recs.item ORDER BY item_no',
	$$SELECT p.id FROM shop.products p LEFT JOIN (SELECT item_id, count(DISTINCT user_id) AS users FROM shop.orders GROUP BY 1) o ON o.item_id = p.id ORDER BY coalesce(users, 0) DESC, p.id$$,
	'numbered by falling users, then by id');
SELECT is_empty('SELECT * FROM recs.item WHERE item_no >= (SELECT count(DISTINCT item_id) FROM shop.orders) AND (users, weight, popularity, trend) <> (0, 0, 0, 0)', 'what nobody touched is neither popular nor on the rise');
SELECT is((SELECT items FROM recs.definition), (SELECT count(*) FROM recs.item), 'the definition counts all');

/* ------------------------------------------------------------------------
 * Features
 * ------------------------------------------------------------------------ */

-- Buckets: the bounds, and the bucket of a number.
CREATE FUNCTION shop.bounds(numbers float8[], buckets int) RETURNS float8[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(b ORDER BY b), '{}') FROM (
		SELECT DISTINCT b FROM (SELECT array_agg(n ORDER BY n) AS v, count(DISTINCT n) AS different, min(n) AS least FROM unnest(numbers) n) s,
			LATERAL (SELECT n FROM unnest(v) n WHERE different <= buckets UNION ALL
					 SELECT v[1 + k * cardinality(v) / buckets] FROM generate_series(1, buckets - 1) k WHERE different > buckets) t(b)
		WHERE b > least) u $$;
CREATE FUNCTION shop.bucket(number float8, bounds float8[]) RETURNS text LANGUAGE sql AS $$
	SELECT format('[%s,%s)', bounds[width_bucket(number, bounds)], bounds[width_bucket(number, bounds) + 1]) $$;
CREATE TABLE shop.bound AS SELECT 'price' AS col, shop.bounds(array_agg(price::float8) FILTER (WHERE price IS NOT NULL), 7) AS bounds FROM shop.products
	UNION ALL SELECT 'stars', shop.bounds(array_agg(stars) FILTER (WHERE stars IS NOT NULL), 10) FROM shop.products
	UNION ALL SELECT 'pieces', '{1,10,500.5}'
	UNION ALL SELECT 'launched', shop.bounds(array_agg(extract(epoch FROM launched)::float8) FILTER (WHERE launched IS NOT NULL), 10) FROM shop.products
	UNION ALL SELECT 'seen', shop.bounds(array_agg(extract(epoch FROM seen)::float8) FILTER (WHERE seen IS NOT NULL), 10) FROM shop.products;
SELECT set_eq('SELECT column_name::text, bounds FROM recs.content_column WHERE kind IN (''number'', ''date'')', 'SELECT col, bounds FROM shop.bound', 'bounds of buckets');
SELECT is((SELECT array_length(bounds, 1) FROM shop.bound WHERE col = 'stars'), 4, 'few different numbers have a bucket each');

CREATE FUNCTION shop.paths(path text, value jsonb) RETURNS TABLE (feature text) LANGUAGE sql AS $$
	SELECT f FROM jsonb_each(CASE jsonb_typeof(value) WHEN 'object' THEN value ELSE '{}' END) e, shop.paths(concat_ws('.', path, e.key), e.value) f
	UNION ALL SELECT f FROM jsonb_array_elements(CASE jsonb_typeof(value) WHEN 'array' THEN value ELSE '[]' END) e, shop.paths(path, e) f
	UNION ALL SELECT path || '=' || CASE jsonb_typeof(value) WHEN 'number' THEN trim_scale((value #>> '{}')::numeric)::text ELSE value #>> '{}' END
	WHERE jsonb_typeof(value) NOT IN ('object', 'array', 'null') AND value <> '""' $$;
-- item, column, value and how often
CREATE TABLE shop.said AS
SELECT id, 'category' AS col, category AS value, 1 AS n FROM shop.products WHERE category <> ''
UNION SELECT id, 'brand', brand, 1 FROM shop.products WHERE brand <> ''
UNION SELECT id, 'grade', grade::text, 1 FROM shop.products WHERE grade IS NOT NULL
UNION SELECT id, 'fair', fair::text, 1 FROM shop.products WHERE fair IS NOT NULL
UNION SELECT id, 'tags', t, 1 FROM shop.products, unnest(tags) t WHERE t <> ''
UNION SELECT id, 'sizes', t::text, 1 FROM shop.products, unnest(sizes) t
UNION SELECT id, 'details', f, 1 FROM shop.products, shop.paths(NULL, details) f WHERE details IS NOT NULL
UNION SELECT id, 'maker', maker::text, 1 FROM shop.products WHERE maker IS NOT NULL
UNION SELECT id, col, shop.bucket(number, bounds), 1 FROM shop.products, LATERAL (VALUES ('price', price::float8), ('stars', stars), ('pieces', pieces::float8)) v(col, number) JOIN shop.bound USING (col) WHERE number IS NOT NULL
UNION SELECT id, col, width_bucket(number, bounds)::text, 1 FROM shop.products, LATERAL (VALUES ('launched', extract(epoch FROM launched)::float8), ('seen', extract(epoch FROM seen)::float8)) v(col, number) JOIN shop.bound USING (col) WHERE number IS NOT NULL
UNION SELECT id, col, lexeme, cardinality(positions) FROM shop.products, LATERAL (VALUES ('title', to_tsvector('english', title)), ('body', to_tsvector('english', body)), ('words', words)) v(col, vector), unnest(vector);
-- the buckets of times have names of their own: one for each, in the same order
CREATE TABLE shop.time_name AS
SELECT column_name::text AS col, value, row_number() OVER (PARTITION BY column_name ORDER BY CASE WHEN value LIKE '[,%' THEN '' ELSE value END) - 1 AS bucket
FROM recs.feature WHERE column_name IN ('launched', 'seen');
UPDATE shop.said s SET value = t.value FROM shop.time_name t WHERE t.col = s.col AND t.bucket::text = s.value;
SELECT matches(value, '^\[(2024-[-0-9]+(:?[ 0-9:]+)?)?,(202[45]-[-0-9]+([ 0-9:]+)?)?\)$', 'a bucket of times: ' || value) FROM shop.time_name;

SELECT set_eq('SELECT column_name::text, value, items FROM recs.feature', 'SELECT col, value, count(DISTINCT id)::int FROM shop.said GROUP BY 1, 2', 'features, and how many items have them');
SELECT results_eq('SELECT feature_no FROM recs.feature ORDER BY feature_no', 'SELECT generate_series(0, (SELECT count(*)::int - 1 FROM recs.feature))', 'features are numbered from 0');
SELECT is_empty($$SELECT f.feature_no FROM recs.feature f JOIN recs.content_column c USING (column_name) JOIN recs.feature g ON g.feature_no = f.feature_no + 1 JOIN recs.content_column d ON d.column_name = g.column_name
	WHERE (d.position, g.value COLLATE "C") <= (c.position, f.value COLLATE "C")$$, '... column by column, in order of their bytes');
SELECT is_empty('SELECT * FROM recs.feature WHERE abs(idf - (ln((1 + (SELECT count(*) FROM shop.products)) / (1.0 + items)) + 1)) > 1e-9', 'idf');
SELECT set_eq('SELECT position, column_name::text FROM recs.content_column', $$SELECT o::int, c FROM unnest('{category,brand,grade,fair,tags,sizes,details,price,stars,pieces,maker,launched,seen,picture,sound,title,body,words}'::text[]) WITH ORDINALITY u(c, o)$$, 'columns');
SELECT set_eq($$SELECT column_name::text, all_items, items, features FROM recs.content_column WHERE kind <> 'embedding'$$,
	'SELECT col, (SELECT count(*) FROM shop.products) AS all_items, count(DISTINCT id) AS items, count(DISTINCT value)::int AS features FROM shop.said GROUP BY col', 'what each column says, of how many');
SELECT set_eq($$SELECT column_name::text, kind FROM recs.content_column$$, $$VALUES ('category', 'category'), ('brand', 'category'), ('grade', 'category'), ('fair', 'category'), ('tags', 'array'), ('sizes', 'array'), ('details', 'json'),
	('price', 'number'), ('stars', 'number'), ('pieces', 'number'), ('maker', 'category'), ('launched', 'date'), ('seen', 'date'), ('picture', 'embedding'), ('sound', 'embedding'), ('title', 'text'), ('body', 'text'), ('words', 'lexemes')$$, 'kinds');

/* ------------------------------------------------------------------------
 * Vectors
 * ------------------------------------------------------------------------ */

CREATE TABLE shop.column_weight AS SELECT column_name::text AS col, weight FROM recs.content_column;
SELECT set_eq('SELECT * FROM shop.column_weight WHERE weight <> 1', $$VALUES ('title', 2::float8), ('brand', 0.5), ('body', 1.5), ('sound', 0.7)$$, 'weights of columns');
CREATE TABLE shop.dense AS
SELECT id, col, d, x / sqrt(sum(x * x) OVER (PARTITION BY id, col)) AS x
FROM shop.products, LATERAL (VALUES ('picture', picture::float8[]), ('sound', sound)) v(col, e), unnest(e) WITH ORDINALITY u(x, d) WHERE (SELECT sum(y * y) FROM unnest(e) y) > 0;
CREATE TABLE shop.vector AS
WITH raw AS (SELECT s.id, s.col, s.value, CASE WHEN col IN ('title', 'body', 'words') THEN 1 + ln(n::float8) ELSE 1 END * f.idf AS x FROM shop.said s JOIN recs.feature f ON f.column_name = s.col AND f.value = s.value),
	block AS (SELECT id, col, value, x / sqrt(sum(x * x) OVER (PARTITION BY id, col)) AS x FROM raw UNION ALL SELECT id, col, d::text, x FROM shop.dense),
	weighted AS (SELECT id, col, value, x * weight AS x FROM block JOIN shop.column_weight USING (col))
SELECT id, col, value, x / sqrt(sum(x * x) OVER (PARTITION BY id)) AS x FROM weighted;
CREATE TABLE shop.stored AS
SELECT v.item_id AS id, f.column_name::text AS col, f.value, u.x::float8 FROM recs.item_feature v, unnest(feature_nos, weights) u(feature_no, x) JOIN recs.feature f USING (feature_no)
UNION ALL SELECT v.item_id, CASE WHEN d <= 9 THEN 'picture' ELSE 'sound' END, CASE WHEN d <= 9 THEN d ELSE d - 9 END::text, x FROM recs.item_feature v, unnest(embedding) WITH ORDINALITY u(x, d) WHERE x <> 0;
SELECT is_empty('SELECT * FROM shop.vector FULL JOIN shop.stored USING (id, col, value) WHERE abs(coalesce(vector.x, 0) - coalesce(stored.x, 0)) > 1e-6', 'TF-IDF, scaled by column and as a whole');
SELECT isnt_empty('SELECT * FROM shop.vector', 'which is something');
SELECT is_empty('SELECT id FROM shop.stored GROUP BY id HAVING abs(sum(x * x) - 1) > 1e-5', 'each vector has length 1');
SELECT set_eq('SELECT id FROM shop.stored', 'SELECT id FROM shop.vector', 'who has a vector');
SELECT is_empty('SELECT * FROM recs.item_feature WHERE item_id IN (201, 202)', 'nothing is said of some');
SELECT is_empty('SELECT v.item_id FROM recs.item_feature v LEFT JOIN recs.item i USING (item_no, item_id) WHERE i.item_no IS NULL', 'vectors have the numbers of the items');
SELECT is_empty($$SELECT feature_no, item_no, x FROM recs.feature, unnest(item_nos, weights) u(item_no, x) EXCEPT SELECT u.feature_no, item_no, x FROM recs.item_feature, unnest(feature_nos, weights) u(feature_no, x)$$, 'features list what vectors have');
SELECT is((SELECT sum(cardinality(item_nos)) FROM recs.feature), (SELECT sum(cardinality(feature_nos)) FROM recs.item_feature), 'all of it');
SELECT is_empty('SELECT feature_no FROM recs.feature WHERE item_nos <> ARRAY(SELECT unnest(item_nos) ORDER BY 1)', 'in order of the items');

/* ------------------------------------------------------------------------
 * Neighbours
 * ------------------------------------------------------------------------ */

-- Compare the stored neighbours of a kind with all pairs of the vectors.
CREATE FUNCTION shop.check_neighbors(schema name, neighbors int, name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TEMP TABLE entry AS
		SELECT item_no, feature_no::text AS f, x::float8 FROM %1$I.item_feature v, unnest(feature_nos, weights) u(feature_no, x)
		UNION ALL SELECT item_no, ''e'' || d, x FROM %1$I.item_feature v, unnest(embedding) WITH ORDINALITY u(x, d)', schema);
	CREATE TEMP TABLE pair AS SELECT a.item_no AS i, b.item_no AS j, round(sum(a.x * b.x)::numeric, 6) AS s FROM entry a JOIN entry b USING (f) WHERE a.item_no <> b.item_no GROUP BY 1, 2 HAVING sum(a.x * b.x) > 1e-7;
	EXECUTE format('CREATE TEMP TABLE kept AS SELECT n.item_no AS i, j, s, rank FROM %I.neighbor n, unnest(neighbors, scores) WITH ORDINALITY u(j, s, rank) WHERE kind = ''content''', schema);
	RETURN NEXT is_empty('SELECT * FROM kept LEFT JOIN pair USING (i, j) WHERE pair.s IS NULL OR abs(kept.s - pair.s) > 2e-6', name || ': similarities are cosines');
	-- the best of an item: no pair above the last one is missing
	CREATE TEMP TABLE own AS SELECT i, max(rank) AS n, (array_agg(s ORDER BY rank))[neighbors] AS kth FROM kept GROUP BY i;
	RETURN NEXT is_empty(format('SELECT i, j FROM pair JOIN own USING (i) WHERE s > coalesce(kth, 0) + 2e-6 AND NOT EXISTS (SELECT FROM kept WHERE kept.i = pair.i AND kept.j = pair.j)'), name || ': the best of each are there');
	RETURN NEXT is_empty('SELECT i FROM kept a JOIN kept b USING (i) WHERE b.rank = a.rank + 1 AND (b.s > a.s)', name || ': best first');
	-- ... and those that have it among their own best, as many once more at most
	RETURN NEXT is_empty(format('SELECT b.i, b.j FROM kept b WHERE b.rank > %1$s AND NOT EXISTS (SELECT FROM kept a WHERE a.i = b.j AND a.j = b.i AND a.rank <= %1$s)', neighbors), name || ': who comes after them has the item among its own');
	RETURN NEXT is_empty(format('SELECT a.i, a.j FROM kept a JOIN own o ON o.i = a.j WHERE a.rank <= %1$s AND o.n < 2 * %1$s AND NOT EXISTS (SELECT FROM kept b WHERE b.i = a.j AND b.j = a.i)', neighbors), name || ': nobody who has it is left out');
	RETURN NEXT is_empty(format('SELECT i FROM own WHERE n > 2 * %s', neighbors), name || ': and no more');
	RETURN NEXT isnt_empty(format('SELECT i FROM own WHERE n > %s', neighbors), name || ': there are such');
	DROP TABLE entry, pair, kept, own;
END $$;
SELECT shop.check_neighbors('recs', 8, 'all pairs');
-- ties: the smaller number comes first
SELECT is((SELECT array_agg(neighbor_id ORDER BY rank) FROM recs.neighbors WHERE kind = 'content' AND item_id = 222 AND rank <= 8), '{211,212,213,214,215,216,217,218}', 'of equals the first are kept');
SELECT is((SELECT array_agg(neighbor_id ORDER BY rank) FROM recs.neighbors WHERE kind = 'content' AND item_id = 211), '{212,213,214,215,216,217,218,219,220,221,222}', 'and the others come after them');

-- frequent features find no candidates, but count in the cosine
CREATE TABLE shop.all_pairs AS SELECT item_id, neighbor_id, similarity FROM recs.neighbors WHERE kind = 'content' AND rank <= 8;
SELECT recommender.set_items('recs', 'shop.products', feature_columns => '{category,brand,tags}', text_columns => '{title}', options => '{"config": "simple", "feature_max_items": 20}');
SELECT isnt((recommender.refresh('recs')).items, NULL, 'refreshed');
SELECT set_eq('SELECT column_name::text, frequent FROM recs.content_column', 'SELECT column_name::text, count(*) FILTER (WHERE items > 20)::int FROM recs.feature GROUP BY 1', 'frequent features are counted');
SELECT isnt_empty('SELECT * FROM recs.content_column WHERE frequent > 0', 'there are some');
SELECT is_empty('SELECT * FROM recs.feature WHERE (items > 20) <> (item_nos = ''{}'' AND weights = ''{}'')', 'they list no items');
SELECT set_eq($$SELECT DISTINCT n.item_no AS i, j FROM recs.neighbor n, unnest(neighbors) j WHERE kind = 'content' AND cardinality(neighbors) < 8$$,
	$$SELECT n.item_no AS i, w.item_no AS j FROM recs.neighbor n JOIN recs.item_feature v USING (item_no) JOIN recs.item_feature w ON w.item_no <> v.item_no
		AND (SELECT bool_or(items <= 20) FROM recs.feature WHERE feature_no = ANY (v.feature_nos) AND feature_no = ANY (w.feature_nos))
		WHERE kind = 'content' AND cardinality(neighbors) < 8$$, 'neighbours have a feature in common that is not frequent');
SELECT is_empty($$SELECT n.item_no, j FROM recs.neighbor n, unnest(neighbors, scores) u(j, s) JOIN recs.item_feature w ON w.item_no = j, recs.item_feature v WHERE kind = 'content' AND v.item_no = n.item_no
	AND abs(s - (SELECT sum(a.x * b.x) FROM unnest(v.feature_nos, v.weights) a(f, x) JOIN unnest(w.feature_nos, w.weights) b(f, x) USING (f))) > 1e-6$$, 'their similarity is that of all features');

/* ------------------------------------------------------------------------
 * Answers: known items
 * ------------------------------------------------------------------------ */

-- All pairs are kept, so that no list is truncated.
SELECT isnt(recommender.set_options('recs', '{"neighbors": 1000, "blend": {"content": 1}}'), NULL, 'all pairs');
SELECT recommender.set_items('recs', 'shop.products',
	feature_columns => '{category,brand,grade,fair,tags,sizes,details,price,stars,pieces,maker,launched,seen,picture,sound}', text_columns => '{title,body,words}',
	options => '{"config": "english", "weights": {"title": 2, "brand": 0.5, "body": 1.5, "sound": 0.7}, "buckets": {"price": 7, "pieces": [1, 10, 500.5]}, "categorical": ["maker"]}');
SELECT isnt((recommender.refresh('recs')).items, NULL, 'refreshed');
CREATE TABLE shop.entry AS
SELECT item_id AS id, item_no, feature_no::text AS f, x::float8 FROM recs.item_feature v, unnest(feature_nos, weights) u(feature_no, x)
UNION ALL SELECT item_id, item_no, 'e' || d, x FROM recs.item_feature v, unnest(embedding) WITH ORDINALITY u(x, d);
CREATE TABLE shop.cosine AS SELECT a.id AS i, b.id AS j, sum(a.x * b.x) AS s FROM shop.entry a JOIN shop.entry b USING (f) GROUP BY 1, 2 HAVING sum(a.x * b.x) > 1e-9;
CREATE INDEX ON shop.cosine (i, j);
ANALYZE shop.cosine;
-- items without users
CREATE TABLE shop.cold AS SELECT id FROM shop.products WHERE id NOT IN (SELECT item_id FROM shop.orders);

-- the similarity of items without users is the cosine
SELECT is_empty($$SELECT c.id, r.item_id FROM (SELECT id FROM shop.cold WHERE id % 7 = 0) c, recs.similar_items(id, 1000) r LEFT JOIN LATERAL (SELECT s FROM shop.cosine WHERE i = c.id AND j = r.item_id) o ON true
	WHERE abs(r.score - coalesce(o.s, 0)) > 1e-6$$, 'similar to what nobody has used: by the cosine');
SELECT is_empty($$SELECT c.id FROM (SELECT id FROM shop.cold WHERE id % 7 = 0) c WHERE (SELECT count(*) FROM recs.similar_items(id, 1000)) <> (SELECT count(*) FROM shop.products) - 1$$, '... of all others');
SELECT is((SELECT array_agg(DISTINCT strategy) FROM recs.similar_items(213, 5)), '{content}'::text[], 'by content');
-- content of a basket: the sum of the cosines, for items without users
CREATE FUNCTION shop.asked(n int) RETURNS int[] LANGUAGE sql AS $$SELECT ARRAY[n, n * 7 % 60 + 1, n * 11 % 200 + 1]$$;
CREATE TABLE shop.basket AS
SELECT n, item_id, score AS content, (SELECT sum(s) FROM shop.cosine c WHERE c.i = ANY (shop.asked(n)) AND c.j = item_id) AS cosines
FROM generate_series(3, 40, 6) n CROSS JOIN LATERAL recs.recommend_basket(shop.asked(n), 1000, options => '{"blend": {"behaviour": 0, "popularity": 0, "context": 0, "content": 1}}') r
WHERE item_id IN (SELECT id FROM shop.cold);
SELECT is_empty('SELECT n FROM (SELECT n, max(content / cosines) AS most, min(content / cosines) AS least FROM shop.basket WHERE cosines > 0.01 GROUP BY n) b WHERE most - least > 1e-5 * most', 'content is in proportion to the sum of the cosines');
SELECT is_empty('SELECT * FROM shop.basket WHERE (content > 1e-7) <> (coalesce(cosines, 0) > 1e-7)', 'and zero where they are');
SELECT isnt_empty('SELECT * FROM shop.basket WHERE cosines > 0.01', 'there are such');

/* ------------------------------------------------------------------------
 * What two items share, in words
 * ------------------------------------------------------------------------ */

-- The features of an explanation: of the 16 with the largest parts of the cosine, the three with the largest parts times ln of rarity.
CREATE FUNCTION shop.bucket_words(bucket text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN bucket LIKE '[,%' THEN '< ' || rtrim(substr(bucket, 3), ')') WHEN bucket LIKE '%,)' THEN '>= ' || rtrim(substr(bucket, 2), ',)') ELSE replace(rtrim(substr(bucket, 2), ')'), ',', '..') END $$;
CREATE FUNCTION shop.shared(a int, b int) RETURNS text LANGUAGE sql AS $$
	WITH part AS (SELECT feature_no, x.w::float8 * y.w::float8 AS part FROM recs.item_feature v, unnest(v.feature_nos, v.weights) x(feature_no, w), recs.item_feature o, unnest(o.feature_nos, o.weights) y(feature_no2, w)
			WHERE v.item_id = a AND o.item_id = b AND feature_no = feature_no2 ORDER BY 2 DESC, 1 LIMIT 16),
		best AS (SELECT column_name::text AS col, kind, f.value, row_number() OVER (ORDER BY part * (f.idf - 1) DESC, feature_no) AS nth FROM part JOIN recs.feature f USING (feature_no) JOIN recs.content_column c USING (column_name)
			WHERE part * (f.idf - 1) > 0 ORDER BY nth LIMIT 3),
		word AS (SELECT min(nth) AS nth, col || ' ' || string_agg(CASE WHEN kind IN ('number', 'date') THEN shop.bucket_words(value) ELSE value END, ' ' ORDER BY nth) AS words FROM best GROUP BY col, CASE WHEN kind NOT IN ('text', 'lexemes') THEN nth END)
	SELECT string_agg(words, ', ' ORDER BY nth) FROM word $$;
CREATE TABLE shop.told AS SELECT u, i.id, e.because_item, e.because_value FROM generate_series(1, 60, 7) u, (SELECT id FROM shop.products WHERE id % 3 = 0) i, recs.explain(u, id) e WHERE component = 'content';
SELECT cmp_ok((SELECT count(*) FROM shop.told), '>', 500::bigint, 'there are contributions of content');
SELECT is_empty('SELECT t.*, shop.shared(because_item, id) FROM shop.told t WHERE because_value IS DISTINCT FROM shop.shared(because_item, id)', 'they name what the two items share');
SELECT cmp_ok((SELECT count(*) FROM shop.told WHERE because_value ~ 'price [0-9.]+\.\.[0-9.]+'), '>', 5::bigint, 'buckets in words');
SELECT is_empty($$SELECT b.id, r.item_id FROM (VALUES (5), (213), (44)) b(id), recs.similar_items(id, 20) r WHERE strategy = 'content' AND (SELECT x ->> 'value' FROM jsonb_array_elements(reasons) x WHERE x ->> 'component' = 'content') IS DISTINCT FROM shop.shared(b.id, item_id)$$, 'reasons of similar items, too');

/* ------------------------------------------------------------------------
 * Answers: items that the model does not know
 * ------------------------------------------------------------------------ */

-- A copy of an item has its vector, so that it is as similar to all others.
CREATE FUNCTION shop.copy(original int, copy int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO shop.products SELECT (jsonb_populate_record(p, jsonb_build_object('id', copy))).* FROM shop.products p WHERE id = original $$;
CREATE FUNCTION shop.check_copy(original int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE copy int := 1000 + original; wrong text;
BEGIN
	PERFORM shop.copy(original, copy);
	SELECT format('item %s: %s, not %s', r.item_id, r.score, o.s) INTO wrong
	FROM recs.similar_items(copy, 1000) r FULL JOIN (SELECT * FROM shop.cosine WHERE i = original) o ON o.j = r.item_id WHERE abs(coalesce(r.score, 0) - coalesce(o.s, 0)) > 1e-6;
	IF wrong IS NULL THEN
		-- ... and equal scores for all users
		SELECT format('user %s: %s, not %s', u, recs.score(u, copy), recs.score(u, original)) INTO wrong FROM generate_series(1, 60, 7) u WHERE abs(recs.score(u, copy) - recs.score(u, original)) > 1e-6;
	END IF;
	IF wrong IS NULL THEN
		SELECT format('user %s: explained as %s, scored %s', u, e.sum, e.score) INTO wrong FROM generate_series(1, 60, 7) u, LATERAL (SELECT coalesce(sum(contribution), 0) AS sum, recs.score(u, copy) AS score FROM recs.explain(u, copy)) e WHERE e.sum <> e.score;
	END IF;
	IF wrong IS NULL THEN
		SELECT format('user %s: recommended with %s, scored %s', u, r.score, recs.score(u, copy)) INTO wrong FROM generate_series(1, 60, 7) u LEFT JOIN LATERAL (SELECT score FROM recs.recommend(u, 1000) WHERE item_id = copy) r ON true
		WHERE r.score IS DISTINCT FROM recs.score(u, copy);
	END IF;
	IF wrong IS NULL THEN
		SELECT format('user %s: shares %s, not %s', u, e.because_value, o.because_value) INTO wrong FROM generate_series(1, 60, 7) u, recs.explain(u, copy) e JOIN recs.explain(u, original) o USING (component, because_item) WHERE component = 'content' AND e.because_value IS DISTINCT FROM o.because_value;
	END IF;
	RAISE EXCEPTION SQLSTATE 'TRIED' USING MESSAGE = coalesce(wrong, 'right');
EXCEPTION WHEN SQLSTATE 'TRIED' THEN
	RETURN SQLERRM;
END $$;
SELECT is(shop.check_copy(id), 'right', format('a copy of item %s', id)) FROM shop.cold WHERE id % 4 = 0 OR id > 200 ORDER BY id;
SELECT is_empty('SELECT * FROM recs.similar_items(1204) WHERE score <> 0', 'after ROLLBACK nothing is similar');
SELECT is(recs.score(1, 1204), 0::float8, 'and it has no score');

-- Features of no other item make the vector longer, as they will after the next refresh.
INSERT INTO shop.products (id, category, title) VALUES (2001, 'same', 'the same thing'), (2002, 'same', 'the same unheard thing');
SELECT results_eq('SELECT item_id FROM recs.similar_items(2001, 3) ORDER BY rank', 'SELECT generate_series(211, 213)', 'as similar as can be');
SELECT ok((SELECT max(score) FROM recs.similar_items(2002, 300) WHERE item_id = 211) < (SELECT max(score) FROM recs.similar_items(2001, 300) WHERE item_id = 211), 'a word that is unheard of makes it less similar');
INSERT INTO shop.products (id, category, title, tags) VALUES (2003, 'unheard', 'quite unheard', '{novel}');
SELECT is((SELECT reasons #>> '{0,value}' FROM recs.similar_items(2002, 300) WHERE item_id = 2003), 'title unheard', 'what only new items share has its name');
DELETE FROM shop.products WHERE id = 2003;
CREATE TABLE shop.foretold AS SELECT item_id, score FROM recs.similar_items(2002, 300);
SELECT isnt((recommender.refresh('recs')).items, NULL, 'refreshed');
SELECT is_empty('SELECT f.item_id, f.score, r.score FROM shop.foretold f JOIN recs.similar_items(2002, 300) r USING (item_id) WHERE abs(f.score - r.score) > 0.02', 'about as the next refresh has it');
DELETE FROM shop.products WHERE id > 2000;

-- Several at once: in histories, as candidates, and in recommend_all().
SELECT isnt((recommender.refresh('recs')).items, NULL, 'refreshed');
SELECT shop.copy(id, 3000 + id) FROM shop.cold WHERE id % 9 = 1 AND id < 200;
INSERT INTO shop.orders SELECT u, 3000 + id FROM (SELECT id FROM shop.cold WHERE id % 9 = 1 AND id < 200 ORDER BY id LIMIT 4) c, generate_series(1, 60, 11) u;
INSERT INTO shop.orders VALUES (100, (SELECT min(id) FROM shop.products WHERE id > 3000)), (101, 99999);
SELECT is_empty($$SELECT * FROM (SELECT user_id, rank, item_id, score, strategy FROM recs.recommend_all(300)) a
	FULL JOIN (SELECT u AS user_id, rank, item_id, score, strategy FROM (SELECT DISTINCT user_id AS u FROM shop.orders) o, recs.recommend(u, 300)) b USING (user_id, rank, item_id, score, strategy) WHERE a.user_id IS NULL OR b.user_id IS NULL$$,
	'recommend_all is recommend for everybody');
SELECT isnt_empty($$SELECT FROM recs.recommend(100, 5) WHERE strategy = 'content'$$, 'one view of a new item is enough');
SELECT is_empty($$SELECT FROM recs.recommend(101, 5) WHERE strategy = 'content'$$, 'of one that is nowhere, it is not');
SELECT is((SELECT count(*) FROM recs.recommend(1, 1000)), (SELECT count(*) FROM shop.products WHERE id NOT IN (SELECT item_id FROM shop.orders WHERE user_id = 1)), 'all are there, new ones, too');
SELECT is_empty($$SELECT FROM recs.recommend(1, 1000, options => '{"new_items": 0}') WHERE item_id > 3000 AND score <> 0$$, 'without new_items, new ones only fill up');
SELECT is((SELECT count(*) FROM recs.recommend(2, 1000, options => '{"new_items": 3}') WHERE item_id > 3000 AND strategy = 'content'), 3::bigint, 'or the newest three');
SELECT is_empty($$SELECT id, recs.score(5, id), r.score FROM shop.products JOIN recs.recommend(5, 1000, options => '{"exclude_seen": false}') r ON item_id = id WHERE recs.score(5, id) <> r.score$$, 'score of all is what recommend says');
SELECT is_empty('SELECT r.item_id, r.score FROM recs.rank_items(5, (SELECT array_agg(id) FROM shop.products)) r WHERE score <> recs.score(5, item_id)', 'and rank_items');
SELECT is((SELECT strategy FROM recs.rank_items(5, '{99999,3001}') WHERE item_id = 99999), NULL, 'what is nowhere has no strategy');
DELETE FROM shop.orders WHERE item_id > 3000;
DELETE FROM shop.products WHERE id > 3000;

/* ------------------------------------------------------------------------
 * Which are the newest
 * ------------------------------------------------------------------------ */

CREATE TABLE shop.books (code text PRIMARY KEY, title text, created timestamptz, at timestamp, day date, ready boolean DEFAULT true);
CREATE TABLE shop.reads (reader int, code text);
CREATE INDEX ON shop.reads (reader);
INSERT INTO shop.books SELECT 'b' || n, 'a tale of ' || (ARRAY['tea', 'mugs', 'trees'])[1 + n % 3], now() - n * interval '1 day', now()::timestamp - n * interval '1 day', current_date - n FROM generate_series(1, 30) n;
INSERT INTO shop.reads SELECT r, 'b' || 1 + (r * n) % 9 FROM generate_series(1, 9) r, generate_series(1, 3) n;
SELECT recommender.create_recommender('books', 'shop.reads', 'reader', 'code');
CREATE FUNCTION shop.newest(column_name name, options text DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
	DELETE FROM shop.books WHERE code ~ '^n';
	PERFORM recommender.set_items('books', 'shop.books', 'code', text_columns => '{title}', available_column => 'ready', created_column => column_name);
	PERFORM recommender.refresh('books');
	INSERT INTO shop.books VALUES ('n1', 'a new tale of tea', now(), now()::timestamp, current_date, true), ('n2', 'a new tale of mugs and trees', now() + interval '1 microsecond', now()::timestamp + interval '1 microsecond', current_date, false),
		('n3', 'a newer tale of tea and mugs and trees', clock_timestamp(), clock_timestamp()::timestamp, current_date, true), ('n4', 'tea, mugs, trees', 'infinity', 'infinity', 'infinity', true), ('n5', 'a tale of trees, mugs and tea', now() + interval '3 days', now()::timestamp + interval '3 days', current_date + 3, true),
		('n6', 'an old tale of tea and mugs and trees', '2000-01-01', '2000-01-01', '2000-01-01', true), ('n7', 'a tale of tea, of no time', NULL, NULL, NULL, true);
	EXECUTE format('SELECT string_agg(item_id, '' '' ORDER BY item_id) FROM books.recommend(1, 100, options => %L) WHERE item_id ~ ''^n'' AND strategy = ''content''', options) INTO found;
	RETURN found;
END $$;
SELECT is(shop.newest('created'), 'n1 n3', 'newest by a timestamp with time zone: not those of the future, nor old ones, nor what is not available');
SELECT is(shop.newest('at'), 'n1 n3', 'by a timestamp');
SELECT is(shop.newest('day'), 'n1 n3', 'by a date');
SELECT is(shop.newest(NULL), NULL, 'by nothing: none');
SELECT is((SELECT count(*) FROM books.recommend(1, 100) WHERE item_id ~ '^n'), 6::bigint, 'they fill up all the same');
SELECT isnt_empty($$SELECT FROM books.similar_items('n7', 100) WHERE score > 0$$, 'and have similar ones');
SELECT is(shop.newest('created', '{"new_items": 1}'), 'n3', 'the newest one alone');
SET LOCAL TIME ZONE 'Asia/Seoul';
SELECT is(shop.newest('at'), 'n1 n3', 'by a timestamp in Seoul');
SET LOCAL TIME ZONE 'America/Los_Angeles';
SELECT is(shop.newest('at'), 'n1 n3', 'by a timestamp in Los Angeles');
RESET TIME ZONE;
-- a creation time shared by very many items is skipped
INSERT INTO shop.books SELECT 'm' || n, 'a tale of tea', now(), now(), current_date FROM generate_series(1, 300) n;
SELECT is(shop.newest('created'), 'n3', 'very many of the same time');
SELECT is((SELECT newest_created FROM books.definition), now() + interval '1 microsecond', 'are passed over');
SELECT is(shop.newest('day'), NULL, 'or of the same day');
SELECT is((SELECT newest_created FROM books.definition), (current_date + 1)::timestamp AT TIME ZONE 'UTC', 'which is passed over');
DELETE FROM shop.books WHERE code ~ '^m';

-- a call reports new items that it ignores or cannot find
CREATE FUNCTION shop.found() RETURNS TABLE (message text, hint text) LANGUAGE sql AS $$SELECT message, hint FROM recommender.check_recommender('books') WHERE code = 'new_items'$$;
SELECT is(shop.newest('created'), 'n1 n3', 'as before');
DELETE FROM shop.books WHERE code ~ '^n';
SELECT is_empty('SELECT * FROM shop.found()', 'nothing is new');
INSERT INTO shop.books SELECT 'n' || n, 'a tale of tea and mugs', now() + n * interval '1 microsecond', now(), current_date, n < 6 FROM generate_series(1, 9) n;
SELECT is_empty('SELECT * FROM shop.found()', 'nothing that calls would not find');
SELECT is(recommender.set_options('books', '{"new_items": 3}') ->> 'new_items', '3', 'an option of the recommender');
SELECT is((SELECT string_agg(item_id, ' ' ORDER BY rank) FROM books.recommend(1, 100) WHERE item_id ~ '^n' AND strategy = 'content'), 'n5 n4 n3', 'the newest three are candidates');
SELECT results_eq('SELECT * FROM shop.found()', $$VALUES ('5 available items of shop.books are not in the model, and calls look at 3 of them', 'Run SELECT * FROM recommender.refresh(''books''), or raise the option new_items.')$$, 'which is told');
-- ... the others are scored if their ids are given
SELECT is_empty($$SELECT code FROM shop.books WHERE code ~ '^n' AND (books.score(1, code) <= 0 OR books.score(1, code) <> (SELECT sum(contribution) FROM books.explain(1, code)))$$, 'all have a score, explained');
SELECT is((SELECT count(DISTINCT books.score(1, code)) FROM shop.books WHERE code ~ '^n'), 1::bigint, 'the same for all that are the same');
SELECT results_eq($$SELECT item_id, score FROM books.rank_items(1, '{n1,n5,n9}') ORDER BY item_id$$, $$SELECT code, books.score(1, code, options => '{"new_items": 50}') FROM shop.books WHERE code IN ('n1', 'n5', 'n9') ORDER BY 1$$, 'as if the call had looked at all');
SELECT is_empty($$SELECT code FROM shop.books WHERE code ~ '^n' AND (SELECT count(*) FROM books.similar_items(code, 100, options => '{"new_items": 0}') WHERE score > 0) = 0$$, 'and similar ones, whatever new_items is');
SELECT isnt_empty($$SELECT FROM books.recommend_session('{n1}', 3, options => '{"new_items": 0}') WHERE strategy = 'content'$$, 'a session of one speaks, too');
INSERT INTO shop.reads VALUES (55, 'n1'), (55, 'n2'), (56, 'n2'), (57, 'b1'), (57, 'n3');
SELECT is_empty($$SELECT * FROM (SELECT user_id, rank, item_id, score, strategy FROM books.recommend_all(300, options => '{"new_items": 0}')) a
	FULL JOIN (SELECT u AS user_id, rank, item_id, score, strategy FROM (SELECT DISTINCT reader AS u FROM shop.reads) o, books.recommend(u, 300, options => '{"new_items": 0}')) b USING (user_id, rank, item_id, score, strategy) WHERE a.user_id IS NULL OR b.user_id IS NULL$$,
	'recommend_all lets as many speak');
DELETE FROM shop.reads WHERE reader > 50;
SELECT is(recommender.set_options('books', '{"new_items": null}') ->> 'new_items', '50', 'the default');
SELECT is_empty('SELECT * FROM shop.found()', 'all are looked at again');
UPDATE shop.books SET created = '2000-01-01' WHERE code = 'n1';
SELECT results_eq('SELECT * FROM shop.found()', $$VALUES ('5 available items of shop.books are not in the model, and calls look at 4 of them',
	'Run SELECT * FROM recommender.refresh(''books''); new items are found by a created_column that says when they came, or by growing numbers for ids.')$$, 'what came with an old date is not found, which is told');
-- items of the model with a recent creation time do not hide new items
UPDATE shop.books SET created = now() + interval '1 minute' WHERE code !~ '^n';
INSERT INTO shop.books SELECT 'm' || n, 'a tale of trees', '2000-01-01' FROM generate_series(1, 400) n;
SELECT generation FROM recommender.refresh('books');
UPDATE shop.books SET created = clock_timestamp() WHERE code ~ '^[bm]';
INSERT INTO shop.books VALUES ('n10', 'a tale of tea and mugs', (SELECT newest_created FROM books.definition), now(), current_date);
SELECT is((SELECT count(*) FROM books.recommend(1, 1000) WHERE item_id = 'n10' AND strategy = 'content'), 1::bigint, 'behind 400 that are not new');
DELETE FROM shop.books WHERE code ~ '^m';
UPDATE shop.books SET created = now() - interval '1 day';
-- columns that were named after the refresh
SELECT recommender.set_items('books', 'shop.books', 'code', text_columns => '{title}', options => '{"weights": {"title": 2}}');
SELECT isnt_empty($$SELECT FROM recommender.check_recommender('books') WHERE code = 'items_changed'$$, 'other columns than the model has');
SELECT generation FROM recommender.refresh('books');
SELECT is_empty($$SELECT FROM recommender.check_recommender('books') WHERE code = 'items_changed'$$, 'the same after a refresh');
SELECT recommender.set_items('books', 'shop.books', 'code');
SELECT isnt_empty($$SELECT FROM recommender.check_recommender('books') WHERE code = 'items_changed'$$, 'fewer');
-- a recommended index
SELECT recommender.set_items('books', 'shop.books', 'code', text_columns => '{title}', created_column => 'created');
SELECT is((SELECT hint FROM recommender.check_recommender('books') WHERE code = 'missing_created_index'), 'CREATE INDEX ON shop.books (created);', 'for the newest');
CREATE INDEX ON shop.books (created, code);
SELECT is_empty($$SELECT FROM recommender.check_recommender('books') WHERE code = 'missing_created_index'$$, 'it is there');

-- one item of a group is returned, unless the call overrides it
SELECT recommender.set_items('books', 'shop.books', 'code', text_columns => '{title}', group_column => 'title');
SELECT is(recommender.set_options('books', '{}') -> 'max_per', '{"title": 1}', 'the default of max_per');
SELECT is((SELECT array_agg(DISTINCT n) FROM (SELECT count(*) AS n FROM books.recommend(1, 100) JOIN shop.books ON code = item_id GROUP BY title) v), '{1}', 'one of each');
SELECT cmp_ok((SELECT count(*) FROM books.recommend(1, 100, options => '{"max_per": {}}')), '>', (SELECT count(*) FROM books.recommend(1, 100)), 'all of them');
SELECT is((SELECT rank FROM books.recommend(1, 1)), 1, 'k is k');
SELECT is((SELECT array_agg(item_id ORDER BY rank) FROM books.recommend(1, 1)), (SELECT array_agg(item_id ORDER BY rank) FROM books.recommend(1, 1, options => '{"max_per": {}}')), 'the best of all is the best of its kind');

-- data of a column that has been dropped or replaced are ignored
SELECT is(shop.newest('created'), 'n1 n3', 'as before');
ALTER TABLE shop.books RENAME title TO name;
SELECT is_empty($$SELECT FROM books.similar_items('n7', 100) WHERE score > 0$$, 'a column is gone');
SELECT lives_ok($$SELECT * FROM books.recommend(1), books.score(1, 'n1')$$, 'which is no error');
ALTER TABLE shop.books RENAME name TO title;
SELECT isnt_empty($$SELECT FROM books.similar_items('n7', 100) WHERE score > 0$$, 'it is back');
ALTER TABLE shop.books ALTER title TYPE tsvector USING to_tsvector('english', title);
SELECT lives_ok($$SELECT * FROM books.recommend(1), books.score(1, 'n1'), books.similar_items('n3')$$, 'a column of another kind');
SELECT recommender.remove_items('books');
SELECT is_empty($$SELECT FROM books.recommend(1, 100) WHERE strategy = 'content' OR item_id ~ '^n'$$, 'without the relation there is no content');

/* ------------------------------------------------------------------------
 * pgvector's type: the extension's where it is installed, else one of its name and casts
 * ------------------------------------------------------------------------ */

CREATE SCHEMA types;
DO $do$ BEGIN
	IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
		CREATE EXTENSION vector SCHEMA types;
	ELSE
		CREATE TYPE types.vector;
		CREATE FUNCTION types.vector_in(cstring) RETURNS types.vector LANGUAGE internal IMMUTABLE STRICT AS 'textin';
		CREATE FUNCTION types.vector_out(types.vector) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
		CREATE TYPE types.vector (INPUT = types.vector_in, OUTPUT = types.vector_out, LIKE = text);
		CREATE FUNCTION types.vector_to_float4(v types.vector) RETURNS real[] LANGUAGE sql IMMUTABLE STRICT AS $$SELECT translate(types.vector_out(v)::text, '[]', '{}')::real[]$$;
		CREATE CAST (types.vector AS real[]) WITH FUNCTION types.vector_to_float4(types.vector) AS IMPLICIT;
	END IF;
END $do$;
CREATE TABLE shop.reads_of_images (user_id int, item_id int);
INSERT INTO shop.reads_of_images SELECT u, 1 + u * n % 20 FROM generate_series(1, 20) u, generate_series(1, 3) n;
CREATE TABLE shop.images (id int PRIMARY KEY, image types.vector, floats real[]);
INSERT INTO shop.images SELECT n, format('[%s,%s,%s]', n % 3, n % 5, n % 7 + 1)::types.vector, ARRAY[n % 3, n % 5, n % 7 + 1] FROM generate_series(1, 60) n;
SELECT recommender.create_recommender(name, 'shop.reads_of_images') FROM (VALUES ('images'), ('floats')) v (name);
SELECT recommender.set_items('images', 'shop.images', feature_columns => '{image}'), recommender.set_items('floats', 'shop.images', feature_columns => '{floats}');
SELECT generation FROM unnest('{images,floats}'::text[]) name, recommender.refresh(name);
SELECT is((SELECT kind || dimensions FROM images.content_column), 'embedding3', 'a vector of pgvector is an embedding');
SELECT set_eq($$SELECT item_id, neighbor_id, similarity FROM images.neighbors WHERE kind = 'content'$$, $$SELECT item_id, neighbor_id, similarity FROM floats.neighbors WHERE kind = 'content'$$, 'as one of real[]');
INSERT INTO shop.images VALUES (99, '[2,1,5]', '{2,1,5}');
SELECT results_eq('SELECT rank, item_id, score FROM images.similar_items(99, 5)', 'SELECT rank, item_id, score FROM floats.similar_items(99, 5)', 'also of what came a moment ago');
SELECT is((SELECT strategy FROM images.similar_items(99, 1)), 'content', 'by content');

/* ------------------------------------------------------------------------
 * A new item costs look-ups, no scan: what is read, by the server's own count
 * ------------------------------------------------------------------------ */

CREATE TABLE shop.things (id int PRIMARY KEY, kind text, tags text[], title text, picture real[], created timestamptz);
CREATE INDEX ON shop.things (created);
INSERT INTO shop.things SELECT n, 'k' || n % 40, ARRAY['t' || n % 300, 'u' || n % 77], 'w' || n % 500 || ' v' || n % 211, ARRAY[n % 7, n % 11, n % 13], now() - interval '1 day' FROM generate_series(1, 4000) n;
CREATE TABLE shop.uses (user_id int, item_id int);
CREATE INDEX ON shop.uses (user_id);
INSERT INTO shop.uses SELECT u, (1 + 4000 * random() ^ 2)::int FROM generate_series(1, 200) u, generate_series(1, 5);
ANALYZE shop.things, shop.uses;
SELECT recommender.create_recommender('things', 'shop.uses', options => '{"neighbors": 20}');
SELECT recommender.set_items('things', 'shop.things', feature_columns => '{kind,tags,picture}', text_columns => '{title}', created_column => 'created', options => '{"embedding_exact_items": 100}');
SELECT generation FROM recommender.refresh('things');
ANALYZE things.item, things.neighbor, things.feature, things.item_feature;
INSERT INTO shop.things VALUES (5000, 'k1', '{t1,u1}', 'w1 v1', '{1,1,1}', now());
INSERT INTO shop.uses VALUES (900, 1), (901, 5000);
-- scans from one end to the other, and rows that indexes led to, of a table, in this transaction
CREATE FUNCTION shop.reads(call text, OUT scans bigint, OUT things bigint, OUT vectors bigint, OUT items bigint) LANGUAGE plpgsql AS $$
DECLARE before bigint[]; after bigint[];
BEGIN
	FOR i IN 1 .. 2 LOOP
		before := after;
		IF i = 1 THEN
			EXECUTE 'SELECT count(*) FROM ' || call;	-- plans are made
		END IF;
		SELECT ARRAY[sum(seq_scan) FILTER (WHERE relname IN ('things', 'uses', 'item', 'neighbor', 'feature', 'item_feature')), sum(coalesce(seq_tup_read, 0) + idx_tup_fetch) FILTER (WHERE relname = 'things'),
			sum(seq_tup_read + idx_tup_fetch) FILTER (WHERE relname = 'item_feature'), sum(seq_tup_read + idx_tup_fetch) FILTER (WHERE relname = 'item')] INTO after
		FROM pg_stat_xact_user_tables WHERE schemaname IN ('shop', 'things') AND relid::regclass::text NOT LIKE 'shop.item%';
		IF i = 1 THEN
			EXECUTE 'SELECT count(*) FROM ' || call;
		END IF;
	END LOOP;
	scans := after[1] - before[1]; things := after[2] - before[2]; vectors := after[3] - before[3]; items := after[4] - before[4];
END $$;
SELECT unnest(ARRAY[is(scans, 0::bigint, 'no scan: ' || call), cmp_ok(r.things, '<', 150::bigint, 'few rows of the table of items: ' || r.things), cmp_ok(vectors, '<', 1500::bigint, 'not all vectors: ' || vectors), cmp_ok(items, '<', 500::bigint, 'not all items: ' || items)])
FROM unnest(ARRAY['things.similar_items(5000)', 'things.recommend(900, 5)', 'things.recommend(901, 5)', 'things.score(900, 5000)', 'things.explain(900, 5000)', 'things.rank_items(900, ''{1,5000,5001}'')']) call, shop.reads(call) r;
SELECT isnt_empty('SELECT FROM things.recommend(900, 5) WHERE item_id = 5000', 'the new one is recommended to whom it suits');
SELECT is((SELECT item_id FROM things.similar_items(5000, 1)), 1, 'and is similar to what it is like');

/* ------------------------------------------------------------------------
 * An evaluation is what a recommender of the training part would serve
 * ------------------------------------------------------------------------ */

CREATE TABLE shop.trade (user_id int, item_id int, at timestamptz);
CREATE INDEX ON shop.trade (user_id);
INSERT INTO shop.trade SELECT (30 * random() ^ 2)::int, 1 + (199 * random() ^ 2)::int, '2024-01-01'::timestamptz + n * interval '1 hour' FROM generate_series(1, 900) n;
CREATE VIEW shop.past AS SELECT * FROM shop.trade WHERE at <= (SELECT percentile_disc(0.8) WITHIN GROUP (ORDER BY at) FROM shop.trade);
SELECT recommender.create_recommender(name, source, time_column => 'at', options => '{"neighbors": 12, "min_support": 1, "seen_events": []}') FROM (VALUES ('whole', 'shop.trade'::regclass), ('past', 'shop.past')) v (name, source);
SELECT recommender.set_items(name, 'shop.products', feature_columns => '{category,tags,picture}', text_columns => '{title}') FROM unnest('{whole,past}'::text[]) name;
SELECT generation FROM recommender.refresh('past');
CREATE FUNCTION shop.future() RETURNS TABLE (user_id int, items int[]) LANGUAGE sql AS $$
	SELECT user_id, array_agg(DISTINCT item_id) FROM shop.trade t
	WHERE at NOT IN (SELECT at FROM shop.past) AND NOT EXISTS (SELECT FROM shop.past p WHERE p.user_id = t.user_id AND p.item_id = t.item_id) GROUP BY user_id $$;
SELECT results_eq(format($$SELECT users, round(value::numeric, 9) FROM recommender.evaluate('whole', test_share => 0.2, k => '{20}', metrics => '{ndcg}', options => %L, resamples => 0, store => false)
						   WHERE strategy = 'recommender' AND segment = 'all' AND metric = 'ndcg'$$, options),
	format($$SELECT count(*), round(avg(recommender.ndcg((SELECT array_agg(r.item_id ORDER BY r.rank) FROM past.recommend(f.user_id, 20, options => %L) r), f.items, 20))::numeric, 9) FROM shop.future() f$$, options),
	format('evaluated as served: %s', options))
FROM unnest(ARRAY['{}', '{"blend": {"behaviour": 0}}', '{"blend": {"content": 5}, "item_kappa": 50}']) options;
SELECT cmp_ok((SELECT count(*) FROM shop.future() f, past.recommend_components(f.user_id, 20) r WHERE r.content > 0), '>', 20::bigint, 'with content in it');

-- Lists that cannot change the best items are skipped, without effect on the result:
-- brands of a few items and shelves of hundreds, by their weights one, the other or both.
CREATE TABLE shop.shelved AS
SELECT n AS id, 'b' || CASE WHEN n % 10 > 0 THEN n / 8 ELSE 1000 + n END AS brand, 's' || hashint4(n) % 3 AS shelf, 't' || hashint4(n + 5000) % 20 AS tag
FROM   generate_series(1, 1500) n;
CREATE TABLE shop.taken AS SELECT n % 7 AS user_id, n AS item_id FROM generate_series(1, 50) n;
SELECT recommender.create_recommender('shelves', 'shop.taken', options => '{"neighbors": 3, "content_kappa": 0}') \gset
CREATE FUNCTION shop.check_shelves(given jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM recommender.set_items('shelves', 'shop.shelved', feature_columns => '{brand,shelf,tag}', options => jsonb_build_object('weights', given));
	PERFORM generation FROM recommender.refresh('shelves');
	CREATE TEMP TABLE part AS SELECT item_no, f, w::float8 FROM shelves.item_feature, unnest(feature_nos, weights) u(f, w);
	CREATE INDEX ON part (f);
	ANALYZE part;
	RETURN NEXT set_eq($q$SELECT n.item_no, u.rank::int, u.other FROM shelves.neighbor n, unnest(neighbors) WITH ORDINALITY u(other, rank) WHERE kind = 'content' AND rank <= 3$q$,
		$q$SELECT i, rank::int, j FROM (SELECT i, j, row_number() OVER (PARTITION BY i ORDER BY s DESC, j) AS rank FROM (
			SELECT a.item_no AS i, b.item_no AS j, round(sum(a.w * b.w)::numeric, 9) AS s FROM part a JOIN part b USING (f) WHERE a.item_no <> b.item_no GROUP BY 1, 2) p) r WHERE rank <= 3$q$,
		'as by all products: weights ' || given::text);
	DROP TABLE part;
END $$;
SELECT shop.check_shelves(w) FROM unnest('{"{\"brand\": 2, \"shelf\": 0.5}","{\"brand\": 0.5, \"shelf\": 2}","{\"tag\": 3}","{}"}'::jsonb[]) w;

SELECT * FROM finish();
ROLLBACK;
