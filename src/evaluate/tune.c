/*-------------------------------------------------------------------------
 *
 * tune.c
 *	  SQL function tune: search for options on held-out interactions.
 *
 * The test set of the split is reserved, and the search does not use it.  The
 * other interactions are split into training and validation data, on which trials
 * are evaluated: the options in force, a few configurations that are good on some
 * data sets, then random ones.  The search is by successive halving (Jamieson and
 * Talwalkar 2016): all trials on a few users, the best third on three times as
 * many, and so on.  Then the best trial is refined by small changes.  At the end,
 * the best trial and the options in force are both evaluated once on the reserved
 * test set, and only a significant improvement there is applied.
 *
 * Equal seeds and data make equal trials and values.  Values are stored in the
 * recommender's table trial, so that a repeated search with more trials continues
 * the earlier one.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/tune.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "admin/alter_recommender.h"
#include "batch/batch_event.h"
#include "batch/batch_train.h"
#include "catalog/pg_type.h"
#include "definition/definition_cache.h"
#include "evaluate/bootstrap.h"
#include "evaluate/evaluate.h"
#include "evaluate/evaluate_request.h"
#include "evaluate/trial_log.h"
#include "funcapi.h"
#include "interaction/dictionary.h"
#include "miscadmin.h"
#include "options/options_read.h"
#include "options/options_write.h"
#include "pg/owner.h"
#include "pg/relation.h"
#include "utils/builtins.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#define TRIAL_NCOLS			12	/* columns of type trial */
#define HALVING				3	/* one of so many trials survives a stage */
#define SIGNIFICANT			0.01	/* largest p-value of an improvement */
#define RIDGE_SPEED			1e6 /* multiplications in a millisecond, a low
								 * estimate */

typedef struct Search
{
	RecDefinition *definition;
	RecBatch   *batch;
	RecSplit	split;
	const RecMetric *metric;
	int			k;
	int			resamples;
	RecSearchSpace space;
	Datum		conditions;		/* jsonb: under which stored values are valid */
	RecTrial   *trials;
	int			ntrials;
	int			nrefinements;
	int			sample;			/* users of the current stage */

	/* the budget */
	TimestampTz started;
	TimestampTz deadline;		/* 0: none */
	TimestampTz stage_end;		/* no trial of the stage begins later */
	double		longest_ms[REC_NMODELS];	/* training so far, of each model */

	/* the model in memory */
	Jsonb	   *trained;		/* options that built it, or NULL */
	double		train_ms;
	Tuplestorestate *store;
	TupleDesc	desc;
} Search;

/* ----------------
 *		trials
 * ----------------
 */

