/*
 * test/pgtap/similarity_borrowed.sql
 *	  Items with few users borrow neighbours from similar items: an oracle in SQL
 *	  on random shops, for each way to truncate lists; serving and training in
 *	  memory; and independence of order.  Leaves nothing behind.
 */
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public, shop;
SET LOCAL TimeZone = 'UTC';

SELECT plan(36);

CREATE SCHEMA shop;
CREATE FUNCTION shop.random(n int, salt text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT abs(hashtextextended(n || salt, 7) % 1000003) / 1000003.0 $$;
CREATE TABLE shop.event (user_id int, item_id int, amount float8, at timestamptz);
CREATE INDEX ON shop.event (user_id);
CREATE TABLE shop.product (id int PRIMARY KEY, category text, tags text[], title text);

-- items 1 to 60, of which those that 5 divides are new: nobody or few have them;
-- 61 to 64 are like nothing
CREATE FUNCTION shop.draw(s text) RETURNS void LANGUAGE sql AS $$
	TRUNCATE shop.event, shop.product;
	INSERT INTO shop.product
	SELECT i, 'c' || i % 6, ARRAY['t' || floor(9 * shop.random(i, s || 'a')), 't' || floor(9 * shop.random(i, s || 'b'))],
		   'w' || floor(20 * shop.random(i, s || 'c')) || ' w' || floor(20 * shop.random(i, s || 'd'))
	FROM generate_series(1, 60) i UNION ALL SELECT i, NULL, NULL, NULL FROM generate_series(61, 64) i;
	INSERT INTO shop.event
	SELECT u, i, 0.5 + 3 * shop.random(u * 100 + i, s || 'w'), timestamptz '2026-01-01' + interval '1 hour' * floor(5000 * shop.random(u * 100 + i, s || 't'))
	FROM generate_series(1, 150) u, generate_series(1, 64) i
	WHERE shop.random(u * 100 + i, s || 'e') < CASE WHEN i % 10 = 0 THEN 0 WHEN i % 5 = 0 THEN 0.02 WHEN i % 6 = u % 6 THEN 0.35 ELSE 0.08 END;
$$;
SELECT shop.draw('1');
-- one that borrows, one that has only what is its own
SELECT recommender.create_recommender('recs', 'shop.event', weight_column => 'amount', time_column => 'at');
SELECT recommender.set_items('recs', 'shop.product', feature_columns => '{category,tags}', text_columns => '{title}');
SELECT recommender.create_recommender('plain', 'shop.event', weight_column => 'amount', time_column => 'at');
SELECT recommender.set_items('plain', 'shop.product', feature_columns => '{category,tags}', text_columns => '{title}');

CREATE FUNCTION shop.refresh(options jsonb) RETURNS void LANGUAGE sql AS $$
	SELECT recommender.set_options('recs', options), recommender.set_options('plain', options || '{"content_kappa": 0}');
	SELECT generation FROM recommender.refresh('recs');
	SELECT generation FROM recommender.refresh('plain');
$$;

-- What the stored lists should be.
CREATE FUNCTION shop.lent(kappa float8, neighbors int, truncate text) RETURNS TABLE (source int, target int, similarity float8, support int) LANGUAGE sql AS $$
	WITH own AS (SELECT n.item_no AS source, x.target, x.similarity::float8, x.support
				 FROM plain.neighbor n, unnest(n.neighbors, n.scores, n.supports) x (target, similarity, support) WHERE n.kind = 'behaviour'),
	lender AS (SELECT n.item_no AS target, x.lender, x.likeness::float8, row_number() OVER (PARTITION BY n.item_no ORDER BY x.place) AS nth
			   FROM plain.neighbor n, unnest(n.neighbors, n.scores) WITH ORDINALITY x (lender, likeness, place) JOIN plain.item i ON i.item_no = x.lender
			   WHERE n.kind = 'content' AND i.users > 0),
	share AS (SELECT item_no AS target, coalesce(kappa / (kappa + users) * sum(likeness * likeness) / sum(likeness), 0) AS share, sum(likeness) AS likeness
			  FROM plain.item LEFT JOIN lender ON target = item_no AND nth <= 10 AND users < 100 * kappa GROUP BY item_no, users),
	part AS (SELECT source, target, (1 - share) * similarity AS part, support FROM own JOIN share USING (target)
			 UNION ALL
			 SELECT o.source, l.target, s.share * l.likeness / s.likeness * o.similarity, 0
			 FROM lender l JOIN share s USING (target) JOIN own o ON o.target = l.lender WHERE l.nth <= 10 AND s.share > 0),
	together AS (SELECT source, target, sum(part) AS similarity, sum(support)::int AS support FROM part WHERE source <> target GROUP BY 1, 2 HAVING sum(part) > 0),
	ranked AS (SELECT *, row_number() OVER (PARTITION BY target ORDER BY similarity DESC, source) AS of_target FROM together),
	cut AS (SELECT *, row_number() OVER (PARTITION BY source ORDER BY similarity DESC, target) AS of_source FROM ranked r
			WHERE of_target <= greatest(neighbors, (SELECT count(*) FROM own o WHERE o.target = r.target)))
	SELECT source, target, similarity, support FROM cut WHERE truncate = 'target' OR of_source <= neighbors
$$;
CREATE VIEW shop.stored AS
SELECT n.item_no AS source, x.target, x.similarity::float8, x.support, x.place
FROM recs.neighbor n, unnest(n.neighbors, n.scores, n.supports) WITH ORDINALITY x (target, similarity, support, place) WHERE n.kind = 'behaviour';
CREATE FUNCTION shop.differences(kappa float8, neighbors int, truncate text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM shop.lent(kappa, neighbors, truncate) l FULL JOIN shop.stored s USING (source, target)
	WHERE l.similarity IS NULL OR s.similarity IS NULL OR abs(l.similarity - s.similarity) > 1e-5 * l.similarity OR l.support <> s.support
$$;

CREATE TABLE shop.setting (no int, kappa float8, neighbors int, truncate text, options jsonb);
INSERT INTO shop.setting VALUES
	(1, 5, 100, 'target', '{}'), (2, 2, 1000, 'target', '{"measure": "cosine"}'), (3, 50, 9, 'target', '{"min_support": 1}'),
	(4, 5, 40, 'source', '{"measure": "jaccard", "weighting": "none"}'), (5, 0.05, 100, 'target', '{"weighting": "binary"}'), (6, 5, 20, 'target', '{"model": "ridge"}');
DO $$
DECLARE s shop.setting;
BEGIN
	CREATE TABLE shop.result (no int, differences bigint, pairs bigint, lent bigint, unsorted bigint);
	FOR s IN TABLE shop.setting LOOP
		PERFORM shop.draw(s.no::text), shop.refresh(jsonb_build_object('content_kappa', s.kappa, 'neighbors', s.neighbors, 'truncate', s.truncate) || s.options);
		INSERT INTO shop.result SELECT s.no, shop.differences(s.kappa, s.neighbors, s.truncate), count(*), count(*) FILTER (WHERE support = 0),
			(SELECT count(*) FROM (SELECT similarity > lag(similarity) OVER (PARTITION BY source ORDER BY place) AS rises FROM shop.stored) x WHERE rises)
		FROM shop.stored;
		PERFORM recommender.set_options('recs', (SELECT jsonb_object_agg(k, NULL) FROM jsonb_object_keys(s.options) k)), recommender.set_options('plain', (SELECT jsonb_object_agg(k, NULL) FROM jsonb_object_keys(s.options) k))
		WHERE s.options <> '{}';
	END LOOP;
END $$;
SELECT is(differences, 0::bigint, format('setting %s: lists are as they should be', no)) FROM shop.result ORDER BY no;
SELECT cmp_ok(pairs, '>', 300::bigint, format('setting %s: there are lists', no)) FROM shop.result ORDER BY no;
SELECT cmp_ok(lent, '>', 20::bigint, format('setting %s: some of them borrowed', no)) FROM shop.result ORDER BY no;
SELECT is(unsorted, 0::bigint, format('setting %s: best first', no)) FROM shop.result ORDER BY no;

-- as served
SELECT shop.draw('1'), shop.refresh('{"content_kappa": 5, "neighbors": 100, "truncate": "target"}');
SELECT cmp_ok((SELECT count(*) FROM recs.item JOIN shop.stored ON target = item_no WHERE users = 0), '>', 20::bigint, 'items that nobody has touched have neighbours by behaviour');
SELECT is((SELECT count(*) FROM plain.neighbor n, unnest(neighbors) x JOIN plain.item ON item_no = x WHERE kind = 'behaviour' AND users = 0), 0::bigint, 'which they have not without');
SELECT is((SELECT count(*) FROM shop.stored WHERE source IN (SELECT item_no FROM recs.item WHERE users = 0)), 0::bigint, 'but are themselves no sources');
SELECT is((SELECT count(*) FROM shop.stored s JOIN recs.item i ON item_no = target WHERE item_id > 60 AND NOT EXISTS (
		SELECT FROM plain.neighbor n, unnest(neighbors, scores) x (t, score) WHERE n.kind = 'behaviour' AND n.item_no = s.source AND t = s.target AND score = s.similarity::float4)),
	0::bigint, 'what is like nothing keeps what it has');
SELECT cmp_ok((SELECT count(*) FROM generate_series(1, 150) u, recs.recommend(u, 40) r JOIN recs.item i USING (item_id) WHERE i.users = 0 AND strategy = 'behaviour'), '>', 20::bigint, 'and are recommended by behaviour');
SELECT is((SELECT count(*) FROM generate_series(1, 150, 7) u, recs.recommend(u, 60) r WHERE r.score <> recs.score(u, r.item_id) OR r.score <> (SELECT sum(contribution) FROM recs.explain(u, r.item_id))),
	0::bigint, 'with scores that are the sums of their contributions');
SELECT is((SELECT count(*) FROM recs.recommend_all(20) a FULL JOIN (SELECT u AS user_id, r.* FROM generate_series(1, 150) u, recs.recommend(u, 20) r) r USING (user_id, rank)
		   WHERE a.item_id IS DISTINCT FROM r.item_id OR a.score IS DISTINCT FROM r.score), 0::bigint, 'for everybody at once, too');

-- what nothing depends on
CREATE TABLE shop.kept AS SELECT item_no, kind, neighbors, scores, supports FROM recs.neighbor;
CREATE TABLE shop.shuffled AS TABLE shop.event;
TRUNCATE shop.event;
INSERT INTO shop.event SELECT * FROM shop.shuffled e ORDER BY md5(e::text);
SELECT count(*) FROM recommender.refresh('recs');
SELECT set_eq('SELECT item_no, kind, neighbors, scores, supports FROM recs.neighbor', 'TABLE shop.kept', 'another order of rows gives the same');

-- a model that is trained in memory: the newest tenth hidden, and by hand
CREATE TABLE shop.cut AS SELECT at FROM shop.event ORDER BY at OFFSET (SELECT floor(0.8 * count(*)) FROM shop.event) LIMIT 1;
CREATE TABLE shop.hidden AS SELECT * FROM shop.event WHERE at >= (SELECT at FROM shop.cut);
CREATE TABLE shop.measured AS
SELECT o, e.value FROM unnest(ARRAY['{"content_kappa": 5}', '{"content_kappa": 0}', '{"content_kappa": 50}']::jsonb[]) o,
	recommender.evaluate('recs', metrics => '{ndcg}', options => o, resamples => 0, store => false) e WHERE segment = 'all' AND strategy = 'recommender' AND metric = 'ndcg' AND k = 10;
DELETE FROM shop.event WHERE at >= (SELECT at FROM shop.cut);
CREATE TABLE shop.by_hand (o jsonb, value float8);
DO $$
DECLARE m shop.measured;
BEGIN
	FOR m IN TABLE shop.measured LOOP
		PERFORM shop.refresh(m.o);
		INSERT INTO shop.by_hand
		SELECT m.o, avg(recommender.ndcg(ARRAY(SELECT item_id FROM recs.recommend(u.user_id, 10) ORDER BY rank), u.items, 10))
		FROM (SELECT user_id, array_agg(item_id) AS items FROM shop.hidden GROUP BY 1) u;
	END LOOP;
END $$;
SELECT is(round(m.value::numeric, 9), round(h.value::numeric, 9), 'evaluate() trains what refresh() does: ' || m.o::text) FROM shop.measured m JOIN shop.by_hand h USING (o) ORDER BY o;
SELECT cmp_ok(count(DISTINCT value), '=', 3::bigint, 'which makes a difference') FROM shop.measured;

SELECT * FROM finish();
ROLLBACK;
