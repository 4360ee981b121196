/*-------------------------------------------------------------------------
 *
 * attribution.h
 *	  Which touchpoints conversions are owed to.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/attribution.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ATTRIBUTION_H
#define REC_ATTRIBUTION_H

#define REC_ATTRIBUTION_MAX		2000	/* touchpoints */

/* A path: touchpoints as numbers, and how often it ended in which way. */
typedef struct RecPath
{
	const uint32 *touch;
	int			ntouches;		/* 1 at least */
	double		conversions;
	double		losses;
	double		value;			/* of its conversions */
} RecPath;

/* What is known of a touchpoint. */
typedef struct RecAttribution
{
	double		paths;			/* conversions and losses of paths through it */
	double		first;
	double		last;
	double		linear;
	double		shapley;
	double		markov;
	double		removal_effect; /* NaN when nothing is converted */
	double		markov_value;
} RecAttribution;

extern void rec_attribution_compute(const RecPath *path, int64 npaths, int ntouchpoints,
									RecAttribution *result);

#endif							/* REC_ATTRIBUTION_H */
