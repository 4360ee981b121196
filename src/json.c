/*-------------------------------------------------------------------------
 *
 * json.c
 *	  Writing jsonb values piece by piece.
 *
 * A thin layer over PostgreSQL's own, whose face changed in version 19.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/json.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "json.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#if PG_VERSION_NUM >= 190000
#define push_compat(json, token, value) pushJsonbValue(&(json)->state, token, value)
#define result_compat(json) ((json)->state.result)
#else
#define push_compat(json, token, value) \
	((json)->result = pushJsonbValue(&(json)->state, token, value))
#define result_compat(json) ((json)->result)
#endif

/* Begins or ends an object or an array. */
void
rec_json_token(RecJson *json, JsonbIteratorToken token)
{
	push_compat(json, token, NULL);
}

/* Writes a string, which must stay allocated, as a key, value or element. */
void
rec_json_text(RecJson *json, JsonbIteratorToken token, const char *text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = strlen(text);
	push_compat(json, token, &value);
}

void
rec_json_key(RecJson *json, const char *key)
{
	rec_json_text(json, WJB_KEY, key);
}

void
rec_json_bool(RecJson *json, bool boolean)
{
	JsonbValue	value;

	value.type = jbvBool;
	value.val.boolean = boolean;
	push_compat(json, WJB_VALUE, &value);
}

void
rec_json_null(RecJson *json)
{
	JsonbValue	value;

	value.type = jbvNull;
	push_compat(json, WJB_VALUE, &value);
}

void
rec_json_numeric(RecJson *json, Datum numeric)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = DatumGetNumeric(numeric);
	push_compat(json, WJB_VALUE, &value);
}

/*
 * Writes a finite number.  Those below a million get twelve decimals, without
 * the detour over text that float8_numeric() takes.
 */
void
rec_json_number(RecJson *json, double number)
{
	if (fabs(number) < 1e6)
		rec_json_numeric(json, NumericGetDatum(int64_div_fast_to_numeric((int64) rint(number * 1e12), 12)));
	else
		rec_json_numeric(json, DirectFunctionCall1(float8_numeric, Float8GetDatum(number)));
}

/* Gives what was written, after the outermost object or array has ended. */
Jsonb *
rec_json_finish(RecJson *json)
{
	return JsonbValueToJsonb(result_compat(json));
}
