/*-------------------------------------------------------------------------
 *
 * candidates.c
 *	  Items that signals have values for, and sums for each of them.
 *
 * A history of fifty items with a hundred neighbours each names five thousand
 * items, most of them several times.  Each gets a place, in the order in which
 * they come, and for each component an array of sums by place: what is added
 * up lies together, and a component without signals costs nothing.
 *
 * Popular items have low numbers and occur most often.  The places of the first
 * few thousand are found by an array, those of the rest by a hash table with
 * linear probing that is at most half full.  For many users one after the
 * other, the array is for all items.
 *
 * Knows numbers only.  Everything is allocated in the memory context that was
 * current when the candidates were made.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/candidates.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rank/candidates.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#define DIRECT_ITEMS	4096	/* found by an array when there is one user */
#define FIRST_BITS		11		/* of the number of slots */
#define FIRST_PLACES	1024

static void *
alloc(RecCandidates *candidates, Size count, Size width)
{
	return MemoryContextAllocHuge(GetMemoryChunkContext(candidates), mul_size(count, width));
}

/*
 * Make an empty set.  For many users one after the other, give the number of
 * items; for one user, 0.
 */
RecCandidates *
rec_candidates_create(uint32 nitems)
{
	RecCandidates *candidates = palloc0_object(RecCandidates);

	candidates->ndirect = nitems > 0 ? nitems : DIRECT_ITEMS;
	candidates->direct = alloc(candidates, candidates->ndirect, sizeof(int32));
	memset(candidates->direct, -1, (Size) candidates->ndirect * sizeof(int32));
	candidates->allocated = FIRST_PLACES;
	candidates->item = alloc(candidates, candidates->allocated, sizeof(uint32));
	return candidates;
}

/* Forget the candidates, in time proportional to their number. */
void
rec_candidates_reset(RecCandidates *candidates)
{
	for (int i = 0; i < candidates->n; i++)
		if (candidates->item[i] < candidates->ndirect)
			candidates->direct[candidates->item[i]] = -1;
	if (candidates->nfilled > 0)
		memset(candidates->slots, -1, (Size) candidates->nslots * sizeof(RecCandidateSlot));
	candidates->nfilled = 0;
	rec_candidates_clear_sums(candidates);
	if (candidates->barred)
		memset(candidates->barred, 0, Min(candidates->n, candidates->barred_allocated));
	candidates->n = 0;
}

/* ----------------
 *		places
 * ----------------
 */

/* Make room for more places; the sums of new places are zero. */
static void
make_room(RecCandidates *candidates, int more)
{
	int			wanted = candidates->allocated;

	if (more > PG_INT32_MAX / 2 - candidates->n)
		elog(ERROR, "too many candidates");
	while (wanted - candidates->n <= more)	/* one place is for scratch */
		wanted *= 2;
	if (wanted == candidates->allocated)
		return;
	candidates->item = repalloc_huge(candidates->item, mul_size(wanted, sizeof(uint32)));
	for (int c = 0; c < REC_NLISTED; c++)
	{
		if (candidates->sum[c] == NULL)
			continue;
		candidates->sum[c] = repalloc_huge(candidates->sum[c], mul_size(wanted, sizeof(double)));
		memset(candidates->sum[c] + candidates->allocated, 0,
			   (Size) (wanted - candidates->allocated) * sizeof(double));
	}
	candidates->allocated = wanted;
}

static inline uint32
first_slot(const RecCandidates *candidates, uint32 item)
{
	return item * 2654435769u >> (32 - candidates->bits);
}

/* Return the slot of an item, an empty one when it has none. */
static inline RecCandidateSlot *
find_slot(const RecCandidates *candidates, uint32 item)
{
	uint32		i = first_slot(candidates, item);

	while (candidates->slots[i].place >= 0 && candidates->slots[i].item != item)
		i = (i + 1) & (candidates->nslots - 1);
	return &candidates->slots[i];
}

/* Make the hash table, or a larger one. */
static void
grow_slots(RecCandidates *candidates, int bits)
{
	RecCandidateSlot *old = candidates->slots;
	uint32		nold = candidates->nslots;

	candidates->bits = bits;
	candidates->nslots = (uint32) 1 << candidates->bits;
	candidates->slots = alloc(candidates, candidates->nslots, sizeof(RecCandidateSlot));
	memset(candidates->slots, -1, (Size) candidates->nslots * sizeof(RecCandidateSlot));
	for (uint32 i = 0; i < nold; i++)
		if (old[i].place >= 0)
			*find_slot(candidates, old[i].item) = old[i];
	if (old)
		pfree(old);
}

static inline int32
next_place(RecCandidates *candidates, uint32 item)
{
	candidates->item[candidates->n] = item;
	return candidates->n++;
}

/* Return the place of an item beyond the array, a new one if it has none. */
static inline int32
locate_slot(RecCandidates *candidates, uint32 item)
{
	RecCandidateSlot *slot;

	if (candidates->nfilled >= candidates->nslots / 2)
		grow_slots(candidates, Max(candidates->bits + 1, FIRST_BITS));
	slot = find_slot(candidates, item);
	if (slot->place < 0)
	{
		slot->item = item;
		slot->place = next_place(candidates, item);
		candidates->nfilled++;
	}
	return slot->place;
}

