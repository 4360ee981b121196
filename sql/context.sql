/*
 * sql/context.sql
 *	  Context: a small example, and each of the error messages.
 */
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA cafe;

-- In the sun twenty guests have tea and ten have coffee; in the rain five and
-- twenty-five; and all have a glass of water in any weather.
CREATE TABLE cafe.order (guest int, item text, weather text, at timestamptz);
INSERT INTO cafe.order
SELECT g, item, weather, CASE weather WHEN 'sun' THEN timestamptz '2026-07-04 15:00Z' ELSE '2026-11-02 23:30Z' END
FROM (VALUES ('tea', 'sun', 20), ('coffee', 'sun', 10), ('water', 'sun', 30), ('tea', 'rain', 5), ('coffee', 'rain', 25), ('water', 'rain', 30)) v (item, weather, n), generate_series(1, n) g;
CREATE INDEX ON cafe.order (guest, at);
SELECT recommender.create_recommender('recs', 'cafe.order', user_column => 'guest', item_column => 'item', time_column => 'at', context_columns => '{weather}',
	options => '{"context_smoothing": 5, "context_timezone": "Europe/Berlin"}');
SELECT items FROM recommender.refresh('recs');

-- tea in the sun: 20 of 60 choices in the sun; 25 of all 120 choices are tea, so
-- that 12.5 are expected.  The shrinkage is estimated from tea, coffee and water
-- together: chance explains less than a fifth of the deviations.
SELECT l.*, round(ln((20 + s) / (12.5 + s))::numeric, 6) AS tea_in_the_sun
FROM recs.context_lifts l, (SELECT (12.5 ^ 2 + 17.5 ^ 2 + 30 ^ 2) / (2 * 7.5 ^ 2 - (12.5 * 95 + 17.5 * 85 + 30 * 60) / 240)) x (s) ORDER BY column_name, value, lift;
-- in Berlin it is half past midnight on Tuesday, and a Saturday in July
SELECT column_name, value, item_nos, lifts FROM recs.context_lift ORDER BY 1, 2;

SELECT rank, item_id, round(score::numeric, 6) AS score, strategy, reasons -> 0 AS reason FROM recs.recommend(NULL, context => '{"weather": "rain"}');
SELECT rank, item_id, round(context::numeric, 6) AS context, round(popularity::numeric, 6) AS popularity FROM recs.recommend_components(NULL, context => '{"weather": "sun"}');
SELECT position, component, because_value, round(similarity::numeric, 6) AS similarity, weight, round(contribution::numeric, 6) AS contribution, sentence
FROM recs.explain(NULL, 'tea', '{"weather": "rain", "month": 11, "weekday": "sat"}');
SELECT rank, item_id, round(score::numeric, 6) AS score FROM recs.rank_items(NULL, '{tea,coffee}', '{"weather": "rain", "hour": 12}');
-- unknown values change nothing
SELECT count(*) FROM recs.recommend(NULL, context => '{"weather": ["snow", null], "hour": null}') a JOIN recs.recommend(NULL) b USING (rank, item_id, score);

-- options, one by one
SELECT recommender.set_options('recs', '{"context_significance": 1e-6}') ->> 'context_significance' AS p;
SELECT items FROM recommender.refresh('recs');
SELECT count(*) FROM recs.context_lift;
SELECT recommender.set_options('recs', '{"context_significance": 1, "context_smoothing": 1000, "context_time": []}') ->> 'context_time' AS parts;
SELECT items FROM recommender.refresh('recs');
SELECT * FROM recs.context_lifts ORDER BY column_name, value, item_id;
SELECT recommender.set_options('recs', '{"context_significance": null, "context_smoothing": null, "context_time": ["month", "hour"], "context_timezone": "asia/tokyo", "context_now": true}') - 'blend'
	@> '{"context_significance": 0.05, "context_smoothing": 5, "context_time": ["hour", "month"], "context_timezone": "Asia/Tokyo", "context_now": true}' AS as_given;

/* ------------------------------------------------------------------------
 * Errors
 * ------------------------------------------------------------------------ */

