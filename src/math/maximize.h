/*-------------------------------------------------------------------------
 *
 * maximize.h
 *	  The maximum of a smooth function of a few parameters.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/maximize.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_MAXIMIZE_H
#define REC_MAXIMIZE_H

#define REC_MAXIMIZE_MAX	4	/* most parameters */

/* A function's value at a place, its gradient and its Hessian matrix. */
typedef struct RecValue
{
	double		value;
	double		gradient[REC_MAXIMIZE_MAX];
	double		hessian[REC_MAXIMIZE_MAX][REC_MAXIMIZE_MAX];
} RecValue;

/* A function to maximise; "arg" is for its own use. */
typedef void (*RecFunction) (const double *x, RecValue *value, void *arg);

/* True at a place beyond which nothing is to be looked for. */
typedef bool (*RecBoundary) (const double *x);

extern bool rec_maximize(RecFunction function, RecBoundary boundary, void *arg, int n,
						 double *x, double *value);

#endif							/* REC_MAXIMIZE_H */
