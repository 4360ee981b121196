/*-------------------------------------------------------------------------
 *
 * bucket.h
 *	  Buckets of numbers and times.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/bucket.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_BUCKET_H
#define REC_BUCKET_H

#include "content/content.h"

extern void rec_bucket_learn(RecContentColumn *column, double *number, int64 n,
							 MemoryContext mcxt);
extern char *rec_bucket_name(const RecContentColumn *column, double number);

#endif							/* REC_BUCKET_H */
