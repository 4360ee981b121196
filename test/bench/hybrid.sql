-- test/bench/hybrid.sql
--
-- Is the whole more than its parts?  Behaviour alone, content alone and the
-- hybrid, for people of whom 0, 1, 3 and 10 interactions are known, and for
-- items that have 0, 1, 3 and 10 of them.  Run it in a fresh database, from the
-- project's root:
--
--     psql -X -d hybrid -f test/bench/hybrid.sql
--
-- First on a made catalogue whose tastes are known; then, in a database in
-- which test/bench/online_retail.sql was run before, on that shop.
-- test/bench/README.md says what is printed.

\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\pset footer off
\pset null ''
SET client_min_messages = warning;
SET timezone = 'UTC';
SET maintenance_work_mem = '1GB';
CREATE EXTENSION IF NOT EXISTS recommender;
CREATE SCHEMA hybrid;

/* ------------------------------------------------------------------------
 * A made catalogue
 *
 * 24 tastes.  An item belongs to one of them, and has a style that its
 * description does not tell: people like two tastes, and one style in each.
 * So behaviour knows what content cannot, and content knows what behaviour
 * cannot of items that nobody has touched.  What people do on a phone is more
 * often of the odd tastes, and in the evening of the upper half: context.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION hybrid.random(n bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT (hashint8extended(n, salt) & 1073741823)::float8 / 1073741824
$$;
\set tastes 24
\set items 2400
\set people 6000
CREATE TABLE hybrid.made_item AS
SELECT i::text AS id, i AS n, t AS taste, (3 * hybrid.random(i, 2))::int % 3 AS style, power(hybrid.random(i, 3), -0.4) AS fame,
	   -- one category in ten is wrong
	   'category ' || (CASE WHEN hybrid.random(i, 4) < 0.9 THEN t ELSE (:tastes * hybrid.random(i, 5))::int END) / 3 AS category,
	   'brand ' || (t * 5 + (9 * hybrid.random(i, 6))::int) % (:tastes * 3) AS brand,
	   ARRAY(SELECT 'tag ' || (t * 4 + (7 * hybrid.random(i * 10 + n, 7))::int) FROM generate_series(1, 3) n) AS tags,
	   (SELECT string_agg('word' || CASE WHEN hybrid.random(i * 10 + n, 8) < 0.6
										 THEN t * 12 + (11 * hybrid.random(i * 10 + n, 9))::int
										 ELSE 1000 + (300 * hybrid.random(i * 10 + n, 10))::int END, ' ') FROM generate_series(1, 6) n) AS title,
	   round((5 + 95 * hybrid.random(i, 11))::numeric, 2) AS price
FROM generate_series(1, :items) i, LATERAL (SELECT (:tastes * hybrid.random(i, 1))::int % :tastes AS t) x;
CREATE TABLE hybrid.made_event AS
WITH person AS (
	SELECT u, (:tastes * hybrid.random(u, 21))::int % :tastes AS first, (:tastes * hybrid.random(u, 22))::int % :tastes AS second,
		   (3 * hybrid.random(u, 23))::int % 3 AS style, 3 + (4 / (0.1 + hybrid.random(u, 24)))::int AS n
	FROM generate_series(1, :people) u),
wish AS (
	SELECT u, e, (u::bigint * 1000 + e) AS k, style, first, second,
		   CASE WHEN hybrid.random(u::bigint * 1000 + e, 31) < 0.3 THEN 'phone' ELSE 'desk' END AS device,
		   (24 * hybrid.random(u::bigint * 1000 + e, 32))::int % 24 AS hour
	FROM person, generate_series(1, n) e),
taste AS (
	SELECT *, CASE WHEN r < 0.55 THEN first WHEN r < 0.8 THEN second
				   -- a whim, which the moment sways
				   ELSE (:tastes / 2 * hybrid.random(k, 34))::int % (:tastes / 2) * CASE device WHEN 'phone' THEN 2 ELSE 1 END
						+ CASE device WHEN 'phone' THEN 1 ELSE 0 END + CASE WHEN device = 'desk' AND hour >= 18 THEN :tastes / 2 ELSE 0 END END % :tastes AS t
	FROM wish, LATERAL (SELECT hybrid.random(k, 33) AS r) x)
SELECT u AS user_id, i.id AS item_id, timestamptz '2026-01-01' + interval '1 day' * (90 * hybrid.random(u, 35))::int + interval '1 day' * e
	   + interval '1 hour' * hour AS at, device
FROM taste w, LATERAL (
	SELECT i.id FROM hybrid.made_item i
	WHERE i.taste = w.t AND (i.style = w.style OR hybrid.random(w.k, 36) < 0.25)
	ORDER BY -ln(1e-9 + hybrid.random(w.k * 3001 + i.n, 37)) / i.fame LIMIT 1) i;

/* ------------------------------------------------------------------------
 * Measuring a shop: hybrid.event and hybrid.item
 * ------------------------------------------------------------------------ */

