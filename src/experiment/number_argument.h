/*-------------------------------------------------------------------------
 *
 * number_argument.h
 *	  Numbers that are arguments of SQL functions, checked.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/number_argument.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_NUMBER_ARGUMENT_H
#define REC_NUMBER_ARGUMENT_H

#include "fmgr.h"
#include "utils/array.h"

extern bool rec_number_argument_any_null(FunctionCallInfo fcinfo, int first, int last);
extern void rec_number_argument_check(double value, double low, double high, const char *name);
extern void rec_number_argument_check_open(double value, double low, double high, const char *name);
extern double rec_number_argument_finite(FunctionCallInfo fcinfo, int n, const char *name);
extern double rec_number_argument_least(FunctionCallInfo fcinfo, int n, double least, const char *name);
extern double rec_number_argument_count(FunctionCallInfo fcinfo, int n, int64 least, const char *name);
extern double *rec_number_argument_array(FunctionCallInfo fcinfo, int n, const char *name, int *count);
extern ArrayType *rec_number_argument_new_array(const double *value, int count);

#endif							/* REC_NUMBER_ARGUMENT_H */
