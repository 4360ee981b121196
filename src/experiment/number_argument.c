/*-------------------------------------------------------------------------
 *
 * number_argument.c
 *	  Numbers that are arguments of SQL functions, checked.
 *
 * A number out of its range is an error that names the argument and shows the
 * value.  NaN is out of every range, and so is infinity.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/number_argument.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "experiment/number_argument.h"

/* Return whether one of the arguments from "first" to "last" is null. */
bool
rec_number_argument_any_null(FunctionCallInfo fcinfo, int first, int last)
{
	for (int i = first; i <= last; i++)
	{
		if (PG_ARGISNULL(i))
			return true;
	}
	return false;
}

/* Refuse a value outside [low, high]; a high of infinity is no bound. */
void
rec_number_argument_check(double value, double low, double high, const char *name)
{
	if (value >= low && value <= high && !isinf(value))
		return;
	if (isinf(low))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite number, not %g", name, value)));
	if (isinf(high))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite number greater than or equal to %g, not %g", name, low, value)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be between %g and %g, not %g", name, low, high, value)));
}

/* Refuse a value outside (low, high); a high of infinity is no bound. */
void
rec_number_argument_check_open(double value, double low, double high, const char *name)
{
	if (value > low && value < high)
		return;
	if (isinf(high))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite number greater than %g, not %g", name, low, value)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be greater than %g and less than %g, not %g", name, low, high, value)));
}

/* Return an argument of type float8, which must be finite. */
double
rec_number_argument_finite(FunctionCallInfo fcinfo, int n, const char *name)
{
	return rec_number_argument_least(fcinfo, n, -HUGE_VAL, name);
}

/* Return an argument of type float8, which must be finite and not below a bound. */
double
rec_number_argument_least(FunctionCallInfo fcinfo, int n, double least, const char *name)
{
	double		value = PG_GETARG_FLOAT8(n);

	rec_number_argument_check(value, least, HUGE_VAL, name);
	return value;
}

/* Return an argument of type bigint, which must not be below a bound. */
double
rec_number_argument_count(FunctionCallInfo fcinfo, int n, int64 least, const char *name)
{
	int64		value = PG_GETARG_INT64(n);

	if (value < least)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be greater than or equal to %lld, not %lld", name,
						(long long) least, (long long) value)));
	return (double) value;
}

/*
 * Return the elements of an argument of type float8[] in row-major order, and
 * how many.  They must be finite and not null; dimensions are the caller's.
 */
double *
rec_number_argument_array(FunctionCallInfo fcinfo, int n, const char *name, int *count)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(n);
	double	   *value;

	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain nulls", name)));
	value = palloc_array(double, Max(*count, 1));
	memcpy(value, ARR_DATA_PTR(array), *count * sizeof(double));
	for (int i = 0; i < *count; i++)
		rec_number_argument_check(value[i], -HUGE_VAL, HUGE_VAL, name);
	return value;
}

/* Return an array of float8; NaN becomes NULL. */
ArrayType *
rec_number_argument_new_array(const double *value, int count)
{
	Datum	   *datum = palloc_array(Datum, Max(count, 1));
	bool	   *null = palloc_array(bool, Max(count, 1));
	int			length[1] = {count};
	int			bound[1] = {1};

	for (int i = 0; i < count; i++)
	{
		datum[i] = Float8GetDatum(value[i]);
		null[i] = isnan(value[i]);
	}
	if (count == 0)
		return construct_empty_array(FLOAT8OID);
	return construct_md_array(datum, null, 1, length, bound, FLOAT8OID, sizeof(float8),
							  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}