CREATE TABLE hybrid.result (shop text, about text, n int, strategy text, test_case text, ndcg float8);
CREATE TABLE hybrid.strategy (place int, strategy text, with_context boolean, options jsonb);
INSERT INTO hybrid.strategy VALUES
	(1, 'popularity', false, '{"blend": {"behaviour": 0, "content": 0, "context": 0}}'),
	(2, 'behaviour', false, '{"blend": {"content": 0, "context": 0}}'),
	(3, 'content', false, '{"blend": {"behaviour": 0, "context": 0}}'),
	(4, 'hybrid', true, '{}');

CREATE PROCEDURE hybrid.measure(shop text, features name[], texts name[], contexts name[], users_in_a_hundred int) LANGUAGE plpgsql AS $$
BEGIN
	-- people to test on, and items of which the model is to know 0, 1, 3 or 10 interactions
	CREATE TABLE hybrid.test_user AS
	SELECT user_id FROM hybrid.event
	WHERE hybrid.random(hashint8extended(user_id, 1), 41) * 100 < users_in_a_hundred GROUP BY user_id HAVING count(DISTINCT item_id) >= 12;
	CREATE TABLE hybrid.cohort AS
	SELECT item_id, (ARRAY[0, 1, 3, 10])[1 + row_number() OVER (ORDER BY hashtextextended(item_id, 42)) % 4] AS cohort
	FROM hybrid.event GROUP BY item_id HAVING count(DISTINCT user_id) >= 25 AND hybrid.random(hashtextextended(item_id, 43), 44) < 0.12;
	CREATE TABLE hybrid.train AS
	SELECT e.* FROM hybrid.event e LEFT JOIN (
		SELECT user_id, item_id, cohort, row_number() OVER (PARTITION BY item_id ORDER BY hashint8extended(user_id, 45)) AS nth
		FROM hybrid.cohort JOIN (SELECT DISTINCT user_id, item_id FROM hybrid.event WHERE user_id NOT IN (SELECT user_id FROM hybrid.test_user)) e USING (item_id)) c
		USING (user_id, item_id)
	WHERE user_id NOT IN (SELECT user_id FROM hybrid.test_user) AND coalesce(nth <= cohort, true);
	CREATE INDEX ON hybrid.train (user_id);
	CREATE TABLE hybrid.offer AS SELECT i.*, c.cohort FROM hybrid.item i LEFT JOIN hybrid.cohort c ON c.item_id = i.id;
	ALTER TABLE hybrid.offer ADD PRIMARY KEY (id);
	CREATE INDEX ON hybrid.offer (cohort);
	PERFORM recommender.create_recommender('hybrid_recs', 'hybrid.train', time_column => 'at', context_columns => contexts);
	PERFORM recommender.set_items('hybrid_recs', 'hybrid.offer', feature_columns => features, text_columns => texts);
	PERFORM recommender.refresh('hybrid_recs');

	-- each person's items in order of time, each at its first
	CREATE TABLE hybrid.path AS
	SELECT user_id, item_id, at, context, row_number() OVER (PARTITION BY user_id ORDER BY at, item_id) AS nth
	FROM (SELECT DISTINCT ON (user_id, item_id) user_id, item_id, at, context
		  FROM hybrid.event JOIN hybrid.test_user USING (user_id) JOIN hybrid.item ON id = item_id ORDER BY user_id, item_id, at) p
	WHERE item_id NOT IN (SELECT item_id FROM hybrid.cohort);
	CREATE INDEX ON hybrid.path (user_id, nth);
	ANALYZE hybrid.path;

	-- the next item after the first n
	INSERT INTO hybrid.result
	SELECT shop, 'user', n, strategy, p.user_id::text, recommender.ndcg(
		(SELECT array_agg(r.item_id ORDER BY r.rank) FROM hybrid_recs.recommend_basket(
			ARRAY(SELECT item_id FROM hybrid.path h WHERE h.user_id = p.user_id AND h.nth <= n ORDER BY nth), 10,
			context => CASE WHEN with_context THEN p.context END, options => s.options) r), ARRAY[p.item_id], 10)
	FROM unnest(ARRAY[0, 1, 3, 10]) n, hybrid.strategy s, hybrid.path p
	WHERE p.nth = n + 1 AND p.user_id IN (SELECT user_id FROM hybrid.test_user ORDER BY hashint8extended(user_id, 46) LIMIT 1000);

	-- one of the items of which little is known, by what the person did before, among those of which as little is
	INSERT INTO hybrid.result
	SELECT shop, 'item', e.cohort, strategy, e.user_id || ' ' || e.item_id, recommender.ndcg(
		(SELECT array_agg(r.item_id ORDER BY r.rank) FROM hybrid_recs.recommend_basket(
			e.history, 10, filter => jsonb_build_object('cohort', e.cohort),
			context => CASE WHEN with_context THEN e.context END, options => s.options) r), ARRAY[e.item_id], 10)
	FROM hybrid.strategy s, (
		SELECT cohort, item_id, user_id, context, history, row_number() OVER (PARTITION BY cohort ORDER BY hashtextextended(item_id, user_id)) AS nth
		FROM (SELECT DISTINCT ON (user_id, item_id) cohort, item_id, user_id, context,
					 ARRAY(SELECT h.item_id FROM hybrid.path h WHERE h.user_id = x.user_id AND h.at < x.at ORDER BY nth DESC LIMIT 10) AS history
			  FROM hybrid.event x JOIN hybrid.test_user USING (user_id) JOIN hybrid.cohort USING (item_id) ORDER BY user_id, item_id, at) e
		WHERE cardinality(e.history) = 10) e
	WHERE nth <= 1000;

	PERFORM recommender.drop_recommender('hybrid_recs');
	DROP TABLE hybrid.test_user, hybrid.cohort, hybrid.train, hybrid.offer, hybrid.path;
