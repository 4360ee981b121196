/*-------------------------------------------------------------------------
 *
 * lift.c
 *	  Log-lifts: how much more or less often items are chosen in a situation,
 *	  learnt from interactions.
 *
 * A column of the context groups the interactions for which it is known by its
 * values.  Users are counted, not interactions: n(v, j) users have chosen item
 * j at least once with value v.  With n(v), n(j) and n as sums of these over
 * items, over the column's values, and over both,
 *
 *	  e(v, j) = n(v) n(j) / n
 *
 * users would have chosen it if the value made no difference, and
 *
 *	  lift(v, j) = ln( (n(v, j) + s(v)) / (e(v, j) + s(v)) )
 *
 * is the logarithm of the ratio, shrunk towards 0 where both are small against
 * s(v) (by a gamma prior of mean 1 and shape s(v), as in DuMouchel 1999).  The
 * shape is estimated for each value: the variance of its items' ratios n(v, j)
 * / e(v, j) in excess of chance, with the weights e(v, j)^2,
 *
 *	  d(v) = sum over j of ((n(v, j) - e(v, j))^2 - c(v, j)) / sum of e(v, j)^2
 *	  c(v, j) = e(v, j) (1 - n(v) / n) (1 - n(j) / n)
 *
 * is the variance of such a prior of shape 1 / d(v).  So for a value with
 * large differences, like a month in a gift shop, little evidence is enough,
 * and a value with next to no differences has next to no lifts, however many
 * of its items look remarkable by chance. s(v) is at least context_smoothing.
 *
 * A lift is kept when Dunning's G squared of the 2x2 table is above what
 * chance seldom reaches; and where the item is chosen more often than
 * expected, at least min_support users must have chosen it.  An item that no
 * user has chosen with a value can have a lift, too, if some users were
 * expected.
 *
 * Counting goes item by item, over as many items at a time as have a quarter
 * of the interactions, so that memory in addition to the counts is about two
 * bytes for each interaction.
 *
 * Results are in the current context.  Knows numbers only: no Datum, no SPI.
 *
 * Dunning 1993, Accurate methods for the statistics of surprise and
 * coincidence; DuMouchel 1999, Bayesian data mining in large frequency tables.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/context/lift.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "context/lift.h"
#include "interaction/stream.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "pg/relation.h"
#include "utils/memutils.h"

#define LEAST_CHUNK			((int64) 1 << 18)	/* interactions at a time */
#define CHUNKS				4	/* passes over all interactions, about */
#define INTERRUPT_ROWS		65536
#define MOST_SMOOTHING		1e9 /* users: of a value without differences */

/* The number of users who have chosen an item with a value. */
typedef struct Cell
{
	uint32		value;
	uint32		users;
} Cell;

typedef struct Learner
{
	const RecStream *stream;
	const RecSituations *situations;
	const RecOptions *options;
	MemoryContext caller;		/* all memory in it counts towards the budget */
	MemoryContext mcxt;			/* a child of it; owns the fields below */
	uint32		nitems;
	uint32		nvalues;

	/* counts */
	int64	   *cell_start;		/* nitems + 1 offsets into ... */
	Cell	   *cells;
	int64		ncells;
	int64		cells_allocated;
	int64	   *value_users;	/* n(v) of each value */
	int64	   *column_users;	/* n of each column */
	double	   *smoothing;		/* s(v) of each value */
	uint32	   *column_values;	/* values of each column in turn, those with
								 * most users first */
	uint32	   *column_start;	/* ncolumns + 1 offsets into them */

	/* the current item */
	uint32	   *users;			/* n(v, j) of each value */
	uint32	   *last_user;		/* last user counted for each value */
	uint32	   *met;			/* values that the item was chosen with */
	uint32		nmet;

	/* results */
	double		threshold;		/* least G squared of a lift */
	int64		nlifts;
	int64		lifts_allocated;
	RecLift    *lifts;			/* item by item, and ... */
	uint32	   *lift_value;		/* ... the value of each */
} Learner;

static void *
alloc_zero(Learner *learner, Size count, Size width)
{
	return rec_memory_budget_alloc_in(learner->caller, learner->mcxt, count, width);
}

/* ----------------
 *		counting
 * ----------------
 */

static inline bool
counts(const RecStream *stream, int64 row)
{
	return rec_stream_weight(stream, row) > 0;
}

/*
 * Return an array with the number of counted interactions of each item,
 * indexed by the item's number.
 */
