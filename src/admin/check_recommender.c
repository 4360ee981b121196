/*-------------------------------------------------------------------------
 *
 * check_recommender.c
 *	  check_recommender(): what is wrong, or could be better.
 *
 * Each check is a function that looks at one thing and adds at most a few
 * findings.  They read the sources as they are now, with the caller's rights,
 * some of them wholly: this is for a DBA's eyes, not for each request.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/check_recommender.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "definition/definition.h"
#include "definition/definition_cache.h"
#include "definition/definition_read.h"
#include "definition/source.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/newest_item.h"
#include "options/options_write.h"
#include "parser/parse_coerce.h"
#include "pg/owner.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "rank/history.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#define FINDING_NCOLS		4	/* severity, code, message, hint */

/* a model is stale when more than this share of the interactions is newer */
#define STALE_SHARE			0.1

typedef struct Findings
{
	Tuplestorestate *store;
	TupleDesc	desc;
	RecDefinition *definition;
} Findings;

static void add_finding(Findings *findings, const char *severity, const char *code,
						const char *hint, const char *format,...) pg_attribute_printf(5, 6);

static void
add_finding(Findings *findings, const char *severity, const char *code,
			const char *hint, const char *format,...)
{
	Datum		values[FINDING_NCOLS];
	bool		nulls[FINDING_NCOLS] = {false, false, false, hint == NULL};
	StringInfoData message;
	va_list		args;
	int			more;

	initStringInfo(&message);
	for (;;)
	{
		va_start(args, format);
		more = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (more == 0)
			break;
		enlargeStringInfo(&message, more);
	}
	values[0] = CStringGetTextDatum(severity);
	values[1] = CStringGetTextDatum(code);
	values[2] = CStringGetTextDatum(message.data);
	values[3] = hint ? CStringGetTextDatum(hint) : (Datum) 0;
	tuplestore_putvalues(findings->store, findings->desc, values, nulls);
}

/* A bigint of the last query's result; 0 for a null or no row. */
static int64
result_int64(uint64 row, int column)
{
	bool		isnull;
	Datum		value;

	if (row >= SPI_processed)
		return 0;
	value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
	return isnull ? 0 : DatumGetInt64(value);
}

