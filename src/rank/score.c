/*-------------------------------------------------------------------------
 *
 * score.c
 *	  From signals to scores: components, evidence and the blend.
 *
 * What is known of a user or of the moment comes as signals: each item of the
 * history, and each value of the context, has values for some items.  The sum
 * of a component's signals for item j,
 *
 *	  raw(j) = sum of weight(signal) * value(signal, j),
 *
 * is divided by its largest absolute value among all candidates, so that the
 * components can be weighed against each other.  With the evidence n, the
 * summed positive weights of the history, and trust = n / (n + kappa),
 *
 *	  behaviour		blend.behaviour * trust
 *	  factors		blend.factors * trust
 *	  content		blend.content * trust * (1 - share * t(j))
 *	  context		blend.context * (sum of the others' weights)
 *	  popularity	blend.popularity * (1 - trust) - popularity_discount
 *	  trend			blend.trend
 *
 * are the weights.  t(j) = u / (u + item_kappa) is the trust in behaviour
 * around item j, which has u users: an item without users is scored by its
 * content however much is known of the user.  As items are numbered by falling
 * number of users, u follows from the number of an item, rounded down to a
 * power of two.  The evidence of behaviour counts the items of the history that
 * have neighbours by behaviour, that of popularity also those with neighbours
 * by content.  The context is weighed against the others: for an unknown user
 * it reorders popular items a little, where with a weight of its own the rarest
 * item with a large lift would come first.  Its values are logarithms of lifts
 * and are divided by their largest only if that is above 1: a weak context
 * stays weak.
 *
 * A score is one sum: the contributions of the signals, in order of their
 * components and then as they were added, then popularity and trend.  Each is
 * (component's weight * signal's weight) * value, rounded to a multiple of 2^-45 of what a score can
 * be.  Sums of such numbers are exact, so that the contributions add up to the
 * score, to the last bit, in any order.  (Only when positive and negative ones
 * are each more than a hundred times their sum do sums round again, and then
 * the order matters.)
 *
 * Knows numbers only: no Datum, no SPI.  Everything is allocated in the
 * current memory context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/score.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "rank/score.h"
#include "rank/score_state.h"
#include "storage/shmem.h"
#include "utils/float.h"
#include "utils/memutils.h"

/*
 * Make scores without signals; the options must stay allocated.  For many
 * users one after the other, give the number of items: looking up a candidate
 * is then an array access.  For one user, 0.
 */
RecScores *
rec_score_create(const RecOptions *options, uint32 nitems)
{
	RecScores  *scores = palloc0_object(RecScores);

	scores->options = options;
	scores->candidates = rec_candidates_create(nitems);
	scores->signals_allocated = 16;
	scores->signals = palloc_array(RecHeldSignal, scores->signals_allocated);
	scores->entries_allocated = 1024;
	scores->entries = palloc_array(int32, scores->entries_allocated);
	scores->last_ref = PG_UINT32_MAX;
	return scores;
}

/* Use other options from the next user on; they must stay allocated. */
void
rec_score_use_options(RecScores *scores, const RecOptions *options)
{
	scores->options = options;
}

/*
 * Set how many items have at least 1, 2, 4, 8, ... users: n numbers, never
 * rising.  Without them, every item counts as one with very many users.
 */
void
rec_score_set_steps(RecScores *scores, const uint32 *steps, int n)
{
	scores->nsteps = Min(n, REC_USER_STEPS);
	memcpy(scores->steps, steps, scores->nsteps * sizeof(uint32));
}

/* Forget the signals, for the next user. */
void
rec_score_reset(RecScores *scores)
{
	rec_candidates_reset(scores->candidates);
	scores->nsignals = 0;
	scores->nentries = 0;
	scores->evidence = 0;
	scores->personal = 0;
	scores->last_ref = PG_UINT32_MAX;
	scores->summed = false;
}

/* ----------------
 *		signals
 * ----------------
 */

/* Add a signal of the history to the evidence. */
static void
count_evidence(RecScores *scores, const RecSignal *signal)
{
	if (signal->n == 0 || signal->component == REC_FACTORS ||
		signal->component == REC_CONTEXT)
		return;
	if (signal->component == REC_BEHAVIOUR)
		scores->evidence += Max(signal->weight, 0);
	if (signal->ref != scores->last_ref)
		scores->personal += Max(signal->weight, 0);
	scores->last_ref = signal->ref;
}

