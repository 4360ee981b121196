/*-------------------------------------------------------------------------
 *
 * content.c
 *	  What items are: features of items, as sparse TF-IDF vectors.
 *
 * A feature is a value of a column: a category, an element of an array, a key
 * and value of a document, the bucket of a number, a word.  Of item i in
 * column c, feature f weighs
 *
 *	  tf(i, f) * idf(f),  idf(f) = ln((1 + N) / (1 + items of f)) + 1,
 *
 * where N is the number of items, and tf is 1, or of a word that occurs n
 * times 1 + ln(n).  Each column's block of the vector is scaled to the length
 * that is the column's weight, and then the whole to length 1, so that the
 * product of two vectors is their cosine.  An embedding is a block as well,
 * a dense one.  A column that says nothing of an item is no block.
 *
 * Values come one by one, in any order; several rows of an item add up.
 * Features are numbered column by column, by the bytes of their values, and
 * the weights are rounded to float4 as they are stored, so that what is
 * computed from them is the same in a refresh and later.
 *
 * Buckets of numbers have about as many values each.  A column with no more
 * different values than buckets has a bucket for each.
 *
 * Knows numbers and bytes only: no Datum, no SPI.  The result is in the
 * context that was given, working memory in a child of it.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "common/shortest_dec.h"
#include "content.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "sqlutil.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define ARENA_SIZE			65536
#define INTERRUPT_STEPS		65536

/* A value of a column, while values come. */
typedef struct FeatureKey
{
	const char *value;
	uint32		length;
	uint32		column;
} FeatureKey;

typedef struct FeatureEntry
{
	FeatureKey	key;
	uint32		feature;
	uint32		hash;
	char		status;
} FeatureEntry;

static inline uint32
feature_hash(FeatureKey key)
{
	return hash_bytes((const unsigned char *) key.value, (int) key.length) ^
		murmurhash32(key.column);
}

static inline bool
feature_equal(FeatureKey a, FeatureKey b)
{
	return a.column == b.column && a.length == b.length &&
		memcmp(a.value, b.value, a.length) == 0;
}

#define SH_PREFIX feature_table
#define SH_ELEMENT_TYPE FeatureEntry
#define SH_KEY_TYPE FeatureKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) feature_hash(key)
#define SH_EQUAL(tb, a, b) feature_equal(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) ((entry)->hash)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

/* That an item has a feature, so many times. */
typedef struct Occurrence
{
	uint32		item;
	uint32		feature;
	uint32		count;
} Occurrence;

/* A number of an item. */
typedef struct ItemNumber
{
	double		number;
	uint32		item;
	int			column;
} ItemNumber;

/* The embeddings of a column, one after the other. */
typedef struct Embeddings
{
	uint32	   *item;
	float4	   *values;
	int64		n;
	int64		items_allocated;
	int64		values_allocated;
} Embeddings;

struct RecContentBuilder
{
	MemoryContext budget;		/* the context that memory is counted in */
	MemoryContext working;		/* owns what follows */
	RecContentColumn *columns;
	int			ncolumns;
	int			max_items;
	feature_table_hash *table;
	FeatureKey *features;		/* by their numbers, as they came */
	int64		nfeatures;
	int64		features_allocated;
	char	   *arena;			/* for values */
	Size		arena_left;
	Occurrence *occurrences;
	int64		noccurrences;
	int64		occurrences_allocated;
	ItemNumber *numbers;
	int64		nnumbers;
	int64		numbers_allocated;
	Embeddings *embeddings;		/* of each column */
	bool	   *described;		/* of each item: there is a row */
	int64		described_allocated;
	uint32		ndescribed;
};

/* ----------------
 *		taking values
 * ----------------
 */

/* Makes room for "wanted" elements in an array of the builder's. */
static void *
make_room(RecContentBuilder *builder, void *array, int64 wanted, int64 *allocated,
		  Size width)
{
	int64		count = Max(Max(1024, *allocated * 2), wanted);
	Size		size;

	if (wanted <= *allocated)
		return array;
	size = mul_size((Size) count, width);
	rec_memory_check(builder->budget, size - (Size) *allocated * width);
	array = array ? repalloc_huge(array, size) :
		MemoryContextAllocHuge(builder->working, size);
	*allocated = count;
	return array;
}

