/*-------------------------------------------------------------------------
 *
 * index_probe.c
 *	  Looking many values up in a B-tree, leaf by leaf.
 *
 * A scan for "column = ANY (array)" sorts the array and descends from the root
 * for each of its elements; that, rather than the rows, is what it costs to
 * look a thousand items up.  Here, a leaf page that was reached gives all that
 * are on it, and its right neighbour is tried before the root when several
 * were.  From version 17 on, PostgreSQL's own scan stays on the leaf as well,
 * and this file only calls it.
 *
 * Pages are read as _bt_first() and _bt_readpage() do: under a share lock on
 * one page at a time, while rows' addresses are taken to a buffer, and the
 * heap is visited after the lock is gone.  A row that comes to such an address
 * meanwhile is not visible to our snapshot, so that no pin is needed.  A page
 * takes over what its left neighbour had when that is deleted, and gives only
 * of its upper end away when it splits, to its right: a value above one that
 * was looked for here is here or further right, and the high key tells which.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/index_probe.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "lib/qunique.h"
#include "miscadmin.h"
#include "pg/index_probe.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "storage/shmem.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#if PG_VERSION_NUM >= 170000

struct RecProbe
{
	SysScanDesc scan;
};

/*
 * Begins to look for the rows of a table whose first columns of an index equal
 * the keys, of which the last is an array, and any of its elements will do.
 * Rows come in the order of the index, none twice.
 */
RecProbe *
rec_index_probe_begin(Relation rel, Relation index, Snapshot snapshot, int nkeys, ScanKey keys)
{
	RecProbe   *probe = palloc_object(RecProbe);

	keys[nkeys - 1].sk_flags |= SK_SEARCHARRAY;
	probe->scan = systable_beginscan_ordered(rel, index, snapshot, nkeys, keys);
	return probe;
}

/* Gives the next row, good until the one after it; NULL when there is none. */
HeapTuple
rec_index_probe_next(RecProbe *probe)
{
	return systable_getnext_ordered(probe->scan, ForwardScanDirection);
}

/* Ends looking, at any row. */
void
rec_index_probe_end(RecProbe *probe)
{
	systable_endscan_ordered(probe->scan);
	pfree(probe);
}

#else

#define VALUES_AT_ONCE	512		/* looked up before their rows are read */

/* PostgreSQL 16 wants to know the table when pages are to be written. */
#if PG_VERSION_NUM >= 160000
#define search_compat(probe) \
	_bt_search((probe)->index, NULL, (probe)->key, &(probe)->leaf, BT_READ, (probe)->snapshot)
#else
#define search_compat(probe) \
	_bt_search((probe)->index, (probe)->key, &(probe)->leaf, BT_READ, (probe)->snapshot)
#endif

struct RecProbe
{
	Relation	rel;
	Relation	index;
	Snapshot	snapshot;
	BTScanInsert key;			/* with the value that is looked for */
	Datum	   *values;			/* in the order of the index, none twice */
	int			nvalues;
	int			next;			/* value to be looked for next */

	/* where we are while values are looked for */
	Buffer		leaf;			/* locked; or none */
	Page		page;			/* of that */
	OffsetNumber offset;		/* of it, not beyond the next value */
	int			nhere;			/* values that were looked for on it */

	/* addresses of the rows of all values before the next */
	ItemPointerData *found;
	int			nfound;
	int			allocated;
	int			nread;			/* of them */
	IndexFetchTableData *fetch;
	TupleTableSlot *slot;
};

/* ----------------
 *		values
 * ----------------
 */

static int
compare_values(const void *a, const void *b, void *arg)
{
	ScanKey		key = (ScanKey) arg;
	int32		order = DatumGetInt32(FunctionCall2Coll(&key->sk_func, key->sk_collation,
														*(const Datum *) a, *(const Datum *) b));

	return key->sk_flags & SK_BT_DESC ? (order < 0) - (order > 0) : order;
}

/* Takes the elements of an array that are not null, sorted, each once. */
static void
take_values(RecProbe *probe, ArrayType *array, ScanKey key)
{
	bool	   *nulls;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	int			n;
	int			kept = 0;

	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign,
					  &probe->values, &nulls, &n);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			probe->values[kept++] = probe->values[i];
	pfree(nulls);
	qsort_arg(probe->values, kept, sizeof(Datum), compare_values, key);
	probe->nvalues = (int) qunique_arg(probe->values, kept, sizeof(Datum), compare_values, key);
}

