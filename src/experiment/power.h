/*-------------------------------------------------------------------------
 *
 * power.h
 *	  How many units a comparison needs, and which effects it finds.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/power.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_POWER_H
#define REC_POWER_H

#include "experiment/comparison.h"

#define REC_MOST_LOOKS	1000

/* A comparison that is planned. */
typedef struct RecDesign
{
	double		baseline;		/* mean of group a, or its share */
	double		variance;		/* of a unit in both groups; NaN: of shares */
	bool		relative;		/* effects are parts of |baseline| */
	double		ratio;			/* units of group b for one of group a */
	int			looks;			/* at equal distances, the last one at the end */
	RecTestPlan plan;
} RecDesign;

extern double rec_power_highest_effect(const RecDesign *design);
extern double rec_power_compute(const RecDesign *design, double effect, double n);
extern double rec_power_sample_size(const RecDesign *design, double effect, double power);
extern double rec_power_detectable_effect(const RecDesign *design, double n, double power);

#endif							/* REC_POWER_H */
