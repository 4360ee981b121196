/*
 * test/pgtap/similarity.sql
 *	  item_similarities() and item_similarity_agg() against their definition.
 *
 * The first half of this file is the oracle: similarities in brute-force SQL,
 * step by step, to be read as the definition.  Then come some 290 random data sets
 * of many shapes, id types and options, each computed by the extension and by the
 * oracle; and last groups and filters, parallel plans, search_path and errors.
 *
 * Data sets are drawn from md5 of their number, so that they are equal on every
 * run; to inspect one:
 *	  SELECT * FROM oracle.dataset WHERE n = 57;
 *
 * Needs a database in UTF8 with ICU collations.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;

SELECT plan(857);

CREATE SCHEMA oracle;

/* ------------------------------------------------------------------------
 * The oracle
 * ------------------------------------------------------------------------ */

-- Rows that count: users and items numbered in the order of their type.
CREATE TABLE oracle.event (user_no bigint, item_no bigint, weight float8, at timestamptz);
CREATE TABLE oracle.item (item_no bigint, id text COLLATE "C");

-- Reads the rows of a query that yields user, item, weight and time.
CREATE FUNCTION oracle.load(query text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE oracle.event, oracle.item;
	EXECUTE format($q$
		WITH numbered AS (
			SELECT dense_rank() OVER (ORDER BY q.user_id) AS user_no,
				   dense_rank() OVER (ORDER BY q.item_id) AS item_no,
				   q.item_id, q.weight, q.at
			FROM (%s) q (user_id, item_id, weight, at)
			WHERE q.user_id IS NOT NULL AND NOT q.item_id IS NULL),
		event AS (
			INSERT INTO oracle.event
			SELECT user_no, item_no, weight, at FROM numbered)
		INSERT INTO oracle.item		-- of equal ids, the bytewise smallest text
		SELECT item_no, min(format('%%s', item_id) COLLATE "C")
		FROM numbered GROUP BY item_no $q$, query);
END $$;

-- One cell's share of the log likelihood ratio: k seen, row * col / n expected.
CREATE FUNCTION oracle.g2(k float8, row_sum float8, col_sum float8, n float8)
RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN k > 0 THEN 2 * k * ln(k * n / (row_sum * col_sum)) ELSE 0 END
$$;

-- Each pair of items with a similarity.  "place" is its rank among the pairs
-- that compete with it (those of its source, or of its target), "rank" its
-- rank in the source's list, NULL when it was cut.
CREATE FUNCTION oracle.similarities(options jsonb)
RETURNS TABLE (i bigint, j bigint, similarity float8, digits float8, support bigint,
			   n_i bigint, n_j bigint, place bigint, rank bigint)
LANGUAGE sql AS $$
WITH
o AS (
	SELECT * FROM jsonb_to_record(
		'{"measure": "cosine", "weighting": "none", "neighbors": 100,
		  "min_support": 1, "shrinkage": 0, "user_exponent": 0,
		  "source_exponent": 0.5, "target_exponent": 0.5,
		  "tversky_alpha": 0.5, "tversky_beta": 0.5, "bm25_k1": 1.2,
		  "bm25_b": 0.75, "max_history": 500, "repeats": "sum",
		  "truncate": "source"}' || options)
	AS o (measure text, weighting text, neighbors int, min_support int,
		  shrinkage float8, user_exponent float8, source_exponent float8,
		  target_exponent float8, tversky_alpha float8, tversky_beta float8,
		  bm25_k1 float8, bm25_b float8, max_history int, repeats text,
		  half_life interval, "truncate" text)),
-- 1. decay: half a weight for every half_life of age; no time, no age
decayed AS (
	SELECT user_no, item_no, at,
		   coalesce(weight, 1) * CASE WHEN half_life IS NULL OR at IS NULL THEN 1
				ELSE power(0.5::float8,
						   extract(epoch FROM max(at) OVER () - at)::float8
						   / extract(epoch FROM half_life)::float8) END AS weight
	FROM oracle.event, o),
-- 2. repeats of a user with an item
combined AS (
	SELECT user_no, item_no, max(at) AS at,
		   CASE min(repeats)
				WHEN 'sum' THEN sum(weight)
				WHEN 'max' THEN max(weight)
				WHEN 'last' THEN (array_agg(weight ORDER BY at DESC NULLS LAST, weight DESC))[1]
				WHEN 'binary' THEN 1 END AS weight
	FROM decayed, o GROUP BY user_no, item_no),
-- 3. what is not liked is no pair, unless weights are ratings
positive AS (
	SELECT combined.* FROM combined, o
	WHERE weight > 0 OR measure IN ('pearson', 'adjusted_cosine')),
-- 4. the newest of each user
history AS (
	SELECT user_no, item_no, weight
	FROM (SELECT *, row_number() OVER (PARTITION BY user_no
				ORDER BY at DESC NULLS LAST, weight DESC, item_no) AS newest
		  FROM positive) p, o
	WHERE newest <= max_history),
total AS (
	SELECT count(DISTINCT user_no) AS n, count(DISTINCT item_no) AS m,
		   sum(weight) AS weight FROM history),
-- 5. weighting
measured AS (
	SELECT user_no, item_no, weight AS x,
		   count(*) OVER of_user AS n_u,
		   sum(weight) OVER of_item AS len,
		   avg(weight) OVER of_user AS user_mean,
		   avg(weight) OVER of_item AS item_mean
	FROM history
	WINDOW of_user AS (PARTITION BY user_no), of_item AS (PARTITION BY item_no)),
vector AS (
	SELECT user_no, item_no, n_u, CASE
		WHEN measure = 'pearson' THEN x - item_mean
		WHEN measure = 'adjusted_cosine' THEN x - user_mean
		WHEN weighting = 'none' THEN x
		WHEN weighting = 'binary' THEN 1
		WHEN weighting = 'log' THEN ln(1 + x)
		WHEN weighting = 'tfidf' THEN sqrt(x) * (1 + ln((m + 1)::float8 / (n_u + 1)))
		WHEN weighting = 'bm25' THEN ln(1 + (m - n_u + 0.5::float8) / (n_u + 0.5))
			* x * (bm25_k1 + 1)
			/ (x + bm25_k1 * (1 - bm25_b + bm25_b * len / (total.weight / m)))
		END AS x
	FROM measured, total, o),
item AS (
	SELECT item_no, count(*) AS n, sum(x) AS s, sqrt(sum(x * x)) AS norm
	FROM vector GROUP BY item_no),
-- 6. similarity
common AS (
	SELECT a.item_no AS i, b.item_no AS j, count(*) AS c, sum(a.x * b.x
			/ CASE measure WHEN 'damped_cosine' THEN power(a.n_u::float8, user_exponent) ELSE 1 END) AS d
	FROM vector a JOIN vector b ON b.user_no = a.user_no AND b.item_no <> a.item_no, o
	GROUP BY a.item_no, b.item_no),
counted AS (
	SELECT common.*, i.n AS n_i, j.n AS n_j, i.s AS s_i, j.s AS s_j,
		   i.norm AS norm_i, j.norm AS norm_j,
		   total.n::float8 * c / (i.n * j.n) AS lift
	FROM common JOIN item i ON i.item_no = i JOIN item j ON j.item_no = j, total),
valued AS (
	SELECT i, j, c, n_i, n_j, CASE measure
		WHEN 'cosine' THEN d / nullif(norm_i * norm_j + shrinkage, 0)
		WHEN 'pearson' THEN d / nullif(norm_i * norm_j + shrinkage, 0)
		WHEN 'adjusted_cosine' THEN d / nullif(norm_i * norm_j + shrinkage, 0)
		WHEN 'damped_cosine' THEN d / nullif(power(s_i, source_exponent) * power(s_j, target_exponent) + shrinkage, 0)
		ELSE c / (c + shrinkage) * CASE measure
			WHEN 'jaccard' THEN c::float8 / (n_i + n_j - c)
			WHEN 'dice' THEN 2 * c::float8 / (n_i + n_j)
			WHEN 'overlap' THEN c::float8 / least(n_i, n_j)
			WHEN 'tversky' THEN c / (c + tversky_alpha * (n_i - c) + tversky_beta * (n_j - c))
			WHEN 'conditional' THEN c::float8 / n_i
			WHEN 'lift' THEN lift
			WHEN 'pmi' THEN ln(lift)
			WHEN 'npmi' THEN CASE WHEN c = n THEN 1 ELSE ln(lift) / -ln(c::float8 / n) END
			WHEN 'llr' THEN CASE WHEN c * n <= n_i * n_j THEN 0 ELSE
				oracle.g2(c, n_i, n_j, n) + oracle.g2(n_i - c, n_i, n - n_j, n)
				+ oracle.g2(n_j - c, n - n_i, n_j, n)
				+ oracle.g2(n - n_i - n_j + c, n - n_i, n - n_j, n) END
			END
		END AS similarity
	FROM counted, total, o),
-- 7. pairs that enough users stand behind, and that are alike
kept AS (
	SELECT valued.* FROM valued, o WHERE c >= min_support AND similarity > 0),
-- 8. the best of each source, or of each target, then lists of sources;
-- what agrees to twelve digits is a tie, so that noise decides nothing
ranked AS (
	SELECT *, CASE "truncate"
		WHEN 'source' THEN row_number() OVER (PARTITION BY i ORDER BY digits DESC, n_j DESC, j)
		WHEN 'target' THEN row_number() OVER (PARTITION BY j ORDER BY digits DESC, n_i DESC, i)
		END AS place
	FROM kept, o, to_char(similarity, '9.99999999999EEEE') t, cast(t AS float8) digits)
SELECT i, j, similarity, digits, c, n_i, n_j, place, CASE WHEN place <= neighbors THEN
	row_number() OVER (PARTITION BY i, place <= neighbors ORDER BY digits DESC, n_j DESC, j) END
FROM ranked
$$;

/* ------------------------------------------------------------------------
 * The judge
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.pair (i bigint, j bigint, similarity float8, digits float8, support bigint,
						  n_i bigint, n_j bigint, place bigint, rank bigint);

-- Return the answer's differences from the oracle, '' for none.
--
-- Two rows may change places when, and only when, the oracle's similarities
-- differ, yet by less than the noise of floats: then rounding parted what
-- belongs together.  Measures that subtract cancel digits: for them noise is
-- absolute, and of ratings a similarity within it is none.
CREATE FUNCTION oracle.difference(answer recommender.item_similarity[], options jsonb)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	cancels boolean := options->>'measure' IN ('pearson', 'adjusted_cosine', 'llr');
	ratings boolean := options->>'measure' IN ('pearson', 'adjusted_cosine');
	by_target boolean := coalesce(options->>'truncate', 'source') = 'target';
	result text;
BEGIN
	TRUNCATE oracle.pair;
	INSERT INTO oracle.pair SELECT * FROM oracle.similarities(options);

	WITH
	got AS (
		SELECT a.*, i.item_no AS i, j.item_no AS j, p.similarity AS expected,
			   p.digits, p.support AS expected_support, p.n_i, p.n_j
		FROM unnest(answer) WITH ORDINALITY
				AS a (item_id, similar_item_id, similarity, support, nth)
			 LEFT JOIN oracle.item i ON i.id = a.item_id
			 LEFT JOIN oracle.item j ON j.id = a.similar_item_id
			 LEFT JOIN oracle.pair p ON p.i = i.item_no AND p.j = j.item_no
		WHERE NOT ratings OR a.similarity > 1e-12),
	placed AS (
		SELECT *, CASE WHEN by_target THEN j ELSE i END AS contest,
			   CASE WHEN by_target
					THEN row_number() OVER (PARTITION BY j ORDER BY similarity DESC, n_i DESC, i)
					ELSE row_number() OVER (PARTITION BY i ORDER BY nth) END AS place
		FROM got),
	wanted AS (
		SELECT *, CASE WHEN by_target THEN j ELSE i END AS contest FROM oracle.pair
		WHERE rank IS NOT NULL AND (NOT ratings OR similarity > 1e-12)),
	neighbor AS (	-- each row beside the one above it
		SELECT item_id, similar_item_id, i, j, similarity, expected, digits, n_i, n_j,
			   lag(i) OVER w AS i0, lag(j) OVER w AS j0,
			   lag(similarity) OVER w AS similarity0, lag(expected) OVER w AS expected0,
			   lag(digits) OVER w AS digits0, lag(n_i) OVER w AS n_i0, lag(n_j) OVER w AS n_j0
		FROM got WINDOW w AS (ORDER BY nth)),
	finding AS (
		SELECT format('%s ~ %s: not in the definition', item_id, similar_item_id) AS what
		FROM got WHERE expected IS NULL
	UNION ALL
		SELECT format('%s ~ %s: more than once', item_id, similar_item_id)
		FROM got GROUP BY item_id, similar_item_id HAVING count(*) > 1
	UNION ALL
		SELECT format('%s ~ %s: %s of %s, should be %s of %s', item_id,
					  similar_item_id, similarity, support, expected, expected_support)
		FROM got
		WHERE support <> expected_support OR NOT similarity < 'infinity'
		   OR abs(similarity - expected) > 1e-9 * CASE WHEN cancels
					THEN greatest(1, expected) ELSE expected END
	UNION ALL
		SELECT format('place %s of %s is %s, should be %s', place,
					  (SELECT id FROM oracle.item WHERE item_no = contest),
					  coalesce(CASE WHEN by_target THEN g.item_id ELSE g.similar_item_id END, 'missing'),
					  coalesce((SELECT id FROM oracle.item WHERE item_no = CASE WHEN by_target THEN w.i ELSE w.j END), 'none'))
		FROM placed g FULL JOIN wanted w USING (contest, place)
		WHERE (g.i, g.j) IS DISTINCT FROM (w.i, w.j)
		  AND (g.expected = w.similarity
			   OR abs(g.expected - w.similarity) > 1e-12 * CASE WHEN cancels
					THEN greatest(10, g.expected) ELSE g.expected END) IS NOT FALSE
	UNION ALL
		SELECT format('%s ~ %s: in the wrong order', item_id, similar_item_id)
		FROM neighbor
		WHERE CASE WHEN i <> i0
			THEN (-n_i0, i0) > (-n_i, i)
			ELSE similarity > similarity0
				 OR expected > expected0 + 1e-12 * CASE WHEN cancels
						THEN greatest(10, expected) ELSE expected END
				 OR ((similarity = similarity0 OR digits = digits0) AND (-n_j0, j0) > (-n_j, j)) END)
	SELECT coalesce(string_agg(what, E'\n' ORDER BY what) FILTER (WHERE nth <= 8), '')
	INTO result
	FROM (SELECT what, row_number() OVER (ORDER BY what) AS nth FROM finding) f;
	RETURN result;
END $$;

/* ------------------------------------------------------------------------
 * The oracle itself, against figures worked out by hand
 * ------------------------------------------------------------------------ */

-- Users 1 to 4 have the items: 1 {a,b}, 2 {a,b,c}, 3 {a}, 4 {c}.
CREATE TABLE oracle.small (user_id int, item_id text, weight float8, at timestamptz);
INSERT INTO oracle.small VALUES
	(1, 'a', 2, '2026-01-03'), (1, 'b', 1, '2026-01-01'),
	(2, 'a', 1, '2026-01-02'), (2, 'b', 4, '2026-01-02'), (2, 'c', 2, NULL),
	(3, 'a', 2, '2026-01-03'), (4, 'c', 1, '2026-01-03');
SELECT oracle.load('TABLE oracle.small');

-- The similarity of two items under the given options.
CREATE FUNCTION oracle.of(item text, similar_item text, options jsonb) RETURNS numeric
LANGUAGE sql AS $$
	SELECT round(s.similarity::numeric, 9)
	FROM oracle.similarities(options) s
		 JOIN oracle.item a ON a.item_no = i JOIN oracle.item b ON b.item_no = j
	WHERE a.id = item AND b.id = similar_item
$$;

SELECT is(oracle.of(item, similar_item, options), round(hand::numeric, 9),
		  format('by hand: %s of %s and %s', options, item, similar_item))
FROM (VALUES
	-- a = (2,1,2,0), b = (1,4,0,0), c = (0,2,0,1)
	('a', 'b', '{}'::jsonb, 6 / (3 * sqrt(17::float8))),
	('b', 'c', '{}', 8 / (sqrt(17::float8) * sqrt(5::float8))),
	('a', 'c', '{"shrinkage": 4}', 2 / (3 * sqrt(5::float8) + 4)),
	('a', 'b', '{"weighting": "binary"}', 2 / sqrt(6::float8)),
	('a', 'c', '{"weighting": "log"}', ln(2::float8) * ln(3::float8)
		/ sqrt((2 * ln(3::float8) ^ 2 + ln(2::float8) ^ 2) * (ln(3::float8) ^ 2 + ln(2::float8) ^ 2))),
	-- M = 3; n_u = 2, 3, 1, 1; idf = 1 + ln(4 / (n_u + 1))
	('a', 'c', '{"weighting": "tfidf"}', 1 * sqrt(2::float8)
		/ sqrt((2 * (1 + ln(4 / 3::float8)) ^ 2 + 1 + 2 * (1 + ln(2::float8)) ^ 2) * (2 + (1 + ln(2::float8)) ^ 2))),
	-- k1 = 1, b = 1: len = 5, 5, 3; avglen = 13/3; idf = ln(1 + (3.5 - n_u) / (n_u + 0.5)) = ln(4 / (n_u + 0.5))
	('b', 'c', '{"weighting": "bm25", "bm25_k1": 1, "bm25_b": 1}',
		(ln(4 / 3.5) * 8 / (4 + 15 / 13.0) * ln(4 / 3.5) * 4 / (2 + 9 / 13.0))
		/ sqrt((ln(4 / 2.5) * 2 / (1 + 15 / 13.0)) ^ 2 + (ln(4 / 3.5) * 8 / (4 + 15 / 13.0)) ^ 2)
		/ sqrt((ln(4 / 3.5) * 4 / (2 + 9 / 13.0)) ^ 2 + (ln(4 / 1.5) * 2 / (1 + 9 / 13.0)) ^ 2)),
	-- s = 5, 5, 3
	('a', 'b', '{"measure": "damped_cosine", "user_exponent": 1, "source_exponent": 1, "target_exponent": 0}',
		(2 * 1 / 2.0 + 1 * 4 / 3.0) / 5),
	('a', 'c', '{"measure": "damped_cosine", "source_exponent": 0, "target_exponent": 2, "shrinkage": 1}', 2 / 10.0),
	-- n_a = 3, n_b = 2, n_c = 2, c_ab = 2, c_ac = 1, c_bc = 1, N = 4
	('a', 'b', '{"measure": "jaccard"}', 2 / 3.0),
	('a', 'b', '{"measure": "jaccard", "shrinkage": 2}', 2 / 3.0 * 2 / 4),
	('a', 'c', '{"measure": "dice"}', 2 / 5.0),
	('a', 'c', '{"measure": "overlap"}', 1 / 2.0),
	('a', 'c', '{"measure": "tversky", "tversky_alpha": 1, "tversky_beta": 0}', 1 / 3.0),
	('a', 'c', '{"measure": "conditional"}', 1 / 3.0),
	('c', 'a', '{"measure": "conditional"}', 1 / 2.0),
	('a', 'c', '{"measure": "lift"}', 4 / 6.0),
	('a', 'b', '{"measure": "pmi"}', ln(4 * 2 / 6.0)),
	('a', 'c', '{"measure": "pmi"}', NULL),
	('b', 'c', '{"measure": "pmi"}', NULL),
	('a', 'b', '{"measure": "npmi"}', ln(4 * 2 / 6.0) / ln(2.0)),
	-- table 2 1 / 0 1 of a and b
	('a', 'b', '{"measure": "llr"}', 2 * (2 * ln(2 * 4 / 6.0) + ln(1 * 4 / 6.0) + ln(1 * 4 / 2.0))),
	('b', 'c', '{"measure": "llr"}', NULL),
	-- centred by item: a = (1,-2,1,0)/3, b = (-1.5,1.5,0,0), c = (0,.5,0,-.5)
	('b', 'c', '{"measure": "pearson"}', .75 / (sqrt(4.5) * sqrt(.5))),
	('a', 'b', '{"measure": "pearson"}', NULL),
	-- centred by user: 1 (.5,-.5), 2 (-4,5,-1)/3, 3 (0), 4 (0)
	('a', 'c', '{"measure": "adjusted_cosine"}', (4 / 9.0) / (sqrt(.25 + 16 / 9.0) * (1 / 3.0))),
	-- halved for each day before the third; c of user 2 has no time
	('a', 'b', '{"half_life": "1 day"}', (2 * .25 + .5 * 2) / (sqrt(4 + .25 + 4) * sqrt(.0625 + 4))),
	('b', 'c', '{"half_life": "12:00:00"}', (1 * 2) / (sqrt(1 / 256.0 + 1) * sqrt(5.0))),
	-- the newest of user 1 is a; of user 2 b (weight 4), then a (time), not c
	('a', 'b', '{"max_history": 1}', NULL),
	('a', 'b', '{"max_history": 2, "weighting": "binary"}', 2 / sqrt(6.0)),
	('a', 'c', '{"max_history": 2, "weighting": "binary"}', NULL)
) AS v (item, similar_item, options, hand);

/* ------------------------------------------------------------------------
 * Random data sets
 * ------------------------------------------------------------------------ */

-- A number in [0, 1) that depends on the words only.
CREATE FUNCTION oracle.draw(VARIADIC words anyarray) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || left(md5(words::text), 8))::bit(32)::bigint / 4294967296.0
$$;

