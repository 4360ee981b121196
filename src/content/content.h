/*-------------------------------------------------------------------------
 *
 * content.h
 *	  The content of items: features and vectors.
 *
 * Types only.  content_builder.h fills a builder; content_matrix.h computes the
 * vectors.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/content.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CONTENT_H
#define REC_CONTENT_H

#include "content/embedding.h"
#include "definition/item_source.h"

/* A column that describes items, and what was learnt from its values. */
typedef struct RecContentColumn
{
	char	   *name;
	RecItemColumnKind kind;
	double		weight;
	char	   *config;			/* of text search; NULL where there is no text */
	int			buckets;		/* of numbers: by quantiles */
	int			nbounds;		/* between the buckets; given, or learnt */
	double	   *bounds;			/* rising */
	int			dimensions;		/* of embeddings; 0 until the first one */
	int			offset;			/* of their block in the dense vectors */
	int64		filled;			/* items with a value in the column */
	uint32		nfeatures;
	uint32		nfrequent;		/* features of more than max_items items */
} RecContentColumn;

/*
 * Vectors of items. A feature is a value of a column. Each item's vector has
 * length 1, or length 0 if the item has no features. Vectors are sparse
 * except for embeddings.
 */
typedef struct RecContent
{
	MemoryContext mcxt;			/* owns all below */
	int			ncolumns;
	RecContentColumn *columns;
	int			max_items;		/* features of more items are frequent */
	int			exact_items;	/* up to so many items, all pairs of
								 * embeddings are compared */
	uint32		nitems;
	uint32		ndescribed;		/* items with a row */
	uint32		nfeatures;
	char	  **value;			/* of a feature */
	uint16	   *column;			/* of a feature */
	double	   *idf;			/* of a feature */
	int64	   *item_start;		/* nitems + 1 offsets into item_feature */
	uint32	   *item_feature;	/* features of an item, rising */
	float4	   *item_weight;
	int64	   *feature_start;	/* nfeatures + 1 offsets into feature_item */
	uint32	   *feature_item;	/* items of a feature, rising */
	float4	   *feature_weight;
	int			dimensions;		/* of all embeddings together */
	float4	   *dense;			/* of each item; NULL when there are none */
	RecCells   *cells;			/* of those; NULL until they are needed */
} RecContent;

typedef struct RecContentBuilder RecContentBuilder;

#endif							/* REC_CONTENT_H */
