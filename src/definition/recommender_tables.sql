-- The tables of a recommender, written down once: make builds this file into
-- the library, and the checks of columns, the readers and the writers follow it
-- (recommender_tables.awk).  It also runs in psql, to look at what it makes:
--
--	CREATE SCHEMA recs;
--	\set schema recs
--	\set item_type bigint
--	\set item_collation
--	\i src/definition/recommender_tables.sql
--
-- Rules: statements are separated by empty lines and have none; a column has a
-- line of its own; a comment has whole lines.  Tables are locked in the order in
-- which they stand here.  The layout is the default of column "layout" of table "definition":
-- raise it with every change of a table that exists.

CREATE TABLE :"schema".definition (
	singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
	options jsonb NOT NULL DEFAULT '{}',
	generation bigint NOT NULL DEFAULT 0,
	items bigint NOT NULL DEFAULT 0,
	item_steps integer[] NOT NULL DEFAULT '{}',
	as_of timestamptz,
	newest_created timestamptz,
	newest_item bigint,
	refreshed_at timestamptz,
	layout integer NOT NULL DEFAULT 1
);

COMMENT ON TABLE :"schema".definition IS
'options as set, and the generation of the model that serves (0: none yet); written by functions of the extension';

CREATE TABLE :"schema".source (
	position integer PRIMARY KEY,
	relation regclass NOT NULL UNIQUE,
	user_column name NOT NULL,
	item_column name NOT NULL,
	time_column name,
	event_column name,
	weight_column name,
	event text,
	event_weights jsonb,
	context_columns name[] NOT NULL DEFAULT '{}'
);

COMMENT ON TABLE :"schema".source IS
'the relations whose rows are interactions; written by functions of the extension';

CREATE TABLE :"schema".item_source (
	singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
	relation regclass NOT NULL,
	item_column name NOT NULL,
	feature_columns name[] NOT NULL DEFAULT '{}',
	text_columns name[] NOT NULL DEFAULT '{}',
	available_column name,
	created_column name,
	group_column name,
	options jsonb NOT NULL DEFAULT '{}'
);

COMMENT ON TABLE :"schema".item_source IS
'the relation whose rows are the items, no row if there is none; written by set_items() and remove_items()';

CREATE TABLE :"schema".item (
	generation bigint NOT NULL,
	item_no integer NOT NULL,
	item_id :item_type :item_collation NOT NULL,
	users bigint NOT NULL,
	weight double precision NOT NULL,
	popularity double precision NOT NULL,
	trend double precision NOT NULL,
	popular boolean NOT NULL,
	trending boolean NOT NULL,
	PRIMARY KEY (generation, item_no)
);

CREATE UNIQUE INDEX item_item_id ON :"schema".item (generation, item_id);

CREATE INDEX item_popularity ON :"schema".item (generation, popularity DESC, item_no) WHERE popular;

CREATE INDEX item_trend ON :"schema".item (generation, trend DESC, item_no) WHERE trending;

COMMENT ON TABLE :"schema".item IS
'the items of a generation, numbered by falling number of users; popularity and trend are between 0 and 1; popular and trending are the 2048 that have most of it';

CREATE TABLE :"schema".neighbor (
	generation bigint NOT NULL,
	kind text NOT NULL,
	item_no integer NOT NULL,
	item_id :item_type :item_collation NOT NULL,
	neighbors integer[] NOT NULL,
	scores real[] NOT NULL,
	supports integer[] NOT NULL,
	nearest :item_type[] :item_collation NOT NULL,
	PRIMARY KEY (generation, item_id, kind)
) WITH (toast_tuple_target = 8160);

ALTER TABLE :"schema".neighbor
	ALTER neighbors SET STORAGE EXTERNAL,
	ALTER scores SET STORAGE EXTERNAL,
	ALTER supports SET STORAGE EXTERNAL;

COMMENT ON TABLE :"schema".neighbor IS
'the neighbours of an item, best first: their numbers, similarities and the users behind each; the ids of the nearest';

CREATE TABLE :"schema".context_lift (
	generation bigint NOT NULL,
	column_name name NOT NULL,
	value text COLLATE pg_catalog."C" NOT NULL,
	item_nos integer[] NOT NULL,
	lifts real[] NOT NULL,
	PRIMARY KEY (column_name, value, generation)
) WITH (toast_tuple_target = 8160);

ALTER TABLE :"schema".context_lift
	ALTER item_nos SET STORAGE EXTERNAL,
	ALTER lifts SET STORAGE EXTERNAL;

COMMENT ON TABLE :"schema".context_lift IS
'how much more, or less, items are chosen with a value of the context: their numbers and logarithms of lifts';

CREATE TABLE :"schema".content_column (
	generation bigint NOT NULL,
	position integer NOT NULL,
	column_name name NOT NULL,
	kind text NOT NULL,
	weight double precision NOT NULL,
	config text NOT NULL,
	bounds double precision[] NOT NULL,
	dimensions integer NOT NULL,
	all_items bigint NOT NULL,
	items bigint NOT NULL,
	features integer NOT NULL,
	frequent integer NOT NULL,
	PRIMARY KEY (generation, position)
);

COMMENT ON TABLE :"schema".content_column IS
'the columns that describe items, and what the last refresh found in them';

