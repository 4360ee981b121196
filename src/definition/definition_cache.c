/*-------------------------------------------------------------------------
 *
 * definition_cache.c
 *	  The definitions of recommenders that this backend has read.
 *
 * Each backend keeps the definitions that it has read, with the plans of the
 * queries that serving needs, until PostgreSQL's cache invalidation reports a
 * change: a function of ours that writes a definition sends the invalidation of
 * the table "definition", DDL sends its own.  A definition that a call still
 * holds then lives until the transaction ends.
 *
 * A definition is read by a catalog snapshot, which is the latest also in a
 * parallel worker, so that an old one cannot stay in the cache.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/definition_cache.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "definition/definition_cache.h"
#include "definition/definition_read.h"
#include "definition/plan_cache.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

typedef struct CacheEntry
{
	Oid			schema;
	char		status;
	RecDefinition *definition;
} CacheEntry;

#define SH_PREFIX definition_table
#define SH_ELEMENT_TYPE CacheEntry
#define SH_KEY_TYPE Oid
#define SH_KEY schema
#define SH_HASH_KEY(tb, key) ((uint32) (key) * 2654435769u)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

static definition_table_hash *definitions = NULL;
static uint64 last_serial = 0;

/* ----------------
 *		invalidation
 * ----------------
 */

static bool
depends_on(const RecDefinition *definition, Oid relid)
{
	if (relid == InvalidOid ||
		(definition->items && definition->items->relid == relid))
		return true;
	for (int i = 0; i < REC_NTABLES; i++)
		if (definition->tables[i] == relid)
			return true;
	for (int i = 0; i < definition->nsources; i++)
		if (definition->sources[i].relid == relid)
			return true;
	return false;
}

static void
relation_changed(Datum arg pg_attribute_unused(), Oid relid)
{
	definition_table_iterator it;
	CacheEntry *entry;

	definition_table_start_iterate(definitions, &it);
	while ((entry = definition_table_iterate(definitions, &it)) != NULL)
	{
		if (entry->definition == NULL)
			continue;
		if (depends_on(entry->definition, relid))
			entry->definition->valid = false;
		for (RecTableUse *use = entry->definition->uses; use; use = use->next)
			if (relid == InvalidOid || relid == use->relid)
				use->valid = false;
	}
}

/* A schema was renamed: the plans' texts name it. */
static void
schema_changed(Datum arg pg_attribute_unused(), int cacheid pg_attribute_unused(),
			   uint32 hashvalue pg_attribute_unused())
{
	relation_changed(arg, InvalidOid);
}

static void
free_plans(void *arg)
{
	RecDefinition *definition = (RecDefinition *) arg;

	for (int i = 0; i < definition->nsources; i++)
		if (definition->sources[i].history_plan)
			SPI_freeplan(definition->sources[i].history_plan);
	rec_plan_cache_free(definition);
}

/* Free a definition at the end of the transaction, not before. */
static void
retire(RecDefinition *definition)
{
	MemoryContextCallback *callback = MemoryContextAlloc(definition->mcxt,
														 sizeof(MemoryContextCallback));

	callback->func = free_plans;
	callback->arg = definition;
	MemoryContextRegisterResetCallback(definition->mcxt, callback);
	MemoryContextSetParent(definition->mcxt, TopTransactionContext);
}

/* Free the definitions of schemas that were dropped. */
static void
forget_dropped(void)
{
	definition_table_iterator it;
	CacheEntry *entry;

	definition_table_start_iterate(definitions, &it);
	while ((entry = definition_table_iterate(definitions, &it)) != NULL)
	{
		if (entry->definition == NULL || entry->definition->valid ||
			SearchSysCacheExists1(NAMESPACEOID, ObjectIdGetDatum(entry->schema)))
			continue;
		retire(entry->definition);
		entry->definition = NULL;
	}
}

/* ----------------
 *		what is kept
 * ----------------
 */

/*
 * Keep a recommender's tables as they are until the transaction ends, and
 * process the invalidations of what was changed before.
 */
static void
lock_tables(Oid schema)
{
	for (int i = 0; i < REC_READ_TABLES; i++)
		(void) rec_layout_table_lock(schema, rec_layout_table_names[i]);
	AcceptInvalidationMessages();	/* a lock that was held before brings none */
}

/* Lock the tables of a definition that is kept, of which it knows where they are. */
static void
lock_known_tables(const RecDefinition *definition)
{
	for (int i = 0; i <= REC_TABLE_NEIGHBOR; i++)
		LockRelationOid(definition->tables[i], AccessShareLock);
	AcceptInvalidationMessages();
}

