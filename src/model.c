/*-------------------------------------------------------------------------
 *
 * model.c
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
 *	  src/model.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "als.h"
#include "catalog/pg_type.h"
#include "content_model.h"
#include "content_neighbors.h"
#include "context_model.h"
#include "executor/spi.h"
#include "factor_store.h"
#include "funcapi.h"
#include "lending.h"
#include "miscadmin.h"
#include "model.h"
#include "newest.h"
#include "ridge.h"
#include "similarity.h"
#include "source.h"
#include "spi.h"
#include "sqlutil.h"
#include "table_writer.h"
#include "trend.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#define ITEM_NCOLS			7	/* columns of table item */
#define NEIGHBOR_NCOLS		8	/* columns of table neighbor */
#define NEAREST_IDS			16	/* of a row, kept with it: what similar_items()
								 * mostly needs */
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

	rec_interactions_add(state->interactions, row);
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
 * Reads all sources of a recommender with the current user's rights and the
 * active snapshot, and in which situations interactions were if that is asked
 * for and there is something to tell; the result is in "context".  SPI is
 * connected.
 */
RecInteractions *
rec_model_interactions(const RecDefinition *definition, MemoryContext context,
					   bool situations, RecProgress *progress)
{
	ReadState	state = {0};

	state.interactions = rec_interactions_create(context,
												 definition->user_type,
												 definition->user_collation,
												 definition->item_type,
												 definition->item_collation);
	if (situations)
		state.interactions->situations =
			rec_model_situations(definition, &definition->options, context);
	state.progress = progress;
	for (int i = 0; i < definition->nsources; i++)
		state.expected += expected_rows(definition->sources[i].relid);
	for (int i = 0; i < definition->nsources; i++)
	{
		RecRowFormat format;
		char	   *query = rec_training_query(definition, &definition->sources[i],
											   state.interactions->situations, &format);
		SPIPlanPtr	plan = rec_spi_prepare(query, 0, NULL, CURSOR_OPT_PARALLEL_OK);

		format.users = state.interactions->users;
		format.items = state.interactions->items;
		rec_read_rows(plan, NULL, &format, take_row, &state);
		SPI_freeplan(plan);
	}
	return state.interactions;
}

/*
 * Gives each item's popularity, in the current context: the sum of its
 * weights, decayed by the half-life, as a share of the largest one.
 */
double *
rec_model_popularity(const RecMatrix *matrix)
{
	double	   *popularity = MemoryContextAllocHuge(CurrentMemoryContext,
													mul_size(Max(matrix->nitems, 1), sizeof(double)));
	double		largest = 0;

	for (uint32 i = 0; i < matrix->nitems; i++)
		largest = Max(largest, matrix->item_sum[i]);
	if (!isfinite(largest))
		float_overflow_error();
	for (uint32 i = 0; i < matrix->nitems; i++)
		popularity[i] = largest > 0 ? Max(matrix->item_sum[i], 0) / largest : 0;
	return popularity;
}

/*
 * Fills in how many items have at least 1, 2, 4, 8, ... users, as far as there
 * are any, and gives how many numbers that are, at most REC_USER_STEPS.
 */
int
rec_model_user_steps(const RecMatrix *matrix, uint32 *steps)
{
	int			n = 0;
	uint32		left = matrix->nitems;	/* with at least as many users */

	while (n < REC_USER_STEPS)
	{
		while (left > 0 && matrix->item_start[left] - matrix->item_start[left - 1] < INT64CONST(1) << n)
			left--;
		if (left == 0)
			break;
		steps[n++] = left;
	}
	return n;
}

/*
 * Gives each item's trend as a share of the largest one, 0 when it falls, in
 * the current context, from what rec_trend_scores() gives.
 */
double *
rec_model_trend(const RecMatrix *matrix, const double *scores)
{
	double	   *trend = MemoryContextAllocHuge(CurrentMemoryContext,
											   mul_size(Max(matrix->nitems, 1), sizeof(double)));
	double		largest = 0;

	for (uint32 i = 0; i < matrix->nitems; i++)
		largest = Max(largest, scores[matrix->item_id[i]]);
	for (uint32 i = 0; i < matrix->nitems; i++)
		trend[i] = largest > 0 ? Max(scores[matrix->item_id[i]], 0) / largest : 0;
	return trend;
}

