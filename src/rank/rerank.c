/*-------------------------------------------------------------------------
 *
 * rerank.c
 *	  Diversity of a ranking: by similarity, and by values of columns.
 *
 * The best items of a ranking, several times as many as are wanted, are a
 * pool, from which one after the other is taken: of the items that max_per
 * allows, that with the largest
 *
 *	  (1 - diversity) * score / largest score
 *	  - diversity * likeness to the most similar of those taken before,
 *
 * which is maximal marginal relevance (Carbonell and Goldstein 1998).  The
 * likeness of two items is the similarity that either has in the other's list
 * of neighbours, by behaviour or by content, as a share of the largest such
 * similarity in the pool; so it is between 0 and 1.  Equal items are taken in
 * the order of the ranking.  When max_per leaves too few in the pool, it is
 * made larger, until there are k or no more items.
 *
 * Knows numbers only.  Everything is allocated in the current memory context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/rerank.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "miscadmin.h"
#include "rank/rerank.h"
#include "storage/shmem.h"

#define POOL_TIMES		5		/* items in a pool for each that is wanted */

typedef struct PlaceSlot
{
	uint32		item;
	int			place;			/* in the ranking */
	char		status;
} PlaceSlot;

#define SH_PREFIX place_table
#define SH_ELEMENT_TYPE PlaceSlot
#define SH_KEY_TYPE uint32
#define SH_KEY item
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

typedef struct ValueSlot
{
	int32		value;
	int			taken;			/* items of the value */
	char		status;
} ValueSlot;

#define SH_PREFIX value_table
#define SH_ELEMENT_TYPE ValueSlot
#define SH_KEY_TYPE int32
#define SH_KEY value
#define SH_HASH_KEY(tb, key) murmurhash32((uint32) (key))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

/* Two items of the pool that are neighbours; listed with either. */
typedef struct Alike
{
	int			other;			/* its place */
	int			next;			/* the item's next pair, -1 for none */
	float4		likeness;
} Alike;

typedef struct Pool
{
	const RecOptions *options;
	const RecScoredItem *items; /* in order of the ranking */
	int			n;
	bool	   *taken;
	double	   *likeness;		/* to the most similar of those taken */
	int		   *first;			/* first pair of each item, -1 for none */
	Alike	   *pairs;
	int			npairs;
	int			pairs_allocated;
	int32	   *values;			/* of the capped columns, item by item */
	value_table_hash **counts;	/* of each capped column */
} Pool;

/* ----------------
 *		likeness
 * ----------------
 */

static void
add_pair(Pool *pool, int place, int other, float4 likeness)
{
	Alike	   *pair;

	if (pool->npairs == pool->pairs_allocated)
	{
		pool->pairs_allocated = Max(1024, pool->pairs_allocated * 2);
		if (pool->pairs == NULL)
			pool->pairs = palloc_array(Alike, pool->pairs_allocated);
		else
			pool->pairs = repalloc_huge(pool->pairs,
										mul_size(pool->pairs_allocated, sizeof(Alike)));
	}
	pair = &pool->pairs[pool->npairs];
	pair->other = other;
	pair->likeness = likeness;
	pair->next = pool->first[place];
	pool->first[place] = pool->npairs++;
}

static float4
largest_value(const RecNeighborList *lists, int n)
{
	float4		largest = 0;

	for (int i = 0; i < n; i++)
		for (int v = 0; v < lists[i * REC_NLIKENESSES].n; v++)
			largest = Max(largest, lists[i * REC_NLIKENESSES].values[v]);
	return largest;
}

/* Note which items of the pool are neighbours in the lists of one kind. */
static void
note_alike(Pool *pool, place_table_hash *places, const RecNeighborList *lists)
{
	float4		largest = largest_value(lists, pool->n);

	for (int i = 0; i < pool->n && largest > 0; i++)
	{
		const RecNeighborList *list = &lists[i * REC_NLIKENESSES];

		CHECK_FOR_INTERRUPTS();
		for (int v = 0; v < list->n; v++)
		{
			PlaceSlot  *slot = place_table_lookup(places, (uint32) list->items[v]);

			if (slot == NULL || list->values[v] <= 0)
				continue;
			add_pair(pool, i, slot->place, list->values[v] / largest);
			add_pair(pool, slot->place, i, list->values[v] / largest);
		}
	}
}

static void
compare_all(Pool *pool, const RecReranker *reranker)
{
	RecNeighborList *lists = palloc0_array(RecNeighborList, (Size) pool->n * REC_NLIKENESSES);
	place_table_hash *places = place_table_create(CurrentMemoryContext, pool->n, NULL);

	for (int i = 0; i < pool->n; i++)
	{
		bool		found;

		place_table_insert(places, pool->items[i].item, &found)->place = i;
	}
	reranker->neighbors(reranker->arg, pool->items, pool->n, lists);
	for (int kind = 0; kind < REC_NLIKENESSES; kind++)
		note_alike(pool, places, lists + kind);
	pfree(lists);
}

