/*
 * test/pgtap/evaluate_metric.sql
 *	  Metrics against their definitions.
 *
 * First the oracle, each metric in plain SQL; then 400 random lists of many
 * shapes and id types, and 60 random groups of rows for the aggregates; then
 * parallel plans, windows, search_path and errors.
 *
 * Lists are drawn from md5 of their number, so that they are equal on every run;
 * to inspect one:
 *	  SELECT * FROM oracle.dataset WHERE n = 57;
 *
 * Needs a database in UTF8 with ICU collations.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;

SELECT plan(640);

CREATE SCHEMA oracle;

/* ------------------------------------------------------------------------
 * The oracle for lists
 * ------------------------------------------------------------------------ */

-- The first rank of each item.
CREATE FUNCTION oracle.first_ranks(recommended int[]) RETURNS TABLE (item int, rank bigint) LANGUAGE sql AS $$
	SELECT item, min(rank) FROM unnest(recommended) WITH ORDINALITY p (item, rank) WHERE item IS NOT NULL GROUP BY item
$$;

-- The ranks of a list.
CREATE FUNCTION oracle.places(recommended int[], k int) RETURNS float8 LANGUAGE sql AS $$
	SELECT coalesce(k, greatest(cardinality(recommended), 1))
$$;

CREATE FUNCTION oracle.metrics(recommended int[], relevant int[], expected int[], k int)
RETURNS TABLE (metric text, value float8) LANGUAGE sql AS $$
	WITH wanted AS (SELECT DISTINCT item FROM unnest(relevant) item WHERE item IS NOT NULL),
	hit AS (
		SELECT item, rank, row_number() OVER (ORDER BY rank) AS nth
		FROM oracle.first_ranks(recommended) JOIN wanted USING (item)
		WHERE rank <= oracle.places(recommended, k)),
	of AS (SELECT oracle.places(recommended, k) AS k, (SELECT count(*) FROM wanted)::float8 AS n)
	SELECT metric, CASE WHEN n > 0 THEN value END
	FROM of, LATERAL (VALUES
		('precision', (SELECT count(*) FROM hit) / k),
		('recall', (SELECT count(*) FROM hit) / nullif(n, 0)),
		('hit_rate', (SELECT count(*) FROM hit WHERE nth = 1)),
		('average_precision', (SELECT coalesce(sum(nth / rank::float8), 0) FROM hit) / nullif(least(k, n), 0)),
		('reciprocal_rank', (SELECT coalesce(max(1 / rank::float8), 0) FROM hit)),
		('serendipity', (SELECT count(*) FROM hit WHERE NOT EXISTS (SELECT FROM unnest(expected) e WHERE e = item)) / k)
	) m (metric, value)
$$;

CREATE FUNCTION oracle.ndcg(recommended int[], relevant int[], k int, gains float8[], exponential boolean)
RETURNS float8 LANGUAGE sql AS $$
	WITH worth AS (
		SELECT item, max(CASE WHEN exponential THEN power(2::float8, gain) - 1 ELSE gain END) AS gain
		FROM (SELECT item, CASE WHEN gains IS NULL THEN 1 ELSE gains[nth] END AS gain
			  FROM unnest(relevant) WITH ORDINALITY r (item, nth)) r
		WHERE item IS NOT NULL GROUP BY item HAVING max(gain) > 0),
	best AS (SELECT gain, row_number() OVER (ORDER BY gain DESC) AS rank FROM worth)
	SELECT CASE WHEN EXISTS (SELECT FROM worth) THEN
		coalesce((SELECT sum(gain / (ln(rank + 1) / ln(2::float8))) FROM oracle.first_ranks(recommended) JOIN worth USING (item)
				  WHERE rank <= oracle.places(recommended, k)), 0)
		/ (SELECT sum(gain / (ln(rank + 1) / ln(2::float8))) FROM best WHERE rank <= oracle.places(recommended, k)) END
$$;

-- The oracle itself, against published figures.
SELECT is(round(oracle.ndcg('{1,2,3,4,5}', '{2,5}', NULL, NULL, false)::numeric, 4), 0.6241, 'oracle: hits at 2 and 5 of 5');
SELECT is(round(oracle.ndcg('{1,2,3,4,5,6}', '{1,2,3,4,5,6,7,8}', 6, '{3,2,3,0,1,2,3,2}', false)::numeric, 3), 0.785,
		  'oracle: graded gains');
