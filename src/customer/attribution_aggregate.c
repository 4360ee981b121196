/*-------------------------------------------------------------------------
 *
 * attribution_aggregate.c
 *	  attribution_agg, an aggregate over paths of touchpoints.
 *
 * The state is the paths, touchpoints as numbers.  The final function puts them
 * into an order of their content, in which sums are taken.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/attribution_aggregate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "customer/attribution.h"
#include "customer/row_array.h"
#include "fmgr.h"
#include "interaction/dictionary.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "pg/arguments.h"
#include "pg/compat.h"
#include "pg/memory_budget.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define STATE_VERSION		1	/* first byte of a serialized state */
#define ATTRIBUTION_NCOLS	9	/* of type attribution */

/* A path of the state. */
typedef struct StoredPath
{
	int64		first;			/* place of its first touch */
	int32		ntouches;
	double		conversions;
	double		losses;
	double		value;
} StoredPath;

typedef struct AttributionState
{
	MemoryContext mcxt;			/* of all that follows */
	RecDict    *touchpoints;
	uint32	   *touch;			/* of all paths, one after the other */
	int64		ntouches;
	int64		touches_allocated;
	StoredPath *path;
	int64		npaths;
	int64		paths_allocated;
} AttributionState;

static AttributionState *
create_state(MemoryContext parent)
{
	MemoryContext mcxt = AllocSetContextCreate(parent, "recommender paths",
											   ALLOCSET_DEFAULT_SIZES);
	AttributionState *state = MemoryContextAllocZero(mcxt, sizeof(AttributionState));

	state->mcxt = mcxt;
	state->touchpoints = rec_dictionary_create(TEXTOID, C_COLLATION_OID, mcxt);
	return state;
}

/* Return an array with room for one more, or for many more, elements. */
static void *
grow(AttributionState *state, void *array, int64 *allocated, int64 wanted, Size width)
{
	int64		length = rec_memory_budget_room(*allocated, wanted);
	Size		size;

	if (length == *allocated)
		return array;
	size = mul_size(length, width);
	rec_memory_budget_check(state->mcxt, size);
	*allocated = length;
	if (array == NULL)
		return MemoryContextAllocHuge(state->mcxt, size);
	return repalloc_huge(array, size);
}

/* Begin a path of so many touches; return the place of the first one. */
static uint32 *
begin_path(AttributionState *state, int ntouches, double conversions, double losses, double value)
{
	StoredPath *path;

	state->path = grow(state, state->path, &state->paths_allocated, state->npaths + 1,
					   sizeof(StoredPath));
	state->touch = grow(state, state->touch, &state->touches_allocated,
						state->ntouches + ntouches, sizeof(uint32));
	path = &state->path[state->npaths++];
	path->first = state->ntouches;
	path->ntouches = ntouches;
	path->conversions = conversions;
	path->losses = losses;
	path->value = value;
	state->ntouches += ntouches;
	return state->touch + path->first;
}

/* Return a number argument, 0 for NULL. */
static double
get_amount(FunctionCallInfo fcinfo, int n, const char *name, bool may_be_negative)
{
	double		amount = PG_ARGISNULL(n) ? 0 : PG_GETARG_FLOAT8(n);

	if (!isfinite(amount) || (amount < 0 && !may_be_negative))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(may_be_negative ? "%s must be a finite number" :
						"%s must be a finite number greater than or equal to zero", name),
				 errdetail("It is %g.", amount)));
	return amount;
}

/* Return the touchpoints of a path, at least one, none of them NULL. */
static Datum *
get_path(FunctionCallInfo fcinfo, int *ntouches)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	Datum	   *touches;
	bool	   *nulls;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("path must be an array of one dimension")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &touches, &nulls, ntouches);
	if (*ntouches == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("path must not be empty")));
	for (int i = 0; i < *ntouches; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("path must not contain nulls")));
	}
	return touches;
}

/*
 * attribution_agg's transition: (state, path, conversions, losses, value).  A
 * row without a path does not count, nor does one that has ended in no way; NULL
 * numbers are 0.
 */
PG_FUNCTION_INFO_V1(rec_attribution_transition);
Datum
rec_attribution_transition(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	AttributionState *state = PG_ARGISNULL(0) ? create_state(mcxt) :
	(AttributionState *) PG_GETARG_POINTER(0);
	double		conversions = get_amount(fcinfo, 2, "conversions", false);
	double		losses = get_amount(fcinfo, 3, "losses", false);
	double		value = get_amount(fcinfo, 4, "value", true);
	Datum	   *touches;
	uint32	   *touch;
	int			ntouches;

	if (value != 0 && conversions == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a path without conversions has no value"),
				 errdetail("The value is %g.", value)));
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);
	touches = get_path(fcinfo, &ntouches);
	if (conversions + losses == 0)
		PG_RETURN_POINTER(state);
	touch = begin_path(state, ntouches, conversions, losses, value);
	for (int i = 0; i < ntouches; i++)
		touch[i] = rec_dictionary_intern(state->touchpoints, touches[i]);
	PG_RETURN_POINTER(state);
}

