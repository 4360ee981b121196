/*-------------------------------------------------------------------------
 *
 * audience.h
 *	  The users of each item: popularity and similarity for metrics of lists.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/audience.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_AUDIENCE_H
#define REC_AUDIENCE_H

#include "batch/batch.h"

typedef struct RecAudience RecAudience;

extern RecAudience *rec_audience_create(MemoryContext mcxt, const RecBatch *batch);
extern double rec_audience_share(const RecAudience *audience, uint32 item);
extern void rec_audience_sum_alike(RecAudience *audience, const uint32 *items, int n,
								   double *alike);

#endif							/* REC_AUDIENCE_H */
