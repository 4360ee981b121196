/*-------------------------------------------------------------------------
 *
 * folding.h
 *	  Folding in rows of a matrix of interactions, and scoring items by factors.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/factor/folding.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_FOLDING_H
#define REC_FOLDING_H

/*
 * The parameters for computing the factors of a row from those of the columns;
 * users are rows and items columns, or the other way round.
 */
typedef struct RecFolds
{
	int			nfactors;
	double		unobserved;		/* weight of a pair that was not observed */
	double		regularization;
	double		exponent;		/* of a row's weight in the penalty */
	double		ncolumns;
	double		scale;			/* weight of an interaction -> confidence */
	const double *gram;			/* the columns' Gramian, which is diagonal */
} RecFolds;

/* The factors of all items, and the parameters for folding in a user. */
typedef struct RecFactors
{
	RecFolds	folds;
	uint32		nitems;
	float4	   *items;			/* nitems rows of nfactors */
} RecFactors;

/* Scratch space, and the row that is being folded in. */
typedef struct RecFolding RecFolding;

extern RecFolding *rec_folding_create(MemoryContext mcxt, int nfactors);
extern Size rec_folding_size(int nfactors);
extern bool rec_folding_counts(const RecFolds *folds, double weight);
extern void rec_folding_begin(RecFolding *folding, const RecFolds *folds, int64 nobserved);
extern void rec_folding_add(RecFolding *folding, const float4 *column, double weight);
extern void rec_folding_finish(RecFolding *folding, double *row);
extern void rec_folding_begin_responses(RecFolding *folding, const RecFolds *folds, int64 nobserved);
extern void rec_folding_end_responses(RecFolding *folding);
extern void rec_folding_response(RecFolding *folding, const float4 *column, double weight,
								 double *response);

extern void rec_folding_score(const double *user, const float4 *items, int nfactors,
							  uint32 nitems, float4 *values);

#endif							/* REC_FOLDING_H */
