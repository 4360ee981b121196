/*-------------------------------------------------------------------------
 *
 * purchase.c
 *	  Models of purchasing: MBG/NBD and BG/NBD.
 *
 * A customer buys at a rate of their own, which is Gamma(r, alpha) over all
 * customers, and after each purchase leaves for good with a probability of
 * their own, which is Beta(a, b).  In the BG/NBD (Fader, Hardie and Lee 2005)
 * nobody leaves at the first purchase; in the MBG/NBD (Batislam, Denizel and
 * Filiztekin 2007) one may.  With d = 1 for MBG and 0 for BG, s = r + x, the
 * log likelihood of a customer with x repeat purchases, the last at t, now at T,
 * is
 *
 *		ln G(r+x) - ln G(r) + r ln(alpha) - s ln(alpha+T)
 *		+ [ln G(b+x+d) - ln G(b)] - [ln G(a+b+x+d) - ln G(a+b)] + ln(1 + k)
 *		k = a / (b+x+d-1) * ((alpha+T) / (alpha+t))^s, 0 for BG with x = 0
 *
 * and k is the odds that the customer has left.  It is maximised over the
 * logarithms of the parameters with exact first and second derivatives.  The
 * differences of ln G depend on x alone and are computed once for each x.
 *
 * Customers of whom none seems to leave have their maximum at a = 0, the NBD.
 * That model is fitted first; when the full one is not better, there is no
 * dropout, and we say so.
 *
 * The expected number of purchases within h is alive * E, where without
 * dropout the number N of purchases would be negative binomial with size s and
 * q = h / (alpha+T), and p is the customer's probability to leave, now
 * Beta(a, b+x+d):
 *
 *		E = mean over p of (1 - (1 + p q)^-s) / p
 *		  = sum over n of P(N = n) (m_0 + ... + m_(n-1)),
 *			m_j = mean of (1 - p)^j
 *
 * All terms of the sum are positive, and nothing happens at a = 1, where the
 * closed form divides by zero.  Where the sum is long, E is integrated
 * numerically by the trapezoidal rule in ln(p / (1-p)), which converges
 * exponentially.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/purchase.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "customer/purchase.h"
#include "math/maximize.h"
#include "math/special.h"
#include "miscadmin.h"

#define CHECK_EVERY			4096	/* patterns */
#define MOST_FOR_START		4000	/* patterns to choose a start by */
#define LEAST_DROPOUT		1e-5	/* mean probability to leave, a / (a+b) */
#define LEAST_GAIN			1e-4	/* of log likelihood, by dropout */
#define LONGEST_SUM			500 /* terms; beyond that, integrate */
#define ENOUGH				1e-15	/* relative error of a sum */

enum							/* places of the parameters' logarithms */
{
	LN_R,
	LN_ALPHA,
	LN_A,
	LN_B,
};

/* What the likelihood is computed of. */
typedef struct Customers
{
	const RecPattern *pattern;	/* in their order, ages and recencies scaled */
	int64		n;
	int64		step;			/* every step-th pattern counts */
	double		users;			/* that count */
	RecPurchaseKind kind;
	bool		dropout;		/* false: parameters a and b are not there */
} Customers;

/* ----------------
 *		the likelihood
 * ----------------
 */

/* The parameters at a place. */
typedef struct Parameters
{
	double		r;
	double		alpha;
	double		a;
	double		b;
} Parameters;

static Parameters
parameters_at(const double *place, bool dropout)
{
	Parameters	p;

	p.r = exp(place[LN_R]);
	p.alpha = exp(place[LN_ALPHA]);
	p.a = dropout ? exp(place[LN_A]) : 0;
	p.b = dropout ? exp(place[LN_B]) : 1;
	return p;
}

/*
 * Derivatives are by the logarithms of the parameters.  They are written so
 * that nothing cancels where parameters grow without bounds, as r and alpha do
 * when all customers are alike: r ln(alpha) - s ln(alpha+T) is taken as
 * -r ln(1 + T/alpha) - x ln(alpha+T), and so on.
 */

