/*-------------------------------------------------------------------------
 *
 * eigen.h
 *	  Eigenvalues and eigenvectors of a symmetric matrix.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/eigen.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_EIGEN_H
#define REC_EIGEN_H

extern void rec_eigen_decompose(double *a, int n, double *values);

#endif							/* REC_EIGEN_H */
