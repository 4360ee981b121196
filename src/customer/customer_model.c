/*-------------------------------------------------------------------------
 *
 * customer_model.c
 *	  Models of purchasing and spending as aggregates, and their forecasts.
 *
 * Both aggregates have one kind of state, patterns of customers, and share the
 * functions that combine, write and read it.  The final functions merge
 * patterns, which changes no answer, and fit a copy.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/customer_model.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "customer/pattern.h"
#include "customer/purchase.h"
#include "customer/row_array.h"
#include "customer/spend.h"
#include "fmgr.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "pg/arguments.h"
#include "pg/compat.h"
#include "pg/memory_budget.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define STATE_VERSION	1		/* first byte of a serialized state */
#define PURCHASE_NCOLS	10		/* of type purchase_model */
#define OUTLOOK_NCOLS	5		/* of type purchase_outlook */
#define SPEND_NCOLS		8		/* of type spend_model */
#define ROUNDING		1e-9	/* by which a recency may exceed an age */

static const char *const kind_names[] = {"mbg", "bg"};

/* The customers of a group, and which model is meant for all of them. */
typedef struct ModelState
{
	RecPatterns *patterns;
	RecPurchaseKind kind;
} ModelState;

/* ----------------
 *		arguments
 * ----------------
 */

/* Return the argument "model" of purchase_model_agg; a call without it means MBG. */
static RecPurchaseKind
get_kind(FunctionCallInfo fcinfo)
{
	text	   *kind;

	if (PG_NARGS() < 5)
		return REC_PURCHASE_MBG;
	if (PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("model must not be null")));
	kind = PG_GETARG_TEXT_PP(4);
	for (int i = 0; i < (int) lengthof(kind_names); i++)
	{
		if (VARSIZE_ANY_EXHDR(kind) == strlen(kind_names[i]) &&
			memcmp(VARDATA_ANY(kind), kind_names[i], VARSIZE_ANY_EXHDR(kind)) == 0)
			return (RecPurchaseKind) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown model \"%s\"", text_to_cstring(kind)),
			 errhint("The models are \"%s\" and \"%s\".", kind_names[0], kind_names[1])));
}

static void
refuse_customer(const char *problem, int32 frequency, double recency, double age)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", problem),
			 errdetail("The frequency is %d, the recency %g, the age %g.",
					   frequency, recency, age),
			 errhint("The frequency is the number of repeat purchases; recency and age are the times from the first purchase to the last one and to now.")));
}

/* Return a customer's numbers, which must make sense. */
static RecPurchases
check_customer(int32 frequency, double recency, double age)
{
	RecPurchases customer;

	if (frequency < 0)
		refuse_customer("frequency must be greater than or equal to zero", frequency, recency, age);
	if (!isfinite(recency) || recency < 0)
		refuse_customer("recency must be a finite number greater than or equal to zero",
						frequency, recency, age);
	if (!isfinite(age) || age < 0)
		refuse_customer("age must be a finite number greater than or equal to zero",
						frequency, recency, age);
	if (recency > age * (1 + ROUNDING))
		refuse_customer("recency must not exceed age", frequency, recency, age);
	if (frequency == 0 && recency > 0)
		refuse_customer("recency must be zero without a repeat purchase", frequency, recency, age);
	if (frequency > 0 && recency == 0)
		refuse_customer("recency must not be zero with a repeat purchase", frequency, recency, age);
	customer.frequency = frequency;
	customer.recency = Min(recency, age);
	customer.age = age;
	return customer;
}

/* ----------------
 *		the state
 * ----------------
 */

static ModelState *
create_state(MemoryContext mcxt, RecPurchaseKind kind)
{
	ModelState *state = MemoryContextAllocZero(mcxt, sizeof(ModelState));

	state->kind = kind;
	state->patterns = rec_pattern_create(mcxt);
	return state;
}

static void
require_kind(const ModelState *state, RecPurchaseKind kind)
{
	if (state->kind != kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model must be the same for all rows of a group")));
}

/*
 * purchase_model_agg's transition: (state, frequency, recency, age[, model]).
 * A row with a NULL number does not count.
 */
PG_FUNCTION_INFO_V1(rec_purchase_model_transition);
Datum
rec_purchase_model_transition(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	RecPurchaseKind kind = get_kind(fcinfo);
	RecPurchases customer;
	ModelState *state;

	if (PG_ARGISNULL(0))
		state = create_state(mcxt, kind);
	else
	{
		state = (ModelState *) PG_GETARG_POINTER(0);
		require_kind(state, kind);
	}
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_POINTER(state);
	customer = check_customer(PG_GETARG_INT32(1), PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3));
	rec_pattern_add(state->patterns, customer.frequency, customer.recency, customer.age);
	PG_RETURN_POINTER(state);
}

