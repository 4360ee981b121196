/*-------------------------------------------------------------------------
 *
 * call_context.c
 *	  The context of a call: its values, and the lifts of these in the model.
 *
 * A call has a context such as {"device": "mobile", "hour": 20}.  The names are
 * those of the context columns of the recommender's sources and of the parts
 * of the time that it learns from; any other name is an ERROR, as it can only
 * be a mistake.  A value without lifts in the model is ignored: it may be new.
 * Several values of a column count in equal parts, among those with lifts.
 *
 * Signals are in the order of the columns, then in that of the call.
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
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "pg/json_reader.h"
#include "pg/relation.h"
#include "serve/call_context.h"
#include "serve/model_neighbors.h"
#include "utils/builtins.h"

/* The context columns of a recommender, and their values in a call. */
typedef struct ContextColumns
{
	int			ncolumns;
	const char **names;			/* declared ones, then parts of the time */
	int		   *part;			/* RecTimePart, or -1 */
	List	  **values;			/* texts of each column, in the call's order */
} ContextColumns;

static void
add_column(ContextColumns *columns, const char *name, int part)
{
	columns->names[columns->ncolumns] = name;
	columns->part[columns->ncolumns++] = part;
}

static ContextColumns
list_columns(const RecCall *call)
{
	const RecDefinition *definition = call->model.definition;
	ContextColumns columns = {0};
	int			most = definition->ncontexts + REC_NTIMES;

	columns.names = palloc_array(const char *, most);
	columns.part = palloc_array(int, most);
	columns.values = palloc0_array(List *, most);
	for (int i = 0; i < definition->ncontexts; i++)
		add_column(&columns, definition->contexts[i], -1);
	for (int part = 0; part < REC_NTIMES; part++)
		if (rec_situation_has_time(part, definition->contexts, definition->ncontexts,
								   &call->options) &&
			rec_source_any_has_time(definition, part))
			add_column(&columns, rec_time_part_name(part), part);
	return columns;
}

/* ----------------
 *		the values of a call
 * ----------------
 */

static char *
column_names(const ContextColumns *columns)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < columns->ncolumns; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "", columns->names[i]);
	return list.data;
}

/* Return a column by name; an ERROR with the closest, or with all, if there is none. */
static int
find_column(const ContextColumns *columns, const char *name)
{
	RecClosest	closest;

	rec_closest_name_start(&closest, name);
	for (int i = 0; i < columns->ncolumns; i++)
	{
		if (strcmp(columns->names[i], name) == 0)
			return i;
		rec_closest_name_consider(&closest, columns->names[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("context \"%s\" does not exist", rec_arguments_clip(name)),
			 columns->ncolumns == 0 ?
			 errhint("Name context_columns, or the time_column, with add_interactions().") :
			 closest.best ? rec_closest_name_hint(&closest, "context") :
			 errhint("The contexts are %s.", column_names(columns))));
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
			 errmsg("context \"%s\" cannot be \"%s\"", rec_time_part_name(part), rec_arguments_clip(text)),
			 errhint("%s", hints[part])));
}

/* Take a value of a column, once; a null is ignored. */
static void
take_value(ContextColumns *columns, int column, const JsonbValue *value)
{
	const char *text;
	ListCell   *cell;

	if (value->type == jbvNull)
		return;
	/* a scalar is the text that a source's value would be */
	text = rec_json_reader_scalar(value);
	if (text == NULL)
		rec_json_reader_refuse(psprintf("context \"%s\"", columns->names[column]),
						"a string, a number, true or false, or an array of them");
	if (columns->part[column] >= 0)
	{
		int			number = rec_time_part_parse(columns->part[column], text);

		if (number < 0)
			refuse_time(columns->part[column], text);
		text = rec_time_part_value(columns->part[column], number);
	}
	foreach(cell, columns->values[column])
	{
		if (strcmp(lfirst(cell), text) == 0)
			return;
	}
	columns->values[column] = lappend(columns->values[column], unconstify(char *, text));
}

