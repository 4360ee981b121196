/*
 * test/pgtap/admin.sql
 *	  The life of a recommender: create, alter, refresh, rename, check, drop; with
 *	  sources, ids and names of all kinds.
 *
 * answer.sql checks the answers themselves; here they are compared with those of
 * a recommender over a plain table of integers.  Needs a database in UTF8 with
 * ICU collations.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';

SELECT plan(605);

CREATE SCHEMA shop;

-- Forty customers, twenty products, a few hundred orders.
CREATE TABLE shop.orders (user_id int, item_id int, at timestamptz, kind text, quantity int);
INSERT INTO shop.orders
SELECT n * n % 41, n * n * n % 23, '2024-05-01'::timestamptz + n % 50 * interval '1 day' + n * interval '1 minute',
	   (ARRAY['view', 'view', 'purchase'])[1 + n % 3], 1 + n % 4
FROM generate_series(1, 300) n;
CREATE INDEX ON shop.orders (user_id, at);
CREATE INDEX ON shop.orders (at);

-- Answers of a recommender as text, independent of the types of ids.
CREATE FUNCTION shop.answers(name text, users text DEFAULT 'generate_series(1, 45)') RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	EXECUTE format('SELECT string_agg(concat_ws('' '', u, rank, item_id, round(score::numeric, 9), strategy), E''\n'' ORDER BY u, rank)
					FROM %s u, LATERAL %I.recommend(u, 5) r', users, name) INTO answer;
	RETURN answer;
END $$;

/* ------------------------------------------------------------------------
 * Made and refreshed
 * ------------------------------------------------------------------------ */

SELECT is(recommender.create_recommender('recs', 'shop.orders', time_column => 'at', event_column => 'kind', weight_column => 'quantity',
			event_weights => '{"view": 1, "purchase": 5}'), 'recs', 'create_recommender gives the name');
SELECT results_eq('SELECT name, owner, sources, generation, refreshed_at, items FROM recommender.recommenders',
				  $$VALUES ('recs', current_user::regrole, '{shop.orders}'::regclass[], 0::bigint, NULL::timestamptz, 0::bigint)$$, 'it is listed');
SELECT is_empty('TABLE recommender.refresh_runs', 'no refresh yet');
SELECT results_eq('SELECT severity, code FROM recommender.check_recommender(''recs'')', $$VALUES ('error', 'not_refreshed')$$, 'check: not refreshed');

-- Rows without a key or a weight are counted and ignored.
INSERT INTO shop.orders VALUES (NULL, 1, now(), 'view', 1), (1, NULL, now(), 'view', 1), (NULL, NULL, NULL, NULL, NULL),
	(1, 1, now(), 'hover', 1), (1, 2, now(), NULL, 1), (500, 500, '2024-05-02', 'view', NULL);
CREATE TABLE shop.figures AS SELECT * FROM recommender.refresh('recs');
SELECT results_eq('SELECT recommender, generation, mode, interactions, users, items, null_keys, without_weight FROM shop.figures',
				  $$SELECT 'recs', 1::bigint, 'full', 301::bigint, count(DISTINCT user_id), count(DISTINCT item_id), 3::bigint, 2::bigint
					FROM shop.orders WHERE user_id IS NOT NULL AND item_id IS NOT NULL AND kind IN ('view', 'purchase')$$,
				  'figures of a refresh');
SELECT is(neighbors, (SELECT count(*) FROM recs.neighbors), 'neighbours') FROM shop.figures;
SELECT is(neighbors, (SELECT sum(cardinality(neighbors)) FROM recs.neighbor), 'and as they are stored') FROM shop.figures;
SELECT ok(read_ms >= 0 AND build_ms >= 0 AND write_ms >= 0 AND memory_bytes > 0, 'times and memory') FROM shop.figures;
SELECT is(model_bytes, (SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c
	WHERE c.relnamespace = 'recs'::regnamespace AND c.relkind = 'r' AND c.relname IN ('item', 'neighbor', 'context_lift', 'content_column',
		'feature', 'item_feature', 'embedding_cell', 'factorization', 'factor')), 'size of the model') FROM shop.figures;
SELECT results_eq($$SELECT recommender, generation, mode, interactions, users, items, neighbors, null_keys, without_weight, read_ms, build_ms, write_ms, memory_bytes, model_bytes
					FROM recommender.refresh_runs WHERE started_at <= finished_at AND finished_at <= clock_timestamp()$$,
				  'TABLE shop.figures', 'the run is listed with the same figures');
SELECT results_eq('SELECT s.ordinality, s.n FROM recs.definition, unnest(item_steps) WITH ORDINALITY s (n)',
	'SELECT b + 1::bigint, count(*)::int FROM generate_series(0, 31) b JOIN recs.item ON users >= 1::bigint << b GROUP BY b ORDER BY b', 'the items by their users');
SELECT results_eq('SELECT generation, items, refreshed_at FROM recommender.recommenders', $$SELECT 1::bigint, items, now() FROM shop.figures$$,
				  'the overview knows of it');
SELECT is((SELECT options FROM recommender.refresh_runs), recommender.set_options('recs', '{}'), 'the run keeps its options');
SELECT is((SELECT options FROM recommender.recommenders), recommender.set_options('recs', '{}'), 'options in force');
SELECT isnt(live, NULL, 'what is live') FROM recommender.recommenders;
SELECT isnt(as_of_refresh, NULL, 'what is not') FROM recommender.recommenders;
SELECT is((SELECT as_of FROM recs.definition), (SELECT max(at) FROM shop.orders WHERE kind <> 'hover' AND user_id + item_id > 0), 'as of the newest row that counts');

-- A second refresh writes a second generation and deletes the first.
DELETE FROM shop.orders WHERE user_id IS NULL OR item_id IS NULL OR kind IS NULL OR kind = 'hover' OR user_id = 500;
SELECT is((recommender.refresh('recs', 'full')).generation, 2::bigint, 'the second generation');
SELECT results_eq('SELECT generation FROM recs.item UNION SELECT generation FROM recs.neighbor UNION SELECT generation FROM recs.definition',
				  'VALUES (2::bigint)', 'old rows are gone and the pointer has moved');
SELECT results_eq('SELECT generation FROM recommender.refresh_runs', 'VALUES (1::bigint), (2)', 'both runs are listed');
CREATE TABLE shop.reference AS SELECT shop.answers('recs') AS answer;
SELECT matches(answer, 'behaviour', 'there is something to compare with') FROM shop.reference;

-- A refresh that is rolled back leaves the old generation.
CREATE FUNCTION shop.count_rows() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT generation FROM recs.definition), (SELECT count(*) FROM recs.item), (SELECT count(*) FROM recs.neighbor),
					 (SELECT min(generation) FROM recs.item), (SELECT count(*) FROM recs.refresh_run), shop.answers('recs'))
$$;
CREATE TABLE shop.before AS SELECT shop.count_rows() AS state;
SAVEPOINT refresh;
INSERT INTO shop.orders SELECT u, 7, '2024-06-30', 'purchase', 9 FROM generate_series(1, 40) u;
SELECT is((recommender.refresh('recs')).generation, 3::bigint, 'the third generation');
SELECT isnt(shop.count_rows(), state, 'serves') FROM shop.before;
ROLLBACK TO refresh;
SELECT is(shop.count_rows(), state, 'and is gone after ROLLBACK') FROM shop.before;

-- ... so does a refresh that fails.
INSERT INTO shop.orders VALUES (1, 1, now(), 'view', NULL);
ALTER TABLE shop.orders ADD bad float8;
UPDATE shop.orders SET bad = 'NaN' WHERE quantity IS NULL;
SELECT recommender.create_recommender('bad', 'shop.orders', weight_column => 'bad');
SELECT throws_ok('SELECT recommender.refresh(''bad'')', '22023', 'weight NaN of user 1 and item 1 is not a finite number', 'a weight that is none');
SELECT is((SELECT generation FROM bad.definition), 0::bigint, 'a refresh that fails moves nothing');
UPDATE shop.orders SET bad = 1;
SELECT is((recommender.refresh('bad')).generation, 1::bigint, 'the next one works');
DELETE FROM shop.orders WHERE quantity IS NULL;
SELECT ok(recommender.drop_recommender('bad'), 'dropped');
ALTER TABLE shop.orders DROP bad;
SELECT is(shop.answers('recs'), answer, 'a dropped column of the table is no harm') FROM shop.reference;

-- CALL refresh_all() is refused inside a transaction block.
SELECT throws_ok('CALL recommender.refresh_all()', '2D000', NULL, 'refresh_all in a transaction');
SELECT throws_ok('DO ''BEGIN CALL recommender.refresh_all(); END''', '2D000', NULL, 'refresh_all in a block in a transaction');

