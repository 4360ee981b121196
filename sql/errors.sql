/*
 * Every error of recommenders: SQLSTATE, message, detail and hint.  Those of
 * item_similarities() and item_similarity_agg() are in similarity.sql.
 */
CREATE SCHEMA shop;

-- Run a command, return its error, and roll back its effects.
CREATE FUNCTION shop.try(command text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE state text; message text; detail text; hint text;
BEGIN
	EXECUTE command;
	RAISE EXCEPTION SQLSTATE 'TRIED';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN NEXT CASE state WHEN 'TRIED' THEN 'no error' ELSE state || ': ' || message END;
	-- versions of PostgreSQL differ in which of the two has this
	IF concat(detail, hint) ~ 'argument types' THEN
		RETURN NEXT '  DETAIL or HINT: argument types';
		RETURN;
	END IF;
	IF detail <> '' THEN
		RETURN NEXT '  DETAIL: ' || regexp_replace(detail, '\d{4,}|\d+(?= MB)', 'N', 'g');
	END IF;
	IF hint <> '' THEN
		RETURN NEXT '  HINT: ' || regexp_replace(hint, '\d{4,}|\d+(?=MB)', 'N', 'g');
	END IF;
END $$;
-- Do that for each command of a list.
CREATE FUNCTION shop.try_each(VARIADIC commands text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE command text;
BEGIN
	FOREACH command IN ARRAY commands LOOP
		RETURN NEXT command;
		RETURN QUERY SELECT '  ' || t FROM shop.try(command) t;
	END LOOP;
END $$;
\pset tuples_only on
\pset format unaligned

CREATE TABLE shop.orders (user_id int, item_id int, at timestamptz, kind text, weight float8, place point, document json);
INSERT INTO shop.orders SELECT u, i, '2024-01-01'::timestamptz + u * interval '1 day', 'view', 1 FROM generate_series(1, 9) u, generate_series(1, 9) i WHERE (u * i) % 4 > 0;
CREATE INDEX ON shop.orders (user_id, at);
CREATE SEQUENCE shop.sequence;
SELECT recommender.create_recommender('recs', 'shop.orders', time_column => 'at');

/* create_recommender */

-- nulls
SELECT shop.try_each(
	$$SELECT recommender.create_recommender(NULL, 'shop.orders')$$,
	$$SELECT recommender.create_recommender('r', NULL)$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', user_column => NULL)$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', item_column => NULL)$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', context_columns => '{NULL}')$$);
-- names
SELECT shop.try_each(
	$$SELECT recommender.create_recommender('', 'shop.orders')$$,
	$$SELECT recommender.create_recommender(repeat('r', 64), 'shop.orders')$$,
	$$SELECT recommender.create_recommender('recs', 'shop.orders')$$,
	$$SELECT recommender.create_recommender('pg_recs', 'shop.orders')$$);
-- relations and columns
SELECT shop.try_each(
	$$SELECT recommender.create_recommender('r', 'shop.ordres')$$,
	$$SELECT recommender.create_recommender('r', 'shop.sequence')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders_user_id_at_idx')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', user_column => 'usr_id')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', item_column => 'product')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', time_column => 'att')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', event_column => 'knid')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', weight_column => 'weigth')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', context_columns => '{at,plcae}')$$);
-- types of columns
SELECT shop.try_each(
	$$SELECT recommender.create_recommender('r', 'shop.orders', user_column => 'place')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', item_column => 'document')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', time_column => 'user_id')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', weight_column => 'kind')$$);
-- weights of events
SELECT shop.try_each(
	$$SELECT recommender.create_recommender('r', 'shop.orders', event_weights => '{"view": 1}')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', event_column => 'kind', event_weights => '[1]')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', event_column => 'kind', event_weights => '1')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', event_column => 'kind', event_weights => '{"view": "1"}')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', event_column => 'kind', event_weights => '{"view": null}')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', event_column => 'kind', event_weights => '{"view": {"x": 1}}')$$,
	$$SELECT recommender.create_recommender('r', 'shop.orders', event_column => 'kind', event_weights => '{"view": 1e400}')$$);
-- all effects have been rolled back
SELECT nspname FROM pg_namespace WHERE nspname ~ '^r+$';

/* add_interactions, remove_interactions */

