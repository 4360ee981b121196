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
 * Intervals are by the Poisson bootstrap over users (Chamandy et al. 2012):
 * in each resample a user counts as often as a Poisson variable of mean 1
 * says.  All series are resampled together, and the same seed gives the same
 * intervals.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/pg_prng.h"
#include "evaluate.h"
#include "miscadmin.h"
#include "reranker.h"
#include "sqlutil.h"
#include "utils/memutils.h"

#define HEAD_SHARE			0.2 /* of the items, the most popular */
#define HEAVY_HISTORY		10	/* items in the history of a heavy user */

static void *
alloc_array(MemoryContext context, Size count, Size width)
{
	Size		size = mul_size(Max(count, 1), width);

	rec_memory_check(context, size);
	return MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Gives a metric by name; an ERROR with the closest one when there is none. */
const RecMetric *
rec_metric_find(const char *name)
{
	RecClosest	closest;

	rec_closest_start(&closest, name);
	for (const RecMetric *metric = rec_metrics; metric->name; metric++)
	{
		if (strcmp(metric->name, name) == 0)
			return metric;
		rec_closest_consider(&closest, metric->name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("metric \"%s\" does not exist", name),
			 rec_closest_hint(&closest, "metric")));
	return NULL;
}

/* ----------------
 *		splits
 * ----------------
 */

/* Gives how many times a split cuts, each with a model of its own. */
int
rec_split_cuts(const RecSplit *split)
{
	return strcmp(split->method, "time") == 0 ? split->cuts : 1;
}

#define ST_SORT sort_times
#define ST_ELEMENT_TYPE int64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * The time before which a share of the interactions lies.  The share is a sum
 * of decimal fractions, so that a whole number of interactions may come out a
 * little too small.
 */
static int64
time_quantile(const int64 *times, int64 n, double share)
{
	int64		at = (int64) (share * (double) n * (1 + 1e-12));

	return at >= n ? PG_INT64_MAX : times[at];
}

/*
 * Cuts by time: the newest test_share is cut into as many windows as there
 * are cuts; one is the test, what lies before it is trained on, what lies
 * after it is hidden.
 */
static void
split_by_time(RecBatch *batch, const RecSplit *split, int cut)
{
	int64	   *times = alloc_array(CurrentMemoryContext, batch->nrows, sizeof(int64));
	double		width = split->test_share / split->cuts;
	double		start = 1 - split->test_share + cut * width;
	int64		n = 0;
	int64		from;
	int64		to;

	for (int64 i = 0; i < batch->nrows; i++)
		if (!batch->rows[i].reserved)
			times[n++] = batch->rows[i].pair.time;
	sort_times(times, n);
	if (n > 0 && times[n - 1] == REC_NO_TIME)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the interactions have no times to split them by"),
				 errhint("Name the time column with add_interactions(), or use split => 'random'.")));
	from = time_quantile(times, n, start);
	to = cut + 1 == split->cuts ? PG_INT64_MAX : time_quantile(times, n, start + width);
	for (int64 i = 0; i < batch->nrows; i++)
	{
		int64		time = batch->rows[i].pair.time;

		batch->rows[i].part = time < from ? REC_PART_TRAIN :
			time < to ? REC_PART_TEST : REC_PART_HIDDEN;
	}
	pfree(times);
}

/* Makes the newest interactions of a user the test; rows are oldest first. */
static void
hold_last(RecBatch *batch, int64 from, int64 to, int last, RecPart rest)
{
	for (int64 i = to - 1; i >= from; i--)
	{
		if (batch->rows[i].reserved)
			continue;
		batch->rows[i].part = last > 0 ? REC_PART_TEST : rest;
		last -= batch->rows[i].counts;
	}
}

