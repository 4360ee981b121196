/*-------------------------------------------------------------------------
 *
 * closest_name.h
 *	  The closest of several names, for the hint of an error.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/closest_name.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CLOSEST_NAME_H
#define REC_CLOSEST_NAME_H

/* The best of several candidate names for a name that does not exist. */
typedef struct RecClosest
{
	const char *name;			/* what the user wrote */
	const char *best;			/* closest candidate so far, or NULL */
	int			distance;		/* its edit distance */
} RecClosest;

extern void rec_closest_name_start(RecClosest *closest, const char *name);
extern void rec_closest_name_consider(RecClosest *closest, const char *candidate);
extern int	rec_closest_name_hint(const RecClosest *closest, const char *kind);
extern int	rec_closest_name_number(const char *kind, const char *(*value_name) (int value),
									const char *given);

#endif							/* REC_CLOSEST_NAME_H */
