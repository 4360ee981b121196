/*-------------------------------------------------------------------------
 *
 * relation.c
 *	  Relations, columns, types and operators: look-ups in the catalogs, and
 *	  quoting for SQL.
 *
 * All files raise the same message for the same mistake.  Nothing in this file
 * knows of interactions or models.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/relation.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_operator.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "pg/closest_name.h"
#include "pg/relation.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
#include "utils/varlena.h"

#if PG_VERSION_NUM >= 160000
#define qualified_names_compat(text)	stringToQualifiedNameList(text, NULL)
#else
#define qualified_names_compat(text)	stringToQualifiedNameList(text)
#endif

/* Consider every live column of a relation, if the relation exists. */
void
rec_relation_consider_columns(RecClosest *closest, Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	TupleDesc	desc;

	if (rel == NULL)
		return;
	desc = RelationGetDescr(rel);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped)
			rec_closest_name_consider(closest, pstrdup(NameStr(att->attname)));
	}
	relation_close(rel, NoLock);
}

/*
 * Return the names of a relation's live columns; of none when it does not
 * exist.
 */
static char *
column_names(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	TupleDesc	desc;
	StringInfoData names;

	initStringInfo(&names);
	if (rel == NULL)
		return names.data;
	desc = RelationGetDescr(rel);
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
							 quote_identifier(NameStr(TupleDescAttr(desc, i)->attname)));
	relation_close(rel, NoLock);
	return names.data;
}

static void
column_missing(Oid relid, const char *column)
{
	RecClosest	closest;

	rec_closest_name_start(&closest, column);
	rec_relation_consider_columns(&closest, relid);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of relation \"%s\" does not exist",
					column, get_rel_name(relid)),
			 closest.best ? rec_closest_name_hint(&closest, "column") :
			 errhint("Its columns are: %s.", column_names(relid))));
}

/*
 * Return the attribute number, type and collation of a column; an ERROR with
 * the closest name when the relation has no such column.  System columns are
 * not considered.
 */
RecColumn
rec_relation_column(Oid relid, const char *column)
{
	RecColumn	result;
	HeapTuple	tuple = SearchSysCacheAttName(relid, column);
	Form_pg_attribute att;

	if (!HeapTupleIsValid(tuple) ||
		((Form_pg_attribute) GETSTRUCT(tuple))->attnum < 0)
		column_missing(relid, column);
	att = (Form_pg_attribute) GETSTRUCT(tuple);
	result.attnum = att->attnum;
	result.type = getBaseType(att->atttypid);
	result.collation = att->attcollation;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * Return a relation's name, schema-qualified and quoted, for use in a query;
 * an ERROR when the OID does not exist.
 */
char *
rec_relation_quoted(Oid relid)
{
	char	   *name = get_rel_name(relid);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  name);
}

/*
 * Return an operator as OPERATOR(schema.name), which no search_path can
 * replace by another operator.
 */
char *
rec_relation_operator_quoted(Oid oper)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(oper));
	Form_pg_operator form;
	char	   *result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", oper);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	result = psprintf("OPERATOR(%s.%s)",
					  quote_identifier(get_namespace_name(form->oprnamespace)),
					  NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return result;
}

/*
 * Return the default equality operator of a type, qualified; an ERROR when the
 * type has none.
 */
char *
rec_relation_equality_operator(Oid type)
{
	Oid			oper = lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;

	if (!OidIsValid(oper))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("could not identify an equality operator for type %s",
						format_type_be(type))));
	return rec_relation_operator_quoted(oper);
}

/*
 * Return a type's name, qualified with any search_path.  It stands for values
 * of any length, also for type character.
 */
const char *
rec_relation_type_quoted(Oid type)
{
	return format_type_extended(type, -1,
								FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

/* Return the parts of a name that may be qualified and quoted. */
List *
rec_relation_qualified_names(const char *name)
{
	return qualified_names_compat(name);
}

/* Return a collation's name, qualified and quoted. */
char *
rec_relation_collation_quoted(Oid collation)
{
	HeapTuple	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	Form_pg_collation form;
	char	   *result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for collation %u", collation);
	form = (Form_pg_collation) GETSTRUCT(tuple);
	result = quote_qualified_identifier(get_namespace_name(form->collnamespace),
										NameStr(form->collname));
	ReleaseSysCache(tuple);
	return result;
}

/* ----------------
 *		relations that a user names
 * ----------------
 */

/* Raise an error when a relation has no rows to read. */
void
rec_relation_check(Oid relid)
{
	char		kind = get_rel_relkind(relid);

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE &&
		kind != RELKIND_VIEW && kind != RELKIND_MATVIEW &&
		kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or a view", get_rel_name(relid))));
}

/*
 * Raise an error when the ids of a relation's column are of another type than
 * the recommender's.
 */
void
rec_relation_check_same_type(Oid relid, const char *column, Oid expected)
{
	Oid			type = rec_relation_column(relid, column).type;

	if (type == expected ||
		can_coerce_type(1, &type, &expected, COERCION_IMPLICIT))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of relation \"%s\" must be of type %s, not %s",
					column, get_rel_name(relid), format_type_be(expected), format_type_be(type)),
			 errhint("Give a view that casts the column.")));
}

