/*-------------------------------------------------------------------------
 *
 * shared_features.h
 *	  The features that two items share, in words.
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

#include "serve/new_item_vectors.h"

/* Vectors of items that have been read, once each. */
typedef struct RecSharedFeatures
{
	MemoryContext mcxt;			/* of all of them */
	const RecServedModel *model;
	RecVectorMaker *maker;		/* NULL until needed */
	RecDict    *ids;			/* of items whose vectors were read */
	RecVector  *vectors;		/* by number in it */
	uint32		allocated;
} RecSharedFeatures;

extern void rec_shared_features_init(RecSharedFeatures *shared, MemoryContext mcxt,
									 const RecServedModel *model);
extern void rec_shared_features_expect(RecSharedFeatures *shared, const RecScoredItem *items,
									   int n, const Datum *ids);
extern char *rec_shared_features(RecSharedFeatures *shared, Datum a, Datum b);

#endif							/* REC_SHARED_FEATURES_H */
