-- test/bench/diversity.sql
--
-- The cost in accuracy of diversity, max_per and a discount on popularity, and
-- the share of the catalogue that they show.  Run it in a database in which
-- test/bench/online_retail.sql was run before, from the project's root:
--
--     psql -X -d retail -f test/bench/diversity.sql

\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\pset null ''
SET maintenance_work_mem = '1GB';

-- products with the last word of their title: bag, mug, card holder
BEGIN;
CREATE TABLE retail.family AS
SELECT code, title, lower(regexp_replace(split_part(title, ',', 1), '^.* ', '')) AS family FROM retail.products;
ALTER TABLE retail.family ADD PRIMARY KEY (code);
SELECT recommender.set_items('retail_recs', 'retail.family', item_column => 'code') \gset
CREATE TEMP TABLE setting AS
SELECT * FROM unnest(ARRAY['{}', '{"diversity": 0.1}', '{"diversity": 0.2}', '{"diversity": 0.3}', '{"diversity": 0.5}', '{"diversity": 0.7}',
	'{"popularity_discount": 0.05}', '{"popularity_discount": 0.1}', '{"popularity_discount": 0.3}',
	'{"max_per": {"family": 2}}', '{"max_per": {"family": 1}}']::jsonb[]) WITH ORDINALITY AS s (options, no);
SELECT s.options, e.metric, round(e.value::numeric, 4) AS value, round(e.ci_low::numeric, 4) AS ci_low, round(e.ci_high::numeric, 4) AS ci_high, e.users
FROM   setting AS s, recommender.evaluate('retail_recs', metrics => '{ndcg,recall}', options => s.options, store => false) AS e
WHERE  e.strategy = 'recommender' AND e.segment = 'all' AND e.metric IN ('ndcg', 'recall', 'coverage')
ORDER  BY e.metric, s.no;
SELECT s.options, round(c.difference::numeric, 4) AS more_ndcg_than_without, round(c.ci_low::numeric, 4) AS ci_low, round(c.ci_high::numeric, 4) AS ci_high, c.p_value
FROM   setting AS s, recommender.compare_options('retail_recs', '{}', s.options) AS c
WHERE  s.no > 1 ORDER BY s.no;
ROLLBACK;
