/*-------------------------------------------------------------------------
 *
 * best_arm.c
 *	  The probability that each of several unknown means is the largest.
 *
 * For independent beliefs with densities f and distribution functions F,
 *
 *	  P(k is the largest) = integral of f_k(t) prod_{j <> k} F_j(t) dt,
 *
 * which is computed, not sampled, so that the propensity that Thompson
 * sampling logs is the exact one.  (Chapelle and Li 2011 estimate the integral
 * by sampling; the integral itself is elementary.)
 *
 * Beta distributions are integrated over t = log(x / (1 - x)), where their
 * density, x^a (1 - x)^b / B(a, b), is smooth, has one mode and tails that
 * fall exponentially, for any a and b.
 *
 * The line is cut into panels, none of them wider than 1.5 times the scale of
 * the narrowest belief there.  In each panel, all densities are evaluated at
 * the nodes of a Gauss-Legendre rule, and the distribution functions follow
 * from them by integrating their interpolating polynomials up to each node; at
 * these nodes the error is orthogonal to polynomials of a lower degree, so
 * that ten nodes leave an error below 1e-11.  Time is proportional to panels *
 * beliefs.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/best_arm.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "math/best_arm.h"
#include "math/distribution.h"
#include "miscadmin.h"

#define NODES			10		/* of the rule, in a panel */
#define PANEL_WIDTH		2.0		/* in scales of a belief */
#define LOG_NOTHING		(-36.0) /* logarithm of a density that counts as none */
#define POINT_WIDTH		1e-13	/* of the largest mean: too narrow to be seen */

/* A Gauss-Legendre rule on [-1, 1]. */
typedef struct Rule
{
	double		node[NODES];
	double		weight[NODES];
	double		until[NODES][NODES];	/* [i][j]: integral up to node i of the
										 * polynomial that is 1 at node j */
} Rule;

/* One belief, on the line of t. */
typedef struct Arm
{
	double		a;				/* as given */
	double		b;
	double		share[2];		/* beta: a / (a + b), b / (a + b) */
	double		mode;			/* of t */
	double		scale;			/* distance in which the density changes */
	double		left;			/* the density is nothing outside of these */
	double		right;
	double		rate[2];		/* beta: by which the left and right tails fall */
	double		peak;			/* density at the mode */
	double		below;			/* F at the left of the current panel */
	double		density[NODES]; /* f and F at its nodes */
	double		until[NODES];
} Arm;

/* Fill p[0..n] with the Legendre polynomials at x. */
static void
legendre(double x, int n, double *p)
{
	p[0] = 1;
	p[1] = x;
	for (int m = 1; m < n; m++)
		p[m + 1] = ((2 * m + 1) * x * p[m] - m * p[m - 1]) / (m + 1);
}

static void
make_rule(Rule *rule)
{
	double		p[NODES][NODES + 1];

	for (int i = 0; i < NODES; i++)
	{
		double		x = -cos(M_PI * (i + 0.75) / (NODES + 0.5));
		double		slope = 1;

		for (int step = 0; step < 8; step++)
		{
			legendre(x, NODES, p[i]);
			slope = NODES * (p[i][NODES - 1] - x * p[i][NODES]) / (1 - x * x);
			x -= p[i][NODES] / slope;
		}
		legendre(x, NODES, p[i]);
		rule->node[i] = x;
		rule->weight[i] = 2 / ((1 - x * x) * slope * slope);
	}
	for (int i = 0; i < NODES; i++)
	{
		for (int j = 0; j < NODES; j++)
		{
			double		sum = p[i][1] + 1;

			for (int m = 1; m < NODES; m++)
				sum += p[j][m] * (p[i][m + 1] - p[i][m - 1]);
			rule->until[i][j] = rule->weight[j] / 2 * sum;
		}
	}
}

/* Return the logarithm of density / peak at a distance u from the mode. */
static double
log_shape(RecBelief belief, const Arm *arm, double u)
{
	if (belief == REC_BELIEF_NORMAL)
		return -0.5 * (u / arm->b) * (u / arm->b);
	if (u < 0)
		return -arm->b * u - (arm->a + arm->b) * log1p(arm->share[1] * expm1(-u));
	return arm->a * u - (arm->a + arm->b) * log1p(arm->share[0] * expm1(u));
}

