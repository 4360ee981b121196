/*-------------------------------------------------------------------------
 *
 * batch_context.h
 *	  Contexts in a batch: learning and adding lifts.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_context.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_BATCH_CONTEXT_H
#define REC_BATCH_CONTEXT_H

#include "batch/batch.h"

extern void rec_batch_context_learn(RecBatch *batch, const RecStream *stream);
extern void rec_batch_context_add(RecBatch *batch, uint32 situation);

#endif							/* REC_BATCH_CONTEXT_H */
