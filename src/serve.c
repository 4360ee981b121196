/*-------------------------------------------------------------------------
 *
 * serve.c
 *	  What answering a call needs: model, history, exclusions, catalog.
 *
 * The user's interactions are read through SPI, the recommender's own tables
 * through store.c, both with the caller's rights and the snapshot of the
 * calling query, so that privileges, row security and the transaction's own
 * changes count.  The model's tables are believed in nothing: types, lengths
 * and ranges are checked at each read.
 *
 * Callers have SPI connected; everything is allocated in SPI's context and is
 * gone when they disconnect.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "factor_store.h"
#include "fresh.h"
#include "miscadmin.h"
#include "newcomer.h"
#include "serve.h"
#include "similarity.h"
#include "spi.h"
#include "sqlutil.h"
#include "store.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "weighting.h"

/* ----------------
 *		paths
 * ----------------
 */

static const RecStorePath pointer_path = {
	"definition", {"singleton"},
	{"generation", "as_of", "items", "item_steps", "newest_created", "newest_item"}
};

#define NEIGHBOR_COLUMNS	{"item_id", "kind", "neighbors", "scores", "item_no"}
#define NEIGHBOR_NCOLS		5

static const RecStorePath neighbors_by_id = {
	"neighbor", {"item_id", "generation"}, NEIGHBOR_COLUMNS
};

static const RecStorePath all_neighbors = {"neighbor", {"generation"}, NEIGHBOR_COLUMNS};

#define ITEM_COLUMNS	{"item_no", "item_id", "popularity", "trend"}
#define ITEM_NCOLS		4

static const RecStorePath items_by_number = {"item", {"item_no", "generation"}, ITEM_COLUMNS};

static const RecStorePath all_items = {"item", {"generation"}, ITEM_COLUMNS};

static const RecStorePath items_by_id = {"item", {"item_id", "generation"}, ITEM_COLUMNS};

static const RecStorePath items_by_popularity = {
	"item", {"generation", "-popularity", "item_no"}, ITEM_COLUMNS
};

static const RecStorePath items_by_trend = {
	"item", {"generation", "-trend", "item_no"}, ITEM_COLUMNS
};

/* ----------------
 *		the model
 * ----------------
 */

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

/*
 * Takes the numbers of items by their users, at least 1, 2, 4, ...; false when
 * they are not valid.
 */
static bool
read_steps(RecServe *serve, Datum steps)
{
	const void *elements;
	int			n = rec_store_array(steps, INT4OID, &elements);
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
	rec_scores_set_steps(serve->scores, serve->steps, n);
	return true;
}

/* Makes an empty dictionary of items. */
static RecDict *
create_dict(const RecServe *serve)
{
	return rec_dict_create(serve->definition->item_type, serve->definition->item_collation,
						   CurrentMemoryContext);
}

/* Reads which generation serves, and what is known of it. */
static void
read_pointer(RecServe *serve)
{
	Datum		values[6] = {BoolGetDatum(true)};
	bool		nulls[6];
	RecStoreScan *scan = rec_store_begin(serve->definition, &pointer_path, 1, values);

	if (rec_store_next(scan, values, nulls))
	{
		if (!nulls[0])
			serve->generation = DatumGetInt64(values[0]);
		if (!nulls[1])
			serve->as_of = DatumGetInt64(values[1]);
		if (!nulls[2])
			serve->nitems = Max(DatumGetInt64(values[2]), 0);
		if (nulls[3] || !read_steps(serve, values[3]))
			rec_serve_damaged(serve, "numbers of items that are");
		if (!nulls[4])
			serve->newest_created = DatumGetTimestampTz(values[4]);
		if (!nulls[5])
			serve->newest_item = DatumGetInt64(values[5]);
	}
	rec_store_end(scan);
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
		rec_options_apply(&serve->options, options, REC_SCOPE_SERVE);
	serve->excluded = rec_dict_create(definition->item_type, definition->item_collation,
									  CurrentMemoryContext);
	serve->scores = rec_scores_create(&serve->options, 0);
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
			(void) rec_dict_intern(serve->excluded, id);
	array_free_iterator(it);
}

