/*-------------------------------------------------------------------------
 *
 * option_spec.h
 *	  The table of options, for files that read or write all of them.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options/option_spec.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_OPTION_SPEC_H
#define REC_OPTION_SPEC_H

#include "options/options.h"

typedef enum RecOptionKind
{
	REC_OPTION_INT,
	REC_OPTION_FLOAT,
	REC_OPTION_BOOL,
	REC_OPTION_ENUM,			/* int; names by value_name */
	REC_OPTION_INTERVAL,		/* double, microseconds; 0 for null */
	REC_OPTION_TEXT,			/* char *; NULL for null */
	REC_OPTION_TEXTS,			/* nseen_events and seen_events */
	REC_OPTION_SET,				/* int, a bit for each name; names by
								 * value_name */
	REC_OPTION_TIMEZONE,		/* name of a time zone, in PostgreSQL's own
								 * copy */
	REC_OPTION_BLEND,
	REC_OPTION_CAPS,			/* ncaps and caps */
	REC_OPTION_EVENTS			/* nevent_weights and event_weights */
} RecOptionKind;

typedef struct RecOptionSpec
{
	const char *name;
	RecOptionKind kind;
	int			scope;			/* bits REC_SCOPE_* */
	size_t		offset;			/* of the field in RecOptions */
	double		initial;		/* default */
	double		min;
	double		max;
	const char *(*value_name) (int value);	/* NULL past the last one */
} RecOptionSpec;

/* The field of an option, with the type of its kind. */
#define REC_INT_FIELD(options, spec)	((int *) ((char *) (options) + (spec)->offset))
#define REC_FLOAT_FIELD(options, spec)	((double *) ((char *) (options) + (spec)->offset))
#define REC_TEXT_FIELD(options, spec)	((char **) ((char *) (options) + (spec)->offset))
#define REC_BOOL_FIELD(options, spec)	((bool *) ((char *) (options) + (spec)->offset))

extern const RecOptionSpec rec_option_specs[];
extern const int rec_option_spec_count;

extern const RecOptionSpec *rec_option_spec_find(const char *name, int scopes);

#endif							/* REC_OPTION_SPEC_H */
