/*-------------------------------------------------------------------------
 *
 * measure.h
 *	  How alike two items are: the measures.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/measure.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_MEASURE_H
#define REC_MEASURE_H

#include "math/topk.h"
#include "options/options.h"

#define REC_SLACK	1e-14		/* more than a formula loses by rounding */

/* What a measure divides by, computed once for each item. */
typedef enum RecNorm
{
	REC_NORM_NONE,
	REC_NORM_ROOT,				/* root of the sum of squared weights */
	REC_NORM_POWER				/* a power of the sum of weights */
} RecNorm;

/*
 * One item against all others: what a measure sees.  The row's item is the
 * source and the others are targets, or, when swapped, the other way round.
 */
typedef struct RecRowView
{
	const RecOptions *options;
	bool		swapped;
	uint32		nitems;
	double		all_users;
	const double *users;		/* of each item */
	const double *norm;			/* of each item as one of the others, or NULL */
	const double *table;		/* what the measure has made, or NULL */
	double		row_users;
	double		row_norm;
	int			count_size;		/* bytes of a counter: 1, 2 or 4 */
	const void *count;			/* users of both, for each item */
	const double *dot;			/* sum of products of weights; NULL: the same */
} RecRowView;

/* What is asked of a similarity. */
typedef struct RecBound
{
	double		limit;			/* to be this or more */
	uint32		hint;			/* about how many common users that took
								 * before */
} RecBound;

/* One row of the registry of measures; its name is in measure_name.c. */
typedef struct RecMeasure
{
	RecNorm		norm;

	/* makes the table that the functions below look into, or NULL */
	double	   *(*make_table) (const RecRowView *row);

	/*
	 * Adds those of n items that are not below the limit; there is room. The
	 * estimate is the same with less care for the last digits.
	 */
	void		(*judge) (const RecRowView *row, const uint32 *item, int n,
						  RecTopk *topk);
	void		(*estimate) (const RecRowView *row, const uint32 *item, int n,
							 RecTopk *topk);

	/*
	 * Gives a number of common users below which no item with at least as
	 * many users as the given one reaches the bound.
	 */
	uint32		(*least_common) (const RecRowView *row, uint32 item,
								 const RecBound *bound);
} RecMeasure;

/* Gives the users that the row's item has in common with another. */
static inline uint32
rec_measure_common_users(const RecRowView *row, uint32 item)
{
	if (row->count_size == sizeof(uint8))
		return ((const uint8 *) row->count)[item];
	if (row->count_size == sizeof(uint16))
		return ((const uint16 *) row->count)[item];
	return ((const uint32 *) row->count)[item];
}

extern const RecMeasure rec_measures[REC_NMEASURES];

#endif							/* REC_MEASURE_H */
