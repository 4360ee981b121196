/*-------------------------------------------------------------------------
 *
 * similarity_state.h
 *	  The state of computing the best neighbours of one item.
 *
 * Private to the files that compute a row: similarity_row.c, _count.c and
 * _sweep.c.  Other files pass the state on without looking into it.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity_state.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SIMILARITY_STATE_H
#define REC_SIMILARITY_STATE_H

#include "interaction/matrix.h"
#include "similarity/measure.h"

#define REC_BLOCK_SIZE		64	/* counters to a block: bits of a mask */
#define REC_SEGMENT_BLOCKS	32	/* blocks whose survivors are scored together */
#define REC_SEGMENT_SIZE	(REC_SEGMENT_BLOCKS * REC_BLOCK_SIZE)

typedef struct RecSimilarity
{
	const RecMatrix *matrix;
	const RecOptions *options;
	const RecMeasure *measure;
	MemoryContext mcxt;

	/* of each item, user or block, made once */
	double	   *users;			/* of an item */
	double	   *row_norm;		/* as the row's item */
	double	   *other_norm;	/* as one of the others */
	double	   *block_norm;	/* least other_norm of a block; NULL when
								 * counts say it all */
	double	   *user_scale;	/* 1 / n_u ^ user_exponent, or NULL for 1 */

	/* the row at hand */
	uint32		row;
	RecRowView	view;
	int64		work;			/* additions: the items of all its users */
	bool		dense;			/* so many that blocks are not marked */
	void	   *count;			/* users of both; all zero between rows */
	double	   *dot;			/* sums of products; NULL when counts say it
								 * all */
	double		dot_slope;		/* what d must reach: slope * norm + offset */
	double		dot_offset;
	uint32		nblocks;
	uint8	   *touched;		/* per block: has counters to look at */
	uint32	   *dirty;			/* the numbers of those blocks, rising */
	uint32		ndirty;
	bool		crowded;		/* products, and many to a block */
	uint32	   *candidate;		/* items that may be good enough */
	RecTopk		topk;
} RecSimilarity;

/* Return the last, least popular item of a block. */
static inline uint32
rec_similarity_state_last_of_block(const RecSimilarity *state, uint32 block)
{
	return Min((block + 1) * REC_BLOCK_SIZE, state->matrix->nitems) - 1;
}

#endif							/* REC_SIMILARITY_STATE_H */
