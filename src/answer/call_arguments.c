/*-------------------------------------------------------------------------
 *
 * call_arguments.c
 *	  Arguments of the functions that answer, and the rows of their answers.
 *
 * The first argument is a null of one of the recommender's row types, which
 * leads to the recommender.  Arguments that are ids are declared of any type;
 * the type of the expression is checked here.
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
#include "pg/json_reader.h"
#include "pg/relation.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* ----------------
 *		arguments
 * ----------------
 */

/* Return the recommender of the first argument's row type, or an ERROR. */
RecDefinition *
rec_call_arguments_definition(FunctionCallInfo fcinfo)
{
	return rec_definition_cache_of_row(get_fn_expr_argtype(fcinfo->flinfo, 0));
}

/* Refuse an argument that is not of the type of the recommender's ids. */
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

/* Return an array of items, NULL for a null; an ERROR for another type. */
ArrayType *
rec_call_arguments_items(FunctionCallInfo fcinfo, int n, const RecDefinition *definition,
						 const char *argument)
{
	rec_call_arguments_type(fcinfo, n, get_array_type(definition->item_type), argument);
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_ARRAYTYPE_P(n);
}

/*
 * Return the number of rows wanted, at most what a rank can count; an ERROR if
 * it is null or negative.
 */
int64
rec_call_arguments_k(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("k must not be null")));
	rec_arguments_check_k(PG_GETARG_INT64(n));
	return Min(PG_GETARG_INT64(n), PG_INT32_MAX);
}

/* Return a jsonb, NULL for a null of SQL or JSON: nothing is given. */
Jsonb *
rec_call_arguments_jsonb(FunctionCallInfo fcinfo, int n)
{
	Jsonb	   *json = PG_ARGISNULL(n) ? NULL : PG_GETARG_JSONB_P(n);

	return json == NULL || rec_json_reader_is_null(json) ? NULL : json;
}

/* Return a filter, NULL for none, which an empty array is, too: PHP's empty object. */
Jsonb *
rec_call_arguments_filter(FunctionCallInfo fcinfo, int n)
{
	Jsonb	   *json = rec_call_arguments_jsonb(fcinfo, n);

	return json && JB_ROOT_IS_ARRAY(json) && JB_ROOT_COUNT(json) == 0 ? NULL : json;
}

/* ----------------
 *		rows
 * ----------------
 */

/* Begin a result; an ERROR unless its row type has columns of these types. */
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
