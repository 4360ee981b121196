/*-------------------------------------------------------------------------
 *
 * layout.c
 *	  What tables a recommender's schema holds.
 *
 * Recommenders are known by their tables: there is no registry beside them.
 * Anybody may make a schema that looks like one, or put such tables into a
 * schema of somebody else where they may CREATE.  So a schema is a recommender
 * only if its tables are plain and have our columns, which means that reading
 * them runs nothing but PostgreSQL's own code, and if schema, tables, views,
 * types and functions have one owner.  All of this is read from the catalogs:
 * nothing is opened or locked before it is known.
 *
 * The columns are those of recommender_tables.sql.
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
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_type.h"
#include "definition/layout.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#define NAME_OF_TABLE(table)	#table,

const char *const rec_layout_table_names[REC_NTABLES] = {
	REC_LAYOUT_TABLES(NAME_OF_TABLE)
};

/*
 * A column that a recommender has; its type is ANYELEMENTOID for ids of items,
 * ANYARRAYOID for arrays of these.
 */
typedef struct ColumnSpec
{
	RecTable	table;
	const char *column;
	Oid			type;
} ColumnSpec;

#define SPEC_OF_COLUMN(table, column, type)		{table, #column, type},

static const ColumnSpec column_specs[] = {
	REC_LAYOUT_COLUMNS(SPEC_OF_COLUMN)
};

/* Another object of a recommender. */
typedef struct ObjectSpec
{
	const char *kind;			/* VIEW, TYPE or FUNCTION */
	const char *name;
} ObjectSpec;

#define SPEC_OF_OBJECT(kind, name)	{#kind, #name},

static const ObjectSpec object_specs[] = {
	REC_LAYOUT_OBJECTS(SPEC_OF_OBJECT)
};

/* ----------------
 *		columns
 * ----------------
 */

/* Return the first column of a table in column_specs. */
static const ColumnSpec *
columns_of(RecTable table)
{
	const ColumnSpec *spec = column_specs;

	while (spec->table != table)
		spec++;
	return spec;
}

/* Return the number of columns of a table. */
int
rec_layout_column_count(RecTable table)
{
	const ColumnSpec *first = columns_of(table);
	const ColumnSpec *spec = first;

	while (spec < column_specs + lengthof(column_specs) && spec->table == table)
		spec++;
	return (int) (spec - first);
}

/* Return the name of a column, by its Anum_rec_... number. */
const char *
rec_layout_column_name(RecTable table, AttrNumber column)
{
	return columns_of(table)[column - 1].column;
}

/* Return the type of a column of a recommender with items' ids of a type. */
Oid
rec_layout_column_type(RecTable table, AttrNumber column, Oid item_type)
{
	Oid			type = columns_of(table)[column - 1].type;

	if (type == ANYELEMENTOID)
		return item_type;
	return type == ANYARRAYOID ? get_array_type(item_type) : type;
}

/* ----------------
 *		names
 * ----------------
 */

/*
 * Return the views, types or functions of a recommender, by the kind in capitals,
 * as a list for a DROP.  The schema is quoted.
 */
char *
rec_layout_objects(const char *kind, const char *schema)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < (int) lengthof(object_specs); i++)
		if (strcmp(object_specs[i].kind, kind) == 0)
			appendStringInfo(&list, "%s%s.%s", list.len > 0 ? ", " : "", schema,
							 object_specs[i].name);
	return list.data;
}

/* Return the tables of a recommender as a list for a DROP.  The schema is quoted. */
char *
rec_layout_tables(const char *schema)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < REC_NTABLES; i++)
		appendStringInfo(&list, "%s%s.%s", i > 0 ? ", " : "", schema,
						 rec_layout_table_names[i]);
	return list.data;
}

/* ----------------
 *		what makes a schema a recommender
 * ----------------
 */

/*
 * Return the column that is true in all rows of a partial index WHERE column; 0
 * for an index of all rows, and -1 for another condition.
 */
