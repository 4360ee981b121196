/*-------------------------------------------------------------------------
 *
 * feature_reader.c
 *	  Reading items: the columns of a relation become features.
 *
 * A query casts each column to the type of its kind: text, a number, text[],
 * jsonb or real[].  So columns can have any type that PostgreSQL or the type
 * itself can cast.  No cast depends on a setting: dates become seconds, and
 * numbers that are categories become numeric, which has one text per value.
 *
 * The values of a row are passed to a sink one by one: to the builder of all
 * vectors in a refresh, or to the builder of one vector for an item that the
 * model does not know.  NULLs and empty texts are ignored.
 *
 * SPI must be connected.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/feature_reader.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "content/content_builder.h"
#include "content/feature_reader.h"
#include "miscadmin.h"
#include "pg/json_reader.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "tsearch/ts_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

struct RecFeatureReader
{
	const RecContentColumn *columns;
	int			ncolumns;
	Oid		   *config;			/* of text search, of each column */
	RecFeatureSink sink;
	const RecContentColumn *column; /* the one at hand, for errors */
};

/* ----------------
 *		columns
 * ----------------
 */

/*
 * Return the columns that describe items, in the current memory context:
 * those of a relation's columns that have a weight.
 */
static RecContentColumn *
feature_columns(const RecItemSource *items, int *n)
{
	RecContentColumn *columns = palloc0_array(RecContentColumn, items->ncolumns + 1);

	*n = 0;
	for (int i = 0; i < items->ncolumns; i++)
	{
		const RecItemColumn *given = &items->columns[i];
		RecContentColumn *column = &columns[*n];

		if (given->weight == 0)
			continue;
		column->name = pstrdup(given->name);
		column->kind = rec_item_source_column_kind(items, given);
		column->weight = given->weight;
		column->buckets = given->buckets;
		if (column->kind == REC_ITEM_TEXT)
			column->config = pstrdup(items->config ? items->config : "pg_catalog.simple");
		if (given->bounds)
		{
			column->nbounds = given->nbounds;
			column->bounds = palloc_array(double, given->nbounds);
			memcpy(column->bounds, given->bounds, given->nbounds * sizeof(double));
		}
		(*n)++;
	}
	return columns;
}

/*
 * Return an expression for a category's text that does not depend on
 * settings.
 */
static char *
category_expression(Oid type, const char *column)
{
	switch (type)
	{
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return psprintf("pg_catalog.trim_scale(i.%s::pg_catalog.numeric)::pg_catalog.text", column);
		default:
			return psprintf("i.%s::pg_catalog.text", column);
	}
}

/* Return an expression that casts a column to the type of its kind. */
static char *
column_expression(const RecItemSource *items, const RecContentColumn *column)
{
	const char *name = quote_identifier(column->name);

	switch (column->kind)
	{
		case REC_ITEM_CATEGORY:
			return category_expression(rec_relation_column(items->relid, column->name).type, name);
		case REC_ITEM_NUMBER:
			return psprintf("i.%s::pg_catalog.float8", name);
		case REC_ITEM_DATE:
			return psprintf("pg_catalog.date_part('epoch'::pg_catalog.text, i.%s)", name);
		case REC_ITEM_ARRAY:
			return psprintf("i.%s::pg_catalog.text[]", name);
		case REC_ITEM_JSON:
			return psprintf("i.%s::pg_catalog.jsonb", name);
		case REC_ITEM_TEXT:
			return psprintf("i.%s::pg_catalog.text", name);
		case REC_ITEM_LEXEMES:
			return psprintf("i.%s::pg_catalog.tsvector", name);
		case REC_ITEM_EMBEDDING:
			return psprintf("i.%s::pg_catalog.float4[]", name);
	}
	elog(ERROR, "no such kind of column: %d", column->kind);
}

/*
 * Return the query for items and their describing columns, with a WHERE
 * clause or NULL: SELECT i.item, i.column::type, ... FROM relation i WHERE
 * ...
 */
char *
rec_feature_reader_query(const RecDefinition *definition, const RecContentColumn *columns,
						 int ncolumns, const char *where)
{
	const RecItemSource *items = definition->items;
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT i.%s::%s", quote_identifier(items->item_column),
					 rec_relation_type_quoted(definition->item_type));
	(void) rec_relation_column(items->relid, items->item_column);
	for (int c = 0; c < ncolumns; c++)
		appendStringInfo(&query, ", %s", column_expression(items, &columns[c]));
	appendStringInfo(&query, " FROM %s i", rec_relation_quoted(items->relid));
	if (where)
		appendStringInfo(&query, " WHERE %s", where);
	return query.data;
}

