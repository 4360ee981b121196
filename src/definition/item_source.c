/*-------------------------------------------------------------------------
 *
 * item_source.c
 *	  The relation of a recommender's items: which column is what.
 *
 * set_items() names a relation whose rows are the items, the columns that
 * describe them, and those that say whether an item can be had and since
 * when.  What it is told is checked here and written to the one row of the
 * table "item_source" (alter_recommender.c); the definition's cache reads it from there by
 * the same functions, as nothing keeps others from writing that row.
 *
 * Names and options (item_source_options.c) are read without a look at the relation,
 * which may have changed since or be gone; whoever uses a column looks it up.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/item_source.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_type.h"
#include "definition/item_source.h"
#include "interaction/interaction.h"
#include "parser/parse_coerce.h"
#include "pg/arguments.h"
#include "pg/relation.h"
#include "tsearch/ts_cache.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define DEFAULT_BUCKETS		10

/* ----------------
 *		columns
 * ----------------
 */

static const char *const kind_names[] = {
	[REC_ITEM_CATEGORY] = "category",
	[REC_ITEM_NUMBER] = "number",
	[REC_ITEM_DATE] = "date",
	[REC_ITEM_ARRAY] = "array",
	[REC_ITEM_JSON] = "json",
	[REC_ITEM_TEXT] = "text",
	[REC_ITEM_LEXEMES] = "lexemes",
	[REC_ITEM_EMBEDDING] = "embedding"
};

/* Return the word for what a column is. */
const char *
rec_item_source_kind_name(RecItemColumnKind kind)
{
	return kind_names[kind];
}

/* Find what a column is by that word; false when there is no such word. */
bool
rec_item_source_kind_by_name(const char *name, RecItemColumnKind *kind)
{
	for (int i = 0; i < (int) lengthof(kind_names); i++)
	{
		if (strcmp(kind_names[i], name) != 0)
			continue;
		*kind = i;
		return true;
	}
	return false;
}

static void
add_columns(RecItemSource *items, const Datum *names, int n, bool text)
{
	for (int i = 0; i < n; i++)
	{
		RecItemColumn *column = &items->columns[items->ncolumns];

		memset(column, 0, sizeof(*column));
		column->name = pstrdup(NameStr(*DatumGetName(names[i])));
		column->text = text;

		column->weight = 1;
		column->buckets = DEFAULT_BUCKETS;
		for (int j = 0; j < items->ncolumns; j++)
			if (strcmp(items->columns[j].name, column->name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("column \"%s\" is named twice in feature_columns and text_columns",
								column->name)));
		items->ncolumns++;
	}
}

/*
 * Set the columns that describe items, in the current context; their options
 * are the defaults.
 */
void
rec_item_source_set_columns(RecItemSource *items, ArrayType *features, ArrayType *texts)
{
	int			nfeatures;
	int			ntexts;
	Datum	   *feature_names = rec_arguments_names(features, "feature_columns", &nfeatures);
	Datum	   *text_names = rec_arguments_names(texts, "text_columns", &ntexts);

	items->ncolumns = 0;
	items->columns = palloc_array(RecItemColumn, nfeatures + ntexts + 1);
	add_columns(items, feature_names, nfeatures, false);
	add_columns(items, text_names, ntexts, true);
}

/* True for pgvector's types of dense vectors, which are cast to real[]. */
static bool
is_vector(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	const char *name;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	name = NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname);
	result = strcmp(name, "vector") == 0 || strcmp(name, "halfvec") == 0;
	ReleaseSysCache(tuple);
	return result && OidIsValid(rec_relation_cast_function(type, FLOAT4ARRAYOID));
}

static RecItemColumnKind
text_column_kind(const RecItemColumn *column, Oid type)
{
	if (type == TSVECTOROID)
		return REC_ITEM_LEXEMES;
	if (TypeCategory(type) != TYPCATEGORY_STRING)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\", a text column, must be of type text or tsvector, not %s",
						column->name, format_type_be(type))));
	return REC_ITEM_TEXT;
}

static RecItemColumnKind
feature_column_kind(const RecItemColumn *column, Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return column->categorical ? REC_ITEM_CATEGORY : REC_ITEM_NUMBER;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return REC_ITEM_DATE;
		case JSONOID:
		case JSONBOID:
			return REC_ITEM_JSON;
		case TSVECTOROID:
			return REC_ITEM_LEXEMES;
		case FLOAT4ARRAYOID:
		case FLOAT8ARRAYOID:
			return REC_ITEM_EMBEDDING;
		case UUIDOID:
			return REC_ITEM_CATEGORY;
	}
	switch (TypeCategory(type))
	{
		case TYPCATEGORY_ARRAY:
			return REC_ITEM_ARRAY;
		case TYPCATEGORY_BOOLEAN:
		case TYPCATEGORY_ENUM:
		case TYPCATEGORY_STRING:
		case TYPCATEGORY_NETWORK:
			return REC_ITEM_CATEGORY;
	}
	if (is_vector(type))
		return REC_ITEM_EMBEDDING;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of type %s cannot describe items",
					column->name, format_type_be(type)),
			 errhint("Give a view that casts the column to text.")));
}

