/*-------------------------------------------------------------------------
 *
 * dictionary.c
 *	  Numbers for ids of any type.
 *
 * Users and items keep their own types outside; inside they are numbers from 0
 * on.  There are two implementations.  Integers, oids, dates and timestamps,
 * whose equality is that of their bits, use a hash table of int64.  All other
 * types use their own hash and equality functions under the column's
 * collation, so that values that are equal to GROUP BY are one item here, too.
 * A type without a hash operator class is accepted if its equality is that of
 * its bytes (money, bit), and refused otherwise.
 *
 * Equal values may look different (1.0 and 1.00; "Tea" and "tea" under a
 * case-insensitive collation).  The value with the bytewise smallest text
 * represents all of them, in whatever order they came.
 *
 * All memory is in the context given at creation.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/dictionary.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "interaction/dictionary.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "pg/prefetch.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/sortsupport.h"
#include "utils/typcache.h"

#define FIRST_IDS			16	/* entries of a new dictionary */

typedef struct IntegerEntry
{
	int64		key;
	uint32		number;
	char		status;
} IntegerEntry;

typedef struct GenericEntry
{
	Datum		id;				/* the value that represents its equals */
	uint32		hash;
	uint32		number;
	char		status;
} GenericEntry;

/* mix all bits of an integer id into 32 (the finalizer of MurmurHash3) */
static inline uint32
integer_hash(int64 key)
{
	uint64		h = (uint64) key;

	h ^= h >> 33;
	h *= UINT64CONST(0xff51afd7ed558ccd);
	h ^= h >> 33;
	return (uint32) (h ^ (h >> 32));
}

static uint32 generic_hash(RecDict *dict, Datum id);
static bool generic_equal(RecDict *dict, Datum a, Datum b);

#define SH_PREFIX integer_table
#define SH_ELEMENT_TYPE IntegerEntry
#define SH_KEY_TYPE int64
#define SH_KEY key
#define SH_HASH_KEY(tb, key) integer_hash(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

#define SH_PREFIX generic_table
#define SH_ELEMENT_TYPE GenericEntry
#define SH_KEY_TYPE Datum
#define SH_KEY id
#define SH_HASH_KEY(tb, key) generic_hash((RecDict *) (tb)->private_data, key)
#define SH_EQUAL(tb, a, b) generic_equal((RecDict *) (tb)->private_data, a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) ((entry)->hash)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

struct RecDict
{
	MemoryContext mcxt;		/* owns all memory below */
	Oid			type;
	Oid			collation;
	int16		typlen;
	bool		typbyval;
	bool		is_integer;		/* equality is that of an int64 */
	bool		is_image;		/* no hash function, equality of bytes */
	FmgrInfo	hash;			/* generic only */
	FmgrInfo	equal;			/* generic only */
	FmgrInfo	output;
	integer_table_hash *integers;
	generic_table_hash *generics;
	Datum	   *ids;			/* number -> id */
	uint32		count;			/* numbers in use */
	uint32		allocated;		/* length of ids */
};

static bool
type_is_integer(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return true;
		default:
			return false;
	}
}

static inline int64
integer_key(const RecDict *dict, Datum id)
{
	switch (dict->type)
	{
		case INT2OID:
			return DatumGetInt16(id);
		case INT4OID:
		case DATEOID:
			return DatumGetInt32(id);
		case OIDOID:
			return DatumGetObjectId(id);
		default:
			return DatumGetInt64(id);
	}
}

static uint32
generic_hash(RecDict *dict, Datum id)
{
	if (dict->is_image)
		return datum_image_hash(id, dict->typbyval, dict->typlen);
	return DatumGetUInt32(FunctionCall1Coll(&dict->hash, dict->collation, id));
}

static bool
generic_equal(RecDict *dict, Datum a, Datum b)
{
	if (dict->is_image)
		return datum_image_eq(a, b, dict->typbyval, dict->typlen);
	return DatumGetBool(FunctionCall2Coll(&dict->equal, dict->collation, a, b));
}

