/*-------------------------------------------------------------------------
 *
 * cap_values.c
 *	  The values of max_per's columns, as numbers.
 *
 * One query reads the columns of the items at hand, with the caller's rights:
 *
 *	SELECT i.id::type, i.brand, i.family FROM items i WHERE i.id = ANY ($1)
 *
 * and each column has a dictionary, so that equal values have equal numbers.
 * NULL is no value: it equals no other.  If the relation has several
 * rows of an item, the value with the bytewise smallest text counts.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/cap_values.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "definition/item_source.h"
#include "definition/plan_cache.h"
#include "interaction/dictionary.h"
#include "miscadmin.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "serve/cap_values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

struct RecCapped
{
	RecDefinition *definition;
	int			ncolumns;
	RecDict   **values;			/* of each column */
	char	   *query;
};

/*
 * Refuse an option max_per with columns that the relation of items does not
 * have, or whose values cannot be compared; with any column, when there is no
 * recommender (NULL).
 */
void
rec_cap_values_check(const RecDefinition *definition, const RecOptions *options)
{
	if (options->ncaps > 0 && definition == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"max_per\" needs a recommender with a relation of items")));
	if (options->ncaps > 0 && definition->items == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("option \"max_per\" needs a relation of items, and recommender \"%s\" has none",
						rec_definition_name(definition)),
				 errhint("Name it with recommender.set_items(%s, ...).",
						 quote_literal_cstr(rec_definition_name(definition)))));
	if (options->ncaps > 0)
		rec_definition_check_items(definition);
	for (int i = 0; i < options->ncaps; i++)
		(void) rec_relation_equality_operator(rec_relation_column(definition->items->relid,
													   options->caps[i].column).type);
}

/* Return what reads the values of max_per's columns, NULL when it has none. */
RecCapped *
rec_cap_values_create(RecDefinition *definition, const RecOptions *options)
{
	const RecItemSource *items = definition->items;
	RecCapped  *capped;
	StringInfoData query;

	if (options->ncaps == 0)
		return NULL;
	rec_cap_values_check(definition, options);
	capped = palloc0_object(RecCapped);
	capped->definition = definition;
	capped->ncolumns = options->ncaps;
	capped->values = palloc_array(RecDict *, options->ncaps);
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT i.%s::%s", quote_identifier(items->item_column),
					 rec_relation_type_quoted(definition->item_type));
	for (int i = 0; i < options->ncaps; i++)
	{
		RecColumn	column = rec_relation_column(items->relid, options->caps[i].column);

		capped->values[i] = rec_dictionary_create(column.type, column.collation, CurrentMemoryContext);
		appendStringInfo(&query, ", i.%s", quote_identifier(options->caps[i].column));
	}
	appendStringInfo(&query, " FROM %s i WHERE i.%s %s ANY ($1)",
					 rec_relation_quoted(items->relid), quote_identifier(items->item_column),
					 rec_relation_equality_operator(definition->item_type));
	capped->query = query.data;
	return capped;
}

/* Refuse a result of other types than the columns had before. */
static void
check_types(const RecCapped *capped, TupleDesc desc)
{
	bool		same = getBaseType(SPI_gettypeid(desc, 1)) == capped->definition->item_type;

	for (int c = 0; c < capped->ncolumns; c++)
		same &= getBaseType(SPI_gettypeid(desc, c + 2)) == rec_dictionary_type(capped->values[c]);
	if (!same)
		elog(ERROR, "the type of a column of items has changed");
}

/* Keep one of the values of two rows of an item: that of the smaller text. */
static void
keep_value(RecDict *dict, int32 *kept, int32 value)
{
	if (*kept == value)
		return;
	if (*kept < 0 || strcmp(rec_dictionary_text(dict, (uint32) value),
							rec_dictionary_text(dict, (uint32) *kept)) < 0)
		*kept = value;
}

static void
read_row(RecCapped *capped, HeapTuple row, TupleDesc desc, int32 *values)
{
	for (int c = 0; c < capped->ncolumns; c++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(row, desc, c + 2, &isnull);

		if (!isnull)
			keep_value(capped->values[c], &values[c],
					   (int32) rec_dictionary_intern(capped->values[c], value));
	}
}

/*
 * Fill in a number for the value of each column of each of n items, column by
 * column within the item; negative for none.  SPI is connected.
 */
void
rec_cap_values_read(RecCapped *capped, const Datum *ids, int n, int32 *values)
{
	RecDefinition *definition = capped->definition;
	RecDict    *items = rec_definition_item_dictionary(definition, CurrentMemoryContext);
	Oid			types[1] = {get_array_type(definition->item_type)};
	Datum		arguments[1] = {rec_definition_id_array(definition, ids, n)};
	RecQuery	query = {capped->query, 1, types, arguments, NULL};
	int32	   *by_item = palloc_extended(mul_size(mul_size(n, capped->ncolumns), sizeof(int32)),
										  MCXT_ALLOC_HUGE);

	memset(by_item, -1, mul_size(mul_size(n, capped->ncolumns), sizeof(int32)));
	for (int i = 0; i < n; i++)
		(void) rec_dictionary_intern(items, ids[i]);
	rec_plan_cache_execute(definition, &query);
	check_types(capped, SPI_tuptable->tupdesc);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;
		Datum		id = SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull);
		uint32		item = isnull ? REC_NOT_FOUND : rec_dictionary_find(items, id);

		CHECK_FOR_INTERRUPTS();
		if (item != REC_NOT_FOUND)
			read_row(capped, row, SPI_tuptable->tupdesc, by_item + (Size) item * capped->ncolumns);
	}
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < n; i++)
		memcpy(values + (Size) i * capped->ncolumns,
			   by_item + (Size) rec_dictionary_find(items, ids[i]) * capped->ncolumns,
			   capped->ncolumns * sizeof(int32));
	pfree(by_item);
}
