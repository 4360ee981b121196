/*-------------------------------------------------------------------------
 *
 * batch_content.h
 *	  The content of items in a batch.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_content.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_BATCH_CONTENT_H
#define REC_BATCH_CONTENT_H

#include "batch/batch.h"
#include "content/content_neighbors.h"

extern void rec_batch_content_read(RecBatch *batch, const RecDefinition *definition);
extern uint32 *rec_batch_content_model_items(RecBatch *batch, const uint32 *trained,
											 uint32 ntrained, uint32 *n);
extern void rec_batch_content_train(RecBatch *batch, const uint32 *number, uint32 n);
extern const RecContentLists *rec_batch_content_similarity(const RecBatch *batch);

#endif							/* REC_BATCH_CONTENT_H */
