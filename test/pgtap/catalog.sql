/*
 * test/pgtap/catalog.sql
 *	  The extension and a recommender in the system catalogs: signatures, labels,
 *	  comments, membership, and independence of search_path.  Leaves nothing
 *	  behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;

SELECT plan(103);

-- A recommender whose users and items have different types.
CREATE SCHEMA shop;
CREATE TABLE shop.orders (customer bigint, product text COLLATE "C");
SELECT recommender.create_recommender('recs', 'shop.orders', 'customer', 'product');

-- All objects of the extension and of a recommender.
CREATE VIEW shop.object AS
SELECT pronamespace::regnamespace::text AS schema, 'function' AS kind, oid::regprocedure::text AS name, 'pg_proc'::regclass AS classid, oid FROM pg_proc
UNION ALL SELECT relnamespace::regnamespace::text, CASE relkind WHEN 'c' THEN 'row type' WHEN 'v' THEN 'view' WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence' ELSE 'other' END,
	oid::regclass::text, 'pg_class'::regclass, oid FROM pg_class WHERE relkind NOT IN ('i', 'I', 't', 'c')
UNION ALL SELECT typnamespace::regnamespace::text, 'type', oid::regtype::text, 'pg_type'::regclass, oid FROM pg_type t
	WHERE typelem = 0 AND (typrelid = 0 OR (SELECT relkind = 'c' FROM pg_class c WHERE c.oid = typrelid));

/* ------------------------------------------------------------------------
 * Comments
 * ------------------------------------------------------------------------ */

SELECT is_empty($$SELECT kind, name FROM shop.object WHERE schema IN ('recommender', 'recommender_internal', 'recs') AND coalesce(obj_description(oid, classid::text), '') = ''$$,
				'every object has a comment');
SELECT is_empty($$SELECT schema, kind, name FROM shop.object WHERE schema IN ('recommender', 'recommender_internal', 'recs')
				AND (obj_description(oid, classid::text) LIKE 'internal: %') <> (schema = 'recommender_internal')$$,
				'comments of internal functions begin so, and no others');
SELECT matches(obj_description('recommender_internal'::regnamespace, 'pg_namespace'), '^internal: ', 'comment on schema recommender_internal');

/* ------------------------------------------------------------------------
 * Members of the extension
 * ------------------------------------------------------------------------ */

SELECT is_empty($$SELECT name FROM shop.object o WHERE schema IN ('recommender', 'recommender_internal')
				AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.oid AND d.deptype = 'e'
								AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'recommender'))$$,
				'all in its schemas is the extension''s');
SELECT is_empty($$SELECT name FROM shop.object o JOIN pg_depend d ON d.classid = o.classid AND d.objid = o.oid AND d.deptype = 'e'
				WHERE schema NOT IN ('recommender', 'recommender_internal') AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'recommender')$$,
				'the extension has nothing outside its schemas');
SELECT results_eq($$SELECT (pg_identify_object(classid, objid, 0)).identity FROM pg_depend WHERE deptype = 'e' AND classid NOT IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_type'::regclass)
				AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'recommender')$$,
				$$VALUES ('recommender_internal')$$, 'functions, views, types and the internal schema are all there is');
SELECT is_empty($$SELECT name FROM shop.object WHERE schema LIKE 'recommender%' AND kind IN ('table', 'sequence', 'other')$$, 'there is no table that is shared');
SELECT is_empty($$SELECT o.name FROM shop.object o JOIN pg_depend d ON d.classid = o.classid AND d.objid = o.oid AND d.deptype = 'e' WHERE schema = 'recs'$$,
				'what a recommender is made of is nobody''s member');
SELECT is((SELECT extconfig FROM pg_extension WHERE extname = 'recommender'), NULL, 'so pg_dump needs no list of tables');
SELECT is((SELECT extrelocatable FROM pg_extension WHERE extname = 'recommender'), false, 'it lives in its own schema');

/* ------------------------------------------------------------------------
 * What is for users, and what is not
 * ------------------------------------------------------------------------ */

