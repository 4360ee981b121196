/*-------------------------------------------------------------------------
 *
 * step.h
 *	  How a long computation reports its progress.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/step.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_STEP_H
#define REC_STEP_H

/* Called with the caller's argument, and so much done of a total. */
typedef void (*RecStep) (void *arg, double done, double total);

#endif							/* REC_STEP_H */
