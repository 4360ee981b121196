/*-------------------------------------------------------------------------
 *
 * matrix.h
 *	  The sparse matrix of users and items.
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

/*
 * A sparse matrix, readable by user and by item.  Items are numbered by
 * falling number of users, ties by rising id: the number of an item is its
 * place in the order that decides between equal scores.
 */
typedef struct RecMatrix
{
	uint32		nusers;			/* users with at least one pair */
	uint32		nitems;			/* items with at least one pair */
	int64		npairs;
	uint32		ncut;			/* users with more items than max_history */
	int64	   *user_start;		/* nusers + 1 offsets into user_item */
	uint32	   *user_item;		/* items of a user, rising */
	double	   *user_weight;	/* likewise; NULL when every weight is 1 */
	int64	   *item_start;		/* nitems + 1 offsets into item_user */
	uint32	   *item_user;		/* users of an item, rising */
	double	   *item_weight;	/* likewise; also NULL for a model that does
								 * not read them: similarities */
	double	   *item_sum;		/* sum of an item's weights before weighting */
	uint32	   *item_id;		/* item -> number in the dictionary */
	struct RecMovedParts *moved;	/* see matrix_shm.c; usually NULL */
} RecMatrix;

#endif							/* REC_MATRIX_H */
