/*-------------------------------------------------------------------------
 *
 * served_model.h
 *	  The generation of the model that serves, by the snapshot of a call.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/served_model.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SERVED_MODEL_H
#define REC_SERVED_MODEL_H

#include "definition/definition.h"
#include "rank/signal.h"

typedef struct RecServedModel
{
	RecDefinition *definition;
	int64		generation;		/* 0: no model yet */
	int64		nitems;
	int64		as_of;			/* its newest interaction, or REC_NO_TIME */
	uint32		steps[REC_USER_STEPS];	/* items with at least 2^step users */
	int			nsteps;
	TimestampTz newest_created; /* items created since may be unknown to it */
	int64		newest_item;	/* ... or those of larger numbers */
} RecServedModel;

extern void rec_served_model_read(RecServedModel *model, RecDefinition *definition);
extern void rec_served_model_require(const RecServedModel *model);

#endif							/* REC_SERVED_MODEL_H */
