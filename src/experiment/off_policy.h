/*-------------------------------------------------------------------------
 *
 * off_policy.h
 *	  What another policy would have earned, from the log of one.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/off_policy.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_OFF_POLICY_H
#define REC_OFF_POLICY_H

#include "experiment/moments.h"

/* What estimators are computed with; NaN for none. */
typedef struct RecOffPolicyOptions
{
	double		alpha;			/* of intervals */
	double		clip;			/* largest weight of clipped_ips and switch_dr */
	double		lambda;			/* shrinkage of shrunk_dr */
	double		sub_gaussian;	/* of sub_gaussian_ips, 0 to 1 */
} RecOffPolicyOptions;

/* A row of the log. */
typedef struct RecOffPolicyRow
{
	double		reward;
	double		propensity;		/* of the logged choice, > 0 */
	double		target;			/* its probability under the other policy */
	double		q_logged;		/* a model's reward of the logged choice; NaN */
	double		q_target;		/* and of what the other policy would choose; NaN */
} RecOffPolicyRow;

/* The log so far. */
typedef struct RecOffPolicyLog
{
	bool		modelled;		/* rows have q; of the first row */
	int64		certain;		/* rows of propensity 1 */
	double		max_weight;
	RecMomentSums sums;
} RecOffPolicyLog;

/* Of what an estimate should be doubted. */
#define REC_OFF_POLICY_LOW_EFFECTIVE_N		1
#define REC_OFF_POLICY_MEAN_WEIGHT_OFF		2
#define REC_OFF_POLICY_DETERMINISTIC_LOG	4
#define REC_OFF_POLICY_WARNINGS				3

/* An estimate; NaN where there is none. */
typedef struct RecOffPolicyEstimate
{
	const char *estimator;
	double		value;
	double		standard_error;
	double		ci_low;
	double		ci_high;
} RecOffPolicyEstimate;

#define REC_OFF_POLICY_ESTIMATORS	9

extern void rec_off_policy_add(RecOffPolicyLog *log, const RecOffPolicyOptions *options,
							   const RecOffPolicyRow *row);
extern void rec_off_policy_merge(RecOffPolicyLog *log, const RecOffPolicyLog *other);
extern int	rec_off_policy_estimate(const RecOffPolicyLog *log, const RecOffPolicyOptions *options,
									RecOffPolicyEstimate *estimate);
extern double rec_off_policy_mean_weight(const RecOffPolicyLog *log);
extern double rec_off_policy_effective_n(const RecOffPolicyLog *log);
extern int	rec_off_policy_warnings(const RecOffPolicyLog *log);
extern const char *rec_off_policy_warning_name(int bit);

#endif							/* REC_OFF_POLICY_H */
