/*-------------------------------------------------------------------------
 *
 * word_score.c
 *	  What words say of documents: word_scores_agg and text_score.
 *
 * Of each word the aggregate counts the positive and the negative documents
 * that have it, c+ and c-.  With N the sums of c over all words, and V the number
 * of words,
 *
 *		score = ln((c+ + 1) / (N+ + V)) - ln((c- + 1) / (N- + V))
 *
 * is what the word adds to a document's logarithmic odds in the multinomial
 * naive Bayes model, whose prior odds are left out.  z is the log-odds ratio with
 * an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008): with a = 500
 * (c+ + c-) / (N+ + N-), and b = 500,
 *
 *		delta = ln((c+ + a) / (N+ + b - c+ - a)) - ln((c- + a) / (N- + b - c- - a))
 *		z = delta / sqrt(1 / (c+ + a) + 1 / (c- + a))
 *
 * Words of fewer than two documents count in N and V, and are left out of the
 * result.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/word_score.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "customer/document_word.h"
#include "customer/row_array.h"
#include "fmgr.h"
#include "interaction/dictionary.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "pg/arguments.h"
#include "pg/compat.h"
#include "pg/memory_budget.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define STATE_VERSION		1	/* first byte of a serialized state */
#define WORD_SCORE_NCOLS	5	/* of type word_score */
#define PRIOR				500.0	/* documents that the prior counts as */
#define LEAST_DOCUMENTS		2	/* of a word in the result */

/* The documents that have a word: negative ones, positive ones. */
typedef struct WordCount
{
	int64		documents[2];
} WordCount;

typedef struct WordState
{
	MemoryContext mcxt;			/* of all that follows */
	RecDict    *words;
	WordCount  *count;			/* by the words' numbers */
	int64		allocated;
} WordState;

/* ----------------
 *		the state
 * ----------------
 */

static WordState *
create_state(MemoryContext parent)
{
	MemoryContext mcxt = AllocSetContextCreate(parent, "recommender words",
											   ALLOCSET_DEFAULT_SIZES);
	WordState  *state = MemoryContextAllocZero(mcxt, sizeof(WordState));

	state->mcxt = mcxt;
	state->words = rec_dictionary_create(TEXTOID, C_COLLATION_OID, mcxt);
	return state;
}

/* Return the counts of a word, which may be new. */
static WordCount *
count_of_word(WordState *state, Datum word)
{
	uint32		number = rec_dictionary_intern(state->words, word);

	if (number >= state->allocated)
	{
		int64		allocated = rec_memory_budget_room(state->allocated, (int64) number + 1);
		Size		size = mul_size(allocated, sizeof(WordCount));

		rec_memory_budget_check(state->mcxt, size);
		if (state->count == NULL)
			state->count = MemoryContextAllocHuge(state->mcxt, size);
		else
			state->count = repalloc_huge(state->count, size);
		memset(state->count + state->allocated, 0,
			   (allocated - state->allocated) * sizeof(WordCount));
		state->allocated = allocated;
	}
	return &state->count[number];
}

/* A document that is being counted. */
typedef struct Counting
{
	WordState  *state;
	bool		positive;
	text	   *word;			/* room for any */
} Counting;

static void
count_word(const char *word, int length, void *arg)
{
	Counting   *counting = (Counting *) arg;

	SET_VARSIZE(counting->word, VARHDRSZ + length);
	memcpy(VARDATA(counting->word), word, length);
	count_of_word(counting->state, PointerGetDatum(counting->word))->documents[counting->positive]++;
}

/*
 * word_scores_agg's transition: (state, document, positive).  A row with a NULL
 * does not count.
 */
PG_FUNCTION_INFO_V1(rec_word_scores_transition);
Datum
rec_word_scores_transition(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	WordState  *state = PG_ARGISNULL(0) ? create_state(mcxt) : (WordState *) PG_GETARG_POINTER(0);
	Counting	counting;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_POINTER(state);
	counting.state = state;
	counting.positive = PG_GETARG_BOOL(2);
	counting.word = palloc(VARHDRSZ + 2 * MAXSTRLEN + 1);
	rec_document_word_visit(DatumGetTSVector(PG_GETARG_DATUM(1)), count_word, &counting);
	pfree(counting.word);
	PG_RETURN_POINTER(state);
}

/* Add counts of a word to a state. */
static void
add_counts(WordState *state, Datum word, const WordCount *more)
{
	WordCount  *count = count_of_word(state, word);

	for (int i = 0; i < 2; i++)
		count->documents[i] += more->documents[i];
}

