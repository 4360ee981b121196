/*-------------------------------------------------------------------------
 *
 * cluster.c
 *	  Clusters of rows by k-means, without chance.
 *
 * Lloyd's algorithm on sorted rows: the first center is the row nearest to the
 * mean of all, each further one the row that is farthest from all centers so
 * far; ties go to the smaller row.  Rows move to their nearest center, which
 * moves to the mean of its rows, until no row moves, at most 100 times.  A
 * center that has lost all rows moves to the row that is farthest from its own.
 * So the result is a function of the set of rows.
 *
 * Distances are Euclidean, after each feature is divided by its sample standard
 * deviation, or by 1; a constant feature does not count.  Rows and centers stay
 * in their own units, so that whoever has the centers and scales computes the
 * same distances.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/cluster.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "customer/cluster.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "utils/float.h"

#define MAX_ROUNDS		100
#define CHECK_EVERY		1024	/* rows, each with all centers */

/* The order of two rows, feature by feature. */
static inline int
compare_rows(const RecFeatures *features, int64 a, int64 b)
{
	const double *left = features->value + a * features->nfeatures;
	const double *right = features->value + b * features->nfeatures;

	for (int i = 0; i < features->nfeatures; i++)
	{
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	}
	return 0;
}

#define ST_SORT sort_row_numbers
#define ST_ELEMENT_TYPE int64
#define ST_COMPARE(a, b, features) compare_rows(features, *(a), *(b))
#define ST_COMPARE_ARG_TYPE RecFeatures
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* Put rows into ascending order, in new memory in "mcxt". */
void
rec_cluster_sort(MemoryContext mcxt, RecFeatures *features)
{
	Size		width = features->nfeatures * sizeof(double);
	int64	   *order = rec_memory_budget_alloc(mcxt, features->nrows, sizeof(int64));
	double	   *sorted = rec_memory_budget_alloc(mcxt, features->nrows, width);

	for (int64 i = 0; i < features->nrows; i++)
		order[i] = i;
	sort_row_numbers(order, features->nrows, features);
	for (int64 i = 0; i < features->nrows; i++)
		memcpy(sorted + i * features->nfeatures,
			   features->value + order[i] * features->nfeatures, width);
	pfree(order);
	features->value = sorted;
}

/* Turn what features are divided by into what their squares are multiplied by. */
void
rec_cluster_weights(const double *scale, int nfeatures, double *weight)
{
	for (int i = 0; i < nfeatures; i++)
		weight[i] = scale[i] > 0 ? 1 / (scale[i] * scale[i]) : 0;
}

/* Return the squared distance of two rows. */
double
rec_cluster_distance(const double *row, const double *center, const double *weight,
					 int nfeatures)
{
	double		sum = 0;

	for (int i = 0; i < nfeatures; i++)
	{
		double		difference = row[i] - center[i];

		sum += weight[i] * difference * difference;
	}
	return sum;
}

/* What is computed from round to round. */
typedef struct Work
{
	const RecFeatures *features;
	int			k;				/* centers so far */
	double	   *center;
	double	   *weight;
	int			nfeatures;
	int32	   *cluster;		/* of each row */
	double	   *distance;		/* squared, of each row from its center */
	int64	   *size;			/* of each cluster */
} Work;

static inline const double *
row_of(const Work *work, int64 row)
{
	return work->features->value + row * work->nfeatures;
}

/* Compute the mean of all rows. */
static void
mean_of_rows(const RecFeatures *features, double *mean)
{
	memset(mean, 0, features->nfeatures * sizeof(double));
	for (int64 row = 0; row < features->nrows; row++)
	{
		for (int i = 0; i < features->nfeatures; i++)
			mean[i] += features->value[row * features->nfeatures + i];
	}
	for (int i = 0; i < features->nfeatures; i++)
	{
		mean[i] /= features->nrows;
		if (!isfinite(mean[i]))
			float_overflow_error();
	}
}

