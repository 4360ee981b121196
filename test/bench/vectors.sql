/*
 * vectors.sql
 *	  Items as vectors for an approximate index of the extension vector.
 *
 * The items 0 to :items lie around a thousand centres; a user's taste is in
 * the middle between two items.
 */
CREATE EXTENSION IF NOT EXISTS vector;
SET maintenance_work_mem = '1GB';

CREATE FUNCTION bench.coordinate(n bigint, seed bigint) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (hashint8extended(n, seed) % 1000003) / 1000003.0;

CREATE TABLE bench.vectors AS
SELECT n AS item_id,
	   (SELECT array_agg(bench.coordinate(abs(hashint4(n)) % 1000, d) + 0.6 * bench.coordinate(n, 100 + d) ORDER BY d)
		FROM   generate_series(1, 64) AS d)::vector(64) AS v
FROM   generate_series(0, :items) AS n;

CREATE INDEX ON bench.vectors USING hnsw (v vector_cosine_ops);
ANALYZE bench.vectors;

CREATE TABLE bench.tastes AS
SELECT u AS user_id, a.v + b.v AS v
FROM   generate_series(1, 20000) AS u
JOIN   bench.vectors AS a ON a.item_id = u * 7919 % :items
JOIN   bench.vectors AS b ON b.item_id = u * 104729::bigint % :items;

CREATE INDEX ON bench.tastes (user_id);
ANALYZE bench.tastes;

/* the share of the nearest ten that the index finds */
CREATE FUNCTION bench.recall(which integer) RETURNS float8 LANGUAGE plpgsql AS
$$
DECLARE
	taste vector := (SELECT v FROM bench.tastes WHERE user_id = which);
	found integer[];
BEGIN
	found := ARRAY(SELECT item_id FROM bench.vectors ORDER BY v <=> taste LIMIT 10);
	RETURN (SELECT count(*) FILTER (WHERE item_id = ANY (found)) / 10.0
			FROM (SELECT item_id FROM bench.vectors ORDER BY (v <=> taste) + 0 LIMIT 10) AS n);
END
$$;
