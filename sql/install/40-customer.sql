-- Customers: sequences of events, purchasing, spending, attribution, words

CREATE FUNCTION recommender.session_number(at timestamptz, gap interval)
RETURNS int
LANGUAGE C WINDOW IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_session_number';
COMMENT ON FUNCTION recommender.session_number(timestamptz, interval) IS
'window function: the number of the session that a row belongs to, from 1; a session ends where the time since the row before is greater than gap';

CREATE FUNCTION recommender_internal.window_funnel_transition(internal, timestamptz, interval, boolean[])
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_transition';
COMMENT ON FUNCTION recommender_internal.window_funnel_transition(internal, timestamptz, interval, boolean[]) IS
'internal: transition function of window_funnel(at, within, steps)';

CREATE FUNCTION recommender_internal.window_funnel_transition(internal, timestamptz, interval, boolean[], text)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_transition';
COMMENT ON FUNCTION recommender_internal.window_funnel_transition(internal, timestamptz, interval, boolean[], text) IS
'internal: transition function of window_funnel(at, within, steps, mode)';

CREATE FUNCTION recommender_internal.window_funnel_combine(internal, internal)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_combine';
COMMENT ON FUNCTION recommender_internal.window_funnel_combine(internal, internal) IS
'internal: combine function of window_funnel';

CREATE FUNCTION recommender_internal.window_funnel_serialize(internal)
RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_serialize';
COMMENT ON FUNCTION recommender_internal.window_funnel_serialize(internal) IS
'internal: serialization function of window_funnel, for parallel workers';

CREATE FUNCTION recommender_internal.window_funnel_deserialize(bytea, internal)
RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_deserialize';
COMMENT ON FUNCTION recommender_internal.window_funnel_deserialize(bytea, internal) IS
'internal: deserialization function of window_funnel, for parallel workers';

CREATE FUNCTION recommender_internal.window_funnel_final(internal)
RETURNS int
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_final';
COMMENT ON FUNCTION recommender_internal.window_funnel_final(internal) IS
'internal: final function of window_funnel';

