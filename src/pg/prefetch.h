/*-------------------------------------------------------------------------
 *
 * prefetch.h
 *	  Asking for memory that will be needed soon.
 *
 * A function that does nothing else must be inlined always: gcc takes it for
 * one without effect and leaves out its calls.
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