/* Add what depends on the frequency alone, of so many customers. */
static void
add_frequency(RecValue *sum, const Customers *customers, const Parameters *p,
			  int32 frequency, double count)
{
	RecRising	r = rec_special_rising(p->r, frequency);
	double		left = frequency + (customers->kind == REC_PURCHASE_MBG);
	double		ab = p->a + p->b;
	RecRising	of_b;
	RecRising	of_ab;

	sum->value += count * r.value;
	sum->gradient[LN_R] += count * p->r * r.first;
	sum->hessian[LN_R][LN_R] += count * p->r * (r.first + p->r * r.second);
	if (!customers->dropout)
		return;
	of_b = rec_special_rising(p->b, left);
	of_ab = rec_special_rising(ab, left);
	sum->value += count * (of_b.value - of_ab.value);
	sum->gradient[LN_A] -= count * p->a * of_ab.first;
	sum->gradient[LN_B] += count * p->b * (of_b.first - of_ab.first);
	sum->hessian[LN_A][LN_A] -= count * p->a * (of_ab.first + p->a * of_ab.second);
	sum->hessian[LN_B][LN_A] -= count * p->a * p->b * of_ab.second;
	sum->hessian[LN_B][LN_B] += count * p->b *
		(of_b.first - of_ab.first + p->b * (of_b.second - of_ab.second));
}

/*
 * Add ln(1 + k), of count customers of one pattern; "stayed" is how often they
 * did not leave, so that ln k = ln a - ln(b + stayed) + s ln(...).
 */
static inline void
add_odds(RecValue *sum, const RecPattern *pattern, const Parameters *p, double stayed,
		 double count)
{
	double		s = p->r + pattern->frequency;
	double		now = 1 / (p->alpha + pattern->second);
	double		last = 1 / (p->alpha + pattern->first);
	double		silence = pattern->second - pattern->first;
	double		wait = log1p(silence * last);
	double		log_k = log(p->a / (p->b + stayed)) + s * wait;
	double		odds = exp(-fabs(log_k));
	double		gone = log_k > 0 ? 1 / (1 + odds) : odds / (1 + odds);	/* k / (1+k) */
	double		weight = count * gone * (1 - gone);
	double		u[4];			/* gradient of ln k */

	u[LN_R] = p->r * wait;
	u[LN_ALPHA] = -s * silence * p->alpha * now * last;
	u[LN_A] = 1;
	u[LN_B] = -p->b / (p->b + stayed);
	sum->value += count * (Max(log_k, 0) + log1p(odds));
	for (int i = 0; i < 4; i++)
	{
		sum->gradient[i] += count * gone * u[i];
		for (int j = 0; j <= i; j++)
			sum->hessian[i][j] += weight * u[i] * u[j];
	}
	count *= gone;
	sum->hessian[LN_R][LN_R] += count * u[LN_R];
	sum->hessian[LN_ALPHA][LN_R] -= count * p->r * silence * p->alpha * now * last;
	sum->hessian[LN_ALPHA][LN_ALPHA] += count * s * silence * p->alpha * now * last *
		(p->alpha * now * p->alpha * last - pattern->second * now * pattern->first * last);
	sum->hessian[LN_B][LN_B] += count * u[LN_B] * stayed / (p->b + stayed);
}

/* Add what depends on a pattern's times. */
static inline void
add_pattern(RecValue *sum, const Customers *customers, const Parameters *p,
			const RecPattern *pattern)
{
	double		count = pattern->count;
	double		x = pattern->frequency;
	double		age = pattern->second;
	double		now = 1 / (p->alpha + age);
	double		known = log1p(age / p->alpha);

	sum->value -= count * (p->r * known + x * log(p->alpha + age));
	sum->gradient[LN_R] -= count * p->r * known;
	sum->gradient[LN_ALPHA] += count * (p->r * age - x * p->alpha) * now;
	sum->hessian[LN_R][LN_R] -= count * p->r * known;
	sum->hessian[LN_ALPHA][LN_R] += count * p->r * age * now;
	sum->hessian[LN_ALPHA][LN_ALPHA] -= count * (p->r + x) * age * now * p->alpha * now;
	if (!customers->dropout)
		return;
	if (customers->kind == REC_PURCHASE_MBG)
		add_odds(sum, pattern, p, x, count);
	else if (pattern->frequency > 0)
		add_odds(sum, pattern, p, x - 1, count);
}

