/*-------------------------------------------------------------------------
 *
 * item_titles.h
 *	  What the relation of items calls an item.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/item_titles.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ITEM_TITLES_H
#define REC_ITEM_TITLES_H

#include "definition/definition.h"

/* Titles that have been read, once each. */
typedef struct RecItemTitles
{
	MemoryContext mcxt;			/* of all of them */
	RecDefinition *definition;
	RecDict    *ids;			/* NULL until needed */
	char	  **titles;			/* by number in it */
	uint32		allocated;
} RecItemTitles;

extern void rec_item_titles_init(RecItemTitles *titles, MemoryContext mcxt,
								 RecDefinition *definition);
extern char *rec_item_titles_get(RecItemTitles *titles, Datum id);

#endif							/* REC_ITEM_TITLES_H */
