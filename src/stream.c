/*-------------------------------------------------------------------------
 *
 * stream.c
 *	  Interactions as they come, in columns.
 *
 * A column that would say the same of every row (weight 1, no time) does not
 * exist.  Columns grow by little when they are long, so that what is counted
 * as memory is about what is used.
 *
 * Grouping rows by user is a radix sort in place, so that it needs no second
 * copy of the interactions: the rows are cut into 256 parts by the highest
 * bits of the user (McIlroy, Bostic and McIlroy 1993), each of them again,
 * until a part fits into the processor's cache, where it is sorted by
 * counting.
 *
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/stream.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "budget.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "stream.h"

#define RADIX_BITS			8
#define RADIX				(1 << RADIX_BITS)
#ifdef USE_ASSERT_CHECKING
#define CACHED_ROWS			16	/* so that tests cut parts, too */
#else
#define CACHED_ROWS			131072	/* sorted by counting */
#endif
#define INTERRUPT_ROWS		65536	/* between interrupt checks */

/* ----------------
 *		columns
 * ----------------
 */

/* Makes an empty stream whose columns live in "context". */
RecStream *
rec_stream_create(MemoryContext context)
{
	RecStream  *stream = MemoryContextAllocZero(context, sizeof(RecStream));

	stream->context = context;
	stream->newest = REC_NO_TIME;
	return stream;
}

static Size
row_width(const RecStream *stream)
{
	return 2 * sizeof(uint32) + (stream->weight ? sizeof(double) : 0) +
		(stream->time ? sizeof(int64) : 0);
}

static void *
resize_column(RecStream *stream, void *column, Size width)
{
	Size		size = mul_size(stream->allocated, width);

	if (column == NULL)
		return MemoryContextAllocHuge(stream->context, size);
	return repalloc_huge(column, size);
}

static void
resize(RecStream *stream, int64 rows)
{
	if (rows > stream->allocated)
		rec_memory_check(stream->context,
						 mul_size(rows - stream->allocated, row_width(stream)));
	stream->allocated = rows;
	stream->user = resize_column(stream, stream->user, sizeof(uint32));
	stream->item = resize_column(stream, stream->item, sizeof(uint32));
	if (stream->weight)
		stream->weight = resize_column(stream, stream->weight, sizeof(double));
	if (stream->time)
		stream->time = resize_column(stream, stream->time, sizeof(int64));
}

/* Makes room for "more" rows; an ERROR when maintenance_work_mem forbids it. */
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
	resize(stream, rec_room_for(stream->allocated, stream->count + more));
}

/* From now on, or already, rows have weights: all before are 1. */
void
rec_stream_begin_weights(RecStream *stream)
{
	if (stream->weight)
		return;
	rec_memory_check(stream->context, mul_size(stream->allocated, sizeof(double)));
	stream->weight = resize_column(stream, NULL, sizeof(double));
	for (int64 i = 0; i < stream->count; i++)
		stream->weight[i] = 1;
}

static void
begin_times(RecStream *stream)
{
	rec_memory_check(stream->context, mul_size(stream->allocated, sizeof(int64)));
	stream->time = resize_column(stream, NULL, sizeof(int64));
	for (int64 i = 0; i < stream->count; i++)
		stream->time[i] = REC_NO_TIME;
}

