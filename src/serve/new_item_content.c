/*-------------------------------------------------------------------------
 *
 * new_item_content.c
 *	  New items in a history, and as candidates of one: by their content.
 *
 * The newest items (new_items.c) are candidates: to the list of neighbours by
 * content of each item of the history the cosines with their vectors are
 * added.
 *
 * Items of the history that the model does not know get a list of neighbours
 * by content: their vectors are computed and the neighbours found when they
 * are needed, for at most new_items of them, the newest, and at least one.
 *
 * Any other item unknown to the model of which there is a row is scored by the
 * same signals when it is named, but is no candidate.
 *
 * A caller without SELECT on a column of the relation of items gets the answer
 * that there would be without that column.
 *
 * SPI is connected.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/new_item_content.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pg/relation.h"
#include "serve/model_items.h"
#include "serve/new_item_content.h"
#include "serve/new_item_neighbors.h"
#include "utils/memutils.h"

/* Begin without anything read; the options must stay allocated. */
void
rec_new_item_content_init(RecNewItemContent *content, MemoryContext mcxt,
						  RecNewItems *new_items, const RecOptions *options)
{
	memset(content, 0, sizeof(*content));
	content->mcxt = mcxt;
	content->model = new_items->model;
	content->options = options;
	content->new_items = new_items;
}

static RecVectorMaker *
get_maker(RecNewItemContent *content)
{
	if (content->maker == NULL)
		content->maker = rec_new_item_vectors_create(content->mcxt, content->model);
	return content->maker;
}

/* Return whether the caller may read the ids of the relation of items. */
static bool
may_read_items(const RecNewItemContent *content)
{
	const RecItemSource *items = content->model->definition->items;

	return rec_relation_may_select(items->relid, items->item_column);
}

/* ----------------
 *		one history
 * ----------------
 */

/* Return the vectors of the history's items, as far as the model has them. */
static RecVector *
history_vectors(RecNewItemContent *content)
{
	uint32		n = rec_dictionary_count(content->history);
	MemoryContext old = MemoryContextSwitchTo(content->mcxt);

	if (content->vectors == NULL)
	{
		Datum	   *ids = palloc_array(Datum, n + 1);

		content->vectors = palloc_array(RecVector, n + 1);
		for (uint32 i = 0; i < n; i++)
			ids[i] = rec_dictionary_id(content->history, i);
		rec_new_item_vectors_stored(get_maker(content), ids, (int) n, content->vectors);
	}
	MemoryContextSwitchTo(old);
	return content->vectors;
}

static RecNeighborList *
content_list(RecNeighborList *lists, uint32 number)
{
	return &lists[(Size) number * REC_NLIKENESSES + REC_LIKE_CONTENT];
}

/*
 * Find the items of the history that the model does not know, as many as may
 * have neighbours; return their number.
 */
static int
find_unknown(RecNewItemContent *content, RecNeighborList *lists, const RecPair *pairs, int n,
			 Datum *ids, uint32 *numbers)
{
	bool	   *known = palloc_array(bool, n + 1);
	int			nids = 0;
	int			nunknown = 0;

	for (int i = 0; i < n; i++)
	{
		if (content_list(lists, pairs[i].item)->items)
			continue;
		numbers[nids] = pairs[i].item;
		ids[nids++] = rec_dictionary_id(content->history, pairs[i].item);
	}
	rec_model_items_known(content->model, ids, nids, known);
	for (int i = 0; i < nids && nunknown < REC_MOST_UNKNOWN(content->options); i++)
	{
		if (known[i])
			continue;
		ids[nunknown] = ids[i];
		numbers[nunknown++] = numbers[i];
	}
	return nunknown;
}

/*
 * Compute vectors and lists of neighbours for the items of the history that the
 * model does not know.
 */
