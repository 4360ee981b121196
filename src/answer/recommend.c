/*-------------------------------------------------------------------------
 *
 * recommend.c
 *	  The SQL functions that answer with recommendations.
 *
 * Each is called by a function of the same name in the recommender's schema,
 * which passes a null of its row type first: that says which recommender is
 * meant, whatever it is called by then, and what the rows look like.  The
 * rest is one pipeline: arguments, history, scores, selection, rows.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/recommend.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/explain.h"
#include "answer/recommend.h"
#include "answer/shared_features.h"
#include "batch/memory_catalog.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pg/spi.h"
#include "serve/call_context.h"
#include "serve/call_history.h"
#include "serve/call_rerank.h"
#include "serve/item_catalog.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#define RECOMMENDATION_NCOLS	5	/* rank, item_id, score, strategy, reasons */
#define COMPONENTS_NCOLS		(REC_NCOMPONENTS + 4)	/* rank, item_id, score,
														 * each component,
														 * strategy */

/* ----------------
 *		rows
 * ----------------
 */

/* Begins a result of the recommender's type recommendation. */
RecRows
rec_recommend_begin_rows(FunctionCallInfo fcinfo, const RecDefinition *definition)
{
	Oid			types[RECOMMENDATION_NCOLS] = {INT4OID, definition->item_type,
	FLOAT8OID, TEXTOID, JSONBOID};

	return rec_call_arguments_begin_rows(fcinfo, types, RECOMMENDATION_NCOLS);
}

/*
 * Writes n items as rows of recommendation, ranked on from a rank; "ids" are
 * what the items' refs are indexes of.
 */
void
rec_recommend_write_rows(RecRows *rows, RecServe *serve, const Datum *ids,
						 const RecScoredItem *items, int n, int first_rank)
{
	Datum		values[RECOMMENDATION_NCOLS];
	bool		nulls[RECOMMENDATION_NCOLS] = {0};
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "recommender row",
													  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;

	if (serve->generation > 0)
		rec_shared_features_expect(serve, items, n, ids);
	rec_contribution_expect(serve->scores, items, n);
	old = MemoryContextSwitchTo(row_context);
	for (int i = 0; i < n; i++)
	{
		RecComponent strategy = rec_score_strategy(&items[i]);

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(row_context);
		values[0] = Int32GetDatum(first_rank + i);
		values[1] = ids[items[i].ref];
		values[2] = Float8GetDatum(items[i].score);
		values[3] = CStringGetTextDatum(rec_options_component_names[strategy]);
		values[4] = rec_explain_reasons(serve, &items[i], ids[items[i].ref]);
		tuplestore_putvalues(rows->store, rows->desc, values, nulls);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_context);
}

/* Gives the best k of the stored model and their number. */
static RecScoredItem *
select_items(RecServe *serve, int64 k, int *n)
{
	RecCatalog	catalog = rec_serve_catalog(serve);

	*n = 0;
	return k == 0 ? NULL : rec_serve_select(serve, &catalog, &serve->ids, k, n);
}

/* Selects the best k of the stored model and writes them. */
static void
answer(FunctionCallInfo fcinfo, RecServe *serve, int64 k)
{
	RecRows		rows = rec_recommend_begin_rows(fcinfo, serve->definition);
	int			n;
	RecScoredItem *items = select_items(serve, k, &n);

	rec_recommend_write_rows(&rows, serve, serve->ids, items, n, 1);
}

/* The same in rows that show what each component gives to the score. */
static void
answer_components(FunctionCallInfo fcinfo, RecServe *serve, int64 k)
{
	Oid			types[COMPONENTS_NCOLS] = {INT4OID, serve->definition->item_type, FLOAT8OID,
		FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, TEXTOID
	};
	RecRows		rows = rec_call_arguments_begin_rows(fcinfo, types, COMPONENTS_NCOLS);
	Datum		values[COMPONENTS_NCOLS];
	bool		nulls[COMPONENTS_NCOLS] = {0};
	int			n;
	RecScoredItem *items = select_items(serve, k, &n);

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		values[0] = Int32GetDatum(i + 1);
		values[1] = serve->ids[items[i].ref];
		values[2] = Float8GetDatum(items[i].score);
		for (int c = 0; c < REC_NCOMPONENTS; c++)
			values[3 + c] = Float8GetDatum(items[i].term[c]);
		values[3 + REC_NCOMPONENTS] =
			CStringGetTextDatum(rec_options_component_names[rec_score_strategy(&items[i])]);
		tuplestore_putvalues(rows.store, rows.desc, values, nulls);
	}
}

