/*-------------------------------------------------------------------------
 *
 * call_history.c
 *	  The history of a call: read, remembered, and added to the scores.
 *
 * A user's interactions are read live, as queries of the caller; those of a
 * session or a basket come as an array.  The neighbours of their items, from
 * the model or found for the call (new_item_content.c), are the signals of the
 * scores.
 *
 * SPI is connected.
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
#include "serve/call_history.h"
#include "serve/model_items.h"
#include "storage/shmem.h"
#include "utils/lsyscache.h"

/* Begin without history; nothing of it will be remembered for explanations. */
void
rec_call_history_init(RecCallHistory *history, RecCall *call, RecNewItemContent *content)
{
	memset(history, 0, sizeof(*history));
	history->call = call;
	history->content = content;
}

/* ----------------
 *		what is remembered of the history
 * ----------------
 */

/* Remember what explanations need of the history, which is not read yet. */
void
rec_call_history_remember(RecCallHistory *history)
{
	history->past_allocated = 64;
	history->past = palloc_array(RecPast, history->past_allocated);
}

/* Return what is remembered of an item of the history. */
static RecPast *
get_past(RecCallHistory *history, uint32 item, bool is_new)
{
	if (item >= history->past_allocated)
	{
		history->past_allocated = Max(item + 1, history->past_allocated * 2);
		history->past = repalloc_huge(history->past,
									  mul_size(history->past_allocated, sizeof(RecPast)));
	}
	if (is_new)
	{
		history->past[item].decay = 1;
		history->past[item].event = -1;
		history->past[item].time = PG_INT64_MIN;
	}
	return &history->past[item];
}

static int
event_number(RecCallHistory *history, const char *event)
{
	int			n = 0;
	ListCell   *cell;

	foreach(cell, history->events)
	{
		if (strcmp(lfirst(cell), event) == 0)
			return n;
		n++;
	}
	history->events = lappend(history->events, pstrdup(event));
	return n;
}

/* Remember an item's newest event; of several at one time, the last by name. */
static void
remember_event(RecCallHistory *history, RecPast *past, const RecRow *row)
{
	if (row->event == NULL || row->time < past->time ||
		(row->time == past->time && past->event >= 0 &&
		 strcmp(row->event, list_nth(history->events, past->event)) <= 0))
		return;
	past->event = event_number(history, row->event);
	past->time = row->time;
}

/* Return the newest event with an item of the history, NULL for none. */
const char *
rec_call_history_event(const RecCallHistory *history, uint32 item)
{
	int			event = history->past ? history->past[item].event : -1;

	return event < 0 ? NULL : list_nth(history->events, event);
}

/* ----------------
 *		signals of its items
 * ----------------
 */

/* Read the neighbours of the history's items to their numbers' places. */
static RecNeighborList *
read_neighbors(RecCallHistory *history, const RecPair *pairs, int n)
{
	Size		count = (Size) rec_dictionary_count(history->items) * REC_NLIKENESSES;
	RecNeighborList *lists = palloc0_array(RecNeighborList, count + 1);
	Datum	   *ids = palloc_array(Datum, n + 1);

	for (int i = 0; i < n; i++)
		ids[i] = rec_dictionary_id(history->items, pairs[i].item);
	rec_model_neighbors_read(&history->call->model, ids, n, history->items, lists, history->near);
	pfree(ids);
	return lists;
}

/* Prepare the scores for the neighbours of a history. */
static void
expect_lists(const RecCallHistory *history, const RecPair *pairs, int n)
{
	int64		entries = 0;

	for (int i = 0; i < n; i++)
		for (int kind = 0; kind < REC_NLIKENESSES; kind++)
			entries += history->lists[pairs[i].item * REC_NLIKENESSES + kind].n;
	rec_score_expect(history->call->scores, n * REC_NLIKENESSES, entries,
					 (uint32) Min(history->call->model.nitems, PG_INT32_MAX));
}

/*
 * Bar the excluded items of the history whose numbers came with rows of
 * neighbours, so that they are not looked up in vain.
 */
