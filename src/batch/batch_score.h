/*-------------------------------------------------------------------------
 *
 * batch_score.h
 *	  The scores of one user of a batch.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_score.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_BATCH_SCORE_H
#define REC_BATCH_SCORE_H

#include "batch/batch.h"

extern void rec_batch_score_bar(RecBatch *batch, uint32 item);
extern int	rec_batch_score_user(RecBatch *batch, int64 from, int64 to);
extern void rec_batch_score_next_user(RecBatch *batch);

#endif							/* REC_BATCH_SCORE_H */
