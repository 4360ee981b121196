/*-------------------------------------------------------------------------
 *
 * disparity_aggregate.c
 *	  How much the means of groups differ, as an SQL aggregate.
 *
 * The state is the values, 16 bytes each, and the groups' names.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/disparity_aggregate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "experiment/disparity.h"
#include "experiment/number_argument.h"
#include "fmgr.h"
#include "interaction/dictionary.h"
#include "pg/arguments.h"
#include "pg/memory_budget.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define DISPARITY_NCOLS		7	/* of group_disparity */
#define RESAMPLES			1000	/* unless they are given */
#define MOST_RESAMPLES		100000
#define MOST_GROUPS			1000

typedef struct DisparityState
{
	MemoryContext mcxt;			/* owns all of it */
	RecDict    *groups;			/* texts */
	RecGroupValue *value;
	int64		count;
	int64		allocated;
	int			resamples;
	int64		seed;
} DisparityState;

static DisparityState *
create_state(MemoryContext parent)
{
	MemoryContext mcxt = AllocSetContextCreate(parent, "recommender disparity",
											   ALLOCSET_DEFAULT_SIZES);
	DisparityState *state = MemoryContextAllocZero(mcxt, sizeof(DisparityState));

	state->mcxt = mcxt;
	state->groups = rec_dictionary_create(TEXTOID, C_COLLATION_OID, mcxt);
	state->resamples = RESAMPLES;
	return state;
}

static void
add_value(DisparityState *state, RecGroupValue value)
{
	if (state->count == state->allocated)
	{
		int64		wanted = rec_memory_budget_room(Max(state->allocated, 256), state->count + 1);
		Size		size = mul_size(wanted, sizeof(RecGroupValue));

		rec_memory_budget_check(state->mcxt, size);
		state->value = state->value ? repalloc_huge(state->value, size)
			: MemoryContextAllocHuge(state->mcxt, size);
		state->allocated = wanted;
	}
	state->value[state->count++] = value;
}

/* Take resamples and seed of a row, which must be those of all others. */
static void
take_options(FunctionCallInfo fcinfo, DisparityState *state)
{
	int			resamples;
	int64		seed;

	if (PG_NARGS() < 5 || rec_number_argument_any_null(fcinfo, 3, 4))
		return;
	resamples = PG_GETARG_INT32(3);
	seed = PG_GETARG_INT64(4);
	rec_number_argument_check(resamples, 0, MOST_RESAMPLES, "resamples");
	if (state->count > 0 && (resamples != state->resamples || seed != state->seed))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("resamples and seed must be equal in all rows")));
	state->resamples = resamples;
	state->seed = seed;
}

/*
 * disparity's transition: (state, group, value[, resamples, seed]).  NULL is a
 * group of its own; a row without a value does not count.
 */
PG_FUNCTION_INFO_V1(rec_disparity_transition);
Datum
rec_disparity_transition(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	DisparityState *state = PG_ARGISNULL(0) ? create_state(mcxt) : (DisparityState *) PG_GETARG_POINTER(0);
	RecGroupValue value;

	if (PG_ARGISNULL(2))
		PG_RETURN_POINTER(state);
	take_options(fcinfo, state);
	value.value = rec_number_argument_finite(fcinfo, 2, "value");
	value.group = PG_ARGISNULL(1) ? -1 : (int) rec_dictionary_intern(state->groups, PG_GETARG_DATUM(1));
	if (value.group >= MOST_GROUPS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there must be at most %d groups", MOST_GROUPS)));
	add_value(state, value);
	PG_RETURN_POINTER(state);
}

/* Return a row of (group_value, measure, value, ci_low, ci_high, n, p_value). */
static Datum
make_row(TupleDesc desc, const char *group, const char *measure, const RecGroupMean *mean, double p_value)
{
	double		number[3] = {mean->mean, mean->ci_low, mean->ci_high};
	Datum		value[DISPARITY_NCOLS];
	bool		null[DISPARITY_NCOLS] = {false};

	null[0] = group == NULL;
	value[0] = group ? CStringGetTextDatum(group) : (Datum) 0;
	value[1] = CStringGetTextDatum(measure);
	for (int i = 0; i < 3; i++)
	{
		value[2 + i] = Float8GetDatum(number[i]);
		null[2 + i] = isnan(number[i]);
	}
	value[5] = Int64GetDatum((int64) mean->n);
	value[6] = Float8GetDatum(p_value);
	null[6] = isnan(p_value);
	return heap_copy_tuple_as_datum(heap_form_tuple(desc, value, null), desc);
}

/* Return a copy of the values, with groups in the order of their names, NULL last. */
static RecGroupValue *
ordered_values(const DisparityState *state, int *ngroups)
{
	Size		size = mul_size(state->count, sizeof(RecGroupValue));
	RecGroupValue *value;
	uint32	   *place = rec_dictionary_ranks(state->groups, true);
	int			named = (int) rec_dictionary_count(state->groups);
	bool		has_null = false;

	rec_memory_budget_check(state->mcxt, size);
	value = MemoryContextAllocHuge(CurrentMemoryContext, size);
	memcpy(value, state->value, size);
	for (int64 i = 0; i < state->count; i++)
	{
		has_null = has_null || value[i].group < 0;
		value[i].group = value[i].group < 0 ? named : (int) place[value[i].group];
	}
	*ngroups = named + has_null;
	return value;
}

/* disparity's final function: the groups and three disparities; NULL without rows. */
PG_FUNCTION_INFO_V1(rec_disparity_final);
Datum
rec_disparity_final(PG_FUNCTION_ARGS)
{
	const DisparityState *state = PG_ARGISNULL(0) ? NULL : (const DisparityState *) PG_GETARG_POINTER(0);
	Oid			type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	double		disparity[REC_DISPARITIES];
	double		p_value[REC_DISPARITIES];
	RecGroupMean *mean;
	RecGroupValue *value;
	uint32	   *order;
	Datum	   *row;
	TupleDesc	desc;
	int			ngroups;

	if (state == NULL || state->count == 0)
		PG_RETURN_NULL();
	if (!OidIsValid(type))
		elog(ERROR, "aggregate does not return an array");
	desc = lookup_rowtype_tupdesc(type, -1);
	if (desc->natts != DISPARITY_NCOLS)
		elog(ERROR, "row of a group has %d columns, not %d", desc->natts, DISPARITY_NCOLS);
	value = ordered_values(state, &ngroups);
	order = rec_dictionary_ordered(state->groups, true);
	mean = palloc_array(RecGroupMean, ngroups);
	row = palloc_array(Datum, ngroups + REC_DISPARITIES);
	/* sorted, so that means do not depend on the order of rows either */
	rec_disparity_compute(value, state->count, ngroups, 0, 0, disparity, p_value);
	rec_disparity_means(value, state->count, ngroups, mean);
	for (int i = 0; i < ngroups; i++)
		row[i] = make_row(desc, i < (int) rec_dictionary_count(state->groups)
						  ? rec_dictionary_text(state->groups, order[i]) : NULL, "mean", &mean[i], NAN);
	rec_disparity_compute(value, state->count, ngroups, state->resamples, state->seed, disparity, p_value);
	for (int i = 0; i < REC_DISPARITIES; i++)
		row[ngroups + i] = make_row(desc, NULL, rec_disparity_name(i),
									&(RecGroupMean) {state->count, disparity[i], NAN, NAN}, p_value[i]);
	ReleaseTupleDesc(desc);
	pfree(value);
	PG_RETURN_ARRAYTYPE_P(construct_array(row, ngroups + REC_DISPARITIES, type, -1, false, TYPALIGN_DOUBLE));
}
