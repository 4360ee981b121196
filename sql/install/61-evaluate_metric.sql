-- Metrics: how good ranked lists are
--
-- Functions take one list as an array, of any id type with equality, best item
-- first; aggregates take rows.  Of the functions' arguments:
--   recommended  ranks are places in the array: an item that comes again, and
--                NULL, takes its place there and is no hit
--   relevant     a set: what comes again, and NULL, does not count; when
--                nothing is left, the result is NULL, and avg() passes the
--                user over
--   k            NULL for all of the list; a list shorter than k has missed
--                at the ranks it lacks
-- An empty list of recommendations is worth 0.  An array of more than one
-- dimension, and k below 1, are errors.

CREATE FUNCTION recommender.precision(recommended anycompatiblearray, relevant anycompatiblearray, k int DEFAULT NULL)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_precision';
COMMENT ON FUNCTION recommender.precision(anycompatiblearray, anycompatiblearray, int) IS
'the share of the first k places that hold relevant items: hits / k, also when the list is shorter than k; 0 to 1; NULL when nothing is relevant (Manning, Raghavan and Schuetze 2008)';

CREATE FUNCTION recommender.recall(recommended anycompatiblearray, relevant anycompatiblearray, k int DEFAULT NULL)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_recall';
COMMENT ON FUNCTION recommender.recall(anycompatiblearray, anycompatiblearray, int) IS
'the share of the relevant items that are among the first k: hits / all relevant items; 0 to 1; NULL when nothing is relevant (Manning, Raghavan and Schuetze 2008)';

CREATE FUNCTION recommender.hit_rate(recommended anycompatiblearray, relevant anycompatiblearray, k int DEFAULT NULL)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_hit_rate';
COMMENT ON FUNCTION recommender.hit_rate(anycompatiblearray, anycompatiblearray, int) IS
'1 when one of the first k items is relevant, else 0; its mean over users is the share of users with a hit; NULL when nothing is relevant (Deshpande and Karypis 2004)';

CREATE FUNCTION recommender.average_precision(recommended anycompatiblearray, relevant anycompatiblearray, k int DEFAULT NULL)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_average_precision';
COMMENT ON FUNCTION recommender.average_precision(anycompatiblearray, anycompatiblearray, int) IS
'the precision at the rank of each hit among the first k, summed and divided by min(k, relevant items); 0 to 1; its mean over users is MAP; NULL when nothing is relevant (Manning, Raghavan and Schuetze 2008, who divide by all relevant items)';

CREATE FUNCTION recommender.reciprocal_rank(recommended anycompatiblearray, relevant anycompatiblearray, k int DEFAULT NULL)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_reciprocal_rank';
COMMENT ON FUNCTION recommender.reciprocal_rank(anycompatiblearray, anycompatiblearray, int) IS
'1 / the rank of the first relevant item among the first k, 0 without one; its mean over users is MRR; NULL when nothing is relevant (Voorhees 1999)';

CREATE FUNCTION recommender.ndcg(
	recommended anycompatiblearray,
	relevant anycompatiblearray,
	k int DEFAULT NULL,
	gains float8[] DEFAULT NULL,		-- of each element of relevant, the larger one of a repeated item; NULL for 1 each
	exponential boolean DEFAULT false	-- 2^gain - 1 instead of gain
)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_ndcg';
COMMENT ON FUNCTION recommender.ndcg(anycompatiblearray, anycompatiblearray, int, float8[], boolean) IS
'the sum of gain / log2(rank + 1) over the first k items, divided by that of the best list of min(k, relevant items); gains are 1, or those given for the elements of relevant, as they are or as 2^gain - 1; 0 to 1; NULL when nothing is relevant (Jarvelin and Kekalainen 2002, Burges et al. 2005)';

CREATE FUNCTION recommender.serendipity(
	recommended anycompatiblearray,
	relevant anycompatiblearray,
	expected anycompatiblearray,		-- what goes without saying, such as the most popular items
	k int DEFAULT NULL
)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_serendipity';
COMMENT ON FUNCTION recommender.serendipity(anycompatiblearray, anycompatiblearray, anycompatiblearray, int) IS
'the share of the first k places that hold relevant items which were not expected: such hits / k; 0 to precision; NULL when nothing is relevant (Ge, Delgado-Battenfeld and Jannach 2010)';

-- Aggregates that are means over rows: their state is that of avg(float8).
-- NULL is what an outer join finds for an item that was never shown, that
-- nobody has, or for items that are not alike: it counts as 0.

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
'the share of items that were shown at all, from one row per item of the catalogue: how often it was shown, 0 or NULL for never; 0 to 1 (Ge, Delgado-Battenfeld and Jannach 2010)';

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
'the mean popularity of the items shown, from one row per item of a list; in the unit of popularity, NULL for 0 (Yin et al. 2012)';

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
'the mean self-information -log2(popularity) of the items shown, in bits, from one row per item of a list: the share of users who have it, greater than 0 and at most 1; 0 or greater (Zhou et al. 2010)';

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
'1 - the mean similarity of the items of a list, from one row per pair of them, NULL for a similarity of 0; 0 to 1 when similarities are (Smyth and McClave 2001, Ziegler et al. 2005)';

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
'the mean of -ln(the probability given to what came to pass), from one row per prediction: the probability of true, and the outcome; 0 or greater, Infinity when the impossible happened; a row with NULL does not count (Good 1952)';

-- Aggregates that need all rows at once, 8 bytes for each, in no more memory
-- than maintenance_work_mem.

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
'the Gini index of exposure, how unequally items are shown, from one row per item of the catalogue: how often it was shown, 0 or NULL for never; from 0, all alike, to 1 - 1/items, always the same one (Gini 1912, Fleder and Hosanagar 2009)';

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
'the area under the ROC curve, the probability that a relevant row scores above one that is not, equal scores counting half; 0 to 1, by chance 0.5; NULL unless there are rows of both kinds; a row with NULL does not count (Hanley and McNeil 1982)';
