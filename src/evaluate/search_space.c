/*-------------------------------------------------------------------------
 *
 * search_space.c
 *	  The settings that a search for options tries.
 *
 * A setting is a choice among a few values for each of the parameters below,
 * or the choice to leave it as it is in force.  The first setting leaves all
 * as it is, then come some that have done well on some data, then random ones,
 * which leave about half of the parameters alone: what is in force is mostly
 * good.  Every random setting draws the same count of numbers, and what it has
 * no use for is left out when it is written: so setting n is the same however
 * many there are, and what it says of one model does not depend on the others
 * that are allowed.
 *
 * A mutation changes one or two of a setting's parameters: by a step up or
 * down where the values are in an order.
 *
 * Knows names and values of options, and nothing of interactions.  Places of
 * models and weightings are those of their enums.
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

/* places of values */
#define DAMPED_COSINE		0
#define TVERSKY				4
#define BEHAVIOUR_WHOLE		4	/* 1 */

#define MAX_VALUES			16
#define SECOND_MUTATION		0.4 /* probability that two things change */

/* When it makes sense to name a parameter. */
typedef enum Sense
{
	SENSE_ALWAYS,
	SENSE_BEHAVIOUR,			/* there are factors beside it */
	SENSE_COMPARES,				/* items have neighbours by a measure */
	SENSE_MEASURE,				/* so, or the one in force must go */
	SENSE_LISTS,				/* items have neighbours that count */
	SENSE_USER_EXPONENT,		/* by damped cosine, or by regression */
	SENSE_DAMPED,
	SENSE_TVERSKY,
	SENSE_RIDGE,
	SENSE_ALS,
	SENSE_TIME,
	SENSE_CONTENT,
	SENSE_CONTENT_COUNTS,		/* and the blend has it */
	SENSE_CONTEXT,
	SENSE_EVENTS				/* of one alone, the weight means nothing */
} Sense;

typedef enum ParameterKind
{
	KIND_NAME,					/* no value is nearer than another */
	KIND_NUMBER,				/* values are in order */
	KIND_BLEND					/* likewise: the weight of a component */
} ParameterKind;

