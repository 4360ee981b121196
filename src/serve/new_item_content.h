/*-------------------------------------------------------------------------
 *
 * new_item_content.h
 *	  New items in a history, and as candidates of one: by their content.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/new_item_content.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_NEW_ITEM_CONTENT_H
#define REC_NEW_ITEM_CONTENT_H

#include "interaction/pair.h"
#include "rank/neighbor_list.h"
#include "rank/signal.h"
#include "serve/new_item_vectors.h"
#include "serve/new_items.h"

/*
 * For how many items of a history that are unknown to the model neighbours are
 * found; the newest one is always among them.
 */
#define REC_MOST_UNKNOWN(options)	Max((options)->new_items, 1)

typedef struct RecNewItemContent
{
	MemoryContext mcxt;			/* of all that is kept here */
	const RecServedModel *model;
	const RecOptions *options;	/* of the call */
	RecNewItems *new_items;
	RecVectorMaker *maker;		/* NULL until needed */
	RecVector  *newest;			/* vectors of the newest items; NULL until
								 * needed */
	RecDict    *history;		/* ids of the history that they joined, or NULL */
	RecVector  *vectors;		/* by number in the history; NULL until needed */
} RecNewItemContent;

extern void rec_new_item_content_init(RecNewItemContent *content, MemoryContext mcxt,
									  RecNewItems *new_items, const RecOptions *options);
extern void rec_new_item_content_join(RecNewItemContent *content, RecDict *history,
									  RecNeighborList *lists, const RecPair *pairs, int n);
extern void rec_new_item_content_join_all(RecNewItemContent *content, RecDict *items,
										  const bool *used, const bool *known,
										  RecNeighborList *lists);
extern int	rec_new_item_content_judge(RecNewItemContent *content, const RecItemIds *ids,
									   const uint32 *refs, int nrefs,
									   RecScoredItem *items, int n);

#endif							/* REC_NEW_ITEM_CONTENT_H */
