/*-------------------------------------------------------------------------
 *
 * evaluate_sql.c
 *	  The SQL functions that measure: evaluate, evaluate_query, compare_options.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "capped.h"
#include "catalog/pg_type.h"
#include "context_model.h"
#include "evaluate.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "recommend.h"
#include "spi.h"
#include "sqlutil.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define EVALUATION_NCOLS	8	/* columns of type evaluation */
#define COMPARISON_NCOLS	9	/* columns of type comparison */

static const char *const contestant_names[] = {
	"recommender", "behaviour", "popularity", "content"
};

static const char *const item_segment_names[] = {
	"all", "items: head", "items: tail", "items: new"
};

static const char *const user_segment_names[] = {
	"users: new", "users: light", "users: heavy"
};

/* What the user asked for, beside the recommender or the queries. */
typedef struct Request
{
	RecSplit	split;
	const RecMetric **metrics;
	int			nmetrics;
	int		   *k;
	int			nk;
	int			resamples;
	int64		sample;
	bool		context;		/* test users are in their situations */
} Request;

/* ----------------
 *		arguments
 * ----------------
 */

/* Gives the name of a split; an ERROR with the closest when there is none. */
const char *
rec_argument_split(FunctionCallInfo fcinfo, int n)
{
	static const char *const methods[] = {"time", "leave_last", "users", "random"};
	char	   *given = text_to_cstring(PG_GETARG_TEXT_PP(n));
	RecClosest	closest;

	rec_closest_start(&closest, given);
	for (int i = 0; i < (int) lengthof(methods); i++)
	{
		if (strcmp(methods[i], given) == 0)
			return methods[i];
		rec_closest_consider(&closest, methods[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("split \"%s\" does not exist", given),
			 closest.best ? rec_closest_hint(&closest, "split") :
			 errhint("Splits are time, leave_last, users and random.")));
	return NULL;
}

/* Gives an integer argument that lies in a range. */
int
rec_argument_range(FunctionCallInfo fcinfo, int n, const char *name, int min, int max)
{
	int			value = PG_GETARG_INT32(n);

	if (value < min || value > max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %d and %d", name, min, max)));
	return value;
}

/* Gives a share, between 0 and 1. */
double
rec_argument_share(FunctionCallInfo fcinfo, int n)
{
	double		share = PG_GETARG_FLOAT8(n);

	if (!(share > 0 && share < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("test_share must be between 0 and 1, without either")));
	return share;
}

static void
argument_metrics(FunctionCallInfo fcinfo, int n, Request *request)
{
	Datum	   *names;
	int			count;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), TEXTOID, -1, false, TYPALIGN_INT,
					  &names, NULL, &count);
	request->metrics = palloc_array(const RecMetric *, count + 1);
	request->nmetrics = 0;
	for (int i = 0; i < count; i++)
	{
		const RecMetric *metric = rec_metric_find(TextDatumGetCString(names[i]));
		bool		known = false;

		for (int j = 0; j < request->nmetrics; j++)
			known |= request->metrics[j] == metric;
		if (!known)
			request->metrics[request->nmetrics++] = metric;
	}
}

static void
argument_ks(FunctionCallInfo fcinfo, int n, Request *request)
{
	Datum	   *values;
	int			count;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), INT4OID, sizeof(int32), true,
					  TYPALIGN_INT, &values, NULL, &count);
	request->k = palloc_array(int, count + 1);
	request->nk = 0;
	for (int i = 0; i < count; i++)
	{
		int			k = DatumGetInt32(values[i]);
		bool		known = false;

		if (k < 1 || k > 10000)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("each k must be between 1 and 10000")));
		for (int j = 0; j < request->nk; j++)
			known |= request->k[j] == k;
		if (!known)
			request->k[request->nk++] = k;
	}
	if (count == 0 || request->nmetrics == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k and metrics must not be empty")));
}

/* Refuses null arguments but for those that may be null. */
void
rec_refuse_nulls(FunctionCallInfo fcinfo, uint32 nullable)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i) && (nullable & (1U << i)) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %d must not be null", i + 1)));
}

/* ----------------
 *		estimates as rows
 * ----------------
 */

