/*-------------------------------------------------------------------------
 *
 * popular_items.h
 *	  Popular items.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/popular_items.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_POPULAR_ITEMS_H
#define REC_POPULAR_ITEMS_H

#include "answer/recommend.h"

extern void rec_popular_items_append(RecRows *rows, RecServe *serve, int64 k, int first_rank);

#endif							/* REC_POPULAR_ITEMS_H */
