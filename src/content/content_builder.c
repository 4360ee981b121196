/*-------------------------------------------------------------------------
 *
 * content_builder.c
 *	  Gathering the features of items.
 *
 * Values arrive one by one, in any order; several rows of an item are added up.
 * Each distinct value of a column is kept once and numbered in order of arrival;
 * content_matrix.c assigns the final numbers.
 *
 * Numbers and bytes only: no Datum, no SPI.  All memory is in a child of the
 * given memory context, in which it is accounted for.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/content_builder.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "content/bucket.h"
#include "content/content_builder.h"
#include "content/content_builder_state.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "pg/relation.h"
#include "utils/memutils.h"

#define ARENA_SIZE			65536

typedef struct FeatureEntry
{
	RecFeatureKey key;
	uint32		feature;
	uint32		hash;
	char		status;
} FeatureEntry;

static inline uint32
feature_hash(RecFeatureKey key)
{
	return hash_bytes((const unsigned char *) key.value, (int) key.length) ^
		murmurhash32(key.column);
}

static inline bool
feature_equal(RecFeatureKey a, RecFeatureKey b)
{
	return a.column == b.column && a.length == b.length &&
		memcmp(a.value, b.value, a.length) == 0;
}

#define SH_PREFIX feature_table
#define SH_ELEMENT_TYPE FeatureEntry
#define SH_KEY_TYPE RecFeatureKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) feature_hash(key)
#define SH_EQUAL(tb, a, b) feature_equal(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) ((entry)->hash)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

/* ----------------
 *		taking values
 * ----------------
 */

/* Make room for "wanted" elements in an array of the builder's. */
static void *
make_room(RecContentBuilder *builder, void *array, int64 wanted, int64 *allocated,
		  Size width)
{
	int64		count = Max(Max(1024, *allocated * 2), wanted);
	Size		size;

	if (wanted <= *allocated)
		return array;
	size = mul_size((Size) count, width);
	rec_memory_budget_check(builder->budget, size - (Size) *allocated * width);
	array = array ? repalloc_huge(array, size) :
		MemoryContextAllocHuge(builder->working, size);
	*allocated = count;
	return array;
}

/*
 * Make an empty builder of items described by these columns. What is learnt
 * of the columns is stored in them, and they belong to the result. Features
 * of more than max_items items are frequent.
 */
RecContentBuilder *
rec_content_builder_create(MemoryContext mcxt, RecContentColumn *columns, int ncolumns,
						   int max_items)
{
	MemoryContext working = AllocSetContextCreate(mcxt, "recommender features",
												  ALLOCSET_DEFAULT_SIZES);
	RecContentBuilder *builder = MemoryContextAllocZero(working, sizeof(RecContentBuilder));

	builder->budget = mcxt;
	builder->working = working;
	builder->columns = columns;
	builder->ncolumns = ncolumns;
	builder->max_items = max_items;
	builder->table = feature_table_create(working, 1024, NULL);
	builder->embeddings = MemoryContextAllocZero(working, (ncolumns + 1) * sizeof(RecEmbeddings));
	return builder;
}

/* Record that an item has a row. */
void
rec_content_builder_add_item(RecContentBuilder *builder, uint32 item)
{
	int64		before = builder->described_allocated;

	builder->described = make_room(builder, builder->described, (int64) item + 1,
								   &builder->described_allocated, sizeof(bool));
	memset(builder->described + before, 0, builder->described_allocated - before);
	builder->ndescribed += !builder->described[item];
	builder->described[item] = true;
}

/* Return whether an item has a row. */
bool
rec_content_builder_has_item(const RecContentBuilder *builder, uint32 item)
{
	return item < builder->described_allocated && builder->described[item];
}

/* Keep a copy of a value, with a terminating zero. */
static const char *
keep_value(RecContentBuilder *builder, const char *value, int length)
{
	char	   *kept;

	if (builder->arena_left < (Size) length + 1)
	{
		rec_memory_budget_check(builder->budget, ARENA_SIZE);
		builder->arena = MemoryContextAlloc(builder->working, ARENA_SIZE);
		builder->arena_left = ARENA_SIZE;
	}
	kept = builder->arena;
	memcpy(kept, value, length);
	kept[length] = '\0';
	builder->arena += length + 1;
	builder->arena_left -= length + 1;
	return kept;
}

/* Return the number of a feature; assign one if it is new. */
static uint32
intern_feature(RecContentBuilder *builder, int column, const char *value, int length)
{
	RecFeatureKey key = {value, (uint32) length, (uint32) column};
	FeatureEntry *entry;
	bool		found;

	if (builder->table->members + 1 >= builder->table->grow_threshold)
		rec_memory_budget_check(builder->budget, mul_size(builder->table->size, 2 * sizeof(FeatureEntry)));
	entry = feature_table_insert(builder->table, key, &found);
	if (found)
		return entry->feature;
	if (builder->nfeatures == PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("items cannot have more than %d different features", PG_INT32_MAX)));
	entry->key.value = keep_value(builder, value, length);
	entry->feature = (uint32) builder->nfeatures;
	builder->features = make_room(builder, builder->features, builder->nfeatures + 1,
								  &builder->features_allocated, sizeof(RecFeatureKey));
	builder->features[builder->nfeatures++] = entry->key;
	return entry->feature;
}

