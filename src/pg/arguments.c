/*-------------------------------------------------------------------------
 *
 * arguments.c
 *	  Arguments of SQL functions, fetched and checked.
 *
 * All functions raise the same message for the same mistake.
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

/* Raise an error when a number of rows is negative. */
void
rec_arguments_check_k(int64 k)
{
	if (k < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be greater than or equal to zero")));
}

/* Return an argument of type text, or NULL when it is null. */
char *
rec_arguments_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* Return an argument of type name, or NULL when it is null. */
char *
rec_arguments_name(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : pstrdup(NameStr(*PG_GETARG_NAME(n)));
}

/* Raise an error when the argument of that name is null. */
void
rec_arguments_require(const void *value, const char *argument)
{
	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", argument)));
}

/*
 * Return the first argument, the name of a recommender, which must not be
 * null.
 */
char *
rec_arguments_recommender(FunctionCallInfo fcinfo)
{
	char	   *name = rec_arguments_text(fcinfo, 0);

	rec_arguments_require(name, "recommender");
	return name;
}

/*
 * Return a value of type name for a parameter of a query.  *is_null becomes
 * SPI's mark of a null.
 */
Datum
rec_arguments_name_or_null(const char *name, char *is_null)
{
	*is_null = name ? ' ' : 'n';
	return name ? DirectFunctionCall1(namein, CStringGetDatum(name)) : (Datum) 0;
}

/* Return the memory context of the aggregate that calls a support function. */
MemoryContext
rec_arguments_aggregate_mcxt(FunctionCallInfo fcinfo)
{
	MemoryContext mcxt;

	if (!AggCheckCallContext(fcinfo, &mcxt))
		elog(ERROR, "aggregate support function called outside an aggregate");
	return mcxt;
}
