/*
 * incremental.sql
 *	What an incremental refresh could save: how much of a model changes when
 *	a thousand interactions come to a million.
 *
 *	test/tools/with-server psql -X -f test/bench/incremental.sql
 *	with -v rows=1000000 -v items=20000 -v new=1000 -v only=cosine (a regular
 *	expression for the measures) before -f, if other than that.
 *
 * The new interactions are drawn like the others.  For each measure all is
 * refreshed before and after, and neighbours are compared by item.  "changed"
 * are rows of the table "neighbor" in which anything is another bit, "beyond a
 * bit" those in which a score is more than a float4's last bit away or the
 * items differ, "other items" those in which the items differ; each also as a share of
 * the additions that computing such rows takes (the items of all users of the
 * row's item).  Whatever finds out what changed, an exact refresh has to write
 * the changed rows: what that alone takes, into a table with the same index,
 * beside a full refresh, is the least that it can cost.
 */
\set ON_ERROR_STOP on
\pset footer off
\if :{?rows}
\else
	\set rows 1000000
\endif
\if :{?items}
\else
	\set items 20000
\endif
\if :{?new}
\else
	\set new 1000
\endif
\if :{?only}
\else
	\set only .
\endif
SET client_min_messages = warning;
SET maintenance_work_mem = '8GB';
SET max_parallel_maintenance_workers = 0;
SET work_mem = '256MB';
SET jit = off;
CREATE EXTENSION IF NOT EXISTS recommender;
DROP SCHEMA IF EXISTS changes, changes_1, changes_2, changes_3, changes_4, changes_5, changes_6 CASCADE;
CREATE SCHEMA changes;
SET search_path = changes, public;
SELECT setseed(0.5) \gset

-- the interactions of users and the popularity of items follow power laws
CREATE UNLOGGED TABLE drawn AS
SELECT row_number() OVER () AS n, user_id, item_id
FROM   (SELECT u AS user_id, floor(power(random(), 3) * :items)::int AS item_id
		FROM   (SELECT u, least(1000, floor(5 * power(1 - random(), -1 / 1.3)))::int AS n
				FROM   generate_series(1, :rows) AS u OFFSET 0) AS lengths,
			   generate_series(1, n)
		LIMIT  :rows) AS d;
-- some of them come later, all with the same probability
CREATE UNLOGGED TABLE chosen AS
SELECT DISTINCT 1 + floor(random() * :rows)::bigint AS n FROM generate_series(1, :new);
CREATE UNLOGGED TABLE later AS
SELECT user_id, item_id FROM drawn WHERE n IN (SELECT n FROM chosen);
CREATE UNLOGGED TABLE interactions AS
SELECT user_id, item_id FROM drawn WHERE n NOT IN (SELECT n FROM chosen);
DROP TABLE drawn;
ANALYZE interactions;
CREATE TABLE measures (recs text PRIMARY KEY, label text, options jsonb);
INSERT INTO measures VALUES
	('changes_1', 'cosine', '{"measure": "cosine", "weighting": "none", "truncate": "source", "min_support": 1}'),
	('changes_2', 'jaccard', '{"measure": "jaccard", "truncate": "source", "min_support": 1}'),
	('changes_3', 'the defaults', '{}'),
	('changes_4', 'the defaults, user_exponent 0', '{"user_exponent": 0}'),
	('changes_5', 'lift', '{"measure": "lift", "truncate": "source"}'),
	('changes_6', 'conditional', '{"measure": "conditional", "truncate": "source"}');
DELETE FROM measures WHERE label !~ :'only';
CREATE TABLE neighbors_of (label text, moment int, item_id int, other int, score real);
CREATE TABLE costs (label text, moment int, read_ms float8, build_ms float8, write_ms float8, rewrite_ms float8);

