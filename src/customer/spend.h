/*-------------------------------------------------------------------------
 *
 * spend.h
 *	  The model of spending: Gamma-Gamma.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/spend.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SPEND_H
#define REC_SPEND_H

#include "customer/pattern.h"

#define REC_SPEND_MIN_USERS	100 /* no model is fitted on fewer */

typedef struct RecSpendModel
{
	bool		fitted;			/* else all that follows up to users is 0 */
	double		p;				/* values of a customer are Gamma(p, nu) ... */
	double		q;				/* ... with nu Gamma(q, v) over customers */
	double		v;				/* in the unit of value */
	double		population_mean;	/* NaN when q is at most 1: there is none */
	double		correlation;	/* of frequency and mean value; NaN when one
								 * is constant */
	double		log_likelihood;
	bool		converged;
	int64		users;
} RecSpendModel;

extern void rec_spend_fit(RecSpendModel *model, RecPatterns *patterns);
extern double rec_spend_forecast(const RecSpendModel *model, int32 frequency, double mean_value);

#endif							/* REC_SPEND_H */