CREATE TABLE :"schema".feature (
	generation bigint NOT NULL,
	feature_no integer NOT NULL,
	column_name name NOT NULL,
	value text COLLATE pg_catalog."C" NOT NULL,
	items integer NOT NULL,
	idf double precision NOT NULL,
	item_nos integer[] NOT NULL,
	weights real[] NOT NULL,
	PRIMARY KEY (generation, feature_no)
);

CREATE UNIQUE INDEX feature_value ON :"schema".feature (generation, column_name, value);

ALTER TABLE :"schema".feature
	ALTER item_nos SET STORAGE EXTERNAL,
	ALTER weights SET STORAGE EXTERNAL;

COMMENT ON TABLE :"schema".feature IS
'a value of a column and the items that have it; frequent values list no items';

CREATE TABLE :"schema".item_feature (
	generation bigint NOT NULL,
	item_no integer NOT NULL,
	item_id :item_type :item_collation NOT NULL,
	feature_nos integer[] NOT NULL,
	weights real[] NOT NULL,
	embedding real[] NOT NULL,
	PRIMARY KEY (generation, item_no)
) WITH (toast_tuple_target = 8160);

CREATE UNIQUE INDEX item_feature_item_id ON :"schema".item_feature (generation, item_id);

ALTER TABLE :"schema".item_feature
	ALTER feature_nos SET STORAGE EXTERNAL,
	ALTER weights SET STORAGE EXTERNAL,
	ALTER embedding SET STORAGE EXTERNAL;

COMMENT ON TABLE :"schema".item_feature IS
'the vector of an item, of length 1: features with their weights, and the embeddings side by side';

CREATE TABLE :"schema".embedding_cell (
	generation bigint NOT NULL,
	cell_no integer NOT NULL,
	centroid real[] NOT NULL,
	item_nos integer[] NOT NULL,
	PRIMARY KEY (generation, cell_no)
) WITH (toast_tuple_target = 8160);

ALTER TABLE :"schema".embedding_cell
	ALTER centroid SET STORAGE EXTERNAL,
	ALTER item_nos SET STORAGE EXTERNAL;

COMMENT ON TABLE :"schema".embedding_cell IS
'which items have embeddings that are close to each other, and their mean direction';

CREATE TABLE :"schema".factorization (
	generation bigint PRIMARY KEY,
	items integer NOT NULL,
	factors integer NOT NULL,
	unobserved double precision NOT NULL,
	regularization double precision NOT NULL,
	exponent double precision NOT NULL,
	scale double precision NOT NULL,
	gramian double precision[] NOT NULL
);

COMMENT ON TABLE :"schema".factorization IS
'how the factors of a user follow from those of items; the sums of squares of each factor over all items; no row if the model has no factors';

CREATE TABLE :"schema".factor (
	generation bigint NOT NULL,
	item_no integer NOT NULL,
	factors real[] NOT NULL,
	PRIMARY KEY (generation, item_no)
) WITH (toast_tuple_target = 8160);

ALTER TABLE :"schema".factor
	ALTER factors SET STORAGE EXTERNAL;

COMMENT ON TABLE :"schema".factor IS
'the factors of items, one after the other, from an item on: as many items as fill a page';

CREATE TABLE :"schema".refresh_run (
	generation bigint PRIMARY KEY,
	mode text NOT NULL,
	started_at timestamptz NOT NULL,
	finished_at timestamptz NOT NULL,
	interactions bigint NOT NULL,
	users bigint NOT NULL,
	items bigint NOT NULL,
	neighbors bigint NOT NULL,
	null_keys bigint NOT NULL,
	without_weight bigint NOT NULL,
	read_ms double precision NOT NULL,
	build_ms double precision NOT NULL,
	write_ms double precision NOT NULL,
	memory_bytes bigint NOT NULL,
	model_bytes bigint NOT NULL,
	options jsonb NOT NULL
);

COMMENT ON TABLE :"schema".refresh_run IS
'one row for each refresh that was committed';

CREATE TABLE :"schema".evaluation (
	run bigint NOT NULL,
	evaluated_at timestamptz NOT NULL,
	settings jsonb NOT NULL,
	options jsonb NOT NULL,
	strategy text NOT NULL,
	segment text NOT NULL,
	metric text NOT NULL,
	k integer NOT NULL,
	value double precision NOT NULL,
	ci_low double precision,
	ci_high double precision,
	users bigint NOT NULL,
	PRIMARY KEY (run, strategy, segment, metric, k)
);

COMMENT ON TABLE :"schema".evaluation IS
'the estimates that evaluate() stored, run by run';

CREATE TABLE :"schema".trial (
	settings jsonb NOT NULL,
	sample integer NOT NULL,
	options jsonb NOT NULL,
	value double precision NOT NULL,
	users bigint NOT NULL,
	train_ms double precision NOT NULL,
	tried_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);

COMMENT ON TABLE :"schema".trial IS
'what tune() has measured, so that it does not measure it again';

CREATE TABLE :"schema".explanation_template (
	template text NOT NULL,
	language text NOT NULL,
	sentence text NOT NULL,
	PRIMARY KEY (template, language)
);

COMMENT ON TABLE :"schema".explanation_template IS
'sentences that state a contribution to a score, one for each template and language; edit them as you like';