static void
split_by_user(RecBatch *batch, const RecSplit *split, bool share_of_users)
{
	pg_prng_state prng;
	int64		end;

	pg_prng_seed(&prng, (uint64) split->seed);
	for (int64 from = 0; from < batch->nrows; from = end)
	{
		end = rec_batch_user_end(batch, from);
		if (!share_of_users)
			hold_last(batch, from, end, split->last, REC_PART_TRAIN);
		else if (pg_prng_double(&prng) < split->test_share)
			hold_last(batch, from, end, split->last, REC_PART_HISTORY);
		else
			hold_last(batch, from, end, 0, REC_PART_TRAIN);
	}
}

static void
split_at_random(RecBatch *batch, const RecSplit *split)
{
	pg_prng_state prng;

	pg_prng_seed(&prng, (uint64) split->seed);
	for (int64 i = 0; i < batch->nrows; i++)
		batch->rows[i].part = pg_prng_double(&prng) < split->test_share ?
			REC_PART_TEST : REC_PART_TRAIN;
}

/* Says of each row of a sorted batch what it is used for in one of the cuts. */
void
rec_split_apply(RecBatch *batch, const RecSplit *split, int cut)
{
	if (strcmp(split->method, "time") == 0)
		split_by_time(batch, split, cut);
	else if (strcmp(split->method, "leave_last") == 0)
		split_by_user(batch, split, false);
	else if (strcmp(split->method, "users") == 0)
		split_by_user(batch, split, true);
	else
		split_at_random(batch, split);
	for (int64 i = 0; i < batch->nrows; i++)
		if (batch->rows[i].reserved)
			batch->rows[i].part = REC_PART_HIDDEN;
}

/* ----------------
 *		measuring
 * ----------------
 */

/* Makes an evaluation of no users yet; metrics and k are copied. */
RecEvaluation *
rec_evaluation_create(MemoryContext context, int ncontestants,
					  const RecMetric **metrics, int nmetrics, const int *k, int nk)
{
	RecEvaluation *evaluation = MemoryContextAllocZero(context, sizeof(RecEvaluation));

	evaluation->context = context;
	evaluation->ncontestants = ncontestants;
	evaluation->nmetrics = nmetrics;
	evaluation->metrics = MemoryContextAlloc(context, (nmetrics + 1) * sizeof(RecMetric *));
	memcpy(evaluation->metrics, metrics, nmetrics * sizeof(RecMetric *));
	evaluation->nk = nk;
	evaluation->k = MemoryContextAlloc(context, (nk + 1) * sizeof(int));
	memcpy(evaluation->k, k, nk * sizeof(int));
	for (int i = 0; i < nk; i++)
		evaluation->largest_k = Max(evaluation->largest_k, k[i]);
	evaluation->nvalues = ncontestants * REC_NITEMSEGMENTS * nmetrics * nk;
	return evaluation;
}

/* Gives the place of a value among those of a user. */
int
rec_evaluation_index(const RecEvaluation *evaluation, int contestant, int segment,
					 int metric, int k)
{
	return ((contestant * REC_NITEMSEGMENTS + segment) * evaluation->nmetrics + metric) *
		evaluation->nk + k;
}

/* Gives the values of a new user to fill. */
static double *
add_user(RecEvaluation *evaluation, uint32 user, RecUserSegment segment)
{
	int64		n = evaluation->nusers++;

	if (n == evaluation->allocated)
	{
		int64		wanted = Max(1024, evaluation->allocated * 2);
		Size		width = evaluation->nvalues * sizeof(double);

		rec_memory_check(evaluation->context, mul_size(wanted - n, width));
		if (n == 0)
		{
			evaluation->values = alloc_array(evaluation->context, wanted, width);
			evaluation->user = alloc_array(evaluation->context, wanted, sizeof(uint32));
			evaluation->segment = alloc_array(evaluation->context, wanted, 1);
		}
		else
		{
			evaluation->values = repalloc_huge(evaluation->values, mul_size(wanted, width));
			evaluation->user = repalloc_huge(evaluation->user, mul_size(wanted, sizeof(uint32)));
			evaluation->segment = repalloc_huge(evaluation->segment, wanted);
		}
		evaluation->allocated = wanted;
	}
	evaluation->user[n] = user;
	evaluation->segment[n] = segment;
	return evaluation->values + n * evaluation->nvalues;
}

