/*-------------------------------------------------------------------------
 *
 * comparison.c
 *	  Two groups compared: effect, interval and p-value.
 *
 * Knows numbers only.  A comparison has two steps.  The first makes of two
 * groups' means and covariances an effect and its standard error, b less a, or
 * that divided by the absolute value of a's mean, by the delta method:
 *
 *	  means		d / |m_a|,  s^2 = v_b / (n_b m_a^2) + v_a m_b^2 / (n_a m_a^4)
 *	  ratios	R = m / d of the groups' means, and with measures from before the
 *				experiment R - theta R_before, theta = cov(R, R_before) /
 *				var(R_before), added up over both groups
 *
 * A negative baseline keeps the direction: more than -2 is a positive effect.
 * The second step tests it, by Student's t with Welch's degrees of freedom, by
 * the normal distribution, or by a confidence sequence, which holds at all
 * times at once, however often one looks (Waudby-Smith, Arbour, Sinha, Kennedy,
 * Ramdas 2023, "Time-uniform central limit theory and asymptotic confidence
 * sequences", version 7: equations 9, 134, 155 and 161).  With N units,
 *
 *	  rho^2 = (-2 ln a + ln(-2 ln a + 1)) / horizon
 *	  half width = s sqrt(N) sqrt(2 (N rho^2 + 1) / (N rho)^2 ln(sqrt(N rho^2 + 1) / a))
 *
 * It is tightest when N is about the horizon, which is to be fixed before the
 * start: an interval at a horizon that follows N holds for one look only.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/comparison.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "experiment/comparison.h"
#include "math/distribution.h"

/* Return the name of a RecTestMethod, NULL after the last. */
const char *
rec_comparison_method_name(int method)
{
	static const char *const name[] = {"welch", "z", "sequential"};

	return method >= 0 && method < (int) lengthof(name) ? name[method] : NULL;
}

/* Return the name of a RecAlternative, NULL after the last. */
const char *
rec_comparison_alternative_name(int alternative)
{
	static const char *const name[] = {"two_sided", "greater", "less"};

	return alternative >= 0 && alternative < (int) lengthof(name) ? name[alternative] : NULL;
}

/* Return gradient' covariance gradient, the variance of what it is the gradient of. */
static double
delta_variance(const RecMoments *moments, const double *gradient)
{
	double		sum = 0;

	for (int i = 0; i < moments->count; i++)
	{
		for (int j = 0; j < moments->count; j++)
			sum += gradient[i] * moments->covariance[i][j] * gradient[j];
	}
	return Max(sum, 0);
}

/* Return Welch's degrees of freedom, for variances of the groups' units. */
static double
welch_df(double variance_a, double n_a, double variance_b, double n_b)
{
	double		a = variance_a / n_a;
	double		b = variance_b / n_b;

	return (a + b) * (a + b) / (a * a / (n_a - 1) + b * b / (n_b - 1));
}

/* Return the effect of two means and variances. */
static RecEffect
effect_of(double n_a, double mean_a, double variance_a,
		  double n_b, double mean_b, double variance_b, bool relative)
{
	RecEffect	effect = {.units = n_a + n_b};
	double		baseline = relative ? fabs(mean_a) : 1;
	double		ratio = relative ? mean_b / mean_a : 1;

	effect.degrees_of_freedom = welch_df(variance_a, n_a, variance_b, n_b);
	effect.effect = (mean_b - mean_a) / baseline;
	effect.standard_error = sqrt(variance_b / n_b + variance_a / n_a * ratio * ratio) / baseline;
	if (relative && mean_a == 0)
		effect.effect = effect.standard_error = NAN;
	effect.null_error = effect.standard_error;
	effect.null_effect = effect.effect;
	return effect;
}

/*
 * Return the difference of two groups' first means, b less a, or relative to
 * a's.  NaN if that is to be divided by 0.
 */
RecEffect
rec_comparison_means(const RecMoments *a, const RecMoments *b, bool relative)
{
	return effect_of(a->n, a->mean[0], a->covariance[0][0],
					 b->n, b->mean[0], b->covariance[0][0], relative);
}

/*
 * Return the difference of two shares, b less a, or relative to a's.  Its
 * standard error takes each group's own share; that which p-values are taken
 * from, the share of both.
 */
RecEffect
rec_comparison_proportions(double successes_a, double n_a, double successes_b, double n_b,
						   bool relative)
{
	double		p_a = successes_a / n_a;
	double		p_b = successes_b / n_b;
	double		both = (successes_a + successes_b) / (n_a + n_b);
	RecEffect	effect = effect_of(n_a, p_a, p_a * (1 - p_a), n_b, p_b, p_b * (1 - p_b), relative);

	effect.null_effect = p_b - p_a;
	effect.null_error = sqrt(both * (1 - both) * (1 / n_a + 1 / n_b));
	return effect;
}

