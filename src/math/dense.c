/*-------------------------------------------------------------------------
 *
 * dense.c
 *	  Dense symmetric positive definite matrices: systems and inverses.
 *
 * A system is solved by Cholesky's factorisation A = L L', block by block.  Of
 * a block K of rows and columns, the part on the diagonal is factorised, D = M
 * M', and with the columns C of K in the rows below
 *
 *	  	W = C M^-T		the columns of K become W
 *	  	A = A - W W'	the rows below lose what K explains of them
 *
 * in n^3/6 multiplications.  M^-1 takes the place of D.
 *
 * An inverse is computed by the sweep operator (Goodnight 1979), which also
 * takes a block at a time, inverts D, and in all other rows sets
 *
 *	  	U = C D^-1		the columns of K become U
 *	  	A = A - U C'
 *
 * After all blocks -A^-1 is in the place of A, in n^3/2 multiplications, no
 * more than by way of Cholesky's factorisation.  D is inverted the same way by
 * smaller blocks, the smallest by Gauss-Jordan elimination.  The matrix must
 * not be too near to a singular one: errors grow with the cube of the
 * condition number.
 *
 * Such matrices are sums of products, A = A + R R', which the same tiles add
 * up.
 *
 * Nearly all time is spent on A - W W' or A - U C', done by tiles of 4 rows by
 * 8 columns that stay in registers, from copies of U and C that are laid out
 * in the order in which the tiles read them.
 *
 * A matrix is stored by rows, and only its lower triangle is read and changed;
 * the upper triangle of a block on the diagonal is scratch space.  Orders are
 * multiples of REC_DENSE_STEP; callers pad with rows of the unit matrix.
 *
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/dense.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "math/dense.h"
#include "miscadmin.h"
#include "pg/prefetch.h"
#include "storage/shmem.h"

#define TILE_ROWS		4
#define TILE_COLS		8
#define STRIP_ROWS		32		/* rows done between interrupt checks */

StaticAssertDecl(TILE_COLS == REC_DENSE_STEP, "orders are whole tiles");

struct RecDense
{
	Size		order;			/* largest order */
	Size		block;			/* largest width of a block */
	double	   *rows;			/* C: [group of TILE_ROWS rows][column][row] */
	double	   *cols;			/* C: [group of TILE_COLS rows][column][row] */
	double	   *strip;			/* U of the current rows, laid out like "rows" */
	double	   *pivot;			/* D^-1, block by block */
	double	   *pivot_cols;		/* D^-1 laid out like "cols" */
	RecDense   *inner;			/* for inverting D; NULL for the smallest */
};

/* ----------------
 *		tiles
 * ----------------
 */

#ifdef __GNUC__

typedef double Vector __attribute__((vector_size(32)));

/* aligned like a double, as palloc returns it */
typedef double StoredVector __attribute__((vector_size(32), aligned(8), may_alias));

#define ROW_OF_TILE(row) \
	(tile[2 * (row)] += rows[row] * b0, tile[2 * (row) + 1] += rows[row] * b1)

/*
 * Return the product of TILE_ROWS rows with TILE_COLS columns, a sum of
 * "depth" terms for each pair.
 */
static pg_attribute_always_inline void
multiply_tile(const double *rows, const double *cols, Size depth, double *product)
{
	Vector		tile[2 * TILE_ROWS] = {{0}};

	for (Size p = 0; p < depth; p++)
	{
		Vector		b0 = *(const StoredVector *) cols;
		Vector		b1 = *(const StoredVector *) (cols + 4);

		ROW_OF_TILE(0);
		ROW_OF_TILE(1);
		ROW_OF_TILE(2);
		ROW_OF_TILE(3);
		rows += TILE_ROWS;
		cols += TILE_COLS;
	}
	memcpy(product, tile, sizeof(tile));
}

#else

static inline void
multiply_tile(const double *rows, const double *cols, Size depth, double *product)
{
	memset(product, 0, TILE_ROWS * TILE_COLS * sizeof(double));
	for (Size p = 0; p < depth; p++)
		for (int i = 0; i < TILE_ROWS; i++)
			for (int j = 0; j < TILE_COLS; j++)
				product[i * TILE_COLS + j] += rows[p * TILE_ROWS + i] * cols[p * TILE_COLS + j];
}

#endif