/* What is relevant for the user at hand. */
typedef struct Relevance
{
	RecBatch   *batch;
	RecPair    *items;			/* dictionary's numbers and gains */
	int			n;
	double	   *gain;			/* of each item of the dictionary */
	uint8	   *segment;		/* RecItemSegment of each, but never ALL */
} Relevance;

static void
classify_items(Relevance *relevance)
{
	RecBatch   *batch = relevance->batch;
	uint32		nids = rec_dict_count(batch->items);

	for (uint32 i = 0; i < nids; i++)
	{
		uint32		number = batch->model_number[i];

		relevance->segment[i] = number == REC_NOT_FOUND || number >= batch->ntrained ? REC_ITEMS_NEW :
			number < batch->ntrained * HEAD_SHARE ? REC_ITEMS_HEAD : REC_ITEMS_TAIL;
	}
}

/* Gives a gain to the items that the user has seen before the test. */
static void
mark_seen(Relevance *relevance, int64 from, int64 to, double gain)
{
	RecBatch   *batch = relevance->batch;

	for (int64 i = from; i < to && batch->options->exclude_seen; i++)
		if ((batch->rows[i].seen & batch->seen_bit) && batch->rows[i].part <= REC_PART_HISTORY)
			relevance->gain[batch->rows[i].pair.item] = gain;
}

/* Collects the test items of a user that could be recommended. */
static void
collect_relevant(Relevance *relevance, int64 from, int64 to)
{
	RecBatch   *batch = relevance->batch;
	int			n = 0;

	relevance->items = palloc_extended(mul_size(to - from + 1, sizeof(RecPair)),
									   MCXT_ALLOC_HUGE);
	for (int64 i = from; i < to; i++)
	{
		const RecBatchRow *row = &batch->rows[i];

		if (row->part != REC_PART_TEST || !row->counts)
			continue;
		relevance->items[n] = row->pair;
		relevance->items[n++].weight = rec_batch_found_weight(batch, row);
	}
	n = rec_pairs_combine(relevance->items, n, REC_REPEATS_SUM);
	/* what the user had is not relevant, be it in the model or not */
	mark_seen(relevance, from, to, -1);
	relevance->n = 0;
	for (int i = 0; i < n; i++)
	{
		RecPair    *pair = &relevance->items[i];
		uint32		number = batch->model_number[pair->item];

		if (pair->weight <= 0 || relevance->gain[pair->item] < 0 ||
			(number != REC_NOT_FOUND && batch->memory.barred[number]))
			continue;
		relevance->gain[pair->item] = 1;
		relevance->items[relevance->n++] = *pair;
	}
	mark_seen(relevance, from, to, 0);
}

static void
forget_relevant(Relevance *relevance)
{
	for (int i = 0; i < relevance->n; i++)
		relevance->gain[relevance->items[i].item] = 0;
}

/* Writes the values of one list, for all items and for each segment. */
static void
measure_list(const RecEvaluation *evaluation, const Relevance *relevance,
			 int contestant, const RecScoredItem *items, int n, double *values)
{
	double	   *gain = palloc_array(double, n + 1);
	double	   *ideal = palloc_array(double, relevance->n + 1);
	const uint32 *item = relevance->batch->memory.item;

	for (int i = 0; i < relevance->n; i++)
		ideal[i] = 1;
	for (int segment = 0; segment < REC_NITEMSEGMENTS; segment++)
	{
		RecRanking	ranking = {gain, n, ideal, 0};

		for (int i = 0; i < relevance->n; i++)
			ranking.nrelevant += segment == REC_ITEMS_ALL ||
				relevance->segment[relevance->items[i].item] == segment;
		for (int i = 0; i < n; i++)
			gain[i] = segment == REC_ITEMS_ALL ||
				relevance->segment[item[items[i].ref]] == segment ?
				relevance->gain[item[items[i].ref]] : 0;
		for (int m = 0; m < evaluation->nmetrics; m++)
			for (int k = 0; k < evaluation->nk; k++)
				values[rec_evaluation_index(evaluation, contestant, segment, m, k)] =
					ranking.nrelevant == 0 ? NAN :
					evaluation->metrics[m]->value(&ranking, evaluation->k[k]);
	}
	pfree(gain);
	pfree(ideal);
}

