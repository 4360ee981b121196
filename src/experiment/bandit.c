/*-------------------------------------------------------------------------
 *
 * bandit.c
 *	  Policies of bandits: with which probability each arm is chosen.
 *
 * Knows numbers only.  Every policy returns probabilities, which a draw then
 * follows; so the propensity that is logged is the one by which the choice was
 * made, also of Thompson sampling, whose probabilities are integrated.
 *
 *	  epsilon_greedy	epsilon / K, and the rest to the best mean
 *	  ucb1				the largest mean + alpha sqrt(2 ln N / n)
 *						(Auer, Cesa-Bianchi, Fischer 2002)
 *	  thompson			the probability of being best: shares by Beta(prior_alpha
 *						+ total, prior_beta + n - total), means by the normal
 *						posterior, precision 1 / prior_variance + n / variance
 *	  softmax			in proportion to exp(mean / temperature)
 *	  linucb			theta = A^-1 b, A = ridge I + sum x x', b = sum r x: the
 *						largest theta x + alpha sqrt(x' A^-1 x)
 *						(Li, Chu, Langford, Schapire 2010)
 *	  lints				theta x drawn from N(theta x, alpha^2 x' A^-1 x)
 *						(Agrawal and Goyal 2013)
 *
 * Arms that are equally good share.  An arm without rewards comes first in
 * epsilon_greedy and ucb1.  Then p becomes floor + (1 - K floor) p, which is
 * even if K floor is 1 or more, and so it is as long as an arm has fewer
 * rewards than "warmup".
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/bandit.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "experiment/bandit.h"
#include "math/best_arm.h"
#include "math/dense.h"

/* Return the name of a RecPolicy, NULL after the last. */
const char *
rec_bandit_policy_name(int policy)
{
	static const char *const name[] = {
		"thompson", "epsilon_greedy", "ucb1", "softmax", "linucb", "lints"};

	return policy >= 0 && policy < (int) lengthof(name) ? name[policy] : NULL;
}

/* Give all probability to the arms of the largest index. */
static void
prefer_largest(int count, RecArmChoice *choice)
{
	double		largest = -HUGE_VAL;
	int			sharing = 0;

	for (int i = 0; i < count; i++)
	{
		sharing = choice->index[i] > largest ? 1 : sharing + (choice->index[i] == largest);
		largest = Max(largest, choice->index[i]);
	}
	for (int i = 0; i < count; i++)
		choice->probability[i] = choice->index[i] == largest ? 1.0 / sharing : 0;
}

/* Mix probabilities with even ones, which get a share. */
static void
mix_even(int count, double even, RecArmChoice *choice)
{
	for (int i = 0; i < count; i++)
		choice->probability[i] = even / count + (1 - even) * choice->probability[i];
}

static void
choose_softmax(const RecBanditOptions *options, int count, RecArmChoice *choice)
{
	double		largest = -HUGE_VAL;
	double		sum = 0;

	for (int i = 0; i < count; i++)
		largest = Max(largest, choice->index[i]);
	for (int i = 0; i < count; i++)
		sum += choice->probability[i] = exp((choice->index[i] - largest) / options->temperature);
	for (int i = 0; i < count; i++)
		choice->probability[i] /= sum;
}

/* Return mean and standard deviation of the normal posterior of a mean. */
static void
normal_posterior(const RecBanditOptions *options, double n, double total, double squares,
				 double *mean, double *sd)
{
	double		variance = options->prior_variance;
	double		precision;

	if (n > 1 && squares - total * total / n > 0)
		variance = (squares - total * total / n) / (n - 1);
	precision = 1 / options->prior_variance + n / variance;
	*mean = (options->prior_mean / options->prior_variance + total / variance) / precision;
	*sd = sqrt(1 / precision);
}

static void
choose_thompson(const RecBanditOptions *options, const RecArmSums *sums, RecArmChoice *choice)
{
	double	   *a = palloc_array(double, sums->count);
	double	   *b = palloc_array(double, sums->count);
	double	   *loss = palloc_array(double, sums->count);

	for (int i = 0; i < sums->count; i++)
	{
		if (sums->squares != NULL)
		{
			normal_posterior(options, sums->n[i], sums->total[i], sums->squares[i], &a[i], &b[i]);
			choice->index[i] = a[i];
			continue;
		}
		a[i] = options->prior_alpha + sums->total[i];
		b[i] = options->prior_beta + sums->n[i] - sums->total[i];
		choice->index[i] = a[i] / (a[i] + b[i]);
	}
	rec_best_arm_compute(sums->squares ? REC_BELIEF_NORMAL : REC_BELIEF_BETA, a, b, sums->count,
						 choice->probability, loss);
	pfree(a);
	pfree(b);
	pfree(loss);
}

/*
 * Compute means, indexes and probabilities of arms by what they have earned.
 * The policy is none of those that look at a context.
 */
