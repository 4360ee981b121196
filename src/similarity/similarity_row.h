/*-------------------------------------------------------------------------
 *
 * similarity_row.h
 *	  The best neighbours of one item.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity_row.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SIMILARITY_ROW_H
#define REC_SIMILARITY_ROW_H

#include "similarity/similarity_state.h"

extern Size rec_similarity_row_memory(const RecMatrix *matrix);
extern RecSimilarity *rec_similarity_row_begin(const RecMatrix *matrix, const RecOptions *options);
extern const RecTopk *rec_similarity_row_compute(RecSimilarity *state, uint32 row);
extern void rec_similarity_row_end(RecSimilarity *state);

#endif							/* REC_SIMILARITY_ROW_H */
