/*-------------------------------------------------------------------------
 *
 * score_function.c
 *	  score(): how well one item suits a user, made for whole queries.
 *
 * The first call of a query reads the user's history and prepares the scores;
 * each further one costs a look-up of the item.  When a query asks for many
 * items, the model's items are read into a hash table once, as a hash join
 * would do, and look-ups cost no query at all.
 *
 * What is prepared lives with the call's expression.  It is good for one user,
 * one context and one set of options under one snapshot: an expression that is executed
 * again under another snapshot, as in a loop of PL/pgSQL, starts anew.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/score_function.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/call_arguments.h"
#include "definition/definition_cache.h"
#include "definition/model_scan.h"
#include "miscadmin.h"
#include "pg/spi.h"
#include "serve/call_context.h"
#include "serve/call_history.h"
#include "serve/item_catalog.h"
#include "storage/shmem.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#define BYTES_PER_ITEM	64		/* of the table of all items, about */

/* What tells one snapshot from another of the same session. */
typedef struct SnapshotMark
{
	TransactionId xmin;
	TransactionId xmax;
	uint32		xcnt;
	int32		subxcnt;
	bool		suboverflowed;
	CommandId	curcid;
	FullTransactionId transaction;
} SnapshotMark;

typedef struct ScoreState
{
	MemoryContext context;		/* owns all below; reset to start anew */
	Oid			schema;
	RecDefinition *definition;
	uint64		serial;			/* of the definition */
	SnapshotMark mark;
	bool		prepared;
	bool		user_null;
	Datum		user;
	Jsonb	   *context_given;	/* or NULL */
	Jsonb	   *options;		/* as given, or NULL */
	RecServe	serve;
	int64		calls;			/* answered by a query each */
	RecDict    *items;			/* all items, or NULL */
	double	   *scores;			/* of items, by number in the dictionary */
} ScoreState;

static SnapshotMark
mark_snapshot(void)
{
	Snapshot	snapshot = GetActiveSnapshot();
	SnapshotMark mark;

	memset(&mark, 0, sizeof(mark));
	mark.xmin = snapshot->xmin;
	mark.xmax = snapshot->xmax;
	mark.xcnt = snapshot->xcnt;
	mark.subxcnt = snapshot->subxcnt;
	mark.suboverflowed = snapshot->suboverflowed;
	mark.curcid = snapshot->curcid;
	mark.transaction = GetTopFullTransactionIdIfAny();
	return mark;
}

