/*-------------------------------------------------------------------------
 *
 * arms_sql.c
 *	  What holds for any number of groups, as SQL functions: shares of units,
 *	  corrected p-values, and which one is best.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/arms_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "experiment/multiple_tests.h"
#include "experiment/number_argument.h"
#include "fmgr.h"
#include "funcapi.h"
#include "math/best_arm.h"
#include "math/distribution.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"

#define SAMPLE_RATIO_NCOLS	3
#define PRIOR_UNITS			100.0	/* of the sequential test of shares */
#define LEAST_PARAMETER		1e-6	/* of a beta distribution */
#define MOST_PARAMETER		1e15

/* ----------------
 *		shares of units
 * ----------------
 */

/* Units of groups, and the shares expected of them. */
typedef struct Split
{
	int			count;			/* of groups */
	int			wanted;			/* of groups with a share above 0 */
	double	   *units;
	double	   *share;			/* of sum 1 */
	double		total;			/* units */
} Split;

/* Read counts, an argument of type bigint[]. */
static double *
read_counts(FunctionCallInfo fcinfo, int n, int *count)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(n);
	const int64 *element = (const int64 *) ARR_DATA_PTR(array);
	double	   *value;

	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	value = palloc_array(double, Max(*count, 1));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain nulls", "observed")));
	for (int i = 0; i < *count; i++)
	{
		value[i] = (double) element[i];
		rec_number_argument_check(value[i], 0, HUGE_VAL, "observed");
	}
	return value;
}

static Split
read_split(FunctionCallInfo fcinfo)
{
	Split		split = {0};
	double		sum = 0;
	int			count;

	split.units = read_counts(fcinfo, 0, &split.count);
	split.share = rec_number_argument_array(fcinfo, 1, "expected", &count);
	if (count != split.count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("observed and expected must have the same number of elements"),
				 errdetail("Their lengths are %d and %d.", split.count, count)));
	for (int i = 0; i < count; i++)
	{
		rec_number_argument_check(split.share[i], 0, HUGE_VAL, "expected");
		sum += split.share[i];
		split.total += split.units[i];
		split.wanted += split.share[i] > 0;
		if (split.share[i] == 0 && split.units[i] > 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("group %d has units, of which none are expected", i + 1)));
	}
	rec_number_argument_check(sum, 0, HUGE_VAL, "the sum of expected");
	if (split.wanted < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expected must have at least two elements greater than 0")));
	for (int i = 0; i < count; i++)
		split.share[i] /= sum;
	return split;
}

/*
 * Return the p-value of a Bayes factor that may be looked at at any time: units
 * are drawn by the shares expected, or by shares of a Dirichlet distribution
 * around them (Lindon and Malek 2022, "Anytime-valid inference for multinomial
 * count data").
 */
static double
sequential_p_value(const Split *split)
{
	double		logarithm = lgamma(PRIOR_UNITS + split->total) - lgamma(PRIOR_UNITS);

	for (int i = 0; i < split->count; i++)
	{
		double		prior = PRIOR_UNITS * split->share[i];

		if (split->share[i] > 0)
			logarithm += lgamma(prior) - lgamma(prior + split->units[i])
				+ split->units[i] * log(split->share[i]);
	}
	return Min(1, exp(logarithm));
}

/* sample_ratio(observed, expected, sequential) */
PG_FUNCTION_INFO_V1(rec_sample_ratio);
Datum
rec_sample_ratio(PG_FUNCTION_ARGS)
{
	Split		split = read_split(fcinfo);
	double		statistic = 0;
	TupleDesc	desc;
	Datum		value[SAMPLE_RATIO_NCOLS];
	bool		null[SAMPLE_RATIO_NCOLS] = {false, false, false};

	for (int i = 0; i < split.count && split.total > 0; i++)
	{
		double		expected = split.total * split.share[i];

		if (expected > 0)
			statistic += (split.units[i] - expected) * (split.units[i] - expected) / expected;
	}
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "function does not return a row");
	value[0] = Float8GetDatum(statistic);
	value[1] = Int32GetDatum(split.wanted - 1);
	value[2] = Float8GetDatum(PG_GETARG_BOOL(2) ? sequential_p_value(&split)
							  : rec_distribution_chi_square_tail(statistic, split.wanted - 1));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), value, null)));
}

/* ----------------
 *		several tests
 * ----------------
 */

/* adjust_p_values(p, method) */
PG_FUNCTION_INFO_V1(rec_adjust_p_values);
Datum
rec_adjust_p_values(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	RecCorrection correction = rec_closest_name_number("method", rec_multiple_tests_name,
													   rec_arguments_text(fcinfo, 1));
	int			count;
	Datum	   *datum;
	bool	   *null;
	double	   *result;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be a one-dimensional array", "p")));
	deconstruct_array(array, ARR_ELEMTYPE(array), sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &datum, &null, &count);
	result = palloc_array(double, Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		result[i] = NAN;
		if (null[i])
			continue;
		result[i] = DatumGetFloat8(datum[i]);
		rec_number_argument_check(result[i], 0, 1, "a p-value");
	}
	rec_multiple_tests_adjust(correction, result, count);
	PG_RETURN_ARRAYTYPE_P(rec_number_argument_new_array(result, count));
}

/* ----------------
 *		the best one
 * ----------------
 */

static const char *
belief_name(int belief)
{
	return belief == REC_BELIEF_BETA ? "beta" : belief == REC_BELIEF_NORMAL ? "normal" : NULL;
}

/* Return the probability of being best, or the loss, of (a, b, distribution). */
static Datum
best_arm(FunctionCallInfo fcinfo, bool want_loss)
{
	RecBelief	belief = rec_closest_name_number("distribution", belief_name,
												 rec_arguments_text(fcinfo, 2));
	int			count;
	int			other;
	double	   *a = rec_number_argument_array(fcinfo, 0, "a", &count);
	double	   *b = rec_number_argument_array(fcinfo, 1, "b", &other);
	double	   *probability = palloc_array(double, Max(count, 1));
	double	   *loss = palloc_array(double, Max(count, 1));

	if (count != other)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a and b must have the same number of elements"),
				 errdetail("Their lengths are %d and %d.", count, other)));
	for (int i = 0; i < count; i++)
	{
		if (belief == REC_BELIEF_BETA)
		{
			rec_number_argument_check(a[i], LEAST_PARAMETER, MOST_PARAMETER, "a of a beta distribution");
			rec_number_argument_check(b[i], LEAST_PARAMETER, MOST_PARAMETER, "b of a beta distribution");
		}
		else
			rec_number_argument_check(b[i], 0, HUGE_VAL, "a standard deviation");
	}
	if (count > 0)
		rec_best_arm_compute(belief, a, b, count, probability, loss);
	PG_RETURN_ARRAYTYPE_P(rec_number_argument_new_array(want_loss ? loss : probability, count));
}

/* probability_best(a, b, distribution) */
PG_FUNCTION_INFO_V1(rec_probability_best);
Datum
rec_probability_best(PG_FUNCTION_ARGS)
{
	return best_arm(fcinfo, false);
}

/* expected_loss(a, b, distribution) */
PG_FUNCTION_INFO_V1(rec_expected_loss);
Datum
rec_expected_loss(PG_FUNCTION_ARGS)
{
	return best_arm(fcinfo, true);
}