/* ------------------------------------------------------------------------
 * The rows of the running transaction
 * ------------------------------------------------------------------------ */

SAVEPOINT click;
INSERT INTO shop.orders VALUES (77, 3, now(), 'view', 1);
SELECT is((SELECT strategy FROM recs.recommend(77, 1)), 'behaviour', 'a row of this transaction counts');
SELECT set_eq('SELECT item_id FROM recs.recommend(77, 4, options => ''{"blend": {"popularity": 0}}'')',
			  'SELECT neighbor_id FROM recs.neighbors WHERE item_id = 3 ORDER BY rank LIMIT 4', 'and so does its item');
SAVEPOINT purchase;
INSERT INTO shop.orders SELECT 77, item_id, now(), 'purchase', 1 FROM recs.recommend(77, 1);
CREATE TABLE shop.bought AS SELECT item_id FROM shop.orders WHERE user_id = 77 AND kind = 'purchase';
SELECT is_empty('SELECT item_id FROM recs.recommend(77, 100) WHERE item_id IN (TABLE shop.bought)', 'what was bought is not recommended again');
ROLLBACK TO purchase;
SELECT is((SELECT count(*) FROM recs.recommend(77, 100)), (SELECT count(*) FROM recs.item), 'until ROLLBACK');
ROLLBACK TO click;
SELECT results_eq('SELECT item_id, strategy FROM recs.recommend(77, 5)', 'SELECT item_id, ''popularity'' FROM recs.popular_items(5)', 'then there was no click');
SELECT is(shop.answers('recs'), answer, 'nothing is left of it') FROM shop.reference;

/* ------------------------------------------------------------------------
 * Options
 * ------------------------------------------------------------------------ */

SELECT is(recommender.set_options('recs', '{}') @> '{"history": 100, "exclude_seen": true, "seen_events": ["purchase"], "kappa": 1, "session_decay": 0.85,
	"trend_window": "7 days", "trend_baseline": "28 days", "trend_smoothing": 10, "reasons": 3, "min_support": 2, "half_life": null, "repeats": "sum", "max_history": 500,
	"blend": {"behaviour": 1, "popularity": 0.1, "trend": 0}}', true, 'the defaults');
SELECT is(recommender.set_options('recs', o) @> o, true, format('set %s', o))
FROM unnest(ARRAY['{"history": 3}', '{"kappa": 0.25, "exclude_seen": false}', '{"seen_events": []}', '{"seen_events": ["view", "cart"]}',
	'{"half_life": "30 days"}', '{"half_life": "1 day 02:03:04.5"}', '{"trend_window": "2 days"}', '{"reasons": 0}', '{"measure": "llr", "neighbors": 7, "weighting": "none", "truncate": "source"}']::jsonb[]) o;
SELECT is(recommender.set_options('recs', '{"half_life": null}') -> 'half_life', 'null', 'null is the default again');
SELECT is(recommender.set_options('recs', '{}') -> 'history', '3', 'what is not named stays');
SELECT throws_ok('SELECT recommender.set_options(''recs'', ''{"history": 4, "kappa": -1}'')', '22023', NULL, 'one option of two is wrong');
SELECT is(recommender.set_options('recs', '{}') -> 'history', '3', 'and so none is set');

-- an interval has one format in all sessions
SET LOCAL intervalstyle = postgres_verbose;
SELECT is(recommender.set_options('recs', '{"half_life": "1 day 02:03:04.5", "trend_window": null}') @> '{"half_life": "1 day 02:03:04.5", "trend_window": "7 days"}', true, 'intervals, verbose');
SET LOCAL intervalstyle = iso_8601;
SELECT is(recommender.set_options('recs', '{}') @> '{"half_life": "1 day 02:03:04.5", "trend_window": "7 days"}', true, 'intervals, ISO 8601');
SET LOCAL intervalstyle = sql_standard;
SELECT is(recommender.set_options('recs', '{}') @> '{"half_life": "1 day 02:03:04.5", "trend_window": "7 days"}', true, 'intervals, standard');
RESET intervalstyle;
SELECT is(recommender.set_options('recs', '{"half_life": null}') -> 'half_life', 'null', 'no half-life');

-- weights of the blend that are not given stay
SELECT is(recommender.set_options('recs', '{"blend": {"popularity": 0.5}}') -> 'blend', '{"behaviour": 1, "factors": 1, "content": 0.2, "context": 0.5, "popularity": 0.5, "trend": 0}', 'a weight of the blend');
SELECT is(recommender.set_options('recs', '{"blend": {"trend": 2}}') -> 'blend', '{"behaviour": 1, "factors": 1, "content": 0.2, "context": 0.5, "popularity": 0.5, "trend": 2}', 'and another');
SELECT is(recommender.set_options('recs', '{"blend": null}') -> 'blend', '{"behaviour": 1, "factors": 1, "content": 0.2, "context": 0.5, "popularity": 0.1, "trend": 0}', 'and none');

-- options of serving change at once, options of building at the next refresh
SELECT is((SELECT count(*) FROM recs.recommend(9, 100)), (SELECT count(*) FROM recs.item), 'everything, since nothing is excluded');
SELECT is(recommender.set_options('recs', '{"exclude_seen": true, "seen_events": ["view", "purchase"]}') -> 'exclude_seen', 'true', 'excluding');
SELECT is_empty('SELECT item_id FROM recs.recommend(9, 100) INTERSECT SELECT item_id FROM shop.orders WHERE user_id = 9', 'what was seen is excluded at once');
SELECT results_eq('SELECT severity, code FROM recommender.check_recommender(''recs'')', $$VALUES ('warning', 'options_changed')$$, 'check: options changed');
SELECT is((SELECT max(cardinality(neighbors)) > 7 FROM recs.neighbor), true, 'the model is as it was');
SELECT is((recommender.refresh('recs')).generation, 3::bigint, 'refreshed');
SELECT is((SELECT max(cardinality(neighbors)) FROM recs.neighbor), 7, 'and now it has seven neighbours');
SELECT is_empty('SELECT * FROM recommender.check_recommender(''recs'')', 'check: all is well');

SAVEPOINT option;
SELECT is(recommender.set_options('recs', '{"history": 50}') -> 'history', '50', 'an option');
ROLLBACK TO option;
SELECT is(recommender.set_options('recs', '{}') -> 'history', '3', 'is taken back by ROLLBACK');
SELECT recommender.set_options('recs', (SELECT jsonb_object_agg(o, NULL) FROM jsonb_object_keys(recommender.set_options('recs', '{}')) o));
SELECT is((SELECT options FROM recs.definition), '{}', 'defaults are not stored');
SELECT is((recommender.refresh('recs')).generation, 4::bigint, 'refreshed');
SELECT is(shop.answers('recs'), answer, 'all as it was') FROM shop.reference;

/* ------------------------------------------------------------------------
 * Events of any type are told by their text, as check_recommender() tells them
 * ------------------------------------------------------------------------ */

CREATE TYPE shop.act AS ENUM ('look', 'buy');
CREATE TABLE shop.acts AS
SELECT u AS user_id, i AS item_id, u % 2 = 0 AS truth, CASE u % 2 WHEN 0 THEN 'buy' ELSE 'look' END::char(8) AS padded,
	CASE u % 2 WHEN 0 THEN 'buy' ELSE 'look' END::shop.act AS act, u % 2 AS n
FROM generate_series(1, 10) u, generate_series(1, 4) i;
CREATE INDEX ON shop.acts (user_id);
CREATE FUNCTION shop.read_events(event_column name, event_weights jsonb, OUT weight float8, OUT without_weight bigint, OUT findings bigint)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM recommender.create_recommender('acts', 'shop.acts', event_column => event_column, event_weights => event_weights, options => '{"weighting": "none"}');
	SELECT r.without_weight INTO without_weight FROM recommender.refresh('acts') r;
	SELECT i.weight INTO weight FROM acts.item i WHERE item_id = 1;
	SELECT count(*) INTO findings FROM recommender.check_recommender('acts') WHERE code = 'event_without_weight';
	PERFORM recommender.drop_recommender('acts');
END$$;
SELECT results_eq($$SELECT e, r.* FROM (VALUES ('truth', '{"true": 2, "false": 1}'::jsonb), ('padded', '{"buy": 2, "look": 1}'), ('act', '{"buy": 2, "look": 1}'), ('n', '{"0": 2, "1": 1}')) v (e, w), shop.read_events(e, w) r$$,
	$$VALUES ('truth', 15::float8, 0::bigint, 0::bigint), ('padded', 15, 0, 0), ('act', 15, 0, 0), ('n', 15, 0, 0)$$,
	'events are boolean, padded, an enum and numbers');

