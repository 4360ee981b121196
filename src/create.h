/*-------------------------------------------------------------------------
 *
 * create.h
 *	  Making recommenders and changing their options.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/create.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CREATE_H
#define REC_CREATE_H

#include "definition.h"

extern void rec_definition_set_options(RecDefinition *definition, Jsonb *given);

#endif							/* REC_CREATE_H */