/* ----------------
 *		the history
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

/* True when an interaction means that the user has the item already. */
bool
rec_event_is_seen(const RecOptions *options, const RecRow *row, bool has_events)
{
	if (!has_events)
		return true;
	for (int i = 0; row->event && i < options->nseen_events; i++)
		if (strcmp(options->seen_events[i], row->event) == 0)
			return true;
	return false;
}

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
	serve->sentences = rec_sentences_load(serve->definition, language);
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
					weight, rec_dict_text(items, item))));
}

static void
take_history(void *arg, const RecRow *row)
{
	HistoryReader *reader = (HistoryReader *) arg;
	RecServe   *serve = reader->serve;
	bool		has_events = reader->source->event_column || reader->source->event;
	MemoryContext row_context;
	uint32		known = rec_dict_count(serve->history);
	uint32		item;

	if (row->item_null)
		return;
	row_context = MemoryContextSwitchTo(reader->context);
	if (serve->options.exclude_seen &&
		rec_event_is_seen(&serve->options, row, has_events))
		(void) rec_dict_intern(serve->excluded, row->item);
	if (row->has_weight)
	{
		item = rec_dict_intern(serve->history, row->item);
		if (!isfinite(row->weight))
			refuse_weight(row->weight, serve->history, item);
		add_pair(reader, item, row->weight, row->time);
		if (serve->past)
			remember_event(serve, get_past(serve, item, item == known), row);
	}
	MemoryContextSwitchTo(row_context);
}

/*
 * Turns combined weights into what they count in a history: the same as in
 * the model where the weighting is one of the interaction alone; ratings less
 * the user's mean, so that a low one speaks against what resembles the item.
 */
void
rec_history_weigh(const RecOptions *options, RecPair *pairs, int n)
{
	bool		ratings = rec_measure_of(options)->centring != REC_CENTRE_NONE;
	double		mean = 0;

	for (int i = 0; i < n && ratings; i++)
		mean += pairs[i].weight / n;
	for (int i = 0; i < n; i++)
	{
		double	   *weight = &pairs[i].weight;

		if (ratings)
			*weight = fabs(*weight - mean) <= 1e-12 * fabs(mean) ? 0 : *weight - mean;
		else if (options->weighting == REC_WEIGHTING_BINARY)
			*weight = (*weight > 0) - (*weight < 0);
		else if (options->weighting == REC_WEIGHTING_LOG)
			*weight = *weight < 0 ? -log1p(-*weight) : log1p(*weight);
	}
}

/*
 * Gives what a weight of the history counts when a user is folded in: as much
 * as in the matrix that the factors are of, which may be one of ones.
 */
double
rec_history_confidence(const RecOptions *options, double weight)
{
	if (rec_weighting_use(options) == REC_WEIGHTS_IGNORED)
		return (weight > 0) - (weight < 0);
	return weight;
}

/*
 * Keeps the arrays of a row, of items and what they are worth, in the current
 * context; false when they are damaged.
 */
bool
rec_keep_list(Datum numbers, Datum worths, RecNeighborList *list)
{
	const void *items;
	const void *values;

	list->n = rec_store_array_copy(numbers, INT4OID, &items);
	if (list->n < 0 || rec_store_array_copy(worths, FLOAT4OID, &values) != list->n)
		return false;
	list->items = items;
	list->values = values;
	for (int i = 0; i < list->n; i++)
		if (list->items[i] < 0 || !isfinite(list->values[i]))
			return false;
	return true;
}

/* True when a row of neighbours is of a kind. */
static bool
is_of_kind(Datum kind, RecComponent component)
{
	text	   *given = DatumGetTextPP(kind);
	const char *name = rec_component_names[component];

	return VARSIZE_ANY_EXHDR(given) == strlen(name) &&
		memcmp(VARDATA_ANY(given), name, strlen(name)) == 0;
}

/*
 * Gives which likeness a row of neighbours tells of, REC_NLIKENESSES for one
 * that does not count: content does as long as there is a relation of items.
 */
static RecLikeness
likeness_of(const RecServe *serve, Datum kind)
{
	if (is_of_kind(kind, REC_BEHAVIOUR))
		return REC_LIKE_BEHAVIOUR;
	if (serve->definition->items && is_of_kind(kind, REC_CONTENT))
		return REC_LIKE_CONTENT;
	return REC_NLIKENESSES;
}

/*
 * Reads rows of neighbours to their items' places in "lists", which are
 * REC_NLIKENESSES for each number in "items", in the current context.
 */
