/*-------------------------------------------------------------------------
 *
 * situation.h
 *	  The circumstances of interactions.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/situation.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SITUATION_H
#define REC_SITUATION_H

#include "math/packed_column.h"
#include "options/options.h"
#include "pg/time_part.h"

#define REC_NO_VALUE		PG_UINT32_MAX	/* an unknown value of a column */
#define REC_VALUE_BYTES		255 /* longer texts are ignored */

/* How the times of a source become local times. */
typedef enum RecWallClock
{
	REC_WALL_NONE,				/* there are no times */
	REC_WALL_ZONE,				/* in the recommender's time zone */
	REC_WALL_SESSION,			/* in the session's, to restore a time that was
								 * written without a zone */
	REC_WALL_DATE				/* likewise, without hours */
} RecWallClock;

/* A value of a column of the context. */
typedef struct RecContextValue
{
	int			column;
	const char *text;
} RecContextValue;

typedef struct RecSituations
{
	MemoryContext mcxt;		/* owns all of it */
	int			ncolumns;
	const char **columns;		/* names: declared columns, then parts of the
								 * time */
	int		   *part;			/* RecTimePart of each, or -1 */
	uint32		nvalues;
	RecContextValue *values;
	uint32		count;			/* number of situations */
	uint32	   *situations;		/* ncolumns values of each, or REC_NO_VALUE */
	int64		nrows;
	RecPacked	rows;			/* situation of each interaction */
	struct SituationTables *tables; /* hash tables */
} RecSituations;

extern RecSituations *rec_situation_create(MemoryContext mcxt,
											char *const *columns, int ncolumns,
											const RecOptions *options);
extern uint32 rec_situation_number(RecSituations *situations, const int *columns,
								   char *const *texts, int n,
								   RecWallClock wall, int64 time);
extern uint32 *rec_situation_ranks(const RecSituations *situations);
extern void rec_situation_append(RecSituations *situations, uint32 situation);
extern void rec_situation_forget_rows(RecSituations *situations);
extern bool rec_situation_has_time(RecTimePart part, char *const *columns, int ncolumns,
								const RecOptions *options);

#endif							/* REC_SITUATION_H */
