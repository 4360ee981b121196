--
-- Customers: sequences, purchasing, deviations, groups, attribution, words
--
SET timezone = 'UTC';
CREATE SCHEMA shop;

-- Sessions: a pause of more than half an hour ends a visit
SELECT user_id, at, recommender.session_number(at, '30 minutes') OVER (PARTITION BY user_id ORDER BY at) AS visit
FROM (VALUES (1, timestamptz '2026-01-01 10:00'), (1, '2026-01-01 10:30'), (1, '2026-01-01 11:01'), (2, '2026-01-01 09:00'), (2, NULL)) v (user_id, at)
ORDER BY user_id, at;

-- Funnels: the same events in three modes
CREATE TABLE shop.event (user_id int, event text, at timestamptz);
INSERT INTO shop.event
SELECT u, e, timestamptz '2026-01-01' + t * interval '1 minute'
FROM (VALUES (1, '{view,cart,purchase}'::text[]), (2, '{view,search,cart,purchase}'), (3, '{view,search,view,cart,purchase}'), (4, '{purchase,cart,view}'), (5, '{search}')) v (u, es), unnest(es) WITH ORDINALITY w (e, t);
CREATE VIEW shop.step AS SELECT user_id, at, ARRAY[event = 'view', event = 'cart', event = 'purchase'] AS steps FROM shop.event;
SELECT user_id, recommender.window_funnel(at, '1 hour', steps) AS ordered, recommender.window_funnel(at, '1 hour', steps, 'strict') AS strict,
	   recommender.window_funnel(at, '1 hour', steps, 'increasing') AS increasing, recommender.window_funnel(at, '1 minute', steps) AS in_a_minute
FROM shop.step GROUP BY user_id ORDER BY user_id;
SELECT user_id, recommender.window_funnel_times(at, '1 hour', steps) FROM shop.step GROUP BY user_id ORDER BY user_id;

-- Purchasing: a forecast that was published (Fader, Hardie and Lee 2005: 1.226)
SELECT round(f.alive::numeric, 4) AS alive, round(f.expected::numeric, 3) AS expected, round(f.probability::numeric, 4) AS probability,
	   round(f.median_wait::numeric, 2) AS median_wait, round(f.overdue::numeric, 4) AS overdue
FROM recommender.purchase_forecast(('bg', 0.243, 4.414, 0.793, 2.426, NULL, NULL, NULL, true, true)::recommender.purchase_model, 2, 30.43, 38.86, 39) f;
CREATE TABLE shop.customer AS
SELECT n, CASE WHEN n % 5 < 3 THEN 0 ELSE n % 7 + 1 END AS frequency, CASE WHEN n % 5 < 3 THEN 0 ELSE 1 + n % 11 * 3 END::float8 AS recency, 34 + n % 6 AS age, 10 + n % 13 * 4.5 AS mean_value
FROM generate_series(1, 500) n;
SELECT (m).model, round((m).r::numeric, 3) AS r, round((m).alpha::numeric, 3) AS alpha, round(((m).a / ((m).a + (m).b))::numeric, 3) AS leave,
	   round((m).log_likelihood::numeric, 3) AS log_likelihood, (m).users, (m).repeaters, (m).dropout, (m).converged
FROM (SELECT recommender.purchase_model_agg(frequency, recency, age, k) AS m FROM shop.customer, unnest('{mbg,bg}'::text[]) k GROUP BY k) q ORDER BY 1;
-- too few customers have no model and no forecast
SELECT recommender.purchase_model_agg(frequency, recency, age) FROM shop.customer WHERE n <= 20;
SELECT recommender.purchase_forecast(recommender.purchase_model_agg(frequency, recency, age), 1, 1, 2, 3) FROM shop.customer WHERE n <= 20;
-- Spending: published parameters, 24.66
SELECT round(recommender.spend_forecast((6.25, 3.74, 15.44, NULL, NULL, NULL, NULL, NULL)::recommender.spend_model, 2, 22.35)::numeric, 2) AS own,
	   round(recommender.spend_forecast((6.25, 3.74, 15.44, NULL, NULL, NULL, NULL, NULL)::recommender.spend_model, 0, NULL)::numeric, 2) AS population;
