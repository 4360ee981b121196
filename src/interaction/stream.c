/*-------------------------------------------------------------------------
 *
 * stream.c
 *	  Interactions as they are read, in columns.
 *
 * A column with the same value in every row (weight 1, no time) does not
 * exist, and the others have as few bytes as possible (packed_column.c).  Long
 * columns grow by a small part, so that most of the memory that is counted is
 * in use.
 *
 * Grouping rows by user is a radix sort in place, which needs no second copy
 * of the interactions: the rows are cut into 256 parts by the highest bits of
 * the user (McIlroy, Bostic and McIlroy 1993), each of them again, until a
 * part fits into the processor's cache, where it is sorted by counting.
 *
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/stream.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "interaction/stream.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "port/pg_bitutils.h"

#define FIRST_ROWS			16	/* rows of a new stream */
#define RADIX_BITS			8
#define RADIX				(1 << RADIX_BITS)
#ifdef USE_ASSERT_CHECKING
#define CACHED_ROWS			16	/* small, so that tests cut parts, too */
#else
#define CACHED_ROWS			131072	/* sorted by counting, at most; ... */
#endif
#define CACHED_PART			64	/* ... of all rows, one in so many, ... */
#define LEAST_CACHED		1024	/* ... but at least this many */
#define INTERRUPT_ROWS		65536	/* between interrupt checks */

/* ----------------
 *		columns
 * ----------------
 */

StaticAssertDecl(REC_NO_TIME == REC_NOT_KNOWN, "a time that is none is a value that is not known");

/* Make an empty stream whose columns live in "mcxt". */
RecStream *
rec_stream_create(MemoryContext mcxt)
{
	RecStream  *stream = MemoryContextAllocZero(mcxt, sizeof(RecStream));

	stream->mcxt = mcxt;
	stream->newest = REC_NO_TIME;
	stream->allocated = FIRST_ROWS;
	rec_packed_column_begin(&stream->user, mcxt, FIRST_ROWS, 1);
	rec_packed_column_begin(&stream->item, mcxt, FIRST_ROWS, 1);
	return stream;
}

static void
resize(RecStream *stream, int64 rows)
{
	stream->allocated = rows;
	rec_packed_column_resize(&stream->user, rows);
	rec_packed_column_resize(&stream->item, rows);
	rec_packed_column_resize(&stream->weight.steps, rows);
	rec_packed_column_resize(&stream->time.steps, rows);
}

/* Make room for "more" rows; an ERROR when maintenance_work_mem forbids it. */
void
rec_stream_reserve(RecStream *stream, int64 more)
{
	if (stream->count + more <= stream->allocated)
		return;
	if (stream->count + more > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot build a model of more than %u interactions",
						PG_UINT32_MAX)));
	resize(stream, rec_memory_budget_room(stream->allocated, stream->count + more));
}

/*
 * Add a column of weights, in which all rows so far have weight 1; "weight" is
 * one that will follow.
 */
void
rec_stream_begin_weights(RecStream *stream, double weight)
{
	rec_packed_column_begin_values(&stream->weight, stream->mcxt, stream->allocated,
					 stream->count, rec_packed_column_from_double(1), rec_packed_column_from_double(weight));
}

/* Append a row: the weight is finite, the time may be REC_NO_TIME. */
void
rec_stream_add(RecStream *stream, uint32 user, uint32 item, double weight,
			   int64 time)
{
	rec_stream_reserve(stream, 1);
	if (time != REC_NO_TIME && !rec_stream_has_times(stream))
		rec_packed_column_begin_values(&stream->time, stream->mcxt, stream->allocated,
						 stream->count, REC_NO_TIME, time);
	rec_packed_column_set(&stream->user, stream->count, user, stream->count);
	rec_packed_column_set(&stream->item, stream->count, item, stream->count);
	rec_stream_set_weight(stream, stream->count, weight);
	if (rec_stream_has_times(stream))
		rec_packed_column_set_value(&stream->time, stream->count, time, stream->count);
	if (time > stream->newest)
		stream->newest = time;
	stream->count++;
}

