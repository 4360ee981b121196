/*-------------------------------------------------------------------------
 *
 * lift.h
 *	  Log-lifts: how much more or less often items are chosen in a situation,
 *	  learnt from interactions.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/context/lift.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_LIFT_H
#define REC_LIFT_H

#include "interaction/stream.h"
#include "interaction/situation.h"

/*
 * How much more or less often an item is chosen with a value of the context.
 */
typedef struct RecLift
{
	uint32		item;
	float4		lift;			/* natural logarithm */
} RecLift;

/* The lifts of all values, one value after the other. */
typedef struct RecLifts
{
	uint32		nvalues;
	int64	   *start;			/* nvalues + 1 offsets */
	RecLift    *lifts;			/* lifts of a value, by rising item */
} RecLifts;

extern RecLifts *rec_lift_learn(const RecStream *stream, uint32 nitems,
								const RecSituations *situations,
								const RecOptions *options);
extern void rec_lift_renumber(RecLifts *lifts, const uint32 *number);

#endif							/* REC_LIFT_H */
