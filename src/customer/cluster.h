/*-------------------------------------------------------------------------
 *
 * cluster.h
 *	  Clusters of rows by k-means, without chance.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/cluster.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CLUSTER_H
#define REC_CLUSTER_H

/* Rows of features, one after the other. */
typedef struct RecFeatures
{
	double	   *value;			/* row by row */
	int64		nrows;
	int			nfeatures;
} RecFeatures;

/* Clusters, the largest first; of equal ones that with the smaller center. */
typedef struct RecClusters
{
	int			n;
	int64	   *size;
	double	   *center;			/* cluster by cluster, in the features' units */
	double	   *spread;			/* root of the mean squared distance from it */
	double	   *scale;			/* what each feature is divided by; 0: it does
								 * not count */
} RecClusters;

extern double rec_cluster_distance(const double *row, const double *center,
								   const double *weight, int nfeatures);
extern void rec_cluster_weights(const double *scale, int nfeatures, double *weight);
extern void rec_cluster_sort(MemoryContext mcxt, RecFeatures *features);
extern RecClusters rec_cluster_rows(const RecFeatures *features, int k, bool scale);

#endif							/* REC_CLUSTER_H */
