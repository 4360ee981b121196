/*-------------------------------------------------------------------------
 *
 * anomaly.c
 *	  How far a value is from what earlier seasons lead to expect.
 *
 * A window function that judges each row by earlier rows only.  With a season
 * of s rows, of a row with a value:
 *
 *		base		median of the values s, 2s ... 6s rows before, of 2 at least
 *		u			value - base, which is kept
 *		expected	base + median of the last max(s, 5) u that are known, as a
 *					level that has changed is followed within a season; base
 *					alone while fewer are known
 *		spread		1.4826 times the median of |u - c|, c the median of u, over
 *					the last 4s rows (28 if s is 1), of max(s, 5) at least; or
 *					1.2533 times the mean of |u - c| when that is 0
 *		score		(value - expected) / spread
 *
 * where the u of the row itself does not count.  The state is 10 s numbers.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/anomaly.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
#include "windowapi.h"

#define SEASONS_BEFORE		6	/* that the base is the median of */
#define MAX_SEASON			400
#define DEVIATION_NCOLS		3	/* of type deviation */
#define OF_NORMAL_MEDIAN	1.4826	/* standard deviation by median |u| */
#define OF_NORMAL_MEAN		1.2533	/* and by mean |u| */

/* What is known of a partition's rows so far; starts as all zeroes. */
typedef struct AnomalyState
{
	int32		season;			/* 0 before the first row */
	int64		nrows;
	double		number[FLEXIBLE_ARRAY_MEMBER];	/* values, then u; NaN: none */
} AnomalyState;

/* What is said of a row. */
typedef struct Deviation
{
	bool		known;			/* false: nothing is */
	double		expected;
	double		spread;			/* NaN: too little is known */
	double		score;			/* NaN: the same */
} Deviation;

#define ST_SORT sort_numbers
#define ST_ELEMENT_TYPE double
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Return the median of at least one number, which are sorted. */
static double
median(double *number, int n)
{
	sort_numbers(number, n);
	return n % 2 == 1 ? number[n / 2] : number[n / 2 - 1] / 2 + number[n / 2] / 2;
}

/* Return how many rows' deviations are kept, and how many are needed. */
static int
kept_deviations(int season)
{
	return season == 1 ? 28 : 4 * season;
}

static int
needed_deviations(int season)
{
	return Max(season, 5);
}

/* Return the base of the next row, NaN when too little is known. */
static double
base_of(const AnomalyState *state)
{
	double		before[SEASONS_BEFORE];
	int			n = 0;

	for (int i = 1; i <= SEASONS_BEFORE; i++)
	{
		int64		row = state->nrows - (int64) i * state->season;
		double		value;

		if (row < 0)
			break;
		value = state->number[row % (SEASONS_BEFORE * state->season)];
		if (!isnan(value))
			before[n++] = value;
	}
	return n < 2 ? NAN : median(before, n);
}

/* Copy the deviations that are known, the newest first; return how many. */
static int
known_deviations(const AnomalyState *state, const double *deviation, double *known)
{
	int			kept = kept_deviations(state->season);
	int			n = 0;

	for (int64 row = state->nrows - 1; row >= 0 && row >= state->nrows - kept; row--)
	{
		if (!isnan(deviation[row % kept]))
			known[n++] = deviation[row % kept];
	}
	return n;
}

/* Return the spread of n deviations, which are put into order. */
static double
spread_of(double *deviation, int n)
{
	double		center = median(deviation, n);
	double		sum = 0;
	double		spread;

	for (int i = 0; i < n; i++)
	{
		deviation[i] = fabs(deviation[i] - center);
		sum += deviation[i];
	}
	spread = OF_NORMAL_MEDIAN * median(deviation, n);
	return spread > 0 ? spread : OF_NORMAL_MEAN * sum / n;
}

static double
score_of(double value, double expected, double spread)
{
	if (isnan(spread))
		return NAN;
	if (spread > 0)
		return (value - expected) / spread;
	return value == expected ? 0 : value > expected ? INFINITY : -INFINITY;
}

/* Judge the next row, of a value or NaN, and remember it. */
static Deviation
judge(AnomalyState *state, double value)
{
	double	   *deviation = state->number + SEASONS_BEFORE * state->season;
	double		known[4 * MAX_SEASON];
	double		base = isnan(value) ? NAN : base_of(state);
	Deviation	result = {0};

	if (!isnan(base))
	{
		int			needed = needed_deviations(state->season);
		int			n = known_deviations(state, deviation, known);

		result.known = true;
		result.expected = base;
		result.spread = NAN;
		if (n >= needed)
		{
			double		newest[MAX_SEASON];

			memcpy(newest, known, needed * sizeof(double));
			result.expected += median(newest, needed);
			result.spread = spread_of(known, n);
		}
		result.score = score_of(value, result.expected, result.spread);
		if (!isfinite(value - base) || !isfinite(result.expected) || isinf(result.spread))
			float_overflow_error();
	}
	state->number[state->nrows % (SEASONS_BEFORE * state->season)] = value;
	deviation[state->nrows % kept_deviations(state->season)] = value - base;
	state->nrows++;
	return result;
}

/* Return the season of the current row, 1 to 400. */
static int
current_season(WindowObject window)
{
	bool		is_null;
	int			season = DatumGetInt32(WinGetFuncArgCurrent(window, 1, &is_null));

	if (is_null)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("season must not be null")));
	if (season < 1 || season > MAX_SEASON)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("season must be between 1 and %d, not %d", MAX_SEASON, season)));
	return season;
}

/* Return the value of the current row, NaN for NULL. */
static double
current_value(WindowObject window)
{
	bool		is_null;
	double		value = DatumGetFloat8(WinGetFuncArgCurrent(window, 0, &is_null));

	if (is_null)
		return NAN;
	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value must be a finite number, not %g", value)));
	return value;
}

/* Return the state of the current partition. */
static AnomalyState *
partition_state(WindowObject window, int season)
{
	Size		numbers = SEASONS_BEFORE * season + kept_deviations(season);
	AnomalyState *state = WinGetPartitionLocalMemory(window, offsetof(AnomalyState, number) +
													 numbers * sizeof(double));

	if (state->season == 0)
		state->season = season;
	else if (state->season != season)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("season must be the same for all rows of a partition")));
	return state;
}

/* Return a row of the type that the function returns. */
static Datum
form_deviation(FunctionCallInfo fcinfo, const Deviation *deviation)
{
	TupleDesc	desc = (TupleDesc) fcinfo->flinfo->fn_extra;
	Datum		values[DEVIATION_NCOLS];
	bool		nulls[DEVIATION_NCOLS];

	if (desc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		desc = lookup_rowtype_tupdesc_copy(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
		fcinfo->flinfo->fn_extra = desc;
		MemoryContextSwitchTo(old);
	}
	nulls[0] = false;
	nulls[1] = isnan(deviation->spread);
	nulls[2] = isnan(deviation->score);
	values[0] = Float8GetDatum(deviation->expected);
	values[1] = Float8GetDatum(deviation->spread);
	values[2] = Float8GetDatum(deviation->score);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/*
 * anomaly(value, season) OVER (PARTITION BY kpi ORDER BY period): a row of
 * deviation, or NULL for a NULL value and while fewer than two earlier seasons
 * are known.
 */
PG_FUNCTION_INFO_V1(rec_anomaly);
Datum
rec_anomaly(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	AnomalyState *state = partition_state(window, current_season(window));
	Deviation	deviation = judge(state, current_value(window));

	WinSetMarkPosition(window, WinGetCurrentPosition(window));
	if (!deviation.known)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(form_deviation(fcinfo, &deviation));
}
