/*-------------------------------------------------------------------------
 *
 * similarity_range.h
 *	  Whether similarities can be stored as float4.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity_range.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SIMILARITY_RANGE_H
#define REC_SIMILARITY_RANGE_H

#include "interaction/dictionary.h"
#include "math/topk.h"

extern void rec_similarity_range_check(const RecNeighbor *row, int n, uint32 item,
									   const uint32 *number, RecDict *items);
extern int	rec_similarity_range_storable(const RecNeighbor *row, int n, uint32 item,
										  const uint32 *number, RecDict *items);
extern void rec_similarity_range_warn_small(void);

#endif							/* REC_SIMILARITY_RANGE_H */
