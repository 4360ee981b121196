/*-------------------------------------------------------------------------
 *
 * metric_sql.c
 *	  Metrics as SQL: functions over lists, aggregates over rows.
 *
 * A list is an array of ids of any type that has equality, taken as the type
 * and the collation of the call say.  Ranks are places in the array.  What
 * stands there twice, and NULL, takes its places and is no hit but at the
 * first; in the other arrays, where no place counts, both are left out.
 *
 * The aggregates of the first kind are means: a row's value goes into the
 * state of the server's own avg(float8), whose functions do the rest.  Those
 * of the second kind, gini and auc, need all rows at once.  Their state is
 * the numbers themselves, in no order that would mean anything; so the final
 * function may sort them where they are, and run again.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/metric_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "dictionary.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "metric.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define STATE_VERSION		1	/* first byte of a serialized state */
#define FIRST_ALLOCATION	16	/* numbers, in a state */

/* ----------------
 *		functions over lists
 * ----------------
 */

/* An array of ids, taken apart. */
typedef struct IdArray
{
	Oid			type;
	Datum	   *id;
	bool	   *null;
	int			count;
} IdArray;

/* What the relevant items are worth. */
typedef struct Relevance
{
	RecDict    *dict;			/* relevant item -> number */
	double	   *gain;			/* by number; 0 once its place is found */
	double	   *ideal;			/* the gains above zero, falling */
	int			nrelevant;		/* of these */
} Relevance;

static void
check_one_dimension(const ArrayType *array, const char *name)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be a one-dimensional array", name)));
}

static IdArray
get_ids(FunctionCallInfo fcinfo, int argument, const char *name)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argument);
	IdArray		ids = {ARR_ELEMTYPE(array), NULL, NULL, 0};
	int16		typlen;
	bool		typbyval;
	char		typalign;

	check_one_dimension(array, name);
	get_typlenbyvalalign(ids.type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, ids.type, typlen, typbyval, typalign,
					  &ids.id, &ids.null, &ids.count);
	return ids;
}

/* Gives how many ranks count: k, or all there are when it is not given. */
static int
get_k(FunctionCallInfo fcinfo, int argument, int length)
{
	int32		k;

	if (PG_ARGISNULL(argument))
		return Max(length, 1);
	k = PG_GETARG_INT32(argument);
	if (k <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be greater than zero")));
	return k;
}

/* Gives the gain of each element of "relevant", each a number from 0 up. */
static double *
get_gains(FunctionCallInfo fcinfo, int argument, int nrelevant, bool exponential)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argument);
	int			count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	double	   *gain = palloc_array(double, Max(count, 1));

	check_one_dimension(array, "gains");
	if (count != nrelevant)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("gains must have as many elements as relevant"),
				 errdetail("Their lengths are %d and %d.", count, nrelevant)));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("gains must not contain nulls")));
	memcpy(gain, ARR_DATA_PTR(array), count * sizeof(double));
	for (int i = 0; i < count; i++)
	{
		if (!isfinite(gain[i]) || gain[i] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a gain must be a finite number greater than or equal to zero")));
		if (exponential)
			gain[i] = exp2(gain[i]) - 1;
	}
	return gain;
}

/* Sees that no sum of gains can overflow; then no discounted one can. */
static void
check_total(const double *gain, int n)
{
	double		total = 0;

	for (int i = 0; i < n; i++)
		total += gain[i];
	if (isinf(total))
		float_overflow_error();
}

static RecDict *
create_dict(FunctionCallInfo fcinfo, Oid type)
{
	if (!OidIsValid(PG_GET_COLLATION()) && type_is_collatable(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_COLLATION),
				 errmsg("could not determine which collation to use for ids"),
				 errhint("Use the COLLATE clause to set the collation explicitly.")));
	return rec_dict_create(type, PG_GET_COLLATION(), CurrentMemoryContext);
}

/*
 * Gives what the relevant items are worth: by the gain of each element, or 1
 * each when that is NULL.  Of an item that comes twice, the larger gain
 * counts, so that the order of elements does not matter.
 */
