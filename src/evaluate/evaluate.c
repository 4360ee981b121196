/*-------------------------------------------------------------------------
 *
 * evaluate.c
 *	  How good recommendations are, measured on held-out interactions.
 *
 * A split says of each interaction whether it is trained on, known as history
 * only, to be found, or hidden.  A model is trained in memory on the first
 * kind, each user with interactions of the third is recommended items by the
 * code that serves, and the lists are compared with what the user then did.
 * What the user had already, and would not be recommended, is not relevant.
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
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "pg/memory_budget.h"
#include "pg/relation.h"
#include "utils/memutils.h"

/*
 * Gives a metric of some kinds by name; an ERROR with the closest one when
 * there is none.
 */
const RecMetric *
rec_metric_find(const char *name, int kinds)
{
	RecClosest	closest;

	rec_closest_name_start(&closest, name);
	for (const RecMetric *metric = rec_metrics; metric->name; metric++)
	{
		bool		wanted = (metric->kind & kinds) != 0;

		if (wanted && strcmp(metric->name, name) == 0)
			return metric;
		if (strcmp(metric->name, name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("metric \"%s\" cannot be used here", rec_arguments_clip(name)),
					 metric->kind == REC_OF_ALL_LISTS ?
					 errdetail("It is of the lists of all users together, and users have no values of their own.") :
					 errdetail("It says what lists are like and not how good they are.")));
		if (wanted)
			rec_closest_name_consider(&closest, metric->name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("metric \"%s\" does not exist", rec_arguments_clip(name)),
			 rec_closest_name_hint(&closest, "metric")));
	return NULL;
}

/* ----------------
 *		what is relevant
 * ----------------
 */

/* What measuring goes by: of the batch, and of the user at hand. */
typedef struct Measurer
{
	RecEvaluation *evaluation;
	RecBatch   *batch;
	RecAudience *audience;		/* NULL unless a metric asks for it */
	bool		compares;		/* items of a list with each other */
	double	   *gain;			/* of each item of the dictionary */
	int		   *expected;		/* its rank in the list that one would expect;
								 * NULL unless a metric asks */
	RecPair    *relevant;		/* dictionary's numbers */
	int			nrelevant;
} Measurer;

/* Gives a gain to the items that the user has seen before the test. */
static void
mark_seen(Measurer *measurer, int64 from, int64 to, double gain)
{
	RecBatch   *batch = measurer->batch;

	for (int64 i = from; i < to && batch->options->exclude_seen; i++)
		if ((batch->rows[i].seen & batch->seen_bit) && batch->rows[i].part <= REC_PART_HISTORY)
			measurer->gain[batch->rows[i].pair.item] = gain;
}

/* True when an item may be shown to the user at hand. */
static bool
may_be_shown(const RecBatch *batch, uint32 item)
{
	uint32		number = batch->model_number[item];

	if (number != REC_NOT_FOUND)
		return !batch->memory.barred[number];
	return batch->eligible == NULL ||
		rec_dictionary_find(batch->eligible, rec_dictionary_id(batch->items, item)) != REC_NOT_FOUND;
}

/* Collects the test items of a user that could be recommended. */
static void
collect_relevant(Measurer *measurer, int64 from, int64 to)
{
	RecBatch   *batch = measurer->batch;
	int			n = 0;

	measurer->relevant = palloc_extended(mul_size(to - from + 1, sizeof(RecPair)),
										 MCXT_ALLOC_HUGE);
	for (int64 i = from; i < to; i++)
	{
		const RecBatchRow *row = &batch->rows[i];

		if (row->part != REC_PART_TEST || !row->counts)
			continue;
		measurer->relevant[n] = row->pair;
		measurer->relevant[n++].weight = rec_batch_found_weight(batch, row);
	}
	n = rec_pair_combine(measurer->relevant, n, REC_REPEATS_SUM);
	/* what the user had is not relevant, be it in the model or not */
	mark_seen(measurer, from, to, -1);
	measurer->nrelevant = 0;
	for (int i = 0; i < n; i++)
	{
		const RecPair *pair = &measurer->relevant[i];

		if (pair->weight <= 0 || measurer->gain[pair->item] < 0 ||
			!may_be_shown(batch, pair->item))
			continue;
		measurer->gain[pair->item] = 1;
		measurer->relevant[measurer->nrelevant++] = *pair;
	}
	mark_seen(measurer, from, to, 0);
}

static void
forget_relevant(Measurer *measurer)
{
	for (int i = 0; i < measurer->nrelevant; i++)
		measurer->gain[measurer->relevant[i].item] = 0;
}

/* True when an item counts in a segment; all do in one that is of users. */
static inline bool
is_of_segment(const Measurer *measurer, uint32 item, int segment)
{
	const RecSegments *segments = measurer->evaluation->segments;

	return segments == NULL || segments->way[segment] == NULL ||
		segments->way[segment]->segment[item] == segment;
}

