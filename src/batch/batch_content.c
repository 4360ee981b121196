/*-------------------------------------------------------------------------
 *
 * batch_content.c
 *	  The content of a batch's items: their relation, read once.
 *
 * The content of items does not depend on which interactions are hidden, so the
 * relation is read once.  Each model that is trained gets the neighbours by
 * content that a refresh would store: of all items, including those without
 * interactions, by their numbers in the model.  They are kept for the next model
 * as long as it numbers the items in the same way.
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
	MemoryContext mcxt;			/* owns all below; a child of the batch's */
	RecContent *content;		/* by the dictionary's numbers */
	uint32	   *listed;			/* items that the relation has, in order of
								 * their ids */
	uint32		nlisted;

	/* neighbours, by the numbers of the model that was trained last */
	MemoryContext list_mcxt;	/* owns them */
	uint32		nitems;
	uint32	   *number;			/* of the dictionary's, of each item */
	int			neighbors;		/* wanted of each */
	RecContentLists *lists;		/* NULL for none yet */
};

/* Note which items the relation has, in the order of their ids. */
static void
list_items(RecBatch *batch, RecBatchContent *content, const RecContentBuilder *builder)
{
	uint32		count = rec_dictionary_count(batch->items);
	uint32	   *order = rec_dictionary_ordered(batch->items, true);

	content->listed = rec_memory_budget_alloc_in(batch->mcxt, content->mcxt, count, sizeof(uint32));
	for (uint32 i = 0; i < count; i++)
		if (rec_content_builder_has_item(builder, order[i]))
			content->listed[content->nlisted++] = order[i];
	pfree(order);
}

/*
 * Read the recommender's relation of items, if there is one, after the
 * interactions; SPI is connected.
 */
void
rec_batch_content_read(RecBatch *batch, const RecDefinition *definition)
{
	RecBatchContent *content;
	RecContentBuilder *builder;
	MemoryContext mcxt;

	if (definition->items == NULL)
		return;
	mcxt = AllocSetContextCreate(batch->mcxt, "recommender content of a batch",
								 ALLOCSET_DEFAULT_SIZES);
	content = MemoryContextAllocZero(mcxt, sizeof(RecBatchContent));
	content->mcxt = mcxt;
	content->list_mcxt = AllocSetContextCreate(mcxt, "recommender neighbours by content",
											   ALLOCSET_DEFAULT_SIZES);
	builder = rec_feature_reader_read_all(definition, batch->items, mcxt);
	list_items(batch, content, builder);
	content->content = rec_content_matrix_finish(builder, NULL, rec_dictionary_count(batch->items));
	content->content->exact_items = definition->items->embedding_exact_items;
	batch->content = content;
}

/*
 * Return the items of a model, by the dictionary's numbers, and set *n to
 * their number: the items with interactions to train on, then the others of
 * the relation.
 */
uint32 *
rec_batch_content_model_items(RecBatch *batch, const uint32 *trained, uint32 ntrained, uint32 *n)
{
	const RecBatchContent *content = batch->content;
	uint32		count = rec_dictionary_count(batch->items);
	uint32	   *number = rec_memory_budget_alloc_in(batch->mcxt, CurrentMemoryContext,
													content ? count : ntrained, sizeof(uint32));
	bool	   *is_trained;

	memcpy(number, trained, ntrained * sizeof(uint32));
	*n = ntrained;
	if (content == NULL)
		return number;
	is_trained = rec_memory_budget_alloc_in(batch->mcxt, CurrentMemoryContext, count, sizeof(bool));
	for (uint32 i = 0; i < ntrained; i++)
		is_trained[trained[i]] = true;
	for (uint32 i = 0; i < content->nlisted; i++)
		if (!is_trained[content->listed[i]])
			number[(*n)++] = content->listed[i];
	pfree(is_trained);
	return number;
}

/* Return whether the current lists are those of a model with these items. */
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
	MemoryContextReset(content->list_mcxt);
	old = MemoryContextSwitchTo(content->list_mcxt);
	content->number = rec_memory_budget_alloc_in(batch->mcxt, content->list_mcxt, n, sizeof(uint32));
	memcpy(content->number, number, n * sizeof(uint32));
	content->nitems = n;
	content->neighbors = batch->options->neighbors;
	renumbered = rec_content_matrix_renumber(content->content, number, n, batch->mcxt);
	content->lists = rec_content_neighbors(renumbered, content->neighbors, batch->mcxt,
										   NULL, NULL);
	MemoryContextDelete(renumbered->mcxt);
	MemoryContextSwitchTo(old);
}

/*
 * Set the neighbours by content of the current model. "number" is the result
 * of rec_batch_content_model_items().
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

/* Return the neighbours by content of the model's items, NULL for none. */
const RecContentLists *
rec_batch_content_similarity(const RecBatch *batch)
{
	return batch->content ? batch->content->lists : NULL;
}