SELECT is((SELECT round(avg(value)::numeric, 4) FROM unnest('{4,2,6}'::int[]) hit,
		   oracle.metrics('{1,2,3,4,5,6}', ARRAY[hit], '{}', NULL) WHERE metric = 'reciprocal_rank'), 0.3056, 'oracle: reciprocal ranks');
SELECT is((SELECT round(value::numeric, 2) FROM oracle.metrics('{1,2,3,4,5,6,7,8,9,10}', '{1,3,6,9,10}', '{}', 10)
		   WHERE metric = 'average_precision'), 0.62, 'oracle: average precision');

/* ------------------------------------------------------------------------
 * Random lists
 * ------------------------------------------------------------------------ */

-- A number in [0, 1) that depends on its arguments alone.
CREATE FUNCTION oracle.draw(VARIADIC words anyarray) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || left(md5(words::text), 8))::bit(32)::bigint / 4294967296.0
$$;

-- Items from 0 up to a number, some NULL.
CREATE FUNCTION oracle.items(n int, what text, length int, items int, nulls float8) RETURNS int[] LANGUAGE sql IMMUTABLE AS $$
	SELECT ARRAY(SELECT CASE WHEN oracle.draw(n::text, what, 'null', seq::text) >= nulls
						THEN floor(items * oracle.draw(n::text, what, seq::text))::int END
				 FROM generate_series(1, length) seq)
$$;

