-- Metrics of ranked lists
--
-- Functions take one list as an array, of any id type with equality, best item
-- first; aggregates take rows.  Arguments of the functions:
--   recommended  ranks are positions in the array: a duplicate and a NULL occupy
--                their positions and are not hits
--   relevant     a set: duplicates and NULLs are ignored; if it is empty, the
--                result is NULL, so that avg() ignores the user
--   k            NULL for the whole list; the missing ranks of a list shorter
--                than k are misses
-- The value of an empty list of recommendations is 0.  An array of more than one
-- dimension and k below 1 are errors.

CREATE FUNCTION recommender.precision(recommended anycompatiblearray, relevant anycompatiblearray, k int DEFAULT NULL)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_precision';
COMMENT ON FUNCTION recommender.precision(anycompatiblearray, anycompatiblearray, int) IS
'the share of the first k positions that are relevant items: hits / k, also if the list is shorter than k; 0 to 1; NULL without relevant items (Manning, Raghavan and Schuetze 2008)';

CREATE FUNCTION recommender.recall(recommended anycompatiblearray, relevant anycompatiblearray, k int DEFAULT NULL)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_recall';
COMMENT ON FUNCTION recommender.recall(anycompatiblearray, anycompatiblearray, int) IS
'the share of the relevant items that are among the first k: hits / all relevant items; 0 to 1; NULL without relevant items (Manning, Raghavan and Schuetze 2008)';

CREATE FUNCTION recommender.hit_rate(recommended anycompatiblearray, relevant anycompatiblearray, k int DEFAULT NULL)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_hit_rate';
COMMENT ON FUNCTION recommender.hit_rate(anycompatiblearray, anycompatiblearray, int) IS
'1 if one of the first k items is relevant, else 0; its mean over users is the share of users with a hit; NULL without relevant items (Deshpande and Karypis 2004)';

CREATE FUNCTION recommender.average_precision(recommended anycompatiblearray, relevant anycompatiblearray, k int DEFAULT NULL)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_average_precision';
COMMENT ON FUNCTION recommender.average_precision(anycompatiblearray, anycompatiblearray, int) IS
'the sum of the precisions at the rank of each hit among the first k, divided by min(k, relevant items); 0 to 1; its mean over users is MAP; NULL without relevant items (Manning, Raghavan and Schuetze 2008, who divide by all relevant items)';

CREATE FUNCTION recommender.reciprocal_rank(recommended anycompatiblearray, relevant anycompatiblearray, k int DEFAULT NULL)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_reciprocal_rank';
COMMENT ON FUNCTION recommender.reciprocal_rank(anycompatiblearray, anycompatiblearray, int) IS
'1 / the rank of the first relevant item among the first k, 0 without one; its mean over users is MRR; NULL without relevant items (Voorhees 1999)';

CREATE FUNCTION recommender.ndcg(
	recommended anycompatiblearray,
	relevant anycompatiblearray,
	k int DEFAULT NULL,
	gains float8[] DEFAULT NULL,		-- of each element of relevant, of a duplicate the larger one; NULL for 1 each
	exponential boolean DEFAULT false	-- 2^gain - 1 instead of gain
)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_ndcg';
COMMENT ON FUNCTION recommender.ndcg(anycompatiblearray, anycompatiblearray, int, float8[], boolean) IS
'the sum of gain / log2(rank + 1) over the first k items, divided by that of the best list of min(k, relevant items); gains are 1, or those given for the elements of relevant, linear or as 2^gain - 1; 0 to 1; NULL without relevant items (Jarvelin and Kekalainen 2002, Burges et al. 2005)';

CREATE FUNCTION recommender.serendipity(
	recommended anycompatiblearray,
	relevant anycompatiblearray,
	expected anycompatiblearray,		-- items of a baseline, such as the most popular ones
	k int DEFAULT NULL
)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_serendipity';
COMMENT ON FUNCTION recommender.serendipity(anycompatiblearray, anycompatiblearray, anycompatiblearray, int) IS
'the share of the first k positions that are relevant and not expected items: such hits / k; 0 to precision; NULL without relevant items (Ge, Delgado-Battenfeld and Jannach 2010)';

-- Aggregates that are means over rows: their state is that of avg(float8).
-- NULL counts as 0: an outer join returns it for an item that was never shown or
-- has no users, and for a pair of items without a similarity.