static void
read_lists(RecServe *serve, RecStoreScan *scan, RecDict *items, RecNeighborList *lists)
{
	Datum		values[NEIGHBOR_NCOLS];
	bool		nulls[NEIGHBOR_NCOLS];

	while (rec_store_next(scan, values, nulls))
	{
		uint32		number = nulls[0] ? REC_NOT_FOUND : rec_dict_find(items, values[0]);
		RecLikeness likeness = nulls[1] ? REC_NLIKENESSES : likeness_of(serve, values[1]);
		RecNeighborList *list;

		if (likeness == REC_NLIKENESSES)
			continue;
		if (number == REC_NOT_FOUND || nulls[2] || nulls[3] || nulls[4])
			rec_serve_damaged(serve, "a row of neighbours that is");
		list = &lists[(Size) number * REC_NLIKENESSES + likeness];
		if (!rec_keep_list(values[2], values[3], list))
			rec_serve_damaged(serve, "a row of neighbours that is");
		list->item = DatumGetInt32(values[4]);
	}
	rec_store_end(scan);
}

/* Reads the neighbours of all items, which must all be in the dictionary. */
void
rec_serve_all_neighbors(RecServe *serve, RecDict *items, RecNeighborList *lists)
{
	Datum		keys[1];

	keys[0] = Int64GetDatum(serve->generation);
	read_lists(serve, rec_store_begin_all(serve->definition, &all_neighbors, 1, keys),
			   items, lists);
}

/*
 * Reads the neighbours of n items, which must be in the dictionary, to their
 * numbers' places, REC_NLIKENESSES for each.
 */
void
rec_serve_neighbors(RecServe *serve, const Datum *ids, int n, RecDict *items,
					RecNeighborList *lists)
{
	Datum		keys[2];

	keys[0] = rec_id_array(serve->definition, ids, n);
	keys[1] = Int64GetDatum(serve->generation);
	read_lists(serve, rec_store_begin_any(serve->definition, &neighbors_by_id, 2, keys, 0),
			   items, lists);
}

/* Reads the neighbours of the history's items to their numbers' places. */
static RecNeighborList *
read_neighbors(RecServe *serve, const RecPair *pairs, int n)
{
	Size		count = (Size) rec_dict_count(serve->history) * REC_NLIKENESSES;
	RecNeighborList *lists = palloc0_array(RecNeighborList, count + 1);
	Datum	   *ids = palloc_array(Datum, n + 1);

	for (int i = 0; i < n; i++)
		ids[i] = rec_dict_id(serve->history, pairs[i].item);
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
	rec_scores_expect(serve->scores, n * REC_NLIKENESSES, entries,
					  (uint32) Min(serve->nitems, PG_INT32_MAX));
}

/* Gives the number of an item whose rows of neighbours are these, or -1. */
static int32
listed_number(const RecNeighborList *lists)
{
	for (int kind = 0; kind < REC_NLIKENESSES; kind++)
		if (lists[kind].items && lists[kind].item >= 0)
			return lists[kind].item;
	return -1;
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
		int32		number = listed_number(&lists[pairs[i].item * REC_NLIKENESSES]);

		if (number < 0 ||
			rec_dict_find(serve->excluded, rec_dict_id(serve->history, pairs[i].item)) == REC_NOT_FOUND)
			continue;
		rec_scores_bar(serve->scores, (uint32) number);
		serve->nbarred++;
	}
}

/*
 * Adds what the neighbours of an item of the history say, of either likeness;
 * "content" when that counts.
 */
void
rec_history_add(RecScores *scores, const RecPair *pair, const RecNeighborList *lists,
				bool content)
{
	static const RecComponent components[REC_NLIKENESSES] = {REC_BEHAVIOUR, REC_CONTENT};

	for (int kind = 0; kind < REC_NLIKENESSES; kind++)
	{
		const RecNeighborList *list = &lists[kind];
		RecSignal	signal = {components[kind], pair->item, pair->weight,
			list->n, list->items, list->values
		};

		if (content || kind != REC_LIKE_CONTENT)
			rec_scores_add(scores, &signal);
	}
}

/*
 * Gives the numbers of the history's items, -1 for those that the model lacks:
 * from the rows of neighbours, of which not all items have one.
 */
