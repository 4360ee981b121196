/*-------------------------------------------------------------------------
 *
 * option_spec.c
 *	  The table of options.
 *
 * The table has the name of each option, its type and range, its default and
 * when it may be given.  Defaults (options_default.c), reading
 * (options_read.c) and writing (options_write.c) follow from it.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options/option_spec.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "options/option_spec.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "pg/time_part.h"
#include "utils/timestamp.h"

#define ALL_TIME_PARTS	((1 << REC_NTIMES) - 1)

#define BUILD		REC_SCOPE_BUILD
#define SERVE		REC_SCOPE_SERVE
#define SOURCE		REC_SCOPE_SOURCE
#define AT(field)	offsetof(RecOptions, field)

const RecOptionSpec rec_option_specs[] = {
	{"model", REC_OPTION_ENUM, BUILD, AT(model), 0, 0, 0, rec_options_model_name},
	{"measure", REC_OPTION_ENUM, BUILD, AT(measure), 0, 0, 0, rec_measure_name},
	{"weighting", REC_OPTION_ENUM, BUILD, AT(weighting), 0, 0, 0, rec_options_weighting_name},
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
	{"repeats", REC_OPTION_ENUM, BUILD, AT(repeats), 0, 0, 0, rec_options_repeats_name},
	{"half_life", REC_OPTION_INTERVAL, BUILD | SERVE, AT(half_life), 0, 0, 0, NULL},
	{"truncate", REC_OPTION_ENUM, BUILD, AT(truncate), 0, 0, 0, rec_options_truncate_name},
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

const int	rec_option_spec_count = lengthof(rec_option_specs);

static void
refuse_scope(const RecOptionSpec *spec, int scopes)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" cannot be given here", spec->name),
			 spec->scope == SOURCE ?
			 errhint("Event weights belong to the sources of interactions: use add_interactions() or set_options().") :
			 scopes == SERVE ?
			 errhint("It takes effect when the model is built: use set_options(), then refresh().") :
			 errhint("It belongs to a recommender: use set_options().")));
}

/*
 * Find an option that may be given in one of the scopes.  An ERROR when no
 * option has the name, or when it belongs to another scope.
 */
const RecOptionSpec *
rec_option_spec_find(const char *name, int scopes)
{
	RecClosest	closest;

	rec_closest_name_start(&closest, name);
	for (int i = 0; i < rec_option_spec_count; i++)
	{
		const RecOptionSpec *spec = &rec_option_specs[i];

		if (strcmp(spec->name, name) == 0)
		{
			if ((spec->scope & scopes) == 0)
				refuse_scope(spec, scopes);
			return spec;
		}
		if (spec->scope & scopes)
			rec_closest_name_consider(&closest, spec->name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" does not exist", rec_arguments_clip(name)),
			 rec_closest_name_hint(&closest, "option")));
	return NULL;
}
