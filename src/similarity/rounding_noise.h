/*-------------------------------------------------------------------------
 *
 * rounding_noise.h
 *	  Leaving out similarities that are rounding errors.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/rounding_noise.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ROUNDING_NOISE_H
#define REC_ROUNDING_NOISE_H

#include "interaction/matrix.h"
#include "math/topk.h"

typedef struct RecRoundingNoise RecRoundingNoise;

extern RecRoundingNoise *rec_rounding_noise_create(MemoryContext mcxt, const RecMatrix *matrix,
												   int neighbors, RecRowSink sink, void *arg);
extern void rec_rounding_noise_take(void *noise, uint32 item, const RecNeighbor *row, int n);

#endif							/* REC_ROUNDING_NOISE_H */