AttrNumber
rec_layout_index_condition(HeapTuple index)
{
	bool		isnull;
	Datum		condition = SysCacheGetAttr(INDEXRELID, index, Anum_pg_index_indpred, &isnull);
	Node	   *node;

	if (isnull)
		return 0;
	node = stringToNode(TextDatumGetCString(condition));
	return IsA(node, Var) && castNode(Var, node)->varattno > 0 ? castNode(Var, node)->varattno : -1;
}

/*
 * True when all rows of a catalog that are about a relation pass a test; NULL
 * passes none.
 */
static bool
all_rows_pass(Oid catalog, Oid index, AttrNumber column, Oid relid, bool (*pass) (HeapTuple))
{
	Relation	rel = table_open(catalog, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		all = true;

	ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, index, true, NULL, 1, &key);
	while (all && HeapTupleIsValid(tuple = systable_getnext(scan)))
		all = pass && pass(tuple);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return all;
}

/* True for an index without expressions whose condition is at most a column. */
static bool
index_is_plain(HeapTuple index)
{
	return heap_attisnull(index, Anum_pg_index_indexprs, NULL) &&
		rec_layout_index_condition(index) >= 0;
}

/*
 * True when planning and running a query on a table runs nothing but
 * PostgreSQL's own code: a plain table without children, policies or
 * expressions, of which the planner evaluates those that look constant.
 */
static bool
table_is_plain(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class form;
	bool		plain;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_class) GETSTRUCT(tuple);
	plain = form->relkind == RELKIND_RELATION && !form->relrowsecurity &&
		!form->relhassubclass && !form->relispartition && !form->relhasrules;
	ReleaseSysCache(tuple);
	return plain &&
		all_rows_pass(StatisticExtRelationId, StatisticExtRelidIndexId,
					  Anum_pg_statistic_ext_stxrelid, relid, NULL) &&
		all_rows_pass(IndexRelationId, IndexIndrelidIndexId,
					  Anum_pg_index_indrelid, relid, index_is_plain);
}

/* True when a table has a column as create_recommender() makes it. */
static bool
column_is_right(Oid relid, const ColumnSpec *spec)
{
	AttrNumber	attnum = get_attnum(relid, spec->column);

	return attnum != InvalidAttrNumber &&
		(IsPolymorphicType(spec->type) || get_atttype(relid, attnum) == spec->type);
}

/*
 * Return the first table that is not as create_recommender() makes it, or NULL;
 * look at one table alone when it is named.
 */
const char *
rec_layout_damage(Oid schema, const char *table)
{
	Oid			relid = InvalidOid;

	for (int i = 0; i < (int) lengthof(column_specs); i++)
	{
		const ColumnSpec *spec = &column_specs[i];
		const char *name = rec_layout_table_names[spec->table];

		if (table && strcmp(name, table) != 0)
			continue;
		if (i == 0 || table || column_specs[i - 1].table != spec->table)
		{
			relid = get_relname_relid(name, schema);
			if (!OidIsValid(relid) || !table_is_plain(relid))
				return name;
		}
		if (!column_is_right(relid, spec))
			return name;
	}
	return NULL;
}

/* Return the owner of a relation, InvalidOid when it does not exist. */
static Oid
relation_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

/* Return a role other than "owner" that owns a function of that name, or InvalidOid. */
static Oid
function_stranger(Oid schema, const char *name, Oid owner)
{
	CatCList   *list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
	Oid			stranger = InvalidOid;

	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(&list->members[i]->tuple);

		if (form->pronamespace == schema && form->proowner != owner)
			stranger = form->proowner;
	}
	ReleaseCatCacheList(list);
	return stranger;
}