typedef struct EstimateWriter
{
	Tuplestorestate *store;
	TupleDesc	desc;
	SPIPlanPtr	insert;			/* into the recommender's table, or NULL */
	Datum		run;			/* of the stored rows */
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

/* Writes all values of one class of users for one segment of items. */
static void
write_segment(EstimateWriter *writer, const RecEvaluation *evaluation,
			  const RecEstimate *estimates, int item_segment, const char *name)
{
	for (int c = 0; c < evaluation->ncontestants; c++)
		for (int m = 0; m < evaluation->nmetrics; m++)
			for (int k = 0; k < evaluation->nk; k++)
				write_estimate(writer, contestant_names[c], name,
							   evaluation->metrics[m]->name, evaluation->k[k],
							   &estimates[rec_evaluation_index(evaluation, c, item_segment, m, k)]);
}

/* Coverage and concentration of the lists of all users together. */
static void
write_list_metrics(EstimateWriter *writer, const RecEvaluation *evaluation,
				   const RecBatch *batch)
{
	uint32		nitems = batch->memory.nitems;
	double	   *exposure = palloc_extended(mul_size(nitems + 1, sizeof(double)),
										   MCXT_ALLOC_HUGE);

	for (int c = 0; c < evaluation->ncontestants && nitems > 0; c++)
	{
		RecEstimate estimate = {0, NAN, NAN, evaluation->nusers};

		for (uint32 i = 0; i < nitems; i++)
			exposure[i] = (double) evaluation->exposure[c][batch->memory.item[i]];
		estimate.value = rec_metric_catalog_coverage(exposure, nitems);
		write_estimate(writer, contestant_names[c], "all", "coverage",
					   evaluation->largest_k, &estimate);
		estimate.value = rec_metric_gini(exposure, nitems);
		write_estimate(writer, contestant_names[c], "all", "gini",
					   evaluation->largest_k, &estimate);
	}
	pfree(exposure);
}

static void
write_evaluation(EstimateWriter *writer, const RecEvaluation *evaluation,
				 const RecBatch *batch, const Request *request)
{
	int		   *class = palloc0_array(int, evaluation->nusers + 1);
	RecEstimate *estimates = rec_evaluation_summary(evaluation, class, 1,
													request->resamples, request->split.seed);

	for (int segment = 0; segment < REC_NITEMSEGMENTS; segment++)
		write_segment(writer, evaluation, estimates, segment, item_segment_names[segment]);
	for (int64 u = 0; u < evaluation->nusers; u++)
		class[u] = evaluation->segment[u];
	estimates = rec_evaluation_summary(evaluation, class, REC_NUSERSEGMENTS,
									   request->resamples, request->split.seed);
	for (int s = 0; s < REC_NUSERSEGMENTS; s++)
		write_segment(writer, evaluation, estimates + s * evaluation->nvalues,
					  REC_ITEMS_ALL, user_segment_names[s]);
	write_list_metrics(writer, evaluation, batch);
	pfree(class);
}

/* ----------------
 *		segments by a query
 * ----------------
 */

/* Which segment, by a query of user and segment, each user is of. */
typedef struct UserSegments
{
	RecBatch   *batch;
	RecDict    *names;			/* of the segments, text */
	int		   *of_user;		/* by the batch's dictionary; -1 for none */
	uint32		nusers;
} UserSegments;

static void
take_segment(void *arg, const RecRow *row)
{
	UserSegments *segments = (UserSegments *) arg;
	uint32		user;

	if (row->user_null || row->item_null)
		return;
	user = rec_dict_find(segments->batch->users, row->user);
	if (user != REC_NOT_FOUND)
		segments->of_user[user] = (int) rec_dict_intern(segments->names, row->item);
}

/* Reads a query of (user, segment); the user's type must be the batch's. */
static void
read_segments(UserSegments *segments, const char *query)
{
	RecRowFormat format = {.user = 0,.item = 1,.weight = -1,.time = -1,.event = -1};
	SPIPlanPtr	plan = rec_spi_prepare(query, 0, NULL, 0);
	TupleDesc	desc;

	if (!SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("segments must be one statement that returns rows of user and segment")));
	desc = ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan)))->resultDesc;
	if (desc->natts != 2 || TupleDescAttr(desc, 0)->atttypid != rec_dict_type(segments->batch->users) ||
		TupleDescAttr(desc, 1)->atttypid != TEXTOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("segments must return a user of type %s and a segment of type text",
						format_type_be(rec_dict_type(segments->batch->users)))));
	rec_read_rows(plan, NULL, &format, take_segment, segments);
}

