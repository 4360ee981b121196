/*
 * test/pgtap/context.sql
 *	  Lifts of the context, and their effect on scores.
 *
 * The first part draws random interactions over three different sources, with
 * missing values and a few very active users, and compares the lifts that a
 * refresh stores with brute-force SQL: with random options, in time zones with and
 * without daylight saving time.  The second part compares the scores of calls with
 * the sums of these lifts.  Then come the names and values that a call accepts,
 * independence of order, and that an evaluation learns nothing from its test set.
 * Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;

SELECT plan(180);

CREATE SCHEMA shop;
CREATE FUNCTION shop.random(n int, salt text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || substr(md5(n || ':' || salt), 1, 8))::bit(32)::bigint::float8 / 4294967296
$$;
CREATE FUNCTION shop.pick(n int, salt text, VARIADIC list text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT list[1 + floor(cardinality(list) * shop.random(n, salt))::int]
$$;

/* ------------------------------------------------------------------------
 * Interactions
 * ------------------------------------------------------------------------ */

-- Three sources.  "channel" is in two of them, of different types; "place" in
-- one is a column that looks like a part of the time.
CREATE TYPE shop.device AS ENUM ('mobile', 'desktop', 'TV, 55"');
CREATE TABLE shop.event (visitor int, product int, kind text, amount float8, device shop.device, channel char(8), logged_in boolean, at timestamptz);
CREATE TABLE shop.sale (visitor int, product int, channel varchar(20), price numeric(8, 2), day date, at timestamp);
CREATE TABLE shop.rating (visitor int, product int, stars int, day date);

