/*-------------------------------------------------------------------------
 *
 * segment.c
 *	  Of whom, and of what, a measurement tells apart.
 *
 * There are segments of users and of items.  For one of users, the values of its
 * users are averaged; for one of items, only its items are to be found.  Users
 * are told apart by how much their history has, by a query of user and text, and
 * by columns of the interactions, where the value of the first interaction that is
 * to be found counts; items by how popular they are and by columns of their
 * relation.  Each such way puts a user or an item in one segment at most.
 *
 * The columns of interactions are read as situations are (situation.c), after
 * those of the context, of which they are no part.  Where a query or a relation has
 * several rows of one id, the bytewise smallest text counts.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/segment.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "evaluate/segment.h"
#include "interaction/interaction.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "pg/memory_budget.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define HEAD_SHARE		0.2		/* of the items, the most popular */
#define HEAVY_HISTORY	10		/* items in the history of a heavy user */
#define MOST_SEGMENTS	1000	/* by a query or a column */

static const char *const segment_names[] = {
	"all", "items: head", "items: tail", "items: new",
	"users: new", "users: light", "users: heavy"
};

/* ----------------
 *		what there always is
 * ----------------
 */

static RecWay *
add_way(RecSegments *segments, uint32 n)
{
	RecWay	   *way = MemoryContextAllocZero(segments->context, sizeof(RecWay));

	way->segment = rec_memory_budget_alloc(segments->context, n, sizeof(int));
	memset(way->segment, -1, n * sizeof(int));
	way->column = -1;
	return way;
}

/* Adds a way to one of the two lists of them. */
static void
append_way(RecWay ***ways, int *n, RecWay *way)
{
	*ways = repalloc(*ways, (*n + 1) * sizeof(RecWay *));
	(*ways)[(*n)++] = way;
}

static void
add_segment(RecSegments *segments, const char *name, RecWay *way)
{
	int			n = segments->count++;

	segments->names = repalloc(segments->names, (n + 1) * sizeof(char *));
	segments->names[n] = MemoryContextStrdup(segments->context, name);
	segments->way = repalloc(segments->way, (n + 1) * sizeof(RecWay *));
	segments->way[n] = way;
}

/* Gives the segments that there always are. */
RecSegments *
rec_segment_create(MemoryContext context)
{
	RecSegments *segments = MemoryContextAllocZero(context, sizeof(RecSegments));
	RecWay	   *popularity;

	segments->context = context;
	segments->names = MemoryContextAlloc(context, sizeof(char *));
	segments->way = MemoryContextAlloc(context, sizeof(RecWay *));
	segments->item_ways = MemoryContextAlloc(context, sizeof(RecWay *));
	segments->user_ways = MemoryContextAlloc(context, sizeof(RecWay *));
	popularity = add_way(segments, 0);
	append_way(&segments->item_ways, &segments->nitem_ways, popularity);
	for (int i = 0; i < REC_NSEGMENTS; i++)
		add_segment(segments, segment_names[i],
					i >= REC_ITEMS_HEAD && i <= REC_ITEMS_NEW ? popularity : NULL);
	return segments;
}

/* Tells items apart by how popular they are in the model that was trained. */
void
rec_segment_of_model(RecSegments *segments, const RecBatch *batch)
{
	uint32		nids = rec_dictionary_count(batch->items);
	RecWay	   *way = segments->item_ways[0];

	pfree(way->segment);
	way->segment = rec_memory_budget_alloc(segments->context, nids, sizeof(int));
	for (uint32 i = 0; i < nids; i++)
	{
		uint32		number = batch->model_number[i];

		way->segment[i] = number == REC_NOT_FOUND || number >= batch->ntrained ? REC_ITEMS_NEW :
			number < batch->ntrained * HEAD_SHARE ? REC_ITEMS_HEAD : REC_ITEMS_TAIL;
	}
}

/* Gives the segment of users with so many items in their history. */
RecSegment
rec_segment_of_history(int nitems)
{
	return nitems == 0 ? REC_USERS_NEW :
		nitems < HEAVY_HISTORY ? REC_USERS_LIGHT : REC_USERS_HEAVY;
}

/* ----------------
 *		ids and their texts
 * ----------------
 */

/* The text of each id of a dictionary. */
typedef struct Labels
{
	RecDict    *ids;
	RecDict    *texts;
	int		   *of_id;			/* number of its text, -1 for none */
} Labels;

static void
take_label(void *arg, const RecRow *row)
{
	Labels	   *labels = (Labels *) arg;
	uint32		id;
	int			label;

	if (row->user_null || row->item_null)
		return;
	id = rec_dictionary_find(labels->ids, row->user);
	if (id == REC_NOT_FOUND)
		return;
	label = (int) rec_dictionary_intern(labels->texts, row->item);
	if (labels->of_id[id] < 0 ||
		strcmp(rec_dictionary_text(labels->texts, label),
			   rec_dictionary_text(labels->texts, labels->of_id[id])) < 0)
		labels->of_id[id] = label;
}

