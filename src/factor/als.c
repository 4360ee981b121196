/*-------------------------------------------------------------------------
 *
 * als.c
 *	  Training factors of users and items by alternating least squares.
 *
 * Find the factors that minimise, over all users u and items i,
 *
 *	  sum over observed pairs of c_ui (p_ui - w_u'h_i)^2
 *	  + unobserved * sum over all pairs of (w_u'h_i)^2
 *	  + regularization * (sum over u of (n_u + unobserved * items)^exponent |w_u|^2
 *	  					  + the same over i),
 *
 * starting from small random factors of the items: in turn, those of all users
 * are computed exactly from the items' (see folding.c), and those of the items
 * from the users'.  No step makes the sum larger (Hu, Koren, Volinsky 2008;
 * the penalty of a row grows with its interactions, as in Rendle, Krichene,
 * Zhang, Koren 2022).
 *
 * als_step.c has the steps; als_parallel.c runs them in many processes.
 *
 * Knows numbers only: no Datum, no SPI.  Working memory is a child of the
 * current context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/factor/als.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "factor/als.h"
#include "factor/als_parallel.h"
#include "miscadmin.h"
#include "options/options.h"
#include "pg/memory_budget.h"
#include "pg/relation.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define MOST_PARTS			32	/* of the sum that is the Gramian */

/*
 * Return the scale of weights that makes the mean confidence of all pairs 1.
 */
static double
weight_scale(const RecMatrix *matrix)
{
	double		sum = 0;

	if (matrix->user_weight == NULL || matrix->npairs == 0)
		return 1;
	for (int64 p = 0; p < matrix->npairs; p++)
		sum += fabs(matrix->user_weight[p]);
	if (isinf(sum))
		float_overflow_error();
	return sum > 0 ? matrix->npairs / sum : 1;
}

/*
 * Return the weight of a pair in the sum over all pairs.  The weights of all
 * pairs together are als_unobserved times those of the observed pairs, whose
 * mean confidence is 1.
 */
static double
unobserved_weight(const RecMatrix *matrix, const RecOptions *options)
{
	double		pairs = (double) matrix->nusers * matrix->nitems;

	return pairs > 0 ? options->als_unobserved * matrix->npairs / pairs : 0;
}

static RecAlsShared *
make_shared(const RecMatrix *matrix, const RecOptions *options)
{
	RecAlsShared *shared = palloc0_object(RecAlsShared);
	RecFolds   *folds = &shared->user_folds;
	uint32		rows = Max(matrix->nusers, matrix->nitems);

	folds->nfactors = options->als_factors;
	folds->unobserved = unobserved_weight(matrix, options);
	folds->regularization = options->als_regularization;
	folds->exponent = options->als_exponent;
	folds->scale = weight_scale(matrix);
	folds->ncolumns = matrix->nitems;
	shared->item_folds = *folds;
	shared->item_folds.ncolumns = matrix->nusers;
	shared->iterations = options->als_iterations;
	shared->seed = (uint64) options->als_seed;
	/* at most as much memory as the factors themselves take */
	shared->nparts = (int) Min(rows / (4 * (uint32) folds->nfactors) + 1, MOST_PARTS);
	for (int work = 0; work < REC_ALS_NWORKS; work++)
		pg_atomic_init_u32(&shared->next[work], 0);
	return shared;
}

static void *
alloc_array(MemoryContext mcxt, const RecAls *als, RecAlsArray which)
{
	Size		size = Max(rec_als_step_array_size(als, which), 1);

	rec_memory_budget_check(als->mcxt, size);
	return MemoryContextAllocHuge(mcxt, size);
}

/*
 * Compute all steps in one process; als->items and als->gram are allocated
 * already.
 */
static void
run_alone(RecAls *als, MemoryContext mcxt, RecStep step, void *arg)
{
	int			nphases = rec_als_step_phases(als->shared);

	als->users = alloc_array(mcxt, als, REC_ALS_USERS);
	als->parts = alloc_array(mcxt, als, REC_ALS_PARTS);
	als->vectors = alloc_array(mcxt, als, REC_ALS_VECTORS);
	rec_als_step_prepare(als, mcxt);
	rec_als_step_initialize(als);
	for (int phase = 0; phase < nphases; phase++)
	{
		rec_als_step_run(als, phase, true);
		if (step)
			step(arg, phase + 1, nphases);
	}
}

/*
 * Factorise a matrix by the options als_*.  Return nitems rows of als_factors
 * numbers in the current context, rotated so that their Gramian is diagonal.
 * With "parallel", other processes may take part, which does not change a bit.
 * "step", unless NULL, is called after each phase.  An ERROR when
 * maintenance_work_mem is too small.
 */
RecFactors *
rec_als_train(const RecMatrix *matrix, const RecOptions *options, bool parallel,
			  RecStep step, void *arg)
{
	RecFactors *factors = palloc0_object(RecFactors);
	MemoryContext result = CurrentMemoryContext;
	MemoryContext mcxt = AllocSetContextCreate(result, "recommender factors",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	RecAls		als = {.mcxt = result, .matrix = matrix, .nfactors = options->als_factors};

	als.shared = make_shared(matrix, options);
	als.items = alloc_array(result, &als, REC_ALS_ITEMS);
	als.gram = alloc_array(result, &als, REC_ALS_GRAM);
	if (!parallel || !rec_als_parallel(&als, als.items, als.gram, step, arg))
		run_alone(&als, mcxt, step, arg);
	factors->nitems = matrix->nitems;
	factors->items = als.items;
	factors->folds = als.shared->user_folds;
	factors->folds.gram = als.gram;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(mcxt);
	return factors;
}
