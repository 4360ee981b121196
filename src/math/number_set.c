/*-------------------------------------------------------------------------
 *
 * number_set.c
 *	  A set of numbers, returned in rising order without a sort.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/number_set.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "math/number_set.h"
#include "pg/memory_budget.h"

/*
 * Return an empty set of numbers below n, in "mcxt"; its memory is checked
 * against the limit for "budget".
 */
RecNumberSet
rec_number_set_create(MemoryContext mcxt, MemoryContext budget, uint32 n)
{
	RecNumberSet set;

	set.nwords = n / 64 + 1;
	set.word = rec_memory_budget_alloc_in(budget, mcxt, set.nwords, sizeof(uint64));
	set.used = rec_memory_budget_alloc_in(budget, mcxt, set.nwords / 64 + 1, sizeof(uint64));
	return set;
}
