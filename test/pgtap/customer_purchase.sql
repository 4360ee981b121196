/*
 * test/pgtap/customer_purchase.sql
 *	  Models of purchasing and spending against their definitions.
 *
 * Forecasts: published and independently computed values; the closed forms by
 * hypergeometric series, and plain quadrature of the defining integrals, both
 * in PL/pgSQL.  Fits: on drawn customers, the log likelihood is written down
 * once more in SQL, and the parameters must be its maximum.  Leaves nothing
 * behind.
 */
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL jit = off;

SELECT plan(105);

CREATE SCHEMA oracle;

CREATE FUNCTION oracle.model(kind text, r float8, alpha float8, a float8, b float8) RETURNS recommender.purchase_model LANGUAGE sql AS $$
	SELECT ROW(kind, r, alpha, a, b, NULL, NULL, NULL, true, true)::recommender.purchase_model
$$;
CREATE FUNCTION oracle.near(got float8, want float8, digits int) RETURNS boolean LANGUAGE sql AS $$
	SELECT coalesce(abs(got - want) <= abs(want) * power(10::float8, -digits), got IS NULL AND want IS NULL)
$$;

/* ------------------------------------------------------------------------
 * Forecasts
 * ------------------------------------------------------------------------ */

-- new customers of the BG/NBD by Fader and Hardie's sheet, and more digits
SELECT ok(oracle.near((recommender.purchase_forecast(oracle.model('bg', 0.2425929, 4.4135316, 0.7928862, 2.4257537), 0, 0, 0, t)).expected, expected, 6), format('a new customer within %s', t))
FROM (VALUES (0.1429, 0.00781607), (1, 0.05318474), (3, 0.15063193), (31.8571, 1.04049432), (32, 1.04373725), (52, 1.44402088), (78, 1.85797183)) v (t, expected);
SELECT ok(oracle.near((recommender.purchase_forecast(oracle.model('mbg', 0.5248379, 6.1829920, 0.8913562, 1.6139997), 0, 0, 0, t)).expected, expected, 7), format('a new customer of MBG within %s', t))
FROM (VALUES (39, 1.18228367), (52, 1.41888943)) v (t, expected);

CREATE TEMP TABLE reference (kind text, r float8, alpha float8, a float8, b float8, x int, tx float8, t float8, horizon float8, alive float8, expected float8, probability float8, wait float8, overdue float8, digits int);
INSERT INTO reference
SELECT 'mbg', 0.525, 6.183, 0.891, 1.614, x, tx, t, 39, alive, expected, probability, wait, overdue, 8
FROM (VALUES (2, 30.43, 38.86, 0.7062022651, 1.262960623, 0.5599940908, 28.3009353738, 0.4073883037),
	(1, 1.71, 38.86, 0.1708364843, 0.1888365414, 0.1048435542, NULL, 0.9297716343),
	(0, 0, 38.86, 0.3897350809, 0.1540127467, 0.1088293988, NULL, 0.6474463075),
	(0, 0, 0, 0.6443113772, 1.182953666, 0.4175268105, 100.6989685736, 0),
	(7, 29.43, 38.86, 0.6227238142, 3.167572432, 0.6170226069, 10.8508129681, 0.8292703626),
	(29, 37, 38, 0.9458817723, 18.56045601, 0.945881765, 1.1398898564, 0.4913126744),
	(10, 35, 39, 0.8308977883, 5.833804529, 0.8297088116, 4.1305101982, 0.6230409298)) v (x, tx, t, alive, expected, probability, wait, overdue);
SELECT ok(oracle.near((f).alive, alive, digits) AND oracle.near((f).expected, expected, digits) AND oracle.near((f).probability, probability, digits)
		  AND oracle.near((f).median_wait, wait, digits) AND (overdue = (f).overdue OR oracle.near((f).overdue, overdue, digits)), format('MBG of (%s, %s, %s): %s', x, tx, t, f))
