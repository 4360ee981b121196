/*-------------------------------------------------------------------------
 *
 * row_array.h
 *	  Arrays of rows: results of aggregates, and arguments that come back.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/row_array.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ROW_ARRAY_H
#define REC_ROW_ARRAY_H

#include "access/tupdesc.h"
#include "fmgr.h"
#include "utils/array.h"

/* An array of rows that is being written. */
typedef struct RecRowArray
{
	TupleDesc	desc;
	Oid			row_type;
	ArrayBuildState *array;
	Size		size;			/* of the rows so far */
} RecRowArray;

/* Turn an array's rows into what a function needs, in the current context. */
typedef void *(*RecRowParser) (Datum *rows, int nrows);

extern RecRowArray rec_row_array_begin(FunctionCallInfo fcinfo);
extern void rec_row_array_add(RecRowArray *rows, Datum *values, bool *nulls);
extern Datum rec_row_array_finish(RecRowArray *rows, MemoryContext mcxt);
extern void rec_row_array_read(Datum row, int ncolumns, Datum *values, bool *nulls);
extern void *rec_row_array_parsed(FunctionCallInfo fcinfo, int argument, RecRowParser parse);

#endif							/* REC_ROW_ARRAY_H */
