/*-------------------------------------------------------------------------
 *
 * check_items.c
 *	  What check_recommender() finds about the relation of items.
 *
 * First the catalogs are asked whether the relation and its columns are there
 * and of types that fit: no query runs on a column before.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/check_items.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "admin/check_items.h"
#include "admin/check_plans.h"
#include "definition/item_source.h"
#include "model/newest_item.h"
#include "parser/parse_coerce.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* of the items of the interactions, more than this share without a row are a finding */
#define UNMATCHED_SHARE		0.05

/* True when the relation and its columns are there and of types that fit. */
static bool
check_items_exist(RecFindings *findings, const RecItemSource *items)
{
	const char *columns[] = {items->item_column, items->available_column,
	items->created_column, items->group_column};
	const char *hint = "Say what the items are now with recommender.set_items().";

	if (get_rel_name(items->relid) == NULL)
	{
		rec_findings_add(findings, "error", "items_missing", hint,
					"the relation of items, with OID %u, no longer exists", items->relid);
		return false;
	}
	for (int i = 0; i < (int) lengthof(columns) + items->ncolumns; i++)
	{
		const char *column = i < (int) lengthof(columns) ? columns[i] :
		items->columns[i - (int) lengthof(columns)].name;

		if (column == NULL || get_attnum(items->relid, column) != InvalidAttrNumber)
			continue;
		rec_findings_add(findings, "error", "column_missing", hint,
					"%s has no column \"%s\" any more",
					rec_relation_quoted(items->relid), column);
		return false;
	}
	return true;
}

static void
check_items_index(RecFindings *findings, const RecItemSource *items)
{
	char	   *statement = rec_item_source_missing_index(items);

	if (statement == NULL)
		rec_check_plans_items(findings, items);
	else
		rec_findings_add(findings, "warning", "missing_item_index", statement,
					"%s has no unique index on column \"%s\", so that looking up an item reads the whole table",
					rec_relation_quoted(items->relid), items->item_column);
	statement = rec_item_source_missing_created_index(items);
	if (statement && items->ncolumns > 0)
		rec_findings_add(findings, "warning", "missing_created_index", statement,
					"%s has no index on column \"%s\", so that looking for the newest items reads the whole table",
					rec_relation_quoted(items->relid), items->created_column);
}

/* The columns that describe items, and their weights, as the model has them. */
static void
check_items_changed(RecFindings *findings, const RecItemSource *items)
{
	char	   *name = rec_definition_name(findings->definition);
	uint64		row = 0;
	bool		same = true;

	rec_spi_select(psprintf("SELECT d.generation, c.column_name, c.weight, c.kind FROM %s d "
							"LEFT JOIN %s c ON c.generation OPERATOR(pg_catalog.=) d.generation ORDER BY c.position",
							rec_definition_table(findings->definition, REC_TABLE_DEFINITION),
							rec_definition_table(findings->definition, REC_TABLE_CONTENT_COLUMN)));
	if (rec_findings_int64(0, 1) == 0)
		return;
	for (int i = 0; i < items->ncolumns && same; i++)
	{
		char	   *column = rec_findings_text(row, 2);
		char	   *kind = rec_findings_text(row, 4);
		bool		isnull;

		if (items->columns[i].weight == 0)
			continue;
		same = column && kind && strcmp(column, items->columns[i].name) == 0 &&
			DatumGetFloat8(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 3, &isnull)) ==
			items->columns[i].weight &&
			strcmp(kind, rec_item_source_kind_name(rec_item_source_column_kind(items, &items->columns[i]))) == 0;
		row++;
	}
	if (same && (row == SPI_processed || rec_findings_text(row, 2) == NULL))
		return;
	rec_findings_add(findings, "warning", "items_changed",
				psprintf("Run SELECT * FROM recommender.refresh(%s).", quote_literal_cstr(name)),
				"the columns that describe items were set or altered after the last refresh");
}

/* Items that came after the refresh, and that calls do not find. */
static void
check_new_items(RecFindings *findings, const RecItemSource *items)
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
	rec_findings_add(findings, "warning", "new_items",
				found > most ? psprintf("%s, or raise the option new_items.", refresh) :
				psprintf("%s; new items are found by a created_column that says when they came, or by growing numbers for ids.", refresh),
				INT64_FORMAT " available items of %s are not in the model, and calls look at " INT64_FORMAT " of them",
				unknown, rec_relation_quoted(items->relid), Min(found, most));
}

/* A row of an item twice: the item is available when one of its rows is. */
static void
check_duplicate_items(RecFindings *findings, const RecItemSource *items)
{
	const char *id = quote_identifier(items->item_column);

	rec_spi_select(psprintf("SELECT pg_catalog.count(*), pg_catalog.min(d.id COLLATE \"C\") "
							"FROM (SELECT i.%s::pg_catalog.text AS id FROM %s i WHERE i.%s IS NOT NULL "
							"GROUP BY i.%s HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1) d",
							id, rec_relation_quoted(items->relid), id, id));
	if (rec_findings_int64(0, 1) > 0)
		rec_findings_add(findings, "warning", "duplicate_items",
						 "Which row counts is arbitrary, and an item is available when any of its rows is. Use a view with one row for each item.",
						 "%s has more than one row of " INT64_FORMAT " items, such as %s",
						 rec_relation_quoted(items->relid), rec_findings_int64(0, 1),
						 rec_findings_text(0, 2));
}

