/*-------------------------------------------------------------------------
 *
 * evaluate.h
 *	  How good recommendations are, measured on held-out interactions.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/evaluate.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_EVALUATE_H
#define REC_EVALUATE_H

#include "batch/batch.h"
#include "evaluate/user_values.h"

/* What is measured side by side. */
typedef enum RecContestant
{
	REC_CONTESTANT_RECOMMENDER, /* the blend that the options say */
	REC_CONTESTANT_BEHAVIOUR,	/* behaviour alone */
	REC_CONTESTANT_POPULARITY,	/* the same popular items for all */
	REC_CONTESTANT_CONTENT,		/* content alone, where there is any */
	REC_NCONTESTANTS
} RecContestant;

extern int64 rec_evaluate_count_test_users(const RecBatch *batch);
extern void rec_evaluate(RecEvaluation *evaluation, RecBatch *batch, int64 seed);
extern const RecMetric *rec_metric_find(const char *name, int kinds);

#endif							/* REC_EVALUATE_H */
