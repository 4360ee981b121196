/*-------------------------------------------------------------------------
 *
 * popular_items.c
 *	  Popular items.
 *
 * They are those of the model, whose tables have them in order; or, before the
 * first refresh, those of the interactions as they are now, counted for the call.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/popular_items.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/popular_items.h"
#include "batch/memory_catalog.h"
#include "model/refresh.h"
#include "model/train.h"
#include "pg/spi.h"
#include "serve/call_rerank.h"
#include "serve/item_catalog.h"
#include "storage/shmem.h"

/* Appends the eligible items that nobody has touched, by rising id. */
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

/* Makes a catalog of popular items by counting now: there is no model yet. */
static void
count_popularity(RecServe *serve, RecMemoryCatalog *memory)
{
	RecInteractions *interactions = rec_refresh_interactions(serve->definition,
															 CurrentMemoryContext, false, NULL);
	RecMatrix  *matrix = rec_interaction_matrix(interactions, &serve->options, NULL);
	RecDict    *eligible = serve->eligible ? rec_eligible_all(serve->eligible) : NULL;
	RecDict    *touched = rec_dictionary_create(serve->definition->item_type,
												serve->definition->item_collation,
												CurrentMemoryContext);
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
		memory->barred[i] = rec_dictionary_find(serve->excluded, memory->ids[i]) != REC_NOT_FOUND;
	if (eligible)
		rec_memory_catalog_keep(memory, eligible);
}

/*
 * Writes the k most popular items that are not excluded, ranked on from a
 * rank: as of the last refresh, or as of now when there was none.
 */
void
rec_popular_items_append(RecRows *rows, RecServe *serve, int64 k, int first_rank)
{
	RecMemoryCatalog memory;
	RecCatalog	catalog = rec_serve_catalog(serve);
	Datum	   *const *ids;
	RecScoredItem *items;
	int			n;

	if (k == 0)
		return;
	rec_score_component_only(serve->scores, REC_POPULARITY);
	if (serve->generation == 0)
	{
		count_popularity(serve, &memory);
		catalog = rec_memory_catalog(&memory);
	}
	ids = serve->generation == 0 ? &memory.ids : &serve->ids;
	items = rec_serve_select(serve, &catalog, ids, k, &n);
	rec_recommend_write_rows(rows, serve, *ids, items, n, first_rank);
}

/*
 * popular_items(model, k, filter, exclude, options): the k most popular items
 * as of the last refresh, or as of now when there was none.
 */
PG_FUNCTION_INFO_V1(rec_popular_items);
Datum
rec_popular_items(PG_FUNCTION_ARGS)
{
	RecDefinition *definition = rec_call_arguments_definition(fcinfo);
	int64		k = rec_call_arguments_k(fcinfo, 1);
	RecRows		rows = rec_recommend_begin_rows(fcinfo, definition);
	RecServe	serve;

	rec_spi_connect();
	rec_serve_begin(&serve, definition, rec_call_arguments_jsonb(fcinfo, 4));
	rec_serve_filter(&serve, rec_call_arguments_jsonb(fcinfo, 2));
	rec_serve_exclude(&serve, rec_call_arguments_items(fcinfo, 3, definition, "exclude"));
	rec_popular_items_append(&rows, &serve, k, 1);
	SPI_finish();
	return (Datum) 0;
}
