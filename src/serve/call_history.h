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
#include "serve/call_factors.h"
#include "serve/model_neighbors.h"
#include "serve/new_item_content.h"

/* What is remembered of an item of the history, for explanations. */
typedef struct RecPast
{
	double		decay;			/* factor of its age */
	int			event;			/* its newest one, number in events; or -1 */
	int64		time;			/* of that */
} RecPast;

typedef struct RecCallHistory
{
	RecCall    *call;
	RecNewItemContent *content; /* of new items */
	RecDict    *items;			/* ids; NULL without history */
	RecNeighborList *lists;		/* of its items, REC_NLIKENESSES for each
								 * number; NULL without history */
	RecCallFactors *factors;	/* of the user; NULL for none */
	RecNearItems *near;			/* ids of the nearest items; NULL when they are
								 * not wanted */
	uint32		nbarred;		/* so many excluded items are barred in the
								 * scores */
	RecPast    *past;			/* by number in items; NULL when nothing is
								 * remembered */
	uint32		past_allocated;
	List	   *events;			/* names of the events in it */
} RecCallHistory;

extern void rec_call_history_init(RecCallHistory *history, RecCall *call,
								  RecNewItemContent *content);
extern void rec_call_history_remember(RecCallHistory *history);
extern void rec_call_history_read_user(RecCallHistory *history, Datum user);
extern void rec_call_history_take_items(RecCallHistory *history, ArrayType *items, double decay);
extern void rec_call_history_take_item(RecCallHistory *history, Datum id);
extern void rec_call_history_compare(RecCallHistory *history);
extern const char *rec_call_history_event(const RecCallHistory *history, uint32 item);

#endif							/* REC_CALL_HISTORY_H */
