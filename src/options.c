/*-------------------------------------------------------------------------
 *
 * options.c
 *	  The options of a similarity computation and of a recommender.
 *
 * One table says what each option is called, what type and range it has, its
 * default and when it may be given; reading, checking and printing follow
 * from it.  An option that is null in the jsonb has its default.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "clock.h"
#include "fmgr.h"
#include "json.h"
#include "miscadmin.h"
#include "options.h"
#include "similarity.h"
#include "sqlutil.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

typedef enum OptionKind
{
	OPTION_INT,
	OPTION_FLOAT,
	OPTION_BOOL,
	OPTION_ENUM,				/* int; names by value_name */
	OPTION_INTERVAL,			/* double, microseconds; 0 for null */
	OPTION_TEXT,				/* char *; NULL for null */
	OPTION_TEXTS,				/* nseen_events and seen_events */
	OPTION_SET,					/* int, a bit for each; names by value_name */
	OPTION_TIMEZONE,			/* name of a time zone, PostgreSQL's own copy */
	OPTION_BLEND,
	OPTION_CAPS,				/* ncaps and caps */
	OPTION_EVENTS				/* nevent_weights and event_weights */
} OptionKind;

typedef struct OptionSpec
{
	const char *name;
	OptionKind	kind;
	int			scope;
	size_t		offset;			/* in RecOptions */
	double		initial;		/* default */
	double		min;
	double		max;
	const char *(*value_name) (int value);	/* NULL past the last one */
} OptionSpec;

const char *const rec_component_names[] = {
	"behaviour", "factors", "content", "context", "popularity", "trend"
};

static const double blend_default[REC_NCOMPONENTS] = {1, 1, 0.2, 0.5, 0.1, 0};

#define DAY_USECS		((double) USECS_PER_DAY)

static const char *
weighting_name(int value)
{
	static const char *const names[] = {"none", "binary", "log", "tfidf", "bm25"};

	return value < (int) lengthof(names) ? names[value] : NULL;
}

static const char *
repeats_name(int value)
{
	static const char *const names[] = {"sum", "max", "last", "binary"};

	return value < (int) lengthof(names) ? names[value] : NULL;
}

static const char *
model_name(int value)
{
	static const char *const names[] = {"neighbors", "ridge", "als"};

	return value < (int) lengthof(names) ? names[value] : NULL;
}

static const char *
truncate_name(int value)
{
	static const char *const names[] = {"source", "target"};

	return value < (int) lengthof(names) ? names[value] : NULL;
}

#define ALL_TIME_PARTS	((1 << REC_NTIMES) - 1)

#define BUILD		REC_SCOPE_BUILD
#define SERVE		REC_SCOPE_SERVE
#define SOURCE		REC_SCOPE_SOURCE
#define AT(field)	offsetof(RecOptions, field)