static char *
result_text(uint64 row, int column)
{
	if (row >= SPI_processed)
		return NULL;
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

/* ----------------
 *		checks of a source
 * ----------------
 */

/* True when a column that was named, NULL for none, is still there. */
static bool
check_column(Findings *findings, const RecSource *source, const char *column)
{
	if (column == NULL || get_attnum(source->relid, column) != InvalidAttrNumber)
		return true;
	add_finding(findings, "error", "column_missing",
				"Say what it is called now with recommender.add_interactions().",
				"%s has no column \"%s\" any more",
				rec_relation_quoted(source->relid), column);
	return false;
}

/* True when the relation and its columns are still there. */
static bool
check_exists(Findings *findings, const RecSource *source)
{
	const char *columns[] = {source->user_column, source->item_column,
		source->time_column, source->event_column, source->weight_column
	};

	if (get_rel_name(source->relid) == NULL)
	{
		add_finding(findings, "error", "source_missing",
					rec_source_remove_hint(findings->definition, source),
					"the relation with OID %u no longer exists", source->relid);
		return false;
	}
	for (int i = 0; i < (int) lengthof(columns); i++)
		if (!check_column(findings, source, columns[i]))
			return false;
	for (int i = 0; i < source->ncontexts; i++)
		if (!check_column(findings, source, source->context_columns[i]))
			return false;
	return true;
}

/* The ids' types may have been changed since, to ones that do not fit. */
static bool
check_id_types(Findings *findings, const RecSource *source)
{
	RecDefinition *definition = findings->definition;
	const char *columns[] = {source->user_column, source->item_column};
	Oid			expected[] = {definition->user_type, definition->item_type};

	for (int i = 0; i < (int) lengthof(columns); i++)
	{
		Oid			type = rec_relation_column(source->relid, columns[i]).type;

		if (type == expected[i] ||
			can_coerce_type(1, &type, &expected[i], COERCION_IMPLICIT))
			continue;
		add_finding(findings, "error", "id_type_changed",
					"Drop the recommender and create it again, or give it a view that casts the column.",
					"column \"%s\" of %s is of type %s now, the recommender has ids of type %s",
					columns[i], rec_relation_quoted(source->relid),
					format_type_be(type), format_type_be(expected[i]));
		return false;
	}
	return true;
}

static void
check_index(Findings *findings, const RecSource *source)
{
	char	   *statement = rec_source_missing_index(source);

	if (statement)
		add_finding(findings, "warning", "missing_index", statement,
					"%s has no index on the user, so that each answer reads the whole table",
					rec_relation_quoted(source->relid));
}

static void
check_null_keys(Findings *findings, const RecSource *source)
{
	char	   *relation = rec_relation_quoted(source->relid);
	int64		nulls;

	rec_spi_select(psprintf("SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER "
							"(WHERE i.%s IS NULL OR i.%s IS NULL) FROM %s i",
							quote_identifier(source->user_column),
							quote_identifier(source->item_column), relation));
	nulls = result_int64(0, 2);
	if (nulls > 0)
		add_finding(findings, "warning", "null_keys",
					"Such rows do not count. Leave them out with a view if they are meant to be there.",
					INT64_FORMAT " of " INT64_FORMAT " rows of %s have no user or no item",
					nulls, result_int64(0, 1), relation);
	if (result_int64(0, 1) == 0)
		add_finding(findings, "warning", "no_interactions", NULL,
					"%s has no rows", relation);
}

static void
append_group_column(StringInfo columns, const char *column)
{
	if (column)
		appendStringInfo(columns, "%si.%s", columns->len > 0 ? ", " : "",
						 quote_identifier(column));
}

/* Without a time, repeats are no duplicates but habits. */
static void
check_duplicates(Findings *findings, const RecSource *source)
{
	char	   *relation = rec_relation_quoted(source->relid);
	StringInfoData columns;
	int64		duplicates;

	if (source->time_column == NULL)
		return;
	initStringInfo(&columns);
	append_group_column(&columns, source->user_column);
	append_group_column(&columns, source->item_column);
	append_group_column(&columns, source->event_column);
	append_group_column(&columns, source->time_column);
	rec_spi_select(psprintf("SELECT coalesce(pg_catalog.sum(d.n OPERATOR(pg_catalog.-) 1), 0)::pg_catalog.int8 "
							"FROM (SELECT pg_catalog.count(*) AS n FROM %s i WHERE i.%s IS NOT NULL GROUP BY %s) d "
							"WHERE d.n OPERATOR(pg_catalog.>) 1",
							relation, quote_identifier(source->user_column), columns.data));
	duplicates = result_int64(0, 1);
	if (duplicates > 0)
		add_finding(findings, "info", "duplicate_events",
					"Each counts. If they are the same event told twice, use a view with DISTINCT or set the option repeats to \"max\".",
					"%s has rows that repeat another one's user, item, event and time: " INT64_FORMAT,
					relation, duplicates);
}

static void
check_event_weights(Findings *findings, const RecSource *source)
{
	char	   *relation = rec_relation_quoted(source->relid);

	if (source->event_column == NULL || source->event_weights == NULL)
		return;
	rec_spi_select(psprintf("SELECT i.%s::pg_catalog.text, pg_catalog.count(*) FROM %s i GROUP BY 1 ORDER BY 2 DESC, 1",
							quote_identifier(source->event_column), relation));
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		char	   *event = result_text(row, 1);
		double		weight;

		if (rec_interaction_event_weight(source->event_weights, event, &weight))
			continue;
		add_finding(findings, "warning", "event_without_weight",
					"Such rows do not count. Give the event a weight with recommender.add_interactions().",
					"%s has rows of event %s%s%s, which has no weight: " INT64_FORMAT,
					relation, event ? "\"" : "", event ? event : "null", event ? "\"" : "",
					result_int64(row, 2));
	}
}

