/*-------------------------------------------------------------------------
 *
 * spi.h
 *	  SPI as this extension uses it.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/spi.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_SPI_H
#define REC_SPI_H

#include "executor/spi.h"
#include "nodes/params.h"
#include "pg/owner.h"

/* Take a row, with all columns deformed, in a memory context of its own. */
typedef void (*RecSlotTaker) (void *arg, TupleTableSlot *slot);

extern void rec_spi_connect(Oid owner, RecCaller *caller);
extern void rec_spi_finish(const RecCaller *caller);
extern SPIPlanPtr rec_spi_prepare(const char *query, int nargs, Oid *types, int cursor_options);
extern void rec_spi_execute_plan(SPIPlanPtr plan, Datum *values, const char *nulls,
								 bool read_only, int expected);
extern void rec_spi_execute(const char *query, int nargs, Oid *types, Datum *values,
							const char *nulls, bool read_only, int expected);
extern void rec_spi_receive(SPIPlanPtr plan, ParamListInfo params, RecSlotTaker take,
							void *arg);
extern void rec_spi_select(const char *query);
extern Portal rec_spi_open_cursor(SPIPlanPtr plan, Datum *values, const char *nulls);
extern void rec_spi_fetch(Portal portal, long count);

#endif							/* REC_SPI_H */