static Relevance
weigh_relevant(FunctionCallInfo fcinfo, const IdArray *relevant, const double *gain)
{
	Relevance	relevance;
	int			n;

	relevance.dict = create_dict(fcinfo, relevant->type);
	relevance.gain = palloc0_array(double, Max(relevant->count, 1));
	relevance.ideal = palloc_array(double, Max(relevant->count, 1));
	relevance.nrelevant = 0;
	for (int i = 0; i < relevant->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!relevant->null[i])
		{
			uint32		number = rec_dict_intern(relevance.dict, relevant->id[i]);

			relevance.gain[number] = Max(relevance.gain[number], gain ? gain[i] : 1);
		}
	}
	n = rec_dict_count(relevance.dict);
	for (int i = 0; i < n; i++)
	{
		if (relevance.gain[i] > 0)
			relevance.ideal[relevance.nrelevant++] = relevance.gain[i];
	}
	rec_metric_sort_falling(relevance.ideal, relevance.nrelevant);
	check_total(relevance.ideal, relevance.nrelevant);
	return relevance;
}

/* Gives the first k ranks of a list, weighed; each gain is given out once. */
static RecRanking
rank_gains(const IdArray *recommended, Relevance *relevance, int k)
{
	int			n = Min(recommended->count, k);
	double	   *gain = palloc0_array(double, Max(n, 1));
	RecRanking	ranking = {gain, n, relevance->ideal, relevance->nrelevant};

	for (int i = 0; i < n; i++)
	{
		uint32		number = REC_NOT_FOUND;

		CHECK_FOR_INTERRUPTS();
		if (!recommended->null[i])
			number = rec_dict_find(relevance->dict, recommended->id[i]);
		if (number != REC_NOT_FOUND)
		{
			gain[i] = relevance->gain[number];
			relevance->gain[number] = 0;
		}
	}
	return ranking;
}

/* Tells for each rank whether its item is one of those expected. */
static bool *
find_expected(FunctionCallInfo fcinfo, const IdArray *recommended, int n,
			  const IdArray *expected)
{
	RecDict    *dict = create_dict(fcinfo, expected->type);
	bool	   *result = palloc0_array(bool, Max(n, 1));

	for (int i = 0; i < expected->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!expected->null[i])
			(void) rec_dict_intern(dict, expected->id[i]);
	}
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		result[i] = !recommended->null[i] &&
			rec_dict_find(dict, recommended->id[i]) != REC_NOT_FOUND;
	}
	return result;
}

/*
 * What all metrics of one list do: (recommended, relevant, k) and, of ndcg,
 * (gains, exponential).  NULL without a list, and when nothing is relevant.
 */