CREATE TABLE shop.visits (who text, what bigint, number numeric);
SELECT shop.try_each(
	$$SELECT recommender.add_interactions(NULL, 'shop.orders')$$,
	$$SELECT recommender.add_interactions('recs', NULL)$$,
	$$SELECT recommender.add_interactions('rcs', 'shop.orders')$$,
	$$SELECT recommender.add_interactions('something else', 'shop.orders')$$,
	$$SELECT recommender.add_interactions('shop', 'shop.orders')$$,
	$$SELECT recommender.add_interactions('recs', 'shop.visits')$$,
	$$SELECT recommender.add_interactions('recs', 'shop.visits', user_column => 'who', item_column => 'what')$$,
	$$SELECT recommender.add_interactions('recs', 'shop.visits', user_column => 'number', item_column => 'what')$$,
	$$SELECT recommender.add_interactions('recs', 'shop.orders', item_column => 'weight')$$,
	$$SELECT recommender.add_interactions('recs', 'shop.orders', event_column => 'kind', event => 'view')$$,
	$$SELECT recommender.add_interactions('recs', 'shop.orders', event_weights => '{"view": 1}')$$,
	$$SELECT recommender.add_interactions('recs', 'shop.sequence')$$,
	$$SELECT recommender.remove_interactions('rcs', 'shop.orders')$$,
	$$SELECT recommender.remove_interactions('recs', NULL)$$,
	$$SELECT recommender.remove_interactions('recs', 'shop.visits')$$);

/* Before the first refresh */

SELECT shop.try_each('SELECT * FROM recs.recommend(1)', 'SELECT * FROM recs.recommend_session(''{1}'')', 'SELECT * FROM recs.recommend_basket(''{1}'')',
	'SELECT * FROM recs.similar_items(1)', 'SELECT * FROM recs.rank_items(1, ''{1}'')', 'SELECT recs.score(1, 1)', 'SELECT * FROM recs.recommend_all()',
	'SELECT * FROM recs.popular_items()', 'SELECT * FROM recs.trending_items()');
SELECT generation, interactions FROM recommender.refresh('recs');

/* Options */

-- names and types
SELECT shop.try_each(
	$$SELECT recommender.set_options('recs', NULL)$$,
	$$SELECT recommender.set_options(NULL, '{}')$$,
	$$SELECT recommender.set_options('rec', '{}')$$,
	$$SELECT recommender.set_options('recs', '[]')$$,
	$$SELECT recommender.set_options('recs', 'null')$$,
	$$SELECT recommender.set_options('recs', '{"mesure": "cosine"}')$$,
	$$SELECT recommender.set_options('recs', '{"": 1}')$$,
	$$SELECT recommender.set_options('recs', '{"measure": "cosin"}')$$,
	$$SELECT recommender.set_options('recs', '{"measure": 1}')$$,
	$$SELECT recommender.set_options('recs', '{"measure": "pearson", "weighting": "log"}')$$,
	$$SELECT recommender.set_options('recs', '{"history": 1.5}')$$,
	$$SELECT recommender.set_options('recs', '{"history": "1"}')$$,
	$$SELECT recommender.set_options('recs', '{"exclude_seen": 1}')$$,
	$$SELECT recommender.set_options('recs', '{"seen_events": "purchase"}')$$,
	$$SELECT recommender.set_options('recs', '{"seen_events": [1]}')$$,
	$$SELECT recommender.set_options('recs', '{"seen_events": {"purchase": 1}}')$$,
	$$SELECT recommender.set_options('recs', '{"blend": 1}')$$,
	$$SELECT recommender.set_options('recs', '{"blend": {"popularty": 1}}')$$,
	$$SELECT recommender.set_options('recs', '{"blend": {"popularity": "1"}}')$$,
	$$SELECT recommender.set_options('recs', '{"blend": {"popularity": [1]}}')$$,
	$$SELECT recommender.set_options('recs', '{"half_life": 30}')$$,
	$$SELECT recommender.set_options('recs', '{"half_life": "soon"}')$$,
	$$SELECT recommender.set_options('recs', '{"half_life": "0"}')$$,
	$$SELECT recommender.set_options('recs', '{"trend_window": "-1 day"}')$$,
	$$SELECT recommender.set_options('recs', '{"half_life": "178000000 years"}')$$);