SELECT * FROM recs.recommend(1, context => '{"wether": "sun"}');
SELECT * FROM recs.recommend(1, context => '{"elsewhere": "sun"}');
SELECT * FROM recs.recommend(1, context => '{"weekday": 1}');
SELECT * FROM recs.recommend(1, context => '["sun"]');
SELECT * FROM recs.recommend(1, context => '{"weather": {"is": "sun"}}');
SELECT * FROM recs.recommend(1, context => '{"hour": 24}');
SELECT recommender.set_options('recs', '{"context_time": ["weekday"]}') ->> 'context_time';
SELECT * FROM recs.recommend(1, context => '{"weekday": "funday"}');
SELECT recommender.set_options('recs', '{"context_time": null}') ->> 'context_time';
SELECT * FROM recs.recommend(1, context => '{"month": [1, "smarch"]}');
SELECT recommender.set_options('recs', '{"context_timezone": "Europe/Berln"}');
SELECT recommender.set_options('recs', '{"context_timezone": 1}');
SELECT recommender.set_options('recs', '{"context_timezone": ""}');
SELECT recommender.set_options('recs', '{"context_time": "hour"}');
SELECT recommender.set_options('recs', '{"context_time": [1]}');
SELECT recommender.set_options('recs', '{"context_time": ["hours"]}');
SELECT recommender.set_options('recs', '{"context_significance": 1.5}');
SELECT recommender.set_options('recs', '{"context_smoothing": 0}');
SELECT recommender.set_options('recs', '{"context_now": "yes"}');
SELECT * FROM recs.recommend(1, options => '{"context_smoothing": 1}');
SELECT * FROM recommender.compare_options('recs', '{"context_timezone": "UTC"}', '{"context_timezone": "Asia/Tokyo"}', context => true);
SELECT recommender.add_interactions('recs', 'cafe.order', 'guest', 'item', context_columns => '{wether}');
-- without times and columns
SELECT recommender.add_interactions('recs', 'cafe.order', 'guest', 'item');
SELECT * FROM recs.recommend(1, context => '{"weather": "sun"}');
-- a column that has been dropped
SELECT recommender.add_interactions('recs', 'cafe.order', 'guest', 'item', 'at', context_columns => '{weather}');
ALTER TABLE cafe.order RENAME weather TO sky;
SELECT items FROM recommender.refresh('recs');
SELECT severity, code, message FROM recommender.check_recommender('recs') WHERE severity = 'error';
ALTER TABLE cafe.order RENAME sky TO weather;
-- tampered lifts
SELECT items FROM recommender.refresh('recs');
CREATE FUNCTION cafe.crafted(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	call text;
	said text := '';
BEGIN
	EXECUTE 'UPDATE recs.context_lift SET ' || change;
	FOREACH call IN ARRAY ARRAY['SELECT count(*) FROM recs.recommend(NULL, context => ''{"weather": "rain"}'')', 'SELECT count(*) FROM recs.recommend_all(context => ''{"weather": "rain"}'')'] LOOP
		BEGIN
			EXECUTE call;
			said := said || ' / no error';
		EXCEPTION WHEN OTHERS THEN
			said := said || ' / ' || sqlstate || ' ' || sqlerrm;
		END;
	END LOOP;
	RAISE EXCEPTION '%', said;
EXCEPTION WHEN raise_exception THEN
	RETURN change || ':' || sqlerrm;
END $$;
SELECT cafe.crafted(change) FROM unnest(ARRAY['item_nos = ''{}''', 'lifts = ''{}''', 'item_nos = ''{}'', lifts = ''{}''', 'item_nos[1] = NULL', 'lifts[1] = NULL', 'item_nos[1] = -1', 'item_nos[1] = 3', 'item_nos[1] = 2147483647',
	'item_nos = item_nos[2:2] || item_nos[2:2]', 'lifts[1] = ''NaN''', 'lifts[1] = ''-Infinity''', 'lifts[1] = 3e38', 'item_nos = array[item_nos]', 'item_nos = (''[4:5]={0,1}'')::int[]', 'generation = 7', 'value = value || '' ''', 'column_name = ''x''']) change;
SELECT recommender.drop_recommender('recs');
DROP SCHEMA cafe CASCADE;
