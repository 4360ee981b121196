/*-------------------------------------------------------------------------
 *
 * metric_aggregate.c
 *	  Metrics of many rows as SQL aggregates.
 *
 * Metrics of the first kind are means: the transition functions add a row's value
 * to a state of avg(float8), whose functions do the rest.  Those of the second
 * kind, gini and auc, need all rows.  Their state is an array of the numbers,
 * whose order does not matter, so that the final function may sort it in place and
 * be called again.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/metric_aggregate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "evaluate/metric.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "pg/arguments.h"
#include "pg/compat.h"
#include "pg/relation.h"
#include "utils/fmgrprotos.h"

#define STATE_VERSION		1	/* first byte of a serialized state */
#define FIRST_ALLOCATION	16	/* numbers, in a state */

/* ----------------
 *		means
 * ----------------
 */

/*
 * Return the number of a row.  NULL is 0: an outer join returns it for an item that
 * was never shown or has no users, or for a pair without a similarity.
 */
static double
get_number(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(1) ? 0 : PG_GETARG_FLOAT8(1);
}

/* Return the number of a row; an ERROR unless it is finite and not negative. */
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

/* Return the next state of a mean: that of avg(float8) with one more value. */
static Datum
add_to_mean(FunctionCallInfo fcinfo, double value)
{
	LOCAL_FCINFO(call, 2);

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the state of an aggregate must not be null")));
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
				 errhint("It is the share of users who have the item. Pass the share of one user for an item that no user has.")));
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
 *		metrics of all rows
 * ----------------
 */

/* Numbers of one kind. */
typedef struct Sample
{
	double	   *value;
	int64		count;
	int64		allocated;
} Sample;

/* The state of gini and auc; all of it is in "mcxt". */
typedef struct SampleState
{
	MemoryContext mcxt;
	Sample		sample[2];		/* auc: not relevant, relevant; gini: one */
} SampleState;

static SampleState *
create_state(MemoryContext mcxt)
{
	SampleState *state = MemoryContextAllocZero(mcxt, sizeof(SampleState));

	state->mcxt = mcxt;
	return state;
}

/* Raise an ERROR if "more" bytes exceed maintenance_work_mem. */
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

/* Make room for "more" numbers, at least doubling the allocation. */
static void
reserve(SampleState *state, Sample *sample, int64 more)
{
	int64		wanted = sample->count + more;
	int64		allocated = Max(wanted, Max(2 * sample->allocated, FIRST_ALLOCATION));

	if (wanted <= sample->allocated)
		return;
	check_memory(state, mul_size(allocated - sample->allocated, sizeof(double)));
	if (sample->value == NULL)
		sample->value = MemoryContextAllocHuge(state->mcxt,
											   mul_size(allocated, sizeof(double)));
	else
		sample->value = repalloc_huge(sample->value, mul_size(allocated, sizeof(double)));
	sample->allocated = allocated;
}

/* Return the state with one more number in a sample. */
static Datum
add_to_sample(FunctionCallInfo fcinfo, int which, double value)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	SampleState *state;
	Sample	   *sample;

	if (PG_ARGISNULL(0))
		state = create_state(mcxt);
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
 * auc's transition: (state, score, relevant).  Rows with NULL are ignored;
 * infinite scores are ordered as numbers.
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
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	SampleState *state = PG_ARGISNULL(0) ? NULL : (SampleState *) PG_GETARG_POINTER(0);
	SampleState *other = PG_ARGISNULL(1) ? NULL : (SampleState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = create_state(mcxt);
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

/* Serialization function of gini and auc. */
PG_FUNCTION_INFO_V1(rec_sample_serialize);
Datum
rec_sample_serialize(PG_FUNCTION_ARGS)
{
	const SampleState *state = (const SampleState *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
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
 * Deserialization function of gini and auc.  The state is allocated in the current
 * memory context, as it lives only until it is combined.  Bytes that are not a
 * serialized state are an ERROR.
 */
PG_FUNCTION_INFO_V1(rec_sample_deserialize);
Datum
rec_sample_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	SampleState *state;
	StringInfoData buffer;
	int64		room;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
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

/* gini's final function; NULL without rows. */
PG_FUNCTION_INFO_V1(rec_gini_final);
Datum
rec_gini_final(PG_FUNCTION_ARGS)
{
	Sample	   *exposures;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	exposures = ((SampleState *) PG_GETARG_POINTER(0))->sample;
	PG_RETURN_FLOAT8(rec_metric_gini(exposures->value, exposures->count));
}

/* auc's final function; NULL unless there are rows of both kinds. */
PG_FUNCTION_INFO_V1(rec_auc_final);
Datum
rec_auc_final(PG_FUNCTION_ARGS)
{
	Sample	   *sample;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	sample = ((SampleState *) PG_GETARG_POINTER(0))->sample;
	if (sample[0].count == 0 || sample[1].count == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(rec_metric_auc(sample[1].value, sample[1].count,
									sample[0].value, sample[0].count));
}
