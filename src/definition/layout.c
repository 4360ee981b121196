/*-------------------------------------------------------------------------
 *
 * layout.c
 *	  What tables a recommender's schema holds.
 *
 * Recommenders are known by their tables: there is no registry beside them.
 * Anybody may make a schema that looks like one, so that only plain tables
 * count that have exactly our columns: reading them runs nothing but
 * PostgreSQL's own code.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/layout.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "definition/layout.h"
#include "executor/spi.h"
#include "nodes/primnodes.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

const char *const rec_layout_table_names[REC_NTABLES] = {
	"definition", "source", "item_source", "item", "neighbor", "context_lift",
	"content_column", "feature", "item_feature", "embedding_cell",
	"factorization", "factor"
};

/* A column that a recommender has; any type when InvalidOid. */
typedef struct ColumnSpec
{
	const char *table;
	const char *column;
	Oid			type;
} ColumnSpec;

static const ColumnSpec column_specs[] = {
	{"definition", "singleton", BOOLOID},
	{"definition", "options", JSONBOID},
	{"definition", "generation", INT8OID},
	{"definition", "items", INT8OID},
	{"definition", "item_steps", INT4ARRAYOID},
	{"definition", "as_of", TIMESTAMPTZOID},
	{"definition", "newest_created", TIMESTAMPTZOID},
	{"definition", "newest_item", INT8OID},
	{"definition", "refreshed_at", TIMESTAMPTZOID},
	{"source", "position", INT4OID},
	{"source", "relation", REGCLASSOID},
	{"source", "user_column", NAMEOID},
	{"source", "item_column", NAMEOID},
	{"source", "time_column", NAMEOID},
	{"source", "event_column", NAMEOID},
	{"source", "weight_column", NAMEOID},
	{"source", "event", TEXTOID},
	{"source", "event_weights", JSONBOID},
	{"source", "context_columns", NAMEARRAYOID},
	{"item_source", "singleton", BOOLOID},
	{"item_source", "relation", REGCLASSOID},
	{"item_source", "item_column", NAMEOID},
	{"item_source", "feature_columns", NAMEARRAYOID},
	{"item_source", "text_columns", NAMEARRAYOID},
	{"item_source", "available_column", NAMEOID},
	{"item_source", "created_column", NAMEOID},
	{"item_source", "group_column", NAMEOID},
	{"item_source", "options", JSONBOID},
	{"item", "generation", INT8OID},
	{"item", "item_no", INT4OID},
	{"item", "item_id", InvalidOid},
	{"item", "users", INT8OID},
	{"item", "weight", FLOAT8OID},
	{"item", "popularity", FLOAT8OID},
	{"item", "trend", FLOAT8OID},
	{"item", "popular", BOOLOID},
	{"item", "trending", BOOLOID},
	{"neighbor", "generation", INT8OID},
	{"neighbor", "kind", TEXTOID},
	{"neighbor", "item_no", INT4OID},
	{"neighbor", "item_id", InvalidOid},
	{"neighbor", "neighbors", INT4ARRAYOID},
	{"neighbor", "scores", FLOAT4ARRAYOID},
	{"neighbor", "supports", INT4ARRAYOID},
	{"neighbor", "nearest", InvalidOid},
	{"factorization", "generation", INT8OID},
	{"factorization", "items", INT4OID},
	{"factorization", "factors", INT4OID},
	{"factorization", "unobserved", FLOAT8OID},
	{"factorization", "regularization", FLOAT8OID},
	{"factorization", "exponent", FLOAT8OID},
	{"factorization", "scale", FLOAT8OID},
	{"factorization", "gramian", FLOAT8ARRAYOID},
	{"factor", "generation", INT8OID},
	{"factor", "item_no", INT4OID},
	{"factor", "factors", FLOAT4ARRAYOID},
	{"context_lift", "generation", INT8OID},
	{"context_lift", "column_name", NAMEOID},
	{"context_lift", "value", TEXTOID},
	{"context_lift", "item_nos", INT4ARRAYOID},
	{"context_lift", "lifts", FLOAT4ARRAYOID},
	{"content_column", "generation", INT8OID},
	{"content_column", "position", INT4OID},
	{"content_column", "column_name", NAMEOID},
	{"content_column", "kind", TEXTOID},
	{"content_column", "weight", FLOAT8OID},
	{"content_column", "config", TEXTOID},
	{"content_column", "bounds", FLOAT8ARRAYOID},
	{"content_column", "dimensions", INT4OID},
	{"content_column", "all_items", INT8OID},
	{"content_column", "items", INT8OID},
	{"content_column", "features", INT4OID},
	{"content_column", "frequent", INT4OID},
	{"feature", "generation", INT8OID},
	{"feature", "feature_no", INT4OID},
	{"feature", "column_name", NAMEOID},
	{"feature", "value", TEXTOID},
	{"feature", "items", INT4OID},
	{"feature", "idf", FLOAT8OID},
	{"feature", "item_nos", INT4ARRAYOID},
	{"feature", "weights", FLOAT4ARRAYOID},
	{"item_feature", "generation", INT8OID},
	{"item_feature", "item_no", INT4OID},
	{"item_feature", "item_id", InvalidOid},
	{"item_feature", "feature_nos", INT4ARRAYOID},
	{"item_feature", "weights", FLOAT4ARRAYOID},
	{"item_feature", "embedding", FLOAT4ARRAYOID},
	{"embedding_cell", "generation", INT8OID},
	{"embedding_cell", "cell_no", INT4OID},
	{"embedding_cell", "centroid", FLOAT4ARRAYOID},
	{"embedding_cell", "item_nos", INT4ARRAYOID},
	{"refresh_run", "generation", INT8OID},
	{"refresh_run", "mode", TEXTOID},
	{"refresh_run", "started_at", TIMESTAMPTZOID},
	{"refresh_run", "finished_at", TIMESTAMPTZOID},
	{"refresh_run", "interactions", INT8OID},
	{"refresh_run", "users", INT8OID},
	{"refresh_run", "items", INT8OID},
	{"refresh_run", "neighbors", INT8OID},
	{"refresh_run", "null_keys", INT8OID},
	{"refresh_run", "without_weight", INT8OID},
	{"refresh_run", "read_ms", FLOAT8OID},
	{"refresh_run", "build_ms", FLOAT8OID},
	{"refresh_run", "write_ms", FLOAT8OID},
	{"refresh_run", "memory_bytes", INT8OID},
	{"refresh_run", "model_bytes", INT8OID},
	{"refresh_run", "options", JSONBOID},
	{"explanation_template", "template", TEXTOID},
	{"explanation_template", "language", TEXTOID},
	{"explanation_template", "sentence", TEXTOID},
	{"evaluation", "run", INT8OID},
	{"evaluation", "evaluated_at", TIMESTAMPTZOID},
	{"evaluation", "settings", JSONBOID},
	{"evaluation", "options", JSONBOID},
	{"evaluation", "strategy", TEXTOID},
	{"evaluation", "segment", TEXTOID},
	{"evaluation", "metric", TEXTOID},
	{"evaluation", "k", INT4OID},
	{"evaluation", "value", FLOAT8OID},
	{"evaluation", "ci_low", FLOAT8OID},
	{"evaluation", "ci_high", FLOAT8OID},
	{"evaluation", "users", INT8OID},
	{"trial", "settings", JSONBOID},
	{"trial", "sample", INT4OID},
	{"trial", "options", JSONBOID},
	{"trial", "value", FLOAT8OID},
	{"trial", "users", INT8OID},
	{"trial", "train_ms", FLOAT8OID},
	{"trial", "tried_at", TIMESTAMPTZOID},
};

