/*-------------------------------------------------------------------------
 *
 * document_word.c
 *	  The words of a document.
 *
 * Words are lexemes, and pairs of lexemes at neighbouring positions, joined by a
 * space: "not good".  Each comes once, whatever its positions.  A document
 * without positions has no pairs.  Lexemes at the last position that a tsvector
 * can tell (16383) are at that one or beyond, and begin or end no pair.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/document_word.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "customer/document_word.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "utils/memutils.h"

/* A lexeme at a position; or two lexemes, of a pair. */
typedef uint64 Pair;

#define PAIR(high, low)		((uint64) (high) << 32 | (low))
#define HIGH(pair)			((uint32) ((pair) >> 32))
#define LOW(pair)			((uint32) (pair))

typedef struct Pairs
{
	Pair	   *pair;
	int64		n;
	int64		allocated;
} Pairs;

#define ST_SORT sort_pairs
#define ST_ELEMENT_TYPE Pair
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static void
add_pair(Pairs *pairs, uint32 high, uint32 low)
{
	if (pairs->n == pairs->allocated)
	{
		int64		allocated = rec_memory_budget_room(pairs->allocated, pairs->n + 1);

		if (allocated > (int64) (MaxAllocSize / sizeof(Pair)))
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("document has too many pairs of neighbouring words")));
		CHECK_FOR_INTERRUPTS();
		if (pairs->pair == NULL)
			pairs->pair = palloc(allocated * sizeof(Pair));
		else
			pairs->pair = repalloc(pairs->pair, allocated * sizeof(Pair));
		pairs->allocated = allocated;
	}
	pairs->pair[pairs->n++] = PAIR(high, low);
}

/* Collect the lexemes at their positions, in order. */
static Pairs
places_of(TSVector document)
{
	Pairs		places = {0};

	for (int i = 0; i < document->size; i++)
	{
		WordEntry  *entry = ARRPTR(document) + i;

		if (!entry->haspos)
			continue;
		for (int j = 0; j < POSDATALEN(document, entry); j++)
		{
			int			position = WEP_GETPOS(POSDATAPTR(document, entry)[j]);

			if (position < MAXENTRYPOS - 1)
				add_pair(&places, position, i);
		}
	}
	sort_pairs(places.pair, places.n);
	return places;
}

/* Collect the pairs of neighbours, each once, in the order of the lexemes. */
static Pairs
neighbours_of(const Pairs *places)
{
	Pairs		pairs = {0};
	int64		next = 0;
	int64		n = 0;

	for (int64 i = 0; i < places->n; i++)
	{
		uint32		position = HIGH(places->pair[i]);

		while (next < places->n && HIGH(places->pair[next]) <= position)
			next++;
		for (int64 j = next; j < places->n && HIGH(places->pair[j]) == position + 1; j++)
			add_pair(&pairs, LOW(places->pair[i]), LOW(places->pair[j]));
	}
	sort_pairs(pairs.pair, pairs.n);
	for (int64 i = 0; i < pairs.n; i++)
	{
		if (i == 0 || pairs.pair[i] != pairs.pair[n - 1])
			pairs.pair[n++] = pairs.pair[i];
	}
	pairs.n = n;
	return pairs;
}

/* Visit each word of a document once: lexemes, then pairs. */
void
rec_document_word_visit(TSVector document, RecWordVisitor visit, void *arg)
{
	Pairs		places = places_of(document);
	Pairs		pairs = neighbours_of(&places);
	char		word[2 * MAXSTRLEN + 1];

	for (int i = 0; i < document->size; i++)
	{
		WordEntry  *entry = ARRPTR(document) + i;

		visit(STRPTR(document) + entry->pos, entry->len, arg);
	}
	for (int64 i = 0; i < pairs.n; i++)
	{
		WordEntry  *first = ARRPTR(document) + HIGH(pairs.pair[i]);
		WordEntry  *second = ARRPTR(document) + LOW(pairs.pair[i]);

		memcpy(word, STRPTR(document) + first->pos, first->len);
		word[first->len] = ' ';
		memcpy(word + first->len + 1, STRPTR(document) + second->pos, second->len);
		visit(word, first->len + 1 + second->len, arg);
	}
	if (places.pair)
		pfree(places.pair);
	if (pairs.pair)
		pfree(pairs.pair);
}
