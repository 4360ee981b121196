/*-------------------------------------------------------------------------
 *
 * newest_item.h
 *	  Which items came after a refresh.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/model/newest_item.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_NEWEST_ITEM_H
#define REC_NEWEST_ITEM_H

#include "definition/definition.h"

#define REC_NEWEST_TIES		256 /* items created at the same time that the
								 * model knows and a call looks at again */

extern TimestampTz rec_newest_item_latest(const RecItemSource *items);
extern char *rec_newest_item_condition(const RecItemSource *items, const char *since,
									   const char *until, const char *beyond);
extern char *rec_newest_item_and_available(const RecItemSource *items);
extern int64 rec_newest_item_created(const RecDefinition *definition);
extern int64 rec_newest_item(const RecDefinition *definition);
extern void rec_newest_item_count(const RecDefinition *definition, int64 *unknown,
							 int64 *found);

#endif							/* REC_NEWEST_ITEM_H */
