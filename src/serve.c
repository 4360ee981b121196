/*-------------------------------------------------------------------------
 *
 * serve.c
 *	  What answering a call needs: model, history, exclusions, catalog.
 *
 * All reads go through SPI with the caller's rights and the snapshot of the
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
#include "serve.h"
#include "similarity.h"
#include "spi.h"
#include "sqlutil.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* ----------------
 *		the model
 * ----------------
 */

static void
execute(SPIPlanPtr plan, Datum *values)
{
	rec_spi_execute_plan(plan, values, NULL, true, SPI_OK_SELECT);
}

static Datum
column(HeapTuple tuple, TupleDesc desc, int number, bool *isnull)
{
	return SPI_getbinval(tuple, desc, number, isnull);
}

/*
 * Takes the numbers of items by their users, at least 1, 2, 4, ...; false when
 * they are not valid.
 */
static bool
read_steps(RecServe *serve, ArrayType *steps)
{
	int			n = ARR_NDIM(steps) == 0 ? 0 : ARR_DIMS(steps)[0];
	const int32 *numbers = (const int32 *) ARR_DATA_PTR(steps);

	if (ARR_NDIM(steps) > 1 || ARR_ELEMTYPE(steps) != INT4OID || ARR_HASNULL(steps) ||
		n > REC_USER_STEPS)
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

/*
 * Begins a call: the options in force, what is to be excluded, and which
 * generation serves by the caller's snapshot.
 */
void
rec_serve_begin(RecServe *serve, RecDefinition *definition, Jsonb *options)
{
	bool		isnull;
	Datum		as_of;
	Datum		steps;

	memset(serve, 0, sizeof(*serve));
	serve->definition = definition;
	serve->options = definition->options;
	if (options)
		rec_options_apply(&serve->options, options, REC_SCOPE_SERVE);
	serve->excluded = rec_dict_create(definition->item_type, definition->item_collation,
									  CurrentMemoryContext);
	serve->scores = rec_scores_create(&serve->options, 0);
	serve->as_of = REC_NO_TIME;
	if (serve->options.language)
		rec_serve_want_sentences(serve, serve->options.language);
	execute(rec_plan(definition, REC_PLAN_POINTER), NULL);
	if (SPI_processed != 1)
		return;
	serve->generation = DatumGetInt64(column(SPI_tuptable->vals[0],
											 SPI_tuptable->tupdesc, 1, &isnull));
	as_of = column(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	if (!isnull)
		serve->as_of = DatumGetInt64(as_of);
	serve->nitems = Max(DatumGetInt64(column(SPI_tuptable->vals[0],
											 SPI_tuptable->tupdesc, 3, &isnull)), 0);
	steps = column(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 4, &isnull);
	if (isnull || !read_steps(serve, DatumGetArrayTypeP(steps)))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the model of recommender \"%s\" has numbers of items that are not valid",
						rec_definition_name(definition)),
				 errhint("Refresh the recommender.")));
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

/* What one row of the model's neighbours says, once it has been checked. */
static bool
check_neighbors(ArrayType *neighbors, ArrayType *scores)
{
	int			n = ARR_NDIM(neighbors) == 1 ? ARR_DIMS(neighbors)[0] : -1;
	const int32 *numbers = (const int32 *) ARR_DATA_PTR(neighbors);
	const float4 *values = (const float4 *) ARR_DATA_PTR(scores);

	if (n < 0 || ARR_ELEMTYPE(neighbors) != INT4OID || ARR_HASNULL(neighbors) ||
		ARR_NDIM(scores) != 1 || ARR_DIMS(scores)[0] != n ||
		ARR_ELEMTYPE(scores) != FLOAT4OID || ARR_HASNULL(scores))
		return false;
	for (int i = 0; i < n; i++)
		if (numbers[i] < 0 || !isfinite(values[i]))
			return false;
	return true;
}

/*
 * Reads a row (item_id, item_no, neighbors, scores) into a list that is in the
 * row; false when the row is damaged.
 */
