-- Item similarity over any rows, without a recommender

CREATE TYPE recommender.item_similarity AS (
	item_id text,
	similar_item_id text,
	similarity float8,
	support bigint
);
COMMENT ON TYPE recommender.item_similarity IS
'an item, one of its neighbours, their similarity, and its support: the number of users who have both';

CREATE FUNCTION recommender_internal.item_similarity_transition(internal, anyelement, anycompatible)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_item_similarity_transition';
COMMENT ON FUNCTION recommender_internal.item_similarity_transition(internal, anyelement, anycompatible) IS
'internal: transition function of item_similarity_agg(user_id, item_id)';

CREATE FUNCTION recommender_internal.item_similarity_transition(internal, anyelement, anycompatible, float8)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_item_similarity_transition';
COMMENT ON FUNCTION recommender_internal.item_similarity_transition(internal, anyelement, anycompatible, float8) IS
'internal: transition function of item_similarity_agg(user_id, item_id, weight)';

CREATE FUNCTION recommender_internal.item_similarity_transition(internal, anyelement, anycompatible, float8, jsonb)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_item_similarity_transition';
COMMENT ON FUNCTION recommender_internal.item_similarity_transition(internal, anyelement, anycompatible, float8, jsonb) IS
'internal: transition function of item_similarity_agg(user_id, item_id, weight, options)';

CREATE FUNCTION recommender_internal.item_similarity_combine(internal, internal)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_item_similarity_combine';
COMMENT ON FUNCTION recommender_internal.item_similarity_combine(internal, internal) IS
'internal: combine function of item_similarity_agg';

CREATE FUNCTION recommender_internal.item_similarity_serialize(internal)
RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_item_similarity_serialize';
COMMENT ON FUNCTION recommender_internal.item_similarity_serialize(internal) IS
'internal: serialization function of item_similarity_agg, for parallel workers';

CREATE FUNCTION recommender_internal.item_similarity_deserialize(bytea, internal)
RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_item_similarity_deserialize';
COMMENT ON FUNCTION recommender_internal.item_similarity_deserialize(bytea, internal) IS
'internal: deserialization function of item_similarity_agg, for parallel workers';

CREATE FUNCTION recommender_internal.item_similarity_final(internal)
RETURNS recommender.item_similarity[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_item_similarity_final';
COMMENT ON FUNCTION recommender_internal.item_similarity_final(internal) IS
'internal: final function of item_similarity_agg';

CREATE AGGREGATE recommender.item_similarity_agg(user_id anyelement, item_id anycompatible) (
	SFUNC = recommender_internal.item_similarity_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = recommender_internal.item_similarity_final,
	COMBINEFUNC = recommender_internal.item_similarity_combine,
	SERIALFUNC = recommender_internal.item_similarity_serialize,
	DESERIALFUNC = recommender_internal.item_similarity_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.item_similarity_agg(anyelement, anycompatible) IS
'the most similar items of each item, by cosine, from rows of user and item';

CREATE AGGREGATE recommender.item_similarity_agg(user_id anyelement, item_id anycompatible, weight float8) (
	SFUNC = recommender_internal.item_similarity_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = recommender_internal.item_similarity_final,
	COMBINEFUNC = recommender_internal.item_similarity_combine,
	SERIALFUNC = recommender_internal.item_similarity_serialize,
	DESERIALFUNC = recommender_internal.item_similarity_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.item_similarity_agg(anyelement, anycompatible, float8) IS
'the most similar items of each item, by cosine, from rows of user, item and weight; a null weight is 1';

CREATE AGGREGATE recommender.item_similarity_agg(user_id anyelement, item_id anycompatible, weight float8, options jsonb) (
	SFUNC = recommender_internal.item_similarity_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = recommender_internal.item_similarity_final,
	COMBINEFUNC = recommender_internal.item_similarity_combine,
	SERIALFUNC = recommender_internal.item_similarity_serialize,
	DESERIALFUNC = recommender_internal.item_similarity_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.item_similarity_agg(anyelement, anycompatible, float8, jsonb) IS
'the most similar items of each item, from rows of user, item and weight; options such as {"measure": "jaccard", "neighbors": 50}, constant over the rows of a group';

CREATE FUNCTION recommender.item_similarities(query text, options jsonb DEFAULT '{}')
RETURNS SETOF recommender.item_similarity
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE	-- runs any query, read-only
COST 10000 ROWS 10000
AS 'MODULE_PATHNAME', 'rec_item_similarities';
COMMENT ON FUNCTION recommender.item_similarities(text, jsonb) IS
'the most similar items of each item in the rows of a query that returns user, item[, weight[, time]], ids of any type';
