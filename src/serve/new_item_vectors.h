/*-------------------------------------------------------------------------
 *
 * new_item_vectors.h
 *	  Vectors of items that the model does not know, as they are now.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/new_item_vectors.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_NEW_ITEM_VECTORS_H
#define REC_NEW_ITEM_VECTORS_H

#include "content/content.h"
#include "content/item_vector.h"
#include "serve/call.h"

#define REC_UNKNOWN_FEATURE		((uint32) 1 << 31)	/* from here on, by hash */

/* What a feature is called that the dictionary does not have. */
typedef struct RecLiveName
{
	uint32		number;
	int			column;
	const char *value;
} RecLiveName;

/* What was learnt of the columns, and what a call reads rows by. */
typedef struct RecLive
{
	RecServe   *serve;
	int			ncolumns;
	RecContentColumn *columns;	/* as of the last refresh */
	double		all_items;
	int			dimensions;		/* of all embeddings together */
	int			nusable;		/* columns that are still there */
	RecContentColumn *usable;
	int		   *usable_column;	/* their places in columns */
	char	   *query;			/* for the rows of ids */
	bool		naming;			/* the names of what is read are wanted */
	RecLiveName *names;			/* of features that the dictionary lacks */
	int			nnames;
	int			names_allocated;
} RecLive;

extern RecLive *rec_new_item_vectors_create(RecServe *serve);
extern void rec_new_item_vectors_read(RecLive *live, const Datum *ids, int n, RecVector *vectors,
						  bool *found);
extern void rec_new_item_vectors_stored(RecLive *live, const Datum *ids, int n, RecVector *vectors);
extern RecVector rec_new_item_vectors_vector(const RecLive *live, Datum numbers, Datum weights,
								 Datum embedding);
extern void rec_new_item_vectors_damaged(const RecLive *live);
extern double rec_new_item_vectors_product(const RecLive *live, const RecVector *a, const RecVector *b);

/* in live_neighbors.c */
extern void rec_new_item_neighbors_neighbors(RecLive *live, const RecVector *vector, RecNeighborList *list);

#endif							/* REC_NEW_ITEM_VECTORS_H */
