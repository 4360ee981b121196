/*-------------------------------------------------------------------------
 *
 * recommend_all.c
 *	  Recommendations for every user at once.
 *
 * The interactions are read once, the model once; then each user is scored in
 * memory (batch.c).
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/recommend_all.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/answer.h"
#include "batch/batch_rerank.h"
#include "batch/batch_rows.h"
#include "batch/batch_score.h"
#include "catalog/pg_type.h"
#include "factor/factor_table.h"
#include "miscadmin.h"
#include "pg/spi.h"
#include "serve/model_items.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#define ALL_NCOLS			5	/* user_id, rank, item_id, score, strategy */

/* Refuse a model whose tables do not fit together. */
static void
refuse_damage(const RecServedModel *model, const char *what)
{
	rec_model_scan_damaged(model->definition, what);
}

/* Add the items that the model does not know, after its own. */
static void
add_new_items(RecBatch *batch, RecNewItems *new_items, RecDict *eligible)
{
	uint32		nitems = (uint32) new_items->model->nitems;
	bool	   *known = palloc_extended(rec_dictionary_count(eligible) + 1,
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (uint32 i = 0; i < nitems; i++)
	{
		uint32		number = rec_dictionary_find(eligible, batch->memory.ids[i]);

		if (number != REC_NOT_FOUND)
			known[number] = true;
	}
	rec_new_items_search(new_items);	/* numbers the newest ones first */
	rec_new_items_number_all(new_items, eligible, known);
	batch->memory.nitems = nitems;
	for (uint32 i = 0; new_items->numbered && i < rec_dictionary_count(new_items->numbered); i++)
		rec_batch_set_item(batch, batch->memory.nitems++,
						   rec_dictionary_intern(batch->items, rec_dictionary_id(new_items->numbered, i)),
						   0, 0);
	pfree(known);
}

/*
 * Read the items, whose numbers have no gaps; "eligible" are those that may be
 * shown, NULL for all.
 */
static void
load_items(RecBatch *batch, RecNewItems *new_items, RecDict *eligible)
{
	const RecServedModel *model = new_items->model;
	RecStoreScan *scan = rec_model_items_begin(model);
	int64		most = model->nitems + (eligible ? new_items->most + rec_dictionary_count(eligible) : 0);
	RecItemIds	ids = {0};
	RecScoredItem item;
	bool	   *read;
	int64		n = 0;

	if (most > PG_INT32_MAX)
		refuse_damage(model, "items that are");
	rec_batch_begin_model(batch, (uint32) most);
	read = palloc_extended(model->nitems + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	while (rec_model_items_next(model, scan, &ids, &item))
	{
		if (item.item >= model->nitems || read[item.item])
			refuse_damage(model, "an item that is");
		read[item.item] = true;
		rec_batch_set_item(batch, item.item,
						   rec_dictionary_intern(batch->items, ids.ids[item.ref]),
						   item.popularity, item.trend);
		n++;
	}
	rec_model_scan_end(scan);
	pfree(read);
	if (n != model->nitems)
		refuse_damage(model, "items that are");
	if (eligible)
		add_new_items(batch, new_items, eligible);
	rec_batch_end_model(batch);
	rec_score_set_steps(batch->scores, model->steps, model->nsteps);
}

static void
load_neighbors(RecBatch *batch, const RecServedModel *model)
{
	rec_model_neighbors_read_all(model, batch->items, batch->neighbors);
	for (Size i = 0; i < (Size) rec_dictionary_count(batch->items) * REC_NLIKENESSES; i++)
	{
		const RecNeighborList *list = &batch->neighbors[i];

		for (int n = 0; n < list->n; n++)
			if ((uint32) list->items[n] >= batch->memory.nitems)
				refuse_damage(model, "a row of neighbours that is");
	}
}

/* Find the neighbours of items that the model does not know. */
static void
join_new_items(RecBatch *batch, RecNewItemContent *content)
{
	uint32		n = rec_dictionary_count(batch->items);
	bool	   *used = palloc_extended((Size) n + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	bool	   *known = palloc_extended((Size) n + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	MemoryContext old;

	for (int64 i = 0; i < batch->nrows; i++)
		used[batch->rows[i].pair.item] = true;
	for (uint32 i = 0; i < n; i++)
		known[i] = batch->model_number[i] < content->model->nitems;
	old = MemoryContextSwitchTo(batch->model_mcxt);
	rec_new_item_content_join_all(content, batch->items, used, known, batch->neighbors);
	MemoryContextSwitchTo(old);
	pfree(used);
	pfree(known);
}

static void
load_factors(RecBatch *batch, const RecServedModel *model)
{
	RecFactors *factors = batch->options->model != REC_MODEL_ALS ? NULL :
	rec_factor_table_read(model->definition, model->generation, model->nitems);

	if (factors)
		rec_batch_set_factors(batch, factors);
}

/* Check that the lifts of the call's context are of items that the model has. */
static void
check_context(const RecBatch *batch, const RecServedModel *model, const RecCallContext *context)
{
	for (int i = 0; i < context->n; i++)
		for (int n = 0; n < context->values[i].lifts.n; n++)
			if ((uint32) context->values[i].lifts.items[n] >= batch->memory.nitems)
				refuse_damage(model, "lifts that are");
}

static void
write_user(RecBatch *batch, RecRows *rows, Datum user, const RecScoredItem *items, int n)
{
	Datum		values[ALL_NCOLS];
	bool		nulls[ALL_NCOLS] = {0};

	for (int i = 0; i < n; i++)
	{
		RecComponent strategy = rec_score_strategy(&items[i]);

		values[0] = user;
		values[1] = Int32GetDatum(i + 1);
		values[2] = batch->memory.ids[items[i].ref];
		values[3] = Float8GetDatum(items[i].score);
		values[4] = CStringGetTextDatum(rec_options_component_names[strategy]);
		tuplestore_putvalues(rows->store, rows->desc, values, nulls);
	}
}

/* Bar the excluded items for the user at hand. */
static void
bar_excluded(RecBatch *batch, RecDict *excluded)
{
	uint32		n = rec_dictionary_count(excluded);

	for (uint32 i = 0; i < n; i++)
	{
		uint32		item = rec_dictionary_find(batch->items, rec_dictionary_id(excluded, i));

		if (item != REC_NOT_FOUND)
			rec_batch_score_bar(batch, item);
	}
}

/* Answer one user after the other, in a memory context that is reset between. */
static void
answer_all(RecBatch *batch, RecRows *rows, const RecCallContext *context, RecDict *excluded,
		   int64 k)
{
	RecCatalog	catalog = rec_memory_catalog(&batch->memory);
	MemoryContext user_mcxt = AllocSetContextCreate(CurrentMemoryContext, "recommender user",
													ALLOCSET_DEFAULT_SIZES);
	int64		end;

	for (int64 from = 0; from < batch->nrows; from = end)
	{
		MemoryContext old = MemoryContextSwitchTo(user_mcxt);
		RecScoredItem *items;
		int			n;

		CHECK_FOR_INTERRUPTS();
		end = rec_batch_rows_user_end(batch, from);
		bar_excluded(batch, excluded);
		rec_batch_score_user(batch, from, end);
		rec_call_context_add(context, batch->scores);
		rec_score_blend(batch->scores);
		items = rec_batch_rerank_select(batch, &catalog, k, &n);
		write_user(batch, rows, rec_dictionary_id(batch->users, batch->rows[from].user), items, n);
		rec_batch_score_next_user(batch);
		MemoryContextSwitchTo(old);
		MemoryContextReset(user_mcxt);
	}
}

/*
 * recommend_all(model, k, filter, exclude, context, options): for each user
 * with interactions, in order of their ids, what recommend() would answer.
 */
PG_FUNCTION_INFO_V1(rec_recommend_all);
Datum
rec_recommend_all(PG_FUNCTION_ARGS)
{
	static const RecArgumentPlaces places = {.filter = 2, .exclude = 3, .context = 4, .options = 5};
	RecDefinition *definition = rec_call_arguments_definition(fcinfo);
	int64		k = rec_call_arguments_k(fcinfo, 1);
	Oid			types[ALL_NCOLS] = {definition->user_type, INT4OID, definition->item_type,
	FLOAT8OID, TEXTOID};
	RecRows		rows = rec_call_arguments_begin_rows(fcinfo, types, ALL_NCOLS);
	RecAnswer	answer;
	const RecServedModel *model = &answer.call.model;
	RecBatch   *batch;
	RecDict    *eligible = NULL;

	rec_answer_begin(&answer, fcinfo, &places, true);
	batch = rec_batch_create(CurrentMemoryContext, &answer.call.options,
							 definition->user_type, definition->user_collation,
							 definition->item_type, definition->item_collation);
	rec_batch_rows_read(batch, definition);
	rec_batch_rows_sort(batch);
	batch->as_of = model->as_of;
	if (answer.call.eligible)
		eligible = rec_eligible_all(answer.call.eligible);
	load_items(batch, &answer.new_items, eligible);
	load_neighbors(batch, model);
	if (definition->items)
		join_new_items(batch, &answer.content);
	load_factors(batch, model);
	if (eligible)
		rec_memory_catalog_keep(&batch->memory, eligible);
	check_context(batch, model, &answer.context);
	if (k > 0)
		answer_all(batch, &rows, &answer.context, answer.call.excluded, k);
	rec_answer_end(&answer);
	return (Datum) 0;
}
