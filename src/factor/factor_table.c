/*-------------------------------------------------------------------------
 *
 * factor_table.c
 *	  The tables of factors: written by a refresh, read by calls.
 *
 * A row of table "factor" has the factors of as many items as fill a page, so
 * that a call, which scores all items, reads few rows and no TOAST.  Table
 * "factorization" has one row for each generation: the parameters of folding
 * a user in.
 *
 * Everything that is read is checked: rows must follow one another without a
 * gap, and factors must be finite.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/factor/factor_table.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "factor/factor_table.h"
#include "miscadmin.h"
#include "pg/table_writer.h"
#include "storage/shmem.h"

#define ROW_BYTES			8000	/* of factors in a row, so that it fills a
								 * page */
#define MOST_FACTORS		1000	/* as the option als_factors allows */

static const RecStorePath folds_path = {
	"factorization", {"generation"},
	{"items", "factors", "unobserved", "regularization", "exponent", "scale", "gramian"}
};

static const RecStorePath factors_path = {
	"factor", {"generation", "item_no"}, {"item_no", "factors"}
};

/* Return how many items are in a row. */
static int
items_of_row(int nfactors)
{
	return Max(ROW_BYTES / ((int) sizeof(float4) * nfactors), 1);
}

/* ----------------
 *		writing
 * ----------------
 */

