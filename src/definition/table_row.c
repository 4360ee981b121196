/*-------------------------------------------------------------------------
 *
 * table_row.c
 *	  Writing a row of a recommender's tables by a query.
 *
 * Names and types of columns come from the layout, so that a row is written
 * as follows, with SPI connected and as the owner of the recommender:
 *
 *		rec_table_row_begin(&row, REC_TABLE_TRIAL);
 *		rec_table_row_set(&row, Anum_rec_trial_sample, Int32GetDatum(sample));
 *		...
 *		rec_table_row_insert(&row, rec_definition_table(definition, REC_TABLE_TRIAL));
 *
 * Columns that are not set have their defaults.  It is not for columns of ids
 * of items: these are in tables that are written in bulk (pg/table_writer.c).
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/table_row.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "definition/table_row.h"
#include "lib/stringinfo.h"
#include "pg/spi.h"
#include "utils/builtins.h"

/* Begin a row of a table. */
void
rec_table_row_begin(RecTableRow *row, RecTable table)
{
	memset(row, 0, sizeof(*row));
	row->table = table;
}

static void
set_column(RecTableRow *row, AttrNumber column, Datum value, char null)
{
	if (row->n == REC_ROW_COLUMNS)
		elog(ERROR, "too many columns of a row");
	row->columns[row->n] = column;
	row->types[row->n] = rec_layout_column_type(row->table, column, InvalidOid);
	row->values[row->n] = value;
	row->nulls[row->n++] = null;
}

/* Set a column to a value of its type. */
void
rec_table_row_set(RecTableRow *row, AttrNumber column, Datum value)
{
	set_column(row, column, value, ' ');
}

/* Set a column to null. */
void
rec_table_row_set_null(RecTableRow *row, AttrNumber column)
{
	set_column(row, column, (Datum) 0, 'n');
}

/* Set a column of type text or name to a string, to null if that is NULL. */
void
rec_table_row_set_text(RecTableRow *row, AttrNumber column, const char *value)
{
	if (value == NULL)
		rec_table_row_set_null(row, column);
	else if (rec_layout_column_type(row->table, column, InvalidOid) == NAMEOID)
		rec_table_row_set(row, column, DirectFunctionCall1(namein, CStringGetDatum(value)));
	else
		rec_table_row_set(row, column, CStringGetTextDatum(value));
}

static const char *
column_name(const RecTableRow *row, int i)
{
	return rec_layout_column_name(row->table, row->columns[i]);
}

/* Append "INSERT INTO table (a, b) VALUES ($1, $2)". */
static void
append_insert(StringInfo query, const RecTableRow *row, const char *table)
{
	appendStringInfo(query, "INSERT INTO %s (", table);
	for (int i = 0; i < row->n; i++)
		appendStringInfo(query, "%s%s", i > 0 ? ", " : "", column_name(row, i));
	appendStringInfoString(query, ") VALUES (");
	for (int i = 0; i < row->n; i++)
		appendStringInfo(query, "%s$%d", i > 0 ? ", " : "", i + 1);
	appendStringInfoChar(query, ')');
}

static void
run(const RecTableRow *row, const char *query, int expected)
{
	RecTableRow copy = *row;	/* SPI wants to be able to write */

	rec_spi_execute(query, copy.n, copy.types, copy.values, copy.nulls, false, expected);
}

/* Insert the row into a table, whose name is quoted. */
void
rec_table_row_insert(const RecTableRow *row, const char *table)
{
	StringInfoData query;

	initStringInfo(&query);
	append_insert(&query, row, table);
	run(row, query.data, SPI_OK_INSERT);
}

/*
 * Insert the row, or set the same columns of the row that has the same key, but
 * for the column "position", which that row keeps.
 */
void
rec_table_row_upsert(const RecTableRow *row, const char *table, AttrNumber key)
{
	StringInfoData query;
	const char *separator = "";

	initStringInfo(&query);
	append_insert(&query, row, table);
	appendStringInfo(&query, " ON CONFLICT (%s) DO UPDATE SET ",
					 rec_layout_column_name(row->table, key));
	for (int i = 0; i < row->n; i++)
	{
		if (row->columns[i] == key || strcmp(column_name(row, i), "position") == 0)
			continue;
		appendStringInfo(&query, "%s%s = EXCLUDED.%s", separator, column_name(row, i),
						 column_name(row, i));
		separator = ", ";
	}
	run(row, query.data, SPI_OK_INSERT);
}

/* Set the columns in all rows of a table: those of which there is one. */
void
rec_table_row_update(const RecTableRow *row, const char *table)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "UPDATE %s SET ", table);
	for (int i = 0; i < row->n; i++)
		appendStringInfo(&query, "%s%s = $%d", i > 0 ? ", " : "", column_name(row, i), i + 1);
	run(row, query.data, SPI_OK_UPDATE);
}
