/*
 * test/pgtap/serve_filter.sql
 *	  Filters against WHERE, and rankings under filters.
 *
 * A generator draws filters and writes each in jsonb and in SQL, from the same
 * choices.  The items that pass a filter must be those that WHERE returns, and an
 * answer with a filter must be the answer without it restricted to these items,
 * in equal order, up to k.
 *
 * Everything is drawn from md5 of a key, so that it is equal on every run.  Leaves
 * nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;

SELECT plan(1682);

CREATE SCHEMA oracle;

-- a number from 0 to n - 1
CREATE FUNCTION oracle.draw(key text, n int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT (('x' || left(md5(key), 15))::bit(60)::bigint % n)::int $$;
CREATE FUNCTION oracle.pick(key text, VARIADIC list text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT list[1 + oracle.draw(key, cardinality(list))] $$;

/* ------------------------------------------------------------------------
 * The generator
 * ------------------------------------------------------------------------ */

CREATE TYPE oracle.mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN oracle.money AS numeric(10,2) CHECK (VALUE < 1000);
CREATE DOMAIN oracle.labels AS text[];

-- The columns: their types, how they are written in JSON and in SQL, and
-- values that occur and that do not.
CREATE TABLE oracle.column (name text PRIMARY KEY, type text, kind text, sample jsonb);
INSERT INTO oracle.column VALUES
	('a_text', 'text', 'text', '["", "a", "ab", "abc", "b%", "b_c", "b\\", "ä", "Ä", "zz", "no such"]'),
	('a_varchar', 'varchar(10) COLLATE "C"', 'text', '["", "a", "ab", "abc", "b%", "b_c", "b\\", "Zz"]'),
	('a_char', 'char(4)', 'scalar', '["a", "ab", "abc", "abcd", "b"]'),
	('a_name', 'name', 'text', '["a", "ab", "b%", "Z"]'),
	('a_smallint', 'smallint', 'scalar', '[-3, 0, 1, 2, 3, 32767, "2"]'),
	('an_int', 'int', 'scalar', '[-3, 0, 1, 2, 3, 2147483647, 4.0, "5"]'),
	('a_bigint', 'bigint', 'scalar', '[-3, 0, 1, 9007199254740993, 9223372036854775807]'),
	('a_real', 'real', 'scalar', '[-1.5, 0, 0.1, 0.2, 1e30, "NaN", "Infinity"]'),
	('a_float', 'float8', 'scalar', '[-1.5, 0, 0.1, 0.2, 1e300, "NaN"]'),
	('a_numeric', 'numeric', 'scalar', '[-1.5, 0, 0.1, 0.10, 12345678901234567890.5, "NaN"]'),
	('a_price', 'oracle.money', 'scalar', '[0, 1.5, 9.99, 10, 999.99, 5000, 9.991]'),
	('a_bool', 'boolean', 'scalar', '[true, false, "yes", "off"]'),
	('a_date', 'date', 'scalar', '["2026-01-01", "2026-02-28", "2025-12-31", "infinity", "1 Jan 2026"]'),
	('a_timestamp', 'timestamp', 'scalar', '["2026-01-01 00:00", "2026-01-01T12:30:00", "-infinity"]'),
	('a_timestamptz', 'timestamptz', 'scalar', '["2026-01-01 00:00+00", "2026-01-01T02:00:00+02:00", "2026-01-02 00:00-03"]'),
	('an_interval', 'interval', 'scalar', '["1 day", "24 hours", "1 month", "-00:05"]'),
	('a_uuid', 'uuid', 'scalar', '["00000000-0000-0000-0000-000000000001", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11"]'),
	('a_mood', 'oracle.mood', 'scalar', '["sad", "ok", "happy"]'),
	('an_inet', 'inet', 'scalar', '["10.0.0.1", "10.0.0.0/8", "::1"]'),
	('a_bytea', 'bytea', 'scalar', '["\\x00ff", "\\x", "abc"]'),
	('texts', 'text[]', 'array', '["", "a", "b", "a b", "c\"d", "null", "NULL", "{}", ","]'),
	('ints', 'int[]', 'array', '[-1, 0, 1, 2, 3, 2.0]'),
	('moods', 'oracle.mood[]', 'array', '["sad", "ok", "happy"]'),
	('dates', 'date[]', 'array', '["2026-01-01", "2025-12-31"]'),
	('labels', 'oracle.labels', 'array', '["a", "b", "c"]'),
	('a_jsonb', 'jsonb', 'jsonb', '[1, "a", true, {}, {"a": 1}, {"a": 1, "b": [1, 2]}, {"b": [2]}, [1, "a"], ["a"], {"a": null}]'),
	('Odd "name" ; --', 'int', 'scalar', '[1, 2, 3]');

SELECT format('CREATE TABLE oracle.product (id int PRIMARY KEY, dropped int, ready boolean, pack int, %s)',
			  string_agg(format('%I %s', name, type), ', ' ORDER BY name)) FROM oracle.column \gexec
