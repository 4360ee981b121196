/*
 * test/pgtap/model_weights.sql
 *	  Weights of any size: what a refresh writes can be served.
 *
 * Each measure, weighting and model meets weights from 1e-300 to 1e300, alone
 * and mixed.  A refresh either refuses them with an error that names the row,
 * or the items, or its model serves every kind of call, with finite scores.
 * Then come the bounds of measures, and similarities that are 0 or negative
 * but for rounding, which are no neighbours.
 *
 * Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = error;

SELECT plan(79);

CREATE SCHEMA extreme;

-- Return a number in [0, 1) that depends on the words only.
CREATE FUNCTION extreme.draw(VARIADIC words anyarray) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || left(md5(words::text), 8))::bit(32)::bigint / 4294967296.0
$$;

/* ------------------------------------------------------------------------
 * Every size, measure, weighting and model
 * ------------------------------------------------------------------------ */

-- 12 users, 8 items; users 1 and 2 have an item twice
CREATE TABLE extreme.pair AS
SELECT u AS user_id, i AS item_id, timestamptz '2026-01-01' + u * interval '1 hour' AS at
FROM generate_series(1, 12) u, generate_series(1, 8) i WHERE (u * i) % 5 > 1
UNION ALL VALUES (1, 2, timestamptz '2026-01-02'), (2, 1, timestamptz '2026-01-02');

CREATE TABLE extreme.row (user_id int, item_id int, weight float8, at timestamptz);
CREATE INDEX ON extreme.row (user_id, at);
CREATE INDEX ON extreme.row (at);
CREATE TABLE extreme.item (id int PRIMARY KEY, kind text);
INSERT INTO extreme.item SELECT i, 'k' || i % 3 FROM generate_series(1, 9) i;

-- Weights by name: an expression of a row.
CREATE TABLE extreme.size (name text, expression text, out_of_range boolean DEFAULT false);
INSERT INTO extreme.size
SELECT e::text, format('1e%s::float8 * (1 + (user_id * 7 + item_id) %% 3)', e)
FROM unnest('{-300,-200,-100,-31,-30,-20,20,29,31,100,200,300}'::int[]) e
UNION ALL VALUES
	('mixed 200', '(ARRAY[1e-200, 1, 1e200])[1 + (user_id + item_id) % 3]::float8'),
	('mixed 29', '(ARRAY[1e-29, 1, 1e29])[1 + (user_id + item_id) % 3]::float8'),
	('one 1e300', 'CASE WHEN (user_id, item_id) = (3, 4) THEN 1e300 ELSE 1 END'),
	('one 1e29', 'CASE WHEN (user_id, item_id) = (3, 4) THEN 1e29 ELSE 1 END'),
	('one 1e-29', 'CASE WHEN (user_id, item_id) = (3, 4) THEN 1e-29 ELSE 1 END'),
	('one item 1e29', 'CASE WHEN item_id = 4 THEN 1e29 ELSE 1 END'),
	('signs 1e29', '1e29 * (1 - 2 * ((user_id + item_id) % 4 = 0)::int)'),
	('old', '0.5 ^ (40 * user_id)'),
	('decayed', '1');
UPDATE extreme.size SET out_of_range = true
WHERE name IN ('-300', '-200', '-100', '-31', '31', '100', '200', '300', 'mixed 200', 'one 1e300', 'old');

CREATE TABLE extreme.setting (options jsonb);
INSERT INTO extreme.setting
SELECT jsonb_build_object('measure', measure, 'weighting', weighting)
FROM unnest('{cosine,damped_cosine}'::text[]) measure, unnest('{none,binary,log,tfidf,bm25}'::text[]) weighting
UNION ALL
SELECT jsonb_build_object('measure', measure, 'weighting', 'none')
FROM unnest('{jaccard,dice,tversky,overlap,conditional,lift,pmi,npmi,llr,pearson,adjusted_cosine}'::text[]) measure
UNION ALL
SELECT jsonb_build_object('measure', 'damped_cosine', 'weighting', 'none', 'user_exponent', 1,
						  'source_exponent', s, 'target_exponent', t)
