/*-------------------------------------------------------------------------
 *
 * call_context.h
 *	  The context of a call: its values, and the lifts of these in the model.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call_context.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CALL_CONTEXT_H
#define REC_CALL_CONTEXT_H

#include "rank/neighbor_list.h"
#include "serve/call.h"

/* A value of the context of a call for which the model has lifts. */
typedef struct RecCallValue
{
	const char *column;
	const char *text;
	double		weight;			/* its part of the column's values */
	RecNeighborList lifts;
} RecCallValue;

typedef struct RecCallContext
{
	int			n;
	RecCallValue *values;		/* by the "ref" of their signals */
} RecCallContext;

extern void rec_call_context_read(RecCallContext *context, const RecCall *call, Jsonb *given);
extern void rec_call_context_add(const RecCallContext *context, RecScores *scores);

#endif							/* REC_CALL_CONTEXT_H */
