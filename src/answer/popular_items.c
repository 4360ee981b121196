/*-------------------------------------------------------------------------
 *
 * popular_items.c
 *	  Popular items.
 *
 * They come from the model, whose tables have them in order; or, before the
 * first refresh, from the interactions as they are now, counted for the call.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/popular_items.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/answer.h"
#include "answer/popular_items.h"
#include "answer/recommend.h"
#include "batch/memory_catalog.h"
#include "model/refresh.h"
#include "model/train.h"
#include "pg/spi.h"
#include "serve/call_rerank.h"
#include "storage/shmem.h"

/* Append the eligible items without interactions, by rising id. */
static void
append_untouched(RecMemoryCatalog *memory, RecDict *eligible, RecDict *touched)
{
	uint32		count = rec_dictionary_count(eligible);
	uint32	   *order = rec_dictionary_ordered(eligible, true);

	for (uint32 i = 0; i < count; i++)
	{
		Datum		id = rec_dictionary_id(eligible, order[i]);

		if (rec_dictionary_find(touched, id) != REC_NOT_FOUND)
			continue;
		memory->popularity[memory->nitems] = 0;
		memory->ids[memory->nitems++] = id;
	}
}

/* Make a catalog of popular items by counting now: there is no model yet. */
static void
count_popularity(const RecCall *call, RecMemoryCatalog *memory)
{
	RecDefinition *definition = call->model.definition;
	RecInteractions *interactions = rec_refresh_interactions(definition, CurrentMemoryContext,
															 false, NULL);
	RecMatrix  *matrix = rec_interaction_matrix(interactions, &call->options, NULL);
	RecDict    *eligible = call->eligible ? rec_eligible_all(call->eligible) : NULL;
	RecDict    *touched = rec_definition_item_dictionary(definition, CurrentMemoryContext);
	Size		most = (Size) matrix->nitems + (eligible ? rec_dictionary_count(eligible) : 0) + 1;

	memset(memory, 0, sizeof(*memory));
	memory->nitems = matrix->nitems;
	memory->ids = palloc_extended(mul_size(most, sizeof(Datum)), MCXT_ALLOC_HUGE);
	memory->popularity = repalloc_huge(rec_train_popularity(matrix),
									   mul_size(most, sizeof(double)));
	for (uint32 i = 0; i < matrix->nitems; i++)
	{
		memory->ids[i] = rec_dictionary_id(interactions->items, matrix->item_id[i]);
		(void) rec_dictionary_intern(touched, memory->ids[i]);
	}
	if (eligible)
		append_untouched(memory, eligible, touched);
	memory->barred = palloc_extended(most, MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < memory->nitems; i++)
		memory->barred[i] = rec_dictionary_find(call->excluded, memory->ids[i]) != REC_NOT_FOUND;
	if (eligible)
		rec_memory_catalog_keep(memory, eligible);
}

/*
 * Write the k most popular items that are not excluded, ranked on from a
 * rank: as of the last refresh, or as of now when there was none.
 */
void
rec_popular_items_append(RecRows *rows, RecItemCatalog *items, RecExplainer *explainer,
						 int64 k, int first_rank)
{
	const RecCall *call = items->call;
	bool		has_model = call->model.generation > 0;
	RecMemoryCatalog memory;
	RecCatalog	catalog = rec_item_catalog(items);
	Datum	   *const *ids = has_model ? &items->ids.ids : &memory.ids;
	RecScoredItem *popular;
	int			n;

	if (k == 0)
		return;
	rec_score_component_only(call->scores, REC_POPULARITY);
	if (!has_model)
	{
		count_popularity(call, &memory);
		catalog = rec_memory_catalog(&memory);
	}
	popular = rec_call_rerank_select(call, &catalog, ids, k, &n);
	rec_recommend_write_rows(rows, explainer, *ids, popular, n, first_rank);
}

/*
 * popular_items(model, k, filter, exclude, options): the k most popular items
 * as of the last refresh, or as of now when there was none.
 */
PG_FUNCTION_INFO_V1(rec_popular_items);
Datum
rec_popular_items(PG_FUNCTION_ARGS)
{
	static const RecArgumentPlaces places = {.filter = 2, .exclude = 3, .options = 4};
	int64		k = rec_call_arguments_k(fcinfo, 1);
	RecRows		rows = rec_recommend_begin_rows(fcinfo, rec_call_arguments_definition(fcinfo));
	RecAnswer	answer;

	rec_answer_begin(&answer, fcinfo, &places, false);
	rec_popular_items_append(&rows, &answer.catalog, &answer.explainer, k, 1);
	rec_answer_end(&answer);
	return (Datum) 0;
}