FROM (SELECT *, recommender.purchase_forecast(oracle.model(kind, r, alpha, a, b), x, tx, t, horizon) AS f FROM reference) q;
SELECT ok(oracle.near((f).alive, alive, 8) AND oracle.near((f).expected, expected, 8), format('BG of (%s, %s, %s) within %s: %s', x, tx, t, h, f))
FROM (SELECT *, recommender.purchase_forecast(oracle.model('bg', 0.243, 4.414, 0.793, 2.426), x, tx, t, h) AS f
	FROM (VALUES (2, 30.43, 38.86, 39, 0.7265785701, 1.226028175), (1, 1.71, 38.86, 39, 0.2121009854, 0.2031869871), (0, 0, 38.86, 39, 1, 0.195098052),
				 (10, 35, 39, 39, 0.8426031886, 6.116055569), (10, 35, 39, 2, 0.8426031886, 0.39156921)) v (x, tx, t, h, alive, expected)) q;
SELECT ok(oracle.near((recommender.purchase_forecast(oracle.model('bg', 0.243, 4.414, 0.793, 2.426), x, tx, 39, 1)).alive, alive, 7), format('alive after %s purchases', x))
FROM (VALUES (23, 39, 0.96855545), (5, 30, 0.70562685), (10, 30, 0.57155173), (15, 30, 0.37509189), (20, 30, 0.19682044)) v (x, tx, alive);
SELECT ok(oracle.near((recommender.purchase_forecast(oracle.model('mbg', 0.5, 6, 1, 1.6), 2, 30, 39, 39)).expected, 1.17083724, 8), 'nothing happens at a = 1');
SELECT is((SELECT recommender.purchase_forecast(oracle.model('mbg', 0.525, 6.183, 0.891, 1.614), 1000, 10, 100, 39)::text), '(0,0,0,,1)', 'who has surely left');
SELECT ok(oracle.near((recommender.purchase_forecast(oracle.model('mbg', 0.525, 6.183, 0.891, 1.614), 200, 10, 100, 39)).alive, 3.361466e-162, 6), 'who has left but for 1e-162');
SELECT is((SELECT ARRAY[(f).alive, (f).expected, (f).probability]::text FROM (SELECT recommender.purchase_forecast(oracle.model('mbg', 0.5, 6, 0, 1), 3, 10, 14, 10) AS f) q), '{1,1.75,0.7580750871325256}', 'without dropout it is the NBD');
SELECT ok(oracle.near((recommender.purchase_forecast(oracle.model('mbg', 0.5, 6, 1e-9, 1), 3, 10, 14, 10)).expected, 1.75, 7), 'almost without dropout');

