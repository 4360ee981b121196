/*-------------------------------------------------------------------------
 *
 * score.c
 *	  From a history to the best items: components, blend and top k.
 *
 * The behaviour of item j for a history H is the sum over i in H of
 * weight(i) * similarity(i, j); popularity and trend are known of each item.
 * A score is
 *
 *	  blend.behaviour * e * behaviour / largest behaviour
 *	+ blend.popularity * (1 - e) * popularity
 *	+ blend.trend * trend
 *
 * where e = n / (n + kappa) is what the evidence, the summed weights n of the
 * history, is worth.  A history without neighbours is no evidence.  Content
 * and context will be two more lines of that sum: see rec_scores_fill().
 *
 * The best k are found without looking at every item: candidates of the
 * behaviour come with their sums, all others from lists in falling order of
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

#include "common/hashfn.h"
#include "miscadmin.h"
#include "score.h"
#include "utils/float.h"

/* An item that the behaviour of the history speaks for, or against. */
typedef struct Candidate
{
	uint32		item;
	double		behaviour;
} Candidate;

typedef struct CandidateSlot
{
	uint32		item;
	int			index;			/* in the array of candidates */
	char		status;
} CandidateSlot;

#define SH_PREFIX candidate_table
#define SH_ELEMENT_TYPE CandidateSlot
#define SH_KEY_TYPE uint32
#define SH_KEY item
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

struct RecScores
{
	const RecOptions *options;
	Candidate  *candidates;
	int			ncandidates;
	int			candidates_allocated;
	candidate_table_hash *slots;	/* item -> candidate, or ... */
	uint32		nitems;			/* ... when not 0, so many items have ... */
	int		   *index;			/* ... their candidate here, -1 for none */
	RecHistoryItem *history;
	int			nhistory;
	int			history_allocated;
	double		evidence;		/* sum of the history's positive weights */
	double		largest;		/* largest absolute behaviour; 0 for none */
	double		factor[REC_NCOMPONENTS];	/* of each component's raw value */
};

/*
 * Makes an empty history; the options must stay allocated.  For many users
 * one after the other, give the number of items: looking up a candidate is
 * then an array access.  For one user, 0.
 */
RecScores *
rec_scores_create(const RecOptions *options, uint32 nitems)
{
	RecScores  *scores = palloc0_object(RecScores);

	scores->options = options;
	scores->nitems = nitems;
	if (nitems == 0)
		scores->slots = candidate_table_create(CurrentMemoryContext, 2048, NULL);
	else
	{
		Size		size = mul_size(nitems, sizeof(int));

		scores->index = MemoryContextAllocHuge(CurrentMemoryContext, size);
		memset(scores->index, -1, size);
	}
	scores->candidates_allocated = 2048;
	scores->candidates = palloc_array(Candidate, scores->candidates_allocated);
	scores->history_allocated = 64;
	scores->history = palloc_array(RecHistoryItem, scores->history_allocated);
	return scores;
}

/* Forgets the history, for the next user. */
void
rec_scores_reset(RecScores *scores)
{
	if (scores->nitems == 0)
		candidate_table_reset(scores->slots);
	for (int i = 0; i < scores->ncandidates && scores->nitems > 0; i++)
		scores->index[scores->candidates[i].item] = -1;
	scores->ncandidates = 0;
	scores->nhistory = 0;
	scores->evidence = 0;
	scores->largest = 0;
}

static int
append_candidate(RecScores *scores, uint32 item)
{
	if (scores->ncandidates == scores->candidates_allocated)
	{
		scores->candidates_allocated *= 2;
		scores->candidates = repalloc_huge(scores->candidates,
										   mul_size(scores->candidates_allocated,
													sizeof(Candidate)));
	}
	scores->candidates[scores->ncandidates].item = item;
	scores->candidates[scores->ncandidates].behaviour = 0;
	return scores->ncandidates++;
}

/* Gives the candidate of an item, a new one if there is none yet. */
static inline Candidate *
get_candidate(RecScores *scores, uint32 item)
{
	int		   *index;
	bool		found;

	if (item < scores->nitems)
	{
		index = &scores->index[item];
		found = *index >= 0;
	}
	else if (scores->nitems > 0)
		elog(ERROR, "item number %u is out of range", item);
	else
		index = &candidate_table_insert(scores->slots, item, &found)->index;
	if (!found)
		*index = append_candidate(scores, item);
	return &scores->candidates[*index];
}

