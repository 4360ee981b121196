/*-------------------------------------------------------------------------
 *
 * check_sources.c
 *	  What check_recommender() finds about sources of interactions.
 *
 * First the catalogs are asked whether the relation and its columns are there
 * and of types that fit: no query runs on a column before.  Then the rows are
 * read, several times.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/check_sources.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "admin/check_plans.h"
#include "admin/check_sources.h"
#include "catalog/pg_constraint.h"
#include "definition/source.h"
#include "mb/pg_wchar.h"
#include "nodes/bitmapset.h"
#include "parser/parse_coerce.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

/* a model is stale when more than this share of the interactions is newer */
#define STALE_SHARE			0.1

/* a user with more rows than the first, or than the second and so many times the mean of the others */
#define EXTREME_ROWS		100000
#define MANY_ROWS			1000
#define EXTREME_TIMES		50

/* True when a column that was named, NULL for none, is still there. */
static bool
check_column(RecFindings *findings, const RecSource *source, const char *column)
{
	if (column == NULL || get_attnum(source->relid, column) != InvalidAttrNumber)
		return true;
	rec_findings_add(findings, "error", "column_missing",
				"Say what it is called now with recommender.add_interactions().",
				"%s has no column \"%s\" any more",
				rec_relation_quoted(source->relid), column);
	return false;
}

/* True when the relation and its columns are still there. */
static bool
check_exists(RecFindings *findings, const RecSource *source)
{
	const char *columns[] = {source->user_column, source->item_column,
		source->time_column, source->event_column, source->weight_column
	};

	if (get_rel_name(source->relid) == NULL)
	{
		rec_findings_add(findings, "error", "source_missing",
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
check_id_types(RecFindings *findings, const RecSource *source)
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
		rec_findings_add(findings, "error", "id_type_changed",
					"Drop the recommender and create it again, or give it a view that casts the column.",
					"column \"%s\" of %s is of type %s now, the recommender has ids of type %s",
					columns[i], rec_relation_quoted(source->relid),
					format_type_be(type), format_type_be(expected[i]));
		return false;
	}
	return true;
}

static void
check_event_weights(RecFindings *findings, const RecSource *source)
{
	char	   *relation = rec_relation_quoted(source->relid);

	if (source->event_column == NULL || source->event_weights == NULL)
		return;
	rec_spi_select(psprintf("SELECT i.%s::pg_catalog.text, pg_catalog.count(*) FROM %s i GROUP BY 1 ORDER BY 2 DESC, 1",
							quote_identifier(source->event_column), relation));
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		char	   *event = rec_findings_text(row, 1);
		double		weight;

		if (rec_interaction_event_weight(source->event_weights, event, &weight))
			continue;
		rec_findings_add(findings, "warning", "event_without_weight",
					"Such rows do not count. Give the event a weight with recommender.add_interactions().",
					"%s has rows of event %s%s%s, which has no weight: " INT64_FORMAT,
					relation, event ? "\"" : "", event ? event : "null", event ? "\"" : "",
					rec_findings_int64(row, 2));
	}
}

/*
 * Items of the table that a foreign key of the interactions refers to, which
 * nobody ever touched.
 */
static void
check_untouched_items(RecFindings *findings, const RecSource *source)
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
	items = rec_relation_quoted((Oid) rec_findings_int64(0, 1));
	column = pstrdup(rec_findings_text(0, 2));
	rec_spi_select(psprintf("SELECT pg_catalog.count(*) FROM %s", items));
	all = rec_findings_int64(0, 1);
	rec_spi_select(psprintf("SELECT pg_catalog.count(*) FROM %s t WHERE NOT EXISTS "
							"(SELECT FROM %s i WHERE i.%s %s t.%s)",
							items, relation, quote_identifier(source->item_column),
							rec_relation_equality_operator(findings->definition->item_type), column));
	untouched = rec_findings_int64(0, 1);
	if (untouched > 0)
		rec_findings_add(findings, "info", "items_without_interactions",
					findings->definition->items && findings->definition->items->ncolumns > 0 ?
					"They are recommended by what they have in common with others." :
					"Behaviour cannot recommend them. Say by recommender.set_items() what describes them.",
					INT64_FORMAT " of " INT64_FORMAT " items of %s have no row in %s",
					untouched, all, items, relation);
}

/* A time in the future counts as now, and pushes all others into the past. */
static void
check_future(RecFindings *findings, const RecSource *source)
{
	char	   *relation = rec_relation_quoted(source->relid);

	if (source->time_column == NULL)
		return;
	rec_spi_select(psprintf("SELECT pg_catalog.count(*) FROM %s i WHERE i.%s::pg_catalog.timestamptz "
							"OPERATOR(pg_catalog.>) pg_catalog.now()",
							relation, quote_identifier(source->time_column)));
	if (rec_findings_int64(0, 1) > 0)
		rec_findings_add(findings, "warning", "future_times",
					"They count as of now, which makes all others older than they are. Mend them or leave them out with a view.",
					"%s has rows with a time in the future: " INT64_FORMAT,
					relation, rec_findings_int64(0, 1));
}

