/*-------------------------------------------------------------------------
 *
 * interaction_pieces.h
 *	  Interactions in pieces: put together, sent and received.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction_pieces.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_INTERACTION_PIECES_H
#define REC_INTERACTION_PIECES_H

#include "compat.h"
#include "interaction.h"
#include "lib/stringinfo.h"

extern void rec_interactions_append(RecInteractions *to, const RecInteractions *from);
extern void rec_interactions_send(StringInfo buffer, const RecInteractions *interactions);
extern RecInteractions *rec_interactions_receive(StringInfo buffer);
pg_noreturn_compat extern void rec_interactions_refuse(void);

#endif							/* REC_INTERACTION_PIECES_H */
