/*-------------------------------------------------------------------------
 *
 * catalog.c
 *	  A catalog of items that is wholly in memory.
 *
 * For what looks at many users or at items that are not stored: the same
 * selection as for a stored model, without a query.  Lists are sorted once
 * and then read from the front.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/catalog.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define SHORT_LIST		64		/* items of level 0; 16 times as many for each */

/* Falling order of the values, ties by number. */
static inline int
compare_values(const uint32 *a, const uint32 *b, const double *values)
{
	if (values[*a] != values[*b])
		return values[*a] > values[*b] ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

#define ST_SORT sort_by_value
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b, values) compare_values(a, b, values)
#define ST_COMPARE_ARG_TYPE const double
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static uint32 *
sorted_by(const RecMemoryCatalog *memory, const double *values)
{
	MemoryContext context = GetMemoryChunkContext(memory->ids);
	uint32	   *order = MemoryContextAllocHuge(context,
											   mul_size(Max(memory->nitems, 1), sizeof(uint32)));

	for (uint32 i = 0; i < memory->nitems; i++)
		order[i] = i;
	if (values)
		sort_by_value(order, memory->nitems, values);
	return order;
}

static void
add_item(const RecMemoryCatalog *memory, uint32 number, RecItemSet *set)
{
	RecScoredItem item = {0};

	item.item = number;
	item.ref = number;
	item.popularity = memory->popularity[number];
	item.trend = memory->trend ? memory->trend[number] : 0;
	item.eligible = !memory->barred[number];
	rec_item_set_add(set, &item);
}

static void
fetch_items(void *arg, const uint32 *items, int n, RecItemSet *set)
{
	const RecMemoryCatalog *memory = (RecMemoryCatalog *) arg;

	for (int i = 0; i < n; i++)
		if (items[i] < memory->nitems)
			add_item(memory, items[i], set);
}

/* Gives the order of a component, NULL for that of the numbers. */
static const uint32 *
list_order(RecMemoryCatalog *memory, RecComponent component)
{
	if (component == REC_POPULARITY)
	{
		if (memory->by_popularity == NULL)
			memory->by_popularity = sorted_by(memory, memory->popularity);
		return memory->by_popularity;
	}
	if (component == REC_TREND)
	{
		if (memory->by_trend == NULL)
			memory->by_trend = sorted_by(memory, memory->trend);
		return memory->by_trend;
	}
	return NULL;
}

static bool
list_items(void *arg, RecComponent component, int level, RecItemSet *set, double *last)
{
	RecMemoryCatalog *memory = (RecMemoryCatalog *) arg;
	const uint32 *order = list_order(memory, component);
	uint64		n = level < 4 ? (uint64) SHORT_LIST << (4 * level) : memory->nitems;
	uint32		number = 0;

	n = Min(n, memory->nitems);
	for (uint64 i = 0; i < n; i++)
	{
		number = order ? order[i] : (uint32) i;
		add_item(memory, number, set);
	}
	*last = 0;
	if (n > 0 && component == REC_POPULARITY)
		*last = memory->popularity[number];
	else if (n > 0 && component == REC_TREND && memory->trend)
		*last = memory->trend[number];
	return n == memory->nitems;
}

/* Gives items in memory as a catalog; they may change between selections. */
RecCatalog
rec_memory_catalog(RecMemoryCatalog *memory)
{
	RecCatalog	catalog = {fetch_items, list_items, memory};

	return catalog;
}
