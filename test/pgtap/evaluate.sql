/*
 * test/pgtap/evaluate.sql
 *	  Evaluation against its definition, on splits made by SQL.
 *
 * The oracle gets the lists of a real recommender, refreshed on the training rows
 * alone, determines the relevant items in SQL, and computes the values of each
 * user by the metric functions (which evaluate_metric.sql checks).
 * evaluate_query() must return equal means for random data and options.
 * evaluate() must return the rows of evaluate_query() on an equal split made by
 * SQL or, for random splits, on the split that its own segments reveal.  Then come
 * planted leaks, intervals and p-values on data with a known truth, stored rows,
 * and errors.
 *
 * Data is drawn from md5 of its number, so that it is equal on every run.  Leaves
 * nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;

SELECT plan(232);

CREATE SCHEMA oracle;

/* ------------------------------------------------------------------------
 * Random data
 * ------------------------------------------------------------------------ */

-- Numbers from 0 to below 1: the four of a hash, and one by its number.
CREATE FUNCTION oracle.fraction(hash text, nth int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || substr(hash, nth * 8 - 7, 8))::bit(32)::bigint / 4294967296::float8
$$;
CREATE FUNCTION oracle.draw(n int, i int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT oracle.fraction(md5(n || ' ' || i), 1)
$$;
CREATE FUNCTION oracle.pick(choices text[], n int, i int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT choices[1 + floor(oracle.draw(n, i) * cardinality(choices))::int]
$$;

CREATE TABLE oracle.train (user_id int, item_id text, weight float8, at timestamptz, kind text);
CREATE TABLE oracle.test (LIKE oracle.train);
CREATE TABLE oracle.live (LIKE oracle.train);
CREATE INDEX ON oracle.train (user_id);
CREATE INDEX ON oracle.test (user_id);
CREATE INDEX ON oracle.live (user_id);

-- Forty-five users with up to 15 interactions each with 40 items, the first the most popular; times are days with
-- many ties, and some are not known.
CREATE FUNCTION oracle.rows(n int) RETURNS SETOF oracle.live LANGUAGE sql AS $$
	SELECT u, 'i' || floor(40 * oracle.fraction(hash, 1) ^ 2), round((oracle.fraction(hash, 2) * 4)::numeric, 1),
		   CASE WHEN oracle.fraction(hash, 3) < .95 THEN '2026-01-01'::timestamptz + floor(oracle.fraction(hash, 3) * 60) * interval '1 day' END,
		   ('{view,view,cart,purchase,hover}'::text[])[1 + floor(oracle.fraction(hash, 4) * 5)::int]
	FROM generate_series(1, 45) u, generate_series(1, 1 + floor(15 * oracle.draw(n, u + 30000) ^ 2)::int) i, md5(concat_ws(' ', 'row', n, u, i)) hash
$$;

-- All options that the oracle's recommender and a query need to agree on.
CREATE FUNCTION oracle.random_options(n int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('measure', m, 'min_support', oracle.pick('{1,1,2}', n, 2)::int,
		'weighting', CASE WHEN m IN ('pearson', 'adjusted_cosine') THEN 'none' ELSE oracle.pick('{none,binary,log,tfidf,bm25}', n, 3) END,
		'neighbors', oracle.pick('{1,5,100}', n, 4)::int, 'shrinkage', oracle.pick('{0,0,2}', n, 5)::int,
		'user_exponent', oracle.draw(n, 6), 'source_exponent', oracle.draw(n, 7), 'target_exponent', oracle.draw(n, 8),
		'truncate', oracle.pick('{source,target}', n, 9), 'repeats', oracle.pick('{sum,max,last,binary}', n, 10),
		'half_life', oracle.pick('{NULL,20 days}', n, 11), 'kappa', oracle.pick('{0.3,1,3}', n, 12)::numeric,
		'history', oracle.pick('{1,3,100}', n, 13)::int, 'exclude_seen', oracle.draw(n, 14) < .8,
		'blend', jsonb_build_object('behaviour', oracle.pick('{0,1,1}', n, 15)::int, 'popularity', oracle.pick('{0,0.1,1}', n, 16)::numeric,
									'trend', oracle.pick('{0,0,0.3}', n, 17)::numeric))
	FROM oracle.pick('{cosine,damped_cosine,jaccard,dice,tversky,overlap,conditional,lift,pmi,npmi,llr,pearson,adjusted_cosine}', n, 1) m
$$;

/* ------------------------------------------------------------------------
 * The oracle
 * ------------------------------------------------------------------------ */

SELECT recommender.create_recommender('recs', 'oracle.train', time_column => 'at', weight_column => 'weight');
SELECT recommender.create_recommender('kinds', 'oracle.train', time_column => 'at', weight_column => 'weight', event_column => 'kind',
	event_weights => '{"view": 1, "cart": 2, "purchase": 5}');

-- The list of each user in the test set, the relevant items, and properties of items and users.
CREATE TABLE oracle.list (strategy text, user_id int, items text[]);
CREATE TABLE oracle.relevant (user_id int, item_id text, segment text);
CREATE TABLE oracle.history (user_id int, segment text);
CREATE TABLE oracle.item (item_id text, segment text);

-- The first three are strategies of the oracle's recommender.
CREATE FUNCTION oracle.strategies() RETURNS TABLE (strategy text, options jsonb) LANGUAGE sql AS $$
	VALUES ('recommender', '{}'::jsonb),
		   ('behaviour', '{"blend": {"behaviour": 1, "popularity": 0, "trend": 0}, "kappa": 0}'),
		   ('popularity', '{"blend": {"behaviour": 0, "popularity": 1, "trend": 0}, "kappa": 1e9}')
$$;

-- Fill all of this from the tables train and test and a recommender refreshed on train; "seen" says which of
-- the rows of train make an item one that the user has, and "weights" what test's rows weigh.
CREATE FUNCTION oracle.take(recommender text, largest_k int, seen text DEFAULT 'true', weights text DEFAULT 'coalesce(weight, 1)', filter jsonb DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE oracle.list, oracle.relevant, oracle.history, oracle.item;
	EXECUTE format('INSERT INTO oracle.list
		SELECT s.strategy, user_id, array_agg(item_id ORDER BY rank)
		FROM oracle.strategies() s, %1$I.recommend_all($1, filter => $2, options => options) GROUP BY s.strategy, user_id', recommender) USING largest_k, filter;
	-- whoever is new, and whoever has had everything
	EXECUTE format('INSERT INTO oracle.list
		SELECT s.strategy, user_id, ARRAY(SELECT item_id FROM %1$I.recommend(user_id, $1, filter => $2, options => options) ORDER BY rank)
		FROM oracle.strategies() s, (SELECT DISTINCT user_id FROM oracle.test) t
		WHERE NOT EXISTS (SELECT FROM oracle.list l WHERE l.user_id = t.user_id AND l.strategy = s.strategy)', recommender) USING largest_k, filter;
	EXECUTE format('INSERT INTO oracle.item
		SELECT item_id, CASE WHEN users = 0 THEN ''items: new'' WHEN item_no < 0.2 * count(*) FILTER (WHERE users > 0) OVER () THEN ''items: head'' ELSE ''items: tail'' END FROM %I.item
		WHERE generation = (SELECT generation FROM %1$I.definition)', recommender);
	EXECUTE format('INSERT INTO oracle.relevant
		SELECT user_id, item_id, coalesce((SELECT segment FROM oracle.item i WHERE i.item_id = t.item_id), ''items: new'')
		FROM oracle.test t
		WHERE user_id IS NOT NULL AND item_id IS NOT NULL AND NOT EXISTS (SELECT FROM oracle.train h WHERE h.user_id = t.user_id AND h.item_id = t.item_id AND %s)
		GROUP BY user_id, item_id HAVING sum(%s) > 0', seen, weights);
	EXECUTE format('INSERT INTO oracle.history
		SELECT user_id, CASE WHEN n = 0 THEN ''users: new'' WHEN n < 10 THEN ''users: light'' ELSE ''users: heavy'' END
		FROM (SELECT DISTINCT user_id FROM oracle.relevant) r,
			 LATERAL (SELECT count(DISTINCT item_id) AS n FROM oracle.train h WHERE h.user_id = r.user_id AND %s IS NOT NULL) h', weights);
END $$;

-- Users and items of the training rows; the share of users who have an item, of one user if none has it; the similarity
-- of two items.
CREATE TABLE oracle.has (user_id int, item_id text);
CREATE FUNCTION oracle.share(item text) RETURNS float8 LANGUAGE sql AS $$
	SELECT greatest((SELECT count(*) FROM oracle.has h WHERE h.item_id = item), 1)::float8 / greatest((SELECT count(DISTINCT user_id) FROM oracle.has), 1)
$$;
CREATE FUNCTION oracle.cosine(a text, b text) RETURNS float8 LANGUAGE sql AS $$
	SELECT coalesce(count(*) FILTER (WHERE x AND y) / nullif(sqrt(count(*) FILTER (WHERE x) * count(*) FILTER (WHERE y))::float8, 0), 0)
	FROM (SELECT bool_or(item_id = a) AS x, bool_or(item_id = b) AS y FROM oracle.has GROUP BY user_id) u
$$;

CREATE FUNCTION oracle.metric(metric text, items text[], relevant text[], expected text[], k int) RETURNS float8 LANGUAGE sql AS $$
	SELECT CASE metric
		WHEN 'ndcg' THEN recommender.ndcg(items, relevant, k)
		WHEN 'recall' THEN recommender.recall(items, relevant, k)
		WHEN 'precision' THEN recommender.precision(items, relevant, k)
		WHEN 'hit_rate' THEN recommender.hit_rate(items, relevant, k)
		WHEN 'average_precision' THEN recommender.average_precision(items, relevant, k)
		WHEN 'reciprocal_rank' THEN recommender.reciprocal_rank(items, relevant, k)
		WHEN 'serendipity' THEN recommender.serendipity(items, relevant, expected[:k], k) END
$$;

-- Metrics of lists; similarities of pairs are looked up, for speed.
CREATE TABLE oracle.alike (a text, b text, cosine float8, PRIMARY KEY (a, b));
CREATE FUNCTION oracle.list_metric(metric text, items text[], k int) RETURNS float8 LANGUAGE sql AS $$
	SELECT CASE metric
		WHEN 'average_popularity' THEN (SELECT recommender.average_popularity(oracle.share(i)) FROM unnest(items[:k]) i)
		WHEN 'novelty' THEN (SELECT recommender.novelty(oracle.share(i)) FROM unnest(items[:k]) i)
		WHEN 'intra_list_diversity' THEN
			(SELECT recommender.intra_list_diversity(cosine) FROM oracle.alike WHERE a = ANY (items[:k]) AND b = ANY (items[:k])) END
$$;

-- The value of each user; segments of items say which of the relevant items count.
CREATE TABLE oracle.value (user_id int, strategy text, segment text, metric text, k int, value float8);
CREATE TABLE oracle.asked (metric text, k int);
CREATE FUNCTION oracle.take_values(metrics text[], ks int[]) RETURNS void LANGUAGE sql AS $$
	TRUNCATE oracle.value, oracle.asked, oracle.has, oracle.alike;
	INSERT INTO oracle.asked SELECT metric, k FROM unnest(metrics) metric, unnest(ks) k;
	INSERT INTO oracle.has SELECT DISTINCT user_id, item_id FROM oracle.train
		WHERE user_id IS NOT NULL AND item_id IS NOT NULL AND coalesce(weight, 1) > 0;
	INSERT INTO oracle.alike
		SELECT a, b, oracle.cosine(a, b)
		FROM (SELECT DISTINCT unnest(items) AS a FROM oracle.list) x, (SELECT DISTINCT unnest(items) AS b FROM oracle.list) y
		WHERE a < b AND 'intra_list_diversity' = ANY (metrics);
	INSERT INTO oracle.value
	SELECT user_id, l.strategy, segment, metric, k, oracle.metric(metric, l.items, relevant, e.items, k)
	FROM (SELECT user_id, coalesce(segment, 'all') AS segment, array_agg(item_id) AS relevant
		  FROM oracle.relevant GROUP BY GROUPING SETS ((user_id), (user_id, segment))) r
	JOIN oracle.list l USING (user_id) JOIN oracle.list e USING (user_id), oracle.asked
	WHERE e.strategy = 'popularity' AND metric NOT IN ('average_popularity', 'novelty', 'intra_list_diversity', 'coverage', 'gini')
	UNION ALL
	SELECT user_id, strategy, 'all', metric, k, oracle.list_metric(metric, items, k)
	FROM (SELECT DISTINCT user_id FROM oracle.relevant) r JOIN oracle.list l USING (user_id), oracle.asked
	WHERE metric IN ('average_popularity', 'novelty', 'intra_list_diversity')
$$;

-- The expected rows of evaluate(), without intervals.
CREATE VIEW oracle.expected AS
SELECT strategy, segment, metric, k, avg(value) AS value, count(value) AS users FROM oracle.value GROUP BY strategy, segment, metric, k HAVING count(value) > 0
UNION ALL
SELECT strategy, h.segment, metric, k, avg(value), count(value)
FROM oracle.value v JOIN oracle.history h USING (user_id) WHERE v.segment = 'all' GROUP BY strategy, h.segment, metric, k HAVING count(value) > 0
UNION ALL
SELECT strategy, 'all', metric, k, CASE metric WHEN 'coverage' THEN recommender.catalog_coverage(shown) ELSE recommender.gini(shown) END,
	   (SELECT count(*) FROM oracle.history)
FROM (SELECT strategy, item_id, metric, k, (SELECT count(*) FROM oracle.history JOIN oracle.list l USING (user_id)
											WHERE l.strategy = s.strategy AND i.item_id = ANY (l.items[:k]))::float8 AS shown
	  FROM oracle.strategies() s, oracle.item i, oracle.asked WHERE metric IN ('coverage', 'gini')) e
WHERE EXISTS (SELECT FROM oracle.history)
GROUP BY strategy, metric, k;

-- The differences from the expected rows, '' for none.
CREATE FUNCTION oracle.difference(given recommender.evaluation[]) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(concat_ws(' ', strategy, segment, metric, k, g.value, g.users, 'not', e.value, e.users), E'\n'), '')
	FROM unnest(given) g FULL JOIN oracle.expected e USING (strategy, segment, metric, k)
	WHERE (g.users = e.users AND abs(g.value - e.value) < 1e-9) IS NOT TRUE
$$;

/* ------------------------------------------------------------------------
 * evaluate_query
 * ------------------------------------------------------------------------ */

-- One random data set, split at random: test may have users and items that train does not have.
CREATE FUNCTION oracle.take_dataset(n int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE oracle.train, oracle.test;
	WITH r AS (SELECT *, oracle.draw(n, 40000 + row_number() OVER ()::int) < .7 AND user_id <= 40 AS is_train FROM oracle.rows(n)),
	test AS (INSERT INTO oracle.test
			 SELECT user_id, CASE WHEN oracle.draw(n, user_id + 50000) < .2 THEN replace(item_id, 'i', 'n') ELSE item_id END, weight - 0.5, at + interval '30 days', kind
			 FROM r WHERE NOT is_train)
	INSERT INTO oracle.train SELECT user_id, item_id, nullif(weight + 0.1, 2.1), at, kind FROM r WHERE is_train;
	INSERT INTO oracle.train VALUES (NULL, 'i1', 1, '2027-01-01'), (1, NULL, 1, '2027-01-01');
	INSERT INTO oracle.test VALUES (NULL, 'i1', 1, '2027-01-01'), (1, NULL, 1, '2027-01-01');
$$;

CREATE FUNCTION oracle.query_difference(n int, ks int[], metrics text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE options jsonb := oracle.random_options(n);
BEGIN
	PERFORM oracle.take_dataset(n);
	PERFORM recommender.set_options('recs', options);
	PERFORM recommender.refresh('recs');
	PERFORM oracle.take('recs', (SELECT max(k) FROM unnest(ks) k), CASE WHEN options ->> 'exclude_seen' = 'true' THEN 'true' ELSE 'false' END);
	PERFORM oracle.take_values(metrics, ks);
	RETURN oracle.difference(ARRAY(
		SELECT e FROM recommender.evaluate_query('SELECT user_id, item_id, weight, at FROM oracle.train', 'SELECT user_id, item_id, weight, at FROM oracle.test',
												 ks, metrics, options, 0) e));
END $$;

SELECT is(oracle.query_difference(n, CASE n % 3 WHEN 0 THEN '{1,5}' WHEN 1 THEN '{3,50}' ELSE '{10}' END::int[],
								CASE WHEN n % 2 = 0 THEN '{ndcg,recall,precision,hit_rate,average_precision,reciprocal_rank}'
								ELSE '{gini,intra_list_diversity,ndcg,novelty,serendipity,average_popularity,coverage}' END::text[]), '', 'data set ' || n)
FROM generate_series(1, 20) n;

-- Users who have all items, or none of the model, are evaluated; those without relevant items are not.
TRUNCATE oracle.train, oracle.test;
INSERT INTO oracle.train (user_id, item_id) VALUES (1, 'a'), (1, 'b'), (2, 'a'), (2, 'c'), (3, 'a'), (3, 'b'), (3, 'c');
INSERT INTO oracle.test (user_id, item_id) VALUES (1, 'a'), (1, 'b'), (2, 'a'), (2, 'b'), (3, 'z'), (4, 'c'), (4, 'b'), (4, 'y');
SELECT results_eq($$SELECT metric, value, users FROM recommender.evaluate_query('SELECT user_id, item_id FROM oracle.train', 'SELECT user_id, item_id FROM oracle.test',
						k => '{1,9}', metrics => '{hit_rate,recall}', resamples => 0)
					WHERE strategy = 'recommender' AND segment = 'all' AND k = 9 AND metric IN ('hit_rate', 'recall')$$,
				  $$VALUES ('hit_rate', 2 / 3.0::float8, 3::bigint), ('recall', (1 + 0 + 2 / 3.0::float8) / 3, 3)$$,
				  'what is new to the user is relevant, also what train does not have');
-- ... even if the model has not: a weight of zero, and a history that is too short for it
SELECT is_empty($$SELECT * FROM recommender.evaluate_query('VALUES (1, 1, 1), (1, 2, 0), (2, 1, 1), (2, 3, 1)', 'SELECT 1, 2', resamples => 0)$$,
				'nothing of the user''s own is relevant, though the model does not know it');
SELECT is_empty($$SELECT * FROM recommender.evaluate_query('VALUES (1, 1, 1, date ''2026-01-02''), (1, 2, 1, ''2026-01-01''), (2, 1, 1, ''2026-01-01'')', 'SELECT 1, 2',
															options => '{"max_history": 1}', resamples => 0)$$, 'nor what its history was cut by');
SELECT results_eq($$SELECT value, users FROM recommender.evaluate_query('VALUES (1, 1), (1, 2), (2, 1), (2, 2), (2, 3)', 'SELECT 1, 2', metrics => '{recall}', resamples => 0,
																		 options => '{"exclude_seen": false}') WHERE strategy = 'recommender' AND segment = 'all' AND metric = 'recall'$$,
				  $$VALUES (1::float8, 1::bigint)$$, 'unless it would be recommended again');
SELECT results_eq($$SELECT strategy, segment, value, users FROM recommender.evaluate_query('SELECT 1, 1 WHERE false', 'SELECT 1, 2', metrics => '{recall}', resamples => 0)
					WHERE segment LIKE 'items%'$$,
				  $$SELECT s, 'items: new', 0::float8, 1::bigint FROM unnest('{recommender,behaviour,popularity}'::text[]) s$$, 'without training rows all is new');
SELECT is_empty($$SELECT * FROM recommender.evaluate_query('SELECT 1, 1', 'SELECT 1, 2 WHERE false')$$, 'without test rows there is nothing to say');
-- a metric or a k that is named twice has one row
SELECT results_eq($$SELECT strategy, segment, metric, k FROM recommender.evaluate_query('VALUES (1, 1), (2, 2)', 'VALUES (1, 2)', k => '{5,10,5}', metrics => '{ndcg,recall,ndcg}')
					WHERE strategy = 'recommender' AND segment = 'all' AND metric IN ('ndcg', 'recall')$$,
				  $$VALUES ('recommender', 'all', 'ndcg', 5), ('recommender', 'all', 'ndcg', 10), ('recommender', 'all', 'recall', 5), ('recommender', 'all', 'recall', 10)$$,
				  'what is asked for twice is answered once');

/* ------------------------------------------------------------------------
 * evaluate: splits that SQL can make
 * ------------------------------------------------------------------------ */

SELECT recommender.create_recommender('live', 'oracle.live', time_column => 'at', weight_column => 'weight');
SELECT recommender.create_recommender('events', 'oracle.live', time_column => 'at', weight_column => 'weight', event_column => 'kind',
	event_weights => '{"view": 1, "cart": 2, "purchase": 5}');

CREATE FUNCTION oracle.take_live(n int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE oracle.live;
	INSERT INTO oracle.live SELECT user_id, item_id, nullif(weight + 0.1, 2.1), at, kind FROM oracle.rows(n);
$$;

-- The newest share of the interactions is divided into windows; one is the test set, the rows before it are train.  Rows
-- without a time are the oldest.
CREATE FUNCTION oracle.split_by_time(share numeric, cuts int, cut int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE oracle.train, oracle.test;
	WITH r AS (SELECT *, coalesce(at, '-infinity') AS t FROM oracle.live),
	sorted AS (SELECT array_agg(t ORDER BY t) AS t, count(*) AS n FROM r),
	-- the first row of the window, and the first after it, counting from 0
	bounds AS (SELECT t[1 + floor(n * ((1 - share) * cuts + cut * share) / cuts)::int] AS t0,
					  coalesce(t[1 + floor(n * ((1 - share) * cuts + (cut + 1) * share) / cuts)::int], 'infinity') AS t1 FROM sorted),
	test AS (INSERT INTO oracle.test SELECT user_id, item_id, weight, at, kind FROM r, bounds WHERE t >= t0 AND t < t1)
	INSERT INTO oracle.train SELECT user_id, item_id, weight, at, kind FROM r, bounds WHERE t < t0;
$$;
CREATE FUNCTION oracle.leave_last(last int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE oracle.train, oracle.test;
	WITH r AS (SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY at DESC NULLS LAST, item_id DESC, coalesce(weight, 1) DESC) AS nth FROM oracle.live),
	test AS (INSERT INTO oracle.test SELECT user_id, item_id, weight, at, kind FROM r WHERE nth <= last)
	INSERT INTO oracle.train SELECT user_id, item_id, weight, at, kind FROM r WHERE nth > last;
$$;
CREATE FUNCTION oracle.evaluate_split(options jsonb, resamples int DEFAULT 20, seed bigint DEFAULT 0, k int[] DEFAULT '{5,10}')
RETURNS SETOF recommender.evaluation LANGUAGE sql AS $$
	SELECT * FROM recommender.evaluate_query('SELECT user_id, item_id, weight, at FROM oracle.train', 'SELECT user_id, item_id, weight, at FROM oracle.test',
											 k => k, options => options, resamples => resamples, seed => seed)
$$;

-- How the rows differ, to the last digit, intervals and all; "make" fills train and test from live.
CREATE FUNCTION oracle.split_difference(n int, make text, split text, share float8, last int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	options jsonb := oracle.random_options(n);
	given recommender.evaluation[];
	wanted recommender.evaluation[];
BEGIN
	PERFORM oracle.take_live(n);
	EXECUTE 'SELECT ' || make;
	given := ARRAY(SELECT e FROM recommender.evaluate('live', split => split, test_share => share, last => last, k => '{5,10}', options => options,
													  resamples => 20, seed => n, store => false) e);
	wanted := ARRAY(SELECT e FROM oracle.evaluate_split(options, 20, n) e);
	RETURN CASE WHEN cardinality(wanted) = 0 THEN 'nothing to compare'
				WHEN given <> wanted THEN (SELECT string_agg(g || ' not ' || w, E'\n') FROM unnest(given, wanted) AS u (g, w) WHERE g IS DISTINCT FROM w) END;
END $$;
SELECT is(oracle.split_difference(n::int, format('oracle.split_by_time(%s, 1, 0)', share), 'time', share, 1), NULL, 'time, share ' || share)
FROM unnest('{0.2,0.3,0.05,0.9}'::numeric[]) WITH ORDINALITY s (share, n);
SELECT is(oracle.split_difference(n::int + 4, format('oracle.leave_last(%s)', last), 'leave_last', 0.2, last), NULL, 'leave_last, last ' || last)
FROM unnest('{1,2,5,10000}'::int[]) WITH ORDINALITY s (last, n);

-- Several cuts: the values of the users of all windows together.
CREATE FUNCTION oracle.cuts_difference(n int, share numeric, cuts int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE rows recommender.evaluation[] := '{}';
BEGIN
	FOR cut IN 0 .. cuts - 1 LOOP
		PERFORM oracle.split_by_time(share, cuts, cut);
		rows := rows || ARRAY(SELECT e FROM oracle.evaluate_split(oracle.random_options(n), 0) e WHERE metric NOT IN ('coverage', 'gini'));
	END LOOP;
	RETURN (SELECT string_agg(concat_ws(' ', strategy, segment, metric, k, g.value, g.users, 'not', e.value, e.users), E'\n')
			FROM (SELECT strategy, segment, metric, k, sum(value * users) / sum(users) AS value, sum(users) AS users FROM unnest(rows) GROUP BY 1, 2, 3, 4) e
			FULL JOIN (SELECT * FROM recommender.evaluate('live', test_share => share, cuts => cuts, k => '{5,10}', options => oracle.random_options(n), resamples => 0, store => false)
					   WHERE metric NOT IN ('coverage', 'gini')) g USING (strategy, segment, metric, k)
			WHERE (g.users = e.users AND abs(g.value - e.value) < 1e-9) IS NOT TRUE);
END $$;
SELECT oracle.take_live(9);
SELECT is(oracle.cuts_difference(9, share, cuts), NULL, format('time, share %s, %s cuts', share, cuts)) FROM (VALUES (0.5, 2), (0.3, 3), (0.2, 7)) c (share, cuts);
-- Windows of one interaction each, though 1 - 0.3 + 0.1 is a little less than 0.8.
TRUNCATE oracle.live;
INSERT INTO oracle.live (user_id, item_id, at) SELECT n, 'i' || n % 3, '2026-01-01'::timestamptz + n * interval '1 day' FROM generate_series(1, 10) n;
SELECT is(oracle.cuts_difference(9, 0.3, 3), NULL, 'windows are even');

-- Events: those without a weight are neither training nor test rows, and items not bought may be recommended again.
SELECT oracle.take_live(10), oracle.split_by_time(0.3, 1, 0);
SELECT recommender.set_options('kinds', '{"min_support": 1}');
SELECT recommender.refresh('kinds');
SELECT oracle.take('kinds', 10, $$kind = 'purchase'$$, $$CASE kind WHEN 'view' THEN 1 WHEN 'cart' THEN 2 WHEN 'purchase' THEN 5 END * coalesce(weight, 1)$$),
	   oracle.take_values('{ndcg,recall}', '{10}');
SELECT is(oracle.difference(ARRAY(SELECT e FROM recommender.evaluate('events', test_share => 0.3, metrics => '{ndcg,recall}', options => '{"min_support": 1}', resamples => 0, store => false) e)),
		  '', 'events');
SELECT oracle.take('kinds', 10, $$kind IN ('view', 'hover')$$, $$CASE kind WHEN 'view' THEN 1 WHEN 'cart' THEN 2 WHEN 'purchase' THEN 5 END * coalesce(weight, 1)$$)
FROM recommender.set_options('kinds', '{"seen_events": ["view", "hover"]}');
SELECT oracle.take_values('{ndcg,recall}', '{10}');
SELECT is(oracle.difference(ARRAY(SELECT e FROM recommender.evaluate('events', test_share => 0.3, metrics => '{ndcg,recall}', options => '{"min_support": 1, "seen_events": ["view", "hover"]}',
																	 resamples => 0, store => false) e)), '', 'other events are seen');
-- the last interaction is the last that has a weight; here everyone hovers at the end
INSERT INTO oracle.live SELECT DISTINCT user_id, 'i0', 1, '2027-01-01'::timestamptz, 'hover' FROM oracle.live;
SELECT is(min(users), (SELECT count(*) FROM (SELECT DISTINCT ON (user_id) * FROM oracle.live WHERE kind <> 'hover' ORDER BY user_id, at DESC NULLS LAST, item_id DESC, weight DESC) l
					   WHERE NOT EXISTS (SELECT FROM oracle.live h WHERE h.user_id = l.user_id AND h.item_id = l.item_id AND h.kind = 'purchase'
										 AND (coalesce(h.at, '-infinity'), h.weight, h.kind) < (coalesce(l.at, '-infinity'), l.weight, l.kind))),
		  'leave_last passes over what has no weight')
FROM recommender.evaluate('events', split => 'leave_last', resamples => 0, store => false) WHERE segment = 'all';

/* ------------------------------------------------------------------------
 * evaluate: splits that are drawn
 * ------------------------------------------------------------------------ */

-- A segment per user returns the values of each user, and reveals the users of the test set.
CREATE FUNCTION oracle.by_user(split text, share float8 DEFAULT 0.2, last int DEFAULT 1, seed bigint DEFAULT 0, options jsonb DEFAULT '{}', sample int DEFAULT NULL,
							   OUT user_id int, OUT strategy text, OUT value float8)
RETURNS SETOF record LANGUAGE sql AS $$
	SELECT substr(segment, 10)::int, strategy, value
	FROM recommender.evaluate('live', split => split, test_share => share, last => last, seed => seed, options => options, sample => sample, metrics => '{ndcg}',
							  segments => 'SELECT user_id, user_id::text FROM oracle.live', resamples => 0, store => false)
	WHERE segment LIKE 'segment: %'
$$;

-- Users whose history is known to serving alone: a recommender that was refreshed without them answers them live.
-- There are no duplicates here, so that all users drawn have relevant items.
CREATE FUNCTION oracle.users_difference(n int, share float8, last int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE options jsonb := oracle.random_options(n);
BEGIN
	PERFORM oracle.take_live(n);
	DELETE FROM oracle.live a USING oracle.live b WHERE a.user_id = b.user_id AND a.item_id = b.item_id AND a.ctid < b.ctid;
	PERFORM oracle.leave_last(last);
	CREATE TEMP TABLE drawn ON COMMIT DROP AS SELECT DISTINCT user_id FROM oracle.by_user('users', share, last, n);
	DELETE FROM oracle.test t WHERE NOT EXISTS (SELECT FROM drawn d WHERE d.user_id = t.user_id);
	CREATE TEMP TABLE histories ON COMMIT DROP AS SELECT * FROM oracle.train t WHERE EXISTS (SELECT FROM drawn d WHERE d.user_id = t.user_id);
	TRUNCATE oracle.train;
	INSERT INTO oracle.train SELECT * FROM oracle.live t WHERE NOT EXISTS (SELECT FROM drawn d WHERE d.user_id = t.user_id);
	PERFORM recommender.set_options('recs', options);
	PERFORM recommender.refresh('recs');
	INSERT INTO oracle.train SELECT * FROM histories;
	PERFORM oracle.take('recs', 10, CASE WHEN options ->> 'exclude_seen' = 'true' THEN 'true' ELSE 'false' END);
	PERFORM oracle.take_values('{ndcg,recall}', '{5,10}');
	DROP TABLE drawn, histories;
	RETURN oracle.difference(ARRAY(
		SELECT e FROM recommender.evaluate('live', split => 'users', test_share => share, last => last, seed => n, k => '{5,10}', metrics => '{ndcg,recall}',
										   options => options, resamples => 0, store => false) e));
END $$;
SELECT is(oracle.users_difference(n + 8, share, last), '', format('users, share %s, last %s', share, last))
FROM (VALUES (1, 0.2, 1), (2, 0.5, 3), (3, 0.8, 2)) s (n, share, last);

-- At random: of users with one interaction each, those who are not in the test are trained on.
TRUNCATE oracle.live;
INSERT INTO oracle.live (user_id, item_id) SELECT u, 'i' || floor(12 * oracle.draw(1, u) ^ 2) FROM generate_series(1, 300) u;
CREATE FUNCTION oracle.take_random(seed bigint) RETURNS void LANGUAGE sql AS $$
	TRUNCATE oracle.train, oracle.test;
	WITH drawn AS MATERIALIZED (SELECT DISTINCT user_id FROM oracle.by_user('random', 0.3, seed => seed)),
	test AS (INSERT INTO oracle.test SELECT l.* FROM oracle.live l JOIN drawn USING (user_id))
	INSERT INTO oracle.train SELECT * FROM oracle.live l WHERE NOT EXISTS (SELECT FROM drawn d WHERE d.user_id = l.user_id);
$$;
SELECT oracle.take_random(7);
SELECT results_eq($$SELECT * FROM recommender.evaluate('live', split => 'random', test_share => 0.3, seed => 7, k => '{5,10}', resamples => 20, store => false, options => '{"min_support": 1}')$$,
				  $$SELECT * FROM oracle.evaluate_split('{"min_support": 1}', 20, 7)$$, 'random, one interaction each');
SELECT ok((SELECT count(*) FROM oracle.test) BETWEEN 90 - 24 AND 90 + 24, 'random: the share of interactions, within three standard deviations');
SELECT isnt(array_agg(user_id ORDER BY user_id), (SELECT array_agg(DISTINCT user_id ORDER BY user_id) FROM oracle.by_user('random', 0.3, seed => 8)), 'random: another seed, other interactions')
FROM oracle.test;

-- ... of users with many, each is drawn independently: the hits and misses of lists of all items are the interactions
-- drawn.
SELECT oracle.take_live(12);
DELETE FROM oracle.live a USING oracle.live b WHERE a.user_id = b.user_id AND a.item_id = b.item_id AND a.ctid < b.ctid;
SELECT ok(sum(value * users * 10000) BETWEEN n * 0.2 - 3 * sqrt(n * 0.16) - 4 AND n * 0.2 + 3 * sqrt(n * 0.16), 'random: the share of interactions of users with many')
FROM recommender.evaluate('live', split => 'random', k => '{10000}', metrics => '{precision}', resamples => 0, store => false), (SELECT count(*) AS n FROM oracle.live) l
WHERE strategy = 'popularity' AND segment = 'all' AND metric = 'precision' GROUP BY n;
SELECT ok(count(*) BETWEEN 4 AND 14, 'users: the share of users') FROM oracle.by_user('users') WHERE strategy = 'recommender';
SELECT results_ne('SELECT DISTINCT user_id FROM oracle.by_user(''users'') ORDER BY 1', 'SELECT DISTINCT user_id FROM oracle.by_user(''users'', seed => 1) ORDER BY 1', 'users: another seed, other users');
SELECT results_eq('SELECT * FROM oracle.by_user(''users'', seed => 5)', 'SELECT * FROM oracle.by_user(''users'', seed => 5)', 'users: the same seed, the same users');

-- A sample has the values that its users have among all.
SELECT is(count(DISTINCT user_id)::int, 10, 'a sample of ten') FROM oracle.by_user('time', 0.5, sample => 10);
SELECT set_has('SELECT * FROM oracle.by_user(''time'', 0.5)', 'SELECT * FROM oracle.by_user(''time'', 0.5, sample => 10)', 'the sample is one of the same users');
SELECT isnt(array_agg(user_id ORDER BY user_id), (SELECT array_agg(user_id ORDER BY user_id) FROM oracle.by_user('time', 0.5, sample => 10, seed => 1) WHERE strategy = 'recommender'), 'another seed, another sample')
FROM oracle.by_user('time', 0.5, sample => 10) WHERE strategy = 'recommender';
SELECT results_eq('SELECT * FROM oracle.by_user(''time'', 0.5, sample => 1000)', 'SELECT * FROM oracle.by_user(''time'', 0.5)', 'a sample larger than all is all');
-- each user has the same chance: 40 samples of ten
SELECT ok(max(n) <= 22 AND min(n) >= 2 AND count(*) = (SELECT count(DISTINCT user_id) FROM oracle.by_user('time', 0.5)), 'no user is preferred: ' || min(n) || ' to ' || max(n) || ' times of 40')
FROM (SELECT user_id, count(*) AS n FROM generate_series(1, 40) s, oracle.by_user('time', 0.5, sample => 10, seed => s) WHERE strategy = 'recommender' GROUP BY user_id) c;

/* ------------------------------------------------------------------------
 * Leaks
 * ------------------------------------------------------------------------ */

-- Thirty probes had P before the cut and take Q after it.  Before it, three others had Q, nobody both, and a background
-- of twenty items was more popular.  After it, thirty-five planted users take both, so that Q is also on the rise.
TRUNCATE oracle.live;
INSERT INTO oracle.live
SELECT u, item, 1, '2026-01-01'::timestamptz + u * interval '7 hours' + i * interval '1 minute'
FROM generate_series(1, 60) u, generate_series(1, 6) i,
	 LATERAL (SELECT CASE WHEN i = 1 AND u <= 30 THEN 'P' WHEN i = 1 AND u > 57 THEN 'Q' ELSE 'b' || floor(20 * oracle.draw(13, u * 10 + i)) END AS item) d
WHERE i <= 4 OR u > 30;
INSERT INTO oracle.live SELECT u, 'Q', 1, '2026-02-01' FROM generate_series(1, 30) u;
INSERT INTO oracle.live SELECT u, item, 1, '2026-02-02', 'planted' FROM generate_series(61, 95) u, unnest('{P,Q}'::text[]) item;
SELECT is(count(*) FILTER (WHERE at >= '2026-02-01') * 4, count(*), 'the cut is at the first of February') FROM oracle.live;

CREATE FUNCTION oracle.probes(options jsonb, cuts int DEFAULT 1) RETURNS SETOF recommender.evaluation LANGUAGE sql AS $$
	SELECT * FROM recommender.evaluate('live', test_share => 0.25, cuts => cuts, k => '{3,10}', options => options, resamples => 20, store => false,
									   segments => 'SELECT u, ''probe'' FROM generate_series(1, 30) u') WHERE segment = 'segment: probe'
$$;
-- behaviour, popularity with decay, trend
CREATE TABLE oracle.leak AS
SELECT options, p.* FROM unnest(ARRAY['{"min_support": 1}', '{"half_life": "3 days", "blend": {"behaviour": 0, "popularity": 1}}',
									  '{"blend": {"behaviour": 0, "popularity": 0, "trend": 1}}']::jsonb[]) options, oracle.probes(options) p;
SELECT is(count(*)::int, 3 * 3 * 6 * 2, 'all values of the probes') FROM oracle.leak;
SELECT ok(max(value) < 0.2, 'nothing lets expect Q') FROM oracle.leak WHERE metric = 'recall' AND k = 3;
-- training on the planted rows would find it
SELECT ok(value > 0.5, format('with a leak, %s %s would have %s', options, strategy, value))
FROM (SELECT DISTINCT options FROM oracle.leak) l,
	 recommender.evaluate_query('SELECT user_id, item_id, weight, at FROM oracle.live WHERE at < ''2026-02-01'' OR kind = ''planted''',
								'SELECT user_id, item_id FROM oracle.live WHERE at = ''2026-02-01''', k => '{3}', metrics => '{recall}', options => options, resamples => 0)
WHERE segment = 'all' AND metric = 'recall' AND strategy IN ('recommender', 'popularity');
-- the future of other users does not affect the probes
UPDATE oracle.live SET item_id = CASE item_id WHEN 'P' THEN 'b1' ELSE 'new' END WHERE kind = 'planted';
SELECT results_eq('SELECT options, p.* FROM (SELECT DISTINCT options FROM oracle.leak) l, oracle.probes(options) p ORDER BY options, strategy, metric, k',
				  'SELECT * FROM oracle.leak ORDER BY options, strategy, metric, k', 'what others do after the cut does not show');
UPDATE oracle.live SET user_id = user_id - 30, weight = 50 WHERE kind = 'planted';
SELECT results_eq('SELECT options, p.* FROM (SELECT DISTINCT options FROM oracle.leak) l, oracle.probes(options) p ORDER BY options, strategy, metric, k',
				  'SELECT * FROM oracle.leak ORDER BY options, strategy, metric, k', 'nor when they were there before');
-- an early window does not use the later one
UPDATE oracle.live SET at = '2026-02-03' WHERE kind = 'planted';
CREATE TABLE oracle.early AS SELECT * FROM oracle.probes('{"min_support": 1, "blend": {"trend": 0.5}}', 2);
UPDATE oracle.live SET item_id = 'P' WHERE kind = 'planted' AND item_id = 'b1';
UPDATE oracle.live SET item_id = 'Q' WHERE kind = 'planted' AND item_id = 'new';
SELECT results_eq($$SELECT * FROM oracle.probes('{"min_support": 1, "blend": {"trend": 0.5}}', 2)$$, 'TABLE oracle.early', 'what a later window tests is hidden from an earlier one');

/* ------------------------------------------------------------------------
 * Segments
 * ------------------------------------------------------------------------ */

-- Users, by how much is known of them; some are known by their test alone.  A query's segments are those of the users it
-- names, whether or not they exist; who is in none of them, or in one that is null, counts elsewhere only.
SELECT oracle.take_live(13);
INSERT INTO oracle.live SELECT u, 'i' || u - 100, 1, '2026-03-30' FROM generate_series(101, 105) u;
SELECT oracle.split_by_time(0.3, 1, 0);
SELECT recommender.set_options('recs', options) FROM oracle.random_options(3) options;
SELECT recommender.refresh('recs');
SELECT oracle.take('recs', 10), oracle.take_values('{ndcg,recall}', '{10}');
CREATE TABLE oracle.country (user_id int, country text);
INSERT INTO oracle.country SELECT u, (ARRAY['fr', 'de', NULL])[1 + u % 3] FROM generate_series(1, 104) u WHERE u % 10 <> 0;
CREATE TABLE oracle.segments AS
SELECT * FROM recommender.evaluate('live', test_share => 0.3, metrics => '{ndcg,recall}', options => oracle.random_options(3), resamples => 20, store => false, segments => 'TABLE oracle.country');
SELECT is(oracle.difference(ARRAY(SELECT s::text::recommender.evaluation FROM oracle.segments s WHERE segment NOT LIKE 'segment: %')), '', 'users new, light and heavy, items of head and tail and new');
SELECT results_eq('SELECT DISTINCT segment COLLATE "C" FROM oracle.segments ORDER BY 1',
				  $$VALUES ('all' COLLATE "C"), ('items: head'), ('items: new'), ('items: tail'), ('segment: de'), ('segment: fr'), ('users: heavy'), ('users: light'), ('users: new')$$, 'each occurs');
SELECT is(string_agg(concat_ws(' ', s.*), E'\n'), NULL, 'a query''s segments')
FROM (SELECT * FROM oracle.segments WHERE segment LIKE 'segment: %') s
FULL JOIN (SELECT strategy, 'segment: ' || country AS segment, metric, k, avg(value) AS value, count(*) AS users
		   FROM oracle.value JOIN oracle.country USING (user_id) WHERE segment = 'all' AND country IS NOT NULL GROUP BY 1, 2, 3, 4) e USING (strategy, segment, metric, k)
WHERE (s.users = e.users AND abs(s.value - e.value) < 1e-9) IS NOT TRUE;
-- segments split the users without rest, and the heads and tails the items
SELECT results_eq($$SELECT strategy, metric, sum(value * users)::numeric(12, 6), sum(users)::bigint FROM oracle.segments WHERE segment LIKE 'users: %' GROUP BY 1, 2 ORDER BY 1, 2$$,
				  $$SELECT strategy, metric, (value * users)::numeric(12, 6), users FROM oracle.segments WHERE segment = 'all' AND metric IN ('ndcg', 'recall') ORDER BY 1, 2$$, 'new, light and heavy are all');
SELECT is_empty($$SELECT * FROM oracle.segments WHERE segment = 'items: new' AND value <> 0$$, 'what the model does not know is never recommended');
SELECT is_empty($$SELECT * FROM recommender.evaluate('live', segments => 'SELECT 1, ''x'' WHERE false', store => false, resamples => 0) WHERE segment LIKE 'segment: %'$$, 'a query without rows');

-- Diversity with items above and below the number of users for which pairs are computed.
CREATE TABLE oracle.crowd AS SELECT DISTINCT u AS user_id, floor(12 * oracle.draw(71, u * 10 + i) ^ 3)::int AS item_id FROM generate_series(1, 2000) u, generate_series(1, 4) i;
SELECT ok(max(n) > 1000 AND min(n) BETWEEN 10 AND 400, 'crowds of all sizes: ' || string_agg(n::text, ', ' ORDER BY n)) FROM (SELECT count(*) AS n FROM oracle.crowd GROUP BY item_id) c;
CREATE TABLE oracle.crowd_pair AS
SELECT a, b, count(*) FILTER (WHERE x AND y) / sqrt(count(*) FILTER (WHERE x) * count(*) FILTER (WHERE y))::float8 AS cosine
FROM generate_series(0, 11) a, generate_series(0, 11) b, LATERAL (SELECT bool_or(item_id = a) AS x, bool_or(item_id = b) AS y FROM oracle.crowd GROUP BY user_id) u
WHERE a < b GROUP BY a, b;
SELECT ok(bool_and(abs(value - wanted) < 1e-12), 'diversity of ' || k) FROM (
	SELECT k, value, (SELECT 1 - avg(cosine) FROM oracle.crowd_pair WHERE a = ANY (top) AND b = ANY (top)) AS wanted
	FROM recommender.evaluate_query('TABLE oracle.crowd', 'SELECT u, 0 FROM generate_series(-9, -1) u', k => '{2,5,12}', metrics => '{intra_list_diversity}', resamples => 0) e,
		 LATERAL (SELECT array_agg(item_id) AS top FROM (SELECT item_id FROM oracle.crowd GROUP BY item_id ORDER BY count(*) DESC, item_id LIMIT e.k) t) t
	WHERE strategy = 'popularity' AND segment = 'all') d GROUP BY k ORDER BY k;

-- Columns: of the interactions, by the first relevant one, context or not; of the items.
CREATE TABLE oracle.product (id varchar(10) PRIMARY KEY, category text, price numeric, tags text[], stock boolean DEFAULT true);
INSERT INTO oracle.product SELECT 'i' || n, (ARRAY['A', 'b', NULL, 'ä "%'])[1 + n % 4], n % 3 + 0.5, ARRAY['t' || n % 2, NULL] FROM generate_series(0, 35) n;
SELECT recommender.create_recommender('shop', 'oracle.train', time_column => 'at', weight_column => 'weight');
SELECT recommender.create_recommender('shops', 'oracle.live', time_column => 'at', weight_column => 'weight', context_columns => '{kind}');
SELECT recommender.set_items(r, 'oracle.product', 'id', available_column => 'stock') FROM unnest('{shop,shops}'::text[]) r;
SELECT recommender.set_options(r, o || '{"min_support": 1}') FROM unnest('{shop,shops}'::text[]) r, oracle.random_options(3) o;
SELECT recommender.refresh('shop');
CREATE FUNCTION oracle.wanted_columns() RETURNS TABLE (strategy text, segment text, metric text, k int, value float8, users bigint) LANGUAGE sql AS $$
	SELECT strategy, c.name || ' = ' || c.value, metric, 10, avg(oracle.metric(metric, items, relevant, '{}', 10)), count(*)
	FROM (SELECT user_id, name, c.value, array_agg(item_id) AS relevant
		  FROM oracle.relevant JOIN oracle.product ON id = item_id, LATERAL (VALUES ('category', category), ('price', price::text), ('tags', tags::text)) c (name, value)
		  WHERE c.value IS NOT NULL GROUP BY 1, 2, 3) c
	JOIN oracle.list l USING (user_id), unnest('{ndcg,recall}'::text[]) metric GROUP BY 1, 2, 3
	UNION ALL
	SELECT strategy, c.name || ' = ' || c.value, metric, 10, avg(v.value), count(*)
	FROM (SELECT DISTINCT ON (user_id) * FROM oracle.test ORDER BY user_id, at, item_id, coalesce(weight, 1), kind) t
	JOIN oracle.value v USING (user_id), LATERAL (VALUES ('kind', t.kind), ('weight', t.weight::text)) c (name, value)
	WHERE v.segment = 'all' AND c.value IS NOT NULL GROUP BY 1, 2, 3
$$;
CREATE FUNCTION oracle.column_difference(given recommender.evaluation[]) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(concat_ws(' ', strategy, segment, metric, k, g.value, g.users, 'not', e.value, e.users), E'\n'), '')
	FROM (SELECT * FROM unnest(given) WHERE segment LIKE '% = %') g FULL JOIN oracle.wanted_columns() e USING (strategy, segment, metric, k)
	WHERE (g.users = e.users AND abs(g.value - e.value) < 1e-9) IS NOT TRUE
$$;
-- "recs" has no relation of items, and that of "shops" says nothing of their content
SELECT recommender.set_options('recs', o || '{"min_support": 1}') FROM oracle.random_options(3) o;
SELECT recommender.refresh('recs');
SELECT oracle.take('recs', 10), oracle.take_values('{ndcg,recall}', '{10}');
CREATE TABLE oracle.columns AS
SELECT e.* FROM recommender.evaluate('shops', test_share => 0.3, metrics => '{ndcg,recall}', resamples => 20, store => false,
									 segment_columns => '{category,kind,tags,weight,price,kind}') e WHERE strategy <> 'content';
SELECT is(oracle.column_difference(ARRAY(SELECT c::text::recommender.evaluation FROM oracle.columns c)), '', 'columns of interactions and of items');
SELECT is(oracle.difference(ARRAY(SELECT c::text::recommender.evaluation FROM oracle.columns c WHERE segment NOT LIKE '% = %')), '', 'other segments beside them are as ever');
SELECT ok(count(*) FILTER (WHERE segment LIKE 'kind = %') > 20 AND count(*) FILTER (WHERE segment = 'category = ä "%') = 6 AND bool_and(ci_low <= value AND value <= ci_high), 'there are such, with intervals')
FROM oracle.columns;
-- a column of segments does not become context, and a context column stays context
SELECT results_eq(format($$SELECT * FROM recommender.evaluate('shops', test_share => 0.3, context => %L, store => false, segment_columns => '{weight,kind}') WHERE segment NOT LIKE '%% = %%'$$, context),
				  format($$SELECT * FROM recommender.evaluate('shops', test_share => 0.3, context => %L, store => false)$$, context), 'context ' || context)
FROM unnest('{true,false}'::boolean[]) context;
SELECT isnt((SELECT array_agg(e) FROM recommender.evaluate('shops', test_share => 0.3, context => true, store => false, options => '{"context_significance": 1}') e),
			(SELECT array_agg(e) FROM recommender.evaluate('shops', test_share => 0.3, store => false, options => '{"context_significance": 1}') e), 'there the context matters');

-- Filters: items that pass are recommended and relevant; {} excludes unavailable items.
CREATE FUNCTION oracle.filter_difference(filter jsonb, condition text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM oracle.take('shop', 10, filter => filter);
	EXECUTE format('DELETE FROM oracle.relevant r WHERE NOT EXISTS (SELECT FROM oracle.product i WHERE i.id = r.item_id AND stock AND (%s))', condition);
	DELETE FROM oracle.history h WHERE NOT EXISTS (SELECT FROM oracle.relevant r WHERE r.user_id = h.user_id);
	EXECUTE format('DELETE FROM oracle.item r WHERE NOT EXISTS (SELECT FROM oracle.product i WHERE i.id = r.item_id AND stock AND (%s))', condition);
	PERFORM oracle.take_values('{ndcg,recall,serendipity,coverage,gini,novelty}', '{3,10}');
	RETURN oracle.difference(ARRAY(
		SELECT e FROM recommender.evaluate('shops', test_share => 0.3, k => '{3,10}', metrics => '{ndcg,recall,serendipity,coverage,gini,novelty}', resamples => 0, store => false,
										   filter => filter) e WHERE strategy <> 'content'));
END $$;
UPDATE oracle.product SET stock = id <> 'i1';
SELECT is(oracle.filter_difference(f::jsonb, condition), '', 'filter ' || f)
FROM (VALUES ('{"category": "A"}', 'category = ''A'''), ('{"price": {"lt": 2}}', 'price < 2'), ('{}', 'true'), ('{"id": "i0"}', 'id = ''i0''')) v (f, condition);
SELECT is_empty($$SELECT * FROM recommender.evaluate('shops', filter => '{"category": "Z"}', store => false)$$, 'a filter that nothing passes');
SELECT results_eq($$SELECT value_a, users FROM recommender.compare_options('shops', '{}', '{}', filter => '{"category": "A"}', test_share => 0.3)$$,
				  $$SELECT value, users FROM recommender.evaluate('shops', filter => '{"category": "A"}', test_share => 0.3, metrics => '{ndcg}', store => false) WHERE strategy = 'recommender' AND segment = 'all'$$,
				  'compare_options has a filter, too');

/* ------------------------------------------------------------------------
 * Intervals
 * ------------------------------------------------------------------------ */

SELECT ok(count(*) = 54 AND bool_and(ci_low < value + 1e-12 AND value < ci_high + 1e-12), 'intervals contain the value') FROM oracle.segments WHERE metric NOT IN ('coverage', 'gini');
SELECT ok(bool_and(ci_low IS NULL AND ci_high IS NULL AND value IS NOT NULL), 'without resamples there are none') FROM oracle.evaluate_split('{}', 0);
SELECT ok(bool_and(ci_low = ci_high), 'of one resample, a point') FROM oracle.evaluate_split('{}', 1) WHERE metric NOT IN ('coverage', 'gini');
SELECT results_eq('SELECT * FROM oracle.evaluate_split(''{}'', 50, 3)', 'SELECT * FROM oracle.evaluate_split(''{}'', 50, 3)', 'the same seed, the same intervals');
SELECT results_eq('SELECT strategy, segment, metric, k, value, users FROM oracle.evaluate_split(''{}'', 50, 3)', 'SELECT strategy, segment, metric, k, value, users FROM oracle.evaluate_split(''{}'', 50, 4)',
				  'another seed, the same values');
SELECT results_ne('SELECT ci_low, ci_high FROM oracle.evaluate_split(''{}'', 50, 3)', 'SELECT ci_low, ci_high FROM oracle.evaluate_split(''{}'', 50, 4)', 'and other intervals');

-- Metrics of all lists with a known truth: users whose only item leads to one other, drawn from a distribution.  Of n
-- users, items of probability p are expected to be shown with 1 - (1 - p)^n; the Gini index by the mean of all samples.
CREATE FUNCTION oracle.wheel(n int, seed int) RETURNS SETOF recommender.evaluation LANGUAGE sql AS $$
	SELECT e.* FROM recommender.evaluate_query(
		format('SELECT u, i FROM generate_series(-30, -1) u, unnest(ARRAY[-u, -u + 100]) i
				UNION ALL SELECT u, 1 + floor(30 * oracle.draw(%1$s, u) ^ 3)::int FROM generate_series(1, %2$s) u', seed, n),
		format('SELECT u, 0 FROM generate_series(1, %s) u', n),
		k => '{1}', metrics => '{coverage,gini}', resamples => 1, seed => seed) e
	WHERE e.strategy = 'behaviour'
$$;
CREATE TABLE oracle.wheels AS SELECT n, w.* FROM unnest('{40,200}'::int[]) n, generate_series(1, 100) seed, oracle.wheel(n, seed) w;
SELECT ok(count(*) FILTER (WHERE truth BETWEEN ci_low AND ci_high) BETWEEN 88 AND 100, format('of a hundred intervals of %s of %s lists about ninety-five hold the truth, or more: %s',
		  metric, n, count(*) FILTER (WHERE truth BETWEEN ci_low AND ci_high)))
FROM (SELECT *, CASE metric WHEN 'gini' THEN avg(value) OVER (PARTITION BY n, metric)
							ELSE (SELECT sum(1 - (1 - ((i / 30.0) ^ (1 / 3.0) - ((i - 1) / 30.0) ^ (1 / 3.0))) ^ n) / 60 FROM generate_series(1, 30) i) END AS truth
	  FROM oracle.wheels) w GROUP BY n, metric ORDER BY n, metric;
SELECT ok(bool_and(abs(avg - truth) < 0.01), 'and the truth is that') FROM
	(SELECT n, avg(value), (SELECT sum(1 - (1 - ((i / 30.0) ^ (1 / 3.0) - ((i - 1) / 30.0) ^ (1 / 3.0))) ^ n) / 60 FROM generate_series(1, 30) i) AS truth
	 FROM oracle.wheels WHERE metric = 'coverage' GROUP BY n) t;
SELECT ok(avg(ci_high - ci_low) / stddev(value) BETWEEN 3 AND 6, format('of %s lists the interval of %s is as wide as it should, 3.92 standard deviations, or a little wider: %s',
		  n, metric, avg(ci_high - ci_low) / stddev(value)))
FROM oracle.wheels GROUP BY n, metric ORDER BY n, metric;
SELECT ok(bool_and(ci_low IS NULL AND ci_high IS NULL), 'of a single list there is none') FROM oracle.wheel(1, 1);

-- Users without history are recommended heads; four in ten want it.  The truth is 0.4.
CREATE FUNCTION oracle.coins(n int, seed int, resamples int DEFAULT 200) RETURNS recommender.evaluation LANGUAGE sql AS $$
	SELECT e FROM recommender.evaluate_query('VALUES (-1, ''head''), (-2, ''head''), (-2, ''tail'')',
		format('SELECT u, CASE WHEN oracle.draw(%s, u) < 0.4 THEN ''head'' ELSE ''tail'' END FROM generate_series(1, %s) u', seed, n),
		k => '{1}', metrics => '{hit_rate}', resamples => resamples, seed => seed) e
	WHERE e.strategy = 'recommender' AND e.segment = 'all' AND e.metric = 'hit_rate'
$$;
CREATE TABLE oracle.coin AS SELECT c.* FROM generate_series(1, 100) seed, oracle.coins(100, seed) c;
SELECT ok(count(*) FILTER (WHERE 0.4 BETWEEN ci_low AND ci_high) BETWEEN 90 AND 99, 'of a hundred intervals of 95 per cent about ninety-five hold the truth: '
		  || count(*) FILTER (WHERE 0.4 BETWEEN ci_low AND ci_high)) FROM oracle.coin;
SELECT ok(abs(avg(ci_high - ci_low) / (2 * 1.96 * sqrt(0.4 * 0.6 / 100)) - 1) < 0.08, 'they are as wide as theory says: ' || avg(ci_high - ci_low)) FROM oracle.coin;
SELECT ok((ci_high - ci_low) / (SELECT avg(ci_high - ci_low) FROM oracle.coin) BETWEEN 0.2 AND 0.3, 'of sixteen times the users a quarter as wide: ' || (ci_high - ci_low)) FROM oracle.coins(1600, 1);

/* ------------------------------------------------------------------------
 * compare_options
 * ------------------------------------------------------------------------ */

CREATE FUNCTION oracle.compare(a jsonb, b jsonb, seed bigint DEFAULT 0, resamples int DEFAULT 1000) RETURNS recommender.comparison LANGUAGE sql AS $$
	SELECT recommender.compare_options('live', a, b, test_share => 0.3, seed => seed, resamples => resamples)
$$;
CREATE TABLE oracle.settings AS
SELECT jsonb '{"min_support": 1}' AS a, jsonb '{"min_support": 1, "measure": "jaccard", "blend": {"popularity": 1}, "history": 2}' AS b;
SELECT ok(c.users = e.users AND c.metric = 'ndcg' AND c.k = 10 AND abs(c.value_a - e.a) < 1e-12 AND abs(c.value_b - e.b) < 1e-12 AND abs(c.difference - e.difference) < 1e-12,
		  'the difference is the mean of the users'' differences: ' || c.difference)
FROM oracle.settings, oracle.compare(a, b) c,
	 LATERAL (SELECT avg(a.value) AS a, avg(b.value) AS b, avg(b.value - a.value) AS difference, count(*) AS users
			  FROM oracle.by_user('time', 0.3, options => a) a JOIN oracle.by_user('time', 0.3, options => b) b USING (user_id, strategy) WHERE strategy = 'recommender') e;
SELECT ok(difference <> 0 AND ci_low < difference AND difference < ci_high AND p_value BETWEEN 0 AND 1, 'an interval around it') FROM oracle.settings, oracle.compare(a, b);
SELECT ok(ab.value_a = ba.value_b AND ab.value_b = ba.value_a AND ab.difference = -ba.difference AND ab.p_value = ba.p_value AND ab.users = ba.users
		  AND abs(ab.ci_low + ba.ci_high) < 1e-12 AND abs(ab.ci_high + ba.ci_low) < 1e-12, 'symmetric') FROM oracle.settings, oracle.compare(a, b) ab, oracle.compare(b, a) ba;
SELECT is(oracle.compare(a, b, 5), oracle.compare(a, b, 5), 'the same seed, the same row') FROM oracle.settings;
SELECT ok(x.difference = y.difference AND x.ci_low <> y.ci_low AND abs(x.p_value - y.p_value) < 0.1, 'another seed, another interval') FROM oracle.settings, oracle.compare(a, b, 5) x, oracle.compare(a, b, 6) y;
SELECT results_eq($$SELECT difference, ci_low, ci_high, p_value FROM oracle.compare('{}', '{"reasons": 0}')$$, 'VALUES (0::float8, 0::float8, 0::float8, 1::float8)', 'what makes no difference');
SELECT ok(c.users BETWEEN 5 AND 10, 'of a sample, some of whom have nothing new to find') FROM recommender.compare_options('live', '{}', '{"history": 1}', test_share => 0.3, sample => 10) c;
SELECT results_eq($$SELECT metric, k, users FROM recommender.compare_options('live', '{}', '{"history": 1}', split => 'leave_last', last => 3, metric => 'recall', k => 3)$$,
				  $$SELECT metric, k, users FROM recommender.evaluate('live', split => 'leave_last', last => 3, metrics => '{recall}', k => '{3}', store => false, resamples => 0)
					WHERE segment = 'all' AND strategy = 'recommender' AND metric = 'recall'$$, 'another split, metric and k');
SELECT is(c, d, 'a metric may have its k with it')
FROM recommender.compare_options('live', '{}', '{"history": 1}', test_share => 0.3, metric => 'recall', k => 3) c,
	 recommender.compare_options('live', '{}', '{"history": 1}', test_share => 0.3, metric => 'recall@3') d;
-- each set of options defines the items seen
SELECT is(c.value_b, e.value, 'each setting has its own seen_events')
FROM recommender.compare_options('events', '{}', '{"seen_events": ["view", "cart", "purchase", "hover"]}', split => 'random') c,
	 recommender.compare_options('events', '{"seen_events": ["view", "cart", "purchase", "hover"]}', '{"seen_events": ["view", "cart", "purchase", "hover"]}', split => 'random') s,
	 LATERAL (SELECT s.value_a AS value) e;

-- No difference: users have no preferences, and popularity is no better than behaviour.  Small p-values are as frequent
-- as their size.
CREATE FUNCTION oracle.noise(n int) RETURNS recommender.comparison LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE oracle.live;
	INSERT INTO oracle.live (user_id, item_id, at)
	SELECT u, 'i' || floor(20 * oracle.draw(n, u * 10 + i)), '2026-01-01'::timestamptz + i * interval '1 day' FROM generate_series(1, 60) u, generate_series(1, 5) i;
	RETURN recommender.compare_options('live', '{"min_support": 1, "blend": {"popularity": 0}}', '{"blend": {"behaviour": 0, "popularity": 1}}',
									   split => 'leave_last', k => 5, resamples => 100, seed => n);
END $$;
CREATE TABLE oracle.p AS SELECT (c).* FROM (SELECT oracle.noise(n) AS c FROM generate_series(1, 80) n OFFSET 0) c;
SELECT ok(count(*) FILTER (WHERE p_value <= 0.1) BETWEEN 2 AND 15 AND avg(p_value) BETWEEN 0.4 AND 0.6 AND count(*) FILTER (WHERE p_value > 0.5) BETWEEN 27 AND 53,
		  format('p-values of equal settings: %s of 80 up to 0.1, %s above 0.5, mean %s', count(*) FILTER (WHERE p_value <= 0.1), count(*) FILTER (WHERE p_value > 0.5), avg(p_value)::numeric(4, 3))) FROM oracle.p;
SELECT ok(count(*) FILTER (WHERE 0 BETWEEN ci_low AND ci_high) BETWEEN 70 AND 80, 'and most intervals hold 0: ' || count(*) FILTER (WHERE 0 BETWEEN ci_low AND ci_high)) FROM oracle.p;

-- A clear improvement: five tastes of eight items each.
TRUNCATE oracle.live;
INSERT INTO oracle.live (user_id, item_id, at)
SELECT u, 'i' || u % 5 || floor(8 * oracle.draw(1, u * 10 + i)), '2026-01-01'::timestamptz + i * interval '1 day' FROM generate_series(1, 100) u, generate_series(1, 5) i;
SELECT ok(p_value = 1 / 1001.0 AND ci_low > 0.1, 'a clear improvement: ' || c)
FROM recommender.compare_options('live', '{"blend": {"behaviour": 0}}', '{}', split => 'leave_last') c;

/* ------------------------------------------------------------------------
 * What is stored
 * ------------------------------------------------------------------------ */

SELECT is_empty('TABLE live.evaluation', 'store => false has stored nothing');
CREATE TABLE oracle.run AS
SELECT * FROM recommender.evaluate('live', split => 'random', test_share => 0.123456789, seed => -9223372036854775808, metrics => '{ndcg,recall}', k => '{3,5}', resamples => 0,
								   options => '{"measure": "llr", "kappa": 2}', segments => 'SELECT 1, ''a''');
SELECT set_eq('SELECT strategy, segment, metric, k, value, ci_low, ci_high, users FROM live.evaluation', 'TABLE oracle.run', 'the rows are stored');
SELECT results_eq('SELECT DISTINCT run, evaluated_at, settings, options FROM live.evaluation',
				  $$SELECT 1::bigint, now(), '{"split": "random", "test_share": 0.123456789, "last": 1, "cuts": 1, "seed": -9223372036854775808, "context": false, "filter": null}'::jsonb, options || '{"measure": "llr", "kappa": 2}'
					FROM recommender.recommenders WHERE name = 'live'$$, 'with what they were made by, all options');
SELECT ok(count(*) > 0, 'of the defaults') FROM recommender.evaluate('live', split => 'users', test_share => 0.5, last => 2);
SELECT results_eq('SELECT DISTINCT run, settings, options FROM live.evaluation WHERE run <> 1',
				  $$SELECT 2::bigint, '{"split": "users", "test_share": 0.5, "last": 2, "cuts": 1, "seed": 0, "context": false, "filter": null}'::jsonb, options FROM recommender.recommenders WHERE name = 'live'$$, 'the next run has the next number');
SELECT set_eq('SELECT * FROM recommender.evaluations WHERE recommender = ''live''', 'SELECT ''live'', * FROM live.evaluation', 'the view shows them');
SELECT is_empty('SELECT * FROM recommender.evaluations WHERE recommender <> ''live''', 'and no others');
SELECT recommender.set_options('live', '{"min_support": 5}');
SELECT count(*) FROM recommender.evaluate('live', split => 'leave_last', options => '{"min_support": null}');
SELECT is(options -> 'min_support', '2', 'an option that is null has the default of a recommender') FROM live.evaluation WHERE run = 3 LIMIT 1;
SELECT recommender.set_options('live', '{"min_support": null}');

-- Roles that can read can evaluate, and only the owner can store.
CREATE ROLE rec_reader;
CREATE ROLE rec_nobody;
CREATE ROLE rec_colleague;
SELECT format('GRANT %I TO rec_colleague', current_user) \gexec
GRANT USAGE ON SCHEMA oracle, live TO rec_reader, rec_nobody;
GRANT SELECT ON ALL TABLES IN SCHEMA oracle, live TO rec_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA oracle TO rec_reader;
CREATE TABLE oracle.mine AS SELECT * FROM recommender.evaluate('live', split => 'leave_last', store => false);
GRANT SELECT ON oracle.mine TO rec_reader;
SET LOCAL ROLE rec_reader;
SELECT results_eq('SELECT * FROM recommender.evaluate(''live'', split => ''leave_last'', store => false)', 'TABLE oracle.mine', 'a reader measures the same');
SELECT lives_ok($$SELECT recommender.compare_options('live', '{}', '{"history": 1}', split => 'leave_last')$$, 'and compares');
SELECT throws_ok($$SELECT * FROM recommender.evaluate('live', split => 'leave_last')$$, '42501', 'must be owner of recommender live', 'but does not store');
SELECT ok(count(*) > 0, 'and sees what is stored') FROM recommender.evaluations;
SET LOCAL ROLE rec_nobody;
SELECT throws_ok($$SELECT * FROM recommender.evaluate('live', split => 'leave_last', store => false)$$, '42501', NULL, 'nobody else measures');
SELECT is_empty('SELECT * FROM recommender.evaluations', 'or sees');
RESET ROLE;
SET LOCAL ROLE rec_colleague;
SELECT lives_ok($$SELECT * FROM recommender.evaluate('live', split => 'leave_last')$$, 'a member of the owner''s role stores');
RESET ROLE;
-- rows hidden from the caller do not count
ALTER TABLE oracle.live ENABLE ROW LEVEL SECURITY;
CREATE POLICY odd ON oracle.live TO rec_reader USING (user_id % 2 = 1);
SET LOCAL ROLE rec_reader;
SELECT ok(max(users) <= 50, 'row security holds') FROM recommender.evaluate('live', split => 'leave_last', store => false);
RESET ROLE;
ALTER TABLE oracle.live DISABLE ROW LEVEL SECURITY;

/* ------------------------------------------------------------------------
 * Errors
 * ------------------------------------------------------------------------ */

CREATE FUNCTION oracle.evaluate_error(arguments text, code text, message text) RETURNS text LANGUAGE sql AS $$
	SELECT throws_ok(format('SELECT * FROM recommender.evaluate(''live'', %s)', arguments), code, message, arguments)
$$;
SELECT oracle.evaluate_error(arguments, code, message) FROM (VALUES
	('split => ''tim''', '22023', 'split "tim" does not exist'),
	('split => ''by moonlight''', '22023', 'split "by moonlight" does not exist'),
	('metrics => ''{ndcg,recal}''', '22023', 'metric "recal" does not exist'),
	('metrics => ''{}''', '22023', 'k and metrics must not be empty'),
	('k => ''{}''', '22023', 'k and metrics must not be empty'),
	('k => ''{10,0}''', '22023', 'each k must be between 1 and 10000'),
	('k => ''{10001}''', '22023', 'each k must be between 1 and 10000'),
	('test_share => 0', '22023', 'test_share must be greater than 0 and less than 1'),
	('test_share => 1', '22023', 'test_share must be greater than 0 and less than 1'),
	('test_share => ''-0.1''', '22023', 'test_share must be greater than 0 and less than 1'),
	('test_share => ''NaN''', '22023', 'test_share must be greater than 0 and less than 1'),
	('test_share => ''Infinity''', '22023', 'test_share must be greater than 0 and less than 1'),
	('last => 0', '22023', 'last must be between 1 and 10000'),
	('last => 10001', '22023', 'last must be between 1 and 10000'),
	('cuts => 0', '22023', 'cuts must be between 1 and 100'),
	('cuts => 101', '22023', 'cuts must be between 1 and 100'),
	('sample => 0', '22023', 'sample must be between 1 and 2147483647'),
	('resamples => -1', '22023', 'resamples must be between 0 and 100000'),
	('resamples => 100001', '22023', 'resamples must be between 0 and 100000'),
	('options => ''{"mesure": "llr"}''', '22023', 'option "mesure" does not exist'),
	('options => ''{"kappa": -1}''', '22023', 'option "kappa" must be between 0 and 1000000000'),
	('options => ''[]''', '22023', 'options must be a JSON object'),
	('split => NULL', '22004', 'argument 2 must not be null'),
	('test_share => NULL', '22004', 'argument 3 must not be null'),
	('last => NULL', '22004', 'argument 4 must not be null'),
	('cuts => NULL', '22004', 'argument 5 must not be null'),
	('k => NULL', '22004', 'argument 6 must not be null'),
	('k => ''{1,NULL}''', '22004', NULL),
	('metrics => NULL', '22004', 'argument 7 must not be null'),
	('metrics => ''{NULL}''', '22004', NULL),
	('options => NULL', '22004', 'argument 8 must not be null'),
	('resamples => NULL', '22004', 'argument 11 must not be null'),
	('seed => NULL', '22004', 'argument 12 must not be null'),
	('store => NULL', '22004', 'argument 13 must not be null'),
	('segments => ''SELECT 1''', '42804', 'segments must return a user of type integer and a segment of type text'),
	('segments => ''SELECT 1, 2''', '42804', 'segments must return a user of type integer and a segment of type text'),
	('segments => ''SELECT 1::bigint, ''''a''''''', '42804', 'segments must return a user of type integer and a segment of type text'),
	('segments => ''SELECT 1, ''''a'''', 2''', '42804', 'segments must return a user of type integer and a segment of type text'),
	('segments => ''''', '22023', 'segments must be one statement that returns rows of user and segment'),
	('segments => ''DELETE FROM oracle.live''', '22023', 'segments must be one statement that returns rows of user and segment'),
	('segments => ''SELECT 1, ''''a''''; SELECT 2, ''''b''''''', '22023', 'segments must be one statement that returns rows of user and segment'),
	('segments => ''SELECT user_id FROM nowhere''', '42P01', NULL),
	('segment_columns => NULL', '22004', 'argument 15 must not be null'),
	('segment_columns => ''{NULL}''', '22004', NULL),
	('segment_columns => ''{kind,colour}''', '42703', 'neither the interactions nor the items of recommender "live" have a column "colour"'),
	('segment_columns => ''{ctid}''', '42703', 'neither the interactions nor the items of recommender "live" have a column "ctid"'),
	('filter => ''{}''', '55000', 'recommender "live" has no relation of items to filter by')) e (arguments, code, message);
SELECT throws_ok('SELECT * FROM recommender.evaluate(NULL)', '22004', 'argument 1 must not be null', 'no recommender');
SELECT throws_ok('SELECT * FROM recommender.evaluate(''life'')', '42704', 'recommender "life" does not exist', 'not this one');
SELECT throws_ok('SELECT * FROM recommender.compare_options(''life'', ''{}'', ''{}'')', '42704', 'recommender "life" does not exist', 'nor for compare_options');
SELECT is_empty('TABLE live.evaluation EXCEPT SELECT * FROM live.evaluation WHERE run <= 4', 'errors store nothing');

SELECT throws_ok(format('SELECT recommender.compare_options(''live'', %s)', arguments), code, message, arguments) FROM (VALUES
	('NULL, ''{}''', '22004', 'argument 2 must not be null'),
	('''{}'', NULL', '22004', 'argument 3 must not be null'),
	('''{}'', ''{"mesure": "llr"}''', '22023', 'option "mesure" does not exist'),
	('''{}'', ''{}'', split => ''tim''', '22023', 'split "tim" does not exist'),
	('''{}'', ''{}'', test_share => 0', '22023', 'test_share must be greater than 0 and less than 1'),
	('''{}'', ''{}'', last => 0', '22023', 'last must be between 1 and 10000'),
	('''{}'', ''{}'', metric => ''ndgc''', '22023', 'metric "ndgc" does not exist'),
	('''{}'', ''{}'', metric => ''gini''', '22023', 'metric "gini" cannot be used here'),
	('''{}'', ''{}'', filter => ''{"a": 1}''', '55000', 'recommender "live" has no relation of items to filter by'),
	('''{}'', ''{}'', k => 0', '22023', 'k must be between 1 and 10000'),
	('''{}'', ''{}'', sample => 0', '22023', 'sample must be between 1 and 2147483647'),
	('''{}'', ''{}'', resamples => 0', '22023', 'resamples must be between 1 and 100000'),
	('''{}'', ''{}'', metric => NULL', '22004', 'argument 7 must not be null'),
	('''{}'', ''{}'', seed => NULL', '22004', 'argument 11 must not be null')) e (arguments, code, message);

SELECT throws_ok(format('SELECT * FROM recommender.evaluate_query(%s)', arguments), code, message, arguments) FROM (VALUES
	('NULL, ''SELECT 1, 2''', '22004', 'argument 1 must not be null'),
	('''SELECT 1, 2'', NULL', '22004', 'argument 2 must not be null'),
	('''SELECT 1, 2'', ''''', '22023', 'the query must be one statement that returns rows'),
	('''SELECT 1, 2'', ''SELECT 1''', '22023', 'the query must return two to four columns: user, item, weight, time'),
	('''SELECT 1, 2'', ''SELECT 1, ''''a''''::text''', '42804', 'train and test must return users and items of the same types'),
	('''SELECT 1, 2'', ''SELECT 1::bigint, 2''', '42804', 'train and test must return users and items of the same types'),
	('''SELECT 1, 2'', ''SELECT 1, 2, ''''a''''::text''', '42804', 'the query''s third column, the weight, must be of a numeric type, not text'),
	('''SELECT 1, 2'', ''SELECT 1, 2, float8 ''''NaN''''''', '22023', 'weight NaN of user 1 and item 2 is not a finite number'),
	('''SELECT 1, 2'', ''SELECT 1, 3'', k => ''{0}''', '22023', 'each k must be between 1 and 10000'),
	('''SELECT 1, 2'', ''SELECT 1, 3'', metrics => ''{x}''', '22023', 'metric "x" does not exist'),
	('''SELECT 1, 2'', ''SELECT 1, 3'', options => ''{"x": 1}''', '22023', 'option "x" does not exist'),
	('''SELECT 1, 2'', ''SELECT 1, 3'', resamples => -1', '22023', 'resamples must be between 0 and 100000')) e (arguments, code, message);

-- Interactions that cannot be evaluated.
TRUNCATE oracle.live;
SELECT is_empty(format('SELECT * FROM recommender.evaluate(''live'', split => %L)', split), 'without interactions there is nothing to say: ' || split) FROM unnest('{time,leave_last,users,random}'::text[]) split;
SELECT results_eq($$SELECT * FROM recommender.compare_options('live', '{}', '{}')$$,
				  $$VALUES ('ndcg', 10, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, 0::bigint)$$, 'nor to compare');
INSERT INTO oracle.live (user_id, item_id) SELECT n % 5, 'i' || n FROM generate_series(1, 20) n;
SELECT throws_ok($$SELECT * FROM recommender.evaluate('live')$$, '55000', 'the interactions have no times to split by', 'no times');
SELECT throws_ok($$SELECT recommender.compare_options('live', '{}', '{}')$$, '55000', 'the interactions have no times to split by', 'no times to compare by');
TRUNCATE oracle.live;
INSERT INTO oracle.live (user_id, item_id, at) SELECT 1, 'i' || n, '2026-01-01'::timestamptz + n * interval '1 day' FROM generate_series(1, 10) n;
SELECT results_eq($$SELECT segment, value, users FROM recommender.evaluate('live', metrics => '{recall}', store => false) WHERE strategy = 'recommender' AND metric = 'recall'$$,
				  $$VALUES ('all', 0::float8, 1::bigint), ('items: new', 0, 1), ('users: light', 0, 1)$$, 'one user has nobody to learn from');
SELECT results_eq($$SELECT value_a, value_b, difference, ci_low, ci_high, p_value, users FROM recommender.compare_options('live', '{}', '{"history": 1}')$$,
				  $$VALUES (0::float8, 0::float8, 0::float8, 0::float8, 0::float8, 1::float8, 1::bigint)$$, 'nor anything to compare');
INSERT INTO oracle.live (user_id, item_id, at) SELECT u, 'i' || i, '2026-02-01'::timestamptz + i * interval '1 day' FROM generate_series(1, 1001) u, generate_series(1, 2) i;
SELECT oracle.evaluate_error('split => ''leave_last'', segments => ''SELECT u, u::text FROM generate_series(1, 1001) u''', '54000', 'segments must be at most 1000, not 1001');
SELECT oracle.evaluate_error('split => ''leave_last'', segment_columns => ''{user_id}''', '54000', 'values of column "user_id" must be at most 1000, not 1001');

-- Each phase can be cancelled: reading, training, resampling, putting resamples in order.
CREATE FUNCTION oracle.is_cancelled(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE started timestamptz := clock_timestamp();
BEGIN
	EXECUTE query;
	RETURN false;
EXCEPTION WHEN query_canceled THEN RETURN clock_timestamp() < started + '1 second';
END $$;
INSERT INTO oracle.live (user_id, item_id, at) SELECT u, 'j' || (u::bigint * i * 7919) % 3001, '2026-02-01'::timestamptz + i * interval '1 day' FROM generate_series(2000, 2400) u, generate_series(1, 200) i;
SET LOCAL statement_timeout = '20ms';
SELECT ok(oracle.is_cancelled($$SELECT * FROM recommender.evaluate_query('SELECT 1, 2 FROM pg_sleep(10)', 'SELECT 1, 3')$$), 'cancel while reading');
SELECT ok(oracle.is_cancelled($$SELECT * FROM recommender.evaluate('live', options => '{"neighbors": 10000}', store => false)$$), 'cancel while training');
SELECT ok(oracle.is_cancelled($$SELECT * FROM recommender.evaluate('live', split => 'leave_last', resamples => 100000, metrics => '{ndcg}', store => false, options => '{"history": 1, "max_history": 1}')$$), 'cancel while resampling');
SELECT ok(oracle.is_cancelled($$SELECT recommender.compare_options('live', '{"max_history": 1}', '{"max_history": 1}', split => 'leave_last', resamples => 100000)$$), 'cancel while comparing');
RESET statement_timeout;
-- memory has a limit, which is named
SET LOCAL maintenance_work_mem = '1MB';
SELECT throws_like($$SELECT * FROM recommender.evaluate('live', store => false)$$, '%maintenance_work_mem%', 'too much for maintenance_work_mem');
RESET maintenance_work_mem;

SELECT * FROM finish();
ROLLBACK;
