/*-------------------------------------------------------------------------
 *
 * feature_reader.h
 *	  Reading items: the columns of a relation become features.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/feature_reader.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_FEATURE_READER_H
#define REC_FEATURE_READER_H

#include "content/content.h"
#include "definition/definition.h"

typedef struct RecFeatureReader RecFeatureReader;

/* Receives the values of the current item, column by column. */
typedef struct RecFeatureSink
{
	void		(*value) (void *arg, int column, const char *value, int length, uint32 count);
	void		(*number) (void *arg, int column, double number);
	bool		(*embedding) (void *arg, int column, const float4 *values, int dimensions);
	char	   *(*item) (void *arg);	/* the id as text, for errors; NULL if lenient */
	void	   *arg;
	bool		lenient;		/* embeddings that are not valid are ignored */
} RecFeatureSink;

extern char *rec_feature_reader_query(const RecDefinition *definition,
									  const RecContentColumn *columns, int ncolumns,
									  const char *where);
extern RecFeatureReader *rec_feature_reader(const RecContentColumn *columns, int ncolumns,
											const RecFeatureSink *sink);
extern void rec_feature_reader_read(RecFeatureReader *reader, const Datum *values,
									const bool *nulls);
extern RecContentBuilder *rec_feature_reader_read_all(const RecDefinition *definition, RecDict *items,
													  MemoryContext mcxt);

#endif							/* REC_FEATURE_READER_H */
