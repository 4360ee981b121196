/*-------------------------------------------------------------------------
 *
 * similarity_row.c
 *	  The best neighbours of one item.
 *
 * One row of the product of the matrix with its transpose at a time
 * (Gustavson 1978): for each user of item i, for each item j of that user,
 * add to the counter of j.  Then the counters are turned into similarities
 * and the best are kept.  Work is the sum over users of the square of their
 * items; memory is a few bytes per item.
 *
 * Most of the time would go into the second half.  So it is done in steps
 * that each throw out most of what is left, the cheapest first, on arrays
 * that stay in the nearest cache, with few branches for the processor to
 * guess:
 *
 * 1. Items are numbered by popularity: hot counters share cache lines, and
 *	  equal scores need no comparison of ids, as of two the first wins.
 *	  Counters are as narrow as the row's users allow, mostly one byte.
 *	  Blocks of 64 that nobody touched are left out.
 * 2. A sample of the blocks gives a limit that some twice k similarities
 *	  should reach.  Should fewer than k do, the row is done again without.
 * 3. In each block the least popular item says how many common users it
 *	  takes to reach the limit (see measure.c), and one comparison of whole
 *	  vectors of counters finds those that have as many.  With weights, d is
 *	  compared with a bound of its own.
 * 4. The formula, a division or some logarithms, is for the survivors, and
 *	  topk.c selects among those that do reach the limit.
 *
 * All of it decides only what to leave out: results are those of computing
 * everything and sorting.
 *
 * Knows numbers only: no Datum, no SPI.  Working memory is a child of the
 * current context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity_row.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "similarity_row.h"
#include "sqlutil.h"
#include "utils/memutils.h"

#define BLOCK_SIZE			64	/* counters to a block: bits of a mask */
#define SEGMENT_BLOCKS		32	/* blocks whose survivors are judged at once */
#define SEGMENT_SIZE		(SEGMENT_BLOCKS * BLOCK_SIZE)
#define INTERRUPT_WORK		10000	/* additions between interrupt checks */
#define SAMPLE_EXPECTED		5	/* of the best k that a sample should meet */
#define SAMPLE_BLOCKS		128 /* of a sample, at most twice as many */
#define SAMPLE_SIZE			1000	/* similarities that are enough */
#define DENSE_SHARE			4	/* additions per this many items: all dirty */
#define PREFETCH_STARTS		24	/* how far ahead of the counting */
#define PREFETCH_LISTS		10
#define PREFETCH_ITEMS		128 /* of a list; the processor sees to the rest */
#define LINE_ITEMS			(PG_CACHE_LINE_SIZE / 2 / sizeof(uint32))

struct RecSimilarity
{
	const RecMatrix *matrix;
	const RecOptions *options;
	const RecMeasure *measure;
	MemoryContext context;

	/* of each item or user, made once */
	double	   *users;			/* of an item */
	double	   *row_factor;		/* as the row's item */
	double	   *other_factor;	/* as one of the others */
	double	   *user_factor;	/* 1 / n_u ^ user_exponent, or NULL for 1 */

	/* the row at hand */
	uint32		row;
	RecRowView	view;
	int64		work;			/* additions: the items of all its users */
	bool		dense;			/* so many that all blocks count as dirty */
	void	   *count;			/* users of both; all zero between rows */
	double	   *dot;			/* sums of products; NULL when counts say it
								 * all */
	double		dot_slope;		/* what d must reach: slope * factor + offset */
	double		dot_offset;
	uint32		nblocks;
	uint8	   *touched;		/* per block: has counters to look at */
	uint32	   *dirty;			/* the numbers of those blocks */
	uint32		ndirty;
	uint32	   *candidate;		/* SEGMENT_SIZE items that may be good enough */
	RecTopk		topk;
};

/* ----------------
 *		preparation
 * ----------------
 */

