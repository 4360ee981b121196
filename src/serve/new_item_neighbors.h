/*-------------------------------------------------------------------------
 *
 * new_item_neighbors.h
 *	  Neighbours by content of an item that the model does not know.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/new_item_neighbors.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_NEW_ITEM_NEIGHBORS_H
#define REC_NEW_ITEM_NEIGHBORS_H

#include "rank/neighbor_list.h"
#include "serve/new_item_vectors.h"

extern void rec_new_item_neighbors_find(RecVectorMaker *maker, const RecVector *vector,
										int neighbors, RecNeighborList *list);

#endif							/* REC_NEW_ITEM_NEIGHBORS_H */