/* Gives the behaviour of an item, 0 when it is no candidate. */
static inline double
behaviour_of(const RecScores *scores, uint32 item)
{
	int			index = -1;

	if (item < scores->nitems)
		index = scores->index[item];
	else if (scores->nitems == 0)
	{
		CandidateSlot *slot = candidate_table_lookup(scores->slots, item);

		index = slot ? slot->index : -1;
	}
	return index >= 0 ? scores->candidates[index].behaviour : 0;
}

/*
 * Adds an item of the history.  The order of the calls is that of the sums.
 * The lists must stay allocated as long as the scores.
 */
void
rec_scores_add(RecScores *scores, const RecHistoryItem *item)
{
	if (scores->nhistory == scores->history_allocated)
	{
		scores->history_allocated *= 2;
		scores->history = repalloc_array(scores->history, RecHistoryItem,
										 scores->history_allocated);
	}
	scores->history[scores->nhistory++] = *item;
	if (item->n > 0)
		scores->evidence += Max(item->weight, 0);
	for (int i = 0; i < item->n; i++)
		get_candidate(scores, (uint32) item->neighbors[i])->behaviour +=
			item->weight * item->similarities[i];
	CHECK_FOR_INTERRUPTS();
}

static double
largest_behaviour(const RecScores *scores)
{
	double		largest = 0;

	for (int i = 0; i < scores->ncandidates; i++)
		largest = Max(largest, fabs(scores->candidates[i].behaviour));
	return largest;
}

/* Sets the factors by the evidence and the options' blend. */
void
rec_scores_blend(RecScores *scores)
{
	const double *blend = scores->options->blend;
	double		evidence = scores->evidence;
	double		trust;

	scores->largest = largest_behaviour(scores);
	if (!isfinite(scores->largest) || !isfinite(evidence))
		float_overflow_error();
	trust = evidence > 0 ? evidence / (evidence + scores->options->kappa) : 0;
	memset(scores->factor, 0, sizeof(scores->factor));
	if (scores->largest > 0)
		scores->factor[REC_BEHAVIOUR] =
			blend[REC_BEHAVIOUR] * (evidence > 0 ? trust : 1) / scores->largest;
	scores->factor[REC_POPULARITY] = blend[REC_POPULARITY] * (1 - trust);
	scores->factor[REC_TREND] = blend[REC_TREND];
}

/* Makes the score the bare behaviour: of one item, the similarity to it. */
void
rec_scores_behaviour_only(RecScores *scores)
{
	memset(scores->factor, 0, sizeof(scores->factor));
	scores->factor[REC_BEHAVIOUR] = 1;
}

/* Makes the score the popularity. */
void
rec_scores_popularity_only(RecScores *scores)
{
	memset(scores->factor, 0, sizeof(scores->factor));
	scores->factor[REC_POPULARITY] = 1;
}

static double
term(const RecScores *scores, const RecScoredItem *item, RecComponent component)
{
	switch (component)
	{
		case REC_BEHAVIOUR:
			return scores->factor[component] * item->behaviour;
		case REC_POPULARITY:
			return scores->factor[component] * item->popularity;
		case REC_TREND:
			return scores->factor[component] * item->trend;
		default:
			return 0;			/* no data, no weight */
	}
}

/*
 * Fills in the behaviour and the score of an item whose number, popularity
 * and trend are known: the sum of its terms in order of the components.
 */
void
rec_scores_fill(const RecScores *scores, RecScoredItem *item)
{
	item->behaviour = behaviour_of(scores, item->item);
	item->score = 0;
	for (int c = 0; c < REC_NCOMPONENTS; c++)
		item->score += term(scores, item, c);
}

/* Gives the component with the largest term; popularity when all are zero. */
RecComponent
rec_scores_strategy(const RecScores *scores, const RecScoredItem *item)
{
	RecComponent best = REC_POPULARITY;

	for (int c = 0; c < REC_NCOMPONENTS; c++)
		if (term(scores, item, c) > term(scores, item, best))
			best = c;
	return best;
}

/* ----------------
 *		reasons
 * ----------------
 */

/* Keeps the reasons with the largest contributions, largest first. */
static int
keep_reason(RecReason *reasons, int n, int max, RecReason reason)
{
	int			at = n;

	if (reason.contribution == 0)
		return n;
	while (at > 0 && fabs(reason.contribution) > fabs(reasons[at - 1].contribution))
		at--;
	if (at >= max)
		return n;
	n = Min(n + 1, max);
	memmove(reasons + at + 1, reasons + at, (n - 1 - at) * sizeof(RecReason));
	reasons[at] = reason;
	return n;
}

