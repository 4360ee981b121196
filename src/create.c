/*-------------------------------------------------------------------------
 *
 * create.c
 *	  Making, changing and dropping recommenders.
 *
 * create_recommender() checks what it is given, then runs a fixed list of
 * statements in which three words stand for the schema, the users' type and
 * the items' type.  Everything it makes belongs to the caller and to the
 * caller's schema; nothing is a member of the extension, so that it is
 * dumped, restored and dropped as any table is.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/create.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "capped.h"
#include "create.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "sentence.h"
#include "source.h"
#include "sqlutil.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/*
 * What a recommender consists of.  @S is its schema, @U and @I are the types
 * of users and items, @C is the collation clause of the items' columns.
 */
static const char *const create_statements[] = {
	"CREATE SCHEMA @S",

	"CREATE TABLE @S.definition ("
	"singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), "
	"options jsonb NOT NULL DEFAULT '{}', "
	"generation bigint NOT NULL DEFAULT 0, "
	"items bigint NOT NULL DEFAULT 0, "
	"item_steps integer[] NOT NULL DEFAULT '{}', "
	"as_of timestamptz, "
	"newest_created timestamptz, "
	"newest_item bigint, "
	"refreshed_at timestamptz)",
	"COMMENT ON TABLE @S.definition IS "
	"'options as set, and the generation of the model that serves (0: none yet); written by functions of the extension'",

	"CREATE TABLE @S.source ("
	"position integer PRIMARY KEY, "
	"relation regclass NOT NULL UNIQUE, "
	"user_column name NOT NULL, "
	"item_column name NOT NULL, "
	"time_column name, "
	"event_column name, "
	"weight_column name, "
	"event text, "
	"event_weights jsonb, "
	"context_columns name[] NOT NULL DEFAULT '{}')",
	"COMMENT ON TABLE @S.source IS "
	"'the relations whose rows are interactions; written by functions of the extension'",

	"CREATE TABLE @S.item_source ("
	"singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), "
	"relation regclass NOT NULL, "
	"item_column name NOT NULL, "
	"feature_columns name[] NOT NULL DEFAULT '{}', "
	"text_columns name[] NOT NULL DEFAULT '{}', "
	"available_column name, "
	"created_column name, "
	"group_column name, "
	"options jsonb NOT NULL DEFAULT '{}')",
	"COMMENT ON TABLE @S.item_source IS "
	"'the relation whose rows are the items, no row if there is none; written by set_items() and remove_items()'",

	"CREATE TABLE @S.item ("
	"generation bigint NOT NULL, "
	"item_no integer NOT NULL, "
	"item_id @I @C NOT NULL, "
	"users bigint NOT NULL, "
	"weight double precision NOT NULL, "
	"popularity double precision NOT NULL, "
	"trend double precision NOT NULL, "
	"PRIMARY KEY (generation, item_no))",
	"CREATE UNIQUE INDEX item_item_id ON @S.item (generation, item_id)",
	"CREATE INDEX item_popularity ON @S.item (generation, popularity DESC, item_no)",
	"CREATE INDEX item_trend ON @S.item (generation, trend DESC, item_no)",
	"COMMENT ON TABLE @S.item IS "
	"'the items of a generation, numbered by falling number of users; popularity and trend are between 0 and 1'",

	"CREATE TABLE @S.neighbor ("
	"generation bigint NOT NULL, "
	"kind text NOT NULL, "
	"item_no integer NOT NULL, "
	"item_id @I @C NOT NULL, "
	"neighbors integer[] NOT NULL, "
	"scores real[] NOT NULL, "
	"supports integer[] NOT NULL, "
	"nearest @I[] @C NOT NULL, "
	"PRIMARY KEY (generation, item_id, kind)) "
	"WITH (toast_tuple_target = 8160)",
	"ALTER TABLE @S.neighbor ALTER neighbors SET STORAGE EXTERNAL, "
	"ALTER scores SET STORAGE EXTERNAL, ALTER supports SET STORAGE EXTERNAL",
	"COMMENT ON TABLE @S.neighbor IS "
	"'the neighbours of an item, best first: their numbers, similarities and the users behind each; the ids of the nearest'",

	"CREATE TABLE @S.factorization ("
	"generation bigint PRIMARY KEY, "
	"items integer NOT NULL, "
	"factors integer NOT NULL, "
	"unobserved double precision NOT NULL, "
	"regularization double precision NOT NULL, "
	"exponent double precision NOT NULL, "
	"scale double precision NOT NULL, "
	"gramian double precision[] NOT NULL)",
	"COMMENT ON TABLE @S.factorization IS "
	"'how the factors of a user follow from those of items; the sums of squares of each factor over all items; no row if the model has no factors'",

	"CREATE TABLE @S.factor ("
	"generation bigint NOT NULL, "
	"item_no integer NOT NULL, "
	"factors real[] NOT NULL, "
	"PRIMARY KEY (generation, item_no)) "
	"WITH (toast_tuple_target = 8160)",
	"ALTER TABLE @S.factor ALTER factors SET STORAGE EXTERNAL",
	"COMMENT ON TABLE @S.factor IS "
	"'the factors of items, one after the other, from an item on: as many items as fill a page'",

	"CREATE TABLE @S.context_lift ("
	"generation bigint NOT NULL, "
	"column_name name NOT NULL, "
	"value text COLLATE pg_catalog.\"C\" NOT NULL, "
	"item_nos integer[] NOT NULL, "
	"lifts real[] NOT NULL, "
	"PRIMARY KEY (column_name, value, generation)) "
	"WITH (toast_tuple_target = 8160)",
	"ALTER TABLE @S.context_lift ALTER item_nos SET STORAGE EXTERNAL, "
	"ALTER lifts SET STORAGE EXTERNAL",
	"COMMENT ON TABLE @S.context_lift IS "
	"'how much more, or less, items are chosen with a value of the context: their numbers and logarithms of lifts'",

	"CREATE TABLE @S.content_column ("
	"generation bigint NOT NULL, "
	"position integer NOT NULL, "
	"column_name name NOT NULL, "
	"kind text NOT NULL, "
	"weight double precision NOT NULL, "
	"config text NOT NULL, "
	"bounds double precision[] NOT NULL, "
	"dimensions integer NOT NULL, "
	"all_items bigint NOT NULL, "
	"items bigint NOT NULL, "
	"features integer NOT NULL, "
	"frequent integer NOT NULL, "
	"PRIMARY KEY (generation, position))",
	"COMMENT ON TABLE @S.content_column IS "
	"'the columns that describe items, and what the last refresh has learnt of them'",

	"CREATE TABLE @S.feature ("
	"generation bigint NOT NULL, "
	"feature_no integer NOT NULL, "
	"column_name name NOT NULL, "
	"value text COLLATE pg_catalog.\"C\" NOT NULL, "
	"items integer NOT NULL, "
	"idf double precision NOT NULL, "
	"item_nos integer[] NOT NULL, "
	"weights real[] NOT NULL, "
	"PRIMARY KEY (generation, feature_no))",
	"CREATE UNIQUE INDEX feature_value ON @S.feature (generation, column_name, value)",
	"ALTER TABLE @S.feature ALTER item_nos SET STORAGE EXTERNAL, ALTER weights SET STORAGE EXTERNAL",
	"COMMENT ON TABLE @S.feature IS "
	"'what items have in common: a value of a column, and which items have it; frequent ones list none'",

	"CREATE TABLE @S.item_feature ("
	"generation bigint NOT NULL, "
	"item_no integer NOT NULL, "
	"item_id @I @C NOT NULL, "
	"feature_nos integer[] NOT NULL, "
	"weights real[] NOT NULL, "
	"embedding real[] NOT NULL, "
	"PRIMARY KEY (generation, item_no)) "
	"WITH (toast_tuple_target = 8160)",
	"CREATE UNIQUE INDEX item_feature_item_id ON @S.item_feature (generation, item_id)",
	"ALTER TABLE @S.item_feature ALTER feature_nos SET STORAGE EXTERNAL, "
	"ALTER weights SET STORAGE EXTERNAL, ALTER embedding SET STORAGE EXTERNAL",
	"COMMENT ON TABLE @S.item_feature IS "
	"'the vector of an item, of length 1: features with their weights, and the embeddings side by side'",

	"CREATE TABLE @S.embedding_cell ("
	"generation bigint NOT NULL, "
	"cell_no integer NOT NULL, "
	"centroid real[] NOT NULL, "
	"item_nos integer[] NOT NULL, "
	"PRIMARY KEY (generation, cell_no)) "
	"WITH (toast_tuple_target = 8160)",
	"ALTER TABLE @S.embedding_cell ALTER centroid SET STORAGE EXTERNAL, ALTER item_nos SET STORAGE EXTERNAL",
	"COMMENT ON TABLE @S.embedding_cell IS "
	"'which items have embeddings that are near each other, and their mean direction'",

	"CREATE TABLE @S.refresh_run ("
	"generation bigint PRIMARY KEY, "
	"mode text NOT NULL, "
	"started_at timestamptz NOT NULL, "
	"finished_at timestamptz NOT NULL, "
	"interactions bigint NOT NULL, "
	"users bigint NOT NULL, "
	"items bigint NOT NULL, "
	"neighbors bigint NOT NULL, "
	"null_keys bigint NOT NULL, "
	"without_weight bigint NOT NULL, "
	"read_ms double precision NOT NULL, "
	"build_ms double precision NOT NULL, "
	"write_ms double precision NOT NULL, "
	"memory_bytes bigint NOT NULL, "
	"model_bytes bigint NOT NULL, "
	"options jsonb NOT NULL)",
	"COMMENT ON TABLE @S.refresh_run IS 'one row for each refresh that was committed'",

	"CREATE TABLE @S.evaluation ("
	"run bigint NOT NULL, "
	"evaluated_at timestamptz NOT NULL, "
	"settings jsonb NOT NULL, "
	"options jsonb NOT NULL, "
	"strategy text NOT NULL, "
	"segment text NOT NULL, "
	"metric text NOT NULL, "
	"k integer NOT NULL, "
	"value double precision NOT NULL, "
	"ci_low double precision, "
	"ci_high double precision, "
	"users bigint NOT NULL, "
	"PRIMARY KEY (run, strategy, segment, metric, k))",
	"COMMENT ON TABLE @S.evaluation IS 'the estimates that evaluate() stored, run by run'",

	"CREATE TABLE @S.trial ("
	"settings jsonb NOT NULL, "
	"sample integer NOT NULL, "
	"options jsonb NOT NULL, "
	"value double precision NOT NULL, "
	"users bigint NOT NULL, "
	"train_ms double precision NOT NULL, "
	"tried_at timestamptz NOT NULL DEFAULT pg_catalog.now())",
	"COMMENT ON TABLE @S.trial IS 'what tune() has measured, so that it need not measure it again'",

	"CREATE TABLE @S.explanation_template ("
	"template text NOT NULL, "
	"language text NOT NULL, "
	"sentence text NOT NULL, "
	"PRIMARY KEY (template, language))",
	"COMMENT ON TABLE @S.explanation_template IS "
	"'sentences that tell a contribution to a score, one for each template and language: yours to change'",

	"CREATE VIEW @S.neighbors AS "
	"SELECT n.item_id, n.kind, s.rank, j.item_id AS neighbor_id, s.similarity, s.support "
	"FROM @S.neighbor n "
	"CROSS JOIN LATERAL unnest(n.neighbors, n.scores, n.supports) "
	"WITH ORDINALITY AS s(item_no, similarity, support, rank) "
	"JOIN @S.item j ON j.generation = n.generation AND j.item_no = s.item_no "
	"WHERE n.generation = (SELECT d.generation FROM @S.definition d)",
	"COMMENT ON VIEW @S.neighbors IS "
	"'each item of the model with its neighbours, best first, by their own ids'",

	"CREATE VIEW @S.context_lifts AS "
	"SELECT c.column_name, c.value, i.item_id, l.lift "
	"FROM @S.definition d "
	"JOIN @S.context_lift c ON c.generation = d.generation "
	"CROSS JOIN LATERAL unnest(c.item_nos, c.lifts) AS l(item_no, lift) "
	"JOIN @S.item i ON i.generation = d.generation AND i.item_no = l.item_no",
	"COMMENT ON VIEW @S.context_lifts IS "
	"'what each value of the context says of items, by their own ids: the logarithm of a lift'",

	"CREATE TYPE @S.recommendation AS ("
	"rank integer, item_id @I @C, score double precision, strategy text, reasons jsonb)",
	"COMMENT ON TYPE @S.recommendation IS "
	"'a recommended item, its score, the component that dominates it, and the largest terms of the score'",

	"CREATE TYPE @S.user_recommendation AS ("
	"user_id @U @D, rank integer, item_id @I @C, score double precision, strategy text)",
	"COMMENT ON TYPE @S.user_recommendation IS 'an item recommended to a user'",

	"CREATE TYPE @S.recommendation_components AS ("
	"rank integer, item_id @I @C, score double precision, behaviour double precision, "
	"factors double precision, content double precision, context double precision, "
	"popularity double precision, trend double precision, strategy text)",
	"COMMENT ON TYPE @S.recommendation_components IS "
	"'a recommended item, its score, and what each component gives to it'",

	"CREATE TYPE @S.explanation AS ("
	"position integer, component text, because_item @I @C, because_value text, "
	"similarity double precision, weight double precision, decay double precision, "
	"contribution double precision, sentence text)",
	"COMMENT ON TYPE @S.explanation IS "
	"'one contribution to a score: the component, the item of the history or the value behind it, and the sentence to show'",

	"CREATE FUNCTION @S.recommend(user_id @U, k integer DEFAULT 10, filter jsonb DEFAULT NULL, "
	"exclude @I[] DEFAULT NULL, context jsonb DEFAULT NULL, options jsonb DEFAULT NULL) "
	"RETURNS SETOF @S.recommendation LANGUAGE sql STABLE PARALLEL SAFE COST 2000 ROWS 10 "
	"BEGIN ATOMIC SELECT * FROM recommender.recommend(NULL::@S.recommendation, "
	"user_id, k, filter, exclude, context, options); END",
	"COMMENT ON FUNCTION @S.recommend IS "
	"'the k items that suit a user best, best first; a user without history gets popular items'",

	"CREATE FUNCTION @S.recommend_components(user_id @U, k integer DEFAULT 10, filter jsonb DEFAULT NULL, "
	"exclude @I[] DEFAULT NULL, context jsonb DEFAULT NULL, options jsonb DEFAULT NULL) "
	"RETURNS SETOF @S.recommendation_components LANGUAGE sql STABLE PARALLEL SAFE COST 2000 ROWS 10 "
	"BEGIN ATOMIC SELECT * FROM recommender.recommend_components(NULL::@S.recommendation_components, "
	"user_id, k, filter, exclude, context, options); END",
	"COMMENT ON FUNCTION @S.recommend_components IS "
	"'what recommend() answers, with a column for each component''s part of the score'",

	"CREATE FUNCTION @S.recommend_session(items @I[], k integer DEFAULT 10, filter jsonb DEFAULT NULL, "
	"exclude @I[] DEFAULT NULL, context jsonb DEFAULT NULL, options jsonb DEFAULT NULL) "
	"RETURNS SETOF @S.recommendation LANGUAGE sql STABLE PARALLEL SAFE COST 2000 ROWS 10 "
	"BEGIN ATOMIC SELECT * FROM recommender.recommend_session(NULL::@S.recommendation, "
	"items, k, filter, exclude, context, options); END",
	"COMMENT ON FUNCTION @S.recommend_session IS "
	"'the k items that go best with what was looked at in a session, the newest item last in the array'",

	"CREATE FUNCTION @S.recommend_basket(items @I[], k integer DEFAULT 10, filter jsonb DEFAULT NULL, "
	"exclude @I[] DEFAULT NULL, context jsonb DEFAULT NULL, options jsonb DEFAULT NULL) "
	"RETURNS SETOF @S.recommendation LANGUAGE sql STABLE PARALLEL SAFE COST 2000 ROWS 10 "
	"BEGIN ATOMIC SELECT * FROM recommender.recommend_basket(NULL::@S.recommendation, "
	"items, k, filter, exclude, context, options); END",
	"COMMENT ON FUNCTION @S.recommend_basket IS "
	"'the k items that complement a basket best, whatever the order of its items'",

	"CREATE FUNCTION @S.similar_items(item_id @I, k integer DEFAULT 10, filter jsonb DEFAULT NULL, "
	"exclude @I[] DEFAULT NULL, options jsonb DEFAULT NULL) "
	"RETURNS SETOF @S.recommendation LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 10 "
	"BEGIN ATOMIC SELECT * FROM recommender.similar_items(NULL::@S.recommendation, "
	"item_id, k, filter, exclude, options); END",
	"COMMENT ON FUNCTION @S.similar_items IS "
	"'the k items most similar to an item; score is the similarity, 0 where popular items had to fill up'",

	"CREATE FUNCTION @S.popular_items(k integer DEFAULT 10, filter jsonb DEFAULT NULL, "
	"exclude @I[] DEFAULT NULL, options jsonb DEFAULT NULL) "
	"RETURNS SETOF @S.recommendation LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 10 "
	"BEGIN ATOMIC SELECT * FROM recommender.popular_items(NULL::@S.recommendation, "
	"k, filter, exclude, options); END",
	"COMMENT ON FUNCTION @S.popular_items IS "
	"'the k most popular items as of the last refresh; needs no refresh, but is slow before the first'",

	"CREATE FUNCTION @S.trending_items(k integer DEFAULT 10, filter jsonb DEFAULT NULL, "
	"exclude @I[] DEFAULT NULL, options jsonb DEFAULT NULL) "
	"RETURNS SETOF @S.recommendation LANGUAGE sql STABLE PARALLEL SAFE COST 10000 ROWS 10 "
	"BEGIN ATOMIC SELECT * FROM recommender.trending_items(NULL::@S.recommendation, "
	"k, filter, exclude, options); END",
	"COMMENT ON FUNCTION @S.trending_items IS "
	"'the k items whose interactions rise most above what the weeks before let expect, live'",

	"CREATE FUNCTION @S.rank_items(user_id @U, items @I[], context jsonb DEFAULT NULL, "
	"options jsonb DEFAULT NULL) "
	"RETURNS SETOF @S.recommendation LANGUAGE sql STABLE PARALLEL SAFE COST 2000 ROWS 100 "
	"BEGIN ATOMIC SELECT * FROM recommender.rank_items(NULL::@S.recommendation, "
	"user_id, items, context, options); END",
	"COMMENT ON FUNCTION @S.rank_items IS "
	"'the given items, all of them, in the order that suits a user best'",

	"CREATE FUNCTION @S.score(user_id @U, item_id @I, context jsonb DEFAULT NULL, "
	"options jsonb DEFAULT NULL) "
	"RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE COST 100 "
	"BEGIN ATOMIC SELECT recommender.score(NULL::@S.recommendation, "
	"user_id, item_id, context, options); END",
	"COMMENT ON FUNCTION @S.score IS "
	"'how well an item suits a user, as recommend() scores it; 0 for an item that is not in the model'",

	"CREATE FUNCTION @S.explain(user_id @U, item_id @I, context jsonb DEFAULT NULL, "
	"options jsonb DEFAULT NULL) "
	"RETURNS SETOF @S.explanation LANGUAGE sql STABLE PARALLEL SAFE COST 2000 ROWS 10 "
	"BEGIN ATOMIC SELECT * FROM recommender.explain(NULL::@S.explanation, "
	"user_id, item_id, context, options); END",
	"COMMENT ON FUNCTION @S.explain IS "
	"'why an item has its score for a user: one row for each contribution, which in order add up to score()'",

	"CREATE FUNCTION @S.recommend_all(k integer DEFAULT 10, filter jsonb DEFAULT NULL, "
	"exclude @I[] DEFAULT NULL, context jsonb DEFAULT NULL, options jsonb DEFAULT NULL) "
	"RETURNS SETOF @S.user_recommendation LANGUAGE sql STABLE PARALLEL SAFE COST 1000000 ROWS 100000 "
	"BEGIN ATOMIC SELECT * FROM recommender.recommend_all(NULL::@S.user_recommendation, "
	"k, filter, exclude, context, options); END",
	"COMMENT ON FUNCTION @S.recommend_all IS "
	"'for every user with interactions, what recommend() would answer; reads the interactions once'",
};

