/*-------------------------------------------------------------------------
 *
 * maximize.c
 *	  The maximum of a smooth function of a few parameters.
 *
 * Newton's method with exact derivatives, damped after Levenberg and Marquardt:
 * the step s solves (-H + lambda I) s = g.  Lambda grows until the matrix is
 * positive definite and the step leads upwards, and falls when steps succeed,
 * so that the last steps are Newton's own.  No coordinate moves by more than 2
 * in a step: parameters are meant to be logarithms.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/maximize.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "math/maximize.h"

#define MAX_EVALUATIONS		500
#define SMALL_GRADIENT		1e-8	/* of each parameter, at the maximum */
#define LONGEST_STEP		2.0
#define LARGEST_DAMPING		1e12
#define SMALLEST_DAMPING	1e-12	/* of the largest second derivative */
#define ROUNDING			1e-14	/* by which equal values may differ */
#define NO_GAIN				1e-13	/* which a step to the maximum may promise */
#define LITTLE_DAMPING		1e-6	/* with which a step leads to the maximum */

/*
 * Solve (-H + damping I) step = gradient by Cholesky's factorisation.  Return
 * false when the matrix is not positive definite.
 */
static bool
solve(const RecValue *at, int n, double damping, double *step)
{
	double		l[REC_MAXIMIZE_MAX][REC_MAXIMIZE_MAX] = {{0}};

	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j <= i; j++)
		{
			double		sum = -at->hessian[i][j] + (i == j ? damping : 0);

			for (int k = 0; k < j; k++)
				sum -= l[i][k] * l[j][k];
			if (i != j)
				l[i][j] = sum / l[j][j];
			else if (sum > 0 && isfinite(sum))
				l[i][i] = sqrt(sum);
			else
				return false;
		}
	}
	for (int i = 0; i < n; i++)
	{
		step[i] = at->gradient[i];
		for (int k = 0; k < i; k++)
			step[i] -= l[i][k] * step[k];
		step[i] /= l[i][i];
	}
	for (int i = n - 1; i >= 0; i--)
	{
		for (int k = i + 1; k < n; k++)
			step[i] -= l[k][i] * step[k];
		step[i] /= l[i][i];
	}
	return true;
}

static double
largest(const double *x, int n)
{
	double		result = 0;

	for (int i = 0; i < n; i++)
		result = Max(result, fabs(x[i]));
	return result;
}

/* Return the size of the second derivatives, the unit of damping. */
static double
curvature(const RecValue *at, int n)
{
	double		result = 1e-10;

	for (int i = 0; i < n; i++)
		result = Max(result, fabs(at->hessian[i][i]));
	return result;
}

/* Return by how much a Newton step would raise the value of a parabola. */
static double
promised_gain(const RecValue *at, int n, const double *step)
{
	double		gain = 0;

	for (int i = 0; i < n; i++)
		gain += at->gradient[i] * step[i] / 2;
	return gain;
}

/*
 * Move x, n coordinates, to the maximum of a function that is near, and set
 * *value to the function's value there.  Return true when each component of the
 * gradient is below 1e-8 there, or the way to the maximum would gain nothing that
 * can be computed; false when 500 evaluations did not suffice, no step leads
 * upwards, or the boundary was crossed; x is the best place met.
 */
bool
rec_maximize(RecFunction function, RecBoundary boundary, void *arg, int n,
			 double *x, double *value)
{
	RecValue	at;
	double		damping = 1e-3; /* in units of the curvature */

	function(x, &at, arg);
	*value = at.value;
	if (!isfinite(at.value))
		return false;
	for (int evaluations = 1; evaluations < MAX_EVALUATIONS; evaluations++)
	{
		RecValue	there;
		double		step[REC_MAXIMIZE_MAX];
		double		place[REC_MAXIMIZE_MAX];
		double		unit = curvature(&at, n);
		double		scale;

		*value = at.value;
		if (largest(at.gradient, n) < SMALL_GRADIENT)
			return true;
		if (boundary && boundary(x))
			return false;
		while (!solve(&at, n, damping * unit, step))
		{
			damping = Max(damping * 4, SMALLEST_DAMPING);
			if (damping > LARGEST_DAMPING)
				return false;
		}
		if (damping < LITTLE_DAMPING && promised_gain(&at, n, step) < NO_GAIN * Max(1, fabs(at.value)))
			return true;
		scale = Min(1, LONGEST_STEP / largest(step, n));
		for (int i = 0; i < n; i++)
			place[i] = x[i] + scale * step[i];
		function(place, &there, arg);
		if (there.value >= at.value - ROUNDING * fabs(at.value))
		{
			memcpy(x, place, n * sizeof(double));
			at = there;
			damping = damping < SMALLEST_DAMPING ? 0 : damping / 10;
		}
		else
		{
			damping = Max(damping * 8, SMALLEST_DAMPING);
			if (damping > LARGEST_DAMPING)
				return false;
		}
	}
	*value = at.value;
	return false;
}
