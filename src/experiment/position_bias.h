/*-------------------------------------------------------------------------
 *
 * position_bias.h
 *	  How likely a place in a list is looked at.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/position_bias.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_POSITION_BIAS_H
#define REC_POSITION_BIAS_H

#define REC_MOST_RANKS	100

/* How often an item was shown at a rank, and clicked. */
typedef struct RecPlacement
{
	int			item;			/* any number that tells items apart */
	int			rank;			/* from 1 to REC_MOST_RANKS */
	double		shown;
	double		clicked;
} RecPlacement;

/* What is known of a rank; NaN where nothing is. */
typedef struct RecExamination
{
	double		examination;	/* relative to that of rank 1 */
	double		ci_low;
	double		ci_high;
	double		shown;
	double		clicked;
	int			pairs;			/* items that were at this rank and another one */
} RecExamination;

extern int	rec_position_bias_estimate(RecPlacement *placement, int64 count, double alpha,
									   RecExamination *rank);

#endif							/* REC_POSITION_BIAS_H */