static int32 *
history_numbers(RecServe *serve, const RecPair *pairs, int n)
{
	int32	   *by_id = palloc_array(int32, rec_dict_count(serve->history) + 1);
	int32	   *numbers = palloc_array(int32, n + 1);
	Datum	   *ids = palloc_array(Datum, n + 1);
	int			nids = 0;
	RecStoreScan *scan;
	Datum		values[ITEM_NCOLS];
	bool		nulls[ITEM_NCOLS];

	for (int i = 0; i < n; i++)
	{
		uint32		item = pairs[i].item;

		by_id[item] = listed_number(&serve->lists[item * REC_NLIKENESSES]);
		if (by_id[item] < 0)
			ids[nids++] = rec_dict_id(serve->history, item);
	}
	values[0] = rec_id_array(serve->definition, ids, nids);
	values[1] = Int64GetDatum(serve->generation);
	scan = rec_store_begin_any(serve->definition, &items_by_id, 2, values, 0);
	while (rec_store_next(scan, values, nulls))
	{
		uint32		item = nulls[1] ? REC_NOT_FOUND : rec_dict_find(serve->history, values[1]);

		if (item == REC_NOT_FOUND || nulls[0])
			rec_serve_damaged(serve, "an item that is");
		by_id[item] = DatumGetInt32(values[0]);
	}
	rec_store_end(scan);
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
	if (!serve->without_factors && serve->options.model == REC_MODEL_ALS)
		rec_serve_add_factors(serve, pairs, history_numbers(serve, pairs, n), n);
	if (serve->definition->items)
		rec_fresh_join(serve, pairs, n);
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
			rec_scores_item_trust(serve->scores, (uint32) listed_number(serve->lists));
	rec_scores_similarity(serve->scores, trust);
}

/*
 * Turns a user's interactions into pairs, decayed, repeats combined, newest
 * first, in place; gives their number.
 */
int
rec_history_digest(const RecOptions *options, RecPair *pairs, int n, int64 newest,
				   const uint32 *item_rank)
{
	for (int i = 0; i < n; i++)
		pairs[i].weight *= rec_decay(options->half_life, newest, pairs[i].time);
	n = rec_pairs_combine(pairs, n, options->repeats);
	rec_pairs_sort(pairs, n, item_rank);
	return n;
}

