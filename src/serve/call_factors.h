/*-------------------------------------------------------------------------
 *
 * call_factors.h
 *	  Scoring by factors in a call: the user folded in, and explained.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call_factors.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CALL_FACTORS_H
#define REC_CALL_FACTORS_H

#include "interaction/pair.h"
#include "rank/contribution.h"
#include "serve/call.h"

/* A user that was folded in. */
typedef struct RecCallFactors RecCallFactors;

extern RecCallFactors *rec_call_factors_add(const RecCall *call, const RecPair *pairs,
											const int32 *numbers, int n);
extern int	rec_call_factors_split(RecCallFactors *user, const RecScoredItem *item,
								   RecContribution **contributions, int n);

#endif							/* REC_CALL_FACTORS_H */
