/*
 * test/pgtap/privileges.sql
 *	  Privileges: who may call what, and with whose rights it runs.
 *
 * Serving runs with the rights of the caller: grants and row security of the
 * interactions apply.  A refresh runs as the recommender's owner, in a
 * security-restricted operation, and fails if row security hides rows.  Views of
 * recommenders and refresh_all() run no code with the rights of another role.
 * Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;

SELECT plan(464);

CREATE ROLE rec_alice;			-- owns a shop and its recommender
CREATE ROLE rec_deputy IN ROLE rec_alice;
CREATE ROLE rec_app;			-- asks for recommendations
CREATE ROLE rec_north;			-- tenants of a shared table
CREATE ROLE rec_south;
CREATE ROLE rec_mallory;		-- owns a schema, and means no good
CREATE ROLE rec_noinherit NOINHERIT IN ROLE rec_alice;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO rec_alice, rec_mallory', current_database()); END $$;

CREATE SCHEMA test;
GRANT USAGE ON SCHEMA test TO PUBLIC;

-- Runs a statement as a role; gives its first value, or the SQLSTATE and message of its error.
CREATE FUNCTION test.run(role name, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; caller name := current_user;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	IF query ~* '^SELECT|RETURNING' THEN
		EXECUTE query INTO result;
	ELSE
		EXECUTE query;
	END IF;
	EXECUTE format('SET LOCAL ROLE %I', caller);
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate || ' ' || sqlerrm;
END $$;

-- The shop: 30 customers, 12 products, two tenants.
SET LOCAL ROLE rec_alice;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (user_id int, item_id int, at timestamptz, tenant name);
INSERT INTO shop.orders
SELECT n % 30, n * n % 13, '2024-01-01'::timestamptz + n % 40 * interval '1 day', CASE n % 2 WHEN 0 THEN 'rec_north' ELSE 'rec_south' END
FROM generate_series(1, 200) n;
CREATE INDEX ON shop.orders (user_id, at);
SELECT recommender.create_recommender('recs', 'shop.orders', time_column => 'at', options => '{"exclude_seen": false, "min_support": 1, "context_significance": 1}');
SELECT recommender.refresh('recs');
RESET ROLE;

-- Everything that serves.
CREATE TABLE test.serving (query text, live boolean);
INSERT INTO test.serving VALUES
	('SELECT string_agg(r::text, '' '') FROM recs.recommend(1, 3) r', true),
	('SELECT string_agg(r::text, '' '') FROM recs.recommend_all(2) r', true),
	('SELECT string_agg(r::text, '' '') FROM recs.recommend(1, 3, context => ''{"month": 1}'') r', true),
	('SELECT string_agg(r::text, '' '') FROM recs.recommend_basket(''{1}'', 3, context => ''{"month": 1}'') r', false),
	('SELECT string_agg(l::text, '' '') FROM recs.context_lifts l', false),
	('SELECT string_agg(r::text, '' '') FROM recs.rank_items(1, ''{1,2,3}'') r', true),
	('SELECT recs.score(1, 2)::text', true),
	('SELECT string_agg(recs.score(1, i)::text, '' '') FROM generate_series(1, 100) i', true),
	('SELECT string_agg(r::text, '' '') FROM recs.trending_items(3) r', true),
	('SELECT string_agg(r::text, '' '') FROM recs.recommend_session(''{1,2}'', 3) r', false),
	('SELECT string_agg(r::text, '' '') FROM recs.recommend_basket(''{1,2}'', 3) r', false),
	('SELECT string_agg(r::text, '' '') FROM recs.similar_items(1, 3) r', false),
	('SELECT string_agg(r::text, '' '') FROM recs.popular_items(3) r', false),
	('SELECT string_agg(n::text, '' '') FROM recs.neighbors n', false);

/* ------------------------------------------------------------------------
 * An application
 * ------------------------------------------------------------------------ */

