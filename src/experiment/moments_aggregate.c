/*-------------------------------------------------------------------------
 *
 * moments_aggregate.c
 *	  Means and covariances of several measures of a row, as an SQL aggregate.
 *
 * What compare_ratios() needs of a group, in one pass: PostgreSQL's own
 * covar_samp() takes two measures at a time.  A row with a null in it does not
 * count, as for regr_count().
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
#include "experiment/moments.h"
#include "experiment/number_argument.h"
#include "fmgr.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "pg/arguments.h"
#include "pg/compat.h"

#define STATE_VERSION	1		/* first byte of a serialized state */

static void
check_same_count(const RecMomentSums *sums, int count)
{
	if (sums->count != count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("all rows must have the same number of measures"),
				 errdetail("Rows with %d and with %d were found.", sums->count, count)));
}

/* moments' transition: (state, measures of a row). */
PG_FUNCTION_INFO_V1(rec_moments_transition);
Datum
rec_moments_transition(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	RecMomentSums *state = PG_ARGISNULL(0) ? NULL : (RecMomentSums *) PG_GETARG_POINTER(0);
	ArrayType  *array;
	int			count;
	double	   *value;

	if (state == NULL)
		state = MemoryContextAllocZero(mcxt, sizeof(RecMomentSums));
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);
	array = PG_GETARG_ARRAYTYPE_P(1);
	count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (count < 1 || count > REC_MOMENTS_MOST)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("a row must have between 1 and %d measures, not %d", REC_MOMENTS_MOST, count)));
	if (array_contains_nulls(array))
		PG_RETURN_POINTER(state);
	value = rec_number_argument_array(fcinfo, 1, "a measure", &count);
	if (state->count == 0)
		state->count = count;
	check_same_count(state, count);
	rec_moments_add(state, value);
	pfree(value);
	PG_RETURN_POINTER(state);
}

/* Combine function of moments: adds the second state to the first. */
PG_FUNCTION_INFO_V1(rec_moments_combine);
Datum
rec_moments_combine(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	RecMomentSums *state = PG_ARGISNULL(0) ? NULL : (RecMomentSums *) PG_GETARG_POINTER(0);
	const RecMomentSums *other = PG_ARGISNULL(1) ? NULL : (const RecMomentSums *) PG_GETARG_POINTER(1);

	if (state == NULL)
		state = MemoryContextAllocZero(mcxt, sizeof(RecMomentSums));
	if (other == NULL || other->n == 0)
		PG_RETURN_POINTER(state);
	if (state->n > 0)
		check_same_count(state, other->count);
	rec_moments_merge(state, other);
	PG_RETURN_POINTER(state);
}

/* Serialize function of moments; deserialize reads the same. */
PG_FUNCTION_INFO_V1(rec_moments_serialize);
Datum
rec_moments_serialize(PG_FUNCTION_ARGS)
{
	const RecMomentSums *state = (const RecMomentSums *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, STATE_VERSION);
	rec_moments_send(state, &buffer);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

/* Deserialize function of moments. */
PG_FUNCTION_INFO_V1(rec_moments_deserialize);
Datum
rec_moments_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	RecMomentSums *state = palloc0_object(RecMomentSums);
	StringInfoData buffer;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (pq_getmsgbyte(&buffer) != STATE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("serialized state of an aggregate is not valid")));
	rec_moments_receive(state, &buffer);
	pq_getmsgend(&buffer);
	PG_RETURN_POINTER(state);
}

/* Return the matrix of covariances, with n - 1. */
static ArrayType *
covariance_array(const RecMomentSums *state)
{
	Datum		element[REC_MOMENTS_MOST * REC_MOMENTS_MOST];
	int			length[2] = {state->count, state->count};
	int			bound[2] = {1, 1};

	for (int i = 0; i < state->count; i++)
	{
		for (int j = 0; j < state->count; j++)
			element[i * state->count + j] = Float8GetDatum(rec_moments_covariance(state, i, j));
	}
	return construct_md_array(element, NULL, 2, length, bound, FLOAT8OID, sizeof(float8),
							  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/* moments' final function: means are NULL without rows, covariances without two. */
PG_FUNCTION_INFO_V1(rec_moments_final);
Datum
rec_moments_final(PG_FUNCTION_ARGS)
{
	const RecMomentSums *state = PG_ARGISNULL(0) ? NULL : (const RecMomentSums *) PG_GETARG_POINTER(0);
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
