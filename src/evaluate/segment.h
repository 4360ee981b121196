/*-------------------------------------------------------------------------
 *
 * segment.h
 *	  Of whom, and of what, a measurement tells apart.
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

/* Segments that there always are; others have the numbers that follow. */
typedef enum RecSegment
{
	REC_ALL,
	REC_ITEMS_HEAD,				/* the most popular fifth of the catalogue */
	REC_ITEMS_TAIL,				/* the rest of it */
	REC_ITEMS_NEW,				/* not in the training data */
	REC_USERS_NEW,				/* without history */
	REC_USERS_LIGHT,			/* 1 to 9 items in it */
	REC_USERS_HEAVY,			/* 10 and more */
	REC_NSEGMENTS
} RecSegment;

/*
 * A way to tell items, users or values of the context apart: the segment of
 * each, by its number, or -1 for none.
 */
typedef struct RecWay
{
	int		   *segment;
	int			column;			/* of the situations, or -1 */
} RecWay;

typedef struct RecSegments
{
	MemoryContext context;		/* owns all of it */
	int			count;
	char	  **names;
	RecWay	  **way;			/* of each segment of items, else NULL */
	int			nitem_ways;
	RecWay	  **item_ways;		/* the first: head, tail, new */
	int			nuser_ways;
	RecWay	  **user_ways;		/* by the user, or by the situation in which
								 * they first did something to be found */
} RecSegments;

extern RecSegments *rec_segment_create(MemoryContext context);
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
