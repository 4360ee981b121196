/*-------------------------------------------------------------------------
 *
 * experiment_results_sql.c
 *	  The results of an experiment, from queries of exposures and outcomes.
 *
 * Each variant is compared with the baseline, for each metric, over all units
 * and in each segment.  Left out, counted and warned of are units that were in
 * several variants, and those whose window is not over.  The test of the
 * shares of units takes all that were exposed to one variant.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/experiment_results_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "experiment/assignment.h"
#include "experiment/experiment_data.h"
#include "experiment/multiple_tests.h"
#include "experiment/number_argument.h"
#include "fmgr.h"
#include "funcapi.h"
#include "math/best_arm.h"
#include "math/distribution.h"
#include "miscadmin.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "pg/memory_budget.h"
#include "pg/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define RESULT_NCOLS		17	/* of experiment_result */
#define MOST_SEGMENTS		1000
#define MOST_VARIANTS		100
#define MISMATCH_ALARM		0.001	/* p-value of the shares of units */
#define SEVERAL_ALARM		0.005	/* share of units in several variants */

/* What a metric is of a unit. */
typedef enum MetricKind
{
	METRIC_MEAN,				/* the sum of its values */
	METRIC_SHARE				/* whether there is one that is not 0 */
} MetricKind;

static const char *
kind_name(int kind)
{
	return kind == METRIC_MEAN ? "mean" : kind == METRIC_SHARE ? "share" : NULL;
}

/* The arguments. */
typedef struct Request
{
	MetricKind	kind;
	RecTestPlan plan;
	RecCorrection correction;
	bool		relative;
	bool		adjust;			/* also by what was known before */
	bool		only_mature;
	TimestampTz until;
	char	   *baseline;		/* NULL: the first by name */
	double	   *weight;			/* expected shares, NULL for equal ones */
	int			nweights;
} Request;

/* Sums over the units of one variant, for one metric and segment. */
typedef struct Cell
{
	double		n;
	double		mean[2];		/* after and before */
	double		product[2][2];	/* sums of products of deviations */
} Cell;

/* The units of a segment by variant. */
typedef struct Count
{
	double	   *exposed;		/* to that variant alone, by variant */
	double		several;
	double		immature;
} Count;

/* One row of the result. */
typedef struct Row
{
	int			metric;
	int			segment;		/* -1: all */
	int			variant;
	bool		adjusted;
	double		units;
	double		value;
	double		baseline_value;
	RecTestResult test;
} Row;

/* All that is computed. */
typedef struct Results
{
	const Request *request;
	RecExperimentData *data;
	int			nvariants;
	uint32	   *variant_order;	/* by name */
	int			baseline;		/* number of the baseline */
	int			nsegments;		/* the one of all included */
	Cell	   *cell;			/* by segment, metric, variant */
	Count	   *count;			/* by segment; 0 is all */
	Row		   *row;
	int			nrows;
} Results;

/* ----------------
 *		arguments
 * ----------------
 */

static char *
required_text(FunctionCallInfo fcinfo, int n, const char *name)
{
	char	   *text = rec_arguments_text(fcinfo, n);

	rec_arguments_require(text, name);
	return text;
}

/* Read the plan of the tests: method, horizon and alpha. */
static RecTestPlan
read_plan(FunctionCallInfo fcinfo, int method, int horizon, int alpha)
{
	RecTestPlan plan = {.alternative = REC_TWO_SIDED, .alpha = PG_GETARG_FLOAT8(alpha), .horizon = NAN};

	plan.method = rec_closest_name_number("method", rec_comparison_method_name, required_text(fcinfo, method, "method"));
	rec_number_argument_check_open(plan.alpha, 0, 1, "alpha");
	if (plan.method != REC_TEST_SEQUENTIAL)
		return plan;
	if (PG_ARGISNULL(horizon))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the method \"sequential\" needs a horizon"),
				 errhint("It is the number of units planned for both groups together, fixed before the start.")));
	plan.horizon = rec_number_argument_count(fcinfo, horizon, 1, "horizon");
	return plan;
}

/*
 * Read (exposures, outcomes, window, horizon, method, kind, baseline, before,
 * relative, alpha, correction, weights, until).
 */