/* Refuse a schema that is not a recommender, by the catalogs alone. */
static void
check_schema(Oid schema)
{
	const char *damage;
	char	   *stranger;

	if (!SearchSysCacheExists1(NAMESPACEOID, ObjectIdGetDatum(schema)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the recommender no longer exists")));
	if (!rec_layout_was_recommender(schema))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("schema \"%s\" is not a recommender", rec_layout_schema_name(schema))));
	damage = rec_layout_damage(schema, NULL);
	if (damage)
		rec_layout_refuse_table(damage, schema);
	stranger = rec_layout_stranger(schema);
	if (stranger)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("recommender \"%s\" has more than one owner", rec_layout_schema_name(schema)),
				 errdetail("%s", stranger),
				 errhint("Give its schema and all that is in it to one role with ALTER ... OWNER TO.")));
}

/* Find the recommender's tables, and quote their names for queries. */
static void
name_tables(RecDefinition *definition)
{
	char	   *schema = rec_layout_schema_name(definition->schema);

	for (int i = 0; i < REC_NTABLES; i++)
	{
		const char *table = rec_layout_table_names[i];

		definition->tables[i] = get_relname_relid(table, definition->schema);
		definition->quoted[i] = MemoryContextStrdup(definition->mcxt,
													quote_qualified_identifier(schema, table));
	}
}

static RecDefinition *
begin_definition(Oid schema)
{
	MemoryContext mcxt;
	RecDefinition *definition;

	check_schema(schema);
	mcxt = AllocSetContextCreate(CacheMemoryContext, "recommender definition",
									ALLOCSET_SMALL_SIZES);
	definition = MemoryContextAllocZero(mcxt, sizeof(RecDefinition));

	definition->mcxt = mcxt;
	definition->schema = schema;
	definition->serial = ++last_serial;
	definition->valid = true;	/* until something changes, also while it is
								 * read */
	name_tables(definition);
	return definition;
}

/*
 * Return the definition of the recommender in a schema, from the cache when
 * nothing changed.  It stays readable until the end of the transaction.
 */
RecDefinition *
rec_definition_cache_get(Oid schema)
{
	bool		found;
	CacheEntry *entry;
	RecDefinition *definition;

	if (definitions == NULL)
	{
		definitions = definition_table_create(CacheMemoryContext, 16, NULL);
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
		CacheRegisterSyscacheCallback(NAMESPACEOID, schema_changed, (Datum) 0);
	}
	entry = definition_table_lookup(definitions, schema);
	if (entry && entry->definition && entry->definition->complete)
	{
		lock_known_tables(entry->definition);
		if (entry->definition->valid)
			return entry->definition;
	}
	forget_dropped();
	check_schema(schema);
	lock_tables(schema);
	definition = begin_definition(schema);
	entry = definition_table_insert(definitions, schema, &found);
	if (found && entry->definition)
		retire(entry->definition);
	entry->definition = definition;
	/* an error leaves the half-read entry for the next try to retire */
	rec_definition_read(definition);
	definition->complete = true;
	return definition;
}

static void
recommender_missing(const char *name)
{
	RecClosest	closest;
	ListCell   *cell;

	rec_closest_name_start(&closest, name);
	foreach(cell, rec_layout_recommender_names())
		rec_closest_name_consider(&closest, lfirst(cell));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("recommender \"%s\" does not exist", rec_arguments_clip(name)),
			 rec_closest_name_hint(&closest, "recommender")));
}

/* Return a recommender's definition; an ERROR with the closest name if none. */
RecDefinition *
rec_definition_cache_by_name(const char *name)
{
	Oid			schema = get_namespace_oid(name, true);

	if (!OidIsValid(schema) || rec_layout_damage(schema, NULL))
		recommender_missing(name);
	return rec_definition_cache_get(schema);
}

/*
 * Return the recommender in whose schema a row type is; an ERROR when it is no
 * row type, or the schema no recommender.
 */
RecDefinition *
rec_definition_cache_of_row(Oid row_type)
{
	Oid			relid = get_typ_typrelid(row_type);

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the first argument must be a null of a recommender's row type, such as NULL::recs.recommendation")));
	return rec_definition_cache_get(get_rel_namespace(relid));
}

/*
 * Keep others from writing the definition, or refreshing, until the end of
 * the transaction; return the definition as it is after the wait.  The command
 * is named in the error of a transaction that may not write.
 */
RecDefinition *
rec_definition_cache_lock(RecDefinition *definition, const char *command)
{
	PreventCommandIfReadOnly(command);
	LockRelationOid(definition->tables[REC_TABLE_DEFINITION], ShareUpdateExclusiveLock);
	return rec_definition_cache_get(definition->schema);
}

/* Invalidate a definition that was written, in all backends at commit. */
void
rec_definition_cache_changed(Oid schema)
{
	CommandCounterIncrement();
	CacheInvalidateRelcacheByRelid(get_relname_relid("definition", schema));
	CommandCounterIncrement();
}
