/*-------------------------------------------------------------------------
 *
 * similarity_aggregate.c
 *	  Item similarity over any rows: an aggregate and a function.
 *
 * The aggregate's state is the interactions themselves, as numbers, with the
 * dictionaries of users and items.  Partial states of parallel workers are
 * combined by mapping the numbers of one to those of the other.  The order of
 * rows has no effect on the result (see matrix.c).  The final function consumes
 * the state only if it cannot be called with it again.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity_aggregate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "interaction/interaction_partial.h"
#include "interaction/stream.h"
#include "libpq/pqformat.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "options/options_default.h"
#include "options/options_read.h"
#include "pg/arguments.h"
#include "pg/relation.h"
#include "similarity/ridge.h"
#include "similarity/similarity.h"
#include "similarity/similarity_range.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

#define SIMILARITY_NCOLS	4	/* columns of type item_similarity */
#define STATE_VERSION		1	/* first byte of a serialized state */

/* The aggregate's state; all of it lives in "mcxt". */
typedef struct SimilarityState
{
	MemoryContext mcxt;
	RecInteractions *interactions;
	Jsonb	   *options;		/* as given, or NULL */
} SimilarityState;

/* Return the build options of Level 1 from what the user gave. */
static void
read_options(RecOptions *options, Jsonb *given)
{
	rec_options_default(options, false);
	if (given)
		rec_options_read(options, given, REC_SCOPE_BUILD);
	if (options->model == REC_MODEL_ALS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"als\" has factors of items, not neighbours"),
				 errhint("It belongs to a recommender: use set_options().")));
}

/* ----------------
 *		the aggregate's transition
 * ----------------
 */

/*
 * Return the collation of one of the aggregate's own arguments. A window
 * function call knows only the common collation of all arguments, which may
 * not exist.
 */
static Oid
argument_collation(FunctionCallInfo fcinfo, int argument)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);
	Oid			collation = PG_GET_COLLATION();

	if (aggref && list_length(aggref->args) > argument)
		collation = exprCollation((Node *) list_nth_node(TargetEntry, aggref->args,
														 argument)->expr);
	else if (!OidIsValid(collation) &&
			 type_is_collatable(get_fn_expr_argtype(fcinfo->flinfo, argument + 1)))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_COLLATION),
				 errmsg("could not determine which collation to use for ids"),
				 errhint("Use the COLLATE clause to set the same collation for users and items.")));
	return collation;
}

/* Report an error for options that need a time column. */
static void
refuse_time_options(const RecOptions *options, const char *hint)
{
	if (options->half_life > 0 || options->repeats == REC_REPEATS_LAST)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" needs the time of the interactions",
						options->half_life > 0 ? "half_life" : "repeats"),
				 errhint("%s", hint)));
}

static Jsonb *
given_options(FunctionCallInfo fcinfo)
{
	if (PG_NARGS() < 5 || PG_ARGISNULL(4))
		return NULL;
	return PG_GETARG_JSONB_P(4);
}

static SimilarityState *
begin_state(FunctionCallInfo fcinfo, MemoryContext mcxt)
{
	SimilarityState *state = MemoryContextAllocZero(mcxt, sizeof(SimilarityState));
	Jsonb	   *given = given_options(fcinfo);
	RecOptions	options;

	state->mcxt = AllocSetContextCreate(mcxt, "recommender similarity state",
										   ALLOCSET_DEFAULT_SIZES);
	read_options(&options, given);
	refuse_time_options(&options,
						"Use item_similarities() with a query whose fourth column is the time.");
	if (given)
	{
		state->options = MemoryContextAlloc(state->mcxt, VARSIZE(given));
		memcpy(state->options, given, VARSIZE(given));
	}
	state->interactions =
		rec_interaction_create(state->mcxt,
								get_fn_expr_argtype(fcinfo->flinfo, 1),
								argument_collation(fcinfo, 0),
								get_fn_expr_argtype(fcinfo->flinfo, 2),
								argument_collation(fcinfo, 1));
	return state;
}

