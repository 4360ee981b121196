/*-------------------------------------------------------------------------
 *
 * filter.c
 *	  Filters in jsonb as conditions of SQL.
 *
 * A filter is an object.  Each of its members is a condition on a column, or
 * combines filters ("and", "or", "not"); all must hold:
 *
 *	{"category": "shoes", "price": {"gte": 20, "lt": 100},
 *	 "or": [{"brand": ["a", "b"]}, {"tags": {"contains": "sale"}}]}
 *
 * becomes the text
 *
 *	(i.category OPERATOR(pg_catalog.=) $1) AND (i.price ...) AND ((...) OR (...))
 *
 * and a list of values.  Columns are those of the relation, quoted; operators
 * are the types' own, found in the catalogs, and qualified; values are read by
 * the input function of the column's type and passed as parameters only.  So
 * the text depends on the shape of the filter and not on its values, and its
 * plan can be kept; and conditions mean what they mean in SQL, NULL included.
 *
 * Lists are one parameter, whatever their length.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/filter.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pg/arguments.h"
#include "pg/json_reader.h"
#include "pg/relation.h"
#include "serve/filter.h"
#include "serve/filter_value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#define MAX_DEPTH		1000	/* of filters within filters */

/* A condition being written. */
typedef struct Builder
{
	RecFilter  *filter;
	Oid			relid;
	StringInfoData text;
	int			depth;			/* of filters and "not"s around this one */
} Builder;

typedef struct Operator
{
	const char *name;
	void		(*append) (Builder *builder, const RecFilterColumn *column,
						   const struct Operator *oper, const JsonbValue *value);
	StrategyNumber strategy;	/* of comparisons */
} Operator;

static void append_filter(Builder *builder, JsonbContainer *object);
static void append_column(Builder *builder, const RecFilterColumn *column,
						  const JsonbValue *value);

/* Begin a nested filter; the caller decrements "depth" at its end. */
static void
go_deeper(Builder *builder)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (++builder->depth > MAX_DEPTH)
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("filter is nested too deeply"),
				 errdetail("Filters can be nested at most %d levels deep.", MAX_DEPTH)));
}

/* Append the parameter for a value. */
static void
append_value(Builder *builder, Oid type, Datum value)
{
	RecFilter  *filter = builder->filter;

	if (filter->nvalues == filter->allocated)
	{
		filter->allocated = Max(8, filter->allocated * 2);
		filter->types = filter->types ?
			repalloc_array(filter->types, Oid, filter->allocated) :
			palloc_array(Oid, filter->allocated);
		filter->values = filter->values ?
			repalloc_array(filter->values, Datum, filter->allocated) :
			palloc_array(Datum, filter->allocated);
	}
	filter->types[filter->nvalues] = type;
	filter->values[filter->nvalues] = value;
	appendStringInfo(&builder->text, "$%d", ++filter->nvalues);
}

/* ----------------
 *		operators
 * ----------------
 */

static void
append_null_test(Builder *builder, const RecFilterColumn *column, bool is_null)
{
	appendStringInfo(&builder->text, "%s IS %sNULL", column->quoted, is_null ? "" : "NOT ");
}

/* column = $n */
static void
append_equal(Builder *builder, const RecFilterColumn *column, const Operator *oper,
			 const JsonbValue *value)
{
	if (value->type == jbvNull)
	{
		append_null_test(builder, column, true);
		return;
	}
	appendStringInfo(&builder->text, "%s %s ", column->quoted,
					 rec_relation_equality_operator(column->type));
	append_value(builder, column->type, rec_filter_value(column, oper->name, value));
}

static void
append_not_equal(Builder *builder, const RecFilterColumn *column, const Operator *oper,
				 const JsonbValue *value)
{
	appendStringInfoString(&builder->text, "NOT (");
	append_equal(builder, column, oper, value);
	appendStringInfoChar(&builder->text, ')');
}

static Oid
array_type_of(const RecFilterColumn *column)
{
	Oid			type = get_array_type(column->type);

	if (!OidIsValid(type))
		rec_filter_value_refuse_type(column, "in", "a type with arrays");
	return type;
}

