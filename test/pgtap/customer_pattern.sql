/*
 * test/pgtap/customer_pattern.sql
 *	  Deviations, clusters, attributions and words of reviews against oracles.
 *
 * Each is written down once more in SQL, and compared on drawn data.  Leaves
 * nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;

SELECT plan(75);

CREATE SCHEMA oracle;
CREATE FUNCTION oracle.uniform(n bigint, i bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT (abs(hashint8extended(n, i) % 1000000007) + 0.5) / 1000000007
$$;
CREATE FUNCTION oracle.near(got float8, want float8, digits int) RETURNS boolean LANGUAGE sql AS $$
	SELECT coalesce(got = want OR abs(got - want) <= greatest(abs(want), 1e-3) * power(10::float8, -digits), got IS NULL AND want IS NULL)
$$;

/* ------------------------------------------------------------------------
 * Deviations
 * ------------------------------------------------------------------------ */

CREATE TEMP TABLE turnover AS
SELECT n, v, recommender.anomaly(v, 7) OVER (ORDER BY n) AS d
FROM unnest('{100,113,126,117,145,181,164,105,111,124,115,143,186,162,103,116,122,120,141,184,160,101,114,120,118,146,182,165,106,112,125,116,144,180,163,104,110,123,121,142,185,90}'::float8[]) WITH ORDINALITY u (v, n);
SELECT is_empty($$SELECT * FROM turnover WHERE n <= 14 AND d IS NOT NULL$$, 'two seasons say nothing');
SELECT ok(oracle.near((d).expected, expected, 12) AND oracle.near((d).spread, spread, 12) AND oracle.near((d).score, score, 10), format('row %s: %s', n, d))
FROM turnover JOIN (VALUES (15, 102.5, NULL, NULL), (22, 103.5, 5.1891, -0.4817791139), (28, 160, 3.7065, 1.3489815190), (35, 163, 3.7065, 0), (39, 116, 2.9652, 1.6862268987), (42, 163, 2.9652, -24.6189127209)) e (n, expected, spread, score) USING (n) ORDER BY n;

-- the definition, row by row
CREATE FUNCTION oracle.median(a float8[]) RETURNS float8 LANGUAGE sql AS $$ SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM unnest(a) x $$;
CREATE FUNCTION oracle.deviations(v float8[], s int) RETURNS TABLE (n int, expected float8, spread float8, score float8) LANGUAGE plpgsql AS $$
DECLARE
	u float8[]; base float8; before float8[]; known float8[]; newest float8[]; c float8; need int := greatest(s, 5); keep int := CASE s WHEN 1 THEN 28 ELSE 4 * s END;
BEGIN
	FOR t IN 1 .. cardinality(v) LOOP
		n := t; expected := NULL; spread := NULL; score := NULL;
		before := ARRAY(SELECT v[t - j * s] FROM generate_series(1, 6) j WHERE t - j * s >= 1 AND v[t - j * s] IS NOT NULL);
		IF v[t] IS NOT NULL AND cardinality(before) >= 2 THEN
			base := oracle.median(before);
			known := ARRAY(SELECT u[i] FROM generate_series(t - 1, greatest(t - keep, 1), -1) i WHERE u[i] IS NOT NULL);
			expected := base;
			IF cardinality(known) >= need THEN
				expected := base + oracle.median(known[1:need]);
				c := oracle.median(known);
				spread := 1.4826 * oracle.median(ARRAY(SELECT abs(x - c) FROM unnest(known) x));
				IF spread = 0 THEN spread := 1.2533 * (SELECT avg(abs(x - c)) FROM unnest(known) x); END IF;
				score := CASE WHEN spread > 0 THEN (v[t] - expected) / spread WHEN v[t] = expected THEN 0 WHEN v[t] > expected THEN 'Infinity' ELSE '-Infinity' END;
			END IF;
			u[t] := v[t] - base;
		ELSE
			u[t] := NULL;
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
CREATE TEMP TABLE series AS
SELECT s, shape, n, CASE WHEN shape = 'gaps' AND oracle.uniform(n, s) < 0.15 THEN NULL
						 WHEN shape = 'constant' THEN CASE WHEN n % 40 = 0 THEN 9 ELSE 5 END
						 WHEN shape = 'few' THEN floor(3 * oracle.uniform(n, s))
						 ELSE 100 + 20 * (n % s) + 10 * oracle.uniform(n, 1) + (n > 60)::int * 50 END::float8 AS v
