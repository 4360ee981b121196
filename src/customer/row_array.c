/*-------------------------------------------------------------------------
 *
 * row_array.c
 *	  Arrays of rows: results of aggregates, and arguments that come back.
 *
 * A model that is an array of rows is made by an aggregate and then given to a
 * function for each row of a table.  The function turns it into what it needs
 * once, and again only when it gets another value.  Values are compared byte by
 * byte as they are stored: one that is compressed or stored out of line is not
 * read for that.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/row_array.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "customer/row_array.h"
#include "funcapi.h"
#include "pg/compat.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

/* Begin the array that a function returns, in the current context. */
RecRowArray
rec_row_array_begin(FunctionCallInfo fcinfo)
{
	RecRowArray rows = {0};

	rows.row_type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	rows.desc = lookup_rowtype_tupdesc_copy(rows.row_type, -1);
	rows.array = initArrayResult(rows.row_type, CurrentMemoryContext, false);
	return rows;
}

/* Add a row. */
void
rec_row_array_add(RecRowArray *rows, Datum *values, bool *nulls)
{
	HeapTuple	tuple = heap_form_tuple(rows->desc, values, nulls);

	rows->size += MAXALIGN(tuple->t_len);
	if (rows->size > MaxAllocSize / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the rows of the result do not fit into one value")));
	rows->array = accumArrayResult(rows->array, HeapTupleGetDatum(tuple), false,
								   rows->row_type, CurrentMemoryContext);
	heap_freetuple(tuple);
}

/* Return the array, in "mcxt". */
Datum
rec_row_array_finish(RecRowArray *rows, MemoryContext mcxt)
{
	return makeArrayResult(rows->array, mcxt);
}

/* Read the fields of a row of a type of ours. */
void
rec_row_array_read(Datum row, int ncolumns, Datum *values, bool *nulls)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(row);
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header),
											  HeapTupleHeaderGetTypMod(header));
	HeapTupleData tuple;

	if (desc->natts != ncolumns)
		elog(ERROR, "a row has %d columns, not %d", desc->natts, ncolumns);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, desc, values, nulls);
	ReleaseTupleDesc(desc);
}

/* What a function keeps of the value that it was called with last. */
typedef struct LastValue
{
	MemoryContext mcxt;			/* of all that follows */
	struct varlena *value;		/* as it was given */
	void	   *parsed;
} LastValue;

static void
parse_value(LastValue *last, struct varlena *value, RecRowParser parse)
{
	MemoryContext old;
	ArrayType  *array;
	Datum	   *rows;
	bool	   *nulls;
	int			nrows;
	int			n = 0;

	MemoryContextReset(last->mcxt);
	old = MemoryContextSwitchTo(last->mcxt);
	last->value = NULL;
	array = DatumGetArrayTypeP(PointerGetDatum(value));
	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE,
					  &rows, &nulls, &nrows);
	for (int i = 0; i < nrows; i++)
	{
		if (!nulls[i])
			rows[n++] = rows[i];
	}
	last->parsed = parse(rows, n);
	last->value = palloc(VARSIZE_ANY(value));
	memcpy(last->value, value, VARSIZE_ANY(value));
	MemoryContextSwitchTo(old);
}

/*
 * Return an argument, an array of rows that is not NULL, as "parse" has made it
 * of its rows; NULL rows are left out.
 */
void *
rec_row_array_parsed(FunctionCallInfo fcinfo, int argument, RecRowParser parse)
{
	LastValue  *last = (LastValue *) fcinfo->flinfo->fn_extra;
	struct varlena *value = (struct varlena *) PG_GETARG_POINTER(argument);

	/* such a value may change in its place */
	if (VARATT_IS_EXTERNAL_EXPANDED(value) || VARATT_IS_EXTERNAL_INDIRECT(value))
		value = pg_detoast_datum(value);
	if (last == NULL)
	{
		last = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(LastValue));
		last->mcxt = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "recommender rows",
										   ALLOCSET_DEFAULT_SIZES);
		fcinfo->flinfo->fn_extra = last;
	}
	if (last->value == NULL || VARSIZE_ANY(last->value) != VARSIZE_ANY(value) ||
		memcmp(last->value, value, VARSIZE_ANY(value)) != 0)
		parse_value(last, value, parse);
	return last->parsed;
}
