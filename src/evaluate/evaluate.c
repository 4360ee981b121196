/*-------------------------------------------------------------------------
 *
 * evaluate.c
 *	  Evaluation of recommendations on held-out interactions.
 *
 * A split makes each interaction a part of the training data, of the history
 * alone, of the test set, or hidden.  A model is trained in memory on the first
 * part; each user with interactions in the test set is recommended items by the
 * functions that serve; and the lists are compared with the items of the test
 * set.  Items that the user has seen and that would not be recommended again are
 * not relevant.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/evaluate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "batch/batch_context.h"
#include "batch/batch_rerank.h"
#include "batch/batch_rows.h"
#include "batch/batch_score.h"
#include "common/pg_prng.h"
#include "evaluate/audience.h"
#include "evaluate/evaluate.h"
#include "evaluate/exposure.h"
#include "interaction/pair.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "pg/relation.h"
#include "utils/memutils.h"

/* ----------------
 *		what is relevant
 * ----------------
 */

/* State of an evaluation: of the batch, and of the user at hand. */
typedef struct Evaluator
{
	RecEvaluation *evaluation;
	RecBatch   *batch;
	RecAudience *audience;		/* NULL unless a metric needs it */
	bool		compares;		/* metrics need similarities within lists */
	double	   *gain;			/* of each item of the dictionary */
	int		   *expected;		/* its rank in the list of popular items; NULL
								 * unless a metric needs it */
	RecPair    *relevant;		/* dictionary's numbers */
	int			nrelevant;
} Evaluator;

/* Set the gain of the items that the user has seen before the test. */
static void
mark_seen(Evaluator *evaluator, int64 from, int64 to, double gain)
{
	RecBatch   *batch = evaluator->batch;

	for (int64 i = from; i < to && batch->options->exclude_seen; i++)
		if ((batch->rows[i].seen & batch->seen_bit) && batch->rows[i].part <= REC_PART_HISTORY)
			evaluator->gain[batch->rows[i].pair.item] = gain;
}

/* Return true if an item may be recommended to the user at hand. */
static bool
may_be_shown(const RecBatch *batch, uint32 item)
{
	uint32		number = batch->model_number[item];

	if (number != REC_NOT_FOUND)
		return !batch->memory.barred[number];
	return batch->eligible == NULL ||
		rec_dictionary_find(batch->eligible, rec_dictionary_id(batch->items, item)) != REC_NOT_FOUND;
}

/* Collect the test items of a user that could be recommended. */
static void
collect_relevant(Evaluator *evaluator, int64 from, int64 to)
{
	RecBatch   *batch = evaluator->batch;
	int			n = 0;

	evaluator->relevant = palloc_extended(mul_size(to - from + 1, sizeof(RecPair)),
										  MCXT_ALLOC_HUGE);
	for (int64 i = from; i < to; i++)
	{
		const RecBatchRow *row = &batch->rows[i];

		if (row->part != REC_PART_TEST || !row->counts)
			continue;
		evaluator->relevant[n] = row->pair;
		evaluator->relevant[n++].weight = rec_batch_found_weight(batch, row);
	}
	n = rec_pair_combine(evaluator->relevant, n, REC_REPEATS_SUM);
	/* items that the user has are not relevant, in the model or not */
	mark_seen(evaluator, from, to, -1);
	evaluator->nrelevant = 0;
	for (int i = 0; i < n; i++)
	{
		const RecPair *pair = &evaluator->relevant[i];

		if (pair->weight <= 0 || evaluator->gain[pair->item] < 0 ||
			!may_be_shown(batch, pair->item))
			continue;
		evaluator->gain[pair->item] = 1;
		evaluator->relevant[evaluator->nrelevant++] = *pair;
	}
	mark_seen(evaluator, from, to, 0);
}

static void
forget_relevant(Evaluator *evaluator)
{
	for (int i = 0; i < evaluator->nrelevant; i++)
		evaluator->gain[evaluator->relevant[i].item] = 0;
}

/* Return true if an item counts in a segment; all items do in segments of users. */
static inline bool
is_of_segment(const Evaluator *evaluator, uint32 item, int segment)
{
	const RecSegments *segments = evaluator->evaluation->segments;

	return segments == NULL || segments->segmentation[segment] == NULL ||
		segments->segmentation[segment]->segment[item] == segment;
}

static int
compare_ints(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	return x < y ? -1 : x > y;
}