/* Return another owner of a view, type or function of a recommender, or InvalidOid. */
static Oid
object_stranger(Oid schema, const ObjectSpec *spec, Oid owner)
{
	HeapTuple	tuple;
	Oid			found = InvalidOid;

	if (strcmp(spec->kind, "FUNCTION") == 0)
		return function_stranger(schema, spec->name, owner);
	/* a view has a type, too */
	tuple = SearchSysCache2(TYPENAMENSP, CStringGetDatum(spec->name), ObjectIdGetDatum(schema));
	if (HeapTupleIsValid(tuple))
	{
		found = ((Form_pg_type) GETSTRUCT(tuple))->typowner;
		ReleaseSysCache(tuple);
	}
	return found == owner ? InvalidOid : found;
}

/*
 * Return what in a recommender's schema does not belong to the schema's owner,
 * as a sentence in the current context; NULL when there is no such object.
 */
char *
rec_layout_stranger(Oid schema)
{
	Oid			owner = rec_layout_schema_owner(schema);

	for (int i = 0; i < REC_NTABLES; i++)
	{
		Oid			relid = get_relname_relid(rec_layout_table_names[i], schema);
		Oid			found = OidIsValid(relid) ? relation_owner(relid) : owner;

		if (found != owner)
			return psprintf("Table \"%s\" belongs to role \"%s\", the schema to role \"%s\".",
							rec_layout_table_names[i], GetUserNameFromId(found, true),
							GetUserNameFromId(owner, true));
	}
	for (int i = 0; i < (int) lengthof(object_specs); i++)
	{
		Oid			found = object_stranger(schema, &object_specs[i], owner);

		if (OidIsValid(found))
			return psprintf("%s \"%s\" belongs to role \"%s\", the schema to role \"%s\".",
							strcmp(object_specs[i].kind, "VIEW") == 0 ? "View" :
							strcmp(object_specs[i].kind, "TYPE") == 0 ? "Type" : "Function",
							object_specs[i].name, GetUserNameFromId(found, true),
							GetUserNameFromId(owner, true));
	}
	return NULL;
}

/*
 * True when a schema holds what create_recommender() made, even if it was
 * damaged since, and not only a table that is called "definition".
 */
bool
rec_layout_was_recommender(Oid schema)
{
	Oid			relid = get_relname_relid("definition", schema);

	return OidIsValid(relid) && get_rel_relkind(relid) == RELKIND_RELATION &&
		get_attnum(relid, "singleton") != InvalidAttrNumber;
}

/*
 * Return the names of all schemas of the database that have the tables of a
 * recommender, in order, in the current context, by the catalogs alone.  Some
 * may have several owners, which rec_layout_stranger() finds.
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
		if (name && rec_layout_damage(schema, NULL) == NULL)
			names = lappend(names, name);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return names;
}

/*
 * Return the name of the recommender in a schema, in the current context; one
 * that was dropped in the meantime is an ERROR.
 */
char *
rec_layout_schema_name(Oid schema)
{
	char	   *name = get_namespace_name(schema);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the recommender no longer exists")));
	return name;
}

/* Return the owner of a schema, who is that of the recommender in it. */
Oid
rec_layout_schema_owner(Oid schema)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the recommender no longer exists")));
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * Keep the tables of a recommender as they are until the transaction ends, without
 * waiting for a session that has locked one: an ERROR then.
 */
void
rec_layout_lock_at_once(Oid schema)
{
	for (int i = 0; i < REC_NTABLES; i++)
	{
		Oid			relid = get_relname_relid(rec_layout_table_names[i], schema);

		if (OidIsValid(relid) && !ConditionalLockRelationOid(relid, AccessShareLock))
			ereport(ERROR,
					(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					 errmsg("table \"%s\" of recommender \"%s\" is locked by another session",
							rec_layout_table_names[i], rec_layout_schema_name(schema))));
	}
}

/*
 * Keep a table as it is until the transaction ends; return InvalidOid when
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

/* Refuse a table of a recommender that is not as it was made. */
void
rec_layout_refuse_table(const char *table, Oid schema)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" of recommender \"%s\" is not as create_recommender() makes it",
					table, rec_layout_schema_name(schema)),
			 errhint("Repair it, or drop the recommender and create it again.")));
}
