/*-------------------------------------------------------------------------
 *
 * score_function.c
 *	  score(): the score of one item for a user, made for whole queries.
 *
 * The first call of a query reads the user's history and prepares the scores;
 * each further one costs a look-up of the item.  When a query scores many
 * items, the model's items are read into a hash table once, as a hash join
 * would do, and further items cost no look-up in tables.
 *
 * What is prepared lives with the call's expression.  It is valid for one user,
 * one context and one set of options under one snapshot: an expression that is
 * executed again under another snapshot, as in a loop of PL/pgSQL, starts anew.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/score_function.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/answer.h"
#include "definition/definition_cache.h"
#include "definition/model_scan.h"
#include "miscadmin.h"
#include "pg/spi.h"
#include "serve/model_items.h"
#include "storage/shmem.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#define BYTES_PER_ITEM	64		/* of the table of all items, about */

/* What distinguishes snapshots of the same session. */
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
	MemoryContext mcxt;			/* owns all below; reset to start anew */
	Oid			schema;
	RecDefinition *definition;
	uint64		serial;			/* of the definition */
	SnapshotMark mark;
	bool		prepared;
	bool		user_null;
	Datum		user;
	Jsonb	   *context_given;	/* or NULL */
	Jsonb	   *options;		/* as given, or NULL */
	RecAnswer	answer;
	int64		calls;			/* answered by a look-up each */
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

/* Read the user's history; what is prepared is in the state's memory context. */
static void
prepare_user(ScoreState *state, bool isnull, Datum user, Jsonb *context, Jsonb *options)
{
	RecAnswer  *answer = &state->answer;
	MemoryContext old;
	int16		typlen;
	bool		typbyval;

	state->prepared = false;
	state->items = NULL;
	state->calls = 0;
	MemoryContextReset(state->mcxt);
	old = MemoryContextSwitchTo(state->mcxt);
	get_typlenbyval(state->definition->user_type, &typlen, &typbyval);
	state->user_null = isnull;
	state->user = isnull ? (Datum) 0 : datumCopy(user, typbyval, typlen);
	state->context_given = copy_jsonb(context);
	state->options = copy_jsonb(options);
	rec_answer_init(answer, state->definition, state->options);
	rec_served_model_require(&answer->call.model);
	rec_call_context_read(&answer->context, &answer->call, state->context_given);
	if (!isnull)
		rec_call_history_read_user(&answer->history, state->user);
	rec_answer_blend(answer);
	MemoryContextSwitchTo(old);
	state->serial = state->definition->serial;
	state->mark = mark_snapshot();
	state->prepared = true;
}

/* Return whether so many items were scored that reading all pays. */
static bool
reading_all_pays(const ScoreState *state)
{
	int64		nitems = state->answer.call.model.nitems;

	return state->calls > 32 + nitems / 50 &&
		(Size) nitems * BYTES_PER_ITEM < get_hash_memory_limit();
}

/* Read all items' scores into the state's memory context. */
static void
read_all_items(ScoreState *state)
{
	const RecCall *call = &state->answer.call;
	RecItemIds *ids = &state->answer.catalog.ids;
	RecDict    *items = rec_definition_item_dictionary(state->definition, state->mcxt);
	RecStoreScan *scan = rec_model_items_begin(&call->model);
	RecScoredItem item;
	uint32		allocated = 1024;

	state->scores = MemoryContextAlloc(state->mcxt, allocated * sizeof(double));
	while (rec_model_items_next(&call->model, scan, ids, &item))
	{
		uint32		number = rec_dictionary_intern(items, ids->ids[item.ref]);

		if (number == allocated)
		{
			allocated *= 2;
			state->scores = repalloc_huge(state->scores, mul_size(allocated, sizeof(double)));
		}
		rec_score_fill(call->scores, &item);
		state->scores[number] = item.score;
	}
	rec_model_scan_end(scan);
	state->items = items;
}

/* Return the score of one item, which is looked up; 0 if it is unknown. */
static double
score_by_look_up(ScoreState *state, Datum id)
{
	RecScoredItem item;

	state->calls++;
	return rec_item_catalog_score(&state->answer.catalog, id, &item) ? item.score : 0;
}

/* Return the score of an item that is in memory. */
static double
score_from_memory(ScoreState *state, Datum id, bool *known)
{
	uint32		number = rec_dictionary_find(state->items, id);

	*known = number != REC_NOT_FOUND;
	return *known ? state->scores[number] : 0;
}

static ScoreState *
get_state(FunctionCallInfo fcinfo)
{
	ScoreState *state = fcinfo->flinfo->fn_extra;

	if (state)
		return state;
	state = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ScoreState));
	state->mcxt = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "recommender score",
										ALLOCSET_DEFAULT_SIZES);
	fcinfo->flinfo->fn_extra = state;
	return state;
}

/* Return whether what is prepared is valid for a call. */
static bool
is_valid(const ScoreState *state, bool isnull, Datum user, Jsonb *context, Jsonb *options)
{
	SnapshotMark mark;

	/* the definition is looked up: the one kept may be gone by now */
	if (!state->prepared || rec_definition_cache_get(state->schema)->serial != state->serial)
		return false;
	mark = mark_snapshot();
	return
		memcmp(&mark, &state->mark, sizeof(mark)) == 0 &&
		same_user(state, isnull, user) && same_jsonb(state->context_given, context) &&
		same_jsonb(state->options, options);
}

/*
 * score(model, user_id, item_id, context, options): the score of the item in
 * recommend(), seen or not; 0 for an item that is not in the model, null for a
 * null item.
 */
PG_FUNCTION_INFO_V1(rec_score);
Datum
rec_score(PG_FUNCTION_ARGS)
{
	ScoreState *state = get_state(fcinfo);
	Jsonb	   *context = rec_call_arguments_jsonb(fcinfo, 3);
	Jsonb	   *options = rec_call_arguments_jsonb(fcinfo, 4);
	RecCaller	caller;
	double		score;
	bool		known = false;

	if (PG_ARGISNULL(2))
		PG_RETURN_NULL();
	if (!is_valid(state, PG_ARGISNULL(1), PG_GETARG_DATUM(1), context, options))
	{
		state->prepared = false;
		state->definition = rec_call_arguments_definition(fcinfo);
		state->schema = state->definition->schema;
		rec_call_arguments_type(fcinfo, 1, state->definition->user_type, "user_id");
		rec_call_arguments_type(fcinfo, 2, state->definition->item_type, "item_id");
		rec_spi_connect(rec_definition_owner(state->definition), &caller);
		prepare_user(state, PG_ARGISNULL(1), PG_GETARG_DATUM(1), context, options);
		rec_spi_finish(&caller);
	}
	if (state->items)
	{
		score = score_from_memory(state, PG_GETARG_DATUM(2), &known);
		if (known || state->definition->items == NULL)
			PG_RETURN_FLOAT8(score);
	}
	rec_spi_connect(rec_definition_owner(state->definition), &caller);
	if (state->items == NULL && reading_all_pays(state))
		read_all_items(state);
	score = state->items ? score_from_memory(state, PG_GETARG_DATUM(2), &known) : 0;
	if (!known)
		score = score_by_look_up(state, PG_GETARG_DATUM(2));
	rec_item_ids_forget(&state->answer.catalog.ids);	/* in SPI's memory */
	rec_spi_finish(&caller);
	PG_RETURN_FLOAT8(score);
}
