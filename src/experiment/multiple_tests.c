/*-------------------------------------------------------------------------
 *
 * multiple_tests.c
 *	  P-values corrected for being several.
 *
 * Knows numbers only.  Holm 1979 and Bonferroni bound the probability of any
 * error, Benjamini and Hochberg 1995 the expected share of errors among what is
 * found.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/multiple_tests.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "experiment/multiple_tests.h"

/* Return the name of a RecCorrection, NULL after the last. */
const char *
rec_multiple_tests_name(int correction)
{
	static const char *const name[] = {"holm", "benjamini_hochberg", "bonferroni", "none"};

	return correction >= 0 && correction < (int) lengthof(name) ? name[correction] : NULL;
}

/* A p-value and its place. */
typedef struct PValue
{
	double		p;
	int			place;
} PValue;

static int
compare_p_values(const void *a, const void *b)
{
	const PValue *x = a;
	const PValue *y = b;

	if (x->p != y->p)
		return x->p < y->p ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* Correct n p-values in rising order. */
static void
correct(RecCorrection correction, PValue *value, int n)
{
	double		bound = 0;

	if (correction == REC_CORRECTION_BONFERRONI)
	{
		for (int i = 0; i < n; i++)
			value[i].p = Min(1, value[i].p * n);
	}
	else if (correction == REC_CORRECTION_HOLM)
	{
		for (int i = 0; i < n; i++)
			value[i].p = bound = Max(bound, Min(1, value[i].p * (n - i)));
	}
	else if (correction == REC_CORRECTION_BENJAMINI_HOCHBERG)
	{
		bound = 1;
		for (int i = n - 1; i >= 0; i--)
			value[i].p = bound = Min(bound, value[i].p * n / (i + 1));
	}
}

/* Correct p-values in their places; NaN stays and is not counted. */
void
rec_multiple_tests_adjust(RecCorrection correction, double *p, int count)
{
	PValue	   *value = palloc_array(PValue, Max(count, 1));
	int			n = 0;

	for (int i = 0; i < count; i++)
	{
		if (!isnan(p[i]))
			value[n++] = (PValue) {p[i], i};
	}
	qsort(value, n, sizeof(PValue), compare_p_values);
	correct(correction, value, n);
	for (int i = 0; i < n; i++)
		p[value[i].place] = value[i].p;
	pfree(value);
}