/* The same in the order in which it can go; other objects stop the last. */
static const char *const drop_statements[] = {
	/* before all else, so as not to keep what others need while we wait */
	"LOCK TABLE @S.definition IN ACCESS EXCLUSIVE MODE",
	"DROP FUNCTION IF EXISTS @S.recommend, @S.recommend_components, @S.recommend_session, @S.recommend_basket, @S.similar_items, "
	"@S.popular_items, @S.trending_items, @S.rank_items, @S.score, @S.explain, @S.recommend_all",
	"DROP VIEW IF EXISTS @S.neighbors, @S.context_lifts",
	"DROP TYPE IF EXISTS @S.recommendation, @S.user_recommendation, @S.recommendation_components, @S.explanation",
	"DROP TABLE IF EXISTS @S.definition, @S.source, @S.item_source, @S.item, @S.neighbor, @S.factorization, @S.factor, "
	"@S.context_lift, @S.content_column, @S.feature, @S.item_feature, @S.embedding_cell, @S.refresh_run, @S.evaluation, "
	"@S.trial, @S.explanation_template",
	"DROP SCHEMA @S",
};

/* What the words of a statement stand for. */
typedef struct Words
{
	const char *schema;			/* quoted */
	const char *user_type;
	const char *item_type;
	const char *user_collation;
	const char *item_collation;
} Words;