FROM unnest('{1,2,4,7,12}'::int[]) s, unnest('{level,gaps,constant,few}'::text[]) shape, generate_series(1, 120) n;
CREATE TEMP TABLE judged AS SELECT s, shape, n, recommender.anomaly(v, s) OVER (PARTITION BY s, shape ORDER BY n) AS d FROM series;
SELECT is_empty($$
	SELECT s, shape, j.n, j.d, o.expected, o.spread, o.score FROM judged j JOIN (SELECT s, shape, (oracle.deviations(array_agg(v ORDER BY n), s)).* FROM series GROUP BY s, shape) o USING (s, shape, n)
	WHERE NOT (oracle.near((d).expected, expected, 12) AND oracle.near((d).spread, o.spread, 10) AND ((d).score = o.score OR oracle.near((d).score, o.score, 8)))$$, '2,400 rows of 20 series are as the definition says');
SELECT cmp_ok((SELECT count(*) FROM judged WHERE abs((d).score) = 'Infinity'), '>', 0::bigint, 'a change of what never changed is infinite');
SELECT is((SELECT count(d) FROM (SELECT recommender.anomaly(NULL, 7) OVER (ORDER BY n) AS d FROM generate_series(1, 100) n) q), 0::bigint, 'nothing known, nothing said');
SELECT is((SELECT count(*) FILTER (WHERE (d).score IS NOT NULL) FROM (SELECT recommender.anomaly(n, 400) OVER (ORDER BY n) AS d FROM generate_series(1, 1400) n) q), 200::bigint, 'the longest season');
SELECT throws_ok($$SELECT recommender.anomaly(1, s) OVER () FROM unnest('{0}'::int[]) s$$, '22023', 'season must be between 1 and 400, not 0');
SELECT throws_ok($$SELECT recommender.anomaly(1, 401) OVER ()$$, '22023', 'season must be between 1 and 400, not 401');
SELECT throws_ok($$SELECT recommender.anomaly(1, NULL) OVER ()$$, '22004', 'season must not be null');
SELECT throws_ok($$SELECT recommender.anomaly(1, s) OVER () FROM unnest('{2,3}'::int[]) s$$, '22023', 'season must be the same for all rows of a partition');
SELECT throws_ok($$SELECT recommender.anomaly('NaN', 1) OVER ()$$, '22023', 'value must be a finite number, not NaN');
SELECT throws_ok($$SELECT recommender.anomaly(CASE n % 2 WHEN 0 THEN -1e308 ELSE 1e308 END, 1) OVER (ORDER BY n) FROM generate_series(1, 4) n$$, '22003');

/* ------------------------------------------------------------------------
 * Clusters
 * ------------------------------------------------------------------------ */

-- k-means in PL/pgSQL: assigns rows of two features, returns the sum of squares and the sizes
CREATE TEMP TABLE point (g int, x float8, y float8);
CREATE FUNCTION oracle.kmeans(gg int, k int, scaled boolean) RETURNS TABLE (squares float8, sizes bigint[]) LANGUAGE plpgsql AS $$
DECLARE
	wx float8 := 1; wy float8 := 1; changed boolean := true; rounds int := 0; c record;
