/*-------------------------------------------------------------------------
 *
 * cap_values.h
 *	  The values of max_per's columns, as numbers.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/cap_values.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CAP_VALUES_H
#define REC_CAP_VALUES_H

#include "definition/definition.h"

typedef struct RecCapped RecCapped;

extern void rec_cap_values_check(const RecDefinition *definition, const RecOptions *options);
extern RecCapped *rec_cap_values_create(RecDefinition *definition, const RecOptions *options);
extern void rec_cap_values_read(RecCapped *capped, const Datum *ids, int n, int32 *values);

#endif							/* REC_CAP_VALUES_H */
