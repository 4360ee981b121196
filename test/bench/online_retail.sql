-- test/bench/online_retail.sql
--
-- A year of a real gift shop, loaded into tables as a shop would have them, and
-- a recommender over it.  Run it in a fresh database, from the project's root:
--
--     psql -X -d retail -f test/bench/online_retail.sql
--     psql -X -d retail -v data=/some/where/online_retail.csv.gz -f test/bench/online_retail.sql
--
-- test/bench/README.md has the source of the data and explains the output.

\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\pset footer off
\pset null ''
\if :{?data}
\else
  \set data ../shared/data/online_retail.csv.gz
\endif

SET client_encoding = 'UTF8';
SET client_min_messages = warning;
SET timezone = 'UTC';

-- The time of each step, for the table at the end.
CREATE TEMP TABLE step (no int GENERATED ALWAYS AS IDENTITY, what text, started timestamptz DEFAULT clock_timestamp(),
                        ended timestamptz, note text);

CREATE SCHEMA retail;

\echo
\echo '====================================================================================================='
\echo ' 1. Loading the invoices as they came'
\echo '====================================================================================================='

CREATE TEMP TABLE invoice_line (
    invoice      text,
    stock_code   text,
    description  text,
    quantity     int,
    invoice_date timestamp,
    unit_price   numeric,
    customer_id  int,
    country      text
);

-- \copy does not expand variables: the path is passed through the environment
INSERT INTO step (what) VALUES ('load the file');
\setenv retail_data :data
\copy invoice_line FROM PROGRAM 'gzip -dc "$retail_data"' WITH (FORMAT csv, HEADER)
UPDATE step SET ended = clock_timestamp(), note = (SELECT count(*) FROM invoice_line) || ' lines' WHERE ended IS NULL;

\echo
\echo '====================================================================================================='
\echo ' 2. Making a shop of them: retail.products, retail.customers, retail.order_lines'
\echo '====================================================================================================='

-- What is a sale, what is a return, and what is a note of the warehouse?
--
--   invoice 5xxxxx, price > 0    a sale; quantities are positive throughout
--   invoice Cxxxxxx              a return; quantities are negative throughout.  Much of what is returned was bought
--                                before the data begins, so a customer can return what he never bought here.
--   price 0                      nothing was sold.  Nearly all of them are notes of the warehouse, without a
--                                customer, with positive and negative quantities: "damaged", "check", "?", "sold as set on
--                                dotcom", "thrown away".  The remaining 40 lines are gifts to a customer.
--   invoice Axxxxxx              three lines that adjust a bad debt, two of them with a negative price
--
-- And which codes are products?  Those of five digits with up to two letters, which are variants (colours mostly) and
-- products of their own: 84997A to 84997D are cutlery in four colours.  The letters come in both cases: 15056bl is
-- 15056BL.  Then DCGS0003, DCGSSBOY and the like, which are ordinary things sold through a web shop.  No products are
-- POST, DOT, C2 (postage, carriage), D (discount), M and m (manual entries), S (samples), B (bad debt), CRUK (a share
-- for charity), BANK CHARGES, AMAZONFEE, PADS (an extra that cost 0.001), gift_0001_nn (vouchers).  Three more have
-- codes of five digits and are recognised only by their names: a voucher, "Next Day Carriage" and "High Resolution Image".
--
-- Codes that were never sold at a price are no products either: 135 that exist only in notes of the warehouse.
INSERT INTO step (what) VALUES ('tell sales from notes');

CREATE TEMP TABLE line AS
SELECT invoice,
       upper(stock_code) AS code,
       btrim(regexp_replace(description, '\s+', ' ', 'g'), ' .,*') AS title,
       CASE WHEN invoice LIKE 'C%' THEN 'return' ELSE 'purchase' END AS kind,
       abs(quantity) AS quantity,
       unit_price,
       invoice_date AS ordered_at,
       customer_id,
       country
