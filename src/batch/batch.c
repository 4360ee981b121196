/*-------------------------------------------------------------------------
 *
 * batch.c
 *	  Many users at once: interactions and a model in memory.
 *
 * For recommend_all(), which reads the stored model, and for evaluation,
 * which trains one on a part of the interactions.  Each user is scored by the
 * code, and in the order of sums, that recommend() uses, so that the answers
 * are the same.
 *
 * A batch goes through: create, add or read, sort, a model (begin, set items,
 * end; or train), then for each user score, use, next.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "batch/batch.h"
#include "definition/source.h"
#include "factor/als.h"
#include "interaction/trend.h"
#include "miscadmin.h"
#include "model/train.h"
#include "pg/memory_budget.h"
#include "pg/spi.h"
#include "rank/history.h"
#include "serve/cap_values.h"
#include "serve/new_items.h"
#include "utils/memutils.h"

/* Gives an array of zeroes for the model, within the budget. */
void *
rec_batch_alloc(RecBatch *batch, Size count, Size width)
{
	return rec_memory_budget_alloc_in(batch->context, batch->model_context, count, width);
}

/* Makes an empty batch; all of it is in "context". */
RecBatch *
rec_batch_create(MemoryContext context, const RecOptions *options,
				 Oid user_type, Oid user_collation,
				 Oid item_type, Oid item_collation)
{
	RecBatch   *batch = MemoryContextAllocZero(context, sizeof(RecBatch));

	batch->context = context;
	batch->model_context = AllocSetContextCreate(context, "recommender model in memory",
												 ALLOCSET_DEFAULT_SIZES);
	batch->options = options;
	batch->seen_bit = 1;
	batch->users = rec_dictionary_create(user_type, user_collation, context);
	batch->items = rec_dictionary_create(item_type, item_collation, context);
	batch->as_of = REC_NO_TIME;
	return batch;
}

/* ----------------
 *		interactions
 * ----------------
 */

static RecBatchRow *
next_row(RecBatch *batch)
{
	if (batch->nrows == batch->allocated)
	{
		int64		wanted = Max(1024, batch->allocated * 2);
		Size		size = mul_size(wanted, sizeof(RecBatchRow));

		rec_memory_budget_check(batch->context,
								mul_size(wanted - batch->allocated, sizeof(RecBatchRow)));
		batch->rows = batch->rows ? repalloc_huge(batch->rows, size) :
			MemoryContextAllocHuge(batch->context, size);
		batch->allocated = wanted;
	}
	return &batch->rows[batch->nrows++];
}

static void
refuse_weight(const RecBatch *batch, uint32 item, double weight)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("weight %g of item %s is not a finite number", weight,
					rec_dictionary_text(batch->items, item))));
}

/* Adds an interaction; one without user or item is left out. */
void
rec_batch_add(RecBatch *batch, const RecRow *row, uint8 seen)
{
	RecBatchRow *added;

	if (row->user_null || row->item_null)
		return;
	added = next_row(batch);
	memset(added, 0, sizeof(*added));
	added->user = rec_dictionary_intern(batch->users, row->user);
	added->pair.item = rec_dictionary_intern(batch->items, row->item);
	added->pair.weight = batch->events ? row->amount : row->weight;
	added->pair.time = row->time;
	added->counts = row->has_weight;
	added->seen = seen;
	added->situation = row->situation;
	if (batch->events)
		added->event = rec_batch_event(batch, row->event);
	if (row->has_weight && !isfinite(row->weight))
		refuse_weight(batch, added->pair.item, row->weight);
}

static void
take_row(void *arg, const RecRow *row)
{
	RecBatch   *batch = (RecBatch *) arg;
	bool		has_events = batch->source->event_column || batch->source->event;
	uint8		seen = rec_history_event_is_seen(batch->options, row, has_events) ? 1 : 0;

	if (batch->other_options && rec_history_event_is_seen(batch->other_options, row, has_events))
		seen |= 2;
	rec_batch_add(batch, row, seen);
}

