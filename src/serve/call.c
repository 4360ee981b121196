/*-------------------------------------------------------------------------
 *
 * call.c
 *	  A call: its options, the generation that serves, what is to be left out.
 *
 * A call is answered with the caller's rights and by the snapshot of the
 * calling query: privileges, row security and the transaction's own changes
 * count.  The user's interactions are read through SPI (serve_history.c), the
 * recommender's own tables through store.c (serve_neighbors.c, serve_items.c).
 * What they hold is believed in nothing: types, lengths and ranges are checked
 * at each read.
 *
 * Callers have SPI connected; everything is allocated in SPI's context and is
 * gone when they disconnect.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "definition/model_scan.h"
#include "options/options_read.h"
#include "serve/call.h"
#include "serve/call_history.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static const RecStorePath pointer_path = {
	"definition", {"singleton"},
	{"generation", "as_of", "items", "item_steps", "newest_created", "newest_item"}
};

/* Says that what the model's tables hold is not what a refresh writes. */
void
rec_serve_damaged(const RecServe *serve, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the model of recommender \"%s\" has %s not valid",
					rec_definition_name(serve->definition), what),
			 errhint("Refresh the recommender.")));
}

/* Makes an empty dictionary of items. */
RecDict *
rec_serve_dict(const RecServe *serve)
{
	return rec_dictionary_create(serve->definition->item_type, serve->definition->item_collation,
						   CurrentMemoryContext);
}

/*
 * Takes the numbers of items by their users, at least 1, 2, 4, ...; false when
 * they are not valid.
 */
static bool
read_steps(RecServe *serve, Datum steps)
{
	const void *elements;
	int			n = rec_model_scan_array(steps, INT4OID, &elements);
	const int32 *numbers = elements;

	if (n < 0 || n > REC_USER_STEPS)
		return false;
	for (int i = 0; i < n; i++)
	{
		if (numbers[i] < 0 || (i > 0 && numbers[i] > numbers[i - 1]))
			return false;
		serve->steps[i] = (uint32) numbers[i];
	}
	serve->nsteps = n;
	rec_score_set_steps(serve->scores, serve->steps, n);
	return true;
}

/* Reads which generation serves, and what is known of it. */
static void
read_pointer(RecServe *serve)
{
	Datum		values[6] = {BoolGetDatum(true)};
	bool		nulls[6];
	RecStoreScan *scan = rec_model_scan_begin(serve->definition, &pointer_path, 1, values);

	if (rec_model_scan_next(scan, values, nulls))
	{
		if (!nulls[0])
			serve->generation = DatumGetInt64(values[0]);
		if (!nulls[1])
			serve->as_of = DatumGetInt64(values[1]);
		if (!nulls[2])
			serve->nitems = Max(DatumGetInt64(values[2]), 0);
		if (serve->nitems > PG_INT32_MAX)
			rec_serve_damaged(serve, "a number of items that is");
		if (nulls[3] || !read_steps(serve, values[3]))
			rec_serve_damaged(serve, "numbers of items that are");
		if (!nulls[4])
			serve->newest_created = DatumGetTimestampTz(values[4]);
		if (!nulls[5])
			serve->newest_item = DatumGetInt64(values[5]);
	}
	rec_model_scan_end(scan);
}

/*
 * Begins a call: the options in force, what is to be excluded, and which
 * generation serves by the caller's snapshot.
 */
void
rec_serve_begin(RecServe *serve, RecDefinition *definition, Jsonb *options)
{
	memset(serve, 0, sizeof(*serve));
	serve->memory = CurrentMemoryContext;
	serve->definition = definition;
	serve->options = definition->options;
	if (options)
		rec_options_read(&serve->options, options, REC_SCOPE_SERVE);
	serve->excluded = rec_dictionary_create(definition->item_type, definition->item_collation,
									  CurrentMemoryContext);
	serve->scores = rec_score_create(&serve->options, 0);
	serve->as_of = REC_NO_TIME;
	serve->newest_created = DT_NOBEGIN;
	serve->newest_item = PG_INT64_MIN;
	if (serve->options.language)
		rec_serve_want_sentences(serve, serve->options.language);
	read_pointer(serve);
}

/* Refuses to answer from a model that was never built. */
void
rec_serve_require_model(const RecServe *serve)
{
	if (serve->generation > 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("recommender \"%s\" has not been refreshed yet",
					rec_definition_name(serve->definition)),
			 errhint("Run SELECT * FROM recommender.refresh(%s).",
					 quote_literal_cstr(rec_definition_name(serve->definition)))));
}

/*
 * Returns only what the relation of items has now, available, and what passes
 * a filter, which may be NULL.
 */
void
rec_serve_filter(RecServe *serve, Jsonb *filter)
{
	serve->eligible = rec_eligible_create(serve->definition, filter);
}

/* Excludes the items of an array, which may be NULL, from the answer. */
void
rec_serve_exclude(RecServe *serve, ArrayType *items)
{
	ArrayIterator it;
	Datum		id;
	bool		isnull;

	if (items == NULL)
		return;
	it = array_create_iterator(items, 0, NULL);
	while (array_iterate(it, &id, &isnull))
		if (!isnull)
			(void) rec_dictionary_intern(serve->excluded, id);
	array_free_iterator(it);
}