-- functions called by aggregates, by views and by functions of a recommender
CREATE VIEW shop.called AS
SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn, aggminvtransfn, aggmfinalfn])::oid AS oid
FROM pg_aggregate g JOIN pg_proc a ON a.oid = aggfnoid WHERE a.pronamespace = 'recommender'::regnamespace
UNION SELECT d.refobjid FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_proc'::regclass AND v.relnamespace = 'recommender'::regnamespace
UNION SELECT d.refobjid FROM pg_depend d JOIN pg_proc f ON f.oid = d.objid
WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_proc'::regclass AND f.pronamespace = 'recs'::regnamespace;
SELECT set_eq($$SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'recommender_internal'::regnamespace$$,
			  $$SELECT oid::regprocedure FROM shop.called JOIN pg_proc p USING (oid) WHERE pronamespace <> 'pg_catalog'::regnamespace$$,
			  'internal is what aggregates, views and the functions of a recommender call, and nothing else');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p WHERE pronamespace = 'recommender'::regnamespace
				AND ('internal'::regtype = ANY (proargtypes) OR prorettype IN ('internal'::regtype, 'anyelement'::regtype))$$, 'no function of users takes or returns an internal type');
SELECT ok(has_schema_privilege('public', nspname, 'USAGE') AND NOT has_schema_privilege('public', nspname, 'CREATE'), format('everyone may use %s', nspname))
FROM pg_namespace WHERE nspname LIKE 'recommender%' ORDER BY nspname;

/* ------------------------------------------------------------------------
 * Signatures
 * ------------------------------------------------------------------------ */

