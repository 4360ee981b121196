-- What the functions in a recommender's schema call.  The first argument is a
-- null of a row type of that schema: it says which recommender is meant.

CREATE FUNCTION recommender.recommend(model anyelement, user_id "any", k integer, filter jsonb, exclude "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions and the model
COST 2000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_recommend';
COMMENT ON FUNCTION recommender.recommend IS
'what recommend() in a recommender''s schema calls';

CREATE FUNCTION recommender.recommend_components(model anyelement, user_id "any", k integer, filter jsonb, exclude "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions and the model
COST 2000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_recommend_components';
COMMENT ON FUNCTION recommender.recommend_components IS
'what recommend_components() in a recommender''s schema calls';

CREATE FUNCTION recommender.recommend_session(model anyelement, items "any", k integer, filter jsonb, exclude "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads the model
COST 2000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_recommend_session';
COMMENT ON FUNCTION recommender.recommend_session IS
'what recommend_session() in a recommender''s schema calls';

CREATE FUNCTION recommender.recommend_basket(model anyelement, items "any", k integer, filter jsonb, exclude "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads the model
COST 2000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_recommend_basket';
COMMENT ON FUNCTION recommender.recommend_basket IS
'what recommend_basket() in a recommender''s schema calls';

CREATE FUNCTION recommender.similar_items(model anyelement, item_id "any", k integer, filter jsonb, exclude "any", options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads the model
COST 1000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_similar_items';
COMMENT ON FUNCTION recommender.similar_items IS
'what similar_items() in a recommender''s schema calls';

CREATE FUNCTION recommender.popular_items(model anyelement, k integer, filter jsonb, exclude "any", options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads the model, or interactions before there is one
COST 1000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_popular_items';
COMMENT ON FUNCTION recommender.popular_items IS
'what popular_items() in a recommender''s schema calls';

CREATE FUNCTION recommender.trending_items(model anyelement, k integer, filter jsonb, exclude "any", options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions
COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_trending_items';
COMMENT ON FUNCTION recommender.trending_items IS
'what trending_items() in a recommender''s schema calls';

CREATE FUNCTION recommender.rank_items(model anyelement, user_id "any", items "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions and the model
COST 2000 ROWS 100
AS 'MODULE_PATHNAME', 'rec_rank_items';
COMMENT ON FUNCTION recommender.rank_items IS
'what rank_items() in a recommender''s schema calls';

CREATE FUNCTION recommender.score(model anyelement, user_id "any", item_id "any", context jsonb, options jsonb)
RETURNS double precision
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions and the model
COST 100
AS 'MODULE_PATHNAME', 'rec_score';
COMMENT ON FUNCTION recommender.score IS
'what score() in a recommender''s schema calls';

CREATE FUNCTION recommender.explain(model anyelement, user_id "any", item_id "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions and the model
COST 2000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_explain';
COMMENT ON FUNCTION recommender.explain IS
'what explain() in a recommender''s schema calls';

CREATE FUNCTION recommender.recommend_all(model anyelement, k integer, filter jsonb, exclude "any", context jsonb, options jsonb)
RETURNS SETOF anyelement
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE	-- reads interactions and the model
COST 1000000 ROWS 100000
AS 'MODULE_PATHNAME', 'rec_recommend_all';
COMMENT ON FUNCTION recommender.recommend_all IS
'what recommend_all() in a recommender''s schema calls';