static void
make_room(RecScores *scores, int nsignals, int64 nentries)
{
	if (nsignals > scores->signals_allocated)
	{
		scores->signals_allocated = Max(nsignals, scores->signals_allocated * 2);
		scores->signals = repalloc_huge(scores->signals,
										mul_size(scores->signals_allocated, sizeof(RecHeldSignal)));
	}
	if (nentries > scores->entries_allocated)
	{
		scores->entries_allocated = Max(nentries, scores->entries_allocated * 2);
		scores->entries = repalloc_huge(scores->entries,
										mul_size(scores->entries_allocated, sizeof(int32)));
	}
}

/*
 * Make room for nsignals more signals, with nentries values for some of nitems
 * items.
 */
void
rec_score_expect(RecScores *scores, int nsignals, int64 nentries, uint32 nitems)
{
	make_room(scores, scores->nsignals + nsignals, scores->nentries + nentries);
	rec_candidates_expect(scores->candidates, (int) Min(nentries, PG_INT32_MAX), nitems);
}

/*
 * Make room for a signal of all items, 0 to nitems - 1; best before all others
 * are added.
 */
void
rec_score_expect_all(RecScores *scores, uint32 nitems)
{
	make_room(scores, scores->nsignals + 1, scores->nentries + nitems);
	rec_candidates_expect_all(scores->candidates, nitems);
}

/* Prevent an item from being selected as a candidate of the signals so far. */
void
rec_score_bar(RecScores *scores, uint32 item)
{
	rec_candidates_bar(scores->candidates, item);
}

/*
 * Add a signal.  The order of the calls is that of the sums.  All signals of
 * one item of the history come one after the other.
 */
void
rec_score_add(RecScores *scores, const RecSignal *signal)
{
	RecHeldSignal *held;
	int32	   *places;
	double	   *sums;

	make_room(scores, scores->nsignals + 1, scores->nentries + signal->n);
	held = &scores->signals[scores->nsignals++];
	held->signal = *signal;
	held->first = scores->nentries;
	places = scores->entries + scores->nentries;
	scores->nentries += signal->n;
	if (signal->items)
		rec_candidates_locate(scores->candidates, signal->items, signal->n, places);
	else
		rec_candidates_locate_all(scores->candidates, signal->n, places);
	sums = rec_candidates_sums(scores->candidates, signal->component);
	for (int i = 0; i < signal->n; i++)
		sums[places[i]] += signal->weight * signal->values[i];
	count_evidence(scores, signal);
	CHECK_FOR_INTERRUPTS();
}

/* ----------------
 *		the blend
 * ----------------
 */

/* Find the largest raw sums; the terms hold raw sums until they are weighed. */
static void
sum_up(RecScores *scores)
{
	if (scores->summed)
		return;
	for (int c = 0; c < REC_NLISTED; c++)
	{
		const double *sums = scores->candidates->sum[c];
		double		largest = 0;

		for (int i = 0; sums && i < scores->candidates->n; i++)
			largest = Max(largest, fabs(sums[i]));
		if (!isfinite(largest))
			float_overflow_error();
		scores->largest[c] = largest;
	}
	if (!isfinite(scores->evidence) || !isfinite(scores->personal))
		float_overflow_error();
	scores->summed = true;
}

static void
add_contributions(RecScores *scores, const RecHeldSignal *held)
{
	const RecSignal *signal = &held->signal;
	const int32 *places = scores->entries + held->first;
	const uint32 *item = scores->candidates->item;
	double	   *terms = scores->candidates->sum[signal->component];
	double	   *listed = scores->listed == terms ? NULL : scores->listed;
	double		weight = scores->factor[signal->component] * signal->weight;

	for (int i = 0; i < signal->n; i++)
	{
		double		contribution = signal->component == REC_CONTENT ?
		rec_score_state_contribution(scores, signal, item[places[i]], signal->values[i]) :
		rec_score_state_on_grid(scores, weight * signal->values[i]);

		terms[places[i]] += contribution;
		if (listed)
			listed[places[i]] += contribution;
	}
	CHECK_FOR_INTERRUPTS();
}

/*
 * Make room for the sums of all components' contributions.  With a single
 * component, its sums serve.
 */