/* Return the segments of the relevant items, ascending, without duplicates. */
static int *
relevant_segments(const Evaluator *evaluator, int *n)
{
	const RecSegments *segments = evaluator->evaluation->segments;
	int			nsegmentations = segments ? segments->nitem_segmentations : 0;
	int		   *found = palloc_extended(mul_size(mul_size(nsegmentations, evaluator->nrelevant) + 1,
												 sizeof(int)), MCXT_ALLOC_HUGE);
	int			count = 0;

	for (int w = 0; w < nsegmentations; w++)
		for (int i = 0; i < evaluator->nrelevant; i++)
		{
			int			segment = segments->item_segmentations[w]->segment[evaluator->relevant[i].item];

			if (segment >= 0)
				found[count++] = segment;
		}
	qsort(found, count, sizeof(int), compare_ints);
	*n = 0;
	for (int i = 0; i < count; i++)
		if (i == 0 || found[i] != found[i - 1])
			found[(*n)++] = found[i];
	return found;
}

/* ----------------
 *		lists
 * ----------------
 */

/* The list of a contestant, and the inputs of metrics. */
typedef struct ShownList
{
	uint32	   *items;			/* dictionary's numbers, best first */
	int			n;
	RecRanking	ranking;		/* without gains */
} ShownList;

static void
choose_contestant(RecScores *scores, RecContestant contestant)
{
	if (contestant == REC_CONTESTANT_RECOMMENDER)
		rec_score_blend(scores);
	else if (contestant == REC_CONTESTANT_BEHAVIOUR)
		rec_score_component_only(scores, REC_BEHAVIOUR);
	else if (contestant == REC_CONTESTANT_CONTENT)
		rec_score_component_only(scores, REC_CONTENT);
	else
		rec_score_component_only(scores, REC_POPULARITY);
}

/* Return the items of a contestant's list; only the recommender's list is reranked. */
static uint32 *
select_items(Evaluator *evaluator, RecContestant contestant, int *n)
{
	RecBatch   *batch = evaluator->batch;
	RecCatalog	catalog = rec_memory_catalog(&batch->memory);
	int64		k = evaluator->evaluation->largest_k;
	RecScoredItem *selected;
	uint32	   *items;

	choose_contestant(batch->scores, contestant);
	if (contestant == REC_CONTESTANT_RECOMMENDER)
		selected = rec_batch_rerank_select(batch, &catalog, k, n);
	else
		selected = rec_selection_best(batch->scores, &catalog, k, n);
	items = palloc_array(uint32, *n + 1);
	for (int i = 0; i < *n; i++)
		items[i] = batch->memory.item[selected[i].ref];
	return items;
}

static ShownList
make_list(Evaluator *evaluator, RecContestant contestant)
{
	ShownList	list = {0};
	int		   *expected = NULL;
	double	   *popularity = NULL;
	double	   *alike = NULL;

	list.items = select_items(evaluator, contestant, &list.n);
	list.ranking.n = list.n;
	if (evaluator->expected)
		expected = palloc_array(int, list.n + 1);
	if (evaluator->audience)
		popularity = palloc_array(double, list.n + 1);
	if (evaluator->compares)
	{
		alike = palloc_array(double, list.n + 1);
		rec_audience_sum_alike(evaluator->audience, list.items, list.n, alike);
	}
	for (int i = 0; i < list.n; i++)
	{
		if (expected)
			expected[i] = evaluator->expected[list.items[i]];
		if (popularity)
			popularity[i] = rec_audience_share(evaluator->audience, list.items[i]);
	}
	list.ranking.expected = expected;
	list.ranking.popularity = popularity;
	list.ranking.alike = alike;
	return list;
}

/*
 * Make the lists of all contestants.  Serendipity takes the list of popularity
 * for the expected one.
 */
static ShownList *
make_lists(Evaluator *evaluator)
{
	RecEvaluation *evaluation = evaluator->evaluation;
	ShownList  *lists = palloc_array(ShownList, evaluation->ncontestants);
	uint32	   *expected = NULL;
	int			nexpected = 0;

	if (evaluator->expected)
		expected = select_items(evaluator, REC_CONTESTANT_POPULARITY, &nexpected);
	for (int i = 0; i < nexpected; i++)
		evaluator->expected[expected[i]] = i;
	for (int c = 0; c < evaluation->ncontestants; c++)
	{
		lists[c] = make_list(evaluator, c);
		if (evaluation->exposure)
			rec_exposure_add(evaluation->exposure, lists[c].items, lists[c].n);
	}
	for (int i = 0; i < nexpected; i++)
		evaluator->expected[expected[i]] = PG_INT32_MAX;
	return lists;
}

