/*-------------------------------------------------------------------------
 *
 * recommend_all.c
 *	  Recommendations for every user at once.
 *
 * The interactions are read once, the model once; then each user is scored in
 * memory (see batch.c).
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/recommend_all.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/call_arguments.h"
#include "batch/batch.h"
#include "batch/batch_rows.h"
#include "batch/batch_score.h"
#include "catalog/pg_type.h"
#include "definition/model_scan.h"
#include "miscadmin.h"
#include "pg/spi.h"
#include "serve/call_context.h"
#include "serve/call_factors.h"
#include "serve/call_rerank.h"
#include "serve/item_catalog.h"
#include "serve/model_neighbors.h"
#include "serve/new_items.h"
#include "serve/newcomer.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#define ALL_NCOLS			5	/* user_id, rank, item_id, score, strategy */

static void
model_damaged(const RecServe *serve)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the model of recommender \"%s\" is not valid",
					rec_definition_name(serve->definition)),
			 errhint("Refresh the recommender.")));
}

/* Adds the items that the model does not know, after its own. */
static void
add_newcomers(RecBatch *batch, RecServe *serve, RecDict *eligible)
{
	bool	   *known = palloc_extended(rec_dictionary_count(eligible) + 1,
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (uint32 i = 0; i < serve->nitems; i++)
	{
		uint32		number = rec_dictionary_find(eligible, batch->memory.ids[i]);

		if (number != REC_NOT_FOUND)
			known[number] = true;
	}
	rec_new_items_look(serve);	/* gives the first numbers to the newest ones */
	rec_newcomer_numbers(serve, eligible, known);
	batch->memory.nitems = (uint32) serve->nitems;
	for (uint32 i = 0; serve->newcomers && i < rec_dictionary_count(serve->newcomers); i++)
		rec_batch_set_item(batch, batch->memory.nitems++,
						   rec_dictionary_intern(batch->items, rec_dictionary_id(serve->newcomers, i)), 0, 0);
	pfree(known);
}

/*
 * Reads the items, whose numbers have no gaps; "eligible" are those that may
 * be shown, NULL for all.
 */
static void
load_items(RecBatch *batch, RecServe *serve, RecDict *eligible)
{
	RecStoreScan *scan = rec_serve_all_items(serve);
	int64		most = serve->nitems +
	(eligible ? serve->options.new_items + rec_dictionary_count(eligible) : 0);
	RecScoredItem item;
	bool	   *read;
	int64		n = 0;

	if (most > PG_INT32_MAX)
		model_damaged(serve);
	rec_batch_begin_model(batch, (uint32) most);
	read = palloc_extended(serve->nitems + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	while (rec_serve_next_item(serve, scan, &item))
	{
		if (item.item >= serve->nitems || read[item.item])
			model_damaged(serve);
		read[item.item] = true;
		rec_batch_set_item(batch, item.item,
						   rec_dictionary_intern(batch->items, serve->ids[item.ref]),
						   item.popularity, item.trend);
		n++;
	}
	rec_model_scan_end(scan);
	pfree(read);
	if (n != serve->nitems)
		model_damaged(serve);
	if (eligible)
		add_newcomers(batch, serve, eligible);
	rec_batch_end_model(batch);
	rec_score_set_steps(batch->scores, serve->steps, serve->nsteps);
}

static void
load_neighbors(RecBatch *batch, RecServe *serve)
{
	rec_serve_all_neighbors(serve, batch->items, batch->neighbors);
	for (Size i = 0; i < (Size) rec_dictionary_count(batch->items) * REC_NLIKENESSES; i++)
	{
		const RecNeighborList *list = &batch->neighbors[i];

		for (int n = 0; n < list->n; n++)
			if ((uint32) list->items[n] >= batch->memory.nitems)
				model_damaged(serve);
	}
}

/* Lets items that the model does not know be recommended, and speak. */
static void
join_newcomers(RecBatch *batch, RecServe *serve)
{
	uint32		n = rec_dictionary_count(batch->items);
	bool	   *used = palloc_extended((Size) n + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	bool	   *known = palloc_extended((Size) n + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	MemoryContext old;

	for (int64 i = 0; i < batch->nrows; i++)
		used[batch->rows[i].pair.item] = true;
	for (uint32 i = 0; i < n; i++)
		known[i] = batch->model_number[i] < serve->nitems;
	old = MemoryContextSwitchTo(batch->model_context);
	rec_new_items_join_all(serve, batch->items, used, known, batch->neighbors);
	MemoryContextSwitchTo(old);
	pfree(used);
	pfree(known);
}

static void
load_factors(RecBatch *batch, RecServe *serve)
{
	RecFactors *factors = rec_serve_load_factors(serve);

	if (factors)
		rec_batch_set_factors(batch, factors);
}

/* The lifts of the call's context must be of items that the model has. */
static void
check_context(const RecBatch *batch, const RecServe *serve)
{
	for (int i = 0; i < serve->ncontext; i++)
		for (int n = 0; n < serve->context[i].lifts.n; n++)
			if ((uint32) serve->context[i].lifts.items[n] >= batch->memory.nitems)
				model_damaged(serve);
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

static void
bar_array(RecBatch *batch, ArrayType *items)
{
	ArrayIterator it;
	Datum		id;
	bool		isnull;

	if (items == NULL)
		return;
	it = array_create_iterator(items, 0, NULL);
	while (array_iterate(it, &id, &isnull))
	{
		uint32		item = isnull ? REC_NOT_FOUND : rec_dictionary_find(batch->items, id);

		if (item != REC_NOT_FOUND)
			rec_batch_score_bar(batch, item);
	}
	array_free_iterator(it);
}

/* Answers one user after the other, in a context that is emptied between. */
static void
answer_all(RecBatch *batch, RecRows *rows, const RecServe *serve, ArrayType *exclude,
		   int64 k)
{
	RecCatalog	catalog = rec_memory_catalog(&batch->memory);
	MemoryContext user_context = AllocSetContextCreate(CurrentMemoryContext,
													   "recommender user",
													   ALLOCSET_DEFAULT_SIZES);
	int64		end;

	for (int64 from = 0; from < batch->nrows; from = end)
	{
		MemoryContext old = MemoryContextSwitchTo(user_context);
		RecScoredItem *items;
		int			n;

		CHECK_FOR_INTERRUPTS();
		end = rec_batch_rows_user_end(batch, from);
		bar_array(batch, exclude);
		rec_batch_score_user(batch, from, end);
		rec_call_context_add(serve, batch->scores);
		rec_score_blend(batch->scores);
		items = rec_batch_select(batch, &catalog, k, &n);
		write_user(batch, rows, rec_dictionary_id(batch->users, batch->rows[from].user), items, n);
		rec_batch_score_next_user(batch);
		MemoryContextSwitchTo(old);
		MemoryContextReset(user_context);
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
	RecDefinition *definition = rec_call_arguments_definition(fcinfo);
	int64		k = rec_call_arguments_k(fcinfo, 1);
	Oid			types[ALL_NCOLS] = {definition->user_type, INT4OID, definition->item_type,
	FLOAT8OID, TEXTOID};
	RecRows		rows = rec_call_arguments_begin_rows(fcinfo, types, ALL_NCOLS);
	RecServe	serve;
	RecBatch   *batch;
	RecDict    *eligible = NULL;

	rec_spi_connect();
	rec_serve_begin(&serve, definition, rec_call_arguments_jsonb(fcinfo, 5));
	rec_serve_filter(&serve, rec_call_arguments_jsonb(fcinfo, 2));
	rec_serve_require_model(&serve);
	rec_call_context_read(&serve, rec_call_arguments_jsonb(fcinfo, 4));
	batch = rec_batch_create(CurrentMemoryContext, &serve.options,
							 definition->user_type, definition->user_collation,
							 definition->item_type, definition->item_collation);
	rec_batch_rows_read(batch, definition);
	rec_batch_rows_sort(batch);
	batch->as_of = serve.as_of;
	if (serve.eligible)
		eligible = rec_eligible_all(serve.eligible);
	load_items(batch, &serve, eligible);
	rec_score_set_steps(batch->scores, serve.steps, serve.nsteps);
	load_neighbors(batch, &serve);
	if (definition->items)
		join_newcomers(batch, &serve);
	load_factors(batch, &serve);
	if (eligible)
		rec_memory_catalog_keep(&batch->memory, eligible);
	check_context(batch, &serve);
	if (k > 0)
		answer_all(batch, &rows, &serve, rec_call_arguments_items(fcinfo, 3, definition, "exclude"), k);
	SPI_finish();
	return (Datum) 0;
}