static void
admit_unknown(RecNewItemContent *content, RecNeighborList *lists, const RecPair *pairs, int n)
{
	Datum	   *ids = palloc_array(Datum, n + 1);
	uint32	   *numbers = palloc_array(uint32, n + 1);
	int			nunknown = find_unknown(content, lists, pairs, n, ids, numbers);
	RecVector  *vectors = palloc_array(RecVector, n + 1);
	bool	   *found = palloc_array(bool, n + 1);

	if (nunknown == 0 || get_maker(content)->ncolumns == 0)
		return;
	rec_new_item_vectors_read(content->maker, ids, nunknown, vectors, found);
	for (int i = 0; i < nunknown; i++)
	{
		RecNeighborList *list = content_list(lists, numbers[i]);

		history_vectors(content)[numbers[i]] = vectors[i];
		if (!found[i])
			continue;
		rec_new_item_neighbors_find(content->maker, &vectors[i], content->options->neighbors, list);
		list->item = REC_ITEM_UNKNOWN;
	}
}

/* Compute the vectors of the newest items, if there are any. */
static void
read_newest(RecNewItemContent *content)
{
	int			n = content->new_items->nnewest;
	MemoryContext old = MemoryContextSwitchTo(content->mcxt);

	content->newest = palloc_array(RecVector, n + 1);
	if (n > 0)
		rec_new_item_vectors_read(content->maker, content->new_items->newest, n, content->newest,
								  palloc_array(bool, n));
	MemoryContextSwitchTo(old);
}

/*
 * Add the positive cosines of an item's vector with the newest items to its
 * list, but for the item itself.
 */
static void
extend_list(const RecNewItemContent *content, Datum id, const RecVector *vector,
			RecNeighborList *list)
{
	const RecNewItems *new_items = content->new_items;
	uint32		itself = rec_dictionary_find(new_items->numbered, id);
	int32	   *items = palloc_array(int32, list->n + new_items->nnewest + 1);
	float4	   *values = palloc_array(float4, list->n + new_items->nnewest + 1);
	int			n = list->n;

	if (n > 0)
	{
		memcpy(items, list->items, n * sizeof(int32));
		memcpy(values, list->values, n * sizeof(float4));
	}
	for (int i = 0; i < new_items->nnewest; i++)
	{
		float4		value = (float4) rec_new_item_vectors_product(content->maker, vector,
																  &content->newest[i]);

		if (value <= 0 || (uint32) i == itself)
			continue;
		items[n] = (int32) (content->model->nitems + i);
		values[n++] = value;
	}
	if (list->items == NULL)
		list->item = REC_ITEM_UNNUMBERED;
	list->n = n;
	list->items = items;
	list->values = values;
}

/*
 * Make the newest items candidates of a history, the lists of whose items have
 * been read, and find neighbours for its items that the model does not know.
 */
void
rec_new_item_content_join(RecNewItemContent *content, RecDict *history, RecNeighborList *lists,
						  const RecPair *pairs, int n)
{
	MemoryContext old = MemoryContextSwitchTo(content->mcxt);

	content->history = history;
	rec_definition_check_items(content->model->definition);
	if (may_read_items(content))
		admit_unknown(content, lists, pairs, n);
	rec_new_items_search(content->new_items);
	if (content->new_items->nnewest > 0 && get_maker(content)->ncolumns > 0)
	{
		RecVector  *vectors = history_vectors(content);

		read_newest(content);
		for (int i = 0; i < n; i++)
			extend_list(content, rec_dictionary_id(history, pairs[i].item),
						&vectors[pairs[i].item], content_list(lists, pairs[i].item));
	}
	MemoryContextSwitchTo(old);
}

/* ----------------
 *		many histories
 * ----------------
 */

#define ITEMS_AT_ONCE	1000

/* Items of many histories, as they are brought together with the newest ones. */
typedef struct JoinedItems
{
	const Datum *ids;
	const uint32 *numbers;		/* of their lists */
	int			n;
	bool		known;			/* to the model */
} JoinedItems;

/* Join some items; their lists are in the current memory context. */
static void
join_items(const RecNewItemContent *content, const JoinedItems *joined, RecNeighborList *lists)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext working = AllocSetContextCreate(caller, "recommender vectors",
												  ALLOCSET_DEFAULT_SIZES);
	RecVector  *vectors;
	bool	   *found;

	MemoryContextSwitchTo(working);
	vectors = palloc_array(RecVector, joined->n + 1);
	found = palloc_array(bool, joined->n + 1);
	if (joined->known)
		rec_new_item_vectors_stored(content->maker, joined->ids, joined->n, vectors);
	else
		rec_new_item_vectors_read(content->maker, joined->ids, joined->n, vectors, found);
	MemoryContextSwitchTo(caller);
	for (int i = 0; i < joined->n; i++)
	{
		RecNeighborList *list = content_list(lists, joined->numbers[i]);

		CHECK_FOR_INTERRUPTS();
		if (!joined->known && found[i])
		{
			rec_new_item_neighbors_find(content->maker, &vectors[i], content->options->neighbors, list);
			list->item = REC_ITEM_UNKNOWN;
		}
		if (content->new_items->nnewest > 0)
			extend_list(content, joined->ids[i], &vectors[i], list);
	}
	MemoryContextDelete(working);
}