static void
begin_listed(RecScores *scores)
{
	const RecCandidates *candidates = scores->candidates;
	int			ncomponents = 0;

	scores->listed = NULL;
	for (int c = 0; c < REC_NLISTED; c++)
	{
		if (candidates->sum[c] == NULL)
			continue;
		scores->listed = candidates->sum[c];
		ncomponents++;
	}
	if (ncomponents < 2)
		return;
	if (scores->own_allocated < candidates->n)
	{
		if (scores->own_listed)
			pfree(scores->own_listed);
		scores->own_allocated = candidates->allocated;
		scores->own_listed = MemoryContextAllocHuge(GetMemoryChunkContext(scores),
													mul_size(scores->own_allocated, sizeof(double)));
	}
	scores->listed = scores->own_listed;
	if (candidates->n > 0)
		memset(scores->listed, 0, (Size) candidates->n * sizeof(double));
}

/* Add up the contributions of all signals, weighed by their components. */
static void
apply_factors(RecScores *scores)
{
	rec_candidates_clear_sums(scores->candidates);
	begin_listed(scores);
	for (int c = 0; c < REC_NLISTED; c++)
		for (int s = 0; s < scores->nsignals; s++)
			if (scores->signals[s].signal.component == (RecComponent) c)
				add_contributions(scores, &scores->signals[s]);
}

static void
clear_factors(RecScores *scores)
{
	sum_up(scores);
	memset(scores->factor, 0, sizeof(scores->factor));
	memset(scores->content_factor, 0, sizeof(scores->content_factor));
	scores->grid = 0;
}

/* Set content's weight for items of each number of users. */
static void
set_content_factor(RecScores *scores, double weight, double trust)
{
	double		kappa = scores->options->item_kappa;

	scores->content_factor[0] = weight;
	for (int step = 1; step <= REC_USER_STEPS; step++)
	{
		double		users = ldexp(1, step - 1);

		scores->content_factor[step] = weight * (1 - trust * users / (users + kappa));
	}
	scores->factor[REC_CONTENT] = weight;
}

/*
 * Set the grid on which contributions are rounded to 2^-45 of the largest
 * possible score: a number so large that its last bit is that.
 */
static void
set_grid(RecScores *scores)
{
	double		most = fabs(scores->factor[REC_POPULARITY]) + scores->factor[REC_TREND];
	int			exponent;

	for (int c = 0; c < REC_NLISTED; c++)
		most += scores->factor[c] * scores->largest[c];
	(void) frexp(most, &exponent);
	scores->grid = most > 0 && exponent < 1000 ? ldexp(1.5, exponent - 45 + 52) : 0;
}

static double
trust_in(double evidence, double kappa)
{
	return evidence > 0 ? evidence / (evidence + kappa) : 0;
}

/*
 * Return which fraction of the history, by weight, has neighbours by behaviour:
 * 0 to 1, and 0 when behaviour has no weight in the blend.
 */
static double
known_share(const RecScores *scores)
{
	if (scores->options->blend[REC_BEHAVIOUR] == 0 || scores->personal <= 0)
		return 0;
	return scores->evidence / scores->personal;
}

/*
 * Return the sum of the other components' weights: the context moves items
 * within what else is known of the user, however little that is.  Return 1 when
 * no other component has a weight.
 */
static double
weight_of_others(const RecScores *scores, double trust, double personal)
{
	const double *blend = scores->options->blend;
	const double *largest = scores->largest;
	double		sum = blend[REC_POPULARITY] * (1 - personal) + blend[REC_TREND];

	if (largest[REC_BEHAVIOUR] > 0)
		sum += blend[REC_BEHAVIOUR] * trust;
	if (largest[REC_FACTORS] > 0)
		sum += blend[REC_FACTORS] * personal;
	if (largest[REC_CONTENT] > 0)
		sum += blend[REC_CONTENT] * personal * (1 - known_share(scores));
	return sum > 0 ? sum : 1;
}

/* Set the components' weights by the evidence and the options' blend. */
void
rec_score_blend(RecScores *scores)
{
	const RecOptions *options = scores->options;
	const double *blend = options->blend;
	const double *largest = scores->largest;
	double		trust = trust_in(scores->evidence, options->kappa);
	double		personal = trust_in(scores->personal, options->kappa);

	clear_factors(scores);
	/* a history of negative weights alone counts, too */
	if (largest[REC_BEHAVIOUR] > 0)
		scores->factor[REC_BEHAVIOUR] = blend[REC_BEHAVIOUR] *
			(scores->evidence > 0 ? trust : 1) / largest[REC_BEHAVIOUR];
	if (largest[REC_FACTORS] > 0)
		scores->factor[REC_FACTORS] = blend[REC_FACTORS] *
			(scores->personal > 0 ? personal : 1) / largest[REC_FACTORS];
	if (largest[REC_CONTENT] > 0)
		set_content_factor(scores, blend[REC_CONTENT] *
						   (scores->personal > 0 ? personal : 1) / largest[REC_CONTENT],
						   known_share(scores));
	if (largest[REC_CONTEXT] > 0)
		scores->factor[REC_CONTEXT] = blend[REC_CONTEXT] *
			weight_of_others(scores, trust, personal) / Max(largest[REC_CONTEXT], 1);
	scores->factor[REC_POPULARITY] = blend[REC_POPULARITY] * (1 - personal) -
		options->popularity_discount;
	scores->factor[REC_TREND] = blend[REC_TREND];
	set_grid(scores);
	apply_factors(scores);
}

