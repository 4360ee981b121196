/*-------------------------------------------------------------------------
 *
 * time_part.c
 *	  The parts of a time: the hour's band, the day's kind, the month.
 *
 * People do other things in the evening than in the morning, on a Sunday than
 * on a Monday, in November than in June.  Here a time becomes the band of its
 * hour, weekday or weekend, and the month, in a time zone.
 *
 * A zone's offset from UTC stays the same for months.  It is looked up once,
 * with the time until which it holds, and the calendar of a day is cached, so
 * that reading millions of times is arithmetic.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/time_part.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "pg/time_part.h"
#include "utils/datetime.h"

#define CLOCK_SLOTS		64
#define SLOT_SHIFT		22		/* a slot has 2^22 seconds, 48 days */
#define DAY_SLOTS		1024
#define HOURS_PER_BAND	6
#define FIRST_WEEKEND_DAY	5	/* Saturday, where Monday is 0 */
#define UNIX_EPOCH_DAY	3		/* 1970-01-01 was a Thursday */

/* An offset and the times, in seconds, for which it holds. */
typedef struct ClockSlot
{
	pg_time_t	from;
	pg_time_t	until;			/* exclusive; an empty slot has from = until */
	long		offset;			/* seconds east of UTC */
} ClockSlot;

/* The calendar of a day. */
typedef struct DaySlot
{
	int64		day;			/* since 1970-01-01 */
	int8		weekday;		/* value of REC_TIME_WEEKDAY and of the parts
								 * after it */
	int8		month;
} DaySlot;

struct RecClock
{
	pg_tz	   *zone;
	ClockSlot	slots[CLOCK_SLOTS];
	DaySlot		days[DAY_SLOTS];
};

static const char *const hour_names[] = {
	"night", "morning", "afternoon", "evening", NULL
};
static const char *const weekday_names[] = {"weekday", "weekend", NULL};
static const char *const month_names[] = {
	"january", "february", "march", "april", "may", "june", "july",
	"august", "september", "october", "november", "december", NULL
};
static const char *const day_names[] = {
	"monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
	"sunday", NULL
};

static const char *const *const value_names[REC_NTIMES] = {
	hour_names, weekday_names, month_names
};

/* Return the name of a part, NULL past the last one. */
const char *
rec_time_part_name(int part)
{
	static const char *const names[] = {"hour", "weekday", "month"};

	return part < REC_NTIMES ? names[part] : NULL;
}

/* Return the name of a part's value, NULL past the last one. */
const char *
rec_time_part_value(RecTimePart part, int value)
{
	return value_names[part][value];
}

/* Make a clock for a zone in the current context. */
RecClock *
rec_time_part_create(pg_tz *zone)
{
	RecClock   *clock = palloc0_object(RecClock);

	clock->zone = zone;
	for (int i = 0; i < DAY_SLOTS; i++)
		clock->days[i].day = PG_INT64_MAX;
	return clock;
}

static inline int64
floor_div(int64 a, int64 b)
{
	return a / b - (a % b < 0);
}

/* Return the zone's offset at a time; false when the zone has none. */
static bool
find_offset(RecClock *clock, pg_time_t time, long *offset)
{
	ClockSlot  *slot = &clock->slots[(uint64) (time >> SLOT_SHIFT) % CLOCK_SLOTS];
	pg_time_t	boundary;
	long		after;
	int			isdst;
	int			found;

	if (time >= slot->from && time < slot->until)
	{
		*offset = slot->offset;
		return true;
	}
	found = pg_next_dst_boundary(&time, offset, &isdst, &boundary, &after, &isdst,
								 clock->zone);
	if (found < 0)
		return false;
	slot->from = time;
	slot->until = found > 0 ? boundary : PG_INT64_MAX;
	slot->offset = *offset;
	return true;
}

/* Look up a day in the calendar, unless it is cached. */
static const DaySlot *
find_day(RecClock *clock, int64 day)
{
	DaySlot    *slot = &clock->days[(uint64) day % DAY_SLOTS];
	int64		weekday = day + UNIX_EPOCH_DAY;
	int			year;
	int			month;
	int			mday;

	if (slot->day == day)
		return slot;
	j2date((int) (day + UNIX_EPOCH_JDATE), &year, &month, &mday);
	slot->day = day;
	slot->weekday = weekday - 7 * floor_div(weekday, 7) >= FIRST_WEEKEND_DAY;
	slot->month = (int8) (month - 1);
	return slot;
}

/*
 * Return the parts of a finite time in microseconds, as in a timestamptz.
 * They are unknown outside the range of the zone.
 */
RecTimeParts
rec_time_part_read(RecClock *clock, int64 time)
{
	RecTimeParts parts = {{-1, -1, -1}};
	pg_time_t	seconds = floor_div(time, USECS_PER_SEC) +
	(pg_time_t) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
	const DaySlot *calendar;
	int64		day;
	long		offset;

	if (!find_offset(clock, seconds, &offset))
		return parts;
	seconds += offset;
	day = floor_div(seconds, SECS_PER_DAY);
	calendar = find_day(clock, day);
	parts.part[REC_TIME_HOUR] =
		(int) ((seconds - day * SECS_PER_DAY) / SECS_PER_HOUR) / HOURS_PER_BAND;
	parts.part[REC_TIME_WEEKDAY] = calendar->weekday;
	parts.part[REC_TIME_MONTH] = calendar->month;
	return parts;
}

/* Find a name; with short_too, also by its first three letters. */
static int
find_name(const char *const *names, const char *text, bool short_too)
{
	for (int i = 0; names[i] != NULL; i++)
		if (pg_strcasecmp(names[i], text) == 0 ||
			(short_too && strlen(text) == 3 && pg_strncasecmp(names[i], text, 3) == 0))
			return i;
	return -1;
}

/* Return a whole number from min to max, -1 when the text is not one. */
static int
find_number(const char *text, int min, int max)
{
	int			number = 0;

	if (strlen(text) == 0 || strlen(text) > 2 ||
		strspn(text, "0123456789") != strlen(text))
		return -1;
	number = atoi(text);
	return number >= min && number <= max ? number : -1;
}

/*
 * Return the number of a part's value, -1 when the text has none: for an hour
 * 0 to 23 or its band; for a weekday 1 (Monday) to 7, the name of a day, or
 * weekday or weekend; for a month 1 to 12 or its name.
 */
int
rec_time_part_parse(RecTimePart part, const char *text)
{
	int			number;

	switch (part)
	{
		case REC_TIME_HOUR:
			number = find_number(text, 0, 23);
			return number >= 0 ? number / HOURS_PER_BAND :
				find_name(hour_names, text, false);
		case REC_TIME_WEEKDAY:
			number = find_number(text, 1, 7) - 1;
			if (number < 0)
				number = find_name(day_names, text, true);
			return number >= 0 ? number >= FIRST_WEEKEND_DAY :
				find_name(weekday_names, text, false);
		default:
			number = find_number(text, 1, 12);
			return number >= 0 ? number - 1 : find_name(month_names, text, true);
	}
}
