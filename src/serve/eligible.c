/*-------------------------------------------------------------------------
 *
 * eligible.c
 *	  Eligible items: they exist, are available, and pass the filter.
 *
 * With a relation of items, an item is eligible if there is a row of its id now
 * whose available_column is true and for which the filter holds.  Two queries
 * find such rows, with the caller's rights and snapshot:
 *
 *	check	SELECT i.id::type FROM (SELECT i.id, i.available, i.... FROM items i
 *			WHERE i.id = ANY ($n) OFFSET 0) i WHERE true AND i.available AND (...)
 *	list	SELECT i.id::type FROM items i WHERE true AND i.available AND (...)
 *
 * The check is for items at hand, a few dozen or thousand.  The list is for
 * filters that so few items pass that it is quicker to list these.
 *
 * The text of a query depends on the shape of the filter and not on its
 * values, so that plans are kept (plan_cache.c).  The check is planned once, as
 * the index on the ids is the best one whatever the filter; the list is planned
 * for the values of each call, so that it uses the best index for them.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/eligible.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "definition/item_source.h"
#include "definition/plan_cache.h"
#include "miscadmin.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "serve/eligible.h"
#include "serve/filter.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define LIST_ROWS		1000	/* ids that are fetched from a list at a time */
#define MIN_SAMPLE		200		/* checked items by which to estimate how many
								 * pass */

/*
 * Cost of looking up an item by an index, in the planner's units.  The planner
 * would assume four or five, for a page from disk; but pages that are looked up
 * all the time are in memory.
 */
#define LOOKUP_COST		1.0

struct RecEligible
{
	RecDefinition *definition;
	char	   *condition;		/* " AND ..." on a row; "" for none */
	RecFilter	filter;			/* and its parameters */
	List	   *columns;		/* that are read: the id first */
	Portal		list;			/* open when not NULL */
	int64		nchecked;		/* ids until now ... */
	int64		npassed;		/* ... and how many are eligible */
};

/* ----------------
 *		conditions
 * ----------------
 */

static void
refuse_filter(const RecDefinition *definition)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("recommender \"%s\" has no relation of items to filter by",
					rec_definition_name(definition)),
			 errhint("Name it with recommender.set_items(%s, ...).",
					 quote_literal_cstr(rec_definition_name(definition)))));
}

/* Return the names of the columns that the condition needs, the id first. */
static List *
read_columns(const RecEligible *eligible)
{
	const RecItemSource *items = eligible->definition->items;
	List	   *columns = rec_filter_add_name(NIL, items->item_column);
	ListCell   *cell;

	if (items->available_column)
		columns = rec_filter_add_name(columns, items->available_column);
	foreach(cell, eligible->filter.columns)
		columns = rec_filter_add_name(columns, lfirst(cell));
	return columns;
}

/*
 * Return what finds eligible items: NULL when all are, as there is no relation
 * of items.  A filter, which may be NULL, is an ERROR then.
 */
RecEligible *
rec_eligible_create(RecDefinition *definition, Jsonb *filter)
{
	const RecItemSource *items = definition->items;
	RecEligible *eligible;
	StringInfoData condition;

	if (items == NULL && filter)
		refuse_filter(definition);
	if (items == NULL)
		return NULL;
	rec_definition_check_items(definition);
	eligible = palloc0_object(RecEligible);
	eligible->definition = definition;
	initStringInfo(&condition);
	if (items->available_column)
	{
		rec_item_source_check_available(items);
		appendStringInfo(&condition, " AND i.%s", quote_identifier(items->available_column));
	}
	if (filter)
	{
		rec_filter_parse(&eligible->filter, items->relid, filter);
		appendStringInfo(&condition, " AND (%s)", eligible->filter.condition);
	}
	eligible->condition = condition.data;
	eligible->columns = read_columns(eligible);
	return eligible;
}

/* ----------------
 *		queries
 * ----------------
 */

static void
check_id_type(const RecDefinition *definition)
{
	const RecItemSource *items = definition->items;

	rec_relation_check_same_type(items->relid, items->item_column, definition->item_type);
}

/* Return the ids of the last query, without nulls, and their number. */
static Datum *
result_ids(const RecDefinition *definition, int *n)
{
	TupleDesc	desc = SPI_tuptable->tupdesc;
	Datum	   *ids = palloc_extended(mul_size(SPI_processed + 1, sizeof(Datum)),
									  MCXT_ALLOC_HUGE);

	/* the table may have been altered since the definition was read */
	if (getBaseType(SPI_gettypeid(desc, 1)) != definition->item_type)
		elog(ERROR, "the type of the items' ids has changed");
	*n = 0;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		id = SPI_getbinval(SPI_tuptable->vals[i], desc, 1, &isnull);

		if (!isnull)
			ids[(*n)++] = id;
	}
	return ids;
}

/*
 * Return the check's query.  The ids are the parameter after the filter's.
 * OFFSET 0 keeps the planner from using any index but that on the ids, as the
 * one plan is for all values.
 */