/*
 * Gives the column that is true in all rows of a partial index WHERE column; 0
 * for an index of all rows, and -1 for another condition.
 */
AttrNumber
rec_layout_index_condition(Relation index)
{
	bool		isnull;
	Datum		condition = SysCacheGetAttr(INDEXRELID, index->rd_indextuple,
											Anum_pg_index_indpred, &isnull);
	Node	   *node;

	if (isnull)
		return 0;
	node = stringToNode(TextDatumGetCString(condition));
	return IsA(node, Var) && castNode(Var, node)->varattno > 0 ? castNode(Var, node)->varattno : -1;
}

/*
 * True when no index of a table has an expression, or a condition that is more
 * than a column.
 */
static bool
indexes_are_plain(Relation rel)
{
	bool		plain = true;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		plain &= heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL) &&
			rec_layout_index_condition(index) >= 0;
		index_close(index, AccessShareLock);
	}
	return plain;
}

/*
 * True when planning and running a query on a table runs nothing but
 * PostgreSQL's own code: a plain table without children, policies or
 * expressions, of which the planner works out those that look constant.
 */
static bool
table_is_plain(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	Form_pg_class form;
	bool		plain;

	if (rel == NULL)
		return false;
	form = rel->rd_rel;
	plain = form->relkind == RELKIND_RELATION && !form->relrowsecurity &&
		!form->relhassubclass && !form->relispartition && !form->relhasrules &&
		RelationGetStatExtList(rel) == NIL && indexes_are_plain(rel);
	relation_close(rel, AccessShareLock);
	return plain;
}

