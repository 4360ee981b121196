/*-------------------------------------------------------------------------
 *
 * call_history.c
 *	  The history of a call: read, remembered, and added to the scores.
 *
 * A user's interactions are read live, as queries of the caller; those of a
 * session or a basket come as an array.  The neighbours of their items are
 * what they say of others.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call_history.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "definition/source.h"
#include "interaction/pair.h"
#include "pg/spi.h"
#include "rank/history.h"
#include "serve/call_factors.h"
#include "serve/call_history.h"
#include "serve/item_catalog.h"
#include "serve/model_neighbors.h"
#include "serve/new_items.h"
#include "utils/lsyscache.h"

/* ----------------
 *		what is remembered of the history
 * ----------------
 */

/*
 * Asks for sentences in a language, and for what they need to be remembered of
 * the history, before that is read.
 */
void
rec_serve_want_sentences(RecServe *serve, const char *language)
{
	serve->sentences = rec_explanation_template_load(serve->definition, language);
	serve->past_allocated = 64;
	serve->past = palloc_array(RecPast, serve->past_allocated);
}

/* Gives what is remembered of an item of the history. */
static RecPast *
get_past(RecServe *serve, uint32 item, bool is_new)
{
	if (item >= serve->past_allocated)
	{
		serve->past_allocated = Max(item + 1, serve->past_allocated * 2);
		serve->past = repalloc_huge(serve->past, mul_size(serve->past_allocated, sizeof(RecPast)));
	}
	if (is_new)
	{
		serve->past[item].decay = 1;
		serve->past[item].event = -1;
		serve->past[item].time = PG_INT64_MIN;
	}
	return &serve->past[item];
}

static int
event_number(RecServe *serve, const char *event)
{
	int			n = 0;
	ListCell   *cell;

	foreach(cell, serve->events)
	{
		if (strcmp(lfirst(cell), event) == 0)
			return n;
		n++;
	}
	serve->events = lappend(serve->events, pstrdup(event));
	return n;
}

/* Remembers an item's newest event; of several at one time, the last by name. */
static void
remember_event(RecServe *serve, RecPast *past, const RecRow *row)
{
	if (row->event == NULL || row->time < past->time ||
		(row->time == past->time && past->event >= 0 &&
		 strcmp(row->event, list_nth(serve->events, past->event)) <= 0))
		return;
	past->event = event_number(serve, row->event);
	past->time = row->time;
}

/* Gives the newest event with an item of the history, NULL for none. */
const char *
rec_serve_event(const RecServe *serve, uint32 item)
{
	int			event = serve->past ? serve->past[item].event : -1;

	return event < 0 ? NULL : list_nth(serve->events, event);
}

/* ----------------
 *		what its items say
 * ----------------
 */

/* Reads the neighbours of the history's items to their numbers' places. */
static RecNeighborList *
read_neighbors(RecServe *serve, const RecPair *pairs, int n)
{
	Size		count = (Size) rec_dictionary_count(serve->history) * REC_NLIKENESSES;
	RecNeighborList *lists = palloc0_array(RecNeighborList, count + 1);
	Datum	   *ids = palloc_array(Datum, n + 1);

	for (int i = 0; i < n; i++)
		ids[i] = rec_dictionary_id(serve->history, pairs[i].item);
	rec_serve_neighbors(serve, ids, n, serve->history, lists);
	pfree(ids);
	return lists;
}

/* Tells the scores what to expect of the neighbours of a history. */
static void
expect_lists(RecServe *serve, const RecNeighborList *lists, const RecPair *pairs, int n)
{
	int64		entries = 0;

	for (int i = 0; i < n; i++)
		for (int kind = 0; kind < REC_NLIKENESSES; kind++)
			entries += lists[pairs[i].item * REC_NLIKENESSES + kind].n;
	rec_score_expect(serve->scores, n * REC_NLIKENESSES, entries,
					  (uint32) Min(serve->nitems, PG_INT32_MAX));
}

/*
 * Bars the history's items that are excluded, as far as rows of neighbours
 * told their numbers: to look them up would be in vain.
 */
