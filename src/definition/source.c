/*-------------------------------------------------------------------------
 *
 * source.c
 *	  A recommender's sources of interactions: what they must have, and the
 *	  queries on them.
 *
 * The text of a query is made of identifiers from the catalog, quoted; values are
 * parameters.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/source.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/attnum.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "definition/source.h"
#include "parser/parse_coerce.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* ----------------
 *		what a source must have
 * ----------------
 */

/* Raise an error when the time or the weight is of a type that cannot be either. */
void
rec_source_check_columns(const RecSource *source)
{
	if (source->time_column)
		rec_interaction_check_time_column(rec_relation_column(source->relid, source->time_column).type,
										  psprintf("column \"%s\" of relation \"%s\", the time,",
												   source->time_column, get_rel_name(source->relid)));
	if (source->weight_column)
		rec_interaction_check_numeric_column(rec_relation_column(source->relid, source->weight_column).type,
											 psprintf("column \"%s\" of relation \"%s\", the weight,",
													  source->weight_column, get_rel_name(source->relid)));
}

/* Ids need equality, an order for indexes, and an array type for arguments. */
static void
check_id_type(Oid type, const char *column)
{
	TypeCacheEntry *typcache = lookup_type_cache(type, TYPECACHE_EQ_OPR | TYPECACHE_BTREE_OPFAMILY);

	if (!OidIsValid(typcache->btree_opf) || !OidIsValid(typcache->eq_opr) ||
		!OidIsValid(get_array_type(type)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of type %s cannot hold ids",
						column, format_type_be(type)),
				 OidIsValid(get_element_type(type)) ?
				 errhint("Functions take arrays of ids, and there are no arrays of arrays. Give a view that casts the column to text.") :
				 errhint("Ids must be of a type with a default btree operator class.")));
	(void) rec_dictionary_create(type, InvalidOid, CurrentMemoryContext);
}

static void
check_event_column(const RecSource *source)
{
	RecColumn	column;
	Oid			output;
	bool		is_varlena;

	if (source->event_column && source->event)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event and event_column cannot both be given")));
	if (source->event_weights && !source->event_column && !source->event)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event_weights needs an event_column or an event")));
	if (source->event_column == NULL)
		return;
	column = rec_relation_column(source->relid, source->event_column);
	getTypeOutputInfo(column.type, &output, &is_varlena);
}

/* Refuse names of context columns that a relation has not. */
void
rec_source_check_context_columns(Oid relid, ArrayType *columns)
{
	Datum	   *names;
	int			n;

	names = rec_arguments_names(columns, "context_columns", &n);
	for (int i = 0; i < n; i++)
		(void) rec_relation_column(relid, NameStr(*DatumGetName(names[i])));
}

/* Check a source's columns; return those of user and item. */
void
rec_source_check(const RecSource *source, RecColumn *user, RecColumn *item)
{
	rec_relation_check(source->relid);
	*user = rec_relation_column(source->relid, source->user_column);
	*item = rec_relation_column(source->relid, source->item_column);
	check_id_type(user->type, source->user_column);
	check_id_type(item->type, source->item_column);
	rec_source_check_columns(source);
	check_event_column(source);
}

/*
 * Return the CREATE INDEX that serving from a source wants, NULL when there is
 * such an index or the source is no table.
 */
char *
rec_source_missing_index(const RecSource *source)
{
	return rec_relation_missing_index(source->relid, source->user_column, source->time_column, false);
}

/* Return the CREATE INDEX that trending_items() needs, or NULL. */
char *
rec_source_missing_time_index(const RecSource *source)
{
	if (source->time_column == NULL)
		return NULL;
	return rec_relation_missing_index(source->relid, source->time_column, NULL, false);
}

/*
 * Return the number of the source that an option's weight is of; an ERROR when
 * there is none, or when it has no events.
 */
int
rec_source_of_weight(const RecDefinition *definition, const RecSourceWeight *weight)
{
	RangeVar   *name = makeRangeVarFromNameList(rec_relation_qualified_names(weight->relation));
	Oid			relid = RangeVarGetRelid(name, NoLock, true);
	RecClosest	closest;

	rec_closest_name_start(&closest, weight->relation);
	for (int i = 0; i < definition->nsources; i++)
	{
		const RecSource *source = &definition->sources[i];

		if (source->relid != relid)
		{
			if (get_rel_name(source->relid))
				rec_closest_name_consider(&closest, rec_relation_quoted(source->relid));
			continue;
		}
		if (source->event_weights == NULL && source->event == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("all events of relation \"%s\" weigh the same", weight->relation),
					 errhint("Give each event a weight with add_interactions() first.")));
		return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("relation \"%s\" is no source of recommender %s", weight->relation,
					rec_definition_name(definition)),
			 rec_closest_name_hint(&closest, "relation")));
	return -1;
}

/*
 * Look up the relations of weights of events by the caller's search_path, and
 * qualify their names, so that they mean the same with another search_path.
 */
void
rec_source_qualify_weights(const RecDefinition *definition, RecOptions *options)
{
	for (int i = 0; i < options->nevent_weights; i++)
	{
		RecSourceWeight *weight = &options->event_weights[i];
		int			source = rec_source_of_weight(definition, weight);

		weight->relation = rec_relation_quoted(definition->sources[source].relid);
	}
}

/* ----------------
 *		queries
 * ----------------
 */

/* What to do about a source that is gone. */
char *
rec_source_remove_hint(const RecDefinition *definition, const RecSource *source)
{
	return psprintf("Run SELECT recommender.remove_interactions(%s, %u).",
					quote_literal_cstr(rec_definition_name(definition)), source->relid);
}