/*
 * Append (column = ANY ($n) OR column IS NULL); for an array, column && $n.  No
 * value is in an empty list.
 */
static void
append_in(Builder *builder, const RecFilterColumn *column, const Operator *oper,
		  const JsonbValue *value)
{
	Oid			type = OidIsValid(column->element) ? column->element : column->type;
	bool		has_null;
	Datum		list;

	if (rec_json_reader_array(value) == NULL)
		rec_filter_value_refuse_value(column, oper->name, "an array");
	list = rec_filter_value_elements(column, oper->name, type, value, &has_null);
	if (ARR_NDIM(DatumGetArrayTypeP(list)) == 0)
	{
		if (has_null)
			append_null_test(builder, column, true);
		else
			appendStringInfoString(&builder->text, "false");
		return;
	}
	appendStringInfo(&builder->text, "(%s ", column->quoted);
	if (OidIsValid(column->element))
	{
		(void) rec_relation_equality_operator(column->element);
		appendStringInfoString(&builder->text, "OPERATOR(pg_catalog.&&) ");
		append_value(builder, column->type, list);
	}
	else
	{
		appendStringInfo(&builder->text, "%s ANY (", rec_relation_equality_operator(column->type));
		append_value(builder, array_type_of(column), list);
		appendStringInfoChar(&builder->text, ')');
	}
	if (has_null)
	{
		appendStringInfoString(&builder->text, " OR ");
		append_null_test(builder, column, true);
	}
	appendStringInfoChar(&builder->text, ')');
}

/* Append column < $n, and so on, by the default order of the type. */
static void
append_comparison(Builder *builder, const RecFilterColumn *column, const Operator *oper,
				  const JsonbValue *value)
{
	TypeCacheEntry *type = lookup_type_cache(column->type,
											 TYPECACHE_LT_OPR | TYPECACHE_BTREE_OPFAMILY);
	Oid			found = InvalidOid;

	if (OidIsValid(type->lt_opr))
		found = get_opfamily_member(type->btree_opf, type->btree_opintype,
									type->btree_opintype, oper->strategy);
	if (!OidIsValid(found))
		rec_filter_value_refuse_type(column, oper->name, "a type with an order");
	appendStringInfo(&builder->text, "%s %s ", column->quoted, rec_relation_operator_quoted(found));
	append_value(builder, column->type, rec_filter_value(column, oper->name, value));
}

/* Append column @> $n, for an array or jsonb. */
static void
append_contains(Builder *builder, const RecFilterColumn *column, const Operator *oper,
				const JsonbValue *value)
{
	Datum		operand;

	if (OidIsValid(column->element))
	{
		(void) rec_relation_equality_operator(column->element);
		operand = rec_filter_value_array(column, oper->name, column->element, value);
	}
	else if (column->type == JSONBOID)
		operand = rec_filter_value(column, oper->name, value);
	else
		rec_filter_value_refuse_type(column, oper->name, "an array or jsonb");
	appendStringInfo(&builder->text, "%s OPERATOR(pg_catalog.@>) ", column->quoted);
	append_value(builder, column->type, operand);
}

/* column && $n */
static void
append_overlaps(Builder *builder, const RecFilterColumn *column, const Operator *oper,
				const JsonbValue *value)
{
	if (!OidIsValid(column->element))
		rec_filter_value_refuse_type(column, oper->name, "an array");
	(void) rec_relation_equality_operator(column->element);
	appendStringInfo(&builder->text, "%s OPERATOR(pg_catalog.&&) ", column->quoted);
	append_value(builder, column->type,
				 rec_filter_value_array(column, oper->name, column->element, value));
}

