/*-------------------------------------------------------------------------
 *
 * new_item_vectors.c
 *	  Vectors of items that the model does not know, as they are now.
 *
 * An item that came after the last refresh is looked up in the relation of
 * items, with the caller's rights and snapshot.  Its columns are taken apart
 * as a refresh does, with the buckets that were learnt then; its features are
 * looked up in the dictionary and weighed by their frequency in the model.  A
 * feature that is not in the dictionary is weighed as a feature of one item.
 * So the vector is what the next refresh will store, but for the frequencies
 * that one more item changes.
 *
 * Results are in the current memory context.  SPI is connected.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/new_item_vectors.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "content/bucket.h"
#include "content/content_builder.h"
#include "content/feature_reader.h"
#include "definition/model_scan.h"
#include "definition/plan_cache.h"
#include "miscadmin.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "serve/new_item_vectors.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static const RecStorePath columns_path = {
	"content_column", {"generation", "position"},
	{"column_name", "kind", "weight", "config", "bounds", "dimensions", "all_items"}
};

static const RecStorePath features_by_value = {
	"feature", {"generation", "column_name", "value"}, {"value", "feature_no", "idf"}
};

static const RecStorePath vectors_by_id = {
	"item_feature", {"generation", "item_id"}, {"item_id", "feature_nos", "weights", "embedding"}
};

/* ----------------
 *		what was learnt of columns
 * ----------------
 */

/* Refuse tables of content that no refresh has written so. */
void
rec_new_item_vectors_damaged(const RecVectorMaker *maker)
{
	rec_model_scan_damaged(maker->model->definition, "content that is");
}

/* Read the row of a column; return false when it is damaged. */
static bool
read_column(RecContentColumn *column, const Datum *values, const bool *nulls)
{
	const void *bounds;
	char	   *kind;

	for (int i = 0; i < 7; i++)
		if (nulls[i])
			return false;
	memset(column, 0, sizeof(*column));
	column->name = pstrdup(NameStr(*DatumGetName(values[0])));
	kind = TextDatumGetCString(values[1]);
	column->weight = DatumGetFloat8(values[2]);
	column->config = TextDatumGetCString(values[3]);
	column->nbounds = rec_model_scan_array_copy(values[4], FLOAT8OID, &bounds);
	column->bounds = unconstify(double *, (const double *) bounds);
	column->dimensions = DatumGetInt32(values[5]);
	if (!rec_item_source_kind_by_name(kind, &column->kind) || !(column->weight > 0) ||
		!isfinite(column->weight) || column->nbounds < 0 || column->dimensions < 0 ||
		(column->kind != REC_ITEM_EMBEDDING && column->dimensions > 0))
		return false;
	for (int i = 1; i < column->nbounds; i++)
		if (!(column->bounds[i] > column->bounds[i - 1]))
			return false;
	if (column->kind != REC_ITEM_TEXT)
		column->config = NULL;
	return true;
}

static void
read_columns(RecVectorMaker *maker)
{
	Datum		generation = Int64GetDatum(maker->model->generation);
	RecStoreScan *scan = rec_model_scan_begin(maker->model->definition, &columns_path, 1, &generation);
	int			allocated = 8;
	Datum		values[7];
	bool		nulls[7];

	maker->columns = palloc_array(RecContentColumn, allocated);
	while (rec_model_scan_next(scan, values, nulls))
	{
		RecContentColumn *column;

		if (maker->ncolumns == allocated)
		{
			allocated *= 2;
			maker->columns = repalloc_array(maker->columns, RecContentColumn, allocated);
		}
		column = &maker->columns[maker->ncolumns++];
		if (maker->ncolumns > MaxTupleAttributeNumber || !read_column(column, values, nulls) ||
			maker->dimensions > (int) (MaxAllocSize / sizeof(float4)) - column->dimensions)
			rec_new_item_vectors_damaged(maker);
		column->offset = maker->dimensions;
		maker->dimensions += column->dimensions;
		maker->all_items = DatumGetInt64(values[6]);
	}
	rec_model_scan_end(scan);
	if (maker->all_items < 0)
		rec_new_item_vectors_damaged(maker);
}

/*
 * Return whether the relation of items still has a column of this kind that
 * the caller may read.
 */
static bool
is_usable(const RecItemSource *items, const RecContentColumn *column)
{
	for (int i = 0; i < items->ncolumns; i++)
		if (strcmp(items->columns[i].name, column->name) == 0)
			return get_attnum(items->relid, column->name) != InvalidAttrNumber &&
				rec_relation_may_select(items->relid, column->name) &&
				rec_item_source_column_kind(items, &items->columns[i]) == column->kind;
	return false;
}

