/*-------------------------------------------------------------------------
 *
 * trending_items.c
 *	  Trending items.
 *
 * The interactions of the recent window and of the baseline before it are read
 * live, and nothing older: with an index on the time that is a small part of
 * the table.  The trend of an item (trend.c) is its score.  When fewer than k
 * items trend, popular ones follow, with strategy popularity.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/trending_items.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "answer/answer.h"
#include "answer/popular_items.h"
#include "answer/recommend.h"
#include "catalog/pg_type.h"
#include "definition/source.h"
#include "interaction/trend.h"
#include "miscadmin.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#define CHECKED_AT_ONCE		1000	/* items in one query for eligible ones */

/* Return the newest time in a source, REC_NO_TIME when it has none. */
static int64
source_newest(const RecDefinition *definition, const RecSource *source)
{
	RecRowFormat format;
	bool		isnull;
	Datum		newest;

	/* reports everything that is wrong with the source */
	(void) rec_source_query(definition, source, NULL, &format);
	rec_spi_select(psprintf("SELECT pg_catalog.max(i.%s)::pg_catalog.timestamptz FROM %s i "
							"WHERE i.%s OPERATOR(pg_catalog.<) 'infinity' "
							"AND i.%s IS NOT NULL AND i.%s IS NOT NULL",
							quote_identifier(source->time_column),
							rec_relation_quoted(source->relid),
							quote_identifier(source->time_column),
							quote_identifier(source->user_column),
							quote_identifier(source->item_column)));
	newest = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull || TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(newest)))
		return REC_NO_TIME;
	return Min(DatumGetTimestampTz(newest), GetCurrentTransactionStartTimestamp());
}

static int64
newest_interaction(const RecDefinition *definition)
{
	int64		newest = REC_NO_TIME;
	bool		timed = false;

	for (int i = 0; i < definition->nsources; i++)
	{
		if (definition->sources[i].time_column == NULL)
			continue;
		timed = true;
		newest = Max(newest, source_newest(definition, &definition->sources[i]));
	}
	if (!timed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" has no source with a time column",
						rec_definition_name(definition)),
				 errhint("Name the time_column of its interactions with add_interactions().")));
	return newest;
}

static void
take_recent(void *arg, const RecRow *row)
{
	rec_interaction_add((RecInteractions *) arg, row);
}

/*
 * Read a source's interactions after a time:
 *
 *	SELECT ... FROM relation i WHERE i.time > $1::type of the column
 */
static void
read_since(const RecDefinition *definition, const RecSource *source, int64 since,
		   RecInteractions *interactions)
{
	RecColumn	time = rec_relation_column(source->relid, source->time_column);
	Oid			types[1] = {TIMESTAMPTZOID};
	ParamListInfo params = makeParamList(1);
	RecRowFormat format;
	SPIPlanPtr	plan;
	char	   *where = psprintf("i.%s OPERATOR(pg_catalog.>) $1::%s",
								 quote_identifier(source->time_column),
								 rec_relation_type_quoted(time.type));

	plan = rec_spi_prepare(rec_source_query(definition, source, where, &format),
						   1, types, 0);
	params->params[0].value = TimestampTzGetDatum(since);
	params->params[0].isnull = false;
	params->params[0].pflags = PARAM_FLAG_CONST;
	params->params[0].ptype = TIMESTAMPTZOID;
	rec_interaction_read_rows(plan, params, &format, take_recent, interactions);
	SPI_freeplan(plan);
}

static RecInteractions *
recent_interactions(const RecCall *call)
{
	const RecDefinition *definition = call->model.definition;
	int64		newest = newest_interaction(definition);
	double		span = call->options.trend_window + call->options.trend_baseline;
	RecInteractions *interactions =
	rec_interaction_create(CurrentMemoryContext,
						   definition->user_type, definition->user_collation,
						   definition->item_type, definition->item_collation);

	if (newest == REC_NO_TIME)
		return interactions;
	for (int i = 0; i < definition->nsources; i++)
		if (definition->sources[i].time_column)
			read_since(definition, &definition->sources[i],
					   (int64) Max((double) newest - span, (double) MIN_TIMESTAMP),
					   interactions);
	return interactions;
}