static const OptionSpec specs[] = {
	{"model", OPTION_ENUM, BUILD, AT(model), 0, 0, 0, model_name},
	{"measure", OPTION_ENUM, BUILD, AT(measure), 0, 0, 0, rec_measure_name},
	{"weighting", OPTION_ENUM, BUILD, AT(weighting), 0, 0, 0, weighting_name},
	{"neighbors", OPTION_INT, BUILD, AT(neighbors), 100, 1, 10000, NULL},
	{"min_support", OPTION_INT, BUILD, AT(min_support), 1, 1, PG_INT32_MAX, NULL},
	{"shrinkage", OPTION_FLOAT, BUILD, AT(shrinkage), 0, 0, 1e9, NULL},
	{"user_exponent", OPTION_FLOAT, BUILD, AT(user_exponent), 0, 0, 2, NULL},
	{"source_exponent", OPTION_FLOAT, BUILD, AT(source_exponent), 0.5, 0, 2, NULL},
	{"target_exponent", OPTION_FLOAT, BUILD, AT(target_exponent), 0.5, 0, 2, NULL},
	{"tversky_alpha", OPTION_FLOAT, BUILD, AT(tversky_alpha), 0.5, 0, 1e6, NULL},
	{"tversky_beta", OPTION_FLOAT, BUILD, AT(tversky_beta), 0.5, 0, 1e6, NULL},
	{"bm25_k1", OPTION_FLOAT, BUILD, AT(bm25_k1), 1.2, 0, 1e6, NULL},
	{"bm25_b", OPTION_FLOAT, BUILD, AT(bm25_b), 0.75, 0, 1, NULL},
	{"max_history", OPTION_INT, BUILD, AT(max_history), 500, 1, PG_INT32_MAX, NULL},
	{"repeats", OPTION_ENUM, BUILD, AT(repeats), 0, 0, 0, repeats_name},
	{"half_life", OPTION_INTERVAL, BUILD | SERVE, AT(half_life), 0, 0, 0, NULL},
	{"truncate", OPTION_ENUM, BUILD, AT(truncate), 0, 0, 0, truncate_name},
	{"content_kappa", OPTION_FLOAT, BUILD, AT(content_kappa), 2, 0, 1e9, NULL},
	{"ridge_lambda", OPTION_FLOAT, BUILD, AT(ridge_lambda), 50, 1e-6, 1e12, NULL},
	{"ridge_damping", OPTION_FLOAT, BUILD, AT(ridge_damping), 0, -2, 2, NULL},
	{"ridge_candidates", OPTION_INT, BUILD, AT(ridge_candidates), 100, 1, 2000, NULL},
	{"ridge_exact_items", OPTION_INT, BUILD, AT(ridge_exact_items), 10000, 0, 50000, NULL},
	{"context_time", OPTION_SET, BUILD, AT(context_time), ALL_TIME_PARTS, 0, 0, rec_time_part_name},
	{"context_timezone", OPTION_TIMEZONE, BUILD | SERVE, AT(context_timezone), 0, 0, 0, NULL},
	{"context_smoothing", OPTION_FLOAT, BUILD, AT(context_smoothing), 5, 1e-6, 1e9, NULL},
	{"context_significance", OPTION_FLOAT, BUILD, AT(context_significance), 0.05, 0, 1, NULL},
	{"context_now", OPTION_BOOL, SERVE, AT(context_now), 0, 0, 1, NULL},
	{"als_factors", OPTION_INT, BUILD, AT(als_factors), 64, 1, 1000, NULL},
	{"als_iterations", OPTION_INT, BUILD, AT(als_iterations), 16, 1, 1000, NULL},
	{"als_unobserved", OPTION_FLOAT, BUILD, AT(als_unobserved), 10, 0, 1000, NULL},
	{"als_regularization", OPTION_FLOAT, BUILD, AT(als_regularization), 0.01, 1e-6, 1e6, NULL},
	{"als_exponent", OPTION_FLOAT, BUILD, AT(als_exponent), 1, 0, 2, NULL},
	{"als_seed", OPTION_INT, BUILD, AT(als_seed), 0, 0, PG_INT32_MAX, NULL},
	{"blend", OPTION_BLEND, SERVE, AT(blend), 0, 0, 1e6, NULL},
	{"kappa", OPTION_FLOAT, SERVE, AT(kappa), 1, 0, 1e9, NULL},
	{"item_kappa", OPTION_FLOAT, SERVE, AT(item_kappa), 5, 0, 1e9, NULL},
	{"history", OPTION_INT, SERVE, AT(history), 100, 1, 100000, NULL},
	{"new_items", OPTION_INT, SERVE, AT(new_items), 50, 0, 1000, NULL},
	{"exclude_seen", OPTION_BOOL, SERVE, AT(exclude_seen), 1, 0, 1, NULL},
	{"seen_events", OPTION_TEXTS, SERVE, AT(seen_events), 0, 0, 0, NULL},
	{"session_decay", OPTION_FLOAT, SERVE, AT(session_decay), 0.85, 0, 1, NULL},
	{"reasons", OPTION_INT, SERVE, AT(reasons), 3, 0, 100, NULL},
	{"diversity", OPTION_FLOAT, SERVE, AT(diversity), 0, 0, 1, NULL},
	{"max_per", OPTION_CAPS, SERVE, AT(caps), 0, 1, PG_INT32_MAX, NULL},
	{"popularity_discount", OPTION_FLOAT, SERVE, AT(popularity_discount), 0, 0, 1e6, NULL},
	{"language", OPTION_TEXT, SERVE, AT(language), 0, 0, 0, NULL},
	{"trend_window", OPTION_INTERVAL, SERVE, AT(trend_window), 7 * DAY_USECS, 0, 0, NULL},
	{"trend_baseline", OPTION_INTERVAL, SERVE, AT(trend_baseline), 28 * DAY_USECS, 0, 0, NULL},
	{"trend_smoothing", OPTION_FLOAT, SERVE, AT(trend_smoothing), 10, 1e-6, 1e9, NULL},
	{"event_weights", OPTION_EVENTS, SOURCE, AT(event_weights), 0, -1e9, 1e9, NULL},
};

