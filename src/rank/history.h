/*-------------------------------------------------------------------------
 *
 * history.h
 *	  The weights of a history: decay, repeats, and its signals.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/history.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_HISTORY_H
#define REC_HISTORY_H

#include "interaction/interaction.h"
#include "interaction/pair.h"
#include "rank/neighbor_list.h"
#include "rank/score.h"

extern bool rec_history_event_is_seen(const RecOptions *options, const RecRow *row, bool has_events);
extern int	rec_history_digest(const RecOptions *options, RecPair *pairs, int n,
							   int64 newest, const uint32 *item_rank);
extern void rec_history_weigh(const RecOptions *options, RecPair *pairs, int n);
extern double rec_history_confidence(const RecOptions *options, double weight);
extern void rec_history_add(RecScores *scores, const RecPair *pair,
							const RecNeighborList *lists, bool content);

#endif							/* REC_HISTORY_H */
