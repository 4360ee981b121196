/*-------------------------------------------------------------------------
 *
 * similarity.h
 *	  The best neighbours of each item.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SIMILARITY_H
#define REC_SIMILARITY_H

#include "interaction/matrix.h"
#include "pg/step.h"
#include "similarity/measure.h"

extern void rec_similarity_rows(RecMatrix *matrix, const RecOptions *options,
								bool parallel, RecRowSink sink, RecStep step,
								void *arg);

#endif							/* REC_SIMILARITY_H */
