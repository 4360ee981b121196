-- test/bench/tune.sql
--
-- What does tuning gain?  The gift shop's recommender, with the products'
-- titles and the context, is tuned on the data before the newest fifth of the
-- purchases, and evaluated on that fifth, which no trial has seen.  Run it in
-- a database in which test/bench/online_retail.sql was run before, from the
-- project's root; it takes some twenty minutes, and leaves nothing behind:
--
--     psql -X -d retail -f test/bench/tune.sql
--     psql -X -d retail -v trials=100 -v refinements=100 -v seed=1 -f test/bench/tune.sql
--
-- The results are in test/bench/README.md.

\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\pset footer off
\pset null ''
\if :{?trials}
\else
  \set trials 40
\endif
\if :{?refinements}
\else
  \set refinements 60
\endif
\if :{?seed}
\else
  \set seed 0
\endif
SET client_min_messages = warning;
SET timezone = 'UTC';
SET maintenance_work_mem = '1GB';
BEGIN;

-- the description of a product: the words of its title, the last of which is its kind, and its price
CREATE TABLE retail.offer AS
SELECT code, title, price, lower(regexp_replace(split_part(title, ',', 1), '^.* ', '')) AS family FROM retail.products;
ALTER TABLE retail.offer ADD PRIMARY KEY (code);
SELECT recommender.set_items('retail_recs', 'retail.offer', item_column => 'code', feature_columns => '{family,price}', text_columns => '{title}') \gset
ANALYZE retail.offer;

/* ------------------------------------------------------------------------
 * The searches: all models, then each alone
 * ------------------------------------------------------------------------ */

CREATE TEMP TABLE search (no int, models text[], seconds float8);
INSERT INTO search VALUES (1, '{neighbors,als,ridge}'), (2, '{neighbors}'), (3, '{als}'), (4, '{ridge}');
CREATE TEMP TABLE found (no int, nth bigint, row recommender.trial);
CREATE FUNCTION pg_temp.tune(search int, models text[], trials int, refinements int, seed bigint) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE started timestamptz := clock_timestamp();
BEGIN
	INSERT INTO found
	SELECT search, t.ordinality, ROW(t.trial, t.stage, t.options, t.metric, t.k, t.value, t.users, t.train_ms, t.ci_low, t.ci_high, t.p_value, t.applied)::recommender.trial
	FROM recommender.tune('retail_recs', trials => trials, refinements => refinements, seed => seed, models => models, context => true) WITH ORDINALITY AS t;
	RETURN extract(epoch FROM clock_timestamp() - started);
END $$;
UPDATE search SET seconds = pg_temp.tune(no, models, :trials, :refinements, :seed);
CREATE TEMP VIEW trial AS SELECT no, nth, (row).* FROM found;

\echo
\echo 'The search over all models, NDCG@10 of the best of each stage (validation, but for the last two rows):'
\echo
SELECT stage, count(*) AS trials, max(users) AS users, round(max(value)::numeric, 4) AS best,
       round((array_agg(train_ms ORDER BY value DESC, trial))[1]::numeric) AS train_ms
FROM   trial WHERE no = 1 GROUP BY stage ORDER BY min(nth);

\echo
\echo 'What has won:'
\echo
SELECT o.key AS option, o.value FROM trial, jsonb_each(options) AS o WHERE no = 1 AND stage = 'held out, best' ORDER BY o.key;

\echo
\echo 'Each model alone, tuned the same way: NDCG@10 on the newest fifth, and over the defaults:'
\echo
SELECT array_to_string(s.models, ', ') AS models, round(f.value::numeric, 4) AS defaults, round(b.value::numeric, 4) AS tuned,
       round((b.value - f.value)::numeric, 4) AS difference, round(b.ci_low::numeric, 4) AS ci_low, round(b.ci_high::numeric, 4) AS ci_high,
       round(b.p_value::numeric, 3) AS p_value, b.users, round(b.train_ms::numeric) AS train_ms, round(s.seconds::numeric) AS search_s
FROM   search AS s JOIN trial AS f ON f.no = s.no AND f.stage = 'held out, in force' JOIN trial AS b ON b.no = s.no AND b.stage = 'held out, best'
ORDER  BY s.no;

/* ------------------------------------------------------------------------
 * On the newest fifth: the parts, the defaults, and what was found
 * ------------------------------------------------------------------------ */

CREATE TEMP TABLE contestant AS
SELECT * FROM (VALUES (1, 'popularity alone', '{"blend": {"behaviour": 0, "content": 0, "context": 0, "popularity": 1}}'::jsonb),
                      (2, 'content alone', '{"blend": {"behaviour": 0, "content": 1, "context": 0, "popularity": 0}}'),
                      (3, 'behaviour alone', '{"blend": {"behaviour": 1, "content": 0, "context": 0, "popularity": 0}}'),
                      (4, 'defaults without context', '{"blend": {"context": 0}}'),
                      (5, 'defaults', '{}')) AS c (no, contestant, options)
UNION ALL SELECT 6, 'tuned', options FROM trial WHERE no = 1 AND stage = 'held out, best'
UNION ALL SELECT 7, 'tuned, ' || models[1] || ' alone', options FROM trial AS t JOIN search AS s USING (no) WHERE no > 1 AND stage = 'held out, best';
CREATE TEMP TABLE measured AS
SELECT c.no, c.contestant, e.*
FROM   contestant AS c, recommender.evaluate('retail_recs', options => c.options, metrics => '{ndcg,recall,hit_rate}', context => true, store => false, resamples => 1000) AS e
WHERE  e.strategy = 'recommender';

\echo
\echo 'On the newest fifth, at 10:'
\echo
SELECT contestant, metric, round(value::numeric, 4) AS value, round(ci_low::numeric, 4) AS ci_low, round(ci_high::numeric, 4) AS ci_high, users
FROM   measured WHERE segment = 'all' AND metric <> 'gini' ORDER BY array_position('{ndcg,recall,hit_rate,coverage}', metric), no, contestant;

\echo
\echo 'What the tuned one gives over each, NDCG@10 on the same customers:'
\echo
SELECT c.contestant, round(d.value_a::numeric, 4) AS without, round(d.value_b::numeric, 4) AS tuned, round(d.difference::numeric, 4) AS difference,
       round(d.ci_low::numeric, 4) AS ci_low, round(d.ci_high::numeric, 4) AS ci_high, round(d.p_value::numeric, 3) AS p_value, d.users
FROM   contestant AS c, contestant AS t, recommender.compare_options('retail_recs', c.options, t.options, context => true) AS d
WHERE  t.no = 6 AND c.no < 6 ORDER BY c.no;

\echo
\echo 'For whom, NDCG@10:'
\echo
SELECT segment, max(users) AS users, round(max(value) FILTER (WHERE no = 1)::numeric, 4) AS popularity, round(max(value) FILTER (WHERE no = 2)::numeric, 4) AS content,
       round(max(value) FILTER (WHERE no = 3)::numeric, 4) AS behaviour, round(max(value) FILTER (WHERE no = 5)::numeric, 4) AS defaults,
       round(max(value) FILTER (WHERE no = 6)::numeric, 4) AS tuned
FROM   measured WHERE metric = 'ndcg' GROUP BY segment ORDER BY segment;
ROLLBACK;
