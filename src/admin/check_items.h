/*-------------------------------------------------------------------------
 *
 * check_items.h
 *	  What check_recommender() finds about the relation of items.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/check_items.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CHECK_ITEMS_H
#define REC_CHECK_ITEMS_H

#include "admin/findings.h"

extern void rec_check_items(RecFindings *findings, const RecItemSource *items, bool sources);

#endif							/* REC_CHECK_ITEMS_H */
