/*-------------------------------------------------------------------------
 *
 * refresh.h
 *	  Reading all interactions of a recommender, and what is known of items.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/model/refresh.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_REFRESH_H
#define REC_REFRESH_H

#include "definition/definition.h"
#include "model/progress.h"
#include "rank/score.h"

/* The figures of a refresh; type refresh_result. */
typedef struct RecRefreshFigures
{
	int64		generation;
	TimestampTz started_at;
	int64		interactions;
	int64		users;
	int64		items;
	int64		neighbors;
	int64		null_keys;		/* rows without user or item */
	int64		without_weight; /* rows of events without weight */
	int64		found_items;	/* items of the interactions, ... */
	int64		used_items;		/* ... those that some history has, ... */
	int64		matched_items;	/* ... and those in the relation of items */
	int64		cut_users;		/* users with more items than max_history */
	double		read_ms;
	double		build_ms;
	double		write_ms;
	int64		memory_bytes;
	int64		model_bytes;
} RecRefreshFigures;

extern RecRefreshFigures rec_refresh_model(RecDefinition *definition, bool verbose);
extern RecInteractions *rec_refresh_interactions(const RecDefinition *definition,
											   MemoryContext mcxt, bool situations,
											   RecProgress *progress);

#endif							/* REC_REFRESH_H */
