/*-------------------------------------------------------------------------
 *
 * definition_cache.h
 *	  The definitions of recommenders that this backend has read.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/definition_cache.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_DEFINITION_CACHE_H
#define REC_DEFINITION_CACHE_H

#include "definition/definition.h"

extern RecDefinition *rec_definition_cache_get(Oid schema);
extern RecDefinition *rec_definition_cache_by_name(const char *name);
extern RecDefinition *rec_definition_cache_of_row(Oid row_type);
extern RecDefinition *rec_definition_cache_lock(RecDefinition *definition, const char *command);
extern void rec_definition_cache_changed(Oid schema);

#endif							/* REC_DEFINITION_CACHE_H */
