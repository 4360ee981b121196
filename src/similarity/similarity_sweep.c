/*-------------------------------------------------------------------------
 *
 * similarity_sweep.c
 *	  From counters to the best neighbours of one item.
 *
 * This would take most of the time.  So it is done in steps, the cheapest first,
 * each of which removes most of the rest.  They work on arrays that stay in the
 * nearest cache, with few unpredictable branches:
 *
 * 1. Blocks of 64 empty counters are skipped.
 * 2. A sample of the other blocks yields a limit that about 2 k similarities
 *	  should reach.  If fewer than k do, the row is repeated without a limit.
 * 3. The least popular item of each block determines how many common users are
 *	  needed to reach the limit (see measure.c), and one comparison of whole
 *	  vectors of counters finds the items that have as many.  With weights, sums
 *	  of products are compared with the value that each must reach; where there
 *	  are many, they are first compared as vectors with the value at the block's
 *	  least norm.
 * 4. The formula, a division or some logarithms, is computed for the survivors
 *	  only, and topk.c selects among those that reach the limit.
 *
 * All this only decides what to skip: the result is that of computing everything
 * and sorting.
 *
 * Numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity_sweep.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "port/pg_bitutils.h"
#include "similarity/similarity_sweep.h"

#define BLOCK_SIZE			REC_BLOCK_SIZE
#define SEGMENT_BLOCKS		REC_SEGMENT_BLOCKS
#define CROWD				8	/* additions to a block from which on it is crowded */
#define SAMPLE_EXPECTED		5	/* of the best k that a sample should contain */
#define SAMPLE_BLOCKS		128 /* of a sample, at most twice as many */
#define SAMPLE_SIZE			1000	/* similarities that are enough */

/* ----------------
 *		64 counters at a time
 * ----------------
 */

/*
 * These functions return a bit for each of 64 counters that is not below
 * "least", which is greater than 0. SSE2 has no unsigned comparison, but a
 * maximum of bytes and a saturating subtraction of words.
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

/* Return the results of comparing 4 products, 32 bits each. */
static inline __m128i
compare_products(const double *dot, __m128d bound)
{
	__m128d		a = _mm_cmpge_pd(_mm_load_pd(dot), bound);
	__m128d		b = _mm_cmpge_pd(_mm_load_pd(dot + 2), bound);

	return _mm_castps_si128(_mm_shuffle_ps(_mm_castpd_ps(a), _mm_castpd_ps(b), 0x88));
}

/* Return a bit for each of 64 sums of products that is not below "least". */
static inline uint64
mask_products(const double *dot, double least)
{
	__m128d		bound = _mm_set1_pd(least);
	uint64		mask = 0;

	for (int i = 0; i < BLOCK_SIZE; i += 16)
	{
		__m128i		a = _mm_packs_epi32(compare_products(dot + i, bound),
										compare_products(dot + i + 4, bound));
		__m128i		b = _mm_packs_epi32(compare_products(dot + i + 8, bound),
										compare_products(dot + i + 12, bound));

		mask |= (uint64) (uint32) _mm_movemask_epi8(_mm_packs_epi16(a, b)) << i;
	}
	return mask;
}

/* Return whether any of 64 bytes is not zero. */
static inline bool
line_is_used(const char *line)
{
	const __m128i *x = (const __m128i *) line;
	__m128i		all = _mm_or_si128(_mm_or_si128(_mm_load_si128(x), _mm_load_si128(x + 1)),
								   _mm_or_si128(_mm_load_si128(x + 2), _mm_load_si128(x + 3)));

	return _mm_movemask_epi8(_mm_cmpeq_epi8(all, _mm_setzero_si128())) != 0xFFFF;
}

