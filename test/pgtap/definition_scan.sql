/*
 * test/pgtap/definition_scan.sql
 *	  Scans of the recommender's own tables by their indexes.
 *
 * Serving reads them without queries.  The scans must return what queries return:
 * the rows visible to the snapshot, in any storage format, with the privileges of
 * the caller, also in parallel workers.  Where a query would only be slow, without
 * an index, they raise an error that names the missing index.  Leaves nothing
 * behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;

SELECT plan(255);

CREATE SCHEMA test;

CREATE TABLE test.bought (user_id int, item_id text COLLATE "C", at timestamptz);
INSERT INTO test.bought
SELECT n % 40, 'P' || n * n % 59, '2024-01-01'::timestamptz + n * interval '1 hour' FROM generate_series(1, 900) n;
CREATE INDEX ON test.bought (user_id, at);
SELECT recommender.create_recommender('recs', 'test.bought', time_column => 'at', options => '{"min_support": 1, "exclude_seen": false, "blend": {"trend": 0.1}}');
SELECT recommender.refresh('recs');

-- All serving functions.
CREATE TABLE test.serving (query text);
INSERT INTO test.serving VALUES
	('SELECT string_agg(r::text, '' '') FROM generate_series(1, 20) u, recs.recommend(u, 5) r'),
	('SELECT string_agg(r::text, '' '') FROM recs.recommend_all(3) r'),
	('SELECT string_agg(r::text, '' '') FROM recs.rank_items(1, ''{P1,P2,P3,nothing}'') r'),
	('SELECT string_agg(recs.score(1, ''P'' || i)::text, '' '') FROM generate_series(1, 3) i'),
	('SELECT string_agg(recs.score(1, ''P'' || i)::text, '' '') FROM generate_series(1, 100) i'),
	('SELECT string_agg(r::text, '' '') FROM recs.recommend_session(''{P1,P2}'', 50) r'),
	('SELECT string_agg(r::text, '' '') FROM recs.recommend_basket(''{P1,P2}'', 5) r'),
	('SELECT string_agg(r::text, '' '') FROM generate_series(1, 20) i, recs.similar_items(''P'' || i, 4) r'),
	('SELECT string_agg(r::text, '' '') FROM recs.popular_items(30) r'),
	('SELECT string_agg(r::text, '' '') FROM recs.recommend(NULL, 30, options => ''{"blend": {"popularity": 0}}'') r'),
	('SELECT string_agg(r::text, '' '') FROM recs.recommend(NULL, 30, options => ''{"blend": {"trend": 1}}'') r'),
	('SELECT string_agg(r::text, '' '') FROM recs.explain(1, ''P1'') r');

-- Return a query's first value, or the SQLSTATE, message and hint of its error.
CREATE FUNCTION test.run(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; hint text;
BEGIN
	EXECUTE query INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN sqlstate || ' ' || sqlerrm || CASE WHEN hint <> '' THEN '; ' || hint ELSE '' END;
END $$;
CREATE TABLE test.answer AS SELECT query, test.run(query) AS answer FROM test.serving;
SELECT doesnt_match(answer, '^[0-9A-Z]{5} ', query) FROM test.answer;

-- Return the answers that differ from the first ones.
CREATE FUNCTION test.others() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT query || ': ' || left(test.run(query), 200) FROM test.answer WHERE test.run(query) IS DISTINCT FROM answer
$$;
SELECT is_empty('SELECT test.others()', 'the same question, the same answer');

/* ------------------------------------------------------------------------
 * How rows are stored makes no difference
 * ------------------------------------------------------------------------ */

-- arrays compressed, out of line, or in a row of their own width
ALTER TABLE recs.neighbor ALTER neighbors SET STORAGE EXTENDED, ALTER scores SET STORAGE EXTENDED, ALTER supports SET STORAGE EXTENDED;
UPDATE recs.neighbor SET neighbors = neighbors || '{}'::int[], scores = scores || '{}'::real[];
SELECT is_empty('SELECT test.others()', 'compressible arrays');
-- 5,000 neighbours: their numbers are compressed, their scores are out of line
CREATE TABLE test.neighbor AS TABLE recs.neighbor;
UPDATE recs.neighbor SET neighbors = neighbors || array_fill(29, '{5000}'),
	scores = scores || (SELECT array_agg(0::real ORDER BY n) FROM generate_series(1, 5000) n), supports = supports || array_fill(1, '{5000}');
