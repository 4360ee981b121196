/*
 * Recommendations, computed by hand for five customers.
 *
 *			tea	mug	pot	jam
 *	ann		x	x	.	.
 *	bob		x	x	.	.
 *	cat		x	.	x	.
 *	dan		.	x	.	x
 *	eve		x	.	.	.
 *
 * Users: tea 4, mug 3, jam and pot 1.  Jaccard c / (n_i + n_j - c): tea and mug
 * 2/5, tea and pot 1/4, mug and jam 1/3.  Popularity is the share of the most
 * popular one: tea 1, mug 3/4, jam and pot 1/4.
 */
CREATE SCHEMA shop;
CREATE TABLE shop.orders (customer text, product text, day date);
INSERT INTO shop.orders VALUES
	('ann', 'tea', '2024-01-01'), ('ann', 'mug', '2024-01-02'), ('bob', 'tea', '2024-01-03'), ('bob', 'mug', '2024-01-04'),
	('cat', 'tea', '2024-01-05'), ('cat', 'pot', '2024-01-06'), ('dan', 'mug', '2024-01-07'), ('dan', 'jam', '2024-01-08'),
	('eve', 'tea', '2024-01-09');
CREATE INDEX ON shop.orders (customer, day);
SELECT recommender.create_recommender('recs', 'shop.orders', 'customer', 'product', time_column => 'day',
	options => '{"measure": "jaccard", "weighting": "none", "truncate": "source", "min_support": 1}');

-- popular items need no refresh
SELECT * FROM recs.popular_items();
SELECT items, neighbors FROM recommender.refresh('recs');
SELECT item_no, item_id, users, weight, popularity FROM recs.item ORDER BY item_no;
SELECT item_id, rank, neighbor_id, round(similarity::numeric, 6) AS similarity, support FROM recs.neighbors ORDER BY item_id, rank;

-- Answers, six digits: rank, item, score, strategy, reasons.
CREATE FUNCTION shop.show(r recs.recommendation) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s. %s %s, %s', r.rank, r.item_id, round(r.score::numeric, 6), r.strategy) ||
		coalesce((SELECT ': ' || string_agg(coalesce(e ->> 'item', e ->> 'component') || ' ' || round((e ->> 'contribution')::numeric, 6), ', ')
				  FROM jsonb_array_elements(r.reasons) e), '')
$$;

-- eve has tea: behaviour of mug .4, of pot .25.  Her evidence is 1, worth 1 / (1 + kappa) = 1/2.
-- mug .5 * .4/.4 + .1 * .5 * .75, pot .5 * .25/.4 + .1 * .5 * .25, jam .1 * .5 * .25; she has seen tea
SELECT shop.show(r) FROM recs.recommend('eve') r;
SELECT shop.show(r) FROM recs.recommend('eve', 1) r;

-- seen items included; mug excluded; k above the number of items
SELECT shop.show(r) FROM recs.recommend('eve', options => '{"exclude_seen": false, "reasons": 0}') r;
SELECT shop.show(r) FROM recs.recommend('eve', 3, exclude => '{mug, tea}') r;
SELECT count(*) FROM recs.recommend('eve', 2147483647);
SELECT count(*) FROM recs.recommend('eve', 0);

-- little trust in behaviour: kappa 9, factor 1/10; behaviour alone; all weights 0: by item number
SELECT shop.show(r) FROM recs.recommend('eve', options => '{"kappa": 9}') r;
SELECT shop.show(r) FROM recs.recommend('eve', options => '{"blend": {"popularity": 0}}') r;
SELECT shop.show(r) FROM recs.recommend('eve', options => '{"blend": {"behaviour": 0, "popularity": 0}}') r;

-- a user without history: popular items
SELECT shop.show(r) FROM recs.recommend('fay', 2) r;
SELECT shop.show(r) FROM recs.recommend(NULL, 2) r;

-- until the first interaction, here of the current transaction
BEGIN;
INSERT INTO shop.orders VALUES ('fay', 'mug', '2024-01-10');
SELECT shop.show(r) FROM recs.recommend('fay', 2) r;
ROLLBACK;
SELECT shop.show(r) FROM recs.recommend('fay', 2) r;

