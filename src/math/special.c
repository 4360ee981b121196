/*-------------------------------------------------------------------------
 *
 * special.c
 *	  Differences of the logarithm of the gamma function.
 *
 * What likelihoods need is ln G(z + n) - ln G(z), the logarithm of the rising
 * factorial, and its derivatives.  Taken as differences of two values they
 * lose all digits when z is large; here they do not.  Small whole n are sums of
 * logarithms.  Otherwise both arguments are moved up to where Stirling's series
 * has 16 digits (Abramowitz and Stegun 1964, 6.1.40, 6.3.18, 6.4.12), and its
 * terms are subtracted one by one.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/special.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "math/special.h"

#define SMALL_SUM	32			/* whole n up to here are summed */
#define LARGE		20			/* from here on Stirling's series are exact */

/* What ln G(z) has beyond (z - 1/2) ln z - z + ln(2 pi) / 2. */
static double
stirling(double z)
{
	double		y = 1 / (z * z);

	return (1.0 / 12 - y * (1.0 / 360 - y * (1.0 / 1260 - y * (1.0 / 1680 - y / 1188)))) / z;
}

/* What the digamma function of z has beyond ln z - 1 / (2 z), negated. */
static double
digamma_rest(double z)
{
	double		y = 1 / (z * z);

	return y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y / 132))));
}

/* What the trigamma function of z has beyond 1 / z + 1 / (2 z^2). */
static double
trigamma_rest(double z)
{
	double		y = 1 / (z * z);

	return y / z * (1.0 / 6 - y * (1.0 / 30 - y * (1.0 / 42 - y * (1.0 / 30 - y * 5 / 66))));
}

/*
 * Return ln G(z + n) - ln G(z) and its derivatives by z, for z > 0 and n >= 0.
 * About 16 digits of the largest term.
 */
RecRising
rec_special_rising(double z, double n)
{
	RecRising	rising = {0};
	double		whole = floor(n);

	if (n == whole && n <= SMALL_SUM)
	{
		for (int i = 0; i < (int) n; i++)
		{
			rising.value += log(z + i);
			rising.first += 1 / (z + i);
			rising.second -= 1 / ((z + i) * (z + i));
		}
		return rising;
	}
	for (; z < LARGE; z += 1)
	{
		rising.value -= log1p(n / z);
		rising.first += n / (z * (z + n));
		rising.second -= n * (2 * z + n) / (z * z * (z + n) * (z + n));
	}
	rising.value += (z - 0.5) * log1p(n / z) + n * log(z + n) - n +
		stirling(z + n) - stirling(z);
	rising.first += log1p(n / z) + n / (2 * z * (z + n)) -
		(digamma_rest(z + n) - digamma_rest(z));
	rising.second += -n / (z * (z + n)) -
		n * (2 * z + n) / (2 * z * z * (z + n) * (z + n)) +
		trigamma_rest(z + n) - trigamma_rest(z);
	return rising;
}

/* Return the trigamma function, the second derivative of ln G(z), of z > 0. */
double
rec_special_trigamma(double z)
{
	double		sum = 0;

	for (; z < LARGE; z += 1)
		sum += 1 / (z * z);
	return sum + 1 / z + 1 / (2 * z * z) + trigamma_rest(z);
}
