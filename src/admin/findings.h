/*-------------------------------------------------------------------------
 *
 * findings.h
 *	  What check_recommender() finds: rows, and the queries that lead to them.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/findings.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_FINDINGS_H
#define REC_FINDINGS_H

#include "definition/definition.h"
#include "utils/tuplestore.h"

typedef struct RecFindings
{
	Tuplestorestate *store;
	TupleDesc	desc;
	RecDefinition *definition;
	int64		n;				/* findings until now */
} RecFindings;

/* One check: looks at something and adds what it finds. */
typedef void (*RecCheck) (RecFindings *findings, const void *object);

extern void rec_findings_add(RecFindings *findings, const char *severity, const char *code,
							 const char *hint, const char *format,...) pg_attribute_printf(5, 6);
extern bool rec_findings_run(RecFindings *findings, RecCheck check, const void *object, Oid relid);
extern bool rec_findings_test(RecFindings *findings, RecCheck check, const void *object,
							  const char *hint);
extern int64 rec_findings_int64(uint64 row, int column);
extern char *rec_findings_text(uint64 row, int column);

#endif							/* REC_FINDINGS_H */
