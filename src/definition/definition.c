/*-------------------------------------------------------------------------
 *
 * definition.c
 *	  What a recommender is: its schema, types of ids, sources, items and options.
 *
 * A recommender is a schema with tables of its own; there is no registry
 * beside it.  Its definition is read from these tables (definition_read.c) and
 * kept in a cache (definition_cache.c).  The generation that serves is no part
 * of it: each call reads that by the caller's snapshot.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/definition.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "definition/definition.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Return a recommender's name, which is its schema's, in the current context. */
char *
rec_definition_name(const RecDefinition *definition)
{
	return rec_layout_schema_name(definition->schema);
}

/*
 * Return one of the recommender's tables, quoted for use in a query.  The names
 * are made once, and again when the schema may have been renamed since.
 */
const char *
rec_definition_table(const RecDefinition *definition, RecTable table)
{
	if (definition->valid)
		return definition->quoted[table];
	return quote_qualified_identifier(rec_definition_name(definition),
									  rec_layout_table_names[table]);
}

/*
 * Begin to write rows to one of the recommender's tables; their values are in
 * the order of recommender_tables.sql.  The writer is in the current context.
 */
RecTableWriter *
rec_definition_open_writer(const RecDefinition *definition, RecTable table)
{
	Oid			types[MaxHeapAttributeNumber];
	int			n = rec_layout_column_count(table);

	for (int i = 0; i < n; i++)
	{
		if (get_attnum(definition->tables[table], rec_layout_column_name(table, i + 1)) != i + 1)
			rec_layout_refuse_table(rec_layout_table_names[table], definition->schema);
		types[i] = rec_layout_column_type(table, i + 1, definition->item_type);
	}
	return rec_table_writer_open(definition->tables[table], types, n);
}

/* Return the owner of a recommender, who is that of its schema. */
Oid
rec_definition_owner(const RecDefinition *definition)
{
	return rec_layout_schema_owner(definition->schema);
}

/* Refuse everyone but members of the recommender's owner. */
void
rec_definition_check_owner(const RecDefinition *definition)
{
	if (!has_privs_of_role(GetUserId(), rec_definition_owner(definition)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of recommender %s",
						rec_definition_name(definition))));
}

/* Refuse to go on without the relation of items that there was. */
void
rec_definition_check_items(const RecDefinition *definition)
{
	if (get_rel_name(definition->items->relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the relation of items of recommender \"%s\" no longer exists",
						rec_definition_name(definition)),
				 errdetail("It was the relation with OID %u.", definition->items->relid),
				 errhint("Run SELECT recommender.remove_items(%s), or name another one with set_items().",
						 quote_literal_cstr(rec_definition_name(definition)))));
}

/* Return items' ids, none of them null, as an array. */
Datum
rec_definition_id_array(const RecDefinition *definition, const Datum *ids, int n)
{
	Datum	   *elements = palloc_extended(mul_size(Max(n, 1), sizeof(Datum)), MCXT_ALLOC_HUGE);
	ArrayType  *array;

	/* construct_array() puts aligned copies in the place of what it is given */
	memcpy(elements, ids, n * sizeof(Datum));
	array = construct_array(elements, n, definition->item_type, definition->item_typlen,
							definition->item_typbyval, definition->item_typalign);
	pfree(elements);
	return PointerGetDatum(array);
}

/* Make an empty dictionary of items' ids in a memory context. */
RecDict *
rec_definition_item_dictionary(const RecDefinition *definition, MemoryContext mcxt)
{
	return rec_dictionary_create(definition->item_type, definition->item_collation, mcxt);
}
