/*
 * The relation of items: set_items(), remove_items(), and all their errors.
 */
CREATE SCHEMA shop;

-- Run commands, return the error of each, and roll back their effects.
CREATE FUNCTION shop.try_each(VARIADIC commands text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE command text; state text; message text; hint text;
BEGIN
	FOREACH command IN ARRAY commands LOOP
		RETURN NEXT command;
		BEGIN
			EXECUTE command;
			RAISE EXCEPTION SQLSTATE 'TRIED';
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
			RETURN NEXT '  ' || CASE state WHEN 'TRIED' THEN 'no error' ELSE state || ': ' || message END;
			IF hint <> '' THEN
				RETURN NEXT '    HINT: ' || hint;
			END IF;
		END;
	END LOOP;
END $$;

CREATE TABLE shop.orders (customer int, product int);
CREATE INDEX ON shop.orders (customer);
CREATE TABLE shop.products (
	id int, code text, category text, tags text[], details jsonb, price numeric, launched date, in_stock boolean, stock int,
	title text, words tsvector, picture real[], place point, blob bytea, created timestamptz, family text);
SELECT recommender.create_recommender('recs', 'shop.orders', 'customer', 'product');

-- a notice recommends an index; the last call replaces earlier ones
SELECT recommender.set_items('recs', 'shop.products');
ALTER TABLE shop.products ADD PRIMARY KEY (id);
SET default_text_search_config = 'pg_catalog.simple';
SELECT recommender.set_items('recs', 'shop.products', 'id', '{category,tags,details,price,launched,picture}', '{title,words}',
	'in_stock', 'created', 'family', '{"weights": {"title": 2}, "buckets": {"price": [10, 50, 100], "launched": 4}, "feature_max_items": null}');
SELECT relation, item_column, feature_columns, text_columns, available_column, created_column, group_column, options FROM recs.item_source;
SELECT recommender.set_items('recs', 'shop.products', options => '{"config": "english"}');
SELECT relation, feature_columns, text_columns, available_column, options FROM recs.item_source;
RESET default_text_search_config;

-- findings of check_recommender
ALTER TABLE shop.products DROP CONSTRAINT products_pkey;
SELECT severity, code, message, hint FROM recommender.check_recommender('recs') WHERE message ~ 'product|items';
ALTER TABLE shop.products RENAME id TO number;
SELECT severity, code, message, hint FROM recommender.check_recommender('recs') WHERE message ~ 'product|items';
ALTER TABLE shop.products RENAME number TO id;
ALTER TABLE shop.products ADD PRIMARY KEY (id);
SELECT recommender.remove_items('recs');
SELECT recommender.remove_items('recs');
SELECT count(*) FROM recs.item_source;

/* errors */

\pset tuples_only on
\pset format unaligned
CREATE SEQUENCE shop.sequence;
-- arguments
SELECT shop.try_each(
	$$SELECT recommender.set_items(NULL, 'shop.products')$$,
	$$SELECT recommender.set_items('rec', 'shop.products')$$,
	$$SELECT recommender.set_items('recs', NULL)$$,
	$$SELECT recommender.set_items('recs', 'shop.products', NULL)$$,
	$$SELECT recommender.set_items('recs', 'shop.produkts')$$,
	$$SELECT recommender.set_items('recs', 'shop.sequence')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', options => NULL)$$,
	$$SELECT recommender.remove_items(NULL)$$,
	$$SELECT recommender.remove_items('rec')$$);
-- columns
SELECT shop.try_each(
	$$SELECT recommender.set_items('recs', 'shop.products', 'ident')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', 'code')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', feature_columns => '{categories}')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', text_columns => '{titel}')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', feature_columns => '{tags,category,tags}')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', feature_columns => '{title}', text_columns => '{title}')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', feature_columns => '{NULL}')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', text_columns => '{{title},{words}}')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', feature_columns => '{place}')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', feature_columns => '{blob}')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', text_columns => '{tags}')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', text_columns => '{price}')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', available_column => 'stock')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', available_column => 'instock')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', created_column => 'title')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', created_column => 'createt')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', group_column => 'place')$$,
	$$SELECT recommender.set_items('recs', 'shop.products', group_column => 'families')$$);
-- options
SELECT shop.try_each(VARIADIC array_agg(format($$SELECT recommender.set_items('recs', 'shop.products', feature_columns => '{category,price,launched,stock}', text_columns => '{title}', options => '%s')$$, o) ORDER BY n))
FROM unnest(ARRAY['[]', '1', '{"weight": {}}', '{"colour": {}}',
	'{"weights": 1}', '{"weights": []}', '{"weights": {"titel": 1}}', '{"weights": {"title": "1"}}', '{"weights": {"title": -1}}', '{"weights": {"title": 1e7}}', '{"weights": {"title": null}}',
	'{"buckets": 10}', '{"buckets": {"prices": 10}}', '{"buckets": {"price": 1}}', '{"buckets": {"price": 2.5}}', '{"buckets": {"price": 1001}}', '{"buckets": {"price": "10"}}', '{"buckets": {"price": {}}}',
	'{"buckets": {"price": []}}', '{"buckets": {"price": [1, "2"]}}', '{"buckets": {"price": [1, 1]}}', '{"buckets": {"price": [2, 1]}}', '{"buckets": {"category": 4}}', '{"buckets": {"launched": [1, 2]}}', '{"buckets": {"title": 4}}',
	'{"categorical": "stock"}', '{"categorical": ["stocks"]}', '{"categorical": [1]}', '{"categorical": ["launched"]}', '{"categorical": ["stock"], "buckets": {"stock": 3}}', '{"categorical": ["stock"]}',
	'{"config": 1}', '{"config": "klingon"}', '{"config": "a.b.c.d"}', '{"config": ""}', '{"config": null}',
	'{"feature_max_items": 0}', '{"feature_max_items": 1.5}', '{"feature_max_items": "many"}',
	'{"embedding_exact_items": -1}', '{"embedding_exact_items": 1e10}']) WITH ORDINALITY AS t(o, n);
-- only for owners
CREATE ROLE regress_content_reader;
GRANT USAGE ON SCHEMA shop TO regress_content_reader;
SET ROLE regress_content_reader;
SELECT shop.try_each($$SELECT recommender.set_items('recs', 'shop.products')$$, $$SELECT recommender.remove_items('recs')$$);
RESET ROLE;
-- invalid rows in the recommender's table
INSERT INTO recs.item_source (relation, item_column) VALUES ('shop.products', 'id');
SELECT shop.try_each(VARIADIC array_agg('WITH u AS (UPDATE recs.item_source SET ' || change || $$ RETURNING 1) SELECT recommender.set_options('recs', '{}') FROM u$$ ORDER BY n))
FROM unnest(ARRAY[$$feature_columns = '{NULL}'$$, $$text_columns = '{{a},{b}}'$$, $$options = '[]'$$, $$options = '{"weights": {"a": 1}}'$$]) WITH ORDINALITY t(change, n);

\pset tuples_only off
\pset format aligned
SELECT recommender.drop_recommender('recs');
DROP OWNED BY regress_content_reader;
DROP ROLE regress_content_reader;
SET client_min_messages = warning;
DROP SCHEMA shop CASCADE;
