/*-------------------------------------------------------------------------
 *
 * model_scan.c
 *	  Reading a recommender's own tables by their indexes, without a query.
 *
 * A call looks up a row here, fifty rows there.  For each of these the
 * executor would start a plan, which costs more than the rows do.  So they are
 * read as PostgreSQL reads its own catalogs:
 *
 *		static const RecStorePath neighbors_by_id = {
 *			"neighbor", {"generation", "item_id"}, {"item_id", "neighbors", "scores"}
 *		};
 *
 *		keys[0] = generation; keys[1] = array of ids;
 *		scan = rec_model_scan_begin_any(definition, &neighbors_by_id, 2, keys);
 *		while (rec_model_scan_next(scan, values, nulls))
 *			... values[1] is column "neighbors" ...
 *		rec_model_scan_end(scan);
 *
 * A path names the table, the first columns of the index, and what is read.
 * rec_model_scan_begin() gives the rows in which the first nkeys of these columns
 * have the given values, none of them null, in the order of the index;
 * rec_model_scan_begin_any() takes an array in the place of the last value and gives
 * the rows of any of its elements, in order, reading a page once (index_probe.c);
 * rec_model_scan_begin_all() uses no index and gives rows as they lie in the table.
 * Tables and columns are those of recommender_tables.sql.
 *
 * It is what a query of the caller's would be: the snapshot is the active one;
 * the caller needs SELECT on the table or on all columns of the path, and gets
 * the executor's own error without (and the executor's hook is asked); tables
 * and indexes are locked as by a query.  Tables with row security, rules,
 * children or expressions in indexes are refused when a definition is read
 * (layout.c), and again when a path is prepared.  An index serves that is
 * valid, total and of the default operator class in the column's collation,
 * whatever its name.  Without one there is an ERROR: a call that reads whole
 * tables would be the worse surprise.
 *
 * What is found out about a path stays with the definition until something
 * about the table changes.  Values are those in the table: the caller checks
 * what they say.  They stay valid until the next row.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/model_scan.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "definition/definition_read.h"
#include "definition/model_scan.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "pg/index_probe.h"
#include "pg/relation.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

/* A column of a table as it was when a path was prepared. */
typedef struct PathColumn
{
	AttrNumber	attnum;
	Oid			type;
} PathColumn;

/* What is known of a path; lives with the definition. */
typedef struct PreparedPath
{
	RecTableUse use;			/* must come first */
	const RecStorePath *path;
	MemoryContext mcxt;		/* of what follows */
	bool		complete;		/* it was prepared to the end */
	Oid			index;			/* InvalidOid until it is needed */
	AttrNumber	condition;		/* column of "?column", or 0 */
	int			nkeys;
	PathColumn	keys[REC_STORE_KEYS];
	ScanKeyData equal[REC_STORE_KEYS];	/* to be filled with values */
	int			ncolumns;
	PathColumn	columns[REC_STORE_COLUMNS];
	List	   *rtable;			/* for the check of privileges */
	List	   *permissions;
} PreparedPath;

struct RecStoreScan
{
	PreparedPath *prepared;
	Relation	rel;
	Relation	index;			/* NULL: all rows, as they lie */
	SysScanDesc scan;			/* or else ... */
	RecProbe   *probe;			/* ... of an array's elements */
	Datum	   *values;			/* of a whole row */
	bool	   *nulls;
};

/* PostgreSQL 16 took privileges out of the range table's entries. */
#if PG_VERSION_NUM >= 160000
static void
need_select_compat(PreparedPath *prepared, RangeTblEntry *entry, Bitmapset *columns)
{
	RTEPermissionInfo *permission = makeNode(RTEPermissionInfo);

	permission->relid = entry->relid;
	permission->requiredPerms = ACL_SELECT;
	permission->selectedCols = columns;
	prepared->permissions = list_make1(permission);
	entry->perminfoindex = 1;
}

#define check_permissions_compat(prepared) \
	ExecCheckPermissions((prepared)->rtable, (prepared)->permissions, true)
