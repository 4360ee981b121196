/*-------------------------------------------------------------------------
 *
 * ddl.c
 *	  The objects that a recommender consists of.
 *
 * A fixed list of statements makes them, another drops them; words in them
 * stand for the schema and for the types of users and items.  All belongs to
 * the caller and to the recommender's schema; nothing is a member of the
 * extension, so that it is dumped, restored and dropped as any table is.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/ddl.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "admin/ddl.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

/*
 * What a recommender consists of.  @S is its schema, @U and @I are the types
 * of users and items, @D and @C the collation clauses of columns of these.
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
	"popular boolean NOT NULL, "
	"trending boolean NOT NULL, "
	"PRIMARY KEY (generation, item_no))",
	"CREATE UNIQUE INDEX item_item_id ON @S.item (generation, item_id)",
	"CREATE INDEX item_popularity ON @S.item (generation, popularity DESC, item_no) WHERE popular",
	"CREATE INDEX item_trend ON @S.item (generation, trend DESC, item_no) WHERE trending",
	"COMMENT ON TABLE @S.item IS "
	"'the items of a generation, numbered by falling number of users; popularity and trend are between 0 and 1; popular and trending are the 2048 that have most of it'",

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

static const char *
collate_clause(Oid type, Oid collation)
{
	if (!OidIsValid(collation) || collation == get_typcollation(type))
		return "";
	return psprintf("COLLATE %s", rec_relation_collation_quoted(collation));
}

/*
 * Makes a schema of that name and a recommender's objects in it, for ids of
 * the types of two columns.  SPI must be connected.
 */
void
rec_ddl_create(const char *name, const RecColumn *user, const RecColumn *item)
{
	Words		words;

	words.schema = quote_identifier(name);
	words.user_type = rec_relation_type_quoted(user->type);
	words.item_type = rec_relation_type_quoted(item->type);
	words.user_collation = collate_clause(user->type, user->collation);
	words.item_collation = collate_clause(item->type, item->collation);
	run_statements(create_statements, lengthof(create_statements), &words);
}

/*
 * Drops a recommender's objects and its schema.  An ERROR when others depend
 * on them, or when there is anything else in the schema.  SPI must be
 * connected.
 */
void
rec_ddl_drop(const char *name)
{
	Words		words = {0};

	words.schema = quote_identifier(name);
	run_statements(drop_statements, lengthof(drop_statements), &words);
}
