/*-------------------------------------------------------------------------
 *
 * signal.h
 *	  Signals, and the items that they score.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/signal.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SIGNAL_H
#define REC_SIGNAL_H

#include "options/options.h"

#define REC_USER_STEPS	32		/* steps of items by their users */

/*
 * The values of items by one item of the history, or by one value of the
 * context.  The lists are the caller's and stay allocated as long as the scores.
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
	const float4 *content_values;	/* of the signals of content, for an item
									 * that is not a candidate; else NULL */
	double		term[REC_NCOMPONENTS];	/* of the score, each component's */
	double		score;
} RecScoredItem;

/* The scores of one user; see score.c. */
typedef struct RecScores RecScores;

#endif							/* REC_SIGNAL_H */