#define MOST_EXPECTED	(1 << 16)

/* Size the array for that many items, if none has a place yet. */
static void
grow_direct(RecCandidates *candidates, uint32 nitems)
{
	if (candidates->n > 0 || nitems <= candidates->ndirect)
		return;
	candidates->direct = repalloc_huge(candidates->direct, mul_size(nitems, sizeof(int32)));
	memset(candidates->direct + candidates->ndirect, -1,
		   (Size) (nitems - candidates->ndirect) * sizeof(int32));
	candidates->ndirect = nitems;
}

/*
 * Make room for n entries to come, of nitems items, many of which occur more
 * than once, so that it need not grow in steps.  The array is made larger first:
 * a hash table would be as large as an array for two to four times as many
 * items, and the array needs no search.
 */
void
rec_candidates_expect(RecCandidates *candidates, int n, uint32 nitems)
{
	int			bits = FIRST_BITS;

	n = Min(n, MOST_EXPECTED);
	make_room(candidates, (int) Min((uint32) n / 2, nitems));
	if (nitems <= 4 * (uint32) n)
		grow_direct(candidates, nitems);
	if (nitems <= candidates->ndirect || candidates->slots || n <= (1 << FIRST_BITS))
		return;
	while (((uint32) 1 << bits) < (uint32) n)
		bits++;
	grow_slots(candidates, bits);
}

/* Make room for all items, 0 to nitems - 1. */
void
rec_candidates_expect_all(RecCandidates *candidates, uint32 nitems)
{
	make_room(candidates, (int) Min(nitems, PG_INT32_MAX / 2));
	grow_direct(candidates, nitems);
}

/*
 * Set the places of the first of n items, as long as they are in the array;
 * return how many these are.  Whether an item is new cannot be predicted, so
 * there is no branch on it: each is written behind the others, and stays there
 * only if it is new.
 */
static int
locate_directly(RecCandidates *candidates, const int32 *items, int n, int32 *places)
{
	int32	   *direct = candidates->direct;
	uint32	   *item = candidates->item;
	int32		count = candidates->n;
	int			i;

	for (i = 0; i < n && (uint32) items[i] < candidates->ndirect; i++)
	{
		int32		place = direct[items[i]];
		bool		is_new = place < 0;

		place = is_new ? count : place;
		direct[items[i]] = place;
		item[count] = (uint32) items[i];
		count += is_new;
		places[i] = place;
	}
	candidates->n = count;
	return i;
}

/* Set the places of n items that may be beyond the array. */
static int
locate_by_hash(RecCandidates *candidates, const int32 *items, int n, int32 *places)
{
	int			i;

	for (i = 0; i < n && (uint32) items[i] >= candidates->ndirect; i++)
		places[i] = locate_slot(candidates, (uint32) items[i]);
	return i;
}

/* Set the places of n items, new ones for those that have none yet. */
void
rec_candidates_locate(RecCandidates *candidates, const int32 *items, int n, int32 *places)
{
	make_room(candidates, n);
	for (int i = 0; i < n;)
	{
		i += locate_directly(candidates, items + i, n - i, places + i);
		i += locate_by_hash(candidates, items + i, n - i, places + i);
	}
}

/* Set the places of the items 0 to n - 1. */
void
rec_candidates_locate_all(RecCandidates *candidates, int n, int32 *places)
{
	for (int32 i = 0; i < n; i++)
		rec_candidates_locate(candidates, &i, 1, places + i);
}

/* Return the place of an item, -1 when it is not a candidate. */
int32
rec_candidates_find(const RecCandidates *candidates, uint32 item)
{
	if (item < candidates->ndirect)
		return candidates->direct[item];
	return candidates->slots ? find_slot(candidates, item)->place : -1;
}

/* Prevent an item, if it is a candidate, from being selected. */
void
rec_candidates_bar(RecCandidates *candidates, uint32 item)
{
	int32		place = rec_candidates_find(candidates, item);

	if (place < 0)
		return;
	if (place >= candidates->barred_allocated)
	{
		Size		size = candidates->allocated;

		candidates->barred = candidates->barred ? repalloc_huge(candidates->barred, size) :
			alloc(candidates, size, sizeof(bool));
		memset(candidates->barred + candidates->barred_allocated, 0,
			   size - candidates->barred_allocated);
		candidates->barred_allocated = candidates->allocated;
	}
	candidates->barred[place] = true;
}

/* ----------------
 *		sums
 * ----------------
 */

/* Return a component's sums by place, zero where nothing was added yet. */
double *
rec_candidates_sums(RecCandidates *candidates, RecComponent component)
{
	double	  **sums = &candidates->sum[component];

	if (*sums == NULL)
	{
		*sums = alloc(candidates, candidates->allocated, sizeof(double));
		memset(*sums, 0, (Size) candidates->allocated * sizeof(double));
	}
	return *sums;
}

/* Make all sums zero. */
void
rec_candidates_clear_sums(RecCandidates *candidates)
{
	for (int c = 0; c < REC_NLISTED; c++)
		if (candidates->sum[c])
			memset(candidates->sum[c], 0, (Size) candidates->n * sizeof(double));
}
