/*-------------------------------------------------------------------------
 *
 * packed_column.h
 *	  Columns of numbers in as few bytes as possible.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/packed_column.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_PACKED_COLUMN_H
#define REC_PACKED_COLUMN_H

#include "port/pg_bswap.h"

#define REC_NOT_KNOWN	PG_INT64_MIN	/* an unknown value */

/*
 * Whole numbers from 0 on, all of them in the same number of bytes, 1 to 8,
 * the lowest byte first.  A reader takes eight bytes at once: at least that
 * many are allocated after the last number.
 */
typedef struct RecPacked
{
	MemoryContext mcxt;		/* owns the bytes */
	char	   *bytes;			/* NULL: the column does not exist */
	int			width;			/* bytes of a number */
	uint64		largest;		/* number that fits: all of these bits are set */
	int64		allocated;		/* numbers */
} RecPacked;

/*
 * Values of 64 bits with a common divisor: each is a number of steps of the
 * same size from the same origin, modulo 2^64, and the numbers of steps are
 * stored.  An unknown value has no steps.
 */
typedef struct RecValues
{
	RecPacked	steps;
	uint64		origin;
	int			shift;			/* a step is "odd" times two to this power */
	uint64		odd;
	int64		first;			/* a known value, if ... */
	bool		has_first;		/* ... there is one */
} RecValues;

#ifdef WORDS_BIGENDIAN
#define rec_little16(x)		pg_bswap16(x)
#define rec_little32(x)		pg_bswap32(x)
#define rec_little64(x)		pg_bswap64(x)
#else
#define rec_little16(x)		(x)
#define rec_little32(x)		(x)
#define rec_little64(x)		(x)
#endif

/* Return a number. */
static inline uint64
rec_packed_column_get(const RecPacked *column, int64 at)
{
	uint64		bytes;

	memcpy(&bytes, column->bytes + (Size) at * column->width, sizeof(bytes));
	return rec_little64(bytes) & column->largest;
}

/* Set a number, which fits, and no byte outside of it. */
static inline void
rec_packed_column_put(RecPacked *column, int64 at, uint64 number)
{
	int			width = column->width;
	char	   *bytes = column->bytes + (Size) at * width;

	/* the lower and the upper part, which may overlap */
	if (width >= (int) sizeof(uint32))
	{
		uint32		lower = rec_little32((uint32) number);
		uint32		upper = rec_little32((uint32) (number >> (8 * width - 32)));

		memcpy(bytes, &lower, sizeof(lower));
		memcpy(bytes + width - sizeof(upper), &upper, sizeof(upper));
	}
	else if (width >= (int) sizeof(uint16))
	{
		uint16		lower = rec_little16((uint16) number);
		uint16		upper = rec_little16((uint16) (number >> (8 * width - 16)));

		memcpy(bytes, &lower, sizeof(lower));
		memcpy(bytes + width - sizeof(upper), &upper, sizeof(upper));
	}
	else
		*bytes = (char) number;
}

extern void rec_packed_column_begin(RecPacked *column, MemoryContext mcxt,
							 int64 allocated, int width);
extern void rec_packed_column_resize(RecPacked *column, int64 allocated);
extern void rec_packed_column_widen(RecPacked *column, int64 count, uint64 number);
extern void rec_packed_column_copy(RecPacked *copy, const RecPacked *column,
							MemoryContext mcxt, int64 count, int64 allocated);
extern void rec_packed_column_free(RecPacked *column);
extern uint32 *rec_packed_column_give_numbers(RecPacked *column, int64 count);

/* Set a number in a column of which the first "count" numbers are in use. */
static inline void
rec_packed_column_set(RecPacked *column, int64 at, uint64 number, int64 count)
{
	if (unlikely(number > column->largest))
		rec_packed_column_widen(column, count, number);
	rec_packed_column_put(column, at, number);
}

/* Return a value, or REC_NOT_KNOWN when it is unknown. */
static inline int64
rec_packed_column_decode(const RecValues *column, uint64 steps)
{
	if (steps == 0)
		return REC_NOT_KNOWN;
	return (int64) (column->origin + ((steps * column->odd) << column->shift));
}

static inline int64
rec_packed_column_get_value(const RecValues *column, int64 at)
{
	return rec_packed_column_decode(column, rec_packed_column_get(&column->steps, at));
}

/* Compute the steps to a value; return false if the code has no such value. */
static inline bool
rec_packed_column_steps(const RecValues *column, int64 value, uint64 *steps)
{
	uint64		distance = (uint64) value - column->origin;
	uint64		n = distance >> column->shift;

	if (column->odd != 1)
		n /= column->odd;
	*steps = value == REC_NOT_KNOWN ? 0 : n;
	if (value == REC_NOT_KNOWN)
		return true;
	return n > 0 && n <= column->steps.largest &&
		(n * column->odd) << column->shift == distance;
}

extern void rec_packed_column_begin_values(RecValues *column, MemoryContext mcxt,
							 int64 allocated, int64 count, int64 value, int64 next);
extern void rec_packed_column_recode(RecValues *column, int64 count, int64 value);
extern double *rec_packed_column_give_doubles(RecValues *column, int64 count);

/* Set a value in a column of which the first "count" values are in use. */
static inline void
rec_packed_column_set_value(RecValues *column, int64 at, int64 value, int64 count)
{
	uint64		steps;

	if (unlikely(!rec_packed_column_steps(column, value, &steps)))
	{
		rec_packed_column_recode(column, count, value);
		(void) rec_packed_column_steps(column, value, &steps);
	}
	rec_packed_column_put(&column->steps, at, steps);
}

/* Convert a double to a value with the same bits, and back. */
static inline int64
rec_packed_column_from_double(double x)
{
	int64		value;

	memcpy(&value, &x, sizeof(value));
	return value;
}

static inline double
rec_packed_column_to_double(int64 value)
{
	double		x;

	memcpy(&x, &value, sizeof(x));
	return x;
}

#endif							/* REC_PACKED_COLUMN_H */