/* Return a copy in the current context. */
RecStream *
rec_stream_copy(const RecStream *stream)
{
	RecStream  *copy = MemoryContextAlloc(CurrentMemoryContext, sizeof(RecStream));

	*copy = *stream;
	copy->mcxt = CurrentMemoryContext;
	copy->allocated = Max(stream->count, FIRST_ROWS);
	rec_packed_column_copy(&copy->user, &stream->user, copy->mcxt, stream->count, copy->allocated);
	rec_packed_column_copy(&copy->item, &stream->item, copy->mcxt, stream->count, copy->allocated);
	rec_packed_column_copy(&copy->weight.steps, &stream->weight.steps, copy->mcxt, stream->count,
					copy->allocated);
	rec_packed_column_copy(&copy->time.steps, &stream->time.steps, copy->mcxt, stream->count,
					copy->allocated);
	return copy;
}

/* ----------------
 *		grouping
 * ----------------
 */

/* A row, as in the columns. */
typedef struct StreamRow
{
	uint64		user;
	uint64		item;
	uint64		weight;
	uint64		time;
} StreamRow;

typedef struct Grouping
{
	RecStream  *stream;
	RecStream  *cached;			/* rows that are being sorted by counting */
	int64		cached_rows;	/* rows that it has room for */
	uint32		nusers;
	int64	   *start;			/* of each user's rows */
} Grouping;

static inline void
load_row(const RecStream *stream, int64 at, StreamRow *row)
{
	row->user = rec_packed_column_get(&stream->user, at);
	row->item = rec_packed_column_get(&stream->item, at);
	if (rec_stream_has_weights(stream))
		row->weight = rec_packed_column_get(&stream->weight.steps, at);
	if (rec_stream_has_times(stream))
		row->time = rec_packed_column_get(&stream->time.steps, at);
}

static inline void
store_row(RecStream *stream, int64 at, const StreamRow *row)
{
	rec_packed_column_put(&stream->user, at, row->user);
	rec_packed_column_put(&stream->item, at, row->item);
	if (rec_stream_has_weights(stream))
		rec_packed_column_put(&stream->weight.steps, at, row->weight);
	if (rec_stream_has_times(stream))
		rec_packed_column_put(&stream->time.steps, at, row->time);
}

/* Copy rows of a column to the beginning of another column, which has room. */
static void
copy_rows(RecPacked *to, const RecPacked *from, int64 first, int64 n)
{
	if (from->bytes)
		memcpy(to->bytes, from->bytes + first * from->width, n * from->width);
}

/* Sort the rows of the users from "low" to before "high" by counting. */
static void
sort_by_counting(Grouping *grouping, int64 from, int64 to, uint32 low, uint32 high)
{
	RecStream  *stream = grouping->stream;
	RecStream  *cached = grouping->cached;
	int64	   *start = grouping->start;
	int64		next = from;

	copy_rows(&cached->user, &stream->user, from, to - from);
	copy_rows(&cached->item, &stream->item, from, to - from);
	copy_rows(&cached->weight.steps, &stream->weight.steps, from, to - from);
	copy_rows(&cached->time.steps, &stream->time.steps, from, to - from);
	memset(start + low, 0, (high - low) * sizeof(int64));
	for (int64 i = 0; i < to - from; i++)
		start[rec_stream_user(cached, i)]++;
	for (uint32 u = low; u < high; u++)
	{
		int64		n = start[u];

		start[u] = next;
		next += n;
	}
	for (int64 i = 0; i < to - from; i++)
	{
		StreamRow	row = {0};

		load_row(cached, i, &row);
		store_row(stream, start[row.user]++, &row);
	}
	/* each start has moved to its end, which is the next user's start */
	memmove(start + low + 1, start + low, (high - low - 1) * sizeof(int64));
	start[low] = from;
}

/*
 * Put rows in order of some bits of the user, which have "nparts" values: each
 * row goes to the next free place of its part, and the row that was there goes
 * on in turn.  "part" gets the start of each part, and the end of the last.
 */
static void
cut_into_parts(RecStream *stream, int64 from, int64 to, int shift, uint32 nparts,
			   int64 *part)
{
	int64		next[RADIX];
	int64		count[RADIX] = {0};

	for (int64 i = from; i < to; i++)
		count[(rec_stream_user(stream, i) >> shift) & (nparts - 1)]++;
	part[0] = from;
	for (uint32 d = 0; d < nparts; d++)
	{
		next[d] = part[d];
		part[d + 1] = part[d] + count[d];
	}
	for (uint32 d = 0; d < nparts; d++)
	{
		CHECK_FOR_INTERRUPTS();
		while (next[d] < part[d + 1])
		{
			StreamRow	row = {0};
			uint32		other;

			load_row(stream, next[d], &row);
			while ((other = (row.user >> shift) & (nparts - 1)) != d)
			{
				StreamRow	displaced = {0};

				load_row(stream, next[other], &displaced);
				store_row(stream, next[other]++, &row);
				row = displaced;
			}
			store_row(stream, next[d]++, &row);
		}
	}
}