/*
 * Return true when the default btree operator class guarantees that equal
 * values have equal bytes.
 */
static bool
type_equality_is_image(TypeCacheEntry *typcache, Oid collation)
{
	Oid			support;

	if (!OidIsValid(typcache->btree_opf))
		return false;
	support = get_opfamily_proc(typcache->btree_opf, typcache->btree_opintype,
								typcache->btree_opintype, BTEQUALIMAGE_PROC);
	return OidIsValid(support) &&
		DatumGetBool(OidFunctionCall1Coll(support, collation,
										  ObjectIdGetDatum(typcache->btree_opintype)));
}

static void
prepare_generic(RecDict *dict)
{
	TypeCacheEntry *typcache = lookup_type_cache(dict->type,
												 TYPECACHE_HASH_PROC |
												 TYPECACHE_EQ_OPR |
												 TYPECACHE_BTREE_OPFAMILY);

	if (OidIsValid(typcache->hash_proc) && OidIsValid(typcache->eq_opr))
	{
		fmgr_info_cxt(typcache->hash_proc, &dict->hash, dict->mcxt);
		fmgr_info_cxt(get_opcode(typcache->eq_opr), &dict->equal, dict->mcxt);
	}
	else if (type_equality_is_image(typcache, dict->collation))
		dict->is_image = true;
	else
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("ids of type %s cannot be compared for equality",
						format_type_be(dict->type)),
				 errhint("Cast the id to text or to another type that has a hash operator class.")));
	dict->generics = generic_table_create(dict->mcxt, FIRST_IDS, dict);
}

/*
 * Make an empty dictionary for ids of a type under a collation, which is used
 * for collatable types only; InvalidOid is then the default collation.
 */
RecDict *
rec_dictionary_create(Oid type, Oid collation, MemoryContext mcxt)
{
	RecDict    *dict = MemoryContextAllocZero(mcxt, sizeof(RecDict));
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	Oid			output;
	bool		is_varlena;

	dict->mcxt = mcxt;
	dict->type = getBaseType(type);
	dict->collation = collation;
	if (!OidIsValid(collation) && type_is_collatable(dict->type))
		dict->collation = DEFAULT_COLLATION_OID;
	get_typlenbyval(dict->type, &dict->typlen, &dict->typbyval);
	getTypeOutputInfo(dict->type, &output, &is_varlena);
	fmgr_info_cxt(output, &dict->output, mcxt);
	dict->is_integer = type_is_integer(dict->type);
	if (dict->is_integer)
		dict->integers = integer_table_create(mcxt, FIRST_IDS, NULL);
	else
		prepare_generic(dict);
	dict->allocated = FIRST_IDS;
	dict->ids = palloc_array(Datum, dict->allocated);
	MemoryContextSwitchTo(old);
	return dict;
}

