/*-------------------------------------------------------------------------
 *
 * definition.c
 *	  What a recommender is: its schema, sources, options and plans.
 *
 * A recommender is a schema with tables of its own; there is no registry
 * beside it.  Each backend keeps what it read of a recommender's definition,
 * with the plans of the queries that serving needs, until PostgreSQL's cache
 * invalidation says that something changed: a function of ours that writes
 * the definition sends that for the definition's table, DDL does so by
 * itself.  What a call still holds then lives on until the transaction ends.
 *
 * A definition is read by a catalog snapshot, which is the latest also in a
 * parallel worker, so that an old one cannot stay in the cache.  The generation that serves is no part of
 * it: that is read by the caller's snapshot at each call.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "definition.h"
#include "miscadmin.h"
#include "plans.h"
#include "spi.h"
#include "sqlutil.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
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
	rec_plans_free(definition);
}

/* Lets go of a definition at the end of the transaction, not before. */
static void
retire(RecDefinition *definition)
{
	MemoryContextCallback *callback = MemoryContextAlloc(definition->context,
														 sizeof(MemoryContextCallback));

	callback->func = free_plans;
	callback->arg = definition;
	MemoryContextRegisterResetCallback(definition->context, callback);
	MemoryContextSetParent(definition->context, TopTransactionContext);
}

/* Lets go of the definitions of schemas that are no more. */
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
 *		finding recommenders
 * ----------------
 */

static void
recommender_missing(const char *name)
{
	RecClosest	closest;
	ListCell   *cell;

	rec_closest_start(&closest, name);
	foreach(cell, rec_recommender_names())
		rec_closest_consider(&closest, lfirst(cell));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("recommender \"%s\" does not exist", name),
			 rec_closest_hint(&closest, "recommender")));
}

/* Gives a recommender's name, which is its schema's, in the current context. */
char *
rec_definition_name(const RecDefinition *definition)
{
	char	   *name = get_namespace_name(definition->schema);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the recommender does not exist any more")));
	return name;
}

/* Gives one of the recommender's tables, quoted for use in a query. */
char *
rec_definition_table(const RecDefinition *definition, const char *table)
{
	return quote_qualified_identifier(rec_definition_name(definition), table);
}

/*
 * From here on, until rec_be_caller(), what runs is run as the recommender's
 * owner, in a security-restricted operation: what the owner attached to the
 * tables gets no other rights than the owner's.
 */
void
rec_be_owner(const RecDefinition *definition, RecCaller *caller)
{
	GetUserIdAndSecContext(&caller->user, &caller->context);
	SetUserIdAndSecContext(rec_schema_owner(definition->schema),
						   caller->context | SECURITY_RESTRICTED_OPERATION);
	caller->nest = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* Ends what rec_be_owner() began: the caller's user and settings are back. */
void
rec_be_caller(const RecCaller *caller)
{
	AtEOXact_GUC(false, caller->nest);
	SetUserIdAndSecContext(caller->user, caller->context);
}

/* Refuses everyone but members of the recommender's owner. */
void
rec_definition_check_owner(const RecDefinition *definition)
{
	if (!has_privs_of_role(GetUserId(), rec_schema_owner(definition->schema)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of recommender %s",
						rec_definition_name(definition))));
}

/* ----------------
 *		reading a definition
 * ----------------
 */

static void
read_query(const char *query)
{
	int			code = SPI_execute(query, true, 0);

	if (code != SPI_OK_SELECT)
		elog(ERROR, "could not read a recommender's definition: %s",
			 SPI_result_code_string(code));
}

/* Reads the options in force into the definition's context. */
static void
read_options(RecDefinition *definition)
{
	Datum		value;
	bool		isnull;
	MemoryContext old;

	read_query(psprintf("SELECT d.options FROM %s d",
						rec_definition_table(definition, "definition")));
	if (SPI_processed != 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the definition of recommender \"%s\" must have one row, not %llu",
						rec_definition_name(definition),
						(unsigned long long) SPI_processed)));
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	old = MemoryContextSwitchTo(definition->context);
	rec_options_default(&definition->options, true);
	if (definition->items && definition->items->group_column)
		rec_options_cap(&definition->options, definition->items->group_column, 1);
	if (!isnull)
		rec_options_apply(&definition->options, DatumGetJsonbP(value),
						  REC_SCOPE_BUILD | REC_SCOPE_SERVE);
	MemoryContextSwitchTo(old);
}

