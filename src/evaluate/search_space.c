/*-------------------------------------------------------------------------
 *
 * search_space.c
 *	  The search space of tune(): configurations of options.
 *
 * A configuration has one of a few values for each of the parameters below, or
 * leaves the option in force.  The first configuration leaves all options in
 * force.  Then come some that are good on some data sets, then random ones, which
 * leave about half of the parameters: options in force are mostly good.  Every
 * random configuration draws an equal number of random numbers, and parameters
 * without effect are omitted when it is written.  So configuration n does not
 * depend on their number, nor its values for one model on the other models
 * allowed.
 *
 * A mutation changes one or two parameters of a configuration: by a step up or
 * down if the values are ordered.
 *
 * Depends on names and values of options, not on interactions.  Values of models
 * and weightings are in the order of their enums.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/search_space.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "evaluate/search_space.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "similarity/similarity.h"
#include "utils/json.h"

#define UNCHOSEN			(-1)

/* indexes of values */
#define DAMPED_COSINE		0
#define TVERSKY				4
#define BEHAVIOUR_WHOLE		4	/* 1 */

#define MAX_VALUES			16
#define SECOND_MUTATION		0.4 /* probability of a second change */

/* The condition under which a parameter has an effect. */
typedef enum Sense
{
	SENSE_ALWAYS,
	SENSE_BEHAVIOUR,			/* factors are blended with it */
	SENSE_COMPARES,				/* items have neighbours by a measure */
	SENSE_MEASURE,				/* likewise, or the measure in force takes no
								 * weighting */
	SENSE_LISTS,				/* items have neighbours that count */
	SENSE_USER_EXPONENT,		/* by damped cosine or ridge regression */
	SENSE_DAMPED,
	SENSE_TVERSKY,
	SENSE_RIDGE,
	SENSE_ALS,
	SENSE_TIME,
	SENSE_CONTENT,
	SENSE_CONTENT_COUNTS,		/* and its weight in the blend is not 0 */
	SENSE_CONTEXT,
	SENSE_EVENTS				/* there are at least two */
} Sense;

typedef enum ParameterKind
{
	KIND_NAME,					/* values have no order */
	KIND_NUMBER,				/* values are ascending or descending */
	KIND_BLEND					/* likewise, the weight of a component */
} ParameterKind;

typedef struct Parameter
{
	const char *name;			/* of the option, or of the component */
	ParameterKind kind;
	int			scope;			/* REC_SCOPE_BUILD, or REC_SCOPE_SERVE if the
								 * model stays the same */
	Sense		sense;
	const char *draws;			/* distribution of random draws: indexes of
								 * values, 0 to 9 and then a to f */
	const char *values[MAX_VALUES]; /* as JSON */
} Parameter;

typedef enum ParameterNumber
{
	MODEL,
	MEASURE,
	WEIGHTING,
	BEHAVIOUR,
	CONTENT,
	OTHERS						/* without special rules */
} ParameterNumber;

#define BUILD	REC_SCOPE_BUILD
#define SERVE	REC_SCOPE_SERVE