-- refreshes one recommender and stores its neighbours by the items' ids
CREATE PROCEDURE keep(recs text, label text, moment int) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO costs
	SELECT label, moment, r.read_ms, r.build_ms, r.write_ms FROM recommender.refresh(recs) AS r;
	EXECUTE format('INSERT INTO neighbors_of SELECT $1, $2, n.item_id, i.item_id, s.score
		FROM %1$I.neighbor n, unnest(n.neighbors, n.scores) AS s (item_no, score)
		JOIN %1$I.item i USING (item_no)
		WHERE n.kind = ''behaviour''', recs) USING label, moment;
END $$;

-- writes the changed rows once more, and stores the time
CREATE PROCEDURE rewrite(recs text, of_label text) LANGUAGE plpgsql AS $$
DECLARE
	since timestamptz;
BEGIN
	EXECUTE format('CREATE TABLE rewritten (LIKE %I.neighbor INCLUDING ALL)', recs);
	since := clock_timestamp();
	EXECUTE format('INSERT INTO rewritten SELECT n.* FROM %I.neighbor n JOIN compared c USING (item_id)
		WHERE c.label = $1 AND c.changed', recs) USING of_label;
	UPDATE costs SET rewrite_ms = extract(epoch FROM clock_timestamp() - since) * 1000
	WHERE label = of_label AND moment = 2;
	DROP TABLE rewritten;
END $$;

\o /dev/null
SELECT format('SELECT recommender.create_recommender(%L, ''changes.interactions'', ''user_id'', ''item_id'', options => %L)', recs, options) FROM measures
\gexec
\o
SELECT format('CALL keep(%L, %L, 1)', recs, label) FROM measures
\gexec
INSERT INTO interactions TABLE later;
SELECT format('CALL keep(%L, %L, 2)', recs, label) FROM measures
\gexec

-- the number of additions for each item's row
CREATE TABLE work AS
SELECT item_id, sum(n) AS additions
FROM   (SELECT DISTINCT user_id, item_id FROM interactions) AS pairs
	   JOIN (SELECT user_id, count(DISTINCT item_id) AS n FROM interactions GROUP BY 1) AS lengths USING (user_id)
GROUP BY 1;
CREATE TABLE compared AS
SELECT label, item_id, additions,
	   coalesce(bool_or(a.score IS DISTINCT FROM b.score), false) AS changed,
	   coalesce(bool_or(a.score IS NULL OR b.score IS NULL OR abs(a.score - b.score) > 1.2e-7 * abs(a.score)), false) AS beyond,
	   coalesce(bool_or(a.score IS NULL OR b.score IS NULL), false) AS other
FROM   (SELECT label, item_id, other, score FROM neighbors_of WHERE moment = 1) AS a
	   FULL JOIN (SELECT label, item_id, other, score FROM neighbors_of WHERE moment = 2) AS b
	   USING (label, item_id, other)
	   JOIN work USING (item_id)
GROUP BY 1, 2, 3;
ANALYZE compared;
SELECT format('CALL rewrite(%L, %L)', recs, label) FROM measures
\gexec

\echo
\echo What came later, and whom it touches:
SELECT (SELECT count(*) FROM interactions) AS interactions,
	   (SELECT count(*) FROM later) AS later,
	   (SELECT count(DISTINCT user_id) FROM later) AS "users with them",
	   (SELECT count(DISTINCT item_id) FROM later) AS "items with them",
	   (SELECT round(100.0 * count(DISTINCT i.item_id) / (SELECT count(*) FROM work), 1)
		FROM interactions i JOIN later USING (user_id)) AS "% of items in their users' histories",
	   (SELECT round(100.0 * sum(additions) / (SELECT sum(additions) FROM work), 1)
		FROM work WHERE item_id IN (SELECT item_id FROM later)) AS "% of additions for their items";

\echo
\echo Rows of neighbours that changed, of 100, and of 100 additions:
SELECT label AS measure,
	   round(100.0 * count(*) FILTER (WHERE changed) / count(*), 1) AS changed,
	   round(100.0 * count(*) FILTER (WHERE beyond) / count(*), 1) AS "beyond a bit",
	   round(100.0 * count(*) FILTER (WHERE other) / count(*), 1) AS "other items",
	   round(100.0 * coalesce(sum(additions) FILTER (WHERE changed), 0) / sum(additions), 1) AS "additions: changed",
	   round(100.0 * coalesce(sum(additions) FILTER (WHERE beyond), 0) / sum(additions), 1) AS "beyond",
	   round(100.0 * coalesce(sum(additions) FILTER (WHERE other), 0) / sum(additions), 1) AS "other"
FROM   compared
GROUP BY 1
ORDER BY min(CASE label WHEN 'cosine' THEN 1 WHEN 'jaccard' THEN 2 WHEN 'lift' THEN 5 WHEN 'conditional' THEN 6 ELSE 3 END), 1;

\echo
\echo A full refresh in seconds, and the least that an exact incremental one would take of it:
SELECT label AS measure,
	   round(((read_ms + build_ms + write_ms) / 1000)::numeric, 2) AS "full refresh",
	   round((read_ms / 1000)::numeric, 2) AS reading,
	   round((build_ms / 1000)::numeric, 2) AS building,
	   round((write_ms / 1000)::numeric, 2) AS "computing, writing",
	   round((rewrite_ms / 1000)::numeric, 2) AS "writing what changed",
	   round((100 * rewrite_ms / (read_ms + build_ms + write_ms))::numeric, 0) AS "% of the full refresh"
FROM   costs
WHERE  moment = 2
ORDER BY (SELECT recs FROM measures m WHERE m.label = costs.label);
