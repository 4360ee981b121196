-- Building the model of a recommender

CREATE TYPE recommender.refresh_result AS (
	recommender text,
	generation bigint,
	mode text,
	interactions bigint,
	users bigint,
	items bigint,
	neighbors bigint,
	null_keys bigint,
	without_weight bigint,
	read_ms float8,
	build_ms float8,
	write_ms float8,
	memory_bytes bigint,
	model_bytes bigint
);
COMMENT ON TYPE recommender.refresh_result IS
'the result of a refresh: numbers of rows, milliseconds of reading, building and writing, memory of the build and size of the model''s tables';

CREATE FUNCTION recommender.refresh(recommender text, mode text DEFAULT 'auto', verbose boolean DEFAULT false)
RETURNS recommender.refresh_result
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
COST 1000000
AS 'MODULE_PATHNAME', 'rec_refresh';
COMMENT ON FUNCTION recommender.refresh IS
'build the model of a recommender from all its interactions; the previous model serves until this transaction commits';
