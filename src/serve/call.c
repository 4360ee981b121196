/*-------------------------------------------------------------------------
 *
 * call.c
 *	  A call: its options, the model that serves, and what may be returned.
 *
 * A call is answered by the snapshot of the calling query, with the rights of
 * the caller, or of the recommender's owner if the caller may act for the owner
 * (spi.c): privileges, row security and the transaction's own changes count.
 *
 * Callers have SPI connected.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "options/options_read.h"
#include "serve/call.h"

/*
 * Begin a call of a recommender with options, NULL for its own.  All that
 * belongs to the call is in the current memory context.
 */
void
rec_call_begin(RecCall *call, RecDefinition *definition, Jsonb *options)
{
	memset(call, 0, sizeof(*call));
	call->mcxt = CurrentMemoryContext;
	call->options = definition->options;
	if (options)
		rec_options_read(&call->options, options, REC_SCOPE_SERVE);
	call->excluded = rec_definition_item_dictionary(definition, CurrentMemoryContext);
	rec_served_model_read(&call->model, definition);
	call->scores = rec_score_create(&call->options, 0);
	rec_score_set_steps(call->scores, call->model.steps, call->model.nsteps);
}

/*
 * Restrict the answer to items that the relation of items has now, that are
 * available, and that pass a filter, which may be NULL.
 */
void
rec_call_filter(RecCall *call, Jsonb *filter)
{
	call->eligible = rec_eligible_create(call->model.definition, filter);
}

/* Exclude the items of an array, which may be NULL, from the answer. */
void
rec_call_exclude(RecCall *call, ArrayType *items)
{
	ArrayIterator it;
	Datum		id;
	bool		isnull;

	if (items == NULL)
		return;
	it = array_create_iterator(items, 0, NULL);
	while (array_iterate(it, &id, &isnull))
		if (!isnull)
			(void) rec_dictionary_intern(call->excluded, id);
	array_free_iterator(it);
}
