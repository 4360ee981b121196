-- test/demo/demo.sql
--
-- The output of `make demo`: a shop, a recommender over it, and its answers.
-- Run it in a fresh database:
--
--     psql -X -q -v ON_ERROR_STOP=1 -f test/demo/demo.sql

\set ON_ERROR_STOP on
\pset pager off
\pset footer off
\pset null ''
\pset linestyle ascii
\pset border 1

CREATE EXTENSION recommender;

\echo
\echo '======================================================================================================'
\echo '  A shop'
\echo '======================================================================================================'
\echo

\ir shop.sql
SET timezone = 'UTC';
SET datestyle = 'ISO';

SELECT (SELECT count(*) FROM shop.products) AS products,
       (SELECT count(*) FROM shop.customers) AS customers,
       count(*) FILTER (WHERE kind = 'view') AS views,
       count(*) FILTER (WHERE kind = 'cart') AS carts,
       count(*) FILTER (WHERE kind = 'purchase') AS purchases,
       count(*) FILTER (WHERE kind = 'return') AS returns,
       min(at)::date AS since,
       max(at)::date AS until
FROM   shop.events;

\echo 'Five of its products:'
\echo
SELECT id, title, price, stock, array_to_string(tags, ', ') AS tags
FROM  (SELECT *, row_number() OVER (PARTITION BY category ORDER BY id) AS nth FROM shop.products) AS p
WHERE  nth = 4 AND category IN ('coffee', 'outdoor', 'books', 'toys', 'garden')
ORDER  BY id;


\echo '======================================================================================================'
\echo '  A recommender over the events and the products'
\echo '======================================================================================================'
\echo
\echo 'SELECT recommender.create_recommender(''recs'', ''shop.events'','
\echo '           user_column => ''customer_id'', item_column => ''product_id'','
\echo '           time_column => ''at'', event_column => ''kind'','
\echo '           event_weights => ''{"view": 1, "cart": 3, "purchase": 5, "return": -9}'','
\echo '           context_columns => ''{device}'');'
\echo 'SELECT recommender.set_items(''recs'', ''shop.products'', feature_columns => ''{category,brand,tags,price}'','
\echo '           text_columns => ''{title,description}'', available_column => ''in_stock'', created_column => ''added_at'');'
\echo 'SELECT * FROM recommender.refresh(''recs'');'
\echo

SELECT recommender.create_recommender('recs', 'shop.events',
           user_column => 'customer_id', item_column => 'product_id',
           time_column => 'at', event_column => 'kind',
           event_weights => '{"view": 1, "cart": 3, "purchase": 5, "return": -9}',
           context_columns => '{device}') \gset
SELECT recommender.set_items('recs', 'shop.products', feature_columns => '{category,brand,tags,price}',
           text_columns => '{title,description}', available_column => 'in_stock', created_column => 'added_at') \gset

SELECT interactions, users, items, neighbors,
       round(read_ms::numeric) AS read_ms, round(build_ms::numeric) AS build_ms, round(write_ms::numeric) AS write_ms,
       pg_size_pretty(memory_bytes) AS memory, pg_size_pretty(model_bytes) AS model
FROM   recommender.refresh('recs');


-- The customers of the demo, each selected by a rule: they have two pastimes,
-- and have bought eight to twelve different products.
PREPARE customer(text, text) AS
SELECT c.id, c.name || ' from ' || c.city AS name
FROM   shop.customers AS c,
       LATERAL (SELECT count(DISTINCT p.id) AS products,
                       count(DISTINCT p.id) FILTER (WHERE p.tags[1] = $1) AS first,
                       count(DISTINCT p.id) FILTER (WHERE p.tags[1] = $2) AS second
                FROM   shop.events AS e JOIN shop.products AS p ON p.id = e.product_id
                WHERE  e.customer_id = c.id AND e.kind = 'purchase') AS bought
WHERE  products BETWEEN 8 AND 12 AND first >= 3 AND second >= 3
ORDER  BY least(first, second) DESC, c.id
LIMIT  1;

