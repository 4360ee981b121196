/*-------------------------------------------------------------------------
 *
 * situation.c
 *	  The circumstances of interactions.
 *
 * The context of an interaction is a value, a text, in each of some columns:
 * the columns declared with the sources, and the parts of the time.
 * Interactions come by the million and their circumstances repeat, so each
 * distinct combination of values, a situation, gets a number, and an
 * interaction costs one byte, or two with more than 256 situations.
 *
 * Knows texts and numbers only: no Datum, no SPI.  All memory is in the
 * context given at creation.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/situation.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "interaction/situation.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "utils/memutils.h"

#define PART_CODES		(5 * 3 * 13)	/* combinations of parts of a time,
										 * each of which may be unknown */

typedef struct ValueSlot
{
	RecContextValue value;
	uint32		number;
	uint32		hash;
	char		status;
} ValueSlot;

typedef struct SituationSlot
{
	uint32		number;			/* the key: its values are in the array */
	uint32		hash;
	char		status;
} SituationSlot;

static inline uint32
hash_value(RecContextValue value)
{
	return hash_combine(murmurhash32((uint32) value.column),
						hash_bytes((const unsigned char *) value.text,
								   (int) strlen(value.text)));
}

static inline bool
same_value(RecContextValue a, RecContextValue b)
{
	return a.column == b.column && strcmp(a.text, b.text) == 0;
}

#define SH_PREFIX value_table
#define SH_ELEMENT_TYPE ValueSlot
#define SH_KEY_TYPE RecContextValue
#define SH_KEY value
#define SH_HASH_KEY(tb, key) hash_value(key)
#define SH_EQUAL(tb, a, b) same_value(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, slot) ((slot)->hash)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

static inline const uint32 *values_of(const RecSituations *situations, uint32 number);
static uint32 hash_situation(const RecSituations *situations, uint32 number);
static bool same_situation(const RecSituations *situations, uint32 a, uint32 b);

#define SH_PREFIX situation_table
#define SH_ELEMENT_TYPE SituationSlot
#define SH_KEY_TYPE uint32
#define SH_KEY number
#define SH_HASH_KEY(tb, key) hash_situation((RecSituations *) (tb)->private_data, key)
#define SH_EQUAL(tb, a, b) same_situation((RecSituations *) (tb)->private_data, a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, slot) ((slot)->hash)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

struct SituationTables
{
	value_table_hash *values;
	situation_table_hash *situations;
	int64		values_allocated;
	int64		situations_allocated;

	int			ndeclared;		/* columns that are not parts of a time */
	int			part_column[REC_NTIMES];	/* column of a part, -1 for none */
	uint32		part_value[REC_NTIMES][12]; /* numbers of its values */
	RecClock   *zone_clock;
	RecClock   *session_clock;

	uint32	   *current;		/* declared values of the current row, and ... */
	uint32	   *last;			/* ... of the row before, or any of a column */
	uint32		by_time[PART_CODES];	/* situations of the last row's values
										 * by the time, or REC_NO_VALUE */
};

/*
 * Return an array with room for one more element.  "extra" bytes an element
 * are those by which the hash table that indexes it grows.
 */
static void *
grow(const RecSituations *situations, void *array, int64 *allocated, Size width,
	 Size extra)
{
	int64		wanted = rec_memory_budget_room(*allocated, *allocated + 1);

	rec_memory_budget_check(situations->mcxt,
					 mul_size(wanted - *allocated, width + extra));
	array = array ? repalloc_huge(array, mul_size(wanted, width)) :
		MemoryContextAllocHuge(situations->mcxt, mul_size(wanted, width));
	*allocated = wanted;
	return array;
}

/* ----------------
 *		values
 * ----------------
 */

/*
 * Return the number of a value of a column; a new value gets the next number.
 */
static uint32
intern_value(RecSituations *situations, int column, const char *text)
{
	struct SituationTables *tables = situations->tables;
	RecContextValue value = {column, text};
	ValueSlot  *slot;
	bool		found;

	slot = value_table_insert(tables->values, value, &found);
	if (found)
		return slot->number;
	value.text = MemoryContextStrdup(situations->mcxt, text);
	slot->value = value;
	slot->number = situations->nvalues;
	if (situations->nvalues == tables->values_allocated)
		situations->values = grow(situations, situations->values,
								  &tables->values_allocated,
								  sizeof(RecContextValue), 2 * sizeof(ValueSlot));
	situations->values[situations->nvalues] = value;
	return situations->nvalues++;
}