static void
compute_rows(RecMatrix *matrix, const RecOptions *options,
			 RecRowSink sink, RecRowStep step, void *arg)
{
	if (options->model == REC_MODEL_RIDGE)
		rec_ridge_rows(matrix, options, sink, arg);
	else
		rec_similarity_rows(matrix, options, true, sink, step, arg);
}

/*
 * Computes the rows of neighbours by the model that the options name, for
 * which the lists in the matrix may be given up: it must be the last that is
 * done with them.  "likeness", which may be NULL, has neighbours by content, of
 * the matrix's items first: from those that are like them, items of few users
 * borrow.
 */
void
rec_model_rows(RecMatrix *matrix, const RecContentLists *likeness,
			   const RecOptions *options, RecRowSink sink, RecRowStep step, void *arg)
{
	RecLending *lending;

	if (likeness == NULL || options->content_kappa == 0)
	{
		compute_rows(matrix, options, sink, step, arg);
		return;
	}
	lending = rec_lending_create(CurrentMemoryContext, matrix, likeness, options, sink, step, arg);
	compute_rows(matrix, options, rec_lending_take, rec_lending_step, lending);
	rec_lending_rows(lending);
}

/* ----------------
 *		writing a generation
 * ----------------
 */

typedef struct ModelWriter
{
	const RecDefinition *definition;
	const RecInteractions *interactions;
	RecMatrix  *matrix;
	const RecModelItems *items; /* those of the matrix come first */
	double	   *trend;			/* of each number of the items' dictionary */
	int64		generation;
	RecTableWriter *neighbor_writer;
	RecComponent kind;			/* of the neighbours that are written */
	RecProgress *progress;
	int64		neighbors;		/* written so far */
} ModelWriter;

static Datum
item_id(const ModelWriter *writer, uint32 item)
{
	return rec_dict_id(writer->interactions->items, writer->items->number[item]);
}

static void
write_items(ModelWriter *writer)
{
	Oid			types[ITEM_NCOLS] = {INT8OID, INT4OID, writer->definition->item_type,
		INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID
	};
	const RecMatrix *matrix = writer->matrix;
	double	   *popularity = rec_model_popularity(matrix);
	double	   *trend = rec_model_trend(matrix, writer->trend);
	RecTableWriter *table = rec_writer_open(writer->definition->tables[REC_TABLE_ITEM], types, ITEM_NCOLS);

	for (uint32 i = 0; i < writer->items->n; i++)
	{
		Datum	   *values = rec_writer_begin_row(table);
		bool		touched = i < matrix->nitems;

		CHECK_FOR_INTERRUPTS();
		values[0] = Int64GetDatum(writer->generation);
		values[1] = Int32GetDatum((int32) i);
		values[2] = item_id(writer, i);
		values[3] = Int64GetDatum(touched ? matrix->item_start[i + 1] - matrix->item_start[i] : 0);
		values[4] = Float8GetDatum(touched ? matrix->item_sum[i] : 0);
		values[5] = Float8GetDatum(touched ? popularity[i] : 0);
		values[6] = Float8GetDatum(touched ? trend[i] : 0);
		rec_writer_end_row(table);
	}
	rec_writer_close(table);
	pfree(popularity);
	pfree(trend);
}

/* Gives the ids of the first neighbours as an array. */
static Datum
nearest_ids(const ModelWriter *writer, const RecNeighbor *row, int n)
{
	Datum		ids[NEAREST_IDS];

	n = Min(n, NEAREST_IDS);
	for (int i = 0; i < n; i++)
		ids[i] = item_id(writer, row[i].item);
	return rec_id_array(writer->definition, ids, n);
}

