/*-------------------------------------------------------------------------
 *
 * content_matrix.h
 *	  What items are: features of items, as sparse TF-IDF vectors.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/content_matrix.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CONTENT_MATRIX_H
#define REC_CONTENT_MATRIX_H

#include "content/embedding.h"
#include "definition/item_source.h"

/* A column that describes items, and what was learnt of its values. */
typedef struct RecContentColumn
{
	char	   *name;
	RecItemColumnKind kind;
	double		weight;
	char	   *config;			/* of text search; NULL where there is no text */
	int			buckets;		/* of numbers: by quantiles */
	int			nbounds;		/* between the buckets; given, or learnt */
	double	   *bounds;			/* rising */
	int			dimensions;		/* of embeddings; 0 while none was seen */
	int			offset;			/* of their block in the dense vectors */
	int64		filled;			/* items that the column says something of */
	uint32		nfeatures;
	uint32		nfrequent;		/* features of more than max_items items */
} RecContentColumn;

/*
 * Vectors of items.  A feature is a value of a column.  Each item's vector has
 * length 1, or 0 when nothing is said of it; it is sparse, but for embeddings.
 */
typedef struct RecContent
{
	MemoryContext context;		/* owns all below */
	int			ncolumns;
	RecContentColumn *columns;
	int			max_items;		/* features of more items are frequent */
	int			exact_items;	/* embeddings of up to so many: all pairs */
	uint32		nitems;
	uint32		ndescribed;		/* items that there is a row of */
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

#define REC_LONGEST_VALUE	255 /* bytes of a feature's value */

extern RecContentBuilder *rec_content_builder_create(MemoryContext context,
													 RecContentColumn *columns, int ncolumns,
													 int max_items);
extern void rec_content_builder_add_item(RecContentBuilder *builder, uint32 item);
extern bool rec_content_builder_has_item(const RecContentBuilder *builder, uint32 item);
extern void rec_content_builder_add(RecContentBuilder *builder, uint32 item, int column,
									const char *value, int length, uint32 count);
extern void rec_content_builder_add_number(RecContentBuilder *builder, uint32 item, int column,
										   double number);
extern bool rec_content_builder_add_embedding(RecContentBuilder *builder, uint32 item, int column,
											  const float4 *embedding, int dimensions);
extern int	rec_content_builder_shorten(const char **value, int length, char *room);

extern RecContent *rec_content_matrix_finish(RecContentBuilder *builder, const uint32 *number,
											 uint32 nitems);
extern RecContent *rec_content_matrix_renumber(const RecContent *content, const uint32 *number,
											   uint32 nitems, MemoryContext budget);

#endif							/* REC_CONTENT_MATRIX_H */