static const Parameter parameters[] = {
	[MODEL] = {"model", KIND_NAME, BUILD, SENSE_ALWAYS, "000122", {"\"neighbors\"", "\"ridge\"", "\"als\""}},
	[MEASURE] = {"measure", KIND_NAME, BUILD, SENSE_MEASURE, "000012345",
	{"\"damped_cosine\"", "\"cosine\"", "\"jaccard\"", "\"llr\"", "\"tversky\"", "\"npmi\""}},
	[WEIGHTING] = {"weighting", KIND_NAME, BUILD, SENSE_ALWAYS, "0112234",
	{"\"none\"", "\"binary\"", "\"log\"", "\"tfidf\"", "\"bm25\""}},
	[BEHAVIOUR] = {"behaviour", KIND_BLEND, SERVE, SENSE_BEHAVIOUR, "01344", {"0", "0.2", "0.4", "0.6", "1"}},
	[CONTENT] = {"content", KIND_BLEND, SERVE, SENSE_CONTENT, "01346", {"0", "0.1", "0.2", "0.3", "0.5", "0.7", "1", "2"}},
	[OTHERS] =
	{"factors", KIND_BLEND, SERVE, SENSE_ALS, "1344", {"0.1", "0.2", "0.4", "0.6", "1", "2"}},
	{"context", KIND_BLEND, SERVE, SENSE_CONTEXT, "02357", {"0", "0.1", "0.25", "0.35", "0.5", "0.75", "1", "1.5"}},
	{"popularity", KIND_BLEND, SERVE, SENSE_ALWAYS, "00235", {"0", "0.02", "0.05", "0.1", "0.2", "0.3", "0.5"}},
	{"trend", KIND_BLEND, SERVE, SENSE_TIME, "00013", {"0", "0.02", "0.05", "0.1", "0.2", "0.3"}},
	{"user_exponent", KIND_NUMBER, BUILD, SENSE_USER_EXPONENT, "024568a",
	{"0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"}},
	{"source_exponent", KIND_NUMBER, BUILD, SENSE_DAMPED, "24568a",
	{"0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"}},
	{"target_exponent", KIND_NUMBER, BUILD, SENSE_DAMPED, "0123456",
	{"0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"}},
	{"tversky_alpha", KIND_NUMBER, BUILD, SENSE_TVERSKY, "1234", {"0.1", "0.2", "0.5", "1", "2"}},
	{"tversky_beta", KIND_NUMBER, BUILD, SENSE_TVERSKY, "0123", {"0.1", "0.2", "0.5", "1", "2"}},
	{"neighbors", KIND_NUMBER, BUILD, SENSE_LISTS, "0123345", {"20", "30", "50", "100", "200", "500"}},
	{"shrinkage", KIND_NUMBER, BUILD, SENSE_COMPARES, "00124", {"0", "1", "5", "10", "20", "50"}},
	{"min_support", KIND_NUMBER, BUILD, SENSE_LISTS, "112", {"1", "2", "3", "5"}},
	{"truncate", KIND_NAME, BUILD, SENSE_LISTS, "01", {"\"source\"", "\"target\""}},
	{"ridge_lambda", KIND_NUMBER, BUILD, SENSE_RIDGE, "1234567",
	{"1", "5", "10", "20", "50", "100", "200", "500", "1000", "2000"}},
	{"ridge_damping", KIND_NUMBER, BUILD, SENSE_RIDGE, "0012", {"0", "0.1", "0.2", "0.3", "0.4", "0.5"}},
	{"ridge_candidates", KIND_NUMBER, BUILD, SENSE_RIDGE, "112", {"50", "100", "200", "300"}},
	{"als_factors", KIND_NUMBER, BUILD, SENSE_ALS, "0123", {"16", "32", "64", "128", "192", "256"}},
	{"als_iterations", KIND_NUMBER, BUILD, SENSE_ALS, "01", {"8", "16", "32"}},
	{"als_unobserved", KIND_NUMBER, BUILD, SENSE_ALS, "1234", {"2", "5", "10", "20", "40", "80"}},
	{"als_regularization", KIND_NUMBER, BUILD, SENSE_ALS, "1234", {"0.001", "0.003", "0.01", "0.02", "0.05", "0.1"}},
	{"als_exponent", KIND_NUMBER, BUILD, SENSE_ALS, "244", {"0", "0.25", "0.5", "0.75", "1"}},
	{"max_history", KIND_NUMBER, BUILD, SENSE_ALWAYS, "2334", {"50", "100", "200", "500", "2000"}},
	{"history", KIND_NUMBER, SERVE, SENSE_ALWAYS, "1234", {"10", "20", "50", "100", "500"}},
	{"kappa", KIND_NUMBER, SERVE, SENSE_ALWAYS, "123", {"0.1", "0.3", "1", "3", "10"}},
	{"item_kappa", KIND_NUMBER, SERVE, SENSE_CONTENT_COUNTS, "123", {"0.5", "1", "5", "20", "50"}},
	{"half_life", KIND_NUMBER, BUILD, SENSE_TIME, "0134567",
	{"null", "\"720 days\"", "\"360 days\"", "\"180 days\"", "\"120 days\"", "\"90 days\"", "\"60 days\"", "\"30 days\"", "\"14 days\"", "\"7 days\""}},
};