SELECT matches(test.run('rec_app', query), '^42501 permission denied for schema recs', format('without USAGE: %s', query)) FROM test.serving;
GRANT USAGE ON SCHEMA recs, shop TO rec_app;
SELECT matches(test.run('rec_app', query), '^42501 permission denied for (table|view) ', format('with USAGE alone: %s', query)) FROM test.serving;
GRANT SELECT ON ALL TABLES IN SCHEMA recs TO rec_app;
SELECT is(test.run('rec_app', query), CASE WHEN live THEN '42501 permission denied for table orders' ELSE test.run('rec_alice', query) END,
		  format('without the interactions: %s', query)) FROM test.serving;
GRANT SELECT ON shop.orders TO rec_app;
SELECT is(test.run('rec_app', query), test.run('rec_alice', query), format('with all grants: %s', query)) FROM test.serving;
SELECT doesnt_match(test.run('rec_app', query), '^42501', format('something was said: %s', query)) FROM test.serving;
REVOKE SELECT ON shop.orders FROM rec_app;
SELECT is(test.run('rec_app', query), '42501 permission denied for table orders', format('a grant that is revoked: %s', query)) FROM test.serving WHERE live;
-- columns are enough
GRANT SELECT (user_id, item_id, at) ON shop.orders TO rec_app;
SELECT is(test.run('rec_app', query), test.run('rec_alice', query), format('with SELECT on the columns: %s', query)) FROM test.serving;
REVOKE SELECT (at) ON shop.orders FROM rec_app;
SELECT is(test.run('rec_app', 'SELECT recs.score(1, 2)'), '42501 permission denied for table orders', 'but not on all of them');
GRANT SELECT ON shop.orders TO rec_app;

-- what a recommender's owner alone may do
SELECT is(test.run('rec_app', query), '42501 must be owner of recommender recs', format('not for the application: %s', query))
FROM unnest('{SELECT recommender.refresh(''recs''),"SELECT recommender.set_options(''recs'', ''{}'')","SELECT recommender.add_interactions(''recs'', ''shop.orders'')"}'::text[]) query;
SELECT matches(test.run('rec_app', 'SELECT recommender.drop_recommender(''recs'')'), '^42501 must be owner of ', 'nor to drop it');
SELECT matches(test.run('rec_app', 'SELECT recommender.create_recommender(''mine'', ''shop.orders'')'), '^42501 permission denied for database', 'nor to make another one');
SELECT matches(test.run('rec_noinherit', 'SELECT recommender.refresh(''recs'')'), '^42501', 'nor for a member that does not inherit');
SELECT is(test.run('rec_deputy', 'SELECT generation FROM recommender.refresh(''recs'')'), '2', 'a member of the owner may refresh');
SELECT is(test.run(current_user, 'SELECT generation FROM recommender.refresh(''recs'')'), '3', 'a superuser may, too');
SELECT is(test.run('rec_alice', 'SELECT generation FROM recommender.refresh(''recs'')'), '4', 'and the owner, after it');
SELECT is(test.run('rec_deputy', 'SELECT recommender.set_options(''recs'', ''{"history": 90}'') ->> ''history'''), '90', 'a member of the owner may set options');
SELECT is(tableowner, 'rec_alice', format('owner of %s', tablename)) FROM pg_tables WHERE schemaname = 'recs' ORDER BY tablename;

-- the overview shows what one may read
SELECT is(test.run(role, 'SELECT string_agg(name || owner, '' '') FROM recommender.recommenders'), shown, format('overview for %s', role))
FROM (VALUES ('rec_alice', 'recsrec_alice'), ('rec_deputy', 'recsrec_alice'), ('rec_app', 'recsrec_alice'), ('rec_mallory', NULL)) v (role, shown);
SELECT is(test.run(role, 'SELECT count(*) FROM recommender.refresh_runs'), n, format('runs for %s', role))
FROM (VALUES ('rec_alice', '4'), ('rec_deputy', '4'), ('rec_app', '4'), ('rec_mallory', '0')) v (role, n);
GRANT SELECT ON ALL TABLES IN SCHEMA recs TO rec_mallory;
SELECT is(test.run('rec_mallory', 'SELECT count(*) FROM recommender.recommenders'), '0', 'SELECT without USAGE on the schema shows nothing');
SELECT is(test.run('rec_mallory', 'SELECT count(*) FROM recommender.refresh_runs'), '0', 'nor its runs');
REVOKE ALL ON ALL TABLES IN SCHEMA recs FROM rec_mallory;
SELECT is(test.run('rec_app', query), test.run('rec_alice', query), 'an application may check')
FROM (VALUES ('SELECT string_agg(c::text, '' '') FROM recommender.check_recommender(''recs'') c')) v (query);
SELECT matches(test.run('rec_mallory', 'SELECT count(*) FROM recommender.check_recommender(''recs'')'), '^42501', 'a stranger may not');