FROM unnest('{0,1,2}'::int[]) s, unnest('{0,1,2}'::int[]) t
UNION ALL
SELECT v::jsonb FROM (VALUES ('{"measure": "cosine", "weighting": "none", "shrinkage": 5}'),
	('{"model": "als", "als_factors": 4, "weighting": "none"}'), ('{"model": "als", "als_factors": 4, "weighting": "log"}'),
	('{"model": "ridge", "weighting": "none"}'), ('{"model": "ridge", "weighting": "bm25"}'),
	('{"model": "ridge", "weighting": "none", "ridge_damping": 2}'),
	('{"model": "ridge", "weighting": "none", "ridge_damping": -2, "ridge_exact_items": 0}')) v (v);

DO $$ BEGIN
	PERFORM recommender.create_recommender('extreme_r', 'extreme.row', time_column => 'at', weight_column => 'weight');
	PERFORM recommender.set_items('extreme_r', 'extreme.item', feature_columns => '{kind}');
END $$;

-- Set these options, and all others that this test uses to their defaults.
CREATE FUNCTION extreme.set(options jsonb) RETURNS void LANGUAGE sql AS $$
	SELECT recommender.set_options('extreme_r', '{"measure": null, "weighting": null, "model": null, "shrinkage": null,
		"user_exponent": null, "source_exponent": null, "target_exponent": null, "als_factors": null, "ridge_damping": null,
		"ridge_exact_items": null, "half_life": null, "min_support": 1, "content_kappa": 0}' || options)
$$;

-- Return what is wrong with a model, or with its refusal; '' when nothing is.
CREATE FUNCTION extreme.judge(setting jsonb, size extreme.size) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	bounded boolean := setting->>'model' IS NULL AND setting->>'measure' NOT IN ('damped_cosine', 'lift', 'pmi', 'llr');
	result text := '';
	found record;
BEGIN
	TRUNCATE extreme.row;
	EXECUTE format('INSERT INTO extreme.row SELECT user_id, item_id, %s, at FROM extreme.pair', size.expression);
	BEGIN
		PERFORM extreme.set(setting || CASE WHEN size.name = 'decayed' THEN '{"half_life": "2 minutes"}'::jsonb ELSE '{}' END);
		PERFORM recommender.refresh('extreme_r');
	EXCEPTION WHEN numeric_value_out_of_range THEN
		RETURN CASE WHEN SQLERRM ~ '^weight [-+.e0-9]+ of user [0-9]+ and item [0-9]+ is out of range$'
						 AND size.out_of_range
					  OR SQLERRM ~ '^similarity .* of item [0-9]+ to item [0-9]+ is too large' AND NOT bounded
					THEN '' ELSE 'refused: ' || SQLERRM END;
	END;
	SELECT count(*) FILTER (WHERE NOT (similarity > 0 AND similarity < 'infinity')) AS unfit,
		   count(*) FILTER (WHERE similarity > 1) AS above, count(*) AS n
	INTO found FROM extreme_r.neighbors WHERE kind = 'behaviour';
	IF found.unfit > 0 OR bounded AND found.above > 0 THEN
		result := format('%s of %s neighbours are unfit, %s above 1; ', found.unfit, found.n, found.above);
	END IF;
	IF found.n = 0 AND size.name NOT LIKE 'signs%'
	   AND setting->>'measure' NOT IN ('pearson', 'adjusted_cosine', 'pmi', 'npmi', 'llr')
	   AND bounded AND setting->'shrinkage' IS NULL THEN
		result := result || 'no neighbours; ';
	END IF;
	BEGIN
		SELECT count(*) FILTER (WHERE NOT (score > '-infinity' AND score < 'infinity')) AS unfit, count(*) AS n INTO found
		FROM (SELECT score FROM generate_series(1, 13) u, extreme_r.recommend(u, 5, options => '{"exclude_seen": false}')
			  UNION ALL SELECT score FROM generate_series(1, 8) i, extreme_r.similar_items(i, 5)
			  UNION ALL SELECT score FROM extreme_r.recommend_session('{1,3}', 5)
			  UNION ALL SELECT score FROM extreme_r.popular_items(5)
			  UNION ALL SELECT score FROM extreme_r.trending_items(5)
			  UNION ALL SELECT score FROM extreme_r.recommend_all(5)
			  UNION ALL SELECT extreme_r.score(u, 3) FROM generate_series(1, 12) u) s;
		IF found.unfit > 0 OR found.n < 13 * 5 + 8 THEN
			result := result || format('%s of %s scores are unfit; ', found.unfit, found.n);
		END IF;
		PERFORM extreme_r.explain(3, 2);
		IF size.name NOT IN ('-30', '29', 'mixed 29', 'one 1e29', 'decayed') THEN
			RETURN result;
		END IF;
		SELECT count(*) FILTER (WHERE NOT (value >= 0 AND value < 'infinity')) AS unfit INTO found
		FROM recommender.evaluate('extreme_r', store => false);
		IF found.unfit > 0 THEN
			result := result || format('%s metrics are unfit; ', found.unfit);
		END IF;
	EXCEPTION WHEN OTHERS THEN
		result := result || SQLSTATE || ' ' || SQLERRM;
	END;
	RETURN result;
