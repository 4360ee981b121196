/*-------------------------------------------------------------------------
 *
 * batch.c
 *	  Many users at once: interactions and a model in memory.
 *
 * Used by recommend_all(), which reads the stored model, and by evaluation, which
 * trains a model on a part of the interactions.  Each user is scored by the code
 * that recommend() uses, with the same order of sums, so that the answers are the
 * same.
 *
 * The stages of a batch: create; add or read interactions and sort them
 * (batch_rows.c); a model, either read (begin, set items, end) or trained
 * (batch_train.c); then, for each user, score (batch_score.c), select
 * (batch_rerank.c), and reset.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "batch/batch.h"
#include "pg/memory_budget.h"
#include "utils/memutils.h"

/* Return a zeroed array for the model, within the memory budget. */
void *
rec_batch_alloc(RecBatch *batch, Size count, Size width)
{
	return rec_memory_budget_alloc_in(batch->mcxt, batch->model_mcxt, count, width);
}

/* Make an empty batch; all of it is in "mcxt". */
RecBatch *
rec_batch_create(MemoryContext mcxt, const RecOptions *options,
				 Oid user_type, Oid user_collation,
				 Oid item_type, Oid item_collation)
{
	RecBatch   *batch = MemoryContextAllocZero(mcxt, sizeof(RecBatch));

	batch->mcxt = mcxt;
	batch->model_mcxt = AllocSetContextCreate(mcxt, "recommender model in memory",
											  ALLOCSET_DEFAULT_SIZES);
	batch->options = options;
	batch->seen_bit = 1;
	batch->users = rec_dictionary_create(user_type, user_collation, mcxt);
	batch->items = rec_dictionary_create(item_type, item_collation, mcxt);
	batch->as_of = REC_NO_TIME;
	return batch;
}

/*
 * Return the weight of a row as a known interaction: that of its event by the
 * options in force included.
 */
double
rec_batch_known_weight(const RecBatch *batch, const RecBatchRow *row)
{
	double		weight = row->pair.weight;

	if (batch->events)
		weight *= batch->events[row->event].weight;
	rec_interaction_check_weight(weight, batch->users, row->user, batch->items, row->pair.item);
	return weight;
}

/* ----------------
 *		a model
 * ----------------
 */

/* Begin a model of so many items; the previous model is freed. */
void
rec_batch_begin_model(RecBatch *batch, uint32 nitems)
{
	RecMemoryCatalog *memory = &batch->memory;

	MemoryContextReset(batch->model_mcxt);
	memset(memory, 0, sizeof(*memory));
	batch->values = NULL;
	batch->factors = NULL;
	memory->nitems = nitems;
	memory->ids = rec_batch_alloc(batch, nitems, sizeof(Datum));
	memory->popularity = rec_batch_alloc(batch, nitems, sizeof(double));
	memory->trend = rec_batch_alloc(batch, nitems, sizeof(double));
	memory->barred = rec_batch_alloc(batch, nitems, sizeof(bool));
	memory->item = rec_batch_alloc(batch, nitems, sizeof(uint32));
}

/*
 * Set the item of the dictionary, and its popularity and trend, for a number
 * of the model.
 */
void
rec_batch_set_item(RecBatch *batch, uint32 number, uint32 item,
				   double popularity, double trend)
{
	RecMemoryCatalog *memory = &batch->memory;

	memory->ids[number] = rec_dictionary_id(batch->items, item);
	memory->item[number] = item;
	memory->popularity[number] = popularity;
	memory->trend[number] = trend;
}

/* End the model's items; neighbours are added to batch->neighbors next. */
void
rec_batch_end_model(RecBatch *batch)
{
	uint32		nids = rec_dictionary_count(batch->items);
	MemoryContext old = MemoryContextSwitchTo(batch->model_mcxt);

	batch->model_number = rec_batch_alloc(batch, nids, sizeof(uint32));
	memset(batch->model_number, 0xff, nids * sizeof(uint32));
	for (uint32 i = 0; i < batch->memory.nitems; i++)
		batch->model_number[batch->memory.item[i]] = i;
	batch->neighbors = rec_batch_alloc(batch, (Size) nids * REC_NLIKENESSES, sizeof(RecNeighborList));
	batch->barred = rec_batch_alloc(batch, batch->memory.nitems, sizeof(uint32));
	batch->nbarred = 0;
	batch->item_rank = rec_dictionary_ranks(batch->items, true);
	batch->scores = rec_score_create(batch->options, batch->memory.nitems);
	MemoryContextSwitchTo(old);
}

/*
 * Set the factors of the model, which must stay allocated as long as the
 * model.
 */
void
rec_batch_set_factors(RecBatch *batch, RecFactors *factors)
{
	int			n = factors->folds.nfactors;

	rec_memory_budget_check(batch->mcxt, rec_folding_size(n));
	batch->factors = factors;
	batch->folding = rec_folding_create(batch->model_mcxt, n);
	batch->user_factors = rec_batch_alloc(batch, n, sizeof(double));
	batch->factor_values = rec_batch_alloc(batch, batch->memory.nitems, sizeof(float4));
}

/*
 * Serve by other options, which differ from the model's in serving options
 * only.
 */
void
rec_batch_serve_by(RecBatch *batch, const RecOptions *options)
{
	batch->options = options;
	rec_score_use_options(batch->scores, options);
}
