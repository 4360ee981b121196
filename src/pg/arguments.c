/*-------------------------------------------------------------------------
 *
 * arguments.c
 *	  Arguments of SQL functions, fetched and checked.
 *
 * The same check has the same message everywhere.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/arguments.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/arguments.h"
#include "utils/builtins.h"

/* Refuses a number of rows below zero. */
void
rec_arguments_check_k(int64 k)
{
	if (k < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be greater than or equal to zero")));
}

/* Gives an argument of type text, NULL for a null. */
char *
rec_arguments_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* Gives an argument of type name, NULL for a null. */
char *
rec_arguments_name(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : pstrdup(NameStr(*PG_GETARG_NAME(n)));
}

/* Refuses a null for the argument of that name. */
void
rec_arguments_require(const void *value, const char *argument)
{
	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", argument)));
}

/* Gives the first argument, a recommender's name. */
char *
rec_arguments_recommender(FunctionCallInfo fcinfo)
{
	char	   *name = rec_arguments_text(fcinfo, 0);

	rec_arguments_require(name, "recommender");
	return name;
}

/* Gives a value of type name for a query's parameter, with SPI's sign of null. */
Datum
rec_arguments_name_or_null(const char *name, char *is_null)
{
	*is_null = name ? ' ' : 'n';
	return name ? DirectFunctionCall1(namein, CStringGetDatum(name)) : (Datum) 0;
}

/* Gives the memory of the aggregate that a support function is called by. */
MemoryContext
rec_arguments_aggregate_mcxt(FunctionCallInfo fcinfo)
{
	MemoryContext mcxt;

	if (!AggCheckCallContext(fcinfo, &mcxt))
		elog(ERROR, "aggregate support function called outside an aggregate");
	return mcxt;
}
