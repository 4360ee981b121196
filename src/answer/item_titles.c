/*-------------------------------------------------------------------------
 *
 * item_titles.c
 *	  What the relation of items calls an item.
 *
 * The title is the first column of texts that the recommender uses.  It is read
 * with the caller's rights.  SPI is connected.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/item_titles.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "answer/item_titles.h"
#include "definition/item_source.h"
#include "definition/plan_cache.h"
#include "pg/relation.h"
#include "utils/builtins.h"

/* Begin without any title. */
void
rec_item_titles_init(RecItemTitles *titles, MemoryContext mcxt, RecDefinition *definition)
{
	memset(titles, 0, sizeof(*titles));
	titles->mcxt = mcxt;
	titles->definition = definition;
}

/* Return the column of titles, NULL when there is none. */
static const RecItemColumn *
title_column(const RecItemSource *items)
{
	for (int i = 0; items && i < items->ncolumns; i++)
		if (items->columns[i].text &&
			rec_item_source_column_kind(items, &items->columns[i]) == REC_ITEM_TEXT)
			return &items->columns[i];
	return NULL;
}

/*
 * Return the title of an item, NULL when it has none:
 *
 *	SELECT i.title::text FROM items i WHERE i.id = $1
 */
static char *
read_title(RecDefinition *definition, Datum id)
{
	const RecItemSource *items = definition->items;
	const RecItemColumn *column = title_column(items);
	RecQuery	query = {.nargs = 1, .types = &definition->item_type, .values = &id};
	char	   *title = NULL;

	if (column == NULL)
		return NULL;
	query.text = psprintf("SELECT i.%s::pg_catalog.text FROM %s i WHERE i.%s %s $1",
						  quote_identifier(column->name), rec_relation_quoted(items->relid),
						  quote_identifier(items->item_column),
						  rec_relation_equality_operator(definition->item_type));
	rec_plan_cache_execute(definition, &query);
	for (uint64 i = 0; i < SPI_processed && (title == NULL || *title == '\0'); i++)
		title = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
	return title && *title ? title : NULL;
}

/* Return what an item is called: its title, or else its id as text. */
char *
rec_item_titles_get(RecItemTitles *titles, Datum id)
{
	MemoryContext old = MemoryContextSwitchTo(titles->mcxt);
	uint32		known;
	uint32		number;

	if (titles->ids == NULL)
		titles->ids = rec_definition_item_dictionary(titles->definition, titles->mcxt);
	known = rec_dictionary_count(titles->ids);
	number = rec_dictionary_intern(titles->ids, id);
	if (number >= titles->allocated)
	{
		titles->allocated = Max(64, titles->allocated * 2);
		titles->titles = titles->titles == NULL ? palloc_array(char *, titles->allocated) :
			repalloc_array(titles->titles, char *, titles->allocated);
	}
	if (number == known)
		titles->titles[number] = read_title(titles->definition, id);
	if (titles->titles[number] == NULL)
		titles->titles[number] = rec_dictionary_text(titles->ids, number);
	MemoryContextSwitchTo(old);
	return titles->titles[number];
}