/* Group the rows of the users from "low" on that differ in so many bits. */
static void
group_rows(Grouping *grouping, int64 from, int64 to, uint32 low, int bits)
{
	int			shift = Max(bits - RADIX_BITS, 0);
	uint32		nparts = 1 << (bits - shift);
	int64		part[RADIX + 1];

	if (to - from <= grouping->cached_rows)
	{
		uint64		high = Min((uint64) low + (UINT64CONST(1) << bits), grouping->nusers);

		sort_by_counting(grouping, from, to, low, (uint32) high);
		return;
	}
	if (bits == 0)
	{
		grouping->start[low] = from;
		return;
	}
	cut_into_parts(grouping->stream, from, to, shift, nparts, part);
	for (uint64 d = 0; d < nparts; d++)
	{
		uint64		first = low + (d << shift);

		CHECK_FOR_INTERRUPTS();
		if (first < grouping->nusers)
			group_rows(grouping, part[d], part[d + 1], (uint32) first, shift);
	}
}

/* Make a stream with the same columns and room for so many rows. */
static RecStream *
make_cached(const RecStream *stream, int64 rows)
{
	RecStream	none = *stream;
	RecStream  *cached;

	none.count = 0;
	cached = rec_stream_copy(&none);
	resize(cached, Max(rows, 1));
	return cached;
}

static void
free_columns(RecStream *stream)
{
	rec_packed_column_free(&stream->user);
	rec_packed_column_free(&stream->item);
	rec_packed_column_free(&stream->weight.steps);
	rec_packed_column_free(&stream->time.steps);
}

/* Replace users by their ranks. */
void
rec_stream_rank_users(RecStream *stream, const uint32 *rank)
{
	for (int64 i = 0; i < stream->count; i++)
	{
		if (i % INTERRUPT_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		rec_packed_column_put(&stream->user, i, rank[rec_stream_user(stream, i)]);
	}
}

/*
 * Put the rows in order of their users, which are below "nusers", and free the
 * column of users.  Return the place where each user's rows start, and the end
 * of the last, in the current context.
 */
int64 *
rec_stream_group(RecStream *stream, uint32 nusers)
{
	Grouping	grouping = {.stream = stream, .nusers = nusers};
	Size		size = mul_size((Size) nusers + 1, sizeof(int64));

	resize(stream, stream->count);
	rec_memory_budget_check(CurrentMemoryContext, size);
	grouping.start = MemoryContextAllocHuge(CurrentMemoryContext, size);
	grouping.cached_rows = Min(CACHED_ROWS, Max(stream->count / CACHED_PART, LEAST_CACHED));
	grouping.cached = make_cached(stream, Min(grouping.cached_rows, stream->count));
	if (nusers > 0)
		group_rows(&grouping, 0, stream->count, 0, pg_leftmost_one_pos32(nusers) + 1);
	grouping.start[nusers] = stream->count;
	free_columns(grouping.cached);
	pfree(grouping.cached);
	rec_packed_column_free(&stream->user);
	return grouping.start;
}

/* Free the column of times, which become unknown. */
void
rec_stream_forget_times(RecStream *stream)
{
	rec_packed_column_free(&stream->time.steps);
}

/*
 * Return the remaining columns of a stream after grouping: the items and, if
 * they are wanted and exist, the weights of the first "rows" rows.  The stream
 * keeps its count and its newest time.
 */
RecStreamRest
rec_stream_use_up(RecStream *stream, int64 rows, bool weights)
{
	RecStreamRest rest = {0};

	rec_stream_forget_times(stream);
	if (!weights)
		rec_packed_column_free(&stream->weight.steps);
	rest.item = rec_packed_column_give_numbers(&stream->item, rows);
	if (rec_stream_has_weights(stream))
		rest.weight = rec_packed_column_give_doubles(&stream->weight, rows);
	stream->allocated = 0;
	return rest;
}
