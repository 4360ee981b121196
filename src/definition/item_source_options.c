/*-------------------------------------------------------------------------
 *
 * item_source_options.c
 *	  The options of a relation of items: of each column, and of the whole.
 *
 * set_items() and the definition's cache read them by the same function.
 * Names of columns are looked up among those that were given, not in the
 * relation.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/item_source_options.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>

#include "definition/item_source.h"
#include "definition/item_source_options.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "pg/json_reader.h"
#include "pg/relation.h"

#define MAX_BUCKETS			1000
#define MAX_WEIGHT			1e6

static void
wrong_option(const char *option, const char *expected)
{
	rec_json_reader_refuse(psprintf("option \"%s\"", option), expected);
}

static RecItemColumn *
column_of_option(RecItemSource *items, const char *option, const char *name)
{
	RecClosest	closest;

	rec_closest_name_start(&closest, name);
	for (int i = 0; i < items->ncolumns; i++)
	{
		if (strcmp(items->columns[i].name, name) == 0)
			return &items->columns[i];
		rec_closest_name_consider(&closest, items->columns[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" of option \"%s\" is none of feature_columns and text_columns",
					name, option),
			 rec_closest_name_hint(&closest, "column")));
}

/* Take one entry of an option that is an object of columns. */
typedef void (*ColumnEntry) (RecItemColumn *column, const JsonbValue *value);

static void
read_object(RecItemSource *items, const char *option, const JsonbValue *value,
			ColumnEntry take)
{
	JsonbContainer *object = rec_json_reader_object(value);
	RecJsonMembers member;

	if (object == NULL)
		wrong_option(option, "an object with an entry for each column");
	member = rec_json_reader_members(object);
	while (rec_json_reader_next_member(&member))
		take(column_of_option(items, option, member.name), &member.value);
}

static void
take_weight(RecItemColumn *column, const JsonbValue *value)
{
	column->weight = rec_json_reader_double_within(psprintf("the weight of column \"%s\"", column->name),
												   value, 0, MAX_WEIGHT, false);
}

static void
set_weights(RecItemSource *items, const char *option, const JsonbValue *value)
{
	read_object(items, option, value, take_weight);
}

static void
take_bounds(RecItemColumn *column, JsonbContainer *array)
{
	uint32		n = JsonContainerSize(array);

	if (n < 1 || n > MAX_BUCKETS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the buckets of column \"%s\" must have 1 to %d bounds",
						column->name, MAX_BUCKETS)));
	column->nbounds = (int) n;
	column->bounds = palloc_array(double, n);
	for (uint32 i = 0; i < n; i++)
	{
		column->bounds[i] =
			rec_json_reader_double_within(psprintf("a bound of column \"%s\"", column->name),
										  getIthJsonbValueFromContainer(array, i), -DBL_MAX, DBL_MAX, false);
		if (i > 0 && column->bounds[i] <= column->bounds[i - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the bounds of column \"%s\" must rise", column->name)));
	}
}

static void
take_buckets(RecItemColumn *column, const JsonbValue *value)
{
	if (rec_json_reader_array(value))
		take_bounds(column, rec_json_reader_array(value));
	else if (value->type == jbvNumeric)
		column->buckets = (int) rec_json_reader_double_within(psprintf("the number of buckets of column \"%s\"",
																	   column->name),
															  value, 2, MAX_BUCKETS, true);
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the buckets of column \"%s\" must be a number of them or an array of bounds",
						column->name)));
}

static void
set_buckets(RecItemSource *items, const char *option, const JsonbValue *value)
{
	read_object(items, option, value, take_buckets);
}

static void
set_categorical(RecItemSource *items, const char *option, const JsonbValue *value)
{
	List	   *columns;
	ListCell   *cell;

	if (!rec_json_reader_strings(value, &columns))
		wrong_option(option, "an array of columns");
	foreach(cell, columns)
		column_of_option(items, option, lfirst(cell))->categorical = true;
}

static void
set_config(RecItemSource *items, const char *option, const JsonbValue *value)
{
	if (value->type != jbvString)
		wrong_option(option, "the name of a text search configuration");
	items->config = rec_json_reader_string(value);
}

static void
set_feature_max_items(RecItemSource *items, const char *option, const JsonbValue *value)
{
	items->feature_max_items =
		(int) rec_json_reader_double_within(psprintf("option \"%s\"", option), value, 1, PG_INT32_MAX, true);
}

static void
set_embedding_exact_items(RecItemSource *items, const char *option, const JsonbValue *value)
{
	items->embedding_exact_items =
		(int) rec_json_reader_double_within(psprintf("option \"%s\"", option), value, 0, PG_INT32_MAX, true);
}

static const struct ItemOption
{
	const char *name;
	void		(*set) (RecItemSource *items, const char *option, const JsonbValue *value);
}			item_options[] =

{
	{"weights", set_weights},
	{"buckets", set_buckets},
	{"categorical", set_categorical},
	{"config", set_config},
	{"feature_max_items", set_feature_max_items},
	{"embedding_exact_items", set_embedding_exact_items},
};

static const struct ItemOption *
find_item_option(const char *name)
{
	RecClosest	closest;

	rec_closest_name_start(&closest, name);
	for (int i = 0; i < (int) lengthof(item_options); i++)
	{
		if (strcmp(item_options[i].name, name) == 0)
			return &item_options[i];
		rec_closest_name_consider(&closest, item_options[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" of set_items() does not exist", rec_arguments_clip(name)),
			 rec_closest_name_hint(&closest, "option")));
}

/*
 * Set the options of an items relation whose columns are set, in the current
 * context: what is not in the jsonb, or is null there, gets its default.  An
 * option that does not exist or has a wrong value is an ERROR.
 */
void
rec_item_source_options_set(RecItemSource *items, Jsonb *options)
{
	RecJsonMembers member = rec_json_reader_members(rec_json_reader_root_object(options, "options"));

	items->config = NULL;
	items->feature_max_items = 10000;
	items->embedding_exact_items = 10000;
	while (rec_json_reader_next_member(&member))
	{
		const struct ItemOption *option = find_item_option(member.name);

		if (member.value.type != jbvNull)
			option->set(items, option->name, &member.value);
	}
}
