/*
 * test/pgtap/math_packed.sql
 *	  Packed columns of weights and times are lossless, for any common prefix of
 *	  their bits and wherever it ends: an oracle in SQL on edge cases and random
 *	  data.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public, packed;
SET LOCAL TimeZone = 'UTC';

SELECT plan(98);

CREATE SCHEMA packed;
CREATE FUNCTION packed.random(n bigint, salt text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT abs(hashtextextended(n || salt, 3) % 1000003) / 1000003.0
$$;

/* ------------------------------------------------------------------------
 * Weights
 * ------------------------------------------------------------------------ */

-- Each row is of a user and an item of its own, so that an item's weight is it.
CREATE TABLE packed.weight (n bigint, user_id int, item_id int, weight float8);
CREATE VIEW packed.weights AS SELECT user_id, item_id, weight FROM packed.weight ORDER BY n;
-- of ratings none is too small to count
SELECT recommender.create_recommender('recs', 'packed.weights', weight_column => 'weight', options => '{"measure": "pearson", "weighting": "none"}');

-- Return the weights that differ from the model in any bit.
CREATE FUNCTION packed.lost_weights(expression text, rows int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE packed.weight;
	EXECUTE format('INSERT INTO packed.weight SELECT n, n, -n, %s FROM generate_series(1::bigint, %s) n', expression, rows);
	PERFORM recommender.refresh('recs');
	RETURN (SELECT string_agg(format('%s: %s not %s', w.n, i.weight, w.weight), ', ' ORDER BY w.n)
			FROM (SELECT * FROM recs.item) i FULL JOIN packed.weight w USING (item_id)
			WHERE float8send(i.weight) IS DISTINCT FROM float8send(w.weight));
END $$;

SELECT is(packed.lost_weights(expression, 1000), NULL, 'weights ' || expression)
FROM unnest(ARRAY[
	'1', '0', '-1', '2.5', '1e-30', 'n % 2', 'n % 3 - 1', 'n', '-n', '1000000 - n', 'n * 1048577', 'n / 2.0', 'n / 8.0 - 60',
	'0.1::real', '(0.1 * n)::real', '(-0.1 * n)::real', 'n / 7.0', '1 + n * 2.220446049250313e-16', '1 - n * 1.1102230246251565e-16',
	-- values that widen the column once, at the end, at the start, or all the time
	'CASE WHEN n < 900 THEN 1 ELSE 2 END', 'CASE WHEN n < 900 THEN 1 ELSE 0 END', 'CASE WHEN n < 900 THEN n % 5 ELSE 0.1 END',
	'CASE WHEN n < 900 THEN 1.5 ELSE -1e30 END', 'CASE WHEN n = 1 THEN 0.1 ELSE 1 END', 'CASE WHEN n = 1000 THEN 1e-30 ELSE n % 4 END',
	'CASE n % 400 WHEN 0 THEN 3 WHEN 100 THEN 0.1::real WHEN 200 THEN 0.1 ELSE 1 END',
	'power(2::float8, (n - 500) / 6)', '-power(2::float8, (500 - n) / 6)', '1 + power(0.5::float8, n % 53)', '1 - power(0.5::float8, 53 - n % 53)',
	'CASE WHEN n < 60 THEN 1 + power(0.5::float8, n % 53) ELSE n END', 'factorial(n % 20 + 1)::float8',
	-- the ends of the range
	'CASE n % 4 WHEN 0 THEN 1.0000000000000002e-30 WHEN 1 THEN -1.0000000000000002e-30 WHEN 2 THEN 1e30 ELSE -1e30 END',
	'CASE WHEN n < 500 THEN 1 WHEN n < 501 THEN 9.999999999999999e29 ELSE -n END', '-9.999999999999999e29',
	-- chance: of any size, in parts that are powers of two, in parts of cents
	'(packed.random(n, ''a'') - 0.5) * power(10::float8, 20 * packed.random(n, ''b'') - 10)',
	'floor(packed.random(n, ''a'') * 100) / power(2, floor(packed.random(n, ''b'') * 12))',
	'round((packed.random(n, ''a'') * 100)::numeric, 2)', 'CASE WHEN n < 500 THEN floor(packed.random(n, ''a'') * 9) ELSE packed.random(n, ''b'') END'
]) expression;
-- few rows, and more than columns begin with
SELECT is(packed.lost_weights('n / 2.0', rows), NULL, rows || ' rows') FROM unnest(ARRAY[1, 2, 15, 16, 17, 255, 256, 257, 70000]) rows;

/* ------------------------------------------------------------------------
 * Times
 * ------------------------------------------------------------------------ */

-- Each user has two items, one of an even number and one of an odd one, of which
-- the newer is kept; all items are of one user.
CREATE TABLE packed.time (n bigint, user_id int, item_id int, at timestamptz);
CREATE VIEW packed.times AS SELECT user_id, item_id, at FROM packed.time ORDER BY n;
SELECT recommender.create_recommender('timed', 'packed.times', time_column => 'at', options => '{"measure": "pearson", "weighting": "none", "max_history": 1}');
SELECT recommender.create_recommender('aged', 'packed.times', time_column => 'at', options => '{"measure": "pearson", "weighting": "none", "half_life": "365000 days"}');

-- Return the users with another newer item, and the items with another age.
CREATE FUNCTION packed.lost_times(expression text, rows int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE packed.time;
	EXECUTE format('INSERT INTO packed.time SELECT n, n / 2, n, %s FROM generate_series(1::bigint, %s) n', expression, rows);
	PERFORM recommender.refresh('timed');
	PERFORM recommender.refresh('aged');
	RETURN nullif(concat_ws('; ', (SELECT string_agg(format('user %s has %s', user_id, item_id), ', ' ORDER BY user_id)
			FROM (SELECT DISTINCT ON (user_id) user_id, item_id FROM packed.time
				  -- no time is older than any; of equal ones the smaller id is kept
				  ORDER BY user_id, nullif(nullif(at, 'infinity'), '-infinity') DESC NULLS LAST, item_id) newest
				 FULL JOIN (SELECT item_id, true AS kept FROM timed.item) i USING (item_id)
			WHERE user_id IS NULL OR kept IS NULL),
		   (SELECT string_agg(format('item %s weighs %s', item_id, i.weight), ', ')
			FROM packed.time t LEFT JOIN aged.item i USING (item_id),
				 (SELECT max(at) FILTER (WHERE isfinite(at)) AS newest FROM packed.time) m
			WHERE NOT coalesce(abs(i.weight - CASE WHEN isfinite(at)
				THEN power(2, extract(epoch FROM at - newest)::float8 / extract(epoch FROM interval '365000 days')::float8) ELSE 1 END) < 1e-9, false))), '');
END $$;

SELECT is(packed.lost_times(replace(expression, '@', $$timestamptz '2020-01-01'$$), 1001), NULL, 'times ' || expression)
FROM unnest(ARRAY[
	'NULL', '''infinity''', '''-infinity''', '@', '@ + n * interval ''1 day''', '@ - n * interval ''1 day''', '@ - n * n % 997 * interval ''1 hour''',
	'@ - n * n % 997 * interval ''1 second''', '@ - n * n % 997 * interval ''1 millisecond''', '@ - n * n % 997 * interval ''1 microsecond''',
	'@ - (n * 7919 % 1000) * interval ''90 minutes''', '(date ''2020-03-20'' + (n * 7 % 30)::int)::timestamp AT TIME ZONE ''Europe/Berlin''',
	-- what makes the column another, at the start and at the end
	'CASE WHEN n < 900 THEN NULL ELSE @ - n * interval ''1 day'' END', 'CASE WHEN n < 900 THEN @ + n * interval ''1 day'' END',
	'CASE WHEN n < 900 THEN @ + n % 9 * interval ''1 day'' ELSE @ + n * interval ''1 microsecond'' END',
	'CASE WHEN n = 1 THEN @ + interval ''1 microsecond'' ELSE @ + n % 9 * interval ''1 day'' END',
	'CASE WHEN n < 900 THEN @ - n % 9 * interval ''1 day'' ELSE timestamptz ''4713-01-01 00:00:00 BC'' + n * interval ''1 microsecond'' END',
	'CASE n % 7 WHEN 0 THEN NULL WHEN 1 THEN ''infinity'' WHEN 2 THEN ''-infinity'' ELSE @ + n * interval ''1 second'' END',
	'CASE n % 3 WHEN 0 THEN timestamptz ''4713-01-01 00:00:00 BC'' WHEN 1 THEN timestamptz ''0001-01-01 BC'' ELSE @ END + n * interval ''1 microsecond''',
	-- chance, within an hour, a year and all of history
	'@ - packed.random(n, ''a'') * interval ''1 hour''', '@ - packed.random(n, ''a'') * interval ''1 year''', '@ - packed.random(n, ''a'') * interval ''6000 years''',
	'@ - floor(packed.random(n, ''a'') * 5e7) * interval ''1 second''', 'date_trunc(''day'', @ - packed.random(n, ''a'') * interval ''40 years'')',
	'CASE WHEN packed.random(n, ''b'') < 0.2 THEN NULL ELSE @ - power(10::float8, 12 * packed.random(n, ''a'')) * interval ''1 microsecond'' END'
]) expression;

/* ------------------------------------------------------------------------
 * What depends on none of it
 * ------------------------------------------------------------------------ */

-- Rows that have much in common, then less and less, in any order; sums of
-- repeats and what is left of decay fit the columns less than rows do.
CREATE TABLE packed.event AS
SELECT n, (packed.random(n, 'u') * 60)::int AS user_id, (packed.random(n, 'i') * 40)::int AS item_id,
	   CASE WHEN n < 1500 THEN 1 WHEN n < 2000 THEN n % 5 + 1 WHEN n < 2500 THEN n % 9 / 2.0 ELSE packed.random(n, 'w') END::float8 AS weight,
	   CASE WHEN n < 1000 THEN timestamptz '2026-01-01' - n % 30 * interval '1 day' WHEN n % 5 > 0 THEN timestamptz '2026-01-01' - packed.random(n, 't') * interval '50 days' END AS at
FROM generate_series(1, 3000) n;
CREATE FUNCTION packed.answer(columns text, ordered text, options jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(s::text, ' ')) FROM recommender.item_similarities(format('SELECT %s FROM packed.event ORDER BY %s', columns, ordered), options) s
$$;
SELECT is(packed.answer(columns, ordered, options), packed.answer(columns, 'n', options), format('rows of %s by %s: %s', columns, ordered, options))
FROM unnest(ARRAY['user_id, item_id', 'user_id, item_id, weight', 'user_id, item_id, weight, at', 'user_id, item_id, 1, at']) columns,
	 unnest(ARRAY['n DESC', 'hashint8(n)']) ordered,
	 unnest(ARRAY['{"weighting": "none"}', '{"half_life": "3 days 01:02:03.456789"}', '{"repeats": "last", "max_history": 7}', '{"measure": "pearson", "weighting": "none", "repeats": "max"}']::jsonb[]) options
WHERE columns LIKE '%at' OR NOT options ?| ARRAY['half_life'] AND options->>'repeats' IS DISTINCT FROM 'last';
SELECT is((SELECT md5(string_agg(s::text, ' ')) FROM (SELECT recommender.item_similarity_agg(user_id, item_id, weight, '{"weighting": "none"}' ORDER BY hashint8(n)) AS a FROM packed.event) l, unnest(a) s),
		  packed.answer('user_id, item_id, weight', 'n', '{"weighting": "none"}'), 'the aggregate has the same');

SELECT * FROM finish();
ROLLBACK;
