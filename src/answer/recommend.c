/*-------------------------------------------------------------------------
 *
 * recommend.c
 *	  The SQL functions that return recommendations.
 *
 * Each is called by a function of the same name in the recommender's schema,
 * which passes a null of its row type first: from this type the recommender is
 * found, also after it was renamed, and the columns of the rows.  The rest is
 * one pipeline: arguments, history, scores, selection, rows.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/recommend.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/answer.h"
#include "answer/recommend.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pg/arguments.h"
#include "pg/spi.h"
#include "serve/call_rerank.h"
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

/* Begin a result of the recommender's type recommendation. */
RecRows
rec_recommend_begin_rows(FunctionCallInfo fcinfo, const RecDefinition *definition)
{
	Oid			types[RECOMMENDATION_NCOLS] = {INT4OID, definition->item_type,
	FLOAT8OID, TEXTOID, JSONBOID};

	return rec_call_arguments_begin_rows(fcinfo, types, RECOMMENDATION_NCOLS);
}

/*
 * Write n items as rows of recommendation, ranked on from a rank; the items'
 * refs are indexes of "ids".
 */
void
rec_recommend_write_rows(RecRows *rows, RecExplainer *explainer, const Datum *ids,
						 const RecScoredItem *items, int n, int first_rank)
{
	Datum		values[RECOMMENDATION_NCOLS];
	bool		nulls[RECOMMENDATION_NCOLS] = {0};
	MemoryContext row_mcxt = AllocSetContextCreate(CurrentMemoryContext, "recommender row",
												   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;

	if (explainer->call->model.generation > 0)
		rec_shared_features_expect(&explainer->shared, items, n, ids);
	rec_contribution_expect(explainer->call->scores, items, n);
	old = MemoryContextSwitchTo(row_mcxt);
	for (int i = 0; i < n; i++)
	{
		RecComponent strategy = rec_score_strategy(&items[i]);

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(row_mcxt);
		values[0] = Int32GetDatum(first_rank + i);
		values[1] = ids[items[i].ref];
		values[2] = Float8GetDatum(items[i].score);
		values[3] = CStringGetTextDatum(rec_options_component_names[strategy]);
		values[4] = rec_explainer_reasons(explainer, &items[i], ids[items[i].ref]);
		tuplestore_putvalues(rows->store, rows->desc, values, nulls);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_mcxt);
}

/* Select the best k items and return them and their number. */
static RecScoredItem *
select_items(RecItemCatalog *items, int64 k, int *n)
{
	RecCatalog	catalog = rec_item_catalog(items);

	*n = 0;
	return k == 0 ? NULL : rec_call_rerank_select(items->call, &catalog, &items->ids.ids, k, n);
}

/* Select the best k items and write them. */
static void
write_best(FunctionCallInfo fcinfo, RecItemCatalog *items, RecExplainer *explainer, int64 k)
{
	RecRows		rows = rec_recommend_begin_rows(fcinfo, items->call->model.definition);
	int			n;
	RecScoredItem *best = select_items(items, k, &n);

	rec_recommend_write_rows(&rows, explainer, items->ids.ids, best, n, 1);
}

/* Do so in rows that show the term of each component in the score. */
static void
write_components(FunctionCallInfo fcinfo, RecItemCatalog *items, int64 k)
{
	Oid			types[COMPONENTS_NCOLS] = {INT4OID, items->call->model.definition->item_type, FLOAT8OID,
		FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, TEXTOID
	};
	RecRows		rows = rec_call_arguments_begin_rows(fcinfo, types, COMPONENTS_NCOLS);
	Datum		values[COMPONENTS_NCOLS];
	bool		nulls[COMPONENTS_NCOLS] = {0};
	int			n;
	RecScoredItem *best = select_items(items, k, &n);

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		values[0] = Int32GetDatum(i + 1);
		values[1] = items->ids.ids[best[i].ref];
		values[2] = Float8GetDatum(best[i].score);
		for (int c = 0; c < REC_NCOMPONENTS; c++)
			values[3 + c] = Float8GetDatum(best[i].term[c]);
		values[3 + REC_NCOMPONENTS] =
			CStringGetTextDatum(rec_options_component_names[rec_score_strategy(&best[i])]);
		tuplestore_putvalues(rows.store, rows.desc, values, nulls);
	}
}

/* ----------------
 *		SQL functions
 * ----------------
 */

/* Arguments of functions from (model, user_id or items, k) on. */
static const RecArgumentPlaces user_places = {
	.user = 1, .filter = 3, .exclude = 4, .context = 5, .options = 6
};

static const RecArgumentPlaces items_places = {
	.filter = 3, .exclude = 4, .context = 5, .options = 6
};

/*
 * recommend(model, user_id, k, filter, exclude, context, options): the k
 * items that suit a user best; popular ones for an unknown or null user.
 */
PG_FUNCTION_INFO_V1(rec_recommend);
Datum
rec_recommend(PG_FUNCTION_ARGS)
{
	int64		k = rec_call_arguments_k(fcinfo, 2);
	RecAnswer	answer;

	rec_answer_begin(&answer, fcinfo, &user_places, true);
	rec_answer_score_user(&answer, fcinfo, &user_places);
	write_best(fcinfo, &answer.catalog, &answer.explainer, k);
	rec_answer_end(&answer);
	return (Datum) 0;
}

/*
 * recommend_components(model, user_id, k, filter, exclude, context, options):
 * the items of recommend(), with the term of each component in the score.
 */