-- a recommender cannot be made over a table that one cannot read, and read by it
SELECT is(test.run('rec_mallory', 'SELECT recommender.create_recommender(''spy'', ''shop.orders'')'), '42501 permission denied for schema shop', 'no recommender over a hidden table');
CREATE TABLE test.secret (user_id int, item_id int);
INSERT INTO test.secret VALUES (1, 1), (1, 2), (2, 1), (2, 2);
SELECT test.run('rec_mallory', 'SELECT recommender.create_recommender(''spy'', ''test.secret'')');
SELECT matches(test.run('rec_mallory', 'SELECT recommender.refresh(''spy'')'), '^(42501 permission denied for table secret|42704)', 'nor a model of it');
SELECT matches(test.run(current_user, 'SELECT recommender.refresh(''spy'')'), '^(42501 permission denied for table secret|42704)', 'not even when a superuser refreshes it');

/* ------------------------------------------------------------------------
 * Row security
 * ------------------------------------------------------------------------ */

GRANT USAGE ON SCHEMA shop, recs TO rec_north, rec_south;
GRANT SELECT ON shop.orders TO rec_north, rec_south;
GRANT SELECT ON ALL TABLES IN SCHEMA recs TO rec_north, rec_south;
-- what a tenant should hear is what alice hears with the tenant's rows alone
CREATE TABLE test.expected AS SELECT ''::name AS tenant, query, ''::text AS answer FROM test.serving WHERE false;
CREATE FUNCTION test.expect(tenant_only name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	CREATE TABLE test.orders AS TABLE shop.orders;
	DELETE FROM shop.orders WHERE tenant <> tenant_only;
	INSERT INTO test.expected SELECT tenant_only, query, test.run('rec_alice', query) FROM test.serving;
	DELETE FROM shop.orders;
	INSERT INTO shop.orders TABLE test.orders;
	DROP TABLE test.orders;
END $$;
SELECT test.expect('rec_north'), test.expect('rec_south');
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON shop.orders USING (tenant = current_user);
-- in one session, one role after the other, so that a cached plan would show
SELECT is(test.run(tenant, query), answer, format('%s: %s', tenant, query)) FROM test.expected ORDER BY query, tenant;
SELECT is(test.run(tenant, query), answer, format('%s again: %s', tenant, query)) FROM test.expected ORDER BY query, tenant DESC;
SELECT isnt(n.answer, s.answer, format('tenants hear different things: %s', query))
FROM test.expected n JOIN test.expected s USING (query) JOIN test.serving USING (query)
WHERE n.tenant = 'rec_north' AND s.tenant = 'rec_south' AND live AND query !~ 'trending|score.1, 2';
SELECT is(test.run('rec_app', 'SELECT count(*) FROM recs.recommend_all(1)'), '0', 'whom no policy lets see a row, sees nobody');
SELECT is(test.run('rec_app', 'SELECT strategy FROM recs.recommend(1, 1)'), 'popularity', 'and hears of popular items');
-- before there is a model, popularity is live as well
SELECT test.run('rec_alice', 'SELECT recommender.create_recommender(''fresh'', ''shop.orders'')');
GRANT USAGE ON SCHEMA fresh TO rec_north, rec_app;
GRANT SELECT ON ALL TABLES IN SCHEMA fresh TO rec_north, rec_app;
SELECT is(test.run('rec_app', 'SELECT count(*) FROM fresh.popular_items(100)'), '0', 'popular items before a refresh are of the rows one sees');
SELECT is(test.run('rec_north', 'SELECT count(*) FROM fresh.popular_items(100)'), (SELECT count(DISTINCT item_id)::text FROM shop.orders WHERE tenant = 'rec_north'), 'no more and no less');
SELECT test.run('rec_alice', 'SELECT recommender.drop_recommender(''fresh'')');
-- what the caller's row_security setting says, holds
SET LOCAL row_security = off;
SELECT matches(test.run('rec_north', 'SELECT recs.score(1, 2)'), '^42501 query would be affected by row-level security', 'row_security off is an error for a tenant');
RESET row_security;

-- the owner of the table is not subject to its policies, and refreshes from all rows
SELECT is(test.run('rec_alice', 'SELECT interactions FROM recommender.refresh(''recs'')'), '200', 'the owner''s refresh sees all rows');
ALTER TABLE shop.orders FORCE ROW LEVEL SECURITY;
SELECT matches(test.run('rec_alice', 'SELECT recommender.refresh(''recs'')'), '^42501 query would be affected by row-level security policy for table "orders"', 'forced, refresh is an error');
SELECT matches(test.run('rec_deputy', 'SELECT recommender.refresh(''recs'')'), '^42501', 'for a member of the owner, too');
SELECT matches(test.run(current_user, 'SELECT recommender.refresh(''recs'')'), '^42501', 'and for a superuser, since it runs as the owner');
SELECT is((SELECT generation FROM recs.definition), 5::bigint, 'the old generation is left');
ALTER TABLE shop.orders NO FORCE ROW LEVEL SECURITY;
-- somebody else's recommender over the table
GRANT CREATE ON DATABASE :DBNAME TO rec_north;
SELECT is(test.run('rec_north', 'SELECT recommender.create_recommender(''north'', ''shop.orders'')'), 'north', 'a tenant may have a recommender');
SELECT matches(test.run('rec_north', 'SELECT recommender.refresh(''north'')'), '^42501 query would be affected by row-level security policy', 'but not build it from a part of the rows');
SELECT matches(test.run(current_user, 'SELECT recommender.refresh(''north'')'), '^42501', 'by no help');
-- of a view that is the tenant's rows, it may
SELECT test.run('rec_alice', 'CREATE VIEW shop.north AS SELECT * FROM shop.orders WHERE tenant = ''rec_north''');
SELECT test.run('rec_alice', 'GRANT SELECT ON shop.north TO rec_north');
SELECT is(test.run('rec_north', 'SELECT recommender.drop_recommender(''north'')'), 'true', 'another try');
SELECT is(test.run('rec_north', 'SELECT recommender.create_recommender(''north'', ''shop.north'')'), 'north', 'of a view');
SELECT is(test.run('rec_north', 'SELECT interactions FROM recommender.refresh(''north'')'), (SELECT count(*)::text FROM shop.orders WHERE tenant = 'rec_north'), 'of the tenant''s rows');
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;

/* ------------------------------------------------------------------------
 * As whom a refresh runs
 * ------------------------------------------------------------------------ */

CREATE TABLE test.log (who name, what text);
CREATE SEQUENCE test.misused;	-- counts also what is rolled back
GRANT INSERT, SELECT ON test.log TO PUBLIC;
GRANT USAGE ON SEQUENCE test.misused TO PUBLIC;
SET LOCAL ROLE rec_mallory;
CREATE SCHEMA lair;
CREATE TABLE lair.todo (command text);
CREATE TABLE lair.plain (user_id int, item_id int);
INSERT INTO lair.plain VALUES (1, 1), (1, 2), (2, 1), (2, 2);
GRANT USAGE ON SCHEMA lair TO PUBLIC;
GRANT SELECT ON lair.todo TO PUBLIC;
-- a view whose rows are interactions, with a function that tries something
CREATE FUNCTION lair.trap() RETURNS int LANGUAGE plpgsql AS $$
DECLARE command text;
BEGIN
	INSERT INTO test.log VALUES (current_user, session_user);
	IF current_user <> 'rec_mallory' THEN
		PERFORM nextval('test.misused');
	END IF;
	FOR command IN SELECT t.command FROM lair.todo t LOOP
		EXECUTE command;
	END LOOP;
	RETURN 1;
END $$;
CREATE VIEW lair.orders AS SELECT u AS user_id, i AS item_id, now() AS at FROM generate_series(1, 5) u, generate_series(1, 5) i, lair.trap();
SELECT recommender.create_recommender('lures', 'lair.orders', time_column => 'at');
RESET ROLE;
SELECT is(test.run(current_user, 'SELECT interactions FROM recommender.refresh(''lures'')'), '25', 'a superuser refreshes it');
SELECT results_eq('SELECT DISTINCT who FROM test.log', $$VALUES ('rec_mallory'::name)$$, 'and its functions run as its owner');
SELECT matches(test.run('rec_mallory', format('INSERT INTO lair.todo VALUES (%L) RETURNING ''''', command)) || test.run(current_user, 'SELECT recommender.refresh(''lures'')')
			   || test.run('rec_mallory', 'DELETE FROM lair.todo RETURNING '''''), '^' || error, format('in it is forbidden: %s', command))
FROM (VALUES ('SET ROLE NONE', '42501 cannot set parameter "role" within security-restricted operation'),
	('RESET ROLE', '42501 cannot set parameter "role" within security-restricted operation'),
	('SET SESSION AUTHORIZATION DEFAULT', '42501 cannot set parameter "session_authorization" within security-restricted operation'),
	('ALTER ROLE rec_mallory SUPERUSER', '42501'),
	('GRANT rec_alice TO rec_mallory', '42501'),
	('INSERT INTO shop.orders VALUES (6, 6)', '42501'),
	('CREATE TEMP TABLE item (i int)', '42501 cannot create temporary table within security-restricted operation'),
	('DECLARE c CURSOR WITH HOLD FOR SELECT 1', '42501 cannot create a cursor WITH HOLD within security-restricted operation'),
	('SELECT set_config(''role'', ''none'', false)', '42501')) v (command, error);
SELECT is(current_user::text, session_user::text, 'afterwards the session is who it was');
SELECT is(current_setting('row_security'), 'on', 'with the settings that it had');
-- what it sets, is set back
SELECT test.run('rec_mallory', 'INSERT INTO lair.todo VALUES (''SET search_path = lair''), (''SET row_security = off'')');
CREATE TABLE test.path AS SELECT current_setting('search_path') AS path;
SELECT is(test.run(current_user, 'SELECT interactions FROM recommender.refresh(''lures'')'), '25', 'settings may be changed inside');
SELECT is(current_setting('search_path'), path, 'but not outside') FROM test.path;
SELECT is(current_setting('row_security'), 'on', 'none of them');
SELECT test.run('rec_mallory', 'DELETE FROM lair.todo');
-- an error half-way leaves the session as it was
SELECT test.run('rec_mallory', 'INSERT INTO lair.todo VALUES (''SELECT 1 / 0'')');
SELECT is(test.run(current_user, 'SELECT recommender.refresh(''lures'')'), '22012 division by zero', 'an error in a view');
SELECT is(current_user::text || current_setting('search_path'), session_user::text || path, 'and the session is who it was') FROM test.path;
SELECT test.run('rec_mallory', 'DELETE FROM lair.todo');

-- checking is for the eyes of others, too: no code of the owner's runs with their rights
TRUNCATE test.log;
SELECT lives_ok('SELECT * FROM recommender.check_recommender(''lures'')', 'a superuser checks it');
SELECT is((SELECT string_agg(DISTINCT who, ' ') FROM test.log WHERE who <> 'rec_mallory'), NULL, 'check runs no function of a view with the superuser''s rights');

-- ... nor does changing it
SELECT test.run('rec_mallory', 'CREATE FUNCTION lair.on_change() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN PERFORM lair.trap(); RETURN NEW; END''');
SELECT test.run('rec_mallory', format('CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON lures.%s FOR EACH ROW EXECUTE FUNCTION lair.on_change()', t)) FROM unnest('{definition,source}'::text[]) t;
TRUNCATE test.log;
SELECT lives_ok('SELECT recommender.set_options(''lures'', ''{"kappa": 2}'')', 'a superuser sets options');
SELECT lives_ok('SELECT recommender.add_interactions(''lures'', ''lair.orders'')', 'and a source');
SELECT is((SELECT string_agg(DISTINCT who, ' ') FROM test.log), 'rec_mallory', 'what this sets off runs as the owner');

/* ------------------------------------------------------------------------
 * What looks like a recommender and is none
 * ------------------------------------------------------------------------ */

-- A schema with the tables of a recommender, of which one is a view.
CREATE FUNCTION test.fake(kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE name text;
BEGIN
	SET LOCAL ROLE rec_mallory;
	CREATE SCHEMA fake;
	FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'recs'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('CREATE TABLE fake.%1$I (LIKE recs.%1$I INCLUDING DEFAULTS)', name);
	END LOOP;
	INSERT INTO fake.definition DEFAULT VALUES;
	INSERT INTO fake.source VALUES (1, 'lair.plain', 'user_id', 'item_id', NULL, NULL, NULL, NULL, NULL, '{}');
	CREATE TYPE fake.user_recommendation AS (user_id int, rank int, item_id int, score float8, strategy text);
	IF kind LIKE 'view %' THEN
		EXECUTE format('ALTER TABLE fake.%I RENAME TO hidden', substr(kind, 6));
		EXECUTE format('CREATE VIEW fake.%I AS SELECT h.* FROM fake.hidden h RIGHT JOIN lair.trap() ON true', substr(kind, 6));
	ELSIF kind LIKE 'policy %' THEN
		EXECUTE format('ALTER TABLE fake.%I ENABLE ROW LEVEL SECURITY', substr(kind, 8));
		EXECUTE format('CREATE POLICY p ON fake.%I USING (lair.trap() = 1)', substr(kind, 8));
	END IF;
	GRANT USAGE ON SCHEMA fake TO PUBLIC;
	GRANT SELECT ON ALL TABLES IN SCHEMA fake TO PUBLIC;
	RESET ROLE;
END $$;
GRANT SELECT ON ALL TABLES IN SCHEMA recs TO rec_mallory;
GRANT USAGE ON SCHEMA recs TO rec_mallory;
SELECT test.fake('none');
SELECT matches(test.run(session_user, 'SELECT string_agg(name, '' '') FROM recommender.recommenders'), '\mfake\M', 'without views and policies it is one');
DROP SCHEMA fake CASCADE;
-- whoever looks at the overview, checks or refreshes runs nothing of rec_mallory's, but as rec_mallory
CREATE FUNCTION test.lured(kind text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE query text; role name;
BEGIN
	PERFORM test.fake(kind);
	FOREACH role IN ARRAY ARRAY[session_user, 'rec_alice'] LOOP
		FOREACH query IN ARRAY ARRAY['SELECT count(*) FROM recommender.recommenders', 'SELECT count(*) FROM recommender.refresh_runs',
				'SELECT recommender.refresh(''fake'')', 'SELECT * FROM recommender.check_recommender(''fake'')', 'SELECT recommender.set_options(''fake'', ''{}'')'] LOOP
			GRANT SELECT ON fake.definition TO PUBLIC;	-- and nothing is cached any more
			PERFORM setval('test.misused', 1, false), test.run(role, query);
			RETURN NEXT ok((SELECT NOT is_called FROM test.misused), format('%s: %s runs %s', kind, role, query));
		END LOOP;
	END LOOP;
	-- and one schema that is no good does not hide the others
	RETURN NEXT matches(test.run(session_user, 'SELECT string_agg(name, '' '') FROM recommender.recommenders'), '\mrecs\M', format('%s: the others are listed', kind));
	DROP SCHEMA fake CASCADE;
END $$;
SELECT test.lured(kind) FROM unnest('{view source,view item_source,view definition,view item,view neighbor,view context_lift,view refresh_run,policy source,policy item_source,policy definition,policy item,policy context_lift,policy refresh_run}'::text[]) kind;

/* ------------------------------------------------------------------------
 * The relation of items
 * ------------------------------------------------------------------------ */

SET LOCAL ROLE rec_alice;
CREATE TABLE shop.products (id int PRIMARY KEY, tenant name, brand text, price int, in_stock boolean, secret int);
INSERT INTO shop.products SELECT n, CASE n % 3 WHEN 0 THEN 'rec_north' ELSE 'rec_south' END, 'brand' || n % 4, n, n % 5 > 0, n FROM generate_series(0, 12) n;
SELECT recommender.set_items('recs', 'shop.products', available_column => 'in_stock');
RESET ROLE;
CREATE TABLE test.finding (query text);
INSERT INTO test.finding SELECT query FROM test.serving WHERE query !~ 'rank_items|score|neighbors|lifts';

SELECT is(test.run('rec_app', query), '42501 permission denied for table products', format('without rights on the items: %s', query)) FROM test.finding;
SELECT is(test.run('rec_app', query), test.run('rec_alice', query), format('which those that score need not: %s', query))
FROM test.serving WHERE query ~ 'score';
SELECT doesnt_match(test.run('rec_app', query), '^42', format('nor those that rank: %s', query)) FROM test.serving WHERE query ~ 'rank_items';
GRANT SELECT (id) ON shop.products TO rec_app;
SELECT is(test.run('rec_app', query), '42501 permission denied for table products', format('with the ids alone: %s', query)) FROM test.finding;
GRANT SELECT (in_stock) ON shop.products TO rec_app;
SELECT is(test.run('rec_app', query), test.run('rec_alice', query), format('with what every answer looks at: %s', query)) FROM test.finding;
SELECT doesnt_match(test.run('rec_app', query), '^42', format('something was said of the items: %s', query)) FROM test.finding;
-- what a filter or a cap asks for must be allowed, too, before and after somebody else has asked
CREATE TABLE test.asking (query text, columns text);
INSERT INTO test.asking VALUES
	('SELECT count(*) FROM recs.popular_items(100, ''{"brand": "brand1"}'')', 'brand'),
	('SELECT count(*) FROM recs.recommend(1, 3, ''{"not": {"brand": {"prefix": "x"}}}'')', 'brand'),
	('SELECT count(*) FROM recs.recommend(1, 3, ''{"or": [{"brand": "brand1"}, {"price": {"lt": 9}}]}'')', 'brand, price'),
	('SELECT count(*) FROM recs.recommend_all(3, ''{"price": [1, 2, 3]}'')', 'price'),
	('SELECT count(*) FROM recs.similar_items(1, 3, options => ''{"max_per": {"brand": 1}}'')', 'brand');
SELECT is(test.run('rec_app', query), '42501 permission denied for table products', format('not allowed: %s', query)) FROM test.asking;
SELECT isnt(test.run('rec_alice', query), '42501 permission denied for table products', format('allowed to others: %s', query)) FROM test.asking;
SELECT is(test.run('rec_app', query), '42501 permission denied for table products', format('still not allowed: %s', query)) FROM test.asking;
GRANT SELECT (brand, price) ON shop.products TO rec_app;
SELECT is(test.run('rec_app', query), test.run('rec_alice', query), format('allowed now: %s', query)) FROM test.asking;
SELECT is(test.run('rec_app', 'SELECT count(*) FROM recs.popular_items(100, ''{"secret": 3}'')'), '42501 permission denied for table products', 'but for the secret');

-- policies on the items: who may not see a row is not shown the item
GRANT SELECT (id, in_stock, brand) ON shop.products TO rec_north, rec_south;
ALTER TABLE shop.products ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON shop.products USING (tenant = current_user);
CREATE FUNCTION test.seen_by(role name, call text) RETURNS text LANGUAGE sql AS $$
	SELECT test.run(role, format('SELECT array_agg(item_id ORDER BY item_id)::text FROM recs.%s', call)) $$;
SELECT is(test.seen_by(role, call), (SELECT array_agg(id ORDER BY id)::text FROM shop.products WHERE tenant = role AND in_stock AND (call !~ 'brand' OR brand = 'brand3')),
		  format('%s: %s, %s', role, call, round))
FROM generate_series(1, 2) round, unnest('{popular_items(100),"recommend(1, 100)","popular_items(100, ''{\"brand\": \"brand3\"}'')","recommend_basket(''{}'', 100, ''{\"brand\": \"brand3\"}'')"}'::text[]) call,
	unnest('{rec_north,rec_south}'::name[]) role;
SELECT is(test.seen_by('rec_app', 'popular_items(100)'), NULL, 'whom no policy lets see an item, is shown none');
SELECT is(test.run('rec_alice', 'SELECT count(*) FROM recs.popular_items(100)'), (SELECT count(*)::text FROM shop.products WHERE in_stock), 'the owner of the items sees all');
SET LOCAL row_security = off;
SELECT matches(test.run('rec_north', 'SELECT count(*) FROM recs.popular_items(1)'), '^42501 query would be affected by row-level security', 'row_security off is an error here, too');
RESET row_security;
-- a policy hides more than rows: no error tells of what is in them
SELECT is(test.run('rec_north', 'SELECT count(*) FROM recs.popular_items(100, ''{"brand": {"gt": "brand9"}}'')'), '0', 'and a filter is asked of the rows that are left');
ALTER TABLE shop.products DISABLE ROW LEVEL SECURITY;

/* ------------------------------------------------------------------------
 * Nobody gets more rights by a function of ours
 * ------------------------------------------------------------------------ */

SELECT is_empty('SELECT oid::regprocedure FROM pg_proc WHERE prosecdef AND pronamespace IN (''recommender''::regnamespace, ''recs''::regnamespace)',
				'no function is SECURITY DEFINER');
SELECT is_empty('SELECT oid::regclass FROM pg_class WHERE relnamespace IN (''recommender''::regnamespace, ''recs''::regnamespace) AND relkind = ''v''
				AND has_table_privilege(''rec_mallory'', oid, ''INSERT, UPDATE, DELETE, TRUNCATE'')', 'no view can be written to');
SELECT is_empty('SELECT oid::regclass FROM pg_class WHERE relnamespace = ''recs''::regnamespace AND relkind IN (''r'', ''v'')
				AND has_table_privilege(''public'', oid, ''SELECT, INSERT, UPDATE, DELETE, TRUNCATE'')', 'a new recommender is private');
SELECT ok(has_schema_privilege('rec_mallory', 'recommender', 'USAGE'), 'everyone may use the extension');
SELECT ok(NOT has_schema_privilege('rec_mallory', 'recommender', 'CREATE'), 'and not add to it');
-- the C functions say what a recommender is by a row type: that gives no rights
REVOKE ALL ON SCHEMA recs, shop FROM rec_mallory;
REVOKE ALL ON ALL TABLES IN SCHEMA recs FROM rec_mallory;
CREATE VIEW test.model AS SELECT NULL::recs.recommendation AS r;
GRANT SELECT ON test.model TO rec_mallory;
SELECT matches(test.run('rec_mallory', 'SELECT recommender_internal.score(r, 1, 2, NULL, NULL) FROM test.model'), '^42501', 'the model of others by its row type');
SELECT matches(test.run('rec_mallory', 'SELECT f FROM test.model, recommender_internal.recommend(r, 1, 3, NULL, NULL::int[], NULL, NULL) f'), '^42501', 'their recommendations by its row type');

SELECT * FROM finish();
ROLLBACK;
