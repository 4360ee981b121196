/*-------------------------------------------------------------------------
 *
 * user_values.h
 *	  Values of the metrics of each evaluated user.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/user_values.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_USER_VALUES_H
#define REC_USER_VALUES_H

#include "evaluate/metric.h"
#include "evaluate/segment.h"

typedef struct RecExposure RecExposure;

/*
 * The values of all evaluated users.  Each user has a row for all relevant items,
 * REC_ALL, and one for each segment of items with relevant ones; a row has the
 * values of each contestant, metric and k.
 */
typedef struct RecEvaluation
{
	MemoryContext mcxt;
	int			ncontestants;	/* the first ones of RecContestant */
	int			nmetrics;
	const RecMetric **metrics;
	int			nk;
	int		   *k;
	int			largest_k;
	int			nvalues;		/* in a row */
	int64		sample;			/* maximum number of users; 0 for all */
	RecSegments *segments;		/* NULL for REC_ALL alone */

	int64		nusers;
	int64		users_allocated;
	uint32	   *user;			/* number in the batch's dictionary */
	int64	   *first_row;
	int			nuser_segments; /* segmentations of users */
	int		   *user_segments;	/* of each user, -1 for none */

	int64		nrows;
	int64		rows_allocated;
	int		   *segment;		/* of each row: REC_ALL or one of items */
	bool	   *complete;		/* no value is missing */
	double	   *values;			/* nvalues of each row; NaN: does not apply */

	RecExposure *exposure;		/* NULL unless a metric needs it */
} RecEvaluation;

/* Return the number of the row after a user's last one. */
static inline int64
rec_user_values_last_row(const RecEvaluation *evaluation, int64 user)
{
	return user + 1 < evaluation->nusers ? evaluation->first_row[user + 1] : evaluation->nrows;
}

/* Return the index of a value in a row. */
static inline int
rec_user_values_index(const RecEvaluation *evaluation, int contestant, int metric, int k)
{
	return (contestant * evaluation->nmetrics + metric) * evaluation->nk + k;
}

extern RecEvaluation *rec_user_values_create(MemoryContext mcxt, int ncontestants,
											 const RecMetric **metrics, int nmetrics,
											 const int *k, int nk);
extern int	rec_user_values_segments(const RecEvaluation *evaluation);
extern int *rec_user_values_add_user(RecEvaluation *evaluation, uint32 user);
extern double *rec_user_values_add_row(RecEvaluation *evaluation, int segment);
extern void rec_user_values_end_row(RecEvaluation *evaluation);
extern double rec_user_values_mean(const RecEvaluation *evaluation);

#endif							/* REC_USER_VALUES_H */
