/*-------------------------------------------------------------------------
 *
 * item_vector.c
 *	  The vector of one item: weights, lengths and products.
 *
 * Feature f of item i, in a column, has the weight
 *
 *	  tf(i, f) * idf(f),  idf(f) = ln((1 + N) / (1 + items of f)) + 1,
 *
 * where N is the number of items.  tf is 1 + ln(n) for a word that occurs n
 * times, and 1 for any other feature.  Each column's block of the vector is
 * scaled to the length given by the column's weight, and then the whole vector
 * to length 1, so that the product of two vectors is their cosine.  An embedding
 * is a dense block.  A column in which an item has no value makes no block.
 *
 * Numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/item_vector.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "content/item_vector.h"

/*
 * Return the inverse document frequency of a feature that so many of all
 * items have, at least one: from 1, when all have it, to less than 1 + ln(all
 * items).
 */
double
rec_item_vector_idf(double all_items, double items)
{
	return log((1 + all_items) / (1 + items)) + 1;
}

/*
 * Return the term frequency of a value that occurs "count" times, at least
 * once, in a column: 1 + ln(count) for a word, 1 for anything else (Salton
 * and Buckley 1988).
 */
double
rec_item_vector_tf(const RecContentColumn *column, uint32 count)
{
	if (column->kind == REC_ITEM_TEXT || column->kind == REC_ITEM_LEXEMES)
		return 1 + log(count);
	return 1;
}

static double
square_of(const float4 *block, int dimensions)
{
	double		square = 0;

	for (int d = 0; d < dimensions; d++)
		square += (double) block[d] * block[d];
	return square;
}

/* Return the square of the length of all blocks together. */
static double
square_of_blocks(const RecContentColumn *columns, int ncolumns, const uint16 *column, int n,
				 const float4 *dense)
{
	double		square = 0;

	for (int i = 0; i < n; i++)
		if (i == 0 || column[i] != column[i - 1])
			square += columns[column[i]].weight * columns[column[i]].weight;
	for (int c = 0; c < ncolumns && dense; c++)
		if (columns[c].kind == REC_ITEM_EMBEDDING &&
			square_of(dense + columns[c].offset, columns[c].dimensions) > 0)
			square += columns[c].weight * columns[c].weight;
	return square;
}

static void
scale_dense(const RecContentColumn *column, float4 *block, double length)
{
	double		square = square_of(block, column->dimensions);
	double		scale = square > 0 ? column->weight / sqrt(square) / length : 0;

	for (int d = 0; d < column->dimensions; d++)
		block[d] = (float4) (block[d] * scale);
}

/*
 * Turn tf * idf of n features of one item, ordered by column, and the blocks
 * of its embeddings, which may be NULL, into a vector of length 1, in place.
 * "column" has the column of each feature. An item without features keeps a
 * vector of length 0.
 */
void
rec_item_vector_weigh(const RecContentColumn *columns, int ncolumns, const uint16 *column,
					  double *weight, int n, float4 *dense)
{
	double		length = sqrt(square_of_blocks(columns, ncolumns, column, n, dense));
	int			end;

	for (int begin = 0; begin < n; begin = end)
	{
		double		square = 0;
		double		scale;

		for (end = begin; end < n && column[end] == column[begin]; end++)
			square += weight[end] * weight[end];
		scale = columns[column[begin]].weight / sqrt(square) / length;
		for (int i = begin; i < end; i++)
			weight[i] *= scale;
	}
	for (int c = 0; c < ncolumns && dense; c++)
		if (columns[c].kind == REC_ITEM_EMBEDDING)
			scale_dense(&columns[c], dense + columns[c].offset, length);
}

/*
 * Return the product of two vectors: their cosine up to rounding, as both
 * have length 1; 0 if one has length 0. Features are in rising order.
 * "dimensions" is the total of all embeddings.
 */
double
rec_item_vector_product(const RecVector *a, const RecVector *b, int dimensions)
{
	double		product = 0;
	int			i = 0;
	int			j = 0;

	while (i < a->n && j < b->n)
	{
		if (a->feature[i] == b->feature[j])
			product += (double) a->weight[i++] * b->weight[j++];
		else if (a->feature[i] < b->feature[j])
			i++;
		else
			j++;
	}
	if (a->dense && b->dense)
		product += rec_embedding_product(a->dense, b->dense, dimensions);
	return product;
}
