/*-------------------------------------------------------------------------
 *
 * moments_aggregate.c
 *	  Means and covariances of several measures of a row, as an SQL aggregate.
 *
 * What compare_ratios() needs of a group, in one pass: PostgreSQL's own
 * covar_samp() takes two measures at a time.  A row with a null in it does not
 * count, as for regr_count().  The update is Welford's, the merge that of Chan,
 * Golub and LeVeque 1983, so that large means do not eat small variances.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/moments_aggregate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "experiment/number_argument.h"
#include "fmgr.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "pg/arguments.h"
#include "pg/compat.h"

#define STATE_VERSION	1		/* first byte of a serialized state */
#define MOST_MEASURES	16

/* What is known of the rows so far; it lives in the aggregate's memory. */
typedef struct MomentsState
{
	int			count;			/* of measures; 0 before the first row */
	int64		n;				/* rows */
	double		mean[MOST_MEASURES];
	double		product[MOST_MEASURES][MOST_MEASURES];	/* sums of products of
														 * deviations */
} MomentsState;

static void
check_same_count(const MomentsState *state, int count)
{
	if (state->count != count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("all rows must have the same number of measures"),
				 errdetail("Rows with %d and with %d were found.", state->count, count)));
}

/* Add a row to the state. */
static void
add_row(MomentsState *state, const double *value)
{
	double		deviation[MOST_MEASURES];

	state->n++;
	for (int i = 0; i < state->count; i++)
	{
		deviation[i] = value[i] - state->mean[i];
		state->mean[i] += deviation[i] / state->n;
	}
	for (int i = 0; i < state->count; i++)
	{
		for (int j = 0; j < state->count; j++)
			state->product[i][j] += deviation[i] * deviation[j] * (state->n - 1) / state->n;
	}
}

/* moments' transition: (state, measures of a row). */
PG_FUNCTION_INFO_V1(rec_moments_transition);
Datum
rec_moments_transition(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	MomentsState *state = PG_ARGISNULL(0) ? NULL : (MomentsState *) PG_GETARG_POINTER(0);
	ArrayType  *array;
	int			count;
	double	   *value;

	if (state == NULL)
		state = MemoryContextAllocZero(mcxt, sizeof(MomentsState));
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);
	array = PG_GETARG_ARRAYTYPE_P(1);
	count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (count < 1 || count > MOST_MEASURES)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("a row must have between 1 and %d measures, not %d", MOST_MEASURES, count)));
	if (array_contains_nulls(array))
		PG_RETURN_POINTER(state);
	value = rec_number_argument_array(fcinfo, 1, "a measure", &count);
	if (state->count == 0)
		state->count = count;
	check_same_count(state, count);
	add_row(state, value);
	pfree(value);
	PG_RETURN_POINTER(state);
}

/* Combine function of moments: adds the second state to the first. */
PG_FUNCTION_INFO_V1(rec_moments_combine);
Datum
rec_moments_combine(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	MomentsState *state = PG_ARGISNULL(0) ? NULL : (MomentsState *) PG_GETARG_POINTER(0);
	const MomentsState *other = PG_ARGISNULL(1) ? NULL : (const MomentsState *) PG_GETARG_POINTER(1);
	double		both;

	if (state == NULL)
		state = MemoryContextAllocZero(mcxt, sizeof(MomentsState));
	if (other == NULL || other->n == 0)
		PG_RETURN_POINTER(state);
	if (state->n == 0)
	{
		*state = *other;
		PG_RETURN_POINTER(state);
	}
	check_same_count(state, other->count);
	both = (double) state->n + other->n;
	for (int i = 0; i < state->count; i++)
	{
		for (int j = 0; j < state->count; j++)
			state->product[i][j] += other->product[i][j]
				+ (other->mean[i] - state->mean[i]) * (other->mean[j] - state->mean[j])
				* state->n / both * other->n;
	}
	for (int i = 0; i < state->count; i++)
		state->mean[i] += (other->mean[i] - state->mean[i]) * other->n / both;
	state->n += other->n;
	PG_RETURN_POINTER(state);
}

/* Serialize function of moments; deserialize reads the same. */
PG_FUNCTION_INFO_V1(rec_moments_serialize);
Datum
rec_moments_serialize(PG_FUNCTION_ARGS)
{
	const MomentsState *state = (const MomentsState *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, STATE_VERSION);
	pq_sendint32(&buffer, state->count);
	pq_sendint64(&buffer, state->n);
	for (int i = 0; i < state->count; i++)
	{
		pq_sendfloat8(&buffer, state->mean[i]);
		for (int j = 0; j < state->count; j++)
			pq_sendfloat8(&buffer, state->product[i][j]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

static double
receive_number(StringInfo buffer)
{
	double		value = pq_getmsgfloat8(buffer);

	if (isnan(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("serialized state of moments is not valid")));
	return value;
}

/* Deserialize function of moments. */
PG_FUNCTION_INFO_V1(rec_moments_deserialize);
Datum
rec_moments_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	MomentsState *state = palloc0_object(MomentsState);
	StringInfoData buffer;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (pq_getmsgbyte(&buffer) != STATE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("serialized state of moments is not valid")));
	state->count = pq_getmsgint(&buffer, 4);
	state->n = pq_getmsgint64(&buffer);
	if (state->count < 0 || state->count > MOST_MEASURES || state->n < 0 || (state->n > 0) != (state->count > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("serialized state of moments is not valid")));
	for (int i = 0; i < state->count; i++)
	{
		state->mean[i] = receive_number(&buffer);
		for (int j = 0; j < state->count; j++)
			state->product[i][j] = receive_number(&buffer);
	}
	pq_getmsgend(&buffer);
	PG_RETURN_POINTER(state);
}

/* Return the matrix of covariances, with n - 1. */
static ArrayType *
covariance_array(const MomentsState *state)
{
	Datum		element[MOST_MEASURES * MOST_MEASURES];
	int			length[2] = {state->count, state->count};
	int			bound[2] = {1, 1};

	for (int i = 0; i < state->count; i++)
	{
		for (int j = 0; j < state->count; j++)
			element[i * state->count + j] = Float8GetDatum(state->product[i][j] / (state->n - 1));
	}
	return construct_md_array(element, NULL, 2, length, bound, FLOAT8OID, sizeof(float8),
							  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/* moments' final function: means are NULL without rows, covariances without two. */
PG_FUNCTION_INFO_V1(rec_moments_final);
Datum
rec_moments_final(PG_FUNCTION_ARGS)
{
	const MomentsState *state = PG_ARGISNULL(0) ? NULL : (const MomentsState *) PG_GETARG_POINTER(0);
	TupleDesc	desc;
	Datum		value[3] = {Int64GetDatum(0), (Datum) 0, (Datum) 0};
	bool		null[3] = {false, true, true};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "aggregate does not return a row");
	if (state != NULL)
		value[0] = Int64GetDatum(state->n);
	if (state != NULL && state->n > 0)
	{
		value[1] = PointerGetDatum(rec_number_argument_new_array(state->mean, state->count));
		null[1] = false;
	}
	if (state != NULL && state->n > 1)
	{
		value[2] = PointerGetDatum(covariance_array(state));
		null[2] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), value, null)));
}
