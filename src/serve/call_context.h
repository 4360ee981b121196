/*-------------------------------------------------------------------------
 *
 * call_context.h
 *	  The context of a call: what it says, and what the model makes of it.
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

#include "serve/call.h"

extern void rec_call_context_read(RecServe *serve, Jsonb *context);
extern void rec_call_context_add(const RecServe *serve, RecScores *scores);

#endif							/* REC_CALL_CONTEXT_H */
