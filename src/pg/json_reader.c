/*-------------------------------------------------------------------------
 *
 * json_reader.c
 *	  Reading jsonb values that a user has given.
 *
 * For options, filters, weights of events and the context of a call: an object
 * is read member by member, in jsonb's order of names, and a value of the
 * wrong kind is an error that names the value and the kind that is required.
 * Results are allocated in the current context and are not freed here.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/json_reader.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "pg/json_reader.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

/* Raise an error: "what", an argument or its part, must be "expected". */
void
rec_json_reader_refuse(const char *what, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be %s", what, expected)));
}

/* ----------------
 *		containers
 * ----------------
 */

static JsonbContainer *
as_container(const JsonbValue *value)
{
	return value->type == jbvBinary ? value->val.binary.data : NULL;
}

/* Return true for the JSON value null, which is not SQL's. */
bool
rec_json_reader_is_null(Jsonb *json)
{
	JsonbValue	value;

	return JsonbExtractScalar(&json->root, &value) && value.type == jbvNull;
}

/* Return an object without members for NULL and for JSON's null, else the value. */
Jsonb *
rec_json_reader_null_as_object(Jsonb *json)
{
	if (json && !rec_json_reader_is_null(json))
		return json;
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
}

/* Return what a value is that should be an object, as a sentence. */
static const char *
kind_sentence(Jsonb *json)
{
	JsonbValue	value;

	if (!JsonbExtractScalar(&json->root, &value))
		return "It is a JSON array.";
	switch (value.type)
	{
		case jbvString:
			return "It is a JSON string.";
		case jbvNumeric:
			return "It is a JSON number.";
		default:
			return "It is a JSON boolean.";
	}
}

/*
 * Return the object in the argument "what"; an object without members for
 * JSON's null, which encoders make of nothing; an ERROR for anything else.
 */
JsonbContainer *
rec_json_reader_root_object(Jsonb *json, const char *what)
{
	json = rec_json_reader_null_as_object(json);
	if (JB_ROOT_IS_OBJECT(json))
		return &json->root;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be a JSON object", what),
			 errdetail("%s", kind_sentence(json))));
	return NULL;
}

/* Return the value as an array, or NULL when it is not an array. */
JsonbContainer *
rec_json_reader_array(const JsonbValue *value)
{
	JsonbContainer *container = as_container(value);

	return container && JsonContainerIsArray(container) ? container : NULL;
}

/* Return the value as an object, or NULL when it is not an object. */
JsonbContainer *
rec_json_reader_object(const JsonbValue *value)
{
	JsonbContainer *container = as_container(value);

	return container && JsonContainerIsObject(container) ? container : NULL;
}

/* Begin to read an object, before its first member. */
RecJsonMembers
rec_json_reader_members(JsonbContainer *object)
{
	RecJsonMembers members = {.iterator = JsonbIteratorInit(object)};

	(void) JsonbIteratorNext(&members.iterator, &members.value, false);
	return members;
}

/* Read the next member into "members"; false after the last one. */
bool
rec_json_reader_next_member(RecJsonMembers *members)
{
	if (JsonbIteratorNext(&members->iterator, &members->value, true) != WJB_KEY)
		return false;
	members->name = rec_json_reader_string(&members->value);
	(void) JsonbIteratorNext(&members->iterator, &members->value, true);
	return true;
}

/*
 * Read an array of strings into a list; return false when the value is not
 * one.
 */
bool
rec_json_reader_strings(const JsonbValue *value, List **strings)
{
	JsonbContainer *array = rec_json_reader_array(value);

	if (array == NULL)
		return false;
	if (JsonContainerSize(array) > REC_MOST_STRINGS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a list of names must not have more than %d elements", REC_MOST_STRINGS)));
	*strings = NIL;
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array, i);

		if (element->type != jbvString)
			return false;
		*strings = lappend(*strings, rec_json_reader_string(element));
	}
	return true;
}

/* ----------------
 *		scalars
 * ----------------
 */

/* Return a value that is a string. */
char *
rec_json_reader_string(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * Return the text of a scalar: a number without trailing zeros, true or false.
 * NULL for a null and for a value that is not a scalar.
 */
char *
rec_json_reader_scalar(const JsonbValue *value)
{
	Datum		number;

	switch (value->type)
	{
		case jbvString:
			return rec_json_reader_string(value);
		case jbvNumeric:
			number = DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(value->val.numeric));
			return DatumGetCString(DirectFunctionCall1(numeric_out, number));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			return NULL;
	}
}

/*
 * Return a value that is a number; infinity when it is too large for a double.
 */
double
rec_json_reader_double(const JsonbValue *value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  NumericGetDatum(value->val.numeric)));
}

/*
 * Return a number from "min" to "max", an integer if "whole".  Any other value
 * is an ERROR that names "what".
 */
double
rec_json_reader_double_within(const char *what, const JsonbValue *value, double min, double max,
					   bool whole)
{
	double		number;

	if (value->type != jbvNumeric)
		rec_json_reader_refuse(what, whole ? "an integer" : "a number");
	number = rec_json_reader_double(value);
	if (whole && number != rint(number))
		rec_json_reader_refuse(what, "an integer");
	if (!(number >= min && number <= max))
		rec_json_reader_refuse(what, psprintf("between %.10g and %.10g", min, max));
	return number;
}
