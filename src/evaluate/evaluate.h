/*-------------------------------------------------------------------------
 *
 * evaluate.h
 *	  Evaluation of recommendations on held-out interactions.
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

/* The strategies that are evaluated next to each other. */
typedef enum RecContestant
{
	REC_CONTESTANT_RECOMMENDER, /* the blend of the options */
	REC_CONTESTANT_BEHAVIOUR,	/* behaviour alone */
	REC_CONTESTANT_POPULARITY,	/* the same popular items for all users */
	REC_CONTESTANT_CONTENT,		/* content alone, if items are described */
	REC_NCONTESTANTS
} RecContestant;

extern int64 rec_evaluate_count_test_users(const RecBatch *batch);
extern void rec_evaluate(RecEvaluation *evaluation, RecBatch *batch, int64 seed);

#endif							/* REC_EVALUATE_H */
