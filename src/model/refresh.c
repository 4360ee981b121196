/*-------------------------------------------------------------------------
 *
 * refresh.c
 *	  Refreshing a recommender: from its interactions to a new generation.
 *
 * A refresh reads the sources, computes the model in memory and writes it as
 * a new generation beside the old one, whose rows it deletes; the definition's
 * row then points to the new one.  All of that is one transaction, so that a
 * reader's snapshot has one generation or the other, and a refresh that fails
 * leaves nothing.  A lock on the definition's table keeps a second refresh of
 * the same recommender waiting and nobody else.
 *
 * Sources are read as the recommender's owner, in a security-restricted
 * operation, as REFRESH MATERIALIZED VIEW does, and with row_security off: a
 * policy that would hide rows is an error, not a smaller model.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/model/refresh.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "context/lift_table.h"
#include "definition/definition_cache.h"
#include "definition/source.h"
#include "definition/table_row.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "interaction/trend.h"
#include "miscadmin.h"
#include "model/generation.h"
#include "model/newest_item.h"
#include "model/refresh.h"
#include "model/train.h"
#include "options/options_write.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "pg/memory_budget.h"
#include "pg/owner.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "pg/table_writer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#define RESULT_NCOLS		14	/* columns of type refresh_result */

/* ----------------
 *		reading
 * ----------------
 */

typedef struct ReadState
{
	RecInteractions *interactions;
	RecProgress *progress;		/* NULL when nobody looks */
	double		expected;		/* rows, by the statistics; 0 unknown */
	int64		rows;
} ReadState;

static void
take_row(void *arg, const RecRow *row)
{
	ReadState  *state = (ReadState *) arg;

	rec_interaction_add(state->interactions, row);
	if (state->progress && ++state->rows % 65536 == 0 && state->expected > 0)
		rec_progress_step(state->progress, state->rows, state->expected);
}

static double
expected_rows(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	double		rows = 0;

	if (HeapTupleIsValid(tuple))
	{
		rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
		ReleaseSysCache(tuple);
	}
	return Max(rows, 0);
}

/*
 * Read all sources of a recommender with the current user's rights and the
 * active snapshot, and in which situations interactions were if that is asked
 * for and there is something to tell; the result is in "mcxt".  SPI is
 * connected.
 */
RecInteractions *
rec_refresh_interactions(const RecDefinition *definition, MemoryContext mcxt,
					   bool situations, RecProgress *progress)
{
	ReadState	state = {0};

	state.interactions = rec_interaction_create(mcxt,
												 definition->user_type,
												 definition->user_collation,
												 definition->item_type,
												 definition->item_collation);
	if (situations)
		state.interactions->situations =
			rec_lift_table_situations(definition, &definition->options, mcxt);
	state.progress = progress;
	for (int i = 0; i < definition->nsources; i++)
		state.expected += expected_rows(definition->sources[i].relid);
	for (int i = 0; i < definition->nsources; i++)
	{
		RecRowFormat format;
		char	   *query = rec_source_training_query(definition, &definition->sources[i],
											   state.interactions->situations, &format);
		SPIPlanPtr	plan = rec_spi_prepare(query, 0, NULL, CURSOR_OPT_PARALLEL_OK);

		format.users = state.interactions->users;
		format.items = state.interactions->items;
		rec_interaction_read_rows(plan, NULL, &format, take_row, &state);
		SPI_freeplan(plan);
	}
	return state.interactions;
}

/* ----------------
 *		one refresh
 * ----------------
 */

static double
elapsed_ms(TimestampTz since)
{
	return (double) (GetCurrentTimestamp() - since) / 1000;
}

/*
 * Return the generation after all that were ever written.  Locking the row of
 * the definition makes a snapshot that is too old to see the last one a
 * serialization failure at once.
 */