CREATE FUNCTION recommender_internal.catalog_coverage_transition(float8[], float8)
RETURNS float8[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_catalog_coverage_transition';
COMMENT ON FUNCTION recommender_internal.catalog_coverage_transition(float8[], float8) IS
'internal: transition function of catalog_coverage';

CREATE AGGREGATE recommender.catalog_coverage(exposure float8) (
	SFUNC = recommender_internal.catalog_coverage_transition,
	STYPE = float8[],
	INITCOND = '{0,0,0}',
	FINALFUNC = pg_catalog.float8_avg,
	COMBINEFUNC = pg_catalog.float8_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.catalog_coverage(float8) IS
'the share of items shown at least once, from one row per item of the catalogue: the number of times it was shown, 0 or NULL for never; 0 to 1 (Ge, Delgado-Battenfeld and Jannach 2010)';

CREATE FUNCTION recommender_internal.average_popularity_transition(float8[], float8)
RETURNS float8[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_average_popularity_transition';
COMMENT ON FUNCTION recommender_internal.average_popularity_transition(float8[], float8) IS
'internal: transition function of average_popularity';

CREATE AGGREGATE recommender.average_popularity(popularity float8) (
	SFUNC = recommender_internal.average_popularity_transition,
	STYPE = float8[],
	INITCOND = '{0,0,0}',
	FINALFUNC = pg_catalog.float8_avg,
	COMBINEFUNC = pg_catalog.float8_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.average_popularity(float8) IS
'the mean popularity of the items shown, from one row per item of a list, in the unit of its argument; NULL is 0 (Yin et al. 2012)';

CREATE FUNCTION recommender_internal.novelty_transition(float8[], float8)
RETURNS float8[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_novelty_transition';
COMMENT ON FUNCTION recommender_internal.novelty_transition(float8[], float8) IS
'internal: transition function of novelty';

CREATE AGGREGATE recommender.novelty(popularity float8) (
	SFUNC = recommender_internal.novelty_transition,
	STYPE = float8[],
	INITCOND = '{0,0,0}',
	FINALFUNC = pg_catalog.float8_avg,
	COMBINEFUNC = pg_catalog.float8_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.novelty(float8) IS
'the mean self-information -log2(popularity) of the items shown, in bits, from one row per item of a list; popularity is the share of users who have the item, greater than 0 and at most 1; 0 or greater (Zhou et al. 2010)';

CREATE FUNCTION recommender_internal.intra_list_diversity_transition(float8[], float8)
RETURNS float8[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_intra_list_diversity_transition';
COMMENT ON FUNCTION recommender_internal.intra_list_diversity_transition(float8[], float8) IS
'internal: transition function of intra_list_diversity';

CREATE AGGREGATE recommender.intra_list_diversity(similarity float8) (
	SFUNC = recommender_internal.intra_list_diversity_transition,
	STYPE = float8[],
	INITCOND = '{0,0,0}',
	FINALFUNC = pg_catalog.float8_avg,
	COMBINEFUNC = pg_catalog.float8_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.intra_list_diversity(float8) IS
'1 - the mean similarity of the items of a list, from one row per pair of them; NULL is a similarity of 0; 0 to 1 if all similarities are (Smyth and McClave 2001, Ziegler et al. 2005)';

CREATE FUNCTION recommender_internal.log_loss_transition(float8[], float8, boolean)
RETURNS float8[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_log_loss_transition';
COMMENT ON FUNCTION recommender_internal.log_loss_transition(float8[], float8, boolean) IS
'internal: transition function of log_loss';

CREATE AGGREGATE recommender.log_loss(probability float8, outcome boolean) (
	SFUNC = recommender_internal.log_loss_transition,
	STYPE = float8[],
	INITCOND = '{0,0,0}',
	FINALFUNC = pg_catalog.float8_avg,
	COMBINEFUNC = pg_catalog.float8_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.log_loss(float8, boolean) IS
'the mean of -ln(the predicted probability of the actual outcome), from one row per prediction: the probability of true, and the outcome; 0 or greater, Infinity if that probability is 0; rows with NULL are ignored (Good 1952)';

-- Aggregates that keep all rows, 8 bytes each, in at most maintenance_work_mem.

CREATE FUNCTION recommender_internal.sample_combine(internal, internal)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_sample_combine';
COMMENT ON FUNCTION recommender_internal.sample_combine(internal, internal) IS
'internal: combine function of gini or auc';

CREATE FUNCTION recommender_internal.sample_serialize(internal)
RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_sample_serialize';
COMMENT ON FUNCTION recommender_internal.sample_serialize(internal) IS
'internal: serialization function of gini or auc, for parallel workers';

CREATE FUNCTION recommender_internal.sample_deserialize(bytea, internal)
RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_sample_deserialize';
COMMENT ON FUNCTION recommender_internal.sample_deserialize(bytea, internal) IS
'internal: deserialization function of gini or auc, for parallel workers';

CREATE FUNCTION recommender_internal.gini_transition(internal, float8)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_gini_transition';
COMMENT ON FUNCTION recommender_internal.gini_transition(internal, float8) IS
'internal: transition function of gini';

CREATE FUNCTION recommender_internal.gini_final(internal)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_gini_final';
COMMENT ON FUNCTION recommender_internal.gini_final(internal) IS
'internal: final function of gini';

CREATE AGGREGATE recommender.gini(exposure float8) (
	SFUNC = recommender_internal.gini_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = recommender_internal.gini_final,
	COMBINEFUNC = recommender_internal.sample_combine,
	SERIALFUNC = recommender_internal.sample_serialize,
	DESERIALFUNC = recommender_internal.sample_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.gini(float8) IS
'the Gini index of exposure, from one row per item of the catalogue: the number of times it was shown, 0 or NULL for never; from 0, all equally often, to 1 - 1/items, a single item (Gini 1912, Fleder and Hosanagar 2009)';

CREATE FUNCTION recommender_internal.auc_transition(internal, float8, boolean)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_auc_transition';
COMMENT ON FUNCTION recommender_internal.auc_transition(internal, float8, boolean) IS
'internal: transition function of auc';

CREATE FUNCTION recommender_internal.auc_final(internal)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_auc_final';
COMMENT ON FUNCTION recommender_internal.auc_final(internal) IS
'internal: final function of auc';

CREATE AGGREGATE recommender.auc(score float8, relevant boolean) (
	SFUNC = recommender_internal.auc_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = recommender_internal.auc_final,
	COMBINEFUNC = recommender_internal.sample_combine,
	SERIALFUNC = recommender_internal.sample_serialize,
	DESERIALFUNC = recommender_internal.sample_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.auc(float8, boolean) IS
'the area under the ROC curve: the probability that a relevant row has a higher score than one that is not relevant, a tie being one half; 0 to 1, by chance 0.5; NULL unless there are rows of both kinds; rows with NULL are ignored (Hanley and McNeil 1982)';
