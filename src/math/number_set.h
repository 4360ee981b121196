/*-------------------------------------------------------------------------
 *
 * number_set.h
 *	  A set of numbers, returned in rising order without a sort.
 *
 * There is a bit for each number, and one for each word of these bits, so that
 * a few of many possible numbers are found by reading one bit of 64 * 64.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/number_set.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_NUMBER_SET_H
#define REC_NUMBER_SET_H

#include "port/pg_bitutils.h"

typedef struct RecNumberSet
{
	uint32		nwords;
	uint64	   *word;			/* a bit for each number ... */
	uint64	   *used;			/* ... and for each word that is not zero */
} RecNumberSet;

static inline void
rec_number_set_add(RecNumberSet *set, uint32 number)
{
	uint32		word = number / 64;

	set->word[word] |= UINT64CONST(1) << number % 64;
	set->used[word / 64] |= UINT64CONST(1) << word % 64;
}

/* List the numbers in rising order and empty the set; return their count. */
static inline uint32
rec_number_set_take(RecNumberSet *set, uint32 *number)
{
	uint32		n = 0;

	for (uint32 u = 0; u < (set->nwords + 63) / 64; u++)
		for (; set->used[u]; set->used[u] &= set->used[u] - 1)
		{
			uint32		w = u * 64 + pg_rightmost_one_pos64(set->used[u]);

			for (; set->word[w]; set->word[w] &= set->word[w] - 1)
				number[n++] = w * 64 + pg_rightmost_one_pos64(set->word[w]);
		}
	return n;
}

extern RecNumberSet rec_number_set_create(MemoryContext mcxt, MemoryContext budget, uint32 n);

#endif							/* REC_NUMBER_SET_H */
