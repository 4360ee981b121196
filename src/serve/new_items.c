/*-------------------------------------------------------------------------
 *
 * new_items.c
 *	  Items that came after the last refresh, in a call.
 *
 * With a relation of items, a call looks for the newest ones that the model
 * does not know (newest.c), at most the option new_items.  They are candidates
 * like all others, and their numbers go on from the model's, the newest first.
 * Each item of the history says of them how alike their vectors are, in its
 * signal of content.
 *
 * Items of the history that the model does not know speak as well: their
 * vectors are computed and their neighbours found when they are needed, for
 * at most new_items of them, the newest, and at least one.
 *
 * Any other item that the model does not know, and of which there is a row, is
 * judged by the same signals when it is named, but is no candidate.
 *
 * Whoever may not read a column of the relation of items gets the answer that
 * there would be without it.
 *
 * What is found lives as long as the call.  SPI is connected.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/new_items.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "interaction/pair.h"
#include "miscadmin.h"
#include "model/newest_item.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "serve/item_catalog.h"
#include "serve/new_items.h"
#include "serve/newcomer.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

struct RecFresh
{
	bool		looked;			/* for the newest items */
	Datum	   *newest;			/* ids; their numbers go on from the model's */
	int			nnewest;
	RecVector  *vectors;		/* theirs; NULL until they are needed */
	RecLive    *live;			/* NULL until it is needed */
	RecVector  *history;		/* by number in the history; NULL until they
								 * are needed */
};

static struct RecFresh *
get_fresh(RecServe *serve)
{
	if (serve->fresh == NULL)
		serve->fresh = MemoryContextAllocZero(serve->memory, sizeof(struct RecFresh));
	return serve->fresh;
}

static RecLive *
get_live(RecServe *serve)
{
	struct RecFresh *fresh = get_fresh(serve);

	if (fresh->live == NULL)
		fresh->live = rec_new_item_vectors_create(serve);
	return fresh->live;
}

/* ----------------
 *		the newest
 * ----------------
 */

/* Gives the different ids of the last query, and their number. */
static Datum *
result_ids(RecDict *dict, int *n)
{
	Datum	   *ids = palloc_array(Datum, SPI_processed + 1);

	*n = 0;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		id = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);
		uint32		known = rec_dictionary_count(dict);

		if (!isnull && rec_dictionary_intern(dict, id) == known)
			ids[(*n)++] = rec_dictionary_id(dict, known);
	}
	SPI_freetuptable(SPI_tuptable);
	return ids;
}

static RecDict *
create_dict(const RecServe *serve)
{
	return rec_dictionary_create(serve->definition->item_type, serve->definition->item_collation,
						   CurrentMemoryContext);
}

/*
 * Takes the newest items that the model does not know from the result of the
 * last query.
 */
static void
take_newest(RecServe *serve, struct RecFresh *fresh)
{
	int			n;
	Datum	   *ids = result_ids(create_dict(serve), &n);
	bool	   *known = palloc_array(bool, n + 1);

	rec_serve_known(serve, ids, n, known);
	fresh->nnewest = 0;
	for (int i = 0; i < n && fresh->nnewest < serve->options.new_items; i++)
		if (!known[i])
			fresh->newest[fresh->nnewest++] = ids[i];
}

/*
 * Finds the newest items that the model does not know, and numbers them.  When
 * those that it knows are in the way, it looks farther back.
 */
static void
find_newest(RecServe *serve, struct RecFresh *fresh)
{
	int			most = serve->options.new_items;
	bool		more = most > 0 && rec_newest_item_may_look(serve->definition->items);

	fresh->newest = palloc_array(Datum, most + 1);
	for (int64 limit = (int64) most + REC_NEWEST_TIES; more; limit *= 8)
	{
		if (!rec_newest_item_select(serve->definition, serve->newest_created,
									serve->newest_item, limit))
			break;
		more = SPI_processed == (uint64) limit;
		take_newest(serve, fresh);
		more = more && fresh->nnewest < most;
	}
	for (int i = 0; i < fresh->nnewest; i++)
		(void) rec_newcomer_number(serve, fresh->newest[i]);
}

/*
 * Looks, once in a call, for the newest items that the model does not know;
 * their numbers are those after the model's, the newest one's first.
 */
void
rec_new_items_look(RecServe *serve)
{
	struct RecFresh *fresh = get_fresh(serve);
	MemoryContext old = MemoryContextSwitchTo(serve->memory);

	if (!fresh->looked)
	{
		fresh->looked = true;
		find_newest(serve, fresh);
	}
	MemoryContextSwitchTo(old);
}

/* ----------------
 *		vectors
 * ----------------
 */

/* Reads the vectors of the history's items: those that the model has. */
static RecVector *
history_vectors(RecServe *serve)
{
	struct RecFresh *fresh = get_fresh(serve);
	uint32		n = rec_dictionary_count(serve->history);
	MemoryContext old = MemoryContextSwitchTo(serve->memory);

	if (fresh->history == NULL)
	{
		Datum	   *ids = palloc_array(Datum, n + 1);

		fresh->history = palloc_array(RecVector, n + 1);
		for (uint32 i = 0; i < n; i++)
			ids[i] = rec_dictionary_id(serve->history, i);
		rec_new_item_vectors_stored(fresh->live, ids, (int) n, fresh->history);
	}
	MemoryContextSwitchTo(old);
	return fresh->history;
}