#define INT_FIELD(options, spec)	((int *) ((char *) (options) + (spec)->offset))
#define FLOAT_FIELD(options, spec)	((double *) ((char *) (options) + (spec)->offset))
#define TEXT_FIELD(options, spec)	((char **) ((char *) (options) + (spec)->offset))
#define BOOL_FIELD(options, spec)	((bool *) ((char *) (options) + (spec)->offset))

static void
set_default(RecOptions *options, const OptionSpec *spec)
{
	static char *seen_default[] = {"purchase"};

	switch (spec->kind)
	{
		case OPTION_INT:
		case OPTION_ENUM:
		case OPTION_SET:
			*INT_FIELD(options, spec) = (int) spec->initial;
			break;
		case OPTION_FLOAT:
		case OPTION_INTERVAL:
			*FLOAT_FIELD(options, spec) = spec->initial;
			break;
		case OPTION_BOOL:
			*BOOL_FIELD(options, spec) = spec->initial != 0;
			break;
		case OPTION_TEXT:
			*TEXT_FIELD(options, spec) = NULL;
			break;
		case OPTION_TEXTS:
			options->nseen_events = lengthof(seen_default);
			options->seen_events = seen_default;
			break;
		case OPTION_TIMEZONE:
			options->context_timezone = "UTC";
			break;
		case OPTION_BLEND:
			memcpy(options->blend, blend_default, sizeof(blend_default));
			break;
		case OPTION_CAPS:
			options->ncaps = 0;
			options->caps = NULL;
			break;
		case OPTION_EVENTS:
			options->nevent_weights = 0;
			options->event_weights = NULL;
			break;
	}
}

/*
 * Fills in the defaults.  Those of a stored model differ: it is to recommend
 * well on data that nobody has looked at, for which damped cosine with lists
 * per target did best over shops and places (see src/README), and it is seen
 * by others than the one who built it, so that a pair needs two users.
 */
void
rec_options_default(RecOptions *options, bool stored_model)
{
	memset(options, 0, sizeof(*options));
	options->stored_model = stored_model;
	for (int i = 0; i < (int) lengthof(specs); i++)
		set_default(options, &specs[i]);
	if (!stored_model)
		return;
	options->measure = rec_measure_number("damped_cosine");
	options->user_exponent = 0.5;
	options->source_exponent = 0.5;
	options->target_exponent = 0.4;
	options->weighting = REC_WEIGHTING_LOG;
	options->truncate = REC_TRUNCATE_TARGET;
	options->min_support = 2;
}

/* Makes a cap of one column the default of max_per, in the current context. */
void
rec_options_cap(RecOptions *options, const char *column, int most)
{
	options->caps = palloc_object(RecCap);
	options->caps[0].column = pstrdup(column);
	options->caps[0].most = most;
	options->ncaps = 1;
}

/* Gives an option its default again, that of a stored model if it is one's. */
static void
reset_option(RecOptions *options, const OptionSpec *spec)
{
	RecOptions	defaults;

	rec_options_default(&defaults, options->stored_model);
	switch (spec->kind)
	{
		case OPTION_INT:
		case OPTION_ENUM:
			*INT_FIELD(options, spec) = *INT_FIELD(&defaults, spec);
			break;
		case OPTION_FLOAT:
			*FLOAT_FIELD(options, spec) = *FLOAT_FIELD(&defaults, spec);
			break;
		default:
			set_default(options, spec);
	}
}

static void
wrong_type(const char *name, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be %s", name, expected)));
}

