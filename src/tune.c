/*-------------------------------------------------------------------------
 *
 * tune.c
 *	  Choosing options by what they give on held-out interactions.
 *
 * The newest part of the interactions is reserved; nothing of the search sees
 * it.  On the rest, trials are measured on a validation cut: the options in
 * force, a few settings that are known to do well somewhere, then random ones.
 * The search is by successive halving (Jamieson and Talwalkar 2016): all
 * trials on a few users, the best third on three times as many, and so on.
 * At the end the best trial and the options in force are both measured once on
 * the reserved part, and only an improvement that is real there is applied.
 *
 * The same seed on the same data gives the same trials and values.  What was
 * measured is kept in the recommender's table trial, so that a search that is
 * asked for again with more trials goes on where it was.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/tune.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "create.h"
#include "evaluate.h"
#include "funcapi.h"
#include "json.h"
#include "miscadmin.h"
#include "spi.h"
#include "sqlutil.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define TRIAL_NCOLS			12	/* columns of type trial */
#define HALVING				3	/* of the trials survive one in so many */
#define REAL_IMPROVEMENT	0.01	/* largest p-value that counts as real */

/* Settings that have done well on some data. */
static const char *const known_settings[] = {
	"{}",						/* what is in force */
	"{\"measure\": \"cosine\"}",
	"{\"measure\": \"damped_cosine\", \"user_exponent\": 1, \"source_exponent\": 1, \"target_exponent\": 0}",
	"{\"measure\": \"damped_cosine\", \"user_exponent\": 0.6, \"source_exponent\": 0.6, \"target_exponent\": 0.3}",
	"{\"measure\": \"damped_cosine\", \"user_exponent\": 0.5, \"source_exponent\": 0.5, \"target_exponent\": 0.5}",
	"{\"measure\": \"cosine\", \"weighting\": \"bm25\"}",
	"{\"measure\": \"jaccard\"}",
	"{\"measure\": \"llr\"}",
};

typedef struct Trial
{
	int			number;
	Jsonb	   *options;		/* beside those in force */
	RecOptions	effective;
	double		value;			/* NaN: not measured */
	int64		users;
	double		train_ms;
} Trial;

typedef struct Search
{
	RecDefinition *definition;
	RecBatch   *batch;
	RecSplit	split;
	const RecMetric *metric;
	int			k;
	int			resamples;
	bool		has_time;
	TimestampTz deadline;		/* 0: none */
	Datum		settings;		/* jsonb: what stored values depend on */
	Trial	   *trials;
	int			ntrials;
	Tuplestorestate *store;
	TupleDesc	desc;
} Search;

/* ----------------
 *		random settings
 * ----------------
 */

static uint64
pick(pg_prng_state *prng, uint64 n)
{
	return pg_prng_uint64_range(prng, 0, n - 1);
}

static void
append_choice(StringInfo json, pg_prng_state *prng, const char *name,
			  const char *const *values, int n)
{
	appendStringInfo(json, "%s\"%s\": %s", json->len > 1 ? ", " : "", name,
					 values[pick(prng, n)]);
}

#define CHOOSE(name, ...) \
	do { \
		static const char *const values_[] = {__VA_ARGS__}; \
		append_choice(json, prng, name, values_, lengthof(values_)); \
	} while (0)

/*
 * Writes a random setting.  Every number is drawn whatever the ones before,
 * so that trial n is the same however many there are.
 */