#else
static void
need_select_compat(PreparedPath *prepared, RangeTblEntry *entry, Bitmapset *columns)
{
	prepared->permissions = NIL;
	entry->requiredPerms = ACL_SELECT;
	entry->selectedCols = columns;
}

#define check_permissions_compat(prepared) \
	ExecCheckRTPerms((prepared)->rtable, true)
#endif

/* ----------------
 *		preparing a path
 * ----------------
 */

static const char *
key_name(const char *key)
{
	return *key == '-' ? key + 1 : key;
}

static int
count_names(const char *const *names, int most)
{
	int			n = 0;

	while (n < most && names[n] && *names[n] != '?')
		n++;
	return n;
}

/* "generation, popularity DESC" */
static char *
list_keys(const PreparedPath *prepared)
{
	const RecStorePath *path = prepared->path;
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < prepared->nkeys; i++)
		appendStringInfo(&list, "%s%s%s", i > 0 ? ", " : "",
						 quote_identifier(key_name(path->keys[i])),
						 *path->keys[i] == '-' ? " DESC" : "");
	return list.data;
}

static void
index_missing(const RecDefinition *definition, const PreparedPath *prepared)
{
	const char *table = prepared->path->table;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" of recommender \"%s\" has no valid index on (%s)",
					table, rec_definition_name(definition), list_keys(prepared)),
			 errhint("Run CREATE INDEX ON %s (%s).",
					 quote_qualified_identifier(rec_definition_name(definition), table),
					 list_keys(prepared))));
}

static PathColumn
find_column(Relation rel, const char *name)
{
	RecColumn	column = rec_relation_column(RelationGetRelid(rel), name);
	PathColumn	found = {column.attnum, column.type};

	return found;
}

static Oid
column_collation(Relation rel, PathColumn column)
{
	return TupleDescAttr(RelationGetDescr(rel), column.attnum - 1)->attcollation;
}

/* The default btree operator class of a column. */
static TypeCacheEntry *
column_order(PathColumn column)
{
	return lookup_type_cache(column.type, TYPECACHE_BTREE_OPFAMILY);
}

/*
 * True when an index may be used by the transaction at hand; the planner asks
 * the same of one that was built while older versions of rows were about.
 */
static bool
index_is_usable(Relation index)
{
	Form_pg_index form = index->rd_index;

	return form->indisvalid &&
		(!form->indcheckxmin ||
		 TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data),
							   TransactionXmin));
}

/* True when a column of an index is that of the path. */
static bool
key_fits(const PreparedPath *prepared, Relation rel, Relation index, int i)
{
	PathColumn	column = prepared->keys[i];
	bool		falls = (index->rd_indoption[i] & INDOPTION_DESC) != 0;

	return index->rd_index->indkey.values[i] == column.attnum &&
		index->rd_opfamily[i] == column_order(column)->btree_opf &&
		index->rd_indcollation[i] == column_collation(rel, column) &&
		falls == (*prepared->path->keys[i] == '-');
}

static bool
index_fits(const PreparedPath *prepared, Relation rel, Relation index)
{
	AttrNumber	condition = rec_layout_index_condition(index->rd_indextuple);

	if (index->rd_rel->relam != BTREE_AM_OID || !index_is_usable(index) ||
		!heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL) ||
		(condition != 0 && condition != prepared->condition) ||
		IndexRelationGetNumberOfKeyAttributes(index) < prepared->nkeys)
		return false;
	for (int i = 0; i < prepared->nkeys; i++)
		if (!key_fits(prepared, rel, index, i))
			return false;
	return true;
}

/* Return an index that has the path's columns first. */
static Oid
find_index(const RecDefinition *definition, const PreparedPath *prepared, Relation rel)
{
	Oid			found = InvalidOid;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (!OidIsValid(found) && index_fits(prepared, rel, index))
			found = lfirst_oid(cell);
		index_close(index, AccessShareLock);
	}
	if (!OidIsValid(found))
		index_missing(definition, prepared);
	return found;
}

