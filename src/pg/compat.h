/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Differences between versions of PostgreSQL that several files need.
 *
 * A difference that only one file needs is at the top of that file and is
 * called ..._compat, too.
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

/* VARDATA_ANY() and related macros, which were in postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* before a declaration, where both forms may stand */
#if PG_VERSION_NUM >= 180000
#define pg_noreturn_compat	pg_noreturn
#else
#define pg_noreturn_compat	pg_attribute_noreturn()
#endif

#endif							/* REC_COMPAT_H */