BEGIN
	IF scaled THEN SELECT coalesce(1 / nullif(var_samp(x), 0), 0), coalesce(1 / nullif(var_samp(y), 0), 0) INTO wx, wy FROM point WHERE g = gg; END IF;
	CREATE TEMP TABLE p AS SELECT row_number() OVER (ORDER BY x, y) AS id, x, y, 0 AS c FROM point WHERE g = gg;
	CREATE TEMP TABLE m AS SELECT 1 AS c, x, y FROM p ORDER BY wx * (x - (SELECT avg(x) FROM p)) ^ 2 + wy * (y - (SELECT avg(y) FROM p)) ^ 2, id LIMIT 1;
	FOR i IN 2 .. k LOOP
		INSERT INTO m SELECT i, x, y FROM (SELECT p.id, p.x, p.y, min(wx * (p.x - m.x) ^ 2 + wy * (p.y - m.y) ^ 2) AS d FROM p, m GROUP BY 1, 2, 3) q WHERE d > 0 ORDER BY d DESC, id LIMIT 1;
	END LOOP;
	WHILE changed AND rounds <= 100 LOOP
		WITH nearest AS (SELECT DISTINCT ON (p.id) p.id, m.c FROM p, m ORDER BY p.id, wx * (p.x - m.x) ^ 2 + wy * (p.y - m.y) ^ 2, m.c)
		, u AS (UPDATE p SET c = n.c FROM nearest n WHERE n.id = p.id AND n.c <> p.c RETURNING 1) SELECT count(*) > 0 INTO changed FROM u;
		UPDATE m SET x = a.x, y = a.y FROM (SELECT p.c, avg(p.x) AS x, avg(p.y) AS y FROM p GROUP BY p.c) a WHERE a.c = m.c;
		rounds := rounds + 1;
	END LOOP;
	RETURN QUERY SELECT sum(wx * (p.x - m.x) ^ 2 + wy * (p.y - m.y) ^ 2), (SELECT array_agg(n ORDER BY n DESC) FROM (SELECT count(*) AS n FROM p GROUP BY p.c) s) FROM p JOIN m ON p.c = m.c;
	DROP TABLE p, m;
END
$$;
INSERT INTO point
SELECT g, 10 * (n % (g % 4 + 2)) + 6 * oracle.uniform(n * 100 + g, 1), 100 * ((n / 2) % (g % 3 + 1)) + 60 * oracle.uniform(n * 100 + g, 2) FROM generate_series(1, 6) g, generate_series(1, 80) n;
CREATE TEMP TABLE clustered AS
SELECT g, k, s, recommender.cluster_agg(ARRAY[x, y], k, s) AS c FROM point, generate_series(1, 5) k, unnest('{t,f}'::boolean[]) s GROUP BY g, k, s;
SELECT is_empty($$
	SELECT g, k, s, (SELECT sum(size * spread ^ 2) FROM unnest(c)), o.* FROM clustered, oracle.kmeans(g, k, s) o
	WHERE NOT oracle.near((SELECT sum(size * spread ^ 2) FROM unnest(c)), squares, 9) OR (SELECT array_agg(size ORDER BY cluster) FROM unnest(c)) <> sizes$$, '60 sets of clusters are as the oracle says');
SELECT is_empty($$
	SELECT g, k, s FROM clustered JOIN point USING (g), LATERAL (SELECT recommender.cluster_of(c, ARRAY[x, y]) AS o) q
	GROUP BY g, k, s, c HAVING (SELECT array_agg(size ORDER BY cluster) FROM unnest(c)) <> ARRAY(SELECT count(*) FROM point p WHERE p.g = clustered.g GROUP BY recommender.cluster_of(c, ARRAY[x, y]) ORDER BY recommender.cluster_of(c, ARRAY[x, y]))$$,
	'cluster_of puts each row where it was');
SELECT is_empty($$
	SELECT g, k, s, o, mx, my, center FROM (SELECT g, k, s, c, recommender.cluster_of(c, ARRAY[x, y]) AS o, avg(x) AS mx, avg(y) AS my FROM clustered JOIN point USING (g) GROUP BY 1, 2, 3, 4, 5) q, unnest(c) u
	WHERE u.cluster = o AND NOT (oracle.near(center[1], mx, 9) AND oracle.near(center[2], my, 9))$$, 'centers are means');
