/*
 * test/pgtap/rank_dislike.sql
 *	  Events of negative weight: a disliked item is not recommended again, and
 *	  lowers the scores of similar items, by behaviour and by content, in single
 *	  calls, in recommend_all() and in an evaluation.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public, shop;

SELECT plan(30);

-- Two tastes: even customers buy from 1 to 12, odd ones from 13 to 24.  Nobody has touched 31 to 36.
CREATE SCHEMA shop;
CREATE FUNCTION shop.random(n int, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$SELECT ('x' || substr(md5(n || ':' || salt), 1, 8))::bit(32)::bigint::float8 / 4294967296$$;
CREATE TABLE shop.products (id int PRIMARY KEY, taste text, title text);
CREATE FUNCTION shop.taste(id int) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT CASE WHEN id BETWEEN 1 AND 12 OR id BETWEEN 31 AND 33 OR id = 41 THEN 'sweet' ELSE 'sour' END$$;
INSERT INTO shop.products SELECT i, shop.taste(i), shop.taste(i) || ' thing' FROM generate_series(1, 36) i WHERE i NOT BETWEEN 25 AND 30;
CREATE TABLE shop.events (user_id int, item_id int, kind text, at timestamptz);
CREATE INDEX ON shop.events (user_id);
INSERT INTO shop.events SELECT u, 12 * (u % 2) + 1 + floor(12 * shop.random(u * 100 + n, 1))::int, 'purchase', '2024-01-01'::timestamptz + n * interval '1 day' FROM generate_series(1, 60) u, generate_series(1, 5) n;
-- 100 likes sweet and has sent back one sour thing; 101 has only sent one back; 102 only likes sweet; 103 bought again what was sent back
INSERT INTO shop.events VALUES (100, 1, 'purchase', '2024-01-08'), (100, 2, 'purchase', '2024-01-08'), (100, 13, 'purchase', '2024-01-08'), (100, 13, 'return', '2024-01-09'),
	(101, 13, 'return', '2024-01-09'), (102, 1, 'purchase', '2024-01-08'), (102, 2, 'purchase', '2024-01-08'),
	(103, 13, 'return', '2024-01-08'), (103, 13, 'purchase', '2024-01-09'), (103, 13, 'purchase', '2024-01-09');
SELECT recommender.create_recommender('recs', 'shop.events', time_column => 'at', event_column => 'kind', event_weights => '{"purchase": 5, "return": -9}');
SELECT recommender.set_items('recs', 'shop.products', feature_columns => '{taste}');
SELECT isnt((recommender.refresh('recs')).items, NULL, 'refreshed');
INSERT INTO shop.products VALUES (41, 'sweet', 'new'), (42, 'sour', 'new');	-- the model does not know these

CREATE TABLE shop.option (options jsonb);
INSERT INTO shop.option VALUES ('{}'), ('{"exclude_seen": false}'), ('{"seen_events": [], "exclude_seen": true}'), ('{"blend": {"behaviour": 0}}'), ('{"blend": {"content": 0}}'), ('{"blend": {"content": 3}, "diversity": 0.5, "exclude_seen": false}'),
	('{"max_per": {"taste": 100}, "exclude_seen": false}');

-- never back
SELECT is_empty($$SELECT o.options, u FROM shop.option o, unnest('{100,101}'::int[]) u, recs.recommend(u, 100, options => o.options) r WHERE r.item_id = 13$$, 'what was sent back is not recommended');
SELECT is_empty($$SELECT o.options, u FROM shop.option o, unnest('{100,101}'::int[]) u, recs.recommend_components(u, 100, options => o.options) r WHERE r.item_id = 13$$, 'nor with components');
SELECT is_empty($$SELECT o.options FROM shop.option o, recs.recommend_all(100, options => o.options) r WHERE r.item_id = 13 AND r.user_id IN (100, 101)$$, 'nor for everybody at once');
SELECT is_empty($$SELECT FROM recs.recommend(100, 100, filter => '{"id": 13}', options => '{"exclude_seen": false}')$$, 'nor when a filter asks for it');
SELECT isnt_empty($$SELECT FROM recs.recommend(103, 100, options => '{"exclude_seen": false}') r WHERE r.item_id = 13$$, 'bought twice again, it is liked after all');
SELECT isnt_empty($$SELECT FROM recs.recommend(102, 100) r WHERE r.item_id = 13$$, 'others are recommended it');

-- what resembles it goes down: by behaviour what others have with it, by content what is of the same taste
SELECT cmp_ok((SELECT count(*) FROM generate_series(14, 24) i WHERE recs.score(100, i) < recs.score(102, i)), '=', 11::bigint, 'by behaviour and content, all of that taste');
SELECT is_empty($$SELECT i FROM generate_series(34, 36) i WHERE recs.score(100, i) >= 0 OR recs.score(101, i) >= 0$$, 'what nobody has touched, by content');
SELECT ok(recs.score(100, 42) < 0 AND recs.score(101, 42) < 0 AND recs.score(100, 41) > 0, 'and what the model does not know');
SELECT is((SELECT array_agg(DISTINCT shop.taste(item_id)) FROM recs.recommend(100, 11)), '{sweet}', 'so the other taste comes first');
SELECT is((SELECT array_agg(DISTINCT shop.taste(item_id)) FROM recs.recommend(101, 100) WHERE score < 0), '{sour}', 'a history of dislikes alone is heard');
SELECT is_empty($$SELECT u, i, e.* FROM unnest('{100,101}'::int[]) u, unnest('{14,20,24,34,42}'::int[]) i, recs.explain(u, i) e WHERE e.because_item = 13 AND NOT (e.contribution < 0 AND e.weight < 0 AND e.sentence ~ '^Less so because')$$, 'each contribution of it speaks against, and says so');
SELECT set_eq($$SELECT DISTINCT component FROM recs.explain(100, 14) WHERE because_item = 13$$, $$VALUES ('behaviour'), ('content')$$, 'both do');
SELECT is((SELECT because_value || ' | ' || sentence FROM recs.explain(101, 42, options => '{"language": "ko"}') WHERE because_item = 13), 'taste sour | 13와(과) 비슷해서 순위가 내려갔습니다.', 'in Korean');
SELECT is_empty($$SELECT u, r.item_id FROM unnest('{100,101}'::int[]) u, recs.recommend(u, 100) r, jsonb_array_elements(r.reasons) x WHERE (x ->> 'item')::int = 13 AND (x ->> 'contribution')::float8 >= 0$$, 'and so do reasons');
SELECT is_empty($$SELECT * FROM (SELECT user_id, rank, item_id, score, strategy FROM recs.recommend_all(100)) a
	FULL JOIN (SELECT u AS user_id, rank, item_id, score, strategy FROM (SELECT DISTINCT user_id AS u FROM shop.events) o, recs.recommend(u, 100)) b USING (user_id, rank, item_id, score, strategy) WHERE a.user_id IS NULL OR b.user_id IS NULL$$,
	'for everybody at once as for each');

-- live: a return of this moment counts, and goes with its transaction
SAVEPOINT before;
INSERT INTO shop.events VALUES (102, 1, 'return', '2024-01-10');
SELECT is_empty($$SELECT FROM recs.recommend(102, 100, options => '{"exclude_seen": false}') r WHERE r.item_id = 1$$, 'sent back a moment ago');
SELECT ok(recs.score(102, 31) < recs.score(100, 31), 'what is like it is less liked');
INSERT INTO shop.events VALUES (104, 41, 'return', '2024-01-10');
SELECT ok(recs.score(104, 31) < 0, 'a new item that was sent back pulls down, too');
SELECT is_empty($$SELECT FROM recs.recommend(104, 100) r WHERE r.item_id = 41$$, 'and does not come back');
SELECT is_empty($$SELECT FROM recs.recommend_all(100) r WHERE r.user_id = 104 AND r.item_id = 41$$, 'for everybody at once, too');
ROLLBACK TO before;
SELECT ok(recs.score(102, 31) > 0, 'as before');

-- ratings: what nobody has rated is judged by its content
CREATE TABLE shop.ratings (user_id int, item_id int, stars int);
CREATE INDEX ON shop.ratings (user_id);
INSERT INTO shop.ratings SELECT u, i, CASE WHEN shop.taste(i) = 'sweet' THEN 5 ELSE 1 END FROM (VALUES (1, 1), (1, 13), (2, 2), (2, 14), (3, 3)) v (u, i);
SELECT recommender.create_recommender('rated', 'shop.ratings', weight_column => 'stars', options => '{"measure": "adjusted_cosine", "weighting": "none"}');
SELECT recommender.set_items('rated', 'shop.products', feature_columns => '{taste}');
SELECT isnt((recommender.refresh('rated')).items, NULL, 'refreshed');
SELECT ok(rated.score(1, 31) > 0 AND rated.score(1, 34) < 0, 'a rating below the mean speaks against what is alike');
SELECT is((SELECT array_agg(DISTINCT shop.taste(item_id)) FROM rated.recommend(1, 10)), '{sweet}', 'which comes last');

-- an evaluation hides nothing of it: what it measures is what would have been served
CREATE TABLE shop.trade (user_id int, item_id int, kind text, at timestamptz);
CREATE INDEX ON shop.trade (user_id);
INSERT INTO shop.trade SELECT (30 * shop.random(n, 2) ^ 2)::int, 12 * (n % 2) + 1 + floor(12 * shop.random(n, 3))::int, CASE WHEN shop.random(n, 4) < 0.25 THEN 'return' ELSE 'purchase' END, '2024-01-01'::timestamptz + n * interval '1 hour' FROM generate_series(1, 500) n;
CREATE VIEW shop.past AS SELECT * FROM shop.trade WHERE at <= (SELECT percentile_disc(0.7) WITHIN GROUP (ORDER BY at) FROM shop.trade);
SELECT recommender.create_recommender(name, source, time_column => 'at', event_column => 'kind', event_weights => '{"purchase": 1, "return": -1.5}', options => '{"min_support": 1, "exclude_seen": false}')
FROM (VALUES ('whole', 'shop.trade'::regclass), ('past', 'shop.past')) v (name, source);
SELECT recommender.set_items(name, 'shop.products', feature_columns => '{taste}', text_columns => '{title}') FROM unnest('{whole,past}'::text[]) name;
SELECT generation FROM recommender.refresh('past');
-- what counts as found: wanted after all in the test part, and not turned against before
CREATE TABLE shop.future AS
SELECT user_id, array_agg(item_id) AS items FROM (
	SELECT user_id, item_id FROM shop.trade t WHERE at NOT IN (SELECT at FROM shop.past) GROUP BY 1, 2
	HAVING sum(CASE kind WHEN 'return' THEN -1.5 ELSE 1 END) > 0 AND NOT EXISTS (SELECT FROM shop.past p WHERE p.user_id = t.user_id AND p.item_id = t.item_id HAVING sum(CASE kind WHEN 'return' THEN -1.5 ELSE 1 END) < 0)) w GROUP BY 1;
SELECT cmp_ok((SELECT count(*) FROM shop.future, past.recommend(user_id, 24) r WHERE r.score < 0), '>', 20::bigint, 'dislikes play a part');
SELECT results_eq(format($$SELECT users, round(value::numeric, 9) FROM recommender.evaluate('whole', test_share => 0.3, k => '{10}', metrics => '{ndcg}', options => %L, resamples => 0, store => false) WHERE strategy = 'recommender' AND segment = 'all' AND metric = 'ndcg'$$, options),
	format($$SELECT count(*), round(avg(recommender.ndcg((SELECT array_agg(r.item_id ORDER BY r.rank) FROM past.recommend(f.user_id, 10, options => %L) r), f.items, 10))::numeric, 9) FROM shop.future f$$, options),
	format('evaluated as served: %s', options))
FROM unnest(ARRAY['{}', '{"blend": {"behaviour": 0}}', '{"blend": {"content": 4}}']) options;

SELECT * FROM finish();
ROLLBACK;