static void
choose_contestant(RecScores *scores, RecContestant contestant)
{
	if (contestant == REC_CONTESTANT_RECOMMENDER)
		rec_scores_blend(scores);
	else if (contestant == REC_CONTESTANT_BEHAVIOUR)
		rec_scores_component_only(scores, REC_BEHAVIOUR);
	else if (contestant == REC_CONTESTANT_CONTENT)
		rec_scores_component_only(scores, REC_CONTENT);
	else
		rec_scores_component_only(scores, REC_POPULARITY);
}

/* Gives a contestant's list; only the recommender's is reranked. */
static RecScoredItem *
select_items(RecBatch *batch, const RecCatalog *catalog, RecContestant contestant,
			 int64 k, int *n)
{
	choose_contestant(batch->scores, contestant);
	if (contestant == REC_CONTESTANT_RECOMMENDER)
		return rec_batch_select(batch, catalog, k, n);
	return rec_select_best(batch->scores, catalog, k, n);
}

/*
 * Tells the scores of the situation in which the user was when they first did
 * something of the test: it is when a recommendation was asked for.
 */
static void
add_test_context(RecBatch *batch, int64 from, int64 to)
{
	for (int64 i = from; i < to; i++)
	{
		if (batch->rows[i].part != REC_PART_TEST || !batch->rows[i].counts)
			continue;
		rec_batch_add_context(batch, batch->rows[i].situation);
		return;
	}
}