/*
 * Return the trust in behaviour around an item, n / (n + item_kappa), from 0 to
 * 1, where n is the number of its users rounded down to a power of two.
 */
double
rec_score_item_trust(const RecScores *scores, uint32 item)
{
	int			step = rec_score_state_user_step(scores, item);

	return step == 0 ? 0 : trust_in(ldexp(1, step - 1), scores->options->item_kappa);
}

/*
 * Score by the similarity to the only item of the history: by behaviour as far
 * as that is trusted, by content for the rest.  Where there are both, content is
 * scaled so that the largest values of both are equal, as measures have scales
 * of their own.
 */
void
rec_score_similarity(RecScores *scores, double trust)
{
	const double *largest = scores->largest;

	clear_factors(scores);
	scores->factor[REC_BEHAVIOUR] = trust;
	if (largest[REC_CONTENT] > 0)
		set_content_factor(scores, (1 - trust) *
						   (largest[REC_BEHAVIOUR] > 0 ? largest[REC_BEHAVIOUR] / largest[REC_CONTENT] : 1), 0);
	apply_factors(scores);
}

/* Score by the bare value of one component. */
void
rec_score_component_only(RecScores *scores, RecComponent component)
{
	clear_factors(scores);
	if (component == REC_CONTENT)
		set_content_factor(scores, 1, 0);
	scores->factor[component] = 1;
	set_grid(scores);
	apply_factors(scores);
}

/* Set the refs of a component's signals, in their order; return their number. */
int
rec_score_refs(const RecScores *scores, RecComponent component, const uint32 **refs)
{
	uint32	   *found = palloc_array(uint32, scores->nsignals + 1);
	int			n = 0;

	for (int s = 0; s < scores->nsignals; s++)
		if (scores->signals[s].signal.component == component)
			found[n++] = scores->signals[s].signal.ref;
	*refs = found;
	return n;
}

/* Add up the contributions of content to an item that is not a candidate. */
static double
content_term(const RecScores *scores, const RecScoredItem *item)
{
	double		term = 0;
	int			n = 0;

	for (int s = 0; s < scores->nsignals; s++)
		if (scores->signals[s].signal.component == REC_CONTENT)
			term += rec_score_state_contribution(scores, &scores->signals[s].signal, item->item, item->content_values[n++]);
	return term;
}

/*
 * Fill in the terms and the score of an item whose number, popularity and trend
 * are set.
 */
void
rec_score_fill(const RecScores *scores, RecScoredItem *item)
{
	const RecCandidates *candidates = scores->candidates;
	int32		place = rec_candidates_find(candidates, item->item);

	memset(item->term, 0, sizeof(item->term));
	item->score = 0;
	if (place >= 0)
	{
		for (int c = 0; c < REC_NLISTED; c++)
			item->term[c] = candidates->sum[c] ? candidates->sum[c][place] : 0;
		item->score = scores->listed[place];
	}
	else if (item->content_values)
	{
		item->term[REC_CONTENT] = content_term(scores, item);
		item->score = item->term[REC_CONTENT];
	}
	item->term[REC_POPULARITY] = rec_score_state_on_grid(scores, scores->factor[REC_POPULARITY] * item->popularity);
	item->term[REC_TREND] = rec_score_state_on_grid(scores, scores->factor[REC_TREND] * item->trend);
	item->score += item->term[REC_POPULARITY];
	item->score += item->term[REC_TREND];
}

/* Return the component with the largest term; popularity when all are 0. */
RecComponent
rec_score_strategy(const RecScoredItem *item)
{
	RecComponent best = REC_POPULARITY;

	for (int c = 0; c < REC_NCOMPONENTS; c++)
		if (item->term[c] > item->term[best])
			best = c;
	return best;
}