/* Takes a row of similarities and writes it; items without any have no row. */
static void
write_neighbors(void *arg, uint32 item, const RecNeighbor *row, int n)
{
	ModelWriter *writer = (ModelWriter *) arg;
	RecTableWriter *table = writer->neighbor_writer;
	Datum	   *values;
	int32	   *neighbors;
	float4	   *scores;
	int32	   *supports;

	rec_progress_step(writer->progress, item + 1, writer->items->n);
	if (n == 0)
		return;
	values = rec_writer_begin_row(table);
	values[0] = Int64GetDatum(writer->generation);
	values[1] = CStringGetTextDatum(rec_component_names[writer->kind]);
	values[2] = Int32GetDatum((int32) item);
	values[3] = item_id(writer, item);
	values[4] = PointerGetDatum(rec_array4(INT4OID, n, (void **) &neighbors));
	values[5] = PointerGetDatum(rec_array4(FLOAT4OID, n, (void **) &scores));
	values[6] = PointerGetDatum(rec_array4(INT4OID, n, (void **) &supports));
	for (int i = 0; i < n; i++)
	{
		neighbors[i] = (int32) row[i].item;
		scores[i] = (float4) row[i].similarity;
		supports[i] = (int32) row[i].support;
	}
	values[7] = nearest_ids(writer, row, n);
	rec_writer_end_row(table);
	writer->neighbors += n;
}

static void
show_step(void *arg, uint32 done)
{
	ModelWriter *writer = (ModelWriter *) arg;

	rec_progress_step(writer->progress, done, writer->items->n);
}

static void
write_content_neighbors(ModelWriter *writer, const RecContentLists *lists)
{
	RecNeighbor *row = palloc0_array(RecNeighbor, 2 * writer->definition->options.neighbors);

	writer->kind = REC_CONTENT;
	for (uint32 i = 0; i < lists->nitems; i++)
	{
		int			n = (int) (lists->start[i + 1] - lists->start[i]);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < n; j++)
		{
			row[j].item = (uint32) lists->item[lists->start[i] + j];
			row[j].similarity = lists->value[lists->start[i] + j];
		}
		write_neighbors(writer, i, row, n);
	}
	pfree(row);
}

static void
write_neighbor_table(ModelWriter *writer)
{
	Oid			types[NEIGHBOR_NCOLS] = {INT8OID, TEXTOID, INT4OID,
		writer->definition->item_type, INT4ARRAYOID, FLOAT4ARRAYOID, INT4ARRAYOID,
		get_array_type(writer->definition->item_type)
	};

	const RecOptions *options = &writer->definition->options;
	RecContentLists *likeness = NULL;

	writer->neighbor_writer = rec_writer_open(writer->definition->tables[REC_TABLE_NEIGHBOR],
											  types, NEIGHBOR_NCOLS);
	if (writer->items->content)
	{
		rec_progress_phase(writer->progress, "computing neighbours by content");
		likeness = rec_content_neighbors(writer->items->content, options->neighbors,
										 CurrentMemoryContext, show_step, writer);
		rec_progress_phase(writer->progress, "computing neighbours");
	}
	writer->kind = REC_BEHAVIOUR;
	rec_model_rows(writer->matrix, likeness, options, write_neighbors, show_step, writer);
	if (likeness)
		write_content_neighbors(writer, likeness);
	rec_writer_close(writer->neighbor_writer);
}

static void
show_factors_step(void *arg, double done, double total)
{
	ModelWriter *writer = (ModelWriter *) arg;

	rec_progress_step(writer->progress, done, total);
}

static void
write_factors(ModelWriter *writer)
{
	const RecOptions *options = &writer->definition->options;

	if (options->model != REC_MODEL_ALS)
		return;
	rec_progress_phase(writer->progress, "computing factors");
	rec_model_write_factors(writer->definition, writer->generation,
							rec_als_train(writer->matrix, options, true, show_factors_step, writer));
}

/*
 * Learns what the context says of items.  That goes before the matrix, which
 * uses the interactions up.
 */
static RecLifts *
learn_lifts(ModelWriter *writer)
{
	RecSituations *situations = writer->interactions->situations;
	RecLifts   *lifts;

	if (situations == NULL)
		return NULL;
	rec_progress_phase(writer->progress, "learning from the context");
	lifts = rec_context_learn(writer->interactions->stream,
							  rec_dict_count(writer->interactions->items),
							  situations, &writer->definition->options);
	rec_situations_forget_rows(situations);
	return lifts;
}

