/*-------------------------------------------------------------------------
 *
 * spi.c
 *	  SPI as this extension uses it.
 *
 * Each call checks the result of SPI and restores the caller's memory context,
 * where SPI would leave its own.  Results are in SPI_processed and
 * SPI_tuptable.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/spi.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pg/spi.h"
#include "tcop/dest.h"
#include "utils/memutils.h"

static void
check_code(int code, int expected)
{
	if (code != expected)
		elog(ERROR, "a query did not do what it should: %s", SPI_result_code_string(code));
}

/*
 * The memory of a call comes from malloc() and returns to it.  A first block
 * larger than those that malloc() maps separately makes glibc, which adapts
 * its limits to it, keep twice as much for the next call, instead of returning
 * pages to the kernel and asking for them again.  Pages that are not written
 * to cost nothing.
 */
#define CALL_BLOCK_SIZE	(4 * 1024 * 1024)

/*
 * Connect to SPI for a call that reads what belongs to a role, and make a context
 * for the call's memory the current one.  A caller who may act for the role, and
 * is not the role, does so until rec_spi_finish(); others keep their own rights,
 * so that their privileges and row security hold.
 */
void
rec_spi_connect(Oid owner, RecCaller *caller)
{
	caller->nest = 0;
	if (GetUserId() != owner)
		rec_owner_become_if_member(owner, REC_VISIBLE_ROWS, caller);
	SPI_connect();
	MemoryContextSwitchTo(AllocSetContextCreate(CurrentMemoryContext, "recommender call",
												ALLOCSET_DEFAULT_MINSIZE, CALL_BLOCK_SIZE,
												ALLOCSET_DEFAULT_MAXSIZE));
}

/* End what rec_spi_connect() began: free the call's memory and be the caller again. */
void
rec_spi_finish(const RecCaller *caller)
{
	SPI_finish();
	rec_owner_return(caller);
}

/* Prepare a query; the plan lives until SPI_finish() unless it is kept. */
SPIPlanPtr
rec_spi_prepare(const char *query, int nargs, Oid *types, int cursor_options)
{
	MemoryContext old = CurrentMemoryContext;
	SPIPlanPtr	plan = SPI_prepare_cursor(query, nargs, types, cursor_options);

	MemoryContextSwitchTo(old);
	if (plan == NULL)
		elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
	return plan;
}

/* Run a plan whose result code must be "expected", such as SPI_OK_SELECT. */
void
rec_spi_execute_plan(SPIPlanPtr plan, Datum *values, const char *nulls,
					 bool read_only, int expected)
{
	MemoryContext old = CurrentMemoryContext;
	int			code = SPI_execute_plan(plan, values, nulls, read_only, 0);

	MemoryContextSwitchTo(old);
	check_code(code, expected);
}

/* Run a query with parameters once; the result code must be "expected". */
void
rec_spi_execute(const char *query, int nargs, Oid *types, Datum *values,
				const char *nulls, bool read_only, int expected)
{
	MemoryContext old = CurrentMemoryContext;
	int			code = SPI_execute_with_args(query, nargs, types, values, nulls, read_only, 0);

	MemoryContextSwitchTo(old);
	check_code(code, expected);
}

/* Run a query without parameters, read-only, with the active snapshot. */
void
rec_spi_select(const char *query)
{
	rec_spi_execute(query, 0, NULL, NULL, NULL, true, SPI_OK_SELECT);
}

/* Open a cursor on the rows of a plan, read-only. */
Portal
rec_spi_open_cursor(SPIPlanPtr plan, Datum *values, const char *nulls)
{
	MemoryContext old = CurrentMemoryContext;
	Portal		portal = SPI_cursor_open(NULL, plan, values, nulls, true);

	MemoryContextSwitchTo(old);
	if (portal == NULL)
		elog(ERROR, "could not open a cursor: %s", SPI_result_code_string(SPI_result));
	return portal;
}

/* Fetch the next rows of a cursor, up to "count". */
void
rec_spi_fetch(Portal portal, long count)
{
	MemoryContext old = CurrentMemoryContext;

	SPI_cursor_fetch(portal, true, count);
	MemoryContextSwitchTo(old);
}

/* ----------------
 *		rows as they come
 * ----------------
 */

typedef struct SlotReceiver
{
	DestReceiver receiver;		/* must come first */
	RecSlotTaker take;
	void	   *arg;
	MemoryContext row_context;	/* reset after each row */
} SlotReceiver;

static void
receiver_startup(DestReceiver *self pg_attribute_unused(), int operation pg_attribute_unused(),
				 TupleDesc desc pg_attribute_unused())
{
}

static bool
receiver_slot(TupleTableSlot *slot, DestReceiver *self)
{
	SlotReceiver *receiver = (SlotReceiver *) self;
	MemoryContext old = MemoryContextSwitchTo(receiver->row_context);

	slot_getallattrs(slot);
	receiver->take(receiver->arg, slot);
	MemoryContextSwitchTo(old);
	MemoryContextReset(receiver->row_context);
	return true;
}

static void
receiver_nothing(DestReceiver *self pg_attribute_unused())
{
}

/*
 * Run a prepared query, read-only, and pass each row to "take" with the
 * caller's argument.  No row is kept.
 */
void
rec_spi_receive(SPIPlanPtr plan, ParamListInfo params, RecSlotTaker take, void *arg)
{
	SlotReceiver receiver = {0};
	SPIExecuteOptions options = {0};
	MemoryContext old = CurrentMemoryContext;
	int			code;

	receiver.receiver.receiveSlot = receiver_slot;
	receiver.receiver.rStartup = receiver_startup;
	receiver.receiver.rShutdown = receiver_nothing;
	receiver.receiver.rDestroy = receiver_nothing;
	receiver.receiver.mydest = DestNone;
	receiver.take = take;
	receiver.arg = arg;
	receiver.row_context = AllocSetContextCreate(CurrentMemoryContext, "recommender row",
												 ALLOCSET_DEFAULT_SIZES);
	options.params = params;
	options.read_only = true;
	options.must_return_tuples = true;
	options.dest = &receiver.receiver;
	code = SPI_execute_plan_extended(plan, &options);
	MemoryContextSwitchTo(old);
	check_code(code, SPI_OK_UTILITY);	/* as SPI itself keeps no row */
	MemoryContextDelete(receiver.row_context);
}