/* ----------------
 *		values of users
 * ----------------
 */

/*
 * Compute a contestant's values for one segment of items; NaN where a metric
 * does not apply: metrics of the list itself have no segments of items.
 */
static void
evaluate_list(const Evaluator *evaluator, int contestant, const ShownList *list, int segment,
			  const double *ones, int nrelevant, double *values)
{
	const RecEvaluation *evaluation = evaluator->evaluation;
	RecRanking	ranking = list->ranking;
	double	   *gain = palloc_array(double, list->n + 1);

	for (int i = 0; i < list->n; i++)
		gain[i] = is_of_segment(evaluator, list->items[i], segment) ?
			evaluator->gain[list->items[i]] : 0;
	ranking.gain = gain;
	ranking.ideal = ones;
	ranking.nrelevant = nrelevant;
	for (int m = 0; m < evaluation->nmetrics; m++)
	{
		const RecMetric *metric = evaluation->metrics[m];
		bool		applies = metric->kind == REC_OF_HITS ||
		(metric->kind == REC_OF_LIST && segment == REC_ALL);

		for (int k = 0; k < evaluation->nk; k++)
			values[rec_user_values_index(evaluation, contestant, m, k)] =
				applies ? metric->value(&ranking, evaluation->k[k]) : NAN;
	}
	pfree(gain);
}

/* Add a row of values of the user at hand. */
static void
evaluate_segment(Evaluator *evaluator, const ShownList *lists, int segment)
{
	RecEvaluation *evaluation = evaluator->evaluation;
	double	   *values = rec_user_values_add_row(evaluation, segment);
	double	   *ones = palloc_array(double, evaluator->nrelevant);
	int			n = 0;

	for (int i = 0; i < evaluator->nrelevant; i++)
	{
		ones[i] = 1;
		n += is_of_segment(evaluator, evaluator->relevant[i].item, segment);
	}
	for (int c = 0; c < evaluation->ncontestants; c++)
		evaluate_list(evaluator, c, &lists[c], segment, ones, n, values);
	rec_user_values_end_row(evaluation);
	pfree(ones);
}

/*
 * Set the situation to that of the user's first interaction in the test set, as
 * if a recommendation was requested then.  Return false if there is none.
 */
static bool
test_situation(const RecBatch *batch, int64 from, int64 to, uint32 *situation)
{
	for (int64 i = from; i < to; i++)
	{
		if (batch->rows[i].part != REC_PART_TEST || !batch->rows[i].counts)
			continue;
		*situation = batch->rows[i].situation;
		return batch->situations != NULL;
	}
	return false;
}

/* Set the segment of a user in each segmentation of users, -1 for none. */
static void
classify_user(const Evaluator *evaluator, uint32 user, int history, const uint32 *situation,
			  int *result)
{
	const RecSegments *segments = evaluator->evaluation->segments;
	const RecSituations *situations = evaluator->batch->situations;

	if (segments == NULL)
		return;
	result[0] = rec_segment_of_history(history);
	for (int w = 0; w < segments->nuser_segmentations; w++)
	{
		const RecSegmentation *segmentation = segments->user_segmentations[w];
		uint32		key = user;

		if (segmentation->column >= 0)
			key = situation ? situations->situations[(Size) *situation * situations->ncolumns +
													 segmentation->column] : REC_NO_VALUE;
		result[w + 1] = segmentation->column >= 0 && key == REC_NO_VALUE ? -1 : segmentation->segment[key];
	}
}

/* Evaluate one user, if there are relevant items. */
static void
evaluate_user(Evaluator *evaluator, int64 from, int64 to)
{
	RecBatch   *batch = evaluator->batch;
	uint32		user = batch->rows[from].user;
	int			history = rec_batch_score_user(batch, from, to);
	uint32		situation;
	bool		situated = test_situation(batch, from, to, &situation);

	if (situated)
		rec_batch_context_add(batch, situation);
	collect_relevant(evaluator, from, to);
	if (evaluator->nrelevant > 0)
	{
		ShownList  *lists = make_lists(evaluator);
		int			n;
		int		   *segments = relevant_segments(evaluator, &n);

		classify_user(evaluator, user, history, situated ? &situation : NULL,
					  rec_user_values_add_user(evaluator->evaluation, user));
		evaluate_segment(evaluator, lists, REC_ALL);
		for (int i = 0; i < n; i++)
			evaluate_segment(evaluator, lists, segments[i]);
	}
	forget_relevant(evaluator);
	rec_batch_score_next_user(batch);
}