/* Measures one user, if anything is relevant. */
static void
measure_user(RecEvaluation *evaluation, Relevance *relevance, int64 from, int64 to)
{
	RecBatch   *batch = relevance->batch;
	RecCatalog	catalog = rec_memory_catalog(&batch->memory);
	int			history = rec_batch_score_user(batch, from, to);
	RecUserSegment segment = history == 0 ? REC_USERS_NEW :
	history < HEAVY_HISTORY ? REC_USERS_LIGHT : REC_USERS_HEAVY;
	double	   *values;

	add_test_context(batch, from, to);
	collect_relevant(relevance, from, to);
	if (relevance->n > 0)
	{
		values = add_user(evaluation, batch->rows[from].user, segment);
		for (int c = 0; c < evaluation->ncontestants; c++)
		{
			RecScoredItem *items;
			int			n;

			items = select_items(batch, &catalog, c, evaluation->largest_k, &n);
			measure_list(evaluation, relevance, c, items, n, values);
			for (int i = 0; i < n; i++)
				evaluation->exposure[c][batch->memory.item[items[i].ref]]++;
		}
	}
	forget_relevant(relevance);
	rec_batch_next_user(batch);
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
rec_count_test_users(const RecBatch *batch)
{
	int64		n = 0;
	int64		end;

	for (int64 from = 0; from < batch->nrows; from = end)
	{
		end = rec_batch_user_end(batch, from);
		n += has_test(batch, from, end);
	}
	return n;
}

/*
 * Measures all users of a batch that has a model, or as many as the sample
 * says, chosen by the seed.
 */
void
rec_evaluate(RecEvaluation *evaluation, RecBatch *batch, int64 seed)
{
	uint32		nids = rec_dict_count(batch->items);
	Relevance	relevance = {.batch = batch};
	MemoryContext user_context = AllocSetContextCreate(CurrentMemoryContext,
													   "recommender user",
													   ALLOCSET_DEFAULT_SIZES);
	pg_prng_state prng;
	double		left = (double) rec_count_test_users(batch);
	double		wanted = evaluation->sample > 0 ? (double) evaluation->sample : left;
	int64		end;

	relevance.gain = alloc_array(CurrentMemoryContext, nids, sizeof(double));
	relevance.segment = alloc_array(CurrentMemoryContext, nids, 1);
	classify_items(&relevance);
	for (int c = 0; c < evaluation->ncontestants; c++)
		if (evaluation->exposure[c] == NULL)
			evaluation->exposure[c] = alloc_array(evaluation->context, nids, sizeof(int64));
	pg_prng_seed(&prng, (uint64) seed);
	for (int64 from = 0; from < batch->nrows; from = end)
	{
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		end = rec_batch_user_end(batch, from);
		if (!has_test(batch, from, end))
			continue;
		/* selection sampling: Knuth's algorithm S */
		if (pg_prng_double(&prng) * left-- >= wanted)
			continue;
		wanted--;
		old = MemoryContextSwitchTo(user_context);
		measure_user(evaluation, &relevance, from, end);
		MemoryContextSwitchTo(old);
		MemoryContextReset(user_context);
	}
	pfree(relevance.gain);
	pfree(relevance.segment);
	MemoryContextDelete(user_context);
}

/* ----------------
 *		estimates
 * ----------------
 */

/* How often a user counts in a resample. */
static int
poisson(pg_prng_state *prng)
{
	double		u = pg_prng_double(prng);
	double		p = exp(-1.0);
	double		sum = p;
	int			n = 0;

	while (u > sum && n < 10)
	{
		p /= ++n;
		sum += p;
	}
	return n;
}

typedef struct Sums
{
	double	   *sum;			/* of each class and value */
	double	   *count;
} Sums;

/* Adds up all users, each counted once or as often as the generator says. */
static void
add_up(const RecEvaluation *evaluation, const int *class_of_user, int nclasses,
	   pg_prng_state *prng, Sums *sums)
{
	int			n = evaluation->nvalues;

	memset(sums->sum, 0, sizeof(double) * n * nclasses);
	memset(sums->count, 0, sizeof(double) * n * nclasses);
	for (int64 u = 0; u < evaluation->nusers; u++)
	{
		const double *values = evaluation->values + u * n;
		int			weight = prng ? poisson(prng) : 1;
		int			class = class_of_user[u];
		double	   *sum;
		double	   *count;

		if (u % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (weight == 0 || class < 0)
			continue;
		sum = sums->sum + class * n;
		count = sums->count + class * n;
		for (int i = 0; i < n; i++)
		{
			if (isnan(values[i]))
				continue;
			sum[i] += weight * values[i];
			count[i] += weight;
		}
	}
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* The percentile interval of n resampled means. */
static void
set_interval(RecEstimate *estimate, double *means, int n)
{
	estimate->ci_low = NAN;
	estimate->ci_high = NAN;
	if (n == 0)
		return;
	qsort(means, n, sizeof(double), compare_doubles);
	estimate->ci_low = means[(int) (0.025 * (n - 1) + 0.5)];
	estimate->ci_high = means[(int) (0.975 * (n - 1) + 0.5)];
}

/*
 * Gives the estimate of each value for each class of users, nclasses times
 * nvalues of them, in the current context.  A user whose class is below zero
 * does not count.
 */
RecEstimate *
rec_evaluation_summary(const RecEvaluation *evaluation, const int *class_of_user,
					   int nclasses, int resamples, int64 seed)
{
	int			n = evaluation->nvalues * nclasses;
	RecEstimate *estimates = palloc0_array(RecEstimate, n + 1);
	double	   *means = alloc_array(CurrentMemoryContext, (Size) n * Max(resamples, 1), sizeof(double));
	Sums		sums;
	pg_prng_state prng;

	sums.sum = palloc_array(double, n + 1);
	sums.count = palloc_array(double, n + 1);
	add_up(evaluation, class_of_user, nclasses, NULL, &sums);
	for (int i = 0; i < n; i++)
	{
		estimates[i].users = (int64) sums.count[i];
		estimates[i].value = sums.count[i] > 0 ? sums.sum[i] / sums.count[i] : NAN;
	}
	pg_prng_seed(&prng, (uint64) seed);
	for (int r = 0; r < resamples; r++)
	{
		add_up(evaluation, class_of_user, nclasses, &prng, &sums);
		for (int i = 0; i < n; i++)
			means[(Size) i * resamples + r] =
				sums.count[i] > 0 ? sums.sum[i] / sums.count[i] : estimates[i].value;
	}
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		set_interval(&estimates[i], means + (Size) i * resamples, resamples);
	}
	pfree(means);
	return estimates;
}

/* ----------------
 *		two settings
 * ----------------
 */

/* The two values of each user that both settings were measured on. */
typedef struct PairedValues
{
	double	   *a;
	double	   *b;
	int64		n;
} PairedValues;

static PairedValues
pair_values(const RecBatch *batch, const RecEvaluation *a, const RecEvaluation *b)
{
	PairedValues pairs;
	int64		i = 0;
	int64		j = 0;

	pairs.a = palloc_extended(mul_size(a->nusers + 1, sizeof(double)), MCXT_ALLOC_HUGE);
	pairs.b = palloc_extended(mul_size(a->nusers + 1, sizeof(double)), MCXT_ALLOC_HUGE);
	pairs.n = 0;
	while (i < a->nusers && j < b->nusers)
	{
		if (a->user[i] == b->user[j])
		{
			pairs.a[pairs.n] = a->values[i++ * a->nvalues];
			pairs.b[pairs.n++] = b->values[j++ * b->nvalues];
		}
		else if (batch->user_rank[a->user[i]] < batch->user_rank[b->user[j]])
			i++;
		else
			j++;
	}
	return pairs;
}

static double
mean(const double *x, int64 n)
{
	double		sum = 0;

	for (int64 i = 0; i < n; i++)
		sum += x[i];
	return n > 0 ? sum / (double) n : NAN;
}

/*
 * The two-sided p-value of the mean difference by Fisher's randomisation: how
 * often is it as large when each user's two values are swapped by a coin?
 */
static double
randomisation_p(const PairedValues *pairs, int resamples, int64 seed)
{
	pg_prng_state prng;
	double		observed = 0;
	int			as_large = 0;

	for (int64 i = 0; i < pairs->n; i++)
		observed += pairs->b[i] - pairs->a[i];
	pg_prng_seed(&prng, (uint64) seed);
	for (int r = 0; r < resamples; r++)
	{
		double		sum = 0;

		CHECK_FOR_INTERRUPTS();
		for (int64 i = 0; i < pairs->n; i++)
		{
			double		difference = pairs->b[i] - pairs->a[i];

			sum += pg_prng_bool(&prng) ? difference : -difference;
		}
		as_large += fabs(sum) >= fabs(observed) * (1 - 1e-12);
	}
	return (as_large + 1.0) / (resamples + 1.0);
}

/* The bootstrap interval of the mean difference. */
static RecEstimate
difference_estimate(const PairedValues *pairs, int resamples, int64 seed)
{
	RecEvaluation differences = {0};
	int		   *class = palloc0_array(int, pairs->n + 1);

	differences.nvalues = 1;
	differences.nusers = pairs->n;
	differences.values = palloc_extended(mul_size(pairs->n + 1, sizeof(double)), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < pairs->n; i++)
		differences.values[i] = pairs->b[i] - pairs->a[i];
	return rec_evaluation_summary(&differences, class, 1, resamples, seed)[0];
}

/*
 * Compares the first value of each user under two settings that were measured
 * on the same split: how much more b gives than a.
 */
RecComparison
rec_compare(const RecBatch *batch, const RecEvaluation *a, const RecEvaluation *b,
			int resamples, int64 seed)
{
	PairedValues pairs = pair_values(batch, a, b);
	RecComparison comparison;

	comparison.mean_a = mean(pairs.a, pairs.n);
	comparison.mean_b = mean(pairs.b, pairs.n);
	comparison.difference = difference_estimate(&pairs, resamples, seed);
	comparison.p_value = randomisation_p(&pairs, resamples, seed);
	return comparison;
}
