/*-------------------------------------------------------------------------
 *
 * power.c
 *	  How many units a comparison needs, and which effects it finds.
 *
 * Knows numbers only.  Groups are large enough for the normal distribution.  A
 * comparison finds an effect D with standard error s when the interval of
 * comparison.c does not contain 0:
 *
 *	  power = 1 - Phi(c - D / s) + Phi(-c - D / s)
 *
 * with the critical value c.  The error of a relative effect depends on the
 * effect itself, and so does that of a share; the z-test of shares takes
 * another error, of the pooled share, for its critical value (as R's
 * power.prop.test).
 *
 * With several looks a comparison ends at the first that finds something.  The
 * statistic at look l of L, times the root of l / L, is a Brownian motion with
 * drift; the density of what has not ended is carried from look to look by
 * numerical integration (Armitage, McPherson, Rowe 1969).  That shows what
 * peeking at a test for one look does, and what a confidence sequence finds.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/power.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "experiment/power.h"
#include "math/distribution.h"
#include "miscadmin.h"

#define MOST_UNITS		1e15	/* beyond, a sample size is none */
#define HIGHEST_EFFECT	1e6		/* of the baseline or standard deviation */
#define NODE_DISTANCE	0.2		/* of the density, in steps from look to look */
#define REACH			8.5		/* farthest step, in standard deviations */

/* Effect and error of a comparison of n units in group a. */
typedef struct Drift
{
	double		statistic;		/* D / s at the end */
	double		null_error;		/* standard error in the critical value / s */
} Drift;

/* Return the mean that group b has with an effect. */
static double
treated_mean(const RecDesign *design, double effect)
{
	return design->baseline + effect * (design->relative ? fabs(design->baseline) : 1);
}

/* Return the largest effect that may be asked for. */
double
rec_power_highest_effect(const RecDesign *design)
{
	double		unit = design->relative ? fabs(design->baseline) : 1;

	if (isnan(design->variance))
		return (1 - design->baseline) / unit;
	return HIGHEST_EFFECT * (design->relative ? 1 + sqrt(design->variance) / unit
							 : fabs(design->baseline) + sqrt(design->variance));
}

static Drift
drift_of(const RecDesign *design, double effect, double n)
{
	double		a = design->baseline;
	double		b = treated_mean(design, effect);
	double		n_b = n * design->ratio;
	RecMoments	group[2] = {{.n = n, .count = 1, .mean = {a}}, {.n = n_b, .count = 1, .mean = {b}}};
	RecEffect	result;

	group[0].covariance[0][0] = isnan(design->variance) ? a * (1 - a) : design->variance;
	group[1].covariance[0][0] = isnan(design->variance) ? b * (1 - b) : design->variance;
	result = rec_comparison_means(&group[0], &group[1], design->relative);
	if (design->plan.method == REC_TEST_Z && isnan(design->variance))
	{
		RecEffect	share = rec_comparison_proportions(a * n, n, b * n_b, n_b, false);

		return (Drift) {share.effect / share.standard_error, share.null_error / share.standard_error};
	}
	return (Drift) {result.effect / result.standard_error, 1};
}

/* Return the critical value with n units in group a. */
static double
critical_value(const RecDesign *design, double n)
{
	return rec_comparison_critical_value(&design->plan, n * (1 + design->ratio), HUGE_VAL);
}

/* Return the probability that a normal statistic about z is found. */
static double
found(const RecDesign *design, double critical, double z)
{
	double		power = 0;

	if (design->plan.alternative != REC_LESS)
		power += rec_distribution_normal(z - critical);
	if (design->plan.alternative != REC_GREATER)
		power += rec_distribution_normal(-critical - z);
	return power;
}

/*
 * The density of the motion at look l, of comparisons that go on: at nodes of
 * equal distance between the bounds, with the weights of Simpson's rule,
 * the bounds being nodes.  Where there is one bound only, the other side ends
 * where nothing is left.
 */
typedef struct Going
{
	double		low;
	double		high;
	int			count;
	double	   *mass;			/* density * weight */
} Going;

/* Set the bounds at a look: units of the motion are steps of a look. */
static void
set_bounds(const RecDesign *design, int look, double n, double center, double factor, Going *going)
{
	double		bound = factor * critical_value(design, n * look / design->looks) * sqrt(look);
	double		end = REACH * sqrt(look);

	going->low = design->plan.alternative == REC_GREATER ? Min(center - end, bound) : -bound;
	going->high = design->plan.alternative == REC_LESS ? Max(center + end, -bound) : bound;
	/* what is farther away than this has no mass */
	going->low = Max(going->low, Min(center - end, going->high));
	going->high = Min(going->high, Max(center + end, going->low));
	going->count = 2 * ((int) ceil((going->high - going->low) / NODE_DISTANCE / 2) + 1) + 1;
}

