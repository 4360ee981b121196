/*-------------------------------------------------------------------------
 *
 * alter_recommender.c
 *	  Changing a recommender: its sources, its items and its options.
 *
 * Each function checks what it is given with the caller's rights, takes the
 * lock that refresh() takes, writes as the owner, and invalidates the definition
 * in all sessions.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/alter_recommender.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "admin/alter_recommender.h"
#include "admin/events_view.h"
#include "catalog/pg_type.h"
#include "definition/definition_cache.h"
#include "definition/item_source_options.h"
#include "definition/table_row.h"
#include "options/options_read.h"
#include "options/options_write.h"
#include "pg/arguments.h"
#include "pg/json_writer.h"
#include "pg/json_reader.h"
#include "pg/owner.h"
#include "pg/spi.h"
#include "serve/cap_values.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* Begin to write to the recommender's tables, as its owner. */
static void
begin_writing(const RecDefinition *definition, RecCaller *caller)
{
	rec_owner_become(rec_definition_owner(definition), REC_VISIBLE_ROWS, caller);
	SPI_connect();
}

/* End it; the definition is read anew from here on. */
static void
end_writing(const RecDefinition *definition, const RecCaller *caller)
{
	SPI_finish();
	rec_owner_return(caller);
	rec_definition_cache_changed(definition->schema);
}

/* Return a value for a parameter of type name[], an empty one for NULL. */
static Datum
names_or_none(ArrayType *names)
{
	return PointerGetDatum(names ? names : construct_empty_array(NAMEOID));
}

/* ----------------
 *		sources
 * ----------------
 */

/*
 * Read a source from the arguments of a function: interactions, user_column,
 * item_column, time_column, event_column and weight_column from the second
 * on, event_weights and context_columns from "weights" on.
 */
void
rec_alter_recommender_source_read(RecGivenSource *given, FunctionCallInfo fcinfo, int weights)
{
	RecSource  *source = &given->source;

	memset(given, 0, sizeof(*given));
	rec_arguments_require(PG_ARGISNULL(1) ? NULL : fcinfo, "interactions");
	source->relid = PG_GETARG_OID(1);
	source->user_column = rec_arguments_name(fcinfo, 2);
	source->item_column = rec_arguments_name(fcinfo, 3);
	source->time_column = rec_arguments_name(fcinfo, 4);
	source->event_column = rec_arguments_name(fcinfo, 5);
	source->weight_column = rec_arguments_name(fcinfo, 6);
	if (!PG_ARGISNULL(weights))
		given->event_weights = PG_GETARG_JSONB_P(weights);
	if (given->event_weights && rec_json_reader_is_null(given->event_weights))
		given->event_weights = NULL;
	if (given->event_weights)
		source->event_weights = rec_interaction_event_weights_parse(given->event_weights);
	if (!PG_ARGISNULL(weights + 1))
		given->context_columns = PG_GETARG_ARRAYTYPE_P(weights + 1);
	rec_arguments_require(source->user_column, "user_column");
	rec_arguments_require(source->item_column, "item_column");
}

/*
 * Write a source's row in the schema of a recommender; one for the same
 * relation is replaced, and keeps its position.  SPI must be connected.
 */