/* Fill the gradient of numerator / denominator, which are measures "at" and the next. */
static void
ratio_gradient(const RecMoments *moments, int at, double factor, double *gradient)
{
	double		numerator = moments->mean[at];
	double		denominator = moments->mean[at + 1];

	gradient[at] = factor / denominator;
	gradient[at + 1] = -factor * numerator / denominator / denominator;
}

/* Return the covariance of the ratio and that from before, of one group's units. */
static double
ratio_covariance(const RecMoments *moments)
{
	double		after[REC_MOST_MEASURES] = {0};
	double		before[REC_MOST_MEASURES] = {0};
	double		sum = 0;

	ratio_gradient(moments, 0, 1, after);
	ratio_gradient(moments, 2, 1, before);
	for (int i = 0; i < moments->count; i++)
	{
		for (int j = 0; j < moments->count; j++)
			sum += after[i] * moments->covariance[i][j] * before[j];
	}
	return sum;
}

/* Return by which factor the ratio from before is taken off. */
static double
ratio_theta(const RecMoments *a, const RecMoments *b)
{
	double		before_a[REC_MOST_MEASURES] = {0};
	double		before_b[REC_MOST_MEASURES] = {0};
	double		variance;

	if (a->count < 4)
		return 0;
	ratio_gradient(a, 2, 1, before_a);
	ratio_gradient(b, 2, 1, before_b);
	variance = delta_variance(a, before_a) + delta_variance(b, before_b);
	return variance > 0 ? (ratio_covariance(a) + ratio_covariance(b)) / variance : 0;
}

/*
 * Return the difference of two groups' ratios of means, b less a, or relative
 * to a's.  The measures are numerator, denominator and, if there are four,
 * both from before the experiment.  NaN if something is to be divided by 0.
 */
RecEffect
rec_comparison_ratios(const RecMoments *a, const RecMoments *b, bool relative)
{
	RecEffect	effect = {.units = a->n + b->n};
	double		gradient_a[REC_MOST_MEASURES] = {0};
	double		gradient_b[REC_MOST_MEASURES] = {0};
	double		ratio_a = a->mean[0] / a->mean[1];
	double		ratio_b = b->mean[0] / b->mean[1];
	double		theta = ratio_theta(a, b);
	double		baseline = relative ? fabs(ratio_a) : 1;
	double		difference = ratio_b - ratio_a;
	double		sign = ratio_a < 0 ? -1 : 1;

	ratio_gradient(a, 0, 1, gradient_a);
	ratio_gradient(b, 0, 1, gradient_b);
	if (a->count == 4)
	{
		ratio_gradient(a, 2, -theta, gradient_a);
		ratio_gradient(b, 2, -theta, gradient_b);
		difference -= theta * (b->mean[2] / b->mean[3] - a->mean[2] / a->mean[3]);
	}
	effect.degrees_of_freedom = welch_df(delta_variance(a, gradient_a), a->n,
										 delta_variance(b, gradient_b), b->n);
	effect.effect = difference / baseline;
	/* the effect falls with a's ratio, and as what it is divided by grows */
	for (int i = 0; i < a->count; i++)
	{
		gradient_a[i] *= -1 / baseline * (relative && i < 2 ? 1 + sign * effect.effect : 1);
		gradient_b[i] /= baseline;
	}
	effect.standard_error = sqrt(delta_variance(a, gradient_a) / a->n
								 + delta_variance(b, gradient_b) / b->n);
	if (a->mean[1] == 0 || b->mean[1] == 0 || baseline == 0
		|| (a->count == 4 && (a->mean[3] == 0 || b->mean[3] == 0)))
		effect.effect = effect.standard_error = NAN;
	effect.null_error = effect.standard_error;
	effect.null_effect = effect.effect;
	return effect;
}

/*
 * Return means and variances of two groups' first measure without the part that
 * their second one, from before the experiment, foretells: y - theta (x - mean
 * of x in both groups), theta = cov(x, y) / var(x) in both groups (Deng, Xu,
 * Kohavi, Walker 2013).  theta is 0 if x is constant.
 */
