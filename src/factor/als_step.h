/*-------------------------------------------------------------------------
 *
 * als_step.h
 *	  The phases of alternating least squares, as one process goes through them.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/factor/als_step.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ALS_STEP_H
#define REC_ALS_STEP_H

#include "factor/folding.h"
#include "interaction/matrix.h"
#include "math/dense.h"
#include "port/atomics.h"

/* Kinds of work, which is taken block by block. */
typedef enum RecAlsWork
{
	REC_ALS_MULTIPLY,			/* the Gramian's parts */
	REC_ALS_DIAGONALIZE,		/* by one process */
	REC_ALS_ROTATE,
	REC_ALS_SOLVE,
	REC_ALS_NWORKS
} RecAlsWork;

/* Arrays that all processes use. */
typedef enum RecAlsArray
{
	REC_ALS_USERS,				/* factors, row by row */
	REC_ALS_ITEMS,
	REC_ALS_PARTS,				/* of the Gramian, matrices of padded order */
	REC_ALS_VECTORS,			/* its eigenvectors, as rows */
	REC_ALS_GRAM,				/* its eigenvalues */
	REC_ALS_NARRAYS
} RecAlsArray;

/* State that all processes of a factorisation use, without the arrays. */
typedef struct RecAlsShared
{
	RecFolds	user_folds;		/* their gram is not valid */
	RecFolds	item_folds;
	int			iterations;
	int			nparts;			/* of the sum that a Gramian is */
	uint64		seed;
	pg_atomic_uint32 next[REC_ALS_NWORKS];	/* first block that is not taken
											 * yet */
} RecAlsShared;

/* One process's view of the computation. */
typedef struct RecAls
{
	MemoryContext mcxt;		/* its memory counts towards the budget */
	const RecMatrix *matrix;
	RecAlsShared *shared;
	int			nfactors;

	/* the arrays that all processes use */
	float4	   *users;
	float4	   *items;
	double	   *parts;
	double	   *vectors;
	double	   *gram;

	/* the process's own */
	RecFolding *folding;
	RecDense   *dense;
	double	   *buffer;			/* rows of padded order */
	float4	   *rotated;
	float4	   *column;
	double	   *solution;
} RecAls;

extern double rec_als_step_work(const RecAls *als);
extern Size rec_als_step_array_size(const RecAls *als, RecAlsArray which);
extern void **rec_als_step_array(RecAls *als, RecAlsArray which);
extern void rec_als_step_initialize(RecAls *als);
extern void rec_als_step_prepare(RecAls *als, MemoryContext mcxt);
extern int	rec_als_step_phases(const RecAlsShared *shared);
extern void rec_als_step_run(RecAls *als, int phase, bool leader);

#endif							/* REC_ALS_STEP_H */
