/*-------------------------------------------------------------------------
 *
 * arguments.h
 *	  Arguments of SQL functions, fetched and checked.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/arguments.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ARGUMENTS_H
#define REC_ARGUMENTS_H

#include "fmgr.h"
#include "utils/array.h"

#define REC_SHOWN_BYTES	200	/* of an argument in a message */
#define REC_QUERY_BYTES	(1024 * 1024)	/* of a query that is an argument */

extern const char *rec_arguments_clip(const char *text);
extern void rec_arguments_check_k(int64 k);
extern void rec_arguments_check_query(const char *query);
extern Datum *rec_arguments_names(ArrayType *names, const char *argument, int *n);
extern char *rec_arguments_text(FunctionCallInfo fcinfo, int n);
extern char *rec_arguments_name(FunctionCallInfo fcinfo, int n);
extern void rec_arguments_require(const void *value, const char *argument);
extern char *rec_arguments_recommender(FunctionCallInfo fcinfo);
extern Datum rec_arguments_name_or_null(const char *name, char *is_null);
extern MemoryContext rec_arguments_aggregate_mcxt(FunctionCallInfo fcinfo);

#endif							/* REC_ARGUMENTS_H */
