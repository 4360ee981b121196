/*-------------------------------------------------------------------------
 *
 * batch_context.c
 *	  Lifts of contexts, learnt from the rows that a model is trained on.
 *
 * A model in memory learns the same lifts as a refresh would store.  A situation
 * is added to the scores like the context of a call: in the order of the columns.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_context.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "batch/batch_context.h"
#include "context/lift.h"
#include "interaction/stream.h"
#include "pg/relation.h"

/* Keep the lifts of a value. */
static void
keep_value(RecBatch *batch, const RecLifts *lifts, uint32 value)
{
	const RecLift *from = lifts->lifts + lifts->start[value];
	int			n = (int) (lifts->start[value + 1] - lifts->start[value]);
	int32	   *items = rec_batch_alloc(batch, n, sizeof(int32));
	float4	   *values = rec_batch_alloc(batch, n, sizeof(float4));

	for (int i = 0; i < n; i++)
	{
		items[i] = (int32) from[i].item;
		values[i] = from[i].lift;
	}
	batch->lifts[value].n = n;
	batch->lifts[value].items = items;
	batch->lifts[value].values = values;
}

/*
 * Learn the lifts of the model's items from the rows that it is trained on,
 * which are the rows of the stream, in order.
 */
void
rec_batch_context_learn(RecBatch *batch, const RecStream *stream)
{
	RecLifts   *lifts;

	for (int64 i = 0; i < batch->nrows; i++)
		if (rec_batch_counts(batch, &batch->rows[i]) && batch->rows[i].part == REC_PART_TRAIN)
			rec_situation_append(batch->situations, batch->rows[i].situation);
	lifts = rec_lift_learn(stream, rec_dictionary_count(batch->items), batch->situations,
						   batch->options);
	rec_situation_forget_rows(batch->situations);
	rec_lift_renumber(lifts, batch->model_number);
	batch->lifts = rec_batch_alloc(batch, lifts->nvalues, sizeof(RecNeighborList));
	for (uint32 v = 0; v < lifts->nvalues; v++)
		keep_value(batch, lifts, v);
}

/*
 * Return whether a column of the situation is used under the options in
 * force.
 */
static bool
is_told(const RecBatch *batch, int column)
{
	const RecOptions *options = batch->options;
	int			part = batch->situations->part[column];

	if (part < 0)
		return batch->whole_context && column < batch->ncontexts;
	return (options->context_time & (1 << part)) != 0 &&
		(batch->whole_context || options->context_now);
}

/* Add the lifts of a situation to the scores of the current user. */
void
rec_batch_context_add(RecBatch *batch, uint32 situation)
{
	const RecSituations *situations = batch->situations;
	const uint32 *values;

	if (!batch->learns_context)
		return;
	values = situations->situations + (Size) situation * situations->ncolumns;
	for (int c = 0; c < situations->ncolumns; c++)
	{
		RecSignal	signal = {.component = REC_CONTEXT, .ref = values[c], .weight = 1};

		if (values[c] == REC_NO_VALUE || !is_told(batch, c))
			continue;
		signal.n = batch->lifts[values[c]].n;
		signal.items = batch->lifts[values[c]].items;
		signal.values = batch->lifts[values[c]].values;
		if (signal.n > 0)
			rec_score_add(batch->scores, &signal);
	}
}