-- the interactions of a customer, newest first: of each product the strongest
-- one, and views only if there is room
PREPARE history(bigint, int) AS
SELECT to_char(at, 'DD Mon') AS day, (ARRAY['looked at', 'put in cart', 'bought', 'sent back'])[did] AS did, title, price
FROM  (SELECT max(e.at) AS at, max(array_position(ARRAY['view', 'cart', 'purchase', 'return'], e.kind)) AS did,
              p.id, p.title, p.price
       FROM   shop.events AS e JOIN shop.products AS p ON p.id = e.product_id
       WHERE  e.customer_id = $1
       GROUP  BY p.id
       ORDER  BY bool_and(e.kind = 'view'), max(e.at) DESC, p.id
       LIMIT  $2) AS deed
ORDER  BY deed.at DESC, id;

-- the recommendations for a customer, each with the product of the history that
-- contributes most
PREPARE recommendations(bigint, int) AS
SELECT r.rank AS "#", p.title, p.price, round(r.score::numeric, 2) AS score,
       coalesce('you ' || (SELECT CASE WHEN bool_or(e.kind = 'purchase') THEN 'bought '
                                       WHEN bool_or(e.kind = 'cart') THEN 'want '
                                       ELSE 'saw ' END
                           FROM shop.events AS e WHERE e.customer_id = $1 AND e.product_id = why.id)
                || split_part(why.title, ',', 1),
                CASE r.strategy WHEN 'popularity' THEN 'popular' WHEN 'trend' THEN 'trending' ELSE r.strategy END) AS because
FROM   recs.recommend($1, $2) AS r
       JOIN shop.products AS p ON p.id = r.item_id
       LEFT JOIN shop.products AS why ON why.id = (r.reasons -> 0 ->> 'item')::int
ORDER  BY r.rank;


\echo '======================================================================================================'
\echo '  Histories, recommendations, and reasons'
\echo '======================================================================================================'
\echo
\echo 'SELECT r.rank, p.title, r.score, r.reasons'
\echo 'FROM   recs.recommend(42, 6) AS r JOIN shop.products AS p ON p.id = r.item_id ORDER BY r.rank;'
\echo

EXECUTE customer('espresso', 'yoga') \gset
\echo '---' :name '(customer' :id')'
EXECUTE history(:id, 10);
EXECUTE recommendations(:id, 6);

EXECUTE customer('camping', 'writing') \gset
\echo '---' :name '(customer' :id')'
EXECUTE history(:id, 10);
EXECUTE recommendations(:id, 6);

EXECUTE customer('railway', 'painting') \gset
\echo '---' :name '(customer' :id')'
EXECUTE history(:id, 10);
EXECUTE recommendations(:id, 6);

SELECT c.id, c.name || ' from ' || c.city AS name
FROM   shop.customers AS c JOIN shop.events AS e ON e.customer_id = c.id JOIN shop.products AS p ON p.id = e.product_id
GROUP  BY c.id
HAVING count(*) = 1 AND bool_or(p.tags[1] = 'knitting')
ORDER  BY c.id LIMIT 1 \gset
\set passer_by :id
\set passer_by_name :name
\echo '---' :name '(customer' :id'), who came once and looked at one thing'
EXECUTE history(:id, 10);
EXECUTE recommendations(:id, 6);

SELECT id, name || ' from ' || city AS name FROM shop.customers ORDER BY joined_at DESC LIMIT 1 \gset
\echo '---' :name '(customer' :id'), who joined ten minutes ago and has done nothing yet'
EXECUTE recommendations(:id, 6);


\echo '======================================================================================================'
\echo '  Similar products, and what goes with a basket'
\echo '======================================================================================================'
\echo

-- the best-selling tent and espresso machine
SELECT p.id AS tent, p.title FROM shop.products AS p JOIN shop.events AS e ON e.product_id = p.id
WHERE  p.title ~ 'Tent' AND e.kind = 'purchase' GROUP BY p.id ORDER BY count(*) DESC, p.id LIMIT 1 \gset
\echo 'Similar to the' :title
\echo '    SELECT * FROM recs.similar_items(':tent', 7);'
\echo
SELECT s.rank AS "#", p.title, p.price, round(s.score::numeric, 3) AS similarity, n.support AS customers_of_both
FROM   recs.similar_items(:tent, 7) AS s
       JOIN shop.products AS p ON p.id = s.item_id
       LEFT JOIN recs.neighbors AS n ON n.item_id = :tent AND n.neighbor_id = s.item_id AND n.kind = 'behaviour'
ORDER  BY s.rank;

