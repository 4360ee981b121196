/*-------------------------------------------------------------------------
 *
 * call_arguments.h
 *	  Arguments of the functions that answer, and the rows of their answers.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/call_arguments.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CALL_ARGUMENTS_H
#define REC_CALL_ARGUMENTS_H

#include "definition/definition.h"
#include "fmgr.h"
#include "funcapi.h"

/*
 * Positions of arguments that several functions have; 0 for one that a function
 * does not have.
 */
typedef struct RecArgumentPlaces
{
	int			user;
	int			filter;
	int			exclude;
	int			context;
	int			options;
} RecArgumentPlaces;

/* A set-returning function's result. */
typedef struct RecRows
{
	Tuplestorestate *store;
	TupleDesc	desc;
} RecRows;

extern RecDefinition *rec_call_arguments_definition(FunctionCallInfo fcinfo);
extern void rec_call_arguments_type(FunctionCallInfo fcinfo, int n, Oid expected,
									const char *argument);
extern ArrayType *rec_call_arguments_items(FunctionCallInfo fcinfo, int n,
										   const RecDefinition *definition, const char *argument);
extern int64 rec_call_arguments_k(FunctionCallInfo fcinfo, int n);
extern Jsonb *rec_call_arguments_filter(FunctionCallInfo fcinfo, int n);
extern Jsonb *rec_call_arguments_jsonb(FunctionCallInfo fcinfo, int n);
extern RecRows rec_call_arguments_begin_rows(FunctionCallInfo fcinfo, const Oid *types, int ncolumns);

#endif							/* REC_CALL_ARGUMENTS_H */