/*
 * Return the number of a value, without a look-up when it is that of the row
 * before.
 */
static inline uint32
declared_value(RecSituations *situations, int column, const char *text)
{
	uint32		last = situations->tables->last[column];

	if (last != REC_NO_VALUE && strcmp(situations->values[last].text, text) == 0)
		return last;
	if (strlen(text) > REC_VALUE_BYTES)
		return REC_NO_VALUE;
	return intern_value(situations, column, text);
}

/* ----------------
 *		situations
 * ----------------
 */

static inline const uint32 *
values_of(const RecSituations *situations, uint32 number)
{
	return situations->situations + (Size) number * situations->ncolumns;
}

static uint32
hash_situation(const RecSituations *situations, uint32 number)
{
	return hash_bytes((const unsigned char *) values_of(situations, number),
					  situations->ncolumns * (int) sizeof(uint32));
}

static bool
same_situation(const RecSituations *situations, uint32 a, uint32 b)
{
	return memcmp(values_of(situations, a), values_of(situations, b),
				  situations->ncolumns * sizeof(uint32)) == 0;
}

/* Return the number of the situation of the current values and a time. */
static uint32
intern_situation(RecSituations *situations, const RecTimeParts *parts)
{
	struct SituationTables *tables = situations->tables;
	uint32		number = situations->count;
	uint32	   *values;
	SituationSlot *slot;
	bool		found;

	if (number == tables->situations_allocated)
		situations->situations = grow(situations, situations->situations,
									  &tables->situations_allocated,
									  situations->ncolumns * sizeof(uint32),
									  2 * sizeof(SituationSlot));
	/* the key is the place of the values in the array */
	values = situations->situations + (Size) number * situations->ncolumns;
	memcpy(values, tables->current, tables->ndeclared * sizeof(uint32));
	for (int part = 0; part < REC_NTIMES; part++)
		if (tables->part_column[part] >= 0)
			values[tables->part_column[part]] = parts->part[part] < 0 ? REC_NO_VALUE :
				tables->part_value[part][parts->part[part]];
	slot = situation_table_insert(tables->situations, number, &found);
	if (!found)
		situations->count++;
	return slot->number;
}

static RecTimeParts
read_time(const struct SituationTables *tables, RecWallClock wall, int64 time)
{
	RecTimeParts parts = {{-1, -1, -1}};

	if (wall == REC_WALL_NONE)
		return parts;
	parts = rec_time_part_read(wall == REC_WALL_ZONE ? tables->zone_clock :
						   tables->session_clock, time);
	if (wall == REC_WALL_DATE)
		parts.part[REC_TIME_HOUR] = -1;
	return parts;
}

/*
 * Return the number of an interaction's situation, by the texts of n columns
 * (column numbers; NULL for an unknown value) and a finite time.
 */
uint32
rec_situation_number(RecSituations *situations, const int *columns,
					 char *const *texts, int n, RecWallClock wall, int64 time)
{
	struct SituationTables *tables = situations->tables;
	RecTimeParts parts = read_time(tables, wall, time);
	uint32	   *by_time;

	for (int i = 0; i < tables->ndeclared; i++)
		tables->current[i] = REC_NO_VALUE;
	for (int i = 0; i < n; i++)
		if (texts[i])
			tables->current[columns[i]] = declared_value(situations, columns[i], texts[i]);
	if (memcmp(tables->current, tables->last, tables->ndeclared * sizeof(uint32)) != 0)
	{
		memcpy(tables->last, tables->current, tables->ndeclared * sizeof(uint32));
		memset(tables->by_time, 0xff, sizeof(tables->by_time));
	}
	by_time = &tables->by_time[((parts.part[0] + 1) * 3 + parts.part[1] + 1) * 13 +
							   parts.part[2] + 1];
	if (*by_time == REC_NO_VALUE)
		*by_time = intern_situation(situations, &parts);
	return *by_time;
}

/*
 * Return true when a part of the time is a column of the context in addition
 * to the declared ones.
 */
bool
rec_situation_has_time(RecTimePart part, char *const *columns, int ncolumns,
					const RecOptions *options)
{
	for (int i = 0; i < ncolumns; i++)
		if (strcmp(columns[i], rec_time_part_name(part)) == 0)
			return false;
	return (options->context_time & (1 << part)) != 0;
}