static void
add_occurrence(RecContentBuilder *builder, uint32 item, uint32 feature, uint32 count)
{
	RecOccurrence *occurrence;

	builder->occurrences = make_room(builder, builder->occurrences, builder->noccurrences + 1,
									 &builder->occurrences_allocated, sizeof(RecOccurrence));
	occurrence = &builder->occurrences[builder->noccurrences++];
	occurrence->item = item;
	occurrence->feature = feature;
	occurrence->count = count;
}

/*
 * Replace a value that is too long for a look-up by its beginning and its
 * hash. Return the new length. The buffer has room for REC_LONGEST_VALUE + 1
 * bytes.
 */
int
rec_content_builder_shorten(const char **value, int length, char *room)
{
	uint64		hash;
	int			kept;

	if (length <= REC_LONGEST_VALUE)
		return length;
	hash = hash_bytes_extended((const unsigned char *) *value, length, 0);
	kept = pg_mbcliplen(*value, length, REC_LONGEST_VALUE - 20);
	memcpy(room, *value, kept);
	*value = room;
	return kept + snprintf(room + kept, REC_LONGEST_VALUE + 1 - kept, "...%016llx",
						   (unsigned long long) hash);
}

/* Add "count" occurrences of a value of an item. Empty values are ignored. */
void
rec_content_builder_add(RecContentBuilder *builder, uint32 item, int column, const char *value,
						int length, uint32 count)
{
	char		room[REC_LONGEST_VALUE + 1];

	if (length == 0)
		return;
	length = rec_content_builder_shorten(&value, length, room);
	add_occurrence(builder, item, intern_feature(builder, column, value, length), count);
}

/* Add a number of an item. NaN is ignored. */
void
rec_content_builder_add_number(RecContentBuilder *builder, uint32 item, int column, double number)
{
	RecItemNumber *added;

	if (isnan(number))
		return;
	builder->numbers = make_room(builder, builder->numbers, builder->nnumbers + 1,
								 &builder->numbers_allocated, sizeof(RecItemNumber));
	added = &builder->numbers[builder->nnumbers++];
	added->number = number;
	added->item = item;
	added->column = column;
}

/*
 * Add an embedding of an item, of finite numbers. Return false if its length
 * differs from the previous ones of its column.
 */
bool
rec_content_builder_add_embedding(RecContentBuilder *builder, uint32 item, int column,
								  const float4 *embedding, int dimensions)
{
	RecEmbeddings *embeddings = &builder->embeddings[column];

	if (builder->columns[column].dimensions == 0)
		builder->columns[column].dimensions = dimensions;
	if (builder->columns[column].dimensions != dimensions)
		return false;
	embeddings->item = make_room(builder, embeddings->item, embeddings->n + 1,
								 &embeddings->items_allocated, sizeof(uint32));
	embeddings->values = make_room(builder, embeddings->values,
								   (embeddings->n + 1) * dimensions,
								   &embeddings->values_allocated, sizeof(float4));
	embeddings->item[embeddings->n] = item;
	memcpy(embeddings->values + embeddings->n * dimensions, embedding,
		   dimensions * sizeof(float4));
	embeddings->n++;
	return true;
}

/* ----------------
 *		buckets
 * ----------------
 */

static void
learn_column_bounds(RecContentBuilder *builder, int column, MemoryContext mcxt)
{
	double	   *number;
	int64		n = 0;

	rec_memory_budget_check(builder->budget, mul_size(builder->nnumbers + 1, sizeof(double)));
	number = MemoryContextAllocHuge(builder->working,
									mul_size(builder->nnumbers + 1, sizeof(double)));
	for (int64 i = 0; i < builder->nnumbers; i++)
		if (builder->numbers[i].column == column)
			number[n++] = builder->numbers[i].number;
	rec_bucket_learn(&builder->columns[column], number, n, mcxt);
	pfree(number);
}

/* Turn all numbers into features. */
void
rec_content_builder_buckets(RecContentBuilder *builder, MemoryContext mcxt)
{
	MemoryContext scratch = AllocSetContextCreate(builder->working, "recommender buckets",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old;

	for (int c = 0; c < builder->ncolumns; c++)
	{
		RecContentColumn *column = &builder->columns[c];

		if ((column->kind == REC_ITEM_NUMBER || column->kind == REC_ITEM_DATE) &&
			column->bounds == NULL)
			learn_column_bounds(builder, c, mcxt);
	}
	old = MemoryContextSwitchTo(scratch);
	for (int64 i = 0; i < builder->nnumbers; i++)
	{
		const RecItemNumber *number = &builder->numbers[i];
		char	   *bucket = rec_bucket_name(&builder->columns[number->column], number->number);

		rec_content_builder_add(builder, number->item, number->column, bucket, strlen(bucket), 1);
		if (i % 1024 == 0)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(scratch);
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
}
