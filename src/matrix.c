/*-------------------------------------------------------------------------
 *
 * matrix.c
 *	  The stream of interactions and the sparse matrix made of it.
 *
 * The stream is a set of columns that grow; a column that would say the same
 * of every row (weight 1, no time) does not exist.  The matrix is made in
 * four passes, each linear in the interactions but for small sorts:
 *
 * 1. a counting sort by user;
 * 2. per user: decay, repeats of an item combined, pairs that do not count
 *	  dropped, the newest max_history kept;
 * 3. items numbered by popularity, and a counting pass to the rows by item,
 *	  which leaves each item's users in rising order;
 * 4. the weighting, and a counting pass back, which leaves each user's items
 *	  in rising order.
 *
 * Users and items come in orders that depend on their ids alone, so sums of
 * floating-point numbers are the same bits whatever the order of the stream:
 * a parallel plan gives what a serial one gives.
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
#include "miscadmin.h"
#include "similarity.h"
#include "sqlutil.h"
#include "utils/memutils.h"

#define INTERRUPT_INTERVAL	4096

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

/* Gives the stream's row numbers in order of user rank, and where each starts. */
static uint32 *
order_by_user(const RecStream *stream, const RecIds *ids, int64 *start)
{
	uint32	   *order = alloc_array(stream->count, sizeof(uint32));
	int64		total = 0;

	memset(start, 0, (ids->nusers + 1) * sizeof(int64));
	for (int64 i = 0; i < stream->count; i++)
		start[ids->user_rank[stream->user[i]]]++;
	for (uint32 u = 0; u <= ids->nusers; u++)
	{
		int64		n = start[u];

		start[u] = total;
		total += n;
	}
	for (int64 i = 0; i < stream->count; i++)
		order[start[ids->user_rank[stream->user[i]]]++] = (uint32) i;
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
	double	   *weight;			/* NULL when every weight is 1 */
} UserPairs;

