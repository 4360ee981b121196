/*-------------------------------------------------------------------------
 *
 * score.h
 *	  From signals to scores: components, evidence and the blend.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/score.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SCORE_H
#define REC_SCORE_H

#include "options/options.h"

/*
 * What one item of the history, or one value of the context, says of items.
 * The lists are the caller's and stay allocated as long as the scores.
 */
typedef struct RecSignal
{
	RecComponent component;		/* below REC_NLISTED */
	uint32		ref;			/* the caller's own: which item, which value */
	double		weight;			/* may be negative */
	int			n;
	const int32 *items;			/* NULL: 0 to n - 1 */
	const float4 *values;
} RecSignal;

/* An item whose score is known. */
typedef struct RecScoredItem
{
	uint32		item;
	uint32		ref;			/* the catalog's own */
	bool		eligible;		/* may be returned */
	double		popularity;		/* 0 to 1 */
	double		trend;			/* 0 to 1 */
	const float4 *said;			/* by the signals of content, for an item that
								 * is no candidate; else NULL */
	double		term[REC_NCOMPONENTS];	/* of the score, each component's */
	double		score;
} RecScoredItem;

/* One contribution to a score. */
typedef struct RecContribution
{
	RecComponent component;
	const RecSignal *signal;	/* NULL for a component without signals */
	double		value;			/* the signal's for the item, or the item's */
	double		contribution;
} RecContribution;

typedef struct RecScores RecScores;

#define REC_USER_STEPS	32		/* steps of items by their users */

extern RecScores *rec_score_create(const RecOptions *options, uint32 nitems);
extern void rec_score_serve_by(RecScores *scores, const RecOptions *options);
extern void rec_score_set_steps(RecScores *scores, const uint32 *steps, int n);
extern void rec_score_reset(RecScores *scores);
extern void rec_score_expect(RecScores *scores, int nsignals, int64 nentries, uint32 nitems);
extern void rec_score_add(RecScores *scores, const RecSignal *signal);
extern void rec_score_expect_all(RecScores *scores, uint32 nitems);
extern void rec_score_bar(RecScores *scores, uint32 item);
extern void rec_score_blend(RecScores *scores);
extern int	rec_score_refs(const RecScores *scores, RecComponent component,
							const uint32 **refs);
extern double rec_score_item_trust(const RecScores *scores, uint32 item);
extern void rec_score_similarity(RecScores *scores, double trust);
extern void rec_score_component_only(RecScores *scores, RecComponent component);
extern void rec_score_fill(const RecScores *scores, RecScoredItem *item);
extern RecComponent rec_score_strategy(const RecScoredItem *item);
extern void rec_contribution_expect(RecScores *scores, const RecScoredItem *items,
											int n);
extern int	rec_contribution_list(const RecScores *scores, const RecScoredItem *item,
									 RecContribution **contributions);
extern void rec_contribution_split(const RecScores *scores, const RecContribution *whole,
							 const double *shares, int n, double *parts);
extern int	rec_contribution_largest(RecContribution *contributions, int n, int max);

#endif							/* REC_SCORE_H */
