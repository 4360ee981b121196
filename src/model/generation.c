/*-------------------------------------------------------------------------
 *
 * generation.c
 *	  Writing a generation of a recommender's model.
 *
 * A generation is the rows of its number in the tables item, neighbor, factor
 * and so on, see table_writer.c for how they get there.  The rows of the
 * generation before it are deleted, and what the planner is to know of the
 * tables is found out, as nobody else would do so in time.
 *
 * Neighbours are written as they are computed, so that they are never all in
 * memory for it.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/model/generation.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "content/content_neighbors.h"
#include "context/lift_table.h"
#include "executor/spi.h"
#include "factor/als.h"
#include "factor/factor_table.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "model/generation.h"
#include "model/train.h"
#include "pg/memory_budget.h"
#include "pg/prefetch.h"
#include "pg/spi.h"
#include "pg/table_writer.h"
#include "rank/selection.h"
#include "similarity/similarity_range.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define NEAREST_IDS			16	/* of a row, kept with it: what
								 * similar_items() mostly needs */

/* Raise an error for an id that the indexes of the model cannot hold. */
static void
check_id_length(RecDict *items, uint32 item)
{
	char	   *text;

	if (!rec_interaction_id_is_too_long(rec_dictionary_id(items, item)))
		return;
	text = rec_dictionary_text(items, item);
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("id \"%s\" of an item is too long",
					psprintf("%.*s...", pg_mbcliplen(text, (int) strlen(text), 40), text)),
			 errdetail("Its text has %zu bytes. Ids of items have at most %d bytes after compression.",
					   strlen(text), REC_MOST_ID_BYTES),
			 errhint("Use another column, or a view with md5() of it.")));
}

/* Set the ids of the items side by side, as they are asked for many times. */
static void
gather_ids(RecGeneration *generation)
{
	const RecModelItems *items = generation->items;
	bool		variable = generation->definition->item_typlen == -1;

	generation->id = rec_memory_budget_alloc(CurrentMemoryContext, items->n, sizeof(Datum));
	for (uint32 i = 0; i < items->n; i++)
	{
		generation->id[i] = rec_dictionary_id(generation->interactions->items, items->number[i]);
		if (variable)
			check_id_length(generation->interactions->items, items->number[i]);
	}
}

/* ----------------
 *		items
 * ----------------
 */

/* An item and what it has of what a list is ordered by. */
typedef struct ListedItem
{
	uint32		item;
	double		value;
} ListedItem;

static inline int
compare_listed(const ListedItem *a, const ListedItem *b)
{
	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	return a->item < b->item ? -1 : a->item > b->item;
}

#define ST_SORT sort_listed
#define ST_ELEMENT_TYPE ListedItem
#define ST_COMPARE(a, b) compare_listed(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Return for each item whether it is at the head of the list that is in falling
 * order of these values, which items that nobody touched do not have.
 */
static bool *
find_head(const RecGeneration *generation, const double *values)
{
	uint32		nitems = generation->items->n;
	bool	   *is_head = rec_memory_budget_alloc(CurrentMemoryContext, nitems, sizeof(bool));
	ListedItem *best = palloc_array(ListedItem, 2 * REC_LIST_HEAD);
	double		least = -1;		/* so much or more have REC_LIST_HEAD items;
								 * of equal ones the first come first */
	int			n = 0;

	for (uint32 i = 0; i < nitems; i++)
	{
		double		value = i < generation->matrix->nitems ? values[i] : 0;

		if (value <= least)
			continue;
		best[n].item = i;
		best[n++].value = value;
		if (n < 2 * REC_LIST_HEAD)
			continue;
		sort_listed(best, n);
		n = REC_LIST_HEAD;
		least = best[n - 1].value;
	}
	sort_listed(best, n);
	for (int i = 0; i < Min(n, REC_LIST_HEAD); i++)
		is_head[best[i].item] = true;
	pfree(best);
	return is_head;
}

/* Write the entries of the index on ids. */
static void
write_item_entries(const RecGeneration *generation, RecTableWriter *table)
{
	rec_table_writer_end_rows(table);
	for (uint32 i = 0; i < generation->items->n; i++)
	{
		uint32		item = generation->items->by_id[i];
		Datum	   *values = rec_table_writer_begin_entry(table, item);

		CHECK_FOR_INTERRUPTS();
		if (values == NULL)
			continue;
		values[Anum_rec_item_generation - 1] = Int64GetDatum(generation->number);
		values[Anum_rec_item_item_id - 1] = generation->id[item];
		rec_table_writer_end_entry(table);
	}
}