/*
 * Makes an empty set of items, which these columns describe; the columns are
 * told what is learnt of them, and belong to the result.  Features of more
 * than max_items items are frequent.
 */
RecContentBuilder *
rec_content_create(MemoryContext context, RecContentColumn *columns, int ncolumns,
				   int max_items)
{
	MemoryContext working = AllocSetContextCreate(context, "recommender features",
												  ALLOCSET_DEFAULT_SIZES);
	RecContentBuilder *builder = MemoryContextAllocZero(working, sizeof(RecContentBuilder));

	builder->budget = context;
	builder->working = working;
	builder->columns = columns;
	builder->ncolumns = ncolumns;
	builder->max_items = max_items;
	builder->table = feature_table_create(working, 1024, NULL);
	builder->embeddings = MemoryContextAllocZero(working, (ncolumns + 1) * sizeof(Embeddings));
	return builder;
}

/* Hears that there is a row of an item. */
void
rec_content_add_item(RecContentBuilder *builder, uint32 item)
{
	int64		before = builder->described_allocated;

	builder->described = make_room(builder, builder->described, (int64) item + 1,
								   &builder->described_allocated, sizeof(bool));
	memset(builder->described + before, 0, builder->described_allocated - before);
	builder->ndescribed += !builder->described[item];
	builder->described[item] = true;
}

/* True when there was a row of an item. */
bool
rec_content_has_item(const RecContentBuilder *builder, uint32 item)
{
	return item < builder->described_allocated && builder->described[item];
}

