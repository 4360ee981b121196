/*-------------------------------------------------------------------------
 *
 * memory_budget.c
 *	  How much memory may be taken, and how much has been.
 *
 * Whatever grows with the data is checked against maintenance_work_mem before
 * it is taken.  What counts is all that the operation holds: the contexts of
 * ours that enclose each other, whichever of them is about to grow, and shared
 * memory that was taken for parallel workers.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/memory_budget.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/memnodes.h"
#include "pg/memory_budget.h"
#include "utils/memutils.h"

#define OUR_CONTEXTS	"recommender "	/* how their names begin */
#define MEGABYTE		(1024 * 1024)

/* Shared memory that is held until a context goes. */
typedef struct SharedMemory
{
	MemoryContextCallback callback;
	Size		size;
} SharedMemory;

static Size shared_memory = 0;	/* held now */
static Size peak = 0;			/* most that was asked for since the start */

static bool
is_ours(MemoryContext mcxt)
{
	return strncmp(mcxt->name, OUR_CONTEXTS, strlen(OUR_CONTEXTS)) == 0;
}

/* Gives what there will be with "more" bytes on top of what is held. */
static Size
memory_with(MemoryContext mcxt, Size more)
{
	while (mcxt->parent && is_ours(mcxt->parent))
		mcxt = mcxt->parent;
	return MemoryContextMemAllocated(mcxt, true) + shared_memory + more;
}

static Size
memory_limit(void)
{
	return (Size) maintenance_work_mem * 1024;
}

/* Begins to look for the peak. */
void
rec_memory_budget_start(void)
{
	peak = 0;
}

/* Gives the most that was held at a check since the start. */
Size
rec_memory_budget_peak(void)
{
	return peak;
}

/*
 * Refuses to go beyond maintenance_work_mem: "more" bytes are about to be
 * taken in "context".
 */
void
rec_memory_budget_check(MemoryContext mcxt, Size more)
{
	Size		limit = memory_limit();
	Size		need = memory_with(mcxt, more);

	peak = Max(peak, need);
	if (need > limit)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("the data do not fit into maintenance_work_mem"),
				 errdetail("At least %zu MB are needed, the limit is %zu MB.",
						   need / MEGABYTE + 1, limit / MEGABYTE),
				 errhint("Set maintenance_work_mem to at least \"%zuMB\" for this session.",
						 (need + need / 2) / MEGABYTE + 1)));
}

/*
 * Gives an array of zeroes in "context", within that limit for "budget", a
 * context whose memory that of the array is a part of.  It has room for one
 * element at least.
 */
void *
rec_memory_budget_alloc_in(MemoryContext budget, MemoryContext mcxt, Size count, Size width)
{
	Size		size = mul_size(Max(count, 1), width);

	rec_memory_budget_check(budget, size);
	return MemoryContextAllocExtended(mcxt, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* The same where they are one. */
void *
rec_memory_budget_alloc(MemoryContext mcxt, Size count, Size width)
{
	return rec_memory_budget_alloc_in(mcxt, mcxt, count, width);
}

/* True when "more" bytes could be taken in "context". */
bool
rec_memory_budget_fits(MemoryContext mcxt, Size more)
{
	return memory_with(mcxt, more) <= memory_limit();
}

static void
forget_shared(void *arg)
{
	shared_memory -= ((SharedMemory *) arg)->size;
}

/* Counts so many bytes of shared memory as held until the context goes. */
void
rec_memory_budget_count_shm(MemoryContext mcxt, Size size)
{
	SharedMemory *shared = MemoryContextAlloc(mcxt, sizeof(SharedMemory));

	shared->size = size;
	shared->callback.func = forget_shared;
	shared->callback.arg = shared;
	MemoryContextRegisterResetCallback(mcxt, &shared->callback);
	shared_memory += size;
	rec_memory_budget_check(mcxt, 0);
}
