/*-------------------------------------------------------------------------
 *
 * matrix.c
 *	  The stream of interactions and the sparse matrix made of it.
 *
 * The stream is a set of columns that grow; a column that would say the same
 * of every row (weight 1, no time) does not exist, and neither does one in
 * what follows.  The matrix is made in four passes, each linear in the
 * interactions but for small sorts:
 *
 * 1. a counting sort by user;
 * 2. per user: decay, repeats of an item combined, pairs that do not count
 *	  dropped, the newest max_history kept; when rows are but user and item,
 *	  only repeats are to be found, which takes no sort;
 * 3. items numbered by popularity, each user's items put in rising order,
 *	  and the weighting;
 * 4. a counting pass to the rows by item, which leaves each item's users in
 *	  rising order.
 *
 * Users and items come in orders that depend on their ids alone, so sums of
 * floating-point numbers are the same bits whatever the order of the stream:
 * a parallel plan gives what a serial one gives.  Sums of whole numbers need
 * no order of users, see rec_matrix_needs_user_ranks().
 *
 * All results are allocated in the current context.  Knows numbers only: no
 * Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/matrix.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "matrix.h"
#include "measure.h"
#include "miscadmin.h"
#include "sqlutil.h"
#include "utils/memutils.h"
#include "weighting.h"

#define INTERRUPT_INTERVAL	4096	/* users or items between interrupt checks */
#define INTERRUPT_ROWS		65536	/* and rows */
#define PREFETCH_ROWS		16	/* how far ahead of random access */

/* Takes an array that may be larger than 1 GB, within the budget. */
static void *
alloc_array(Size count, Size width)
{
	Size		size = mul_size(Max(count, 1), width);

	rec_memory_check(CurrentMemoryContext, size);
	return MemoryContextAllocHuge(CurrentMemoryContext, size);
}

static void *
alloc_zero_array(Size count, Size width)
{
	void	   *array = alloc_array(count, width);

	memset(array, 0, mul_size(count, width));
	return array;
}

/* Makes an empty stream whose columns live in "context". */
RecStream *
rec_stream_create(MemoryContext context)
{
	RecStream  *stream = MemoryContextAllocZero(context, sizeof(RecStream));

	stream->context = context;
	stream->newest = REC_NO_TIME;
	return stream;
}

static void *
grow_column(RecStream *stream, void *column, Size width)
{
	Size		size = mul_size(stream->allocated, width);

	if (column == NULL)
		return MemoryContextAllocHuge(stream->context, size);
	return repalloc_huge(column, size);
}

/* Makes room for "more" rows; an ERROR when maintenance_work_mem forbids it. */
void
rec_stream_reserve(RecStream *stream, int64 more)
{
	int64		wanted = Max(stream->allocated, 1024);
	Size		width = 2 * sizeof(uint32) +
	(stream->weight ? sizeof(double) : 0) + (stream->time ? sizeof(int64) : 0);

	if (stream->count + more <= stream->allocated)
		return;
	if (stream->count + more > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot build a model of more than %u interactions",
						PG_UINT32_MAX)));
	while (wanted < stream->count + more)
		wanted *= 2;
	rec_memory_check(stream->context,
					 mul_size(wanted - stream->allocated, width));
	stream->allocated = wanted;
	stream->user = grow_column(stream, stream->user, sizeof(uint32));
	stream->item = grow_column(stream, stream->item, sizeof(uint32));
	if (stream->weight)
		stream->weight = grow_column(stream, stream->weight, sizeof(double));
	if (stream->time)
		stream->time = grow_column(stream, stream->time, sizeof(int64));
}

/* The first weight other than 1: all before it were 1. */
static void
begin_weights(RecStream *stream)
{
	rec_memory_check(stream->context, mul_size(stream->allocated, sizeof(double)));
	stream->weight = grow_column(stream, NULL, sizeof(double));
	for (int64 i = 0; i < stream->count; i++)
		stream->weight[i] = 1;
}

static void
begin_times(RecStream *stream)
{
	rec_memory_check(stream->context, mul_size(stream->allocated, sizeof(int64)));
	stream->time = grow_column(stream, NULL, sizeof(int64));
	for (int64 i = 0; i < stream->count; i++)
		stream->time[i] = REC_NO_TIME;
}

