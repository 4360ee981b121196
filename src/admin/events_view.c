/*-------------------------------------------------------------------------
 *
 * events_view.c
 *	  The view of the rows of all sources of a recommender.
 *
 * The view depends on the tables and columns that it reads, as any view does: a
 * rename is followed, and a table cannot be dropped without the view.  So it is
 * made when the owner asks for it, and from then on follows the sources.
 *
 * Columns of the recommender's types stand as they are, so that a condition on the
 * user or the time reaches an index of the source.  Weights and names of events
 * are read from the recommender's table "source": they are in force when the view
 * is read, and no value of a user becomes SQL text.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/events_view.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "admin/ddl.h"
#include "admin/events_view.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "definition/definition_cache.h"
#include "definition/source.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "pg/arguments.h"
#include "pg/owner.h"
#include "pg/relation.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Append a column of a source, cast and collated where it differs. */
static void
append_column(StringInfo query, const RecSource *source, const char *column, Oid type, Oid collation)
{
	RecColumn	found;

	if (column == NULL)
	{
		appendStringInfo(query, "NULL::%s", rec_relation_type_quoted(type));
		return;
	}
	found = rec_relation_column(source->relid, column);
	appendStringInfo(query, "i.%s", quote_identifier(column));
	if (found.type != type)
		appendStringInfo(query, "::%s", rec_relation_type_quoted(type));
	if (OidIsValid(collation) && found.collation != collation)
		appendStringInfo(query, " COLLATE %s", rec_relation_collation_quoted(collation));
}

/* Append the event of a row: that of its column, or that of all rows of the source. */
static void
append_event(StringInfo query, const RecSource *source, const char *setting)
{
	if (source->event_column)
		append_column(query, source, source->event_column, TEXTOID, DEFAULT_COLLATION_OID);
	else
		appendStringInfo(query, "(SELECT s.event %s)", setting);
}

/*
 * Append the weight of a row: that of its event, 0 for an event without one, times
 * that of its column, NULL counting 1.
 */
static void
append_weight(StringInfo query, const RecSource *source, const char *setting)
{
	if (source->event_weights)
	{
		appendStringInfo(query, "coalesce(((SELECT s.event_weights %s) ->> ", setting);
		append_event(query, source, setting);
		appendStringInfoString(query, ")::float8, 0)");
	}
	else
		appendStringInfoString(query, "1::float8");
	if (source->weight_column)
		appendStringInfo(query, " * coalesce(i.%s::float8, 1)", quote_identifier(source->weight_column));
}

/* Append the columns of the context as an object of jsonb. */
static void
append_context(StringInfo query, const RecSource *source)
{
	if (source->ncontexts == 0)
	{
		appendStringInfoString(query, "NULL::jsonb");
		return;
	}
	appendStringInfoString(query, "jsonb_build_object(");
	for (int i = 0; i < source->ncontexts; i++)
		appendStringInfo(query, "%s%s, i.%s", i > 0 ? ", " : "",
						 quote_literal_cstr(source->context_columns[i]),
						 quote_identifier(source->context_columns[i]));
	appendStringInfoChar(query, ')');
}

/*
 * Append the query of a source.  For a table "shop.click" with columns of user,
 * item, time and event, and weights of events:
 *
 *	SELECT i.user_id AS user_id, i.item_id AS item_id, i.event AS event, i.at AS at,
 *		coalesce(((SELECT s.event_weights FROM recs.source s WHERE s.position = 1)
 *		->> i.event)::float8, 0) AS weight, NULL::jsonb AS context,
 *		'shop.click'::regclass AS source
 *	FROM shop.click i
 */
static void
append_source(StringInfo query, const RecDefinition *definition, int number)
{
	const RecSource *source = &definition->sources[number];
	char	   *relation = rec_relation_quoted(source->relid);
	char	   *setting = psprintf("FROM %s s WHERE s.relation = %s::regclass",
								   rec_definition_table(definition, REC_TABLE_SOURCE),
								   quote_literal_cstr(relation));

	appendStringInfoString(query, number > 0 ? " UNION ALL SELECT " : "SELECT ");
	append_column(query, source, source->user_column, definition->user_type, definition->user_collation);
	appendStringInfoString(query, " AS user_id, ");
	append_column(query, source, source->item_column, definition->item_type, definition->item_collation);
	appendStringInfoString(query, " AS item_id, ");
	append_event(query, source, setting);
	appendStringInfoString(query, " AS event, ");
	append_column(query, source, source->time_column, TIMESTAMPTZOID, InvalidOid);
	appendStringInfoString(query, " AS at, ");
	append_weight(query, source, setting);
	appendStringInfoString(query, " AS weight, ");
	append_context(query, source);
	appendStringInfo(query, " AS context, %s::regclass AS source FROM %s i",
					 quote_literal_cstr(relation), relation);
}

/* Return the query of the rows of all sources, in their order. */
static char *
event_rows(const RecDefinition *definition)
{
	StringInfoData query;

	initStringInfo(&query);
	for (int i = 0; i < definition->nsources; i++)
		append_source(&query, definition, i);
	return query.data;
}

/*
 * Return the query of a recommender without sources.  It has columns of the
 * same types and collations, which CREATE OR REPLACE VIEW wants.
 */
static char *
no_rows(const RecDefinition *definition)
{
	RecSource	none = {0};
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	append_column(&query, &none, NULL, definition->user_type, InvalidOid);
	if (OidIsValid(definition->user_collation))
		appendStringInfo(&query, " COLLATE %s", rec_relation_collation_quoted(definition->user_collation));
	appendStringInfoString(&query, " AS user_id, ");
	append_column(&query, &none, NULL, definition->item_type, InvalidOid);
	if (OidIsValid(definition->item_collation))
		appendStringInfo(&query, " COLLATE %s", rec_relation_collation_quoted(definition->item_collation));
	appendStringInfoString(&query, " AS item_id, NULL::text AS event, NULL::timestamptz AS at, "
						   "NULL::float8 AS weight, NULL::jsonb AS context, NULL::regclass AS source "
						   "WHERE false");
	return query.data;
}

/* Make or replace the view, as the recommender's owner. */
static void
write_view(const RecDefinition *definition)
{
	RecCaller	caller;
	char	   *rows = definition->nsources > 0 ? event_rows(definition) : no_rows(definition);

	rec_owner_become(rec_definition_owner(definition), REC_VISIBLE_ROWS, &caller);
	SPI_connect();
	rec_ddl_create_events(rec_definition_name(definition), rows);
	SPI_finish();
	rec_owner_return(&caller);
}

/*
 * Make the view of the events follow the sources, which were changed, if there is
 * one; return the definition as it is now.
 */
RecDefinition *
rec_events_view_renew(RecDefinition *definition)
{
	definition = rec_definition_cache_get(definition->schema);
	if (get_rel_relkind(get_relname_relid("events", definition->schema)) == RELKIND_VIEW)
		write_view(definition);
	return definition;
}

/*
 * create_events_view(recommender): makes or replaces the view of the events and
 * the functions over it; returns the recommender's name.
 */
PG_FUNCTION_INFO_V1(rec_create_events_view);
Datum
rec_create_events_view(PG_FUNCTION_ARGS)
{
	RecDefinition *definition = rec_definition_cache_by_name(rec_arguments_recommender(fcinfo));

	rec_definition_check_owner(definition);
	definition = rec_definition_cache_lock(definition, "create_events_view()");
	write_view(definition);
	PG_RETURN_TEXT_P(cstring_to_text(rec_definition_name(definition)));
}
