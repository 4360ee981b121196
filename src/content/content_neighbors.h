/*-------------------------------------------------------------------------
 *
 * content_neighbors.h
 *	  The most similar items of each item by content.
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
#include "pg/step.h"

/* The list of each item, one after the other, best neighbour first. */
typedef struct RecContentLists
{
	uint32		nitems;
	int64	   *start;			/* nitems + 1 offsets */
	int32	   *item;
	float4	   *value;			/* cosines */
} RecContentLists;

extern RecContentLists *rec_content_neighbors(RecContent *content, int neighbors,
											  MemoryContext budget, RecStep step,
											  void *arg);

#endif							/* REC_CONTENT_NEIGHBORS_H */
