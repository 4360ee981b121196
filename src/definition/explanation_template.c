/*-------------------------------------------------------------------------
 *
 * explanation_template.c
 *	  Contributions to a score in the words of a language.
 *
 * The table explanation_template of a recommender has one sentence for each
 * template and language.  A template is named after a component, or after a
 * component and a detail: "behaviour:purchase" for items that were bought,
 * "behaviour:against" for what speaks against an item, "content:value" when
 * a shared feature is known.  The most particular one that the language has is
 * taken, then the same of English.  {item}, {because} and {value} stand for
 * the words; all else is text.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/explanation_template.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "definition/explanation_template.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "pg/spi.h"
#include "utils/builtins.h"

typedef struct Template
{
	char	   *name;
	char	   *sentence;
	bool		fallback;		/* of the default language */
} Template;

struct RecSentences
{
	int			n;
	Template   *templates;
};

/* The sentences that a new recommender begins with, in UTF-8. */
static const struct
{
	const char *template;
	const char *language;
	const char *sentence;
}			shipped[] = {
	{"behaviour", "en", "Because you chose {because}."},
	{"behaviour:purchase", "en", "Because you bought {because}."},
	{"behaviour:cart", "en", "Because you put {because} into your cart."},
	{"behaviour:view", "en", "Because you looked at {because}."},
	{"behaviour:against", "en", "Less so because you turned against {because}."},
	{"factors", "en", "It suits your taste."},
	{"factors:item", "en", "It suits the taste that {because} shows."},
	{"factors:against", "en", "Less so by your taste."},
	{"content", "en", "It resembles {because}."},
	{"content:value", "en", "It resembles {because}: {value}."},
	{"content:against", "en", "Less so because it resembles {because}."},
	{"context", "en", "More people than usual choose it with {value}."},
	{"context:hour", "en", "More people than usual choose it in the {value}."},
	{"context:weekday", "en", "More people than usual choose it on a {value}."},
	{"context:month", "en", "More people than usual choose it in {value}."},
	{"context:against", "en", "Fewer people than usual choose it with {value}."},
	{"popularity", "en", "Many people choose it."},
	{"popularity:against", "en", "Less so because everyone chooses it."},
	{"trend", "en", "More and more people choose it."},
	{"behaviour", "ko", "{because}을(를) 선택하셨기 때문입니다."},
	{"behaviour:purchase", "ko", "{because}을(를) 구매하셨기 때문입니다."},
	{"behaviour:cart", "ko", "{because}을(를) 장바구니에 담으셨기 때문입니다."},
	{"behaviour:view", "ko", "{because}을(를) 보셨기 때문입니다."},
	{"behaviour:against", "ko", "{because}에 만족하지 않으셔서 순위가 내려갔습니다."},
	{"factors", "ko", "고객님의 취향에 맞습니다."},
	{"factors:item", "ko", "{because}에서 드러난 취향에 맞습니다."},
	{"factors:against", "ko", "고객님의 취향과 달라 순위가 내려갔습니다."},
	{"content", "ko", "{because}와(과) 비슷합니다."},
	{"content:value", "ko", "{because}와(과) 비슷합니다: {value}."},
	{"content:against", "ko", "{because}와(과) 비슷해서 순위가 내려갔습니다."},
	{"context", "ko", "{value}일 때 평소보다 많이 선택됩니다."},
	{"context:against", "ko", "{value}일 때 평소보다 적게 선택됩니다."},
	{"popularity", "ko", "많은 분들이 선택합니다."},
	{"popularity:against", "ko", "누구나 선택하는 상품이라 순위가 내려갔습니다."},
	{"trend", "ko", "찾는 분들이 늘고 있습니다."},
};

/* True when the database's encoding has the letters of a shipped language. */
static bool
can_write(const char *language)
{
	int			encoding = GetDatabaseEncoding();

	return strcmp(language, "ko") != 0 || encoding == PG_UTF8 ||
		encoding == PG_EUC_KR || encoding == PG_SQL_ASCII;
}

