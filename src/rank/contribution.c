/*-------------------------------------------------------------------------
 *
 * contribution.c
 *	  What a score is made of, term by term.
 *
 * Each signal has a contribution to the score of an item that it speaks of,
 * and popularity and trend have one each.  They are what was added up
 * (score.c), made again by the same function, so that they add up to the score.
 * What the signals say of the items of an answer is picked out in one pass over
 * all that they say.
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
 *		what signals say of some items
 * ----------------
 */

/* Adds that a signal says something of a row's item. */
static void
add_saying(RecScores *scores, int32 row, int signal, float4 value)
{
	RecSayings *sayings = &scores->sayings;
	int32		at = sayings->n++;

	if (at == sayings->allocated)
	{
		sayings->allocated *= 2;
		sayings->list = repalloc_huge(sayings->list, mul_size(sayings->allocated, sizeof(RecSaying)));
	}
	sayings->list[at].signal = signal;
	sayings->list[at].value = value;
	sayings->list[at].next = -1;
	if (sayings->last[row] >= 0)
		sayings->list[sayings->last[row]].next = at;
	else
		sayings->first[row] = at;
	sayings->last[row] = at;
}

/* Adds what a signal says of all rows' items. */
static void
add_sayings(RecScores *scores, int signal)
{
	const RecHeldSignal *held = &scores->signals[signal];
	const int32 *places = scores->entries + held->first;
	const int32 *row = scores->sayings.row;

	for (int i = 0; i < held->signal.n; i++)
		if (row[places[i]] >= 0)
			add_saying(scores, row[places[i]], signal, held->signal.values[i]);
	CHECK_FOR_INTERRUPTS();
}

/*
 * Tells of which items the contributions will be asked for, after all signals
 * were added: their lists are gone through once, rather than for each item.
 */
void
rec_contribution_expect(RecScores *scores, const RecScoredItem *items, int n)
{
	const RecCandidates *candidates = scores->candidates;
	RecSayings *sayings = &scores->sayings;

	sayings->row = palloc_extended(mul_size(candidates->n + 1, sizeof(int32)), MCXT_ALLOC_HUGE);
	memset(sayings->row, -1, (Size) candidates->n * sizeof(int32));
	sayings->first = palloc_extended(mul_size(n + 1, sizeof(int32)), MCXT_ALLOC_HUGE);
	sayings->last = palloc_extended(mul_size(n + 1, sizeof(int32)), MCXT_ALLOC_HUGE);
	sayings->allocated = 256;
	sayings->list = palloc_array(RecSaying, sayings->allocated);
	sayings->n = 0;
	for (int i = 0; i < n; i++)
	{
		int32		place = rec_candidates_find(candidates, items[i].item);

		sayings->first[i] = sayings->last[i] = -1;
		if (place >= 0)
			sayings->row[place] = i;
	}
	for (int s = 0; s < scores->nsignals; s++)
		add_sayings(scores, s);
}

/* Gives the first thing that a signal says of an item that was expected, or -1. */
static int32
first_saying(const RecScores *scores, const RecScoredItem *item)
{
	int32		place = rec_candidates_find(scores->candidates, item->item);

	Assert(place < 0 || scores->sayings.row[place] >= 0);
	return place < 0 ? -1 : scores->sayings.first[scores->sayings.row[place]];
}

/* Gives how many signals say something of an item. */
static int
count_sayings(const RecScores *scores, const RecScoredItem *item)
{
	int			n = 0;

	if (item->said)
		return scores->nsignals;
	for (int32 i = first_saying(scores, item); i >= 0; i = scores->sayings.list[i].next)
		n++;
	return n;
}

/* ----------------
 *		contributions
 * ----------------
 */

/* Adds a signal's contribution to n others, unless it is zero; gives their number. */
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

/* Adds the contributions of a component's signals to n others; gives their number. */
static int
add_component(const RecScores *scores, const RecScoredItem *item, RecComponent component,
			  RecContribution *contributions, int n)
{
	const RecSayings *sayings = &scores->sayings;

	for (int32 i = first_saying(scores, item); i >= 0; i = sayings->list[i].next)
	{
		const RecSignal *signal = &scores->signals[sayings->list[i].signal].signal;

		if (signal->component == component)
			n = add_contribution(scores, item, signal, sayings->list[i].value, contributions, n);
	}
	return n;
}

/* The same of an item that is no candidate, and was compared with each item of the history. */
static int
add_said(const RecScores *scores, const RecScoredItem *item,
		 RecContribution *contributions, int n)
{
	const float4 *said = item->said;

	for (int s = 0; s < scores->nsignals; s++)
	{
		const RecSignal *signal = &scores->signals[s].signal;

		if (signal->component == REC_CONTENT)
			n = add_contribution(scores, item, signal, *said++, contributions, n);
	}
	return n;
}

/*
 * Gives the contributions to the score of an item that was expected, those that
 * are not zero, in the order in which they were added up, and their number.
 */
int
rec_contribution_list(const RecScores *scores, const RecScoredItem *item,
						 RecContribution **contributions)
{
	RecContribution *found = palloc_array(RecContribution,
										  count_sayings(scores, item) + REC_NCOMPONENTS);
	int			n = 0;

	for (int c = 0; c < REC_NLISTED; c++)
		if (item->term[c] != 0)
			n = item->said ? add_said(scores, item, found, n) :
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
 * Splits the contribution of a signal into n parts that add up to it, to the
 * last bit: the signal's value for the item is the sum of the shares, but for
 * rounding, which the largest part takes.
 */
void
rec_contribution_split(const RecScores *scores, const RecContribution *whole,
				 const double *shares, int n, double *parts)
{
	double		factor = scores->factor[whole->component] * whole->signal->weight;
	double		rest = whole->contribution;
	int			largest = 0;

	for (int i = 0; i < n; i++)
	{
		parts[i] = rec_score_state_on_grid(scores, factor * shares[i]);
		rest -= parts[i];
		if (fabs(parts[i]) > fabs(parts[largest]))
			largest = i;
	}
	if (n > 0)
		parts[largest] += rest;
}

/* Moves the "max" largest of n contributions to the front, largest first. */
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
