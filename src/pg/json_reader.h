/*-------------------------------------------------------------------------
 *
 * json_reader.h
 *	  Reading jsonb values that a user has given.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/json_reader.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_JSON_READER_H
#define REC_JSON_READER_H

#include "nodes/pg_list.h"
#include "pg/compat.h"
#include "utils/jsonb.h"

/* The members of an object, one after the other. */
typedef struct RecJsonMembers
{
	JsonbIterator *iterator;
	char	   *name;			/* name of the member that was read */
	JsonbValue	value;			/* its value; containers are jbvBinary */
} RecJsonMembers;

#define REC_MOST_STRINGS	1000	/* in a list that a caller gives */

extern bool rec_json_reader_is_null(Jsonb *json);
extern Jsonb *rec_json_reader_null_as_object(Jsonb *json);
extern JsonbContainer *rec_json_reader_root_object(Jsonb *json, const char *what);
extern JsonbContainer *rec_json_reader_array(const JsonbValue *value);
extern JsonbContainer *rec_json_reader_object(const JsonbValue *value);
extern RecJsonMembers rec_json_reader_members(JsonbContainer *object);
extern bool rec_json_reader_next_member(RecJsonMembers *members);
extern bool rec_json_reader_strings(const JsonbValue *value, List **strings);

extern char *rec_json_reader_string(const JsonbValue *value);
extern char *rec_json_reader_scalar(const JsonbValue *value);
extern double rec_json_reader_double(const JsonbValue *value);
extern double rec_json_reader_double_within(const char *what, const JsonbValue *value, double min,
									 double max, bool whole);
pg_noreturn_compat extern void rec_json_reader_refuse(const char *what, const char *expected);

#endif							/* REC_JSON_READER_H */
