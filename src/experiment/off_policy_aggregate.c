/*-------------------------------------------------------------------------
 *
 * off_policy_aggregate.c
 *	  What another policy would have earned, as an SQL aggregate.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/off_policy_aggregate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "experiment/number_argument.h"
#include "experiment/off_policy.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "pg/compat.h"
#include "pg/json_reader.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#define STATE_VERSION	1		/* first byte of a serialized state */
#define ESTIMATE_NCOLS	10		/* of off_policy_estimate */

/* What an aggregate has read; all of it lives in its memory. */
typedef struct OffPolicyState
{
	RecOffPolicyLog log;
	RecOffPolicyOptions options;
	int			length;			/* bytes of the jsonb that they were read from */
	char	   *json;			/* NULL before the first row */
} OffPolicyState;

/* ----------------
 *		options
 * ----------------
 */

static const char *
option_name(int number)
{
	static const char *const name[] = {"alpha", "clip", "lambda", "sub_gaussian"};

	return number < (int) lengthof(name) ? name[number] : NULL;
}

static RecOffPolicyOptions
read_options(Jsonb *json)
{
	RecOffPolicyOptions options = {.alpha = 0.05, .clip = NAN, .lambda = NAN, .sub_gaussian = NAN};
	double	   *value[] = {&options.alpha, &options.clip, &options.lambda, &options.sub_gaussian};
	static const double low[] = {1e-9, 0, 0, 0};
	static const double high[] = {0.999999999, 1e15, 1e15, 1};
	RecJsonMembers member = rec_json_reader_members(rec_json_reader_root_object(json, "options"));

	while (rec_json_reader_next_member(&member))
	{
		int			i = rec_closest_name_number("option", option_name, member.name);

		*value[i] = rec_json_reader_double_within(psprintf("option \"%s\"", option_name(i)), &member.value,
												  low[i], high[i], false);
	}
	return options;
}

/* Take the options of a row, which must be those of all others. */
static void
take_options(FunctionCallInfo fcinfo, MemoryContext mcxt, OffPolicyState *state)
{
	Jsonb	   *json = PG_NARGS() > 6 && !PG_ARGISNULL(6) ? PG_GETARG_JSONB_P(6) : NULL;
	int			length = json ? VARSIZE(json) : 0;

	if (state->json == NULL)
	{
		state->json = MemoryContextAlloc(mcxt, Max(length, 1));
		state->length = length;
		if (json != NULL)
		{
			memcpy(state->json, json, length);
			state->options = read_options(json);
		}
	}
	else if (length != state->length || (json != NULL && memcmp(json, state->json, length) != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be equal in all rows")));
}

/* ----------------
 *		rows
 * ----------------
 */

static OffPolicyState *
create_state(MemoryContext mcxt)
{
	OffPolicyState *state = MemoryContextAllocZero(mcxt, sizeof(OffPolicyState));

	state->options = (RecOffPolicyOptions) {0.05, NAN, NAN, NAN};
	return state;
}

static RecOffPolicyRow
read_row(FunctionCallInfo fcinfo)
{
	RecOffPolicyRow row = {.q_logged = NAN, .q_target = NAN};

	row.reward = rec_number_argument_finite(fcinfo, 1, "reward");
	row.propensity = PG_GETARG_FLOAT8(2);
	row.target = PG_GETARG_FLOAT8(3);
	if (!(row.propensity > 0 && row.propensity <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("propensity must be greater than 0 and at most 1, not %g", row.propensity),
				 errhint("It is the probability with which the choice in the log was made.")));
	rec_number_argument_check(row.target, 0, 1, "target_probability");
	if (PG_NARGS() > 4 && !PG_ARGISNULL(4) && !PG_ARGISNULL(5))
	{
		row.q_logged = rec_number_argument_finite(fcinfo, 4, "q_logged");
		row.q_target = rec_number_argument_finite(fcinfo, 5, "q_target");
	}
	return row;
}

/*
 * off_policy's transition: (state, reward, propensity, target_probability
 * [, q_logged, q_target [, options]]).  A row without one of the first three
 * does not count.
 */
PG_FUNCTION_INFO_V1(rec_off_policy_transition);
Datum
rec_off_policy_transition(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	OffPolicyState *state = PG_ARGISNULL(0) ? create_state(mcxt) : (OffPolicyState *) PG_GETARG_POINTER(0);
	RecOffPolicyRow row;

	if (rec_number_argument_any_null(fcinfo, 1, 3))
		PG_RETURN_POINTER(state);
	take_options(fcinfo, mcxt, state);
	row = read_row(fcinfo);
	if (state->log.sums.n == 0)
		state->log.modelled = !isnan(row.q_logged);
	else if (state->log.modelled != !isnan(row.q_logged))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("q_logged and q_target must be null in all rows or in none")));
	rec_off_policy_add(&state->log, &state->options, &row);
	PG_RETURN_POINTER(state);
}

