/*-------------------------------------------------------------------------
 *
 * definition_read.c
 *	  Reading a recommender's definition from its tables.
 *
 * Whoever owns a recommender can write anything to its tables, and give them
 * other columns: what is read is checked, and an ERROR when it is not as it
 * should be.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/definition_read.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "definition/definition_read.h"
#include "definition/item_source_options.h"
#include "executor/spi.h"
#include "options/options_default.h"
#include "options/options_read.h"
#include "pg/arguments.h"
#include "pg/owner.h"
#include "pg/relation.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* ----------------
 *		tables and types
 * ----------------
 */

/* True when a table's columns of ids, if it has any, are of the items' type. */
static bool
ids_fit(Oid relid, Oid item_type)
{
	AttrNumber	item_id = get_attnum(relid, "item_id");
	AttrNumber	nearest = get_attnum(relid, "nearest");

	return (item_id == InvalidAttrNumber || get_atttype(relid, item_id) == item_type) &&
		(nearest == InvalidAttrNumber || get_atttype(relid, nearest) == get_array_type(item_type));
}

/* Refuse a table, which is locked, that is not as it was made. */
void
rec_definition_read_check_table(const RecDefinition *definition, const char *table)
{
	if (rec_layout_damage(definition->schema, table) ||
		!ids_fit(get_relname_relid(table, definition->schema), definition->item_type))
		rec_layout_refuse_table(table, definition->schema);
}

/* The types of ids are those of the recommender's own columns. */
static void
find_types(RecDefinition *definition)
{
	RecColumn	item = rec_relation_column(definition->tables[REC_TABLE_ITEM], "item_id");
	RecColumn	user;
	Oid			row = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									  CStringGetDatum("user_recommendation"),
									  ObjectIdGetDatum(definition->schema));

	if (!OidIsValid(row) || !OidIsValid(get_typ_typrelid(row)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type \"user_recommendation\" of recommender \"%s\" does not exist",
						rec_definition_name(definition))));
	user = rec_relation_column(get_typ_typrelid(row), "user_id");
	if (!ids_fit(definition->tables[REC_TABLE_NEIGHBOR], item.type))
		rec_layout_refuse_table("neighbor", definition->schema);
	if (!ids_fit(definition->tables[REC_TABLE_ITEM_FEATURE], item.type))
		rec_layout_refuse_table("item_feature", definition->schema);
	definition->item_type = item.type;
	definition->item_collation = item.collation;
	get_typlenbyvalalign(item.type, &definition->item_typlen, &definition->item_typbyval,
						 &definition->item_typalign);
	definition->user_type = user.type;
	definition->user_collation = user.collation;
}

/* ----------------
 *		rows
 * ----------------
 */

static void
read_query(const char *query)
{
	int			code = SPI_execute(query, true, 0);

	if (code != SPI_OK_SELECT)
		elog(ERROR, "could not read a recommender's definition: %s",
			 SPI_result_code_string(code));
}

/* A column of the row at hand, a row of a whole table. */
static Datum
row_value(HeapTuple row, RecTable table, AttrNumber column, bool *isnull)
{
	const char *name = rec_layout_column_name(table, column);

	return SPI_getbinval(row, SPI_tuptable->tupdesc, SPI_fnumber(SPI_tuptable->tupdesc, name),
						 isnull);
}

/* A column of the row at hand as text in the current context, or NULL. */
static char *
row_text(HeapTuple row, RecTable table, AttrNumber column)
{
	const char *name = rec_layout_column_name(table, column);

	return SPI_getvalue(row, SPI_tuptable->tupdesc, SPI_fnumber(SPI_tuptable->tupdesc, name));
}

