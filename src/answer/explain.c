/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  Why an item has its score.
 *
 * explain() lists all contributions to the score of an item in the order in
 * which they were added up, so that their sum is the score, to the last bit;
 * the reasons of a recommendation are the largest few of the same.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/explain.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/call_arguments.h"
#include "answer/explain.h"
#include "answer/shared_features.h"
#include "catalog/pg_type.h"
#include "definition/explanation_template.h"
#include "definition/item_source.h"
#include "definition/plan_cache.h"
#include "pg/json_writer.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "serve/call_context.h"
#include "serve/call_factors.h"
#include "serve/call_history.h"
#include "serve/item_catalog.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#define EXPLANATION_NCOLS	9

/* True for a contribution of an item of the history. */
static bool
is_of_history(const RecContribution *contribution)
{
	return contribution->signal &&
		(contribution->component == REC_BEHAVIOUR || contribution->component == REC_CONTENT ||
		 (contribution->component == REC_FACTORS && contribution->signal->ref != PG_UINT32_MAX));
}

/* Gives the value of the context that a contribution comes from, or NULL. */
static const RecCallValue *
context_of(const RecServe *serve, const RecContribution *contribution)
{
	if (contribution->component != REC_CONTEXT)
		return NULL;
	return &serve->context[contribution->signal->ref];
}

/*
 * Gives what is behind a contribution to the score of an item besides an item
 * of the history: what is alike of the two, or a value of the context, with its
 * column; NULL when there is nothing to name.
 */
static char *
value_of(RecServe *serve, const RecContribution *contribution, Datum id)
{
	const RecCallValue *context = context_of(serve, contribution);

	if (context)
		return psprintf("%s: %s", context->column, context->text);
	if (contribution->component != REC_CONTENT)
		return NULL;
	return rec_shared_features(serve, rec_dictionary_id(serve->history, contribution->signal->ref), id);
}

/* ----------------
 *		titles
 * ----------------
 */

/* Gives the column that items are called by, NULL when there is none. */
static const RecItemColumn *
title_column(const RecItemSource *items)
{
	for (int i = 0; items && i < items->ncolumns; i++)
		if (items->columns[i].text &&
			rec_item_source_column_kind(items, &items->columns[i]) == REC_ITEM_TEXT)
			return &items->columns[i];
	return NULL;
}

/*
 * Gives what the relation of items calls an item, with the caller's rights;
 * NULL when it does not:
 *
 *	SELECT i.title::text FROM items i WHERE i.id = $1
 */
static char *
read_title(const RecServe *serve, Datum id)
{
	RecDefinition *definition = serve->definition;
	const RecItemSource *items = definition->items;
	const RecItemColumn *column = title_column(items);
	RecQuery	query = {.nargs = 1, .types = &definition->item_type, .values = &id};
	char	   *title = NULL;

	if (column == NULL)
		return NULL;
	query.text = psprintf("SELECT i.%s::pg_catalog.text FROM %s i WHERE i.%s %s $1",
						  quote_identifier(column->name), rec_relation_quoted(items->relid),
						  quote_identifier(items->item_column),
						  rec_relation_equality_operator(definition->item_type));
	rec_plan_cache_execute(definition, &query);
	for (uint64 i = 0; i < SPI_processed && (title == NULL || *title == '\0'); i++)
		title = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
	return title && *title ? title : NULL;
}

/* Gives what an item is called: its title, or else its id. */
static char *
title_of(RecServe *serve, Datum id)
{
	MemoryContext old = MemoryContextSwitchTo(serve->memory);
	uint32		known;
	uint32		number;

	if (serve->titled == NULL)
		serve->titled = rec_serve_dict(serve);
	known = rec_dictionary_count(serve->titled);
	number = rec_dictionary_intern(serve->titled, id);
	if (number >= serve->titles_allocated)
	{
		serve->titles_allocated = Max(64, serve->titles_allocated * 2);
		serve->titles = serve->titles == NULL ? palloc_array(char *, serve->titles_allocated) :
			repalloc_array(serve->titles, char *, serve->titles_allocated);
	}
	if (number == known)
		serve->titles[number] = read_title(serve, id);
	if (serve->titles[number] == NULL)
		serve->titles[number] = rec_dictionary_text(serve->titled, number);
	MemoryContextSwitchTo(old);
	return serve->titles[number];
}

/* ----------------
 *		sentences
 * ----------------
 */

/* Gives the particular template for a contribution, NULL for the plain one. */
static const char *
detail_of(const RecServe *serve, const RecContribution *contribution, const char *value)
{
	if (contribution->contribution < 0)
		return "against";
	if (contribution->component == REC_BEHAVIOUR)
		return rec_serve_event(serve, contribution->signal->ref);
	if (contribution->component == REC_FACTORS && is_of_history(contribution))
		return "item";
	if (contribution->component == REC_CONTENT && value)
		return "value";
	if (contribution->component == REC_CONTEXT)
		return context_of(serve, contribution)->column;
	return NULL;
}

/*
 * Gives the sentence for a contribution to the score of the item of a title;
 * NULL when there is no template for it.  The value may be NULL.
 */
static char *
sentence_for(RecServe *serve, const RecContribution *contribution,
			 const char *title, const char *value)
{
	RecSentenceWords words = {title, NULL, value};

	if (contribution->component == REC_CONTEXT)
		words.value = context_of(serve, contribution)->text;
	if (is_of_history(contribution))
		words.because = title_of(serve, rec_dictionary_id(serve->history, contribution->signal->ref));
	return rec_explanation_template_fill(serve->sentences, rec_options_component_names[contribution->component],
										 detail_of(serve, contribution, value), &words);
}

