-- Customers: sequences of events, purchasing, spending, attribution, words

CREATE FUNCTION recommender.session_number(at timestamptz, gap interval)
RETURNS int
LANGUAGE C WINDOW IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_session_number';
COMMENT ON FUNCTION recommender.session_number(timestamptz, interval) IS
'window function: the number of the session that a row belongs to, from 1; a session ends where the time since the row before is greater than gap';

CREATE FUNCTION recommender.window_funnel_transition(internal, timestamptz, interval, boolean[])
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_transition';
COMMENT ON FUNCTION recommender.window_funnel_transition(internal, timestamptz, interval, boolean[]) IS
'transition of window_funnel(at, within, steps)';

CREATE FUNCTION recommender.window_funnel_transition(internal, timestamptz, interval, boolean[], text)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_transition';
COMMENT ON FUNCTION recommender.window_funnel_transition(internal, timestamptz, interval, boolean[], text) IS
'transition of window_funnel(at, within, steps, mode)';

CREATE FUNCTION recommender.window_funnel_combine(internal, internal)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_combine';
COMMENT ON FUNCTION recommender.window_funnel_combine(internal, internal) IS
'puts two states of window_funnel together';

CREATE FUNCTION recommender.window_funnel_serialize(internal)
RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_serialize';
COMMENT ON FUNCTION recommender.window_funnel_serialize(internal) IS
'writes a state of window_funnel as bytes, for parallel workers';

CREATE FUNCTION recommender.window_funnel_deserialize(bytea, internal)
RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_deserialize';
COMMENT ON FUNCTION recommender.window_funnel_deserialize(bytea, internal) IS
'reads a state of window_funnel from bytes, for parallel workers';

CREATE FUNCTION recommender.window_funnel_final(internal)
RETURNS int
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_final';
COMMENT ON FUNCTION recommender.window_funnel_final(internal) IS
'final function of window_funnel';

CREATE FUNCTION recommender.window_funnel_times_final(internal)
RETURNS timestamptz[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_window_funnel_times_final';
COMMENT ON FUNCTION recommender.window_funnel_times_final(internal) IS
'final function of window_funnel_times';

CREATE AGGREGATE recommender.window_funnel(at timestamptz, within interval, steps boolean[]) (
	SFUNC = recommender.window_funnel_transition,
	STYPE = internal,
	SSPACE = 144,
	FINALFUNC = recommender.window_funnel_final,
	COMBINEFUNC = recommender.window_funnel_combine,
	SERIALFUNC = recommender.window_funnel_serialize,
	DESERIALFUNC = recommender.window_funnel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.window_funnel(timestamptz, interval, boolean[]) IS
'how many of the steps the rows go through in order of time, the last one at most "within" after the first; no row counts for two steps; a null "within" is no limit';

CREATE AGGREGATE recommender.window_funnel(at timestamptz, within interval, steps boolean[], mode text) (
	SFUNC = recommender.window_funnel_transition,
	STYPE = internal,
	SSPACE = 144,
	FINALFUNC = recommender.window_funnel_final,
	COMBINEFUNC = recommender.window_funnel_combine,
	SERIALFUNC = recommender.window_funnel_serialize,
	DESERIALFUNC = recommender.window_funnel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.window_funnel(timestamptz, interval, boolean[], text) IS
'window_funnel in mode "ordered", "strict" (nothing between two steps but repeats of the first of them) or "increasing" (each step later than the one before)';

CREATE AGGREGATE recommender.window_funnel_times(at timestamptz, within interval, steps boolean[]) (
	SFUNC = recommender.window_funnel_transition,
	STYPE = internal,
	SSPACE = 144,
	FINALFUNC = recommender.window_funnel_times_final,
	COMBINEFUNC = recommender.window_funnel_combine,
	SERIALFUNC = recommender.window_funnel_serialize,
	DESERIALFUNC = recommender.window_funnel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.window_funnel_times(timestamptz, interval, boolean[]) IS
'the times of the steps that window_funnel counts: of all longest chains, the one that ends first, starts last and takes each inner step as early as possible';

CREATE AGGREGATE recommender.window_funnel_times(at timestamptz, within interval, steps boolean[], mode text) (
	SFUNC = recommender.window_funnel_transition,
	STYPE = internal,
	SSPACE = 144,
	FINALFUNC = recommender.window_funnel_times_final,
	COMBINEFUNC = recommender.window_funnel_combine,
	SERIALFUNC = recommender.window_funnel_serialize,
	DESERIALFUNC = recommender.window_funnel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.window_funnel_times(timestamptz, interval, boolean[], text) IS
'the times of the steps that window_funnel counts in that mode';
