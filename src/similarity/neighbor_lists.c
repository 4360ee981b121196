/*-------------------------------------------------------------------------
 *
 * neighbor_lists.c
 *	  Lists of neighbours of all items, and turning them round.
 *
 * Who chooses the sources of each target in turn needs all lists in memory
 * before it has those of the targets of a source.  They are kept in pieces of
 * one size, so that nothing is copied while they grow, and turned round some
 * sources at a time, so that there is never a second copy of all.
 *
 * Knows numbers only: no Datum, no SPI.
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

/* One list after the other; all of it lives in "context". */
struct RecLists
{
	MemoryContext context;
	uint32		nitems;
	uint32		nlists;			/* lists so far; nitems when complete */
	int64	   *start;			/* nitems + 1 offsets */
	RecNeighbor **piece;		/* where neighbours are, PIECE in each */
	int64		npieces;
	int64		allocated;		/* length of piece */
};

/* Lists of some sources, being turned. */
typedef struct TurnedPart
{
	uint32		from;			/* sources from here to before "to" */
	uint32		to;
	const int64 *length;		/* of each source's list */
	int64	   *next;			/* free place of each source's list */
	RecNeighbor *neighbor;
} TurnedPart;

static void *
alloc_lists(MemoryContext context, Size count, Size width)
{
	Size		size = mul_size(Max(count, 1), width);

	rec_memory_budget_check(context, size);
	return MemoryContextAllocHuge(context, size);
}

/* Makes empty lists of so many items in "context". */
RecLists *
rec_neighbor_lists_create(MemoryContext context, uint32 nitems)
{
	RecLists   *lists = MemoryContextAllocZero(context, sizeof(RecLists));

	lists->context = context;
	lists->nitems = nitems;
	lists->start = alloc_lists(context, (Size) nitems + 1, sizeof(int64));
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
			alloc_lists(lists->context, lists->allocated, sizeof(RecNeighbor *));
	}
	lists->piece[lists->npieces++] = alloc_lists(lists->context, PIECE, sizeof(RecNeighbor));
}

/* Adds the list of the next item. */
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

/* Copies the list of an item into "room", and gives its length. */
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

/* Gives how many lists each source is in. */
static int64 *
count_sources(const RecLists *lists)
{
	int64	   *length = alloc_lists(lists->context, lists->nitems, sizeof(int64));

	memset(length, 0, lists->nitems * sizeof(int64));
	for (int64 at = 0; at < lists->start[lists->nitems]; at++)
		length[entry_at(lists, at)->item]++;
	return length;
}

/*
 * Gives the end of the sources from "from" on that are turned together: not
 * more neighbours than "room", but one source at least.
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

/* Turns the lists of a part, each in rising order of the targets. */
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
 * Turns complete lists of sources per target into lists of targets per source
 * and hands these to the sink, sources in order, best first, ties to the
 * target with the smaller number; of each the best "most".
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
	part.next = alloc_lists(lists->context, lists->nitems, sizeof(int64));
	part.neighbor = alloc_lists(lists->context, room, sizeof(RecNeighbor));
	spare = alloc_lists(lists->context, lists->nitems, sizeof(RecNeighbor));
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
		/* the list's end is where its next neighbour would go */
		list = part.neighbor + part.next[source] - n;
		rec_topk_sort(list, spare, n);
		sink(arg, source, list, Min(n, most));
	}
	pfree(spare);
	pfree(part.neighbor);
	pfree(part.next);
	pfree(length);
}