/* Gives a jsonb number that lies in the option's range. */
static double
number_value(const char *name, const OptionSpec *spec, const JsonbValue *value)
{
	double		number;
	bool		whole = spec->kind == OPTION_INT || spec->kind == OPTION_CAPS;

	if (value->type != jbvNumeric)
		wrong_type(name, whole ? "an integer" : "a number");
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												NumericGetDatum(value->val.numeric)));
	if (whole && number != rint(number))
		wrong_type(name, "an integer");
	if (!(number >= spec->min && number <= spec->max))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be between %.10g and %.10g",
						name, spec->min, spec->max)));
	return number;
}

static char *
string_value(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* Gives the number of one of the names that an option knows. */
static int
number_of_name(const char *option, const char *(*value_name) (int value), const char *given)
{
	RecClosest	closest;
	const char *name;

	rec_closest_start(&closest, given);
	for (int i = 0; (name = value_name(i)) != NULL; i++)
	{
		if (strcmp(name, given) == 0)
			return i;
		rec_closest_consider(&closest, name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s \"%s\" does not exist", option, given),
			 rec_closest_hint(&closest, option)));
	return -1;
}

static int
named_value(const OptionSpec *spec, const JsonbValue *value)
{
	return number_of_name(spec->name, spec->value_name, string_value(value));
}

/* Gives the model of a name; an ERROR when there is none. */
RecModel
rec_option_model(const char *name)
{
	return (RecModel) number_of_name("model", model_name, name);
}

static int
enum_value(const OptionSpec *spec, const JsonbValue *value)
{
	if (value->type != jbvString)
		wrong_type(spec->name, "a string");
	return named_value(spec, value);
}

/* Gives the bits of the names in an array. */
static int
set_value(const OptionSpec *spec, const JsonbValue *value)
{
	JsonbContainer *array = value->type == jbvBinary ? value->val.binary.data : NULL;
	int			set = 0;

	if (array == NULL || !JsonContainerIsArray(array))
		wrong_type(spec->name, "an array of strings");
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array, i);

		if (element->type != jbvString)
			wrong_type(spec->name, "an array of strings");
		set |= 1 << named_value(spec, element);
	}
	return set;
}

static void
time_zone_missing(const char *given)
{
	RecClosest	closest;
	pg_tzenum  *zones = pg_tzenumerate_start();
	pg_tz	   *zone;

	rec_closest_start(&closest, given);
	while ((zone = pg_tzenumerate_next(zones)) != NULL)
		rec_closest_consider(&closest, pstrdup(pg_get_timezone_name(zone)));
	pg_tzenumerate_end(zones);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("time zone \"%s\" does not exist", given),
			 rec_closest_hint(&closest, "time zone")));
}

/* Gives the name of a time zone as PostgreSQL keeps it for good. */
static const char *
time_zone_value(const OptionSpec *spec, const JsonbValue *value)
{
	char	   *given;
	pg_tz	   *zone;

	if (value->type != jbvString)
		wrong_type(spec->name, "the name of a time zone");
	given = string_value(value);
	zone = pg_tzset(given);
	if (zone == NULL || !pg_tz_acceptable(zone))
		time_zone_missing(given);
	return pg_get_timezone_name(zone);
}

/* Gives an interval in microseconds, a month counting thirty days. */
static double
interval_value(const OptionSpec *spec, const JsonbValue *value)
{
	Interval   *interval;
	double		usecs;

	if (value->type != jbvString)
		wrong_type(spec->name, "an interval in a string, such as \"30 days\"");
	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in,
													 CStringGetDatum(string_value(value)),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	usecs = (interval->month * (double) DAYS_PER_MONTH + interval->day) *
		DAY_USECS + interval->time;
	if (!(usecs > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be greater than zero", spec->name)));
	if (usecs / DAY_USECS > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be at most %d days", spec->name, PG_INT32_MAX)));
	return usecs;
}

/* Reads an array of strings into seen_events, in the current context. */
static void
texts_value(RecOptions *options, const OptionSpec *spec, const JsonbValue *value)
{
	JsonbContainer *array = value->type == jbvBinary ? value->val.binary.data : NULL;
	uint32		count;

	if (array == NULL || !JsonContainerIsArray(array))
		wrong_type(spec->name, "an array of strings");
	count = JsonContainerSize(array);
	options->nseen_events = count;
	options->seen_events = palloc_array(char *, count + 1);
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array, i);

		if (element->type != jbvString)
			wrong_type(spec->name, "an array of strings");
		options->seen_events[i] = string_value(element);
	}
}

static int
component_number(const char *name)
{
	RecClosest	closest;

	rec_closest_start(&closest, name);
	for (int i = 0; i < REC_NCOMPONENTS; i++)
	{
		if (strcmp(name, rec_component_names[i]) == 0)
			return i;
		rec_closest_consider(&closest, rec_component_names[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("component \"%s\" does not exist", name),
			 rec_closest_hint(&closest, "component")));
	return -1;
}

/* Reads the weights of the components that are named; the others stay. */
static void
blend_value(RecOptions *options, const OptionSpec *spec, const JsonbValue *value)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	item;
	int			component = 0;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		wrong_type(spec->name, "an object of component weights");
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			component = component_number(string_value(&item));
		else if (token == WJB_VALUE)
			options->blend[component] =
				number_value(rec_component_names[component], spec, &item);
	}
}