/* Appends a row: the weight is finite, the time may be REC_NO_TIME. */
void
rec_stream_add(RecStream *stream, uint32 user, uint32 item, double weight,
			   int64 time)
{
	rec_stream_reserve(stream, 1);
	if (weight != 1)
		rec_stream_begin_weights(stream);
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

static void *
copy_column(const void *column, int64 rows, Size width)
{
	void	   *copy;

	if (column == NULL)
		return NULL;
	copy = MemoryContextAllocHuge(CurrentMemoryContext, mul_size(Max(rows, 1), width));
	memcpy(copy, column, mul_size(rows, width));
	return copy;
}

/* Gives a copy in the current context. */
RecStream *
rec_stream_copy(const RecStream *stream)
{
	RecStream  *copy = rec_stream_create(CurrentMemoryContext);

	rec_memory_check(CurrentMemoryContext, mul_size(stream->count, row_width(stream)));
	copy->user = copy_column(stream->user, stream->count, sizeof(uint32));
	copy->item = copy_column(stream->item, stream->count, sizeof(uint32));
	copy->weight = copy_column(stream->weight, stream->count, sizeof(double));
	copy->time = copy_column(stream->time, stream->count, sizeof(int64));
	copy->count = stream->count;
	copy->allocated = Max(stream->count, 1);
	copy->newest = stream->newest;
	return copy;
}

/* ----------------
 *		grouping
 * ----------------
 */

typedef struct StreamRow
{
	uint32		user;
	uint32		item;
	double		weight;
	int64		time;
} StreamRow;

typedef struct Grouping
{
	RecStream  *stream;
	RecStream  *cached;			/* rows that are being sorted by counting */
	uint32		nusers;
	int64	   *start;			/* of each user's rows */
} Grouping;

static inline void
load_row(const RecStream *stream, int64 at, StreamRow *row)
{
	row->user = stream->user[at];
	row->item = stream->item[at];
	row->weight = stream->weight ? stream->weight[at] : 1;
	row->time = stream->time ? stream->time[at] : REC_NO_TIME;
}

static inline void
store_row(RecStream *stream, int64 at, const StreamRow *row)
{
	stream->user[at] = row->user;
	stream->item[at] = row->item;
	if (stream->weight)
		stream->weight[at] = row->weight;
	if (stream->time)
		stream->time[at] = row->time;
}

/* Copies rows to the beginning of another stream that has room for them. */
static void
copy_rows(RecStream *to, const RecStream *from, int64 first, int64 n)
{
	memcpy(to->user, from->user + first, n * sizeof(uint32));
	memcpy(to->item, from->item + first, n * sizeof(uint32));
	if (from->weight)
		memcpy(to->weight, from->weight + first, n * sizeof(double));
	if (from->time)
		memcpy(to->time, from->time + first, n * sizeof(int64));
}

/* Sorts the rows of the users from "low" to before "high" by counting. */
static void
sort_by_counting(Grouping *grouping, int64 from, int64 to, uint32 low, uint32 high)
{
	RecStream  *cached = grouping->cached;
	int64	   *start = grouping->start;
	int64		next = from;

	copy_rows(cached, grouping->stream, from, to - from);
	memset(start + low, 0, (high - low) * sizeof(int64));
	for (int64 i = 0; i < to - from; i++)
		start[cached->user[i]]++;
	for (uint32 u = low; u < high; u++)
	{
		int64		n = start[u];

		start[u] = next;
		next += n;
	}
	for (int64 i = 0; i < to - from; i++)
	{
		StreamRow	row;

		load_row(cached, i, &row);
		store_row(grouping->stream, start[row.user]++, &row);
	}
	/* each start has moved to its end, which is the next one's start */
	memmove(start + low + 1, start + low, (high - low - 1) * sizeof(int64));
	start[low] = from;
}

/*
 * Puts rows in order of some bits of the user, "nparts" values of them: each
 * goes to the next free place of its part, and what was there goes on in turn.
 * "part" gets where each part starts, and the end of the last.
 */
static void
cut_into_parts(RecStream *stream, int64 from, int64 to, int shift, uint32 nparts,
			   int64 *part)
{
	int64		next[RADIX];
	int64		count[RADIX] = {0};

	for (int64 i = from; i < to; i++)
		count[(stream->user[i] >> shift) & (nparts - 1)]++;
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
			StreamRow	row;
			uint32		other;

			load_row(stream, next[d], &row);
			while ((other = (row.user >> shift) & (nparts - 1)) != d)
			{
				StreamRow	displaced;

				load_row(stream, next[other], &displaced);
				store_row(stream, next[other]++, &row);
				row = displaced;
			}
			store_row(stream, next[d]++, &row);
		}
	}
}

/* Groups the rows of the users from "low" on that differ in so many bits. */
static void
group_rows(Grouping *grouping, int64 from, int64 to, uint32 low, int bits)
{
	int			shift = Max(bits - RADIX_BITS, 0);
	uint32		nparts = 1 << (bits - shift);
	int64		part[RADIX + 1];

	if (to - from <= CACHED_ROWS)
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

/* Makes a stream with as many columns and room for the rows of a part. */
static RecStream *
make_cached(const RecStream *stream)
{
	RecStream  *cached = rec_stream_create(CurrentMemoryContext);

	if (stream->weight)
		rec_stream_begin_weights(cached);
	if (stream->time)
		begin_times(cached);
	resize(cached, Max(Min(stream->count, CACHED_ROWS), 1));
	return cached;
}

static void
free_columns(RecStream *stream)
{
	pfree(stream->user);
	pfree(stream->item);
	if (stream->weight)
		pfree(stream->weight);
	if (stream->time)
		pfree(stream->time);
}

/* Replaces users by their ranks. */
void
rec_stream_rank_users(RecStream *stream, const uint32 *rank)
{
	for (int64 i = 0; i < stream->count; i++)
	{
		if (i % INTERRUPT_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		stream->user[i] = rank[stream->user[i]];
	}
}

/*
 * Puts the rows in order of their users, which are below "nusers", and frees
 * the column of these.  Gives where each user's rows start, and the end of the
 * last, in the current context.
 */
int64 *
rec_stream_group(RecStream *stream, uint32 nusers)
{
	Grouping	grouping = {.stream = stream,.nusers = nusers};
	Size		size = mul_size((Size) nusers + 1, sizeof(int64));

	resize(stream, Max(stream->count, 1));
	rec_memory_check(CurrentMemoryContext, size);
	grouping.start = MemoryContextAllocHuge(CurrentMemoryContext, size);
	grouping.cached = make_cached(stream);
	if (nusers > 0)
		group_rows(&grouping, 0, stream->count, 0, pg_leftmost_one_pos32(nusers) + 1);
	grouping.start[nusers] = stream->count;
	free_columns(grouping.cached);
	pfree(grouping.cached);
	pfree(stream->user);
	stream->user = NULL;
	return grouping.start;
}

/*
 * Gives away what is left of a stream after grouping: the items, and the
 * weights if they are wanted and there are any, of the first "rows" rows.  The
 * stream knows its count and its newest time still.
 */
RecStreamRest
rec_stream_use_up(RecStream *stream, int64 rows, bool weights)
{
	RecStreamRest rest;

	if (stream->time)
		pfree(stream->time);
	stream->time = NULL;
	if (stream->weight && !weights)
	{
		pfree(stream->weight);
		stream->weight = NULL;
	}
	stream->allocated = Max(rows, 1);
	rest.item = resize_column(stream, stream->item, sizeof(uint32));
	rest.weight = stream->weight ?
		resize_column(stream, stream->weight, sizeof(double)) : NULL;
	stream->item = NULL;
	stream->weight = NULL;
	stream->allocated = 0;
	return rest;
}
