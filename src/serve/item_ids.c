/*-------------------------------------------------------------------------
 *
 * item_ids.c
 *	  Ids of scored items, by reference.
 *
 * What ranks items knows numbers only; their ids wait here until rows of the
 * answer are written.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/item_ids.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "serve/item_ids.h"
#include "storage/shmem.h"
#include "utils/datum.h"

/* Add a copy of an id and return its place. */
uint32
rec_item_ids_add(RecItemIds *ids, const RecDefinition *definition, Datum id)
{
	if (ids->n == ids->allocated)
	{
		ids->allocated = Max(128, ids->allocated * 2);
		if (ids->ids == NULL)
			ids->ids = palloc_array(Datum, ids->allocated);
		else
			ids->ids = repalloc_huge(ids->ids, mul_size(ids->allocated, sizeof(Datum)));
	}
	if (definition->item_typlen == -1)
		id = PointerGetDatum(PG_DETOAST_DATUM_PACKED(id));
	ids->ids[ids->n] = datumCopy(id, definition->item_typbyval, definition->item_typlen);
	return ids->n++;
}

/* Forget all ids, whose memory may have been freed. */
void
rec_item_ids_forget(RecItemIds *ids)
{
	memset(ids, 0, sizeof(*ids));
}
