/*-------------------------------------------------------------------------
 *
 * trial_log.c
 *	  Stored values of the trials of tune().
 *
 * The recommender's table "trial" has a row for each effective set of options and
 * each sample of users.  A value is valid for searches under equal conditions:
 * split, metric, k, seed, context and interactions.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/trial_log.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "definition/table_row.h"
#include "evaluate/trial_log.h"
#include "miscadmin.h"
#include "options/options_write.h"
#include "pg/json_writer.h"
#include "pg/spi.h"
#include "utils/builtins.h"

/* Return a checksum of the interactions and their weights. */
static int64
checksum(const RecBatch *batch)
{
	uint64		sum = 0;

	for (int64 i = 0; i < batch->nrows; i++)
	{
		const RecBatchRow *row = &batch->rows[i];
		double		weight = rec_batch_found_weight(batch, row);
		uint64		key[6] = {batch->user_rank[row->user], batch->item_rank[row->pair.item],
		(uint64) row->pair.time, row->counts, row->event};

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		memcpy(&key[5], &weight, sizeof(key[5]));
		sum = hash_bytes_extended((const unsigned char *) key, sizeof(key), sum);
	}
	return (int64) sum;
}

/* Return the conditions under which stored values are valid, as jsonb. */
Datum
rec_trial_log_conditions(const RecBatch *batch, const RecSplit *split, const RecMetric *metric, int k)
{
	RecJson		json = {0};

	rec_json_writer_token(&json, WJB_BEGIN_OBJECT);
	rec_json_writer_key(&json, "split");
	rec_json_writer_text(&json, WJB_VALUE, split->method);
	rec_json_writer_key(&json, "test_share");
	rec_json_writer_number(&json, split->test_share);
	rec_json_writer_key(&json, "last");
	rec_json_writer_number(&json, split->last);
	rec_json_writer_key(&json, "seed");
	rec_json_writer_numeric(&json, DirectFunctionCall1(int8_numeric, Int64GetDatum(split->seed)));
	rec_json_writer_key(&json, "metric");
	rec_json_writer_text(&json, WJB_VALUE, metric->name);
	rec_json_writer_key(&json, "k");
	rec_json_writer_number(&json, k);
	rec_json_writer_key(&json, "context");
	rec_json_writer_bool(&json, batch->whole_context);
	rec_json_writer_key(&json, "interactions");
	rec_json_writer_numeric(&json, DirectFunctionCall1(int8_numeric, Int64GetDatum(batch->nrows)));
	rec_json_writer_key(&json, "checksum");
	rec_json_writer_numeric(&json, DirectFunctionCall1(int8_numeric, Int64GetDatum(checksum(batch))));
	rec_json_writer_token(&json, WJB_END_OBJECT);
	return JsonbPGetDatum(rec_json_writer_finish(&json));
}

/* Return all options of a trial, those in force included. */
Jsonb *
rec_trial_log_effective(const RecTrial *trial)
{
	return rec_options_write(&trial->effective, REC_SCOPE_ALL);
}

/* Set a trial's value from an earlier search; false if there is none. */
bool
rec_trial_log_recall(const RecDefinition *definition, Datum conditions, int sample, RecTrial *trial)
{
	Oid			types[3] = {JSONBOID, INT4OID, JSONBOID};
	Datum		values[3];
	bool		isnull;
	HeapTuple	row;

	values[0] = conditions;
	values[1] = Int32GetDatum(sample);
	values[2] = JsonbPGetDatum(rec_trial_log_effective(trial));
	rec_spi_execute(psprintf("SELECT t.value, t.users, t.train_ms FROM %s t "
							 "WHERE t.settings OPERATOR(pg_catalog.=) $1 "
							 "AND t.sample OPERATOR(pg_catalog.=) $2 "
							 "AND t.options OPERATOR(pg_catalog.=) $3 LIMIT 1",
							 rec_definition_table(definition, REC_TABLE_TRIAL)),
					3, types, values, NULL, false, SPI_OK_SELECT);
	if (SPI_processed == 0)
	{
		SPI_freetuptable(SPI_tuptable);
		return false;
	}
	row = SPI_tuptable->vals[0];
	trial->value = DatumGetFloat8(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
	trial->users = DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
	trial->train_ms = DatumGetFloat8(SPI_getbinval(row, SPI_tuptable->tupdesc, 3, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return true;
}

/* Store the value of a trial. */
void
rec_trial_log_keep(const RecDefinition *definition, Datum conditions, int sample, const RecTrial *trial)
{
	RecTableRow row;

	rec_table_row_begin(&row, REC_TABLE_TRIAL);
	rec_table_row_set(&row, Anum_rec_trial_settings, conditions);
	rec_table_row_set(&row, Anum_rec_trial_sample, Int32GetDatum(sample));
	rec_table_row_set(&row, Anum_rec_trial_options, JsonbPGetDatum(rec_trial_log_effective(trial)));
	rec_table_row_set(&row, Anum_rec_trial_value, Float8GetDatum(trial->value));
	rec_table_row_set(&row, Anum_rec_trial_users, Int64GetDatum(trial->users));
	rec_table_row_set(&row, Anum_rec_trial_train_ms, Float8GetDatum(trial->train_ms));
	rec_table_row_insert(&row, rec_definition_table(definition, REC_TABLE_TRIAL));
}