static char *
fill_in(const char *statement, const Words *words)
{
	StringInfoData result;

	initStringInfo(&result);
	for (const char *c = statement; *c; c++)
	{
		if (*c != '@')
		{
			appendStringInfoChar(&result, *c);
			continue;
		}
		switch (*++c)
		{
			case 'S':
				appendStringInfoString(&result, words->schema);
				break;
			case 'U':
				appendStringInfoString(&result, words->user_type);
				break;
			case 'I':
				appendStringInfoString(&result, words->item_type);
				break;
			case 'D':
				appendStringInfoString(&result, words->user_collation);
				break;
			case 'C':
				appendStringInfoString(&result, words->item_collation);
				break;
			default:
				elog(ERROR, "no such word in a statement: @%c", *c);
		}
	}
	return result.data;
}

static void
run_statement(const char *statement)
{
	int			code = SPI_execute(statement, false, 0);

	if (code < 0)
		elog(ERROR, "could not run \"%s\": %s", statement, SPI_result_code_string(code));
}

/* Runs statements with a search_path that nobody else can write to. */
static void
run_statements(const char *const *statements, int n, const Words *words)
{
	int			nest = NewGUCNestLevel();

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("client_min_messages", "warning", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	for (int i = 0; i < n; i++)
		run_statement(fill_in(statements[i], words));
	AtEOXact_GUC(true, nest);
}

/* ----------------
 *		checks
 * ----------------
 */

static void
notice_missing_index(const RecSource *source)
{
	char	   *statement = rec_missing_index(source);

	if (statement)
		ereport(NOTICE,
				(errmsg("table %s has no index on the user, so that each answer reads the whole table",
						rec_relation_quoted(source->relid)),
				 errhint("%s", statement)));
}

/* ----------------
 *		sources
 * ----------------
 */

/*
 * Writes a source's row; one for the same relation is replaced:
 *
 *	INSERT INTO source ... VALUES (next position, $1 ... $9)
 *	ON CONFLICT (relation) DO UPDATE SET ...
 */
static void
write_source(const char *schema, const RecSource *source, Datum weights,
			 ArrayType *contexts)
{
	char	   *table = quote_qualified_identifier(schema, "source");
	Oid			types[9] = {OIDOID, NAMEOID, NAMEOID, NAMEOID, NAMEOID, NAMEOID,
		TEXTOID, JSONBOID, NAMEARRAYOID
	};
	Datum		values[9];
	char		nulls[10] = "         ";
	StringInfoData query;
	int			code;

	values[0] = ObjectIdGetDatum(source->relid);
	values[1] = rec_name_or_null(source->user_column, &nulls[1]);
	values[2] = rec_name_or_null(source->item_column, &nulls[2]);
	values[3] = rec_name_or_null(source->time_column, &nulls[3]);
	values[4] = rec_name_or_null(source->event_column, &nulls[4]);
	values[5] = rec_name_or_null(source->weight_column, &nulls[5]);
	values[6] = source->event ? CStringGetTextDatum(source->event) : (Datum) 0;
	nulls[6] = source->event ? ' ' : 'n';
	values[7] = weights;
	nulls[7] = source->event_weights ? ' ' : 'n';
	values[8] = PointerGetDatum(contexts ? contexts : construct_empty_array(NAMEOID));
	initStringInfo(&query);
	appendStringInfo(&query,
					 "INSERT INTO %s AS s (position, relation, user_column, item_column, "
					 "time_column, event_column, weight_column, event, event_weights, context_columns) "
					 "VALUES ((SELECT coalesce(pg_catalog.max(t.position), 0) OPERATOR(pg_catalog.+) 1 FROM %s t), "
					 "$1::pg_catalog.regclass, $2, $3, $4, $5, $6, $7, $8, $9) "
					 "ON CONFLICT (relation) DO UPDATE SET user_column = EXCLUDED.user_column, "
					 "item_column = EXCLUDED.item_column, time_column = EXCLUDED.time_column, "
					 "event_column = EXCLUDED.event_column, weight_column = EXCLUDED.weight_column, "
					 "event = EXCLUDED.event, event_weights = EXCLUDED.event_weights, "
					 "context_columns = EXCLUDED.context_columns", table, table);
	code = SPI_execute_with_args(query.data, 9, types, values, nulls, false, 0);
	if (code != SPI_OK_INSERT)
		elog(ERROR, "could not write a source: %s", SPI_result_code_string(code));
}

/* ----------------
 *		SQL functions
 * ----------------
 */

static const char *
collate_clause(Oid type, Oid collation)
{
	if (!OidIsValid(collation) || collation == get_typcollation(type))
		return "";
	return psprintf("COLLATE %s", rec_collation_quoted(collation));
}

static void
check_name(const char *name)
{
	if (name[0] == '\0' || strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("a recommender's name must have 1 to %d bytes", NAMEDATALEN - 1)));
	if (OidIsValid(get_namespace_oid(name, true)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_SCHEMA),
				 errmsg("schema \"%s\" already exists", name),
				 errhint("A recommender makes a schema of its name: choose another, or drop the old one first.")));
}