/* ----------------
 *		values
 * ----------------
 */

/* Make a reader of the rows of that query, in the current memory context. */
RecFeatureReader *
rec_feature_reader(const RecContentColumn *columns, int ncolumns, const RecFeatureSink *sink)
{
	RecFeatureReader *reader = palloc0_object(RecFeatureReader);

	reader->columns = columns;
	reader->ncolumns = ncolumns;
	reader->sink = *sink;
	reader->config = palloc0_array(Oid, ncolumns + 1);
	for (int c = 0; c < ncolumns; c++)
		if (columns[c].config)
			reader->config[c] = get_ts_config_oid(rec_relation_qualified_names(columns[c].config), false);
	return reader;
}

static void
read_category(RecFeatureReader *reader, int column, Datum value)
{
	text	   *category = DatumGetTextPP(value);

	reader->sink.value(reader->sink.arg, column, VARDATA_ANY(category),
					   VARSIZE_ANY_EXHDR(category), 1);
}

static void
read_array(RecFeatureReader *reader, int column, Datum value)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			read_category(reader, column, elements[i]);
}

static void read_container(RecFeatureReader *reader, int column, JsonbContainer *container,
						   const char *path);

/* Read a value at a path; the path of the outermost value is NULL. */
static void
read_json_value(RecFeatureReader *reader, int column, const JsonbValue *value, const char *path)
{
	char	   *feature;

	if (value->type == jbvBinary)
	{
		read_container(reader, column, value->val.binary.data, path);
		return;
	}
	feature = rec_json_reader_scalar(value);
	if (feature == NULL || feature[0] == '\0')
		return;
	if (path)
		feature = psprintf("%s=%s", path, feature);
	reader->sink.value(reader->sink.arg, column, feature, strlen(feature), 1);
}

/*
 * Read an object as key=value, an array as each of its elements at the
 * array's own path, and an object in an object as key.key=value.
 */
static void
read_container(RecFeatureReader *reader, int column, JsonbContainer *container,
			   const char *path)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *key = NULL;

	check_stack_depth();
	(void) JsonbIteratorNext(&it, &value, false);	/* its beginning */
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_END_OBJECT &&
		   token != WJB_END_ARRAY)
	{
		if (token == WJB_KEY)
			key = psprintf("%s%s%.*s", path ? path : "", path ? "." : "",
						   value.val.string.len, value.val.string.val);
		else
			read_json_value(reader, column, &value, token == WJB_VALUE ? key : path);
	}
}

static void
read_lexemes(RecFeatureReader *reader, int column, Datum value)
{
	TSVector	vector = DatumGetTSVector(value);
	const WordEntry *entries = ARRPTR(vector);

	for (int i = 0; i < vector->size; i++)
	{
		const WordEntry *entry = &entries[i];
		int			n = entry->haspos ? POSDATALEN(vector, entry) : 1;

		reader->sink.value(reader->sink.arg, column, STRPTR(vector) + entry->pos,
						   entry->len, (uint32) Max(n, 1));
	}
}

static void
read_text(RecFeatureReader *reader, int column, Datum value)
{
	read_lexemes(reader, column,
				 DirectFunctionCall2(to_tsvector_byid,
									 ObjectIdGetDatum(reader->config[column]), value));
}

/* Return why an array cannot be an embedding, NULL if it can. */
static const char *
embedding_fault(const ArrayType *array)
{
	const float4 *values = (const float4 *) ARR_DATA_PTR(array);

	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array))
		return "must be a one-dimensional array without nulls";
	for (int i = 0; ARR_NDIM(array) == 1 && i < ARR_DIMS(array)[0]; i++)
		if (!isfinite(values[i]))
			return "must have finite numbers";
	return NULL;
}

/* Embeddings without elements are ignored. */
static void
read_embedding(RecFeatureReader *reader, int column, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	const char *fault = embedding_fault(array);
	int			n = fault || ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	const char *item;

	if (fault == NULL &&
		(n == 0 || reader->sink.embedding(reader->sink.arg, column,
										  (const float4 *) ARR_DATA_PTR(array), n)))
		return;
	if (reader->sink.lenient)
		return;
	item = reader->sink.item(reader->sink.arg);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 fault ? errmsg("the embedding of item %s in column \"%s\" %s", item, reader->column->name, fault) :
			 errmsg("the embedding of item %s in column \"%s\" has %d dimensions, those of items before it have another number of them",
					item, reader->column->name, n),
			 errhint("Correct the row, set the embedding to null, or leave it out with a view.")));
}