/* A column of the row at hand as text in the current context, or NULL. */
static char *
text_column(HeapTuple row, int column)
{
	return SPI_getvalue(row, SPI_tuptable->tupdesc, column);
}

/* Reads the names of a source's context columns into the current context. */
static void
read_context_columns(RecSource *source, ArrayType *columns)
{
	Datum	   *names;

	if (array_contains_nulls(columns))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("context columns must not be null")));
	deconstruct_array(columns, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
					  &names, NULL, &source->ncontexts);
	source->context_columns = palloc_array(char *, source->ncontexts + 1);
	for (int i = 0; i < source->ncontexts; i++)
		source->context_columns[i] = pstrdup(NameStr(*DatumGetName(names[i])));
}

/* Numbers the context columns of all sources, those of one name alike. */
static void
number_contexts(RecDefinition *definition)
{
	int			n = 0;

	for (int i = 0; i < definition->nsources; i++)
		n += definition->sources[i].ncontexts;
	definition->contexts = palloc_array(char *, n + 1);
	for (int i = 0; i < definition->nsources; i++)
	{
		RecSource  *source = &definition->sources[i];

		source->context_numbers = palloc_array(int, source->ncontexts + 1);
		for (int c = 0; c < source->ncontexts; c++)
		{
			int			number = 0;

			while (number < definition->ncontexts &&
				   strcmp(definition->contexts[number], source->context_columns[c]) != 0)
				number++;
			if (number == definition->ncontexts)
				definition->contexts[definition->ncontexts++] = source->context_columns[c];
			source->context_numbers[c] = number;
		}
	}
}

static void
read_source(RecSource *source, HeapTuple row)
{
	bool		isnull;
	Datum		weights;
	Datum		contexts;

	memset(source, 0, sizeof(*source));
	source->relid = DatumGetObjectId(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
	source->user_column = text_column(row, 2);
	source->item_column = text_column(row, 3);
	source->time_column = text_column(row, 4);
	source->event_column = text_column(row, 5);
	source->weight_column = text_column(row, 6);
	source->event = text_column(row, 7);
	weights = SPI_getbinval(row, SPI_tuptable->tupdesc, 8, &isnull);
	if (!isnull)
		source->event_weights = rec_event_weights_parse(DatumGetJsonbP(weights));
	contexts = SPI_getbinval(row, SPI_tuptable->tupdesc, 9, &isnull);
	if (!isnull)
		read_context_columns(source, DatumGetArrayTypeP(contexts));
	if (source->user_column == NULL || source->item_column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a source of interactions must have a user and an item column")));
}

static void
read_sources(RecDefinition *definition)
{
	MemoryContext old;

	read_query(psprintf("SELECT s.relation::pg_catalog.oid, s.user_column, s.item_column, "
						"s.time_column, s.event_column, s.weight_column, s.event, s.event_weights, s.context_columns "
						"FROM %s s ORDER BY s.position",
						rec_definition_table(definition, "source")));
	old = MemoryContextSwitchTo(definition->context);
	definition->sources = palloc_array(RecSource, SPI_processed + 1);
	for (uint64 i = 0; i < SPI_processed; i++)
		read_source(&definition->sources[i], SPI_tuptable->vals[i]);
	definition->nsources = (int) SPI_processed;
	number_contexts(definition);
	MemoryContextSwitchTo(old);
}

/* A column of names of the row at hand, NULL for a null. */
static ArrayType *
names_column(HeapTuple row, int column)
{
	bool		isnull;
	Datum		names = SPI_getbinval(row, SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? NULL : DatumGetArrayTypeP(names);
}

/* Reads the row of the relation of items, if there is one. */
static void
read_items(RecDefinition *definition)
{
	RecItemSource *items;
	HeapTuple	row;
	Datum		value;
	bool		isnull;
	MemoryContext old;

	read_query(psprintf("SELECT s.relation::pg_catalog.oid, s.item_column, s.feature_columns, "
						"s.text_columns, s.available_column, s.created_column, s.group_column, s.options "
						"FROM %s s",
						rec_definition_table(definition, "item_source")));
	if (SPI_processed == 0)
		return;
	if (SPI_processed > 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" must have one relation of items, not %llu",
						rec_definition_name(definition),
						(unsigned long long) SPI_processed),
				 errhint("Run recommender.set_items() again.")));
	row = SPI_tuptable->vals[0];
	old = MemoryContextSwitchTo(definition->context);
	items = palloc0_object(RecItemSource);
	items->relid = DatumGetObjectId(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
	items->item_column = text_column(row, 2);
	rec_items_set_columns(items, names_column(row, 3), names_column(row, 4));
	items->available_column = text_column(row, 5);
	items->created_column = text_column(row, 6);
	items->group_column = text_column(row, 7);
	value = SPI_getbinval(row, SPI_tuptable->tupdesc, 8, &isnull);
	if (items->item_column == NULL || isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a relation of items must have an item column and options")));
	rec_items_set_options(items, DatumGetJsonbP(value));
	definition->items = items;
	MemoryContextSwitchTo(old);
}

static void
table_damaged(const char *table, Oid schema)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" of recommender \"%s\" is not as create_recommender() makes it",
					table, get_namespace_name(schema)),
			 errhint("Mend it, or drop the recommender and create it again.")));
}