void
rec_alter_recommender_source_write(const RecGivenSource *given, const char *schema)
{
	const RecSource *source = &given->source;
	char	   *table = quote_qualified_identifier(schema, "source");
	RecTableRow row;
	bool		isnull;

	rec_spi_execute(psprintf("SELECT coalesce(pg_catalog.max(s.position), 0) OPERATOR(pg_catalog.+) 1 FROM %s s",
							 table), 0, NULL, NULL, NULL, false, SPI_OK_SELECT);
	rec_table_row_begin(&row, REC_TABLE_SOURCE);
	rec_table_row_set(&row, Anum_rec_source_position,
					  SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	rec_table_row_set(&row, Anum_rec_source_relation, ObjectIdGetDatum(source->relid));
	rec_table_row_set_text(&row, Anum_rec_source_user_column, source->user_column);
	rec_table_row_set_text(&row, Anum_rec_source_item_column, source->item_column);
	rec_table_row_set_text(&row, Anum_rec_source_time_column, source->time_column);
	rec_table_row_set_text(&row, Anum_rec_source_event_column, source->event_column);
	rec_table_row_set_text(&row, Anum_rec_source_weight_column, source->weight_column);
	rec_table_row_set_text(&row, Anum_rec_source_event, source->event);
	if (given->event_weights)
		rec_table_row_set(&row, Anum_rec_source_event_weights, JsonbPGetDatum(given->event_weights));
	else
		rec_table_row_set_null(&row, Anum_rec_source_event_weights);
	rec_table_row_set(&row, Anum_rec_source_context_columns, names_or_none(given->context_columns));
	rec_table_row_upsert(&row, table, Anum_rec_source_relation);
}

/* Report the index that serving from a source needs. */
void
rec_alter_recommender_source_notice(const RecGivenSource *given)
{
	const RecSource *source = &given->source;
	char	   *statement = rec_source_missing_index(source);

	if (statement)
		ereport(NOTICE,
				(errmsg("table %s has no index on the user, so that each answer reads the whole table",
						rec_relation_quoted(source->relid)),
				 errhint("%s", statement)));
}

/*
 * add_interactions(recommender, interactions, user_column, item_column,
 * time_column, event_column, weight_column, event, event_weights,
 * context_columns): adds a source, or replaces the one of the same relation;
 * returns the recommender's name.
 */
PG_FUNCTION_INFO_V1(rec_add_interactions);
Datum
rec_add_interactions(PG_FUNCTION_ARGS)
{
	RecDefinition *definition = rec_definition_cache_by_name(rec_arguments_recommender(fcinfo));
	RecGivenSource given;
	RecCaller	caller;
	RecColumn	user;
	RecColumn	item;

	rec_definition_check_owner(definition);
	rec_alter_recommender_source_read(&given, fcinfo, 8);
	given.source.event = rec_arguments_text(fcinfo, 7);
	rec_source_check(&given.source, &user, &item);
	rec_relation_check_same_type(given.source.relid, given.source.user_column, definition->user_type);
	rec_relation_check_same_type(given.source.relid, given.source.item_column, definition->item_type);
	rec_source_check_context_columns(given.source.relid, given.context_columns);
	definition = rec_definition_cache_lock(definition, "add_interactions()");
	begin_writing(definition, &caller);
	rec_alter_recommender_source_write(&given, rec_definition_name(definition));
	end_writing(definition, &caller);
	definition = rec_events_view_renew(definition);
	rec_alter_recommender_source_notice(&given);
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
	RecDefinition *definition = rec_definition_cache_by_name(rec_arguments_recommender(fcinfo));
	Oid			types[1] = {OIDOID};
	Datum		values[1];
	uint64		removed;
	RecCaller	caller;

	rec_arguments_require(PG_ARGISNULL(1) ? NULL : fcinfo, "interactions");
	rec_definition_check_owner(definition);
	definition = rec_definition_cache_lock(definition, "remove_interactions()");
	values[0] = PG_GETARG_DATUM(1);
	begin_writing(definition, &caller);
	rec_spi_execute(psprintf("DELETE FROM %s s WHERE s.relation::pg_catalog.oid OPERATOR(pg_catalog.=) $1",
							 rec_definition_table(definition, REC_TABLE_SOURCE)),
					1, types, values, NULL, false, SPI_OK_DELETE);
	removed = SPI_processed;
	end_writing(definition, &caller);
	(void) rec_events_view_renew(definition);
	PG_RETURN_BOOL(removed > 0);
}

/* ----------------
 *		items
 * ----------------
 */

static void
notice_missing_item_index(const RecItemSource *items)
{
	char	   *statement = rec_item_source_missing_index(items);

	if (statement)
		ereport(NOTICE,
				(errmsg("table %s has no unique index on column \"%s\", so that looking up an item reads the whole table",
						rec_relation_quoted(items->relid), items->item_column),
				 errhint("%s", statement)));
	statement = rec_item_source_missing_created_index(items);
	if (statement && items->ncolumns > 0)
		ereport(NOTICE,
				(errmsg("table %s has no index on column \"%s\", so that looking for the newest items reads the whole table",
						rec_relation_quoted(items->relid), items->created_column),
				 errhint("%s", statement)));
}

/* Return options of items as they are stored: no nulls, and the configuration in force. */
static Datum
stored_item_options(const RecItemSource *items, Jsonb *options)
{
	RecJson		json = {0};

	rec_json_writer_token(&json, WJB_BEGIN_OBJECT);
	rec_json_writer_key(&json, "config");
	rec_json_writer_text(&json, WJB_VALUE, items->config);
	rec_json_writer_token(&json, WJB_END_OBJECT);
	return DirectFunctionCall2(jsonb_concat,
							   DirectFunctionCall1(jsonb_strip_nulls, JsonbPGetDatum(options)),
							   JsonbPGetDatum(rec_json_writer_finish(&json)));
}

/* Write the one row of the table item_source. */
static void
write_items(const RecDefinition *definition, const RecItemSource *items,
			ArrayType *features, ArrayType *texts, Jsonb *options)
{
	RecTableRow row;

	rec_table_row_begin(&row, REC_TABLE_ITEM_SOURCE);
	rec_table_row_set(&row, Anum_rec_item_source_singleton, BoolGetDatum(true));
	rec_table_row_set(&row, Anum_rec_item_source_relation, ObjectIdGetDatum(items->relid));
	rec_table_row_set_text(&row, Anum_rec_item_source_item_column, items->item_column);
	rec_table_row_set(&row, Anum_rec_item_source_feature_columns, names_or_none(features));
	rec_table_row_set(&row, Anum_rec_item_source_text_columns, names_or_none(texts));
	rec_table_row_set_text(&row, Anum_rec_item_source_available_column, items->available_column);
	rec_table_row_set_text(&row, Anum_rec_item_source_created_column, items->created_column);
	rec_table_row_set_text(&row, Anum_rec_item_source_group_column, items->group_column);
	rec_table_row_set(&row, Anum_rec_item_source_options, stored_item_options(items, options));
	rec_table_row_upsert(&row, rec_definition_table(definition, REC_TABLE_ITEM_SOURCE),
						 Anum_rec_item_source_singleton);
}

/*
 * set_items(recommender, items, item_column, feature_columns, text_columns,
 * available_column, created_column, group_column, options): sets the
 * relation of items, in place of the one before; returns the recommender's name.
 */
PG_FUNCTION_INFO_V1(rec_set_items);
Datum
rec_set_items(PG_FUNCTION_ARGS)
{
	RecDefinition *definition = rec_definition_cache_by_name(rec_arguments_recommender(fcinfo));
	RecItemSource items = {0};
	ArrayType  *features = PG_ARGISNULL(3) ? NULL : PG_GETARG_ARRAYTYPE_P(3);
	ArrayType  *texts = PG_ARGISNULL(4) ? NULL : PG_GETARG_ARRAYTYPE_P(4);
	Jsonb	   *options = rec_json_reader_null_as_object(PG_ARGISNULL(8) ? NULL : PG_GETARG_JSONB_P(8));
	RecCaller	caller;

	rec_definition_check_owner(definition);
	rec_arguments_require(PG_ARGISNULL(1) ? NULL : fcinfo, "items");
	items.relid = PG_GETARG_OID(1);
	items.item_column = rec_arguments_name(fcinfo, 2);
	items.available_column = rec_arguments_name(fcinfo, 5);
	items.created_column = rec_arguments_name(fcinfo, 6);
	items.group_column = rec_arguments_name(fcinfo, 7);
	rec_arguments_require(items.item_column, "item_column");
	rec_relation_check(items.relid);
	rec_item_source_set_columns(&items, features, texts);
	rec_item_source_options_set(&items, options);
	rec_item_source_check(&items, definition->item_type);
	definition = rec_definition_cache_lock(definition, "set_items()");
	begin_writing(definition, &caller);
	write_items(definition, &items, features, texts, options);
	end_writing(definition, &caller);
	notice_missing_item_index(&items);
	PG_RETURN_TEXT_P(cstring_to_text(rec_definition_name(definition)));
}

/*
 * remove_items(recommender): forgets the relation of items; false when there
 * was none.  What the model has of it goes with the next refresh.
 */
PG_FUNCTION_INFO_V1(rec_remove_items);
Datum
rec_remove_items(PG_FUNCTION_ARGS)
{
	RecDefinition *definition = rec_definition_cache_by_name(rec_arguments_recommender(fcinfo));
	RecCaller	caller;
	uint64		removed;

	rec_definition_check_owner(definition);
	definition = rec_definition_cache_lock(definition, "remove_items()");
	begin_writing(definition, &caller);
	rec_spi_execute(psprintf("DELETE FROM %s", rec_definition_table(definition, REC_TABLE_ITEM_SOURCE)),
					0, NULL, NULL, NULL, false, SPI_OK_DELETE);
	removed = SPI_processed;
	end_writing(definition, &caller);
	PG_RETURN_BOOL(removed > 0);
}

/* ----------------
 *		options
 * ----------------
 */

/*
 * Write weights of events to the sources that keep them:
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
								 rec_definition_table(definition, REC_TABLE_SOURCE));

	for (int i = 0; i < options->nevent_weights; i++)
	{
		const RecSourceWeight *given = &options->event_weights[i];
		Datum		values[3];

		values[0] = ObjectIdGetDatum(definition->sources[sources[i]].relid);
		values[1] = CStringGetTextDatum(given->event);
		values[2] = Float8GetDatum(given->weight);
		rec_spi_execute(query, 3, types, values, NULL, false, SPI_OK_UPDATE);
	}
}

/*
 * Change the options that are named, null giving one its default again, and
 * those weights of events that are named.
 */
void
rec_alter_recommender_set_options(RecDefinition *definition, Jsonb *given)
{
	Oid			types[1] = {JSONBOID};
	Datum		values[1];
	RecOptions	options;
	int		   *sources;		/* of the weights of events */
	RecCaller	caller;

	rec_definition_check_owner(definition);
	definition = rec_definition_cache_lock(definition, "set_options()");
	options = definition->options;
	rec_options_read(&options, given, REC_SCOPE_ALL);
	if (definition->items)
		rec_cap_values_check(definition, &options);
	values[0] = DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(given),
									CStringGetTextDatum("event_weights"));
	/* names are the caller's, by the caller's search_path */
	sources = palloc_array(int, options.nevent_weights + 1);
	for (int i = 0; i < options.nevent_weights; i++)
		sources[i] = rec_source_of_weight(definition, &options.event_weights[i]);
	begin_writing(definition, &caller);
	write_event_weights(definition, &options, sources);
	rec_spi_execute(psprintf("UPDATE %s SET options = pg_catalog.jsonb_strip_nulls(options OPERATOR(pg_catalog.||) $1 "
							 "OPERATOR(pg_catalog.||) CASE WHEN pg_catalog.jsonb_typeof(options OPERATOR(pg_catalog.->) 'blend'::pg_catalog.text) OPERATOR(pg_catalog.=) 'object' "
							 "AND pg_catalog.jsonb_typeof($1 OPERATOR(pg_catalog.->) 'blend'::pg_catalog.text) OPERATOR(pg_catalog.=) 'object' "
							 "THEN pg_catalog.jsonb_build_object('blend', (options OPERATOR(pg_catalog.->) 'blend'::pg_catalog.text) OPERATOR(pg_catalog.||) ($1 OPERATOR(pg_catalog.->) 'blend'::pg_catalog.text)) "
							 "ELSE '{}' END)",
							 rec_definition_table(definition, REC_TABLE_DEFINITION)),
					1, types, values, NULL, false, SPI_OK_UPDATE);
	end_writing(definition, &caller);
}

/*
 * set_options(recommender, options): changes the options that are named, null
 * giving an option its default again; returns all options in force.
 */
PG_FUNCTION_INFO_V1(rec_set_options);
Datum
rec_set_options(PG_FUNCTION_ARGS)
{
	RecDefinition *definition = rec_definition_cache_by_name(rec_arguments_recommender(fcinfo));

	rec_arguments_require(PG_ARGISNULL(1) ? NULL : fcinfo, "options");
	rec_alter_recommender_set_options(definition, rec_json_reader_null_as_object(PG_GETARG_JSONB_P(1)));
	definition = rec_definition_cache_get(definition->schema);
	PG_RETURN_JSONB_P(rec_options_write(&definition->options,
										REC_SCOPE_BUILD | REC_SCOPE_SERVE));
}
