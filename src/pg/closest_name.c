/*-------------------------------------------------------------------------
 *
 * closest_name.c
 *	  The closest of several names, for the hint of an error.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/closest_name.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "utils/varlena.h"

/* a name at a larger edit distance is not suggested */
#define REC_CLOSEST_MAX_DISTANCE	4

/* Begin the search for the name closest to "name". */
void
rec_closest_name_start(RecClosest *closest, const char *name)
{
	closest->name = name;
	closest->best = NULL;
	closest->distance = Min(REC_CLOSEST_MAX_DISTANCE,
							(int) (strlen(name) + 1) / 2) + 1;
}

/*
 * Take "candidate" if it is closer than all before.  It must stay allocated.
 */
void
rec_closest_name_consider(RecClosest *closest, const char *candidate)
{
	int			distance;

	if (strlen(closest->name) > NAMEDATALEN || strlen(candidate) > NAMEDATALEN)
		return;
	distance = varstr_levenshtein_less_equal(closest->name,
											 strlen(closest->name),
											 candidate, strlen(candidate),
											 1, 1, 1, closest->distance, true);
	if (distance < closest->distance)
	{
		closest->best = candidate;
		closest->distance = distance;
	}
}

/*
 * Return the errhint() of a finished search, or no hint when no name was
 * close.
 */
int
rec_closest_name_hint(const RecClosest *closest, const char *kind)
{
	if (closest->best == NULL)
		return 0;
	return errhint("Perhaps you meant the %s \"%s\".", kind, closest->best);
}

/*
 * Return the number, from 0, of "given" among the names that value_name()
 * returns.  An ERROR with the closest name when it is not among them; "kind"
 * is the kind of thing that has the name.
 */
int
rec_closest_name_number(const char *kind, const char *(*value_name) (int value), const char *given)
{
	RecClosest	closest;
	const char *name;

	rec_closest_name_start(&closest, given);
	for (int i = 0; (name = value_name(i)) != NULL; i++)
	{
		if (strcmp(name, given) == 0)
			return i;
		rec_closest_name_consider(&closest, name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s \"%s\" does not exist", kind, rec_arguments_clip(given)),
			 rec_closest_name_hint(&closest, kind)));
	return -1;
}
