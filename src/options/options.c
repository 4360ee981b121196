/*-------------------------------------------------------------------------
 *
 * options.c
 *	  The options of a similarity computation and of a recommender.
 *
 * One table says what each option is called, what type and range it has, its
 * default and when it may be given; reading (options_read.c), checking and
 * printing (options_write.c) follow from it.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options/options.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "options/option_spec.h"
#include "pg/relation.h"
#include "pg/time_part.h"
#include "similarity/similarity.h"
#include "utils/timestamp.h"

/* ----------------
 *		the table
 * ----------------
 */

const char *const rec_component_names[] = {
	"behaviour", "factors", "content", "context", "popularity", "trend"
};

static const double blend_default[REC_NCOMPONENTS] = {1, 1, 0.2, 0.5, 0.1, 0};

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

const RecOptionSpec rec_option_specs[] = {
	{"model", REC_OPTION_ENUM, BUILD, AT(model), 0, 0, 0, model_name},
	{"measure", REC_OPTION_ENUM, BUILD, AT(measure), 0, 0, 0, rec_measure_name},
	{"weighting", REC_OPTION_ENUM, BUILD, AT(weighting), 0, 0, 0, weighting_name},
	{"neighbors", REC_OPTION_INT, BUILD, AT(neighbors), 100, 1, 10000, NULL},
	{"min_support", REC_OPTION_INT, BUILD, AT(min_support), 1, 1, PG_INT32_MAX, NULL},
	{"shrinkage", REC_OPTION_FLOAT, BUILD, AT(shrinkage), 0, 0, 1e9, NULL},
	{"user_exponent", REC_OPTION_FLOAT, BUILD, AT(user_exponent), 0, 0, 2, NULL},
	{"source_exponent", REC_OPTION_FLOAT, BUILD, AT(source_exponent), 0.5, 0, 2, NULL},
	{"target_exponent", REC_OPTION_FLOAT, BUILD, AT(target_exponent), 0.5, 0, 2, NULL},
	{"tversky_alpha", REC_OPTION_FLOAT, BUILD, AT(tversky_alpha), 0.5, 0, 1e6, NULL},
	{"tversky_beta", REC_OPTION_FLOAT, BUILD, AT(tversky_beta), 0.5, 0, 1e6, NULL},
	{"bm25_k1", REC_OPTION_FLOAT, BUILD, AT(bm25_k1), 1.2, 0, 1e6, NULL},
	{"bm25_b", REC_OPTION_FLOAT, BUILD, AT(bm25_b), 0.75, 0, 1, NULL},
	{"max_history", REC_OPTION_INT, BUILD, AT(max_history), 500, 1, PG_INT32_MAX, NULL},
	{"repeats", REC_OPTION_ENUM, BUILD, AT(repeats), 0, 0, 0, repeats_name},
	{"half_life", REC_OPTION_INTERVAL, BUILD | SERVE, AT(half_life), 0, 0, 0, NULL},
	{"truncate", REC_OPTION_ENUM, BUILD, AT(truncate), 0, 0, 0, truncate_name},
	{"content_kappa", REC_OPTION_FLOAT, BUILD, AT(content_kappa), 2, 0, 1e9, NULL},
	{"ridge_lambda", REC_OPTION_FLOAT, BUILD, AT(ridge_lambda), 50, 1e-6, 1e12, NULL},
	{"ridge_damping", REC_OPTION_FLOAT, BUILD, AT(ridge_damping), 0, -2, 2, NULL},
	{"ridge_candidates", REC_OPTION_INT, BUILD, AT(ridge_candidates), 100, 1, 2000, NULL},
	{"ridge_exact_items", REC_OPTION_INT, BUILD, AT(ridge_exact_items), 10000, 0, 50000, NULL},
	{"context_time", REC_OPTION_SET, BUILD, AT(context_time), ALL_TIME_PARTS, 0, 0, rec_time_part_name},
	{"context_timezone", REC_OPTION_TIMEZONE, BUILD | SERVE, AT(context_timezone), 0, 0, 0, NULL},
	{"context_smoothing", REC_OPTION_FLOAT, BUILD, AT(context_smoothing), 5, 1e-6, 1e9, NULL},
	{"context_significance", REC_OPTION_FLOAT, BUILD, AT(context_significance), 0.05, 0, 1, NULL},
	{"context_now", REC_OPTION_BOOL, SERVE, AT(context_now), 0, 0, 1, NULL},
	{"als_factors", REC_OPTION_INT, BUILD, AT(als_factors), 64, 1, 1000, NULL},
	{"als_iterations", REC_OPTION_INT, BUILD, AT(als_iterations), 16, 1, 1000, NULL},
	{"als_unobserved", REC_OPTION_FLOAT, BUILD, AT(als_unobserved), 10, 0, 1000, NULL},
	{"als_regularization", REC_OPTION_FLOAT, BUILD, AT(als_regularization), 0.01, 1e-6, 1e6, NULL},
	{"als_exponent", REC_OPTION_FLOAT, BUILD, AT(als_exponent), 1, 0, 2, NULL},
	{"als_seed", REC_OPTION_INT, BUILD, AT(als_seed), 0, 0, PG_INT32_MAX, NULL},
	{"blend", REC_OPTION_BLEND, SERVE, AT(blend), 0, 0, 1e6, NULL},
	{"kappa", REC_OPTION_FLOAT, SERVE, AT(kappa), 1, 0, 1e9, NULL},
	{"item_kappa", REC_OPTION_FLOAT, SERVE, AT(item_kappa), 5, 0, 1e9, NULL},
	{"history", REC_OPTION_INT, SERVE, AT(history), 100, 1, 100000, NULL},
	{"new_items", REC_OPTION_INT, SERVE, AT(new_items), 50, 0, 1000, NULL},
	{"exclude_seen", REC_OPTION_BOOL, SERVE, AT(exclude_seen), 1, 0, 1, NULL},
	{"seen_events", REC_OPTION_TEXTS, SERVE, AT(seen_events), 0, 0, 0, NULL},
	{"session_decay", REC_OPTION_FLOAT, SERVE, AT(session_decay), 0.85, 0, 1, NULL},
	{"reasons", REC_OPTION_INT, SERVE, AT(reasons), 3, 0, 100, NULL},
	{"diversity", REC_OPTION_FLOAT, SERVE, AT(diversity), 0, 0, 1, NULL},
	{"max_per", REC_OPTION_CAPS, SERVE, AT(caps), 0, 1, PG_INT32_MAX, NULL},
	{"popularity_discount", REC_OPTION_FLOAT, SERVE, AT(popularity_discount), 0, 0, 1e6, NULL},
	{"language", REC_OPTION_TEXT, SERVE, AT(language), 0, 0, 0, NULL},
	{"trend_window", REC_OPTION_INTERVAL, SERVE, AT(trend_window), 7 * (double) USECS_PER_DAY, 0, 0, NULL},
	{"trend_baseline", REC_OPTION_INTERVAL, SERVE, AT(trend_baseline), 28 * (double) USECS_PER_DAY, 0, 0, NULL},
	{"trend_smoothing", REC_OPTION_FLOAT, SERVE, AT(trend_smoothing), 10, 1e-6, 1e9, NULL},
	{"event_weights", REC_OPTION_EVENTS, SOURCE, AT(event_weights), 0, -1e9, 1e9, NULL},
};