/* Turn a sum over users into a mean. */
static void
finish_value(RecValue *sum, int n, double users)
{
	sum->value /= users;
	for (int i = 0; i < n; i++)
	{
		sum->gradient[i] /= users;
		for (int j = 0; j <= i; j++)
			sum->hessian[i][j] /= users;
	}
}

/* Compute the mean log likelihood at a place, with its derivatives. */
static void
log_likelihood(const double *place, RecValue *value, void *arg)
{
	const Customers *customers = (const Customers *) arg;
	Parameters	p = parameters_at(place, customers->dropout);
	double		count = 0;		/* of the current frequency */
	int64		nseen = 0;

	memset(value, 0, sizeof(RecValue));
	for (int64 i = 0; i < customers->n; i += customers->step)
	{
		const RecPattern *pattern = &customers->pattern[i];
		int64		next = i + customers->step;

		if (++nseen % CHECK_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		add_pattern(value, customers, &p, pattern);
		count += pattern->count;
		if (next >= customers->n || customers->pattern[next].frequency != pattern->frequency)
		{
			add_frequency(value, customers, &p, pattern->frequency, count);
			count = 0;
		}
	}
	finish_value(value, customers->dropout ? 4 : 2, customers->users);
}

/* ----------------
 *		fitting
 * ----------------
 */

static double
mean_dropout(const double *place)
{
	return 1 / (1 + exp(place[LN_B] - place[LN_A]));
}

static bool
is_without_dropout(const double *place)
{
	return mean_dropout(place) < LEAST_DROPOUT;
}

/* Return the customers of every step-th pattern. */
static Customers
some_customers(const RecPatterns *patterns, RecPurchaseKind kind, int64 step)
{
	Customers	customers = {0};

	customers.pattern = patterns->pattern;
	customers.n = patterns->count;
	customers.step = step;
	customers.kind = kind;
	for (int64 i = 0; i < patterns->count; i += step)
		customers.users += patterns->pattern[i].count;
	return customers;
}

/* Fit the NBD, to which both models come down without dropout. */
static bool
fit_without_dropout(Customers *customers, double *place, double *value)
{
	double		purchases = 0;
	double		time = 0;

	for (int64 i = 0; i < customers->n; i += customers->step)
	{
		purchases += customers->pattern[i].count * (double) customers->pattern[i].frequency;
		time += customers->pattern[i].count * customers->pattern[i].second;
	}
	place[LN_R] = log(0.5);
	place[LN_ALPHA] = log(0.5 * time / purchases);
	customers->dropout = false;
	return rec_maximize(log_likelihood, NULL, customers, 2, place, value);
}

/*
 * Find where to begin the fit with dropout, from the place of the fit without:
 * the best end of several starts, by some of the customers.
 */
static void
choose_start(Customers *some, double *place)
{
	static const double starts[][2] = {{1, 2}, {0.2, 1}, {1, 10}, {5, 5}};
	double		best = -INFINITY;
	double		chosen[4];

	some->dropout = true;
	for (int i = 0; i < (int) lengthof(starts); i++)
	{
		double		at[4];
		double		value;

		at[LN_R] = place[LN_R];
		at[LN_ALPHA] = place[LN_ALPHA];
		at[LN_A] = log(starts[i][0]);
		at[LN_B] = log(starts[i][1]);
		(void) rec_maximize(log_likelihood, is_without_dropout, some, 4, at, &value);
		if (value > best)
		{
			best = value;
			memcpy(chosen, at, sizeof(chosen));
		}
	}
	memcpy(place, chosen, sizeof(chosen));
}

/* Divide all times by a unit. */
static void
scale_times(RecPatterns *patterns, double unit)
{
	for (int64 i = 0; i < patterns->count; i++)
	{
		patterns->pattern[i].first /= unit;
		patterns->pattern[i].second /= unit;
	}
}

/* Count the users, and find the largest age. */
static double
count_users(RecPurchaseModel *model, const RecPatterns *patterns)
{
	double		oldest = 0;

	for (int64 i = 0; i < patterns->count; i++)
	{
		const RecPattern *pattern = &patterns->pattern[i];

		model->users += pattern->count;
		if (pattern->frequency > 0)
			model->repeaters += pattern->count;
		oldest = Max(oldest, pattern->second);
	}
	return oldest;
}

/* Keep the place of a maximum as the model's parameters. */
static void
keep_place(RecPurchaseModel *model, const double *place, double value, double unit)
{
	model->fitted = true;
	model->r = exp(place[LN_R]);
	model->alpha = exp(place[LN_ALPHA]) * unit;
	model->a = model->dropout ? exp(place[LN_A]) : 0;
	model->b = model->dropout ? exp(place[LN_B]) : 1;
	model->log_likelihood = value * model->users;
}

/*
 * Fit a model on customers: "first" of a pattern is the recency, "second" the
 * age.  Leave it unfitted when there are fewer than 100, or none has a repeat
 * purchase.  The patterns are merged, and their times scaled and left so.
 */
void
rec_purchase_fit(RecPurchaseModel *model, RecPurchaseKind kind, RecPatterns *patterns)
{
	double		unit;
	double		purchases = 0;
	double		place[4];
	double		without[4];
	double		value;
	double		value_without;
	bool		converged;
	bool		converged_without;
	Customers	all;
	Customers	some;

	memset(model, 0, sizeof(RecPurchaseModel));
	model->kind = kind;
	rec_pattern_merge(patterns);
	unit = count_users(model, patterns);
	if (model->users < REC_PURCHASE_MIN_USERS || model->repeaters == 0)
		return;
	scale_times(patterns, unit);
	for (int64 i = 0; i < patterns->count; i++)
		purchases += patterns->pattern[i].count * (double) patterns->pattern[i].frequency;
	all = some_customers(patterns, kind, 1);
	some = some_customers(patterns, kind, patterns->count / MOST_FOR_START + 1);
	converged_without = fit_without_dropout(&all, without, &value_without);
	memcpy(place, without, sizeof(place));
	choose_start(&some, place);
	all.dropout = true;
	converged = rec_maximize(log_likelihood, is_without_dropout, &all, 4, place, &value);
	model->dropout = !is_without_dropout(place) &&
		(value - value_without) * all.users >= LEAST_GAIN;
	if (model->dropout)
		keep_place(model, place, value, unit);
	else
		keep_place(model, without, value_without, unit);
	model->converged = model->dropout ? converged : converged_without;
	/* as if the times had not been scaled: a purchase has a density in time */
	model->log_likelihood -= purchases * log(unit);
}

/* ----------------
 *		forecasts
 * ----------------
 */

/* The mean that is to be computed: over p of Beta(a, b) of (1 - (1+pq)^-s) / p. */
typedef struct Mean
{
	double		a;
	double		b;
	double		s;
	double		q;
} Mean;

/* Return about how many terms the sum has, or more than are allowed. */
static double
length_of_sum(const Mean *mean)
{
	double		purchases = mean->s * mean->q;

	/* (1+q)^-s, the first term, must not be too small for a number */
	if (mean->s * log1p(mean->q) > 600)
		return LONGEST_SUM + 1;
	return purchases + 10 * sqrt(purchases * (1 + mean->q)) + 35 * (1 + mean->q);
}

/* Compute the mean by its sum. */
static double
sum_of_mean(const Mean *mean)
{
	double		z = mean->q / (1 + mean->q);
	double		probability = exp(-mean->s * log1p(mean->q));	/* of n purchases */
	double		made = 0;		/* of them, on average, before leaving */
	double		stays = 1;		/* probability to stay after each of n
								 * purchases */
	double		sum = 0;

	for (int n = 0;; n++)
	{
		double		ratio = z * (mean->s + n) / (n + 1);
		double		bound = Max(ratio, z);	/* of all ratios from here on */

		sum += probability * made;
		/* what is left: a geometric series, "made" growing by 1 at most */
		if (bound < 1 && probability * ratio * (made + 1) < ENOUGH * sum * (1 - bound) * (1 - bound))
			break;
		probability *= ratio;
		made += stays;
		stays *= (mean->b + n) / (mean->a + mean->b + n);
	}
	return sum;
}

/* One place of the integral: p, its weight, and the function's value there. */
typedef struct Node
{
	double		p;
	double		weight;
	double		value;
} Node;

static Node
node_at(const Mean *mean, double v, double largest)
{
	double		log1p_exp = v > 0 ? v + log1p(exp(-v)) : log1p(exp(v));
	Node		node;

	node.p = exp(v - log1p_exp);
	node.weight = exp(mean->a * v - (mean->a + mean->b) * log1p_exp - largest);
	node.value = -expm1(-mean->s * log1p(node.p * mean->q)) / node.p;
	return node;
}

/*
 * Compute the mean by the trapezoidal rule in v = ln(p / (1-p)), in which the
 * density is p^a (1-p)^b without a singularity.  The step is a fraction of the
 * density's width, and of the distance of the functions' singularities.  Far to
 * the left the function is constant and the density exp(a v), a geometric
 * series.
 */
static double
integral_of_mean(const Mean *mean)
{
	double		width = Min(0.4, 0.8 * sqrt(1 / mean->a + 1 / mean->b));
	double		middle = log(mean->a / mean->b);
	double		largest = mean->a * middle -
	(mean->a + mean->b) * (middle > 0 ? middle + log1p(exp(-middle)) : log1p(exp(middle)));
	double		constant_below = 1e-13 / Max(1, Max(mean->b, (mean->s + 1) * mean->q));
	double		weights = 0;
	double		values = 0;
	Node		node;

	for (int i = 0; i == 0 || node.weight > 1e-18 * weights; i++)
	{
		node = node_at(mean, middle + i * width, largest);
		weights += node.weight;
		values += node.weight * node.value;
	}
	for (int i = 1;; i++)
	{
		node = node_at(mean, middle - i * width, largest);
		weights += node.weight;
		values += node.weight * node.value;
		if (node.p < constant_below)
		{
			double		rest = node.weight / expm1(mean->a * width);

			weights += rest;
			values += rest * node.value;
			break;
		}
		if (node.weight < 1e-18 * weights && node.weight * node.value < 1e-18 * values)
			break;
	}
	return values / weights;
}

static double
mean_purchases(const Mean *mean)
{
	if (mean->q == 0)
		return 0;
	if (isinf(mean->q))
		return INFINITY;
	if (mean->a == 0)
		return mean->s * mean->q;
	return length_of_sum(mean) <= LONGEST_SUM ? sum_of_mean(mean) : integral_of_mean(mean);
}

/*
 * Return what a fitted model predicts of a customer within a horizon, both in
 * the model's unit of time.  The customer's numbers and the horizon are finite
 * and make sense; "expected" is infinite when it is too large for a number.
 */
RecPurchaseOutlook
rec_purchase_outlook(const RecPurchaseModel *model, const RecPurchases *customer, double horizon)
{
	double		now = model->alpha + customer->age;
	double		s = model->r + customer->frequency;
	double		left = model->b + customer->frequency + (model->kind == REC_PURCHASE_MBG) - 1;
	double		wait = log1p((customer->age - customer->recency) / (model->alpha + customer->recency));
	RecPurchaseOutlook outlook;
	Mean		mean;

	if (model->a == 0 || (model->kind == REC_PURCHASE_BG && customer->frequency == 0))
		outlook.alive = 1;
	else
		outlook.alive = 1 / (1 + exp(log(model->a / left) + s * wait));
	mean.a = model->a;
	mean.b = left + 1;
	mean.s = s;
	mean.q = horizon / now;
	outlook.expected = outlook.alive > 0 ? outlook.alive * mean_purchases(&mean) : 0;
	outlook.probability = outlook.alive * -expm1(-s * log1p(mean.q));
	outlook.median_wait = outlook.alive > 0.5 ?
		now * expm1(-log1p(-0.5 / outlook.alive) / s) : NAN;
	outlook.overdue = -expm1(-s * wait);
	return outlook;
}