static void
check_available(RecFindings *findings, const RecItemSource *items)
{
	char	   *relation = rec_relation_quoted(items->relid);
	int64		rows;

	rec_spi_select(psprintf("SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE %s%s) FROM %s i",
							items->available_column ? "i." : "true",
							items->available_column ? quote_identifier(items->available_column) : "",
							relation));
	rows = rec_findings_int64(0, 1);
	if (rec_findings_int64(0, 2) > 0)
		return;
	if (rows == 0)
		rec_findings_add(findings, "error", "nothing_available",
						 "Only items that have a row there are recommended.",
						 "%s has no rows", relation);
	else
		rec_findings_add(findings, "error", "nothing_available",
						 "Only items for which it is true are recommended; null is not.",
						 "column \"%s\" is true in none of the " INT64_FORMAT " rows of %s",
						 items->available_column, rows, relation);
}

/* Return an expression for ids as the model has them, without nulls of their own. */
static char *
id_expression(const RecDefinition *definition, const char *column)
{
	return psprintf("i.%s::%s%s%s", quote_identifier(column),
					rec_relation_type_quoted(definition->item_type),
					OidIsValid(definition->item_collation) ? " COLLATE " : "",
					OidIsValid(definition->item_collation) ?
					rec_relation_collation_quoted(definition->item_collation) : "");
}

/*
 * Items that only the interactions have, and items that only the relation has:
 *
 *	SELECT counts and examples FROM (SELECT DISTINCT i.item FROM source i) d
 *	FULL JOIN (SELECT DISTINCT i.id FROM items i) t ON d.id = t.id
 */
static void
check_matches(RecFindings *findings, const RecItemSource *items, const RecSource *source)
{
	RecDefinition *definition = findings->definition;
	int64		all;
	int64		missing;
	char	   *pattern;

	rec_spi_select(psprintf("SELECT pg_catalog.count(d.id), pg_catalog.count(d.id) FILTER (WHERE t.id IS NULL), "
							"pg_catalog.count(t.id), "
							"pg_catalog.min(d.id::pg_catalog.text COLLATE \"C\") FILTER (WHERE t.id IS NULL), "
							"pg_catalog.min(t.id::pg_catalog.text COLLATE \"C\") FILTER (WHERE d.id IS NULL) "
							"FROM (SELECT DISTINCT %s AS id FROM %s i WHERE i.%s IS NOT NULL AND i.%s IS NOT NULL) d "
							"FULL JOIN (SELECT DISTINCT %s AS id FROM %s i WHERE i.%s IS NOT NULL) t ON d.id %s t.id",
							id_expression(definition, source->item_column),
							rec_relation_quoted(source->relid),
							quote_identifier(source->item_column), quote_identifier(source->user_column),
							id_expression(definition, items->item_column),
							rec_relation_quoted(items->relid), quote_identifier(items->item_column),
							rec_relation_equality_operator(definition->item_type)));
	all = rec_findings_int64(0, 1);
	missing = rec_findings_int64(0, 2);
	if (all == 0 || rec_findings_int64(0, 3) == 0)
		return;
	pattern = rec_findings_text(0, 5) == NULL ? "" :
		psprintf("; %s has, for example, \"%s\"", rec_relation_quoted(items->relid), rec_findings_text(0, 5));
	if (missing == all)
		rec_findings_add(findings, "error", "ids_do_not_match",
						 "Name the columns that have the same ids with recommender.set_items() or recommender.add_interactions(), or use a view that turns one into the other.",
						 "none of the " INT64_FORMAT " items of %s has a row in %s: no item has id \"%s\"%s",
						 all, rec_relation_quoted(source->relid), rec_relation_quoted(items->relid),
						 rec_findings_text(0, 4), pattern);
	else if (missing > all * UNMATCHED_SHARE)
		rec_findings_add(findings, "warning", "ids_match_in_part",
						 "Items without a row are not recommended. If they are not gone, compare how the ids are written, and use a view that turns one into the other.",
						 INT64_FORMAT " of " INT64_FORMAT " items of %s have no row in %s, such as \"%s\"%s",
						 missing, all, rec_relation_quoted(source->relid), rec_relation_quoted(items->relid),
						 rec_findings_text(0, 4), pattern);
}

static void
check_ids(RecFindings *findings, const RecItemSource *items)
{
	for (int i = 0; i < findings->definition->nsources; i++)
		if (get_rel_name(findings->definition->sources[i].relid))
			check_matches(findings, items, &findings->definition->sources[i]);
}

