/*-------------------------------------------------------------------------
 *
 * table_writer.h
 *	  Writing rows to a recommender's own tables.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/table_writer.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_TABLE_WRITER_H
#define REC_TABLE_WRITER_H

#include "access/attnum.h"
#include "utils/array.h"

typedef struct RecTableWriter RecTableWriter;

extern RecTableWriter *rec_table_writer_open(Oid relid, const Oid *types, int ncolumns);
extern void rec_table_writer_postpone(RecTableWriter *writer, const AttrNumber *columns,
								int ncolumns, Size nrows);
extern Datum *rec_table_writer_begin_row(RecTableWriter *writer);
extern void rec_table_writer_end_row(RecTableWriter *writer);
extern void rec_table_writer_end_row_at(RecTableWriter *writer, Size place);
extern void rec_table_writer_end_rows(RecTableWriter *writer);
extern Datum *rec_table_writer_begin_entry(RecTableWriter *writer, Size place);
extern void rec_table_writer_end_entry(RecTableWriter *writer);
extern void rec_table_writer_close(RecTableWriter *writer);
extern bool rec_table_writer_delete_others(Oid relid, const char *column, int64 value);
extern ArrayType *rec_table_writer_array4(Oid type, int n, void **data);

#endif							/* REC_TABLE_WRITER_H */
