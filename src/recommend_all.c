/*-------------------------------------------------------------------------
 *
 * recommend_all.c
 *	  Recommendations for every user at once.
 *
 * The interactions are read once, the model once; then each user is scored in
 * memory by the same code, in the same order of sums, as recommend() uses, so
 * that both give the same answers.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/recommend_all.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "model.h"
#include "recommend.h"
#include "sqlutil.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define ALL_NCOLS			5	/* user_id, rank, item_id, score, strategy */

/* One interaction; seen: the user has the item already. */
typedef struct Interaction
{
	uint32		user;
	RecPair		pair;
	bool		seen;
	bool		counts;			/* has a weight */
} Interaction;

typedef struct AllState
{
	RecServe   *serve;
	MemoryContext context;		/* of all below */
	const RecSource *source;	/* the one being read */
	RecDict    *users;
	RecDict    *items;			/* of the interactions */
	Interaction *interactions;
	int64		n;
	int64		allocated;
	int64	   *start;			/* user -> first interaction, after sorting */
	RecHistoryItem *neighbors;	/* of each item of the interactions */
	uint32	   *item_rank;
	RecMemoryCatalog memory;	/* the model's items */
	ArrayType  *exclude;
} AllState;

/* ----------------
 *		reading
 * ----------------
 */

static Interaction *
next_interaction(AllState *state)
{
	if (state->n == state->allocated)
	{
		int64		wanted = Max(1024, state->allocated * 2);

		rec_memory_check(state->context,
						 mul_size(wanted - state->allocated, sizeof(Interaction)));
		if (state->interactions == NULL)
			state->interactions = MemoryContextAllocHuge(state->context,
														 mul_size(wanted, sizeof(Interaction)));
		else
			state->interactions = repalloc_huge(state->interactions,
												mul_size(wanted, sizeof(Interaction)));
		state->allocated = wanted;
	}
	return &state->interactions[state->n++];
}

static void
take_interaction(void *arg, const RecRow *row)
{
	AllState   *state = (AllState *) arg;
	bool		has_events = state->source->event_column || state->source->event;
	Interaction *interaction;

	if (row->user_null || row->item_null)
		return;
	interaction = next_interaction(state);
	interaction->user = rec_dict_intern(state->users, row->user);
	interaction->pair.item = rec_dict_intern(state->items, row->item);
	interaction->pair.weight = row->weight;
	interaction->pair.time = row->time;
	interaction->counts = row->has_weight;
	interaction->seen = state->serve->options.exclude_seen &&
		rec_event_is_seen(&state->serve->options, row, has_events);
	if (row->has_weight && !isfinite(row->weight))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight %g of item %s is not a finite number", row->weight,
						rec_dict_text(state->items, interaction->pair.item))));
}

static void
read_interactions(AllState *state)
{
	RecDefinition *definition = state->serve->definition;

	for (int i = 0; i < definition->nsources; i++)
	{
		MemoryContext old = CurrentMemoryContext;	/* SPI leaves another one */
		RecRowFormat format;
		SPIPlanPtr	plan;

		state->source = &definition->sources[i];
		plan = SPI_prepare_cursor(rec_source_query(definition, state->source, NULL, &format),
								  0, NULL, 0);
		MemoryContextSwitchTo(old);
		if (plan == NULL)
			elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
		rec_read_rows(plan, NULL, &format, take_interaction, state);
		SPI_freeplan(plan);
	}
}

static inline int
compare_interactions(const Interaction *a, const Interaction *b, const uint32 *rank)
{
	uint32		x = rank[a->user];
	uint32		y = rank[b->user];

	return x < y ? -1 : x > y;
}

#define ST_SORT sort_interactions
#define ST_ELEMENT_TYPE Interaction
#define ST_COMPARE(a, b, rank) compare_interactions(a, b, rank)
#define ST_COMPARE_ARG_TYPE const uint32
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* ----------------
 *		the model in memory
 * ----------------
 */

