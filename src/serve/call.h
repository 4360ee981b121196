/*-------------------------------------------------------------------------
 *
 * call.h
 *	  A call: its options, the generation that serves, what is to be left out.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CALL_H
#define REC_CALL_H

#include "definition/definition.h"
#include "definition/explanation_template.h"
#include "rank/rerank.h"
#include "rank/score.h"
#include "serve/eligible.h"
#include "utils/array.h"

/* What is remembered of an item of the history, for explanations. */
typedef struct RecPast
{
	double		decay;			/* factor of its age */
	int			event;			/* its newest one, number in events; or -1 */
	int64		time;			/* of that */
} RecPast;

/* A value of the context of a call that the model knows something of. */
typedef struct RecCallValue
{
	const char *column;
	const char *text;
	double		weight;			/* its part of the column's values */
	RecNeighborList lifts;
} RecCallValue;

/* An item whose id came with the row of an item that it resembles. */
typedef struct RecNearItem
{
	uint32		item;
	Datum		id;
} RecNearItem;

/* What is kept of a user that was folded in. */
typedef struct RecServeFactors RecServeFactors;

typedef struct RecServe
{
	MemoryContext memory;		/* of all that lives as long as the call */
	RecDefinition *definition;
	RecOptions	options;		/* the recommender's, then the call's */
	int64		generation;		/* 0: no model yet */
	int64		nitems;			/* of the model */
	int64		as_of;			/* newest interaction of the model, or
								 * REC_NO_TIME */
	uint32		steps[REC_USER_STEPS];	/* items with at least 2^step users */
	int			nsteps;
	RecDict    *excluded;		/* ids that must not be returned */
	uint32		nbarred;		/* so many of them are barred in the scores */
	RecEligible *eligible;		/* which may be; NULL for all others */
	RecDict    *newcomers;		/* items that the model does not know */
	bool		exhausted;		/* all of the model's items were listed */
	RecDict    *history;		/* ids of the history */
	RecNeighborList *lists;		/* of its items, REC_NLIKENESSES for each
								 * number; NULL without history */
	RecPast    *past;			/* by number in history; NULL when nobody asks */
	uint32		past_allocated;
	List	   *events;			/* names of the events in it */
	RecSentences *sentences;	/* to tell reasons by; NULL for none */
	RecDict    *titled;			/* ids of known titles; NULL until asked for */
	char	  **titles;			/* by number in it */
	uint32		titles_allocated;
	TimestampTz newest_created; /* since when there may be new items */
	int64		newest_item;	/* ... or beyond which number */
	struct RecFresh *fresh;		/* NULL until asked for */
	struct RecShared *shared;	/* the same */
	RecScores  *scores;
	bool		by_likeness;	/* alone: no factors, popularity or trend */
	RecNearItem *near;			/* items whose ids are at hand; NULL for none */
	int			nnear;
	RecServeFactors *factors;	/* of the user; NULL for none */
	int			ncontext;
	RecCallValue *context;		/* ref of a signal of the context -> value */
	Datum	   *ids;			/* ref of a scored item -> its id */
	uint32		nids;
	uint32		ids_allocated;
} RecServe;

extern RecDict *rec_serve_dict(const RecServe *serve);
extern void rec_serve_damaged(const RecServe *serve, const char *what);
extern void rec_serve_begin(RecServe *serve, RecDefinition *definition, Jsonb *options);
extern void rec_serve_require_model(const RecServe *serve);
extern void rec_serve_filter(RecServe *serve, Jsonb *filter);
extern void rec_serve_exclude(RecServe *serve, ArrayType *items);

#endif							/* REC_CALL_H */