static void
check_mean_value(int32 frequency, double mean_value)
{
	if (frequency < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("frequency must be greater than or equal to zero"),
				 errdetail("The frequency is %d.", frequency)));
	if (!isfinite(mean_value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mean_value must be a finite number"),
				 errdetail("The mean value is %g.", mean_value)));
}

/*
 * spend_model_agg's transition: (state, frequency, mean_value).  A row with a
 * NULL, with frequency 0 or without a positive value does not count.
 */
PG_FUNCTION_INFO_V1(rec_spend_model_transition);
Datum
rec_spend_model_transition(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	ModelState *state;

	if (PG_ARGISNULL(0))
		state = create_state(mcxt, REC_PURCHASE_MBG);
	else
		state = (ModelState *) PG_GETARG_POINTER(0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_POINTER(state);
	check_mean_value(PG_GETARG_INT32(1), PG_GETARG_FLOAT8(2));
	if (PG_GETARG_INT32(1) > 0 && PG_GETARG_FLOAT8(2) > 0)
		rec_pattern_add(state->patterns, PG_GETARG_INT32(1), PG_GETARG_FLOAT8(2), 0);
	PG_RETURN_POINTER(state);
}

/* Combine function of both aggregates: adds the second state to the first. */
PG_FUNCTION_INFO_V1(rec_customer_model_combine);
Datum
rec_customer_model_combine(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	ModelState *state = PG_ARGISNULL(0) ? NULL : (ModelState *) PG_GETARG_POINTER(0);
	const ModelState *other = PG_ARGISNULL(1) ? NULL : (ModelState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = create_state(mcxt, other->kind);
	require_kind(state, other->kind);
	rec_pattern_append(state->patterns, other->patterns);
	PG_RETURN_POINTER(state);
}

/* Serialize function of both aggregates; deserialize reads the same bytes. */
PG_FUNCTION_INFO_V1(rec_customer_model_serialize);
Datum
rec_customer_model_serialize(PG_FUNCTION_ARGS)
{
	const ModelState *state = (const ModelState *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	rec_pattern_merge(state->patterns);
	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, STATE_VERSION);
	pq_sendbyte(&buffer, state->kind);
	rec_pattern_send(&buffer, state->patterns);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

static void
refuse_state(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("serialized state of a customer model is not valid")));
}

/*
 * Deserialize function of both aggregates.  The state lives only until it is
 * combined, in the current context.  Bytes that were not made by serialize are
 * an ERROR.
 */
PG_FUNCTION_INFO_V1(rec_customer_model_deserialize);
Datum
rec_customer_model_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buffer;
	ModelState *state;
	int			kind;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	buffer.data = VARDATA_ANY(bytes);
	buffer.len = buffer.maxlen = VARSIZE_ANY_EXHDR(bytes);
	buffer.cursor = 0;
	if (pq_getmsgbyte(&buffer) != STATE_VERSION)
		refuse_state();
	kind = pq_getmsgbyte(&buffer);
	if (kind >= (int) lengthof(kind_names))
		refuse_state();
	state = create_state(CurrentMemoryContext, (RecPurchaseKind) kind);
	if (!rec_pattern_receive(&buffer, state->patterns))
		refuse_state();
	PG_RETURN_POINTER(state);
}

/* Return a copy of a state's patterns, which a fit may scale. */
static RecPatterns *
copy_patterns(const ModelState *state)
{
	RecPatterns *copy = MemoryContextAllocZero(state->patterns->mcxt, sizeof(RecPatterns));

	rec_pattern_merge(state->patterns);
	*copy = *state->patterns;
	copy->allocated = Max(copy->count, 1);
	copy->pattern = rec_memory_budget_alloc(copy->mcxt, copy->allocated, sizeof(RecPattern));
	memcpy(copy->pattern, state->patterns->pattern, copy->count * sizeof(RecPattern));
	return copy;
}

