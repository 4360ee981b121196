/*-------------------------------------------------------------------------
 *
 * options_read.h
 *	  Options given as jsonb.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options/options_read.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_OPTIONS_READ_H
#define REC_OPTIONS_READ_H

#include "options/options.h"
#include "utils/jsonb.h"

extern void rec_options_read(RecOptions *options, Jsonb *json, int scopes);

#endif							/* REC_OPTIONS_READ_H */
