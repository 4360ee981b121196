/*-------------------------------------------------------------------------
 *
 * call_context.c
 *	  The context of a call: what it says, and what the model makes of it.
 *
 * A call says {"device": "mobile", "hour": 20}.  The names are those of the
 * context columns of the recommender's sources and of the parts of the time
 * that it learns from; others are an ERROR, as nobody means them.  A value that
 * the model knows nothing of is ignored: it may be new.  Several values of a
 * column count in equal parts, of those that the model knows something of.
 *
 * Signals go by the order of the columns, then by that of the call.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call_context.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "definition/model_scan.h"
#include "definition/source.h"
#include "pg/closest_name.h"
#include "pg/json_reader.h"
#include "pg/relation.h"
#include "serve/call_context.h"
#include "serve/model_neighbors.h"
#include "utils/builtins.h"

/* The context columns of a recommender, and what a call says of them. */
typedef struct ContextCall
{
	int			ncolumns;
	const char **names;			/* declared ones, then parts of the time */
	int		   *part;			/* RecTimePart, or -1 */
	List	  **values;			/* texts of each column, in the call's order */
} ContextCall;

static void
add_column(ContextCall *call, const char *name, int part)
{
	call->names[call->ncolumns] = name;
	call->part[call->ncolumns++] = part;
}

static ContextCall
begin_call(const RecServe *serve)
{
	const RecDefinition *definition = serve->definition;
	ContextCall call = {0};
	int			most = definition->ncontexts + REC_NTIMES;

	call.names = palloc_array(const char *, most);
	call.part = palloc_array(int, most);
	call.values = palloc0_array(List *, most);
	for (int i = 0; i < definition->ncontexts; i++)
		add_column(&call, definition->contexts[i], -1);
	for (int part = 0; part < REC_NTIMES; part++)
		if (rec_situation_has_time(part, definition->contexts, definition->ncontexts,
								&serve->options) &&
			rec_source_any_has_time(definition, part))
			add_column(&call, rec_time_part_name(part), part);
	return call;
}

/* ----------------
 *		what a call says
 * ----------------
 */

static char *
list_columns(const ContextCall *call)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < call->ncolumns; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "", call->names[i]);
	return list.data;
}

/*
 * Gives a column by name; an ERROR with the closest, or with all, when there
 * is none.
 */
static int
find_column(const ContextCall *call, const char *name)
{
	RecClosest	closest;

	rec_closest_name_start(&closest, name);
	for (int i = 0; i < call->ncolumns; i++)
	{
		if (strcmp(call->names[i], name) == 0)
			return i;
		rec_closest_name_consider(&closest, call->names[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("context \"%s\" does not exist", name),
			 call->ncolumns == 0 ?
			 errhint("Name context_columns, or the time_column, with add_interactions().") :
			 closest.best ? rec_closest_name_hint(&closest, "context") :
			 errhint("There are the contexts %s.", list_columns(call))));
	return -1;
}

static void
refuse_time(RecTimePart part, const char *text)
{
	static const char *const hints[REC_NTIMES] = {
		"Give an hour from 0 to 23, or night, morning, afternoon or evening.",
		"Give a day from 1 (Monday) to 7, the name of a day, weekday or weekend.",
		"Give a month from 1 to 12, or the name of one."
	};

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("context \"%s\" cannot be \"%s\"", rec_time_part_name(part), text),
			 errhint("%s", hints[part])));
}

/* Takes a value of a column, once; a null says nothing. */
static void
take_value(ContextCall *call, int column, const JsonbValue *value)
{
	const char *said;
	ListCell   *cell;

	if (value->type == jbvNull)
		return;
	/* a scalar is the text that a source's value would be */
	said = rec_json_reader_scalar(value);
	if (said == NULL)
		rec_json_reader_refuse(psprintf("context \"%s\"", call->names[column]),
						"a string, a number, true or false, or an array of them");
	if (call->part[column] >= 0)
	{
		int			number = rec_time_part_parse(call->part[column], said);

		if (number < 0)
			refuse_time(call->part[column], said);
		said = rec_time_part_value(call->part[column], number);
	}
	foreach(cell, call->values[column])
	{
		if (strcmp(lfirst(cell), said) == 0)
			return;
	}
	call->values[column] = lappend(call->values[column], unconstify(char *, said));
}

