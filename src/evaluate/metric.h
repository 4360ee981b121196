/*-------------------------------------------------------------------------
 *
 * metric.h
 *	  Metrics of ranked lists, of sets of lists, and of scores.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/metric.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_METRIC_H
#define REC_METRIC_H

/*
 * A ranked list and the relevant items.  A gain is above zero for a relevant item
 * (1 for binary relevance) and zero for others; a duplicate has its gain at the
 * first rank alone.  Inputs of single metrics are NULL if these are not computed.
 */
typedef struct RecRanking
{
	const double *gain;			/* of the item at each rank, best rank first */
	int			n;				/* length of the list */
	const double *ideal;		/* gains of all relevant items, descending */
	int			nrelevant;
	const int  *expected;		/* rank, from 0, of the item at each rank in
								 * the list of the baseline */
	const double *popularity;	/* share of users who have it */
	const double *alike;		/* sum of its similarities to the items before
								 * it */
} RecRanking;

/* Return the value for the first k ranks; NaN if there is none. */
typedef double (*RecRankingMetric) (const RecRanking *ranking, int k);

/* The input of a metric; bits, to select several. */
typedef enum RecMetricKind
{
	REC_OF_HITS = 1 << 0,		/* a list and the relevant items */
	REC_OF_LIST = 1 << 1,		/* a list, whatever is relevant */
	REC_OF_ALL_LISTS = 1 << 2	/* the lists of all users */
} RecMetricKind;

typedef struct RecMetric
{
	const char *name;			/* as in SQL: "ndcg" */
	RecMetricKind kind;
	RecRankingMetric value;		/* NULL for metrics of all lists */
} RecMetric;

/* The place of a metric in the table below. */
typedef enum RecMetricNumber
{
	REC_PRECISION,
	REC_RECALL,
	REC_HIT_RATE,
	REC_AVERAGE_PRECISION,
	REC_RECIPROCAL_RANK,
	REC_NDCG,
	REC_SERENDIPITY,
	REC_AVERAGE_POPULARITY,
	REC_NOVELTY,
	REC_INTRA_LIST_DIVERSITY,
	REC_COVERAGE,
	REC_GINI
} RecMetricNumber;

/* The metrics of lists; the last row has a NULL name. */
extern const RecMetric rec_metrics[];

/*
 * Means over rows.  The value of a single row is the metric with n = 1, so that
 * aggregates average these.
 */
extern double rec_metric_catalog_coverage(const double *exposure, int64 n);
extern double rec_metric_average_popularity(const double *popularity, int64 n);
extern double rec_metric_novelty(const double *popularity, int64 n);
extern double rec_metric_intra_list_diversity(const double *similarity,
											  int64 npairs);
extern double rec_metric_log_loss(const double *probability,
								  const bool *outcome, int64 n);

/* Metrics of all rows; these sort their arrays in descending order. */
extern double rec_metric_gini(double *exposure, int64 n);
extern double rec_metric_auc(double *relevant, int64 nrelevant,
							 double *other, int64 nother);

extern void rec_metric_sort_falling(double *value, int64 n);

#endif							/* REC_METRIC_H */