/* Adds all interactions, and situations if it has any; SPI is connected. */
void
rec_batch_read(RecBatch *batch, RecDefinition *definition)
{
	batch->definition = definition;
	rec_cap_values_check(definition, batch->options);
	rec_batch_event_begin(batch);
	for (int i = 0; i < definition->nsources; i++)
	{
		RecRowFormat format;
		SPIPlanPtr	plan;

		batch->source = &definition->sources[i];
		plan = rec_spi_prepare(rec_source_training_query(definition, batch->source,
														 batch->situations, &format),
							   0, NULL, 0);
		format.users = batch->users;
		format.items = batch->items;
		rec_interaction_read_rows(plan, NULL, &format, take_row, batch);
		SPI_freeplan(plan);
	}
}

/* By user, then oldest first; nothing of the order in which rows came shows. */
static inline int
compare_rows(const RecBatchRow *a, const RecBatchRow *b, const RecBatch *batch)
{
	if (a->user != b->user)
		return batch->user_rank[a->user] < batch->user_rank[b->user] ? -1 : 1;
	if (a->pair.time != b->pair.time)
		return a->pair.time < b->pair.time ? -1 : 1;
	if (a->pair.item != b->pair.item)
		return batch->item_rank[a->pair.item] < batch->item_rank[b->pair.item] ? -1 : 1;
	if (a->pair.weight != b->pair.weight)
		return a->pair.weight < b->pair.weight ? -1 : 1;
	if (a->event != b->event)
		return a->event < b->event ? -1 : 1;
	if (batch->situation_rank == NULL || a->situation == b->situation)
		return 0;
	return batch->situation_rank[a->situation] < batch->situation_rank[b->situation] ? -1 : 1;
}

#define ST_SORT sort_rows
#define ST_ELEMENT_TYPE RecBatchRow
#define ST_COMPARE(a, b, batch) compare_rows(a, b, batch)
#define ST_COMPARE_ARG_TYPE const RecBatch
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Puts the rows in order of user and time; none may be added afterwards. */
void
rec_batch_sort(RecBatch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(batch->context);

	batch->user_rank = rec_dictionary_ranks(batch->users, true);
	batch->item_rank = rec_dictionary_ranks(batch->items, true);
	if (batch->situations)
		batch->situation_rank = rec_situation_ranks(batch->situations);
	sort_rows(batch->rows, batch->nrows, batch);
	MemoryContextSwitchTo(old);
}

/* Gives the row after the last one of the user whose rows start at "from". */
int64
rec_batch_user_end(const RecBatch *batch, int64 from)
{
	int64		end = from + 1;

	while (end < batch->nrows && batch->rows[end].user == batch->rows[from].user)
		end++;
	return end;
}

/* ----------------
 *		a model
 * ----------------
 */

/* Begins a model of so many items; what was there before is forgotten. */
void
rec_batch_begin_model(RecBatch *batch, uint32 nitems)
{
	RecMemoryCatalog *memory = &batch->memory;

	MemoryContextReset(batch->model_context);
	memset(memory, 0, sizeof(*memory));
	batch->values = NULL;
	batch->factors = NULL;
	memory->nitems = nitems;
	memory->ids = rec_batch_alloc(batch, nitems, sizeof(Datum));
	memory->popularity = rec_batch_alloc(batch, nitems, sizeof(double));
	memory->trend = rec_batch_alloc(batch, nitems, sizeof(double));
	memory->barred = rec_batch_alloc(batch, nitems, sizeof(bool));
	memory->item = rec_batch_alloc(batch, nitems, sizeof(uint32));
}

/* Says which item of the dictionary one of the model's numbers is. */
void
rec_batch_set_item(RecBatch *batch, uint32 number, uint32 item,
				   double popularity, double trend)
{
	RecMemoryCatalog *memory = &batch->memory;

	memory->ids[number] = rec_dictionary_id(batch->items, item);
	memory->item[number] = item;
	memory->popularity[number] = popularity;
	memory->trend[number] = trend;
}