/* Reads a query of id and text, whose types were checked. */
static Labels
read_labels(SPIPlanPtr plan, RecDict *ids)
{
	RecRowFormat format = {.user = 0, .item = 1, .weight = -1, .time = -1, .event = -1};
	uint32		n = rec_dictionary_count(ids);
	Labels		labels;

	labels.ids = ids;
	labels.texts = rec_dictionary_create(TEXTOID, C_COLLATION_OID, CurrentMemoryContext);
	labels.of_id = rec_memory_budget_alloc(CurrentMemoryContext, n, sizeof(int));
	memset(labels.of_id, -1, n * sizeof(int));
	rec_interaction_read_rows(plan, NULL, &format, take_label, &labels);
	return labels;
}

static void
refuse_many(const char *what, int n)
{
	if (n > MOST_SEGMENTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s must be at most %d, not %d", what, MOST_SEGMENTS, n)));
}

/*
 * Adds a segment for each text that some id has, in the order of the texts, and
 * gives the way that tells the ids apart.  They are called "column = text", or
 * "segment: text" if there is no column.
 */
static RecWay *
add_labels(RecSegments *segments, const Labels *labels, const char *column, bool of_items)
{
	uint32		nids = rec_dictionary_count(labels->ids);
	uint32		ntexts = rec_dictionary_count(labels->texts);
	uint32	   *order = rec_dictionary_ordered(labels->texts, true);
	RecWay	   *way = add_way(segments, nids);
	bool	   *used = palloc0_array(bool, ntexts + 1);
	int		   *segment = palloc_array(int, ntexts + 1);
	int			nused = 0;

	for (uint32 i = 0; i < nids; i++)
		if (labels->of_id[i] >= 0 && !used[labels->of_id[i]])
		{
			used[labels->of_id[i]] = true;
			nused++;
		}
	refuse_many(column ? psprintf("values of column \"%s\"", column) : "segments", nused);
	for (uint32 i = 0; i < ntexts; i++)
	{
		char	   *label;

		if (!used[order[i]])
			continue;
		segment[order[i]] = segments->count;
		label = rec_dictionary_text(labels->texts, order[i]);
		add_segment(segments, column ? psprintf("%s = %s", column, label) :
					psprintf("segment: %s", label), of_items ? way : NULL);
	}
	for (uint32 i = 0; i < nids; i++)
		if (labels->of_id[i] >= 0)
			way->segment[i] = segment[labels->of_id[i]];
	return way;
}

/*
 * Tells users apart by a query of user and text; the user's type must be the
 * batch's.  SPI is connected.
 */
void
rec_segment_add_query(RecSegments *segments, RecBatch *batch, const char *query)
{
	SPIPlanPtr	plan;
	Labels		labels;
	TupleDesc	desc;

	rec_arguments_check_query(query);
	plan = rec_spi_prepare(query, 0, NULL, 0);
	if (!SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("segments must be one statement that returns rows of user and segment")));
	desc = ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan)))->resultDesc;
	if (desc->natts != 2 || TupleDescAttr(desc, 0)->atttypid != rec_dictionary_type(batch->users) ||
		TupleDescAttr(desc, 1)->atttypid != TEXTOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("segments must return a user of type %s and a segment of type text",
						format_type_be(rec_dictionary_type(batch->users)))));
	labels = read_labels(plan, batch->users);
	append_way(&segments->user_ways, &segments->nuser_ways,
			   add_labels(segments, &labels, NULL, false));
}

/* ----------------
 *		columns
 * ----------------
 */

static bool
has_column(Oid relid, const char *column)
{
	AttrNumber	attnum = get_attnum(relid, column);

	return attnum != InvalidAttrNumber && attnum > 0;
}

/* True when a column is one of interactions; else it is one of items. */
bool
rec_segment_of_interactions(const RecDefinition *definition, const char *column)
{
	for (int i = 0; i < definition->nsources; i++)
		if (has_column(definition->sources[i].relid, column))
			return true;
	return false;
}

/*
 * Refuses a column that neither the interactions nor the relation of items
 * have.
 */
void
rec_segment_check_column(const RecDefinition *definition, const char *column)
{
	RecClosest	closest;

	if (rec_segment_of_interactions(definition, column) ||
		(definition->items && has_column(definition->items->relid, column)))
		return;
	rec_closest_name_start(&closest, column);
	for (int i = 0; i < definition->nsources; i++)
		rec_relation_consider_columns(&closest, definition->sources[i].relid);
	if (definition->items)
		rec_relation_consider_columns(&closest, definition->items->relid);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("neither the interactions nor the items of recommender \"%s\" have a column \"%s\"",
					rec_definition_name(definition), column),
			 rec_closest_name_hint(&closest, "column")));
}

