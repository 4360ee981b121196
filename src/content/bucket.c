/*-------------------------------------------------------------------------
 *
 * bucket.c
 *	  Buckets of numbers and times.
 *
 * Buckets hold about the same number of values each.  A column with no more
 * distinct values than buckets gets one bucket per value.  The name of a bucket
 * is its range, [from,to); times are written in ISO 8601.
 *
 * Numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/bucket.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "content/bucket.h"
#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

static inline int
compare_doubles(double a, double b)
{
	return a < b ? -1 : a > b;
}

#define ST_SORT sort_doubles
#define ST_ELEMENT_TYPE double
#define ST_COMPARE(a, b) compare_doubles(*(a), *(b))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Learn the bounds between buckets from n sorted numbers: bucket k of b
 * begins at number k * n / b, counted from 0, unless that equals the previous
 * bound.
 */
static void
learn_bounds(RecContentColumn *column, const double *number, int64 n, MemoryContext mcxt)
{
	int			ndifferent = 0;

	for (int64 i = 0; i < n && ndifferent <= column->buckets; i++)
		ndifferent += i == 0 || number[i] > number[i - 1];
	column->bounds = MemoryContextAlloc(mcxt, column->buckets * sizeof(double));
	column->nbounds = 0;
	if (ndifferent <= column->buckets)
	{
		for (int64 i = 1; i < n; i++)
			if (number[i] > number[i - 1])
				column->bounds[column->nbounds++] = number[i];
		return;
	}
	for (int k = 1; k < column->buckets; k++)
	{
		double		bound = number[k * n / column->buckets];
		double		before = column->nbounds > 0 ? column->bounds[column->nbounds - 1] : number[0];

		if (bound > before)
			column->bounds[column->nbounds++] = bound;
	}
}

/*
 * Sort n numbers of a column in place and learn its bounds from them. The
 * bounds rise and are allocated in "mcxt". They are fewer than the column's
 * buckets; if all numbers are equal, there are none.
 */
void
rec_bucket_learn(RecContentColumn *column, double *number, int64 n, MemoryContext mcxt)
{
	sort_doubles(number, n);
	learn_bounds(column, number, n, mcxt);
}

static char *
bound_text(const RecContentColumn *column, double bound)
{
	char		text[MAXDATELEN + 1];
	char	   *space;
	struct pg_tm tm;
	fsec_t		fsec;

	if (column->kind == REC_ITEM_DATE && isfinite(bound) &&
		timestamp2tm((Timestamp) ((bound - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) *
								   (double) SECS_PER_DAY) * USECS_PER_SEC),
					 NULL, &tm, &fsec, NULL, NULL) == 0)
	{
		EncodeDateTime(&tm, fsec, false, 0, NULL, USE_ISO_DATES, text);
		space = strstr(text, " 00:00:00");
		if (space && fsec == 0)
			*space = '\0';
		return pstrdup(text);
	}
	return pnstrdup(text, double_to_shortest_decimal_buf(bound, text));
}

/*
 * Return the name of the bucket that a number falls into, [from,to), in the
 * current context.
 */
char *
rec_bucket_name(const RecContentColumn *column, double number)
{
	int			from = 0;
	int			to = column->nbounds;

	/* find the number of bounds that are less than or equal to it */
	while (from < to)
	{
		int			middle = (from + to) / 2;

		if (column->bounds[middle] <= number)
			from = middle + 1;
		else
			to = middle;
	}
	return psprintf("[%s,%s)", from > 0 ? bound_text(column, column->bounds[from - 1]) : "",
					from < column->nbounds ? bound_text(column, column->bounds[from]) : "");
}