static char *
check_query(const RecEligible *eligible)
{
	const RecDefinition *definition = eligible->definition;
	const RecItemSource *items = definition->items;
	const char *id = quote_identifier(items->item_column);
	StringInfoData query;
	ListCell   *cell;

	check_id_type(definition);
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT i.%s::%s FROM (SELECT", id,
					 rec_relation_type_quoted(definition->item_type));
	foreach(cell, eligible->columns)
		appendStringInfo(&query, "%s i.%s", foreach_current_index(cell) > 0 ? "," : "",
						 quote_identifier(lfirst(cell)));
	appendStringInfo(&query, " FROM %s i WHERE i.%s %s ANY ($%d) OFFSET 0) i WHERE true%s",
					 rec_relation_quoted(items->relid), id,
					 rec_relation_equality_operator(definition->item_type),
					 eligible->filter.nvalues + 1, eligible->condition);
	return query.data;
}

/* Run the check's query. */
static void
run_check(RecEligible *eligible, const Datum *ids, int n)
{
	RecDefinition *definition = eligible->definition;
	const RecFilter *filter = &eligible->filter;
	RecQuery	query = {0};

	query.nargs = filter->nvalues + 1;
	query.types = palloc_array(Oid, query.nargs);
	query.values = palloc_array(Datum, query.nargs);
	if (filter->nvalues > 0)
	{
		memcpy(query.types, filter->types, filter->nvalues * sizeof(Oid));
		memcpy(query.values, filter->values, filter->nvalues * sizeof(Datum));
	}
	query.types[filter->nvalues] = get_array_type(definition->item_type);
	query.values[filter->nvalues] = rec_definition_id_array(definition, ids, n);
	query.text = check_query(eligible);
	rec_plan_cache_execute(definition, &query);
}

/* Set for each of n ids whether the item is eligible; SPI is connected. */
void
rec_eligible_check(RecEligible *eligible, const Datum *ids, int n, bool *marks)
{
	RecDefinition *definition = eligible->definition;
	RecDict    *found;
	Datum	   *rows;
	int			nrows;

	if (n == 0)
		return;
	run_check(eligible, ids, n);
	rows = result_ids(definition, &nrows);
	found = rec_definition_item_dictionary(definition, CurrentMemoryContext);
	for (int i = 0; i < nrows; i++)
		(void) rec_dictionary_intern(found, rows[i]);
	for (int i = 0; i < n; i++)
	{
		marks[i] = rec_dictionary_find(found, ids[i]) != REC_NOT_FOUND;
		eligible->npassed += marks[i];
	}
	eligible->nchecked += n;
	pfree(rows);
	SPI_freetuptable(SPI_tuptable);
}

/* Open the list, for the call's values, unless it is open already. */
static void
open_list(RecEligible *eligible)
{
	const RecItemSource *items = eligible->definition->items;
	RecQuery	query = {0};

	if (eligible->list)
		return;
	check_id_type(eligible->definition);
	query.text = psprintf("SELECT i.%s::%s FROM %s i WHERE true%s",
						  quote_identifier(items->item_column),
						  rec_relation_type_quoted(eligible->definition->item_type),
						  rec_relation_quoted(items->relid), eligible->condition);
	query.nargs = eligible->filter.nvalues;
	query.types = eligible->filter.types;
	query.values = eligible->filter.values;
	eligible->list = rec_plan_cache_open(eligible->definition, &query);
}

static void
close_list(RecEligible *eligible)
{
	SPI_cursor_close(eligible->list);
	eligible->list = NULL;
}

/* Return the cost of the list by the planner, and of looking up its items. */
static double
list_cost(const RecEligible *eligible)
{
	const Plan *plan = linitial_node(PlannedStmt, eligible->list->stmts)->planTree;

	return plan->total_cost + plan->plan_rows * LOOKUP_COST;
}

/*
 * Return whether listing all eligible items is better than checking the "next"
 * items to find those that are "wanted": by the fraction of those checked until
 * now there are not enough among them, or the list is cheap.
 */
bool
rec_eligible_are_rare(RecEligible *eligible, int64 wanted, int64 next)
{
	if (eligible->nchecked >= MIN_SAMPLE &&
		(double) next * eligible->npassed / eligible->nchecked < wanted)
		return true;
	open_list(eligible);
	if (list_cost(eligible) < next * 2 * LOOKUP_COST)
		return true;
	close_list(eligible);
	return false;
}

/*
 * Pass the ids of all eligible items to a function, some at a time, whether the
 * model knows them or not; SPI is connected.
 */
void
rec_eligible_list(RecEligible *eligible, RecTakeIds take, void *arg)
{
	Datum	   *ids;
	int			n;

	open_list(eligible);
	do
	{
		SPITupleTable *table;

		CHECK_FOR_INTERRUPTS();
		rec_spi_fetch(eligible->list, LIST_ROWS);
		table = SPI_tuptable;
		n = (int) SPI_processed;
		if (n > 0)
		{
			int			nids;

			ids = result_ids(eligible->definition, &nids);
			take(arg, ids, nids);
			pfree(ids);
		}
		SPI_freetuptable(table);
	} while (n == LIST_ROWS);
	close_list(eligible);
}

static void
intern_ids(void *arg, const Datum *ids, int n)
{
	for (int i = 0; i < n; i++)
		(void) rec_dictionary_intern((RecDict *) arg, ids[i]);
}

/* Return the ids of all eligible items; SPI is connected. */
RecDict *
rec_eligible_all(RecEligible *eligible)
{
	RecDict    *all = rec_definition_item_dictionary(eligible->definition, CurrentMemoryContext);

	rec_eligible_list(eligible, intern_ids, all);
	return all;
}
