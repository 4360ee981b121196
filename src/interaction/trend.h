/*-------------------------------------------------------------------------
 *
 * trend.h
 *	  The trend of items.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/trend.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_TREND_H
#define REC_TREND_H

#include "interaction/stream.h"
#include "options/options.h"

extern double *rec_trend_scores(const RecStream *stream, uint32 nitems,
								const RecOptions *options);

#endif							/* REC_TREND_H */