static void
bar_items(RecCallHistory *history, const RecPair *pairs, int n)
{
	for (int i = 0; i < n; i++)
	{
		int32		number = rec_model_neighbors_item(&history->lists[pairs[i].item * REC_NLIKENESSES]);

		if (number < 0 ||
			rec_dictionary_find(history->call->excluded,
								rec_dictionary_id(history->items, pairs[i].item)) == REC_NOT_FOUND)
			continue;
		rec_score_bar(history->call->scores, (uint32) number);
		history->nbarred++;
	}
}

/*
 * Return the numbers of the history's items, -1 for those unknown to the model:
 * from the rows of neighbours, or for items without such a row from their own.
 */
static int32 *
item_numbers(const RecCallHistory *history, const RecPair *pairs, int n)
{
	int32	   *by_id = palloc_array(int32, rec_dictionary_count(history->items) + 1);
	int32	   *numbers = palloc_array(int32, n + 1);
	Datum	   *ids = palloc_array(Datum, n + 1);
	int			nids = 0;

	for (int i = 0; i < n; i++)
	{
		uint32		item = pairs[i].item;

		by_id[item] = rec_model_neighbors_item(&history->lists[item * REC_NLIKENESSES]);
		if (by_id[item] < 0)
			ids[nids++] = rec_dictionary_id(history->items, item);
	}
	rec_model_items_numbers(&history->call->model, ids, nids, history->items, by_id);
	for (int i = 0; i < n; i++)
		numbers[i] = by_id[pairs[i].item];
	return numbers;
}

/*
 * Add the signals of the history's items to the scores, in the order of the
 * history whatever the order in which rows come.
 */
static void
add_signals(RecCallHistory *history, const RecPair *pairs, int n)
{
	const RecCall *call = history->call;
	bool		has_items = call->model.definition->items != NULL;

	if (n == 0)
		return;
	history->lists = read_neighbors(history, pairs, n);
	if (history->near == NULL && call->options.model == REC_MODEL_ALS)
		history->factors = rec_call_factors_add(call, pairs, item_numbers(history, pairs, n), n);
	if (has_items)
		rec_new_item_content_join(history->content, history->items, history->lists, pairs, n);
	expect_lists(history, pairs, n);
	for (int i = 0; i < n; i++)
		rec_history_add(call->scores, &pairs[i],
						&history->lists[pairs[i].item * REC_NLIKENESSES], has_items);
	bar_items(history, pairs, n);
}

/* ----------------
 *		a user's interactions
 * ----------------
 */

