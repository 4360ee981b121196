/*-------------------------------------------------------------------------
 *
 * options_default.c
 *	  The defaults of options.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options/options_default.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "options/option_spec.h"
#include "options/options_default.h"

static const double blend_default[REC_NCOMPONENTS] = {1, 1, 0.2, 0.5, 0.1, 0};

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
 * Fill in the defaults.  Those of a stored model differ: it is to recommend
 * well on data that nobody has analysed, for which damped cosine with lists
 * per target did best over shops and places (see the README); and its results are
 * visible to others than its owner, so that a pair needs two users.
 */
void
rec_options_default(RecOptions *options, bool stored_model)
{
	memset(options, 0, sizeof(*options));
	options->stored_model = stored_model;
	for (int i = 0; i < rec_option_spec_count; i++)
		set_default(options, &rec_option_specs[i]);
	if (!stored_model)
		return;
	options->measure = REC_MEASURE_DAMPED_COSINE;
	options->user_exponent = 0.5;
	options->source_exponent = 0.5;
	options->target_exponent = 0.4;
	options->weighting = REC_WEIGHTING_LOG;
	options->truncate = REC_TRUNCATE_TARGET;
	options->min_support = 2;
}

/*
 * Set an option to its default again, that of a stored model if the options
 * have these.
 */
void
rec_options_default_reset(RecOptions *options, const RecOptionSpec *spec)
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
