/*-------------------------------------------------------------------------
 *
 * contribution.c
 *	  What a score is made of, term by term.
 *
 * Each signal has a contribution to the score of an item that it speaks of,
 * and popularity and trend have one each.  They are what was added up
 * (score.c), made again by the same function, so that they add up to the score.
 *
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/contribution.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "score_state.h"

#define ITEMS_AT_ONCE	16		/* that are compared without a branch */

/* True when an item is among the ITEMS_AT_ONCE items. */
static inline bool
is_among(const int32 *items, int32 item)
{
	uint32		found = 0;

	for (int i = 0; i < ITEMS_AT_ONCE; i++)
		found |= items[i] == item;
	return found != 0;
}

/* Gives what a signal says of an item, 0 when it is not there. */
static float4
value_in_signal(const RecSignal *signal, uint32 item)
{
	int			i = 0;

	if (signal->items == NULL)
		return item < (uint32) signal->n ? signal->values[item] : 0;
	while (i + ITEMS_AT_ONCE <= signal->n && !is_among(signal->items + i, (int32) item))
		i += ITEMS_AT_ONCE;
	for (; i < signal->n; i++)
		if (signal->items[i] == (int32) item)
			return signal->values[i];
	return 0;
}

/* True when any signal may have contributed to an item's score. */
static bool
has_listed_terms(const RecScoredItem *item)
{
	bool		has = false;

	for (int c = 0; c < REC_NLISTED; c++)
		has |= item->term[c] != 0;
	return has;
}

/*
 * Gives the contributions to an item's score that are not zero, in the order
 * in which they were added up, and their number.
 */
int
rec_scores_contributions(const RecScores *scores, const RecScoredItem *item,
						 RecContribution **contributions)
{
	int			nsignals = has_listed_terms(item) ? scores->nsignals : 0;
	RecContribution *found = palloc_array(RecContribution, nsignals + REC_NCOMPONENTS);
	const float4 *said = item->said;
	int			n = 0;

	for (int c = 0; c < REC_NLISTED; c++)
		for (int s = 0; s < nsignals && item->term[c] != 0; s++)
		{
			const RecSignal *signal = &scores->signals[s].signal;
			float4		value;

			if (signal->component != (RecComponent) c)
				continue;
			value = said ? *said++ : value_in_signal(signal, item->item);
			found[n].component = c;
			found[n].signal = signal;
			found[n].value = value;
			found[n].contribution = rec_scores_contribution(scores, signal, item->item, value);
			n += found[n].contribution != 0;
		}
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
rec_scores_split(const RecScores *scores, const RecContribution *whole,
				 const double *shares, int n, double *parts)
{
	double		factor = scores->factor[whole->component] * whole->signal->weight;
	double		rest = whole->contribution;
	int			largest = 0;

	for (int i = 0; i < n; i++)
	{
		parts[i] = rec_scores_on_grid(scores, factor * shares[i]);
		rest -= parts[i];
		if (fabs(parts[i]) > fabs(parts[largest]))
			largest = i;
	}
	if (n > 0)
		parts[largest] += rest;
}

/* Moves the "max" largest of n contributions to the front, largest first. */
int
rec_contributions_largest(RecContribution *contributions, int n, int max)
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