/* Appends a row: the weight is finite, the time may be REC_NO_TIME. */
void
rec_stream_add(RecStream *stream, uint32 user, uint32 item, double weight,
			   int64 time)
{
	rec_stream_reserve(stream, 1);
	if (weight != 1 && stream->weight == NULL)
		begin_weights(stream);
	if (time != REC_NO_TIME && stream->time == NULL)
		begin_times(stream);
	stream->user[stream->count] = user;
	stream->item[stream->count] = item;
	if (stream->weight)
		stream->weight[stream->count] = weight;
	if (stream->time)
		stream->time[stream->count] = time;
	if (time > stream->newest)
		stream->newest = time;
	stream->count++;
}

/*
 * Gives the factor by which a weight has decayed: 0.5 ^ (age / half_life),
 * the age being that at the newest time.  No half-life, no time or a time
 * after the newest: 1.
 */
double
rec_decay(double half_life, int64 newest, int64 time)
{
	if (half_life <= 0 || time == REC_NO_TIME || time >= newest)
		return 1;
	return exp2(((double) time - (double) newest) / half_life);
}

static inline int
compare_grouping(const RecPair *a, const RecPair *b)
{
	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return a->weight < b->weight ? -1 : a->weight > b->weight;
}

#define ST_SORT sort_for_grouping
#define ST_ELEMENT_TYPE RecPair
#define ST_COMPARE(a, b) compare_grouping(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Newest first; ties by larger weight, then by smaller id. */
static inline int
compare_recency(const RecPair *a, const RecPair *b, const uint32 *item_rank)
{
	if (a->time != b->time)
		return a->time > b->time ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return item_rank[a->item] < item_rank[b->item] ? -1 : 1;
}

#define ST_SORT sort_by_recency
#define ST_ELEMENT_TYPE RecPair
#define ST_COMPARE(a, b, arg) compare_recency(a, b, arg)
#define ST_COMPARE_ARG_TYPE const uint32
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static inline uint32
user_place(const RecIds *ids, uint32 user)
{
	return ids->user_rank ? ids->user_rank[user] : user;
}

