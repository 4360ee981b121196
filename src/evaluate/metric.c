/*-------------------------------------------------------------------------
 *
 * metric.c
 *	  Metrics of ranked lists, of sets of lists, and of scores.
 *
 * A ranked list is represented by its gains: the value for the user of the item
 * at each rank.  The metrics of one list use its first k ranks.  The missing ranks
 * of a list shorter than k are misses, so that a short list has no advantage over
 * a long one.  A duplicate has no gain (the caller that makes the RecRanking sees
 * to it), but occupies its rank.
 *
 * The metrics of a user without relevant items are undefined.  Functions here
 * return 0 then; callers that average leave the user out.
 *
 * The other functions take properties of the items shown: the number of times
 * (exposure), the share of users who have them (popularity), the similarity of
 * two items of a list; or a score and its outcome.
 *
 * Numbers only: no Datum, no SPI.  Allocates nothing.  Arguments are finite numbers
 * in the stated range; the functions do not check them.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/metric.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "evaluate/metric.h"
#include "miscadmin.h"

/* Return the number of hits: relevant items among the first k. */
static int
count_hits(const RecRanking *ranking, int k)
{
	int			n = Min(ranking->n, k);
	int			hits = 0;

	for (int i = 0; i < n; i++)
		hits += ranking->gain[i] > 0;
	return hits;
}

/*
 * precision = hits / k, from 0 to 1: the share of relevant items among k ranks.
 * The divisor is k for shorter lists, too (Manning, Raghavan and Schuetze 2008,
 * section 8.4).
 */
static double
precision(const RecRanking *ranking, int k)
{
	return (double) count_hits(ranking, k) / k;
}

/*
 * recall = hits / relevant items, from 0 to 1.  The divisor is the number of all
 * relevant items, so that the maximum is min(k, nrelevant) / nrelevant (Manning,
 * Raghavan and Schuetze 2008, section 8.3).
 */
static double
recall(const RecRanking *ranking, int k)
{
	if (ranking->nrelevant == 0)
		return 0;
	return (double) count_hits(ranking, k) / ranking->nrelevant;
}

/*
 * hit_rate = 1 if there is a hit, else 0; its mean over users is the share of
 * users with a hit (Deshpande and Karypis 2004).
 */
static double
hit_rate(const RecRanking *ranking, int k)
{
	return count_hits(ranking, k) > 0;
}

/*
 * average_precision = the sum over the ranks r of hits of (hits up to r) / r,
 * divided by min(k, nrelevant), from 0 to 1.  The classic definition
 * (Manning, Raghavan and Schuetze 2008, section 8.4) divides by nrelevant; this
 * one divides by the maximum number of hits in k ranks, so that every user can
 * reach 1.  Both are equal if k is at least nrelevant.
 */
static double
average_precision(const RecRanking *ranking, int k)
{
	int			n = Min(ranking->n, k);
	int			hits = 0;
	double		sum = 0;

	if (ranking->nrelevant == 0)
		return 0;
	for (int i = 0; i < n; i++)
	{
		if (ranking->gain[i] > 0)
		{
			hits++;
			sum += (double) hits / (i + 1);
		}
	}
	return sum / Min(k, ranking->nrelevant);
}

/*
 * reciprocal_rank = 1 / the rank of the first hit, 0 without one, from 0 to 1
 * (Voorhees 1999).
 */
static double
reciprocal_rank(const RecRanking *ranking, int k)
{
	int			n = Min(ranking->n, k);

	for (int i = 0; i < n; i++)
	{
		if (ranking->gain[i] > 0)
			return 1.0 / (i + 1);
	}
	return 0;
}

/* Return the sum of gain / log2(rank + 1) over n ranks. */
static double
discounted_gain(const double *gain, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
	{
		if (gain[i] > 0)
			sum += gain[i] / log2(i + 2);
	}
	return sum;
}

/*
 * ndcg = discounted gain of the first k ranks / that of the ideal list, which has
 * the min(k, nrelevant) largest gains in descending order; from 0 to 1 (Jarvelin
 * and Kekalainen 2002, with the now usual discount log2(rank + 1)).  Gains are
 * linear; for the exponential form (Burges et al. 2005), pass 2^g - 1.
 */
static double
ndcg(const RecRanking *ranking, int k)
{
	if (ranking->nrelevant == 0)
		return 0;
	return discounted_gain(ranking->gain, Min(ranking->n, k)) /
		discounted_gain(ranking->ideal, Min(ranking->nrelevant, k));
}

/*
 * serendipity = hits that are not expected / k, from 0 to precision: the share of
 * ranks with relevant items that a baseline, such as the list of the most popular
 * items, does not have among its first k (Ge, Delgado-Battenfeld and Jannach
 * 2010).
 */
static double
serendipity(const RecRanking *ranking, int k)
{
	int			n = Min(ranking->n, k);
	int			surprises = 0;

	for (int i = 0; i < n; i++)
		surprises += ranking->gain[i] > 0 && ranking->expected[i] >= k;
	return (double) surprises / k;
}

/*
 * Metrics of a list whatever is relevant, by the functions below; NaN if there is
 * nothing to average.
 */
static double
list_popularity(const RecRanking *ranking, int k)
{
	int			n = Min(ranking->n, k);

	return n == 0 ? NAN : rec_metric_average_popularity(ranking->popularity, n);
}

static double
list_novelty(const RecRanking *ranking, int k)
{
	int			n = Min(ranking->n, k);

	return n == 0 ? NAN : rec_metric_novelty(ranking->popularity, n);
}