static Datum
metric_of_list(FunctionCallInfo fcinfo, RecMetricNumber metric)
{
	MemoryContext working;
	MemoryContext old;
	IdArray		recommended;
	IdArray		relevant;
	Relevance	relevance;
	RecRanking	ranking;
	double	   *gain = NULL;
	double		value;
	int			k;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	working = AllocSetContextCreate(CurrentMemoryContext, "recommender metric",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(working);
	recommended = get_ids(fcinfo, 0, "recommended");
	relevant = get_ids(fcinfo, 1, "relevant");
	k = get_k(fcinfo, 2, recommended.count);
	if (PG_NARGS() > 3 && !PG_ARGISNULL(3))
		gain = get_gains(fcinfo, 3, relevant.count,
						 !PG_ARGISNULL(4) && PG_GETARG_BOOL(4));
	relevance = weigh_relevant(fcinfo, &relevant, gain);
	ranking = rank_gains(&recommended, &relevance, k);
	value = rec_metrics[metric].value(&ranking, k);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(working);
	if (relevance.nrelevant == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* precision(recommended, relevant, k): the share of k places that were hits. */
PG_FUNCTION_INFO_V1(rec_precision);
Datum
rec_precision(PG_FUNCTION_ARGS)
{
	return metric_of_list(fcinfo, REC_PRECISION);
}

/* recall(recommended, relevant, k): the share of relevant items found. */
PG_FUNCTION_INFO_V1(rec_recall);
Datum
rec_recall(PG_FUNCTION_ARGS)
{
	return metric_of_list(fcinfo, REC_RECALL);
}

/* hit_rate(recommended, relevant, k): 1 with a hit, 0 without. */
PG_FUNCTION_INFO_V1(rec_hit_rate);
Datum
rec_hit_rate(PG_FUNCTION_ARGS)
{
	return metric_of_list(fcinfo, REC_HIT_RATE);
}

/* average_precision(recommended, relevant, k): see metric.c. */
PG_FUNCTION_INFO_V1(rec_average_precision);
Datum
rec_average_precision(PG_FUNCTION_ARGS)
{
	return metric_of_list(fcinfo, REC_AVERAGE_PRECISION);
}

/* reciprocal_rank(recommended, relevant, k): 1 / rank of the first hit. */
PG_FUNCTION_INFO_V1(rec_reciprocal_rank);
Datum
rec_reciprocal_rank(PG_FUNCTION_ARGS)
{
	return metric_of_list(fcinfo, REC_RECIPROCAL_RANK);
}

/* ndcg(recommended, relevant, k, gains, exponential): see metric.c. */
PG_FUNCTION_INFO_V1(rec_ndcg);
Datum
rec_ndcg(PG_FUNCTION_ARGS)
{
	return metric_of_list(fcinfo, REC_NDCG);
}

/*
 * serendipity(recommended, relevant, expected, k): the share of k places that
 * were hits, and not expected.
 */
PG_FUNCTION_INFO_V1(rec_serendipity);
Datum
rec_serendipity(PG_FUNCTION_ARGS)
{
	MemoryContext working;
	MemoryContext old;
	IdArray		recommended;
	IdArray		relevant;
	IdArray		expected;
	Relevance	relevance;
	RecRanking	ranking;
	double		value;
	int			k;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	working = AllocSetContextCreate(CurrentMemoryContext, "recommender metric",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(working);
	recommended = get_ids(fcinfo, 0, "recommended");
	relevant = get_ids(fcinfo, 1, "relevant");
	expected = get_ids(fcinfo, 2, "expected");
	k = get_k(fcinfo, 3, recommended.count);
	relevance = weigh_relevant(fcinfo, &relevant, NULL);
	ranking = rank_gains(&recommended, &relevance, k);
	value = rec_metric_serendipity(&ranking,
								   find_expected(fcinfo, &recommended, ranking.n, &expected),
								   k);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(working);
	if (relevance.nrelevant == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* ----------------
 *		aggregates that are means
 * ----------------
 */

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate support function called outside an aggregate");
	return context;
}

/*
 * Gives the number of a row.  NULL is what a join finds for an item that was
 * never shown, that nobody has, or for two that are not alike: it is 0.
 */
static double
get_number(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(1) ? 0 : PG_GETARG_FLOAT8(1);
}

/* Gives the number of a row, a finite one from 0 up. */
static double
get_amount(FunctionCallInfo fcinfo, const char *name)
{
	double		value = get_number(fcinfo);

	if (!isfinite(value) || value < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite number greater than or equal to zero",
						name)));
	return value;
}

/* Gives a transition's next state: that of avg(float8), one value later. */
static Datum
add_to_mean(FunctionCallInfo fcinfo, double value)
{
	LOCAL_FCINFO(call, 2);

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		elog(ERROR, "aggregate has no initial state");
	InitFunctionCallInfoData(*call, NULL, 2, InvalidOid, fcinfo->context, NULL);
	call->args[0] = fcinfo->args[0];
	call->args[1].value = Float8GetDatum(value);
	call->args[1].isnull = false;
	return float8_accum(call);
}

/* catalog_coverage's transition: (state, exposure of an item). */
PG_FUNCTION_INFO_V1(rec_catalog_coverage_transition);
Datum
rec_catalog_coverage_transition(PG_FUNCTION_ARGS)
{
	double		exposure = get_amount(fcinfo, "exposure");

	return add_to_mean(fcinfo, rec_metric_catalog_coverage(&exposure, 1));
}

/* average_popularity's transition: (state, popularity of an item). */
PG_FUNCTION_INFO_V1(rec_average_popularity_transition);
Datum
rec_average_popularity_transition(PG_FUNCTION_ARGS)
{
	double		popularity = get_amount(fcinfo, "popularity");

	return add_to_mean(fcinfo, rec_metric_average_popularity(&popularity, 1));
}

/* novelty's transition: (state, share of the users who have an item). */
PG_FUNCTION_INFO_V1(rec_novelty_transition);
Datum
rec_novelty_transition(PG_FUNCTION_ARGS)
{
	double		popularity = get_number(fcinfo);

	if (!(popularity > 0 && popularity <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("popularity must be greater than zero and at most one"),
				 errhint("It is the share of users who have the item. Give an item that nobody has the share of one user.")));
	return add_to_mean(fcinfo, rec_metric_novelty(&popularity, 1));
}

/* intra_list_diversity's transition: (state, similarity of two items). */
PG_FUNCTION_INFO_V1(rec_intra_list_diversity_transition);
Datum
rec_intra_list_diversity_transition(PG_FUNCTION_ARGS)
{
	double		similarity = get_number(fcinfo);

	if (!isfinite(similarity))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("similarity must be a finite number")));
	return add_to_mean(fcinfo, rec_metric_intra_list_diversity(&similarity, 1));
}

/* log_loss's transition: (state, probability, outcome), none of them NULL. */
PG_FUNCTION_INFO_V1(rec_log_loss_transition);
Datum
rec_log_loss_transition(PG_FUNCTION_ARGS)
{
	double		probability = PG_GETARG_FLOAT8(1);
	bool		outcome = PG_GETARG_BOOL(2);

	if (!(probability >= 0 && probability <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("probability must be between 0 and 1")));
	return add_to_mean(fcinfo, rec_metric_log_loss(&probability, &outcome, 1));
}

/* ----------------
 *		aggregates that need all rows
 * ----------------
 */

/* Numbers of one kind. */
typedef struct Sample
{
	double	   *value;
	int64		count;
	int64		allocated;
} Sample;

/* What gini and auc know of their rows; all of it lives in "context". */
typedef struct SampleState
{
	MemoryContext context;
	Sample		sample[2];		/* auc: not relevant, relevant; gini: one */
} SampleState;

static SampleState *
create_state(MemoryContext context)
{
	SampleState *state = MemoryContextAllocZero(context, sizeof(SampleState));

	state->context = context;
	return state;
}

/* Refuses to take "more" bytes if that goes beyond maintenance_work_mem. */
static void
check_memory(const SampleState *state, Size more)
{
	Size		limit = (Size) maintenance_work_mem * 1024;
	int64		allocated = state->sample[0].allocated + state->sample[1].allocated;
	Size		need = allocated * sizeof(double) + more;

	if (need > limit)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("the rows of a group do not fit into maintenance_work_mem"),
				 errdetail("At least %zu MB are needed, the limit is %zu MB.",
						   need / (1024 * 1024) + 1, limit / (1024 * 1024)),
				 errhint("Set maintenance_work_mem to at least \"%zuMB\" for this session.",
						 (need + need / 2) / (1024 * 1024) + 1)));
}