/* ----------------
 *		leaf pages
 * ----------------
 */

static BTPageOpaque
opaque_of(const RecProbe *probe)
{
	return BTPageGetOpaque(probe->page);
}

/* Compares the value with an item of the leaf page. */
static int32
compare_item(const RecProbe *probe, OffsetNumber offset)
{
	return _bt_compare(probe->index, probe->key, probe->page, offset);
}

/* True when the value is on the leaf page, if it is in the index at all. */
static bool
is_within(const RecProbe *probe)
{
	return !P_IGNORE(opaque_of(probe)) &&
		(P_RIGHTMOST(opaque_of(probe)) || compare_item(probe, P_HIKEY) <= 0);
}

/* Says that we are on a leaf page, and have looked for nothing there yet. */
static void
arrive(RecProbe *probe)
{
	PredicateLockPage(probe->index, BufferGetBlockNumber(probe->leaf), probe->snapshot);
	probe->page = BufferGetPage(probe->leaf);
	probe->offset = P_FIRSTDATAKEY(opaque_of(probe));
	probe->nhere = 0;
}

static void
leave(RecProbe *probe)
{
	if (BufferIsValid(probe->leaf))
		_bt_relbuf(probe->index, probe->leaf);
	probe->leaf = InvalidBuffer;
}

static void
step_right(RecProbe *probe)
{
	BlockNumber next = opaque_of(probe)->btpo_next;

	leave(probe);
	CHECK_FOR_INTERRUPTS();
	probe->leaf = _bt_getbuf(probe->index, next, BT_READ);
	arrive(probe);
	TestForOldSnapshot(probe->snapshot, probe->index, probe->page);
}

/* Goes from the root to the value's leaf page; to none in an empty index. */
static void
descend(RecProbe *probe)
{
	_bt_freestack(search_compat(probe));
	if (!BufferIsValid(probe->leaf) && IsolationIsSerializable())
	{
		/* somebody may have made a page before our lock was to be seen */
		PredicateLockRelation(probe->index, probe->snapshot);
		_bt_freestack(search_compat(probe));
	}
	if (BufferIsValid(probe->leaf))
		arrive(probe);
}

/* Goes to the value's leaf page, to none in an empty index. */
static void
go_to_leaf(RecProbe *probe)
{
	if (BufferIsValid(probe->leaf) && !is_within(probe))
	{
		if (probe->nhere > 1)
			step_right(probe);
		else
			leave(probe);
		if (BufferIsValid(probe->leaf) && !is_within(probe))
			leave(probe);
	}
	if (!BufferIsValid(probe->leaf))
		descend(probe);
}

/* Moves on to the first item of the leaf page that is not less than the value. */
static void
find_first(RecProbe *probe)
{
	OffsetNumber high = OffsetNumberNext(PageGetMaxOffsetNumber(probe->page));

	while (probe->offset < high)
	{
		OffsetNumber middle = probe->offset + (high - probe->offset) / 2;

		if (compare_item(probe, middle) > 0)
			probe->offset = OffsetNumberNext(middle);
		else
			high = middle;
	}
}

static void
add_found(RecProbe *probe, ItemPointer tids, int n)
{
	if (probe->nfound + n > probe->allocated)
	{
		probe->allocated = Max(probe->nfound + n, probe->allocated * 2);
		probe->found = repalloc_huge(probe->found,
									 mul_size(probe->allocated, sizeof(ItemPointerData)));
	}
	memcpy(probe->found + probe->nfound, tids, n * sizeof(ItemPointerData));
	probe->nfound += n;
}

/* Takes the addresses of the rows of an item. */
static void
take_item(RecProbe *probe)
{
	ItemId		item = PageGetItemId(probe->page, probe->offset);
	IndexTuple	tuple = (IndexTuple) PageGetItem(probe->page, item);

	if (BTreeTupleIsPosting(tuple))
		add_found(probe, BTreeTupleGetPosting(tuple), BTreeTupleGetNPosting(tuple));
	else
		add_found(probe, &tuple->t_tid, 1);
}

