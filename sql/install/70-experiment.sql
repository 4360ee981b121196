-- Experiments: statistics of groups, assignment, bandits, off-policy evaluation

-- Comparisons of two groups.  Effects are those of group b less group a, or
-- with relative that divided by the absolute value of a.  Methods:
--   welch       Student's t with Welch's degrees of freedom, at one look
--   z           the normal distribution, at one look
--   sequential  a confidence sequence: valid at all looks together; horizon is
--               the number of units planned in both groups, fixed at the start
CREATE TYPE recommender.test_result AS (
	effect float8,
	standard_error float8,
	ci_low float8,				-- -Infinity for the alternative less
	ci_high float8,				-- Infinity for the alternative greater
	statistic float8,
	degrees_of_freedom float8,	-- of the method welch
	p_value float8
);
COMMENT ON TYPE recommender.test_result IS
'the difference of two groups, its standard error, its interval at level 1 - alpha, and the p-value of there being none';

CREATE FUNCTION recommender.compare_means(
	n_a bigint, mean_a float8, variance_a float8,
	n_b bigint, mean_b float8, variance_b float8,
	relative boolean DEFAULT false,
	method text DEFAULT 'welch',
	alternative text DEFAULT 'two_sided',	-- or greater, less
	alpha float8 DEFAULT 0.05,
	horizon bigint DEFAULT NULL)
RETURNS recommender.test_result
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_compare_means';
COMMENT ON FUNCTION recommender.compare_means IS
'compares the means of two groups, from count(), avg() and var_samp() of each (Welch 1947; relative: delta method; sequential: Waudby-Smith et al. 2023)';

CREATE FUNCTION recommender.compare_proportions(
	successes_a bigint, n_a bigint,
	successes_b bigint, n_b bigint,
	relative boolean DEFAULT false,
	method text DEFAULT 'z',
	alternative text DEFAULT 'two_sided',
	alpha float8 DEFAULT 0.05,
	horizon bigint DEFAULT NULL)
RETURNS recommender.test_result
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_compare_proportions';
COMMENT ON FUNCTION recommender.compare_proportions IS
'compares the shares of two groups; the p-value of the method z is that of pooled shares, its interval that of each group''s own';

CREATE FUNCTION recommender.compare_ratios(
	n_a bigint, means_a float8[], covariances_a float8[],
	n_b bigint, means_b float8[], covariances_b float8[],
	relative boolean DEFAULT false,
	method text DEFAULT 'welch',
	alternative text DEFAULT 'two_sided',
	alpha float8 DEFAULT 0.05,
	horizon bigint DEFAULT NULL)
RETURNS recommender.test_result
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_compare_ratios';
COMMENT ON FUNCTION recommender.compare_ratios IS
'compares the ratios of sums of two groups, such as revenue per order, by the means and the matrix of covariances of numerator and denominator per unit; with four measures, of which the last two are numerator and denominator before the experiment, adjusted by these as CUPED (Deng, Knoblich, Lu 2018)';

-- What compare_ratios needs of a group, in one pass
CREATE TYPE recommender.moments_result AS (
	n bigint,
	means float8[],
	covariances float8[]		-- a matrix
);
COMMENT ON TYPE recommender.moments_result IS
'number of rows, means and the matrix of sample covariances of several measures';

CREATE FUNCTION recommender_internal.moments_transition(internal, float8[])
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_moments_transition';
COMMENT ON FUNCTION recommender_internal.moments_transition(internal, float8[]) IS
'internal: transition function of moments';

CREATE FUNCTION recommender_internal.moments_combine(internal, internal)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_moments_combine';
COMMENT ON FUNCTION recommender_internal.moments_combine(internal, internal) IS
'internal: combine function of moments';

CREATE FUNCTION recommender_internal.moments_serialize(internal)
RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_moments_serialize';
COMMENT ON FUNCTION recommender_internal.moments_serialize(internal) IS
'internal: serialization function of moments, for parallel workers';

