/*-------------------------------------------------------------------------
 *
 * prefetch.h
 *	  Prefetching memory that will be needed soon.
 *
 * A function that only prefetches must always be inlined: gcc takes it for a
 * function without effects and omits the calls.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/prefetch.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_PREFETCH_H
#define REC_PREFETCH_H

#ifdef __GNUC__
#define rec_prefetch(address)	__builtin_prefetch(address)
#else
#define rec_prefetch(address)	((void) 0)
#endif

#endif							/* REC_PREFETCH_H */
