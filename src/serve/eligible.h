/*-------------------------------------------------------------------------
 *
 * eligible.h
 *	  Eligible items: they exist, are available, and pass the filter.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/eligible.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ELIGIBLE_H
#define REC_ELIGIBLE_H

#include "definition/definition.h"
#include "interaction/dictionary.h"

typedef struct RecEligible RecEligible;

/* Takes some ids, which stay allocated until it returns. */
typedef void (*RecTakeIds) (void *arg, const Datum *ids, int n);

extern RecEligible *rec_eligible_create(RecDefinition *definition, Jsonb *filter);
extern void rec_eligible_check(RecEligible *eligible, const Datum *ids, int n,
							   bool *marks);
extern bool rec_eligible_are_rare(RecEligible *eligible, int64 wanted, int64 next);
extern void rec_eligible_list(RecEligible *eligible, RecTakeIds take, void *arg);
extern RecDict *rec_eligible_all(RecEligible *eligible);

#endif							/* REC_ELIGIBLE_H */
