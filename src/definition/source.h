/*-------------------------------------------------------------------------
 *
 * source.h
 *	  A recommender's sources of interactions.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/source.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SOURCE_H
#define REC_SOURCE_H

#include "definition/definition.h"
#include "pg/relation.h"

extern void rec_source_check_columns(const RecSource *source);
extern void rec_source_check(const RecSource *source, RecColumn *user, RecColumn *item);
extern void rec_source_check_context_columns(Oid relid, ArrayType *columns);
extern char *rec_source_missing_index(const RecSource *source);
extern char *rec_source_missing_time_index(const RecSource *source);
extern int	rec_source_of_weight(const RecDefinition *definition, const RecSourceWeight *weight);
extern void rec_source_qualify_weights(const RecDefinition *definition, RecOptions *options);
extern char *rec_source_remove_hint(const RecDefinition *definition, const RecSource *source);
extern char *rec_source_query(const RecDefinition *definition, const RecSource *source,
							  const char *where, RecRowFormat *format);
extern char *rec_source_training_query(const RecDefinition *definition, const RecSource *source,
									   RecSituations *situations, RecRowFormat *format);
extern SPIPlanPtr rec_source_history_plan(RecDefinition *definition, RecSource *source);
extern bool rec_source_any_has_time(const RecDefinition *definition, RecTimePart part);

#endif							/* REC_SOURCE_H */