static void
random_setting(StringInfo json, pg_prng_state *prng, bool has_time)
{
	appendStringInfoChar(json, '{');
	CHOOSE("measure", "\"damped_cosine\"", "\"damped_cosine\"", "\"damped_cosine\"",
		   "\"cosine\"", "\"jaccard\"", "\"llr\"", "\"tversky\"");
	CHOOSE("weighting", "\"none\"", "\"binary\"", "\"log\"", "\"tfidf\"", "\"bm25\"");
	CHOOSE("user_exponent", "0", "0.2", "0.4", "0.5", "0.6", "0.8", "1");
	CHOOSE("source_exponent", "0.2", "0.4", "0.5", "0.6", "0.8", "1");
	CHOOSE("target_exponent", "0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6");
	CHOOSE("neighbors", "30", "50", "100", "100", "200", "300");
	CHOOSE("shrinkage", "0", "0", "1", "5", "20");
	CHOOSE("min_support", "2", "2", "3");
	CHOOSE("truncate", "\"source\"", "\"target\"");
	CHOOSE("max_history", "500", "200", "2000");
	CHOOSE("history", "20", "50", "100", "500");
	CHOOSE("kappa", "0.3", "1", "3");
	CHOOSE("blend", "{\"popularity\": 0}", "{\"popularity\": 0.05}", "{\"popularity\": 0.1}",
		   "{\"popularity\": 0.3}", "{\"popularity\": 0.1, \"trend\": 0.05}");
	if (has_time)
		CHOOSE("half_life", "null", "\"30 days\"", "\"90 days\"", "\"180 days\"", "\"365 days\"");
	appendStringInfoChar(json, '}');
}

static void
make_trials(Search *search)
{
	pg_prng_state prng;

	search->trials = palloc0_array(Trial, search->ntrials + 1);
	pg_prng_seed(&prng, (uint64) search->split.seed);
	for (int i = 0; i < search->ntrials; i++)
	{
		Trial	   *trial = &search->trials[i];
		StringInfoData json;

		CHECK_FOR_INTERRUPTS();
		initStringInfo(&json);
		if (i < (int) lengthof(known_settings))
			appendStringInfoString(&json, known_settings[i]);
		else
			random_setting(&json, &prng, search->has_time);
		trial->number = i;
		trial->value = NAN;
		trial->options = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
		trial->effective = search->definition->options;
		rec_options_apply(&trial->effective, trial->options, REC_SCOPE_BUILD | REC_SCOPE_SERVE);
	}
}

/* ----------------
 *		measuring a trial
 * ----------------
 */

/* Gives a number that changes with the interactions and their weights. */
static int64
checksum(const RecBatch *batch)
{
	uint64		sum = 0;

	for (int64 i = 0; i < batch->nrows; i++)
	{
		const RecBatchRow *row = &batch->rows[i];
		uint64		key[5] = {batch->user_rank[row->user], batch->item_rank[row->pair.item],
		(uint64) row->pair.time, row->counts};

		memcpy(&key[4], &row->pair.weight, sizeof(key[4]));
		sum = hash_bytes_extended((const unsigned char *) key, sizeof(key), sum);
	}
	return (int64) sum;
}

/* What makes a stored value good for this search. */
static Datum
search_settings(const Search *search)
{
	RecJson		json = {0};

	rec_json_token(&json, WJB_BEGIN_OBJECT);
	rec_json_key(&json, "split");
	rec_json_text(&json, WJB_VALUE, search->split.method);
	rec_json_key(&json, "test_share");
	rec_json_number(&json, search->split.test_share);
	rec_json_key(&json, "last");
	rec_json_number(&json, search->split.last);
	rec_json_key(&json, "seed");
	rec_json_numeric(&json, DirectFunctionCall1(int8_numeric, Int64GetDatum(search->split.seed)));
	rec_json_key(&json, "metric");
	rec_json_text(&json, WJB_VALUE, search->metric->name);
	rec_json_key(&json, "k");
	rec_json_number(&json, search->k);
	rec_json_key(&json, "interactions");
	rec_json_numeric(&json, DirectFunctionCall1(int8_numeric, Int64GetDatum(search->batch->nrows)));
	rec_json_key(&json, "checksum");
	rec_json_numeric(&json, DirectFunctionCall1(int8_numeric, Int64GetDatum(checksum(search->batch))));
	rec_json_token(&json, WJB_END_OBJECT);
	return JsonbPGetDatum(rec_json_finish(&json));
}

static Datum
effective_json(const Trial *trial)
{
	return JsonbPGetDatum(rec_options_to_jsonb(&trial->effective,
											   REC_SCOPE_BUILD | REC_SCOPE_SERVE));
}

