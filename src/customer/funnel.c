/*-------------------------------------------------------------------------
 *
 * funnel.c
 *	  How far a user's events go through the steps of a funnel.
 *
 * The depth is defined by existence: it is the largest d such that there are
 * events e1 < e2 < ... < ed, all different, of which ei satisfies step i and
 * the last is at most "within" after the first.  Events are in the order of
 * their times; of one time, in the order of the lists of their true steps, the
 * shorter list first of two that are equal so far, and events without a true
 * step last.  So the physical order of rows is never seen.
 *
 * One pass finds it (dynamic programming): for each step i, the latest start
 * of a chain that has reached step i.  A later start allows all that an
 * earlier one does, so that no other chain needs to be remembered.  Steps are
 * looked at from the last to the first, so that an event counts for one step.
 * The modes differ in what ends a chain:
 *
 *		ordered		nothing
 *		strict		an event that does not satisfy the step reached
 *		increasing	nothing; but events of one time are taken as one event,
 *					which has the steps of all of them
 *
 * A second pass over the events between the start and the end of the deepest
 * chain finds the times of its steps: for each step, the chain from that start
 * whose times are the smallest, the second step's compared first.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/funnel.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "customer/duration.h"
#include "customer/funnel.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/shmem.h"

#define CHECK_EVERY		4096	/* events, up to 32 steps each */

/* the bit of a step in a set of steps */
#define STEP_BIT(step)	((uint32) 1 << (step))

/*
 * Return the order of two events, by time and then by the lists of their true
 * steps: less than, equal to or greater than 0.
 */
int
rec_funnel_compare(const RecFunnelEvent *a, const RecFunnelEvent *b)
{
	uint32		different = a->steps ^ b->steps;
	uint32		lowest;
	bool		a_has_it;
	uint32		other;

	if (a->time_high != b->time_high)
		return a->time_high < b->time_high ? -1 : 1;
	if (a->time_low != b->time_low)
		return a->time_low < b->time_low ? -1 : 1;
	if (different == 0)
		return 0;
	if (a->steps == 0 || b->steps == 0)
		return a->steps == 0 ? 1 : -1;
	/* up to the lowest step that one of them lacks, the lists are equal */
	lowest = different & -different;
	a_has_it = (a->steps & lowest) != 0;
	/* the other list goes on with a higher step, or ends there */
	other = (a_has_it ? b->steps : a->steps) & ~(lowest | (lowest - 1));
	return a_has_it == (other != 0) ? -1 : 1;
}

#define ST_SORT sort_events
#define ST_ELEMENT_TYPE RecFunnelEvent
#define ST_COMPARE(a, b) rec_funnel_compare(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* Put events into their order. */
void
rec_funnel_sort(RecFunnelEvent *events, int64 n)
{
	sort_events(events, n);
}

/*
 * Return the steps that happen at event *i and move *i to the last event that
 * was taken: in mode "increasing", all events of that time are one.
 */
static inline uint32
steps_at(const RecFunnelEvent *events, int64 n, RecFunnelMode mode, int64 *i)
{
	uint32		steps = events[*i].steps;

	if (mode != REC_FUNNEL_INCREASING)
		return steps;
	while (*i + 1 < n &&
		   events[*i + 1].time_high == events[*i].time_high &&
		   events[*i + 1].time_low == events[*i].time_low)
		steps |= events[++*i].steps;
	return steps;
}

/*
 * Return the deepest chain of sorted events: the one that ends first and, of
 * those, the one that starts last.  "within" is in microseconds.
 */
RecFunnelChain
rec_funnel_deepest(const RecFunnelEvent *events, int64 n, uint64 within,
				   RecFunnelMode mode)
{
	RecFunnelChain chain = {0};
	TimestampTz start[REC_FUNNEL_MAX_STEPS];
	uint32		reached = 0;	/* steps whose start is known */
	int64		nseen = 0;

	for (int64 i = 0; i < n; i++)
	{
		uint32		steps = steps_at(events, n, mode, &i);
		TimestampTz at = rec_funnel_time(&events[i]);
		uint32		next = mode == REC_FUNNEL_STRICT ? reached & steps : reached;

		if (++nseen % CHECK_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		/* steps that this event adds: the first, or one after a step reached */
		for (uint32 left = steps & (reached << 1 | 1); left != 0;)
		{
			int			step = pg_leftmost_one_pos32(left);
			TimestampTz from = step == 0 ? at : start[step - 1];

			left ^= STEP_BIT(step);
			if (rec_duration_between(from, at) > within)
				continue;
			if (!(next & STEP_BIT(step)) || from > start[step])
				start[step] = from;
			next |= STEP_BIT(step);
			if (step + 1 > chain.depth)
			{
				chain.depth = step + 1;
				chain.first = from;
				chain.last = at;
			}
			else if (step + 1 == chain.depth && at == chain.last)
				chain.first = Max(chain.first, from);
		}
		reached = next;
	}
	return chain;
}

/* A chain's times, for the steps reached. */
typedef struct TimedChain
{
	bool		alive;
	TimestampTz time[REC_FUNNEL_MAX_STEPS];
} TimedChain;

/* Extend a chain of so many steps by a time into another, if that is better. */
static void
extend(TimedChain *to, const TimedChain *from, int nsteps, TimestampTz at)
{
	bool		better = !to->alive;

	for (int i = 0; i < nsteps && !better; i++)
	{
		if (from->time[i] > to->time[i])
			return;
		better = from->time[i] < to->time[i];
	}
	if (!better && at >= to->time[nsteps])
		return;
	if (nsteps > 0)
		memcpy(to->time, from->time, nsteps * sizeof(TimestampTz));
	to->time[nsteps] = at;
	to->alive = true;
}

/* Return the first of the sorted events whose time is at least "at". */
static int64
first_event_since(const RecFunnelEvent *events, int64 n, TimestampTz at)
{
	int64		low = 0;

	while (low < n)
	{
		int64		middle = low + (n - low) / 2;

		if (rec_funnel_time(&events[middle]) < at)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

/*
 * Find the times of the steps of the deepest chain of sorted events: with its
 * start and end as given, each inner step as early as possible, the second one
 * first.
 */
void
rec_funnel_chain_times(const RecFunnelEvent *events, int64 n, RecFunnelMode mode,
					   const RecFunnelChain *chain, TimestampTz *times)
{
	TimedChain *best = palloc0(mul_size(chain->depth + 1, sizeof(TimedChain)));
	TimedChain *deepest = &best[chain->depth];
	int64		nseen = 0;

	for (int64 i = first_event_since(events, n, chain->first);
		 i < n && rec_funnel_time(&events[i]) <= chain->last; i++)
	{
		uint32		steps = steps_at(events, n, mode, &i);
		TimestampTz at = rec_funnel_time(&events[i]);

		if (++nseen % CHECK_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		for (int step = chain->depth - 1; step >= 0; step--)
		{
			bool		is_true = (steps & STEP_BIT(step)) != 0;
			bool		may_extend = step == 0 ? at == chain->first : best[step - 1].alive;

			if (mode == REC_FUNNEL_STRICT && !is_true)
				best[step].alive = false;
			if (!is_true || !may_extend)
				continue;
			extend(&best[step], step == 0 ? NULL : &best[step - 1], step, at);
			if (step == chain->depth - 1 && at == chain->last)
				extend(deepest, step == 0 ? NULL : &best[step - 1], step, at);
		}
	}
	Assert(deepest->alive);
	memcpy(times, deepest->time, chain->depth * sizeof(TimestampTz));
	pfree(best);
}
