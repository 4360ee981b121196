/*-------------------------------------------------------------------------
 *
 * audience.c
 *	  Who has which item: how popular items are, and how alike.
 *
 * A measure of lists that shall compare settings must not depend on them.  So
 * novelty and diversity are measured by the interactions that were trained on,
 * whatever the options make of these: an item's audience are the users who have
 * at least one that counts for more than zero.  Two items are as alike as the
 * cosine of their audiences, |A and B| / sqrt(|A| |B|).
 *
 * Adding up similarities needs no pairs: the sum over i of |A_i and B| /
 * sqrt(|A_i|) is the sum over the users of B of what they have been given, when
 * each user of A_i is given 1 / sqrt(|A_i|).  Items that very many users have
 * would make that long, but they are few and come again and again; so their
 * pairs are computed and those of last kept in a small table, where they push
 * each other out.
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

#define KEPT_PAIRS	65536		/* a power of two */
#define MANY_USERS	512			/* of an item that is looked at pair by pair */

typedef struct KeptPair
{
	uint32		a;
	uint32		b;				/* greater than a; both 0 for no pair */
	double		cosine;
} KeptPair;

struct RecAudience
{
	uint32		nusers;			/* with some item */
	int64	   *start;			/* of each item's audience, and the end */
	uint32	   *users;			/* rising numbers of users */
	KeptPair   *kept;
	double	   *given;			/* to each user; zero between lists */
};

/* True when a row makes an item one that the user has. */
static inline bool
has(const RecBatch *batch, const RecBatchRow *row)
{
	return row->part == REC_PART_TRAIN && row->counts &&
		rec_batch_found_weight(batch, row) > 0;
}

/*
 * Walks through the rows, each user and item once: counts the audience of each
 * item in next[item], or writes it to users[] from there on.  Gives the number
 * of users.
 */
static uint32
walk(const RecBatch *batch, uint32 *last_user, int64 *next, uint32 *users)
{
	uint32		nids = rec_dictionary_count(batch->items);
	uint32		user = 0;		/* the number of those before, and this one's */
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

/* Gives the audiences of the rows that are trained on, all in "context". */
RecAudience *
rec_audience_create(MemoryContext context, const RecBatch *batch)
{
	RecAudience *audience = MemoryContextAllocZero(context, sizeof(RecAudience));
	uint32		nids = rec_dictionary_count(batch->items);
	uint32	   *last_user = rec_memory_budget_alloc(context, nids, sizeof(uint32));
	int64	   *next = rec_memory_budget_alloc(context, nids, sizeof(int64));

	audience->nusers = walk(batch, last_user, next, NULL);
	audience->start = rec_memory_budget_alloc(context, (Size) nids + 1, sizeof(int64));
	for (uint32 i = 0; i < nids; i++)
	{
		audience->start[i + 1] = audience->start[i] + next[i];
		next[i] = audience->start[i];
	}
	audience->users = rec_memory_budget_alloc(context, audience->start[nids], sizeof(uint32));
	(void) walk(batch, last_user, next, audience->users);
	audience->kept = rec_memory_budget_alloc(context, KEPT_PAIRS, sizeof(KeptPair));
	audience->given = rec_memory_budget_alloc(context, audience->nusers, sizeof(double));
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
 * Gives the share of users who have an item, above 0 and at most 1: one that
 * nobody has counts as if one user had it.
 */
double
rec_audience_share(const RecAudience *audience, uint32 item)
{
	return (double) Max(audience_size(audience, item), 1) / Max(audience->nusers, 1);
}

/* Gives the first place from "from" whose user is not below the given one. */
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

/* Gives how many users both items have; a has no more than b. */
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

/* Gives how alike two items are, from 0 to 1. */
static double
cosine(RecAudience *audience, uint32 a, uint32 b)
{
	KeptPair   *kept;
	int64		few;
	int64		many;

	if (a > b)
		return cosine(audience, b, a);
	kept = &audience->kept[hash_combine(murmurhash32(a), murmurhash32(b)) & (KEPT_PAIRS - 1)];
	if (kept->a == a && kept->b == b && b > 0)
		return kept->cosine;
	few = audience_size(audience, a);
	many = audience_size(audience, b);
	kept->a = a;
	kept->b = b;
	kept->cosine = few == 0 || many == 0 ? 0 :
		count_common(audience, few <= many ? a : b, few <= many ? b : a) /
		sqrt((double) few * (double) many);
	return kept->cosine;
}

/* Gives what the users of an item were given, and gives them some. */
static double
collect(RecAudience *audience, uint32 item, double gift)
{
	double		sum = 0;

	for (int64 i = audience->start[item]; i < audience->start[item + 1]; i++)
	{
		double	   *given = &audience->given[audience->users[i]];

		sum += *given;
		*given += gift;
	}
	return sum;
}

static void
forget_gifts(RecAudience *audience, uint32 item)
{
	for (int64 i = audience->start[item]; i < audience->start[item + 1]; i++)
		audience->given[audience->users[i]] = 0;
}

/*
 * Fills in, for each of the n items of a list, the sum of its similarities to
 * those before it.
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
			forget_gifts(audience, items[i]);
}
