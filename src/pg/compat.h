/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  What versions of PostgreSQL have in different places, for several files.
 *
 * What only one file needs is at its top, and is called ..._compat, too.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/compat.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_COMPAT_H
#define REC_COMPAT_H

/* VARDATA_ANY() and its like, which were in postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* before a declaration; the older one may stand there, too */
#if PG_VERSION_NUM >= 180000
#define pg_noreturn_compat	pg_noreturn
#else
#define pg_noreturn_compat	pg_attribute_noreturn()
#endif

#endif							/* REC_COMPAT_H */
