/*-------------------------------------------------------------------------
 *
 * memory_budget.h
 *	  The limit of memory, and the most that was held.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/memory_budget.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_MEMORY_BUDGET_H
#define REC_MEMORY_BUDGET_H

#include "storage/shmem.h"		/* mul_size, which palloc.h declares since 2026
								 * only */

#define REC_DOUBLING	65536	/* arrays of more elements grow by an eighth */

/*
 * Return the new length of an array of "allocated" elements that shall hold
 * "wanted" ones.  A long array grows by a small part only, so that most of the
 * memory that is counted is in use.
 */
static inline int64
rec_memory_budget_room(int64 allocated, int64 wanted)
{
	while (allocated < wanted)
		allocated += allocated < REC_DOUBLING ? Max(allocated, 16) : allocated / 8;
	return allocated;
}

extern void rec_memory_budget_start(void);
extern void rec_memory_budget_check(MemoryContext mcxt, Size more);
extern void *rec_memory_budget_alloc_in(MemoryContext budget, MemoryContext mcxt, Size count,
								 Size width);
extern void *rec_memory_budget_alloc(MemoryContext mcxt, Size count, Size width);
extern bool rec_memory_budget_fits(MemoryContext mcxt, Size more);
extern void rec_memory_budget_count_shm(MemoryContext mcxt, Size size);
extern Size rec_memory_budget_peak(void);

#endif							/* REC_MEMORY_BUDGET_H */