/*
 * Return what computes vectors, in a memory context.  Without columns, when
 * the model has no content, all vectors are of length 0.
 */
RecVectorMaker *
rec_new_item_vectors_create(MemoryContext mcxt, const RecServedModel *model)
{
	const RecDefinition *definition = model->definition;
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	RecVectorMaker *maker = palloc0_object(RecVectorMaker);

	rec_definition_check_items(definition);
	maker->model = model;
	read_columns(maker);
	maker->usable = palloc_array(RecContentColumn, maker->ncolumns + 1);
	maker->usable_column = palloc_array(int, maker->ncolumns + 1);
	for (int c = 0; c < maker->ncolumns; c++)
	{
		if (!is_usable(definition->items, &maker->columns[c]))
			continue;
		maker->usable_column[maker->nusable] = c;
		maker->usable[maker->nusable++] = maker->columns[c];
	}
	maker->query = rec_feature_reader_query(definition, maker->usable, maker->nusable,
									psprintf("i.%s %s ANY ($1)",
											 quote_identifier(definition->items->item_column),
											 rec_relation_equality_operator(definition->item_type)));
	MemoryContextSwitchTo(old);
	return maker;
}

/* ----------------
 *		reading rows
 * ----------------
 */

/* A feature of some of the items at hand. */
typedef struct RowFeature
{
	int			column;
	const char *value;
	int			length;
	uint32		number;			/* in the dictionary, or beyond */
	double		idf;
} RowFeature;

typedef struct RowEntry
{
	int			item;
	int			feature;		/* place in features */
	uint32		count;
} RowEntry;

typedef struct RowReader
{
	RecVectorMaker *maker;
	MemoryContext mcxt;
	RecDict    *ids;
	int			item;			/* the one at hand */
	RowFeature *features;
	int			nfeatures;
	int			features_allocated;
	RowEntry  *entries;
	int			nentries;
	int			entries_allocated;
	float4	  **dense;			/* of each item, NULL for none */
} RowReader;

static inline int
compare_bytes(const RowFeature *a, const RowFeature *b)
{
	int			order = memcmp(a->value, b->value, Min(a->length, b->length));

	return order != 0 ? order : a->length - b->length;
}

/* Order by item, then as features are numbered. */
static inline int
compare_entries(const RowEntry *a, const RowEntry *b, const RowReader *reader)
{
	const RowFeature *x = &reader->features[a->feature];
	const RowFeature *y = &reader->features[b->feature];

	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return compare_bytes(x, y);
}

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE RowEntry
#define ST_COMPARE(a, b, reader) compare_entries(a, b, reader)
#define ST_COMPARE_ARG_TYPE const RowReader
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Keep a value of the item at hand. */
static void
take_value(void *arg, int usable, const char *value, int length, uint32 count)
{
	RowReader *reader = (RowReader *) arg;
	MemoryContext old = MemoryContextSwitchTo(reader->mcxt);
	char		room[REC_LONGEST_VALUE + 1];
	RowFeature *feature;
	RowEntry  *entry;

	length = rec_content_builder_shorten(&value, length, room);
	if (reader->nfeatures == reader->features_allocated)
	{
		reader->features_allocated *= 2;
		reader->features = repalloc_huge(reader->features,
										 mul_size(reader->features_allocated, sizeof(RowFeature)));
	}
	if (reader->nentries == reader->entries_allocated)
	{
		reader->entries_allocated *= 2;
		reader->entries = repalloc_huge(reader->entries,
										mul_size(reader->entries_allocated, sizeof(RowEntry)));
	}
	feature = &reader->features[reader->nfeatures];
	feature->column = reader->maker->usable_column[usable];
	feature->value = pnstrdup(value, length);
	feature->length = length;
	entry = &reader->entries[reader->nentries];
	entry->item = reader->item;
	entry->feature = reader->nfeatures;
	entry->count = count;
	if (length > 0)
	{
		reader->nfeatures++;
		reader->nentries++;
	}
	MemoryContextSwitchTo(old);
}

static void
take_number(void *arg, int usable, double number)
{
	RowReader *reader = (RowReader *) arg;
	const RecContentColumn *column = &reader->maker->usable[usable];
	char	   *bucket;

	if (isnan(number))
		return;
	bucket = rec_bucket_name(column, number);
	take_value(arg, usable, bucket, strlen(bucket), 1);
}