SELECT p.id AS machine, p.title AS machine_title FROM shop.products AS p JOIN shop.events AS e ON e.product_id = p.id
WHERE  p.title ~ 'Espresso Machine' AND e.kind = 'purchase' GROUP BY p.id ORDER BY count(*) DESC, p.id LIMIT 1 \gset
SELECT p.id AS tin, p.title AS tin_title FROM shop.products AS p JOIN shop.events AS e ON e.product_id = p.id
WHERE  p.title ~ 'Loaf Tin' AND e.kind = 'purchase' GROUP BY p.id ORDER BY count(*) DESC, p.id LIMIT 1 \gset
\echo 'In the basket:' :machine_title
\echo '         and a' :tin_title
\echo '    SELECT * FROM recs.recommend_basket(ARRAY[':machine, :tin'], 8);'
\echo
SELECT b.rank AS "#", p.title, p.price, round(b.score::numeric, 2) AS score
FROM   recs.recommend_basket(ARRAY[:machine, :tin], 8) AS b JOIN shop.products AS p ON p.id = b.item_id
ORDER  BY b.rank;


\echo '======================================================================================================'
\echo '  Trending: the last 7 days against the 4 weeks before'
\echo '======================================================================================================'
\echo
\echo 'SELECT * FROM recs.trending_items(8);'
\echo
SELECT t.rank AS "#", p.title, round(t.score::numeric, 2) AS score,
       count(e.*) FILTER (WHERE e.at > shop.closing_time() - interval '7 days') AS this_week,
       round(count(e.*) FILTER (WHERE e.at BETWEEN shop.closing_time() - interval '35 days'
                                               AND shop.closing_time() - interval '7 days') / 4.0, 1) AS a_week_before,
       CASE WHEN p.added_at > shop.closing_time() - interval '7 days' THEN 'new since ' || to_char(p.added_at, 'DD Mon') ELSE '' END AS note
FROM   recs.trending_items(8) AS t
       JOIN shop.products AS p ON p.id = t.item_id
       LEFT JOIN shop.events AS e ON e.product_id = p.id
GROUP  BY t.rank, p.id, t.score
ORDER  BY t.rank;


\echo '======================================================================================================'
\echo '  A new product, added a minute ago, without interactions'
\echo '======================================================================================================'
\echo
\echo 'BEGIN;'
\echo 'INSERT INTO shop.products VALUES (5000, ''Aldous Espresso Machine, hammered copper'', ''coffee'', ...);'
\echo 'SELECT * FROM recs.similar_items(5000, 5);   -- by content'
\echo
BEGIN;
INSERT INTO shop.products (id, title, category, brand, tags, description, price, stock, added_at)
SELECT 5000, 'Aldous Espresso Machine, hammered copper', category, 'Aldous', tags, description, price, 3, shop.closing_time() - interval '1 minute'
FROM   shop.products WHERE title ~ 'Espresso Machine' ORDER BY id LIMIT 1;
SELECT s.rank AS "#", p.title, round(s.score::numeric, 3) AS similarity, s.reasons #>> '{0,value}' AS both_have
FROM   recs.similar_items(5000, 5) AS s JOIN shop.products AS p ON p.id = s.item_id
ORDER  BY s.rank;

EXECUTE customer('espresso', 'yoga') \gset
\echo 'Its rank at once for' :name', who is interested in espresso machines, and for a customer who is not:'
\echo
SELECT c.who, r.rank AS "of a thousand", round(r.score::numeric, 3) AS score, r.strategy
FROM  (VALUES (1, :id::bigint, 'espresso and yoga'), (2, :passer_by, 'knitting, once')) AS c (no, id, who),
       recs.recommend(c.id, 1000) AS r
WHERE  r.item_id = 5000
ORDER  BY c.no;
\echo 'And why, in English and in Korean:'
\echo '    SELECT sentence FROM recs.explain(':id', 5000, options => ''{"language": "ko"}'');'
\echo
SELECT e.sentence AS english, k.sentence AS korean
FROM   recs.explain(:id, 5000) AS e JOIN recs.explain(:id, 5000, options => '{"language": "ko"}') AS k USING (position)
ORDER  BY abs(e.contribution) DESC, position LIMIT 2;
ROLLBACK;


