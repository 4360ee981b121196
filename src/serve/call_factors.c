/*-------------------------------------------------------------------------
 *
 * call_factors.c
 *	  Factors in a recommender's tables, and in a call.
 *
 * A row of table "factor" has the factors of as many items as fill a page, so
 * that a call, which scores all items, reads few rows and no TOAST.  Table
 * "factorization" has what it takes to fold a user in.
 *
 * A call reads the factors of the history's items, folds the user in, and then
 * goes through all items.  What is read is checked: numbers must be those that
 * come next, and whatever is no number shows in the scores.
 *
 * To say which item of the history a score comes from, the user's equations
 * are solved for each of them; that is kept until the end of the call.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call_factors.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "definition/model_scan.h"
#include "interaction/pair.h"
#include "miscadmin.h"
#include "pg/table_writer.h"
#include "rank/history.h"
#include "serve/call_factors.h"
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

/* An item of the history whose factors took part. */
typedef struct Observation
{
	uint32		ref;			/* its number in the history */
	double		weight;
	const float4 *factors;
	RecSignal	signal;			/* as if it were one of its own */
} Observation;

/* What is kept of a user that was folded in. */
struct RecServeFactors
{
	RecFolds	folds;
	RecFolding *folding;
	int			n;
	Observation *observations;	/* those that count, in order of the history */
	double	   *responses;		/* of each, or NULL until asked for */
};

/* Gives how many items are in a row. */
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

