/*-------------------------------------------------------------------------
 *
 * pattern.h
 *	  Numbers of equal customers: the state of models of customers.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/pattern.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_PATTERN_H
#define REC_PATTERN_H

#include "lib/stringinfo.h"

/*
 * A customer's numbers, and how many customers have just these.  What the two
 * values are is the caller's business; neither is NaN.
 */
typedef struct RecPattern
{
	int32		frequency;
	uint32		count;
	double		first;
	double		second;
} RecPattern;

/* Patterns; all of them live in a context of their own. */
typedef struct RecPatterns
{
	MemoryContext mcxt;
	RecPattern *pattern;
	int64		count;
	int64		allocated;
} RecPatterns;

extern RecPatterns *rec_pattern_create(MemoryContext parent);
extern void rec_pattern_add(RecPatterns *patterns, int32 frequency, double first, double second);
extern void rec_pattern_append(RecPatterns *patterns, const RecPatterns *others);
extern void rec_pattern_merge(RecPatterns *patterns);
extern void rec_pattern_send(StringInfo buffer, const RecPatterns *patterns);
extern bool rec_pattern_receive(StringInfo buffer, RecPatterns *patterns);

#endif							/* REC_PATTERN_H */