/* ------------------------------------------------------------------------
 * What check_recommender finds
 * ------------------------------------------------------------------------ */

CREATE TABLE shop.product (id int PRIMARY KEY);
INSERT INTO shop.product SELECT generate_series(1, 4);
CREATE TABLE shop.checked (user_id int, item_id int REFERENCES shop.product, at timestamptz, kind text);
INSERT INTO shop.checked SELECT u, 1 + u % 3, '2024-01-01'::timestamptz + u * interval '1 day', 'view' FROM generate_series(1, 30) u;
SELECT recommender.create_recommender('checked', 'shop.checked', time_column => 'at', event_column => 'kind', event_weights => '{"view": 1, "purchase": 2}');
SELECT recommender.refresh('checked');
CREATE FUNCTION shop.findings() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', severity, code, message, hint) FROM recommender.check_recommender('checked') WHERE code <> 'no_neighbors' ORDER BY code, message
$$;
SELECT results_eq('SELECT * FROM shop.findings()',
	$$VALUES ('info | items_without_interactions | 1 of 4 items of shop.product have no row in shop.checked | Behaviour cannot recommend them. Say by recommender.set_items() what describes them.'),
		('warning | missing_index | shop.checked has no index on the user, so that each answer reads the whole table | CREATE INDEX ON shop.checked (user_id, at);'),
		('info | missing_time_index | shop.checked has no index on the time, so that trending_items() reads the whole table | CREATE INDEX ON shop.checked (at);')$$,
	'check: items without interactions, missing index');
CREATE INDEX part ON shop.checked (user_id, at) WHERE user_id > 0;
SELECT set_has('SELECT code FROM recommender.check_recommender(''checked'')', $$VALUES ('missing_index')$$, 'an index on a part does not count');
DROP INDEX shop.part;
CREATE INDEX ON shop.checked (item_id, user_id);
SELECT set_has('SELECT code FROM recommender.check_recommender(''checked'')', $$VALUES ('missing_index')$$, 'nor one that begins with another column');
CREATE INDEX ON shop.checked (user_id, at);
SELECT results_eq('SELECT f FROM shop.findings() f WHERE f !~ ''items_''',
	$$VALUES ('info | missing_time_index | shop.checked has no index on the time, so that trending_items() reads the whole table | CREATE INDEX ON shop.checked (at);')$$, 'check: missing time index');
CREATE INDEX ON shop.checked (at, item_id);
INSERT INTO shop.checked VALUES (1, 4, '2024-01-05', 'view');
SELECT is_empty('SELECT * FROM shop.findings()', 'check: all is well');
INSERT INTO shop.checked SELECT * FROM shop.checked WHERE user_id < 3;
INSERT INTO shop.checked VALUES (NULL, 1, '2024-01-01', 'view'), (1, NULL, '2024-01-01', 'view'), (2, 1, '2024-01-01', 'hover'), (2, 1, '2024-01-02', 'hover'), (2, 1, '2024-01-02', NULL);
INSERT INTO shop.checked SELECT 3, 1, '2024-03-01'::timestamptz + n * interval '1 day', 'view' FROM generate_series(1, 10) n;
SELECT results_eq('SELECT * FROM shop.findings()',
	$$VALUES ('info | duplicate_events | shop.checked has rows that repeat another one''s user, item, event and time: 3 | Each counts. If they are the same event told twice, use a view with DISTINCT or set the option repeats to "max".'),
		('warning | event_without_weight | shop.checked has rows of event "hover", which has no weight: 2 | Such rows do not count. Give the event a weight with recommender.add_interactions().'),
		('warning | event_without_weight | shop.checked has rows of event null, which has no weight: 1 | Such rows do not count. Give the event a weight with recommender.add_interactions().'),
		('warning | null_keys | 2 of 49 rows of shop.checked have no user or no item | Such rows do not count. Leave them out with a view if they are meant to be there.'),
		('warning | stale | 10 of 49 rows of shop.checked are newer than the model | Run SELECT * FROM recommender.refresh(''checked''), and plan to do so regularly.')$$,
	'check: duplicates, events without weight, null keys, stale');
SELECT recommender.set_options('checked', '{"seen_events": ["order"], "half_life": "3 days"}');
SELECT recommender.refresh('checked');
DELETE FROM shop.checked;
SELECT results_eq('SELECT * FROM shop.findings()',
	$$VALUES ('info | items_without_interactions | 4 of 4 items of shop.product have no row in shop.checked | Behaviour cannot recommend them. Say by recommender.set_items() what describes them.'),
		('warning | no_interactions | shop.checked has no rows'),
		('warning | nothing_is_seen | no event of the recommender''s is one of the option seen_events | Say by recommender.set_options(''checked'', ''{"seen_events": [...]}'') after which events an item is not recommended again, or set exclude_seen to false.')$$,
	'check: no interactions, nothing is seen');
SAVEPOINT described;
ALTER TABLE shop.product ADD shelf text;
SELECT recommender.set_items('checked', 'shop.product', feature_columns => '{shelf}');
SELECT is((SELECT hint FROM recommender.check_recommender('checked') WHERE code = 'items_without_interactions'),
	'They are recommended by what they have in common with others.', 'check: what nobody has touched, but described');
ROLLBACK TO described;
SELECT recommender.add_interactions('checked', 'shop.checked', event => 'order');
SELECT results_eq('SELECT code FROM recommender.check_recommender(''checked'') WHERE code <> ''no_neighbors'' ORDER BY 1', $$VALUES ('half_life_without_time'), ('items_without_interactions'), ('no_interactions')$$,
	'check: half-life without time');
INSERT INTO shop.checked SELECT 1, i, now() + interval '1 year', 'view' FROM generate_series(1, 4) i;
SELECT recommender.add_interactions('checked', 'shop.checked', time_column => 'at', event => 'order');
SELECT results_eq('SELECT f FROM shop.findings() f WHERE f ~ ''future''',
	$$VALUES ('warning | future_times | shop.checked has rows with a time in the future: 4 | They count as of now, which makes all others older than they are. Mend them or leave them out with a view.')$$,
	'check: future times');
ALTER TABLE shop.checked ALTER user_id TYPE text;
SELECT results_eq('SELECT * FROM shop.findings()',
	$$VALUES ('error | id_type_changed | column "user_id" of shop.checked is of type text now, the recommender has ids of type integer | Drop the recommender and create it again, or give it a view that casts the column.')$$,
	'check: type of ids changed');
ALTER TABLE shop.checked ALTER user_id TYPE int USING user_id::int;
SELECT recommender.add_interactions('checked', 'shop.checked', event => 'order');
ALTER TABLE shop.checked RENAME user_id TO customer;
SELECT results_eq('SELECT * FROM shop.findings()',
	$$VALUES ('error | column_missing | shop.checked has no column "user_id" any more | Say what it is called now with recommender.add_interactions().'),
		('warning | half_life_without_time | the option half_life has no effect: no source has a time column | Name the time_column with recommender.add_interactions().')$$, 'check: column missing');
CREATE TABLE shop.oid AS SELECT 'shop.checked'::regclass::oid AS oid;
DROP TABLE shop.checked;
SELECT results_eq('SELECT message, hint FROM recommender.check_recommender(''checked'') WHERE severity = ''error'' AND code = ''source_missing''',
	$$SELECT format('the relation with OID %s no longer exists', oid), 'Run SELECT recommender.remove_interactions(''checked'', ' || oid || ').' FROM shop.oid$$, 'check: source missing');
SELECT is((SELECT sources::oid[] FROM recommender.recommenders WHERE name = 'checked'), (SELECT ARRAY[oid] FROM shop.oid), 'it is still listed');
SELECT is((SELECT recommender.remove_interactions('checked', oid::regclass) FROM shop.oid), true, 'it can be removed');
SELECT is((SELECT recommender.remove_interactions('checked', oid::regclass) FROM shop.oid), false, 'once');
SELECT is_empty('SELECT * FROM recommender.check_recommender(''checked'') WHERE code LIKE ''%missing''', 'and is not missed');
SELECT ok(recommender.drop_recommender('checked'), 'the recommender can be dropped');
SELECT throws_ok('SELECT * FROM recommender.check_recommender(NULL)', '22004', 'recommender must not be null', 'check of nothing');

/* ------------------------------------------------------------------------
 * Sources of every kind
 * ------------------------------------------------------------------------ */

