/*-------------------------------------------------------------------------
 *
 * matrix_build.c
 *	  Making the sparse matrix of a stream of interactions.
 *
 * The matrix is made in the memory of the stream, in four passes, each of them
 * linear in the interactions except for small sorts:
 *
 *	  1. interactions are grouped by user;
 *	  2. per user: weights decay, repeats of an item are combined, pairs without
 *	     preference are dropped, the newest max_history are kept; rows of user
 *	     and item alone are only searched for repeats, which needs no sort;
 *	  3. items are numbered by popularity, each user's items are sorted, and the
 *	     weighting is applied;
 *	  4. a counting pass makes the rows by item, with each item's users in rising
 *	     order.
 *
 * Users and items are in orders that depend on their ids alone, so sums of
 * floating-point numbers have the same bits in whatever order the rows of the
 * stream come: a parallel plan has the result of a serial one.  Sums of whole
 * numbers do not depend on the order of users, see
 * rec_matrix_build_needs_user_ranks().
 *
 * Results are in the current context, except for memory that was the stream's.
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/matrix_build.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "interaction/matrix_build.h"
#include "interaction/weighting.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"

#define INTERRUPT_INTERVAL	4096	/* users or items between interrupt checks */
#define INTERRUPT_ROWS		65536	/* and rows */

/* Allocate an array that may be larger than 1 GB, within the budget. */
static void *
alloc_array(Size count, Size width)
{
	Size		size = mul_size(Max(count, 1), width);

	rec_memory_budget_check(CurrentMemoryContext, size);
	return MemoryContextAllocHuge(CurrentMemoryContext, size);
}

static void *
alloc_zero_array(Size count, Size width)
{
	void	   *array = alloc_array(count, width);

	memset(array, 0, mul_size(count, width));
	return array;
}

/*
 * Drop the pairs whose weight is not above 0; return the number of those left.
 */
static int
drop_rejected(RecPair *pairs, int n)
{
	int			kept = 0;

	for (int i = 0; i < n; i++)
		if (pairs[i].weight > 0)
			pairs[kept++] = pairs[i];
	return kept;
}

/*
 * The pairs of all users in order of user rank.  The rows of a user are in no
 * order, and items still have the dictionary's numbers.  Pairs take the places
 * of the interactions that they are made of, which are at least as many.
 */
typedef struct UserPairs
{
	int64	   *start;			/* ids->nusers + 1 */
	RecStream  *stream;			/* its items and weights */
	int64		count;
	uint32		ncut;			/* users with more items than max_history */
} UserPairs;

/* The parameters and scratch space for making pairs. */
typedef struct Collector
{
	const RecIds *ids;
	const RecOptions *options;
	bool		only_items;		/* rows have neither weights nor times */
	RecPair    *pairs;			/* of one user */
	uint32	   *place;			/* only_items: 1 + place of an item's last pair */
} Collector;

static inline void
load_pair(const Collector *collector, const RecStream *stream, int64 at, RecPair *pair)
{
	pair->item = rec_stream_item(stream, at);
	pair->time = rec_stream_time(stream, at);
	pair->weight = rec_stream_weight(stream, at);
	pair->weight *= rec_pair_decay(collector->options->half_life, stream->newest, pair->time);
}

/* Add the pairs of the user whose rows are from .. to - 1. */
static void
collect_user(const Collector *collector, UserPairs *out, int64 from, int64 to)
{
	const RecOptions *options = collector->options;
	RecPair    *pairs = collector->pairs;
	int			kept;

	for (int64 i = from; i < to; i++)
		load_pair(collector, out->stream, i, &pairs[i - from]);
	kept = rec_pair_combine(pairs, (int) (to - from), options->repeats);
	if (rec_options_measure_traits(options)->centring == REC_CENTRE_NONE)
		kept = drop_rejected(pairs, kept);
	if (kept > options->max_history)
	{
		rec_pair_sort(pairs, kept, collector->ids->item_rank);
		kept = options->max_history;
		out->ncut++;
	}
	for (int i = 0; i < kept; i++)
	{
		rec_packed_column_put(&out->stream->item, out->count, pairs[i].item);
		rec_stream_set_weight(out->stream, out->count++, pairs[i].weight);
	}
}

/*
 * Add the pairs of a user whose rows have neither weights nor times; at most
 * max_history rows.
 */
static void
collect_items(const Collector *collector, UserPairs *out, int64 from, int64 to)
{
	int64		first = out->count;
	uint32	   *place = collector->place;
	RecStream  *stream = out->stream;
	bool		sum = collector->options->repeats == REC_REPEATS_SUM;

	for (int64 i = from; i < to; i++)
	{
		uint32		item = rec_stream_item(stream, i);
		int64		at = (int64) place[item] - 1;

		if (at < first)
		{
			rec_packed_column_put(&stream->item, out->count++, item);
			place[item] = (uint32) out->count;
		}
		else if (sum)
			rec_stream_set_weight(stream, at, rec_stream_weight(stream, at) + 1);
	}
}

