/*-------------------------------------------------------------------------
 *
 * shared_features.c
 *	  The features that two items share, in words.
 *
 * The cosine of two items is a sum over the features that both have.  The terms
 * that explain it best are named: "category shoes, brand Acme".  A term is
 * ranked by its part of the cosine times the logarithm of the feature's rarity,
 * so that a feature of all items is never named.  Embeddings have no features
 * to name.
 *
 * A refresh stores nothing for this: the two vectors are read again, that of an
 * item unknown to the model is computed again, and the features with the
 * largest parts are looked up by their numbers.
 *
 * Vectors live as long as the call.  SPI is connected.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/shared_features.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "answer/shared_features.h"
#include "catalog/pg_type.h"
#include "definition/model_scan.h"
#include "pg/relation.h"
#include "serve/new_item_vectors.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define MOST_LOOKED_UP	16		/* features with the largest parts */
#define MOST_NAMED		3		/* of them */

static const RecStorePath names_by_number = {
	"feature", {"generation", "feature_no"}, {"feature_no", "column_name", "value", "idf"}
};

/* A feature that two items have. */
typedef struct SharedFeature
{
	uint32		number;
	double		part;			/* of the cosine */
	double		worth;			/* of naming it; 0 until known */
	const char *column;			/* NULL until known */
	const char *value;
} SharedFeature;

/* ----------------
 *		vectors
 * ----------------
 */

/* Begin without any vector. */
void
rec_shared_features_init(RecSharedFeatures *shared, MemoryContext mcxt, const RecServedModel *model)
{
	memset(shared, 0, sizeof(*shared));
	shared->mcxt = mcxt;
	shared->model = model;
}

/* Prepare to read vectors, once. */
static void
prepare(RecSharedFeatures *shared)
{
	if (shared->maker)
		return;
	shared->maker = rec_new_item_vectors_create(shared->mcxt, shared->model);
	shared->maker->naming = true;
	shared->ids = rec_definition_item_dictionary(shared->model->definition, shared->mcxt);
}

/* Keep the vector of an item. */
static const RecVector *
keep_vector(RecSharedFeatures *shared, Datum id, RecVector vector)
{
	uint32		number = rec_dictionary_intern(shared->ids, id);

	if (number >= shared->allocated)
	{
		shared->allocated = Max(64, shared->allocated * 2);
		shared->vectors = shared->vectors == NULL ? palloc_array(RecVector, shared->allocated) :
			repalloc_array(shared->vectors, RecVector, shared->allocated);
	}
	shared->vectors[number] = vector;
	return &shared->vectors[number];
}

/* Compute the vectors of items from their rows, if the caller may read these. */
static void
read_rows(RecSharedFeatures *shared, const Datum *ids, int n)
{
	const RecItemSource *items = shared->model->definition->items;
	RecVector  *vectors = palloc0_array(RecVector, n + 1);

	if (rec_relation_may_select(items->relid, items->item_column))
		rec_new_item_vectors_read(shared->maker, ids, n, vectors, palloc_array(bool, n));
	for (int i = 0; i < n; i++)
		(void) keep_vector(shared, ids[i], vectors[i]);
}

/*
 * Prepare for the items of an answer, whose ids are found by their refs: the
 * rows of those unknown to the model are read in one query.
 */
void
rec_shared_features_expect(RecSharedFeatures *shared, const RecScoredItem *items, int n,
						   const Datum *ids)
{
	MemoryContext old = MemoryContextSwitchTo(shared->mcxt);
	Datum	   *unknown = palloc_array(Datum, n + 1);
	int			nunknown = 0;

	for (int i = 0; i < n; i++)
		if (items[i].item >= shared->model->nitems && items[i].term[REC_CONTENT] != 0)
			unknown[nunknown++] = ids[items[i].ref];
	if (nunknown > 0)
	{
		prepare(shared);
		read_rows(shared, unknown, nunknown);
	}
	MemoryContextSwitchTo(old);
}

/* Return the vector of an item, of length 0 when there is none. */
static RecVector
vector_of(RecSharedFeatures *shared, Datum id)
{
	uint32		number = rec_dictionary_find(shared->ids, id);
	RecVector	vector;

	if (number != REC_NOT_FOUND)
		return shared->vectors[number];
	rec_new_item_vectors_stored(shared->maker, &id, 1, &vector);
	if (vector.n > 0 || vector.dense)
		return *keep_vector(shared, id, vector);
	read_rows(shared, &id, 1);
	return shared->vectors[rec_dictionary_find(shared->ids, id)];
}

/* ----------------
 *		features
 * ----------------
 */

/*
 * Put a feature among those with the largest parts, of equal ones the first;
 * return their number.
 */
static int
take_feature(SharedFeature *features, int n, uint32 number, double part)
{
	int			at = n;

	while (at > 0 && part > features[at - 1].part)
		at--;
	if (at == MOST_LOOKED_UP)
		return n;
	n = Min(n + 1, MOST_LOOKED_UP);
	memmove(features + at + 1, features + at, (n - 1 - at) * sizeof(SharedFeature));
	memset(&features[at], 0, sizeof(SharedFeature));
	features[at].number = number;
	features[at].part = part;
	return n;
}

/* Find the features that make most of the cosine of two vectors. */
static int
find_features(const RecVector *a, const RecVector *b, SharedFeature *features)
{
	int			n = 0;
	int			i = 0;
	int			j = 0;

	while (i < a->n && j < b->n)
	{
		uint32		x = a->feature[i];
		uint32		y = b->feature[j];

		if (x == y && a->weight[i] * b->weight[j] > 0)
			n = take_feature(features, n, x, (double) a->weight[i] * b->weight[j]);
		i += x <= y;
		j += y <= x;
	}
	return n;
}