RecCuped
rec_comparison_cuped(const RecMoments *a, const RecMoments *b)
{
	RecCuped	cuped;
	double		n = a->n + b->n;
	double		between = a->n * b->n / n * (b->mean[1] - a->mean[1]);
	double		covariance = (a->n - 1) * a->covariance[0][1] + (b->n - 1) * b->covariance[0][1]
	+ between * (b->mean[0] - a->mean[0]);
	double		variance = (a->n - 1) * a->covariance[1][1] + (b->n - 1) * b->covariance[1][1]
	+ between * (b->mean[1] - a->mean[1]);
	double		before = (a->n * a->mean[1] + b->n * b->mean[1]) / n;

	cuped.theta = variance > 0 ? covariance / variance : 0;
	for (int i = 0; i < 2; i++)
	{
		const RecMoments *arm = i == 0 ? a : b;
		double		gradient[REC_MOST_MEASURES] = {1, -cuped.theta};

		cuped.mean[i] = arm->mean[0] - cuped.theta * (arm->mean[1] - before);
		cuped.variance[i] = delta_variance(arm, gradient);
	}
	return cuped;
}

/* Return rho of a confidence sequence: it is tightest at about the horizon. */
static double
sequence_rho(const RecTestPlan *plan)
{
	double		logarithm = -2 * log(plan->alternative == REC_TWO_SIDED ? plan->alpha : 2 * plan->alpha);

	return sqrt((logarithm + log(logarithm + 1)) / plan->horizon);
}

/*
 * Return by how many standard errors the interval is wide, from the effect to
 * each end: what |effect| / standard error must exceed to be told from 0.  For
 * a number of units in both groups, and degrees of freedom for Welch's test.
 */
double
rec_comparison_critical_value(const RecTestPlan *plan, double units, double df)
{
	double		tail = plan->alternative == REC_TWO_SIDED ? plan->alpha / 2 : plan->alpha;
	double		rho;
	double		growth;

	if (plan->method == REC_TEST_WELCH)
		return -rec_distribution_t_quantile(tail, df);
	if (plan->method == REC_TEST_Z)
		return -rec_distribution_normal_quantile(tail);
	rho = sequence_rho(plan);
	growth = units * rho * rho + 1;
	return sqrt(2 * growth / (units * rho * rho)
				* (plan->alternative == REC_TWO_SIDED ? log(sqrt(growth) / plan->alpha)
				   : log1p(sqrt(growth) / (2 * plan->alpha))));
}

/* Return the p-value of a confidence sequence that has come to a statistic z. */
static double
sequence_p_value(const RecTestPlan *plan, double units, double z)
{
	double		rho = sequence_rho(plan);
	double		growth = units * rho * rho + 1;
	double		exponent = units * rho * rho * z * z / (2 * growth);

	if (plan->alternative == REC_TWO_SIDED)
		return Min(1, sqrt(growth) * exp(-exponent));
	if ((plan->alternative == REC_GREATER) != (z > 0) || z == 0)
		return 1;
	return Min(1, sqrt(growth) / 2 / expm1(exponent));
}

/* Return the p-value of a statistic of a test at one look. */
static double
fixed_p_value(const RecTestPlan *plan, double statistic, double df)
{
	double		t = plan->alternative == REC_GREATER ? statistic :
	plan->alternative == REC_LESS ? -statistic : fabs(statistic);
	double		tail = plan->method == REC_TEST_WELCH ? rec_distribution_t_tail(t, df)
	: rec_distribution_normal(-t);

	return plan->alternative == REC_TWO_SIDED ? Min(1, 2 * tail) : tail;
}

/*
 * Return the test of an effect.  Where the standard error is 0 or unknown there
 * is no test, and interval, statistic and p-value are NaN.  The degrees of
 * freedom are Welch's only.
 */
RecTestResult
rec_comparison_test(const RecEffect *effect, const RecTestPlan *plan)
{
	RecTestResult result = {effect->effect, effect->standard_error, NAN, NAN, NAN, NAN, NAN};
	double		half;

	if (!(effect->standard_error > 0) || isinf(effect->standard_error))
		return result;
	half = effect->standard_error
		* rec_comparison_critical_value(plan, effect->units, effect->degrees_of_freedom);
	result.ci_low = plan->alternative == REC_LESS ? -HUGE_VAL : effect->effect - half;
	result.ci_high = plan->alternative == REC_GREATER ? HUGE_VAL : effect->effect + half;
	result.statistic = plan->method == REC_TEST_Z ? effect->null_effect / effect->null_error
		: effect->effect / effect->standard_error;
	if (plan->method == REC_TEST_WELCH)
		result.degrees_of_freedom = effect->degrees_of_freedom;
	if (plan->method == REC_TEST_SEQUENTIAL)
		result.p_value = sequence_p_value(plan, effect->units, result.statistic);
	else
		result.p_value = fixed_p_value(plan, result.statistic, effect->degrees_of_freedom);
	return result;
}
