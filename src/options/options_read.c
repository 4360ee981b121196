/*-------------------------------------------------------------------------
 *
 * options_read.c
 *	  Options from jsonb.
 *
 * Each kind of option has a function that reads its value.  An option that is
 * null in the jsonb has its default.  Results are allocated in the current
 * context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options/options_read.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "options/option_spec.h"
#include "options/options_default.h"
#include "options/options_read.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "pg/json_reader.h"
#include "pg/relation.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* the required value of the option event_weights */
#define EVENT_WEIGHTS \
	"an object of event weights by relation, such as {\"orders\": {\"view\": 1}}"

static void
wrong_type(const char *name, const char *expected)
{
	rec_json_reader_refuse(psprintf("option \"%s\"", name), expected);
}

/*
 * Return a number in the option's range; "name" is that of the option or of
 * its part.
 */
static double
number_value(const char *name, const RecOptionSpec *spec, const JsonbValue *value)
{
	return rec_json_reader_double_within(psprintf("option \"%s\"", name), value, spec->min, spec->max,
								  spec->kind == REC_OPTION_INT || spec->kind == REC_OPTION_CAPS);
}

static JsonbContainer *
object_value(const RecOptionSpec *spec, const JsonbValue *value, const char *expected)
{
	JsonbContainer *object = rec_json_reader_object(value);

	if (object == NULL)
		wrong_type(spec->name, expected);
	if (JsonContainerSize(object) > REC_MOST_STRINGS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("option \"%s\" must not have more than %d members", spec->name,
						REC_MOST_STRINGS)));
	return object;
}

/* Return a string; a value of another type is an ERROR. */
static char *
string_value(const RecOptionSpec *spec, const JsonbValue *value, const char *expected)
{
	if (value->type != jbvString)
		wrong_type(spec->name, expected);
	return rec_json_reader_string(value);
}

/* Return the strings of an array. */
static List *
strings_value(const RecOptionSpec *spec, const JsonbValue *value)
{
	List	   *strings;

	if (!rec_json_reader_strings(value, &strings))
		wrong_type(spec->name, "an array of strings");
	return strings;
}

/* Return the number of one of an option's named values. */
static int
named_value(const RecOptionSpec *spec, const char *name)
{
	return rec_closest_name_number(spec->name, spec->value_name, name);
}

/* Return the bits of the names in an array. */
static int
set_value(const RecOptionSpec *spec, const JsonbValue *value)
{
	int			set = 0;
	ListCell   *cell;

	foreach(cell, strings_value(spec, value))
		set |= 1 << named_value(spec, lfirst(cell));
	return set;
}

static void
time_zone_missing(const char *given)
{
	RecClosest	closest;
	pg_tzenum  *zones = pg_tzenumerate_start();
	pg_tz	   *zone;

	rec_closest_name_start(&closest, given);
	while ((zone = pg_tzenumerate_next(zones)) != NULL)
		rec_closest_name_consider(&closest, pstrdup(pg_get_timezone_name(zone)));
	pg_tzenumerate_end(zones);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("time zone \"%s\" does not exist", rec_arguments_clip(given)),
			 rec_closest_name_hint(&closest, "time zone")));
}

/* Return the name of a time zone, in the copy that PostgreSQL never frees. */
static const char *
time_zone_value(const RecOptionSpec *spec, const JsonbValue *value)
{
	char	   *given = string_value(spec, value, "the name of a time zone");
	pg_tz	   *zone;

	zone = pg_tzset(given);
	if (zone == NULL || !pg_tz_acceptable(zone))
		time_zone_missing(given);
	return pg_get_timezone_name(zone);
}

