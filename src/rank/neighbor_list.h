/*-------------------------------------------------------------------------
 *
 * neighbor_list.h
 *	  Lists of neighbours, and the kinds of likeness.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/neighbor_list.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_NEIGHBOR_LIST_H
#define REC_NEIGHBOR_LIST_H

/* The neighbours of one item. */
typedef struct RecNeighborList
{
	int			n;
	const int32 *items;
	const float4 *values;
	int32		item;			/* number of the item that has them, or: */
} RecNeighborList;

#define REC_ITEM_UNNUMBERED		(-1)	/* not known */
#define REC_ITEM_UNKNOWN		(-2)	/* the model does not know the item */

/* Kinds of neighbours, each of a similarity of its own. */
typedef enum RecLikeness
{
	REC_LIKE_BEHAVIOUR,
	REC_LIKE_CONTENT,
	REC_NLIKENESSES
} RecLikeness;

#endif							/* REC_NEIGHBOR_LIST_H */
