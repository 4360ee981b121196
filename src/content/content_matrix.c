/*-------------------------------------------------------------------------
 *
 * content_matrix.c
 *	  The features of items as sparse TF-IDF vectors.
 *
 * Features are numbered by column, then by the bytes of their values.  Weights
 * (see item_vector.c) are rounded to float4 when they are stored, so that a
 * refresh and later calls compute the same products.
 *
 * Numbers and bytes only: no Datum, no SPI.  The result is in the given memory
 * context, working memory in a child of it.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/content_matrix.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "content/content_builder.h"
#include "content/content_builder_state.h"
#include "content/content_matrix.h"
#include "content/item_vector.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "pg/relation.h"
#include "utils/memutils.h"

#define INTERRUPT_STEPS		65536

/* ----------------
 *		sparse vectors
 * ----------------
 */

static void *
alloc_result(MemoryContext budget, RecContent *content, Size count, Size width)
{
	return rec_memory_budget_alloc_in(budget, content->mcxt, count, width);
}

static inline int
compare_features(uint32 a, uint32 b, const RecFeatureKey *features)
{
	const RecFeatureKey *x = &features[a];
	const RecFeatureKey *y = &features[b];
	int			order;

	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	order = memcmp(x->value, y->value, Min(x->length, y->length));
	if (order != 0 || x->length == y->length)
		return order;
	return x->length < y->length ? -1 : 1;
}

#define ST_SORT sort_features
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b, features) compare_features(*(a), *(b), features)
#define ST_COMPARE_ARG_TYPE const RecFeatureKey
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Number the features by column and bytes. Return the new number of each. */
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
		const RecFeatureKey *key = &builder->features[order[i]];

		rank[order[i]] = i;
		content->value[i] = MemoryContextAlloc(content->mcxt, key->length + 1);
		memcpy(content->value[i], key->value, key->length + 1);
		content->column[i] = (uint16) key->column;
		content->columns[key->column].nfeatures++;
	}
	pfree(order);
	return rank;
}

/* A feature of an item before its weight is known. */
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

/*
 * Sort an item's entries and merge those of the same feature. Return how many
 * are left.
 */
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

/* Group the occurrences into rows by item. Return the counts beside them. */
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
		const RecOccurrence *occurrence = &builder->occurrences[i];
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
 * Count the items of each feature, and compute offsets and idf from the
 * counts.
 */
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
		content->idf[f] = rec_item_vector_idf(content->ndescribed, n);
		content->columns[content->column[f]].nfrequent += n > content->max_items;
	}
	content->feature_start[content->nfeatures] = total;
}

/* ----------------
 *		weights
 * ----------------
 */

/* Compute the weights of the features of all items. */
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
				rec_item_vector_tf(&content->columns[column[e]], entries[from + e].count);
			content->columns[column[e]].filled += e == 0 || column[e] != column[e - 1];
		}
		rec_item_vector_weigh(content->columns, content->ncolumns, column, weight, n,
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

/* Make the rows by feature from the rows by item. */
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
	const RecEmbeddings *embeddings = &builder->embeddings[column];
	int			dimensions = content->columns[column].dimensions;
	bool	   *seen = alloc_result(builder->budget, content, content->nitems, sizeof(bool));

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

/* Place the embeddings of each item side by side. */
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
 * Return the vectors of all items that were added, by their new numbers below
 * nitems (NULL: unchanged). The builder is freed.
 */
RecContent *
rec_content_matrix_finish(RecContentBuilder *builder, const uint32 *number, uint32 nitems)
{
	MemoryContext budget = builder->budget;
	MemoryContext mcxt = AllocSetContextCreate(budget, "recommender content",
											   ALLOCSET_DEFAULT_SIZES);
	RecContent *content = MemoryContextAllocZero(mcxt, sizeof(RecContent));
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	uint32	   *rank;
	Entry	   *entries;
	int64		total;

	content->mcxt = mcxt;
	content->columns = builder->columns;
	content->ncolumns = builder->ncolumns;
	content->max_items = builder->max_items;
	content->nitems = nitems;
	content->ndescribed = builder->ndescribed;
	rec_content_builder_buckets(builder, mcxt);
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
	transpose(budget, content);
	MemoryContextSwitchTo(old);
	return content;
}

/*
 * Return the vectors of the items listed in "number", in this order, in a
 * child of "budget": what rec_content_matrix_finish() would have returned for
 * them. Features and what was learnt are shared with the original.
 */
RecContent *
rec_content_matrix_renumber(const RecContent *content, const uint32 *number, uint32 nitems,
							MemoryContext budget)
{
	MemoryContext mcxt = AllocSetContextCreate(budget, "recommender content",
											   ALLOCSET_DEFAULT_SIZES);
	RecContent *result = MemoryContextAlloc(mcxt, sizeof(RecContent));
	int64		n = 0;

	*result = *content;
	result->mcxt = mcxt;
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
