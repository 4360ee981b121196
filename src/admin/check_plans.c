/*-------------------------------------------------------------------------
 *
 * check_plans.c
 *	  What check_recommender() finds about the plans of queries that serve.
 *
 * Whether an index is used shows in the plan alone: a view may hide the column,
 * a cast may hide it, too.  So the queries of a call are planned as a call plans
 * them, without values, and the plans are searched for sequential scans of
 * relations that are not small.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/check_plans.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "admin/check_plans.h"
#include "definition/source.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

/* a sequential scan of so many bytes is not worth a word: a millisecond or less */
#define SMALL_RELATION		(512 * 1024)

/* The largest relation that a plan reads wholly. */
typedef struct WholeRead
{
	PlannedStmt *statement;
	Oid			relid;			/* InvalidOid for none */
	int64		bytes;
} WholeRead;

static void search_plan(WholeRead *read, Plan *plan);

static void
search_plans(WholeRead *read, List *plans)
{
	ListCell   *cell;

	foreach(cell, plans)
		search_plan(read, (Plan *) lfirst(cell));
}

static void
take_scan(WholeRead *read, const Scan *scan)
{
	Oid			relid = rt_fetch(scan->scanrelid, read->statement->rtable)->relid;
	int64		bytes = DatumGetInt64(DirectFunctionCall2(pg_relation_size, ObjectIdGetDatum(relid),
														  CStringGetTextDatum("main")));

	if (bytes <= read->bytes)
		return;
	read->relid = relid;
	read->bytes = bytes;
}

/* True for a scan of an index from its beginning to its end. */
static bool
scans_whole_index(Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_IndexScan:
			return ((IndexScan *) plan)->indexqual == NIL;
		case T_IndexOnlyScan:
			return ((IndexOnlyScan *) plan)->indexqual == NIL;
		default:
			return false;
	}
}

static void
search_plan(WholeRead *read, Plan *plan)
{
	if (plan == NULL)
		return;
	if (IsA(plan, SeqScan) || scans_whole_index(plan))
		take_scan(read, (Scan *) plan);
	else if (IsA(plan, Append))
		search_plans(read, ((Append *) plan)->appendplans);
	else if (IsA(plan, MergeAppend))
		search_plans(read, ((MergeAppend *) plan)->mergeplans);
	else if (IsA(plan, SubqueryScan))
		search_plan(read, ((SubqueryScan *) plan)->subplan);
	search_plan(read, plan->lefttree);
	search_plan(read, plan->righttree);
}

/* Plan a query of one parameter and find what it reads wholly; true when large. */
static bool
reads_whole(const char *query, Oid type, WholeRead *read)
{
	SPIPlanPtr	plan = rec_spi_prepare(query, 1, &type, CURSOR_OPT_GENERIC_PLAN);
	CachedPlan *cached = SPI_plan_get_cached_plan(plan);
	ListCell   *cell;

	read->relid = InvalidOid;
	read->bytes = SMALL_RELATION;
	if (cached == NULL)
		return false;
	foreach(cell, cached->stmt_list)
	{
		read->statement = lfirst_node(PlannedStmt, cell);
		search_plan(read, read->statement->planTree);
		search_plans(read, read->statement->subplans);
	}
	ReleaseCachedPlan(cached, NULL);
	SPI_freeplan(plan);
	return OidIsValid(read->relid);
}

/* The rows of one user, as each call for a user reads them. */
void
rec_check_plans_source(RecFindings *findings, const RecSource *source)
{
	RecDefinition *definition = findings->definition;
	RecRowFormat format;
	WholeRead	read;
	char	   *where = psprintf("i.%s %s $1", quote_identifier(source->user_column),
								 rec_relation_equality_operator(definition->user_type));

	if (reads_whole(rec_source_query(definition, source, where, &format), definition->user_type, &read))
		rec_findings_add(findings, "warning", "slow_history",
						 psprintf("Look at EXPLAIN SELECT * FROM %s WHERE %s = ... An index is used when a view returns the user's column of a table as it is, without an expression.",
								  rec_relation_quoted(source->relid), quote_identifier(source->user_column)),
						 "to read one user's rows of %s, the plan reads all of %s",
						 rec_relation_quoted(source->relid), rec_relation_quoted(read.relid));
}

/* The rows of some items, as each call looks them up. */
void
rec_check_plans_items(RecFindings *findings, const RecItemSource *items)
{
	Oid			type = findings->definition->item_type;
	const char *id = quote_identifier(items->item_column);
	WholeRead	read;

	if (reads_whole(psprintf("SELECT i.%s FROM %s i WHERE i.%s %s ANY ($1)", id,
							 rec_relation_quoted(items->relid), id, rec_relation_equality_operator(type)),
					get_array_type(type), &read))
		rec_findings_add(findings, "warning", "slow_items",
						 psprintf("Look at EXPLAIN SELECT * FROM %s WHERE %s = ... An index is used when a view returns the column of a table as it is, without an expression.",
								  rec_relation_quoted(items->relid), id),
						 "to look up items of %s, the plan reads all of %s",
						 rec_relation_quoted(items->relid), rec_relation_quoted(read.relid));
}
