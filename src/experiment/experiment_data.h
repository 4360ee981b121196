/*-------------------------------------------------------------------------
 *
 * experiment_data.h
 *	  The units of an experiment and what they did, from two queries.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/experiment_data.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_EXPERIMENT_DATA_H
#define REC_EXPERIMENT_DATA_H

#include "datatype/timestamp.h"
#include "experiment/comparison.h"
#include "interaction/dictionary.h"
#include "utils/timestamp.h"

/* The units, by number. */
typedef struct RecExperimentData
{
	MemoryContext mcxt;			/* owns all of it */
	RecDict    *units;
	RecDict    *variants;		/* texts */
	RecDict    *segments;		/* texts; NULL without a column of them */
	RecDict    *metrics;		/* texts */
	bool		has_metric;		/* outcomes name their metric */
	int64		allocated;		/* room for units */
	int		   *variant;		/* number of the first */
	int		   *segment;		/* number of the first exposure's, -1 for none */
	bool	   *several;		/* was in more than one variant */
	TimestampTz *exposed_at;	/* first exposure */
	TimestampTz *window_start;	/* of what counts before, this included */
	TimestampTz *window_end;	/* of what counts after, this included */
	double	  **after;			/* by metric: sum of values in the window */
	double	  **before;			/* and before the first exposure; NULL */
	int			nmetrics;
} RecExperimentData;

#define REC_MOST_METRICS	32

extern RecExperimentData *rec_experiment_data_read(MemoryContext mcxt, const char *exposures,
												   const char *outcomes, Interval *window,
												   Interval *before);

#endif							/* REC_EXPERIMENT_DATA_H */