/* Of n items there are n (n - 1) / 2 pairs; see intra_list_diversity. */
static double
list_diversity(const RecRanking *ranking, int k)
{
	int			n = Min(ranking->n, k);
	double		alike = 0;

	for (int i = 0; i < n; i++)
		alike += ranking->alike[i];
	return n < 2 ? NAN : 1 - alike / ((double) n * (n - 1) / 2);
}

const RecMetric rec_metrics[] = {
	[REC_PRECISION] = {"precision", REC_OF_HITS, precision},
	[REC_RECALL] = {"recall", REC_OF_HITS, recall},
	[REC_HIT_RATE] = {"hit_rate", REC_OF_HITS, hit_rate},
	[REC_AVERAGE_PRECISION] = {"average_precision", REC_OF_HITS, average_precision},
	[REC_RECIPROCAL_RANK] = {"reciprocal_rank", REC_OF_HITS, reciprocal_rank},
	[REC_NDCG] = {"ndcg", REC_OF_HITS, ndcg},
	[REC_SERENDIPITY] = {"serendipity", REC_OF_HITS, serendipity},
	[REC_AVERAGE_POPULARITY] = {"average_popularity", REC_OF_LIST, list_popularity},
	[REC_NOVELTY] = {"novelty", REC_OF_LIST, list_novelty},
	[REC_INTRA_LIST_DIVERSITY] = {"intra_list_diversity", REC_OF_LIST, list_diversity},
	[REC_COVERAGE] = {"coverage", REC_OF_ALL_LISTS, NULL},
	[REC_GINI] = {"gini", REC_OF_ALL_LISTS, NULL},
	{NULL, 0, NULL}
};

/*
 * catalog_coverage = items shown at least once / all items, from 0 to 1 (Ge,
 * Delgado-Battenfeld and Jannach 2010).  Exposures, zero or greater, are of
 * all items that can be shown.
 */
double
rec_metric_catalog_coverage(const double *exposure, int64 n)
{
	int64		shown = 0;

	for (int64 i = 0; i < n; i++)
		shown += exposure[i] > 0;
	return (double) shown / n;
}

/*
 * average_popularity = the mean popularity of the items shown, in the unit
 * of popularity: a count of users, or their share (Yin et al. 2012).
 */
double
rec_metric_average_popularity(const double *popularity, int64 n)
{
	double		sum = 0;

	for (int64 i = 0; i < n; i++)
		sum += popularity[i];
	return sum / n;
}

/*
 * novelty = the mean self-information -log2 p of the items shown, in bits,
 * zero or greater, where p, above 0 and at most 1, is the share of users who
 * have the item (Zhou et al. 2010).
 */
double
rec_metric_novelty(const double *popularity, int64 n)
{
	double		sum = 0;

	for (int64 i = 0; i < n; i++)
		sum -= log2(popularity[i]);
	return sum / n;
}

/*
 * intra_list_diversity = 1 - the mean similarity of the pairs of items of a
 * list, from 0 (all alike) to 1 for similarities from 0 to 1 (Smyth and
 * McClave 2001; Ziegler et al. 2005).
 */
double
rec_metric_intra_list_diversity(const double *similarity, int64 npairs)
{
	double		sum = 0;

	for (int64 i = 0; i < npairs; i++)
		sum += 1 - similarity[i];
	return sum / npairs;
}

/*
 * log_loss = the mean of -ln of the predicted probability of the actual outcome,
 * zero or greater (Good 1952).  Infinite if that probability is 0: probabilities
 * are not clipped.
 */
double
rec_metric_log_loss(const double *probability, const bool *outcome, int64 n)
{
	double		sum = 0;

	for (int64 i = 0; i < n; i++)
		sum -= outcome[i] ? log(probability[i]) : log1p(-probability[i]);
	return sum / n;
}

#define ST_SORT sort_falling
#define ST_ELEMENT_TYPE double
#define ST_COMPARE(a, b) (*(a) > *(b) ? -1 : *(a) < *(b))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Sort numbers in descending order, as RecRanking needs the ideal gains. */
void
rec_metric_sort_falling(double *value, int64 n)
{
	sort_falling(value, n);
}

/*
 * gini = the sum of (2 i - n - 1) x_i / (n * the sum of x_i), x_1 the least
 * of n exposures.  From 0, all equal (also if no item is shown), to 1 - 1/n, a
 * single item (Gini 1912; of recommenders, Fleder and Hosanagar 2009).  Exposures
 * are zero or greater, of all items that can be shown; divided by the largest,
 * so that no sum overflows.
 */
double
rec_metric_gini(double *exposure, int64 n)
{
	double		sum = 0;
	double		weighted = 0;

	sort_falling(exposure, n);
	if (n == 0 || exposure[0] == 0)
		return 0;
	for (int64 i = 0; i < n; i++)
	{
		double		x = exposure[i] / exposure[0];

		sum += x;
		weighted += (double) (n - 1 - 2 * i) * x;
	}
	return weighted / (sum * n);
}

/*
 * auc = the probability that a relevant row has a higher score than one that is
 * not relevant, a tie being one half: the area under the ROC curve, from 0 to 1,
 * by chance 0.5 (Hanley and McNeil 1982).  Computed by ranks in one pass over both
 * arrays; neither may be empty.
 */
double
rec_metric_auc(double *relevant, int64 nrelevant, double *other, int64 nother)
{
	int64		above = 0;		/* others with a greater score */
	int64		level = 0;		/* others with that score or a greater one */
	double		won = 0;		/* pairs with the relevant row above */

	sort_falling(relevant, nrelevant);
	sort_falling(other, nother);
	for (int64 i = 0; i < nrelevant; i++)
	{
		while (above < nother && other[above] > relevant[i])
			above++;
		while (level < nother && other[level] >= relevant[i])
			level++;
		won += nother - (above + level) / 2.0;
	}
	return won / nrelevant / nother;
}