static bool
same_jsonb(const Jsonb *a, const Jsonb *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

static Jsonb *
copy_jsonb(Jsonb *jsonb)
{
	return jsonb == NULL ? NULL : DatumGetJsonbPCopy(JsonbPGetDatum(jsonb));
}

static bool
same_user(const ScoreState *state, bool isnull, Datum user)
{
	int16		typlen;
	bool		typbyval;

	if (isnull || state->user_null)
		return isnull == state->user_null;
	get_typlenbyval(state->definition->user_type, &typlen, &typbyval);
	return datum_image_eq(state->user, user, typbyval, typlen);
}

/* Reads the user's history; what is prepared is in the state's context. */
static void
prepare_user(ScoreState *state, bool isnull, Datum user, Jsonb *context, Jsonb *options)
{
	MemoryContext old;
	int16		typlen;
	bool		typbyval;

	state->prepared = false;
	state->items = NULL;
	state->calls = 0;
	MemoryContextReset(state->context);
	old = MemoryContextSwitchTo(state->context);
	get_typlenbyval(state->definition->user_type, &typlen, &typbyval);
	state->user_null = isnull;
	state->user = isnull ? (Datum) 0 : datumCopy(user, typbyval, typlen);
	state->context_given = copy_jsonb(context);
	state->options = copy_jsonb(options);
	rec_serve_begin(&state->serve, state->definition, state->options);
	rec_serve_require_model(&state->serve);
	rec_call_context_read(&state->serve, state->context_given);
	if (!isnull)
		rec_serve_user(&state->serve, state->user);
	rec_call_context_add(&state->serve, state->serve.scores);
	rec_score_blend(state->serve.scores);
	MemoryContextSwitchTo(old);
	state->serial = state->definition->serial;
	state->mark = mark_snapshot();
	state->prepared = true;
}

/* True when so many items were asked for that reading all pays. */
static bool
reading_all_pays(const ScoreState *state)
{
	return state->calls > 32 + state->serve.nitems / 50 &&
		(Size) state->serve.nitems * BYTES_PER_ITEM < get_hash_memory_limit();
}

/* Reads all items' scores into the state's context. */
static void
read_all_items(ScoreState *state)
{
	RecDefinition *definition = state->definition;
	RecDict    *items = rec_dictionary_create(definition->item_type,
											  definition->item_collation, state->context);
	RecStoreScan *scan = rec_serve_all_items(&state->serve);
	RecScoredItem item;
	uint32		allocated = 1024;

	state->scores = MemoryContextAlloc(state->context, allocated * sizeof(double));
	while (rec_serve_next_item(&state->serve, scan, &item))
	{
		uint32		number = rec_dictionary_intern(items, state->serve.ids[item.ref]);

		if (number == allocated)
		{
			allocated *= 2;
			state->scores = repalloc_huge(state->scores, mul_size(allocated, sizeof(double)));
		}
		rec_score_fill(state->serve.scores, &item);
		state->scores[number] = item.score;
	}
	rec_model_scan_end(scan);
	state->items = items;
}

/* Asks the model for one item. */
static double
score_by_query(ScoreState *state, Datum id)
{
	RecScoredItem item;

	state->calls++;
	return rec_serve_score_item(&state->serve, id, &item) ? item.score : 0;
}

/* Finds the score of an item that is in memory. */
static double
score_from_memory(ScoreState *state, Datum id, bool *known)
{
	uint32		number = rec_dictionary_find(state->items, id);

	*known = number != REC_NOT_FOUND;
	return *known ? state->scores[number] : 0;
}

/* Ids that a call kept are in SPI's memory, which the call's end frees. */
static void
forget_ids(RecServe *serve)
{
	serve->ids = NULL;
	serve->nids = 0;
	serve->ids_allocated = 0;
}

static ScoreState *
get_state(FunctionCallInfo fcinfo)
{
	ScoreState *state = fcinfo->flinfo->fn_extra;

	if (state)
		return state;
	state = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ScoreState));
	state->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "recommender score",
										   ALLOCSET_DEFAULT_SIZES);
	fcinfo->flinfo->fn_extra = state;
	return state;
}

/* The definition is asked for again: the one kept may be gone by now. */
static bool
still_good(const ScoreState *state, bool isnull, Datum user, Jsonb *context, Jsonb *options)
{
	SnapshotMark mark;

	if (!state->prepared || rec_definition_cache_get(state->schema)->serial != state->serial)
		return false;
	mark = mark_snapshot();
	return
		memcmp(&mark, &state->mark, sizeof(mark)) == 0 &&
		same_user(state, isnull, user) && same_jsonb(state->context_given, context) &&
		same_jsonb(state->options, options);
}

/*
 * score(model, user_id, item_id, context, options): the score that
 * recommend() would give the item, seen or not; 0 for an item that is not in
 * the model, null for a null item.
 */
PG_FUNCTION_INFO_V1(rec_score);
Datum
rec_score(PG_FUNCTION_ARGS)
{
	ScoreState *state = get_state(fcinfo);
	Jsonb	   *context = rec_call_arguments_jsonb(fcinfo, 3);
	Jsonb	   *options = rec_call_arguments_jsonb(fcinfo, 4);
	double		score;
	bool		known = false;

	if (PG_ARGISNULL(2))
		PG_RETURN_NULL();
	if (!still_good(state, PG_ARGISNULL(1), PG_GETARG_DATUM(1), context, options))
	{
		state->prepared = false;
		state->definition = rec_call_arguments_definition(fcinfo);
		state->schema = state->definition->schema;
		rec_call_arguments_type(fcinfo, 1, state->definition->user_type, "user_id");
		rec_call_arguments_type(fcinfo, 2, state->definition->item_type, "item_id");
		rec_spi_connect();
		prepare_user(state, PG_ARGISNULL(1), PG_GETARG_DATUM(1), context, options);
		SPI_finish();
	}
	if (state->items)
	{
		score = score_from_memory(state, PG_GETARG_DATUM(2), &known);
		if (known || state->definition->items == NULL)
			PG_RETURN_FLOAT8(score);
	}
	rec_spi_connect();
	if (state->items == NULL && reading_all_pays(state))
		read_all_items(state);
	score = state->items ? score_from_memory(state, PG_GETARG_DATUM(2), &known) : 0;
	if (!known)
		score = score_by_query(state, PG_GETARG_DATUM(2));
	forget_ids(&state->serve);
	SPI_finish();
	PG_RETURN_FLOAT8(score);
}
