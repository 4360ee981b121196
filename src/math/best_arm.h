/*-------------------------------------------------------------------------
 *
 * best_arm.h
 *	  The probability that each of several unknown means is the largest.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/best_arm.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_BEST_ARM_H
#define REC_BEST_ARM_H

/* What is known of a mean. */
typedef enum RecBelief
{
	REC_BELIEF_BETA,			/* a beta distribution with parameters a, b */
	REC_BELIEF_NORMAL			/* a normal one with mean a, standard deviation b */
} RecBelief;

extern void rec_best_arm_compute(RecBelief belief, const double *a, const double *b, int n,
								 double *probability, double *loss);

#endif							/* REC_BEST_ARM_H */
