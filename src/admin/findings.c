/*-------------------------------------------------------------------------
 *
 * findings.c
 *	  What check_recommender() finds: rows, and the queries that lead to them.
 *
 * The diagnosis must not fail because of what it is to diagnose.  Each check
 * runs in a subtransaction: an error in it becomes a finding, and the others go
 * on.  Cancellation and the end of the session are errors still, and so is
 * what the server has run out of.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/admin/findings.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "admin/findings.h"
#include "miscadmin.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "utils/builtins.h"
#include "utils/elog.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"

#define FINDING_NCOLS		4	/* severity, code, message, hint */

/*
 * Add a row.  "severity" is error, warning or info; "hint" may be NULL; the
 * message follows PostgreSQL's style of primary messages.
 */
void
rec_findings_add(RecFindings *findings, const char *severity, const char *code,
				 const char *hint, const char *format,...)
{
	Datum		values[FINDING_NCOLS];
	bool		nulls[FINDING_NCOLS] = {false, false, false, hint == NULL};
	StringInfoData message;
	va_list		args;
	int			more;

	initStringInfo(&message);
	for (;;)
	{
		va_start(args, format);
		more = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (more == 0)
			break;
		enlargeStringInfo(&message, more);
	}
	values[0] = CStringGetTextDatum(severity);
	values[1] = CStringGetTextDatum(code);
	values[2] = CStringGetTextDatum(message.data);
	values[3] = hint ? CStringGetTextDatum(hint) : (Datum) 0;
	tuplestore_putvalues(findings->store, findings->desc, values, nulls);
	findings->n++;
}

/* ----------------
 *		results of queries
 * ----------------
 */

/* Return a bigint of the last query's result; 0 for a null or no row. */
int64
rec_findings_int64(uint64 row, int column)
{
	bool		isnull;
	Datum		value;

	if (row >= SPI_processed)
		return 0;
	value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
	return isnull ? 0 : DatumGetInt64(value);
}

/* Return the text of a value of the last query's result; NULL for a null or no row. */
char *
rec_findings_text(uint64 row, int column)
{
	if (row >= SPI_processed)
		return NULL;
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

/* ----------------
 *		checks that may fail
 * ----------------
 */

/* True for an error that is about the session or the server, not the data. */
static bool
must_be_thrown(const ErrorData *error)
{
	return error->elevel > ERROR ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION ||
		error->sqlerrcode == ERRCODE_OUT_OF_MEMORY ||
		error->sqlerrcode == ERRCODE_DISK_FULL ||
		error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
		error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED;
}

/*
 * Run a check in a subtransaction, which is rolled back when the check fails.
 * Return its error, NULL when there was none.
 */
static ErrorData *
run(RecFindings *findings, RecCheck check, const void *object)
{
	MemoryContext mcxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(mcxt);
	PG_TRY();
	{
		check(findings, object);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(mcxt);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(mcxt);
		error = CopyErrorData();
		if (must_be_thrown(error))
			PG_RE_THROW();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(mcxt);
		CurrentResourceOwner = owner;
	}
	PG_END_TRY();
	return error;
}

/*
 * Run a check that reads a relation.  An error becomes a finding; return false
 * then.
 */
bool
rec_findings_run(RecFindings *findings, RecCheck check, const void *object, Oid relid)
{
	ErrorData  *error = run(findings, check, object);

	if (error == NULL)
		return true;
	if (error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE)
		rec_findings_add(findings, "error", "not_readable",
						 "Grant SELECT on the relation, and USAGE on its schema, to the role.",
						 "role \"%s\" cannot read %s: %s", GetUserNameFromId(GetUserId(), false),
						 rec_relation_quoted(relid), error->message);
	else
		rec_findings_add(findings, "error", "check_failed", error->hint,
						 "%s could not be checked: %s",
						 get_rel_name(relid) ? rec_relation_quoted(relid) : "a relation",
						 error->message);
	return false;
}

/*
 * Test a precondition, which looks at the catalogs alone and reports an error
 * unless a column is of a type that fits.  The error becomes a finding; return
 * false then.
 */
bool
rec_findings_test(RecFindings *findings, RecCheck check, const void *object, const char *hint)
{
	ErrorData  *error = run(findings, check, object);

	if (error == NULL)
		return true;
	rec_findings_add(findings, "error", "column_type_changed", hint, "%s", error->message);
	return false;
}
