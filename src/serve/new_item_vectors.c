/*-------------------------------------------------------------------------
 *
 * new_item_vectors.c
 *	  Vectors of items that the model does not know, as they are now.
 *
 * An item that came after the last refresh is looked up in the relation of
 * items, with the caller's rights and snapshot.  Its columns are taken apart
 * as a refresh does, with the buckets that were learnt then, its features are
 * looked up in the dictionary, and weighed by what the model knows of them.  A
 * feature that the dictionary does not have is one of this item alone: it
 * weighs as that, though no item of the model has it.  So the vector is, but
 * for the counts that one more item changes, what the next refresh will give.
 *
 * Results are in the current context.  SPI is connected.
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

/* Says that the tables of content are not as a refresh writes them. */
void
rec_new_item_vectors_damaged(const RecLive *live)
{
	rec_serve_damaged(live->serve, "content that is");
}

/* Reads the row of a column; false when it is damaged. */
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
read_columns(RecLive *live)
{
	Datum		generation = Int64GetDatum(live->serve->generation);
	RecStoreScan *scan = rec_model_scan_begin(live->serve->definition, &columns_path, 1, &generation);
	int			allocated = 8;
	Datum		values[7];
	bool		nulls[7];

	live->columns = palloc_array(RecContentColumn, allocated);
	while (rec_model_scan_next(scan, values, nulls))
	{
		RecContentColumn *column;

		if (live->ncolumns == allocated)
		{
			allocated *= 2;
			live->columns = repalloc_array(live->columns, RecContentColumn, allocated);
		}
		column = &live->columns[live->ncolumns++];
		if (live->ncolumns > MaxTupleAttributeNumber || !read_column(column, values, nulls) ||
			live->dimensions > (int) (MaxAllocSize / sizeof(float4)) - column->dimensions)
			rec_new_item_vectors_damaged(live);
		column->offset = live->dimensions;
		live->dimensions += column->dimensions;
		live->all_items = DatumGetInt64(values[6]);
	}
	rec_model_scan_end(scan);
	if (live->all_items < 0)
		rec_new_item_vectors_damaged(live);
}

/*
 * True when the relation of items still has a column, of that kind, and the
 * caller may read it.
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
 * Gives what computes vectors in a call; it lives as long as that.  Without
 * columns, when the model has no content, all vectors are of length 0.
 */
RecLive *
rec_new_item_vectors_create(RecServe *serve)
{
	const RecDefinition *definition = serve->definition;
	MemoryContext old = MemoryContextSwitchTo(serve->memory);
	RecLive    *live = palloc0_object(RecLive);

	rec_definition_check_items(definition);
	live->serve = serve;
	read_columns(live);
	live->usable = palloc_array(RecContentColumn, live->ncolumns + 1);
	live->usable_column = palloc_array(int, live->ncolumns + 1);
	for (int c = 0; c < live->ncolumns; c++)
	{
		if (!is_usable(definition->items, &live->columns[c]))
			continue;
		live->usable_column[live->nusable] = c;
		live->usable[live->nusable++] = live->columns[c];
	}
	live->query = rec_feature_reader_query(definition, live->usable, live->nusable,
									psprintf("i.%s %s ANY ($1)",
											 quote_identifier(definition->items->item_column),
											 rec_relation_equality_operator(definition->item_type)));
	MemoryContextSwitchTo(old);
	return live;
}

/* ----------------
 *		reading rows
 * ----------------
 */

/* A feature of some of the items at hand. */
typedef struct LiveFeature
{
	int			column;
	const char *value;
	int			length;
	uint32		number;			/* in the dictionary, or beyond */
	double		idf;
} LiveFeature;

typedef struct LiveEntry
{
	int			item;
	int			feature;		/* place in features */
	uint32		count;
} LiveEntry;

typedef struct LiveReader
{
	RecLive    *live;
	MemoryContext context;
	RecDict    *ids;
	int			item;			/* the one at hand */
	LiveFeature *features;
	int			nfeatures;
	int			features_allocated;
	LiveEntry  *entries;
	int			nentries;
	int			entries_allocated;
	float4	  **dense;			/* of each item, NULL for none */
} LiveReader;

