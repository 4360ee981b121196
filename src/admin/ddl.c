/*-------------------------------------------------------------------------
 *
 * ddl.c
 *	  The objects that a recommender consists of.
 *
 * The statements of recommender_tables.sql, recommender_functions.sql and
 * recommender_events.sql make them; words in these, written as variables of psql, stand for schemas and for
 * the types of users and items.  All belongs to the caller and to the
 * recommender's schema; nothing is a member of the extension, so that it is
 * dumped, restored and dropped like any table.
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
#include "definition/layout.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "pg/owner.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

/* What a recommender consists of, after its schema. */
static const char *const create_statements[] = {
#include "definition/recommender_tables.inc"
#include "definition/recommender_functions.inc"
};

/* What create_events_view() adds; CREATE OR REPLACE, so that it also renews them. */
static const char *const event_statements[] = {
#include "definition/recommender_events.inc"
};

/* What a word of a statement, :word or :"word", stands for. */
typedef struct Word
{
	const char *word;
	const char *meaning;		/* quoted */
} Word;

/*
 * Append what the word at the colon "c" stands for, the colon itself if none of
 * the words follows; return what comes after it.
 */
static const char *
fill_in_word(StringInfo result, const char *c, const Word *words, int nwords)
{
	for (int i = 0; i < nwords; i++)
	{
		size_t		length = strlen(words[i].word);

		if (strncmp(c, words[i].word, length) != 0)
			continue;
		appendStringInfoString(result, words[i].meaning);
		return c + length;
	}
	appendStringInfoChar(result, *c);
	return c + 1;
}

static char *
fill_in(const char *statement, const Word *words, int nwords)
{
	StringInfoData result;
	const char *c = statement;

	initStringInfo(&result);
	while (*c)
	{
		if (*c == ':')
			c = fill_in_word(&result, c, words, nwords);
		else
			appendStringInfoChar(&result, *c++);
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

/*
 * Begin to run statements, by a search_path that nobody else can write to and
 * without the notices of DDL; return the level of settings.
 */
static int
begin_statements(void)
{
	int			nest = NewGUCNestLevel();

	rec_owner_set("search_path", "pg_catalog, pg_temp");
	rec_owner_set("client_min_messages", "warning");
	return nest;
}

static const char *
collate_clause(Oid type, Oid collation)
{
	if (!OidIsValid(collation) || collation == get_typcollation(type))
		return "";
	return psprintf("COLLATE %s", rec_relation_collation_quoted(collation));
}

/*
 * Return the quoted type of arguments that are ids: bigint for smaller integers,
 * because drivers send bigint and there is no implicit cast from it.
 */
static const char *
argument_type(Oid type)
{
	return rec_relation_type_quoted(type == INT2OID || type == INT4OID ? INT8OID : type);
}

/* Return an argument of argument_type(), or an array of it, as the ids' type. */
static const char *
argument_value(const char *argument, Oid type, bool array)
{
	if (type != INT2OID && type != INT4OID)
		return argument;
	return psprintf("CAST(%s AS %s%s)", argument, rec_relation_type_quoted(type),
					array ? "[]" : "");
}

/*
 * Make a schema of that name and a recommender's objects in it, for ids of the
 * types of two columns.  SPI must be connected.
 */
void
rec_ddl_create(const char *name, const RecColumn *user, const RecColumn *item)
{
	const Word	words[] = {
		{":\"schema\"", quote_identifier(name)},
		{":user_type", rec_relation_type_quoted(user->type)},
		{":item_type", rec_relation_type_quoted(item->type)},
		{":user_argument", argument_type(user->type)},
		{":item_argument", argument_type(item->type)},
		{":user_id_value", argument_value("user_id", user->type, false)},
		{":item_id_value", argument_value("item_id", item->type, false)},
		{":items_value", argument_value("items", item->type, true)},
		{":exclude_value", argument_value("exclude", item->type, true)},
		{":user_collation", collate_clause(user->type, user->collation)},
		{":item_collation", collate_clause(item->type, item->collation)}
	};
	int			nest = begin_statements();

	run_statement(psprintf("CREATE SCHEMA %s", quote_identifier(name)));
	for (int i = 0; i < (int) lengthof(create_statements); i++)
		run_statement(fill_in(create_statements[i], words, lengthof(words)));
	AtEOXact_GUC(true, nest);
}

/*
 * Make or replace the view of the events of a recommender, of a query of their
 * rows, and the functions over it.  SPI must be connected.
 */
void
rec_ddl_create_events(const char *name, const char *event_rows)
{
	const Word	words[] = {
		{":\"schema\"", quote_identifier(name)},
		{":event_rows", event_rows}
	};
	int			nest = begin_statements();

	for (int i = 0; i < (int) lengthof(event_statements); i++)
		run_statement(fill_in(event_statements[i], words, lengthof(words)));
	AtEOXact_GUC(true, nest);
}

/*
 * Drop a recommender's objects and its schema.  An ERROR when others depend
 * on them, or when there is anything else in the schema; with "cascade" all of
 * that is dropped, too.  SPI must be connected.
 */
void
rec_ddl_drop(const char *name, bool cascade)
{
	/* in an order in which nothing depends on what is dropped */
	static const char *const kinds[] = {"FUNCTION", "VIEW", "TYPE"};
	const char *schema = quote_identifier(name);
	int			nest = begin_statements();

	/* before all else, so as not to keep what others need while we wait */
	run_statement(psprintf("LOCK TABLE %s.definition IN ACCESS EXCLUSIVE MODE", schema));
	for (int i = 0; !cascade && i < (int) lengthof(kinds); i++)
		run_statement(psprintf("DROP %s IF EXISTS %s", kinds[i],
							   rec_layout_objects(kinds[i], schema)));
	if (!cascade)
		run_statement(psprintf("DROP TABLE IF EXISTS %s", rec_layout_tables(schema)));
	run_statement(psprintf("DROP SCHEMA %s %s", schema, cascade ? "CASCADE" : "RESTRICT"));
	AtEOXact_GUC(true, nest);
}