typedef struct Parameter
{
	const char *name;			/* of the option, or of the component */
	ParameterKind kind;
	int			scope;			/* REC_SCOPE_BUILD, or REC_SCOPE_SERVE for
								 * what asks for no other model */
	Sense		sense;
	const char *draws;			/* what random settings have: places of
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
	OTHERS						/* that no rule looks at */
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

/* What the weight of each event is multiplied by; parameters like the others. */
static const Parameter event_parameter = {"event_weights", KIND_NUMBER, BUILD, SENSE_EVENTS, "02344567",
{"0", "0.1", "0.25", "0.5", "1", "2", "4", "10"}};

struct RecSetting
{
	int			nparameters;
	int8		choice[FLEXIBLE_ARRAY_MEMBER];	/* place of the value, or
												 * UNCHOSEN: of parameters,
												 * then of events */
};

/* A setting that has done well, by names and values. */
typedef struct KnownSetting
{
	RecModel	model;
	const char *choices[9][2];
} KnownSetting;

/*
 * Who names a weighting also names a measure, as not all of them take one.
 */
static const KnownSetting known_settings[] = {
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
 *		what makes sense
 * ----------------
 */

static const Parameter *
get_parameter(int number)
{
	return number < NPARAMETERS ? &parameters[number] : &event_parameter;
}

/* Gives the place of a value; of a name, without the quotes.  Or UNCHOSEN. */
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

/* Gives the value that was chosen, or NULL. */
static const char *
chosen(const RecSetting *setting, ParameterNumber number)
{
	int			choice = setting->choice[number];

	return choice == UNCHOSEN ? NULL : parameters[number].values[choice];
}

static int
model_of(const RecSettingSpace *space, const RecSetting *setting)
{
	int			choice = setting->choice[MODEL];

	return choice == UNCHOSEN ? space->options->model : choice;
}

/* True when a component counts in the blend. */
static bool
counts(const RecSettingSpace *space, const RecSetting *setting,
	   ParameterNumber number, RecComponent component)
{
	const char *value = chosen(setting, number);

	return value ? strcmp(value, "0") != 0 : space->options->blend[component] > 0;
}

/* True when items are compared, and it counts: beside factors it need not. */
static bool
compares(const RecSettingSpace *space, const RecSetting *setting)
{
	int			model = model_of(space, setting);

	return model == REC_MODEL_NEIGHBORS ||
		(model == REC_MODEL_ALS && counts(space, setting, BEHAVIOUR, REC_BEHAVIOUR));
}

/* True when they are compared by a measure, given as the place of its value. */
static bool
compares_by(const RecSettingSpace *space, const RecSetting *setting, int place)
{
	int			choice = setting->choice[MEASURE];

	if (choice == UNCHOSEN)
		choice = find_value(&parameters[MEASURE], rec_options_measure_traits(space->options)->name);
	return choice == place && compares(space, setting);
}

/* True when the measure in force compares ratings, and so takes no weighting. */
static bool
rates(const RecSettingSpace *space)
{
	return rec_options_measure_traits(space->options)->centring != REC_CENTRE_NONE;
}

/* True when a setting has a use for a parameter. */
static bool
makes_sense(const RecSettingSpace *space, const RecSetting *setting, const Parameter *parameter)
{
	int			model = model_of(space, setting);

	switch (parameter->sense)
	{
		case SENSE_ALWAYS:
			return true;
		case SENSE_BEHAVIOUR:
			return model == REC_MODEL_ALS || space->options->blend[REC_BEHAVIOUR] == 0;
		case SENSE_COMPARES:
			return compares(space, setting);
		case SENSE_MEASURE:
			return compares(space, setting) || rates(space);
		case SENSE_LISTS:
			return compares(space, setting) || model == REC_MODEL_RIDGE;
		case SENSE_USER_EXPONENT:
			return compares_by(space, setting, DAMPED_COSINE) || model == REC_MODEL_RIDGE;
		case SENSE_DAMPED:
			return compares_by(space, setting, DAMPED_COSINE);
		case SENSE_TVERSKY:
			return compares_by(space, setting, TVERSKY);
		case SENSE_RIDGE:
			return model == REC_MODEL_RIDGE;
		case SENSE_ALS:
			return model == REC_MODEL_ALS;
		case SENSE_TIME:
			return (space->has & REC_HAS_TIME) != 0;
		case SENSE_CONTENT:
			return (space->has & REC_HAS_CONTENT) != 0;
		case SENSE_CONTENT_COUNTS:
			return (space->has & REC_HAS_CONTENT) && counts(space, setting, CONTENT, REC_CONTENT);
		case SENSE_CONTEXT:
			return (space->has & REC_HAS_CONTEXT) != 0;
		case SENSE_EVENTS:
			return space->nevents > 1;
	}
	return false;
}

/* True when no event would count any more. */
static bool
weighs_nothing(const RecSettingSpace *space, const RecSetting *setting)
{
	for (int e = 0; e < space->nevents; e++)
		if (setting->choice[NPARAMETERS + e] != 0)
			return false;
	return space->nevents > 0;
}

/* Makes a setting one that the options allow, and of which something can come. */
static void
fit(const RecSettingSpace *space, RecSetting *setting)
{
	int			model = setting->choice[MODEL];
	int			weighting;

	/* instead of a model that is not wanted, the next one that is */
	while (model != UNCHOSEN && (space->models & (1 << model)) == 0)
		model = (model + 1) % (REC_MODEL_ALS + 1);
	setting->choice[MODEL] = (int8) model;
	model = model_of(space, setting);
	weighting = setting->choice[WEIGHTING] == UNCHOSEN ? space->options->weighting :
		setting->choice[WEIGHTING];
	if (model == REC_MODEL_ALS && weighting > REC_WEIGHTING_LOG)
		setting->choice[WEIGHTING] = REC_WEIGHTING_LOG;
	if (rates(space) && setting->choice[WEIGHTING] != UNCHOSEN && setting->choice[MEASURE] == UNCHOSEN)
		setting->choice[MEASURE] = 0;
	if (weighs_nothing(space, setting))
		memset(setting->choice + NPARAMETERS, UNCHOSEN, space->nevents);
	/* these models have nothing else */
	if (model != REC_MODEL_ALS && space->options->blend[REC_BEHAVIOUR] == 0)
		setting->choice[BEHAVIOUR] = BEHAVIOUR_WHOLE;
}

/* ----------------
 *		settings
 * ----------------
 */

static RecSetting *
empty_setting(const RecSettingSpace *space)
{
	int			n = NPARAMETERS + space->nevents;
	RecSetting *setting = palloc(offsetof(RecSetting, choice) + n);

	setting->nparameters = n;
	memset(setting->choice, UNCHOSEN, n);
	return setting;
}

static void
choose(RecSetting *setting, const char *name, const char *value)
{
	for (int p = 0; p < NPARAMETERS; p++)
	{
		if (strcmp(parameters[p].name, name) != 0)
			continue;
		setting->choice[p] = (int8) find_value(&parameters[p], value);
		Assert(setting->choice[p] != UNCHOSEN);
	}
}

static RecSetting *
known_setting(const RecSettingSpace *space, const KnownSetting *known)
{
	RecSetting *setting = empty_setting(space);

	setting->choice[MODEL] = (int8) known->model;
	for (int i = 0; i < (int) lengthof(known->choices) && known->choices[i][0]; i++)
		choose(setting, known->choices[i][0], known->choices[i][1]);
	fit(space, setting);
	return setting;
}

/* Draws the place of a value. */
static int8
draw(const Parameter *parameter, pg_prng_state *prng)
{
	char		place = parameter->draws[pg_prng_uint64_range(prng, 0, strlen(parameter->draws) - 1)];

	return (int8) (place >= 'a' ? place - 'a' + 10 : place - '0');
}

static RecSetting *
random_setting(const RecSettingSpace *space, pg_prng_state *prng)
{
	RecSetting *setting = empty_setting(space);

	for (int p = 0; p < setting->nparameters; p++)
	{
		bool		stays = pg_prng_bool(prng);
		int8		choice = draw(get_parameter(p), prng);

		if (!stays || p == MODEL)
			setting->choice[p] = choice;
	}
	fit(space, setting);
	return setting;
}

/* Gives the first n settings. */
RecSetting **
rec_search_space_draw(const RecSettingSpace *space, uint64 seed, int n)
{
	RecSetting **settings = palloc_array(RecSetting *, n + 1);
	pg_prng_state prng;
	int			count = 0;

	settings[count++] = empty_setting(space);	/* what is in force */
	for (int i = 0; i < (int) lengthof(known_settings) && count < n; i++)
		if (space->models & (1 << known_settings[i].model))
			settings[count++] = known_setting(space, &known_settings[i]);
	pg_prng_seed(&prng, seed);
	while (count < n)
	{
		CHECK_FOR_INTERRUPTS();
		settings[count++] = random_setting(space, &prng);
	}
	return settings;
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

/* Gives another value than the one at hand; a neighbour, if they are in order. */
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

/* Changes one parameter of a scope that the setting has a use for. */
static void
mutate_once(const RecSettingSpace *space, RecSetting *setting, int scope, pg_prng_state *prng)
{
	for (;;)
	{
		int			p = (int) pg_prng_uint64_range(prng, MODEL + 1, setting->nparameters - 1);
		const Parameter *parameter = get_parameter(p);

		/* there always is one: max_history, or history */
		if (parameter->scope != scope || !makes_sense(space, setting, parameter))
			continue;
		setting->choice[p] = other_value(parameter, setting->choice[p], prng);
		return;
	}
}

/*
 * Gives a setting that differs a little, in what a model is built by or in
 * what it is served by, as the scope says.
 */
RecSetting *
rec_search_space_mutate(const RecSettingSpace *space, const RecSetting *setting, int scope,
						pg_prng_state *prng)
{
	RecSetting *mutation = empty_setting(space);

	memcpy(mutation->choice, setting->choice, setting->nparameters);
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

/* Appends the weights of events that are others than in force, by relation. */
static void
append_events(StringInfo json, const RecSettingSpace *space, const RecSetting *setting)
{
	StringInfoData weights;
	const char *relation = NULL;

	initStringInfo(&weights);
	appendStringInfoChar(&weights, '{');
	for (int e = 0; e < space->nevents; e++)
	{
		const RecSourceWeight *event = &space->events[e];
		int			choice = setting->choice[NPARAMETERS + e];
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

/* Gives the options that a setting puts on top of those in force. */
char *
rec_search_space_json(const RecSettingSpace *space, const RecSetting *setting)
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

		if (setting->choice[p] == UNCHOSEN || !makes_sense(space, setting, parameter))
			continue;
		append(parameter->kind == KIND_BLEND ? &blend : &json, parameter->name,
			   parameter->values[setting->choice[p]]);
	}
	appendStringInfoChar(&blend, '}');
	if (blend.len > 2)
		append(&json, "blend", blend.data);
	if (makes_sense(space, setting, &event_parameter))
		append_events(&json, space, setting);
	appendStringInfoChar(&json, '}');
	pfree(blend.data);
	return json.data;
}
