/*
 * test/pgtap/definition_layout.sql
 *	  The tables of a recommender, as recommender_tables.sql has them.
 *
 * psql reads the file; what it makes is what create_recommender() makes.  A
 * recommender with another layout, another table or several owners is refused,
 * and none of its tables is opened before that is known.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;

SELECT plan(52);

CREATE SCHEMA shop;
CREATE TABLE shop.orders (user_id bigint, item_id text COLLATE "C");
INSERT INTO shop.orders SELECT n % 7, 'P' || n % 5 FROM generate_series(1, 60) n;
SELECT recommender.create_recommender('recs', 'shop.orders');

CREATE SCHEMA mine;
\set schema mine
\set user_type bigint
\set user_collation
\set item_type text
\set item_collation 'COLLATE "C"'
\set user_argument bigint
\set item_argument text
\set user_id_value user_id
\set item_id_value item_id
\set items_value items
\set exclude_value exclude
\i src/definition/recommender_tables.sql
\i src/definition/recommender_functions.sql

CREATE FUNCTION pg_temp.columns(name) RETURNS SETOF text LANGUAGE sql AS $$
SELECT format('%s.%s %s %s %s %s', c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attcollation)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND c.relkind IN ('r', 'v', 'c') AND a.attnum > 0
$$;
SELECT is((SELECT count(*) FROM pg_temp.columns('recs')) > 100, true, 'there are columns to compare');
SELECT set_eq($$SELECT * FROM pg_temp.columns('mine')$$, $$SELECT * FROM pg_temp.columns('recs')$$, 'psql makes the same columns');
SELECT set_eq($$SELECT replace(indexdef, 'mine.', 'recs.') FROM pg_indexes WHERE schemaname = 'mine'$$,
			  $$SELECT indexdef FROM pg_indexes WHERE schemaname = 'recs'$$, 'the same indexes');
SELECT set_eq($$SELECT replace(pg_get_functiondef(oid), 'mine.', 'recs.') FROM pg_proc WHERE pronamespace = 'mine'::regnamespace$$,
			  $$SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'recs'::regnamespace$$, 'the same functions');
SELECT set_eq($$SELECT obj_description(c.oid, 'pg_class') FROM pg_class c WHERE c.relnamespace = 'mine'::regnamespace AND c.relkind IN ('r', 'v', 'c')$$,
			  $$SELECT obj_description(c.oid, 'pg_class') FROM pg_class c WHERE c.relnamespace = 'recs'::regnamespace AND c.relkind IN ('r', 'v', 'c')$$, 'the same comments');
SELECT is_empty($$SELECT relname FROM pg_class WHERE relnamespace = 'recs'::regnamespace AND relkind IN ('r', 'v', 'c') AND obj_description(oid, 'pg_class') IS NULL AND obj_description(reltype, 'pg_type') IS NULL$$, 'all have one');

-- a recommender made by hand is one
INSERT INTO mine.definition DEFAULT VALUES;
INSERT INTO mine.source (position, relation, user_column, item_column) VALUES (1, 'shop.orders', 'user_id', 'item_id');
SELECT is((SELECT items FROM recommender.refresh('mine')), 5::bigint, 'what psql made can be refreshed');
SELECT is((SELECT count(*) FROM mine.recommend(99, 3)), 3::bigint, 'and serves');

/* ------------------------------------------------------------------------
 * Layouts
 * ------------------------------------------------------------------------ */

SELECT is((SELECT layout FROM recs.definition), 1, 'the layout is stored');
UPDATE mine.definition SET layout = 2;
ALTER TABLE mine.definition SET (fillfactor = 100);	-- as an upgrade would, it tells all sessions
SELECT throws_ok($$SELECT recommender.refresh('mine')$$, '55000',
				 'recommender "mine" has tables of layout 2, and this version of the extension works with layout 1', 'another layout is refused');
UPDATE mine.definition SET layout = 1;
ALTER TABLE mine.definition SET (fillfactor = 100);	-- as an upgrade would, it tells all sessions
SELECT lives_ok($$SELECT recommender.refresh('mine')$$, 'and accepted when it is right');

-- a column in another place, which a writer would fill with something else
SAVEPOINT moved;
ALTER TABLE mine.item DROP COLUMN popularity, ADD COLUMN popularity double precision;
SELECT throws_ok($$SELECT recommender.refresh('mine')$$, '55000', 'table "item" of recommender "mine" is not as create_recommender() makes it', 'a column in another place');
ROLLBACK TO moved;

/* ------------------------------------------------------------------------
 * Owners
 * ------------------------------------------------------------------------ */

CREATE ROLE rec_stranger;
GRANT USAGE, CREATE ON SCHEMA mine TO rec_stranger;
CREATE FUNCTION pg_temp.kinds() RETURNS TABLE (kind text, name text, sentence text) LANGUAGE sql AS $$
SELECT 'TABLE', tablename, 'Table' FROM pg_tables WHERE schemaname = 'mine'
UNION ALL SELECT 'VIEW', viewname, 'View' FROM pg_views WHERE schemaname = 'mine'
UNION ALL SELECT 'TYPE', relname, 'Type' FROM pg_class WHERE relnamespace = 'mine'::regnamespace AND relkind = 'c'
UNION ALL SELECT 'FUNCTION', proname, 'Function' FROM pg_proc WHERE pronamespace = 'mine'::regnamespace
$$;
CREATE FUNCTION pg_temp.by_stranger(kind text, name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	EXECUTE format('ALTER %s mine.%I OWNER TO rec_stranger', kind, name);
	BEGIN
		PERFORM recommender.refresh('mine');
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS answer = PG_EXCEPTION_DETAIL;
		answer := sqlstate || ' ' || sqlerrm || ' ' || answer;
	END;
	EXECUTE format('ALTER %s mine.%I OWNER TO %I', kind, name, current_user);
	RETURN answer;
END $$;
SELECT is(pg_temp.by_stranger(kind, name),
		  format('42501 recommender "mine" has more than one owner %s "%s" belongs to role "rec_stranger", the schema to role "%s".', sentence, name, current_user),
		  format('%s %s of somebody else', lower(kind), name)) FROM pg_temp.kinds() ORDER BY kind, name;
SELECT lives_ok($$SELECT recommender.refresh('mine')$$, 'all of one owner again');
ALTER SCHEMA mine OWNER TO rec_stranger;
SELECT throws_ok($$SELECT count(*) FROM mine.recommend(99, 3)$$, '42501', 'recommender "mine" has more than one owner', 'a call is refused, too');
SELECT is((SELECT string_agg(name, ' ') FROM recommender.recommenders), 'recs', 'and it is not in the list');

/* ------------------------------------------------------------------------
 * The schema of the extension
 * ------------------------------------------------------------------------ */

ALTER SCHEMA recommender RENAME TO advice;
SELECT is(advice.create_recommender('later', 'shop.orders'), 'later', 'create_recommender() after the schema of the extension was renamed');
SELECT is((SELECT items FROM advice.refresh('later')), 5::bigint, 'it is refreshed');
SELECT is((SELECT count(*) FROM later.recommend(99, 3)), 3::bigint, 'and serves');
ALTER SCHEMA advice RENAME TO recommender;
SELECT is((SELECT count(*) FROM later.recommend(99, 3)), 3::bigint, 'and does so when the schema has its old name');

SELECT * FROM finish();
ROLLBACK;
