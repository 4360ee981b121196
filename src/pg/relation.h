/*-------------------------------------------------------------------------
 *
 * relation.h
 *	  Relations, columns, types and operators: look-ups in the catalogs, and
 *	  quoting for SQL.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/relation.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_RELATION_H
#define REC_RELATION_H

#include "access/attnum.h"
#include "nodes/pg_list.h"

struct RecClosest;

/* A column of a relation, checked and quoted for use in a query. */
typedef struct RecColumn
{
	AttrNumber	attnum;
	Oid			type;
	Oid			collation;
} RecColumn;

extern void rec_relation_consider_columns(struct RecClosest *closest, Oid relid);

extern RecColumn rec_relation_column(Oid relid, const char *column);
extern char *rec_relation_quoted(Oid relid);
extern char *rec_relation_operator_quoted(Oid oper);
extern char *rec_relation_equality_operator(Oid type);
extern char *rec_relation_collation_quoted(Oid collation);
extern List *rec_relation_qualified_names(const char *name);
extern const char *rec_relation_type_quoted(Oid type);

extern void rec_relation_check(Oid relid);
extern void rec_relation_check_same_type(Oid relid, const char *column, Oid expected);
extern bool rec_relation_may_select(Oid relid, const char *column);
extern char *rec_relation_missing_index(Oid relid, const char *column, const char *then, bool unique);
extern Oid	rec_relation_cast_function(Oid from, Oid to);

#endif							/* REC_RELATION_H */
