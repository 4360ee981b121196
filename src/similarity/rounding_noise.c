/*-------------------------------------------------------------------------
 *
 * rounding_noise.c
 *	  Leaving out similarities that are rounding errors.
 *
 * The measures of ratings add up products of ratings less their mean, of both
 * signs.  Where the sum is 0 in exact arithmetic, rounding leaves about as much
 * of it as the means had digits: with x_ui = r_ui - m_i, the error of x_ui is
 * some units in the last place of m_i, so that the similarity of i and j is
 * known up to
 *
 *	  e * (1 + |sum of r_ui| / |x_i| + |sum of r_uj| / |x_j|),
 *
 * |x_i| being the norm of the item.  What is not above that with e = 2^-48,
 * sixteen times the unit in the last place, is no similarity.  Other measures
 * add numbers of one sign and have no such error.
 *
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/rounding_noise.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "pg/memory_budget.h"
#include "similarity/rounding_noise.h"

#define ERROR_UNIT		(1.0 / (INT64CONST(1) << 48))

struct RecRoundingNoise
{
	double	   *error;			/* of each item, by units of ERROR_UNIT */
	RecNeighbor *kept;			/* of the row at hand */
	RecRowSink	sink;
	void	   *arg;
};

/*
 * Make a filter before a sink of rows of at most "neighbors" neighbours, for a
 * matrix of centred ratings, whose lists are not needed afterwards.
 */
RecRoundingNoise *
rec_rounding_noise_create(MemoryContext mcxt, const RecMatrix *matrix, int neighbors,
						  RecRowSink sink, void *arg)
{
	RecRoundingNoise *noise = MemoryContextAllocZero(mcxt, sizeof(RecRoundingNoise));

	noise->sink = sink;
	noise->arg = arg;
	noise->kept = rec_memory_budget_alloc(mcxt, Min(neighbors, matrix->nitems), sizeof(RecNeighbor));
	noise->error = rec_memory_budget_alloc(mcxt, matrix->nitems, sizeof(double));
	for (int64 p = 0; matrix->user_weight && p < matrix->npairs; p++)
		noise->error[matrix->user_item[p]] += matrix->user_weight[p] * matrix->user_weight[p];
	for (uint32 i = 0; i < matrix->nitems; i++)
		noise->error[i] = noise->error[i] > 0 ? fabs(matrix->item_sum[i]) / sqrt(noise->error[i]) : 0;
	return noise;
}

/* Hand a row of neighbours on to the sink without those that are noise. */
void
rec_rounding_noise_take(void *arg, uint32 item, const RecNeighbor *row, int n)
{
	RecRoundingNoise *noise = (RecRoundingNoise *) arg;
	int			kept = 0;

	for (int i = 0; i < n; i++)
	{
		noise->kept[kept] = row[i];
		kept += row[i].similarity > ERROR_UNIT * (1 + noise->error[item] + noise->error[row[i].item]);
	}
	noise->sink(noise->arg, item, noise->kept, kept);
}
