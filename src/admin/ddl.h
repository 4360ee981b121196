/*-------------------------------------------------------------------------
 *
 * ddl.h
 *	  The objects that a recommender consists of.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/ddl.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_DDL_H
#define REC_DDL_H

#include "pg/relation.h"

extern void rec_ddl_create(const char *name, const RecColumn *user, const RecColumn *item);
extern void rec_ddl_create_events(const char *name, const char *event_rows);
extern void rec_ddl_drop(const char *name, bool cascade);

#endif							/* REC_DDL_H */