/* Return the largest number of interactions of one user. */
static int64
longest_run(const int64 *start, uint32 nusers)
{
	int64		longest = 0;

	for (uint32 u = 0; u < nusers; u++)
		longest = Max(longest, start[u + 1] - start[u]);
	return longest;
}

static void
begin_collector(Collector *collector, const UserPairs *out)
{
	int64		longest = longest_run(out->start, collector->ids->nusers);

	collector->only_items = !rec_stream_has_weights(out->stream) &&
		!rec_stream_has_times(out->stream);
	if (!collector->only_items || longest > collector->options->max_history)
		collector->pairs = alloc_array(longest, sizeof(RecPair));
	if (collector->only_items)
		collector->place = alloc_zero_array(collector->ids->nitems, sizeof(uint32));
}

static void
end_collector(Collector *collector)
{
	if (collector->pairs)
		pfree(collector->pairs);
	if (collector->place)
		pfree(collector->place);
}

/* Group a stream by user and make pairs of it, in its own memory. */
static void
collect_pairs(UserPairs *out, RecStream *stream, const RecIds *ids,
			  const RecOptions *options)
{
	Collector	collector = {.ids = ids, .options = options};

	if (ids->user_rank)
		rec_stream_rank_users(stream, ids->user_rank);
	out->start = rec_stream_group(stream, ids->nusers);
	out->stream = stream;
	out->count = 0;
	out->ncut = 0;
	begin_collector(&collector, out);
	for (uint32 u = 0; u < ids->nusers; u++)
	{
		int64		from = out->start[u];
		int64		to = out->start[u + 1];

		if (u % INTERRUPT_INTERVAL == 0)
			CHECK_FOR_INTERRUPTS();
		out->start[u] = out->count;
		if (collector.only_items && to - from <= options->max_history)
			collect_items(&collector, out, from, to);
		else
			collect_user(&collector, out, from, to);
	}
	out->start[ids->nusers] = out->count;
	end_collector(&collector);
}

/* An item with users, for sorting. */
typedef struct RankedItem
{
	uint32		users;
	uint32		rank;			/* in the order of ids */
	uint32		id;				/* number in the dictionary */
} RankedItem;

