/*-------------------------------------------------------------------------
 *
 * served_model.c
 *	  The generation of the model that serves, by the snapshot of a call.
 *
 * Table "definition" names it.  Whatever its tables hold is checked at each
 * read: types, lengths and ranges.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/served_model.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "definition/model_scan.h"
#include "serve/served_model.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static const RecStorePath pointer_path = {
	"definition", {"singleton"},
	{"generation", "as_of", "items", "item_steps", "newest_created", "newest_item"}
};

/*
 * Take the numbers of items with at least 1, 2, 4, ... users; return false
 * when they are not valid.
 */
static bool
take_steps(RecServedModel *model, Datum steps)
{
	const void *elements;
	int			n = rec_model_scan_array(steps, INT4OID, &elements);
	const int32 *numbers = elements;

	if (n < 0 || n > REC_USER_STEPS)
		return false;
	for (int i = 0; i < n; i++)
	{
		if (numbers[i] < 0 || (i > 0 && numbers[i] > numbers[i - 1]))
			return false;
		model->steps[i] = (uint32) numbers[i];
	}
	model->nsteps = n;
	return true;
}

/* Take the row of table definition. */
static void
take_pointer(RecServedModel *model, const Datum *values, const bool *nulls)
{
	if (!nulls[0])
		model->generation = DatumGetInt64(values[0]);
	if (!nulls[1])
		model->as_of = DatumGetInt64(values[1]);
	if (!nulls[2])
		model->nitems = Max(DatumGetInt64(values[2]), 0);
	if (model->nitems > PG_INT32_MAX)
		rec_model_scan_damaged(model->definition, "a number of items that is");
	if (nulls[3] || !take_steps(model, values[3]))
		rec_model_scan_damaged(model->definition, "numbers of items that are");
	if (!nulls[4])
		model->newest_created = DatumGetTimestampTz(values[4]);
	if (!nulls[5])
		model->newest_item = DatumGetInt64(values[5]);
}

/*
 * Read which generation of a recommender serves; it is 0 before the first
 * refresh.
 */
void
rec_served_model_read(RecServedModel *model, RecDefinition *definition)
{
	Datum		values[6] = {BoolGetDatum(true)};
	bool		nulls[6];
	RecStoreScan *scan;

	memset(model, 0, sizeof(*model));
	model->definition = definition;
	model->as_of = REC_NO_TIME;
	model->newest_created = DT_NOBEGIN;
	model->newest_item = PG_INT64_MIN;
	scan = rec_model_scan_begin(definition, &pointer_path, 1, values);
	if (rec_model_scan_next(scan, values, nulls))
		take_pointer(model, values, nulls);
	rec_model_scan_end(scan);
}

/* Refuse a recommender that has never been refreshed. */
void
rec_served_model_require(const RecServedModel *model)
{
	if (model->generation > 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("recommender \"%s\" has not been refreshed yet",
					rec_definition_name(model->definition)),
			 errhint("Run SELECT * FROM recommender.refresh(%s).",
					 quote_literal_cstr(rec_definition_name(model->definition)))));
}
