/*-------------------------------------------------------------------------
 *
 * definition.h
 *	  What a recommender is: its schema, types of ids, sources, items and options.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/definition.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_DEFINITION_H
#define REC_DEFINITION_H

#include "definition/item_source.h"
#include "definition/layout.h"
#include "executor/spi.h"
#include "interaction/interaction.h"
#include "options/options.h"
#include "pg/table_writer.h"

/* A relation of interactions.  Columns are names, as written in the table. */
typedef struct RecSource
{
	Oid			relid;
	char	   *user_column;
	char	   *item_column;
	char	   *time_column;	/* NULL for none, and so on */
	char	   *event_column;
	char	   *weight_column;
	char	   *event;			/* event of all rows */
	RecEventWeights *event_weights; /* NULL: every event counts 1 */
	int			ncontexts;
	char	  **context_columns;
	int		   *context_numbers;	/* in the recommender's contexts */
	SPIPlanPtr	history_plan;	/* rows of one user; NULL until used */
	RecRowFormat history_format;
} RecSource;

/* Something that was found out about one of the recommender's tables. */
typedef struct RecTableUse
{
	struct RecTableUse *next;
	Oid			relid;
	bool		valid;			/* nothing about the table changed since */
} RecTableUse;

typedef struct RecDefinition
{
	Oid			schema;
	uint64		serial;			/* no two reads have the same */
	bool		valid;			/* nothing changed since it was begun */
	bool		complete;		/* it was read to the end */
	MemoryContext mcxt;			/* owns all of it */
	Oid			tables[REC_NTABLES];
	char	   *quoted[REC_NTABLES];	/* their names, for queries */
	Oid			user_type;
	Oid			user_collation;
	Oid			item_type;
	Oid			item_collation;
	int16		item_typlen;
	bool		item_typbyval;
	char		item_typalign;
	RecOptions	options;		/* in force */
	int			nsources;
	RecSource  *sources;		/* in order of position */
	int			ncontexts;
	char	  **contexts;		/* context columns of all sources, each once */
	RecItemSource *items;		/* the relation of items, or NULL */
	struct RecPlans *kept_plans;	/* of plan_cache.c; NULL until used */
	RecTableUse *uses;			/* of model_scan.c */
} RecDefinition;

extern char *rec_definition_name(const RecDefinition *definition);
extern RecTableWriter *rec_definition_open_writer(const RecDefinition *definition, RecTable table);
extern const char *rec_definition_table(const RecDefinition *definition, RecTable table);
extern Oid	rec_definition_owner(const RecDefinition *definition);
extern void rec_definition_check_owner(const RecDefinition *definition);
extern void rec_definition_check_items(const RecDefinition *definition);
extern Datum rec_definition_id_array(const RecDefinition *definition, const Datum *ids, int n);
extern RecDict *rec_definition_item_dictionary(const RecDefinition *definition, MemoryContext mcxt);

#endif							/* REC_DEFINITION_H */