/* Zero 64 bytes; faster than a function call. */
static inline void
clear_line(char *line)
{
	__m128i		zero = _mm_setzero_si128();

	_mm_store_si128((__m128i *) line, zero);
	_mm_store_si128((__m128i *) (line + 16), zero);
	_mm_store_si128((__m128i *) (line + 32), zero);
	_mm_store_si128((__m128i *) (line + 48), zero);
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

static inline uint64
mask_products(const double *dot, double least)
{
	uint64		mask = 0;

	for (int i = 0; i < BLOCK_SIZE; i++)
		mask |= (uint64) (dot[i] >= least) << i;
	return mask;
}

static inline bool
line_is_used(const char *line)
{
	uint64		words[8];

	memcpy(words, line, sizeof(words));
	return (words[0] | words[1] | words[2] | words[3] |
			words[4] | words[5] | words[6] | words[7]) != 0;
}

static inline void
clear_line(char *line)
{
	memset(line, 0, 64);
}

#endif

static inline uint64
mask_uint32(const uint32 *count, uint32 least)
{
	uint64		mask = 0;

	for (int i = 0; i < BLOCK_SIZE; i++)
		mask |= (uint64) (count[i] >= least) << i;
	return mask;
}

/* List the lowest bit of a mask, if any, and clear it. */
static inline uint32 *
list_bit(uint64 *mask, uint32 first, uint32 *out)
{
	*out = first + pg_rightmost_one_pos64(*mask | (UINT64CONST(1) << 63));
	out += *mask != 0;
	*mask &= *mask - 1;
	return out;
}

/*
 * List the places of the bits of a mask, plus "first". There are rarely more
 * than three; a branch on their number would be mispredicted.
 */
static inline uint32 *
list_bits(uint64 mask, uint32 first, uint32 *out)
{
	out = list_bit(&mask, first, out);
	out = list_bit(&mask, first, out);
	out = list_bit(&mask, first, out);
	while (mask != 0)
		out = list_bit(&mask, first, out);
	return out;
}

/* ----------------
 *		blocks that have something in them
 * ----------------
 */

/* List the blocks that were marked, and clear the marks. */
static uint32 *
list_marked(RecSimilarity *state, uint32 *out)
{
	for (uint32 block = 0; block < state->nblocks; block += 64)
	{
		out = list_bits(mask_uint8(state->touched + block, 1), block, out);
		clear_line((char *) state->touched + block);
	}
	return out;
}

/* List the blocks whose counters are not all zero. */
static uint32 *
list_used(RecSimilarity *state, uint32 *out)
{
	int			lines = state->view.count_size;
	const char *line = state->count;

	for (uint32 block = 0; block < state->nblocks; block++)
	{
		bool		used = false;

		for (int i = 0; i < lines; i++, line += 64)
			used |= line_is_used(line);
		*out = block;
		out += used;
	}
	return out;
}

/* List the blocks that have counters to look at. */
void
rec_similarity_sweep_find_dirty(RecSimilarity *state)
{
	uint32	   *end = state->dense ? list_used(state, state->dirty) :
	list_marked(state, state->dirty);

	state->ndirty = end - state->dirty;
	state->crowded = state->dot && state->work > (int64) state->ndirty * CROWD;
}

/* ----------------
 *		items that may be good enough
 * ----------------
 */

/*
 * Keep the items of a block whose products may reach the limit, which is
 * certain not to be so if they do not reach it at the block's least norm.
 */
static inline uint64
keep_products(uint64 mask, uint32 block, const RecSimilarity *state)
{
	return mask & mask_products(state->dot + block * BLOCK_SIZE,
								state->dot_slope * state->block_norm[block] + state->dot_offset);
}

/*
 * List the items of some blocks that have as many common users as the block's
 * bound requires. In crowded blocks products are compared here.
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
		uint64		mask; \
\
		if (least[b] > largest) \
			continue; \
		mask = mask_##type(count + first, least[b]); \
		if (state->crowded) \
			mask = keep_products(mask, block[b], state); \
		out = list_bits(mask, first, out); \
	} \
	return out; \
}

LIST_ITEMS(uint8, PG_UINT8_MAX)
LIST_ITEMS(uint16, PG_UINT16_MAX)
LIST_ITEMS(uint32, PG_UINT32_MAX)

/* Keep the items whose products reach the limit. */
static uint32 *
filter_products(const RecSimilarity *state, uint32 *item, uint32 *end)
{
	const double *dot = state->dot;
	const double *norm = state->other_norm;
	double		slope = state->dot_slope;
	double		offset = state->dot_offset;
	uint32	   *out = item;

	for (; item < end; item++)
	{
		uint32		j = *item;

		*out = j;
		out += dot[j] >= slope * norm[j] + offset;
	}
	return out;
}

static int
list_items(RecSimilarity *state, const uint32 *block, const uint32 *least, int n)
{
	const RecRowView *view = &state->view;
	double		limit = state->topk.limit * (1 - REC_SLACK);
	uint32	   *end;

	state->dot_slope = limit * view->row_norm;
	state->dot_offset = limit * state->options->shrinkage;
	if (view->count_size == sizeof(uint8))
		end = list_uint8(state, block, least, n);
	else if (view->count_size == sizeof(uint16))
		end = list_uint16(state, block, least, n);
	else
		end = list_uint32(state, block, least, n);
	if (state->dot)
		end = filter_products(state, state->candidate, end);
	return (int) (end - state->candidate);
}

/*
 * Return how many common users are needed in a block for the limit and
 * min_support.
 */
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
													 rec_similarity_state_last_of_block(state, block), &bound));
}

/*
 * Fill in how many common users are needed in each of some blocks to reach
 * the limit. Both blocks and numbers are in the order of popularity, so that
 * numbers between two equal ones are equal.
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
 * List the items of some dirty blocks that may reach the limit. Return their
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

/* Score a sample of the blocks, one in "stride", by estimate. */
static void
score_sample(RecSimilarity *state, uint32 stride)
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
 * Raise the limit to a value that more than twice k similarities are likely
 * to reach, from a sample that should contain SAMPLE_EXPECTED of the best k.
 */
void
rec_similarity_sweep_guess_limit(RecSimilarity *state)
{
	RecTopk    *topk = &state->topk;
	uint32		stride = topk->k / SAMPLE_EXPECTED;
	int			rank;

	if (stride < 2 || state->work < 2 * topk->k)
		return;
	stride = Max(stride, state->ndirty / SAMPLE_BLOCKS);
	rank = 5 + topk->k * 7 / 5 / stride;
	score_sample(state, stride);
	if (topk->n > rank)
		topk->limit = rec_topk_value(topk, rank);
	topk->n = 0;
}

/* Zero the counters of some dirty blocks. */
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
 * Turn the counters into the best neighbours. Counters are zeroed while they
 * are in the nearest cache.
 */
void
rec_similarity_sweep(RecSimilarity *state)
{
	RecTopk    *topk = &state->topk;

	for (uint32 d = 0; d < state->ndirty; d += SEGMENT_BLOCKS)
	{
		uint32		end = Min(d + SEGMENT_BLOCKS, state->ndirty);
		int			n = list_candidates(state, state->dirty + d, end - d);

		rec_topk_make_room(topk, REC_SEGMENT_SIZE);
		state->measure->score(&state->view, state->candidate, n, topk);
		clear_counters(state, d, end);
	}
}