/* Embeddings that no model can use, and those of another length than most. */
static void
check_embedding(RecFindings *findings, const RecItemSource *items, const RecItemColumn *column)
{
	char	   *relation = rec_relation_quoted(items->relid);
	const char *id = quote_identifier(items->item_column);
	const char *name = quote_identifier(column->name);

	rec_spi_select(psprintf("SELECT pg_catalog.count(*), pg_catalog.min(e.id COLLATE \"C\") FROM ("
							"SELECT i.%s::pg_catalog.text AS id, i.%s::pg_catalog.float4[] AS v FROM %s i WHERE i.%s IS NOT NULL) e "
							"WHERE pg_catalog.array_ndims(e.v) OPERATOR(pg_catalog.>) 1 OR EXISTS (SELECT FROM pg_catalog.unnest(e.v) x "
							"WHERE x IS NULL OR x OPERATOR(pg_catalog.=) ANY ('{NaN,Infinity,-Infinity}'::pg_catalog.float4[]))",
							id, name, relation, name));
	if (rec_findings_int64(0, 1) > 0)
		rec_findings_add(findings, "error", "embedding_not_valid",
						 "An embedding is a one-dimensional array of finite numbers without nulls. Correct them, or set them to null.",
						 "column \"%s\" of %s has " INT64_FORMAT " embeddings that are not valid, such as that of item %s",
						 column->name, relation, rec_findings_int64(0, 1), rec_findings_text(0, 2));
	rec_spi_select(psprintf("SELECT e.n::pg_catalog.int8, pg_catalog.count(*), pg_catalog.min(e.id COLLATE \"C\") FROM ("
							"SELECT i.%s::pg_catalog.text AS id, pg_catalog.cardinality(i.%s::pg_catalog.float4[]) AS n FROM %s i WHERE i.%s IS NOT NULL) e "
							"WHERE e.n OPERATOR(pg_catalog.>) 0 GROUP BY 1 ORDER BY 2 DESC, 1",
							id, name, relation, name));
	if (SPI_processed > 1)
		rec_findings_add(findings, "error", "embedding_length",
						 "All embeddings of a column have the same number of dimensions. Correct them, or set them to null.",
						 "column \"%s\" of %s has embeddings of " INT64_FORMAT " dimensions and of " INT64_FORMAT ", such as that of item %s",
						 column->name, relation, rec_findings_int64(0, 1), rec_findings_int64(1, 1),
						 rec_findings_text(1, 3));
}

static void
check_embeddings(RecFindings *findings, const RecItemSource *items)
{
	for (int i = 0; i < items->ncolumns; i++)
		if (rec_item_source_column_kind(items, &items->columns[i]) == REC_ITEM_EMBEDDING)
			check_embedding(findings, items, &items->columns[i]);
}

/* ----------------
 *		all of them
 * ----------------
 */

static void
test_columns(RecFindings *findings, const void *items)
{
	rec_item_source_check_columns((const RecItemSource *) items, findings->definition->item_type);
}

static bool
check_id_type(RecFindings *findings, const RecItemSource *items)
{
	Oid			type = rec_relation_column(items->relid, items->item_column).type;
	Oid			expected = findings->definition->item_type;

	if (type == expected || can_coerce_type(1, &type, &expected, COERCION_IMPLICIT))
		return true;
	rec_findings_add(findings, "error", "id_type_changed",
					 "Change the type back, or give the recommender a view that casts the column.",
					 "column \"%s\" of %s is of type %s now, the recommender has ids of type %s",
					 items->item_column, rec_relation_quoted(items->relid),
					 format_type_be(type), format_type_be(expected));
	return false;
}

/* Checks that read the rows; each may fail without the others. */
static void (*const row_checks[]) (RecFindings *, const RecItemSource *) = {
	check_items_index, check_items_changed, check_duplicate_items, check_available,
	check_embeddings, check_new_items
};

/* One of these checks, of the relation of items. */
typedef struct RowCheck
{
	void		(*check) (RecFindings *, const RecItemSource *);
	const RecItemSource *items;
} RowCheck;

static void
run_row_check(RecFindings *findings, const void *object)
{
	const RowCheck *check = (const RowCheck *) object;

	check->check(findings, check->items);
}

/*
 * Add what is found about the relation of items, and about its ids if "sources"
 * can be read, too.
 */
void
rec_check_items(RecFindings *findings, const RecItemSource *items, bool sources)
{
	RowCheck	ids = {check_ids, items};

	if (!check_items_exist(findings, items) || !check_id_type(findings, items) ||
		!rec_findings_test(findings, test_columns, items,
						   "Change the type back, give the recommender a view that casts the column, or name other columns with recommender.set_items()."))
		return;
	for (int i = 0; i < (int) lengthof(row_checks); i++)
	{
		RowCheck	check = {row_checks[i], items};

		/* what one check cannot read, none can */
		if (!rec_findings_run(findings, run_row_check, &check, items->relid))
			return;
	}
	if (sources)
		(void) rec_findings_run(findings, run_row_check, &ids, items->relid);
}
