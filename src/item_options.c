/*-------------------------------------------------------------------------
 *
 * item_options.c
 *	  The options of a relation of items: of each column, and of the whole.
 *
 * set_items() and the definition's cache read them by the same function.
 * Names of columns are looked up among those that were given, not in the
 * relation.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/item_options.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "items.h"
#include "sqlutil.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#define MAX_BUCKETS			1000
#define MAX_WEIGHT			1e6

static void
wrong_option(const char *option, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be %s", option, expected)));
}

static char *
string_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* Gives a number of an option, or of its entry for a column, in its range. */
static double
number_of(const char *what, const JsonbValue *value, double min, double max, bool whole)
{
	double		number;

	if (value->type != jbvNumeric)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be %s", what, whole ? "an integer" : "a number")));
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												NumericGetDatum(value->val.numeric)));
	if (whole && number != rint(number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be an integer", what)));
	if (!(number >= min && number <= max))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %.10g and %.10g", what, min, max)));
	return number;
}

static RecItemColumn *
column_of_option(RecItemSource *items, const char *option, const JsonbValue *key)
{
	char	   *name = string_of(key);
	RecClosest	closest;

	rec_closest_start(&closest, name);
	for (int i = 0; i < items->ncolumns; i++)
	{
		if (strcmp(items->columns[i].name, name) == 0)
			return &items->columns[i];
		rec_closest_consider(&closest, items->columns[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" of option \"%s\" is none of feature_columns and text_columns",
					name, option),
			 rec_closest_hint(&closest, "column")));
}

/* Takes one entry of an option that is an object of columns. */
typedef void (*ColumnEntry) (RecItemColumn *column, const JsonbValue *value);

static void
read_object(RecItemSource *items, const char *option, const JsonbValue *value,
			ColumnEntry take)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	entry;
	RecItemColumn *column = NULL;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		wrong_option(option, "an object with an entry for each column");
	it = JsonbIteratorInit(value->val.binary.data);
	(void) JsonbIteratorNext(&it, &entry, false);
	while ((token = JsonbIteratorNext(&it, &entry, true)) != WJB_END_OBJECT)
	{
		if (token == WJB_KEY)
			column = column_of_option(items, option, &entry);
		else
			take(column, &entry);
	}
}

static void
take_weight(RecItemColumn *column, const JsonbValue *value)
{
	column->weight = number_of(psprintf("the weight of column \"%s\"", column->name),
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
			number_of(psprintf("a bound of column \"%s\"", column->name),
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
	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
		take_bounds(column, value->val.binary.data);
	else if (value->type == jbvNumeric)
		column->buckets = (int) number_of(psprintf("the number of buckets of column \"%s\"",
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
	JsonbContainer *array = value->type == jbvBinary ? value->val.binary.data : NULL;

	if (array == NULL || !JsonContainerIsArray(array))
		wrong_option(option, "an array of columns");
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array, i);

		if (element->type != jbvString)
			wrong_option(option, "an array of columns");
		column_of_option(items, option, element)->categorical = true;
	}
}

static void
set_config(RecItemSource *items, const char *option, const JsonbValue *value)
{
	if (value->type != jbvString)
		wrong_option(option, "the name of a text search configuration");
	items->config = string_of(value);
}

static void
set_feature_max_items(RecItemSource *items, const char *option, const JsonbValue *value)
{
	items->feature_max_items =
		(int) number_of(psprintf("option \"%s\"", option), value, 1, PG_INT32_MAX, true);
}

static void
set_embedding_exact_items(RecItemSource *items, const char *option, const JsonbValue *value)
{
	items->embedding_exact_items =
		(int) number_of(psprintf("option \"%s\"", option), value, 0, PG_INT32_MAX, true);
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
find_item_option(const JsonbValue *key)
{
	char	   *name = string_of(key);
	RecClosest	closest;

	rec_closest_start(&closest, name);
	for (int i = 0; i < (int) lengthof(item_options); i++)
	{
		if (strcmp(item_options[i].name, name) == 0)
			return &item_options[i];
		rec_closest_consider(&closest, item_options[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" of set_items() does not exist", name),
			 rec_closest_hint(&closest, "option")));
}

/*
 * Sets the options of an items relation whose columns are set, in the current
 * context: what is not in the jsonb, or is null there, gets its default.  An
 * option that does not exist or has a wrong value is an ERROR.
 */
void
rec_items_set_options(RecItemSource *items, Jsonb *options)
{
	JsonbIterator *it = JsonbIteratorInit(&options->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	const struct ItemOption *option = NULL;

	items->config = NULL;
	items->feature_max_items = 10000;
	items->embedding_exact_items = 10000;
	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object")));
	(void) JsonbIteratorNext(&it, &value, false);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_END_OBJECT)
	{
		if (token == WJB_KEY)
			option = find_item_option(&value);
		else if (value.type != jbvNull)
			option->set(items, option->name, &value);
	}
}
