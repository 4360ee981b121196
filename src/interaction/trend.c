/*-------------------------------------------------------------------------
 *
 * trend.c
 *	  The trend of items.
 *
 * An item trends when the weight of its interactions in the recent window is
 * more than the previous weeks, the baseline, predict:
 *
 *	  trend = (recent - expected) / sqrt(expected + smoothing),
 *	  expected = baseline * window / length of the baseline
 *
 * which is how many standard deviations a Poisson count lies above its mean,
 * with a little weight added to the mean so that a handful of interactions
 * with an unknown item is no trend while a few dozen are.  An item launched
 * yesterday has an expected weight of 0 and can trend.  The window ends at the
 * newest interaction, not at the current time.
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

static double
trend_score(double recent, double baseline, const RecOptions *options)
{
	double		expected = baseline * options->trend_window / options->trend_baseline;

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

	for (int64 i = 0; timed && i < stream->count; i++)
	{
		TrendPart	part = part_of(stream, i, options);
		uint32		item = rec_stream_item(stream, i);

		if (part == TREND_RECENT)
			recent[item] += (int64) rint(ldexp(rec_stream_weight(stream, i), -unit));
		else if (part == TREND_BASELINE)
			baseline[item] += (int64) rint(ldexp(rec_stream_weight(stream, i), -unit));
	}
	for (uint32 item = 0; item < nitems; item++)
		trend[item] = trend_score(ldexp((double) recent[item], unit),
								  ldexp((double) baseline[item], unit), options);
	pfree(recent);
	pfree(baseline);
	return trend;
}
