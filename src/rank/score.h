/*-------------------------------------------------------------------------
 *
 * score.h
 *	  From signals to scores: components, evidence and the blend.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/score.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SCORE_H
#define REC_SCORE_H

#include "rank/signal.h"

extern RecScores *rec_score_create(const RecOptions *options, uint32 nitems);
extern void rec_score_use_options(RecScores *scores, const RecOptions *options);
extern void rec_score_set_steps(RecScores *scores, const uint32 *steps, int n);
extern void rec_score_reset(RecScores *scores);
extern void rec_score_expect(RecScores *scores, int nsignals, int64 nentries, uint32 nitems);
extern void rec_score_add(RecScores *scores, const RecSignal *signal);
extern void rec_score_expect_all(RecScores *scores, uint32 nitems);
extern void rec_score_bar(RecScores *scores, uint32 item);
extern void rec_score_blend(RecScores *scores);
extern int	rec_score_refs(const RecScores *scores, RecComponent component,
							const uint32 **refs);
extern double rec_score_item_trust(const RecScores *scores, uint32 item);
extern void rec_score_similarity(RecScores *scores, double trust);
extern void rec_score_component_only(RecScores *scores, RecComponent component);
extern void rec_score_fill(const RecScores *scores, RecScoredItem *item);
extern RecComponent rec_score_strategy(const RecScoredItem *item);

#endif							/* REC_SCORE_H */
