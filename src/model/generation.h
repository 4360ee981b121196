/*-------------------------------------------------------------------------
 *
 * generation.h
 *	  Writing a generation of a recommender's model.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/model/generation.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_GENERATION_H
#define REC_GENERATION_H

#include "content/content_tables.h"
#include "context/lift.h"
#include "definition/definition.h"
#include "model/progress.h"

/* A generation that is about to be written, and what it is made from. */
typedef struct RecGeneration
{
	const RecDefinition *definition;
	int64		number;
	const RecInteractions *interactions;
	RecMatrix  *matrix;			/* used up by writing */
	const RecModelItems *items; /* those of the matrix come first */
	Datum	   *id;				/* of each item; found by writing */
	const double *trend;		/* of each number of the items' dictionary */
	RecLifts   *lifts;			/* NULL: there is no context */
	RecProgress *progress;
	int64		neighbors;		/* written */
} RecGeneration;

extern void rec_generation_write(RecGeneration *generation);
extern void rec_generation_delete_others(const RecGeneration *generation);
extern void rec_generation_analyze(const RecGeneration *generation);

#endif							/* REC_GENERATION_H */
