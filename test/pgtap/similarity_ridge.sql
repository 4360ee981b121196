/*
 * test/pgtap/similarity_ridge.sql
 *	  Model ridge against its definition.
 *
 * The first half of this file is the oracle: ridge regression of each item on
 * the others, by Gauss-Jordan elimination in PL/pgSQL.  Then come random data sets
 * of many shapes and options, each computed by the extension and by the oracle; a
 * case with a closed form, large enough for computation in blocks; and truncation,
 * little memory, cancelling and extremes.
 *
 * Data sets are drawn from md5 of their number, so that they are equal on every
 * run.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
SET LOCAL maintenance_work_mem = '256MB';

SELECT plan(133);

CREATE SCHEMA oracle;

/* ------------------------------------------------------------------------
 * The oracle
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.event (user_id int, item_id int, weight float8);

-- Items, numbered by popularity; and G, with its zeros.
CREATE TABLE oracle.item (no int, item_id int, weight float8);
CREATE TABLE oracle.square (mean float8);	-- of a weight, users weighted
CREATE TABLE oracle.product (i int, j int, g float8, support bigint);

-- Weights above zero between items that users have in common.
CREATE TABLE oracle.weight (i int, j int, b float8, support bigint);

-- The inverse of a matrix of order n, given and taken row by row.
CREATE FUNCTION oracle.inverse(a float8[], n int) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE
	p float8[] := array_fill(0::float8, ARRAY[n * n]);
	best int;
	f float8;
BEGIN
	FOR i IN 0 .. n - 1 LOOP
		p[i * n + i + 1] := 1;
	END LOOP;
	FOR k IN 0 .. n - 1 LOOP
		best := k;
		FOR i IN k + 1 .. n - 1 LOOP
			IF abs(a[i * n + k + 1]) > abs(a[best * n + k + 1]) THEN best := i; END IF;
		END LOOP;
		FOR j IN 1 .. n LOOP
			f := a[k * n + j]; a[k * n + j] := a[best * n + j]; a[best * n + j] := f;
			f := p[k * n + j]; p[k * n + j] := p[best * n + j]; p[best * n + j] := f;
		END LOOP;
		f := a[k * n + k + 1];
		FOR j IN 1 .. n LOOP
			a[k * n + j] := a[k * n + j] / f;
			p[k * n + j] := p[k * n + j] / f;
		END LOOP;
		FOR i IN 0 .. n - 1 LOOP
			f := a[i * n + k + 1];
			CONTINUE WHEN i = k OR f = 0;
			FOR j IN 1 .. n LOOP
				a[i * n + j] := a[i * n + j] - f * a[k * n + j];
				p[i * n + j] := p[i * n + j] - f * p[k * n + j];
			END LOOP;
		END LOOP;
	END LOOP;
	RETURN p;
END $$;

SELECT is(oracle.inverse('{0, 2, 0, 4, 1, 0, 0, 0, 5}', 3), '{-0.125, 0.25, 0, 0.5, 0, 0, 0, 0, 0.2}'::float8[],
		  'by hand: an inverse');

-- Fills in oracle.item and oracle.product from oracle.event.
CREATE FUNCTION oracle.multiply(user_exponent float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE oracle.item, oracle.product, oracle.square;
	CREATE TEMP TABLE pair AS
		SELECT e.user_id, e.item_id, sum(coalesce(e.weight, 1)) AS x
		FROM oracle.event e GROUP BY e.user_id, e.item_id HAVING sum(coalesce(e.weight, 1)) > 0;
	INSERT INTO oracle.item
		SELECT row_number() OVER (ORDER BY count(*) DESC, p.item_id), p.item_id, sum(x)
		FROM pair p GROUP BY p.item_id;
	INSERT INTO oracle.product
		WITH entry AS (
			SELECT no, user_id, x, count(*) OVER (PARTITION BY user_id) ^ -user_exponent AS factor
			FROM pair JOIN oracle.item USING (item_id)),
		product AS (
			SELECT a.no AS i, b.no AS j, sum(a.x * b.x * a.factor) AS g, count(*) AS support
			FROM entry a JOIN entry b USING (user_id) GROUP BY a.no, b.no)
		SELECT i.no, j.no, coalesce(g, 0), coalesce(support, 0)
		FROM oracle.item i CROSS JOIN oracle.item j
			 LEFT JOIN product ON product.i = i.no AND product.j = j.no;
	INSERT INTO oracle.square
		SELECT (SELECT sum(g) FROM oracle.product WHERE i = j) / count(*) FROM pair;
	DROP TABLE pair;
END $$;

-- The items that explain an item: all others, or the most similar ones.
CREATE FUNCTION oracle.candidates(target int, wanted int) RETURNS int[] LANGUAGE sql AS $$
	SELECT array_agg(i)
	FROM (SELECT p.i
		  FROM oracle.product p JOIN oracle.product own ON own.i = p.i AND own.j = p.i
		  WHERE p.j = target AND p.i <> target
			AND (p.g > 0 OR wanted >= (SELECT count(*) - 1 FROM oracle.item))
		  ORDER BY to_char(p.g / sqrt(own.g), '9.99999999999EEEE')::float8 DESC, p.i
		  LIMIT wanted) c
$$;

-- The weights of some items in the regression of another on them.
CREATE FUNCTION oracle.regression(target int, explaining int[], lambda float8) RETURNS TABLE (i int, b float8)
LANGUAGE sql AS $$
	WITH inverse AS (
		SELECT oracle.inverse(array_agg(g + CASE WHEN p.i = p.j THEN lambda ELSE 0 END
										ORDER BY p.i, p.j), cardinality(explaining)) AS p
		FROM oracle.product p WHERE p.i = ANY (explaining) AND p.j = ANY (explaining)),
	explained AS (
		SELECT p.i, g, row_number() OVER (ORDER BY p.i) AS nth
		FROM oracle.product p WHERE p.i = ANY (explaining) AND p.j = target)
	SELECT a.i, sum(p[(a.nth - 1) * cardinality(explaining) + c.nth] * c.g)
	FROM explained a, explained c, inverse GROUP BY a.i
$$;

-- Fills in oracle.weight by the options.
CREATE FUNCTION oracle.compute(options jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	lambda float8;
	n int;
BEGIN
	PERFORM oracle.multiply(coalesce(options->>'user_exponent', '0')::float8);
	lambda := (options->>'ridge_lambda')::float8 * mean FROM oracle.square;
	TRUNCATE oracle.weight;
	n := count(*) FROM oracle.item;
	IF n <= coalesce(options->>'ridge_exact_items', '10000')::int THEN
		INSERT INTO oracle.weight
			WITH inverse AS (
				SELECT oracle.inverse(array_agg(g + CASE WHEN i = j THEN lambda ELSE 0 END ORDER BY i, j), n) AS p
				FROM oracle.product)
			SELECT i, j, - p[(i - 1) * n + j] / p[(j - 1) * n + j], support
			FROM oracle.product, inverse WHERE i <> j;
	ELSE
		INSERT INTO oracle.weight
			SELECT r.i, j.no, r.b, p.support
			FROM oracle.item j
				 CROSS JOIN oracle.candidates(j.no, (options->>'ridge_candidates')::int) c
				 CROSS JOIN oracle.regression(j.no, c, lambda) r
				 JOIN oracle.product p ON p.i = r.i AND p.j = j.no
			WHERE c IS NOT NULL;
	END IF;
	UPDATE oracle.weight SET b = b / item.weight ^ coalesce(options->>'ridge_damping', '0')::float8
	FROM oracle.item WHERE no = j;
	DELETE FROM oracle.weight
	WHERE support < greatest(1, coalesce(options->>'min_support', '1')::int) OR NOT b > 0;
END $$;

-- By hand: three users have {1,2}, {1,2} and {1}.  G = (3 2, 2 2).
INSERT INTO oracle.event VALUES (1, 1, 1), (1, 2, 1), (2, 1, 1), (2, 2, 1), (3, 1, 1);
SELECT oracle.compute('{"ridge_lambda": 1}');
SELECT results_eq('SELECT i, j, round(b::numeric, 9), support FROM oracle.weight ORDER BY i',
				  'VALUES (1, 2, 0.5, 2::bigint), (2, 1, round(2 / 3.0, 9), 2)', 'by hand: two items');
SELECT oracle.compute('{"ridge_lambda": 1, "ridge_exact_items": 0, "ridge_candidates": 1}');
SELECT results_eq('SELECT i, j, round(b::numeric, 9), support FROM oracle.weight ORDER BY i',
				  'VALUES (1, 2, 0.5, 2::bigint), (2, 1, round(2 / 3.0, 9), 2)', 'by hand: the same in the local form');

/* ------------------------------------------------------------------------
 * The judge
 * ------------------------------------------------------------------------ */

