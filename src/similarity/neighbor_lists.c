/*-------------------------------------------------------------------------
 *
 * neighbor_lists.c
 *	  Lists of neighbours of all items, and turning them round.
 *
 * Choosing the sources of each target requires all lists in memory before the
 * targets of a source are known.  The lists are kept in pieces of one size, so
 * that nothing is copied while they grow.  They are turned round for some of the
 * sources at a time, so that there is never a second copy of everything.
 *
 * Numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/neighbor_lists.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "similarity/neighbor_lists.h"

#define PIECE			4096	/* neighbours in a piece */
#define TURNS			4		/* parts of all that are turned at a time */

/* One list after the other; all of it lives in "mcxt". */
struct RecLists
{
	MemoryContext mcxt;
	uint32		nitems;
	uint32		nlists;			/* lists so far; nitems when complete */
	int64	   *start;			/* nitems + 1 offsets */
	RecNeighbor **piece;		/* where neighbours are, PIECE in each */
	int64		npieces;
	int64		allocated;		/* length of piece */
};

/* List of some sources, being turned. */
typedef struct TurnedPart
{
	uint32		from;			/* sources from here to before "to" */
	uint32		to;
	const int64 *length;		/* of each source's list */
	int64	   *next;			/* free place of each source's list */
	RecNeighbor *neighbor;
} TurnedPart;

static void *
alloc_lists(MemoryContext mcxt, Size count, Size width)
{
	Size		size = mul_size(Max(count, 1), width);

	rec_memory_budget_check(mcxt, size);
	return MemoryContextAllocHuge(mcxt, size);
}

/* Make empty lists of so many items in "mcxt". */
RecLists *
rec_neighbor_lists_create(MemoryContext mcxt, uint32 nitems)
{
	RecLists   *lists = MemoryContextAllocZero(mcxt, sizeof(RecLists));

	lists->mcxt = mcxt;
	lists->nitems = nitems;
	lists->start = alloc_lists(mcxt, (Size) nitems + 1, sizeof(int64));
	lists->start[0] = 0;
	return lists;
}

static void
add_piece(RecLists *lists)
{
	if (lists->npieces == lists->allocated)
	{
		lists->allocated = rec_memory_budget_room(lists->allocated, lists->npieces + 1);
		lists->piece = lists->piece ?
			repalloc_huge(lists->piece, mul_size(lists->allocated, sizeof(RecNeighbor *))) :
			alloc_lists(lists->mcxt, lists->allocated, sizeof(RecNeighbor *));
	}
	lists->piece[lists->npieces++] = alloc_lists(lists->mcxt, PIECE, sizeof(RecNeighbor));
}

/* Add the list of the next item. */
void
rec_neighbor_lists_append(RecLists *lists, const RecNeighbor *neighbors, int n)
{
	int64		at = lists->start[lists->nlists];

	Assert(lists->nlists < lists->nitems);
	lists->start[++lists->nlists] = at + n;
	while (n > 0)
	{
		int64		place = at % PIECE;
		int			fits = (int) Min(n, PIECE - place);

		if (at / PIECE == lists->npieces)
			add_piece(lists);
		memcpy(lists->piece[at / PIECE] + place, neighbors, fits * sizeof(RecNeighbor));
		at += fits;
		neighbors += fits;
		n -= fits;
	}
}

static inline const RecNeighbor *
entry_at(const RecLists *lists, int64 at)
{
	return &lists->piece[at / PIECE][at % PIECE];
}

/* Copy the list of an item into "room", and return its length. */
int
rec_neighbor_lists_get(const RecLists *lists, uint32 item, RecNeighbor *room)
{
	int64		at = lists->start[item];
	int			n = (int) (lists->start[item + 1] - at);

	for (int done = 0; done < n;)
	{
		int64		place = (at + done) % PIECE;
		int			fits = (int) Min(n - done, PIECE - place);

		memcpy(room + done, lists->piece[(at + done) / PIECE] + place,
			   fits * sizeof(RecNeighbor));
		done += fits;
	}
	return n;
}

/* Return how many lists each source is in. */
static int64 *
count_sources(const RecLists *lists)
{
	int64	   *length = alloc_lists(lists->mcxt, lists->nitems, sizeof(int64));

	memset(length, 0, lists->nitems * sizeof(int64));
	for (int64 at = 0; at < lists->start[lists->nitems]; at++)
		length[entry_at(lists, at)->item]++;
	return length;
}

/*
 * Return the end of the sources, beginning at "from", that are turned
 * together: at least one source, and not more neighbours than "room".
 */
static uint32
part_end(const RecLists *lists, const int64 *length, uint32 from, int64 room)
{
	int64		total = length[from];
	uint32		to = from + 1;

	while (to < lists->nitems && total + length[to] <= room)
		total += length[to++];
	return to;
}

/* Turn the lists of a part, each in rising order of the targets. */
static void
turn_part(const RecLists *lists, TurnedPart *part)
{
	int64		next = 0;

	for (uint32 source = part->from; source < part->to; source++)
	{
		part->next[source] = next;
		next += part->length[source];
	}
	for (uint32 target = 0; target < lists->nitems; target++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int64 at = lists->start[target]; at < lists->start[target + 1]; at++)
		{
			RecNeighbor neighbor = *entry_at(lists, at);
			uint32		source = neighbor.item;

			if (source < part->from || source >= part->to)
				continue;
			neighbor.item = target;
			part->neighbor[part->next[source]++] = neighbor;
		}
	}
}

/*
 * Turn complete lists of sources per target into lists of targets per source,
 * and hand these to the sink: sources in order, best neighbour first, ties to
 * the target with the smaller number, at most the best "most" of each.
 */
void
rec_neighbor_lists_sink_turned(const RecLists *lists, int most, RecRowSink sink, void *arg)
{
	int64	   *length = count_sources(lists);
	int64		room = Max(lists->start[lists->nitems] / TURNS, PIECE);
	TurnedPart	part = {.length = length};
	RecNeighbor *spare;

	Assert(lists->nlists == lists->nitems);
	for (uint32 source = 0; source < lists->nitems; source++)
		room = Max(room, length[source]);
	room = Min(room, lists->start[lists->nitems]);
	part.next = alloc_lists(lists->mcxt, lists->nitems, sizeof(int64));
	part.neighbor = alloc_lists(lists->mcxt, room, sizeof(RecNeighbor));
	spare = alloc_lists(lists->mcxt, lists->nitems, sizeof(RecNeighbor));
	for (uint32 source = 0; source < lists->nitems; source++)
	{
		RecNeighbor *list;
		int			n = (int) length[source];

		CHECK_FOR_INTERRUPTS();
		if (source == part.to)
		{
			part.from = source;
			part.to = part_end(lists, length, source, room);
			turn_part(lists, &part);
		}
		/* the end of the list is the place of its next neighbour */
		list = part.neighbor + part.next[source] - n;
		rec_topk_sort(list, spare, n);
		sink(arg, source, list, Min(n, most));
	}
	pfree(spare);
	pfree(part.neighbor);
	pfree(part.next);
	pfree(length);
}
