/*-------------------------------------------------------------------------
 *
 * comparison_sql.c
 *	  Comparisons of two groups as SQL functions.
 *
 * They take what SQL's count(), avg(), var_samp() and covar_samp() return.  A
 * null among it makes a null result.  What does not exist, such as an effect
 * relative to 0, is NULL in the result, with a warning.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/comparison_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "experiment/comparison.h"
#include "experiment/number_argument.h"
#include "experiment/power.h"
#include "fmgr.h"
#include "funcapi.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"

#define RESULT_NCOLS	7		/* of test_result */
#define CUPED_NCOLS		5		/* of cuped_result */

/* Return a row of float8, NULL for NaN. */
static Datum
make_row(FunctionCallInfo fcinfo, const double *value, int count)
{
	TupleDesc	desc;
	Datum		datum[RESULT_NCOLS];
	bool		null[RESULT_NCOLS];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "function does not return a row");
	if (desc->natts != count)
		elog(ERROR, "result row has %d columns, not %d", desc->natts, count);
	for (int i = 0; i < count; i++)
	{
		datum[i] = Float8GetDatum(value[i]);
		null[i] = isnan(value[i]);
	}
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), datum, null));
}

/* Read method, alternative, alpha and horizon, from argument "first" on. */
static RecTestPlan
read_plan(FunctionCallInfo fcinfo, int first)
{
	RecTestPlan plan;

	plan.method = rec_closest_name_number("method", rec_comparison_method_name,
										  rec_arguments_text(fcinfo, first));
	plan.alternative = rec_closest_name_number("alternative", rec_comparison_alternative_name,
											   rec_arguments_text(fcinfo, first + 1));
	plan.alpha = PG_GETARG_FLOAT8(first + 2);
	plan.horizon = NAN;
	rec_number_argument_check_open(plan.alpha, 0, 1, "alpha");
	if (plan.method != REC_TEST_SEQUENTIAL)
	{
		if (!PG_ARGISNULL(first + 3))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("horizon is for the method \"sequential\" only")));
		return plan;
	}
	if (plan.alternative != REC_TWO_SIDED)
		rec_number_argument_check_open(plan.alpha, 0, 0.5, "alpha of a one-sided sequential test");
	if (PG_ARGISNULL(first + 3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the method \"sequential\" needs a horizon"),
				 errhint("It is the number of units planned for both groups together, fixed before the start.")));
	plan.horizon = rec_number_argument_count(fcinfo, first + 3, 1, "horizon");
	return plan;
}

/* Return the row of the test of an effect. */
static Datum
test_effect(FunctionCallInfo fcinfo, const RecEffect *effect, const RecTestPlan *plan)
{
	RecTestResult result = rec_comparison_test(effect, plan);
	double		value[RESULT_NCOLS] = {
		result.effect, result.standard_error, result.ci_low, result.ci_high,
		result.statistic, result.degrees_of_freedom, result.p_value};

	if (isnan(result.effect))
		ereport(WARNING,
				(errcode(ERRCODE_DIVISION_BY_ZERO),
				 errmsg("there is no effect relative to a baseline of 0, and no ratio to a denominator of 0")));
	else if (isnan(result.ci_low))
		ereport(WARNING,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("there is no test of groups without variance")));
	for (int i = 0; i < RESULT_NCOLS; i++)
	{
		if (isnan(value[i]))
			continue;
		/* a ratio that is beyond all numbers is no number, either */
		if (isinf(value[i]) && i != 2 && i != 3)
			value[i] = NAN;
	}
	return make_row(fcinfo, value, RESULT_NCOLS);
}

/*
 * compare_means(n_a, mean_a, variance_a, n_b, mean_b, variance_b, relative,
 * method, alternative, alpha, horizon)
 */
PG_FUNCTION_INFO_V1(rec_compare_means);
Datum
rec_compare_means(PG_FUNCTION_ARGS)
{
	RecMoments	group[2] = {{.count = 1}, {.count = 1}};
	static const char *const name[2][3] = {
		{"n_a", "mean_a", "variance_a"}, {"n_b", "mean_b", "variance_b"}};
	RecEffect	effect;
	RecTestPlan plan;

	if (rec_number_argument_any_null(fcinfo, 0, 9))
		PG_RETURN_NULL();
	for (int i = 0; i < 2; i++)
	{
		group[i].n = rec_number_argument_count(fcinfo, 3 * i, 2, name[i][0]);
		group[i].mean[0] = rec_number_argument_finite(fcinfo, 3 * i + 1, name[i][1]);
		group[i].covariance[0][0] = rec_number_argument_least(fcinfo, 3 * i + 2, 0, name[i][2]);
	}
	plan = read_plan(fcinfo, 7);
	effect = rec_comparison_means(&group[0], &group[1], PG_GETARG_BOOL(6));
	PG_RETURN_DATUM(test_effect(fcinfo, &effect, &plan));
}