/*
 * Lets the items of the history that the model does not know speak: gives them
 * vectors, and the lists of their neighbours.
 */
static void
admit_unknown(RecServe *serve, const RecPair *pairs, int n)
{
	Datum	   *ids = palloc_array(Datum, n + 1);
	uint32	   *numbers = palloc_array(uint32, n + 1);
	bool	   *marks = palloc_array(bool, n + 1);
	RecVector  *vectors = palloc_array(RecVector, n + 1);
	int			nids = 0;
	int			nunknown = 0;

	for (int i = 0; i < n; i++)
	{
		if (serve->lists[pairs[i].item * REC_NLIKENESSES + REC_LIKE_CONTENT].items)
			continue;
		numbers[nids] = pairs[i].item;
		ids[nids++] = rec_dictionary_id(serve->history, pairs[i].item);
	}
	rec_serve_known(serve, ids, nids, marks);
	for (int i = 0; i < nids && nunknown < REC_MOST_UNKNOWN(&serve->options); i++)
	{
		if (marks[i])
			continue;
		ids[nunknown] = ids[i];
		numbers[nunknown++] = numbers[i];
	}
	if (nunknown == 0 || get_live(serve)->ncolumns == 0)
		return;
	rec_new_item_vectors_read(serve->fresh->live, ids, nunknown, vectors, marks);
	for (int i = 0; i < nunknown; i++)
	{
		RecNeighborList *list = &serve->lists[numbers[i] * REC_NLIKENESSES + REC_LIKE_CONTENT];

		history_vectors(serve)[numbers[i]] = vectors[i];
		if (!marks[i])
			continue;
		rec_new_item_neighbors_neighbors(serve->fresh->live, &vectors[i], list);
		list->item = REC_ITEM_UNKNOWN;
	}
}

/* Computes the vectors of the newest items, if there are any. */
static void
read_newest(RecServe *serve)
{
	struct RecFresh *fresh = serve->fresh;
	MemoryContext old = MemoryContextSwitchTo(serve->memory);

	fresh->vectors = palloc_array(RecVector, fresh->nnewest + 1);
	if (fresh->nnewest > 0)
		rec_new_item_vectors_read(fresh->live, fresh->newest, fresh->nnewest, fresh->vectors,
					  palloc_array(bool, fresh->nnewest));
	MemoryContextSwitchTo(old);
}

/*
 * Adds to an item's list what its vector says of the newest items, but for the
 * item itself.
 */
static void
extend_list(RecServe *serve, Datum id, const RecVector *vector, RecNeighborList *list)
{
	const struct RecFresh *fresh = serve->fresh;
	uint32		itself = rec_dictionary_find(serve->newcomers, id);
	int32	   *items = palloc_array(int32, list->n + fresh->nnewest + 1);
	float4	   *values = palloc_array(float4, list->n + fresh->nnewest + 1);
	int			n = list->n;

	if (n > 0)
	{
		memcpy(items, list->items, n * sizeof(int32));
		memcpy(values, list->values, n * sizeof(float4));
	}
	for (int i = 0; i < fresh->nnewest; i++)
	{
		float4		value = (float4) rec_new_item_vectors_product(fresh->live, vector, &fresh->vectors[i]);

		if (value <= 0 || (uint32) i == itself)
			continue;
		items[n] = (int32) (serve->nitems + i);
		values[n++] = value;
	}
	if (list->items == NULL)
		list->item = REC_ITEM_UNNUMBERED;
	list->n = n;
	list->items = items;
	list->values = values;
}

/*
 * Makes the newest items candidates of a history, whose lists of neighbours
 * have been read, and lets its items speak that the model does not know.
 */
void
rec_new_items_join(RecServe *serve, const RecPair *pairs, int n)
{
	struct RecFresh *fresh = get_fresh(serve);
	MemoryContext old = MemoryContextSwitchTo(serve->memory);

	rec_definition_check_items(serve->definition);
	if (rec_relation_may_select(serve->definition->items->relid, serve->definition->items->item_column))
		admit_unknown(serve, pairs, n);
	rec_new_items_look(serve);
	if (fresh->nnewest > 0 && get_live(serve)->ncolumns > 0)
	{
		RecVector  *history = history_vectors(serve);

		read_newest(serve);
		for (int i = 0; i < n; i++)
			extend_list(serve, rec_dictionary_id(serve->history, pairs[i].item), &history[pairs[i].item],
						&serve->lists[pairs[i].item * REC_NLIKENESSES + REC_LIKE_CONTENT]);
	}
	MemoryContextSwitchTo(old);
}

#define ITEMS_AT_ONCE	1000

/* The items of a batch as they are brought together with the newest ones. */
typedef struct JoinedItems
{
	const Datum *ids;
	const uint32 *numbers;		/* of their lists */
	int			n;
	bool		known;			/* to the model */
} JoinedItems;

