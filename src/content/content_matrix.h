/*-------------------------------------------------------------------------
 *
 * content_matrix.h
 *	  The features of items as sparse TF-IDF vectors.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/content_matrix.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CONTENT_MATRIX_H
#define REC_CONTENT_MATRIX_H

#include "content/content.h"

extern RecContent *rec_content_matrix_finish(RecContentBuilder *builder, const uint32 *number,
											 uint32 nitems);
extern RecContent *rec_content_matrix_renumber(const RecContent *content, const uint32 *number,
											   uint32 nitems, MemoryContext budget);

#endif							/* REC_CONTENT_MATRIX_H */
