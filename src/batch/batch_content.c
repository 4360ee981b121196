/*-------------------------------------------------------------------------
 *
 * batch_content.c
 *	  The content in a batch: the relation of items, read once.
 *
 * What items are does not depend on what is hidden of the interactions, so
 * that the relation is read once, and each model that is trained has the
 * neighbours by content that a refresh would store: of all items, those that
 * nobody has touched, too, by the numbers that they have in it.  They are kept
 * for the next model as long as that numbers the items the same way.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_content.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "batch/batch_content.h"
#include "content/content_builder.h"
#include "content/content_matrix.h"
#include "content/content_neighbors.h"
#include "content/feature_reader.h"
#include "pg/memory_budget.h"
#include "pg/relation.h"
#include "utils/memutils.h"

struct RecBatchContent
{
	MemoryContext context;		/* owns all below; a child of the batch's */
	RecContent *content;		/* by the dictionary's numbers */
	uint32	   *listed;			/* items that the relation has, in order of
								 * their ids */
	uint32		nlisted;

	/* neighbours, by the numbers of the model that was trained last */
	MemoryContext list_context; /* owns them */
	uint32		nitems;
	uint32	   *number;			/* of the dictionary's, of each item */
	int			neighbors;		/* wanted of each */
	RecContentLists *lists;		/* NULL for none yet */
};

/* Notes which items the relation has, in the order of their ids. */
static void
list_items(RecBatch *batch, RecBatchContent *content, const RecContentBuilder *builder)
{
	uint32		count = rec_dictionary_count(batch->items);
	uint32	   *order = rec_dictionary_ordered(batch->items, true);

	content->listed = rec_memory_budget_alloc_in(batch->context, content->context, count, sizeof(uint32));
	for (uint32 i = 0; i < count; i++)
		if (rec_content_builder_has_item(builder, order[i]))
			content->listed[content->nlisted++] = order[i];
	pfree(order);
}

/*
 * Reads the recommender's relation of items, if there is one, after the
 * interactions; SPI is connected.
 */
void
rec_batch_content_read(RecBatch *batch, const RecDefinition *definition)
{
	RecBatchContent *content;
	RecContentBuilder *builder;
	MemoryContext context;

	if (definition->items == NULL)
		return;
	context = AllocSetContextCreate(batch->context, "recommender content of a batch",
									ALLOCSET_DEFAULT_SIZES);
	content = MemoryContextAllocZero(context, sizeof(RecBatchContent));
	content->context = context;
	content->list_context = AllocSetContextCreate(context, "recommender neighbours by content",
												  ALLOCSET_DEFAULT_SIZES);
	builder = rec_feature_reader_read_all(definition, batch->items, context);
	list_items(batch, content, builder);
	content->content = rec_content_matrix_finish(builder, NULL, rec_dictionary_count(batch->items));
	content->content->exact_items = definition->items->embedding_exact_items;
	batch->content = content;
}

/*
 * Gives the items of a model, by the dictionary's numbers, and their number:
 * those that it was trained on, then the others that the relation has.
 */
uint32 *
rec_batch_content_model_items(RecBatch *batch, const uint32 *trained, uint32 ntrained, uint32 *n)
{
	const RecBatchContent *content = batch->content;
	uint32		count = rec_dictionary_count(batch->items);
	uint32	   *number = rec_memory_budget_alloc_in(batch->context, CurrentMemoryContext,
													content ? count : ntrained, sizeof(uint32));
	bool	   *is_trained;

	memcpy(number, trained, ntrained * sizeof(uint32));
	*n = ntrained;
	if (content == NULL)
		return number;
	is_trained = rec_memory_budget_alloc_in(batch->context, CurrentMemoryContext, count, sizeof(bool));
	for (uint32 i = 0; i < ntrained; i++)
		is_trained[trained[i]] = true;
	for (uint32 i = 0; i < content->nlisted; i++)
		if (!is_trained[content->listed[i]])
			number[(*n)++] = content->listed[i];
	pfree(is_trained);
	return number;
}

/* True when the lists at hand are those of a model with these items. */
static bool
lists_fit(const RecBatchContent *content, const uint32 *number, uint32 n, int neighbors)
{
	return content->lists && content->neighbors == neighbors && content->nitems == n &&
		memcmp(content->number, number, n * sizeof(uint32)) == 0;
}

static void
compute_lists(RecBatch *batch, const uint32 *number, uint32 n)
{
	RecBatchContent *content = batch->content;
	RecContent *renumbered;
	MemoryContext old;

	content->lists = NULL;
	MemoryContextReset(content->list_context);
	old = MemoryContextSwitchTo(content->list_context);
	content->number = rec_memory_budget_alloc_in(batch->context, content->list_context, n, sizeof(uint32));
	memcpy(content->number, number, n * sizeof(uint32));
	content->nitems = n;
	content->neighbors = batch->options->neighbors;
	renumbered = rec_content_matrix_renumber(content->content, number, n, batch->context);
	content->lists = rec_content_neighbors(renumbered, content->neighbors, batch->context,
										   NULL, NULL);
	MemoryContextDelete(renumbered->context);
	MemoryContextSwitchTo(old);
}

/*
 * Gives the model that was begun its neighbours by content.  "number" is what
 * rec_batch_content_model_items() gave.
 */
void
rec_batch_content_train(RecBatch *batch, const uint32 *number, uint32 n)
{
	const RecContentLists *lists;

	if (batch->content == NULL)
		return;
	if (!lists_fit(batch->content, number, n, batch->options->neighbors))
		compute_lists(batch, number, n);
	lists = batch->content->lists;
	for (uint32 i = 0; i < n; i++)
	{
		RecNeighborList *list = &rec_batch_lists(batch, number[i])[REC_LIKE_CONTENT];

		list->n = (int) (lists->start[i + 1] - lists->start[i]);
		list->items = lists->item + lists->start[i];
		list->values = lists->value + lists->start[i];
	}
}

/* Gives the neighbours by content of the model's items, NULL for none. */
const RecContentLists *
rec_batch_content_similarity(const RecBatch *batch)
{
	return batch->content ? batch->content->lists : NULL;
}