static void
write_query_segments(EstimateWriter *writer, const RecEvaluation *evaluation,
					 RecBatch *batch, const Request *request, const char *query)
{
	UserSegments segments = {.batch = batch};
	int		   *class = palloc_array(int, evaluation->nusers + 1);
	RecEstimate *estimates;
	int			n;

	segments.nusers = rec_dict_count(batch->users);
	segments.names = rec_dict_create(TEXTOID, InvalidOid, CurrentMemoryContext);
	segments.of_user = palloc_extended(mul_size(segments.nusers + 1, sizeof(int)),
									   MCXT_ALLOC_HUGE);
	memset(segments.of_user, -1, (segments.nusers + 1) * sizeof(int));
	read_segments(&segments, query);
	n = (int) rec_dict_count(segments.names);
	if (n > 1000)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("segments must be at most 1000, not %d", n)));
	for (int64 u = 0; u < evaluation->nusers; u++)
		class[u] = segments.of_user[evaluation->user[u]];
	estimates = rec_evaluation_summary(evaluation, class, Max(n, 1),
									   request->resamples, request->split.seed);
	for (int s = 0; s < n; s++)
		write_segment(writer, evaluation, estimates + s * evaluation->nvalues,
					  REC_ITEMS_ALL,
					  psprintf("segment: %s", rec_dict_text(segments.names, s)));
}

/* ----------------
 *		evaluate
 * ----------------
 */

/*
 * Makes a batch tell the situations of its interactions, if there are any to
 * tell: all of them, or those of the time if the options say that the time of
 * a call is context.  All parts of the time are told apart, whatever the
 * options say, as both options go by the same situations.
 */
