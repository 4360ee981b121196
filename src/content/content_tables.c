/*-------------------------------------------------------------------------
 *
 * content_tables.c
 *	  The items of a generation, and the tables of their content.
 *
 * With a relation of items, a generation contains all of them: first those with
 * interactions, by falling number of users, then the others in order of their
 * ids.  So the number of an item still decides ties, and still shows roughly how
 * many users it has.
 *
 * The tables are laid out for items that the model does not know: "content_column"
 * has what was learnt of each column, "feature" the dictionary with the items of
 * each feature, "item_feature" the vectors.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/content_tables.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "content/content_builder.h"
#include "content/content_matrix.h"
#include "content/content_tables.h"
#include "content/feature_reader.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "pg/relation.h"
#include "pg/table_writer.h"
#include "utils/builtins.h"

/* ----------------
 *		the items of a generation
 * ----------------
 */

/* Append the items without interactions to those of the matrix, by id. */
static void
append_others(RecModelItems *model, RecDict *items, const RecContentBuilder *builder,
			  uint32 *new_number)
{
	uint32		count = rec_dictionary_count(items);
	uint32	   *order = rec_dictionary_ordered(items, true);
	uint32		n = 0;

	for (uint32 i = 0; i < count; i++)
	{
		uint32		item = order[i];

		if (new_number[item] != REC_NOT_FOUND)
			model->nmatched += rec_content_builder_has_item(builder, item);
		else if (rec_content_builder_has_item(builder, item))
		{
			new_number[item] = model->n;
			model->number[model->n++] = item;
		}
		if (new_number[item] != REC_NOT_FOUND)
			order[n++] = new_number[item];
	}
	model->by_id = order;
}

/* Turn the ranks of the dictionary's ids into the order of the matrix's items. */
static uint32 *
order_by_rank(const RecMatrix *matrix, uint32 nids, uint32 *rank)
{
	uint32	   *order = rec_memory_budget_alloc(CurrentMemoryContext, nids, sizeof(uint32));
	uint32		n = 0;

	memset(order, 0xff, nids * sizeof(uint32));
	for (uint32 i = 0; i < matrix->nitems; i++)
		order[rank[matrix->item_id[i]]] = i;
	for (uint32 i = 0; i < nids; i++)
		if (order[i] != REC_NOT_FOUND)
			order[n++] = order[i];
	pfree(rank);
	return order;
}

/*
 * Return the items of a generation, numbered, with their content: those of
 * the matrix and, if there is a relation of items, which is read here, all of
 * its items. "item_rank" has the places of the matrix's items in the order of
 * ids and is consumed. The relation is read with the current user's rights
 * and the active snapshot; the result is in "mcxt". SPI is connected.
 */
RecModelItems *
rec_content_tables_model_items(const RecDefinition *definition, const RecMatrix *matrix, RecDict *items,
							   uint32 *item_rank, MemoryContext mcxt)
{
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	RecModelItems *model = palloc0_object(RecModelItems);
	RecContentBuilder *builder;
	uint32	   *new_number;
	Size		size;

	model->n = matrix->nitems;
	model->number = matrix->item_id;
	if (definition->items == NULL)
		model->by_id = order_by_rank(matrix, rec_dictionary_count(items), item_rank);
	else
	{
		pfree(item_rank);
		builder = rec_feature_reader_read_all(definition, items, mcxt);
		size = mul_size(Max(rec_dictionary_count(items), 1), sizeof(uint32));
		rec_memory_budget_check(mcxt, 2 * size);
		new_number = MemoryContextAllocHuge(mcxt, size);
		model->number = MemoryContextAllocHuge(mcxt, size);
		memset(new_number, 0xff, size);
		memcpy(model->number, matrix->item_id, matrix->nitems * sizeof(uint32));
		for (uint32 i = 0; i < matrix->nitems; i++)
			new_number[matrix->item_id[i]] = i;
		append_others(model, items, builder, new_number);
		model->content = rec_content_matrix_finish(builder, new_number, model->n);
		model->content->exact_items = definition->items->embedding_exact_items;
		pfree(new_number);
	}
	MemoryContextSwitchTo(old);
	return model;
}

/* ----------------
 *		tables
 * ----------------
 */

static Datum
name_value(const char *name)
{
	return DirectFunctionCall1(namein, CStringGetDatum(name));
}