static void
bar_history(RecServe *serve, const RecNeighborList *lists, const RecPair *pairs, int n)
{
	for (int i = 0; i < n; i++)
	{
		int32		number = rec_listed_number(&lists[pairs[i].item * REC_NLIKENESSES]);

		if (number < 0 ||
			rec_dictionary_find(serve->excluded, rec_dictionary_id(serve->history, pairs[i].item)) == REC_NOT_FOUND)
			continue;
		rec_score_bar(serve->scores, (uint32) number);
		serve->nbarred++;
	}
}

/*
 * Gives the numbers of the history's items, -1 for those that the model lacks:
 * from the rows of neighbours, of which not all items have one.
 */
static int32 *
history_numbers(RecServe *serve, const RecPair *pairs, int n)
{
	int32	   *by_id = palloc_array(int32, rec_dictionary_count(serve->history) + 1);
	int32	   *numbers = palloc_array(int32, n + 1);
	Datum	   *ids = palloc_array(Datum, n + 1);
	int			nids = 0;

	for (int i = 0; i < n; i++)
	{
		uint32		item = pairs[i].item;

		by_id[item] = rec_listed_number(&serve->lists[item * REC_NLIKENESSES]);
		if (by_id[item] < 0)
			ids[nids++] = rec_dictionary_id(serve->history, item);
	}
	rec_serve_item_numbers(serve, ids, nids, serve->history, by_id);
	for (int i = 0; i < n; i++)
		numbers[i] = by_id[pairs[i].item];
	return numbers;
}

/*
 * Adds what the history's items say to the scores, in the order of the history
 * whatever the order in which rows come.
 */
static void
add_history(RecServe *serve, const RecPair *pairs, int n)
{
	if (n == 0)
		return;
	serve->lists = read_neighbors(serve, pairs, n);
	if (!serve->by_likeness && serve->options.model == REC_MODEL_ALS)
		rec_serve_add_factors(serve, pairs, history_numbers(serve, pairs, n), n);
	if (serve->definition->items)
		rec_new_items_join(serve, pairs, n);
	expect_lists(serve, serve->lists, pairs, n);
	for (int i = 0; i < n; i++)
		rec_history_add(serve->scores, &pairs[i],
						&serve->lists[pairs[i].item * REC_NLIKENESSES],
						serve->definition->items != NULL);
	bar_history(serve, serve->lists, pairs, n);
}

/*
 * Scores by the similarity to the only item of the history: by behaviour as
 * far as its users make that worth, by content for the rest, or by either if
 * there is no other.
 */
void
rec_serve_similarity(RecServe *serve)
{
	double		trust = 1;

	if (serve->lists && serve->lists[REC_LIKE_CONTENT].n > 0)
		trust = serve->lists[REC_LIKE_BEHAVIOUR].n == 0 ? 0 :
			rec_score_item_trust(serve->scores, (uint32) rec_listed_number(serve->lists));
	rec_score_similarity(serve->scores, trust);
}

/* ----------------
 *		a user's interactions
 * ----------------
 */

/* Interactions of the user as they are read. */
typedef struct HistoryReader
{
	MemoryContext context;		/* of the pairs */
	RecServe   *serve;
	const RecSource *source;	/* the one being read */
	RecPair    *pairs;
	int			n;
	int			allocated;
	int64		newest;
} HistoryReader;

static void
add_pair(HistoryReader *reader, uint32 item, double weight, int64 time)
{
	RecPair    *pair;

	if (reader->n == reader->allocated)
	{
		reader->allocated = Max(64, reader->allocated * 2);
		if (reader->pairs == NULL)
			reader->pairs = palloc_array(RecPair, reader->allocated);
		else
			reader->pairs = repalloc_huge(reader->pairs,
										  mul_size(reader->allocated, sizeof(RecPair)));
	}
	pair = &reader->pairs[reader->n++];
	pair->item = item;
	pair->weight = weight;
	pair->time = time;
	reader->newest = Max(reader->newest, time);
}

static void
refuse_weight(double weight, RecDict *items, uint32 item)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("weight %g of item %s is not a finite number",
					weight, rec_dictionary_text(items, item))));
}