/* True when a table has a column as create_recommender() makes it. */
static bool
column_is_right(Oid relid, const ColumnSpec *spec)
{
	AttrNumber	attnum = get_attnum(relid, spec->column);

	return attnum != InvalidAttrNumber &&
		(!OidIsValid(spec->type) || get_atttype(relid, attnum) == spec->type);
}

/*
 * Gives the first table that is not as create_recommender() makes it, or NULL;
 * looks at one table alone when it is named.
 */
const char *
rec_layout_damage(Oid schema, const char *table)
{
	const char *previous = "";
	Oid			relid = InvalidOid;

	for (int i = 0; i < (int) lengthof(column_specs); i++)
	{
		const ColumnSpec *spec = &column_specs[i];

		if (table && strcmp(spec->table, table) != 0)
			continue;
		if (strcmp(spec->table, previous) != 0)
		{
			relid = get_relname_relid(spec->table, schema);
			if (!OidIsValid(relid) || !table_is_plain(relid))
				return spec->table;
		}
		previous = spec->table;
		if (!column_is_right(relid, spec))
			return spec->table;
	}
	return NULL;
}

/*
 * True when a schema holds a recommender, which is known by its tables.  One
 * whose tables are not quite those is none: anybody may make such a schema,
 * and what looks into it must not run anything of theirs.
 */
bool
rec_layout_is_recommender(Oid schema)
{
	return rec_layout_damage(schema, NULL) == NULL;
}

/*
 * Gives the names of all recommenders of the database, in order, in the
 * current context.
 */
List *
rec_layout_recommender_names(void)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *names = NIL;

	SPI_connect();
	if (SPI_execute("SELECT n.oid FROM pg_catalog.pg_class c "
					"JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
					"WHERE c.relname OPERATOR(pg_catalog.=) 'definition' "
					"AND c.relkind OPERATOR(pg_catalog.=) 'r' ORDER BY n.nspname",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not list recommenders");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Oid			schema = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
															SPI_tuptable->tupdesc,
															1, &isnull));
		MemoryContext old = MemoryContextSwitchTo(caller);
		char	   *name = get_namespace_name(schema);

		/* another session may drop it meanwhile */
		if (name && rec_layout_is_recommender(schema))
			names = lappend(names, name);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return names;
}

/*
 * Gives the name of the recommender in a schema, in the current context; one
 * that was dropped in the meantime is an ERROR.
 */
char *
rec_layout_schema_name(Oid schema)
{
	char	   *name = get_namespace_name(schema);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the recommender does not exist any more")));
	return name;
}

/* Gives the owner of a schema, who is that of the recommender in it. */
Oid
rec_layout_schema_owner(Oid schema)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for schema %u", schema);
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * Keeps a table as it is until the transaction ends; gives InvalidOid when
 * there is none of that name.
 */
Oid
rec_layout_table_lock(Oid schema, const char *table)
{
	Oid			relid;

	/* while we waited, the name may have gone over to another table */
	while (OidIsValid(relid = get_relname_relid(table, schema)))
	{
		LockRelationOid(relid, AccessShareLock);
		if (get_relname_relid(table, schema) == relid)
			break;
		UnlockRelationOid(relid, AccessShareLock);
	}
	return relid;
}
