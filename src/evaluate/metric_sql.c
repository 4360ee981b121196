/*-------------------------------------------------------------------------
 *
 * metric_sql.c
 *	  Metrics of one list as SQL functions over arrays.
 *
 * A list is an array of ids of any type that has equality, by the type and the
 * collation of the call.  Ranks are positions in the array.  A duplicate and a
 * NULL occupy their ranks and are not hits; in the other arrays, which are sets,
 * both are ignored.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/metric_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "evaluate/metric.h"
#include "fmgr.h"
#include "interaction/dictionary.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* An array of ids, deconstructed. */
typedef struct IdArray
{
	Oid			type;
	Datum	   *id;
	bool	   *null;
	int			count;
} IdArray;

/* The relevant items and their gains. */
typedef struct Relevance
{
	RecDict    *dict;			/* relevant item -> number */
	double	   *gain;			/* by number; 0 after its first occurrence */
	double	   *ideal;			/* the gains above zero, descending */
	int			nrelevant;		/* of these */
} Relevance;

static void
check_one_dimension(const ArrayType *array, const char *name)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be a one-dimensional array", name)));
}

static IdArray
get_ids(FunctionCallInfo fcinfo, int argument, const char *name)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argument);
	IdArray		ids = {ARR_ELEMTYPE(array), NULL, NULL, 0};
	int16		typlen;
	bool		typbyval;
	char		typalign;

	check_one_dimension(array, name);
	get_typlenbyvalalign(ids.type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, ids.type, typlen, typbyval, typalign,
					  &ids.id, &ids.null, &ids.count);
	return ids;
}

/* Return k, or the length of the list if k is NULL. */
static int
get_k(FunctionCallInfo fcinfo, int argument, int length)
{
	int32		k;

	if (PG_ARGISNULL(argument))
		return Max(length, 1);
	k = PG_GETARG_INT32(argument);
	if (k <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be greater than zero")));
	return k;
}

/* Return the gains of the elements of "relevant"; an ERROR unless finite and not negative. */
static double *
get_gains(FunctionCallInfo fcinfo, int argument, int nrelevant, bool exponential)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argument);
	int			count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	double	   *gain = palloc_array(double, Max(count, 1));

	check_one_dimension(array, "gains");
	if (count != nrelevant)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("gains must have as many elements as relevant"),
				 errdetail("Their lengths are %d and %d.", count, nrelevant)));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("gains must not contain nulls")));
	memcpy(gain, ARR_DATA_PTR(array), count * sizeof(double));
	for (int i = 0; i < count; i++)
	{
		if (!isfinite(gain[i]) || gain[i] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a gain must be a finite number greater than or equal to zero")));
		if (exponential)
			gain[i] = exp2(gain[i]) - 1;
	}
	return gain;
}

/* Raise an ERROR if the sum of gains overflows; then discounted sums do not. */
static void
check_total(const double *gain, int n)
{
	double		total = 0;

	for (int i = 0; i < n; i++)
		total += gain[i];
	if (isinf(total))
		float_overflow_error();
}

static RecDict *
create_dict(FunctionCallInfo fcinfo, Oid type)
{
	if (!OidIsValid(PG_GET_COLLATION()) && type_is_collatable(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_COLLATION),
				 errmsg("could not determine which collation to use for ids"),
				 errhint("Use the COLLATE clause to set the collation explicitly.")));
	return rec_dictionary_create(type, PG_GET_COLLATION(), CurrentMemoryContext);
}

/*
 * Return the relevant items with the gain of each element, or 1 each if that is
 * NULL.  A duplicate has the larger gain, so that the order of elements does not
 * matter.
 */
static Relevance
weigh_relevant(FunctionCallInfo fcinfo, const IdArray *relevant, const double *gain)
{
	Relevance	relevance;
	int			n;

	relevance.dict = create_dict(fcinfo, relevant->type);
	relevance.gain = palloc0_array(double, Max(relevant->count, 1));
	relevance.ideal = palloc_array(double, Max(relevant->count, 1));
	relevance.nrelevant = 0;
	for (int i = 0; i < relevant->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!relevant->null[i])
		{
			uint32		number = rec_dictionary_intern(relevance.dict, relevant->id[i]);

			relevance.gain[number] = Max(relevance.gain[number], gain ? gain[i] : 1);
		}
	}
	n = rec_dictionary_count(relevance.dict);
	for (int i = 0; i < n; i++)
	{
		if (relevance.gain[i] > 0)
			relevance.ideal[relevance.nrelevant++] = relevance.gain[i];
	}
	rec_metric_sort_falling(relevance.ideal, relevance.nrelevant);
	check_total(relevance.ideal, relevance.nrelevant);
	return relevance;
}

/* Return the gains of the first k ranks of a list, each item's gain once. */
static RecRanking
rank_gains(const IdArray *recommended, Relevance *relevance, int k)
{
	int			n = Min(recommended->count, k);
	double	   *gain = palloc0_array(double, Max(n, 1));
	RecRanking	ranking = {.gain = gain, .n = n, .ideal = relevance->ideal, .nrelevant = relevance->nrelevant};

	for (int i = 0; i < n; i++)
	{
		uint32		number = REC_NOT_FOUND;

		CHECK_FOR_INTERRUPTS();
		if (!recommended->null[i])
			number = rec_dictionary_find(relevance->dict, recommended->id[i]);
		if (number != REC_NOT_FOUND)
		{
			gain[i] = relevance->gain[number];
			relevance->gain[number] = 0;
		}
	}
	return ranking;
}

