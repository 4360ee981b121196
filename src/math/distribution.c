/*-------------------------------------------------------------------------
 *
 * distribution.c
 *	  Distribution functions and quantiles: normal, Student's t, chi-square,
 *	  beta and binomial.
 *
 * PostgreSQL has erf() since 16 only, and none of the others.  All are written
 * in terms of three classic pieces:
 *
 *	- C's erfc() for the normal distribution, and Wichura's AS 241 for its
 *	  quantile, followed by one step of Newton's method;
 *	- the incomplete beta function by its continued fraction, of which
 *	  Student's t and the binomial distribution are special cases;
 *	- the incomplete gamma function by its series or its continued fraction,
 *	  evaluated by Lentz's method (Press et al. 2007, chapter 6.2), for
 *	  chi-square.
 *
 * The factor in front of each is not taken from differences of lgamma(), which
 * leave no more than nine digits when a test has a million degrees of freedom,
 * but from the error of Stirling's formula and the deviance (Loader 2000, "Fast
 * and accurate computation of binomial probabilities").  Small tails are
 * computed as such, never as 1 less something.
 *
 * Relative errors against 50-digit arithmetic are below 1e-12 for up to 1e7
 * degrees of freedom, tails down to 1e-300.  NaN gives NaN.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/distribution.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "math/distribution.h"

#define LOG_SQRT_2PI	0.918938533204672741780329736406
#define SQRT_2PI		2.50662827463100050241576528481

/* terms of a continued fraction; it takes about the root of the parameters */
#define MOST_TERMS		1000000

/* beyond so many degrees of freedom Student's t is normal to eleven digits */
#define NORMAL_DF		1e11

/* steps of a bisection, of which each gains a bit */
#define MOST_STEPS		1100

/* Return the density of the normal distribution. */
double
rec_distribution_normal_density(double x)
{
	return exp(-0.5 * x * x) / SQRT_2PI;
}

/* Return P(X <= x) of the normal distribution. */
double
rec_distribution_normal(double x)
{
	return 0.5 * erfc(-x * M_SQRT1_2);
}

/* Return c[0] + c[1] x + ... + c[7] x^7. */
static double
polynomial(const double *c, double x)
{
	double		sum = c[7];

	for (int i = 6; i >= 0; i--)
		sum = sum * x + c[i];
	return sum;
}

/*
 * Return the x with P(X <= x) = p of the normal distribution, for p in [0, 1]:
 * -infinity at 0 and infinity at 1.  (Wichura 1988, AS 241, PPND16)
 */
double
rec_distribution_normal_quantile(double p)
{
	static const double center[2][8] = {
		{3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
		4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3},
		{1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
		2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3}};
	static const double side[2][8] = {
		{1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
		1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
		{1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
		1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};
	static const double far_side[2][8] = {
		{6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
		2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
		{1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
		7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15}};
	double		q = p - 0.5;
	double		tail = Min(p, 1 - p);
	double		r;
	double		x;

	if (!(p > 0 && p < 1))
		return p == 0 ? -HUGE_VAL : p == 1 ? HUGE_VAL : NAN;
	if (fabs(q) <= 0.425)
	{
		r = 0.180625 - q * q;
		x = q * polynomial(center[0], r) / polynomial(center[1], r);
	}
	else
	{
		r = sqrt(-log(tail));
		if (r <= 5)
			x = polynomial(side[0], r - 1.6) / polynomial(side[1], r - 1.6);
		else
			x = polynomial(far_side[0], r - 5) / polynomial(far_side[1], r - 5);
		x = q < 0 ? -x : x;
	}
	/* one step of Newton's method, by the smaller tail */
	if (rec_distribution_normal_density(x) > 0)
	{
		double		step = (rec_distribution_normal(-fabs(x)) - tail) / rec_distribution_normal_density(x);

		x = q < 0 ? x - step : x + step;
	}
	return x;
}

/* Return the error of Stirling's formula, log(n!) - log(sqrt(2 pi n) (n/e)^n). */
static double
stirling_error(double n)
{
	double		square = n * n;

	if (n < 16)
		return lgamma(n + 1) - (n + 0.5) * log(n) + n - LOG_SQRT_2PI;
	return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - (1.0 / 1188 - 691.0 / 360360 / square)
													/ square) / square) / square) / square) / n;
}

/* Return the deviance x log(x / m) + m - x, for x > 0, without cancellation. */
static double
deviance(double x, double m)
{
	double		v = (x - m) / (x + m);
	double		sum;
	double		term;

	if (fabs(x - m) >= 0.1 * (x + m))
		return x * log(x / m) + m - x;
	sum = (x - m) * v;
	term = 2 * x * v;
	for (int i = 1; i < 1000; i++)
	{
		double		next;

		term *= v * v;
		next = sum + term / (2 * i + 1);
		if (next == sum)
			break;
		sum = next;
	}
	return sum;
}

/* Return x^a y^b / B(a, b), for y = 1 - x, all of them greater than 0. */
static double
beta_factor(double x, double y, double a, double b)
{
	double		n = a + b;
	double		exponent = stirling_error(n) - stirling_error(a) - stirling_error(b)
		- deviance(a, n * x) - deviance(b, n * y);

	return exp(exponent) * sqrt(a / n * b) / SQRT_2PI;
}

/* Replace what would be a division by zero in Lentz's method. */
static double
not_zero(double x)
{
	return fabs(x) < DBL_MIN ? DBL_MIN : x;
}

