/*-------------------------------------------------------------------------
 *
 * contribution.c
 *	  What a score is made of, term by term.
 *
 * Each signal with a value for an item has a contribution to the item's score,
 * and popularity and trend have one each.  They are computed by the function
 * that computed the terms of the score (score.c), so that they add up to it.
 * The values of signals for the items of an answer are picked out in one pass
 * over all values.
 *
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/contribution.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "rank/contribution.h"
#include "rank/score_state.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

/* ----------------
 *		values of signals for some items
 * ----------------
 */

/* Add a signal's value for a row's item. */
static void
add_value(RecScores *scores, int32 row, int signal, float4 value)
{
	RecExpectedValues *expected = &scores->expected;
	int32		at = expected->n++;

	if (at == expected->allocated)
	{
		expected->allocated *= 2;
		expected->list = repalloc_huge(expected->list, mul_size(expected->allocated, sizeof(RecSignalValue)));
	}
	expected->list[at].signal = signal;
	expected->list[at].value = value;
	expected->list[at].next = -1;
	if (expected->last[row] >= 0)
		expected->list[expected->last[row]].next = at;
	else
		expected->first[row] = at;
	expected->last[row] = at;
}

/* Add a signal's values for all rows' items. */
static void
add_values(RecScores *scores, int signal)
{
	const RecHeldSignal *held = &scores->signals[signal];
	const int32 *places = scores->entries + held->first;
	const int32 *row = scores->expected.row;

	for (int i = 0; i < held->signal.n; i++)
		if (row[places[i]] >= 0)
			add_value(scores, row[places[i]], signal, held->signal.values[i]);
	CHECK_FOR_INTERRUPTS();
}

/*
 * Prepare for the contributions to n items, after all signals were added: their
 * lists are gone through once, rather than for each item.
 */
void
rec_contribution_expect(RecScores *scores, const RecScoredItem *items, int n)
{
	const RecCandidates *candidates = scores->candidates;
	RecExpectedValues *expected = &scores->expected;

	expected->row = palloc_extended(mul_size(candidates->n + 1, sizeof(int32)), MCXT_ALLOC_HUGE);
	memset(expected->row, -1, (Size) candidates->n * sizeof(int32));
	expected->first = palloc_extended(mul_size(n + 1, sizeof(int32)), MCXT_ALLOC_HUGE);
	expected->last = palloc_extended(mul_size(n + 1, sizeof(int32)), MCXT_ALLOC_HUGE);
	expected->allocated = 256;
	expected->list = palloc_array(RecSignalValue, expected->allocated);
	expected->n = 0;
	for (int i = 0; i < n; i++)
	{
		int32		place = rec_candidates_find(candidates, items[i].item);

		expected->first[i] = expected->last[i] = -1;
		if (place >= 0)
			expected->row[place] = i;
	}
	for (int s = 0; s < scores->nsignals; s++)
		add_values(scores, s);
}

/* Return the first signal's value for an item that was expected, or -1. */
static int32
first_value(const RecScores *scores, const RecScoredItem *item)
{
	int32		place = rec_candidates_find(scores->candidates, item->item);

	Assert(place < 0 || scores->expected.row[place] >= 0);
	return place < 0 ? -1 : scores->expected.first[scores->expected.row[place]];
}

/* Return how many signals have a value for an item. */
static int
count_values(const RecScores *scores, const RecScoredItem *item)
{
	int			n = 0;

	if (item->content_values)
		return scores->nsignals;
	for (int32 i = first_value(scores, item); i >= 0; i = scores->expected.list[i].next)
		n++;
	return n;
}

/* ----------------
 *		contributions
 * ----------------
 */

/* Add a signal's contribution to n others, unless it is 0; return their number. */
static int
add_contribution(const RecScores *scores, const RecScoredItem *item, const RecSignal *signal,
				 float4 value, RecContribution *contributions, int n)
{
	contributions[n].component = signal->component;
	contributions[n].signal = signal;
	contributions[n].value = value;
	contributions[n].contribution = rec_score_state_contribution(scores, signal, item->item, value);
	return n + (contributions[n].contribution != 0);
}

/* Add the contributions of a component's signals to n others; return their number. */
static int
add_component(const RecScores *scores, const RecScoredItem *item, RecComponent component,
			  RecContribution *contributions, int n)
{
	const RecExpectedValues *expected = &scores->expected;

	for (int32 i = first_value(scores, item); i >= 0; i = expected->list[i].next)
	{
		const RecSignal *signal = &scores->signals[expected->list[i].signal].signal;

		if (signal->component == component)
			n = add_contribution(scores, item, signal, expected->list[i].value, contributions, n);
	}
	return n;
}

/*
 * Add the contributions of the signals of content for an item that is not a
 * candidate; return the number of contributions.
 */
static int
add_content_values(const RecScores *scores, const RecScoredItem *item,
		 RecContribution *contributions, int n)
{
	const float4 *value = item->content_values;

	for (int s = 0; s < scores->nsignals; s++)
	{
		const RecSignal *signal = &scores->signals[s].signal;

		if (signal->component == REC_CONTENT)
			n = add_contribution(scores, item, signal, *value++, contributions, n);
	}
	return n;
}

/*
 * List the contributions to the score of an item that was expected, those that
 * are not 0, in the order in which they were added up; return their number.
 */
int
rec_contribution_list(const RecScores *scores, const RecScoredItem *item,
						 RecContribution **contributions)
{
	RecContribution *found = palloc_array(RecContribution,
										  count_values(scores, item) + REC_NCOMPONENTS);
	int			n = 0;

	for (int c = 0; c < REC_NLISTED; c++)
		if (item->term[c] != 0)
			n = item->content_values ? add_content_values(scores, item, found, n) :
				add_component(scores, item, c, found, n);
	for (int c = REC_NLISTED; c < REC_NCOMPONENTS; c++)
	{
		found[n].component = c;
		found[n].signal = NULL;
		found[n].value = c == REC_POPULARITY ? item->popularity : item->trend;
		found[n].contribution = item->term[c];
		n += found[n].contribution != 0;
	}
	*contributions = found;
	return n;
}

/*
 * Split the contribution of a signal into n parts that add up to it, to the
 * last bit.  The signal's value for the item is the sum of n values, but for
 * rounding, which is added to the largest part.
 */
void
rec_contribution_split(const RecScores *scores, const RecContribution *whole,
				 const double *values, int n, double *parts)
{
	double		factor = scores->factor[whole->component] * whole->signal->weight;
	double		rest = whole->contribution;
	int			largest = 0;

	for (int i = 0; i < n; i++)
	{
		parts[i] = rec_score_state_on_grid(scores, factor * values[i]);
		rest -= parts[i];
		if (fabs(parts[i]) > fabs(parts[largest]))
			largest = i;
	}
	if (n > 0)
		parts[largest] += rest;
}

/* Move the "max" largest of n contributions to the front; return their number. */
int
rec_contribution_largest(RecContribution *contributions, int n, int max)
{
	int			kept = 0;

	for (int i = 0; i < n; i++)
	{
		RecContribution contribution = contributions[i];
		int			at = kept;

		while (at > 0 && fabs(contribution.contribution) > fabs(contributions[at - 1].contribution))
			at--;
		if (at >= max)
			continue;
		kept = Min(kept + 1, max);
		memmove(contributions + at + 1, contributions + at,
				(kept - 1 - at) * sizeof(RecContribution));
		contributions[at] = contribution;
	}
	return kept;
}
