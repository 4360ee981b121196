/*-------------------------------------------------------------------------
 *
 * als.h
 *	  Training factors of users and items by alternating least squares.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/factor/als.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ALS_H
#define REC_ALS_H

#include "factor/als_step.h"
#include "options/options.h"
#include "pg/step.h"

extern RecFactors *rec_als_train(const RecMatrix *matrix, const RecOptions *options,
								 bool parallel, RecStep step, void *arg);

#endif							/* REC_ALS_H */
