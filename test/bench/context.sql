-- test/bench/context.sql
--
-- Does the context help?  Country, month, weekday and hour on the gift shop,
-- evaluated on hidden purchases, with intervals.  Run it in a database
-- in which test/bench/online_retail.sql was run before, from the project's
-- root:
--
--     psql -X -d retail -f test/bench/context.sql
--
-- The results are in test/bench/README.md.

\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\pset footer off
\pset null ''
SET client_min_messages = warning;
SET maintenance_work_mem = '1GB';
BEGIN;

-- a shop for each set of columns: all, the time alone, the country alone
SELECT recommender.create_recommender('retail_time', 'retail.order_lines', user_column => 'customer_id', item_column => 'product_code',
           time_column => 'ordered_at', event_column => 'kind', event_weights => '{"purchase": 1, "return": -1}') \gset

CREATE TEMP TABLE split AS
SELECT * FROM (VALUES (1, 'newest fifth', 'time', 1, 0.2), (2, 'newest tenth', 'time', 1, 0.1), (3, 'newest half', 'time', 1, 0.5),
                      (4, 'last line of each', 'leave_last', 1, 0.2), (5, 'last twenty lines of each', 'leave_last', 20, 0.2)) AS s (no, hidden, split, last, share);
CREATE TEMP TABLE setting AS
SELECT * FROM (VALUES (1, 'country, month, weekday, hour', 'retail_recs', '{}'), (2, 'month', 'retail_time', '{"context_time": ["month"]}'),
                      (3, 'weekday', 'retail_time', '{"context_time": ["weekday"]}'), (4, 'hour', 'retail_time', '{"context_time": ["hour"]}'),
                      (5, 'country', 'retail_recs', '{"context_time": []}')) AS s (no, context, recommender, options);

\echo
\echo 'NDCG@10 without and with a context, on the same customers:'
\echo
SELECT s.hidden, o.context, round(c.value_a::numeric, 4) AS without, round(c.value_b::numeric, 4) AS with, round(c.difference::numeric, 4) AS difference,
       round(c.ci_low::numeric, 4) AS ci_low, round(c.ci_high::numeric, 4) AS ci_high, round(c.p_value::numeric, 3) AS p_value, c.users
FROM   split AS s, setting AS o,
       recommender.compare_options(o.recommender, o.options::jsonb || '{"blend": {"context": 0}}', o.options::jsonb, split => s.split, last => s.last,
                                   test_share => s.share, context => true) AS c
ORDER  BY s.no, o.no;

\echo
\echo 'The same beside a half-life of 60 days, which knows the season, too:'
\echo
SELECT s.hidden, round(c.value_a::numeric, 4) AS without, round(c.value_b::numeric, 4) AS with, round(c.difference::numeric, 4) AS difference,
       round(c.ci_low::numeric, 4) AS ci_low, round(c.ci_high::numeric, 4) AS ci_high, round(c.p_value::numeric, 3) AS p_value, c.users
FROM   split AS s,
       recommender.compare_options('retail_recs', '{"half_life": "60 days", "blend": {"context": 0}}', '{"half_life": "60 days"}', split => s.split, last => s.last,
                                   test_share => s.share, context => true) AS c
ORDER  BY s.no;

\echo
\echo 'By what is known of the customers, and by the month in which they came back (newest fifth):'
\echo
CREATE TEMP TABLE cut AS
SELECT ordered_at AS at FROM retail.order_lines WHERE customer_id IS NOT NULL
ORDER  BY ordered_at OFFSET (SELECT floor(0.8 * count(*)) FROM retail.order_lines WHERE customer_id IS NOT NULL) LIMIT 1;
SELECT at AS hidden_from FROM cut;
SELECT e.segment, round(max(e.value) FILTER (WHERE NOT w.context)::numeric, 4) AS without, round(max(e.value) FILTER (WHERE w.context)::numeric, 4) AS with,
       round(max(e.ci_low) FILTER (WHERE w.context)::numeric, 4) AS ci_low, round(max(e.ci_high) FILTER (WHERE w.context)::numeric, 4) AS ci_high, max(e.users) AS users
FROM   (VALUES (false), (true)) AS w (context),
       recommender.evaluate('retail_recs', metrics => '{ndcg}', context => w.context, store => false, segments => $$
           SELECT l.customer_id, CASE WHEN first.country = 'United Kingdom' THEN 'at home, ' ELSE 'abroad, ' END || first.month
           FROM   (SELECT DISTINCT ON (customer_id) customer_id, country, lower(to_char(ordered_at, 'FMMonth')) AS month
                   FROM retail.order_lines, pg_temp.cut WHERE ordered_at >= cut.at AND customer_id IS NOT NULL ORDER BY customer_id, ordered_at) AS first
                  JOIN retail.customers AS l (customer_id, home) USING (customer_id) $$) AS e
WHERE  e.strategy = 'recommender' AND e.metric = 'ndcg' AND e.segment ~ '^(all|users|segment)'
GROUP  BY e.segment ORDER BY e.segment;

\echo
\echo 'How much of it (newest fifth, and last twenty lines of each):'
\echo
SELECT b.weight AS "blend.context", round(t.value::numeric, 4) AS newest_fifth, round(l.value::numeric, 4) AS last_twenty_lines
FROM   unnest('{0,0.1,0.2,0.3,0.5,0.7,1,1.5}'::float8[]) AS b (weight),
       recommender.evaluate('retail_recs', metrics => '{ndcg}', context => true, store => false, resamples => 0, options => jsonb_build_object('blend', jsonb_build_object('context', b.weight))) AS t,
       recommender.evaluate('retail_recs', split => 'leave_last', last => 20, metrics => '{ndcg}', context => true, store => false, resamples => 0, options => jsonb_build_object('blend', jsonb_build_object('context', b.weight))) AS l
WHERE  t.strategy = 'recommender' AND t.metric = 'ndcg' AND t.segment = 'all' AND l.strategy = 'recommender' AND l.metric = 'ndcg' AND l.segment = 'all'
ORDER  BY b.weight;
ROLLBACK;