static int64 *
count_rows(Learner *learner)
{
	const RecStream *stream = learner->stream;
	int64	   *rows = alloc_zero(learner, (Size) learner->nitems + 1, sizeof(int64));

	for (int64 i = 0; i < stream->count; i++)
	{
		if (i % INTERRUPT_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		rows[rec_stream_item(stream, i)] += counts(stream, i);
	}
	return rows;
}

/* Return the item after the last one of a chunk that begins with "from". */
static uint32
chunk_end(const Learner *learner, const int64 *rows, uint32 from)
{
	int64		limit = Max(learner->stream->count / CHUNKS, LEAST_CHUNK);
	int64		n = rows[from];
	uint32		end = from + 1;

	while (end < learner->nitems && n + rows[end] <= limit)
		n += rows[end++];
	return end;
}

/* The user and the situation of each interaction of items in a chunk. */
typedef struct Chunk
{
	uint32		from;			/* items: from this one ... */
	uint32		to;				/* ... to before this one */
	int64	   *start;			/* where the rows of each item are, and the
								 * end */
	uint64	   *rows;			/* user in the upper half, situation below */
} Chunk;

static Chunk
read_chunk(Learner *learner, const int64 *rows, uint32 from, uint32 to)
{
	/* copies, whose fields stay in registers */
	RecStream	stream = *learner->stream;
	RecPacked	situations = learner->situations->rows;
	uint32		n = to - from;
	Chunk		chunk = {.from = from, .to = to};
	int64		spare;

	chunk.start = alloc_zero(learner, (Size) n + 2, sizeof(int64));
	/* an item begins where the entry after its own points */
	for (uint32 i = 0; i < n; i++)
		chunk.start[i + 2] = chunk.start[i + 1] + rows[from + i];
	/* a last place, where rows of other items go without a branch */
	spare = chunk.start[n + 1];
	chunk.rows = alloc_zero(learner, spare + 1, sizeof(uint64));
	for (int64 i = 0; i < stream.count; i++)
	{
		uint32		item = rec_stream_item(&stream, i) - from;
		bool		inside = item < n && counts(&stream, i);
		int64	   *at = inside ? &chunk.start[item + 1] : &spare;

		if (i % INTERRUPT_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		chunk.rows[*at] = (uint64) rec_stream_user(&stream, i) << 32 |
			rec_packed_column_get(&situations, i);
		*at += inside;
	}
	return chunk;
}

#define ST_SORT sort_rows
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static inline void
meet(Learner *learner, uint32 value, uint32 user)
{
	if (learner->users[value] == 0)
		learner->met[learner->nmet++] = value;
	else if (learner->last_user[value] == user)
		return;
	learner->last_user[value] = user;
	learner->users[value]++;
}

static void
append_cells(Learner *learner)
{
	while (learner->ncells + learner->nmet > learner->cells_allocated)
	{
		int64		wanted = Max(1024, learner->cells_allocated * 2);

		rec_memory_budget_check(learner->caller,
								mul_size(wanted - learner->cells_allocated, sizeof(Cell)));
		learner->cells = learner->cells ?
			repalloc_huge(learner->cells, mul_size(wanted, sizeof(Cell))) :
			MemoryContextAllocHuge(learner->mcxt, mul_size(wanted, sizeof(Cell)));
		learner->cells_allocated = wanted;
	}
	for (uint32 i = 0; i < learner->nmet; i++)
	{
		Cell	   *cell = &learner->cells[learner->ncells++];

		cell->value = learner->met[i];
		cell->users = learner->users[learner->met[i]];
		learner->value_users[cell->value] += cell->users;
	}
}

static void
forget_item(Learner *learner)
{
	for (uint32 i = 0; i < learner->nmet; i++)
		learner->users[learner->met[i]] = 0;
	learner->nmet = 0;
}

/* Count the users of an item for each value; sorts the rows by user. */
static void
count_item(Learner *learner, uint64 *rows, int64 n)
{
	const RecSituations *situations = learner->situations;

	sort_rows(rows, n);
	for (int64 i = 0; i < n; i++)
	{
		Size		at = (Size) (uint32) rows[i] * situations->ncolumns;
		const uint32 *values = situations->situations + at;

		if (i > 0 && rows[i] == rows[i - 1])
			continue;
		for (int c = 0; c < situations->ncolumns; c++)
			if (values[c] != REC_NO_VALUE)
				meet(learner, values[c], (uint32) (rows[i] >> 32));
	}
	append_cells(learner);
	forget_item(learner);
}

static void
count_cells(Learner *learner)
{
	int64	   *rows = count_rows(learner);
	uint32		to;

	learner->cell_start = alloc_zero(learner, (Size) learner->nitems + 1, sizeof(int64));
	for (uint32 from = 0; from < learner->nitems; from = to)
	{
		Chunk		chunk;

		to = chunk_end(learner, rows, from);
		chunk = read_chunk(learner, rows, from, to);
		for (uint32 i = 0; i < to - from; i++)
		{
			count_item(learner, chunk.rows + chunk.start[i],
					   chunk.start[i + 1] - chunk.start[i]);
			learner->cell_start[from + i + 1] = learner->ncells;
		}
		pfree(chunk.start);
		pfree(chunk.rows);
	}
	pfree(rows);
}

static inline int
compare_values(const uint32 *a, const uint32 *b, const Learner *learner)
{
	const RecContextValue *values = learner->situations->values;

	if (values[*a].column != values[*b].column)
		return values[*a].column < values[*b].column ? -1 : 1;
	if (learner->value_users[*a] != learner->value_users[*b])
		return learner->value_users[*a] > learner->value_users[*b] ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

#define ST_SORT sort_values
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b, learner) compare_values(a, b, learner)
#define ST_COMPARE_ARG_TYPE const Learner
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Add up the columns, and order their values by users. */
static void
sum_columns(Learner *learner)
{
	const RecSituations *situations = learner->situations;

	learner->column_users = alloc_zero(learner, situations->ncolumns, sizeof(int64));
	learner->column_start = alloc_zero(learner, situations->ncolumns + 1, sizeof(uint32));
	learner->column_values = alloc_zero(learner, learner->nvalues, sizeof(uint32));
	for (uint32 v = 0; v < learner->nvalues; v++)
	{
		learner->column_values[v] = v;
		learner->column_users[situations->values[v].column] += learner->value_users[v];
		learner->column_start[situations->values[v].column + 1]++;
	}
	for (int c = 0; c < situations->ncolumns; c++)
		learner->column_start[c + 1] += learner->column_start[c];
	sort_values(learner->column_values, learner->nvalues, learner);
}

/* ----------------
 *		smoothing
 * ----------------
 */

/* Sums over items; being integers, they do not depend on the items' order. */
typedef struct Spread
{
	int64	   *squares;		/* of n(v, j), for each value */
	int64	   *products;		/* of n(v, j) and n(j), for each value */
	int64	   *column_squares; /* of n(j), for each column */
} Spread;

/* Add up the users of an item for each column. */
static void
sum_item(const Learner *learner, uint32 item, int64 *item_users)
{
	const RecSituations *situations = learner->situations;

	memset(item_users, 0, situations->ncolumns * sizeof(int64));
	for (int64 i = learner->cell_start[item]; i < learner->cell_start[item + 1]; i++)
		item_users[situations->values[learner->cells[i].value].column] += learner->cells[i].users;
}

static Spread
sum_squares(Learner *learner, int64 *item_users)
{
	const RecSituations *situations = learner->situations;
	Spread		spread;

	spread.squares = alloc_zero(learner, learner->nvalues, sizeof(int64));
	spread.products = alloc_zero(learner, learner->nvalues, sizeof(int64));
	spread.column_squares = alloc_zero(learner, situations->ncolumns, sizeof(int64));
	for (uint32 item = 0; item < learner->nitems; item++)
	{
		CHECK_FOR_INTERRUPTS();
		sum_item(learner, item, item_users);
		for (int c = 0; c < situations->ncolumns; c++)
			spread.column_squares[c] += item_users[c] * item_users[c];
		for (int64 i = learner->cell_start[item]; i < learner->cell_start[item + 1]; i++)
		{
			const Cell *cell = &learner->cells[i];

			spread.squares[cell->value] += (int64) cell->users * cell->users;
			spread.products[cell->value] += cell->users *
				item_users[situations->values[cell->value].column];
		}
	}
	return spread;
}

/* Estimate the smoothing of each value's lifts. */
static void
learn_smoothing(Learner *learner, int64 *item_users)
{
	double		least = learner->options->context_smoothing;
	Spread		spread = sum_squares(learner, item_users);

	learner->smoothing = alloc_zero(learner, learner->nvalues, sizeof(double));
	for (uint32 v = 0; v < learner->nvalues; v++)
	{
		int			column = learner->situations->values[v].column;
		double		all = (double) learner->column_users[column];
		double		share = learner->value_users[v] / Max(all, 1);
		double		expected = share * share * spread.column_squares[column];
		double		found = spread.squares[v] - 2 * share * spread.products[v] + expected;
		double		chance = share * (1 - share) * (all - spread.column_squares[column] / Max(all, 1));

		learner->smoothing[v] = found > chance ?
			Min(Max(expected / (found - chance), least), MOST_SMOOTHING) : MOST_SMOOTHING;
	}
}

/* ----------------
 *		lifts
 * ----------------
 */

static inline double
g2_cell(double observed, double expected)
{
	return observed > 0 ? observed * log(observed / expected) : 0;
}

/* Return Dunning's G squared of the 2x2 table of one value and one item. */
static double
g2(double both, double value, double item, double all)
{
	return 2 * (g2_cell(both, value * item / all) +
				g2_cell(value - both, value * (all - item) / all) +
				g2_cell(item - both, (all - value) * item / all) +
				g2_cell(all - value - item + both, (all - value) * (all - item) / all));
}

/*
 * Return the G squared that chance exceeds with probability p: the quantile of
 * chi-square with one degree of freedom, by bisection.
 */
static double
g2_threshold(double p)
{
	double		low = 0;
	double		high = 2048;	/* further than erfc() is above 0 */

	if (p <= 0)
		return INFINITY;
	for (int i = 0; i < 100; i++)
	{
		double		middle = (low + high) / 2;

		if (erfc(sqrt(middle / 2)) > p)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void
append_lift(Learner *learner, uint32 value, uint32 item, double lift)
{
	if (learner->nlifts == learner->lifts_allocated)
	{
		int64		wanted = Max(1024, learner->lifts_allocated * 2);

		rec_memory_budget_check(learner->caller,
								mul_size(wanted - learner->lifts_allocated,
										 sizeof(RecLift) + sizeof(uint32)));
		if (learner->lifts == NULL)
		{
			learner->lifts = MemoryContextAllocHuge(learner->mcxt,
													mul_size(wanted, sizeof(RecLift)));
			learner->lift_value = MemoryContextAllocHuge(learner->mcxt,
														 mul_size(wanted, sizeof(uint32)));
		}
		else
		{
			learner->lifts = repalloc_huge(learner->lifts, mul_size(wanted, sizeof(RecLift)));
			learner->lift_value = repalloc_huge(learner->lift_value,
												mul_size(wanted, sizeof(uint32)));
		}
		learner->lifts_allocated = wanted;
	}
	learner->lifts[learner->nlifts].item = item;
	learner->lifts[learner->nlifts].lift = (float4) lift;
	learner->lift_value[learner->nlifts++] = value;
}

/*
 * Keep the lift of an item for a value, with which at least one user has
 * chosen it, if it is significant; return whether it is.
 */
static bool
judge(Learner *learner, uint32 value, uint32 item, double item_users)
{
	double		all = (double) learner->column_users[learner->situations->values[value].column];
	double		value_users = (double) learner->value_users[value];
	double		both = learner->users[value];
	double		expected = value_users * item_users / all;
	double		s = learner->smoothing[value];

	if (g2(both, value_users, item_users, all) < learner->threshold)
		return false;
	if (both <= expected ||
		both >= learner->options->min_support)
		append_lift(learner, value, item, log((both + s) / (expected + s)));
	return true;
}

/*
 * Test the values of a column with which no user has chosen an item.  The more
 * users a value has, the less likely it is by chance that none of them chose
 * the item, so that after the first value that may be chance, all are.
 */
static void
judge_absent(Learner *learner, int column, uint32 item, double item_users)
{
	for (uint32 i = learner->column_start[column]; i < learner->column_start[column + 1]; i++)
	{
		uint32		value = learner->column_values[i];

		if (learner->value_users[value] == 0)
			return;
		if (learner->users[value] == 0 && !judge(learner, value, item, item_users))
			return;
	}
}

static void
judge_item(Learner *learner, uint32 item, int64 *item_users)
{
	const RecSituations *situations = learner->situations;

	sum_item(learner, item, item_users);
	for (int64 i = learner->cell_start[item]; i < learner->cell_start[item + 1]; i++)
	{
		const Cell *cell = &learner->cells[i];

		learner->users[cell->value] = cell->users;
		learner->met[learner->nmet++] = cell->value;
	}
	for (uint32 i = 0; i < learner->nmet; i++)
		(void) judge(learner, learner->met[i], item,
					 (double) item_users[situations->values[learner->met[i]].column]);
	for (int c = 0; c < situations->ncolumns; c++)
		if (item_users[c] > 0)
			judge_absent(learner, c, item, (double) item_users[c]);
	forget_item(learner);
}

/* Put the lifts, which are in order of items, in order of their values. */
static RecLifts *
collect_lifts(const Learner *learner)
{
	RecLifts   *result = palloc0_object(RecLifts);
	Size		size = mul_size(Max(learner->nlifts, 1), sizeof(RecLift));
	int64	   *next;

	rec_memory_budget_check(CurrentMemoryContext, size);
	result->nvalues = learner->nvalues;
	result->start = palloc_extended(mul_size((Size) learner->nvalues + 2, sizeof(int64)),
									MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	result->lifts = palloc_extended(size, MCXT_ALLOC_HUGE);
	/* a value begins where the entry after its own points */
	next = result->start + 1;
	for (int64 i = 0; i < learner->nlifts; i++)
		if (learner->lift_value[i] + 1 < learner->nvalues)
			next[learner->lift_value[i] + 1]++;
	for (uint32 v = 1; v < learner->nvalues; v++)
		next[v] += next[v - 1];
	for (int64 i = 0; i < learner->nlifts; i++)
		result->lifts[next[learner->lift_value[i]]++] = learner->lifts[i];
	return result;
}

/*
 * Learn lifts from the interactions of weight above 0.  The stream's items are
 * numbers below "nitems", and the situations have a row for each interaction
 * of the stream.
 */
RecLifts *
rec_lift_learn(const RecStream *stream, uint32 nitems,
			   const RecSituations *situations, const RecOptions *options)
{
	Learner		learner = {.stream = stream, .situations = situations, .options = options};
	int64	   *item_users;
	RecLifts   *lifts;

	if (situations->nrows != stream->count)
		elog(ERROR, "there must be a situation for each interaction");
	learner.caller = CurrentMemoryContext;
	learner.mcxt = AllocSetContextCreate(CurrentMemoryContext, "recommender context",
										 ALLOCSET_DEFAULT_SIZES);
	learner.nitems = nitems;
	learner.nvalues = situations->nvalues;
	learner.threshold = g2_threshold(options->context_significance);
	learner.value_users = alloc_zero(&learner, learner.nvalues, sizeof(int64));
	learner.users = alloc_zero(&learner, learner.nvalues, sizeof(uint32));
	learner.last_user = alloc_zero(&learner, learner.nvalues, sizeof(uint32));
	learner.met = alloc_zero(&learner, learner.nvalues, sizeof(uint32));
	count_cells(&learner);
	sum_columns(&learner);
	item_users = alloc_zero(&learner, situations->ncolumns, sizeof(int64));
	learn_smoothing(&learner, item_users);
	for (uint32 item = 0; item < nitems; item++)
	{
		CHECK_FOR_INTERRUPTS();
		judge_item(&learner, item, item_users);
	}
	lifts = collect_lifts(&learner);
	MemoryContextDelete(learner.mcxt);
	return lifts;
}

static inline int
compare_lifts(const RecLift *a, const RecLift *b)
{
	return a->item < b->item ? -1 : a->item > b->item;
}

#define ST_SORT sort_lifts
#define ST_ELEMENT_TYPE RecLift
#define ST_COMPARE(a, b) compare_lifts(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Replace the numbers of items, in place; items whose new number is
 * PG_UINT32_MAX are removed.
 */
void
rec_lift_renumber(RecLifts *lifts, const uint32 *number)
{
	int64		n = 0;

	for (uint32 v = 0; v < lifts->nvalues; v++)
	{
		int64		from = lifts->start[v];

		lifts->start[v] = n;
		for (int64 i = from; i < lifts->start[v + 1]; i++)
		{
			uint32		item = number[lifts->lifts[i].item];

			if (item == PG_UINT32_MAX)
				continue;
			lifts->lifts[n].item = item;
			lifts->lifts[n++].lift = lifts->lifts[i].lift;
		}
		sort_lifts(lifts->lifts + lifts->start[v], n - lifts->start[v]);
	}
	lifts->start[lifts->nvalues] = n;
}
