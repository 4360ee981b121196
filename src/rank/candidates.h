/*-------------------------------------------------------------------------
 *
 * candidates.h
 *	  Items that signals have values for, and sums for each of them.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/rank/candidates.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CANDIDATES_H
#define REC_CANDIDATES_H

#include "options/options.h"

/* The place of an item with a large number. */
typedef struct RecCandidateSlot
{
	uint32		item;
	int32		place;			/* -1 for an empty slot */
} RecCandidateSlot;

/* Candidates by place, which is the order in which they came. */
typedef struct RecCandidates
{
	int			n;
	int			allocated;
	uint32	   *item;			/* of each place */
	double	   *sum[REC_NLISTED];	/* of each place; NULL until used */
	bool	   *barred;			/* not to be selected; NULL until used */
	int			barred_allocated;

	uint32		ndirect;		/* items below have ... */
	int32	   *direct;			/* ... their place here, -1 for none */
	int			bits;			/* number of slots: 2 ^ bits, or 0 */
	uint32		nslots;
	uint32		nfilled;
	RecCandidateSlot *slots;	/* for the rest; NULL until used */
} RecCandidates;

extern RecCandidates *rec_candidates_create(uint32 nitems);
extern void rec_candidates_expect_all(RecCandidates *candidates, uint32 nitems);
extern void rec_candidates_expect(RecCandidates *candidates, int n, uint32 nitems);
extern void rec_candidates_locate(RecCandidates *candidates, const int32 *items, int n,
								  int32 *places);
extern void rec_candidates_locate_all(RecCandidates *candidates, int n, int32 *places);
extern int32 rec_candidates_find(const RecCandidates *candidates, uint32 item);
extern void rec_candidates_bar(RecCandidates *candidates, uint32 item);
extern double *rec_candidates_sums(RecCandidates *candidates, RecComponent component);
extern void rec_candidates_clear_sums(RecCandidates *candidates);
extern void rec_candidates_reset(RecCandidates *candidates);

/* Return whether the item of a place is not to be selected. */
static inline bool
rec_candidates_is_barred(const RecCandidates *candidates, int place)
{
	return place < candidates->barred_allocated && candidates->barred[place];
}

#endif							/* REC_CANDIDATES_H */