-- numbers at and beyond the ends of their ranges: the values accepted
SELECT name, value, outcome
FROM unnest('{history,kappa,session_decay,reasons,trend_smoothing,neighbors,min_support,shrinkage,max_history,bm25_b}'::text[]) name,
	 unnest('{-2147483649,-2147483648,-1,-0.000001,0,1,1.000001,10000,10001,100000,100001,1000000000,1000000001,2147483647,2147483648,1e308,1e400,-1e400}'::text[]) value,
	 LATERAL (SELECT string_agg(t, ' ') AS outcome FROM shop.try(format('SELECT recommender.set_options(''recs'', ''{"%s": %s}'')', name, value)) t) t
WHERE outcome !~ '^22023: option ".*" must be (between|an integer)';
SELECT shop.try_each(
	$$SELECT recommender.set_options('recs', '{"history": 0}')$$,
	$$SELECT recommender.set_options('recs', '{"kappa": 1000000001}')$$,
	$$SELECT recommender.set_options('recs', '{"blend": {"trend": -1}}')$$,
	$$SELECT recommender.set_options('recs', '{"blend": {"trend": 1000001}}')$$);
-- in a call
SELECT shop.try_each(
	$$SELECT * FROM recs.recommend(1, options => '{"hisotry": 5}')$$,
	$$SELECT * FROM recs.recommend(1, options => '{"neighbors": 5}')$$,
	$$SELECT * FROM recs.recommend(1, options => '[]')$$,
	$$SELECT recs.score(1, 1, options => '{"kappa": -1}')$$,
	$$SELECT * FROM recs.rank_items(1, '{1}', options => '{"kappa": "1"}')$$,
	$$SELECT * FROM recs.recommend_all(options => '{"reasons": 101}')$$,
	$$SELECT * FROM recs.recommend_session('{1}', options => '{"session_decay": 1.1}')$$,
	$$SELECT * FROM recs.recommend_basket('{1}', options => '{"blend": {"x": 1}}')$$,
	$$SELECT * FROM recs.similar_items(1, options => '{"measure": "llr"}')$$,
	$$SELECT * FROM recs.popular_items(options => '1')$$,
	$$SELECT * FROM recs.trending_items(options => '{"trend_baseline": "0"}')$$);

/* k, filter, context */

SELECT DISTINCT t COLLATE "C" FROM unnest(ARRAY['-1', '-2147483648', 'NULL']) k,
	unnest('{"recommend(1, %s)","recommend_session(''{1}'', %s)","recommend_basket(''{1}'', %s)","similar_items(1, %s)",popular_items(%s),trending_items(%s),recommend_all(%s)}'::text[]) f,
	LATERAL shop.try(format('SELECT * FROM recs.' || f, k)) t ORDER BY 1;
SELECT DISTINCT t COLLATE "C" FROM unnest('{"recommend(1, ","recommend_session(''{1}'', ","recommend_basket(''{1}'', ","similar_items(1, ",popular_items(,trending_items(,recommend_all(}'::text[]) f,
	LATERAL shop.try('SELECT * FROM recs.' || f || 'filter => ''{}'')') t ORDER BY 1;
SELECT DISTINCT t COLLATE "C" FROM unnest('{"recommend(1, ","recommend_session(''{1}'', ","recommend_basket(''{1}'', ",recommend_all(,"rank_items(1, ''{1}'', ","score(1, 1, "}'::text[]) f,
	LATERAL shop.try('SELECT * FROM recs.' || f || 'context => ''[]'')') t ORDER BY 1;
SELECT shop.try_each('SELECT * FROM recs.recommend(2147483648)', 'SELECT * FROM recs.recommend(1, 2147483648)', 'SELECT * FROM recs.recommend(''x'')',
	'SELECT * FROM recs.recommend(1, -9223372036854775808)', 'SELECT * FROM recs.recommend(1, exclude => ''{2147483648}'')',
	'SELECT * FROM recommender.recommend(''recs'', 42)', 'SELECT * FROM recommender.recommend(''My shop''::text)', 'SELECT * FROM recommender.recommend(NULL::text, 1)',
	'SELECT * FROM recommender.recommend(42)', 'SELECT * FROM recommender.recommend(VARIADIC ''{recs,42}''::text[])');

/* Internal functions, called with anything but a recommender */

