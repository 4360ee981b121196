/*-------------------------------------------------------------------------
 *
 * objects.h
 *	  The objects that a recommender consists of.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/objects.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_OBJECTS_H
#define REC_OBJECTS_H

#include "sqlutil.h"

extern void rec_objects_create(const char *name, const RecColumn *user, const RecColumn *item);
extern void rec_objects_drop(const char *name);

#endif							/* REC_OBJECTS_H */
