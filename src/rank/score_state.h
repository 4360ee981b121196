/*-------------------------------------------------------------------------
 *
 * score_state.h
 *	  The state of scores, for the files that compute, explain and select them.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/score_state.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SCORE_STATE_H
#define REC_SCORE_STATE_H

#include "rank/candidates.h"
#include "rank/signal.h"

/* A signal and where its candidates are. */
typedef struct RecHeldSignal
{
	RecSignal	signal;
	int64		first;			/* entry of its first item */
} RecHeldSignal;

/* A signal's value for an item. */
typedef struct RecSignalValue
{
	int			signal;
	float4		value;
	int32		next;			/* of the same item, or -1 */
} RecSignalValue;

/* The values of signals for some items, in the order of the signals. */
typedef struct RecExpectedValues
{
	int32	   *row;			/* of each candidate: one of the items, or -1 */
	int32	   *first;			/* of each of the items, or -1 */
	int32	   *last;
	RecSignalValue  *list;
	int			n;
	int			allocated;
} RecExpectedValues;

struct RecScores
{
	const RecOptions *options;
	RecCandidates *candidates;	/* with raw sums, then with terms */
	double	   *listed;			/* all terms of each candidate, summed up */
	double	   *own_listed;		/* room for that */
	int			own_allocated;
	RecHeldSignal *signals;
	int			nsignals;
	int			signals_allocated;
	int32	   *entries;		/* candidate of each item of each signal */
	int64		nentries;
	int64		entries_allocated;
	RecExpectedValues expected;		/* of the items that are to be explained */
	int			nsteps;			/* of items by their users: the number of ... */
	uint32		steps[REC_USER_STEPS];	/* ... those with 2^step or more */

	/* the history's evidence: the sums of positive weights */
	double		evidence;		/* of items with neighbours by behaviour */
	double		personal;		/* of items with any neighbours */
	uint32		last_ref;		/* item whose weight was counted last */
	bool		summed;			/* largest is known */
	double		largest[REC_NLISTED];	/* absolute raw sum; 0 for none */

	double		grid;			/* added and taken away again, it rounds */
	double		factor[REC_NCOMPONENTS];	/* of each component's value */
	double		content_factor[REC_USER_STEPS + 1]; /* by step; first, of
													 * items without users */
};

/* Return the step of an item by its users: 0 for none, 1 for one, 2 for 2 or 3. */
static inline int
rec_score_state_user_step(const RecScores *scores, uint32 item)
{
	int			step = 0;

	while (step < scores->nsteps && item < scores->steps[step])
		step++;
	return scores->nsteps > 0 ? step : REC_USER_STEPS;
}

/* Return the weight of a component's value for an item. */
static inline double
rec_score_state_factor(const RecScores *scores, RecComponent component, uint32 item)
{
	if (component == REC_CONTENT)
		return scores->content_factor[rec_score_state_user_step(scores, item)];
	return scores->factor[component];
}

/* Round a contribution so that sums are exact. */
static inline double
rec_score_state_on_grid(const RecScores *scores, double contribution)
{
	double		moved = contribution + scores->grid;	/* a double, not wider */

	return moved - scores->grid;
}

static inline double
rec_score_state_contribution(const RecScores *scores, const RecSignal *signal, uint32 item, float4 value)
{
	return rec_score_state_on_grid(scores, rec_score_state_factor(scores, signal->component, item) * signal->weight * value);
}

#endif							/* REC_SCORE_STATE_H */