/* Keeps the bytes of a value, with a zero at the end. */
static const char *
keep_value(RecContentBuilder *builder, const char *value, int length)
{
	char	   *kept;

	if (builder->arena_left < (Size) length + 1)
	{
		rec_memory_check(builder->budget, ARENA_SIZE);
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

/* Gives the number of a feature, a new one if it was not there. */
static uint32
intern_feature(RecContentBuilder *builder, int column, const char *value, int length)
{
	FeatureKey	key = {value, (uint32) length, (uint32) column};
	FeatureEntry *entry;
	bool		found;

	if (builder->table->members + 1 >= builder->table->grow_threshold)
		rec_memory_check(builder->budget, mul_size(builder->table->size, 2 * sizeof(FeatureEntry)));
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
								  &builder->features_allocated, sizeof(FeatureKey));
	builder->features[builder->nfeatures++] = entry->key;
	return entry->feature;
}

static void
add_occurrence(RecContentBuilder *builder, uint32 item, uint32 feature, uint32 count)
{
	Occurrence *occurrence;

	builder->occurrences = make_room(builder, builder->occurrences, builder->noccurrences + 1,
									 &builder->occurrences_allocated, sizeof(Occurrence));
	occurrence = &builder->occurrences[builder->noccurrences++];
	occurrence->item = item;
	occurrence->feature = feature;
	occurrence->count = count;
}

/*
 * Puts in the place of a value that is too long to be looked up by what stands
 * for it: its beginning and its hash.  Gives the length; there is room for
 * REC_LONGEST_VALUE + 1 bytes.
 */
int
rec_content_shorten(const char **value, int length, char *room)
{
	uint64		hash;
	int			kept;

	if (length <= REC_LONGEST_VALUE)
		return length;
	hash = DatumGetUInt64(hash_any_extended((const unsigned char *) *value, length, 0));
	kept = pg_mbcliplen(*value, length, REC_LONGEST_VALUE - 20);
	memcpy(room, *value, kept);
	*value = room;
	return kept + snprintf(room + kept, REC_LONGEST_VALUE + 1 - kept, "...%016" INT64_MODIFIER "x", hash);
}

/* Adds that an item has a value, so many times; an empty one says nothing. */
void
rec_content_add(RecContentBuilder *builder, uint32 item, int column, const char *value,
				int length, uint32 count)
{
	char		room[REC_LONGEST_VALUE + 1];

	if (length == 0)
		return;
	length = rec_content_shorten(&value, length, room);
	add_occurrence(builder, item, intern_feature(builder, column, value, length), count);
}

/* Adds a number of an item; one that is none says nothing. */
void
rec_content_add_number(RecContentBuilder *builder, uint32 item, int column, double number)
{
	ItemNumber *added;

	if (isnan(number))
		return;
	builder->numbers = make_room(builder, builder->numbers, builder->nnumbers + 1,
								 &builder->numbers_allocated, sizeof(ItemNumber));
	added = &builder->numbers[builder->nnumbers++];
	added->number = number;
	added->item = item;
	added->column = column;
}

/*
 * Adds an embedding of an item, of finite numbers; false when it is not as
 * long as those before.
 */
bool
rec_content_add_embedding(RecContentBuilder *builder, uint32 item, int column,
						  const float4 *embedding, int dimensions)
{
	Embeddings *embeddings = &builder->embeddings[column];

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

static inline int
compare_doubles(double a, double b)
{
	return a < b ? -1 : a > b;
}

#define ST_SORT sort_doubles
#define ST_ELEMENT_TYPE double
#define ST_COMPARE(a, b) compare_doubles(*(a), *(b))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Learns the bounds between buckets from n sorted numbers: the k-th of b
 * begins with number k * n / b, counted from 0, where that is larger than the
 * bound before.
 */
static void
learn_bounds(RecContentColumn *column, const double *number, int64 n, MemoryContext context)
{
	int			ndifferent = 0;

	for (int64 i = 0; i < n && ndifferent <= column->buckets; i++)
		ndifferent += i == 0 || number[i] > number[i - 1];
	column->bounds = MemoryContextAlloc(context, column->buckets * sizeof(double));
	column->nbounds = 0;
	if (ndifferent <= column->buckets)
	{
		for (int64 i = 1; i < n; i++)
			if (number[i] > number[i - 1])
				column->bounds[column->nbounds++] = number[i];
		return;
	}
	for (int k = 1; k < column->buckets; k++)
	{
		double		bound = number[k * n / column->buckets];
		double		before = column->nbounds > 0 ? column->bounds[column->nbounds - 1] : number[0];

		if (bound > before)
			column->bounds[column->nbounds++] = bound;
	}
}

static void
learn_column_bounds(RecContentBuilder *builder, int column, MemoryContext context)
{
	double	   *number;
	int64		n = 0;

	rec_memory_check(builder->budget, mul_size(builder->nnumbers + 1, sizeof(double)));
	number = MemoryContextAllocHuge(builder->working,
									mul_size(builder->nnumbers + 1, sizeof(double)));
	for (int64 i = 0; i < builder->nnumbers; i++)
		if (builder->numbers[i].column == column)
			number[n++] = builder->numbers[i].number;
	sort_doubles(number, n);
	learn_bounds(&builder->columns[column], number, n, context);
	pfree(number);
}

static char *
bound_text(const RecContentColumn *column, double bound)
{
	char text[	MAXDATELEN + 1];
	char	   *space;
	struct pg_tm tm;
	fsec_t		fsec;

	if (column->kind == REC_ITEM_DATE && isfinite(bound) &&
		timestamp2tm((Timestamp) ((bound - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) *
								   (double) SECS_PER_DAY) * USECS_PER_SEC),
					 NULL, &tm, &fsec, NULL, NULL) == 0)
	{
		EncodeDateTime(&tm, fsec, false, 0, NULL, USE_ISO_DATES, text);
		space = strstr(text, " 00:00:00");
		if (space && fsec == 0)
			*space = '\0';
		return pstrdup(text);
	}
	return pnstrdup(text, double_to_shortest_decimal_buf(bound, text));
}

/*
 * Gives the name of the bucket that a number falls into, [from,to), in the
 * current context.
 */
char *
rec_content_bucket(const RecContentColumn *column, double number)
{
	int			from = 0;
	int			to = column->nbounds;

	/* the number of bounds that are not above it */
	while (from < to)
	{
		int			middle = (from + to) / 2;

		if (column->bounds[middle] <= number)
			from = middle + 1;
		else
			to = middle;
	}
	return psprintf("[%s,%s)", from > 0 ? bound_text(column, column->bounds[from - 1]) : "",
					from < column->nbounds ? bound_text(column, column->bounds[from]) : "");
}

/* Turns all numbers into features. */
static void
put_into_buckets(RecContentBuilder *builder, MemoryContext context)
{
	MemoryContext scratch = AllocSetContextCreate(builder->working, "recommender buckets",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old;

	for (int c = 0; c < builder->ncolumns; c++)
	{
		RecContentColumn *column = &builder->columns[c];

		if ((column->kind == REC_ITEM_NUMBER || column->kind == REC_ITEM_DATE) &&
			column->bounds == NULL)
			learn_column_bounds(builder, c, context);
	}
	old = MemoryContextSwitchTo(scratch);
	for (int64 i = 0; i < builder->nnumbers; i++)
	{
		const ItemNumber *number = &builder->numbers[i];
		char	   *bucket = rec_content_bucket(&builder->columns[number->column], number->number);

		rec_content_add(builder, number->item, number->column, bucket, strlen(bucket), 1);
		if (i % 1024 == 0)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(scratch);
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
}

/* ----------------
 *		sparse vectors
 * ----------------
 */

static void *
alloc_result(MemoryContext budget, RecContent *content, Size count, Size width)
{
	Size		size = mul_size(Max(count, 1), width);

	rec_memory_check(budget, size);
	return MemoryContextAllocExtended(content->context, size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static inline int
compare_features(uint32 a, uint32 b, const FeatureKey *features)
{
	const FeatureKey *x = &features[a];
	const FeatureKey *y = &features[b];
	int			order;

	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	order = memcmp(x->value, y->value, Min(x->length, y->length));
	return order != 0 ? order : compare_doubles(x->length, y->length);
}

#define ST_SORT sort_features
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b, features) compare_features(*(a), *(b), features)
#define ST_COMPARE_ARG_TYPE const FeatureKey
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Numbers the features, column by column and in order of their bytes; gives
 * the new number of each.
 */
static uint32 *
number_features(RecContentBuilder *builder, RecContent *content)
{
	uint32		n = (uint32) builder->nfeatures;
	uint32	   *order = alloc_result(builder->budget, content, n, sizeof(uint32));
	uint32	   *rank = alloc_result(builder->budget, content, n, sizeof(uint32));

	for (uint32 i = 0; i < n; i++)
		order[i] = i;
	sort_features(order, n, builder->features);
	content->nfeatures = n;
	content->value = alloc_result(builder->budget, content, n, sizeof(char *));
	content->column = alloc_result(builder->budget, content, n, sizeof(uint16));
	content->idf = alloc_result(builder->budget, content, n, sizeof(double));
	for (uint32 i = 0; i < n; i++)
	{
		const FeatureKey *key = &builder->features[order[i]];
		RecContentColumn *column = &content->columns[key->column];

		rank[order[i]] = i;
		content->value[i] = MemoryContextAlloc(content->context, key->length + 1);
		memcpy(content->value[i], key->value, key->length + 1);
		content->column[i] = (uint16) key->column;
		if (column->nfeatures++ == 0)
			column->first_feature = i;
	}
	pfree(order);
	return rank;
}

/* A feature of an item, while its weight is not known. */
typedef struct Entry
{
	uint32		feature;
	uint32		count;
} Entry;

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE Entry
#define ST_COMPARE(a, b) ((a)->feature < (b)->feature ? -1 : (a)->feature > (b)->feature)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Sorts an item's entries and makes one of those of a feature; gives how many. */
static int64
combine_entries(Entry *entry, int64 n)
{
	int64		kept = 0;

	sort_entries(entry, n);
	for (int64 i = 0; i < n; i++)
	{
		if (kept > 0 && entry[kept - 1].feature == entry[i].feature)
			entry[kept - 1].count += entry[i].count;
		else
			entry[kept++] = entry[i];
	}
	return kept;
}

/* Brings the occurrences into rows by item; gives the counts beside them. */
static Entry *
sort_occurrences(RecContentBuilder *builder, RecContent *content, const uint32 *rank,
				 const uint32 *number)
{
	int64	   *start = alloc_result(builder->budget, content, (Size) content->nitems + 1, sizeof(int64));
	int64	   *at = alloc_result(builder->budget, content, (Size) content->nitems + 1, sizeof(int64));
	Entry	   *entries = alloc_result(builder->budget, content, builder->noccurrences, sizeof(Entry));
	int64		total = 0;

#define ITEM(o)		(number ? number[(o)->item] : (o)->item)
	for (int64 i = 0; i < builder->noccurrences; i++)
		start[ITEM(&builder->occurrences[i])]++;
	for (uint32 i = 0; i <= content->nitems; i++)
	{
		int64		n = start[i];

		start[i] = at[i] = total;
		total += n;
	}
	for (int64 i = 0; i < builder->noccurrences; i++)
	{
		const Occurrence *occurrence = &builder->occurrences[i];
		Entry	   *entry = &entries[at[ITEM(occurrence)]++];

		entry->feature = rank[occurrence->feature];
		entry->count = occurrence->count;
		if (i % INTERRUPT_STEPS == 0)
			CHECK_FOR_INTERRUPTS();
	}
#undef ITEM
	total = 0;
	for (uint32 i = 0; i < content->nitems; i++)
	{
		int64		n = combine_entries(entries + start[i], start[i + 1] - start[i]);

		memmove(entries + total, entries + start[i], n * sizeof(Entry));
		start[i] = total;
		total += n;
		if (i % INTERRUPT_STEPS == 0)
			CHECK_FOR_INTERRUPTS();
	}
	start[content->nitems] = total;
	content->item_start = start;
	pfree(at);
	return entries;
}

/*
 * Gives the inverse document frequency of a feature that so many of all items
 * have.
 */
double
rec_content_idf(double all_items, double items)
{
	return log((1 + all_items) / (1 + items)) + 1;
}

/* Gives how often a value counts that a column says so many times. */
double
rec_content_tf(const RecContentColumn *column, uint32 count)
{
	if (column->kind == REC_ITEM_TEXT || column->kind == REC_ITEM_LEXEMES)
		return 1 + log(count);
	return 1;
}

/* Counts the items of each feature; from that follow offsets and idf. */
static void
count_features(RecContentBuilder *builder, RecContent *content, const Entry *entries)
{
	int64		total = 0;

	content->feature_start = alloc_result(builder->budget, content, (Size) content->nfeatures + 1,
										  sizeof(int64));
	for (int64 i = 0; i < content->item_start[content->nitems]; i++)
		content->feature_start[entries[i].feature]++;
	for (uint32 f = 0; f < content->nfeatures; f++)
	{
		int64		n = content->feature_start[f];

		content->feature_start[f] = total;
		total += n;
		content->idf[f] = rec_content_idf(content->ndescribed, n);
		content->columns[content->column[f]].nfrequent += n > content->max_items;
	}
	content->feature_start[content->nfeatures] = total;
}

/* ----------------
 *		weights
 * ----------------
 */

static double
square_of(const float4 *block, int dimensions)
{
	double		square = 0;

	for (int d = 0; d < dimensions; d++)
		square += (double) block[d] * block[d];
	return square;
}

/* Gives the square of the length of all blocks together. */
static double
square_of_blocks(const RecContentColumn *columns, int ncolumns, const uint16 *column, int n,
				 const float4 *dense)
{
	double		square = 0;

	for (int i = 0; i < n; i++)
		if (i == 0 || column[i] != column[i - 1])
			square += columns[column[i]].weight * columns[column[i]].weight;
	for (int c = 0; c < ncolumns && dense; c++)
		if (columns[c].kind == REC_ITEM_EMBEDDING &&
			square_of(dense + columns[c].offset, columns[c].dimensions) > 0)
			square += columns[c].weight * columns[c].weight;
	return square;
}

static void
scale_dense(const RecContentColumn *column, float4 *block, double length)
{
	double		square = square_of(block, column->dimensions);
	double		scale = square > 0 ? column->weight / sqrt(square) / length : 0;

	for (int d = 0; d < column->dimensions; d++)
		block[d] = (float4) (block[d] * scale);
}

/*
 * Turns tf * idf of n features of one item, column by column, and the blocks
 * of its embeddings, which may be NULL, into a vector of length 1, in place.
 */
void
rec_content_weigh(const RecContentColumn *columns, int ncolumns, const uint16 *column,
				  double *weight, int n, float4 *dense)
{
	double		length = sqrt(square_of_blocks(columns, ncolumns, column, n, dense));
	int			end;

	for (int begin = 0; begin < n; begin = end)
	{
		double		square = 0;
		double		scale;

		for (end = begin; end < n && column[end] == column[begin]; end++)
			square += weight[end] * weight[end];
		scale = columns[column[begin]].weight / sqrt(square) / length;
		for (int i = begin; i < end; i++)
			weight[i] *= scale;
	}
	for (int c = 0; c < ncolumns && dense; c++)
		if (columns[c].kind == REC_ITEM_EMBEDDING)
			scale_dense(&columns[c], dense + columns[c].offset, length);
}

/* Gives the product of two vectors, which is their cosine. */
double
rec_vector_product(const RecVector *a, const RecVector *b, int dimensions)
{
	double		product = 0;
	int			i = 0;
	int			j = 0;

	while (i < a->n && j < b->n)
	{
		if (a->feature[i] == b->feature[j])
			product += (double) a->weight[i++] * b->weight[j++];
		else if (a->feature[i] < b->feature[j])
			i++;
		else
			j++;
	}
	if (a->dense && b->dense)
		product += rec_embedding_product(a->dense, b->dense, dimensions);
	return product;
}

/* Weighs the features of all items. */
static void
weigh_items(RecContentBuilder *builder, RecContent *content, const Entry *entries)
{
	int			longest = 0;
	uint16	   *column;
	double	   *weight;

	for (uint32 i = 0; i < content->nitems; i++)
		longest = Max(longest, (int) (content->item_start[i + 1] - content->item_start[i]));
	column = alloc_result(builder->budget, content, longest, sizeof(uint16));
	weight = alloc_result(builder->budget, content, longest, sizeof(double));
	for (uint32 i = 0; i < content->nitems; i++)
	{
		int64		from = content->item_start[i];
		int			n = (int) (content->item_start[i + 1] - from);

		for (int e = 0; e < n; e++)
		{
			uint32		feature = entries[from + e].feature;

			column[e] = content->column[feature];
			weight[e] = content->idf[feature] *
				rec_content_tf(&content->columns[column[e]], entries[from + e].count);
			content->columns[column[e]].filled += e == 0 || column[e] != column[e - 1];
		}
		rec_content_weigh(content->columns, content->ncolumns, column, weight, n,
						  content->dense ? content->dense + (Size) i * content->dimensions : NULL);
		for (int e = 0; e < n; e++)
		{
			content->item_feature[from + e] = entries[from + e].feature;
			content->item_weight[from + e] = (float4) weight[e];
		}
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	pfree(column);
	pfree(weight);
}

/* Makes the rows by feature of those by item. */
static void
transpose(MemoryContext budget, RecContent *content)
{
	int64	   *at = alloc_result(budget, content, content->nfeatures, sizeof(int64));

	content->feature_item = alloc_result(budget, content, content->item_start[content->nitems],
										 sizeof(uint32));
	content->feature_weight = alloc_result(budget, content, content->item_start[content->nitems],
										   sizeof(float4));
	memcpy(at, content->feature_start, content->nfeatures * sizeof(int64));
	for (uint32 i = 0; i < content->nitems; i++)
	{
		for (int64 e = content->item_start[i]; e < content->item_start[i + 1]; e++)
		{
			int64		to = at[content->item_feature[e]]++;

			content->feature_item[to] = i;
			content->feature_weight[to] = content->item_weight[e];
		}
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	pfree(at);
}

/* ----------------
 *		dense vectors
 * ----------------
 */

static void
place_embeddings(const RecContentBuilder *builder, RecContent *content, int column,
				 const uint32 *number)
{
	const Embeddings *embeddings = &builder->embeddings[column];
	int			dimensions = content->columns[column].dimensions;
	bool	   *seen = palloc0_array(bool, (Size) content->nitems + 1);

	for (int64 i = 0; i < embeddings->n; i++)
	{
		uint32		item = number ? number[embeddings->item[i]] : embeddings->item[i];
		const float4 *values = embeddings->values + i * dimensions;
		float4	   *block = content->dense + (Size) item * content->dimensions +
		content->columns[column].offset;

		if (seen[item] && !rec_embedding_goes_before(values, block, dimensions))
			continue;
		seen[item] = true;
		memcpy(block, values, dimensions * sizeof(float4));
	}
	for (uint32 i = 0; i < content->nitems; i++)
		content->columns[column].filled += seen[i];
	pfree(seen);
}

/* Puts the embeddings of each item side by side. */
static void
place_all_embeddings(RecContentBuilder *builder, RecContent *content, const uint32 *number)
{
	for (int c = 0; c < content->ncolumns; c++)
	{
		content->columns[c].offset = content->dimensions;
		content->dimensions += content->columns[c].dimensions;
	}
	if (content->dimensions == 0)
		return;
	content->dense = alloc_result(builder->budget, content, (Size) content->nitems * content->dimensions,
								  sizeof(float4));
	for (int c = 0; c < content->ncolumns; c++)
		if (content->columns[c].kind == REC_ITEM_EMBEDDING)
			place_embeddings(builder, content, c, number);
}

/*
 * Gives the vectors of all that was added, by the items' new numbers below
 * nitems (NULL: the same ones), and ends the builder.
 */
RecContent *
rec_content_finish(RecContentBuilder *builder, const uint32 *number, uint32 nitems)
{
	MemoryContext context = AllocSetContextCreate(builder->budget, "recommender content",
												  ALLOCSET_DEFAULT_SIZES);
	RecContent *content = MemoryContextAllocZero(context, sizeof(RecContent));
	MemoryContext old = MemoryContextSwitchTo(context);
	uint32	   *rank;
	Entry	   *entries;
	int64		total;

	content->context = context;
	content->columns = builder->columns;
	content->ncolumns = builder->ncolumns;
	content->max_items = builder->max_items;
	content->nitems = nitems;
	content->ndescribed = builder->ndescribed;
	put_into_buckets(builder, context);
	rank = number_features(builder, content);
	entries = sort_occurrences(builder, content, rank, number);
	count_features(builder, content, entries);
	place_all_embeddings(builder, content, number);
	total = content->item_start[nitems];
	content->item_feature = alloc_result(builder->budget, content, total, sizeof(uint32));
	content->item_weight = alloc_result(builder->budget, content, total, sizeof(float4));
	weigh_items(builder, content, entries);
	pfree(entries);
	pfree(rank);
	MemoryContextDelete(builder->working);
	transpose(builder->budget, content);
	MemoryContextSwitchTo(old);
	return content;
}

/*
 * Gives the vectors of the items that have numbers of the content, as many as
 * there are, in their order, in a child of "budget": what rec_content_finish()
 * would have given for them.  Features and what was learnt stay the content's.
 */
RecContent *
rec_content_renumber(const RecContent *content, const uint32 *number, uint32 nitems,
					 MemoryContext budget)
{
	MemoryContext context = AllocSetContextCreate(budget, "recommender content",
												  ALLOCSET_DEFAULT_SIZES);
	RecContent *result = MemoryContextAlloc(context, sizeof(RecContent));
	int64		n = 0;

	*result = *content;
	result->context = context;
	result->nitems = nitems;
	result->item_start = alloc_result(budget, result, (Size) nitems + 1, sizeof(int64));
	for (uint32 i = 0; i < nitems; i++)
	{
		if (number[i] < content->nitems)
			n += content->item_start[number[i] + 1] - content->item_start[number[i]];
		result->item_start[i + 1] = n;
	}
	result->item_feature = alloc_result(budget, result, n, sizeof(uint32));
	result->item_weight = alloc_result(budget, result, n, sizeof(float4));
	if (content->dense)
		result->dense = alloc_result(budget, result, (Size) nitems * content->dimensions,
									 sizeof(float4));
	for (uint32 i = 0; i < nitems; i++)
	{
		int64		to = result->item_start[i];
		int64		length = result->item_start[i + 1] - to;

		if (number[i] >= content->nitems)
			continue;
		memcpy(result->item_feature + to, content->item_feature + content->item_start[number[i]],
			   length * sizeof(uint32));
		memcpy(result->item_weight + to, content->item_weight + content->item_start[number[i]],
			   length * sizeof(float4));
		if (content->dense)
			memcpy(result->dense + (Size) i * content->dimensions,
				   content->dense + (Size) number[i] * content->dimensions,
				   content->dimensions * sizeof(float4));
	}
	transpose(budget, result);
	return result;
}
