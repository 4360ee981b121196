/*-------------------------------------------------------------------------
 *
 * metric.h
 *	  How good a ranked list is.
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
 * One ranked list against what was relevant.  A gain is above zero for a
 * relevant item (1 when relevance is binary) and zero for any other; an item
 * that comes twice has its gain at the first rank alone.  What only some
 * metrics look at is NULL when none of these is wanted.
 */
typedef struct RecRanking
{
	const double *gain;			/* of the item at each rank, best rank first */
	int			n;				/* length of the list */
	const double *ideal;		/* gains of all relevant items, falling */
	int			nrelevant;
	const int  *expected;		/* rank, from 0, of the item at each rank in
								 * the list that one would expect */
	const double *popularity;	/* share of users who have it */
	const double *alike;		/* sum of its similarities to the items before
								 * it */
} RecRanking;

/* Gives a value for the first k ranks; NaN when there is none. */
typedef double (*RecRankingMetric) (const RecRanking *ranking, int k);

/* What a metric is of; bits, so that several can be asked for. */
typedef enum RecMetricKind
{
	REC_OF_HITS = 1 << 0,		/* a list and what was relevant */
	REC_OF_LIST = 1 << 1,		/* a list, whatever was relevant */
	REC_OF_ALL_LISTS = 1 << 2	/* the lists of all users together */
} RecMetricKind;

typedef struct RecMetric
{
	const char *name;			/* as in SQL: "ndcg" */
	RecMetricKind kind;
	RecRankingMetric value;		/* NULL for metrics of all lists */
} RecMetric;

/* Where a metric stands in the table below. */
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

/* The metrics of lists, ending with a NULL name. */
extern const RecMetric rec_metrics[];

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
