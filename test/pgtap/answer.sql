/*
 * test/pgtap/answer.sql
 *	  The answers of a recommender against their definition.
 *
 * The first part is the oracle: from interactions to scores in brute-force SQL,
 * step by step.  The second part draws random data sets and options for three
 * recommenders (over one table; over three tables of different column types;
 * over a table of two text columns), and compares the extension with the oracle.
 * Then come ties, large catalogues, and visibility within transactions.
 *
 * Data sets are drawn from md5 of their number, so that they are equal on every
 * run.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;

SELECT plan(1260);

CREATE SCHEMA oracle;

/* ------------------------------------------------------------------------
 * The oracle
 * ------------------------------------------------------------------------ */

-- Inputs of the oracle: live interactions, and the model.
CREATE TABLE oracle.event (
	user_id text, item text,
	item_order bigint,			-- place of the item in the order of its type
	at timestamptz, weight float8,	-- NULL: the event has none
	event text, has_event boolean);
CREATE TABLE oracle.item (item_no int, item text, popularity float8, trend float8);
CREATE TABLE oracle.neighbor (item text, item_no int, similarity float8);

-- Options in force, typed.
CREATE FUNCTION oracle.options(options jsonb)
RETURNS TABLE (measure text, weighting text, repeats text, half_life interval, max_history int,
			   history int, exclude_seen boolean, seen_events jsonb, kappa float8, session_decay float8,
			   behaviour float8, popularity float8, trend float8,
			   trend_window interval, trend_baseline interval, trend_smoothing float8)
LANGUAGE sql IMMUTABLE AS $$
	SELECT o.measure, o.weighting, o.repeats, o.half_life, o.max_history, o.history, o.exclude_seen, o.seen_events,
		   o.kappa, o.session_decay, b.behaviour, b.popularity, b.trend, o.trend_window, o.trend_baseline, o.trend_smoothing
	FROM jsonb_to_record('{"measure": "cosine", "weighting": "none", "repeats": "sum", "max_history": 500, "history": 100,
			"exclude_seen": true, "seen_events": ["purchase"], "kappa": 1, "session_decay": 0.85, "blend": {},
			"trend_window": "7 days", "trend_baseline": "28 days", "trend_smoothing": 10}'::jsonb || options)
		AS o (measure text, weighting text, repeats text, half_life interval, max_history int, history int,
			  exclude_seen boolean, seen_events jsonb, kappa float8, session_decay float8, blend jsonb,
			  trend_window interval, trend_baseline interval, trend_smoothing float8),
		jsonb_to_record('{"behaviour": 1, "popularity": 0.1, "trend": 0}'::jsonb || o.blend)
		AS b (behaviour float8, popularity float8, trend float8)
$$;

-- The weights of each user's items, repeats combined, decayed up to "newest".
CREATE FUNCTION oracle.pairs(options jsonb, newest timestamptz)
RETURNS TABLE (user_id text, item text, item_order bigint, at timestamptz, weight float8)
LANGUAGE sql AS $$
	SELECT user_id, item, min(item_order), max(e.at), CASE min(repeats)
			WHEN 'sum' THEN sum(x)
			WHEN 'max' THEN max(x)
			WHEN 'last' THEN (array_agg(x ORDER BY e.at DESC NULLS LAST, x DESC))[1]
			WHEN 'binary' THEN 1 END
	FROM oracle.options($1) o,
		 (SELECT *, max(at) OVER (PARTITION BY user_id) AS last FROM oracle.event WHERE weight IS NOT NULL) e,
		 LATERAL (SELECT extract(epoch FROM greatest(last, newest) - e.at)::float8 AS age) a,
		 LATERAL (SELECT e.weight * CASE WHEN half_life IS NULL OR e.at IS NULL THEN 1
								ELSE power(0.5::float8, age / extract(epoch FROM half_life)::float8) END AS x) x
	GROUP BY user_id, item
$$;

-- Inputs of answers: a history in order of importance, and the items not to be
-- returned.
CREATE TABLE oracle.history (user_id text, place bigint, item text, weight float8);
CREATE TABLE oracle.excluded (user_id text, item text);

-- ... of all users, from the events,
CREATE FUNCTION oracle.take_users(options jsonb, as_of timestamptz) RETURNS void LANGUAGE sql AS $$
	TRUNCATE oracle.history, oracle.excluded;
	WITH pair AS MATERIALIZED (SELECT * FROM oracle.pairs($1, $2)),
	disliked AS (INSERT INTO oracle.excluded SELECT user_id, item FROM pair WHERE weight < 0),
	ordered AS (
		SELECT *, avg(weight) OVER (PARTITION BY user_id) AS mean, row_number() OVER (PARTITION BY user_id
				ORDER BY at DESC NULLS LAST, weight DESC, item_order) AS place FROM pair)
	INSERT INTO oracle.history
	SELECT user_id, place, item, CASE WHEN measure IN ('pearson', 'adjusted_cosine') THEN weight - mean
			WHEN weighting = 'binary' THEN sign(weight) WHEN weighting = 'log' THEN sign(weight) * ln(1 + abs(weight)) ELSE weight END
	FROM ordered, oracle.options($1)
	WHERE place <= history;

	INSERT INTO oracle.excluded
	SELECT user_id, item FROM oracle.event, oracle.options($1)
	WHERE exclude_seen AND (NOT has_event OR seen_events ? event);
$$;

-- ... or of an anonymous user, from a list of items, newest last.
CREATE FUNCTION oracle.take_items(options jsonb, items text[], decay float8) RETURNS void LANGUAGE sql AS $$
	TRUNCATE oracle.history, oracle.excluded;
	INSERT INTO oracle.history
	SELECT '', place, item, power(decay, place - 1)
	FROM (SELECT item, row_number() OVER (ORDER BY max(nth) DESC) AS place
		  FROM unnest(items) WITH ORDINALITY AS i (item, nth) WHERE item IS NOT NULL GROUP BY item) i, oracle.options($1)
	WHERE place <= history;
	INSERT INTO oracle.excluded SELECT '', item FROM unnest(items) item;
$$;