static int
compare_ints(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	return x < y ? -1 : x > y;
}

/* Gives the segments of items that something relevant is in, rising. */
static int *
relevant_segments(const Measurer *measurer, int *n)
{
	const RecSegments *segments = measurer->evaluation->segments;
	int			nways = segments ? segments->nitem_ways : 0;
	int		   *found = palloc_extended(mul_size(mul_size(nways, measurer->nrelevant) + 1,
												 sizeof(int)), MCXT_ALLOC_HUGE);
	int			count = 0;

	for (int w = 0; w < nways; w++)
		for (int i = 0; i < measurer->nrelevant; i++)
		{
			int			segment = segments->item_ways[w]->segment[measurer->relevant[i].item];

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

/* A list that a contestant gives, and what metrics ask about it. */
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

/* Gives a contestant's items; only the recommender's are reranked. */
static uint32 *
select_items(Measurer *measurer, RecContestant contestant, int *n)
{
	RecBatch   *batch = measurer->batch;
	RecCatalog	catalog = rec_memory_catalog(&batch->memory);
	int64		k = measurer->evaluation->largest_k;
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
make_list(Measurer *measurer, RecContestant contestant)
{
	ShownList	list = {0};
	int		   *expected = NULL;
	double	   *popularity = NULL;
	double	   *alike = NULL;

	list.items = select_items(measurer, contestant, &list.n);
	list.ranking.n = list.n;
	if (measurer->expected)
		expected = palloc_array(int, list.n + 1);
	if (measurer->audience)
		popularity = palloc_array(double, list.n + 1);
	if (measurer->compares)
	{
		alike = palloc_array(double, list.n + 1);
		rec_audience_sum_alike(measurer->audience, list.items, list.n, alike);
	}
	for (int i = 0; i < list.n; i++)
	{
		if (expected)
			expected[i] = measurer->expected[list.items[i]];
		if (popularity)
			popularity[i] = rec_audience_share(measurer->audience, list.items[i]);
	}
	list.ranking.expected = expected;
	list.ranking.popularity = popularity;
	list.ranking.alike = alike;
	return list;
}

/*
 * Makes the lists of all contestants.  What one would expect is the list of
 * popularity.
 */
static ShownList *
make_lists(Measurer *measurer)
{
	RecEvaluation *evaluation = measurer->evaluation;
	ShownList  *lists = palloc_array(ShownList, evaluation->ncontestants);
	uint32	   *expected = NULL;
	int			nexpected = 0;

	if (measurer->expected)
		expected = select_items(measurer, REC_CONTESTANT_POPULARITY, &nexpected);
	for (int i = 0; i < nexpected; i++)
		measurer->expected[expected[i]] = i;
	for (int c = 0; c < evaluation->ncontestants; c++)
	{
		lists[c] = make_list(measurer, c);
		if (evaluation->exposure)
			rec_exposure_add(evaluation->exposure, lists[c].items, lists[c].n);
	}
	for (int i = 0; i < nexpected; i++)
		measurer->expected[expected[i]] = PG_INT32_MAX;
	return lists;
}

/* ----------------
 *		measuring
 * ----------------
 */

/*
 * Writes a contestant's values for one segment of items.  What lists are like
 * does not depend on what was to be found.
 */
static void
measure_list(const Measurer *measurer, int contestant, const ShownList *list, int segment,
			 const double *ones, int nrelevant, double *values)
{
	const RecEvaluation *evaluation = measurer->evaluation;
	RecRanking	ranking = list->ranking;
	double	   *gain = palloc_array(double, list->n + 1);

	for (int i = 0; i < list->n; i++)
		gain[i] = is_of_segment(measurer, list->items[i], segment) ?
			measurer->gain[list->items[i]] : 0;
	ranking.gain = gain;
	ranking.ideal = ones;
	ranking.nrelevant = nrelevant;
	for (int m = 0; m < evaluation->nmetrics; m++)
	{
		const RecMetric *metric = evaluation->metrics[m];
		bool		applies = metric->kind == REC_OF_HITS ||
		(metric->kind == REC_OF_LIST && segment == REC_ALL);

		for (int k = 0; k < evaluation->nk; k++)
			values[rec_evaluation_index(evaluation, contestant, m, k)] =
				applies ? metric->value(&ranking, evaluation->k[k]) : NAN;
	}
	pfree(gain);
}

/* Writes a row of the user at hand. */
static void
measure_segment(Measurer *measurer, const ShownList *lists, int segment)
{
	RecEvaluation *evaluation = measurer->evaluation;
	double	   *values = rec_user_values_add_row(evaluation, segment);
	double	   *ones = palloc_array(double, measurer->nrelevant);
	int			n = 0;

	for (int i = 0; i < measurer->nrelevant; i++)
	{
		ones[i] = 1;
		n += is_of_segment(measurer, measurer->relevant[i].item, segment);
	}
	for (int c = 0; c < evaluation->ncontestants; c++)
		measure_list(measurer, c, &lists[c], segment, ones, n, values);
	rec_user_values_end_row(evaluation);
	pfree(ones);
}

/*
 * Gives the situation in which the user was when they first did something of
 * the test: it is when a recommendation was asked for.  False for none.
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

/* Says which segments a user is in, one by each way to tell users apart. */
static void
classify_user(const Measurer *measurer, uint32 user, int history, const uint32 *situation,
			  int *result)
{
	const RecSegments *segments = measurer->evaluation->segments;
	const RecSituations *situations = measurer->batch->situations;

	if (segments == NULL)
		return;
	result[0] = rec_segment_of_history(history);
	for (int w = 0; w < segments->nuser_ways; w++)
	{
		const RecWay *way = segments->user_ways[w];
		uint32		key = user;

		if (way->column >= 0)
			key = situation ? situations->situations[(Size) *situation * situations->ncolumns +
													 way->column] : REC_NO_VALUE;
		result[w + 1] = way->column >= 0 && key == REC_NO_VALUE ? -1 : way->segment[key];
	}
}

/* Measures one user, if anything is relevant. */
static void
measure_user(Measurer *measurer, int64 from, int64 to)
{
	RecBatch   *batch = measurer->batch;
	uint32		user = batch->rows[from].user;
	int			history = rec_batch_score_user(batch, from, to);
	uint32		situation;
	bool		situated = test_situation(batch, from, to, &situation);

	if (situated)
		rec_batch_context_add(batch, situation);
	collect_relevant(measurer, from, to);
	if (measurer->nrelevant > 0)
	{
		ShownList  *lists = make_lists(measurer);
		int			n;
		int		   *segments = relevant_segments(measurer, &n);

		classify_user(measurer, user, history, situated ? &situation : NULL,
					  rec_user_values_add_user(measurer->evaluation, user));
		measure_segment(measurer, lists, REC_ALL);
		for (int i = 0; i < n; i++)
			measure_segment(measurer, lists, segments[i]);
	}
	forget_relevant(measurer);
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

/* Counts users with something to be found. */
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

/* True when a metric from the first to the last is wanted. */
static bool
wants(const RecEvaluation *evaluation, RecMetricNumber first, RecMetricNumber last)
{
	for (int m = 0; m < evaluation->nmetrics; m++)
		if (evaluation->metrics[m] >= &rec_metrics[first] &&
			evaluation->metrics[m] <= &rec_metrics[last])
			return true;
	return false;
}

/* Prepares to measure by the model that the batch has now. */
static Measurer
begin(RecEvaluation *evaluation, RecBatch *batch, MemoryContext context)
{
	Measurer	measurer = {.evaluation = evaluation, .batch = batch};
	uint32		nids = rec_dictionary_count(batch->items);

	if (batch->eligible)
		rec_memory_catalog_keep(&batch->memory, batch->eligible);
	measurer.gain = rec_memory_budget_alloc(context, nids, sizeof(double));
	if (evaluation->segments)
	{
		rec_segment_of_model(evaluation->segments, batch);
		evaluation->nuser_segments = 1 + evaluation->segments->nuser_ways;
	}
	if (wants(evaluation, REC_AVERAGE_POPULARITY, REC_INTRA_LIST_DIVERSITY))
		measurer.audience = rec_audience_create(context, batch);
	measurer.compares = wants(evaluation, REC_INTRA_LIST_DIVERSITY, REC_INTRA_LIST_DIVERSITY);
	if (wants(evaluation, REC_SERENDIPITY, REC_SERENDIPITY))
	{
		measurer.expected = rec_memory_budget_alloc(context, nids, sizeof(int));
		for (uint32 i = 0; i < nids; i++)
			measurer.expected[i] = PG_INT32_MAX;
	}
	if (evaluation->exposure == NULL && wants(evaluation, REC_COVERAGE, REC_GINI))
		evaluation->exposure = rec_exposure_create(evaluation->context, nids,
												   evaluation->ncontestants,
												   evaluation->k, evaluation->nk);
	return measurer;
}

/*
 * Measures all users of a batch that has a model, or as many as the sample
 * says, chosen by the seed.
 */
void
rec_evaluate(RecEvaluation *evaluation, RecBatch *batch, int64 seed)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "recommender measuring",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext user_context = AllocSetContextCreate(context, "recommender user",
													   ALLOCSET_DEFAULT_SIZES);
	Measurer	measurer = begin(evaluation, batch, context);
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
		old = MemoryContextSwitchTo(user_context);
		measure_user(&measurer, from, end);
		MemoryContextSwitchTo(old);
		MemoryContextReset(user_context);
	}
	MemoryContextDelete(context);
}
