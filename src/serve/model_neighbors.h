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

#include "serve/call.h"

extern bool rec_keep_list(Datum numbers, Datum worths, RecNeighborList *list);
extern void rec_serve_all_neighbors(RecServe *serve, RecDict *items, RecNeighborList *lists);
extern void rec_serve_neighbors(RecServe *serve, const Datum *ids, int n, RecDict *items,
								RecNeighborList *lists);
extern int32 rec_listed_number(const RecNeighborList *lists);

#endif							/* REC_MODEL_NEIGHBORS_H */