static int64
next_generation(const RecDefinition *definition)
{
	const char *pointer = rec_definition_table(definition, REC_TABLE_DEFINITION);
	bool		isnull;

	rec_spi_execute(psprintf("SELECT d.generation FROM %s d FOR NO KEY UPDATE", pointer),
					0, NULL, NULL, NULL, false, SPI_OK_SELECT);
	rec_spi_execute(psprintf("SELECT greatest(coalesce(pg_catalog.max(r.generation), 0), (SELECT pg_catalog.max(d.generation) FROM %s d)) "
							 "OPERATOR(pg_catalog.+) 1 FROM %s r",
							 pointer, rec_definition_table(definition, REC_TABLE_REFRESH_RUN)),
					0, NULL, NULL, NULL, false, SPI_OK_SELECT);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
									   1, &isnull));
}

/* Point the definition to the new generation. */
static void
move_pointer(const RecDefinition *definition, const RecRefreshFigures *figures,
			 const RecMatrix *matrix, int64 newest)
{
	RecTableRow row;
	uint32		steps[REC_USER_STEPS];
	int			nsteps = rec_train_user_steps(matrix, steps);
	void	   *data;

	rec_table_row_begin(&row, REC_TABLE_DEFINITION);
	rec_table_row_set(&row, Anum_rec_definition_generation, Int64GetDatum(figures->generation));
	rec_table_row_set(&row, Anum_rec_definition_items, Int64GetDatum(figures->items));
	if (newest == REC_NO_TIME)
		rec_table_row_set_null(&row, Anum_rec_definition_as_of);
	else
		rec_table_row_set(&row, Anum_rec_definition_as_of, TimestampTzGetDatum(newest));
	rec_table_row_set(&row, Anum_rec_definition_item_steps,
					  PointerGetDatum(rec_table_writer_array4(INT4OID, nsteps, &data)));
	if (nsteps > 0)
		memcpy(data, steps, nsteps * sizeof(int32));
	if (definition->items)
	{
		rec_table_row_set(&row, Anum_rec_definition_newest_created,
						  TimestampTzGetDatum(rec_newest_item_created(definition)));
		rec_table_row_set(&row, Anum_rec_definition_newest_item,
						  Int64GetDatum(rec_newest_item(definition)));
	}
	else
	{
		rec_table_row_set_null(&row, Anum_rec_definition_newest_created);
		rec_table_row_set_null(&row, Anum_rec_definition_newest_item);
	}
	rec_table_row_set(&row, Anum_rec_definition_refreshed_at,
					  TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
	rec_table_row_update(&row, rec_definition_table(definition, REC_TABLE_DEFINITION));
}

static int64
model_size(const RecDefinition *definition)
{
	int64		size = 0;

	for (int i = REC_MODEL_FIRST; i <= REC_MODEL_LAST; i++)
		size += DatumGetInt64(DirectFunctionCall1(pg_total_relation_size,
												  ObjectIdGetDatum(definition->tables[i])));
	return size;
}

static void
record_run(const RecDefinition *definition, const RecRefreshFigures *figures)
{
	RecTableRow row;

	rec_table_row_begin(&row, REC_TABLE_REFRESH_RUN);
	rec_table_row_set(&row, Anum_rec_refresh_run_generation, Int64GetDatum(figures->generation));
	rec_table_row_set(&row, Anum_rec_refresh_run_started_at, TimestampTzGetDatum(figures->started_at));
	rec_table_row_set(&row, Anum_rec_refresh_run_interactions, Int64GetDatum(figures->interactions));
	rec_table_row_set(&row, Anum_rec_refresh_run_users, Int64GetDatum(figures->users));
	rec_table_row_set(&row, Anum_rec_refresh_run_items, Int64GetDatum(figures->items));
	rec_table_row_set(&row, Anum_rec_refresh_run_neighbors, Int64GetDatum(figures->neighbors));
	rec_table_row_set(&row, Anum_rec_refresh_run_null_keys, Int64GetDatum(figures->null_keys));
	rec_table_row_set(&row, Anum_rec_refresh_run_without_weight, Int64GetDatum(figures->without_weight));
	rec_table_row_set(&row, Anum_rec_refresh_run_read_ms, Float8GetDatum(figures->read_ms));
	rec_table_row_set(&row, Anum_rec_refresh_run_build_ms, Float8GetDatum(figures->build_ms));
	rec_table_row_set(&row, Anum_rec_refresh_run_write_ms, Float8GetDatum(figures->write_ms));
	rec_table_row_set(&row, Anum_rec_refresh_run_memory_bytes, Int64GetDatum(figures->memory_bytes));
	rec_table_row_set(&row, Anum_rec_refresh_run_model_bytes, Int64GetDatum(figures->model_bytes));
	rec_table_row_set_text(&row, Anum_rec_refresh_run_mode, "full");
	rec_table_row_set(&row, Anum_rec_refresh_run_finished_at, TimestampTzGetDatum(GetCurrentTimestamp()));
	rec_table_row_set(&row, Anum_rec_refresh_run_options,
					  JsonbPGetDatum(rec_options_write(&definition->options,
													   REC_SCOPE_BUILD | REC_SCOPE_SERVE)));
	rec_table_row_insert(&row, rec_definition_table(definition, REC_TABLE_REFRESH_RUN));
}

/*
 * Learn the lifts of the context.  That goes before the matrix, which
 * uses the interactions up.
 */
static RecLifts *
learn_lifts(const RecGeneration *generation)
{
	RecSituations *situations = generation->interactions->situations;
	RecLifts   *lifts;

	if (situations == NULL)
		return NULL;
	rec_progress_phase(generation->progress, "learning from the context");
	lifts = rec_lift_learn(generation->interactions->stream,
							  rec_dictionary_count(generation->interactions->items),
							  situations, &generation->definition->options);
	rec_situation_forget_rows(situations);
	return lifts;
}

/* Compute what a generation is written from; the interactions are used up. */
static void
prepare_generation(RecGeneration *generation, RecInteractions *interactions,
				   RecRefreshFigures *figures, MemoryContext mcxt)
{
	const RecDefinition *definition = generation->definition;
	uint32	   *item_rank;

	generation->interactions = interactions;
	rec_interaction_forget_users(interactions, &definition->options);
	generation->lifts = learn_lifts(generation);
	generation->trend = rec_trend_scores(interactions->stream, rec_dictionary_count(interactions->items),
										 &definition->options);
	figures->found_items = rec_dictionary_count(interactions->items);
	rec_progress_phase(generation->progress, "building the matrix");
	generation->matrix = rec_interaction_matrix(interactions, &definition->options, &item_rank);
	if (definition->items)
		rec_progress_phase(generation->progress, "reading items");
	generation->items = rec_content_tables_model_items(definition, generation->matrix, interactions->items,
										item_rank, mcxt);
}

/* Read, compute and write; fill in the figures. */
static void
build_generation(const RecDefinition *definition, RecProgress *progress,
				 RecRefreshFigures *figures)
{
	MemoryContext mcxt = AllocSetContextCreate(CurrentMemoryContext,
												  "recommender refresh",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	RecGeneration generation = {0};
	RecInteractions *interactions;
	TimestampTz since = GetCurrentTimestamp();

	rec_memory_budget_start();
	rec_progress_phase(progress, "reading interactions");
	interactions = rec_refresh_interactions(definition, mcxt, true, progress);
	figures->read_ms = elapsed_ms(since);
	figures->interactions = interactions->stream->count;
	figures->null_keys = interactions->null_keys;
	figures->without_weight = interactions->without_weight;

	since = GetCurrentTimestamp();
	generation.definition = definition;
	generation.number = figures->generation;
	generation.progress = progress;
	prepare_generation(&generation, interactions, figures, mcxt);
	figures->users = generation.matrix->nusers;
	figures->items = generation.items->n;
	figures->used_items = generation.matrix->nitems;
	figures->matched_items = generation.items->nmatched;
	figures->cut_users = generation.matrix->ncut;
	figures->build_ms = elapsed_ms(since);

	since = GetCurrentTimestamp();
	rec_generation_write(&generation);
	figures->neighbors = generation.neighbors;
	rec_progress_phase(progress, "deleting the old generation");
	rec_generation_delete_others(&generation);
	move_pointer(definition, figures, generation.matrix, interactions->stream->newest);
	rec_generation_analyze(&generation);
	figures->memory_bytes = rec_memory_budget_peak();
	figures->model_bytes = model_size(definition);
	figures->write_ms = elapsed_ms(since);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(mcxt);
}

/* The refreshes that run in this session: one, or those within each other. */
typedef struct RunningRefresh
{
	Oid			schema;
	struct RunningRefresh *outer;
} RunningRefresh;

static RunningRefresh *running = NULL;

/*
 * Refuse to refresh a recommender from within its own refresh, that is, by a
 * function in a view: the lock is no bar to the session that holds it.
 */
static void
refuse_recursion(const RecDefinition *definition)
{
	for (const RunningRefresh *refresh = running; refresh; refresh = refresh->outer)
		if (refresh->schema == definition->schema)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_IN_USE),
					 errmsg("recommender \"%s\" is being refreshed by this session already",
							rec_definition_name(definition))));
}

