/*-------------------------------------------------------------------------
 *
 * batch_rows.c
 *	  The interactions of a batch: reading and sorting rows.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_rows.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "batch/batch_event.h"
#include "batch/batch_rows.h"
#include "definition/source.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "pg/spi.h"
#include "rank/history.h"
#include "serve/cap_values.h"

static RecBatchRow *
next_row(RecBatch *batch)
{
	if (batch->nrows == batch->allocated)
	{
		int64		wanted = Max(1024, batch->allocated * 2);
		Size		size = mul_size(wanted, sizeof(RecBatchRow));

		rec_memory_budget_check(batch->mcxt,
								mul_size(wanted - batch->allocated, sizeof(RecBatchRow)));
		batch->rows = batch->rows ? repalloc_huge(batch->rows, size) :
			MemoryContextAllocHuge(batch->mcxt, size);
		batch->allocated = wanted;
	}
	return &batch->rows[batch->nrows++];
}

/* Add an interaction; one without user or item is ignored. */
void
rec_batch_rows_add(RecBatch *batch, const RecRow *row, uint8 seen)
{
	RecBatchRow *added;

	if (row->user_null || row->item_null)
		return;
	added = next_row(batch);
	memset(added, 0, sizeof(*added));
	added->user = rec_dictionary_intern(batch->users, row->user);
	added->pair.item = rec_dictionary_intern(batch->items, row->item);
	added->pair.weight = batch->events ? row->amount : row->weight;
	added->pair.time = row->time;
	added->counts = row->has_weight;
	added->seen = seen;
	added->situation = row->situation;
	if (batch->events)
		added->event = rec_batch_event_find(batch, row->event);
	if (row->has_weight)
		rec_interaction_check_weight(row->weight, batch->users, added->user,
									 batch->items, added->pair.item);
}

static void
take_row(void *arg, const RecRow *row)
{
	RecBatch   *batch = (RecBatch *) arg;
	bool		has_events = batch->source->event_column || batch->source->event;
	uint8		seen = rec_history_event_is_seen(batch->options, row, has_events) ? 1 : 0;

	if (batch->other_options && rec_history_event_is_seen(batch->other_options, row, has_events))
		seen |= 2;
	rec_batch_rows_add(batch, row, seen);
}

/*
 * Add all interactions, with their situations if the batch has any; SPI is
 * connected.
 */
void
rec_batch_rows_read(RecBatch *batch, RecDefinition *definition)
{
	batch->definition = definition;
	rec_cap_values_check(definition, batch->options);
	rec_batch_event_begin(batch);
	for (int i = 0; i < definition->nsources; i++)
	{
		RecRowFormat format;
		SPIPlanPtr	plan;

		batch->source = &definition->sources[i];
		plan = rec_spi_prepare(rec_source_training_query(definition, batch->source,
														 batch->situations, &format),
							   0, NULL, 0);
		format.users = batch->users;
		format.items = batch->items;
		rec_interaction_read_rows(plan, NULL, &format, take_row, batch);
		SPI_freeplan(plan);
	}
}

/*
 * Order by user, then oldest first, independently of the order in which rows
 * arrived.
 */
static inline int
compare_rows(const RecBatchRow *a, const RecBatchRow *b, const RecBatch *batch)
{
	if (a->user != b->user)
		return batch->user_rank[a->user] < batch->user_rank[b->user] ? -1 : 1;
	if (a->pair.time != b->pair.time)
		return a->pair.time < b->pair.time ? -1 : 1;
	if (a->pair.item != b->pair.item)
		return batch->item_rank[a->pair.item] < batch->item_rank[b->pair.item] ? -1 : 1;
	if (a->pair.weight != b->pair.weight)
		return a->pair.weight < b->pair.weight ? -1 : 1;
	if (a->event != b->event)
		return a->event < b->event ? -1 : 1;
	if (batch->situation_rank == NULL || a->situation == b->situation)
		return 0;
	return batch->situation_rank[a->situation] < batch->situation_rank[b->situation] ? -1 : 1;
}

#define ST_SORT sort_rows
#define ST_ELEMENT_TYPE RecBatchRow
#define ST_COMPARE(a, b, batch) compare_rows(a, b, batch)
#define ST_COMPARE_ARG_TYPE const RecBatch
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Sort the rows by user and time; no row may be added afterwards. */
void
rec_batch_rows_sort(RecBatch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(batch->mcxt);

	batch->user_rank = rec_dictionary_ranks(batch->users, true);
	batch->item_rank = rec_dictionary_ranks(batch->items, true);
	if (batch->situations)
		batch->situation_rank = rec_situation_ranks(batch->situations);
	sort_rows(batch->rows, batch->nrows, batch);
	MemoryContextSwitchTo(old);
}

/* Return the end of the rows of the user whose rows start at "from". */
int64
rec_batch_rows_user_end(const RecBatch *batch, int64 from)
{
	int64		end = from + 1;

	while (end < batch->nrows && batch->rows[end].user == batch->rows[from].user)
		end++;
	return end;
}