/* ----------------
 *		reasons
 * ----------------
 */

/* An id in jsonb: a number if it is an integer, a string otherwise. */
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

/* {"component": "behaviour", "item": 42, "sentence": "...", "contribution": 0.31} */
static void
write_reason(RecJson *json, RecServe *serve, const RecContribution *reason,
			 Datum id, const char *title)
{
	const RecCallValue *context = context_of(serve, reason);
	char	   *shared = context ? NULL : value_of(serve, reason, id);
	char	   *sentence = serve->sentences ? sentence_for(serve, reason, title, shared) : NULL;

	rec_json_writer_token(json, WJB_BEGIN_OBJECT);
	rec_json_writer_key(json, "component");
	rec_json_writer_text(json, WJB_VALUE, rec_options_component_names[reason->component]);
	if (is_of_history(reason))
	{
		rec_json_writer_key(json, "item");
		write_id(json, serve->history, reason->signal->ref);
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
 * Gives the reasons of a recommended item as jsonb, an array: as many of the
 * largest contributions to its score as the options say, largest first, with
 * sentences if the options name a language.
 */
Datum
rec_explain_reasons(RecServe *serve, const RecScoredItem *item, Datum id)
{
	RecJson		json = {0};
	RecContribution *reasons;
	int			n = rec_contribution_list(serve->scores, item, &reasons);
	const char *title = serve->sentences ? title_of(serve, id) : NULL;

	n = rec_serve_split_factors(serve, item, &reasons, n);
	n = rec_contribution_largest(reasons, n, serve->options.reasons);
	rec_json_writer_token(&json, WJB_BEGIN_ARRAY);
	for (int i = 0; i < n; i++)
		write_reason(&json, serve, &reasons[i], id, title);
	rec_json_writer_token(&json, WJB_END_ARRAY);
	pfree(reasons);
	return JsonbPGetDatum(rec_json_writer_finish(&json));
}

/* The reasons of a row that has none to give. */
Datum
rec_explain_no_reasons(void)
{
	RecJson		json = {0};

	rec_json_writer_token(&json, WJB_BEGIN_ARRAY);
	rec_json_writer_token(&json, WJB_END_ARRAY);
	return JsonbPGetDatum(rec_json_writer_finish(&json));
}

/* ----------------
 *		explain()
 * ----------------
 */

static void
write_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	values[column] = text ? CStringGetTextDatum(text) : (Datum) 0;
}

static void
write_contribution(RecRows *rows, RecServe *serve, int position,
				   const RecContribution *contribution, Datum id, const char *title)
{
	const RecSignal *signal = contribution->signal;
	bool		of_history = is_of_history(contribution);
	char	   *value = value_of(serve, contribution, id);
	Datum		values[EXPLANATION_NCOLS] = {0};
	bool		nulls[EXPLANATION_NCOLS] = {0};

	values[0] = Int32GetDatum(position);
	values[1] = CStringGetTextDatum(rec_options_component_names[contribution->component]);
	nulls[2] = !of_history;
	if (of_history)
		values[2] = rec_dictionary_id(serve->history, signal->ref);
	write_text(values, nulls, 3, value);
	values[4] = Float8GetDatum(contribution->value);
	nulls[5] = signal == NULL;
	if (signal)
		values[5] = Float8GetDatum(signal->weight);
	nulls[6] = !of_history;
	if (of_history)
		values[6] = Float8GetDatum(serve->past[signal->ref].decay);
	values[7] = Float8GetDatum(contribution->contribution);
	write_text(values, nulls, 8, sentence_for(serve, contribution, title, value));
	tuplestore_putvalues(rows->store, rows->desc, values, nulls);
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
 * neighbour's, or the item's popularity or trend; weight is what the item of
 * the history counts, after its decay.
 */
PG_FUNCTION_INFO_V1(rec_explain);
Datum
rec_explain(PG_FUNCTION_ARGS)
{
	RecDefinition *definition = rec_call_arguments_definition(fcinfo);
	RecRows		rows = begin_explanation(fcinfo, definition);
	RecServe	serve;
	RecScoredItem item;
	RecContribution *contributions;
	int			n;

	rec_call_arguments_type(fcinfo, 1, definition->user_type, "user_id");
	rec_call_arguments_type(fcinfo, 2, definition->item_type, "item_id");
	if (PG_ARGISNULL(2))
		return (Datum) 0;
	rec_spi_connect();
	rec_serve_begin(&serve, definition, rec_call_arguments_jsonb(fcinfo, 4));
	rec_serve_require_model(&serve);
	rec_call_context_read(&serve, rec_call_arguments_jsonb(fcinfo, 3));
	if (serve.sentences == NULL)
		rec_serve_want_sentences(&serve, REC_DEFAULT_LANGUAGE);
	if (!PG_ARGISNULL(1))
		rec_serve_user(&serve, PG_GETARG_DATUM(1));
	rec_call_context_add(&serve, serve.scores);
	rec_score_blend(serve.scores);
	if (rec_serve_score_item(&serve, PG_GETARG_DATUM(2), &item))
	{
		char	   *title = title_of(&serve, PG_GETARG_DATUM(2));

		rec_contribution_expect(serve.scores, &item, 1);
		n = rec_contribution_list(serve.scores, &item, &contributions);
		n = rec_serve_split_factors(&serve, &item, &contributions, n);
		for (int i = 0; i < n; i++)
			write_contribution(&rows, &serve, i + 1, &contributions[i], PG_GETARG_DATUM(2), title);
	}
	SPI_finish();
	return (Datum) 0;
}
