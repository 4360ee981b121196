/*-------------------------------------------------------------------------
 *
 * borrowed_neighbors.h
 *	  Neighbours by behaviour that items borrow from those like them.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/borrowed_neighbors.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_BORROWED_NEIGHBORS_H
#define REC_BORROWED_NEIGHBORS_H

#include "content/content_neighbors.h"
#include "pg/step.h"
#include "similarity/similarity.h"

typedef struct RecLending RecLending;

extern RecLending *rec_borrowed_neighbors_create(MemoryContext context, const RecMatrix *matrix,
									  const RecContentLists *likeness,
									  const RecOptions *options,
									  RecRowSink sink, RecStep step, void *arg);
extern void rec_borrowed_neighbors_step(void *lending, double done, double total);
extern void rec_borrowed_neighbors_take(void *lending, uint32 source, const RecNeighbor *row, int n);
extern void rec_borrowed_neighbors_rows(RecLending *lending);

#endif							/* REC_BORROWED_NEIGHBORS_H */