FROM   invoice_line
WHERE  invoice ~ '^C?[0-9]+$'
  AND  unit_price > 0
  AND  upper(stock_code) ~ '^([0-9]{5}[A-Z]{0,2}|DCGS.*)$'
  AND  description !~* '(gift voucher|next day carriage|high resolution image)';
ANALYZE line;

UPDATE step SET ended = clock_timestamp(), note = (SELECT count(*) FROM line) || ' lines' WHERE ended IS NULL;

-- One row per product.  The title is the description on most of its sales: 200 codes have several, some of them
-- spellings (DOILY, DOILEY), some the names of an earlier product (85123A was a cream heart before it was a white
-- one).  The same title on different codes is left alone: sizes and colours that the descriptions do not distinguish.
-- The descriptions are in capitals; initcap() makes titles that are easier to read.
INSERT INTO step (what) VALUES ('products');

CREATE TABLE retail.products (
    code       text PRIMARY KEY,
    title      text NOT NULL,
    price      numeric(10,2) NOT NULL,
    first_sold date NOT NULL
);

INSERT INTO retail.products (code, title, price, first_sold)
SELECT code,
       regexp_replace(replace(replace(replace(initcap(mode() WITHIN GROUP (ORDER BY title)),
                      '''S', '''s'), '''T', '''t'), '''Re', '''re'), '\s+,', ',', 'g'),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY unit_price),
       min(ordered_at)::date
FROM   line
WHERE  kind = 'purchase'
GROUP  BY code
ORDER  BY code;

UPDATE step SET ended = clock_timestamp(), note = (SELECT count(*) FROM retail.products) || ' products' WHERE ended IS NULL;

-- Eight customers have bought from two countries; they live where they ordered last.
INSERT INTO step (what) VALUES ('customers');

CREATE TABLE retail.customers (
    id      int PRIMARY KEY,
    country text NOT NULL
);

INSERT INTO retail.customers (id, country)
SELECT DISTINCT ON (customer_id) customer_id, country
FROM   line
WHERE  customer_id IS NOT NULL
ORDER  BY customer_id, ordered_at DESC, country;

UPDATE step SET ended = clock_timestamp(), note = (SELECT count(*) FROM retail.customers) || ' customers' WHERE ended IS NULL;

-- Every line of a product stays, the same product twice on an invoice too (5,000 lines are exact copies), and the
-- quarter without a customer: the recommender reports rows that do not count.  Returns of products that were never
-- sold here have no product to refer to and are left out.
INSERT INTO step (what) VALUES ('order lines');

CREATE TABLE retail.order_lines (
    invoice      text NOT NULL,
    customer_id  int,
    product_code text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('purchase', 'return')),
    quantity     int NOT NULL CHECK (quantity > 0),
    unit_price   numeric(10,2) NOT NULL,
    ordered_at   timestamp NOT NULL,
    country      text NOT NULL
);

INSERT INTO retail.order_lines (invoice, customer_id, product_code, kind, quantity, unit_price, ordered_at, country)
SELECT l.invoice, l.customer_id, l.code, l.kind, l.quantity, l.unit_price, l.ordered_at, l.country
FROM   line AS l JOIN retail.products AS p ON p.code = l.code
ORDER  BY l.ordered_at, l.invoice, l.code;

ALTER TABLE retail.order_lines
    ADD FOREIGN KEY (customer_id) REFERENCES retail.customers,
    ADD FOREIGN KEY (product_code) REFERENCES retail.products;
CREATE INDEX order_lines_customer_id_ordered_at_idx ON retail.order_lines (customer_id, ordered_at);
ANALYZE retail.products, retail.customers, retail.order_lines;

UPDATE step SET ended = clock_timestamp(), note = (SELECT count(*) FROM retail.order_lines) || ' lines' WHERE ended IS NULL;

\echo
SELECT kind, count(*) AS lines, count(customer_id) AS with_customer, count(DISTINCT customer_id) AS customers,
       count(DISTINCT product_code) AS products, min(ordered_at)::date AS first, max(ordered_at)::date AS last
FROM   retail.order_lines GROUP BY kind ORDER BY kind;


\echo '====================================================================================================='
\echo ' 3. A recommender over the order lines'
\echo '====================================================================================================='
\echo

CREATE EXTENSION IF NOT EXISTS recommender;

SELECT recommender.create_recommender('retail_recs', 'retail.order_lines',
           user_column => 'customer_id', item_column => 'product_code',
           time_column => 'ordered_at', event_column => 'kind',
           event_weights => '{"purchase": 1, "return": -1}', context_columns => '{country}') AS created;

INSERT INTO step (what) VALUES ('refresh');
\timing on
SELECT * FROM recommender.refresh('retail_recs') \gx
\timing off
UPDATE step SET ended = clock_timestamp(), note = (SELECT count(*) FROM retail_recs.item) || ' items' WHERE ended IS NULL;

\echo
\echo 'What check_recommender has to say:'
\echo
INSERT INTO step (what) VALUES ('check');
SELECT * FROM recommender.check_recommender('retail_recs') \gx
UPDATE step SET ended = clock_timestamp() WHERE ended IS NULL;


\echo '====================================================================================================='
\echo ' 4. Five customers: what they bought last, and what they are recommended'
\echo '====================================================================================================='
\pset border 0

-- The customers are selected by rules, not for their answers.
CREATE TEMP TABLE buyer AS
SELECT customer_id AS id,
       count(DISTINCT invoice) AS invoices,
       count(DISTINCT product_code) AS products,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY quantity) AS median_quantity,
       avg((p.title ~* 'christmas|santa|advent|xmas|reindeer|snow')::int) AS christmas,
       max(ordered_at) AS last_order
FROM   retail.order_lines AS l JOIN retail.products AS p ON p.code = l.product_code
WHERE  kind = 'purchase' AND customer_id IS NOT NULL
GROUP  BY customer_id;

-- Newest first, one row per product.  Beside it the answer, and the product of the customer's own that contributes
-- most to it.
PREPARE side_by_side(int, int) AS
WITH bought AS (
    SELECT row_number() OVER (ORDER BY max(ordered_at) DESC, product_code) AS place, product_code
    FROM   retail.order_lines
    WHERE  customer_id = $1 AND kind = 'purchase'
    GROUP  BY product_code
)
SELECT place AS "#", left(b.title, 32) AS bought, left(p.title, 32) AS recommended, round(r.score::numeric, 2) AS score,
       coalesce(left(why.title, 30), r.strategy) AS because_of
FROM   generate_series(1, $2) AS place
       LEFT JOIN (bought JOIN retail.products AS b ON b.code = bought.product_code) USING (place)
       LEFT JOIN retail_recs.recommend($1, $2) AS r ON r.rank = place
       LEFT JOIN retail.products AS p ON p.code = r.item_id
       LEFT JOIN retail.products AS why ON why.code = r.reasons -> 0 ->> 'item'
ORDER  BY place;

PREPARE portrait(int) AS
SELECT format('Customer %s, %s: %s, %s products, %s pieces to a line, last seen on %s.', b.id, c.country,
              CASE b.invoices WHEN 1 THEN '1 order' ELSE b.invoices || ' orders' END, b.products, b.median_quantity,
              to_char(b.last_order, 'DD Mon YYYY')) AS portrait
FROM   buyer AS b JOIN retail.customers AS c USING (id)
WHERE  b.id = $1;

\echo
SELECT id FROM buyer WHERE invoices = 1 AND products BETWEEN 5 AND 8 ORDER BY last_order DESC, id LIMIT 1 \gset
EXECUTE portrait(:id) \gset
\echo '--- Light (the newest of those with a single small order)'
\echo '   ' :portrait
\echo
EXECUTE side_by_side(:id, 10);

SELECT id FROM buyer,
       (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY products) AS products,
               percentile_disc(0.5) WITHIN GROUP (ORDER BY invoices) AS invoices FROM buyer) AS median
WHERE  buyer.invoices = median.invoices
ORDER  BY abs(buyer.products - median.products), last_order DESC, id LIMIT 1 \gset
EXECUTE portrait(:id) \gset
\echo '--- Typical (the median)'
\echo '   ' :portrait
\echo
EXECUTE side_by_side(:id, 10);

SELECT id FROM buyer ORDER BY products DESC, id LIMIT 1 \gset
EXECUTE portrait(:id) \gset
\echo '--- Heavy (the most products)'
\echo '   ' :portrait
\echo
EXECUTE side_by_side(:id, 10);

SELECT id FROM buyer WHERE products >= 30 ORDER BY median_quantity DESC, id LIMIT 1 \gset
EXECUTE portrait(:id) \gset
\echo '--- Wholesaler (the largest quantities)'
\echo '   ' :portrait
\echo
EXECUTE side_by_side(:id, 10);

SELECT id FROM buyer WHERE products >= 15 ORDER BY christmas DESC, id LIMIT 1 \gset
EXECUTE portrait(:id) \gset
\echo '--- Father Christmas (the most of Christmas)'
\echo '   ' :portrait
\echo
EXECUTE side_by_side(:id, 10);

\echo '--- Unknown (customer 99999999 does not exist)'
\echo
EXECUTE side_by_side(99999999, 10);


\echo '====================================================================================================='
\echo ' 5. Similar products, a basket, trending'
\echo '====================================================================================================='
\echo
PREPARE alike(text, int) AS
SELECT s.rank AS "#", p.code, p.title, p.price, round(s.score::numeric, 3) AS similarity, n.support AS customers_of_both
FROM   retail_recs.similar_items($1, $2) AS s
       JOIN retail.products AS p ON p.code = s.item_id
       LEFT JOIN retail_recs.neighbors AS n ON n.item_id = $1 AND n.neighbor_id = s.item_id AND n.kind = 'behaviour'
ORDER  BY s.rank;

\echo 'Similar to 85123A, White Hanging Heart T-Light Holder'
\echo
EXECUTE alike('85123A', 6);
\echo 'Similar to 22423, Regency Cakestand 3 Tier'
\echo
EXECUTE alike('22423', 6);
\echo 'Similar to 22492, Mini Paint Set Vintage'
\echo
EXECUTE alike('22492', 6);

\echo 'In the basket: 22720 Set Of 3 Cake Tins Pantry Design, 22960 Jam Making Set With Jars'
\echo
SELECT b.rank AS "#", p.code, p.title, p.price, round(b.score::numeric, 2) AS score
FROM   retail_recs.recommend_basket('{22720,22960}', 8) AS b JOIN retail.products AS p ON p.code = b.item_id
ORDER  BY b.rank;

\echo 'Trending in the first days of December 2011'
\echo
SELECT t.rank AS "#", p.code, p.title, p.first_sold, round(t.score::numeric, 2) AS score,
       count(*) FILTER (WHERE l.ordered_at > last - interval '7 days') AS last_week,
       round(count(*) FILTER (WHERE l.ordered_at <= last - interval '7 days' AND l.ordered_at > last - interval '35 days') / 4.0, 1) AS a_week_before
FROM   retail_recs.trending_items(8) AS t
       JOIN retail.products AS p ON p.code = t.item_id
       JOIN retail.order_lines AS l ON l.product_code = p.code AND l.kind = 'purchase',
       (SELECT max(ordered_at) AS last FROM retail.order_lines) AS newest
GROUP  BY t.rank, t.score, p.code
ORDER  BY t.rank;


\echo '====================================================================================================='
\echo ' 6. The moment: what the month and the country change'
\echo '====================================================================================================='
\echo
\echo 'What sells in November and what in June, by lift:'
\echo
SELECT n.place AS "#", left(november.title, 44) AS in_november, round(exp(n.lift)::numeric, 1) AS times, left(june.title, 44) AS in_june, round(exp(j.lift)::numeric, 1) AS times
FROM   (SELECT row_number() OVER (ORDER BY lift DESC, item_id) AS place, * FROM retail_recs.context_lifts WHERE column_name = 'month' AND value = 'november') AS n
       JOIN (SELECT row_number() OVER (ORDER BY lift DESC, item_id) AS place, * FROM retail_recs.context_lifts WHERE column_name = 'month' AND value = 'june') AS j USING (place)
       JOIN retail.products AS november ON november.code = n.item_id
       JOIN retail.products AS june ON june.code = j.item_id
ORDER  BY n.place LIMIT 8;

-- the typical customer of above; then a new one
SELECT id FROM buyer,
       (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY products) AS products,
               percentile_disc(0.5) WITHIN GROUP (ORDER BY invoices) AS invoices FROM buyer) AS median
