/*-------------------------------------------------------------------------
 *
 * measure.h
 *	  The formulas of the similarity measures.
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

#define REC_SLACK	1e-14		/* more than the rounding error of a formula */

/* What a measure divides by, computed once for each item. */
typedef enum RecNorm
{
	REC_NORM_NONE,
	REC_NORM_ROOT,				/* root of the sum of squared weights */
	REC_NORM_POWER				/* a power of the sum of weights */
} RecNorm;

/*
 * One item and all others, as seen by a measure. The row's item is the source
 * and the others are targets, or the reverse if swapped.
 */
typedef struct RecRowView
{
	const RecOptions *options;
	bool		swapped;
	uint32		nitems;
	double		all_users;
	const double *users;		/* of each item */
	const double *norm;			/* of each item as one of the others, or NULL */
	const double *table;		/* made by make_table, or NULL */
	double		row_users;
	double		row_norm;
	int			count_size;		/* bytes of a counter: 1, 2 or 4 */
	const void *count;			/* users of both, for each item */
	const double *dot;			/* sums of products of weights; NULL: the counts */
} RecRowView;

/* The limit that a similarity must reach. */
typedef struct RecBound
{
	double		limit;			/* the least similarity */
	uint32		hint;			/* common users that the previous block needed */
} RecBound;

/* One row of the registry of measures; its name is in measure_name.c. */
typedef struct RecMeasure
{
	RecNorm		norm;

	/* makes the table that the functions below use, or NULL */
	double	   *(*make_table) (const RecRowView *row);

	/*
	 * Add the items, of n, that are not below the limit; there is room. The
	 * estimate may differ in the last digits.
	 */
	void		(*score) (const RecRowView *row, const uint32 *item, int n,
						  RecTopk *topk);
	void		(*estimate) (const RecRowView *row, const uint32 *item, int n,
							 RecTopk *topk);

	/*
	 * Return a number of common users below which no item with at least as
	 * many users as the given one reaches the bound.
	 */
	uint32		(*least_common) (const RecRowView *row, uint32 item,
								 const RecBound *bound);
} RecMeasure;

/* Return the users that the row's item has in common with another. */
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