static void *
alloc_working(RecSimilarity *state, Size count, Size width)
{
	Size		size = mul_size(Max(count, 1), width);

	rec_memory_check(state->context, size);
	return MemoryContextAllocExtended(state->context, size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* The same, aligned for vectors. */
static void *
alloc_aligned(RecSimilarity *state, Size count, Size width)
{
	return (void *) CACHELINEALIGN(alloc_working(state, count * width + PG_CACHE_LINE_SIZE, 1));
}

static inline double
item_users(const RecMatrix *matrix, uint32 item)
{
	return (double) (matrix->item_start[item + 1] - matrix->item_start[item]);
}

static double
item_weight_sum(const RecMatrix *matrix, uint32 item, bool squared)
{
	double		sum = 0;

	if (matrix->item_weight == NULL)
		return item_users(matrix, item);
	for (int64 p = matrix->item_start[item]; p < matrix->item_start[item + 1]; p++)
	{
		double		x = matrix->item_weight[p];

		sum += squared ? x * x : x;
	}
	return sum;
}

static void
prepare_norms(RecSimilarity *state)
{
	uint32		nitems = state->matrix->nitems;

	state->row_factor = alloc_working(state, nitems, sizeof(double));
	state->other_factor = state->row_factor;
	for (uint32 i = 0; i < nitems; i++)
		state->row_factor[i] = sqrt(item_weight_sum(state->matrix, i, true));
}

static void
prepare_powers(RecSimilarity *state)
{
	const RecMatrix *matrix = state->matrix;
	const RecOptions *options = state->options;
	bool		swapped = options->truncate == REC_TRUNCATE_TARGET;

	state->row_factor = alloc_working(state, matrix->nitems, sizeof(double));
	state->other_factor = alloc_working(state, matrix->nitems, sizeof(double));
	for (uint32 i = 0; i < matrix->nitems; i++)
	{
		double		sum = item_weight_sum(matrix, i, false);
		double		source = pow(sum, options->source_exponent);
		double		target = pow(sum, options->target_exponent);

		state->row_factor[i] = swapped ? target : source;
		state->other_factor[i] = swapped ? source : target;
	}
	if (options->user_exponent == 0)
		return;
	state->user_factor = alloc_working(state, matrix->nusers, sizeof(double));
	for (uint32 u = 0; u < matrix->nusers; u++)
		state->user_factor[u] =
			pow((double) (matrix->user_start[u + 1] - matrix->user_start[u]),
				-options->user_exponent);
}

/* Makes what the measure needs to know of each item and user. */
static void
prepare_factors(RecSimilarity *state)
{
	const RecMatrix *matrix = state->matrix;

	state->users = alloc_working(state, matrix->nitems, sizeof(double));
	for (uint32 i = 0; i < matrix->nitems; i++)
		state->users[i] = item_users(matrix, i);
	if (state->measure->factor == REC_FACTOR_NORM)
		prepare_norms(state);
	else if (state->measure->factor == REC_FACTOR_POWER)
		prepare_powers(state);
}

/* Gives the last, least popular item of a block. */
static inline uint32
last_of_block(const RecSimilarity *state, uint32 block)
{
	return Min((block + 1) * BLOCK_SIZE, state->matrix->nitems) - 1;
}

/* Gives the bytes of a counter that can count so many. */
static inline int
counter_size(double largest)
{
	if (largest <= PG_UINT8_MAX)
		return sizeof(uint8);
	return largest <= PG_UINT16_MAX ? sizeof(uint16) : sizeof(uint32);
}

static void
prepare_counters(RecSimilarity *state)
{
	const RecMatrix *matrix = state->matrix;
	Size		ncounters;

	state->nblocks = (matrix->nitems + BLOCK_SIZE - 1) / BLOCK_SIZE;
	ncounters = (Size) state->nblocks * BLOCK_SIZE;
	state->count = alloc_aligned(state, ncounters,
								 matrix->nitems > 0 ? counter_size(state->users[0]) : 1);
	if (matrix->item_weight || state->user_factor)
		state->dot = alloc_working(state, ncounters, sizeof(double));
	state->touched = alloc_aligned(state, state->nblocks + BLOCK_SIZE, sizeof(uint8));
	state->dirty = alloc_working(state, state->nblocks + 1, sizeof(uint32));
	state->candidate = alloc_working(state, SEGMENT_SIZE + BLOCK_SIZE, sizeof(uint32));
}

static void
prepare_view(RecSimilarity *state)
{
	RecRowView *view = &state->view;
	MemoryContext old;

	view->options = state->options;
	view->swapped = state->options->truncate == REC_TRUNCATE_TARGET;
	view->nitems = state->matrix->nitems;
	view->all_users = state->matrix->nusers;
	view->users = state->users;
	view->factor = state->other_factor;
	view->dot = state->dot;
	if (state->measure->make_table == NULL)
		return;
	old = MemoryContextSwitchTo(state->context);
	view->table = state->measure->make_table(view);
	MemoryContextSwitchTo(old);
}

/*
 * Makes what it takes to compute rows of a matrix, until rec_row_end().  Both
 * arguments must stay.
 */
RecSimilarity *
rec_row_begin(const RecMatrix *matrix, const RecOptions *options)
{
	RecSimilarity *state = palloc0_object(RecSimilarity);

	state->context = AllocSetContextCreate(CurrentMemoryContext,
										   "recommender similarity",
										   ALLOCSET_DEFAULT_SIZES);
	state->matrix = matrix;
	state->options = options;
	state->measure = &rec_measures[options->measure];
	prepare_factors(state);
	prepare_counters(state);
	prepare_view(state);
	rec_topk_init(&state->topk, state->context, options->neighbors, SEGMENT_SIZE);
	return state;
}

/* ----------------
 *		counting
 * ----------------
 */

/* Additions that a row takes: the items of all its users. */
static int64
row_work(const RecMatrix *matrix, uint32 row)
{
	int64		work = 0;

	for (int64 p = matrix->item_start[row]; p < matrix->item_start[row + 1]; p++)
	{
		uint32		u = matrix->item_user[p];

		work += matrix->user_start[u + 1] - matrix->user_start[u];
	}
	return work;
}

#define COUNT_ITEMS(type) \
static inline void \
count_##type(type *restrict count, const uint32 *item, int64 n) \
{ \
	for (int64 q = 0; q < n; q++) \
		count[item[q]]++; \
}

COUNT_ITEMS(uint8)
COUNT_ITEMS(uint16)
COUNT_ITEMS(uint32)

static inline void
add_products(double *restrict dot, const uint32 *item, const double *weight,
			 int64 n, double x)
{
	for (int64 q = 0; q < n; q++)
		dot[item[q]] += weight ? x * weight[q] : x;
}

static inline void
touch_blocks(uint8 *restrict touched, const uint32 *item, int64 n)
{
	for (int64 q = 0; q < n; q++)
		touched[item[q] / BLOCK_SIZE] = 1;
}

/* Adds the p-th pair's user to the row; gives how many items that are. */
static inline int64
add_user(RecSimilarity *state, int64 p)
{
	const RecMatrix *matrix = state->matrix;
	uint32		u = matrix->item_user[p];
	int64		from = matrix->user_start[u];
	int64		n = matrix->user_start[u + 1] - from;
	const uint32 *item = matrix->user_item + from;

	if (state->view.count_size == sizeof(uint8))
		count_uint8(state->count, item, n);
	else if (state->view.count_size == sizeof(uint16))
		count_uint16(state->count, item, n);
	else
		count_uint32(state->count, item, n);
	if (!state->dense)
		touch_blocks(state->touched, item, n);
	if (state->dot)
	{
		double		x = matrix->item_weight ? matrix->item_weight[p] : 1;

		add_products(state->dot, item, matrix->user_weight ? matrix->user_weight + from : NULL,
					 n, state->user_factor ? x * state->user_factor[u] : x);
	}
	return n;
}

/*
 * The items of users to come are somewhere in a large array, and where they
 * are is somewhere in another one.
 */
static pg_attribute_always_inline void
prefetch_user(const RecMatrix *matrix, int64 p, int64 end)
{
	if (p + PREFETCH_STARTS < end)
		rec_prefetch(matrix->user_start + matrix->item_user[p + PREFETCH_STARTS]);
	if (p + PREFETCH_LISTS < end)
	{
		uint32		u = matrix->item_user[p + PREFETCH_LISTS];
		int64		from = matrix->user_start[u];
		int64		to = Min(matrix->user_start[u + 1], from + PREFETCH_ITEMS);

		for (int64 q = from; q < to; q += LINE_ITEMS)
			rec_prefetch(matrix->user_item + q);
	}
}

/* Fills the counters of the row's item with all others. */
static void
accumulate(RecSimilarity *state)
{
	const RecMatrix *matrix = state->matrix;
	int64		end = matrix->item_start[state->row + 1];
	int64		work = 0;

	for (int64 p = matrix->item_start[state->row]; p < end; p++)
	{
		prefetch_user(matrix, p, end);
		work += add_user(state, p);
		if (work > INTERRUPT_WORK)
		{
			CHECK_FOR_INTERRUPTS();
			work = 0;
		}
	}
	/* the item does not list itself */
	if (state->view.count_size == sizeof(uint8))
		((uint8 *) state->count)[state->row] = 0;
	else if (state->view.count_size == sizeof(uint16))
		((uint16 *) state->count)[state->row] = 0;
	else
		((uint32 *) state->count)[state->row] = 0;
}

/* ----------------
 *		the sweep over the counters
 * ----------------
 */

/*
 * Each gives a bit for each of the 64 counters that is not below "least",
 * which is above 0.  There is no comparison without sign, but there are a
 * maximum of bytes, and a subtraction of words that stops at 0.
 */
#ifdef __SSE2__

static inline uint64
hits_uint8(const uint8 *count, __m128i bound)
{
	__m128i		x = _mm_load_si128((const __m128i *) count);

	return (uint32) _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(x, bound), x));
}

