/*-------------------------------------------------------------------------
 *
 * content_builder_state.h
 *	  The state of gathering the features of items.
 *
 * Private to content_builder.c and content_matrix.c.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/content_builder_state.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CONTENT_BUILDER_STATE_H
#define REC_CONTENT_BUILDER_STATE_H

#include "content/content.h"

/* A value of a column. */
typedef struct RecFeatureKey
{
	const char *value;
	uint32		length;
	uint32		column;
} RecFeatureKey;

/* An item has a feature, so many times. */
typedef struct RecOccurrence
{
	uint32		item;
	uint32		feature;
	uint32		count;
} RecOccurrence;

/* A number of an item. */
typedef struct RecItemNumber
{
	double		number;
	uint32		item;
	int			column;
} RecItemNumber;

/* The embeddings of a column, in order of arrival. */
typedef struct RecEmbeddings
{
	uint32	   *item;
	float4	   *values;
	int64		n;
	int64		items_allocated;
	int64		values_allocated;
} RecEmbeddings;

struct RecContentBuilder
{
	MemoryContext budget;		/* the memory context in which memory is
								 * accounted for */
	MemoryContext working;		/* owns what follows */
	RecContentColumn *columns;
	int			ncolumns;
	int			max_items;
	struct feature_table_hash *table;
	RecFeatureKey *features;	/* in order of arrival */
	int64		nfeatures;
	int64		features_allocated;
	char	   *arena;			/* for values */
	Size		arena_left;
	RecOccurrence *occurrences;
	int64		noccurrences;
	int64		occurrences_allocated;
	RecItemNumber *numbers;
	int64		nnumbers;
	int64		numbers_allocated;
	RecEmbeddings *embeddings;	/* of each column */
	bool	   *described;		/* for each item, whether it has a row */
	int64		described_allocated;
	uint32		ndescribed;
};

#endif							/* REC_CONTENT_BUILDER_STATE_H */