static void
make_trial(const Search *search, RecTrial *trial, int number, RecConfiguration *configuration)
{
	MemoryContext working = AllocSetContextCreate(CurrentMemoryContext, "recommender configuration",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(working);
	char	   *json = rec_search_space_json(&search->space, configuration);
	Datum		options = DirectFunctionCall1(jsonb_in, CStringGetDatum(json));

	MemoryContextSwitchTo(old);
	trial->number = number;
	trial->configuration = configuration;
	trial->value = NAN;
	trial->options = DatumGetJsonbPCopy(options);
	trial->effective = search->definition->options;
	rec_options_read(&trial->effective, trial->options, REC_SCOPE_ALL);
	MemoryContextDelete(working);
}

static void
make_trials(Search *search)
{
	RecConfiguration **configurations = rec_search_space_draw(&search->space, (uint64) search->split.seed,
															  search->ntrials);

	search->trials = palloc0_array(RecTrial, search->ntrials + 1);
	for (int i = 0; i < search->ntrials; i++)
	{
		CHECK_FOR_INTERRUPTS();
		make_trial(search, &search->trials[i], i, configurations[i]);
	}
	pfree(configurations);
}

/* ----------------
 *		evaluating a trial
 * ----------------
 */

static void
forget_model(Search *search)
{
	if (search->trained)
		pfree(search->trained);
	search->trained = NULL;
}

/* Train with a trial's options, unless these built the current model. */
static void
train(Search *search, const RecTrial *trial)
{
	TimestampTz started = GetCurrentTimestamp();
	MemoryContext old = MemoryContextSwitchTo(search->batch->mcxt);
	Jsonb	   *build = rec_options_write(&trial->effective,
										  REC_SCOPE_BUILD | REC_SCOPE_SOURCE);

	MemoryContextSwitchTo(old);
	if (search->trained && compareJsonbContainers(&search->trained->root, &build->root) == 0)
	{
		pfree(build);
		rec_batch_serve_by(search->batch, &trial->effective);
		return;
	}
	forget_model(search);
	search->batch->options = &trial->effective;
	rec_batch_train(search->batch);
	search->train_ms = (double) (GetCurrentTimestamp() - started) / 1000;
	search->trained = build;
}

/* Evaluate a trial on the current split. */
static RecEvaluation *
evaluate(Search *search, RecTrial *trial, int64 sample)
{
	RecEvaluation *evaluation = rec_user_values_create(CurrentMemoryContext, 1,
													   &search->metric, 1, &search->k, 1);

	evaluation->sample = sample;
	train(search, trial);
	trial->train_ms = search->train_ms;
	rec_evaluate(evaluation, search->batch, search->split.seed);
	return evaluation;
}

/* Return the expected milliseconds of training: the longest of its model so far. */
static double
expected_ms(const Search *search, const RecTrial *trial)
{
	const RecOptions *options = &trial->effective;
	double		n = rec_dictionary_count(search->batch->items);

	if (search->longest_ms[options->model] > 0)
		return search->longest_ms[options->model];
	if (options->model == REC_MODEL_RIDGE && n <= options->ridge_exact_items)
		return n * n * n / 2 / RIDGE_SPEED;
	return 0;
}

static bool
is_out_of_time(const Search *search, const RecTrial *trial)
{
	return search->deadline != 0 &&
		(double) GetCurrentTimestamp() + expected_ms(search, trial) * 1000 > (double) search->stage_end;
}

/* Train a trial and evaluate it on the sample. */
static void
evaluate_trial(Search *search, RecTrial *trial)
{
	RecEvaluation *evaluation = evaluate(search, trial, search->sample);

	trial->users = evaluation->nusers;
	trial->value = rec_user_values_mean(evaluation);
}

/* Drop a trial that does not fit into memory; rethrow other errors. */
static void
drop_trial(Search *search, const RecTrial *trial)
{
	ErrorData  *error = CopyErrorData();

	if (error->sqlerrcode != ERRCODE_CONFIGURATION_LIMIT_EXCEEDED || trial->number == 0)
		ReThrowError(error);
	FlushErrorState();
	forget_model(search);
	ereport(NOTICE,
			(errmsg("trial %d is skipped, as it does not fit into maintenance_work_mem", trial->number),
			 error->detail ? errdetail_internal("%s", error->detail) : 0,
			 error->hint ? errhint("%s", error->hint) : 0));
}

/* Evaluate a trial, or drop it if memory does not suffice. */
static void
evaluate_if_fits(Search *search, RecTrial *trial)
{
	MemoryContext old = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(old);
	PG_TRY();
	{
		evaluate_trial(search, trial);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(old);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(old);
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(old);
		CurrentResourceOwner = owner;
		drop_trial(search, trial);
	}
	PG_END_TRY();
}

/* Set a trial's value on the sample; NaN if memory or time does not suffice. */
static void
try_trial(Search *search, RecTrial *trial)
{
	MemoryContext working = AllocSetContextCreate(CurrentMemoryContext, "recommender trial",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(working);
	double	   *longest = &search->longest_ms[trial->effective.model];

	trial->value = NAN;
	if (!rec_trial_log_recall(search->definition, search->conditions, search->sample, trial) &&
		!is_out_of_time(search, trial))
	{
		evaluate_if_fits(search, trial);
		if (!isnan(trial->value))
			rec_trial_log_keep(search->definition, search->conditions, search->sample, trial);
	}
	if (!isnan(trial->value))
		*longest = Max(*longest, trial->train_ms);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(working);
}

/* ----------------
 *		rows
 * ----------------
 */

static void
write_trial(Search *search, const char *stage, const RecTrial *trial,
			const RecComparison *comparison, double value, bool applied)
{
	Datum		values[TRIAL_NCOLS] = {0};
	bool		nulls[TRIAL_NCOLS] = {0};

	values[0] = Int32GetDatum(trial->number);
	values[1] = CStringGetTextDatum(stage);
	values[2] = JsonbPGetDatum(trial->options);
	values[3] = CStringGetTextDatum(search->metric->name);
	values[4] = Int32GetDatum(search->k);
	values[5] = Float8GetDatum(value);
	values[6] = Int64GetDatum(trial->users);
	values[7] = Float8GetDatum(trial->train_ms);
	nulls[8] = nulls[9] = nulls[10] = comparison == NULL;
	if (comparison)
	{
		values[8] = Float8GetDatum(comparison->difference.ci_low);
		values[9] = Float8GetDatum(comparison->difference.ci_high);
		values[10] = Float8GetDatum(comparison->p_value);
	}
	values[11] = BoolGetDatum(applied);
	tuplestore_putvalues(search->store, search->desc, values, nulls);
}

static int
compare_trials(const void *a, const void *b)
{
	const RecTrial *x = (const RecTrial *) a;
	const RecTrial *y = (const RecTrial *) b;

	if (isnan(x->value) || isnan(y->value))
		return isnan(x->value) - isnan(y->value);
	if (x->value != y->value)
		return x->value > y->value ? -1 : 1;
	return x->number - y->number;
}

/* ----------------
 *		the search
 * ----------------
 */

/* Models that train fast come first, to use the budget well. */
static int
compare_costs(const void *a, const void *b)
{
	static const int rank[REC_NMODELS] = {[REC_MODEL_NEIGHBORS] = 0,[REC_MODEL_ALS] = 1,[REC_MODEL_RIDGE] = 2};
	const RecTrial *x = (const RecTrial *) a;
	const RecTrial *y = (const RecTrial *) b;
	int			order = rank[x->effective.model] - rank[y->effective.model];

	return order != 0 ? order : x->number - y->number;
}

/* Each stage may use half of the time left; unused time goes to the next. */
static void
begin_stage(Search *search)
{
	TimestampTz from = search->stage_end == 0 ? search->started : search->stage_end;

	search->stage_end = from + (search->deadline - from) / 2;
}

/*
 * Evaluate all trials on some users, the best third on three times as many, and so
 * on, until one trial is left or all users are used.  The best is then the first.
 */
static void
halve(Search *search)
{
	int			alive = search->ntrials;
	int64		nusers = rec_evaluate_count_test_users(search->batch);

	for (int stage = 1; alive > 0; stage++)
	{
		RecTrial	best_before = search->trials[0];

		begin_stage(search);
		qsort(search->trials, alive, sizeof(RecTrial), compare_costs);
		for (int i = 0; i < alive; i++)
		{
			CHECK_FOR_INTERRUPTS();
			try_trial(search, &search->trials[i]);
			if (!isnan(search->trials[i].value))
				write_trial(search, psprintf("search, stage %d", stage),
							&search->trials[i], NULL, search->trials[i].value, false);
		}
		qsort(search->trials, alive, sizeof(RecTrial), compare_trials);
		if (isnan(search->trials[0].value))
		{
			/* the budget ended before this stage: keep the previous result */
			search->trials[0] = best_before;
			search->sample /= HALVING;
			break;
		}
		if (alive < HALVING || search->sample >= nusers || search->sample > PG_INT32_MAX / HALVING)
			break;
		alive /= HALVING;
		search->sample *= HALVING;
	}
}

/*
 * Make a trial by a mutation of the best configuration that has not been tried;
 * its data are allocated in the current memory context.
 */
static void
make_refinement(Search *search, int number, RecTrial *trial, RecDict *tried, pg_prng_state *prng)
{
	int			scope = number < search->nrefinements / 2 ? REC_SCOPE_BUILD : REC_SCOPE_SERVE;

	/* after 100 attempts, try one again */
	for (int attempt = 0; attempt < 100; attempt++)
	{
		uint32		known = rec_dictionary_count(tried);

		CHECK_FOR_INTERRUPTS();
		make_trial(search, trial, search->ntrials + number,
				   rec_search_space_mutate(&search->space, search->trials[0].configuration, scope, prng));
		if (rec_dictionary_intern(tried, JsonbPGetDatum(rec_trial_log_effective(trial))) == known)
			break;
	}
}

/* Return true if the time budget is used up. */
static bool
is_over(const Search *search)
{
	return search->deadline != 0 && GetCurrentTimestamp() >= search->deadline;
}

/*
 * Hill climbing from the best trial, on the users of the last stage: evaluate a
 * mutation, and continue from it if it is better.  Options of building come first,
 * then those of serving, which keep the model.  Each trial has a memory context of
 * its own; that of the best one is kept.
 */
static void
refine(Search *search)
{
	RecTrial   *best = &search->trials[0];
	RecTrial   *trial = palloc0_object(RecTrial);	/* the batch has its
													 * options */
	RecDict    *tried = rec_dictionary_create(JSONBOID, InvalidOid, CurrentMemoryContext);
	MemoryContext kept = NULL;
	pg_prng_state prng;

	if (isnan(best->value))
		return;
	pg_prng_seed(&prng, (uint64) search->split.seed + 1);
	search->stage_end = search->deadline;
	(void) rec_dictionary_intern(tried, JsonbPGetDatum(rec_trial_log_effective(best)));
	for (int i = 0; i < search->nrefinements; i++)
	{
		MemoryContext own = AllocSetContextCreate(CurrentMemoryContext, "recommender refinement",
												  ALLOCSET_SMALL_SIZES);
		MemoryContext old = MemoryContextSwitchTo(own);

		make_refinement(search, i, trial, tried, &prng);
		try_trial(search, trial);
		MemoryContextSwitchTo(old);
		if (!isnan(trial->value))
			write_trial(search, "refinement", trial, NULL, trial->value, false);
		else if (is_over(search))
			break;				/* no stored value either */
		if (trial->value > best->value)
		{
			*best = *trial;
			if (kept)
				MemoryContextDelete(kept);
			kept = own;
		}
		else
			MemoryContextDelete(own);
	}
}

/* Evaluate the best trial and the options in force on the reserved test set. */
static void
finish(Search *search, bool apply)
{
	RecBatch   *batch = search->batch;
	RecTrial   *best = &search->trials[0];
	RecTrial	current = {0};
	RecEvaluation *evaluations[2];
	RecComparison comparison;
	MemoryContext old;
	bool		is_significant;

	if (isnan(best->value))
		return;
	for (int64 i = 0; i < batch->nrows; i++)
		batch->rows[i].reserved = false;
	old = MemoryContextSwitchTo(AllocSetContextCreate(CurrentMemoryContext, "recommender trial",
													  ALLOCSET_DEFAULT_SIZES));
	rec_split_apply(batch, &search->split, 0);
	forget_model(search);
	current.options = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	current.effective = search->definition->options;
	evaluations[0] = evaluate(search, &current, 0);
	evaluations[1] = evaluate(search, best, 0);
	comparison = rec_bootstrap_compare(batch, evaluations[0], evaluations[1],
									   search->resamples, search->split.seed);
	MemoryContextSwitchTo(old);
	if (comparison.difference.users == 0)
	{
		rec_evaluate_request_notice_no_users();
		return;
	}
	is_significant = comparison.difference.value > 0 && comparison.p_value <= SIGNIFICANT;
	if (apply && is_significant)
		rec_alter_recommender_set_options(search->definition, best->options);
	current.users = best->users = comparison.difference.users;
	write_trial(search, "held out, in force", &current, NULL, comparison.mean_a, false);
	write_trial(search, "held out, best", best, &comparison, comparison.mean_b,
				apply && is_significant);
}

/*
 * Reserve the test set of the split, and split the other rows with another seed,
 * as an equal seed would draw the reserved rows again.
 */
static void
reserve_test(Search *search)
{
	RecBatch   *batch = search->batch;
	RecSplit	validation = search->split;

	rec_split_apply(batch, &search->split, 0);
	for (int64 i = 0; i < batch->nrows; i++)
	{
		batch->rows[i].reserved = batch->rows[i].part == REC_PART_TEST;
		if (batch->rows[i].pair.time != REC_NO_TIME)
			search->space.has |= REC_HAS_TIME;
	}
	validation.seed = (int64) ((uint64) validation.seed + 1);
	rec_split_apply(batch, &validation, 0);
}

/* Set the search space by the batch. */
static void
find_choices(Search *search)
{
	search->space.options = &search->definition->options;
	if (search->batch->content)
		search->space.has |= REC_HAS_CONTENT;
	if (search->batch->situations)
		search->space.has |= REC_HAS_CONTEXT;
	search->space.events = rec_batch_event_weights(search->batch, &search->space.nevents);
}

/* Return the bits of the models in an array; an unknown name is an ERROR. */
static int
argument_models(FunctionCallInfo fcinfo, int n)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(n);
	Datum	   *names;
	int			count;
	int			models = 0;

	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("models must not contain null")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &count);
	for (int i = 0; i < count; i++)
		models |= 1 << rec_options_model(TextDatumGetCString(names[i]));
	if (models == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("models must not be empty")));
	return models;
}

