/*
 * test/pgtap/admin_check.sql
 *	  What check_recommender() finds of a healthy shop that is broken in one way:
 *	  the finding of that fault, and no other.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(57);

CREATE SCHEMA shop;
CREATE TABLE shop.product (id int PRIMARY KEY, title text, category text, v real[], ok boolean DEFAULT true, since timestamptz DEFAULT '2026-01-01');
CREATE INDEX ON shop.product (since);
INSERT INTO shop.product SELECT n, 'title ' || n, 'c' || n % 3, ARRAY[n, 1 + n % 4], true, timestamptz '2026-01-01' + n * interval '1 day' FROM generate_series(1, 20) n;
CREATE TABLE shop.event (no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int, item_id int, kind text, amount float8, at timestamptz, device text);
INSERT INTO shop.event (user_id, item_id, kind, amount, at, device)
SELECT u, 1 + (u * 3 + n) % 20, CASE WHEN n % 2 = 0 THEN 'purchase' ELSE 'view' END, 1 + n, timestamptz '2026-06-01' + u * interval '1 hour' + n * interval '1 minute', 'phone'
FROM generate_series(1, 60) u, generate_series(1, 6) n;
CREATE INDEX event_user ON shop.event (user_id, at);
CREATE INDEX event_at ON shop.event (at);
SELECT recommender.create_recommender('recs', 'shop.event', time_column => 'at', event_column => 'kind', weight_column => 'amount',
	event_weights => '{"view": 1, "purchase": 5}', context_columns => '{device}');
SELECT recommender.set_items('recs', 'shop.product', feature_columns => '{category,v}', text_columns => '{title}', available_column => 'ok', created_column => 'since');
SELECT recommender.refresh('recs');

-- make a change, return the codes that are found, and take the change back
CREATE FUNCTION shop.found(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE codes text;
BEGIN
	EXECUTE change;
	SELECT coalesce(string_agg(code, ' ' ORDER BY code), '') INTO codes FROM (SELECT DISTINCT code FROM recommender.check_recommender('recs')) c;
	RAISE EXCEPTION USING ERRCODE = 'RC001', MESSAGE = codes;
EXCEPTION WHEN SQLSTATE 'RC001' THEN
	RETURN SQLERRM;
END $$;

SELECT is(shop.found('SELECT'), '', 'a healthy shop');
SELECT is(shop.found(change), code, left(code || ': ' || change, 150)) FROM (VALUES
	('source_missing', 'DROP TABLE shop.event'),
	('items_missing', 'DROP TABLE shop.product'),
	('column_missing', 'ALTER TABLE shop.event RENAME user_id TO customer'),
	('column_missing', 'ALTER TABLE shop.event DROP amount'),
	('column_missing', 'ALTER TABLE shop.event DROP device'),
	('column_missing', 'ALTER TABLE shop.product DROP category'),
	('column_missing', 'ALTER TABLE shop.product RENAME ok TO available'),
	('id_type_changed', 'ALTER TABLE shop.event ALTER user_id TYPE text'),
	('id_type_changed', 'ALTER TABLE shop.event ALTER item_id TYPE text'),
	('id_type_changed', 'ALTER TABLE shop.product ALTER id TYPE text'),
	('column_type_changed', 'ALTER TABLE shop.event ALTER amount TYPE text'),
	('column_type_changed', 'ALTER TABLE shop.event ALTER at TYPE text'),
	('column_type_changed', 'ALTER TABLE shop.product ALTER ok DROP DEFAULT, ALTER ok TYPE text'),
	('column_type_changed', 'ALTER TABLE shop.product ALTER ok DROP DEFAULT, ALTER ok TYPE int USING ok::int'),
	('column_type_changed', 'ALTER TABLE shop.product ALTER since DROP DEFAULT, ALTER since TYPE text'),
	('column_type_changed', 'ALTER TABLE shop.product ALTER title TYPE int USING 1'),
	('column_type_changed', 'ALTER TABLE shop.product ALTER category TYPE interval USING ''1 day'''),
	('column_type_changed', 'ALTER TABLE shop.product ALTER v TYPE point USING ''(1,2)'''),
	('items_changed', 'ALTER TABLE shop.product ALTER category TYPE int USING id % 3'),
	('weight_not_valid', 'UPDATE shop.event SET amount = ''NaN'' WHERE user_id = 1'),
	('weight_not_valid', 'UPDATE shop.event SET amount = ''-Infinity'' WHERE user_id = 1'),
	('weight_not_valid', 'UPDATE shop.event SET amount = 1e300 WHERE user_id = 1'),
	('weight_not_valid', 'UPDATE shop.event SET amount = 1e-200 WHERE user_id = 1'),
	('nothing_counts', 'UPDATE shop.event SET amount = 0'),
	('nothing_counts', 'UPDATE shop.event SET amount = -1'),
	('nothing_available', 'UPDATE shop.product SET ok = NULL'),
	('nothing_available', 'UPDATE shop.product SET ok = false'),
	('nothing_available', 'DELETE FROM shop.product'),
	('ids_do_not_match', 'UPDATE shop.product SET id = id + 1000; SELECT recommender.refresh(''recs'')'),
	('ids_match_in_part', 'UPDATE shop.product SET id = id + 1000 WHERE id > 4; SELECT recommender.refresh(''recs'')'),
	('ids_match_in_part', 'DELETE FROM shop.product WHERE id IN (3, 5)'),
	('embedding_not_valid', 'UPDATE shop.product SET v = ''{1,NaN}'' WHERE id = 5'),
	('embedding_not_valid', 'UPDATE shop.product SET v = ''{1,NULL}'' WHERE id = 5'),
	('embedding_not_valid', 'UPDATE shop.product SET v = ''{{1,2}}'' WHERE id = 5'),
	('embedding_length', 'UPDATE shop.product SET v = ''{1,2,3}'' WHERE id = 5'),
	('missing_index', 'DROP INDEX shop.event_user'),
	('missing_time_index', 'DROP INDEX shop.event_at'),
	('missing_created_index', 'DROP INDEX shop.product_since_idx'),
	('missing_item_index', 'ALTER TABLE shop.product DROP CONSTRAINT product_pkey'),
	('null_keys', 'UPDATE shop.event SET user_id = NULL WHERE user_id = 3'),
	('event_without_weight', 'UPDATE shop.event SET kind = ''hover'' WHERE user_id = 3'),
	('future_times', 'UPDATE shop.event SET at = ''2999-01-01'' WHERE user_id = 3'),
	('stale', 'UPDATE shop.event SET at = at + interval ''90 days'' WHERE user_id < 10 AND now() > ''2026-10-01'''),
	('no_interactions', 'DELETE FROM shop.event'),
	('duplicate_events', 'INSERT INTO shop.event (user_id, item_id, kind, amount, at, device) SELECT user_id, item_id, kind, amount, at, device FROM shop.event WHERE user_id = 3'),
	('', 'INSERT INTO shop.event (user_id, item_id, kind, amount, at, device) SELECT user_id, item_id, kind, amount + 1, at, device FROM shop.event WHERE user_id = 3'),
	('extreme_user', 'INSERT INTO shop.event (user_id, item_id, kind, amount, at, device) SELECT 1, 1 + n % 20, ''view'', n, timestamptz ''2026-05-01'' + n * interval ''1 second'', ''robot'' FROM generate_series(1, 15000) n'),
	('nothing_is_seen', 'SELECT recommender.set_options(''recs'', ''{"seen_events": ["order"]}'')'),
	('options_changed', 'SELECT recommender.set_options(''recs'', ''{"neighbors": 7}'')'),
	('no_neighbors', 'UPDATE shop.event SET user_id = no; SELECT recommender.refresh(''recs'')'),
	('duplicate_items', 'CREATE VIEW shop.twice AS TABLE shop.product UNION ALL SELECT id, title, category, v, false, since FROM shop.product WHERE id = 4;
		SELECT recommender.set_items(''recs'', ''shop.twice'', feature_columns => ''{category,v}'', text_columns => ''{title}'', available_column => ''ok'', created_column => ''since'')'),
	('check_failed', 'CREATE VIEW shop.failing AS SELECT user_id, 1 / (item_id - item_id) AS item_id FROM shop.event; DELETE FROM recs.source; INSERT INTO recs.source (position, relation, user_column, item_column) VALUES (1, ''shop.failing'', ''user_id'', ''item_id'')'),
	('', 'ALTER TABLE shop.event ADD note json DEFAULT ''{}''')
	) v (code, change);

-- items lost to max_history
CREATE TABLE shop.long (user_id int, item_id int);
CREATE INDEX ON shop.long (user_id);
INSERT INTO shop.long SELECT 1, i FROM generate_series(1, 30) i;
INSERT INTO shop.long SELECT u, i FROM generate_series(2, 9) u, generate_series(1, 4) i WHERE (u + i) % 2 = 0;
SELECT recommender.create_recommender('long', 'shop.long', options => '{"max_history": 10}');
SELECT recommender.refresh('long');
SELECT results_eq('SELECT code, message FROM recommender.check_recommender(''long'')',
	$$VALUES ('items_lost', 'items of shop.long that no history in the model has: 20; users with more items than the option max_history: 1')$$, 'items lost to max_history');

-- a view that hides the index
CREATE TABLE shop.visit (user_id int, session_id int, item_id int);
INSERT INTO shop.visit SELECT CASE WHEN n % 2 = 0 THEN n % 500 END, n % 500, n % 97 FROM generate_series(1, 20000) n;
CREATE INDEX ON shop.visit (user_id);
CREATE VIEW shop.logged_in AS SELECT coalesce(user_id, session_id) AS user_id, item_id FROM shop.visit;
CREATE VIEW shop.plain AS SELECT user_id, item_id FROM shop.visit WHERE user_id IS NOT NULL;
ANALYZE shop.visit;
SELECT recommender.create_recommender('hidden', 'shop.logged_in');
SELECT recommender.create_recommender('plain', 'shop.plain');
SELECT recommender.refresh('hidden'), recommender.refresh('plain');
SELECT results_eq('SELECT code, message FROM recommender.check_recommender(''hidden'')',
	$$VALUES ('slow_history', 'to read one user''s rows of shop.logged_in, the plan reads all of shop.visit')$$, 'a view that hides the index');
SELECT is_empty('SELECT * FROM recommender.check_recommender(''plain'')', 'a view that does not');

SELECT * FROM finish();
ROLLBACK;