/*
 * Items of the table that a foreign key of the interactions refers to, which
 * nobody ever touched.
 */
static void
check_untouched_items(Findings *findings, const RecSource *source)
{
	char	   *relation = rec_relation_quoted(source->relid);
	char	   *items;
	char	   *column;
	int64		untouched;
	int64		all;

	rec_spi_select(psprintf("SELECT c.confrelid::pg_catalog.int8, pg_catalog.quote_ident(a.attname) "
							"FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_attribute a "
							"ON a.attrelid OPERATOR(pg_catalog.=) c.confrelid "
							"AND a.attnum OPERATOR(pg_catalog.=) c.confkey[1] "
							"WHERE c.contype OPERATOR(pg_catalog.=) 'f' "
							"AND c.conrelid OPERATOR(pg_catalog.=) %u "
							"AND pg_catalog.array_length(c.conkey, 1) OPERATOR(pg_catalog.=) 1 "
							"AND c.conkey[1] OPERATOR(pg_catalog.=) %d LIMIT 1",
							source->relid, get_attnum(source->relid, source->item_column)));
	if (SPI_processed == 0)
		return;
	items = rec_relation_quoted((Oid) result_int64(0, 1));
	column = pstrdup(result_text(0, 2));
	rec_spi_select(psprintf("SELECT pg_catalog.count(*) FROM %s", items));
	all = result_int64(0, 1);
	rec_spi_select(psprintf("SELECT pg_catalog.count(*) FROM %s t WHERE NOT EXISTS "
							"(SELECT FROM %s i WHERE i.%s %s t.%s)",
							items, relation, quote_identifier(source->item_column),
							rec_relation_equality_operator(findings->definition->item_type), column));
	untouched = result_int64(0, 1);
	if (untouched > 0)
		add_finding(findings, "info", "items_without_interactions",
					findings->definition->items && findings->definition->items->ncolumns > 0 ?
					"They are recommended by what they have in common with others." :
					"Behaviour cannot recommend them. Say by recommender.set_items() what describes them.",
					INT64_FORMAT " of " INT64_FORMAT " items of %s have no row in %s",
					untouched, all, items, relation);
}

/* A time in the future counts as now, and pushes all others into the past. */
static void
check_future(Findings *findings, const RecSource *source)
{
	char	   *relation = rec_relation_quoted(source->relid);

	if (source->time_column == NULL)
		return;
	rec_spi_select(psprintf("SELECT pg_catalog.count(*) FROM %s i WHERE i.%s::pg_catalog.timestamptz "
							"OPERATOR(pg_catalog.>) pg_catalog.now()",
							relation, quote_identifier(source->time_column)));
	if (result_int64(0, 1) > 0)
		add_finding(findings, "warning", "future_times",
					"They count as of now, which makes all others older than they are. Mend them or leave them out with a view.",
					"%s has rows with a time in the future: " INT64_FORMAT,
					relation, result_int64(0, 1));
}

static void
check_time_index(Findings *findings, const RecSource *source)
{
	char	   *statement = rec_source_missing_time_index(source);

	if (statement)
		add_finding(findings, "info", "missing_time_index", statement,
					"%s has no index on the time, so that trending_items() reads the whole table",
					rec_relation_quoted(source->relid));
}

/* Rows that came after the model was built. */
static void
check_stale(Findings *findings, const RecSource *source)
{
	char	   *relation = rec_relation_quoted(source->relid);
	int64		all;
	int64		newer;

	if (source->time_column == NULL)
		return;
	rec_spi_select(psprintf("SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER "
							"(WHERE i.%s::pg_catalog.timestamptz OPERATOR(pg_catalog.>) d.as_of) "
							"FROM %s i, %s d WHERE d.generation OPERATOR(pg_catalog.>) 0",
							quote_identifier(source->time_column), relation,
							rec_definition_table(findings->definition, REC_TABLE_DEFINITION)));
	all = result_int64(0, 1);
	newer = result_int64(0, 2);
	if (newer > all * STALE_SHARE)
		add_finding(findings, "warning", "stale",
					psprintf("Run SELECT * FROM recommender.refresh(%s), and plan to do so regularly.",
							 quote_literal_cstr(rec_definition_name(findings->definition))),
					INT64_FORMAT " of " INT64_FORMAT " rows of %s are newer than the model",
					newer, all, relation);
}

