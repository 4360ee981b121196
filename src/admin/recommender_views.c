/*-------------------------------------------------------------------------
 *
 * recommender_views.c
 *	  All recommenders of a database at a glance, and refreshing them all.
 *
 * There is no registry: recommenders are found in the catalogs by what their
 * schemas contain, and one whose tables the caller may not read is not shown.
 * The catalogs tell who owns and who may read before any table is opened, and
 * no lock is waited for, so that a stranger's tables are in nobody's way.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/recommender_views.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "definition/definition.h"
#include "definition/definition_cache.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/refresh.h"
#include "options/options_write.h"
#include "pg/owner.h"
#include "pg/spi.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#if PG_VERSION_NUM >= 160000
#define pg_namespace_aclcheck_compat(schema, role, mode) \
	object_aclcheck(NamespaceRelationId, schema, role, mode)
#else
#define pg_namespace_aclcheck_compat(schema, role, mode) \
	pg_namespace_aclcheck(schema, role, mode)
#endif

#define OVERVIEW_NCOLS		9	/* columns of view recommenders */

/*
 * True when a schema that has the tables of a recommender is one.  When it has
 * several owners, the owner of the schema gets a warning, and nobody else, as
 * anybody who may create tables in it can bring that about.
 */
static bool
has_one_owner(Oid schema)
{
	char	   *stranger = rec_layout_stranger(schema);

	if (stranger && has_privs_of_role(GetUserId(), rec_layout_schema_owner(schema)))
		ereport(WARNING,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("recommender \"%s\" has more than one owner and is left out",
						rec_layout_schema_name(schema)),
				 errdetail("%s", stranger)));
	return stranger == NULL;
}

/* True when the caller may read a table of a recommender; locks nothing. */
static bool
may_read(Oid schema, const char *table)
{
	Oid			relid = get_relname_relid(table, schema);

	return OidIsValid(relid) &&
		pg_namespace_aclcheck_compat(schema, GetUserId(), ACL_USAGE) == ACLCHECK_OK &&
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

static Datum
source_array(const RecDefinition *definition)
{
	Datum	   *relations = palloc_array(Datum, definition->nsources + 1);

	for (int i = 0; i < definition->nsources; i++)
		relations[i] = ObjectIdGetDatum(definition->sources[i].relid);
	return PointerGetDatum(construct_array(relations, definition->nsources, REGCLASSOID,
										   sizeof(Oid), true, TYPALIGN_INT));
}

/*
 * End a subtransaction that failed and make its error a warning that names
 * the recommender.  A cancel stays an error.
 */
static void
warn_and_roll_back(MemoryContext mcxt, ResourceOwner owner, const char *format,
				   const char *name)
{
	ErrorData  *error;

	MemoryContextSwitchTo(mcxt);
	error = CopyErrorData();
	FlushErrorState();
	RollbackAndReleaseCurrentSubTransaction();
	CurrentResourceOwner = owner;
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		ReThrowError(error);
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg_internal(format, name, error->message),
			 error->hint ? errhint("%s", error->hint) : 0));
}

/* What to show of recommenders, and where. */
typedef struct Overview
{
	ReturnSetInfo *rsinfo;
	RecTable	table;			/* rows of one of their tables ... */
	const char *columns;		/* ... these columns ... */
	const char *order;			/* ... in this order */
} Overview;