CREATE TYPE shop.row AS (rank int, item_id int, score float8, strategy text, reasons jsonb);
SELECT shop.try_each(
	'SELECT * FROM recommender_internal.recommend(NULL::shop.row, 1, 1, NULL, NULL::int[], NULL, NULL)',
	'SELECT recommender_internal.score(NULL::int, 1, 1, NULL, NULL)',
	'SELECT recommender_internal.score(NULL::recs.recommendation, ''x''::text, 1, NULL, NULL)',
	'SELECT recommender_internal.score(NULL::recs.recommendation, 1, 1::bigint, NULL, NULL)',
	'SELECT recommender_internal.score(NULL::recs.recommendation, NULL, NULL, NULL, NULL)',
	'SELECT * FROM recommender_internal.rank_items(NULL::recs.recommendation, 1, ARRAY[''x''], NULL, NULL)',
	'SELECT * FROM recommender_internal.rank_items(NULL::recs.recommendation, 1, 1, NULL, NULL)',
	'SELECT * FROM recommender_internal.recommend(NULL::recs.recommendation, 1, 1, NULL, ARRAY[1.5], NULL, NULL)',
	'SELECT * FROM recommender_internal.recommend_session(NULL::recs.recommendation, ARRAY[1.5], 1, NULL, NULL::int[], NULL, NULL)',
	'SELECT * FROM recommender_internal.similar_items(NULL::recs.recommendation, ''x''::text, 1, NULL, NULL::int[], NULL)',
	'SELECT * FROM recommender_internal.recommend_all(NULL::recs.recommendation, 1, NULL, NULL::int[], NULL, NULL)',
	'SELECT * FROM recommender_internal.recommend(NULL::recs.user_recommendation, 1, 1, NULL, NULL::int[], NULL, NULL)',
	'SELECT * FROM recommender_internal.popular_items(NULL::recs.item, 1, NULL, NULL::int[], NULL)');

/* refresh and other functions that take the name of a recommender */

SELECT shop.try_each(
	$$SELECT recommender.refresh('recx')$$,
	$$SELECT recommender.refresh('shop')$$,
	$$SELECT recommender.refresh(repeat('recs', 100))$$,
	$$SELECT recommender.refresh('recs', 'fulll')$$,
	$$SELECT recommender.refresh('recs', 'incremental')$$,
	$$SELECT recommender.refresh('recs', '')$$,
	$$SELECT recommender.refresh('recs', NULL)$$,
	$$SELECT * FROM recommender.check_recommender('recx')$$,
	$$SELECT recommender.drop_recommender(NULL)$$,
	$$SELECT recommender.drop_recommender('shop')$$,
	$$CALL recommender.refresh_all()$$);

/* Data */

-- weights
CREATE FUNCTION shop.try_weight(weight float8) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	CREATE TABLE shop.weighed (user_id int, item_id int, at timestamptz, weight float8);
	INSERT INTO shop.weighed SELECT u, i FROM generate_series(1, 3) u, generate_series(1, 3) i;
	PERFORM recommender.create_recommender('weighed', 'shop.weighed', time_column => 'at', weight_column => 'weight'), recommender.refresh('weighed');
	INSERT INTO shop.weighed VALUES (7, 2, '2024-01-01', weight), (7, 2, '2024-01-01', weight);
	RETURN QUERY SELECT weight || ', ' || f || ': ' || t FROM unnest('{"SELECT * FROM weighed.recommend(7)","SELECT * FROM weighed.recommend_all()","SELECT weighed.score(7, 2)",
		"SELECT * FROM weighed.trending_items()","SELECT recommender.refresh(''weighed'')","SELECT recommender.refresh(''weighed''); SELECT * FROM weighed.recommend(1)"}'::text[]) f,
		LATERAL shop.try(f) t WHERE t !~ '^  HINT';
	PERFORM recommender.drop_recommender('weighed');
	DROP TABLE shop.weighed;
END $$;
SET client_min_messages = warning;
SELECT shop.try_weight(w) FROM unnest('{NaN,Infinity,-Infinity,1e308}'::float8[]) w;
RESET client_min_messages;

-- no trends without times
SELECT recommender.add_interactions('recs', 'shop.orders');
SELECT shop.try_each('SELECT * FROM recs.trending_items()');
SELECT recommender.add_interactions('recs', 'shop.orders', time_column => 'at', weight_column => 'weight');

