/*-------------------------------------------------------------------------
 *
 * progress.c
 *	  How far a refresh has come, for others to see.
 *
 * PostgreSQL's own progress views have no room for extensions, so the phase
 * and the percentage go where everyone looks first: the query column of
 * pg_stat_activity.  The view recommender.refresh_progress reads them there.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/model/progress.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "model/progress.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"

/* The view's regular expression reads this text. */
static void
show(const RecProgress *progress)
{
	char text[	NAMEDATALEN + 128];

	snprintf(text, sizeof(text), "recommender.refresh %s: %s, %d %%",
			 progress->recommender, progress->phase, Max(progress->percent, 0));
	pgstat_report_activity(STATE_RUNNING, text);
}

/* Begin a refresh; the recommender's name must stay allocated. */
void
rec_progress_start(RecProgress *progress, const char *recommender, bool verbose)
{
	progress->recommender = recommender;
	progress->verbose = verbose;
	progress->phase = NULL;
}

static void
tell_phase_done(const RecProgress *progress)
{
	if (progress->verbose && progress->phase)
		ereport(INFO,
				(errmsg("recommender \"%s\": %s took %ld ms",
						progress->recommender, progress->phase,
						TimestampDifferenceMilliseconds(progress->phase_started,
														GetCurrentTimestamp()))));
}

/* Begin a phase, a string constant such as "reading interactions". */
void
rec_progress_phase(RecProgress *progress, const char *phase)
{
	tell_phase_done(progress);
	progress->phase = phase;
	progress->percent = -1;
	progress->phase_started = GetCurrentTimestamp();
	show(progress);
}

/* Show how much of the phase is done, when that is a per cent more. */
void
rec_progress_step(RecProgress *progress, double done, double total)
{
	int			percent = total > 0 ? (int) (100 * Min(done / total, 1)) : 100;

	if (percent <= progress->percent)
		return;
	progress->percent = percent;
	show(progress);
}

/* End a refresh; the session shows its own query again. */
void
rec_progress_end(RecProgress *progress)
{
	progress->phase = NULL;
	pgstat_report_activity(STATE_RUNNING, debug_query_string);
}
