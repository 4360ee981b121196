/*-------------------------------------------------------------------------
 *
 * rerank.h
 *	  Diversity of a ranking: by similarity, and by values of columns.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/rerank.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_RERANK_H
#define REC_RERANK_H

#include "rank/neighbor_list.h"
#include "rank/selection.h"

/*
 * How to look up the items of a ranking.  "neighbors" fills in the lists of n
 * items, REC_NLIKENESSES for each (all zeroes before); "values" fills in
 * a number for the value of each of max_per's columns, equal for equal ones
 * and negative for null.
 */
typedef struct RecReranker
{
	void		(*neighbors) (void *arg, const RecScoredItem *items, int n,
							  RecNeighborList *lists);
	void		(*values) (void *arg, const RecScoredItem *items, int n,
						   int32 *values);
	void	   *arg;
} RecReranker;

extern RecScoredItem *rec_rerank_select(RecScores *scores, const RecOptions *options,
										  const RecCatalog *catalog,
										  const RecReranker *reranker,
										  int64 k, int *n);

#endif							/* REC_RERANK_H */
