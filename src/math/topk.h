/*-------------------------------------------------------------------------
 *
 * topk.h
 *	  The best k of many neighbours.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/topk.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_TOPK_H
#define REC_TOPK_H

/* A neighbour of an item. */
typedef struct RecNeighbor
{
	double		similarity;		/* above zero */
	uint32		item;
	uint32		support;		/* number of users of both items */
} RecNeighbor;

/* Take the neighbours of one item, best first; items come in order. */
typedef void (*RecRowSink) (void *arg, uint32 item, const RecNeighbor *row, int n);

/*
 * A buffer of neighbours that holds the best k of all that were added, and
 * some more.  The caller makes room first, then writes to best[n++] the
 * neighbours that are not below the limit, in rising order of items.
 */
typedef struct RecTopk
{
	int			k;
	int			n;
	int			allocated;
	double		limit;			/* a lower similarity is not needed */
	RecNeighbor *best;
	RecNeighbor *spare;			/* for sorting */
	uint64	   *key;			/* for selecting: three times as many */
} RecTopk;

/* The least similarity: the least that rounds to more than zero. */
#define REC_LEAST_SIMILARITY	rec_topk_limit_above(0)

/*
 * Return the least double that rounds to more than a similarity does, when
 * both are rounded to 40 significant bits, half up.  A value that is equal in
 * exact arithmetic is not above, whatever the last bits of a square root.
 */
static inline double
rec_topk_limit_above(double similarity)
{
	union
	{
		double		value;
		uint64		bits;
	}			u;

	/* rounding cuts the last 13 of 53 bits, of which the first is a half */
	u.value = similarity;
	u.bits = ((u.bits + (UINT64CONST(1) << 12)) & ~((UINT64CONST(1) << 13) - 1)) +
		(UINT64CONST(1) << 12);
	return u.value;
}

extern void rec_topk_init(RecTopk *topk, MemoryContext mcxt, int k, int room);
extern void rec_topk_make_room(RecTopk *topk, int room);
extern double rec_topk_value(RecTopk *topk, int rank);
extern void rec_topk_finish(RecTopk *topk);
extern void rec_topk_sort(RecNeighbor *row, RecNeighbor *spare, int n);

#endif							/* REC_TOPK_H */
