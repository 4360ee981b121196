/*-------------------------------------------------------------------------
 *
 * pair.h
 *	  One user's interactions, combined into one pair for each item.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/pair.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_PAIR_H
#define REC_PAIR_H

#include "options/options.h"

#define REC_NO_TIME		PG_INT64_MIN

/* One interaction of a user, or all of them with one item combined. */
typedef struct RecPair
{
	uint32		item;
	double		weight;
	int64		time;			/* microseconds or REC_NO_TIME */
} RecPair;

extern double rec_pair_decay(double half_life, int64 newest, int64 time);
extern int	rec_pair_combine(RecPair *pairs, int n, RecRepeats repeats);
extern void rec_pair_sort(RecPair *pairs, int n, const uint32 *item_rank);

#endif							/* REC_PAIR_H */
