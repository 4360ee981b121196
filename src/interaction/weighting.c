/*-------------------------------------------------------------------------
 *
 * weighting.c
 *	  The weights of a matrix as a measure uses them.
 *
 * Either a weighting, which raises the weights of more informative pairs, or
 * ratings less their mean, for the measures that are correlations.  Works on
 * the rows by user, in place; the rows by item are made from them afterwards.
 *
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/weighting.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "interaction/weighting.h"

static inline double
user_items(const RecMatrix *matrix, uint32 user)
{
	return (double) (matrix->user_start[user + 1] - matrix->user_start[user]);
}

/*
 * Return the inverse document frequency of a user, with items as documents and
 * users as terms: that of Lucene's ClassicSimilarity for tfidf; for bm25 that
 * of Lucene's BM25Similarity, which is above zero for every user.
 */
static double
inverse_frequency(int weighting, double nitems, double n_u)
{
	if (weighting == REC_WEIGHTING_TFIDF)
		return 1 + log((nitems + 1) / (n_u + 1));
	return log(1 + (nitems - n_u + 0.5) / (n_u + 0.5));
}

/*
 * Return the weight by bm25 (Robertson and Zaragoza 2009); length is that of
 * the item divided by the mean.
 */
static inline double
weigh_bm25(double x, double idf, double length, const RecOptions *options)
{
	double		k1 = options->bm25_k1;
	double		b = options->bm25_b;

	return idf * (x * (k1 + 1)) / (x + k1 * (1 - b + b * length));
}

static void
weigh_user(RecMatrix *matrix, const RecOptions *options, uint32 user,
		   double mean_length)
{
	double		idf = inverse_frequency(options->weighting, matrix->nitems,
										user_items(matrix, user));

	for (int64 p = matrix->user_start[user]; p < matrix->user_start[user + 1]; p++)
	{
		double	   *x = &matrix->user_weight[p];

		if (options->weighting == REC_WEIGHTING_LOG)
			*x = log1p(*x);
		else if (options->weighting == REC_WEIGHTING_TFIDF)
			*x = sqrt(*x) * idf;
		else
			*x = weigh_bm25(*x, idf, matrix->item_sum[matrix->user_item[p]] / mean_length,
							options);
	}
}

static void
weigh_all(RecMatrix *matrix, const RecOptions *options)
{
	double		total = 0;

	for (uint32 i = 0; i < matrix->nitems; i++)
		total += matrix->item_sum[i];
	for (uint32 u = 0; u < matrix->nusers; u++)
		weigh_user(matrix, options, u, total / matrix->nitems);
}

/* Return a rating less the mean; a difference that is only rounding is 0. */
static inline double
centred(double rating, double mean)
{
	double		rest = rating - mean;

	return fabs(rest) <= 1e-12 * fabs(mean) ? 0 : rest;
}

/* Subtract the mean of the item's ratings from each of them. */
static void
centre_by_item(RecMatrix *matrix)
{
	for (int64 p = 0; p < matrix->npairs; p++)
	{
		uint32		i = matrix->user_item[p];
		double		n = (double) (matrix->item_start[i + 1] - matrix->item_start[i]);

		matrix->user_weight[p] = centred(matrix->user_weight[p],
										 matrix->item_sum[i] / n);
	}
}

/* Subtract the mean of the user's ratings from each of them. */
static void
centre_by_user(RecMatrix *matrix)
{
	for (uint32 u = 0; u < matrix->nusers; u++)
	{
		int64		from = matrix->user_start[u];
		int64		to = matrix->user_start[u + 1];
		double		mean = 0;

		for (int64 p = from; p < to; p++)
			mean += matrix->user_weight[p];
		mean /= user_items(matrix, u);
		for (int64 p = from; p < to; p++)
			matrix->user_weight[p] = centred(matrix->user_weight[p], mean);
	}
}

/*
 * Return how the options' measure and weighting use weights: not at all, as
 * they are, or changed, which they may be even if all of them are 1.
 */
RecWeightUse
rec_weighting_use(const RecOptions *options)
{
	const RecMeasureTraits *measure = rec_options_measure_traits(options);

	if (measure->centring != REC_CENTRE_NONE)
		return REC_WEIGHTS_CHANGED;
	if (measure->counts_only || options->weighting == REC_WEIGHTING_BINARY)
		return REC_WEIGHTS_IGNORED;
	return options->weighting == REC_WEIGHTING_NONE ? REC_WEIGHTS_TAKEN :
		REC_WEIGHTS_CHANGED;
}

/*
 * Replace the weights in the rows by user by those that the measure uses.  The
 * sums of the items' weights and item_start are filled in already.
 */
void
rec_weighting_apply(RecMatrix *matrix, const RecOptions *options)
{
	RecCentring centring = rec_options_measure_traits(options)->centring;

	if (centring == REC_CENTRE_ITEM)
		centre_by_item(matrix);
	else if (centring == REC_CENTRE_USER)
		centre_by_user(matrix);
	else if (options->weighting != REC_WEIGHTING_NONE)
		weigh_all(matrix, options);
}
