/*-------------------------------------------------------------------------
 *
 * relation.h
 *	  Small helpers shared by everything that speaks SQL: closest names for
 *	  hints, quoting, catalog look-ups and the memory budget.
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
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "pg/memory_budget.h"

/* The best of several candidate names for a name that does not exist. */
typedef struct RecClosest
{
	const char *name;			/* what the user wrote */
	const char *best;			/* closest candidate so far, or NULL */
	int			distance;		/* its edit distance */
} RecClosest;

/* One table's column, checked and ready to be named in a query. */
typedef struct RecColumn
{
	AttrNumber	attnum;
	Oid			type;
	Oid			collation;
} RecColumn;

extern void rec_closest_start(RecClosest *closest, const char *name);
extern void rec_closest_consider(RecClosest *closest, const char *candidate);
extern void rec_closest_consider_columns(RecClosest *closest, Oid relid);
extern int	rec_closest_hint(const RecClosest *closest, const char *kind);

extern void rec_check_k(int64 k);
extern RecColumn rec_column_lookup(Oid relid, const char *column);
extern char *rec_relation_quoted(Oid relid);
extern char *rec_operator_quoted(Oid oper);
extern char *rec_equality_operator(Oid type);
extern char *rec_collation_quoted(Oid collation);
extern List *rec_qualified_names(const char *name);
extern const char *rec_type_quoted(Oid type);

extern char *rec_text_argument(FunctionCallInfo fcinfo, int n);
extern char *rec_name_argument(FunctionCallInfo fcinfo, int n);
extern void rec_require_argument(const void *value, const char *argument);
extern char *rec_recommender_argument(FunctionCallInfo fcinfo);
extern Datum rec_name_or_null(const char *name, char *is_null);

extern void rec_check_relation(Oid relid);
extern void rec_check_same_type(Oid type, Oid expected, const char *column);
extern bool rec_may_select(Oid relid, const char *column);
extern char *rec_missing_index_on(Oid relid, const char *column, const char *then, bool unique);
extern Oid	rec_cast_function(Oid from, Oid to);
extern MemoryContext rec_aggregate_context(FunctionCallInfo fcinfo);

#endif							/* REC_RELATION_H */
