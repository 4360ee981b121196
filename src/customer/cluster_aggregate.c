/*-------------------------------------------------------------------------
 *
 * cluster_aggregate.c
 *	  cluster_agg, an aggregate over rows of features, and cluster_of.
 *
 * The state is the features, 8 bytes each.  The final function sorts a copy.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/cluster_aggregate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "customer/cluster.h"
#include "customer/row_array.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "pg/arguments.h"
#include "pg/compat.h"
#include "pg/memory_budget.h"
#include "utils/array.h"
#include "utils/memutils.h"

#define STATE_VERSION	1		/* first byte of a serialized state */
#define CLUSTER_NCOLS	5		/* of type cluster */
#define MAX_CLUSTERS	1000
#define MAX_FEATURES	1000

/* The rows of a group, and the arguments that are equal in all of them. */
typedef struct ClusterState
{
	MemoryContext mcxt;			/* of all that follows */
	int32		k;
	bool		scale;
	int64		allocated;		/* values */
	RecFeatures features;		/* nfeatures is 0 before the first row */
} ClusterState;

/* ----------------
 *		arguments
 * ----------------
 */

static int32
get_clusters(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("clusters must not be null")));
	if (PG_GETARG_INT32(2) < 1 || PG_GETARG_INT32(2) > MAX_CLUSTERS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("clusters must be between 1 and %d, not %d",
						MAX_CLUSTERS, PG_GETARG_INT32(2))));
	return PG_GETARG_INT32(2);
}

static bool
get_scale(FunctionCallInfo fcinfo)
{
	if (PG_NARGS() < 4)
		return true;
	if (PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("scale must not be null")));
	return PG_GETARG_BOOL(3);
}

/* Return the length of an array of features, 1 to 1000. */
static int
count_features(ArrayType *array)
{
	if (ARR_NDIM(array) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 ARR_NDIM(array) == 0 ? errmsg("features must not be empty") :
				 errmsg("features must be an array of one dimension")));
	if (ARR_DIMS(array)[0] > MAX_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be at most %d features, not %d",
						MAX_FEATURES, ARR_DIMS(array)[0])));
	return ARR_DIMS(array)[0];
}

static void
require_length(int expected, int found)
{
	if (expected != found)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be as many features in all rows"),
				 errdetail("One row has %d, another one %d.",
						   Min(expected, found), Max(expected, found))));
}

/* Return the values of an array without NULLs, all finite. */
static const double *
finite_values(ArrayType *array, int n)
{
	const double *value = (const double *) ARR_DATA_PTR(array);

	for (int i = 0; i < n; i++)
	{
		if (!isfinite(value[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("features must be finite numbers"),
					 errdetail("Feature %d is %g.", i + 1, value[i])));
	}
	return value;
}

/* ----------------
 *		the state
 * ----------------
 */

static ClusterState *
create_state(MemoryContext parent, int32 k, bool scale)
{
	MemoryContext mcxt = AllocSetContextCreate(parent, "recommender cluster rows",
											   ALLOCSET_SMALL_SIZES);
	ClusterState *state = MemoryContextAllocZero(mcxt, sizeof(ClusterState));

	state->mcxt = mcxt;
	state->k = k;
	state->scale = scale;
	return state;
}

static void
require_equal_arguments(const ClusterState *state, int32 k, bool scale)
{
	if (state->k != k || state->scale != scale)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be the same for all rows of a group",
						state->k != k ? "clusters" : "scale")));
}

/* Add rows of features. */
static void
add_rows(ClusterState *state, const double *value, int64 nrows)
{
	RecFeatures *features = &state->features;
	int64		used = features->nrows * features->nfeatures;
	int64		more = nrows * features->nfeatures;

	if (used + more > state->allocated)
	{
		int64		allocated = rec_memory_budget_room(state->allocated, used + more);
		Size		size = mul_size(allocated, sizeof(double));

		rec_memory_budget_check(state->mcxt, size);
		if (features->value == NULL)
			features->value = MemoryContextAllocHuge(state->mcxt, size);
		else
			features->value = repalloc_huge(features->value, size);
		state->allocated = allocated;
	}
	memcpy(features->value + used, value, more * sizeof(double));
	features->nrows += nrows;
}

/*
 * cluster_agg's transition: (state, features, clusters[, scale]).  A row that
 * is NULL or has a NULL element does not count.
 */
