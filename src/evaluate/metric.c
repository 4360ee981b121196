/*-------------------------------------------------------------------------
 *
 * metric.c
 *	  How good a ranked list is, a set of lists, and a score.
 *
 * A ranked list is known by its gains: what the item at each rank was worth
 * to the user.  The metrics of one list look at its first k ranks.  A list
 * shorter than k missed at the ranks it lacks; so a short list has no
 * advantage over a long one.  A repeated item has its gain once (whoever
 * makes the RecRanking sees to it), but takes up the places it stands at.
 *
 * The metrics of a user who had nothing relevant are not defined.  Functions
 * here give 0 then, as good as any; those who average leave the user out.
 *
 * The other functions take what is known of the items that were shown: how
 * often (exposure), the share of users who have them (popularity), and how
 * alike two items of a list are; or a score and what came of it.
 *
 * Knows numbers only: no Datum, no SPI.  Allocates nothing.  Arguments are
 * finite numbers in the range that is said here; nobody checks them again.
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

/* Hits are the relevant items among the first k. */
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
 * precision = hits / k, from 0 to 1: the share of the k places that was well
 * used.  k divides even a shorter list (Manning, Raghavan and Schuetze 2008,
 * section 8.4).
 */
static double
precision(const RecRanking *ranking, int k)
{
	return (double) count_hits(ranking, k) / k;
}

/*
 * recall = hits / relevant items, from 0 to 1: the share of what was relevant
 * that was found.  All relevant items divide, so that min(k, nrelevant) /
 * nrelevant is the most that can be had (Manning, Raghavan and Schuetze 2008,
 * section 8.3).
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
 * users who were served at all (Deshpande and Karypis 2004).
 */
static double
hit_rate(const RecRanking *ranking, int k)
{
	return count_hits(ranking, k) > 0;
}

/*
 * average_precision = the sum over the ranks r of hits of (hits up to r) / r,
 * divided by min(k, nrelevant), from 0 to 1.  Where the classic definition
 * (Manning, Raghavan and Schuetze 2008, section 8.4) divides by nrelevant, we
 * divide by the most hits that k places can hold, so that 1 is in reach of
 * every user; the two agree when k is not less than nrelevant.
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

/* The sum of gain / log2(rank + 1) over n ranks. */
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
 * ndcg = discounted gain of the first k ranks / that of the best list there
 * could be, which holds the min(k, nrelevant) largest gains in falling order;
 * from 0 to 1 (Jarvelin and Kekalainen 2002, with the discount log2(rank + 1)
 * that became the custom).  Gains are taken as they are; a caller who wants
 * the exponential form (Burges et al. 2005) gives 2^g - 1.
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
 * serendipity = hits that are not expected / k, from 0 to precision: the
 * share of places well used with what a plain recommender, such as a list of
 * the most popular items, does not offer in k places (Ge, Delgado-Battenfeld
 * and Jannach 2010).
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
 * What a list that is shown is like, by the functions further below; NaN where
 * there is nothing to take a mean of.
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
 * all items that could have been shown.
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
 * log_loss = the mean of -ln of the probability that was given to what came
 * to pass, zero or greater (Good 1952).  Infinite when that was 0: unlike
 * those who clip probabilities, we say what a certainty that fails is worth.
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

/* Puts numbers in falling order, as RecRanking wants the ideal gains. */
void
rec_metric_sort_falling(double *value, int64 n)
{
	sort_falling(value, n);
}

/*
 * gini = the sum of (2 i - n - 1) x_i / (n * the sum of x_i), x_1 the least
 * of n exposures: how unequally items are shown.  From 0, all alike (also
 * when none is shown at all), to 1 - 1/n, one item takes all (Gini 1912; of
 * recommenders, Fleder and Hosanagar 2009).  Exposures are zero or greater,
 * of all items that could have been shown; measured by the largest of them,
 * no sum overflows.
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
 * auc = the probability that a relevant row scores above one that is not,
 * equal scores counting half: the area under the ROC curve, from 0 to 1,
 * where chance has 0.5 (Hanley and McNeil 1982).  Counted by ranks, in one
 * walk down both arrays; neither may be empty.
 */
double
rec_metric_auc(double *relevant, int64 nrelevant, double *other, int64 nother)
{
	int64		above = 0;		/* of the others, with a greater score */
	int64		level = 0;		/* of the others, with that score or greater */
	double		won = 0;		/* pairs */

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