CREATE FUNCTION oracle.label(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE n WHEN 0 THEN '' ELSE (ARRAY['a', 'B', U&'\00E4', 'Z', U&'\00C9'])[n % 5 + 1] || n END
$$;

CREATE COLLATION oracle.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN oracle.sku AS text;
CREATE TYPE oracle.key AS (shop int, article text);
CREATE TYPE oracle.kind AS ENUM ('a', 'b', 'c', 'd');

-- Id types: equal numbers are equal ids, though seq, the place, may make them look different.
CREATE TABLE oracle.id_type (nth int GENERATED ALWAYS AS IDENTITY (START 0 MINVALUE 0), name text, expression text);
INSERT INTO oracle.id_type (name, expression) VALUES
	('int4', 'item * 7 - 20'),
	('int8', 'item * 1000000000000'),
	('int2', 'item::int2'),
	('text C', 'oracle.label(item) COLLATE "C"'),
	('text', 'oracle.label(item)'),
	('text case-blind', '(CASE seq % 3 WHEN 0 THEN upper(oracle.label(item)) WHEN 1 THEN lower(oracle.label(item))
		ELSE oracle.label(item) END) COLLATE oracle.ci'),
	('varchar', 'oracle.label(item)::varchar(20)'),
	('char', 'oracle.label(item)::char(6)'),
	('domain', 'oracle.label(item)::oracle.sku'),
	('numeric', 'round(item / 2.0, 1 + seq::int % 4)'),
	('float8', '(ARRAY[0, ''-0'', ''NaN'', ''-Infinity'']::float8[] || (item / 8.0)::float8)[
		CASE item WHEN 0 THEN 1 + seq % 2 WHEN 1 THEN 3 WHEN 2 THEN 4 ELSE 5 END]'),
	('uuid', 'md5(item::text)::uuid'),
	('date', 'date ''2000-02-25'' + item'),
	('interval', 'make_interval(days => (seq % 2)::int * item, hours => (1 - seq % 2)::int * item * 24)'),
	('row', 'CASE WHEN item IS NOT NULL THEN ROW(item % 4, oracle.label(item))::oracle.key END'),
	('jsonb', 'to_jsonb(item)'),
	('money', 'item::money'),
	('bit', 'item::bit(12)');

-- Every argument drawn may be NULL, empty or longer than the others.
CREATE TABLE oracle.dataset AS
SELECT n, (SELECT name FROM oracle.id_type WHERE nth = n % 18) AS id_type, recommended, relevant, expected, gains,
	   CASE WHEN oracle.draw(n, 9) < .75 THEN 1 + floor(oracle.draw(n, 10) * 15)::int END AS k, oracle.draw(n, 11) < .5 AS exponential
FROM generate_series(0, 399) n,
	 LATERAL (SELECT 1 + floor(oracle.draw(n, 1) ^ 2 * 40)::int AS items, (n % 4) * .05 AS nulls) s,
	 LATERAL (SELECT oracle.items(n, 'recommended', floor(oracle.draw(n, 2) * 16)::int, items, nulls) AS recommended,
					 oracle.items(n, 'relevant', floor(oracle.draw(n, 3) * 10)::int, items, nulls) AS relevant,
					 oracle.items(n, 'expected', floor(oracle.draw(n, 4) * 6)::int, items, nulls) AS expected) l,
	 LATERAL (SELECT CASE WHEN n % 3 > 0 THEN ARRAY(SELECT floor(oracle.draw(n, 12, seq) * 9)::float8 / (n % 3)
													FROM generate_series(1, cardinality(relevant)) seq) END AS gains) g;

-- Return the differences of the extension's answers for a list, '' for none.
CREATE FUNCTION oracle.judge(d oracle.dataset) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	ids text := (SELECT format('coalesce((SELECT array_agg(%s ORDER BY seq) FROM unnest($1) WITH ORDINALITY x (item, seq)), ''{}'')', expression)
				 FROM oracle.id_type WHERE name = d.id_type);
	result text;
BEGIN
	EXECUTE format($q$
		WITH got AS (
			SELECT m.* FROM (SELECT %1$s AS list, %2$s AS hits, %3$s AS other OFFSET 0) a, LATERAL (VALUES
				('precision', recommender.precision(list, hits, $4)),
				('recall', recommender.recall(list, hits, $4)),
				('hit_rate', recommender.hit_rate(list, hits, $4)),
				('average_precision', recommender.average_precision(list, hits, $4)),
				('reciprocal_rank', recommender.reciprocal_rank(list, hits, $4)),
				('serendipity', recommender.serendipity(list, hits, other, $4)),
				('ndcg', recommender.ndcg(list, hits, $4)),
				('graded ndcg', recommender.ndcg(list, hits, $4, $5, $6))) m (metric, value)),
		wanted AS (
			SELECT * FROM oracle.metrics($1, $2, $3, $4)
			UNION ALL SELECT 'ndcg', oracle.ndcg($1, $2, $4, NULL, false)
			UNION ALL SELECT 'graded ndcg', oracle.ndcg($1, $2, $4, $5, $6))
		SELECT coalesce(string_agg(format('%%s is %%s, not %%s', metric, g.value, w.value), E'\n' ORDER BY metric), '')
		FROM got g FULL JOIN wanted w USING (metric)
		WHERE CASE WHEN g.value IS NULL OR w.value IS NULL THEN g.value IS DISTINCT FROM w.value
				   ELSE NOT abs(g.value - w.value) < 1e-12 OR g.value NOT BETWEEN 0 AND 1 END
	$q$, ids, replace(ids, '$1', '$2'), replace(ids, '$1', '$3')) INTO STRICT result USING d.recommended, d.relevant, d.expected, d.k, d.gains, d.exponential;
	RETURN result;
END $$;

SELECT is(oracle.judge(d), '', format('list %s: %s, k %s', n, id_type, k)) FROM oracle.dataset d ORDER BY n;

-- the lists are of all kinds
SELECT unnest(ARRAY[cmp_ok(count(*) FILTER (WHERE recommended = '{}'), '>', 10::bigint, 'some lists are empty'),
	   cmp_ok(count(*) FILTER (WHERE relevant = '{}'), '>', 10::bigint, 'sometimes nothing is relevant'),
	   cmp_ok(count(*) FILTER (WHERE array_position(recommended, NULL) > 0), '>', 50::bigint, 'some lists have nulls'),
	   cmp_ok(count(*) FILTER (WHERE array_position(relevant, NULL) > 0), '>', 50::bigint, 'some sets have nulls'),
	   cmp_ok(count(*) FILTER (WHERE k > cardinality(recommended)), '>', 50::bigint, 'some lists are shorter than k'),
	   cmp_ok(count(*) FILTER (WHERE oracle.ndcg(recommended, relevant, k, gains, exponential) > 0), '>', 100::bigint, 'many lists have hits')])
FROM oracle.dataset;

-- What does not matter: k as long as the list; the order of a set; the scale of gains, when they are taken as they are.
SELECT is(array_agg(recommender.ndcg(recommended, relevant)), array_agg(recommender.ndcg(recommended, relevant, cardinality(recommended))),
		  'k is the length of the list when it is not given') FROM oracle.dataset WHERE recommended <> '{}';
SELECT is(array_agg(recommender.ndcg(recommended, relevant, k, gains)),
		  array_agg(recommender.ndcg(recommended, (SELECT array_agg(r ORDER BY nth DESC) FROM unnest(relevant) WITH ORDINALITY u (r, nth)), k,
					(SELECT array_agg(g ORDER BY nth DESC) FROM unnest(gains) WITH ORDINALITY u (g, nth)))),
		  'the order of the relevant items does not matter') FROM oracle.dataset WHERE relevant <> '{}';
SELECT is(array_agg(recommender.ndcg(recommended, relevant, k, gains)),
		  array_agg(recommender.ndcg(recommended, relevant, k, (SELECT array_agg(g * 1024 ORDER BY nth) FROM unnest(gains) WITH ORDINALITY u (g, nth)))),
		  'nor does the scale of gains') FROM oracle.dataset WHERE gains <> '{}';
SELECT is(array_agg(recommender.ndcg(recommended, relevant, k)),
		  array_agg(recommender.ndcg(recommended, relevant, k, array_fill(1::float8, ARRAY[cardinality(relevant)]), true)),
		  'a gain of one is the same in both forms') FROM oracle.dataset;
SELECT is(array_agg(recommender.ndcg(recommended, relevant, k)), array_agg(recommender.ndcg(recommended, relevant, k, NULL, NULL)),
		  'arguments that are null are defaults') FROM oracle.dataset;
SELECT is(recommender.ndcg(a, a, NULL, g), 1::float8, 'falling gains are the best list')
FROM (SELECT array_agg(n) AS a, array_agg(1e300 / n) AS g FROM generate_series(1, 1000) n) v;
SELECT is(recommender.recall('[-3:-2]={5,6}'::int[], '[7:8]={6,7}'), .5::float8, 'subscripts do not matter');
SELECT unnest(ARRAY[is(recommender.recall(list, hits, 100000), .5::float8, 'long arrays'),
	   is(recommender.recall(list::text[], hits::text[], 100000), .5::float8, 'long arrays of text')])
FROM (SELECT array_agg(n) AS list FROM generate_series(1, 100000) n) l, (SELECT array_agg(n * 2) AS hits FROM generate_series(1, 100000) n) h;
SELECT ok(recommender.precision('{1}', '{1}', 2147483647) BETWEEN 4.65e-10 AND 4.66e-10, 'the largest k');
SELECT unnest(ARRAY[is(recommender.ndcg('{1}'::int[], NULL), NULL, 'null is null'), is(recommender.serendipity('{1}', '{1}', NULL), NULL, 'also expected'),
	   is(recommender.serendipity('{1}', '{}', '{1}'), NULL, 'nothing relevant, expected or not')]);

/* ------------------------------------------------------------------------
 * Random groups of rows
 * ------------------------------------------------------------------------ */

-- From no row to 40; amounts, shares, similarities and scores with ties and nulls.
CREATE TABLE oracle.rows AS
SELECT n, seq, dice.*
FROM generate_series(1, 60) n, LATERAL (SELECT floor(oracle.draw(n, 0) * 41)::int AS size) s, generate_series(1, size) seq,
	 LATERAL (SELECT CASE WHEN oracle.draw(n, seq, 1) >= .1 THEN floor(oracle.draw(n, seq, 2) ^ 3 * 20 * (n % 5)) END AS exposure,
					 CASE WHEN oracle.draw(n, seq, 3) >= .1 THEN (1 + floor(oracle.draw(n, seq, 4) * 50)) / 50 END AS share,
					 CASE WHEN oracle.draw(n, seq, 5) >= .1 THEN oracle.draw(n, seq, 6) * 1.2 - .2 END AS similarity,
					 CASE WHEN oracle.draw(n, seq, 7) >= .1 THEN floor(oracle.draw(n, seq, 8) * (1 + n)) END AS score,
					 CASE WHEN oracle.draw(n, seq, 9) >= .1 THEN oracle.draw(n, seq, 10) < (n % 4) / 3.0 END AS outcome) dice;
-- extremes
INSERT INTO oracle.rows VALUES (61, 1, 1e308, 1, 1, 'Infinity', true), (61, 2, 1e308, 1, 1, '-Infinity', false), (61, 3, 0, 1, 1, 0, true);

CREATE TABLE oracle.got AS
SELECT n, recommender.catalog_coverage(exposure) AS catalog_coverage, recommender.gini(exposure) AS gini,
	   recommender.average_popularity(share) AS average_popularity, recommender.novelty(coalesce(share, .02)) AS novelty,
	   recommender.intra_list_diversity(similarity) AS intra_list_diversity,
	   recommender.auc(score, outcome) AS auc, recommender.log_loss(share, outcome) AS log_loss
FROM oracle.rows GROUP BY n;

CREATE TABLE oracle.wanted AS
SELECT n, avg((coalesce(exposure, 0) > 0)::int) AS catalog_coverage,
	   -- half the mean difference of two items, divided by the mean; measured by the largest
	   coalesce((SELECT avg(abs(coalesce(a.exposure / top, 0) - coalesce(b.exposure / top, 0))) / 2 / avg(coalesce(a.exposure / top, 0))
				 FROM oracle.rows a, oracle.rows b, (SELECT max(exposure) FROM oracle.rows t WHERE t.n = g.n) m (top)
				 WHERE a.n = g.n AND b.n = g.n AND top > 0), 0) AS gini,
	   avg(coalesce(share, 0)) AS average_popularity,
	   avg(-ln(coalesce(share, .02)) / ln(2::float8)) AS novelty,
	   1 - avg(coalesce(similarity, 0)) AS intra_list_diversity,
	   (SELECT avg(CASE WHEN a.score > b.score THEN 1 WHEN a.score = b.score THEN .5 ELSE 0 END)
		FROM oracle.rows a, oracle.rows b WHERE a.n = g.n AND b.n = g.n AND a.outcome AND NOT b.outcome
											AND a.score IS NOT NULL AND b.score IS NOT NULL) AS auc,
	   (SELECT CASE WHEN bool_or(share = 1 AND NOT outcome) THEN 'Infinity'
					ELSE avg(-ln(CASE WHEN outcome THEN share WHEN share < 1 THEN 1 - share END)) END
		FROM oracle.rows r WHERE r.n = g.n AND outcome IS NOT NULL) AS log_loss
FROM oracle.rows g GROUP BY n;

SELECT is((SELECT coalesce(string_agg(format('%s is %s, not %s', key, g.value, w.value), ', '), '')
		   FROM jsonb_each_text(to_jsonb(g)) g FULL JOIN jsonb_each_text(to_jsonb(w)) w USING (key)
		   WHERE g.value IS DISTINCT FROM w.value AND (abs(g.value::float8 - w.value::float8) < 1e-12) IS NOT TRUE),
		  '', format('group %s', n))
FROM oracle.got g FULL JOIN oracle.wanted w USING (n) ORDER BY n;

SELECT unnest(ARRAY[cmp_ok(count(auc), '>', 20::bigint, 'many groups have an auc'), cmp_ok(count(*) FILTER (WHERE auc IS NULL), '>', 5::bigint, 'and some have none'),
	   cmp_ok(count(*) FILTER (WHERE gini > 0), '>', 30::bigint, 'many groups have a gini'), cmp_ok(count(*) FILTER (WHERE gini = 0), '>', 3::bigint, 'and some are alike'),
	   cmp_ok(count(*) FILTER (WHERE log_loss < 'Infinity'), '>', 20::bigint, 'many groups have a finite log loss')])
FROM oracle.got;

-- NULL without rows, and without rows that count.
SELECT unnest(ARRAY[is(recommender.catalog_coverage(1), NULL, 'catalog_coverage of nothing'), is(recommender.gini(1), NULL, 'gini of nothing'),
	   is(recommender.average_popularity(1), NULL, 'average_popularity of nothing'), is(recommender.novelty(1), NULL, 'novelty of nothing'),
	   is(recommender.intra_list_diversity(1), NULL, 'intra_list_diversity of nothing'),
	   is(recommender.auc(1, true), NULL, 'auc of nothing'), is(recommender.log_loss(1, true), NULL, 'log_loss of nothing')])
FROM oracle.rows WHERE false;
SELECT unnest(ARRAY[is(recommender.auc(x, NULL), NULL, 'auc of no outcome'), is(recommender.auc(NULL, x > 1), NULL, 'auc of no score'),
	   is(recommender.log_loss(NULL, true), NULL, 'log_loss of no probability'), is(recommender.log_loss(.5, NULL), NULL, 'log_loss of no outcome'),
	   is(recommender.gini(NULL), 0::float8, 'gini of nothing shown'), is(recommender.catalog_coverage(NULL), 0::float8, 'catalog_coverage of nothing shown')])
FROM generate_series(1, 3) x;

-- A window's final function runs on a state that grows.
SELECT unnest(ARRAY[is(w.auc, (SELECT recommender.auc(score, outcome) FROM oracle.rows WHERE n <= 20 AND (n, seq) <= (w.n, w.seq)), format('auc in a window, %s rows', nth)),
	   is(w.gini, (SELECT recommender.gini(exposure) FROM oracle.rows WHERE n <= 20 AND (n, seq) <= (w.n, w.seq)), format('gini in a window, %s rows', nth))])
FROM (SELECT n, seq, row_number() OVER o AS nth, recommender.auc(score, outcome) OVER o AS auc, recommender.gini(exposure) OVER o AS gini
	  FROM oracle.rows WHERE n <= 20 WINDOW o AS (ORDER BY n, seq)) w
WHERE nth IN (1, 2, 3, 16, 17, 50, 100, 200) ORDER BY nth;

-- Log loss where 1 - p has no digits left.
SELECT is(recommender.log_loss(1e-30, false), 1e-30::float8, 'a small probability that was right');

/* ------------------------------------------------------------------------
 * Parallel plans change nothing
 * ------------------------------------------------------------------------ */

CREATE TABLE oracle.big AS
SELECT n % 3 AS grp, CASE WHEN n % 50 > 0 THEN floor(oracle.draw(n, 1) ^ 2 * 300) END AS exposure, (1 + floor(oracle.draw(n, 2) * 50)) / 51 AS share,
	   CASE WHEN n % 70 > 0 THEN oracle.draw(n, 3) * .7 + floor(oracle.draw(n, 4) * 3) END AS score, oracle.draw(n, 5) < .2 AS outcome,
	   ARRAY(SELECT n % 7 + i FROM generate_series(1, n % 5) i) AS list
FROM generate_series(1, 20000) n;
ALTER TABLE oracle.big SET (parallel_workers = 4);
ANALYZE oracle.big;

-- these sort their rows: equal bits
CREATE VIEW oracle.sorted AS
SELECT recommender.gini(exposure), recommender.auc(score, outcome), recommender.auc(score, outcome) FILTER (WHERE grp = 5) AS nothing FROM oracle.big;
CREATE VIEW oracle.grouped AS
SELECT grp, recommender.gini(exposure), recommender.auc(score, outcome) FROM oracle.big GROUP BY grp;
-- these add them in any order: equal digits
CREATE VIEW oracle.added AS
SELECT recommender.catalog_coverage(exposure), recommender.average_popularity(share), recommender.novelty(share),
	   recommender.intra_list_diversity(share), recommender.log_loss(share, outcome),
	   avg(recommender.ndcg(list, '{3,5}')) AS ndcg
FROM oracle.big;

SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TABLE oracle.serial_sorted AS TABLE oracle.sorted;
CREATE TABLE oracle.serial_grouped AS TABLE oracle.grouped;
CREATE TABLE oracle.serial_added AS TABLE oracle.added;

SET LOCAL max_parallel_workers_per_gather = 4;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE TABLE oracle.parallel_sorted AS TABLE oracle.sorted;
CREATE TABLE oracle.parallel_grouped AS TABLE oracle.grouped;
CREATE TABLE oracle.parallel_added AS TABLE oracle.added;
SET LOCAL parallel_leader_participation = off;
CREATE TABLE oracle.workers_sorted AS TABLE oracle.sorted;

CREATE FUNCTION oracle.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		plan := plan || E'\n' || line;
	END LOOP;
	RETURN plan;
END $$;
SELECT matches(oracle.plan('TABLE oracle.' || view), 'Finalize .*Gather.*Workers Launched: [1-9].*Partial ', format('%s in parallel', view))
FROM unnest('{sorted,grouped,added}'::text[]) view;
RESET max_parallel_workers_per_gather;

SELECT ok(s.gini > .1 AND s.auc BETWEEN .4 AND .6 AND nothing IS NULL, 'there is something to compare') FROM oracle.serial_sorted s;
SELECT is(to_jsonb(p), to_jsonb(s), 'parallel equals serial') FROM oracle.serial_sorted s, oracle.parallel_sorted p;
SELECT is(to_jsonb(p), to_jsonb(s), 'workers alone equal serial') FROM oracle.serial_sorted s, oracle.workers_sorted p;
SELECT is(to_jsonb(p), to_jsonb(s), format('parallel equals serial, group %s', grp))
FROM oracle.serial_grouped s JOIN oracle.parallel_grouped p USING (grp) ORDER BY grp;
SELECT ok(abs(s.value::float8 - p.value::float8) < 1e-12, format('parallel equals serial, %s', key))
FROM (SELECT (jsonb_each_text(to_jsonb(a))).* FROM oracle.serial_added a) s
	 JOIN (SELECT (jsonb_each_text(to_jsonb(a))).* FROM oracle.parallel_added a) p USING (key);

-- Nothing is looked up by search_path.
SET LOCAL search_path = '';
CREATE TABLE oracle.no_path AS TABLE oracle.sorted;
CREATE TABLE oracle.no_path_list AS SELECT recommender.ndcg(ARRAY['a', 'b'], ARRAY['b']) AS ndcg, recommender.recall(ARRAY[1.0], ARRAY[1.00]) AS recall;
RESET search_path;
SELECT is(to_jsonb(p), to_jsonb(s), 'aggregates with an empty search_path') FROM oracle.serial_sorted s, oracle.no_path p;
SELECT ok(ndcg BETWEEN .6309 AND .6310 AND recall = 1, 'functions with an empty search_path') FROM oracle.no_path_list;

/* ------------------------------------------------------------------------
 * What the catalog says
 * ------------------------------------------------------------------------ */

CREATE VIEW oracle.metric AS
SELECT p.oid, p.proname, p.prokind, p.provolatile, p.proparallel, p.proargnames
FROM pg_proc p
WHERE pronamespace = 'recommender'::regnamespace
  AND proname IN ('precision', 'recall', 'hit_rate', 'average_precision', 'reciprocal_rank', 'ndcg', 'serendipity', 'catalog_coverage',
				  'average_popularity', 'novelty', 'intra_list_diversity', 'log_loss', 'gini', 'auc');
SELECT is(count(*), 14::bigint, 'each name is there once') FROM oracle.metric;
SELECT ok(provolatile = 'i' AND proparallel = 's' AND proargnames IS NOT NULL AND obj_description(oid, 'pg_proc') <> '',
		  format('%s is immutable, parallel safe, has named arguments and a comment', proname)) FROM oracle.metric ORDER BY proname;
SELECT is(prokind, CASE WHEN obj_description(oid, 'pg_proc') LIKE '%from one row per%' OR proname = 'auc' THEN 'a' ELSE 'f' END::"char",
		  format('%s takes lists, or rows', proname)) FROM oracle.metric ORDER BY proname;

/* ------------------------------------------------------------------------
 * Errors
 * ------------------------------------------------------------------------ */

-- of lists
SELECT throws_ok(format('SELECT recommender.%s(%s)', name, args), code, message, format('%s(%s)', name, args))
FROM unnest('{precision,recall,hit_rate,average_precision,reciprocal_rank,ndcg}'::text[]) name, (VALUES
	($$'{1}', '{1}', 0$$, '22023', 'k must be greater than zero'),
	($$'{1}', '{}', -2147483648$$, '22023', 'k must be greater than zero'),
	($$'{{1},{2}}'::int[], '{1}'$$, '2202E', 'recommended must be a one-dimensional array'),
	($$'{1}', '{{1},{2}}'::int[]$$, '2202E', 'relevant must be a one-dimensional array'),
	($$ARRAY[point(1, 1)], '{}'$$, '42883', 'ids of type point cannot be compared for equality'),
	($$'{}', ARRAY[json '1']$$, '42883', 'ids of type json cannot be compared for equality')) e (args, code, message);
SELECT throws_ok(format('SELECT recommender.serendipity(%s)', args), code, message, format('serendipity(%s)', args))
FROM (VALUES
	($$'{1}', '{1}', '{}', 0$$, '22023', 'k must be greater than zero'),
	($$'{{1},{2}}'::int[], '{1}', '{}'$$, '2202E', 'recommended must be a one-dimensional array'),
	($$'{1}', '{{1},{2}}'::int[], '{}'$$, '2202E', 'relevant must be a one-dimensional array'),
	($$'{1}', '{1}', '{{1},{2}}'::int[]$$, '2202E', 'expected must be a one-dimensional array')) e (args, code, message);
SELECT throws_ok(format('SELECT recommender.ndcg(''{1,2}'', ''{1,2}'', 2, %L, %L)', gains, exponential), code, message,
				 format('ndcg with gains %s, exponential %s', gains, exponential))
FROM (VALUES
	('{{1,2}}', false, '2202E', 'gains must be a one-dimensional array'),
	('{}', false, '22023', 'gains must have as many elements as relevant'),
	('{1}', false, '22023', 'gains must have as many elements as relevant'),
	('{1,2,3}', false, '22023', 'gains must have as many elements as relevant'),
	('{1,NULL}', false, '22004', 'gains must not contain nulls'),
	('{1,-0.1}', false, '22023', 'a gain must be a finite number greater than or equal to zero'),
	('{1,NaN}', false, '22023', 'a gain must be a finite number greater than or equal to zero'),
	('{Infinity,1}', true, '22023', 'a gain must be a finite number greater than or equal to zero'),
	('{1e308,1e308}', false, '22003', 'value out of range: overflow'),
	('{1024,0}', true, '22003', 'value out of range: overflow')) e (gains, exponential, code, message);
SELECT throws_ok($$SELECT recommender.recall(a, b) FROM (SELECT ARRAY['a' COLLATE "C"] AS a, ARRAY['a' COLLATE oracle.ci] AS b) v$$,
				 '42P22', 'could not determine which collation to use for ids', 'two collations');
SELECT is(recommender.recall(a, b COLLATE oracle.ci), 1::float8, 'two collations, and which to use')
FROM (SELECT ARRAY['A' COLLATE "C"] AS a, ARRAY['a' COLLATE "POSIX"] AS b) v;

-- of rows
SELECT throws_ok(format('SELECT recommender.%s', call), '22023', message, call)
FROM (VALUES
	('catalog_coverage(-1)', 'exposure must be a finite number greater than or equal to zero'),
	('catalog_coverage(''NaN'')', 'exposure must be a finite number greater than or equal to zero'),
	('gini(-1e-300)', 'exposure must be a finite number greater than or equal to zero'),
	('gini(''NaN'')', 'exposure must be a finite number greater than or equal to zero'),
	('gini(''Infinity'')', 'exposure must be a finite number greater than or equal to zero'),
	('average_popularity(-1)', 'popularity must be a finite number greater than or equal to zero'),
	('average_popularity(''Infinity'')', 'popularity must be a finite number greater than or equal to zero'),
	('novelty(0)', 'popularity must be greater than zero and at most one'),
	('novelty(NULL)', 'popularity must be greater than zero and at most one'),
	('novelty(1.0000001)', 'popularity must be greater than zero and at most one'),
	('novelty(''NaN'')', 'popularity must be greater than zero and at most one'),
	('intra_list_diversity(''NaN'')', 'similarity must be a finite number'),
	('intra_list_diversity(''-Infinity'')', 'similarity must be a finite number'),
	('auc(''NaN'', true)', 'score must not be NaN'),
	('log_loss(-0.1, true)', 'probability must be between 0 and 1'),
	('log_loss(1.1, true)', 'probability must be between 0 and 1'),
	('log_loss(''NaN'', false)', 'probability must be between 0 and 1')) e (call, message);

-- more rows than there is memory for; in workers, too
SET LOCAL maintenance_work_mem = '1MB';
SELECT throws_ok(format('SELECT recommender.%s FROM generate_series(1, 200000) x', call), '53400',
				 'the rows of a group do not fit into maintenance_work_mem', call)
FROM unnest('{gini(x),"auc(x, x % 3 = 0)"}'::text[]) call;
RESET maintenance_work_mem;
SELECT unnest(ARRAY[is(recommender.auc(x, x > 100000), 1::float8, 'many rows'), ok(abs(recommender.gini(x) - 1 / 3.0) < 1e-5, 'many amounts')])
FROM generate_series(1, 200000) x;

-- support functions called out of their aggregates
SELECT throws_ok($$SELECT recommender_internal.novelty_transition('{0,0,0}', .5)$$, '0A000',
				 'a support function of an aggregate cannot be called directly', 'a transition that is called');
CREATE AGGREGATE oracle.stateless (float8) (SFUNC = recommender_internal.novelty_transition, STYPE = float8[]);
CREATE AGGREGATE oracle.misshapen (float8) (SFUNC = recommender_internal.novelty_transition, STYPE = float8[], INITCOND = '{0}');
SELECT throws_ok('SELECT oracle.stateless(.5)', '22004', 'the state of an aggregate must not be null', 'an aggregate without a state');
SELECT throws_ok('SELECT oracle.misshapen(.5)', 'XX000', NULL, 'an aggregate with another state');

SELECT * FROM finish();
ROLLBACK;