-- name, arguments with their defaults, result
CREATE TABLE shop.signature (schema text, name text, arguments text, result text);
INSERT INTO shop.signature VALUES
('recommender', 'create_recommender', 'recommender text, interactions regclass, user_column name DEFAULT ''user_id''::name, item_column name DEFAULT ''item_id''::name, time_column name DEFAULT NULL::name, event_column name DEFAULT NULL::name, weight_column name DEFAULT NULL::name, event_weights jsonb DEFAULT NULL::jsonb, context_columns name[] DEFAULT ''{}''::name[], options jsonb DEFAULT ''{}''::jsonb, replace boolean DEFAULT false', 'text'),
('recommender', 'add_interactions', 'recommender text, interactions regclass, user_column name DEFAULT ''user_id''::name, item_column name DEFAULT ''item_id''::name, time_column name DEFAULT NULL::name, event_column name DEFAULT NULL::name, weight_column name DEFAULT NULL::name, event text DEFAULT NULL::text, event_weights jsonb DEFAULT NULL::jsonb, context_columns name[] DEFAULT ''{}''::name[]', 'text'),
('recommender', 'set_items', 'recommender text, items regclass, item_column name DEFAULT ''id''::name, feature_columns name[] DEFAULT ''{}''::name[], text_columns name[] DEFAULT ''{}''::name[], available_column name DEFAULT NULL::name, created_column name DEFAULT NULL::name, group_column name DEFAULT NULL::name, options jsonb DEFAULT ''{}''::jsonb', 'text'),
('recommender', 'remove_items', 'recommender text', 'boolean'),
('recommender', 'set_options', 'recommender text, options jsonb', 'jsonb'),
('recommender', 'drop_recommender', 'recommender text, cascade boolean DEFAULT false', 'boolean'),
('recommender', 'check_recommender', 'recommender text, OUT severity text, OUT code text, OUT message text, OUT hint text', 'SETOF record'),
('recommender', 'refresh', 'recommender text, mode text DEFAULT ''auto''::text, "verbose" boolean DEFAULT false', 'recommender.refresh_result'),
('recommender', 'refresh_all', 'IN max_age interval DEFAULT NULL::interval', NULL),
('recommender', 'item_similarities', 'query text, options jsonb DEFAULT ''{}''::jsonb', 'SETOF recommender.item_similarity'),
('recommender', 'item_similarity_agg', 'user_id anyelement, item_id anycompatible', 'recommender.item_similarity[]'),
('recommender', 'item_similarity_agg', 'user_id anyelement, item_id anycompatible, weight double precision', 'recommender.item_similarity[]'),
('recommender', 'item_similarity_agg', 'user_id anyelement, item_id anycompatible, weight double precision, options jsonb', 'recommender.item_similarity[]'),
('recs', 'recommend', 'user_id bigint, k bigint DEFAULT 10, filter jsonb DEFAULT NULL::jsonb, exclude text[] DEFAULT NULL::text[], context jsonb DEFAULT NULL::jsonb, options jsonb DEFAULT NULL::jsonb', 'SETOF recs.recommendation'),
('recs', 'recommend_session', 'items text[], k bigint DEFAULT 10, filter jsonb DEFAULT NULL::jsonb, exclude text[] DEFAULT NULL::text[], context jsonb DEFAULT NULL::jsonb, options jsonb DEFAULT NULL::jsonb', 'SETOF recs.recommendation'),
('recs', 'recommend_basket', 'items text[], k bigint DEFAULT 10, filter jsonb DEFAULT NULL::jsonb, exclude text[] DEFAULT NULL::text[], context jsonb DEFAULT NULL::jsonb, options jsonb DEFAULT NULL::jsonb', 'SETOF recs.recommendation'),
('recs', 'similar_items', 'item_id text, k bigint DEFAULT 10, filter jsonb DEFAULT NULL::jsonb, exclude text[] DEFAULT NULL::text[], options jsonb DEFAULT NULL::jsonb', 'SETOF recs.recommendation'),
('recs', 'popular_items', 'k bigint DEFAULT 10, filter jsonb DEFAULT NULL::jsonb, exclude text[] DEFAULT NULL::text[], options jsonb DEFAULT NULL::jsonb', 'SETOF recs.recommendation'),
('recs', 'trending_items', 'k bigint DEFAULT 10, filter jsonb DEFAULT NULL::jsonb, exclude text[] DEFAULT NULL::text[], options jsonb DEFAULT NULL::jsonb', 'SETOF recs.recommendation'),
('recs', 'rank_items', 'user_id bigint, items text[], context jsonb DEFAULT NULL::jsonb, options jsonb DEFAULT NULL::jsonb', 'SETOF recs.recommendation'),
('recs', 'score', 'user_id bigint, item_id text, context jsonb DEFAULT NULL::jsonb, options jsonb DEFAULT NULL::jsonb', 'double precision'),
('recs', 'recommend_all', 'k bigint DEFAULT 10, filter jsonb DEFAULT NULL::jsonb, exclude text[] DEFAULT NULL::text[], context jsonb DEFAULT NULL::jsonb, options jsonb DEFAULT NULL::jsonb', 'SETOF recs.user_recommendation');
SELECT is((SELECT array_agg(pg_get_function_result(p.oid)) FROM pg_proc p
		   WHERE pronamespace = schema::regnamespace AND proname = name AND pg_get_function_arguments(p.oid) = arguments),
		  ARRAY[result], format('%s.%s(%s)', schema, name, arguments)) FROM shop.signature;

-- row types and the columns of views
SELECT is((SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute
		   WHERE attrelid = relation::regclass AND attnum > 0 AND NOT attisdropped), columns, format('columns of %s', relation))
FROM (VALUES
	('recommender.item_similarity', 'item_id text, similar_item_id text, similarity double precision, support bigint'),
	('recommender.refresh_result', 'recommender text, generation bigint, mode text, interactions bigint, users bigint, items bigint, neighbors bigint, null_keys bigint, without_weight bigint, read_ms double precision, build_ms double precision, write_ms double precision, memory_bytes bigint, model_bytes bigint'),
	('recommender.recommenders', 'name text, owner regrole, sources regclass[], options jsonb, generation bigint, refreshed_at timestamp with time zone, items bigint, live text, as_of_refresh text'),
	('recommender.refresh_runs', 'recommender text, generation bigint, mode text, started_at timestamp with time zone, finished_at timestamp with time zone, interactions bigint, users bigint, items bigint, neighbors bigint, null_keys bigint, without_weight bigint, read_ms double precision, build_ms double precision, write_ms double precision, memory_bytes bigint, model_bytes bigint, options jsonb'),
	('recommender.refresh_progress', 'pid integer, datname name, usename name, recommender text, phase text, percent integer, started_at timestamp with time zone'),
	('recs.recommendation', 'rank integer, item_id text, score double precision, strategy text, reasons jsonb'),
	('recs.user_recommendation', 'user_id bigint, rank integer, item_id text, score double precision, strategy text'),
	('recs.neighbors', 'item_id text, kind text, rank bigint, neighbor_id text, similarity real, support integer'),
	('recs.context_lifts', 'column_name name, value text, item_id text, lift real')) v (relation, columns);