/* Write the row of view recommenders of one recommender. */
static void
write_overview(const Overview *overview, const RecDefinition *definition)
{
	ReturnSetInfo *rsinfo = overview->rsinfo;
	Datum		values[OVERVIEW_NCOLS];
	bool		nulls[OVERVIEW_NCOLS] = {0};
	HeapTuple	tuple;
	TupleDesc	desc;

	rec_spi_select(psprintf("SELECT n.nspowner::pg_catalog.regrole, d.generation, d.refreshed_at, d.items "
							"FROM %s d, pg_catalog.pg_namespace n WHERE n.oid OPERATOR(pg_catalog.=) %u",
							rec_definition_table(definition, REC_TABLE_DEFINITION), definition->schema));
	if (SPI_processed != 1)
		return;
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	values[0] = CStringGetTextDatum(rec_definition_name(definition));
	values[1] = SPI_getbinval(tuple, desc, 1, &nulls[1]);
	values[2] = source_array(definition);
	values[3] = JsonbPGetDatum(rec_options_write(&definition->options,
												 REC_SCOPE_BUILD | REC_SCOPE_SERVE));
	values[4] = SPI_getbinval(tuple, desc, 2, &nulls[4]);
	values[5] = SPI_getbinval(tuple, desc, 3, &nulls[5]);
	values[6] = SPI_getbinval(tuple, desc, 4, &nulls[6]);
	values[7] = CStringGetTextDatum("the user's own interactions, exclusions, which items there are, available or filtered, new items, trending items");
	values[8] = CStringGetTextDatum("neighbours by behaviour and by content, factors, lifts of the context, popularity, the trend in a blend");
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Write all rows of one of a recommender's tables, its name before them. */
static void
write_table(const Overview *overview, const RecDefinition *definition)
{
	ReturnSetInfo *rsinfo = overview->rsinfo;
	int			natts = rsinfo->setDesc->natts;
	Datum	   *values = palloc0_array(Datum, natts);
	bool	   *nulls = palloc0_array(bool, natts);

	rec_spi_select(psprintf("SELECT %s FROM %s t ORDER BY %s", overview->columns,
							rec_definition_table(definition, overview->table), overview->order));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		values[0] = CStringGetTextDatum(rec_definition_name(definition));
		for (int c = 1; c < natts; c++)
			values[c] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, c, &nulls[c]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/*
 * Lock the tables of a recommender, or fail: whoever locks tables of their own
 * keeps nobody else waiting.  From here on to the end of the level of settings,
 * which is returned, a lock that is not to be had at once is an error.
 */
static int
wait_for_no_lock(const char *name)
{
	int			nest = NewGUCNestLevel();

	rec_layout_lock_at_once(get_namespace_oid(name, false));
	rec_owner_set("lock_timeout", "1ms");	/* of indexes, for instance */
	return nest;
}

/* Write what is to be shown of one recommender, read as its owner. */
static void
write_recommender(const Overview *overview, const char *name)
{
	int			nest = wait_for_no_lock(name);
	RecDefinition *definition = rec_definition_cache_get(get_namespace_oid(name, false));
	RecCaller	caller;

	rec_owner_become(rec_definition_owner(definition), REC_VISIBLE_ROWS, &caller);
	SPI_connect();
	if (overview->columns)
		write_table(overview, definition);
	else
		write_overview(overview, definition);
	SPI_finish();
	rec_owner_return(&caller);
	AtEOXact_GUC(false, nest);
}

/* An error in one recommender is a warning and hides no other one. */
static void
try_recommender(const Overview *overview, const char *name)
{
	MemoryContext mcxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(mcxt);
	PG_TRY();
	{
		write_recommender(overview, name);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		warn_and_roll_back(mcxt, owner, "recommender \"%s\" cannot be shown: %s", name);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(mcxt);
	CurrentResourceOwner = owner;
}

/*
 * Show all recommenders of which the caller may read the table.  What the
 * caller has no rights to is neither opened nor locked.
 */
static Datum
write_recommenders(FunctionCallInfo fcinfo, Overview *overview)
{
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	overview->rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	foreach(cell, rec_layout_recommender_names())
	{
		Oid			schema = get_namespace_oid(lfirst(cell), true);

		if (OidIsValid(schema) && may_read(schema, rec_layout_table_names[overview->table]) &&
			(overview->columns || may_read(schema, "source")) && has_one_owner(schema))
			try_recommender(overview, lfirst(cell));
	}
	return (Datum) 0;
}

/* recommender_list(): the rows of view recommenders. */
PG_FUNCTION_INFO_V1(rec_recommender_list);
Datum
rec_recommender_list(PG_FUNCTION_ARGS)
{
	Overview	overview = {0};

	overview.table = REC_TABLE_DEFINITION;
	return write_recommenders(fcinfo, &overview);
}

/* refresh_run_list(): the rows of view refresh_runs. */
PG_FUNCTION_INFO_V1(rec_refresh_run_list);
Datum
rec_refresh_run_list(PG_FUNCTION_ARGS)
{
	Overview	overview = {0};

	overview.table = REC_TABLE_REFRESH_RUN;
	overview.columns = "t.generation, t.mode, t.started_at, t.finished_at, t.interactions, "
		"t.users, t.items, t.neighbors, t.null_keys, t.without_weight, t.read_ms, "
		"t.build_ms, t.write_ms, t.memory_bytes, t.model_bytes, t.options";
	overview.order = "t.generation";
	return write_recommenders(fcinfo, &overview);
}

/* evaluation_list(): the rows of view evaluations. */
PG_FUNCTION_INFO_V1(rec_evaluation_list);
Datum
rec_evaluation_list(PG_FUNCTION_ARGS)
{
	Overview	overview = {0};

	overview.table = REC_TABLE_EVALUATION;
	overview.columns = "t.run, t.evaluated_at, t.settings, t.options, t.strategy, t.segment, "
		"t.metric, t.k, t.value, t.ci_low, t.ci_high, t.users";
	overview.order = "t.run, t.strategy, t.segment, t.metric, t.k";
	return write_recommenders(fcinfo, &overview);
}

/* ----------------
 *		refresh_all
 * ----------------
 */

/* True when a recommender's last refresh is older than max_age, or was never. */
static bool
is_due(const RecDefinition *definition, const Interval *max_age)
{
	Oid			types[1] = {INTERVALOID};
	Datum		values[1];
	bool		isnull;
	bool		due;
	RecCaller	caller;

	if (max_age == NULL)
		return true;
	values[0] = IntervalPGetDatum(max_age);
	rec_owner_become(rec_definition_owner(definition), REC_VISIBLE_ROWS, &caller);
	rec_spi_execute(psprintf("SELECT coalesce(d.refreshed_at OPERATOR(pg_catalog.<) ("
							 "pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) $1), true) FROM %s d",
							 rec_definition_table(definition, REC_TABLE_DEFINITION)),
					1, types, values, NULL, true, SPI_OK_SELECT);
	due = SPI_processed == 1 &&
		DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	rec_owner_return(&caller);
	return due;
}

/*
 * Return the definition of a recommender, NULL when it is not due.  A refresh
 * waits for another one, but not for a session that locks all tables.
 */
static RecDefinition *
due_definition(const char *name, const Interval *max_age)
{
	int			nest = wait_for_no_lock(name);
	RecDefinition *definition = rec_definition_cache_by_name(name);
	bool		due = is_due(definition, max_age);

	AtEOXact_GUC(false, nest);
	return due ? definition : NULL;
}

/* Refresh one recommender if it is due; an error becomes a warning. */
static bool
refresh_one(const char *name, const Interval *max_age)
{
	MemoryContext mcxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(mcxt);
	PG_TRY();
	{
		RecDefinition *definition = due_definition(name, max_age);

		if (definition)
			rec_refresh_model(definition, false);
		ReleaseCurrentSubTransaction();
		done = true;
	}
	PG_CATCH();
	{
		warn_and_roll_back(mcxt, owner, "recommender \"%s\" was not refreshed: %s", name);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(mcxt);
	CurrentResourceOwner = owner;
	return done;
}

static bool
may_refresh(const char *name)
{
	Oid			schema = get_namespace_oid(name, true);

	return OidIsValid(schema) && rec_layout_damage(schema, NULL) == NULL &&
		has_privs_of_role(GetUserId(), rec_layout_schema_owner(schema)) &&
		has_one_owner(schema);
}

/*
 * refresh_all(max_age): refreshes all recommenders that the caller owns and
 * whose last refresh is older than max_age, committing after each.  One that
 * fails is a warning and does not stop the others; the end is then an ERROR.
 */
PG_FUNCTION_INFO_V1(rec_refresh_all);
Datum
rec_refresh_all(PG_FUNCTION_ARGS)
{
	bool		atomic = !(fcinfo->context && IsA(fcinfo->context, CallContext) &&
						   !((CallContext *) fcinfo->context)->atomic);
	Interval   *max_age = PG_ARGISNULL(0) ? NULL : PG_GETARG_INTERVAL_P(0);
	List	   *names;
	ListCell   *cell;
	MemoryContext mcxt;
	int			tried = 0;
	int			failed = 0;

	if (atomic)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("refresh_all cannot run inside a transaction block, because it commits after each recommender"),
				 errhint("CALL it by itself, or use refresh() in the transaction.")));
	PreventCommandIfReadOnly("refresh_all()");
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	mcxt = AllocSetContextCreate(PortalContext, "recommender refresh_all",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(mcxt);
	names = rec_layout_recommender_names();
	if (max_age)
	{
		Interval   *copy = palloc_object(Interval);

		*copy = *max_age;
		max_age = copy;
	}
	foreach(cell, names)
	{
		MemoryContextSwitchTo(mcxt);
		CHECK_FOR_INTERRUPTS();
		if (!may_refresh(lfirst(cell)))
			continue;
		tried++;
		PushActiveSnapshot(GetTransactionSnapshot());
		if (!refresh_one(lfirst(cell), max_age))
			failed++;
		if (ActiveSnapshotSet())
			PopActiveSnapshot();
		SPI_commit();
	}
	SPI_finish();
	if (failed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%d of %d recommenders were not refreshed", failed, tried),
				 errdetail("The warnings above say why; the others are refreshed.")));
	PG_RETURN_VOID();
}
