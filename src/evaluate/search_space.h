/*-------------------------------------------------------------------------
 *
 * search_space.h
 *	  The settings that a search for options tries.
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

/* What the data and the recommender have: bits of RecSettingSpace.has. */
#define REC_HAS_TIME		1	/* interactions have times */
#define REC_HAS_CONTENT		2	/* items are described */
#define REC_HAS_CONTEXT		4	/* users are met in situations */

/* What there is to choose from. */
typedef struct RecSettingSpace
{
	const RecOptions *options;	/* in force, for what is not chosen */
	int			models;			/* bits 1 << RecModel: allowed */
	int			has;			/* bits REC_HAS_* */
	int			nevents;		/* whose weights may change */
	const RecSourceWeight *events;	/* as they are in force; those of a
									 * relation stand together */
} RecSettingSpace;

/* What has been chosen for each parameter, or that nothing was. */
typedef struct RecSetting RecSetting;

extern RecSetting **rec_search_space_draw(const RecSettingSpace *space, uint64 seed, int n);
extern RecSetting *rec_search_space_mutate(const RecSettingSpace *space,
										   const RecSetting *setting, int scope,
										   pg_prng_state *prng);
extern char *rec_search_space_json(const RecSettingSpace *space, const RecSetting *setting);

#endif							/* REC_SEARCH_SPACE_H */