/* Return the weight of node i of Simpson's rule. */
static double
simpson(const Going *going, int i)
{
	double		distance = (going->high - going->low) / (going->count - 1);

	return distance / 3 * (i == 0 || i == going->count - 1 ? 1 : i % 2 == 1 ? 4 : 2);
}

static double
node(const Going *going, int i)
{
	return going->count == 1 ? going->low
		: going->low + (going->high - going->low) * i / (going->count - 1);
}

/* Return the density at x of what goes on from one look and makes a step. */
static double
step_density(const Going *going, double drift, double x)
{
	double		distance = (going->high - going->low) / (going->count - 1);
	double		sum = 0;
	int			first = 0;
	int			last = going->count - 1;

	if (distance > 0)
	{
		first = (int) Max(0, Min(last, (x - drift - REACH - going->low) / distance));
		last = (int) Max(0, Min(last, (x - drift + REACH - going->low) / distance + 1));
	}
	for (int i = first; i <= last; i++)
		sum += going->mass[i] * rec_distribution_normal_density(x - drift - node(going, i));
	return sum;
}

/* Return the probability that any of several looks finds a drift. */
static double
found_at_any(const RecDesign *design, double n, Drift end)
{
	double		drift = end.statistic / sqrt(design->looks);
	Going		going = {0, 0, 1, NULL};
	double		left;			/* probability of not having ended */

	going.mass = palloc_array(double, 1);
	going.mass[0] = 1;
	left = 1;
	for (int look = 1; look <= design->looks && left > 0; look++)
	{
		Going		next;

		set_bounds(design, look, n, look * drift, end.null_error, &next);
		next.mass = palloc_array(double, next.count);
		left = 0;
		for (int i = 0; i < next.count; i++)
		{
			if (i % 64 == 0)
				CHECK_FOR_INTERRUPTS();
			next.mass[i] = simpson(&next, i) * step_density(&going, drift, node(&next, i));
			left += next.mass[i];
		}
		pfree(going.mass);
		going = next;
	}
	pfree(going.mass);
	return Max(0, 1 - left);
}

/*
 * Return the probability that a comparison of n units in group a finds an
 * effect, up to a relative error of 1e-6 with several looks.
 */
double
rec_power_compute(const RecDesign *design, double effect, double n)
{
	Drift		drift = drift_of(design, effect, n);

	if (isnan(drift.statistic))
		return NAN;
	if (design->looks == 1)
		return found(design, drift.null_error * critical_value(design, n), drift.statistic);
	return found_at_any(design, n, drift);
}

/*
 * Return the smallest number of units in group a, at least 2, with which an
 * effect is found with a probability; NaN if no number does.
 */
double
rec_power_sample_size(const RecDesign *design, double effect, double power)
{
	double		low = 1;
	double		high = 2;

	while (rec_power_compute(design, effect, high) < power)
	{
		low = high;
		high *= 2;
		if (high > MOST_UNITS)
			return NAN;
	}
	while (high - low > 1)
	{
		double		middle = floor((low + high) / 2);

		if (rec_power_compute(design, effect, middle) < power)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/*
 * Return the smallest effect above 0 (below, when that is the alternative) that
 * n units in group a find with a probability; NaN if none is found.
 */
double
rec_power_detectable_effect(const RecDesign *design, double n, double power)
{
	double		highest = rec_power_highest_effect(design);
	double		sign = design->plan.alternative == REC_LESS ? -1 : 1;
	double		low = 0;
	double		high = highest;

	if (design->plan.alternative == REC_LESS && isnan(design->variance))
		high = highest = design->baseline / (design->relative ? fabs(design->baseline) : 1);
	/* the power of a relative effect may not grow any more at high ones */
	for (double effect = highest; effect > highest * 1e-12; effect /= 2)
	{
		if (rec_power_compute(design, sign * effect, n) >= power)
			high = effect;
	}
	if (!(rec_power_compute(design, sign * high, n) >= power))
		return NAN;
	low = high / 2;
	if (rec_power_compute(design, sign * low, n) >= power)
		return NAN;
	for (int i = 0; i < 60; i++)
	{
		double		middle = (low + high) / 2;

		if (rec_power_compute(design, sign * middle, n) < power)
			low = middle;
		else
			high = middle;
	}
	return sign * high;
}
