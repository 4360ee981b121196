/*-------------------------------------------------------------------------
 *
 * call_factors.h
 *	  Factors in a recommender's tables, and in a call.
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

#include "factor/folding.h"
#include "serve/call.h"

extern void rec_model_write_factors(const RecDefinition *definition, int64 generation,
									const RecFactors *factors);
extern RecFactors *rec_serve_load_factors(RecServe *serve);
extern void rec_serve_add_factors(RecServe *serve, const RecPair *pairs,
								  const int32 *numbers, int n);
extern int	rec_serve_split_factors(RecServe *serve, const RecScoredItem *item,
									RecContribution **contributions, int n);

#endif							/* REC_CALL_FACTORS_H */