/* Takes the items of the value, which may go on on further pages. */
static void
take_items(RecProbe *probe)
{
	for (;;)
	{
		BTPageOpaque opaque = opaque_of(probe);

		while (!P_IGNORE(opaque) && probe->offset <= PageGetMaxOffsetNumber(probe->page))
		{
			if (compare_item(probe, probe->offset) != 0)
				return;
			take_item(probe);
			probe->offset = OffsetNumberNext(probe->offset);
		}
		if (P_RIGHTMOST(opaque) || (!P_IGNORE(opaque) && compare_item(probe, P_HIKEY) < 0))
			return;
		step_right(probe);
	}
}

/* Looks for the next values and takes the addresses of their rows. */
static void
look_up(RecProbe *probe)
{
	int			end = Min(probe->nvalues, probe->next + VALUES_AT_ONCE);

	probe->nfound = 0;
	probe->nread = 0;
	for (; probe->next < end; probe->next++)
	{
		probe->key->scankeys[probe->key->keysz - 1].sk_argument = probe->values[probe->next];
		go_to_leaf(probe);
		if (!BufferIsValid(probe->leaf))
			continue;
		find_first(probe);
		take_items(probe);
		probe->nhere++;
	}
	leave(probe);
	pgstat_count_index_tuples(probe->index, probe->nfound);
}

/* ----------------
 *		rows
 * ----------------
 */

/* Makes what is compared with the items of the index; the last value is open. */
static BTScanInsert
make_key(Relation index, int nkeys, ScanKey keys)
{
	BTScanInsert key = _bt_mkscankey(index, NULL);

	_bt_metaversion(index, &key->heapkeyspace, &key->allequalimage);
	key->anynullkeys = false;
	key->keysz = nkeys;
	for (int i = 0; i < nkeys; i++)
	{
		key->scankeys[i].sk_flags &= ~SK_ISNULL;
		key->scankeys[i].sk_argument = keys[i].sk_argument;
	}
	return key;
}

/*
 * Begins to look for the rows of a table whose first columns of an index equal
 * the keys, of which the last is an array, and any of its elements will do.
 * Rows come in the order of the index, none twice.
 */
RecProbe *
rec_index_probe_begin(Relation rel, Relation index, Snapshot snapshot, int nkeys, ScanKey keys)
{
	RecProbe   *probe = palloc0_object(RecProbe);

	Assert(IsMVCCSnapshot(snapshot));
	probe->rel = rel;
	probe->index = index;
	probe->snapshot = snapshot;
	probe->key = make_key(index, nkeys, keys);
	take_values(probe, DatumGetArrayTypeP(keys[nkeys - 1].sk_argument),
				&probe->key->scankeys[nkeys - 1]);
	probe->allocated = Min(probe->nvalues, VALUES_AT_ONCE) + 1;
	probe->found = palloc_array(ItemPointerData, probe->allocated);
	probe->fetch = table_index_fetch_begin(rel);
	probe->slot = table_slot_create(rel, NULL);
	pgstat_count_index_scan(index);
	return probe;
}

/* True when there is a row at an address for us; it is in the slot then. */
static bool
read_row(RecProbe *probe, ItemPointerData tid)
{
	bool		again = false;	/* never, by a snapshot that tells versions */

	if (!table_index_fetch_tuple(probe->fetch, &tid, probe->snapshot, probe->slot, &again, NULL))
		return false;
	pgstat_count_heap_fetch(probe->index);
	return true;
}

/* Gives the next row, good until the one after it; NULL when there is none. */
HeapTuple
rec_index_probe_next(RecProbe *probe)
{
	for (;;)
	{
		while (probe->nread < probe->nfound)
			if (read_row(probe, probe->found[probe->nread++]))
				return ExecFetchSlotHeapTuple(probe->slot, false, NULL);
		if (probe->next == probe->nvalues)
			return NULL;
		CHECK_FOR_INTERRUPTS();
		look_up(probe);
	}
}

/* Ends looking, at any row. */
void
rec_index_probe_end(RecProbe *probe)
{
	ExecDropSingleTupleTableSlot(probe->slot);
	table_index_fetch_end(probe->fetch);
	pfree(probe->key);
	pfree(probe->values);
	pfree(probe->found);
	pfree(probe);
}

#endif
