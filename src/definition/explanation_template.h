/*-------------------------------------------------------------------------
 *
 * explanation_template.h
 *	  Contributions to a score in the words of a language.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/explanation_template.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_EXPLANATION_TEMPLATE_H
#define REC_EXPLANATION_TEMPLATE_H

#include "definition/definition.h"

#define REC_DEFAULT_LANGUAGE	"en"

typedef struct RecSentences RecSentences;

/* What a sentence is about; NULL for what there is not. */
typedef struct RecSentenceWords
{
	const char *item;			/* the recommended item's title */
	const char *because;		/* title of the history's item */
	const char *value;			/* a feature or a value of the context */
} RecSentenceWords;

extern void rec_explanation_template_install(const char *schema);
extern RecSentences *rec_explanation_template_load(const RecDefinition *definition, const char *language);
extern char *rec_explanation_template_fill(const RecSentences *sentences, const char *component,
										   const char *detail, const RecSentenceWords *words);

#endif							/* REC_EXPLANATION_TEMPLATE_H */
