/*-------------------------------------------------------------------------
 *
 * similarity_count.c
 *	  Counting the common users of one item with all others.
 *
 * For each user of the row's item and each item of that user, the counter of the
 * item is incremented and, with weights, the product is added to its sum.  Memory
 * access is random here: the lists of the next users are prefetched, and the
 * order of items by popularity keeps the counters used most close together.
 *
 * Counters are as narrow as the row's users allow, mostly one byte.  Blocks of 64
 * counters that are not empty are marked on the way, unless there is so much to
 * count that searching for them afterwards takes less time.
 *
 * Numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity_count.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pg/prefetch.h"
#include "similarity/similarity_count.h"

#define INTERRUPT_WORK		10000	/* additions between interrupt checks */
#define PREFETCH_STARTS		24	/* how far ahead of the counting */
#define PREFETCH_LISTS		10
#define PREFETCH_ITEMS		128 /* of a list; the processor prefetches the rest */
#define LINE_ITEMS			(64 / sizeof(uint32))
#define LINE_WEIGHTS		(64 / sizeof(double))

/* The items of one user. */
typedef struct UserList
{
	int64		n;
	const uint32 *item;			/* rising */
	const double *weight;		/* NULL when all are 1 */
} UserList;

/*
 * The lists of the next users are scattered over a large array, and their
 * positions over another.
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
		for (int64 q = from; matrix->user_weight && q < to; q += LINE_WEIGHTS)
			rec_prefetch(matrix->user_weight + q);
	}
}

/* The loops over one list: count, or count and add products. */
#define COUNT_LIST(type) \
static inline void \
count_##type(type *restrict count, const UserList *list) \
{ \
	for (int64 q = 0; q < list->n; q++) \
		count[list->item[q]]++; \
} \
\
static inline void \
add_##type(type *restrict count, double *restrict dot, const UserList *list, double x) \
{ \
	for (int64 q = 0; q < list->n; q++) \
	{ \
		uint32		j = list->item[q]; \
\
		count[j]++; \
		dot[j] += list->weight ? x * list->weight[q] : x; \
	} \
}

COUNT_LIST(uint8)
COUNT_LIST(uint16)
COUNT_LIST(uint32)

static inline void
mark_blocks(uint8 *restrict touched, const UserList *list)
{
	for (int64 q = 0; q < list->n; q++)
		touched[list->item[q] / REC_BLOCK_SIZE] = 1;
}

/* Return the weight of the row's item in the list, by bisection. */
static inline double
own_weight(const UserList *list, uint32 row)
{
	const uint32 *at = list->item;

	if (list->weight == NULL)
		return 1;
	for (int64 n = list->n; n > 1;)
	{
		int64		half = n / 2;

		at += at[half] <= row ? half : 0;
		n -= half;
	}
	return list->weight[at - list->item];
}

static inline void
count_list(RecSimilarity *state, const UserList *list)
{
	if (state->view.count_size == sizeof(uint8))
		count_uint8(state->count, list);
	else if (state->view.count_size == sizeof(uint16))
		count_uint16(state->count, list);
	else
		count_uint32(state->count, list);
}

static inline void
add_list(RecSimilarity *state, const UserList *list, double x)
{
	if (state->view.count_size == sizeof(uint8))
		add_uint8(state->count, state->dot, list, x);
	else if (state->view.count_size == sizeof(uint16))
		add_uint16(state->count, state->dot, list, x);
	else
		add_uint32(state->count, state->dot, list, x);
}

/* Add a user's items to the row; return how many they are. */
static inline int64
add_user(RecSimilarity *state, uint32 user)
{
	const RecMatrix *matrix = state->matrix;
	int64		from = matrix->user_start[user];
	UserList	list = {matrix->user_start[user + 1] - from, matrix->user_item + from,
	matrix->user_weight ? matrix->user_weight + from : NULL};

	if (state->dot)
	{
		double		x = own_weight(&list, state->row);

		add_list(state, &list, state->user_scale ? x * state->user_scale[user] : x);
	}
	else
		count_list(state, &list);
	if (!state->dense)
		mark_blocks(state->touched, &list);
	return list.n;
}

/* Fill the counters of the row's item with all others. */
void
rec_similarity_count(RecSimilarity *state)
{
	const RecMatrix *matrix = state->matrix;
	int64		end = matrix->item_start[state->row + 1];
	int64		work = 0;

	for (int64 p = matrix->item_start[state->row]; p < end; p++)
	{
		prefetch_user(matrix, p, end);
		work += add_user(state, matrix->item_user[p]);
		if (work > INTERRUPT_WORK)
		{
			CHECK_FOR_INTERRUPTS();
			work = 0;
		}
	}
	/* the item is not its own neighbour */
	if (state->view.count_size == sizeof(uint8))
		((uint8 *) state->count)[state->row] = 0;
	else if (state->view.count_size == sizeof(uint16))
		((uint16 *) state->count)[state->row] = 0;
	else
		((uint32 *) state->count)[state->row] = 0;
}