CREATE TABLE shop.parts (LIKE shop.orders) PARTITION BY RANGE (at);
CREATE TABLE shop.part1 PARTITION OF shop.parts FOR VALUES FROM (MINVALUE) TO ('2024-05-20');
CREATE TABLE shop.part2 PARTITION OF shop.parts DEFAULT;
CREATE INDEX ON shop.parts (user_id, at);
CREATE INDEX ON shop.parts (at);
INSERT INTO shop.parts SELECT * FROM shop.orders;
CREATE VIEW shop.view AS SELECT quantity AS q, kind AS k, at AS t, item_id::text::int AS i, user_id AS u FROM shop.parts WHERE quantity IS NOT NULL;
CREATE MATERIALIZED VIEW shop.matview AS TABLE shop.orders;
CREATE TABLE shop.parent (LIKE shop.orders);
CREATE TABLE shop.child () INHERITS (shop.parent);
INSERT INTO shop.parent SELECT * FROM shop.orders WHERE at < '2024-05-20';
INSERT INTO shop.child SELECT * FROM shop.orders WHERE at >= '2024-05-20';
CREATE TEMP TABLE temporary AS TABLE shop.orders;

SELECT recommender.create_recommender(name, name::regclass, time_column => 'at', event_column => 'kind', weight_column => 'quantity', event_weights => '{"view": 1, "purchase": 5}')
FROM unnest('{shop.parts,shop.matview,shop.parent,temporary}'::text[]) name;
SELECT recommender.create_recommender('shop.view', 'shop.view', 'u', 'i', 't', 'k', 'q', '{"view": 1, "purchase": 5}');
-- equal rows from two tables, each with a part of the events
CREATE TABLE shop.views AS SELECT user_id::bigint AS user_id, item_id::smallint AS item_id, at::timestamp AS at, quantity::numeric AS quantity FROM shop.orders WHERE kind = 'view';
CREATE TABLE shop.purchases AS SELECT user_id, item_id::int AS item_id, at, quantity::real AS quantity FROM shop.orders WHERE kind = 'purchase';
SELECT recommender.create_recommender('two', 'shop.purchases', time_column => 'at', weight_column => 'quantity');
SELECT throws_ok('SELECT recommender.add_interactions(''two'', ''shop.views'', time_column => ''at'')', '42804', 'column "user_id" of relation "views" must be of type integer, not bigint', 'ids that do not fit');
SELECT recommender.drop_recommender('two');
SELECT recommender.create_recommender('two', 'shop.views', item_column => 'quantity');
SELECT recommender.drop_recommender('two');
ALTER TABLE shop.views ALTER item_id TYPE bigint;
SELECT recommender.create_recommender('two', 'shop.views', time_column => 'at', weight_column => 'quantity');
SELECT recommender.add_interactions('two', 'shop.views', time_column => 'at', weight_column => 'quantity', event => 'view', event_weights => '{"view": 1}');
SELECT recommender.add_interactions('two', 'shop.purchases', time_column => 'at', weight_column => 'quantity', event => 'purchase', event_weights => '{"purchase": 5}');
SELECT is((SELECT sources FROM recommender.recommenders WHERE name = 'two'), '{shop.views,shop.purchases}', 'two sources');
SELECT (recommender.refresh(name)).items FROM recommender.recommenders WHERE name <> 'recs';
SELECT is(shop.answers(name), answer, format('the same answers from %s', name)) FROM shop.reference, recommender.recommenders ORDER BY name;
SELECT set_eq('SELECT item_no, item_id, users, weight, popularity, trend FROM two.item', 'SELECT item_no, item_id::bigint, users, weight, popularity, trend FROM recs.item', 'the same items from two tables');
SELECT set_eq('SELECT code FROM recommender.check_recommender(''shop.view'')', ARRAY[]::text[], 'a view has no index');
SELECT results_eq('SELECT hint FROM recommender.check_recommender(''shop.matview'')', $$VALUES ('CREATE INDEX ON shop.matview (user_id, at);'), ('CREATE INDEX ON shop.matview (at);')$$, 'a materialized view has one');
SELECT is_empty('SELECT * FROM recommender.check_recommender(''shop.parts'')', 'a partitioned table has one');

-- live rows: of a partition, of a view's table; of a materialized view after REFRESH
INSERT INTO shop.parts SELECT 88, item_id, now(), 'view', 1 FROM recs.item WHERE item_no = 5;
SELECT is((SELECT strategy FROM "shop.parts".recommend(88, 1)), 'behaviour', 'a new row of a partitioned table');
SELECT is((SELECT strategy FROM "shop.view".recommend(88, 1)), 'behaviour', 'a new row of a view');
ALTER TABLE shop.parts DETACH PARTITION shop.part2;
SELECT is((SELECT strategy FROM "shop.parts".recommend(88, 1)), 'popularity', 'a partition that is gone');
INSERT INTO shop.orders SELECT 88, item_id, now(), 'view', 1 FROM recs.item WHERE item_no = 5;
SELECT is((SELECT strategy FROM "shop.matview".recommend(88, 1)), 'popularity', 'a materialized view');
REFRESH MATERIALIZED VIEW shop.matview;
SELECT is((SELECT strategy FROM "shop.matview".recommend(88, 1)), 'behaviour', 'a materialized view after REFRESH');
DELETE FROM shop.orders WHERE user_id = 88;
SELECT is(bool_and(recommender.drop_recommender(name)), true, 'dropped') FROM recommender.recommenders WHERE name <> 'recs';
DROP MATERIALIZED VIEW shop.matview;

/* ------------------------------------------------------------------------
 * Renames, and what is gone
 * ------------------------------------------------------------------------ */

CREATE FUNCTION shop.same(name text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT shop.answers(name) = answer FROM shop.reference);
EXCEPTION WHEN OTHERS THEN
	RAISE WARNING '%', sqlerrm;
	RETURN NULL;
END $$;
ALTER TABLE shop.orders RENAME TO "Order's";
SELECT ok(shop.same('recs'), 'the source was renamed');
CREATE SCHEMA "other schema";
ALTER TABLE shop."Order's" SET SCHEMA "other schema";
SELECT ok(shop.same('recs'), 'the source was moved');
ALTER SCHEMA "other schema" RENAME TO another;
SELECT ok(shop.same('recs'), 'the schema of the source was renamed');
ALTER SCHEMA recs RENAME TO "My ""Recs""";
SELECT ok(shop.same('My "Recs"'), 'the recommender was renamed');
SELECT is((SELECT sources::text FROM recommender.recommenders), $${"another.\"Order's\""}$$, 'the source is listed as it is called now');
SELECT is((recommender.refresh('My "Recs"')).recommender, 'My "Recs"', 'refresh by the new name');
SELECT ok(shop.same('My "Recs"'), 'and the same answers');
SELECT throws_ok('SELECT recommender.refresh(''recs'')', '42704', 'recommender "recs" does not exist', 'not by the old one');
SELECT is_empty('SELECT * FROM recommender.check_recommender(''My "Recs"'')', 'check');
ALTER SCHEMA "My ""Recs""" RENAME TO recs;
ALTER TABLE another."Order's" RENAME TO orders;
ALTER TABLE another.orders SET SCHEMA shop;
SELECT ok(shop.same('recs'), 'all as it was');

-- a renamed column is an error until add_interactions() names it
SELECT shop.answers('recs') IS NOT NULL;
ALTER TABLE shop.orders RENAME user_id TO userid;
SELECT throws_ok(query, '42703', 'column "user_id" of relation "orders" does not exist', 'renamed column: ' || query)
FROM unnest('{SELECT * FROM recs.recommend(1),"SELECT recs.score(1, 1)","SELECT * FROM recs.rank_items(1, ''{1}'')",SELECT * FROM recs.recommend_all(),
	SELECT * FROM recs.trending_items(),SELECT recommender.refresh(''recs'')}'::text[]) query;
SELECT lives_ok('SELECT * FROM recs.similar_items(1)', 'similar items need no user');
SELECT is(recommender.add_interactions('recs', 'shop.orders', user_column => 'userid', time_column => 'at', event_column => 'kind', weight_column => 'quantity',
			event_weights => '{"view": 1, "purchase": 5}'), 'recs', 'it is called userid now');
