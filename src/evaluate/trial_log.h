/*-------------------------------------------------------------------------
 *
 * trial_log.h
 *	  Stored values of the trials of tune().
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/trial_log.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_TRIAL_LOG_H
#define REC_TRIAL_LOG_H

#include "evaluate/metric.h"
#include "evaluate/search_space.h"
#include "evaluate/split.h"

typedef struct RecTrial
{
	int			number;
	RecConfiguration *configuration;
	Jsonb	   *options;		/* that differ from those in force */
	RecOptions	effective;
	double		value;			/* NaN: not evaluated */
	int64		users;
	double		train_ms;
} RecTrial;

extern Datum rec_trial_log_conditions(const RecBatch *batch, const RecSplit *split,
									  const RecMetric *metric, int k);
extern Jsonb *rec_trial_log_effective(const RecTrial *trial);
extern bool rec_trial_log_recall(const RecDefinition *definition, Datum conditions, int sample,
								 RecTrial *trial);
extern void rec_trial_log_keep(const RecDefinition *definition, Datum conditions, int sample,
							   const RecTrial *trial);

#endif							/* REC_TRIAL_LOG_H */
