/*-------------------------------------------------------------------------
 *
 * embedding.c
 *	  Dense vectors: products, and cells of vectors near each other.
 *
 * k-means makes about as many cells as the square root of the number of vectors
 * (an inverted file: Jegou, Douze, Schmid 2011).  A vector is multiplied with
 * those in the cells whose centroids are nearest to it; in a small catalogue,
 * with those of all cells.
 *
 * Distance is by the cosine, so that the lengths of vectors do not matter.  The
 * first centroids are vectors at even distances in the order of the items, and
 * all sums are in that order, so that the same vectors give the same cells.
 *
 * Numbers only: no Datum, no SPI.  Results are in the current memory context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/embedding.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "content/embedding.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "pg/relation.h"

#define LANES				8	/* sums side by side, for vector units */
#define ONE_CELL			64	/* fewer vectors have no cells */
#define SAMPLE_PER_CELL		32	/* vectors of the sample that k-means sees */
#define ROUNDS				8	/* of k-means */

/*
 * Return the product of two vectors of so many numbers. It is computed as
 * eight sums of float4 and is symmetric.
 */
double
rec_embedding_product(const float4 *a, const float4 *b, int dimensions)
{
	float4		sum[LANES] = {0};
	int			d = 0;
	double		product;

	for (; d + LANES <= dimensions; d += LANES)
		for (int lane = 0; lane < LANES; lane++)
			sum[lane] += a[d + lane] * b[d + lane];
	product = ((double) (sum[0] + sum[4]) + (sum[1] + sum[5])) +
		((double) (sum[2] + sum[6]) + (sum[3] + sum[7]));
	for (; d < dimensions; d++)
		product += (double) a[d] * b[d];
	return product;
}

/* Return whether a vector has length 0. */
bool
rec_embedding_is_empty(const float4 *vector, int dimensions)
{
	for (int d = 0; d < dimensions; d++)
		if (vector[d] != 0)
			return false;
	return true;
}

/* Return whether embedding a is preferred to b for an item that has both. */
bool
rec_embedding_goes_before(const float4 *a, const float4 *b, int dimensions)
{
	for (int d = 0; d < dimensions; d++)
		if (a[d] != b[d])
			return a[d] < b[d];
	return false;
}

/* ----------------
 *		k-means
 * ----------------
 */

/* Scale a vector to length 1. */
static void
normalize(float4 *vector, int dimensions)
{
	double		length = sqrt(rec_embedding_product(vector, vector, dimensions));

	for (int d = 0; d < dimensions && length > 0; d++)
		vector[d] = (float4) (vector[d] / length);
}

/* Return the cell whose centroid is nearest; of equals, the first. */
static int
nearest_cell(const RecCells *cells, const float4 *vector)
{
	int			best = 0;
	double		largest = -INFINITY;

	for (int c = 0; c < cells->n; c++)
	{
		double		product = rec_embedding_product(vector, cells->centroid + (Size) c * cells->dimensions,
													cells->dimensions);

		if (product > largest)
		{
			largest = product;
			best = c;
		}
	}
	return best;
}

/* Return one of n vectors at even distances. */
static inline const float4 *
sample_vector(const RecCells *cells, const uint32 *items, int64 nitems, int64 n, int64 i)
{
	return cells->dense + (Size) items[i * nitems / n] * cells->dimensions;
}

/* Move each centroid to the mean direction of the sample's vectors nearest to it. */
static void
move_centroids(RecCells *cells, const uint32 *items, int64 nitems, int64 nsample, double *sum)
{
	int			dimensions = cells->dimensions;

	memset(sum, 0, (Size) cells->n * dimensions * sizeof(double));
	for (int64 i = 0; i < nsample; i++)
	{
		const float4 *vector = sample_vector(cells, items, nitems, nsample, i);
		double		length = sqrt(rec_embedding_product(vector, vector, dimensions));
		double	   *mean = sum + (Size) nearest_cell(cells, vector) * dimensions;

		CHECK_FOR_INTERRUPTS();
		for (int d = 0; d < dimensions; d++)
			mean[d] += vector[d] / length;
	}
	for (int c = 0; c < cells->n; c++)
	{
		float4	   *centroid = cells->centroid + (Size) c * dimensions;
		double		square = 0;

		for (int d = 0; d < dimensions; d++)
			square += sum[(Size) c * dimensions + d] * sum[(Size) c * dimensions + d];
		if (square == 0)
			continue;			/* nearest to no vector: it stays */
		for (int d = 0; d < dimensions; d++)
			centroid[d] = (float4) (sum[(Size) c * dimensions + d] / sqrt(square));
	}
}