CREATE FUNCTION recommender_internal.window_funnel_times_final(internal)
RETURNS timestamptz[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_times_final';
COMMENT ON FUNCTION recommender_internal.window_funnel_times_final(internal) IS
'internal: final function of window_funnel_times';

CREATE AGGREGATE recommender.window_funnel(at timestamptz, within interval, steps boolean[]) (
	SFUNC = recommender_internal.window_funnel_transition,
	STYPE = internal,
	SSPACE = 144,
	FINALFUNC = recommender_internal.window_funnel_final,
	COMBINEFUNC = recommender_internal.window_funnel_combine,
	SERIALFUNC = recommender_internal.window_funnel_serialize,
	DESERIALFUNC = recommender_internal.window_funnel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.window_funnel(timestamptz, interval, boolean[]) IS
'how many of the steps the rows go through in order of time, the last one at most "within" after the first; no row counts for two steps; a null "within" is no limit';

CREATE AGGREGATE recommender.window_funnel(at timestamptz, within interval, steps boolean[], mode text) (
	SFUNC = recommender_internal.window_funnel_transition,
	STYPE = internal,
	SSPACE = 144,
	FINALFUNC = recommender_internal.window_funnel_final,
	COMBINEFUNC = recommender_internal.window_funnel_combine,
	SERIALFUNC = recommender_internal.window_funnel_serialize,
	DESERIALFUNC = recommender_internal.window_funnel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.window_funnel(timestamptz, interval, boolean[], text) IS
'window_funnel in mode "ordered", "strict" (nothing between two steps but repeats of the first of them) or "increasing" (each step later than the one before)';

CREATE AGGREGATE recommender.window_funnel_times(at timestamptz, within interval, steps boolean[]) (
	SFUNC = recommender_internal.window_funnel_transition,
	STYPE = internal,
	SSPACE = 144,
	FINALFUNC = recommender_internal.window_funnel_times_final,
	COMBINEFUNC = recommender_internal.window_funnel_combine,
	SERIALFUNC = recommender_internal.window_funnel_serialize,
	DESERIALFUNC = recommender_internal.window_funnel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.window_funnel_times(timestamptz, interval, boolean[]) IS
'the times of the steps that window_funnel counts: of all longest chains, the one that ends first, starts last and takes each inner step as early as possible';

CREATE AGGREGATE recommender.window_funnel_times(at timestamptz, within interval, steps boolean[], mode text) (
	SFUNC = recommender_internal.window_funnel_transition,
	STYPE = internal,
	SSPACE = 144,
	FINALFUNC = recommender_internal.window_funnel_times_final,
	COMBINEFUNC = recommender_internal.window_funnel_combine,
	SERIALFUNC = recommender_internal.window_funnel_serialize,
	DESERIALFUNC = recommender_internal.window_funnel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.window_funnel_times(timestamptz, interval, boolean[], text) IS
'the times of the steps that window_funnel counts in that mode';

CREATE TYPE recommender.funnel_step AS (
	step int,
	event text,
	users bigint,
	of_previous float8,
	of_first float8,
	pending bigint,
	median_wait interval
);
COMMENT ON TYPE recommender.funnel_step IS
'a step of a funnel: users who reached it, their share of those of the step before and of the first one, users who may still reach it, and the median time from the step before';

-- Purchasing

CREATE TYPE recommender.purchase_model AS (
	model text,
	r float8,
	alpha float8,
	a float8,
	b float8,
	log_likelihood float8,
	users bigint,
	repeaters bigint,
	dropout boolean,
	converged boolean
);
COMMENT ON TYPE recommender.purchase_model IS
'a model of purchasing: rates are Gamma(r, alpha) over customers, probabilities to leave after a purchase Beta(a, b); the unit of time is that of the rows it was fitted on';

CREATE TYPE recommender.purchase_outlook AS (
	alive float8,
	expected float8,
	probability float8,
	median_wait float8,
	overdue float8
);
COMMENT ON TYPE recommender.purchase_outlook IS
'what a model predicts of a customer: probability not to have left, purchases within the horizon, probability of at least one, median time to the next one, share of such customers who would have bought again by now';

CREATE FUNCTION recommender_internal.purchase_model_transition(internal, int, float8, float8)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_purchase_model_transition';
COMMENT ON FUNCTION recommender_internal.purchase_model_transition(internal, int, float8, float8) IS
'internal: transition function of purchase_model_agg(frequency, recency, age)';

CREATE FUNCTION recommender_internal.purchase_model_transition(internal, int, float8, float8, text)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_purchase_model_transition';
COMMENT ON FUNCTION recommender_internal.purchase_model_transition(internal, int, float8, float8, text) IS
'internal: transition function of purchase_model_agg(frequency, recency, age, model)';

CREATE FUNCTION recommender_internal.customer_model_combine(internal, internal)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_customer_model_combine';
COMMENT ON FUNCTION recommender_internal.customer_model_combine(internal, internal) IS
'internal: combine function of purchase_model_agg or spend_model_agg';

CREATE FUNCTION recommender_internal.customer_model_serialize(internal)
RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_customer_model_serialize';
COMMENT ON FUNCTION recommender_internal.customer_model_serialize(internal) IS
'internal: serialization function of purchase_model_agg or spend_model_agg, for parallel workers';

CREATE FUNCTION recommender_internal.customer_model_deserialize(bytea, internal)
RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_customer_model_deserialize';
COMMENT ON FUNCTION recommender_internal.customer_model_deserialize(bytea, internal) IS
'internal: deserialization function of purchase_model_agg or spend_model_agg, for parallel workers';

CREATE FUNCTION recommender_internal.purchase_model_final(internal)
RETURNS recommender.purchase_model
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_purchase_model_final';
COMMENT ON FUNCTION recommender_internal.purchase_model_final(internal) IS
'internal: final function of purchase_model_agg';

CREATE AGGREGATE recommender.purchase_model_agg(frequency int, recency float8, age float8) (
	SFUNC = recommender_internal.purchase_model_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = recommender_internal.purchase_model_final,
	COMBINEFUNC = recommender_internal.customer_model_combine,
	SERIALFUNC = recommender_internal.customer_model_serialize,
	DESERIALFUNC = recommender_internal.customer_model_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.purchase_model_agg(int, float8, float8) IS
'the MBG/NBD model of purchasing by maximum likelihood, from one row per customer: repeat purchases, time from the first to the last one, time from the first one to now (Batislam, Denizel and Filiztekin 2007)';

CREATE AGGREGATE recommender.purchase_model_agg(frequency int, recency float8, age float8, model text) (
	SFUNC = recommender_internal.purchase_model_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = recommender_internal.purchase_model_final,
	COMBINEFUNC = recommender_internal.customer_model_combine,
	SERIALFUNC = recommender_internal.customer_model_serialize,
	DESERIALFUNC = recommender_internal.customer_model_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.purchase_model_agg(int, float8, float8, text) IS
'the model "mbg" (MBG/NBD) or "bg" (BG/NBD, Fader, Hardie and Lee 2005) of purchasing by maximum likelihood';

CREATE FUNCTION recommender.purchase_forecast(
	model recommender.purchase_model,
	frequency int,
	recency float8,
	age float8,
	horizon float8
)
RETURNS recommender.purchase_outlook
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 500
AS 'MODULE_PATHNAME', 'rec_purchase_forecast';
COMMENT ON FUNCTION recommender.purchase_forecast(recommender.purchase_model, int, float8, float8, float8) IS
'what a model predicts of a customer within a horizon, all times in the unit of the model; NULL when the model has no parameters';

-- Spending

CREATE TYPE recommender.spend_model AS (
	p float8,
	q float8,
	v float8,
	population_mean float8,
	correlation float8,
	log_likelihood float8,
	users bigint,
	converged boolean
);
COMMENT ON TYPE recommender.spend_model IS
'a Gamma-Gamma model of the values of purchases, with the correlation of frequency and mean value, which it takes to be zero';

CREATE FUNCTION recommender_internal.spend_model_transition(internal, int, float8)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_spend_model_transition';
COMMENT ON FUNCTION recommender_internal.spend_model_transition(internal, int, float8) IS
'internal: transition function of spend_model_agg';

CREATE FUNCTION recommender_internal.spend_model_final(internal)
RETURNS recommender.spend_model
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_spend_model_final';
COMMENT ON FUNCTION recommender_internal.spend_model_final(internal) IS
'internal: final function of spend_model_agg';

CREATE AGGREGATE recommender.spend_model_agg(frequency int, mean_value float8) (
	SFUNC = recommender_internal.spend_model_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = recommender_internal.spend_model_final,
	COMBINEFUNC = recommender_internal.customer_model_combine,
	SERIALFUNC = recommender_internal.customer_model_serialize,
	DESERIALFUNC = recommender_internal.customer_model_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.spend_model_agg(int, float8) IS
'the Gamma-Gamma model of spending by maximum likelihood, from one row per customer: repeat purchases with a value above 0, and the mean of these values (Fader, Hardie and Lee 2005)';

CREATE FUNCTION recommender.spend_forecast(model recommender.spend_model, frequency int, mean_value float8)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 10
AS 'MODULE_PATHNAME', 'rec_spend_forecast_sql';
COMMENT ON FUNCTION recommender.spend_forecast(recommender.spend_model, int, float8) IS
'the expected value of each of a customer''s next purchases, from the number and the mean value of those that repeated; the population''s mean with frequency 0; NULL when the model has no parameters or no finite mean';

-- Deviations of a series

CREATE TYPE recommender.deviation AS (
	expected float8,
	spread float8,
	score float8
);
COMMENT ON TYPE recommender.deviation IS
'what earlier seasons lead to expect, by how much values usually differ from it, and by how many such spreads this one does';

CREATE FUNCTION recommender.anomaly(value float8, season int)
RETURNS recommender.deviation
LANGUAGE C WINDOW IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_anomaly';
COMMENT ON FUNCTION recommender.anomaly(float8, int) IS
'window function: how far a value is from what the same place in earlier seasons leads to expect; one row per period without holes, season their number in a season (7 for days of a week)';

-- Clusters

CREATE TYPE recommender.cluster AS (
	cluster int,
	size bigint,
	center float8[],
	scale float8[],
	spread float8
);
COMMENT ON TYPE recommender.cluster IS
'a cluster of rows: number from 1 for the largest, rows, center in the units of the features, what each feature is divided by to compute distances (0: it does not count), root of the mean squared distance from the center';

CREATE FUNCTION recommender_internal.cluster_transition(internal, float8[], int)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_cluster_transition';
COMMENT ON FUNCTION recommender_internal.cluster_transition(internal, float8[], int) IS
'internal: transition of cluster_agg(features, clusters)';

CREATE FUNCTION recommender_internal.cluster_transition(internal, float8[], int, boolean)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_cluster_transition';
COMMENT ON FUNCTION recommender_internal.cluster_transition(internal, float8[], int, boolean) IS
'internal: transition of cluster_agg(features, clusters, scale)';

CREATE FUNCTION recommender_internal.cluster_combine(internal, internal)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_cluster_combine';
COMMENT ON FUNCTION recommender_internal.cluster_combine(internal, internal) IS
'internal: puts two states of cluster_agg together';

CREATE FUNCTION recommender_internal.cluster_serialize(internal)
RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_cluster_serialize';
COMMENT ON FUNCTION recommender_internal.cluster_serialize(internal) IS
'internal: writes a state of cluster_agg as bytes, for parallel workers';

CREATE FUNCTION recommender_internal.cluster_deserialize(bytea, internal)
RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_cluster_deserialize';
COMMENT ON FUNCTION recommender_internal.cluster_deserialize(bytea, internal) IS
'internal: reads a state of cluster_agg from bytes, for parallel workers';

CREATE FUNCTION recommender_internal.cluster_final(internal)
RETURNS recommender.cluster[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_cluster_final';
COMMENT ON FUNCTION recommender_internal.cluster_final(internal) IS
'internal: final function of cluster_agg';

CREATE AGGREGATE recommender.cluster_agg(features float8[], clusters int) (
	SFUNC = recommender_internal.cluster_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = recommender_internal.cluster_final,
	COMBINEFUNC = recommender_internal.cluster_combine,
	SERIALFUNC = recommender_internal.cluster_serialize,
	DESERIALFUNC = recommender_internal.cluster_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.cluster_agg(float8[], int) IS
'k-means clusters of rows of features, each divided by its standard deviation; without chance: the same rows have the same clusters (Lloyd 1982, from centers that are farthest first)';

CREATE AGGREGATE recommender.cluster_agg(features float8[], clusters int, scale boolean) (
	SFUNC = recommender_internal.cluster_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = recommender_internal.cluster_final,
	COMBINEFUNC = recommender_internal.cluster_combine,
	SERIALFUNC = recommender_internal.cluster_serialize,
	DESERIALFUNC = recommender_internal.cluster_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.cluster_agg(float8[], int, boolean) IS
'k-means clusters of rows of features, which are divided by their standard deviations if scale is true';

CREATE FUNCTION recommender.cluster_of(clusters recommender.cluster[], features float8[])
RETURNS int
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 10
AS 'MODULE_PATHNAME', 'rec_cluster_of';
COMMENT ON FUNCTION recommender.cluster_of(recommender.cluster[], float8[]) IS
'the number of the cluster whose center is nearest to a row of features';

-- Attribution

CREATE TYPE recommender.attribution AS (
	touchpoint text,
	paths float8,
	first float8,
	last float8,
	linear float8,
	shapley float8,
	markov float8,
	removal_effect float8,
	markov_value float8
);
COMMENT ON TYPE recommender.attribution IS
'a touchpoint, how many paths met it, the conversions attributed to it by five rules, the share of conversions that the Markov model loses without it, and the value attributed by that';

CREATE FUNCTION recommender_internal.attribution_transition(internal, text[], float8, float8, float8)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_attribution_transition';
COMMENT ON FUNCTION recommender_internal.attribution_transition(internal, text[], float8, float8, float8) IS
'internal: transition of attribution_agg(path, conversions, losses, value)';

CREATE FUNCTION recommender_internal.attribution_combine(internal, internal)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_attribution_combine';
COMMENT ON FUNCTION recommender_internal.attribution_combine(internal, internal) IS
'internal: puts two states of attribution_agg together';

CREATE FUNCTION recommender_internal.attribution_serialize(internal)
RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_attribution_serialize';
COMMENT ON FUNCTION recommender_internal.attribution_serialize(internal) IS
'internal: writes a state of attribution_agg as bytes, for parallel workers';

CREATE FUNCTION recommender_internal.attribution_deserialize(bytea, internal)
RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_attribution_deserialize';
COMMENT ON FUNCTION recommender_internal.attribution_deserialize(bytea, internal) IS
'internal: reads a state of attribution_agg from bytes, for parallel workers';

CREATE FUNCTION recommender_internal.attribution_final(internal)
RETURNS recommender.attribution[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_attribution_final';
COMMENT ON FUNCTION recommender_internal.attribution_final(internal) IS
'internal: final function of attribution_agg';

CREATE AGGREGATE recommender.attribution_agg(path text[], conversions float8, losses float8, value float8) (
	SFUNC = recommender_internal.attribution_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = recommender_internal.attribution_final,
	COMBINEFUNC = recommender_internal.attribution_combine,
	SERIALFUNC = recommender_internal.attribution_serialize,
	DESERIALFUNC = recommender_internal.attribution_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.attribution_agg(text[], float8, float8, float8) IS
'conversions attributed to touchpoints, from one row per path: touchpoints in order, how often it ended in a conversion and how often not, what the conversions were worth; exact Shapley values and removal effects of a Markov chain, without simulation';

-- Words of reviews

CREATE TYPE recommender.word_score AS (
	word text,
	score float8,
	z float8,
	positives bigint,
	negatives bigint
);
COMMENT ON TYPE recommender.word_score IS
'a word or a pair of neighbouring words, what it adds to the logarithmic odds that a document is positive, how typical it is of positive documents in standard deviations, and how many documents of both kinds have it';

CREATE FUNCTION recommender_internal.word_scores_transition(internal, tsvector, boolean)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_word_scores_transition';
COMMENT ON FUNCTION recommender_internal.word_scores_transition(internal, tsvector, boolean) IS
'internal: transition of word_scores_agg(document, positive)';

CREATE FUNCTION recommender_internal.word_scores_combine(internal, internal)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_word_scores_combine';
COMMENT ON FUNCTION recommender_internal.word_scores_combine(internal, internal) IS
'internal: puts two states of word_scores_agg together';

CREATE FUNCTION recommender_internal.word_scores_serialize(internal)
RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_word_scores_serialize';
COMMENT ON FUNCTION recommender_internal.word_scores_serialize(internal) IS
'internal: writes a state of word_scores_agg as bytes, for parallel workers';

CREATE FUNCTION recommender_internal.word_scores_deserialize(bytea, internal)
RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_word_scores_deserialize';
COMMENT ON FUNCTION recommender_internal.word_scores_deserialize(bytea, internal) IS
'internal: reads a state of word_scores_agg from bytes, for parallel workers';

CREATE FUNCTION recommender_internal.word_scores_final(internal)
RETURNS recommender.word_score[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_word_scores_final';
COMMENT ON FUNCTION recommender_internal.word_scores_final(internal) IS
'internal: final function of word_scores_agg';

CREATE AGGREGATE recommender.word_scores_agg(document tsvector, positive boolean) (
	SFUNC = recommender_internal.word_scores_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = recommender_internal.word_scores_final,
	COMBINEFUNC = recommender_internal.word_scores_combine,
	SERIALFUNC = recommender_internal.word_scores_serialize,
	DESERIALFUNC = recommender_internal.word_scores_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.word_scores_agg(tsvector, boolean) IS
'what words say of documents that are positive or negative, by falling z (naive Bayes; Monroe, Colaresi and Quinn 2008)';

CREATE FUNCTION recommender.text_score(words recommender.word_score[], document tsvector)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_text_score';
COMMENT ON FUNCTION recommender.text_score(recommender.word_score[], tsvector) IS
'the sum of the scores of a document''s words: above 0 is positive, 0 when none is known';
