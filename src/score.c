/*-------------------------------------------------------------------------
 *
 * score.c
 *	  From signals to the best items: components, blend and top k.
 *
 * What is known of a user or of the moment comes as signals: each item of the
 * history, and each value of the context, says something of some items.  The
 * sum of a component's signals for item j,
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
 * are the factors.  t(j) = u / (u + item_kappa) is what the behaviour around
 * item j is worth, by the u users that it has: an item that nobody has used
 * is judged by its content however much is known of the user.  As items are
 * numbered by falling number of users, the number of an item tells u, rounded
 * down to a power of two.  The evidence of behaviour counts the items of the
 * history that have neighbours by behaviour, that of popularity also those
 * with neighbours by content.  The context is weighed against the others: of
 * somebody of whom nothing is known it moves what is popular by a little,
 * where with a weight of its own the rarest item that it speaks for would come
 * first.  Its values are logarithms of lifts, and are never made larger: a
 * context that says little stays so.
 *
 * A score is one sum: the contributions of the signals, in order of their
 * components and then as they were added, then popularity and trend.  Each is
 * (factor * weight) * value, rounded to a multiple of 2^-45 of what a score can
 * be.  Sums of such numbers are exact, so that whoever adds the contributions
 * up comes to the score, to the last bit, in whatever order.  (Only when they
 * are more than a hundred times what remains of them, for and against, do sums
 * round again, and then the order matters.)
 *
 * The best k are found without looking at every item: candidates of the
 * signals come with their sums, all others from lists in falling order of
 * popularity or trend, and the search ends when nothing outside can score
 * more than the k-th best inside (the threshold algorithm of Fagin, Lotem and
 * Naor 2003).  Equal scores are ordered by the items' numbers.
 *
 * Knows numbers only: no Datum, no SPI.  Everything is allocated in the
 * current context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/score.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "candidates.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "score.h"
#include "utils/float.h"
#include "utils/memutils.h"

/* A signal and where its candidates are. */
typedef struct HeldSignal
{
	RecSignal	signal;
	int64		first;			/* entry of its first item */
} HeldSignal;

struct RecScores
{
	const RecOptions *options;
	RecCandidates *candidates;	/* with raw sums, then with terms */
	double	   *listed;			/* all terms of each candidate, summed up */
	double	   *own_listed;		/* room for that */
	int			own_allocated;
	HeldSignal *signals;
	int			nsignals;
	int			signals_allocated;
	int32	   *entries;		/* candidate of each item of each signal */
	int64		nentries;
	int64		entries_allocated;
	int			nsteps;			/* of items by their users: the number of ... */
	uint32		steps[REC_USER_STEPS];	/* ... those with 2^step or more */

	/* the history's evidence: the sums of positive weights */
	double		evidence;		/* of items with neighbours by behaviour */
	double		personal;		/* of items with any neighbours */
	uint32		last_ref;		/* item whose weight was counted last */
	bool		summed;			/* largest is known */
	double		largest[REC_NLISTED];	/* absolute raw sum; 0 for none */

	double		grid;			/* added and taken away again, it rounds */
	double		factor[REC_NCOMPONENTS];	/* of each component's value */
	double		content_factor[REC_USER_STEPS + 1]; /* by step; first, of
													 * items without users */
};

/*
 * Makes scores without signals; the options must stay allocated.  For many
 * users one after the other, give the number of items: looking up a candidate
 * is then an array access.  For one user, 0.
 */
RecScores *
rec_scores_create(const RecOptions *options, uint32 nitems)
{
	RecScores  *scores = palloc0_object(RecScores);

	scores->options = options;
	scores->candidates = rec_candidates_create(nitems);
	scores->signals_allocated = 16;
	scores->signals = palloc_array(HeldSignal, scores->signals_allocated);
	scores->entries_allocated = 1024;
	scores->entries = palloc_array(int32, scores->entries_allocated);
	scores->last_ref = PG_UINT32_MAX;
	return scores;
}