/* Return the operator LIKE of a type: its own, as citext has, or that of text. */
static char *
like_operator(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Oid			namespace;
	Oid			found;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	namespace = ((Form_pg_type) GETSTRUCT(tuple))->typnamespace;
	ReleaseSysCache(tuple);
	found = GetSysCacheOid4(OPERNAMENSP, Anum_pg_operator_oid, PointerGetDatum("~~"),
							ObjectIdGetDatum(type), ObjectIdGetDatum(TEXTOID),
							ObjectIdGetDatum(namespace));
	return OidIsValid(found) ? rec_relation_operator_quoted(found) : pstrdup("OPERATOR(pg_catalog.~~)");
}

/* Append column LIKE $n, a pattern, for which the planner can use indexes. */
static void
append_prefix(Builder *builder, const RecFilterColumn *column, const Operator *oper,
			  const JsonbValue *value)
{
	StringInfoData pattern;
	char		category;
	bool		preferred;

	get_type_category_preferred(column->type, &category, &preferred);
	if (category != TYPCATEGORY_STRING)
		rec_filter_value_refuse_type(column, oper->name, "text");
	if (value->type != jbvString)
		rec_filter_value_refuse_value(column, oper->name, "a string");
	initStringInfo(&pattern);
	for (const char *c = rec_json_reader_string(value); *c; c++)
	{
		if (*c == '\\' || *c == '%' || *c == '_')
			appendStringInfoChar(&pattern, '\\');
		appendStringInfoChar(&pattern, *c);
	}
	appendStringInfoChar(&pattern, '%');
	appendStringInfo(&builder->text, "%s %s ", column->quoted, like_operator(column->type));
	append_value(builder, TEXTOID, CStringGetTextDatum(pattern.data));
}

static void
append_is_null(Builder *builder, const RecFilterColumn *column, const Operator *oper,
			   const JsonbValue *value)
{
	if (value->type != jbvBool)
		rec_filter_value_refuse_value(column, oper->name, "true or false");
	append_null_test(builder, column, value->val.boolean);
}

/* Append NOT (condition of the value on the column). */
static void
append_not(Builder *builder, const RecFilterColumn *column, const Operator *oper pg_attribute_unused(),
		   const JsonbValue *value)
{
	appendStringInfoString(&builder->text, "NOT (");
	append_column(builder, column, value);
	appendStringInfoChar(&builder->text, ')');
}

static const Operator operators[] = {
	{"eq", append_equal, 0},
	{"ne", append_not_equal, 0},
	{"in", append_in, 0},
	{"not", append_not, 0},
	{"lt", append_comparison, BTLessStrategyNumber},
	{"lte", append_comparison, BTLessEqualStrategyNumber},
	{"gt", append_comparison, BTGreaterStrategyNumber},
	{"gte", append_comparison, BTGreaterEqualStrategyNumber},
	{"contains", append_contains, 0},
	{"overlaps", append_overlaps, 0},
	{"prefix", append_prefix, 0},
	{"is_null", append_is_null, 0},
};

static char *
operator_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < (int) lengthof(operators); i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", operators[i].name);
	return names.data;
}

static const Operator *
find_operator(const char *name, bool is_json)
{
	for (int i = 0; i < (int) lengthof(operators); i++)
		if (strcmp(operators[i].name, name) == 0)
			return &operators[i];

	/* List all operators: their names are too short to find the one that was meant. */
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("filters have no operator \"%s\"", rec_arguments_clip(name)),
			 is_json ? errhint("Use {\"contains\": {...}} for members of a jsonb column. The operators are %s.", operator_names()) :
			 errhint("The operators are %s.", operator_names())));
	return NULL;
}

/* ----------------
 *		columns
 * ----------------
 */

/* Append the conditions of an object of operators on a column. */
static void
append_operators(Builder *builder, const RecFilterColumn *column, JsonbContainer *object)
{
	RecJsonMembers member = rec_json_reader_members(object);
	const char *separator = "";

	if (JsonContainerSize(object) == 0)
		appendStringInfoString(&builder->text, "true");
	while (rec_json_reader_next_member(&member))
	{
		const Operator *oper = find_operator(member.name, column->type == JSONBOID);

		appendStringInfoString(&builder->text, separator);
		oper->append(builder, column, oper, &member.value);
		separator = " AND ";
	}
}

