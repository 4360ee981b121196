/*-------------------------------------------------------------------------
 *
 * lift_table.h
 *	  The context of a model: its columns, and the table of lifts.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/context/lift_table.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_LIFT_TABLE_H
#define REC_LIFT_TABLE_H

#include "context/lift.h"
#include "definition/definition.h"

extern RecSituations *rec_lift_table_situations(const RecDefinition *definition,
												const RecOptions *options,
												MemoryContext mcxt);
extern void rec_lift_table_write(const RecDefinition *definition, int64 generation,
								 const RecSituations *situations, const RecLifts *lifts);

#endif							/* REC_LIFT_TABLE_H */
