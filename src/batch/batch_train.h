/*-------------------------------------------------------------------------
 *
 * batch_train.h
 *	  Training a model in memory on a part of the interactions.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_train.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_BATCH_TRAIN_H
#define REC_BATCH_TRAIN_H

#include "batch/batch.h"

extern void rec_batch_train(RecBatch *batch);

#endif							/* REC_BATCH_TRAIN_H */
