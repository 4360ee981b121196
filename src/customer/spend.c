/*-------------------------------------------------------------------------
 *
 * spend.c
 *	  The model of spending: Gamma-Gamma.
 *
 * The value of each purchase of a customer is Gamma(p, nu), and nu is Gamma(q,
 * v) over all customers (Fader, Hardie and Lee 2005; Fader and Hardie 2013).
 * The log likelihood of a customer whose x purchases have the mean m is
 *
 *		ln G(px+q) - ln G(px) - ln G(q) + q ln v
 *		+ (px-1) ln m + px ln x - (px+q) ln(xm+v)
 *
 * maximised over the logarithms of the parameters with exact first and second
 * derivatives.  What depends on x alone is computed once for each x.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/spend.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "customer/spend.h"
#include "math/maximize.h"
#include "math/special.h"
#include "miscadmin.h"

#define CHECK_EVERY			4096	/* patterns */
#define MOST_FOR_START		4000	/* patterns to choose a start by */

enum							/* places of the parameters' logarithms */
{
	LN_P,
	LN_Q,
	LN_V,
	NPARAMETERS,
};

/* What the likelihood is computed of. */
typedef struct Customers
{
	const RecPattern *pattern;	/* in their order, mean values scaled */
	int64		n;
	int64		step;			/* every step-th pattern counts */
	double		users;			/* that count */
} Customers;

/*
 * Derivatives are by the logarithms of the parameters.  They are written so
 * that nothing cancels where parameters grow without bounds: q ln v - q ln(xm+v)
 * is taken as -q ln(1 + xm/v), and so on.
 */

/* Add what depends on the frequency alone, of so many customers. */
static void
add_frequency(RecValue *sum, double p, double q, double x, double count)
{
	double		px = p * x;
	RecRising	of_px = rec_special_rising(px, q);
	RecRising	of_q = rec_special_rising(q, px);

	/* ln G(px+q) - ln G(px) - ln G(q), either way; this one has more digits */
	sum->value += count * (q < px ? of_px.value - lgamma(q) : of_q.value - lgamma(px));
	sum->gradient[LN_P] += count * px * of_px.first;
	sum->gradient[LN_Q] += count * q * of_q.first;
	sum->hessian[LN_P][LN_P] += count * px * (of_px.first + px * of_px.second);
	sum->hessian[LN_Q][LN_P] += count * px * q * rec_special_trigamma(px + q);
	sum->hessian[LN_Q][LN_Q] += count * q * (of_q.first + q * of_q.second);
}

/* Add what depends on the mean value. */
static inline void
add_pattern(RecValue *sum, double p, double q, double v, const RecPattern *pattern)
{
	double		count = pattern->count;
	double		px = p * pattern->frequency;
	double		value = pattern->frequency * pattern->first;	/* of all purchases */
	double		own = log1p(v / value);
	double		known = log1p(value / v);
	double		total = value + v;

	sum->value -= count * (px * own + q * known + log(pattern->first));
	sum->gradient[LN_P] -= count * px * own;
	sum->gradient[LN_Q] -= count * q * known;
	sum->gradient[LN_V] += count * (q * value - px * v) / total;
	sum->hessian[LN_P][LN_P] -= count * px * own;
	sum->hessian[LN_Q][LN_Q] -= count * q * known;
	sum->hessian[LN_V][LN_P] -= count * px * v / total;
	sum->hessian[LN_V][LN_Q] += count * q * value / total;
	sum->hessian[LN_V][LN_V] -= count * (px + q) * (v / total) * (value / total);
}