/* attribution_agg's combine function: adds the second state to the first. */
PG_FUNCTION_INFO_V1(rec_attribution_combine);
Datum
rec_attribution_combine(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	AttributionState *state = PG_ARGISNULL(0) ? NULL : (AttributionState *) PG_GETARG_POINTER(0);
	const AttributionState *other = PG_ARGISNULL(1) ? NULL : (AttributionState *) PG_GETARG_POINTER(1);
	uint32	   *number;

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = create_state(mcxt);
	number = palloc_extended(mul_size(Max(rec_dictionary_count(other->touchpoints), 1), sizeof(uint32)),
							 MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < rec_dictionary_count(other->touchpoints); i++)
		number[i] = rec_dictionary_intern(state->touchpoints, rec_dictionary_id(other->touchpoints, i));
	for (int64 i = 0; i < other->npaths; i++)
	{
		const StoredPath *path = &other->path[i];
		uint32	   *touch = begin_path(state, path->ntouches, path->conversions, path->losses,
									   path->value);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < path->ntouches; j++)
			touch[j] = number[other->touch[path->first + j]];
	}
	pfree(number);
	PG_RETURN_POINTER(state);
}

/* attribution_agg's serialize function; deserialize reads the same bytes. */
PG_FUNCTION_INFO_V1(rec_attribution_serialize);
Datum
rec_attribution_serialize(PG_FUNCTION_ARGS)
{
	const AttributionState *state = (const AttributionState *) PG_GETARG_POINTER(0);
	uint32		ntouchpoints = rec_dictionary_count(state->touchpoints);
	StringInfoData buffer;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, STATE_VERSION);
	pq_sendint32(&buffer, ntouchpoints);
	for (uint32 i = 0; i < ntouchpoints; i++)
	{
		text	   *touchpoint = DatumGetTextPP(rec_dictionary_id(state->touchpoints, i));

		pq_sendint32(&buffer, VARSIZE_ANY_EXHDR(touchpoint));
		pq_sendbytes(&buffer, VARDATA_ANY(touchpoint), VARSIZE_ANY_EXHDR(touchpoint));
	}
	for (int64 i = 0; i < state->npaths; i++)
	{
		const StoredPath *path = &state->path[i];

		pq_sendint32(&buffer, path->ntouches);
		pq_sendfloat8(&buffer, path->conversions);
		pq_sendfloat8(&buffer, path->losses);
		pq_sendfloat8(&buffer, path->value);
		for (int j = 0; j < path->ntouches; j++)
			pq_sendint32(&buffer, state->touch[path->first + j]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

static void
refuse_state(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("serialized state of attribution_agg is not valid")));
}

static void
receive_path(StringInfo buffer, AttributionState *state)
{
	uint32		ntouches = pq_getmsgint(buffer, 4);
	double		conversions = pq_getmsgfloat8(buffer);
	double		losses = pq_getmsgfloat8(buffer);
	double		value = pq_getmsgfloat8(buffer);
	uint32	   *touch;

	if (ntouches < 1 || ntouches > (buffer->len - buffer->cursor) / sizeof(uint32) ||
		!(conversions >= 0) || !(losses >= 0) || !(conversions + losses > 0) ||
		!isfinite(conversions + losses) || !isfinite(value))
		refuse_state();
	touch = begin_path(state, ntouches, conversions, losses, value);
	for (uint32 i = 0; i < ntouches; i++)
	{
		touch[i] = pq_getmsgint(buffer, 4);
		if (touch[i] >= rec_dictionary_count(state->touchpoints))
			refuse_state();
	}
}

/*
 * attribution_agg's deserialize function.  The state lives only until it is
 * combined, in the current context.  Bytes that were not made by serialize are
 * an ERROR.
 */
PG_FUNCTION_INFO_V1(rec_attribution_deserialize);
Datum
rec_attribution_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buffer;
	AttributionState *state;
	uint32		ntouchpoints;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	buffer.data = VARDATA_ANY(bytes);
	buffer.len = buffer.maxlen = VARSIZE_ANY_EXHDR(bytes);
	buffer.cursor = 0;
	if (pq_getmsgbyte(&buffer) != STATE_VERSION)
		refuse_state();
	state = create_state(CurrentMemoryContext);
	ntouchpoints = pq_getmsgint(&buffer, 4);
	for (uint32 i = 0; i < ntouchpoints; i++)
	{
		int			length = pq_getmsgint(&buffer, 4);
		text	   *touchpoint = cstring_to_text_with_len(pq_getmsgbytes(&buffer, length), length);

		if (rec_dictionary_intern(state->touchpoints, PointerGetDatum(touchpoint)) != i)
			refuse_state();
		pfree(touchpoint);
	}
	while (buffer.cursor < buffer.len)
		receive_path(&buffer, state);
	PG_RETURN_POINTER(state);
}

