/*-------------------------------------------------------------------------
 *
 * memory_budget.c
 *	  The limit of memory, and the most that was held.
 *
 * Memory that grows with the data is checked against maintenance_work_mem
 * before it is allocated.  The sum includes everything that the operation
 * holds: the nested memory contexts of this extension, whichever of them is
 * about to grow, and shared memory that was allocated for parallel workers.
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

#define OUR_CONTEXTS	"recommender "	/* prefix of our contexts' names */
#define MEGABYTE		(1024 * 1024)

/* Shared memory that is held until a memory context is reset. */
typedef struct SharedMemory
{
	MemoryContextCallback callback;
	Size		size;
} SharedMemory;

static Size shared_memory = 0;	/* held now */
static Size peak = 0;			/* largest sum that was checked since the start */

static bool
is_ours(MemoryContext mcxt)
{
	return strncmp(mcxt->name, OUR_CONTEXTS, strlen(OUR_CONTEXTS)) == 0;
}

/* Return the bytes that are held, with "more" bytes added. */
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

/* Begin to measure the peak. */
void
rec_memory_budget_start(void)
{
	peak = 0;
}

/* Return the largest sum that was held at a check since the start. */
Size
rec_memory_budget_peak(void)
{
	return peak;
}

/*
 * Raise an error when "more" bytes in "mcxt" would exceed
 * maintenance_work_mem.
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
 * Return an array of zeroes in "mcxt", checked against the limit for "budget",
 * a memory context that contains "mcxt".  It has room for at least one
 * element.
 */
void *
rec_memory_budget_alloc_in(MemoryContext budget, MemoryContext mcxt, Size count, Size width)
{
	Size		size = mul_size(Max(count, 1), width);

	rec_memory_budget_check(budget, size);
	return MemoryContextAllocExtended(mcxt, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Return an array of zeroes in "mcxt", checked against the limit. */
void *
rec_memory_budget_alloc(MemoryContext mcxt, Size count, Size width)
{
	return rec_memory_budget_alloc_in(mcxt, mcxt, count, width);
}

/* Return true when "more" bytes can be allocated in "mcxt". */
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

/*
 * Count so many bytes of shared memory as held until the memory context is
 * reset.
 */
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