/* A trending item, to be sorted. */
typedef struct RisingItem
{
	double		trend;
	uint32		rank;			/* in the order of ids */
	uint32		id;				/* number in the dictionary */
} RisingItem;

static inline int
compare_rising(const RisingItem *a, const RisingItem *b)
{
	if (a->trend != b->trend)
		return a->trend > b->trend ? -1 : 1;
	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

#define ST_SORT sort_rising
#define ST_ELEMENT_TYPE RisingItem
#define ST_COMPARE(a, b) compare_rising(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Return the items that trend and are not excluded, highest first. */
static RisingItem *
rising_items(const RecCall *call, RecInteractions *interactions, int *n)
{
	uint32		nitems = rec_dictionary_count(interactions->items);
	double	   *trend = rec_trend_scores(interactions->stream, nitems, &call->options);
	uint32	   *rank = rec_dictionary_ranks(interactions->items, true);
	RisingItem *rising = palloc_extended(mul_size(nitems + 1, sizeof(RisingItem)),
										 MCXT_ALLOC_HUGE);

	*n = 0;
	for (uint32 i = 0; i < nitems; i++)
	{
		if (trend[i] <= 0 ||
			rec_dictionary_find(call->excluded, rec_dictionary_id(interactions->items, i)) != REC_NOT_FOUND)
			continue;
		rising[*n].trend = trend[i];
		rising[*n].rank = rank[i];
		rising[(*n)++].id = i;
	}
	sort_rising(rising, *n);
	return rising;
}

/* Keep the first k rising items that are eligible; return their number. */
static int
keep_eligible(RecEligible *eligible, const RecInteractions *interactions, RisingItem *rising,
			  int n, int64 k)
{
	Datum		ids[CHECKED_AT_ONCE];
	bool		marks[CHECKED_AT_ONCE];
	int			kept = 0;

	for (int from = 0; from < n && kept < k; from += CHECKED_AT_ONCE)
	{
		int			count = Min(n - from, CHECKED_AT_ONCE);

		for (int i = 0; i < count; i++)
			ids[i] = rec_dictionary_id(interactions->items, rising[from + i].id);
		rec_eligible_check(eligible, ids, count, marks);
		for (int i = 0; i < count; i++)
			if (marks[i])
				rising[kept++] = rising[from + i];
	}
	return kept;
}

static void
write_rising(RecRows *rows, Datum id, int rank, double trend)
{
	Datum		values[5];
	bool		nulls[5] = {0};

	values[0] = Int32GetDatum(rank);
	values[1] = id;
	values[2] = Float8GetDatum(trend);
	values[3] = CStringGetTextDatum(rec_options_component_names[REC_TREND]);
	values[4] = rec_explainer_no_reasons();
	tuplestore_putvalues(rows->store, rows->desc, values, nulls);
}

/*
 * trending_items(model, k, filter, exclude, options): the k items whose recent
 * interactions lie most above what the baseline predicts, live; the score is
 * the number of standard deviations.
 */
PG_FUNCTION_INFO_V1(rec_trending_items);
Datum
rec_trending_items(PG_FUNCTION_ARGS)
{
	static const RecArgumentPlaces places = {.filter = 2, .exclude = 3, .options = 4};
	int64		k = rec_call_arguments_k(fcinfo, 1);
	RecRows		rows = rec_recommend_begin_rows(fcinfo, rec_call_arguments_definition(fcinfo));
	RecInteractions *interactions;
	RisingItem *rising;
	RecAnswer	answer;
	RecCall    *call = &answer.call;
	int			n;

	rec_answer_begin(&answer, fcinfo, &places, false);
	call->options.ncaps = 0;	/* trending items are not reranked */
	call->options.diversity = 0;
	interactions = recent_interactions(call);
	rising = rising_items(call, interactions, &n);
	if (call->eligible)
		n = keep_eligible(call->eligible, interactions, rising, n, k);
	n = (int) Min((int64) n, k);
	for (int i = 0; i < n; i++)
	{
		Datum		id = rec_dictionary_id(interactions->items, rising[i].id);

		write_rising(&rows, id, i + 1, rising[i].trend);
		(void) rec_dictionary_intern(call->excluded, id);
	}
	rec_popular_items_append(&rows, &answer.catalog, &answer.explainer, k - n, n + 1);
	rec_answer_end(&answer);
	return (Datum) 0;
}
