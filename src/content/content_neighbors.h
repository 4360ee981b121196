/*-------------------------------------------------------------------------
 *
 * content_neighbors.h
 *	  The items most alike by their content.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/content_neighbors.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CONTENT_NEIGHBORS_H
#define REC_CONTENT_NEIGHBORS_H

#include "content/content.h"

/* A list of each item, one after the other, best neighbour first. */
typedef struct RecContentLists
{
	uint32		nitems;
	int64	   *start;			/* nitems + 1 offsets */
	int32	   *item;
	float4	   *value;			/* cosines */
} RecContentLists;

/* Hears that so many items have been computed. */
typedef void (*RecContentStep) (void *arg, uint32 done);

extern RecContentLists *rec_content_neighbors(RecContent *content, int neighbors,
											  MemoryContext budget, RecContentStep step,
											  void *arg);

#endif							/* REC_CONTENT_NEIGHBORS_H */