#define NPARAMETERS ((int) lengthof(parameters))

/* Multiples of each event's weight; a parameter per event. */
static const Parameter event_parameter = {"event_weights", KIND_NUMBER, BUILD, SENSE_EVENTS, "02344567",
{"0", "0.1", "0.25", "0.5", "1", "2", "4", "10"}};

struct RecConfiguration
{
	int			nparameters;
	int8		choice[FLEXIBLE_ARRAY_MEMBER];	/* index of the value, or
												 * UNCHOSEN: of parameters,
												 * then of events */
};

/* A configuration that is good on some data sets, by names and values. */
typedef struct KnownConfiguration
{
	RecModel	model;
	const char *choices[9][2];
} KnownConfiguration;

/*
 * A configuration with a weighting also has a measure, as some measures take none.
 */
static const KnownConfiguration known_configurations[] = {
	{REC_MODEL_NEIGHBORS, {{"measure", "cosine"}}},
	{REC_MODEL_NEIGHBORS, {{"measure", "damped_cosine"}, {"user_exponent", "1"}, {"source_exponent", "1"}, {"target_exponent", "0"}, {"truncate", "source"}}},
	{REC_MODEL_NEIGHBORS, {{"measure", "damped_cosine"}, {"user_exponent", "0.6"}, {"source_exponent", "0.6"}, {"target_exponent", "0.3"}, {"truncate", "source"}}},
	{REC_MODEL_NEIGHBORS, {{"measure", "damped_cosine"}, {"user_exponent", "0.5"}, {"source_exponent", "0.5"}, {"target_exponent", "0.5"}}},
	{REC_MODEL_NEIGHBORS, {{"measure", "cosine"}, {"weighting", "bm25"}}},
	{REC_MODEL_NEIGHBORS, {{"measure", "jaccard"}}},
	{REC_MODEL_NEIGHBORS, {{"measure", "llr"}}},
	{REC_MODEL_RIDGE, {{"truncate", "target"}}},
	{REC_MODEL_ALS, {{"measure", "damped_cosine"}, {"weighting", "log"}}},
	{REC_MODEL_ALS, {{"measure", "damped_cosine"}, {"weighting", "log"}, {"behaviour", "0"}}},
	{REC_MODEL_ALS, {{"measure", "damped_cosine"}, {"user_exponent", "0.7"}, {"source_exponent", "0.7"}, {"target_exponent", "0.2"}, {"truncate", "source"},
	{"factors", "0.6"}, {"als_factors", "128"}, {"als_unobserved", "5"}, {"als_regularization", "0.003"}}},
};

/* ----------------
 *		parameters with an effect
 * ----------------
 */

static const Parameter *
get_parameter(int number)
{
	return number < NPARAMETERS ? &parameters[number] : &event_parameter;
}

/* Return the index of a value, a name without quotes; UNCHOSEN if there is none. */
static int
find_value(const Parameter *parameter, const char *value)
{
	for (int v = 0; v < MAX_VALUES && parameter->values[v]; v++)
	{
		const char *known = parameter->values[v];
		bool		quoted = parameter->kind == KIND_NAME;
		size_t		length = strlen(known) - (quoted ? 2 : 0);

		if (strlen(value) == length && memcmp(known + quoted, value, length) == 0)
			return v;
	}
	return UNCHOSEN;
}

/* Return the value of a parameter, NULL for the option in force. */
static const char *
chosen(const RecConfiguration *configuration, ParameterNumber number)
{
	int			choice = configuration->choice[number];

	return choice == UNCHOSEN ? NULL : parameters[number].values[choice];
}

static int
model_of(const RecSearchSpace *space, const RecConfiguration *configuration)
{
	int			choice = configuration->choice[MODEL];

	return choice == UNCHOSEN ? space->options->model : choice;
}

