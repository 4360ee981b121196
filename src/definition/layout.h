/*-------------------------------------------------------------------------
 *
 * layout.h
 *	  What tables a recommender's schema holds.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/layout.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_LAYOUT_H
#define REC_LAYOUT_H

#include "access/attnum.h"
#include "access/htup.h"
#include "definition/recommender_tables.h"
#include "nodes/pg_list.h"
#include "pg/compat.h"

/*
 * What a definition and its model are read from is locked when a definition is
 * read; the tables of a model have a column "generation".
 */
#define REC_READ_TABLES		(REC_TABLE_FACTOR + 1)	/* number, from the first */
#define REC_MODEL_FIRST		REC_TABLE_ITEM
#define REC_MODEL_LAST		REC_TABLE_FACTOR

extern const char *const rec_layout_table_names[REC_NTABLES];

extern bool rec_layout_was_recommender(Oid schema);
extern char *rec_layout_stranger(Oid schema);
extern char *rec_layout_objects(const char *kind, const char *schema);
extern char *rec_layout_tables(const char *schema);
extern AttrNumber rec_layout_index_condition(HeapTuple index);
pg_noreturn_compat extern void rec_layout_refuse_table(const char *table, Oid schema);
extern int	rec_layout_column_count(RecTable table);
extern const char *rec_layout_column_name(RecTable table, AttrNumber column);
extern Oid	rec_layout_column_type(RecTable table, AttrNumber column, Oid item_type);
extern const char *rec_layout_damage(Oid schema, const char *table);
extern List *rec_layout_recommender_names(void);
extern char *rec_layout_schema_name(Oid schema);
extern Oid	rec_layout_schema_owner(Oid schema);
extern void rec_layout_lock_at_once(Oid schema);
extern Oid	rec_layout_table_lock(Oid schema, const char *table);

#endif							/* REC_LAYOUT_H */