static void
check_time_index(RecFindings *findings, const RecSource *source)
{
	char	   *statement = rec_source_missing_time_index(source);

	if (statement)
		rec_findings_add(findings, "info", "missing_time_index", statement,
					"%s has no index on the time, so that trending_items() reads the whole table",
					rec_relation_quoted(source->relid));
}

/* Rows that came after the model was built. */
static void
check_stale(RecFindings *findings, const RecSource *source)
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
	all = rec_findings_int64(0, 1);
	newer = rec_findings_int64(0, 2);
	if (newer > all * STALE_SHARE)
		rec_findings_add(findings, "warning", "stale",
					psprintf("Run SELECT * FROM recommender.refresh(%s), and plan to do so regularly.",
							 quote_literal_cstr(rec_definition_name(findings->definition))),
					INT64_FORMAT " of " INT64_FORMAT " rows of %s are newer than the model",
					newer, all, relation);
}

/* ----------------
 *		rows
 * ----------------
 */

static void
check_index(RecFindings *findings, const RecSource *source)
{
	char	   *statement = rec_source_missing_index(source);

	if (statement)
		rec_findings_add(findings, "warning", "missing_index", statement,
						 "%s has no index on the user, so that each answer reads the whole table",
						 rec_relation_quoted(source->relid));
	else
		rec_check_plans_source(findings, source);
}

/* What was found out about the rows of a source. */
typedef struct RowCounts
{
	MemoryContext mcxt;			/* of the texts */
	Oid			user_type;
	Oid			item_type;
	int64		rows;
	int64		null_keys;
	int64		without_weight;
	int64		liked;			/* rows with a weight above 0 */
	int64		invalid;		/* rows with a weight that no model can use */
	char	   *user;			/* of the first of them */
	char	   *item;
	double		weight;
	bool		variable;		/* ids of items are of variable length */
	int64		long_ids;		/* rows with one that no index can hold */
	char	   *long_id;		/* the first of them */
} RowCounts;

static char *
id_text(Datum id, Oid type)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, id);
}

static void
count_long_id(RowCounts *counts, Datum id)
{
	MemoryContext old;

	if (!rec_interaction_id_is_too_long(id) || counts->long_ids++ > 0)
		return;
	old = MemoryContextSwitchTo(counts->mcxt);
	counts->long_id = id_text(id, counts->item_type);
	MemoryContextSwitchTo(old);
}

static void
count_row(void *arg, const RecRow *row)
{
	RowCounts  *counts = (RowCounts *) arg;

	counts->rows++;
	if (counts->variable && !row->item_null)
		count_long_id(counts, row->item);
	if (row->user_null || row->item_null)
		counts->null_keys++;
	else if (!row->has_weight)
		counts->without_weight++;
	else if (rec_interaction_weight_is_valid(row->weight))
		counts->liked += row->weight > 0;
	else if (counts->invalid++ == 0)
	{
		MemoryContext old = MemoryContextSwitchTo(counts->mcxt);

		counts->user = id_text(row->user, counts->user_type);
		counts->item = id_text(row->item, counts->item_type);
		counts->weight = row->weight;
		MemoryContextSwitchTo(old);
	}
}

/* Read all rows as a refresh reads them. */
static RowCounts *
count_rows(RecFindings *findings, const RecSource *source)
{
	RecDefinition *definition = findings->definition;
	RowCounts  *counts = palloc0_object(RowCounts);
	RecRowFormat format;
	SPIPlanPtr	plan = rec_spi_prepare(rec_source_query(definition, source, NULL, &format), 0, NULL,
									   CURSOR_OPT_PARALLEL_OK);

	counts->mcxt = CurrentMemoryContext;
	counts->user_type = definition->user_type;
	counts->item_type = definition->item_type;
	counts->variable = definition->item_typlen == -1;
	rec_interaction_read_rows(plan, NULL, &format, count_row, counts);
	SPI_freeplan(plan);
	return counts;
}

