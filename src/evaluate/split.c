/*-------------------------------------------------------------------------
 *
 * split.c
 *	  Which of the interactions are hidden, to be found.
 *
 * Each row of a batch is trained on, known as history alone, to be found, or
 * hidden.  A split says so by the time, by the user or by lot, and may do it
 * several times, each time for another model.  It writes marks and copies
 * nothing; what is reserved for a later look stays hidden whatever it says.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/split.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "batch/batch_rows.h"
#include "common/pg_prng.h"
#include "evaluate/split.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"

/* Gives how many times a split cuts, each with a model of its own. */
int
rec_split_cuts(const RecSplit *split)
{
	return strcmp(split->method, "time") == 0 ? split->cuts : 1;
}

#define ST_SORT sort_times
#define ST_ELEMENT_TYPE int64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * The time before which a share of the interactions lies.  The share is a sum
 * of decimal fractions, so that a whole number of interactions may come out a
 * little too small.
 */
static int64
time_quantile(const int64 *times, int64 n, double share)
{
	int64		at = (int64) (share * (double) n * (1 + 1e-12));

	return at >= n ? PG_INT64_MAX : times[at];
}

/*
 * Cuts by time: the newest test_share is cut into as many windows as there
 * are cuts; one is the test, what lies before it is trained on, what lies
 * after it is hidden.
 */
static void
split_by_time(RecBatch *batch, const RecSplit *split, int cut)
{
	int64	   *times = rec_memory_budget_alloc(CurrentMemoryContext, batch->nrows, sizeof(int64));
	double		width = split->test_share / split->cuts;
	double		start = 1 - split->test_share + cut * width;
	int64		n = 0;
	int64		from;
	int64		to;

	for (int64 i = 0; i < batch->nrows; i++)
		if (!batch->rows[i].reserved)
			times[n++] = batch->rows[i].pair.time;
	sort_times(times, n);
	if (n > 0 && times[n - 1] == REC_NO_TIME)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the interactions have no times to split them by"),
				 errhint("Name the time column with add_interactions(), or use split => 'random'.")));
	from = time_quantile(times, n, start);
	to = cut + 1 == split->cuts ? PG_INT64_MAX : time_quantile(times, n, start + width);
	for (int64 i = 0; i < batch->nrows; i++)
	{
		int64		time = batch->rows[i].pair.time;

		batch->rows[i].part = time < from ? REC_PART_TRAIN :
			time < to ? REC_PART_TEST : REC_PART_HIDDEN;
	}
	pfree(times);
}

/* Makes the newest interactions of a user the test; rows are oldest first. */
static void
hold_last(RecBatch *batch, int64 from, int64 to, int last, RecPart rest)
{
	for (int64 i = to - 1; i >= from; i--)
	{
		if (batch->rows[i].reserved)
			continue;
		batch->rows[i].part = last > 0 ? REC_PART_TEST : rest;
		last -= batch->rows[i].counts;
	}
}

static void
split_by_user(RecBatch *batch, const RecSplit *split, bool share_of_users)
{
	pg_prng_state prng;
	int64		end;

	pg_prng_seed(&prng, (uint64) split->seed);
	for (int64 from = 0; from < batch->nrows; from = end)
	{
		end = rec_batch_rows_user_end(batch, from);
		if (!share_of_users)
			hold_last(batch, from, end, split->last, REC_PART_TRAIN);
		else if (pg_prng_double(&prng) < split->test_share)
			hold_last(batch, from, end, split->last, REC_PART_HISTORY);
		else
			hold_last(batch, from, end, 0, REC_PART_TRAIN);
	}
}

static void
split_at_random(RecBatch *batch, const RecSplit *split)
{
	pg_prng_state prng;

	pg_prng_seed(&prng, (uint64) split->seed);
	for (int64 i = 0; i < batch->nrows; i++)
		batch->rows[i].part = pg_prng_double(&prng) < split->test_share ?
			REC_PART_TEST : REC_PART_TRAIN;
}

/* Says of each row of a sorted batch what it is used for in one of the cuts. */
void
rec_split_apply(RecBatch *batch, const RecSplit *split, int cut)
{
	if (strcmp(split->method, "time") == 0)
		split_by_time(batch, split, cut);
	else if (strcmp(split->method, "leave_last") == 0)
		split_by_user(batch, split, false);
	else if (strcmp(split->method, "users") == 0)
		split_by_user(batch, split, true);
	else
		split_at_random(batch, split);
	for (int64 i = 0; i < batch->nrows; i++)
		if (batch->rows[i].reserved)
			batch->rows[i].part = REC_PART_HIDDEN;
}
