/*-------------------------------------------------------------------------
 *
 * split.h
 *	  Splits of interactions into training, test and hidden ones.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/split.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SPLIT_H
#define REC_SPLIT_H

#include "batch/batch.h"

typedef struct RecSplit
{
	const char *method;			/* time, leave_last, users, random */
	double		test_share;
	int			last;
	int			cuts;
	int64		seed;
} RecSplit;

extern int	rec_split_cuts(const RecSplit *split);
extern void rec_split_apply(RecBatch *batch, const RecSplit *split, int cut);

#endif							/* REC_SPLIT_H */
