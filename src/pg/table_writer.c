/*-------------------------------------------------------------------------
 *
 * table_writer.c
 *	  Writing rows to a recommender's own tables.
 *
 * Rows go to the table and its indexes directly, in batches, as COPY does:
 * without parser, executor and triggers.  So the table must have exactly the
 * columns that create_recommender() made, which is checked.
 *
 * Rows are written in order of the items' numbers, which scatters the entries
 * of an index on ids.  Such entries can be postponed until all rows are
 * written, and are then written in the order of the index: its pages are
 * filled one after the other and split where they are full.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/table_writer.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "pg/relation.h"
#include "pg/table_writer.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#if PG_VERSION_NUM >= 190000
#define ExecInsertIndexTuples_compat(rri, slot, estate) \
	ExecInsertIndexTuples(rri, estate, 0, slot, NIL, NULL)
#elif PG_VERSION_NUM >= 160000
#define ExecInsertIndexTuples_compat(rri, slot, estate) \
	ExecInsertIndexTuples(rri, slot, estate, false, false, NULL, NIL, false)
#else
#define ExecInsertIndexTuples_compat(rri, slot, estate) \
	ExecInsertIndexTuples(rri, slot, estate, false, false, NULL, NIL)
#endif

#if PG_VERSION_NUM >= 190000
#define table_beginscan_compat(rel, snapshot) \
	table_beginscan(rel, snapshot, 0, NULL, SO_NONE)
#define table_tuple_delete_compat(rel, tid, command, snapshot, failure) \
	table_tuple_delete(rel, tid, command, 0, snapshot, InvalidSnapshot, true, failure)
#else
#define table_beginscan_compat(rel, snapshot) \
	table_beginscan(rel, snapshot, 0, NULL)
#define table_tuple_delete_compat(rel, tid, command, snapshot, failure) \
	table_tuple_delete(rel, tid, command, snapshot, InvalidSnapshot, true, failure, false)
#endif

#define WRITE_BATCH			64	/* rows written at a time, and ... */
#define WRITE_BYTES			((Size) 8 * 1024 * 1024)	/* ... their size,
														 * about */

struct RecTableWriter
{
	Relation	rel;
	EState	   *estate;
	ResultRelInfo *result_rel;
	BulkInsertState bulk;
	MemoryContext row_context;	/* values of the batch */
	MemoryContext caller;		/* a row was begun and has not ended */
	TupleTableSlot *slots[WRITE_BATCH];	/* created when they are needed */
	Size		places[WRITE_BATCH];	/* number of rows in the batch */
	int			nslots;
	RelationPtr indexes;		/* all indexes */
	RelationPtr early;			/* those whose entries are written with the
								 * rows, others NULL */
	RelationPtr late;			/* those whose entries are postponed, others
								 * NULL; NULL when none is */
	ItemPointerData *rows;		/* address of the row of each place */
	Size		nrows;
};

static void
table_has_other_columns(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table %s has other columns than a recommender's",
					rec_relation_quoted(RelationGetRelid(rel))),
			 errhint("Drop the recommender and create it again.")));
}

/* Raise an error unless the table is as create_recommender() made it. */
static void
check_table(Relation rel, const Oid *types, int n)
{
	TupleDesc	desc = RelationGetDescr(rel);
	bool		fits = desc->natts == n;

	for (int i = 0; fits && i < n; i++)
		fits = !TupleDescAttr(desc, i)->attisdropped &&
			(types[i] == InvalidOid ||
			 getBaseType(TupleDescAttr(desc, i)->atttypid) == types[i]);
	if (!fits)
		table_has_other_columns(rel);
}

/*
 * Begin to write to a table whose columns must have these types; InvalidOid
 * allows any type.  The writer is in the current context.
 */
RecTableWriter *
rec_table_writer_open(Oid relid, const Oid *types, int ncolumns)
{
	RecTableWriter *writer = palloc0_object(RecTableWriter);

	writer->rel = table_open(relid, RowExclusiveLock);
	check_table(writer->rel, types, ncolumns);
	writer->estate = CreateExecutorState();
	writer->result_rel = makeNode(ResultRelInfo);
	InitResultRelInfo(writer->result_rel, writer->rel, 1, NULL, 0);
	ExecOpenIndices(writer->result_rel, false);
	writer->bulk = GetBulkInsertState();
	writer->row_context = AllocSetContextCreate(CurrentMemoryContext,
												"recommender rows to write",
												ALLOCSET_DEFAULT_SIZES);
	writer->indexes = writer->early = writer->result_rel->ri_IndexRelationDescs;
	return writer;
}

