/*-------------------------------------------------------------------------
 *
 * newest_item.c
 *	  Which items came after a refresh.
 *
 * Those that were created since the newest item of the last refresh, by the
 * column of creation or, where there is none, those with larger numbers for ids.
 * So no more than the end of an index is read for them.  What came
 * with an older date, or has ids that do not grow, is not found, nor are more
 * than the option new_items allows; check_recommender() counts both.
 *
 * SPI is connected.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/model/newest_item.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "definition/plan_cache.h"
#include "model/newest_item.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* ----------------
 *		in a call
 * ----------------
 */

/*
 * Return a time, an expression, as a value that compares with the column of
 * creation.  Times without time zone are kept as if they were those of UTC,
 * which cancels out.
 */
static const char *
as_created(Oid type, const char *time)
{
	switch (type)
	{
		case TIMESTAMPOID:
			return psprintf("pg_catalog.timezone('UTC'::pg_catalog.text, %s)", time);
		case DATEOID:
			return psprintf("pg_catalog.timezone('UTC'::pg_catalog.text, %s)::pg_catalog.date", time);
		default:
			return time;
	}
}

/* The expression for a value of the column of creation as a time. */
static char *
created_as_time(const RecItemSource *items)
{
	const char *column = quote_identifier(items->created_column);

	switch (rec_relation_column(items->relid, items->created_column).type)
	{
		case TIMESTAMPOID:
			return psprintf("pg_catalog.timezone('UTC'::pg_catalog.text, i.%s)", column);
		case DATEOID:
			return psprintf("pg_catalog.timezone('UTC'::pg_catalog.text, i.%s::pg_catalog.timestamp)", column);
		default:
			return psprintf("i.%s", column);
	}
}

/* Items with a later time of creation are not yet there. */
static TimestampTz
latest_of_type(Oid type)
{
	TimestampTz now = GetCurrentTimestamp();

	/* times without time zone may be ahead of UTC */
	return type == TIMESTAMPTZOID ? now : now + USECS_PER_DAY;
}

static bool
has_integer_ids(const RecItemSource *items)
{
	switch (rec_relation_column(items->relid, items->item_column).type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return true;
		default:
			return false;
	}
}

/* Return the latest time of creation that an item may have now. */
TimestampTz
rec_newest_item_latest(const RecItemSource *items)
{
	return latest_of_type(rec_item_source_created_type(items));
}

/*
 * Return the condition for items that may be new, by expressions: since when and
 * until when, or beyond which number; NULL when the items have neither.
 */
char *
rec_newest_item_condition(const RecItemSource *items, const char *since, const char *until, const char *beyond)
{
	if (items->created_column)
	{
		Oid			type = rec_item_source_created_type(items);
		const char *created = quote_identifier(items->created_column);

		return psprintf("i.%s OPERATOR(pg_catalog.>=) %s AND i.%s OPERATOR(pg_catalog.<=) %s",
						created, as_created(type, since), created, as_created(type, until));
	}
	if (has_integer_ids(items))
		return psprintf("i.%s OPERATOR(pg_catalog.>) %s", quote_identifier(items->item_column), beyond);
	return NULL;
}

/* Return a condition for what is available, to follow another. */
char *
rec_newest_item_and_available(const RecItemSource *items)
{
	if (items->available_column == NULL)
		return "";
	rec_item_source_check_available(items);
	return psprintf(" AND i.%s", quote_identifier(items->available_column));
}

/* ----------------
 *		in a refresh
 * ----------------
 */

/* Return the only value of the last query, a default for a null. */
static int64
result_int64(int64 otherwise)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

	return isnull ? otherwise : DatumGetInt64(value);
}

/*
 * Return the time of creation from which on there may be items that the model
 * does not know, minus infinity when all may be: that of the newest of now, or
 * what comes after it when it is that of so many that they would be in the way.
 * Read as the current user; SPI is connected.
 */
int64
rec_newest_item_created(const RecDefinition *definition)
{
	const RecItemSource *items = definition->items;
	Oid			types[1] = {TIMESTAMPTZOID};
	Datum		values[1];
	Oid			type;
	char	   *relation = rec_relation_quoted(items->relid);
	const char *created;
	int64		newest;

	if (items->created_column == NULL)
		return DT_NOBEGIN;
	type = rec_item_source_created_type(items);
	created = quote_identifier(items->created_column);
	values[0] = TimestampTzGetDatum(latest_of_type(type));
	rec_spi_execute(psprintf("SELECT pg_catalog.max(%s) FROM %s i WHERE i.%s OPERATOR(pg_catalog.<=) %s",
							 created_as_time(items), relation, created, as_created(type, "$1")),
					1, types, values, NULL, true, SPI_OK_SELECT);
	newest = result_int64(DT_NOBEGIN);
	if (TIMESTAMP_NOT_FINITE(newest))
		return newest;
	values[0] = TimestampTzGetDatum(newest);
	rec_spi_execute(psprintf("SELECT pg_catalog.count(*) FROM (SELECT FROM %s i WHERE i.%s OPERATOR(pg_catalog.=) %s LIMIT %d) t",
							 relation, created, as_created(type, "$1"), REC_NEWEST_TIES + 1),
					1, types, values, NULL, true, SPI_OK_SELECT);
	if (result_int64(0) <= REC_NEWEST_TIES)
		return newest;
	return newest + (type == DATEOID ? USECS_PER_DAY : 1);
}

/*
 * Return the largest id, if ids are integers: items with larger ones are not
 * known to the model.
 */
int64
rec_newest_item(const RecDefinition *definition)
{
	const RecItemSource *items = definition->items;

	if (!has_integer_ids(items))
		return PG_INT64_MIN;
	rec_spi_select(psprintf("SELECT pg_catalog.max(i.%s)::pg_catalog.int8 FROM %s i",
							quote_identifier(items->item_column), rec_relation_quoted(items->relid)));
	return result_int64(PG_INT64_MIN);
}

/* ----------------
 *		for whoever checks
 * ----------------
 */

/*
 * Count the available items that the model does not know, and those of them
 * that a call would find if it looked at all; reads the whole relation, with
 * the caller's rights:
 *
 *	SELECT count(*), count(*) FILTER (WHERE i.created >= d.newest_created ...)
 *	FROM items i, definition d WHERE d.generation > 0 AND i.available
 *	AND NOT EXISTS (SELECT FROM item m WHERE m.item_id = i.id ...)
 */
void
rec_newest_item_count(const RecDefinition *definition, int64 *unknown, int64 *found)
{
	const RecItemSource *items = definition->items;
	const char *id = quote_identifier(items->item_column);
	char	   *condition = rec_newest_item_condition(items, "coalesce(d.newest_created, '-infinity')",
													  "pg_catalog.clock_timestamp()", "coalesce(d.newest_item, '-9223372036854775808')");
	bool		isnull;

	rec_spi_select(psprintf("SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE %s) FROM %s i, %s d "
							"WHERE d.generation OPERATOR(pg_catalog.>) 0 AND i.%s IS NOT NULL%s "
							"AND NOT EXISTS (SELECT FROM %s m WHERE m.generation OPERATOR(pg_catalog.=) d.generation "
							"AND m.item_id %s i.%s)",
							condition ? condition : "false", rec_relation_quoted(items->relid),
							rec_definition_table(definition, REC_TABLE_DEFINITION), id,
							rec_newest_item_and_available(items),
							rec_definition_table(definition, REC_TABLE_ITEM),
							rec_relation_equality_operator(definition->item_type), id));
	*unknown = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	*found = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
}
