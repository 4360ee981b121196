/*-------------------------------------------------------------------------
 *
 * similarity_count.h
 *	  Counting the common users of one item with all others.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity_count.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SIMILARITY_COUNT_H
#define REC_SIMILARITY_COUNT_H

#include "similarity/similarity_state.h"

extern void rec_similarity_count(RecSimilarity *state);

#endif							/* REC_SIMILARITY_COUNT_H */