-- the mean over p of (1 - (1+pq)^-s) / p: by the closed form, as a series in 1 - x of positive terms
CREATE FUNCTION oracle.closed_form(kind text, r float8, alpha float8, a float8, b float8, x int, tx float8, t float8, h float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	d int := (kind = 'mbg')::int;
	z numeric := h::numeric / (alpha::numeric + t::numeric + h::numeric);
	s numeric := r::numeric + x;
	beta numeric := b::numeric + x + d;
	c numeric := a::numeric + beta - 1;
	k float8 := CASE WHEN kind = 'bg' AND x = 0 THEN 0 ELSE a / (b + x + d - 1) * power((alpha + t) / (alpha + tx), r + x) END;
	term numeric := 1;
	sum numeric := 1;
BEGIN
	-- 2F1(s, beta; c; z)
	FOR n IN 0 .. 5000 LOOP
		term := round(term * (s + n) * (beta + n) / (c + n) / (n + 1) * z, 40);
		sum := sum + term;
		EXIT WHEN abs(term) < abs(sum) * 1e-25;
	END LOOP;
	RETURN 1 / (1 + k) * (c / (a::numeric - 1) * (1 - power(1 - z, s) * sum))::float8;
END
$$;
-- by equal steps over w, p = w^m / (w^m + (1-w)^m), which has no singularity at the ends
CREATE FUNCTION oracle.quadrature(kind text, r float8, alpha float8, a float8, b float8, x int, tx float8, t float8, h float8) RETURNS float8 LANGUAGE sql AS $$
	WITH c AS (SELECT (kind = 'mbg')::int AS d, h / (alpha + t) AS q, 40 / least(a, 2) AS m, 8000 AS n),
	node AS (SELECT i / n::float8 AS w FROM c, generate_series(1, n - 1) i),
	lp AS (SELECT *, m * (ln(w) - ln(1 - w)) AS v FROM c, node),
	at AS (
		SELECT *, CASE WHEN v > 0 THEN -ln(1 + exp(-least(v, 200))) ELSE v - ln(1 + exp(greatest(v, -200))) END AS ln_p, CASE WHEN v > 0 THEN -v - ln(1 + exp(-least(v, 200))) ELSE -ln(1 + exp(greatest(v, -200))) END AS ln_1p
		FROM lp),
	-- p^a (1-p)^beta dv
	value AS (
		SELECT *, exp(greatest(a * ln_p + (b + x + d) * ln_1p - a * ln(a / (a + b + x)) - (b + x) * ln((b + x) / (a + b + x)), -200)) * m / (w * (1 - w)) AS weight, exp(greatest(ln_p, -200)) AS p FROM at)
	SELECT sum(weight * CASE WHEN p * q < 1e-9 THEN (r + x) * q * (1 - (r + x + 1) / 2 * p * q) ELSE (1 - exp(greatest(-(r + x) * ln(1 + p * q), -200))) / p END) / sum(weight)
		   / (1 + CASE WHEN kind = 'bg' AND x = 0 THEN 0 ELSE a / (b + x + max(d) - 1) * power((alpha + t) / (alpha + tx), r + x) END)
	FROM value
$$;
CREATE TEMP TABLE forecast_case AS
SELECT kind, r, alpha, a, b, x, CASE WHEN x = 0 THEN 0 ELSE 20 END::float8 AS tx, 25::float8 AS t, h
FROM unnest('{mbg,bg}'::text[]) kind, (VALUES (0.5::float8, 6::float8), (3, 20)) m (r, alpha), (VALUES (0.8::float8, 1.6::float8), (0.05, 0.7), (3.5, 12)) n (a, b),
	 unnest('{0,1,12}'::int[]) x, unnest('{0.3,20,90}'::float8[]) h;
SELECT is_empty($$
	SELECT c, f.expected, closed FROM forecast_case c, oracle.closed_form(kind, r, alpha, a, b, x, tx, t, h) closed,
		   recommender.purchase_forecast(oracle.model(kind, r, alpha, a, b), x, tx, t, h) f WHERE NOT oracle.near(f.expected, closed, 11)$$, '108 forecasts are those of the closed form, to 11 digits');
SELECT is_empty($$
	SELECT c, f.expected, q FROM forecast_case c, oracle.quadrature(kind, r, alpha, a, b, x, tx, t, h) q,
		   recommender.purchase_forecast(oracle.model(kind, r, alpha, a, b), x, tx, t, h) f WHERE NOT oracle.near(f.expected, q, 7)$$, 'and those of quadrature');
-- long horizons and many purchases, for which the sum is too long
SELECT is_empty($$
	SELECT v, f.expected, q FROM (VALUES (0.8::float8, 1.6::float8, 3, 1e4::float8), (0.8, 1.6, 3, 1e6), (2.5, 9, 900, 300), (0.3, 2, 10000, 1000), (1, 1, 200, 1e6), (40, 900, 50, 1e5)) v (a, b, x, h),
		   oracle.quadrature('mbg', 0.5, 6, a, b, x, 24.9, 25, h) q, recommender.purchase_forecast(oracle.model('mbg', 0.5, 6, a, b), x, 24.9, 25, h) f WHERE NOT oracle.near(f.expected, q, 6)$$, 'also far ahead');
-- where the sum ends and the integral begins there is no step
SELECT is_empty($$
	SELECT h, e, before, after FROM (SELECT h, e, lag(e) OVER w AS before, lead(e) OVER w AS after
		FROM (SELECT h, (recommender.purchase_forecast(oracle.model('mbg', 0.5, 6, 0.8, 1.6), 30, 24, 25, h)).expected AS e FROM generate_series(50, 250, 0.005) h) s WINDOW w AS (ORDER BY h)) d
	WHERE abs(before - 2 * e + after) > 3e-7 OR e <= before$$, 'the sum and the integral meet');

-- identities, on 2,000 drawn customers
CREATE TEMP TABLE drawn AS
SELECT n, (abs(hashint8extended(n, 1)) % 1000) / 1000.0::float8 AS u, (abs(hashint8extended(n, 2)) % 1000) / 1000.0::float8 AS v, (abs(hashint8extended(n, 3)) % 1000) / 1000.0::float8 AS w FROM generate_series(1, 2000) n;
CREATE TEMP TABLE customer AS
SELECT n, CASE WHEN v < 0.4 THEN 0 ELSE ceil(20 * v * v)::int END AS x, CASE WHEN v < 0.4 THEN 0 ELSE (10 + 40 * w) * (0.01 + 0.99 * u) END AS tx, 10 + 40 * w AS t FROM drawn;
CREATE TEMP TABLE outlook AS
SELECT n, kind, h, o.* FROM customer, unnest('{mbg,bg}'::text[]) kind, unnest('{0,1e-7,5,50,1e12}'::float8[]) h, recommender.purchase_forecast(oracle.model(kind, 0.5, 6, 0.8, 1.6), x, tx, t, h) o;
SELECT is_empty($$SELECT * FROM outlook WHERE NOT (alive BETWEEN 0 AND 1 AND expected >= 0 AND probability BETWEEN 0 AND alive AND overdue BETWEEN 0 AND 1 AND coalesce(median_wait, 1) > 0)$$, 'all are where they must be');
SELECT is_empty($$SELECT * FROM outlook WHERE expected < probability * (1 - 1e-12)$$, 'as many purchases as the probability of one, at least');
SELECT is_empty($$SELECT * FROM outlook WHERE h = 0 AND (expected, probability) IS DISTINCT FROM (0::float8, 0::float8)$$, 'none within no time');
SELECT is_empty($$SELECT * FROM outlook a JOIN outlook b USING (n, kind) WHERE a.h < b.h AND a.alive > 0 AND (a.expected >= b.expected OR a.probability > b.probability)$$, 'more within a longer time');
SELECT is_empty($$SELECT * FROM outlook WHERE h = 1e12 AND NOT oracle.near(probability, alive, 4)$$, 'who is alive buys at some time');
SELECT is_empty($$SELECT * FROM outlook JOIN customer USING (n) WHERE h = 1e-7 AND NOT oracle.near(expected / h, alive * (0.5 + x) / (6 + t), 5)$$, 'soon, at the rate of those alive');
SELECT is_empty($$SELECT * FROM outlook o JOIN customer USING (n), recommender.purchase_forecast(oracle.model(kind, 0.5, 6, 0.8, 1.6), x, tx, t, o.median_wait) f WHERE h = 5 AND o.median_wait IS NOT NULL AND NOT oracle.near(f.probability, 0.5, 9)$$, 'the probability is one half at the median');
SELECT is_empty($$SELECT n FROM outlook JOIN customer USING (n), recommender.purchase_forecast(oracle.model(kind, 0.5, 60, 0.8, 1.6), x, tx * 10, t * 10, h * 10) f
	WHERE h < 1e6 AND NOT (oracle.near(f.alive, outlook.alive, 9) AND (h = 0 OR oracle.near(f.expected, outlook.expected, 9)))$$, 'the unit of time does not matter');

/* ------------------------------------------------------------------------
 * Fits
 * ------------------------------------------------------------------------ */

-- ln gamma, by Lanczos
CREATE FUNCTION oracle.lgamma(z float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT 0.5 * ln(2 * pi()) + (z - 0.5) * ln(z + 6.5) - (z + 6.5) + ln(0.99999999999980993 + 676.5203681218851 / z - 1259.1392167224028 / (z + 1) + 771.32342877765313 / (z + 2)
		- 176.61502916214059 / (z + 3) + 12.507343278686905 / (z + 4) - 0.13857109526572012 / (z + 5) + 9.9843695780195716e-6 / (z + 6) + 1.5056327351493116e-7 / (z + 7))
$$;
-- the MBG/NBD from which drawn customers come: r 0.8, alpha 5, a 0.9, b 2.5, by what happens to each of them
CREATE FUNCTION oracle.uniform(n bigint, i bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT (abs(hashint8extended(n * 10007 + i, 42) % 1000000007) + 0.5) / 1000000007
$$;
CREATE FUNCTION oracle.purchases(users int, shape int, scale float8, p_leave float8) RETURNS TABLE (n int, x int, tx float8, t float8) LANGUAGE plpgsql AS $$
DECLARE
	rate float8; leave float8; at float8; i int;
BEGIN
	FOR nth IN 1 .. users LOOP
		n := nth;
		-- Gamma of a whole shape; a probability to leave of three kinds
		rate := 0;
		FOR j IN 1 .. shape LOOP rate := rate - ln(oracle.uniform(n, j)) / scale; END LOOP;
		leave := p_leave * 2 * oracle.uniform(n, 100);
		t := 20 + floor(20 * oracle.uniform(n, 101));
		x := 0; tx := 0; at := 0; i := 200;
		WHILE oracle.uniform(n, i) >= leave LOOP
			at := at - ln(oracle.uniform(n, i + 1)) / rate;
			EXIT WHEN at > t;
			x := x + 1; tx := at; i := i + 2;
		END LOOP;
		RETURN NEXT;
	END LOOP;
END
$$;
CREATE TEMP TABLE fitted AS SELECT * FROM oracle.purchases(1500, 1, 8, 0.3);
CREATE FUNCTION oracle.log_likelihood(kind text, r float8, alpha float8, a float8, b float8) RETURNS float8 LANGUAGE sql AS $$
	SELECT sum(oracle.lgamma(r + x) - oracle.lgamma(r) + r * ln(alpha) + oracle.lgamma(a + b) + oracle.lgamma(b + x + d) - oracle.lgamma(b) - oracle.lgamma(a + b + x + d)
		- (r + x) * ln(alpha + t) + ln(1 + CASE WHEN d = 0 AND x = 0 THEN 0 ELSE a / (b + x + d - 1) * power((alpha + t) / (alpha + tx), r + x) END))
	FROM fitted, (SELECT (kind = 'mbg')::int AS d) k
$$;
CREATE TEMP TABLE model AS
SELECT kind, (m).* FROM (SELECT kind, recommender.purchase_model_agg(x, tx, t, kind) AS m FROM fitted, unnest('{mbg,bg}'::text[]) kind GROUP BY kind) q;
SELECT is((SELECT string_agg(concat_ws(' ', model, users, repeaters = (SELECT count(*) FROM fitted WHERE x > 0), dropout, converged), ', ' ORDER BY kind) FROM model), 'bg 1500 t t t, mbg 1500 t t t', 'both models are fitted');
SELECT ok(oracle.near(log_likelihood, oracle.log_likelihood(kind, r, alpha, a, b), 9), format('log likelihood of %s', kind)) FROM model ORDER BY kind;
-- the derivative by the logarithm of each parameter, per user
SELECT cmp_ok(abs(oracle.log_likelihood(kind, r * power(h, (p = 1)::int), alpha * power(h, (p = 2)::int), a * power(h, (p = 3)::int), b * power(h, (p = 4)::int))
				  - oracle.log_likelihood(kind, r / power(h, (p = 1)::int), alpha / power(h, (p = 2)::int), a / power(h, (p = 3)::int), b / power(h, (p = 4)::int))) / (2 * ln(h) * users),
			  '<', 1e-6::float8, format('%s: the slope by parameter %s', kind, p))
FROM model, generate_series(1, 4) p, (SELECT exp(1e-4::float8) AS h) s ORDER BY kind, p;
-- far away it is not better
SELECT is_empty($$
	SELECT kind, i FROM model, generate_series(0, 80) i
	WHERE oracle.log_likelihood(kind, r * power(2::float8, i % 3 - 1), alpha * power(2::float8, i / 3 % 3 - 1), a * power(2::float8, i / 9 % 3 - 1), b * power(2::float8, i / 27 % 3 - 1)) > log_likelihood + 1e-6$$, 'no other place is better');
SELECT cmp_ok((SELECT log_likelihood FROM model WHERE kind = 'mbg'), '>', (SELECT log_likelihood FROM model WHERE kind = 'bg'), 'customers who leave at once are known to MBG');
SELECT ok(oracle.near(recommender_alpha, 10 * alpha, 5) AND oracle.near(recommender_a, a, 5), 'ten times the times, ten times alpha')
FROM model, (SELECT (recommender.purchase_model_agg(x, tx * 10, t * 10)).alpha AS recommender_alpha, (recommender.purchase_model_agg(x, tx * 10, t * 10)).a AS recommender_a FROM fitted) s WHERE kind = 'mbg';
-- the forecast of all is about what it was drawn from
SELECT ok(abs((m).a / ((m).a + (m).b) - 0.3) < 0.05, format('the mean probability to leave is about 0.3: %s', m)) FROM (SELECT recommender.purchase_model_agg(x, tx, t) AS m FROM oracle.purchases(3000, 2, 4, 0.3)) q;

-- none leaves: NBD, whose likelihood has no a and b
CREATE TEMP TABLE loyal AS SELECT * FROM oracle.purchases(1500, 1, 8, 0);
SELECT is((SELECT concat_ws(' ', (m).a, (m).b, (m).dropout, (m).converged) FROM (SELECT recommender.purchase_model_agg(x, tx, t) AS m FROM loyal) q), '0 1 f t', 'without dropout in the data, the model says so');
-- every purchase but the last long ago would be unlikely: BG, too
SELECT is((SELECT concat_ws(' ', (m).a, (m).b, (m).dropout, (m).converged) FROM (SELECT recommender.purchase_model_agg(x, t, t, 'bg') AS m FROM loyal WHERE x > 0) q), '0 1 f t', 'nor with BG');
SELECT ok(oracle.near((m).log_likelihood, (SELECT sum(oracle.lgamma((m).r + x) - oracle.lgamma((m).r) + (m).r * ln((m).alpha) - ((m).r + x) * ln((m).alpha + t)) FROM loyal), 9), 'its log likelihood is the NBD''s')
FROM (SELECT recommender.purchase_model_agg(x, tx, t) AS m FROM loyal) q;
SELECT is((SELECT count(*) FROM loyal, (SELECT recommender.purchase_model_agg(x, tx, t) AS m FROM loyal) q, recommender.purchase_forecast(m, x, tx, t, 7) f WHERE f.alive = 1 AND oracle.near(f.expected, ((m).r + x) / ((m).alpha + t) * 7, 12)), 1500::bigint, 'and all are alive');

-- rows that do not count, and too few
SELECT is((SELECT recommender.purchase_model_agg(x, tx, t)::text FROM fitted), (SELECT recommender.purchase_model_agg(x, tx, t)::text FROM (SELECT x, tx, t FROM fitted UNION ALL VALUES (NULL, 1, 1), (1, NULL, 1), (1, 1, NULL)) q), 'a row with a null does not count');
SELECT is((SELECT recommender.purchase_model_agg(x, tx, t)::text FROM fitted WHERE n <= 99), '(mbg,,,,,,99,' || (SELECT count(*) FROM fitted WHERE n <= 99 AND x > 0) || ',,)', '99 customers are too few');
SELECT isnt((SELECT (recommender.purchase_model_agg(x, tx, t)).r FROM fitted WHERE n <= 100), NULL, '100 are enough');
SELECT is((SELECT recommender.purchase_model_agg(0, 0, t, 'bg')::text FROM fitted), '(bg,,,,,,1500,0,,)', 'nobody has come back');
SELECT is((SELECT recommender.purchase_model_agg(1, 1, 1) FROM generate_series(1, 0)), NULL, 'no rows');
SELECT is((SELECT recommender.purchase_forecast(NULL, 1, 1, 1, 1)), NULL, 'no model, no forecast');
SELECT is((SELECT recommender.purchase_forecast(recommender.purchase_model_agg(NULL, 1, 1), 1, 1, 1, 1)), NULL, 'a model without parameters, no forecast');
SELECT isnt((SELECT (recommender.purchase_model_agg(x, tx, t)).r FROM (SELECT 1 AS x, 1 AS tx, 2 AS t FROM generate_series(1, 1000)) q), NULL, 'customers who are all alike do not break it');

-- the set of rows counts, not their order
SELECT is((SELECT recommender.purchase_model_agg(x, tx, t ORDER BY n)::text FROM fitted), (SELECT recommender.purchase_model_agg(x, tx, t ORDER BY tx DESC, n DESC)::text FROM fitted), 'the order of rows changes no bit');
SELECT is((SELECT recommender.purchase_model_agg(x, tx, t ORDER BY n)::text FROM fitted), (SELECT recommender.purchase_model_agg(x, tx, t)::text FROM fitted, generate_series(1, 1)), 'nor does a join');

SELECT throws_ok(format('SELECT recommender.purchase_model_agg(%s)', arguments), '22023', message) FROM (VALUES
	('-1, 0, 1', 'frequency must be greater than or equal to zero'), ('1, -1, 1', 'recency must be a finite number greater than or equal to zero'),
	('1, ''NaN'', 1', 'recency must be a finite number greater than or equal to zero'), ('1, 1, ''Infinity''', 'age must be a finite number greater than or equal to zero'),
	('1, 1.1, 1', 'recency must not exceed age'), ('0, 1, 1', 'recency must be zero without a repeat purchase'), ('1, 0, 1', 'recency must not be zero with a repeat purchase'),
	('1, 1, 1, ''pareto''', 'unknown model "pareto"')) v (arguments, message);
SELECT lives_ok($$SELECT recommender.purchase_model_agg(1, 1.0000000001, 1)$$, 'a recency that exceeds the age by rounding');
SELECT throws_ok($$SELECT recommender.purchase_model_agg(1, 1, 1, m) FROM unnest('{bg,mbg}'::text[]) m$$, '22023', 'model must be the same for all rows of a group');
SELECT throws_ok($$SELECT recommender.purchase_forecast(oracle.model('mbg', 1, 1, 1, 1), 1, 1, 1, -1)$$, '22023', 'horizon must be a finite number greater than or equal to zero');
SELECT throws_ok($$SELECT recommender.purchase_forecast(oracle.model('mbg', 1, 1, 1, 1), 1, 1, 1, 'Infinity')$$, '22023', 'horizon must be a finite number greater than or equal to zero');
SELECT throws_ok($$SELECT recommender.purchase_forecast(oracle.model('mbg', 1, 0, 1, 1), 1, 1, 1, 1)$$, '22023', 'parameter "alpha" of the model must be a finite number greater than zero');
SELECT throws_ok($$SELECT recommender.purchase_forecast(oracle.model('mbg', 1, 1, 'NaN', 1), 1, 1, 1, 1)$$, '22023', 'parameter "a" of the model must be a finite number greater than or equal to zero');

/* ------------------------------------------------------------------------
 * Spending
 * ------------------------------------------------------------------------ */

SELECT ok(oracle.near(recommender.spend_forecast((6.25, 3.74, 15.44, NULL, NULL, NULL, NULL, NULL)::recommender.spend_model, x, m), expected, 9), format('spending of (%s, %s)', x, m))
FROM (VALUES (2, 22.35, 24.66371391), (1, 11.77, 18.91685206), (0, NULL, 35.2189781), (7, 73.74, 71.4696709), (2, 25.55, 27.28838583)) v (x, m, expected);
CREATE TEMP TABLE spender AS
SELECT n, 1 + (abs(hashint8extended(n, 5)) % 9)::int AS x, 5 + 60 * oracle.uniform(n, 6) * oracle.uniform(n, 7) AS m FROM generate_series(1, 800) n;
CREATE FUNCTION oracle.spend_likelihood(p float8, q float8, v float8) RETURNS float8 LANGUAGE sql AS $$
	SELECT sum(oracle.lgamma(p * x + q) - oracle.lgamma(p * x) - oracle.lgamma(q) + q * ln(v) + (p * x - 1) * ln(m) + p * x * ln(x) - (p * x + q) * ln(x * m + v)) FROM spender
$$;
CREATE TEMP TABLE spend AS SELECT (recommender.spend_model_agg(x, m)).* FROM spender;
SELECT ok(oracle.near(log_likelihood, oracle.spend_likelihood(p, q, v), 9) AND users = 800 AND converged, 'log likelihood of the spend model') FROM spend;
SELECT cmp_ok(abs(oracle.spend_likelihood(p * power(h, (i = 1)::int), q * power(h, (i = 2)::int), v * power(h, (i = 3)::int)) - oracle.spend_likelihood(p / power(h, (i = 1)::int), q / power(h, (i = 2)::int), v / power(h, (i = 3)::int))) / (2 * ln(h) * users), '<', 1e-6::float8, format('the slope by parameter %s', i))
FROM spend, generate_series(1, 3) i, (SELECT exp(1e-4::float8) AS h) s ORDER BY i;
SELECT ok(oracle.near(population_mean, p * v / (q - 1), 12) AND oracle.near(correlation, (SELECT corr(x, m) FROM spender), 9), 'mean and correlation') FROM spend;
SELECT is((SELECT recommender.spend_model_agg(x, m ORDER BY n)::text FROM spender), (SELECT recommender.spend_model_agg(x, m ORDER BY m)::text FROM (SELECT x, m FROM spender UNION ALL VALUES (0, 5), (3, 0), (3, -1), (NULL, 1), (1, NULL)) q), 'rows that do not count, and their order');
SELECT is((SELECT recommender.spend_model_agg(x, m)::text FROM spender WHERE n < 100), '(,,,,,,99,)', 'too few');
SELECT is((SELECT recommender.spend_forecast((2, 1, 5, NULL, NULL, NULL, NULL, NULL)::recommender.spend_model, 3, 10)), NULL, 'no finite mean');
SELECT is((SELECT recommender.spend_forecast((2, 3, 5, NULL, NULL, NULL, NULL, NULL)::recommender.spend_model, 3, NULL)), NULL, 'no mean value');
SELECT throws_ok($$SELECT recommender.spend_model_agg(1, 'NaN')$$, '22023', 'mean_value must be a finite number');
SELECT throws_ok($$SELECT recommender.spend_model_agg(-1, 1)$$, '22023', 'frequency must be greater than or equal to zero');
SELECT throws_ok($$SELECT recommender.spend_forecast((2, 3, 5, NULL, NULL, NULL, NULL, NULL)::recommender.spend_model, 3, -1)$$, '22023', 'mean_value must be greater than or equal to zero');

/* ------------------------------------------------------------------------
 * Parallel plans
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.customer AS SELECT * FROM fitted, generate_series(1, 5);
ANALYZE oracle.customer;
CREATE TEMP TABLE serial AS SELECT recommender.purchase_model_agg(x, tx, t)::text || recommender.spend_model_agg(x, tx)::text AS answer FROM oracle.customer;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE FUNCTION oracle.plan() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) SELECT recommender.purchase_model_agg(x, tx, t)::text || recommender.spend_model_agg(x, tx)::text FROM oracle.customer';
END
$$;
SELECT matches(string_agg(p, E'\n'), 'Finalize.*Partial', 'workers aggregate') FROM oracle.plan() p;
SELECT is((SELECT recommender.purchase_model_agg(x, tx, t)::text || recommender.spend_model_agg(x, tx)::text FROM oracle.customer), (SELECT answer FROM serial), 'a parallel plan has the same bits');

SELECT * FROM finish();
ROLLBACK;
