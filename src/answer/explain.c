/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  explain(): all contributions to the score of an item.
 *
 * They are listed in the order in which they were added up, so that their sum
 * is the score, to the last bit.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/explain.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/answer.h"
#include "catalog/pg_type.h"
#include "pg/spi.h"
#include "utils/builtins.h"

#define EXPLANATION_NCOLS	9

static void
write_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	values[column] = text ? CStringGetTextDatum(text) : (Datum) 0;
}

static void
write_contribution(RecRows *rows, RecExplainer *explainer, int position,
				   const RecContribution *contribution, Datum id, const char *title)
{
	const RecSignal *signal = contribution->signal;
	bool		of_history = rec_explainer_names_item(contribution);
	char	   *value = rec_explainer_value(explainer, contribution, id);
	Datum		values[EXPLANATION_NCOLS] = {0};
	bool		nulls[EXPLANATION_NCOLS] = {0};

	values[0] = Int32GetDatum(position);
	values[1] = CStringGetTextDatum(rec_options_component_names[contribution->component]);
	nulls[2] = !of_history;
	if (of_history)
		values[2] = rec_dictionary_id(explainer->history->items, signal->ref);
	write_text(values, nulls, 3, value);
	values[4] = Float8GetDatum(contribution->value);
	nulls[5] = signal == NULL;
	if (signal)
		values[5] = Float8GetDatum(signal->weight);
	nulls[6] = !of_history;
	if (of_history)
		values[6] = Float8GetDatum(explainer->history->past[signal->ref].decay);
	values[7] = Float8GetDatum(contribution->contribution);
	write_text(values, nulls, 8, rec_explainer_sentence(explainer, contribution, title, value));
	tuplestore_putvalues(rows->store, rows->desc, values, nulls);
}

/* Write all contributions to the score of an item. */
static void
write_contributions(RecRows *rows, RecExplainer *explainer, const RecScoredItem *item, Datum id)
{
	const char *title = rec_explainer_title(explainer, id);
	RecContribution *contributions;
	int			n;

	rec_contribution_expect(explainer->call->scores, item, 1);
	n = rec_contribution_list(explainer->call->scores, item, &contributions);
	n = rec_call_factors_split(explainer->history->factors, item, &contributions, n);
	for (int i = 0; i < n; i++)
		write_contribution(rows, explainer, i + 1, &contributions[i], id, title);
}

static RecRows
begin_explanation(FunctionCallInfo fcinfo, const RecDefinition *definition)
{
	Oid			types[EXPLANATION_NCOLS] = {INT4OID, TEXTOID, definition->item_type, TEXTOID,
		FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, TEXTOID
	};

	return rec_call_arguments_begin_rows(fcinfo, types, EXPLANATION_NCOLS);
}

/*
 * explain(model, user_id, item_id, context, options): the contributions to
 * score(user_id, item_id, context, options), in the order in which they add up
 * to it; no rows for an item that is not in the model.  Similarity is the
 * neighbour's, or the item's popularity or trend; weight is the weight of the
 * item of the history after its decay.
 */
PG_FUNCTION_INFO_V1(rec_explain);
Datum
rec_explain(PG_FUNCTION_ARGS)
{
	static const RecArgumentPlaces places = {.user = 1, .context = 3, .options = 4};
	RecDefinition *definition = rec_call_arguments_definition(fcinfo);
	RecRows		rows = begin_explanation(fcinfo, definition);
	RecAnswer	answer;
	RecScoredItem item;

	rec_call_arguments_type(fcinfo, 2, definition->item_type, "item_id");
	if (PG_ARGISNULL(2))
		return (Datum) 0;
	rec_answer_begin(&answer, fcinfo, &places, true);
	if (answer.explainer.sentences == NULL)
		rec_explainer_use_language(&answer.explainer, REC_DEFAULT_LANGUAGE);
	rec_answer_score_user(&answer, fcinfo, &places);
	if (rec_item_catalog_score(&answer.catalog, PG_GETARG_DATUM(2), &item))
		write_contributions(&rows, &answer.explainer, &item, PG_GETARG_DATUM(2));
	rec_answer_end(&answer);
	return (Datum) 0;
}