static void
model_damaged(const AllState *state)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the model of recommender \"%s\" is not valid",
					rec_definition_name(state->serve->definition)),
			 errhint("Refresh the recommender.")));
}

static void
execute(SPIPlanPtr plan, Datum *values)
{
	MemoryContext old = CurrentMemoryContext;	/* SPI leaves another one */
	int			code = SPI_execute_plan(plan, values, NULL, true, 0);

	MemoryContextSwitchTo(old);
	if (code != SPI_OK_SELECT)
		elog(ERROR, "could not read the model: %s", SPI_result_code_string(code));
}

/* Items are listed in order of their numbers, which have no gaps. */
static void
load_items(AllState *state)
{
	RecServe   *serve = state->serve;
	RecMemoryCatalog *memory = &state->memory;
	Datum		values[1];

	values[0] = Int64GetDatum(serve->generation);
	execute(rec_list_plan(serve->definition, REC_ORDER_NUMBER, REC_LIST_LEVELS - 1), values);
	memory->nitems = (uint32) SPI_processed;
	memory->ids = palloc_extended(mul_size(SPI_processed + 1, sizeof(Datum)), MCXT_ALLOC_HUGE);
	memory->popularity = palloc_extended(mul_size(SPI_processed + 1, sizeof(double)), MCXT_ALLOC_HUGE);
	memory->trend = palloc_extended(mul_size(SPI_processed + 1, sizeof(double)), MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		RecScoredItem item = {0};

		if (!rec_serve_row(serve, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, &item) ||
			item.item != i)
			model_damaged(state);
		memory->ids[i] = serve->ids[item.ref];
		memory->popularity[i] = item.popularity;
		memory->trend[i] = item.trend;
	}
}

static void
load_neighbors(AllState *state)
{
	RecServe   *serve = state->serve;
	uint32		nitems = rec_dict_count(state->items);
	Datum		values[1];

	state->neighbors = palloc_extended(mul_size(nitems + 1, sizeof(RecHistoryItem)),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	values[0] = Int64GetDatum(serve->generation);
	execute(rec_plan(serve->definition, REC_PLAN_ALL_NEIGHBORS), values);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		id = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);
		uint32		item = isnull ? REC_NOT_FOUND : rec_dict_find(state->items, id);

		if (item == REC_NOT_FOUND)
			continue;			/* nobody's history has it by now */
		if (!rec_read_neighbors(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
								&state->neighbors[item]))
			model_damaged(state);
	}
}

/* ----------------
 *		one user
 * ----------------
 */

/* As rec_serve_user() does: exclusions, decay, repeats, order, weights. */
static void
score_user(AllState *state, Interaction *from, int n)
{
	RecServe   *serve = state->serve;
	const RecOptions *options = &serve->options;
	RecPair    *pairs = palloc_array(RecPair, n + 1);
	int64		newest = serve->as_of;
	int			npairs = 0;

	for (int i = 0; i < n; i++)
	{
		if (from[i].seen)
			(void) rec_dict_intern(serve->excluded,
								   rec_dict_id(state->items, from[i].pair.item));
		if (from[i].counts)
			pairs[npairs++] = from[i].pair;
		newest = Max(newest, from[i].counts ? from[i].pair.time : REC_NO_TIME);
	}
	npairs = rec_history_digest(options, pairs, npairs, newest, state->item_rank);
	for (int i = 0; i < npairs; i++)
	{
		RecHistoryItem item = state->neighbors[pairs[i].item];

		if (pairs[i].weight < 0)
			(void) rec_dict_intern(serve->excluded,
								   rec_dict_id(state->items, pairs[i].item));
		item.weight = rec_history_weight(options, pairs[i].weight);
		if (i < options->history)
			rec_scores_add(serve->scores, &item);
	}
	rec_scores_blend(serve->scores);
	pfree(pairs);
}

