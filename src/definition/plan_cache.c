/*-------------------------------------------------------------------------
 *
 * plan_cache.c
 *	  Plans of queries whose text depends on what a call asks for.
 *
 * A filter has as many shapes as applications think of, and each is another
 * query, with its values as parameters.  Each backend keeps the plans of the
 * last queries of a recommender, by their text, and lets go of the one that was
 * not used for longest when there are too many.  They live no longer than the
 * definition.
 *
 * A plan that runs is never let go of: a view of items may call a function
 * that asks for recommendations.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/plan_cache.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "definition/plan_cache.h"
#include "lib/ilist.h"
#include "pg/spi.h"
#include "utils/memutils.h"

#define MAX_PLANS		64		/* that a recommender keeps */
#define MAX_TEXT		8192	/* length of their queries */

typedef struct KeptPlan
{
	dlist_node	node;
	char	   *text;
	SPIPlanPtr	plan;			/* NULL when preparing it has failed */
	int			running;		/* calls in which it runs now */
} KeptPlan;

/* The plans of a recommender, the last used one first. */
struct RecPlans
{
	dlist_head	list;
	int			n;
};

static struct RecPlans *
get_plans(RecDefinition *definition)
{
	if (definition->kept_plans == NULL)
	{
		definition->kept_plans = MemoryContextAllocZero(definition->mcxt,
														sizeof(struct RecPlans));
		dlist_init(&definition->kept_plans->list);
	}
	return definition->kept_plans;
}

/* Free the plans that a definition keeps. */
void
rec_plan_cache_free(RecDefinition *definition)
{
	dlist_iter	it;

	if (definition->kept_plans == NULL)
		return;
	dlist_foreach(it, &definition->kept_plans->list)
	{
		KeptPlan   *kept = dlist_container(KeptPlan, node, it.cur);

		if (kept->plan)
			SPI_freeplan(kept->plan);
	}
	definition->kept_plans = NULL;
}

/* Free the least recently used plan that does not run. */
static void
evict(struct RecPlans *plans)
{
	dlist_node *node = dlist_tail_node(&plans->list);
	KeptPlan   *kept = dlist_container(KeptPlan, node, node);

	while (kept->running > 0)
	{
		if (!dlist_has_prev(&plans->list, node))
			return;
		node = dlist_prev_node(&plans->list, node);
		kept = dlist_container(KeptPlan, node, node);
	}
	dlist_delete(node);
	plans->n--;
	if (kept->plan)
		SPI_freeplan(kept->plan);
	pfree(kept->text);
	pfree(kept);
}

/* Return the place of a query's plan, which is then the last used one. */
static KeptPlan *
find_place(RecDefinition *definition, const char *text)
{
	struct RecPlans *plans = get_plans(definition);
	dlist_iter	it;
	KeptPlan   *kept;

	dlist_foreach(it, &plans->list)
	{
		kept = dlist_container(KeptPlan, node, it.cur);
		if (strcmp(kept->text, text) != 0)
			continue;
		dlist_move_head(&plans->list, &kept->node);
		return kept;
	}
	if (plans->n >= MAX_PLANS)
		evict(plans);
	kept = MemoryContextAllocZero(definition->mcxt, sizeof(KeptPlan));
	kept->text = MemoryContextStrdup(definition->mcxt, text);
	dlist_push_head(&plans->list, &kept->node);
	plans->n++;
	return kept;
}

/* Return a query's plan; that of a very long one goes with the call. */
static KeptPlan *
find_plan(RecDefinition *definition, const RecQuery *query, int cursor_options)
{
	bool		keep = strlen(query->text) <= MAX_TEXT;
	KeptPlan   *kept = keep ? find_place(definition, query->text) : palloc0_object(KeptPlan);

	if (kept->plan == NULL)
	{
		SPIPlanPtr	plan = rec_spi_prepare(query->text, query->nargs, query->types,
										   cursor_options);

		if (keep && SPI_keepplan(plan) != 0)
			elog(ERROR, "could not keep a plan");
		kept->plan = plan;
	}
	return kept;
}

/*
 * Run a SELECT, planned once whatever the values; the result is SPI's.  The
 * text must not depend on values, and stands for the types of the arguments.
 */
void
rec_plan_cache_execute(RecDefinition *definition, const RecQuery *query)
{
	KeptPlan   *kept = find_plan(definition, query, CURSOR_OPT_GENERIC_PLAN);

	kept->running++;
	PG_TRY();
	{
		rec_spi_execute_plan(kept->plan, query->values, query->nulls, true, SPI_OK_SELECT);
	}
	PG_FINALLY();
	{
		kept->running--;
	}
	PG_END_TRY();
}

/* Open a cursor on a SELECT's rows, planned for the values it has. */
Portal
rec_plan_cache_open(RecDefinition *definition, const RecQuery *query)
{
	KeptPlan   *kept = find_plan(definition, query, CURSOR_OPT_CUSTOM_PLAN);
	Portal		portal = NULL;

	kept->running++;
	PG_TRY();
	{
		portal = rec_spi_open_cursor(kept->plan, query->values, query->nulls);
	}
	PG_FINALLY();
	{
		kept->running--;
	}
	PG_END_TRY();
	return portal;
}