-- a session, newest last: weights mug 1, tea .85; evidence 1.85 / 2.85.  Jam 1/3, pot .85 * 1/4;
-- the maximum is .4, of tea, which is in the session and therefore not returned
SELECT shop.show(r) FROM recs.recommend_session('{tea, mug}') r;
-- in reverse order: pot 1/4, jam .85 * 1/3; unknown items, nulls and duplicates do not count as positions
SELECT shop.show(r) FROM recs.recommend_session('{mug, tea, mug, unknown, NULL, tea}') r;
-- equal weights in a basket: evidence 2/3, jam 1/3, pot 1/4, maximum .4
SELECT shop.show(r) FROM recs.recommend_basket('{tea, mug}') r;

-- similar items: the score is the similarity, 0 for popular items that complete the list
SELECT shop.show(r) FROM recs.similar_items('mug') r;
SELECT shop.show(r) FROM recs.similar_items('mug', exclude => '{tea}') r;
SELECT shop.show(r) FROM recs.similar_items('unknown', 2) r;

-- popular items: jam and pot tie, and are in order of their ids
SELECT shop.show(r) FROM recs.popular_items(exclude => '{mug}') r;

-- any query around it is a filter
SELECT p.product, round(recs.score('eve', p.product)::numeric, 6) AS score
FROM (VALUES ('jam'), ('mug'), ('pot'), ('tea'), ('new')) p (product)
WHERE p.product <> 'pot' ORDER BY recs.score('eve', p.product) DESC, product;
SELECT shop.show(r) FROM recs.rank_items('eve', '{new, jam, pot, mug}') r;

-- all users
SELECT user_id, rank, item_id, round(score::numeric, 6) AS score, strategy FROM recs.recommend_all(1);

/*
 * Events.  Weights: view 1, purchase 5, return -5.  gus viewed jam and tea,
 * bought mug, and returned pot: jam 1/3 * 5, which is the maximum, tea .4 * 5
 * + .25 * -5, pot .25 * 1, mug .4 * 1 + 1/3 * 1.  Evidence 7, factor 7/8.  Mug
 * was bought and pot returned: neither is recommended.
 */
CREATE TABLE shop.clicks (customer text, product text, event text, times int);
CREATE INDEX ON shop.clicks (customer);
SELECT recommender.add_interactions('recs', 'shop.clicks', 'customer', 'product', event_column => 'event', weight_column => 'times',
	event_weights => '{"view": 1, "purchase": 5, "return": -5}');
INSERT INTO shop.clicks VALUES ('gus', 'jam', 'view', 1), ('gus', 'tea', 'view', NULL), ('gus', 'mug', 'purchase', 1), ('gus', 'pot', 'return', 1), ('gus', 'pot', 'hover', 1);
SELECT shop.show(r) FROM recs.recommend('gus', options => '{"reasons": 4}') r;
SELECT shop.show(r) FROM recs.rank_items('gus', '{mug, pot}', options => '{"blend": {"popularity": 0}}') r;
-- an option sets which events count as seen
SELECT shop.show(r) FROM recs.recommend('gus', options => '{"seen_events": ["view"], "reasons": 0}') r;

/*
 * Time.  Weights have a half-life of one day before the newest, January 9:
 * cat's pot has 1/8, the tea of the day before 1/16.  The factor of the evidence
 * 3/16 is 3/19; the maximum is tea, 1/8 * 1/4, and mug is 1/16 * .4, four fifths
 * of it.
 */
SELECT shop.show(r) FROM recs.rank_items('cat', '{mug, jam}', options => '{"blend": {"popularity": 0}, "half_life": "1 day"}') r;
-- a history of the newest item: pot has tea alone for a neighbour
SELECT shop.show(r) FROM recs.rank_items('cat', '{mug, tea}', options => '{"blend": {"popularity": 0}, "history": 1}') r;
-- Trends: in the last three days (7th to 9th) mug, jam and tea sold once each; in the six before, mug and tea 2 and 3 times.
-- expected: mug 1, tea 1.5, jam 0; with smoothing 3: (1 - 1) / 2, (1 - 1.5) / sqrt(4.5), 1 / sqrt(3)
SELECT shop.show(r) FROM recs.trending_items(options => '{"trend_window": "3 days", "trend_baseline": "6 days", "trend_smoothing": 3}') r;

DROP FUNCTION shop.show;
SELECT recommender.drop_recommender('recs');
DROP SCHEMA shop CASCADE;