static inline int
compare_bytes(const LiveFeature *a, const LiveFeature *b)
{
	int			order = memcmp(a->value, b->value, Min(a->length, b->length));

	return order != 0 ? order : a->length - b->length;
}

/* By item, then as features are numbered. */
static inline int
compare_entries(const LiveEntry *a, const LiveEntry *b, const LiveReader *reader)
{
	const LiveFeature *x = &reader->features[a->feature];
	const LiveFeature *y = &reader->features[b->feature];

	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return compare_bytes(x, y);
}

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE LiveEntry
#define ST_COMPARE(a, b, reader) compare_entries(a, b, reader)
#define ST_COMPARE_ARG_TYPE const LiveReader
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Keeps a value of the item at hand. */
static void
take_value(void *arg, int usable, const char *value, int length, uint32 count)
{
	LiveReader *reader = (LiveReader *) arg;
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	char		room[REC_LONGEST_VALUE + 1];
	LiveFeature *feature;
	LiveEntry  *entry;

	length = rec_content_builder_shorten(&value, length, room);
	if (reader->nfeatures == reader->features_allocated)
	{
		reader->features_allocated *= 2;
		reader->features = repalloc_huge(reader->features,
										 mul_size(reader->features_allocated, sizeof(LiveFeature)));
	}
	if (reader->nentries == reader->entries_allocated)
	{
		reader->entries_allocated *= 2;
		reader->entries = repalloc_huge(reader->entries,
										mul_size(reader->entries_allocated, sizeof(LiveEntry)));
	}
	feature = &reader->features[reader->nfeatures];
	feature->column = reader->live->usable_column[usable];
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
	LiveReader *reader = (LiveReader *) arg;
	const RecContentColumn *column = &reader->live->usable[usable];
	char	   *bucket;

	if (isnan(number))
		return;
	bucket = rec_bucket_name(column, number);
	take_value(arg, usable, bucket, strlen(bucket), 1);
}

/* Keeps an embedding; of several rows', the one that a refresh takes. */
static bool
take_embedding(void *arg, int usable, const float4 *values, int dimensions)
{
	LiveReader *reader = (LiveReader *) arg;
	const RecContentColumn *column = &reader->live->columns[reader->live->usable_column[usable]];
	float4	  **dense = &reader->dense[reader->item];
	float4	   *block;

	if (column->dimensions != dimensions)
		return false;
	if (*dense == NULL)
		*dense = MemoryContextAllocZero(reader->context, reader->live->dimensions * sizeof(float4));
	block = *dense + column->offset;
	if (rec_embedding_is_empty(block, dimensions) ||
		rec_embedding_goes_before(values, block, dimensions))
		memcpy(block, values, dimensions * sizeof(float4));
	return true;
}

/* Takes the rows of the last query apart; marks the items that have one. */
static void
read_rows(LiveReader *reader, RecFeatureReader *features, bool *found)
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

/* A feature that the dictionary does not have gets a number by its hash. */
static void
number_unknown(const RecLive *live, LiveFeature *feature)
{
	feature->number = REC_UNKNOWN_FEATURE |
		(hash_bytes((const unsigned char *) feature->value, feature->length) ^
		 murmurhash32(feature->column));
	feature->idf = rec_item_vector_idf(live->all_items, 1);
}

static inline int
compare_places(int a, int b, const LiveFeature *features)
{
	const LiveFeature *x = &features[a];
	const LiveFeature *y = &features[b];

	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return compare_bytes(x, y);
}

#define ST_SORT sort_places
#define ST_ELEMENT_TYPE int
#define ST_COMPARE(a, b, features) compare_places(*(a), *(b), features)
#define ST_COMPARE_ARG_TYPE const LiveFeature
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Gives the first of n sorted places whose feature has a value, or n. */
static int
first_with_value(const LiveFeature *features, const int *place, int n, const LiveFeature *wanted)
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

