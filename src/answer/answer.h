/*-------------------------------------------------------------------------
 *
 * answer.h
 *	  The parts of a call, begun from the arguments of a function.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/answer.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ANSWER_H
#define REC_ANSWER_H

#include "answer/call_arguments.h"
#include "answer/explainer.h"
#include "pg/owner.h"
#include "serve/item_catalog.h"

/*
 * Each part is handed to the functions that need it; this struct is not.  Parts
 * point to one another, so it must not be moved.
 */
typedef struct RecAnswer
{
	RecCaller	caller;
	RecCall		call;
	RecNewItems new_items;
	RecNewItemContent content;	/* of them */
	RecCallHistory history;
	RecCallContext context;
	RecItemCatalog catalog;
	RecExplainer explainer;
} RecAnswer;

extern void rec_answer_init(RecAnswer *answer, RecDefinition *definition, Jsonb *options);
extern void rec_answer_begin(RecAnswer *answer, FunctionCallInfo fcinfo,
							 const RecArgumentPlaces *places, bool needs_model);
extern void rec_answer_end(const RecAnswer *answer);
extern void rec_answer_blend(RecAnswer *answer);
extern void rec_answer_score_user(RecAnswer *answer, FunctionCallInfo fcinfo,
								  const RecArgumentPlaces *places);

#endif							/* REC_ANSWER_H */