static Request
read_request(FunctionCallInfo fcinfo)
{
	Request		request = {0};

	rec_arguments_require(PG_ARGISNULL(2) ? NULL : "", "window");
	rec_arguments_require(PG_ARGISNULL(8) ? NULL : "", "relative");
	rec_arguments_require(PG_ARGISNULL(9) ? NULL : "", "alpha");
	request.plan = read_plan(fcinfo, 4, 3, 9);
	request.kind = rec_closest_name_number("kind", kind_name, required_text(fcinfo, 5, "kind"));
	request.baseline = rec_arguments_text(fcinfo, 6);
	request.adjust = !PG_ARGISNULL(7);
	request.relative = PG_GETARG_BOOL(8);
	request.correction = rec_closest_name_number("correction", rec_multiple_tests_name, required_text(fcinfo, 10, "correction"));
	if (!PG_ARGISNULL(11))
	{
		request.weight = rec_number_argument_array(fcinfo, 11, "weights", &request.nweights);
		rec_assignment_check_weights(request.weight, request.nweights, "weights");
	}
	request.only_mature = !PG_ARGISNULL(12);
	if (request.only_mature)
		request.until = PG_GETARG_TIMESTAMPTZ(12);
	return request;
}

/* ----------------
 *		sums
 * ----------------
 */

static Cell *
cell_of(Results *results, int segment, int metric, int variant)
{
	return &results->cell[((Size) segment * results->data->nmetrics + metric) * results->nvariants + variant];
}

static void
add_to_cell(Cell *cell, double after, double before)
{
	double		value[2] = {after, before};
	double		deviation[2];

	cell->n++;
	for (int i = 0; i < 2; i++)
	{
		deviation[i] = value[i] - cell->mean[i];
		cell->mean[i] += deviation[i] / cell->n;
	}
	for (int i = 0; i < 2; i++)
	{
		for (int j = 0; j < 2; j++)
			cell->product[i][j] += deviation[i] * deviation[j] * (cell->n - 1) / cell->n;
	}
}

/* Add one unit to the sums of a segment. */
static void
add_unit(Results *results, int segment, uint32 unit)
{
	RecExperimentData *data = results->data;
	Count	   *count = &results->count[segment];
	bool		share = results->request->kind == METRIC_SHARE;

	if (data->several[unit])
	{
		count->several++;
		return;
	}
	count->exposed[data->variant[unit]]++;
	if (results->request->only_mature && data->window_end[unit] > results->request->until)
	{
		count->immature++;
		return;
	}
	for (int metric = 0; metric < data->nmetrics; metric++)
	{
		double		after = data->after[metric][unit];
		double		before = data->before[metric] ? data->before[metric][unit] : 0;

		add_to_cell(cell_of(results, segment, metric, data->variant[unit]),
					share ? after != 0 : after, share ? before != 0 : before);
	}
}

static void
sum_units(Results *results)
{
	RecExperimentData *data = results->data;
	uint32		n = rec_dictionary_count(data->units);
	Size		ncells = mul_size(mul_size(results->nsegments, Max(data->nmetrics, 1)), results->nvariants);

	results->cell = rec_memory_budget_alloc(data->mcxt, ncells, sizeof(Cell));
	memset(results->cell, 0, ncells * sizeof(Cell));
	results->count = palloc0_array(Count, results->nsegments);
	for (int i = 0; i < results->nsegments; i++)
		results->count[i].exposed = palloc0_array(double, results->nvariants);
	for (uint32 unit = 0; unit < n; unit++)
	{
		CHECK_FOR_INTERRUPTS();
		add_unit(results, 0, unit);
		if (data->segments != NULL && data->segment[unit] >= 0)
			add_unit(results, data->segment[unit] + 1, unit);
	}
}

/* ----------------
 *		comparisons
 * ----------------
 */

static RecMoments
moments_of(const Cell *cell)
{
	RecMoments	moments = {.n = cell->n, .count = 2};

	for (int i = 0; i < 2; i++)
	{
		moments.mean[i] = cell->mean[i];
		for (int j = 0; j < 2; j++)
			moments.covariance[i][j] = cell->product[i][j] / (cell->n - 1);
	}
	return moments;
}