/* Return an interval in microseconds; a month has thirty days. */
static double
interval_value(const RecOptionSpec *spec, const JsonbValue *value)
{
	char	   *given = string_value(spec, value, "an interval in a string, such as \"30 days\"");
	Interval   *interval;
	double		usecs;

	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(given),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	usecs = (interval->month * (double) DAYS_PER_MONTH + interval->day) *
		USECS_PER_DAY + interval->time;
	if (!(usecs > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be greater than zero", spec->name)));
	if (usecs / USECS_PER_DAY > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be at most %d days", spec->name, PG_INT32_MAX)));
	return usecs;
}

/* Read an array of strings into seen_events. */
static void
texts_value(RecOptions *options, const RecOptionSpec *spec, const JsonbValue *value)
{
	List	   *events = strings_value(spec, value);
	ListCell   *cell;

	options->nseen_events = 0;
	options->seen_events = palloc_array(char *, list_length(events) + 1);
	foreach(cell, events)
		options->seen_events[options->nseen_events++] = lfirst(cell);
}

static const char *
component_name(int value)
{
	return value < REC_NCOMPONENTS ? rec_options_component_names[value] : NULL;
}

/*
 * Read the weights of the components that are named; the others keep theirs.
 */
static void
blend_value(RecOptions *options, const RecOptionSpec *spec, const JsonbValue *value)
{
	JsonbContainer *object = object_value(spec, value, "an object of component weights");
	RecJsonMembers member = rec_json_reader_members(object);

	while (rec_json_reader_next_member(&member))
	{
		int			component = rec_closest_name_number("component", component_name, member.name);

		options->blend[component] =
			number_value(psprintf("%s.%s", spec->name, member.name), spec, &member.value);
	}
}

/* Read an object of numbers by column. */
static void
caps_value(RecOptions *options, const RecOptionSpec *spec, const JsonbValue *value)
{
	JsonbContainer *object = object_value(spec, value, "an object of whole numbers by column");
	RecJsonMembers member = rec_json_reader_members(object);

	options->caps = palloc_array(RecCap, JsonContainerSize(object) + 1);
	options->ncaps = 0;
	while (rec_json_reader_next_member(&member))
	{
		RecCap	   *cap = &options->caps[options->ncaps++];

		cap->column = member.name;
		cap->most = (int) number_value(spec->name, spec, &member.value);
	}
}

/* Add the weights of a source's events. */
static void
source_weights(RecOptions *options, const RecOptionSpec *spec, char *relation,
			   const JsonbValue *value)
{
	JsonbContainer *object = object_value(spec, value, EVENT_WEIGHTS);
	RecJsonMembers member = rec_json_reader_members(object);
	RecSourceWeight *weights;

	weights = palloc_array(RecSourceWeight, options->nevent_weights + JsonContainerSize(object) + 1);
	if (options->nevent_weights > 0)
		memcpy(weights, options->event_weights, options->nevent_weights * sizeof(RecSourceWeight));
	options->event_weights = weights;
	while (rec_json_reader_next_member(&member))
	{
		RecSourceWeight *entry = &weights[options->nevent_weights++];

		entry->relation = relation;
		entry->event = member.name;
		entry->weight = number_value(spec->name, spec, &member.value);
	}
}

/* Read an object of weights by relation and event: {"orders": {"view": 1}}. */
static void
events_value(RecOptions *options, const RecOptionSpec *spec, const JsonbValue *value)
{
	JsonbContainer *object = object_value(spec, value, EVENT_WEIGHTS);
	RecJsonMembers member = rec_json_reader_members(object);

	options->nevent_weights = 0;
	while (rec_json_reader_next_member(&member))
		source_weights(options, spec, member.name, &member.value);
}

static void
set_option(RecOptions *options, const RecOptionSpec *spec, const JsonbValue *value)
{
	if (value->type == jbvNull)
	{
		rec_options_default_reset(options, spec);
		return;
	}
	switch (spec->kind)
	{
		case REC_OPTION_INT:
			*REC_INT_FIELD(options, spec) = (int) number_value(spec->name, spec, value);
			break;
		case REC_OPTION_FLOAT:
			*REC_FLOAT_FIELD(options, spec) = number_value(spec->name, spec, value);
			break;
		case REC_OPTION_BOOL:
			if (value->type != jbvBool)
				wrong_type(spec->name, "true or false");
			*REC_BOOL_FIELD(options, spec) = value->val.boolean;
			break;
		case REC_OPTION_ENUM:
			*REC_INT_FIELD(options, spec) = named_value(spec, string_value(spec, value, "a string"));
			break;
		case REC_OPTION_INTERVAL:
			*REC_FLOAT_FIELD(options, spec) = interval_value(spec, value);
			break;
		case REC_OPTION_TEXT:
			*REC_TEXT_FIELD(options, spec) = string_value(spec, value, "a string");
			break;
		case REC_OPTION_TEXTS:
			texts_value(options, spec, value);
			break;
		case REC_OPTION_SET:
			*REC_INT_FIELD(options, spec) = set_value(spec, value);
			break;
		case REC_OPTION_TIMEZONE:
			options->context_timezone = time_zone_value(spec, value);
			break;
		case REC_OPTION_BLEND:
			blend_value(options, spec, value);
			break;
		case REC_OPTION_CAPS:
			caps_value(options, spec, value);
			break;
		case REC_OPTION_EVENTS:
			events_value(options, spec, value);
			break;
	}
}

/*
 * Apply the members of a jsonb object to options that are already filled in.
 * An option that does not exist, is not of the scopes (bits REC_SCOPE_*) or
 * has a wrong type or range is an ERROR.  Strings are allocated in the current
 * context.
 */
void
rec_options_read(RecOptions *options, Jsonb *json, int scopes)
{
	RecJsonMembers member = rec_json_reader_members(rec_json_reader_root_object(json, "options"));

	while (rec_json_reader_next_member(&member))
		set_option(options, rec_option_spec_find(member.name, scopes), &member.value);
	rec_options_check(options);
}
