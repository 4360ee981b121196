/*-------------------------------------------------------------------------
 *
 * matrix.h
 *	  The sparse matrix that is made of a stream of interactions.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/matrix.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_MATRIX_H
#define REC_MATRIX_H

#include "interaction/stream.h"
#include "pg/prefetch.h"

/*
 * A sparse matrix, readable both ways.  Items are numbered by falling number
 * of users, ties by rising id: the number of an item is its place in the
 * order that decides between equal scores.
 */
typedef struct RecMatrix
{
	uint32		nusers;			/* users with at least one pair */
	uint32		nitems;			/* items with at least one pair */
	int64		npairs;
	int64	   *user_start;		/* nusers + 1 offsets into user_item */
	uint32	   *user_item;		/* items of a user, rising */
	double	   *user_weight;	/* likewise; NULL when every weight is 1 */
	int64	   *item_start;		/* nitems + 1 offsets into item_user */
	uint32	   *item_user;		/* users of an item, rising */
	double	   *item_weight;	/* likewise; NULL, too, for a model that does
								 * not read them: similarities */
	double	   *item_sum;		/* sum of an item's weights before weighting */
	uint32	   *item_id;		/* item -> number in the dictionary */
	struct RecMovedParts *moved;	/* see matrix_share.c; mostly NULL */
} RecMatrix;

/* What the stream's numbers stand for. */
typedef struct RecIds
{
	uint32		nusers;
	uint32		nitems;
	const uint32 *user_rank;	/* place of each user in a fixed order; NULL:
								 * any order will do */
	const uint32 *item_rank;	/* place of each item in the order of ids */
} RecIds;

extern bool rec_matrix_needs_user_ranks(const RecStream *stream,
										const RecOptions *options);
extern RecMatrix *rec_matrix_build(RecStream *stream, const RecIds *ids,
								   const RecOptions *options);

#endif							/* REC_MATRIX_H */