/* Compute the sample standard deviation of each feature; 0 of one row. */
static void
deviations_of_rows(const RecFeatures *features, const double *mean, double *deviation)
{
	memset(deviation, 0, features->nfeatures * sizeof(double));
	for (int64 row = 0; row < features->nrows; row++)
	{
		for (int i = 0; i < features->nfeatures; i++)
		{
			double		difference = features->value[row * features->nfeatures + i] - mean[i];

			deviation[i] += difference * difference;
		}
	}
	for (int i = 0; i < features->nfeatures; i++)
	{
		deviation[i] = features->nrows > 1 ? sqrt(deviation[i] / (features->nrows - 1)) : 0;
		if (!isfinite(deviation[i]))
			float_overflow_error();
	}
}

/*
 * Let rows come to their nearest of the centers from "first" on, if that is
 * nearer than the one they are at; return whether any has moved.
 */
static bool
assign_rows(Work *work, int first)
{
	bool		moved = false;

	for (int64 row = 0; row < work->features->nrows; row++)
	{
		int32		nearest = work->cluster[row];

		if (row % CHECK_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		for (int i = first; i < work->k; i++)
		{
			double		distance = rec_cluster_distance(row_of(work, row),
														work->center + i * work->nfeatures,
														work->weight, work->nfeatures);

			if (distance < work->distance[row])
			{
				work->distance[row] = distance;
				nearest = i;
			}
		}
		moved |= nearest != work->cluster[row];
		work->cluster[row] = nearest;
	}
	return moved;
}

/* Return the row that is farthest from its center, the smallest of equal ones. */
static int64
farthest_row(const Work *work)
{
	int64		farthest = 0;

	for (int64 row = 1; row < work->features->nrows; row++)
	{
		if (work->distance[row] > work->distance[farthest])
			farthest = row;
	}
	return farthest;
}

static void
forget_distances(Work *work)
{
	for (int64 row = 0; row < work->features->nrows; row++)
		work->distance[row] = INFINITY;
}

/* Choose up to k centers among the rows, and assign rows to them. */
static void
choose_centers(Work *work, int k, const double *mean)
{
	Size		width = work->nfeatures * sizeof(double);
	int64		row = 0;

	for (int64 i = 0; i < work->features->nrows; i++)
	{
		work->distance[i] = rec_cluster_distance(row_of(work, i), mean, work->weight,
												 work->nfeatures);
		if (!isfinite(work->distance[i]))
			float_overflow_error();
		if (work->distance[i] < work->distance[row])
			row = i;
	}
	forget_distances(work);
	for (work->k = 0; work->k < k;)
	{
		memcpy(work->center + work->k * work->nfeatures, row_of(work, row), width);
		work->k++;
		(void) assign_rows(work, work->k - 1);
		row = farthest_row(work);
		if (work->distance[row] == 0)
			break;
	}
}

/*
 * Move each center to the mean of its rows, and one without rows to the row
 * that is farthest from its own center.
 */
static void
move_centers(Work *work)
{
	memset(work->size, 0, work->k * sizeof(int64));
	for (int64 row = 0; row < work->features->nrows; row++)
		work->size[work->cluster[row]]++;
	for (int i = 0; i < work->k; i++)
	{
		if (work->size[i] > 0)
			memset(work->center + i * work->nfeatures, 0, work->nfeatures * sizeof(double));
	}
	for (int64 row = 0; row < work->features->nrows; row++)
	{
		double	   *center = work->center + work->cluster[row] * work->nfeatures;

		for (int i = 0; i < work->nfeatures; i++)
			center[i] += row_of(work, row)[i];
	}
	for (int i = 0; i < work->k; i++)
	{
		double	   *center = work->center + i * work->nfeatures;
		int64		farthest;

		for (int j = 0; work->size[i] > 0 && j < work->nfeatures; j++)
			center[j] /= work->size[i];
		if (work->size[i] > 0)
			continue;
		farthest = farthest_row(work);
		memcpy(center, row_of(work, farthest), work->nfeatures * sizeof(double));
		work->distance[farthest] = 0;
	}
}

/* Count the rows of each cluster and compute its spread. */
static void
measure_clusters(const Work *work, RecClusters *clusters)
{
	for (int i = 0; i < work->k; i++)
		clusters->size[i] = clusters->spread[i] = 0;
	for (int64 row = 0; row < work->features->nrows; row++)
	{
		clusters->size[work->cluster[row]]++;
		clusters->spread[work->cluster[row]] += work->distance[row];
	}
	for (int i = 0; i < work->k; i++)
		clusters->spread[i] = clusters->size[i] > 0 ? sqrt(clusters->spread[i] / clusters->size[i]) : 0;
}

/* True when cluster a comes before cluster b. */
static bool
comes_before(const RecClusters *clusters, int nfeatures, int a, int b)
{
	RecFeatures centers;

	if (clusters->size[a] != clusters->size[b])
		return clusters->size[a] > clusters->size[b];
	centers.value = clusters->center;
	centers.nrows = clusters->n;
	centers.nfeatures = nfeatures;
	return compare_rows(&centers, a, b) < 0;
}

static void
swap_numbers(double *a, double *b)
{
	double		number = *a;

	*a = *b;
	*b = number;
}

/* Put the clusters into their order, and drop those without rows, at the end. */
static void
sort_clusters(RecClusters *clusters, int nfeatures)
{
	for (int i = 0; i < clusters->n; i++)
	{
		int			first = i;
		int64		size = clusters->size[i];

		for (int j = i + 1; j < clusters->n; j++)
		{
			if (comes_before(clusters, nfeatures, j, first))
				first = j;
		}
		clusters->size[i] = clusters->size[first];
		clusters->size[first] = size;
		swap_numbers(&clusters->spread[i], &clusters->spread[first]);
		for (int j = 0; j < nfeatures; j++)
			swap_numbers(&clusters->center[i * nfeatures + j], &clusters->center[first * nfeatures + j]);
	}
	while (clusters->n > 0 && clusters->size[clusters->n - 1] == 0)
		clusters->n--;
}

/*
 * Return at most k clusters of sorted rows, as many as there are different rows
 * when these are fewer; memory is that of the current context, which must be
 * one that is counted.
 */
RecClusters
rec_cluster_rows(const RecFeatures *features, int k, bool scale)
{
	MemoryContext mcxt = CurrentMemoryContext;
	double	   *mean = rec_memory_budget_alloc(mcxt, features->nfeatures, sizeof(double));
	RecClusters clusters = {0};
	Work		work = {0};

	k = Min(k, features->nrows);
	clusters.scale = rec_memory_budget_alloc(mcxt, features->nfeatures, sizeof(double));
	clusters.center = rec_memory_budget_alloc(mcxt, k, mul_size(features->nfeatures, sizeof(double)));
	clusters.size = rec_memory_budget_alloc(mcxt, k, sizeof(int64));
	clusters.spread = rec_memory_budget_alloc(mcxt, k, sizeof(double));
	work.features = features;
	work.nfeatures = features->nfeatures;
	work.center = clusters.center;
	work.size = clusters.size;
	work.weight = rec_memory_budget_alloc(mcxt, features->nfeatures, sizeof(double));
	work.cluster = rec_memory_budget_alloc(mcxt, features->nrows, sizeof(int32));
	work.distance = rec_memory_budget_alloc(mcxt, features->nrows, sizeof(double));
	mean_of_rows(features, mean);
	if (scale)
		deviations_of_rows(features, mean, clusters.scale);
	else
	{
		for (int i = 0; i < features->nfeatures; i++)
			clusters.scale[i] = 1;
	}
	rec_cluster_weights(clusters.scale, features->nfeatures, work.weight);
	choose_centers(&work, k, mean);
	for (int i = 0; i < MAX_ROUNDS; i++)
	{
		move_centers(&work);
		forget_distances(&work);
		if (!assign_rows(&work, 0))
			break;
	}
	clusters.n = work.k;
	measure_clusters(&work, &clusters);
	sort_clusters(&clusters, features->nfeatures);
	return clusters;
}