PG_FUNCTION_INFO_V1(rec_recommend_components);
Datum
rec_recommend_components(PG_FUNCTION_ARGS)
{
	int64		k = rec_call_arguments_k(fcinfo, 2);
	RecAnswer	answer;

	rec_answer_begin(&answer, fcinfo, &user_places, true);
	rec_answer_score_user(&answer, fcinfo, &user_places);
	write_components(fcinfo, &answer.catalog, k);
	rec_answer_end(&answer);
	return (Datum) 0;
}

/* Answer a session or a basket. */
static Datum
recommend_items(FunctionCallInfo fcinfo, bool session)
{
	ArrayType  *items = rec_call_arguments_items(fcinfo, 1, rec_call_arguments_definition(fcinfo),
												 "items");
	int64		k = rec_call_arguments_k(fcinfo, 2);
	RecAnswer	answer;

	rec_answer_begin(&answer, fcinfo, &items_places, true);
	if (items)
		rec_call_history_take_items(&answer.history, items,
									session ? answer.call.options.session_decay : 1);
	rec_answer_blend(&answer);
	write_best(fcinfo, &answer.catalog, &answer.explainer, k);
	rec_answer_end(&answer);
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

/*
 * recommend_basket(model, items, k, filter, exclude, context, options): the k
 * items that go best with those of a basket, whose order does not matter.
 */
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
	static const RecArgumentPlaces places = {.filter = 3, .exclude = 4, .options = 5};
	RecDefinition *definition = rec_call_arguments_definition(fcinfo);
	int64		k = rec_call_arguments_k(fcinfo, 2);
	RecAnswer	answer;

	rec_call_arguments_type(fcinfo, 1, definition->item_type, "item_id");
	rec_answer_begin(&answer, fcinfo, &places, true);
	if (!PG_ARGISNULL(1))
		rec_call_history_take_item(&answer.history, PG_GETARG_DATUM(1));
	rec_call_history_compare(&answer.history);
	write_best(fcinfo, &answer.catalog, &answer.explainer, k);
	rec_answer_end(&answer);
	return (Datum) 0;
}

/*
 * Write the items of the array that are not among the n ranked ones, whose ids
 * are found by their refs, at the end and with score 0: neither the model nor
 * the relation of items has them.
 */
static void
write_unknown(RecRows *rows, const RecDefinition *definition, ArrayType *items, const Datum *ids,
			  const RecScoredItem *ranked, int n)
{
	RecDict    *known = rec_definition_item_dictionary(definition, CurrentMemoryContext);
	ArrayIterator it = array_create_iterator(items, 0, NULL);
	int			rank = n;
	Datum		values[RECOMMENDATION_NCOLS] = {0};
	bool		nulls[RECOMMENDATION_NCOLS] = {false, false, false, true, false};
	Datum		id;
	bool		isnull;

	for (int i = 0; i < n; i++)
		(void) rec_dictionary_intern(known, ids[ranked[i].ref]);
	values[4] = rec_explainer_no_reasons();
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
 * once, best first.  Seen ones are not left out; those of which neither the
 * model nor the relation of items has a row come last, with score 0 and no
 * strategy.
 */
PG_FUNCTION_INFO_V1(rec_rank_items);
Datum
rec_rank_items(PG_FUNCTION_ARGS)
{
	static const RecArgumentPlaces places = {.user = 1, .context = 3, .options = 4};
	RecDefinition *definition = rec_call_arguments_definition(fcinfo);
	ArrayType  *items = rec_call_arguments_items(fcinfo, 2, definition, "items");
	RecRows		rows = rec_recommend_begin_rows(fcinfo, definition);
	RecAnswer	answer;
	RecItemSet *set;
	RecScoredItem *ranked;
	int			n;

	rec_call_arguments_type(fcinfo, 1, definition->user_type, "user_id");
	if (items == NULL)
		return (Datum) 0;
	rec_answer_begin(&answer, fcinfo, &places, true);
	rec_answer_score_user(&answer, fcinfo, &places);
	answer.catalog.excluded = NULL;
	set = rec_selection_item_set_create(answer.call.scores);
	rec_item_catalog_fetch(&answer.catalog, items, set);
	ranked = rec_selection_item_set_ranked(set, &n);
	rec_recommend_write_rows(&rows, &answer.explainer, answer.catalog.ids.ids, ranked, n, 1);
	if (n < ArrayGetNItems(ARR_NDIM(items), ARR_DIMS(items)))
		write_unknown(&rows, definition, items, answer.catalog.ids.ids, ranked, n);
	rec_answer_end(&answer);
	return (Datum) 0;
}

/*
 * recommender.recommend(recommender, ...): an ERROR whose hint has the name of
 * the function that was meant, in the schema of the recommender.
 */
PG_FUNCTION_INFO_V1(rec_recommend_elsewhere);
Datum
rec_recommend_elsewhere(PG_FUNCTION_ARGS)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	const char *name = "recs";

	if (get_fn_expr_variadic(fcinfo->flinfo) || PG_ARGISNULL(0))
		type = InvalidOid;
	if (type == TEXTOID)
		name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	else if (type == UNKNOWNOID)
		name = PG_GETARG_CSTRING(0);
	else if (type == NAMEOID)
		name = NameStr(*PG_GETARG_NAME(0));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("recommend() is a function in the schema of each recommender"),
			 errhint("Call %s.recommend(user_id, k).", quote_identifier(rec_arguments_clip(name)))));
	return (Datum) 0;
}