static inline uint64
mask_uint8(const uint8 *count, uint32 least)
{
	__m128i		bound = _mm_set1_epi8((char) least);

	return hits_uint8(count, bound) | hits_uint8(count + 16, bound) << 16 |
		hits_uint8(count + 32, bound) << 32 | hits_uint8(count + 48, bound) << 48;
}

static inline uint64
misses_uint16(const uint16 *count, __m128i below)
{
	const __m128i *x = (const __m128i *) count;
	__m128i		a = _mm_subs_epu16(_mm_load_si128(x), below);
	__m128i		b = _mm_subs_epu16(_mm_load_si128(x + 1), below);
	__m128i		zero = _mm_setzero_si128();

	return (uint32) _mm_movemask_epi8(_mm_packs_epi16(_mm_cmpeq_epi16(a, zero),
													  _mm_cmpeq_epi16(b, zero)));
}

static inline uint64
mask_uint16(const uint16 *count, uint32 least)
{
	__m128i		below = _mm_set1_epi16((short) (least - 1));

	return ~(misses_uint16(count, below) | misses_uint16(count + 16, below) << 16 |
			 misses_uint16(count + 32, below) << 32 |
			 misses_uint16(count + 48, below) << 48);
}

#else							/* any machine */

#define MASK_COUNTERS(type) \
static inline uint64 \
mask_##type(const type *count, uint32 least) \
{ \
	uint64		mask = 0; \
\
	for (int i = 0; i < BLOCK_SIZE; i++) \
		mask |= (uint64) (count[i] >= least) << i; \
	return mask; \
}

