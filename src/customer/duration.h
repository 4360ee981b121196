/*-------------------------------------------------------------------------
 *
 * duration.h
 *	  Intervals as microseconds.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/duration.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_DURATION_H
#define REC_DURATION_H

#include "utils/timestamp.h"

extern int64 rec_duration_of(const Interval *interval);

/*
 * Return the microseconds from one time to a later one, without overflow: the
 * range of timestamps is wider than that of int64.
 */
static inline uint64
rec_duration_between(TimestampTz from, TimestampTz to)
{
	return (uint64) to - (uint64) from;
}

#endif							/* REC_DURATION_H */
