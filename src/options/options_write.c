/*-------------------------------------------------------------------------
 *
 * options_write.c
 *	  Options as jsonb, and comparing two sets of them.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options/options_write.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "options/option_spec.h"
#include "options/options_write.h"
#include "pg/json_reader.h"
#include "pg/json_writer.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* Write a number with all digits, unlike rec_json_writer_number(). */
static void
write_float(RecJson *json, double value)
{
	rec_json_writer_numeric(json, DirectFunctionCall1(float8_numeric, Float8GetDatum(value)));
}

static void
write_int(RecJson *json, int value)
{
	rec_json_writer_numeric(json, DirectFunctionCall1(int4_numeric, Int32GetDatum(value)));
}

/* Write a string, or null when it is NULL. */
static void
write_text(RecJson *json, const char *text)
{
	if (text)
		rec_json_writer_text(json, WJB_VALUE, text);
	else
		rec_json_writer_null(json);
}

static void
write_interval(RecJson *json, double usecs)
{
	Interval	interval = {0};
	int			style = IntervalStyle;
	char	   *text;

	if (usecs == 0)
	{
		rec_json_writer_null(json);
		return;
	}
	interval.day = (int32) (usecs / USECS_PER_DAY);
	interval.time = (int64) (usecs - interval.day * (double) USECS_PER_DAY);
	IntervalStyle = INTSTYLE_POSTGRES;	/* independent of the session */
	text = DatumGetCString(DirectFunctionCall1(interval_out,
											   IntervalPGetDatum(&interval)));

	IntervalStyle = style;
	rec_json_writer_text(json, WJB_VALUE, text);
}

/* Write weights by relation; the weights of one relation are adjacent. */
static void
write_events(RecJson *json, const RecOptions *options)
{
	const char *relation = NULL;

	rec_json_writer_token(json, WJB_BEGIN_OBJECT);
	for (int i = 0; i < options->nevent_weights; i++)
	{
		const RecSourceWeight *weight = &options->event_weights[i];

		if (relation == NULL || strcmp(relation, weight->relation) != 0)
		{
			if (relation)
				rec_json_writer_token(json, WJB_END_OBJECT);
			rec_json_writer_key(json, weight->relation);
			rec_json_writer_token(json, WJB_BEGIN_OBJECT);
		}
		relation = weight->relation;
		rec_json_writer_key(json, weight->event);
		write_float(json, weight->weight);
	}
	if (relation)
		rec_json_writer_token(json, WJB_END_OBJECT);
	rec_json_writer_token(json, WJB_END_OBJECT);
}

static void
write_texts(RecJson *json, const RecOptions *options)
{
	rec_json_writer_token(json, WJB_BEGIN_ARRAY);
	for (int i = 0; i < options->nseen_events; i++)
		rec_json_writer_text(json, WJB_ELEM, options->seen_events[i]);
	rec_json_writer_token(json, WJB_END_ARRAY);
}

/* Write the names of the bits that are set. */
static void
write_set(RecJson *json, const RecOptionSpec *spec, int set)
{
	rec_json_writer_token(json, WJB_BEGIN_ARRAY);
	for (int i = 0; spec->value_name(i) != NULL; i++)
		if (set & (1 << i))
			rec_json_writer_text(json, WJB_ELEM, spec->value_name(i));
	rec_json_writer_token(json, WJB_END_ARRAY);
}

static void
write_blend(RecJson *json, const RecOptions *options)
{
	rec_json_writer_token(json, WJB_BEGIN_OBJECT);
	for (int i = 0; i < REC_NCOMPONENTS; i++)
	{
		rec_json_writer_key(json, rec_options_component_names[i]);
		write_float(json, options->blend[i]);
	}
	rec_json_writer_token(json, WJB_END_OBJECT);
}

static void
write_caps(RecJson *json, const RecOptions *options)
{
	rec_json_writer_token(json, WJB_BEGIN_OBJECT);
	for (int i = 0; i < options->ncaps; i++)
	{
		rec_json_writer_key(json, options->caps[i].column);
		write_int(json, options->caps[i].most);
	}
	rec_json_writer_token(json, WJB_END_OBJECT);
}

static void
write_option(RecJson *json, const RecOptions *options, const RecOptionSpec *spec)
{
	switch (spec->kind)
	{
		case REC_OPTION_INT:
			write_int(json, *REC_INT_FIELD(options, spec));
			break;
		case REC_OPTION_FLOAT:
			write_float(json, *REC_FLOAT_FIELD(options, spec));
			break;
		case REC_OPTION_BOOL:
			rec_json_writer_bool(json, *REC_BOOL_FIELD(options, spec));
			break;
		case REC_OPTION_ENUM:
			write_text(json, spec->value_name(*REC_INT_FIELD(options, spec)));
			break;
		case REC_OPTION_INTERVAL:
			write_interval(json, *REC_FLOAT_FIELD(options, spec));
			break;
		case REC_OPTION_TEXT:
			write_text(json, *REC_TEXT_FIELD(options, spec));
			break;
		case REC_OPTION_TEXTS:
			write_texts(json, options);
			break;
		case REC_OPTION_SET:
			write_set(json, spec, *REC_INT_FIELD(options, spec));
			break;
		case REC_OPTION_TIMEZONE:
			write_text(json, options->context_timezone);
			break;
		case REC_OPTION_BLEND:
			write_blend(json, options);
			break;
		case REC_OPTION_CAPS:
			write_caps(json, options);
			break;
		case REC_OPTION_EVENTS:
			write_events(json, options);
			break;
	}
}

/* Return the values of all options of the scopes as a jsonb object. */
Jsonb *
rec_options_write(const RecOptions *options, int scopes)
{
	RecJson		json = {0};

	rec_json_writer_token(&json, WJB_BEGIN_OBJECT);
	for (int i = 0; i < rec_option_spec_count; i++)
	{
		if ((rec_option_specs[i].scope & scopes) == 0)
			continue;
		/* an option without a default is written only if it was given */
		if (rec_option_specs[i].kind == REC_OPTION_EVENTS && options->nevent_weights == 0)
			continue;
		rec_json_writer_key(&json, rec_option_specs[i].name);
		write_option(&json, options, &rec_option_specs[i]);
	}
	rec_json_writer_token(&json, WJB_END_OBJECT);
	return rec_json_writer_finish(&json);
}

static bool
equals_value(const JsonbValue *a, const JsonbValue *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type)
	{
		case jbvString:
			return a->val.string.len == b->val.string.len &&
				memcmp(a->val.string.val, b->val.string.val, a->val.string.len) == 0;
		case jbvNumeric:
			return DatumGetBool(DirectFunctionCall2(numeric_eq,
													NumericGetDatum(a->val.numeric),
													NumericGetDatum(b->val.numeric)));
		case jbvBool:
			return a->val.boolean == b->val.boolean;
		case jbvBinary:
			return compareJsonbContainers(a->val.binary.data, b->val.binary.data) == 0;
		default:
			return true;
	}
}

/* Return true when the options of scope BUILD are those of a jsonb. */
bool
rec_options_write_same_build(const RecOptions *options, Jsonb *json)
{
	RecJsonMembers member = rec_json_reader_members(&json->root);
	Jsonb	   *current = rec_options_write(options, REC_SCOPE_BUILD);

	while (rec_json_reader_next_member(&member))
	{
		JsonbValue *now = getKeyJsonValueFromContainer(&current->root, member.name,
													   strlen(member.name), NULL);

		if (now && !equals_value(now, &member.value))
			return false;
	}
	return true;
}