/*
 * Return for each rank 0 if its item is expected, as these are a set, otherwise a
 * rank above any k.
 */
static int *
find_expected(FunctionCallInfo fcinfo, const IdArray *recommended, int n,
			  const IdArray *expected)
{
	RecDict    *dict = create_dict(fcinfo, expected->type);
	int		   *result = palloc_array(int, Max(n, 1));

	for (int i = 0; i < expected->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!expected->null[i])
			(void) rec_dictionary_intern(dict, expected->id[i]);
	}
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		result[i] = !recommended->null[i] &&
			rec_dictionary_find(dict, recommended->id[i]) != REC_NOT_FOUND ? 0 : PG_INT32_MAX;
	}
	return result;
}

/*
 * Compute a metric of one list from (recommended, relevant, k) and, for ndcg,
 * (gains, exponential).  NULL for a NULL array or without relevant items.
 */
static Datum
metric_of_list(FunctionCallInfo fcinfo, RecMetricNumber metric)
{
	MemoryContext working;
	MemoryContext old;
	IdArray		recommended;
	IdArray		relevant;
	Relevance	relevance;
	RecRanking	ranking;
	double	   *gain = NULL;
	double		value;
	int			k;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	working = AllocSetContextCreate(CurrentMemoryContext, "recommender metric",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(working);
	recommended = get_ids(fcinfo, 0, "recommended");
	relevant = get_ids(fcinfo, 1, "relevant");
	k = get_k(fcinfo, 2, recommended.count);
	if (PG_NARGS() > 3 && !PG_ARGISNULL(3))
		gain = get_gains(fcinfo, 3, relevant.count,
						 !PG_ARGISNULL(4) && PG_GETARG_BOOL(4));
	relevance = weigh_relevant(fcinfo, &relevant, gain);
	ranking = rank_gains(&recommended, &relevance, k);
	value = rec_metrics[metric].value(&ranking, k);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(working);
	if (relevance.nrelevant == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* precision(recommended, relevant, k): hits / k. */
PG_FUNCTION_INFO_V1(rec_precision);
Datum
rec_precision(PG_FUNCTION_ARGS)
{
	return metric_of_list(fcinfo, REC_PRECISION);
}

/* recall(recommended, relevant, k): hits / relevant items. */
PG_FUNCTION_INFO_V1(rec_recall);
Datum
rec_recall(PG_FUNCTION_ARGS)
{
	return metric_of_list(fcinfo, REC_RECALL);
}

/* hit_rate(recommended, relevant, k): 1 with a hit, 0 without. */
PG_FUNCTION_INFO_V1(rec_hit_rate);
Datum
rec_hit_rate(PG_FUNCTION_ARGS)
{
	return metric_of_list(fcinfo, REC_HIT_RATE);
}

/* average_precision(recommended, relevant, k): see metric.c. */
PG_FUNCTION_INFO_V1(rec_average_precision);
Datum
rec_average_precision(PG_FUNCTION_ARGS)
{
	return metric_of_list(fcinfo, REC_AVERAGE_PRECISION);
}

/* reciprocal_rank(recommended, relevant, k): 1 / rank of the first hit. */
PG_FUNCTION_INFO_V1(rec_reciprocal_rank);
Datum
rec_reciprocal_rank(PG_FUNCTION_ARGS)
{
	return metric_of_list(fcinfo, REC_RECIPROCAL_RANK);
}

/* ndcg(recommended, relevant, k, gains, exponential): see metric.c. */
PG_FUNCTION_INFO_V1(rec_ndcg);
Datum
rec_ndcg(PG_FUNCTION_ARGS)
{
	return metric_of_list(fcinfo, REC_NDCG);
}

/*
 * serendipity(recommended, relevant, expected, k): hits that are not expected / k.
 */
PG_FUNCTION_INFO_V1(rec_serendipity);
Datum
rec_serendipity(PG_FUNCTION_ARGS)
{
	MemoryContext working;
	MemoryContext old;
	IdArray		recommended;
	IdArray		relevant;
	IdArray		expected;
	Relevance	relevance;
	RecRanking	ranking;
	double		value;
	int			k;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	working = AllocSetContextCreate(CurrentMemoryContext, "recommender metric",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(working);
	recommended = get_ids(fcinfo, 0, "recommended");
	relevant = get_ids(fcinfo, 1, "relevant");
	expected = get_ids(fcinfo, 2, "expected");
	k = get_k(fcinfo, 3, recommended.count);
	relevance = weigh_relevant(fcinfo, &relevant, NULL);
	ranking = rank_gains(&recommended, &relevance, k);
	ranking.expected = find_expected(fcinfo, &recommended, ranking.n, &expected);
	value = rec_metrics[REC_SERENDIPITY].value(&ranking, k);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(working);
	if (relevance.nrelevant == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}