static void
write_items(RecGeneration *generation)
{
	/* generation, item_id */
	static const AttrNumber by_id[] = {Anum_rec_item_generation, Anum_rec_item_item_id};
	const RecMatrix *matrix = generation->matrix;
	double	   *popularity = rec_train_popularity(matrix);
	double	   *trend = rec_train_trend(matrix, generation->trend);
	bool	   *popular = find_head(generation, popularity);
	bool	   *trending = find_head(generation, trend);
	RecTableWriter *table;

	rec_progress_phase(generation->progress, "writing items");
	table = rec_definition_open_writer(generation->definition, REC_TABLE_ITEM);
	rec_table_writer_postpone(table, by_id, lengthof(by_id), generation->items->n);
	for (uint32 i = 0; i < generation->items->n; i++)
	{
		Datum	   *values = rec_table_writer_begin_row(table);
		bool		touched = i < matrix->nitems;

		CHECK_FOR_INTERRUPTS();
		values[Anum_rec_item_generation - 1] = Int64GetDatum(generation->number);
		values[Anum_rec_item_item_no - 1] = Int32GetDatum((int32) i);
		values[Anum_rec_item_item_id - 1] = generation->id[i];
		values[Anum_rec_item_users - 1] = Int64GetDatum(touched ? matrix->item_start[i + 1] - matrix->item_start[i] : 0);
		values[Anum_rec_item_weight - 1] = Float8GetDatum(touched ? matrix->item_sum[i] : 0);
		values[Anum_rec_item_popularity - 1] = Float8GetDatum(touched ? popularity[i] : 0);
		values[Anum_rec_item_trend - 1] = Float8GetDatum(touched ? trend[i] : 0);
		values[Anum_rec_item_popular - 1] = BoolGetDatum(popular[i]);
		values[Anum_rec_item_trending - 1] = BoolGetDatum(trending[i]);
		rec_table_writer_end_row_at(table, i);
	}
	write_item_entries(generation, table);
	rec_table_writer_close(table);
	pfree(popularity);
	pfree(trend);
	pfree(popular);
	pfree(trending);
}

/* ----------------
 *		neighbours
 * ----------------
 */

/* The kinds of neighbours, in alphabetical order. */
typedef enum NeighborKind
{
	BY_BEHAVIOUR,
	BY_CONTENT
} NeighborKind;

#define NKINDS		2

typedef struct NeighborWriter
{
	RecGeneration *generation;
	RecTableWriter *table;
	NeighborKind kind;			/* of the neighbours that are written */
	Datum		kind_names[NKINDS]; /* texts */
	int64		vanished;		/* similarities too small to be stored */
} NeighborWriter;

/* The place of a row among all that there may be, in the table writer. */
static inline Size
row_place(uint32 item, int kind)
{
	return (Size) item * NKINDS + kind;
}

/* Return the ids of the first neighbours as an array. */
static Datum
nearest_ids(const RecGeneration *generation, const RecNeighbor *row, int n)
{
	Datum		ids[NEAREST_IDS];

	n = Min(n, NEAREST_IDS);
	for (int i = 0; i < n; i++)
		ids[i] = generation->id[row[i].item];
	return rec_definition_id_array(generation->definition, ids, n);
}

