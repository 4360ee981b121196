/*-------------------------------------------------------------------------
 *
 * evaluate_request.c
 *	  Arguments of evaluations, and the steps that all evaluations share.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/evaluate_request.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "batch/batch_content.h"
#include "batch/batch_rows.h"
#include "batch/batch_train.h"
#include "catalog/pg_type.h"
#include "context/lift_table.h"
#include "evaluate/evaluate_request.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "pg/relation.h"
#include "serve/eligible.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Return the name of a split; an ERROR with the closest name as a hint if unknown. */
const char *
rec_evaluate_request_split(FunctionCallInfo fcinfo, int n)
{
	static const char *const methods[] = {"time", "leave_last", "users", "random"};
	char	   *given = text_to_cstring(PG_GETARG_TEXT_PP(n));
	RecClosest	closest;

	rec_closest_name_start(&closest, given);
	for (int i = 0; i < (int) lengthof(methods); i++)
	{
		if (strcmp(methods[i], given) == 0)
			return methods[i];
		rec_closest_name_consider(&closest, methods[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("split \"%s\" does not exist", rec_arguments_clip(given)),
			 closest.best ? rec_closest_name_hint(&closest, "split") :
			 errhint("Splits are time, leave_last, users and random.")));
	return NULL;
}

static int
check_range(int value, const char *name, int min, int max)
{
	if (value < min || value > max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %d and %d", name, min, max)));
	return value;
}

/* Return an integer argument; an ERROR if it is not between min and max. */
int
rec_evaluate_request_range(FunctionCallInfo fcinfo, int n, const char *name, int min, int max)
{
	return check_range(PG_GETARG_INT32(n), name, min, max);
}

/* Return argument test_share; an ERROR if it is not between 0 and 1, exclusive. */
double
rec_evaluate_request_share(FunctionCallInfo fcinfo, int n)
{
	double		share = PG_GETARG_FLOAT8(n);

	if (!(share > 0 && share < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("test_share must be greater than 0 and less than 1")));
	return share;
}

static char *
metric_names(int kinds)
{
	StringInfoData names;

	initStringInfo(&names);
	for (const RecMetric *metric = rec_metrics; metric->name; metric++)
		if (metric->kind & kinds)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", metric->name);
	return names.data;
}

/*
 * Return the metric of a name, if it is of the given kinds; an ERROR with the
 * closest name as a hint if there is none.
 */
static const RecMetric *
find_metric(const char *name, int kinds)
{
	RecClosest	closest;

	rec_closest_name_start(&closest, name);
	for (const RecMetric *metric = rec_metrics; metric->name; metric++)
	{
		bool		wanted = (metric->kind & kinds) != 0;

		if (wanted && strcmp(metric->name, name) == 0)
			return metric;
		if (strcmp(metric->name, name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("metric \"%s\" cannot be used here", rec_arguments_clip(name)),
					 metric->kind == REC_OF_ALL_LISTS ?
					 errdetail("It is computed over the lists of all users and has no values of single users.") :
					 errdetail("It describes lists, independently of the items that are relevant.")));
		if (wanted)
			rec_closest_name_consider(&closest, metric->name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("metric \"%s\" does not exist", rec_arguments_clip(name)),
			 closest.best ? rec_closest_name_hint(&closest, "metric") :
			 errhint("The metrics are %s.", metric_names(kinds))));
	return NULL;
}

/*
 * Return the metric and the k of two arguments.  A metric such as "ndcg@20" has
 * its own k, which overrides the other argument.
 */
const RecMetric *
rec_evaluate_request_metric(FunctionCallInfo fcinfo, int metric, int kinds, int k, int *given_k)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(metric));
	char	   *at = strchr(name, '@');

	if (at)
	{
		*at++ = '\0';
		*given_k = check_range(pg_strtoint32(at), "k", 1, 10000);
	}
	else
		*given_k = rec_evaluate_request_range(fcinfo, k, "k", 1, 10000);
	return find_metric(name, kinds);
}

static void
argument_metrics(FunctionCallInfo fcinfo, int n, RecRequest *request)
{
	Datum	   *names;
	int			count;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), TEXTOID, -1, false, TYPALIGN_INT,
					  &names, NULL, &count);
	request->metrics = palloc_array(const RecMetric *, count + 1);
	request->nmetrics = 0;
	for (int i = 0; i < count; i++)
	{
		const RecMetric *metric = find_metric(TextDatumGetCString(names[i]),
											  REC_OF_HITS | REC_OF_LIST | REC_OF_ALL_LISTS);
		bool		known = false;

		for (int j = 0; j < request->nmetrics; j++)
			known |= request->metrics[j] == metric;
		if (!known)
			request->metrics[request->nmetrics++] = metric;
	}
}

