-- Evaluation and tuning on held-out interactions

CREATE TYPE recommender.evaluation AS (
	strategy text,
	segment text,
	metric text,
	k integer,
	value float8,
	ci_low float8,
	ci_high float8,
	users bigint
);
COMMENT ON TYPE recommender.evaluation IS
'the mean of a metric over users, with its 95 per cent interval, for a strategy and a segment of users or items';

CREATE FUNCTION recommender.evaluate(
	recommender text,
	split text DEFAULT 'time',
	test_share float8 DEFAULT 0.2,
	last integer DEFAULT 1,
	cuts integer DEFAULT 1,
	k integer[] DEFAULT '{10}',
	metrics text[] DEFAULT '{ndcg,recall,precision,hit_rate,average_precision,reciprocal_rank,coverage,gini}',
	options jsonb DEFAULT '{}',
	segments text DEFAULT NULL,
	sample integer DEFAULT NULL,
	resamples integer DEFAULT 200,
	seed bigint DEFAULT 0,
	store boolean DEFAULT true,
	context boolean DEFAULT false,
	segment_columns name[] DEFAULT '{}',	-- of the interactions or of the items
	filter jsonb DEFAULT NULL)				-- on the items that may be recommended and count as relevant
RETURNS SETOF recommender.evaluation
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
COST 1000000 ROWS 100
AS 'MODULE_PATHNAME', 'rec_evaluate_recommender';
COMMENT ON FUNCTION recommender.evaluate IS
'train a model on a part of a recommender''s interactions and evaluate it on the rest, next to behaviour alone, popularity alone and content alone; split is time, leave_last, users or random';

CREATE FUNCTION recommender.evaluate_query(
	train text,
	test text,
	k integer[] DEFAULT '{10}',
	metrics text[] DEFAULT '{ndcg,recall,precision,hit_rate,average_precision,reciprocal_rank,coverage,gini}',
	options jsonb DEFAULT '{}',
	resamples integer DEFAULT 200,
	seed bigint DEFAULT 0)
RETURNS SETOF recommender.evaluation
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
COST 1000000 ROWS 100
AS 'MODULE_PATHNAME', 'rec_evaluate_query';
COMMENT ON FUNCTION recommender.evaluate_query IS
'train on the rows of a query that returns user, item[, weight[, time]] and evaluate on the rows of another, for published splits';

CREATE TYPE recommender.comparison AS (
	metric text,
	k integer,
	value_a float8,
	value_b float8,
	difference float8,
	ci_low float8,
	ci_high float8,
	p_value float8,
	users bigint
);
COMMENT ON TYPE recommender.comparison IS
'a metric under two sets of options on the same users, the mean difference with its 95 per cent interval, and the p-value of the hypothesis of no difference';

CREATE FUNCTION recommender.compare_options(
	recommender text,
	options_a jsonb,
	options_b jsonb,
	split text DEFAULT 'time',
	test_share float8 DEFAULT 0.2,
	last integer DEFAULT 1,
	metric text DEFAULT 'ndcg',
	k integer DEFAULT 10,
	sample integer DEFAULT NULL,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	context boolean DEFAULT false,
	filter jsonb DEFAULT NULL)
RETURNS recommender.comparison
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
COST 1000000
AS 'MODULE_PATHNAME', 'rec_compare_options';
COMMENT ON FUNCTION recommender.compare_options IS
'evaluate two sets of options of a recommender on the same users and test whether they differ';

CREATE TYPE recommender.trial AS (
	trial integer,
	stage text,
	options jsonb,
	metric text,
	k integer,
	value float8,
	users bigint,
	train_ms float8,
	ci_low float8,
	ci_high float8,
	p_value float8,
	applied boolean
);
COMMENT ON TYPE recommender.trial IS
'a trial of tune(): the options and their value; in the last row, ci_low, ci_high and p_value are of the improvement over the options in force';

CREATE FUNCTION recommender.tune(
	recommender text,
	trials integer DEFAULT 30,
	budget interval DEFAULT NULL,
	metric text DEFAULT 'ndcg',
	k integer DEFAULT 10,
	split text DEFAULT 'time',
	test_share float8 DEFAULT 0.2,
	last integer DEFAULT 1,
	sample integer DEFAULT 1000,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	apply boolean DEFAULT false,
	context boolean DEFAULT false,
	models text[] DEFAULT '{neighbors,als,ridge}',
	refinements integer DEFAULT 20)
RETURNS SETOF recommender.trial
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
COST 10000000 ROWS 50
AS 'MODULE_PATHNAME', 'rec_tune';
COMMENT ON FUNCTION recommender.tune IS
'search for the options and event weights with the best value on a validation set; return the trials, and evaluate the best one on interactions that the search has not used; with apply, set its options if they are an improvement with a p-value of at most 0.01';

CREATE FUNCTION recommender_internal.evaluation_list(
	OUT recommender text,
	OUT run bigint,
	OUT evaluated_at timestamptz,
	OUT settings jsonb,
	OUT options jsonb,
	OUT strategy text,
	OUT segment text,
	OUT metric text,
	OUT k integer,
	OUT value float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT users bigint)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL UNSAFE	-- reads the recommenders' tables
COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'rec_evaluation_list';
COMMENT ON FUNCTION recommender_internal.evaluation_list IS
'internal: the rows of view recommender.evaluations';

CREATE VIEW recommender.evaluations AS
SELECT e.*
FROM recommender_internal.evaluation_list() e;
COMMENT ON VIEW recommender.evaluations IS
'stored results of evaluate() of the recommenders that the current role can read';
GRANT SELECT ON recommender.evaluations TO PUBLIC;
