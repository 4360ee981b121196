/*-------------------------------------------------------------------------
 *
 * dense.h
 *	  Dense symmetric positive definite matrices: systems and inverses.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/dense.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_DENSE_H
#define REC_DENSE_H

#include "pg/prefetch.h"

/* A second copy of a hot loop, for processors with fused multiply-add. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__FMA__) && \
	defined(__has_attribute)
#if __has_attribute(target_clones)
#define REC_TARGET_CLONES	__attribute__((target_clones("default", "fma")))
#endif
#endif
#ifndef REC_TARGET_CLONES
#define REC_TARGET_CLONES
#endif

/* The order of a matrix is a multiple of this. */
#define REC_DENSE_STEP		8

/* The order to which a matrix of order n is to be padded. */
#define REC_DENSE_ORDER(n)	TYPEALIGN(REC_DENSE_STEP, n)

/* Scratch space for matrices up to some order. */
typedef struct RecDense RecDense;

extern RecDense *rec_dense_create(MemoryContext mcxt, Size order);
extern Size rec_dense_size(Size order);
extern void rec_dense_invert(RecDense *dense, double *a, Size order);
extern void rec_dense_cholesky(RecDense *dense, double *a, Size order);
extern void rec_dense_substitute(RecDense *dense, const double *a, Size order, double *x);
extern void rec_dense_solve(RecDense *dense, double *a, Size order, double *x);
extern void rec_dense_add_product(RecDense *dense, double *a, Size order, const double *r,
								  Size row_step, Size column_step, Size columns);

#endif							/* REC_DENSE_H */
