-- The views, types and functions of a recommender, for people and applications;
-- the rules are those of recommender_tables.sql.  The functions are typed covers
-- of the functions of the same name in schema recommender_internal.
--
--	\set schema recs
--	\set user_type bigint
--	\set user_collation
--	\set item_type bigint
--	\set item_collation

CREATE VIEW :"schema".neighbors AS
SELECT n.item_id, n.kind, s.rank, j.item_id AS neighbor_id, s.similarity, s.support
FROM :"schema".neighbor n
CROSS JOIN LATERAL unnest(n.neighbors, n.scores, n.supports) WITH ORDINALITY AS s(item_no, similarity, support, rank)
JOIN :"schema".item j ON j.generation = n.generation AND j.item_no = s.item_no
WHERE n.generation = (SELECT d.generation FROM :"schema".definition d);

COMMENT ON VIEW :"schema".neighbors IS
'each item of the model with its neighbours, best first, by item ids';

CREATE VIEW :"schema".context_lifts AS
SELECT c.column_name, c.value, i.item_id, l.lift
FROM :"schema".definition d
JOIN :"schema".context_lift c ON c.generation = d.generation
CROSS JOIN LATERAL unnest(c.item_nos, c.lifts) AS l(item_no, lift)
JOIN :"schema".item i ON i.generation = d.generation AND i.item_no = l.item_no;

COMMENT ON VIEW :"schema".context_lifts IS
'the lift of each value of the context on items, by item ids: the logarithm of the lift';

CREATE TYPE :"schema".recommendation AS (
	rank integer,
	item_id :item_type :item_collation,
	score double precision,
	strategy text,
	reasons jsonb
);

COMMENT ON TYPE :"schema".recommendation IS
'a recommended item: its rank and score, the component with the largest term, and the largest terms as reasons';

CREATE TYPE :"schema".user_recommendation AS (
	user_id :user_type :user_collation,
	rank integer,
	item_id :item_type :item_collation,
	score double precision,
	strategy text
);

COMMENT ON TYPE :"schema".user_recommendation IS
'an item recommended to a user';

CREATE TYPE :"schema".recommendation_components AS (
	rank integer,
	item_id :item_type :item_collation,
	score double precision,
	behaviour double precision,
	factors double precision,
	content double precision,
	context double precision,
	popularity double precision,
	trend double precision,
	strategy text
);

COMMENT ON TYPE :"schema".recommendation_components IS
'a recommended item: its rank and score, and the term of each component in the score';

CREATE TYPE :"schema".explanation AS (
	position integer,
	component text,
	because_item :item_type :item_collation,
	because_value text,
	similarity double precision,
	weight double precision,
	decay double precision,
	contribution double precision,
	sentence text
);

COMMENT ON TYPE :"schema".explanation IS
'one term of a score: its component, the item of the history or the value that causes it, and a sentence to show to users';

CREATE FUNCTION :"schema".recommend(
	user_id :user_argument,
	k bigint DEFAULT 10,
	filter jsonb DEFAULT NULL,
	exclude :item_argument[] DEFAULT NULL,
	context jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL)
RETURNS SETOF :"schema".recommendation
LANGUAGE sql STABLE PARALLEL SAFE COST 2000 ROWS 10
BEGIN ATOMIC
	SELECT * FROM recommender_internal.recommend(CAST(NULL AS :"schema".recommendation),
		:user_id_value, k, filter, :exclude_value, context, options);
END;

COMMENT ON FUNCTION :"schema".recommend IS
'the k items with the highest scores for a user, best first; popular items for a user without history';

CREATE FUNCTION :"schema".recommend_components(
	user_id :user_argument,
	k bigint DEFAULT 10,
	filter jsonb DEFAULT NULL,
	exclude :item_argument[] DEFAULT NULL,
	context jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL)
RETURNS SETOF :"schema".recommendation_components
LANGUAGE sql STABLE PARALLEL SAFE COST 2000 ROWS 10
BEGIN ATOMIC
	SELECT * FROM recommender_internal.recommend_components(CAST(NULL AS :"schema".recommendation_components),
		:user_id_value, k, filter, :exclude_value, context, options);
END;

COMMENT ON FUNCTION :"schema".recommend_components IS
'the rows of recommend(), with a column for the term of each component in the score';

CREATE FUNCTION :"schema".recommend_session(
	items :item_argument[],
	k bigint DEFAULT 10,
	filter jsonb DEFAULT NULL,
	exclude :item_argument[] DEFAULT NULL,
	context jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL)
RETURNS SETOF :"schema".recommendation
LANGUAGE sql STABLE PARALLEL SAFE COST 2000 ROWS 10
BEGIN ATOMIC
	SELECT * FROM recommender_internal.recommend_session(CAST(NULL AS :"schema".recommendation),
		:items_value, k, filter, :exclude_value, context, options);
END;

COMMENT ON FUNCTION :"schema".recommend_session IS
'the k items with the highest scores for a session: an array of items, the newest one last';