static uint32
append_id(RecDict *dict, Datum id)
{
	if (dict->count == dict->allocated)
	{
		int64		room = rec_memory_budget_room(dict->allocated, (int64) dict->count + 1);

		if (room > PG_INT32_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many different ids")));
		rec_memory_budget_check(dict->mcxt, mul_size(room - dict->allocated, sizeof(Datum)));
		dict->allocated = (uint32) room;
		dict->ids = repalloc_huge(dict->ids, mul_size(dict->allocated, sizeof(Datum)));
	}
	dict->ids[dict->count] = id;
	return dict->count++;
}

/*
 * A table that grows allocates one of twice its size before it frees itself.
 */
#define check_growth(dict, table, width) \
	do \
	{ \
		if (unlikely((table)->members >= (table)->grow_threshold)) \
			rec_memory_budget_check((dict)->mcxt, mul_size(2 * (table)->size, (width))); \
	} while (0)

/* Let the value with the bytewise smaller text represent two equal values. */
static void
keep_smaller_text(RecDict *dict, GenericEntry *entry, Datum id)
{
	MemoryContext old;
	Datum		replaced = entry->id;

	if (datum_image_eq(entry->id, id, dict->typbyval, dict->typlen) ||
		strcmp(OutputFunctionCall(&dict->output, id),
			   OutputFunctionCall(&dict->output, replaced)) >= 0)
		return;
	old = MemoryContextSwitchTo(dict->mcxt);
	entry->id = datumCopy(id, dict->typbyval, dict->typlen);
	dict->ids[entry->number] = entry->id;
	MemoryContextSwitchTo(old);
	if (!dict->typbyval)
		pfree(DatumGetPointer(replaced));
}

static uint32
intern_generic(RecDict *dict, Datum id)
{
	bool		found;
	GenericEntry *entry;

	if (dict->typlen == -1)
		id = PointerGetDatum(PG_DETOAST_DATUM_PACKED(id));
	check_growth(dict, dict->generics, sizeof(GenericEntry));
	entry = generic_table_insert(dict->generics, id, &found);
	if (found)
		keep_smaller_text(dict, entry, id);
	else
	{
		MemoryContext old = MemoryContextSwitchTo(dict->mcxt);

		entry->id = datumCopy(id, dict->typbyval, dict->typlen);
		MemoryContextSwitchTo(old);
		entry->number = append_id(dict, entry->id);
	}
	return entry->number;
}

/*
 * Return true when ids are looked up as integers, not by a type's functions.
 */
bool
rec_dictionary_is_integer(const RecDict *dict)
{
	return dict->is_integer && dict->typbyval;
}

/*
 * Prefetch the memory where an integer id will be looked up.  The place is
 * wrong if the table grows in the meantime, which is harmless.
 */
void
rec_dictionary_prefetch(const RecDict *dict, Datum id)
{
	const integer_table_hash *table = dict->integers;

	rec_prefetch(&table->data[integer_hash(integer_key(dict, id)) & table->sizemask]);
}

/*
 * Return the number of an id, which is not null; a new id gets the next
 * number.  At most a detoasted copy is allocated in the caller's context.
 */
uint32
rec_dictionary_intern(RecDict *dict, Datum id)
{
	bool		found;
	IntegerEntry *entry;

	/* all loops over ids that a caller gives or a table has come by here */
	CHECK_FOR_INTERRUPTS();
	if (!dict->is_integer)
		return intern_generic(dict, id);
	check_growth(dict, dict->integers, sizeof(IntegerEntry));
	entry = integer_table_insert(dict->integers, integer_key(dict, id), &found);
	if (!found)
	{
		MemoryContext old = MemoryContextSwitchTo(dict->mcxt);

		/* int8 and timestamps are by reference on 32-bit machines */
		entry->number = append_id(dict, datumCopy(id, dict->typbyval, dict->typlen));
		MemoryContextSwitchTo(old);
	}
	return entry->number;
}

/* Return the number of an id, or REC_NOT_FOUND when it has none. */
uint32
rec_dictionary_find(RecDict *dict, Datum id)
{
	if (dict->is_integer)
	{
		IntegerEntry *entry = integer_table_lookup(dict->integers,
												   integer_key(dict, id));

		return entry ? entry->number : REC_NOT_FOUND;
	}
	else
	{
		GenericEntry *entry;

		if (dict->typlen == -1)
			id = PointerGetDatum(PG_DETOAST_DATUM_PACKED(id));
		entry = generic_table_lookup(dict->generics, id);
		return entry ? entry->number : REC_NOT_FOUND;
	}
}

/* Return the count of numbers; they run from 0 to this less one. */
uint32
rec_dictionary_count(const RecDict *dict)
{
	return dict->count;
}

/* Return the type of the ids, a domain's base type. */
Oid
rec_dictionary_type(const RecDict *dict)
{
	return dict->type;
}

/* Return the collation under which ids are equal. */
Oid
rec_dictionary_collation(const RecDict *dict)
{
	return dict->collation;
}

/* Return the id with a number; it lives as long as the dictionary. */
Datum
rec_dictionary_id(const RecDict *dict, uint32 number)
{
	Assert(number < dict->count);
	return dict->ids[number];
}

/* Return an id as text, in the current context. */
char *
rec_dictionary_text(RecDict *dict, uint32 number)
{
	return OutputFunctionCall(&dict->output, rec_dictionary_id(dict, number));
}

/* How ids are compared in the sort below. */
typedef struct RankOrder
{
	RecDict    *dict;
	bool		by_sort_support;
	SortSupportData ssup;
	char	  **texts;			/* for types without an order */
} RankOrder;

static inline int
compare_ranks(const uint32 *a, const uint32 *b, RankOrder *order_by)
{
	RecDict    *dict = order_by->dict;

	if (dict->is_integer)
	{
		int64		x = integer_key(dict, dict->ids[*a]);
		int64		y = integer_key(dict, dict->ids[*b]);

		return x < y ? -1 : x > y;
	}
	if (order_by->by_sort_support)
		return ApplySortComparator(dict->ids[*a], false, dict->ids[*b], false,
								   &order_by->ssup);
	return strcmp(order_by->texts[*a], order_by->texts[*b]);
}

#define ST_SORT sort_ranks
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b, order_by) compare_ranks(a, b, order_by)
#define ST_COMPARE_ARG_TYPE RankOrder
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Find how ids are sorted.  An order that users never see (shown = false)
 * needs no locale: bytes are compared where equality is that of bytes.
 */