/* Return true if the weight of a component in the blend is not 0. */
static bool
counts(const RecSearchSpace *space, const RecConfiguration *configuration,
	   ParameterNumber number, RecComponent component)
{
	const char *value = chosen(configuration, number);

	return value ? strcmp(value, "0") != 0 : space->options->blend[component] > 0;
}

/* Return true if items have neighbours by a measure that count in the blend. */
static bool
compares(const RecSearchSpace *space, const RecConfiguration *configuration)
{
	int			model = model_of(space, configuration);

	return model == REC_MODEL_NEIGHBORS ||
		(model == REC_MODEL_ALS && counts(space, configuration, BEHAVIOUR, REC_BEHAVIOUR));
}

/* Return true if they have them by the measure of that index. */
static bool
compares_by(const RecSearchSpace *space, const RecConfiguration *configuration, int place)
{
	int			choice = configuration->choice[MEASURE];

	if (choice == UNCHOSEN)
		choice = find_value(&parameters[MEASURE], rec_options_measure_traits(space->options)->name);
	return choice == place && compares(space, configuration);
}

/* Return true if the measure in force compares ratings; it takes no weighting. */
static bool
rates(const RecSearchSpace *space)
{
	return rec_options_measure_traits(space->options)->centring != REC_CENTRE_NONE;
}

/* Return true if a parameter has an effect in a configuration. */
static bool
makes_sense(const RecSearchSpace *space, const RecConfiguration *configuration, const Parameter *parameter)
{
	int			model = model_of(space, configuration);

	switch (parameter->sense)
	{
		case SENSE_ALWAYS:
			return true;
		case SENSE_BEHAVIOUR:
			return model == REC_MODEL_ALS || space->options->blend[REC_BEHAVIOUR] == 0;
		case SENSE_COMPARES:
			return compares(space, configuration);
		case SENSE_MEASURE:
			return compares(space, configuration) || rates(space);
		case SENSE_LISTS:
			return compares(space, configuration) || model == REC_MODEL_RIDGE;
		case SENSE_USER_EXPONENT:
			return compares_by(space, configuration, DAMPED_COSINE) || model == REC_MODEL_RIDGE;
		case SENSE_DAMPED:
			return compares_by(space, configuration, DAMPED_COSINE);
		case SENSE_TVERSKY:
			return compares_by(space, configuration, TVERSKY);
		case SENSE_RIDGE:
			return model == REC_MODEL_RIDGE;
		case SENSE_ALS:
			return model == REC_MODEL_ALS;
		case SENSE_TIME:
			return (space->has & REC_HAS_TIME) != 0;
		case SENSE_CONTENT:
			return (space->has & REC_HAS_CONTENT) != 0;
		case SENSE_CONTENT_COUNTS:
			return (space->has & REC_HAS_CONTENT) && counts(space, configuration, CONTENT, REC_CONTENT);
		case SENSE_CONTEXT:
			return (space->has & REC_HAS_CONTEXT) != 0;
		case SENSE_EVENTS:
			return space->nevents > 1;
	}
	return false;
}

/* Return true if all weights of events are 0. */
static bool
weighs_nothing(const RecSearchSpace *space, const RecConfiguration *configuration)
{
	for (int e = 0; e < space->nevents; e++)
		if (configuration->choice[NPARAMETERS + e] != 0)
			return false;
	return space->nevents > 0;
}

