/*-------------------------------------------------------------------------
 *
 * popular.h
 *	  Popular items.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/popular.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_POPULAR_H
#define REC_POPULAR_H

#include "recommend.h"

extern void rec_append_popular(RecRows *rows, RecServe *serve, int64 k, int first_rank);

#endif							/* REC_POPULAR_H */
