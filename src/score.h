/*-------------------------------------------------------------------------
 *
 * score.h
 *	  From a history to the best items: components, blend and top k.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/score.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SCORE_H
#define REC_SCORE_H

#include "options.h"

/* An item of the history with its neighbours, which are the caller's. */
typedef struct RecHistoryItem
{
	double		weight;			/* may be negative */
	int			n;
	const int32 *neighbors;
	const float4 *similarities;
} RecHistoryItem;

/* An item whose score is known. */
typedef struct RecScoredItem
{
	uint32		item;
	uint32		ref;			/* the catalog's own */
	bool		eligible;		/* may be returned */
	double		behaviour;		/* before scaling */
	double		popularity;		/* 0 to 1 */
	double		trend;			/* 0 to 1 */
	double		score;
} RecScoredItem;

/* One term of a score, for an explanation. */
typedef struct RecReason
{
	RecComponent component;
	int			history;		/* index of the history item, or -1 */
	double		contribution;
} RecReason;

typedef struct RecScores RecScores;
typedef struct RecItemSet RecItemSet;

/*
 * Where the items of a model are: it adds items to a set by
 * rec_item_set_add().  "list" adds the first ones in order of a component (or
 * of their numbers, for REC_NCOMPONENTS), more with each level from 0; it
 * sets *last to the component's value of the last one and gives true when
 * those are all items there are.
 */
typedef struct RecCatalog
{
	void		(*fetch) (void *arg, const uint32 *items, int n, RecItemSet *set);
	bool		(*list) (void *arg, RecComponent order, int level,
						 RecItemSet *set, double *last);
	void	   *arg;
} RecCatalog;

extern RecScores *rec_scores_create(const RecOptions *options, uint32 nitems);
extern void rec_scores_reset(RecScores *scores);
extern void rec_scores_add(RecScores *scores, const RecHistoryItem *item);
extern void rec_scores_blend(RecScores *scores);
extern void rec_scores_behaviour_only(RecScores *scores);
extern void rec_scores_popularity_only(RecScores *scores);
extern void rec_scores_fill(const RecScores *scores, RecScoredItem *item);
extern RecComponent rec_scores_strategy(const RecScores *scores, const RecScoredItem *item);
extern int	rec_scores_reasons(const RecScores *scores, const RecScoredItem *item,
							   RecReason *reasons, int max);

extern RecItemSet *rec_item_set_create(const RecScores *scores);
extern void rec_item_set_add(RecItemSet *set, const RecScoredItem *item);
extern RecScoredItem *rec_item_set_ranked(RecItemSet *set, int *n);
extern RecScoredItem *rec_select_best(RecScores *scores, const RecCatalog *catalog,
									  int64 k, int *n);

#endif							/* REC_SCORE_H */
