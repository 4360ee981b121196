-- test/bench/hybrid.sql
--
-- Is the whole more than its parts?  Behaviour alone, content alone and the
-- hybrid, by time: for people with 0, 1, 3 and 10 known interactions, and for
-- items with 0, 1, 3 and 10 of them.  Run it in a fresh database, from
-- the project's root:
--
--     psql -X -d hybrid -f test/bench/hybrid.sql
--
-- First on a synthetic catalogue with known tastes; then, in a database in
-- which test/bench/online_retail.sql was run before, on that shop.  With
-- -v validation=1 on another synthetic catalogue and an earlier part of the
-- shop's year, on which the defaults were chosen.  test/bench/README.md
-- explains the output.

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
 * cannot of items that nobody has touched.  Six items in ten are there from
 * the first day, and the others come in the course of the year, so that people
 * are offered new ones as any shop's are.  What people do on a phone is more
 * often of the odd tastes, and in the evening of the upper half: context.
 * ------------------------------------------------------------------------ */

\if :{?validation}
  \set seed 1000
\else
  \set seed 2000
\endif
CREATE FUNCTION hybrid.random(n bigint, salt bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT (hashint8extended(n, salt) & 1073741823)::float8 / 1073741824
$$;
CREATE FUNCTION hybrid.pick(n bigint, salt bigint, choices int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT floor(choices * hybrid.random(n, salt))::int
$$;
\set tastes 24
\set items 2400
\set people 6000
CREATE TABLE hybrid.made_item AS
SELECT i::text AS id, i AS n, t AS taste, hybrid.pick(i, :seed + 2, 3) AS style, power(hybrid.random(i, :seed + 3), -0.4) AS fame,
	   greatest(0, 1.5 * (hybrid.pick(i, :seed + 12, 600) - 360)) AS born,
	   -- one category in ten is wrong
	   'category ' || (CASE WHEN hybrid.random(i, :seed + 4) < 0.9 THEN t ELSE hybrid.pick(i, :seed + 5, :tastes) END) / 3 AS category,
	   'brand ' || (t * 5 + hybrid.pick(i, :seed + 6, 10)) % (:tastes * 3) AS brand,
	   ARRAY(SELECT 'tag ' || (t * 4 + hybrid.pick(i * 10 + n, :seed + 7, 8)) FROM generate_series(1, 3) n) AS tags,
	   (SELECT string_agg('word' || CASE WHEN hybrid.random(i * 10 + n, :seed + 8) < 0.6 THEN t * 12 + hybrid.pick(i * 10 + n, :seed + 9, 12)
										 ELSE 1000 + hybrid.pick(i * 10 + n, :seed + 10, 300) END, ' ') FROM generate_series(1, 6) n) AS title,
	   round((5 + 95 * hybrid.random(i, :seed + 11))::numeric, 2) AS price
FROM generate_series(1, :items) i, LATERAL (SELECT hybrid.pick(i, :seed + 1, :tastes) AS t) x;
CREATE TABLE hybrid.made_event AS
WITH person AS (
	SELECT u, hybrid.pick(u, :seed + 21, :tastes) AS first, hybrid.pick(u, :seed + 22, :tastes) AS second, hybrid.pick(u, :seed + 23, 3) AS style,
		   3 + floor(4 / (0.1 + hybrid.random(u, :seed + 24)))::int AS n, hybrid.pick(u, :seed + 35, 360) AS start
	FROM generate_series(1, :people) u),
wish AS (
	SELECT u, (u::bigint * 1000 + e) AS k, style, first, second, start + e AS day,
		   CASE WHEN hybrid.random(u::bigint * 1000 + e, :seed + 31) < 0.3 THEN 'phone' ELSE 'desk' END AS device,
		   hybrid.pick(u::bigint * 1000 + e, :seed + 32, 24) AS hour
	FROM person, generate_series(1, n) e WHERE start + e < 360),
taste AS (
	SELECT *, CASE WHEN r < 0.55 THEN first WHEN r < 0.8 THEN second
				   -- a whim, which depends on the month
				   ELSE hybrid.pick(k, :seed + 34, :tastes / 2) * CASE device WHEN 'phone' THEN 2 ELSE 1 END
						+ CASE device WHEN 'phone' THEN 1 ELSE 0 END + CASE WHEN device = 'desk' AND hour >= 18 THEN :tastes / 2 ELSE 0 END END % :tastes AS t
	FROM wish, LATERAL (SELECT hybrid.random(k, :seed + 33) AS r) x)
SELECT u AS user_id, i.id AS item_id, timestamptz '2026-01-01' + interval '1 day' * day + interval '1 hour' * hour AS at, device
FROM taste w, LATERAL (
	SELECT i.id FROM hybrid.made_item i
	WHERE i.taste = w.t AND i.born <= w.day AND (i.style = w.style OR hybrid.random(w.k, :seed + 36) < 0.25)
	ORDER BY -ln(1e-9 + hybrid.random(w.k * 3001 + i.n, :seed + 37)) / i.fame LIMIT 1) i;

/* ------------------------------------------------------------------------
 * Measuring a shop: hybrid.event and hybrid.item
 *
 * A refresh at each of some moments knows what was before.  It serves those who
 * come for the first time in the days after it.  Of some items, drawn by their
 * ids, each refresh is shown only a few users.
 * ------------------------------------------------------------------------ */

CREATE TABLE hybrid.result (shop text, about text, n int, strategy text, user_id bigint, test_case text, ndcg float8);
CREATE TABLE hybrid.strategy (strategy text, recommender text, with_context boolean, options jsonb);
INSERT INTO hybrid.strategy VALUES
	('popularity', 'hybrid_parts', false, '{"blend": {"behaviour": 0, "content": 0, "context": 0}}'),
	('behaviour', 'hybrid_parts', false, '{"blend": {"content": 0, "context": 0}}'),
	('content', 'hybrid_parts', false, '{"blend": {"behaviour": 0, "context": 0}}'),
	('without context', 'hybrid_recs', false, '{"blend": {"context": 0}}'),
	('less context', 'hybrid_recs', true, '{"blend": {"context": 0.2}}'),
	('hybrid', 'hybrid_recs', true, '{}');

-- The first ten items for a person with some known items.
CREATE FUNCTION hybrid.answer(strategy hybrid.strategy, known text[], context jsonb, filter jsonb DEFAULT NULL) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF NOT strategy.with_context THEN
		context := NULL;
	END IF;
	IF strategy.recommender = 'hybrid_recs' THEN
		RETURN ARRAY(SELECT item_id FROM hybrid_recs.recommend_basket(known, 10, filter, context => context, options => strategy.options) ORDER BY rank);
	END IF;
	RETURN ARRAY(SELECT item_id FROM hybrid_parts.recommend_basket(known, 10, filter, context => context, options => strategy.options) ORDER BY rank);
END $$;

CREATE PROCEDURE hybrid.prepare(features name[], texts name[], contexts name[], least_users int, share float8) LANGUAGE plpgsql AS $$
DECLARE
	r text;
BEGIN
	CREATE TABLE hybrid.cohort AS
	SELECT item_id, (ARRAY[0, 1, 3, 10])[1 + row_number() OVER (ORDER BY hashtextextended(item_id, 42)) % 4] AS cohort
	FROM hybrid.event GROUP BY item_id HAVING count(DISTINCT user_id) >= least_users AND hybrid.random(hashtextextended(item_id, 43), 44) < share;
	CREATE TABLE hybrid.offer AS SELECT i.*, c.cohort FROM hybrid.item i LEFT JOIN hybrid.cohort c ON c.item_id = i.id;
	ALTER TABLE hybrid.offer ADD PRIMARY KEY (id);
	CREATE INDEX ON hybrid.offer (cohort);
	-- each item of each person, at its first
	CREATE TABLE hybrid.choice AS
	SELECT DISTINCT ON (user_id, item_id) user_id, item_id, at, context, cohort
	FROM hybrid.event JOIN hybrid.item ON id = item_id LEFT JOIN hybrid.cohort USING (item_id) ORDER BY user_id, item_id, at;
	CREATE TABLE hybrid.path AS
	SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY at, hashtextextended(item_id, user_id)) AS nth FROM hybrid.choice WHERE cohort IS NULL;
	CREATE INDEX ON hybrid.path (user_id, nth);
	CREATE TABLE hybrid.train AS SELECT * FROM hybrid.event LIMIT 0;
	CREATE INDEX ON hybrid.train (user_id);
	ANALYZE hybrid.path, hybrid.choice;
	FOREACH r IN ARRAY '{hybrid_parts,hybrid_recs}'::text[] LOOP
		PERFORM recommender.create_recommender(r, 'hybrid.train', time_column => 'at', context_columns => contexts);
		PERFORM recommender.set_items(r, 'hybrid.offer', feature_columns => features, text_columns => texts);
	END LOOP;
	-- behaviour alone borrows nothing from content
	PERFORM recommender.set_options('hybrid_parts', '{"content_kappa": 0}');
END $$;

CREATE PROCEDURE hybrid.measure_at(shop text, cut timestamptz, days int) LANGUAGE plpgsql AS $$
DECLARE
	until timestamptz := cut + days * interval '1 day';
BEGIN
	CREATE TEMP TABLE kept AS
	SELECT user_id, item_id FROM (
		SELECT *, row_number() OVER (PARTITION BY item_id ORDER BY hashint8extended(user_id, 45)) AS nth FROM hybrid.choice WHERE at < cut AND cohort IS NOT NULL) c
	WHERE nth <= cohort;
	TRUNCATE hybrid.train;
	INSERT INTO hybrid.train
	SELECT e.* FROM hybrid.event e LEFT JOIN hybrid.cohort c USING (item_id)
	WHERE at < cut AND (c.cohort IS NULL OR (user_id, item_id) IN (TABLE kept));
	PERFORM recommender.refresh('hybrid_parts'), recommender.refresh('hybrid_recs');

	-- the next items after the first n, five at the most, each as the one to be found
	INSERT INTO hybrid.result
	SELECT shop, 'user', n, s.strategy, u.user_id, u.user_id::text, (SELECT avg(recommender.ndcg(a.items, ARRAY[x], 10)) FROM unnest(next.items) x)
	FROM (SELECT user_id FROM hybrid.choice GROUP BY user_id HAVING min(at) >= cut AND min(at) < until) u, unnest(ARRAY[0, 1, 3, 10]) n,
		 LATERAL (SELECT array_agg(item_id ORDER BY nth) AS items, (array_agg(context ORDER BY nth))[1] AS context FROM hybrid.path p
				  WHERE p.user_id = u.user_id AND nth > n AND nth <= n + 5 AND at < until + 2 * (until - cut)) next,
		 LATERAL (SELECT array_agg(item_id ORDER BY nth) AS items FROM hybrid.path p WHERE p.user_id = u.user_id AND nth <= n) known,
		 hybrid.strategy s, LATERAL (SELECT hybrid.answer(s, coalesce(known.items, '{}'), next.context) AS items OFFSET 0) a
	WHERE next.items IS NOT NULL;

	-- one of the items of which little is known, by the ten that the person chose before, among those of which as little is
	INSERT INTO hybrid.result
	SELECT shop, 'item', c.cohort, s.strategy, c.user_id, c.user_id || ' ' || c.item_id,
		   recommender.ndcg(hybrid.answer(s, known.items, c.context, jsonb_build_object('cohort', c.cohort)), ARRAY[c.item_id], 10)
	FROM hybrid.choice c, hybrid.strategy s,
		 LATERAL (SELECT array_agg(item_id) AS items FROM (SELECT item_id FROM hybrid.path p WHERE p.user_id = c.user_id AND p.at < c.at ORDER BY nth DESC LIMIT 10) p) known
	WHERE c.cohort IS NOT NULL AND c.at >= cut AND c.at < until AND cardinality(known.items) = 10
	AND hybrid.random(hashtextextended(c.item_id, c.user_id), 46) < CASE shop WHEN 'made' THEN 1 ELSE 0.3 END;
	DROP TABLE kept;
END $$;

CREATE PROCEDURE hybrid.measure(shop text, features name[], texts name[], contexts name[], least_users int, share float8, cut timestamptz, days int, steps int) LANGUAGE plpgsql AS $$
BEGIN
	CALL hybrid.prepare(features, texts, contexts, least_users, share);
	FOR i IN 0 .. steps - 1 LOOP
		CALL hybrid.measure_at(shop, cut + i * days * interval '1 day', days);
	END LOOP;
	PERFORM recommender.drop_recommender('hybrid_parts'), recommender.drop_recommender('hybrid_recs');
	DROP TABLE hybrid.cohort, hybrid.offer, hybrid.choice, hybrid.path, hybrid.train;
END $$;

\echo
\echo 'a made catalogue of known tastes ...'
CREATE VIEW hybrid.item AS SELECT id, category, brand, tags, title, price FROM hybrid.made_item;
CREATE VIEW hybrid.event AS SELECT user_id, item_id, at, device, jsonb_build_object('device', device, 'hour', extract(hour FROM at)::int) AS context
FROM hybrid.made_event;
CALL hybrid.measure('made', '{category,brand,tags,price}', '{title}', '{device}', 15, 0.3, '2026-08-09', 20, 7);
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
\if :{?validation}
CALL hybrid.measure('gift shop', '{price}', '{title}', '{country}', 25, 0.12, '2011-03-01', 20, 9);
\else
CALL hybrid.measure('gift shop', '{price}', '{title}', '{country}', 25, 0.12, '2011-09-01', 20, 5);
\endif
DROP VIEW hybrid.item, hybrid.event;
\endif

/* ------------------------------------------------------------------------
 * What came of it: mean NDCG@10; then how much the hybrid gives over the
 * better of behaviour and content, with a 95 % interval over the people
 * ------------------------------------------------------------------------ */

SELECT shop, about AS "known of", n, count(*) FILTER (WHERE strategy = 'hybrid') AS cases,
	   round(avg(ndcg) FILTER (WHERE strategy = 'popularity')::numeric, 4) AS popularity,
	   round(avg(ndcg) FILTER (WHERE strategy = 'behaviour')::numeric, 4) AS behaviour,
	   round(avg(ndcg) FILTER (WHERE strategy = 'content')::numeric, 4) AS content,
	   round(avg(ndcg) FILTER (WHERE strategy = 'without context')::numeric, 4) AS "without context",
	   round(avg(ndcg) FILTER (WHERE strategy = 'less context')::numeric, 4) AS "context 0.2",
	   round(avg(ndcg) FILTER (WHERE strategy = 'hybrid')::numeric, 4) AS hybrid
FROM hybrid.result GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2 DESC, 3;

WITH mean AS (SELECT shop, about, n, strategy, avg(ndcg) AS ndcg FROM hybrid.result GROUP BY 1, 2, 3, 4),
better AS (SELECT DISTINCT ON (shop, about, n) shop, about, n, strategy FROM mean
		   WHERE strategy IN ('behaviour', 'content') ORDER BY shop, about, n, ndcg DESC, strategy),
difference AS (
	SELECT shop, about, n, b.strategy, h.strategy AS whole, h.user_id, h.ndcg - r.ndcg AS d, avg(h.ndcg - r.ndcg) OVER w AS mean, count(*) OVER w AS cases
	FROM better b JOIN hybrid.result r USING (shop, about, n, strategy)
		 JOIN hybrid.result h USING (shop, about, n, test_case) WHERE h.strategy IN ('hybrid', 'less context')
	WINDOW w AS (PARTITION BY shop, about, n, h.strategy)),
person AS (SELECT shop, about, n, strategy, whole, user_id, mean, cases, sum(d - mean) AS off FROM difference GROUP BY 1, 2, 3, 4, 5, 6, 7, 8)
SELECT whole, shop, about AS "known of", n, strategy AS "better part", count(*) AS people, round(mean::numeric, 4) AS "gives more",
	   round((mean - 1.96 * sqrt(sum(off * off)) / cases)::numeric, 4) AS from,
	   round((mean + 1.96 * sqrt(sum(off * off)) / cases)::numeric, 4) AS to
FROM person GROUP BY 1, 2, 3, 4, 5, mean, cases ORDER BY 1, 2 DESC, 3 DESC, 4;
