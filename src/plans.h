/*-------------------------------------------------------------------------
 *
 * plans.h
 *	  Plans of queries whose text depends on what a call asks for.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/plans.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_PLANS_H
#define REC_PLANS_H

#include "definition.h"

/* A query with its arguments. */
typedef struct RecQuery
{
	const char *text;
	int			nargs;
	Oid		   *types;
	Datum	   *values;
	const char *nulls;
} RecQuery;

extern void rec_plans_execute(RecDefinition *definition, const RecQuery *query);
extern Portal rec_plans_open(RecDefinition *definition, const RecQuery *query);
extern void rec_plans_free(RecDefinition *definition);

#endif							/* REC_PLANS_H */
