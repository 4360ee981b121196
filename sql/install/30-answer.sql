-- The functions that those in a recommender's schema call.  The first argument is a
-- null of a row type of that schema, which identifies the recommender.

CREATE FUNCTION recommender_internal.recommend(model anyelement, user_id "any", k bigint, filter jsonb, exclude "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions and the model
COST 2000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_recommend';
COMMENT ON FUNCTION recommender_internal.recommend IS
'internal: implementation of recommend() in a recommender''s schema';

CREATE FUNCTION recommender_internal.recommend_components(model anyelement, user_id "any", k bigint, filter jsonb, exclude "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions and the model
COST 2000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_recommend_components';
COMMENT ON FUNCTION recommender_internal.recommend_components IS
'internal: implementation of recommend_components() in a recommender''s schema';

CREATE FUNCTION recommender_internal.recommend_session(model anyelement, items "any", k bigint, filter jsonb, exclude "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads the model
COST 2000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_recommend_session';
COMMENT ON FUNCTION recommender_internal.recommend_session IS
'internal: implementation of recommend_session() in a recommender''s schema';

CREATE FUNCTION recommender_internal.recommend_basket(model anyelement, items "any", k bigint, filter jsonb, exclude "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads the model
COST 2000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_recommend_basket';
COMMENT ON FUNCTION recommender_internal.recommend_basket IS
'internal: implementation of recommend_basket() in a recommender''s schema';

CREATE FUNCTION recommender_internal.similar_items(model anyelement, item_id "any", k bigint, filter jsonb, exclude "any", options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads the model
COST 1000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_similar_items';
COMMENT ON FUNCTION recommender_internal.similar_items IS
'internal: implementation of similar_items() in a recommender''s schema';

CREATE FUNCTION recommender_internal.popular_items(model anyelement, k bigint, filter jsonb, exclude "any", options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads the model, or interactions before there is one
COST 1000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_popular_items';
COMMENT ON FUNCTION recommender_internal.popular_items IS
'internal: implementation of popular_items() in a recommender''s schema';

CREATE FUNCTION recommender_internal.trending_items(model anyelement, k bigint, filter jsonb, exclude "any", options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions
COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_trending_items';
COMMENT ON FUNCTION recommender_internal.trending_items IS
'internal: implementation of trending_items() in a recommender''s schema';

CREATE FUNCTION recommender_internal.rank_items(model anyelement, user_id "any", items "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions and the model
COST 2000 ROWS 100
AS 'MODULE_PATHNAME', 'rec_rank_items';
COMMENT ON FUNCTION recommender_internal.rank_items IS
'internal: implementation of rank_items() in a recommender''s schema';

CREATE FUNCTION recommender_internal.score(model anyelement, user_id "any", item_id "any", context jsonb, options jsonb)
RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions and the model
COST 100
AS 'MODULE_PATHNAME', 'rec_score';
COMMENT ON FUNCTION recommender_internal.score IS
'internal: implementation of score() in a recommender''s schema';

CREATE FUNCTION recommender_internal.explain(model anyelement, user_id "any", item_id "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions and the model
COST 2000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_explain';
COMMENT ON FUNCTION recommender_internal.explain IS
'internal: implementation of explain() in a recommender''s schema';

CREATE FUNCTION recommender_internal.recommend_all(model anyelement, k bigint, filter jsonb, exclude "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions and the model
COST 1000000 ROWS 100000
AS 'MODULE_PATHNAME', 'rec_recommend_all';
COMMENT ON FUNCTION recommender_internal.recommend_all IS
'internal: implementation of recommend_all() in a recommender''s schema';

CREATE FUNCTION recommender.recommend(VARIADIC arguments "any")
RETURNS void
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- raises an error
AS 'MODULE_PATHNAME', 'rec_recommend_elsewhere';
COMMENT ON FUNCTION recommender.recommend IS
'an error with the hint to call recommend() in the schema of a recommender, where the functions of each recommender are';
