/*-------------------------------------------------------------------------
 *
 * call_history.h
 *	  The history of a call: read, remembered, and added to the scores.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call_history.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CALL_HISTORY_H
#define REC_CALL_HISTORY_H

#include "serve/call.h"

extern void rec_serve_want_sentences(RecServe *serve, const char *language);
extern const char *rec_serve_event(const RecServe *serve, uint32 item);
extern void rec_serve_user(RecServe *serve, Datum user);
extern void rec_serve_items(RecServe *serve, ArrayType *items, double decay);
extern void rec_serve_similarity(RecServe *serve);

#endif							/* REC_CALL_HISTORY_H */
