/*-------------------------------------------------------------------------
 *
 * item_source.h
 *	  The relation of a recommender's items: which column is what.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/item_source.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ITEM_SOURCE_H
#define REC_ITEM_SOURCE_H

#include "utils/array.h"

/* What the values of a column are to content. */
typedef enum RecItemColumnKind
{
	REC_ITEM_CATEGORY,			/* one feature: the value as text */
	REC_ITEM_NUMBER,			/* one feature: the bucket it falls into */
	REC_ITEM_DATE,				/* the same, of seconds since 1970 */
	REC_ITEM_ARRAY,				/* a feature for each element */
	REC_ITEM_JSON,				/* a feature for each key=value */
	REC_ITEM_TEXT,				/* a feature for each lexeme */
	REC_ITEM_LEXEMES,			/* the same, of a tsvector */
	REC_ITEM_EMBEDDING			/* a dense vector */
} RecItemColumnKind;

/* A column that describes items. */
typedef struct RecItemColumn
{
	char	   *name;
	bool		text;			/* one of text_columns */
	bool		categorical;	/* numbers are categories */
	double		weight;
	int			buckets;		/* of numbers, by quantiles ... */
	int			nbounds;
	double	   *bounds;			/* ... unless they are given */
} RecItemColumn;

/* A relation of items, as set_items() wrote it down.  Columns are names. */
typedef struct RecItemSource
{
	Oid			relid;
	char	   *item_column;
	int			ncolumns;
	RecItemColumn *columns;		/* feature_columns, then text_columns */
	char	   *available_column;	/* NULL for none, and so on */
	char	   *created_column;
	char	   *group_column;
	char	   *config;			/* of text search, qualified */
	int			feature_max_items;	/* features of more items find none */
	int			embedding_exact_items;	/* catalogues up to this: all pairs */
} RecItemSource;

extern const char *rec_item_source_kind_name(RecItemColumnKind kind);
extern bool rec_item_source_kind_by_name(const char *name, RecItemColumnKind *kind);
extern void rec_item_source_set_columns(RecItemSource *items, ArrayType *features,
										ArrayType *texts);
extern void rec_item_source_check_available(const RecItemSource *items);
extern Oid	rec_item_source_created_type(const RecItemSource *items);
extern void rec_item_source_check_columns(const RecItemSource *items, Oid item_type);
extern void rec_item_source_check(RecItemSource *items, Oid item_type);
extern RecItemColumnKind rec_item_source_column_kind(const RecItemSource *items,
													 const RecItemColumn *column);
extern char *rec_item_source_missing_index(const RecItemSource *items);
extern char *rec_item_source_missing_created_index(const RecItemSource *items);

#endif							/* REC_ITEM_SOURCE_H */
