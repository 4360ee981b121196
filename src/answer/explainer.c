/*-------------------------------------------------------------------------
 *
 * explainer.c
 *	  Reasons: what stands behind the contributions to a score, in words.
 *
 * The reasons of a recommendation are the largest few of the contributions to
 * its score.  SPI is connected.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/explainer.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/explainer.h"
#include "catalog/pg_type.h"
#include "pg/json_writer.h"
#include "utils/builtins.h"

/* Begin to explain the scores of a history's call, without sentences. */
void
rec_explainer_init(RecExplainer *explainer, RecCallHistory *history,
				   const RecCallContext *context)
{
	const RecCall *call = history->call;

	explainer->call = call;
	explainer->history = history;
	explainer->context = context;
	explainer->sentences = NULL;
	rec_item_titles_init(&explainer->titles, call->mcxt, call->model.definition);
	rec_shared_features_init(&explainer->shared, call->mcxt, &call->model);
}

/*
 * Explain by sentences in a language.  What they need of the history is
 * remembered from then on, so this precedes reading it.
 */
void
rec_explainer_use_language(RecExplainer *explainer, const char *language)
{
	explainer->sentences = rec_explanation_template_load(explainer->call->model.definition, language);
	rec_call_history_remember(explainer->history);
}

/* ----------------
 *		values
 * ----------------
 */

/* Return whether a contribution comes from an item of the history. */
bool
rec_explainer_names_item(const RecContribution *contribution)
{
	return contribution->signal &&
		(contribution->component == REC_BEHAVIOUR || contribution->component == REC_CONTENT ||
		 (contribution->component == REC_FACTORS && contribution->signal->ref != PG_UINT32_MAX));
}

/* Return the value of the context that a contribution comes from, or NULL. */
static const RecCallValue *
context_of(const RecExplainer *explainer, const RecContribution *contribution)
{
	if (contribution->component != REC_CONTEXT)
		return NULL;
	return &explainer->context->values[contribution->signal->ref];
}

/*
 * Return the value that a contribution to the score of an item comes from,
 * besides an item of the history: the features that the two share, or a value
 * of the context, with its column; NULL for none.
 */
char *
rec_explainer_value(RecExplainer *explainer, const RecContribution *contribution, Datum id)
{
	const RecCallValue *context = context_of(explainer, contribution);

	if (context)
		return psprintf("%s: %s", context->column, context->text);
	if (contribution->component != REC_CONTENT)
		return NULL;
	return rec_shared_features(&explainer->shared, rec_dictionary_id(explainer->history->items, contribution->signal->ref), id);
}

/* ----------------
 *		sentences
 * ----------------
 */

/* Return the particular template for a contribution, NULL for the plain one. */
static const char *
detail_of(const RecExplainer *explainer, const RecContribution *contribution, const char *value)
{
	if (contribution->contribution < 0)
		return "against";
	if (contribution->component == REC_BEHAVIOUR)
		return rec_call_history_event(explainer->history, contribution->signal->ref);
	if (contribution->component == REC_FACTORS && rec_explainer_names_item(contribution))
		return "item";
	if (contribution->component == REC_CONTENT && value)
		return "value";
	if (contribution->component == REC_CONTEXT)
		return context_of(explainer, contribution)->column;
	return NULL;
}

/* Return what an item is called: its title, or else its id as text. */
char *
rec_explainer_title(RecExplainer *explainer, Datum id)
{
	return rec_item_titles_get(&explainer->titles, id);
}

/*
 * Return the sentence for a contribution to the score of the item of a title;
 * NULL when there is no template for it.  The value may be NULL.
 */
char *
rec_explainer_sentence(RecExplainer *explainer, const RecContribution *contribution,
					   const char *title, const char *value)
{
	RecSentenceWords words = {title, NULL, value};

	if (contribution->component == REC_CONTEXT)
		words.value = context_of(explainer, contribution)->text;
	if (rec_explainer_names_item(contribution))
		words.because = rec_explainer_title(explainer, rec_dictionary_id(explainer->history->items, contribution->signal->ref));
	return rec_explanation_template_fill(explainer->sentences,
										 rec_options_component_names[contribution->component],
										 detail_of(explainer, contribution, value), &words);
}

