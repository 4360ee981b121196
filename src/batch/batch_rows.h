/*-------------------------------------------------------------------------
 *
 * batch_rows.h
 *	  The interactions of a batch: reading and sorting rows.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_rows.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_BATCH_ROWS_H
#define REC_BATCH_ROWS_H

#include "batch/batch.h"

extern void rec_batch_rows_add(RecBatch *batch, const RecRow *row, uint8 seen);
extern void rec_batch_rows_read(RecBatch *batch, RecDefinition *definition);
extern void rec_batch_rows_sort(RecBatch *batch);
extern int64 rec_batch_rows_user_end(const RecBatch *batch, int64 from);

#endif							/* REC_BATCH_ROWS_H */
