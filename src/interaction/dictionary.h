/*-------------------------------------------------------------------------
 *
 * dictionary.h
 *	  Numbers for ids of any type.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/dictionary.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_DICTIONARY_H
#define REC_DICTIONARY_H

#include "fmgr.h"

#define REC_NOT_FOUND	PG_UINT32_MAX

typedef struct RecDict RecDict;

extern RecDict *rec_dictionary_create(Oid type, Oid collation, MemoryContext mcxt);
extern bool rec_dictionary_is_integer(const RecDict *dict);
extern void rec_dictionary_prefetch(const RecDict *dict, Datum id);
extern uint32 rec_dictionary_intern(RecDict *dict, Datum id);
extern uint32 rec_dictionary_find(RecDict *dict, Datum id);
extern uint32 rec_dictionary_count(const RecDict *dict);
extern Oid	rec_dictionary_type(const RecDict *dict);
extern Oid	rec_dictionary_collation(const RecDict *dict);
extern Datum rec_dictionary_id(const RecDict *dict, uint32 number);
extern char *rec_dictionary_text(RecDict *dict, uint32 number);
extern uint32 *rec_dictionary_ordered(RecDict *dict, bool shown);
extern uint32 *rec_dictionary_ranks(RecDict *dict, bool shown);

#endif							/* REC_DICTIONARY_H */
