/*-------------------------------------------------------------------------
 *
 * neighbor_lists.h
 *	  Lists of neighbours of all items, and turning them round.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/neighbor_lists.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_NEIGHBOR_LISTS_H
#define REC_NEIGHBOR_LISTS_H

#include "math/topk.h"

typedef struct RecLists RecLists;

extern RecLists *rec_neighbor_lists_create(MemoryContext mcxt, uint32 nitems);
extern void rec_neighbor_lists_append(RecLists *lists, const RecNeighbor *neighbors, int n);
extern int	rec_neighbor_lists_get(const RecLists *lists, uint32 item, RecNeighbor *room);
extern void rec_neighbor_lists_sink_turned(const RecLists *lists, int most,
								  RecRowSink sink, void *arg);

#endif							/* REC_NEIGHBOR_LISTS_H */
