/*-------------------------------------------------------------------------
 *
 * index_probe.c
 *	  Looking up many values in a B-tree, leaf by leaf.
 *
 * A scan for "column = ANY (array)" sorts the array and descends from the root
 * for each of its elements.  The descents, not the rows, are most of what it
 * costs to look up a thousand items.  Here a leaf page that was reached
 * returns the rows of all values on it, and its right neighbour is tried
 * before the root when several values were on it.  From version 17 on,
 * PostgreSQL's own scan stays on the leaf as well, and this file only calls
 * it.
 *
 * Pages are read as _bt_first() and _bt_readpage() do: under a share lock on
 * one page at a time, while the rows' addresses are copied to a buffer; the
 * heap is visited after the lock is released.  A row that is put at such an
 * address in the meantime is invisible to our snapshot, so that no pin is
 * needed.  When a page is deleted its right neighbour takes over its range of
 * keys, and when a page splits, the upper end of its range moves to the right:
 * a value above one that was looked up here is on this page or further right,
 * and the high key shows which.
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
 * Begin to look up the rows of a table whose first columns of an index equal
 * the keys.  The last key is an array, of which any element may match.  Rows
 * come in the order of the index, each once.
 */
RecProbe *
rec_index_probe_begin(Relation rel, Relation index, Snapshot snapshot, int nkeys, ScanKey keys)
{
	RecProbe   *probe = palloc_object(RecProbe);

	keys[nkeys - 1].sk_flags |= SK_SEARCHARRAY;
	probe->scan = systable_beginscan_ordered(rel, index, snapshot, nkeys, keys);
	return probe;
}

/* Return the next row, valid until the next call; NULL when there is none. */
HeapTuple
rec_index_probe_next(RecProbe *probe)
{
	return systable_getnext_ordered(probe->scan, ForwardScanDirection);
}

/* End the look-up, after any row. */
void
rec_index_probe_end(RecProbe *probe)
{
	systable_endscan_ordered(probe->scan);
	pfree(probe);
}

#else

#define VALUES_AT_ONCE	512		/* values looked up before their rows are read */

/* PostgreSQL 16 needs the table when pages are to be written. */
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
	BTScanInsert key;			/* the last key is the value that is looked for */
	Datum	   *values;			/* in the order of the index, each once */
	int			nvalues;
	int			next;			/* value to be looked up next */

	/* the current position while values are looked up */
	Buffer		leaf;			/* locked; or invalid */
	Page		page;			/* the page of the buffer */
	OffsetNumber offset;		/* offset on the page, not beyond the next
								 * value */
	int			nhere;			/* values that were looked up on the page */

	/* addresses of the rows of all values before the next */
	ItemPointerData *found;
	int			nfound;
	int			allocated;
	int			nread;			/* number of addresses */
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
	int32		order;

	/* a caller may give a million values, and qsort() does not look */
	CHECK_FOR_INTERRUPTS();
	order = DatumGetInt32(FunctionCall2Coll(&key->sk_func, key->sk_collation,
											*(const Datum *) a, *(const Datum *) b));
	return key->sk_flags & SK_BT_DESC ? (order < 0) - (order > 0) : order;
}

/*
 * Take the elements of an array that are not null, sorted and without
 * duplicates.
 */
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

/* Compare the value with an item of the leaf page. */
static int32
compare_item(const RecProbe *probe, OffsetNumber offset)
{
	return _bt_compare(probe->index, probe->key, probe->page, offset);
}

/*
 * Return true when the value is on the leaf page, if it is in the index at
 * all.
 */
static bool
is_within(const RecProbe *probe)
{
	return !P_IGNORE(opaque_of(probe)) &&
		(P_RIGHTMOST(opaque_of(probe)) || compare_item(probe, P_HIKEY) <= 0);
}

/*
 * Note that a leaf page was reached and that no value was looked up on it yet.
 */
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

/*
 * Go from the root to the leaf page of the value; to no page when the index is
 * empty.
 */
static void
descend(RecProbe *probe)
{
	_bt_freestack(search_compat(probe));
	if (!BufferIsValid(probe->leaf) && IsolationIsSerializable())
	{
		/*
		 * another backend may have created a page before our lock was visible
		 */
		PredicateLockRelation(probe->index, probe->snapshot);
		_bt_freestack(search_compat(probe));
	}
	if (BufferIsValid(probe->leaf))
		arrive(probe);
}

/* Go to the leaf page of the value, to no page when the index is empty. */
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

/* Move to the first item of the leaf page that is not less than the value. */
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

/* Take the addresses of the rows of an item. */
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

/* Take the items of the value, which may continue on further pages. */
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

/* Look up the next values and take the addresses of their rows. */
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

/*
 * Make the key that items of the index are compared with; its last value is
 * set later.
 */
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
 * Begin to look up the rows of a table whose first columns of an index equal
 * the keys.  The last key is an array, of which any element may match.  Rows
 * come in the order of the index, each once.
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

/*
 * Return true when a visible row is at an address; the row is then in the
 * slot.
 */
static bool
read_row(RecProbe *probe, ItemPointerData tid)
{
	bool		again = false;	/* never true with an MVCC snapshot */

	if (!table_index_fetch_tuple(probe->fetch, &tid, probe->snapshot, probe->slot, &again, NULL))
		return false;
	pgstat_count_heap_fetch(probe->index);
	return true;
}

/* Return the next row, valid until the next call; NULL when there is none. */
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

/* End the look-up, after any row. */
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
