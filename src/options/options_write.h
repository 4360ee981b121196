/*-------------------------------------------------------------------------
 *
 * options_write.h
 *	  Options as jsonb.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options/options_write.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_OPTIONS_WRITE_H
#define REC_OPTIONS_WRITE_H

#include "options/options.h"
#include "utils/jsonb.h"

extern Jsonb *rec_options_write(const RecOptions *options, int scopes);
extern bool rec_options_write_same_build(const RecOptions *options, Jsonb *json);

#endif							/* REC_OPTIONS_WRITE_H */
