/*-------------------------------------------------------------------------
 *
 * model_scan.h
 *	  Reading a recommender's own tables by their indexes, without a query.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/model_scan.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_MODEL_SCAN_H
#define REC_MODEL_SCAN_H

#include "definition/definition.h"
#include "utils/array.h"

#define REC_STORE_KEYS		4	/* most columns of a path's index */
#define REC_STORE_COLUMNS	8	/* most columns that a path reads */

/*
 * A way to the rows of a table: which index, and which columns to hand out.
 * Paths are constants, and each is known by its address.
 */
typedef struct RecStorePath
{
	const char *table;			/* in the recommender's schema */
	const char *keys[REC_STORE_KEYS + 1];	/* first columns of the index, as
											 * many as there are, in its
											 * order; "-column" where that
											 * falls; after them "?column" if
											 * rows of which that is true will
											 * do */
	const char *columns[REC_STORE_COLUMNS + 1]; /* to read, as many as there
												 * are */
} RecStorePath;

typedef struct RecStoreScan RecStoreScan;

extern RecStoreScan *rec_model_scan_begin(RecDefinition *definition, const RecStorePath *path,
										  int nkeys, const Datum *keys);
extern RecStoreScan *rec_model_scan_begin_any(RecDefinition *definition, const RecStorePath *path,
											  int nkeys, const Datum *keys);
extern RecStoreScan *rec_model_scan_begin_all(RecDefinition *definition, const RecStorePath *path,
											  int nkeys, const Datum *keys);
extern bool rec_model_scan_next(RecStoreScan *scan, Datum *values, bool *nulls);
extern void rec_model_scan_end(RecStoreScan *scan);
extern int	rec_model_scan_array(Datum value, Oid element_type, const void **elements);
extern int	rec_model_scan_array_copy(Datum value, Oid element_type, const void **elements);
extern void rec_model_scan_damaged(const RecDefinition *definition, const char *what);

#endif							/* REC_MODEL_SCAN_H */
