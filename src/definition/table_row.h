/*-------------------------------------------------------------------------
 *
 * table_row.h
 *	  Writing a row of a recommender's tables by a query.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/table_row.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_TABLE_ROW_H
#define REC_TABLE_ROW_H

#include "definition/layout.h"

#define REC_ROW_COLUMNS		24	/* most columns of a row */

/* The columns that are set so far.  Columns are Anum_rec_... numbers. */
typedef struct RecTableRow
{
	RecTable	table;
	int			n;
	AttrNumber	columns[REC_ROW_COLUMNS];
	Oid			types[REC_ROW_COLUMNS];
	Datum		values[REC_ROW_COLUMNS];
	char		nulls[REC_ROW_COLUMNS + 1]; /* as SPI wants it */
} RecTableRow;

extern void rec_table_row_begin(RecTableRow *row, RecTable table);
extern void rec_table_row_set(RecTableRow *row, AttrNumber column, Datum value);
extern void rec_table_row_set_null(RecTableRow *row, AttrNumber column);
extern void rec_table_row_set_text(RecTableRow *row, AttrNumber column, const char *value);
extern void rec_table_row_insert(const RecTableRow *row, const char *table);
extern void rec_table_row_upsert(const RecTableRow *row, const char *table, AttrNumber key);
extern void rec_table_row_update(const RecTableRow *row, const char *table);

#endif							/* REC_TABLE_ROW_H */