/* Makes room for "more" numbers, at least doubling what there is. */
static void
reserve(SampleState *state, Sample *sample, int64 more)
{
	int64		wanted = sample->count + more;
	int64		allocated = Max(wanted, Max(2 * sample->allocated, FIRST_ALLOCATION));

	if (wanted <= sample->allocated)
		return;
	check_memory(state, mul_size(allocated - sample->allocated, sizeof(double)));
	if (sample->value == NULL)
		sample->value = MemoryContextAllocHuge(state->context,
											   mul_size(allocated, sizeof(double)));
	else
		sample->value = repalloc_huge(sample->value, mul_size(allocated, sizeof(double)));
	sample->allocated = allocated;
}

/* Gives a transition's state, with one more number in a sample. */
static Datum
add_to_sample(FunctionCallInfo fcinfo, int which, double value)
{
	MemoryContext context = aggregate_context(fcinfo);
	SampleState *state;
	Sample	   *sample;

	if (PG_ARGISNULL(0))
		state = create_state(context);
	else
		state = (SampleState *) PG_GETARG_POINTER(0);
	sample = &state->sample[which];
	reserve(state, sample, 1);
	sample->value[sample->count++] = value;
	PG_RETURN_POINTER(state);
}

/* gini's transition: (state, exposure of an item). */
PG_FUNCTION_INFO_V1(rec_gini_transition);
Datum
rec_gini_transition(PG_FUNCTION_ARGS)
{
	return add_to_sample(fcinfo, 0, get_amount(fcinfo, "exposure"));
}

/*
 * auc's transition: (state, score, relevant).  A row without one of them does
 * not count.  Infinite scores have their place in the order.
 */