-- Rounds to 2^-45 of the power of two above a bound.
CREATE FUNCTION oracle.on_grid(x float8, most float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce((x + max(g)) - max(g), x)
	FROM generate_series(-100, 100) n, LATERAL (SELECT 1.5 * power(2::float8, n + 8) AS g) g WHERE power(2::float8, n) <= most
$$;

-- The score of every item of the model for every user in oracle.person.
CREATE TABLE oracle.person (user_id text);
CREATE TABLE oracle.score (user_id text, item_no bigint, item text, score float8, excluded boolean);
CREATE FUNCTION oracle.take_scores(options jsonb) RETURNS void LANGUAGE sql AS $$
	TRUNCATE oracle.score;
	INSERT INTO oracle.score
	WITH candidate AS MATERIALIZED (
		SELECT h.user_id, n.item_no, sum(h.weight * n.similarity ORDER BY h.place) AS behaviour
		FROM oracle.person JOIN oracle.history h USING (user_id) JOIN oracle.neighbor n USING (item)
		GROUP BY h.user_id, n.item_no),
	largest AS MATERIALIZED (
		SELECT user_id, max(abs(behaviour)) AS behaviour FROM candidate GROUP BY user_id),
	evidence AS MATERIALIZED (
		SELECT user_id, sum(greatest(weight, 0)) AS n FROM oracle.history h
		WHERE EXISTS (SELECT FROM oracle.neighbor n WHERE n.item = h.item) GROUP BY user_id),
	factor AS MATERIALIZED (
		SELECT p.user_id, o.trend, o.popularity * (1 - coalesce(e, 0)) AS popularity,
			   o.behaviour * coalesce(e, 1) / nullif(l.behaviour, 0) AS behaviour, l.behaviour AS largest
		FROM oracle.options($1) o, oracle.person p
			 LEFT JOIN largest l USING (user_id) LEFT JOIN evidence USING (user_id),
			 LATERAL (SELECT n / nullif(n + o.kappa, 0) AS e WHERE n > 0
					  UNION ALL SELECT NULL WHERE n > 0 IS NOT TRUE) t),
	bound AS MATERIALIZED (
		SELECT user_id, popularity + trend + coalesce(behaviour * largest, 0) AS most FROM factor),
	listed AS MATERIALIZED (
		SELECT h.user_id, n.item_no, sum(oracle.on_grid(f.behaviour * h.weight * n.similarity, most) ORDER BY h.place) AS behaviour
		FROM factor f JOIN bound USING (user_id) JOIN oracle.history h USING (user_id) JOIN oracle.neighbor n USING (item)
		GROUP BY h.user_id, n.item_no)
	SELECT f.user_id, i.item_no, i.item,
		   coalesce(c.behaviour, 0) + oracle.on_grid(f.popularity * i.popularity, most) + oracle.on_grid(f.trend * i.trend, most),
		   EXISTS (SELECT FROM oracle.excluded x WHERE x.user_id = f.user_id AND x.item = i.item)
	FROM factor f JOIN bound USING (user_id) CROSS JOIN oracle.item i
		 LEFT JOIN listed c ON c.user_id = f.user_id AND c.item_no = i.item_no
$$;

/* ------------------------------------------------------------------------
 * The judge
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.got (user_id text, rank int, item text, score float8);

-- Return the differences of oracle.got from the k best of oracle.score, '' for
-- none.  Items may change places when, and only when, the oracle's scores
-- differ, yet by less than the noise of floats.
CREATE FUNCTION oracle.difference(k int, exclude text[] = '{}') RETURNS text LANGUAGE sql AS $$
	WITH expected AS (
		SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY score DESC, item_no) AS rank
		FROM oracle.score WHERE NOT excluded AND item NOT IN (SELECT unnest(exclude)))
	SELECT coalesce((
		SELECT format('user %s, rank %s: expected item %s, score %s; got item %s, score %s', coalesce(e.user_id, g.user_id),
					  coalesce(e.rank, g.rank), e.item, e.score, g.item, g.score)
		FROM (SELECT * FROM expected WHERE rank <= k) e
			 FULL JOIN oracle.got g ON g.user_id = e.user_id AND g.rank = e.rank
			 LEFT JOIN expected s ON s.user_id = g.user_id AND s.item = g.item
		WHERE (abs(g.score - s.score) <= 1e-9 * greatest(1, abs(s.score))
			   AND (g.item = e.item OR (s.score <> e.score AND abs(s.score - e.score) <= 1e-12 * greatest(1, abs(s.score)))))
			  IS NOT TRUE
		ORDER BY coalesce(e.user_id, g.user_id), coalesce(e.rank, g.rank) LIMIT 1), '')
$$;

/* ------------------------------------------------------------------------
 * Random data
 * ------------------------------------------------------------------------ */

-- A number in [0, 1) that depends on its arguments alone.
CREATE FUNCTION oracle.draw(n int, k int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || substr(md5(n || '/' || k), 1, 8))::bit(32)::bigint / 4294967296.0::float8
$$;
CREATE FUNCTION oracle.pick(choices text[], n int, k int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT choices[1 + floor(oracle.draw(n, k) * cardinality(choices))::int]
$$;

-- Rows of data set n, most of a few heavy users and popular items; a tenth of
-- them come after the refresh.
CREATE FUNCTION oracle.rows(n int)
RETURNS TABLE (late boolean, user_no int, item_no int, at timestamptz, kind text, weight numeric)
LANGUAGE sql AS $$
	SELECT oracle.draw(i, 1) < .1,
		   CASE WHEN oracle.draw(i, 2) > .02 THEN floor(users * oracle.draw(i, 3) ^ 1.5)::int END,
		   CASE WHEN oracle.draw(i, 4) > .02 THEN floor(items * oracle.draw(i, 5) ^ 1.5)::int END,
		   CASE WHEN oracle.draw(i, 6) < .01 THEN '-infinity' WHEN oracle.draw(i, 6) > .05
				THEN '2024-03-01'::timestamptz + floor(span * oracle.draw(i, 7) ^ .5) * interval '6 hours' END,
		   oracle.pick('{view,view,view,cart,purchase,purchase,return,hover,NULL}', i, 8),
		   CASE WHEN oracle.draw(i, 9) > .1 THEN (floor(8 * oracle.draw(i, 10)) - oracle.draw(n, 15)::int) / 4 END
	FROM (SELECT 1 + floor(30 * oracle.draw(n, 11)) AS users, 2 + floor(200 * oracle.draw(n, 12) ^ 3) AS items,
				 floor(400 * oracle.draw(n, 13)) AS rows, 1 + floor(300 * oracle.draw(n, 14)) AS span) d,
		 LATERAL generate_series(1000000 + 1000 * n, 1000000 + 1000 * n + rows::int) i
$$;

-- Options of the build, and of a call.
CREATE FUNCTION oracle.build_options(n int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('measure', m, 'weighting', CASE WHEN m = 'pearson' THEN 'none'
				ELSE oracle.pick('{none,none,binary,log,tfidf,bm25}', n, 21) END,
		'repeats', oracle.pick('{sum,sum,max,last,binary}', n, 22),
		'min_support', 1 + (oracle.draw(n, 23) < .3)::int,
		'neighbors', oracle.pick('{1,5,100,100}', n, 24)::int,
		'max_history', oracle.pick('{3,500,500}', n, 26)::int,
		'half_life', CASE WHEN oracle.draw(n, 25) < .4 THEN oracle.pick('{1 day,10 days,1 mon}', n, 27) END,
		'truncate', oracle.pick('{source,target}', n, 28),
		'user_exponent', 0.5, 'source_exponent', 0.6, 'target_exponent', 0.4)
	FROM oracle.pick('{cosine,cosine,damped_cosine,jaccard,conditional,lift,npmi,llr,pearson}', n, 20) m
$$;
CREATE FUNCTION oracle.serve_options(n int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_object_agg(key, value::jsonb) || '{}'
	FROM (VALUES
		('history', oracle.pick('{1,2,5,100,100000}', n, 30)),
		('exclude_seen', oracle.pick('{true,true,false}', n, 31)),
		('seen_events', oracle.pick(ARRAY['["purchase"]', '["purchase"]', '["cart", "return"]', '[]', '["nonesuch"]'], n, 32)),
		('kappa', oracle.pick('{0,0.5,1,1,100}', n, 33)),
		('session_decay', oracle.pick('{0,0.5,0.85,1}', n, 34)),
		('half_life', oracle.pick(ARRAY['"2 days"', '"40 days"', 'null'], n, 35)),
		('blend', format('{"behaviour": %s, "popularity": %s, "trend": %s}', oracle.pick('{1,1,1,0,1000}', n, 36),
						 oracle.pick('{0.1,0.1,0,5,1000000}', n, 37), oracle.pick('{0,0,0.3,20}', n, 38))),
		('trend_window', oracle.pick(ARRAY['"1 day"', '"7 days"'], n, 39)),
		('trend_baseline', oracle.pick(ARRAY['"7 days"', '"28 days"'], n, 40)),
		('trend_smoothing', oracle.pick('{0.000001,1,10}', n, 41))) o (key, value)
	WHERE oracle.draw(n, 50 + ascii(right(key, 1))) < .6
$$;

/* ------------------------------------------------------------------------
 * Three recommenders
 * ------------------------------------------------------------------------ */

-- One table with all columns.
CREATE TABLE oracle.shop (user_id int, item_id bigint, at timestamptz, kind text, quantity numeric);
CREATE INDEX ON oracle.shop (user_id, at);
SELECT recommender.create_recommender('shop', 'oracle.shop', time_column => 'at', event_column => 'kind',
	weight_column => 'quantity', event_weights => '{"view": 1, "cart": 2.5, "purchase": 5, "return": -3, "unused": 7}');

-- Orders of the till, clicks of the web, stars: three tables of other types.
CREATE TYPE oracle.kind AS ENUM ('return', 'hover', 'view', 'cart', 'purchase');
CREATE TABLE oracle.orders ("Customer" bigint, "the product" varchar(12), ordered_at timestamp, quantity smallint);
CREATE TABLE oracle.clicks (customer int, product text, day date, kind oracle.kind);
CREATE TABLE oracle.stars (customer smallint, product varchar, stars real);
CREATE INDEX ON oracle.clicks (customer);
SELECT recommender.create_recommender('three', 'oracle.orders', user_column => 'Customer', item_column => 'the product',
	time_column => 'ordered_at', weight_column => 'quantity');
SELECT recommender.add_interactions('three', 'oracle.orders', user_column => 'Customer', item_column => 'the product',
	time_column => 'ordered_at', weight_column => 'quantity', event => 'purchase', event_weights => '{"purchase": 3}');
SELECT recommender.add_interactions('three', 'oracle.clicks', user_column => 'customer', item_column => 'product',
	time_column => 'day', event_column => 'kind', event_weights => '{"view": 1, "cart": 2, "return": -8, "purchase": 0}');
SELECT recommender.add_interactions('three', 'oracle.stars', user_column => 'customer', item_column => 'product',
	weight_column => 'stars');

-- Users and items alone.
CREATE TABLE oracle.bare (user_id text, item_id text);
SELECT recommender.create_recommender('bare', 'oracle.bare');

-- A late row comes after the refresh.
CREATE FUNCTION oracle.insert_rows(name text, n int, wanted boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF name = 'shop' THEN
		INSERT INTO oracle.shop
		SELECT user_no, 9223372036854775807 - item_no, at, nullif(kind, 'NULL'), weight
		FROM oracle.rows(n) WHERE late = wanted;
	ELSIF name = 'three' THEN
		INSERT INTO oracle.orders SELECT user_no, 'item ' || item_no, at, weight * 4
		FROM oracle.rows(n) WHERE late = wanted AND kind = 'purchase';
		INSERT INTO oracle.clicks SELECT user_no, 'item ' || item_no, at, nullif(kind, 'NULL')::oracle.kind
		FROM oracle.rows(n) WHERE late = wanted AND kind <> 'purchase' AND user_no <> 3;
		INSERT INTO oracle.stars SELECT user_no, 'item ' || item_no, weight
		FROM oracle.rows(n) WHERE late = wanted AND user_no > 3 AND kind = 'cart';
	ELSE
		INSERT INTO oracle.bare SELECT '' || user_no, chr(65 + item_no % 60) || item_no
		FROM oracle.rows(n) WHERE late = wanted;
	END IF;
END $$;

-- These rows as a recommender should read them.
CREATE VIEW oracle.shop_event AS
SELECT 'shop' AS name, user_id::text, item_id::text AS item, item_id AS item_order, at,
	   ('{"view": 1, "cart": 2.5, "purchase": 5, "return": -3}'::jsonb ->> kind)::float8 * coalesce(quantity, 1) AS weight,
	   kind AS event, true AS has_event
FROM oracle.shop;
CREATE VIEW oracle.three_event AS
SELECT 'three' AS name, user_id, item, dense_rank() OVER (ORDER BY item) AS item_order, at, weight, event, has_event
FROM (SELECT "Customer"::text AS user_id, "the product"::text AS item, ordered_at AT TIME ZONE 'UTC' AS at,
			 3 * coalesce(quantity, 1)::float8 AS weight, 'purchase' AS event, true AS has_event FROM oracle.orders
	  UNION ALL
	  SELECT customer::text, product, day, ('{"view": 1, "cart": 2, "return": -8, "purchase": 0}'::jsonb ->> kind::text)::float8,
			 kind::text, true FROM oracle.clicks
	  UNION ALL
	  SELECT customer::text, product, NULL, coalesce(stars, 1), NULL, false FROM oracle.stars) e;
CREATE VIEW oracle.bare_event AS
SELECT 'bare' AS name, user_id, item_id AS item, dense_rank() OVER (ORDER BY item_id) AS item_order, NULL::timestamptz AS at,
	   1::float8 AS weight, NULL::text AS event, false AS has_event
FROM oracle.bare;

CREATE FUNCTION oracle.take_events(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE oracle.event, oracle.person;
	EXECUTE format('INSERT INTO oracle.event
		SELECT user_id, item, item_order, CASE WHEN isfinite(at) THEN at END, weight, event, has_event
		FROM oracle.%I WHERE user_id IS NOT NULL AND item IS NOT NULL', name || '_event');
	INSERT INTO oracle.person SELECT DISTINCT user_id FROM oracle.event UNION SELECT '-99';
	ANALYZE oracle.event;
END $$;

CREATE FUNCTION oracle.take_model(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE oracle.item, oracle.neighbor;
	EXECUTE format('INSERT INTO oracle.item SELECT item_no, item_id::text, popularity, trend FROM %I.item', name);
	EXECUTE format('INSERT INTO oracle.neighbor SELECT n.item_id::text, i.item_no, n.similarity
					FROM %1$I.neighbors n JOIN %1$I.item i ON i.item_id = n.neighbor_id', name);
	ANALYZE oracle.item, oracle.neighbor;
END $$;

/* ------------------------------------------------------------------------
 * The model
 * ------------------------------------------------------------------------ */

-- Trend of each item: recent weight above what its part of the baseline is of all recent weight.
CREATE FUNCTION oracle.trend(options jsonb) RETURNS TABLE (item text, item_order bigint, trend float8) LANGUAGE sql AS $$
	SELECT item, item_order, CASE WHEN abs(recent - expected) > 1e-12 * expected THEN (recent - expected) / sqrt(expected + trend_smoothing) ELSE 0 END
	FROM oracle.options($1), LATERAL (
		SELECT item, item_order, recent, coalesce(before * (sum(recent) OVER () / nullif(sum(before) OVER (), 0)), 0) AS expected
		FROM (SELECT e.item, min(e.item_order) AS item_order,
					 coalesce(sum(weight) FILTER (WHERE age < trend_window), 0) AS recent,
					 coalesce(sum(weight) FILTER (WHERE age >= trend_window AND age < trend_window + trend_baseline), 0) AS before
			  FROM (SELECT *, max(at) OVER () - at AS age FROM oracle.event WHERE weight IS NOT NULL) e
			  WHERE weight > 0 GROUP BY e.item) e) e
$$;

-- Return the differences of the items of a model from the events, '' for none.
CREATE FUNCTION oracle.item_difference(name text, options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE difference text;
BEGIN
	EXECUTE format($q$
		WITH ordered AS (
			SELECT p.*, row_number() OVER (PARTITION BY user_id ORDER BY at DESC NULLS LAST, weight DESC, item_order) AS place
			FROM oracle.options($1) o, oracle.pairs($1, (SELECT max(at) FROM oracle.event WHERE weight IS NOT NULL)) p
			WHERE weight > 0 OR measure = 'pearson'),
		item AS (
			SELECT item, item_order, count(*) AS users, sum(weight) AS weight
			FROM ordered, oracle.options($1) WHERE place <= max_history GROUP BY item, item_order),
		expected AS (
			SELECT item, users, weight, row_number() OVER (ORDER BY users DESC, item_order) - 1 AS item_no,
				   coalesce(greatest(weight, 0) / nullif(max(greatest(weight, 0)) OVER (), 0), 0) AS popularity,
				   coalesce(greatest(trend, 0) / nullif(max(greatest(trend, 0)) OVER (), 0), 0) AS trend
			FROM item LEFT JOIN oracle.trend($1) t USING (item, item_order))
		SELECT format('expected %%s, got %%s', e, i)
		FROM expected e FULL JOIN %I.item i ON i.item_id::text = e.item
		WHERE (e.users = i.users AND e.item_no = i.item_no AND abs(e.weight - i.weight) < 1e-9
			   AND abs(e.popularity - i.popularity) < 1e-9 AND abs(e.trend - i.trend) < 1e-9) IS NOT TRUE
		LIMIT 1 $q$, name) INTO difference USING options;
	RETURN coalesce(difference, '');
END $$;

-- The neighbours are those of item_similarities() over equal rows.
CREATE FUNCTION oracle.neighbor_difference(name text, options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE difference text;
BEGIN
	EXECUTE format($q$
		SELECT format('expected %%s, got %%s', e, n)
		FROM (SELECT *, row_number() OVER (PARTITION BY item_id ORDER BY ordinality) AS rank
			  FROM recommender.item_similarities(%L, $1) WITH ORDINALITY) e
			 FULL JOIN %I.neighbors n ON n.item_id::text = e.item_id AND n.rank = e.rank
		WHERE (n.neighbor_id::text = e.similar_item_id AND n.similarity = e.similarity::real AND n.support = e.support
			   AND n.kind = 'behaviour') IS NOT TRUE
		LIMIT 1 $q$,
		format('SELECT user_id, item%s, weight, at FROM oracle.event WHERE weight IS NOT NULL',
			   CASE name WHEN 'shop' THEN '::bigint' ELSE '' END), name)
	INTO difference USING (SELECT jsonb_object_agg(key, value) FROM jsonb_each(options)
						   WHERE key IN (SELECT jsonb_object_keys(oracle.build_options(1))));
	RETURN coalesce(difference, '');
END $$;

/* ------------------------------------------------------------------------
 * The questions
 * ------------------------------------------------------------------------ */

-- The types of ids of the recommenders.
CREATE FUNCTION oracle.user_type(name text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE name WHEN 'shop' THEN 'int' WHEN 'three' THEN 'bigint' ELSE 'text' END $$;
CREATE FUNCTION oracle.item_type(name text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE name WHEN 'shop' THEN 'bigint' WHEN 'three' THEN 'varchar' ELSE 'text' END $$;

-- Fill oracle.got by a query over a recommender; %1$I, %2$s and %3$s are its
-- name and types, $1 is k, $2 the options, $3 an array of items.
CREATE FUNCTION oracle.ask(name text, query text, k int, options jsonb, items text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE oracle.got;
	EXECUTE format('INSERT INTO oracle.got ' || query, name, oracle.user_type(name), oracle.item_type(name))
	USING k, options, items;
END $$;

-- A few items to exclude or to begin with: of the model, unknown, twice, null.
CREATE FUNCTION oracle.few_items(name text, n int) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(item ORDER BY oracle.draw(n, nth::int))
	FROM unnest(ARRAY(SELECT i.item FROM oracle.item i WHERE i.item_no = 0 OR oracle.draw(n, 60 + i.item_no) < 6 / (6.0 + i.item_no))
				|| CASE name WHEN 'shop' THEN '{-1,NULL,17,-1}' ELSE '{none,NULL,"",none}' END::text[]
				|| ARRAY(SELECT i.item FROM oracle.item i WHERE i.item_no IN (0, 2, 4))) WITH ORDINALITY AS i (item, nth)
$$;

-- All checks of one recommender with the options of one call.
CREATE FUNCTION oracle.verify(name text, n int, options jsonb, call_options jsonb, as_of timestamptz)
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	what text := format('%s %s, %s', name, n, call_options);
	in_force jsonb := options || coalesce(call_options, '{}');
	few text[] := oracle.few_items(name, n);
	k int;
	decay float8;
BEGIN
	-- recommend and recommend_all, for k below, at and above what there is
	PERFORM oracle.take_users(in_force, as_of), oracle.take_scores(in_force);
	FOREACH k IN ARRAY ARRAY[0, 1, 10, (SELECT count(*) + 5 FROM oracle.item), 2147483647] LOOP
		PERFORM oracle.ask(name, 'SELECT user_id, rank, item_id::text, score FROM oracle.person,
			LATERAL %I.recommend(user_id::%s, $1, options => $2)', k, call_options, NULL);
		RETURN NEXT is(oracle.difference(k), '', format('recommend, k %s: %s', k, what));
		PERFORM oracle.ask(name, 'SELECT user_id::text, rank, item_id::text, score FROM %I.recommend_all($1, options => $2)
			UNION ALL SELECT ''-99'', rank, item_id::text, score FROM %1$I.recommend(''-99'', $1, options => $2)', k, call_options, NULL);
		RETURN NEXT is(oracle.difference(k), '', format('recommend_all, k %s: %s', k, what));
	END LOOP;
	-- exclude
	PERFORM oracle.ask(name, 'SELECT user_id, rank, item_id::text, score FROM oracle.person,
		LATERAL %I.recommend(user_id::%s, 7, exclude => $3::%s[], options => $2)', 0, call_options, few);
	RETURN NEXT is(oracle.difference(7, array_remove(few, NULL)), '', format('recommend without some: %s', what));
	PERFORM oracle.ask(name, 'SELECT user_id::text, rank, item_id::text, score FROM %I.recommend_all(7, exclude => $3::%3$s[], options => $2)
		UNION ALL SELECT ''-99'', rank, item_id::text, score FROM %1$I.recommend(''-99'', 7, exclude => $3::%3$s[], options => $2)',
		0, call_options, few);
	RETURN NEXT is(oracle.difference(7, array_remove(few, NULL)), '', format('recommend_all without some: %s', what));
	-- score of everything, and rank_items, which leave nothing out
	UPDATE oracle.score SET excluded = false;
	PERFORM oracle.ask(name, 'SELECT p.user_id, i.item_no, i.item, %1$I.score(p.user_id::%2$s, i.item::%3$s, options => $2)
		FROM oracle.person p, oracle.item i ORDER BY p.user_id', 0, call_options, NULL);
	RETURN NEXT is((SELECT count(*) FROM oracle.got g JOIN oracle.score s USING (user_id, item)
					WHERE abs(g.score - s.score) <= 1e-9 * greatest(1, abs(s.score))),
				   (SELECT count(*) FROM oracle.score), format('score: %s', what));
	PERFORM oracle.ask(name, 'SELECT user_id, rank, item_id::text, score FROM oracle.person,
		LATERAL %I.rank_items(user_id::%s, (SELECT array_agg(item::%s) FROM oracle.item), options => $2)', 0, call_options, NULL);
	RETURN NEXT is(oracle.difference(2147483647), '', format('rank_items: %s', what));
	-- reasons add up to the score
	PERFORM oracle.ask(name, 'SELECT user_id, rank, item_id::text, (SELECT coalesce(sum((r ->> ''contribution'')::float8), 0)
				FROM jsonb_array_elements(reasons) r) - score
		FROM oracle.person, LATERAL %I.recommend(user_id::%s, 20, options => coalesce($2, ''{}'') || ''{"reasons": 100}'')',
		0, call_options, NULL);
	RETURN NEXT is((SELECT max(abs(score)) > 1e-9 * greatest(1, max(abs(score))) FROM oracle.got), false, format('reasons: %s', what))
	FROM oracle.options(in_force) o WHERE o.history <= 90 AND o.popularity + o.behaviour < 1e5
		AND EXISTS (SELECT FROM oracle.got);
	-- a session, a basket
	FOREACH decay IN ARRAY ARRAY[(SELECT session_decay FROM oracle.options(in_force)), 1] LOOP
		TRUNCATE oracle.person;
		INSERT INTO oracle.person VALUES ('');
		PERFORM oracle.take_items(in_force, few, decay), oracle.take_scores(in_force),
			oracle.ask(name, format('SELECT '''', rank, item_id::text, score FROM %%I.recommend_%s($3::%%3$s[], $1, options => $2)',
				CASE WHEN decay = 1 THEN 'basket' ELSE 'session' END), 12, call_options, few);
		RETURN NEXT is(oracle.difference(12), '', format('items, decay %s: %s', decay, what));
	END LOOP;
END $$;

-- Checks that do not depend on the options of a call.
CREATE FUNCTION oracle.verify_model(name text, n int, options jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	what text := format('%s %s, %s', name, n, options);
	few text[] := oracle.few_items(name, n);
BEGIN
	RETURN NEXT is(oracle.item_difference(name, options), '', format('items: %s', what));
	RETURN NEXT is(oracle.neighbor_difference(name, options), '', format('neighbours: %s', what));
	-- similar items of every item are its neighbours, then the others by number
	TRUNCATE oracle.score;
	INSERT INTO oracle.score
	SELECT i.item, j.item_no, j.item, coalesce(n.similarity, 0), i.item = j.item
	FROM oracle.item i CROSS JOIN oracle.item j LEFT JOIN oracle.neighbor n ON n.item = i.item AND n.item_no = j.item_no
	WHERE i.item_no % 7 = 0;
	PERFORM oracle.ask(name, 'SELECT i.item, s.rank, s.item_id::text, s.score FROM oracle.item i,
		LATERAL %1$I.similar_items(i.item::%3$s, 9, exclude => $3::%3$s[]) s WHERE i.item_no %% 7 = 0', 0, NULL, few);
	RETURN NEXT is(oracle.difference(9, array_remove(few, NULL)), '', format('similar_items: %s', what));
	-- popular items
	TRUNCATE oracle.score;
	INSERT INTO oracle.score SELECT '', item_no, item, popularity, false FROM oracle.item;
	PERFORM oracle.ask(name, 'SELECT '''', rank, item_id::text, score FROM %I.popular_items(15, exclude => $3::%3$s[])', 0, NULL, few);
	RETURN NEXT is(oracle.difference(15, array_remove(few, NULL)), '', format('popular_items: %s', what));
END $$;

-- Trending items now: those that rise, by trend and id, then popular ones.
CREATE FUNCTION oracle.verify_trending(name text, n int, options jsonb, call_options jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE few text[] := oracle.few_items(name, n);
BEGIN
	TRUNCATE oracle.score;
	INSERT INTO oracle.score	-- popular items get scores below zero, to come after
	SELECT '', item_order, item, trend, false FROM oracle.trend(options || call_options) WHERE trend > 0
	UNION ALL SELECT '', item_no, item, popularity - 2, false FROM oracle.item
	WHERE item NOT IN (SELECT item FROM oracle.trend(options || call_options) WHERE trend > 0);
	PERFORM oracle.ask(name, 'SELECT '''', rank, item_id::text, score - CASE strategy WHEN ''trend'' THEN 0 ELSE 2 END
		FROM %I.trending_items(20, exclude => $3::%3$s[], options => $2)', 0, call_options, few);
	RETURN NEXT is(oracle.difference(20, array_remove(few, NULL)), '', format('trending_items: %s %s, %s %s', name, n, options, call_options));
END $$;

-- Reset all options to their defaults.
CREATE FUNCTION oracle.reset_options(name text) RETURNS void LANGUAGE sql AS $$
	SELECT recommender.set_options(name, jsonb_object_agg(o, NULL)) FROM jsonb_object_keys(recommender.set_options(name, '{}')) o
$$;

-- One data set: build, then late rows, then questions under several options.
CREATE FUNCTION oracle.run(name text, n int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	options jsonb := oracle.build_options(n) || coalesce(oracle.serve_options(n), '{}');
	as_of timestamptz;
BEGIN
	DELETE FROM oracle.shop; DELETE FROM oracle.orders; DELETE FROM oracle.clicks; DELETE FROM oracle.stars; DELETE FROM oracle.bare;
	PERFORM oracle.insert_rows(name, n, false);
	PERFORM oracle.reset_options(name), recommender.set_options(name, options), recommender.refresh(name);
	PERFORM oracle.take_events(name), oracle.take_model(name);
	SELECT max(at) INTO as_of FROM oracle.event WHERE weight IS NOT NULL;
	RETURN QUERY SELECT * FROM oracle.verify_model(name, n, options);
	PERFORM oracle.insert_rows(name, n, true), oracle.take_events(name);
	IF name = 'shop' THEN
		RETURN QUERY SELECT * FROM oracle.verify_trending(name, n, options, coalesce(oracle.serve_options(n + 3000), '{}'));
	END IF;
	RETURN QUERY SELECT * FROM oracle.verify(name, n, options, NULL, as_of);
	PERFORM oracle.take_events(name);
	RETURN QUERY SELECT * FROM oracle.verify(name, n, options, oracle.serve_options(n + 1000), as_of);
END $$;

-- Any numbers work: hundreds have been tried.
SELECT oracle.run('shop', n) FROM generate_series(1, 12) n;
SELECT oracle.run('three', n) FROM generate_series(101, 110) n;
SELECT oracle.run('bare', n) FROM generate_series(201, 205) n;

/* ------------------------------------------------------------------------
 * Large catalogs: answers are found without looking at every item
 * ------------------------------------------------------------------------ */

-- 3,000 items, most of them with few users; one user has seen the 150 most popular
-- ones, another one excludes 300.
DELETE FROM oracle.shop;
INSERT INTO oracle.shop
SELECT n % 400, floor(3000 * oracle.draw(n, 1) ^ 3), '2024-03-01'::timestamptz + n % 60 * interval '1 day',
	   oracle.pick('{view,cart,purchase}', n, 2), 1
FROM generate_series(1, 9000) n;
INSERT INTO oracle.shop SELECT 1000, i, '2024-04-01', 'purchase', 1 FROM generate_series(0, 149) i;
SELECT oracle.reset_options('shop'), recommender.set_options('shop', '{"weighting": "binary", "neighbors": 40, "min_support": 1}');
SELECT cmp_ok((recommender.refresh('shop')).items, '>', 2048::bigint, 'the catalog is large');
SELECT oracle.take_events('shop'), oracle.take_model('shop');

CREATE FUNCTION oracle.verify_large(options jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	in_force jsonb := '{"weighting": "binary"}'::jsonb || options;
	away text[] := ARRAY(SELECT item FROM oracle.item WHERE item_no < 300);
	k int;
BEGIN
	DELETE FROM oracle.person;
	INSERT INTO oracle.person VALUES ('7'), ('1000'), ('-99');
	PERFORM oracle.take_users(in_force, NULL);
	ANALYZE oracle.history, oracle.excluded, oracle.person;
	PERFORM oracle.take_scores(in_force);
	ANALYZE oracle.score;
	FOREACH k IN ARRAY '{1, 10, 150, 9999}'::int[] LOOP
		PERFORM oracle.ask('shop', 'SELECT user_id, rank, item_id::text, score FROM oracle.person,
			LATERAL %I.recommend(user_id::%s, $1, options => $2)', k, options, NULL);
		RETURN NEXT is(oracle.difference(k), '', format('large catalog, k %s, %s', k, options));
		PERFORM oracle.ask('shop', 'SELECT user_id, rank, item_id::text, score FROM oracle.person,
			LATERAL %I.recommend(user_id::%s, $1, exclude => $3::%s[], options => $2)', k, options, away);
		RETURN NEXT is(oracle.difference(k, away), '', format('large catalog without the best, k %s, %s', k, options));
	END LOOP;
	DELETE FROM oracle.score WHERE user_id = '-99' OR excluded;
	PERFORM oracle.ask('shop', 'SELECT user_id::text, rank, item_id::text, score FROM %I.recommend_all(40, options => $2)
								WHERE user_id IN (7, 1000)', 0, options, NULL);
	RETURN NEXT is(oracle.difference(40), '', format('large catalog, recommend_all, %s', options));
END $$;
SELECT oracle.verify_large(options)
FROM unnest(ARRAY['{}', '{"kappa": 0}', '{"blend": {"popularity": 20}}', '{"blend": {"behaviour": 0, "trend": 1}}',
				  '{"blend": {"trend": 3, "popularity": 0}, "exclude_seen": false}', '{"blend": {"behaviour": 0, "popularity": 0}}']::jsonb[]) options;

-- Of ties, however many, the item of the lower number comes first: all users of A
-- have the a's, too, and all users of B the b's.  The c's are more popular and
-- unrelated.
DELETE FROM oracle.bare;
INSERT INTO oracle.bare
SELECT g || u, i FROM generate_series(1, 2) u, (VALUES ('A', 'y'), ('B', 'x')) v (g, prefix),
	 LATERAL (SELECT g AS i UNION ALL SELECT prefix || n FROM generate_series(10, 59) n) i
UNION ALL SELECT 'c' || u || n % 8, 'c' || n FROM generate_series(1, 3) u, generate_series(1, 80) n;
SELECT oracle.reset_options('bare'), recommender.set_options('bare', '{"weighting": "binary"}');
SELECT is((recommender.refresh('bare')).items, 182::bigint, 'the catalog of ties');
CREATE FUNCTION oracle.verify_ties(history text, options jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM oracle.bare WHERE user_id = 'me';
	INSERT INTO oracle.bare SELECT 'me', item FROM unnest(string_to_array(history, NULL)) item;
	PERFORM oracle.take_events('bare'), oracle.take_model('bare');
	DELETE FROM oracle.person WHERE user_id <> 'me';
	PERFORM oracle.take_users(options, NULL), oracle.take_scores(options);
	FOR k IN 1..91 BY 15 LOOP
		PERFORM oracle.ask('bare', 'SELECT ''me'', rank, item_id, score FROM %I.recommend(''me'', $1, options => $2)', k, options, NULL);
		RETURN NEXT is(oracle.difference(k), '', format('ties of %s, k %s, %s', history, k, options));
	END LOOP;
	PERFORM oracle.ask('bare', 'SELECT user_id, rank, item_id, score FROM %I.recommend_all(3, options => $2) WHERE user_id = ''me''', 0, options, NULL);
	RETURN NEXT is(oracle.difference(3), '', format('ties of %s in recommend_all, %s', history, options));
END $$;
SELECT oracle.verify_ties(history, options)
FROM unnest(ARRAY['{}', '{"kappa": 0}', '{"blend": {"popularity": 0}}']::jsonb[]) options, unnest('{A,B,AB}'::text[]) history;

/* ------------------------------------------------------------------------
 * Ratings
 * ------------------------------------------------------------------------ */

-- A user with equal ratings for all items has no preference, although the mean of
-- nine 4's is not exactly 4 in floating point: the answer is that of a new user.
CREATE TABLE oracle.ratings (user_id int, item_id int, stars float8);
INSERT INTO oracle.ratings SELECT u, i, 1 + floor(5 * oracle.draw(u, i)) FROM generate_series(1, 12) u, generate_series(1, 15) i WHERE oracle.draw(i, u) < .8;
SELECT recommender.create_recommender('ratings', 'oracle.ratings', weight_column => 'stars', options => '{"measure": "pearson", "weighting": "none", "exclude_seen": false}');
SELECT recommender.refresh('ratings');
INSERT INTO oracle.ratings SELECT 100 + n, i, stars FROM unnest('{4, 0.1, 3.5, 2}'::float8[], '{9, 7, 6, 11}'::int[]) WITH ORDINALITY AS s (stars, items, n), generate_series(1, items) i;
SELECT is((SELECT array_agg(item_id || ' ' || score ORDER BY rank) FROM ratings.recommend(100 + n, 15)), (SELECT array_agg(item_id || ' ' || score ORDER BY rank) FROM ratings.recommend(-1, 15)),
		  format('equal ratings of user %s', 100 + n)) FROM generate_series(1, 4) n;
SELECT is((SELECT max(score) > 0.5 AND min(score) < -0.1 FROM ratings.recommend(3, 15)), true, 'ratings that differ speak for and against');

/* ------------------------------------------------------------------------
 * What a call sees
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.visits (user_id int, item_id int, at timestamptz DEFAULT '2024-03-01');
CREATE INDEX ON oracle.visits (user_id);
INSERT INTO oracle.visits SELECT u, i FROM generate_series(1, 40) u, generate_series(1, 80) i WHERE oracle.draw(u, i) < 3.0 / (2 + i % 20);
SELECT recommender.create_recommender('visits', 'oracle.visits', options => '{"exclude_seen": false, "measure": "cosine", "weighting": "none"}');
SELECT recommender.refresh('visits');

-- score() is equal to the scores of recommend(), for all items and for a few, for
-- one user after the other and for users in turn
CREATE VIEW oracle.by_recommend AS
SELECT u AS user_id, r.item_id, r.score FROM generate_series(1, 45) u, visits.recommend(u, 1000) r;
SELECT set_eq('SELECT u, i, visits.score(u, i) FROM generate_series(1, 45) u, generate_series(1, 80) i ORDER BY u, i',
			  'TABLE oracle.by_recommend', 'score of all items, user by user');
SELECT set_eq('SELECT u, i, visits.score(u, i) FROM generate_series(1, 80) i, generate_series(1, 45) u ORDER BY i, u',
			  'TABLE oracle.by_recommend', 'score of all items, users in turn');
SELECT set_eq('SELECT u, i, visits.score(u, i) FROM generate_series(1, 80) i, generate_series(1, 45) u WHERE i % 9 = u % 9 ORDER BY u, i',
			  'SELECT * FROM oracle.by_recommend WHERE item_id % 9 = user_id % 9', 'score of a few items');
SELECT bag_eq('SELECT i % 80 + 1, visits.score(5, i % 80 + 1) FROM generate_series(0, 799) i',
			  'SELECT item_id, score FROM oracle.by_recommend, generate_series(1, 10) WHERE user_id = 5', 'score of all items ten times over');
SELECT is((SELECT count(*) FILTER (WHERE visits.score(5, i) = 0) FROM generate_series(81, 400) i), 320::bigint,
		  'items that are not in the model have score 0');
SELECT is((SELECT count(visits.score(5, CASE WHEN i % 2 = 0 THEN i END)) FROM generate_series(1, 160) i), 80::bigint,
		  'no item has no score');
SELECT is((SELECT array_agg(visits.score(NULL, i) ORDER BY i) FROM generate_series(1, 80) i),
		  (SELECT array_agg(visits.score(-1, i) ORDER BY i) FROM generate_series(1, 80) i), 'no user is an unknown one');
SELECT results_eq('SELECT i FROM generate_series(1, 80) i WHERE i % 3 = 0 ORDER BY visits.score(5, i) DESC, i LIMIT 7',
				  'SELECT item_id FROM visits.recommend(5, 1000) WHERE item_id % 3 = 0 ORDER BY score DESC, item_id LIMIT 7', 'ORDER BY score with a filter');
SELECT set_eq($$SELECT o, i, round(visits.score(5, i, options => o)::numeric, 12) FROM generate_series(1, 80) i, unnest(ARRAY['{"history": 1}', '{"kappa": 9}', NULL]::jsonb[]) o$$,
			  $$SELECT o, item_id, round(score::numeric, 12) FROM unnest(ARRAY['{"history": 1}', '{"kappa": 9}', NULL]::jsonb[]) o, visits.recommend(5, 1000, options => o)$$,
			  'options that change from row to row');

-- a loop sees the rows that it has inserted, and not those rolled back
CREATE FUNCTION oracle.loop(OUT step int, OUT by_score float8, OUT expected float8) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..60 LOOP
		step := i;
		BEGIN
			INSERT INTO oracle.visits VALUES (99, i);
			IF i % 3 = 0 THEN
				by_score := visits.score(99, 70);
				RAISE EXCEPTION SQLSTATE 'ROLLB';
			END IF;
		EXCEPTION WHEN SQLSTATE 'ROLLB' THEN
		END;
		by_score := visits.score(99, 70);
		EXECUTE 'SELECT score FROM visits.recommend(99, 1000) WHERE item_id = 70' INTO expected;
		RETURN NEXT;
	END LOOP;
END $$;
SELECT is(by_score, expected, format('step %s of a loop with inserts', step)) FROM oracle.loop();
DELETE FROM oracle.visits WHERE user_id = 99;

-- a volatile function's queries see the rows inserted by the query that calls it, a stable one's do not
CREATE FUNCTION oracle.visit_and_score(item int) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO oracle.visits VALUES (98, item);
	RETURN visits.score(98, 70);
END $$;
SELECT is((SELECT array_agg(oracle.visit_and_score(i)) FROM generate_series(1, 3) i)::numeric(12, 9)[],
		  ARRAY(SELECT (SELECT score FROM visits.recommend_session(ARRAY(SELECT generate_series(1, i)), 100, options => '{"session_decay": 1}') WHERE item_id = 70)
				FROM generate_series(1, 3) i)::numeric(12, 9)[], 'inserts by the query itself');
DELETE FROM oracle.visits WHERE user_id = 98;

-- a prepared statement, also when its plan has become generic
PREPARE scored(int) AS SELECT visits.score($1, 70), (SELECT score FROM visits.recommend($1, 1000) WHERE item_id = 70);
CREATE FUNCTION oracle.execute_scored(u int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE a float8; b float8; c float8;
BEGIN
	EXECUTE format('EXECUTE scored(%s)', u) INTO a, b;
	EXECUTE format('SELECT score FROM visits.rank_items(%s, ''{70}'')', u) INTO c;
	INSERT INTO oracle.visits VALUES (u, u + 40);
	RETURN a = b AND b = c;
END $$;
SELECT ok(oracle.execute_scored(1 + n % 6), format('prepared statement, execution %s', n)) FROM generate_series(1, 14) n;

-- a cursor sees the rows that were visible when it was opened
DECLARE old_scores CURSOR FOR SELECT i, visits.score(3, i) FROM generate_series(1, 80) i;
DECLARE old_items CURSOR FOR SELECT item_id, score FROM visits.recommend(3, 80) ORDER BY 1;
CREATE TABLE oracle.before AS SELECT i, visits.score(3, i) FROM generate_series(1, 80) i;
SELECT is((SELECT count(*) FROM visits.recommend(3, 80)), 80::bigint, 'k means k');
MOVE 1 FROM old_scores;
DELETE FROM oracle.visits WHERE user_id = 3;
INSERT INTO oracle.visits SELECT 3, generate_series(1, 50, 7);
SELECT results_ne('SELECT i, visits.score(3, i) FROM generate_series(1, 80) i', 'SELECT * FROM oracle.before ORDER BY i', 'now there is something else');
MOVE BACKWARD 1 FROM old_scores;
SELECT results_eq('old_scores'::refcursor, 'SELECT * FROM oracle.before ORDER BY i', 'score in an open cursor');
SELECT results_eq('old_items'::refcursor, 'SELECT * FROM oracle.before ORDER BY i', 'recommend in an open cursor');

-- a refresh is visible at once
DELETE FROM oracle.visits WHERE user_id % 2 = 0;
CREATE TABLE oracle.old_answer AS SELECT * FROM visits.recommend(1, 20);
SELECT is((recommender.refresh('visits')).generation, 2::bigint, 'the second refresh');
SELECT results_ne('SELECT item_id, score FROM visits.recommend(1, 20)', 'SELECT item_id, score FROM oracle.old_answer ORDER BY rank', 'the new generation answers');
SELECT set_eq('SELECT i, visits.score(1, i) FROM generate_series(1, 80) i',
			  'SELECT item_id, score FROM visits.recommend(1, 80)', 'and scores');

-- the rows of all come user by user, by rank
SELECT results_eq('SELECT user_id, rank FROM visits.recommend_all(5)',
				  'SELECT u, r FROM (SELECT DISTINCT user_id FROM oracle.visits) v (u), generate_series(1, 5) r ORDER BY 1, 2', 'the order of recommend_all');
SELECT set_eq('SELECT * FROM visits.recommend_all(7)',
			  'SELECT u, r.rank, r.item_id, r.score, r.strategy FROM (SELECT DISTINCT user_id FROM oracle.visits) v (u), visits.recommend(u, 7) r',
			  'recommend_all is recommend for all');

-- in a parallel worker
SELECT set_config(name, 'on', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT set_eq('SELECT i, visits.score(1, i) FROM generate_series(1, 80) i',
			  'SELECT item_id, score FROM visits.recommend(1, 80)', 'scores from a parallel worker');
SELECT set_config(name, 'off', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');

/* ------------------------------------------------------------------------
 * Nothing given, nothing known
 * ------------------------------------------------------------------------ */

CREATE VIEW oracle.popular AS SELECT item_id, rank FROM visits.popular_items(6);
SELECT results_eq(query, 'SELECT * FROM oracle.popular ORDER BY rank', 'popular items for ' || what)
FROM (VALUES ('an unknown user', 'SELECT item_id, rank FROM visits.recommend(-5, 6)'),
	('no user', 'SELECT item_id, rank FROM visits.recommend(NULL, 6)'),
	('an empty session', 'SELECT item_id, rank FROM visits.recommend_session(''{}'', 6)'),
	('no session', 'SELECT item_id, rank FROM visits.recommend_session(NULL, 6)'),
	('a session of unknown items', 'SELECT item_id, rank FROM visits.recommend_session(''{-1, NULL, -2}'', 6)'),
	('an empty basket', 'SELECT item_id, rank FROM visits.recommend_basket(''{}'', 6)')) v (what, query);
SELECT results_eq(query, 'SELECT item_id, 0::float8, ''popularity'' FROM visits.item ORDER BY item_no LIMIT 6', 'items with most users for ' || what)
FROM (VALUES ('no item', 'SELECT item_id, score, strategy FROM visits.similar_items(NULL, 6)'),
	('an unknown item', 'SELECT item_id, score, strategy FROM visits.similar_items(-1, 6)')) v (what, query);
SELECT is_empty('SELECT * FROM visits.rank_items(1, NULL)', 'rank_items of nothing');
SELECT is_empty('SELECT * FROM visits.rank_items(1, ''{}'')', 'rank_items of no items');
SELECT results_eq('SELECT rank, item_id, strategy FROM visits.rank_items(1, ''{{9000,NULL},{-4,9000}}'')',
				  'VALUES (1, 9000, NULL::text), (2, -4, NULL)', 'rank_items of unknown items, each once');
SELECT results_eq('SELECT item_id FROM visits.rank_items(1, ''{NULL,-4,7,1,7,2}'') WHERE item_id > 0',
				  'SELECT item_id FROM visits.recommend(1, 100) WHERE item_id IN (1, 2, 7) ORDER BY rank', 'rank_items of some');
SELECT set_eq('SELECT item_id FROM visits.recommend(1, 100, exclude => ''{{1,NULL},{2,2}}'')',
			  'SELECT item_id FROM visits.recommend(1, 100) WHERE item_id NOT IN (1, 2)', 'exclude of two dimensions');
SELECT is((SELECT sum(r) FROM visits.recommend(1, 100) x, LATERAL (VALUES (x.rank)) v (r)), 80 * 81 / 2::bigint, 'ranks go from 1 to the end');

-- the strategy is the component with the largest term
SELECT is_empty($$
	SELECT * FROM generate_series(1, 45) u,
		unnest(ARRAY['{}', '{"blend": {"popularity": 3}}', '{"blend": {"trend": 1}}']::jsonb[]) o,
		LATERAL visits.recommend(u, 80, options => o || '{"reasons": 100}') r,
		LATERAL (SELECT coalesce(max(c) FILTER (WHERE component = r.strategy), 0) AS its, coalesce(max(c), 0) AS largest
				 FROM (SELECT e ->> 'component' AS component, sum((e ->> 'contribution')::float8) AS c
					   FROM jsonb_array_elements(r.reasons) e GROUP BY 1) s) s
	WHERE its < largest - 1e-9$$, 'strategy');
SELECT is((SELECT array_agg(jsonb_array_length(reasons)) FROM visits.recommend(1, 3, options => '{"reasons": 2}')), '{2,2,2}', 'two reasons');
SELECT is((SELECT array_agg(reasons) FROM visits.recommend(1, 2, options => '{"reasons": 0}')), '{[],[]}'::jsonb[], 'no reasons');
SELECT set_eq('SELECT rank, item_id, score, (SELECT jsonb_agg(e) FROM jsonb_array_elements(reasons) WITH ORDINALITY AS e (e, n) WHERE n <= 4)
				FROM visits.recommend(1, 20, options => ''{"reasons": 100}'')',
			  'SELECT rank, item_id, score, reasons FROM visits.recommend(1, 20, options => ''{"reasons": 4}'')', 'fewer reasons are the largest ones');

/* ------------------------------------------------------------------------
 * Popular before there is a model; trending
 * ------------------------------------------------------------------------ */

SELECT recommender.create_recommender('fresh', 'oracle.visits', time_column => 'at', options => '{"repeats": "binary"}');
INSERT INTO oracle.visits SELECT 1, 5, '2024-02-01' FROM generate_series(1, 20);
CREATE TABLE oracle.popular_before AS SELECT item_id, rank, score FROM fresh.popular_items(50, exclude => '{3}');
SELECT is((recommender.refresh('fresh')).generation, 1::bigint, 'its first refresh');
SELECT results_eq('SELECT item_id, rank, score FROM fresh.popular_items(50, exclude => ''{3}'')', 'SELECT * FROM oracle.popular_before ORDER BY rank',
				  'popular items before a refresh are those after it');
SELECT is((SELECT count(*) FROM fresh.popular_items(1000)), (SELECT count(DISTINCT item_id) FROM oracle.visits), 'all of them');

-- Item 1 sells 10 a day for five weeks, item 2 the same and 30 on each of the
-- last seven days; item 3 was launched two days ago and sells 8 a
-- day; item 4 sold once.  All grow by 305 / 560.  Of 1 and 2, 152.5 are expected;
-- 70 and 210 come.  2: 57.5 / sqrt(152.5 + 10); 3: 24 / sqrt(10); 4: 1 / sqrt(10).
TRUNCATE oracle.visits;
INSERT INTO oracle.visits
SELECT d * 100 + n, i, '2024-06-30'::timestamptz - d * interval '1 day'
FROM generate_series(0, 34) d, (VALUES (1, 10, 10), (2, 30, 10), (3, 8, 0), (4, 1, 0)) v (i, recent, before),
	 LATERAL generate_series(1, CASE WHEN d >= 7 THEN before WHEN i = 3 AND d > 2 OR i = 4 AND d > 0 THEN 0 ELSE recent END) n;
SELECT results_eq('SELECT item_id, round(score::numeric, 9), strategy FROM fresh.trending_items(5)',
				  $$VALUES (3, round(24 / sqrt(10::numeric), 9), 'trend'), (2, round(57.5 / sqrt(162.5::numeric), 9), 'trend'),
						   (4, round(1 / sqrt(10::numeric), 9), 'trend')
					UNION ALL (SELECT item_id, round(score::numeric, 9), 'popularity' FROM fresh.popular_items(2, exclude => '{2,3,4}') ORDER BY rank)$$,
				  'an item that was launched two days ago trends, live');
SELECT is((recommender.refresh('fresh')).items, 4::bigint, 'refreshed');
SELECT results_eq('SELECT item_id, round(trend::numeric, 9) FROM fresh.item ORDER BY item_id',
				  $$VALUES (1, 0), (2, round(57.5 / sqrt(162.5::numeric) / (24 / sqrt(10::numeric)), 9)), (3, 1), (4, round(1 / 24::numeric, 9))$$,
				  'trends in the model are shares of the largest one');
SELECT results_eq('SELECT item_id, strategy FROM fresh.trending_items(10)', $$VALUES (3, 'trend'), (2, 'trend'), (4, 'trend'), (1, 'popularity')$$,
				  'popular items fill up, each item once');
SELECT results_eq('SELECT item_id FROM fresh.recommend(-1, options => ''{"blend": {"popularity": 0, "trend": 1}}'')', 'VALUES (3), (2), (4), (1)',
				  'trend in a blend');
-- rows that do not count and infinite times do not move the windows
INSERT INTO oracle.visits VALUES (NULL, 2, '2024-09-01'), (1, NULL, '2024-09-01'), (1, 1, 'infinity'), (1, 1, '-infinity'), (1, 1, NULL);
SELECT results_eq('SELECT item_id, strategy FROM fresh.trending_items(10)', $$VALUES (3, 'trend'), (2, 'trend'), (4, 'trend'), (1, 'popularity')$$,
				  'rows without user, item or time do not move the window');
-- everything doubled, and item 50 rose sixfold
TRUNCATE oracle.visits;
INSERT INTO oracle.visits
SELECT n, i, '2024-06-30'::timestamptz - w * interval '7 days' - n % 6 * interval '1 day'
FROM generate_series(1, 60) i, generate_series(0, 4) w, LATERAL generate_series(1, 1000 / i * CASE WHEN w > 0 THEN 1 WHEN i = 50 THEN 6 ELSE 2 END) n;
SELECT results_eq('SELECT item_id FROM fresh.trending_items(60) WHERE strategy = ''trend''', 'VALUES (50)',
				  'the growth of all items is no trend of one');

SELECT * FROM finish();
ROLLBACK;
