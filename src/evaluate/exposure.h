/*-------------------------------------------------------------------------
 *
 * exposure.h
 *	  How often each item is in the lists of all users: coverage and Gini.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/exposure.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_EXPOSURE_H
#define REC_EXPOSURE_H

#include "evaluate/bootstrap.h"

extern RecExposure *rec_exposure_create(MemoryContext mcxt, uint32 nids,
										int ncontestants, const int *k, int nk);
extern void rec_exposure_add(RecExposure *exposure, const uint32 *items, int n);
extern RecEstimate rec_exposure_estimate(const RecExposure *exposure, RecMetricNumber metric,
										 int contestant, int k, const uint32 *catalogue,
										 uint32 nitems, bool interval);

#endif							/* REC_EXPOSURE_H */
