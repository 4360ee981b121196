/*-------------------------------------------------------------------------
 *
 * create_recommender.c
 *	  Making and dropping recommenders.
 *
 * create_recommender() checks what it is given before it makes anything; what
 * it makes is in ddl.c.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/create_recommender.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "admin/alter_recommender.h"
#include "admin/ddl.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "definition/explanation_template.h"
#include "definition/layout.h"
#include "miscadmin.h"
#include "options/options_default.h"
#include "options/options_read.h"
#include "pg/arguments.h"
#include "pg/json_reader.h"
#include "pg/spi.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* Drop the recommender of that name; return false when there is no such schema. */
static bool
drop_by_name(const char *name, bool cascade)
{
	Oid			schema = get_namespace_oid(name, true);

	if (!OidIsValid(schema))
		return false;
	if (!rec_layout_was_recommender(schema))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("schema \"%s\" is not a recommender", name)));
	if (!has_privs_of_role(GetUserId(), rec_layout_schema_owner(schema)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of recommender %s", name)));
	SPI_connect();
	rec_ddl_drop(name, cascade);
	SPI_finish();
	return true;
}

static void
check_name(const char *name)
{
	if (name[0] == '\0' || strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("a recommender's name must have 1 to %d bytes", NAMEDATALEN - 1)));
	if (OidIsValid(get_namespace_oid(name, true)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_SCHEMA),
				 errmsg("schema \"%s\" already exists", name),
				 errhint("A recommender makes a schema of its name: choose another, drop the old one first, or set replace to true.")));
}

/* Refuse options that a recommender could not have, NULL for none. */
static void
check_options(Jsonb *given)
{
	RecOptions	options;

	rec_options_default(&options, true);
	if (given)
		rec_options_read(&options, given, REC_SCOPE_BUILD | REC_SCOPE_SERVE);
}

/*
 * create_recommender(recommender, interactions, user_column, item_column,
 * time_column, event_column, weight_column, event_weights, context_columns,
 * options, replace): makes the schema with all that is in it; returns its name.
 * With "replace" a recommender of that name is dropped before, in the same
 * transaction and after all other arguments were checked.
 */
PG_FUNCTION_INFO_V1(rec_create_recommender);
Datum
rec_create_recommender(PG_FUNCTION_ARGS)
{
	char	   *name = rec_arguments_recommender(fcinfo);
	Jsonb	   *options = rec_json_reader_null_as_object(PG_ARGISNULL(9) ? NULL : PG_GETARG_JSONB_P(9));
	RecGivenSource given;
	RecColumn	user;
	RecColumn	item;
	Oid			types[1] = {JSONBOID};
	Datum		values[1];

	rec_alter_recommender_source_read(&given, fcinfo, 7);
	rec_arguments_require(PG_ARGISNULL(10) ? NULL : fcinfo, "replace");
	check_options(options);
	if (!PG_GETARG_BOOL(10))
		check_name(name);
	rec_source_check(&given.source, &user, &item);
	rec_source_check_context_columns(given.source.relid, given.context_columns);
	if (PG_GETARG_BOOL(10))
	{
		(void) drop_by_name(name, false);
		check_name(name);
	}

	SPI_connect();
	rec_ddl_create(name, &user, &item);
	values[0] = JsonbPGetDatum(options);
	rec_spi_execute(psprintf("INSERT INTO %s (options) VALUES ($1)",
							 quote_qualified_identifier(name, "definition")),
					1, types, values, NULL, false, SPI_OK_INSERT);
	rec_explanation_template_install(name);
	rec_alter_recommender_source_write(&given, name);
	SPI_finish();
	rec_alter_recommender_source_notice(&given);
	PG_RETURN_TEXT_P(cstring_to_text(name));
}

/*
 * drop_recommender(recommender, cascade): drops the recommender's objects and
 * schema; false when there is none of that name.  An ERROR when other objects
 * depend on them or live in the schema, unless these are dropped by cascade.
 */
PG_FUNCTION_INFO_V1(rec_drop_recommender);
Datum
rec_drop_recommender(PG_FUNCTION_ARGS)
{
	char	   *name = rec_arguments_recommender(fcinfo);

	rec_arguments_require(PG_ARGISNULL(1) ? NULL : fcinfo, "cascade");
	PG_RETURN_BOOL(drop_by_name(name, PG_GETARG_BOOL(1)));
}