/* Append the condition of a value on a column: null, a scalar, a list, operators. */
static void
append_column(Builder *builder, const RecFilterColumn *column, const JsonbValue *value)
{
	go_deeper(builder);
	if (rec_json_reader_object(value))
		append_operators(builder, column, rec_json_reader_object(value));
	else if (rec_json_reader_array(value))
		append_in(builder, column, find_operator("in", false), value);
	else if (OidIsValid(column->element) && value->type != jbvNull)
		append_contains(builder, column, find_operator("contains", false), value);
	else
		append_equal(builder, column, find_operator("eq", false), value);
	builder->depth--;
}

/* Add a name to a list of names unless it is there already. */
List *
rec_filter_add_name(List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
		if (strcmp(lfirst(cell), name) == 0)
			return names;
	return lappend(names, pstrdup(name));
}

static void
append_column_member(Builder *builder, const char *name, const JsonbValue *value)
{
	RecColumn	found = rec_relation_column(builder->relid, name);
	RecFilterColumn column;

	column.name = name;
	column.quoted = psprintf("i.%s", quote_identifier(name));
	column.type = found.type;
	column.element = get_element_type(found.type);
	builder->filter->columns = rec_filter_add_name(builder->filter->columns, name);
	append_column(builder, &column, value);
}

/* ----------------
 *		combinations
 * ----------------
 */

static JsonbContainer *
filter_object(const char *name, const JsonbValue *value, const char *expected)
{
	JsonbContainer *object = rec_json_reader_object(value);

	if (object == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("in a filter, \"%s\" must be %s", name, expected)));
	return object;
}

/* Append (filter) AND (filter) ...; true for no filters, or false with OR. */
static void
append_list(Builder *builder, const char *name, bool all, const JsonbValue *value)
{
	JsonbContainer *array = rec_json_reader_array(value);
	uint32		count = array ? JsonContainerSize(array) : 0;
	JsonbValue	none = {.type = jbvNull};

	if (array == NULL)
		(void) filter_object(name, &none, "an array of objects");
	if (count == 0)
		appendStringInfoString(&builder->text, all ? "true" : "false");
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array, i);

		if (i > 0)
			appendStringInfoString(&builder->text, all ? " AND " : " OR ");
		appendStringInfoChar(&builder->text, '(');
		append_filter(builder, filter_object(name, element, "an array of objects"));
		appendStringInfoChar(&builder->text, ')');
	}
}

static void
append_member(Builder *builder, const char *name, const JsonbValue *value)
{
	if (strcmp(name, "and") == 0 || strcmp(name, "or") == 0)
		append_list(builder, name, *name == 'a', value);
	else if (strcmp(name, "not") == 0)
	{
		appendStringInfoString(&builder->text, "NOT (");
		append_filter(builder, filter_object(name, value, "an object"));
		appendStringInfoChar(&builder->text, ')');
	}
	else
		append_column_member(builder, name, value);
}

/* Append (member) AND (member) ... */
static void
append_filter(Builder *builder, JsonbContainer *object)
{
	RecJsonMembers member = rec_json_reader_members(object);
	const char *separator = "(";

	go_deeper(builder);
	if (JsonContainerSize(object) == 0)
		appendStringInfoString(&builder->text, "(true");
	while (rec_json_reader_next_member(&member))
	{
		appendStringInfoString(&builder->text, separator);
		append_member(builder, member.name, &member.value);
		separator = ") AND (";
	}
	appendStringInfoChar(&builder->text, ')');
	builder->depth--;
}

/*
 * Parse a filter into a condition on the rows of a relation, in the current
 * memory context; a filter that is not valid is an ERROR.
 */
void
rec_filter_parse(RecFilter *filter, Oid relid, Jsonb *json)
{
	JsonbContainer *object = rec_json_reader_root_object(json, "filter");
	Builder		builder;

	memset(filter, 0, sizeof(*filter));
	builder.filter = filter;
	builder.relid = relid;
	builder.depth = 0;
	initStringInfo(&builder.text);
	append_filter(&builder, object);
	filter->condition = builder.text.data;
}
