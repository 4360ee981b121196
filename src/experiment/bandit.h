/*-------------------------------------------------------------------------
 *
 * bandit.h
 *	  Policies of bandits: with which probability each arm is chosen.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/bandit.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_BANDIT_H
#define REC_BANDIT_H

#define REC_BANDIT_MOST_FEATURES	64

typedef enum RecPolicy
{
	REC_POLICY_THOMPSON,
	REC_POLICY_EPSILON_GREEDY,
	REC_POLICY_UCB1,
	REC_POLICY_SOFTMAX,
	REC_POLICY_LINUCB,
	REC_POLICY_LINTS
} RecPolicy;

/* Parameters of policies; each looks at its own. */
typedef struct RecBanditOptions
{
	double		epsilon;		/* share of choices that are even */
	double		alpha;			/* width of confidence in ucb1, linucb, lints */
	double		temperature;	/* of softmax */
	double		ridge;			/* of linucb, lints */
	double		prior_alpha;	/* of thompson of shares */
	double		prior_beta;
	double		prior_mean;		/* of thompson of means, and of what softmax
								 * does not know */
	double		prior_variance;
	double		floor;			/* least probability of an arm */
	double		warmup;			/* rewards of each arm before anything is
								 * preferred */
} RecBanditOptions;

/* Rewards of arms; counts may be fractions, when old ones have faded. */
typedef struct RecArmSums
{
	int			count;			/* of arms */
	const double *n;
	const double *total;
	const double *squares;		/* NULL: rewards are 0 or 1 */
} RecArmSums;

/* What comes out, by arm. */
typedef struct RecArmChoice
{
	double	   *mean;			/* NaN of an arm without rewards */
	double	   *index;			/* what is compared; infinite if untried */
	double	   *probability;	/* sum 1 */
} RecArmChoice;

extern const char *rec_bandit_policy_name(int policy);
extern void rec_bandit_choose(RecPolicy policy, const RecBanditOptions *options,
							  const RecArmSums *sums, RecArmChoice *choice);
extern int	rec_bandit_state_length(int nfeatures);
extern int	rec_bandit_state_features(const double *state, int length);
extern void rec_bandit_choose_linear(RecPolicy policy, const RecBanditOptions *options,
									 const double *states, int count, const double *context,
									 int nfeatures, RecArmChoice *choice);

#endif							/* REC_BANDIT_H */
