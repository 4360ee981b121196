/*-------------------------------------------------------------------------
 *
 * search_space.h
 *	  The search space of tune(): configurations of options.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/search_space.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SEARCH_SPACE_H
#define REC_SEARCH_SPACE_H

#include "common/pg_prng.h"
#include "options/options.h"

/* Properties of the data: bits of RecSearchSpace.has. */
#define REC_HAS_TIME		1	/* interactions have times */
#define REC_HAS_CONTENT		2	/* items are described */
#define REC_HAS_CONTEXT		4	/* evaluation uses situations */

/* What the configurations depend on. */
typedef struct RecSearchSpace
{
	const RecOptions *options;	/* in force, for parameters without a value */
	int			models;			/* bits 1 << RecModel: allowed */
	int			has;			/* bits REC_HAS_* */
	int			nevents;		/* with weights to change */
	const RecSourceWeight *events;	/* in force, those of a relation adjacent */
} RecSearchSpace;

/* A value, or none, for each parameter. */
typedef struct RecConfiguration RecConfiguration;

extern RecConfiguration **rec_search_space_draw(const RecSearchSpace *space, uint64 seed, int n);
extern RecConfiguration *rec_search_space_mutate(const RecSearchSpace *space,
												 const RecConfiguration *configuration, int scope,
												 pg_prng_state *prng);
extern char *rec_search_space_json(const RecSearchSpace *space, const RecConfiguration *configuration);

#endif							/* REC_SEARCH_SPACE_H */
