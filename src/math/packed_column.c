/*-------------------------------------------------------------------------
 *
 * packed_column.c
 *	  Columns of numbers in as few bytes as possible.
 *
 * Interactions come by the million, and the bytes of each decide how many fit
 * into memory.  A column of numbers is as wide as its largest number so far; a
 * larger one makes the column wider, in place, from its end.
 *
 * Times and weights are values of 64 bits (weights by the bits of the double),
 * of which data seldom use many: times are of whole seconds or days and lie
 * within some years, weights are small whole numbers, or halves, or have the
 * precision of a real.  So all are stored as steps from an origin.  The size
 * of a step divides all differences seen, most by their greatest common
 * divisor, and half of the steps are on either side of the first value.  A
 * value that is not a whole number of steps away, or too many steps, makes the
 * steps smaller or the column wider.  As either halves the divisor at least or
 * adds a byte, that is done a few times at most, and mostly among the first
 * rows.  Values without a common divisor take all eight bytes.  No value loses
 * a bit.
 *
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/packed_column.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "math/packed_column.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#define WIDEST			8
#define ROOM_BITS		3		/* steps that are used at first: one in eight */
#define INTERRUPT_ROWS	65536	/* between interrupt checks */

/* ----------------
 *		numbers
 * ----------------
 */

static Size
column_size(int64 allocated, int width)
{
	return add_size(mul_size(allocated, width), sizeof(uint64));
}

static uint64
largest_of_width(int width)
{
	return PG_UINT64_MAX >> (64 - 8 * width);
}

static int
width_of(uint64 number)
{
	return number == 0 ? 1 : pg_leftmost_one_pos64(number) / 8 + 1;
}

/* Change the length or the width of a column's memory, within the budget. */
static void
resize_bytes(RecPacked *column, int64 allocated, int width)
{
	Size		before = column_size(column->allocated, column->width);
	Size		after = column_size(allocated, width);

	if (after > before)
		rec_memory_budget_check(column->mcxt, after - before);
	column->bytes = repalloc_huge(column->bytes, after);
	column->allocated = allocated;
}

/* Make a column with room for so many numbers of "width" bytes. */
void
rec_packed_column_begin(RecPacked *column, MemoryContext mcxt, int64 allocated, int width)
{
	Size		size = column_size(allocated, width);

	rec_memory_budget_check(mcxt, size);
	column->mcxt = mcxt;
	column->bytes = MemoryContextAllocHuge(mcxt, size);
	column->width = width;
	column->largest = largest_of_width(width);
	column->allocated = allocated;
}

/*
 * Change the number of values that a column has room for; nothing is done
 * without a column.
 */
void
rec_packed_column_resize(RecPacked *column, int64 allocated)
{
	if (column->bytes)
		resize_bytes(column, allocated, column->width);
}

/* How the numbers of a column are converted: 0 stays, and of the rest ... */
typedef struct Conversion
{
	uint64		from;			/* ... this number becomes ... */
	uint64		to;				/* ... this one, and differences from it, ... */
	int			shift;			/* ... divided by two to this power, of which */
	uint64		multiplier;		/* they are multiples, are multiplied by this */
} Conversion;

static inline uint64
converted(const Conversion *conversion, uint64 number)
{
	uint64		more = (number - conversion->from) >> conversion->shift;
	uint64		less = (conversion->from - number) >> conversion->shift;

	if (number == 0)
		return 0;
	return number >= conversion->from ? conversion->to + more * conversion->multiplier :
		conversion->to - less * conversion->multiplier;
}

/*
 * Convert numbers from one width to another that is not less, in the same
 * memory.  The arguments are copies, whose fields stay in registers.
 */
