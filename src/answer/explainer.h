/*-------------------------------------------------------------------------
 *
 * explainer.h
 *	  Reasons: what stands behind the contributions to a score, in words.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/explainer.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_EXPLAINER_H
#define REC_EXPLAINER_H

#include "answer/item_titles.h"
#include "answer/shared_features.h"
#include "definition/explanation_template.h"
#include "serve/call_context.h"
#include "serve/call_history.h"

typedef struct RecExplainer
{
	const RecCall *call;
	RecCallHistory *history;
	const RecCallContext *context;
	RecSentences *sentences;	/* NULL when none are wanted */
	RecItemTitles titles;
	RecSharedFeatures shared;
} RecExplainer;

extern void rec_explainer_init(RecExplainer *explainer, RecCallHistory *history,
							   const RecCallContext *context);
extern void rec_explainer_use_language(RecExplainer *explainer, const char *language);
extern bool rec_explainer_names_item(const RecContribution *contribution);
extern char *rec_explainer_value(RecExplainer *explainer, const RecContribution *contribution,
								 Datum id);
extern char *rec_explainer_title(RecExplainer *explainer, Datum id);
extern char *rec_explainer_sentence(RecExplainer *explainer, const RecContribution *contribution,
									const char *title, const char *value);
extern Datum rec_explainer_reasons(RecExplainer *explainer, const RecScoredItem *item, Datum id);
extern Datum rec_explainer_no_reasons(void);

#endif							/* REC_EXPLAINER_H */
