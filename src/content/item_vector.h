/*-------------------------------------------------------------------------
 *
 * item_vector.h
 *	  The vector of one item: weights, lengths and products.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/item_vector.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ITEM_VECTOR_H
#define REC_ITEM_VECTOR_H

#include "content/content.h"

/* The vector of one item, or a part of it. */
typedef struct RecVector
{
	int			n;
	const uint32 *feature;		/* rising */
	const float4 *weight;
	const float4 *dense;		/* NULL when there is no embedding */
} RecVector;

extern double rec_item_vector_tf(const RecContentColumn *column, uint32 count);
extern double rec_item_vector_idf(double all_items, double items);
extern void rec_item_vector_weigh(const RecContentColumn *columns, int ncolumns,
								  const uint16 *column, double *weight, int n,
								  float4 *dense);
extern double rec_item_vector_product(const RecVector *a, const RecVector *b, int dimensions);

#endif							/* REC_ITEM_VECTOR_H */
