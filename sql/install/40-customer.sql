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