/* True when a table's columns of ids, if it has any, are of the items' type. */
static bool
ids_fit(Oid relid, Oid item_type)
{
	AttrNumber	item_id = get_attnum(relid, "item_id");
	AttrNumber	nearest = get_attnum(relid, "nearest");

	return (item_id == InvalidAttrNumber || get_atttype(relid, item_id) == item_type) &&
		(nearest == InvalidAttrNumber || get_atttype(relid, nearest) == get_array_type(item_type));
}

/* Refuses a table, which is locked, that is not as it was made. */
void
rec_definition_check_table(const RecDefinition *definition, const char *table)
{
	if (rec_layout_damage(definition->schema, table) ||
		!ids_fit(get_relname_relid(table, definition->schema), definition->item_type))
		table_damaged(table, definition->schema);
}

/* The types of ids are those of the recommender's own columns. */
static void
find_types(RecDefinition *definition)
{
	RecColumn	item = rec_column_lookup(definition->tables[REC_TABLE_ITEM], "item_id");
	RecColumn	user;
	Oid			row = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									  CStringGetDatum("user_recommendation"),
									  ObjectIdGetDatum(definition->schema));

	if (!OidIsValid(row) || !OidIsValid(get_typ_typrelid(row)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type \"user_recommendation\" of recommender \"%s\" does not exist",
						rec_definition_name(definition))));
	user = rec_column_lookup(get_typ_typrelid(row), "user_id");
	if (!ids_fit(definition->tables[REC_TABLE_NEIGHBOR], item.type))
		table_damaged("neighbor", definition->schema);
	if (!ids_fit(definition->tables[REC_TABLE_ITEM_FEATURE], item.type))
		table_damaged("item_feature", definition->schema);
	definition->item_type = item.type;
	definition->item_collation = item.collation;
	get_typlenbyvalalign(item.type, &definition->item_typlen, &definition->item_typbyval,
						 &definition->item_typalign);
	definition->user_type = user.type;
	definition->user_collation = user.collation;
}

/*
 * Keeps a recommender's tables as they are until the transaction ends, and
 * hears of what was changed before.
 */
static void
lock_tables(Oid schema)
{
	for (int i = 0; i < REC_NTABLES; i++)
		(void) rec_table_lock(schema, rec_table_names[i]);
	AcceptInvalidationMessages();	/* a lock that was held before brings none */
}

/* Locks the tables of a definition that is kept, of which it knows where they are. */
static void
lock_known_tables(const RecDefinition *definition)
{
	for (int i = 0; i <= REC_TABLE_NEIGHBOR; i++)
		LockRelationOid(definition->tables[i], AccessShareLock);
	AcceptInvalidationMessages();
}