static void
write_lifts(ModelWriter *writer, RecLifts *lifts)
{
	uint32		nids = rec_dict_count(writer->interactions->items);
	uint32	   *number;

	if (lifts == NULL)
		return;
	rec_progress_phase(writer->progress, "writing what the context says");
	number = palloc_extended(mul_size((Size) nids + 1, sizeof(uint32)), MCXT_ALLOC_HUGE);
	memset(number, 0xff, nids * sizeof(uint32));
	for (uint32 i = 0; i < writer->matrix->nitems; i++)
		number[writer->matrix->item_id[i]] = i;
	rec_lifts_renumber(lifts, number);
	rec_model_write_lifts(writer->definition, writer->generation,
						  writer->interactions->situations, lifts);
	pfree(number);
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

static void
run_query(const char *query, int nargs, Oid *types, Datum *values, const char *nulls,
		  int expected)
{
	rec_spi_execute(query, nargs, types, values, nulls, false, expected);
}

/*
 * The generation after all that were ever written.  Locking the row that says
 * which one serves makes a snapshot that is too old to see the last one a
 * serialization failure at once.
 */
static int64
next_generation(const RecDefinition *definition)
{
	bool		isnull;

	run_query(psprintf("SELECT d.generation FROM %s d FOR NO KEY UPDATE",
					   rec_definition_table(definition, "definition")),
			  0, NULL, NULL, NULL, SPI_OK_SELECT);
	run_query(psprintf("SELECT greatest(coalesce(pg_catalog.max(r.generation), 0), (SELECT pg_catalog.max(d.generation) FROM %s d)) "
					   "OPERATOR(pg_catalog.+) 1 FROM %s r",
					   rec_definition_table(definition, "definition"),
					   rec_definition_table(definition, "refresh_run")),
			  0, NULL, NULL, NULL, SPI_OK_SELECT);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
									   1, &isnull));
}

static void
delete_old(const RecDefinition *definition, const char *table, int64 generation)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1];

	values[0] = Int64GetDatum(generation);
	run_query(psprintf("DELETE FROM %s WHERE generation OPERATOR(pg_catalog.<>) $1",
					   rec_definition_table(definition, table)),
			  1, types, values, NULL, SPI_OK_DELETE);
}

static void
delete_old_generations(const RecDefinition *definition, int64 generation)
{
	static const char *const tables[] = {"item", "neighbor", "context_lift", "factorization",
	"factor", "content_column", "feature", "item_feature", "embedding_cell"};

	for (int i = 0; i < (int) lengthof(tables); i++)
		delete_old(definition, tables[i], generation);
}

/* Points the definition to the new generation. */
static void
move_pointer(const RecDefinition *definition, const RecRefreshFigures *figures,
			 const RecMatrix *matrix, int64 newest)
{
	Oid			types[6] = {INT8OID, INT8OID, TIMESTAMPTZOID, INT4ARRAYOID, TIMESTAMPTZOID, INT8OID};
	Datum		values[6] = {0};
	char		nulls[] = "    nn";
	uint32		steps[REC_USER_STEPS];
	int			nsteps = rec_model_user_steps(matrix, steps);
	void	   *data;

	values[0] = Int64GetDatum(figures->generation);
	values[1] = Int64GetDatum(figures->items);
	values[2] = TimestampTzGetDatum(newest);
	values[3] = PointerGetDatum(rec_array4(INT4OID, nsteps, &data));
	if (nsteps > 0)
		memcpy(data, steps, nsteps * sizeof(int32));
	if (newest == REC_NO_TIME)
		nulls[2] = 'n';
	if (definition->items)
	{
		values[4] = TimestampTzGetDatum(rec_newest_created(definition));
		values[5] = Int64GetDatum(rec_newest_item(definition));
		nulls[4] = nulls[5] = ' ';
	}
	run_query(psprintf("UPDATE %s SET generation = $1, items = $2, as_of = $3, item_steps = $4, "
					   "newest_created = $5, newest_item = $6, refreshed_at = pg_catalog.now()",
					   rec_definition_table(definition, "definition")),
			  6, types, values, nulls, SPI_OK_UPDATE);
}

static void
analyze(const RecDefinition *definition, const char *table, const char *columns)
{
	run_query(psprintf("ANALYZE %s (%s)", rec_definition_table(definition, table), columns),
			  0, NULL, NULL, NULL, SPI_OK_UTILITY);
}

/*
 * Serving's queries are planned by these statistics; autovacuum would come too
 * late.  The arrays, which no query looks into, are left out.
 */
