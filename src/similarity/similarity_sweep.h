/*-------------------------------------------------------------------------
 *
 * similarity_sweep.h
 *	  From counters to the best neighbours of one item.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity_sweep.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SIMILARITY_SWEEP_H
#define REC_SIMILARITY_SWEEP_H

#include "similarity/similarity_state.h"

extern void rec_similarity_sweep_find_dirty(RecSimilarity *state);
extern void rec_similarity_sweep_guess_limit(RecSimilarity *state);
extern void rec_similarity_sweep(RecSimilarity *state);

#endif							/* REC_SIMILARITY_SWEEP_H */