/* Writes the factors of a generation. */
void
rec_model_write_factors(const RecDefinition *definition, int64 generation,
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

static inline bool
is_between(double x, double least, double most)
{
	return x >= least && x <= most;
}

/* Takes a row of factorization; false when it is damaged. */
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

static void
damaged(const RecServe *serve)
{
	rec_serve_damaged(serve, "factors that are");
}

/* Reads how to fold in; false when the model has no factors. */
static bool
read_folds(RecServe *serve, RecFolds *folds)
{
	Datum		values[Natts_rec_factorization];
	bool		nulls[Natts_rec_factorization];
	RecStoreScan *scan;
	bool		found;

	values[0] = Int64GetDatum(serve->generation);
	scan = rec_model_scan_begin(serve->definition, &folds_path, 1, values);
	found = rec_model_scan_next(scan, values, nulls);
	if (found && !take_folds(values, nulls, folds))
		damaged(serve);
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
next_row(RecServe *serve, RecStoreScan *scan, int nfactors, FactorRow *row)
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
		damaged(serve);
	row->first = DatumGetInt32(values[0]);
	row->n = n / nfactors;
	row->factors = factors;
	return true;
}

/* Begins to read the rows that have these items, or all when n < 0. */
static RecStoreScan *
begin_rows(RecServe *serve, int nfactors, const int32 *numbers, int n)
{
	Datum	   *firsts = palloc_array(Datum, Max(n, 0) + 1);
	Datum		keys[2];
	int			step = items_of_row(nfactors);

	keys[0] = Int64GetDatum(serve->generation);
	if (n < 0)
		return rec_model_scan_begin(serve->definition, &factors_path, 1, keys);
	for (int i = 0; i < n; i++)
		firsts[i] = Int32GetDatum(numbers[i] - numbers[i] % step);
	keys[1] = PointerGetDatum(construct_array(firsts, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	return rec_model_scan_begin_any(serve->definition, &factors_path, 2, keys);
}

/* Reads the factors of some items, one row after the other. */
static float4 *
read_some(RecServe *serve, int nfactors, const int32 *numbers, int n)
{
	float4	   *factors = palloc_array(float4, (Size) n * nfactors + 1);
	RecStoreScan *scan = begin_rows(serve, nfactors, numbers, n);
	int			found = 0;
	FactorRow	row;

	while (next_row(serve, scan, nfactors, &row))
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
		damaged(serve);
	return factors;
}

/* Makes room for a row's items among those that were read. */
static float4 *
make_room(RecServe *serve, float4 *array, int64 n, int64 *allocated, const FactorRow *row, int width)
{
	if (row->first != n || n + row->n > Min(serve->nitems, PG_INT32_MAX))
		damaged(serve);
	if (n + row->n <= *allocated)
		return array;
	*allocated = Max(2 * *allocated, n + row->n);
	return repalloc_huge(array, mul_size(mul_size(*allocated, width), sizeof(float4)));
}

/*
 * Reads the factors of all items, in the current context; NULL when the model
 * has none, or the options in force want none.
 */
RecFactors *
rec_serve_load_factors(RecServe *serve)
{
	RecFactors *factors = palloc0_object(RecFactors);
	int64		allocated = 1024;
	RecStoreScan *scan;
	FactorRow	row;
	int			nfactors;

	if (serve->options.model != REC_MODEL_ALS || !read_folds(serve, &factors->folds))
		return NULL;
	nfactors = factors->folds.nfactors;
	factors->items = palloc_array(float4, allocated * nfactors);
	scan = begin_rows(serve, nfactors, NULL, -1);
	while (next_row(serve, scan, nfactors, &row))
	{
		factors->items = make_room(serve, factors->items, factors->nitems, &allocated, &row, nfactors);
		memcpy(factors->items + (Size) factors->nitems * nfactors, row.factors,
			   (Size) row.n * nfactors * sizeof(float4));
		factors->nitems += row.n;
	}
	rec_model_scan_end(scan);
	if (factors->nitems != factors->folds.ncolumns ||
		!are_finite(factors->items, (Size) factors->nitems * nfactors))
		damaged(serve);
	return factors;
}

/* ----------------
 *		a user
 * ----------------
 */

/* Keeps those of the history that the model knows and that count. */
static void
observe(RecServe *serve, RecServeFactors *user, const RecPair *pairs, const int32 *numbers, int n)
{
	int32	   *known = palloc_array(int32, n + 1);
	float4	   *factors;

	user->observations = palloc_array(Observation, n + 1);
	for (int i = 0; i < n; i++)
	{
		Observation *observation = &user->observations[user->n];
		double		weight = rec_history_confidence(&serve->options, pairs[i].weight);

		if (numbers[i] < 0 || numbers[i] >= user->folds.ncolumns ||
			!rec_folding_counts(&user->folds, weight))
			continue;
		observation->ref = pairs[i].item;
		observation->weight = weight;
		known[user->n++] = numbers[i];
	}
	if (user->n == 0)
		return;
	factors = read_some(serve, user->folds.nfactors, known, user->n);
	for (int i = 0; i < user->n; i++)
		user->observations[i].factors = factors + (Size) i * user->folds.nfactors;
}

/* Gives what the factors of a user say of all items. */
static RecSignal
score_all(RecServe *serve, const RecFolds *folds, const double *user)
{
	int			nfactors = folds->nfactors;
	RecSignal	signal = {REC_FACTORS, PG_UINT32_MAX, 1, 0, NULL, NULL};
	int64		allocated = 1024;
	float4	   *values = palloc_array(float4, allocated);
	RecStoreScan *scan = begin_rows(serve, nfactors, NULL, -1);
	FactorRow	row;

	while (next_row(serve, scan, nfactors, &row))
	{
		values = make_room(serve, values, signal.n, &allocated, &row, 1);
		rec_folding_score(user, row.factors, nfactors, row.n, values + signal.n);
		signal.n += row.n;
	}
	rec_model_scan_end(scan);
	if (signal.n != folds->ncolumns || !are_finite(values, signal.n))
		damaged(serve);
	signal.values = values;
	return signal;
}

/*
 * Folds a user with this history in and adds what that says of all items to
 * the scores, if the model has factors and the blend wants them.  "numbers"
 * are those of the history's items in the model, or -1.
 */
void
rec_serve_add_factors(RecServe *serve, const RecPair *pairs, const int32 *numbers, int n)
{
	RecServeFactors *user = palloc0_object(RecServeFactors);
	double	   *factors;
	RecSignal	signal;

	if (serve->options.model != REC_MODEL_ALS || serve->options.blend[REC_FACTORS] == 0 ||
		!read_folds(serve, &user->folds))
		return;
	observe(serve, user, pairs, numbers, n);
	if (user->n == 0)
		return;
	user->folding = rec_folding_create(CurrentMemoryContext, user->folds.nfactors);
	rec_folding_begin(user->folding, &user->folds, user->n);
	for (int i = 0; i < user->n; i++)
		rec_folding_add(user->folding, user->observations[i].factors, user->observations[i].weight);
	factors = palloc_array(double, user->folds.nfactors);
	rec_folding_finish(user->folding, factors);
	signal = score_all(serve, &user->folds, factors);
	rec_score_expect_all(serve->scores, signal.n);
	rec_score_add(serve->scores, &signal);
	serve->factors = user;
}

/* ----------------
 *		explanations
 * ----------------
 */

/* Solves the user's equations for each observation. */
static void
find_responses(RecServeFactors *user)
{
	int			nfactors = user->folds.nfactors;

	user->responses = palloc_array(double, (Size) user->n * nfactors);
	rec_folding_begin_responses(user->folding, &user->folds, user->n);
	for (int i = 0; i < user->n; i++)
		rec_folding_add(user->folding, user->observations[i].factors, user->observations[i].weight);
	rec_folding_end_responses(user->folding);
	for (int i = 0; i < user->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rec_folding_response(user->folding, user->observations[i].factors,
							 user->observations[i].weight, user->responses + (Size) i * nfactors);
	}
}

/* Gives which part of the value for an item comes from each observation. */
static double *
find_shares(RecServe *serve, RecServeFactors *user, uint32 item)
{
	int			nfactors = user->folds.nfactors;
	int32		number = (int32) item;
	float4	   *factors = read_some(serve, nfactors, &number, 1);
	double	   *shares = palloc0_array(double, user->n);

	if (user->responses == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(serve->memory);

		find_responses(user);
		MemoryContextSwitchTo(old);
	}
	for (int i = 0; i < user->n; i++)
		for (int k = 0; k < nfactors; k++)
			shares[i] += user->responses[(Size) i * nfactors + k] * factors[k];
	return shares;
}

/*
 * Puts the contributions of the history's items in the place of the factors'
 * contribution to an item, if there is one; gives the new number.
 */
int
rec_serve_split_factors(RecServe *serve, const RecScoredItem *item,
						RecContribution **contributions, int n)
{
	RecServeFactors *user = serve->factors;
	RecContribution *split;
	double	   *shares;
	double	   *parts;
	int			at = 0;
	int			m = 0;

	while (at < n && (*contributions)[at].component != REC_FACTORS)
		at++;
	if (at == n || user == NULL)
		return n;
	shares = find_shares(serve, user, item->item);
	parts = palloc_array(double, user->n);
	rec_contribution_split(serve->scores, &(*contributions)[at], shares, user->n, parts);
	split = palloc_array(RecContribution, n + user->n);
	memcpy(split, *contributions, at * sizeof(RecContribution));
	for (int i = 0; i < user->n; i++)
	{
		Observation *observation = &user->observations[i];
		RecSignal	signal = {REC_FACTORS, observation->ref, observation->weight, 0, NULL, NULL};
		RecContribution part = {REC_FACTORS, &observation->signal, shares[i] / observation->weight, parts[i]};

		observation->signal = signal;
		if (parts[i] != 0)
			split[at + m++] = part;
	}
	memcpy(split + at + m, *contributions + at + 1, (n - at - 1) * sizeof(RecContribution));
	*contributions = split;
	return n - 1 + m;
}
