/*-------------------------------------------------------------------------
 *
 * segment.c
 *	  Segments of users and of items, each evaluated by itself.
 *
 * For a segment of users, the values of its users are averaged; for a segment of
 * items, only its items are relevant.  A segmentation assigns each user or item to
 * at most one segment: users by the length of their history, by a query of user
 * and text, and by columns of the interactions, with the value of the user's first
 * interaction in the test set; items by popularity and by columns of their
 * relation.
 *
 * The columns of interactions are read like situations (situation.c), after those
 * of the context, and are not context themselves.  If a query or a relation has
 * several rows of one id, the bytewise smallest text is used.
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

#define HEAD_SHARE		0.2		/* share of items, by popularity */
#define HEAVY_HISTORY	10		/* items in the history of a heavy user */
#define MOST_SEGMENTS	1000	/* of a query or a column */

static const char *const segment_names[] = {
	"all", "items: head", "items: tail", "items: new",
	"users: new", "users: light", "users: heavy"
};

/* ----------------
 *		segments that are always there
 * ----------------
 */

static RecSegmentation *
create_segmentation(RecSegments *segments, uint32 n)
{
	RecSegmentation *segmentation = MemoryContextAllocZero(segments->mcxt, sizeof(RecSegmentation));

	segmentation->segment = rec_memory_budget_alloc(segments->mcxt, n, sizeof(int));
	memset(segmentation->segment, -1, n * sizeof(int));
	segmentation->column = -1;
	return segmentation;
}

/* Append to the segmentations of users or of items. */
static void
append_segmentation(RecSegmentation ***segmentations, int *n, RecSegmentation *segmentation)
{
	*segmentations = repalloc(*segmentations, (*n + 1) * sizeof(RecSegmentation *));
	(*segmentations)[(*n)++] = segmentation;
}

static void
add_segment(RecSegments *segments, const char *name, RecSegmentation *segmentation)
{
	int			n = segments->count++;

	segments->names = repalloc(segments->names, (n + 1) * sizeof(char *));
	segments->names[n] = MemoryContextStrdup(segments->mcxt, name);
	segments->segmentation = repalloc(segments->segmentation, (n + 1) * sizeof(RecSegmentation *));
	segments->segmentation[n] = segmentation;
}

/* Return the segments that are always there. */
RecSegments *
rec_segment_create(MemoryContext mcxt)
{
	RecSegments *segments = MemoryContextAllocZero(mcxt, sizeof(RecSegments));
	RecSegmentation *popularity;

	segments->mcxt = mcxt;
	segments->names = MemoryContextAlloc(mcxt, sizeof(char *));
	segments->segmentation = MemoryContextAlloc(mcxt, sizeof(RecSegmentation *));
	segments->item_segmentations = MemoryContextAlloc(mcxt, sizeof(RecSegmentation *));
	segments->user_segmentations = MemoryContextAlloc(mcxt, sizeof(RecSegmentation *));
	popularity = create_segmentation(segments, 0);
	append_segmentation(&segments->item_segmentations, &segments->nitem_segmentations, popularity);
	for (int i = 0; i < REC_NSEGMENTS; i++)
		add_segment(segments, segment_names[i],
					i >= REC_ITEMS_HEAD && i <= REC_ITEMS_NEW ? popularity : NULL);
	return segments;
}

/* Assign items to segments by their popularity in the trained model. */
void
rec_segment_of_model(RecSegments *segments, const RecBatch *batch)
{
	uint32		nids = rec_dictionary_count(batch->items);
	RecSegmentation *segmentation = segments->item_segmentations[0];

	pfree(segmentation->segment);
	segmentation->segment = rec_memory_budget_alloc(segments->mcxt, nids, sizeof(int));
	for (uint32 i = 0; i < nids; i++)
	{
		uint32		number = batch->model_number[i];

		segmentation->segment[i] = number == REC_NOT_FOUND || number >= batch->ntrained ? REC_ITEMS_NEW :
			number < batch->ntrained * HEAD_SHARE ? REC_ITEMS_HEAD : REC_ITEMS_TAIL;
	}
}

/* Return the segment of users with that number of items in their history. */
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

/* Run a query of id and text, whose types have been checked. */
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
 * Add a segment for each text of an id, in the order of the texts, and return the
 * segmentation of the ids.  Segments are named "column = text", or "segment: text"
 * without a column.
 */
static RecSegmentation *
add_labels(RecSegments *segments, const Labels *labels, const char *column, bool of_items)
{
	uint32		nids = rec_dictionary_count(labels->ids);
	uint32		ntexts = rec_dictionary_count(labels->texts);
	uint32	   *order = rec_dictionary_ordered(labels->texts, true);
	RecSegmentation *segmentation = create_segmentation(segments, nids);
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
					psprintf("segment: %s", label), of_items ? segmentation : NULL);
	}
	for (uint32 i = 0; i < nids; i++)
		if (labels->of_id[i] >= 0)
			segmentation->segment[i] = segment[labels->of_id[i]];
	return segmentation;
}

/*
 * Add segments of users by a query of user and text; the type of the user must be
 * that of the batch.  SPI must be connected.
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
	append_segmentation(&segments->user_segmentations, &segments->nuser_segmentations,
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

/* Return true if a column is one of the interactions, otherwise it is of items. */
bool
rec_segment_of_interactions(const RecDefinition *definition, const char *column)
{
	for (int i = 0; i < definition->nsources; i++)
		if (has_column(definition->sources[i].relid, column))
			return true;
	return false;
}

/*
 * Raise an ERROR for a column that neither the interactions nor the relation of
 * items have.
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

/* Return the number of a column of the context, ncontexts if it is none. */
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

/* Return a copy of a source to which columns of the context can be added. */
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
 * Return a copy of a definition that reads the columns of interactions, too: after
 * the context, as if they were part of it.
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

/* Add segments of users by a column of the situations that the batch has read. */
static void
add_situation_column(RecSegments *segments, const RecSituations *situations, int column)
{
	Labels		labels;
	RecSegmentation *segmentation;

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
	segmentation = add_labels(segments, &labels, situations->columns[column], false);
	segmentation->column = column;
	append_segmentation(&segments->user_segmentations, &segments->nuser_segmentations, segmentation);
}

/* Add segments of items by a column of their relation. */
static void
add_item_column(RecSegments *segments, RecBatch *batch, const RecItemSource *items,
				const char *column)
{
	Oid			type = rec_dictionary_type(batch->items);
	SPIPlanPtr	plan;
	Labels		labels;

	rec_relation_check_same_type(items->relid, items->item_column, type);
	plan = rec_spi_prepare(psprintf("SELECT i.%s::%s, i.%s::pg_catalog.text FROM %s i",
									quote_identifier(items->item_column),
									rec_relation_type_quoted(type), quote_identifier(column),
									rec_relation_quoted(items->relid)), 0, NULL, 0);
	labels = read_labels(plan, batch->items);
	append_segmentation(&segments->item_segmentations, &segments->nitem_segmentations,
						add_labels(segments, &labels, column, true));
}

/*
 * Add segments by a column: of users, if it is one of the interactions that the
 * batch has read by rec_segment_definition(), otherwise of items.  SPI must be
 * connected.
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
