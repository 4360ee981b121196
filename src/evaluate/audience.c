/*-------------------------------------------------------------------------
 *
 * audience.c
 *	  The users of each item: popularity and similarity for metrics of lists.
 *
 * A metric that compares sets of options must not depend on them.  Therefore
 * novelty and diversity are computed from the training interactions, before any
 * option applies: the audience of an item is the set of users with a weight
 * above zero for it.  The similarity of two items is the cosine of their
 * audiences, |A and B| / sqrt(|A| |B|).
 *
 * A sum of similarities needs no pairs.  Add 1 / sqrt(|A_i|) to an accumulator
 * of each user of A_i; then the sum over i of |A_i and B| / sqrt(|A_i|) is the sum
 * of the accumulators of B's users.  That is slow for items with very many
 * users.  These are few and occur in many lists, so that their pairs are computed
 * one by one and cached in a table of fixed size, one pair per slot.
 *
 * Items are numbers of the batch's dictionary.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/audience.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "batch/batch_rows.h"
#include "common/hashfn.h"
#include "evaluate/audience.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"

#define CACHED_PAIRS	65536	/* a power of two */
#define MANY_USERS	512			/* above: similarities pair by pair */

typedef struct CachedPair
{
	uint32		a;
	uint32		b;				/* greater than a; both 0 for no pair */
	double		cosine;
} CachedPair;

struct RecAudience
{
	uint32		nusers;			/* with an item */
	int64	   *start;			/* of each item's audience in users, and the
								 * end */
	uint32	   *users;			/* of each audience, ascending numbers */
	CachedPair *cache;
	double	   *given;			/* accumulator of each user; zero between
								 * lists */
};

/* Return true if a row makes its user a part of the item's audience. */
static inline bool
has(const RecBatch *batch, const RecBatchRow *row)
{
	return row->part == REC_PART_TRAIN && row->counts &&
		rec_batch_found_weight(batch, row) > 0;
}

/*
 * Visit each pair of user and item once, whatever its number of rows: count the
 * audience of each item in next[item] or, with "users", write it to users[] from
 * next[item] on.  Return the number of users.
 */
static uint32
walk(const RecBatch *batch, uint32 *last_user, int64 *next, uint32 *users)
{
	uint32		nids = rec_dictionary_count(batch->items);
	uint32		user = 0;		/* number of the user at hand */
	int64		end;

	memset(last_user, 0xff, nids * sizeof(uint32));
	for (int64 from = 0; from < batch->nrows; from = end)
	{
		bool		any = false;

		CHECK_FOR_INTERRUPTS();
		end = rec_batch_rows_user_end(batch, from);
		for (int64 i = from; i < end; i++)
		{
			uint32		item = batch->rows[i].pair.item;

			if (!has(batch, &batch->rows[i]) || last_user[item] == user)
				continue;
			any = true;
			last_user[item] = user;
			if (users)
				users[next[item]] = user;
			next[item]++;
		}
		user += any;
	}
	return user;
}

/* Return the audiences of the training rows, allocated in "mcxt". */
RecAudience *
rec_audience_create(MemoryContext mcxt, const RecBatch *batch)
{
	RecAudience *audience = MemoryContextAllocZero(mcxt, sizeof(RecAudience));
	uint32		nids = rec_dictionary_count(batch->items);
	uint32	   *last_user = rec_memory_budget_alloc(mcxt, nids, sizeof(uint32));
	int64	   *next = rec_memory_budget_alloc(mcxt, nids, sizeof(int64));

	audience->nusers = walk(batch, last_user, next, NULL);
	audience->start = rec_memory_budget_alloc(mcxt, (Size) nids + 1, sizeof(int64));
	for (uint32 i = 0; i < nids; i++)
	{
		audience->start[i + 1] = audience->start[i] + next[i];
		next[i] = audience->start[i];
	}
	audience->users = rec_memory_budget_alloc(mcxt, audience->start[nids], sizeof(uint32));
	(void) walk(batch, last_user, next, audience->users);
	audience->cache = rec_memory_budget_alloc(mcxt, CACHED_PAIRS, sizeof(CachedPair));
	audience->given = rec_memory_budget_alloc(mcxt, audience->nusers, sizeof(double));
	pfree(last_user);
	pfree(next);
	return audience;
}