/*
 * compare_proportions(successes_a, n_a, successes_b, n_b, relative, method,
 * alternative, alpha, horizon)
 */
PG_FUNCTION_INFO_V1(rec_compare_proportions);
Datum
rec_compare_proportions(PG_FUNCTION_ARGS)
{
	static const char *const name[2][2] = {{"successes_a", "n_a"}, {"successes_b", "n_b"}};
	double		successes[2];
	double		n[2];
	RecEffect	effect;
	RecTestPlan plan;

	if (rec_number_argument_any_null(fcinfo, 0, 7))
		PG_RETURN_NULL();
	for (int i = 0; i < 2; i++)
	{
		successes[i] = rec_number_argument_count(fcinfo, 2 * i, 0, name[i][0]);
		n[i] = rec_number_argument_count(fcinfo, 2 * i + 1, 2, name[i][1]);
		rec_number_argument_check(successes[i], 0, n[i], name[i][0]);
	}
	plan = read_plan(fcinfo, 5);
	effect = rec_comparison_proportions(successes[0], n[0], successes[1], n[1], PG_GETARG_BOOL(4));
	PG_RETURN_DATUM(test_effect(fcinfo, &effect, &plan));
}

/* Read units, means and covariances of a group, from argument "first" on. */
static RecMoments
read_moments(FunctionCallInfo fcinfo, int first, const char *n, const char *means,
			 const char *covariances)
{
	RecMoments	moments;
	ArrayType  *matrix = PG_GETARG_ARRAYTYPE_P(first + 2);
	double	   *mean;
	double	   *covariance;
	int			size;

	moments.n = rec_number_argument_count(fcinfo, first, 2, n);
	mean = rec_number_argument_array(fcinfo, first + 1, means, &moments.count);
	if (moments.count != 2 && moments.count != 4)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must have 2 or 4 elements, not %d", means, moments.count),
				 errhint("They are numerator, denominator and, optionally, both from before the experiment.")));
	covariance = rec_number_argument_array(fcinfo, first + 2, covariances, &size);
	if (ARR_NDIM(matrix) != 2 || ARR_DIMS(matrix)[0] != moments.count || ARR_DIMS(matrix)[1] != moments.count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be a matrix of %d rows and columns", covariances, moments.count)));
	for (int i = 0; i < moments.count; i++)
	{
		moments.mean[i] = mean[i];
		for (int j = 0; j < moments.count; j++)
		{
			moments.covariance[i][j] = covariance[i * moments.count + j];
			if (moments.covariance[i][j] != covariance[j * moments.count + i])
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("%s must be a symmetric matrix", covariances),
						 errdetail("Rows %d and %d differ.", i + 1, j + 1)));
		}
		rec_number_argument_check(moments.covariance[i][i], 0, HUGE_VAL, "a variance");
	}
	return moments;
}

/*
 * compare_ratios(n_a, means_a, covariances_a, n_b, means_b, covariances_b,
 * relative, method, alternative, alpha, horizon)
 */
PG_FUNCTION_INFO_V1(rec_compare_ratios);
Datum
rec_compare_ratios(PG_FUNCTION_ARGS)
{
	RecMoments	a;
	RecMoments	b;
	RecEffect	effect;
	RecTestPlan plan;

	if (rec_number_argument_any_null(fcinfo, 0, 9))
		PG_RETURN_NULL();
	a = read_moments(fcinfo, 0, "n_a", "means_a", "covariances_a");
	b = read_moments(fcinfo, 3, "n_b", "means_b", "covariances_b");
	if (a.count != b.count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("means_a and means_b must have the same number of elements")));
	plan = read_plan(fcinfo, 7);
	effect = rec_comparison_ratios(&a, &b, PG_GETARG_BOOL(6));
	PG_RETURN_DATUM(test_effect(fcinfo, &effect, &plan));
}

/*
 * cuped(n_a, mean_a, mean_before_a, variance_a, variance_before_a,
 * covariance_a, n_b, ...)
 */