-- memory
BEGIN;
INSERT INTO shop.orders SELECT u, u % 1000, '2024-01-01', 'view', u FROM generate_series(1, 100000) u;
SET LOCAL maintenance_work_mem = '1MB';
SELECT shop.try_each('SELECT recommender.refresh(''recs'')', 'SELECT * FROM recs.recommend_all(1)');
ROLLBACK;

-- a dropped source, a renamed column
SELECT shop.try_each(
	'DROP TABLE shop.orders; SELECT * FROM recs.recommend(1)', 'DROP TABLE shop.orders; SELECT * FROM recs.recommend_all()',
	'DROP TABLE shop.orders; SELECT * FROM recs.trending_items()', 'DROP TABLE shop.orders; SELECT recommender.refresh(''recs'')',
	'DROP TABLE shop.orders; SELECT recs.score(1, 1)',
	'ALTER TABLE shop.orders RENAME item_id TO item; SELECT * FROM recs.recommend(1)',
	'ALTER TABLE shop.orders RENAME item_id TO product; SELECT recommender.refresh(''recs'')',
	'ALTER TABLE shop.orders RENAME user_id TO use_id; SELECT * FROM recs.recommend(1)',
	'ALTER TABLE shop.orders DROP at; SELECT * FROM recs.trending_items()',
	'ALTER TABLE shop.orders DROP weight; SELECT * FROM recs.recommend_all()');
-- a column with another type
SELECT shop.try_each(
	'ALTER TABLE shop.orders ALTER weight TYPE boolean USING true; SELECT * FROM recs.recommend(1)',
	'ALTER TABLE shop.orders ALTER weight TYPE text; SELECT recommender.refresh(''recs'')',
	'ALTER TABLE shop.orders ALTER weight TYPE timestamptz USING now(); SELECT * FROM recs.recommend_all()',
	'ALTER TABLE shop.orders ALTER at TYPE text; SELECT * FROM recs.recommend(1)',
	'ALTER TABLE shop.orders ALTER at TYPE boolean USING true; SELECT * FROM recs.trending_items()',
	'ALTER TABLE shop.orders ALTER at TYPE time; SELECT recommender.refresh(''recs'')',
	'ALTER TABLE shop.orders ALTER user_id TYPE point USING point(1, 1); SELECT * FROM recs.recommend(1)',
	'ALTER TABLE shop.orders ALTER item_id TYPE text USING ''x''; SELECT * FROM recs.recommend(1)',
	'ALTER TABLE shop.orders ALTER item_id TYPE bigint USING 3000000000; SELECT * FROM recs.recommend(1)',
	'ALTER TABLE shop.orders ALTER item_id TYPE bigint; SELECT * FROM recs.recommend(1)');

/* A view whose function alters the recommender that reads it */

