/*-------------------------------------------------------------------------
 *
 * pattern.c
 *	  Numbers of equal customers: the state of models of customers.
 *
 * What a model is fitted on is a set of customers that are known by a few
 * numbers each, and many customers have the same ones.  So a state holds each
 * pattern once with its count: when it is full it is sorted and equal patterns
 * are merged; when that does not free half of it, it grows.  Sorted and merged,
 * it is a function of the set of rows, whatever their order and whichever
 * workers read them.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/pattern.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "customer/pattern.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "utils/memutils.h"

#define FIRST_PATTERNS	32
#define PATTERN_BYTES	24		/* of a pattern that is sent */

static inline int
compare_numbers(double a, double b)
{
	return a < b ? -1 : a > b;
}

/* Return the order of patterns, by frequency, then by the second value. */
static inline int
compare_patterns(const RecPattern *a, const RecPattern *b)
{
	int			order = a->frequency < b->frequency ? -1 : a->frequency > b->frequency;

	if (order == 0)
		order = compare_numbers(a->second, b->second);
	if (order == 0)
		order = compare_numbers(a->first, b->first);
	return order;
}

#define ST_SORT sort_patterns
#define ST_ELEMENT_TYPE RecPattern
#define ST_COMPARE(a, b) compare_patterns(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* Return an empty set of patterns in a context below "parent". */
RecPatterns *
rec_pattern_create(MemoryContext parent)
{
	MemoryContext mcxt = AllocSetContextCreate(parent, "recommender customers",
											   ALLOCSET_SMALL_SIZES);
	RecPatterns *patterns = MemoryContextAllocZero(mcxt, sizeof(RecPatterns));

	patterns->mcxt = mcxt;
	patterns->allocated = FIRST_PATTERNS;
	patterns->pattern = MemoryContextAlloc(mcxt, FIRST_PATTERNS * sizeof(RecPattern));
	return patterns;
}

/*
 * Sort the patterns and merge equal ones, but for counts that would be beyond
 * 32 bits.
 */
void
rec_pattern_merge(RecPatterns *patterns)
{
	RecPattern *pattern = patterns->pattern;
	int64		n = 0;

	sort_patterns(pattern, patterns->count);
	for (int64 i = 0; i < patterns->count; i++)
	{
		if (n > 0 && compare_patterns(&pattern[n - 1], &pattern[i]) == 0 &&
			pattern[n - 1].count <= PG_UINT32_MAX - pattern[i].count)
			pattern[n - 1].count += pattern[i].count;
		else
			pattern[n++] = pattern[i];
	}
	patterns->count = n;
}

/* Make room for at least one pattern more. */
static void
make_room(RecPatterns *patterns)
{
	if (patterns->count < patterns->allocated)
		return;
	rec_pattern_merge(patterns);
	if (patterns->count > patterns->allocated / 2)
	{
		int64		allocated = patterns->allocated * 2;
		Size		size = mul_size(allocated, sizeof(RecPattern));

		/* the old array is there until its content has been copied */
		rec_memory_budget_check(patterns->mcxt, size);
		patterns->pattern = repalloc_huge(patterns->pattern, size);
		patterns->allocated = allocated;
	}
}

static void
add_pattern(RecPatterns *patterns, const RecPattern *pattern)
{
	make_room(patterns);
	patterns->pattern[patterns->count++] = *pattern;
}

/* Add a customer. */
void
rec_pattern_add(RecPatterns *patterns, int32 frequency, double first, double second)
{
	RecPattern	pattern;

	pattern.frequency = frequency;
	pattern.count = 1;
	/* -0 is 0 */
	pattern.first = first + 0.0;
	pattern.second = second + 0.0;
	add_pattern(patterns, &pattern);
}

/* Add all customers of another set. */
void
rec_pattern_append(RecPatterns *patterns, const RecPatterns *others)
{
	for (int64 i = 0; i < others->count; i++)
	{
		if (i % 10000 == 0)
			CHECK_FOR_INTERRUPTS();
		add_pattern(patterns, &others->pattern[i]);
	}
}

/* Write patterns into a message. */
void
rec_pattern_send(StringInfo buffer, const RecPatterns *patterns)
{
	for (int64 i = 0; i < patterns->count; i++)
	{
		pq_sendint32(buffer, patterns->pattern[i].frequency);
		pq_sendint32(buffer, patterns->pattern[i].count);
		pq_sendfloat8(buffer, patterns->pattern[i].first);
		pq_sendfloat8(buffer, patterns->pattern[i].second);
	}
}

/*
 * Read patterns from the rest of a message into an empty set.  Return false
 * when it does not hold patterns.
 */
bool
rec_pattern_receive(StringInfo buffer, RecPatterns *patterns)
{
	int			rest = buffer->len - buffer->cursor;

	if (rest % PATTERN_BYTES != 0)
		return false;
	for (int i = 0; i < rest / PATTERN_BYTES; i++)
	{
		RecPattern	pattern;

		pattern.frequency = pq_getmsgint(buffer, 4);
		pattern.count = pq_getmsgint(buffer, 4);
		pattern.first = pq_getmsgfloat8(buffer);
		pattern.second = pq_getmsgfloat8(buffer);
		if (pattern.frequency < 0 || pattern.count == 0 ||
			!isfinite(pattern.first) || !isfinite(pattern.second))
			return false;
		add_pattern(patterns, &pattern);
	}
	return true;
}
