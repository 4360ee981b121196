/*-------------------------------------------------------------------------
 *
 * similarity_parallel.h
 *	  The best neighbours of each item, by several processes.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity_parallel.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SIMILARITY_PARALLEL_H
#define REC_SIMILARITY_PARALLEL_H

#include "interaction/matrix.h"
#include "math/topk.h"
#include "options/options.h"

extern bool rec_similarity_parallel(RecMatrix *matrix, const RecOptions *options,
									RecRowSink sink, void *arg);

#endif							/* REC_SIMILARITY_PARALLEL_H */
