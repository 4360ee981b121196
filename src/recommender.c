/*-------------------------------------------------------------------------
 *
 * recommender.c
 *	  The extension's module.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/recommender.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>

#include "fmgr.h"

#if PG_VERSION_NUM < 150000
#error "recommender needs PostgreSQL 15 or later"
#endif

/* An explanation adds up to its score in doubles only, not in something wider. */
#if FLT_EVAL_METHOD < 0 || FLT_EVAL_METHOD > 1
#error "recommender needs arithmetic in double precision, as with -msse2 -mfpmath=sse"
#endif

PG_MODULE_MAGIC;
