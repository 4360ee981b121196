/*-------------------------------------------------------------------------
 *
 * lists.c
 *	  Lists of neighbours of all items, and turning them round.
 *
 * Who chooses the sources of each target in turn needs all lists in memory
 * before it has those of the targets of a source.
 *
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/lists.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lists.h"
#include "miscadmin.h"
#include "sqlutil.h"
#include "utils/memutils.h"

static void *
alloc_lists(MemoryContext context, Size count, Size width)
{
	Size		size = mul_size(Max(count, 1), width);

	rec_memory_check(context, size);
	return MemoryContextAllocExtended(context, size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static RecLists *
create_lists(MemoryContext context, uint32 nitems, int64 neighbors)
{
	RecLists   *lists = MemoryContextAllocZero(context, sizeof(RecLists));

	lists->context = context;
	lists->nitems = nitems;
	lists->start = alloc_lists(context, (Size) nitems + 1, sizeof(int64));
	lists->neighbor = alloc_lists(context, neighbors, sizeof(RecNeighbor));
	lists->allocated = Max(neighbors, 1);
	return lists;
}

/* Makes empty lists of so many items in "context". */
RecLists *
rec_lists_create(MemoryContext context, uint32 nitems)
{
	return create_lists(context, nitems, 1024);
}

/* Adds the list of the next item. */
void
rec_lists_append(RecLists *lists, const RecNeighbor *neighbors, int n)
{
	int64		from = lists->start[lists->nlists];

	Assert(lists->nlists < lists->nitems);
	if (from + n > lists->allocated)
	{
		int64		wanted = Max(lists->allocated * 2, from + n);

		rec_memory_check(lists->context,
						 mul_size(wanted - lists->allocated, sizeof(RecNeighbor)));
		lists->neighbor = repalloc_huge(lists->neighbor,
										mul_size(wanted, sizeof(RecNeighbor)));
		lists->allocated = wanted;
	}
	memcpy(lists->neighbor + from, neighbors, n * sizeof(RecNeighbor));
	lists->start[++lists->nlists] = from + n;
}

/*
 * Turns complete lists of sources per target into lists of targets per
 * source, each in rising order of the targets.
 */
RecLists *
rec_lists_turn(const RecLists *lists)
{
	uint32		nitems = lists->nitems;
	int64		total = lists->start[nitems];
	RecLists   *turned = create_lists(lists->context, nitems, total);
	int64	   *next = alloc_lists(lists->context, nitems, sizeof(int64));

	Assert(lists->nlists == nitems);
	for (int64 p = 0; p < total; p++)
		turned->start[lists->neighbor[p].item + 1]++;
	for (uint32 i = 0; i < nitems; i++)
	{
		next[i] = turned->start[i];
		turned->start[i + 1] += turned->start[i];
	}
	for (uint32 target = 0; target < nitems; target++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int64 p = lists->start[target]; p < lists->start[target + 1]; p++)
		{
			RecNeighbor neighbor = lists->neighbor[p];
			int64		at = next[neighbor.item]++;

			neighbor.item = target;
			turned->neighbor[at] = neighbor;
		}
	}
	turned->nlists = nitems;
	pfree(next);
	return turned;
}
