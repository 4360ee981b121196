/*-------------------------------------------------------------------------
 *
 * call_rerank.h
 *	  What reranking asks about items: from the tables, or from a batch.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call_rerank.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CALL_RERANK_H
#define REC_CALL_RERANK_H

#include "batch/batch.h"
#include "rank/rerank.h"
#include "serve/call.h"

extern RecScoredItem *rec_serve_select(RecServe *serve, const RecCatalog *catalog,
									   Datum *const *ids, int64 k, int *n);
extern RecScoredItem *rec_batch_select(RecBatch *batch, const RecCatalog *catalog,
									   int64 k, int *n);

#endif							/* REC_CALL_RERANK_H */
