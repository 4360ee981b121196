/*-------------------------------------------------------------------------
 *
 * compare_sql.c
 *	  The SQL function that compares two settings: compare_options.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/compare_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "definition/definition_cache.h"
#include "definition/source.h"
#include "evaluate/bootstrap.h"
#include "evaluate/evaluate_request.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "options/options_read.h"
#include "pg/owner.h"
#include "utils/builtins.h"

#define COMPARISON_NCOLS	9	/* columns of type comparison */

/* Measures one setting on a split that was cut once. */
static RecEvaluation *
measure_setting(RecBatch *batch, const RecRequest *request, const RecOptions *options)
{
	batch->options = options;
	batch->seen_bit = options == batch->other_options ? 2 : 1;
	return rec_evaluate_request_run(request, batch, NULL, 1);
}

/*
 * compare_options(recommender, options_a, options_b, split, test_share, last,
 * metric, k, sample, resamples, seed, context, filter): one row that says how
 * much better b is than a on the same users, with an interval and a p-value.
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
		evaluations[i] = measure_setting(batch, &request, &options[i]);
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
