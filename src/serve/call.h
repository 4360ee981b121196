/*-------------------------------------------------------------------------
 *
 * call.h
 *	  A call: its options, the model that serves, and what may be returned.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CALL_H
#define REC_CALL_H

#include "rank/score.h"
#include "serve/eligible.h"
#include "serve/served_model.h"
#include "utils/array.h"

typedef struct RecCall
{
	MemoryContext mcxt;			/* of what lives as long as the call */
	RecServedModel model;
	RecOptions	options;		/* the recommender's, then the call's */
	RecDict    *excluded;		/* ids that must not be returned */
	RecEligible *eligible;		/* which may be; NULL for all others */
	RecScores  *scores;
} RecCall;

extern void rec_call_begin(RecCall *call, RecDefinition *definition, Jsonb *options);
extern void rec_call_filter(RecCall *call, Jsonb *filter);
extern void rec_call_exclude(RecCall *call, ArrayType *items);

#endif							/* REC_CALL_H */