/* Compare two groups, by what was known before if that is asked for. */
static RecTestResult
compare(const Request *request, const Cell *a, const Cell *b, bool adjusted)
{
	RecMoments	group[2] = {moments_of(a), moments_of(b)};
	RecEffect	effect;

	if (a->n < 2 || b->n < 2)
		return (RecTestResult) {NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	if (adjusted)
	{
		RecCuped	cuped = rec_comparison_cuped(&group[0], &group[1]);

		for (int i = 0; i < 2; i++)
		{
			group[i].mean[0] = cuped.mean[i];
			group[i].covariance[0][0] = cuped.variance[i];
		}
	}
	if (request->kind == METRIC_SHARE && !adjusted)
		effect = rec_comparison_proportions(a->mean[0] * a->n, a->n, b->mean[0] * b->n, b->n, request->relative);
	else
		effect = rec_comparison_means(&group[0], &group[1], request->relative);
	return rec_comparison_test(&effect, &request->plan);
}

static void
add_row(Results *results, int segment, int metric, int variant, bool adjusted)
{
	const Cell *a = cell_of(results, segment, metric, results->baseline);
	const Cell *b = cell_of(results, segment, metric, variant);
	Row		   *row = &results->row[results->nrows++];

	row->metric = metric;
	row->segment = segment - 1;
	row->variant = variant;
	row->adjusted = adjusted;
	row->units = b->n;
	row->value = b->n > 0 ? b->mean[0] : NAN;
	row->baseline_value = a->n > 0 ? a->mean[0] : NAN;
	row->test = compare(results->request, a, b, adjusted);
}

/* Correct the p-values of all rows together. */
static double *
corrected(const Results *results)
{
	double	   *p = palloc_array(double, Max(results->nrows, 1));

	for (int i = 0; i < results->nrows; i++)
		p[i] = results->row[i].test.p_value;
	rec_multiple_tests_adjust(results->request->correction, p, results->nrows);
	return p;
}

/* Return the number of the baseline: the variant named, or the first by name. */
static int
find_baseline(const Results *results)
{
	RecClosest	closest;

	if (results->request->baseline == NULL)
		return (int) results->variant_order[0];
	rec_closest_name_start(&closest, results->request->baseline);
	for (int i = 0; i < results->nvariants; i++)
	{
		char	   *name = rec_dictionary_text(results->data->variants, i);

		if (strcmp(name, results->request->baseline) == 0)
			return i;
		rec_closest_name_consider(&closest, name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("no unit was exposed to the variant \"%s\"", results->request->baseline),
			 rec_closest_name_hint(&closest, "variant")));
	return -1;
}

static void
check_many(int n, int most, const char *what)
{
	if (n > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s must be at most %d, not %d", what, most, n)));
}

/* Compute all rows. */
static void
compute(Results *results)
{
	RecExperimentData *data = results->data;
	uint32	   *metric_order;
	uint32	   *segment_order = NULL;

	results->nvariants = (int) rec_dictionary_count(data->variants);
	results->nsegments = 1 + (data->segments ? (int) rec_dictionary_count(data->segments) : 0);
	check_many(results->nvariants, MOST_VARIANTS, "variants");
	check_many(results->nsegments - 1, MOST_SEGMENTS, "segments");
	if (results->request->weight != NULL && results->request->nweights != results->nvariants && results->nvariants > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weights must have one element for each of %d variants, in the order of their names", results->nvariants)));
	if (results->nvariants == 0)
		return;
	results->variant_order = rec_dictionary_ordered(data->variants, true);
	results->baseline = find_baseline(results);
	sum_units(results);
	metric_order = rec_dictionary_ordered(data->metrics, true);
	if (data->segments != NULL)
		segment_order = rec_dictionary_ordered(data->segments, true);
	results->row = palloc_array(Row, mul_size(mul_size(results->nsegments, Max(data->nmetrics, 1)), 2 * results->nvariants));
	for (int m = 0; m < data->nmetrics; m++)
	{
		for (int s = 0; s < results->nsegments; s++)
		{
			int			segment = s == 0 ? 0 : (int) segment_order[s - 1] + 1;

			for (int v = 0; v < results->nvariants; v++)
			{
				if ((int) results->variant_order[v] == results->baseline)
					continue;
				add_row(results, segment, (int) metric_order[m], (int) results->variant_order[v], false);
				if (results->request->adjust)
					add_row(results, segment, (int) metric_order[m], (int) results->variant_order[v], true);
			}
		}
	}
}

/* ----------------
 *		rows
 * ----------------
 */

/* Return the p-value of the shares of units in a segment. */
static double
share_p_value(const Results *results, const Count *count)
{
	double		total = 0;
	double		statistic = 0;
	int			wanted = 0;

	for (int i = 0; i < results->nvariants; i++)
		total += count->exposed[i];
	for (int i = 0; i < results->nvariants; i++)
	{
		uint32		variant = results->variant_order[i];
		double		expected = total * (results->request->weight ? results->request->weight[i] : 1.0 / results->nvariants);
		double		off = count->exposed[variant] - expected;

		if (expected > 0)
		{
			statistic += off * off / expected;
			wanted++;
		}
		else if (off > 0)
			return 0;
	}
	return wanted < 2 ? 1 : rec_distribution_chi_square_tail(statistic, wanted - 1);
}

static Datum
warnings_of(const Results *results, const Row *row)
{
	const Count *count = &results->count[row->segment + 1];
	double		all = count->several;
	Datum		warning[5];
	int			n = 0;

	for (int i = 0; i < results->nvariants; i++)
		all += count->exposed[i];
	if (share_p_value(results, count) < MISMATCH_ALARM)
		warning[n++] = CStringGetTextDatum("sample_ratio_mismatch");
	if (count->several > SEVERAL_ALARM * all)
		warning[n++] = CStringGetTextDatum("multiple_variants");
	if (count->immature > 0)
		warning[n++] = CStringGetTextDatum("immature");
	if (isnan(row->test.effect))
		warning[n++] = CStringGetTextDatum("no_effect");
	else if (isnan(row->test.p_value))
		warning[n++] = CStringGetTextDatum("no_variance");
	return PointerGetDatum(construct_array(warning, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Return the chance that the variant is better, and what choosing it may lose. */
static void
weigh_choice(const RecTestResult *test, double *chance, double *loss)
{
	double		mean[2] = {0, test->effect};
	double		sd[2] = {0, test->standard_error};
	double		best[2];
	double		losses[2];

	*chance = *loss = NAN;
	if (!(test->standard_error > 0))
		return;
	rec_best_arm_compute(REC_BELIEF_NORMAL, mean, sd, 2, best, losses);
	*chance = best[1];
	*loss = losses[1];
}

static void
put_row(ReturnSetInfo *result, Results *results, const Row *row, double p_adjusted)
{
	RecExperimentData *data = results->data;
	const RecTestResult *test = &row->test;
	double		chance;
	double		loss;
	Datum		value[RESULT_NCOLS];
	bool		null[RESULT_NCOLS] = {false};
	int			c = 0;

	weigh_choice(test, &chance, &loss);
	value[c++] = CStringGetTextDatum(rec_dictionary_text(data->metrics, row->metric));
	null[c] = row->segment < 0;
	value[c++] = row->segment < 0 ? (Datum) 0 : CStringGetTextDatum(rec_dictionary_text(data->segments, row->segment));
	value[c++] = CStringGetTextDatum(rec_dictionary_text(data->variants, row->variant));
	value[c++] = CStringGetTextDatum(rec_dictionary_text(data->variants, results->baseline));
	value[c++] = Int64GetDatum((int64) row->units);
	for (int i = 0; i < 10; i++)
	{
		double		number = (const double[]) {
			row->value, row->baseline_value, test->effect, test->standard_error, test->ci_low, test->ci_high,
			test->p_value, p_adjusted, chance, loss
		}[i];

		null[c] = isnan(number);
		value[c++] = Float8GetDatum(number);
	}
	value[c++] = CStringGetTextDatum(psprintf("%s%s", rec_comparison_method_name(results->request->plan.method),
											  row->adjusted ? ", cuped" : ""));
	value[c++] = warnings_of(results, row);
	Assert(c == RESULT_NCOLS);
	tuplestore_putvalues(result->setResult, result->setDesc, value, null);
}

/* experiment_results(exposures, outcomes, window, horizon, ...) */
PG_FUNCTION_INFO_V1(rec_experiment_results);
Datum
rec_experiment_results(PG_FUNCTION_ARGS)
{
	Request		request = read_request(fcinfo);
	Results		results = {.request = &request};
	char	   *exposures = required_text(fcinfo, 0, "exposures");
	char	   *outcomes = required_text(fcinfo, 1, "outcomes");
	double	   *p_adjusted;
	MemoryContext working;
	MemoryContext old;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	working = AllocSetContextCreate(CurrentMemoryContext, "recommender experiment",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(working);
	rec_memory_budget_start();
	results.data = rec_experiment_data_read(working, exposures, outcomes, PG_GETARG_INTERVAL_P(2),
											PG_ARGISNULL(7) ? NULL : PG_GETARG_INTERVAL_P(7));
	compute(&results);
	p_adjusted = corrected(&results);
	for (int i = 0; i < results.nrows; i++)
		put_row((ReturnSetInfo *) fcinfo->resultinfo, &results, &results.row[i], p_adjusted[i]);
	MemoryContextSwitchTo(old);
	SPI_finish();
	return (Datum) 0;
}
