/*-------------------------------------------------------------------------
 *
 * history.c
 *	  The weights of a history: decay, repeats, and its signals.
 *
 * A call and a batch of many users go by these rules.  They know numbers only:
 * no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/history.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "interaction/pair.h"
#include "interaction/weighting.h"
#include "rank/history.h"

/* Return whether an interaction means that the user has the item already. */
bool
rec_history_event_is_seen(const RecOptions *options, const RecRow *row, bool has_events)
{
	if (!has_events)
		return true;
	for (int i = 0; row->event && i < options->nseen_events; i++)
		if (strcmp(options->seen_events[i], row->event) == 0)
			return true;
	return false;
}

/*
 * Turn a user's interactions into pairs, decayed, repeats combined, newest
 * first, in place; return their number.
 */
int
rec_history_digest(const RecOptions *options, RecPair *pairs, int n, int64 newest,
				   const uint32 *item_rank)
{
	for (int i = 0; i < n; i++)
		pairs[i].weight *= rec_pair_decay(options->half_life, newest, pairs[i].time);
	n = rec_pair_combine(pairs, n, options->repeats);
	rec_pair_sort(pairs, n, item_rank);
	return n;
}

/*
 * Turn combined weights into weights of a history: those of the model where the
 * weighting depends on the interaction alone; ratings less the user's mean, so
 * that a low one counts against similar items.
 */
void
rec_history_weigh(const RecOptions *options, RecPair *pairs, int n)
{
	bool		ratings = rec_options_measure_traits(options)->centring != REC_CENTRE_NONE;
	double		mean = 0;

	for (int i = 0; i < n && ratings; i++)
		mean += pairs[i].weight / n;
	for (int i = 0; i < n; i++)
	{
		double	   *weight = &pairs[i].weight;

		if (ratings)
			*weight = fabs(*weight - mean) <= 1e-12 * fabs(mean) ? 0 : *weight - mean;
		else if (options->weighting == REC_WEIGHTING_BINARY)
			*weight = (*weight > 0) - (*weight < 0);
		else if (options->weighting == REC_WEIGHTING_LOG)
			*weight = *weight < 0 ? -log1p(-*weight) : log1p(*weight);
	}
}

/*
 * Return the confidence of a weight of the history when a user is folded in: as
 * in the matrix that the factors were trained on, which may be one of ones.
 */
double
rec_history_confidence(const RecOptions *options, double weight)
{
	if (rec_weighting_use(options) == REC_WEIGHTS_IGNORED)
		return (weight > 0) - (weight < 0);
	return weight;
}

/*
 * Add the neighbours of an item of the history as signals, one for each
 * likeness; that of content only if "content" is true.
 */
void
rec_history_add(RecScores *scores, const RecPair *pair, const RecNeighborList *lists,
				bool content)
{
	static const RecComponent components[REC_NLIKENESSES] = {REC_BEHAVIOUR, REC_CONTENT};

	for (int kind = 0; kind < REC_NLIKENESSES; kind++)
	{
		const RecNeighborList *list = &lists[kind];
		RecSignal	signal = {components[kind], pair->item, pair->weight,
			list->n, list->items, list->values
		};

		if (content || kind != REC_LIKE_CONTENT)
			rec_score_add(scores, &signal);
	}
}
