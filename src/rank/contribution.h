/*-------------------------------------------------------------------------
 *
 * contribution.h
 *	  What a score is made of, term by term.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/contribution.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CONTRIBUTION_H
#define REC_CONTRIBUTION_H

#include "rank/signal.h"

/* One contribution to a score. */
typedef struct RecContribution
{
	RecComponent component;
	const RecSignal *signal;	/* NULL for a component without signals */
	double		value;			/* the signal's for the item, or the item's */
	double		contribution;
} RecContribution;

extern void rec_contribution_expect(RecScores *scores, const RecScoredItem *items,
											int n);
extern int	rec_contribution_list(const RecScores *scores, const RecScoredItem *item,
									 RecContribution **contributions);
extern void rec_contribution_split(const RecScores *scores, const RecContribution *whole,
							 const double *values, int n, double *parts);
extern int	rec_contribution_largest(RecContribution *contributions, int n, int max);

#endif							/* REC_CONTRIBUTION_H */
