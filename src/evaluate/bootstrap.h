/*-------------------------------------------------------------------------
 *
 * bootstrap.h
 *	  Means over users, their bootstrap intervals, and comparisons.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/bootstrap.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_BOOTSTRAP_H
#define REC_BOOTSTRAP_H

#include "evaluate/user_values.h"

/* A mean over users, and its interval. */
typedef struct RecEstimate
{
	double		value;
	double		ci_low;			/* 95 per cent; NaN without resamples */
	double		ci_high;
	int64		users;
} RecEstimate;

/* Two evaluations on the same users. */
typedef struct RecComparison
{
	double		mean_a;
	double		mean_b;
	RecEstimate difference;		/* of b less a */
	double		p_value;		/* two-sided */
} RecComparison;

extern RecEstimate *rec_bootstrap_summary(const RecEvaluation *evaluation,
										  int resamples, int64 seed);
extern RecComparison rec_bootstrap_compare(const RecBatch *batch, const RecEvaluation *a,
										   const RecEvaluation *b, int resamples, int64 seed);

#endif							/* REC_BOOTSTRAP_H */