static inline int64
audience_size(const RecAudience *audience, uint32 item)
{
	return audience->start[item + 1] - audience->start[item];
}

/*
 * Return the share of users who have an item, above 0 and at most 1: an item
 * without users counts as if it had one.
 */
double
rec_audience_share(const RecAudience *audience, uint32 item)
{
	return (double) Max(audience_size(audience, item), 1) / Max(audience->nusers, 1);
}

/*
 * Return the first position from "from" on whose user is not less than the given
 * one, by galloping search.
 */
static int64
seek(const uint32 *users, int64 from, int64 n, uint32 user)
{
	int64		step = 1;
	int64		to;

	while (from + step < n && users[from + step] < user)
	{
		from += step;
		step *= 2;
	}
	to = Min(from + step, n);
	while (from < to)
	{
		int64		middle = from + (to - from) / 2;

		if (users[middle] < user)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Return the number of users of both items; a has at most as many as b. */
static int64
count_common(const RecAudience *audience, uint32 a, uint32 b)
{
	const uint32 *few = audience->users + audience->start[a];
	const uint32 *many = audience->users + audience->start[b];
	int64		nfew = audience_size(audience, a);
	int64		nmany = audience_size(audience, b);
	int64		common = 0;
	int64		at = 0;

	for (int64 i = 0; i < nfew && at < nmany; i++)
	{
		at = seek(many, at, nmany, few[i]);
		common += at < nmany && many[at] == few[i];
	}
	return common;
}

/* Return the similarity of two items, from 0 to 1. */
static double
cosine(RecAudience *audience, uint32 a, uint32 b)
{
	CachedPair *cached;
	int64		few;
	int64		many;

	if (a > b)
		return cosine(audience, b, a);
	cached = &audience->cache[hash_combine(murmurhash32(a), murmurhash32(b)) & (CACHED_PAIRS - 1)];
	if (cached->a == a && cached->b == b && b > 0)
		return cached->cosine;
	few = audience_size(audience, a);
	many = audience_size(audience, b);
	cached->a = a;
	cached->b = b;
	cached->cosine = few == 0 || many == 0 ? 0 :
		count_common(audience, few <= many ? a : b, few <= many ? b : a) /
		sqrt((double) few * (double) many);
	return cached->cosine;
}

/* Return the sum of the accumulators of an item's users, and add to each. */
static double
collect(RecAudience *audience, uint32 item, double amount)
{
	double		sum = 0;

	for (int64 i = audience->start[item]; i < audience->start[item + 1]; i++)
	{
		double	   *given = &audience->given[audience->users[i]];

		sum += *given;
		*given += amount;
	}
	return sum;
}

static void
clear_accumulators(RecAudience *audience, uint32 item)
{
	for (int64 i = audience->start[item]; i < audience->start[item + 1]; i++)
		audience->given[audience->users[i]] = 0;
}

/*
 * Set alike[i], for each of the n items of a list, to the sum of its similarities
 * to the items before it.
 */
void
rec_audience_sum_alike(RecAudience *audience, const uint32 *items, int n, double *alike)
{
	for (int i = 0; i < n; i++)
	{
		int64		size = audience_size(audience, items[i]);
		double		share = size > 0 ? 1 / sqrt((double) size) : 0;

		CHECK_FOR_INTERRUPTS();
		alike[i] = size > MANY_USERS ? 0 : share * collect(audience, items[i], share);
		for (int before = 0; before < i; before++)
			if (Max(size, audience_size(audience, items[before])) > MANY_USERS)
				alike[i] += cosine(audience, items[i], items[before]);
	}
	for (int i = 0; i < n; i++)
		if (audience_size(audience, items[i]) <= MANY_USERS)
			clear_accumulators(audience, items[i]);
}
