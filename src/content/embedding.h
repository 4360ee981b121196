/*-------------------------------------------------------------------------
 *
 * embedding.h
 *	  Dense vectors: products, and cells of vectors near each other.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/embedding.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_EMBEDDING_H
#define REC_EMBEDDING_H

/* The vectors of items, grouped into cells. */
typedef struct RecCells
{
	int			dimensions;
	const float4 *dense;		/* of each item */
	int			n;				/* cells */
	float4	   *centroid;		/* of each cell, of length 1 */
	int64	   *start;			/* n + 1 offsets into item */
	uint32	   *item;			/* items of a cell, rising */
} RecCells;

extern double rec_embedding_product(const float4 *a, const float4 *b, int dimensions);
extern bool rec_embedding_is_empty(const float4 *vector, int dimensions);
extern bool rec_embedding_goes_before(const float4 *a, const float4 *b, int dimensions);
extern RecCells *rec_embedding_cells_create(const float4 *dense, int dimensions, uint32 nitems,
											MemoryContext budget);
extern int	rec_embedding_cells_nearest(const RecCells *cells, const float4 *vector, int wanted,
										int *nearest);

#endif							/* REC_EMBEDDING_H */