\echo '======================================================================================================'
\echo '  A returned product is not recommended again, and similar ones move down'
\echo '======================================================================================================'
\echo
-- a purchase whose return outweighs it and the views before it
SELECT e.product_id AS sent, p.title AS sent_title FROM shop.events AS e JOIN shop.products AS p ON p.id = e.product_id
WHERE  e.customer_id = :id AND p.tags[1] = 'espresso' GROUP BY e.product_id, p.id
HAVING bool_or(e.kind = 'purchase') AND sum(CASE e.kind WHEN 'view' THEN 1 WHEN 'cart' THEN 3 WHEN 'purchase' THEN 5 END) < 9
ORDER  BY p.price DESC, p.id LIMIT 1 \gset
\echo :name 'sends back:' :sent_title
\echo '    INSERT INTO shop.events VALUES (':id, :sent, '''return'', ''2026-06-30 19:58'', ''phone'');'
\echo
CREATE TEMP TABLE alike AS
SELECT s.rank, p.id, p.title, recs.score(:id, p.id) AS score FROM recs.similar_items(:sent, 4) AS s JOIN shop.products AS p ON p.id = s.item_id;
BEGIN;
INSERT INTO shop.events VALUES (:id, :sent, 'return', '2026-06-30 19:58', 'phone');
SELECT a.title AS what_is_like_it, round(a.score::numeric, 3) AS before, round(recs.score(:id, a.id)::numeric, 3) AS now,
       (SELECT sentence FROM recs.explain(:id, a.id) WHERE because_item = :sent ORDER BY contribution LIMIT 1) AS because
FROM   alike AS a ORDER BY a.rank;
SELECT count(*) AS times_recommended_again FROM recs.recommend(:id, 2000, options => '{"exclude_seen": false}') WHERE item_id = :sent;
ROLLBACK;


\echo '======================================================================================================'
\echo '  Context: June and December, for a customer without history'
\echo '======================================================================================================'
\echo
\echo 'SELECT * FROM recs.recommend(NULL, 6, context => ''{"month": 12}'');'
\echo
SELECT j.rank AS "#", june.title AS in_june, december.title AS in_december
FROM   recs.recommend(NULL, 6, context => '{"month": 6}') AS j
       JOIN recs.recommend(NULL, 6, context => '{"month": 12}') AS d USING (rank)
       JOIN shop.products AS june ON june.id = j.item_id
       JOIN shop.products AS december ON december.id = d.item_id
ORDER  BY j.rank;


\echo '======================================================================================================'
\echo '  A filter acts before the ranking is cut: six rows are six rows'
\echo '======================================================================================================'
\echo
EXECUTE customer('camping', 'writing') \gset
\echo 'For' :name', outdoors, at most 60, not of the brand Drumlin; what is sold out is never there:'
\echo
\echo '    SELECT * FROM recs.recommend(':id', 6, filter => ''{"category": "outdoor", "price": {"lte": 60}, "brand": {"ne": "Drumlin"}}'');'
\echo
SELECT r.rank AS "#", p.title, p.price, p.stock, round(r.score::numeric, 2) AS score
FROM   recs.recommend(:id, 6, filter => '{"category": "outdoor", "price": {"lte": 60}, "brand": {"ne": "Drumlin"}}') AS r
       JOIN shop.products AS p ON p.id = r.item_id
ORDER  BY r.rank;


\echo '======================================================================================================'
\echo '  Not six of a kind: at most two of a category'
\echo '======================================================================================================'
\echo
\echo '    SELECT * FROM recs.recommend(':id', 6, options => ''{"max_per": {"category": 2}, "diversity": 0.3}'');'
\echo
SELECT a.rank AS "#", plain.title AS as_it_comes, diverse.title AS diverse
FROM   recs.recommend(:id, 6) AS a
       JOIN recs.recommend(:id, 6, options => '{"max_per": {"category": 2}, "diversity": 0.3}') AS b USING (rank)
       JOIN shop.products AS plain ON plain.id = a.item_id
       JOIN shop.products AS diverse ON diverse.id = b.item_id
ORDER  BY a.rank;


\echo '======================================================================================================'
\echo '  Why? All terms of a score'
\echo '======================================================================================================'
\echo
SELECT r.item_id AS best, p.title AS best_title FROM recs.recommend(:id, 1) AS r JOIN shop.products AS p ON p.id = r.item_id \gset
\echo 'The terms for' :best_title
\echo '    SELECT * FROM recs.explain(':id, :best');'
\echo
SELECT e.component, round(e.similarity::numeric, 3) AS similarity, round(e.weight::numeric, 2) AS weight,
       round(e.contribution::numeric, 4) AS contribution, e.sentence
FROM   recs.explain(:id, :best) AS e
ORDER  BY abs(e.contribution) DESC, e.position LIMIT 8;
SELECT count(*) AS contributions, sum(e.contribution) AS they_add_up_to, recs.score(:id, :best) AS the_score
FROM   recs.explain(:id, :best) AS e;


\echo '======================================================================================================'
\echo '  Any SQL is a filter'
\echo '======================================================================================================'
\echo
EXECUTE customer('espresso', 'yoga') \gset
\echo 'Small things for' :name', in stock, under 30, no refills, not bought yet:'
\echo
\echo '    SELECT title, price FROM shop.products AS p'
\echo '    WHERE  in_stock AND price < 30 AND NOT tags @> ''{refill}'''
\echo '    AND    NOT EXISTS (SELECT FROM shop.events AS e WHERE e.customer_id = ':id
\echo '                       AND e.product_id = p.id AND e.kind = ''purchase'')'
\echo '    ORDER  BY recs.score(':id', id) DESC LIMIT 6;'
\echo
SELECT title, price, stock, round(recs.score(:id, id)::numeric, 3) AS score
FROM   shop.products AS p
WHERE  in_stock AND price < 30 AND NOT tags @> '{refill}'
AND    NOT EXISTS (SELECT FROM shop.events AS e WHERE e.customer_id = :id AND e.product_id = p.id AND e.kind = 'purchase')
ORDER  BY recs.score(:id, id) DESC, id LIMIT 6;


