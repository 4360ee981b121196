/*-------------------------------------------------------------------------
 *
 * matrix_share.c
 *	  A matrix in memory that parallel workers see, too.
 *
 * The leader announces the matrix, then copies its arrays to the parallel
 * context's segment; a worker makes a matrix of the arrays where it finds
 * them.  What numbers stand for, and sums of items, stay with the leader.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/matrix_share.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "matrix_share.h"

/* What is in the segment, by key; a matrix without weights has no such. */
enum
{
	KEY_MATRIX = REC_MATRIX_FIRST_KEY,
	KEY_USER_START,
	KEY_USER_ITEM,
	KEY_USER_WEIGHT,
	KEY_ITEM_START,
	KEY_ITEM_USER,
	KEY_ITEM_WEIGHT,
	KEY_END
};

/* The parts of a matrix by key; of those that there are not, NULL. */
static const void *
matrix_part(const RecMatrix *matrix, int key, Size *size)
{
	Size		npairs = matrix->npairs;

	switch (key)
	{
		case KEY_MATRIX:
			*size = sizeof(RecMatrix);	/* its pointers are not valid */
			return matrix;
		case KEY_USER_START:
			*size = mul_size((Size) matrix->nusers + 1, sizeof(int64));
			return matrix->user_start;
		case KEY_ITEM_START:
			*size = mul_size((Size) matrix->nitems + 1, sizeof(int64));
			return matrix->item_start;
		case KEY_USER_ITEM:
			*size = mul_size(npairs, sizeof(uint32));
			return matrix->user_item;
		case KEY_ITEM_USER:
			*size = mul_size(npairs, sizeof(uint32));
			return matrix->item_user;
		case KEY_USER_WEIGHT:
			*size = mul_size(npairs, sizeof(double));
			return matrix->user_weight;
		case KEY_ITEM_WEIGHT:
			*size = mul_size(npairs, sizeof(double));
			return matrix->item_weight;
	}
	return NULL;
}

/*
 * Announces what is to be in the segment, if there is a context yet; gives the
 * bytes of it.
 */
Size
rec_matrix_share_estimate(ParallelContext *pcxt, const RecMatrix *matrix)
{
	Size		total = 0;

	for (int key = KEY_MATRIX; key < KEY_END; key++)
	{
		Size		size;

		if (matrix_part(matrix, key, &size) == NULL)
			continue;
		total = add_size(total, size);
		if (pcxt == NULL)
			continue;
		shm_toc_estimate_chunk(&pcxt->estimator, size);
		shm_toc_estimate_keys(&pcxt->estimator, 1);
	}
	return total;
}

/* Copies a matrix to the segment, which was announced. */
void
rec_matrix_share(ParallelContext *pcxt, const RecMatrix *matrix)
{
	for (int key = KEY_MATRIX; key < KEY_END; key++)
	{
		Size		size;
		const void *part = matrix_part(matrix, key, &size);
		void	   *copy;

		if (part == NULL)
			continue;
		copy = shm_toc_allocate(pcxt->toc, size);
		memcpy(copy, part, size);
		shm_toc_insert(pcxt->toc, key, copy);
	}
}

/* Makes a matrix of what is in the segment. */
void
rec_matrix_attach(RecMatrix *matrix, shm_toc *toc)
{
	*matrix = *(RecMatrix *) shm_toc_lookup(toc, KEY_MATRIX, false);
	matrix->user_start = shm_toc_lookup(toc, KEY_USER_START, false);
	matrix->user_item = shm_toc_lookup(toc, KEY_USER_ITEM, false);
	matrix->user_weight = shm_toc_lookup(toc, KEY_USER_WEIGHT, true);
	matrix->item_start = shm_toc_lookup(toc, KEY_ITEM_START, false);
	matrix->item_user = shm_toc_lookup(toc, KEY_ITEM_USER, false);
	matrix->item_weight = shm_toc_lookup(toc, KEY_ITEM_WEIGHT, true);
	matrix->item_sum = NULL;
	matrix->item_id = NULL;
}
