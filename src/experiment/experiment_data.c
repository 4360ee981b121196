/*-------------------------------------------------------------------------
 *
 * experiment_data.c
 *	  The units of an experiment and what they did, from two queries.
 *
 * One query returns exposures: unit, variant (text), time (timestamptz), and
 * perhaps a segment (text).  A unit counts from its first exposure; one that
 * was exposed to two variants is marked.  The other returns outcomes: unit,
 * time, value (float8), and perhaps the name of a metric (text).  An outcome
 * counts if exposed_at < time <= exposed_at + window, and, as known before, if
 * exposed_at - before < time <= exposed_at.  Both are read once, row by row; in
 * memory there are 50 bytes a unit, 8 or 16 more for each metric, and the ids.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/experiment_data.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "experiment/experiment_data.h"
#include "experiment/number_argument.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "pg/spi.h"
#include "utils/builtins.h"
#include "utils/plancache.h"

/* ----------------
 *		queries
 * ----------------
 */

/* A column that a query must return. */
typedef struct ColumnSpec
{
	Oid			type;			/* InvalidOid: any */
	const char *name;
} ColumnSpec;

/* Prepare a query of the columns given, of which the last may be absent. */
static SPIPlanPtr
prepare(const char *query, const char *argument, const ColumnSpec *specs, int count, TupleDesc *desc)
{
	SPIPlanPtr	plan = rec_spi_prepare(query, 0, NULL, CURSOR_OPT_PARALLEL_OK);

	if (!SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be one statement that returns rows", argument)));
	*desc = ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan)))->resultDesc;
	if ((*desc)->natts != count && (*desc)->natts != count - 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s must return %d or %d columns, not %d", argument, count - 1, count, (*desc)->natts)));
	for (int i = 0; i < (*desc)->natts; i++)
	{
		if (OidIsValid(specs[i].type) && TupleDescAttr(*desc, i)->atttypid != specs[i].type)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column %d of %s, the %s, must be of type %s, not %s", i + 1, argument,
							specs[i].name, format_type_be(specs[i].type),
							format_type_be(TupleDescAttr(*desc, i)->atttypid))));
	}
	return plan;
}

/* ----------------
 *		exposures
 * ----------------
 */

/* Return an array of so many elements, grown from that of "allocated". */
static void *
grow(RecExperimentData *data, void *array, int64 wanted, Size width)
{
	void	   *grown;

	rec_memory_budget_check(data->mcxt, mul_size(wanted, width));
	if (array == NULL)
		return MemoryContextAllocHuge(data->mcxt, mul_size(wanted, width));
	grown = repalloc_huge(array, mul_size(wanted, width));
	return grown;
}

static void
make_room(RecExperimentData *data, uint32 number)
{
	int64		wanted;

	if (number < data->allocated)
		return;
	wanted = rec_memory_budget_room(Max(data->allocated, 1024), (int64) number + 1);
	data->variant = grow(data, data->variant, wanted, sizeof(int));
	data->segment = grow(data, data->segment, wanted, sizeof(int));
	data->several = grow(data, data->several, wanted, sizeof(bool));
	data->exposed_at = grow(data, data->exposed_at, wanted, sizeof(TimestampTz));
	data->allocated = wanted;
}

/* Return whether one text comes before another, by their bytes; none is last. */
static bool
is_before(RecDict *texts, int a, int b)
{
	if (a < 0 || b < 0)
		return a >= 0;
	return strcmp(rec_dictionary_text(texts, a), rec_dictionary_text(texts, b)) < 0;
}

/* Take a row of exposures. */
static void
take_exposure(void *arg, TupleTableSlot *slot)
{
	RecExperimentData *data = arg;
	Datum	   *value = slot->tts_values;
	bool	   *null = slot->tts_isnull;
	TimestampTz time;
	uint32		unit;
	uint32		known = rec_dictionary_count(data->units);
	int			variant;
	int			segment = -1;

	CHECK_FOR_INTERRUPTS();
	if (null[0] || null[1] || null[2])
		return;
	time = DatumGetTimestampTz(value[2]);
	unit = rec_dictionary_intern(data->units, value[0]);
	variant = (int) rec_dictionary_intern(data->variants, value[1]);
	if (data->segments != NULL && !null[3])
		segment = (int) rec_dictionary_intern(data->segments, value[3]);
	if (unit >= known)
	{
		make_room(data, unit);
		data->variant[unit] = variant;
		data->segment[unit] = segment;
		data->several[unit] = false;
		data->exposed_at[unit] = time;
		return;
	}
	if (data->variant[unit] != variant)
		data->several[unit] = true;
	/* of exposures at one time the first segment counts */
	if (time < data->exposed_at[unit]
		|| (time == data->exposed_at[unit] && data->segments != NULL
			&& is_before(data->segments, segment, data->segment[unit])))
	{
		data->segment[unit] = segment;
		data->exposed_at[unit] = time;
	}
}