SELECT ok((SELECT bool_and(pg_column_size(neighbors) < 1000) FROM recs.neighbor), 'long arrays are compressed now');
SELECT is_empty('SELECT test.others()', 'neighbours that count nothing, compressed');
ALTER TABLE recs.neighbor ALTER neighbors SET STORAGE EXTERNAL, ALTER scores SET STORAGE EXTERNAL;
UPDATE recs.neighbor SET neighbors = neighbors || '{}'::int[], scores = scores || '{}'::real[];
SELECT ok((SELECT pg_relation_size(reltoastrelid) > 100000 FROM pg_class WHERE oid = 'recs.neighbor'::regclass), 'or out of line');
SELECT is_empty('SELECT test.others()', 'neighbours that count nothing, out of line');
DELETE FROM recs.neighbor;
INSERT INTO recs.neighbor SELECT * FROM test.neighbor ORDER BY item_id DESC;
SELECT is_empty('SELECT test.others()', 'rows in another order');
-- the ids of the nearest neighbours only save time
SELECT ok((SELECT bool_and(nearest = ARRAY(SELECT i.item_id FROM unnest(n.neighbors[:16]) WITH ORDINALITY s(item_no, rank) JOIN recs.item i USING (item_no) ORDER BY rank))
		   FROM recs.neighbor n), 'the nearest are the first of the neighbours');
UPDATE recs.neighbor SET nearest = nearest[:2];
SELECT is_empty('SELECT test.others()', 'fewer ids of the nearest');
UPDATE recs.neighbor SET nearest = '{}';
SELECT is_empty('SELECT test.others()', 'none');
UPDATE recs.neighbor SET nearest = '{NULL}';
SELECT is(test.run('SELECT count(*) FROM recs.similar_items(''P1'')'),
		  'XX001 the model of recommender "recs" has a row of neighbours that is not valid; Refresh the recommender.', 'damaged ones');
UPDATE recs.neighbor n SET nearest = t.nearest FROM test.neighbor t WHERE (t.item_id, t.kind) = (n.item_id, n.kind);
-- columns that came later, and one that went
SAVEPOINT columns;
ALTER TABLE recs.item ADD note text DEFAULT 'new', ADD serial int DEFAULT 7;
ALTER TABLE recs.neighbor ADD note text NOT NULL DEFAULT 'new', ADD gone int DEFAULT 7;
SELECT is_empty('SELECT test.others()', 'more columns');
ALTER TABLE recs.neighbor DROP gone;
SELECT is_empty('SELECT test.others()', 'less columns');
UPDATE recs.item SET note = 'x';
UPDATE recs.item SET serial = 8;
SELECT is_empty('SELECT test.others()', 'several versions of each row');
CREATE TABLE recs.other (LIKE recs.item);
ALTER TABLE recs.item RENAME TO old_item;
ALTER TABLE recs.old_item RENAME TO item;
SELECT is_empty('SELECT test.others()', 'a name that went and came back');
CLUSTER recs.item USING item_item_id;
SELECT is_empty('SELECT test.others()', 'a table written anew');
REINDEX TABLE recs.item;
REINDEX TABLE recs.neighbor;
SELECT is_empty('SELECT test.others()', 'indexes built anew');
ROLLBACK TO columns;
ALTER TABLE recs.embedding_cell DROP generation, ADD generation bigint;
INSERT INTO recs.embedding_cell (generation, cell_no, centroid, item_nos) VALUES (1, 1, '{}', '{}'), (NULL, 2, '{}', '{}');
SELECT recommender.refresh('recs') \gset
SELECT results_eq('SELECT cell_no FROM recs.embedding_cell', 'VALUES (2)', 'a refresh deletes what is older by the column of that name, wherever it is');
ROLLBACK TO columns;
SELECT is_empty('SELECT test.others()', 'and back again');

/* ------------------------------------------------------------------------
 * Many values, on many pages of an index
 * ------------------------------------------------------------------------ */

