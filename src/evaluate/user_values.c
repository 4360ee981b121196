/*-------------------------------------------------------------------------
 *
 * user_values.c
 *	  The values of the users that were measured.
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

/* Makes an evaluation of no users yet; metrics and k are copied. */
RecEvaluation *
rec_user_values_create(MemoryContext context, int ncontestants,
					   const RecMetric **metrics, int nmetrics, const int *k, int nk)
{
	RecEvaluation *evaluation = MemoryContextAllocZero(context, sizeof(RecEvaluation));

	evaluation->context = context;
	evaluation->ncontestants = ncontestants;
	evaluation->nmetrics = nmetrics;
	evaluation->metrics = MemoryContextAlloc(context, (nmetrics + 1) * sizeof(RecMetric *));
	memcpy(evaluation->metrics, metrics, nmetrics * sizeof(RecMetric *));
	evaluation->nk = nk;
	evaluation->k = MemoryContextAlloc(context, (nk + 1) * sizeof(int));
	memcpy(evaluation->k, k, nk * sizeof(int));
	for (int i = 0; i < nk; i++)
		evaluation->largest_k = Max(evaluation->largest_k, k[i]);
	evaluation->nvalues = ncontestants * nmetrics * nk;
	return evaluation;
}

/* Gives how many segments are told apart, numbered from 0. */
int
rec_user_values_segments(const RecEvaluation *evaluation)
{
	return evaluation->segments ? evaluation->segments->count : 1;
}

/* Makes an array longer, within the budget. */
static void *
extend(const RecEvaluation *evaluation, void *array, int64 n, int64 wanted, Size width)
{
	if (array == NULL)
		return rec_memory_budget_alloc(evaluation->context, wanted, width);
	rec_memory_budget_check(evaluation->context, mul_size(wanted - n, width));
	return repalloc_huge(array, mul_size(wanted, width));
}

/* Adds a user without rows; gives its segments to fill. */
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

/* Adds a row of the last user; gives its values to fill. */
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

/* Notes whether a value of the last row is missing. */
void
rec_user_values_end_row(RecEvaluation *evaluation)
{
	int64		row = evaluation->nrows - 1;
	bool		complete = true;

	for (int i = 0; i < evaluation->nvalues; i++)
		complete &= !isnan(evaluation->values[row * evaluation->nvalues + i]);
	evaluation->complete[row] = complete;
}

/* Gives the mean of the first value over the users who have it, 0 for none. */
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