static bool
same_options(const Jsonb *a, const Jsonb *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

static void
refuse_changed_options(const Jsonb *a, const Jsonb *b)
{
	if (!same_options(a, b))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the options must be the same for all rows of a group")));
}

/*
 * item_similarity_agg's transition: (state, user, item[, weight[, options]]).
 * A row without user or item does not count; without a weight it counts 1.
 */
PG_FUNCTION_INFO_V1(rec_item_similarity_transition);
Datum
rec_item_similarity_transition(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	SimilarityState *state;
	RecRow		row = {0};

	if (PG_ARGISNULL(0))
		state = begin_state(fcinfo, mcxt);
	else
	{
		state = (SimilarityState *) PG_GETARG_POINTER(0);
		if (PG_NARGS() > 4 && !get_fn_expr_arg_stable(fcinfo->flinfo, 4))
			refuse_changed_options(state->options, given_options(fcinfo));
	}
	row.user_null = PG_ARGISNULL(1);
	row.item_null = PG_ARGISNULL(2);
	row.user = PG_GETARG_DATUM(1);
	row.item = PG_GETARG_DATUM(2);
	row.has_weight = true;
	row.weight = PG_NARGS() > 3 && !PG_ARGISNULL(3) ? PG_GETARG_FLOAT8(3) : 1;
	row.time = REC_NO_TIME;
	rec_interaction_add(state->interactions, &row);
	PG_RETURN_POINTER(state);
}

/* ----------------
 *		pieces from parallel workers
 * ----------------
 */

static SimilarityState *
empty_copy(const SimilarityState *state, MemoryContext mcxt)
{
	SimilarityState *copy = MemoryContextAllocZero(mcxt, sizeof(SimilarityState));
	RecDict    *users = state->interactions->users;
	RecDict    *items = state->interactions->items;

	copy->mcxt = AllocSetContextCreate(mcxt, "recommender similarity state",
										  ALLOCSET_DEFAULT_SIZES);
	if (state->options)
	{
		copy->options = MemoryContextAlloc(copy->mcxt, VARSIZE(state->options));
		memcpy(copy->options, state->options, VARSIZE(state->options));
	}
	copy->interactions =
		rec_interaction_create(copy->mcxt,
								rec_dictionary_type(users), rec_dictionary_collation(users),
								rec_dictionary_type(items), rec_dictionary_collation(items));
	return copy;
}

/* item_similarity_agg's combine function: adds the second state to the first. */
PG_FUNCTION_INFO_V1(rec_item_similarity_combine);
Datum
rec_item_similarity_combine(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	SimilarityState *state = PG_ARGISNULL(0) ? NULL : (SimilarityState *) PG_GETARG_POINTER(0);
	SimilarityState *other = PG_ARGISNULL(1) ? NULL : (SimilarityState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = empty_copy(other, mcxt);
	refuse_changed_options(state->options, other->options);
	rec_interaction_partial_append(state->interactions, other->interactions);
	PG_RETURN_POINTER(state);
}

/* item_similarity_agg's serialize function. */
PG_FUNCTION_INFO_V1(rec_item_similarity_serialize);
Datum
rec_item_similarity_serialize(PG_FUNCTION_ARGS)
{
	SimilarityState *state = (SimilarityState *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, STATE_VERSION);
	pq_sendstring(&buffer, state->options ?
				  JsonbToCString(NULL, &state->options->root, VARSIZE(state->options)) : "");
	rec_interaction_partial_send(&buffer, state->interactions);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

/*
 * item_similarity_agg's deserialize function.  The state lives only until it
 * is combined, in the current context.  Bytes that were not made by serialize
 * are an ERROR.
 */
PG_FUNCTION_INFO_V1(rec_item_similarity_deserialize);
Datum
rec_item_similarity_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	SimilarityState *state = palloc0_object(SimilarityState);
	StringInfoData buffer;
	const char *options;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (pq_getmsgbyte(&buffer) != STATE_VERSION)
		rec_interaction_partial_refuse();
	state->mcxt = CurrentMemoryContext;
	options = pq_getmsgstring(&buffer);
	if (options[0] != '\0')
		state->options = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
															CStringGetDatum(options)));
	state->interactions = rec_interaction_partial_receive(&buffer);
	pq_getmsgend(&buffer);
	PG_RETURN_POINTER(state);
}

/* ----------------
 *		results
 * ----------------
 */

/* Writes results as an array or as rows; the text of each id is made once. */
typedef struct ResultWriter
{
	RecInteractions *interactions;
	const RecMatrix *matrix;
	Datum	   *texts;			/* item -> its id as text, or 0 */
	TupleDesc	desc;
	Tuplestorestate *store;		/* the function's result */
	ArrayBuildState *array;		/* the aggregate's result */
	Oid			row_type;
	Size		size;			/* of the array so far */
} ResultWriter;

static Datum
item_text(ResultWriter *writer, uint32 item)
{
	if (writer->texts[item] == (Datum) 0)
	{
		char	   *text = rec_dictionary_text(writer->interactions->items,
										 writer->matrix->item_id[item]);

		writer->texts[item] = CStringGetTextDatum(text);
		pfree(text);
	}
	return writer->texts[item];
}

static void
append_to_array(ResultWriter *writer, Datum *values, bool *nulls)
{
	HeapTuple	tuple = heap_form_tuple(writer->desc, values, nulls);

	writer->size += MAXALIGN(tuple->t_len);
	if (writer->size > MaxAllocSize / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the neighbours of all items do not fit into one value"),
				 errhint("Use item_similarities(), whose result has no limit, or fewer neighbors.")));
	writer->array = accumArrayResult(writer->array, HeapTupleGetDatum(tuple),
									 false, writer->row_type, CurrentMemoryContext);
	heap_freetuple(tuple);
}

