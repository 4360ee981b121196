/*-------------------------------------------------------------------------
 *
 * check_plans.h
 *	  What check_recommender() finds about the plans of queries that serve.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/check_plans.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CHECK_PLANS_H
#define REC_CHECK_PLANS_H

#include "admin/findings.h"

extern void rec_check_plans_source(RecFindings *findings, const RecSource *source);
extern void rec_check_plans_items(RecFindings *findings, const RecItemSource *items);

#endif							/* REC_CHECK_PLANS_H */
