/*-------------------------------------------------------------------------
 *
 * overview.c
 *	  All recommenders of a database at a glance, and refreshing them all.
 *
 * There is no registry: recommenders are found in the catalogs by what their
 * schemas contain, and one whose tables the caller may not read is not shown.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/overview.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "definition.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model.h"
#include "sqlutil.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define OVERVIEW_NCOLS		9	/* columns of view recommenders */
#define RUN_NCOLS			17	/* columns of view refresh_runs */

static bool
may_read(Oid schema)
{
	static const char *const tables[] = {"definition", "source", "refresh_run"};

	if (get_relname_relid("refresh_run", schema) == InvalidOid)
		return false;
	for (int i = 0; i < (int) lengthof(tables); i++)
		if (pg_class_aclcheck(get_relname_relid(tables[i], schema), GetUserId(),
							  ACL_SELECT) != ACLCHECK_OK)
			return false;
	return true;
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

static void
write_overview(ReturnSetInfo *rsinfo, const char *name)
{
	RecDefinition *definition = rec_definition_get(get_namespace_oid(name, false));
	Datum		values[OVERVIEW_NCOLS];
	bool		nulls[OVERVIEW_NCOLS] = {0};
	HeapTuple	tuple;
	TupleDesc	desc;

	SPI_connect();
	if (SPI_execute(psprintf("SELECT n.nspowner::pg_catalog.regrole, d.generation, d.refreshed_at, d.items "
							 "FROM %s d, pg_catalog.pg_namespace n WHERE n.oid OPERATOR(pg_catalog.=) %u",
							 rec_definition_table(definition, "definition"),
							 definition->schema), true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read a recommender's definition");
	if (SPI_processed == 1)
	{
		tuple = SPI_tuptable->vals[0];
		desc = SPI_tuptable->tupdesc;
		values[0] = CStringGetTextDatum(name);
		values[1] = SPI_getbinval(tuple, desc, 1, &nulls[1]);
		values[2] = source_array(definition);
		values[3] = JsonbPGetDatum(rec_options_to_jsonb(&definition->options,
														REC_SCOPE_BUILD | REC_SCOPE_SERVE));
		values[4] = SPI_getbinval(tuple, desc, 2, &nulls[4]);
		values[5] = SPI_getbinval(tuple, desc, 3, &nulls[5]);
		values[6] = SPI_getbinval(tuple, desc, 4, &nulls[6]);
		values[7] = CStringGetTextDatum("the user's own interactions, exclusions, trending items");
		values[8] = CStringGetTextDatum("neighbours, popularity, the trend in a blend");
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	SPI_finish();
}

/* recommender_list(): the rows of view recommenders. */
PG_FUNCTION_INFO_V1(rec_recommender_list);
Datum
rec_recommender_list(PG_FUNCTION_ARGS)
{
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach(cell, rec_recommender_names())
	{
		const char *name = lfirst(cell);

		if (may_read(get_namespace_oid(name, false)))
			write_overview((ReturnSetInfo *) fcinfo->resultinfo, name);
	}
	return (Datum) 0;
}

static void
write_runs(ReturnSetInfo *rsinfo, const char *name)
{
	Datum		values[RUN_NCOLS];
	bool		nulls[RUN_NCOLS] = {0};

	SPI_connect();
	if (SPI_execute(psprintf("SELECT r.generation, r.mode, r.started_at, r.finished_at, r.interactions, "
							 "r.users, r.items, r.neighbors, r.null_keys, r.without_weight, r.read_ms, "
							 "r.build_ms, r.write_ms, r.memory_bytes, r.model_bytes, r.options "
							 "FROM %s r ORDER BY r.generation",
							 quote_qualified_identifier(name, "refresh_run")),
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read a recommender's runs");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		values[0] = CStringGetTextDatum(name);
		for (int c = 1; c < RUN_NCOLS; c++)
			values[c] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, c, &nulls[c]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	SPI_finish();
}

/* refresh_run_list(): the rows of view refresh_runs. */
PG_FUNCTION_INFO_V1(rec_refresh_run_list);
Datum
rec_refresh_run_list(PG_FUNCTION_ARGS)
{
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach(cell, rec_recommender_names())
	{
		const char *name = lfirst(cell);

		if (may_read(get_namespace_oid(name, false)))
			write_runs((ReturnSetInfo *) fcinfo->resultinfo, name);
	}
	return (Datum) 0;
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

	if (max_age == NULL)
		return true;
	values[0] = IntervalPGetDatum(max_age);
	if (SPI_execute_with_args(psprintf("SELECT coalesce(d.refreshed_at OPERATOR(pg_catalog.<) ("
									   "pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) $1), true) FROM %s d",
									   rec_definition_table(definition, "definition")),
							  1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read a recommender's definition");
	return SPI_processed == 1 &&
		DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/* Refreshes one recommender if it is due; an error becomes a warning. */
static bool
refresh_one(const char *name, const Interval *max_age)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		RecDefinition *definition = rec_definition_by_name(name);

		if (is_due(definition, max_age))
			rec_model_refresh(definition, false);
		ReleaseCurrentSubTransaction();
		done = true;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		{
			CurrentResourceOwner = owner;
			ReThrowError(error);
		}
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("recommender \"%s\" was not refreshed: %s", name, error->message),
				 error->hint ? errhint("%s", error->hint) : 0));
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return done;
}

static bool
may_refresh(const char *name)
{
	Oid			schema = get_namespace_oid(name, true);

	return OidIsValid(schema) && rec_schema_is_recommender(schema) &&
		has_privs_of_role(GetUserId(), rec_schema_owner(schema));
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
	MemoryContext context;
	int			failed = 0;

	if (atomic)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("refresh_all cannot run inside a transaction block, because it commits after each recommender"),
				 errhint("CALL it by itself, or use refresh() in the transaction.")));
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	context = AllocSetContextCreate(PortalContext, "recommender refresh_all",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	names = rec_recommender_names();
	if (max_age)
	{
		Interval   *copy = palloc_object(Interval);

		*copy = *max_age;
		max_age = copy;
	}
	foreach(cell, names)
	{
		MemoryContextSwitchTo(context);
		CHECK_FOR_INTERRUPTS();
		if (!may_refresh(lfirst(cell)))
			continue;
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
				 errmsg("%d of %d recommenders were not refreshed", failed, list_length(names)),
				 errdetail("The warnings above say why; the others are refreshed.")));
	PG_RETURN_VOID();
}
