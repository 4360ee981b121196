/*-------------------------------------------------------------------------
 *
 * matrix_shm.c
 *	  A matrix in shared memory, for parallel workers.
 *
 * The leader reserves room for the matrix, then copies its arrays to the
 * parallel context's segment; a worker makes a matrix whose arrays are in the
 * segment.  The ids of numbers, and sums of items, stay with the leader.
 *
 * A caller that does not need the matrix afterwards moves its large arrays to
 * segments of their own before, one after the other, and frees the originals:
 * then only the largest array is held twice at a time, not all of them.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/matrix_shm.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "interaction/matrix_shm.h"
#include "pg/memory_budget.h"
#include "storage/dsm.h"

/* Keys of the segment; a matrix without weights has none of these keys. */
enum
{
	KEY_MATRIX = REC_MATRIX_FIRST_KEY,
	KEY_USER_START,
	KEY_USER_ITEM,
	KEY_USER_WEIGHT,
	KEY_ITEM_START,
	KEY_ITEM_USER,
	KEY_ITEM_WEIGHT,
	KEY_END,
	KEY_HANDLES = KEY_END
};

/* Segments of the arrays that have moved, by key less KEY_MATRIX, or NULL. */
struct RecMovedParts
{
	dsm_segment *segment[KEY_END - KEY_MATRIX];
};

/* The handles by which a worker finds the arrays that have moved. */
typedef struct MovedHandles
{
	bool		moved[KEY_END - KEY_MATRIX];
	dsm_handle	handle[KEY_END - KEY_MATRIX];
} MovedHandles;

/*
 * Return the part of a matrix with a key, and its size; NULL when it does not
 * exist.
 */
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
 * Return the address of the pointer to an array that may move; NULL for other
 * keys.
 */
static void **
movable_part(RecMatrix *matrix, int key)
{
	switch (key)
	{
		case KEY_USER_ITEM:
			return (void **) &matrix->user_item;
		case KEY_USER_WEIGHT:
			return (void **) &matrix->user_weight;
		case KEY_ITEM_USER:
			return (void **) &matrix->item_user;
		case KEY_ITEM_WEIGHT:
			return (void **) &matrix->item_weight;
	}
	return NULL;
}

/* Return whether an array has a segment of its own. */
static bool
has_moved(const RecMatrix *matrix, int key)
{
	return matrix->moved && matrix->moved->segment[key - KEY_MATRIX];
}

/* Return the size of the largest array that rec_matrix_shm_move() would move. */
Size
rec_matrix_shm_move_size(const RecMatrix *matrix)
{
	RecMatrix	copy = *matrix;
	Size		largest = 0;

	for (int key = KEY_MATRIX; key < KEY_END; key++)
	{
		Size		size;

		if (movable_part(&copy, key) && matrix_part(matrix, key, &size))
			largest = Max(largest, size);
	}
	return largest;
}

/*
 * Move the large arrays to shared memory, which counts as held by "mcxt".  The
 * matrix can be read as before until rec_matrix_shm_drop_lists().
 */
void
rec_matrix_shm_move(RecMatrix *matrix, MemoryContext mcxt)
{
	matrix->moved = palloc0_object(struct RecMovedParts);
	for (int key = KEY_MATRIX; key < KEY_END; key++)
	{
		void	  **part = movable_part(matrix, key);
		dsm_segment *segment;
		Size		size;

		if (part == NULL || matrix_part(matrix, key, &size) == NULL || size == 0)
			continue;
		rec_memory_budget_count_shm(mcxt, size);
		segment = dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS);
		if (segment == NULL)
			continue;
		memcpy(dsm_segment_address(segment), *part, size);
		pfree(*part);
		*part = dsm_segment_address(segment);
		matrix->moved->segment[key - KEY_MATRIX] = segment;
	}
}

