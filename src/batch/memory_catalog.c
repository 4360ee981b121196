/*-------------------------------------------------------------------------
 *
 * memory_catalog.c
 *	  A catalog of items that is entirely in memory.
 *
 * For batches and for items that are not stored: the same selection as for a
 * stored model, without queries.  Lists are sorted once and then read from the
 * front.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/memory_catalog.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "batch/memory_catalog.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#define SHORT_LIST		64		/* items of level 0; each further level has 16
								 * times as many */

/* Order by falling value, ties by number. */
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

/* Return how many items the lists have. */
static uint32
list_length(const RecMemoryCatalog *memory)
{
	return memory->listed ? memory->nlisted : memory->nitems;
}

static uint32 *
alloc_order(const RecMemoryCatalog *memory)
{
	return MemoryContextAllocHuge(GetMemoryChunkContext(memory->ids),
								  mul_size(Max(memory->nitems, 1), sizeof(uint32)));
}

static uint32 *
sorted_by(const RecMemoryCatalog *memory, const double *values)
{
	uint32		n = list_length(memory);
	uint32	   *order = alloc_order(memory);

	for (uint32 i = 0; i < n; i++)
		order[i] = memory->listed ? memory->listed[i] : i;
	if (values)
		sort_by_value(order, n, values);
	return order;
}

/*
 * Bar the items that are not eligible for any user. They are on no list, so
 * that short lists of eligible items are read quickly.
 */
void
rec_memory_catalog_keep(RecMemoryCatalog *memory, RecDict *eligible)
{
	memory->listed = alloc_order(memory);
	memory->nlisted = 0;
	for (uint32 i = 0; i < memory->nitems; i++)
	{
		if (rec_dictionary_find(eligible, memory->ids[i]) != REC_NOT_FOUND)
			memory->listed[memory->nlisted++] = i;
		else
			memory->barred[i] = true;
	}
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
	rec_selection_item_set_add(set, &item);
}

static void
fetch_items(void *arg, const uint32 *items, int n, RecItemSet *set)
{
	const RecMemoryCatalog *memory = (RecMemoryCatalog *) arg;

	for (int i = 0; i < n; i++)
		if (items[i] < memory->nitems)
			add_item(memory, items[i], set);
}

/* Return the order of a component, NULL for the order of the numbers. */
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
	return memory->listed;
}

static bool
list_items(void *arg, RecComponent component, int level, RecItemSet *set, double *last)
{
	RecMemoryCatalog *memory = (RecMemoryCatalog *) arg;
	const uint32 *order = list_order(memory, component);
	uint64		length = list_length(memory);
	uint64		n = level < 4 ? (uint64) SHORT_LIST << (4 * level) : length;
	uint32		number = 0;

	n = Min(n, length);
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
	return n == length;
}

/* Return items in memory as a catalog; they may change between selections. */
RecCatalog
rec_memory_catalog(RecMemoryCatalog *memory)
{
	RecCatalog	catalog = {fetch_items, list_items, NULL, memory, 0};

	return catalog;
}