WHERE  buyer.invoices = median.invoices
ORDER  BY abs(buyer.products - median.products), last_order DESC, id LIMIT 1 \gset
\echo 'The typical customer in June and in November:'
\echo
SELECT j.rank AS "#", left(june.title, 44) AS in_june, left(november.title, 44) AS in_november
FROM   retail_recs.recommend(:id, 8, context => '{"month": 6}') AS j
       JOIN retail_recs.recommend(:id, 8, context => '{"month": 11}') AS n USING (rank)
       JOIN retail.products AS june ON june.code = j.item_id
       JOIN retail.products AS november ON november.code = n.item_id
ORDER  BY j.rank;

\echo 'Somebody who was never here before, from three countries:'
\echo
SELECT u.rank AS "#", left(uk.title, 32) AS united_kingdom, left(de.title, 32) AS germany, left(fr.title, 32) AS france
FROM   retail_recs.recommend(NULL, 8, context => '{"country": "United Kingdom"}') AS u
       JOIN retail_recs.recommend(NULL, 8, context => '{"country": "Germany"}') AS d USING (rank)
       JOIN retail_recs.recommend(NULL, 8, context => '{"country": "France"}') AS f USING (rank)
       JOIN retail.products AS uk ON uk.code = u.item_id
       JOIN retail.products AS de ON de.code = d.item_id
       JOIN retail.products AS fr ON fr.code = f.item_id