/* Append ", column" cast to a type when it has another; return its place. */
static int
append_column(StringInfo query, const RecSource *source, const char *column,
			  Oid type, int *ncolumns)
{
	RecColumn	found;

	if (column == NULL)
		return -1;
	found = rec_relation_column(source->relid, column);
	appendStringInfo(query, "%s i.%s", *ncolumns > 0 ? "," : "", quote_identifier(column));
	if (OidIsValid(type) && found.type != type)
		appendStringInfo(query, "::%s", rec_relation_type_quoted(type));
	return (*ncolumns)++;
}

static void
check_exists(const RecDefinition *definition, const RecSource *source)
{
	if (get_rel_name(source->relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("a source of recommender \"%s\" no longer exists",
						rec_definition_name(definition)),
				 errdetail("It was the relation with OID %u.", source->relid),
				 errhint("%s", rec_source_remove_hint(definition, source))));
}

/*
 * Raise an error unless ids can be compared with those of the recommender's
 * type.  A column that was widened since, from integer to bigint, can.
 */
static void
check_comparable(const RecSource *source, const char *column, Oid expected)
{
	Oid			type = rec_relation_column(source->relid, column).type;

	if (!can_coerce_type(1, &type, &expected, COERCION_ASSIGNMENT))
		rec_relation_check_same_type(source->relid, column, expected);
}

/* Append the columns of a source: user, item and what else it has. */
static int
append_columns(StringInfo query, const RecDefinition *definition,
			   const RecSource *source, RecRowFormat *format)
{
	int			n = 0;

	check_exists(definition, source);
	check_comparable(source, source->user_column, definition->user_type);
	memset(format, 0, sizeof(*format));
	format->user = append_column(query, source, source->user_column,
								 definition->user_type, &n);
	format->item = append_column(query, source, source->item_column,
								 definition->item_type, &n);
	rec_source_check_columns(source);
	format->time = append_column(query, source, source->time_column, InvalidOid, &n);

	/*
	 * cast, as the text of a value differs from what its type puts out:
	 * "true", "t"
	 */
	format->event = append_column(query, source, source->event_column, TEXTOID, &n);
	format->weight = append_column(query, source, source->weight_column, InvalidOid, &n);
	format->event_weights = source->event_weights;
	format->constant_event = source->event;
	return n;
}

/*
 * Return the query for the interactions of a source, with a WHERE clause or
 * NULL, and where its columns are:
 *
 *	SELECT i.user, i.item, i.time, i.event, i.weight FROM relation i WHERE ...
 *
 * Ids are cast to the recommender's types where a source has other ones.
 */
char *
rec_source_query(const RecDefinition *definition, const RecSource *source,
				 const char *where, RecRowFormat *format)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT");
	(void) append_columns(&query, definition, source, format);
	appendStringInfo(&query, " FROM %s i", rec_relation_quoted(source->relid));
	if (where)
		appendStringInfo(&query, " WHERE %s", where);
	return query.data;
}

/*
 * Return the query for all interactions of a source, with the columns of the
 * context unless "situations" is NULL:
 *
 *	SELECT i.user, i.item, ..., i.context, i.context FROM relation i
 */
char *
rec_source_training_query(const RecDefinition *definition, const RecSource *source,
						  RecSituations *situations, RecRowFormat *format)
{
	StringInfoData query;
	int			n;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT");
	n = append_columns(&query, definition, source, format);
	format->situations = situations;
	format->ncontexts = situations ? source->ncontexts : 0;
	format->first_context = n;
	format->contexts = source->context_numbers;
	for (int i = 0; i < format->ncontexts; i++)
		(void) append_column(&query, source, source->context_columns[i], InvalidOid, &n);
	appendStringInfo(&query, " FROM %s i", rec_relation_quoted(source->relid));
	return query.data;
}

/* True when some source has times that tell a part of the time. */
bool
rec_source_any_has_time(const RecDefinition *definition, RecTimePart part)
{
	for (int i = 0; i < definition->nsources; i++)
	{
		const RecSource *source = &definition->sources[i];
		AttrNumber	attnum = source->time_column == NULL ? InvalidAttrNumber :
		get_attnum(source->relid, source->time_column);

		if (attnum != InvalidAttrNumber &&
			(part != REC_TIME_HOUR ||
			 getBaseType(get_atttype(source->relid, attnum)) != DATEOID))
			return true;
	}
	return false;
}

static SPIPlanPtr
prepare(const char *query, int nargs, Oid *types)
{
	SPIPlanPtr	plan = rec_spi_prepare(query, nargs, types, CURSOR_OPT_GENERIC_PLAN);

	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep a plan");
	return plan;
}

/*
 * Return the plan of a source's history query; SPI is connected:
 *
 *	SELECT ... FROM relation i WHERE i.user = $1
 */
SPIPlanPtr
rec_source_history_plan(RecDefinition *definition, RecSource *source)
{
	Oid			types[1] = {definition->user_type};
	char	   *where;

	if (source->history_plan)
		return source->history_plan;
	check_exists(definition, source);
	(void) rec_relation_column(source->relid, source->user_column);
	where = psprintf("i.%s %s $1", quote_identifier(source->user_column),
					 rec_relation_equality_operator(definition->user_type));
	source->history_plan =
		prepare(rec_source_query(definition, source, where, &source->history_format),
				1, types);
	return source->history_plan;
}