/*
 * Gives up to "max" largest terms of an item's score, largest first: one for
 * each item of the history that it is a neighbour of, one for each other
 * component.
 */
int
rec_scores_reasons(const RecScores *scores, const RecScoredItem *item,
				   RecReason *reasons, int max)
{
	RecReason	reason = {REC_BEHAVIOUR, -1, 0};
	int			n = 0;

	for (int h = 0; h < scores->nhistory && item->behaviour != 0; h++)
	{
		const RecHistoryItem *source = &scores->history[h];

		for (int i = 0; i < source->n; i++)
		{
			if (source->neighbors[i] != (int32) item->item)
				continue;
			reason.history = h;
			reason.contribution = scores->factor[REC_BEHAVIOUR] *
				source->weight * source->similarities[i];
			n = keep_reason(reasons, n, max, reason);
			break;
		}
	}
	reason.history = -1;
	for (int c = REC_BEHAVIOUR + 1; c < REC_NCOMPONENTS; c++)
	{
		reason.component = c;
		reason.contribution = term(scores, item, c);
		n = keep_reason(reasons, n, max, reason);
	}
	return n;
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

static inline int
compare_candidates(const Candidate *a, const Candidate *b)
{
	if (a->behaviour != b->behaviour)
		return a->behaviour > b->behaviour ? -1 : 1;
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
 * True when a candidate's behaviour makes its score more than "needed", and
 * more than nothing: one that it does not help is an item like all others.
 */
static inline bool
is_promising(const RecScores *scores, const Candidate *candidate, double needed)
{
	return scores->factor[REC_BEHAVIOUR] * candidate->behaviour > Max(needed, 0);
}

/*
 * Fetches the "wanted" candidates with the largest behaviour, of equal ones
 * those with the lowest numbers.
 */
static void
fetch_best_candidates(RecScores *scores, const RecCatalog *catalog, int wanted,
					  RecItemSet *set)
{
	Candidate  *best = palloc_array(Candidate, 2 * wanted);
	uint32	   *items = palloc_array(uint32, wanted);
	Candidate	last = {PG_UINT32_MAX, -INFINITY};
	int			n = 0;

	for (int i = 0; i < scores->ncandidates; i++)
	{
		const Candidate *candidate = &scores->candidates[i];

		if (!is_promising(scores, candidate, 0) ||
			compare_candidates(candidate, &last) >= 0)
			continue;
		best[n++] = *candidate;
		if (n < 2 * wanted)
			continue;
		sort_candidates(best, n);
		n = wanted;
		last = best[n - 1];
	}
	sort_candidates(best, n);
	n = Min(n, wanted);
	for (int i = 0; i < n; i++)
		items[i] = best[i].item;
	fetch(catalog, items, n, set);
	pfree(best);
	pfree(items);
}

/* Fetches all candidates that could score more than "needed" by themselves. */
static void
fetch_promising(RecScores *scores, const RecCatalog *catalog, double needed,
				RecItemSet *set)
{
	uint32	   *items = palloc_array(uint32, scores->ncandidates + 1);
	int			n = 0;

	for (int i = 0; i < scores->ncandidates; i++)
	{
		const Candidate *candidate = &scores->candidates[i];

		if (is_promising(scores, candidate, needed) &&
			member_table_lookup(set->members, candidate->item) == NULL)
			items[n++] = candidate->item;
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
		rest += factor * last;
	}
	if (!listed && catalog->list(catalog->arg, REC_NCOMPONENTS, level, set, &last))
		return -INFINITY;
	return rest;
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
								 * its behaviour */
	int64		wanted = Min(k + 16, (int64) scores->ncandidates);

	if (wanted > 0)
		fetch_best_candidates(scores, catalog, (int) wanted, set);
	rest = Max(scores->factor[REC_POPULARITY], 0) + Max(scores->factor[REC_TREND], 0);
	if (kth_score(set, k) >= rest)
		fetch_promising(scores, catalog, kth_score(set, k) - rest, set);
	for (int level = 0; kth_score(set, k) < rest; level++)
	{
		rest = fetch_lists(scores, catalog, level, set);
		if (rest == -INFINITY)
			break;
		fetch_promising(scores, catalog, kth_score(set, k) - rest, set);
	}
	items = rec_item_set_ranked(set, n);
	*n = (int) Min((int64) *n, k);
	return items;
}
