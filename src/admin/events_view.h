/*-------------------------------------------------------------------------
 *
 * events_view.h
 *	  The view of the rows of all sources of a recommender.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/events_view.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_EVENTS_VIEW_H
#define REC_EVENTS_VIEW_H

#include "definition/definition.h"

extern RecDefinition *rec_events_view_renew(RecDefinition *definition);

#endif							/* REC_EVENTS_VIEW_H */
