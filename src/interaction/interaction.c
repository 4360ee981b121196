/*-------------------------------------------------------------------------
 *
 * interaction.c
 *	  Reading interactions: rows of a query become a stream of numbers.
 *
 * Rows go from the executor straight to our receiver, so that a table of
 * millions is read in one pass and never copied.  Queries run through SPI,
 * read-only, with the rights and the snapshot of the caller.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/interaction.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/detoast.h"
#include "access/toast_compression.h"
#include "access/toast_internals.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "interaction/interaction.h"
#include "interaction/matrix_build.h"
#include "interaction/stream.h"
#include "pg/arguments.h"
#include "pg/json_reader.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/*
 * Rows that are gathered while the memory where their ids will be looked up is
 * prefetched; for integer ids, which need no memory of their own.
 */
#define GATHER_ROWS		32

/* ----------------
 *		event weights
 * ----------------
 */

/*
 * Read {"view": 1, "purchase": 5} in the current context.  A value that is not
 * an object, and a weight that is not a finite number, is an ERROR.
 */
RecEventWeights *
rec_interaction_event_weights_parse(Jsonb *json)
{
	RecEventWeights *weights = palloc0_object(RecEventWeights);
	RecJsonMembers member;

	if (!JB_ROOT_IS_OBJECT(json))
		rec_json_reader_refuse("event_weights", "a JSON object of numbers");
	weights->entries = palloc_array(RecEventWeight, JB_ROOT_COUNT(json) + 1);
	member = rec_json_reader_members(&json->root);
	while (rec_json_reader_next_member(&member))
	{
		RecEventWeight *entry = &weights->entries[weights->count++];

		entry->event = member.name;
		if (member.value.type != jbvNumeric)
			rec_json_reader_refuse(psprintf("the weight of event \"%s\"", entry->event), "a number");
		entry->weight = rec_json_reader_double(&member.value);
		if (!isfinite(entry->weight))
			rec_json_reader_refuse(psprintf("the weight of event \"%s\"", entry->event),
								   "a finite number");
	}
	return weights;
}

/*
 * Find the weight of an event, which may be NULL; return false when it has
 * none.
 */
bool
rec_interaction_event_weight(const RecEventWeights *weights, const char *event, double *weight)
{
	for (int i = 0; event != NULL && i < weights->count; i++)
	{
		if (strcmp(weights->entries[i].event, event) == 0)
		{
			*weight = weights->entries[i].weight;
			return true;
		}
	}
	return false;
}

/* ----------------
 *		weights
 * ----------------
 */

/* True when a weight is 0, or finite and in the range that models can use. */
bool
rec_interaction_weight_is_valid(double weight)
{
	double		size = fabs(weight);

	return size == 0 || (size >= REC_LEAST_WEIGHT && size <= REC_MOST_WEIGHT);
}

/*
 * Report an error that names user and item, by their numbers in dictionaries,
 * unless the weight of their interaction is valid.  "users" may be NULL.
 */
void
rec_interaction_check_weight(double weight, RecDict *users, uint32 user,
							 RecDict *items, uint32 item)
{
	const char *row;

	if (rec_interaction_weight_is_valid(weight))
		return;
	row = users == NULL ? psprintf("item %s", rec_dictionary_text(items, item)) :
		psprintf("user %s and item %s", rec_dictionary_text(users, user),
				 rec_dictionary_text(items, item));
	if (!isfinite(weight))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight %g of %s is not a finite number", weight, row),
				 errhint("Leave such rows out with a WHERE clause or a view.")));
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("weight %g of %s is out of range", weight, row),
			 errdetail("The absolute value of a weight must be 0 or between %g and %g.",
					   REC_LEAST_WEIGHT, REC_MOST_WEIGHT),
			 errhint("Leave such rows out with a WHERE clause or a view, or use other units.")));
}

/*
 * Return true when an id, of a type of variable length, is longer than what an
 * index can hold, compressed as the index would compress it.
 */
