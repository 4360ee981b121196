/*-------------------------------------------------------------------------
 *
 * document_word.h
 *	  The words of a document.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/document_word.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_DOCUMENT_WORD_H
#define REC_DOCUMENT_WORD_H

#include "tsearch/ts_type.h"

/* Take a word of a document; "arg" is the caller's. */
typedef void (*RecWordVisitor) (const char *word, int length, void *arg);

extern void rec_document_word_visit(TSVector document, RecWordVisitor visit, void *arg);

#endif							/* REC_DOCUMENT_WORD_H */