/* Counts each user's rows into start, as offsets. */
static void
count_rows(const RecStream *stream, const RecIds *ids, int64 *start)
{
	int64		total = 0;

	memset(start, 0, (ids->nusers + 1) * sizeof(int64));
	for (int64 i = 0; i < stream->count; i++)
	{
		if (i % INTERRUPT_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		if (i + PREFETCH_ROWS < stream->count)
			rec_prefetch(&start[user_place(ids, stream->user[i + PREFETCH_ROWS])]);
		start[user_place(ids, stream->user[i])]++;
	}
	for (uint32 u = 0; u <= ids->nusers; u++)
	{
		int64		n = start[u];

		start[u] = total;
		total += n;
	}
}

/*
 * Puts the stream's rows in order of user rank: gives their numbers, or only
 * their items if there is nothing else to them, and where each user starts.
 * What it writes is all over the place, so it asks for that beforehand.
 */
static uint32 *
order_by_user(const RecStream *stream, const RecIds *ids, bool only_items,
			  int64 *start)
{
	uint32	   *order = alloc_array(stream->count, sizeof(uint32));
	const uint32 *user = stream->user;

	count_rows(stream, ids, start);
	for (int64 i = 0; i < stream->count; i++)
	{
		if (i % INTERRUPT_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		if (i + 2 * PREFETCH_ROWS < stream->count)
		{
			rec_prefetch(&start[user_place(ids, user[i + 2 * PREFETCH_ROWS])]);
			rec_prefetch(&order[start[user_place(ids, user[i + PREFETCH_ROWS])]]);
		}
		order[start[user_place(ids, user[i])]++] =
			only_items ? stream->item[i] : (uint32) i;
	}
	/* each start has moved to its end, which is the next one's start */
	memmove(start + 1, start, ids->nusers * sizeof(int64));
	start[0] = 0;
	return order;
}

/* The newest pair of a run that is sorted by time, then by weight. */
static double
combine_run(const RecPair *run, int n, RecRepeats repeats)
{
	double		weight = run[n - 1].weight;

	switch (repeats)
	{
		case REC_REPEATS_SUM:
			weight = 0;
			for (int i = 0; i < n; i++)
				weight += run[i].weight;
			break;
		case REC_REPEATS_MAX:
			for (int i = 0; i < n - 1; i++)
				weight = Max(weight, run[i].weight);
			break;
		case REC_REPEATS_LAST:
			break;
		case REC_REPEATS_BINARY:
			weight = 1;
			break;
	}
	return weight;
}

/*
 * Turns one user's interactions, in any order, into pairs of one item each,
 * in place; gives their number.  The result has no useful order.
 */
int
rec_pairs_combine(RecPair *pairs, int n, RecRepeats repeats)
{
	int			kept = 0;

	sort_for_grouping(pairs, n);
	for (int i = 0, end; i < n; i = end)
	{
		RecPair		pair;

		for (end = i + 1; end < n && pairs[end].item == pairs[i].item;)
			end++;
		pair = pairs[end - 1];
		pair.weight = combine_run(&pairs[i], end - i, repeats);
		pairs[kept++] = pair;
	}
	return kept;
}

/*
 * Puts pairs into the order newest first; ties go to the larger weight, then
 * to the lower rank of the item.
 */
void
rec_pairs_sort(RecPair *pairs, int n, const uint32 *item_rank)
{
	sort_by_recency(pairs, n, item_rank);
}

/* Drops the pairs that are no preference; gives the number of those left. */
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
 * The pairs of all users in order of user rank.  Rows are in no order inside
 * a user, and items have the dictionary's numbers still.
 */
typedef struct UserPairs
{
	int64	   *start;			/* ids->nusers + 1 */
	uint32	   *item;
	double	   *weight;			/* NULL while every weight is 1 */
	int64		count;
	int64		allocated;
} UserPairs;

/* From now on, or already, pairs have weights. */
static void
begin_pair_weights(UserPairs *pairs)
{
	if (pairs->weight)
		return;
	pairs->weight = alloc_array(pairs->allocated, sizeof(double));
	for (int64 i = 0; i < pairs->allocated; i++)
		pairs->weight[i] = 1;
}

/* Sets a pair's weight, which was 1. */
static inline void
set_weight(UserPairs *pairs, int64 at, double weight)
{
	if (weight != 1)
		begin_pair_weights(pairs);
	if (pairs->weight)
		pairs->weight[at] = weight;
}

/* What all users' pairs are made with. */
typedef struct Collector
{
	const RecStream *stream;
	const RecIds *ids;
	const RecOptions *options;
	bool		only_items;		/* rows have neither weights nor times */
	uint32	   *order;			/* of rows by user, or their items */
	RecPair    *pairs;			/* of one user */
	uint32	   *place;			/* only_items: 1 + place of an item's last
								 * pair */
} Collector;

static pg_attribute_always_inline void
prefetch_row(const RecStream *stream, uint32 row)
{
	rec_prefetch(&stream->item[row]);
	if (stream->weight)
		rec_prefetch(&stream->weight[row]);
	if (stream->time)
		rec_prefetch(&stream->time[row]);
}

static inline void
load_row(const Collector *collector, int64 at, RecPair *pair)
{
	const RecStream *stream = collector->stream;
	uint32		row = collector->order[at];

	if (!collector->only_items && at + PREFETCH_ROWS < stream->count)
		prefetch_row(stream, collector->order[at + PREFETCH_ROWS]);
	pair->item = collector->only_items ? row : stream->item[row];
	pair->time = stream->time ? stream->time[row] : REC_NO_TIME;
	pair->weight = stream->weight ? stream->weight[row] : 1;
	pair->weight *= rec_decay(collector->options->half_life, stream->newest, pair->time);
}

/* Adds the pairs of the user whose rows are from .. to - 1. */
static void
collect_user(const Collector *collector, UserPairs *out, int64 from, int64 to)
{
	const RecOptions *options = collector->options;
	RecPair    *pairs = collector->pairs;
	int			kept;

	for (int64 i = from; i < to; i++)
		load_row(collector, i, &pairs[i - from]);
	kept = rec_pairs_combine(pairs, (int) (to - from), options->repeats);
	if (rec_measure_of(options)->centring == REC_CENTRE_NONE)
		kept = drop_rejected(pairs, kept);
	if (kept > options->max_history)
	{
		rec_pairs_sort(pairs, kept, collector->ids->item_rank);
		kept = options->max_history;
	}
	for (int i = 0; i < kept; i++)
	{
		out->item[out->count] = pairs[i].item;
		set_weight(out, out->count++, pairs[i].weight);
	}
}

/* The same for rows that are but items, at most max_history of them. */
static void
collect_items(const Collector *collector, UserPairs *out, int64 from, int64 to)
{
	int64		first = out->count;
	uint32	   *place = collector->place;
	bool		sum = collector->options->repeats == REC_REPEATS_SUM;

	for (int64 i = from; i < to; i++)
	{
		uint32		item = collector->order[i];
		int64		at = (int64) place[item] - 1;

		if (at < first)
		{
			out->item[out->count++] = item;
			place[item] = (uint32) out->count;
		}
		else if (sum)
			set_weight(out, at, (out->weight ? out->weight[at] : 1) + 1);
	}
}

/* Largest number of interactions of one user. */
static int64
longest_run(const int64 *start, uint32 nusers)
{
	int64		longest = 0;

	for (uint32 u = 0; u < nusers; u++)
		longest = Max(longest, start[u + 1] - start[u]);
	return longest;
}

static void
begin_collector(Collector *collector, UserPairs *out)
{
	const RecStream *stream = collector->stream;
	uint32		nusers = collector->ids->nusers;
	int64		longest;

	out->count = 0;
	out->allocated = stream->count;
	out->weight = NULL;
	out->start = alloc_array((Size) nusers + 1, sizeof(int64));
	collector->only_items = stream->weight == NULL && stream->time == NULL;
	collector->order = order_by_user(stream, collector->ids, collector->only_items,
									 out->start);
	longest = longest_run(out->start, nusers);
	if (!collector->only_items || longest > collector->options->max_history)
		collector->pairs = alloc_array(longest, sizeof(RecPair));
	if (collector->only_items)
	{
		/* what is read is never behind what is written */
		out->item = collector->order;
		collector->place = alloc_zero_array(collector->ids->nitems, sizeof(uint32));
	}
	else
		out->item = alloc_array(stream->count, sizeof(uint32));
}

static void
collect_pairs(UserPairs *out, const RecStream *stream, const RecIds *ids,
			  const RecOptions *options)
{
	Collector	collector = {0};

	collector.stream = stream;
	collector.ids = ids;
	collector.options = options;
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
	if (collector.pairs)
		pfree(collector.pairs);
	if (collector.only_items)
		pfree(collector.place);
	else
		pfree(collector.order);
}

/* An item with users, for putting them in order. */
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
 * Numbers the items that have users, most users first.  Fills in item_id and
 * item_start and gives the map from the dictionary's numbers to the new ones.
 */
static uint32 *
number_items(RecMatrix *matrix, const UserPairs *pairs, const RecIds *ids)
{
	int64		npairs = pairs->count;
	uint32	   *number = alloc_zero_array(ids->nitems, sizeof(uint32));
	RankedItem *ranked = alloc_array(ids->nitems, sizeof(RankedItem));
	uint32		n = 0;

	for (int64 i = 0; i < npairs; i++)
		number[pairs->item[i]]++;
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
	matrix->npairs = npairs;
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

/* Gives the users that have pairs dense numbers, in order of their ranks. */
static void
number_users(RecMatrix *matrix, const UserPairs *pairs, const RecIds *ids)
{
	uint32	   *by_rank = alloc_array(ids->nusers, sizeof(uint32));
	int64	   *start = pairs->start;
	uint32		n = 0;

	for (uint32 id = 0; id < ids->nusers; id++)
		by_rank[user_place(ids, id)] = id;
	for (uint32 u = 0; u < ids->nusers; u++)
	{
		if (start[u + 1] == start[u])
			continue;
		by_rank[n] = by_rank[u];
		start[n++] = start[u];
	}
	start[n] = pairs->count;
	matrix->nusers = n;
	matrix->user_id = by_rank;
	matrix->user_start = start;
}

/* Replaces the dictionary's numbers by the items' new ones; sums weights. */
static void
renumber_items(RecMatrix *matrix, UserPairs *pairs, const RecIds *ids)
{
	uint32	   *number = number_items(matrix, pairs, ids);

	matrix->item_sum = alloc_zero_array(matrix->nitems, sizeof(double));
	for (int64 i = 0; i < pairs->count; i++)
	{
		uint32		item = number[pairs->item[i]];

		if (i % INTERRUPT_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		pairs->item[i] = item;
		matrix->item_sum[item] += pairs->weight ? pairs->weight[i] : 1;
	}
	pfree(number);
}

/* Leaves weights only where they make a difference. */
static void
use_weights(UserPairs *pairs, const RecOptions *options)
{
	RecWeightUse use = rec_weighting_use(options);

	if (use == REC_WEIGHTS_CHANGED)
		begin_pair_weights(pairs);
	if (use == REC_WEIGHTS_IGNORED && pairs->weight)
	{
		pfree(pairs->weight);
		pairs->weight = NULL;
	}
}

#define ST_SORT sort_items
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Puts items of one user in rising order, their weights with them. */
static void
sort_weighted(uint32 *item, double *weight, int n, RecPair *pairs)
{
	for (int i = 0; i < n; i++)
	{
		pairs[i].item = item[i];
		pairs[i].weight = weight[i];
		pairs[i].time = REC_NO_TIME;
	}
	sort_for_grouping(pairs, n);
	for (int i = 0; i < n; i++)
	{
		item[i] = pairs[i].item;
		weight[i] = pairs[i].weight;
	}
}

/* Puts each user's items in rising order. */
static void
sort_users(RecMatrix *matrix)
{
	RecPair    *pairs = NULL;

	if (matrix->user_weight)
		pairs = alloc_array(longest_run(matrix->user_start, matrix->nusers),
							sizeof(RecPair));
	for (uint32 u = 0; u < matrix->nusers; u++)
	{
		int64		from = matrix->user_start[u];
		int64		n = matrix->user_start[u + 1] - from;

		if (u % INTERRUPT_INTERVAL == 0)
			CHECK_FOR_INTERRUPTS();
		if (pairs)
			sort_weighted(matrix->user_item + from, matrix->user_weight + from,
						  (int) n, pairs);
		else
			sort_items(matrix->user_item + from, n);
	}
	if (pairs)
		pfree(pairs);
}

/* Fills in the rows by item; walks users in order, so each row rises. */
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
 * True when the order of users can show in the last bits of some result, so
 * that the matrix must be built with their ranks.  Without weights there are
 * whole numbers to add only, unless users have weights of their own.
 */
bool
rec_matrix_needs_user_ranks(const RecStream *stream, const RecOptions *options)
{
	bool		whole = stream->weight == NULL &&
	(stream->time == NULL || options->half_life <= 0);

	if (!whole || options->user_exponent != 0)
		return true;
	return rec_weighting_use(options) == REC_WEIGHTS_CHANGED;
}

/*
 * Makes the matrix of a stream by the options' decay, repeats, max_history
 * and weighting.  An empty stream gives an empty matrix.  The stream is only
 * read and may be freed afterwards.
 */
RecMatrix *
rec_matrix_build(const RecStream *stream, const RecIds *ids,
				 const RecOptions *options)
{
	RecMatrix  *matrix = palloc0_object(RecMatrix);
	UserPairs	pairs;

	collect_pairs(&pairs, stream, ids, options);
	renumber_items(matrix, &pairs, ids);
	number_users(matrix, &pairs, ids);
	use_weights(&pairs, options);
	matrix->user_item = pairs.item;
	matrix->user_weight = pairs.weight;
	sort_users(matrix);
	if (pairs.weight)
		rec_weighting_apply(matrix, options);
	fill_items(matrix, options);
	return matrix;
}