static void
take_column(ContextCall *call, int column, const JsonbValue *value)
{
	JsonbContainer *array = rec_json_reader_array(value);

	if (array == NULL)
	{
		take_value(call, column, value);
		return;
	}
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
		take_value(call, column, getIthJsonbValueFromContainer(array, i));
}

static void
take_context(ContextCall *call, Jsonb *context)
{
	RecJsonMembers member = rec_json_reader_members(rec_json_reader_root_object(context, "context"));

	while (rec_json_reader_next_member(&member))
		take_column(call, find_column(call, member.name), &member.value);
}

/* Takes the time of the transaction for the parts that the call leaves open. */
static void
take_now(ContextCall *call, const RecOptions *options)
{
	RecClock   *clock = rec_time_part_create(pg_tzset(options->context_timezone));
	RecTimeParts now = rec_time_part_read(clock, GetCurrentTransactionStartTimestamp());

	for (int i = 0; i < call->ncolumns; i++)
	{
		RecTimePart part = call->part[i];

		if (call->part[i] >= 0 && call->values[i] == NIL && now.part[part] >= 0)
			call->values[i] = list_make1(unconstify(char *, rec_time_part_value(part, now.part[part])));
	}
}

/* ----------------
 *		what the model makes of it
 * ----------------
 */

static const RecStorePath lifts_by_value = {
	"context_lift", {"column_name", "value", "generation"}, {"item_nos", "lifts"}
};

/* Reads the lifts of a value; false when the model has none. */
static bool
read_lifts(const RecServe *serve, RecCallValue *value)
{
	RecStoreScan *scan;
	NameData	column;
	Datum		keys[3];
	Datum		values[2];
	bool		nulls[2];
	bool		found;

	namestrcpy(&column, value->column);
	keys[0] = NameGetDatum(&column);
	keys[1] = CStringGetTextDatum(value->text);
	keys[2] = Int64GetDatum(serve->generation);
	scan = rec_model_scan_begin(serve->definition, &lifts_by_value, 3, keys);
	found = rec_model_scan_next(scan, values, nulls);
	if (found && (nulls[0] || nulls[1] ||
				  !rec_keep_list(values[0], values[1], &value->lifts)))
		rec_serve_damaged(serve, "lifts that are");
	rec_model_scan_end(scan);
	return found;
}

/* Reads what the model says of a column's values. */
static void
read_column(RecServe *serve, const char *name, List *texts)
{
	int			first = serve->ncontext;
	ListCell   *cell;

	foreach(cell, texts)
	{
		RecCallValue *value = &serve->context[serve->ncontext];

		value->column = name;
		value->text = lfirst(cell);
		if (strlen(value->text) <= REC_VALUE_BYTES && read_lifts(serve, value))
			serve->ncontext++;
	}
	for (int i = first; i < serve->ncontext; i++)
		serve->context[i].weight = 1.0 / (serve->ncontext - first);
}

/*
 * Reads what the model says in the context of a call, NULL for none, which
 * the option context_now may make one.
 */
void
rec_call_context_read(RecServe *serve, Jsonb *context)
{
	ContextCall call;
	int			n = 0;

	if (context == NULL && !serve->options.context_now)
		return;
	call = begin_call(serve);
	if (context)
		take_context(&call, context);
	if (serve->options.context_now)
		take_now(&call, &serve->options);
	for (int i = 0; i < call.ncolumns; i++)
		n += list_length(call.values[i]);
	serve->context = palloc0_array(RecCallValue, n + 1);
	for (int i = 0; i < call.ncolumns; i++)
		read_column(serve, call.names[i], call.values[i]);
}

/* Adds what was read to scores, as one signal for each value. */
void
rec_call_context_add(const RecServe *serve, RecScores *scores)
{
	for (int i = 0; i < serve->ncontext; i++)
	{
		const RecCallValue *value = &serve->context[i];
		RecSignal	signal = {REC_CONTEXT, (uint32) i, value->weight, value->lifts.n,
			value->lifts.items, value->lifts.values
		};

		rec_score_add(scores, &signal);
	}
}