/* Rows that do not count, and weights that no model can use. */
static void
check_rows(RecFindings *findings, const RecSource *source)
{
	char	   *relation = rec_relation_quoted(source->relid);
	RowCounts  *counts = count_rows(findings, source);

	if (counts->null_keys > 0)
		rec_findings_add(findings, "warning", "null_keys",
						 "Such rows do not count. Leave them out with a view if they are meant to be there.",
						 INT64_FORMAT " of " INT64_FORMAT " rows of %s have no user or no item",
						 counts->null_keys, counts->rows, relation);
	if (counts->invalid > 0)
		rec_findings_add(findings, "error", "weight_not_valid",
						 psprintf("A weight must be finite, and its absolute value 0 or between %g and %g. Correct the rows, or leave them out with a view.",
								  REC_LEAST_WEIGHT, REC_MOST_WEIGHT),
						 "%s has rows with a weight that no model can use, such as %g of user %s and item %s: " INT64_FORMAT,
						 relation, counts->weight, counts->user, counts->item, counts->invalid);
	if (counts->long_ids > 0)
		rec_findings_add(findings, "error", "id_too_long",
						 psprintf("Ids of items have at most %d bytes after compression. Use another column, or a view with md5() of it.",
								  REC_MOST_ID_BYTES),
						 "%s has rows with an item's id that is too long, such as \"%.*s...\": " INT64_FORMAT,
						 relation, pg_mbcliplen(counts->long_id, (int) strlen(counts->long_id), 40),
						 counts->long_id, counts->long_ids);
	if (counts->rows == 0)
		rec_findings_add(findings, "warning", "no_interactions", NULL, "%s has no rows", relation);
	else if (counts->liked == 0 && counts->invalid == 0)
		rec_findings_add(findings, "error", "nothing_counts",
						 "Rows without user or item, of an event without a weight, and with a weight of 0 or less are no preferences. Check the columns and the event weights with recommender.add_interactions().",
						 "none of the " INT64_FORMAT " rows of %s has a weight above 0",
						 counts->rows, relation);
}

/* True for the column of a primary key that has no other column. */
static bool
is_surrogate_key(Oid relid, AttrNumber attnum)
{
	Bitmapset  *columns;
	Oid			constraint;
	int			member = attnum - FirstLowInvalidHeapAttributeNumber;

	columns = get_primary_key_attnos(relid, false, &constraint);
	return bms_num_members(columns) == 1 && bms_is_member(member, columns);
}

/*
 * Append the columns by which a row differs from its duplicates: all but the
 * number that the table gives each row.  Two lines of one order differ in the
 * line's number or the quantity.
 */
static char *
row_columns(const RecSource *source)
{
	Relation	rel = relation_open(source->relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	StringInfoData columns;

	initStringInfo(&columns);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		bool		ordered;

		if (att->attisdropped ||
			is_surrogate_key(source->relid, att->attnum))
			continue;
		ordered = OidIsValid(lookup_type_cache(att->atttypid, TYPECACHE_LT_OPR)->lt_opr);
		appendStringInfo(&columns, "%si.%s%s", columns.len > 0 ? ", " : "",
						 quote_identifier(NameStr(att->attname)),
						 ordered ? "" : "::pg_catalog.text");
	}
	relation_close(rel, NoLock);
	return columns.data;
}

/* Without a time, repeats are no duplicates but habits. */
static void
check_duplicates(RecFindings *findings, const RecSource *source)
{
	char	   *relation = rec_relation_quoted(source->relid);
	int64		duplicates;

	if (source->time_column == NULL)
		return;
	rec_spi_select(psprintf("SELECT coalesce(pg_catalog.sum(d.n OPERATOR(pg_catalog.-) 1), 0)::pg_catalog.int8 "
							"FROM (SELECT pg_catalog.count(*) AS n FROM %s i WHERE i.%s IS NOT NULL AND i.%s IS NOT NULL GROUP BY %s) d "
							"WHERE d.n OPERATOR(pg_catalog.>) 1",
							relation, quote_identifier(source->user_column),
							quote_identifier(source->item_column), row_columns(source)));
	duplicates = rec_findings_int64(0, 1);
	if (duplicates > 0)
		rec_findings_add(findings, "info", "duplicate_events",
						 "Each counts. If they are the same event told twice, use a view with DISTINCT or set the option repeats to \"max\".",
						 "%s has rows that repeat another one's user, item, event and time: " INT64_FORMAT,
						 relation, duplicates);
}