/* Reads an object of numbers by column, in the current context. */
static void
caps_value(RecOptions *options, const OptionSpec *spec, const JsonbValue *value)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	item;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		wrong_type(spec->name, "an object of whole numbers by column");
	options->caps = palloc_array(RecCap, JsonContainerSize(value->val.binary.data) + 1);
	options->ncaps = 0;
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			options->caps[options->ncaps].column = string_value(&item);
		else if (token == WJB_VALUE)
			options->caps[options->ncaps++].most = (int) number_value(spec->name, spec, &item);
	}
}

/* Adds the weights of a source's events, in the current context. */
static void
source_weights(RecOptions *options, const OptionSpec *spec, const char *relation,
			   const JsonbValue *value)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	item;
	RecSourceWeight *weights;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		wrong_type(spec->name, "an object of event weights by relation");
	weights = palloc_array(RecSourceWeight,
						   options->nevent_weights + JsonContainerSize(value->val.binary.data) + 1);
	if (options->nevent_weights > 0)
		memcpy(weights, options->event_weights, options->nevent_weights * sizeof(RecSourceWeight));
	options->event_weights = weights;
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		RecSourceWeight *entry = &weights[options->nevent_weights];

		if (token == WJB_KEY)
			entry->event = string_value(&item);
		else if (token == WJB_VALUE)
		{
			entry->relation = pstrdup(relation);
			entry->weight = number_value(spec->name, spec, &item);
			options->nevent_weights++;
		}
	}
}

/* Reads objects of weights by event, by relation: {"orders": {"view": 1}}. */
static void
events_value(RecOptions *options, const OptionSpec *spec, const JsonbValue *value)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	item;
	char	   *relation = NULL;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		wrong_type(spec->name, "an object of event weights by relation");
	options->nevent_weights = 0;
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			relation = string_value(&item);
		else if (token == WJB_VALUE)
			source_weights(options, spec, relation, &item);
	}
}

static void
set_option(RecOptions *options, const OptionSpec *spec, const JsonbValue *value)
{
	if (value->type == jbvNull)
	{
		reset_option(options, spec);
		return;
	}
	switch (spec->kind)
	{
		case OPTION_INT:
			*INT_FIELD(options, spec) = (int) number_value(spec->name, spec, value);
			break;
		case OPTION_FLOAT:
			*FLOAT_FIELD(options, spec) = number_value(spec->name, spec, value);
			break;
		case OPTION_BOOL:
			if (value->type != jbvBool)
				wrong_type(spec->name, "true or false");
			*BOOL_FIELD(options, spec) = value->val.boolean;
			break;
		case OPTION_ENUM:
			*INT_FIELD(options, spec) = enum_value(spec, value);
			break;
		case OPTION_INTERVAL:
			*FLOAT_FIELD(options, spec) = interval_value(spec, value);
			break;
		case OPTION_TEXT:
			if (value->type != jbvString)
				wrong_type(spec->name, "a string");
			*TEXT_FIELD(options, spec) = string_value(value);
			break;
		case OPTION_TEXTS:
			texts_value(options, spec, value);
			break;
		case OPTION_SET:
			*INT_FIELD(options, spec) = set_value(spec, value);
			break;
		case OPTION_TIMEZONE:
			options->context_timezone = time_zone_value(spec, value);
			break;
		case OPTION_BLEND:
			blend_value(options, spec, value);
			break;
		case OPTION_CAPS:
			caps_value(options, spec, value);
			break;
		case OPTION_EVENTS:
			events_value(options, spec, value);
			break;
	}
}