/*
 * Do for many users' histories what rec_new_item_content_join() does for one:
 * all their items, which are "used" by their numbers in a dictionary, are
 * brought together with the newest items, and those that are not "known" to
 * the model get lists of neighbours.  The lists are in the current memory
 * context.
 */
void
rec_new_item_content_join_all(RecNewItemContent *content, RecDict *items, const bool *used,
							  const bool *known, RecNeighborList *lists)
{
	uint32		count = rec_dictionary_count(items);
	Datum	   *ids = palloc_array(Datum, ITEMS_AT_ONCE);
	uint32	   *numbers = palloc_array(uint32, ITEMS_AT_ONCE);

	rec_new_items_search(content->new_items);
	if (get_maker(content)->ncolumns == 0 || !may_read_items(content))
		return;
	read_newest(content);
	for (int is_known = 0; is_known < 2; is_known++)
	{
		JoinedItems joined = {ids, numbers, 0, is_known != 0};

		for (uint32 i = 0; i < count && (!is_known || content->new_items->nnewest > 0); i++)
		{
			if (!used[i] || known[i] != joined.known)
				continue;
			ids[joined.n] = rec_dictionary_id(items, i);
			numbers[joined.n++] = i;
			if (joined.n < ITEMS_AT_ONCE)
				continue;
			join_items(content, &joined, lists);
			joined.n = 0;
		}
		if (joined.n > 0)
			join_items(content, &joined, lists);
	}
}

/* ----------------
 *		named items
 * ----------------
 */

/*
 * Return the value of each of nrefs signals of content, by the items of the
 * history in "refs", for an item: 0 for that of the item itself.
 */
static const float4 *
signal_values(RecNewItemContent *content, Datum id, const RecVector *vector,
			  const uint32 *refs, int nrefs)
{
	float4	   *values = palloc_array(float4, nrefs + 1);
	uint32		itself = nrefs > 0 ? rec_dictionary_find(content->history, id) : REC_NOT_FOUND;

	for (int r = 0; r < nrefs; r++)
		values[r] = refs[r] == itself ? 0 :
			Max(0, (float4) rec_new_item_vectors_product(content->maker, &content->vectors[refs[r]],
														 vector));
	return values;
}

/*
 * Score by content, as the nrefs signals of content do, the items unknown to
 * the model that are not among the newest; they are the last of n.  Items
 * without a row visible to the caller are removed.  Return the number of
 * items left.
 */
int
rec_new_item_content_judge(RecNewItemContent *content, const RecItemIds *ids,
						   const uint32 *refs, int nrefs, RecScoredItem *items, int n)
{
	uint32		first = (uint32) content->model->nitems + content->new_items->nnewest;
	Datum	   *unknown = palloc_array(Datum, n + 1);
	RecVector  *vectors = palloc_array(RecVector, n + 1);
	bool	   *found = palloc_array(bool, n + 1);
	int			nunknown = 0;
	int			kept = 0;
	int			judged = 0;

	for (int i = 0; i < n; i++)
		if (items[i].item >= first)
			unknown[nunknown++] = ids->ids[items[i].ref];
	if (nunknown == 0)
		return n;
	if (!may_read_items(content))
		return n - nunknown;	/* they come after the others */
	rec_new_item_vectors_read(get_maker(content), unknown, nunknown, vectors, found);
	if (nrefs > 0)
		(void) history_vectors(content);
	for (int i = 0; i < n; i++)
	{
		RecScoredItem item = items[i];

		if (item.item >= first)
		{
			if (!found[judged])
			{
				judged++;
				continue;
			}
			item.content_values = signal_values(content, unknown[judged], &vectors[judged], refs, nrefs);
			judged++;
		}
		items[kept++] = item;
	}
	return kept;
}
