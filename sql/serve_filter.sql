/*
 * Filters: the items that each accepts, and all errors.
 */
CREATE SCHEMA shop;
SET client_min_messages = warning;

CREATE TYPE shop.size AS ENUM ('small', 'medium', 'large');
CREATE DOMAIN shop.money AS numeric CHECK (VALUE >= 0);
CREATE TABLE shop.products (
	id int PRIMARY KEY,
	category text,
	brand varchar(20) COLLATE "C",
	price shop.money,
	stock smallint,
	in_stock boolean,
	size shop.size,
	launched date,
	made_at timestamptz,
	ref uuid,
	code char(4),
	tags text[],
	sizes int[],
	details jsonb,
	"the ""Name""" text,
	place point,
	old int);
INSERT INTO shop.products VALUES
	(1, 'shoes', 'acme', 50, 5, true, 'small', '2026-01-01', '2026-01-01 10:00+00', '00000000-0000-0000-0000-000000000001', 'A', '{red,sale}', '{1,2}', '{"color": "red", "made": {"in": "PT"}}', 'One'),
	(2, 'shoes', 'acme', 80, 0, false, 'medium', '2026-02-01', '2026-02-01 10:00+00', '00000000-0000-0000-0000-000000000002', 'AB', '{blue}', '{2}', '{"color": "blue"}', 'Two'),
	(3, 'shoes', 'bolt', 120.50, 3, true, 'large', '2026-03-01', '2026-03-01 10:00+00', '00000000-0000-0000-0000-000000000003', 'B', '{red,blue}', '{3,NULL}', '{"color": "red"}', 'Three'),
	(4, 'hats', NULL, 20, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(5, 'hats', '10%_off', 9.99, 7, true, 'small', '2025-12-24', '2025-12-24 10:00+00', '00000000-0000-0000-0000-000000000005', '10%', '{}', '{}', '{}', 'a\b'),
	(6, 'hats', '100 off', NULL, 1, NULL, 'large', 'infinity', 'infinity', '00000000-0000-0000-0000-000000000006', '100', '{sale}', '{1,2,3}', '[1, "red"]', '100%'),
	(7, NULL, 'Acme', 0, 2, true, 'medium', '2026-01-15', '2026-01-15 10:00+00', '00000000-0000-0000-0000-000000000007', 'a', '{"",NULL}', NULL, '5', NULL);
ALTER TABLE shop.products DROP COLUMN old;
CREATE TABLE shop.orders (customer int, product int);
CREATE INDEX ON shop.orders (customer);
INSERT INTO shop.orders SELECT c, p FROM generate_series(1, 6) c, generate_series(1, 7) p WHERE (c * p) % 4 > 0 AND (c > 1 OR p < 4) OR (c, p) = (6, 4);
SELECT recommender.create_recommender('recs', 'shop.orders', 'customer', 'product');
SELECT recommender.set_items('recs', 'shop.products');
SELECT items FROM recommender.refresh('recs');
RESET client_min_messages;

-- The items that pass a filter.
CREATE FUNCTION shop.pass(VARIADIC filters jsonb[]) RETURNS TABLE (filter jsonb, items int[]) LANGUAGE sql AS $$
	SELECT f, (SELECT array_agg(item_id ORDER BY item_id) FROM recs.popular_items(10, f))
	FROM unnest(filters) WITH ORDINALITY AS u (f, n) ORDER BY n $$;

-- one value, by the equality of the column's type
SELECT * FROM shop.pass('{"category": "shoes"}', '{"brand": "acme"}', '{"price": 120.5}', '{"price": "80"}', '{"stock": 5.0}', '{"in_stock": true}',
	'{"in_stock": "no"}', '{"size": "large"}', '{"launched": "2026-02-01"}', '{"made_at": "2026-02-01T12:00:00+02:00"}',
	'{"ref": "{00000000-0000-0000-0000-000000000003}"}', '{"code": "A"}', '{"code": "A   "}', '{"the \"Name\"": "Two"}', '{"details": 5}', '{"details": {"eq": {}}}');
-- null
SELECT * FROM shop.pass('{"brand": null}', '{"brand": {"is_null": true}}', '{"brand": {"is_null": false}}', '{"brand": {"eq": null}}', '{"brand": {"ne": null}}', '{"tags": null}');
-- a list: any of them
SELECT * FROM shop.pass('{"brand": ["acme", "bolt"]}', '{"brand": {"in": ["acme", null]}}', '{"stock": [1, 2, 99]}', '{"brand": []}', '{"brand": [null]}', '{"size": ["small", "large"]}', '{"details": [5, {"color": "red"}]}');
-- ranges
SELECT * FROM shop.pass('{"price": {"lt": 20}}', '{"price": {"lte": 20}}', '{"price": {"gt": 80}}', '{"price": {"gte": 80, "lt": 100}}',
	'{"size": {"gte": "medium"}}', '{"launched": {"gt": "2026-01-15"}}', '{"brand": {"lt": "a"}}', '{"sizes": {"gt": [1, 2]}}');
-- not equal, as in SQL: NULL is neither equal nor unequal
SELECT * FROM shop.pass('{"brand": {"ne": "acme"}}', '{"brand": {"not": "acme"}}', '{"brand": {"not": ["acme", "bolt"]}}', '{"brand": {"not": ["acme", null]}}', '{"price": {"not": {"gte": 20, "lt": 100}}}', '{"brand": {"not": []}}');
-- arrays
SELECT * FROM shop.pass('{"tags": "red"}', '{"tags": ["red", "sale"]}', '{"tags": {"contains": ["red", "sale"]}}', '{"tags": {"contains": "sale"}}', '{"tags": {"contains": []}}', '{"tags": {"overlaps": ["red", "sale"]}}',
	'{"tags": {"eq": ["red", "blue"]}}', '{"tags": ["blue", null]}', '{"tags": []}', '{"sizes": {"contains": [1, 2.0]}}', '{"sizes": 3}', '{"tags": {"not": "red"}}');
-- jsonb
SELECT * FROM shop.pass('{"details": {"contains": {"color": "red"}}}', '{"details": {"contains": {"made": {"in": "PT"}}}}', '{"details": {"contains": "red"}}');
-- prefixes
SELECT * FROM shop.pass('{"brand": {"prefix": "ac"}}', '{"brand": {"prefix": "10%"}}', '{"brand": {"prefix": "10_"}}', '{"the \"Name\"": {"prefix": "a\\"}}', '{"code": {"prefix": "A"}}', '{"brand": {"prefix": ""}}');
-- combinations
SELECT * FROM shop.pass('{}', '{"category": "shoes", "tags": "red"}', '{"or": [{"category": "hats"}, {"price": {"gt": 100}}]}', '{"not": {"category": "shoes"}}', '{"not": {"category": "shoes", "brand": "acme"}}',
	'{"and": [{"or": [{"stock": 5}, {"stock": 7}]}, {"not": {"or": [{"category": "hats"}]}}]}', '{"and": []}', '{"or": []}', '{"not": {}}', '{"brand": {}}', '{"or": [{}, {"stock": 1}]}');

-- functions with a filter
CREATE FUNCTION shop.ask(call text) RETURNS TABLE (items int[], calls text) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT array_agg(item_id ORDER BY rank), %L FROM recs.%s', call, call);
END $$;
SELECT a.* FROM unnest(ARRAY[
	'recommend(1, 3, ''{"category": "hats"}'')',
	'recommend(NULL, 3, ''{"category": "hats"}'')',
	'recommend_session(''{1}'', 3, ''{"category": "hats"}'')',
	'recommend_basket(''{1}'', 3, ''{"category": "hats"}'')',
	'similar_items(1, 3, ''{"category": "hats"}'')',
	'popular_items(3, ''{"category": "hats"}'')',
	'recommend_all(3, ''{"category": "hats"}'') r WHERE user_id = 1']) WITH ORDINALITY AS u (c, n), shop.ask(c) a ORDER BY n;

-- unavailable and deleted items are never recommended
SELECT recommender.set_items('recs', 'shop.products', available_column => 'in_stock');
SELECT * FROM shop.pass('{}', '{"price": {"gt": 20}}');
BEGIN;
DELETE FROM shop.products WHERE id = 1;
UPDATE shop.products SET in_stock = true WHERE id = 2;
SELECT * FROM shop.pass('{}', '{"price": {"gt": 20}}');
-- but ranked and scored if requested by id
SELECT array_agg(item_id ORDER BY item_id) FROM recs.rank_items(1, '{1,2,6}');
ROLLBACK;

-- a maximum number of items per value of a column; null is not limited
SELECT o, (SELECT array_agg(item_id ORDER BY rank) FROM recs.popular_items(10, options => o)),
	(SELECT array_agg(item_id ORDER BY rank) FROM recs.recommend(NULL, 3, '{"price": {"gte": 0}}', options => o)),
	(SELECT array_agg(item_id ORDER BY rank) FROM recs.similar_items(6, 10, options => o))
FROM unnest(ARRAY['{}', '{"max_per": {}}', '{"max_per": {"category": 1}}', '{"max_per": {"category": 2}}', '{"max_per": {"brand": 1}}', '{"max_per": {"size": 1, "category": 2}}', '{"max_per": {"details": 1, "the \"Name\"": 1}}']::jsonb[]) WITH ORDINALITY AS u (o, n) ORDER BY n;
SELECT recommender.set_options('recs', '{"max_per": {"category": 1}}') -> 'max_per';
SELECT array_agg(item_id ORDER BY rank) FROM recs.popular_items(10);
SELECT recommender.set_options('recs', '{"max_per": null}') -> 'max_per';

/* errors */

-- Run commands, return the error of each, and roll back their effects.
CREATE FUNCTION shop.try_each(VARIADIC commands text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE command text; state text; message text; hint text; context text;
BEGIN
	FOREACH command IN ARRAY commands LOOP
		RETURN NEXT command;
		BEGIN
			EXECUTE command;
			RAISE EXCEPTION SQLSTATE 'TRIED';
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
			RETURN NEXT '  ' || CASE state WHEN 'TRIED' THEN 'no error' ELSE state || ': ' || message END;
			IF hint <> '' THEN
				RETURN NEXT '    HINT: ' || hint;
			END IF;
			IF context LIKE 'filter%' THEN
				RETURN NEXT '    CONTEXT: ' || split_part(context, E'\n', 1);
			END IF;
		END;
	END LOOP;
END $$;
CREATE FUNCTION shop.refused(VARIADIC filters text[]) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT shop.try_each(VARIADIC array_agg(format('SELECT * FROM recs.popular_items(10, %L)', f) ORDER BY n)) FROM unnest(filters) WITH ORDINALITY AS u (f, n) $$;
\pset tuples_only on
\pset format unaligned
-- invalid filters
SELECT shop.refused('[]', '1', 'null', '"category"', '{"and": {}}', '{"or": {"category": "hats"}}', '{"and": [1]}', '{"or": [[]]}', '{"not": []}', '{"not": null}');
SELECT message FROM shop.try_each(format('SELECT * FROM recs.popular_items(10, %L)', repeat('{"not": ', 1000) || '{"stock": 1}' || repeat('}', 1000))) message WHERE message NOT LIKE 'SELECT%';
SELECT message FROM shop.try_each(format('SELECT * FROM recs.popular_items(10, %L)', '{"stock": ' || repeat('{"not": ', 998) || '1' || repeat('}', 998) || '}')) message WHERE message NOT LIKE 'SELECT%';
-- columns
SELECT shop.refused('{"categori": "hats"}', '{"Category": "hats"}', '{"old": 1}', '{"........pg.dropped.17........": 1}', '{"ctid": "(0,1)"}', '{"tableoid": 1}', '{"": 1}', '{"category; DROP TABLE shop.products": 1}', '{"i.category": 1}',
	'{"or": [{"not": {"brnad": 1}}]}');
-- operators
SELECT shop.refused('{"price": {"less": 1}}', '{"price": {"=": 1}}', '{"price": {"<": 1}}', '{"price": {"lts": 1}}', '{"details": {"color": "red"}}', '{"price": {"not": {"gtt": 1}}}');
-- values
SELECT shop.refused('{"stock": "many"}', '{"stock": 1.5}', '{"stock": 100000}', '{"stock": [1, 2, "three"]}', '{"price": "cheap"}', '{"in_stock": "perhaps"}', '{"in_stock": 2}', '{"size": "huge"}', '{"launched": "2026-02-30"}',
	'{"ref": "4711"}', '{"sizes": {"contains": ["x"]}}', format('{"stock": %s}', to_json(repeat('long ', 100))));
SELECT shop.refused('{"price": {"lt": null}}', '{"price": {"gte": [1]}}', '{"price": {"eq": [1]}}', '{"price": {"ne": {"a": 1}}}', '{"price": [[1]]}', '{"price": {"in": 1}}', '{"brand": {"in": {"a": 1}}}', '{"brand": {"prefix": 1}}', '{"brand": {"is_null": "true"}}', '{"brand": {"is_null": null}}',
	'{"tags": {"contains": null}}', '{"tags": {"contains": ["a", null]}}', '{"tags": {"contains": {"a": 1}}}', '{"tags": {"contains": [["a"]]}}', '{"tags": {"overlaps": [null]}}', '{"tags": {"eq": "red"}}', '{"tags": {"lt": 1}}');
-- types
SELECT shop.refused('{"place": "(1,2)"}', '{"place": ["(1,2)"]}', '{"place": {"lt": "(1,2)"}}', '{"price": {"contains": 1}}', '{"category": {"overlaps": ["a"]}}', '{"details": {"overlaps": ["a"]}}', '{"price": {"prefix": "1"}}', '{"tags": {"prefix": "r"}}');
-- max_per
SELECT shop.try_each(VARIADIC array_agg(format('SELECT * FROM recs.recommend(1, options => %L)', o) ORDER BY n)) FROM unnest(ARRAY[
	'{"max_per": 2}', '{"max_per": []}', '{"max_per": {"brand": 0}}', '{"max_per": {"brand": "2"}}', '{"max_per": {"brand": 1.5}}', '{"max_per": {"brand": null}}',
	'{"max_per": {"brnad": 2}}', '{"max_per": {"ctid": 2}}', '{"max_per": {"place": 2}}']) WITH ORDINALITY AS u (o, n);
SELECT shop.try_each($$SELECT recommender.set_options('recs', '{"max_per": {"brnad": 2}}')$$,
	$$SELECT * FROM recs.similar_items(1, options => '{"max_per": {"brnad": 2}}')$$, $$SELECT * FROM recs.recommend_all(options => '{"max_per": {"brnad": 2}}')$$,
	$$SELECT * FROM recs.popular_items(options => '{"max_per": {"brnad": 2}}')$$, $$SELECT * FROM recs.recommend_basket('{1}', options => '{"max_per": {"brnad": 2}}')$$,
	$$SELECT * FROM recommender.evaluate_query('SELECT customer, product FROM shop.orders', 'SELECT customer, product FROM shop.orders', options => '{"max_per": {"brand": 2}}')$$);
-- no relation of items
SELECT recommender.remove_items('recs');
SELECT shop.refused('{}', '{"category": "hats"}');
SELECT shop.try_each($$SELECT * FROM recs.recommend(1, options => '{"max_per": {"brand": 2}}')$$, $$SELECT * FROM recs.recommend_all(options => '{"max_per": {"brand": 2}}')$$);
-- the relation has been altered or dropped
SELECT recommender.set_items('recs', 'shop.products', available_column => 'in_stock');
ALTER TABLE shop.products ALTER in_stock TYPE text;
SELECT shop.refused('{}');
ALTER TABLE shop.products RENAME in_stock TO available;
SELECT shop.refused('{}');
ALTER TABLE shop.products ALTER id TYPE bigint;
SELECT shop.refused('{}');
DROP TABLE shop.products;
SELECT shop.refused('{}');

\pset tuples_only off
\pset format aligned
SET client_min_messages = warning;
SELECT recommender.drop_recommender('recs');
DROP SCHEMA shop CASCADE;