/* ----------------
 *		results
 * ----------------
 */

static inline int
compare_amounts(double a, double b)
{
	return a < b ? -1 : a > b;
}

/* Return the order of two paths, by their touches and then by their numbers. */
static int
compare_paths(const RecPath *a, const RecPath *b)
{
	int			order = 0;

	for (int i = 0; order == 0 && i < Min(a->ntouches, b->ntouches); i++)
		order = a->touch[i] < b->touch[i] ? -1 : a->touch[i] > b->touch[i];
	if (order == 0)
		order = a->ntouches - b->ntouches;
	if (order == 0)
		order = compare_amounts(a->conversions, b->conversions);
	if (order == 0)
		order = compare_amounts(a->losses, b->losses);
	if (order == 0)
		order = compare_amounts(a->value, b->value);
	return order;
}

#define ST_SORT sort_paths
#define ST_ELEMENT_TYPE RecPath
#define ST_COMPARE(a, b) compare_paths(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* Return the paths in the order of their content, touchpoints by their ranks. */
static RecPath *
sorted_paths(const AttributionState *state, const uint32 *rank)
{
	RecPath    *path = rec_memory_budget_alloc(CurrentMemoryContext, state->npaths, sizeof(RecPath));
	uint32	   *touch = rec_memory_budget_alloc(CurrentMemoryContext, state->ntouches, sizeof(uint32));

	for (int64 i = 0; i < state->ntouches; i++)
		touch[i] = rank[state->touch[i]];
	for (int64 i = 0; i < state->npaths; i++)
	{
		path[i].touch = touch + state->path[i].first;
		path[i].ntouches = state->path[i].ntouches;
		path[i].conversions = state->path[i].conversions;
		path[i].losses = state->path[i].losses;
		path[i].value = state->path[i].value;
	}
	sort_paths(path, state->npaths);
	return path;
}

static void
add_attribution(RecRowArray *rows, Datum touchpoint, const RecAttribution *attribution)
{
	Datum		values[ATTRIBUTION_NCOLS];
	bool		nulls[ATTRIBUTION_NCOLS] = {0};

	if (!isfinite(attribution->paths) || !isfinite(attribution->markov) ||
		!isfinite(attribution->markov_value))
		float_overflow_error();
	values[0] = touchpoint;
	values[1] = Float8GetDatum(attribution->paths);
	values[2] = Float8GetDatum(attribution->first);
	values[3] = Float8GetDatum(attribution->last);
	values[4] = Float8GetDatum(attribution->linear);
	values[5] = Float8GetDatum(attribution->shapley);
	values[6] = Float8GetDatum(attribution->markov);
	values[7] = Float8GetDatum(attribution->removal_effect);
	nulls[7] = isnan(attribution->removal_effect);
	values[8] = Float8GetDatum(attribution->markov_value);
	rec_row_array_add(rows, values, nulls);
}

/* Write the touchpoints by falling attribution, equal ones in their order. */
static void
write_attributions(RecRowArray *rows, const AttributionState *state, const uint32 *ordered,
				   const RecAttribution *attribution, int n)
{
	bool	   *written = palloc0(n * sizeof(bool));

	for (int i = 0; i < n; i++)
	{
		int			next = -1;

		for (int j = 0; j < n; j++)
		{
			if (!written[j] && (next < 0 || attribution[j].markov > attribution[next].markov))
				next = j;
		}
		written[next] = true;
		add_attribution(rows, rec_dictionary_id(state->touchpoints, ordered[next]),
						&attribution[next]);
	}
}

/*
 * attribution_agg's final function: an array of attribution, in falling order of
 * markov; NULL when no path counts.
 */
PG_FUNCTION_INFO_V1(rec_attribution_final);
Datum
rec_attribution_final(PG_FUNCTION_ARGS)
{
	const AttributionState *state;
	RecAttribution *attribution;
	RecRowArray rows;
	uint32		n;
	MemoryContext working;
	MemoryContext old;
	Datum		result;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	state = PG_ARGISNULL(0) ? NULL : (const AttributionState *) PG_GETARG_POINTER(0);
	if (state == NULL || state->npaths == 0)
		PG_RETURN_NULL();
	n = rec_dictionary_count(state->touchpoints);
	if (n > REC_ATTRIBUTION_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there must be at most %d touchpoints, not %u", REC_ATTRIBUTION_MAX, n)));
	/* within the state's, so that the two count together */
	working = AllocSetContextCreate(state->mcxt, "recommender attribution", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(working);
	attribution = palloc(n * sizeof(RecAttribution));
	rec_attribution_compute(sorted_paths(state, rec_dictionary_ranks(state->touchpoints, true)),
							state->npaths, n, attribution);
	rows = rec_row_array_begin(fcinfo);
	write_attributions(&rows, state, rec_dictionary_ordered(state->touchpoints, true), attribution, n);
	result = rec_row_array_finish(&rows, old);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(working);
	PG_RETURN_DATUM(result);
}
