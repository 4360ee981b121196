/*-------------------------------------------------------------------------
 *
 * als_parallel.h
 *	  Training factors of users and items in many processes.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/factor/als_parallel.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ALS_PARALLEL_H
#define REC_ALS_PARALLEL_H

#include "factor/als_step.h"
#include "pg/step.h"

extern bool rec_als_parallel(RecAls *als, float4 *items, double *gram,
							 RecStep step, void *arg);

#endif							/* REC_ALS_PARALLEL_H */
