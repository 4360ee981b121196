/*-------------------------------------------------------------------------
 *
 * session.c
 *	  The number of the session that a row belongs to, as a window function.
 *
 * A session ends where the time since the row before is greater than a gap.
 * Rows come in order of time; the state is the last time and the number, and
 * rows that were read are let go of at once.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/session.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "customer/duration.h"
#include "fmgr.h"
#include "windowapi.h"

/* What is known of a partition's rows so far; starts as all zeroes. */
typedef struct SessionState
{
	int32		number;			/* of the session; 0 before the first row */
	TimestampTz last;			/* time of the last row that had one */
} SessionState;

/* Return the gap of the current row, a duration of 0 or more. */
static int64
current_gap(WindowObject window)
{
	bool		is_null;
	Datum		gap = WinGetFuncArgCurrent(window, 1, &is_null);
	int64		duration = is_null ? -1 : rec_duration_of(DatumGetIntervalP(gap));

	if (is_null)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("gap must not be null")));
	if (duration < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("gap must be greater than or equal to zero")));
	return duration;
}

static void
begin_next_session(SessionState *state)
{
	if (state->number == PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("integer out of range")));
	state->number++;
}

/*
 * session_number(at, gap) OVER (PARTITION BY user ORDER BY at): 1 for the
 * first row of a partition, one more for each row whose time is more than its
 * gap after that of the row before.  A NULL or infinite time has the number
 * NULL and ends no session.  A time before that of the row before is an ERROR.
 */
PG_FUNCTION_INFO_V1(rec_session_number);
Datum
rec_session_number(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	SessionState *state = WinGetPartitionLocalMemory(window, sizeof(SessionState));
	int64		gap = current_gap(window);
	bool		is_null;
	TimestampTz at;

	at = DatumGetTimestampTz(WinGetFuncArgCurrent(window, 0, &is_null));
	WinSetMarkPosition(window, WinGetCurrentPosition(window));
	if (is_null || TIMESTAMP_NOT_FINITE(at))
		PG_RETURN_NULL();
	if (state->number == 0)
		state->number = 1;
	else if (at < state->last)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows are not in order of time"),
				 errhint("Use ORDER BY with the time in the window.")));
	else if (rec_duration_between(state->last, at) > (uint64) gap)
		begin_next_session(state);
	state->last = at;
	PG_RETURN_INT32(state->number);
}