/* U = C D^-1 for "nrows" rows, all laid out in groups of TILE_ROWS. */
REC_TARGET_CLONES static void
multiply_strip(const double *rows, Size nrows, const double *pivot_cols,
			   Size width, double *strip)
{
	for (Size r = 0; r < nrows; r += TILE_ROWS)
	{
		for (Size c = 0; c < width; c += TILE_COLS)
		{
			double		product[TILE_ROWS * TILE_COLS];
			double	   *out = strip + r * width + c * TILE_ROWS;

			multiply_tile(rows + r * width, pivot_cols + c * width, width, product);
			for (int i = 0; i < TILE_ROWS; i++)
				for (int j = 0; j < TILE_COLS; j++)
					out[j * TILE_ROWS + i] = product[i * TILE_COLS + j];
		}
	}
}

/*
 * A = A - U C' in rows from "from" to "to" of the lower triangle that begins
 * at "a"; the strip has U from row "from" on.
 */
REC_TARGET_CLONES static void
subtract_strip(double *a, Size stride, Size from, Size to,
			   const double *strip, const double *cols, Size width)
{
	for (Size c = 0; c < to; c += TILE_COLS)
	{
		for (Size r = Max(from, c); r < to; r += TILE_ROWS)
		{
			double		product[TILE_ROWS * TILE_COLS];
			double	   *out = a + r * stride + c;

			multiply_tile(strip + (r - from) * width, cols + c * width, width, product);
			for (int i = 0; i < TILE_ROWS; i++)
				for (int j = 0; j < TILE_COLS; j++)
					out[i * stride + j] -= product[i * TILE_COLS + j];
		}
	}
}

/* ----------------
 *		elimination
 * ----------------
 */

/*
 * Raise an error for a matrix that is not positive definite, which only
 * rounding, overflow or a damaged model can cause.
 */
static void
refuse_matrix(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("weights or factors are too large or too far apart to compute with")));
}

/*
 * Invert a full matrix of order REC_DENSE_STEP in place, by Gauss-Jordan
 * elimination.
 */
REC_TARGET_CLONES static void
invert_smallest(double *a)
{
	const int	n = REC_DENSE_STEP;

	for (int k = 0; k < n; k++)
	{
		double		pivot = a[k * n + k];

		if (!(pivot > 0))
			refuse_matrix();
		pivot = 1 / pivot;
		a[k * n + k] = 1;
		for (int j = 0; j < n; j++)
			a[k * n + j] *= pivot;
		for (int i = 0; i < n; i++)
		{
			double		multiplier = a[i * n + k];

			if (i == k)
				continue;
			a[i * n + k] = 0;
			for (int j = 0; j < n; j++)
				a[i * n + j] -= multiplier * a[k * n + j];
		}
	}
}

static inline void
put(RecDense *dense, Size row, Size column, Size width, double value)
{
	dense->rows[(row - row % TILE_ROWS) * width + column * TILE_ROWS + row % TILE_ROWS] = value;
	dense->cols[(row - row % TILE_COLS) * width + column * TILE_COLS + row % TILE_COLS] = value;
}

/*
 * Lay out C: the columns k to k + width in the rows from "first" on.  Above
 * the diagonal they are rows; in K itself they are zero, so that K does not
 * change when U C' is subtracted.
 */
static void
lay_out_columns(RecDense *dense, const double *a, Size order, Size stride,
				Size first, Size k, Size width)
{
	for (Size p = 0; p < width; p++)
		for (Size i = first; i < k; i++)
			put(dense, i - first, p, width, a[(k + p) * stride + i]);
	for (Size i = Max(first, k); i < k + width; i++)
		for (Size p = 0; p < width; p++)
			put(dense, i - first, p, width, 0);
	for (Size i = k + width; i < order; i++)
		for (Size p = 0; p < width; p++)
			put(dense, i - first, p, width, a[i * stride + k + p]);
}

/* Put the strip's rows of U where C was. */
static void
store_strip(const double *strip, double *a, Size stride, Size from, Size to,
			Size k, Size width)
{
	for (Size i = from; i < to; i++)
	{
		Size		place = (i - from) % TILE_ROWS;
		const double *u = strip + (i - from - place) * width + place;

		if (i >= k && i < k + width)
			continue;
		for (Size p = 0; p < width; p++)
		{
			if (i < k)
				a[(k + p) * stride + i] = u[p * TILE_ROWS];
			else
				a[i * stride + k + p] = u[p * TILE_ROWS];
		}
	}
}

