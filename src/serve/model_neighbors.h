/*-------------------------------------------------------------------------
 *
 * model_neighbors.h
 *	  Rows of neighbours of the stored model, checked.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/model_neighbors.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_MODEL_NEIGHBORS_H
#define REC_MODEL_NEIGHBORS_H

#include "rank/neighbor_list.h"
#include "serve/served_model.h"

/* An item whose id came with the row of an item that it resembles. */
typedef struct RecNearItem
{
	uint32		item;
	Datum		id;
} RecNearItem;

typedef struct RecNearItems
{
	int			n;
	RecNearItem *items;
} RecNearItems;

extern bool rec_model_neighbors_keep(Datum numbers, Datum scores, RecNeighborList *list);
extern void rec_model_neighbors_read_all(const RecServedModel *model, RecDict *items,
										 RecNeighborList *lists);
extern void rec_model_neighbors_read(const RecServedModel *model, const Datum *ids, int n,
									 RecDict *items, RecNeighborList *lists,
									 RecNearItems *near);
extern int32 rec_model_neighbors_item(const RecNeighborList *lists);

#endif							/* REC_MODEL_NEIGHBORS_H */