static void
prepare_rank_order(RankOrder *order_by, RecDict *dict, bool shown)
{
	TypeCacheEntry *typcache = lookup_type_cache(dict->type, TYPECACHE_LT_OPR);

	memset(order_by, 0, sizeof(*order_by));
	order_by->dict = dict;
	if (dict->is_integer)
		return;
	if (OidIsValid(typcache->lt_opr))
	{
		order_by->by_sort_support = true;
		order_by->ssup.ssup_cxt = CurrentMemoryContext;
		order_by->ssup.ssup_collation = dict->collation;
		if (!shown && OidIsValid(dict->collation) &&
			get_collation_isdeterministic(dict->collation))
			order_by->ssup.ssup_collation = C_COLLATION_OID;
		PrepareSortSupportFromOrderingOp(typcache->lt_opr, &order_by->ssup);
		return;
	}
	order_by->texts = palloc_array(char *, Max(dict->count, 1));
	for (uint32 i = 0; i < dict->count; i++)
		order_by->texts[i] = rec_dictionary_text(dict, i);
}

/*
 * Return the numbers of all ids in the order of the ids, in the current
 * context; see rec_dictionary_ranks().
 */
uint32 *
rec_dictionary_ordered(RecDict *dict, bool shown)
{
	RankOrder order_by;
	Size		size = mul_size(Max(dict->count, 1), sizeof(uint32));
	uint32	   *order;

	rec_memory_budget_check(CurrentMemoryContext, size);
	order = MemoryContextAllocHuge(CurrentMemoryContext, size);
	for (uint32 i = 0; i < dict->count; i++)
		order[i] = i;
	prepare_rank_order(&order_by, dict, shown);
	sort_ranks(order, dict->count, &order_by);
	return order;
}

/*
 * Return, in the current context, the rank of each number when the ids are in
 * ascending order: by their type and collation if the order is shown to the
 * user, by any fixed order otherwise.  It depends on the set of ids alone.
 */
uint32 *
rec_dictionary_ranks(RecDict *dict, bool shown)
{
	Size		size = mul_size(Max(dict->count, 1), sizeof(uint32));
	uint32	   *order = rec_dictionary_ordered(dict, shown);
	uint32	   *ranks;

	rec_memory_budget_check(CurrentMemoryContext, size);
	ranks = MemoryContextAllocHuge(CurrentMemoryContext, size);
	for (uint32 i = 0; i < dict->count; i++)
		ranks[order[i]] = i;
	pfree(order);
	return ranks;
}