END $$;

-- rows out of range are refused as they are read, whatever the options
SELECT is((SELECT string_agg(format('%s: %s', z.name, w), E'\n' ORDER BY z.name)
		   FROM (SELECT * FROM extreme.size WHERE NOT out_of_range OR s.options->>'weighting' IN ('bm25', 'binary') OFFSET 0) z,
				LATERAL extreme.judge(s.options, ROW(z.*)::extreme.size) w WHERE w <> ''), NULL,
		  format('weights of any size, %s', s.options))
FROM extreme.setting s ORDER BY s.options::text;

/* ------------------------------------------------------------------------
 * What is refused, and what it is called
 * ------------------------------------------------------------------------ */

SELECT throws_ok($$SELECT * FROM recommender.item_similarities('VALUES (1, 2, 1.0::float8), (1, 3, 1e200)')$$, '22003',
				 'weight 1e+200 of user 1 and item 3 is out of range', 'too large for Level 1');
SELECT throws_ok($$SELECT recommender.item_similarity_agg(1, 3, -1e-200::float8)$$, '22003',
				 'weight -1e-200 of user 1 and item 3 is out of range', 'too small for Level 1');
SELECT throws_ok($$SELECT * FROM recommender.evaluate_query('SELECT 1, 2', 'SELECT 1, 3, 1e31::float8')$$, '22003',
				 'weight 1e+31 of user 1 and item 3 is out of range', 'too large for an evaluation');
SELECT lives_ok($$SELECT * FROM recommender.item_similarities('VALUES (1, 2, 0::float8), (1, 3, 1e30), (1, 4, -1e-30)')$$,
				'0 and both ends of the range are weights');

-- the user's own newest row is refused as in a refresh
TRUNCATE extreme.row;
INSERT INTO extreme.row SELECT user_id, item_id, 1, at FROM extreme.pair;
DO $$ BEGIN
	PERFORM extreme.set('{"measure": "damped_cosine", "weighting": "none", "source_exponent": 0, "target_exponent": 0}');
	PERFORM recommender.refresh('extreme_r');
END $$;
INSERT INTO extreme.row VALUES (3, 7, 1e100, '2026-02-01');
SELECT throws_ok('SELECT * FROM extreme_r.recommend(3)', '22003', 'weight 1e+100 of item 7 is out of range', 'too large for a call');
DELETE FROM extreme.row WHERE weight > 1;

UPDATE extreme.row SET weight = 1e25;
SELECT throws_like($$SELECT recommender.refresh('extreme_r')$$, 'similarity %e+50 of item % to item % is too large',
				   'similarities that a model cannot store');
SELECT throws_like($$SELECT * FROM recommender.evaluate('extreme_r', store => false)$$, 'similarity %e+50 of item % to item % is too large',
				   'similarities that an evaluation cannot use');

/* ------------------------------------------------------------------------
 * Bounds
 * ------------------------------------------------------------------------ */

-- Pairs of items with the same users and weights, whose cosine is 1.
CREATE TABLE extreme.twin AS
SELECT u, pair * 2 + twin AS i, 1 + 9 * extreme.draw(u, pair) AS x
FROM generate_series(1, 40) u, generate_series(1, 60) pair, generate_series(0, 1) twin
WHERE extreme.draw(u, pair, 1) < 0.3;
-- Of 97 users the first n have both items of pair n.
CREATE TABLE extreme.prefix AS
SELECT u, pair * 2 + twin AS i, 1::float8 AS x
FROM generate_series(1, 97) u, generate_series(1, 97) pair, generate_series(0, 1) twin WHERE u <= pair;

