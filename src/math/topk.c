/*-------------------------------------------------------------------------
 *
 * topk.c
 *	  The best k of many neighbours.
 *
 * A buffer, not a heap: a neighbour that is good enough is appended, and when
 * the buffer is full it is cut back to the best k, which costs O(1) for each
 * neighbour.  The k-th best is found by quickselect over the values alone,
 * partitioned without unpredictable branches; one pass over the buffer then
 * keeps the neighbours above it and, of its equals, the first ones.  The order
 * of the buffer stays, so that ties go to the item with the smaller number,
 * and a stable merge sort (also without unpredictable branches) makes the
 * final order.
 *
 * Similarities are compared by their first 40 significant bits, so that values
 * that are equal in exact arithmetic tie, whatever the last bits of a square
 * root (except for the rare pair that rounding separates).
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/topk.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "math/topk.h"
#include "pg/memory_budget.h"

#define RUN		4

/*
 * Return the rank of a similarity, the same for all that round to the same
 * value.
 */
static inline uint64
rank_value(double similarity)
{
	union
	{
		double		value;
		uint64		bits;
	}			u;

	u.value = rec_topk_limit_above(similarity);
	return u.bits;
}

static inline double
limit_of(uint64 rank)
{
	union
	{
		double		value;
		uint64		bits;
	}			u;

	u.bits = rank;
	return u.value;
}

/*
 * Make an empty buffer in "mcxt" for the best k and room for at least
 * "room" more.
 */
void
rec_topk_init(RecTopk *topk, MemoryContext mcxt, int k, int room)
{
	Size		size;

	topk->k = k;
	topk->n = 0;
	topk->limit = REC_LEAST_SIMILARITY;
	topk->allocated = 2 * k + room;
	size = mul_size(topk->allocated, sizeof(RecNeighbor));
	rec_memory_budget_check(mcxt, 3 * size + size / 2);
	topk->best = MemoryContextAllocHuge(mcxt, size);
	topk->spare = MemoryContextAllocHuge(mcxt, size);
	topk->key = MemoryContextAllocHuge(mcxt, size + size / 2);
}

static inline uint64
median_of_three(uint64 a, uint64 b, uint64 c)
{
	return Max(Min(a, b), Min(Max(a, b), c));
}

/*
 * Return the k-th largest of n keys, 1 <= k <= n.  Each round copies the keys
 * above the pivot to the front of the other array and those below to its end,
 * without a branch.
 */
static uint64
select_key(const uint64 *key, int n, int k, uint64 *spare, uint64 *other)
{
	uint64	   *out = spare;

	while (n > 1)
	{
		uint64		pivot = median_of_three(key[0], key[n / 2], key[n - 1]);
		int			above = 0;
		int			below = 0;

		for (int i = 0; i < n; i++)
		{
			uint64		x = key[i];

			out[above] = x;
			above += x > pivot;
			out[n - 1 - below] = x;
			below += x < pivot;
		}
		if (k > above && k <= n - below)
			return pivot;
		key = k > above ? out + n - below : out;
		out = out == spare ? other : spare;
		if (k > above)
		{
			k -= n - below;
			n = below;
		}
		else
			n = above;
	}
	return key[0];
}

static uint64
select_rank(RecTopk *topk, int rank)
{
	return select_key(topk->key, topk->n, rank, topk->key + topk->allocated,
					  topk->key + 2 * topk->allocated);
}

/*
 * Return the similarity with a rank among those in the buffer, up to rounding.
 */
double
rec_topk_value(RecTopk *topk, int rank)
{
	Assert(rank >= 1 && rank <= topk->n);
	for (int i = 0; i < topk->n; i++)
		topk->key[i] = rank_value(topk->best[i].similarity);
	return limit_of(select_rank(topk, rank));
}

/* Cut the buffer back to k and raise the limit above the k-th. */
static void
cut(RecTopk *topk)
{
	RecNeighbor *best = topk->best;
	int			ties = topk->k;
	int			kept = 0;
	uint64		kth;

	for (int i = 0; i < topk->n; i++)
		topk->key[i] = rank_value(best[i].similarity);
	kth = select_rank(topk, topk->k);
	for (int i = 0; i < topk->n; i++)
		ties -= rank_value(best[i].similarity) > kth;
	for (int i = 0; i < topk->n; i++)
	{
		RecNeighbor one = best[i];
		uint64		value = rank_value(one.similarity);
		bool		tie = value == kth && ties > 0;

		best[kept] = one;
		kept += value > kth || tie;
		ties -= tie;
	}
	topk->n = kept;
	topk->limit = limit_of(kth);
}

/* Make room for so many more, at most as many as given at creation. */
void
rec_topk_make_room(RecTopk *topk, int room)
{
	if (topk->n > topk->allocated - room)
		cut(topk);
	Assert(topk->n <= topk->allocated - room);
}

/* Merge two sorted runs; among equals, those of the first run come first. */
static inline void
merge(const RecNeighbor *a, const RecNeighbor *a_end,
	  const RecNeighbor *b, const RecNeighbor *b_end, RecNeighbor *out)
{
	while (a < a_end && b < b_end)
	{
		bool		second = rank_value(b->similarity) > rank_value(a->similarity);

		*out++ = *(second ? b : a);
		b += second;
		a += !second;
	}
	while (a < a_end)
		*out++ = *a++;
	while (b < b_end)
		*out++ = *b++;
}

static inline void
sort_run(RecNeighbor *run, int n)
{
	for (int i = 1; i < n; i++)
	{
		RecNeighbor one = run[i];
		uint64		value = rank_value(one.similarity);
		int			at = i;

		for (; at > 0 && rank_value(run[at - 1].similarity) < value; at--)
			run[at] = run[at - 1];
		run[at] = one;
	}
}

/*
 * Sort neighbours by falling similarity; equals keep their order.  "spare" has
 * room for as many.
 */
void
rec_topk_sort(RecNeighbor *row, RecNeighbor *spare, int n)
{
	RecNeighbor *in = row;
	RecNeighbor *out = spare;

	for (int from = 0; from < n; from += RUN)
		sort_run(row + from, Min(RUN, n - from));
	for (int width = RUN; width < n; width *= 2)
	{
		RecNeighbor *swap = in;

		for (int from = 0; from < n; from += 2 * width)
		{
			int			middle = Min(from + width, n);
			int			to = Min(middle + width, n);

			merge(in + from, in + middle, in + middle, in + to, out + from);
		}
		in = out;
		out = swap;
	}
	if (in != row)
		memcpy(row, in, n * sizeof(RecNeighbor));
}

/* Leave the best k, or all if there are fewer, best first. */
void
rec_topk_finish(RecTopk *topk)
{
	if (topk->n > topk->k)
		cut(topk);
	rec_topk_sort(topk->best, topk->spare, topk->n);
}