/* Refuse a recommender that another version of the extension made. */
static void
check_layout(const RecDefinition *definition, HeapTuple row)
{
	bool		isnull;
	int32		layout = DatumGetInt32(row_value(row, REC_TABLE_DEFINITION,
												 Anum_rec_definition_layout, &isnull));

	if (isnull || layout != REC_LAYOUT_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" has tables of layout %d, and this version of the extension works with layout %d",
						rec_definition_name(definition), isnull ? 0 : layout, REC_LAYOUT_VERSION),
				 errhint("Drop the recommender and create it again.")));
}

/* Read the options in force into the definition's context. */
static void
read_options(RecDefinition *definition)
{
	Datum		value;
	bool		isnull;
	MemoryContext old;

	read_query(psprintf("SELECT d.* FROM %s d",
						rec_definition_table(definition, REC_TABLE_DEFINITION)));
	if (SPI_processed != 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the definition of recommender \"%s\" must have one row, not %llu",
						rec_definition_name(definition),
						(unsigned long long) SPI_processed)));
	check_layout(definition, SPI_tuptable->vals[0]);
	value = row_value(SPI_tuptable->vals[0], REC_TABLE_DEFINITION, Anum_rec_definition_options, &isnull);
	old = MemoryContextSwitchTo(definition->mcxt);
	rec_options_default(&definition->options, true);
	if (definition->items && definition->items->group_column)
		rec_options_cap(&definition->options, definition->items->group_column, 1);
	if (!isnull)
		rec_options_read(&definition->options, DatumGetJsonbP(value),
						 REC_SCOPE_BUILD | REC_SCOPE_SERVE);
	MemoryContextSwitchTo(old);
}

/* Read the names of a source's context columns into the current context. */
static void
read_context_columns(RecSource *source, ArrayType *columns)
{
	Datum	   *names = rec_arguments_names(columns, "context_columns", &source->ncontexts);

	source->context_columns = palloc_array(char *, source->ncontexts + 1);
	for (int i = 0; i < source->ncontexts; i++)
		source->context_columns[i] = pstrdup(NameStr(*DatumGetName(names[i])));
}

/* Number the context columns of all sources, those of one name alike. */
static void
number_contexts(RecDefinition *definition)
{
	int			n = 0;

	for (int i = 0; i < definition->nsources; i++)
		n += definition->sources[i].ncontexts;
	definition->contexts = palloc_array(char *, n + 1);
	for (int i = 0; i < definition->nsources; i++)
	{
		RecSource  *source = &definition->sources[i];

		source->context_numbers = palloc_array(int, source->ncontexts + 1);
		for (int c = 0; c < source->ncontexts; c++)
		{
			int			number = 0;

			while (number < definition->ncontexts &&
				   strcmp(definition->contexts[number], source->context_columns[c]) != 0)
				number++;
			if (number == definition->ncontexts)
				definition->contexts[definition->ncontexts++] = source->context_columns[c];
			source->context_numbers[c] = number;
		}
	}
}