static inline int
compare_popularity(const RankedItem *a, const RankedItem *b)
{
	if (a->users != b->users)
		return a->users > b->users ? -1 : 1;
	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

#define ST_SORT sort_by_popularity
#define ST_ELEMENT_TYPE RankedItem
#define ST_COMPARE(a, b) compare_popularity(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Number the items that have users, most users first.  Fill in item_id and
 * item_start, and return the map from the dictionary's numbers to the new
 * ones.
 */
static uint32 *
number_items(RecMatrix *matrix, const RecStream *stream, const RecIds *ids)
{
	uint32	   *number = alloc_zero_array(ids->nitems, sizeof(uint32));
	RankedItem *ranked = alloc_array(ids->nitems, sizeof(RankedItem));
	uint32		n = 0;

	for (int64 i = 0; i < matrix->npairs; i++)
		number[rec_stream_item(stream, i)]++;
	for (uint32 id = 0; id < ids->nitems; id++)
	{
		if (number[id] == 0)
			continue;
		ranked[n].users = number[id];
		ranked[n].rank = ids->item_rank[id];
		ranked[n++].id = id;
	}
	sort_by_popularity(ranked, n);
	matrix->nitems = n;
	matrix->item_id = alloc_array(n, sizeof(uint32));
	matrix->item_start = alloc_array((Size) n + 1, sizeof(int64));
	matrix->item_start[0] = 0;
	for (uint32 i = 0; i < n; i++)
	{
		number[ranked[i].id] = i;
		matrix->item_id[i] = ranked[i].id;
		matrix->item_start[i + 1] = matrix->item_start[i] + ranked[i].users;
	}
	pfree(ranked);
	return number;
}

/*
 * Number the users that have pairs, in order of their ranks.  "start" has the
 * place where each rank's pairs start, and becomes the matrix's user_start.
 */
static void
number_users(RecMatrix *matrix, int64 *start, const RecIds *ids)
{
	uint32		n = 0;

	for (uint32 u = 0; u < ids->nusers; u++)
		if (start[u + 1] > start[u])
			start[n++] = start[u];
	start[n] = matrix->npairs;
	matrix->nusers = n;
	matrix->user_start = start;
}

/* Sum each item's weights; rows still have the dictionary's numbers. */
static void
sum_weights(RecMatrix *matrix, const RecStream *stream, const uint32 *number)
{
	matrix->item_sum = alloc_zero_array(matrix->nitems, sizeof(double));
	for (int64 i = 0; i < matrix->npairs; i++)
	{
		if (i % INTERRUPT_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		matrix->item_sum[number[rec_stream_item(stream, i)]] += rec_stream_weight(stream, i);
	}
}

/* Replace the dictionary's numbers by the items' new ones. */
static void
renumber_items(RecMatrix *matrix, const uint32 *number)
{
	for (int64 i = 0; i < matrix->npairs; i++)
	{
		if (i % INTERRUPT_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		matrix->user_item[i] = number[matrix->user_item[i]];
	}
}

#define ST_SORT sort_items
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_keys
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Scratch space for sorting the items of one user. */
typedef struct SortRoom
{
	uint64	   *key;			/* item and place */
	double	   *weight;			/* of each place */
} SortRoom;

/* Sort items of one user in rising order, and their weights with them. */
static void
sort_weighted(uint32 *item, double *weight, int64 n, const SortRoom *room)
{
	for (int64 i = 0; i < n; i++)
		room->key[i] = (uint64) item[i] << 32 | (uint64) i;
	memcpy(room->weight, weight, n * sizeof(double));
	sort_keys(room->key, n);
	for (int64 i = 0; i < n; i++)
	{
		item[i] = (uint32) (room->key[i] >> 32);
		weight[i] = room->weight[(uint32) room->key[i]];
	}
}

/* Sort each user's items in rising order. */
static void
sort_users(RecMatrix *matrix)
{
	SortRoom	room = {0};

	if (matrix->user_weight)
	{
		int64		longest = longest_run(matrix->user_start, matrix->nusers);

		room.key = alloc_array(longest, sizeof(uint64));
		room.weight = alloc_array(longest, sizeof(double));
	}
	for (uint32 u = 0; u < matrix->nusers; u++)
	{
		int64		from = matrix->user_start[u];
		int64		n = matrix->user_start[u + 1] - from;

		if (u % INTERRUPT_INTERVAL == 0)
			CHECK_FOR_INTERRUPTS();
		if (matrix->user_weight)
			sort_weighted(matrix->user_item + from, matrix->user_weight + from, n, &room);
		else
			sort_items(matrix->user_item + from, n);
	}
	if (matrix->user_weight)
	{
		pfree(room.key);
		pfree(room.weight);
	}
}

/*
 * Fill in the rows by item.  Users are read in order, so each row is in rising
 * order.
 */
static void
fill_items(RecMatrix *matrix, const RecOptions *options)
{
	int64	   *next = alloc_array(matrix->nitems, sizeof(int64));

	memcpy(next, matrix->item_start, matrix->nitems * sizeof(int64));
	matrix->item_user = alloc_array(matrix->npairs, sizeof(uint32));
	if (matrix->user_weight && options->model != REC_MODEL_NEIGHBORS)
		matrix->item_weight = alloc_array(matrix->npairs, sizeof(double));
	for (uint32 u = 0; u < matrix->nusers; u++)
	{
		if (u % INTERRUPT_INTERVAL == 0)
			CHECK_FOR_INTERRUPTS();
		for (int64 i = matrix->user_start[u]; i < matrix->user_start[u + 1]; i++)
		{
			int64		at = next[matrix->user_item[i]]++;

			matrix->item_user[at] = u;
			if (matrix->item_weight)
				matrix->item_weight[at] = matrix->user_weight[i];
		}
	}
	pfree(next);
}

/*
 * Return true when the order of users can affect the last bits of a result, so
 * that the matrix must be built with their ranks.  Without weights only whole
 * numbers are added, unless users have weights or factors of their own.
 */
bool
rec_matrix_build_needs_user_ranks(const RecStream *stream, const RecOptions *options)
{
	bool		whole = !rec_stream_has_weights(stream) &&
	(!rec_stream_has_times(stream) || options->half_life <= 0);

	if (!whole || options->user_exponent != 0 || options->model == REC_MODEL_ALS)
		return true;
	return rec_weighting_use(options) == REC_WEIGHTS_CHANGED;
}

/* Make the pairs, the last content of the stream, the rows of the matrix. */
static void
take_pairs(RecMatrix *matrix, const UserPairs *pairs, const RecIds *ids,
		   const RecOptions *options)
{
	RecWeightUse use = rec_weighting_use(options);
	RecStreamRest rest;
	uint32	   *number;

	rec_stream_forget_times(pairs->stream);
	if (use == REC_WEIGHTS_CHANGED && !rec_stream_has_weights(pairs->stream))
		rec_stream_begin_weights(pairs->stream, 1);
	matrix->npairs = pairs->count;
	number = number_items(matrix, pairs->stream, ids);
	sum_weights(matrix, pairs->stream, number);
	rest = rec_stream_use_up(pairs->stream, pairs->count, use != REC_WEIGHTS_IGNORED);
	matrix->user_item = rest.item;
	matrix->user_weight = rest.weight;
	renumber_items(matrix, number);
	number_users(matrix, pairs->start, ids);
	pfree(number);
}

/*
 * Make the matrix of a stream by the options repeats, half_life, max_history
 * and weighting.  An empty stream gives an empty matrix.  The stream is used
 * up: its memory becomes the matrix's, and only its count and newest time are
 * left.
 */
RecMatrix *
rec_matrix_build(RecStream *stream, const RecIds *ids, const RecOptions *options)
{
	RecMatrix  *matrix = palloc0_object(RecMatrix);
	UserPairs	pairs;

	collect_pairs(&pairs, stream, ids, options);
	matrix->ncut = pairs.ncut;
	take_pairs(matrix, &pairs, ids, options);
	sort_users(matrix);
	if (matrix->user_weight)
		rec_weighting_apply(matrix, options);
	fill_items(matrix, options);
	return matrix;
}
