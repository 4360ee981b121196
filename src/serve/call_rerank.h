/*-------------------------------------------------------------------------
 *
 * call_rerank.h
 *	  The best items of a call, reranked by its options.
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

#include "rank/selection.h"
#include "serve/call.h"

extern RecScoredItem *rec_call_rerank_select(const RecCall *call, const RecCatalog *catalog,
											 Datum *const *ids, int64 k, int *n);

#endif							/* REC_CALL_RERANK_H */