CREATE FUNCTION recommender_internal.moments_deserialize(bytea, internal)
RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_moments_deserialize';
COMMENT ON FUNCTION recommender_internal.moments_deserialize(bytea, internal) IS
'internal: deserialization function of moments, for parallel workers';

CREATE FUNCTION recommender_internal.moments_final(internal)
RETURNS recommender.moments_result
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_moments_final';
COMMENT ON FUNCTION recommender_internal.moments_final(internal) IS
'internal: final function of moments';

CREATE AGGREGATE recommender.moments(measures float8[]) (
	SFUNC = recommender_internal.moments_transition,
	STYPE = internal,
	SSPACE = 2304,
	FINALFUNC = recommender_internal.moments_final,
	COMBINEFUNC = recommender_internal.moments_combine,
	SERIALFUNC = recommender_internal.moments_serialize,
	DESERIALFUNC = recommender_internal.moments_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.moments(float8[]) IS
'number of rows, means and covariances of up to 16 measures, from one array of measures a row; rows with a null are ignored';

CREATE TYPE recommender.cuped_result AS (
	theta float8,
	mean_a float8,
	variance_a float8,
	mean_b float8,
	variance_b float8
);
COMMENT ON TYPE recommender.cuped_result IS
'means and variances of two groups, adjusted by cuped(), for compare_means()';

CREATE FUNCTION recommender.cuped(
	n_a bigint, mean_a float8, mean_before_a float8, variance_a float8, variance_before_a float8, covariance_a float8,
	n_b bigint, mean_b float8, mean_before_b float8, variance_b float8, variance_before_b float8, covariance_b float8)
RETURNS recommender.cuped_result
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_cuped';
COMMENT ON FUNCTION recommender.cuped IS
'adjust means and variances by a covariate from before the experiment: y - theta (x - mean of x in both groups), theta = cov(x, y) / var(x) in both groups (Deng, Xu, Kohavi, Walker 2013)';

-- Designs.  Without a variance, the mean is a share.  looks are at equal
-- distances, the last at the end; the first that finds something ends it.
CREATE FUNCTION recommender.sample_size(
	baseline float8,
	effect float8,
	power float8 DEFAULT 0.8,
	variance float8 DEFAULT NULL,
	relative boolean DEFAULT true,
	ratio float8 DEFAULT 1,				-- units of group b for one of group a
	method text DEFAULT 'welch',
	alternative text DEFAULT 'two_sided',
	alpha float8 DEFAULT 0.05,
	horizon bigint DEFAULT NULL,
	looks int DEFAULT 1)
RETURNS bigint
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 10000
AS 'MODULE_PATHNAME', 'rec_sample_size';
COMMENT ON FUNCTION recommender.sample_size IS
'the number of units of group a for which a comparison detects an effect with the given power; NULL if no number is enough';

CREATE FUNCTION recommender.power_of(
	baseline float8,
	effect float8,
	n float8,							-- units of group a
	variance float8 DEFAULT NULL,
	relative boolean DEFAULT true,
	ratio float8 DEFAULT 1,
	method text DEFAULT 'welch',
	alternative text DEFAULT 'two_sided',
	alpha float8 DEFAULT 0.05,
	horizon bigint DEFAULT NULL,
	looks int DEFAULT 1)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 10000
AS 'MODULE_PATHNAME', 'rec_power_of';
COMMENT ON FUNCTION recommender.power_of IS
'the power of a comparison: the probability that it detects an effect at one of its looks; with an effect of 0, the probability of a false positive';

CREATE FUNCTION recommender.detectable_effect(
	baseline float8,
	n float8,
	power float8 DEFAULT 0.8,
	variance float8 DEFAULT NULL,
	relative boolean DEFAULT true,
	ratio float8 DEFAULT 1,
	method text DEFAULT 'welch',
	alternative text DEFAULT 'two_sided',
	alpha float8 DEFAULT 0.05,
	horizon bigint DEFAULT NULL,
	looks int DEFAULT 1)
RETURNS float8
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100000
AS 'MODULE_PATHNAME', 'rec_detectable_effect';
COMMENT ON FUNCTION recommender.detectable_effect IS
'the smallest effect that a comparison detects with the given power; NULL if there is none';

-- Any number of groups
CREATE TYPE recommender.sample_ratio_result AS (
	statistic float8,
	degrees_of_freedom int,
	p_value float8
);
COMMENT ON TYPE recommender.sample_ratio_result IS
'the chi-square statistic of numbers of units, and the p-value of their shares being those expected';

CREATE FUNCTION recommender.sample_ratio(observed bigint[], expected float8[], sequential boolean DEFAULT false)
RETURNS recommender.sample_ratio_result
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_sample_ratio';
COMMENT ON FUNCTION recommender.sample_ratio IS
'test whether the numbers of units in the groups of an experiment have the expected proportions: by chi-square, or sequentially with a p-value valid at any time (Lindon and Malek 2022); a p-value below 0.001 means that the assignment is faulty';

CREATE FUNCTION recommender.adjust_p_values(p float8[], method text DEFAULT 'holm')
RETURNS float8[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_adjust_p_values';
COMMENT ON FUNCTION recommender.adjust_p_values IS
'correct p-values for multiple testing, in the order given, by the method holm, benjamini_hochberg, bonferroni or none; NULL stays NULL and is ignored';

CREATE FUNCTION recommender.probability_best(a float8[], b float8[], distribution text DEFAULT 'beta')
RETURNS float8[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 10000
AS 'MODULE_PATHNAME', 'rec_probability_best';
COMMENT ON FUNCTION recommender.probability_best IS
'the probability that each of several unknown means is the largest: beta distributions with parameters a and b, or normal ones with means a and standard deviations b; by integration, to 1e-10';

CREATE FUNCTION recommender.expected_loss(a float8[], b float8[], distribution text DEFAULT 'beta')
RETURNS float8[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 10000
AS 'MODULE_PATHNAME', 'rec_expected_loss';
COMMENT ON FUNCTION recommender.expected_loss IS
'the expected loss of choosing each of several unknown means instead of the largest one: beta distributions with parameters a and b, or normal ones with means a and standard deviations b';

-- Assignment and draws: hashes of (salt, id), equal everywhere and always.  An
-- id is of any type whose text does not depend on settings.
CREATE FUNCTION recommender.bucket(salt text, id anyelement)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_bucket';
COMMENT ON FUNCTION recommender.bucket(text, anyelement) IS
'a number in [0, 1) for an id: the first 52 bits of the SHA-256 of salt || ''/'' || id in UTF-8';

CREATE FUNCTION recommender.variant(
	salt text,
	id anyelement,
	variants text[],
	weights float8[] DEFAULT NULL,		-- NULL for equal ones
	traffic float8 DEFAULT 1,			-- share of the ids that get a variant
	layer text DEFAULT NULL,			-- salt that experiments which exclude one another share
	layer_from float8 DEFAULT 0,
	layer_to float8 DEFAULT 1)
RETURNS text
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_variant';
COMMENT ON FUNCTION recommender.variant IS
'the variant of an experiment that an id is assigned to, NULL for none; more traffic assigns more ids and moves none';

CREATE FUNCTION recommender.draw(probabilities float8[], salt text, id anyelement, counter text DEFAULT '')
RETURNS int
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_draw';
COMMENT ON FUNCTION recommender.draw(float8[], text, anyelement, text) IS
'draws one of several numbers, from 1, with their probabilities: by the SHA-256 of salt || ''/'' || id || ''/'' || counter';

-- Bandits: with which probability each arm is chosen, by what the arms have
-- earned.  What a draw then chooses has that very propensity.
CREATE TYPE recommender.bandit_arm AS (
	arm int,
	mean float8,				-- NULL without rewards
	index float8,				-- what the policy compares; Infinity if untried
	probability float8
);
COMMENT ON TYPE recommender.bandit_arm IS
'an arm of a bandit: its mean reward, what the policy compares, and the probability of being chosen';

CREATE FUNCTION recommender.bandit_arms(
	n float8[],
	total float8[],
	total_squares float8[] DEFAULT NULL,	-- NULL: rewards are 0 or 1
	policy text DEFAULT 'thompson',			-- or epsilon_greedy, ucb1, softmax
	options jsonb DEFAULT '{}')				-- alpha, epsilon, floor, prior_alpha, prior_beta, prior_mean, prior_variance, temperature, warmup
RETURNS SETOF recommender.bandit_arm
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_bandit_arms';
COMMENT ON FUNCTION recommender.bandit_arms IS
'the arms of a bandit, in order: with which probability a policy chooses each, from the number of its rewards, their sum and sum of squares; exact also for Thompson sampling';

CREATE FUNCTION recommender.linear_bandit_arms(
	states float8[],						-- of each arm: linear_state(), as rows of a matrix
	context float8[],
	policy text DEFAULT 'lints',			-- or linucb
	options jsonb DEFAULT '{}')				-- alpha, floor, ridge, warmup
RETURNS SETOF recommender.bandit_arm
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_linear_bandit_arms';
COMMENT ON FUNCTION recommender.linear_bandit_arms IS
'the arms of a bandit whose rewards are linear in a context: with which probability a policy chooses each (Li et al. 2010; Agrawal and Goyal 2013)';

CREATE FUNCTION recommender_internal.linear_state_transition(float8[], float8, float8[])
RETURNS float8[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_linear_state_transition';
COMMENT ON FUNCTION recommender_internal.linear_state_transition(float8[], float8, float8[]) IS
'internal: transition function of linear_state';

CREATE FUNCTION recommender_internal.linear_state_combine(float8[], float8[])
RETURNS float8[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_linear_state_combine';
COMMENT ON FUNCTION recommender_internal.linear_state_combine(float8[], float8[]) IS
'internal: combine function of linear_state';

CREATE AGGREGATE recommender.linear_state(reward float8, context float8[]) (
	SFUNC = recommender_internal.linear_state_transition,
	STYPE = float8[],
	COMBINEFUNC = recommender_internal.linear_state_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.linear_state(float8, float8[]) IS
'what a linear arm has earned in contexts of up to 64 features: number of rewards and of features, the sum of reward * x and the lower triangle of the sum of x x''';

-- What another policy would have earned
CREATE TYPE recommender.off_policy_estimate AS (
	estimator text,
	value float8,
	standard_error float8,
	ci_low float8,
	ci_high float8,
	n bigint,
	effective_n float8,			-- rows of equal weight that the weights are worth
	mean_weight float8,			-- about 1 when propensities are right
	max_weight float8,
	warnings text[]				-- low_effective_n, mean_weight_off, deterministic_log
);
COMMENT ON TYPE recommender.off_policy_estimate IS
'the value of a policy per choice by one estimator, with its interval and diagnostics';

CREATE FUNCTION recommender_internal.off_policy_transition(internal, float8, float8, float8)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_off_policy_transition';
COMMENT ON FUNCTION recommender_internal.off_policy_transition(internal, float8, float8, float8) IS
'internal: transition function of off_policy';

CREATE FUNCTION recommender_internal.off_policy_transition(internal, float8, float8, float8, float8, float8)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_off_policy_transition';
COMMENT ON FUNCTION recommender_internal.off_policy_transition(internal, float8, float8, float8, float8, float8) IS
'internal: transition function of off_policy with a model of rewards';

CREATE FUNCTION recommender_internal.off_policy_transition(internal, float8, float8, float8, float8, float8, jsonb)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_off_policy_transition';
COMMENT ON FUNCTION recommender_internal.off_policy_transition(internal, float8, float8, float8, float8, float8, jsonb) IS
'internal: transition function of off_policy with options';

CREATE FUNCTION recommender_internal.off_policy_combine(internal, internal)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_off_policy_combine';
COMMENT ON FUNCTION recommender_internal.off_policy_combine(internal, internal) IS
'internal: combine function of off_policy';

CREATE FUNCTION recommender_internal.off_policy_serialize(internal)
RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_off_policy_serialize';
COMMENT ON FUNCTION recommender_internal.off_policy_serialize(internal) IS
'internal: serialization function of off_policy, for parallel workers';

CREATE FUNCTION recommender_internal.off_policy_deserialize(bytea, internal)
RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_off_policy_deserialize';
COMMENT ON FUNCTION recommender_internal.off_policy_deserialize(bytea, internal) IS
'internal: deserialization function of off_policy, for parallel workers';

CREATE FUNCTION recommender_internal.off_policy_final(internal)
RETURNS recommender.off_policy_estimate[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_off_policy_final';
COMMENT ON FUNCTION recommender_internal.off_policy_final(internal) IS
'internal: final function of off_policy';

CREATE AGGREGATE recommender.off_policy(reward float8, propensity float8, target_probability float8) (
	SFUNC = recommender_internal.off_policy_transition,
	STYPE = internal,
	SSPACE = 2560,
	FINALFUNC = recommender_internal.off_policy_final,
	COMBINEFUNC = recommender_internal.off_policy_combine,
	SERIALFUNC = recommender_internal.off_policy_serialize,
	DESERIALFUNC = recommender_internal.off_policy_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.off_policy(float8, float8, float8) IS
'what a policy would have earned per choice, from the rows of another one''s log: the reward, the probability with which the choice was made, and that with which this policy would have made it: the estimators ips and snips';

CREATE AGGREGATE recommender.off_policy(reward float8, propensity float8, target_probability float8, q_logged float8, q_target float8) (
	SFUNC = recommender_internal.off_policy_transition,
	STYPE = internal,
	SSPACE = 2560,
	FINALFUNC = recommender_internal.off_policy_final,
	COMBINEFUNC = recommender_internal.off_policy_combine,
	SERIALFUNC = recommender_internal.off_policy_serialize,
	DESERIALFUNC = recommender_internal.off_policy_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.off_policy(float8, float8, float8, float8, float8) IS
'and with a model of rewards, of the logged choice and the mean of what the policy would choose: the estimators dm, dr and sndr besides';

CREATE AGGREGATE recommender.off_policy(reward float8, propensity float8, target_probability float8, q_logged float8, q_target float8, options jsonb) (
	SFUNC = recommender_internal.off_policy_transition,
	STYPE = internal,
	SSPACE = 2560,
	FINALFUNC = recommender_internal.off_policy_final,
	COMBINEFUNC = recommender_internal.off_policy_combine,
	SERIALFUNC = recommender_internal.off_policy_serialize,
	DESERIALFUNC = recommender_internal.off_policy_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.off_policy(float8, float8, float8, float8, float8, jsonb) IS
'and with options: clip for the estimators clipped_ips and switch_dr, lambda for shrunk_dr, sub_gaussian for sub_gaussian_ips, alpha of the intervals';

-- The loop: what was shown, and how it changes
CREATE FUNCTION recommender.rank_overlap(a anycompatiblearray, b anycompatiblearray, p float8 DEFAULT 0.9)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_rank_overlap';
COMMENT ON FUNCTION recommender.rank_overlap(anycompatiblearray, anycompatiblearray, float8) IS
'how much two ranked lists have in common, the head counting most: rank-biased overlap, 0 to 1 (Webber, Moffat, Zobel 2010)';

CREATE FUNCTION recommender.jaccard(a anycompatiblearray, b anycompatiblearray)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_jaccard';
COMMENT ON FUNCTION recommender.jaccard(anycompatiblearray, anycompatiblearray) IS
'how much two sets have in common: items of both / items of either, 0 to 1 (Jaccard 1901)';

CREATE FUNCTION recommender.divergence(
	p float8[],
	q float8[],
	method text DEFAULT 'jensen_shannon',	-- or kullback_leibler
	smoothing float8 DEFAULT 0)				-- share of p that is mixed into q
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_divergence';
COMMENT ON FUNCTION recommender.divergence IS
'how far the distribution of amounts q is from that of p, in bits (Lin 1991; Kullback and Leibler 1951; smoothing: Steck 2018)';

CREATE FUNCTION recommender_internal.entropy_transition(float8[], float8)
RETURNS float8[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_entropy_transition';
COMMENT ON FUNCTION recommender_internal.entropy_transition(float8[], float8) IS
'internal: transition function of entropy';

CREATE FUNCTION recommender_internal.entropy_combine(float8[], float8[])
RETURNS float8[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_entropy_combine';
COMMENT ON FUNCTION recommender_internal.entropy_combine(float8[], float8[]) IS
'internal: combine function of entropy';

CREATE FUNCTION recommender_internal.entropy_final(float8[])
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'rec_entropy_final';
COMMENT ON FUNCTION recommender_internal.entropy_final(float8[]) IS
'internal: final function of entropy';

CREATE AGGREGATE recommender.entropy(exposure float8) (
	SFUNC = recommender_internal.entropy_transition,
	STYPE = float8[],
	INITCOND = '{0,0}',
	FINALFUNC = recommender_internal.entropy_final,
	COMBINEFUNC = recommender_internal.entropy_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recommender.entropy(float8) IS
'the entropy of exposure in bits, from one row per item: how often it was shown, 0 or NULL for never; 2 to its power is the number of items shown alike that is worth as much (Shannon 1948)';

-- Results of an experiment by queries, which run read-only with the caller's
-- rights.  exposures returns unit, variant text, time timestamptz[, segment
-- text]; outcomes returns unit, time timestamptz, value float8[, metric text].
CREATE TYPE recommender.experiment_result AS (
	metric text,
	segment text,				-- NULL for all units
	variant text,
	baseline text,
	units bigint,				-- of the variant
	value float8,
	baseline_value float8,
	effect float8,
	standard_error float8,
	ci_low float8,
	ci_high float8,
	p_value float8,
	p_adjusted float8,
	chance_to_win float8,
	expected_loss float8,
	method text,
	warnings text[]				-- sample_ratio_mismatch, multiple_variants, immature, no_effect, no_variance
);
COMMENT ON TYPE recommender.experiment_result IS
'a variant of an experiment compared with its baseline, by one metric and over one segment of its units';

CREATE FUNCTION recommender.experiment_results(
	exposures text,
	outcomes text,
	"window" interval DEFAULT '7 days',		-- of outcomes after the first exposure
	horizon bigint DEFAULT NULL,			-- of the method sequential
	method text DEFAULT 'sequential',
	kind text DEFAULT 'mean',				-- of each unit's sum of values, or share of units with any
	baseline text DEFAULT NULL,				-- NULL: the first by name
	before interval DEFAULT NULL,			-- also adjusted by outcomes before the first exposure
	relative boolean DEFAULT true,
	alpha float8 DEFAULT 0.05,
	correction text DEFAULT 'holm',
	weights float8[] DEFAULT NULL,			-- expected shares of units, by name of variant; NULL: equal
	until timestamptz DEFAULT pg_catalog.now())	-- units whose window ends later do not count; NULL: all do
RETURNS SETOF recommender.experiment_result
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
COST 1000000 ROWS 100
AS 'MODULE_PATHNAME', 'rec_experiment_results';
COMMENT ON FUNCTION recommender.experiment_results IS
'the results of an experiment, from queries of who was shown what and of what they did: effects with intervals and corrected p-values of each variant, metric and segment, with warnings';

-- Interleaving: which of two rankings people prefer, by showing them both in one list
CREATE FUNCTION recommender.interleave(
	a anycompatiblearray,
	b anycompatiblearray,
	salt text,
	id anyelement,
	counter text DEFAULT '',
	k int DEFAULT 10,
	OUT rank int,
	OUT item_id anycompatible,
	OUT team text)
RETURNS SETOF record
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 100 ROWS 10
AS 'MODULE_PATHNAME', 'rec_interleave';
COMMENT ON FUNCTION recommender.interleave IS
'one list of two rankings, with the team, a or b, that picked each item: team draft (Radlinski, Kurup, Joachims 2008); coins are hashes of salt, id and counter';

CREATE FUNCTION recommender.sign_test(wins bigint, losses bigint)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
COST 100
AS 'MODULE_PATHNAME', 'rec_sign_test';
COMMENT ON FUNCTION recommender.sign_test(bigint, bigint) IS
'the exact two-sided p-value of wins and losses that are equally likely; ties are left out';

-- Position bias
CREATE TYPE recommender.position_examination AS (
	rank int,
	examination float8,			-- relative to rank 1; NULL without enough clicks or items at other ranks
	ci_low float8,				-- of level 95 per cent
	ci_high float8,
	shown bigint,
	clicked bigint,
	pairs int					-- items that were at this rank and another one
);
COMMENT ON TYPE recommender.position_examination IS
'how likely a place in a list is looked at, relative to the first place';

CREATE FUNCTION recommender_internal.position_bias_transition(internal, text, int, bigint, bigint)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'rec_position_bias_transition';
COMMENT ON FUNCTION recommender_internal.position_bias_transition(internal, text, int, bigint, bigint) IS
'internal: transition function of position_bias';

CREATE FUNCTION recommender_internal.position_bias_final(internal)
RETURNS recommender.position_examination[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'rec_position_bias_final';
COMMENT ON FUNCTION recommender_internal.position_bias_final(internal) IS
'internal: final function of position_bias';

CREATE AGGREGATE recommender.position_bias(item_id text, rank int, shown bigint, clicked bigint) (
	SFUNC = recommender_internal.position_bias_transition,
	STYPE = internal,
	SSPACE = 16384,
	FINALFUNC = recommender_internal.position_bias_final,
	PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE recommender.position_bias(text, int, bigint, bigint) IS
'how likely each rank is looked at, from the click rates of items that were shown at several ranks (Agarwal et al. 2019)';

-- Fairness: how groups of people or items fare
CREATE TYPE recommender.group_disparity AS (
	group_value text,			-- NULL of the rows about all groups, and of the group of NULL
	measure text,				-- mean of a group; difference, ratio and spread of all
	value float8,
	ci_low float8,				-- of level 95 per cent
	ci_high float8,
	n bigint,
	p_value float8				-- of a disparity at least as large if the groups were alike
);
COMMENT ON TYPE recommender.group_disparity IS
'the mean of a group with its interval, or a measure of how much the means of all groups differ with its p-value';

CREATE FUNCTION recommender_internal.disparity_transition(internal, text, float8)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'rec_disparity_transition';
COMMENT ON FUNCTION recommender_internal.disparity_transition(internal, text, float8) IS
'internal: transition function of disparity';

CREATE FUNCTION recommender_internal.disparity_transition(internal, text, float8, int, bigint)
RETURNS internal
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'rec_disparity_transition';
COMMENT ON FUNCTION recommender_internal.disparity_transition(internal, text, float8, int, bigint) IS
'internal: transition function of disparity with resamples';

CREATE FUNCTION recommender_internal.disparity_final(internal)
RETURNS recommender.group_disparity[]
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'rec_disparity_final';
COMMENT ON FUNCTION recommender_internal.disparity_final(internal) IS
'internal: final function of disparity';

CREATE AGGREGATE recommender.disparity(group_value text, value float8) (
	SFUNC = recommender_internal.disparity_transition,
	STYPE = internal,
	SSPACE = 16384,
	FINALFUNC = recommender_internal.disparity_final,
	PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE recommender.disparity(text, float8) IS
'the mean of each group with its interval, and how much they differ: largest less smallest (difference), smallest by largest (ratio), standard deviation by mean (spread), with p-values by 1,000 permutations';

CREATE AGGREGATE recommender.disparity(group_value text, value float8, resamples int, seed bigint) (
	SFUNC = recommender_internal.disparity_transition,
	STYPE = internal,
	SSPACE = 16384,
	FINALFUNC = recommender_internal.disparity_final,
	PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE recommender.disparity(text, float8, int, bigint) IS
'and with a number of permutations and their seed';