static void
analyze_tables(const RecDefinition *definition)
{
	analyze(definition, "item", "generation, item_no, item_id, popularity, trend");
	analyze(definition, "neighbor", "generation, kind, item_id");
	analyze(definition, "context_lift", "generation, column_name, value");
	if (definition->items == NULL)
		return;
	analyze(definition, "feature", "generation, column_name, value");
	analyze(definition, "item_feature", "generation, item_no, item_id");
}

static int64
model_size(const RecDefinition *definition)
{
	int64		size = 0;

	for (int i = REC_TABLE_ITEM; i < REC_NTABLES; i++)
		size += DatumGetInt64(DirectFunctionCall1(pg_total_relation_size,
												  ObjectIdGetDatum(definition->tables[i])));
	return size;
}

static void
record_run(const RecDefinition *definition, const RecRefreshFigures *figures)
{
	Oid			types[15] = {INT8OID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID, INT8OID,
		INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, INT8OID, INT8OID, JSONBOID,
	TEXTOID};
	Datum		values[15];

	values[0] = Int64GetDatum(figures->generation);
	values[1] = TimestampTzGetDatum(figures->started_at);
	values[2] = Int64GetDatum(figures->interactions);
	values[3] = Int64GetDatum(figures->users);
	values[4] = Int64GetDatum(figures->items);
	values[5] = Int64GetDatum(figures->neighbors);
	values[6] = Int64GetDatum(figures->null_keys);
	values[7] = Int64GetDatum(figures->without_weight);
	values[8] = Float8GetDatum(figures->read_ms);
	values[9] = Float8GetDatum(figures->build_ms);
	values[10] = Float8GetDatum(figures->write_ms);
	values[11] = Int64GetDatum(figures->memory_bytes);
	values[12] = Int64GetDatum(figures->model_bytes);
	values[13] = JsonbPGetDatum(rec_options_to_jsonb(&definition->options,
													 REC_SCOPE_BUILD | REC_SCOPE_SERVE));
	values[14] = CStringGetTextDatum("full");
	run_query(psprintf("INSERT INTO %s (generation, started_at, finished_at, interactions, users, "
					   "items, neighbors, null_keys, without_weight, read_ms, build_ms, write_ms, "
					   "memory_bytes, model_bytes, options, mode) "
					   "VALUES ($1, $2, pg_catalog.clock_timestamp(), $3, $4, $5, $6, $7, $8, $9, "
					   "$10, $11, $12, $13, $14, $15)",
					   rec_definition_table(definition, "refresh_run")),
			  15, types, values, NULL, SPI_OK_INSERT);
}

/* Reads, computes and writes; the figures tell of it. */
static void
build_generation(const RecDefinition *definition, RecProgress *progress,
				 RecRefreshFigures *figures)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "recommender refresh",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ModelWriter writer = {0};
	RecInteractions *interactions;
	RecLifts   *lifts;
	TimestampTz since = GetCurrentTimestamp();

	rec_memory_start();
	rec_progress_phase(progress, "reading interactions");
	interactions = rec_model_interactions(definition, context, true, progress);
	figures->read_ms = elapsed_ms(since);
	figures->interactions = interactions->stream->count;
	figures->null_keys = interactions->null_keys;
	figures->without_weight = interactions->without_weight;

	since = GetCurrentTimestamp();
	writer.definition = definition;
	writer.interactions = interactions;
	writer.generation = figures->generation;
	writer.progress = progress;
	lifts = learn_lifts(&writer);
	writer.trend = rec_trend_scores(interactions->stream, rec_dict_count(interactions->items),
									&definition->options);
	rec_progress_phase(progress, "building the matrix");
	writer.matrix = rec_interactions_matrix(interactions, &definition->options);
	if (definition->items)
		rec_progress_phase(progress, "reading items");
	writer.items = rec_model_items(definition, writer.matrix, interactions->items, context);
	figures->users = writer.matrix->nusers;
	figures->items = writer.items->n;
	figures->build_ms = elapsed_ms(since);

	since = GetCurrentTimestamp();
	rec_progress_phase(progress, "writing items");
	write_items(&writer);
	write_factors(&writer);
	rec_progress_phase(progress, "computing neighbours");
	write_neighbor_table(&writer);
	figures->neighbors = writer.neighbors;
	write_lifts(&writer, lifts);
	if (writer.items->content)
	{
		rec_progress_phase(progress, "writing features");
		rec_content_write(definition, writer.items, interactions->items, figures->generation);
	}
	rec_progress_phase(progress, "deleting the old generation");
	delete_old_generations(definition, figures->generation);
	move_pointer(definition, figures, writer.matrix, interactions->stream->newest);
	analyze_tables(definition);
	figures->memory_bytes = rec_memory_peak();
	figures->model_bytes = model_size(definition);
	figures->write_ms = elapsed_ms(since);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