static void
read_source(RecSource *source, HeapTuple row)
{
	bool		isnull;
	Datum		weights;
	Datum		contexts;

	memset(source, 0, sizeof(*source));
	source->relid = DatumGetObjectId(row_value(row, REC_TABLE_SOURCE, Anum_rec_source_relation, &isnull));
	source->user_column = row_text(row, REC_TABLE_SOURCE, Anum_rec_source_user_column);
	source->item_column = row_text(row, REC_TABLE_SOURCE, Anum_rec_source_item_column);
	source->time_column = row_text(row, REC_TABLE_SOURCE, Anum_rec_source_time_column);
	source->event_column = row_text(row, REC_TABLE_SOURCE, Anum_rec_source_event_column);
	source->weight_column = row_text(row, REC_TABLE_SOURCE, Anum_rec_source_weight_column);
	source->event = row_text(row, REC_TABLE_SOURCE, Anum_rec_source_event);
	weights = row_value(row, REC_TABLE_SOURCE, Anum_rec_source_event_weights, &isnull);
	if (!isnull)
		source->event_weights = rec_interaction_event_weights_parse(DatumGetJsonbP(weights));
	contexts = row_value(row, REC_TABLE_SOURCE, Anum_rec_source_context_columns, &isnull);
	if (!isnull)
		read_context_columns(source, DatumGetArrayTypeP(contexts));
	if (source->user_column == NULL || source->item_column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a source of interactions must have a user and an item column")));
}

static void
read_sources(RecDefinition *definition)
{
	MemoryContext old;

	read_query(psprintf("SELECT s.* FROM %s s ORDER BY s.position",
						rec_definition_table(definition, REC_TABLE_SOURCE)));
	old = MemoryContextSwitchTo(definition->mcxt);
	definition->sources = palloc_array(RecSource, SPI_processed + 1);
	for (uint64 i = 0; i < SPI_processed; i++)
		read_source(&definition->sources[i], SPI_tuptable->vals[i]);
	definition->nsources = (int) SPI_processed;
	number_contexts(definition);
	MemoryContextSwitchTo(old);
}

/* A column of names of the row at hand, NULL for a null. */
static ArrayType *
names_column(HeapTuple row, AttrNumber column)
{
	bool		isnull;
	Datum		names = row_value(row, REC_TABLE_ITEM_SOURCE, column, &isnull);

	return isnull ? NULL : DatumGetArrayTypeP(names);
}

/* Read the row of the relation of items, if there is one. */
static void
read_items(RecDefinition *definition)
{
	RecItemSource *items;
	HeapTuple	row;
	Datum		value;
	bool		isnull;
	MemoryContext old;

	read_query(psprintf("SELECT s.* FROM %s s",
						rec_definition_table(definition, REC_TABLE_ITEM_SOURCE)));
	if (SPI_processed == 0)
		return;
	if (SPI_processed > 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" must have one relation of items, not %llu",
						rec_definition_name(definition),
						(unsigned long long) SPI_processed),
				 errhint("Run recommender.set_items() again.")));
	row = SPI_tuptable->vals[0];
	old = MemoryContextSwitchTo(definition->mcxt);
	items = palloc0_object(RecItemSource);
	items->relid = DatumGetObjectId(row_value(row, REC_TABLE_ITEM_SOURCE, Anum_rec_item_source_relation, &isnull));
	items->item_column = row_text(row, REC_TABLE_ITEM_SOURCE, Anum_rec_item_source_item_column);
	rec_item_source_set_columns(items, names_column(row, Anum_rec_item_source_feature_columns),
								names_column(row, Anum_rec_item_source_text_columns));
	items->available_column = row_text(row, REC_TABLE_ITEM_SOURCE, Anum_rec_item_source_available_column);
	items->created_column = row_text(row, REC_TABLE_ITEM_SOURCE, Anum_rec_item_source_created_column);
	items->group_column = row_text(row, REC_TABLE_ITEM_SOURCE, Anum_rec_item_source_group_column);
	value = row_value(row, REC_TABLE_ITEM_SOURCE, Anum_rec_item_source_options, &isnull);
	if (items->item_column == NULL || isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a relation of items must have an item column and options")));
	rec_item_source_options_set(items, DatumGetJsonbP(value));
	definition->items = items;
	MemoryContextSwitchTo(old);
}

/*
 * Read the types of ids, the relation of items, options and sources into a
 * definition that knows its schema and tables, by the latest snapshot.  That is
 * done as the owner, because even a plain SELECT can run functions of the
 * owner's, in the predicate of an index for instance.
 */
void
rec_definition_read(RecDefinition *definition)
{
	RecCaller	caller;

	rec_owner_become(rec_definition_owner(definition), REC_VISIBLE_ROWS, &caller);
	SPI_connect();
	PushActiveSnapshot(GetCatalogSnapshot(definition->tables[REC_TABLE_DEFINITION]));
	find_types(definition);
	read_items(definition);
	read_options(definition);
	read_sources(definition);
	PopActiveSnapshot();
	SPI_finish();
	rec_owner_return(&caller);
}