SELECT is((SELECT recommender.cluster_agg(ARRAY[x, y], 3 ORDER BY x)::text FROM point WHERE g = 1), (SELECT recommender.cluster_agg(ARRAY[x, y], 3 ORDER BY y DESC)::text FROM point WHERE g = 1), 'the order of rows changes no bit');
SELECT is((SELECT recommender.cluster_agg(ARRAY[x], 5)::text FROM unnest('{1,1,1,4,4}'::float8[]) x), (SELECT recommender.cluster_agg(ARRAY[x], 2)::text FROM unnest('{1,1,1,4,4}'::float8[]) x), 'as many clusters as there are different rows');
SELECT is((SELECT array_agg((cluster, size, center, scale, spread)::text) FROM unnest((SELECT recommender.cluster_agg(ARRAY[x, 7], 2, false) FROM unnest('{1,1,1,4,4}'::float8[]) x))), ARRAY['(1,3,"{1,7}","{1,1}",0)', '(2,2,"{4,7}","{1,1}",0)'], 'sizes, centers, scales');
SELECT is((SELECT array_agg((cluster, size, center, scale, spread)::text) FROM unnest((SELECT recommender.cluster_agg(ARRAY[x, 7], 2) FROM unnest('{0,2}'::float8[]) x))), ARRAY['(1,1,"{0,7}","{1.4142135623730951,0}",0)', '(2,1,"{2,7}","{1.4142135623730951,0}",0)'], 'a constant feature does not count; of equal sizes the smaller center first');
SELECT is((SELECT recommender.cluster_agg(f, 2)::text FROM (VALUES (NULL::float8[]), ('{NULL,1}'), ('{1,2}')) v (f)), (SELECT recommender.cluster_agg(f, 2)::text FROM (VALUES ('{1,2}'::float8[])) v (f)), 'rows with a null do not count');
SELECT is((SELECT recommender.cluster_agg(NULL, 2)), NULL, 'no row that counts');
SELECT is(recommender.cluster_of('{}', '{1}'), NULL, 'no cluster');
SELECT is((SELECT array_agg(recommender.cluster_of(c, f)) FROM (SELECT recommender.cluster_agg(ARRAY[x], 2) AS c FROM unnest('{1,2,9}'::float8[]) x) q, (VALUES ('{0}'::float8[]), ('{8}'), (NULL), ('{NULL}')) v (f)), '{1,2,NULL,NULL}', 'near and far');
SELECT throws_ok(format('SELECT recommender.cluster_agg(%s)', arguments), '22023', message) FROM (VALUES
	('''{}'', 2', 'features must not be empty'), ('''{{1},{2}}'', 2', 'features must be an array of one dimension'), ('''{NaN}'', 2', 'features must be finite numbers'), ('''{1}'', 0', 'clusters must be between 1 and 1000, not 0')) v (arguments, message);
SELECT throws_ok($$SELECT recommender.cluster_agg(array_fill(1.0::float8, ARRAY[n]), 2) FROM generate_series(1, 2) n$$, '22023', 'there must be as many features in all rows');
SELECT throws_ok($$SELECT recommender.cluster_agg('{1}', n) FROM generate_series(1, 2) n$$, '22023', 'clusters must be the same for all rows of a group');
SELECT throws_ok($$SELECT recommender.cluster_agg('{1}', 2, n = 1) FROM generate_series(1, 2) n$$, '22023', 'scale must be the same for all rows of a group');
SELECT throws_ok($$SELECT recommender.cluster_agg('{1}', 2, NULL)$$, '22004', 'scale must not be null');
SELECT throws_ok($$SELECT recommender.cluster_of(recommender.cluster_agg('{1,2}', 2), '{1}')$$, '22023', 'there must be as many features in all rows');
SELECT throws_ok($$SELECT recommender.cluster_agg(ARRAY[x], 2) FROM unnest('{1e308,-1e308,1e308}'::float8[]) x$$, '22003');

/* ------------------------------------------------------------------------
 * Attribution
 * ------------------------------------------------------------------------ */

SELECT is((SELECT array_agg((touchpoint, paths, first, last, round(linear::numeric, 6), round(shapley::numeric, 6), round(markov::numeric, 12), round(removal_effect::numeric, 12), round(markov_value::numeric, 12))::text ORDER BY touchpoint)
		   FROM unnest((SELECT recommender.attribution_agg(string_to_array(p, '>'), c, l, c * 10) FROM (VALUES ('c1>c2>c3', 1, 0), ('c1', 0, 1), ('c2>c3', 0, 1)) v (p, c, l)))),
	ARRAY['(c1,2,1,0,0.333333,0.333333,0.200000000000,0.500000000000,2.000000000000)', '(c2,2,0,0,0.333333,0.333333,0.400000000000,1.000000000000,4.000000000000)', '(c3,2,0,1,0.333333,0.333333,0.400000000000,1.000000000000,4.000000000000)'], 'the example of the literature');

CREATE TEMP TABLE journey AS
SELECT n, ARRAY(SELECT chr(97 + floor(6 * oracle.uniform(n, i) * oracle.uniform(n, i + 50))::int) FROM generate_series(1, 1 + floor(5 * oracle.uniform(n, 99))::int) i) AS path,
	   floor(3 * oracle.uniform(n, 101)) AS c, floor(6 * oracle.uniform(n, 102)) AS l FROM generate_series(1, 300) n;
CREATE TEMP TABLE attributed AS SELECT a.* FROM (SELECT recommender.attribution_agg(path, c, l, c * n) AS a FROM journey) q, unnest(a) a;
-- the probability of conversion of the chain, a touchpoint leading to loss if it is removed: by steps
CREATE FUNCTION oracle.conversion(removed text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	total float8 := 0;
BEGIN
	CREATE TEMP TABLE step AS
	SELECT a, b, sum(w) / sum(sum(w)) OVER (PARTITION BY a) AS p FROM (
		SELECT coalesce(path[i - 1], '(start)') AS a, path[i] AS b, c + l AS w FROM journey, generate_series(1, cardinality(path)) i
		UNION ALL SELECT path[cardinality(path)], '(conversion)', c FROM journey UNION ALL SELECT path[cardinality(path)], '(loss)', l FROM journey) t WHERE w > 0 GROUP BY a, b;
	CREATE TEMP TABLE mass AS SELECT '(start)' AS a, 1::float8 AS p;
	FOR i IN 1 .. 150 LOOP
		CREATE TEMP TABLE next AS SELECT s.b AS a, sum(m.p * s.p) AS p FROM mass m JOIN step s USING (a) WHERE a IS DISTINCT FROM removed GROUP BY s.b;
		total := total + coalesce((SELECT p FROM next WHERE a = '(conversion)'), 0);
		DROP TABLE mass;
		ALTER TABLE next RENAME TO mass;
		DELETE FROM mass WHERE p < 1e-30;
	END LOOP;
	DROP TABLE mass, step;
	RETURN total;
END
$$;
CREATE TEMP TABLE all_kept AS SELECT oracle.conversion(NULL) AS u;
SELECT is_empty($$SELECT touchpoint, removal_effect, 1 - oracle.conversion(touchpoint) / u FROM attributed, all_kept WHERE NOT oracle.near(removal_effect, 1 - oracle.conversion(touchpoint) / u, 8)$$, 'removal effects are what is lost when the chain is walked without the touchpoint');
SELECT is_empty($$SELECT * FROM (SELECT markov, sum(removal_effect) OVER () AS all_effects, removal_effect, (SELECT sum(c) FROM journey) AS c, markov_value, (SELECT sum(c * n) FROM journey) AS v FROM attributed) q
	WHERE NOT (oracle.near(markov, c * removal_effect / all_effects, 12) AND oracle.near(markov_value, v * removal_effect / all_effects, 12))$$, 'attributions are proportional to them');
-- Shapley by its definition, over all orders in which touchpoints may come
CREATE FUNCTION oracle.earned(players text[]) RETURNS float8 LANGUAGE sql AS $$ SELECT coalesce(sum(c), 0) FROM journey WHERE path <@ players $$;
CREATE FUNCTION oracle.shapley() RETURNS TABLE (touchpoint text, value float8) LANGUAGE sql AS $$
	WITH RECURSIVE player AS (SELECT DISTINCT p FROM journey, unnest(path) p WHERE c + l > 0),
	line AS (SELECT ARRAY[]::text[] AS ps UNION ALL SELECT ps || p FROM line, player WHERE NOT p = ANY (ps)),
	worth AS (SELECT s, oracle.earned(s) AS w FROM (SELECT DISTINCT ARRAY(SELECT unnest(ps) ORDER BY 1) AS s FROM line) d)
	SELECT p, sum((w2.w - w1.w) * factorial(cardinality(w1.s)) * factorial((SELECT count(*) FROM player) - cardinality(w1.s) - 1) / factorial((SELECT count(*) FROM player)))::float8
	FROM worth w1 JOIN player ON NOT p = ANY (w1.s) JOIN worth w2 ON w2.s = ARRAY(SELECT unnest(w1.s || p) ORDER BY 1) GROUP BY p
$$;
SELECT is_empty($$SELECT a.touchpoint, shapley, value FROM attributed a FULL JOIN oracle.shapley() USING (touchpoint) WHERE NOT oracle.near(shapley, value, 9)$$, 'Shapley values are those of the game');
SELECT is_empty($$
	SELECT a.touchpoint FROM attributed a JOIN (
		SELECT p AS touchpoint, sum(c) FILTER (WHERE path[1] = p) AS f, sum(c) FILTER (WHERE path[cardinality(path)] = p) AS l,
			   sum(c * (SELECT count(*) FROM unnest(path) q WHERE q = p) / cardinality(path)) AS e, sum(c + l) AS n
		FROM journey, LATERAL (SELECT DISTINCT p FROM unnest(path) p) d GROUP BY p) o USING (touchpoint)
	WHERE NOT (oracle.near(first, coalesce(f, 0), 12) AND oracle.near(last, coalesce(o.l, 0), 12) AND oracle.near(linear, e, 12) AND paths = n)$$, 'first, last, linear, paths');
SELECT is_empty($$SELECT * FROM (SELECT sum(first) AS f, sum(last) AS l, sum(linear) AS e, sum(shapley) AS s, sum(markov) AS m, (SELECT sum(c) FROM journey) AS c FROM attributed) q
	WHERE NOT (oracle.near(f, c, 12) AND oracle.near(l, c, 12) AND oracle.near(e, c, 12) AND oracle.near(s, c, 12) AND oracle.near(m, c, 12))$$, 'each adds up to all conversions');
SELECT ok((SELECT bool_and(markov <= before) FROM (SELECT markov, lag(markov) OVER (ORDER BY o) AS before FROM unnest((SELECT recommender.attribution_agg(path, c, l, 0) FROM journey)) WITH ORDINALITY u (touchpoint, paths, first, last, linear, shapley, markov, e, v, o)) q), 'in falling order');
SELECT is((SELECT recommender.attribution_agg(path, c, l, 1.0 / 3 * c ORDER BY n)::text FROM journey), (SELECT recommender.attribution_agg(path, c, l, 1.0 / 3 * c ORDER BY path DESC, n DESC)::text FROM journey), 'the order of rows changes no bit');
SELECT is_empty($$SELECT a.touchpoint FROM attributed a JOIN (SELECT x.* FROM (SELECT recommender.attribution_agg(path, c, l, v) AS a FROM (SELECT path, sum(c) AS c, sum(l) AS l, sum(c * n) AS v FROM journey GROUP BY path) s) q, unnest(a) x) b USING (touchpoint)
	WHERE NOT (oracle.near(a.markov, b.markov, 10) AND a.paths = b.paths AND oracle.near(a.shapley, b.shapley, 10))$$, 'equal paths may come as one row or as many');
SELECT is((SELECT array_agg((touchpoint, markov, removal_effect)::text) FROM unnest((SELECT recommender.attribution_agg('{a,b}', 0, 3, NULL)))), ARRAY['(a,0,)', '(b,0,)'], 'no conversions, no effects');
SELECT is((SELECT array_agg((touchpoint, round(markov::numeric, 6), removal_effect)::text) FROM unnest((SELECT recommender.attribution_agg(p, 1, NULL, 5) FROM (VALUES ('{a,a,a}'::text[]), ('{a,b}')) v (p)))), ARRAY['(a,1.333333,1)', '(b,0.666667,0.5)'], 'no losses: by who is met');
SELECT is((SELECT recommender.attribution_agg(p, 0, 0, 0) FROM (VALUES (NULL::text[]), ('{a}')) v (p)), NULL, 'no path that counts');
SELECT throws_ok(format('SELECT recommender.attribution_agg(%s)', arguments), state, message) FROM (VALUES
	('''{}'', 1, 1, 1', '22023', 'path must not be empty'), ('''{a,NULL}'', 1, 1, 1', '22004', 'path must not contain nulls'), ('''{{a},{b}}'', 1, 1, 1', '22023', 'path must be an array of one dimension'),
	('''{a}'', -1, 1, 1', '22023', 'conversions must be a finite number greater than or equal to zero'), ('''{a}'', 1, ''Infinity'', 1', '22023', 'losses must be a finite number greater than or equal to zero'),
	('''{a}'', 1, 1, ''NaN''', '22023', 'value must be a finite number'), ('''{a}'', 0, 1, 5', '22023', 'a path without conversions has no value')) v (arguments, state, message);
SELECT throws_ok($$SELECT recommender.attribution_agg(ARRAY[n::text], 1, 1, 1) FROM generate_series(1, 2001) n$$, '54000', 'there must be at most 2000 touchpoints, not 2001');

/* ------------------------------------------------------------------------
 * Words of reviews
 * ------------------------------------------------------------------------ */

CREATE TEMP TABLE review AS
SELECT n, oracle.uniform(n, 77) < 0.6 AS positive,
	   to_tsvector('simple', (SELECT string_agg((ARRAY['good','bad','not','cheap','the','slow','very','box'])[1 + floor(8 * oracle.uniform(n, i) * oracle.uniform(n, i + 30))::int], ' ' ORDER BY i) FROM generate_series(1, 2 + n % 6) i)) AS d
FROM generate_series(1, 200) n;
CREATE TEMP TABLE word AS SELECT w.* FROM (SELECT recommender.word_scores_agg(d, positive) AS w FROM review) q, unnest(w) w;
CREATE TEMP TABLE counted AS
WITH place AS (SELECT n, positive, lexeme, p FROM review, unnest(d) u (lexeme, positions, weights), unnest(positions) p),
has AS (SELECT DISTINCT n, positive, lexeme AS word FROM place UNION SELECT DISTINCT a.n, a.positive, a.lexeme || ' ' || b.lexeme FROM place a JOIN place b ON a.n = b.n AND b.p = a.p + 1)
SELECT word, count(*) FILTER (WHERE positive) AS cp, count(*) FILTER (WHERE NOT positive) AS cn, (sum(count(*) FILTER (WHERE positive)) OVER ())::float8 AS np, (sum(count(*) FILTER (WHERE NOT positive)) OVER ())::float8 AS nn, count(*) OVER () AS v
FROM has GROUP BY word;
CREATE FUNCTION oracle.z(cp float8, np float8, cn float8, nn float8, a float8, prior float8) RETURNS float8 LANGUAGE sql AS $$
	SELECT (ln((cp + a) / (np + prior - cp - a)) - ln((cn + a) / (nn + prior - cn - a))) / sqrt(1 / (cp + a) + 1 / (cn + a))
$$;
SELECT ok(oracle.near(oracle.z(12, 100, 8, 400, 2, 50), 3.6484264849, 10), 'the oracle is right for 12 in 100 against 8 in 400');
SELECT is_empty($$
	SELECT * FROM word w FULL JOIN (SELECT * FROM counted WHERE cp + cn >= 2) c USING (word)
	WHERE NOT coalesce(positives = cp AND negatives = cn AND oracle.near(score, ln((cp + 1) / (np + v)) - ln((cn + 1) / (nn + v)), 12) AND oracle.near(z, oracle.z(cp, np, cn, nn, 500 * (cp + cn) / (np + nn), 500), 10), false)$$, 'words, pairs, scores and z');
SELECT cmp_ok((SELECT count(*) FROM word WHERE word LIKE '% %'), '>', 20::bigint, 'there are pairs');
SELECT ok((SELECT bool_and(z <= before) FROM (SELECT z, lag(z) OVER (ORDER BY o) AS before FROM unnest((SELECT recommender.word_scores_agg(d, positive) FROM review)) WITH ORDINALITY u (word, score, z, p, n, o)) q), 'by falling z');
SELECT is_empty($$
	SELECT n, recommender.text_score(w, d), s FROM review, (SELECT array_agg(ROW(x.*)::recommender.word_score) AS w FROM word x) q,
		   LATERAL (WITH place AS (SELECT lexeme, p FROM unnest(d) u (lexeme, positions, weights), unnest(positions) p),
					has AS (SELECT lexeme AS word FROM place UNION SELECT a.lexeme || ' ' || b.lexeme FROM place a JOIN place b ON b.p = a.p + 1)
					SELECT coalesce(sum(score), 0) AS s FROM has JOIN word USING (word)) o
	WHERE NOT oracle.near(recommender.text_score(w, d), s, 10)$$, 'a document''s score is the sum of its words''');
SELECT is((SELECT array_agg(recommender.text_score(w, d)) FROM (SELECT recommender.word_scores_agg(d, positive) AS w FROM review) q, (VALUES (to_tsvector('simple', 'unheard of')), (''), (NULL)) v (d)), '{0,0,NULL}', 'nothing known is 0, nothing given NULL');
SELECT is((SELECT array_agg(round(recommender.text_score(w, 'good')::numeric, 6) ORDER BY i) FROM (SELECT i, ARRAY[('good', i, 0, 1, 1)::recommender.word_score] AS w FROM generate_series(1, 6) i) q), '{1,2,3,4,5,6}', 'other words, another score');
SELECT is((SELECT recommender.word_scores_agg(d, positive ORDER BY n)::text FROM review), (SELECT recommender.word_scores_agg(d, positive ORDER BY d, n DESC)::text FROM review), 'the order of rows changes no bit');
SELECT is((SELECT recommender.word_scores_agg(d, positive)::text FROM review), (SELECT recommender.word_scores_agg(d, positive)::text FROM (SELECT d, positive FROM review UNION ALL VALUES (NULL::tsvector, true), ('good', NULL)) q), 'rows with a null do not count');
SELECT is((SELECT string_agg(word, ',') FROM unnest((SELECT recommender.word_scores_agg(strip(d), positive) FROM review)) WHERE word LIKE '% %'), NULL, 'no positions, no pairs');
SELECT is((SELECT (w).z FROM (SELECT unnest(recommender.word_scores_agg('only', n = 1)) AS w FROM generate_series(1, 2) n) q), 0::float8, 'a word without others is typical of nothing');
SELECT throws_ok($$SELECT recommender.text_score(ARRAY[('a', 1, 0, 1, 1), ('a', 2, 0, 1, 1)]::recommender.word_score[], 'a')$$, '22023', 'word "a" has more than one score');
SET LOCAL maintenance_work_mem = '1MB';
SELECT throws_ok($$SELECT recommender.word_scores_agg(to_tsvector('simple', n || ' ' || -n), true) FROM generate_series(1, 50000) n$$, '53400', 'the data do not fit into maintenance_work_mem');
SELECT throws_ok($$SELECT recommender.cluster_agg(ARRAY[n, 1, 2, 3]::float8[], 2) FROM generate_series(1, 50000) n$$, '53400', 'the data do not fit into maintenance_work_mem');
SELECT throws_ok($$SELECT recommender.attribution_agg('{a,b,c,d}', n, 1, 1) FROM generate_series(1, 50000) n$$, '53400', 'the data do not fit into maintenance_work_mem');
RESET maintenance_work_mem;

/* ------------------------------------------------------------------------
 * Parallel plans
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.row AS SELECT j.path, j.c, j.l, p.x, p.y, r.d, r.positive FROM journey j JOIN point p ON p.g = 1 + j.n % 6 JOIN review r ON r.n = 1 + j.n % 200;
ANALYZE oracle.row;
CREATE FUNCTION oracle.query() RETURNS text LANGUAGE sql AS $$
	SELECT 'SELECT md5(concat(recommender.attribution_agg(path, c, l, c / 3)::text, recommender.cluster_agg(ARRAY[x, y], 4)::text, recommender.word_scores_agg(d, positive)::text)) FROM oracle.row'::text
$$;
CREATE FUNCTION oracle.answer(prefix text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE prefix || oracle.query(); END $$;
CREATE TEMP TABLE serial AS SELECT a FROM oracle.answer('') a;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT matches(string_agg(p, E'\n'), 'Finalize.*Partial', 'workers aggregate') FROM oracle.answer('EXPLAIN (COSTS OFF) ') p;
SELECT is((SELECT a FROM oracle.answer('') a), (SELECT a FROM serial), 'a parallel plan has the same bits');

SELECT * FROM finish();
ROLLBACK;