PG_FUNCTION_INFO_V1(rec_auc_transition);
Datum
rec_auc_transition(PG_FUNCTION_ARGS)
{
	double		score;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	score = PG_GETARG_FLOAT8(1);
	if (isnan(score))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("score must not be NaN")));
	return add_to_sample(fcinfo, PG_GETARG_BOOL(2), score);
}

/* Combine function of gini and auc: adds the second state to the first. */
PG_FUNCTION_INFO_V1(rec_sample_combine);
Datum
rec_sample_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	SampleState *state = PG_ARGISNULL(0) ? NULL : (SampleState *) PG_GETARG_POINTER(0);
	SampleState *other = PG_ARGISNULL(1) ? NULL : (SampleState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = create_state(context);
	for (int i = 0; i < 2; i++)
	{
		Sample	   *to = &state->sample[i];
		const Sample *from = &other->sample[i];

		if (from->count > 0)
		{
			reserve(state, to, from->count);
			memcpy(to->value + to->count, from->value, from->count * sizeof(double));
			to->count += from->count;
		}
	}
	PG_RETURN_POINTER(state);
}

/* Serialize function of gini and auc; deserialize reads the same. */
PG_FUNCTION_INFO_V1(rec_sample_serialize);
Datum
rec_sample_serialize(PG_FUNCTION_ARGS)
{
	const SampleState *state = (const SampleState *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	(void) aggregate_context(fcinfo);
	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, STATE_VERSION);
	pq_sendint64(&buffer, state->sample[0].count);
	pq_sendint64(&buffer, state->sample[1].count);
	for (int i = 0; i < 2; i++)
	{
		for (int64 j = 0; j < state->sample[i].count; j++)
			pq_sendfloat8(&buffer, state->sample[i].value[j]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

static void
state_corrupted(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("serialized state of a metric is not valid")));
}

static void
receive_sample(StringInfo buffer, Sample *sample)
{
	sample->allocated = sample->count;
	if (sample->count == 0)
		return;
	sample->value = palloc_extended(mul_size(sample->count, sizeof(double)),
									MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < sample->count; i++)
	{
		sample->value[i] = pq_getmsgfloat8(buffer);
		if (isnan(sample->value[i]))
			state_corrupted();
	}
}

/*
 * Deserialize function of gini and auc.  The state lives only until it is
 * combined, in the current context.  Bytes that were not made by serialize
 * are an ERROR.
 */
PG_FUNCTION_INFO_V1(rec_sample_deserialize);
Datum
rec_sample_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	SampleState *state;
	StringInfoData buffer;
	int64		room;

	(void) aggregate_context(fcinfo);
	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (pq_getmsgbyte(&buffer) != STATE_VERSION)
		state_corrupted();
	state = create_state(CurrentMemoryContext);
	state->sample[0].count = pq_getmsgint64(&buffer);
	state->sample[1].count = pq_getmsgint64(&buffer);
	room = (buffer.len - buffer.cursor) / sizeof(double);
	if (state->sample[0].count < 0 || state->sample[0].count > room ||
		state->sample[1].count != room - state->sample[0].count)
		state_corrupted();
	receive_sample(&buffer, &state->sample[0]);
	receive_sample(&buffer, &state->sample[1]);
	pq_getmsgend(&buffer);
	PG_RETURN_POINTER(state);
}

/* gini's final function; NULL when there was no row. */
PG_FUNCTION_INFO_V1(rec_gini_final);
Datum
rec_gini_final(PG_FUNCTION_ARGS)
{
	Sample	   *exposures;

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	exposures = ((SampleState *) PG_GETARG_POINTER(0))->sample;
	PG_RETURN_FLOAT8(rec_metric_gini(exposures->value, exposures->count));
}

/* auc's final function; NULL unless there are relevant rows and others. */
PG_FUNCTION_INFO_V1(rec_auc_final);
Datum
rec_auc_final(PG_FUNCTION_ARGS)
{
	Sample	   *sample;

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	sample = ((SampleState *) PG_GETARG_POINTER(0))->sample;
	if (sample[0].count == 0 || sample[1].count == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(rec_metric_auc(sample[1].value, sample[1].count,
									sample[0].value, sample[0].count));
}