static void
set_for_refresh(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/* Shows the progress until the end, and no longer, also after an error. */
static void
run_in_sight(const RecDefinition *definition, RecProgress *progress,
			 RecRefreshFigures *figures)
{
	PG_TRY();
	{
		figures->generation = next_generation(definition);
		build_generation(definition, progress, figures);
		record_run(definition, figures);
		rec_progress_phase(progress, "finishing");
	}
	PG_CATCH();
	{
		rec_progress_end(progress);
		PG_RE_THROW();
	}
	PG_END_TRY();
	rec_progress_end(progress);
}

/*
 * Runs one refresh as the recommender's owner and gives its figures.  The
 * lock comes first and the snapshot after it, so that what another refresh has
 * just committed is seen.  The caller must be a member of the owner.
 */
RecRefreshFigures
rec_model_refresh(RecDefinition *definition, bool verbose)
{
	RecRefreshFigures result = {0};
	RecRefreshFigures *figures = &result;
	RecProgress progress;
	Oid			saved_user;
	int			saved_context;
	int			nest;

	rec_definition_check_owner(definition);
	definition = rec_definition_lock(definition, "refresh()");
	figures->started_at = GetCurrentTimestamp();
	rec_progress_start(&progress, rec_definition_name(definition), verbose);
	rec_progress_phase(&progress, "starting");

	GetUserIdAndSecContext(&saved_user, &saved_context);
	SetUserIdAndSecContext(rec_schema_owner(definition->schema),
						   saved_context | SECURITY_RESTRICTED_OPERATION);
	nest = NewGUCNestLevel();
	set_for_refresh("search_path", "pg_catalog, pg_temp");
	set_for_refresh("row_security", "off");
	/* of the statistics that ANALYZE makes, serving needs no more */
	set_for_refresh("default_statistics_target", "10");
	/* values of the context are texts, which must not depend on the session */
	set_for_refresh("DateStyle", "ISO");
	set_for_refresh("IntervalStyle", "postgres");
	set_for_refresh("extra_float_digits", "1");
	SPI_connect();
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	run_in_sight(definition, &progress, figures);
	PopActiveSnapshot();
	SPI_finish();
	AtEOXact_GUC(false, nest);
	SetUserIdAndSecContext(saved_user, saved_context);
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
				 errmsg("refresh mode \"%s\" is not supported", mode),
				 errdetail("By most options a few new interactions change most rows of neighbours, and a table does not tell which of its rows are new or gone."),
				 errhint("Use \"auto\" or \"full\". What users did since counts in their answers without a refresh.")));
	rec_closest_start(&closest, mode);
	rec_closest_consider(&closest, "auto");
	rec_closest_consider(&closest, "full");
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("refresh mode \"%s\" does not exist", mode),
			 closest.best ? rec_closest_hint(&closest, "mode") :
			 errhint("Modes are \"auto\" and \"full\".")));
}

/*
 * refresh(recommender, mode, verbose): builds a new generation from all
 * interactions and gives the figures of it, type refresh_result.  Mode is
 * auto or full, which mean the same.  Only for the owner.
 */
PG_FUNCTION_INFO_V1(rec_refresh);
Datum
rec_refresh(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *mode = text_to_cstring(PG_GETARG_TEXT_PP(1));
	bool		verbose = PG_GETARG_BOOL(2);
	RecRefreshFigures figures;
	TupleDesc	desc;
	Datum		values[RESULT_NCOLS];
	bool		nulls[RESULT_NCOLS] = {0};

	check_mode(mode);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	figures = rec_model_refresh(rec_definition_by_name(name), verbose);
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