static void
convert(RecPacked from, RecPacked to, int64 count, Conversion conversion)
{
	for (int64 i = count - 1; i >= 0; i--)
	{
		if (i % INTERRUPT_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		rec_packed_column_put(&to, i, converted(&conversion, rec_packed_column_get(&from, i)));
	}
}

/*
 * Make a column of which "count" numbers are in use wide enough for another
 * number.
 */
void
rec_packed_column_widen(RecPacked *column, int64 count, uint64 number)
{
	Conversion	same = {.multiplier = 1};
	RecPacked	before;

	resize_bytes(column, column->allocated, width_of(number));
	before = *column;
	column->width = width_of(number);
	column->largest = largest_of_width(column->width);
	convert(before, *column, count, same);
}

/*
 * Copy the first "count" numbers to a new column with room for more; nothing
 * is done without a column.
 */
void
rec_packed_column_copy(RecPacked *copy, const RecPacked *column, MemoryContext mcxt,
				int64 count, int64 allocated)
{
	*copy = *column;
	if (column->bytes == NULL)
		return;
	rec_packed_column_begin(copy, mcxt, allocated, column->width);
	memcpy(copy->bytes, column->bytes, mul_size(count, column->width));
}

/* Free a column, if it exists. */
void
rec_packed_column_free(RecPacked *column)
{
	if (column->bytes)
		pfree(column->bytes);
	column->bytes = NULL;
}

/*
 * Return the first "count" numbers as an array in the column's memory; the
 * column no longer exists.
 */
uint32 *
rec_packed_column_give_numbers(RecPacked *column, int64 count)
{
	RecPacked	packed;
	uint32	   *numbers;

	Assert(column->width <= (int) sizeof(uint32));
	resize_bytes(column, count, sizeof(uint32));
	packed = *column;
	numbers = (uint32 *) column->bytes;
	for (int64 i = count - 1; i >= 0; i--)
	{
		if (i % INTERRUPT_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		numbers[i] = (uint32) rec_packed_column_get(&packed, i);
	}
	column->bytes = NULL;
	return numbers;
}

/* ----------------
 *		values
 * ----------------
 */

static uint64
greatest_divisor(uint64 a, uint64 b)
{
	while (b != 0)
	{
		uint64		rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Return the absolute difference of two values. */
static uint64
distance_of(int64 a, int64 b)
{
	uint64		distance = (uint64) a - (uint64) b;

	return (int64) distance < 0 ? 0 - distance : distance;
}

/* The properties of a column's values that determine a code. */
typedef struct Survey
{
	uint64		reach;			/* largest distance from the first value */
	uint64		divisor;		/* greatest common divisor of all distances, 0
								 * when there are none */
} Survey;

/*
 * Return the step for numbers of a width: the greatest divisor, or the
 * greatest that is a power of two, where all steps together must be less than
 * 2^64; 0 when there is none.
 */
static uint64
step_for_width(uint64 divisor, int width)
{
	uint64		limit = UINT64CONST(1) << (64 - 8 * width);

	if (divisor == 0)
		return limit;
	while (divisor > limit && divisor % 2 == 0)
		divisor /= 2;
	return divisor > limit ? 0 : divisor;
}

/* Find the code of a column for values; it may make the column wider. */
static void
set_code(RecValues *column, const Survey *seen)
{
	int			width = column->steps.width;
	uint64		step = 1;

	while (width < WIDEST)
	{
		step = step_for_width(seen->divisor, width);
		if (step > 0 && seen->reach / step <= largest_of_width(width) >> 1)
			break;
		width++;
	}
	if (width == WIDEST)
		step = 1;
	/* leave room for further divisors and for values farther away */
	while (step % 2 == 0 && seen->reach / (step / 2) <= largest_of_width(width) >> ROOM_BITS)
		step /= 2;
	column->shift = pg_rightmost_one_pos64(step);
	column->odd = step >> column->shift;
	/* with all 64 bits, REC_NOT_KNOWN is the only value without steps */
	column->origin = width == WIDEST ? (uint64) REC_NOT_KNOWN :
		(uint64) column->first - step * (UINT64CONST(1) << (8 * width - 1));
	column->steps.width = width;
	column->steps.largest = largest_of_width(width);
}

/*
 * Make a column of "count" equal values, with a code that also has a code word
 * for "next".
 */
void
rec_packed_column_begin_values(RecValues *column, MemoryContext mcxt, int64 allocated,
				 int64 count, int64 value, int64 next)
{
	Survey		seen = {0};
	RecPacked	filled;
	uint64		steps;

	column->first = value == REC_NOT_KNOWN ? next : value;
	column->has_first = column->first != REC_NOT_KNOWN;
	column->steps.width = 1;
	if (value != REC_NOT_KNOWN && next != REC_NOT_KNOWN)
		seen.reach = seen.divisor = distance_of(value, next);
	set_code(column, &seen);
	rec_packed_column_begin(&column->steps, mcxt, allocated, column->steps.width);
	(void) rec_packed_column_steps(column, value, &steps);
	filled = column->steps;
	for (int64 i = 0; i < count; i++)
		rec_packed_column_put(&filled, i, steps);
}

/* Survey the values of a column, a copy as in convert(). */
static Survey
survey(RecValues column, int64 count)
{
	Survey		result = {0};
	uint64		first;
	uint64		least;
	uint64		most;
	uint64		bits = 0;		/* of all distances */

	if (!column.has_first)
		return result;
	(void) rec_packed_column_steps(&column, column.first, &first);
	least = most = first;
	for (int64 i = 0; i < count; i++)
	{
		uint64		steps = rec_packed_column_get(&column.steps, i);

		if (i % INTERRUPT_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		steps = steps == 0 ? first : steps;
		least = Min(least, steps);
		most = Max(most, steps);
		bits |= steps - first;
	}
	if (bits == 0)
		return result;
	result.reach = Max(first - least, most - first) * (column.odd << column.shift);
	result.divisor = column.odd << (column.shift + pg_rightmost_one_pos64(bits));
	return result;
}

/* Return how steps of one code are converted to another. */
static Conversion
conversion_of(const RecValues *before, const RecValues *after)
{
	Conversion	conversion;

	(void) rec_packed_column_steps(before, before->first, &conversion.from);
	(void) rec_packed_column_steps(after, before->first, &conversion.to);
	/* distances are multiples of a step of either code */
	conversion.shift = Max(after->shift - before->shift, 0);
	conversion.multiplier = before->odd / after->odd << Max(before->shift - after->shift, 0);
	return conversion;
}

/*
 * Convert a column, of which "count" values are in use, to a code that also
 * has "value".
 */
void
rec_packed_column_recode(RecValues *column, int64 count, int64 value)
{
	RecValues	after;
	Survey		seen = survey(*column, count);
	uint64		distance;

	if (!column->has_first)
		column->first = value;
	column->has_first = true;
	distance = distance_of(value, column->first);
	seen.reach = Max(seen.reach, distance);
	seen.divisor = greatest_divisor(distance, seen.divisor);
	after = *column;
	set_code(&after, &seen);
	resize_bytes(&column->steps, column->steps.allocated, after.steps.width);
	after.steps.bytes = column->steps.bytes;
	convert(column->steps, after.steps, count, conversion_of(column, &after));
	*column = after;
}

/*
 * Return the first "count" values, the bits of doubles, as an array in the
 * column's memory; the column no longer exists.
 */
double *
rec_packed_column_give_doubles(RecValues *column, int64 count)
{
	RecValues	packed;
	double	   *doubles;

	resize_bytes(&column->steps, count, sizeof(double));
	packed = *column;
	doubles = (double *) column->steps.bytes;
	for (int64 i = count - 1; i >= 0; i--)
	{
		if (i % INTERRUPT_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		doubles[i] = rec_packed_column_to_double(rec_packed_column_get_value(&packed, i));
	}
	column->steps.bytes = NULL;
	return doubles;
}
