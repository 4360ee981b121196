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

#include "nodes/pg_list.h"
#include "utils/relcache.h"

/* What a definition and its model are read from, in the order of locking. */
typedef enum RecTable
{
	REC_TABLE_DEFINITION,
	REC_TABLE_SOURCE,
	REC_TABLE_ITEM_SOURCE,
	REC_TABLE_ITEM,
	REC_TABLE_NEIGHBOR,
	REC_TABLE_CONTEXT_LIFT,
	REC_TABLE_CONTENT_COLUMN,
	REC_TABLE_FEATURE,
	REC_TABLE_ITEM_FEATURE,
	REC_TABLE_EMBEDDING_CELL,
	REC_TABLE_FACTORIZATION,
	REC_TABLE_FACTOR,
	REC_NTABLES
} RecTable;

extern const char *const rec_layout_table_names[REC_NTABLES];

extern bool rec_layout_is_recommender(Oid schema);
extern AttrNumber rec_layout_index_condition(Relation index);
extern const char *rec_layout_damage(Oid schema, const char *table);
extern List *rec_layout_recommender_names(void);
extern char *rec_layout_schema_name(Oid schema);
extern Oid	rec_layout_schema_owner(Oid schema);
extern Oid	rec_layout_table_lock(Oid schema, const char *table);

#endif							/* REC_LAYOUT_H */