static void
write_folds(const RecDefinition *definition, int64 generation, const RecFolds *folds)
{
	RecTableWriter *writer = rec_definition_open_writer(definition, REC_TABLE_FACTORIZATION);
	Datum	   *values = rec_table_writer_begin_row(writer);
	Datum	   *gramian = palloc_array(Datum, folds->nfactors);

	for (int k = 0; k < folds->nfactors; k++)
		gramian[k] = Float8GetDatum(folds->gram[k]);
	values[Anum_rec_factorization_generation - 1] = Int64GetDatum(generation);
	values[Anum_rec_factorization_items - 1] = Int32GetDatum((int32) folds->ncolumns);
	values[Anum_rec_factorization_factors - 1] = Int32GetDatum(folds->nfactors);
	values[Anum_rec_factorization_unobserved - 1] = Float8GetDatum(folds->unobserved);
	values[Anum_rec_factorization_regularization - 1] = Float8GetDatum(folds->regularization);
	values[Anum_rec_factorization_exponent - 1] = Float8GetDatum(folds->exponent);
	values[Anum_rec_factorization_scale - 1] = Float8GetDatum(folds->scale);
	values[Anum_rec_factorization_gramian - 1] = PointerGetDatum(construct_array(gramian, folds->nfactors, FLOAT8OID, sizeof(float8),
												FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	rec_table_writer_end_row(writer);
	rec_table_writer_close(writer);
}

/* Write the factors of a generation. */
void
rec_factor_table_write(const RecDefinition *definition, int64 generation,
					   const RecFactors *factors)
{
	RecTableWriter *writer = rec_definition_open_writer(definition, REC_TABLE_FACTOR);
	int			nfactors = factors->folds.nfactors;
	uint32		step = items_of_row(nfactors);

	for (uint32 first = 0; first < factors->nitems; first += step)
	{
		int			n = (int) Min(step, factors->nitems - first) * nfactors;
		Datum	   *values = rec_table_writer_begin_row(writer);
		void	   *data;

		CHECK_FOR_INTERRUPTS();
		values[Anum_rec_factor_generation - 1] = Int64GetDatum(generation);
		values[Anum_rec_factor_item_no - 1] = Int32GetDatum((int32) first);
		values[Anum_rec_factor_factors - 1] = PointerGetDatum(rec_table_writer_array4(FLOAT4OID, n, &data));
		memcpy(data, factors->items + (Size) first * nfactors, n * sizeof(float4));
		rec_table_writer_end_row(writer);
	}
	rec_table_writer_close(writer);
	write_folds(definition, generation, &factors->folds);
}

/* ----------------
 *		reading
 * ----------------
 */

/* Refuse tables that no refresh has written so. */
static void
refuse_damage(const RecDefinition *definition)
{
	rec_model_scan_damaged(definition, "factors that are");
}

static inline bool
is_between(double x, double least, double most)
{
	return x >= least && x <= most;
}

/* Take a row of factorization; return false when it is damaged. */
static bool
take_folds(const Datum *values, const bool *nulls, RecFolds *folds)
{
	const void *gram;
	bool		valid = true;

	for (int i = 0; i < Natts_rec_factorization - 1; i++)
		valid &= !nulls[i];
	if (!valid)
		return false;
	folds->ncolumns = DatumGetInt32(values[0]);
	folds->nfactors = DatumGetInt32(values[1]);
	folds->unobserved = DatumGetFloat8(values[2]);
	folds->regularization = DatumGetFloat8(values[3]);
	folds->exponent = DatumGetFloat8(values[4]);
	folds->scale = DatumGetFloat8(values[5]);
	if (folds->ncolumns < 0 || folds->nfactors < 1 || folds->nfactors > MOST_FACTORS ||
		rec_model_scan_array_copy(values[6], FLOAT8OID, &gram) != folds->nfactors)
		return false;
	folds->gram = gram;
	for (int k = 0; k < folds->nfactors; k++)
		valid &= is_between(folds->gram[k], 0, FLT_MAX);
	/* what the options allow, and any finite scale of weights */
	return valid && is_between(folds->unobserved, 0, 1000) && is_between(folds->exponent, 0, 2) &&
		is_between(folds->regularization, 1e-6, 1e6) && is_between(folds->scale, 0, DBL_MAX);
}

/*
 * Read the parameters of folding a user in; return false when the generation
 * has no factors.
 */
bool
rec_factor_table_read_folds(RecDefinition *definition, int64 generation, RecFolds *folds)
{
	Datum		values[Natts_rec_factorization];
	bool		nulls[Natts_rec_factorization];
	RecStoreScan *scan;
	bool		found;

	values[0] = Int64GetDatum(generation);
	scan = rec_model_scan_begin(definition, &folds_path, 1, values);
	found = rec_model_scan_next(scan, values, nulls);
	if (found && !take_folds(values, nulls, folds))
		refuse_damage(definition);
	rec_model_scan_end(scan);
	return found;
}

static bool
are_finite(const float4 *values, Size n)
{
	bool		finite = true;

	for (Size i = 0; i < n; i++)
		finite &= isfinite(values[i]) != 0;
	return finite;
}

/* A row of table factor. */
typedef struct FactorRow
{
	int64		first;			/* item */
	int			n;				/* items */
	const float4 *factors;
} FactorRow;

static bool
next_row(RecDefinition *definition, RecStoreScan *scan, int nfactors, FactorRow *row)
{
	Datum		values[2];
	bool		nulls[2];
	const void *factors;
	int			n = -1;

	if (!rec_model_scan_next(scan, values, nulls))
		return false;
	if (!nulls[0] && !nulls[1])
		n = rec_model_scan_array(values[1], FLOAT4OID, &factors);
	if (n <= 0 || n % nfactors != 0)
		refuse_damage(definition);
	row->first = DatumGetInt32(values[0]);
	row->n = n / nfactors;
	row->factors = factors;
	return true;
}

/* Begin to read all rows of a generation, in the order of the items' numbers. */
static RecStoreScan *
begin_rows(RecDefinition *definition, int64 generation)
{
	Datum		key = Int64GetDatum(generation);

	return rec_model_scan_begin(definition, &factors_path, 1, &key);
}

/* Begin to read the rows that have the factors of n items. */
static RecStoreScan *
begin_rows_of(RecDefinition *definition, int64 generation, int nfactors,
			  const int32 *numbers, int n)
{
	Datum	   *firsts = palloc_array(Datum, n + 1);
	Datum		keys[2];
	int			step = items_of_row(nfactors);

	keys[0] = Int64GetDatum(generation);
	for (int i = 0; i < n; i++)
		firsts[i] = Int32GetDatum(numbers[i] - numbers[i] % step);
	keys[1] = PointerGetDatum(construct_array(firsts, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	return rec_model_scan_begin_any(definition, &factors_path, 2, keys);
}

/* Return the factors of n items, item by item, in the current context. */
float4 *
rec_factor_table_read_items(RecDefinition *definition, int64 generation, int nfactors,
							const int32 *numbers, int n)
{
	float4	   *factors = palloc_array(float4, (Size) n * nfactors + 1);
	RecStoreScan *scan = begin_rows_of(definition, generation, nfactors, numbers, n);
	int			found = 0;
	FactorRow	row;

	while (next_row(definition, scan, nfactors, &row))
		for (int i = 0; i < n; i++)
		{
			if (numbers[i] < row.first || numbers[i] >= row.first + row.n)
				continue;
			memcpy(factors + (Size) i * nfactors,
				   row.factors + (numbers[i] - row.first) * nfactors, nfactors * sizeof(float4));
			found++;
		}
	rec_model_scan_end(scan);
	if (found != n || !are_finite(factors, (Size) n * nfactors))
		refuse_damage(definition);
	return factors;
}

/* Where the values of the items of rows are collected: "width" for each. */
typedef struct Collected
{
	int64		most;			/* items */
	int64		allocated;
	int			width;
	uint32		n;
	float4	   *values;
} Collected;

static Collected
begin_collecting(int64 most, int width)
{
	Collected	collected = {Min(most, PG_INT32_MAX), 1024, width, 0, NULL};

	collected.values = palloc_array(float4, collected.allocated * width);
	return collected;
}

/* Make room for a row's items, which must follow those collected before. */
static float4 *
make_room(RecDefinition *definition, Collected *collected, const FactorRow *row)
{
	int64		n = (int64) collected->n + row->n;

	if (row->first != collected->n || n > collected->most)
		refuse_damage(definition);
	if (n > collected->allocated)
	{
		collected->allocated = Max(2 * collected->allocated, n);
		collected->values = repalloc_huge(collected->values,
										  mul_size(mul_size(collected->allocated, collected->width),
												   sizeof(float4)));
	}
	return collected->values + (Size) collected->n * collected->width;
}

/* Check that the values of as many items were collected as there should be. */
static void
check_collected(RecDefinition *definition, const Collected *collected, const RecFolds *folds)
{
	if (collected->n != folds->ncolumns ||
		!are_finite(collected->values, (Size) collected->n * collected->width))
		refuse_damage(definition);
}

/*
 * Return the factors of all items of a generation, of which it has "most" at
 * most, in the current context; NULL when it has none.
 */
RecFactors *
rec_factor_table_read(RecDefinition *definition, int64 generation, int64 most)
{
	RecFactors *factors = palloc0_object(RecFactors);
	Collected	collected;
	RecStoreScan *scan;
	FactorRow	row;
	int			nfactors;

	if (!rec_factor_table_read_folds(definition, generation, &factors->folds))
		return NULL;
	nfactors = factors->folds.nfactors;
	collected = begin_collecting(most, nfactors);
	scan = begin_rows(definition, generation);
	while (next_row(definition, scan, nfactors, &row))
	{
		memcpy(make_room(definition, &collected, &row), row.factors,
			   (Size) row.n * nfactors * sizeof(float4));
		collected.n += row.n;
	}
	rec_model_scan_end(scan);
	check_collected(definition, &collected, &factors->folds);
	factors->items = collected.values;
	factors->nitems = collected.n;
	return factors;
}

/*
 * Return the products of a user's factors with those of all items of a
 * generation, of which it has "most" at most, and their number, in the current
 * context.
 */
float4 *
rec_factor_table_score(RecDefinition *definition, int64 generation, int64 most,
					   const RecFolds *folds, const double *user, int *n)
{
	Collected	collected = begin_collecting(most, 1);
	RecStoreScan *scan = begin_rows(definition, generation);
	FactorRow	row;

	while (next_row(definition, scan, folds->nfactors, &row))
	{
		rec_folding_score(user, row.factors, folds->nfactors, row.n,
						  make_room(definition, &collected, &row));
		collected.n += row.n;
	}
	rec_model_scan_end(scan);
	check_collected(definition, &collected, folds);
	*n = (int) collected.n;
	return collected.values;
}