/* Return true when the current user may read a column, which exists. */
bool
rec_relation_may_select(Oid relid, const char *column)
{
	AttrNumber	attnum = get_attnum(relid, column);

	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		(attnum != InvalidAttrNumber &&
		 pg_attribute_aclcheck(relid, attnum, GetUserId(), ACL_SELECT) == ACLCHECK_OK);
}

/* Return true for a relation that can have indexes. */
static bool
can_have_index(Oid relid)
{
	char		kind = get_rel_relkind(relid);

	return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE ||
		kind == RELKIND_MATVIEW;
}

/*
 * Return true when an index of the table begins with a column; or, if
 * "unique", when a unique index has that column alone.
 */
static bool
has_index_on(Oid relid, AttrNumber attnum, bool unique)
{
	Relation	rel = table_open(relid, AccessShareLock);
	bool		found = false;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		found |= index->rd_index->indisvalid &&
			index->rd_index->indkey.values[0] == attnum &&
			heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL) &&
			(!unique || (index->rd_index->indisunique && index->rd_index->indnkeyatts == 1));
		index_close(index, AccessShareLock);
	}
	table_close(rel, AccessShareLock);
	return found;
}

static char *
create_index(Oid relid, const char *column, const char *then, bool unique)
{
	return psprintf("CREATE %sINDEX ON %s (%s%s%s);", unique ? "UNIQUE " : "",
					rec_relation_quoted(relid), quote_identifier(column),
					then ? ", " : "", then ? quote_identifier(then) : "");
}

/*
 * Return the statements that make the indexes which the partitions of a table
 * lack, NULL when they lack none.  Partitions that are foreign tables can have
 * none; when there are such ones, neither can the partitioned table.
 */
static char *
missing_on_partitions(Oid relid, const char *column, const char *then, bool unique)
{
	StringInfoData statements;
	bool		foreign = false;
	ListCell   *cell;

	initStringInfo(&statements);
	foreach(cell, find_all_inheritors(relid, AccessShareLock, NULL))
	{
		Oid			leaf = lfirst_oid(cell);
		char		kind = get_rel_relkind(leaf);

		foreign |= kind == RELKIND_FOREIGN_TABLE;
		if (kind != RELKIND_RELATION ||
			has_index_on(leaf, rec_relation_column(leaf, column).attnum, unique))
			continue;
		appendStringInfo(&statements, "%s%s", statements.len > 0 ? " " : "",
						 create_index(leaf, column, then, unique));
	}
	if (statements.len == 0)
		return NULL;
	return foreign ? statements.data : create_index(relid, column, then, unique);
}

/*
 * Return the CREATE INDEX that a relation lacks, on "column" and, unless NULL,
 * "then".  NULL when an index begins with "column" (if "unique": when a unique
 * index has that column alone), and when the relation cannot have indexes.
 * Of a partitioned table, all partitions must have the index.
 */
char *
rec_relation_missing_index(Oid relid, const char *column, const char *then, bool unique)
{
	if (!can_have_index(relid) ||
		has_index_on(relid, rec_relation_column(relid, column).attnum, unique))
		return NULL;
	if (get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
		return missing_on_partitions(relid, column, then, unique);
	return create_index(relid, column, then, unique);
}

/*
 * Return the function of the cast between two types, InvalidOid when there is
 * none.
 */
Oid
rec_relation_cast_function(Oid from, Oid to)
{
	HeapTuple	tuple = SearchSysCache2(CASTSOURCETARGET, ObjectIdGetDatum(from),
										ObjectIdGetDatum(to));
	Oid			result;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	result = ((Form_pg_cast) GETSTRUCT(tuple))->castfunc;
	ReleaseSysCache(tuple);
	return result;
}
