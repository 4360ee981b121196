/*-------------------------------------------------------------------------
 *
 * memory_catalog.h
 *	  A catalog of items that is entirely in memory.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/memory_catalog.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_MEMORY_CATALOG_H
#define REC_MEMORY_CATALOG_H

#include "interaction/dictionary.h"
#include "rank/selection.h"

/* Items by number; the ref of each is its number. */
typedef struct RecMemoryCatalog
{
	uint32		nitems;
	Datum	   *ids;			/* in the order of the numbers */
	double	   *popularity;
	double	   *trend;			/* NULL for zero */
	uint32	   *by_popularity;	/* numbers in falling order; made when needed */
	uint32	   *by_trend;
	uint32	   *item;			/* the caller's own numbers, or NULL */
	bool	   *barred;			/* not eligible for the user at hand */
	uint32	   *listed;			/* rising numbers of those that are eligible
								 * for anybody; NULL for all */
	uint32		nlisted;
} RecMemoryCatalog;

extern void rec_memory_catalog_keep(RecMemoryCatalog *memory, RecDict *eligible);
extern RecCatalog rec_memory_catalog(RecMemoryCatalog *memory);

#endif							/* REC_MEMORY_CATALOG_H */
