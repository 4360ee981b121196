/*-------------------------------------------------------------------------
 *
 * evaluate_sql.c
 *	  SQL functions evaluate, evaluate_query and compare_options.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/evaluate_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "batch/batch_rows.h"
#include "batch/batch_train.h"
#include "catalog/pg_type.h"
#include "definition/definition_cache.h"
#include "definition/source.h"
#include "evaluate/bootstrap.h"
#include "evaluate/evaluate_request.h"
#include "evaluate/exposure.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "options/options_default.h"
#include "options/options_read.h"
#include "options/options_write.h"
#include "pg/arguments.h"
#include "pg/json_writer.h"
#include "pg/memory_budget.h"
#include "pg/owner.h"
#include "pg/spi.h"
#include "serve/cap_values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#define EVALUATION_NCOLS	8	/* columns of type evaluation */
#define COMPARISON_NCOLS	9	/* columns of type comparison */

static const char *const contestant_names[] = {
	"recommender", "behaviour", "popularity", "content"
};

/* ----------------
 *		estimates as rows
 * ----------------
 */

typedef struct EstimateWriter
{
	Tuplestorestate *store;
	TupleDesc	desc;
	SPIPlanPtr	insert;			/* into the recommender's table, or NULL */
	Datum		run;			/* number of the run, in stored rows */
	Datum		settings;
	Datum		options;
} EstimateWriter;

static void
store_row(EstimateWriter *writer, const Datum *values, const bool *nulls)
{
	Datum		all[EVALUATION_NCOLS + 3];
	char		all_nulls[EVALUATION_NCOLS + 4];

	if (writer->insert == NULL)
		return;
	all[0] = writer->run;
	all[1] = writer->settings;
	all[2] = writer->options;
	memset(all_nulls, ' ', sizeof(all_nulls) - 1);
	all_nulls[sizeof(all_nulls) - 1] = '\0';
	for (int i = 0; i < EVALUATION_NCOLS; i++)
	{
		all[i + 3] = values[i];
		all_nulls[i + 3] = nulls[i] ? 'n' : ' ';
	}
	rec_spi_execute_plan(writer->insert, all, all_nulls, false, SPI_OK_INSERT);
}

static void
write_estimate(EstimateWriter *writer, const char *strategy, const char *segment,
			   const char *metric, int k, const RecEstimate *estimate)
{
	Datum		values[EVALUATION_NCOLS];
	bool		nulls[EVALUATION_NCOLS] = {0};

	if (estimate->users == 0)
		return;
	values[0] = CStringGetTextDatum(strategy);
	values[1] = CStringGetTextDatum(segment);
	values[2] = CStringGetTextDatum(metric);
	values[3] = Int32GetDatum(k);
	values[4] = Float8GetDatum(estimate->value);
	values[5] = Float8GetDatum(estimate->ci_low);
	values[6] = Float8GetDatum(estimate->ci_high);
	nulls[5] = nulls[6] = isnan(estimate->ci_low);
	values[7] = Int64GetDatum(estimate->users);
	tuplestore_putvalues(writer->store, writer->desc, values, nulls);
	store_row(writer, values, nulls);
}

/* Write the estimates of one segment. */
static void
write_segment(EstimateWriter *writer, const RecEvaluation *evaluation,
			  const RecEstimate *estimates, const char *name)
{
	for (int c = 0; c < evaluation->ncontestants; c++)
		for (int m = 0; m < evaluation->nmetrics; m++)
			for (int k = 0; k < evaluation->nk; k++)
				write_estimate(writer, contestant_names[c], name,
							   evaluation->metrics[m]->name, evaluation->k[k],
							   &estimates[rec_user_values_index(evaluation, c, m, k)]);
}

/*
 * Return the items that may be recommended, as numbers of the dictionary, and
 * their count.
 */
static uint32 *
catalogue(const RecBatch *batch, uint32 *n)
{
	const RecMemoryCatalog *memory = &batch->memory;
	uint32	   *items;

	*n = memory->listed ? memory->nlisted : memory->nitems;
	items = rec_memory_budget_alloc(CurrentMemoryContext, *n, sizeof(uint32));
	for (uint32 i = 0; i < *n; i++)
		items[i] = memory->item[memory->listed ? memory->listed[i] : i];
	return items;
}