/* Ends the model: neighbours come next, to batch->neighbors. */
void
rec_batch_end_model(RecBatch *batch)
{
	uint32		nids = rec_dictionary_count(batch->items);
	MemoryContext old = MemoryContextSwitchTo(batch->model_context);

	batch->model_number = rec_batch_alloc(batch, nids, sizeof(uint32));
	memset(batch->model_number, 0xff, nids * sizeof(uint32));
	for (uint32 i = 0; i < batch->memory.nitems; i++)
		batch->model_number[batch->memory.item[i]] = i;
	batch->neighbors = rec_batch_alloc(batch, (Size) nids * REC_NLIKENESSES, sizeof(RecNeighborList));
	batch->barred = rec_batch_alloc(batch, batch->memory.nitems, sizeof(uint32));
	batch->nbarred = 0;
	batch->item_rank = rec_dictionary_ranks(batch->items, true);
	batch->scores = rec_score_create(batch->options, batch->memory.nitems);
	MemoryContextSwitchTo(old);
}

/* Gives what a row weighs as something that is known. */
static double
known_weight(const RecBatch *batch, const RecBatchRow *row)
{
	double		weight = row->pair.weight;

	if (batch->events)
		weight *= batch->events[row->event].weight;
	if (!isfinite(weight))
		refuse_weight(batch, row->pair.item, weight);
	return weight;
}

/* The rows that a model may be trained on, as a stream. */
static RecStream *
training_stream(RecBatch *batch)
{
	RecStream  *stream = rec_stream_create(CurrentMemoryContext);

	for (int64 i = 0; i < batch->nrows; i++)
	{
		const RecBatchRow *row = &batch->rows[i];

		if (rec_batch_counts(batch, row) && row->part == REC_PART_TRAIN)
			rec_stream_add(stream, row->user, row->pair.item, known_weight(batch, row),
						   row->pair.time);
	}
	return stream;
}

typedef struct TrainState
{
	RecBatch   *batch;
	const RecMatrix *matrix;
} TrainState;

/* Keeps a row of neighbours, with the precision that a stored one has. */
static void
take_neighbors(void *arg, uint32 item, const RecNeighbor *row, int n)
{
	TrainState *state = (TrainState *) arg;
	RecBatch   *batch = state->batch;
	RecNeighborList *kept = rec_batch_lists(batch, state->matrix->item_id[item]);
	int32	   *neighbors = rec_batch_alloc(batch, n, sizeof(int32));
	float4	   *similarities = rec_batch_alloc(batch, n, sizeof(float4));

	for (int i = 0; i < n; i++)
	{
		neighbors[i] = (int32) row[i].item;
		similarities[i] = (float4) row[i].similarity;
	}
	kept->n = n;
	kept->items = neighbors;
	kept->values = similarities;
}

/* Gives the model factors, which must stay allocated as long as it does. */
void
rec_batch_set_factors(RecBatch *batch, RecFactors *factors)
{
	int			n = factors->folds.nfactors;

	rec_memory_budget_check(batch->context, rec_folding_size(n));
	batch->factors = factors;
	batch->folding = rec_folding_create(batch->model_context, n);
	batch->user_factors = rec_batch_alloc(batch, n, sizeof(double));
	batch->factor_values = rec_batch_alloc(batch, batch->memory.nitems, sizeof(float4));
}

static void
train_factors(RecBatch *batch, const RecMatrix *matrix)
{
	MemoryContext old = MemoryContextSwitchTo(batch->model_context);

	rec_batch_set_factors(batch, rec_als_train(matrix, batch->options, true, NULL, NULL));
	MemoryContextSwitchTo(old);
}