bool
rec_interaction_id_is_too_long(Datum id)
{
	Datum		compressed;

	if (toast_raw_datum_size(id) <= REC_MOST_ID_BYTES)
		return false;
	compressed = toast_compress_datum(PointerGetDatum(PG_DETOAST_DATUM(id)), (char) default_toast_compression);
	return DatumGetPointer(compressed) == NULL || VARSIZE(DatumGetPointer(compressed)) > REC_MOST_ID_BYTES;
}

/* ----------------
 *		interactions in memory
 * ----------------
 */

/* Make an empty set of interactions whose memory is in "mcxt". */
RecInteractions *
rec_interaction_create(MemoryContext mcxt, Oid user_type, Oid user_collation,
					   Oid item_type, Oid item_collation)
{
	RecInteractions *interactions = MemoryContextAllocZero(mcxt, sizeof(RecInteractions));

	interactions->mcxt = mcxt;
	interactions->user_mcxt = AllocSetContextCreate(mcxt, "recommender users",
													   ALLOCSET_DEFAULT_SIZES);
	interactions->users = rec_dictionary_create(user_type, user_collation,
												interactions->user_mcxt);
	interactions->items = rec_dictionary_create(item_type, item_collation, mcxt);
	interactions->stream = rec_stream_create(mcxt);
	return interactions;
}

/*
 * Add a row.  A row without user, item or weight is counted and left out.  An
 * invalid weight is an ERROR with the row's ids.
 */
void
rec_interaction_add(RecInteractions *interactions, const RecRow *row)
{
	uint32		user;
	uint32		item;

	if (row->user_null || row->item_null)
	{
		interactions->null_keys++;
		return;
	}
	if (!row->has_weight)
	{
		interactions->without_weight++;
		return;
	}
	user = rec_dictionary_intern(interactions->users, row->user);
	item = rec_dictionary_intern(interactions->items, row->item);
	rec_interaction_check_weight(row->weight, interactions->users, user,
								 interactions->items, item);
	rec_stream_add(interactions->stream, user, item, row->weight, row->time);
	if (interactions->situations)
		rec_situation_append(interactions->situations, row->situation);
}

/*
 * Replace users by places in a fixed order if their order can affect results,
 * and free their ids if they have a memory context of their own.  All rows
 * have been read.
 */
void
rec_interaction_forget_users(RecInteractions *interactions, const RecOptions *options)
{
	if (interactions->users == NULL)
		return;
	interactions->nusers = rec_dictionary_count(interactions->users);
	if (rec_matrix_build_needs_user_ranks(interactions->stream, options))
	{
		uint32	   *rank = rec_dictionary_ranks(interactions->users, false);

		rec_stream_rank_users(interactions->stream, rank);
		pfree(rank);
	}
	if (interactions->user_mcxt)
		MemoryContextDelete(interactions->user_mcxt);
	interactions->user_mcxt = NULL;
	interactions->users = NULL;
}

/*
 * Make the matrix of the interactions in the current context.  This uses up
 * their stream and, if there is a user_mcxt, the ids of users.  Unless
 * item_rank is NULL, return in it the place of each item in the order of ids.
 */
RecMatrix *
rec_interaction_matrix(RecInteractions *interactions, const RecOptions *options,
					   uint32 **item_rank)
{
	uint32	   *ranks;
	RecIds		ids = {0};
	RecMatrix  *matrix;

	rec_interaction_forget_users(interactions, options);
	ranks = rec_dictionary_ranks(interactions->items, true);
	ids.nusers = interactions->nusers;
	ids.nitems = rec_dictionary_count(interactions->items);
	ids.item_rank = ranks;
	matrix = rec_matrix_build(interactions->stream, &ids, options);
	if (item_rank)
		*item_rank = ranks;
	else
		pfree(ranks);
	return matrix;
}

/* ----------------
 *		columns
 * ----------------
 */

/* Raise an error for a weight column that is not of a numeric type. */
void
rec_interaction_check_numeric_column(Oid type, const char *what)
{
	switch (getBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("%s must be of a numeric type, not %s",
							what, format_type_be(type))));
	}
}