/* The place of a column among the context's, its number when there is none. */
static int
context_number(const RecDefinition *definition, const char *column)
{
	int			number = 0;

	while (number < definition->ncontexts &&
		   strcmp(definition->contexts[number], column) != 0)
		number++;
	return number;
}

static void
add_source_column(RecSource *source, char *column, int number)
{
	source->context_columns = repalloc(source->context_columns,
									   (source->ncontexts + 1) * sizeof(char *));
	source->context_numbers = repalloc(source->context_numbers,
									   (source->ncontexts + 1) * sizeof(int));
	source->context_columns[source->ncontexts] = column;
	source->context_numbers[source->ncontexts++] = number;
}

/* Gives a source of which more columns of the context can be said. */
static RecSource
copy_source(const RecSource *source)
{
	RecSource	copy = *source;

	copy.context_columns = palloc_array(char *, source->ncontexts + 1);
	copy.context_numbers = palloc_array(int, source->ncontexts + 1);
	for (int i = 0; i < source->ncontexts; i++)
	{
		copy.context_columns[i] = source->context_columns[i];
		copy.context_numbers[i] = source->context_numbers[i];
	}
	return copy;
}

/*
 * Gives a definition by which those of the columns that are of interactions are
 * read, too: after the context, as if they were a part of it.
 */
RecDefinition *
rec_segment_definition(const RecDefinition *definition, char *const *columns, int ncolumns)
{
	RecDefinition *copy = palloc_object(RecDefinition);

	*copy = *definition;
	copy->contexts = palloc_array(char *, definition->ncontexts + ncolumns + 1);
	for (int i = 0; i < definition->ncontexts; i++)
		copy->contexts[i] = definition->contexts[i];
	copy->sources = palloc_array(RecSource, definition->nsources + 1);
	for (int i = 0; i < definition->nsources; i++)
		copy->sources[i] = copy_source(&definition->sources[i]);
	for (int c = 0; c < ncolumns; c++)
	{
		int			number = context_number(copy, columns[c]);

		if (number < copy->ncontexts || !rec_segment_of_interactions(definition, columns[c]))
			continue;
		copy->contexts[copy->ncontexts++] = columns[c];
		for (int i = 0; i < copy->nsources; i++)
			if (has_column(copy->sources[i].relid, columns[c]))
				add_source_column(&copy->sources[i], columns[c], number);
	}
	return copy;
}

/* Tells users apart by a column of the situations that the batch has read. */
static void
add_situation_column(RecSegments *segments, const RecSituations *situations, int column)
{
	Labels		labels;
	RecWay	   *way;

	labels.ids = rec_dictionary_create(INT4OID, InvalidOid, CurrentMemoryContext);
	labels.texts = rec_dictionary_create(TEXTOID, C_COLLATION_OID, CurrentMemoryContext);
	labels.of_id = palloc_extended(mul_size((Size) situations->nvalues + 1, sizeof(int)),
								   MCXT_ALLOC_HUGE);
	for (uint32 v = 0; v < situations->nvalues; v++)
	{
		const RecContextValue *value = &situations->values[v];

		(void) rec_dictionary_intern(labels.ids, Int32GetDatum((int32) v));
		labels.of_id[v] = value->column != column ? -1 :
			(int) rec_dictionary_intern(labels.texts, CStringGetTextDatum(value->text));
	}
	way = add_labels(segments, &labels, situations->columns[column], false);
	way->column = column;
	append_way(&segments->user_ways, &segments->nuser_ways, way);
}

/* Tells items apart by a column of their relation. */
static void
add_item_column(RecSegments *segments, RecBatch *batch, const RecItemSource *items,
				const char *column)
{
	Oid			type = rec_dictionary_type(batch->items);
	SPIPlanPtr	plan;
	Labels		labels;

	rec_relation_check_same_type(rec_relation_column(items->relid, items->item_column).type, type,
								 items->item_column);
	plan = rec_spi_prepare(psprintf("SELECT i.%s::%s, i.%s::pg_catalog.text FROM %s i",
									quote_identifier(items->item_column),
									rec_relation_type_quoted(type), quote_identifier(column),
									rec_relation_quoted(items->relid)), 0, NULL, 0);
	labels = read_labels(plan, batch->items);
	append_way(&segments->item_ways, &segments->nitem_ways,
			   add_labels(segments, &labels, column, true));
}

/*
 * Tells apart by a column: users, if it is one of the interactions that the
 * batch has read by rec_segment_definition(), else items.  SPI is connected.
 */
void
rec_segment_add_column(RecSegments *segments, RecBatch *batch,
					   const RecDefinition *definition, const char *column)
{
	if (rec_segment_of_interactions(definition, column))
	{
		int			number = 0;

		while (strcmp(batch->situations->columns[number], column) != 0)
			number++;
		add_situation_column(segments, batch->situations, number);
	}
	else
		add_item_column(segments, batch, definition->items, column);
}
