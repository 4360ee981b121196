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
#include "serve/served_model.h"

#define REC_UNKNOWN_FEATURE		((uint32) 1 << 31)	/* from here on, by hash */

/* The name of a feature that is not in the dictionary. */
typedef struct RecFeatureName
{
	uint32		number;
	int			column;
	const char *value;
} RecFeatureName;

/* The columns as the last refresh learnt them, and how to read rows by them. */
typedef struct RecVectorMaker
{
	const RecServedModel *model;
	int			ncolumns;
	RecContentColumn *columns;	/* as of the last refresh */
	double		all_items;
	int			dimensions;		/* of all embeddings together */
	int			nusable;		/* columns that are still there */
	RecContentColumn *usable;
	int		   *usable_column;	/* their places in columns */
	char	   *query;			/* for the rows of ids */
	bool		naming;			/* names of features are to be kept */
	RecFeatureName *names;			/* of features that are not in the dictionary */
	int			nnames;
	int			names_allocated;
} RecVectorMaker;

extern RecVectorMaker *rec_new_item_vectors_create(MemoryContext mcxt,
												   const RecServedModel *model);
extern void rec_new_item_vectors_read(RecVectorMaker *maker, const Datum *ids, int n, RecVector *vectors,
						  bool *found);
extern void rec_new_item_vectors_stored(RecVectorMaker *maker, const Datum *ids, int n, RecVector *vectors);
extern RecVector rec_new_item_vectors_unpack(const RecVectorMaker *maker, Datum numbers, Datum weights,
								 Datum embedding);
extern void rec_new_item_vectors_damaged(const RecVectorMaker *maker);
extern double rec_new_item_vectors_product(const RecVectorMaker *maker, const RecVector *a, const RecVector *b);

#endif							/* REC_NEW_ITEM_VECTORS_H */
