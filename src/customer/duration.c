/*-------------------------------------------------------------------------
 *
 * duration.c
 *	  Intervals as microseconds.
 *
 * A day has 24 hours and a month 30 days, as in the options of a recommender.
 * So a duration depends on no time zone, and what is computed from it is
 * immutable.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/duration.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"
#include "customer/duration.h"
#include "datatype/timestamp.h"

/*
 * Return an interval in microseconds.  What does not fit, such as an infinite
 * interval, becomes the largest or the smallest int64.
 */
int64
rec_duration_of(const Interval *interval)
{
	int64		days = (int64) interval->month * DAYS_PER_MONTH + interval->day;
	int64		result;

	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &result))
		return days < 0 ? PG_INT64_MIN : PG_INT64_MAX;
	if (pg_add_s64_overflow(result, interval->time, &result))
		return interval->time < 0 ? PG_INT64_MIN : PG_INT64_MAX;
	return result;
}