ALTER TABLE oracle.product DROP COLUMN dropped;

-- One of a column's samples as text for the type's input function.
CREATE FUNCTION oracle.text_of(c oracle.column, v jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN c.kind = 'jsonb' THEN v::text
		WHEN jsonb_typeof(v) = 'number' AND (c.type ~ 'int$' OR c.name = 'ints') THEN trim_scale(v::numeric)::text
		ELSE v #>> '{}' END $$;

-- A value of a column as text: an array's elements are drawn.
CREATE FUNCTION oracle.value(key text, c oracle.column) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN c.kind <> 'array' THEN (SELECT oracle.text_of(c, v)
			FROM jsonb_array_elements(c.sample) WITH ORDINALITY AS e (v, n) WHERE n = 1 + oracle.draw(key, jsonb_array_length(c.sample)))
		ELSE (SELECT coalesce(array_agg(CASE WHEN oracle.draw(key || n || 'null', 8) > 0 THEN oracle.text_of(c, v) END ORDER BY n), '{}')::text
			FROM jsonb_array_elements(c.sample) WITH ORDINALITY AS e (v, n) WHERE oracle.draw(key || n, 3) = 0) END $$;

-- A row for each number; a fifth of the values are null.
CREATE FUNCTION oracle.fill(first int, last int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE (SELECT format('INSERT INTO oracle.product (id, ready, pack, %s) SELECT i, oracle.draw(i || ''ready'', 6) > 0, i %% 1000, %s FROM generate_series($1, $2) i',
				string_agg(quote_ident(name), ', ' ORDER BY name),
				string_agg(format('CASE WHEN oracle.draw(i || %L, 5) > 0 THEN %s END', name || 'null',
					(SELECT format('(SELECT (%L::text[])[1 + oracle.draw(i || %L, %s)])::%s', array_agg(v), name, count(*),
						regexp_replace(type, ' COLLATE.*', ''))
					 FROM (SELECT oracle.value(name || g, c) AS v FROM generate_series(1, 12) g) s
					 WHERE name <> 'a_price' OR v::numeric < 1000)), ', ' ORDER BY name))
		FROM oracle.column c) USING first, last;
END $$;

-- what a filter says of a column, in both languages
CREATE TYPE oracle.pair AS (filter jsonb, condition text);

-- Elements of an array column, or values of others, and SQL literals of them.
CREATE FUNCTION oracle.elements(key text, c oracle.column, most int) RETURNS TABLE (element jsonb, literal text) LANGUAGE sql AS $$
	SELECT v, format('%L::%s', oracle.text_of(c, v),
		CASE c.kind WHEN 'array' THEN CASE c.name WHEN 'labels' THEN 'text' ELSE rtrim(c.type, '[]') END
			ELSE CASE c.name WHEN 'a_price' THEN 'numeric' WHEN 'a_varchar' THEN 'varchar' WHEN 'a_char' THEN 'bpchar' ELSE c.type END END)
	FROM jsonb_array_elements(c.sample) WITH ORDINALITY AS e (v, n)
	ORDER BY md5(key || n) LIMIT 1 + oracle.draw(key || 'most', most) $$;

CREATE FUNCTION oracle.draw_column(key text, depth int) RETURNS oracle.pair LANGUAGE plpgsql AS $$
DECLARE
	c oracle.column;
	col text; op text; sign text; array_type text; inner_pair oracle.pair; has_null boolean;
	one jsonb; one_sql text; many jsonb; many_sql text; filter jsonb; condition text; text_value text;
BEGIN
	SELECT * INTO c FROM oracle.column ORDER BY md5(key || name) LIMIT 1;
	col := format('p.%I', c.name);
	array_type := CASE WHEN c.kind = 'array' THEN CASE c.name WHEN 'labels' THEN 'text[]' ELSE c.type END END;
	SELECT element, literal INTO one, one_sql FROM oracle.elements(key || 'one', c, 1);
	SELECT jsonb_agg(element), string_agg(literal, ', ') INTO many, many_sql FROM oracle.elements(key || 'many', c, 4);
	has_null := oracle.draw(key || 'nullable', 4) = 0;
	op := oracle.pick(key || 'op', VARIADIC ARRAY['null', 'is_null', 'list', 'list', 'in', 'not', 'ne null', 'empty'] || CASE c.kind
		WHEN 'array' THEN '{one,contains,contains one,contains,overlaps,eq,ne,lt,gte}'::text[]
		WHEN 'jsonb' THEN '{one,eq,ne,contains,contains,gt}'::text[]
		WHEN 'text' THEN '{one,eq,ne,prefix,prefix,prefix,lt,lte,gt,gte,range}'::text[]
		ELSE '{one,one,eq,ne,lt,lte,gt,gte,range}'::text[] END);
	IF op = 'one' AND c.kind = 'jsonb' AND jsonb_typeof(one) IN ('object', 'array') THEN
		op := 'eq';
	END IF;
	IF op IN ('lt', 'lte', 'gt', 'gte') THEN
		sign := (ARRAY['<', '<=', '>', '>='])[array_position('{lt,lte,gt,gte}'::text[], op)];
	END IF;
	CASE op
	WHEN 'null' THEN
		filter := 'null'; condition := format('%s IS NULL', col);
	WHEN 'is_null' THEN
		filter := jsonb_build_object('is_null', has_null);
		condition := format('%s IS %s NULL', col, CASE WHEN has_null THEN '' ELSE 'NOT' END);
	WHEN 'ne null' THEN
		filter := '{"ne": null}'; condition := format('%s IS NOT NULL', col);
	WHEN 'empty' THEN
		filter := '{}'; condition := 'true';
		IF has_null THEN
			filter := '[]'; condition := 'false';
		END IF;
	WHEN 'list', 'in' THEN
		filter := many; condition := format(CASE WHEN c.kind = 'array' THEN '%s && ARRAY[%s]' ELSE '%s IN (%s)' END, col, many_sql);
		IF has_null THEN
			filter := filter || 'null'; condition := format('(%s OR %s IS NULL)', condition, col);
		END IF;
		IF op = 'in' THEN
			filter := jsonb_build_object('in', filter);
		END IF;
	WHEN 'not' THEN
		IF depth > 0 THEN
			-- the same column again
			inner_pair := oracle.draw_column(key || '.', depth - 1);
			RETURN (SELECT ROW(jsonb_build_object(k, jsonb_build_object('not', v)), format('NOT (%s)', inner_pair.condition))::oracle.pair
					FROM jsonb_each(inner_pair.filter) AS e (k, v));
		END IF;
		filter := '{"not": null}'; condition := format('%s IS NOT NULL', col);
	WHEN 'one' THEN
		filter := one; condition := format(CASE WHEN c.kind = 'array' THEN '%s @> ARRAY[%s]' ELSE '%s = %s' END, col, one_sql);
	WHEN 'contains' THEN
		IF c.kind = 'array' THEN
			filter := jsonb_build_object(op, many); condition := format('%s @> ARRAY[%s]', col, many_sql);
		ELSE
			filter := jsonb_build_object(op, one); condition := format('%s @> %s', col, one_sql);
		END IF;
	WHEN 'contains one' THEN
		filter := jsonb_build_object('contains', one); condition := format('%s @> ARRAY[%s]', col, one_sql);
	WHEN 'overlaps' THEN
		filter := jsonb_build_object(op, many); condition := format('%s && ARRAY[%s]', col, many_sql);
	WHEN 'prefix' THEN
		text_value := one #>> '{}';
		filter := jsonb_build_object(op, one); condition := format('left(%s::text, %s) = %L', col, length(text_value), text_value);
	WHEN 'range' THEN
		filter := jsonb_build_object('gte', one, 'lt', many -> 0);
		condition := format('%1$s >= %2$s AND %1$s < %3$s', col, one_sql, (SELECT literal FROM oracle.elements(key || 'many', c, 4) WHERE element = many -> 0 LIMIT 1));
	ELSE -- comparisons
		IF c.kind = 'array' THEN
			filter := many; condition := format('ARRAY[%s]::%s', many_sql, array_type);
		ELSE
			filter := one; condition := one_sql;
		END IF;
		filter := jsonb_build_object(op, filter);
		condition := format('%s %s %s', col, CASE op WHEN 'eq' THEN '=' WHEN 'ne' THEN '<>' ELSE sign END, condition);
	END CASE;
	RETURN ROW(jsonb_build_object(c.name, filter), condition);
END $$;

CREATE FUNCTION oracle.draw_filter(key text, depth int) RETURNS oracle.pair LANGUAGE plpgsql AS $$
DECLARE
	shape text := oracle.pick(key || 'shape', 'column', 'column', 'column', 'and', 'or', 'or', 'not', 'members');
	part oracle.pair; filter jsonb := '[]'; condition text; n int := oracle.draw(key || 'n', 4);
BEGIN
	IF depth = 0 OR shape = 'column' THEN
		RETURN oracle.draw_column(key, 1);
	ELSIF shape = 'not' THEN
		part := oracle.draw_filter(key || 'n', depth - 1);
		RETURN ROW(jsonb_build_object('not', part.filter), format('NOT (%s)', part.condition));
	ELSIF shape = 'members' THEN	-- several members of one object
		filter := '{}';
		FOR i IN 1 .. n LOOP
			part := oracle.draw_filter(key || 'm' || i, depth - 1);
			CONTINUE WHEN EXISTS (SELECT FROM jsonb_object_keys(part.filter) k WHERE filter ? k);
			filter := filter || part.filter; condition := concat_ws(' AND ', condition, '(' || part.condition || ')');
		END LOOP;
		RETURN ROW(filter, coalesce(condition, 'true'));
	END IF;
	FOR i IN 1 .. n LOOP
		part := oracle.draw_filter(key || i, depth - 1);
		filter := filter || jsonb_build_array(part.filter);
		condition := concat_ws(format(' %s ', shape), condition, '(' || part.condition || ')');
	END LOOP;
	RETURN ROW(jsonb_build_object(shape, filter), coalesce(condition, CASE shape WHEN 'and' THEN 'true' ELSE 'false' END));
END $$;

CREATE FUNCTION oracle.where(condition text) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE ids int[];
BEGIN
	EXECUTE format('SELECT coalesce(array_agg(p.id ORDER BY p.id), ''{}'') FROM oracle.product p WHERE p.ready AND (%s)', condition) INTO ids;
	RETURN ids;
END $$;

/* ------------------------------------------------------------------------
 * What passes: a catalogue of a few hundred, so that many kinds of filter are
 * tried
 * ------------------------------------------------------------------------ */

SELECT oracle.fill(1, 300);
SELECT is((SELECT count(*) FROM oracle.column, LATERAL (SELECT 1 FROM oracle.product p WHERE to_jsonb(p) -> name = 'null' HAVING count(*) BETWEEN 20 AND 100) n),
		  (SELECT count(*) FROM oracle.column), 'each column has values and nulls');

CREATE TABLE oracle.visit (visitor int, product int, at timestamptz, kind text);
CREATE INDEX ON oracle.visit (visitor, at);
INSERT INTO oracle.visit SELECT 1 + oracle.draw('v' || i, 40), 1 + oracle.draw('p' || i, 17) * oracle.draw('q' || i, 18) + oracle.draw('r' || i, 12),
	timestamptz '2026-03-01' + oracle.draw('t' || i, 100000) * interval '1 minute', oracle.pick('k' || i, 'view', 'view', 'purchase')
	FROM generate_series(1, 2500) i;
INSERT INTO oracle.visit SELECT 100 + i % 7, i, '2026-02-01', 'view' FROM generate_series(1, 300) i;

SELECT recommender.create_recommender('few', 'oracle.visit', 'visitor', 'product', 'at', 'kind', event_weights => '{"view": 1, "purchase": 3}');
SELECT recommender.set_items('few', 'oracle.product', available_column => 'ready');
SELECT is(items, 300::bigint, 'the model has all items') FROM recommender.refresh('few');

CREATE TABLE oracle.filter (n int PRIMARY KEY, filter jsonb, condition text, ids int[]);
INSERT INTO oracle.filter (n, filter, condition)
SELECT n, (f).filter, (f).condition FROM (SELECT n, oracle.draw_filter('f' || n, 3) AS f FROM generate_series(1, 600) n) s;
UPDATE oracle.filter SET ids = oracle.where(condition);
SELECT ok((SELECT count(*) FROM oracle.filter WHERE ids <> '{}' AND cardinality(ids) < 200) > 250, 'many filters let something through and something not');
SELECT is((SELECT array_agg(name ORDER BY name) FROM oracle.column),
		  (SELECT array_agg(DISTINCT name ORDER BY name) FROM oracle.filter, oracle.column WHERE position(to_jsonb(name)::text in filter::text) > 0), 'all columns occur');

SELECT is((SELECT coalesce(array_agg(item_id ORDER BY item_id), '{}') FROM few.popular_items(1000, filter)), ids,
		  format('%s is %s', left(filter::text, 150), left(condition, 150)))
FROM oracle.filter ORDER BY n;

-- types and collations with an equality of their own
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citext') AND EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') AS own_equality \gset
\if :own_equality
CREATE EXTENSION citext SCHEMA oracle;
CREATE COLLATION oracle.caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE oracle.word (id int PRIMARY KEY, c oracle.citext, cs oracle.citext[], t text COLLATE oracle.caseless);
INSERT INTO oracle.word SELECT n, w, ARRAY[w]::oracle.citext[], w FROM generate_series(1, 300) n, LATERAL (SELECT oracle.pick('word' || n, 'Abc', 'abd', 'AB', 'x', 'X')) AS p (w);
SELECT recommender.set_items('few', 'oracle.word');
SELECT is((SELECT array_agg(item_id ORDER BY item_id) FROM few.popular_items(1000, filter)), (SELECT array_agg(id ORDER BY id) FROM oracle.word WHERE lower(c::text) = ANY (found)), format('other equality: %s', filter))
FROM (VALUES ('{"c": "ABC"}'::jsonb, '{abc}'::text[]), ('{"c": ["aBD", "X"]}', '{abd,x}'), ('{"c": {"prefix": "aB"}}', '{abc,abd,ab}'), ('{"c": {"lt": "ABD"}}', '{abc,ab}'),
	('{"cs": "Ab"}', '{ab}'), ('{"cs": {"overlaps": ["AB", "abc"]}}', '{ab,abc}'), ('{"t": "ABC"}', '{abc}'), ('{"t": ["aBD", "X"]}', '{abd,x}'), ('{"t": {"gte": "ABD"}}', '{abd,x}')) v (filter, found);
SELECT is((SELECT array_agg(DISTINCT n) FROM (SELECT count(*) AS n FROM few.popular_items(1000, options => '{"max_per": {"c": 7}}') r JOIN oracle.word w ON w.id = r.item_id GROUP BY lower(c::text)) n), '{7}', 'caps by the equality of citext');
SELECT is((SELECT array_agg(DISTINCT n) FROM (SELECT count(*) AS n FROM few.popular_items(1000, options => '{"max_per": {"t": 7}}') r JOIN oracle.word w ON w.id = r.item_id GROUP BY lower(c::text)) n), '{7}', 'and of a collation');
SELECT recommender.set_items('few', 'oracle.product', available_column => 'ready');
\else
SELECT skip('needs citext and ICU collations', 11);
\endif

-- in a parallel worker
SELECT is((SELECT setting FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')), 'off', 'workers are not forced yet');
SELECT set_config(name, 'on', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT is((SELECT coalesce(array_agg(item_id ORDER BY item_id), '{}') FROM few.popular_items(1000, filter)), ids, format('in a worker: %s', n)) FROM oracle.filter WHERE n <= 20 ORDER BY n;
SELECT set_config(name, 'off', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');

/* ------------------------------------------------------------------------
 * What is left of a ranking
 * ------------------------------------------------------------------------ */

-- the first k that the full answer of a call has of the filter's items
CREATE FUNCTION oracle.left_of(call text, k int, ids int[]) RETURNS TABLE (rank bigint, item_id int, score float8, strategy text) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT row_number() OVER (ORDER BY rank), item_id, score, strategy FROM %s WHERE item_id = ANY ($1) ORDER BY 1 LIMIT $2', call) USING ids, k;
END $$;

CREATE FUNCTION oracle.same_ranking(rec text, ask text, key text, f oracle.filter, options text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	k int := oracle.pick(key || 'k', '0', '1', '3', '10', '10', '30', '200', '1000');
	full_call text := format('%I.%s 1000000, options => %L)', rec, ask, options);
	result text;
BEGIN
	EXECUTE format($q$
		SELECT string_agg(format('%%s / %%s', e, g), '; ') FROM
			(SELECT row_number() OVER (ORDER BY rank) AS rank, item_id, score, strategy FROM %I.%s %s, %L::jsonb, options => %L)) g
			FULL JOIN oracle.left_of(%L, %s, %L) e USING (rank)
			WHERE g IS NULL OR e IS NULL OR (g.item_id, g.score, g.strategy) <> (e.item_id, e.score, e.strategy)$q$,
		rec, ask, k, f.filter, options, full_call, k, f.ids) INTO result;
	RETURN format('%s%s', result, CASE WHEN result <> '' THEN format(' [%s k %s %s %s]', ask, k, f.filter, options) ELSE '' END);
END $$;

CREATE FUNCTION oracle.random_ask(key text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE oracle.draw(key || 'ask', 8)
		WHEN 0 THEN format('recommend_session(ARRAY[%s, %s, %s],', 1 + oracle.draw(key || 1, 300), 1 + oracle.draw(key || 2, 300), 1 + oracle.draw(key || 3, 300))
		WHEN 1 THEN format('recommend_basket(ARRAY[%s, %s],', 1 + oracle.draw(key || 1, 300), 1 + oracle.draw(key || 2, 300))
		WHEN 2 THEN format('similar_items(%s,', 1 + oracle.draw(key || 1, 310))
		WHEN 3 THEN 'popular_items('
		WHEN 4 THEN 'trending_items('
		ELSE format('recommend(%s,', 1 + oracle.draw(key || 1, 42)) END $$;

CREATE FUNCTION oracle.random_options(key text) RETURNS text LANGUAGE sql AS $$
	SELECT oracle.pick(key || 'o', '{}', '{}', '{"blend": {"trend": 0.5}}', '{"blend": {"behaviour": 0}}', '{"kappa": 0}', '{"exclude_seen": false}', '{"blend": {"popularity": 0}}', '{"popularity_discount": 0.5}') $$;

SELECT is(oracle.same_ranking('few', oracle.random_ask('few' || n), 'few' || n, f, oracle.random_options('few' || n)), '', format('ranking under filter %s', n))
FROM oracle.filter f WHERE n <= 300 ORDER BY n;

-- before the first refresh popular items are counted, and nobody's are last
SELECT recommender.create_recommender('new', 'oracle.visit', 'visitor', 'product', 'at', 'kind', event_weights => '{"view": 1, "purchase": 3}');
SELECT recommender.set_items('new', 'oracle.product', available_column => 'ready');
DELETE FROM oracle.visit WHERE product > 290;
SELECT is((SELECT coalesce(array_agg(item_id ORDER BY item_id), '{}') FROM new.popular_items(1000, filter)), ids, format('popular before the first refresh under filter %s', n))
FROM oracle.filter WHERE n <= 60 ORDER BY n;
SELECT is(oracle.same_ranking('new', 'popular_items(', 'new' || n, f, '{}'), '', format('popular before the first refresh, ranked, %s', n))
FROM oracle.filter f WHERE n BETWEEN 61 AND 90 ORDER BY n;

-- recommend_all is recommend for everybody
SELECT is((SELECT array_agg((user_id, rank, item_id, score)::text ORDER BY user_id, rank) FROM few.recommend_all(5, filter)),
		  (SELECT array_agg((visitor, rank, item_id, score)::text ORDER BY visitor, rank) FROM (SELECT DISTINCT visitor FROM oracle.visit) v, LATERAL few.recommend(visitor, 5, filter)),
		  format('recommend_all under filter %s', n))
FROM oracle.filter WHERE n BETWEEN 100 AND 130 ORDER BY n;

/* ------------------------------------------------------------------------
 * Items that the model does not know yet
 * ------------------------------------------------------------------------ */

SELECT oracle.fill(301, 330);
CREATE TABLE oracle.filter_now (LIKE oracle.filter INCLUDING ALL);
INSERT INTO oracle.filter_now SELECT n, filter, condition, oracle.where(condition) FROM oracle.filter WHERE n <= 80;
SELECT ok((SELECT count(*) FROM oracle.filter_now WHERE ids && (SELECT array_agg(n) FROM generate_series(301, 330) n)) > 30, 'many filters let new items through');
SELECT is((SELECT coalesce(array_agg(item_id ORDER BY item_id), '{}') FROM few.popular_items(1000, filter)), ids, format('new items under filter %s', n))
FROM oracle.filter_now ORDER BY n;
SELECT is(oracle.same_ranking('few', oracle.random_ask('now' || n), 'now' || n, f::text::oracle.filter, oracle.random_options('now' || n)), '', format('ranking with new items under filter %s', n))
FROM oracle.filter_now f ORDER BY n;
SELECT is((SELECT array_agg((user_id, rank, item_id, score)::text ORDER BY user_id, rank) FROM few.recommend_all(100, filter)),
		  (SELECT array_agg((visitor, rank, item_id, score)::text ORDER BY visitor, rank) FROM (SELECT DISTINCT visitor FROM oracle.visit) v, LATERAL few.recommend(visitor, 100, filter)),
		  format('recommend_all with new items under filter %s', n))
FROM oracle.filter_now WHERE n <= 8 ORDER BY n;
SELECT is((SELECT array_agg(item_id ORDER BY rank) FROM few.recommend(NULL, 1000) WHERE item_id > 300), (SELECT array_agg(id ORDER BY id DESC) FROM oracle.product WHERE id > 300 AND ready), 'new items come last, the newest one first');
SELECT is((SELECT array_agg(item_id ORDER BY rank) FROM few.recommend(NULL, 5, options => '{"popularity_discount": 1}')), (SELECT array_agg(id ORDER BY id DESC) FROM (SELECT id FROM oracle.product WHERE id > 300 AND ready ORDER BY id DESC LIMIT 5) p), 'new items come first, if all others lose by what they are');
SELECT is((SELECT count(*) FROM few.recommend(NULL, 1000, exclude => '{301,302}') WHERE item_id > 300), (SELECT count(*) FROM oracle.product WHERE id > 302 AND ready), 'unless they are excluded');
DELETE FROM oracle.product WHERE id > 300;

/* ------------------------------------------------------------------------
 * At most so many of one value
 * ------------------------------------------------------------------------ */

-- which values are equal, by the type (1.0 and 1.00 are)
SELECT 'CREATE TABLE oracle.number AS SELECT id, jsonb_build_object(' || string_agg(format('%1$L, CASE WHEN %1$I IS NOT NULL THEN dense_rank() OVER (ORDER BY %1$I) END', name), ', ') || ') AS values FROM oracle.product'
FROM oracle.column \gexec

-- the first k of a ranking, leaving out what would be one too many
CREATE FUNCTION oracle.capped(call text, k int, caps jsonb) RETURNS TABLE (rank int, item_id int, score float8) LANGUAGE plpgsql AS $$
DECLARE
	r record; taken jsonb := '{}'; keys text[]; n int := 0;
BEGIN
	FOR r IN EXECUTE format('SELECT a.item_id, a.score, n.values FROM %s a JOIN oracle.number n ON n.id = a.item_id ORDER BY a.rank', call) LOOP
		EXIT WHEN n = k;
		keys := ARRAY(SELECT c || '=' || (r.values ->> c) FROM jsonb_object_keys(caps) c WHERE r.values ->> c IS NOT NULL);
		CONTINUE WHEN EXISTS (SELECT FROM jsonb_object_keys(caps) c WHERE (taken -> (c || '=' || (r.values ->> c)))::int >= (caps -> c)::int);
		taken := taken || (SELECT coalesce(jsonb_object_agg(key, coalesce((taken -> key)::int, 0) + 1), '{}') FROM unnest(keys) key);
		n := n + 1; rank := n; item_id := r.item_id; score := r.score;
		RETURN NEXT;
	END LOOP;
END $$;

CREATE FUNCTION oracle.same_capped(rec text, ask text, key text, filter jsonb, caps jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	k int := oracle.pick(key || 'k', '1', '5', '10', '10', '30', '1000');
	result text;
BEGIN
	EXECUTE format($q$
		SELECT string_agg(format('%%s / %%s', e, g), '; ') FROM
			(SELECT rank, item_id, score FROM %1$I.%2$s %3$s, %4$L::jsonb, options => %5$L)) g
			FULL JOIN oracle.capped(%6$L, %3$s, %7$L) e USING (rank)
			WHERE g IS NULL OR e IS NULL OR (g.item_id, g.score) <> (e.item_id, e.score)$q$,
		rec, ask, k, filter, jsonb_build_object('max_per', caps), format('%I.%s 1000000, %L::jsonb)', rec, ask, filter), caps) INTO result;
	RETURN format('%s%s', result, CASE WHEN result <> '' THEN format(' [%s k %s %s %s]', ask, k, filter, caps) ELSE '' END);
END $$;

SELECT is(oracle.same_capped('few', ask, key, CASE WHEN n % 3 = 0 THEN f.filter ELSE '{}' END, (
		SELECT jsonb_object_agg(name, 1 + oracle.draw(key || name, 3)) FROM (SELECT name FROM oracle.column ORDER BY md5(key || name) LIMIT 1 + n % 2) c)), '', format('caps %s', n))
FROM oracle.filter f, LATERAL (SELECT 'caps' || n) AS s (key),
	LATERAL (SELECT regexp_replace(oracle.random_ask(key), 'trending_items', 'popular_items')) AS a (ask)
WHERE n <= 150 ORDER BY n;
SELECT is(oracle.same_capped('new', 'popular_items(', 'new' || m, '{}', '{"a_text": 2}'), '', format('caps before the first refresh, %s', m)) FROM generate_series(1, 4) m;
SELECT is((SELECT array_agg((user_id, rank, item_id, score)::text ORDER BY user_id, rank) FROM few.recommend_all(5, filter, options => '{"max_per": {"a_mood": 1, "texts": 1}}')),
		  (SELECT array_agg((visitor, rank, item_id, score)::text ORDER BY visitor, rank) FROM (SELECT DISTINCT visitor FROM oracle.visit) v,
				LATERAL few.recommend(visitor, 5, filter, options => '{"max_per": {"a_mood": 1, "texts": 1}}')),
		  format('recommend_all with caps under filter %s', n))
FROM oracle.filter WHERE n BETWEEN 140 AND 145 ORDER BY n;

-- a view may have several rows of an item: the smallest text counts
CREATE VIEW oracle.offer AS SELECT id, oracle.pick(id || 'x' || n, 'a', 'b', 'c', 'd', NULL) AS shop FROM oracle.product, generate_series(1, 3) n;
SELECT recommender.set_items('new', 'oracle.offer');
SELECT is((SELECT array_agg(item_id ORDER BY rank) FROM new.popular_items(100, options => '{"max_per": {"shop": 2}}')),
		  (SELECT array_agg(item_id ORDER BY rank) FROM (SELECT item_id, rank, shop, row_number() OVER (PARTITION BY shop ORDER BY rank) AS nth
				FROM (SELECT r.item_id, r.rank, min(shop COLLATE "C") AS shop FROM new.popular_items(1000) r JOIN oracle.offer o ON o.id = r.item_id GROUP BY 1, 2) r) r
			WHERE nth <= 2 OR shop IS NULL), 'caps over a view with several rows of an item');

/* ------------------------------------------------------------------------
 * A catalogue of thousands: lists are read level by level, and filters that
 * let one in a thousand through go by the query for those
 * ------------------------------------------------------------------------ */

DELETE FROM oracle.product;
SELECT oracle.fill(1, 6000);
CREATE INDEX ON oracle.product (pack);
INSERT INTO oracle.visit SELECT 1 + oracle.draw('V' || i, 300), 1 + oracle.draw('P' || i, 77) * oracle.draw('Q' || i, 77) + oracle.draw('R' || i, 70),
	timestamptz '2026-03-01' + oracle.draw('T' || i, 100000) * interval '1 minute', oracle.pick('K' || i, 'view', 'view', 'purchase')
	FROM generate_series(1, 12000) i;
INSERT INTO oracle.visit SELECT 1000 + i % 77, i, '2026-02-01', 'view' FROM generate_series(1, 6000) i;
SELECT recommender.create_recommender('many', 'oracle.visit', 'visitor', 'product', 'at', 'kind', event_weights => '{"view": 1, "purchase": 3}');
SELECT recommender.set_items('many', 'oracle.product', available_column => 'ready');
SELECT is(items, 6000::bigint, 'the large model has all items') FROM recommender.refresh('many');

SELECT oracle.fill(6001, 6040);		-- the model does not know them

CREATE TABLE oracle.large (LIKE oracle.filter INCLUDING ALL);
INSERT INTO oracle.large (n, filter, condition)
SELECT n, format('{"pack": %s}', p)::jsonb, 'pack = ' || p FROM (SELECT n, oracle.draw('pack' || n, 1000) AS p FROM generate_series(1, 30) n) s
UNION ALL
SELECT 100 + n, format('{"pack": {"lt": %s}}', p)::jsonb, 'pack < ' || p FROM (SELECT n, (2 * power(1.3, n))::int AS p FROM generate_series(1, 24) n) s
UNION ALL
SELECT 200 + n, (f).filter, (f).condition FROM (SELECT n, oracle.draw_filter('F' || n, 2) AS f FROM generate_series(1, 40) n) s;
UPDATE oracle.large SET ids = oracle.where(condition);

SELECT is(oracle.same_ranking('many', oracle.random_ask('many' || n || m), 'many' || n || m, f::text::oracle.filter, oracle.random_options('many' || n || m)), '', format('large catalogue, filter %s, %s', n, m))
FROM oracle.large f, generate_series(1, 2) m ORDER BY n, m;
-- k rows come, as long as there are k
SELECT is((SELECT count(*) FROM many.recommend(7, 5, filter, options => '{"exclude_seen": false}')), least(5, cardinality(ids))::bigint, format('k means k under filter %s', n))
FROM oracle.large ORDER BY n;
SELECT is((SELECT count(*) FROM many.recommend(7, 10000)), (SELECT count(*) FROM oracle.product WHERE ready AND id NOT IN (SELECT product FROM oracle.visit WHERE visitor = 7 AND kind = 'purchase')),
		  'all that is available and not seen, when all is asked for');

/* ------------------------------------------------------------------------
 * Ids that cast to those of the interactions without saying so
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.few (id int PRIMARY KEY, name varchar(5), brand text, stock boolean);
INSERT INTO oracle.few SELECT n, 'n' || n, 'b' || n % 3, n <> 4 FROM generate_series(1, 9) n;
CREATE TABLE oracle.taken AS SELECT n % 10 AS user_id, (1 + n * 7 % 9)::bigint AS id, 'n' || 1 + n * 7 % 9 AS name FROM generate_series(1, 60) n;
SELECT recommender.create_recommender('bigints', 'oracle.taken', item_column => 'id');
SELECT recommender.create_recommender('texts', 'oracle.taken', item_column => 'name');
SELECT recommender.set_items('bigints', 'oracle.few', available_column => 'stock', feature_columns => '{brand}');
SELECT recommender.set_items('texts', 'oracle.few', 'name', available_column => 'stock', feature_columns => '{brand}');
SELECT recommender.refresh(r) FROM unnest('{bigints,texts}'::text[]) r;
SELECT set_eq(format('SELECT item_id FROM %s.recommend(11, filter => ''{"brand": "b1"}'')', r), format('SELECT %s::text::%s FROM oracle.few WHERE brand = ''b1'' AND stock', c, t), 'recommend, ' || t)
FROM (VALUES ('bigints', 'id', 'bigint'), ('texts', 'name', 'text')) v (r, c, t);
SELECT set_eq(format('SELECT DISTINCT item_id FROM %s.recommend_all(9, filter => ''{"brand": "b1"}'', options => ''{"exclude_seen": false}'')', r), format('SELECT %s::text::%s FROM oracle.few WHERE brand = ''b1'' AND stock', c, t), 'recommend_all, ' || t)
FROM (VALUES ('bigints', 'id', 'bigint'), ('texts', 'name', 'text')) v (r, c, t);
SELECT is((SELECT count(*) FROM bigints.recommend(11, options => '{"max_per": {"brand": 1}}')), 3::bigint, 'max_per, bigint');
SELECT is((SELECT count(*) FROM texts.recommend(11, options => '{"max_per": {"brand": 1}}')), 3::bigint, 'max_per, text');

/* ------------------------------------------------------------------------
 * Ids by reference outlive the user in whose turn the caps' values are read
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.thing AS SELECT 'thing ' || n AS id, 'b' || n % 90 AS brand FROM generate_series(1, 300) n;
CREATE TABLE oracle.taking AS SELECT u AS user_id, 'thing ' || 1 + (u * n * 13 + n) % 300 AS item_id FROM generate_series(1, 40) u, generate_series(1, u) n;
SELECT recommender.create_recommender('things', 'oracle.taking', options => '{"max_per": {"brand": 2}}');
SELECT recommender.set_items('things', 'oracle.thing', feature_columns => '{brand}');
SELECT recommender.refresh('things');
SELECT set_eq('SELECT user_id, rank, item_id, score FROM things.recommend_all(200)',
			  'SELECT u, rank, item_id, score FROM generate_series(1, 40) u, things.recommend(u, 200)', 'recommend_all with caps over texts is recommend for all');
SELECT lives_ok($$SELECT count(*) FROM recommender.evaluate('things', split => 'leave_last', k => '{200}')$$, 'and can be measured');

SELECT * FROM finish();
ROLLBACK;
