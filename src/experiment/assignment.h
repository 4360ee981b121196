/*-------------------------------------------------------------------------
 *
 * assignment.h
 *	  Numbers from hashes of ids, and the variants they fall to.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/assignment.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ASSIGNMENT_H
#define REC_ASSIGNMENT_H

#include "fmgr.h"

/* How much the weights of variants may differ from 1 in sum. */
#define REC_WEIGHT_SLACK	1e-6

extern double rec_assignment_bucket(const char *salt, const char *id, const char *draw);
extern char *rec_assignment_id_text(FunctionCallInfo fcinfo, int n);
extern int	rec_assignment_pick(const double *weight, int count, double traffic, double bucket);
extern void rec_assignment_check_weights(const double *weight, int count, const char *name);

#endif							/* REC_ASSIGNMENT_H */
