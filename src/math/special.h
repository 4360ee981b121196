/*-------------------------------------------------------------------------
 *
 * special.h
 *	  Differences of the logarithm of the gamma function.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/special.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SPECIAL_H
#define REC_SPECIAL_H

/* A function of z, with its first two derivatives. */
typedef struct RecRising
{
	double		value;
	double		first;
	double		second;
} RecRising;

extern RecRising rec_special_rising(double z, double n);
extern double rec_special_trigamma(double z);

#endif							/* REC_SPECIAL_H */