/* ----------------
 *		reasons
 * ----------------
 */

/* Write an id in jsonb: a number if it is an integer, a string otherwise. */
static void
write_id(RecJson *json, RecDict *dict, uint32 number)
{
	Datum		id = rec_dictionary_id(dict, number);

	switch (rec_dictionary_type(dict))
	{
		case INT2OID:
			rec_json_writer_numeric(json, DirectFunctionCall1(int2_numeric, id));
			break;
		case INT4OID:
			rec_json_writer_numeric(json, DirectFunctionCall1(int4_numeric, id));
			break;
		case INT8OID:
			rec_json_writer_numeric(json, DirectFunctionCall1(int8_numeric, id));
			break;
		default:
			rec_json_writer_text(json, WJB_VALUE, rec_dictionary_text(dict, number));
	}
}

/* Write {"component": "behaviour", "item": 42, "sentence": "...", "contribution": 0.31} */
static void
write_reason(RecJson *json, RecExplainer *explainer, const RecContribution *reason,
			 Datum id, const char *title)
{
	const RecCallValue *context = context_of(explainer, reason);
	char	   *shared = context ? NULL : rec_explainer_value(explainer, reason, id);
	char	   *sentence = explainer->sentences ? rec_explainer_sentence(explainer, reason, title, shared) : NULL;

	rec_json_writer_token(json, WJB_BEGIN_OBJECT);
	rec_json_writer_key(json, "component");
	rec_json_writer_text(json, WJB_VALUE, rec_options_component_names[reason->component]);
	if (rec_explainer_names_item(reason))
	{
		rec_json_writer_key(json, "item");
		write_id(json, explainer->history->items, reason->signal->ref);
	}
	if (context)
	{
		rec_json_writer_key(json, "context");
		rec_json_writer_text(json, WJB_VALUE, context->column);
		rec_json_writer_key(json, "value");
		rec_json_writer_text(json, WJB_VALUE, context->text);
	}
	if (shared)
	{
		rec_json_writer_key(json, "value");
		rec_json_writer_text(json, WJB_VALUE, shared);
	}
	if (sentence)
	{
		rec_json_writer_key(json, "sentence");
		rec_json_writer_text(json, WJB_VALUE, sentence);
	}
	rec_json_writer_key(json, "contribution");
	rec_json_writer_number(json, reason->contribution);
	rec_json_writer_token(json, WJB_END_OBJECT);
}

/*
 * Return the reasons of a recommended item as jsonb, an array: the largest
 * contributions to its score, as many as option reasons, largest first, with
 * sentences if the options name a language.
 */
Datum
rec_explainer_reasons(RecExplainer *explainer, const RecScoredItem *item, Datum id)
{
	RecJson		json = {0};
	RecContribution *reasons;
	int			n = rec_contribution_list(explainer->call->scores, item, &reasons);
	const char *title = explainer->sentences ? rec_explainer_title(explainer, id) : NULL;

	n = rec_call_factors_split(explainer->history->factors, item, &reasons, n);
	n = rec_contribution_largest(reasons, n, explainer->call->options.reasons);
	rec_json_writer_token(&json, WJB_BEGIN_ARRAY);
	for (int i = 0; i < n; i++)
		write_reason(&json, explainer, &reasons[i], id, title);
	rec_json_writer_token(&json, WJB_END_ARRAY);
	pfree(reasons);
	return JsonbPGetDatum(rec_json_writer_finish(&json));
}

/* Return an empty array of reasons. */
Datum
rec_explainer_no_reasons(void)
{
	RecJson		json = {0};

	rec_json_writer_token(&json, WJB_BEGIN_ARRAY);
	rec_json_writer_token(&json, WJB_END_ARRAY);
	return JsonbPGetDatum(rec_json_writer_finish(&json));
}
