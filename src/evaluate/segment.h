/*-------------------------------------------------------------------------
 *
 * segment.h
 *	  Segments of users and of items, each evaluated by itself.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/segment.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SEGMENT_H
#define REC_SEGMENT_H

#include "batch/batch.h"

/* Segments that are always there; others have the following numbers. */
typedef enum RecSegment
{
	REC_ALL,
	REC_ITEMS_HEAD,				/* the most popular fifth of the catalogue */
	REC_ITEMS_TAIL,				/* the other items of it */
	REC_ITEMS_NEW,				/* not in the training data */
	REC_USERS_NEW,				/* without history */
	REC_USERS_LIGHT,			/* 1 to 9 items in it */
	REC_USERS_HEAVY,			/* 10 or more */
	REC_NSEGMENTS
} RecSegment;

/*
 * The segment of each item, user or value of a column, by its number; -1 for
 * none.
 */
typedef struct RecSegmentation
{
	int		   *segment;
	int			column;			/* of the situations, or -1 */
} RecSegmentation;

typedef struct RecSegments
{
	MemoryContext mcxt;			/* owns all of it */
	int			count;
	char	  **names;
	RecSegmentation **segmentation; /* of each segment of items, else NULL */
	int			nitem_segmentations;
	RecSegmentation **item_segmentations;	/* the first: head, tail, new */
	int			nuser_segmentations;
	RecSegmentation **user_segmentations;	/* by the user, or by the
											 * situation of the user's first
											 * interaction in the test set */
} RecSegments;

extern RecSegments *rec_segment_create(MemoryContext mcxt);
extern void rec_segment_of_model(RecSegments *segments, const RecBatch *batch);
extern void rec_segment_add_query(RecSegments *segments, RecBatch *batch, const char *query);
extern void rec_segment_add_column(RecSegments *segments, RecBatch *batch,
								   const RecDefinition *definition, const char *column);
extern bool rec_segment_of_interactions(const RecDefinition *definition, const char *column);
extern void rec_segment_check_column(const RecDefinition *definition, const char *column);
extern RecDefinition *rec_segment_definition(const RecDefinition *definition,
											 char *const *columns, int ncolumns);
extern RecSegment rec_segment_of_history(int nitems);

#endif							/* REC_SEGMENT_H */
