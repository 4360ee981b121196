/*-------------------------------------------------------------------------
 *
 * json_writer.h
 *	  Writing jsonb values piece by piece.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/json_writer.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_JSON_WRITER_H
#define REC_JSON_WRITER_H

#include "utils/jsonb.h"

#define REC_JSON_DEPTH	8		/* nesting depth of containers */

/* A value that is being written; starts as all zeroes. */
typedef struct RecJson
{
	JsonbValue *values;			/* values of the open containers */
	int			n;
	int			allocated;
	int			depth;			/* open containers, and ... */
	int			begins[REC_JSON_DEPTH]; /* ... the place where the values of
										 * each begin */
} RecJson;

extern void rec_json_writer_token(RecJson *json, JsonbIteratorToken token);
extern void rec_json_writer_key(RecJson *json, const char *key);
extern void rec_json_writer_text(RecJson *json, JsonbIteratorToken token, const char *text);
extern void rec_json_writer_bool(RecJson *json, bool value);
extern void rec_json_writer_null(RecJson *json);
extern void rec_json_writer_numeric(RecJson *json, Datum numeric);
extern void rec_json_writer_number(RecJson *json, double number);
extern Jsonb *rec_json_writer_finish(RecJson *json);

#endif							/* REC_JSON_WRITER_H */