static void
take_column(ContextColumns *columns, int column, const JsonbValue *value)
{
	JsonbContainer *array = rec_json_reader_array(value);

	if (array == NULL)
	{
		take_value(columns, column, value);
		return;
	}
	if (JsonContainerSize(array) > REC_MOST_STRINGS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("context \"%s\" must not have more than %d values",
						columns->names[column], REC_MOST_STRINGS)));
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
		take_value(columns, column, getIthJsonbValueFromContainer(array, i));
}

static void
take_context(ContextColumns *columns, Jsonb *context)
{
	RecJsonMembers member = rec_json_reader_members(rec_json_reader_root_object(context, "context"));

	while (rec_json_reader_next_member(&member))
		take_column(columns, find_column(columns, member.name), &member.value);
}

/* Take the time of the transaction for the parts that the call does not name. */
static void
take_now(ContextColumns *columns, const RecOptions *options)
{
	RecClock   *clock = rec_time_part_create(pg_tzset(options->context_timezone));
	RecTimeParts now = rec_time_part_read(clock, GetCurrentTransactionStartTimestamp());

	for (int i = 0; i < columns->ncolumns; i++)
	{
		RecTimePart part = columns->part[i];

		if (columns->part[i] >= 0 && columns->values[i] == NIL && now.part[part] >= 0)
			columns->values[i] = list_make1(unconstify(char *, rec_time_part_value(part, now.part[part])));
	}
}

/* ----------------
 *		lifts
 * ----------------
 */

static const RecStorePath lifts_by_value = {
	"context_lift", {"column_name", "value", "generation"}, {"item_nos", "lifts"}
};

/* Read the lifts of a value; return false when the model has none. */
static bool
read_lifts(const RecServedModel *model, RecCallValue *value)
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
	keys[2] = Int64GetDatum(model->generation);
	scan = rec_model_scan_begin(model->definition, &lifts_by_value, 3, keys);
	found = rec_model_scan_next(scan, values, nulls);
	if (found && (nulls[0] || nulls[1] ||
				  !rec_model_neighbors_keep(values[0], values[1], &value->lifts)))
		rec_model_scan_damaged(model->definition, "lifts that are");
	rec_model_scan_end(scan);
	return found;
}

/* Read the lifts of a column's values. */
static void
read_column(RecCallContext *context, const RecServedModel *model, const char *name, List *texts)
{
	int			first = context->n;
	ListCell   *cell;

	foreach(cell, texts)
	{
		RecCallValue *value = &context->values[context->n];

		value->column = name;
		value->text = lfirst(cell);
		if (strlen(value->text) <= REC_VALUE_BYTES && read_lifts(model, value))
			context->n++;
	}
	for (int i = first; i < context->n; i++)
		context->values[i].weight = 1.0 / (context->n - first);
}

/*
 * Read the lifts of the context that is given with a call, NULL for none, and
 * of the time now if the option context_now is on.
 */
void
rec_call_context_read(RecCallContext *context, const RecCall *call, Jsonb *given)
{
	ContextColumns columns;
	int			n = 0;

	memset(context, 0, sizeof(*context));
	if (given == NULL && !call->options.context_now)
		return;
	columns = list_columns(call);
	if (given)
		take_context(&columns, given);
	if (call->options.context_now)
		take_now(&columns, &call->options);
	for (int i = 0; i < columns.ncolumns; i++)
		n += list_length(columns.values[i]);
	context->values = palloc0_array(RecCallValue, n + 1);
	for (int i = 0; i < columns.ncolumns; i++)
		read_column(context, &call->model, columns.names[i], columns.values[i]);
}

/* Add the lifts to scores, as one signal for each value. */
void
rec_call_context_add(const RecCallContext *context, RecScores *scores)
{
	for (int i = 0; i < context->n; i++)
	{
		const RecCallValue *value = &context->values[i];
		RecSignal	signal = {REC_CONTEXT, (uint32) i, value->weight, value->lifts.n,
			value->lifts.items, value->lifts.values
		};

		rec_score_add(scores, &signal);
	}
}
