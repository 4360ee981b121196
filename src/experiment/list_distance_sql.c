/*-------------------------------------------------------------------------
 *
 * list_distance_sql.c
 *	  How far lists, and distributions, are apart, as SQL functions; and the
 *	  entropy of exposure as an aggregate.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/list_distance_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "experiment/number_argument.h"
#include "fmgr.h"
#include "interaction/dictionary.h"
#include "miscadmin.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

/* ----------------
 *		lists of items
 * ----------------
 */

/* An array of ids, taken apart. */
typedef struct IdList
{
	Datum	   *id;
	bool	   *null;
	int			count;
} IdList;

static IdList
read_list(FunctionCallInfo fcinfo, int n, const char *name)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(n);
	IdList		list;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be a one-dimensional array", name)));
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign,
					  &list.id, &list.null, &list.count);
	return list;
}

/* Create the dictionary of two lists' ids. */
static RecDict *
create_dict(FunctionCallInfo fcinfo)
{
	Oid			type = ARR_ELEMTYPE(PG_GETARG_ARRAYTYPE_P(0));

	if (!OidIsValid(PG_GET_COLLATION()) && type_is_collatable(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_COLLATION),
				 errmsg("could not determine which collation to use for ids"),
				 errhint("Use the COLLATE clause to set the collation explicitly.")));
	return rec_dictionary_create(type, PG_GET_COLLATION(), CurrentMemoryContext);
}

/* What has been seen of two lists from their heads. */
typedef struct Overlap
{
	RecDict    *dict;
	char	   *seen;			/* by id: bit 1 in the first, bit 2 in the second list */
	int			common;			/* ids seen in both */
} Overlap;

static void
see(Overlap *overlap, const IdList *list, int rank, char bit)
{
	uint32		number;

	if (rank >= list->count || list->null[rank])
		return;
	number = rec_dictionary_intern(overlap->dict, list->id[rank]);
	if (overlap->seen[number] & bit)
		return;
	overlap->seen[number] |= bit;
	overlap->common += overlap->seen[number] == 3;
}

static Overlap
start_overlap(FunctionCallInfo fcinfo, const IdList *a, const IdList *b)
{
	Overlap		overlap = {create_dict(fcinfo), palloc0((Size) a->count + b->count + 1), 0};

	return overlap;
}

/*
 * rank_overlap(a, b, p): rank-biased overlap down to the end of the longer
 * list, (1 - p) sum p^(d-1) |A_d and B_d| / d, divided by 1 - p^depth, so that
 * equal lists have 1 (Webber, Moffat, Zobel 2010).  NULL of two empty lists.
 */
PG_FUNCTION_INFO_V1(rec_rank_overlap);
Datum
rec_rank_overlap(PG_FUNCTION_ARGS)
{
	IdList		a = read_list(fcinfo, 0, "a");
	IdList		b = read_list(fcinfo, 1, "b");
	double		p = PG_GETARG_FLOAT8(2);
	int			depth = Max(a.count, b.count);
	Overlap		overlap = start_overlap(fcinfo, &a, &b);
	double		weight = 1 - p;
	double		sum = 0;
	double		weights = 0;

	rec_number_argument_check_open(p, 0, 1, "p");
	for (int d = 0; d < depth; d++)
	{
		CHECK_FOR_INTERRUPTS();
		see(&overlap, &a, d, 1);
		see(&overlap, &b, d, 2);
		sum += weight * overlap.common / (d + 1);
		weights += weight;
		weight *= p;
	}
	if (depth == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sum / weights);
}