/* Fill the table of a new recommender, in the named schema.  SPI is connected. */
void
rec_explanation_template_install(const char *schema)
{
	Oid			types[3] = {TEXTOID, TEXTOID, TEXTOID};
	char	   *query = psprintf("INSERT INTO %s (template, language, sentence) VALUES ($1, $2, $3)",
								 quote_qualified_identifier(schema, "explanation_template"));

	for (int i = 0; i < (int) lengthof(shipped); i++)
	{
		const char *sentence = shipped[i].sentence;
		Datum		values[3];

		if (!can_write(shipped[i].language))
			continue;
		values[0] = CStringGetTextDatum(shipped[i].template);
		values[1] = CStringGetTextDatum(shipped[i].language);
		values[2] = CStringGetTextDatum(pg_any_to_server(sentence, strlen(sentence), PG_UTF8));
		rec_spi_execute(query, 3, types, values, NULL, false, SPI_OK_INSERT);
	}
}

/*
 * Read the templates of a language, and of the default one for what that
 * lacks, with the caller's rights.  SPI is connected.
 */
RecSentences *
rec_explanation_template_load(const RecDefinition *definition, const char *language)
{
	RecSentences *sentences = palloc0_object(RecSentences);
	Oid			types[2] = {TEXTOID, TEXTOID};
	Datum		values[2];

	values[0] = CStringGetTextDatum(language);
	values[1] = CStringGetTextDatum(REC_DEFAULT_LANGUAGE);
	rec_spi_execute(psprintf("SELECT t.template, t.sentence, t.language OPERATOR(pg_catalog.<>) $1 "
							 "FROM %s t WHERE t.language OPERATOR(pg_catalog.=) $1 "
							 "OR t.language OPERATOR(pg_catalog.=) $2",
							 rec_definition_table(definition, REC_TABLE_EXPLANATION_TEMPLATE)),
					2, types, values, NULL, true, SPI_OK_SELECT);
	sentences->n = (int) SPI_processed;
	sentences->templates = palloc0_array(Template, sentences->n + 1);
	for (int i = 0; i < sentences->n; i++)
	{
		Template   *template = &sentences->templates[i];
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;

		template->name = SPI_getvalue(row, SPI_tuptable->tupdesc, 1);
		template->sentence = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);
		template->fallback = DatumGetBool(SPI_getbinval(row, SPI_tuptable->tupdesc, 3, &isnull));
	}
	return sentences;
}

/* Return the sentence of a template, NULL when there is none. */
static const char *
find_template(const RecSentences *sentences, const char *name, bool fallback)
{
	for (int i = 0; i < sentences->n; i++)
	{
		const Template *template = &sentences->templates[i];

		if (template->fallback == fallback && template->name && template->sentence &&
			strcmp(template->name, name) == 0)
			return template->sentence;
	}
	return NULL;
}

/* Return the text that a word in braces stands for, NULL when it is no word. */
static const char *
word_at(const char *text, const RecSentenceWords *words, Size *length)
{
	const struct
	{
		const char *word;
		const char *text;
	}			known[] = {
		{"{item}", words->item}, {"{because}", words->because}, {"{value}", words->value}
	};

	for (int i = 0; i < (int) lengthof(known); i++)
	{
		*length = strlen(known[i].word);
		if (strncmp(text, known[i].word, *length) == 0)
			return known[i].text ? known[i].text : "";
	}
	return NULL;
}

static char *
fill_in(const char *sentence, const RecSentenceWords *words)
{
	StringInfoData result;

	initStringInfo(&result);
	while (*sentence)
	{
		Size		length;
		const char *word = *sentence == '{' ? word_at(sentence, words, &length) : NULL;

		if (word)
		{
			appendStringInfoString(&result, word);
			sentence += length;
		}
		else
			appendStringInfoChar(&result, *sentence++);
	}
	return result.data;
}

/*
 * Return the sentence for a contribution of a component, with more detail if
 * there is a template for it (detail may be NULL); NULL when there is none.
 */
char *
rec_explanation_template_fill(const RecSentences *sentences, const char *component, const char *detail,
							  const RecSentenceWords *words)
{
	const char *particular = detail ? psprintf("%s:%s", component, detail) : component;
	const char *sentence = NULL;

	for (int fallback = 0; fallback <= 1 && sentence == NULL; fallback++)
	{
		sentence = find_template(sentences, particular, fallback);
		/* what speaks against an item cannot be told as what speaks for it */
		if (sentence == NULL && (detail == NULL || strcmp(detail, "against") != 0))
			sentence = find_template(sentences, component, fallback);
	}
	return sentence ? fill_in(sentence, words) : NULL;
}
