/*-------------------------------------------------------------------------
 *
 * multiple_tests.h
 *	  P-values corrected for being several.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/multiple_tests.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_MULTIPLE_TESTS_H
#define REC_MULTIPLE_TESTS_H

/* How p-values are corrected for being several. */
typedef enum RecCorrection
{
	REC_CORRECTION_HOLM,
	REC_CORRECTION_BENJAMINI_HOCHBERG,
	REC_CORRECTION_BONFERRONI,
	REC_CORRECTION_NONE
} RecCorrection;

extern const char *rec_multiple_tests_name(int correction);
extern void rec_multiple_tests_adjust(RecCorrection correction, double *p, int count);

#endif							/* REC_MULTIPLE_TESTS_H */
