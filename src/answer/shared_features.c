/*-------------------------------------------------------------------------
 *
 * shared_features.c
 *	  What two items have in common, in words.
 *
 * The cosine of two items is a sum over the features that both have, and a few
 * of its terms say why they are alike: "category shoes, brand Acme".  Those are
 * named that say most: by their part of the cosine, times the logarithm of how
 * rare they are, so that what all items have is not worth a word.  What
 * embeddings have in common has no name.
 *
 * Nothing is kept for it in a refresh: the two vectors are read again, of an
 * item that the model does not know computed again, and the features with the
 * largest parts looked up by their numbers.
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

struct RecShared
{
	RecLive    *live;
	RecDict    *ids;			/* of items whose vectors were read */
	RecVector  *vectors;		/* by number in it */
	uint32		allocated;
};

/* A feature that two items have. */
typedef struct SharedFeature
{
	uint32		number;
	double		part;			/* of the cosine */
	double		says;			/* what naming it would say; 0 until known */
	const char *column;			/* NULL until known */
	const char *value;
} SharedFeature;

/* ----------------
 *		vectors
 * ----------------
 */

static struct RecShared *
get_shared(RecServe *serve)
{
	struct RecShared *shared = serve->shared;

	if (shared)
		return shared;
	shared = serve->shared = palloc0_object(struct RecShared);
	shared->live = rec_new_item_vectors_create(serve);
	shared->live->naming = true;
	shared->ids = rec_dictionary_create(serve->definition->item_type,
										serve->definition->item_collation, serve->memory);
	return shared;
}

/* Keeps the vector of an item. */
static const RecVector *
keep_vector(struct RecShared *shared, Datum id, RecVector vector)
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

/* Computes the vectors of items from their rows, if the caller may read these. */
static void
read_rows(RecServe *serve, const Datum *ids, int n)
{
	const RecItemSource *items = serve->definition->items;
	struct RecShared *shared = get_shared(serve);
	RecVector  *vectors = palloc0_array(RecVector, n + 1);

	if (n == 0)
		return;
	if (rec_relation_may_select(items->relid, items->item_column))
		rec_new_item_vectors_read(shared->live, ids, n, vectors, palloc_array(bool, n));
	for (int i = 0; i < n; i++)
		(void) keep_vector(shared, ids[i], vectors[i]);
}

/*
 * Tells which items of an answer will be asked about, ids by their refs: the
 * rows of those that the model does not know are read in one query.
 */
void
rec_shared_features_expect(RecServe *serve, const RecScoredItem *items, int n, const Datum *ids)
{
	MemoryContext old = MemoryContextSwitchTo(serve->memory);
	Datum	   *unknown = palloc_array(Datum, n + 1);
	int			nunknown = 0;

	for (int i = 0; i < n; i++)
		if (items[i].item >= serve->nitems && items[i].term[REC_CONTENT] != 0)
			unknown[nunknown++] = ids[items[i].ref];
	if (nunknown > 0)
		read_rows(serve, unknown, nunknown);
	MemoryContextSwitchTo(old);
}

/* Gives the vector of an item, of length 0 when there is none. */
static RecVector
vector_of(RecServe *serve, Datum id)
{
	struct RecShared *shared = get_shared(serve);
	uint32		number = rec_dictionary_find(shared->ids, id);
	RecVector	vector;

	if (number != REC_NOT_FOUND)
		return shared->vectors[number];
	rec_new_item_vectors_stored(shared->live, &id, 1, &vector);
	if (vector.n > 0 || vector.dense)
		return *keep_vector(shared, id, vector);
	read_rows(serve, &id, 1);
	return shared->vectors[rec_dictionary_find(shared->ids, id)];
}

/* ----------------
 *		features
 * ----------------
 */

/*
 * Puts a feature among those with the largest parts, of equal ones the first;
 * gives how many these are.
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

/* Finds the features that make most of the cosine of two vectors. */
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

/* Tells what a feature, if it is one of n, is called. */
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
		features[i].says = features[i].part * (idf - 1);
	}
}

/* Looks up the names of features in the dictionary. */
static void
look_up_names(RecServe *serve, SharedFeature *features, int n)
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
	keys[0] = Int64GetDatum(serve->generation);
	keys[1] = PointerGetDatum(construct_array(numbers, nnumbers, INT4OID, sizeof(int32), true,
											  TYPALIGN_INT));
	scan = rec_model_scan_begin_any(serve->definition, &names_by_number, 2, keys);
	while (rec_model_scan_next(scan, values, nulls))
	{
		if (nulls[0] || nulls[1] || nulls[2] || nulls[3] || !isfinite(DatumGetFloat8(values[3])))
			rec_new_item_vectors_damaged(serve->shared->live);
		name_feature(features, n, (uint32) DatumGetInt32(values[0]),
					 pstrdup(NameStr(*DatumGetName(values[1]))), TextDatumGetCString(values[2]),
					 DatumGetFloat8(values[3]));
	}
	rec_model_scan_end(scan);
}

static inline int
compare_features(const SharedFeature *a, const SharedFeature *b)
{
	if (a->says != b->says)
		return a->says > b->says ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

#define ST_SORT sort_features
#define ST_ELEMENT_TYPE SharedFeature
#define ST_COMPARE(a, b) compare_features(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Names features; gives how many are worth it, which are first then. */
static int
name_features(RecServe *serve, SharedFeature *features, int n)
{
	const RecLive *live = serve->shared->live;
	int			named = 0;

	look_up_names(serve, features, n);
	for (int i = 0; i < live->nnames; i++)
		name_feature(features, n, live->names[i].number,
					 live->columns[live->names[i].column].name, live->names[i].value,
					 rec_item_vector_idf(live->all_items, 1));
	sort_features(features, n);
	while (named < Min(n, MOST_NAMED) && features[named].says > 0)
		named++;
	return named;
}

/* ----------------
 *		words
 * ----------------
 */

/* Gives what a column is; what nobody knows is taken for a category. */
static RecItemColumnKind
kind_of(const RecLive *live, const char *column)
{
	for (int c = 0; c < live->ncolumns; c++)
		if (strcmp(live->columns[c].name, column) == 0)
			return live->columns[c].kind;
	return REC_ITEM_CATEGORY;
}

/* Appends a bucket, [from,to), as people would write it. */
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
 * Appends a feature and, when it is a word, the other words of its column,
 * which are then done with: "title green tea".
 */
static void
append_feature(StringInfo text, const RecLive *live, SharedFeature *features, int n)
{
	const char *column = features[0].column;
	RecItemColumnKind kind = kind_of(live, column);

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
 * Gives the features that make two items alike, the most telling first, each
 * with its column: "category shoes, brand Acme"; NULL when they share none.
 */
char *
rec_shared_features(RecServe *serve, Datum a, Datum b)
{
	MemoryContext old = MemoryContextSwitchTo(serve->memory);
	RecVector	first = vector_of(serve, a);
	RecVector	second = vector_of(serve, b);
	SharedFeature features[MOST_LOOKED_UP];
	int			n = find_features(&first, &second, features);
	StringInfoData text;

	initStringInfo(&text);
	if (n > 0)
		n = name_features(serve, features, n);
	for (int i = 0; i < n; i++)
		if (features[i].column)
			append_feature(&text, serve->shared->live, &features[i], n - i);
	MemoryContextSwitchTo(old);
	return text.len > 0 ? text.data : NULL;
}
