/*-------------------------------------------------------------------------
 *
 * newcomer.h
 *	  Items that the relation of items has and the model does not know.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/newcomer.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_NEWCOMER_H
#define REC_NEWCOMER_H

#include "serve/call.h"

extern uint32 rec_newcomer_number(RecServe *serve, Datum id);
extern bool rec_newcomer_item(RecServe *serve, uint32 number, RecScoredItem *item);
extern void rec_newcomer_numbers(RecServe *serve, RecDict *ids, const bool *known);

#endif							/* REC_NEWCOMER_H */