static bool
has_test(const RecBatch *batch, int64 from, int64 to)
{
	for (int64 i = from; i < to; i++)
		if (batch->rows[i].part == REC_PART_TEST)
			return true;
	return false;
}

/* Return the number of users with interactions in the test set. */
int64
rec_evaluate_count_test_users(const RecBatch *batch)
{
	int64		n = 0;
	int64		end;

	for (int64 from = 0; from < batch->nrows; from = end)
	{
		end = rec_batch_rows_user_end(batch, from);
		n += has_test(batch, from, end);
	}
	return n;
}

/* Return true if one of the metrics from the first to the last is requested. */
static bool
wants(const RecEvaluation *evaluation, RecMetricNumber first, RecMetricNumber last)
{
	for (int m = 0; m < evaluation->nmetrics; m++)
		if (evaluation->metrics[m] >= &rec_metrics[first] &&
			evaluation->metrics[m] <= &rec_metrics[last])
			return true;
	return false;
}

/* Prepare an evaluation of the batch's current model. */
static Evaluator
begin(RecEvaluation *evaluation, RecBatch *batch, MemoryContext mcxt)
{
	Evaluator	evaluator = {.evaluation = evaluation, .batch = batch};
	uint32		nids = rec_dictionary_count(batch->items);

	if (batch->eligible)
		rec_memory_catalog_keep(&batch->memory, batch->eligible);
	evaluator.gain = rec_memory_budget_alloc(mcxt, nids, sizeof(double));
	if (evaluation->segments)
	{
		rec_segment_of_model(evaluation->segments, batch);
		evaluation->nuser_segments = 1 + evaluation->segments->nuser_segmentations;
	}
	if (wants(evaluation, REC_AVERAGE_POPULARITY, REC_INTRA_LIST_DIVERSITY))
		evaluator.audience = rec_audience_create(mcxt, batch);
	evaluator.compares = wants(evaluation, REC_INTRA_LIST_DIVERSITY, REC_INTRA_LIST_DIVERSITY);
	if (wants(evaluation, REC_SERENDIPITY, REC_SERENDIPITY))
	{
		evaluator.expected = rec_memory_budget_alloc(mcxt, nids, sizeof(int));
		for (uint32 i = 0; i < nids; i++)
			evaluator.expected[i] = PG_INT32_MAX;
	}
	if (evaluation->exposure == NULL && wants(evaluation, REC_COVERAGE, REC_GINI))
		evaluation->exposure = rec_exposure_create(evaluation->mcxt, nids,
												   evaluation->ncontestants,
												   evaluation->k, evaluation->nk);
	return evaluator;
}

/*
 * Evaluate the model of a batch on all users of the test set or, with a sample,
 * on that many users drawn by the seed.
 */
void
rec_evaluate(RecEvaluation *evaluation, RecBatch *batch, int64 seed)
{
	MemoryContext mcxt = AllocSetContextCreate(CurrentMemoryContext,
											   "recommender evaluation",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext user_mcxt = AllocSetContextCreate(mcxt, "recommender user",
													ALLOCSET_DEFAULT_SIZES);
	Evaluator	evaluator = begin(evaluation, batch, mcxt);
	pg_prng_state prng;
	double		left = (double) rec_evaluate_count_test_users(batch);
	double		wanted = evaluation->sample > 0 ? (double) evaluation->sample : left;
	int64		end;

	pg_prng_seed(&prng, (uint64) seed);
	for (int64 from = 0; from < batch->nrows; from = end)
	{
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		end = rec_batch_rows_user_end(batch, from);
		if (!has_test(batch, from, end))
			continue;
		/* selection sampling: Knuth's algorithm S */
		if (pg_prng_double(&prng) * left-- >= wanted)
			continue;
		wanted--;
		old = MemoryContextSwitchTo(user_mcxt);
		evaluate_user(&evaluator, from, end);
		MemoryContextSwitchTo(old);
		MemoryContextReset(user_mcxt);
	}
	MemoryContextDelete(mcxt);
}