/* Raise an error for a time column that is neither a timestamp nor a date. */
void
rec_interaction_check_time_column(Oid type, const char *what)
{
	switch (getBaseType(type))
	{
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
		case DATEOID:
			return;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("%s must be of type timestamp with time zone, timestamp or date, not %s",
							what, format_type_be(type))));
	}
}

static double
number_of(Datum value, Oid type)
{
	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case FLOAT8OID:
			return DatumGetFloat8(value);
		default:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8, value));
	}
}

/* Return a time in microseconds; REC_NO_TIME for an infinite one. */
static int64
time_of(Datum value, Oid type)
{
	TimestampTz time;

	if (type == TIMESTAMPOID)
		value = DirectFunctionCall1(timestamp_timestamptz, value);
	else if (type == DATEOID)
		value = DirectFunctionCall1(date_timestamptz, value);
	time = DatumGetTimestampTz(value);
	return TIMESTAMP_NOT_FINITE(time) ? REC_NO_TIME : time;
}

/* ----------------
 *		rows of a query
 * ----------------
 */

typedef struct RowReceiver
{
	DestReceiver receiver;		/* must come first */
	const RecRowFormat *format;
	RecRowTaker take;
	void	   *arg;
	MemoryContext row_context;	/* number of gathered rows */
	int			gather;			/* rows that are passed on together */
	int			gathered;
	RecRow		rows[GATHER_ROWS];
	Oid			weight_type;
	Oid			time_type;
	Oid			event_type;
	FmgrInfo	event_output;
	RecWallClock wall;			/* of the times */
	Oid		   *context_types;
	FmgrInfo   *context_outputs;
	char	  **context_texts;	/* of the current row */
} RowReceiver;

static Oid
column_type(TupleDesc desc, int column)
{
	if (column < 0)
		return InvalidOid;
	return getBaseType(TupleDescAttr(desc, column)->atttypid);
}

static void
prepare_output(Oid type, FmgrInfo *function)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(type, &output, &is_varlena);
	fmgr_info(output, function);
}

static void
prepare_contexts(RowReceiver *receiver, TupleDesc desc)
{
	const RecRowFormat *format = receiver->format;

	receiver->wall = format->time < 0 ? REC_WALL_NONE :
		receiver->time_type == TIMESTAMPTZOID ? REC_WALL_ZONE :
		receiver->time_type == TIMESTAMPOID ? REC_WALL_SESSION : REC_WALL_DATE;
	receiver->context_types = palloc_array(Oid, format->ncontexts + 1);
	receiver->context_outputs = palloc_array(FmgrInfo, format->ncontexts + 1);
	receiver->context_texts = palloc_array(char *, format->ncontexts + 1);
	for (int i = 0; i < format->ncontexts; i++)
	{
		receiver->context_types[i] = column_type(desc, format->first_context + i);
		prepare_output(receiver->context_types[i], &receiver->context_outputs[i]);
	}
}

static void
receiver_startup(DestReceiver *self, int operation pg_attribute_unused(), TupleDesc desc)
{
	RowReceiver *receiver = (RowReceiver *) self;
	const RecRowFormat *format = receiver->format;

	receiver->weight_type = column_type(desc, format->weight);
	receiver->time_type = column_type(desc, format->time);
	receiver->event_type = column_type(desc, format->event);
	if (format->event >= 0)
		prepare_output(receiver->event_type, &receiver->event_output);
	if (format->situations)
		prepare_contexts(receiver, desc);
}

/* Return the row's event as text; NULL when there is none. */
static const char *
row_event(RowReceiver *receiver, TupleTableSlot *slot)
{
	const RecRowFormat *format = receiver->format;

	if (format->event < 0)
		return format->constant_event;
	if (slot->tts_isnull[format->event])
		return NULL;
	return OutputFunctionCall(&receiver->event_output,
							  slot->tts_values[format->event]);
}

