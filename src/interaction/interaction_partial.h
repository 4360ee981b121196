/*-------------------------------------------------------------------------
 *
 * interaction_partial.h
 *	  Partial sets of interactions: combined, sent and received.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/interaction_partial.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_INTERACTION_PARTIAL_H
#define REC_INTERACTION_PARTIAL_H

#include "interaction/interaction.h"
#include "lib/stringinfo.h"
#include "pg/compat.h"

extern void rec_interaction_partial_append(RecInteractions *to, const RecInteractions *from);
extern void rec_interaction_partial_send(StringInfo buffer, const RecInteractions *interactions);
extern RecInteractions *rec_interaction_partial_receive(StringInfo buffer);
pg_noreturn_compat extern void rec_interaction_partial_refuse(void);

#endif							/* REC_INTERACTION_PARTIAL_H */
