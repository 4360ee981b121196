/*-------------------------------------------------------------------------
 *
 * funnel_aggregate.c
 *	  window_funnel and window_funnel_times, aggregates over rows of events.
 *
 * The state is one block of memory, of the events, 12 bytes each, below a head
 * of 32 bytes: there may be millions of groups of a few events, whose memory is
 * what takes time.  A block that is full moves to one of twice the size.  The
 * final functions put the events into their order, which changes no answer, and
 * otherwise leave the state as it is.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/funnel_aggregate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "customer/duration.h"
#include "customer/funnel.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "pg/arguments.h"
#include "pg/compat.h"
#include "pg/memory_budget.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define STATE_VERSION		1	/* first byte of a serialized state */
#define FIRST_BLOCK			64	/* bytes of a state */
#define LARGE_BLOCK			65536	/* from here on the budget is looked at */

static const char *const mode_names[] = {"ordered", "strict", "increasing"};

/* The events of a group, and the arguments that are equal in all its rows. */
typedef struct FunnelState
{
	uint64		within;			/* microseconds, or REC_FUNNEL_NO_LIMIT */
	int64		count;			/* of events */
	int64		allocated;
	uint8		mode;
	uint8		nsteps;			/* 0 as long as all arrays were NULL */
	bool		sorted;
	RecFunnelEvent events[FLEXIBLE_ARRAY_MEMBER];
} FunnelState;

/* ----------------
 *		arguments
 * ----------------
 */

/* Return the argument "within" in microseconds; NULL is no limit. */
static uint64
get_within(FunctionCallInfo fcinfo)
{
	int64		duration;

	if (PG_ARGISNULL(2))
		return REC_FUNNEL_NO_LIMIT;
	duration = rec_duration_of(PG_GETARG_INTERVAL_P(2));
	if (duration < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("within must be greater than or equal to zero")));
	return duration == PG_INT64_MAX ? REC_FUNNEL_NO_LIMIT : (uint64) duration;
}

/* Return the argument "mode"; a call without it means "ordered". */
static RecFunnelMode
get_mode(FunctionCallInfo fcinfo)
{
	text	   *mode;

	if (PG_NARGS() < 5)
		return REC_FUNNEL_ORDERED;
	if (PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("mode must not be null")));
	mode = PG_GETARG_TEXT_PP(4);
	for (int i = 0; i < (int) lengthof(mode_names); i++)
	{
		if (VARSIZE_ANY_EXHDR(mode) == strlen(mode_names[i]) &&
			memcmp(VARDATA_ANY(mode), mode_names[i], VARSIZE_ANY_EXHDR(mode)) == 0)
			return (RecFunnelMode) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown mode \"%s\"", text_to_cstring(mode)),
			 errhint("The modes are \"%s\", \"%s\" and \"%s\".",
					 mode_names[0], mode_names[1], mode_names[2])));
}

/* Return the length of an array of steps, 1 to 32. */
static int
count_steps(ArrayType *array)
{
	if (ARR_NDIM(array) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 ARR_NDIM(array) == 0 ? errmsg("steps must not be empty") :
				 errmsg("steps must be an array of one dimension")));
	if (ARR_DIMS(array)[0] > REC_FUNNEL_MAX_STEPS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be at most %d steps, not %d",
						REC_FUNNEL_MAX_STEPS, ARR_DIMS(array)[0])));
	return ARR_DIMS(array)[0];
}

/* Return the true elements of an array of steps as bits; NULL is false. */
static uint32
true_steps(ArrayType *array, int nsteps)
{
	const bool *value = (const bool *) ARR_DATA_PTR(array);
	const bits8 *present = ARR_NULLBITMAP(array);
	uint32		steps = 0;

	for (int i = 0; i < nsteps; i++)
	{
		if (present && !(present[i / 8] & (1 << (i % 8))))
			continue;
		if (*value++)
			steps |= (uint32) 1 << i;
	}
	return steps;
}

/* ----------------
 *		the state
 * ----------------
 */

/*
 * Return the size of a state for at least so many events.  Small ones are
 * powers of two, as the blocks that memory contexts hand out.
 */
static Size
size_of_state(int64 nevents)
{
	Size		least = add_size(offsetof(FunnelState, events),
								 mul_size(nevents, sizeof(RecFunnelEvent)));
	Size		size = FIRST_BLOCK;

	if (least > LARGE_BLOCK)
		return least;
	while (size < least)
		size *= 2;
	return size;
}