CREATE FUNCTION :"schema".recommend_basket(
	items :item_argument[],
	k bigint DEFAULT 10,
	filter jsonb DEFAULT NULL,
	exclude :item_argument[] DEFAULT NULL,
	context jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL)
RETURNS SETOF :"schema".recommendation
LANGUAGE sql STABLE PARALLEL SAFE COST 2000 ROWS 10
BEGIN ATOMIC
	SELECT * FROM recommender_internal.recommend_basket(CAST(NULL AS :"schema".recommendation),
		:items_value, k, filter, :exclude_value, context, options);
END;

COMMENT ON FUNCTION :"schema".recommend_basket IS
'the k items with the highest scores for a basket: an array of items, whose order does not matter';

CREATE FUNCTION :"schema".similar_items(
	item_id :item_argument,
	k bigint DEFAULT 10,
	filter jsonb DEFAULT NULL,
	exclude :item_argument[] DEFAULT NULL,
	options jsonb DEFAULT NULL)
RETURNS SETOF :"schema".recommendation
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 10
BEGIN ATOMIC
	SELECT * FROM recommender_internal.similar_items(CAST(NULL AS :"schema".recommendation),
		:item_id_value, k, filter, :exclude_value, options);
END;

COMMENT ON FUNCTION :"schema".similar_items IS
'the k items most similar to an item; score is the similarity, 0 for popular items that complete the list';

CREATE FUNCTION :"schema".popular_items(
	k bigint DEFAULT 10,
	filter jsonb DEFAULT NULL,
	exclude :item_argument[] DEFAULT NULL,
	options jsonb DEFAULT NULL)
RETURNS SETOF :"schema".recommendation
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 10
BEGIN ATOMIC
	SELECT * FROM recommender_internal.popular_items(CAST(NULL AS :"schema".recommendation),
		k, filter, :exclude_value, options);
END;

COMMENT ON FUNCTION :"schema".popular_items IS
'the k most popular items as of the last refresh; before the first refresh, computed from all interactions, which is slow';

CREATE FUNCTION :"schema".trending_items(
	k bigint DEFAULT 10,
	filter jsonb DEFAULT NULL,
	exclude :item_argument[] DEFAULT NULL,
	options jsonb DEFAULT NULL)
RETURNS SETOF :"schema".recommendation
LANGUAGE sql STABLE PARALLEL SAFE COST 10000 ROWS 10
BEGIN ATOMIC
	SELECT * FROM recommender_internal.trending_items(CAST(NULL AS :"schema".recommendation),
		k, filter, :exclude_value, options);
END;

COMMENT ON FUNCTION :"schema".trending_items IS
'the k items whose interactions of the last week are most above the level of the previous weeks, computed live';

CREATE FUNCTION :"schema".rank_items(
	user_id :user_argument,
	items :item_argument[],
	context jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL)
RETURNS SETOF :"schema".recommendation
LANGUAGE sql STABLE PARALLEL SAFE COST 2000 ROWS 100
BEGIN ATOMIC
	SELECT * FROM recommender_internal.rank_items(CAST(NULL AS :"schema".recommendation),
		:user_id_value, :items_value, context, options);
END;

COMMENT ON FUNCTION :"schema".rank_items IS
'all given items, ordered by their scores for a user';

CREATE FUNCTION :"schema".score(
	user_id :user_argument,
	item_id :item_argument,
	context jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL)
RETURNS double precision
LANGUAGE sql STABLE PARALLEL SAFE COST 100
BEGIN ATOMIC
	SELECT recommender_internal.score(CAST(NULL AS :"schema".recommendation),
		:user_id_value, :item_id_value, context, options);
END;

COMMENT ON FUNCTION :"schema".score IS
'the score of an item for a user, as in recommend(); 0 for an item that is not in the model';

CREATE FUNCTION :"schema".explain(
	user_id :user_argument,
	item_id :item_argument,
	context jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL)
RETURNS SETOF :"schema".explanation
LANGUAGE sql STABLE PARALLEL SAFE COST 2000 ROWS 10
BEGIN ATOMIC
	SELECT * FROM recommender_internal.explain(CAST(NULL AS :"schema".explanation),
		:user_id_value, :item_id_value, context, options);
END;

COMMENT ON FUNCTION :"schema".explain IS
'the terms of an item''s score for a user, one row each; added up in order, they are score()';

CREATE FUNCTION :"schema".recommend_all(
	k bigint DEFAULT 10,
	filter jsonb DEFAULT NULL,
	exclude :item_argument[] DEFAULT NULL,
	context jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL)
RETURNS SETOF :"schema".user_recommendation
LANGUAGE sql STABLE PARALLEL SAFE COST 1000000 ROWS 100000
BEGIN ATOMIC
	SELECT * FROM recommender_internal.recommend_all(CAST(NULL AS :"schema".user_recommendation),
		k, filter, :exclude_value, context, options);
END;

COMMENT ON FUNCTION :"schema".recommend_all IS
'the recommendations for every user with interactions, equal to those of recommend(); reads the interactions once';
