/*-------------------------------------------------------------------------
 *
 * matrix_shm.h
 *	  A matrix in shared memory, for parallel workers.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/matrix_shm.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_MATRIX_SHM_H
#define REC_MATRIX_SHM_H

#include "access/parallel.h"
#include "interaction/matrix.h"

/* The matrix has keys of the segment from here on; callers use lower ones. */
#define REC_MATRIX_FIRST_KEY	100

extern Size rec_matrix_shm_estimate(ParallelContext *pcxt, const RecMatrix *matrix);
extern void rec_matrix_shm_copy(ParallelContext *pcxt, const RecMatrix *matrix);
extern void rec_matrix_shm_attach(RecMatrix *matrix, shm_toc *toc);
extern Size rec_matrix_shm_move_size(const RecMatrix *matrix);
extern void rec_matrix_shm_move(RecMatrix *matrix, MemoryContext mcxt);
extern void rec_matrix_shm_drop_lists(RecMatrix *matrix);

#endif							/* REC_MATRIX_SHM_H */
