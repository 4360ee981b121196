/*
 * test/pgtap/privileges_owner.sql
 *	  Nobody's code runs with the rights of a superuser who calls a function.
 *
 * rec_mallory owns a recommender and all that it is made of: views with
 * functions, triggers, CHECK constraints, defaults, policies, operators, casts,
 * a domain, a collation.  Each of them runs lair.trap(), which counts when it
 * runs, and when it does so as somebody else.  A superuser calls every function
 * of schema recommender that takes a recommender, and every function of the
 * recommender's schema.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = error;

SELECT plan(947);

CREATE ROLE rec_mallory;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO rec_mallory', current_database()); END $$;
CREATE SCHEMA test;
GRANT USAGE ON SCHEMA test TO PUBLIC;
CREATE SEQUENCE test.sprung;	-- sequences also count what is rolled back
CREATE SEQUENCE test.misused;
GRANT USAGE ON SEQUENCE test.sprung, test.misused TO PUBLIC;

/* ------------------------------------------------------------------------
 * The lair
 * ------------------------------------------------------------------------ */

SET LOCAL ROLE rec_mallory;
CREATE SCHEMA lair;
GRANT USAGE ON SCHEMA lair TO PUBLIC;
CREATE FUNCTION lair.trap() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM nextval('test.sprung');
	IF current_user <> 'rec_mallory' THEN
		PERFORM nextval('test.misused');
	END IF;
	RETURN true;
