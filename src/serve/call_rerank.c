/*-------------------------------------------------------------------------
 *
 * call_rerank.c
 *	  What reranking asks about items: from the tables, or from a batch.
 *
 * rerank.c wants to know which items are alike, and what values they have in
 * max_per's columns.  A call looks up its pool; a batch has all neighbours in
 * memory and reads the values of all its items once.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call_rerank.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "serve/call_rerank.h"
#include "serve/cap_values.h"
#include "serve/model_neighbors.h"
#include "storage/shmem.h"

/* ----------------
 *		a call
 * ----------------
 */

typedef struct ServeReranker
{
	RecServe   *serve;
	Datum	   *const *ids;		/* of scored items, by ref */
	RecCapped  *capped;
} ServeReranker;

static Datum *
ids_of(const ServeReranker *reranker, const RecScoredItem *items, int n)
{
	Datum	   *ids = palloc_array(Datum, n + 1);

	for (int i = 0; i < n; i++)
		ids[i] = (*reranker->ids)[items[i].ref];
	return ids;
}

static void
serve_neighbors(void *arg, const RecScoredItem *items, int n, RecNeighborList *lists)
{
	ServeReranker *reranker = (ServeReranker *) arg;
	const RecDefinition *definition = reranker->serve->definition;
	Datum	   *ids = ids_of(reranker, items, n);
	RecDict    *numbers = rec_dictionary_create(definition->item_type, definition->item_collation,
										  CurrentMemoryContext);
	RecNeighborList *found = palloc0_array(RecNeighborList, (Size) n * REC_NLIKENESSES + 1);

	if (reranker->serve->generation == 0)
		return;
	for (int i = 0; i < n; i++)
		(void) rec_dictionary_intern(numbers, ids[i]);
	rec_serve_neighbors(reranker->serve, ids, n, numbers, found);
	for (int i = 0; i < n; i++)
		memcpy(lists + (Size) i * REC_NLIKENESSES,
			   found + (Size) rec_dictionary_find(numbers, ids[i]) * REC_NLIKENESSES,
			   REC_NLIKENESSES * sizeof(RecNeighborList));
}

static void
serve_values(void *arg, const RecScoredItem *items, int n, int32 *values)
{
	ServeReranker *reranker = (ServeReranker *) arg;
	Datum	   *ids = ids_of(reranker, items, n);

	rec_cap_values_values(reranker->capped, ids, n, values);
	pfree(ids);
}

/*
 * Gives the k best items of a catalog, whose ids are found by their refs,
 * reranked as the call's options say; SPI is connected.
 */
RecScoredItem *
rec_serve_select(RecServe *serve, const RecCatalog *catalog, Datum *const *ids,
				 int64 k, int *n)
{
	ServeReranker state = {serve, ids, rec_cap_values_create(serve->definition, &serve->options)};
	RecReranker reranker = {serve_neighbors, serve_values, &state};

	return rec_rerank_select(serve->scores, &serve->options, catalog, &reranker, k, n);
}

/* ----------------
 *		a batch
 * ----------------
 */

static void
batch_neighbors(void *arg, const RecScoredItem *items, int n, RecNeighborList *lists)
{
	const RecBatch *batch = (RecBatch *) arg;

	for (int i = 0; i < n; i++)
		memcpy(lists + (Size) i * REC_NLIKENESSES,
			   rec_batch_lists(batch, batch->memory.item[items[i].ref]),
			   REC_NLIKENESSES * sizeof(RecNeighborList));
}

/* Reads the values of all items of the model. */
static void
read_values(RecBatch *batch)
{
	RecCapped  *capped = rec_cap_values_create(batch->definition, batch->options);
	Size		size = mul_size(mul_size(batch->memory.nitems, batch->options->ncaps),
								sizeof(int32));

	batch->values = MemoryContextAllocHuge(batch->model_context, Max(size, 1));
	rec_cap_values_values(capped, batch->memory.ids, (int) batch->memory.nitems, batch->values);
}

static void
batch_values(void *arg, const RecScoredItem *items, int n, int32 *values)
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
 * Gives the k best items of a batch's catalog for the user at hand, reranked as
 * its options say; SPI is connected.
 */
RecScoredItem *
rec_batch_select(RecBatch *batch, const RecCatalog *catalog, int64 k, int *n)
{
	RecReranker reranker = {batch_neighbors, batch_values, batch};

	return rec_rerank_select(batch->scores, batch->options, catalog, &reranker, k, n);
}
