/*
 * test/pgtap/answer_explain.sql
 *	  The terms of an explanation add up to the score, to the last bit.
 *
 * Random shops and options; for each pair of user and item, the contributions are
 * added up by plain SQL in several orders and compared with score() and
 * recommend().  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;

SELECT plan(40);

CREATE SCHEMA shop;
CREATE FUNCTION shop.random(n int, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || substr(md5(n || ':' || salt), 1, 8))::bit(32)::bigint::float8 / 4294967295
$$;
CREATE TABLE shop.event (user_id int, item_id int, kind text, quantity float8, at timestamptz);
INSERT INTO shop.event
SELECT (40 * power(shop.random(n, 1), 2))::int, (60 * power(shop.random(n, 2), 2))::int,
	   (ARRAY['view', 'cart', 'purchase', 'purchase', 'return'])[1 + (4.99 * shop.random(n, 3))::int % 5],
	   round((1 + 5 * shop.random(n, 4))::numeric, 3), timestamptz '2024-03-01' - interval '1 hour' * (5000 * shop.random(n, 5))::int
FROM generate_series(1, 1200) n;
CREATE INDEX ON shop.event (user_id, at);
SELECT recommender.create_recommender('recs', 'shop.event', time_column => 'at', event_column => 'kind', weight_column => 'quantity',
	event_weights => '{"view": 1, "cart": 2.5, "purchase": 5, "return": -6}', options => '{"half_life": "60 days", "min_support": 1}');
SELECT generation FROM recommender.refresh('recs');

CREATE TABLE shop.option (options jsonb);
INSERT INTO shop.option VALUES (NULL), ('{"blend": {"behaviour": 0.37, "popularity": 0.9, "trend": 0.21}}'), ('{"kappa": 0}'), ('{"kappa": 1e6, "history": 3}'),
	('{"blend": {"behaviour": 0}}'), ('{"blend": {"behaviour": 123.456, "popularity": 1e-5, "trend": 1e5}}'), ('{"half_life": "3 days"}');

-- the sum of contributions in their order, and the score
CREATE TABLE shop.sum AS
SELECT u, i, o.options, recs.score(u, i, options => o.options) AS score, e.*
FROM shop.option o, generate_series(0, 41) u, generate_series(0, 61) i,
	 LATERAL (SELECT coalesce(sum(contribution ORDER BY position), 0) AS total, count(*) AS terms,
					 coalesce(sum(contribution ORDER BY contribution), 0) AS rising, coalesce(sum(contribution ORDER BY position DESC), 0) AS backwards,
					 array_agg(position ORDER BY position) = array_agg(r::int ORDER BY r) AS in_order,
					 bool_and(contribution <> 0) AS counts, bool_and(sentence <> '') AS told
			  FROM (SELECT *, row_number() OVER () AS r FROM recs.explain(u, i, options => o.options)) x) e;
SELECT is((SELECT count(*) FROM shop.sum), 7 * 42 * 62::bigint, 'all pairs');
SELECT cmp_ok((SELECT count(*) FROM shop.sum WHERE terms > 5), '>', 3000::bigint, 'with many terms');
SELECT cmp_ok((SELECT count(*) FROM shop.sum WHERE score < 0), '>', 100::bigint, 'some against');
SELECT is_empty('SELECT * FROM shop.sum WHERE total <> score', 'explanations add up to the score, to the last bit');
SELECT is_empty('SELECT * FROM shop.sum WHERE rising <> score OR backwards <> score', 'in other orders, too');
SELECT is_empty('SELECT * FROM shop.sum WHERE NOT in_order OR NOT counts OR NOT told', 'in order, each with something to say');

-- recommend() returns equal scores
SELECT is_empty($$
	SELECT u, r.* FROM shop.option o, generate_series(0, 41) u, recs.recommend(u, 100, options => coalesce(o.options, '{}') || '{"exclude_seen": false}') r
	WHERE r.score <> (SELECT sum(contribution ORDER BY position) FROM recs.explain(u, r.item_id, options => o.options))$$,
	'recommend() gives the explained score');
SELECT is_empty($$
	SELECT u, r.item_id, e.* FROM generate_series(0, 41) u, recs.recommend(u, 20) r,
		LATERAL (SELECT array_agg(row(component, because_item, round(contribution::numeric, 9))::text ORDER BY abs(contribution) DESC, position) AS top FROM (
			SELECT * FROM recs.explain(u, r.item_id) ORDER BY abs(contribution) DESC, position LIMIT 3) t) e
	WHERE e.top IS DISTINCT FROM (SELECT array_agg(row(x ->> 'component', (x ->> 'item')::int, round((x ->> 'contribution')::numeric, 9))::text ORDER BY n)
								  FROM jsonb_array_elements(r.reasons) WITH ORDINALITY t (x, n))$$,
	'reasons are the largest three');

-- the components of a recommendation are the sums of its contributions
SELECT is_empty($$
	SELECT u, r.rank FROM shop.option o, generate_series(0, 41) u, recs.recommend(u, 30, options => o.options) r
		FULL JOIN recs.recommend_components(u, 30, options => o.options) c USING (rank, item_id, score, strategy)
	WHERE r.reasons IS NULL OR c.behaviour IS NULL OR c.factors + c.content + c.context <> 0
	   OR (c.behaviour, c.popularity, c.trend) <> (
		SELECT coalesce(sum(contribution ORDER BY position) FILTER (WHERE component = 'behaviour'), 0),
			   coalesce(sum(contribution) FILTER (WHERE component = 'popularity'), 0),
			   coalesce(sum(contribution) FILTER (WHERE component = 'trend'), 0)
		FROM recs.explain(u, r.item_id, options => o.options))$$, 'components are the sums of their contributions');

-- each row: its contribution is of its similarity and weight
SELECT is_empty($$
	SELECT u, i, e.* FROM generate_series(0, 41) u, generate_series(0, 61) i, recs.explain(u, i) e
	WHERE component = 'behaviour' AND NOT EXISTS (
		SELECT FROM recs.neighbors n WHERE n.item_id = e.because_item AND n.neighbor_id = i AND n.kind = 'behaviour' AND n.similarity = e.similarity)$$,
	'similarities are those of the model');
SELECT is_empty($$
	SELECT u, i, min(contribution / (similarity * weight)), max(contribution / (similarity * weight))
	FROM generate_series(0, 41) u, generate_series(0, 61) i, recs.explain(u, i)
	WHERE component = 'behaviour' GROUP BY 1, 2 HAVING max(contribution / (similarity * weight)) > min(contribution / (similarity * weight)) * (1 + 1e-7)$$,
	'contributions are in the proportion of similarity and weight');
SELECT is_empty($$
	WITH newest AS MATERIALIZED (
		SELECT user_id, item_id, round(power(0.5, extract(epoch FROM (SELECT max(at) FROM shop.event) - max(at)) / 86400 / 60)::numeric, 9) AS decay
		FROM shop.event GROUP BY 1, 2)
	SELECT u, i, e.* FROM generate_series(0, 41) u, generate_series(0, 61) i, recs.explain(u, i) e
	WHERE component = 'behaviour' AND (u, because_item, round(decay::numeric, 9)) NOT IN (TABLE newest)$$,
	'decays are those of the newest interaction with the item');

-- sentences have the titles of items
SAVEPOINT before;
CREATE TABLE shop.item (id int PRIMARY KEY, name text, about tsvector);
INSERT INTO shop.item SELECT i, CASE WHEN i % 3 > 0 THEN 'Thing no. ' || i WHEN i % 2 > 0 THEN '' END FROM generate_series(0, 61) i;
SELECT recommender.set_items('recs', 'shop.item', text_columns => '{about,name}');
SELECT is_empty($$SELECT u, i, e.* FROM generate_series(0, 9) u, generate_series(0, 61) i, recs.explain(u, i) e
	WHERE because_item IS NOT NULL AND (e.sentence ~ CASE WHEN because_item % 3 > 0 THEN ' Thing no. ' || because_item || '(\.| into your cart\.)$' ELSE ' ' || because_item || '(\.| into your cart\.)$' END) IS NOT TRUE$$,
	'in sentences, items have their titles, and their ids without');
ROLLBACK TO before;

-- with content: likewise, and shared features are named; 62 to 66 are new items
CREATE TABLE shop.product (id int PRIMARY KEY, colour text, marks text[], price int, fair boolean, name text, picture real[]);
CREATE FUNCTION shop.product(i int) RETURNS SETOF shop.product LANGUAGE sql AS $$
	SELECT i, (ARRAY['red', 'blue', 'green'])[1 + i % 3], ARRAY['m' || i % 4, 'n' || i % 7], i * 37 % 100, CASE WHEN i % 5 > 0 THEN true END,
		   'thing of ' || (ARRAY['wood', 'iron', 'clay', 'glass'])[1 + i % 4], ARRAY[i % 3 - 1, i % 5, 1] $$;
INSERT INTO shop.product SELECT p.* FROM generate_series(0, 61) i, shop.product(i) p;
SELECT recommender.set_items('recs', 'shop.product', feature_columns => '{colour,marks,price,fair,picture}', text_columns => '{name}');
SELECT isnt((recommender.refresh('recs')).items, NULL, 'refreshed with content');
INSERT INTO shop.product SELECT p.* FROM generate_series(62, 66) i, shop.product(i) p;
INSERT INTO shop.event SELECT 50 + n % 3, 62 + n % 5, 'view', 1, '2024-03-01' FROM generate_series(0, 8) n;
CREATE TABLE shop.content_sum AS
SELECT u, i, o.options, recs.score(u, i, options => o.options) AS score, e.*
FROM (VALUES (NULL::jsonb), ('{"blend": {"behaviour": 0.3, "content": 3, "trend": 0.2}}'), ('{"item_kappa": 0, "kappa": 0}'), ('{"new_items": 2}')) o (options),
	 generate_series(0, 54, 6) u, generate_series(0, 66, 2) i,
	 LATERAL (SELECT coalesce(sum(contribution ORDER BY position), 0) AS total, coalesce(sum(contribution ORDER BY contribution), 0) AS rising,
					 count(*) FILTER (WHERE component = 'content') AS terms, count(because_value) AS named,
					 coalesce(bool_and(CASE WHEN component <> 'content' THEN because_value IS NULL
						WHEN contribution < 0 THEN sentence LIKE 'Less so because it resembles %.'
						WHEN because_value IS NULL THEN sentence LIKE 'It resembles %.' AND sentence NOT LIKE '%: %'
						ELSE sentence LIKE 'It resembles %: ' || because_value || '.' END), true) AS told
			  FROM recs.explain(u, i, options => o.options)) e;
SELECT cmp_ok((SELECT sum(terms) FROM shop.content_sum), '>', 1000::numeric, 'many contributions of content');
SELECT cmp_ok((SELECT sum(terms) FROM shop.content_sum WHERE i > 61), '>', 50::numeric, '... to what is new');
SELECT is_empty('SELECT * FROM shop.content_sum WHERE total <> score OR rising <> score', 'with content, too, they add up to the score, to the last bit');
SELECT is_empty('SELECT * FROM shop.content_sum WHERE NOT told', 'and the sentences name what is shared');
SELECT cmp_ok((SELECT count(*) FROM shop.content_sum WHERE named > 0), '>', 200::bigint, 'mostly');
SELECT is_empty($$SELECT u, r.item_id, x FROM generate_series(0, 54, 6) u, recs.recommend(u, 20, options => '{"language": "ko", "blend": {"content": 3}}') r, jsonb_array_elements(r.reasons) x
	WHERE x ->> 'component' = 'content' AND NOT EXISTS (SELECT FROM recs.explain(u, r.item_id, options => '{"language": "ko", "blend": {"content": 3}}') e
		WHERE (e.component, e.because_item, e.sentence) = ('content', (x ->> 'item')::int, x ->> 'sentence') AND e.because_value IS NOT DISTINCT FROM x ->> 'value')$$,
	'reasons tell the same of content as explain()');
SELECT is((SELECT array_agg(DISTINCT because_value || ' | ' || sentence) FROM recs.explain(52, 65, options => '{"language": "ko", "exclude_seen": false}') WHERE because_item = 62), '{"colour green | thing of clay와(과) 비슷합니다: colour green."}', 'two that are new');
ROLLBACK TO before;

-- unknown users and items
SELECT is_empty('SELECT * FROM recs.explain(1, 9999)', 'an item that is not in the model');
SELECT is_empty('SELECT * FROM recs.explain(1, NULL)', 'no item');
SELECT is((SELECT array_agg(component) FROM recs.explain(9999, 1)), '{popularity}', 'a user that nobody knows');
SELECT is((SELECT sum(contribution) FROM recs.explain(NULL, 1)), recs.score(NULL, 1), 'no user');
SELECT throws_ok('SELECT * FROM recs.explain(1, 1, options => ''{"neighbors": 3}'')', '22023', NULL, 'options of a build');
SELECT throws_ok('SELECT * FROM recs.explain(1, 1, options => ''{"language": 3}'')', '22023', NULL, 'a language that is none');

-- live: a row of this transaction counts, until it is rolled back
SAVEPOINT before;
INSERT INTO shop.event VALUES (9999, 1, 'purchase', 1, '2024-03-02');
SELECT is((SELECT sentence FROM recs.explain(9999, 2) WHERE component = 'behaviour'), 'Because you bought 1.', 'what was bought a moment ago');
INSERT INTO shop.event VALUES (9999, 1, 'view', 1, '2024-03-03');
SELECT is((SELECT sentence FROM recs.explain(9999, 2) WHERE component = 'behaviour'), 'Because you looked at 1.', 'the newest event tells');
SELECT is((SELECT sentence FROM recs.explain(9999, 2, options => '{"language": "ko"}') WHERE component = 'behaviour'), '1을(를) 보셨기 때문입니다.', 'in Korean');
SELECT is((SELECT sentence FROM recs.explain(9999, 2, options => '{"language": "tlh"}') WHERE component = 'behaviour'), 'Because you looked at 1.', 'in a language that nobody wrote');
INSERT INTO recs.explanation_template VALUES ('behaviour', 'fr', 'Comme {because} : {item}, {{value}} {unknown}');
SELECT is((SELECT sentence FROM recs.explain(9999, 2, options => '{"language": "fr"}') WHERE component = 'behaviour'), 'Comme 1 : 2, {} {unknown}', 'in one of the application''s own');
SELECT is((SELECT sentence FROM recs.explain(9999, 2, options => '{"language": "fr"}') WHERE component = 'popularity'), 'Many people choose it.', 'and English for the rest');
DELETE FROM recs.explanation_template;
SELECT is((SELECT array_agg(DISTINCT sentence) FROM recs.explain(9999, 2)), '{NULL}', 'without templates there are no sentences');
ROLLBACK TO before;
SELECT is((SELECT array_agg(component) FROM recs.explain(9999, 2)), '{popularity}', 'is forgotten with its transaction');

-- reasons have sentences if a language is given
SELECT is_empty($$SELECT u, e FROM generate_series(0, 41) u, recs.recommend(u) r, jsonb_array_elements(r.reasons) e WHERE e ? 'sentence'$$, 'no language, no sentences');
SELECT is_empty($$SELECT u, x FROM generate_series(0, 41) u, recs.recommend(u, options => '{"language": "en"}') r, jsonb_array_elements(r.reasons) x
	WHERE x ->> 'sentence' IS DISTINCT FROM (SELECT sentence FROM recs.explain(u, r.item_id) e WHERE e.component = x ->> 'component'
		AND e.because_item IS NOT DISTINCT FROM (x ->> 'item')::int)$$, 'a language, the sentences of explain()');
SELECT is((SELECT r.reasons -> 0 ->> 'sentence' FROM recs.recommend_session('{1}', options => '{"language": "en"}') r WHERE strategy = 'behaviour' LIMIT 1), 'Because you chose 1.', 'sessions have no events');
SELECT is(recommender.set_options('recs', '{"language": "ko"}') ->> 'language', 'ko', 'a recommender''s language');
SELECT isnt((SELECT sentence FROM recs.explain(1, 2) LIMIT 1), (SELECT sentence FROM recs.explain(1, 2, options => '{"language": "en"}') LIMIT 1), 'is what it speaks');

SELECT * FROM finish();
ROLLBACK;
