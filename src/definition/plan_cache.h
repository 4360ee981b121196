/*-------------------------------------------------------------------------
 *
 * plan_cache.h
 *	  Plans of queries whose text depends on what a call asks for.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/plan_cache.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_PLAN_CACHE_H
#define REC_PLAN_CACHE_H

#include "definition/definition.h"

/* A query with its arguments. */
typedef struct RecQuery
{
	const char *text;
	int			nargs;
	Oid		   *types;
	Datum	   *values;
	const char *nulls;
} RecQuery;

extern void rec_plan_cache_execute(RecDefinition *definition, const RecQuery *query);
extern Portal rec_plan_cache_open(RecDefinition *definition, const RecQuery *query);
extern void rec_plan_cache_free(RecDefinition *definition);

#endif							/* REC_PLAN_CACHE_H */