/*
 * Return true when an index has no other columns than these and is not
 * partial.
 */
static bool
has_only_columns(Relation index, const AttrNumber *columns, int ncolumns)
{
	if (!heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		return false;
	for (int i = 0; i < index->rd_index->indnatts; i++)
	{
		bool		found = false;

		for (int j = 0; j < ncolumns; j++)
			found |= index->rd_index->indkey.values[i] == columns[j];
		if (!found)
			return false;
	}
	return true;
}

/*
 * Postpone the entries of the indexes that have no other columns than these.
 * From now on rows are ended by rec_table_writer_end_row_at() with a place
 * below nrows, each of which has at most one row; later the entries of all
 * places are written in the order of the index.
 */
void
rec_table_writer_postpone(RecTableWriter *writer, const AttrNumber *columns, int ncolumns, Size nrows)
{
	int			nindexes = writer->result_rel->ri_NumIndices;
	bool		postponed = false;

	Assert(writer->nslots == 0 && writer->late == NULL);
	writer->early = palloc0_array(Relation, nindexes);
	writer->late = palloc0_array(Relation, nindexes);
	for (int i = 0; i < nindexes; i++)
	{
		bool		late = has_only_columns(writer->indexes[i], columns, ncolumns);

		(late ? writer->late : writer->early)[i] = writer->indexes[i];
		postponed |= late;
	}
	if (!postponed)
		writer->late = NULL;
	writer->nrows = nrows;
	writer->rows = rec_memory_budget_alloc(CurrentMemoryContext, nrows, sizeof(ItemPointerData));
}

/* Write a row's entries of some of the indexes. */
static void
insert_entries(RecTableWriter *writer, RelationPtr indexes, TupleTableSlot *slot)
{
	if (writer->result_rel->ri_NumIndices == 0)
		return;
	/* NULL elements are skipped */
	writer->result_rel->ri_IndexRelationDescs = indexes;
	list_free(ExecInsertIndexTuples_compat(writer->result_rel, slot, writer->estate));
	ResetPerTupleExprContext(writer->estate);
}

static void
flush_rows(RecTableWriter *writer)
{
	MemoryContext old;

	if (writer->nslots == 0)
		return;
	old = MemoryContextSwitchTo(GetPerTupleMemoryContext(writer->estate));
	table_multi_insert(writer->rel, writer->slots, writer->nslots,
					   GetCurrentCommandId(true), 0, writer->bulk);
	MemoryContextSwitchTo(old);
	for (int i = 0; i < writer->nslots; i++)
	{
		insert_entries(writer, writer->early, writer->slots[i]);
		if (writer->late)
			writer->rows[writer->places[i]] = writer->slots[i]->tts_tid;
		ExecClearTuple(writer->slots[i]);
	}
	writer->nslots = 0;
	MemoryContextReset(writer->row_context);
}

static TupleTableSlot *
empty_slot(RecTableWriter *writer, int i)
{
	TupleTableSlot *slot;

	if (writer->slots[i] == NULL)
		writer->slots[i] = table_slot_create(writer->rel, NULL);
	slot = writer->slots[i];
	ExecClearTuple(slot);
	memset(slot->tts_isnull, 0, slot->tts_tupleDescriptor->natts * sizeof(bool));
	return slot;
}

/*
 * Return the values of a new row, to be filled; none may be null.  Until
 * rec_table_writer_end_row() the current context is that of the row's values.
 */
Datum *
rec_table_writer_begin_row(RecTableWriter *writer)
{
	TupleTableSlot *slot = empty_slot(writer, writer->nslots);

	writer->caller = MemoryContextSwitchTo(writer->row_context);
	return slot->tts_values;
}

/* End a row and restore the context in which it was begun. */
void
rec_table_writer_end_row(RecTableWriter *writer)
{
	MemoryContextSwitchTo(writer->caller);
	ExecStoreVirtualTuple(writer->slots[writer->nslots]);
	if (++writer->nslots == WRITE_BATCH ||
		MemoryContextMemAllocated(writer->row_context, false) > WRITE_BYTES)
		flush_rows(writer);
}

/* End a row at a place; its entries in some indexes may be postponed. */
void
rec_table_writer_end_row_at(RecTableWriter *writer, Size place)
{
	Assert(place < writer->nrows);
	writer->places[writer->nslots] = place;
	rec_table_writer_end_row(writer);
}

/* Write the last rows, after which postponed entries may follow. */
void
rec_table_writer_end_rows(RecTableWriter *writer)
{
	flush_rows(writer);
}

/*
 * Return the values of a row whose entries were postponed; those of the
 * indexes' columns are to be filled.  NULL when nothing is to be written.
 */
Datum *
rec_table_writer_begin_entry(RecTableWriter *writer, Size place)
{
	TupleTableSlot *slot;

	Assert(place < writer->nrows && writer->nslots == 0);
	if (writer->late == NULL || !ItemPointerIsValid(&writer->rows[place]))
		return NULL;
	slot = empty_slot(writer, 0);
	slot->tts_tid = writer->rows[place];
	return slot->tts_values;
}

/* Write the entries of the row. */
void
rec_table_writer_end_entry(RecTableWriter *writer)
{
	ExecStoreVirtualTuple(writer->slots[0]);
	insert_entries(writer, writer->late, writer->slots[0]);
}

/*
 * Write the rest of the batch and close the table; the rows are then visible.
 */
void
rec_table_writer_close(RecTableWriter *writer)
{
	flush_rows(writer);
	for (int i = 0; i < WRITE_BATCH && writer->slots[i]; i++)
		ExecDropSingleTupleTableSlot(writer->slots[i]);
	FreeBulkInsertState(writer->bulk);
	writer->result_rel->ri_IndexRelationDescs = writer->indexes;
	ExecCloseIndices(writer->result_rel);
	FreeExecutorState(writer->estate);
	MemoryContextDelete(writer->row_context);
	if (writer->rows)
		pfree(writer->rows);
	table_close(writer->rel, NoLock);
	CommandCounterIncrement();
}

/*
 * Return true when a row has a value other than this one in a column of type
 * bigint.
 */
static bool
has_other_value(TupleTableSlot *slot, AttrNumber column, int64 value)
{
	bool		isnull;
	Datum		datum = slot_getattr(slot, column, &isnull);

	return !isnull && DatumGetInt64(datum) != value;
}

/*
 * Delete the rows of a table that have a value other than this one in a column
 * of type bigint.  Return false, after deleting some or none of them, when
 * other transactions change them, too.
 */
bool
rec_table_writer_delete_others(Oid relid, const char *column, int64 value)
{
	Relation	rel = table_open(relid, RowExclusiveLock);
	RecColumn	found = rec_relation_column(relid, column);
	Snapshot	snapshot = RegisterSnapshot(GetTransactionSnapshot());
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	CommandId	command = GetCurrentCommandId(true);
	TableScanDesc scan = table_beginscan_compat(rel, snapshot);
	TM_Result	result = TM_Ok;

	if (found.type != INT8OID)
		table_has_other_columns(rel);
	CheckCmdReplicaIdentity(rel, CMD_DELETE);
	while (result == TM_Ok && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		TM_FailureData failure;

		CHECK_FOR_INTERRUPTS();
		if (has_other_value(slot, found.attnum, value))
			result = table_tuple_delete_compat(rel, &slot->tts_tid, command, snapshot,
											   &failure);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	return result == TM_Ok;
}

/*
 * Return an array of n four-byte values to be filled, empty or
 * one-dimensional.
 */
ArrayType *
rec_table_writer_array4(Oid type, int n, void **data)
{
	Size		size = ARR_OVERHEAD_NONULLS(1) + n * sizeof(int32);
	ArrayType  *array;

	*data = NULL;
	if (n == 0)
		return construct_empty_array(type);
	array = palloc(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;		/* no nulls */
	array->elemtype = type;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	*data = ARR_DATA_PTR(array);
	return array;
}
