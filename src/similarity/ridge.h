/*-------------------------------------------------------------------------
 *
 * ridge.h
 *	  Item weights by ridge regression.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/ridge.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_RIDGE_H
#define REC_RIDGE_H

#include "similarity/similarity.h"

extern void rec_ridge_rows(const RecMatrix *matrix, const RecOptions *options,
						   RecRowSink sink, void *arg);

#endif							/* REC_RIDGE_H */
