/*-------------------------------------------------------------------------
 *
 * answer.c
 *	  The parts of a call, begun from the arguments of a function.
 *
 * The parts are in the current memory context.  SPI is connected.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/answer.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/answer.h"
#include "pg/spi.h"

/* Begin the parts of a call with options, NULL for the recommender's own. */
void
rec_answer_init(RecAnswer *answer, RecDefinition *definition, Jsonb *options)
{
	RecCall    *call = &answer->call;

	rec_call_begin(call, definition, options);
	rec_new_items_init(&answer->new_items, call->mcxt, &call->model, call->options.new_items);
	rec_new_item_content_init(&answer->content, call->mcxt, &answer->new_items, &call->options);
	rec_call_history_init(&answer->history, call, &answer->content);
	memset(&answer->context, 0, sizeof(answer->context));
	rec_item_catalog_init(&answer->catalog, &answer->history);
	rec_explainer_init(&answer->explainer, &answer->history, &answer->context);
	if (call->options.language)
		rec_explainer_use_language(&answer->explainer, call->options.language);
}

/*
 * Connect SPI and begin the call that a function's arguments describe;
 * rec_answer_end() ends it.  An ERROR if it needs a model and there is none.
 */
void
rec_answer_begin(RecAnswer *answer, FunctionCallInfo fcinfo, const RecArgumentPlaces *places,
				 bool needs_model)
{
	RecDefinition *definition = rec_call_arguments_definition(fcinfo);

	if (places->user > 0)
		rec_call_arguments_type(fcinfo, places->user, definition->user_type, "user_id");
	rec_spi_connect(rec_definition_owner(definition), &answer->caller);
	rec_answer_init(answer, definition, rec_call_arguments_jsonb(fcinfo, places->options));
	if (needs_model)
		rec_served_model_require(&answer->call.model);
	if (places->filter > 0)
		rec_call_filter(&answer->call, rec_call_arguments_filter(fcinfo, places->filter));
	if (places->context > 0)
		rec_call_context_read(&answer->context, &answer->call,
							  rec_call_arguments_jsonb(fcinfo, places->context));
	if (places->exclude > 0)
		rec_call_exclude(&answer->call, rec_call_arguments_items(fcinfo, places->exclude, definition,
																 "exclude"));
}

/* End a call, and free its memory. */
void
rec_answer_end(const RecAnswer *answer)
{
	rec_spi_finish(&answer->caller);
}

/* Blend the signals of the history, which was read, and of the context. */
void
rec_answer_blend(RecAnswer *answer)
{
	rec_call_context_add(&answer->context, answer->call.scores);
	rec_score_blend(answer->call.scores);
}

/* Score for the user among the arguments, null for one without interactions. */
void
rec_answer_score_user(RecAnswer *answer, FunctionCallInfo fcinfo, const RecArgumentPlaces *places)
{
	if (!PG_ARGISNULL(places->user))
		rec_call_history_read_user(&answer->history, PG_GETARG_DATUM(places->user));
	rec_answer_blend(answer);
}