/*
 * Return a value of the context as text, as people write it in a call: the
 * output of its type, but words for booleans, without padding blanks and
 * without trailing zeros of a fraction.
 */
static char *
context_text(FmgrInfo *output, Oid type, Datum value)
{
	char	   *shown;

	if (type == BOOLOID)
		return DatumGetBool(value) ? "true" : "false";
	if (type == NUMERICOID)
		value = DirectFunctionCall1(numeric_trim_scale, value);
	shown = OutputFunctionCall(output, value);
	if (type == BPCHAROID)
		return pnstrdup(shown, bpchartruelen(shown, (int) strlen(shown)));
	return shown;
}

/* Return the number of a row's situation. */
static uint32
row_situation(RowReceiver *receiver, TupleTableSlot *slot, int64 time)
{
	const RecRowFormat *format = receiver->format;

	for (int i = 0; i < format->ncontexts; i++)
	{
		int			column = format->first_context + i;

		receiver->context_texts[i] = slot->tts_isnull[column] ? NULL :
			context_text(&receiver->context_outputs[i], receiver->context_types[i],
						 slot->tts_values[column]);
	}
	return rec_situation_number(format->situations, format->contexts,
								receiver->context_texts, format->ncontexts,
								time == REC_NO_TIME ? REC_WALL_NONE : receiver->wall,
								time);
}

static void
fill_row(RowReceiver *receiver, TupleTableSlot *slot, RecRow *row)
{
	const RecRowFormat *format = receiver->format;

	row->user = format->user < 0 ? (Datum) 0 : slot->tts_values[format->user];
	row->user_null = format->user < 0 || slot->tts_isnull[format->user];
	row->item = slot->tts_values[format->item];
	row->item_null = slot->tts_isnull[format->item];
	row->weight = 1;
	row->amount = 1;
	row->time = REC_NO_TIME;
	row->has_weight = true;
	row->event = row_event(receiver, slot);
	if (format->event_weights)
		row->has_weight = rec_interaction_event_weight(format->event_weights, row->event,
													   &row->weight);
	if (format->weight >= 0 && !slot->tts_isnull[format->weight])
		row->amount = number_of(slot->tts_values[format->weight],
								receiver->weight_type);
	row->weight *= row->amount;
	if (format->time >= 0 && !slot->tts_isnull[format->time])
		row->time = time_of(slot->tts_values[format->time], receiver->time_type);
	if (format->situations)
		row->situation = row_situation(receiver, slot, row->time);
	/* a time in the future counts as now */
	row->time = Min(row->time, GetCurrentTransactionStartTimestamp());
}

/* Pass on the gathered rows. */
static void
hand_on(RowReceiver *receiver)
{
	for (int i = 0; i < receiver->gathered; i++)
		receiver->take(receiver->arg, &receiver->rows[i]);
	receiver->gathered = 0;
}

static bool
receiver_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext old = MemoryContextSwitchTo(receiver->row_context);
	RecRow	   *row = &receiver->rows[receiver->gathered++];

	slot_getallattrs(slot);
	fill_row(receiver, slot, row);
	if (receiver->gather > 1 && !row->user_null && !row->item_null)
	{
		rec_dictionary_prefetch(receiver->format->users, row->user);
		rec_dictionary_prefetch(receiver->format->items, row->item);
	}
	if (receiver->gathered == receiver->gather)
	{
		hand_on(receiver);
		MemoryContextReset(receiver->row_context);
	}
	MemoryContextSwitchTo(old);
	return true;
}

static void
receiver_nothing(DestReceiver *self pg_attribute_unused())
{
}

/*
 * Run a prepared query, read-only, and pass each row to "take" with the
 * caller's argument.  The executor checks for interrupts.  SPI is connected.
 */
