/*-------------------------------------------------------------------------
 *
 * check_recommender.c
 *	  check_recommender(): what is wrong, or could be better.
 *
 * Each check is a function that looks at one thing and adds at most a few
 * findings: here those about the recommender and its model; check_sources.c,
 * check_items.c and check_plans.c have the others.  They read the sources as
 * they are now, with the caller's rights, some of them wholly: this is for the
 * eyes of a DBA, not for each request.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/check_recommender.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "admin/check_items.h"
#include "admin/check_sources.h"
#include "admin/findings.h"
#include "definition/definition.h"
#include "definition/definition_cache.h"
#include "definition/definition_read.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "options/options_write.h"
#include "pg/arguments.h"
#include "pg/owner.h"
#include "pg/spi.h"
#include "rank/history.h"
#include "utils/builtins.h"

static void
check_refreshed(RecFindings *findings)
{
	char	   *name = rec_definition_name(findings->definition);
	char	   *hint = psprintf("Run SELECT * FROM recommender.refresh(%s).",
								quote_literal_cstr(name));
	char	   *options;

	rec_spi_select(psprintf("SELECT d.generation, r.options::pg_catalog.text FROM %s d "
							"LEFT JOIN %s r ON r.generation OPERATOR(pg_catalog.=) d.generation",
							rec_definition_table(findings->definition, REC_TABLE_DEFINITION),
							rec_definition_table(findings->definition, REC_TABLE_REFRESH_RUN)));
	if (rec_findings_int64(0, 1) == 0)
	{
		rec_findings_add(findings, "error", "not_refreshed", hint,
					"the recommender has not been refreshed yet");
		return;
	}
	options = rec_findings_text(0, 2);
	if (options &&
		!rec_options_write_same_build(&findings->definition->options,
									  DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
																		 CStringGetDatum(options)))))
		rec_findings_add(findings, "warning", "options_changed", hint,
					"options that take effect at the next refresh have changed since the last one");
}

static void
check_seen_events(RecFindings *findings)
{
	RecDefinition *definition = findings->definition;

	if (!definition->options.exclude_seen)
		return;
	for (int s = 0; s < definition->nsources; s++)
	{
		RecSource  *source = &definition->sources[s];
		RecRow		row = {0};
		bool		found = source->event_column == NULL && source->event == NULL;

		row.event = source->event;
		found |= source->event && rec_history_event_is_seen(&definition->options, &row, true);
		for (int i = 0; source->event_weights && i < source->event_weights->count; i++)
		{
			row.event = source->event_weights->entries[i].event;
			found |= rec_history_event_is_seen(&definition->options, &row, true);
		}
		if (found || (source->event_column && source->event_weights == NULL))
			return;
	}
	if (definition->nsources > 0)
		rec_findings_add(findings, "warning", "nothing_is_seen",
					psprintf("Say by recommender.set_options(%s, '{\"seen_events\": [...]}') after which events an item is not recommended again, or set exclude_seen to false.",
							 quote_literal_cstr(rec_definition_name(definition))),
					"no event of the recommender's is one of the option seen_events");
}

static void
check_times(RecFindings *findings)
{
	RecDefinition *definition = findings->definition;

	for (int s = 0; s < definition->nsources; s++)
		if (definition->sources[s].time_column)
			return;
	if (definition->options.half_life > 0)
		rec_findings_add(findings, "warning", "half_life_without_time",
					"Name the time_column with recommender.add_interactions().",
					"the option half_life has no effect: no source has a time column");
}

/* Add nothing to what is found already: a model that cannot recommend by behaviour. */
static void
check_model(RecFindings *findings)
{
	RecDefinition *definition = findings->definition;
	int64		items;

	rec_spi_select(psprintf("SELECT pg_catalog.count(*), d.items FROM %s d "
							"JOIN %s m ON m.generation OPERATOR(pg_catalog.=) d.generation "
							"AND m.users OPERATOR(pg_catalog.>) 0 "
							"WHERE d.generation OPERATOR(pg_catalog.>) 0 GROUP BY d.items",
							rec_definition_table(definition, REC_TABLE_DEFINITION),
							rec_definition_table(definition, REC_TABLE_ITEM)));
	items = rec_findings_int64(0, 1);
	if (items < 2 || definition->options.model != REC_MODEL_NEIGHBORS)
		return;
	rec_spi_select(psprintf("SELECT EXISTS (SELECT FROM %s d JOIN %s n "
							"ON n.generation OPERATOR(pg_catalog.=) d.generation "
							"WHERE n.kind OPERATOR(pg_catalog.=) 'behaviour' "
							"AND pg_catalog.cardinality(n.neighbors) OPERATOR(pg_catalog.>) 0)::pg_catalog.int4::pg_catalog.int8",
							rec_definition_table(definition, REC_TABLE_DEFINITION),
							rec_definition_table(definition, REC_TABLE_NEIGHBOR)));
	if (rec_findings_int64(0, 1) == 0)
		rec_findings_add(findings, "warning", "no_neighbors",
						 "Check that the columns of user and item are not those of something else, and the options min_support and max_history.",
						 "none of the " INT64_FORMAT " items of the model has neighbours by behaviour: no two have enough users in common",
						 items);
}

static void
check_whole(RecFindings *findings, const void *object pg_attribute_unused())
{
	check_refreshed(findings);
	check_model(findings);
	check_seen_events(findings);
	check_times(findings);
}

/*
 * Lock the tables that queries of the checks read and that a definition from the
 * cache does not lock, and refuse one that was replaced in the meantime.
 */
static void
lock_tables(const RecDefinition *definition)
{
	static const RecTable tables[] = {REC_TABLE_CONTENT_COLUMN, REC_TABLE_REFRESH_RUN};

	for (int i = 0; i < (int) lengthof(tables); i++)
	{
		(void) rec_layout_table_lock(definition->schema, rec_layout_table_names[tables[i]]);
		rec_definition_read_check_table(definition, rec_layout_table_names[tables[i]]);
	}
}

/*
 * check_recommender(recommender): rows of severity (error, warning, info),
 * code, message and hint; none when there is nothing to mend.
 */
PG_FUNCTION_INFO_V1(rec_check_recommender);
Datum
rec_check_recommender(PG_FUNCTION_ARGS)
{
	char	   *name = rec_arguments_recommender(fcinfo);
	RecFindings findings = {0};
	RecCaller	caller;
	bool		sources = true;

	InitMaterializedSRF(fcinfo, 0);
	findings.store = ((ReturnSetInfo *) fcinfo->resultinfo)->setResult;
	findings.desc = ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc;
	findings.definition = rec_definition_cache_by_name(name);
	lock_tables(findings.definition);
	rec_owner_become_if_member(rec_definition_owner(findings.definition), REC_VISIBLE_ROWS, &caller);
	SPI_connect();
	check_whole(&findings, NULL);
	for (int i = 0; i < findings.definition->nsources; i++)
		sources &= rec_check_sources(&findings, &findings.definition->sources[i]);
	if (findings.definition->items)
		rec_check_items(&findings, findings.definition->items, sources);
	SPI_finish();
	rec_owner_return(&caller);
	return (Datum) 0;
}