/* Keep an embedding; of several rows', the one that a refresh takes. */
static bool
take_embedding(void *arg, int usable, const float4 *values, int dimensions)
{
	RowReader *reader = (RowReader *) arg;
	const RecContentColumn *column = &reader->maker->columns[reader->maker->usable_column[usable]];
	float4	  **dense = &reader->dense[reader->item];
	float4	   *block;

	if (column->dimensions != dimensions)
		return false;
	if (*dense == NULL)
		*dense = MemoryContextAllocZero(reader->mcxt, reader->maker->dimensions * sizeof(float4));
	block = *dense + column->offset;
	if (rec_embedding_is_empty(block, dimensions) ||
		rec_embedding_goes_before(values, block, dimensions))
		memcpy(block, values, dimensions * sizeof(float4));
	return true;
}

/* Take the rows of the last query apart and mark the items that have one. */
static void
read_rows(RowReader *reader, RecFeatureReader *features, bool *found)
{
	TupleDesc	desc = SPI_tuptable->tupdesc;
	Datum	   *values = palloc_array(Datum, desc->natts);
	bool	   *nulls = palloc_array(bool, desc->natts);

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		uint32		item;

		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(SPI_tuptable->vals[i], desc, values, nulls);
		item = nulls[0] ? REC_NOT_FOUND : rec_dictionary_find(reader->ids, values[0]);
		if (item == REC_NOT_FOUND)
			continue;
		reader->item = (int) item;
		found[item] = true;
		rec_feature_reader_read(features, values, nulls);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* ----------------
 *		features
 * ----------------
 */

/* Number a feature that is not in the dictionary by its hash. */
static void
number_unknown(const RecVectorMaker *maker, RowFeature *feature)
{
	feature->number = REC_UNKNOWN_FEATURE |
		(hash_bytes((const unsigned char *) feature->value, feature->length) ^
		 murmurhash32(feature->column));
	feature->idf = rec_item_vector_idf(maker->all_items, 1);
}

static inline int
compare_places(int a, int b, const RowFeature *features)
{
	const RowFeature *x = &features[a];
	const RowFeature *y = &features[b];

	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return compare_bytes(x, y);
}

#define ST_SORT sort_places
#define ST_ELEMENT_TYPE int
#define ST_COMPARE(a, b, features) compare_places(*(a), *(b), features)
#define ST_COMPARE_ARG_TYPE const RowFeature
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Return the first of n sorted places whose feature has a value, or n. */
static int
first_with_value(const RowFeature *features, const int *place, int n, const RowFeature *wanted)
{
	int			from = 0;
	int			to = n;

	while (from < to)
	{
		int			middle = (from + to) / 2;

		if (compare_bytes(&features[place[middle]], wanted) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Look up the features of one column, whose places are sorted. */
static void
look_up_column(const RowReader *reader, const int *place, int n)
{
	RecVectorMaker *maker = reader->maker;
	RowFeature *features = reader->features;
	Datum	   *wanted = palloc_array(Datum, n);
	int			nwanted = 0;
	Datum		keys[3];
	Datum		values[3];
	bool		nulls[3];
	RecStoreScan *scan;

	for (int i = 0; i < n; i++)
		if (i == 0 || compare_bytes(&features[place[i]], &features[place[i - 1]]) != 0)
			wanted[nwanted++] = PointerGetDatum(cstring_to_text_with_len(features[place[i]].value,
																		 features[place[i]].length));
	keys[0] = Int64GetDatum(maker->model->generation);
	keys[1] = DirectFunctionCall1(namein,
								  CStringGetDatum(maker->columns[features[place[0]].column].name));
	keys[2] = PointerGetDatum(construct_array(wanted, nwanted, TEXTOID, -1, false, TYPALIGN_INT));
	scan = rec_model_scan_begin_any(maker->model->definition, &features_by_value, 3, keys);
	while (rec_model_scan_next(scan, values, nulls))
	{
		RowFeature found = {0};

		if (nulls[0] || nulls[1] || nulls[2] || DatumGetInt32(values[1]) < 0 ||
			!isfinite(DatumGetFloat8(values[2])))
			rec_new_item_vectors_damaged(maker);
		found.value = VARDATA_ANY(DatumGetTextPP(values[0]));
		found.length = (int) VARSIZE_ANY_EXHDR(DatumGetTextPP(values[0]));
		for (int i = first_with_value(features, place, n, &found);
			 i < n && compare_bytes(&features[place[i]], &found) == 0; i++)
		{
			features[place[i]].number = (uint32) DatumGetInt32(values[1]);
			features[place[i]].idf = DatumGetFloat8(values[2]);
		}
	}
	rec_model_scan_end(scan);
}

/* Keep the names of the features that are not in the dictionary. */
static void
keep_names(const RowReader *reader)
{
	RecVectorMaker *maker = reader->maker;

	for (int i = 0; i < reader->nfeatures; i++)
	{
		const RowFeature *feature = &reader->features[i];

		if (feature->number < REC_UNKNOWN_FEATURE)
			continue;
		if (maker->nnames == maker->names_allocated)
		{
			maker->names_allocated = Max(64, maker->names_allocated * 2);
			maker->names = maker->names == NULL ? palloc_array(RecFeatureName, maker->names_allocated) :
				repalloc_array(maker->names, RecFeatureName, maker->names_allocated);
		}
		maker->names[maker->nnames].number = feature->number;
		maker->names[maker->nnames].column = feature->column;
		maker->names[maker->nnames++].value = feature->value;
	}
}

/* Look up all features, column by column. */
static void
look_up_features(const RowReader *reader)
{
	int		   *place = palloc_extended(mul_size(reader->nfeatures + 1, sizeof(int)),
										MCXT_ALLOC_HUGE);
	int			end;

	for (int i = 0; i < reader->nfeatures; i++)
	{
		place[i] = i;
		number_unknown(reader->maker, &reader->features[i]);
	}
	sort_places(place, reader->nfeatures, reader->features);
	for (int begin = 0; begin < reader->nfeatures; begin = end)
	{
		for (end = begin; end < reader->nfeatures &&
			 reader->features[place[end]].column == reader->features[place[begin]].column;)
			end++;
		look_up_column(reader, place + begin, end - begin);
	}
	pfree(place);
}

/* ----------------
 *		vectors
 * ----------------
 */

/* Combine entries of the same feature; return how many are left. */
static int
combine_entries(const RowReader *reader, RowEntry *entries, int n)
{
	int			kept = 0;

	for (int i = 0; i < n; i++)
	{
		if (kept > 0 && compare_entries(&entries[kept - 1], &entries[i], reader) == 0)
			entries[kept - 1].count += entries[i].count;
		else
			entries[kept++] = entries[i];
	}
	return kept;
}

typedef struct VectorPart
{
	uint32		feature;
	float4		weight;
} VectorPart;

#define ST_SORT sort_parts
#define ST_ELEMENT_TYPE VectorPart
#define ST_COMPARE(a, b) ((a)->feature < (b)->feature ? -1 : (a)->feature > (b)->feature)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Make the vector of an item of its entries, in order, and its embeddings. */
static RecVector
make_vector(const RowReader *reader, const RowEntry *entries, int n, float4 *dense)
{
	RecVectorMaker *maker = reader->maker;
	uint16	   *column = palloc_array(uint16, n + 1);
	double	   *weight = palloc_array(double, n + 1);
	VectorPart *parts = palloc_array(VectorPart, n + 1);
	uint32	   *numbers = palloc_array(uint32, n + 1);
	float4	   *weights = palloc_array(float4, n + 1);
	RecVector	vector = {n, numbers, weights, dense};

	for (int i = 0; i < n; i++)
	{
		const RowFeature *feature = &reader->features[entries[i].feature];

		column[i] = (uint16) feature->column;
		weight[i] = feature->idf * rec_item_vector_tf(&maker->columns[feature->column], entries[i].count);
	}
	rec_item_vector_weigh(maker->columns, maker->ncolumns, column, weight, n, dense);
	for (int i = 0; i < n; i++)
	{
		parts[i].feature = reader->features[entries[i].feature].number;
		parts[i].weight = (float4) weight[i];
	}
	sort_parts(parts, n);
	for (int i = 0; i < n; i++)
	{
		numbers[i] = parts[i].feature;
		weights[i] = parts[i].weight;
	}
	if (dense && rec_embedding_is_empty(dense, maker->dimensions))
		vector.dense = NULL;
	pfree(column);
	pfree(weight);
	pfree(parts);
	return vector;
}

static void
make_vectors(RowReader *reader, int nitems, RecVector *vectors)
{
	int			begin = 0;

	sort_entries(reader->entries, reader->nentries, reader);
	for (int i = 0; i < nitems; i++)
	{
		int			end = begin;

		while (end < reader->nentries && reader->entries[end].item == i)
			end++;
		vectors[i] = make_vector(reader, reader->entries + begin,
								 combine_entries(reader, reader->entries + begin, end - begin),
								 reader->dense[i]);
		begin = end;
	}
}

/*
 * Compute the vectors of n distinct items from their rows as they are now;
 * those without a row are not found and have a vector of length 0.
 */
void
rec_new_item_vectors_read(RecVectorMaker *maker, const Datum *ids, int n, RecVector *vectors, bool *found)
{
	const RecDefinition *definition = maker->model->definition;
	RowReader	reader = {0};
	RecFeatureSink sink = {take_value, take_number, take_embedding, NULL, &reader, true};
	Oid			types[1] = {get_array_type(definition->item_type)};
	Datum		arguments[1] = {rec_definition_id_array(definition, ids, n)};
	RecQuery	query = {maker->query, 1, types, arguments, NULL};

	reader.maker = maker;
	reader.mcxt = CurrentMemoryContext;
	reader.ids = rec_definition_item_dictionary(definition, CurrentMemoryContext);
	reader.features_allocated = reader.entries_allocated = 256;
	reader.features = palloc_array(RowFeature, reader.features_allocated);
	reader.entries = palloc_array(RowEntry, reader.entries_allocated);
	reader.dense = palloc0_array(float4 *, n + 1);
	memset(found, 0, n * sizeof(bool));
	for (int i = 0; i < n; i++)
		(void) rec_dictionary_intern(reader.ids, ids[i]);
	rec_plan_cache_execute(maker->model->definition, &query);
	read_rows(&reader, rec_feature_reader(maker->usable, maker->nusable, &sink), found);
	look_up_features(&reader);
	if (maker->naming)
		keep_names(&reader);
	make_vectors(&reader, n, vectors);
}

/* ----------------
 *		stored vectors
 * ----------------
 */

/* Return a stored vector, checked, in the current memory context. */
RecVector
rec_new_item_vectors_unpack(const RecVectorMaker *maker, Datum numbers, Datum weights, Datum embedding)
{
	RecVector	vector;
	const void *elements;
	int			dimensions;

	vector.n = rec_model_scan_array_copy(numbers, INT4OID, &elements);
	vector.feature = elements;
	if (vector.n < 0 || rec_model_scan_array_copy(weights, FLOAT4OID, &elements) != vector.n)
		rec_new_item_vectors_damaged(maker);
	vector.weight = elements;
	for (int i = 0; i < vector.n; i++)
		if (vector.feature[i] >= REC_UNKNOWN_FEATURE || !isfinite(vector.weight[i]) ||
			(i > 0 && vector.feature[i] <= vector.feature[i - 1]))
			rec_new_item_vectors_damaged(maker);
	dimensions = rec_model_scan_array_copy(embedding, FLOAT4OID, &elements);
	if (dimensions != 0 && dimensions != maker->dimensions)
		rec_new_item_vectors_damaged(maker);
	vector.dense = dimensions > 0 ? elements : NULL;
	for (int i = 0; i < dimensions; i++)
		if (!isfinite(vector.dense[i]))
			rec_new_item_vectors_damaged(maker);
	return vector;
}

/* Read the stored vectors of n distinct items; of length 0 where there is none. */
void
rec_new_item_vectors_stored(RecVectorMaker *maker, const Datum *ids, int n, RecVector *vectors)
{
	const RecDefinition *definition = maker->model->definition;
	RecDict    *dict = rec_definition_item_dictionary(definition, CurrentMemoryContext);
	Datum		keys[2];
	Datum		values[4];
	bool		nulls[4];
	RecStoreScan *scan;

	memset(vectors, 0, n * sizeof(RecVector));
	for (int i = 0; i < n; i++)
		(void) rec_dictionary_intern(dict, ids[i]);
	keys[0] = Int64GetDatum(maker->model->generation);
	keys[1] = rec_definition_id_array(definition, ids, n);
	scan = rec_model_scan_begin_any(maker->model->definition, &vectors_by_id, 2, keys);
	while (rec_model_scan_next(scan, values, nulls))
	{
		uint32		item = nulls[0] ? REC_NOT_FOUND : rec_dictionary_find(dict, values[0]);

		if (item == REC_NOT_FOUND || nulls[1] || nulls[2] || nulls[3])
			rec_new_item_vectors_damaged(maker);
		vectors[item] = rec_new_item_vectors_unpack(maker, values[1], values[2], values[3]);
	}
	rec_model_scan_end(scan);
}

/* Return the cosine of two items. */
double
rec_new_item_vectors_product(const RecVectorMaker *maker, const RecVector *a, const RecVector *b)
{
	return rec_item_vector_product(a, b, maker->dimensions);
}