/* Take a row of similarities and write it; items without any have no row. */
static void
write_neighbors(void *arg, uint32 item, const RecNeighbor *row, int n)
{
	NeighborWriter *writer = (NeighborWriter *) arg;
	RecGeneration *generation = writer->generation;
	Datum	   *values;
	int32	   *neighbors;
	float4	   *scores;
	int32	   *supports;

	rec_progress_step(generation->progress, item + 1, generation->items->n);
	writer->vanished += n;
	n = rec_similarity_range_storable(row, n, item, generation->items->number,
									  generation->interactions->items);
	writer->vanished -= n;
	if (n == 0)
		return;
	/* ids lie scattered */
	for (int i = 0; i < Min(n, NEAREST_IDS); i++)
		rec_prefetch(&generation->id[row[i].item]);
	values = rec_table_writer_begin_row(writer->table);
	values[Anum_rec_neighbor_generation - 1] = Int64GetDatum(generation->number);
	values[Anum_rec_neighbor_kind - 1] = writer->kind_names[writer->kind];
	values[Anum_rec_neighbor_item_no - 1] = Int32GetDatum((int32) item);
	values[Anum_rec_neighbor_item_id - 1] = generation->id[item];
	values[Anum_rec_neighbor_neighbors - 1] = PointerGetDatum(rec_table_writer_array4(INT4OID, n, (void **) &neighbors));
	values[Anum_rec_neighbor_scores - 1] = PointerGetDatum(rec_table_writer_array4(FLOAT4OID, n, (void **) &scores));
	values[Anum_rec_neighbor_supports - 1] = PointerGetDatum(rec_table_writer_array4(INT4OID, n, (void **) &supports));
	for (int i = 0; i < n; i++)
	{
		neighbors[i] = (int32) row[i].item;
		scores[i] = (float4) row[i].similarity;
		supports[i] = (int32) row[i].support;
	}
	values[Anum_rec_neighbor_nearest - 1] = nearest_ids(generation, row, n);
	rec_table_writer_end_row_at(writer->table, row_place(item, writer->kind));
	generation->neighbors += n;
}

static void
write_content_neighbors(NeighborWriter *writer, const RecContentLists *lists)
{
	RecNeighbor *row = palloc0_array(RecNeighbor, 2 * writer->generation->definition->options.neighbors);

	writer->kind = BY_CONTENT;
	for (uint32 i = 0; i < lists->nitems; i++)
	{
		int			n = (int) (lists->start[i + 1] - lists->start[i]);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < n; j++)
		{
			row[j].item = (uint32) lists->item[lists->start[i] + j];
			row[j].similarity = lists->value[lists->start[i] + j];
		}
		write_neighbors(writer, i, row, n);
	}
	pfree(row);
}

/* Show how far a computation of the generation is (a RecStep). */
static void
show_step(void *arg, double done, double total)
{
	rec_progress_step(((RecGeneration *) arg)->progress, done, total);
}

/* Show how far a computation is that writes neighbours (a RecStep). */
static void
show_neighbors_step(void *arg, double done, double total)
{
	show_step(((NeighborWriter *) arg)->generation, done, total);
}

static RecContentLists *
compute_likeness(RecGeneration *generation)
{
	if (generation->items->content == NULL)
		return NULL;
	rec_progress_phase(generation->progress, "computing neighbours by content");
	return rec_content_neighbors(generation->items->content,
								 generation->definition->options.neighbors,
								 CurrentMemoryContext, show_step, generation);
}

/* Write the entries of the index on ids and kinds. */
static void
write_neighbor_entries(NeighborWriter *writer)
{
	const RecGeneration *generation = writer->generation;

	rec_table_writer_end_rows(writer->table);
	for (Size i = 0; i < row_place(generation->items->n, 0); i++)
	{
		uint32		item = generation->items->by_id[i / NKINDS];
		int			kind = (int) (i % NKINDS);
		Datum	   *values = rec_table_writer_begin_entry(writer->table, row_place(item, kind));

		CHECK_FOR_INTERRUPTS();
		if (values == NULL)
			continue;
		values[Anum_rec_neighbor_generation - 1] = Int64GetDatum(generation->number);
		values[Anum_rec_neighbor_kind - 1] = writer->kind_names[kind];
		values[Anum_rec_neighbor_item_id - 1] = generation->id[item];
		rec_table_writer_end_entry(writer->table);
	}
}

static void
write_neighbor_table(RecGeneration *generation)
{
	/* generation, kind, item_id */
	static const AttrNumber by_id[] = {Anum_rec_neighbor_generation, Anum_rec_neighbor_kind,
	Anum_rec_neighbor_item_id};
	const RecDefinition *definition = generation->definition;
	NeighborWriter writer = {0};
	RecContentLists *likeness = compute_likeness(generation);

	rec_progress_phase(generation->progress, "computing neighbours");
	writer.generation = generation;
	writer.kind = BY_BEHAVIOUR;
	writer.table = rec_definition_open_writer(definition, REC_TABLE_NEIGHBOR);
	rec_table_writer_postpone(writer.table, by_id, lengthof(by_id), row_place(generation->items->n, 0));
	writer.kind_names[BY_BEHAVIOUR] = CStringGetTextDatum(rec_options_component_names[REC_BEHAVIOUR]);
	writer.kind_names[BY_CONTENT] = CStringGetTextDatum(rec_options_component_names[REC_CONTENT]);
	rec_train_rows(generation->matrix, likeness, &definition->options, write_neighbors,
				   show_neighbors_step, &writer);
	if (generation->neighbors == 0 && writer.vanished > 0)
		rec_similarity_range_warn_small();
	if (likeness)
		write_content_neighbors(&writer, likeness);
	write_neighbor_entries(&writer);
	rec_table_writer_close(writer.table);
}

