/*-------------------------------------------------------------------------
 *
 * new_items.h
 *	  Items that came after the last refresh, in a call.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/new_items.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_NEW_ITEMS_H
#define REC_NEW_ITEMS_H

#include "serve/call.h"
#include "serve/new_item_vectors.h"

/*
 * How many items of a history that the model does not know may speak: the
 * newest one always does.
 */
#define REC_MOST_UNKNOWN(options)	Max((options)->new_items, 1)

extern void rec_new_items_look(RecServe *serve);
extern void rec_new_items_join(RecServe *serve, const RecPair *pairs, int n);
extern void rec_new_items_join_all(RecServe *serve, RecDict *items, const bool *used,
							   const bool *known, RecNeighborList *lists);
extern int	rec_new_items_judge(RecServe *serve, RecScoredItem *items, int n);

#endif							/* REC_NEW_ITEMS_H */
