/*-------------------------------------------------------------------------
 *
 * filter_value.c
 *	  The values in a filter, read by the types of columns.
 *
 * A scalar becomes text, which the input function of the column's type reads,
 * whatever the type; the context of an error names the column and the value.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/filter_value.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pg/json_reader.h"
#include "serve/filter_value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#define SHOWN_BYTES		100		/* of a value, in an error's context */

/* Return the text of a scalar: that of 10.0 is 10 for an integer. */
static char *
text_of(const JsonbValue *value, Oid type)
{
	Datum		number;

	if (value->type == jbvString)
		return rec_json_reader_string(value);
	if (value->type == jbvBool)
		return pstrdup(value->val.boolean ? "true" : "false");
	number = NumericGetDatum(value->val.numeric);
	if (type == INT2OID || type == INT4OID || type == INT8OID)
		number = DirectFunctionCall1(numeric_trim_scale, number);
	return DatumGetCString(DirectFunctionCall1(numeric_out, number));
}

/* ----------------
 *		errors
 * ----------------
 */

/* Refuse the value of an operator. */
void
rec_filter_value_refuse_value(const RecFilterColumn *column, const char *oper, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("in a filter, \"%s\" of column \"%s\" must be %s",
					oper, column->name, expected)));
}

/* Refuse an operator that the column's type does not have. */
void
rec_filter_value_refuse_type(const RecFilterColumn *column, const char *oper, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("in a filter, \"%s\" needs %s, and column \"%s\" is of type %s",
					oper, expected, column->name, format_type_be(column->type))));
}

/* What is being read, for the errors of types' input functions. */
typedef struct ReadContext
{
	const char *column;
	const char *text;
} ReadContext;

static void
show_value(void *arg)
{
	const ReadContext *context = (ReadContext *) arg;
	int			length = strlen(context->text);
	int			shown = pg_mbcliplen(context->text, length, SHOWN_BYTES);

	errcontext("filter on column \"%s\": \"%.*s%s\"", context->column,
			   shown, context->text, shown < length ? "..." : "");
}

/* ----------------
 *		values
 * ----------------
 */

/* Read a scalar by the type's input function. */
static Datum
read_scalar(const RecFilterColumn *column, Oid type, const JsonbValue *value)
{
	ReadContext context = {column->name, text_of(value, type)};
	ErrorContextCallback callback;
	Oid			input;
	Oid			ioparam;
	Datum		result;

	getTypeInputInfo(type, &input, &ioparam);
	callback.callback = show_value;
	callback.arg = &context;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	result = OidInputFunctionCall(input, unconstify(char *, context.text), ioparam, -1);
	error_context_stack = callback.previous;
	return result;
}

/* Read a value of a type that is not an array; jsonb accepts any value. */
static Datum
read_value(const RecFilterColumn *column, const char *oper, Oid type, const JsonbValue *value,
		   const char *expected)
{
	if (type == JSONBOID)
		return JsonbPGetDatum(JsonbValueToJsonb(unconstify(JsonbValue *, value)));
	if (value->type == jbvBinary || value->type == jbvNull)
		rec_filter_value_refuse_value(column, oper, expected);
	return read_scalar(column, type, value);
}

/*
 * Read the elements of a JSON array, or a scalar as the only one, into an array
 * of a type; nulls are left out, and *has_null is set if there was one.  An
 * element that the type does not accept is an ERROR.
 */
Datum
rec_filter_value_elements(const RecFilterColumn *column, const char *oper, Oid type,
					const JsonbValue *value, bool *has_null)
{
	JsonbContainer *array = rec_json_reader_array(value);
	uint32		count = array ? JsonContainerSize(array) : 1;
	Datum	   *elements = palloc_array(Datum, count + 1);
	int			n = 0;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	*has_null = false;
	for (uint32 i = 0; i < count; i++)
	{
		const JsonbValue *element = array ? getIthJsonbValueFromContainer(array, i) : value;

		CHECK_FOR_INTERRUPTS();
		if (element->type == jbvNull)
			*has_null = true;
		else
			elements[n++] = read_value(column, oper, type, element,
									   "an array of single values");
	}
	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	return PointerGetDatum(construct_array(elements, n, type, typlen, typbyval, typalign));
}

/* Read elements as an array; a null one is an ERROR. */
Datum
rec_filter_value_array(const RecFilterColumn *column, const char *oper, Oid type, const JsonbValue *value)
{
	bool		has_null;
	Datum		array;

	array = rec_filter_value_elements(column, oper, type, value, &has_null);
	if (has_null)
		rec_filter_value_refuse_value(column, oper, "an array without null");
	return array;
}

/* Read a value of the column's own type; any other value is an ERROR. */
Datum
rec_filter_value(const RecFilterColumn *column, const char *oper, const JsonbValue *value)
{
	if (OidIsValid(column->element))
	{
		if (rec_json_reader_array(value) == NULL)
			rec_filter_value_refuse_value(column, oper, "an array");
		return rec_filter_value_array(column, oper, column->element, value);
	}
	return read_value(column, oper, column->type, value,
					  "a single value that is not null");
}
