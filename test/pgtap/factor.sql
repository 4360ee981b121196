/*
 * test/pgtap/factor.sql
 *	  Factors by alternating least squares against dense solutions in SQL.
 *
 * On random small matrices: the effect of one more iteration on the factors of
 * items; the factors of users, through their scores; and the loss that ALS
 * minimises.  Then determinism, agreement of the functions, memory and cancelling.
 * Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;

SELECT plan(123);

CREATE SCHEMA oracle;

/* ------------------------------------------------------------------------
 * Dense matrices
 * ------------------------------------------------------------------------ */

-- Solves a x = b by Gauss, with pivots; rows of a are "n" numbers each.
CREATE FUNCTION oracle.solve(a float8[], b float8[], n int) RETURNS float8[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	pivot int;
	factor float8;
	swap float8;
BEGIN
	FOR k IN 1 .. n LOOP
		pivot := k;
		FOR i IN k + 1 .. n LOOP
			IF abs(a[(i - 1) * n + k]) > abs(a[(pivot - 1) * n + k]) THEN pivot := i; END IF;
		END LOOP;
		FOR j IN 1 .. n LOOP
			swap := a[(k - 1) * n + j]; a[(k - 1) * n + j] := a[(pivot - 1) * n + j]; a[(pivot - 1) * n + j] := swap;
		END LOOP;
		swap := b[k]; b[k] := b[pivot]; b[pivot] := swap;
		FOR i IN k + 1 .. n LOOP
			factor := a[(i - 1) * n + k] / a[(k - 1) * n + k];
			FOR j IN k .. n LOOP
				a[(i - 1) * n + j] := a[(i - 1) * n + j] - factor * a[(k - 1) * n + j];
			END LOOP;
			b[i] := b[i] - factor * b[k];
		END LOOP;
	END LOOP;
	FOR k IN REVERSE n .. 1 LOOP
		FOR j IN k + 1 .. n LOOP
			b[k] := b[k] - a[(k - 1) * n + j] * b[j];
		END LOOP;
		b[k] := b[k] / a[(k - 1) * n + k];
	END LOOP;
	RETURN b;
END $$;

-- The product of two vectors.
CREATE FUNCTION oracle.dot(x float8[], y float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT sum(a * b) FROM unnest(x, y) AS t (a, b)
$$;

/* ------------------------------------------------------------------------
 * The model
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.event (user_id int, item_id int, weight float8);
CREATE INDEX ON oracle.event (user_id);
SELECT recommender.create_recommender('recs', 'oracle.event', weight_column => 'weight');
CREATE TABLE oracle.setting (f int, unobserved float8, lambda float8, exponent float8, weighting text, measure text);

-- confidence and target of each pair; what is not liked counts in ratings and
-- when a user is folded in
CREATE VIEW oracle.weighed AS
	SELECT user_id AS u, item_id AS i, w, weight > 0 OR measure = 'adjusted_cosine' AS trained
	FROM (SELECT *, avg(weight) OVER (PARTITION BY user_id) AS mean FROM oracle.event) e, oracle.setting,
		 LATERAL (SELECT CASE WHEN measure = 'adjusted_cosine' THEN CASE WHEN abs(weight - mean) < 1e-12 * mean THEN 0 ELSE weight - mean END
			WHEN weighting = 'binary' THEN sign(weight) WHEN weighting = 'log' THEN sign(weight) * ln(1 + abs(weight)) ELSE weight END AS w) w;
CREATE VIEW oracle.known_pair AS
	SELECT u, i, abs(w) / (SELECT avg(abs(w)) FROM oracle.weighed WHERE trained) AS c, (w > 0)::int AS p, trained
	FROM oracle.weighed WHERE w <> 0;
CREATE VIEW oracle.pair AS SELECT u, i, c, p FROM oracle.known_pair WHERE trained;

-- Return the best row for the observations, with given columns.
CREATE TYPE oracle.observation AS (factors float8[], c float8, p int);
CREATE FUNCTION oracle.best_row(observed oracle.observation[], gram float8[], others float8) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE
	s oracle.setting;
	a float8[] := gram;
	b float8[];
	o oracle.observation;
BEGIN
	SELECT * INTO s FROM oracle.setting;
	b := array_fill(0::float8, ARRAY[s.f]);
	FOR k IN 1 .. s.f * s.f LOOP
		a[k] := a[k] * s.unobserved;
	END LOOP;
	FOR k IN 1 .. s.f LOOP
		a[(k - 1) * s.f + k] := a[(k - 1) * s.f + k] +
			s.lambda * power(cardinality(observed) + s.unobserved * others, s.exponent);
	END LOOP;
	FOREACH o IN ARRAY observed LOOP
		FOR k IN 1 .. s.f LOOP
			FOR l IN 1 .. s.f LOOP
				a[(k - 1) * s.f + l] := a[(k - 1) * s.f + l] + o.c * o.factors[k] * o.factors[l];
			END LOOP;
			b[k] := b[k] + o.c * o.p * o.factors[k];
		END LOOP;
	END LOOP;
	RETURN oracle.solve(a, b, s.f);
END $$;

-- sums of products of all rows of a table of (id, factors)
CREATE FUNCTION oracle.gram(relation regclass) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE result float8[];
BEGIN
	EXECUTE format('SELECT array_agg(s ORDER BY k, l) FROM (
		SELECT k, l, sum(factors[k] * factors[l]) AS s
		FROM %s, oracle.setting, generate_series(1, f) k, generate_series(1, f) l GROUP BY k, l) t', relation) INTO result;
	RETURN result;
END $$;

-- items' factors as stored, users' as the best for those, items' for these
CREATE TABLE oracle.item (id int, factors float8[]);
CREATE TABLE oracle.person (id int, factors float8[]);
CREATE TABLE oracle.next_item (id int, factors float8[]);

CREATE FUNCTION oracle.take_items() RETURNS void LANGUAGE sql AS $$
	TRUNCATE oracle.item;
	INSERT INTO oracle.item
	SELECT i.item_id, ARRAY(SELECT x FROM unnest(r.factors) WITH ORDINALITY t (x, n)
							WHERE n > (i.item_no - r.item_no) * f AND n <= (i.item_no - r.item_no + 1) * f ORDER BY n)
	FROM oracle.setting, recs.item i JOIN recs.factor r ON i.item_no BETWEEN r.item_no AND r.item_no + cardinality(r.factors) / (SELECT f FROM oracle.setting) - 1
$$;
CREATE FUNCTION oracle.solve_users(folded boolean) RETURNS void LANGUAGE sql AS $$
	TRUNCATE oracle.person;
	INSERT INTO oracle.person
	SELECT u, oracle.best_row(array_agg(ROW(factors, c, p)::oracle.observation), (SELECT oracle.gram('oracle.item')), (SELECT count(*) FROM oracle.item))
	FROM oracle.known_pair JOIN oracle.item ON id = i WHERE trained OR folded GROUP BY u
$$;
CREATE FUNCTION oracle.solve_items() RETURNS void LANGUAGE sql AS $$
	TRUNCATE oracle.next_item;
	INSERT INTO oracle.next_item
	SELECT i, oracle.best_row(array_agg(ROW(factors, c, p)::oracle.observation), (SELECT oracle.gram('oracle.person')), (SELECT count(DISTINCT u) FROM oracle.weighed WHERE trained))
	FROM oracle.pair JOIN oracle.person ON id = u GROUP BY i
$$;

-- what is minimised
CREATE FUNCTION oracle.objective() RETURNS float8 LANGUAGE sql AS $$
	SELECT (SELECT sum(c * (p - s) ^ 2) FROM oracle.pair JOIN oracle.person w ON w.id = u JOIN oracle.item h ON h.id = i, oracle.dot(w.factors, h.factors) s)
		 + (SELECT unobserved * sum(oracle.dot(w.factors, h.factors) ^ 2) FROM oracle.person w, oracle.item h)
		 + lambda * (SELECT sum(power(n + unobserved * (SELECT count(*) FROM oracle.item), exponent) * oracle.dot(factors, factors))
					 FROM oracle.person JOIN (SELECT u, count(*) AS n FROM oracle.pair GROUP BY u) t ON id = u)
		 + lambda * (SELECT sum(power(n + unobserved * (SELECT count(DISTINCT u) FROM oracle.weighed WHERE trained), exponent) * oracle.dot(factors, factors))
					 FROM oracle.item JOIN (SELECT i, count(*) AS n FROM oracle.pair GROUP BY i) t ON id = i)
	FROM oracle.setting
$$;

/* ------------------------------------------------------------------------
 * Random matrices
 * ------------------------------------------------------------------------ */

CREATE FUNCTION oracle.draw(VARIADIC words int[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || left(md5(words::text), 8))::bit(32)::bigint / 4294967296.0
$$;

CREATE FUNCTION oracle.refresh(options jsonb) RETURNS void LANGUAGE sql AS $$
	SELECT recommender.set_options('recs', $1);
	SELECT recommender.refresh('recs');
$$;

-- scores by factors alone are products divided by the user's largest
CREATE FUNCTION oracle.wrong_scores() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(format('user %s, item %s: %s, should be %s', u, i, got, want), E'\n'), '') FROM (
		SELECT w.id AS u, h.id AS i, oracle.dot(w.factors, h.factors) / nullif(max(abs(oracle.dot(w.factors, h.factors))) OVER (PARTITION BY w.id), 0) AS want,
			   max(abs(oracle.dot(w.factors, h.factors))) OVER (PARTITION BY w.id) AS largest,
			   recs.score(w.id, h.id, options => '{"blend": {"behaviour": 0, "factors": 1, "popularity": 0}, "kappa": 0}') AS got
		FROM oracle.person w, oracle.item h) t
	WHERE (abs(got - coalesce(want, 0)) < 2e-5) IS NOT TRUE
		  AND NOT largest BETWEEN 1e-30 AND 1e-3	-- factors that the penalty has almost brought to nothing
$$;

CREATE FUNCTION oracle.check(n int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	options jsonb;
	what text;
	before float8;
	now float8;
	rises text := '';
BEGIN
	TRUNCATE oracle.event, oracle.setting;
	INSERT INTO oracle.setting SELECT 1 + n % 5, (ARRAY[0, 0.1, 1, 7])[1 + n % 4], (ARRAY[0.003, 0.1, 0.03])[1 + n % 3],
									   (ARRAY[1, 0, 0.5])[1 + (n / 2) % 3], (ARRAY['binary', 'none', 'log'])[1 + n % 3],
									   CASE n % 6 WHEN 0 THEN 'jaccard' WHEN 1 THEN 'adjusted_cosine' ELSE 'damped_cosine' END;
	INSERT INTO oracle.event
		SELECT u, i, CASE n % 3 WHEN 0 THEN 1 WHEN 1 THEN round((6 * oracle.draw(n, u, i, 1) - CASE n % 6 WHEN 1 THEN -1 ELSE 1.5 END)::numeric, 2) ELSE 1 + 20 * oracle.draw(n, u, i, 2) END
		FROM generate_series(1, 12 + n) u, generate_series(1, 7 + n % 6) i
		WHERE oracle.draw(n, u, i) < 0.1 + 0.5 * oracle.draw(n, u) * oracle.draw(n, i + 100);
	SELECT jsonb_build_object('model', 'als', 'als_factors', f, 'als_unobserved', unobserved, 'als_regularization', lambda,
							  'als_exponent', exponent, 'weighting', weighting, 'als_seed', n, 'measure', measure)
	INTO options FROM oracle.setting;
	-- from the weight of all pairs by that of the observed to the weight of each
	UPDATE oracle.setting SET unobserved = unobserved * n.pairs / (n.users * n.items)
	FROM (SELECT count(*) AS pairs, count(DISTINCT u) AS users, count(DISTINCT i) AS items FROM oracle.weighed WHERE trained) n;
	what := format('%s, %s', n, options);

	FOR iterations IN 1 .. 5 LOOP
		PERFORM oracle.refresh(options || jsonb_build_object('als_iterations', iterations));
		PERFORM oracle.take_items();
		IF iterations = 3 THEN
			RETURN NEXT is_empty($q$
				SELECT a.id, b.id, oracle.dot(a.factors, b.factors), oracle.dot(x.factors, y.factors)
				FROM oracle.item a JOIN oracle.next_item x USING (id), oracle.item b JOIN oracle.next_item y USING (id)
				WHERE (abs(oracle.dot(a.factors, b.factors) - oracle.dot(x.factors, y.factors)) < 1e-5) IS NOT TRUE$q$, 'an iteration: ' || what);
		END IF;
		PERFORM oracle.solve_users(false);
		now := oracle.objective();
		IF now > before * (1 + 1e-6) THEN rises := format('from %s to %s in iteration %s', before, now, iterations); END IF;
		before := now;
		IF iterations = 2 THEN
			PERFORM oracle.solve_items();
			PERFORM oracle.solve_users(true);
			RETURN NEXT ok(abs(scale * (SELECT avg(abs(w)) FROM oracle.weighed WHERE trained) - 1) < 1e-9, 'the mean confidence is 1: ' || what)
			FROM recs.factorization;
			RETURN NEXT is(oracle.wrong_scores(), '', 'users are folded in: ' || what);
		END IF;
	END LOOP;
	RETURN NEXT is(rises, '', 'the sum does not rise: ' || what);
END $$;
SELECT oracle.check(n) FROM generate_series(1, 18) n;

-- the Gramian that is stored is that of the factors, and diagonal
SELECT oracle.take_items();
SELECT is_empty($$
	SELECT k, l, g FROM (SELECT (n - 1) / f + 1 AS k, (n - 1) % f + 1 AS l, g, f FROM oracle.setting, unnest(oracle.gram('oracle.item')) WITH ORDINALITY t (g, n)) t, recs.factorization
	WHERE abs(g - CASE WHEN k = l THEN gramian[k] ELSE 0 END) > 1e-5 * (SELECT max(x) FROM unnest(gramian) x)$$, 'the Gramian');
/* ------------------------------------------------------------------------
 * One larger matrix
 * ------------------------------------------------------------------------ */

TRUNCATE oracle.event;
INSERT INTO oracle.event
SELECT DISTINCT (900 * oracle.draw(r, 1))::int AS u, (250 * power(oracle.draw(r, 2), 2))::int AS i, 1 + (r % 7) FROM generate_series(1, 14000) r;
ANALYZE oracle.event;
CREATE TABLE oracle.kept (what text, item_no int, factors real[]);
CREATE FUNCTION oracle.keep(what text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO oracle.kept SELECT what, item_no, factors FROM recs.factor
$$;
SELECT oracle.refresh('{"model": "als", "als_factors": 24, "als_iterations": 6, "als_unobserved": 5, "als_exponent": 1, "als_regularization": 0.01, "weighting": "log", "als_seed": 0, "measure": null}');
SELECT oracle.keep('first');
SELECT recommender.refresh('recs');
SELECT oracle.keep('again');
SET LOCAL max_parallel_maintenance_workers = 0;
SELECT recommender.refresh('recs');
SELECT oracle.keep('alone');
SET LOCAL max_parallel_maintenance_workers = 3;
SELECT recommender.refresh('recs');
SELECT oracle.keep('together');
CREATE TABLE oracle.shuffled AS SELECT * FROM oracle.event ORDER BY md5(event::text);
TRUNCATE oracle.event;
INSERT INTO oracle.event TABLE oracle.shuffled;
SELECT recommender.refresh('recs');
SELECT oracle.keep('shuffled');
SELECT results_eq(format('SELECT item_no, factors FROM oracle.kept WHERE what = %L ORDER BY item_no', what),
				  'SELECT item_no, factors FROM oracle.kept WHERE what = ''first'' ORDER BY item_no', 'the same bits: ' || what)
FROM unnest('{again, alone, together, shuffled}'::text[]) what;
SELECT oracle.refresh('{"als_seed": 1}');
SELECT isnt_empty('SELECT item_no, factors FROM recs.factor EXCEPT SELECT item_no, factors FROM oracle.kept', 'another seed, other factors');
SELECT oracle.refresh('{"weighting": "binary", "user_exponent": 0}');
SELECT oracle.keep('binary');
TRUNCATE oracle.event;
INSERT INTO oracle.event SELECT * FROM oracle.shuffled ORDER BY user_id DESC, item_id;
SELECT recommender.refresh('recs');
SELECT results_eq('SELECT item_no, factors FROM recs.factor ORDER BY item_no', 'SELECT item_no, factors FROM oracle.kept WHERE what = ''binary'' ORDER BY item_no',
				  'whole numbers in another order');
SELECT oracle.refresh('{"weighting": "log", "user_exponent": null}');
SELECT is(count(*)::int, 250 / 83 + 1, 'rows of as many items as fill a page') FROM recs.factor;
SELECT is(pg_relation_size(reltoastrelid), 0::bigint, 'nothing is toasted') FROM pg_class WHERE oid = 'recs.factor'::regclass;
SELECT is(array_agg(DISTINCT generation), (SELECT array_agg(generation) FROM recs.definition), 'one generation') FROM (SELECT generation FROM recs.factor UNION ALL SELECT generation FROM recs.factorization) t;

-- answers agree with each other, whatever the blend
CREATE TABLE oracle.option (options jsonb);
INSERT INTO oracle.option VALUES (NULL), ('{"blend": {"behaviour": 0, "popularity": 0}}'), ('{"blend": {"factors": 0.3, "popularity": 2}, "kappa": 10}'), ('{"blend": {"factors": 0}}'),
	('{"history": 3, "exclude_seen": false}');
SELECT is_empty($$
	SELECT o.options, a.user_id, a.rank, a.item_id, a.score, r.* FROM oracle.option o, recs.recommend_all(20, options => o.options) a
		LEFT JOIN LATERAL recs.recommend(a.user_id, 20, options => o.options) r ON r.rank = a.rank
	WHERE a.user_id < 100 AND (a.item_id, a.score, a.strategy) IS DISTINCT FROM (r.item_id, r.score, r.strategy)$$, 'recommend_all() and recommend()');
SELECT is_empty($$
	SELECT o.options, u, r.item_id, r.score FROM oracle.option o, generate_series(1, 20) u, recs.recommend(u, 20, options => o.options) r
	WHERE r.score <> recs.score(u, r.item_id, options => o.options)$$, 'score()');
SELECT is_empty($$
	SELECT o.options, u, i, s FROM oracle.option o, generate_series(1, 12) u, generate_series(1, 250, 6) i, recs.score(u, i, options => o.options) s,
		LATERAL (SELECT coalesce(sum(contribution), 0) AS sum, count(*) FILTER (WHERE component = 'factors') AS parts FROM recs.explain(u, i, options => o.options)) e
	WHERE s <> e.sum OR (parts > 0) <> (coalesce((o.options -> 'blend' ->> 'factors')::float8, 1) > 0 AND EXISTS (SELECT FROM recs.item WHERE item_id = i))$$,
	'explanations of factors name the history, and add up');
SELECT is_empty($$
	SELECT u, e.* FROM generate_series(1, 12) u, generate_series(1, 250, 6) i, recs.explain(u, i) e
	WHERE component = 'factors' AND (because_item IS NULL OR abs(contribution / (weight * similarity) /
		(SELECT contribution / (weight * similarity) FROM recs.explain(u, i) WHERE component = 'factors' ORDER BY abs(contribution) DESC LIMIT 1) - 1) > 1e-3 AND abs(contribution) > 1e-6
		OR NOT (SELECT abs(ln(1 + sum(v.weight)) - e.weight) < 1e-9 FROM oracle.event v WHERE user_id = u AND item_id = because_item))$$,
	'in proportion to their weights');
SELECT isnt_empty('SELECT FROM recs.recommend(5, 10, options => ''{"blend": {"behaviour": 0}}'') WHERE strategy = ''factors'' AND reasons -> 0 ->> ''item'' IS NOT NULL', 'reasons name the history');
SELECT is_empty('SELECT FROM recs.similar_items(3, 10) WHERE strategy = ''factors''', 'similar items are by behaviour');
SELECT results_eq('SELECT item_id, score FROM recs.recommend_basket((SELECT array_agg(item_id) FROM oracle.event WHERE user_id = 7), 10, options => ''{"blend": {"behaviour": 0, "popularity": 0}}'')',
	'SELECT item_id, score FROM recs.recommend_session((SELECT array_agg(item_id) FROM oracle.event WHERE user_id = 7), 10, options => ''{"session_decay": 1, "blend": {"behaviour": 0, "popularity": 0}}'')',
	'baskets and sessions are folded in');

-- a click counts at once
SELECT is_empty('SELECT FROM recs.recommend(5000, 10) WHERE strategy = ''factors''', 'nobody');
INSERT INTO oracle.event VALUES (5000, 3, 1);
SELECT isnt_empty('SELECT FROM recs.recommend(5000, 10, options => ''{"blend": {"behaviour": 0}}'') WHERE strategy = ''factors''', 'a user who was not there when factors were computed');
DELETE FROM oracle.event WHERE user_id = 5000;

-- evaluation trains the same
SELECT is((SELECT round(value::numeric, 12) FROM recommender.evaluate('recs', 'random', metrics => '{recall}', resamples => 0, store => false) WHERE strategy = 'recommender' AND segment = 'all' AND metric = 'recall'),
		  (SELECT round(value::numeric, 12) FROM recommender.evaluate('recs', 'random', metrics => '{recall}', resamples => 0, store => false) WHERE strategy = 'recommender' AND segment = 'all' AND metric = 'recall'), 'evaluation is repeatable');

-- options in force want no factors, or a refresh that made some
SELECT recommender.set_options('recs', '{"model": "neighbors"}');
SELECT is_empty('SELECT FROM recs.recommend(5, 10) WHERE strategy = ''factors''', 'another model does not look at factors');
SELECT recommender.refresh('recs');
SELECT is_empty('SELECT FROM recs.factor UNION ALL SELECT FROM recs.factorization', 'and leaves none');
SELECT recommender.set_options('recs', '{"model": "als"}');
SELECT is_empty('SELECT FROM recs.recommend(5, 10) WHERE strategy = ''factors''', 'none before a refresh');

/* ------------------------------------------------------------------------
 * Extremes and errors
 * ------------------------------------------------------------------------ */

CREATE FUNCTION oracle.count_factors(query text, options jsonb = '{}') RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE oracle.event;
	EXECUTE 'INSERT INTO oracle.event ' || query;
	PERFORM oracle.refresh('{"als_factors": 5, "als_iterations": 4}' || options);
	RETURN (SELECT count(*) FROM recs.factor, unnest(factors) x WHERE x BETWEEN -1e30 AND 1e30);
END $$;
SELECT is(oracle.count_factors(query, options::jsonb), n::bigint, format('%s, %s', query, options))
FROM (VALUES ('SELECT 1, 1, 1 WHERE false', '{}', 0), ('SELECT 1, 1, 1', '{}', 5), ('SELECT u, 1, 1 FROM generate_series(1, 40) u', '{}', 5),
	('SELECT 1, i, 1 FROM generate_series(1, 40) i', '{}', 200), ('SELECT u, u, 1 FROM generate_series(1, 40) u', '{"als_regularization": 1e6}', 200),
	('SELECT u, u % 3, 1 FROM generate_series(1, 40) u', '{"als_regularization": 1e-6, "als_unobserved": 0, "als_exponent": 0, "als_factors": 40}', 120),
	('SELECT u, u % 3, -1 FROM generate_series(1, 40) u', '{"weighting": "none"}', 0),
	('SELECT u, u % 9, 1e-25 * u FROM generate_series(1, 40) u', '{"weighting": "none"}', 45), ('SELECT u, u % 9, 1e25 * u FROM generate_series(1, 40) u', '{"weighting": "none"}', 45),
	('SELECT u, u % 9, power(10, u % 30) FROM generate_series(1, 400) u', '{"weighting": "none"}', 45)) v (query, options, n);
SELECT is_empty('SELECT FROM recs.recommend(7, 9) WHERE score = ''NaN''', 'weights of many scales');

-- more factors than items: the Gramian is of less than full rank, and what its reflections leave underflows
SELECT is(oracle.count_factors(format('SELECT u, (h & 2147483647) %% %s, 1 + (h >> 8 & 15)
			FROM generate_series(1, 60) u, generate_series(1, 5) v, hashint4extended(u * 10 + v, %s) h', items, seed),
			  '{"als_factors": 128, "als_unobserved": 5, "als_regularization": 0.003, "als_exponent": 1, "als_iterations": 16, "weighting": "none"}'),
		  items * 128::bigint, format('more factors than items, %s', seed))
FROM (VALUES (34, 24), (29, 69), (24, 264), (29, 269)) v (items, seed);

CREATE FUNCTION oracle.is_cancelled() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE oracle.event;
	INSERT INTO oracle.event SELECT u, (u * 7 + v * v * 31) % 3000, 1 FROM generate_series(1, 3000) u, generate_series(1, 20) v;
	PERFORM oracle.refresh('{"als_factors": 300, "als_iterations": 1000}');
	RETURN false;
EXCEPTION WHEN query_canceled THEN
	RETURN true;
END $$;
SET LOCAL maintenance_work_mem = '256MB';
SET LOCAL statement_timeout = '700ms';
SELECT ok(oracle.is_cancelled(), 'a refresh is cancelled');
SET LOCAL max_parallel_maintenance_workers = 0;
SELECT ok(oracle.is_cancelled(), 'a refresh by one process is cancelled');
SET LOCAL statement_timeout = 0;
INSERT INTO oracle.event SELECT u, (u * 7 + v * v * 31) % 3000, 1 FROM generate_series(1, 3000) u, generate_series(1, 20) v;
SET LOCAL maintenance_work_mem = '12MB';
SELECT throws_ok('SELECT oracle.refresh(''{"als_factors": 800, "als_iterations": 1}'')', '53400', 'the data do not fit into maintenance_work_mem', 'with little memory');

SELECT throws_ok(format('SELECT recommender.set_options(''recs'', %L)', options), '22023', message, options)
FROM (VALUES
	('{"als_factors": 0}', 'option "als_factors" must be between 1 and 1000'),
	('{"als_factors": 1001}', 'option "als_factors" must be between 1 and 1000'),
	('{"als_iterations": 0}', 'option "als_iterations" must be between 1 and 1000'),
	('{"als_unobserved": -0.1}', 'option "als_unobserved" must be between 0 and 1000'),
	('{"als_regularization": 0}', 'option "als_regularization" must be between 1e-06 and 1000000'),
	('{"als_exponent": 3}', 'option "als_exponent" must be between 0 and 2'),
	('{"als_seed": -1}', 'option "als_seed" must be between 0 and 2147483647'),
	('{"weighting": "bm25"}', 'model "als" takes no weighting "bm25"'),
	('{"weighting": "tfidf"}', 'model "als" takes no weighting "tfidf"')) o (options, message);
SELECT throws_ok('SELECT * FROM recommender.item_similarities(''SELECT 1, 1'', ''{"model": "als"}'')', '22023', 'model "als" has factors of items, not neighbours', 'not for lists of neighbours');

SELECT * FROM finish();
ROLLBACK;