/* Free the lists of users and items, moved or not; the rest stays. */
void
rec_matrix_shm_drop_lists(RecMatrix *matrix)
{
	for (int key = KEY_MATRIX; key < KEY_END; key++)
	{
		void	  **part = movable_part(matrix, key);

		if (part == NULL || *part == NULL)
			continue;
		if (has_moved(matrix, key))
			dsm_detach(matrix->moved->segment[key - KEY_MATRIX]);
		else
			pfree(*part);
		*part = NULL;
	}
	if (matrix->moved)
		pfree(matrix->moved);
	matrix->moved = NULL;
}

/*
 * Reserve room in the segment, if there is a parallel context yet; return the
 * bytes.
 */
Size
rec_matrix_shm_estimate(ParallelContext *pcxt, const RecMatrix *matrix)
{
	Size		total = 0;

	for (int key = KEY_MATRIX; key < KEY_END; key++)
	{
		Size		size;

		if (has_moved(matrix, key) || matrix_part(matrix, key, &size) == NULL)
			continue;
		total = add_size(total, size);
		if (pcxt == NULL)
			continue;
		shm_toc_estimate_chunk(&pcxt->estimator, size);
		shm_toc_estimate_keys(&pcxt->estimator, 1);
	}
	if (pcxt)
	{
		shm_toc_estimate_chunk(&pcxt->estimator, sizeof(MovedHandles));
		shm_toc_estimate_keys(&pcxt->estimator, 1);
	}
	return add_size(total, sizeof(MovedHandles));
}

static void
share_handles(ParallelContext *pcxt, const RecMatrix *matrix)
{
	MovedHandles *handles = shm_toc_allocate(pcxt->toc, sizeof(MovedHandles));

	for (int key = KEY_MATRIX; key < KEY_END; key++)
	{
		int			i = key - KEY_MATRIX;

		handles->moved[i] = has_moved(matrix, key);
		if (handles->moved[i])
			handles->handle[i] = dsm_segment_handle(matrix->moved->segment[i]);
	}
	shm_toc_insert(pcxt->toc, KEY_HANDLES, handles);
}

/*
 * Copy a matrix, except for moved arrays, to the segment, in which room is
 * reserved.
 */
void
rec_matrix_shm_copy(ParallelContext *pcxt, const RecMatrix *matrix)
{
	for (int key = KEY_MATRIX; key < KEY_END; key++)
	{
		Size		size;
		const void *part = matrix_part(matrix, key, &size);
		void	   *copy;

		if (part == NULL || has_moved(matrix, key))
			continue;
		copy = shm_toc_allocate(pcxt->toc, size);
		memcpy(copy, part, size);
		shm_toc_insert(pcxt->toc, key, copy);
	}
	share_handles(pcxt, matrix);
}

/*
 * Return the array with a key, in this segment or in one of its own, or NULL.
 */
static void *
attach_part(shm_toc *toc, int key)
{
	const MovedHandles *handles = shm_toc_lookup(toc, KEY_HANDLES, false);
	dsm_segment *segment;

	if (!handles->moved[key - KEY_MATRIX])
		return shm_toc_lookup(toc, key, true);
	segment = dsm_attach(handles->handle[key - KEY_MATRIX]);
	if (segment == NULL)
		elog(ERROR, "the leader's matrix has gone");
	/* mapped until the worker ends */
	dsm_pin_mapping(segment);
	return dsm_segment_address(segment);
}

/* Make a matrix of the arrays in the segment. */
void
rec_matrix_shm_attach(RecMatrix *matrix, shm_toc *toc)
{
	*matrix = *(RecMatrix *) shm_toc_lookup(toc, KEY_MATRIX, false);
	matrix->user_start = attach_part(toc, KEY_USER_START);
	matrix->user_item = attach_part(toc, KEY_USER_ITEM);
	matrix->user_weight = attach_part(toc, KEY_USER_WEIGHT);
	matrix->item_start = attach_part(toc, KEY_ITEM_START);
	matrix->item_user = attach_part(toc, KEY_ITEM_USER);
	matrix->item_weight = attach_part(toc, KEY_ITEM_WEIGHT);
	matrix->item_sum = NULL;
	matrix->item_id = NULL;
	matrix->moved = NULL;
}