/* Goes by other options from the next user on; they must stay allocated. */
void
rec_scores_serve_by(RecScores *scores, const RecOptions *options)
{
	scores->options = options;
}

/*
 * Says how many items have at least 1, 2, 4, 8, ... users: n numbers, never
 * rising.  Without, every item counts as one of very many users.
 */
void
rec_scores_set_steps(RecScores *scores, const uint32 *steps, int n)
{
	scores->nsteps = Min(n, REC_USER_STEPS);
	memcpy(scores->steps, steps, scores->nsteps * sizeof(uint32));
}

/* Forgets the signals, for the next user. */
void
rec_scores_reset(RecScores *scores)
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

/* What a signal of the history is worth as evidence. */
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
										mul_size(scores->signals_allocated, sizeof(HeldSignal)));
	}
	if (nentries > scores->entries_allocated)
	{
		scores->entries_allocated = Max(nentries, scores->entries_allocated * 2);
		scores->entries = repalloc_huge(scores->entries,
										mul_size(scores->entries_allocated, sizeof(int32)));
	}
}

/*
 * Makes room for that many more signals, which name that many items of the
 * nitems that there are.
 */
void
rec_scores_expect(RecScores *scores, int nsignals, int64 nentries, uint32 nitems)
{
	make_room(scores, scores->nsignals + nsignals, scores->nentries + nentries);
	rec_candidates_expect(scores->candidates, (int) Min(nentries, PG_INT32_MAX), nitems);
}

/*
 * Tells that a signal of all items, 0 to nitems - 1, is to come; better before
 * all others.
 */
void
rec_scores_expect_all(RecScores *scores, uint32 nitems)
{
	make_room(scores, scores->nsignals + 1, scores->nentries + nitems);
	rec_candidates_expect_all(scores->candidates, nitems);
}

/* Keeps an item from being selected by what the signals so far say of it. */
void
rec_scores_bar(RecScores *scores, uint32 item)
{
	rec_candidates_bar(scores->candidates, item);
}

/*
 * Adds a signal.  The order of the calls is that of the sums.  All signals of
 * one item of the history come one after the other.
 */
void
rec_scores_add(RecScores *scores, const RecSignal *signal)
{
	HeldSignal *held;
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

/* Takes the largest raw sums, which stand in the terms until factors do. */
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

/* The step of an item by its users: 0 for none, 1 for one, 2 for two or three. */
static inline int
user_step(const RecScores *scores, uint32 item)
{
	int			step = 0;

	while (step < scores->nsteps && item < scores->steps[step])
		step++;
	return scores->nsteps > 0 ? step : REC_USER_STEPS;
}

/* The factor that a component's value is multiplied with for an item. */
static inline double
factor_for(const RecScores *scores, RecComponent component, uint32 item)
{
	if (component == REC_CONTENT)
		return scores->content_factor[user_step(scores, item)];
	return scores->factor[component];
}

/* Rounds a contribution so that sums are exact. */
static inline double
on_grid(const RecScores *scores, double contribution)
{
	double		moved = contribution + scores->grid;	/* a double, not wider */

	return moved - scores->grid;
}

static inline double
contribution_of(const RecScores *scores, const RecSignal *signal, uint32 item, float4 value)
{
	return on_grid(scores, factor_for(scores, signal->component, item) * signal->weight * value);
}

static void
add_contributions(RecScores *scores, const HeldSignal *held)
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
		contribution_of(scores, signal, item[places[i]], signal->values[i]) :
		on_grid(scores, weight * signal->values[i]);

		terms[places[i]] += contribution;
		if (listed)
			listed[places[i]] += contribution;
	}
	CHECK_FOR_INTERRUPTS();
}

/*
 * Makes room for the sums of all components' contributions.  When there is
 * one component, its sums are these.
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
	memset(scores->listed, 0, (Size) candidates->n * sizeof(double));
}

/* Adds up the contributions of all signals by the factors. */
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

