/*-------------------------------------------------------------------------
 *
 * alter_recommender.h
 *	  Changing a recommender: its sources, its items and its options.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/alter_recommender.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ALTER_RECOMMENDER_H
#define REC_ALTER_RECOMMENDER_H

#include "definition/source.h"

/* A source as a caller names it. */
typedef struct RecGivenSource
{
	RecSource	source;
	Jsonb	   *event_weights;	/* as given; NULL for none */
	ArrayType  *context_columns;	/* names; NULL for none */
} RecGivenSource;

extern void rec_alter_recommender_source_read(RecGivenSource *given, FunctionCallInfo fcinfo, int weights);
extern void rec_alter_recommender_source_write(const RecGivenSource *given, const char *schema);
extern void rec_alter_recommender_source_notice(const RecGivenSource *given);
extern void rec_alter_recommender_set_options(RecDefinition *definition, Jsonb *given);

#endif							/* REC_ALTER_RECOMMENDER_H */
