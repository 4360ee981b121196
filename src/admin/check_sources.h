/*-------------------------------------------------------------------------
 *
 * check_sources.h
 *	  What check_recommender() finds about sources of interactions.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/check_sources.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CHECK_SOURCES_H
#define REC_CHECK_SOURCES_H

#include "admin/findings.h"

extern bool rec_check_sources(RecFindings *findings, const RecSource *source);

#endif							/* REC_CHECK_SOURCES_H */
