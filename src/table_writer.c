/*-------------------------------------------------------------------------
 *
 * table_writer.c
 *	  Writing rows to a recommender's own tables.
 *
 * Rows go to the table and its indexes directly, in batches, as COPY does: no
 * parser, no executor, no trigger.  So the table must have the very columns
 * that create_recommender() gave it, which is checked.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/table_writer.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "sqlutil.h"
#include "table_writer.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#if PG_VERSION_NUM >= 160000
#define ExecInsertIndexTuples_compat(rri, slot, estate) \
	ExecInsertIndexTuples(rri, slot, estate, false, false, NULL, NIL, false)
#else
#define ExecInsertIndexTuples_compat(rri, slot, estate) \
	ExecInsertIndexTuples(rri, slot, estate, false, false, NULL, NIL)
#endif

#define WRITE_BATCH			64	/* rows written at a time, and ... */
#define WRITE_BYTES			((Size) 8 * 1024 * 1024)	/* ... their size, about */

struct RecTableWriter
{
	Relation	rel;
	EState	   *estate;
	ResultRelInfo *result_rel;
	BulkInsertState bulk;
	MemoryContext row_context;	/* values of the batch */
	MemoryContext caller;		/* between begin and end of a row */
	TupleTableSlot *slots[WRITE_BATCH];
	int			nslots;
};

/* The table must be as create_recommender() made it. */
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
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s has other columns than a recommender's",
						rec_relation_quoted(RelationGetRelid(rel))),
				 errhint("Drop the recommender and create it again.")));
}

/*
 * Begins to write to a table whose columns must have these types, any type for
 * InvalidOid.  The writer is in the current context.
 */
RecTableWriter *
rec_writer_open(Oid relid, const Oid *types, int ncolumns)
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
	for (int i = 0; i < WRITE_BATCH; i++)
		writer->slots[i] = table_slot_create(writer->rel, NULL);
	return writer;
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
		if (writer->result_rel->ri_NumIndices > 0)
			list_free(ExecInsertIndexTuples_compat(writer->result_rel,
												   writer->slots[i], writer->estate));
		ExecClearTuple(writer->slots[i]);
		ResetPerTupleExprContext(writer->estate);
	}
	writer->nslots = 0;
	MemoryContextReset(writer->row_context);
}

/*
 * Gives the values of a new row to fill, none of which is null.  Until
 * rec_writer_end_row() the current context is that of the row's values.
 */
Datum *
rec_writer_begin_row(RecTableWriter *writer)
{
	TupleTableSlot *slot = writer->slots[writer->nslots];

	ExecClearTuple(slot);
	memset(slot->tts_isnull, 0, slot->tts_tupleDescriptor->natts * sizeof(bool));
	writer->caller = MemoryContextSwitchTo(writer->row_context);
	return slot->tts_values;
}

/* Ends a row and goes back to the context in which it was begun. */
void
rec_writer_end_row(RecTableWriter *writer)
{
	MemoryContextSwitchTo(writer->caller);
	ExecStoreVirtualTuple(writer->slots[writer->nslots]);
	if (++writer->nslots == WRITE_BATCH ||
		MemoryContextMemAllocated(writer->row_context, false) > WRITE_BYTES)
		flush_rows(writer);
}

/* Writes what is left and closes the table, whose rows are then visible. */
void
rec_writer_close(RecTableWriter *writer)
{
	flush_rows(writer);
	for (int i = 0; i < WRITE_BATCH; i++)
		ExecDropSingleTupleTableSlot(writer->slots[i]);
	FreeBulkInsertState(writer->bulk);
	ExecCloseIndices(writer->result_rel);
	FreeExecutorState(writer->estate);
	MemoryContextDelete(writer->row_context);
	table_close(writer->rel, NoLock);
	CommandCounterIncrement();
}

/* Gives an array of n four-byte values to fill, empty or one-dimensional. */
ArrayType *
rec_array4(Oid type, int n, void **data)
{
	Size		size = ARR_OVERHEAD_NONULLS(1) + n * sizeof(int32);
	ArrayType  *array;

	*data = NULL;
	if (n == 0)
		return construct_empty_array(type);
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->elemtype = type;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	*data = ARR_DATA_PTR(array);
	return array;
}
