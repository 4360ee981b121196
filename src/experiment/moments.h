/*-------------------------------------------------------------------------
 *
 * moments.h
 *	  Means and sums of products of several measures, row by row.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/moments.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_MOMENTS_H
#define REC_MOMENTS_H

#include "lib/stringinfo.h"

#define REC_MOMENTS_MOST	16

/* What is known of the rows so far. */
typedef struct RecMomentSums
{
	int			count;			/* of measures; 0 before the first row */
	int64		n;				/* rows */
	double		mean[REC_MOMENTS_MOST];
	double		product[REC_MOMENTS_MOST][REC_MOMENTS_MOST];	/* sums of products of
																 * deviations */
} RecMomentSums;

extern void rec_moments_add(RecMomentSums *sums, const double *value);
extern void rec_moments_merge(RecMomentSums *sums, const RecMomentSums *other);
extern double rec_moments_covariance(const RecMomentSums *sums, int i, int j);
extern void rec_moments_send(const RecMomentSums *sums, StringInfo buffer);
extern void rec_moments_receive(RecMomentSums *sums, StringInfo buffer);

#endif							/* REC_MOMENTS_H */
