/*-------------------------------------------------------------------------
 *
 * disparity.h
 *	  How much the means of groups differ, and whether chance explains it.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/disparity.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_DISPARITY_H
#define REC_DISPARITY_H

/* A value of one unit. */
typedef struct RecGroupValue
{
	double		value;
	int			group;			/* from 0 */
} RecGroupValue;

/* The mean of a group; NaN where it does not exist. */
typedef struct RecGroupMean
{
	double		n;
	double		mean;
	double		ci_low;
	double		ci_high;
} RecGroupMean;

/* Measures of disparity. */
enum
{
	REC_DISPARITY_DIFFERENCE,	/* largest less smallest mean */
	REC_DISPARITY_RATIO,		/* smallest by largest mean */
	REC_DISPARITY_SPREAD,		/* standard deviation by mean of the means */
	REC_DISPARITIES
};

extern const char *rec_disparity_name(int measure);
extern void rec_disparity_means(const RecGroupValue *value, int64 count, int ngroups,
								RecGroupMean *mean);
extern void rec_disparity_compute(RecGroupValue *value, int64 count, int ngroups, int resamples,
								  int64 seed, double *disparity, double *p_value);

#endif							/* REC_DISPARITY_H */