SELECT is((SELECT count(*) FROM recs.source), 1::bigint, 'and there is still one source');
SELECT ok(shop.same('recs'), 'with the same answers');
ALTER TABLE shop.orders RENAME at TO ordered_at;
SELECT throws_ok(query, '42703', 'column "at" of relation "orders" does not exist', 'renamed time column: ' || query)
FROM unnest('{SELECT * FROM recs.recommend(1),SELECT * FROM recs.trending_items(),SELECT recommender.refresh(''recs'')}'::text[]) query;
ALTER TABLE shop.orders RENAME ordered_at TO at;
ALTER TABLE shop.orders RENAME userid TO user_id;
SELECT recommender.add_interactions('recs', 'shop.orders', time_column => 'at', event_column => 'kind', weight_column => 'quantity', event_weights => '{"view": 1, "purchase": 5}');
SELECT ok(shop.same('recs'), 'all as it was');

-- a column of another type is cast if possible
ALTER TABLE shop.orders ALTER user_id TYPE bigint, ALTER item_id TYPE text, ALTER quantity TYPE numeric, ALTER at TYPE timestamp;
SELECT ok(shop.same('recs'), 'columns changed to types that can stand for the old ones');
SELECT is((recommender.refresh('recs')).interactions, 300::bigint, 'refresh from them');
SELECT ok(shop.same('recs'), 'and the same answers');
ALTER TABLE shop.orders ALTER user_id TYPE int, ALTER item_id TYPE int USING item_id::int, ALTER quantity TYPE int, ALTER at TYPE timestamptz;
SELECT ok(shop.same('recs'), 'all as it was');

-- other columns, indexes, rewrites and statistics do not matter
ALTER TABLE shop.orders ADD note text DEFAULT 'x', ALTER quantity SET NOT NULL;
DROP INDEX shop.orders_user_id_at_idx;
SELECT ok(shop.same('recs'), 'without an index');
CREATE INDEX orders_user_id_at_idx ON shop.orders (user_id, at);
ANALYZE shop.orders;
SELECT ok(shop.same('recs'), 'with an index');

-- a dropped source is an error, and can be removed
CREATE TABLE shop.gone AS TABLE shop.orders;
SELECT recommender.add_interactions('recs', 'shop.gone', time_column => 'at');
CREATE TABLE shop.gone_oid AS SELECT 'shop.gone'::regclass::oid AS oid;
SAVEPOINT gone;
SELECT lives_ok('SELECT * FROM recs.recommend(1)', 'a second source');
DROP TABLE shop.gone;
CREATE TABLE shop.gone AS TABLE shop.orders;
SELECT throws_ok(query, '42P01', 'a source of recommender "recs" no longer exists', 'source gone: ' || query)
FROM unnest('{SELECT * FROM recs.recommend(1),"SELECT recs.score(1, 1)","SELECT * FROM recs.rank_items(1, ''{1}'')",SELECT * FROM recs.recommend_all(),
	SELECT * FROM recs.trending_items(),SELECT recommender.refresh(''recs'')}'::text[]) query;
SELECT lives_ok('SELECT * FROM recs.popular_items()', 'popular items need no source');
SELECT set_has('SELECT code FROM recommender.check_recommender(''recs'')', $$VALUES ('source_missing')$$, 'check says so');
SELECT ok(recommender.remove_interactions('recs', oid::regclass), 'it is removed') FROM shop.gone_oid;
SELECT ok(shop.same('recs'), 'and the other one serves');
ROLLBACK TO gone;
SELECT ok(NOT shop.same('recs'), 'it is there again');
SELECT recommender.drop_recommender('recs');
SELECT recommender.create_recommender('recs', 'shop.orders', time_column => 'at', event_column => 'kind', weight_column => 'quantity', event_weights => '{"view": 1, "purchase": 5}');
SELECT recommender.refresh('recs');
SELECT ok(shop.same('recs'), 'a new recommender of the old name');

/* ------------------------------------------------------------------------
 * Ids of any type
 * ------------------------------------------------------------------------ */

CREATE TYPE shop.letter AS ENUM ('z', 'y', 'x', 'w', 'v', 'u', 't', 's', 'r', 'q', 'p', 'o', 'n', 'm', 'l', 'k', 'j', 'i', 'h', 'g', 'f', 'e', 'd', 'c', 'b', 'a',
	'Z', 'Y', 'X', 'W', 'V', 'U', 'T', 'S', 'R', 'Q', 'P', 'O', 'N', 'M', 'L', 'K', 'J', 'I', 'H', 'G', 'F', 'E', 'D', 'C', 'B', 'A');
CREATE DOMAIN shop.sku AS varchar(9) COLLATE "C" CHECK (value ~ '^p');
CREATE DOMAIN shop.code AS int CHECK (value > -1000);
CREATE DOMAIN shop.subcode AS shop.code;
CREATE COLLATION shop.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TYPE "shop"."Pair ""of"" things" AS (a int, b text);

