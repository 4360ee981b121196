/*-------------------------------------------------------------------------
 *
 * user_values.c
 *	  Values of the metrics of each evaluated user.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/user_values.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "evaluate/user_values.h"
#include "pg/memory_budget.h"

/* Return an evaluation without users; metrics and k are copied. */
RecEvaluation *
rec_user_values_create(MemoryContext mcxt, int ncontestants,
					   const RecMetric **metrics, int nmetrics, const int *k, int nk)
{
	RecEvaluation *evaluation = MemoryContextAllocZero(mcxt, sizeof(RecEvaluation));

	evaluation->mcxt = mcxt;
	evaluation->ncontestants = ncontestants;
	evaluation->nmetrics = nmetrics;
	evaluation->metrics = MemoryContextAlloc(mcxt, (nmetrics + 1) * sizeof(RecMetric *));
	memcpy(evaluation->metrics, metrics, nmetrics * sizeof(RecMetric *));
	evaluation->nk = nk;
	evaluation->k = MemoryContextAlloc(mcxt, (nk + 1) * sizeof(int));
	memcpy(evaluation->k, k, nk * sizeof(int));
	for (int i = 0; i < nk; i++)
		evaluation->largest_k = Max(evaluation->largest_k, k[i]);
	evaluation->nvalues = ncontestants * nmetrics * nk;
	return evaluation;
}

/* Return the number of segments. */
int
rec_user_values_segments(const RecEvaluation *evaluation)
{
	return evaluation->segments ? evaluation->segments->count : 1;
}

/* Return an array enlarged from n to "wanted" elements, within the memory budget. */
static void *
extend(const RecEvaluation *evaluation, void *array, int64 n, int64 wanted, Size width)
{
	if (array == NULL)
		return rec_memory_budget_alloc(evaluation->mcxt, wanted, width);
	rec_memory_budget_check(evaluation->mcxt, mul_size(wanted - n, width));
	return repalloc_huge(array, mul_size(wanted, width));
}

/* Add a user without rows; return its segments, to be set by the caller. */
int *
rec_user_values_add_user(RecEvaluation *evaluation, uint32 user)
{
	int64		n = evaluation->nusers++;

	if (n == evaluation->users_allocated)
	{
		int64		wanted = Max(1024, n * 2);

		evaluation->user = extend(evaluation, evaluation->user, n, wanted, sizeof(uint32));
		evaluation->first_row = extend(evaluation, evaluation->first_row, n, wanted,
									   sizeof(int64));
		evaluation->user_segments = extend(evaluation, evaluation->user_segments, n, wanted,
										   evaluation->nuser_segments * sizeof(int));
		evaluation->users_allocated = wanted;
	}
	evaluation->user[n] = user;
	evaluation->first_row[n] = evaluation->nrows;
	return evaluation->user_segments + n * evaluation->nuser_segments;
}

/* Add a row of the last user; return its values, to be set by the caller. */
double *
rec_user_values_add_row(RecEvaluation *evaluation, int segment)
{
	int64		n = evaluation->nrows++;

	if (n == evaluation->rows_allocated)
	{
		int64		wanted = Max(1024, n * 2);

		evaluation->segment = extend(evaluation, evaluation->segment, n, wanted, sizeof(int));
		evaluation->complete = extend(evaluation, evaluation->complete, n, wanted, sizeof(bool));
		evaluation->values = extend(evaluation, evaluation->values, n, wanted,
									evaluation->nvalues * sizeof(double));
		evaluation->rows_allocated = wanted;
	}
	evaluation->segment[n] = segment;
	return evaluation->values + n * evaluation->nvalues;
}

/* Record whether the last row is complete. */
void
rec_user_values_end_row(RecEvaluation *evaluation)
{
	int64		row = evaluation->nrows - 1;
	bool		complete = true;

	for (int i = 0; i < evaluation->nvalues; i++)
		complete &= !isnan(evaluation->values[row * evaluation->nvalues + i]);
	evaluation->complete[row] = complete;
}

/* Return the mean of the first value over the users who have it, 0 without users. */
double
rec_user_values_mean(const RecEvaluation *evaluation)
{
	double		sum = 0;
	int64		n = 0;

	for (int64 u = 0; u < evaluation->nusers; u++)
	{
		double		value = evaluation->values[evaluation->first_row[u] * evaluation->nvalues];

		if (isnan(value))
			continue;
		sum += value;
		n++;
	}
	return n > 0 ? sum / (double) n : 0;
}