-- One of the choices, by chance.
CREATE FUNCTION oracle.pick(n int, what text, VARIADIC choices text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT choices[1 + floor(oracle.draw(n::text, what) * cardinality(choices))]
$$;

-- An id as text for people: letters whose order differs by collation.
CREATE FUNCTION oracle.label(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE n WHEN 0 THEN '' ELSE
		(ARRAY['a', 'B', U&'\00E4', 'Z', '_', U&'\00E9', 'E', '-'])[n % 8 + 1] || n END
$$;

CREATE COLLATION oracle.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN oracle.sku AS text;
CREATE TYPE oracle.key AS (shop int, article text);
SELECT format('CREATE TYPE oracle.kind AS ENUM (%s)', string_agg(quote_literal('k' || n), ', ' ORDER BY md5(n::text)))
FROM generate_series(0, 60) n \gexec

-- Id types: %1$s is a number from 0 to 60, seq differs between its rows.
CREATE TABLE oracle.id_type (nth int GENERATED ALWAYS AS IDENTITY (START 0 MINVALUE 0),
							 name text, expression text, collated boolean DEFAULT false);
INSERT INTO oracle.id_type (name, expression, collated) VALUES
	('int4', '(%1$s * 50000000::int8 - 2147483648)::int4', false),
	('int2', '(%1$s * 3 - 90)::int2', false),
	('int8', '(%1$s * 3e17::numeric - 9223372036854775808)::int8', false),
	('uuid', 'md5(%1$s::text)::uuid', false),
	('text C', 'oracle.label(%1$s) COLLATE "C"', true),
	('text', 'oracle.label(%1$s)', true),
	('text ICU', 'oracle.label(%1$s) COLLATE "en-x-icu"', true),
	('text case-blind', '(CASE seq %% 3 WHEN 0 THEN upper(oracle.label(%1$s)) WHEN 1 THEN lower(oracle.label(%1$s))
		ELSE oracle.label(%1$s) END) COLLATE oracle.ci', true),
	('varchar', 'oracle.label(%1$s)::varchar(20)', true),
	('char', 'oracle.label(%1$s)::char(6)', true),
	('name', 'oracle.label(%1$s)::name', true),
	('domain', 'oracle.label(%1$s)::oracle.sku', true),
	('numeric', 'round(%1$s / 2.0, 1 + seq %% 4)', false),
	('huge numeric', '%1$s * 1e40 - 3e41', false),
	('date', 'date ''2000-02-25'' + %1$s', false),
	('timestamptz', 'timestamptz ''2026-03-29 00:10Z'' + %1$s * interval ''17 minutes''', false),
	('interval', 'make_interval(days => (seq %% 2) * %1$s, hours => (1 - seq %% 2) * %1$s * 24)', false),
	('bytea', 'decode(''00'' || lpad(to_hex(%1$s * 5), 4, ''0''), ''hex'')', false),
	('enum', '(''k'' || %1$s)::oracle.kind', false),
	('float8', '(ARRAY[0, ''-0'', ''NaN'', ''-Infinity'']::float8[] || (%1$s / 8.0)::float8)[
		CASE %1$s WHEN 0 THEN 1 + seq %% 2 WHEN 1 THEN 3 WHEN 2 THEN 4 ELSE 5 END]', false),
	('boolean', '(%1$s %% 2 = 0)', false),
	('int array', 'ARRAY[%1$s %% 4, %1$s]', false),
	('row', 'CASE WHEN %1$s IS NOT NULL THEN ROW(%1$s %% 4, oracle.label(%1$s))::oracle.key END', false),
	('jsonb', 'to_jsonb(oracle.label(%1$s))', false),
	('inet', 'inet ''10.0.0.250'' + %1$s', false),
	('oid', '(4294967295 - %1$s::int8)::oid', false),
	('int8 serial', '(%1$s + 1)::int8', false),
	('money', '(%1$s - 7)::money', false),
	('bit', '(%1$s * 37)::bit(12)', false);

-- Shapes: how many users, items and rows; skew of popularity; share of rows
-- with a NULL key or weight; kind of weights.
CREATE TABLE oracle.shape (nth int GENERATED ALWAYS AS IDENTITY (START 0 MINVALUE 0),
	name text, users int, items int, rows int, skew float8, null_key float8, null_weight float8, weights text);
INSERT INTO oracle.shape (name, users, items, rows, skew, null_key, null_weight, weights) VALUES
	('empty',		  1,  1,   0, 1, 0,   0,   'any'),
	('one row',		  1,  1,   1, 1, 0,   0,   'any'),
	('one user',	  1, 12,  25, 1, 0,   0,   'any'),
	('one item',	 20,  1,  30, 1, 0,   0,   'any'),
	('plain',		 25, 15, 120, 1, 0,   0,   'any'),
	('sparse',		 60, 40,  70, 1, 0,   0,   'any'),
	('duplicates',	  6,  6, 200, 1, 0,   0,   'any'),
	('ties',		 12, 10,  50, 1, 0,   0,   'one'),
	('NULL keys',	 20, 10, 120, 1, .3,  0,   'any'),
	('NULL weights', 20, 10, 100, 1, 0,   .5,  'any'),
	('heavy users',	  4, 40, 220, 1, 0,   0,   'any'),
	('skewed',		 45, 25, 220, 3, 0,   0,   'any'),
	('everybody all', 9,  6, 250, 1, 0,   0,   'any'),
	('few items',	 25,  5,  80, 1, 0,   0,   'any'),
	('many items',	 15, 50, 250, 1, 0,   0,   'any'),
	('crowd',		 60,  8, 220, 1, 0,   0,   'any'),
	('ratings',		 30, 12, 150, 1, 0,   .05, 'rating'),
	('all rated',	 12,  7, 200, 1, 0,   0,   'rating'),
	('returns',		 20, 12, 150, 1, .02, .05, 'return');

-- The data sets: every measure meets every shape, weighting and most types.
CREATE TABLE oracle.dataset AS
SELECT n, measure, shape.name AS shape, i.name AS item_type, u.name AS user_type, columns,
	   jsonb_strip_nulls(jsonb_build_object(
			'measure', CASE WHEN measure <> 'cosine' OR n % 2 = 0 THEN measure END,
			'weighting', weighting,
			'neighbors', oracle.pick(n, 'neighbors', NULL, NULL, '1', '2', '4', '10000')::int,
			'min_support', oracle.pick(n, 'min_support', NULL, NULL, '1', '2', '3')::int,
			'shrinkage', oracle.pick(n, 'shrinkage', NULL, NULL, '0', '1', '2.5', '10')::numeric,
			'user_exponent', oracle.pick(n, 'user_exponent', NULL, '0', '0.5', '1', '2')::numeric,
			'source_exponent', oracle.pick(n, 'source_exponent', NULL, '0', '0.6', '1', '2')::numeric,
			'target_exponent', oracle.pick(n, 'target_exponent', NULL, '0', '0.3', '1', '2')::numeric,
			'tversky_alpha', oracle.pick(n, 'alpha', NULL, '0', '0.25', '1', '3')::numeric,
			'tversky_beta', oracle.pick(n, 'beta', NULL, '0', '0.25', '1', '3')::numeric,
			'bm25_k1', oracle.pick(n, 'k1', NULL, '0', '0.5', '2')::numeric,
			'bm25_b', oracle.pick(n, 'b', NULL, '0', '0.25', '1')::numeric,
			'max_history', CASE WHEN shape.name = 'heavy users' THEN oracle.pick(n, 'max_history', '1', '3', '12', '30')
								WHEN NOT uneven THEN oracle.pick(n, 'max_history', NULL, NULL, '2', '5', '500') END::int,
			'repeats', CASE columns WHEN 4 THEN oracle.pick(n, 'repeats', NULL, 'sum', 'max', 'last', 'last', 'binary')
								ELSE oracle.pick(n, 'repeats', NULL, 'sum', 'max', 'binary') END,
			'half_life', half_life,
			'truncate', oracle.pick(n, 'truncate', NULL, 'source', 'target'))) AS options,
	   format(u.expression, 'user_no') AS user_id, format(i.expression, 'item_no') AS item_id,
	   CASE columns WHEN 2 THEN 'NULL::float8'
			ELSE CASE shape.weights WHEN 'one' THEN oracle.pick(n, 'weight type', 'weight', 'weight::int')
				ELSE oracle.pick(n, 'weight type', 'weight', 'weight', 'weight::real', 'weight::numeric') END
			END AS weight,
	   CASE WHEN columns < 4 THEN 'NULL::timestamptz'
			ELSE format(CASE WHEN uneven THEN '%s' ELSE oracle.pick(n, 'time type', '%s', '%s', '(%s)::timestamp', '(%s)::date') END,
						format('timestamptz ''2026-01-20'' - age * interval %L', CASE WHEN uneven THEN '7 hours' ELSE '1 day' END))
			END AS at
FROM generate_series(0, 289) n,
	 LATERAL (SELECT (ARRAY['cosine', 'damped_cosine', 'jaccard', 'dice', 'tversky', 'overlap', 'conditional',
							'lift', 'pmi', 'npmi', 'llr', 'pearson', 'adjusted_cosine'])[1 + n % 13] AS measure) m,
	 LATERAL (SELECT CASE WHEN measure IN ('cosine', 'damped_cosine')
						  THEN (ARRAY[NULL, 'binary', 'log', 'tfidf', 'bm25'])[1 + n / 13 % 5]
						  WHEN measure IN ('pearson', 'adjusted_cosine') THEN oracle.pick(n, 'weighting', NULL, 'none')
						  ELSE oracle.pick(n, 'weighting', NULL, NULL, 'none', 'log', 'bm25') END AS weighting) w,
	 LATERAL (SELECT * FROM oracle.shape WHERE nth = n % 19) shape,
	 LATERAL (SELECT oracle.pick(n, 'columns', '2', '3', '3', '4', '4', '4')::int AS columns) c,
	 -- ages that are whole half-lives keep weights exact, where a sum must not
	 -- hit zero or a user's history is cut; elsewhere they need not be whole
	 LATERAL (SELECT columns = 4 AND shape.weights = 'any' AND shape.name <> 'heavy users' AND n % 4 = 0 AS uneven) e,
	 LATERAL (SELECT CASE WHEN columns = 4 THEN oracle.pick(n, 'half_life', NULL, '1 day', '48 hours', '1 day') END AS half_life) h,
	 LATERAL (SELECT * FROM oracle.id_type WHERE nth = n % 29) i,
	 -- two collations in one call would be an error of the aggregate
	 LATERAL (SELECT * FROM oracle.id_type t WHERE t.name = i.name OR NOT (t.collated AND i.collated)
			  ORDER BY oracle.draw(n::text, t.name) LIMIT 1) u;

CREATE TABLE oracle.raw AS
SELECT n, seq::int, dice.*
FROM oracle.dataset JOIN oracle.shape ON shape.name = dataset.shape,
	 generate_series(1, rows) seq,
	 LATERAL (SELECT
		CASE WHEN oracle.draw(n, seq, 1) >= null_key THEN floor(users * oracle.draw(n, seq, 2) ^ skew)::int END AS user_no,
		CASE WHEN oracle.draw(n, seq, 3) >= null_key THEN floor(items * oracle.draw(n, seq, 4) ^ skew)::int END AS item_no,
		CASE WHEN oracle.draw(n, seq, 5) >= null_weight THEN CASE weights
			WHEN 'one' THEN 1
			WHEN 'any' THEN floor(1 + 16 * oracle.draw(n, seq, 6)) / 4
			WHEN 'rating' THEN floor(15 * oracle.draw(n, seq, 6)) / 2 - 2
			WHEN 'return' THEN floor(1 + 16 * oracle.draw(n, seq, 6)) / 4 * CASE WHEN oracle.draw(n, seq, 7) < .3 THEN -1 ELSE 1 END
			END END AS weight,
		CASE WHEN oracle.draw(n, seq, 8) >= .1 THEN floor(7 * oracle.draw(n, seq, 9))::int END AS age) dice;
CREATE INDEX ON oracle.raw (n);
ANALYZE oracle.raw;

-- Return the differences of the extension's answers for a data set, '' for none.
CREATE FUNCTION oracle.judge(d oracle.dataset) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	columns text[] := ARRAY[d.user_id, d.item_id, d.weight, d.at];
	source text := format('FROM oracle.raw WHERE n = %s', d.n);
	answer recommender.item_similarity[];
	aggregate recommender.item_similarity[];
	result text;
BEGIN
	PERFORM oracle.load(format('SELECT %s %s', array_to_string(columns, ', '), source));
	answer := ARRAY(SELECT s FROM recommender.item_similarities(
			format('SELECT %s %s', array_to_string(columns[:d.columns], ', '), source), d.options) s);
	result := oracle.difference(answer, d.options);
	IF result = '' AND d.columns < 4 THEN
		EXECUTE format('SELECT recommender.item_similarity_agg(%s, %s, (%s)::float8, %L) %s',
					   d.user_id, d.item_id, d.weight, d.options, source) INTO aggregate;
		IF coalesce(aggregate, '{}') IS DISTINCT FROM answer THEN
			result := 'the aggregate differs: ' || oracle.difference(aggregate, d.options);
		END IF;
	END IF;
	RETURN CASE WHEN result = '' THEN '' ELSE format(E'%s\n%s', d.options, result) END;
END $$;

SELECT is(oracle.judge(d), '', format('set %s: %s, %s; %s, items %s', n, measure,
		  coalesce(options->>'weighting', 'plain'), shape, item_type))
FROM oracle.dataset d ORDER BY n;

/* ------------------------------------------------------------------------
 * Special data
 * ------------------------------------------------------------------------ */

-- Return the differences of item_similarities() from the oracle, '' for none.
CREATE FUNCTION oracle.judge_query(query text, four_columns text, options jsonb)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM oracle.load(four_columns);
	RETURN oracle.difference(ARRAY(SELECT s FROM recommender.item_similarities(query, options) s), options);
END $$;

-- Columns of two collations, neither of them the database's.
CREATE TABLE oracle.collated (user_id text COLLATE "C", item_id text COLLATE oracle.ci, weight numeric, at date);
INSERT INTO oracle.collated
SELECT 'u' || floor(12 * oracle.draw(n, 1)), CASE n % 3 WHEN 0 THEN upper(oracle.label(item)) ELSE oracle.label(item) END,
	   n % 7 + 1, date '2026-01-01' + n % 5
FROM generate_series(1, 120) n, LATERAL (SELECT floor(8 * oracle.draw(n, 2))::int AS item) i;

SELECT is(oracle.judge_query('TABLE oracle.collated', 'TABLE oracle.collated', '{"neighbors": 3}'),
		  '', 'columns of different collations in one query');
SELECT is((SELECT recommender.item_similarity_agg(user_id, item_id) FROM oracle.collated),
		  ARRAY(SELECT s FROM recommender.item_similarities('SELECT user_id, item_id FROM oracle.collated') s),
		  'columns of different collations in the aggregate');
SELECT is((SELECT recommender.item_similarity_agg(weight, item_id) OVER () FROM oracle.collated LIMIT 1),
		  ARRAY(SELECT s FROM recommender.item_similarities('SELECT weight, item_id FROM oracle.collated') s),
		  'a column with a collation in a window');
-- a window does not tell which argument has which: never a guess
SELECT throws_ok('SELECT recommender.item_similarity_agg(user_id, item_id) OVER () FROM oracle.collated',
				 '42P22', NULL, 'columns of different collations in a window');

-- A type that has equality but no order: ties go by its text.
SELECT results_eq($$SELECT item_id, similar_item_id FROM recommender.item_similarities(
						'SELECT 1, item FROM unnest(''{7,10,9}''::xid[]) item')$$,
				  $$VALUES ('10', '7'), ('10', '9'), ('7', '10'), ('7', '9'), ('9', '10'), ('9', '7')$$,
				  'ids of a type without an order');
SELECT is(oracle.judge_query('TABLE oracle.small', 'TABLE oracle.small', options), '', format('small table, %s', options))
FROM (VALUES ('{"half_life": "1 month", "repeats": "max"}'::jsonb), ('{"half_life": "17:13:11.5"}'),
	('{"max_history": 1}'), ('{"max_history": 2147483647, "min_support": 2}')) v (options);

-- An option that is null has its default.
SELECT results_eq(
	$$SELECT * FROM recommender.item_similarities('TABLE oracle.small', '{"measure": null, "half_life": null, "neighbors": null}')$$,
	$$SELECT * FROM recommender.item_similarities('TABLE oracle.small')$$, 'null options are defaults');

-- What yields rows is a query: with a semicolon, a comment, VALUES, WITH.
SELECT is((SELECT count(*) FROM recommender.item_similarities(query)), 2::bigint, format('query form: %s', query))
FROM (VALUES ('SELECT 1, 2 UNION ALL SELECT 1, 3;'), ('VALUES (1, 2), (1, 3) -- a user, two items'),
	('WITH w (u, i) AS (VALUES (''a'', 2), (''a'', 3)) SELECT * FROM w'),
	('SELECT 1, unnest(ARRAY[2, 3]), 0.5, NULL::timestamp'),
	('SELECT support, item_id FROM recommender.item_similarities(''VALUES (1, 2), (1, 3)'')')) q (query);

/* ------------------------------------------------------------------------
 * The aggregate is an aggregate: groups, filters, windows, nothing
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.orders AS
SELECT seq, CASE WHEN oracle.draw(seq, 1) > .02 THEN floor(60 * oracle.draw(seq, 2))::int END AS customer,
	   CASE WHEN oracle.draw(seq, 3) > .02 THEN md5(floor(25 * oracle.draw(seq, 4) ^ 2)::text)::uuid END AS product,
	   floor(1 + 8 * oracle.draw(seq, 5)) / 2 AS quantity, 'segment ' || seq % 7 AS segment
FROM generate_series(1, 900) seq;

CREATE TABLE oracle.by_segment AS
SELECT segment, o.options,
	   recommender.item_similarity_agg(customer, product, quantity, o.options) AS list
FROM oracle.orders, (VALUES ('{}'::jsonb), ('{"measure": "npmi", "min_support": 2, "neighbors": 3}'),
	('{"measure": "damped_cosine", "weighting": "bm25", "truncate": "target", "neighbors": 2, "max_history": 5}')) o (options)
GROUP BY segment, o.options;

SELECT is(oracle.difference(list, options), '', format('GROUP BY: %s, %s', segment, options))
FROM (SELECT *, oracle.load(format($q$SELECT customer, product, quantity, NULL::timestamptz
			FROM oracle.orders WHERE segment = %L$q$, segment)) FROM oracle.by_segment ORDER BY segment OFFSET 0) g;

-- ... and with FILTER, and with WHERE
SELECT is((SELECT recommender.item_similarity_agg(customer, product, quantity, options) FILTER (WHERE segment = g.segment)
		   FROM oracle.orders), list, format('FILTER as GROUP BY: %s, %s', segment, options))
FROM oracle.by_segment g ORDER BY segment, options;
SELECT is((SELECT recommender.item_similarity_agg(customer, product, quantity, options)
		   FROM oracle.orders WHERE segment = g.segment), list, format('WHERE as GROUP BY: %s, %s', segment, options))
FROM oracle.by_segment g ORDER BY segment, options;

-- the order of rows does not matter
SELECT is((SELECT recommender.item_similarity_agg(customer, product, quantity, options ORDER BY quantity, seq DESC)
		   FROM oracle.orders WHERE segment = g.segment), list, format('ORDER BY in the aggregate: %s, %s', segment, options))
FROM oracle.by_segment g WHERE segment = 'segment 1' ORDER BY options;

-- a window's final function runs on a state that grows
SELECT is(w.list, (SELECT recommender.item_similarity_agg(customer, product, quantity) FROM oracle.orders o WHERE o.seq <= w.seq),
		  format('window of %s rows', w.seq))
FROM (SELECT seq, recommender.item_similarity_agg(customer, product, quantity) OVER (ORDER BY seq) AS list
	  FROM oracle.orders WHERE seq <= 120) w
WHERE seq IN (1, 2, 20, 60, 119, 120) ORDER BY seq;

-- fewer arguments are the defaults
SELECT is((SELECT recommender.item_similarity_agg(customer, product) FROM oracle.orders),
		  (SELECT recommender.item_similarity_agg(customer, product, 1, '{}') FROM oracle.orders), 'no weight is a weight of one');
SELECT is((SELECT recommender.item_similarity_agg(customer, product, quantity) FROM oracle.orders),
		  (SELECT recommender.item_similarity_agg(customer, product, quantity, '{}') FROM oracle.orders), 'no options are the defaults');

-- nothing in, nothing out; rows without a pair give an empty list
SELECT is((SELECT recommender.item_similarity_agg(customer, product) FROM oracle.orders WHERE false),
		  NULL, 'no rows: NULL');
SELECT is((SELECT recommender.item_similarity_agg(customer, product) FILTER (WHERE false) FROM oracle.orders),
		  NULL, 'no rows left by FILTER: NULL');
SELECT is((SELECT recommender.item_similarity_agg(1, 1)), '{}', 'a single row: an empty list');
SELECT is((SELECT recommender.item_similarity_agg(n, n) FROM generate_series(1, 10) n), '{}', 'nothing in common: an empty list');
SELECT is_empty($$SELECT * FROM recommender.item_similarities('SELECT 1, 2 WHERE false')$$, 'query of no rows: no rows');

/* ------------------------------------------------------------------------
 * Parallel plans, the order of rows and search_path change no byte
 * ------------------------------------------------------------------------ */

-- Weights whose sum depends on the order of addition, many repeats, items
-- whose text differs from row to row.
CREATE TABLE oracle.big (user_id int, item_id text COLLATE oracle.ci, weight float8, grp int);
INSERT INTO oracle.big
SELECT 1000 * floor(300 * oracle.draw(n, 1) ^ 2) - 70000, CASE n % 5 WHEN 0 THEN upper(item) ELSE item END,
	   1 / (1 + 7 * oracle.draw(n, 3)), n % 3
FROM generate_series(1, 20000) n, LATERAL (SELECT oracle.label(floor(150 * oracle.draw(n, 2) ^ 2)::int) AS item) i;
CREATE TABLE oracle.shuffled AS SELECT * FROM oracle.big ORDER BY weight;
ALTER TABLE oracle.big SET (parallel_workers = 4);
ANALYZE oracle.big, oracle.shuffled;

CREATE VIEW oracle.lists AS
SELECT recommender.item_similarity_agg(user_id, item_id, weight)::text AS cosine,
	   recommender.item_similarity_agg(user_id, item_id, weight, '{"measure": "damped_cosine", "weighting": "tfidf",
			"user_exponent": 1, "source_exponent": 0.7, "truncate": "target", "neighbors": 20}')::text AS damped_cosine,
	   recommender.item_similarity_agg(user_id, item_id, weight,
			'{"measure": "pearson", "repeats": "max", "max_history": 20}')::text AS pearson,
	   recommender.item_similarity_agg(user_id, item_id, weight, '{"measure": "llr", "neighbors": 5}')::text AS llr,
	   recommender.item_similarity_agg(user_id, item_id)::text AS count
FROM oracle.big;
CREATE VIEW oracle.grouped AS
SELECT grp, recommender.item_similarity_agg(user_id, item_id, weight, '{"weighting": "log", "shrinkage": 3}')::text AS list
FROM oracle.big GROUP BY grp;

SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TABLE oracle.serial_lists AS TABLE oracle.lists;
CREATE TABLE oracle.serial_grouped AS TABLE oracle.grouped;

SET LOCAL max_parallel_workers_per_gather = 4;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE TABLE oracle.parallel_lists AS TABLE oracle.lists;
CREATE TABLE oracle.parallel_grouped AS TABLE oracle.grouped;
SET LOCAL parallel_leader_participation = off;
CREATE TABLE oracle.workers_lists AS TABLE oracle.lists;

CREATE FUNCTION oracle.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		plan := plan || E'\n' || line;
	END LOOP;
	RETURN plan;
END $$;
SELECT matches(oracle.plan('TABLE oracle.lists'), 'Finalize Aggregate.*Gather.*Workers Launched: [1-9].*Partial Aggregate',
			   'the aggregate runs in parallel');
SELECT matches(oracle.plan('TABLE oracle.grouped'), 'Finalize .*Gather.*Workers Launched: [1-9].*Partial ',
			   'grouped, too');
RESET max_parallel_workers_per_gather;

SELECT isnt(s.cosine, '{}', 'lists to compare are not empty') FROM oracle.serial_lists s;
SELECT ok(s = p, 'parallel equals serial') FROM oracle.serial_lists s, oracle.parallel_lists p;
SELECT ok(s = p, 'workers alone equal serial') FROM oracle.serial_lists s, oracle.workers_lists p;
SELECT ok(s.list = p.list, format('parallel equals serial, group %s', grp))
FROM oracle.serial_grouped s JOIN oracle.parallel_grouped p USING (grp) ORDER BY grp;
SELECT ok(s.cosine = (SELECT recommender.item_similarity_agg(user_id, item_id, weight)::text FROM oracle.shuffled),
		  'rows in another order, the same bytes') FROM oracle.serial_lists s;
SELECT ok(s.cosine = ARRAY(SELECT i FROM recommender.item_similarities('SELECT user_id, item_id, weight FROM oracle.shuffled') i)::text,
		  'the query form, the same bytes') FROM oracle.serial_lists s;

-- Nothing of ours is looked up by search_path: not without one, ...
SET LOCAL search_path = '';
CREATE TABLE oracle.no_path AS
SELECT recommender.item_similarity_agg(user_id, item_id, weight)::text AS cosine FROM oracle.shuffled;
CREATE TABLE oracle.no_path_query AS
SELECT ARRAY(SELECT i FROM recommender.item_similarities('SELECT user_id, item_id, weight FROM oracle.shuffled', '{}') i)::text AS cosine;
RESET search_path;
-- ... nor with operators before the system's that say the opposite
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.yes(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR hostile.= (LEFTARG = int, RIGHTARG = int, FUNCTION = hostile.yes);
CREATE OPERATOR hostile.< (LEFTARG = int, RIGHTARG = int, FUNCTION = hostile.yes);
CREATE TYPE hostile.item_similarity AS (item_id int);
SET LOCAL search_path = hostile, pg_catalog;
CREATE TABLE oracle.hostile AS
SELECT recommender.item_similarity_agg(user_id, item_id, weight)::text AS cosine FROM oracle.shuffled;
CREATE TABLE oracle.hostile_query AS
SELECT ARRAY(SELECT i FROM recommender.item_similarities('SELECT user_id, item_id, weight FROM oracle.shuffled', '{}') i)::text AS cosine;
RESET search_path;
SELECT ok(s.cosine = p.cosine, 'the aggregate with an empty search_path') FROM oracle.serial_lists s, oracle.no_path p;
SELECT ok(s.cosine = p.cosine, 'the query form with an empty search_path') FROM oracle.serial_lists s, oracle.no_path_query p;
SELECT ok(s.cosine = p.cosine, 'the aggregate with a hostile search_path') FROM oracle.serial_lists s, oracle.hostile p;
SELECT ok(s.cosine = p.cosine, 'the query form with a hostile search_path') FROM oracle.serial_lists s, oracle.hostile_query p;

/* ------------------------------------------------------------------------
 * Errors
 * ------------------------------------------------------------------------ */

-- The text of an error is in sql/similarity.sql; here are all the values.
CREATE TABLE oracle.wrong (options text);
INSERT INTO oracle.wrong
-- out of range, at both ends and far beyond
SELECT format('{"%s": %s}', name, value)
FROM (VALUES ('neighbors', '{10001}'::text[]), ('min_support', '{}'), ('max_history', '{}')) o (name, more),
	 unnest('{0, -1, -2147483648, 2147483648, 9223372036854775808, 1e300, 1e400, -1e400}' || more) value
UNION ALL
SELECT format('{"%s": %s}', name, value)
FROM (VALUES ('shrinkage', '{}'::text[]), ('user_exponent', '{2.001}'), ('source_exponent', '{2.001}'),
		('target_exponent', '{2.001}'), ('tversky_alpha', '{}'), ('tversky_beta', '{}'), ('bm25_k1', '{}'), ('bm25_b', '{1.001}')) o (name, more),
	 unnest('{-1e-9, -1, -2147483648, 1e400, -1e400}' || more) value
UNION ALL
SELECT format('{"half_life": "%s"}', value)
FROM unnest('{0, -1 day, 1 day -24:00:00}'::text[]) value
UNION ALL
-- not a number; a number that is no integer
SELECT format('{"%s": %s}', name, value)
FROM unnest('{neighbors, min_support, max_history, shrinkage, user_exponent, source_exponent, target_exponent,
			  tversky_alpha, tversky_beta, bm25_k1, bm25_b}'::text[]) name,
	 unnest(ARRAY['"NaN"', '"Infinity"', '"-Infinity"', '"1"', 'true', '[1]', '{}']) value
UNION ALL
SELECT format('{"%s": 1.5}', name) FROM unnest('{neighbors, min_support, max_history}'::text[]) name
UNION ALL
-- no such word; not a word
SELECT format('{"%s": %s}', name, value)
FROM unnest('{measure, weighting, repeats, truncate}'::text[]) name,
	 unnest(ARRAY['"cosin"', '""', '"COSINE"', '1', 'false', '["cosine"]', '{}']) value
UNION ALL
SELECT format('{"half_life": %s}', value) FROM unnest(ARRAY['7', 'true', '[]']) value
UNION ALL
-- no such option, or no options at all
SELECT options FROM unnest(ARRAY['{"mesure": "cosine"}', '{"": 1}', '{"Measure": "cosine"}', '{"neighbors": 5, "k": 5}',
		'{"kappa": 1}', '[]', '["measure"]', '"cosine"', '1',
		'{"measure": "pearson", "weighting": "log"}', '{"measure": "adjusted_cosine", "weighting": "binary"}']) options;

SELECT throws_ok(format('SELECT * FROM recommender.item_similarities(%L, %L)', 'VALUES (1, 2), (1, 3)', options),
				 '22023', NULL, format('query form refuses %s', options)) FROM oracle.wrong;
SELECT throws_ok(format('SELECT recommender.item_similarity_agg(u, i, 1, %L) FROM (VALUES (1, 2), (1, 3)) v (u, i)', options),
				 '22023', NULL, format('aggregate refuses %s', options)) FROM oracle.wrong;
SELECT throws_ok($$SELECT * FROM recommender.item_similarities('SELECT 1, 2 WHERE false', '{"neighbors": 0}')$$,
				 '22023', NULL, 'options are checked even when there are no rows');

-- what needs a time
SELECT throws_ok(format('SELECT recommender.item_similarity_agg(1, 2, 1, %L)', options),
				 '22023', NULL, format('aggregate has no time for %s', options))
FROM (VALUES ('{"half_life": "1 day"}'), ('{"repeats": "last"}')) v (options);

-- options of one aggregate call are one
SELECT throws_ok($$SELECT recommender.item_similarity_agg(u, u, 1, format('{"neighbors": %s}', u)::jsonb) FROM generate_series(1, 2) u$$,
				 '22023', NULL, 'options may not differ between rows');

-- weights that are no weights
SELECT throws_ok(format('SELECT * FROM recommender.item_similarities(%L)', format('SELECT 1, 2, %L::float8', weight)),
				 '22023', NULL, format('query form refuses the weight %s', weight)) FROM unnest('{NaN, Infinity, -Infinity}'::text[]) weight;
SELECT throws_ok(format('SELECT recommender.item_similarity_agg(1, 2, %L)', weight),
				 '22023', NULL, format('aggregate refuses the weight %s', weight)) FROM unnest('{NaN, Infinity, -Infinity}'::text[]) weight;

-- queries that are none, or yield the wrong columns
SELECT throws_ok(format('SELECT * FROM recommender.item_similarities(%L)', query), code, NULL, format('refused: %s', query))
FROM (VALUES ('SELECT 1', '22023'), ('SELECT', '22023'), ('SELECT 1, 2, 3, now(), 5', '22023'),
	('SELECT 1, 2, ''x''::text', '42804'), ('SELECT 1, 2, true', '42804'),
	('SELECT 1, 2, 3, 4', '42804'), ('SELECT 1, 2, 3, time ''12:00''', '42804'),
	('SELECT point(1, 1), 2', '42883'), ('SELECT 1, point(1, 1)', '42883'),
	('SELECT 1, json ''{}''', '42883'), ('SELECT xml ''<a/>'', 1', '42883'),
	('', '22023'), (' ; ', '22023'), ('SELECT 1, 2; SELECT 1, 3', '22023'), ('SELECT 1, 2; DROP TABLE oracle.big', '22023'),
	('DELETE FROM oracle.big', '22023'), ('DELETE FROM oracle.big RETURNING user_id, item_id', '0A000'),
	('WITH d AS (DELETE FROM oracle.big RETURNING user_id, item_id) TABLE d', '0A000'),
	('CREATE TABLE oracle.no (a int, b int)', '22023'), ('SELECT 1 AS a, 2 AS b INTO oracle.no', '22023'), ('COMMIT', '22023'),
	('SELECT $1, 2', '42P02'), ('SELECT 1, FROM', '42601'), ('TABLE oracle.missing', '42P01'),
	('SELECT 1 / 0, 2', '22012')) q (query, code);
SELECT is((SELECT count(*) FROM oracle.big), 20000::bigint, 'and nothing was deleted');
SELECT throws_ok('SELECT recommender.item_similarity_agg(point(1, 1), 1)', '42883', NULL, 'aggregate: user of a type without equality');
SELECT throws_ok('SELECT recommender.item_similarity_agg(1, json ''{}'')', '42883', NULL, 'aggregate: item of a type without equality');

-- ratings that are all the same say nothing, also where 0.1 + 0.1 + 0.1 is not 0.3
SELECT is_empty(format($$SELECT * FROM recommender.item_similarities(
				'SELECT u, i, 0.1 FROM generate_series(1, 3) u, generate_series(1, 3) i', '{"measure": "%s"}')$$, measure),
				format('%s of equal ratings', measure))
FROM unnest('{pearson, adjusted_cosine}'::text[]) measure;

SELECT * FROM finish();
ROLLBACK;
