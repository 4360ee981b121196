-- Level 2: building a recommender's model

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
'what a refresh read, built and wrote, how long each took, the memory of the build and the size of the model''s tables';

CREATE FUNCTION recommender.refresh(recommender text, mode text DEFAULT 'auto', verbose boolean DEFAULT false)
RETURNS recommender.refresh_result
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
COST 1000000
AS 'MODULE_PATHNAME', 'rec_refresh';
COMMENT ON FUNCTION recommender.refresh IS
'builds a recommender''s model anew from all interactions; the old one serves until this commits';
