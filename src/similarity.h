/*-------------------------------------------------------------------------
 *
 * similarity.h
 *	  How alike items are: measures, and the best neighbours of each item.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SIMILARITY_H
#define REC_SIMILARITY_H

#include "matrix.h"

typedef enum RecCentring
{
	REC_CENTRE_NONE,
	REC_CENTRE_ITEM,			/* ratings less the item's mean */
	REC_CENTRE_USER				/* ratings less the user's mean */
} RecCentring;

typedef struct RecSimilarity RecSimilarity;

/* One row of the registry of measures. */
typedef struct RecMeasure
{
	const char *name;
	bool		counts_only;	/* needs who had both, not the weights */
	RecCentring centring;
	void		(*sweep) (RecSimilarity *state);
} RecMeasure;

/* A neighbour of an item. */
typedef struct RecNeighbor
{
	double		similarity;		/* above zero */
	uint32		item;
	uint32		support;		/* users of both */
} RecNeighbor;

/* Takes the neighbours of one item, best first; items come in order. */
typedef void (*RecRowSink) (void *arg, uint32 item, const RecNeighbor *row, int n);

extern const RecMeasure rec_measures[];

extern const char *rec_measure_name(int measure);
extern void rec_similarity_rows(const RecMatrix *matrix, const RecOptions *options,
								RecRowSink sink, void *arg);

#endif							/* REC_SIMILARITY_H */