/* ----------------
 *		rows
 * ----------------
 */

static void
tell_column(void *arg)
{
	RecFeatureReader *reader = (RecFeatureReader *) arg;

	if (reader->column)
		errcontext("column \"%s\" of an item", reader->column->name);
}

/* Pass a row's columns, from the second on, to the sink. */
void
rec_feature_reader_read(RecFeatureReader *reader, const Datum *values, const bool *nulls)
{
	static void (*const read_kind[]) (RecFeatureReader *reader, int column, Datum value) = {
		[REC_ITEM_CATEGORY] = read_category,
		[REC_ITEM_ARRAY] = read_array,
		[REC_ITEM_JSON] = NULL,
		[REC_ITEM_TEXT] = read_text,
		[REC_ITEM_LEXEMES] = read_lexemes,
		[REC_ITEM_EMBEDDING] = read_embedding
	};
	ErrorContextCallback callback;

	callback.callback = tell_column;
	callback.arg = reader;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	for (int c = 0; c < reader->ncolumns; c++)
	{
		Datum		value = values[c + 1];

		if (nulls[c + 1])
			continue;
		reader->column = &reader->columns[c];
		switch (reader->column->kind)
		{
			case REC_ITEM_NUMBER:
			case REC_ITEM_DATE:
				reader->sink.number(reader->sink.arg, c, DatumGetFloat8(value));
				break;
			case REC_ITEM_JSON:
				read_container(reader, c, &DatumGetJsonbP(value)->root, NULL);
				break;
			default:
				read_kind[reader->column->kind] (reader, c, value);
		}
	}
	reader->column = NULL;
	error_context_stack = callback.previous;
}

/* ----------------
 *		all items
 * ----------------
 */

typedef struct CatalogReader
{
	RecFeatureReader *reader;
	RecContentBuilder *builder;
	RecDict    *items;
	uint32		item;			/* the one at hand */
} CatalogReader;

static void
take_value(void *arg, int column, const char *value, int length, uint32 count)
{
	CatalogReader *catalog = (CatalogReader *) arg;

	rec_content_builder_add(catalog->builder, catalog->item, column, value, length, count);
}

static void
take_number(void *arg, int column, double number)
{
	CatalogReader *catalog = (CatalogReader *) arg;

	rec_content_builder_add_number(catalog->builder, catalog->item, column, number);
}

static bool
take_embedding(void *arg, int column, const float4 *values, int dimensions)
{
	CatalogReader *catalog = (CatalogReader *) arg;

	return rec_content_builder_add_embedding(catalog->builder, catalog->item, column,
											 values, dimensions);
}

static char *
item_text(void *arg)
{
	CatalogReader *catalog = (CatalogReader *) arg;

	return rec_dictionary_text(catalog->items, catalog->item);
}

static void
take_row(void *arg, TupleTableSlot *slot)
{
	CatalogReader *catalog = (CatalogReader *) arg;

	if (slot->tts_isnull[0])
		return;
	catalog->item = rec_dictionary_intern(catalog->items, slot->tts_values[0]);
	rec_content_builder_add_item(catalog->builder, catalog->item);
	rec_feature_reader_read(catalog->reader, slot->tts_values, slot->tts_isnull);
}

/*
 * Read the whole relation of items with the current user's rights and the
 * active snapshot. Return the builder of their vectors, in which each item
 * has its number in the dictionary. All memory is in "mcxt".
 */
RecContentBuilder *
rec_feature_reader_read_all(const RecDefinition *definition, RecDict *items, MemoryContext mcxt)
{
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	RecFeatureSink sink = {take_value, take_number, take_embedding, item_text, NULL, false};
	CatalogReader catalog = {0};
	RecContentColumn *columns;
	int			ncolumns;
	SPIPlanPtr	plan;

	rec_definition_check_items(definition);
	columns = feature_columns(definition->items, &ncolumns);
	sink.arg = &catalog;
	catalog.reader = rec_feature_reader(columns, ncolumns, &sink);
	catalog.builder = rec_content_builder_create(mcxt, columns, ncolumns,
												 definition->items->feature_max_items);
	catalog.items = items;
	plan = rec_spi_prepare(rec_feature_reader_query(definition, columns, ncolumns, NULL),
						   0, NULL, CURSOR_OPT_PARALLEL_OK);
	rec_spi_receive(plan, NULL, take_row, &catalog);
	SPI_freeplan(plan);
	MemoryContextSwitchTo(old);
	return catalog.builder;
}
