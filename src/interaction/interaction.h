/*-------------------------------------------------------------------------
 *
 * interaction.h
 *	  Reading interactions: rows of a query become a stream of numbers.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/interaction.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_INTERACTION_H
#define REC_INTERACTION_H

#include "executor/spi.h"
#include "interaction/dictionary.h"
#include "interaction/matrix.h"
#include "interaction/situation.h"
#include "interaction/stream.h"
#include "utils/jsonb.h"

/* The weight of each kind of event. */
typedef struct RecEventWeight
{
	char	   *event;
	double		weight;
} RecEventWeight;

typedef struct RecEventWeights
{
	int			count;
	RecEventWeight *entries;
} RecEventWeights;

/* Interactions in memory: the ids, and the stream. */
typedef struct RecInteractions
{
	MemoryContext mcxt;		/* owns all of it */
	MemoryContext user_mcxt; /* child of it, owns users; or NULL */
	RecDict    *users;			/* NULL when users' ids are no longer needed */
	uint32		nusers;			/* number of users then */
	RecDict    *items;
	RecStream  *stream;
	RecSituations *situations;	/* situation of the stream's rows, or NULL */
	bool		has_time;		/* rows come with a time column */
	int64		null_keys;		/* rows without user or item, which are left
								 * out */
	int64		without_weight; /* rows whose event has no weight, likewise */
} RecInteractions;

/* Where a query's columns are, from 0; -1 for a column that does not exist. */
typedef struct RecRowFormat
{
	int			user;
	int			item;
	int			weight;
	int			time;
	int			event;
	const RecEventWeights *event_weights;	/* NULL: every event counts 1 */
	const char *constant_event; /* event of all rows when there is no event
								 * column */
	RecSituations *situations;	/* for the situation of each row, or NULL */
	int			ncontexts;		/* columns of the context, ... */
	int			first_context;	/* ... the place of the first, ... */
	const int  *contexts;		/* ... and their numbers in the situations */
	const RecDict *users;		/* dictionaries in which users and items will
								 * be */
	const RecDict *items;		/* looked up, for prefetching, or NULL */
} RecRowFormat;

/* One row of a query. */
typedef struct RecRow
{
	Datum		user;
	Datum		item;
	bool		user_null;
	bool		item_null;
	const char *event;			/* NULL when there is none */
	double		amount;			/* of the weight column, or 1 */
	double		weight;			/* weight times the event's weight */
	int64		time;
	bool		has_weight;		/* false: the event has no weight */
	uint32		situation;		/* if the format has situations */
} RecRow;

/* Take a row; memory of the current context is freed after the call. */
typedef void (*RecRowTaker) (void *arg, const RecRow *row);

/*
 * The range of the absolute value of a weight that is not 0.  In it no square,
 * sum or norm of a model can overflow or vanish.
 */
#define REC_LEAST_WEIGHT	1e-30
#define REC_MOST_WEIGHT		1e30

/* The longest id of an item, in bytes after compression: what any index can hold. */
#define REC_MOST_ID_BYTES	2500

extern bool rec_interaction_weight_is_valid(double weight);
extern void rec_interaction_check_weight(double weight, RecDict *users, uint32 user,
										 RecDict *items, uint32 item);
extern bool rec_interaction_id_is_too_long(Datum id);
extern RecEventWeights *rec_interaction_event_weights_parse(Jsonb *json);
extern bool rec_interaction_event_weight(const RecEventWeights *weights, const char *event,
										 double *weight);

extern RecInteractions *rec_interaction_create(MemoryContext mcxt,
											   Oid user_type, Oid user_collation,
											   Oid item_type, Oid item_collation);
extern void rec_interaction_add(RecInteractions *interactions, const RecRow *row);
extern void rec_interaction_forget_users(RecInteractions *interactions,
										 const RecOptions *options);
extern RecMatrix *rec_interaction_matrix(RecInteractions *interactions,
										 const RecOptions *options,
										 uint32 **item_rank);

extern void rec_interaction_check_numeric_column(Oid type, const char *what);
extern void rec_interaction_check_time_column(Oid type, const char *what);
extern void rec_interaction_read_rows(SPIPlanPtr plan, ParamListInfo params,
									  const RecRowFormat *format, RecRowTaker take, void *arg);
extern SPIPlanPtr rec_interaction_prepare(const char *query, TupleDesc *desc,
										  RecRowFormat *format);
extern RecInteractions *rec_interaction_from_query(const char *query,
												   MemoryContext mcxt);

#endif							/* REC_INTERACTION_H */
