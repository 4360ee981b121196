-- test/bench/new_item.sql
--
-- The cost of a new item: similar_items(), recommend(), score() and explain()
-- of items that the model does not know, beside the same calls for items that
-- it knows, over 100,000 generated items with categories, brands, tags, prices
-- and titles.  Then recommend() with more and more new items, up to the limit
-- of the option new_items.  Run it in a fresh database, from the project's
-- root:
--
--     test/tools/with-server psql -X -f test/bench/new_item.sql

\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\pset footer off
SET client_min_messages = warning;
SET jit = off;
SET maintenance_work_mem = '1GB';

CREATE EXTENSION IF NOT EXISTS recommender;
SELECT setseed(0.5) \g /dev/null
CREATE SCHEMA bench;
CREATE FUNCTION bench.words(n int) RETURNS text LANGUAGE sql VOLATILE AS
$$SELECT string_agg('w' || floor(3000 * power(random(), 2))::int, ' ') FROM generate_series(1, 4 + n % 3)$$;
CREATE TABLE bench.product (id int PRIMARY KEY, category int, brand text, tags text[], price numeric, title text, added_at timestamptz);
CREATE INDEX ON bench.product (added_at);
-- products from one number to another
CREATE FUNCTION bench.products(first int, last int, added timestamptz) RETURNS SETOF bench.product LANGUAGE sql VOLATILE AS $$
    SELECT n, floor(200 * random())::int, 'b' || floor(2000 * power(random(), 2))::int, ARRAY['t' || floor(300 * random())::int, 't' || floor(300 * random())::int],
           round((1 + 100 * random())::numeric, 2), bench.words(n), added + n * interval '1 microsecond'
    FROM generate_series(first, last) n $$;
INSERT INTO bench.product SELECT * FROM bench.products(1, 100000, now() - interval '1 day');
CREATE TABLE bench.purchase AS
SELECT u AS user_id, floor(100000 * power(random(), 3))::int + 1 AS item_id
FROM   generate_series(1, 20000) u, generate_series(1, 20);
CREATE INDEX ON bench.purchase (user_id);
VACUUM (ANALYZE) bench.product, bench.purchase;
SELECT recommender.create_recommender('recs', 'bench.purchase') \g /dev/null
SELECT recommender.set_items('recs', 'bench.product', feature_columns => '{category,brand,tags,price}', text_columns => '{title}',
    created_column => 'added_at', options => '{"categorical": ["category"], "config": "simple"}') \g /dev/null
SELECT items, neighbors, round(build_ms) AS build_ms, pg_size_pretty(memory_bytes) AS memory, pg_size_pretty(model_bytes) AS model FROM recommender.refresh('recs');
VACUUM;

-- Milliseconds of CPU time of this session, or of the clock if there is no such
-- file; on a busy machine the clock includes other processes.
CREATE FUNCTION bench.used() RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
    RETURN split_part(pg_read_file('/proc/self/schedstat', 0, 100), ' ', 1)::float8 / 1e6;
EXCEPTION WHEN OTHERS THEN
    RETURN extract(epoch FROM clock_timestamp()) * 1000;
END $$;

-- Mean milliseconds of a call, of some hundred, in which $u is a user, $o an item that the
-- model knows, and $n one that it does not.
CREATE FUNCTION bench.measure(call text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE before float8; n bigint;
BEGIN
    FOR i IN 1 .. 220 LOOP
        IF i = 21 THEN      -- plans are cached by then
            before := bench.used();
        END IF;
        EXECUTE format('SELECT count(*) FROM %s', replace(replace(replace(call, '$u', '$1::int'), '$o', '(100 + $1)'), '$n', '(1000000 + $1)')) INTO n USING i;
    END LOOP;
    RETURN (bench.used() - before) / 200;
END $$;

-- New products; user 1000000 + n has looked at product 1000000 + n alone,
-- and user 2000000 + n at product n.
BEGIN;
INSERT INTO bench.product SELECT * FROM bench.products(1000001, 1000220, now() - interval '1 minute');
INSERT INTO bench.purchase SELECT 1000000 + n, 1000000 + n FROM generate_series(1, 220) n UNION ALL SELECT 2000000 + n, 100 + n FROM generate_series(1, 220) n;
CREATE TEMP TABLE result AS
SELECT n, what, bench.measure(old) AS old, bench.measure(new) AS new
FROM   (VALUES (1, 'similar_items(item, 10)', 'recs.similar_items($o, 10)', 'recs.similar_items($n, 10)'),
               (2, 'score(user, item)', 'recs.score($u, $o)', 'recs.score($u, $n)'),
               (3, 'explain(user, item)', 'recs.explain($u, $o)', 'recs.explain($u, $n)'),
               (4, 'recommend(user with one view of it, 10)', 'recs.recommend(2000000 + $u, 10)', 'recs.recommend(1000000 + $u, 10)')) v (n, what, old, new)
ORDER  BY n;
SELECT what, round(old::numeric, 3) AS "ms, known item", round(new::numeric, 3) AS "ms, new item" FROM result ORDER BY n;
ROLLBACK;

-- recommend() by the number of new products, and by the option new_items.
CREATE TEMP TABLE grown (n serial, new_items int, new_products int, ms float8);
CREATE PROCEDURE bench.grow(new_products int) LANGUAGE plpgsql AS $$
DECLARE most int;
BEGIN
    INSERT INTO bench.product SELECT * FROM bench.products(1000001, 1000000 + new_products, now() - interval '1 minute');
    FOREACH most IN ARRAY '{0,50,1000}'::int[] LOOP
        INSERT INTO grown (new_items, new_products, ms) VALUES (most, new_products, bench.measure(format('recs.recommend($u, 10, options => ''{"new_items": %s}'')', most)));
    END LOOP;
    DELETE FROM bench.product WHERE id > 1000000;
END $$;
CALL bench.grow(0);
CALL bench.grow(1);
CALL bench.grow(50);
CALL bench.grow(1000);
CALL bench.grow(10000);
SELECT new_products AS "new products", new_items AS "option new_items", round(ms::numeric, 3) AS "ms, recommend(user, 10)" FROM grown ORDER BY n;

SELECT recommender.drop_recommender('recs') \g /dev/null
DROP SCHEMA bench CASCADE;