/* Prepare the comparison of a column with a value by the default "=". */
static void
prepare_key(PreparedPath *prepared, Relation rel, int i)
{
	PathColumn	column = prepared->keys[i];
	TypeCacheEntry *order = column_order(column);
	Oid			equal = get_opfamily_member(order->btree_opf, order->btree_opintype,
											order->btree_opintype, BTEqualStrategyNumber);
	FmgrInfo	function;

	if (!OidIsValid(equal))
		elog(ERROR, "no equality for type %u", column.type);
	fmgr_info_cxt(get_opcode(equal), &function, prepared->mcxt);
	ScanKeyEntryInitializeWithInfo(&prepared->equal[i], 0, column.attnum,
								   BTEqualStrategyNumber, order->btree_opintype,
								   column_collation(rel, column), &function, (Datum) 0);
}

/* What the executor has to check: SELECT on the table or the path's columns. */
static void
prepare_permissions(PreparedPath *prepared, Relation rel)
{
	RangeTblEntry *entry = makeNode(RangeTblEntry);
	Bitmapset  *columns = NULL;

	for (int i = 0; i < prepared->nkeys; i++)
		columns = bms_add_member(columns, prepared->keys[i].attnum - FirstLowInvalidHeapAttributeNumber);
	for (int i = 0; i < prepared->ncolumns; i++)
		columns = bms_add_member(columns, prepared->columns[i].attnum - FirstLowInvalidHeapAttributeNumber);
	entry->rtekind = RTE_RELATION;
	entry->relid = RelationGetRelid(rel);
	entry->relkind = rel->rd_rel->relkind;
	entry->rellockmode = AccessShareLock;
	need_select_compat(prepared, entry, columns);
	prepared->rtable = list_make1(entry);
}

/* Find out what there is to know of a path.  The table is locked. */
static void
prepare_path(RecDefinition *definition, PreparedPath *prepared, Relation rel)
{
	const RecStorePath *path = prepared->path;
	MemoryContext old;

	prepared->complete = false;
	prepared->use.relid = RelationGetRelid(rel);
	prepared->use.valid = true; /* until something changes, also meanwhile */
	rec_definition_read_check_table(definition, path->table);
	MemoryContextReset(prepared->mcxt);
	old = MemoryContextSwitchTo(prepared->mcxt);
	prepared->nkeys = count_names(path->keys, REC_STORE_KEYS);
	prepared->ncolumns = count_names(path->columns, REC_STORE_COLUMNS);
	for (int i = 0; i < prepared->nkeys; i++)
	{
		prepared->keys[i] = find_column(rel, key_name(path->keys[i]));
		prepare_key(prepared, rel, i);
	}
	prepared->condition = 0;
	if (prepared->nkeys < REC_STORE_KEYS && path->keys[prepared->nkeys])
		prepared->condition = find_column(rel, path->keys[prepared->nkeys] + 1).attnum;
	for (int i = 0; i < prepared->ncolumns; i++)
		prepared->columns[i] = find_column(rel, path->columns[i]);
	prepared->index = InvalidOid;
	prepare_permissions(prepared, rel);
	MemoryContextSwitchTo(old);
	prepared->complete = true;
}

/* Return what is kept of a path, which may not be prepared yet. */
static PreparedPath *
find_path(RecDefinition *definition, const RecStorePath *path)
{
	PreparedPath *prepared;

	for (RecTableUse *use = definition->uses; use; use = use->next)
		if (((PreparedPath *) use)->path == path)
			return (PreparedPath *) use;
	prepared = MemoryContextAllocZero(definition->mcxt, sizeof(PreparedPath));
	prepared->path = path;
	prepared->mcxt = AllocSetContextCreate(definition->mcxt, "recommender path",
											  ALLOCSET_SMALL_SIZES);
	prepared->use.next = definition->uses;
	definition->uses = &prepared->use;
	return prepared;
}