bool
rec_read_neighbors(HeapTuple tuple, TupleDesc desc, RecNeighborList *list)
{
	bool		null1;
	bool		null2;
	Datum		neighbors = column(tuple, desc, 3, &null1);
	Datum		scores = column(tuple, desc, 4, &null2);
	ArrayType  *numbers;
	ArrayType  *values;

	if (null1 || null2)
		return false;
	numbers = DatumGetArrayTypeP(neighbors);
	values = DatumGetArrayTypeP(scores);
	if (!check_neighbors(numbers, values))
		return false;
	list->n = ARR_DIMS(numbers)[0];
	list->items = (const int32 *) ARR_DATA_PTR(numbers);
	list->values = (const float4 *) ARR_DATA_PTR(values);
	return true;
}

static Datum
id_array(RecServe *serve, const RecPair *pairs, int n)
{
	Datum	   *ids = palloc_array(Datum, n + 1);

	for (int i = 0; i < n; i++)
		ids[i] = rec_dict_id(serve->history, pairs[i].item);
	return rec_id_array(serve->definition, ids, n);
}

/*
 * Adds the neighbours of the history's items to the scores, in the order of
 * the history whatever the order in which the rows come.
 */
static void
add_history(RecServe *serve, const RecPair *pairs, int n)
{
	uint32		nids = rec_dict_count(serve->history);
	RecNeighborList *by_id = palloc0_array(RecNeighborList, nids + 1);
	Datum		values[2];

	if (n == 0)
		return;
	values[0] = Int64GetDatum(serve->generation);
	values[1] = id_array(serve, pairs, n);
	execute(rec_plan(serve->definition, REC_PLAN_NEIGHBORS), values);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Datum		id = column(tuple, desc, 1, &isnull);
		uint32		number = isnull ? REC_NOT_FOUND : rec_dict_find(serve->history, id);

		if (number == REC_NOT_FOUND || !rec_read_neighbors(tuple, desc, &by_id[number]))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("the model of recommender \"%s\" has a row of neighbours that is not valid",
							rec_definition_name(serve->definition)),
					 errhint("Refresh the recommender.")));
	}
	for (int i = 0; i < n; i++)
	{
		const RecNeighborList *list = &by_id[pairs[i].item];
		RecSignal	signal = {REC_BEHAVIOUR, pairs[i].item, pairs[i].weight,
			list->n, list->items, list->values
		};

		rec_scores_add(serve->scores, &signal);
	}
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

