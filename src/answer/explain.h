/*-------------------------------------------------------------------------
 *
 * explain.h
 *	  Why an item has its score.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/explain.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_EXPLAIN_H
#define REC_EXPLAIN_H

#include "serve/call.h"

extern Datum rec_explain_no_reasons(void);
extern Datum rec_explain_reasons(RecServe *serve, const RecScoredItem *item, Datum id);

#endif							/* REC_EXPLAIN_H */
