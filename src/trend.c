/*-------------------------------------------------------------------------
 *
 * trend.c
 *	  Which items are on the rise.
 *
 * An item trends when the weight of its interactions in the recent window is
 * more than the baseline before it lets expect:
 *
 *	trend = (recent - expected) / sqrt(expected + smoothing),
 *	expected = baseline * window / length of the baseline
 *
 * which is how many standard deviations a Poisson count lies above its mean,
 * with a little weight added to the mean so that a handful of interactions
 * with something unknown is no trend while a few dozen are.  An item launched
 * yesterday has nothing expected of it and can trend.  The window ends at the
 * newest interaction, not at the clock's time.
 *
 * Knows numbers only.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/trend.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "storage/shmem.h"
#include "trend.h"

static double
trend_score(double recent, double baseline, const RecOptions *options)
{
	double		expected = baseline * options->trend_window / options->trend_baseline;

	return (recent - expected) / sqrt(expected + options->trend_smoothing);
}

/*
 * Gives the trend of each item of the stream, in the current context.  Items
 * on the rise are above zero; without times all are zero.  Interactions of
 * negative weight do not count.
 */
double *
rec_trend_scores(const RecStream *stream, uint32 nitems, const RecOptions *options)
{
	Size		size = mul_size(Max(nitems, 1), sizeof(double));
	double	   *recent = MemoryContextAllocHuge(CurrentMemoryContext, size);
	double	   *baseline = MemoryContextAllocHuge(CurrentMemoryContext, size);
	double		newest = (double) stream->newest;

	memset(recent, 0, size);
	memset(baseline, 0, size);
	for (int64 i = 0; rec_stream_has_times(stream) && i < stream->count; i++)
	{
		int64		time = rec_stream_time(stream, i);
		double		age = newest - (double) time;
		double		weight = rec_stream_weight(stream, i);

		if (time == REC_NO_TIME || weight <= 0)
			continue;
		if (age < options->trend_window)
			recent[rec_stream_item(stream, i)] += weight;
		else if (age < options->trend_window + options->trend_baseline)
			baseline[rec_stream_item(stream, i)] += weight;
	}
	for (uint32 item = 0; item < nitems; item++)
		recent[item] = trend_score(recent[item], baseline[item], options);
	pfree(baseline);
	return recent;
}
