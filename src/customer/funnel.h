/*-------------------------------------------------------------------------
 *
 * funnel.h
 *	  How far a user's events go through the steps of a funnel.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/funnel.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_FUNNEL_H
#define REC_FUNNEL_H

#include "datatype/timestamp.h"

#define REC_FUNNEL_MAX_STEPS	32
#define REC_FUNNEL_NO_LIMIT		PG_UINT64_MAX

typedef enum RecFunnelMode
{
	REC_FUNNEL_ORDERED,			/* anything may happen between two steps */
	REC_FUNNEL_STRICT,			/* nothing but repeats of the step reached */
	REC_FUNNEL_INCREASING,		/* each step later than the one before */
} RecFunnelMode;

/*
 * An event: its time in two halves, the upper one with the sign bit turned so
 * that they compare as unsigned numbers, and its true steps, bit 0 the first.
 * Of 12 bytes on every machine.
 */
typedef struct RecFunnelEvent
{
	uint32		time_high;
	uint32		time_low;
	uint32		steps;
} RecFunnelEvent;

/* The deepest chain of a user's events. */
typedef struct RecFunnelChain
{
	int			depth;			/* 0: no event satisfies the first step */
	TimestampTz first;			/* time of the first step and ... */
	TimestampTz last;			/* ... of the last one that was reached */
} RecFunnelChain;

static inline RecFunnelEvent
rec_funnel_event(TimestampTz at, uint32 steps)
{
	uint64		bits = (uint64) at ^ (UINT64CONST(1) << 63);
	RecFunnelEvent event;

	event.time_high = (uint32) (bits >> 32);
	event.time_low = (uint32) bits;
	event.steps = steps;
	return event;
}

static inline TimestampTz
rec_funnel_time(const RecFunnelEvent *event)
{
	uint64		bits = (uint64) event->time_high << 32 | event->time_low;

	return (TimestampTz) (bits ^ (UINT64CONST(1) << 63));
}

extern int	rec_funnel_compare(const RecFunnelEvent *a, const RecFunnelEvent *b);
extern void rec_funnel_sort(RecFunnelEvent *events, int64 n);
extern RecFunnelChain rec_funnel_deepest(const RecFunnelEvent *events, int64 n,
										 uint64 within, RecFunnelMode mode);
extern void rec_funnel_chain_times(const RecFunnelEvent *events, int64 n, RecFunnelMode mode,
								   const RecFunnelChain *chain, TimestampTz *times);

#endif							/* REC_FUNNEL_H */