/* Combine function of off_policy: adds the second state to the first. */
PG_FUNCTION_INFO_V1(rec_off_policy_combine);
Datum
rec_off_policy_combine(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	OffPolicyState *state = PG_ARGISNULL(0) ? create_state(mcxt) : (OffPolicyState *) PG_GETARG_POINTER(0);
	const OffPolicyState *other = PG_ARGISNULL(1) ? NULL : (const OffPolicyState *) PG_GETARG_POINTER(1);

	if (other == NULL || other->log.sums.n == 0)
		PG_RETURN_POINTER(state);
	if (state->log.sums.n == 0)
	{
		state->options = other->options;
		state->length = other->length;
		state->json = MemoryContextAlloc(mcxt, Max(other->length, 1));
		memcpy(state->json, other->json, other->length);
	}
	else if (state->log.modelled != other->log.modelled || state->length != other->length
			 || memcmp(state->json, other->json, state->length) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be equal in all rows, and rewards of a model in all or in none")));
	rec_off_policy_merge(&state->log, &other->log);
	PG_RETURN_POINTER(state);
}

/* Serialize function of off_policy; deserialize reads the same. */
PG_FUNCTION_INFO_V1(rec_off_policy_serialize);
Datum
rec_off_policy_serialize(PG_FUNCTION_ARGS)
{
	const OffPolicyState *state = (const OffPolicyState *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, STATE_VERSION);
	pq_sendbyte(&buffer, state->log.modelled);
	pq_sendint64(&buffer, state->log.certain);
	pq_sendfloat8(&buffer, state->log.max_weight);
	rec_moments_send(&state->log.sums, &buffer);
	pq_sendfloat8(&buffer, state->options.alpha);
	pq_sendfloat8(&buffer, state->options.clip);
	pq_sendfloat8(&buffer, state->options.lambda);
	pq_sendfloat8(&buffer, state->options.sub_gaussian);
	pq_sendint32(&buffer, state->length);
	pq_sendbytes(&buffer, state->json, state->length);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

/* Deserialize function of off_policy. */
PG_FUNCTION_INFO_V1(rec_off_policy_deserialize);
Datum
rec_off_policy_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	OffPolicyState *state = create_state(CurrentMemoryContext);
	StringInfoData buffer;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (pq_getmsgbyte(&buffer) != STATE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("serialized state of an aggregate is not valid")));
	state->log.modelled = pq_getmsgbyte(&buffer) != 0;
	state->log.certain = pq_getmsgint64(&buffer);
	state->log.max_weight = pq_getmsgfloat8(&buffer);
	rec_moments_receive(&state->log.sums, &buffer);
	state->options.alpha = pq_getmsgfloat8(&buffer);
	state->options.clip = pq_getmsgfloat8(&buffer);
	state->options.lambda = pq_getmsgfloat8(&buffer);
	state->options.sub_gaussian = pq_getmsgfloat8(&buffer);
	state->length = pq_getmsgint(&buffer, 4);
	if (state->length < 0 || !(state->options.alpha > 0 && state->options.alpha < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("serialized state of an aggregate is not valid")));
	state->json = palloc(Max(state->length, 1));
	memcpy(state->json, pq_getmsgbytes(&buffer, state->length), state->length);
	pq_getmsgend(&buffer);
	PG_RETURN_POINTER(state);
}

/* ----------------
 *		estimates
 * ----------------
 */

static Datum
warning_array(int warnings)
{
	Datum		name[REC_OFF_POLICY_WARNINGS];
	int			n = 0;

	for (int i = 0; i < REC_OFF_POLICY_WARNINGS; i++)
	{
		if (warnings & (1 << i))
			name[n++] = CStringGetTextDatum(rec_off_policy_warning_name(i));
	}
	return PointerGetDatum(construct_array(name, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Return the row of one estimate. */
static Datum
make_row(TupleDesc desc, const RecOffPolicyLog *log, const RecOffPolicyEstimate *estimate)
{
	double		number[4] = {estimate->value, estimate->standard_error, estimate->ci_low, estimate->ci_high};
	Datum		value[ESTIMATE_NCOLS];
	bool		null[ESTIMATE_NCOLS] = {false};

	value[0] = CStringGetTextDatum(estimate->estimator);
	for (int i = 0; i < 4; i++)
	{
		value[1 + i] = Float8GetDatum(number[i]);
		null[1 + i] = isnan(number[i]);
	}
	value[5] = Int64GetDatum(log->sums.n);
	value[6] = Float8GetDatum(rec_off_policy_effective_n(log));
	value[7] = Float8GetDatum(rec_off_policy_mean_weight(log));
	value[8] = Float8GetDatum(log->max_weight);
	value[9] = warning_array(rec_off_policy_warnings(log));
	return heap_copy_tuple_as_datum(heap_form_tuple(desc, value, null), desc);
}

/* off_policy's final function: an array of estimates, NULL without rows. */
PG_FUNCTION_INFO_V1(rec_off_policy_final);
Datum
rec_off_policy_final(PG_FUNCTION_ARGS)
{
	const OffPolicyState *state = PG_ARGISNULL(0) ? NULL : (const OffPolicyState *) PG_GETARG_POINTER(0);
	Oid			type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	RecOffPolicyEstimate estimate[REC_OFF_POLICY_ESTIMATORS];
	Datum		row[REC_OFF_POLICY_ESTIMATORS];
	TupleDesc	desc;
	int			n;

	if (state == NULL || state->log.sums.n == 0)
		PG_RETURN_NULL();
	if (!OidIsValid(type))
		elog(ERROR, "aggregate does not return an array");
	desc = lookup_rowtype_tupdesc(type, -1);
	if (desc->natts != ESTIMATE_NCOLS)
		elog(ERROR, "row of an estimate has %d columns, not %d", desc->natts, ESTIMATE_NCOLS);
	n = rec_off_policy_estimate(&state->log, &state->options, estimate);
	for (int i = 0; i < n; i++)
		row[i] = make_row(desc, &state->log, &estimate[i]);
	ReleaseTupleDesc(desc);
	PG_RETURN_ARRAYTYPE_P(construct_array(row, n, type, -1, false, TYPALIGN_DOUBLE));
}
