/*-------------------------------------------------------------------------
 *
 * filter.h
 *	  Filters in jsonb as conditions of SQL.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/filter.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_FILTER_H
#define REC_FILTER_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* A condition on a relation's rows, and the values of its parameters. */
typedef struct RecFilter
{
	char	   *condition;		/* over the alias i */
	List	   *columns;		/* names of the columns in it, each once */
	int			nvalues;
	int			allocated;
	Oid		   *types;
	Datum	   *values;			/* none is null */
} RecFilter;

extern List *rec_filter_add_name(List *names, const char *name);
extern void rec_filter_parse(RecFilter *filter, Oid relid, Jsonb *json);

#endif							/* REC_FILTER_H */
