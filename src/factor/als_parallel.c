/*-------------------------------------------------------------------------
 *
 * als_parallel.c
 *	  Training factors of users and items in many processes.
 *
 * The matrix and the factors are in dynamic shared memory.  All processes,
 * including the leader, go through the phases of als_step.c together: in each
 * phase they take blocks until none is left, then wait for each other at a
 * barrier, whose phase is the phase of the computation.  So a worker that
 * starts late joins the others in their phase.
 *
 * The leader computes alone when there is too little work, when
 * max_parallel_maintenance_workers or the memory budget do not allow workers,
 * within a parallel plan, and when no worker could be started.  Errors of a
 * worker are raised in the leader, which waits and checks for interrupts.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/factor/als_parallel.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "factor/als_parallel.h"
#include "interaction/matrix_shm.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "storage/barrier.h"
#include "utils/wait_event.h"

/* Multiplications that take several times as long as starting a process. */
#ifndef REC_PARALLEL_WORK
#define FACTORS_PARALLEL_WORK	1e8
#else
#define FACTORS_PARALLEL_WORK	REC_PARALLEL_WORK
#endif

/* Keys of the segment, in addition to those of the matrix. */
enum
{
	KEY_SHARED = 1,
	KEY_FIRST_ARRAY
};

typedef struct SharedFactors
{
	RecAlsShared als;
	Barrier		barrier;
} SharedFactors;

extern PGDLLEXPORT void rec_als_parallel_worker(dsm_segment *segment, shm_toc *toc);

/* ----------------
 *		a worker
 * ----------------
 */

static void
attach_arrays(RecAls *als, shm_toc *toc)
{
	for (int which = 0; which < REC_ALS_NARRAYS; which++)
		*rec_als_step_array(als, which) = shm_toc_lookup(toc, KEY_FIRST_ARRAY + which, false);
}

/*
 * Go through the phases, from "phase" on, together with the other processes.
 */
static void
run_phases(RecAls *als, Barrier *barrier, int phase, bool leader, RecStep step, void *arg)
{
	int			nphases = rec_als_step_phases(als->shared);

	for (; phase < nphases; phase++)
	{
		rec_als_step_run(als, phase, leader);
		(void) BarrierArriveAndWait(barrier, PG_WAIT_EXTENSION);
		if (step)
			step(arg, phase + 1, nphases);
	}
	(void) BarrierDetach(barrier);
}

/* Run a worker. */
void
rec_als_parallel_worker(dsm_segment *segment pg_attribute_unused(), shm_toc *toc)
{
	SharedFactors *shared = shm_toc_lookup(toc, KEY_SHARED, false);
	RecMatrix	matrix;
	RecAls		als = {.mcxt = CurrentMemoryContext, .matrix = &matrix, .shared = &shared->als};

	als.nfactors = shared->als.user_folds.nfactors;
	rec_matrix_shm_attach(&matrix, toc);
	attach_arrays(&als, toc);
	rec_als_step_prepare(&als, CurrentMemoryContext);
	run_phases(&als, &shared->barrier, BarrierAttach(&shared->barrier), false, NULL, NULL);
}

/* ----------------
 *		the leader
 * ----------------
 */

/*
 * Reserve room in the segment, if there is a parallel context yet; return the
 * bytes.
 */
static Size
estimate_segment(ParallelContext *pcxt, const RecAls *als)
{
	Size		total = add_size(rec_matrix_shm_estimate(pcxt, als->matrix),
								 sizeof(SharedFactors));

	if (pcxt)
	{
		shm_toc_estimate_chunk(&pcxt->estimator, sizeof(SharedFactors));
		shm_toc_estimate_keys(&pcxt->estimator, 1 + REC_ALS_NARRAYS);
	}
	for (int which = 0; which < REC_ALS_NARRAYS; which++)
	{
		Size		size = rec_als_step_array_size(als, which);

		total = add_size(total, size);
		if (pcxt)
			shm_toc_estimate_chunk(&pcxt->estimator, size);
	}
	return total;
}

/* Return how many workers are wanted, by work, memory and settings. */
static int
workers_wanted(const RecAls *als)
{
	double		work = rec_als_step_work(als);

	if (max_parallel_maintenance_workers == 0 || IsInParallelMode() || IsParallelWorker())
		return 0;
	if (!rec_memory_budget_fits(als->mcxt, estimate_segment(NULL, als)))
		return 0;
	return (int) Min(work / FACTORS_PARALLEL_WORK, max_parallel_maintenance_workers);
}

/*
 * Copy all arrays to the segment, and make the leader's view one of the
 * segment.
 */
static SharedFactors *
fill_segment(ParallelContext *pcxt, RecAls *als)
{
	SharedFactors *shared = shm_toc_allocate(pcxt->toc, sizeof(SharedFactors));

	shared->als = *als->shared;
	BarrierInit(&shared->barrier, 0);
	shm_toc_insert(pcxt->toc, KEY_SHARED, shared);
	rec_matrix_shm_copy(pcxt, als->matrix);
	als->shared = &shared->als;
	for (int which = 0; which < REC_ALS_NARRAYS; which++)
	{
		void	   *array = shm_toc_allocate(pcxt->toc, rec_als_step_array_size(als, which));

		*rec_als_step_array(als, which) = array;
		shm_toc_insert(pcxt->toc, KEY_FIRST_ARRAY + which, array);
	}
	return shared;
}

/*
 * Compute factors with parallel workers, and copy those of the items, and
 * their Gramian, to the given arrays.  Return false, and do nothing, when one
 * process should do it.
 */
bool
rec_als_parallel(RecAls *als, float4 *items, double *gram, RecStep step, void *arg)
{
	int			nworkers = workers_wanted(als);
	RecAls		together = *als;
	ParallelContext *pcxt;
	bool		started = false;

	if (nworkers <= 0)
		return false;
	EnterParallelMode();
	pcxt = CreateParallelContext("$libdir/recommender", "rec_als_parallel_worker", nworkers);
	(void) estimate_segment(pcxt, als);
	InitializeParallelDSM(pcxt);
	if (pcxt->seg != NULL)
	{
		SharedFactors *shared = fill_segment(pcxt, &together);

		rec_als_step_initialize(&together);
		(void) BarrierAttach(&shared->barrier);
		LaunchParallelWorkers(pcxt);
		started = pcxt->nworkers_launched > 0;
		if (started)
		{
			rec_als_step_prepare(&together, CurrentMemoryContext);
			run_phases(&together, &shared->barrier, 0, true, step, arg);
			WaitForParallelWorkersToFinish(pcxt);
			memcpy(items, together.items, rec_als_step_array_size(als, REC_ALS_ITEMS));
			memcpy(gram, together.gram, rec_als_step_array_size(als, REC_ALS_GRAM));
		}
	}
	DestroyParallelContext(pcxt);
	ExitParallelMode();
	return started;
}
