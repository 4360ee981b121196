/*-------------------------------------------------------------------------
 *
 * options_default.h
 *	  The defaults of options.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options/options_default.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_OPTIONS_DEFAULT_H
#define REC_OPTIONS_DEFAULT_H

#include "options/options.h"

struct RecOptionSpec;

extern void rec_options_default(RecOptions *options, bool stored_model);
extern void rec_options_default_reset(RecOptions *options, const struct RecOptionSpec *spec);

#endif							/* REC_OPTIONS_DEFAULT_H */
