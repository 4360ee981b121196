/*-------------------------------------------------------------------------
 *
 * reranker.h
 *	  What reranking asks about items: from the tables, or from a batch.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/reranker.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_RERANKER_H
#define REC_RERANKER_H

#include "batch.h"
#include "rerank.h"
#include "serve.h"

extern RecScoredItem *rec_serve_select(RecServe *serve, const RecCatalog *catalog,
									   Datum *const *ids, int64 k, int *n);
extern RecScoredItem *rec_batch_select(RecBatch *batch, const RecCatalog *catalog,
									   int64 k, int *n);

#endif							/* REC_RERANKER_H */