/* Show the progress until the end, and no longer, also after an error. */
static void
run_in_sight(const RecDefinition *definition, RecProgress *progress,
			 RecRefreshFigures *figures)
{
	RunningRefresh own = {definition->schema, running};

	running = &own;
	PG_TRY();
	{
		figures->generation = next_generation(definition);
		build_generation(definition, progress, figures);
		record_run(definition, figures);
		rec_progress_phase(progress, "finishing");
	}
	PG_CATCH();
	{
		running = own.outer;
		rec_progress_end(progress);
		PG_RE_THROW();
	}
	PG_END_TRY();
	running = own.outer;
	rec_progress_end(progress);
}

/*
 * Report by a NOTICE what makes answers empty or leaves items out, as far as the
 * refresh knows it.
 */
static void
notice_losses(const RecDefinition *definition, const RecRefreshFigures *figures)
{
	const char *name = rec_definition_name(definition);
	const char *check = psprintf("SELECT * FROM recommender.check_recommender(%s) reports why.",
								 quote_literal_cstr(name));
	int64		rows = figures->interactions + figures->null_keys + figures->without_weight;
	int64		lost = figures->found_items - figures->used_items;

	if (figures->used_items == 0 && rows > 0)
		ereport(NOTICE,
				(errmsg("none of the " INT64_FORMAT " interactions of recommender \"%s\" counts",
						rows, name),
				 errhint("%s", check)));
	else if (figures->cut_users > 0 && lost > 0)
		ereport(NOTICE,
				(errmsg("recommender \"%s\" lacks " INT64_FORMAT " of the " INT64_FORMAT " items of its interactions",
						name, lost, figures->found_items),
				 errdetail("Users with more items than the option max_history (%d): " INT64_FORMAT ".",
						   definition->options.max_history, figures->cut_users),
				 errhint("Raise max_history, or leave robots out with a view.")));
	if (definition->items && figures->used_items > 0 && figures->matched_items == 0)
		ereport(NOTICE,
				(errmsg("none of the " INT64_FORMAT " items of the interactions of recommender \"%s\" has a row in the relation of items",
						figures->used_items, name),
				 errhint("%s", check)));
	else if (figures->used_items > 1 && figures->neighbors == 0 &&
			 definition->options.model == REC_MODEL_NEIGHBORS)
		ereport(NOTICE,
				(errmsg("no two items of recommender \"%s\" have enough users in common", name),
				 errhint("%s", check)));
}

