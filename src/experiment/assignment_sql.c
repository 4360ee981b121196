/*-------------------------------------------------------------------------
 *
 * assignment_sql.c
 *	  Assignment to variants, and draws, as SQL functions.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/assignment_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "experiment/assignment.h"
#include "experiment/number_argument.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pg/arguments.h"
#include "pg/compat.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* bucket(salt, id) */
PG_FUNCTION_INFO_V1(rec_bucket);
Datum
rec_bucket(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(rec_assignment_bucket(rec_arguments_text(fcinfo, 0),
										   rec_assignment_id_text(fcinfo, 1), NULL));
}

/* Return whether two names have the same bytes. */
static bool
same_name(Datum a, Datum b)
{
	const text *x = DatumGetTextPP(a);
	const text *y = DatumGetTextPP(b);

	return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y)
		&& memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

/* Return the names of variants, which must be there and differ. */
static Datum *
read_variants(FunctionCallInfo fcinfo, int n, int *count)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(n);
	Datum	   *name;

	if (ARR_NDIM(array) != 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("variants must be a one-dimensional array of at least one name, without nulls")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &name, NULL, count);
	for (int i = 1; i < *count; i++)
	{
		for (int j = 0; j < i; j++)
		{
			if (j % 8192 == 0)
				CHECK_FOR_INTERRUPTS();
			if (same_name(name[i], name[j]))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("variant \"%s\" is named twice", TextDatumGetCString(name[i]))));
		}
	}
	return name;
}

/* Return the weights of variants: those given, or equal ones. */
static double *
read_weights(FunctionCallInfo fcinfo, int n, int nvariants)
{
	double	   *weight;
	int			count;

	if (PG_ARGISNULL(n))
	{
		weight = palloc_array(double, nvariants);
		for (int i = 0; i < nvariants; i++)
			weight[i] = 1.0 / nvariants;
		return weight;
	}
	weight = rec_number_argument_array(fcinfo, n, "weights", &count);
	if (count != nvariants)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("variants and weights must have the same number of elements"),
				 errdetail("Their lengths are %d and %d.", nvariants, count)));
	rec_assignment_check_weights(weight, count, "weights");
	return weight;
}

/* Return whether an id is in the part of a layer that is asked for. */
static bool
is_in_layer(FunctionCallInfo fcinfo, const char *id)
{
	char	   *layer = rec_arguments_text(fcinfo, 5);
	double		from = PG_GETARG_FLOAT8(6);
	double		to = PG_GETARG_FLOAT8(7);
	double		bucket;

	rec_number_argument_check(from, 0, 1, "layer_from");
	rec_number_argument_check(to, from, 1, "layer_to");
	if (layer == NULL)
	{
		if (from > 0 || to < 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("layer_from and layer_to need a layer")));
		return true;
	}
	bucket = rec_assignment_bucket(layer, id, NULL);
	return bucket >= from && bucket < to;
}

/* variant(salt, id, variants, weights, traffic, layer, layer_from, layer_to) */
PG_FUNCTION_INFO_V1(rec_variant);
Datum
rec_variant(PG_FUNCTION_ARGS)
{
	Datum	   *name;
	double	   *weight;
	double		traffic;
	int			count;
	int			picked;
	char	   *id;

	if (rec_number_argument_any_null(fcinfo, 0, 2) || PG_ARGISNULL(4)
		|| rec_number_argument_any_null(fcinfo, 6, 7))
		PG_RETURN_NULL();
	name = read_variants(fcinfo, 2, &count);
	weight = read_weights(fcinfo, 3, count);
	traffic = PG_GETARG_FLOAT8(4);
	rec_number_argument_check(traffic, 0, 1, "traffic");
	id = rec_assignment_id_text(fcinfo, 1);
	if (!is_in_layer(fcinfo, id))
		PG_RETURN_NULL();
	picked = rec_assignment_pick(weight, count, traffic,
								 rec_assignment_bucket(rec_arguments_text(fcinfo, 0), id, NULL));
	if (picked < 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(name[picked]);
}

/* draw(probabilities, salt, id, counter) */
PG_FUNCTION_INFO_V1(rec_draw);
Datum
rec_draw(PG_FUNCTION_ARGS)
{
	int			count;
	double	   *probability = rec_number_argument_array(fcinfo, 0, "probabilities", &count);
	double		bucket;

	rec_assignment_check_weights(probability, count, "probabilities");
	bucket = rec_assignment_bucket(rec_arguments_text(fcinfo, 1), rec_assignment_id_text(fcinfo, 2),
								   rec_arguments_text(fcinfo, 3));
	PG_RETURN_INT32(rec_assignment_pick(probability, count, 1, bucket) + 1);
}