CREATE FUNCTION shop.draw(set_no int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE shop.event, shop.sale, shop.rating;
	-- times are dense around the changes of the clock in 2024 and 2025
	INSERT INTO shop.event
	SELECT CASE WHEN shop.random(n, s || 'null') > 0.03 THEN (90 * power(shop.random(n, s || 'u'), 2))::int END,
		   CASE WHEN shop.random(n, s || 'null') > 0.05 THEN item END, shop.pick(n, s || 'k', 'view', 'view', 'buy', 'return', 'other'),
		   CASE WHEN shop.random(n, s || 'w') < 0.9 THEN round((4 * shop.random(n, s || 'w') - 0.5)::numeric, 2) END,
		   CASE WHEN item % 4 = 0 AND shop.random(n, s || 'd') < 0.4 THEN 'mobile' ELSE shop.pick(n, s || 'd', 'mobile', 'desktop', 'TV, 55"', NULL)::shop.device END,
		   CASE item % 5 WHEN 0 THEN 'web' ELSE shop.pick(n, s || 'c', 'web', 'app', 'shop', NULL) END, shop.random(n, s || 'l') < 0.1 + 0.01 * item,
		   CASE WHEN shop.random(n, s || 't') < 0.9 THEN
				(ARRAY[timestamptz '2024-03-10 00:00Z', '2024-04-06 00:00Z', '2024-10-06 00:00Z', '2024-11-03 00:00Z', '2025-03-30 00:00Z', '1994-12-31 00:00Z'])[1 + n % 6]
				+ (item % 8) * interval '31 days' + interval '1 second' * floor(86400 * 3 * shop.random(n, s || 't'))
				WHEN shop.random(n, s || 't') < 0.95 THEN 'infinity' END
	FROM generate_series(1, 2500) n, concat(set_no, ' ', '') s, LATERAL (SELECT (40 * power(shop.random(n, s || 'i'), 2))::int AS item) i;
	INSERT INTO shop.sale
	SELECT (90 * power(shop.random(n, s || 'su'), 2))::int, item, shop.pick(n, s || 'sc', 'web', 'phone', ''),
		   (ARRAY[1, 2.50, 2.5, 10.00, NULL])[1 + (item + floor(2 * shop.random(n, s || 'sp'))::int) % 5],
		   timestamp '2024-01-01' + interval '1 day' * floor(366 * shop.random(n, s || 'st')),
		   timestamp '2024-01-01' + interval '1 day' * (item * 9) + interval '1 second' * floor(86400 * 20 * shop.random(n, s || 'st'))
	FROM generate_series(1, 1200) n, concat(set_no, ' ', '') s, LATERAL (SELECT (40 * shop.random(n, s || 'si'))::int AS item) i;
	INSERT INTO shop.rating
	SELECT (90 * shop.random(n, s || 'ru'))::int, item, floor(5 * shop.random(n, s || 'rs')) - 1, date '2023-12-25' + (item * 5 + n % 30)
	FROM generate_series(1, 400) n, concat(set_no, ' ', '') s, LATERAL (SELECT (40 * shop.random(n, s || 'ri'))::int AS item) i;
$$;
SELECT shop.draw(0);

SELECT recommender.create_recommender('recs', 'shop.event', 'visitor', 'product', 'at', 'kind', 'amount', '{"view": 1, "buy": 3, "return": -2}', '{device,channel,logged_in}');
SELECT recommender.add_interactions('recs', 'shop.sale', 'visitor', 'product', 'at', context_columns => '{channel,price}');
SELECT recommender.add_interactions('recs', 'shop.rating', 'visitor', 'product', 'day', weight_column => 'stars');

/* ------------------------------------------------------------------------
 * The oracle of lifts
 * ------------------------------------------------------------------------ */

CREATE FUNCTION shop.time_parts(wall timestamp, has_hour boolean, OUT hour text, OUT weekday text, OUT month text) LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN has_hour THEN (ARRAY['night', 'morning', 'afternoon', 'evening'])[1 + floor(extract(hour FROM wall) / 6)::int] END,
		   CASE WHEN extract(isodow FROM wall) < 6 THEN 'weekday' ELSE 'weekend' END, to_char(wall, 'fmmonth')
	WHERE isfinite(wall)
$$;

-- Distinct users, items and values.
CREATE FUNCTION shop.choices(zone text) RETURNS TABLE (user_id int, item int, column_name text, value text) LANGUAGE sql AS $$
	SELECT DISTINCT visitor, product, c, v
	FROM (SELECT visitor, product, device::text, rtrim(channel::text), logged_in::text, NULL, p.*
		  FROM shop.event LEFT JOIN LATERAL shop.time_parts(at AT TIME ZONE zone, true) p ON true
		  WHERE CASE kind WHEN 'view' THEN 1 WHEN 'buy' THEN 3 WHEN 'return' THEN -2 END * coalesce(amount, 1) > 0
		  UNION ALL
		  SELECT visitor, product, NULL, channel, NULL, trim_scale(price)::text, p.* FROM shop.sale LEFT JOIN LATERAL shop.time_parts(at, true) p ON true
		  UNION ALL
		  SELECT visitor, product, NULL, NULL, NULL, NULL, p.* FROM shop.rating, LATERAL shop.time_parts(day, false) p WHERE stars > 0)
		 AS e (visitor, product, device, channel, logged_in, price, hour, weekday, month),
		 LATERAL (VALUES ('device', device), ('channel', channel), ('logged_in', logged_in), ('price', price), ('hour', hour), ('weekday', weekday), ('month', month)) x (c, v)
	WHERE visitor IS NOT NULL AND product IS NOT NULL AND v IS NOT NULL
$$;

CREATE FUNCTION shop.g2_cell(observed float8, expected float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN observed > 0 THEN observed * ln(observed / expected) ELSE 0 END
$$;

-- Lifts of all pairs of value and item, and their G squared.
CREATE FUNCTION shop.lifts(zone text, smoothing float8)
RETURNS TABLE (column_name text, value text, item int, users float8, expected float8, lift float8, g2 float8) LANGUAGE sql AS $$
	WITH both_ AS (SELECT column_name, value, item, count(*)::float8 AS n FROM shop.choices($1) GROUP BY 1, 2, 3),
		 of_value AS (SELECT column_name, value, sum(n) AS n FROM both_ GROUP BY 1, 2),
		 of_item AS (SELECT column_name, item, sum(n) AS n FROM both_ GROUP BY 1, 2),
		 of_column AS (SELECT column_name, sum(n) AS n FROM both_ GROUP BY 1),
		 pair AS (SELECT v.column_name, v.value, i.item, coalesce(b.n, 0) AS b, v.n AS v, i.n AS i, c.n AS n, v.n * i.n / c.n AS e
				  FROM of_value v JOIN of_item i USING (column_name) JOIN of_column c USING (column_name)
					   LEFT JOIN both_ b ON b.column_name = v.column_name AND b.value = v.value AND b.item = i.item),
		 spread AS (SELECT column_name, value, sum(e * e) AS expected, sum((b - e) * (b - e) - e * (1 - v / n) * (1 - i / n)) AS beyond_chance FROM pair GROUP BY 1, 2),
		 shape AS (SELECT column_name, value, CASE WHEN beyond_chance > 1e-9 THEN least(greatest(expected / beyond_chance, smoothing), 1e9) ELSE 1e9 END AS s FROM spread)
	SELECT column_name, value, item, b, e, ln((b + s) / (e + s)),
		   2 * (shop.g2_cell(b, e) + shop.g2_cell(v - b, v * (n - i) / n) + shop.g2_cell(i - b, (n - v) * i / n) + shop.g2_cell(n - v - i + b, (n - v) * (n - i) / n))
	FROM pair JOIN shape USING (column_name, value)
$$;

-- chi squared with one degree of freedom
CREATE TABLE shop.threshold (p float8, g2 float8);
INSERT INTO shop.threshold VALUES (1e-6, 23.928126976393973), (0.001, 10.827566170662733), (0.05, 3.841458820694124), (0.3, 1.0741941708575302);

CREATE TABLE shop.setting (no int, zone text, smoothing float8, p float8, min_support int, parts text[]);
INSERT INTO shop.setting VALUES
	(1, 'UTC', 5, 0.05, 2, '{hour,weekday,month}'), (2, 'America/New_York', 5, 0.05, 1, '{hour,weekday,month}'),
	(3, 'Europe/Berlin', 0.5, 0.3, 3, '{hour,month}'), (4, 'Australia/Lord_Howe', 20, 0.05, 2, '{hour,weekday,month}'),
	(5, 'Asia/Kolkata', 1e-6, 0.001, 2, '{hour}'), (6, 'Pacific/Apia', 1, 0.3, 5, '{weekday,month}'),
	(7, 'Pacific/Kiritimati', 1000, 0.05, 2, '{hour,weekday,month}'), (8, 'America/Sao_Paulo', 5, 1e-6, 2, '{hour,weekday,month}'),
	(9, 'Asia/Tehran', 5, 0.05, 2, '{}'), (10, 'America/New_York', 2, 0.3, 1, '{weekday}');

CREATE FUNCTION shop.refresh(s shop.setting) RETURNS void LANGUAGE sql AS $$
	SELECT recommender.set_options('recs', jsonb_build_object('context_timezone', s.zone, 'context_smoothing', s.smoothing, 'context_significance', s.p,
		'min_support', s.min_support, 'context_time', s.parts, 'max_history', 100000));
	SELECT generation FROM recommender.refresh('recs');
$$;

-- Differences of stored lifts from the oracle's; a pair within rounding of the
-- threshold may be stored or not.
CREATE FUNCTION shop.difference(s shop.setting) RETURNS TABLE (column_name text, value text, item int, lift float8, stored float8, g2 float8) LANGUAGE sql AS $$
	SELECT column_name, value, item, l.lift, c.lift, l.g2
	FROM (SELECT l.*, l.g2 >= t.g2 AND (users <= expected OR users >= s.min_support) AS kept, abs(l.g2 - t.g2) < 1e-9 AS either
		  FROM shop.lifts(s.zone, s.smoothing) l, shop.threshold t
		  WHERE t.p = s.p AND (l.column_name IN ('device', 'channel', 'logged_in', 'price') OR l.column_name = ANY (s.parts))
		  AND l.item IN (SELECT item_id FROM recs.item)) l
		 FULL JOIN (SELECT column_name::text, value, item_id AS item, c.lift FROM recs.context_lifts c) c USING (column_name, value, item)
	WHERE NOT coalesce(either, false) AND (kept IS DISTINCT FROM (c.lift IS NOT NULL) AND NOT (kept IS FALSE AND c.lift IS NULL)
		OR kept AND abs(l.lift - c.lift) > 1e-6 * greatest(1, abs(l.lift)))
$$;

DO $$
DECLARE s shop.setting;
BEGIN
	CREATE TABLE shop.result (no int, differences bigint, lifts bigint, less bigint, never bigint, columns text[]);
	FOR s IN TABLE shop.setting LOOP
		PERFORM shop.draw(s.no), shop.refresh(s);
		INSERT INTO shop.result SELECT s.no, (SELECT count(*) FROM shop.difference(s)), count(*), count(*) FILTER (WHERE lift < 0),
			(SELECT count(*) FROM shop.lifts(s.zone, 1) l JOIN recs.context_lifts c ON c.column_name::text = l.column_name AND c.value = l.value AND c.item_id = l.item WHERE l.users = 0),
			array_agg(DISTINCT column_name::text ORDER BY column_name::text)
		FROM recs.context_lifts;
	END LOOP;
END $$;
SELECT is(differences, 0::bigint, format('lifts of data set %s', no)) FROM shop.result ORDER BY no;
SELECT cmp_ok(lifts, '>', 30::bigint, format('lifts there are, in data set %s', no)) FROM shop.result WHERE no <> 8 ORDER BY no;
SELECT cmp_ok(less, '>', 10::bigint, format('of less, too, in data set %s', no)) FROM shop.result WHERE no <> 8 ORDER BY no;
SELECT cmp_ok((SELECT sum(never) FROM shop.result), '>', 30::numeric, 'of items that nobody chose with a value');
SELECT is((SELECT columns FROM shop.result WHERE no = 1), '{channel,device,hour,logged_in,month,price,weekday}', 'all columns');
SELECT is((SELECT columns FROM shop.result WHERE no = 9), '{channel,device,logged_in,price}', 'no part of the time when none is asked for');
SELECT is((SELECT count(*) FROM (SELECT item_nos, array_agg(n ORDER BY n) AS risen FROM recs.context_lift, unnest(item_nos) n GROUP BY ctid, item_nos) x WHERE risen <> item_nos), 0::bigint, 'items in order');

-- values, as they are kept
SELECT shop.draw(1), shop.refresh(s) FROM shop.setting s WHERE no = 2;
SELECT results_eq($$SELECT value COLLATE "default" FROM recs.context_lift WHERE column_name = 'channel' ORDER BY 1$$, $$VALUES (''), ('app'), ('phone'), ('shop'), ('web')$$,
	'channels of both sources, without blanks');
SELECT results_eq($$SELECT value COLLATE "default" FROM recs.context_lift WHERE column_name = 'logged_in' ORDER BY 1$$, $$VALUES ('false'), ('true')$$, 'booleans in words');
SELECT results_eq($$SELECT value COLLATE "default" FROM recs.context_lift WHERE column_name = 'price' ORDER BY 1$$, $$VALUES ('1'), ('10'), ('2.5')$$, 'numbers without zeros at the end');

/* ------------------------------------------------------------------------
 * What nothing depends on
 * ------------------------------------------------------------------------ */

CREATE TABLE shop.kept AS SELECT * FROM recs.context_lifts;
CREATE FUNCTION shop.same(what text) RETURNS text LANGUAGE sql AS $$
	SELECT set_eq('SELECT column_name::text COLLATE "default", value COLLATE "default", item_id, lift FROM recs.context_lifts', 'SELECT column_name::text COLLATE "default", value COLLATE "default", item_id, lift FROM shop.kept', what)
$$;
SELECT count(*) FROM recommender.refresh('recs');
SELECT shop.same('a second refresh gives the same');
SELECT is((SELECT count(DISTINCT generation) FROM recs.context_lift), 1::bigint, 'and leaves nothing of the first');
CREATE TABLE shop.shuffled AS TABLE shop.event;
TRUNCATE shop.event;
INSERT INTO shop.event SELECT * FROM shop.shuffled e ORDER BY md5(e::text);
SELECT count(*) FROM recommender.refresh('recs');
SELECT shop.same('in another order of rows, too');
SET LOCAL TimeZone = 'Asia/Tokyo';
SET LOCAL DateStyle = 'German, DMY';
SET LOCAL extra_float_digits = -5;
SELECT count(*) FROM recommender.refresh('recs');
SELECT shop.same('in a session of other settings, too');
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, MDY';
RESET extra_float_digits;
-- a row more of what somebody has chosen already
INSERT INTO shop.event SELECT e.* FROM shop.shuffled e, generate_series(1, 3);
SELECT count(*) FROM recommender.refresh('recs');
SELECT shop.same('what somebody does again counts once');

/* ------------------------------------------------------------------------
 * Calls
 * ------------------------------------------------------------------------ */

SELECT shop.draw(2), shop.refresh(s) FROM shop.setting s WHERE no = 1;

CREATE TABLE shop.call (no int GENERATED ALWAYS AS IDENTITY, context jsonb, options jsonb);
INSERT INTO shop.call (context, options) VALUES
	('{"device": "mobile"}', NULL), ('{"device": "mobile", "hour": 3, "month": "may"}', NULL), ('{"channel": ["web", "app", "phone"], "weekday": 7}', NULL),
	('{"logged_in": true, "price": 2.50}', '{"blend": {"context": 2}}'), ('{"device": ["desktop", "nosuch", null, "desktop"]}', '{"blend": {"popularity": 0}}'),
	('{"device": "TV, 55\"", "hour": "evening", "weekday": "tue", "month": 12}', '{"blend": {"trend": 0.5, "behaviour": 0.3}, "kappa": 10}');

-- Weights of the values of a call: equal for the known ones of a column.
CREATE FUNCTION shop.given(context jsonb) RETURNS TABLE (column_name name, value text, weight float8) LANGUAGE sql AS $$
	SELECT column_name, value, 1.0 / count(*) OVER (PARTITION BY column_name)
	FROM (SELECT DISTINCT key AS column_name,
				 CASE key WHEN 'hour' THEN (shop.time_parts(date '2024-01-01' + interval '1 hour' * CASE WHEN v = 'evening' THEN 20 ELSE v::int END, true)).hour
						  WHEN 'weekday' THEN CASE WHEN v IN ('7', 'weekend') THEN 'weekend' ELSE 'weekday' END
						  WHEN 'month' THEN CASE v WHEN '12' THEN 'december' ELSE v END WHEN 'price' THEN trim_scale(v::numeric)::text ELSE v END AS value
		  FROM jsonb_each(context), jsonb_array_elements_text(CASE jsonb_typeof(jsonb_each.value) WHEN 'array' THEN jsonb_each.value ELSE jsonb_build_array(jsonb_each.value) END) v
		  WHERE v IS NOT NULL) g
	WHERE EXISTS (SELECT FROM recs.context_lift c WHERE c.column_name = g.column_name AND c.value = g.value)
$$;
CREATE TABLE shop.term AS
SELECT no, item_id, sum(g.weight * lift) AS term FROM shop.call, LATERAL shop.given(context) g JOIN recs.context_lifts USING (column_name, value) GROUP BY no, item_id;
CREATE TABLE shop.person (id int);
INSERT INTO shop.person SELECT g * 9 FROM generate_series(0, 10) g UNION ALL VALUES (NULL), (-1);

-- The context's part of each score: the sum of lifts, divided by the largest or
-- 1, times the weight of the context, times the total weight of the others.  The
-- trust in the history follows from the weight of popularity.
CREATE TABLE shop.answer AS
SELECT c.no, p.id, c.options, r.*, i.popularity AS item_popularity
FROM shop.call c, shop.person p, recs.recommend_components(p.id, 1000, context => c.context, options => coalesce(c.options, '{}') || '{"exclude_seen": false}') r
	 JOIN recs.item i USING (item_id);
SELECT cmp_ok((SELECT count(*) FROM shop.answer), '>', 2000::bigint, 'answers to compare');
CREATE TABLE shop.weight AS
SELECT c.no, p.id, (b ->> 'context')::float8 AS context,
	   (b ->> 'behaviour')::float8 * trust + (b ->> 'popularity')::float8 * (1 - trust) + (b ->> 'trend')::float8 AS others
FROM shop.call c, shop.person p, LATERAL (SELECT '{"behaviour": 1, "context": 0.5, "popularity": 0.1, "trend": 0}'::jsonb || coalesce(c.options -> 'blend', '{}') AS b) b,
	 LATERAL (SELECT 1 - r.popularity / i.popularity AS trust
			  FROM recs.recommend_components(p.id, 1, options => coalesce(c.options, '{}') || '{"exclude_seen": false, "blend": {"popularity": 1, "behaviour": 0, "trend": 0}}') r
				   JOIN recs.item i USING (item_id)) t;
SELECT cmp_ok((SELECT count(DISTINCT others) FROM shop.weight), '>', 30::bigint, 'people of whom more or less is known');
SELECT is_empty($$
	SELECT a.no, a.id, a.item_id, a.context, t.term
	FROM shop.answer a JOIN shop.weight w ON w.no = a.no AND w.id IS NOT DISTINCT FROM a.id
		 LEFT JOIN shop.term t ON t.no = a.no AND t.item_id = a.item_id,
		 LATERAL (SELECT max(abs(term)) AS largest FROM shop.term WHERE no = a.no) l
	WHERE abs(a.context - w.context * CASE WHEN w.others > 0 THEN w.others ELSE 1 END * coalesce(t.term, 0) / greatest(l.largest, 1)) > 1e-6$$,
	'the context''s term is the sum of lifts, scaled');
SELECT is((SELECT array_agg(DISTINCT largest > 1 ORDER BY largest > 1) FROM (SELECT max(abs(term)) AS largest FROM shop.term GROUP BY no) t), '{f,t}', 'some say little, some much');
SELECT is((SELECT count(*) FROM shop.weight WHERE others = 0), 2::bigint, 'which stands alone where nothing else has a weight');
SELECT cmp_ok((SELECT count(*) FROM shop.answer WHERE context < 0), '>', 300::bigint, 'some against');
SELECT is_empty('SELECT * FROM shop.answer WHERE abs(score - (behaviour + factors + content + context + popularity + trend)) > 1e-12', 'and it is part of the score');

-- all functions agree
CREATE FUNCTION shop.opposed(options jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(options, '{}') || '{"exclude_seen": false}' $$;
SELECT is_empty($$
	SELECT a.* FROM shop.answer a WHERE score <> recs.score(id, item_id, (SELECT context FROM shop.call c WHERE c.no = a.no), options)$$,
	'score() says what recommend() says, call by call');
SELECT is_empty($$
	SELECT a.no, a.id, a.item_id FROM shop.answer a JOIN shop.call c USING (no), recs.explain(a.id, a.item_id, context => c.context, options => c.options) e
	GROUP BY a.no, a.id, a.item_id, a.score, a.context HAVING sum(e.contribution) <> a.score
	OR abs(coalesce(sum(e.contribution) FILTER (WHERE e.component = 'context'), 0) - a.context) > 1e-12$$, 'explain() adds up to it');
SELECT is_empty($$
	SELECT c.no, r.item_id, r.rank, r.score FROM shop.call c CROSS JOIN LATERAL recs.rank_items(27, ARRAY(SELECT item_id FROM recs.item), c.context, c.options) r JOIN shop.answer a USING (no, item_id)
	WHERE a.id = 27 AND a.score <> r.score$$, 'rank_items() too');
SELECT is_empty($$
	SELECT * FROM (SELECT c.no, a.* FROM shop.call c, recs.recommend_all(7, context => c.context, options => c.options) a) a
	FULL JOIN (SELECT c.no, p.id AS user_id, r.* FROM shop.call c, (SELECT DISTINCT user_id FROM recs.recommend_all(1)) p (id), recs.recommend(p.id, 7, context => c.context, options => c.options) r) r
		USING (no, user_id, rank)
	WHERE (a.item_id, a.score, a.strategy) IS DISTINCT FROM (r.item_id, r.score, r.strategy)$$, 'and recommend_all()');
SELECT results_eq($$SELECT item_id, score FROM recs.recommend_session('{}', 20, context => '{"device": "mobile"}')$$,
	$$SELECT item_id, score FROM recs.recommend(NULL, 20, context => '{"device": "mobile"}')$$, 'an empty session is a user of whom nothing is known');
SELECT results_eq($$SELECT item_id, score FROM recs.recommend_basket('{}', 20, context => '{"device": "mobile"}')$$,
	$$SELECT item_id, score FROM recs.recommend(NULL, 20, context => '{"device": "mobile"}')$$, 'and so is an empty basket');
SELECT isnt((SELECT array_agg(item_id ORDER BY rank) FROM recs.recommend_session('{1,2}', 20, context => '{"device": "mobile"}')),
			(SELECT array_agg(item_id ORDER BY rank) FROM recs.recommend_session('{1,2}', 20)), 'a session has a context');
SELECT isnt((SELECT array_agg(item_id ORDER BY rank) FROM recs.recommend_basket('{1,2}', 20, context => '{"device": "mobile"}')),
			(SELECT array_agg(item_id ORDER BY rank) FROM recs.recommend_basket('{1,2}', 20)), 'and so has a basket');

-- score() in one query under many contexts, in turn
SELECT is_empty($$
	SELECT * FROM (SELECT no, item_id, recs.score(9, item_id, context, options) AS turn FROM (SELECT * FROM shop.call, recs.item ORDER BY item_id, no) x) t
	JOIN shop.answer a USING (no, item_id) WHERE a.id = 9 AND a.score <> turn$$, 'score() goes by the context of each row');

-- reasons
SELECT is((SELECT count(*) FROM recs.recommend(-1, 100, context => '{"device": "mobile"}') r, jsonb_array_elements(reasons) e
		   WHERE e ->> 'component' = 'context' AND e ->> 'context' = 'device' AND e ->> 'value' = 'mobile'),
		  (SELECT count(*) FROM recs.context_lifts WHERE column_name = 'device' AND value = 'mobile'), 'reasons name the column and the value');
SELECT is((SELECT array_agg(because_value ORDER BY position) FROM recs.explain(-1, (SELECT item_id FROM recs.context_lifts WHERE value = 'mobile' INTERSECT
		   SELECT item_id FROM recs.context_lifts WHERE value = 'web' ORDER BY 1 LIMIT 1), '{"channel": "web", "device": "mobile"}') WHERE component = 'context'),
		  '{device: mobile,channel: web}', 'explain() does, in the order of the columns');
SELECT is((SELECT strategy FROM recs.recommend(-1, 1, context => '{"device": "mobile"}', options => '{"blend": {"popularity": 0}}')), 'context', 'the context may be what counts most');

/* ------------------------------------------------------------------------
 * What a call may say
 * ------------------------------------------------------------------------ */

CREATE FUNCTION shop.ask(context jsonb, options jsonb DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(item_id || ':' || score, ' ' ORDER BY rank) FROM recs.recommend(9, 1000, context => $1, options => $2)
$$;
SELECT is(shop.ask(context::jsonb), shop.ask(NULL), format('%s says nothing', context)) FROM unnest(ARRAY['null', '{}', '{"device": null}', '{"device": []}', '{"device": [null]}', '{"hour": null}',
	'{"device": "fridge"}', '{"device": ""}', '{"price": 4711}', '{"price": 1e400}', '{"channel": ["smoke", "drums"], "device": false}',
	jsonb_build_object('device', repeat('x', 100000))::text]) context WHERE context <> 'null';
SELECT isnt(shop.ask('{"device": "mobile"}'), shop.ask(NULL), 'a known value says something');
SELECT is(shop.ask(a::jsonb), shop.ask(b::jsonb), format('%s is %s', a, b)) FROM (VALUES
	('{"hour": 20}', '{"hour": "evening"}'), ('{"hour": 18}', '{"hour": "evening"}'), ('{"hour": 23}', '{"hour": "Evening"}'), ('{"hour": "20"}', '{"hour": "evening"}'), ('{"hour": 20.0}', '{"hour": "evening"}'),
	('{"hour": 0}', '{"hour": "night"}'), ('{"hour": 5}', '{"hour": "night"}'), ('{"hour": 6}', '{"hour": "morning"}'), ('{"hour": 11}', '{"hour": "morning"}'), ('{"hour": 12}', '{"hour": "afternoon"}'), ('{"hour": "07"}', '{"hour": "morning"}'),
	('{"weekday": 1}', '{"weekday": "weekday"}'), ('{"weekday": 5}', '{"weekday": "weekday"}'), ('{"weekday": 6}', '{"weekday": "weekend"}'), ('{"weekday": "7"}', '{"weekday": "weekend"}'), ('{"weekday": "Sunday"}', '{"weekday": "weekend"}'), ('{"weekday": "fri"}', '{"weekday": "weekday"}'),
	('{"month": 1}', '{"month": "january"}'), ('{"month": "12"}', '{"month": "DECEMBER"}'), ('{"month": "Sep"}', '{"month": 9}'), ('{"month": [5, "may"]}', '{"month": 5}'),
	('{"price": 10}', '{"price": "10"}'), ('{"price": 10.00}', '{"price": 10}'), ('{"logged_in": true}', '{"logged_in": "true"}'),
	('{"device": ["mobile", "fridge"]}', '{"device": "mobile"}'), ('{"device": ["mobile", "mobile", null]}', '{"device": "mobile"}'), ('{"device": "mobile", "channel": "smoke"}', '{"device": "mobile"}')) v (a, b);
SELECT isnt(shop.ask('{"hour": 20}'), shop.ask('{"hour": 3}'), 'and hours differ');
SELECT is(shop.ask('{"device": "mobile"}', '{"blend": {"context": 0}}'), shop.ask(NULL), 'no weight, no context');

-- the time of the transaction
SELECT is(shop.ask(NULL, '{"context_now": true}'),
	shop.ask(jsonb_build_object('hour', extract(hour FROM now()), 'weekday', extract(isodow FROM now()), 'month', extract(month FROM now()))), 'context_now is the time of the call');
SELECT is(shop.ask('{"hour": 3, "device": "mobile"}', '{"context_now": true}'),
	shop.ask(jsonb_build_object('hour', 3, 'weekday', extract(isodow FROM now()), 'month', extract(month FROM now()), 'device', 'mobile')), 'where the call does not say another');
SELECT is(shop.ask('{"hour": null}', '{"context_now": true}'), shop.ask(NULL, '{"context_now": true}'), 'null is not another');
SELECT is(shop.ask('{"weekday": 1, "month": 1}', jsonb_build_object('context_now', true, 'context_timezone', zone)),
	shop.ask(jsonb_build_object('weekday', 1, 'month', 1, 'hour', extract(hour FROM now() AT TIME ZONE zone))), 'what hour it is depends on where: ' || zone)
FROM unnest('{UTC,Asia/Tokyo,America/New_York,Asia/Kathmandu,Pacific/Honolulu}'::text[]) zone;
SELECT is((SELECT array_agg(DISTINCT recs.score(9, item_id, options => '{"context_now": true}') = recs.score(9, item_id, jsonb_build_object(
	'hour', extract(hour FROM now()), 'weekday', extract(isodow FROM now()), 'month', extract(month FROM now())))) FROM recs.item), '{t}', 'for score(), too');

-- Names.
SELECT throws_ok(format('SELECT * FROM recs.recommend(9, context => %L)', context), '22023', message, context) FROM (VALUES
	('{"devise": "mobile"}', 'context "devise" does not exist'), ('{"": 1}', 'context "" does not exist'), ('{"Device": 1}', 'context "Device" does not exist'),
	('[]', 'context must be a JSON object'), ('"device"', 'context must be a JSON object'), ('1', 'context must be a JSON object'),
	('{"device": {}}', 'context "device" must be a string, a number, true or false, or an array of them'), ('{"device": [["mobile"]]}', 'context "device" must be a string, a number, true or false, or an array of them'),
	('{"hour": 24}', 'context "hour" cannot be "24"'), ('{"hour": -1}', 'context "hour" cannot be "-1"'), ('{"hour": 2.5}', 'context "hour" cannot be "2.5"'), ('{"hour": true}', 'context "hour" cannot be "true"'), ('{"hour": ""}', 'context "hour" cannot be ""'),
	('{"hour": "20 "}', 'context "hour" cannot be "20 "'), ('{"hour": 1e30}', 'context "hour" cannot be "1000000000000000000000000000000"'), ('{"weekday": 0}', 'context "weekday" cannot be "0"'), ('{"weekday": 8}', 'context "weekday" cannot be "8"'),
	('{"weekday": "someday"}', 'context "weekday" cannot be "someday"'), ('{"month": 13}', 'context "month" cannot be "13"'), ('{"month": "ma"}', 'context "month" cannot be "ma"'), ('{"month": [1, "x"]}', 'context "month" cannot be "x"')) v (context, message);
SELECT throws_ok(f, '22023', 'context "devise" does not exist', f) FROM unnest(ARRAY[
	$$SELECT * FROM recs.recommend_session('{1}', context => '{"devise": 1}')$$, $$SELECT * FROM recs.recommend_basket('{1}', context => '{"devise": 1}')$$,
	$$SELECT * FROM recs.rank_items(1, '{1}', context => '{"devise": 1}')$$, $$SELECT recs.score(1, 1, context => '{"devise": 1}')$$,
	$$SELECT * FROM recs.explain(1, 1, context => '{"devise": 1}')$$, $$SELECT * FROM recs.recommend_all(1, context => '{"devise": 1}')$$]) f;

/* ------------------------------------------------------------------------
 * Columns
 * ------------------------------------------------------------------------ */

-- a part of the time that is not learnt is not context
SELECT recommender.set_options('recs', '{"context_time": ["month"]}') ->> 'context_time';
SELECT throws_ok($$SELECT * FROM recs.recommend(1, context => '{"hour": 1}')$$, '22023', 'context "hour" does not exist', 'not asked for');
SELECT lives_ok($$SELECT * FROM recs.recommend(1, context => '{"month": 1}')$$, 'asked for');
SELECT is((SELECT code FROM recommender.check_recommender('recs') WHERE code = 'options_changed'), 'options_changed', 'an array of other names is another option');
SELECT recommender.set_options('recs', '{"context_time": null}') ->> 'context_time';
SELECT is((SELECT code FROM recommender.check_recommender('recs') WHERE code = 'options_changed'), NULL, 'the same again');

-- sources that know dates alone, and a column with the name of a part
CREATE TABLE shop.visit (user_id int, item_id int, day date, weekday text, hour int);
INSERT INTO shop.visit SELECT n % 40, n % 7, date '2024-06-01' + n % 60, CASE n % 7 WHEN 0 THEN 'holiday' ELSE 'workday' END, n % 3 FROM generate_series(1, 800) n;
SELECT recommender.create_recommender('dates', 'shop.visit', time_column => 'day', context_columns => '{weekday}');
SELECT count(*) FROM recommender.refresh('dates');
SELECT results_eq($$SELECT DISTINCT column_name::text COLLATE "default", value COLLATE "default" FROM dates.context_lift ORDER BY 1, 2$$, $$VALUES ('weekday', 'holiday'), ('weekday', 'workday')$$,
	'a declared column takes the place of a part of the time');
SELECT throws_ok($$SELECT * FROM dates.recommend(1, context => '{"hour": 1}')$$, '22023', 'context "hour" does not exist', 'dates have no hours');
SELECT isnt((SELECT score FROM dates.recommend(-1, 1, context => '{"weekday": "holiday"}')), (SELECT score FROM dates.recommend(-1, 1)), 'its values are its own');
SELECT is((SELECT score FROM dates.recommend(-1, 1, context => '{"weekday": 7}')), (SELECT score FROM dates.recommend(-1, 1)), 'and not those of the part');
SELECT lives_ok($$SELECT * FROM dates.recommend(1, options => '{"context_now": true}')$$, 'now, for what is left of the time');
SELECT recommender.create_recommender('timeless', 'shop.visit');
SELECT count(*) FROM recommender.refresh('timeless');
SELECT is((SELECT count(*) FROM timeless.context_lift), 0::bigint, 'without times and columns there is no context');
SELECT throws_ok($$SELECT * FROM timeless.recommend(1, context => '{"month": 1}')$$, '22023', 'context "month" does not exist', 'of which nothing can be said');
SELECT is((SELECT array_agg(item_id ORDER BY rank) FROM timeless.recommend(1, context => '{}', options => '{"context_now": true}')),
		  (SELECT array_agg(item_id ORDER BY rank) FROM timeless.recommend(1)), 'but nothing');

-- values that are too long to be values
ALTER TABLE shop.visit ADD agent text;
UPDATE shop.visit SET agent = CASE WHEN item_id = 3 THEN repeat('x', 255) WHEN item_id = 4 THEN repeat('y', 256) WHEN item_id = 5 THEN repeat('z', 20000) ELSE 'plain' END;
SELECT recommender.add_interactions('timeless', 'shop.visit', context_columns => '{agent}');
SELECT count(*) FROM recommender.refresh('timeless');
SELECT results_eq($$SELECT left(value, 5) COLLATE "default", octet_length(value) FROM timeless.context_lift ORDER BY 1$$, $$VALUES ('plain', 5), ('xxxxx', 255)$$, 'at most 255 bytes');
SELECT is((SELECT sum(score) FROM timeless.recommend(-1, context => jsonb_build_object('agent', repeat('y', 256)))), (SELECT sum(score) FROM timeless.recommend(-1)), 'longer ones say nothing');

-- a column that was renamed
ALTER TABLE shop.visit RENAME agent TO browser;
SELECT lives_ok($$SELECT * FROM timeless.recommend(1, context => '{"agent": "plain"}')$$, 'answers go on');
SELECT throws_ok($$SELECT recommender.refresh('timeless')$$, '42703', 'column "agent" of relation "visit" does not exist', 'a refresh needs the column');
SELECT is((SELECT code FROM recommender.check_recommender('timeless')), 'column_missing', 'which check_recommender() misses');
SELECT recommender.add_interactions('timeless', 'shop.visit', context_columns => '{browser}');
SELECT lives_ok($$SELECT recommender.refresh('timeless')$$, 'said anew, all is well');

/* ------------------------------------------------------------------------
 * Memory
 * ------------------------------------------------------------------------ */

CREATE TABLE shop.wide (user_id int, item_id int, session text);
INSERT INTO shop.wide SELECT n % 100, n % 50, 'session number ' || n FROM generate_series(1, 60000) n;
SELECT recommender.create_recommender('wide', 'shop.wide', context_columns => '{session}');
SET LOCAL maintenance_work_mem = '6MB';
SELECT throws_ok($$SELECT recommender.refresh('wide')$$, '53400', 'the data do not fit into maintenance_work_mem', 'a context that is never the same again takes memory');
SET LOCAL maintenance_work_mem = '64MB';
SELECT lives_ok($$SELECT recommender.refresh('wide')$$, 'which can be given');
SELECT is((SELECT count(*) FROM wide.context_lift), 0::bigint, 'and says nothing');

/* ------------------------------------------------------------------------
 * Evaluation
 * ------------------------------------------------------------------------ */

-- evaluate() evaluates the answers of a recommender over the training rows in the
-- context of each user's first interaction in the test set.
CREATE TABLE shop.whole (user_id int, item_id int, device text, at timestamptz);
INSERT INTO shop.whole
SELECT u, CASE WHEN shop.random(n, 'x') < 0.6 THEN (month * 3 + floor(6 * shop.random(n, 'y'))::int) % 36 ELSE floor(36 * power(shop.random(n, 'z'), 2))::int END,
	   CASE WHEN shop.random(n, 'dev') < 0.1 THEN NULL WHEN month % 2 = 0 THEN 'mobile' ELSE shop.pick(n, 'dev', 'mobile', 'desktop') END, at
FROM generate_series(1, 2600) n, LATERAL (SELECT (120 * power(shop.random(n, 'user'), 1.5))::int AS u, timestamptz '2023-01-01' + interval '1 second' * floor(730 * 86400 * shop.random(n, 'at')) AS at) a,
	 LATERAL (SELECT extract(month FROM at)::int AS month) m;
CREATE INDEX ON shop.whole (user_id, at);
SELECT recommender.create_recommender('whole', 'shop.whole', time_column => 'at', context_columns => '{device}', options => '{"context_timezone": "Europe/Paris", "context_significance": 0.2}');
CREATE TABLE shop.cut AS SELECT at AS cut FROM shop.whole ORDER BY at OFFSET (SELECT floor(count(*) * 0.8) FROM shop.whole) LIMIT 1;
CREATE VIEW shop.part AS SELECT w.* FROM shop.whole w, shop.cut WHERE at < cut;
SELECT recommender.create_recommender('part', 'shop.part', time_column => 'at', context_columns => '{device}', options => '{"context_timezone": "Europe/Paris", "context_significance": 0.2}');
SELECT count(*) FROM recommender.refresh('part');
CREATE TABLE shop.hidden AS
SELECT user_id, array_agg(DISTINCT item_id) AS items,
	   (array_agg(jsonb_build_object('device', device, 'hour', extract(hour FROM at AT TIME ZONE 'Europe/Paris'), 'weekday', extract(isodow FROM at AT TIME ZONE 'Europe/Paris'),
			'month', extract(month FROM at AT TIME ZONE 'Europe/Paris')) ORDER BY at, item_id))[1] AS context
FROM shop.whole w, shop.cut WHERE at >= cut AND NOT EXISTS (SELECT FROM shop.part p WHERE p.user_id = w.user_id AND p.item_id = w.item_id) GROUP BY user_id;
-- the first interaction in the test set may be with an item that is not relevant
UPDATE shop.hidden h SET context = (SELECT jsonb_build_object('device', device, 'hour', extract(hour FROM at AT TIME ZONE 'Europe/Paris'), 'weekday', extract(isodow FROM at AT TIME ZONE 'Europe/Paris'),
			'month', extract(month FROM at AT TIME ZONE 'Europe/Paris')) FROM shop.whole w, shop.cut WHERE at >= cut AND w.user_id = h.user_id ORDER BY at, item_id LIMIT 1);
CREATE FUNCTION shop.by_hand(context boolean, options jsonb DEFAULT '{}') RETURNS float8 LANGUAGE sql AS $$
	SELECT avg(recommender.ndcg(ARRAY(SELECT item_id FROM part.recommend(h.user_id, 10, context => CASE WHEN $1 THEN h.context END, options => $2) ORDER BY rank), h.items, 10))
	FROM shop.hidden h
$$;
CREATE FUNCTION shop.measured(context boolean, options jsonb DEFAULT '{}') RETURNS float8 LANGUAGE sql AS $$
	SELECT value FROM recommender.evaluate('whole', metrics => '{ndcg}', context => $1, options => $2, resamples => 0, store => false) WHERE segment = 'all' AND strategy = 'recommender' AND metric = 'ndcg'
$$;
SELECT cmp_ok((SELECT count(*) FROM shop.hidden), '>', 60::bigint, 'people to measure on');
SELECT is(round(shop.measured(false)::numeric, 12), round(shop.by_hand(false)::numeric, 12), 'without a context');
SELECT is(round(shop.measured(true)::numeric, 12), round(shop.by_hand(true)::numeric, 12), 'with the context of the first hidden interaction');
SELECT is(round(shop.measured(true, '{"blend": {"context": 3}}')::numeric, 12), round(shop.by_hand(true, '{"blend": {"context": 3}}')::numeric, 12), 'with more of it');
SELECT cmp_ok(shop.measured(true), '>', shop.measured(false), 'which helps where people do as the season does');
SELECT is(shop.measured(true, '{"blend": {"context": 0}}'), shop.measured(false), 'without a weight it is as without');
SELECT is(shop.measured(true, '{"context_significance": 0}'), shop.measured(false), 'as with no lifts at all');
SELECT isnt(shop.measured(false, '{"context_now": true}'), shop.measured(false), 'where the time counts in calls it is measured, too');
SELECT is(shop.measured(false, '{"context_now": true, "context_time": []}'), shop.measured(false), 'and nothing but the time');
SELECT is(shop.measured(false, '{"context_now": true, "context_time": []}'), shop.measured(false), 'if it is context');
UPDATE shop.hidden SET context = context - 'device';
SELECT is(round(shop.measured(false, '{"context_now": true}')::numeric, 12), round(shop.by_hand(true)::numeric, 12), 'the time of the first hidden interaction');
SELECT is((SELECT round(value_b::numeric, 12) FROM recommender.compare_options('whole', '{"blend": {"context": 0}}', '{}', context => true, resamples => 1)), round(shop.measured(true)::numeric, 12),
	'compare_options() measures the same');
SELECT is((SELECT round(value_a::numeric, 12) FROM recommender.compare_options('whole', '{"blend": {"context": 0}}', '{}', context => true, resamples => 1)), round(shop.measured(false)::numeric, 12),
	'and with and without side by side');
SELECT is((SELECT round(value_b::numeric, 12) FROM recommender.compare_options('whole', '{"context_time": ["hour"]}', '{"context_time": ["month", "weekday"]}', context => true, resamples => 1)),
		  round(shop.measured(true, '{"context_time": ["month", "weekday"]}')::numeric, 12), 'each goes by its own parts of the time');
SELECT throws_ok($$SELECT * FROM recommender.compare_options('whole', '{"context_timezone": "Asia/Tokyo"}', '{}', context => true)$$, '22023',
	'options_a and options_b must have the same context_timezone', 'but by one clock');
SELECT lives_ok($$SELECT * FROM recommender.compare_options('whole', '{"context_timezone": "Asia/Tokyo"}', '{}')$$, 'if any');
-- other splits, rows in another order
SELECT is(a.value, b.value, 'two people, cut by cut: ' || s) FROM unnest('{time,leave_last,users,random}'::text[]) s,
	LATERAL (SELECT array_agg(value ORDER BY segment, strategy, metric, k) AS value FROM recommender.evaluate('whole', split => s, context => true, resamples => 20, store => false)) a,
	LATERAL (SELECT array_agg(value ORDER BY segment, strategy, metric, k) AS value FROM recommender.evaluate('whole', split => s, context => true, resamples => 20, store => false)) b;
CREATE TABLE shop.before AS SELECT s.split, e.* FROM unnest('{time,leave_last,users,random}'::text[]) s (split), recommender.evaluate('whole', split => s.split, context => true, resamples => 0, store => false) e;
CREATE TABLE shop.other_order AS TABLE shop.whole;
TRUNCATE shop.whole;
INSERT INTO shop.whole SELECT * FROM shop.other_order o ORDER BY md5(o::text);
SELECT set_eq($$SELECT s.split, e.* FROM unnest('{time,leave_last,users,random}'::text[]) s (split), recommender.evaluate('whole', split => s.split, context => true, resamples => 0, store => false) e$$,
	'TABLE shop.before', 'the order of rows makes no difference');

-- A planted leak: in the test set alone, the device determines the relevant items.
-- Training on it would find all of them.
UPDATE shop.whole SET device = 'plain';
UPDATE shop.whole w SET device = 'item ' || item_id FROM shop.cut WHERE at >= cut;
SELECT is(shop.measured(true, '{"context_time": [], "context_significance": 1}'), shop.measured(false), 'nothing is learnt from what is hidden');
UPDATE shop.whole SET device = 'item ' || item_id;
SELECT cmp_ok(shop.measured(true, '{"context_time": [], "blend": {"context": 100}}'), '>', 2 * shop.measured(false), 'where it is there before, it is');

SELECT * FROM finish();
ROLLBACK;