/* Trains a model on the rows of REC_PART_TRAIN. */
void
rec_batch_train(RecBatch *batch)
{
	MemoryContext working = AllocSetContextCreate(CurrentMemoryContext,
												  "recommender training",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(working);
	RecStream  *stream;
	TrainState	state;
	RecIds		ids;
	RecMatrix  *matrix;
	double	   *popularity;
	double	   *trend;			/* of the dictionary's numbers, then of items */
	uint32		steps[REC_USER_STEPS];
	int			nsteps;
	uint32	   *number;			/* of the dictionary's, of each item */
	uint32		nitems;

	if (batch->events)
		rec_batch_event_weigh(batch);
	stream = training_stream(batch);
	ids.nusers = rec_dictionary_count(batch->users);
	ids.nitems = rec_dictionary_count(batch->items);
	ids.user_rank = batch->user_rank;
	ids.item_rank = rec_dictionary_ranks(batch->items, true);
	trend = rec_trend_scores(stream, ids.nitems, batch->options);
	matrix = rec_matrix_build(batch->learns_context ? rec_stream_copy(stream) : stream,
							  &ids, batch->options);
	popularity = rec_train_popularity(matrix);
	trend = rec_train_trend(matrix, trend);
	batch->as_of = stream->newest;
	number = rec_batch_content_model_items(batch, matrix->item_id, matrix->nitems, &nitems);
	rec_batch_begin_model(batch, nitems);
	for (uint32 i = 0; i < nitems; i++)
		rec_batch_set_item(batch, i, number[i], i < matrix->nitems ? popularity[i] : 0,
						   i < matrix->nitems ? trend[i] : 0);
	rec_batch_end_model(batch);
	batch->ntrained = matrix->nitems;
	rec_batch_content_train(batch, number, nitems);
	nsteps = rec_train_user_steps(matrix, steps);
	rec_score_set_steps(batch->scores, steps, nsteps);
	if (batch->learns_context)
		rec_batch_context_learn(batch, stream);
	state.batch = batch;
	state.matrix = matrix;
	if (batch->options->model == REC_MODEL_ALS)
		train_factors(batch, matrix);
	rec_train_rows(matrix, rec_batch_content_similarity(batch), batch->options, take_neighbors, NULL, &state);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(working);
}

/* Serves by other options, which differ from the model's in nothing that it was built by. */
void
rec_batch_serve_by(RecBatch *batch, const RecOptions *options)
{
	batch->options = options;
	rec_score_serve_by(batch->scores, options);
}

/* ----------------
 *		one user
 * ----------------
 */

/* Keeps an item, by its number in the dictionary, out of the user's lists. */
void
rec_batch_bar(RecBatch *batch, uint32 item)
{
	uint32		number = batch->model_number[item];

	if (number == REC_NOT_FOUND || batch->memory.barred[number])
		return;
	batch->memory.barred[number] = true;
	batch->barred[batch->nbarred++] = number;
}

#define LISTS_AHEAD		4
#define PREFETCH_LINE	16		/* numbers in a line of the cache */

/* Asks for the lists of neighbours that come soon, which lie far apart. */
static void
prefetch_lists(const RecBatch *batch, const RecPair *pairs, int n, int i)
{
	const RecNeighborList *list;

	if (i + 2 * LISTS_AHEAD < n)
		rec_prefetch(rec_batch_lists(batch, pairs[i + 2 * LISTS_AHEAD].item));
	if (i + LISTS_AHEAD >= n)
		return;
	list = &rec_batch_lists(batch, pairs[i + LISTS_AHEAD].item)[REC_LIKE_BEHAVIOUR];
	for (int entry = 0; entry < list->n; entry += PREFETCH_LINE)
	{
		rec_prefetch(list->items + entry);
		rec_prefetch(list->values + entry);
	}
}

/* Gives what an interaction counts when the user is folded in, or 0. */
static double
confidence(const RecBatch *batch, const RecPair *pair)
{
	double		weight = rec_history_confidence(batch->options, pair->weight);

	/*
	 * items without interactions have numbers after all others, and no
	 * factors
	 */
	if (batch->model_number[pair->item] >= batch->factors->nitems ||
		!rec_folding_counts(&batch->factors->folds, weight))
		return 0;
	return weight;
}

/* Adds what the factors of a user with these pairs say of all items. */
static void
add_factors(RecBatch *batch, const RecPair *pairs, int n)
{
	const RecFactors *factors = batch->factors;
	int			nfactors = factors->folds.nfactors;
	RecSignal	signal = {REC_FACTORS, PG_UINT32_MAX, 1, factors->nitems, NULL, batch->factor_values};
	int			observed = 0;

	for (int i = 0; i < n; i++)
		observed += confidence(batch, &pairs[i]) != 0;
	if (observed == 0)
		return;
	rec_folding_begin(batch->folding, &factors->folds, observed);
	for (int i = 0; i < n; i++)
	{
		double		weight = confidence(batch, &pairs[i]);
		Size		item = batch->model_number[pairs[i].item];

		if (weight != 0)
			rec_folding_add(batch->folding, factors->items + item * nfactors, weight);
	}
	rec_folding_finish(batch->folding, batch->user_factors);
	rec_folding_score(batch->user_factors, factors->items, nfactors, factors->nitems,
					  batch->factor_values);
	rec_score_add(batch->scores, &signal);
}

/*
 * Scores the user whose rows are those from "from" to before "to": as
 * rec_serve_user() does, exclusions, decay, repeats, order, weights.  Gives
 * the number of items in the history.
 */
int
rec_batch_score_user(RecBatch *batch, int64 from, int64 to)
{
	const RecOptions *options = batch->options;
	RecPair    *pairs = palloc_extended(mul_size(to - from + 1, sizeof(RecPair)),
										MCXT_ALLOC_HUGE);
	int64		newest = batch->as_of;
	int			nunknown = 0;
	int			n = 0;

	for (int64 i = from; i < to; i++)
	{
		const RecBatchRow *row = &batch->rows[i];

		if (row->part > REC_PART_HISTORY)
			continue;
		if ((row->seen & batch->seen_bit) && options->exclude_seen)
			rec_batch_bar(batch, row->pair.item);
		if (!rec_batch_counts(batch, row))
			continue;
		pairs[n] = row->pair;
		pairs[n++].weight = known_weight(batch, row);
		newest = Max(newest, row->pair.time);
	}
	n = rec_history_digest(options, pairs, n, newest, batch->item_rank);
	for (int i = 0; i < n; i++)
		if (pairs[i].weight < 0)
			rec_batch_bar(batch, pairs[i].item);
	rec_history_weigh(options, pairs, n);
	if (batch->factors)
		add_factors(batch, pairs, Min(n, options->history));
	for (int i = 0; i < Min(n, options->history); i++)
	{
		const RecNeighborList *lists = rec_batch_lists(batch, pairs[i].item);

		prefetch_lists(batch, pairs, Min(n, options->history), i);
		nunknown += lists[REC_LIKE_CONTENT].item == REC_ITEM_UNKNOWN;
		rec_history_add(batch->scores, &pairs[i], lists,
						options->blend[REC_CONTENT] > 0 &&
						(nunknown <= REC_MOST_UNKNOWN(options) ||
						 lists[REC_LIKE_CONTENT].item != REC_ITEM_UNKNOWN));
	}
	for (uint32 i = 0; i < batch->nbarred; i++)
		rec_score_bar(batch->scores, batch->barred[i]);
	pfree(pairs);
	return n;
}

/* Forgets the user at hand. */
void
rec_batch_next_user(RecBatch *batch)
{
	for (uint32 i = 0; i < batch->nbarred; i++)
		batch->memory.barred[batch->barred[i]] = false;
	batch->nbarred = 0;
	rec_score_reset(batch->scores);
}
