/*-------------------------------------------------------------------------
 *
 * similarity_range.c
 *	  Whether similarities can be stored as float4.
 *
 * Most measures are bounded, or grow with the logarithm or the number of users
 * at most.  damped_cosine and the damped weights of ridge regression scale with
 * powers of the interactions' weights, so that weights which are all huge, or
 * all tiny, can leave the range of a float4.  An infinite similarity could not
 * be served, and one of 0 is none.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity_range.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "similarity/similarity_range.h"

static int
hint_exponents(void)
{
	return errhint("Use other units for the weights, a weighting such as \"log\", "
				   "or measure \"damped_cosine\" with a source_exponent and a "
				   "target_exponent that add up to 2, which does not depend on units.");
}

static void
refuse_large(const RecNeighbor *best, uint32 item, const uint32 *number, RecDict *items)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("similarity %g of item %s to item %s is too large", best->similarity,
					rec_dictionary_text(items, number[item]),
					rec_dictionary_text(items, number[best->item])),
			 hint_exponents()));
}

/*
 * Report an error that names both items when the similarity of an item's first
 * neighbour, of n, is infinite; "number" has the dictionary's number of each
 * item.
 */
void
rec_similarity_range_check(const RecNeighbor *row, int n, uint32 item,
						   const uint32 *number, RecDict *items)
{
	if (n > 0 && isinf(row[0].similarity))
		refuse_large(row, item, number, items);
}

/*
 * Return how many of an item's n neighbours, best first, have a similarity
 * that is greater than 0 as a float4.  One that a float4 cannot hold is an
 * ERROR, see above.
 */
int
rec_similarity_range_storable(const RecNeighbor *row, int n, uint32 item,
							  const uint32 *number, RecDict *items)
{
	if (n > 0 && isinf((float4) row[0].similarity))
		refuse_large(row, item, number, items);
	while (n > 0 && (float4) row[n - 1].similarity == 0)
		n--;
	return n;
}

/* Warn that a model has no neighbours, as all similarities are too small. */
void
rec_similarity_range_warn_small(void)
{
	ereport(WARNING,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("no item has neighbours, as all similarities are too small to be stored"),
			 hint_exponents()));
}