static void invert(RecDense *dense, double *a, Size order);

/* Leave the inverse of the block at k in "pivot" and "pivot_cols". */
static void
invert_pivot(RecDense *dense, const double *a, Size stride, Size k, Size width)
{
	double	   *pivot = dense->pivot;

	for (Size i = 0; i < width; i++)
		for (Size j = 0; j <= i; j++)
			pivot[i * width + j] = pivot[j * width + i] = a[(k + i) * stride + k + j];
	if (width == REC_DENSE_STEP)
		invert_smallest(pivot);
	else
		invert(dense->inner, pivot, width);
	for (Size c = 0; c < width; c += TILE_COLS)
		for (Size p = 0; p < width; p++)
			memcpy(dense->pivot_cols + c * width + p * TILE_COLS,
				   pivot + p * width + c, TILE_COLS * sizeof(double));
}

/*
 * Eliminate the block of "width" rows at k from the rows from "first" on.  In
 * the block itself stays sign * D^-1.
 */
static void
eliminate(RecDense *dense, double *a, Size order, Size stride, Size first,
		  Size k, Size width, double sign)
{
	invert_pivot(dense, a, stride, k, width);
	lay_out_columns(dense, a, order, stride, first, k, width);
	for (Size from = first; from < order; from += STRIP_ROWS)
	{
		Size		to = Min(from + STRIP_ROWS, order);

		CHECK_FOR_INTERRUPTS();
		multiply_strip(dense->rows + (from - first) * width, to - from,
					   dense->pivot_cols, width, dense->strip);
		subtract_strip(a + first * stride + first, stride, from - first, to - first,
					   dense->strip, dense->cols, width);
		store_strip(dense->strip, a, stride, from, to, k, width);
	}
	for (Size i = 0; i < width; i++)
		for (Size j = 0; j < width; j++)
			a[(k + i) * stride + k + j] = sign * dense->pivot[i * width + j];
}

/*
 * Invert a matrix of which the lower triangle is given, in place and into both
 * triangles.
 */
static void
invert(RecDense *dense, double *a, Size order)
{
	for (Size k = 0; k < order; k += dense->block)
		eliminate(dense, a, order, order, 0, k, Min(dense->block, order - k), -1);
	for (Size i = 0; i < order; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (Size j = 0; j <= i; j++)
			a[i * order + j] = -a[i * order + j];
		for (Size j = 0; j < i; j++)
			a[j * order + i] = a[i * order + j];
	}
}

/* ----------------
 *		for the callers
 * ----------------
 */

/* Return a width that fits into the cache and is a small part of the order. */
static Size
block_width(Size order)
{
	if (order > 768)
		return 128;
	return order > 48 ? 32 : REC_DENSE_STEP;
}

static double *
alloc_numbers(MemoryContext mcxt, Size rows, Size columns)
{
	return MemoryContextAllocHuge(mcxt,
								  mul_size(mul_size(rows, columns), sizeof(double)));
}

/* Return scratch space for matrices up to an order, in "mcxt". */
RecDense *
rec_dense_create(MemoryContext mcxt, Size order)
{
	RecDense   *dense = MemoryContextAllocZero(mcxt, sizeof(RecDense));
	Size		block = block_width(order);

	dense->order = order;
	dense->block = block;
	dense->rows = alloc_numbers(mcxt, order, block);
	dense->cols = alloc_numbers(mcxt, order, block);
	dense->strip = alloc_numbers(mcxt, STRIP_ROWS, block);
	dense->pivot = alloc_numbers(mcxt, block, block);
	dense->pivot_cols = alloc_numbers(mcxt, block, block);
	if (block > REC_DENSE_STEP)
		dense->inner = rec_dense_create(mcxt, block);
	return dense;
}

/* Return the bytes that such scratch space takes, or slightly more. */
Size
rec_dense_size(Size order)
{
	return mul_size(2 * order + 1024, block_width(order) * sizeof(double));
}

/*
 * Replace a matrix of order * order numbers, of which the lower triangle is
 * read, by its inverse, in both triangles.  It must be positive definite,
 * which is not checked: the result for another matrix is not finite, or wrong.
 */
