/*-------------------------------------------------------------------------
 *
 * recommend.h
 *	  What the SQL functions that return recommendations have in common.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/recommend.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_RECOMMEND_H
#define REC_RECOMMEND_H

#include "fmgr.h"
#include "funcapi.h"
#include "serve.h"

/* A set-returning function's rows on their way out. */
typedef struct RecRows
{
	Tuplestorestate *store;
	TupleDesc	desc;
} RecRows;

extern RecDefinition *rec_argument_definition(FunctionCallInfo fcinfo);
extern void rec_argument_type(FunctionCallInfo fcinfo, int n, Oid expected,
							  const char *argument);
extern ArrayType *rec_argument_items(FunctionCallInfo fcinfo, int n,
									 const RecDefinition *definition, const char *argument);
extern int64 rec_argument_k(FunctionCallInfo fcinfo, int n);
extern Jsonb *rec_argument_jsonb(FunctionCallInfo fcinfo, int n);
extern RecRows rec_begin_rows(FunctionCallInfo fcinfo, const Oid *types, int ncolumns);
extern void rec_append_popular(RecRows *rows, RecServe *serve, int64 k, int first_rank);
extern RecRows rec_begin_recommendations(FunctionCallInfo fcinfo,
										 const RecDefinition *definition);

#endif							/* REC_RECOMMEND_H */
