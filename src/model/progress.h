/*-------------------------------------------------------------------------
 *
 * progress.h
 *	  How far a refresh has come, for others to see.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/model/progress.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_PROGRESS_H
#define REC_PROGRESS_H

#include "datatype/timestamp.h"

typedef struct RecProgress
{
	const char *recommender;
	const char *phase;
	bool		verbose;		/* tell the client, too */
	int			percent;		/* last one shown; -1 none */
	TimestampTz phase_started;
} RecProgress;

extern void rec_progress_start(RecProgress *progress, const char *recommender, bool verbose);
extern void rec_progress_phase(RecProgress *progress, const char *phase);
extern void rec_progress_step(RecProgress *progress, double done, double total);
extern void rec_progress_end(RecProgress *progress);

#endif							/* REC_PROGRESS_H */