/* Joins some items of a batch. */
static void
join_items(RecServe *serve, const JoinedItems *joined, RecNeighborList *lists)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext working = AllocSetContextCreate(caller, "recommender vectors",
												  ALLOCSET_DEFAULT_SIZES);
	RecLive    *live = serve->fresh->live;
	RecVector  *vectors;
	bool	   *found;

	MemoryContextSwitchTo(working);
	vectors = palloc_array(RecVector, joined->n + 1);
	found = palloc_array(bool, joined->n + 1);
	if (joined->known)
		rec_new_item_vectors_stored(live, joined->ids, joined->n, vectors);
	else
		rec_new_item_vectors_read(live, joined->ids, joined->n, vectors, found);
	MemoryContextSwitchTo(caller);
	for (int i = 0; i < joined->n; i++)
	{
		RecNeighborList *list = &lists[(Size) joined->numbers[i] * REC_NLIKENESSES + REC_LIKE_CONTENT];

		CHECK_FOR_INTERRUPTS();
		if (!joined->known && found[i])
		{
			rec_new_item_neighbors_neighbors(live, &vectors[i], list);
			list->item = REC_ITEM_UNKNOWN;
		}
		if (serve->fresh->nnewest > 0)
			extend_list(serve, joined->ids[i], &vectors[i], list);
	}
	MemoryContextDelete(working);
}

/*
 * Does for many users' histories what rec_new_items_join() does for one: all items
 * of theirs, which are "used" by their numbers in a dictionary, are brought
 * together with the newest items, and those that are not "known" to the model
 * get lists of neighbours.  The lists are in the current context.
 */
void
rec_new_items_join_all(RecServe *serve, RecDict *items, const bool *used, const bool *known,
				   RecNeighborList *lists)
{
	uint32		count = rec_dictionary_count(items);
	Datum	   *ids = palloc_array(Datum, ITEMS_AT_ONCE);
	uint32	   *numbers = palloc_array(uint32, ITEMS_AT_ONCE);

	rec_new_items_look(serve);
	if (get_live(serve)->ncolumns == 0 ||
		!rec_relation_may_select(serve->definition->items->relid, serve->definition->items->item_column))
		return;
	read_newest(serve);
	for (int is_known = 0; is_known < 2; is_known++)
	{
		JoinedItems joined = {ids, numbers, 0, is_known != 0};

		for (uint32 i = 0; i < count && (!is_known || serve->fresh->nnewest > 0); i++)
		{
			if (!used[i] || known[i] != joined.known)
				continue;
			ids[joined.n] = rec_dictionary_id(items, i);
			numbers[joined.n++] = i;
			if (joined.n < ITEMS_AT_ONCE)
				continue;
			join_items(serve, &joined, lists);
			joined.n = 0;
		}
		if (joined.n > 0)
			join_items(serve, &joined, lists);
	}
}

/*
 * Gives what each signal of content says of an item, in their order; that of
 * the item itself says nothing.
 */
static const float4 *
ask_signals(RecServe *serve, Datum id, const RecVector *vector, const uint32 *refs, int nrefs)
{
	const struct RecFresh *fresh = serve->fresh;
	float4	   *said = palloc_array(float4, nrefs + 1);
	uint32		itself = nrefs > 0 ? rec_dictionary_find(serve->history, id) : REC_NOT_FOUND;

	for (int r = 0; r < nrefs; r++)
		said[r] = refs[r] == itself ? 0 :
			Max(0, (float4) rec_new_item_vectors_product(fresh->live, &fresh->history[refs[r]], vector));
	return said;
}

/*
 * Judges those of n items that the model does not know and that are none of the
 * newest by their content; those of which there is no row, or none that the
 * caller may read, are taken out.  Gives how many are left.
 */
int
rec_new_items_judge(RecServe *serve, RecScoredItem *items, int n)
{
	const RecItemSource *source = serve->definition->items;
	uint32		first = (uint32) serve->nitems + get_fresh(serve)->nnewest;
	Datum	   *ids = palloc_array(Datum, n + 1);
	RecVector  *vectors = palloc_array(RecVector, n + 1);
	bool	   *found = palloc_array(bool, n + 1);
	const uint32 *refs;
	int			nrefs = rec_score_refs(serve->scores, REC_CONTENT, &refs);
	int			nids = 0;
	int			kept = 0;
	int			judged = 0;

	for (int i = 0; i < n; i++)
		if (items[i].item >= first)
			ids[nids++] = serve->ids[items[i].ref];
	if (nids == 0)
		return n;
	if (!rec_relation_may_select(source->relid, source->item_column))
		return n - nids;		/* they come after the others */
	rec_new_item_vectors_read(get_live(serve), ids, nids, vectors, found);
	if (nrefs > 0)
		(void) history_vectors(serve);
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
			item.said = ask_signals(serve, ids[judged], &vectors[judged], refs, nrefs);
			judged++;
		}
		items[kept++] = item;
	}
	return kept;
}