/* Add the columns of the parts of the time. */
static void
add_time_parts(RecSituations *situations, char *const *columns, int ncolumns,
			   const RecOptions *options)
{
	struct SituationTables *tables = situations->tables;

	for (int part = 0; part < REC_NTIMES; part++)
	{
		const char *text;

		tables->part_column[part] = -1;
		if (!rec_situation_has_time(part, columns, ncolumns, options))
			continue;
		tables->part_column[part] = situations->ncolumns;
		situations->columns[situations->ncolumns] = rec_time_part_name(part);
		situations->part[situations->ncolumns] = part;
		for (int i = 0; (text = rec_time_part_value(part, i)) != NULL; i++)
			tables->part_value[part][i] =
				intern_value(situations, situations->ncolumns, text);
		situations->ncolumns++;
	}
}

/*
 * Make an empty set of situations of these columns, whose names stay
 * allocated, and of the parts of the time that the options name.
 */
RecSituations *
rec_situation_create(MemoryContext mcxt, char *const *columns, int ncolumns,
					  const RecOptions *options)
{
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	RecSituations *situations = palloc0_object(RecSituations);
	struct SituationTables *tables = palloc0_object(struct SituationTables);

	situations->mcxt = mcxt;
	situations->tables = tables;
	situations->columns = palloc_array(const char *, ncolumns + REC_NTIMES);
	situations->part = palloc_array(int, ncolumns + REC_NTIMES);
	for (int i = 0; i < ncolumns; i++)
	{
		situations->columns[i] = columns[i];
		situations->part[i] = -1;
	}
	situations->ncolumns = ncolumns;
	tables->ndeclared = ncolumns;
	tables->values = value_table_create(mcxt, 64, NULL);
	tables->situations = situation_table_create(mcxt, 64, situations);
	add_time_parts(situations, columns, ncolumns, options);
	tables->current = palloc0_array(uint32, ncolumns + 1);
	tables->last = palloc0_array(uint32, ncolumns + 1);
	memset(tables->last, 0xff, ncolumns * sizeof(uint32));
	memset(tables->by_time, 0xff, sizeof(tables->by_time));
	tables->zone_clock = rec_time_part_create(pg_tzset(options->context_timezone));
	tables->session_clock = rec_time_part_create(session_timezone);
	MemoryContextSwitchTo(old);
	return situations;
}

/*
 * Compare by the texts of the values, so that results do not depend on the
 * order of rows.
 */
static inline int
compare_situations(const uint32 *a, const uint32 *b, const RecSituations *situations)
{
	const uint32 *x = values_of(situations, *a);
	const uint32 *y = values_of(situations, *b);

	for (int c = 0; c < situations->ncolumns; c++)
	{
		if (x[c] == y[c])
			continue;
		if (x[c] == REC_NO_VALUE || y[c] == REC_NO_VALUE)
			return x[c] == REC_NO_VALUE ? 1 : -1;
		return strcmp(situations->values[x[c]].text, situations->values[y[c]].text);
	}
	return 0;
}

#define ST_SORT sort_situations
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b, situations) compare_situations(a, b, situations)
#define ST_COMPARE_ARG_TYPE const RecSituations
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Return the place of each situation in a fixed order, in the current
 * context.
 */
uint32 *
rec_situation_ranks(const RecSituations *situations)
{
	Size		size = mul_size((Size) situations->count + 1, sizeof(uint32));
	uint32	   *order = palloc_extended(size, MCXT_ALLOC_HUGE);
	uint32	   *ranks = palloc_extended(size, MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < situations->count; i++)
		order[i] = i;
	sort_situations(order, situations->count, situations);
	for (uint32 i = 0; i < situations->count; i++)
		ranks[order[i]] = i;
	pfree(order);
	return ranks;
}

/* ----------------
 *		interactions
 * ----------------
 */

/* Set the situation of the next interaction. */
void
rec_situation_append(RecSituations *situations, uint32 situation)
{
	RecPacked  *rows = &situations->rows;
	int64		n = situations->nrows;

	if (rows->bytes == NULL)
		rec_packed_column_begin(rows, situations->mcxt, rec_memory_budget_room(0, 1), 1);
	if (n == rows->allocated)
		rec_packed_column_resize(rows, rec_memory_budget_room(n, n + 1));
	rec_packed_column_set(rows, situations->nrows++, situation, n);
}

/* Forget the situations of the interactions. */
void
rec_situation_forget_rows(RecSituations *situations)
{
	rec_packed_column_free(&situations->rows);
	situations->nrows = 0;
}
