/*-------------------------------------------------------------------------
 *
 * content_builder.h
 *	  Gathering the features of items.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/content_builder.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_CONTENT_BUILDER_H
#define REC_CONTENT_BUILDER_H

#include "content/content.h"

#define REC_LONGEST_VALUE	255 /* bytes of a feature's value */

extern RecContentBuilder *rec_content_builder_create(MemoryContext mcxt,
													 RecContentColumn *columns, int ncolumns,
													 int max_items);
extern void rec_content_builder_add_item(RecContentBuilder *builder, uint32 item);
extern bool rec_content_builder_has_item(const RecContentBuilder *builder, uint32 item);
extern void rec_content_builder_add(RecContentBuilder *builder, uint32 item, int column,
									const char *value, int length, uint32 count);
extern void rec_content_builder_add_number(RecContentBuilder *builder, uint32 item, int column,
										   double number);
extern bool rec_content_builder_add_embedding(RecContentBuilder *builder, uint32 item, int column,
											  const float4 *embedding, int dimensions);
extern int	rec_content_builder_shorten(const char **value, int length, char *room);
extern void rec_content_builder_buckets(RecContentBuilder *builder, MemoryContext mcxt);

#endif							/* REC_CONTENT_BUILDER_H */
