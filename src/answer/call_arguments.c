/*-------------------------------------------------------------------------
 *
 * call_arguments.c
 *	  What the functions that serve are given, and the rows of their answer.
 *
 * They are called with a null of one of the recommender's row types before
 * their arguments, and with ids of any types: what these are to be, the types
 * of the call's expressions tell, which are checked here.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/call_arguments.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/call_arguments.h"
#include "definition/definition_cache.h"
#include "pg/arguments.h"
#include "pg/relation.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* ----------------
 *		arguments
 * ----------------
 */

/* Gives the recommender of the first argument's row type, or an ERROR. */
RecDefinition *
rec_call_arguments_definition(FunctionCallInfo fcinfo)
{
	return rec_definition_cache_of_row(get_fn_expr_argtype(fcinfo->flinfo, 0));
}

/* Refuses an argument that is not of the type of the recommender's ids. */
void
rec_call_arguments_type(FunctionCallInfo fcinfo, int n, Oid expected, const char *argument)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, n);

	if (getBaseType(type) != expected)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s must be of type %s, not %s", argument,
						format_type_be(expected), format_type_be(type))));
}

/* Gives an array of items, NULL for a null, and checks that it is one. */
ArrayType *
rec_call_arguments_items(FunctionCallInfo fcinfo, int n, const RecDefinition *definition,
						 const char *argument)
{
	rec_call_arguments_type(fcinfo, n, get_array_type(definition->item_type), argument);
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_ARRAYTYPE_P(n);
}

/* Gives the number of rows that are wanted; an ERROR if null or below zero. */
int64
rec_call_arguments_k(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("k must not be null")));
	rec_arguments_check_k(PG_GETARG_INT32(n));
	return PG_GETARG_INT32(n);
}

/* Gives a jsonb, NULL for a null. */
Jsonb *
rec_call_arguments_jsonb(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_JSONB_P(n);
}

/* ----------------
 *		rows
 * ----------------
 */

/* Begins a result; an ERROR unless its row type has columns of these types. */
RecRows
rec_call_arguments_begin_rows(FunctionCallInfo fcinfo, const Oid *types, int ncolumns)
{
	RecRows		rows;
	bool		fits;

	InitMaterializedSRF(fcinfo, 0);
	rows.store = ((ReturnSetInfo *) fcinfo->resultinfo)->setResult;
	rows.desc = ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc;
	fits = rows.desc->natts == ncolumns;
	for (int i = 0; fits && i < ncolumns; i++)
		fits = getBaseType(TupleDescAttr(rows.desc, i)->atttypid) == types[i];
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the row type of the result has other columns than a recommender's")));
	return rows;
}