static void
set_budget(Search *search, const Interval *budget)
{
	search->started = GetCurrentTimestamp();
	search->deadline = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
															   TimestampTzGetDatum(search->started),
															   IntervalPGetDatum(budget)));
}

static void
begin_rows(Search *search, FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, 0);
	search->store = ((ReturnSetInfo *) fcinfo->resultinfo)->setResult;
	search->desc = ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc;
	Assert(search->desc->natts == TRIAL_NCOLS);
}

/*
 * tune(recommender, trials, budget, metric, k, split, test_share, last,
 * sample, resamples, seed, apply, context, models, refinements): return rows of
 * type trial, in the order of their evaluation, then two on the reserved test set.
 */
PG_FUNCTION_INFO_V1(rec_tune);
Datum
rec_tune(PG_FUNCTION_ARGS)
{
	Search		search = {0};
	RecRequest	request = {0};
	MemoryContext old;
	RecCaller	caller;

	rec_evaluate_request_refuse_nulls(fcinfo, 1U << 2);
	search.definition = rec_definition_cache_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	rec_definition_check_owner(search.definition);
	search.ntrials = rec_evaluate_request_range(fcinfo, 1, "trials", 1, 100000);
	if (!PG_ARGISNULL(2))
		set_budget(&search, PG_GETARG_INTERVAL_P(2));
	search.metric = rec_evaluate_request_metric(fcinfo, 3, REC_OF_HITS, 4, &search.k);
	search.split.method = rec_evaluate_request_split(fcinfo, 5);
	search.split.test_share = rec_evaluate_request_share(fcinfo, 6);
	search.split.last = rec_evaluate_request_range(fcinfo, 7, "last", 1, 10000);
	search.split.cuts = 1;
	search.sample = rec_evaluate_request_range(fcinfo, 8, "sample", 1, PG_INT32_MAX);
	search.resamples = rec_evaluate_request_range(fcinfo, 9, "resamples", 1, 100000);
	search.split.seed = PG_GETARG_INT64(10);
	search.space.models = argument_models(fcinfo, 13);
	search.nrefinements = rec_evaluate_request_range(fcinfo, 14, "refinements", 0, 100000);
	begin_rows(&search, fcinfo);
	SPI_connect();
	rec_owner_become(rec_definition_owner(search.definition), REC_ALL_ROWS, &caller);
	request.context = PG_GETARG_BOOL(12);
	/* in a memory context of its own, to which the memory limit applies */
	old = MemoryContextSwitchTo(AllocSetContextCreate(CurrentMemoryContext, "recommender search",
													  ALLOCSET_DEFAULT_SIZES));
	search.batch = rec_evaluate_request_batch(search.definition, &search.definition->options, NULL,
											  &request);
	MemoryContextSwitchTo(old);
	reserve_test(&search);
	find_choices(&search);
	search.conditions = rec_trial_log_conditions(search.batch, &search.split, search.metric, search.k);
	make_trials(&search);
	halve(&search);
	refine(&search);
	finish(&search, PG_GETARG_BOOL(11));
	rec_owner_return(&caller);
	SPI_finish();
	return (Datum) 0;
}
