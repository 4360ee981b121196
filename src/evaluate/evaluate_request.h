/*-------------------------------------------------------------------------
 *
 * evaluate_request.h
 *	  Arguments of evaluations, and the steps that all evaluations share.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/evaluate_request.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_EVALUATE_REQUEST_H
#define REC_EVALUATE_REQUEST_H

#include "evaluate/evaluate.h"
#include "evaluate/split.h"
#include "utils/jsonb.h"

/* The arguments of an evaluation, beside the recommender or the queries. */
typedef struct RecRequest
{
	RecSplit	split;
	const RecMetric **metrics;
	int			nmetrics;
	int		   *k;
	int			nk;
	int			resamples;
	int64		sample;			/* maximum number of users, 0 for all */
	bool		context;		/* evaluate users in their situations */
	Jsonb	   *filter;			/* of the items that may be recommended, or
								 * NULL */
	int			ncolumns;		/* of segments */
	char	  **columns;
} RecRequest;

extern const char *rec_evaluate_request_split(FunctionCallInfo fcinfo, int n);
extern int	rec_evaluate_request_range(FunctionCallInfo fcinfo, int n, const char *name,
									   int min, int max);
extern double rec_evaluate_request_share(FunctionCallInfo fcinfo, int n);
extern const RecMetric *rec_evaluate_request_metric(FunctionCallInfo fcinfo, int metric, int kinds,
													int k, int *given_k);
extern void rec_evaluate_request_metrics(FunctionCallInfo fcinfo, int metrics, int k,
										 RecRequest *request);
extern int64 rec_evaluate_request_sample(FunctionCallInfo fcinfo, int n);
extern void rec_evaluate_request_refuse_nulls(FunctionCallInfo fcinfo, uint32 nullable);
extern RecBatch *rec_evaluate_request_batch(RecDefinition *definition,
											const RecOptions *options,
											const RecOptions *other_options,
											const RecRequest *request);
extern RecEvaluation *rec_evaluate_request_run(const RecRequest *request, RecBatch *batch,
											   RecSegments *segments, int ncontestants);
extern void rec_evaluate_request_notice_no_users(void);

#endif							/* REC_EVALUATE_REQUEST_H */