/* word_scores_agg's combine function: adds the second state to the first. */
PG_FUNCTION_INFO_V1(rec_word_scores_combine);
Datum
rec_word_scores_combine(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	WordState  *state = PG_ARGISNULL(0) ? NULL : (WordState *) PG_GETARG_POINTER(0);
	const WordState *other = PG_ARGISNULL(1) ? NULL : (WordState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = create_state(mcxt);
	for (uint32 i = 0; i < rec_dictionary_count(other->words); i++)
	{
		if (i % 1000 == 0)
			CHECK_FOR_INTERRUPTS();
		add_counts(state, rec_dictionary_id(other->words, i), &other->count[i]);
	}
	PG_RETURN_POINTER(state);
}

/* word_scores_agg's serialize function; deserialize reads the same bytes. */
PG_FUNCTION_INFO_V1(rec_word_scores_serialize);
Datum
rec_word_scores_serialize(PG_FUNCTION_ARGS)
{
	const WordState *state = (const WordState *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, STATE_VERSION);
	for (uint32 i = 0; i < rec_dictionary_count(state->words); i++)
	{
		text	   *word = DatumGetTextPP(rec_dictionary_id(state->words, i));

		pq_sendint64(&buffer, state->count[i].documents[0]);
		pq_sendint64(&buffer, state->count[i].documents[1]);
		pq_sendint32(&buffer, VARSIZE_ANY_EXHDR(word));
		pq_sendbytes(&buffer, VARDATA_ANY(word), VARSIZE_ANY_EXHDR(word));
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

static void
refuse_state(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("serialized state of word_scores_agg is not valid")));
}

/*
 * word_scores_agg's deserialize function.  The state lives only until it is
 * combined, in the current context.  Bytes that were not made by serialize are
 * an ERROR.
 */
PG_FUNCTION_INFO_V1(rec_word_scores_deserialize);
Datum
rec_word_scores_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buffer;
	WordState  *state;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	buffer.data = VARDATA_ANY(bytes);
	buffer.len = buffer.maxlen = VARSIZE_ANY_EXHDR(bytes);
	buffer.cursor = 0;
	if (pq_getmsgbyte(&buffer) != STATE_VERSION)
		refuse_state();
	state = create_state(CurrentMemoryContext);
	while (buffer.cursor < buffer.len)
	{
		WordCount	count;
		int			length;
		text	   *word;

		count.documents[0] = pq_getmsgint64(&buffer);
		count.documents[1] = pq_getmsgint64(&buffer);
		length = pq_getmsgint(&buffer, 4);
		if (count.documents[0] < 0 || count.documents[1] < 0)
			refuse_state();
		word = cstring_to_text_with_len(pq_getmsgbytes(&buffer, length), length);
		add_counts(state, PointerGetDatum(word), &count);
		pfree(word);
	}
	PG_RETURN_POINTER(state);
}

/* ----------------
 *		results
 * ----------------
 */

/* A word's values; places of words in their order break ties. */
typedef struct ScoredWord
{
	uint32		number;
	uint32		place;
	double		score;
	double		z;
} ScoredWord;

