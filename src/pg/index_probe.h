/*-------------------------------------------------------------------------
 *
 * index_probe.h
 *	  Looking up many values in a B-tree, leaf by leaf.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/index_probe.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_INDEX_PROBE_H
#define REC_INDEX_PROBE_H

#include "access/htup.h"
#include "access/skey.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

typedef struct RecProbe RecProbe;

extern RecProbe *rec_index_probe_begin(Relation rel, Relation index, Snapshot snapshot,
								 int nkeys, ScanKey keys);
extern HeapTuple rec_index_probe_next(RecProbe *probe);
extern void rec_index_probe_end(RecProbe *probe);

#endif							/* REC_INDEX_PROBE_H */