/* ----------------
 *		SQL functions
 * ----------------
 */

/*
 * Begins a call whose arguments from the fourth on are filter, exclude,
 * context and options; SPI_finish() ends it.
 */
static void
begin_call(RecServe *serve, FunctionCallInfo fcinfo, RecDefinition *definition)
{
	rec_spi_connect();
	rec_serve_begin(serve, definition, rec_call_arguments_jsonb(fcinfo, 6));
	rec_serve_require_model(serve);
	rec_serve_filter(serve, rec_call_arguments_jsonb(fcinfo, 3));
	rec_call_context_read(serve, rec_call_arguments_jsonb(fcinfo, 5));
	rec_serve_exclude(serve, rec_call_arguments_items(fcinfo, 4, definition, "exclude"));
}

/* The two functions that answer a user, in either kind of rows. */
static Datum
recommend_user(FunctionCallInfo fcinfo,
			   void (*write) (FunctionCallInfo fcinfo, RecServe *serve, int64 k))
{
	RecDefinition *definition = rec_call_arguments_definition(fcinfo);
	int64		k = rec_call_arguments_k(fcinfo, 2);
	RecServe	serve;

	rec_call_arguments_type(fcinfo, 1, definition->user_type, "user_id");
	begin_call(&serve, fcinfo, definition);
	if (!PG_ARGISNULL(1))
		rec_serve_user(&serve, PG_GETARG_DATUM(1));
	rec_call_context_add(&serve, serve.scores);
	rec_score_blend(serve.scores);
	write(fcinfo, &serve, k);
	SPI_finish();
	return (Datum) 0;
}

/*
 * recommend(model, user_id, k, filter, exclude, context, options): the k
 * items that suit a user best; an unknown or null user gets popular ones.
 */
PG_FUNCTION_INFO_V1(rec_recommend);
Datum
rec_recommend(PG_FUNCTION_ARGS)
{
	return recommend_user(fcinfo, answer);
}

/*
 * recommend_components(model, user_id, k, filter, exclude, context, options):
 * the same items, with what each component gives to the score.
 */
PG_FUNCTION_INFO_V1(rec_recommend_components);
Datum
rec_recommend_components(PG_FUNCTION_ARGS)
{
	return recommend_user(fcinfo, answer_components);
}

/* The two functions that take items for a history. */
static Datum
recommend_items(FunctionCallInfo fcinfo, bool session)
{
	RecDefinition *definition = rec_call_arguments_definition(fcinfo);
	ArrayType  *items = rec_call_arguments_items(fcinfo, 1, definition, "items");
	int64		k = rec_call_arguments_k(fcinfo, 2);
	RecServe	serve;

	begin_call(&serve, fcinfo, definition);
	if (items)
		rec_serve_items(&serve, items, session ? serve.options.session_decay : 1);
	rec_call_context_add(&serve, serve.scores);
	rec_score_blend(serve.scores);
	answer(fcinfo, &serve, k);
	SPI_finish();
	return (Datum) 0;
}

/*
 * recommend_session(model, items, k, filter, exclude, context, options): the
 * k items that go best with those of a session, the newest last.
 */
PG_FUNCTION_INFO_V1(rec_recommend_session);
Datum
rec_recommend_session(PG_FUNCTION_ARGS)
{
	return recommend_items(fcinfo, true);
}

/* recommend_basket(...): the same for a basket, in which order means nothing. */
PG_FUNCTION_INFO_V1(rec_recommend_basket);
Datum
rec_recommend_basket(PG_FUNCTION_ARGS)
{
	return recommend_items(fcinfo, false);
}

/*
 * similar_items(model, item_id, k, filter, exclude, options): the k items
 * most similar to one; the score is the similarity.
 */
