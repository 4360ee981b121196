/*-------------------------------------------------------------------------
 *
 * metric.h
 *	  How good a ranked list is.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/metric.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_METRIC_H
#define REC_METRIC_H

/*
 * One ranked list against what was relevant.  A gain is above zero for a
 * relevant item (1 when relevance is binary) and zero for any other; an item
 * that comes twice has its gain at the first rank alone.
 */
typedef struct RecRanking
{
	const double *gain;			/* of the item at each rank, best rank first */
	int			n;				/* length of the list */
	const double *ideal;		/* gains of all relevant items, falling */
	int			nrelevant;
} RecRanking;

/* Gives a value for the first k ranks; 0 when nothing is relevant. */
typedef double (*RecRankingMetric) (const RecRanking *ranking, int k);

typedef struct RecMetric
{
	const char *name;			/* as in SQL: "ndcg" */
	RecRankingMetric value;
} RecMetric;

/* Where a metric stands in the table below. */
typedef enum RecMetricNumber
{
	REC_PRECISION,
	REC_RECALL,
	REC_HIT_RATE,
	REC_AVERAGE_PRECISION,
	REC_RECIPROCAL_RANK,
	REC_NDCG
} RecMetricNumber;

/* The metrics of one list, ending with a NULL name. */
extern const RecMetric rec_metrics[];

extern double rec_metric_serendipity(const RecRanking *ranking,
									 const bool *expected, int k);

/*
 * Means over rows.  The value of one row is the metric of that row alone, so
 * that whoever meets rows one by one may average what n = 1 gives.
 */
extern double rec_metric_catalog_coverage(const double *exposure, int64 n);
extern double rec_metric_average_popularity(const double *popularity, int64 n);
extern double rec_metric_novelty(const double *popularity, int64 n);
extern double rec_metric_intra_list_diversity(const double *similarity,
											  int64 npairs);
extern double rec_metric_log_loss(const double *probability,
								  const bool *outcome, int64 n);

/* Of all rows at once; these put their arrays in falling order. */
extern double rec_metric_gini(double *exposure, int64 n);
extern double rec_metric_auc(double *relevant, int64 nrelevant,
							 double *other, int64 nother);

extern void rec_metric_sort_falling(double *value, int64 n);

#endif							/* REC_METRIC_H */
