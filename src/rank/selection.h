/*-------------------------------------------------------------------------
 *
 * selection.h
 *	  The best k of all items by their scores.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/selection.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SELECTION_H
#define REC_SELECTION_H

#include "rank/score.h"

typedef struct RecItemSet RecItemSet;

/*
 * The items of a model, which are added to a set by
 * rec_selection_item_set_add().  "fetch" adds items by their numbers.  "list"
 * adds the first ones in order of a component (or of their numbers, for
 * REC_NCOMPONENTS), more with each level from 0; it sets *last to the
 * component's value of the last one and returns true when those are all items
 * there are, or all eligible ones.  Level REC_ALL_LEVELS is that of all.
 * "is_sparse", which may be NULL, returns whether so few of the next items are
 * likely to be eligible that it is better to list all.  "spare" is how many of
 * the best candidates may turn out not to be eligible.
 */
typedef struct RecCatalog
{
	void		(*fetch) (void *arg, const uint32 *items, int n, RecItemSet *set);
	bool		(*list) (void *arg, RecComponent order, int level,
						 RecItemSet *set, double *last);
	bool		(*is_sparse) (void *arg, int64 missing, int64 next);
	void	   *arg;
	int			spare;
} RecCatalog;

#define REC_ALL_LEVELS	1000

#define REC_LIST_HEAD	2048	/* items that the lists of the level before
								 * "all" have, about */

extern RecItemSet *rec_selection_item_set_create(const RecScores *scores);
extern void rec_selection_item_set_add(RecItemSet *set, const RecScoredItem *item);
extern RecScoredItem *rec_selection_item_set_ranked(RecItemSet *set, int *n);
extern RecScoredItem *rec_selection_best(RecScores *scores, const RecCatalog *catalog,
									  int64 k, int *n);

#endif							/* REC_SELECTION_H */