/* Set the estimates of the metrics of all lists. */
static void
estimate_exposure(RecEstimate *estimates, const RecEvaluation *evaluation,
				  const RecBatch *batch, bool interval)
{
	uint32		nitems;
	uint32	   *items = catalogue(batch, &nitems);

	for (int m = 0; m < evaluation->nmetrics; m++)
	{
		RecMetricNumber metric = evaluation->metrics[m] - rec_metrics;

		if (evaluation->metrics[m]->kind != REC_OF_ALL_LISTS || nitems == 0)
			continue;
		for (int c = 0; c < evaluation->ncontestants; c++)
			for (int k = 0; k < evaluation->nk; k++)
				estimates[rec_user_values_index(evaluation, c, m, k)] =
					rec_exposure_estimate(evaluation->exposure, metric, c, k,
										  items, nitems, interval);
	}
	pfree(items);
}

static void
write_evaluation(EstimateWriter *writer, const RecEvaluation *evaluation,
				 const RecBatch *batch, const RecRequest *request)
{
	RecEstimate *estimates = rec_bootstrap_summary(evaluation, request->resamples,
												   request->split.seed);

	if (evaluation->nusers == 0)
		rec_evaluate_request_notice_no_users();
	estimate_exposure(estimates, evaluation, batch, request->resamples > 0);
	for (int segment = 0; segment < evaluation->segments->count; segment++)
		write_segment(writer, evaluation, estimates + (Size) segment * evaluation->nvalues,
					  evaluation->segments->names[segment]);
}

/* ----------------
 *		evaluate
 * ----------------
 */

/* Return an object of one member, "filter", NULL for none. */
static Jsonb *
filter_member(const Jsonb *filter)
{
	JsonbParseState *state = NULL;
	JsonbValue	key = {.type = jbvString};
	JsonbValue	value = {.type = jbvNull};

	key.val.string.val = "filter";
	key.val.string.len = strlen(key.val.string.val);
	if (filter)
	{
		value.type = jbvBinary;
		value.val.binary.data = unconstify(JsonbContainer *, &filter->root);
		value.val.binary.len = VARSIZE(filter) - VARHDRSZ;
	}
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	(void) pushJsonbValue(&state, WJB_KEY, &key);
	(void) pushJsonbValue(&state, WJB_VALUE, &value);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Return the settings of an evaluation as jsonb, for table evaluation. */
static Datum
settings_json(const RecRequest *request)
{
	const RecSplit *split = &request->split;
	RecJson		json = {0};

	rec_json_writer_token(&json, WJB_BEGIN_OBJECT);
	rec_json_writer_key(&json, "split");
	rec_json_writer_text(&json, WJB_VALUE, split->method);
	rec_json_writer_key(&json, "test_share");
	rec_json_writer_numeric(&json, DirectFunctionCall1(float8_numeric, Float8GetDatum(split->test_share)));
	rec_json_writer_key(&json, "last");
	rec_json_writer_numeric(&json, DirectFunctionCall1(int4_numeric, Int32GetDatum(split->last)));
	rec_json_writer_key(&json, "cuts");
	rec_json_writer_numeric(&json, DirectFunctionCall1(int4_numeric, Int32GetDatum(split->cuts)));
	rec_json_writer_key(&json, "seed");
	rec_json_writer_numeric(&json, DirectFunctionCall1(int8_numeric, Int64GetDatum(split->seed)));
	rec_json_writer_key(&json, "context");
	rec_json_writer_bool(&json, request->context);
	rec_json_writer_token(&json, WJB_END_OBJECT);
	return DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(rec_json_writer_finish(&json)),
							   JsonbPGetDatum(filter_member(request->filter)));
}