/* Replace values that options refuse or that leave nothing to recommend by. */
static void
fit(const RecSearchSpace *space, RecConfiguration *configuration)
{
	int			model = configuration->choice[MODEL];
	int			weighting;

	/* replace a model that is not allowed by the next one that is */
	while (model != UNCHOSEN && (space->models & (1 << model)) == 0)
		model = (model + 1) % (REC_MODEL_ALS + 1);
	configuration->choice[MODEL] = (int8) model;
	model = model_of(space, configuration);
	weighting = configuration->choice[WEIGHTING] == UNCHOSEN ? space->options->weighting :
		configuration->choice[WEIGHTING];
	if (model == REC_MODEL_ALS && weighting > REC_WEIGHTING_LOG)
		configuration->choice[WEIGHTING] = REC_WEIGHTING_LOG;
	if (rates(space) && configuration->choice[WEIGHTING] != UNCHOSEN && configuration->choice[MEASURE] == UNCHOSEN)
		configuration->choice[MEASURE] = 0;
	if (weighs_nothing(space, configuration))
		memset(configuration->choice + NPARAMETERS, UNCHOSEN, space->nevents);
	/* these models have no other component */
	if (model != REC_MODEL_ALS && space->options->blend[REC_BEHAVIOUR] == 0)
		configuration->choice[BEHAVIOUR] = BEHAVIOUR_WHOLE;
}

/* ----------------
 *		configurations
 * ----------------
 */

static RecConfiguration *
empty_configuration(const RecSearchSpace *space)
{
	int			n = NPARAMETERS + space->nevents;
	RecConfiguration *configuration = palloc(offsetof(RecConfiguration, choice) + n);

	configuration->nparameters = n;
	memset(configuration->choice, UNCHOSEN, n);
	return configuration;
}

static void
choose(RecConfiguration *configuration, const char *name, const char *value)
{
	for (int p = 0; p < NPARAMETERS; p++)
	{
		if (strcmp(parameters[p].name, name) != 0)
			continue;
		configuration->choice[p] = (int8) find_value(&parameters[p], value);
		Assert(configuration->choice[p] != UNCHOSEN);
	}
}

static RecConfiguration *
known_configuration(const RecSearchSpace *space, const KnownConfiguration *known)
{
	RecConfiguration *configuration = empty_configuration(space);

	configuration->choice[MODEL] = (int8) known->model;
	for (int i = 0; i < (int) lengthof(known->choices) && known->choices[i][0]; i++)
		choose(configuration, known->choices[i][0], known->choices[i][1]);
	fit(space, configuration);
	return configuration;
}

/* Draw the index of a value. */
static int8
draw(const Parameter *parameter, pg_prng_state *prng)
{
	char		place = parameter->draws[pg_prng_uint64_range(prng, 0, strlen(parameter->draws) - 1)];

	return (int8) (place >= 'a' ? place - 'a' + 10 : place - '0');
}

static RecConfiguration *
random_configuration(const RecSearchSpace *space, pg_prng_state *prng)
{
	RecConfiguration *configuration = empty_configuration(space);

	for (int p = 0; p < configuration->nparameters; p++)
	{
		bool		stays = pg_prng_bool(prng);
		int8		choice = draw(get_parameter(p), prng);

		if (!stays || p == MODEL)
			configuration->choice[p] = choice;
	}
	fit(space, configuration);
	return configuration;
}

/* Return the first n configurations. */
RecConfiguration **
rec_search_space_draw(const RecSearchSpace *space, uint64 seed, int n)
{
	RecConfiguration **configurations = palloc_array(RecConfiguration *, n + 1);
	pg_prng_state prng;
	int			count = 0;

	configurations[count++] = empty_configuration(space);	/* the options in force */
	for (int i = 0; i < (int) lengthof(known_configurations) && count < n; i++)
		if (space->models & (1 << known_configurations[i].model))
			configurations[count++] = known_configuration(space, &known_configurations[i]);
	pg_prng_seed(&prng, seed);
	while (count < n)
	{
		CHECK_FOR_INTERRUPTS();
		configurations[count++] = random_configuration(space, &prng);
	}
	return configurations;
}

/* ----------------
 *		mutations
 * ----------------
 */

static int
count_values(const Parameter *parameter)
{
	int			n = 0;

	while (n < MAX_VALUES && parameter->values[n])
		n++;
	return n;
}

/* Return a value other than the current one; an adjacent one if they are ordered. */
static int8
other_value(const Parameter *parameter, int8 choice, pg_prng_state *prng)
{
	int			n = count_values(parameter);
	bool		up = pg_prng_bool(prng);

	if (choice == UNCHOSEN)
		return draw(parameter, prng);
	if (parameter->kind == KIND_NAME)
		return (int8) ((choice + 1 + pg_prng_uint64_range(prng, 0, n - 2)) % n);
	if (choice == 0 || (up && choice + 1 < n))
		return choice + 1;
	return choice - 1;
}

