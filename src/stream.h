/*-------------------------------------------------------------------------
 *
 * stream.h
 *	  Interactions as they come, in columns.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/stream.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_STREAM_H
#define REC_STREAM_H

#include "pair.h"

/* Users and items are numbers. */
typedef struct RecStream
{
	MemoryContext context;		/* owns the columns */
	uint32	   *user;
	uint32	   *item;
	double	   *weight;			/* NULL while every weight is 1 */
	int64	   *time;			/* microseconds or REC_NO_TIME; NULL while
								 * there is none */
	int64		count;
	int64		allocated;
	int64		newest;			/* latest time seen, or REC_NO_TIME */
} RecStream;

/* Columns that are left when a stream has been used up. */
typedef struct RecStreamRest
{
	uint32	   *item;
	double	   *weight;			/* or NULL */
} RecStreamRest;

extern RecStream *rec_stream_create(MemoryContext context);
extern RecStream *rec_stream_copy(const RecStream *stream);
extern void rec_stream_add(RecStream *stream, uint32 user, uint32 item,
						   double weight, int64 time);
extern void rec_stream_reserve(RecStream *stream, int64 more);
extern void rec_stream_begin_weights(RecStream *stream);
extern void rec_stream_rank_users(RecStream *stream, const uint32 *rank);
extern int64 *rec_stream_group(RecStream *stream, uint32 nusers);
extern RecStreamRest rec_stream_use_up(RecStream *stream, int64 rows, bool weights);

#endif							/* REC_STREAM_H */
