/*-------------------------------------------------------------------------
 *
 * content_tables.h
 *	  The items of a generation, and the tables of their content.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/content_tables.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CONTENT_TABLES_H
#define REC_CONTENT_TABLES_H

#include "content/content.h"
#include "definition/definition.h"
#include "interaction/matrix.h"

/* The items of a generation. */
typedef struct RecModelItems
{
	uint32		n;
	uint32	   *number;			/* of the dictionary's, of each */
	uint32	   *by_id;			/* all of them in the order of their ids */
	RecContent *content;		/* NULL without a relation of items */
	uint32		nmatched;		/* items of the matrix that the relation has */
} RecModelItems;

extern RecModelItems *rec_content_tables_model_items(const RecDefinition *definition, const RecMatrix *matrix,
													 RecDict *items, uint32 *item_rank, MemoryContext mcxt);
extern void rec_content_tables_write(const RecDefinition *definition, const RecModelItems *model,
									 RecDict *items, int64 generation);

#endif							/* REC_CONTENT_TABLES_H */