MASK_COUNTERS(uint8)
MASK_COUNTERS(uint16)

#endif

static inline uint64
mask_uint32(const uint32 *count, uint32 least)
{
	uint64		mask = 0;

	for (int i = 0; i < BLOCK_SIZE; i++)
		mask |= (uint64) (count[i] >= least) << i;
	return mask;
}

/*
 * Lists the places of the bits of a mask, plus "first".  Mostly there is none
 * or one, for which a branch would be guessed wrong.
 */
static inline uint32 *
list_bits(uint64 mask, uint32 first, uint32 *out)
{
	*out = first + pg_rightmost_one_pos64(mask | (UINT64CONST(1) << 63));
	out += mask != 0;
	for (mask &= mask - 1; mask != 0; mask &= mask - 1)
		*out++ = first + pg_rightmost_one_pos64(mask);
	return out;
}

/* Lists the items of a mask whose products reach their bound. */
static inline uint32 *
list_products(uint64 mask, uint32 first, const RecSimilarity *state, uint32 *out)
{
	const double *dot = state->dot;
	const double *factor = state->other_factor;
	double		slope = state->dot_slope;
	double		offset = state->dot_offset;

	for (; mask != 0; mask &= mask - 1)
	{
		uint32		j = first + pg_rightmost_one_pos64(mask);

		*out = j;
		out += dot[j] >= slope * factor[j] + offset;
	}
	return out;
}

