/*-------------------------------------------------------------------------
 *
 * stream.h
 *	  Interactions as they are read, in columns.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/stream.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_STREAM_H
#define REC_STREAM_H

#include "interaction/pair.h"
#include "math/packed_column.h"

/* Interactions as numbers of users and items. */
typedef struct RecStream
{
	MemoryContext mcxt;		/* owns the columns */
	RecPacked	user;
	RecPacked	item;
	RecValues weight;		/* doubles; none while every weight is 1 */
	RecValues time;		/* microseconds or REC_NO_TIME; none while
								 * there is no time */
	int64		count;
	int64		allocated;
	int64		newest;			/* latest time so far, or REC_NO_TIME */
} RecStream;

/* Columns that are left when a stream has been used up. */
typedef struct RecStreamRest
{
	uint32	   *item;
	double	   *weight;			/* or NULL */
} RecStreamRest;

static inline bool
rec_stream_has_weights(const RecStream *stream)
{
	return stream->weight.steps.bytes != NULL;
}

static inline bool
rec_stream_has_times(const RecStream *stream)
{
	return stream->time.steps.bytes != NULL;
}

static inline uint32
rec_stream_user(const RecStream *stream, int64 row)
{
	return (uint32) rec_packed_column_get(&stream->user, row);
}

static inline uint32
rec_stream_item(const RecStream *stream, int64 row)
{
	return (uint32) rec_packed_column_get(&stream->item, row);
}

static inline double
rec_stream_weight(const RecStream *stream, int64 row)
{
	return rec_stream_has_weights(stream) ?
		rec_packed_column_to_double(rec_packed_column_get_value(&stream->weight, row)) : 1;
}

static inline int64
rec_stream_time(const RecStream *stream, int64 row)
{
	return rec_stream_has_times(stream) ? rec_packed_column_get_value(&stream->time, row) : REC_NO_TIME;
}

extern RecStream *rec_stream_create(MemoryContext mcxt);
extern RecStream *rec_stream_copy(const RecStream *stream);
extern void rec_stream_add(RecStream *stream, uint32 user, uint32 item,
						   double weight, int64 time);
extern void rec_stream_reserve(RecStream *stream, int64 more);
extern void rec_stream_begin_weights(RecStream *stream, double weight);
extern void rec_stream_rank_users(RecStream *stream, const uint32 *rank);
extern int64 *rec_stream_group(RecStream *stream, uint32 nusers);
extern void rec_stream_forget_times(RecStream *stream);
extern RecStreamRest rec_stream_use_up(RecStream *stream, int64 rows, bool weights);

/* Set the weight of a row, which is 1 if there are no weights yet. */
static inline void
rec_stream_set_weight(RecStream *stream, int64 row, double weight)
{
	if (weight != 1 && !rec_stream_has_weights(stream))
		rec_stream_begin_weights(stream, weight);
	if (rec_stream_has_weights(stream))
		rec_packed_column_set_value(&stream->weight, row, rec_packed_column_from_double(weight), stream->count);
}

#endif							/* REC_STREAM_H */