/* ----------------
 *		all of a generation
 * ----------------
 */

static void
write_factors(RecGeneration *generation)
{
	const RecOptions *options = &generation->definition->options;

	if (options->model != REC_MODEL_ALS)
		return;
	rec_progress_phase(generation->progress, "computing factors");
	rec_factor_table_write(generation->definition, generation->number,
							rec_als_train(generation->matrix, options, true, show_step,
										  generation));
}

static void
write_lifts(RecGeneration *generation)
{
	const RecMatrix *matrix = generation->matrix;
	uint32		nids = rec_dictionary_count(generation->interactions->items);
	uint32	   *number;

	if (generation->lifts == NULL)
		return;
	rec_progress_phase(generation->progress, "writing lifts of the context");
	number = palloc_extended(mul_size((Size) nids + 1, sizeof(uint32)), MCXT_ALLOC_HUGE);
	memset(number, 0xff, nids * sizeof(uint32));
	for (uint32 i = 0; i < matrix->nitems; i++)
		number[matrix->item_id[i]] = i;
	rec_lift_renumber(generation->lifts, number);
	rec_lift_table_write(generation->definition, generation->number,
						  generation->interactions->situations, generation->lifts);
	pfree(number);
}

static void
write_content(RecGeneration *generation)
{
	if (generation->items->content == NULL)
		return;
	rec_progress_phase(generation->progress, "writing features");
	rec_content_tables_write(generation->definition, generation->items,
					  generation->interactions->items, generation->number);
}

/*
 * Compute what is left to compute, and write all of a generation.  The
 * matrix is used up; SPI is connected.
 */
void
rec_generation_write(RecGeneration *generation)
{
	gather_ids(generation);
	write_items(generation);
	write_factors(generation);
	write_neighbor_table(generation);
	write_lifts(generation);
	write_content(generation);
}

/* Delete the rows of all other generations. */
void
rec_generation_delete_others(const RecGeneration *generation)
{
	const RecDefinition *definition = generation->definition;
	Oid			types[1] = {INT8OID};
	Datum		values[1];

	values[0] = Int64GetDatum(generation->number);
	for (int i = REC_MODEL_FIRST; i <= REC_MODEL_LAST; i++)
	{
		if (rec_table_writer_delete_others(definition->tables[i], "generation", generation->number))
			continue;
		/* the executor waits for concurrent changes, or reports why it cannot */
		rec_spi_execute(psprintf("DELETE FROM %s WHERE generation OPERATOR(pg_catalog.<>) $1",
								 rec_definition_table(definition, i)),
						1, types, values, NULL, false, SPI_OK_DELETE);
	}
}

static void
analyze(const RecGeneration *generation, RecTable table, const char *columns)
{
	rec_spi_execute(psprintf("ANALYZE %s (%s)",
							 rec_definition_table(generation->definition, table), columns),
					0, NULL, NULL, NULL, false, SPI_OK_UTILITY);
}

/*
 * Analyze the tables.  Queries of calls are planned by these statistics, and
 * autovacuum would come too late.  The arrays are left out, as no condition of a
 * query is about them.
 */
void
rec_generation_analyze(const RecGeneration *generation)
{
	analyze(generation, REC_TABLE_ITEM, "generation, item_no, item_id, popularity, trend");
	analyze(generation, REC_TABLE_NEIGHBOR, "generation, kind, item_id");
	analyze(generation, REC_TABLE_CONTEXT_LIFT, "generation, column_name, value");
	if (generation->definition->items == NULL)
		return;
	analyze(generation, REC_TABLE_FEATURE, "generation, column_name, value");
	analyze(generation, REC_TABLE_ITEM_FEATURE, "generation, item_no, item_id");
}