/*
 * Lists the items of some blocks that have as many users of both as the
 * block's bound wants, and products that reach the bound for those.
 */
#define LIST_ITEMS(type, largest) \
static uint32 * \
list_##type(const RecSimilarity *state, const uint32 *block, \
			const uint32 *least, int n) \
{ \
	const type *count = state->count; \
	uint32	   *out = state->candidate; \
\
	for (int b = 0; b < n; b++) \
	{ \
		uint32		first = block[b] * BLOCK_SIZE; \
\
		if (least[b] > largest) \
			continue; \
		if (state->dot == NULL) \
			out = list_bits(mask_##type(count + first, least[b]), first, out); \
		else \
			out = list_products(mask_##type(count + first, least[b]), first, \
								state, out); \
	} \
	return out; \
}

LIST_ITEMS(uint8, PG_UINT8_MAX)
LIST_ITEMS(uint16, PG_UINT16_MAX)
LIST_ITEMS(uint32, PG_UINT32_MAX)

static int
list_items(RecSimilarity *state, const uint32 *block, const uint32 *least, int n)
{
	const RecRowView *view = &state->view;
	double		limit = state->topk.limit * (1 - REC_SLACK);
	uint32	   *end;

	state->dot_slope = limit * view->row_factor;
	state->dot_offset = limit * state->options->shrinkage;
	if (view->count_size == sizeof(uint8))
		end = list_uint8(state, block, least, n);
	else if (view->count_size == sizeof(uint16))
		end = list_uint16(state, block, least, n);
	else
		end = list_uint32(state, block, least, n);
	return (int) (end - state->candidate);
}

/* Zeroes 64 bytes, faster than a call for so few. */
static inline void
clear_line(char *line)
{
#ifdef __SSE2__
	__m128i		zero = _mm_setzero_si128();

	_mm_storeu_si128((__m128i *) line, zero);
	_mm_storeu_si128((__m128i *) (line + 16), zero);
	_mm_storeu_si128((__m128i *) (line + 32), zero);
	_mm_storeu_si128((__m128i *) (line + 48), zero);
#else
	memset(line, 0, 64);
#endif
}

/* Lists the blocks that have counters to look at, and forgets about them. */
static void
list_dirty(RecSimilarity *state)
{
	uint32	   *out = state->dirty;

	for (uint32 block = 0; block < state->nblocks; block += 64)
	{
		out = list_bits(mask_uint8(state->touched + block, 1), block, out);
		clear_line((char *) state->touched + block);
	}
	state->ndirty = out - state->dirty;
}

/* As before, for a row that has something in most blocks. */
static void
list_all(RecSimilarity *state)
{
	for (uint32 block = 0; block < state->nblocks; block++)
		state->dirty[block] = block;
	state->ndirty = state->nblocks;
}

/* Gives how many common users the limit, or min_support, takes in a block. */
static inline uint32
least_common(const RecSimilarity *state, uint32 block, uint32 hint)
{
	uint32		support = Max(state->options->min_support, 1);
	RecBound	bound;

	if (state->dot)
		return support;
	bound.limit = state->topk.limit;
	bound.hint = hint;
	return Max(support, state->measure->least_common(&state->view,
													 last_of_block(state, block), &bound));
}

/*
 * Fills in how many common users it takes in each of some blocks to reach the
 * limit.  Blocks come with falling popularity, and so do the numbers: what
 * lies between equal ones is equal.
 */
static void
fill_least(RecSimilarity *state, const uint32 *block, uint32 *least, int from, int to)
{
	int			middle = from + (to - from) / 2;

	if (least[from] == least[to])
	{
		for (int b = from + 1; b < to; b++)
			least[b] = least[from];
		return;
	}
	if (to - from < 2)
		return;
	least[middle] = least_common(state, block[middle], least[from]);
	fill_least(state, block, least, from, middle);
	fill_least(state, block, least, middle, to);
}

/*
 * Lists the items of some dirty blocks that may reach the limit; gives their
 * number.
 */
static int
list_candidates(RecSimilarity *state, const uint32 *block, int n)
{
	uint32		least[SEGMENT_BLOCKS];

	least[0] = least_common(state, block[0], 1);
	least[n - 1] = least_common(state, block[n - 1], least[0]);
	fill_least(state, block, least, 0, n - 1);
	return list_items(state, block, least, n);
}

/* Judges a sample of the blocks, every so many, by estimate. */
static void
judge_sample(RecSimilarity *state, uint32 stride)
{
	uint32		block[SEGMENT_BLOCKS];
	uint32		least[SEGMENT_BLOCKS];
	uint32		d = stride / 2;

	while (d < state->ndirty && state->topk.n < SAMPLE_SIZE)
	{
		int			n = 0;

		for (; d < state->ndirty && n < SEGMENT_BLOCKS; d += stride)
		{
			block[n] = state->dirty[d];
			least[n++] = Max(state->options->min_support, 1);
		}
		n = list_items(state, block, least, n);
		rec_topk_make_room(&state->topk, n);
		state->measure->estimate(&state->view, state->candidate, n, &state->topk);
	}
}

/*
 * Raises the limit to what more than twice as many as wanted are likely to
 * reach, by a sample that should meet SAMPLE_EXPECTED of the best.
 */
static void
guess_limit(RecSimilarity *state)
{
	RecTopk    *topk = &state->topk;
	uint32		stride = topk->k / SAMPLE_EXPECTED;
	int			rank;

	if (stride < 2 || state->work < 2 * topk->k)
		return;
	stride = Max(stride, state->ndirty / SAMPLE_BLOCKS);
	rank = 5 + topk->k * 7 / 5 / stride;
	judge_sample(state, stride);
	if (topk->n > rank)
		topk->limit = rec_topk_value(topk, rank);
	topk->n = 0;
}

/* Zeroes the counters of some dirty blocks. */
static void
clear_counters(RecSimilarity *state, uint32 from, uint32 to)
{
	int			size = state->view.count_size;

	for (uint32 d = from; d < to; d++)
	{
		Size		first = (Size) state->dirty[d] * BLOCK_SIZE;
		char	   *count = (char *) state->count + first * size;

		for (int i = 0; i < size; i++)
			clear_line(count + i * BLOCK_SIZE);
		for (int i = 0; state->dot && i < BLOCK_SIZE; i += 8)
			clear_line((char *) (state->dot + first + i));
	}
}

/*
 * Turns the counters into the best neighbours.  They are zeroed on the way,
 * while they are in the processor's nearest cache.
 */
static void
sweep(RecSimilarity *state)
{
	RecTopk    *topk = &state->topk;

	for (uint32 d = 0; d < state->ndirty; d += SEGMENT_BLOCKS)
	{
		uint32		end = Min(d + SEGMENT_BLOCKS, state->ndirty);
		int			n = list_candidates(state, state->dirty + d, end - d);

		rec_topk_make_room(topk, SEGMENT_SIZE);
		state->measure->judge(&state->view, state->candidate, n, topk);
		clear_counters(state, d, end);
	}
}

static void
begin_row(RecSimilarity *state, uint32 row)
{
	RecRowView *view = &state->view;

	state->row = row;
	state->work = row_work(state->matrix, row);
	state->dense = state->work > (int64) state->matrix->nitems / DENSE_SHARE;
	view->row_users = state->users[row];
	view->row_factor = state->row_factor ? state->row_factor[row] : 0;
	view->count = state->count;
	view->count_size = counter_size(view->row_users);
}

/*
 * Gives the best neighbours of an item, best first, in "best" and "n" of the
 * result, which is good until the next call.  With truncation per target, the
 * item is the target of those.
 */
const RecTopk *
rec_row_compute(RecSimilarity *state, uint32 row)
{
	RecTopk    *topk = &state->topk;

	begin_row(state, row);
	for (bool guess = true;; guess = false)
	{
		accumulate(state);
		if (state->dense)
			list_all(state);
		else
			list_dirty(state);
		topk->n = 0;
		topk->limit = REC_LEAST_SIMILARITY;
		if (guess)
			guess_limit(state);
		sweep(state);
		/* a limit that was too high takes another turn without one */
		if (topk->n >= topk->k || topk->limit == REC_LEAST_SIMILARITY)
			break;
	}
	rec_topk_finish(topk);
	return topk;
}

/* Frees all. */
void
rec_row_end(RecSimilarity *state)
{
	MemoryContextDelete(state->context);
	pfree(state);
}