/*
 * Return the continued fraction of the incomplete beta function: the even part
 * of the classic one, with its partial denominators written in y = 1 - x where
 * x is near 1, so that nothing cancels for any number of degrees of freedom
 * (Didonato and Morris 1992, ACM TOMS 18, algorithm 708, BFRAC).
 */
static double
beta_fraction(double x, double y, double a, double b)
{
	double		lambda = a > b ? (a + b) * y - b : a - (a + b) * x;
	double		first = 1 + 1 / a;
	double		p = 1;
	double		s = a + 1;
	double		numerator[2] = {0, 1};
	double		denominator[2] = {1, (1 + lambda) / first};
	double		value = first / (1 + lambda);

	for (int n = 1; n <= MOST_TERMS; n++)
	{
		double		t = n / a;
		double		w = n * (b - n) * x;
		double		e = a / s;
		double		alpha = p * (p + b / a) * e * e * w * x;
		double		beta = n + w / s + (t + 1) / (first + t + t) * (1 + lambda + n * (1 + y));
		double		next;
		double		scale;

		p = t + 1;
		s += 2;
		next = alpha * numerator[0] + beta * numerator[1];
		scale = alpha * denominator[0] + beta * denominator[1];
		next /= scale;
		numerator[0] = numerator[1] / scale;
		denominator[0] = denominator[1] / scale;
		numerator[1] = next;
		denominator[1] = 1;
		if (fabs(next - value) <= DBL_EPSILON * next)
			break;
		value = next;
	}
	return numerator[1];
}

/*
 * Return P(X <= x) of the beta distribution with a, b > 0.  y is 1 - x, from
 * where it can be computed best.  The other tail is that of (y, x, b, a).
 */
double
rec_distribution_beta(double x, double y, double a, double b)
{
	if (isnan(x) || x <= 0)
		return isnan(x) ? NAN : 0;
	if (y <= 0)
		return 1;
	if (x < (a + 1) / (a + b + 2))
		return beta_factor(x, y, a, b) * beta_fraction(x, y, a, b);
	return 1 - beta_factor(x, y, a, b) * beta_fraction(y, x, b, a);
}

/* Return the density of the beta distribution, for x in (0, 1), y = 1 - x. */
double
rec_distribution_beta_density(double x, double y, double a, double b)
{
	return beta_factor(x, y, a, b) / x / y;
}

/* Return P(T > t) of Student's distribution with df > 0 degrees of freedom. */
double
rec_distribution_t_tail(double t, double df)
{
	double		square = t * t;
	double		tail;

	if (df >= NORMAL_DF || isinf(square))
		return rec_distribution_normal(-t);
	tail = 0.5 * rec_distribution_beta(df / (df + square), square / (df + square), df / 2, 0.5);
	return t < 0 ? 1 - tail : tail;
}

/*
 * Return the t with P(T <= t) = p of Student's distribution with df > 0
 * degrees of freedom, for p in [0, 1].  Bisection, as the tail falls.
 */
double
rec_distribution_t_quantile(double p, double df)
{
	double		tail = Min(p, 1 - p);
	double		low = 0;
	double		high = 1;

	if (df >= NORMAL_DF || !(p > 0 && p < 1))
		return rec_distribution_normal_quantile(p);
	while (rec_distribution_t_tail(high, df) > tail && high < DBL_MAX / 4)
	{
		low = high;
		high *= 2;
	}
	for (int i = 0; i < MOST_STEPS; i++)
	{
		double		middle = low + (high - low) / 2;

		if (middle <= low || middle >= high)
			break;
		if (rec_distribution_t_tail(middle, df) > tail)
			low = middle;
		else
			high = middle;
	}
	return p < 0.5 ? -high : p == 0.5 ? 0 : high;
}

/*
 * Return P(X > x) of the chi-square distribution with df > 0 degrees of
 * freedom.
 */
double
rec_distribution_chi_square_tail(double x, double df)
{
	double		a = df / 2;
	double		factor;			/* z^a exp(-z) / gamma(a + 1) */
	double		z = x / 2;
	double		h;
	double		b;
	double		c;
	double		d;

	if (!(z > 0))
		return isnan(x) ? NAN : 1;
	if (isinf(z))
		return 0;
	factor = exp(-stirling_error(a) - deviance(a, z)) / (SQRT_2PI * sqrt(a));
	if (z < a + 1)
	{
		double		sum = 1;
		double		term = 1;

		for (int i = 1; i <= MOST_TERMS && term > sum * DBL_EPSILON / 4; i++)
		{
			term *= z / (a + i);
			sum += term;
		}
		return 1 - factor * sum;
	}
	b = z + 1 - a;
	c = 1 / DBL_MIN;
	d = 1 / not_zero(b);
	h = d;
	for (int i = 1; i <= MOST_TERMS; i++)
	{
		double		term = -i * (i - a);
		double		step;

		b += 2;
		d = 1 / not_zero(term * d + b);
		c = not_zero(b + term / c);
		step = d * c;
		h *= step;
		if (fabs(step - 1) <= DBL_EPSILON)
			break;
	}
	return factor * a * h;
}

/*
 * Return the two-sided p-value of the exact sign test: how likely a fair coin
 * is at least as far from even as the numbers given.  1 without any.
 */
double
rec_distribution_sign_test(double wins, double losses)
{
	double		fewer = Min(wins, losses);
	double		more = Max(wins, losses);

	if (more - fewer < 1)
		return 1;
	return Min(1, 2 * rec_distribution_beta(0.5, 0.5, more, fewer + 1));
}
