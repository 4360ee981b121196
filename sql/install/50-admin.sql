-- Creating, altering, checking and dropping recommenders

CREATE FUNCTION recommender.create_recommender(
	recommender text,
	interactions regclass,
	user_column name DEFAULT 'user_id',
	item_column name DEFAULT 'item_id',
	time_column name DEFAULT NULL,
	event_column name DEFAULT NULL,
	weight_column name DEFAULT NULL,
	event_weights jsonb DEFAULT NULL,
	context_columns name[] DEFAULT '{}',
	options jsonb DEFAULT '{}',
	replace boolean DEFAULT false)
RETURNS text
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'rec_create_recommender';
COMMENT ON FUNCTION recommender.create_recommender IS
'create a recommender over a table or view of interactions: a schema of that name with the tables of its model and the functions to call; return the name; with replace, drop a recommender of that name before';

CREATE FUNCTION recommender.add_interactions(
	recommender text,
	interactions regclass,
	user_column name DEFAULT 'user_id',
	item_column name DEFAULT 'item_id',
	time_column name DEFAULT NULL,
	event_column name DEFAULT NULL,
	weight_column name DEFAULT NULL,
	event text DEFAULT NULL,
	event_weights jsonb DEFAULT NULL,
	context_columns name[] DEFAULT '{}')
RETURNS text
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'rec_add_interactions';
COMMENT ON FUNCTION recommender.add_interactions IS
'add a table or view of interactions to a recommender, or replace its settings if it has been added before; event is the event of all its rows';

CREATE FUNCTION recommender.remove_interactions(recommender text, interactions regclass)
RETURNS boolean
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'rec_remove_interactions';
COMMENT ON FUNCTION recommender.remove_interactions IS
'remove a table or view of interactions from a recommender, a dropped one by its OID; false if it is not one of its sources';

CREATE FUNCTION recommender.create_events_view(recommender text)
RETURNS text
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'rec_create_events_view';
COMMENT ON FUNCTION recommender.create_events_view IS
'create or replace a view of the rows of all sources of a recommender, and the functions over it; the columns it uses cannot be dropped from then on; return the recommender''s name';

CREATE FUNCTION recommender.set_items(
	recommender text,
	items regclass,
	item_column name DEFAULT 'id',
	feature_columns name[] DEFAULT '{}',
	text_columns name[] DEFAULT '{}',
	available_column name DEFAULT NULL,
	created_column name DEFAULT NULL,
	group_column name DEFAULT NULL,
	options jsonb DEFAULT '{}')
RETURNS text
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'rec_set_items';
COMMENT ON FUNCTION recommender.set_items IS
'set the table or view of a recommender''s items: the columns that describe them, and those of availability, creation time and group; replaces earlier settings';

CREATE FUNCTION recommender.remove_items(recommender text)
RETURNS boolean
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'rec_remove_items';
COMMENT ON FUNCTION recommender.remove_items IS
'remove the table or view of items from a recommender; false if it has none';

CREATE FUNCTION recommender.set_options(recommender text, options jsonb)
RETURNS jsonb
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'rec_set_options';
COMMENT ON FUNCTION recommender.set_options IS
'change the given options of a recommender, null for the default, and the given event weights of its sources; return all options in force';

CREATE FUNCTION recommender.drop_recommender(recommender text, cascade boolean DEFAULT false)
RETURNS boolean
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'rec_drop_recommender';
COMMENT ON FUNCTION recommender.drop_recommender IS
'drop a recommender and its model, not its interactions, with cascade also what depends on it; false if no recommender has that name';

CREATE PROCEDURE recommender.refresh_all(max_age interval DEFAULT NULL)
LANGUAGE C
AS 'MODULE_PATHNAME', 'rec_refresh_all';
COMMENT ON PROCEDURE recommender.refresh_all IS
'refresh all recommenders of the caller whose last refresh is older than max_age, and commit after each';

CREATE FUNCTION recommender.check_recommender(
	recommender text,
	OUT severity text,
	OUT code text,
	OUT message text,
	OUT hint text)
RETURNS SETOF record
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE	-- reads the interactions, wholly
COST 1000000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_check_recommender';
COMMENT ON FUNCTION recommender.check_recommender IS
'problems of a recommender and possible improvements, each with a hint; no rows if there are none';

CREATE FUNCTION recommender_internal.recommender_list(
	OUT name text,
	OUT owner regrole,
	OUT sources regclass[],
	OUT options jsonb,
	OUT generation bigint,
	OUT refreshed_at timestamptz,
	OUT items bigint,
	OUT live text,
	OUT as_of_refresh text)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL UNSAFE	-- reads the recommenders' tables
COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'rec_recommender_list';
COMMENT ON FUNCTION recommender_internal.recommender_list IS
'internal: the rows of view recommender.recommenders';

CREATE VIEW recommender.recommenders AS
SELECT r.name, r.owner, r.sources, r.options, r.generation, r.refreshed_at, r.items, r.live, r.as_of_refresh
FROM recommender_internal.recommender_list() r;
COMMENT ON VIEW recommender.recommenders IS
'the recommenders of this database that the current role can read: sources, options, last refresh, and which answers are live or as of that refresh';
GRANT SELECT ON recommender.recommenders TO PUBLIC;

CREATE FUNCTION recommender_internal.refresh_run_list(
	OUT recommender text,
	OUT generation bigint,
	OUT mode text,
	OUT started_at timestamptz,
	OUT finished_at timestamptz,
	OUT interactions bigint,
	OUT users bigint,
	OUT items bigint,
	OUT neighbors bigint,
	OUT null_keys bigint,
	OUT without_weight bigint,
	OUT read_ms float8,
	OUT build_ms float8,
	OUT write_ms float8,
	OUT memory_bytes bigint,
	OUT model_bytes bigint,
	OUT options jsonb)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL UNSAFE	-- reads the recommenders' tables
COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'rec_refresh_run_list';
COMMENT ON FUNCTION recommender_internal.refresh_run_list IS
'internal: the rows of view recommender.refresh_runs';

CREATE VIEW recommender.refresh_runs AS
SELECT r.*
FROM recommender_internal.refresh_run_list() r;
COMMENT ON VIEW recommender.refresh_runs IS
'each refresh of the recommenders that the current role can read, with its figures and options';
GRANT SELECT ON recommender.refresh_runs TO PUBLIC;

CREATE VIEW recommender.refresh_progress AS
SELECT a.pid, a.datname, a.usename, m.found[1] AS recommender, m.found[2] AS phase,
	   m.found[3]::pg_catalog.int4 AS percent, a.query_start AS started_at
FROM pg_catalog.pg_stat_activity a
CROSS JOIN LATERAL pg_catalog.regexp_match(a.query, '^recommender\.refresh (.*): ([a-z ]+), ([0-9]+) %$') AS m(found)
WHERE a.state OPERATOR(pg_catalog.=) 'active' AND m.found IS NOT NULL;
COMMENT ON VIEW recommender.refresh_progress IS
'running refreshes, each with its phase and the percentage of the phase that is done';
GRANT SELECT ON recommender.refresh_progress TO PUBLIC;
