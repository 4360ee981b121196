/*-------------------------------------------------------------------------
 *
 * position_bias_aggregate.c
 *	  How likely a place in a list is looked at, as an SQL aggregate.
 *
 * The state is the rows, 24 bytes each, and the items' ids.  Items are numbered
 * in the order of their texts at the end, so that the order of rows changes
 * nothing but roundings.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/position_bias_aggregate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "experiment/number_argument.h"
#include "experiment/position_bias.h"
#include "fmgr.h"
#include "interaction/dictionary.h"
#include "pg/arguments.h"
#include "pg/memory_budget.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define EXAMINATION_NCOLS	7	/* of position_examination */
#define ALPHA				0.05	/* of its intervals */

typedef struct PositionState
{
	MemoryContext mcxt;			/* owns all of it */
	RecDict    *items;			/* texts */
	RecPlacement *placement;
	int64		count;
	int64		allocated;
} PositionState;

static PositionState *
create_state(MemoryContext parent)
{
	MemoryContext mcxt = AllocSetContextCreate(parent, "recommender position bias",
											   ALLOCSET_DEFAULT_SIZES);
	PositionState *state = MemoryContextAllocZero(mcxt, sizeof(PositionState));

	state->mcxt = mcxt;
	state->items = rec_dictionary_create(TEXTOID, C_COLLATION_OID, mcxt);
	return state;
}

static void
add_placement(PositionState *state, RecPlacement placement)
{
	if (state->count == state->allocated)
	{
		int64		wanted = rec_memory_budget_room(Max(state->allocated, 256), state->count + 1);
		Size		size = mul_size(wanted, sizeof(RecPlacement));

		rec_memory_budget_check(state->mcxt, size);
		state->placement = state->placement ? repalloc_huge(state->placement, size)
			: MemoryContextAllocHuge(state->mcxt, size);
		state->allocated = wanted;
	}
	state->placement[state->count++] = placement;
}

/* position_bias's transition: (state, item, rank, shown, clicked). */
PG_FUNCTION_INFO_V1(rec_position_bias_transition);
Datum
rec_position_bias_transition(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	PositionState *state = PG_ARGISNULL(0) ? create_state(mcxt) : (PositionState *) PG_GETARG_POINTER(0);
	RecPlacement placement;

	if (rec_number_argument_any_null(fcinfo, 1, 4))
		PG_RETURN_POINTER(state);
	placement.rank = PG_GETARG_INT32(2);
	rec_number_argument_check(placement.rank, 1, REC_MOST_RANKS, "rank");
	placement.shown = rec_number_argument_count(fcinfo, 3, 0, "shown");
	placement.clicked = rec_number_argument_count(fcinfo, 4, 0, "clicked");
	rec_number_argument_check(placement.clicked, 0, placement.shown, "clicked");
	placement.item = (int) rec_dictionary_intern(state->items, PG_GETARG_DATUM(1));
	add_placement(state, placement);
	PG_RETURN_POINTER(state);
}

static Datum
make_row(TupleDesc desc, int rank, const RecExamination *examination)
{
	double		number[3] = {examination->examination, examination->ci_low, examination->ci_high};
	Datum		value[EXAMINATION_NCOLS];
	bool		null[EXAMINATION_NCOLS] = {false};

	value[0] = Int32GetDatum(rank);
	for (int i = 0; i < 3; i++)
	{
		value[1 + i] = Float8GetDatum(number[i]);
		null[1 + i] = isnan(number[i]);
	}
	value[4] = Int64GetDatum((int64) examination->shown);
	value[5] = Int64GetDatum((int64) examination->clicked);
	value[6] = Int32GetDatum(examination->pairs);
	return heap_copy_tuple_as_datum(heap_form_tuple(desc, value, null), desc);
}

/* position_bias's final function: a row for each rank, NULL without rows. */
PG_FUNCTION_INFO_V1(rec_position_bias_final);
Datum
rec_position_bias_final(PG_FUNCTION_ARGS)
{
	const PositionState *state = PG_ARGISNULL(0) ? NULL : (const PositionState *) PG_GETARG_POINTER(0);
	Oid			type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	RecExamination examination[REC_MOST_RANKS];
	Datum		row[REC_MOST_RANKS];
	RecPlacement *placement;
	uint32	   *place;
	TupleDesc	desc;
	int			n;

	if (state == NULL || state->count == 0)
		PG_RETURN_NULL();
	if (!OidIsValid(type))
		elog(ERROR, "aggregate does not return an array");
	/* a copy, as the state must stay */
	rec_memory_budget_check(state->mcxt, state->count * sizeof(RecPlacement));
	placement = MemoryContextAllocHuge(CurrentMemoryContext, mul_size(state->count, sizeof(RecPlacement)));
	memcpy(placement, state->placement, state->count * sizeof(RecPlacement));
	place = rec_dictionary_ranks(state->items, true);
	for (int64 i = 0; i < state->count; i++)
		placement[i].item = (int) place[placement[i].item];
	n = rec_position_bias_estimate(placement, state->count, ALPHA, examination);
	desc = lookup_rowtype_tupdesc(type, -1);
	if (desc->natts != EXAMINATION_NCOLS)
		elog(ERROR, "row of a rank has %d columns, not %d", desc->natts, EXAMINATION_NCOLS);
	for (int i = 0; i < n; i++)
		row[i] = make_row(desc, i + 1, &examination[i]);
	ReleaseTupleDesc(desc);
	pfree(placement);
	PG_RETURN_ARRAYTYPE_P(construct_array(row, n, type, -1, false, TYPALIGN_DOUBLE));
}