static const OptionSpec *
find_option(const char *name, int scopes)
{
	RecClosest	closest;

	rec_closest_start(&closest, name);
	for (int i = 0; i < (int) lengthof(specs); i++)
	{
		if (strcmp(specs[i].name, name) == 0)
		{
			if (specs[i].scope & scopes)
				return &specs[i];
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"%s\" cannot be given here", name),
					 specs[i].scope == SOURCE ?
					 errhint("Events have their weights from their sources: use add_interactions(), or set_options().") :
					 scopes == REC_SCOPE_SERVE ?
					 errhint("It takes effect when the model is built: use set_options(), then refresh().") :
					 errhint("It belongs to a recommender: use set_options().")));
		}
		if (specs[i].scope & scopes)
			rec_closest_consider(&closest, specs[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" does not exist", name),
			 rec_closest_hint(&closest, "option")));
	return NULL;
}

/* Refuses what each option allows for itself but not the two together. */
static void
check_combination(const RecOptions *options)
{
	if (options->model == REC_MODEL_ALS &&
		(options->weighting == REC_WEIGHTING_TFIDF || options->weighting == REC_WEIGHTING_BM25))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"als\" takes no weighting \"%s\"", weighting_name(options->weighting)),
				 errhint("Weightings for it are none, binary and log.")));
	if (rec_measure_of(options)->centring != REC_CENTRE_NONE &&
		options->weighting != REC_WEIGHTING_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("measure \"%s\" compares ratings and takes no weighting",
						rec_measure_of(options)->name)));
}

/*
 * Applies the members of a jsonb object to options that were filled before.
 * An option that does not exist, is not of the scopes (bits REC_SCOPE_*) or
 * has a wrong type or range is an ERROR.  Strings are allocated in the
 * current context.
 */
void
rec_options_apply(RecOptions *options, Jsonb *json, int scopes)
{
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	const OptionSpec *spec = NULL;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object")));
	(void) JsonbIteratorNext(&it, &value, false);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_END_OBJECT)
	{
		if (token == WJB_KEY)
			spec = find_option(string_value(&value), scopes);
		else
			set_option(options, spec, &value);
	}
	check_combination(options);
}

static void
write_interval(RecJson *json, double usecs)
{
	Interval	interval = {0};
	int			style = IntervalStyle;
	char	   *text;

	if (usecs == 0)
	{
		rec_json_null(json);
		return;
	}
	interval.day = (int32) (usecs / DAY_USECS);
	interval.time = (int64) (usecs - interval.day * DAY_USECS);
	IntervalStyle = INTSTYLE_POSTGRES;	/* the same for every session */
	text = DatumGetCString(DirectFunctionCall1(interval_out,
											   IntervalPGetDatum(&interval)));

	IntervalStyle = style;
	rec_json_text(json, WJB_VALUE, text);
}

/* Writes weights by relation; those of one stand together. */
static void
write_events(RecJson *json, const RecOptions *options)
{
	const char *relation = NULL;

	rec_json_token(json, WJB_BEGIN_OBJECT);
	for (int i = 0; i < options->nevent_weights; i++)
	{
		const RecSourceWeight *weight = &options->event_weights[i];

		if (relation == NULL || strcmp(relation, weight->relation) != 0)
		{
			if (relation)
				rec_json_token(json, WJB_END_OBJECT);
			rec_json_key(json, weight->relation);
			rec_json_token(json, WJB_BEGIN_OBJECT);
		}
		relation = weight->relation;
		rec_json_key(json, weight->event);
		rec_json_numeric(json, DirectFunctionCall1(float8_numeric, Float8GetDatum(weight->weight)));
	}
	if (relation)
		rec_json_token(json, WJB_END_OBJECT);
	rec_json_token(json, WJB_END_OBJECT);
}