/* ----------------
 *		opening a table
 * ----------------
 */

static bool
column_is_as_before(Relation rel, PathColumn column)
{
	TupleDesc	desc = RelationGetDescr(rel);

	return column.attnum <= desc->natts &&
		TupleDescAttr(desc, column.attnum - 1)->atttypid == column.type;
}

/* Look for itself, and needs no message that something has changed. */
static bool
table_is_as_before(const PreparedPath *prepared, Relation rel)
{
	bool		same = true;

	for (int i = 0; i < prepared->nkeys; i++)
		same &= column_is_as_before(rel, prepared->keys[i]);
	for (int i = 0; i < prepared->ncolumns; i++)
		same &= column_is_as_before(rel, prepared->columns[i]);
	return same;
}

/* Open the table of a path that is prepared; NULL when it is no longer. */
static Relation
reopen_table(PreparedPath *prepared)
{
	Relation	rel;

	if (!prepared->complete || !prepared->use.valid)
		return NULL;
	LockRelationOid(prepared->use.relid, AccessShareLock);	/* may bring news */
	if (!prepared->use.valid)
		return NULL;
	rel = table_open(prepared->use.relid, NoLock);
	if (table_is_as_before(prepared, rel))
		return rel;
	table_close(rel, NoLock);
	return NULL;
}

