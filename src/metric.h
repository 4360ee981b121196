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
 * relevant item (1 when relevance is binary) and zero for any other.
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

/* The metrics of one list, ending with a NULL name. */
extern const RecMetric rec_metrics[];

#endif							/* REC_METRIC_H */