ORDER  BY u.rank;


\echo '====================================================================================================='
\echo ' 7. What it costs'
\echo '====================================================================================================='
\echo
-- a thousand customers, drawn by hash, ten products each
INSERT INTO step (what) VALUES ('recommend() for 1,000 customers');
SELECT count(*) AS rows FROM (SELECT id FROM retail.customers ORDER BY md5(id::text) LIMIT 1000) AS c, retail_recs.recommend(c.id, 10) \gset
UPDATE step SET ended = clock_timestamp(),
       note = :rows || ' rows, ' || round(extract(epoch FROM clock_timestamp() - started)::numeric, 2) || ' ms each' WHERE ended IS NULL;

INSERT INTO step (what) VALUES ('similar_items() for 1,000 products');
SELECT count(*) AS rows FROM (SELECT code FROM retail.products ORDER BY md5(code) LIMIT 1000) AS p, retail_recs.similar_items(p.code, 10) \gset
UPDATE step SET ended = clock_timestamp(),
       note = :rows || ' rows, ' || round(extract(epoch FROM clock_timestamp() - started)::numeric, 2) || ' ms each' WHERE ended IS NULL;

INSERT INTO step (what) VALUES ('recommend_all()');
SELECT count(*) AS rows, count(DISTINCT user_id) AS users FROM retail_recs.recommend_all(10) \gset
UPDATE step SET ended = clock_timestamp(), note = :rows || ' rows for ' || :users || ' customers' WHERE ended IS NULL;

SELECT what AS step, round(1000 * extract(epoch FROM ended - started)::numeric, 1) AS ms, note FROM step ORDER BY no;

SELECT c.oid::regclass::text AS relation, pg_size_pretty(pg_total_relation_size(c.oid)) AS size,
       pg_size_pretty(pg_indexes_size(c.oid)) AS of_it_indexes
FROM   pg_class AS c
WHERE  c.relnamespace IN ('retail'::regnamespace, 'retail_recs'::regnamespace) AND c.relkind = 'r'
ORDER  BY c.relnamespace::regnamespace::text, pg_total_relation_size(c.oid) DESC;