/*
 * Return what a column is by its type; an ERROR when the relation has no such
 * column or its type cannot describe items.
 */
RecItemColumnKind
rec_item_source_column_kind(const RecItemSource *items, const RecItemColumn *column)
{
	Oid			type = rec_relation_column(items->relid, column->name).type;

	return column->text ? text_column_kind(column, type) : feature_column_kind(column, type);
}

static void
check_options_of_column(const RecItemColumn *column, RecItemColumnKind kind, Oid type)
{
	bool		bucketed = kind == REC_ITEM_NUMBER || kind == REC_ITEM_DATE;

	if (column->categorical && kind != REC_ITEM_CATEGORY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of type %s cannot be categorical",
						column->name, format_type_be(type))));
	if ((column->buckets != DEFAULT_BUCKETS || column->bounds) && !bucketed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of type %s has no buckets",
						column->name, format_type_be(type))));
	if (column->bounds && kind != REC_ITEM_NUMBER)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of type %s takes a number of buckets, not their bounds",
						column->name, format_type_be(type))));
}

/* Return the qualified name of a text search configuration, or of the default. */
static char *
qualified_config(const char *config)
{
	Oid			oid = config ? get_ts_config_oid(rec_relation_qualified_names(config), false) :
	getTSCurrentConfig(true);
	HeapTuple	tuple = SearchSysCache1(TSCONFIGOID, ObjectIdGetDatum(oid));
	Form_pg_ts_config form;
	char	   *result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for text search configuration %u", oid);
	form = (Form_pg_ts_config) GETSTRUCT(tuple);
	result = quote_qualified_identifier(get_namespace_name(form->cfgnamespace),
										NameStr(form->cfgname));
	ReleaseSysCache(tuple);
	return result;
}

/*
 * Raise an error when the column of availability is of another type than
 * boolean.
 */
void
rec_item_source_check_available(const RecItemSource *items)
{
	Oid			type;

	if (items->available_column == NULL)
		return;
	type = rec_relation_column(items->relid, items->available_column).type;
	if (type != BOOLOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of relation \"%s\", the availability, must be of type boolean, not %s",
						items->available_column, get_rel_name(items->relid), format_type_be(type)),
				 errhint("Give a view with a column that is true for available items.")));
}

/*
 * Return the type of the column of creation, which the relation must have; an
 * error when it is no time.
 */
Oid
rec_item_source_created_type(const RecItemSource *items)
{
	Oid			type = rec_relation_column(items->relid, items->created_column).type;

	rec_interaction_check_time_column(type, psprintf("column \"%s\" of relation \"%s\", the creation,",
													 items->created_column, get_rel_name(items->relid)));
	return type;
}

/*
 * Raise an error when a column is missing or of a type that does not fit,
 * "item_type" being that of the recommender's items.
 */
void
rec_item_source_check_columns(const RecItemSource *items, Oid item_type)
{
	rec_relation_check_same_type(items->relid, items->item_column, item_type);
	for (int i = 0; i < items->ncolumns; i++)
		check_options_of_column(&items->columns[i],
								rec_item_source_column_kind(items, &items->columns[i]),
								rec_relation_column(items->relid, items->columns[i].name).type);
	rec_item_source_check_available(items);
	if (items->created_column)
		(void) rec_item_source_created_type(items);
	if (items->group_column)
		(void) rec_relation_equality_operator(rec_relation_column(items->relid, items->group_column).type);
}

/*
 * Check what set_items() is told by the catalogs: a relation without the
 * columns that are named, or with columns of types that do not fit, is an
 * ERROR, "item_type" being that of the recommender's items.  The name of the
 * text search configuration, by default the session's, becomes qualified.
 */
void
rec_item_source_check(RecItemSource *items, Oid item_type)
{
	items->config = qualified_config(items->config);
	rec_item_source_check_columns(items, item_type);
}

/*
 * Return the CREATE INDEX that looking up an item wants, NULL when there is
 * such an index or the relation is no table.
 */
char *
rec_item_source_missing_index(const RecItemSource *items)
{
	return rec_relation_missing_index(items->relid, items->item_column, NULL, true);
}

/*
 * Return the CREATE INDEX that looking for the newest items wants, NULL when
 * there is such an index, or the relation is no table or does not say.
 */
char *
rec_item_source_missing_created_index(const RecItemSource *items)
{
	if (items->created_column == NULL)
		return NULL;
	return rec_relation_missing_index(items->relid, items->created_column, NULL, false);
}
