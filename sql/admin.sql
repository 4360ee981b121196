/*
 * Recommenders: created, altered, refreshed, renamed, checked and dropped.
 */
CREATE SCHEMA shop;
CREATE TABLE shop.orders (user_id int, item_id int, at timestamptz, kind text);
INSERT INTO shop.orders SELECT u, i, '2024-01-01'::timestamptz + u * interval '1 day', 'purchase' FROM generate_series(1, 5) u, generate_series(1, 4) i WHERE (u + i) % 4 > 0;

-- create: a notice recommends an index for serving
SELECT recommender.create_recommender('recs', 'shop.orders', time_column => 'at');
CREATE INDEX ON shop.orders (user_id, at);
SELECT * FROM recommender.check_recommender('recs');

-- refresh: the columns that do not depend on the machine
SELECT recommender, generation, mode, interactions, users, items, neighbors, null_keys, without_weight FROM recommender.refresh('recs');
SELECT * FROM recommender.check_recommender('recs');
SELECT name, sources, generation, items, live, as_of_refresh FROM recommender.recommenders;
SELECT recommender, generation, interactions, users, items, neighbors FROM recommender.refresh_runs;
SELECT * FROM recommender.refresh_progress;

-- alter: returns all options in force
SELECT o -> 'neighbors' AS neighbors, o -> 'half_life' AS half_life, o -> 'blend' -> 'trend' AS trend, o -> 'seen_events' AS seen_events
FROM recommender.set_options('recs', '{"neighbors": 50, "half_life": "30 days", "blend": {"trend": 0.2}}') o;
SELECT * FROM recommender.check_recommender('recs');
SELECT recommender.set_options('recs', '{"neighbors": null, "half_life": null, "blend": null}') @> '{"neighbors": 100, "half_life": null}' AS defaults;

-- a second source, of clicks; one event has no weight
CREATE TABLE shop.clicks (visitor bigint, page smallint, event text);
CREATE INDEX ON shop.clicks (visitor);
INSERT INTO shop.clicks VALUES (1, 4, 'view'), (NULL, 4, 'view'), (2, 4, 'hover');
SELECT recommender.add_interactions('recs', 'shop.clicks', 'visitor', 'page', event_column => 'event', event_weights => '{"view": 0.5}');
ALTER TABLE shop.clicks ALTER visitor TYPE int;
SELECT recommender.add_interactions('recs', 'shop.clicks', 'visitor', 'page', event_column => 'event', event_weights => '{"view": 0.5}');
SELECT recommender.add_interactions('recs', 'shop.orders', time_column => 'at', event => 'purchase', event_weights => '{"purchase": 3}');
SELECT position, relation, user_column, item_column, time_column, event_column, event, event_weights FROM recs.source ORDER BY position;
SELECT severity, code, message FROM recommender.check_recommender('recs');
SELECT interactions, null_keys, without_weight FROM recommender.refresh('recs');
SELECT item_id, users, weight FROM recs.item ORDER BY item_no;

-- rename: answers and options stay
ALTER TABLE shop.orders RENAME TO "the orders";
ALTER SCHEMA shop RENAME TO "The Shop";
ALTER SCHEMA recs RENAME TO "For You";
SELECT count(*) FROM "For You".recommend(1);
SELECT name, sources, generation FROM recommender.recommenders;
SELECT generation FROM recommender.refresh('For You');

-- refresh_all commits after each recommender; a failure is a warning, and an error at the end
CREATE TABLE public.bad (user_id int, item_id int, weight float8);
INSERT INTO public.bad VALUES (1, 2, 1);
CREATE INDEX ON public.bad (user_id);
SELECT recommender.create_recommender('bad', 'public.bad', weight_column => 'weight');
SELECT recommender.create_recommender('zero', 'public.bad');
CALL recommender.refresh_all();
SELECT name, generation FROM recommender.recommenders;
UPDATE public.bad SET weight = 'Infinity';
CALL recommender.refresh_all();
SELECT name, generation FROM recommender.recommenders;
-- ... only recommenders that are due
CALL recommender.refresh_all('1 hour');
CALL recommender.refresh_all(max_age => '-1 hour');
SELECT name, generation FROM recommender.recommenders;
UPDATE "For You".definition SET refreshed_at = refreshed_at - interval '2 hours';
CALL recommender.refresh_all('1 hour');
SELECT name, generation FROM recommender.recommenders;
DO $$ BEGIN CALL recommender.refresh_all(); END $$;
BEGIN;
CALL recommender.refresh_all();
ROLLBACK;

-- a refresh without any usable interaction raises a notice
CREATE TABLE public.plays (user_id int, item_id int, kind text);
CREATE INDEX ON public.plays (user_id);
SELECT recommender.create_recommender('uncounted', 'public.plays', event_column => 'kind', event_weights => '{"play": 1}');
SELECT interactions, null_keys, without_weight FROM recommender.refresh('uncounted');
INSERT INTO public.plays VALUES (1, 1, 'played'), (2, 1, 'played'), (NULL, 1, 'play');
SELECT interactions, null_keys, without_weight FROM recommender.refresh('uncounted');
INSERT INTO public.plays VALUES (1, 1, 'play');
SELECT interactions, null_keys, without_weight FROM recommender.refresh('uncounted');
SELECT recommender.drop_recommender('uncounted');
DROP TABLE public.plays;

-- drop: the interactions stay
CREATE VIEW public.for_you AS SELECT item_id FROM "For You".recommend(1);
\set VERBOSITY terse
SELECT recommender.drop_recommender('For You');
\set VERBOSITY default
DROP VIEW public.for_you;
SELECT recommender.drop_recommender('For You');
SELECT recommender.drop_recommender('For You');
SELECT recommender.drop_recommender('bad'), recommender.drop_recommender('zero');
SELECT count(*) FROM "The Shop"."the orders";
SELECT * FROM recommender.recommenders;

DROP TABLE public.bad;
DROP SCHEMA "The Shop" CASCADE;
