/*-------------------------------------------------------------------------
 *
 * batch_train.c
 *	  Training a model in memory on a part of the interactions.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_train.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "batch/batch_content.h"
#include "batch/batch_context.h"
#include "batch/batch_event.h"
#include "batch/batch_train.h"
#include "factor/als.h"
#include "interaction/matrix_build.h"
#include "interaction/stream.h"
#include "interaction/trend.h"
#include "model/train.h"
#include "similarity/similarity_range.h"
#include "utils/memutils.h"

/* Return the rows that a model may be trained on as a stream. */
static RecStream *
training_stream(RecBatch *batch)
{
	RecStream  *stream = rec_stream_create(CurrentMemoryContext);

	for (int64 i = 0; i < batch->nrows; i++)
	{
		const RecBatchRow *row = &batch->rows[i];

		if (rec_batch_counts(batch, row) && row->part == REC_PART_TRAIN)
			rec_stream_add(stream, row->user, row->pair.item, rec_batch_known_weight(batch, row),
						   row->pair.time);
	}
	return stream;
}

typedef struct TrainState
{
	RecBatch   *batch;
	const RecMatrix *matrix;
} TrainState;

/* Keep a row of neighbours with the precision of a stored one. */
static void
take_neighbors(void *arg, uint32 item, const RecNeighbor *row, int n)
{
	TrainState *state = (TrainState *) arg;
	RecBatch   *batch = state->batch;
	RecNeighborList *kept = rec_batch_lists(batch, state->matrix->item_id[item]);
	int32	   *neighbors;
	float4	   *similarities;

	n = rec_similarity_range_storable(row, n, item, batch->memory.item, batch->items);
	neighbors = rec_batch_alloc(batch, n, sizeof(int32));
	similarities = rec_batch_alloc(batch, n, sizeof(float4));
	for (int i = 0; i < n; i++)
	{
		neighbors[i] = (int32) row[i].item;
		similarities[i] = (float4) row[i].similarity;
	}
	kept->n = n;
	kept->items = neighbors;
	kept->values = similarities;
}

static void
train_factors(RecBatch *batch, const RecMatrix *matrix)
{
	MemoryContext old = MemoryContextSwitchTo(batch->model_mcxt);

	rec_batch_set_factors(batch, rec_als_train(matrix, batch->options, true, NULL, NULL));
	MemoryContextSwitchTo(old);
}

/* Train a model on the rows of REC_PART_TRAIN. */
void
rec_batch_train(RecBatch *batch)
{
	MemoryContext working = AllocSetContextCreate(CurrentMemoryContext,
												  "recommender training",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(working);
	RecStream  *stream;
	TrainState	state;
	RecIds		ids;
	RecMatrix  *matrix;
	double	   *popularity;
	double	   *trend;			/* of the dictionary's numbers, then of items */
	uint32		steps[REC_USER_STEPS];
	int			nsteps;
	uint32	   *number;			/* of the dictionary's, of each item */
	uint32		nitems;

	if (batch->events)
		rec_batch_event_weigh(batch);
	stream = training_stream(batch);
	ids.nusers = rec_dictionary_count(batch->users);
	ids.nitems = rec_dictionary_count(batch->items);
	ids.user_rank = batch->user_rank;
	ids.item_rank = rec_dictionary_ranks(batch->items, true);
	trend = rec_trend_scores(stream, ids.nitems, batch->options);
	matrix = rec_matrix_build(batch->learns_context ? rec_stream_copy(stream) : stream,
							  &ids, batch->options);
	popularity = rec_train_popularity(matrix);
	trend = rec_train_trend(matrix, trend);
	batch->as_of = stream->newest;
	number = rec_batch_content_model_items(batch, matrix->item_id, matrix->nitems, &nitems);
	rec_batch_begin_model(batch, nitems);
	for (uint32 i = 0; i < nitems; i++)
		rec_batch_set_item(batch, i, number[i], i < matrix->nitems ? popularity[i] : 0,
						   i < matrix->nitems ? trend[i] : 0);
	rec_batch_end_model(batch);
	batch->ntrained = matrix->nitems;
	rec_batch_content_train(batch, number, nitems);
	nsteps = rec_train_user_steps(matrix, steps);
	rec_score_set_steps(batch->scores, steps, nsteps);
	if (batch->learns_context)
		rec_batch_context_learn(batch, stream);
	state.batch = batch;
	state.matrix = matrix;
	if (batch->options->model == REC_MODEL_ALS)
		train_factors(batch, matrix);
	rec_train_rows(matrix, rec_batch_content_similarity(batch), batch->options, take_neighbors, NULL, &state);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(working);
}
