/*-------------------------------------------------------------------------
 *
 * train.h
 *	  What a model learns of a matrix.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/model/train.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_TRAIN_H
#define REC_TRAIN_H

#include "content/content_neighbors.h"
#include "pg/step.h"
#include "rank/score.h"
#include "similarity/similarity.h"

extern double *rec_train_popularity(const RecMatrix *matrix);
extern int	rec_train_user_steps(const RecMatrix *matrix, uint32 *steps);
extern double *rec_train_trend(const RecMatrix *matrix, const double *scores);
extern void rec_train_rows(RecMatrix *matrix, const RecContentLists *likeness,
						   const RecOptions *options, RecRowSink sink, RecStep step,
						   void *arg);

#endif							/* REC_TRAIN_H */