static int
compare_words(const ScoredWord *a, const ScoredWord *b)
{
	if (a->z != b->z)
		return a->z > b->z ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

#define ST_SORT sort_words
#define ST_ELEMENT_TYPE ScoredWord
#define ST_COMPARE(a, b) compare_words(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* Return z of a word; 0 when there is no other word to compare it with. */
static double
z_of(const WordCount *count, const double *total)
{
	double		negative = count->documents[0];
	double		positive = count->documents[1];
	double		a = PRIOR * (positive + negative) / (total[0] + total[1]);
	double		other_positive = total[1] - positive + PRIOR - a;
	double		other_negative = total[0] - negative + PRIOR - a;

	if (!(other_positive > 0 && other_negative > 0))
		return 0;
	return (log((positive + a) / other_positive) - log((negative + a) / other_negative)) /
		sqrt(1 / (positive + a) + 1 / (negative + a));
}

/* Compute the words of the result, in its order; return how many. */
static int64
score_words(WordState *state, ScoredWord *scored)
{
	uint32		nwords = rec_dictionary_count(state->words);
	uint32	   *ordered = rec_dictionary_ordered(state->words, true);
	double		total[2] = {0, 0};
	int64		n = 0;

	for (uint32 i = 0; i < nwords; i++)
	{
		total[0] += state->count[i].documents[0];
		total[1] += state->count[i].documents[1];
	}
	for (uint32 i = 0; i < nwords; i++)
	{
		const WordCount *count = &state->count[ordered[i]];
		ScoredWord *word = &scored[n];

		if (count->documents[0] + count->documents[1] < LEAST_DOCUMENTS)
			continue;
		word->number = ordered[i];
		word->place = i;
		word->score = log((count->documents[1] + 1) / (total[1] + nwords)) -
			log((count->documents[0] + 1) / (total[0] + nwords));
		word->z = z_of(count, total);
		n++;
	}
	sort_words(scored, n);
	return n;
}

/*
 * word_scores_agg's final function: an array of word_score, by falling z; NULL
 * when there was no row.
 */
PG_FUNCTION_INFO_V1(rec_word_scores_final);
Datum
rec_word_scores_final(PG_FUNCTION_ARGS)
{
	WordState  *state;
	ScoredWord *scored;
	RecRowArray rows;
	MemoryContext working;
	MemoryContext old;
	Datum		result;
	int64		n;

	(void) rec_arguments_aggregate_mcxt(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (WordState *) PG_GETARG_POINTER(0);
	/* within the state's, so that the two count together */
	working = AllocSetContextCreate(state->mcxt, "recommender word scores", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(working);
	scored = rec_memory_budget_alloc(working, rec_dictionary_count(state->words), sizeof(ScoredWord));
	n = score_words(state, scored);
	rows = rec_row_array_begin(fcinfo);
	for (int64 i = 0; i < n; i++)
	{
		Datum		values[WORD_SCORE_NCOLS];
		bool		nulls[WORD_SCORE_NCOLS] = {0};

		values[0] = rec_dictionary_id(state->words, scored[i].number);
		values[1] = Float8GetDatum(scored[i].score);
		values[2] = Float8GetDatum(scored[i].z);
		values[3] = Int64GetDatum(state->count[scored[i].number].documents[1]);
		values[4] = Int64GetDatum(state->count[scored[i].number].documents[0]);
		rec_row_array_add(&rows, values, nulls);
	}
	result = rec_row_array_finish(&rows, old);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(working);
	PG_RETURN_DATUM(result);
}

/* ----------------
 *		text_score
 * ----------------
 */

/* A word, not terminated. */
typedef struct WordKey
{
	const char *word;
	int			length;
} WordKey;

typedef struct ScoreEntry
{
	WordKey		key;
	uint32		hash;
	char		status;
	double		score;
} ScoreEntry;

#define SH_PREFIX score_table
#define SH_ELEMENT_TYPE ScoreEntry
#define SH_KEY_TYPE WordKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key).word, (key).length)
#define SH_EQUAL(tb, a, b) ((a).length == (b).length && memcmp((a).word, (b).word, (a).length) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) ((entry)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Put the scores of words into a hash table; words without one are left out. */
static void *
parse_scores(Datum *rows, int nrows)
{
	score_table_hash *table = score_table_create(CurrentMemoryContext, Max(nrows, 16), NULL);

	for (int i = 0; i < nrows; i++)
	{
		Datum		values[WORD_SCORE_NCOLS];
		bool		nulls[WORD_SCORE_NCOLS];
		text	   *word;
		WordKey		key;
		bool		found;

		if (i % 1000 == 0)
			CHECK_FOR_INTERRUPTS();
		rec_row_array_read(rows[i], WORD_SCORE_NCOLS, values, nulls);
		if (nulls[0] || nulls[1])
			continue;
		word = DatumGetTextPP(values[0]);
		key.word = VARDATA_ANY(word);
		key.length = VARSIZE_ANY_EXHDR(word);
		score_table_insert(table, key, &found)->score = DatumGetFloat8(values[1]);
		if (found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("word \"%s\" has more than one score", text_to_cstring(word))));
	}
	return table;
}

/* A document that is being scored. */
typedef struct Scoring
{
	score_table_hash *table;
	double		sum;
} Scoring;

static void
add_score(const char *word, int length, void *arg)
{
	Scoring    *scoring = (Scoring *) arg;
	WordKey		key = {word, length};
	const ScoreEntry *entry = score_table_lookup(scoring->table, key);

	if (entry)
		scoring->sum += entry->score;
}

/*
 * text_score(words, document): the sum of the scores of a document's words; 0
 * when none is known.  STRICT.
 */
PG_FUNCTION_INFO_V1(rec_text_score);
Datum
rec_text_score(PG_FUNCTION_ARGS)
{
	Scoring		scoring;

	scoring.table = (score_table_hash *) rec_row_array_parsed(fcinfo, 0, parse_scores);
	scoring.sum = 0;
	rec_document_word_visit(DatumGetTSVector(PG_GETARG_DATUM(1)), add_score, &scoring);
	PG_RETURN_FLOAT8(scoring.sum);
}