\echo '======================================================================================================'
\echo '  One click later: before the COMMIT, without a refresh'
\echo '======================================================================================================'
\echo
SELECT p.id AS guitar, p.title FROM shop.products AS p JOIN shop.events AS e ON e.product_id = p.id
WHERE  p.title ~ 'Acoustic Guitar' GROUP BY p.id ORDER BY count(*) DESC, p.id LIMIT 1 \gset
CREATE TEMP TABLE before AS SELECT * FROM recs.recommend(:passer_by, 6);

\echo :passer_by_name 'puts a' :title 'into the cart.'
\echo '    BEGIN;'
\echo '    INSERT INTO shop.events VALUES (':passer_by, :guitar, '''cart'', ''2026-06-30 19:59'', ''phone'');'
\echo '    SELECT * FROM recs.recommend(':passer_by', 6);'
\echo
BEGIN;
INSERT INTO shop.events VALUES (:passer_by, :guitar, 'cart', '2026-06-30 19:59', 'phone');
CREATE TEMP TABLE after AS SELECT * FROM recs.recommend(:passer_by, 6);
SELECT rank AS "#", old.title AS before_the_click, new.title AS after_the_click
FROM   before AS b JOIN after AS a USING (rank)
       JOIN shop.products AS old ON old.id = b.item_id
       JOIN shop.products AS new ON new.id = a.item_id
ORDER  BY rank;
\echo '    ROLLBACK;'
\echo
ROLLBACK;
SELECT CASE WHEN array_agg(r.item_id ORDER BY r.rank) = (SELECT array_agg(item_id ORDER BY rank) FROM before)
            THEN 'as if nothing had happened' ELSE 'something stayed behind' END AS and_then
FROM   recs.recommend(:passer_by, 6) AS r;


\echo '======================================================================================================'
\echo '  Views for the DBA'
\echo '======================================================================================================'
\echo
\echo 'recommender.recommenders, without the options in force:'
\x on
SELECT name, owner, sources, generation, refreshed_at, items, live, as_of_refresh FROM recommender.recommenders;
\echo 'recommender.refresh_runs, without the options it was made by:'
SELECT recommender, generation, started_at, finished_at, interactions, users, items, neighbors, null_keys, without_weight,
       read_ms, build_ms, write_ms, pg_size_pretty(memory_bytes) AS memory, pg_size_pretty(model_bytes) AS model
FROM   recommender.refresh_runs;
\echo 'recommender.check_recommender(''recs''):'
SELECT * FROM recommender.check_recommender('recs');
\x off
