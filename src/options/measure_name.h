/*-------------------------------------------------------------------------
 *
 * measure_name.h
 *	  The measures by name, and how they use weights.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options/measure_name.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_MEASURE_NAME_H
#define REC_MEASURE_NAME_H

/* The value of the option "measure". */
typedef enum RecMeasureNumber
{
	REC_MEASURE_COSINE,
	REC_MEASURE_DAMPED_COSINE,
	REC_MEASURE_JACCARD,
	REC_MEASURE_DICE,
	REC_MEASURE_TVERSKY,
	REC_MEASURE_OVERLAP,
	REC_MEASURE_CONDITIONAL,
	REC_MEASURE_LIFT,
	REC_MEASURE_PMI,
	REC_MEASURE_NPMI,
	REC_MEASURE_LLR,
	REC_MEASURE_PEARSON,
	REC_MEASURE_ADJUSTED_COSINE,
	REC_NMEASURES
} RecMeasureNumber;

typedef enum RecCentring
{
	REC_CENTRE_NONE,
	REC_CENTRE_ITEM,			/* ratings less the item's mean */
	REC_CENTRE_USER				/* ratings less the user's mean */
} RecCentring;

typedef struct RecMeasureTraits
{
	const char *name;
	bool		counts_only;	/* uses the users of both items, not the
								 * weights */
	RecCentring centring;
} RecMeasureTraits;

extern const RecMeasureTraits rec_measure_name_traits[REC_NMEASURES];

extern const char *rec_measure_name(int measure);

#endif							/* REC_MEASURE_NAME_H */