-- 5,000 items, ids and letters in falling and rising order; odd ids are unknown
CREATE TABLE test.wide (user_id int, item_id int, name text);
INSERT INTO test.wide
SELECT u, 2 * (n / 4 * 5 + 7 * u) % 10000, to_char(9999 - (n / 4 * 5 + 7 * u) % 5000, 'FM0000') || repeat('x', n % 3)
FROM generate_series(1, 4000) n, generate_series(n % 10, n % 10 + 1) u;
SELECT recommender.create_recommender('wide', 'test.wide', options => '{"min_support": 1, "neighbors": 5}', item_column => 'item_id', user_column => 'user_id');
SELECT refresh FROM recommender.refresh('wide');
SELECT recommender.create_recommender('named', 'test.wide', options => '{"min_support": 1, "neighbors": 5}', item_column => 'name', user_column => 'user_id');
SELECT refresh FROM recommender.refresh('named');
SELECT cmp_ok(pg_relation_size('wide.item_item_id') / current_setting('block_size')::int, '>=', 5::bigint, 'several leaf pages of numbers');
SELECT cmp_ok(pg_relation_size('named.item_item_id') / current_setting('block_size')::int, '>=', 5::bigint, 'several leaf pages of names');

-- Ids of which some are known: every step-th from one on, in an order of their own.
CREATE TABLE test.asked AS
SELECT step, first, count(*) AS n, array_agg(id ORDER BY md5(id::text)) || NULL::int || array_agg(id ORDER BY id DESC) AS ids
FROM   unnest(ARRAY[1, 2, 3, 10, 98, 700, 1467, 3001, 9998]) step, unnest(ARRAY[-40, 0, 3, 5001]) first, generate_series(first, 10100, step) id
GROUP BY step, first;
CREATE FUNCTION test.known(ids int[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', item_id, round(score::numeric, 9)), ',' ORDER BY score DESC, item_id) FROM wide.rank_items(NULL, ids) WHERE strategy IS NOT NULL
$$;
SELECT is(test.known(ids), (SELECT string_agg(concat_ws(' ', item_id, round((0.1 * popularity)::numeric, 9)), ',' ORDER BY popularity DESC, item_id) FROM wide.item WHERE item_id IN (SELECT unnest(ids))),
		  format('every %s. of all numbers from %s on', step, first)) FROM test.asked;
SELECT is((SELECT array_agg(item_id ORDER BY item_id) FROM named.rank_items(NULL, names) WHERE strategy IS NOT NULL),
		  (SELECT array_agg(item_id ORDER BY item_id) FROM named.item WHERE item_id IN (SELECT unnest(names))),
		  format('every %s. of all names from %s on', step, first))
FROM   test.asked, LATERAL (SELECT array_agg(to_char(abs(id / 2), 'FM0000') || repeat('x', id & 3)) AS names FROM unnest(ids) id) n;
SELECT is(test.known('{}'), NULL, 'no number');
SELECT is(test.known(ARRAY[NULL, NULL]::int[]), NULL, 'nulls alone');
SELECT is(test.known('{-2147483648,2147483647}'), NULL, 'the least and the greatest number');

-- rows of one value on more pages than one
CREATE TABLE test.basket AS SELECT r.* FROM wide.recommend_basket('{2000,2002,2004,2006,2008}', 30) r;
SELECT isnt_empty('TABLE test.basket', 'a basket');
INSERT INTO wide.neighbor SELECT generation, repeat('k', 40) || n, item_no, item_id, neighbors, scores, supports, nearest
FROM   wide.neighbor, generate_series(1, 700) n WHERE item_id IN (2002, 2006);
SELECT set_eq($$SELECT * FROM wide.recommend_basket('{2008,2002,2006,2000,2004}', 30)$$, 'TABLE test.basket', 'the same among rows of other kinds');

/* ------------------------------------------------------------------------
 * Snapshots
 * ------------------------------------------------------------------------ */

DECLARE before CURSOR FOR SELECT item_id FROM recs.similar_items('P1', 3);
DECLARE scores CURSOR FOR SELECT recs.score(1, 'P' || i) FROM generate_series(1, 100) i;
CREATE TABLE test.old_scores AS SELECT recs.score(1, 'P' || i) AS score FROM generate_series(1, 100) i;
SAVEPOINT refreshed;
INSERT INTO test.bought SELECT u, i, '2024-03-01' FROM generate_series(100, 300) u, unnest('{P1,new}'::text[]) i;
SELECT recommender.refresh('recs');
SELECT is((SELECT item_id FROM recs.similar_items('P1', 1)), 'new', 'a refresh of this transaction serves it');
SELECT results_eq('FETCH ALL FROM scores', 'TABLE test.old_scores', 'a cursor that was opened before goes on with its snapshot');
ROLLBACK TO refreshed;
SELECT is_empty('SELECT test.others()', 'and is taken back');

/* ------------------------------------------------------------------------
 * Parallel workers
 * ------------------------------------------------------------------------ */

SELECT set_config(name, 'on', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT matches((SELECT string_agg(line, ' ') FROM test.run('EXPLAIN SELECT r::text FROM recs.recommend(1, 5) r') line), 'Gather', 'a worker does it');
SELECT is_empty('SELECT test.others()', 'parallel workers answer the same');
SELECT set_config(name, 'off', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');

/* ------------------------------------------------------------------------
 * Indexes
 * ------------------------------------------------------------------------ */

-- indexes that serve instead of the one that create_recommender() makes
CREATE TABLE test.instead (dropped text, definition text, fits boolean);
INSERT INTO test.instead VALUES
	('recs.item_item_id', 'ON recs.item (generation, item_id)', true),
	('recs.item_item_id', 'ON recs.item (generation, item_id, users)', true),
	('recs.item_item_id', 'ON recs.item (generation, item_id) INCLUDE (weight)', true),
	('recs.item_item_id', 'ON recs.item (generation, item_id COLLATE "POSIX")', false),
	('recs.item_item_id', 'ON recs.item (generation, item_id text_pattern_ops)', false),
	('recs.item_item_id', 'ON recs.item (item_id)', false),
	('recs.item_item_id', 'ON recs.item (item_id, generation)', false),
	('recs.item_item_id', 'ON recs.item (generation) INCLUDE (item_id)', false),
	('recs.item_item_id', 'ON recs.item (generation, item_id) WHERE popular', false),
	('recs.item_item_id', 'ON recs.item USING hash (item_id)', false),
	('recs.item_popularity', 'ON recs.item (generation, popularity DESC, item_no)', true),
	('recs.item_popularity', 'ON recs.item (generation, popularity DESC, item_no) WHERE popular', true),
	('recs.item_popularity', 'ON recs.item (generation, popularity DESC, item_no) WHERE trending', false),
	('recs.item_popularity', 'ON recs.item (generation, popularity DESC NULLS LAST, item_no)', true),
	('recs.item_popularity', 'ON recs.item (generation, popularity, item_no)', false),
	('recs.item_popularity', 'ON recs.item (generation, popularity DESC, item_no DESC)', false),
	('recs.item_popularity', 'ON recs.item (generation, popularity DESC)', false);
CREATE FUNCTION test.answers_with(dropped text, definition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE others text;
BEGIN
	EXECUTE format('DROP INDEX %s; CREATE INDEX ' || definition, dropped);
	SELECT string_agg(o, ' ') INTO others FROM test.others() o;
	RAISE EXCEPTION SQLSTATE 'DONE0' USING MESSAGE = coalesce(others, 'the same');
EXCEPTION WHEN SQLSTATE 'DONE0' THEN
	RETURN sqlerrm;
END $$;
SELECT is(test.answers_with(dropped, definition), 'the same', format('an index %s serves', definition)) FROM test.instead WHERE fits;
SELECT matches(test.answers_with(dropped, definition), 'has no valid index on', format('an index %s does not', definition)) FROM test.instead WHERE NOT fits;
SELECT is_empty('SELECT test.others()', 'all is as before');

-- without one
CREATE FUNCTION test.without(index_dropped text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	EXECUTE format('ALTER TABLE %s', index_dropped);
	answer := test.run(query);
	RAISE EXCEPTION SQLSTATE 'DONE0' USING MESSAGE = answer;
EXCEPTION WHEN SQLSTATE 'DONE0' THEN
	RETURN sqlerrm;
END $$;
SELECT is(test.without('recs.neighbor DROP CONSTRAINT neighbor_pkey', 'SELECT count(*) FROM recs.recommend(1)'),
		  '55000 table "neighbor" of recommender "recs" has no valid index on (generation, item_id); Run CREATE INDEX ON recs.neighbor (generation, item_id).',
		  'no index of neighbours');
SELECT is(test.without('recs.item DROP CONSTRAINT item_pkey', 'SELECT count(*) FROM recs.recommend(1)'),
		  '55000 table "item" of recommender "recs" has no valid index on (generation, item_no); Run CREATE INDEX ON recs.item (generation, item_no).',
		  'no index of numbers');
SELECT is(test.without('recs.item DROP CONSTRAINT item_pkey', 'SELECT count(*) FROM recs.similar_items(''P1'', 4)'), '4',
		  'which the ids of the nearest spare');
SELECT is(test.without('recs.definition DROP CONSTRAINT definition_pkey', 'SELECT count(*) FROM recs.popular_items()'),
		  '55000 table "definition" of recommender "recs" has no valid index on (singleton); Run CREATE INDEX ON recs.definition (singleton).',
		  'no index of the definition');
DROP INDEX recs.item_popularity;
SELECT is(test.run('SELECT count(*) FROM recs.popular_items()'),
		  '55000 table "item" of recommender "recs" has no valid index on (generation, popularity DESC, item_no); Run CREATE INDEX ON recs.item (generation, popularity DESC, item_no).',
		  'no index of popularity');
SELECT is(test.run('SELECT count(*) FROM recs.recommend_all()'), '400', 'which not all functions need');
-- following the hint helps
CREATE INDEX ON recs.item (generation, popularity DESC, item_no);
SELECT is_empty('SELECT test.others()', 'what the hint says helps');

-- the heads of lists, which alone the index has
CREATE TABLE test.much AS
SELECT g AS user_id, (g * 7919) % 7001 AS item_id, 1 + (g * 104729) % 97 AS weight, '2024-05-01'::timestamptz + (g * 15485863) % 1440 * interval '1 hour' AS at
FROM generate_series(1::bigint, 20000) g;
SELECT recommender.create_recommender('much', 'test.much', 'user_id', 'item_id', 'at', weight_column => 'weight', options => '{"half_life": "10 days"}') \gset
SELECT recommender.refresh('much') \gset
SELECT ok(count(*) > 6000 AND count(*) FILTER (WHERE trend > 0) BETWEEN 1000 AND 2047, 'lists that are longer than that, and of which one ends in equal items') FROM much.item;
SELECT set_eq('SELECT item_no FROM much.item WHERE popular', 'SELECT item_no FROM much.item ORDER BY popularity DESC, item_no LIMIT 2048', 'the most popular items');
SELECT set_eq('SELECT item_no FROM much.item WHERE trending', 'SELECT item_no FROM much.item ORDER BY trend DESC, item_no LIMIT 2048', 'and those that rise most');
SELECT results_eq(format('SELECT item_id FROM much.popular_items(%s)', k), format('SELECT item_id FROM much.item ORDER BY popularity DESC, item_no LIMIT %s', k),
				  format('the %s most popular items', k)) FROM unnest('{1,64,65,2047,2048,2049,6500,8000}'::int[]) k;
SELECT results_eq(format('SELECT item_id FROM much.recommend(NULL, %s, options => ''{"blend": {"popularity": 0, "trend": 1}}'')', k),
				  format('SELECT item_id FROM much.item ORDER BY trend DESC, item_no LIMIT %s', k),
				  format('the %s that rise most', k)) FROM unnest('{1,64,65,2047,2048,2049,6500,8000}'::int[]) k;
SELECT results_eq(format('SELECT item_id FROM much.recommend(NULL, %s, options => ''{"blend": {"popularity": 1, "trend": 0.7}}'')', k),
				  format('SELECT item_id FROM much.item ORDER BY (popularity + 0.7 * trend)::numeric(20, 9) DESC, item_no LIMIT %s', k),
				  format('the %s best by both', k)) FROM unnest('{1,64,2048,2500}'::int[]) k;

-- an index that is not valid
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'recs.item_item_id'::regclass;
SELECT matches(test.run('SELECT string_agg(r::text, '' '') FROM recs.rank_items(1, ''{P1,P2}'') r'), '^55000 .* no valid index on \(generation, item_id\)', 'an index that is not valid is none');
CREATE INDEX other_item_id ON recs.item (generation, item_id);
SELECT is_empty('SELECT test.others()', 'a valid one beside it serves');
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'recs.item_item_id'::regclass;

-- tables for which a query would run code are refused, also in a session that has served
CREATE FUNCTION test.refused(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answers text; view name;
BEGIN
	-- which would be in the way, and nothing serves by them
	FOR view IN SELECT viewname FROM pg_views WHERE schemaname = 'recs' LOOP
		EXECUTE format('DROP VIEW recs.%I', view);
	END LOOP;
	EXECUTE change;
	SELECT string_agg(DISTINCT test.run(query), ' ') INTO answers FROM test.serving;
	RAISE EXCEPTION SQLSTATE 'DONE0' USING MESSAGE = answers;
EXCEPTION WHEN SQLSTATE 'DONE0' THEN
	RETURN sqlerrm;
END $$;
SELECT matches(test.refused(change), '^55000 table "\w+" of recommender "recs" is not as create_recommender\(\) makes it; [^;]*$', change)
FROM unnest(ARRAY[
	'ALTER TABLE recs.item ENABLE ROW LEVEL SECURITY',
	'ALTER TABLE recs.neighbor ENABLE ROW LEVEL SECURITY',
	'ALTER TABLE recs.definition ENABLE ROW LEVEL SECURITY',
	'CREATE TABLE test.child () INHERITS (recs.item)',
	'CREATE RULE r AS ON UPDATE TO recs.neighbor DO NOTHING',
	'CREATE INDEX ON recs.item (generation, popularity DESC, item_no) WHERE users > 0',
	'CREATE INDEX ON recs.item (generation, popularity DESC, item_no) WHERE NOT popular',
	'CREATE INDEX ON recs.item (item_no, (generation + 0))',
	'ALTER TABLE recs.item ALTER item_id TYPE bigint USING item_no',
	'ALTER TABLE recs.item ALTER popularity TYPE numeric',
	'ALTER TABLE recs.neighbor ALTER scores TYPE float8[]',
	'ALTER TABLE recs.item RENAME popularity TO fame',
	'DROP TABLE recs.neighbor']) change;
SELECT is_empty('SELECT test.others()', 'and all of it was taken back');

/* ------------------------------------------------------------------------
 * Privileges
 * ------------------------------------------------------------------------ */

CREATE ROLE rec_reader;
GRANT USAGE ON SCHEMA recs, test TO rec_reader;
GRANT SELECT ON test.bought, test.answer, recs.explanation_template TO rec_reader;
CREATE FUNCTION test.run_as(role name, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; caller name := current_user;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	result := test.run(query);
	EXECUTE format('SET LOCAL ROLE %I', caller);
	RETURN result;
END $$;
SELECT is(test.run_as('rec_reader', query), '42501 permission denied for table definition', format('without any right: %s', query)) FROM test.serving;
GRANT SELECT ON recs.definition TO rec_reader;
SELECT matches(test.run_as('rec_reader', query), '^42501 permission denied for table (item|neighbor)$', format('with the definition: %s', query)) FROM test.serving;
GRANT SELECT ON recs.neighbor TO rec_reader;
SELECT is(test.run_as('rec_reader', query), '42501 permission denied for table item', format('with the neighbours: %s', query)) FROM test.serving;
-- columns are enough, but all of those that are read
GRANT SELECT (generation, item_no, item_id, popularity) ON recs.item TO rec_reader;
SELECT is(test.run_as('rec_reader', query), '42501 permission denied for table item', format('with columns: %s', query)) FROM test.serving;
GRANT SELECT (trend) ON recs.item TO rec_reader;
SELECT is(test.run_as('rec_reader', query), answer, format('with all columns: %s', query)) FROM test.answer;
REVOKE SELECT ON recs.neighbor FROM rec_reader;
SELECT is(test.run_as('rec_reader', 'SELECT count(*) FROM recs.recommend(1)'), '42501 permission denied for table neighbor', 'a right that is revoked');
SELECT is(test.run_as('rec_reader', 'SELECT count(*) FROM recs.popular_items(3)'), '3', 'popular items need no neighbours');
-- membership in a role, until it is revoked
CREATE ROLE rec_readers;
GRANT SELECT ON recs.neighbor TO rec_readers;
GRANT rec_readers TO rec_reader;
SELECT is(test.run_as('rec_reader', query), answer, format('as a member: %s', query)) FROM test.answer;
REVOKE rec_readers FROM rec_reader;
SELECT is(test.run_as('rec_reader', 'SELECT count(*) FROM recs.recommend(1)'), '42501 permission denied for table neighbor', 'as one no longer');
-- with the rights of the owner of a SECURITY DEFINER function
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA recs TO rec_reader;
CREATE FUNCTION test.similar(text) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT string_agg(r.item_id, ' ' ORDER BY r.rank) FROM recs.similar_items($1, 3) r $$;
SELECT is(test.run_as('rec_reader', 'SELECT test.similar(''P1'')'), test.similar('P1'), 'with the rights of a function''s owner');

SELECT * FROM finish();
ROLLBACK;
