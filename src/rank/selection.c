/*-------------------------------------------------------------------------
 *
 * selection.c
 *	  The best k of all items by their scores.
 *
 * The best k are found without looking at every item: candidates of the
 * signals come with their sums, all others from lists in falling order of
 * popularity or trend, and the search ends when nothing outside can score
 * more than the k-th best inside (the threshold algorithm of Fagin, Lotem and
 * Naor 2003).  Equal scores are ordered by the items' numbers.
 *
 * Knows numbers only: no Datum, no SPI.  Everything is allocated in the
 * current memory context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/selection.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "rank/score.h"
#include "rank/score_state.h"
#include "rank/selection.h"
#include "storage/shmem.h"

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

/* Make an empty set of items that are scored by "scores". */
RecItemSet *
rec_selection_item_set_create(const RecScores *scores)
{
	RecItemSet *set = palloc0_object(RecItemSet);

	set->scores = scores;
	set->members = member_table_create(CurrentMemoryContext, 128, NULL);
	set->allocated = 128;
	set->items = palloc_array(RecScoredItem, set->allocated);
	return set;
}

/* Add an item, scoring it, unless it is there already. */
void
rec_selection_item_set_add(RecItemSet *set, const RecScoredItem *item)
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
	rec_score_fill(set->scores, &set->items[set->n++]);
}

/* Order eligible items first, then by falling score, then by number. */
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

/* Return the eligible items of a set, best first, and their number. */
RecScoredItem *
rec_selection_item_set_ranked(RecItemSet *set, int *n)
{
	if (!set->sorted)
		sort_items(set->items, set->n);
	set->sorted = true;
	for (*n = 0; *n < set->n && set->items[*n].eligible;)
		(*n)++;
	return set->items;
}

/* Return the score of the k-th eligible item; minus infinity if there are fewer. */
static double
kth_score(RecItemSet *set, int64 k)
{
	int			n;
	RecScoredItem *items = rec_selection_item_set_ranked(set, &n);

	return n < k ? -INFINITY : items[k - 1].score;
}

/* ----------------
 *		the best k
 * ----------------
 */

/* A candidate and the sum of its signals. */
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
 * Return whether the sum of a candidate's signals is "needed" or more, and
 * positive: without a positive sum it is an item like all others.
 */
static inline bool
is_promising(const RecScores *scores, int place, double needed)
{
	return scores->listed[place] > 0 && scores->listed[place] >= needed &&
		!rec_candidates_is_barred(scores->candidates, place);
}

/*
 * Find the "wanted" candidates with the largest sums, of equal ones those with
 * the lowest numbers; return their number.  There is room for twice as many.
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
 * Fetch the best candidates, k and some to spare, and with them all that could
 * reach the score of the k-th of them by the "rest", what popularity and trend
 * can add, unless they are too many.  Return the sum from which on all were
 * fetched.
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

/* Fetch all candidates whose sums are "needed" or more. */
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
 * Add the lists of a level; return the most that popularity and trend can add to
 * the score of an item that is on none of them, minus infinity when every item
 * is on one.
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
		rest += rec_score_state_on_grid(scores, factor * last);
	}
	if (!listed && catalog->list(catalog->arg, REC_NCOMPONENTS, level, set, &last))
		return -INFINITY;
	return rest;
}

/*
 * Return whether the next longer list and all candidates together are unlikely
 * to have as many eligible items as are missing.
 */
static bool
is_sparse(RecScores *scores, const RecCatalog *catalog, RecItemSet *set, int64 k)
{
	int			n;

	(void) rec_selection_item_set_ranked(set, &n);
	return n < k && catalog->is_sparse &&
		catalog->is_sparse(catalog->arg, 2 * (k - n), scores->candidates->n + REC_LIST_HEAD);
}

/*
 * Return whether items with scores of "rest" at most could precede the k-th
 * eligible item.  Of equal scores only lower numbers precede, which is the order
 * within a list.
 */
static bool
may_be_beaten(RecItemSet *set, int64 k, double rest)
{
	int			n;
	const RecScoredItem *items = rec_selection_item_set_ranked(set, &n);
	const RecScoredItem *last = n < k ? NULL : &items[k - 1];

	return last == NULL || last->score < rest ||
		(last->score == rest &&
		 last->score != last->term[REC_POPULARITY] + last->term[REC_TREND]);
}

/*
 * Return the k eligible items with the largest scores, best first, and their
 * number, which is less than k only when there are no more.
 */
RecScoredItem *
rec_selection_best(RecScores *scores, const RecCatalog *catalog, int64 k, int *n)
{
	RecItemSet *set = rec_selection_item_set_create(scores);
	RecScoredItem *items;
	double		rest;			/* most that popularity and trend can add to
								 * the score of an item outside */
	double		fetched = INFINITY;

	rest = rec_score_state_on_grid(scores, Max(scores->factor[REC_POPULARITY], 0)) +
		rec_score_state_on_grid(scores, Max(scores->factor[REC_TREND], 0));
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
	items = rec_selection_item_set_ranked(set, n);
	*n = (int) Min((int64) *n, k);
	return items;
}