void
rec_interaction_read_rows(SPIPlanPtr plan, ParamListInfo params, const RecRowFormat *format,
						  RecRowTaker take, void *arg)
{
	RowReceiver receiver = {0};
	SPIExecuteOptions options = {0};
	MemoryContext old = CurrentMemoryContext;	/* SPI leaves another context */
	int			code;

	receiver.receiver.receiveSlot = receiver_row;
	receiver.receiver.rStartup = receiver_startup;
	receiver.receiver.rShutdown = receiver_nothing;
	receiver.receiver.rDestroy = receiver_nothing;
	receiver.receiver.mydest = DestNone;
	receiver.format = format;
	receiver.take = take;
	receiver.arg = arg;
	receiver.gather = format->users && rec_dictionary_is_integer(format->users) &&
		format->items && rec_dictionary_is_integer(format->items) ? GATHER_ROWS : 1;
	receiver.row_context = AllocSetContextCreate(CurrentMemoryContext,
												 "recommender row",
												 ALLOCSET_DEFAULT_SIZES);
	options.params = params;
	options.read_only = true;
	options.must_return_tuples = true;
	options.dest = &receiver.receiver;
	code = SPI_execute_plan_extended(plan, &options);
	if (code < 0)
		elog(ERROR, "could not read interactions: %s", SPI_result_code_string(code));
	MemoryContextSwitchTo(receiver.row_context);
	hand_on(&receiver);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(receiver.row_context);
}

/* ----------------
 *		a user's own query
 * ----------------
 */

static void
take_interaction(void *arg, const RecRow *row)
{
	rec_interaction_add((RecInteractions *) arg, row);
}

static void
describe_query(TupleDesc desc, RecRowFormat *format)
{
	if (desc->natts < 2 || desc->natts > 4)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query must return two to four columns: user, item, weight, time"),
				 errdetail("It returns %d.", desc->natts)));
	memset(format, 0, sizeof(*format));
	format->user = 0;
	format->item = 1;
	format->weight = desc->natts > 2 ? 2 : -1;
	format->time = desc->natts > 3 ? 3 : -1;
	format->event = -1;
	if (format->weight > 0)
		rec_interaction_check_numeric_column(TupleDescAttr(desc, 2)->atttypid,
											 "the query's third column, the weight,");
	if (format->time > 0)
		rec_interaction_check_time_column(TupleDescAttr(desc, 3)->atttypid,
										  "the query's fourth column, the time,");
}

/*
 * Prepare a query that returns user, item[, weight[, time]] and return which
 * columns it has; any other statement is an ERROR.  SPI is connected.
 */
SPIPlanPtr
rec_interaction_prepare(const char *query, TupleDesc *desc, RecRowFormat *format)
{
	MemoryContext old = CurrentMemoryContext;	/* SPI leaves another context */
	SPIPlanPtr	plan;

	rec_arguments_check_query(query);
	plan = SPI_prepare_cursor(query, 0, NULL, CURSOR_OPT_PARALLEL_OK);
	MemoryContextSwitchTo(old);
	if (plan == NULL || !SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query must be one statement that returns rows"),
				 errhint("Give a SELECT of user, item and, if there are any, weight and time.")));
	*desc = ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan)))->resultDesc;
	describe_query(*desc, format);
	return plan;
}

/*
 * Read the rows of a query that returns user, item[, weight[, time]] of any
 * types.  SPI is connected; the result is in "mcxt".
 */
RecInteractions *
rec_interaction_from_query(const char *query, MemoryContext mcxt)
{
	TupleDesc	desc;
	RecRowFormat format = {0};
	SPIPlanPtr	plan = rec_interaction_prepare(query, &desc, &format);
	RecInteractions *interactions;
	Form_pg_attribute user = TupleDescAttr(desc, 0);
	Form_pg_attribute item = TupleDescAttr(desc, 1);

	interactions = rec_interaction_create(mcxt,
										  user->atttypid, user->attcollation,
										  item->atttypid, item->attcollation);
	interactions->has_time = format.time >= 0;
	format.users = interactions->users;
	format.items = interactions->items;
	rec_interaction_read_rows(plan, NULL, &format, take_interaction, interactions);
	return interactions;
}