static void
argument_ks(FunctionCallInfo fcinfo, int n, RecRequest *request)
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

/* Raise an ERROR for a null argument whose bit in "nullable" is not set. */
void
rec_evaluate_request_refuse_nulls(FunctionCallInfo fcinfo, uint32 nullable)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i) && (nullable & (1U << i)) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %d must not be null", i + 1)));
}

/* Read the requested metrics and lengths of lists, without duplicates. */
void
rec_evaluate_request_metrics(FunctionCallInfo fcinfo, int metrics, int k, RecRequest *request)
{
	argument_metrics(fcinfo, metrics, request);
	argument_ks(fcinfo, k, request);
}

/* Return the maximum number of users, 0 for all. */
int64
rec_evaluate_request_sample(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? 0 : rec_evaluate_request_range(fcinfo, n, "sample", 1, PG_INT32_MAX);
}

/* ----------------
 *		the batch of an evaluation
 * ----------------
 */

/*
 * Let the batch read the situations of its interactions, if they are needed: by
 * the request, by segments, or because the options make the time of a call
 * context.  All parts of the time are read, whatever the options, as both sets of
 * options share the situations.  Columns after the first "ncontexts" serve
 * segments alone.
 */
static void
want_situations(RecBatch *batch, const RecDefinition *definition, int ncontexts,
				const RecRequest *request)
{
	const RecOptions *other = batch->other_options;
	RecOptions	options = *batch->options;
	bool		wanted = request->context || options.context_now ||
	(other && other->context_now);
	bool		read = wanted;

	for (int i = 0; i < request->ncolumns; i++)
		read |= rec_segment_of_interactions(definition, request->columns[i]);
	if (!read)
		return;
	if (other && strcmp(other->context_timezone, options.context_timezone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options_a and options_b must have the same context_timezone")));
	options.context_time = wanted ? (1 << REC_NTIMES) - 1 : 0;
	batch->situations = rec_lift_table_situations(definition, &options, batch->mcxt);
	batch->learns_context = wanted && batch->situations;
	batch->whole_context = request->context;
	batch->ncontexts = ncontexts;
}

/*
 * Return a batch of all interactions of a recommender, not yet split.  The other
 * options are those of a comparison, or NULL.  SPI must be connected.
 */
RecBatch *
rec_evaluate_request_batch(RecDefinition *definition, const RecOptions *options,
						   const RecOptions *other_options, const RecRequest *request)
{
	RecDefinition *extended = rec_segment_definition(definition, request->columns,
													 request->ncolumns);
	RecBatch   *batch = rec_batch_create(CurrentMemoryContext, options,
										 definition->user_type, definition->user_collation,
										 definition->item_type, definition->item_collation);

	batch->other_options = other_options;
	want_situations(batch, extended, definition->ncontexts, request);
	rec_batch_rows_read(batch, extended);
	batch->definition = definition;
	rec_batch_content_read(batch, definition);
	rec_batch_rows_sort(batch);
	if (request->filter)
		batch->eligible = rec_eligible_all(rec_eligible_create(definition, request->filter));
	return batch;
}

/*
 * Train and evaluate once for each cut; "segments" may be NULL.
 */
RecEvaluation *
rec_evaluate_request_run(const RecRequest *request, RecBatch *batch, RecSegments *segments,
						 int ncontestants)
{
	RecEvaluation *evaluation = rec_user_values_create(CurrentMemoryContext, ncontestants,
													   request->metrics, request->nmetrics,
													   request->k, request->nk);

	evaluation->sample = request->sample;
	evaluation->segments = segments;
	for (int cut = 0; cut < rec_split_cuts(&request->split); cut++)
	{
		rec_split_apply(batch, &request->split, cut);
		rec_batch_train(batch);
		rec_evaluate(evaluation, batch, request->split.seed);
	}
	return evaluation;
}

/* Report that there are no values. */
void
rec_evaluate_request_notice_no_users(void)
{
	ereport(NOTICE,
			(errmsg("no user could be evaluated: the test set has no items left to recommend"),
			 errhint("Items that a user has seen before are not recommended again unless the option exclude_seen is false. Use a larger test_share or another split.")));
}