/* A user with so many rows is a robot, a test or the account of a till. */
static void
check_extreme_users(RecFindings *findings, const RecSource *source)
{
	int64		users;
	int64		rows;
	int64		most;

	rec_spi_select(psprintf("SELECT pg_catalog.count(*), pg_catalog.sum(u.n)::pg_catalog.int8, pg_catalog.max(u.n), "
							"(pg_catalog.array_agg(u.id ORDER BY u.n DESC, u.id COLLATE \"C\"))[1] "
							"FROM (SELECT i.%s::pg_catalog.text AS id, pg_catalog.count(*) AS n FROM %s i "
							"WHERE i.%s IS NOT NULL GROUP BY i.%s) u",
							quote_identifier(source->user_column), rec_relation_quoted(source->relid),
							quote_identifier(source->user_column), quote_identifier(source->user_column)));
	users = rec_findings_int64(0, 1);
	rows = rec_findings_int64(0, 2);
	most = rec_findings_int64(0, 3);
	if (most > EXTREME_ROWS ||
		(most > MANY_ROWS && users > 1 && most / EXTREME_TIMES > (rows - most) / (users - 1)))
		rec_findings_add(findings, "warning", "extreme_user",
						 "Each answer for that user reads all of these rows. Leave robots and tests out with a view, or old rows.",
						 "user %s has " INT64_FORMAT " of the " INT64_FORMAT " rows of %s",
						 rec_findings_text(0, 4), most, rows, rec_relation_quoted(source->relid));
}

/*
 * Items of the interactions that the model has not, though it read their rows,
 * when there are histories longer than max_history.
 */
static void
check_lost_items(RecFindings *findings, const RecSource *source)
{
	RecDefinition *definition = findings->definition;
	const char *user = quote_identifier(source->user_column);
	const char *item = quote_identifier(source->item_column);
	char	   *relation = rec_relation_quoted(source->relid);
	char	   *then = source->time_column == NULL ? "" :
		psprintf(" AND i.%s::pg_catalog.timestamptz OPERATOR(pg_catalog.<=) d.as_of",
				 quote_identifier(source->time_column));
	int64		lost;
	int64		cut;

	rec_spi_select(psprintf("SELECT pg_catalog.count(*) FROM (SELECT FROM %s i WHERE i.%s IS NOT NULL "
							"GROUP BY i.%s HAVING pg_catalog.count(DISTINCT i.%s) OPERATOR(pg_catalog.>) %d) u",
							relation, user, user, item, definition->options.max_history));
	cut = rec_findings_int64(0, 1);
	if (cut == 0)
		return;
	rec_spi_select(psprintf("SELECT pg_catalog.count(DISTINCT i.%s) FROM %s i, %s d "
							"WHERE d.generation OPERATOR(pg_catalog.>) 0 AND i.%s IS NOT NULL AND i.%s IS NOT NULL%s "
							"AND NOT EXISTS (SELECT FROM %s m WHERE m.generation OPERATOR(pg_catalog.=) d.generation "
							"AND m.item_id %s i.%s AND m.users OPERATOR(pg_catalog.>) 0)",
							item, relation, rec_definition_table(definition, REC_TABLE_DEFINITION),
							user, item, then, rec_definition_table(definition, REC_TABLE_ITEM),
							rec_relation_equality_operator(definition->item_type), item));
	lost = rec_findings_int64(0, 1);
	if (lost > 0)
		rec_findings_add(findings, "warning", "items_lost",
						 "Raise the option max_history, and refresh.",
						 "items of %s that no history in the model has: " INT64_FORMAT "; users with more items than the option max_history: " INT64_FORMAT,
						 relation, lost, cut);
}

/* ----------------
 *		all of them
 * ----------------
 */

static void
test_columns(RecFindings *findings pg_attribute_unused(), const void *source)
{
	rec_source_check_columns((const RecSource *) source);
}

/* What only the catalogs are asked for; false when rows cannot be read. */
static bool
check_catalogs(RecFindings *findings, const RecSource *source)
{
	return check_exists(findings, source) && check_id_types(findings, source) &&
		rec_findings_test(findings, test_columns, source,
						  "Change the type back, or give the recommender a view that casts the column.");
}

/* Checks that read the rows; each may fail without the others. */
static void (*const row_checks[]) (RecFindings *, const RecSource *) = {
	check_index, check_time_index, check_rows, check_duplicates, check_event_weights,
	check_extreme_users, check_untouched_items, check_future, check_stale,
	check_lost_items
};

/* One of these checks, of a source. */
typedef struct RowCheck
{
	void		(*check) (RecFindings *, const RecSource *);
	const RecSource *source;
} RowCheck;

static void
run_row_check(RecFindings *findings, const void *object)
{
	const RowCheck *check = (const RowCheck *) object;

	check->check(findings, check->source);
}

/* Add what is found about a source; return false when its rows cannot be read. */
bool
rec_check_sources(RecFindings *findings, const RecSource *source)
{
	if (!check_catalogs(findings, source))
		return false;
	for (int i = 0; i < (int) lengthof(row_checks); i++)
	{
		RowCheck	check = {row_checks[i], source};

		/* what one check cannot read, none can */
		if (!rec_findings_run(findings, run_row_check, &check, source->relid))
			return false;
	}
	return true;
}