void
rec_dense_invert(RecDense *dense, double *a, Size order)
{
	Assert(order % REC_DENSE_STEP == 0 && order <= dense->order);
	invert(dense, a, order);
}

/* ----------------
 *		systems
 * ----------------
 */

/* Replace the lower triangle of a small matrix by that of M, D = M M'. */
static void
cholesky_pivot(double *d, Size n)
{
	for (Size i = 0; i < n; i++)
	{
		double	   *row = d + i * n;

		for (Size j = 0; j <= i; j++)
		{
			const double *other = d + j * n;
			double		sum = row[j];

			for (Size p = 0; p < j; p++)
				sum -= row[p] * other[p];
			if (j < i)
				row[j] = sum / other[j];
			else if (sum > 0)
				row[j] = sqrt(sum);
			else
				refuse_matrix();
		}
	}
}

/*
 * Replace M, a lower triangle, by its inverse; set the upper triangle to zero.
 */
static void
invert_triangle(double *m, Size n)
{
	for (Size i = 0; i < n; i++)
	{
		double	   *row = m + i * n;
		double		pivot = 1 / row[i];

		for (Size j = 0; j < i; j++)
		{
			double		sum = 0;

			for (Size p = j; p < i; p++)
				sum += row[p] * m[p * n + j];
			/* entries before j are done, those after it are still M's */
			row[j] = -sum * pivot;
		}
		row[i] = pivot;
		memset(row + i + 1, 0, (n - i - 1) * sizeof(double));
	}
}

/* Leave the inverse of the diagonal block's M in "pivot" and "pivot_cols". */
static void
invert_cholesky(RecDense *dense, double *a, Size stride, Size k, Size width)
{
	double	   *pivot = dense->pivot;

	for (Size i = 0; i < width; i++)
		memcpy(pivot + i * width, a + (k + i) * stride + k, (i + 1) * sizeof(double));
	cholesky_pivot(pivot, width);
	invert_triangle(pivot, width);
	for (Size i = 0; i < width; i++)
	{
		memcpy(a + (k + i) * stride + k, pivot + i * width, width * sizeof(double));
		for (Size p = 0; p < width; p++)
			dense->pivot_cols[(i - i % TILE_COLS) * width + p * TILE_COLS + i % TILE_COLS] =
				pivot[i * width + p];
	}
}

/* Put a strip of W where C was: in the matrix and in both layouts. */
static void
keep_strip(RecDense *dense, double *a, Size stride, Size first, Size from, Size to,
		   Size k, Size width)
{
	memcpy(dense->rows + from * width, dense->strip, (to - from) * width * sizeof(double));
	for (Size i = from; i < to; i++)
	{
		const double *w = dense->rows + (i - i % TILE_ROWS) * width + i % TILE_ROWS;
		double	   *column = dense->cols + (i - i % TILE_COLS) * width + i % TILE_COLS;
		double	   *row = a + (first + i) * stride + k;

		for (Size p = 0; p < width; p++)
			row[p] = column[p * TILE_COLS] = w[p * TILE_ROWS];
	}
}

/*
 * Factorise the block of "width" rows at k and subtract it from the rows
 * below.
 */
static void
cholesky_block(RecDense *dense, double *a, Size order, Size k, Size width)
{
	Size		first = k + width;
	Size		below = order - first;

	invert_cholesky(dense, a, order, k, width);
	lay_out_columns(dense, a, order, order, first, k, width);
	for (Size from = 0; from < below; from += STRIP_ROWS)
	{
		Size		to = Min(from + STRIP_ROWS, below);

		multiply_strip(dense->rows + from * width, to - from, dense->pivot_cols, width,
					   dense->strip);
		keep_strip(dense, a, order, first, from, to, k, width);
	}
	for (Size from = 0; from < below; from += STRIP_ROWS)
	{
		CHECK_FOR_INTERRUPTS();
		subtract_strip(a + first * order + first, order, from, Min(from + STRIP_ROWS, below),
					   dense->rows + from * width, dense->cols, width);
	}
}

/*
 * Blocks of small matrices have the smallest width, which is factorised fast.
 */
static inline Size
cholesky_width(const RecDense *dense, Size order)
{
	return order > 128 ? dense->block : REC_DENSE_STEP;
}

/*
 * Replace a positive definite matrix of order * order numbers, of which the
 * lower triangle is read, by the factors that rec_dense_substitute() needs.
 */
