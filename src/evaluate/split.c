/*-------------------------------------------------------------------------
 *
 * split.c
 *	  Splits of interactions into training, test and hidden ones.
 *
 * Each row of a batch is part of the training data, of the history alone, of the
 * test set, or hidden.  A split decides by time, by user or at random, and may have
 * several cuts, each for a model of its own.  It marks rows and copies nothing;
 * reserved rows stay hidden in all splits.
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

/* Return the number of cuts of a split; each has a model of its own. */
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
 * Return the time before which a share of the interactions lies.  The share is a
 * sum of decimal fractions, and its product with n may be slightly below a whole
 * number; hence the factor.
 */
static int64
time_quantile(const int64 *times, int64 n, double share)
{
	int64		at = (int64) (share * (double) n * (1 + 1e-12));

	return at >= n ? PG_INT64_MAX : times[at];
}

/*
 * Split by time: the newest test_share is divided into one window per cut; a
 * window is the test set, the rows before it are training data, the rows after it
 * are hidden.
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
				 errmsg("the interactions have no times to split by"),
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

/* Make the newest interactions of a user the test set; rows are oldest first. */
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

/* Set the part of each row of a sorted batch in one of the cuts. */
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
