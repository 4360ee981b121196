/*-------------------------------------------------------------------------
 *
 * factor_table.h
 *	  The tables of factors: written by a refresh, read by calls.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/factor/factor_table.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_FACTOR_TABLE_H
#define REC_FACTOR_TABLE_H

#include "definition/model_scan.h"
#include "factor/folding.h"

extern void rec_factor_table_write(const RecDefinition *definition, int64 generation,
								   const RecFactors *factors);
extern bool rec_factor_table_read_folds(RecDefinition *definition, int64 generation,
										RecFolds *folds);
extern float4 *rec_factor_table_read_items(RecDefinition *definition, int64 generation,
										   int nfactors, const int32 *numbers, int n);
extern RecFactors *rec_factor_table_read(RecDefinition *definition, int64 generation,
										 int64 most);
extern float4 *rec_factor_table_score(RecDefinition *definition, int64 generation, int64 most,
									  const RecFolds *folds, const double *user, int *n);

#endif							/* REC_FACTOR_TABLE_H */