END $$;

\echo
\echo 'a made catalogue of known tastes ...'
CREATE VIEW hybrid.item AS SELECT id, category, brand, tags, title, price FROM hybrid.made_item;
CREATE VIEW hybrid.event AS SELECT user_id, item_id, at, device, jsonb_build_object('device', device, 'hour', extract(hour FROM at)::int) AS context
FROM hybrid.made_event;
CALL hybrid.measure('made', '{category,brand,tags,price}', '{title}', '{device}', 25);
DROP VIEW hybrid.item, hybrid.event;

SELECT to_regclass('retail.order_lines') IS NOT NULL AS has_retail \gset
\if :has_retail
\echo 'the gift shop ...'
CREATE VIEW hybrid.item AS SELECT code AS id, title, price FROM retail.products;
CREATE VIEW hybrid.event AS
SELECT o.customer_id AS user_id, o.product_code AS item_id, o.ordered_at AS at, c.country,
	   jsonb_build_object('country', c.country, 'month', extract(month FROM o.ordered_at)::int, 'weekday', extract(isodow FROM o.ordered_at)::int,
						  'hour', extract(hour FROM o.ordered_at)::int) AS context
FROM retail.order_lines o JOIN retail.customers c ON c.id = o.customer_id WHERE o.kind = 'purchase';
CALL hybrid.measure('gift shop', '{price}', '{title}', '{country}', 25);
DROP VIEW hybrid.item, hybrid.event;
\endif

/* ------------------------------------------------------------------------
 * What came of it: mean NDCG@10; then how much the hybrid gives over the
 * better of behaviour and content, with a 95 % interval over the cases
 * ------------------------------------------------------------------------ */

SELECT shop, about AS "known of", n, count(*) FILTER (WHERE strategy = 'hybrid') AS cases,
	   round(avg(ndcg) FILTER (WHERE strategy = 'popularity')::numeric, 4) AS popularity,
	   round(avg(ndcg) FILTER (WHERE strategy = 'behaviour')::numeric, 4) AS behaviour,
	   round(avg(ndcg) FILTER (WHERE strategy = 'content')::numeric, 4) AS content,
	   round(avg(ndcg) FILTER (WHERE strategy = 'hybrid')::numeric, 4) AS hybrid
FROM hybrid.result GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2 DESC, 3;

WITH mean AS (SELECT shop, about, n, strategy, avg(ndcg) AS ndcg FROM hybrid.result GROUP BY 1, 2, 3, 4),
better AS (SELECT DISTINCT ON (shop, about, n) shop, about, n, strategy FROM mean
		   WHERE strategy IN ('behaviour', 'content') ORDER BY shop, about, n, ndcg DESC, strategy),
difference AS (
	SELECT shop, about, n, b.strategy, h.ndcg - r.ndcg AS d
	FROM better b JOIN hybrid.result r USING (shop, about, n, strategy)
		 JOIN hybrid.result h USING (shop, about, n, test_case) WHERE h.strategy = 'hybrid')
SELECT shop, about AS "known of", n, strategy AS "better part", round(avg(d)::numeric, 4) AS "hybrid gives more",
	   round((avg(d) - 1.96 * stddev_samp(d) / sqrt(count(*)))::numeric, 4) AS from,
	   round((avg(d) + 1.96 * stddev_samp(d) / sqrt(count(*)))::numeric, 4) AS to
FROM difference GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC, 2 DESC, 3;
