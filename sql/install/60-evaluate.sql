-- Measured quality on held-out interactions

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
'the mean of a metric over users, with a 95 per cent interval, for a strategy and a segment of users or items';

CREATE FUNCTION recommender.evaluate(
	recommender text,
	split text DEFAULT 'time',
	test_share float8 DEFAULT 0.2,
	last integer DEFAULT 1,
	cuts integer DEFAULT 1,
	k integer[] DEFAULT '{10}',
	metrics text[] DEFAULT '{ndcg,recall,precision,hit_rate,average_precision,reciprocal_rank}',
	options jsonb DEFAULT '{}',
	segments text DEFAULT NULL,
	sample integer DEFAULT NULL,
	resamples integer DEFAULT 200,
	seed bigint DEFAULT 0,
	store boolean DEFAULT true)
RETURNS SETOF recommender.evaluation
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
COST 1000000 ROWS 100
AS 'MODULE_PATHNAME', 'rec_evaluate_recommender';
COMMENT ON FUNCTION recommender.evaluate IS
'trains a model on a part of a recommender''s interactions and measures it on the rest, beside behaviour alone and popularity alone; split is time, leave_last, users or random';

CREATE FUNCTION recommender.evaluate_query(
	train text,
	test text,
	k integer[] DEFAULT '{10}',
	metrics text[] DEFAULT '{ndcg,recall,precision,hit_rate,average_precision,reciprocal_rank}',
	options jsonb DEFAULT '{}',
	resamples integer DEFAULT 200,
	seed bigint DEFAULT 0)
RETURNS SETOF recommender.evaluation
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
COST 1000000 ROWS 100
AS 'MODULE_PATHNAME', 'rec_evaluate_query';
COMMENT ON FUNCTION recommender.evaluate_query IS
'trains on the rows of one query of user, item[, weight[, time]] and measures on those of another, as published splits want';

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
'a metric under two settings on the same users, the mean difference with its 95 per cent interval, and how likely chance alone makes one as large';

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
	seed bigint DEFAULT 0)
RETURNS recommender.comparison
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
COST 1000000
AS 'MODULE_PATHNAME', 'rec_compare_options';
COMMENT ON FUNCTION recommender.compare_options IS
'measures two settings of a recommender''s options on the same users and tests whether the second is better than the first';