static FunnelState *
create_state(MemoryContext mcxt, uint64 within, RecFunnelMode mode, int64 nevents)
{
	Size		size = size_of_state(nevents);
	FunnelState *state = MemoryContextAllocHuge(mcxt, size);

	state->within = within;
	state->mode = mode;
	state->nsteps = 0;
	state->sorted = true;
	state->count = 0;
	state->allocated = (size - offsetof(FunnelState, events)) / sizeof(RecFunnelEvent);
	return state;
}

/* Note how many steps there are, which must be as many in all rows. */
static void
note_steps(FunnelState *state, int nsteps)
{
	if (state->nsteps == 0)
		state->nsteps = nsteps;
	else if (state->nsteps != nsteps)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be as many steps in all rows of a group"),
				 errdetail("One row has %d, another one %d.",
						   Min(state->nsteps, nsteps), Max(state->nsteps, nsteps))));
}

static void
require_equal_arguments(const FunnelState *state, uint64 within, RecFunnelMode mode)
{
	if (state->within != within || state->mode != mode)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be the same for all rows of a group",
						state->mode != mode ? "mode" : "within")));
}

/* Refuse an array of events that is beyond maintenance_work_mem. */
static void
check_memory(Size need)
{
	Size		limit = (Size) maintenance_work_mem * 1024;

	if (need > limit)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("the rows of a group do not fit into maintenance_work_mem"),
				 errdetail("At least %zu MB are needed, the limit is %zu MB.",
						   need / (1024 * 1024) + 1, limit / (1024 * 1024)),
				 errhint("Set maintenance_work_mem to at least \"%zuMB\" for this session.",
						 (need + need / 2) / (1024 * 1024) + 1)));
}

/* Return a state, perhaps at another place, with room for "more" events. */
static FunnelState *
reserve(FunnelState *state, int64 more)
{
	int64		wanted = state->count + more;
	Size		size;

	if (wanted <= state->allocated)
		return state;
	size = size_of_state(wanted);
	if (size > LARGE_BLOCK)
	{
		size = size_of_state(rec_memory_budget_room(state->allocated, wanted));
		check_memory(size);
	}
	state = repalloc_huge(state, size);
	state->allocated = (size - offsetof(FunnelState, events)) / sizeof(RecFunnelEvent);
	return state;
}

/* Add an event for which there is room. */
static inline void
add_event(FunnelState *state, RecFunnelEvent event)
{
	state->events[state->count] = event;
	if (state->count > 0 && state->sorted)
		state->sorted = rec_funnel_compare(&state->events[state->count - 1],
										   &state->events[state->count]) <= 0;
	state->count++;
}

/*
 * Transition of window_funnel and window_funnel_times: (state, at, within,
 * steps[, mode]).  A row without a time, or with an infinite one, does not
 * count; an event that satisfies no step is kept only in mode "strict".
 */
PG_FUNCTION_INFO_V1(rec_window_funnel_transition);
Datum
rec_window_funnel_transition(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	uint64		within = get_within(fcinfo);
	RecFunnelMode mode = get_mode(fcinfo);
	uint32		steps = 0;
	FunnelState *state;
	TimestampTz at;

	if (PG_ARGISNULL(0))
		state = create_state(mcxt, within, mode, 1);
	else
	{
		state = (FunnelState *) PG_GETARG_POINTER(0);
		require_equal_arguments(state, within, mode);
	}
	if (!PG_ARGISNULL(3))
	{
		ArrayType  *array = PG_GETARG_ARRAYTYPE_P(3);
		int			nsteps = count_steps(array);

		note_steps(state, nsteps);
		steps = true_steps(array, nsteps);
	}
	if (PG_ARGISNULL(1) || (steps == 0 && mode != REC_FUNNEL_STRICT))
		PG_RETURN_POINTER(state);
	at = PG_GETARG_TIMESTAMPTZ(1);
	if (TIMESTAMP_NOT_FINITE(at))
		PG_RETURN_POINTER(state);
	state = reserve(state, 1);
	add_event(state, rec_funnel_event(at, steps));
	PG_RETURN_POINTER(state);
}

