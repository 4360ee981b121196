/*-------------------------------------------------------------------------
 *
 * filter.h
 *	  Filters in jsonb as conditions of SQL.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/filter.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_FILTER_H
#define REC_FILTER_H

#include "utils/jsonb.h"

/* A condition on a relation's rows, and the values of its parameters. */
typedef struct RecFilter
{
	char	   *condition;		/* over the alias i */
	int			nvalues;
	int			allocated;
	Oid		   *types;
	Datum	   *values;			/* none is null */
} RecFilter;

extern void rec_filter_parse(RecFilter *filter, Oid relid, Jsonb *json);

#endif							/* REC_FILTER_H */