SELECT round((m).p::numeric, 3) AS p, round((m).q::numeric, 3) AS q, round((m).v::numeric, 3) AS v, round((m).population_mean::numeric, 3) AS mean, round((m).correlation::numeric, 3) AS correlation, (m).users, (m).converged
FROM (SELECT recommender.spend_model_agg(frequency, mean_value) AS m FROM shop.customer) q;

-- Deviations
SELECT n, v, round((a).expected::numeric, 2) AS expected, round((a).spread::numeric, 2) AS spread, round((a).score::numeric, 2) AS score
FROM (SELECT n, v, recommender.anomaly(v, 2) OVER (ORDER BY n) AS a FROM unnest('{10,20,11,21,10,22,12,20,11,21,10,20,50,NULL,11}'::float8[]) WITH ORDINALITY u (v, n)) q WHERE n > 9 ORDER BY n;

-- Groups
SELECT cluster, size, center FROM unnest((SELECT recommender.cluster_agg(ARRAY[x, y], 2) FROM (VALUES (1, 1), (1, 2), (9, 30), (1, 3), (10, 31)) v (x, y)));
SELECT recommender.cluster_of(c, '{8,25}') FROM (SELECT recommender.cluster_agg(ARRAY[x, y], 2) AS c FROM (VALUES (1, 1), (1, 2), (9, 30), (1, 3), (10, 31)) v (x, y)) q;

-- Attribution: the example of the literature
SELECT touchpoint, paths, first, last, round(linear::numeric, 3) AS linear, round(shapley::numeric, 3) AS shapley, round(markov::numeric, 3) AS markov, round(removal_effect::numeric, 3) AS removal_effect, round(markov_value::numeric, 3) AS markov_value
FROM unnest((SELECT recommender.attribution_agg(string_to_array(p, '>'), c, l, c * 10) FROM (VALUES ('c1>c2>c3', 1, 0), ('c1', 0, 1), ('c2>c3', 0, 1)) v (p, c, l))) ORDER BY touchpoint;

-- Words
CREATE TABLE shop.review (body text, positive boolean);
INSERT INTO shop.review VALUES ('not good at all', false), ('good and cheap', true), ('not bad, good', true), ('bad, not good', false);
SELECT word, round(score::numeric, 4) AS score, round(z::numeric, 4) AS z, positives, negatives FROM unnest((SELECT recommender.word_scores_agg(to_tsvector('simple', body), positive) FROM shop.review));
SELECT body, round(recommender.text_score((SELECT recommender.word_scores_agg(to_tsvector('simple', body), positive) FROM shop.review), to_tsvector('simple', body))::numeric, 4) AS score FROM shop.review;

-- Errors
SELECT recommender.session_number(at, '1 hour') OVER () FROM (VALUES (timestamptz '2026-01-02'), ('2026-01-01')) v (at);
SELECT recommender.window_funnel(now(), '1 day', '{}');
SELECT recommender.window_funnel(now(), '1 day', '{t}', 'strict_order');
SELECT recommender.window_funnel(now(), '1 day', array_fill(true, ARRAY[n])) FROM generate_series(2, 3) n;
SELECT recommender.purchase_model_agg(1, 2, 1);
SELECT recommender.purchase_model_agg(1, 1, 1, 'pareto');
SELECT recommender.purchase_forecast(('bg', -1, 4.414, 0.793, 2.426, NULL, NULL, NULL, true, true)::recommender.purchase_model, 2, 30.43, 38.86, 39);
SELECT recommender.spend_model_agg(1, 'Infinity');
SELECT recommender.anomaly(1, 0) OVER ();
SELECT recommender.cluster_agg('{1}', 0);
SELECT recommender.cluster_agg('{1,NaN}', 2);
SELECT recommender.attribution_agg('{a}', 0, 1, 5);
-- values that are all alike have no maximum of their likelihood
SELECT (recommender.spend_model_agg(2, 10)).converged FROM generate_series(1, 200);

SET client_min_messages = warning;
DROP SCHEMA shop CASCADE;
