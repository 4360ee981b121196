/*-------------------------------------------------------------------------
 *
 * batch_event.h
 *	  The events of a batch and their weights.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_event.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_BATCH_EVENT_H
#define REC_BATCH_EVENT_H

#include "batch/batch.h"

extern void rec_batch_event_begin(RecBatch *batch);
extern uint32 rec_batch_event_find(const RecBatch *batch, const char *name);
extern void rec_batch_event_weigh(RecBatch *batch);
extern RecSourceWeight *rec_batch_event_weights(const RecBatch *batch, int *n);

#endif							/* REC_BATCH_EVENT_H */
