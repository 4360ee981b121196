/*-------------------------------------------------------------------------
 *
 * shared_features.h
 *	  What two items have in common, in words.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/shared_features.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SHARED_FEATURES_H
#define REC_SHARED_FEATURES_H

#include "serve/call.h"

extern void rec_shared_features_expect(RecServe *serve, const RecScoredItem *items, int n,
									   const Datum *ids);
extern char *rec_shared_features(RecServe *serve, Datum a, Datum b);

#endif							/* REC_SHARED_FEATURES_H */