PG_FUNCTION_INFO_V1(rec_similar_items);
Datum
rec_similar_items(PG_FUNCTION_ARGS)
{
	RecDefinition *definition = rec_call_arguments_definition(fcinfo);
	int64		k = rec_call_arguments_k(fcinfo, 2);
	RecServe	serve;
	Datum		id;

	rec_call_arguments_type(fcinfo, 1, definition->item_type, "item_id");
	rec_spi_connect();
	rec_serve_begin(&serve, definition, rec_call_arguments_jsonb(fcinfo, 5));
	rec_serve_require_model(&serve);
	rec_serve_filter(&serve, rec_call_arguments_jsonb(fcinfo, 3));
	rec_serve_exclude(&serve, rec_call_arguments_items(fcinfo, 4, definition, "exclude"));
	if (!PG_ARGISNULL(1))
	{
		id = PG_GETARG_DATUM(1);
		serve.by_likeness = true;
		rec_serve_items(&serve, DatumGetArrayTypeP(rec_definition_id_array(definition, &id, 1)), 1);
	}
	rec_serve_similarity(&serve);
	answer(fcinfo, &serve, k);
	SPI_finish();
	return (Datum) 0;
}

/*
 * Writes the items of the array that are not among the n ranked ones, which
 * the model does not know: score 0, at the end.
 */
static void
write_unknown(RecRows *rows, const RecServe *serve, ArrayType *items,
			  const RecScoredItem *ranked, int n)
{
	RecDict    *known = rec_serve_dict(serve);
	ArrayIterator it = array_create_iterator(items, 0, NULL);
	int			rank = n;
	Datum		values[RECOMMENDATION_NCOLS] = {0};
	bool		nulls[RECOMMENDATION_NCOLS] = {false, false, false, true, false};
	Datum		id;
	bool		isnull;

	for (int i = 0; i < n; i++)
		(void) rec_dictionary_intern(known, serve->ids[ranked[i].ref]);
	values[4] = rec_explain_no_reasons();
	while (array_iterate(it, &id, &isnull))
	{
		uint32		before = rec_dictionary_count(known);

		if (isnull || rec_dictionary_intern(known, id) < before)
			continue;
		values[0] = Int32GetDatum(++rank);
		values[1] = id;
		values[2] = Float8GetDatum(0);
		tuplestore_putvalues(rows->store, rows->desc, values, nulls);
	}
}

/*
 * rank_items(model, user_id, items, context, options): the given items, each
 * once, best first.  Seen ones are not left out; those that the model does
 * not know come last, with score 0 and no strategy.
 */
PG_FUNCTION_INFO_V1(rec_rank_items);
Datum
rec_rank_items(PG_FUNCTION_ARGS)
{
	RecDefinition *definition = rec_call_arguments_definition(fcinfo);
	ArrayType  *items = rec_call_arguments_items(fcinfo, 2, definition, "items");
	RecRows		rows = rec_recommend_begin_rows(fcinfo, definition);
	RecServe	serve;
	RecItemSet *set;
	RecScoredItem *ranked;
	int			n;

	rec_call_arguments_type(fcinfo, 1, definition->user_type, "user_id");
	if (items == NULL)
		return (Datum) 0;
	rec_spi_connect();
	rec_serve_begin(&serve, definition, rec_call_arguments_jsonb(fcinfo, 4));
	rec_serve_require_model(&serve);
	rec_call_context_read(&serve, rec_call_arguments_jsonb(fcinfo, 3));
	if (!PG_ARGISNULL(1))
		rec_serve_user(&serve, PG_GETARG_DATUM(1));
	rec_call_context_add(&serve, serve.scores);
	rec_score_blend(serve.scores);
	serve.excluded = rec_serve_dict(&serve);	/* nothing is left out */
	set = rec_selection_item_set_create(serve.scores);
	rec_serve_fetch_ids(&serve, items, set);
	ranked = rec_selection_item_set_ranked(set, &n);
	rec_recommend_write_rows(&rows, &serve, serve.ids, ranked, n, 1);
	if (n < ArrayGetNItems(ARR_NDIM(items), ARR_DIMS(items)))
		write_unknown(&rows, &serve, items, ranked, n);
	SPI_finish();
	return (Datum) 0;
}
