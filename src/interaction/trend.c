/*-------------------------------------------------------------------------
 *
 * trend.c
 *	  The trend of items.
 *
 * An item trends when the weight of its interactions in the recent window is
 * more than the previous weeks, the baseline, predict:
 *
 *	  trend = (recent - expected) / sqrt(expected + smoothing),
 *	  expected = baseline * growth,
 *	  growth = weight of all items in the window / that in the baseline
 *
 * which is how many standard deviations a Poisson count lies above its mean,
 * with a little weight added to the mean so that a handful of interactions
 * with an unknown item is no trend while a few dozen are.  The growth of all
 * items is no trend of any of them; it includes the ratio of the lengths of the
 * two periods.  An item launched yesterday has an expected weight of 0 and can
 * trend.  The window ends at the newest interaction, not at the current time.
 *
 * Knows numbers only.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/trend.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "interaction/stream.h"
#include "interaction/trend.h"
#include "options/options.h"
#include "pg/memory_budget.h"

#define ROUNDING	1e-12		/* part of the expected weight that is no trend */

static double
trend_score(double recent, double expected, const RecOptions *options)
{
	if (fabs(recent - expected) <= ROUNDING * expected)
		return 0;
	return (recent - expected) / sqrt(expected + options->trend_smoothing);
}

/* The period that an interaction belongs to. */
typedef enum TrendPart
{
	TREND_NOWHERE,
	TREND_RECENT,
	TREND_BASELINE
} TrendPart;

static inline TrendPart
part_of(const RecStream *stream, int64 row, const RecOptions *options)
{
	int64		time = rec_stream_time(stream, row);
	double		age = (double) stream->newest - (double) time;

	if (time == REC_NO_TIME || rec_stream_weight(stream, row) <= 0)
		return TREND_NOWHERE;
	if (age < options->trend_window)
		return TREND_RECENT;
	return age < options->trend_window + options->trend_baseline ? TREND_BASELINE : TREND_NOWHERE;
}

/*
 * Return the exponent of the power of two whose multiples are added, so that
 * no sum depends on the order of rows: the smallest that 62 bits allow.
 */
static int
unit_exponent(const RecStream *stream, const RecOptions *options)
{
	double		largest = 0;
	int			weight_bits;
	int			count_bits;

	for (int64 i = 0; i < stream->count; i++)
		if (part_of(stream, i, options) != TREND_NOWHERE)
			largest = Max(largest, rec_stream_weight(stream, i));
	(void) frexp(largest, &weight_bits);
	(void) frexp((double) stream->count, &count_bits);
	return weight_bits + count_bits - 62;
}

/*
 * Return the trend of each item of the stream, in the current context: above
 * zero for rising items; zero for all items without times.  Interactions of
 * negative weight do not count.
 */
double *
rec_trend_scores(const RecStream *stream, uint32 nitems, const RecOptions *options)
{
	bool		timed = rec_stream_has_times(stream);
	int			unit = timed ? unit_exponent(stream, options) : 0;
	double	   *trend = rec_memory_budget_alloc(CurrentMemoryContext, nitems, sizeof(double));
	int64	   *recent = rec_memory_budget_alloc(CurrentMemoryContext, nitems, sizeof(int64));
	int64	   *baseline = rec_memory_budget_alloc(CurrentMemoryContext, nitems, sizeof(int64));
	int64		all_recent = 0;
	int64		all_baseline = 0;
	double		growth;

	for (int64 i = 0; timed && i < stream->count; i++)
	{
		TrendPart	part = part_of(stream, i, options);
		uint32		item = rec_stream_item(stream, i);
		int64		units;

		if (part == TREND_NOWHERE)
			continue;
		units = (int64) rint(ldexp(rec_stream_weight(stream, i), -unit));
		if (part == TREND_RECENT)
		{
			recent[item] += units;
			all_recent += units;
		}
		else
		{
			baseline[item] += units;
			all_baseline += units;
		}
	}
	growth = all_baseline > 0 ? (double) all_recent / (double) all_baseline : 0;
	for (uint32 item = 0; item < nitems; item++)
		trend[item] = trend_score(ldexp((double) recent[item], unit),
								  ldexp((double) baseline[item], unit) * growth, options);
	pfree(recent);
	pfree(baseline);
	return trend;
}