static void
read_exposures(RecExperimentData *data, const char *query)
{
	static const ColumnSpec specs[] = {
		{InvalidOid, "unit"}, {TEXTOID, "variant"}, {TIMESTAMPTZOID, "time"}, {TEXTOID, "segment"}};
	TupleDesc	desc;
	SPIPlanPtr	plan = prepare(query, "exposures", specs, lengthof(specs), &desc);
	Form_pg_attribute unit = TupleDescAttr(desc, 0);

	data->units = rec_dictionary_create(unit->atttypid, unit->attcollation, data->mcxt);
	data->variants = rec_dictionary_create(TEXTOID, C_COLLATION_OID, data->mcxt);
	if (desc->natts == (int) lengthof(specs))
		data->segments = rec_dictionary_create(TEXTOID, C_COLLATION_OID, data->mcxt);
	rec_spi_receive(plan, NULL, take_exposure, data);
}

/* ----------------
 *		outcomes
 * ----------------
 */

/* Compute which times count for each unit. */
static void
set_windows(RecExperimentData *data, Interval *window, Interval *before)
{
	uint32		n = rec_dictionary_count(data->units);

	data->window_end = grow(data, NULL, Max(n, 1), sizeof(TimestampTz));
	if (before != NULL)
		data->window_start = grow(data, NULL, Max(n, 1), sizeof(TimestampTz));
	for (uint32 i = 0; i < n; i++)
	{
		Datum		at = TimestampTzGetDatum(data->exposed_at[i]);

		CHECK_FOR_INTERRUPTS();
		data->window_end[i] = DatumGetTimestampTz(
												  DirectFunctionCall2(timestamptz_pl_interval, at, IntervalPGetDatum(window)));
		if (before != NULL)
			data->window_start[i] = DatumGetTimestampTz(
														DirectFunctionCall2(timestamptz_mi_interval, at, IntervalPGetDatum(before)));
	}
}

static double *
zero_values(RecExperimentData *data)
{
	uint32		n = rec_dictionary_count(data->units);
	double	   *value = grow(data, NULL, Max(n, 1), sizeof(double));

	memset(value, 0, Max(n, 1) * sizeof(double));
	return value;
}

/* Return the number of a metric, which may be new. */
static int
metric_number(RecExperimentData *data, Datum name)
{
	int			number = (int) rec_dictionary_intern(data->metrics, name);

	if (number < data->nmetrics)
		return number;
	if (number >= REC_MOST_METRICS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("outcomes must have at most %d metrics", REC_MOST_METRICS)));
	data->after[number] = zero_values(data);
	if (data->window_start != NULL)
		data->before[number] = zero_values(data);
	data->nmetrics = number + 1;
	return number;
}

/* Take a row of outcomes. */
static void
take_outcome(void *arg, TupleTableSlot *slot)
{
	RecExperimentData *data = arg;
	Datum	   *value = slot->tts_values;
	bool	   *null = slot->tts_isnull;
	TimestampTz time;
	double		amount;
	uint32		unit;
	int			metric;

	CHECK_FOR_INTERRUPTS();
	if (null[0] || null[1] || null[2] || (data->has_metric && null[3]))
		return;
	metric = data->has_metric ? metric_number(data, value[3]) : 0;
	unit = rec_dictionary_find(data->units, value[0]);
	if (unit == REC_NOT_FOUND)
		return;
	time = DatumGetTimestampTz(value[1]);
	amount = DatumGetFloat8(value[2]);
	rec_number_argument_check(amount, -HUGE_VAL, HUGE_VAL, "the value of an outcome");
	if (time > data->exposed_at[unit] && time <= data->window_end[unit])
		data->after[metric][unit] += amount;
	else if (data->window_start != NULL && time <= data->exposed_at[unit] && time > data->window_start[unit])
		data->before[metric][unit] += amount;
}

static void
read_outcomes(RecExperimentData *data, const char *query)
{
	const ColumnSpec specs[] = {
		{rec_dictionary_type(data->units), "unit"}, {TIMESTAMPTZOID, "time"}, {FLOAT8OID, "value"}, {TEXTOID, "metric"}};
	TupleDesc	desc;
	SPIPlanPtr	plan = prepare(query, "outcomes", specs, lengthof(specs), &desc);

	data->metrics = rec_dictionary_create(TEXTOID, C_COLLATION_OID, data->mcxt);
	data->after = MemoryContextAllocZero(data->mcxt, REC_MOST_METRICS * sizeof(double *));
	data->before = MemoryContextAllocZero(data->mcxt, REC_MOST_METRICS * sizeof(double *));
	data->has_metric = desc->natts == (int) lengthof(specs);
	if (!data->has_metric)
		(void) metric_number(data, CStringGetTextDatum("outcome"));
	rec_spi_receive(plan, NULL, take_outcome, data);
}

/*
 * Return the units of an experiment and what they did, by two queries that run
 * read-only with the caller's rights.  "before" may be NULL.  SPI is connected.
 */
RecExperimentData *
rec_experiment_data_read(MemoryContext mcxt, const char *exposures, const char *outcomes,
						 Interval *window, Interval *before)
{
	RecExperimentData *data = MemoryContextAllocZero(mcxt, sizeof(RecExperimentData));

	data->mcxt = mcxt;
	read_exposures(data, exposures);
	set_windows(data, window, before);
	read_outcomes(data, outcomes);
	return data;
}