PG_FUNCTION_INFO_V1(rec_cuped);
Datum
rec_cuped(PG_FUNCTION_ARGS)
{
	RecMoments	group[2] = {{.count = 2}, {.count = 2}};
	static const char *const name[2][6] = {
		{"n_a", "mean_a", "mean_before_a", "variance_a", "variance_before_a", "covariance_a"},
		{"n_b", "mean_b", "mean_before_b", "variance_b", "variance_before_b", "covariance_b"}};
	RecCuped	cuped;

	if (rec_number_argument_any_null(fcinfo, 0, 11))
		PG_RETURN_NULL();
	for (int i = 0; i < 2; i++)
	{
		int			first = 6 * i;

		group[i].n = rec_number_argument_count(fcinfo, first, 2, name[i][0]);
		for (int j = 0; j < 2; j++)
		{
			group[i].mean[j] = rec_number_argument_finite(fcinfo, first + 1 + j, name[i][1 + j]);
			group[i].covariance[j][j] = rec_number_argument_least(fcinfo, first + 3 + j, 0, name[i][3 + j]);
		}
		group[i].covariance[0][1] = group[i].covariance[1][0] =
			rec_number_argument_finite(fcinfo, first + 5, name[i][5]);
	}
	cuped = rec_comparison_cuped(&group[0], &group[1]);
	PG_RETURN_DATUM(make_row(fcinfo, (double[CUPED_NCOLS])
							 {
								 cuped.theta, cuped.mean[0], cuped.variance[0], cuped.mean[1], cuped.variance[1]
							 }, CUPED_NCOLS));
}

/*
 * What the three functions of a design have in common: (baseline, ...,
 * variance, relative, alpha, ratio, method, alternative, horizon, looks), the
 * last eight from argument 3 on.  False if one that is required is null.
 */
static bool
read_design(FunctionCallInfo fcinfo, RecDesign *design)
{
	if (rec_number_argument_any_null(fcinfo, 0, 2) || rec_number_argument_any_null(fcinfo, 4, 4)
		|| rec_number_argument_any_null(fcinfo, 5, 8) || PG_ARGISNULL(10))
		return false;
	design->baseline = rec_number_argument_finite(fcinfo, 0, "baseline");
	design->variance = PG_ARGISNULL(3) ? NAN : PG_GETARG_FLOAT8(3);
	if (PG_ARGISNULL(3))
		rec_number_argument_check_open(design->baseline, 0, 1, "baseline without a variance");
	else
		rec_number_argument_check_open(design->variance, 0, HUGE_VAL, "variance");
	design->relative = PG_GETARG_BOOL(4);
	if (design->relative && design->baseline == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("baseline must not be 0 when the effect is relative to it")));
	design->ratio = PG_GETARG_FLOAT8(5);
	rec_number_argument_check_open(design->ratio, 0, HUGE_VAL, "ratio");
	design->looks = PG_GETARG_INT32(10);
	rec_number_argument_check(design->looks, 1, REC_MOST_LOOKS, "looks");
	/* read_plan reads method, alternative, alpha, horizon in this order */
	design->plan = read_plan(fcinfo, 6);
	return true;
}

/* Refuse an effect by which a share would leave (0, 1). */
static double
get_effect(FunctionCallInfo fcinfo, const RecDesign *design)
{
	double		effect = rec_number_argument_finite(fcinfo, 1, "effect");
	double		share = design->baseline + effect * (design->relative ? design->baseline : 1);

	if (isnan(design->variance))
		rec_number_argument_check_open(share, 0, 1, "baseline with the effect");
	return effect;
}

static double
get_power(FunctionCallInfo fcinfo, const RecDesign *design)
{
	double		power = PG_GETARG_FLOAT8(2);

	rec_number_argument_check_open(power, design->plan.alpha, 1, "power");
	return power;
}

/* Return a number, NULL for NaN. */
static Datum
number_or_null(FunctionCallInfo fcinfo, double value)
{
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* sample_size(baseline, effect, power, variance, ...): units of group a. */
PG_FUNCTION_INFO_V1(rec_sample_size);
Datum
rec_sample_size(PG_FUNCTION_ARGS)
{
	RecDesign	design;
	double		effect;
	double		size;

	if (!read_design(fcinfo, &design))
		PG_RETURN_NULL();
	effect = get_effect(fcinfo, &design);
	size = rec_power_sample_size(&design, effect, get_power(fcinfo, &design));
	if (isnan(size))
		PG_RETURN_NULL();
	PG_RETURN_INT64((int64) size);
}

/* power_of(baseline, effect, n, variance, ...) */
PG_FUNCTION_INFO_V1(rec_power_of);
Datum
rec_power_of(PG_FUNCTION_ARGS)
{
	RecDesign	design;
	double		effect;

	if (!read_design(fcinfo, &design))
		PG_RETURN_NULL();
	effect = get_effect(fcinfo, &design);
	return number_or_null(fcinfo, rec_power_compute(&design, effect, rec_number_argument_least(fcinfo, 2, 2, "n")));
}

/* detectable_effect(baseline, n, power, variance, ...) */
PG_FUNCTION_INFO_V1(rec_detectable_effect);
Datum
rec_detectable_effect(PG_FUNCTION_ARGS)
{
	RecDesign	design;
	double		n;

	if (!read_design(fcinfo, &design))
		PG_RETURN_NULL();
	n = rec_number_argument_least(fcinfo, 1, 2, "n");
	return number_or_null(fcinfo, rec_power_detectable_effect(&design, n, get_power(fcinfo, &design)));
}
