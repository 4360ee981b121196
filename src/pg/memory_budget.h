/*-------------------------------------------------------------------------
 *
 * memory_budget.h
 *	  How much memory may be taken, and how much has been.
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

#include "storage/shmem.h"		/* mul_size, of which palloc.h knows since 2026 only */

#define REC_DOUBLING	65536	/* from here on arrays grow by an eighth */

/*
 * Gives the length that an array of so many elements shall have so that it
 * holds as many as are wanted: what is counted as memory of a long one is
 * about what is used.
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
