/*-------------------------------------------------------------------------
 *
 * filter_value.h
 *	  The values in a filter, read by the types of columns.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/filter_value.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_FILTER_VALUE_H
#define REC_FILTER_VALUE_H

#include "pg/compat.h"
#include "utils/jsonb.h"

/* A column in a filter. */
typedef struct RecFilterColumn
{
	const char *name;
	char	   *quoted;			/* i.name */
	Oid			type;
	Oid			element;		/* of an array's elements, else invalid */
} RecFilterColumn;

pg_noreturn_compat extern void rec_filter_value_refuse_value(const RecFilterColumn *column,
													   const char *oper,
													   const char *expected);
pg_noreturn_compat extern void rec_filter_value_refuse_type(const RecFilterColumn *column,
													  const char *oper,
													  const char *expected);
extern Datum rec_filter_value_elements(const RecFilterColumn *column, const char *oper, Oid type,
								 const JsonbValue *value, bool *has_null);
extern Datum rec_filter_value_array(const RecFilterColumn *column, const char *oper, Oid type,
							  const JsonbValue *value);
extern Datum rec_filter_value(const RecFilterColumn *column, const char *oper,
							  const JsonbValue *value);

#endif							/* REC_FILTER_VALUE_H */
