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

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "pg/arguments.h"
#include "utils/builtins.h"

/*
 * Return a text of the caller's as an error shows it, without what is beyond
 * REC_SHOWN_BYTES: a message goes to the server's log.
 */
const char *
rec_arguments_clip(const char *text)
{
	int			length = strlen(text);

	if (length <= REC_SHOWN_BYTES)
		return text;
	return psprintf("%.*s...", pg_mbcliplen(text, length, REC_SHOWN_BYTES), text);
}

/* Raise an error when a number of rows is negative. */
void
rec_arguments_check_k(int64 k)
{
	if (k < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be greater than or equal to zero")));
}

/* Refuse a query that is too long to be meant: its text goes into the log. */
void
rec_arguments_check_query(const char *query)
{
	if (strlen(query) > REC_QUERY_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a query must not be longer than %d bytes", REC_QUERY_BYTES)));
}

/*
 * Return the elements of an array of names of columns, and how many there are;
 * none of NULL.  The array may be anything of the type name[], so more names
 * than a relation can have columns are an ERROR, as are nulls.
 */
Datum *
rec_arguments_names(ArrayType *names, const char *argument, int *n)
{
	Datum	   *elements;
	bool	   *nulls;

	*n = 0;
	if (names == NULL)
		return NULL;
	if (ARR_NDIM(names) > 1 || ARR_ELEMTYPE(names) != NAMEOID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a one-dimensional array of names", argument)));
	if (ArrayGetNItems(ARR_NDIM(names), ARR_DIMS(names)) > MaxHeapAttributeNumber)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s must not have more than %d elements", argument,
						MaxHeapAttributeNumber)));
	deconstruct_array(names, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
					  &elements, &nulls, n);
	for (int i = 0; i < *n; i++)
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not contain nulls", argument)));
	return elements;
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
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a support function of an aggregate cannot be called directly")));
	return mcxt;
}