/* Takes a trial's value from an earlier search; false when there is none. */
static bool
recall_trial(const Search *search, Trial *trial, int sample)
{
	Oid			types[3] = {JSONBOID, INT4OID, JSONBOID};
	Datum		values[3];
	bool		isnull;
	HeapTuple	row;

	values[0] = search->settings;
	values[1] = Int32GetDatum(sample);
	values[2] = effective_json(trial);
	rec_spi_execute(psprintf("SELECT t.value, t.users, t.train_ms FROM %s t "
							 "WHERE t.settings OPERATOR(pg_catalog.=) $1 "
							 "AND t.sample OPERATOR(pg_catalog.=) $2 "
							 "AND t.options OPERATOR(pg_catalog.=) $3 LIMIT 1",
							 rec_definition_table(search->definition, "trial")),
					3, types, values, NULL, false, SPI_OK_SELECT);
	if (SPI_processed == 0)
		return false;
	row = SPI_tuptable->vals[0];
	trial->value = DatumGetFloat8(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
	trial->users = DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
	trial->train_ms = DatumGetFloat8(SPI_getbinval(row, SPI_tuptable->tupdesc, 3, &isnull));
	return true;
}

static void
keep_trial(const Search *search, const Trial *trial, int sample)
{
	Oid			types[6] = {JSONBOID, INT4OID, JSONBOID, FLOAT8OID, INT8OID, FLOAT8OID};
	Datum		values[6];

	values[0] = search->settings;
	values[1] = Int32GetDatum(sample);
	values[2] = effective_json(trial);
	values[3] = Float8GetDatum(trial->value);
	values[4] = Int64GetDatum(trial->users);
	values[5] = Float8GetDatum(trial->train_ms);
	rec_spi_execute(psprintf("INSERT INTO %s (settings, sample, options, value, users, train_ms) "
							 "VALUES ($1, $2, $3, $4, $5, $6)",
							 rec_definition_table(search->definition, "trial")),
					6, types, values, NULL, false, SPI_OK_INSERT);
}

/* Trains by a trial's options on the batch as it is split, and measures. */
static RecEvaluation *
measure(Search *search, Trial *trial, int64 sample)
{
	RecEvaluation *evaluation = rec_evaluation_create(CurrentMemoryContext, 1,
													  &search->metric, 1, &search->k, 1);
	TimestampTz started = GetCurrentTimestamp();

	evaluation->sample = sample;
	search->batch->options = &trial->effective;
	rec_batch_train(search->batch);
	trial->train_ms = (double) (GetCurrentTimestamp() - started) / 1000;
	rec_evaluate(evaluation, search->batch, search->split.seed);
	return evaluation;
}

static void
try_trial(Search *search, Trial *trial, int sample)
{
	MemoryContext working;
	MemoryContext old;
	RecEvaluation *evaluation;
	double		sum = 0;

	if (recall_trial(search, trial, sample))
		return;
	if (search->deadline != 0 && GetCurrentTimestamp() > search->deadline)
	{
		trial->value = NAN;
		return;
	}
	working = AllocSetContextCreate(CurrentMemoryContext, "recommender trial",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(working);
	evaluation = measure(search, trial, sample);
	for (int64 u = 0; u < evaluation->nusers; u++)
		sum += evaluation->values[u * evaluation->nvalues];
	trial->users = evaluation->nusers;
	trial->value = trial->users > 0 ? sum / (double) trial->users : 0;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(working);
	keep_trial(search, trial, sample);
}

/* ----------------
 *		rows
 * ----------------
 */

static void
write_trial(Search *search, const char *stage, const Trial *trial,
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
	const Trial *x = (const Trial *) a;
	const Trial *y = (const Trial *) b;

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

/* Leaves the best trial first. */
static void
halve(Search *search, int sample)
{
	int			alive = search->ntrials;

	for (int stage = 1; alive > 0; stage++)
	{
		Trial		best_before = search->trials[0];

		for (int i = 0; i < alive; i++)
		{
			CHECK_FOR_INTERRUPTS();
			try_trial(search, &search->trials[i], sample);
			if (!isnan(search->trials[i].value))
				write_trial(search, psprintf("search, stage %d", stage),
							&search->trials[i], NULL, search->trials[i].value, false);
		}
		qsort(search->trials, alive, sizeof(Trial), compare_trials);
		if (isnan(search->trials[0].value))
		{
			/* the budget ended before this stage: what is known stays known */
			search->trials[0] = best_before;
			break;
		}
		if (alive < HALVING || sample > PG_INT32_MAX / HALVING)
			break;
		alive /= HALVING;
		sample *= HALVING;
	}
}

/* Measures the winner and the options in force on the reserved part. */
static void
finish(Search *search, bool apply)
{
	RecBatch   *batch = search->batch;
	Trial	   *best = &search->trials[0];
	Trial		current = {0};
	RecEvaluation *evaluations[2];
	RecComparison comparison;
	bool		is_real;

	if (isnan(best->value))
		return;
	for (int64 i = 0; i < batch->nrows; i++)
		batch->rows[i].reserved = false;
	rec_split_apply(batch, &search->split, 0);
	current.options = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	current.effective = search->definition->options;
	evaluations[0] = measure(search, &current, 0);
	evaluations[1] = measure(search, best, 0);
	comparison = rec_compare(batch, evaluations[0], evaluations[1],
							 search->resamples, search->split.seed);
	if (comparison.difference.users == 0)
		return;
	is_real = comparison.difference.value > 0 && comparison.p_value <= REAL_IMPROVEMENT;
	if (apply && is_real)
		rec_definition_set_options(search->definition, best->options);
	current.users = best->users = comparison.difference.users;
	write_trial(search, "held out, in force", &current, NULL, comparison.mean_a, false);
	write_trial(search, "held out, best", best, &comparison, comparison.mean_b,
				apply && is_real);
}

/*
 * Puts the test part of the split out of the search's sight, and cuts the rest
 * by another seed: the same one would draw the reserved part again.
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
		search->has_time |= batch->rows[i].pair.time != REC_NO_TIME;
	}
	validation.seed = (int64) ((uint64) validation.seed + 1);
	rec_split_apply(batch, &validation, 0);
}

static TimestampTz
deadline(const Interval *budget)
{
	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												   TimestampTzGetDatum(GetCurrentTimestamp()),
												   IntervalPGetDatum(budget)));
}

/*
 * tune(recommender, trials, budget, metric, k, split, test_share, last,
 * sample, resamples, seed, apply): rows of type trial, in the order in which
 * they were measured, then the two of the reserved part.
 */
PG_FUNCTION_INFO_V1(rec_tune);
Datum
rec_tune(PG_FUNCTION_ARGS)
{
	Search		search = {0};
	int			sample;

	rec_refuse_nulls(fcinfo, 1U << 2);
	search.definition = rec_definition_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	rec_definition_check_owner(search.definition);
	search.ntrials = rec_argument_range(fcinfo, 1, "trials", 1, 100000);
	if (!PG_ARGISNULL(2))
		search.deadline = deadline(PG_GETARG_INTERVAL_P(2));
	search.metric = rec_metric_find(text_to_cstring(PG_GETARG_TEXT_PP(3)));
	search.k = rec_argument_range(fcinfo, 4, "k", 1, 10000);
	search.split.method = rec_argument_split(fcinfo, 5);
	search.split.test_share = rec_argument_share(fcinfo, 6);
	search.split.last = rec_argument_range(fcinfo, 7, "last", 1, 10000);
	search.split.cuts = 1;
	sample = rec_argument_range(fcinfo, 8, "sample", 1, PG_INT32_MAX);
	search.resamples = rec_argument_range(fcinfo, 9, "resamples", 1, 100000);
	search.split.seed = PG_GETARG_INT64(10);
	InitMaterializedSRF(fcinfo, 0);
	search.store = ((ReturnSetInfo *) fcinfo->resultinfo)->setResult;
	search.desc = ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc;
	Assert(search.desc->natts == TRIAL_NCOLS);
	SPI_connect();
	search.batch = rec_evaluation_batch(search.definition, &search.definition->options, NULL, false);
	reserve_test(&search);
	search.settings = search_settings(&search);
	make_trials(&search);
	halve(&search, sample);
	finish(&search, PG_GETARG_BOOL(11));
	SPI_finish();
	return (Datum) 0;
}