/* Prepare to store rows in the recommender's table evaluation, as its owner. */
static void
prepare_store(EstimateWriter *writer, const RecDefinition *definition)
{
	Oid			types[EVALUATION_NCOLS + 3] = {INT8OID, JSONBOID, JSONBOID, TEXTOID,
	TEXTOID, TEXTOID, INT4OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, INT8OID};
	const char *table = rec_definition_table(definition, REC_TABLE_EVALUATION);
	bool		isnull;

	rec_spi_execute(psprintf("SELECT coalesce(pg_catalog.max(e.run), 0) OPERATOR(pg_catalog.+) 1 FROM %s e",
							 table), 0, NULL, NULL, NULL, false, SPI_OK_SELECT);
	writer->run = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	writer->insert = rec_spi_prepare(psprintf("INSERT INTO %s (run, evaluated_at, settings, options, strategy, "
											  "segment, metric, k, value, ci_low, ci_high, users) VALUES "
											  "($1, pg_catalog.now(), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
											  table), EVALUATION_NCOLS + 3, types, 0);
}

static EstimateWriter
begin_writer(FunctionCallInfo fcinfo)
{
	EstimateWriter writer = {0};

	InitMaterializedSRF(fcinfo, 0);
	writer.store = ((ReturnSetInfo *) fcinfo->resultinfo)->setResult;
	writer.desc = ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc;
	return writer;
}

/* Read the columns of segments, without duplicates. */
static void
argument_columns(FunctionCallInfo fcinfo, int n, const RecDefinition *definition,
				 RecRequest *request)
{
	int			count;
	Datum	   *names = rec_arguments_names(PG_GETARG_ARRAYTYPE_P(n), "segment_columns", &count);

	request->columns = palloc_array(char *, count + 1);
	for (int i = 0; i < count; i++)
	{
		char	   *column = NameStr(*DatumGetName(names[i]));
		bool		known = false;

		rec_segment_check_column(definition, column);
		for (int j = 0; j < request->ncolumns; j++)
			known |= strcmp(request->columns[j], column) == 0;
		if (!known)
			request->columns[request->ncolumns++] = column;
	}
}

/*
 * evaluate(recommender, split, test_share, last, cuts, k, metrics, options,
 * segments, sample, resamples, seed, store, context, segment_columns, filter):
 * train on a part of the interactions, evaluate on the rest, and return rows of
 * type evaluation for the recommender and its baselines.
 */
PG_FUNCTION_INFO_V1(rec_evaluate_recommender);
Datum
rec_evaluate_recommender(PG_FUNCTION_ARGS)
{
	RecRequest	request = {0};
	EstimateWriter writer;
	RecDefinition *definition;
	RecOptions	options;
	RecEvaluation *evaluation;
	RecSegments *segments;
	RecBatch   *batch;
	RecCaller	caller;

	rec_evaluate_request_refuse_nulls(fcinfo, (1U << 8) | (1U << 9) | (1U << 15));
	definition = rec_definition_cache_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	request.split.method = rec_evaluate_request_split(fcinfo, 1);
	request.split.test_share = rec_evaluate_request_share(fcinfo, 2);
	request.split.last = rec_evaluate_request_range(fcinfo, 3, "last", 1, 10000);
	request.split.cuts = rec_evaluate_request_range(fcinfo, 4, "cuts", 1, 100);
	rec_evaluate_request_metrics(fcinfo, 6, 5, &request);
	options = definition->options;
	rec_options_read(&options, PG_GETARG_JSONB_P(7), REC_SCOPE_ALL);
	request.sample = rec_evaluate_request_sample(fcinfo, 9);
	request.resamples = rec_evaluate_request_range(fcinfo, 10, "resamples", 0, 100000);
	request.split.seed = PG_GETARG_INT64(11);
	request.context = PG_GETARG_BOOL(13);
	argument_columns(fcinfo, 14, definition, &request);
	request.filter = PG_ARGISNULL(15) ? NULL : PG_GETARG_JSONB_P(15);
	writer = begin_writer(fcinfo);
	SPI_connect();
	writer.settings = settings_json(&request);
	writer.options = JsonbPGetDatum(rec_options_write(&options, REC_SCOPE_ALL));
	rec_source_qualify_weights(definition, &options);
	if (PG_GETARG_BOOL(12))
		rec_definition_check_owner(definition);
	rec_owner_become_if_member(rec_definition_owner(definition), REC_ALL_ROWS, &caller);
	if (PG_GETARG_BOOL(12))
		prepare_store(&writer, definition);
	batch = rec_evaluate_request_batch(definition, &options, NULL, &request);
	segments = rec_segment_create(CurrentMemoryContext);
	if (!PG_ARGISNULL(8))
	{
		/* the query runs with the caller's rights */
		rec_owner_return(&caller);
		rec_segment_add_query(segments, batch, text_to_cstring(PG_GETARG_TEXT_PP(8)));
		rec_owner_become_if_member(rec_definition_owner(definition), REC_ALL_ROWS, &caller);
	}
	for (int i = 0; i < request.ncolumns; i++)
		rec_segment_add_column(segments, batch, definition, request.columns[i]);
	evaluation = rec_evaluate_request_run(&request, batch, segments,
										  batch->content ? REC_NCONTESTANTS : REC_CONTESTANT_CONTENT);
	write_evaluation(&writer, evaluation, batch, &request);
	rec_owner_return(&caller);
	SPI_finish();
	return (Datum) 0;
}