/*
 * Run one refresh as the recommender's owner and return its figures.  The
 * lock comes first and the snapshot after it, so that what another refresh has
 * just committed is seen.  The caller must be a member of the owner.
 */
RecRefreshFigures
rec_refresh_model(RecDefinition *definition, bool verbose)
{
	RecRefreshFigures result = {0};
	RecRefreshFigures *figures = &result;
	RecProgress progress;
	RecCaller	caller;

	rec_definition_check_owner(definition);
	refuse_recursion(definition);
	definition = rec_definition_cache_lock(definition, "refresh()");
	figures->started_at = GetCurrentTimestamp();
	rec_progress_start(&progress, rec_definition_name(definition), verbose);
	rec_progress_phase(&progress, "starting");

	rec_owner_become(rec_definition_owner(definition), REC_ALL_ROWS, &caller);
	/* of the statistics that ANALYZE makes, serving needs no more */
	rec_owner_set("default_statistics_target", "10");
	/* values of the context are texts, which must not depend on the session */
	rec_owner_set("DateStyle", "ISO");
	rec_owner_set("IntervalStyle", "postgres");
	rec_owner_set("extra_float_digits", "1");
	SPI_connect();
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	run_in_sight(definition, &progress, figures);
	PopActiveSnapshot();
	SPI_finish();
	rec_owner_return(&caller);
	notice_losses(definition, figures);
	return result;
}