/* Digests, weighs and adds what was read of a user. */
static void
digest_history(HistoryReader *reader)
{
	RecServe   *serve = reader->serve;
	const RecOptions *options = &serve->options;
	int			n = rec_history_digest(options, reader->pairs, reader->n,
									   Max(reader->newest, serve->as_of),
									   rec_dict_ranks(serve->history, true));

	for (int i = 0; i < n && serve->past; i++)
		get_past(serve, reader->pairs[i].item, false)->decay =
			rec_decay(options->half_life, Max(reader->newest, serve->as_of), reader->pairs[i].time);
	for (int i = 0; i < n; i++)
		if (reader->pairs[i].weight < 0)
			(void) rec_dict_intern(serve->excluded,
								   rec_dict_id(serve->history, reader->pairs[i].item));
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
	serve->history = create_dict(serve);
	reader.context = CurrentMemoryContext;
	reader.serve = serve;
	reader.newest = REC_NO_TIME;
	for (int i = 0; i < definition->nsources; i++)
	{
		SPIPlanPtr	plan = rec_history_plan(definition, &definition->sources[i]);

		reader.source = &definition->sources[i];
		rec_read_rows(plan, params, &reader.source->history_format,
					  take_history, &reader);
	}
	if (reader.n > 0)
		digest_history(&reader);
}

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
	serve->history = create_dict(serve);
	pairs = palloc_array(RecPair, nids + 1);
	for (int i = nids - 1; i >= 0 && n < serve->options.history; i--)
	{
		uint32		known = rec_dict_count(serve->history);

		if (nulls[i])
			continue;
		pairs[n].item = rec_dict_intern(serve->history, ids[i]);
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

/* ----------------
 *		the catalog
 * ----------------
 */

/* Keeps a copy of an id and gives the ref to it. */
uint32
rec_serve_keep_id(RecServe *serve, Datum id)
{
	const RecDefinition *definition = serve->definition;

	if (serve->nids == serve->ids_allocated)
	{
		serve->ids_allocated = Max(128, serve->ids_allocated * 2);
		if (serve->ids == NULL)
			serve->ids = palloc_array(Datum, serve->ids_allocated);
		else
			serve->ids = repalloc_huge(serve->ids,
									   mul_size(serve->ids_allocated, sizeof(Datum)));
	}
	if (definition->item_typlen == -1)
		id = PointerGetDatum(PG_DETOAST_DATUM_PACKED(id));
	serve->ids[serve->nids] = datumCopy(id, definition->item_typbyval, definition->item_typlen);
	return serve->nids++;
}

/* Reads (item_no, item_id, popularity, trend); false when it is damaged. */
static bool
read_item(RecServe *serve, const Datum *values, const bool *nulls, RecScoredItem *item)
{
	int32		number = nulls[0] ? -1 : DatumGetInt32(values[0]);

	if (number < 0 || nulls[1] || nulls[2] || nulls[3])
		return false;
	item->item = (uint32) number;
	item->popularity = DatumGetFloat8(values[2]);
	item->trend = DatumGetFloat8(values[3]);
	item->eligible = rec_dict_find(serve->excluded, values[1]) == REC_NOT_FOUND;
	item->ref = rec_serve_keep_id(serve, values[1]);
	return isfinite(item->popularity) && isfinite(item->trend);
}

/*
 * Gives the next item of a scan; false when there is none.  Its id is kept,
 * and it is eligible unless it is excluded.
 */
bool
rec_serve_next_item(RecServe *serve, RecStoreScan *scan, RecScoredItem *item)
{
	Datum		values[ITEM_NCOLS];
	bool		nulls[ITEM_NCOLS];

	memset(item, 0, sizeof(*item));
	if (!rec_store_next(scan, values, nulls))
		return false;
	if (!read_item(serve, values, nulls, item))
		rec_serve_damaged(serve, "an item that is");
	return true;
}

/* Takes from items that may be returned those that are not eligible. */
static void
check_items(RecServe *serve, RecScoredItem *items, int n)
{
	Datum	   *ids = palloc_array(Datum, n + 1);
	bool	   *marks = palloc_array(bool, n + 1);
	int			nids = 0;

	for (int i = 0; i < n; i++)
		if (items[i].eligible)
			ids[nids++] = serve->ids[items[i].ref];
	rec_eligible_check(serve->eligible, ids, nids, marks);
	nids = 0;
	for (int i = 0; i < n; i++)
		if (items[i].eligible)
			items[i].eligible = marks[nids++];
	pfree(ids);
	pfree(marks);
}

/* Reads items until there are "most"; gives their number. */
static int
read_items(RecServe *serve, RecStoreScan *scan, RecScoredItem *items, int most)
{
	int			n = 0;

	while (n < most && rec_serve_next_item(serve, scan, &items[n]))
		n++;
	return n;
}

/* Sets for each of n ids whether the model knows the item. */
void
rec_serve_known(RecServe *serve, const Datum *ids, int n, bool *known)
{
	RecDict    *dict;
	Datum		keys[2];
	Datum		values[ITEM_NCOLS];
	bool		nulls[ITEM_NCOLS];
	RecStoreScan *scan;

	memset(known, 0, n * sizeof(bool));
	if (n == 0)
		return;
	dict = create_dict(serve);
	for (int i = 0; i < n; i++)
		(void) rec_dict_intern(dict, ids[i]);
	keys[0] = rec_id_array(serve->definition, ids, n);
	keys[1] = Int64GetDatum(serve->generation);
	scan = rec_store_begin_any(serve->definition, &items_by_id, 2, keys, 0);
	while (rec_store_next(scan, values, nulls))
	{
		uint32		number = nulls[1] ? REC_NOT_FOUND : rec_dict_find(dict, values[1]);

		if (number == REC_NOT_FOUND)
			rec_serve_damaged(serve, "an item that is");
		known[number] = true;
	}
	rec_store_end(scan);
}

#define ST_SORT sort_items
#define ST_ELEMENT_TYPE RecScoredItem
#define ST_COMPARE(a, b) ((a)->item < (b)->item ? -1 : (a)->item > (b)->item)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ITEMS_AT_ONCE	2048	/* that are asked about in one query */

/*
 * Adds the items of a scan to a set, at most "limit"; "checked" ones are known
 * to pass the filter.  Gives their number and the last one.
 */
static uint64
add_items(RecServe *serve, RecStoreScan *scan, uint64 limit, RecItemSet *set,
		  bool checked, RecScoredItem *last)
{
	int			size = (int) Min(limit, ITEMS_AT_ONCE);
	RecScoredItem *items = palloc_array(RecScoredItem, size);
	uint64		added = 0;
	int			n;

	do
	{
		n = read_items(serve, scan, items, (int) Min((uint64) size, limit - added));
		if (serve->eligible && !checked)
			check_items(serve, items, n);
		for (int i = 0; i < n; i++)
			rec_item_set_add(set, &items[i]);
		if (n > 0)
			*last = items[n - 1];
		added += n;
	} while (n == size && added < limit);
	rec_store_end(scan);
	pfree(items);
	return added;
}

static void
fetch_items(void *arg, const uint32 *items, int n, RecItemSet *set)
{
	RecServe   *serve = (RecServe *) arg;
	Datum	   *numbers = palloc_array(Datum, n);
	RecScoredItem *newcomers = palloc_array(RecScoredItem, n);
	int			nknown = 0;
	int			nnew = 0;
	Datum		keys[2];
	RecScoredItem last;

	for (int i = 0; i < n; i++)
		if (rec_newcomer_item(serve, items[i], &newcomers[nnew]))
			nnew++;
		else
			numbers[nknown++] = Int32GetDatum((int32) items[i]);
	if (nnew > 0)
		check_items(serve, newcomers, nnew);
	for (int i = 0; i < nnew; i++)
		rec_item_set_add(set, &newcomers[i]);
	keys[0] = PointerGetDatum(construct_array(numbers, nknown, INT4OID, sizeof(int32),
											  true, TYPALIGN_INT));
	keys[1] = Int64GetDatum(serve->generation);
	(void) add_items(serve, rec_store_begin_any(serve->definition, &items_by_number, 2, keys, 0),
					 nknown, set, false, &last);
	pfree(newcomers);
	pfree(numbers);
}

/* Adds the items of an array of ids that the model knows to a set. */
static void
fetch_ids(RecServe *serve, Datum ids, RecItemSet *set, bool checked)
{
	Datum		keys[2];
	RecScoredItem last;

	keys[0] = ids;
	keys[1] = Int64GetDatum(serve->generation);
	(void) add_items(serve, rec_store_begin_any(serve->definition, &items_by_id, 2, keys, 0),
					 PG_UINT64_MAX, set, checked, &last);
}

/* What a list of eligible items is added to. */
typedef struct ListTarget
{
	RecServe   *serve;
	RecItemSet *set;
	RecDict    *unknown;		/* ids that the model does not know */
} ListTarget;

/* Adds those eligible items to a set that the model knows, and notes the others. */
static void
take_eligible(void *arg, const Datum *ids, int n)
{
	ListTarget *target = (ListTarget *) arg;
	RecServe   *serve = target->serve;
	RecDict    *known = create_dict(serve);
	Datum		keys[2];
	RecStoreScan *scan;
	RecScoredItem item;

	keys[0] = rec_id_array(serve->definition, ids, n);
	keys[1] = Int64GetDatum(serve->generation);
	scan = rec_store_begin_any(serve->definition, &items_by_id, 2, keys, 0);
	while (rec_serve_next_item(serve, scan, &item))
	{
		(void) rec_dict_intern(known, serve->ids[item.ref]);
		rec_item_set_add(target->set, &item);
	}
	rec_store_end(scan);
	for (int i = 0; i < n; i++)
		if (rec_dict_find(known, ids[i]) == REC_NOT_FOUND)
			(void) rec_dict_intern(target->unknown, ids[i]);
}

/*
 * Adds items that the model does not know to a set, the newest ones before the
 * others.  "named" ones are judged by their content, and those that the
 * relation of items does not have are left out.
 */
static void
add_unknown(RecServe *serve, RecDict *unknown, bool named, RecItemSet *set)
{
	uint32		n = rec_dict_count(unknown);
	RecScoredItem *items = palloc_extended(mul_size(n + 1, sizeof(RecScoredItem)), MCXT_ALLOC_HUGE);
	int			nitems = 0;

	if (n == 0)
		return;
	rec_fresh_look(serve);		/* gives the first numbers to the newest ones */
	rec_newcomers_number(serve, unknown, NULL);
	for (uint32 i = 0; i < n; i++)
	{
		uint32		number = rec_newcomer_number(serve, rec_dict_id(unknown, i));

		CHECK_FOR_INTERRUPTS();
		if (rec_newcomer_item(serve, number, &items[nitems]))
			nitems++;
	}
	sort_items(items, nitems);
	if (named)
		nitems = rec_fresh_judge(serve, items, nitems);
	for (int i = 0; i < nitems; i++)
		rec_item_set_add(set, &items[i]);
	pfree(items);
}

/* Adds all eligible items to a set. */
static void
list_eligible(RecServe *serve, RecItemSet *set)
{
	ListTarget	target = {serve, set, create_dict(serve)};

	rec_eligible_list(serve->eligible, take_eligible, &target);
	add_unknown(serve, target.unknown, false, set);
}

/* Begins to read the items in order of a component, or of their numbers. */
static RecStoreScan *
begin_list(RecServe *serve, RecComponent order)
{
	Datum		generation = Int64GetDatum(serve->generation);

	if (order == REC_POPULARITY)
		return rec_store_begin(serve->definition, &items_by_popularity, 1, &generation);
	if (order == REC_TREND)
		return rec_store_begin(serve->definition, &items_by_trend, 1, &generation);
	return rec_store_begin_ordered(serve->definition, &items_by_number, 1, generation);
}

static bool
list_items(void *arg, RecComponent component, int level, RecItemSet *set, double *last)
{
	static const uint64 limits[] = {64, 2048, PG_UINT64_MAX};
	RecServe   *serve = (RecServe *) arg;
	uint64		limit = limits[Min(level, (int) lengthof(limits) - 1)];
	RecScoredItem item = {0};
	uint64		n;

	if (serve->eligible && (limit == PG_UINT64_MAX || serve->exhausted))
	{
		list_eligible(serve, set);
		return true;
	}
	n = add_items(serve, begin_list(serve, component), limit, set, false, &item);
	*last = component == REC_POPULARITY ? item.popularity :
		component == REC_TREND ? item.trend : 0;
	if (n == limit || serve->eligible == NULL)
		return n < limit;
	/* what the model does not know is left: worth nothing, but not less */
	serve->exhausted = true;
	*last = 0;
	return false;
}

/* True when it is better to list what passes the filter than to look on. */
static bool
is_sparse(void *arg, int64 missing, int64 next)
{
	RecServe   *serve = (RecServe *) arg;

	return serve->eligible && rec_eligible_are_rare(serve->eligible, missing, next);
}

#define MOST_SPARE	16

/* Gives the stored model's items as a catalog. */
RecCatalog
rec_serve_catalog(RecServe *serve)
{
	RecCatalog	catalog = {fetch_items, list_items, is_sparse, serve, MOST_SPARE};

	if (serve->eligible == NULL)
		catalog.spare = (int) Min(rec_dict_count(serve->excluded) - serve->nbarred, MOST_SPARE);
	return catalog;
}

/* Begins to read all items, for rec_serve_next_item(), in no order. */
RecStoreScan *
rec_serve_all_items(RecServe *serve)
{
	Datum		keys[1];

	keys[0] = Int64GetDatum(serve->generation);
	return rec_store_begin_all(serve->definition, &all_items, 1, keys);
}

/*
 * Adds the items of an array of ids to a set: those that the model knows, and
 * those that the relation of items has now.
 */
void
rec_serve_fetch_ids(RecServe *serve, ArrayType *ids, RecItemSet *set)
{
	uint32		before = serve->nids;
	RecDict    *known;
	RecDict    *unknown;
	ArrayIterator it;
	Datum		id;
	bool		isnull;

	fetch_ids(serve, PointerGetDatum(ids), set, false);
	if (serve->definition->items == NULL)
		return;
	known = create_dict(serve);
	unknown = create_dict(serve);
	for (uint32 i = before; i < serve->nids; i++)
		(void) rec_dict_intern(known, serve->ids[i]);
	it = array_create_iterator(ids, 0, NULL);
	while (array_iterate(it, &id, &isnull))
		if (!isnull && rec_dict_find(known, id) == REC_NOT_FOUND)
			(void) rec_dict_intern(unknown, id);
	array_free_iterator(it);
	add_unknown(serve, unknown, true, set);
}