static void
free_copy(RecPatterns *copy)
{
	pfree(copy->pattern);
	pfree(copy);
}

static void
warn_of_no_maximum(const char *model)
{
	ereport(WARNING,
			(errmsg("the %s model did not converge", model),
			 errdetail("Its parameters are the best ones found."),
			 errhint("There may be too few rows, or rows that are all alike.")));
}

/* ----------------
 *		results
 * ----------------
 */

/* Return a row of the composite type that a function returns. */
static Datum
form_result(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	TupleDesc	desc = (TupleDesc) fcinfo->flinfo->fn_extra;

	if (desc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		desc = lookup_rowtype_tupdesc_copy(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
		fcinfo->flinfo->fn_extra = BlessTupleDesc(desc);
		MemoryContextSwitchTo(old);
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/*
 * purchase_model_agg's final function: a row of purchase_model, without
 * parameters when there are fewer than 100 customers or no repeater; NULL when
 * there was no row.
 */
PG_FUNCTION_INFO_V1(rec_purchase_model_final);
Datum
rec_purchase_model_final(PG_FUNCTION_ARGS)
{
	const ModelState *state;
	RecPurchaseModel model;
	RecPatterns *patterns;
	Datum		values[PURCHASE_NCOLS];
	bool		nulls[PURCHASE_NCOLS] = {0};

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (const ModelState *) PG_GETARG_POINTER(0);
	patterns = copy_patterns(state);
	rec_purchase_fit(&model, state->kind, patterns);
	free_copy(patterns);
	if (model.fitted && !model.converged)
		warn_of_no_maximum("purchase");
	values[0] = CStringGetTextDatum(kind_names[model.kind]);
	values[1] = Float8GetDatum(model.r);
	values[2] = Float8GetDatum(model.alpha);
	values[3] = Float8GetDatum(model.a);
	values[4] = Float8GetDatum(model.b);
	values[5] = Float8GetDatum(model.log_likelihood);
	values[6] = Int64GetDatum(model.users);
	values[7] = Int64GetDatum(model.repeaters);
	values[8] = BoolGetDatum(model.dropout);
	values[9] = BoolGetDatum(model.converged);
	if (!model.fitted)
	{
		for (int i = 1; i <= 5; i++)
			nulls[i] = true;
		nulls[8] = nulls[9] = true;
	}
	return form_result(fcinfo, values, nulls);
}

static Datum
float8_or_null(double value, bool *is_null)
{
	*is_null = isnan(value);
	return Float8GetDatum(value);
}

/*
 * spend_model_agg's final function: a row of spend_model, without parameters
 * when fewer than 100 customers count; NULL when there was no row.
 */
PG_FUNCTION_INFO_V1(rec_spend_model_final);
Datum
rec_spend_model_final(PG_FUNCTION_ARGS)
{
	RecSpendModel model;
	RecPatterns *patterns;
	Datum		values[SPEND_NCOLS];
	bool		nulls[SPEND_NCOLS] = {0};

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	patterns = copy_patterns((const ModelState *) PG_GETARG_POINTER(0));
	rec_spend_fit(&model, patterns);
	free_copy(patterns);
	if (model.fitted && !model.converged)
		warn_of_no_maximum("spend");
	values[0] = Float8GetDatum(model.p);
	values[1] = Float8GetDatum(model.q);
	values[2] = Float8GetDatum(model.v);
	values[3] = float8_or_null(model.population_mean, &nulls[3]);
	values[4] = float8_or_null(model.correlation, &nulls[4]);
	values[5] = Float8GetDatum(model.log_likelihood);
	values[6] = Int64GetDatum(model.users);
	values[7] = BoolGetDatum(model.converged);
	if (!model.fitted)
	{
		for (int i = 0; i <= 5; i++)
			nulls[i] = true;
		nulls[7] = true;
	}
	return form_result(fcinfo, values, nulls);
}

/* ----------------
 *		forecasts
 * ----------------
 */

static void
require_parameter(const char *name, double value, bool may_be_zero)
{
	if (!isfinite(value) || value < 0 || (value == 0 && !may_be_zero))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"%s\" of the model must be a finite number greater than %szero",
						name, may_be_zero ? "or equal to " : ""),
				 errdetail("It is %g.", value)));
}

