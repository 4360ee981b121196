/*-------------------------------------------------------------------------
 *
 * moments.c
 *	  Means and sums of products of several measures, row by row.
 *
 * The update is Welford's, the merge that of Chan, Golub and LeVeque 1983, so
 * that large means do not eat small variances.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/moments.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "experiment/moments.h"
#include "libpq/pqformat.h"

/* Add a row. */
void
rec_moments_add(RecMomentSums *sums, const double *value)
{
	double		deviation[REC_MOMENTS_MOST];
	double		factor;

	sums->n++;
	factor = (double) (sums->n - 1) / sums->n;
	for (int i = 0; i < sums->count; i++)
	{
		deviation[i] = value[i] - sums->mean[i];
		sums->mean[i] += deviation[i] / sums->n;
	}
	for (int i = 0; i < sums->count; i++)
	{
		for (int j = 0; j <= i; j++)
			sums->product[i][j] += deviation[i] * deviation[j] * factor;
	}
}

/* Add the rows of another, which has as many measures. */
void
rec_moments_merge(RecMomentSums *sums, const RecMomentSums *other)
{
	double		both = (double) sums->n + other->n;

	if (other->n == 0)
		return;
	if (sums->n == 0)
	{
		*sums = *other;
		return;
	}
	for (int i = 0; i < sums->count; i++)
	{
		for (int j = 0; j <= i; j++)
			sums->product[i][j] += other->product[i][j]
				+ (other->mean[i] - sums->mean[i]) * (other->mean[j] - sums->mean[j])
				* sums->n / both * other->n;
	}
	for (int i = 0; i < sums->count; i++)
		sums->mean[i] += (other->mean[i] - sums->mean[i]) * other->n / both;
	sums->n += other->n;
}

/* Return a sample covariance, of at least two rows. */
double
rec_moments_covariance(const RecMomentSums *sums, int i, int j)
{
	return sums->product[Max(i, j)][Min(i, j)] / (sums->n - 1);
}

/* Write the sums; rec_moments_receive() reads them. */
void
rec_moments_send(const RecMomentSums *sums, StringInfo buffer)
{
	pq_sendint32(buffer, sums->count);
	pq_sendint64(buffer, sums->n);
	for (int i = 0; i < sums->count; i++)
	{
		pq_sendfloat8(buffer, sums->mean[i]);
		for (int j = 0; j <= i; j++)
			pq_sendfloat8(buffer, sums->product[i][j]);
	}
}

static void
refuse(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("serialized state of an aggregate is not valid")));
}

static double
receive_number(StringInfo buffer)
{
	double		value = pq_getmsgfloat8(buffer);

	if (isnan(value))
		refuse();
	return value;
}

/* Read sums that may be any bytes. */
void
rec_moments_receive(RecMomentSums *sums, StringInfo buffer)
{
	memset(sums, 0, sizeof(RecMomentSums));
	sums->count = pq_getmsgint(buffer, 4);
	sums->n = pq_getmsgint64(buffer);
	if (sums->count < 0 || sums->count > REC_MOMENTS_MOST || sums->n < 0 || (sums->n > 0 && sums->count == 0))
		refuse();
	for (int i = 0; i < sums->count; i++)
	{
		sums->mean[i] = receive_number(buffer);
		for (int j = 0; j <= i; j++)
			sums->product[i][j] = receive_number(buffer);
	}
}