/* Compute the mean log likelihood at a place, with its derivatives. */
static void
log_likelihood(const double *place, RecValue *value, void *arg)
{
	const Customers *customers = (const Customers *) arg;
	double		parameter[NPARAMETERS];
	double		count = 0;		/* of the current frequency */
	int64		nseen = 0;

	memset(value, 0, sizeof(RecValue));
	for (int i = 0; i < NPARAMETERS; i++)
		parameter[i] = exp(place[i]);
	for (int64 i = 0; i < customers->n; i += customers->step)
	{
		const RecPattern *pattern = &customers->pattern[i];
		int64		next = i + customers->step;

		if (++nseen % CHECK_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		add_pattern(value, parameter[LN_P], parameter[LN_Q], parameter[LN_V], pattern);
		count += pattern->count;
		if (next >= customers->n || customers->pattern[next].frequency != pattern->frequency)
		{
			add_frequency(value, parameter[LN_P], parameter[LN_Q], pattern->frequency, count);
			count = 0;
		}
	}
	value->value /= customers->users;
	for (int i = 0; i < NPARAMETERS; i++)
	{
		value->gradient[i] /= customers->users;
		for (int j = 0; j <= i; j++)
			value->hessian[i][j] /= customers->users;
	}
}

/* Return the customers of every step-th pattern. */
static Customers
some_customers(const RecPatterns *patterns, int64 step)
{
	Customers	customers = {0};

	customers.pattern = patterns->pattern;
	customers.n = patterns->count;
	customers.step = step;
	for (int64 i = 0; i < patterns->count; i += step)
		customers.users += patterns->pattern[i].count;
	return customers;
}

/* Find where to begin: the best end of several starts, by some customers. */
static void
choose_start(Customers *some, double *place)
{
	/* p and q; v makes the population's mean that of the customers, 1 */
	static const double starts[][2] = {{2, 3}, {1, 1.5}, {10, 10}, {0.3, 5}};
	double		best = -INFINITY;
	double		chosen[NPARAMETERS];

	for (int i = 0; i < (int) lengthof(starts); i++)
	{
		double		at[NPARAMETERS];
		double		value;

		at[LN_P] = log(starts[i][0]);
		at[LN_Q] = log(starts[i][1]);
		at[LN_V] = log((starts[i][1] - 1) / starts[i][0]);
		if (i == 0)
			memcpy(chosen, at, sizeof(chosen));
		(void) rec_maximize(log_likelihood, NULL, some, NPARAMETERS, at, &value);
		if (value > best)
		{
			best = value;
			memcpy(chosen, at, sizeof(chosen));
		}
	}
	memcpy(place, chosen, sizeof(chosen));
}

/* Return the mean of all customers' mean values; count the customers. */
static double
mean_of_means(const RecPatterns *patterns, int64 *users)
{
	double		sum = 0;

	*users = 0;
	for (int64 i = 0; i < patterns->count; i++)
	{
		*users += patterns->pattern[i].count;
		sum += patterns->pattern[i].count * patterns->pattern[i].first;
	}
	return sum / *users;
}

/* Return Pearson's correlation of frequency and (scaled) mean value. */
static double
correlation(const RecPatterns *patterns, int64 users)
{
	double		frequency = 0;
	double		value = 0;
	double		sxx = 0;
	double		syy = 0;
	double		sxy = 0;

	for (int64 i = 0; i < patterns->count; i++)
	{
		frequency += patterns->pattern[i].count * (double) patterns->pattern[i].frequency;
		value += patterns->pattern[i].count * patterns->pattern[i].first;
	}
	frequency /= users;
	value /= users;
	for (int64 i = 0; i < patterns->count; i++)
	{
		double		x = patterns->pattern[i].frequency - frequency;
		double		y = patterns->pattern[i].first - value;

		sxx += patterns->pattern[i].count * x * x;
		syy += patterns->pattern[i].count * y * y;
		sxy += patterns->pattern[i].count * x * y;
	}
	return sxx > 0 && syy > 0 ? sxy / sqrt(sxx * syy) : NAN;
}

/*
 * Fit a model on customers: "first" of a pattern is the mean value, above 0,
 * and the frequency is at least 1.  Leave it unfitted when there are fewer than
 * 100.  The patterns are merged, and their values scaled and left so.
 */
void
rec_spend_fit(RecSpendModel *model, RecPatterns *patterns)
{
	double		unit;
	double		log_unit;
	double		place[NPARAMETERS];
	double		value;
	Customers	all;
	Customers	some;

	memset(model, 0, sizeof(RecSpendModel));
	rec_pattern_merge(patterns);
	unit = mean_of_means(patterns, &model->users);
	if (model->users < REC_SPEND_MIN_USERS)
		return;
	for (int64 i = 0; i < patterns->count; i++)
		patterns->pattern[i].first /= unit;
	all = some_customers(patterns, 1);
	some = some_customers(patterns, patterns->count / MOST_FOR_START + 1);
	choose_start(&some, place);
	model->converged = rec_maximize(log_likelihood, NULL, &all, NPARAMETERS, place, &value);
	model->fitted = true;
	model->p = exp(place[LN_P]);
	model->q = exp(place[LN_Q]);
	model->v = exp(place[LN_V]) * unit;
	model->population_mean = rec_spend_forecast(model, 0, 0);
	model->correlation = correlation(patterns, model->users);
	/* as if the values had not been scaled: a mean has a density in values */
	log_unit = log(unit);
	model->log_likelihood = (value - log_unit) * model->users;
}

/*
 * Return the expected mean value of a customer's purchases, from the mean of
 * those that were made; that of the population without any.  NaN when q is at
 * most 1 and there are none, as there is no finite mean.
 */
double
rec_spend_forecast(const RecSpendModel *model, int32 frequency, double mean_value)
{
	double		x = frequency;

	if (model->q <= 1)
		return NAN;
	if (frequency == 0)
		return model->p * model->v / (model->q - 1);
	return model->p * (model->v + x * mean_value) / (model->p * x + model->q - 1);
}