/* ----------------
 *		evaluate_query
 * ----------------
 */

typedef struct QueryReader
{
	RecBatch   *batch;
	RecPart		part;
} QueryReader;

static void
take_query_row(void *arg, const RecRow *row)
{
	QueryReader *reader = (QueryReader *) arg;
	int64		before = reader->batch->nrows;

	rec_batch_rows_add(reader->batch, row, true);
	if (reader->batch->nrows > before)
		reader->batch->rows[before].part = reader->part;
}

/* Add the rows of a query; the first query determines the types of ids. */
static RecBatch *
read_query(RecBatch *batch, const char *query, RecPart part, const RecOptions *options)
{
	RecRowFormat format;
	TupleDesc	desc;
	SPIPlanPtr	plan = rec_interaction_prepare(query, &desc, &format);
	Form_pg_attribute user = TupleDescAttr(desc, 0);
	Form_pg_attribute item = TupleDescAttr(desc, 1);
	QueryReader reader;

	if (batch == NULL)
		batch = rec_batch_create(CurrentMemoryContext, options,
								 user->atttypid, user->attcollation,
								 item->atttypid, item->attcollation);
	else if (rec_dictionary_type(batch->users) != getBaseType(user->atttypid) ||
			 rec_dictionary_type(batch->items) != getBaseType(item->atttypid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("train and test must return users and items of the same types")));
	reader.batch = batch;
	reader.part = part;
	rec_interaction_read_rows(plan, NULL, &format, take_query_row, &reader);
	return batch;
}

/*
 * evaluate_query(train, test, k, metrics, options, resamples, seed): train on the
 * rows of one query of user, item[, weight[, time]] and evaluate on those of
 * another, to repeat a published split.  Items of train are not recommended again.
 */
PG_FUNCTION_INFO_V1(rec_evaluate_query);
Datum
rec_evaluate_query(PG_FUNCTION_ARGS)
{
	RecRequest	request = {0};
	EstimateWriter writer;
	RecOptions	options;
	RecEvaluation *evaluation;
	RecBatch   *batch;

	rec_evaluate_request_refuse_nulls(fcinfo, 0);
	request.split.method = "random";
	rec_evaluate_request_metrics(fcinfo, 3, 2, &request);
	rec_options_default(&options, false);
	rec_options_read(&options, PG_GETARG_JSONB_P(4), REC_SCOPE_BUILD | REC_SCOPE_SERVE);
	rec_cap_values_check(NULL, &options);
	request.resamples = rec_evaluate_request_range(fcinfo, 5, "resamples", 0, 100000);
	request.split.seed = PG_GETARG_INT64(6);
	writer = begin_writer(fcinfo);
	SPI_connect();
	batch = read_query(NULL, text_to_cstring(PG_GETARG_TEXT_PP(0)), REC_PART_TRAIN, &options);
	(void) read_query(batch, text_to_cstring(PG_GETARG_TEXT_PP(1)), REC_PART_TEST, &options);
	rec_batch_rows_sort(batch);
	evaluation = rec_user_values_create(CurrentMemoryContext, REC_CONTESTANT_CONTENT,
										request.metrics, request.nmetrics,
										request.k, request.nk);
	evaluation->segments = rec_segment_create(CurrentMemoryContext);
	rec_batch_train(batch);
	rec_evaluate(evaluation, batch, request.split.seed);
	write_evaluation(&writer, evaluation, batch, &request);
	SPI_finish();
	return (Datum) 0;
}