const int	rec_noptions = lengthof(rec_option_specs);

/* ----------------
 *		defaults
 * ----------------
 */

static void
set_default(RecOptions *options, const RecOptionSpec *spec)
{
	static char *seen_default[] = {"purchase"};

	switch (spec->kind)
	{
		case REC_OPTION_INT:
		case REC_OPTION_ENUM:
		case REC_OPTION_SET:
			*REC_INT_FIELD(options, spec) = (int) spec->initial;
			break;
		case REC_OPTION_FLOAT:
		case REC_OPTION_INTERVAL:
			*REC_FLOAT_FIELD(options, spec) = spec->initial;
			break;
		case REC_OPTION_BOOL:
			*REC_BOOL_FIELD(options, spec) = spec->initial != 0;
			break;
		case REC_OPTION_TEXT:
			*REC_TEXT_FIELD(options, spec) = NULL;
			break;
		case REC_OPTION_TEXTS:
			options->nseen_events = lengthof(seen_default);
			options->seen_events = seen_default;
			break;
		case REC_OPTION_TIMEZONE:
			options->context_timezone = "UTC";
			break;
		case REC_OPTION_BLEND:
			memcpy(options->blend, blend_default, sizeof(blend_default));
			break;
		case REC_OPTION_CAPS:
			options->ncaps = 0;
			options->caps = NULL;
			break;
		case REC_OPTION_EVENTS:
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
	for (int i = 0; i < rec_noptions; i++)
		set_default(options, &rec_option_specs[i]);
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
void
rec_option_reset(RecOptions *options, const RecOptionSpec *spec)
{
	RecOptions	defaults;

	rec_options_default(&defaults, options->stored_model);
	switch (spec->kind)
	{
		case REC_OPTION_INT:
		case REC_OPTION_ENUM:
			*REC_INT_FIELD(options, spec) = *REC_INT_FIELD(&defaults, spec);
			break;
		case REC_OPTION_FLOAT:
			*REC_FLOAT_FIELD(options, spec) = *REC_FLOAT_FIELD(&defaults, spec);
			break;
		default:
			set_default(options, spec);
	}
}

/* ----------------
 *		names
 * ----------------
 */

/*
 * Gives the number of one of the names, from 0, that value_name() knows.  An
 * ERROR when it is none of them; "kind" is what it names.
 */
int
rec_option_name_number(const char *kind, const char *(*value_name) (int value), const char *given)
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
			 errmsg("%s \"%s\" does not exist", kind, given),
			 rec_closest_hint(&closest, kind)));
	return -1;
}

/* Gives the model of a name; an ERROR when there is none. */
RecModel
rec_option_model(const char *name)
{
	return (RecModel) rec_option_name_number("model", model_name, name);
}

static void
refuse_scope(const RecOptionSpec *spec, int scopes)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" cannot be given here", spec->name),
			 spec->scope == SOURCE ?
			 errhint("Events have their weights from their sources: use add_interactions(), or set_options().") :
			 scopes == SERVE ?
			 errhint("It takes effect when the model is built: use set_options(), then refresh().") :
			 errhint("It belongs to a recommender: use set_options().")));
}

/*
 * Finds an option that may be given in one of the scopes.  An ERROR when there
 * is none of that name, or when it belongs elsewhere.
 */
const RecOptionSpec *
rec_option_find(const char *name, int scopes)
{
	RecClosest	closest;

	rec_closest_start(&closest, name);
	for (int i = 0; i < rec_noptions; i++)
	{
		const RecOptionSpec *spec = &rec_option_specs[i];

		if (strcmp(spec->name, name) == 0)
		{
			if ((spec->scope & scopes) == 0)
				refuse_scope(spec, scopes);
			return spec;
		}
		if (spec->scope & scopes)
			rec_closest_consider(&closest, spec->name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" does not exist", name),
			 rec_closest_hint(&closest, "option")));
	return NULL;
}

/* ----------------
 *		combinations
 * ----------------
 */

/* Refuses what each option allows for itself but not the two together. */
void
rec_options_check(const RecOptions *options)
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