SELECT is((SELECT string_agg(DISTINCT collname, ' ') FROM pg_attribute a JOIN pg_collation c ON c.oid = attcollation
		   WHERE attname = 'item_id' AND attrelid IN ('recs.item'::regclass, 'recs.neighbor'::regclass, 'recs.recommendation'::regclass, 'recs.user_recommendation'::regclass)),
		  'C', 'ids keep their collation');
SELECT ok(has_table_privilege('public', oid, 'SELECT'), format('everyone may look at %s', name)) FROM shop.object WHERE schema = 'recommender' AND kind = 'view';

/* ------------------------------------------------------------------------
 * Labels
 * ------------------------------------------------------------------------ */

-- volatility, parallel safety, called with nulls
CREATE VIEW shop.label AS
SELECT pronamespace::regnamespace::text AS schema, proname::text AS name, oid,
	   concat_ws(' ', CASE provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
				 CASE proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END, CASE WHEN proisstrict THEN 'strict' END) AS label,
	   prokind, prolang, procost, prorows, proretset, prosecdef, proconfig, prosqlbody, prosrc, pronargs
FROM pg_proc WHERE pronamespace IN ('recommender'::regnamespace, 'recommender_internal'::regnamespace, 'recs'::regnamespace);
SELECT is((SELECT string_agg(DISTINCT l.label, ', ') FROM shop.label l WHERE schema IN ('recommender', 'recommender_internal') AND l.name = v.name), v.label, format('label of %s', v.name))
FROM (VALUES
	('create_recommender', 'volatile unsafe'), ('add_interactions', 'volatile unsafe'), ('set_items', 'volatile unsafe'), ('remove_items', 'volatile unsafe'), ('create_events_view', 'volatile unsafe'), ('set_options', 'volatile unsafe'), ('drop_recommender', 'volatile unsafe'),
	('refresh', 'volatile unsafe'), ('refresh_all', 'volatile unsafe'), ('check_recommender', 'stable unsafe'),
	('recommender_list', 'stable unsafe'), ('refresh_run_list', 'stable unsafe'),
	('recommend', 'stable safe'), ('recommend_session', 'stable safe'), ('recommend_basket', 'stable safe'), ('similar_items', 'stable safe'),
	('popular_items', 'stable safe'), ('trending_items', 'stable safe'), ('rank_items', 'stable safe'), ('score', 'stable safe'), ('recommend_all', 'stable safe'),
	('item_similarity_agg', 'immutable safe'), ('item_similarity_transition', 'immutable safe'), ('item_similarity_combine', 'immutable safe'),
	('item_similarity_serialize', 'immutable safe strict'), ('item_similarity_deserialize', 'immutable safe strict'), ('item_similarity_final', 'immutable safe'),
	('item_similarities', 'volatile unsafe')) v (name, label);
-- all others: functions that are neither immutable nor serve do not run in parallel workers
SELECT is_empty($$SELECT oid::regprocedure, label FROM shop.label WHERE label LIKE '% restricted%'$$, 'nothing is restricted');
SELECT is_empty($$SELECT oid::regprocedure, label FROM shop.label WHERE label LIKE 'volatile safe%'$$, 'nothing that writes is parallel safe');
SELECT is_empty($$SELECT oid::regprocedure FROM shop.label WHERE prosecdef$$, 'nothing is SECURITY DEFINER');
SELECT is_empty($$SELECT oid::regprocedure, prorows FROM shop.label WHERE proretset AND prorows = 1000$$, 'every set-returning function says how many rows to expect');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_aggregate ON aggfnoid = p.oid WHERE pronamespace = 'recommender'::regnamespace AND proparallel = 's'
					AND aggtranstype = 'internal'::regtype AND 0::oid = ANY (ARRAY[aggserialfn::oid, aggdeserialfn::oid, aggcombinefn::oid])$$,
				'a parallel aggregate of internal state can be sent to workers');