/* Open the table of a path, and prepares the path when it is not. */
static Relation
open_table(RecDefinition *definition, PreparedPath *prepared)
{
	Relation	rel = reopen_table(prepared);
	Oid			relid;

	if (rel == NULL)
	{
		relid = rec_layout_table_lock(definition->schema, prepared->path->table);
		if (!OidIsValid(relid))
			rec_definition_read_check_table(definition, prepared->path->table);
		rel = table_open(relid, NoLock);
		prepare_path(definition, prepared, rel);
	}
	if (!RelationIsPermanent(rel) && RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary or unlogged relations during recovery")));
	(void) check_permissions_compat(prepared);
	return rel;
}

/* ----------------
 *		reading
 * ----------------
 */

/* Open the table of a path, for the columns of a whole row. */
static RecStoreScan *
begin_scan(RecDefinition *definition, const RecStorePath *path)
{
	PreparedPath *prepared = find_path(definition, path);
	RecStoreScan *scan = palloc0_object(RecStoreScan);
	int			natts;

	scan->prepared = prepared;
	scan->rel = open_table(definition, prepared);
	natts = RelationGetDescr(scan->rel)->natts;
	scan->values = palloc_array(Datum, natts);
	scan->nulls = palloc_array(bool, natts);
	return scan;
}

/* Open the index of a scan's path, which is looked for when it is needed first. */
static void
open_path_index(RecDefinition *definition, RecStoreScan *scan)
{
	PreparedPath *prepared = scan->prepared;

	if (!OidIsValid(prepared->index))
		prepared->index = find_index(definition, prepared, scan->rel);
	scan->index = index_open(prepared->index, AccessShareLock);
	if (!index_is_usable(scan->index))
		index_missing(definition, prepared);
}

/* Set what the first nkeys columns of the path have to equal. */
static void
set_keys(const RecStoreScan *scan, ScanKeyData *equal, int nkeys, const Datum *keys)
{
	Assert(nkeys <= scan->prepared->nkeys);
	for (int i = 0; i < nkeys; i++)
	{
		equal[i] = scan->prepared->equal[i];
		equal[i].sk_argument = keys[i];
	}
}

/* Begin to read the rows whose first keys are these, in order of the index. */
RecStoreScan *
rec_model_scan_begin(RecDefinition *definition, const RecStorePath *path,
					 int nkeys, const Datum *keys)
{
	RecStoreScan *scan = begin_scan(definition, path);
	ScanKeyData equal[REC_STORE_KEYS];

	open_path_index(definition, scan);
	set_keys(scan, equal, nkeys, keys);
	scan->scan = systable_beginscan_ordered(scan->rel, scan->index,
											GetActiveSnapshot(), nkeys, equal);
	return scan;
}

/* Begin to read the rows whose last key is any element of an array. */
RecStoreScan *
rec_model_scan_begin_any(RecDefinition *definition, const RecStorePath *path,
						 int nkeys, const Datum *keys)
{
	RecStoreScan *scan = begin_scan(definition, path);
	ScanKeyData equal[REC_STORE_KEYS];

	open_path_index(definition, scan);
	set_keys(scan, equal, nkeys, keys);
	scan->probe = rec_index_probe_begin(scan->rel, scan->index, GetActiveSnapshot(), nkeys, equal);
	return scan;
}

/* Begin to read the same rows, as they lie in the table: for most of them. */
RecStoreScan *
rec_model_scan_begin_all(RecDefinition *definition, const RecStorePath *path,
						 int nkeys, const Datum *keys)
{
	RecStoreScan *scan = begin_scan(definition, path);
	ScanKeyData equal[REC_STORE_KEYS];

	set_keys(scan, equal, nkeys, keys);
	scan->scan = systable_beginscan(scan->rel, InvalidOid, false,
									GetActiveSnapshot(), nkeys, equal);
	return scan;
}

static HeapTuple
next_tuple(RecStoreScan *scan)
{
	if (scan->probe)
		return rec_index_probe_next(scan->probe);
	if (scan->index)
		return systable_getnext_ordered(scan->scan, ForwardScanDirection);
	return systable_getnext(scan->scan);
}

/*
 * Return the path's columns of the next row, good until the one after it; false
 * when there is none.
 */
bool
rec_model_scan_next(RecStoreScan *scan, Datum *values, bool *nulls)
{
	const PreparedPath *prepared = scan->prepared;
	HeapTuple	tuple;

	CHECK_FOR_INTERRUPTS();
	tuple = next_tuple(scan);
	if (tuple == NULL)
		return false;
	heap_deform_tuple(tuple, RelationGetDescr(scan->rel), scan->values, scan->nulls);
	for (int i = 0; i < prepared->ncolumns; i++)
	{
		AttrNumber	attnum = prepared->columns[i].attnum;

		values[i] = scan->values[attnum - 1];
		nulls[i] = scan->nulls[attnum - 1];
	}
	return true;
}

/* End a scan, at any row.  Locks are kept, as after a query. */
void
rec_model_scan_end(RecStoreScan *scan)
{
	if (scan->probe)
		rec_index_probe_end(scan->probe);
	else if (scan->index)
		systable_endscan_ordered(scan->scan);
	else
		systable_endscan(scan->scan);
	if (scan->index)
		index_close(scan->index, NoLock);
	table_close(scan->rel, NoLock);
	pfree(scan->values);
	pfree(scan->nulls);
	pfree(scan);
}

static int
array_elements(const ArrayType *array, Oid element_type, const void **elements)
{
	if (ARR_ELEMTYPE(array) != element_type || ARR_NDIM(array) > 1 || ARR_HASNULL(array))
		return -1;
	*elements = ARR_DATA_PTR(array);
	return ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
}

/*
 * Return the elements of a one-dimensional array of fixed-size values, and
 * their number; -1 when it is something else or has nulls.  They are in the
 * row itself if they can be.
 */
int
rec_model_scan_array(Datum value, Oid element_type, const void **elements)
{
	return array_elements(DatumGetArrayTypeP(value), element_type, elements);
}

/* Like rec_model_scan_array(), with a copy in the current context. */
int
rec_model_scan_array_copy(Datum value, Oid element_type, const void **elements)
{
	return array_elements(DatumGetArrayTypePCopy(value), element_type, elements);
}

/* Refuse a table of the model whose content is not what a refresh writes. */
void
rec_model_scan_damaged(const RecDefinition *definition, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the model of recommender \"%s\" has %s not valid",
					rec_definition_name(definition), what),
			 errhint("Refresh the recommender.")));
}
