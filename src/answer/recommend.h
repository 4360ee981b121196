/*-------------------------------------------------------------------------
 *
 * recommend.h
 *	  Rows of recommendations, for the SQL functions that return them.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/recommend.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_RECOMMEND_H
#define REC_RECOMMEND_H

#include "answer/call_arguments.h"
#include "answer/explainer.h"

extern RecRows rec_recommend_begin_rows(FunctionCallInfo fcinfo,
										const RecDefinition *definition);
extern void rec_recommend_write_rows(RecRows *rows, RecExplainer *explainer, const Datum *ids,
									 const RecScoredItem *items, int n, int first_rank);

#endif							/* REC_RECOMMEND_H */