static RecDict *
create_history(RecServe *serve)
{
	return rec_dict_create(serve->definition->item_type,
						   serve->definition->item_collation, CurrentMemoryContext);
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
	serve->history = create_history(serve);
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
	serve->history = create_history(serve);
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

/* Keeps an id, which must stay allocated, and gives the ref to it. */
uint32
rec_serve_keep_id(RecServe *serve, Datum id)
{
	if (serve->nids == serve->ids_allocated)
	{
		serve->ids_allocated = Max(128, serve->ids_allocated * 2);
		if (serve->ids == NULL)
			serve->ids = palloc_array(Datum, serve->ids_allocated);
		else
			serve->ids = repalloc_huge(serve->ids,
									   mul_size(serve->ids_allocated, sizeof(Datum)));
	}
	serve->ids[serve->nids] = id;
	return serve->nids++;
}

/* Reads (item_no, item_id, popularity, trend); false when it is damaged. */
bool
rec_serve_row(RecServe *serve, HeapTuple tuple, TupleDesc desc, RecScoredItem *item)
{
	bool		nulls[4];
	int32		number = DatumGetInt32(column(tuple, desc, 1, &nulls[0]));
	Datum		id = column(tuple, desc, 2, &nulls[1]);
	Datum		popularity = column(tuple, desc, 3, &nulls[2]);
	Datum		trend = column(tuple, desc, 4, &nulls[3]);

	if (nulls[0] || nulls[1] || nulls[2] || nulls[3] || number < 0)
		return false;
	item->item = (uint32) number;
	item->popularity = DatumGetFloat8(popularity);
	item->trend = DatumGetFloat8(trend);
	item->eligible = rec_dict_find(serve->excluded, id) == REC_NOT_FOUND;
	item->ref = rec_serve_keep_id(serve, id);
	return isfinite(item->popularity) && isfinite(item->trend);
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

/* Adds items to a set; "checked" ones are known to pass the filter. */
static void
add_items(RecServe *serve, RecItemSet *set, RecScoredItem *items, int n, bool checked)
{
	if (serve->eligible && !checked)
		check_items(serve, items, n);
	for (int i = 0; i < n; i++)
		rec_item_set_add(set, &items[i]);
}

/* Adds the rows of the last query to a set; gives the last row. */
static RecScoredItem
add_rows(RecServe *serve, RecItemSet *set, bool checked)
{
	int			n = (int) SPI_processed;
	RecScoredItem *items = palloc_extended(mul_size(n + 1, sizeof(RecScoredItem)),
										   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	RecScoredItem last = {0};

	for (int i = 0; i < n; i++)
		if (!rec_serve_row(serve, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, &items[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("the model of recommender \"%s\" has an item that is not valid",
							rec_definition_name(serve->definition)),
					 errhint("Refresh the recommender.")));
	if (n > 0)
		last = items[n - 1];
	add_items(serve, set, items, n, checked);
	pfree(items);
	return last;
}

static void
fetch_items(void *arg, const uint32 *items, int n, RecItemSet *set)
{
	RecServe   *serve = (RecServe *) arg;
	Datum	   *numbers = palloc_array(Datum, n);
	Datum		values[2];

	for (int i = 0; i < n; i++)
		numbers[i] = Int32GetDatum((int32) items[i]);
	values[0] = Int64GetDatum(serve->generation);
	values[1] = PointerGetDatum(construct_array(numbers, n, INT4OID, sizeof(int32),
												true, TYPALIGN_INT));
	execute(rec_plan(serve->definition, REC_PLAN_ITEMS_BY_NUMBER), values);
	(void) add_rows(serve, set, false);
	pfree(numbers);
}

/* What a list of eligible items is added to. */
typedef struct ListTarget
{
	RecServe   *serve;
	RecItemSet *set;
} ListTarget;

static void
take_eligible(void *arg, const Datum *ids, int n)
{
	ListTarget *target = (ListTarget *) arg;
	RecServe   *serve = target->serve;
	Datum		values[2];

	values[0] = Int64GetDatum(serve->generation);
	values[1] = rec_id_array(serve->definition, ids, n);
	execute(rec_plan(serve->definition, REC_PLAN_ITEMS_BY_ID), values);
	(void) add_rows(serve, target->set, true);
}

static bool
list_items(void *arg, RecComponent component, int level, RecItemSet *set, double *last)
{
	RecServe   *serve = (RecServe *) arg;
	RecListOrder order = component == REC_POPULARITY ? REC_ORDER_POPULARITY :
	component == REC_TREND ? REC_ORDER_TREND : REC_ORDER_NUMBER;
	ListTarget	target = {serve, set};
	Datum		values[1];
	RecScoredItem item;
	int64		limit;
	int64		n;

	level = Min(level, REC_LIST_LEVELS - 1);
	limit = rec_list_limit(level);
	if (limit == 0 && serve->eligible)
	{
		rec_eligible_list(serve->eligible, take_eligible, &target);
		return true;
	}
	values[0] = Int64GetDatum(serve->generation);
	execute(rec_list_plan(serve->definition, order, level), values);
	n = (int64) SPI_processed;
	item = add_rows(serve, set, false);
	*last = component == REC_POPULARITY ? item.popularity :
		component == REC_TREND ? item.trend : 0;
	return limit == 0 || n < limit;
}

/* True when few items pass the filter, so that a list of those is short. */
static bool
is_sparse(void *arg, int64 missing, int64 next)
{
	RecServe   *serve = (RecServe *) arg;

	return serve->eligible && rec_eligible_expected(serve->eligible, next) < missing;
}

/* Gives the stored model's items as a catalog. */
RecCatalog
rec_serve_catalog(RecServe *serve)
{
	RecCatalog	catalog = {fetch_items, list_items, is_sparse, serve};

	return catalog;
}

/* Adds the items of an array of ids that the model knows to a set. */
void
rec_serve_fetch_ids(RecServe *serve, ArrayType *ids, RecItemSet *set)
{
	Datum		values[2];

	values[0] = Int64GetDatum(serve->generation);
	values[1] = PointerGetDatum(ids);
	execute(rec_plan(serve->definition, REC_PLAN_ITEMS_BY_ID), values);
	(void) add_rows(serve, set, false);
}
