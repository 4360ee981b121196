/*-------------------------------------------------------------------------
 *
 * json_writer.c
 *	  Writing jsonb values piece by piece.
 *
 * Values are collected, and those between the begin and the end of a container
 * become that container.  PostgreSQL has functions for this; they allocate and
 * check for each token, which for the reasons of ten rows costs more than
 * computing the rows' items, and they have changed in version 19.  Results are
 * allocated in the current context and are not freed here.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/json_writer.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "pg/json_writer.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

static void
add_value(RecJson *json, const JsonbValue *value)
{
	if (json->n == json->allocated)
	{
		json->allocated = Max(32, json->allocated * 2);
		if (json->values == NULL)
			json->values = palloc_array(JsonbValue, json->allocated);
		else
			json->values = repalloc_array(json->values, JsonbValue, json->allocated);
	}
	json->values[json->n++] = *value;
}

/* ----------------
 *		containers
 * ----------------
 */

/* Compare keys in the order of jsonb: shorter ones first. */
static int
compare_pairs(const void *a, const void *b)
{
	const JsonbValue *key = &((const JsonbPair *) a)->key;
	const JsonbValue *other = &((const JsonbPair *) b)->key;

	if (key->val.string.len != other->val.string.len)
		return key->val.string.len < other->val.string.len ? -1 : 1;
	return memcmp(key->val.string.val, other->val.string.val, key->val.string.len);
}

/* Make an object of alternating keys and values, without duplicate keys. */
static void
make_object(JsonbValue *object, const JsonbValue *values, int npairs)
{
	JsonbPair  *pairs = palloc_array(JsonbPair, npairs + 1);
	bool		sorted = true;

	for (int i = 0; i < npairs; i++)
	{
		pairs[i].key = values[2 * i];
		pairs[i].value = values[2 * i + 1];
		pairs[i].order = i;
		sorted &= i == 0 || compare_pairs(&pairs[i - 1], &pairs[i]) < 0;
	}
	if (!sorted)
		qsort(pairs, npairs, sizeof(JsonbPair), compare_pairs);
	object->type = jbvObject;
	object->val.object.nPairs = npairs;
	object->val.object.pairs = pairs;
}

static void
make_array(JsonbValue *array, const JsonbValue *values, int n)
{
	array->type = jbvArray;
	array->val.array.nElems = n;
	array->val.array.elems = palloc_array(JsonbValue, n + 1);
	array->val.array.rawScalar = false;
	if (n > 0)
		memcpy(array->val.array.elems, values, n * sizeof(JsonbValue));
}

static void
begin_container(RecJson *json)
{
	if (json->depth == REC_JSON_DEPTH)
		elog(ERROR, "a value of jsonb is too deep");
	json->begins[json->depth++] = json->n;
}

/*
 * Begin or end an object or an array.  At most REC_JSON_DEPTH may be open, and
 * an object has no duplicate keys.
 */
void
rec_json_writer_token(RecJson *json, JsonbIteratorToken token)
{
	JsonbValue	container;
	int			begin;

	if (token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY)
	{
		begin_container(json);
		return;
	}
	Assert(json->depth > 0);
	begin = json->begins[--json->depth];
	if (token == WJB_END_OBJECT)
		make_object(&container, json->values + begin, (json->n - begin) / 2);
	else
		make_array(&container, json->values + begin, json->n - begin);
	json->n = begin;
	add_value(json, &container);
}

/* ----------------
 *		scalars
 * ----------------
 */

/* Write a string, which must stay allocated, as a key, value or element. */
void
rec_json_writer_text(RecJson *json, JsonbIteratorToken token pg_attribute_unused(), const char *text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = strlen(text);
	add_value(json, &value);
}

/* Write the key of the next value.  The key must stay allocated. */
void
rec_json_writer_key(RecJson *json, const char *key)
{
	rec_json_writer_text(json, WJB_KEY, key);
}

/*
 * Write true or false, as a value or an element.  The functions below write a
 * value or an element, too.
 */
void
rec_json_writer_bool(RecJson *json, bool boolean)
{
	JsonbValue	value;

	value.type = jbvBool;
	value.val.boolean = boolean;
	add_value(json, &value);
}

/* Write a null. */
void
rec_json_writer_null(RecJson *json)
{
	JsonbValue	value;

	value.type = jbvNull;
	add_value(json, &value);
}

/* Write a numeric with all of its digits.  It must stay allocated. */
void
rec_json_writer_numeric(RecJson *json, Datum numeric)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = DatumGetNumeric(numeric);
	add_value(json, &value);
}

/*
 * Write a finite number.  Numbers below a million get twelve decimals, without
 * the conversion to text that float8_numeric() makes.
 */
void
rec_json_writer_number(RecJson *json, double number)
{
	if (fabs(number) < 1e6)
		rec_json_writer_numeric(json, NumericGetDatum(int64_div_fast_to_numeric((int64) rint(number * 1e12), 12)));
	else
		rec_json_writer_numeric(json, DirectFunctionCall1(float8_numeric, Float8GetDatum(number)));
}

/* Return the jsonb, after the outermost object or array has ended. */
Jsonb *
rec_json_writer_finish(RecJson *json)
{
	Assert(json->depth == 0 && json->n == 1);
	return JsonbValueToJsonb(json->values);
}
