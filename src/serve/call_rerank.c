/*-------------------------------------------------------------------------
 *
 * call_rerank.c
 *	  The best items of a call, reranked by its options.
 *
 * Reranking (rerank.c) needs the neighbours of the best items and their values
 * in max_per's columns; both are read for the items at hand.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call_rerank.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rank/rerank.h"
#include "serve/call_rerank.h"
#include "serve/cap_values.h"
#include "serve/model_neighbors.h"

typedef struct CallReranker
{
	const RecCall *call;
	Datum	   *const *ids;		/* of scored items, by ref */
	RecCapped  *capped;
} CallReranker;

static Datum *
ids_of(const CallReranker *reranker, const RecScoredItem *items, int n)
{
	Datum	   *ids = palloc_array(Datum, n + 1);

	for (int i = 0; i < n; i++)
		ids[i] = (*reranker->ids)[items[i].ref];
	return ids;
}

static void
read_neighbors(void *arg, const RecScoredItem *items, int n, RecNeighborList *lists)
{
	CallReranker *reranker = (CallReranker *) arg;
	const RecServedModel *model = &reranker->call->model;
	Datum	   *ids = ids_of(reranker, items, n);
	RecDict    *numbers = rec_definition_item_dictionary(model->definition, CurrentMemoryContext);
	RecNeighborList *found = palloc0_array(RecNeighborList, (Size) n * REC_NLIKENESSES + 1);

	if (model->generation == 0)
		return;
	for (int i = 0; i < n; i++)
		(void) rec_dictionary_intern(numbers, ids[i]);
	rec_model_neighbors_read(model, ids, n, numbers, found, NULL);
	for (int i = 0; i < n; i++)
		memcpy(lists + (Size) i * REC_NLIKENESSES,
			   found + (Size) rec_dictionary_find(numbers, ids[i]) * REC_NLIKENESSES,
			   REC_NLIKENESSES * sizeof(RecNeighborList));
}

static void
read_values(void *arg, const RecScoredItem *items, int n, int32 *values)
{
	CallReranker *reranker = (CallReranker *) arg;
	Datum	   *ids = ids_of(reranker, items, n);

	rec_cap_values_read(reranker->capped, ids, n, values);
	pfree(ids);
}

/*
 * Return the k best items of a catalog, whose ids are found by their refs,
 * reranked by the call's options; SPI is connected.
 */
RecScoredItem *
rec_call_rerank_select(const RecCall *call, const RecCatalog *catalog, Datum *const *ids,
					   int64 k, int *n)
{
	CallReranker state = {call, ids, rec_cap_values_create(call->model.definition, &call->options)};
	RecReranker reranker = {read_neighbors, read_values, &state};

	return rec_rerank_select(call->scores, &call->options, catalog, &reranker, k, n);
}