/* ----------------
 *		taking items
 * ----------------
 */

/* Return the count of an item's value in a capped column, NULL for no value. */
static int *
count_of(const Pool *pool, int place, int cap)
{
	int32		value = pool->values[(Size) place * pool->options->ncaps + cap];
	bool		found;
	ValueSlot  *slot;

	if (value < 0)
		return NULL;
	slot = value_table_insert(pool->counts[cap], value, &found);
	if (!found)
		slot->taken = 0;
	return &slot->taken;
}

static bool
is_allowed(const Pool *pool, int place)
{
	for (int c = 0; c < pool->options->ncaps; c++)
	{
		int		   *count = count_of(pool, place, c);

		if (count && *count >= pool->options->caps[c].most)
			return false;
	}
	return true;
}

static void
take(Pool *pool, int place)
{
	pool->taken[place] = true;
	for (int c = 0; c < pool->options->ncaps; c++)
	{
		int		   *count = count_of(pool, place, c);

		if (count)
			(*count)++;
	}
	for (int p = pool->first[place]; p >= 0; p = pool->pairs[p].next)
	{
		double	   *likeness = &pool->likeness[pool->pairs[p].other];

		*likeness = Max(*likeness, pool->pairs[p].likeness);
	}
}

/* Return the place of the next item to take, -1 when none is allowed. */
static int
next_place(const Pool *pool)
{
	double		diversity = pool->options->diversity;
	double		largest = fabs(pool->items[0].score);
	double		best_value = -INFINITY;
	int			best = -1;

	for (int i = 0; i < pool->n; i++)
	{
		double		relevance = largest > 0 ? pool->items[i].score / largest : 0;
		double		value = (1 - diversity) * relevance - diversity * pool->likeness[i];

		if (pool->taken[i] || value <= best_value || !is_allowed(pool, i))
			continue;
		best = i;
		best_value = value;
		if (diversity == 0)
			break;				/* the ranking is in order already */
	}
	return best;
}

static void
open_pool(Pool *pool, const RecOptions *options, const RecReranker *reranker,
		  const RecScoredItem *items, int n)
{
	memset(pool, 0, sizeof(*pool));
	pool->options = options;
	pool->items = items;
	pool->n = n;
	pool->taken = palloc0_array(bool, n);
	pool->likeness = palloc0_array(double, n);
	pool->first = palloc_array(int, n);
	for (int i = 0; i < n; i++)
		pool->first[i] = -1;
	if (options->diversity > 0)
		compare_all(pool, reranker);
	if (options->ncaps == 0)
		return;
	pool->values = palloc_array(int32, (Size) n * options->ncaps);
	reranker->values(reranker->arg, items, n, pool->values);
	pool->counts = palloc_array(value_table_hash *, options->ncaps);
	for (int c = 0; c < options->ncaps; c++)
		pool->counts[c] = value_table_create(CurrentMemoryContext, 64, NULL);
}

/* Take up to k items of a ranking; return their number. */
static int
rerank(const RecOptions *options, const RecReranker *reranker,
	   const RecScoredItem *items, int n, int64 k, RecScoredItem *result)
{
	Pool		pool;
	int			count = 0;
	int			place;

	if (n == 0)
		return 0;
	open_pool(&pool, options, reranker, items, n);
	while (count < k && (place = next_place(&pool)) >= 0)
	{
		CHECK_FOR_INTERRUPTS();
		take(&pool, place);
		result[count++] = items[place];
	}
	return count;
}

/*
 * Return the k items of rec_selection_best(), or, if the options ask for
 * diversity, k items of a larger pool in the order of taking; and their number,
 * which is less than k only when there are no more.  The options are those of
 * the scores.
 */
RecScoredItem *
rec_rerank_select(RecScores *scores, const RecOptions *options, const RecCatalog *catalog,
					const RecReranker *reranker, int64 k, int *n)
{
	int64		wanted = k * POOL_TIMES;
	RecScoredItem *items;
	RecScoredItem *result;
	int			found;

	if (options->diversity == 0 && options->ncaps == 0)
		return rec_selection_best(scores, catalog, k, n);
	for (;;)
	{
		items = rec_selection_best(scores, catalog, wanted, &found);
		result = palloc_extended(mul_size(Max(found, 1), sizeof(RecScoredItem)), MCXT_ALLOC_HUGE);
		*n = rerank(options, reranker, items, found, k, result);
		if (*n == k || found < wanted)
			return result;
		pfree(result);
		wanted *= POOL_TIMES;
	}
}
