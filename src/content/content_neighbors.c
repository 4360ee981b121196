/*-------------------------------------------------------------------------
 *
 * content_neighbors.c
 *	  The most similar items of each item by content.
 *
 * An item's list has its best "neighbors" (content_similarity.c), followed by at
 * most as many again: the items that have it among their own best.  Without
 * these, an item that is on no list could not be reached from any other.  Ties
 * go to the smaller number.
 *
 * Numbers only: no Datum, no SPI.  Results are in the current memory context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/content_neighbors.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "content/content_neighbors.h"
#include "content/content_similarity.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "utils/memutils.h"

static RecContentLists *
create_lists(MemoryContext budget, uint32 nitems, int64 n)
{
	RecContentLists *lists = palloc0_object(RecContentLists);
	Size		entries = mul_size(Max(n, 1), sizeof(int32));

	rec_memory_budget_check(budget, mul_size((Size) nitems + 1, sizeof(int64)) + 2 * entries);
	lists->nitems = nitems;
	lists->start = MemoryContextAllocExtended(CurrentMemoryContext,
											  mul_size((Size) nitems + 1, sizeof(int64)),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	lists->item = MemoryContextAllocHuge(CurrentMemoryContext, entries);
	lists->value = MemoryContextAllocHuge(CurrentMemoryContext, entries);
	return lists;
}

static void
free_lists(RecContentLists *lists)
{
	pfree(lists->start);
	pfree(lists->item);
	pfree(lists->value);
	pfree(lists);
}

/* Compute each item's own best neighbours. */
static RecContentLists *
best_of_each(RecContent *content, int neighbors, MemoryContext budget,
			 RecStep step, void *arg)
{
	RecContentRows *rows = rec_content_similarity_begin(content, neighbors, budget);
	int64		allocated = 1024;
	RecContentLists *lists = create_lists(budget, content->nitems, allocated);
	int64		n = 0;

	for (uint32 row = 0; row < content->nitems; row++)
	{
		const RecTopk *topk = rec_content_similarity_row(rows, row);

		CHECK_FOR_INTERRUPTS();
		if (n + topk->n > allocated)
		{
			int64		more = Max(allocated, topk->n);

			rec_memory_budget_check(budget, mul_size(more, 2 * sizeof(int32)));
			allocated += more;
			lists->item = repalloc_huge(lists->item, mul_size(allocated, sizeof(int32)));
			lists->value = repalloc_huge(lists->value, mul_size(allocated, sizeof(float4)));
		}
		for (int i = 0; i < topk->n; i++)
		{
			lists->item[n] = (int32) topk->best[i].item;
			lists->value[n++] = (float4) topk->best[i].similarity;
		}
		lists->start[row + 1] = n;
		if (step)
			step(arg, row + 1, content->nitems);
	}
	rec_content_similarity_end(rows);
	return lists;
}

/*
 * Return, for each item, the items whose lists contain it, in rising order.
 */
static RecContentLists *
turn_round(const RecContentLists *lists, MemoryContext budget)
{
	int64		n = lists->start[lists->nitems];
	RecContentLists *turned = create_lists(budget, lists->nitems, n);
	int64	   *start = turned->start;

	for (int64 e = 0; e < n; e++)
		start[lists->item[e] + 1]++;
	for (uint32 i = 0; i < lists->nitems; i++)
		start[i + 1] += start[i];
	for (uint32 i = 0; i < lists->nitems; i++)
	{
		for (int64 e = lists->start[i]; e < lists->start[i + 1]; e++)
		{
			int64		to = start[lists->item[e]]++;

			turned->item[to] = (int32) i;
			turned->value[to] = lists->value[e];
		}
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	/* each offset has become that of the next item */
	memmove(start + 1, start, lists->nitems * sizeof(int64));
	start[0] = 0;
	return turned;
}

typedef struct Addition
{
	float4		value;
	int32		item;
} Addition;

static inline int
compare_additions(const Addition *a, const Addition *b)
{
	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	return a->item < b->item ? -1 : a->item > b->item;
}

#define ST_SORT sort_additions
#define ST_ELEMENT_TYPE Addition
#define ST_COMPARE(a, b) compare_additions(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Return the best of the items whose lists contain an item and which are not
 * on its own list. "seen" marks the latter by the item's number plus 1.
 */
static int
additions_of(const RecContentLists *lists, const RecContentLists *turned, uint32 item,
			 int neighbors, uint32 *seen, Addition *additions)
{
	int			n = 0;

	for (int64 e = lists->start[item]; e < lists->start[item + 1]; e++)
		seen[lists->item[e]] = item + 1;
	for (int64 e = turned->start[item]; e < turned->start[item + 1]; e++)
	{
		if (seen[turned->item[e]] == item + 1)
			continue;
		additions[n].item = turned->item[e];
		additions[n++].value = turned->value[e];
	}
	sort_additions(additions, n);
	return Min(n, neighbors);
}

/* Add to each list the best of the items whose lists contain its item. */
static RecContentLists *
complete_lists(RecContentLists *lists, const RecContentLists *turned, int neighbors,
			   MemoryContext budget)
{
	uint32		nitems = lists->nitems;
	RecContentLists *complete = create_lists(budget, nitems, 2 * lists->start[nitems]);
	uint32	   *seen = rec_memory_budget_alloc_in(budget, CurrentMemoryContext, (Size) nitems + 1, sizeof(uint32));
	Addition   *additions = rec_memory_budget_alloc_in(budget, CurrentMemoryContext, (Size) nitems + 1, sizeof(Addition));
	int64		n = 0;

	for (uint32 i = 0; i < nitems; i++)
	{
		int64		own = lists->start[i + 1] - lists->start[i];
		int			more = additions_of(lists, turned, i, neighbors, seen, additions);

		memcpy(complete->item + n, lists->item + lists->start[i], own * sizeof(int32));
		memcpy(complete->value + n, lists->value + lists->start[i], own * sizeof(float4));
		n += own;
		for (int a = 0; a < more; a++)
		{
			complete->item[n] = additions[a].item;
			complete->value[n++] = additions[a].value;
		}
		complete->start[i + 1] = n;
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	pfree(seen);
	pfree(additions);
	return complete;
}

/*
 * Return the neighbours of each item by the cosine of their vectors, in the
 * current memory context. The memory of "budget" may not exceed
 * maintenance_work_mem. "step", unless NULL, is called with the number of
 * items computed.
 */
RecContentLists *
rec_content_neighbors(RecContent *content, int neighbors, MemoryContext budget,
					  RecStep step, void *arg)
{
	RecContentLists *lists = best_of_each(content, neighbors, budget, step, arg);
	RecContentLists *turned = turn_round(lists, budget);
	RecContentLists *complete = complete_lists(lists, turned, neighbors, budget);

	free_lists(lists);
	free_lists(turned);
	return complete;
}