/* Return how far from the mode, in a direction, the density is nothing. */
static double
find_end(RecBelief belief, const Arm *arm, int direction)
{
	double		low = 0;
	double		high = arm->scale;

	while (log_shape(belief, arm, direction * high) > LOG_NOTHING)
	{
		low = high;
		high *= 2;
	}
	for (int i = 0; i < 4; i++)
	{
		double		middle = (low + high) / 2;

		if (log_shape(belief, arm, direction * middle) > LOG_NOTHING)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static void
make_arm(RecBelief belief, Arm *arm, double a, double b)
{
	arm->a = a;
	arm->b = b;
	arm->below = 0;
	if (belief == REC_BELIEF_NORMAL)
	{
		arm->mode = a;
		arm->scale = b;
		arm->rate[0] = arm->rate[1] = HUGE_VAL;
		arm->peak = rec_distribution_normal_density(0) / b;
	}
	else
	{
		double		x = a / (a + b);
		double		y = b / (a + b);

		arm->share[0] = x;
		arm->share[1] = y;
		arm->mode = log(a) - log(b);
		arm->scale = Min(1, 1 / sqrt(a * y));
		arm->rate[0] = a;
		arm->rate[1] = b;
		arm->peak = rec_distribution_beta_density(x, y, a, b) * x * y;
	}
	arm->left = arm->mode - find_end(belief, arm, -1);
	arm->right = arm->mode + find_end(belief, arm, 1);
}

/* Return how wide a panel that begins at t may be for an arm. */
static double
panel_width(const Arm *arm, double t)
{
	double		width = PANEL_WIDTH * arm->scale;
	double		from_mode = fabs(t - arm->mode);

	if (t >= arm->right)
		return HUGE_VAL;
	if (t < arm->left)
		return arm->left - t;
	/* a tail that falls exponentially and slowly is smooth for long */
	if (from_mode > 8 * arm->scale)
		width = Max(width, Min(from_mode / 4, PANEL_WIDTH / arm->rate[t > arm->mode]));
	return width;
}

/* Evaluate f and F of an arm in the panel from t, of half a width. */
static void
evaluate(RecBelief belief, Arm *arm, const Rule *rule, double t, double half)
{
	double		mass = 0;

	if (t >= arm->right || t + 2 * half <= arm->left)
	{
		if (t >= arm->right)
			arm->below = 1;
		for (int i = 0; i < NODES; i++)
		{
			arm->density[i] = 0;
			arm->until[i] = arm->below;
		}
		return;
	}
	for (int i = 0; i < NODES; i++)
	{
		double		u = t + half * (1 + rule->node[i]) - arm->mode;

		arm->density[i] = arm->peak * exp(log_shape(belief, arm, u));
		mass += rule->weight[i] * arm->density[i];
	}
	for (int i = 0; i < NODES; i++)
	{
		double		sum = 0;

		for (int j = 0; j < NODES; j++)
			sum += rule->until[i][j] * arm->density[j];
		arm->until[i] = arm->below + half * sum;
	}
	arm->below += half * mass;
}

/*
 * Add the integral over a panel to each probability; return that of the
 * largest mean, less a reference.
 */
static double
add_panel(RecBelief belief, const Arm *arm, int n, const Rule *rule, double t, double half,
		  double reference, double *before, double *probability)
{
	double		largest = 0;

	for (int i = 0; i < NODES; i++)
	{
		double		at = t + half * (1 + rule->node[i]);
		double		value = (belief == REC_BELIEF_NORMAL ? at : 1 / (1 + exp(-at))) - reference;
		double		after = 1;

		before[0] = 1;
		for (int k = 1; k < n; k++)
			before[k] = before[k - 1] * arm[k - 1].until[i];
		for (int k = n - 1; k >= 0; k--)
		{
			double		part = half * rule->weight[i] * arm[k].density[i] * before[k] * after;

			probability[k] += part;
			largest += part * value;
			after *= arm[k].until[i];
		}
	}
	return largest;
}

/* Return the mean of a belief. */
static double
mean_of(RecBelief belief, double a, double b)
{
	return belief == REC_BELIEF_NORMAL ? a : a / (a + b);
}

/* Return the standard deviation up to which a normal belief is a point. */
static double
point_width(RecBelief belief, const double *a, int n)
{
	double		largest = 0;

	if (belief != REC_BELIEF_NORMAL)
		return -1;
	for (int k = 0; k < n; k++)
		largest = Max(largest, fabs(a[k]));
	return largest * POINT_WIDTH;
}

/* Two normal beliefs: their difference is normal, too. */
static void
compare_two(const double *a, const double *b, double *probability, double *loss)
{
	double		difference = a[1] - a[0];
	double		sd = hypot(b[0], b[1]);
	double		z = sd > 0 ? difference / sd : difference > 0 ? HUGE_VAL : difference < 0 ? -HUGE_VAL : 0;

	probability[0] = rec_distribution_normal(-z);
	probability[1] = rec_distribution_normal(z);
	for (int k = 0; k < 2; k++)
	{
		double		ahead = k == 0 ? difference : -difference;	/* of the other */

		loss[k] = isinf(z) ? Max(ahead, 0) :
			Max(0, sd * rec_distribution_normal_density(z) + ahead * probability[1 - k]);
	}
}

/*
 * Compute for each of n > 0 means the probability that it is the largest, and
 * the expected loss of choosing it: the mean of the largest, less its own.
 * a and b are finite; those of a beta distribution are greater than 0, and a
 * standard deviation is at least 0.  Means that are known exactly and are
 * equal share their probability.  Memory of 300 bytes a mean is taken and
 * freed in the current context.
 */
void
rec_best_arm_compute(RecBelief belief, const double *a, const double *b, int n,
					 double *probability, double *loss)
{
	Rule		rule;
	Arm		   *arm;
	double	   *before;
	int			narms = 0;		/* beliefs that are no points */
	int		   *number;			/* of these */
	double	   *share;
	double		low = HUGE_VAL;
	double		high = -HUGE_VAL;
	double		point = -HUGE_VAL;	/* the largest mean that is known exactly */
	int			npoints = 0;
	double		narrow = point_width(belief, a, n);
	double		reference = -HUGE_VAL;
	double		largest = 0;
	double		total = 0;

	if (n == 2 && belief == REC_BELIEF_NORMAL)
	{
		compare_two(a, b, probability, loss);
		return;
	}
	arm = palloc_array(Arm, n);
	before = palloc_array(double, n);
	number = palloc_array(int, n);
	share = palloc0_array(double, n);
	make_rule(&rule);
	for (int k = 0; k < n; k++)
	{
		reference = Max(reference, mean_of(belief, a[k], b[k]));
		if (b[k] <= narrow)
		{
			npoints = a[k] > point ? 1 : npoints + (a[k] == point);
			point = Max(point, a[k]);
			continue;
		}
		number[narms] = k;
		make_arm(belief, &arm[narms], a[k], b[k]);
		low = Min(low, arm[narms].left);
		high = Max(high, arm[narms].right);
		narms++;
	}
	if (npoints > 0)
	{
		double		below = 1;	/* P(all others are below the point) */

		low = point;
		for (int k = 0; k < narms; k++)
		{
			arm[k].below = rec_distribution_normal((point - arm[k].a) / arm[k].b);
			below *= arm[k].below;
		}
		for (int k = 0; k < n; k++)
			probability[k] = b[k] <= narrow && a[k] == point ? below / npoints : 0;
		total = below;
		largest = below * (point - reference);
	}
	while (low < high)
	{
		double		width = high - low;

		CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < narms; k++)
			width = Min(width, panel_width(&arm[k], low));
		for (int k = 0; k < narms; k++)
			evaluate(belief, &arm[k], &rule, low, width / 2);
		largest += add_panel(belief, arm, narms, &rule, low, width / 2, reference, before, share);
		low += width;
	}
	for (int k = 0; k < narms; k++)
	{
		probability[number[k]] = share[k];
		total += share[k];
	}
	for (int k = 0; k < n; k++)
	{
		if (total > 0)
			probability[k] /= total;
		loss[k] = Max(0, largest - (mean_of(belief, a[k], b[k]) - reference));
	}
	pfree(arm);
	pfree(before);
	pfree(number);
	pfree(share);
}