/* Read a purchase model's parameters; return false when it has none. */
static bool
read_purchase_model(Datum row, RecPurchaseModel *model)
{
	Datum		values[PURCHASE_NCOLS];
	bool		nulls[PURCHASE_NCOLS];
	text	   *kind;

	rec_row_array_read(row, PURCHASE_NCOLS, values, nulls);
	for (int i = 0; i <= 4; i++)
	{
		if (nulls[i])
			return false;
	}
	kind = DatumGetTextPP(values[0]);
	memset(model, 0, sizeof(RecPurchaseModel));
	model->kind = VARSIZE_ANY_EXHDR(kind) == 2 && memcmp(VARDATA_ANY(kind), "bg", 2) == 0 ?
		REC_PURCHASE_BG : REC_PURCHASE_MBG;
	model->r = DatumGetFloat8(values[1]);
	model->alpha = DatumGetFloat8(values[2]);
	model->a = DatumGetFloat8(values[3]);
	model->b = DatumGetFloat8(values[4]);
	require_parameter("r", model->r, false);
	require_parameter("alpha", model->alpha, false);
	require_parameter("a", model->a, true);
	require_parameter("b", model->b, false);
	return true;
}

/*
 * purchase_forecast(model, frequency, recency, age, horizon): what a model
 * predicts of a customer, all times in the model's unit; NULL when the model
 * has no parameters.  STRICT.
 */
PG_FUNCTION_INFO_V1(rec_purchase_forecast);
Datum
rec_purchase_forecast(PG_FUNCTION_ARGS)
{
	double		horizon = PG_GETARG_FLOAT8(4);
	RecPurchases customer = check_customer(PG_GETARG_INT32(1), PG_GETARG_FLOAT8(2),
										   PG_GETARG_FLOAT8(3));
	RecPurchaseModel model;
	RecPurchaseOutlook outlook;
	Datum		values[OUTLOOK_NCOLS];
	bool		nulls[OUTLOOK_NCOLS] = {0};

	if (!isfinite(horizon) || horizon < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon must be a finite number greater than or equal to zero"),
				 errdetail("The horizon is %g.", horizon)));
	if (!read_purchase_model(PG_GETARG_DATUM(0), &model))
		PG_RETURN_NULL();
	outlook = rec_purchase_outlook(&model, &customer, horizon);
	if (!isfinite(outlook.expected))
		float_overflow_error();
	values[0] = Float8GetDatum(outlook.alive);
	values[1] = Float8GetDatum(outlook.expected);
	values[2] = Float8GetDatum(outlook.probability);
	values[3] = float8_or_null(outlook.median_wait, &nulls[3]);
	values[4] = Float8GetDatum(outlook.overdue);
	return form_result(fcinfo, values, nulls);
}

/*
 * spend_forecast(model, frequency, mean_value): the expected value of each of a
 * customer's next purchases.  With frequency 0 the mean value is not looked at.
 * NULL when the model has no parameters or no finite mean, or an argument is
 * NULL that is needed.
 */
PG_FUNCTION_INFO_V1(rec_spend_forecast_sql);
Datum
rec_spend_forecast_sql(PG_FUNCTION_ARGS)
{
	Datum		values[SPEND_NCOLS];
	bool		nulls[SPEND_NCOLS];
	RecSpendModel model = {0};
	int32		frequency;
	double		mean_value;
	double		result;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	frequency = PG_GETARG_INT32(1);
	if (frequency != 0 && PG_ARGISNULL(2))
		PG_RETURN_NULL();
	mean_value = frequency == 0 ? 0 : PG_GETARG_FLOAT8(2);
	check_mean_value(frequency, mean_value);
	if (mean_value < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mean_value must be greater than or equal to zero"),
				 errdetail("The mean value is %g.", mean_value)));
	rec_row_array_read(PG_GETARG_DATUM(0), SPEND_NCOLS, values, nulls);
	if (nulls[0] || nulls[1] || nulls[2])
		PG_RETURN_NULL();
	model.p = DatumGetFloat8(values[0]);
	model.q = DatumGetFloat8(values[1]);
	model.v = DatumGetFloat8(values[2]);
	require_parameter("p", model.p, false);
	require_parameter("q", model.q, false);
	require_parameter("v", model.v, false);
	result = rec_spend_forecast(&model, frequency, mean_value);
	if (isnan(result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}
