/*-------------------------------------------------------------------------
 *
 * time_part.h
 *	  The parts of a time: the hour's band, the day's kind, the month.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/time_part.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_TIME_PART_H
#define REC_TIME_PART_H

#include "pgtime.h"

/* Parts of a time that can be context. */
typedef enum RecTimePart
{
	REC_TIME_HOUR,				/* night, morning, afternoon, evening */
	REC_TIME_WEEKDAY,			/* weekday, weekend */
	REC_TIME_MONTH,
	REC_NTIMES
} RecTimePart;

typedef struct RecClock RecClock;

/* The number of each part's value, -1 when it is unknown. */
typedef struct RecTimeParts
{
	int			part[REC_NTIMES];
} RecTimeParts;

extern RecClock *rec_time_part_create(pg_tz *zone);
extern RecTimeParts rec_time_part_read(RecClock *clock, int64 time);
extern const char *rec_time_part_name(int part);
extern const char *rec_time_part_value(RecTimePart part, int value);
extern int	rec_time_part_parse(RecTimePart part, const char *text);

#endif							/* REC_TIME_PART_H */