/* Sets content's factor for items of each number of users. */
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
 * Lets contributions be rounded to 2^-45 of the largest score there can be:
 * the grid is so large that the last bit of what is added to it is that.
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
 * Gives how much of the history, by its weight, behaviour knows of: 0 to 1, and
 * nothing when behaviour is not asked.
 */
static double
known_share(const RecScores *scores)
{
	if (scores->options->blend[REC_BEHAVIOUR] == 0 || scores->personal <= 0)
		return 0;
	return scores->evidence / scores->personal;
}

/*
 * Gives what the other components may come to: the context is to move items
 * within what else is known of the user, however little that is.  It stands
 * alone when nothing else has a weight.
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

/* Sets the factors by the evidence and the options' blend. */
void
rec_scores_blend(RecScores *scores)
{
	const RecOptions *options = scores->options;
	const double *blend = options->blend;
	const double *largest = scores->largest;
	double		trust = trust_in(scores->evidence, options->kappa);
	double		personal = trust_in(scores->personal, options->kappa);

	clear_factors(scores);
	/* a history that speaks only against items is to be heard */
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

/* Gives what the behaviour around an item is worth, by its users: 0 to 1. */
double
rec_scores_item_trust(const RecScores *scores, uint32 item)
{
	int			step = user_step(scores, item);

	return step == 0 ? 0 : trust_in(ldexp(1, step - 1), scores->options->item_kappa);
}

/*
 * Makes the score the similarity to the only item of the history: by
 * behaviour as far as that is trusted, by content for the rest.  Where there
 * are both, the largest of content's counts as much as that of behaviour, as
 * measures have scales of their own.
 */
void
rec_scores_similarity(RecScores *scores, double trust)
{
	const double *largest = scores->largest;

	clear_factors(scores);
	scores->factor[REC_BEHAVIOUR] = trust;
	if (largest[REC_CONTENT] > 0)
		set_content_factor(scores, (1 - trust) *
						   (largest[REC_BEHAVIOUR] > 0 ? largest[REC_BEHAVIOUR] / largest[REC_CONTENT] : 1), 0);
	apply_factors(scores);
}

/* Makes the score the bare value of one component. */
void
rec_scores_component_only(RecScores *scores, RecComponent component)
{
	clear_factors(scores);
	if (component == REC_CONTENT)
		set_content_factor(scores, 1, 0);
	scores->factor[component] = 1;
	set_grid(scores);
	apply_factors(scores);
}

/* Gives the refs of a component's signals, in their order, and their number. */
int
rec_scores_refs(const RecScores *scores, RecComponent component, const uint32 **refs)
{
	uint32	   *found = palloc_array(uint32, scores->nsignals + 1);
	int			n = 0;

	for (int s = 0; s < scores->nsignals; s++)
		if (scores->signals[s].signal.component == component)
			found[n++] = scores->signals[s].signal.ref;
	*refs = found;
	return n;
}

/* Adds up what the signals of content say of an item that is no candidate. */
static double
term_of_said(const RecScores *scores, const RecScoredItem *item)
{
	double		term = 0;
	int			n = 0;

	for (int s = 0; s < scores->nsignals; s++)
		if (scores->signals[s].signal.component == REC_CONTENT)
			term += contribution_of(scores, &scores->signals[s].signal, item->item, item->said[n++]);
	return term;
}

/*
 * Fills in the terms and the score of an item whose number, popularity and
 * trend are known.
 */
void
rec_scores_fill(const RecScores *scores, RecScoredItem *item)
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
	else if (item->said)
	{
		item->term[REC_CONTENT] = term_of_said(scores, item);
		item->score = item->term[REC_CONTENT];
	}
	item->term[REC_POPULARITY] = on_grid(scores, scores->factor[REC_POPULARITY] * item->popularity);
	item->term[REC_TREND] = on_grid(scores, scores->factor[REC_TREND] * item->trend);
	item->score += item->term[REC_POPULARITY];
	item->score += item->term[REC_TREND];
}

