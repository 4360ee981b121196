/*-------------------------------------------------------------------------
 *
 * definition_read.h
 *	  Reading a recommender's definition from its tables.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/definition_read.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_DEFINITION_READ_H
#define REC_DEFINITION_READ_H

#include "definition/definition.h"

extern void rec_definition_read(RecDefinition *definition);
extern void rec_definition_read_check_table(const RecDefinition *definition, const char *table);

#endif							/* REC_DEFINITION_READ_H */