-- The extension's answer.
CREATE TABLE oracle.answer (i int, j int, b float8, support bigint, nth bigint);

CREATE FUNCTION oracle.ask(options jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE oracle.answer;
	INSERT INTO oracle.answer
		SELECT i.no, j.no, s.similarity, s.support, s.nth
		FROM recommender.item_similarities('TABLE oracle.event', '{"model": "ridge"}' || options)
				WITH ORDINALITY AS s (item_id, similar_item_id, similarity, support, nth)
			 JOIN oracle.item i ON i.item_id = s.item_id::int
			 JOIN oracle.item j ON j.item_id = s.similar_item_id::int;
END $$;

-- Return the answer's differences from the oracle, '' for none.  A
-- weight that is zero but for noise may be there or not.
CREATE FUNCTION oracle.difference(options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM oracle.compute(options);
	PERFORM oracle.ask(options);
	WITH finding AS (
		SELECT format('%s -> %s: %s of %s, should be %s of %s', i, j, a.b, a.support, w.b, w.support) AS what
		FROM oracle.answer a FULL JOIN oracle.weight w USING (i, j)
		WHERE coalesce(abs(a.b - w.b) > 1e-9 * greatest(1, w.b) OR a.support <> w.support,
					   greatest(a.b, w.b) > 1e-9)
	UNION ALL
		SELECT format('%s -> %s: more than once', i, j)
		FROM oracle.answer GROUP BY i, j HAVING count(*) > 1
	UNION ALL
		SELECT format('%s -> %s: in the wrong order', i, j)
		FROM (SELECT *, lag(i) OVER w AS i0, lag(j) OVER w AS j0, lag(b) OVER w AS b0
			  FROM oracle.answer WINDOW w AS (ORDER BY nth)) a
		WHERE i < i0 OR i = i0 AND (b > b0 * (1 + 2e-12) OR (abs(b - b0) <= 1e-13 * b0 AND j < j0)))
	SELECT coalesce(string_agg(what, E'\n' ORDER BY what) FILTER (WHERE nth <= 8), '')
	INTO result
	FROM (SELECT what, row_number() OVER (ORDER BY what) AS nth FROM finding) f;
	RETURN result;
END $$;

/* ------------------------------------------------------------------------
 * Random data sets
 * ------------------------------------------------------------------------ */

-- A number in [0, 1) that depends on the words only.
CREATE FUNCTION oracle.draw(VARIADIC words int[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || left(md5(words::text), 8))::bit(32)::bigint / 4294967296.0
$$;

-- Fills in oracle.event with the n-th data set; some items are much liked,
-- some weights fall to zero or below, some are NULL.
CREATE FUNCTION oracle.fill(n int, users int, items int, rows int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE oracle.event;
	INSERT INTO oracle.event
		SELECT oracle.draw(n, 1, r) * users, items * oracle.draw(n, 2, r) ^ (1 + n % 2),
			   CASE n % 3 WHEN 0 THEN 1
						  WHEN 1 THEN nullif(floor(oracle.draw(n, 3, r) * 6), 5) - 0.5
						  WHEN 2 THEN exp(oracle.draw(n, 3, r) * 6 - 3) END
		FROM generate_series(1, rows) r;
$$;

CREATE FUNCTION oracle.check(n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	options jsonb := jsonb_build_object('neighbors', 10000,
		'ridge_lambda', (ARRAY[0.01, 0.5, 3, 40, 2000])[1 + n % 5]);
	answer text;
BEGIN
	PERFORM oracle.fill(n, 1 + n % 37, 1 + (n * 7) % 31, (n * n) % 211);
	IF n % 4 = 3 THEN options := options || '{"user_exponent": 0.7}'; END IF;
	IF n % 7 = 2 THEN options := options || '{"ridge_damping": 0.3}'; END IF;
	IF n % 6 = 1 THEN options := options || '{"min_support": 2}'; END IF;
	IF n % 3 = 1 THEN
		options := options || jsonb_build_object('ridge_exact_items', 0, 'ridge_candidates', 1 + n % 11);
	END IF;
	answer := oracle.difference(options);
	RETURN CASE WHEN answer = '' THEN '' ELSE format('%s, %s:%s%s', n, options, E'\n', answer) END;
END $$;

SELECT is(oracle.check(n), '', format('data set %s', n)) FROM generate_series(1, 60) n;

/* ------------------------------------------------------------------------
 * Forms, cuts and memory on one larger set
 * ------------------------------------------------------------------------ */

SELECT oracle.fill(2, 300, 80, 4000);
SELECT oracle.multiply(0);

CREATE FUNCTION oracle.rows(options jsonb) RETURNS TABLE (item int, similar_item int, similarity float8, support bigint, nth bigint)
LANGUAGE sql AS $$
	SELECT s.item_id::int, s.similar_item_id::int, s.similarity, s.support, s.nth
	FROM recommender.item_similarities('TABLE oracle.event', '{"model": "ridge"}' || options)
		 WITH ORDINALITY AS s (item_id, similar_item_id, similarity, support, nth)
$$;

CREATE TABLE oracle.exact AS SELECT * FROM oracle.rows('{"ridge_lambda": 5, "neighbors": 10000}');
SELECT is(count(*) > 1000, true, 'many rows') FROM oracle.exact;

SELECT is_empty($$
	SELECT * FROM oracle.exact e
		FULL JOIN oracle.rows('{"ridge_lambda": 5, "neighbors": 10000, "ridge_exact_items": 0, "ridge_candidates": 1000}') l
		USING (item, similar_item)
	WHERE coalesce(abs(e.similarity - l.similarity) > 1e-10 OR e.support <> l.support,
				   greatest(e.similarity, l.similarity) > 1e-10) $$,
	'the local form, with all items for candidates, is the exact form');

-- some rows per item, and ranks in the lists of sources and of targets
CREATE TABLE oracle.ranked AS
	SELECT e.*, row_number() OVER (PARTITION BY item ORDER BY nth) AS of_source,
		   row_number() OVER (PARTITION BY similar_item ORDER BY to_char(similarity, '9.99999999999EEEE')::float8 DESC, no) AS of_target
	FROM oracle.exact e JOIN oracle.item ON item_id = item;

SELECT results_eq(format($$SELECT item, similar_item, similarity, support
				  FROM oracle.rows('{"ridge_lambda": 5, "neighbors": %s}') ORDER BY nth$$, k),
				  format('SELECT item, similar_item, similarity, support
				  FROM oracle.ranked WHERE of_source <= %s ORDER BY nth', k),
				  format('exact form, %s of each source', k))
FROM unnest('{1, 3, 20}'::int[]) k;

SELECT results_eq(format($$SELECT item, similar_item, similarity, support
				  FROM oracle.rows('{"ridge_lambda": 5, "neighbors": %s, "truncate": "target"}') ORDER BY nth$$, k),
				  format('SELECT item, similar_item, similarity, support
				  FROM oracle.ranked WHERE of_target <= %s ORDER BY nth', k),
				  format('exact form, %s of each target', k))
FROM unnest('{1, 3, 20}'::int[]) k;

DROP TABLE oracle.ranked;
CREATE TABLE oracle.local AS SELECT * FROM oracle.rows('{"ridge_lambda": 5, "neighbors": 10000, "ridge_exact_items": 0, "ridge_candidates": 30}');
CREATE TABLE oracle.ranked AS
	SELECT e.*, row_number() OVER (PARTITION BY item ORDER BY nth) AS of_source,
		   row_number() OVER (PARTITION BY similar_item ORDER BY to_char(similarity, '9.99999999999EEEE')::float8 DESC, no) AS of_target
	FROM oracle.local e JOIN oracle.item ON item_id = item;

SELECT is(max(n) <= 30, true, 'no more than the candidates for each target')
FROM (SELECT count(*) AS n FROM oracle.local GROUP BY similar_item) t;

SELECT results_eq(format($$SELECT item, similar_item, similarity, support FROM oracle.rows(
				  '{"ridge_lambda": 5, "neighbors": %s, "ridge_exact_items": 0, "ridge_candidates": 30}') ORDER BY nth$$, k),
				  format('SELECT item, similar_item, similarity, support
				  FROM oracle.ranked WHERE of_source <= %s ORDER BY nth', k),
				  format('local form, %s of each source', k))
FROM unnest('{1, 3, 20}'::int[]) k;

SELECT results_eq(format($$SELECT item, similar_item, similarity, support FROM oracle.rows(
				  '{"ridge_lambda": 5, "neighbors": %s, "truncate": "target", "ridge_exact_items": 0, "ridge_candidates": 30}') ORDER BY nth$$, k),
				  format('SELECT item, similar_item, similarity, support
				  FROM oracle.ranked WHERE of_target <= %s ORDER BY nth', k),
				  format('local form, %s of each target', k))
FROM unnest('{1, 3, 20}'::int[]) k;

-- the order of the rows and the measure do not matter
SELECT results_eq($$SELECT * FROM recommender.item_similarities('SELECT * FROM oracle.event ORDER BY md5(event::text)', '{"model": "ridge"}')$$,
				  $$SELECT * FROM recommender.item_similarities('SELECT * FROM oracle.event', '{"model": "ridge"}')$$,
				  'rows in another order');
SELECT results_eq(format($$SELECT * FROM recommender.item_similarities('TABLE oracle.event', '{"model": "ridge", "measure": "%s"}')$$, measure),
				  $$SELECT * FROM recommender.item_similarities('TABLE oracle.event', '{"model": "ridge"}')$$,
				  format('measure %s means nothing to it', measure))
FROM unnest('{jaccard, pearson, damped_cosine}'::text[]) measure;
SELECT results_eq($$SELECT * FROM recommender.item_similarities('SELECT user_id, item_id FROM oracle.event WHERE weight > 0', '{"model": "ridge", "repeats": "binary"}')$$,
				  $$SELECT * FROM recommender.item_similarities('SELECT user_id, item_id, 1 + weight FROM oracle.event WHERE weight > 0', '{"model": "ridge", "weighting": "binary"}')$$,
				  'weights that are not asked for');
SELECT results_eq($$SELECT recommender.item_similarity_agg(user_id, item_id, weight, '{"model": "ridge"}') FROM oracle.event$$,
				  $$SELECT array_agg(s) FROM recommender.item_similarities('TABLE oracle.event', '{"model": "ridge"}') s$$,
				  'the aggregate gives the same');

-- some rows of G are kept and some computed when they are needed
SELECT oracle.fill(2, 400, 900, 40000);
CREATE TABLE oracle.ample AS
	SELECT * FROM oracle.rows('{"ridge_lambda": 5, "ridge_exact_items": 0, "ridge_candidates": 20, "neighbors": 5, "truncate": "target"}');
SET LOCAL maintenance_work_mem = '4MB';
SELECT results_eq($$TABLE oracle.ample$$,
	$$SELECT * FROM oracle.rows('{"ridge_lambda": 5, "ridge_exact_items": 0, "ridge_candidates": 20, "neighbors": 5, "truncate": "target"}')$$,
	'the local form with little memory');
SELECT throws_ok($$SELECT * FROM oracle.rows('{"ridge_exact_items": 10000}')$$, '53400', NULL,
	'the exact form with little memory');
SET LOCAL maintenance_work_mem = '256MB';

-- whoever waits may stop waiting
CREATE FUNCTION oracle.is_cancelled(options jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM count(*) FROM recommender.item_similarities(
		'SELECT u, (u * 7 + v * v * 31) % 3000 FROM generate_series(1, 3000) u, generate_series(1, 20) v',
		'{"model": "ridge"}' || options);
	RETURN false;
EXCEPTION WHEN query_canceled THEN
	RETURN true;
END $$;
SET LOCAL statement_timeout = '200ms';
SELECT ok(oracle.is_cancelled('{}'), 'the exact form is cancelled');
SELECT ok(oracle.is_cancelled('{"ridge_exact_items": 0, "ridge_candidates": 1000}'), 'the local form is cancelled');
SET LOCAL statement_timeout = 0;

/* ------------------------------------------------------------------------
 * A ring
 *
 * User u has the items u, u + 1 and u + 3, modulo the number of items: G is a
 * circulant matrix, its inverse a sum of cosines, and all items are alike.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION oracle.ring(n int, lambda float8) RETURNS TABLE (item int, similar_item int, similarity float8) LANGUAGE sql AS $$
	WITH p AS (
		SELECT d, sum(cos(2 * pi() * k * d / n) / (lambda + 3 +
			2 * (cos(2 * pi() * k / n) + cos(4 * pi() * k / n) + cos(6 * pi() * k / n)))) AS p
		FROM generate_series(0, 3) d, generate_series(0, n - 1) k GROUP BY d)
	SELECT i, (i + n + sign * p.d) % n, - p.p / own.p
	FROM p, p own, unnest('{-1, 1}'::int[]) sign, generate_series(0, n - 1) i
	WHERE p.d > 0 AND own.d = 0 AND p.p < 0
$$;

SELECT is_empty(format($$
	SELECT * FROM oracle.ring(%1$s, %2$s) r
		FULL JOIN (SELECT item_id::int AS item, similar_item_id::int AS similar_item, similarity
				   FROM recommender.item_similarities(
						'SELECT u, (u + v) %% %1$s FROM generate_series(0, %1$s - 1) u, unnest(''{0, 1, 3}''::int[]) v',
						'{"model": "ridge", "ridge_lambda": %2$s, "ridge_exact_items": %3$s, "ridge_candidates": 1000}')) s
		USING (item, similar_item)
	WHERE (abs(r.similarity - s.similarity) < 1e-12) IS NOT TRUE $$, n, lambda, exact),
	format('ring of %s, lambda %s, %s form', n, lambda, CASE WHEN n <= exact THEN 'exact' ELSE 'local' END))
FROM (VALUES (11, 2, 10000), (57, 0.3, 10000), (768, 2, 10000), (769, 2, 10000), (1003, 0.5, 10000),
	(1003, 100, 10000), (11, 2, 0), (57, 0.3, 0), (203, 5, 0)) v (n, lambda, exact);

/* ------------------------------------------------------------------------
 * Extremes
 * ------------------------------------------------------------------------ */

SELECT is_empty(format($$SELECT * FROM recommender.item_similarities(%L, '{"model": "ridge", "ridge_exact_items": %s}')$$, query, exact),
				format('no neighbours: %s, %s', query, exact))
FROM unnest('{0, 10000}'::int[]) exact,
	(VALUES ('SELECT 1, 1 WHERE false'), ('SELECT 1, 1'), ('SELECT u, 1 FROM generate_series(1, 9) u'),
			('SELECT u, u FROM generate_series(1, 40) u'), ('SELECT 1, i, -1 FROM generate_series(1, 9) i')) q (query);

-- two items of one user: G = (1 1, 1 1), so that B = 1 / (1 + lambda)
SELECT results_eq(format($$SELECT item_id, similar_item_id, round(similarity::numeric, 9), support
	FROM recommender.item_similarities('SELECT 1, i FROM generate_series(1, 2) i', '{"model": "ridge", "ridge_lambda": %s, "ridge_exact_items": %s}')$$, lambda, exact),
	format($$SELECT i::text, (3 - i)::text, round(1 / (1.0 + %s), 9), 1::bigint FROM generate_series(1, 2) i$$, lambda),
	format('two items, lambda %s, %s', lambda, exact))
FROM unnest('{0, 10000}'::int[]) exact, unnest('{0.000001, 1, 1000}'::numeric[]) lambda;

-- items that always come together share what there is to say
SELECT results_eq(format($$SELECT item_id, similar_item_id, round(similarity::numeric, 9)
	FROM recommender.item_similarities('SELECT u, i FROM generate_series(1, 10) u, generate_series(1, 20) i', '{"model": "ridge", "ridge_lambda": 1, "ridge_exact_items": %s}')$$, exact),
	$$SELECT i::text, j::text, round(10 / 191.0, 9) FROM generate_series(1, 20) i, generate_series(1, 20) j WHERE i <> j ORDER BY i.i, j.j$$,
	format('equals come in order of their ids, %s', exact))
FROM unnest('{0, 10000}'::int[]) exact;

-- weights of 0 are no interactions
SELECT is_empty(format($$SELECT * FROM recommender.item_similarities('SELECT u, i, 0 FROM generate_series(1, 3) u, generate_series(1, 5) i', '{"model": "ridge", "ridge_damping": 0.5, "ridge_exact_items": %s}')$$, exact),
	format('weights of 0, %s', exact))
FROM unnest('{0, 10000}'::int[]) exact;

-- a penalty that drowns everything leaves G / lambda
SELECT is_empty($$
	SELECT * FROM (SELECT item_id, similar_item_id, similarity, support FROM recommender.item_similarities(
			'SELECT user_id, item_id FROM oracle.event', '{"model": "ridge", "repeats": "binary", "ridge_lambda": 1e12, "neighbors": 10000}')) s
	WHERE NOT abs(similarity * 1e12 - support) < 1e-6 $$, 'a huge lambda leaves G');

-- the scale of weights means nothing; that of one user's means something
SELECT results_eq(format($$
	SELECT * FROM recommender.item_similarities('SELECT user_id, item_id, weight * %s FROM oracle.event WHERE item_id < 300 AND weight > 0', '{"model": "ridge", "ridge_exact_items": %s}') $$, scale, exact), format($$
	SELECT * FROM recommender.item_similarities('SELECT user_id, item_id, weight FROM oracle.event WHERE item_id < 300 AND weight > 0', '{"model": "ridge", "ridge_exact_items": %s}') $$, exact),
	format('weights times %s, %s', scale, exact))
FROM unnest('{0, 10000}'::int[]) exact, (VALUES (2 ^ -90::float8), (8), (2 ^ 90::float8)) s (scale);
SELECT throws_ok(format($$SELECT * FROM recommender.item_similarities('SELECT u, i, 1e200 FROM generate_series(1, 3) u, generate_series(1, 3) i', '{"model": "ridge", "ridge_exact_items": %s}')$$, exact),
				 '22003', 'weight 1e+200 of user 1 and item 1 is out of range', format('weights out of range, %s', exact))
FROM unnest('{0, 10000}'::int[]) exact;

-- options
SELECT throws_ok(format($$SELECT * FROM recommender.item_similarities('SELECT 1, 1', '%s')$$, options), '22023', message, options)
FROM (VALUES
	('{"model": "rigde"}', 'model "rigde" does not exist'),
	('{"model": 1}', 'option "model" must be a string'),
	('{"ridge_lambda": 0}', 'option "ridge_lambda" must be between 1e-06 and 1e+12'),
	('{"ridge_damping": 2.5}', 'option "ridge_damping" must be between -2 and 2'),
	('{"ridge_candidates": 0}', 'option "ridge_candidates" must be between 1 and 2000'),
	('{"ridge_candidates": 1.5}', 'option "ridge_candidates" must be an integer'),
	('{"ridge_exact_items": -1}', 'option "ridge_exact_items" must be between 0 and 50000')) o (options, message);

SELECT * FROM finish();
ROLLBACK;