static void
check_source(Findings *findings, const RecSource *source)
{
	if (!check_exists(findings, source) || !check_id_types(findings, source))
		return;
	check_index(findings, source);
	check_time_index(findings, source);
	check_null_keys(findings, source);
	check_duplicates(findings, source);
	check_event_weights(findings, source);
	check_untouched_items(findings, source);
	check_future(findings, source);
	check_stale(findings, source);
}

/* ----------------
 *		checks of the relation of items
 * ----------------
 */

/* True when the relation and its columns are there and of types that fit. */
static bool
check_items_exist(Findings *findings, const RecItemSource *items)
{
	const char *columns[] = {items->item_column, items->available_column,
	items->created_column, items->group_column};
	const char *hint = "Say what the items are now with recommender.set_items().";

	if (get_rel_name(items->relid) == NULL)
	{
		add_finding(findings, "error", "items_missing", hint,
					"the relation of items, with OID %u, no longer exists", items->relid);
		return false;
	}
	for (int i = 0; i < (int) lengthof(columns) + items->ncolumns; i++)
	{
		const char *column = i < (int) lengthof(columns) ? columns[i] :
		items->columns[i - (int) lengthof(columns)].name;

		if (column == NULL || get_attnum(items->relid, column) != InvalidAttrNumber)
			continue;
		add_finding(findings, "error", "column_missing", hint,
					"%s has no column \"%s\" any more",
					rec_relation_quoted(items->relid), column);
		return false;
	}
	return true;
}

static void
check_items_index(Findings *findings, const RecItemSource *items)
{
	char	   *statement = rec_item_source_missing_index(items);

	if (statement)
		add_finding(findings, "warning", "missing_item_index", statement,
					"%s has no unique index on column \"%s\", so that looking up an item reads the whole table",
					rec_relation_quoted(items->relid), items->item_column);
	statement = rec_item_source_missing_created_index(items);
	if (statement && items->ncolumns > 0)
		add_finding(findings, "warning", "missing_created_index", statement,
					"%s has no index on column \"%s\", so that looking for the newest items reads the whole table",
					rec_relation_quoted(items->relid), items->created_column);
}

/* The columns that describe items, and their weights, as the model has them. */
static void
check_items_changed(Findings *findings, const RecItemSource *items)
{
	char	   *name = rec_definition_name(findings->definition);
	uint64		row = 0;
	bool		same = true;

	rec_spi_select(psprintf("SELECT d.generation, c.column_name, c.weight FROM %s d "
							"LEFT JOIN %s c ON c.generation OPERATOR(pg_catalog.=) d.generation ORDER BY c.position",
							rec_definition_table(findings->definition, REC_TABLE_DEFINITION),
							rec_definition_table(findings->definition, REC_TABLE_CONTENT_COLUMN)));
	if (result_int64(0, 1) == 0)
		return;
	for (int i = 0; i < items->ncolumns && same; i++)
	{
		char	   *column = result_text(row, 2);
		bool		isnull;

		if (items->columns[i].weight == 0)
			continue;
		same = column && strcmp(column, items->columns[i].name) == 0 &&
			DatumGetFloat8(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 3, &isnull)) ==
			items->columns[i].weight;
		row++;
	}
	if (same && (row == SPI_processed || result_text(row, 2) == NULL))
		return;
	add_finding(findings, "warning", "items_changed",
				psprintf("Run SELECT * FROM recommender.refresh(%s).", quote_literal_cstr(name)),
				"the columns that describe items were set after the last refresh");
}

