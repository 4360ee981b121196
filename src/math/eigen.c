/*-------------------------------------------------------------------------
 *
 * eigen.c
 *	  Eigenvalues and eigenvectors of a symmetric matrix.
 *
 * Householder's reflections make the matrix tridiagonal, A = Q T Q', and the
 * implicit QL method with Wilkinson's shift makes T diagonal by rotations,
 * which are applied to Q at the same time (Parlett 1980; Golub and Van Loan
 * 1996).  Both are stable, and take about 2 n^3 and 3 n^3 multiplications.
 *
 * All loops run along rows, as matrices are stored by rows: the rotations
 * combine two eigenvectors, so those are the rows of the result.
 *
 * Knows numbers only: no Datum, no SPI.  Working memory is in the current
 * context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/eigen.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>
#include <float.h>

#include "math/eigen.h"
#include "miscadmin.h"
#include "storage/shmem.h"

#define MOST_SWEEPS		60		/* per eigenvalue; three is usual */

/* A sum of squares below this counts as zero. */
#define LEAST_SQUARE		(DBL_MIN / DBL_EPSILON / DBL_EPSILON)

static double
dot(const double *x, const double *y, int n)
{
	double		sum[4] = {0};
	int			i = 0;

	for (; i + 4 <= n; i += 4)
		for (int l = 0; l < 4; l++)
			sum[l] += x[i + l] * y[i + l];
	for (; i < n; i++)
		sum[0] += x[i] * y[i];
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static void
add_scaled(double *restrict y, double multiplier, const double *restrict x, int n)
{
	for (int i = 0; i < n; i++)
		y[i] += multiplier * x[i];
}

/* ----------------
 *		to three diagonals
 * ----------------
 */

/*
 * Make x the vector v of a reflection I - beta v v' that makes all entries of
 * x but the first zero.  Return beta, and the first entry that is left in
 * *first.
 */
static double
make_reflection(double *x, int n, double *first)
{
	double		rest = dot(x + 1, x + 1, n - 1);
	double		norm = sqrt(x[0] * x[0] + rest);

	*first = x[0];
	/*
	 * a matrix without full rank leaves a rest so small that 1 / rest
	 * overflows
	 */
	if (rest < LEAST_SQUARE)
		return 0;
	*first = x[0] > 0 ? -norm : norm;
	x[0] -= *first;				/* opposite signs, so that nothing cancels */
	return 2 / (x[0] * x[0] + rest);
}

/*
 * Reflect the lower right square of A from row k + 1 on, from both sides, so
 * that column k is zero below that row.  The vector stays in row k, right of
 * the diagonal.
 */
static void
reflect(double *a, int n, int k, double *off, double *beta, double *p)
{
	double	   *v = a + (Size) k * n + k + 1;
	int			m = n - k - 1;
	double		half;

	beta[k] = make_reflection(v, m, &off[k]);
	if (beta[k] == 0)
		return;
	for (int i = 0; i < m; i++)
		p[i] = beta[k] * dot(a + (Size) (k + 1 + i) * n + k + 1, v, m);
	half = beta[k] * dot(p, v, m) / 2;
	add_scaled(p, -half, v, m);
	for (int i = 0; i < m; i++)
	{
		double	   *row = a + (Size) (k + 1 + i) * n + k + 1;

		for (int j = 0; j < m; j++)
			row[j] -= v[i] * p[j] + p[i] * v[j];
	}
}

/* Return Q, the product of the reflections whose vectors are in A. */
static double *
multiply_reflections(const double *a, int n, const double *beta, double *t)
{
	double	   *q = MemoryContextAllocExtended(CurrentMemoryContext,
											   mul_size(mul_size(n, n), sizeof(double)),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int i = 0; i < n; i++)
		q[(Size) i * n + i] = 1;
	for (int k = n - 2; k >= 0; k--)
	{
		const double *v = a + (Size) k * n + k + 1;
		int			m = n - k - 1;

		CHECK_FOR_INTERRUPTS();
		if (beta[k] == 0)
			continue;
		memset(t, 0, m * sizeof(double));
		for (int i = 0; i < m; i++)
			add_scaled(t, v[i], q + (Size) (k + 1 + i) * n + k + 1, m);
		for (int i = 0; i < m; i++)
			add_scaled(q + (Size) (k + 1 + i) * n + k + 1, -beta[k] * v[i], t, m);
	}
	return q;
}

/*
 * Replace A by Q', so that A = Q T Q'; return the diagonal of T and the
 * entries beside it.
 */
static void
make_tridiagonal(double *a, int n, double *diagonal, double *off)
{
	double	   *beta = palloc0_array(double, n);
	double	   *p = palloc_array(double, n);
	double	   *q;

	for (int k = 0; k < n - 1; k++)
	{
		CHECK_FOR_INTERRUPTS();
		reflect(a, n, k, off, beta, p);
	}
	off[n - 1] = 0;
	for (int i = 0; i < n; i++)
		diagonal[i] = a[(Size) i * n + i];
	q = multiply_reflections(a, n, beta, p);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			a[(Size) i * n + j] = q[(Size) j * n + i];
	pfree(q);
	pfree(beta);
	pfree(p);
}

/* ----------------
 *		to one diagonal
 * ----------------
 */

/* Replace the rows x and y by c x - s y and s x + c y. */
static void
rotate(double *restrict x, double *restrict y, int n, double c, double s)
{
	for (int i = 0; i < n; i++)
	{
		double		old = x[i];

		x[i] = c * old - s * y[i];
		y[i] = s * old + c * y[i];
	}
}

/* Return the size below which an entry beside T's diagonal counts as zero. */
static double
negligible(const double *diagonal, const double *off, int n)
{
	double		largest = 0;

	for (int i = 0; i < n; i++)
		largest = Max(largest, fabs(diagonal[i]) + fabs(off[i]));
	return DBL_EPSILON * largest;
}

/*
 * Return the end of the part of T from "from" on whose entries beside the
 * diagonal are not zero.
 */
static int
end_of_part(const double *off, int from, int n, double least)
{
	int			end = from;

	while (end < n - 1 && fabs(off[end]) > least)
		end++;
	return end;
}

/* Make one QL step on the part of T from "from" to "end". */
static void
ql_step(double *q, int n, double *diagonal, double *off, int from, int end)
{
	double		half = (diagonal[from + 1] - diagonal[from]) / (2 * off[from]);
	double		root = hypot(half, 1);
	double		shift = diagonal[from] - off[from] / (half + (half < 0 ? -root : root));
	double		g = diagonal[end] - shift;
	double		s = 1;
	double		c = 1;
	double		p = 0;

	for (int i = end - 1; i >= from; i--)
	{
		double		f = s * off[i];
		double		b = c * off[i];
		double		r = hypot(f, g);
		double		d;

		off[i + 1] = r;
		if (r == 0)
		{
			/* the part splits in two */
			diagonal[i + 1] -= p;
			off[end] = 0;
			return;
		}
		s = f / r;
		c = g / r;
		g = diagonal[i + 1] - p;
		d = (diagonal[i] - g) * s + 2 * c * b;
		p = s * d;
		diagonal[i + 1] = g + p;
		g = c * d - b;
		rotate(q + (Size) i * n, q + (Size) (i + 1) * n, n, c, s);
	}
	diagonal[from] -= p;
	off[from] = g;
	off[end] = 0;
}

/*
 * Replace a symmetric matrix of n * n finite numbers by its eigenvectors, of
 * length 1 and in no particular order, as rows, and store the eigenvalue of
 * each in the n "values".
 */
void
rec_eigen_decompose(double *a, int n, double *values)
{
	double	   *off = palloc_array(double, n + 1);
	double		least;

	make_tridiagonal(a, n, values, off);
	least = negligible(values, off, n);
	for (int from = 0; from < n; from++)
	{
		for (int sweep = 0;; sweep++)
		{
			int			end = end_of_part(off, from, n, least);

			CHECK_FOR_INTERRUPTS();
			if (end == from)
				break;
			if (sweep == MOST_SWEEPS)
				elog(ERROR, "eigenvalues of a matrix of order %d were not found", n);
			ql_step(a, n, values, off, from, end);
		}
	}
	pfree(off);
}