/* Looks up the features of one column, whose places are sorted. */
static void
look_up_column(const LiveReader *reader, const int *place, int n)
{
	RecLive    *live = reader->live;
	LiveFeature *features = reader->features;
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
	keys[0] = Int64GetDatum(live->serve->generation);
	keys[1] = DirectFunctionCall1(namein,
								  CStringGetDatum(live->columns[features[place[0]].column].name));
	keys[2] = PointerGetDatum(construct_array(wanted, nwanted, TEXTOID, -1, false, TYPALIGN_INT));
	scan = rec_model_scan_begin_any(live->serve->definition, &features_by_value, 3, keys);
	while (rec_model_scan_next(scan, values, nulls))
	{
		LiveFeature found = {0};

		if (nulls[0] || nulls[1] || nulls[2] || DatumGetInt32(values[1]) < 0 ||
			!isfinite(DatumGetFloat8(values[2])))
			rec_new_item_vectors_damaged(live);
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

/* Keeps the names of the features that the dictionary does not have. */
static void
keep_names(const LiveReader *reader)
{
	RecLive    *live = reader->live;

	for (int i = 0; i < reader->nfeatures; i++)
	{
		const LiveFeature *feature = &reader->features[i];

		if (feature->number < REC_UNKNOWN_FEATURE)
			continue;
		if (live->nnames == live->names_allocated)
		{
			live->names_allocated = Max(64, live->names_allocated * 2);
			live->names = live->names == NULL ? palloc_array(RecLiveName, live->names_allocated) :
				repalloc_array(live->names, RecLiveName, live->names_allocated);
		}
		live->names[live->nnames].number = feature->number;
		live->names[live->nnames].column = feature->column;
		live->names[live->nnames++].value = feature->value;
	}
}

/* Looks up all features, column by column. */
static void
look_up_features(const LiveReader *reader)
{
	int		   *place = palloc_extended(mul_size(reader->nfeatures + 1, sizeof(int)),
										MCXT_ALLOC_HUGE);
	int			end;

	for (int i = 0; i < reader->nfeatures; i++)
	{
		place[i] = i;
		number_unknown(reader->live, &reader->features[i]);
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

/* Makes one entry of those of the same feature; gives how many are left. */
static int
combine_entries(const LiveReader *reader, LiveEntry *entries, int n)
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

/* Makes the vector of an item of its entries, in order, and its embeddings. */
static RecVector
make_vector(const LiveReader *reader, const LiveEntry *entries, int n, float4 *dense)
{
	RecLive    *live = reader->live;
	uint16	   *column = palloc_array(uint16, n + 1);
	double	   *weight = palloc_array(double, n + 1);
	VectorPart *parts = palloc_array(VectorPart, n + 1);
	uint32	   *numbers = palloc_array(uint32, n + 1);
	float4	   *weights = palloc_array(float4, n + 1);
	RecVector	vector = {n, numbers, weights, dense};

	for (int i = 0; i < n; i++)
	{
		const LiveFeature *feature = &reader->features[entries[i].feature];

		column[i] = (uint16) feature->column;
		weight[i] = feature->idf * rec_item_vector_tf(&live->columns[feature->column], entries[i].count);
	}
	rec_item_vector_weigh(live->columns, live->ncolumns, column, weight, n, dense);
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
	if (dense && rec_embedding_is_empty(dense, live->dimensions))
		vector.dense = NULL;
	pfree(column);
	pfree(weight);
	pfree(parts);
	return vector;
}

static void
make_vectors(LiveReader *reader, int nitems, RecVector *vectors)
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
 * Computes the vectors of n items, different ones, from their rows as they are
 * now; those without a row are not found, and have a vector of length 0.
 */
void
rec_new_item_vectors_read(RecLive *live, const Datum *ids, int n, RecVector *vectors, bool *found)
{
	const RecDefinition *definition = live->serve->definition;
	LiveReader	reader = {0};
	RecFeatureSink sink = {take_value, take_number, take_embedding, &reader, true};
	Oid			types[1] = {get_array_type(definition->item_type)};
	Datum		arguments[1] = {rec_definition_id_array(definition, ids, n)};
	RecQuery	query = {live->query, 1, types, arguments, NULL};

	reader.live = live;
	reader.context = CurrentMemoryContext;
	reader.ids = rec_dictionary_create(definition->item_type, definition->item_collation,
								 CurrentMemoryContext);
	reader.features_allocated = reader.entries_allocated = 256;
	reader.features = palloc_array(LiveFeature, reader.features_allocated);
	reader.entries = palloc_array(LiveEntry, reader.entries_allocated);
	reader.dense = palloc0_array(float4 *, n + 1);
	memset(found, 0, n * sizeof(bool));
	for (int i = 0; i < n; i++)
		(void) rec_dictionary_intern(reader.ids, ids[i]);
	rec_plan_cache_execute(live->serve->definition, &query);
	read_rows(&reader, rec_feature_reader(live->usable, live->nusable, &sink), found);
	look_up_features(&reader);
	if (live->naming)
		keep_names(&reader);
	make_vectors(&reader, n, vectors);
}

/* ----------------
 *		stored vectors
 * ----------------
 */

/* Gives a stored vector, checked, in the current context. */
RecVector
rec_new_item_vectors_vector(const RecLive *live, Datum numbers, Datum weights, Datum embedding)
{
	RecVector	vector;
	const void *elements;
	int			dimensions;

	vector.n = rec_model_scan_array_copy(numbers, INT4OID, &elements);
	vector.feature = elements;
	if (vector.n < 0 || rec_model_scan_array_copy(weights, FLOAT4OID, &elements) != vector.n)
		rec_new_item_vectors_damaged(live);
	vector.weight = elements;
	for (int i = 0; i < vector.n; i++)
		if (vector.feature[i] >= REC_UNKNOWN_FEATURE || !isfinite(vector.weight[i]) ||
			(i > 0 && vector.feature[i] <= vector.feature[i - 1]))
			rec_new_item_vectors_damaged(live);
	dimensions = rec_model_scan_array_copy(embedding, FLOAT4OID, &elements);
	if (dimensions != 0 && dimensions != live->dimensions)
		rec_new_item_vectors_damaged(live);
	vector.dense = dimensions > 0 ? elements : NULL;
	for (int i = 0; i < dimensions; i++)
		if (!isfinite(vector.dense[i]))
			rec_new_item_vectors_damaged(live);
	return vector;
}

/* Reads the vectors of n items, different ones; of length 0 where there is none. */
void
rec_new_item_vectors_stored(RecLive *live, const Datum *ids, int n, RecVector *vectors)
{
	const RecDefinition *definition = live->serve->definition;
	RecDict    *dict = rec_dictionary_create(definition->item_type, definition->item_collation,
									   CurrentMemoryContext);
	Datum		keys[2];
	Datum		values[4];
	bool		nulls[4];
	RecStoreScan *scan;

	memset(vectors, 0, n * sizeof(RecVector));
	for (int i = 0; i < n; i++)
		(void) rec_dictionary_intern(dict, ids[i]);
	keys[0] = Int64GetDatum(live->serve->generation);
	keys[1] = rec_definition_id_array(definition, ids, n);
	scan = rec_model_scan_begin_any(live->serve->definition, &vectors_by_id, 2, keys);
	while (rec_model_scan_next(scan, values, nulls))
	{
		uint32		item = nulls[0] ? REC_NOT_FOUND : rec_dictionary_find(dict, values[0]);

		if (item == REC_NOT_FOUND || nulls[1] || nulls[2] || nulls[3])
			rec_new_item_vectors_damaged(live);
		vectors[item] = rec_new_item_vectors_vector(live, values[1], values[2], values[3]);
	}
	rec_model_scan_end(scan);
}

/* Gives the cosine of two items. */
double
rec_new_item_vectors_product(const RecLive *live, const RecVector *a, const RecVector *b)
{
	return rec_item_vector_product(a, b, live->dimensions);
}
