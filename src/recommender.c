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

#include "fmgr.h"

#if PG_VERSION_NUM < 150000
#error "recommender needs PostgreSQL 15 or later"
#endif

PG_MODULE_MAGIC;