static void
take_history(void *arg, const RecRow *row)
{
	HistoryReader *reader = (HistoryReader *) arg;
	RecServe   *serve = reader->serve;
	bool		has_events = reader->source->event_column || reader->source->event;
	MemoryContext row_context;
	uint32		known = rec_dictionary_count(serve->history);
	uint32		item;

	if (row->item_null)
		return;
	row_context = MemoryContextSwitchTo(reader->context);
	if (serve->options.exclude_seen &&
		rec_history_event_is_seen(&serve->options, row, has_events))
		(void) rec_dictionary_intern(serve->excluded, row->item);
	if (row->has_weight)
	{
		item = rec_dictionary_intern(serve->history, row->item);
		if (!isfinite(row->weight))
			refuse_weight(row->weight, serve->history, item);
		add_pair(reader, item, row->weight, row->time);
		if (serve->past)
			remember_event(serve, get_past(serve, item, item == known), row);
	}
	MemoryContextSwitchTo(row_context);
}

/* Digests, weighs and adds what was read of a user. */
static void
digest_history(HistoryReader *reader)
{
	RecServe   *serve = reader->serve;
	const RecOptions *options = &serve->options;
	int			n = rec_history_digest(options, reader->pairs, reader->n,
									   Max(reader->newest, serve->as_of),
									   rec_dictionary_ranks(serve->history, true));

	for (int i = 0; i < n && serve->past; i++)
		get_past(serve, reader->pairs[i].item, false)->decay =
			rec_pair_decay(options->half_life, Max(reader->newest, serve->as_of), reader->pairs[i].time);
	for (int i = 0; i < n; i++)
		if (reader->pairs[i].weight < 0)
			(void) rec_dictionary_intern(serve->excluded,
								   rec_dictionary_id(serve->history, reader->pairs[i].item));
	rec_history_weigh(options, reader->pairs, n);
	add_history(serve, reader->pairs, Min(n, options->history));
}

/*
 * Reads a user's interactions, live, and adds them to the scores.  Items that
 * the user has seen, or has turned against, are excluded.
 */
void
rec_serve_user(RecServe *serve, Datum user)
{
	RecDefinition *definition = serve->definition;
	HistoryReader reader = {0};
	ParamListInfo params = makeParamList(1);

	params->params[0].value = user;
	params->params[0].isnull = false;
	params->params[0].pflags = PARAM_FLAG_CONST;
	params->params[0].ptype = definition->user_type;
	serve->history = rec_serve_dict(serve);
	reader.context = CurrentMemoryContext;
	reader.serve = serve;
	reader.newest = REC_NO_TIME;
	for (int i = 0; i < definition->nsources; i++)
	{
		SPIPlanPtr	plan = rec_source_history_plan(definition, &definition->sources[i]);

		reader.source = &definition->sources[i];
		rec_interaction_read_rows(plan, params, &reader.source->history_format,
					  take_history, &reader);
	}
	if (reader.n > 0)
		digest_history(&reader);
}

/* ----------------
 *		a session or a basket
 * ----------------
 */

/*
 * Takes the items of an array for the history, newest last; one step back
 * multiplies the weight by "decay".  They are excluded from the answer.
 */
void
rec_serve_items(RecServe *serve, ArrayType *items, double decay)
{
	RecPair    *pairs;
	Datum	   *ids;
	bool	   *nulls;
	int			nids;
	int			n = 0;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	get_typlenbyvalalign(ARR_ELEMTYPE(items), &typlen, &typbyval, &typalign);
	deconstruct_array(items, ARR_ELEMTYPE(items), typlen, typbyval, typalign,
					  &ids, &nulls, &nids);
	serve->history = rec_serve_dict(serve);
	pairs = palloc_array(RecPair, nids + 1);
	for (int i = nids - 1; i >= 0 && n < serve->options.history; i--)
	{
		uint32		known = rec_dictionary_count(serve->history);

		if (nulls[i])
			continue;
		pairs[n].item = rec_dictionary_intern(serve->history, ids[i]);
		if (pairs[n].item < known)
			continue;			/* the newest of several counts */
		if (serve->past)
			get_past(serve, pairs[n].item, true)->decay = pow(decay, n);
		pairs[n].weight = pow(decay, n);
		pairs[n].time = REC_NO_TIME;
		n++;
	}
	rec_serve_exclude(serve, items);
	add_history(serve, pairs, n);
}
