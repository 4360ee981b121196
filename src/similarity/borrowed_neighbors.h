/*-------------------------------------------------------------------------
 *
 * borrowed_neighbors.h
 *	  Neighbours by behaviour borrowed from items of similar content.
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

typedef struct RecBorrowedNeighbors RecBorrowedNeighbors;

extern RecBorrowedNeighbors *rec_borrowed_neighbors_create(MemoryContext mcxt, const RecMatrix *matrix,
									  const RecContentLists *by_content,
									  const RecOptions *options,
									  RecRowSink sink, RecStep step, void *arg);
extern void rec_borrowed_neighbors_step(void *borrowed, double done, double total);
extern void rec_borrowed_neighbors_take(void *borrowed, uint32 source, const RecNeighbor *row, int n);
extern void rec_borrowed_neighbors_rows(RecBorrowedNeighbors *borrowed);

#endif							/* REC_BORROWED_NEIGHBORS_H */