static void
learn_centroids(RecCells *cells, const uint32 *items, int64 nitems, MemoryContext budget)
{
	int64		nsample = Min(nitems, (int64) SAMPLE_PER_CELL * cells->n);
	Size		size = mul_size(mul_size(cells->n, cells->dimensions), sizeof(double));
	double	   *sum;

	rec_memory_budget_check(budget, size);
	sum = MemoryContextAllocHuge(CurrentMemoryContext, size);
	for (int c = 0; c < cells->n; c++)
	{
		float4	   *centroid = cells->centroid + (Size) c * cells->dimensions;

		memcpy(centroid, sample_vector(cells, items, nitems, cells->n, c),
			   cells->dimensions * sizeof(float4));
		normalize(centroid, cells->dimensions);
	}
	for (int round = 0; round < ROUNDS; round++)
		move_centroids(cells, items, nitems, nsample, sum);
	pfree(sum);
}

/* Put each item into its nearest cell. */
static void
fill_cells(RecCells *cells, const uint32 *items, int64 nitems, MemoryContext budget)
{
	int		   *cell;
	int64	   *at;

	rec_memory_budget_check(budget, mul_size(nitems, sizeof(int) + sizeof(uint32)));
	cell = MemoryContextAllocHuge(CurrentMemoryContext, mul_size(nitems, sizeof(int)));
	cells->item = MemoryContextAllocHuge(CurrentMemoryContext, mul_size(nitems, sizeof(uint32)));
	cells->start = palloc0_array(int64, cells->n + 1);
	at = palloc_array(int64, cells->n);
	for (int64 i = 0; i < nitems; i++)
	{
		CHECK_FOR_INTERRUPTS();
		cell[i] = nearest_cell(cells, cells->dense + (Size) items[i] * cells->dimensions);
		cells->start[cell[i] + 1]++;
	}
	for (int c = 0; c < cells->n; c++)
	{
		at[c] = cells->start[c];
		cells->start[c + 1] += cells->start[c];
	}
	for (int64 i = 0; i < nitems; i++)
		cells->item[at[cell[i]]++] = items[i];
	pfree(cell);
	pfree(at);
}

/* Return the cells of all items that have a vector. */
RecCells *
rec_embedding_cells_create(const float4 *dense, int dimensions, uint32 nitems, MemoryContext budget)
{
	RecCells   *cells = palloc0_object(RecCells);
	Size		size = mul_size(Max(nitems, 1), sizeof(uint32));
	uint32	   *items;
	int64		n = 0;

	rec_memory_budget_check(budget, size);
	items = MemoryContextAllocHuge(CurrentMemoryContext, size);
	for (uint32 i = 0; i < nitems; i++)
		if (!rec_embedding_is_empty(dense + (Size) i * dimensions, dimensions))
			items[n++] = i;
	cells->dense = dense;
	cells->dimensions = dimensions;
	cells->n = n <= ONE_CELL ? Min(n, 1) : (int) rint(sqrt((double) n));
	size = mul_size(mul_size(Max(cells->n, 1), dimensions), sizeof(float4));
	rec_memory_budget_check(budget, size);
	cells->centroid = MemoryContextAllocHuge(CurrentMemoryContext, size);
	if (cells->n > 0)
		learn_centroids(cells, items, n, budget);
	fill_cells(cells, items, n, budget);
	pfree(items);
	return cells;
}

/* ----------------
 *		the nearest cells
 * ----------------
 */

/*
 * Find the cells whose centroids are nearest to a vector, nearest first.
 * Return their number.
 */
int
rec_embedding_cells_nearest(const RecCells *cells, const float4 *vector, int wanted, int *nearest)
{
	double	   *product = palloc_array(double, wanted + 1);
	int			n = 0;

	for (int c = 0; c < cells->n; c++)
	{
		double		one = rec_embedding_product(vector, cells->centroid + (Size) c * cells->dimensions,
												cells->dimensions);
		int			at = n;

		while (at > 0 && one > product[at - 1])
			at--;
		if (at >= wanted)
			continue;
		n = Min(n + 1, wanted);
		memmove(product + at + 1, product + at, (n - 1 - at) * sizeof(double));
		memmove(nearest + at + 1, nearest + at, (n - 1 - at) * sizeof(int));
		product[at] = one;
		nearest[at] = c;
	}
	pfree(product);
	return n;
}