/* ----------------
 *		compare_options
 * ----------------
 */

/* Evaluate one set of options on a split with a single cut. */
static RecEvaluation *
evaluate_options(RecBatch *batch, const RecRequest *request, const RecOptions *options)
{
	batch->options = options;
	batch->seen_bit = options == batch->other_options ? 2 : 1;
	return rec_evaluate_request_run(request, batch, NULL, 1);
}

/*
 * compare_options(recommender, options_a, options_b, split, test_share, last,
 * metric, k, sample, resamples, seed, context, filter): return one row with the
 * difference of b less a on the same users, its interval and its p-value.
 */
PG_FUNCTION_INFO_V1(rec_compare_options);
Datum
rec_compare_options(PG_FUNCTION_ARGS)
{
	RecRequest	request = {0};
	RecDefinition *definition;
	RecOptions	options[2];
	RecEvaluation *evaluations[2];
	RecComparison comparison;
	RecBatch   *batch;
	RecCaller	caller;
	TupleDesc	desc;
	Datum		values[COMPARISON_NCOLS];
	bool		nulls[COMPARISON_NCOLS] = {0};
	const RecMetric *metric;
	int			k;

	rec_evaluate_request_refuse_nulls(fcinfo, (1U << 8) | (1U << 12));
	definition = rec_definition_cache_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	for (int i = 0; i < 2; i++)
	{
		options[i] = definition->options;
		rec_options_read(&options[i], PG_GETARG_JSONB_P(i + 1), REC_SCOPE_ALL);
	}
	request.split.method = rec_evaluate_request_split(fcinfo, 3);
	request.split.test_share = rec_evaluate_request_share(fcinfo, 4);
	request.split.last = rec_evaluate_request_range(fcinfo, 5, "last", 1, 10000);
	request.split.cuts = 1;
	metric = rec_evaluate_request_metric(fcinfo, 6, REC_OF_HITS | REC_OF_LIST, 7, &k);
	request.metrics = &metric;
	request.nmetrics = 1;
	request.k = &k;
	request.nk = 1;
	request.sample = rec_evaluate_request_sample(fcinfo, 8);
	request.resamples = rec_evaluate_request_range(fcinfo, 9, "resamples", 1, 100000);
	request.split.seed = PG_GETARG_INT64(10);
	request.context = PG_GETARG_BOOL(11);
	request.filter = PG_ARGISNULL(12) ? NULL : PG_GETARG_JSONB_P(12);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	SPI_connect();
	for (int i = 0; i < 2; i++)
		rec_source_qualify_weights(definition, &options[i]);
	rec_owner_become_if_member(rec_definition_owner(definition), REC_ALL_ROWS, &caller);
	batch = rec_evaluate_request_batch(definition, &options[0], &options[1], &request);
	for (int i = 0; i < 2; i++)
		evaluations[i] = evaluate_options(batch, &request, &options[i]);
	comparison = rec_bootstrap_compare(batch, evaluations[0], evaluations[1],
									   request.resamples, request.split.seed);
	rec_owner_return(&caller);
	SPI_finish();
	if (comparison.difference.users == 0)
		rec_evaluate_request_notice_no_users();
	values[0] = CStringGetTextDatum(metric->name);
	values[1] = Int32GetDatum(k);
	values[2] = Float8GetDatum(comparison.mean_a);
	values[3] = Float8GetDatum(comparison.mean_b);
	values[4] = Float8GetDatum(comparison.difference.value);
	values[5] = Float8GetDatum(comparison.difference.ci_low);
	values[6] = Float8GetDatum(comparison.difference.ci_high);
	values[7] = Float8GetDatum(comparison.p_value);
	values[8] = Int64GetDatum(comparison.difference.users);
	nulls[2] = nulls[3] = nulls[4] = nulls[5] = nulls[6] = nulls[7] =
		comparison.difference.users == 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