/* Set the name of a feature if it is one of n. */
static void
name_feature(SharedFeature *features, int n, uint32 number, const char *column,
			 const char *value, double idf)
{
	for (int i = 0; i < n; i++)
	{
		if (features[i].number != number)
			continue;
		features[i].column = column;
		features[i].value = value;
		features[i].worth = features[i].part * (idf - 1);
	}
}

/* Look up the names of features in the dictionary. */
static void
look_up_names(RecSharedFeatures *shared, SharedFeature *features, int n)
{
	Datum		numbers[MOST_LOOKED_UP];
	int			nnumbers = 0;
	Datum		keys[2];
	Datum		values[4];
	bool		nulls[4];
	RecStoreScan *scan;

	for (int i = 0; i < n; i++)
		if (features[i].number < REC_UNKNOWN_FEATURE)
			numbers[nnumbers++] = Int32GetDatum((int32) features[i].number);
	keys[0] = Int64GetDatum(shared->model->generation);
	keys[1] = PointerGetDatum(construct_array(numbers, nnumbers, INT4OID, sizeof(int32), true,
											  TYPALIGN_INT));
	scan = rec_model_scan_begin_any(shared->model->definition, &names_by_number, 2, keys);
	while (rec_model_scan_next(scan, values, nulls))
	{
		if (nulls[0] || nulls[1] || nulls[2] || nulls[3] || !isfinite(DatumGetFloat8(values[3])))
			rec_new_item_vectors_damaged(shared->maker);
		name_feature(features, n, (uint32) DatumGetInt32(values[0]),
					 pstrdup(NameStr(*DatumGetName(values[1]))), TextDatumGetCString(values[2]),
					 DatumGetFloat8(values[3]));
	}
	rec_model_scan_end(scan);
}

static inline int
compare_features(const SharedFeature *a, const SharedFeature *b)
{
	if (a->worth != b->worth)
		return a->worth > b->worth ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

#define ST_SORT sort_features
#define ST_ELEMENT_TYPE SharedFeature
#define ST_COMPARE(a, b) compare_features(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Name features; return how many are worth it, which are first then. */
static int
name_features(RecSharedFeatures *shared, SharedFeature *features, int n)
{
	const RecVectorMaker *maker = shared->maker;
	int			named = 0;

	look_up_names(shared, features, n);
	for (int i = 0; i < maker->nnames; i++)
		name_feature(features, n, maker->names[i].number,
					 maker->columns[maker->names[i].column].name, maker->names[i].value,
					 rec_item_vector_idf(maker->all_items, 1));
	sort_features(features, n);
	while (named < Min(n, MOST_NAMED) && features[named].worth > 0)
		named++;
	return named;
}

/* ----------------
 *		words
 * ----------------
 */

/* Return the kind of a column; one unknown to the model counts as a category. */
static RecItemColumnKind
kind_of(const RecVectorMaker *maker, const char *column)
{
	for (int c = 0; c < maker->ncolumns; c++)
		if (strcmp(maker->columns[c].name, column) == 0)
			return maker->columns[c].kind;
	return REC_ITEM_CATEGORY;
}

/* Append a bucket, [from,to), as people would write it. */
static void
append_bucket(StringInfo text, const char *bucket)
{
	const char *comma = strchr(bucket, ',');
	int			length = (int) strlen(bucket);
	char	   *from;
	char	   *to;

	if (comma == NULL || bucket[0] != '[' || bucket[length - 1] != ')')
	{
		appendStringInfoString(text, bucket);
		return;
	}
	from = pnstrdup(bucket + 1, comma - bucket - 1);
	to = pnstrdup(comma + 1, bucket + length - 1 - (comma + 1));
	if (*from && *to)
		appendStringInfo(text, "%s..%s", from, to);
	else
		appendStringInfo(text, *from ? ">= %s" : "< %s", *from ? from : to);
}

/*
 * Append a feature and, when it is a word, the other words of its column, which
 * are not named again: "title green tea".
 */
static void
append_feature(StringInfo text, const RecVectorMaker *maker, SharedFeature *features, int n)
{
	const char *column = features[0].column;
	RecItemColumnKind kind = kind_of(maker, column);

	appendStringInfo(text, "%s%s ", text->len > 0 ? ", " : "", column);
	if (kind == REC_ITEM_NUMBER || kind == REC_ITEM_DATE)
		append_bucket(text, features[0].value);
	else
		appendStringInfoString(text, features[0].value);
	for (int i = 1; i < n && (kind == REC_ITEM_TEXT || kind == REC_ITEM_LEXEMES); i++)
	{
		if (features[i].column == NULL || strcmp(features[i].column, column) != 0)
			continue;
		appendStringInfo(text, " %s", features[i].value);
		features[i].column = NULL;
	}
}

/*
 * Return the features that two items share, those that explain most first, each
 * with its column: "category shoes, brand Acme"; NULL when they share none.
 */
char *
rec_shared_features(RecSharedFeatures *shared, Datum a, Datum b)
{
	MemoryContext old = MemoryContextSwitchTo(shared->mcxt);
	RecVector	first;
	RecVector	second;
	SharedFeature features[MOST_LOOKED_UP];
	int			n;
	StringInfoData text;

	prepare(shared);
	first = vector_of(shared, a);
	second = vector_of(shared, b);
	n = find_features(&first, &second, features);
	initStringInfo(&text);
	if (n > 0)
		n = name_features(shared, features, n);
	for (int i = 0; i < n; i++)
		if (features[i].column)
			append_feature(&text, shared->maker, &features[i], n - i);
	MemoryContextSwitchTo(old);
	return text.len > 0 ? text.data : NULL;
}