static int
load_user(const RecStream *stream, const RecOptions *options,
		  const uint32 *order, int64 from, int64 to, RecPair *pairs)
{
	for (int64 i = from; i < to; i++)
	{
		RecPair	   *pair = &pairs[i - from];
		uint32		row = order[i];

		pair->item = stream->item[row];
		pair->time = stream->time ? stream->time[row] : REC_NO_TIME;
		pair->weight = stream->weight ? stream->weight[row] : 1;
		pair->weight *= rec_decay(options->half_life, stream->newest, pair->time);
	}
	return (int) (to - from);
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
collect_pairs(UserPairs *out, const RecStream *stream, const RecIds *ids,
			  const RecOptions *options)
{
	bool		ratings = rec_measures[options->measure].centring != REC_CENTRE_NONE;
	int64	   *start = alloc_array((Size) ids->nusers + 1, sizeof(int64));
	uint32	   *order = order_by_user(stream, ids, start);
	RecPair	   *pairs = alloc_array(longest_run(start, ids->nusers), sizeof(RecPair));
	int64		n = 0;

	out->start = start;
	out->item = alloc_array(stream->count, sizeof(uint32));
	out->weight = alloc_array(stream->count, sizeof(double));
	for (uint32 u = 0; u < ids->nusers; u++)
	{
		int			kept = load_user(stream, options, order, start[u], start[u + 1], pairs);

		if (u % INTERRUPT_INTERVAL == 0)
			CHECK_FOR_INTERRUPTS();
		kept = rec_pairs_combine(pairs, kept, options->repeats);
		if (!ratings)
			kept = drop_rejected(pairs, kept);
		if (kept > options->max_history)
		{
			rec_pairs_sort(pairs, kept, ids->item_rank);
			kept = options->max_history;
		}
		start[u] = n;
		for (int i = 0; i < kept; i++, n++)
		{
			out->item[n] = pairs[i].item;
			out->weight[n] = pairs[i].weight;
		}
	}
	start[ids->nusers] = n;
	pfree(pairs);
	pfree(order);
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
	int64		npairs = pairs->start[ids->nusers];
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
number_users(RecMatrix *matrix, const UserPairs *pairs, const RecIds *ids,
			 uint32 *number)
{
	uint32	   *by_rank = alloc_array(ids->nusers, sizeof(uint32));
	uint32		n = 0;

	for (uint32 id = 0; id < ids->nusers; id++)
		by_rank[ids->user_rank[id]] = id;
	for (uint32 u = 0; u < ids->nusers; u++)
	{
		number[u] = n;
		if (pairs->start[u + 1] > pairs->start[u])
			by_rank[n++] = by_rank[u];
	}
	matrix->nusers = n;
	matrix->user_id = by_rank;
}

/* Fills in the rows by item; walks users in order, so each row rises. */
static void
fill_items(RecMatrix *matrix, const UserPairs *pairs, const RecIds *ids)
{
	uint32	   *item_number = number_items(matrix, pairs, ids);
	uint32	   *user_number = alloc_array(ids->nusers, sizeof(uint32));
	int64	   *next = alloc_array(matrix->nitems, sizeof(int64));

	number_users(matrix, pairs, ids, user_number);
	memcpy(next, matrix->item_start, matrix->nitems * sizeof(int64));
	matrix->item_user = alloc_array(matrix->npairs, sizeof(uint32));
	matrix->item_weight = alloc_array(matrix->npairs, sizeof(double));
	for (uint32 u = 0; u < ids->nusers; u++)
	{
		if (u % INTERRUPT_INTERVAL == 0)
			CHECK_FOR_INTERRUPTS();
		for (int64 i = pairs->start[u]; i < pairs->start[u + 1]; i++)
		{
			int64		at = next[item_number[pairs->item[i]]]++;

			matrix->item_user[at] = user_number[u];
			matrix->item_weight[at] = pairs->weight[i];
		}
	}
	pfree(item_number);
	pfree(user_number);
	pfree(next);
}

static void
sum_items(RecMatrix *matrix)
{
	matrix->item_sum = alloc_array(matrix->nitems, sizeof(double));
	for (uint32 i = 0; i < matrix->nitems; i++)
	{
		double		sum = 0;

		for (int64 p = matrix->item_start[i]; p < matrix->item_start[i + 1]; p++)
			sum += matrix->item_weight[p];
		matrix->item_sum[i] = sum;
	}
}

/* Counts each user's pairs into user_start, as offsets. */
static void
count_users(RecMatrix *matrix)
{
	int64	   *start = alloc_zero_array((Size) matrix->nusers + 1, sizeof(int64));

	for (int64 p = 0; p < matrix->npairs; p++)
		start[matrix->item_user[p] + 1]++;
	for (uint32 u = 0; u < matrix->nusers; u++)
		start[u + 1] += start[u];
	matrix->user_start = start;
}

/*
 * tfidf: sqrt(x) * (1 + ln((M + 1) / (n_u + 1))), Lucene's ClassicSimilarity
 * with items as documents and users as terms.
 */
static double
weigh_tfidf(double x, double nitems, double user_items)
{
	return sqrt(x) * (1 + log((nitems + 1) / (user_items + 1)));
}

/*
 * bm25 (Robertson and Zaragoza 2009), with Lucene's inverse document
 * frequency, which is above zero for every user.
 */
static double
weigh_bm25(double x, double nitems, double user_items, double length,
		   const RecOptions *options)
{
	double		k1 = options->bm25_k1;
	double		b = options->bm25_b;
	double		idf = log(1 + (nitems - user_items + 0.5) / (user_items + 0.5));

	return idf * (x * (k1 + 1)) / (x + k1 * (1 - b + b * length));
}

static void
apply_weighting(RecMatrix *matrix, const RecOptions *options)
{
	double		nitems = matrix->nitems;
	double		total = 0;

	for (uint32 i = 0; i < matrix->nitems; i++)
		total += matrix->item_sum[i];
	for (uint32 i = 0; i < matrix->nitems; i++)
	{
		double		length = matrix->item_sum[i] / (total / nitems);

		for (int64 p = matrix->item_start[i]; p < matrix->item_start[i + 1]; p++)
		{
			uint32		u = matrix->item_user[p];
			double		n_u = (double) (matrix->user_start[u + 1] - matrix->user_start[u]);
			double	   *x = &matrix->item_weight[p];

			if (options->weighting == REC_WEIGHTING_LOG)
				*x = log1p(*x);
			else if (options->weighting == REC_WEIGHTING_TFIDF)
				*x = weigh_tfidf(*x, nitems, n_u);
			else
				*x = weigh_bm25(*x, nitems, n_u, length, options);
		}
	}
}

/* Gives a rating less the mean; what only rounding leaves is nothing. */
static inline double
centred(double rating, double mean)
{
	double		rest = rating - mean;

	return fabs(rest) <= 1e-12 * fabs(mean) ? 0 : rest;
}

/* Takes the mean of the item's ratings from each of them. */
static void
centre_by_item(RecMatrix *matrix)
{
	for (uint32 i = 0; i < matrix->nitems; i++)
	{
		int64		from = matrix->item_start[i];
		int64		to = matrix->item_start[i + 1];
		double		mean = matrix->item_sum[i] / (double) (to - from);

		for (int64 p = from; p < to; p++)
			matrix->item_weight[p] = centred(matrix->item_weight[p], mean);
	}
}

/* Takes the mean of the user's ratings from each of them. */
static void
centre_by_user(RecMatrix *matrix)
{
	double	   *mean = alloc_zero_array(matrix->nusers, sizeof(double));

	for (int64 p = 0; p < matrix->npairs; p++)
		mean[matrix->item_user[p]] += matrix->item_weight[p];
	for (uint32 u = 0; u < matrix->nusers; u++)
		mean[u] /= (double) (matrix->user_start[u + 1] - matrix->user_start[u]);
	for (int64 p = 0; p < matrix->npairs; p++)
		matrix->item_weight[p] = centred(matrix->item_weight[p],
										 mean[matrix->item_user[p]]);
	pfree(mean);
}

static bool
all_ones(const double *weight, int64 n)
{
	for (int64 i = 0; i < n; i++)
		if (weight[i] != 1)
			return false;
	return true;
}

/* Replaces weights by what the measure is to see of them. */
static void
weigh(RecMatrix *matrix, const RecOptions *options)
{
	const RecMeasure *measure = &rec_measures[options->measure];

	if (measure->centring == REC_CENTRE_ITEM)
		centre_by_item(matrix);
	else if (measure->centring == REC_CENTRE_USER)
		centre_by_user(matrix);
	else if (measure->counts_only || options->weighting == REC_WEIGHTING_BINARY ||
			 (options->weighting == REC_WEIGHTING_NONE &&
			  all_ones(matrix->item_weight, matrix->npairs)))
	{
		pfree(matrix->item_weight);
		matrix->item_weight = NULL;
	}
	else if (options->weighting != REC_WEIGHTING_NONE)
		apply_weighting(matrix, options);
}

/* Fills in the rows by user; walks items in order, so each row rises. */
static void
fill_users(RecMatrix *matrix)
{
	int64	   *next = alloc_array(matrix->nusers, sizeof(int64));

	memcpy(next, matrix->user_start, matrix->nusers * sizeof(int64));
	matrix->user_item = alloc_array(matrix->npairs, sizeof(uint32));
	if (matrix->item_weight)
		matrix->user_weight = alloc_array(matrix->npairs, sizeof(double));
	for (uint32 i = 0; i < matrix->nitems; i++)
	{
		if (i % INTERRUPT_INTERVAL == 0)
			CHECK_FOR_INTERRUPTS();
		for (int64 p = matrix->item_start[i]; p < matrix->item_start[i + 1]; p++)
		{
			int64		at = next[matrix->item_user[p]]++;

			matrix->user_item[at] = i;
			if (matrix->user_weight)
				matrix->user_weight[at] = matrix->item_weight[p];
		}
	}
	pfree(next);
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
	fill_items(matrix, &pairs, ids);
	pfree(pairs.start);
	pfree(pairs.item);
	pfree(pairs.weight);
	sum_items(matrix);
	count_users(matrix);
	weigh(matrix, options);
	fill_users(matrix);
	return matrix;
}
