/*-------------------------------------------------------------------------
 *
 * content_similarity.h
 *	  The most similar items of one item by content.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/content_similarity.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CONTENT_SIMILARITY_H
#define REC_CONTENT_SIMILARITY_H

#include "content/content.h"
#include "math/topk.h"

typedef struct RecContentRows RecContentRows;

extern RecContentRows *rec_content_similarity_begin(RecContent *content, int neighbors,
													MemoryContext budget);
extern const RecTopk *rec_content_similarity_row(RecContentRows *rows, uint32 row);
extern void rec_content_similarity_end(RecContentRows *rows);

#endif							/* REC_CONTENT_SIMILARITY_H */