/* Items that came after the refresh, and that calls do not find. */
static void
check_new_items(Findings *findings, const RecItemSource *items)
{
	int			most = findings->definition->options.new_items;
	char	   *refresh = psprintf("Run SELECT * FROM recommender.refresh(%s)",
								   quote_literal_cstr(rec_definition_name(findings->definition)));
	int64		unknown;
	int64		found;

	if (items->ncolumns == 0)
		return;
	rec_newest_item_count(findings->definition, &unknown, &found);
	if (unknown <= Min(found, most))
		return;
	add_finding(findings, "warning", "new_items",
				found > most ? psprintf("%s, or raise the option new_items.", refresh) :
				psprintf("%s; new items are found by a created_column that says when they came, or by growing numbers for ids.", refresh),
				INT64_FORMAT " available items of %s are not in the model, and calls look at " INT64_FORMAT " of them",
				unknown, rec_relation_quoted(items->relid), Min(found, most));
}

static void
check_items(Findings *findings, const RecItemSource *items)
{
	if (!check_items_exist(findings, items))
		return;
	check_items_index(findings, items);
	check_items_changed(findings, items);
	check_new_items(findings, items);
}

/* ----------------
 *		checks of the whole
 * ----------------
 */

static void
check_refreshed(Findings *findings)
{
	char	   *name = rec_definition_name(findings->definition);
	char	   *hint = psprintf("Run SELECT * FROM recommender.refresh(%s).",
								quote_literal_cstr(name));
	char	   *options;

	rec_spi_select(psprintf("SELECT d.generation, r.options::pg_catalog.text FROM %s d "
							"LEFT JOIN %s r ON r.generation OPERATOR(pg_catalog.=) d.generation",
							rec_definition_table(findings->definition, REC_TABLE_DEFINITION),
							rec_definition_table(findings->definition, REC_TABLE_REFRESH_RUN)));
	if (result_int64(0, 1) == 0)
	{
		add_finding(findings, "error", "not_refreshed", hint,
					"the recommender has not been refreshed yet");
		return;
	}
	options = result_text(0, 2);
	if (options &&
		!rec_options_write_same_build(&findings->definition->options,
									  DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
																		 CStringGetDatum(options)))))
		add_finding(findings, "warning", "options_changed", hint,
					"options that take effect at the next refresh have changed since the last one");
}

static void
check_seen_events(Findings *findings)
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
		add_finding(findings, "warning", "nothing_is_seen",
					psprintf("Say by recommender.set_options(%s, '{\"seen_events\": [...]}') after which events an item is not recommended again, or set exclude_seen to false.",
							 quote_literal_cstr(rec_definition_name(definition))),
					"no event of the recommender's is one of the option seen_events");
}

static void
check_times(Findings *findings)
{
	RecDefinition *definition = findings->definition;

	for (int s = 0; s < definition->nsources; s++)
		if (definition->sources[s].time_column)
			return;
	if (definition->options.half_life > 0)
		add_finding(findings, "warning", "half_life_without_time",
					"Name the time_column with recommender.add_interactions().",
					"the option half_life has no effect: no source has a time column");
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
 * code, message and hint; none when all is well.
 */
PG_FUNCTION_INFO_V1(rec_check_recommender);
Datum
rec_check_recommender(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Findings	findings;
	RecCaller	caller;

	InitMaterializedSRF(fcinfo, 0);
	findings.store = ((ReturnSetInfo *) fcinfo->resultinfo)->setResult;
	findings.desc = ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc;
	findings.definition = rec_definition_cache_by_name(name);
	lock_tables(findings.definition);
	rec_owner_become_if_member(rec_definition_owner(findings.definition), REC_VISIBLE_ROWS, &caller);
	SPI_connect();
	check_refreshed(&findings);
	for (int i = 0; i < findings.definition->nsources; i++)
		check_source(&findings, &findings.definition->sources[i]);
	if (findings.definition->items)
		check_items(&findings, findings.definition->items);
	check_seen_events(&findings);
	check_times(&findings);
	SPI_finish();
	rec_owner_return(&caller);
	return (Datum) 0;
}