void
rec_bandit_choose(RecPolicy policy, const RecBanditOptions *options, const RecArmSums *sums,
				  RecArmChoice *choice)
{
	double		all = 0;
	double		fewest = HUGE_VAL;

	for (int i = 0; i < sums->count; i++)
	{
		all += sums->n[i];
		fewest = Min(fewest, sums->n[i]);
	}
	for (int i = 0; i < sums->count; i++)
	{
		double		n = sums->n[i];

		choice->mean[i] = n > 0 ? sums->total[i] / n : NAN;
		if (policy == REC_POLICY_SOFTMAX)
			choice->index[i] = n > 0 ? choice->mean[i] : options->prior_mean;
		else if (n == 0)
			choice->index[i] = HUGE_VAL;
		else
			choice->index[i] = choice->mean[i] +
				(policy == REC_POLICY_UCB1 ? options->alpha * sqrt(2 * Max(log(all), 0) / n) : 0);
	}
	if (policy == REC_POLICY_THOMPSON)
		choose_thompson(options, sums, choice);
	else if (policy == REC_POLICY_SOFTMAX)
		choose_softmax(options, sums->count, choice);
	else
		prefer_largest(sums->count, choice);
	if (policy == REC_POLICY_EPSILON_GREEDY)
		mix_even(sums->count, options->epsilon, choice);
	mix_even(sums->count, fewest < options->warmup ? 1 : Min(1, options->floor * sums->count), choice);
}

/*
 * Return how many numbers the state of a linear arm has: rewards, features,
 * b, and the lower triangle of sum x x'.
 */
int
rec_bandit_state_length(int nfeatures)
{
	return 2 + nfeatures + nfeatures * (nfeatures + 1) / 2;
}

/* Return the number of features of a state of some length, -1 if it is none. */
int
rec_bandit_state_features(const double *state, int length)
{
	if (length < 2 || !(state[0] >= 0) || !(state[1] >= 1 && state[1] <= REC_BANDIT_MOST_FEATURES))
		return -1;
	return rec_bandit_state_length((int) state[1]) == length && state[1] == (int) state[1] ? (int) state[1] : -1;
}

/* Fill a, a matrix of an order, with ridge I + sum x x' of a state. */
static void
fill_matrix(const double *state, int nfeatures, double ridge, double *a, Size order)
{
	const double *cell = state + 2 + nfeatures;

	memset(a, 0, order * order * sizeof(double));
	for (Size i = 0; i < order; i++)
		a[i * order + i] = (int) i < nfeatures ? ridge : 1;
	for (int i = 0; i < nfeatures; i++)
	{
		for (int j = 0; j <= i; j++, cell++)
		{
			a[i * order + j] += *cell;
			if (i != j)
				a[j * order + i] += *cell;
		}
	}
}

static double
dot(const double *x, const double *y, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

/*
 * Compute means, indexes and probabilities of linear arms in a context.  The
 * states of "count" arms are side by side, each with nfeatures features.  The
 * policy is linucb or lints.
 */
void
rec_bandit_choose_linear(RecPolicy policy, const RecBanditOptions *options, const double *states,
						 int count, const double *context, int nfeatures, RecArmChoice *choice)
{
	Size		order = REC_DENSE_ORDER(nfeatures);
	RecDense   *dense = rec_dense_create(CurrentMemoryContext, order);
	double	   *a = palloc_array(double, order * order);
	double	   *theta = palloc_array(double, order);
	double	   *solved = palloc_array(double, order);
	double	   *sd = palloc_array(double, count);
	double	   *loss = palloc_array(double, count);
	double		fewest = HUGE_VAL;

	for (int arm = 0; arm < count; arm++)
	{
		const double *state = states + (Size) arm * rec_bandit_state_length(nfeatures);

		fewest = Min(fewest, state[0]);
		fill_matrix(state, nfeatures, options->ridge, a, order);
		memset(theta, 0, order * sizeof(double));
		memset(solved, 0, order * sizeof(double));
		memcpy(theta, state + 2, nfeatures * sizeof(double));
		memcpy(solved, context, nfeatures * sizeof(double));
		rec_dense_cholesky(dense, a, order);
		rec_dense_substitute(dense, a, order, theta);
		rec_dense_substitute(dense, a, order, solved);
		choice->mean[arm] = dot(theta, context, nfeatures);
		sd[arm] = options->alpha * sqrt(Max(0, dot(solved, context, nfeatures)));
		choice->index[arm] = choice->mean[arm] + (policy == REC_POLICY_LINUCB ? sd[arm] : 0);
	}
	if (policy == REC_POLICY_LINUCB)
		prefer_largest(count, choice);
	else
		rec_best_arm_compute(REC_BELIEF_NORMAL, choice->mean, sd, count, choice->probability, loss);
	mix_even(count, fewest < options->warmup ? 1 : Min(1, options->floor * count), choice);
}