static void
write_row(void *arg, uint32 item, const RecNeighbor *row, int n)
{
	ResultWriter *writer = (ResultWriter *) arg;
	Datum		values[SIMILARITY_NCOLS];
	bool		nulls[SIMILARITY_NCOLS] = {0};

	rec_similarity_range_check(row, n, item, writer->matrix->item_id, writer->interactions->items);
	for (int i = 0; i < n; i++)
	{
		values[0] = item_text(writer, item);
		values[1] = item_text(writer, row[i].item);
		values[2] = Float8GetDatum(row[i].similarity);
		values[3] = Int64GetDatum(row[i].support);
		if (writer->store)
			tuplestore_putvalues(writer->store, writer->desc, values, nulls);
		else
			append_to_array(writer, values, nulls);
	}
}

static void
write_results(ResultWriter *writer, RecInteractions *interactions,
			  const RecOptions *options)
{
	RecMatrix  *matrix = rec_interaction_matrix(interactions, options, NULL);

	writer->interactions = interactions;
	writer->matrix = matrix;
	writer->texts = MemoryContextAllocExtended(CurrentMemoryContext,
											   mul_size(Max(matrix->nitems, 1), sizeof(Datum)),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (options->model == REC_MODEL_RIDGE)
		rec_ridge_rows(matrix, options, write_row, writer);
	else
	{
		/* an aggregate may be part of a parallel plan, our function is not */
		rec_similarity_rows(matrix, options, writer->store != NULL, write_row, NULL, writer);
	}
}

/*
 * Return whether the final function is called for the last time with this
 * state: it is not called in a window, the state is not shared with another
 * aggregate, and is not in a table of hashed groups, which a rescan may read
 * again.
 */
static bool
state_is_last_used(FunctionCallInfo fcinfo)
{
	AggStrategy strategy;

	if (fcinfo->context == NULL || !IsA(fcinfo->context, AggState))
		return false;
	strategy = ((AggState *) fcinfo->context)->aggstrategy;
	return (strategy == AGG_PLAIN || strategy == AGG_SORTED) && !AggStateIsShared(fcinfo);
}

/*
 * item_similarity_agg's final function: an array of item_similarity, items
 * with most users first, each item's neighbours best first; empty when no two
 * items share a user, NULL when there was no row.
 */
PG_FUNCTION_INFO_V1(rec_item_similarity_final);
Datum
rec_item_similarity_final(PG_FUNCTION_ARGS)
{
	SimilarityState *state;
	RecInteractions interactions;
	ResultWriter writer = {0};
	RecOptions	options;
	MemoryContext working;
	MemoryContext old;
	Datum		result;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (SimilarityState *) PG_GETARG_POINTER(0);
	/* within the state's, so that the two count together */
	working = AllocSetContextCreate(state->mcxt, "recommender similarity result",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(working);
	read_options(&options, state->options);
	writer.row_type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	writer.desc = lookup_rowtype_tupdesc_copy(writer.row_type, -1);
	writer.array = initArrayResult(writer.row_type, working, false);
	interactions = *state->interactions;
	if (!state_is_last_used(fcinfo))
	{
		interactions.stream = rec_stream_copy(interactions.stream);
		interactions.user_mcxt = NULL;
	}
	write_results(&writer, &interactions, &options);
	result = makeArrayResult(writer.array, old);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(working);
	PG_RETURN_DATUM(result);
}

/*
 * item_similarities(query, options): the similarities of the items in the
 * rows of a query that yields user, item[, weight[, time]], in the order of
 * item_similarity_agg.  The query runs read-only with the caller's rights.
 */
PG_FUNCTION_INFO_V1(rec_item_similarities);
Datum
rec_item_similarities(PG_FUNCTION_ARGS)
{
	Jsonb	   *given = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ResultWriter writer = {0};
	RecOptions	options;
	RecInteractions *interactions;
	MemoryContext working;
	MemoryContext old;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("query must not be null")));
	read_options(&options, given);
	InitMaterializedSRF(fcinfo, 0);
	writer.store = rsinfo->setResult;
	writer.desc = rsinfo->setDesc;
	Assert(writer.desc->natts == SIMILARITY_NCOLS);
	SPI_connect();
	working = AllocSetContextCreate(CurrentMemoryContext, "recommender similarities",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(working);
	interactions = rec_interaction_from_query(text_to_cstring(PG_GETARG_TEXT_PP(0)),
											   working);
	if (!interactions->has_time)
		refuse_time_options(&options, "Give the query a fourth column, the time.");
	write_results(&writer, interactions, &options);
	MemoryContextSwitchTo(old);
	SPI_finish();
	return (Datum) 0;
}
