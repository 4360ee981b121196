/*-------------------------------------------------------------------------
 *
 * batch_rerank.h
 *	  The best items of a user in a batch, reranked by its options.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_rerank.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_BATCH_RERANK_H
#define REC_BATCH_RERANK_H

#include "batch/batch.h"

extern RecScoredItem *rec_batch_rerank_select(RecBatch *batch, const RecCatalog *catalog,
											  int64 k, int *n);

#endif							/* REC_BATCH_RERANK_H */
