/*-------------------------------------------------------------------------
 *
 * batch_rerank.c
 *	  The best items of a user in a batch, reranked by its options.
 *
 * A batch has all neighbours in memory.  The values of all its items in
 * max_per's columns are read once.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_rerank.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "batch/batch_rerank.h"
#include "rank/rerank.h"
#include "serve/cap_values.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

static void
find_neighbors(void *arg, const RecScoredItem *items, int n, RecNeighborList *lists)
{
	const RecBatch *batch = (RecBatch *) arg;

	for (int i = 0; i < n; i++)
		memcpy(lists + (Size) i * REC_NLIKENESSES,
			   rec_batch_lists(batch, batch->memory.item[items[i].ref]),
			   REC_NLIKENESSES * sizeof(RecNeighborList));
}

/* Read the values of all items of the model. */
static void
read_values(RecBatch *batch)
{
	RecCapped  *capped = rec_cap_values_create(batch->definition, batch->options);
	Size		size = mul_size(mul_size(batch->memory.nitems, batch->options->ncaps),
								sizeof(int32));

	batch->values = MemoryContextAllocHuge(batch->model_mcxt, Max(size, 1));
	rec_cap_values_read(capped, batch->memory.ids, (int) batch->memory.nitems, batch->values);
}

static void
find_values(void *arg, const RecScoredItem *items, int n, int32 *values)
{
	RecBatch   *batch = (RecBatch *) arg;
	int			ncaps = batch->options->ncaps;

	if (batch->values == NULL)
		read_values(batch);
	for (int i = 0; i < n; i++)
		memcpy(values + (Size) i * ncaps, batch->values + (Size) items[i].ref * ncaps,
			   ncaps * sizeof(int32));
}

/*
 * Return the k best items of a batch's catalog for the user at hand, reranked
 * by its options; SPI is connected.
 */
RecScoredItem *
rec_batch_rerank_select(RecBatch *batch, const RecCatalog *catalog, int64 k, int *n)
{
	RecReranker reranker = {find_neighbors, find_values, batch};

	return rec_rerank_select(batch->scores, batch->options, catalog, &reranker, k, n);
}
