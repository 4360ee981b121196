/*-------------------------------------------------------------------------
 *
 * lift_table.c
 *	  The context of a model: its columns, and the table of lifts.
 *
 * The columns are those declared with the sources, each name once, and the
 * parts of the time whose names are not names of declared columns.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/context/lift_table.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "context/lift_table.h"
#include "definition/source.h"
#include "miscadmin.h"
#include "pg/table_writer.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/datum.h"


/*
 * Return a set of situations for the recommender's interactions, in "mcxt";
 * NULL when there is no context.
 */
RecSituations *
rec_lift_table_situations(const RecDefinition *definition, const RecOptions *options,
						  MemoryContext mcxt)
{
	bool		any = definition->ncontexts > 0;

	for (int part = 0; part < REC_NTIMES; part++)
		any |= rec_source_any_has_time(definition, part) &&
			rec_situation_has_time(part, definition->contexts, definition->ncontexts, options);
	if (!any)
		return NULL;
	return rec_situation_create(mcxt, definition->contexts, definition->ncontexts,
								options);
}

static inline int
compare_values(const uint32 *a, const uint32 *b, const RecSituations *situations)
{
	const RecContextValue *x = &situations->values[*a];
	const RecContextValue *y = &situations->values[*b];

	return x->column != y->column ? x->column - y->column : strcmp(x->text, y->text);
}

#define ST_SORT sort_values
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b, situations) compare_values(a, b, situations)
#define ST_COMPARE_ARG_TYPE const RecSituations
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static void
write_value(RecTableWriter *table, int64 generation, const RecSituations *situations,
			const RecLifts *lifts, uint32 value)
{
	int			n = (int) (lifts->start[value + 1] - lifts->start[value]);
	const RecLift *from = lifts->lifts + lifts->start[value];
	int32	   *item_nos;
	float4	   *values;
	NameData	column;
	Datum	   *row;

	if (n == 0)
		return;
	row = rec_table_writer_begin_row(table);
	row[Anum_rec_context_lift_generation - 1] = Int64GetDatum(generation);
	namestrcpy(&column, situations->columns[situations->values[value].column]);
	row[Anum_rec_context_lift_column_name - 1] = datumCopy(NameGetDatum(&column), false, NAMEDATALEN);
	row[Anum_rec_context_lift_value - 1] = CStringGetTextDatum(situations->values[value].text);
	row[Anum_rec_context_lift_item_nos - 1] = PointerGetDatum(rec_table_writer_array4(INT4OID, n, (void **) &item_nos));
	row[Anum_rec_context_lift_lifts - 1] = PointerGetDatum(rec_table_writer_array4(FLOAT4OID, n, (void **) &values));
	for (int i = 0; i < n; i++)
	{
		item_nos[i] = (int32) from[i].item;
		values[i] = from[i].lift;
	}
	rec_table_writer_end_row(table);
}

/*
 * Write lifts, of items by their numbers in the model, to the recommender's
 * table.  A value without lifts has no row.
 */
void
rec_lift_table_write(const RecDefinition *definition, int64 generation,
					 const RecSituations *situations, const RecLifts *lifts)
{
	RecTableWriter *table = rec_definition_open_writer(definition, REC_TABLE_CONTEXT_LIFT);
	uint32	   *order = palloc_extended(mul_size((Size) lifts->nvalues + 1, sizeof(uint32)),
										MCXT_ALLOC_HUGE);

	for (uint32 v = 0; v < lifts->nvalues; v++)
		order[v] = v;
	sort_values(order, lifts->nvalues, situations);
	for (uint32 v = 0; v < lifts->nvalues; v++)
	{
		CHECK_FOR_INTERRUPTS();
		write_value(table, generation, situations, lifts, order[v]);
	}
	rec_table_writer_close(table);
	pfree(order);
}