static Datum
float8_array(const double *values, int n)
{
	Datum	   *elements = palloc_array(Datum, n + 1);

	for (int i = 0; i < n; i++)
		elements[i] = Float8GetDatum(values[i]);
	return PointerGetDatum(construct_array(elements, n, FLOAT8OID, sizeof(float8),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static void
write_columns(const RecDefinition *definition, const RecContent *content, int64 generation)
{
	RecTableWriter *table = rec_definition_open_writer(definition, REC_TABLE_CONTENT_COLUMN);

	for (int c = 0; c < content->ncolumns; c++)
	{
		const RecContentColumn *column = &content->columns[c];
		Datum	   *values = rec_table_writer_begin_row(table);

		values[Anum_rec_content_column_generation - 1] = Int64GetDatum(generation);
		values[Anum_rec_content_column_position - 1] = Int32GetDatum(c + 1);
		values[Anum_rec_content_column_column_name - 1] = name_value(column->name);
		values[Anum_rec_content_column_kind - 1] = CStringGetTextDatum(rec_item_source_kind_name(column->kind));
		values[Anum_rec_content_column_weight - 1] = Float8GetDatum(column->weight);
		values[Anum_rec_content_column_config - 1] = CStringGetTextDatum(column->config ? column->config : "");
		values[Anum_rec_content_column_bounds - 1] = float8_array(column->bounds, column->nbounds);
		values[Anum_rec_content_column_dimensions - 1] = Int32GetDatum(column->dimensions);
		values[Anum_rec_content_column_all_items - 1] = Int64GetDatum(content->ndescribed);
		values[Anum_rec_content_column_items - 1] = Int64GetDatum(column->filled);
		values[Anum_rec_content_column_features - 1] = Int32GetDatum((int32) column->nfeatures);
		values[Anum_rec_content_column_frequent - 1] = Int32GetDatum((int32) column->nfrequent);
		rec_table_writer_end_row(table);
	}
	rec_table_writer_close(table);
}

/* Return an array of n four-byte values. */
static Datum
array4(Oid type, const void *values, int64 n)
{
	void	   *data;
	ArrayType  *array = rec_table_writer_array4(type, (int) n, &data);

	if (n > 0)
		memcpy(data, values, n * sizeof(int32));
	return PointerGetDatum(array);
}

/* Write the features; for frequent ones only the number of their items. */
static void
write_features(const RecDefinition *definition, const RecContent *content, int64 generation)
{
	RecTableWriter *table = rec_definition_open_writer(definition, REC_TABLE_FEATURE);

	for (uint32 f = 0; f < content->nfeatures; f++)
	{
		int64		from = content->feature_start[f];
		int64		n = content->feature_start[f + 1] - from;
		int64		listed = n > content->max_items ? 0 : n;
		Datum	   *values = rec_table_writer_begin_row(table);

		CHECK_FOR_INTERRUPTS();
		values[Anum_rec_feature_generation - 1] = Int64GetDatum(generation);
		values[Anum_rec_feature_feature_no - 1] = Int32GetDatum((int32) f);
		values[Anum_rec_feature_column_name - 1] = name_value(content->columns[content->column[f]].name);
		values[Anum_rec_feature_value - 1] = CStringGetTextDatum(content->value[f]);
		values[Anum_rec_feature_items - 1] = Int32GetDatum((int32) n);
		values[Anum_rec_feature_idf - 1] = Float8GetDatum(content->idf[f]);
		values[Anum_rec_feature_item_nos - 1] = array4(INT4OID, content->feature_item + from, listed);
		values[Anum_rec_feature_weights - 1] = array4(FLOAT4OID, content->feature_weight + from, listed);
		rec_table_writer_end_row(table);
	}
	rec_table_writer_close(table);
}

static void
write_vectors(const RecDefinition *definition, const RecModelItems *model, RecDict *items,
			  int64 generation)
{
	const RecContent *content = model->content;
	RecTableWriter *table = rec_definition_open_writer(definition, REC_TABLE_ITEM_FEATURE);

	for (uint32 i = 0; i < content->nitems; i++)
	{
		int64		from = content->item_start[i];
		int64		n = content->item_start[i + 1] - from;
		const float4 *dense = content->dense + (Size) i * content->dimensions;
		int			dimensions = content->dense == NULL ||
		rec_embedding_is_empty(dense, content->dimensions) ? 0 : content->dimensions;
		Datum	   *values;

		CHECK_FOR_INTERRUPTS();
		if (n == 0 && dimensions == 0)
			continue;
		values = rec_table_writer_begin_row(table);
		values[Anum_rec_item_feature_generation - 1] = Int64GetDatum(generation);
		values[Anum_rec_item_feature_item_no - 1] = Int32GetDatum((int32) i);
		values[Anum_rec_item_feature_item_id - 1] = rec_dictionary_id(items, model->number[i]);
		values[Anum_rec_item_feature_feature_nos - 1] = array4(INT4OID, content->item_feature + from, n);
		values[Anum_rec_item_feature_weights - 1] = array4(FLOAT4OID, content->item_weight + from, n);
		values[Anum_rec_item_feature_embedding - 1] = array4(FLOAT4OID, dense, dimensions);
		rec_table_writer_end_row(table);
	}
	rec_table_writer_close(table);
}

static void
write_cells(const RecDefinition *definition, const RecCells *cells, int64 generation)
{
	RecTableWriter *table = rec_definition_open_writer(definition, REC_TABLE_EMBEDDING_CELL);

	for (int c = 0; c < cells->n; c++)
	{
		Datum	   *values = rec_table_writer_begin_row(table);

		CHECK_FOR_INTERRUPTS();
		values[Anum_rec_embedding_cell_generation - 1] = Int64GetDatum(generation);
		values[Anum_rec_embedding_cell_cell_no - 1] = Int32GetDatum(c);
		values[Anum_rec_embedding_cell_centroid - 1] = array4(FLOAT4OID, cells->centroid + (Size) c * cells->dimensions,
															  cells->dimensions);
		values[Anum_rec_embedding_cell_item_nos - 1] = array4(INT4OID, cells->item + cells->start[c],
															  cells->start[c + 1] - cells->start[c]);
		rec_table_writer_end_row(table);
	}
	rec_table_writer_close(table);
}

/* Write the tables of content of a generation. */
void
rec_content_tables_write(const RecDefinition *definition, const RecModelItems *model, RecDict *items,
						 int64 generation)
{
	write_columns(definition, model->content, generation);
	write_features(definition, model->content, generation);
	write_vectors(definition, model, items, generation);
	if (model->content->cells)
		write_cells(definition, model->content->cells, generation);
}