static RecDefinition *
begin_definition(Oid schema)
{
	const char *damage = rec_layout_damage(schema, NULL);
	MemoryContext context;
	RecDefinition *definition;

	if (!SearchSysCacheExists1(NAMESPACEOID, ObjectIdGetDatum(schema)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the recommender does not exist any more")));
	if (damage)
		table_damaged(damage, schema);
	context = AllocSetContextCreate(CacheMemoryContext, "recommender definition",
									ALLOCSET_SMALL_SIZES);
	definition = MemoryContextAllocZero(context, sizeof(RecDefinition));

	definition->context = context;
	definition->schema = schema;
	definition->serial = ++last_serial;
	definition->valid = true;	/* until something changes, also while it is
								 * read */
	for (int i = 0; i < REC_NTABLES; i++)
		definition->tables[i] = get_relname_relid(rec_table_names[i], schema);
	return definition;
}

/*
 * Reads all, as the owner, because even a plain SELECT can run functions of the
 * owner's, in the predicate of an index for instance.  An error leaves the
 * half-read entry for the next try to retire.
 */
static void
read_definition(RecDefinition *definition)
{
	RecCaller	caller;

	rec_be_owner(definition, &caller);
	SPI_connect();
	PushActiveSnapshot(GetCatalogSnapshot(definition->tables[REC_TABLE_DEFINITION]));
	find_types(definition);
	read_items(definition);
	read_options(definition);
	read_sources(definition);
	PopActiveSnapshot();
	SPI_finish();
	rec_be_caller(&caller);
}

/*
 * Gives the definition of the recommender in a schema, from the cache when
 * nothing changed.  It stays readable until the end of the transaction.
 */
RecDefinition *
rec_definition_get(Oid schema)
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
	lock_tables(schema);
	definition = begin_definition(schema);
	entry = definition_table_insert(definitions, schema, &found);
	if (found && entry->definition)
		retire(entry->definition);
	entry->definition = definition;
	read_definition(definition);
	definition->complete = true;
	return definition;
}

/* Gives a recommender's definition; an ERROR with the closest name if none. */
RecDefinition *
rec_definition_by_name(const char *name)
{
	Oid			schema = get_namespace_oid(name, true);

	if (!OidIsValid(schema) || !rec_schema_is_recommender(schema))
		recommender_missing(name);
	return rec_definition_get(schema);
}

/*
 * Gives the recommender in whose schema a row type is; an ERROR when it is no
 * row type, or the schema no recommender.
 */
RecDefinition *
rec_definition_of_row(Oid row_type)
{
	Oid			relid = get_typ_typrelid(row_type);

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the first argument must be a null of a recommender's row type, such as NULL::recs.recommendation")));
	return rec_definition_get(get_rel_namespace(relid));
}

/*
 * Keeps others from writing the definition, or refreshing, until the end of
 * the transaction; gives the definition as it is after the wait.  The command
 * is named in the error of a transaction that may not write.
 */
RecDefinition *
rec_definition_lock(RecDefinition *definition, const char *command)
{
	PreventCommandIfReadOnly(command);
	LockRelationOid(definition->tables[REC_TABLE_DEFINITION], ShareUpdateExclusiveLock);
	return rec_definition_get(definition->schema);
}

/* Tells all backends, at commit, that a definition was written. */
void
rec_definition_changed(Oid schema)
{
	CommandCounterIncrement();
	CacheInvalidateRelcacheByRelid(get_relname_relid("definition", schema));
	CommandCounterIncrement();
}

/* Refuses to go on without the relation of items that there was. */
void
rec_definition_check_items(const RecDefinition *definition)
{
	if (get_rel_name(definition->items->relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the relation of items of recommender \"%s\" does not exist any more",
						rec_definition_name(definition)),
				 errdetail("It was the relation with OID %u.", definition->items->relid),
				 errhint("Run SELECT recommender.remove_items(%s), or name another one with set_items().",
						 quote_literal_cstr(rec_definition_name(definition)))));
}

/* Gives items' ids, none of them null, as an array. */
Datum
rec_id_array(const RecDefinition *definition, const Datum *ids, int n)
{
	Datum	   *elements = palloc_extended(mul_size(Max(n, 1), sizeof(Datum)), MCXT_ALLOC_HUGE);
	ArrayType  *array;

	/* construct_array() puts aligned copies in the place of what it is given */
	memcpy(elements, ids, n * sizeof(Datum));
	array = construct_array(elements, n, definition->item_type, definition->item_typlen,
							definition->item_typbyval, definition->item_typalign);
	pfree(elements);
	return PointerGetDatum(array);
}