/* Change one parameter of a scope that has an effect in the configuration. */
static void
mutate_once(const RecSearchSpace *space, RecConfiguration *configuration, int scope, pg_prng_state *prng)
{
	for (;;)
	{
		int			p = (int) pg_prng_uint64_range(prng, MODEL + 1, configuration->nparameters - 1);
		const Parameter *parameter = get_parameter(p);

		/* ends: max_history and history always have an effect */
		if (parameter->scope != scope || !makes_sense(space, configuration, parameter))
			continue;
		configuration->choice[p] = other_value(parameter, configuration->choice[p], prng);
		return;
	}
}

/*
 * Return a configuration with one or two parameters changed, of building or of
 * serving according to the scope.
 */
RecConfiguration *
rec_search_space_mutate(const RecSearchSpace *space, const RecConfiguration *configuration, int scope,
						pg_prng_state *prng)
{
	RecConfiguration *mutation = empty_configuration(space);

	memcpy(mutation->choice, configuration->choice, configuration->nparameters);
	mutate_once(space, mutation, scope, prng);
	if (pg_prng_double(prng) < SECOND_MUTATION)
		mutate_once(space, mutation, scope, prng);
	fit(space, mutation);
	return mutation;
}

/* ----------------
 *		as options
 * ----------------
 */

static void
append(StringInfo json, const char *name, const char *value)
{
	if (json->len > 1)
		appendStringInfoString(json, ", ");
	escape_json(json, name);
	appendStringInfo(json, ": %s", value);
}

/* Append the weights of events that differ from those in force, by relation. */
static void
append_events(StringInfo json, const RecSearchSpace *space, const RecConfiguration *configuration)
{
	StringInfoData weights;
	const char *relation = NULL;

	initStringInfo(&weights);
	appendStringInfoChar(&weights, '{');
	for (int e = 0; e < space->nevents; e++)
	{
		const RecSourceWeight *event = &space->events[e];
		int			choice = configuration->choice[NPARAMETERS + e];
		double		multiple = choice == UNCHOSEN ? 1 : atof(event_parameter.values[choice]);

		if (multiple == 1)
			continue;
		if (relation == NULL || strcmp(relation, event->relation) != 0)
		{
			appendStringInfoString(&weights, relation ? "}, " : "");
			escape_json(&weights, event->relation);
			appendStringInfoString(&weights, ": {");
		}
		else
			appendStringInfoString(&weights, ", ");
		relation = event->relation;
		escape_json(&weights, event->event);
		appendStringInfo(&weights, ": %.15g", event->weight * multiple);
	}
	if (relation)
		append(json, event_parameter.name, psprintf("%s}}", weights.data));
	pfree(weights.data);
}

/* Return the options of a configuration that differ from those in force, as JSON. */
char *
rec_search_space_json(const RecSearchSpace *space, const RecConfiguration *configuration)
{
	StringInfoData json;
	StringInfoData blend;

	initStringInfo(&json);
	initStringInfo(&blend);
	appendStringInfoChar(&json, '{');
	appendStringInfoChar(&blend, '{');
	for (int p = 0; p < NPARAMETERS; p++)
	{
		const Parameter *parameter = &parameters[p];

		if (configuration->choice[p] == UNCHOSEN || !makes_sense(space, configuration, parameter))
			continue;
		append(parameter->kind == KIND_BLEND ? &blend : &json, parameter->name,
			   parameter->values[configuration->choice[p]]);
	}
	appendStringInfoChar(&blend, '}');
	if (blend.len > 2)
		append(&json, "blend", blend.data);
	if (makes_sense(space, configuration, &event_parameter))
		append_events(&json, space, configuration);
	appendStringInfoChar(&json, '}');
	pfree(blend.data);
	return json.data;
}
