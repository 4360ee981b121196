/*-------------------------------------------------------------------------
 *
 * evaluate.h
 *	  How good recommendations are, measured on held-out interactions.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_EVALUATE_H
#define REC_EVALUATE_H

#include "batch.h"
#include "metric.h"

/* What is measured side by side. */
typedef enum RecContestant
{
	REC_CONTESTANT_RECOMMENDER, /* the blend that the options say */
	REC_CONTESTANT_BEHAVIOUR,	/* behaviour alone */
	REC_CONTESTANT_POPULARITY,	/* the same popular items for all */
	REC_CONTESTANT_CONTENT,		/* content alone, where there is any */
	REC_NCONTESTANTS
} RecContestant;

/* Which of the relevant items count. */
typedef enum RecItemSegment
{
	REC_ITEMS_ALL,
	REC_ITEMS_HEAD,				/* the most popular fifth of the catalogue */
	REC_ITEMS_TAIL,				/* the rest of it */
	REC_ITEMS_NEW,				/* not in the training data */
	REC_NITEMSEGMENTS
} RecItemSegment;

/* Users by how many items their history has. */
typedef enum RecUserSegment
{
	REC_USERS_NEW,				/* none */
	REC_USERS_LIGHT,			/* 1 to 9 */
	REC_USERS_HEAVY,			/* 10 and more */
	REC_NUSERSEGMENTS
} RecUserSegment;

typedef struct RecSplit
{
	const char *method;			/* time, leave_last, users, random */
	double		test_share;
	int			last;
	int			cuts;
	int64		seed;
} RecSplit;

/* Values of every user, contestant, item segment, metric and k. */
typedef struct RecEvaluation
{
	MemoryContext context;
	int			ncontestants;	/* the first so many of RecContestant */
	int			nmetrics;
	const RecMetric **metrics;
	int			nk;
	int		   *k;
	int			largest_k;
	int			nvalues;		/* of one user */
	int64		sample;			/* users at most; 0 for all */

	int64		nusers;			/* measured so far */
	int64		allocated;
	double	   *values;			/* nvalues of each user; NaN: does not apply */
	uint32	   *user;			/* number in the batch's dictionary */
	uint8	   *segment;		/* RecUserSegment */
	int64	   *exposure[REC_NCONTESTANTS]; /* lists with each item of the
											 * batch's dictionary */
} RecEvaluation;

/* The mean of one series of values and its interval. */
typedef struct RecEstimate
{
	double		value;
	double		ci_low;			/* 95 per cent; NaN without resamples */
	double		ci_high;
	int64		users;
} RecEstimate;

/* Two settings on the same users. */
typedef struct RecComparison
{
	double		mean_a;
	double		mean_b;
	RecEstimate difference;		/* of b less a */
	double		p_value;		/* two-sided */
} RecComparison;

extern RecEvaluation *rec_evaluation_create(MemoryContext context, int ncontestants,
											const RecMetric **metrics, int nmetrics,
											const int *k, int nk);
extern int	rec_evaluation_index(const RecEvaluation *evaluation, int contestant,
								 int segment, int metric, int k);
extern void rec_evaluate(RecEvaluation *evaluation, RecBatch *batch, int64 seed);
extern int64 rec_count_test_users(const RecBatch *batch);
extern int	rec_split_cuts(const RecSplit *split);
extern void rec_split_apply(RecBatch *batch, const RecSplit *split, int cut);
extern RecEstimate *rec_evaluation_summary(const RecEvaluation *evaluation,
										   const int *class_of_user, int nclasses,
										   int resamples, int64 seed);
extern RecComparison rec_compare(const RecBatch *batch, const RecEvaluation *a,
								 const RecEvaluation *b, int resamples, int64 seed);
extern RecBatch *rec_evaluation_batch(RecDefinition *definition,
									  const RecOptions *options,
									  const RecOptions *other_options, bool context);
extern const char *rec_argument_split(FunctionCallInfo fcinfo, int n);
extern int	rec_argument_range(FunctionCallInfo fcinfo, int n, const char *name,
							   int min, int max);
extern double rec_argument_share(FunctionCallInfo fcinfo, int n);
extern void rec_refuse_nulls(FunctionCallInfo fcinfo, uint32 nullable);
extern const RecMetric *rec_metric_find(const char *name);

#endif							/* REC_EVALUATE_H */