/* Gives the component with the largest term; popularity when all are zero. */
RecComponent
rec_scores_strategy(const RecScoredItem *item)
{
	RecComponent best = REC_POPULARITY;

	for (int c = 0; c < REC_NCOMPONENTS; c++)
		if (item->term[c] > item->term[best])
			best = c;
	return best;
}

/* ----------------
 *		contributions
 * ----------------
 */

/* Gives what a signal says of an item, 0 when it is not there. */
static float4
value_in_signal(const RecSignal *signal, uint32 item)
{
	if (signal->items == NULL)
		return item < (uint32) signal->n ? signal->values[item] : 0;
	for (int i = 0; i < signal->n; i++)
		if (signal->items[i] == (int32) item)
			return signal->values[i];
	return 0;
}

/*
 * Gives the contributions to an item's score that are not zero, in the order
 * in which they were added up, and their number.
 */
int
rec_scores_contributions(const RecScores *scores, const RecScoredItem *item,
						 RecContribution **contributions)
{
	RecContribution *found = palloc_array(RecContribution, scores->nsignals + REC_NCOMPONENTS);
	const float4 *said = item->said;
	int			n = 0;

	for (int c = 0; c < REC_NLISTED; c++)
		for (int s = 0; s < scores->nsignals && item->term[c] != 0; s++)
		{
			const RecSignal *signal = &scores->signals[s].signal;
			float4		value;

			if (signal->component != (RecComponent) c)
				continue;
			value = said ? *said++ : value_in_signal(signal, item->item);
			found[n].component = c;
			found[n].signal = signal;
			found[n].value = value;
			found[n].contribution = contribution_of(scores, signal, item->item, value);
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
		parts[i] = on_grid(scores, factor * shares[i]);
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

/* ----------------
 *		sets of scored items
 * ----------------
 */

typedef struct SetMember
{
	uint32		item;
	char		status;
} SetMember;

#define SH_PREFIX member_table
#define SH_ELEMENT_TYPE SetMember
#define SH_KEY_TYPE uint32
#define SH_KEY item
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

struct RecItemSet
{
	const RecScores *scores;
	member_table_hash *members;
	RecScoredItem *items;
	int			n;
	int			allocated;
	bool		sorted;
};

/* Makes an empty set of items that are scored by "scores". */
RecItemSet *
rec_item_set_create(const RecScores *scores)
{
	RecItemSet *set = palloc0_object(RecItemSet);

	set->scores = scores;
	set->members = member_table_create(CurrentMemoryContext, 128, NULL);
	set->allocated = 128;
	set->items = palloc_array(RecScoredItem, set->allocated);
	return set;
}

/* Adds an item, scoring it, unless it is there already. */
void
rec_item_set_add(RecItemSet *set, const RecScoredItem *item)
{
	bool		found;

	(void) member_table_insert(set->members, item->item, &found);
	if (found)
		return;
	if (set->n == set->allocated)
	{
		set->allocated *= 2;
		set->items = repalloc_huge(set->items,
								   mul_size(set->allocated, sizeof(RecScoredItem)));
	}
	set->sorted = false;
	set->items[set->n] = *item;
	rec_scores_fill(set->scores, &set->items[set->n++]);
}

/* Eligible items first, then by falling score, then by number. */
static inline int
compare_items(const RecScoredItem *a, const RecScoredItem *b)
{
	if (a->eligible != b->eligible)
		return a->eligible ? -1 : 1;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return a->item < b->item ? -1 : a->item > b->item;
}

#define ST_SORT sort_items
#define ST_ELEMENT_TYPE RecScoredItem
#define ST_COMPARE(a, b) compare_items(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Gives the eligible items of a set, best first, and their number. */
RecScoredItem *
rec_item_set_ranked(RecItemSet *set, int *n)
{
	if (!set->sorted)
		sort_items(set->items, set->n);
	set->sorted = true;
	for (*n = 0; *n < set->n && set->items[*n].eligible;)
		(*n)++;
	return set->items;
}

/* The score of the k-th eligible item; minus infinity when there are fewer. */
static double
kth_score(RecItemSet *set, int64 k)
{
	int			n;
	RecScoredItem *items = rec_item_set_ranked(set, &n);

	return n < k ? -INFINITY : items[k - 1].score;
}

/* ----------------
 *		the best k
 * ----------------
 */

#define NEXT_LIST	2048		/* items of the list after the first, about */

/* A candidate and what the signals say of it. */
typedef struct Candidate
{
	uint32		item;
	double		listed;
} Candidate;

static inline int
compare_candidates(const Candidate *a, const Candidate *b)
{
	if (a->listed != b->listed)
		return a->listed > b->listed ? -1 : 1;
	return a->item < b->item ? -1 : a->item > b->item;
}

#define ST_SORT sort_candidates
#define ST_ELEMENT_TYPE Candidate
#define ST_COMPARE(a, b) compare_candidates(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static void
fetch(const RecCatalog *catalog, const uint32 *items, int n, RecItemSet *set)
{
	if (n > 0)
		catalog->fetch(catalog->arg, items, n, set);
}

/*
 * True when what the signals say of a candidate makes its score "needed" or
 * more, and more than nothing: one that they do not help is an item like all
 * others.
 */
static inline bool
is_promising(const RecScores *scores, int place, double needed)
{
	return scores->listed[place] > 0 && scores->listed[place] >= needed &&
		!rec_candidate_is_barred(scores->candidates, place);
}

/*
 * Finds the "wanted" candidates of which the signals say most, of equal ones
 * those with the lowest numbers; gives their number.  There is room for twice
 * as many.
 */
static int
find_best_candidates(const RecScores *scores, Candidate *best, int wanted)
{
	Candidate	last = {PG_UINT32_MAX, 0};
	int			n = 0;

	for (int i = 0; i < scores->candidates->n; i++)
	{
		Candidate	candidate = {scores->candidates->item[i], scores->listed[i]};

		if (!is_promising(scores, i, last.listed) || compare_candidates(&candidate, &last) >= 0)
			continue;
		best[n++] = candidate;
		if (n < 2 * wanted)
			continue;
		sort_candidates(best, n);
		n = wanted;
		last = best[n - 1];
	}
	sort_candidates(best, n);
	return Min(n, wanted);
}

/*
 * Fetches the best candidates, k and some to spare, and with them all that
 * could come up to the k-th of them by the "rest" that they may have besides,
 * unless they are too many.  Gives the bound from which on all were fetched.
 */
static double
fetch_best_candidates(RecScores *scores, const RecCatalog *catalog, int k, double rest,
					  RecItemSet *set)
{
	int			wanted = Min(k + catalog->spare, scores->candidates->n);
	int64		most = 4 * (int64) wanted + 64;
	Candidate  *best = palloc_array(Candidate, 2 * wanted);
	uint32	   *items = palloc_array(uint32, Min(most, scores->candidates->n));
	int			nbest = find_best_candidates(scores, best, wanted);
	double		needed = nbest >= k ? Min(best[k - 1].listed - rest, best[nbest - 1].listed) : 0;
	int			n = 0;

	for (int i = 0; i < scores->candidates->n && n < most && nbest >= k; i++)
		if (is_promising(scores, i, needed))
			items[n++] = scores->candidates->item[i];
	if (n == 0 || n == most)
	{
		needed = nbest == wanted ? INFINITY : 0;
		for (n = 0; n < nbest; n++)
			items[n] = best[n].item;
	}
	fetch(catalog, items, n, set);
	pfree(best);
	pfree(items);
	return needed;
}

/* Fetches all candidates that could score "needed" or more by themselves. */
static void
fetch_promising(RecScores *scores, const RecCatalog *catalog, double needed,
				RecItemSet *set)
{
	uint32	   *items = palloc_array(uint32, scores->candidates->n + 1);
	int			n = 0;

	for (int i = 0; i < scores->candidates->n; i++)
	{
		uint32		item = scores->candidates->item[i];

		if (is_promising(scores, i, needed) &&
			member_table_lookup(set->members, item) == NULL)
			items[n++] = item;
	}
	fetch(catalog, items, n, set);
	pfree(items);
}

/*
 * Adds the lists of a level; gives the most that popularity and trend can be
 * worth to an item that is on none of them, minus infinity when every item is.
 */
static double
fetch_lists(RecScores *scores, const RecCatalog *catalog, int level, RecItemSet *set)
{
	static const RecComponent components[] = {REC_POPULARITY, REC_TREND};
	double		rest = 0;
	double		last = 0;
	bool		listed = false;

	for (int i = 0; i < (int) lengthof(components); i++)
	{
		double		factor = scores->factor[components[i]];

		if (factor <= 0)
			continue;
		listed = true;
		if (catalog->list(catalog->arg, components[i], level, set, &last))
			return -INFINITY;
		rest += on_grid(scores, factor * last);
	}
	if (!listed && catalog->list(catalog->arg, REC_NCOMPONENTS, level, set, &last))
		return -INFINITY;
	return rest;
}

/*
 * True when the next longer list and all candidates together would hardly
 * have what is missing.
 */
static bool
is_sparse(RecScores *scores, const RecCatalog *catalog, RecItemSet *set, int64 k)
{
	int			n;

	(void) rec_item_set_ranked(set, &n);
	return n < k && catalog->is_sparse &&
		catalog->is_sparse(catalog->arg, 2 * (k - n), scores->candidates->n + NEXT_LIST);
}

/*
 * True when items that score "rest" at the most could come before the k-th
 * eligible item.  With an equal score only those could that are of a lower
 * number, which in a list is the order of equals.
 */
static bool
may_be_beaten(RecItemSet *set, int64 k, double rest)
{
	int			n;
	const RecScoredItem *items = rec_item_set_ranked(set, &n);
	const RecScoredItem *last = n < k ? NULL : &items[k - 1];

	return last == NULL || last->score < rest ||
		(last->score == rest &&
		 last->score != last->term[REC_POPULARITY] + last->term[REC_TREND]);
}

/*
 * Gives the k eligible items with the largest scores, best first, and their
 * number, which is less than k only when there are no more.
 */
RecScoredItem *
rec_select_best(RecScores *scores, const RecCatalog *catalog, int64 k, int *n)
{
	RecItemSet *set = rec_item_set_create(scores);
	RecScoredItem *items;
	double		rest;			/* most that an item outside can have besides
								 * what the signals say */
	double		fetched = INFINITY;

	rest = on_grid(scores, Max(scores->factor[REC_POPULARITY], 0)) +
		on_grid(scores, Max(scores->factor[REC_TREND], 0));
	if (scores->candidates->n > 0)
		fetched = fetch_best_candidates(scores, catalog,
										(int) Min(k, scores->candidates->n), rest, set);
	if (!may_be_beaten(set, k, rest) && kth_score(set, k) - rest < fetched)
		fetch_promising(scores, catalog, kth_score(set, k) - rest, set);
	for (int level = 0; may_be_beaten(set, k, rest); level++)
	{
		rest = fetch_lists(scores, catalog, level, set);
		if (rest == -INFINITY)
			break;
		if (is_sparse(scores, catalog, set, k))
			level = REC_ALL_LEVELS - 1;
		else
			fetch_promising(scores, catalog, kth_score(set, k) - rest, set);
	}
	items = rec_item_set_ranked(set, n);
	*n = (int) Min((int64) *n, k);
	return items;
}