/* Interactions of the user as they are read. */
typedef struct HistoryReader
{
	MemoryContext mcxt;			/* of the pairs */
	RecCallHistory *history;
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
take_row(void *arg, const RecRow *row)
{
	HistoryReader *reader = (HistoryReader *) arg;
	RecCallHistory *history = reader->history;
	RecCall    *call = history->call;
	bool		has_events = reader->source->event_column || reader->source->event;
	MemoryContext old;
	uint32		known = rec_dictionary_count(history->items);
	uint32		item;

	if (row->item_null)
		return;
	old = MemoryContextSwitchTo(reader->mcxt);
	if (call->options.exclude_seen &&
		rec_history_event_is_seen(&call->options, row, has_events))
		(void) rec_dictionary_intern(call->excluded, row->item);
	if (row->has_weight)
	{
		item = rec_dictionary_intern(history->items, row->item);
		rec_interaction_check_weight(row->weight, NULL, 0, history->items, item);
		add_pair(reader, item, row->weight, row->time);
		if (history->past)
			remember_event(history, get_past(history, item, item == known), row);
	}
	MemoryContextSwitchTo(old);
}

/* Digest, weigh and add what was read of a user. */
static void
digest_history(HistoryReader *reader)
{
	RecCallHistory *history = reader->history;
	RecCall    *call = history->call;
	const RecOptions *options = &call->options;
	int64		newest = Max(reader->newest, call->model.as_of);
	int			n = rec_history_digest(options, reader->pairs, reader->n, newest,
									   rec_dictionary_ranks(history->items, true));

	for (int i = 0; i < n && history->past; i++)
		get_past(history, reader->pairs[i].item, false)->decay =
			rec_pair_decay(options->half_life, newest, reader->pairs[i].time);
	for (int i = 0; i < n; i++)
		if (reader->pairs[i].weight < 0)
			(void) rec_dictionary_intern(call->excluded,
										 rec_dictionary_id(history->items, reader->pairs[i].item));
	rec_history_weigh(options, reader->pairs, n);
	add_signals(history, reader->pairs, Min(n, options->history));
}

/*
 * Read a user's interactions, live, and add them to the scores.  Items that
 * the user has seen, or has turned against, are excluded.
 */
void
rec_call_history_read_user(RecCallHistory *history, Datum user)
{
	RecDefinition *definition = history->call->model.definition;
	HistoryReader reader = {0};
	ParamListInfo params = makeParamList(1);

	params->params[0].value = user;
	params->params[0].isnull = false;
	params->params[0].pflags = PARAM_FLAG_CONST;
	params->params[0].ptype = definition->user_type;
	history->items = rec_definition_item_dictionary(definition, CurrentMemoryContext);
	reader.mcxt = CurrentMemoryContext;
	reader.history = history;
	reader.newest = REC_NO_TIME;
	for (int i = 0; i < definition->nsources; i++)
	{
		SPIPlanPtr	plan = rec_source_history_plan(definition, &definition->sources[i]);

		reader.source = &definition->sources[i];
		rec_interaction_read_rows(plan, params, &reader.source->history_format, take_row, &reader);
	}
	if (reader.n > 0)
		digest_history(&reader);
}

/* ----------------
 *		a session, a basket, or an item
 * ----------------
 */

/*
 * Take the items of an array as the history, newest last; one step back
 * multiplies the weight by "decay".  They are excluded from the answer.
 */
void
rec_call_history_take_items(RecCallHistory *history, ArrayType *items, double decay)
{
	RecCall    *call = history->call;
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
	history->items = rec_definition_item_dictionary(call->model.definition, CurrentMemoryContext);
	pairs = palloc_array(RecPair, nids + 1);
	for (int i = nids - 1; i >= 0 && n < call->options.history; i--)
	{
		uint32		known = rec_dictionary_count(history->items);

		if (nulls[i])
			continue;
		pairs[n].item = rec_dictionary_intern(history->items, ids[i]);
		if (pairs[n].item < known)
			continue;			/* the newest of several counts */
		if (history->past)
			get_past(history, pairs[n].item, true)->decay = pow(decay, n);
		pairs[n].weight = pow(decay, n);
		pairs[n].time = REC_NO_TIME;
		n++;
	}
	rec_call_exclude(call, items);
	add_signals(history, pairs, n);
}

/*
 * Take one item as the history, to which others will be compared: without
 * factors, and with the ids of the nearest items.
 */
void
rec_call_history_take_item(RecCallHistory *history, Datum id)
{
	RecDefinition *definition = history->call->model.definition;

	history->near = palloc0_object(RecNearItems);
	rec_call_history_take_items(history,
								DatumGetArrayTypeP(rec_definition_id_array(definition, &id, 1)), 1);
}

/*
 * Score by the similarity to the only item of the history: by behaviour as far
 * as the number of its users allows, by content for the rest, or by either if
 * there is no other.
 */
void
rec_call_history_compare(RecCallHistory *history)
{
	const RecNeighborList *lists = history->lists;
	RecScores  *scores = history->call->scores;
	double		trust = 1;

	if (lists && lists[REC_LIKE_CONTENT].n > 0)
		trust = lists[REC_LIKE_BEHAVIOUR].n == 0 ? 0 :
			rec_score_item_trust(scores, (uint32) rec_model_neighbors_item(lists));
	rec_score_similarity(scores, trust);
}