SELECT is((SELECT count(*) FROM recommender.item_similarities(format('TABLE extreme.%I', data), o.options)
		   WHERE NOT (similarity > 0 AND similarity <= 1)), 0::bigint, format('bounds of %s, %s', o.options, data))
FROM (SELECT jsonb_build_object('measure', m) FROM unnest('{cosine,jaccard,dice,overlap,conditional,tversky,npmi,pearson,adjusted_cosine}'::text[]) m
	  UNION ALL SELECT jsonb_build_object('measure', 'cosine', 'weighting', w) FROM unnest('{log,tfidf,bm25}'::text[]) w) o (options),
	 unnest('{twin,prefix}'::text[]) data
ORDER BY data, o.options::text;

/* ------------------------------------------------------------------------
 * Rounding errors are no neighbours
 * ------------------------------------------------------------------------ */

-- Ratings from a level on, 2, 3, 4 or 6 of each user.
CREATE TABLE extreme.rating AS
SELECT level, u, i, (level + floor(3 * extreme.draw(u, i)))::float8 AS x
FROM unnest('{1,1000000,1000000000}'::bigint[]) level, generate_series(1, 48) u,
	 LATERAL (SELECT i FROM generate_series(1, 20) i ORDER BY extreme.draw(u, i, 7) LIMIT (ARRAY[2, 3, 4, 6])[1 + u % 4]) t;

-- Products of centred ratings, exact: whole numbers.
CREATE TABLE extreme.exact AS
WITH sums AS (
	SELECT level, u, i, x::numeric AS x,
		   count(*) OVER of_item AS n_i, sum(x::numeric) OVER of_item AS s_i,
		   count(*) OVER of_user AS n_u, sum(x::numeric) OVER of_user AS s_u
	FROM extreme.rating
	WINDOW of_item AS (PARTITION BY level, i), of_user AS (PARTITION BY level, u))
SELECT a.level, a.i, b.i AS j, sum((a.x * a.n_i - a.s_i) * (b.x * b.n_i - b.s_i)) AS pearson,
	   sum((a.x * a.n_u - a.s_u) * (b.x * b.n_u - b.s_u) * (12 / a.n_u) ^ 2) AS adjusted_cosine
FROM sums a JOIN sums b ON b.level = a.level AND b.u = a.u AND b.i <> a.i GROUP BY 1, 2, 3;

SELECT is((SELECT count(*) FROM extreme.exact WHERE 0 IN (pearson, adjusted_cosine)) > 20, true, 'there are products of 0 to be tested');
SELECT set_eq(format('SELECT item_id::int, similar_item_id::int FROM recommender.item_similarities(
						''SELECT u, i, x FROM extreme.rating WHERE level = %s'', ''{"measure": "%s"}'')', level, measure),
			  format('SELECT i, j FROM extreme.exact WHERE level = %s AND %I > 0', level, measure),
			  format('the neighbours by %s of ratings from %s are those of exact arithmetic', measure, level))
FROM unnest('{1,1000000,1000000000}'::bigint[]) level, unnest('{pearson,adjusted_cosine}'::text[]) measure;

-- independent items: c * N = n_i * n_j
SELECT is_empty(format('SELECT * FROM recommender.item_similarities(''SELECT u, i FROM generate_series(0, 48) u, generate_series(1, 3) i
						WHERE (ARRAY[u %% 7 < 3, u / 7 < 5, true])[i]'', ''{"measure": "%s"}'')', measure),
				format('no neighbours by %s of independent items', measure))
FROM unnest('{pmi,npmi,llr}'::text[]) measure;

SELECT results_eq($$SELECT item_id, similar_item_id, similarity FROM recommender.item_similarities(
						'VALUES (1, ''a'', 0.1::float8), (1, ''a'', 0.2), (1, ''a'', -0.3), (1, ''b'', 1), (1, ''c'', 1)')$$,
				  $$VALUES ('b', 'c', 1::float8), ('c', 'b', 1)$$, 'weights that add up to 0 but for rounding are none');

SELECT * FROM finish();
ROLLBACK;
