/*-------------------------------------------------------------------------
 *
 * batch.h
 *	  Many users at once: interactions and a model in memory.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_BATCH_H
#define REC_BATCH_H

#include "batch/memory_catalog.h"
#include "content/content_neighbors.h"
#include "definition/definition.h"
#include "factor/folding.h"
#include "rank/neighbor_list.h"
#include "rank/signal.h"

/* What an interaction is used for. */
typedef enum RecPart
{
	REC_PART_TRAIN,				/* training and history */
	REC_PART_HISTORY,			/* history alone */
	REC_PART_TEST,				/* to be found */
	REC_PART_HIDDEN				/* nothing */
} RecPart;

/* One interaction of the batch. */
typedef struct RecBatchRow
{
	RecPair		pair;			/* item: number in the batch's dictionary;
								 * weight: without the event's */
	uint32		user;			/* number in the batch's dictionary */
	uint8		part;			/* RecPart */
	bool		reserved;		/* hidden by every split */
	uint8		seen;			/* the user counts as having the item: bit 0
								 * by options, bit 1 by other_options */
	bool		counts;			/* the source gives it a weight */
	uint32		situation;		/* if the batch has situations */
	uint32		event;			/* if it has events */
} RecBatchRow;

/* An event of a source, or all its events that are not named. */
typedef struct RecBatchEvent
{
	int			source;
	const char *name;			/* NULL for the others */
	double		found_weight;	/* weight of a row to be found, by the source */
	bool		found;			/* it has such a weight */
	double		weight;			/* weight of a known row, by the options */
	bool		counts;			/* it has such a weight */
} RecBatchEvent;

typedef struct RecBatchContent RecBatchContent;

typedef struct RecBatch
{
	MemoryContext mcxt;			/* owns all below */
	const RecOptions *options;	/* in force */
	const RecOptions *other_options;	/* to be compared with, or NULL */
	uint8		seen_bit;		/* the bit of "seen" for the options in force */
	RecDict    *users;
	RecDict    *items;			/* of the interactions and of the model */
	RecBatchRow *rows;			/* after rec_batch_rows_sort() by user */
	int64		nrows;
	int64		allocated;
	uint32	   *user_rank;
	uint32	   *item_rank;
	const RecSource *source;	/* the one being read, or NULL */
	RecBatchEvent *events;		/* of all sources, or NULL */
	uint32		nevents;
	uint32	   *first_event;	/* of each source, then the number of all */
	RecBatchContent *content;	/* NULL without a relation of items */
	RecDefinition *definition;	/* whose interactions were read, or NULL */
	RecDict    *eligible;		/* what may be shown to anybody; NULL for all */
	RecSituations *situations;	/* of the rows, or NULL */
	uint32	   *situation_rank;
	int			ncontexts;		/* of their declared columns, those that are
								 * context: the first ones */
	bool		learns_context; /* models learn lifts of the situations */
	bool		whole_context;	/* the whole situation is used, not the time
								 * alone */

	/* the model */
	MemoryContext model_mcxt;	/* owns it; emptied for the next one */
	int64		as_of;			/* newest interaction it knows */
	RecMemoryCatalog memory;	/* its items, by its own numbers */
	uint32	   *model_number;	/* dictionary's number -> model's, or
								 * REC_NOT_FOUND */
	RecNeighborList *neighbors; /* REC_NLIKENESSES for each of the
								 * dictionary's numbers */
	uint32		ntrained;		/* its first items, which have interactions */
	int32	   *values;			/* of max_per's columns, item by item; NULL
								 * until asked for */
	RecNeighborList *lifts;		/* by the values of situations, or NULL */
	RecFactors *factors;		/* by the model's numbers, or NULL */
	RecFolding *folding;
	double	   *user_factors;	/* of the user at hand */
	float4	   *factor_values;	/* their value for each item */

	/* the user at hand */
	RecScores  *scores;
	uint32	   *barred;			/* model numbers that are barred for it */
	uint32		nbarred;
} RecBatch;

/* Return the neighbours of an item, by its number in the dictionary. */
static inline RecNeighborList *
rec_batch_lists(const RecBatch *batch, uint32 item)
{
	return batch->neighbors + (Size) item * REC_NLIKENESSES;
}

/* Return the weight of a row as one to be found. */
static inline double
rec_batch_found_weight(const RecBatch *batch, const RecBatchRow *row)
{
	return batch->events ? batch->events[row->event].found_weight * row->pair.weight :
		row->pair.weight;
}

/* Return whether a row counts as a known interaction. */
static inline bool
rec_batch_counts(const RecBatch *batch, const RecBatchRow *row)
{
	return batch->events ? batch->events[row->event].counts : row->counts;
}

extern RecBatch *rec_batch_create(MemoryContext mcxt, const RecOptions *options,
								  Oid user_type, Oid user_collation,
								  Oid item_type, Oid item_collation);
extern void *rec_batch_alloc(RecBatch *batch, Size count, Size width);
extern double rec_batch_known_weight(const RecBatch *batch, const RecBatchRow *row);
extern void rec_batch_begin_model(RecBatch *batch, uint32 nitems);
extern void rec_batch_set_item(RecBatch *batch, uint32 number, uint32 item,
							   double popularity, double trend);
extern void rec_batch_end_model(RecBatch *batch);
extern void rec_batch_set_factors(RecBatch *batch, RecFactors *factors);
extern void rec_batch_serve_by(RecBatch *batch, const RecOptions *options);

#endif							/* REC_BATCH_H */