static void
tell_situations(RecBatch *batch, const RecDefinition *definition, bool context)
{
	const RecOptions *other = batch->other_options;
	RecOptions	options = *batch->options;

	batch->whole_context = context;
	if (!context && !options.context_now && !(other && other->context_now))
		return;
	if (other && strcmp(other->context_timezone, options.context_timezone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options_a and options_b must have the same context_timezone")));
	options.context_time = (1 << REC_NTIMES) - 1;
	batch->situations = rec_model_situations(definition, &options, batch->context);
}

/*
 * Reads all interactions of a recommender, for splitting; SPI is connected.
 * The other options are those that will be compared with, or NULL; "context"
 * says whether test users shall be in the situations they were in.
 */
RecBatch *
rec_evaluation_batch(RecDefinition *definition, const RecOptions *options,
					 const RecOptions *other_options, bool context)
{
	RecBatch   *batch = rec_batch_create(CurrentMemoryContext, options,
										 definition->user_type, definition->user_collation,
										 definition->item_type, definition->item_collation);

	batch->other_options = other_options;
	tell_situations(batch, definition, context);
	rec_batch_read(batch, definition);
	rec_batch_read_content(batch, definition);
	rec_batch_sort(batch);
	return batch;
}

/* Trains and measures once for each cut. */
static RecEvaluation *
run(RecBatch *batch, const Request *request, int ncontestants)
{
	RecEvaluation *evaluation = rec_evaluation_create(CurrentMemoryContext, ncontestants,
													  request->metrics, request->nmetrics,
													  request->k, request->nk);

	evaluation->sample = request->sample;
	for (int cut = 0; cut < rec_split_cuts(&request->split); cut++)
	{
		rec_split_apply(batch, &request->split, cut);
		rec_batch_train(batch);
		rec_evaluate(evaluation, batch, request->split.seed);
	}
	return evaluation;
}

/* Prepares to store rows in the recommender's own table; only for its owner. */
static void
prepare_store(EstimateWriter *writer, const RecDefinition *definition,
			  const Request *request, const RecOptions *options)
{
	Oid			types[EVALUATION_NCOLS + 3] = {INT8OID, JSONBOID, JSONBOID, TEXTOID,
	TEXTOID, TEXTOID, INT4OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, INT8OID};
	char	   *table = rec_definition_table(definition, "evaluation");
	bool		isnull;

	rec_spi_execute(psprintf("SELECT coalesce(pg_catalog.max(e.run), 0) OPERATOR(pg_catalog.+) 1 FROM %s e",
							 table), 0, NULL, NULL, NULL, false, SPI_OK_SELECT);
	writer->run = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	writer->insert = rec_spi_prepare(psprintf("INSERT INTO %s (run, evaluated_at, settings, options, strategy, "
											  "segment, metric, k, value, ci_low, ci_high, users) VALUES "
											  "($1, pg_catalog.now(), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
											  table), EVALUATION_NCOLS + 3, types, 0);
	writer->settings = DirectFunctionCall1(jsonb_in,
										   CStringGetDatum(psprintf("{\"split\": \"%s\", \"test_share\": %s, \"last\": %d, \"cuts\": %d, \"seed\": " INT64_FORMAT ", \"context\": %s}",
																	request->split.method,
																	DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(request->split.test_share))),
																	request->split.last, request->split.cuts,
																	request->split.seed,
																	request->context ? "true" : "false")));
	writer->options = JsonbPGetDatum(rec_options_to_jsonb(options, REC_SCOPE_ALL));
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

/*
 * evaluate(recommender, split, test_share, last, cuts, k, metrics, options,
 * segments, sample, resamples, seed, store, context): trains on a part of the live
 * interactions, measures on the rest, and gives rows of type evaluation for
 * the recommender and two baselines.
 */
PG_FUNCTION_INFO_V1(rec_evaluate_recommender);
Datum
rec_evaluate_recommender(PG_FUNCTION_ARGS)
{
	Request		request = {0};
	EstimateWriter writer;
	RecDefinition *definition;
	RecOptions	options;
	RecEvaluation *evaluation;
	RecBatch   *batch;

	rec_refuse_nulls(fcinfo, (1U << 8) | (1U << 9));
	definition = rec_definition_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	request.split.method = rec_argument_split(fcinfo, 1);
	request.split.test_share = rec_argument_share(fcinfo, 2);
	request.split.last = rec_argument_range(fcinfo, 3, "last", 1, 10000);
	request.split.cuts = rec_argument_range(fcinfo, 4, "cuts", 1, 100);
	argument_metrics(fcinfo, 6, &request);
	argument_ks(fcinfo, 5, &request);
	options = definition->options;
	rec_options_apply(&options, PG_GETARG_JSONB_P(7), REC_SCOPE_ALL);
	request.sample = PG_ARGISNULL(9) ? 0 : rec_argument_range(fcinfo, 9, "sample", 1, PG_INT32_MAX);
	request.resamples = rec_argument_range(fcinfo, 10, "resamples", 0, 100000);
	request.split.seed = PG_GETARG_INT64(11);
	request.context = PG_GETARG_BOOL(13);
	writer = begin_writer(fcinfo);
	SPI_connect();
	if (PG_GETARG_BOOL(12))
	{
		rec_definition_check_owner(definition);
		prepare_store(&writer, definition, &request, &options);
	}
	batch = rec_evaluation_batch(definition, &options, NULL, request.context);
	evaluation = run(batch, &request,
					 batch->content ? REC_NCONTESTANTS : REC_CONTESTANT_CONTENT);
	write_evaluation(&writer, evaluation, batch, &request);
	if (!PG_ARGISNULL(8))
		write_query_segments(&writer, evaluation, batch, &request,
							 text_to_cstring(PG_GETARG_TEXT_PP(8)));
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

	rec_batch_add(reader->batch, row, true);
	if (reader->batch->nrows > before)
		reader->batch->rows[before].part = reader->part;
}

/* Adds the rows of a query; the first one says what types ids have. */
static RecBatch *
read_query(RecBatch *batch, const char *query, RecPart part, const RecOptions *options)
{
	RecRowFormat format;
	TupleDesc	desc;
	SPIPlanPtr	plan = rec_prepare_interactions(query, &desc, &format);
	Form_pg_attribute user = TupleDescAttr(desc, 0);
	Form_pg_attribute item = TupleDescAttr(desc, 1);
	QueryReader reader;

	if (batch == NULL)
		batch = rec_batch_create(CurrentMemoryContext, options,
								 user->atttypid, user->attcollation,
								 item->atttypid, item->attcollation);
	else if (rec_dict_type(batch->users) != getBaseType(user->atttypid) ||
			 rec_dict_type(batch->items) != getBaseType(item->atttypid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("train and test must return users and items of the same types")));
	reader.batch = batch;
	reader.part = part;
	rec_read_rows(plan, NULL, &format, take_query_row, &reader);
	return batch;
}

/*
 * evaluate_query(train, test, k, metrics, options, resamples, seed): the same
 * for two queries of user, item[, weight[, time]], so that a published split
 * can be repeated.  Items of train are not recommended again.
 */
PG_FUNCTION_INFO_V1(rec_evaluate_query);
Datum
rec_evaluate_query(PG_FUNCTION_ARGS)
{
	Request		request = {0};
	EstimateWriter writer;
	RecOptions	options;
	RecEvaluation *evaluation;
	RecBatch   *batch;

	rec_refuse_nulls(fcinfo, 0);
	request.split.method = "random";
	argument_metrics(fcinfo, 3, &request);
	argument_ks(fcinfo, 2, &request);
	rec_options_default(&options, false);
	rec_options_apply(&options, PG_GETARG_JSONB_P(4), REC_SCOPE_BUILD | REC_SCOPE_SERVE);
	rec_capped_check(NULL, &options);
	request.resamples = rec_argument_range(fcinfo, 5, "resamples", 0, 100000);
	request.split.seed = PG_GETARG_INT64(6);
	writer = begin_writer(fcinfo);
	SPI_connect();
	batch = read_query(NULL, text_to_cstring(PG_GETARG_TEXT_PP(0)), REC_PART_TRAIN, &options);
	(void) read_query(batch, text_to_cstring(PG_GETARG_TEXT_PP(1)), REC_PART_TEST, &options);
	rec_batch_sort(batch);
	evaluation = rec_evaluation_create(CurrentMemoryContext, REC_CONTESTANT_CONTENT,
									   request.metrics, request.nmetrics,
									   request.k, request.nk);
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

/* Measures one setting on a split that was cut once. */
static RecEvaluation *
measure_setting(RecBatch *batch, const Request *request, const RecOptions *options)
{
	batch->options = options;
	batch->seen_bit = options == batch->other_options ? 2 : 1;
	return run(batch, request, 1);
}

/*
 * compare_options(recommender, options_a, options_b, split, test_share, last,
 * metric, k, sample, resamples, seed, context): one row that says how much better b is
 * than a on the same users, with an interval and a p-value.
 */
PG_FUNCTION_INFO_V1(rec_compare_options);
Datum
rec_compare_options(PG_FUNCTION_ARGS)
{
	Request		request = {0};
	RecDefinition *definition;
	RecOptions	options[2];
	RecEvaluation *evaluations[2];
	RecComparison comparison;
	RecBatch   *batch;
	TupleDesc	desc;
	Datum		values[COMPARISON_NCOLS];
	bool		nulls[COMPARISON_NCOLS] = {0};
	const RecMetric *metric;
	int			k;

	rec_refuse_nulls(fcinfo, 1U << 8);
	definition = rec_definition_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	for (int i = 0; i < 2; i++)
	{
		options[i] = definition->options;
		rec_options_apply(&options[i], PG_GETARG_JSONB_P(i + 1), REC_SCOPE_ALL);
	}
	request.split.method = rec_argument_split(fcinfo, 3);
	request.split.test_share = rec_argument_share(fcinfo, 4);
	request.split.last = rec_argument_range(fcinfo, 5, "last", 1, 10000);
	request.split.cuts = 1;
	metric = rec_metric_find(text_to_cstring(PG_GETARG_TEXT_PP(6)));
	k = rec_argument_range(fcinfo, 7, "k", 1, 10000);
	request.metrics = &metric;
	request.nmetrics = 1;
	request.k = &k;
	request.nk = 1;
	request.sample = PG_ARGISNULL(8) ? 0 : rec_argument_range(fcinfo, 8, "sample", 1, PG_INT32_MAX);
	request.resamples = rec_argument_range(fcinfo, 9, "resamples", 1, 100000);
	request.split.seed = PG_GETARG_INT64(10);
	request.context = PG_GETARG_BOOL(11);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	SPI_connect();
	batch = rec_evaluation_batch(definition, &options[0], &options[1], request.context);
	for (int i = 0; i < 2; i++)
		evaluations[i] = measure_setting(batch, &request, &options[i]);
	comparison = rec_compare(batch, evaluations[0], evaluations[1],
							 request.resamples, request.split.seed);
	SPI_finish();
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