END $$;
CREATE FUNCTION lair.trap_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.trap(); RETURN coalesce(NEW, OLD); END $$;
-- an operator that stands before PostgreSQL's in the caller's search_path
CREATE FUNCTION lair.equal(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.trap(); RETURN $1 OPERATOR(pg_catalog.=) $2; END $$;
CREATE OPERATOR lair.= (LEFTARG = int, RIGHTARG = int, FUNCTION = lair.equal);
CREATE FUNCTION lair.max(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.trap(); RETURN $1; END $$;
CREATE FUNCTION lair.coalesce(int, int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.trap(); RETURN $1; END $$;
-- a type with a cast, a domain with a check, a collation
CREATE TYPE lair.kind AS ENUM ('view', 'purchase');
CREATE FUNCTION lair.kind_text(lair.kind) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.trap(); RETURN pg_catalog.enum_out($1); END $$;
CREATE CAST (lair.kind AS text) WITH FUNCTION lair.kind_text(lair.kind) AS ASSIGNMENT;
CREATE DOMAIN lair.number AS int CHECK (lair.trap());
CREATE COLLATION lair.plain (provider = libc, locale = 'C');
-- rows of interactions and of items
CREATE TABLE lair.event (user_id int, item_id int, kind lair.kind, at timestamptz, device text COLLATE lair.plain, amount float8, CHECK (lair.trap()));
INSERT INTO lair.event SELECT n % 20, n * n % 17, CASE WHEN n % 3 = 0 THEN 'purchase' ELSE 'view' END::lair.kind, now() - n % 40 * interval '1 day', 'd' || n % 3, 1 FROM generate_series(1, 400) n;
CREATE INDEX ON lair.event (user_id, at);
CREATE VIEW lair.events AS SELECT user_id::lair.number AS user_id, item_id, kind, at, device, amount FROM lair.event WHERE lair.trap();
CREATE TABLE lair.product (id int PRIMARY KEY, title text, brand text, price int, ready boolean, created timestamptz, grp int);
INSERT INTO lair.product SELECT n, 'thing number ' || n % 4, 'b' || n % 3, n, true, now() - n * interval '1 h', n FROM generate_series(0, 19) n;
ALTER TABLE lair.product ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON lair.product USING (lair.trap());
CREATE VIEW lair.products AS SELECT id, title, brand, price, ready AND lair.trap() AS ready, created, grp FROM lair.product WHERE lair.trap();
SELECT recommender.create_recommender('lures', 'lair.events', time_column => 'at', event_column => 'kind', weight_column => 'amount',
	event_weights => '{"view": 1, "purchase": 3}', context_columns => '{device}', options => '{"min_support": 1, "model": "als", "als_factors": 4, "exclude_seen": false}');
SELECT recommender.set_items('lures', 'lair.products', feature_columns => '{brand,price}', text_columns => '{title}', available_column => 'ready', created_column => 'created');
SELECT count(*) FROM recommender.refresh('lures');
INSERT INTO lair.product VALUES (99, 'thing number 1', 'b1', 1, true, now(), 99);	-- an item that no model knows
-- the recommender's own tables
DO $$
DECLARE t name;
BEGIN
	FOR t IN SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = 'lures' LOOP
		EXECUTE format('CREATE TRIGGER r BEFORE INSERT OR UPDATE OR DELETE ON lures.%I FOR EACH ROW EXECUTE FUNCTION lair.trap_trigger()', t);
		EXECUTE format('CREATE TRIGGER s AFTER INSERT OR UPDATE OR DELETE ON lures.%I FOR EACH STATEMENT EXECUTE FUNCTION lair.trap_trigger()', t);
		EXECUTE format('ALTER TABLE lures.%I ADD CHECK (lair.trap())', t);
	END LOOP;
END $$;
CREATE FUNCTION lair.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.trap(); RETURN pg_catalog.now(); END $$;
ALTER TABLE lures.trial ALTER tried_at SET DEFAULT lair.now();
GRANT USAGE ON SCHEMA lures TO PUBLIC;
RESET ROLE;

/* ------------------------------------------------------------------------
 * What a superuser calls
 * ------------------------------------------------------------------------ */

-- whether a call springs a trap; those that read neither sources nor items, and write nothing, do not
CREATE TABLE test.call (function text, sprung boolean, query text);
INSERT INTO test.call VALUES
	('refresh', true, $$SELECT count(*) FROM recommender.refresh('lures')$$),
	('check_recommender', true, $$SELECT count(*) FROM recommender.check_recommender('lures')$$),
	('evaluate', true, $$SELECT count(*) FROM recommender.evaluate('lures', store => true)$$),
	('evaluate', true, $$SELECT count(*) FROM recommender.evaluate('lures', store => false, context => true, filter => '{"brand": "b1"}', segment_columns => '{device,brand}')$$),
	('evaluate', true, $$SELECT count(*) FROM recommender.evaluate('lures', options => '{"event_weights": {"lair.events": {"view": 2}}}', segments => 'SELECT 1, ''one''')$$),
	('compare_options', true, $$SELECT count(*) FROM recommender.compare_options('lures', '{}', '{"kappa": 3}')$$),
	('tune', true, $$SELECT count(*) FROM recommender.tune('lures', trials => 2, refinements => 0, apply => true)$$),
	('set_options', true, $$SELECT recommender.set_options('lures', '{"kappa": 2, "event_weights": {"lair.events": {"view": 2}}}')$$),
	('add_interactions', true, $$SELECT recommender.add_interactions('lures', 'lair.event', time_column => 'at', event_column => 'kind', context_columns => '{device}')$$),
	('remove_interactions', true, $$SELECT recommender.remove_interactions('lures', 'lair.event')$$),
	('remove_items', true, $$SELECT recommender.remove_items('lures')$$),
	('set_items', true, $$SELECT recommender.set_items('lures', 'lair.products', feature_columns => '{brand,price}', text_columns => '{title}', available_column => 'ready', created_column => 'created')$$),
	('create_events_view', false, $$SELECT recommender.create_events_view('lures')$$),
	('recommender_list', false, $$SELECT count(*) FROM recommender.recommenders$$),
	('refresh_run_list', false, $$SELECT count(*) FROM recommender.refresh_runs$$),
	('evaluation_list', false, $$SELECT count(*) FROM recommender.evaluations$$),
	('recommend', true, $$SELECT count(*) FROM recommender_internal.recommend(NULL::lures.recommendation, 1, 5, '{"brand": ["b1", "b2"]}', NULL::int[], '{"device": "d1"}', '{"diversity": 0.5, "language": "en"}')$$),
	('recommend_components', true, $$SELECT count(*) FROM recommender_internal.recommend_components(NULL::lures.recommendation_components, 1, 5, NULL, NULL::int[], NULL, NULL)$$),
	('recommend_session', true, $$SELECT count(*) FROM recommender_internal.recommend_session(NULL::lures.recommendation, '{1,99}'::int[], 5, NULL, NULL::int[], NULL, NULL)$$),
	('recommend_basket', true, $$SELECT count(*) FROM recommender_internal.recommend_basket(NULL::lures.recommendation, '{1,2}'::int[], 5, NULL, NULL::int[], NULL, '{"max_per": {"brand": 1}}')$$),
	('similar_items', true, $$SELECT count(*) FROM recommender_internal.similar_items(NULL::lures.recommendation, 99, 5, NULL, NULL::int[], NULL)$$),
	('popular_items', true, $$SELECT count(*) FROM recommender_internal.popular_items(NULL::lures.recommendation, 5, NULL, NULL::int[], NULL)$$),
	('trending_items', true, $$SELECT count(*) FROM recommender_internal.trending_items(NULL::lures.recommendation, 5, NULL, NULL::int[], NULL)$$),
	('rank_items', true, $$SELECT count(*) FROM recommender_internal.rank_items(NULL::lures.recommendation, 1, '{1,2,99}'::int[], NULL, NULL)$$),
	('score', true, $$SELECT sum(recommender_internal.score(NULL::lures.recommendation, 1, n % 100, NULL, NULL)) FROM generate_series(1, 200) n$$),
	('explain', true, $$SELECT count(*) FROM recommender_internal.explain(NULL::lures.explanation, 1, 99, NULL, NULL)$$),
	('recommend_all', true, $$SELECT count(*) FROM recommender_internal.recommend_all(NULL::lures.user_recommendation, 3, NULL, NULL::int[], NULL, NULL)$$),
	-- what create_recommender() made of them
	('lures.recommend', true, $$SELECT count(*) FROM lures.recommend(1)$$),
	('lures.recommend_components', true, $$SELECT count(*) FROM lures.recommend_components(1)$$),
	('lures.recommend_session', true, $$SELECT count(*) FROM lures.recommend_session('{1,2}')$$),
	('lures.recommend_basket', true, $$SELECT count(*) FROM lures.recommend_basket('{1,2}')$$),
	('lures.similar_items', true, $$SELECT count(*) FROM lures.similar_items(1)$$),
	('lures.popular_items', true, $$SELECT count(*) FROM lures.popular_items()$$),
	('lures.trending_items', true, $$SELECT count(*) FROM lures.trending_items()$$),
	('lures.rank_items', true, $$SELECT count(*) FROM lures.rank_items(1, '{1,2}')$$),
	('lures.score', true, $$SELECT lures.score(1, 1)$$),
	('lures.explain', true, $$SELECT count(*) FROM lures.explain(1, 1)$$),
	('lures.recommend_all', true, $$SELECT count(*) FROM lures.recommend_all()$$);

-- Runs a call with a cold cache; what it answered, or its error.
CREATE FUNCTION test.run(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	PERFORM setval('test.sprung', 1, false), setval('test.misused', 1, false);
	SET LOCAL search_path = lair, pg_catalog, public;
	EXECUTE query INTO answer;
	RESET search_path;
	RETURN CASE WHEN answer IS NULL THEN 'null' ELSE 'answered' END;
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate || ' ' || sqlerrm;
END $$;
CREATE FUNCTION test.check_calls(what text, expected text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	call test.call;
	answer text;
BEGIN
	FOR call IN SELECT * FROM test.call LOOP
		answer := test.run(call.query);
		IF expected IS NOT NULL THEN
			RETURN NEXT is(answer, expected, format('%s: %s', what, call.query));
			RETURN NEXT is((SELECT is_called FROM test.sprung), call.sprung, format('%s: a trap is sprung by %s', what, call.function));
		END IF;
		RETURN NEXT ok((SELECT NOT is_called FROM test.misused), format('%s: %s runs nothing with the superuser''s rights: %s', what, call.function, call.query));
	END LOOP;
END $$;
SELECT test.check_calls('as it is', 'answered');

-- every function that takes a recommender, or a row of one, is in the list
SELECT is_empty($$SELECT DISTINCT p.proname FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'recommender'
	WHERE (p.proargnames[1] IN ('recommender', 'model') OR p.proname LIKE '%\_list')
	AND p.proname NOT IN (SELECT function FROM test.call) AND p.proname NOT IN ('create_recommender', 'drop_recommender')
	AND p.provolatile <> 'i'$$, 'all functions about a recommender are called');
-- (but funnel, which reads the view of events with the rights of its caller, as any query of the view does)
SELECT is_empty($$SELECT 'lures.' || proname FROM pg_proc WHERE pronamespace = 'lures'::regnamespace AND proname <> 'funnel'
	EXCEPT SELECT function FROM test.call$$, 'and all of its schema');

/* ------------------------------------------------------------------------
 * doc/security.md
 * ------------------------------------------------------------------------ */

\set page `cat doc/security.md`
CREATE TABLE test.listed AS
SELECT m[1] AS function, count(*) AS n
FROM regexp_split_to_table(substr(:'page', strpos(:'page', '## Every function')), E'\n') line,
	regexp_matches(split_part(line, '|', 2), '`([a-z_]+)`', 'g') m
WHERE line LIKE '| `%'
GROUP BY 1;
SELECT is_empty('SELECT function FROM test.listed WHERE n > 1', 'the page about security has each function once');
SELECT set_eq($$SELECT function FROM test.listed$$, $$SELECT DISTINCT p.proname::text FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'recommender' WHERE p.provolatile <> 'i'$$, 'all that are not IMMUTABLE, and no others');
SELECT is_empty($$SELECT proname FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'recommender' WHERE p.prosecdef$$, 'there is no SECURITY DEFINER function');

-- a table of the recommender with something that a SELECT would run
CREATE FUNCTION test.check_damage(command text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		SET LOCAL ROLE rec_mallory;
		EXECUTE command;
		RESET ROLE;
		RETURN QUERY SELECT * FROM test.check_calls(command, NULL);
		RAISE 'undo' USING ERRCODE = 'UNDO0';
	EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL;
	END;
END $$;
SELECT test.check_damage(format(command, t)) FROM unnest('{definition,source,item_source,item,neighbor,evaluation,trial}'::text[]) t,
	unnest(ARRAY['ALTER TABLE lures.%1$s ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON lures.%1$s USING (lair.trap())',
		'CREATE RULE r AS ON INSERT TO lures.%1$s DO ALSO SELECT lair.trap()',
		'CREATE FUNCTION lair.constant() RETURNS int LANGUAGE plpgsql IMMUTABLE AS ''BEGIN PERFORM lair.trap(); RETURN 1; END''; CREATE INDEX ON lures.%1$s (lair.constant())']) command;

/* ------------------------------------------------------------------------
 * A recommender of mallory's in a schema of the superuser's
 * ------------------------------------------------------------------------ */

CREATE SCHEMA sandbox;
GRANT USAGE, CREATE ON SCHEMA sandbox TO rec_mallory;
SET LOCAL ROLE rec_mallory;
DO $$
DECLARE t text;
BEGIN
	FOR t IN SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = 'lures'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('CREATE TABLE sandbox.%1$I (LIKE lures.%1$I INCLUDING DEFAULTS INCLUDING INDEXES)', t);
		EXECUTE format('INSERT INTO sandbox.%1$I TABLE lures.%1$I', t);
		EXECUTE format('GRANT SELECT ON sandbox.%1$I TO PUBLIC', t);
	END LOOP;
END $$;
CREATE TYPE sandbox.recommendation AS (rank int, item_id int, score float8, strategy text, reasons jsonb);
CREATE TYPE sandbox.user_recommendation AS (user_id int, rank int, item_id int, score float8, strategy text);
RESET ROLE;
DELETE FROM test.call WHERE function LIKE 'lures.%' OR function IN ('recommend_components', 'explain');
UPDATE test.call SET query = replace(query, 'lures', 'sandbox');
SELECT test.check_calls('in the superuser''s schema', NULL);
SELECT is((SELECT string_agg(name, ' ') FROM recommender.recommenders), 'lures', 'it is no recommender');
SELECT throws_ok($$SELECT recommender.refresh('sandbox')$$, '42501', 'recommender "sandbox" has more than one owner', 'and a call says why');

/* ------------------------------------------------------------------------
 * A recommender whose definition has no row
 * ------------------------------------------------------------------------ */

CREATE TABLE test.orders AS SELECT n % 5 AS user_id, n % 7 AS item_id FROM generate_series(1, 70) n;
SELECT recommender.create_recommender('good', 'test.orders');
SELECT count(*) FROM recommender.refresh('good');
ALTER TABLE lures.definition DISABLE TRIGGER ALL;
DELETE FROM lures.definition;
ALTER TABLE lures.definition ENABLE TRIGGER ALL;
SELECT is((SELECT string_agg(DISTINCT recommender, ' ') FROM recommender.refresh_runs), 'good', 'refresh_runs goes on without a recommender that has no definition');
SELECT lives_ok('SELECT count(*) FROM recommender.evaluations', 'so does evaluations');
SELECT is((SELECT string_agg(name, ' ') FROM recommender.recommenders), 'good', 'and recommenders');

SELECT * FROM finish();
ROLLBACK;
