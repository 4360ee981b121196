/*-------------------------------------------------------------------------
 *
 * lists.h
 *	  Lists of neighbours of all items, and turning them round.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/lists.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_LISTS_H
#define REC_LISTS_H

#include "topk.h"

/* One list after the other; all of it lives in "context". */
typedef struct RecLists
{
	MemoryContext context;
	uint32		nitems;
	uint32		nlists;			/* lists so far; nitems when complete */
	int64	   *start;			/* nitems + 1 offsets into neighbor */
	RecNeighbor *neighbor;
	int64		allocated;
} RecLists;

extern RecLists *rec_lists_create(MemoryContext context, uint32 nitems);
extern void rec_lists_append(RecLists *lists, const RecNeighbor *neighbors, int n);
extern RecLists *rec_lists_turn(const RecLists *lists);

#endif							/* REC_LISTS_H */
