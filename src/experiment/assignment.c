/*-------------------------------------------------------------------------
 *
 * assignment.c
 *	  Numbers from hashes of ids, and the variants they fall to.
 *
 * The bucket of an id under a salt is the first 52 bits of the SHA-256 of
 *
 *	  salt || '/' || id
 *
 * in UTF-8, as a number in [0, 1).  SHA-256 is equal on all machines and in all
 * languages, so that an application can check an assignment, which
 * PostgreSQL's own hash functions do not promise.
 *
 * Of variants with weights w and a share t of traffic, variant v has the ids
 * with buckets in [W, W + t w), W the sum of the weights before.  More traffic
 * adds ids to each and moves none from one to another; less takes away those
 * that came last.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/assignment.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "experiment/assignment.h"
#include "experiment/number_argument.h"
#include "mb/pg_wchar.h"
#include "pg/arguments.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define BUCKET_BITS		52

/* The type of an argument, looked up once for all calls of a query. */
typedef struct IdType
{
	Oid			type;			/* as declared, a domain perhaps */
	Oid			base;
	FmgrInfo	output;
} IdType;

/* Add a string to a hash, in UTF-8. */
static void
hash_text(pg_cryptohash_ctx *hash, const char *text)
{
	char	   *converted = pg_server_to_any(text, strlen(text), PG_UTF8);

	if (pg_cryptohash_update(hash, (const uint8 *) converted, strlen(converted)) < 0)
		elog(ERROR, "could not compute SHA-256");
	if (converted != text)
		pfree(converted);
}

/* Return the bucket of an id under a salt, and of a draw of it unless that is NULL. */
double
rec_assignment_bucket(const char *salt, const char *id, const char *draw)
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	uint64		number = 0;

	if (hash == NULL || pg_cryptohash_init(hash) < 0)
		elog(ERROR, "could not compute SHA-256");
	hash_text(hash, salt);
	hash_text(hash, "/");
	hash_text(hash, id);
	if (draw != NULL)
	{
		hash_text(hash, "/");
		hash_text(hash, draw);
	}
	if (pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute SHA-256");
	pg_cryptohash_free(hash);
	for (int i = 0; i < 8; i++)
		number = number << 8 | digest[i];
	return ldexp((double) (number >> (64 - BUCKET_BITS)), -BUCKET_BITS);
}

/* Return the type of argument n, whose text must not depend on settings. */
static IdType *
id_type(FunctionCallInfo fcinfo, int n)
{
	IdType	   *id = fcinfo->flinfo->fn_extra;
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, n);
	Oid			output;
	bool		is_varlena;

	if (id != NULL && id->type == type)
		return id;
	if (!OidIsValid(type))
		elog(ERROR, "could not determine the type of an id");
	getTypeOutputInfo(type, &output, &is_varlena);
	if (func_volatile(output) != PROVOLATILE_IMMUTABLE || getBaseType(type) == FLOAT4OID || getBaseType(type) == FLOAT8OID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("an id cannot be of type %s", format_type_be(type)),
				 errdetail("The text of its values depends on settings."),
				 errhint("Cast it to text, in a format of your own.")));
	id = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(IdType));
	id->type = type;
	id->base = getBaseType(type);
	fmgr_info_cxt(output, &id->output, fcinfo->flinfo->fn_mcxt);
	fcinfo->flinfo->fn_extra = id;
	return id;
}

/* Take the zeros after a number's point off, and the point if nothing is left. */
static void
trim_zeros(char *number)
{
	size_t		length = strlen(number);

	if (strchr(number, '.') == NULL)
		return;
	while (number[length - 1] == '0')
		number[--length] = '\0';
	if (number[length - 1] == '.')
		number[--length] = '\0';
}

/*
 * Return the text of an argument of any type, which is not null: equal ids have
 * equal texts.  Its type is kept in fn_extra.
 */
char *
rec_assignment_id_text(FunctionCallInfo fcinfo, int n)
{
	IdType	   *id = id_type(fcinfo, n);
	char	   *text = OutputFunctionCall(&id->output, PG_GETARG_DATUM(n));

	if (id->base == NUMERICOID)
		trim_zeros(text);
	if (id->base == BPCHAROID)
	{
		size_t		length = strlen(text);

		while (length > 0 && text[length - 1] == ' ')
			text[--length] = '\0';
	}
	return text;
}

/* Return which of the weights, in parts of traffic, has a bucket; -1 for none. */
int
rec_assignment_pick(const double *weight, int count, double traffic, double bucket)
{
	double		before = 0;

	for (int i = 0; i < count; i++)
	{
		if (bucket >= before && bucket < before + traffic * weight[i])
			return i;
		before += weight[i];
	}
	/* the sum of the weights may be a little less than 1 */
	if (traffic == 1 && bucket >= before)
	{
		for (int i = count - 1; i >= 0; i--)
		{
			if (weight[i] > 0)
				return i;
		}
	}
	return -1;
}

/* Refuse weights that are negative or have another sum than 1. */
void
rec_assignment_check_weights(const double *weight, int count, const char *name)
{
	double		sum = 0;

	for (int i = 0; i < count; i++)
	{
		rec_number_argument_check(weight[i], 0, 1, name);
		sum += weight[i];
	}
	if (fabs(sum - 1) > REC_WEIGHT_SLACK)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the sum of %s must be 1, not %g", name, sum)));
}