static void
check_mode(const char *mode)
{
	RecClosest	closest;

	if (strcmp(mode, "auto") == 0 || strcmp(mode, "full") == 0)
		return;
	/* test/bench/incremental.sql shows it */
	if (strcmp(mode, "incremental") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("refresh mode \"%s\" is not supported", rec_arguments_clip(mode)),
				 errdetail("By most options a few new interactions change most rows of neighbours, and a table does not tell which of its rows are new or gone."),
				 errhint("Use \"auto\" or \"full\". What users did since counts in their answers without a refresh.")));
	rec_closest_name_start(&closest, mode);
	rec_closest_name_consider(&closest, "auto");
	rec_closest_name_consider(&closest, "full");
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("refresh mode \"%s\" does not exist", rec_arguments_clip(mode)),
			 closest.best ? rec_closest_name_hint(&closest, "mode") :
			 errhint("Modes are \"auto\" and \"full\".")));
}

/*
 * refresh(recommender, mode, verbose): builds a new generation from all
 * interactions and returns its figures, type refresh_result.  Mode is
 * auto or full, which mean the same.  Only for the owner.
 */
PG_FUNCTION_INFO_V1(rec_refresh);
Datum
rec_refresh(PG_FUNCTION_ARGS)
{
	char	   *name = rec_arguments_recommender(fcinfo);
	char	   *mode = rec_arguments_text(fcinfo, 1);
	bool		verbose = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	RecRefreshFigures figures;
	TupleDesc	desc;
	Datum		values[RESULT_NCOLS];
	bool		nulls[RESULT_NCOLS] = {0};

	rec_arguments_require(mode, "mode");
	check_mode(mode);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	figures = rec_refresh_model(rec_definition_cache_by_name(name), verbose);
	values[0] = CStringGetTextDatum(name);
	values[1] = Int64GetDatum(figures.generation);
	values[2] = CStringGetTextDatum("full");
	values[3] = Int64GetDatum(figures.interactions);
	values[4] = Int64GetDatum(figures.users);
	values[5] = Int64GetDatum(figures.items);
	values[6] = Int64GetDatum(figures.neighbors);
	values[7] = Int64GetDatum(figures.null_keys);
	values[8] = Int64GetDatum(figures.without_weight);
	values[9] = Float8GetDatum(figures.read_ms);
	values[10] = Float8GetDatum(figures.build_ms);
	values[11] = Float8GetDatum(figures.write_ms);
	values[12] = Int64GetDatum(figures.memory_bytes);
	values[13] = Int64GetDatum(figures.model_bytes);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