/* jaccard(a, b): common items / items of either.  NULL of two empty lists. */
PG_FUNCTION_INFO_V1(rec_jaccard);
Datum
rec_jaccard(PG_FUNCTION_ARGS)
{
	IdList		a = read_list(fcinfo, 0, "a");
	IdList		b = read_list(fcinfo, 1, "b");
	Overlap		overlap = start_overlap(fcinfo, &a, &b);
	uint32		all;

	for (int d = 0; d < Max(a.count, b.count); d++)
	{
		CHECK_FOR_INTERRUPTS();
		see(&overlap, &a, d, 1);
		see(&overlap, &b, d, 2);
	}
	all = rec_dictionary_count(overlap.dict);
	if (all == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((double) overlap.common / all);
}

/* ----------------
 *		distributions
 * ----------------
 */

typedef enum Divergence
{
	JENSEN_SHANNON,
	KULLBACK_LEIBLER
} Divergence;

static const char *
divergence_name(int divergence)
{
	return divergence == JENSEN_SHANNON ? "jensen_shannon" : divergence == KULLBACK_LEIBLER ? "kullback_leibler" : NULL;
}

/* Return amounts as shares of their sum; NULL if there are none. */
static double *
read_shares(FunctionCallInfo fcinfo, int n, const char *name, int *count)
{
	double	   *share = rec_number_argument_array(fcinfo, n, name, count);
	double		sum = 0;

	for (int i = 0; i < *count; i++)
	{
		rec_number_argument_check(share[i], 0, HUGE_VAL, name);
		sum += share[i];
	}
	rec_number_argument_check(sum, 0, HUGE_VAL, "a sum of amounts");
	for (int i = 0; i < *count; i++)
		share[i] /= sum;
	return sum > 0 ? share : NULL;
}

/* Return the part of one value in a Kullback-Leibler divergence, in bits. */
static double
relative_bits(double p, double q)
{
	return p > 0 ? p * log2(p / q) : 0;
}

/*
 * divergence(p, q, method, smoothing): how far q is from p, in bits; q is first
 * mixed with p, which gets the share "smoothing" (Steck 2018).
 */
PG_FUNCTION_INFO_V1(rec_divergence);
Datum
rec_divergence(PG_FUNCTION_ARGS)
{
	int			count;
	int			other;
	double	   *p = read_shares(fcinfo, 0, "p", &count);
	double	   *q = read_shares(fcinfo, 1, "q", &other);
	Divergence	divergence = rec_closest_name_number("method", divergence_name, rec_arguments_text(fcinfo, 2));
	double		smoothing = PG_GETARG_FLOAT8(3);
	double		sum = 0;

	rec_number_argument_check(smoothing, 0, 1, "smoothing");
	if (count != other)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("p and q must have the same number of elements"),
				 errdetail("Their lengths are %d and %d.", count, other)));
	if (p == NULL || q == NULL)
		PG_RETURN_NULL();
	for (int i = 0; i < count; i++)
	{
		double		mixed = (1 - smoothing) * q[i] + smoothing * p[i];
		double		middle = (p[i] + mixed) / 2;

		if (divergence == KULLBACK_LEIBLER)
			sum += relative_bits(p[i], mixed);
		else
			sum += (relative_bits(p[i], middle) + relative_bits(mixed, middle)) / 2;
	}
	PG_RETURN_FLOAT8(Max(sum, 0));
}

/* ----------------
 *		exposure
 * ----------------
 */

/* Return a state of entropy, two numbers; anything else is an ERROR. */
static ArrayType *
entropy_state(FunctionCallInfo fcinfo, int n)
{
	ArrayType  *state = PG_ARGISNULL(n) ? NULL : PG_GETARG_ARRAYTYPE_P(n);

	if (state == NULL || ARR_NDIM(state) != 1 || ARR_DIMS(state)[0] != 2 || ARR_HASNULL(state))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("state of entropy must have two numbers")));
	return state;
}

/* entropy's transition: (sums, amount); sums of amounts and of x log2 x. */
PG_FUNCTION_INFO_V1(rec_entropy_transition);
Datum
rec_entropy_transition(PG_FUNCTION_ARGS)
{
	ArrayType  *state = entropy_state(fcinfo, 0);
	double	   *sum = (double *) ARR_DATA_PTR(state);
	double		amount = PG_ARGISNULL(1) ? 0 : PG_GETARG_FLOAT8(1);

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	rec_number_argument_check(amount, 0, HUGE_VAL, "exposure");
	if (amount > 0)
	{
		sum[0] += amount;
		sum[1] += amount * log2(amount);
	}
	PG_RETURN_ARRAYTYPE_P(state);
}

/* Combine function of entropy: adds the second sums to the first. */
PG_FUNCTION_INFO_V1(rec_entropy_combine);
Datum
rec_entropy_combine(PG_FUNCTION_ARGS)
{
	ArrayType  *state = entropy_state(fcinfo, 0);
	ArrayType  *other = entropy_state(fcinfo, 1);

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	for (int i = 0; i < 2; i++)
		((double *) ARR_DATA_PTR(state))[i] += ((double *) ARR_DATA_PTR(other))[i];
	PG_RETURN_ARRAYTYPE_P(state);
}

/* entropy's final function: log2(sum) - sum x log2 x / sum; NULL if the sum is 0. */
PG_FUNCTION_INFO_V1(rec_entropy_final);
Datum
rec_entropy_final(PG_FUNCTION_ARGS)
{
	ArrayType  *state = entropy_state(fcinfo, 0);
	double	   *sum = (double *) ARR_DATA_PTR(state);

	if (!(sum[0] > 0))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(Max(0, log2(sum[0]) - sum[1] / sum[0]));
}