static void
write_option(RecJson *json, const RecOptions *options, const OptionSpec *spec)
{
	switch (spec->kind)
	{
		case OPTION_INT:
			rec_json_numeric(json, DirectFunctionCall1(int4_numeric,
													   Int32GetDatum(*INT_FIELD(options, spec))));
			break;
		case OPTION_FLOAT:
			rec_json_numeric(json, DirectFunctionCall1(float8_numeric,
													   Float8GetDatum(*FLOAT_FIELD(options, spec))));
			break;
		case OPTION_BOOL:
			rec_json_bool(json, *BOOL_FIELD(options, spec));
			break;
		case OPTION_ENUM:
			rec_json_text(json, WJB_VALUE, spec->value_name(*INT_FIELD(options, spec)));
			break;
		case OPTION_INTERVAL:
			write_interval(json, *FLOAT_FIELD(options, spec));
			break;
		case OPTION_TEXT:
			if (*TEXT_FIELD(options, spec))
				rec_json_text(json, WJB_VALUE, *TEXT_FIELD(options, spec));
			else
				rec_json_null(json);
			break;
		case OPTION_TEXTS:
			rec_json_token(json, WJB_BEGIN_ARRAY);
			for (int i = 0; i < options->nseen_events; i++)
				rec_json_text(json, WJB_ELEM, options->seen_events[i]);
			rec_json_token(json, WJB_END_ARRAY);
			break;
		case OPTION_SET:
			rec_json_token(json, WJB_BEGIN_ARRAY);
			for (int i = 0; spec->value_name(i) != NULL; i++)
				if (*INT_FIELD(options, spec) & (1 << i))
					rec_json_text(json, WJB_ELEM, spec->value_name(i));
			rec_json_token(json, WJB_END_ARRAY);
			break;
		case OPTION_TIMEZONE:
			rec_json_text(json, WJB_VALUE, options->context_timezone);
			break;
		case OPTION_BLEND:
			rec_json_token(json, WJB_BEGIN_OBJECT);
			for (int i = 0; i < REC_NCOMPONENTS; i++)
			{
				rec_json_key(json, rec_component_names[i]);
				rec_json_numeric(json, DirectFunctionCall1(float8_numeric,
														   Float8GetDatum(options->blend[i])));
			}
			rec_json_token(json, WJB_END_OBJECT);
			break;
		case OPTION_CAPS:
			rec_json_token(json, WJB_BEGIN_OBJECT);
			for (int i = 0; i < options->ncaps; i++)
			{
				rec_json_key(json, options->caps[i].column);
				rec_json_numeric(json, DirectFunctionCall1(int4_numeric,
														   Int32GetDatum(options->caps[i].most)));
			}
			rec_json_token(json, WJB_END_OBJECT);
			break;
		case OPTION_EVENTS:
			write_events(json, options);
			break;
	}
}

/* Gives all options of the scopes, as they are in force, as a jsonb object. */
Jsonb *
rec_options_to_jsonb(const RecOptions *options, int scopes)
{
	RecJson		json = {0};

	rec_json_token(&json, WJB_BEGIN_OBJECT);
	for (int i = 0; i < (int) lengthof(specs); i++)
	{
		if ((specs[i].scope & scopes) == 0)
			continue;
		/* what nobody has given is no option of a recommender */
		if (specs[i].kind == OPTION_EVENTS && options->nevent_weights == 0)
			continue;
		rec_json_key(&json, specs[i].name);
		write_option(&json, options, &specs[i]);
	}
	rec_json_token(&json, WJB_END_OBJECT);
	return rec_json_finish(&json);
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

/* True when the options that a model is built by are those of a jsonb. */
bool
rec_options_same_build(const RecOptions *options, Jsonb *json)
{
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	Jsonb	   *current = rec_options_to_jsonb(options, REC_SCOPE_BUILD);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	(void) JsonbIteratorNext(&it, &key, false);
	while ((token = JsonbIteratorNext(&it, &key, true)) == WJB_KEY)
	{
		JsonbValue *now = findJsonbValueFromContainer(&current->root, JB_FOBJECT, &key);

		(void) JsonbIteratorNext(&it, &value, true);
		if (now && !equals_value(now, &value))
			return false;
	}
	return true;
}