/*
 * create_recommender(recommender, interactions, user_column, item_column,
 * time_column, event_column, weight_column, event_weights, context_columns,
 * options): makes the schema with all that is in it; gives its name.
 */
PG_FUNCTION_INFO_V1(rec_create_recommender);
Datum
rec_create_recommender(PG_FUNCTION_ARGS)
{
	char	   *name = rec_recommender_argument(fcinfo);
	RecSource	source = {0};
	ArrayType  *contexts = PG_ARGISNULL(8) ? NULL : PG_GETARG_ARRAYTYPE_P(8);
	Jsonb	   *given = PG_ARGISNULL(9) ? NULL : PG_GETARG_JSONB_P(9);
	RecOptions	options;
	RecColumn	user;
	RecColumn	item;
	Words		words;
	Datum		values[1];
	Oid			types[1] = {JSONBOID};

	rec_require_argument(PG_ARGISNULL(1) ? NULL : fcinfo, "interactions");
	source.relid = PG_GETARG_OID(1);
	source.user_column = rec_name_argument(fcinfo, 2);
	source.item_column = rec_name_argument(fcinfo, 3);
	source.time_column = rec_name_argument(fcinfo, 4);
	source.event_column = rec_name_argument(fcinfo, 5);
	source.weight_column = rec_name_argument(fcinfo, 6);
	if (!PG_ARGISNULL(7))
		source.event_weights = rec_event_weights_parse(PG_GETARG_JSONB_P(7));
	rec_require_argument(source.user_column, "user_column");
	rec_require_argument(source.item_column, "item_column");
	rec_options_default(&options, true);
	if (given)
		rec_options_apply(&options, given, REC_SCOPE_BUILD | REC_SCOPE_SERVE);
	check_name(name);
	rec_check_source(&source, &user, &item);
	rec_check_context_columns(source.relid, contexts);

	words.schema = quote_identifier(name);
	words.user_type = rec_type_quoted(user.type, -1);
	words.item_type = rec_type_quoted(item.type, -1);
	words.user_collation = collate_clause(user.type, user.collation);
	words.item_collation = collate_clause(item.type, item.collation);
	SPI_connect();
	run_statements(create_statements, lengthof(create_statements), &words);
	values[0] = given ? JsonbPGetDatum(given) :
		DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
	if (SPI_execute_with_args(psprintf("INSERT INTO %s (options) VALUES ($1)",
									   quote_qualified_identifier(name, "definition")),
							  1, types, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write the definition");
	rec_sentences_install(name);
	write_source(name, &source, PG_ARGISNULL(7) ? (Datum) 0 : PG_GETARG_DATUM(7), contexts);
	SPI_finish();
	notice_missing_index(&source);
	PG_RETURN_TEXT_P(cstring_to_text(name));
}

/*
 * add_interactions(recommender, interactions, user_column, item_column,
 * time_column, event_column, weight_column, event, event_weights,
 * context_columns): adds a source, or replaces the one of the same relation;
 * gives the recommender's name.
 */
PG_FUNCTION_INFO_V1(rec_add_interactions);
Datum
rec_add_interactions(PG_FUNCTION_ARGS)
{
	RecDefinition *definition = rec_definition_by_name(rec_recommender_argument(fcinfo));
	RecSource	source = {0};
	ArrayType  *contexts = PG_ARGISNULL(9) ? NULL : PG_GETARG_ARRAYTYPE_P(9);
	RecCaller	caller;
	RecColumn	user;
	RecColumn	item;

	rec_definition_check_owner(definition);
	rec_require_argument(PG_ARGISNULL(1) ? NULL : fcinfo, "interactions");
	source.relid = PG_GETARG_OID(1);
	source.user_column = rec_name_argument(fcinfo, 2);
	source.item_column = rec_name_argument(fcinfo, 3);
	source.time_column = rec_name_argument(fcinfo, 4);
	source.event_column = rec_name_argument(fcinfo, 5);
	source.weight_column = rec_name_argument(fcinfo, 6);
	source.event = rec_text_argument(fcinfo, 7);
	if (!PG_ARGISNULL(8))
		source.event_weights = rec_event_weights_parse(PG_GETARG_JSONB_P(8));
	rec_require_argument(source.user_column, "user_column");
	rec_require_argument(source.item_column, "item_column");
	rec_check_source(&source, &user, &item);
	rec_check_same_type(user.type, definition->user_type, source.user_column);
	rec_check_same_type(item.type, definition->item_type, source.item_column);
	rec_check_context_columns(source.relid, contexts);
	definition = rec_definition_lock(definition, "add_interactions()");
	rec_be_owner(definition, &caller);
	SPI_connect();
	write_source(rec_definition_name(definition), &source,
				 PG_ARGISNULL(8) ? (Datum) 0 : PG_GETARG_DATUM(8), contexts);
	SPI_finish();
	rec_be_caller(&caller);
	rec_definition_changed(definition->schema);
	notice_missing_index(&source);
	PG_RETURN_TEXT_P(cstring_to_text(rec_definition_name(definition)));
}

/*
 * remove_interactions(recommender, interactions): takes a source away, also
 * one that was dropped, by its OID; false when there is no such source.
 */
PG_FUNCTION_INFO_V1(rec_remove_interactions);
Datum
rec_remove_interactions(PG_FUNCTION_ARGS)
{
	RecDefinition *definition = rec_definition_by_name(rec_recommender_argument(fcinfo));
	Oid			types[1] = {OIDOID};
	Datum		values[1];
	uint64		removed;
	RecCaller	caller;

	rec_require_argument(PG_ARGISNULL(1) ? NULL : fcinfo, "interactions");
	rec_definition_check_owner(definition);
	definition = rec_definition_lock(definition, "remove_interactions()");
	values[0] = PG_GETARG_DATUM(1);
	rec_be_owner(definition, &caller);
	SPI_connect();
	if (SPI_execute_with_args(psprintf("DELETE FROM %s s WHERE s.relation::pg_catalog.oid OPERATOR(pg_catalog.=) $1",
									   rec_definition_table(definition, "source")),
							  1, types, values, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not remove a source");
	removed = SPI_processed;
	SPI_finish();
	rec_be_caller(&caller);
	rec_definition_changed(definition->schema);
	PG_RETURN_BOOL(removed > 0);
}

/*
 * Writes weights of events to the sources that keep them:
 *
 *	UPDATE source s SET event_weights = coalesce(s.event_weights, '{}') || {$2: $3}
 *	WHERE s.relation = $1
 */
static void
write_event_weights(const RecDefinition *definition, const RecOptions *options,
					const int *sources)
{
	Oid			types[3] = {OIDOID, TEXTOID, FLOAT8OID};
	char	   *query = psprintf("UPDATE %s s SET event_weights = coalesce(s.event_weights, '{}'::pg_catalog.jsonb) "
								 "OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object($2, $3) "
								 "WHERE s.relation::pg_catalog.oid OPERATOR(pg_catalog.=) $1",
								 rec_definition_table(definition, "source"));

	for (int i = 0; i < options->nevent_weights; i++)
	{
		const RecSourceWeight *given = &options->event_weights[i];
		Datum		values[3];

		values[0] = ObjectIdGetDatum(definition->sources[sources[i]].relid);
		values[1] = CStringGetTextDatum(given->event);
		values[2] = Float8GetDatum(given->weight);
		if (SPI_execute_with_args(query, 3, types, values, NULL, false, 0) != SPI_OK_UPDATE)
			elog(ERROR, "could not write the weight of an event");
	}
}

/*
 * Changes the options that are named, null giving one its default again, and
 * those weights of events that are named.
 */
void
rec_definition_set_options(RecDefinition *definition, Jsonb *given)
{
	Oid			types[1] = {JSONBOID};
	Datum		values[1];
	RecOptions	options;
	int		   *sources;		/* of the weights of events */
	RecCaller	caller;

	rec_definition_check_owner(definition);
	definition = rec_definition_lock(definition, "set_options()");
	options = definition->options;
	rec_options_apply(&options, given, REC_SCOPE_ALL);
	if (definition->items)
		rec_capped_check(definition, &options);
	values[0] = DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(given),
									CStringGetTextDatum("event_weights"));
	/* names are the caller's, by the caller's search_path */
	sources = palloc_array(int, options.nevent_weights + 1);
	for (int i = 0; i < options.nevent_weights; i++)
		sources[i] = rec_source_of_weight(definition, &options.event_weights[i]);
	rec_be_owner(definition, &caller);
	SPI_connect();
	write_event_weights(definition, &options, sources);
	if (SPI_execute_with_args(psprintf("UPDATE %s SET options = pg_catalog.jsonb_strip_nulls(options OPERATOR(pg_catalog.||) $1 "
									   "OPERATOR(pg_catalog.||) CASE WHEN pg_catalog.jsonb_typeof(options OPERATOR(pg_catalog.->) 'blend'::pg_catalog.text) OPERATOR(pg_catalog.=) 'object' "
									   "AND pg_catalog.jsonb_typeof($1 OPERATOR(pg_catalog.->) 'blend'::pg_catalog.text) OPERATOR(pg_catalog.=) 'object' "
									   "THEN pg_catalog.jsonb_build_object('blend', (options OPERATOR(pg_catalog.->) 'blend'::pg_catalog.text) OPERATOR(pg_catalog.||) ($1 OPERATOR(pg_catalog.->) 'blend'::pg_catalog.text)) "
									   "ELSE '{}' END)",
									   rec_definition_table(definition, "definition")),
							  1, types, values, NULL, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not write the options");
	SPI_finish();
	rec_be_caller(&caller);
	rec_definition_changed(definition->schema);
}

/*
 * set_options(recommender, options): changes the options that are named, null
 * giving an option its default again; gives all options in force.
 */
PG_FUNCTION_INFO_V1(rec_set_options);
Datum
rec_set_options(PG_FUNCTION_ARGS)
{
	RecDefinition *definition = rec_definition_by_name(rec_recommender_argument(fcinfo));

	rec_require_argument(PG_ARGISNULL(1) ? NULL : fcinfo, "options");
	rec_definition_set_options(definition, PG_GETARG_JSONB_P(1));
	definition = rec_definition_get(definition->schema);
	PG_RETURN_JSONB_P(rec_options_to_jsonb(&definition->options,
										   REC_SCOPE_BUILD | REC_SCOPE_SERVE));
}

/* True for what create_recommender() made, also when it was damaged since. */
static bool
was_recommender(Oid schema)
{
	Oid			relid = get_relname_relid("definition", schema);

	return rec_schema_is_recommender(schema) ||
		(OidIsValid(relid) && get_rel_relkind(relid) == RELKIND_RELATION &&
		 get_attnum(relid, "singleton") != InvalidAttrNumber &&
		 get_attnum(relid, "generation") != InvalidAttrNumber);
}

/*
 * drop_recommender(recommender): drops the recommender's objects and schema;
 * false when there is none of that name.  An ERROR when other objects depend
 * on them or live in the schema.
 */
PG_FUNCTION_INFO_V1(rec_drop_recommender);
Datum
rec_drop_recommender(PG_FUNCTION_ARGS)
{
	char	   *name = rec_recommender_argument(fcinfo);
	Oid			schema = get_namespace_oid(name, true);
	Words		words = {0};

	if (!OidIsValid(schema))
		PG_RETURN_BOOL(false);
	if (!was_recommender(schema))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("schema \"%s\" is not a recommender", name)));
	if (!has_privs_of_role(GetUserId(), rec_schema_owner(schema)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of recommender %s", name)));
	words.schema = quote_identifier(name);
	SPI_connect();
	run_statements(drop_statements, lengthof(drop_statements), &words);
	SPI_finish();
	PG_RETURN_BOOL(true);
}