PG_FUNCTION_INFO_V1(rec_cluster_transition);
Datum
rec_cluster_transition(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	int32		k = get_clusters(fcinfo);
	bool		scale = get_scale(fcinfo);
	ClusterState *state;
	ArrayType  *array;
	int			nfeatures;

	if (PG_ARGISNULL(0))
		state = create_state(mcxt, k, scale);
	else
	{
		state = (ClusterState *) PG_GETARG_POINTER(0);
		require_equal_arguments(state, k, scale);
	}
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);
	array = PG_GETARG_ARRAYTYPE_P(1);
	nfeatures = count_features(array);
	if (state->features.nfeatures == 0)
		state->features.nfeatures = nfeatures;
	require_length(state->features.nfeatures, nfeatures);
	if (!array_contains_nulls(array))
	{
		const double *value = finite_values(array, nfeatures);

		add_rows(state, value, 1);
	}
	PG_RETURN_POINTER(state);
}

/* cluster_agg's combine function: adds the second state to the first. */
PG_FUNCTION_INFO_V1(rec_cluster_combine);
Datum
rec_cluster_combine(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	ClusterState *state = PG_ARGISNULL(0) ? NULL : (ClusterState *) PG_GETARG_POINTER(0);
	const ClusterState *other = PG_ARGISNULL(1) ? NULL : (ClusterState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = create_state(mcxt, other->k, other->scale);
	require_equal_arguments(state, other->k, other->scale);
	if (other->features.nfeatures == 0)
		PG_RETURN_POINTER(state);
	if (state->features.nfeatures == 0)
		state->features.nfeatures = other->features.nfeatures;
	require_length(state->features.nfeatures, other->features.nfeatures);
	if (other->features.nrows > 0)
		add_rows(state, other->features.value, other->features.nrows);
	PG_RETURN_POINTER(state);
}

/* cluster_agg's serialize function; deserialize reads the same bytes. */
PG_FUNCTION_INFO_V1(rec_cluster_serialize);
Datum
rec_cluster_serialize(PG_FUNCTION_ARGS)
{
	const ClusterState *state = (const ClusterState *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, STATE_VERSION);
	pq_sendbyte(&buffer, state->scale);
	pq_sendint32(&buffer, state->k);
	pq_sendint32(&buffer, state->features.nfeatures);
	for (int64 i = 0; i < state->features.nrows * state->features.nfeatures; i++)
		pq_sendfloat8(&buffer, state->features.value[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

static void
refuse_state(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("serialized state of cluster_agg is not valid")));
}

/*
 * cluster_agg's deserialize function.  The state lives only until it is
 * combined, in the current context.  Bytes that were not made by serialize are
 * an ERROR.
 */
PG_FUNCTION_INFO_V1(rec_cluster_deserialize);
Datum
rec_cluster_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buffer;
	ClusterState *state;
	int			scale;
	int			k;
	int			nfeatures;
	int			width;
	int			rest;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	buffer.data = VARDATA_ANY(bytes);
	buffer.len = buffer.maxlen = VARSIZE_ANY_EXHDR(bytes);
	buffer.cursor = 0;
	if (pq_getmsgbyte(&buffer) != STATE_VERSION)
		refuse_state();
	scale = pq_getmsgbyte(&buffer);
	k = pq_getmsgint(&buffer, 4);
	nfeatures = pq_getmsgint(&buffer, 4);
	rest = buffer.len - buffer.cursor;
	if (scale > 1 || k < 1 || k > MAX_CLUSTERS || nfeatures < 0 || nfeatures > MAX_FEATURES)
		refuse_state();
	width = nfeatures * sizeof(double);
	if (nfeatures == 0 ? rest != 0 : rest % width != 0)
		refuse_state();
	state = create_state(CurrentMemoryContext, k, scale != 0);
	state->features.nfeatures = nfeatures;
	for (int i = 0; width > 0 && i < rest / width; i++)
	{
		double		row[MAX_FEATURES];

		for (int j = 0; j < nfeatures; j++)
		{
			row[j] = pq_getmsgfloat8(&buffer);
			if (!isfinite(row[j]))
				refuse_state();
		}
		add_rows(state, row, 1);
	}
	PG_RETURN_POINTER(state);
}

/* ----------------
 *		results
 * ----------------
 */

static Datum
array_of_numbers(const double *number, int n)
{
	Datum	   *values = palloc(n * sizeof(Datum));

	for (int i = 0; i < n; i++)
		values[i] = Float8GetDatum(number[i]);
	return PointerGetDatum(construct_array(values, n, FLOAT8OID, sizeof(double),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static void
add_cluster(RecRowArray *rows, const RecClusters *clusters, int i, int nfeatures)
{
	Datum		values[CLUSTER_NCOLS];
	bool		nulls[CLUSTER_NCOLS] = {0};

	values[0] = Int32GetDatum(i + 1);
	values[1] = Int64GetDatum(clusters->size[i]);
	values[2] = array_of_numbers(clusters->center + i * nfeatures, nfeatures);
	values[3] = array_of_numbers(clusters->scale, nfeatures);
	values[4] = Float8GetDatum(clusters->spread[i]);
	rec_row_array_add(rows, values, nulls);
}

/*
 * cluster_agg's final function: an array of cluster, the largest first; NULL
 * when no row counts.
 */
PG_FUNCTION_INFO_V1(rec_cluster_final);
Datum
rec_cluster_final(PG_FUNCTION_ARGS)
{
	const ClusterState *state;
	RecFeatures features;
	RecClusters clusters;
	RecRowArray rows;
	MemoryContext working;
	MemoryContext old;
	Datum		result;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (const ClusterState *) PG_GETARG_POINTER(0);
	if (state->features.nrows == 0)
		PG_RETURN_NULL();
	/* within the state's, so that the two count together */
	working = AllocSetContextCreate(state->mcxt, "recommender clusters", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(working);
	features = state->features;
	rec_cluster_sort(working, &features);
	clusters = rec_cluster_rows(&features, state->k, state->scale);
	rows = rec_row_array_begin(fcinfo);
	for (int i = 0; i < clusters.n; i++)
		add_cluster(&rows, &clusters, i, features.nfeatures);
	result = rec_row_array_finish(&rows, old);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(working);
	PG_RETURN_DATUM(result);
}

/* Clusters as cluster_of wants them. */
typedef struct KnownClusters
{
	int			n;
	int			nfeatures;
	int32	   *number;
	double	   *center;
	double	   *weight;
} KnownClusters;

/* Return the values of an array field of a cluster, of the given length or any. */
static const double *
field_values(Datum field, bool is_null, int *nfeatures)
{
	ArrayType  *array = is_null ? NULL : DatumGetArrayTypeP(field);

	if (array == NULL || ARR_NDIM(array) != 1 || array_contains_nulls(array) ||
		ARR_DIMS(array)[0] > MAX_FEATURES ||
		(*nfeatures > 0 && ARR_DIMS(array)[0] != *nfeatures))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("clusters must have centers and scales of one length, without nulls")));
	*nfeatures = ARR_DIMS(array)[0];
	return finite_values(array, *nfeatures);
}

static void *
parse_clusters(Datum *rows, int nrows)
{
	KnownClusters *clusters = palloc0(sizeof(KnownClusters));

	clusters->number = palloc(Max(nrows, 1) * sizeof(int32));
	for (int i = 0; i < nrows; i++)
	{
		Datum		values[CLUSTER_NCOLS];
		bool		nulls[CLUSTER_NCOLS];
		const double *center;
		const double *scale;

		rec_row_array_read(rows[i], CLUSTER_NCOLS, values, nulls);
		center = field_values(values[2], nulls[2], &clusters->nfeatures);
		scale = field_values(values[3], nulls[3], &clusters->nfeatures);
		if (clusters->center == NULL)
		{
			clusters->center = palloc_array(double, nrows * clusters->nfeatures);
			clusters->weight = palloc_array(double, clusters->nfeatures);
			rec_cluster_weights(scale, clusters->nfeatures, clusters->weight);
		}
		memcpy(clusters->center + i * clusters->nfeatures, center,
			   clusters->nfeatures * sizeof(double));
		clusters->number[i] = nulls[0] ? i + 1 : DatumGetInt32(values[0]);
		clusters->n++;
	}
	return clusters;
}

/*
 * cluster_of(clusters, features): the number of the cluster whose center is
 * nearest, the smaller number of equal ones; NULL when an argument or a feature
 * is NULL, or there is no cluster.  STRICT.
 */
PG_FUNCTION_INFO_V1(rec_cluster_of);
Datum
rec_cluster_of(PG_FUNCTION_ARGS)
{
	const KnownClusters *clusters = rec_row_array_parsed(fcinfo, 0, parse_clusters);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	const double *row;
	double		nearest = INFINITY;
	int32		number = 0;

	if (clusters->n == 0)
		PG_RETURN_NULL();
	require_length(clusters->nfeatures, count_features(array));
	if (array_contains_nulls(array))
		PG_RETURN_NULL();
	row = finite_values(array, clusters->nfeatures);
	for (int i = 0; i < clusters->n; i++)
	{
		double		distance = rec_cluster_distance(row, clusters->center + i * clusters->nfeatures,
													clusters->weight, clusters->nfeatures);

		if (i == 0 || distance < nearest || (distance == nearest && clusters->number[i] < number))
		{
			nearest = distance;
			number = clusters->number[i];
		}
	}
	PG_RETURN_INT32(number);
}
