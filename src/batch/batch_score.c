/*-------------------------------------------------------------------------
 *
 * batch_score.c
 *	  The scores of one user of a batch.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_score.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "batch/batch_score.h"
#include "interaction/pair.h"
#include "pg/prefetch.h"
#include "rank/history.h"
#include "serve/new_item_content.h"

/* Exclude an item, by its number in the dictionary, from the user's lists. */
void
rec_batch_score_bar(RecBatch *batch, uint32 item)
{
	uint32		number = batch->model_number[item];

	if (number == REC_NOT_FOUND || batch->memory.barred[number])
		return;
	batch->memory.barred[number] = true;
	batch->barred[batch->nbarred++] = number;
}

#define LISTS_AHEAD		4
#define PREFETCH_LINE	16		/* numbers in a line of the cache */

/* Prefetch the lists of neighbours that come soon, which lie far apart. */
static void
prefetch_lists(const RecBatch *batch, const RecPair *pairs, int n, int i)
{
	const RecNeighborList *list;

	if (i + 2 * LISTS_AHEAD < n)
		rec_prefetch(rec_batch_lists(batch, pairs[i + 2 * LISTS_AHEAD].item));
	if (i + LISTS_AHEAD >= n)
		return;
	list = &rec_batch_lists(batch, pairs[i + LISTS_AHEAD].item)[REC_LIKE_BEHAVIOUR];
	for (int entry = 0; entry < list->n; entry += PREFETCH_LINE)
	{
		rec_prefetch(list->items + entry);
		rec_prefetch(list->values + entry);
	}
}

/*
 * Return the confidence of an interaction when the user is folded in, or 0.
 */
static double
confidence(const RecBatch *batch, const RecPair *pair)
{
	double		weight = rec_history_confidence(batch->options, pair->weight);

	/*
	 * items without interactions have numbers after all others, and no
	 * factors
	 */
	if (batch->model_number[pair->item] >= batch->factors->nitems ||
		!rec_folding_counts(&batch->factors->folds, weight))
		return 0;
	return weight;
}

/* Add the values of all items by the factors of a user with these pairs. */
static void
add_factors(RecBatch *batch, const RecPair *pairs, int n)
{
	const RecFactors *factors = batch->factors;
	int			nfactors = factors->folds.nfactors;
	RecSignal	signal = {REC_FACTORS, PG_UINT32_MAX, 1, factors->nitems, NULL, batch->factor_values};
	int			observed = 0;

	for (int i = 0; i < n; i++)
		observed += confidence(batch, &pairs[i]) != 0;
	if (observed == 0)
		return;
	rec_folding_begin(batch->folding, &factors->folds, observed);
	for (int i = 0; i < n; i++)
	{
		double		weight = confidence(batch, &pairs[i]);
		Size		item = batch->model_number[pairs[i].item];

		if (weight != 0)
			rec_folding_add(batch->folding, factors->items + item * nfactors, weight);
	}
	rec_folding_finish(batch->folding, batch->user_factors);
	rec_folding_score(batch->user_factors, factors->items, nfactors, factors->nitems,
					  batch->factor_values);
	rec_score_add(batch->scores, &signal);
}

/*
 * Score the user whose rows are those from "from" to before "to", as
 * rec_call_history_read_user() does: exclusions, decay, repeats, order,
 * weights.  Return the number of items in the history.
 */
int
rec_batch_score_user(RecBatch *batch, int64 from, int64 to)
{
	const RecOptions *options = batch->options;
	RecPair    *pairs = palloc_extended(mul_size(to - from + 1, sizeof(RecPair)),
										MCXT_ALLOC_HUGE);
	int64		newest = batch->as_of;
	int			nunknown = 0;
	int			n = 0;

	for (int64 i = from; i < to; i++)
	{
		const RecBatchRow *row = &batch->rows[i];

		if (row->part > REC_PART_HISTORY)
			continue;
		if ((row->seen & batch->seen_bit) && options->exclude_seen)
			rec_batch_score_bar(batch, row->pair.item);
		if (!rec_batch_counts(batch, row))
			continue;
		pairs[n] = row->pair;
		pairs[n++].weight = rec_batch_known_weight(batch, row);
		newest = Max(newest, row->pair.time);
	}
	n = rec_history_digest(options, pairs, n, newest, batch->item_rank);
	for (int i = 0; i < n; i++)
		if (pairs[i].weight < 0)
			rec_batch_score_bar(batch, pairs[i].item);
	rec_history_weigh(options, pairs, n);
	if (batch->factors)
		add_factors(batch, pairs, Min(n, options->history));
	for (int i = 0; i < Min(n, options->history); i++)
	{
		const RecNeighborList *lists = rec_batch_lists(batch, pairs[i].item);

		prefetch_lists(batch, pairs, Min(n, options->history), i);
		nunknown += lists[REC_LIKE_CONTENT].item == REC_ITEM_UNKNOWN;
		rec_history_add(batch->scores, &pairs[i], lists,
						options->blend[REC_CONTENT] > 0 &&
						(nunknown <= REC_MOST_UNKNOWN(options) ||
						 lists[REC_LIKE_CONTENT].item != REC_ITEM_UNKNOWN));
	}
	for (uint32 i = 0; i < batch->nbarred; i++)
		rec_score_bar(batch->scores, batch->barred[i]);
	pfree(pairs);
	return n;
}

/* Reset the scores and exclusions of the current user. */
void
rec_batch_score_next_user(RecBatch *batch)
{
	for (uint32 i = 0; i < batch->nbarred; i++)
		batch->memory.barred[batch->barred[i]] = false;
	batch->nbarred = 0;
	rec_score_reset(batch->scores);
}