CREATE FUNCTION shop.meddle(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	IF n = 5 AND current_setting('shop.command', true) <> '' THEN
		EXECUTE current_setting('shop.command');
	END IF;
	RETURN n;
END $$;
CREATE VIEW shop.meddling AS SELECT shop.meddle(user_id) AS user_id, item_id, at FROM shop.orders;
SELECT recommender.create_recommender('meddled', 'shop.meddling', time_column => 'at');
SELECT generation FROM recommender.refresh('meddled');
SET shop.command = $$SELECT recommender.refresh('meddled')$$;
SELECT shop.try_each('SELECT recommender.refresh(''meddled'')');
SET shop.command = $$SELECT recommender.drop_recommender('meddled')$$;
SELECT shop.try_each('SELECT * FROM meddled.recommend(5)', 'SELECT * FROM meddled.recommend_all(1)');
RESET shop.command;
SELECT generation FROM recommender.refresh('meddled');
SELECT recommender.drop_recommender('meddled');

/* A model whose rows or tables have been changed */

-- Results of queries after a change: distinct errors, or no error.
CREATE FUNCTION shop.say_after(change text, VARIADIC queries text[]) RETURNS text LANGUAGE sql AS $$
	SELECT change || ': ' || string_agg(DISTINCT t, ' / ') FROM unnest(queries) q, LATERAL shop.try(change || '; ' || q) t (t) WHERE t COLLATE "C" !~ '^  '
$$;
-- Results of all serving functions.
CREATE FUNCTION shop.crafted(change text) RETURNS text LANGUAGE sql AS $$
	SELECT shop.say_after(change, 'SELECT * FROM recs.recommend(1)', 'SELECT * FROM recs.recommend(1, 1000, exclude => ''{2}'')', 'SELECT * FROM recs.recommend_all(3)',
		'SELECT recs.score(1, 1)', 'SELECT i, recs.score(1, i % 12) FROM generate_series(1, 99) i', 'SELECT * FROM recs.rank_items(1, ''{1,2,3}'')', 'SELECT * FROM recs.recommend_session(''{1,2}'')',
		'SELECT * FROM recs.recommend_basket(''{1,2}'')', 'SELECT * FROM recs.similar_items(1)', 'SELECT * FROM recs.popular_items()', 'SELECT * FROM recs.trending_items(20)')
$$;
SELECT shop.crafted('UPDATE recs.neighbor SET ' || change)
FROM unnest(ARRAY['neighbors[1] = -1', 'neighbors[1] = -2147483648', 'neighbors[1] = 2147483647', 'neighbors[1] = 9', 'neighbors[1] = NULL', 'neighbors[1] = neighbors[2]', 'neighbors[1] = item_no',
	'scores[1] = NULL', 'scores[1] = ''NaN''', 'scores[1] = ''Infinity''', 'scores[1] = ''-Infinity''', 'scores[1] = -1', 'scores[1] = 0', 'scores[1] = 3e38',
	'neighbors = ''{}''', 'scores = ''{}''', 'neighbors = ''{}'', scores = ''{}''', 'neighbors = neighbors || 1', 'scores = scores[2:]', 'neighbors = array[neighbors]', 'scores = array[scores, scores]',
	'neighbors = array[neighbors, neighbors], scores = array[scores, scores]', 'neighbors = (''[5:6]={1,2}'')::int[], scores = ''{1,1}''', 'supports = ''{NULL}''', 'supports = ''{}''',
	'item_no = -item_no', 'item_id = item_id + 1000', 'kind = ''content''', 'generation = 7']) change;
SELECT shop.crafted('UPDATE recs.item SET ' || change)
FROM unnest(ARRAY['item_no = item_no - 5', 'item_no = item_no + 5', 'item_no = 2147483647 - item_no', 'item_no = -2147483648 WHERE item_no = 0', 'popularity = ''NaN''', 'popularity = ''Infinity'' WHERE item_no = 3',
	'popularity = -5', 'popularity = 1e300', 'trend = ''-Infinity'' WHERE item_no = 3', 'users = -1', 'weight = ''NaN''', 'item_id = -item_id', 'generation = 7']) change;
SELECT shop.crafted(change)
FROM unnest(ARRAY['DELETE FROM recs.item WHERE item_no = 2', 'DELETE FROM recs.item', 'DELETE FROM recs.neighbor', 'INSERT INTO recs.item SELECT generation, 100 + item_no, 100 + item_id, users, weight, popularity, trend, popular, trending FROM recs.item']) change;
-- the definition
CREATE FUNCTION shop.definition_changed() RETURNS void LANGUAGE sql AS 'COMMENT ON TABLE recs.definition IS NULL; ALTER TABLE recs.definition SET (fillfactor = 90)';
SELECT shop.crafted(change || '; SELECT shop.definition_changed()')
FROM unnest(ARRAY['DELETE FROM recs.definition', 'UPDATE recs.definition SET generation = 0', 'UPDATE recs.definition SET generation = -1', 'UPDATE recs.definition SET generation = 99',
	'UPDATE recs.definition SET items = -1', 'UPDATE recs.definition SET items = 0', 'UPDATE recs.definition SET items = 9223372036854775807', 'UPDATE recs.definition SET items = -288230376151711744',
	'UPDATE recs.definition SET item_steps = ''{1,2}''', 'UPDATE recs.definition SET item_steps = ''{-1}''', 'UPDATE recs.definition SET item_steps = ''{{1}}''', 'UPDATE recs.definition SET item_steps = ''{NULL}''',
	'UPDATE recs.definition SET item_steps = array_fill(1, ''{33}'')', 'UPDATE recs.definition SET item_steps = ''{}''',
	'UPDATE recs.definition SET as_of = ''infinity''', 'UPDATE recs.definition SET as_of = ''-infinity''', 'UPDATE recs.definition SET options = ''[]''', 'UPDATE recs.definition SET options = ''{"x": 1}''',
	'UPDATE recs.definition SET options = ''{"kappa": null}''', 'UPDATE recs.definition SET options = ''{"kappa": {}}''',
	'DELETE FROM recs.source', 'UPDATE recs.source SET relation = 0', 'UPDATE recs.source SET relation = ''pg_class''', 'UPDATE recs.source SET user_column = ''''', 'UPDATE recs.source SET event_weights = ''[]''',
	'UPDATE recs.source SET event_weights = ''{"view": "x"}''', 'UPDATE recs.source SET user_column = ''ctid''', 'UPDATE recs.source SET weight_column = ''kind''', 'UPDATE recs.source SET time_column = ''kind''',
	'UPDATE recs.source SET relation = ''shop.sequence''', 'UPDATE recs.source SET relation = ''shop.orders_user_id_at_idx''']) change;
-- columns of another type, or missing
SET client_min_messages = warning;
SELECT shop.crafted(change)
FROM unnest(ARRAY[
	'DROP VIEW recs.neighbors; ALTER TABLE recs.neighbor ALTER neighbors TYPE int USING 1', 'DROP VIEW recs.neighbors; ALTER TABLE recs.neighbor ALTER neighbors TYPE bigint[]',
	'DROP VIEW recs.neighbors; ALTER TABLE recs.neighbor ALTER scores TYPE float8[]', 'DROP VIEW recs.neighbors; ALTER TABLE recs.neighbor ALTER scores TYPE float8 USING 1',
	'DROP VIEW recs.neighbors; ALTER TABLE recs.neighbor ALTER item_id TYPE text', 'DROP VIEW recs.neighbors; ALTER TABLE recs.neighbor DROP scores', 'DROP VIEW recs.neighbors; ALTER TABLE recs.neighbor ALTER kind TYPE int USING 1',
	'DROP VIEW recs.neighbors, recs.context_lifts; ALTER TABLE recs.item ALTER item_no TYPE text', 'DROP VIEW recs.neighbors, recs.context_lifts; ALTER TABLE recs.item ALTER item_id TYPE text', 'DROP VIEW recs.neighbors, recs.context_lifts; ALTER TABLE recs.item ALTER item_id TYPE bigint',
	'ALTER TABLE recs.item ALTER popularity TYPE text', 'ALTER TABLE recs.item ALTER popularity TYPE real', 'ALTER TABLE recs.item ALTER trend TYPE numeric', 'ALTER TABLE recs.item DROP trend', 'ALTER TABLE recs.item DROP users',
	'ALTER TABLE recs.definition ALTER options DROP DEFAULT, ALTER options TYPE int USING 1', 'ALTER TABLE recs.definition ALTER options DROP DEFAULT, ALTER options TYPE text',
	'DROP VIEW recs.neighbors, recs.context_lifts; ALTER TABLE recs.definition ALTER generation DROP DEFAULT, ALTER generation TYPE text', 'ALTER TABLE recs.definition ALTER as_of TYPE text', 'ALTER TABLE recs.definition ALTER items DROP DEFAULT, ALTER items TYPE text',
	'ALTER TABLE recs.definition DROP as_of', 'DROP VIEW recs.neighbors, recs.context_lifts; ALTER TABLE recs.definition DROP generation', 'ALTER TABLE recs.source ALTER event_weights TYPE int USING 1', 'ALTER TABLE recs.source ALTER relation TYPE text',
	'ALTER TABLE recs.source ALTER user_column TYPE int USING 1', 'ALTER TABLE recs.source DROP event', 'DROP TABLE recs.neighbor CASCADE', 'DROP TABLE recs.source',
	'DROP VIEW recs.neighbors, recs.context_lifts; ALTER TABLE recs.item RENAME TO hidden; CREATE VIEW recs.item AS TABLE recs.hidden',
	'DROP TYPE recs.user_recommendation CASCADE', 'ALTER TYPE recs.recommendation ADD ATTRIBUTE x int', 'ALTER TYPE recs.recommendation RENAME ATTRIBUTE item_id TO item',
	'ALTER TYPE recs.user_recommendation DROP ATTRIBUTE user_id']) change;
-- minor versions of PostgreSQL have different messages
SELECT regexp_replace(shop.crafted('ALTER TYPE recs.user_recommendation ALTER ATTRIBUTE user_id TYPE text'), '\w{5}: (cannot alter type|unexpected object)[^/]*', 'refused');
-- dropped indexes
SELECT shop.try_each('ALTER TABLE recs.definition DROP CONSTRAINT definition_pkey; SELECT * FROM recs.recommend(1)', 'ALTER TABLE recs.neighbor DROP CONSTRAINT neighbor_pkey; SELECT * FROM recs.recommend(1)',
	'ALTER TABLE recs.item DROP CONSTRAINT item_pkey; SELECT * FROM recs.similar_items(1)', 'DROP INDEX recs.item_item_id; SELECT * FROM recs.rank_items(1, ''{1}'')',
	'DROP INDEX recs.item_popularity; SELECT * FROM recs.popular_items()', 'DROP INDEX recs.item_trend; SELECT * FROM recs.recommend(NULL, options => ''{"blend": {"popularity": 0, "trend": 1}}'')');
-- ids of neighbours with the bytes of another type
CREATE TABLE shop.numbers (user_id int, item_id numeric);
INSERT INTO shop.numbers SELECT u, i FROM generate_series(1, 3) u, generate_series(1, 3) i;
SELECT recommender.create_recommender('numbers', 'shop.numbers');
SELECT generation FROM recommender.refresh('numbers');
SELECT shop.say_after('DROP VIEW numbers.neighbors; ALTER TABLE numbers.neighbor ALTER item_id TYPE float8', 'SELECT * FROM numbers.recommend(1)', 'SELECT * FROM numbers.recommend_all()', 'SELECT numbers.score(1, 2)', 'SELECT * FROM numbers.similar_items(1)');
SELECT recommender.drop_recommender('numbers');
-- results of a refresh
SELECT shop.say_after(change, 'SELECT recommender.refresh(''recs'')')
FROM unnest(ARRAY['DROP VIEW recs.neighbors, recs.context_lifts; ALTER TABLE recs.item ALTER item_no TYPE text', 'ALTER TABLE recs.item DROP trend', 'ALTER TABLE recs.item ADD x int', 'DROP VIEW recs.neighbors; ALTER TABLE recs.neighbor ALTER scores TYPE float8[]',
	'DROP VIEW recs.neighbors, recs.context_lifts; ALTER TABLE recs.item RENAME TO hidden; CREATE VIEW recs.item AS TABLE recs.hidden', 'DROP VIEW recs.neighbors; ALTER TABLE recs.neighbor RENAME TO hidden; CREATE VIEW recs.neighbor AS TABLE recs.hidden',
	'DROP VIEW recs.neighbors, recs.context_lifts; DROP TABLE recs.item; CREATE TABLE recs.item (generation bigint NOT NULL, item_no int NOT NULL, item_id int NOT NULL, users bigint NOT NULL, weight float8 NOT NULL, popularity float8 NOT NULL, trend float8 NOT NULL) PARTITION BY LIST (generation)',
	'DROP TABLE recs.refresh_run', 'ALTER TABLE recs.definition DROP refreshed_at', 'UPDATE recs.refresh_run SET generation = 9223372036854775807', 'UPDATE recs.refresh_run SET generation = -5', 'TRUNCATE recs.refresh_run']) change;
-- results of the views and of check_recommender
SELECT shop.say_after(change || '; SELECT shop.definition_changed()', 'SELECT * FROM recommender.recommenders', 'SELECT * FROM recommender.refresh_runs', 'SELECT * FROM recommender.check_recommender(''recs'')')
FROM unnest(ARRAY['ALTER TABLE recs.refresh_run ALTER mode TYPE int USING 1', 'ALTER TABLE recs.refresh_run ALTER options TYPE int USING 1', 'ALTER TABLE recs.refresh_run ALTER read_ms TYPE text',
	'ALTER TABLE recs.definition ALTER items DROP DEFAULT, ALTER items TYPE text', 'ALTER TABLE recs.definition ALTER refreshed_at TYPE text', 'DROP TABLE recs.source', 'DELETE FROM recs.definition',
	'DROP TYPE recs.user_recommendation CASCADE', 'UPDATE recs.source SET relation = 0']) change;
RESET client_min_messages;

-- everything works after all errors
SELECT count(*), min(strategy) FROM recs.recommend(99);
SELECT count(*) FROM recs.recommend(1, options => '{"exclude_seen": false}');
SELECT code FROM recommender.check_recommender('recs');
SELECT recommender.drop_recommender('recs');
DROP SCHEMA shop CASCADE;