static void
write_user(AllState *state, RecRows *rows, Datum user, const RecScoredItem *items, int n)
{
	Datum		values[ALL_NCOLS];
	bool		nulls[ALL_NCOLS] = {0};

	for (int i = 0; i < n; i++)
	{
		RecComponent strategy = rec_scores_strategy(state->serve->scores, &items[i]);

		values[0] = user;
		values[1] = Int32GetDatum(i + 1);
		values[2] = state->memory.ids[items[i].ref];
		values[3] = Float8GetDatum(items[i].score);
		values[4] = CStringGetTextDatum(rec_component_names[strategy]);
		tuplestore_putvalues(rows->store, rows->desc, values, nulls);
	}
}

/* Scores one user after the other, in a context that is emptied between. */
static void
answer_all(AllState *state, RecRows *rows, int64 k)
{
	RecServe   *serve = state->serve;
	RecCatalog	catalog = rec_memory_catalog(&state->memory);
	MemoryContext user_context = AllocSetContextCreate(CurrentMemoryContext,
													   "recommender user",
													   ALLOCSET_DEFAULT_SIZES);
	int64		end;

	for (int64 from = 0; from < state->n; from = end)
	{
		uint32		user = state->interactions[from].user;
		MemoryContext old = MemoryContextSwitchTo(user_context);
		RecScoredItem *items;
		int			n;

		CHECK_FOR_INTERRUPTS();
		for (end = from + 1; end < state->n && state->interactions[end].user == user;)
			end++;
		serve->excluded = rec_dict_create(serve->definition->item_type,
										  serve->definition->item_collation, user_context);
		rec_serve_exclude(serve, state->exclude);
		state->memory.excluded = serve->excluded;
		rec_scores_reset(serve->scores);
		score_user(state, &state->interactions[from], (int) (end - from));
		items = rec_select_best(serve->scores, &catalog, k, &n);
		write_user(state, rows, rec_dict_id(state->users, user), items, n);
		MemoryContextSwitchTo(old);
		MemoryContextReset(user_context);
	}
}

/*
 * recommend_all(model, k, filter, exclude, context, options): for each user
 * with interactions, in order of their ids, what recommend() would answer.
 */
PG_FUNCTION_INFO_V1(rec_recommend_all);
Datum
rec_recommend_all(PG_FUNCTION_ARGS)
{
	RecDefinition *definition = rec_argument_definition(fcinfo);
	int64		k = rec_argument_k(fcinfo, 1);
	Oid			types[ALL_NCOLS] = {definition->user_type, INT4OID, definition->item_type,
	FLOAT8OID, TEXTOID};
	RecRows		rows = rec_begin_rows(fcinfo, types, ALL_NCOLS);
	RecServe	serve;
	AllState	state = {0};

	rec_argument_unsupported(fcinfo, 2, "filter");
	rec_argument_unsupported(fcinfo, 4, "context");
	SPI_connect();
	rec_serve_begin(&serve, definition, rec_argument_jsonb(fcinfo, 5));
	rec_serve_require_model(&serve);
	state.serve = &serve;
	state.exclude = rec_argument_items(fcinfo, 3, definition, "exclude");
	state.context = CurrentMemoryContext;
	state.users = rec_dict_create(definition->user_type, definition->user_collation,
								  CurrentMemoryContext);
	state.items = rec_dict_create(definition->item_type, definition->item_collation,
								  CurrentMemoryContext);
	read_interactions(&state);
	state.item_rank = rec_dict_ranks(state.items, true);
	sort_interactions(state.interactions, state.n, rec_dict_ranks(state.users, true));
	load_items(&state);
	load_neighbors(&state);
	serve.scores = rec_scores_create(&serve.options, state.memory.nitems);
	if (k > 0)
		answer_all(&state, &rows, k);
	SPI_finish();
	return (Datum) 0;
}