void
rec_dense_cholesky(RecDense *dense, double *a, Size order)
{
	Size		block = cholesky_width(dense, order);

	Assert(order % REC_DENSE_STEP == 0 && order <= dense->order);
	for (Size k = 0; k < order; k += block)
		cholesky_block(dense, a, order, k, Min(block, order - k));
}

/* Solve L y = x. */
REC_TARGET_CLONES static void
solve_lower(const double *a, Size order, Size block, double *x, double *saved)
{
	for (Size k = 0; k < order; k += block)
	{
		Size		end = Min(k + block, order);

		memcpy(saved, x + k, (end - k) * sizeof(double));
		for (Size i = k; i < end; i++)
		{
			double		sum = 0;

			for (Size j = k; j <= i; j++)
				sum += a[i * order + j] * saved[j - k];
			x[i] = sum;
		}
		for (Size i = end; i < order; i++)
		{
			const double *row = a + i * order;
			double		sum[4] = {0};

			/* blocks are whole tiles */
			for (Size j = k; j < end; j += 4)
				for (int l = 0; l < 4; l++)
					sum[l] += row[j + l] * x[j + l];
			x[i] -= (sum[0] + sum[1]) + (sum[2] + sum[3]);
		}
	}
}

/* Solve L' z = x. */
REC_TARGET_CLONES static void
solve_upper(const double *a, Size order, Size block, double *x, double *saved)
{
	for (Size k = (order - 1) - (order - 1) % block;; k -= block)
	{
		Size		end = Min(k + block, order);

		for (Size i = end; i < order; i++)
			for (Size j = k; j < end; j++)
				x[j] -= a[i * order + j] * x[i];
		memcpy(saved, x + k, (end - k) * sizeof(double));
		memset(x + k, 0, (end - k) * sizeof(double));
		for (Size i = k; i < end; i++)
			for (Size j = k; j <= i; j++)
				x[j] += a[i * order + j] * saved[i - k];
		if (k == 0)
			break;
	}
}

/*
 * Replace x, of "order" numbers, by the solution z of A z = x, where "a" is
 * the result of rec_dense_cholesky() for A.
 */
void
rec_dense_substitute(RecDense *dense, const double *a, Size order, double *x)
{
	Size		block = cholesky_width(dense, order);

	if (order == 0)
		return;
	solve_lower(a, order, block, x, dense->pivot);
	solve_upper(a, order, block, x, dense->pivot);
}

/*
 * Replace x, of "order" numbers, by the solution z of A z = x.  The positive
 * definite matrix A, of which the lower triangle is read, is destroyed.
 */
void
rec_dense_solve(RecDense *dense, double *a, Size order, double *x)
{
	rec_dense_cholesky(dense, a, order);
	rec_dense_substitute(dense, a, order, x);
}

/* Lay out the first "width" columns of R; the tiles subtract -R R'. */
static void
lay_out_product(RecDense *dense, Size order, const double *r, Size row_step,
				Size column_step, Size width)
{
	for (Size i = 0; i < order; i++)
	{
		const double *from = r + i * row_step;
		double	   *row = dense->rows + (i - i % TILE_ROWS) * width + i % TILE_ROWS;
		double	   *column = dense->cols + (i - i % TILE_COLS) * width + i % TILE_COLS;

		for (Size p = 0; p < width; p++)
		{
			double		value = from[p * column_step];

			row[p * TILE_ROWS] = -value;
			column[p * TILE_COLS] = value;
		}
	}
}

/*
 * Add R R' to the lower triangle of a matrix.  R has "columns" columns, and
 * the entry of row i and column p is r[i * row_step + p * column_step].
 */
void
rec_dense_add_product(RecDense *dense, double *a, Size order, const double *r,
					  Size row_step, Size column_step, Size columns)
{
	Assert(order % REC_DENSE_STEP == 0 && order <= dense->order);
	for (Size k = 0; k < columns; k += dense->block)
	{
		Size		width = Min(dense->block, columns - k);

		lay_out_product(dense, order, r + k * column_step, row_step, column_step, width);
		for (Size from = 0; from < order; from += STRIP_ROWS)
		{
			CHECK_FOR_INTERRUPTS();
			subtract_strip(a, order, from, Min(from + STRIP_ROWS, order),
						   dense->rows + from * width, dense->cols, width);
		}
	}
}
