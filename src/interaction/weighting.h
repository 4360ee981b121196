/*-------------------------------------------------------------------------
 *
 * weighting.h
 *	  The weights of a matrix as a measure uses them.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/weighting.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_WEIGHTING_H
#define REC_WEIGHTING_H

#include "interaction/matrix.h"
#include "options/options.h"

typedef enum RecWeightUse
{
	REC_WEIGHTS_IGNORED,		/* only the users of an item count */
	REC_WEIGHTS_TAKEN,			/* used as they are */
	REC_WEIGHTS_CHANGED			/* even if all of them are 1 */
} RecWeightUse;

extern RecWeightUse rec_weighting_use(const RecOptions *options);
extern void rec_weighting_apply(RecMatrix *matrix, const RecOptions *options);

#endif							/* REC_WEIGHTING_H */
