/*-------------------------------------------------------------------------
 *
 * measure_name.c
 *	  The measures by name, and how they use weights.
 *
 * The formulas are in similarity/measure.c.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options/measure_name.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "options/measure_name.h"

const RecMeasureTraits rec_measure_name_traits[REC_NMEASURES] = {
	[REC_MEASURE_COSINE] = {"cosine", false, REC_CENTRE_NONE},
	[REC_MEASURE_DAMPED_COSINE] = {"damped_cosine", false, REC_CENTRE_NONE},
	[REC_MEASURE_JACCARD] = {"jaccard", true, REC_CENTRE_NONE},
	[REC_MEASURE_DICE] = {"dice", true, REC_CENTRE_NONE},
	[REC_MEASURE_TVERSKY] = {"tversky", true, REC_CENTRE_NONE},
	[REC_MEASURE_OVERLAP] = {"overlap", true, REC_CENTRE_NONE},
	[REC_MEASURE_CONDITIONAL] = {"conditional", true, REC_CENTRE_NONE},
	[REC_MEASURE_LIFT] = {"lift", true, REC_CENTRE_NONE},
	[REC_MEASURE_PMI] = {"pmi", true, REC_CENTRE_NONE},
	[REC_MEASURE_NPMI] = {"npmi", true, REC_CENTRE_NONE},
	[REC_MEASURE_LLR] = {"llr", true, REC_CENTRE_NONE},
	[REC_MEASURE_PEARSON] = {"pearson", false, REC_CENTRE_ITEM},
	[REC_MEASURE_ADJUSTED_COSINE] = {"adjusted_cosine", false, REC_CENTRE_USER},
};

/* Return a measure's name, NULL past the last one. */
const char *
rec_measure_name(int measure)
{
	return measure < REC_NMEASURES ? rec_measure_name_traits[measure].name : NULL;
}