/* ------------------------------------------------------------------------
 * The functions of a recommender
 * ------------------------------------------------------------------------ */

SELECT is_empty($$SELECT oid::regprocedure, label FROM shop.label WHERE schema = 'recs' AND label <> 'stable safe'$$, 'all are STABLE PARALLEL SAFE and take nulls');
SELECT is_empty($$SELECT name FROM shop.label WHERE schema = 'recs' GROUP BY name HAVING count(*) > 1$$, 'none is overloaded');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p WHERE pronamespace = 'recs'::regnamespace AND prorettype IN ('record'::regtype, 'void'::regtype, 'anyelement'::regtype)$$,
				'none returns record, void or a polymorphic type');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p WHERE pronamespace = 'recs'::regnamespace
				AND ('' = ANY (proargnames) OR cardinality(proargnames) IS DISTINCT FROM pronargs::int)$$, 'every argument has a name');
SELECT is_empty($$SELECT oid::regprocedure FROM shop.label WHERE prokind <> 'a' AND prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('sql', 'plpgsql'))
				AND prosqlbody IS NULL AND NOT coalesce(proconfig::text ~ 'search_path', false)$$,
				'no SQL is looked up by search_path: BEGIN ATOMIC, or SET search_path');
SELECT is_empty($$SELECT oid::regprocedure FROM shop.label WHERE schema = 'recs' AND prosqlbody IS NULL$$, 'a recommender''s are written with BEGIN ATOMIC');
SELECT set_eq($$SELECT name FROM shop.label WHERE schema = 'recs'$$, $$SELECT name FROM shop.label WHERE schema = 'recommender_internal' AND oid IN
				(SELECT oid FROM pg_proc WHERE proargnames[1] = 'model')$$, 'each calls one of the extension''s, and each of those has one');

-- they are inlined, so that the planner sees the functions that they call
CREATE FUNCTION shop.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
		plan := plan || E'\n' || line;
	END LOOP;
	RETURN plan;
END $$;
SELECT matches(shop.plan('SELECT item_id FROM recs.recommend(1, 3)'), 'Function Call: recommender_internal\.recommend\(', 'recommend() is inlined');
SELECT matches(shop.plan('SELECT r.item_id FROM shop.orders, recs.recommend_basket(ARRAY[product]) r'), 'Function Call: recommender_internal\.recommend_basket\(', 'so is recommend_basket() in a join');
SELECT matches(shop.plan('SELECT product FROM shop.orders ORDER BY recs.score(1, product)'), 'Sort Key: \(recommender_internal\.score\(', 'so is score()');

-- ids have their type or one with an implicit cast to it
SELECT lives_ok(query, query) FROM unnest(ARRAY['SELECT recs.score(1, ''x'') WHERE false', 'SELECT recs.score(1::smallint, ''x''::varchar) WHERE false',
	'SELECT * FROM recs.recommend(user_id => 1, k => 3, exclude => ''{a}'') WHERE false', 'SELECT * FROM recs.recommend_session(ARRAY[''a'', NULL]) WHERE false',
	'SELECT (r).item_id || ''x'' FROM recs.recommend(1) r WHERE false']) query;

/* ------------------------------------------------------------------------
 * The tables of a recommender
 * ------------------------------------------------------------------------ */

SELECT set_has($$SELECT relname::text FROM pg_class WHERE relnamespace = 'recs'::regnamespace AND relkind = 'r'$$,
			   $$VALUES ('definition'), ('source'), ('item_source'), ('item'), ('neighbor'), ('refresh_run')$$, 'tables');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'recs'::regnamespace AND relname IN ('definition', 'source', 'item_source', 'item', 'neighbor', 'refresh_run')
				AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisunique)$$, 'each has a key');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'recs'::regnamespace AND relpersistence <> 'p'$$, 'all are logged');
SELECT throws_ok('INSERT INTO recs.definition DEFAULT VALUES', '23505', NULL, 'a definition has one row');
SELECT throws_ok('INSERT INTO recs.definition (singleton) VALUES (false)', '23514', NULL, 'and no other');

SELECT * FROM finish();
ROLLBACK;