-- "make" turns a number into an id; "kept" is the type of arguments and results
CREATE TABLE shop.id_type (type text, make text, kept text);
INSERT INTO shop.id_type VALUES
	('smallint', '(n - 20)::smallint', 'smallint'),
	('bigint', '9223372036854775807 - n::bigint', 'bigint'),
	('bigint', '-9223372036854775808 + n::bigint', 'bigint'),
	('numeric', '(n / 7.0)', 'numeric'),
	('numeric(12,3)', '(n * 1e7)', 'numeric'),
	('real', '(n / 4.0)::real', 'real'),
	('float8', '(1 / (n + 1.0))::float8', 'double precision'),
	('text', '''item '' || n', 'text'),
	('text', 'repeat(md5(n::text), 300)', 'text'),
	('text COLLATE "und-x-icu"', 'chr(64 + n)', 'text'),
	('text COLLATE shop.ci', 'CASE WHEN random() < .5 THEN ''P'' ELSE ''p'' END || n', 'text'),
	('varchar(8)', '''v'' || n', 'character varying'),
	('char(5)', '''c'' || n', 'character'),
	('"char"', 'chr(65 + n)::"char"', '"char"'),
	('name', '(''x'' || n)::name', 'name'),
	('bytea', 'decode(md5(n::text), ''hex'')', 'bytea'),
	('uuid', 'md5(n::text)::uuid', 'uuid'),
	('date', 'date ''2024-01-01'' - n', 'date'),
	('timestamptz', 'timestamptz ''2024-01-01 00:00'' + n * interval ''1 microsecond''', 'timestamp with time zone'),
	('timestamp', 'timestamp ''2024-01-01 00:00'' + n * interval ''1 hour''', 'timestamp without time zone'),
	('interval', 'n * interval ''1 day''', 'interval'),
	('boolean', '(n % 2 = 1)', 'boolean'),
	('oid', '(4294967295 - n)::oid', 'oid'),
	('inet', '(inet ''10.0.0.0'' + n)', 'inet'),
	('jsonb', 'jsonb_build_object(''id'', n)', 'jsonb'),
	('bit(8)', 'n::bit(8)', 'bit'),
	('int4range', 'int4range(n, n + 1)', 'int4range'),
	('shop.letter', '(enum_range(NULL::shop.letter))[1 + n]', 'shop.letter'),
	('shop.sku', '(''p'' || n)::shop.sku', 'character varying'),
	('shop.subcode', 'n::shop.subcode', 'integer'),
	('shop."Pair ""of"" things"', 'row(n, ''x'')::shop."Pair ""of"" things"', 'shop."Pair ""of"" things"'),
	('regclass', 'n::regclass', 'regclass');

-- The results of every function, with numbers instead of ids.
CREATE FUNCTION shop.say(name text, id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	EXECUTE format($q$
		WITH id AS MATERIALIZED (SELECT DISTINCT user_no AS n, user_id AS id FROM shop.typed WHERE user_no > 0
								 UNION SELECT DISTINCT item_no, item_id FROM shop.typed WHERE item_no > 0),
		said AS (
			SELECT 'recommend', u.n, i.n, round(score::numeric, 9) FROM id u, LATERAL %1$I.recommend(u.id, 99) r, id i WHERE i.id = r.item_id AND u.n < 9
			UNION SELECT 'score', 3, i.n, round(%1$I.score(u.id, i.id)::numeric, 9) FROM id i, id u WHERE u.n = 3
			UNION SELECT 'rank_items', 3, i.n, round(score::numeric, 9) FROM id u, LATERAL %1$I.rank_items(u.id, ARRAY(SELECT j.id FROM id j WHERE j.n < 9)) r, id i WHERE i.id = r.item_id AND u.n = 3
			UNION SELECT 'similar', s.n, i.n, round(score::numeric, 9) FROM id s, LATERAL %1$I.similar_items(s.id, 99, exclude => ARRAY(SELECT j.id FROM id j WHERE j.n < 9)) r, id i WHERE i.id = r.item_id AND s.n < 5
			UNION SELECT 'session', 0, i.n, round(score::numeric, 9) FROM %1$I.recommend_session(ARRAY(SELECT j.id FROM id j WHERE j.n < 5 ORDER BY j.n), 99) r, id i WHERE i.id = r.item_id
			UNION SELECT 'basket', 0, i.n, round(score::numeric, 9) FROM %1$I.recommend_basket(ARRAY(SELECT j.id FROM id j WHERE j.n < 5 ORDER BY j.n), 99, exclude => ARRAY(SELECT j.id FROM id j WHERE j.n = 8)) r, id i WHERE i.id = r.item_id
			UNION SELECT 'popular', 0, i.n, round(score::numeric, 9) FROM %1$I.popular_items(99) r, id i WHERE i.id = r.item_id
			UNION SELECT 'all', u.n, i.n, round(score::numeric, 9) FROM %1$I.recommend_all(99) r, id i, id u WHERE i.id = r.item_id AND u.id = r.user_id)
		SELECT string_agg(s::text, ' ' ORDER BY s) FROM said s $q$, name) INTO answer;
	RETURN answer;
END $$;

CREATE FUNCTION shop.try_type(type text, make text, numbers int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text;
BEGIN
	EXECUTE format('CREATE TABLE shop.typed (user_no int, item_no int, user_id %1$s, item_id %1$s)', type);
	EXECUTE format('INSERT INTO shop.typed SELECT u, i, %s, %s FROM (SELECT DISTINCT 1 + user_id %% %3$s AS u, 1 + item_id %% %3$s AS i FROM shop.orders) o',
				   regexp_replace(make, '\mn\M(?!\()', 'u', 'g'), regexp_replace(make, '\mn\M(?!\()', 'i', 'g'), numbers);
	PERFORM recommender.create_recommender('typed', 'shop.typed', options => '{"measure": "jaccard", "exclude_seen": false}'),
		recommender.refresh('typed');
	said := shop.say('typed', type);
	PERFORM recommender.drop_recommender('typed');
	DROP TABLE shop.typed;
	RETURN said;
END $$;
CREATE TABLE shop.said AS SELECT numbers, shop.try_type('int', 'n', numbers) AS answer FROM (VALUES (2), (15)) n (numbers);
SELECT matches(answer, 'recommend.*score', 'there is something to compare with') FROM shop.said WHERE numbers = 15;
SELECT is(shop.try_type(type, make, numbers), answer, format('ids of type %s, %s', type, make))
FROM shop.id_type JOIN shop.said ON numbers = CASE type WHEN 'boolean' THEN 2 ELSE 15 END;

-- arguments and results have the types of the ids
CREATE TABLE shop.kept AS SELECT type, kept, NULL::text AS found FROM shop.id_type;
DO $$
DECLARE t record;
BEGIN
	FOR t IN SELECT DISTINCT type FROM shop.kept LOOP
		EXECUTE format('CREATE TABLE shop.typed (user_id %1$s, item_id %1$s)', t.type);
		PERFORM recommender.create_recommender('typed', 'shop.typed');
		EXECUTE 'UPDATE shop.kept SET found = (SELECT string_agg(DISTINCT format_type(f, NULL), '','')
			FROM pg_proc p, unnest(ARRAY[p.proargtypes[0], (SELECT atttypid FROM pg_attribute WHERE attrelid = ''typed.user_recommendation''::regclass AND attname = ''item_id''),
				(SELECT atttypid FROM pg_attribute WHERE attrelid = ''typed.item''::regclass AND attname = ''item_id'')]) f
			WHERE p.pronamespace = ''typed''::regnamespace AND p.proname IN (''recommend'', ''similar_items'')) WHERE type = $1' USING t.type;
		PERFORM recommender.drop_recommender('typed');
		DROP TABLE shop.typed;
	END LOOP;
END $$;
-- arguments of small integers are bigint
SELECT is(found, CASE WHEN kept IN ('integer', 'smallint') THEN 'bigint,' END || kept, format('type of ids %s', type)) FROM shop.kept WHERE kept IN ('integer', 'smallint')
UNION ALL SELECT is(found, kept, format('type of ids %s', type)) FROM shop.kept WHERE kept NOT IN ('integer', 'smallint');

-- equal ids are one item, also with different texts
CREATE TABLE shop.spelled (user_id numeric, item_id text COLLATE shop.ci);
INSERT INTO shop.spelled VALUES (1, 'TEA'), (1.0, 'mug'), (2, 'Tea'), (2.00, 'Mug'), (3, 'tea'), (3.000, 'jam'), (4, 'Jam'), (4.0, 'tEA');
SELECT recommender.create_recommender('spelled', 'shop.spelled', options => '{"exclude_seen": false}');
SELECT results_eq('SELECT users, items FROM recommender.refresh(''spelled'')', 'VALUES (4::bigint, 3::bigint)', 'four users, three items');
SELECT results_eq('SELECT item_id COLLATE "C", users FROM spelled.item ORDER BY item_no', $$VALUES ('TEA' COLLATE "C", 4::bigint), ('Jam', 2), ('Mug', 2)$$, 'the bytewise smallest stands for all');
SELECT is((SELECT count(*) FROM spelled.recommend(1.0000, exclude => '{MUG,jaM}')), 1::bigint, 'excluded, however it is written');
SELECT is((SELECT count(*) FROM spelled.similar_items('mUG') WHERE score > 0), 1::bigint, 'known, however it is written');
SELECT is(spelled.score(3, 'mug'), spelled.score(3.0, 'MUG'), 'scored, however it is written');
SELECT results_eq('SELECT user_id::text FROM spelled.recommend_all(1)', 'VALUES (''1''), (''2''), (''3''), (''4'')', 'each user once');

-- types that cannot be ids
SELECT throws_ok(format('CREATE TABLE shop.no_id AS SELECT %s AS user_id, 1 AS item_id; SELECT recommender.create_recommender(''no_id'', ''shop.no_id'')', value), '42804',
				 NULL, format('no ids of type %s', pg_typeof)) FROM (VALUES ('point(1, 1)', 'point'), ('json ''1''', 'json'), ('ARRAY[1]', 'int[]'), ('xml ''<a/>''', 'xml')) v (value, pg_typeof);

/* ------------------------------------------------------------------------
 * Odd names
 * ------------------------------------------------------------------------ */

CREATE SCHEMA "My Shop";
CREATE TABLE "My Shop"."Order ""Lines""" ("the user" int, "it's" int, "Ordered At" timestamptz, "select" text, "a.b" int, "$1" int, "@S" text, "%s" text);
INSERT INTO "My Shop"."Order ""Lines""" SELECT user_id, item_id, at, kind, quantity FROM shop.orders;
CREATE TABLE shop.odd_name (name text);
INSERT INTO shop.odd_name VALUES ('My Recs'), ('select'), ('"'), ('a"b.c'), ('@S @I %s %I $1'), ('''; DROP SCHEMA shop; --'), ('Käse und Öl'), (repeat('x', 63)), ('item'), (' '), ('\'), (E'line\nfeed'), ('recommendation');
SELECT is(recommender.create_recommender(name, '"My Shop"."Order ""Lines"""', 'the user', 'it''s', 'Ordered At', 'select', 'a.b', '{"view": 1, "purchase": 5}', '{@S,%s}'), name, format('created: %s', name))
FROM shop.odd_name;
SELECT is((recommender.refresh(name)).recommender, name, format('refreshed: %s', name)) FROM shop.odd_name;
SELECT ok(shop.same(name), format('answers: %s', name)) FROM shop.odd_name;
SELECT is(recommender.set_options(name, '{"kappa": 2}') -> 'kappa', '2', format('options: %s', name)) FROM shop.odd_name;
SELECT results_eq(format('SELECT code, hint FROM recommender.check_recommender(%L)', name),
				  $$VALUES ('missing_index', 'CREATE INDEX ON "My Shop"."Order ""Lines""" ("the user", "Ordered At");'),
					('missing_time_index', 'CREATE INDEX ON "My Shop"."Order ""Lines""" ("Ordered At");')$$, format('check: %s', name)) FROM shop.odd_name;
SELECT is(recommender.add_interactions(name, 'shop.orders'), name, format('another source: %s', name)) FROM shop.odd_name;
SELECT set_eq('SELECT name, sources FROM recommender.recommenders WHERE cardinality(sources) = 2', $$SELECT name, '{"\"My Shop\".\"Order \"\"Lines\"\"\"",shop.orders}'::regclass[] FROM shop.odd_name$$, 'odd names are listed');
SELECT lives_ok(format('SELECT %I.%s', name, call), format('%s: %s', call, name))
FROM shop.odd_name, unnest('{recommend_all(),trending_items(),popular_items(),"recommend_session(''{1}'')","recommend_basket(''{1}'')","rank_items(1, ''{1}'')","similar_items(1)","score(1, 1)"}'::text[]) call;
SELECT is(recommender.drop_recommender(name), true, format('dropped: %s', name)) FROM shop.odd_name;
SELECT hasnt_schema(name) FROM shop.odd_name;
SELECT throws_ok(format('SELECT recommender.create_recommender(%L, ''shop.orders'')', name), code, NULL, format('no name: %s', name))
FROM (VALUES ('', '42602'), (repeat('x', 64), '42602'), ('pg_recs', '42939'), ('shop', '42P06'), ('public', '42P06'), ('recommender', '42P06'), ('recs', '42P06')) v (name, code);

/* ------------------------------------------------------------------------
 * Dropped
 * ------------------------------------------------------------------------ */

SELECT is(recommender.drop_recommender('nonesuch'), false, 'there is none to drop');
SELECT is(recommender.drop_recommender(repeat('x', 200)), false, 'nor one of a name too long');
SELECT throws_ok('SELECT recommender.drop_recommender(''shop'')', '42809', 'schema "shop" is not a recommender', 'a schema that is none');
SELECT throws_ok('SELECT recommender.drop_recommender(''recommender'')', '42809', NULL, 'the extension''s schema is none');
CREATE VIEW shop.uses AS SELECT * FROM recs.recommend(1);
SELECT throws_ok('SELECT recommender.drop_recommender(''recs'')', '2BP01', NULL, 'a view depends on it');
DROP VIEW shop.uses;
CREATE TABLE shop.keeps (r recs.recommendation);
SELECT throws_ok('SELECT recommender.drop_recommender(''recs'')', '2BP01', NULL, 'a table depends on it');
DROP TABLE shop.keeps;
CREATE TABLE recs.mine (note text);
SELECT throws_ok('SELECT recommender.drop_recommender(''recs'')', '2BP01', NULL, 'somebody put a table into it');
SELECT ok(shop.same('recs'), 'and it still serves');
SELECT throws_ok('SELECT recommender.create_recommender(''recs'', ''shop.orders'', replace => true)', '2BP01', NULL, 'nor is it replaced');
SELECT throws_ok('SELECT recommender.drop_recommender(''recs'', NULL)', '22004', 'cascade must not be null', 'cascade must be given');
CREATE VIEW shop.uses AS SELECT * FROM recs.recommend(1);
SAVEPOINT cascading;
SELECT is(recommender.drop_recommender('recs', cascade => true), true, 'dropped with what depends on it');
SELECT hasnt_schema('recs');
SELECT hasnt_view('shop', 'uses', 'and a view outside is gone');
ROLLBACK TO cascading;
DROP VIEW shop.uses;
DROP TABLE recs.mine;
SAVEPOINT replacing;
SELECT is(recommender.create_recommender('recs', 'shop.orders', time_column => 'at', options => '{"neighbors": 7}', replace => true), 'recs', 'replaced');
SELECT results_eq('SELECT generation, (options ->> ''neighbors'')::int FROM recommender.recommenders WHERE name = ''recs''', 'VALUES (0::bigint, 7)', 'by a new one');
SELECT throws_ok('SELECT recommender.create_recommender(''shop'', ''shop.orders'', replace => true)', '42809', 'schema "shop" is not a recommender', 'no other schema is replaced');
SELECT throws_ok('SELECT recommender.create_recommender(''recs'', ''shop.orders'', replace => NULL)', '22004', 'replace must not be null', 'replace must be given');
SELECT is(recommender.create_recommender('recs2', 'shop.orders', replace => true), 'recs2', 'with none to replace, it is made');
ROLLBACK TO replacing;
SELECT ok(shop.same('recs'), 'ROLLBACK brings the replaced one back');

-- Drivers send bigint for every integer.
CREATE TABLE shop.narrow AS SELECT user_id, item_id::smallint AS item_id, at FROM shop.orders;
SELECT recommender.create_recommender('narrow', 'shop.narrow', time_column => 'at') \gset
SELECT items FROM recommender.refresh('narrow') \gset
SELECT results_eq('SELECT * FROM narrow.recommend(3::bigint, 3::bigint, exclude => ARRAY[1::bigint])', 'SELECT * FROM narrow.recommend(3::smallint, 3::smallint, exclude => ARRAY[1::smallint])', 'the type of integers does not matter');
SELECT results_eq('SELECT item_id, score FROM narrow.rank_items(3::bigint, ARRAY[1, 2]::bigint[])', 'SELECT item_id, score FROM narrow.rank_items(3, ARRAY[1, 2])', 'nor in arrays');
SELECT is(narrow.score(3::bigint, 2::bigint), narrow.score(3, 2), 'nor of an item');
SELECT results_eq('SELECT * FROM narrow.popular_items(9223372036854775807)', 'SELECT * FROM narrow.popular_items(1000)', 'the largest k is all items');
SELECT throws_ok('SELECT * FROM narrow.similar_items(32768)', '22003', 'smallint out of range', 'an id that no item can have');
SELECT recommender.drop_recommender('narrow') \gset
CREATE INDEX ON recs.item (users);
SAVEPOINT dropping;
SELECT is(recommender.drop_recommender('recs'), true, 'dropped');
SELECT hasnt_schema('recs');
SELECT isnt((SELECT count(*) FROM shop.orders), 0::bigint, 'the source stays');
SELECT throws_ok('SELECT recommender.refresh(''recs'')', '42704', 'recommender "recs" does not exist', 'it is gone');
SELECT is_empty('SELECT name FROM recommender.recommenders WHERE name = ''recs''', 'and not listed');
ROLLBACK TO dropping;
SELECT ok(shop.same('recs'), 'ROLLBACK brings it back');

/* ------------------------------------------------------------------------
 * Nothing there
 * ------------------------------------------------------------------------ */

CREATE TABLE shop.empty (user_id int, item_id uuid, at timestamptz);
SELECT recommender.create_recommender('empty', 'shop.empty', time_column => 'at');
SELECT is_empty('SELECT * FROM empty.popular_items()', 'popular items of nothing, before a refresh');
SELECT is_empty('SELECT * FROM empty.trending_items()', 'trending items of nothing, before a refresh');
SELECT results_eq('SELECT generation, interactions, users, items, neighbors FROM recommender.refresh(''empty'')', 'VALUES (1::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint)', 'refresh of nothing');
CREATE FUNCTION shop.empty_answers() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT is_empty(query, format('nothing from %s', query))
	FROM unnest(ARRAY['empty.recommend(1)', 'empty.recommend(NULL, 2147483647)', 'empty.recommend_session(ARRAY[NULL]::uuid[])', 'empty.recommend_basket(ARRAY[md5('''')::uuid])',
					  'empty.similar_items(md5('''')::uuid)', 'empty.popular_items()', 'empty.trending_items()', 'empty.rank_items(1, ''{}'')', 'empty.neighbors']) f,
		 LATERAL (SELECT 'SELECT * FROM ' || f AS query) q
$$;
SELECT shop.empty_answers();
SELECT is_empty('SELECT * FROM empty.recommend_all()', 'nothing from recommend_all');
SELECT is(empty.score(1, md5('')::uuid), 0::float8, 'score in an empty model');
SELECT results_eq('SELECT item_id, score FROM empty.rank_items(1, ARRAY[md5('''')::uuid])', 'SELECT md5('''')::uuid, 0::float8', 'rank_items in an empty model');
INSERT INTO shop.empty VALUES (1, md5('')::uuid, NULL), (2, md5('1')::uuid, NULL);
SELECT shop.empty_answers();
SELECT is_empty('SELECT * FROM empty.recommend_all()', 'an empty model has nothing for those who came later');
SELECT is((recommender.refresh('empty')).neighbors, 0::bigint, 'a refresh of items that have nothing in common');
SELECT is((SELECT item_id FROM empty.recommend(1)), md5('1')::uuid, 'of two items the other one');
SELECT is((SELECT count(*) FROM empty.recommend(1, options => '{"exclude_seen": false}')), 2::bigint, 'or both');
DELETE FROM shop.empty;
SELECT is((recommender.refresh('empty')).items, 0::bigint, 'empty again');
SELECT shop.empty_answers();

/* ------------------------------------------------------------------------
 * search_path, and objects that want to be ours
 * ------------------------------------------------------------------------ */

CREATE TABLE shop.sales (user_id int, item_id int, at timestamptz, kind text, quantity int);
INSERT INTO shop.sales SELECT user_id, item_id, at, kind, quantity FROM shop.orders;
CREATE TABLE shop.catalogue (id int PRIMARY KEY);
INSERT INTO shop.catalogue SELECT generate_series(0, 40);
ALTER TABLE shop.sales ADD FOREIGN KEY (item_id) REFERENCES shop.catalogue;

-- pg_temp and public have objects with our names, and operators and functions that
-- hide those of the system and fail.
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.trap(VARIADIC text[]) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'a hostile object was used'; END $$;
DO $$
DECLARE t text; o text; f text;
BEGIN
	FOREACH t IN ARRAY '{int4,int8,text,name,oid,float8,timestamptz,jsonb}'::text[] LOOP
		EXECUTE format('CREATE FUNCTION hostile.trap(%1$s, %1$s) RETURNS boolean LANGUAGE sql AS ''SELECT hostile.trap(VARIADIC ARRAY[$1::text])''', t);
		FOREACH o IN ARRAY '{=,<>,<,>,<=,>=,+,-,||}'::text[] LOOP
			EXECUTE format('CREATE OPERATOR hostile.%2$s (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = hostile.trap)', t, o);
		END LOOP;
	END LOOP;
	FOREACH f IN ARRAY '{max(timestamptz),max(bigint),max(int),now(),clock_timestamp(),count(),sum(bigint),unnest(int[]),unnest(real[]),
			"unnest(int[], real[], int[])",jsonb_strip_nulls(jsonb),quote_ident(name),"regexp_match(text, text)","array_length(int2[], int)"}'::text[] LOOP
		EXECUTE format('CREATE FUNCTION hostile.%s RETURNS boolean LANGUAGE sql AS ''SELECT hostile.trap(VARIADIC ARRAY[]::text[])''', f);
	END LOOP;
	FOREACH t IN ARRAY '{pg_temp,public,hostile}'::text[] LOOP
		FOREACH o IN ARRAY '{definition,source,item,neighbor,neighbors,refresh_run,recommendation,user_recommendation,refresh_result,item_similarity,pg_class,pg_namespace}'::text[] LOOP
			EXECUTE format('CREATE TABLE %s.%s (generation pg_catalog.bool)', t, o);
		END LOOP;
		FOREACH o IN ARRAY '{text,jsonb,regclass,timestamptz,name,int4,int8}'::text[] LOOP
			EXECUTE format('CREATE DOMAIN %s.%s AS pg_catalog.bool', t, o);
		END LOOP;
	END LOOP;
END $$;

-- The lines are run one by one.
CREATE TABLE shop.call (line int GENERATED ALWAYS AS IDENTITY, query pg_catalog.text);
INSERT INTO shop.call (query) VALUES
	($$SELECT recommender.create_recommender('h', 'shop.orders', 'user_id', 'item_id', 'at', 'kind', 'quantity', '{"view": 1, "purchase": 5}', '{at}', '{"kappa": 2}')$$),
	($$SELECT * FROM h.popular_items(4, NULL, '{3}')$$),
	($$SELECT recommender.add_interactions('h', 'shop.sales', 'user_id', 'item_id', 'at', 'kind', 'quantity', NULL, '{"view": 1}', '{}')$$),
	($$SELECT recommender.set_options('h', '{"half_life": "90 days", "history": 60, "kappa": null}')$$),
	($$SELECT severity, code, message, hint FROM recommender.check_recommender('h')$$),
	($$SELECT generation, mode, interactions, users, items, neighbors, null_keys, without_weight FROM recommender.refresh('h', 'full', false)$$),
	($$SELECT severity, code, message, hint FROM recommender.check_recommender('h')$$),
	($$SELECT name, sources, options, generation, items, live, as_of_refresh FROM recommender.recommenders$$),
	($$SELECT recommender, generation, interactions, options FROM recommender.refresh_runs$$),
	($$SELECT * FROM recommender.refresh_progress$$),
	($$SELECT * FROM h.recommend(5, 4, NULL, '{3}', NULL, '{"reasons": 2}')$$),
	($$SELECT * FROM h.recommend_all(2, NULL, '{3}')$$),
	($$SELECT * FROM h.recommend_session('{1,2,3}', 4)$$),
	($$SELECT * FROM h.recommend_basket('{1,2,3}', 4)$$),
	($$SELECT * FROM h.similar_items(3, 4)$$),
	($$SELECT * FROM h.popular_items(4)$$),
	($$SELECT * FROM h.trending_items(4)$$),
	($$SELECT * FROM h.rank_items(5, '{3,2,1}')$$),
	($$SELECT i, h.score(5, i) FROM pg_catalog.generate_series(0, 45) i$$),
	($$SELECT * FROM h.neighbors$$),
	($$SELECT recommender.drop_recommender('h')$$),
	($$SELECT * FROM recommender.item_similarities('SELECT user_id, item_id FROM shop.orders')$$),
	($$SELECT recommender.item_similarity_agg(user_id, item_id) FROM shop.orders$$);
CREATE FUNCTION shop.calls() RETURNS TABLE (line int, result pg_catalog.text) LANGUAGE plpgsql AS $$
BEGIN
	FOR line IN SELECT c.line FROM shop.call c LOOP
		BEGIN
			EXECUTE pg_catalog.format('SELECT pg_catalog.string_agg(q::pg_catalog.text, E''\n'') FROM (%s) q', (SELECT c.query FROM shop.call c WHERE c.line OPERATOR(pg_catalog.=) calls.line))
			INTO result;
		EXCEPTION WHEN OTHERS THEN
			result := sqlerrm;
		END;
		RETURN NEXT;
	END LOOP;
END $$;
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE TABLE shop.calls_as_usual AS SELECT * FROM shop.calls();
SET LOCAL search_path = '';
CREATE TABLE shop.calls_without_path AS SELECT * FROM shop.calls();
SET LOCAL search_path = hostile, public, pg_catalog;
CREATE TABLE shop.calls_with_hostile_path AS SELECT * FROM shop.calls();
SET LOCAL search_path = pg_temp, hostile, public, pg_catalog;
CREATE TABLE shop.calls_with_temp_path AS SELECT * FROM shop.calls();
-- pgTAP itself needs its search_path
DO $$
DECLARE t pg_catalog.text; o pg_catalog.text;
BEGIN
	FOREACH t IN ARRAY '{pg_temp,public}'::pg_catalog.text[] LOOP
		FOREACH o IN ARRAY '{text,jsonb,regclass,timestamptz,name,int4,int8}'::pg_catalog.text[] LOOP
			EXECUTE pg_catalog.format('DROP DOMAIN %s.%s', t, o);
		END LOOP;
	END LOOP;
END $$;
SET LOCAL search_path = pg_catalog, public;
SELECT matches(result, '^\(', format('there is something to compare with: %s', query))
FROM shop.call JOIN shop.calls_as_usual USING (line) WHERE query !~ 'refresh_progress' ORDER BY line;
SELECT is(result, as_usual, format('%s search_path: %s', path, query))
FROM shop.call JOIN (SELECT line, result AS as_usual FROM shop.calls_as_usual) u USING (line) JOIN (
	SELECT 'empty' AS path, * FROM shop.calls_without_path
	UNION ALL SELECT 'hostile', * FROM shop.calls_with_hostile_path
	UNION ALL SELECT 'temporary', * FROM shop.calls_with_temp_path) p USING (line)
ORDER BY path, line;

-- A model depends on the set of rows, not on their order.
CREATE TABLE shop.fraction AS
SELECT abs(hashint4(n)) % 50 AS user_id, abs(hashint4(n + 10000)) % 20 AS item_id,
	   1 / (1 + abs(hashint4(n + 20000)) % 1000 / 1000.0)::float8 AS weight,
	   timestamptz '2026-01-01' + n % 960 * interval '1 hour' AS at
FROM   generate_series(1, 3000) n;
SELECT recommender.create_recommender('fractions', 'shop.fraction', time_column => 'at', weight_column => 'weight') \gset
SELECT generation FROM recommender.refresh('fractions') \gset
CREATE TABLE shop.item_before AS SELECT item_id, users, weight, popularity, trend FROM fractions.item;
CREATE TABLE shop.fraction_sorted AS TABLE shop.fraction;
TRUNCATE shop.fraction;
INSERT INTO shop.fraction SELECT * FROM shop.fraction_sorted ORDER BY weight;
SELECT generation FROM recommender.refresh('fractions') \gset
SELECT set_eq('SELECT item_id, users, weight, popularity, trend FROM fractions.item', 'TABLE shop.item_before', 'the same rows in another order');
SELECT isnt_empty('SELECT 1 FROM fractions.item WHERE trend > 0', 'with something that trends');

SELECT * FROM finish();
ROLLBACK;