/* Combine function of the funnels: adds the second state to the first. */
PG_FUNCTION_INFO_V1(rec_window_funnel_combine);
Datum
rec_window_funnel_combine(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	FunnelState *state = PG_ARGISNULL(0) ? NULL : (FunnelState *) PG_GETARG_POINTER(0);
	const FunnelState *other = PG_ARGISNULL(1) ? NULL : (FunnelState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = create_state(mcxt, other->within, other->mode, other->count);
	require_equal_arguments(state, other->within, other->mode);
	if (other->nsteps > 0)
		note_steps(state, other->nsteps);
	state = reserve(state, other->count);
	for (int64 i = 0; i < other->count; i++)
		add_event(state, other->events[i]);
	PG_RETURN_POINTER(state);
}

/* Serialize function of the funnels; deserialize reads the same bytes. */
PG_FUNCTION_INFO_V1(rec_window_funnel_serialize);
Datum
rec_window_funnel_serialize(PG_FUNCTION_ARGS)
{
	const FunnelState *state = (const FunnelState *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, STATE_VERSION);
	pq_sendbyte(&buffer, state->mode);
	pq_sendbyte(&buffer, state->nsteps);
	pq_sendint64(&buffer, state->within);
	pq_sendbytes(&buffer, (const char *) state->events,
				 state->count * sizeof(RecFunnelEvent));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

static void
refuse_state(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("serialized state of window_funnel is not valid")));
}

/*
 * Deserialize function of the funnels.  The state lives only until it is
 * combined, in the current context.  Bytes that were not made by serialize
 * are an ERROR.
 */
PG_FUNCTION_INFO_V1(rec_window_funnel_deserialize);
Datum
rec_window_funnel_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	FunnelState *state;
	StringInfoData buffer;
	uint32		known_steps;
	int			mode;
	int			nsteps;
	uint64		within;
	int			rest;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	buffer.data = VARDATA_ANY(bytes);
	buffer.len = buffer.maxlen = VARSIZE_ANY_EXHDR(bytes);
	buffer.cursor = 0;
	if (pq_getmsgbyte(&buffer) != STATE_VERSION)
		refuse_state();
	mode = pq_getmsgbyte(&buffer);
	nsteps = pq_getmsgbyte(&buffer);
	within = (uint64) pq_getmsgint64(&buffer);
	rest = buffer.len - buffer.cursor;
	if (mode >= (int) lengthof(mode_names) || nsteps > REC_FUNNEL_MAX_STEPS ||
		rest % sizeof(RecFunnelEvent) != 0)
		refuse_state();
	state = create_state(CurrentMemoryContext, within, (RecFunnelMode) mode,
						 rest / sizeof(RecFunnelEvent));
	state->nsteps = nsteps;
	state->count = rest / sizeof(RecFunnelEvent);
	pq_copymsgbytes(&buffer, (char *) state->events, rest);
	pq_getmsgend(&buffer);
	known_steps = (uint32) ((UINT64CONST(1) << nsteps) - 1);
	for (int64 i = 0; i < state->count; i++)
	{
		if ((state->events[i].steps & ~known_steps) != 0 ||
			TIMESTAMP_NOT_FINITE(rec_funnel_time(&state->events[i])))
			refuse_state();
	}
	PG_RETURN_POINTER(state);
}

/* ----------------
 *		results
 * ----------------
 */

/* Return the deepest chain of a state's events; of depth 0 without any. */
static RecFunnelChain
deepest_chain(FunctionCallInfo fcinfo, FunnelState *state)
{
	RecFunnelChain none = {0};

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	if (state == NULL)
		return none;
	if (!state->sorted)
		rec_funnel_sort(state->events, state->count);
	state->sorted = true;
	return rec_funnel_deepest(state->events, state->count, state->within, state->mode);
}

/* window_funnel's final function: the number of steps reached, 0 to 32. */
PG_FUNCTION_INFO_V1(rec_window_funnel_final);
Datum
rec_window_funnel_final(PG_FUNCTION_ARGS)
{
	FunnelState *state = PG_ARGISNULL(0) ? NULL : (FunnelState *) PG_GETARG_POINTER(0);

	PG_RETURN_INT32(deepest_chain(fcinfo, state).depth);
}

/*
 * window_funnel_times' final function: the time of each step reached, an empty
 * array when none was.
 */
PG_FUNCTION_INFO_V1(rec_window_funnel_times_final);
Datum
rec_window_funnel_times_final(PG_FUNCTION_ARGS)
{
	FunnelState *state = PG_ARGISNULL(0) ? NULL : (FunnelState *) PG_GETARG_POINTER(0);
	RecFunnelChain chain = deepest_chain(fcinfo, state);
	TimestampTz times[REC_FUNNEL_MAX_STEPS];
	Datum		values[REC_FUNNEL_MAX_STEPS];

	if (chain.depth == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(TIMESTAMPTZOID));
	rec_funnel_chain_times(state->events, state->count, state->mode, &chain, times);
	for (int i = 0; i < chain.depth; i++)
		values[i] = TimestampTzGetDatum(times[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, chain.depth, TIMESTAMPTZOID,
										  sizeof(TimestampTz), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}
