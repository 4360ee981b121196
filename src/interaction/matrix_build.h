/*-------------------------------------------------------------------------
 *
 * matrix_build.h
 *	  Making the sparse matrix of a stream of interactions.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/matrix_build.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_MATRIX_BUILD_H
#define REC_MATRIX_BUILD_H

#include "interaction/matrix.h"
#include "interaction/stream.h"

/* The order of the ids that the stream's numbers stand for. */
typedef struct RecIds
{
	uint32		nusers;
	uint32		nitems;
	const uint32 *user_rank;	/* place of each user in a fixed order; NULL:
								 * any order may be used */
	const uint32 *item_rank;	/* place of each item in the order of ids */
} RecIds;

extern bool rec_matrix_build_needs_user_ranks(const RecStream *stream,
										const RecOptions *options);
extern RecMatrix *rec_matrix_build(RecStream *stream, const RecIds *ids,
								   const RecOptions *options);

#endif							/* REC_MATRIX_BUILD_H */
