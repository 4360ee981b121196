/*-------------------------------------------------------------------------
 *
 * similarity_parallel.c
 *	  The best neighbours of each item, by several processes.
 *
 * As CREATE INDEX does it, with a parallel context in the leader's own
 * transaction.  The matrix moves to dynamic shared memory, and every process, the
 * leader included, takes the next few items from an atomic counter until none is
 * left.  Workers send the rows of each such block through a message queue.  The
 * leader keeps blocks until it is their turn and hands them on in the order of
 * items.  A row depends on the matrix only, so the result is the same for any
 * number of workers.
 *
 * One process does the work if there is too little of it, if
 * max_parallel_maintenance_workers or the memory budget does not allow more,
 * within a parallel plan, and if no worker could be started.  Errors of a worker
 * are raised in the leader at its next check for interrupts.  The workers end
 * with the transaction.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity_parallel.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "interaction/matrix_shm.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "port/atomics.h"
#include "similarity/similarity_parallel.h"
#include "similarity/similarity_row.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#define BLOCK_ROWS		16		/* items that a process takes at a time */
#define QUEUE_SIZE		(1024 * 1024)	/* bytes of each worker's queue */

/*
 * Additions, about 7 ns each, for which it pays to start a process and copy
 * the matrix.
 */
#ifndef REC_PARALLEL_WORK
#define REC_PARALLEL_WORK	INT64CONST(8000000)
#endif

/* Keys of the segment, besides those of the matrix. */
enum
{
	KEY_SHARED = 1,
	KEY_QUEUES
};

typedef struct SharedRows
{
	RecOptions	options;		/* only build options are valid */
	uint32		nitems;
	uint32		nblocks;
	pg_atomic_uint32 next;		/* next block to be taken */
} SharedRows;

/* The rows of some items: their lengths, then all neighbours. */
typedef struct RowBlock
{
	uint32		number;
	uint32		n[BLOCK_ROWS];
	RecNeighbor neighbor[FLEXIBLE_ARRAY_MEMBER];
} RowBlock;

/* A block that grows as rows are computed. */
typedef struct BlockBuffer
{
	RowBlock   *block;
	int64		count;			/* neighbours in it */
	int64		allocated;
} BlockBuffer;

typedef struct Leader
{
	ParallelContext *pcxt;
	SharedRows *shared;
	MemoryContext mcxt;
	shm_mq_handle **queue;		/* of each worker; NULL when it has finished */
	RowBlock  **waiting;		/* blocks that came before their turn */
	uint32		turn;			/* block to be handed on next */
	RecRowSink	sink;
	void	   *arg;
} Leader;

extern PGDLLEXPORT void rec_similarity_parallel_worker(dsm_segment *segment, shm_toc *toc);

/* ----------------
 *		blocks of rows
 * ----------------
 */

static Size
block_size(int64 neighbors)
{
	return add_size(offsetof(RowBlock, neighbor),
					mul_size(neighbors, sizeof(RecNeighbor)));
}

static void
append_to_block(BlockBuffer *buffer, int place, const RecTopk *row)
{
	if (buffer->count + row->n > buffer->allocated)
	{
		buffer->allocated = Max(2 * buffer->allocated, buffer->count + row->n);
		buffer->block = repalloc_huge(buffer->block, block_size(buffer->allocated));
	}
	memcpy(buffer->block->neighbor + buffer->count, row->best,
		   row->n * sizeof(RecNeighbor));
	buffer->block->n[place] = row->n;
	buffer->count += row->n;
}

static void
init_buffer(BlockBuffer *buffer, const RecOptions *options)
{
	buffer->allocated = BLOCK_ROWS * Min(options->neighbors, 100);
	buffer->block = palloc(block_size(buffer->allocated));
}

/* Return the end of a block's items. */
static uint32
block_end(const SharedRows *shared, uint32 number)
{
	return Min((number + 1) * BLOCK_ROWS, shared->nitems);
}

/* ----------------
 *		a worker
 * ----------------
 */

static shm_mq_handle *
attach_queue(dsm_segment *segment, shm_toc *toc)
{
	char	   *queues = shm_toc_lookup(toc, KEY_QUEUES, false);
	shm_mq	   *queue = (shm_mq *) (queues + (Size) ParallelWorkerNumber * QUEUE_SIZE);

	shm_mq_set_sender(queue, MyProc);
	return shm_mq_attach(queue, segment, NULL);
}

/*
 * The entry point of a worker: compute blocks and send them to the leader,
 * until none is left or the leader stops receiving.
 */
void
rec_similarity_parallel_worker(dsm_segment *segment, shm_toc *toc)
{
	SharedRows *shared = shm_toc_lookup(toc, KEY_SHARED, false);
	shm_mq_handle *queue = attach_queue(segment, toc);
	RecMatrix	matrix;
	RecSimilarity *state;
	BlockBuffer buffer;
	uint32		number;

	rec_matrix_shm_attach(&matrix, toc);
	state = rec_similarity_row_begin(&matrix, &shared->options);
	init_buffer(&buffer, &shared->options);
	while ((number = pg_atomic_fetch_add_u32(&shared->next, 1)) < shared->nblocks)
	{
		uint32		first = number * BLOCK_ROWS;

		buffer.count = 0;
		for (uint32 item = first; item < block_end(shared, number); item++)
		{
			CHECK_FOR_INTERRUPTS();
			append_to_block(&buffer, item - first, rec_similarity_row_compute(state, item));
		}
		buffer.block->number = number;
		if (shm_mq_send(queue, block_size(buffer.count), buffer.block,
						false, true) != SHM_MQ_SUCCESS)
			break;
	}
	rec_similarity_row_end(state);
	shm_mq_detach(queue);
}

/* ----------------
 *		the segment
 * ----------------
 */

/* Estimate the contents of the segment. Return its size in bytes. */
static Size
estimate_segment(ParallelContext *pcxt, const RecMatrix *matrix, int nworkers)
{
	Size		queues = mul_size(nworkers, QUEUE_SIZE);

	if (pcxt)
	{
		shm_toc_estimate_chunk(&pcxt->estimator, sizeof(SharedRows));
		shm_toc_estimate_chunk(&pcxt->estimator, queues);
		shm_toc_estimate_keys(&pcxt->estimator, 2);
	}
	return add_size(rec_matrix_shm_estimate(pcxt, matrix),
					add_size(sizeof(SharedRows), queues));
}

static SharedRows *
fill_segment(ParallelContext *pcxt, const RecMatrix *matrix, const RecOptions *options)
{
	SharedRows *shared = shm_toc_allocate(pcxt->toc, sizeof(SharedRows));

	shared->options = *options;
	shared->nitems = matrix->nitems;
	shared->nblocks = (matrix->nitems + BLOCK_ROWS - 1) / BLOCK_ROWS;
	pg_atomic_init_u32(&shared->next, 0);
	shm_toc_insert(pcxt->toc, KEY_SHARED, shared);
	rec_matrix_shm_copy(pcxt, matrix);
	return shared;
}

/* Make the queues and the leader's handles. */
static void
make_queues(Leader *leader, int nworkers)
{
	ParallelContext *pcxt = leader->pcxt;
	char	   *queues = shm_toc_allocate(pcxt->toc, mul_size(nworkers, QUEUE_SIZE));

	leader->queue = palloc_array(shm_mq_handle *, nworkers);
	for (int w = 0; w < nworkers; w++)
	{
		shm_mq	   *queue = shm_mq_create(queues + (Size) w * QUEUE_SIZE, QUEUE_SIZE);

		shm_mq_set_receiver(queue, MyProc);
		leader->queue[w] = shm_mq_attach(queue, pcxt->seg, NULL);
	}
	shm_toc_insert(pcxt->toc, KEY_QUEUES, queues);
}

/* ----------------
 *		the leader
 * ----------------
 */

/* Hand on the blocks whose turn it is. */
static void
hand_on(Leader *leader)
{
	while (leader->turn < leader->shared->nblocks && leader->waiting[leader->turn])
	{
		RowBlock   *block = leader->waiting[leader->turn];
		uint32		first = leader->turn * BLOCK_ROWS;
		const RecNeighbor *row = block->neighbor;

		for (uint32 item = first; item < block_end(leader->shared, leader->turn); item++)
		{
			CHECK_FOR_INTERRUPTS();
			leader->sink(leader->arg, item, row, block->n[item - first]);
			row += block->n[item - first];
		}
		leader->waiting[leader->turn++] = NULL;
		pfree(block);
	}
}

/* Put a block aside until it is its turn. */
static void
put_aside(Leader *leader, const RowBlock *block, Size size)
{
	RowBlock   *copy;

	rec_memory_budget_check(leader->mcxt, size);
	copy = MemoryContextAllocHuge(leader->mcxt, size);
	memcpy(copy, block, size);
	Assert(copy->number < leader->shared->nblocks &&
		   leader->waiting[copy->number] == NULL);
	leader->waiting[copy->number] = copy;
}

/*
 * Receive what workers have sent, without waiting. Return how many of them
 * may send more.
 */
static int
receive(Leader *leader)
{
	int			active = 0;

	for (int w = 0; w < leader->pcxt->nworkers_launched; w++)
	{
		shm_mq_result result = SHM_MQ_DETACHED;
		Size		size;
		void	   *data;

		while (leader->queue[w] &&
			   (result = shm_mq_receive(leader->queue[w], &size, &data, true)) == SHM_MQ_SUCCESS)
			put_aside(leader, data, size);
		if (result == SHM_MQ_WOULD_BLOCK)
			active++;
		else
			leader->queue[w] = NULL;
	}
	return active;
}

/* Compute a block, if there is one left. */
static bool
compute_block(Leader *leader, RecSimilarity *state, BlockBuffer *buffer)
{
	SharedRows *shared = leader->shared;
	uint32		number = pg_atomic_fetch_add_u32(&shared->next, 1);
	uint32		first = number * BLOCK_ROWS;

	if (number >= shared->nblocks)
		return false;
	buffer->count = 0;
	for (uint32 item = first; item < block_end(shared, number); item++)
	{
		CHECK_FOR_INTERRUPTS();
		(void) receive(leader);
		append_to_block(buffer, item - first, rec_similarity_row_compute(state, item));
	}
	buffer->block->number = number;
	put_aside(leader, buffer->block, block_size(buffer->count));
	return true;
}

/* Compute together with the workers, then wait for their last blocks. */
static void
lead(Leader *leader, const RecMatrix *matrix, const RecOptions *options)
{
	RecSimilarity *state = rec_similarity_row_begin(matrix, options);
	BlockBuffer buffer;

	init_buffer(&buffer, options);
	while (compute_block(leader, state, &buffer))
		hand_on(leader);
	rec_similarity_row_end(state);
	for (;;)
	{
		int			active = receive(leader);

		hand_on(leader);
		if (leader->turn == leader->shared->nblocks || active == 0)
			break;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, 0,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * Return whether the memory budget allows so many workers: the copy, the
 * array that is being moved, and each worker's memory.
 */
static bool
workers_fit(const RecMatrix *matrix, int nworkers)
{
	Size		more = add_size(rec_matrix_shm_move_size(matrix),
								estimate_segment(NULL, matrix, nworkers));

	return rec_memory_budget_fits(CurrentMemoryContext,
						   add_size(more, mul_size(nworkers, rec_similarity_row_memory(matrix))));
}

/* Return how many workers to use, given work, memory and settings. */
static int
workers_wanted(const RecMatrix *matrix)
{
	int64		work = 0;
	int			wanted;

	if (max_parallel_maintenance_workers == 0 || IsInParallelMode() || IsParallelWorker())
		return 0;
	for (uint32 u = 0; u < matrix->nusers; u++)
	{
		int64		n = matrix->user_start[u + 1] - matrix->user_start[u];

		work += n * n;
	}
	wanted = (int) Min(work / Max(REC_PARALLEL_WORK, 1), max_parallel_maintenance_workers);
	wanted = Min(wanted, matrix->nitems / BLOCK_ROWS);
	return workers_fit(matrix, wanted) ? wanted : 0;
}

/*
 * Set up the segment and start the workers. Return false if there are none.
 */
static bool
start_workers(Leader *leader, RecMatrix *matrix, const RecOptions *options, int nworkers)
{
	leader->pcxt = CreateParallelContext("$libdir/recommender", "rec_similarity_parallel_worker",
										 nworkers);
	rec_matrix_shm_move(matrix, leader->mcxt);
	rec_memory_budget_count_shm(leader->mcxt,
					 add_size(estimate_segment(leader->pcxt, matrix, nworkers),
							  mul_size(nworkers, rec_similarity_row_memory(matrix))));
	InitializeParallelDSM(leader->pcxt);
	if (leader->pcxt->seg == NULL)
		return false;
	leader->shared = fill_segment(leader->pcxt, matrix, options);
	make_queues(leader, nworkers);
	LaunchParallelWorkers(leader->pcxt);
	for (int w = 0; w < leader->pcxt->nworkers_launched; w++)
		shm_mq_set_handle(leader->queue[w], leader->pcxt->worker[w].bgwhandle);
	return leader->pcxt->nworkers_launched > 0;
}

/*
 * Do what rec_similarity_rows() does without truncation per target, with
 * parallel workers. Return false if one process must do it. The matrix may
 * have moved either way.
 */
bool
rec_similarity_parallel(RecMatrix *matrix, const RecOptions *options,
						RecRowSink sink, void *arg)
{
	int			nworkers = workers_wanted(matrix);
	Leader		leader = {.sink = sink, .arg = arg};
	bool		started;

	if (nworkers <= 0)
		return false;
	leader.mcxt = AllocSetContextCreate(CurrentMemoryContext,
										   "recommender rows of workers",
										   ALLOCSET_DEFAULT_SIZES);
	EnterParallelMode();
	started = start_workers(&leader, matrix, options, nworkers);
	if (started)
	{
		leader.waiting = MemoryContextAllocExtended(leader.mcxt,
													mul_size(leader.shared->nblocks, sizeof(RowBlock *)),
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		lead(&leader, matrix, options);
		WaitForParallelWorkersToFinish(leader.pcxt);
		if (leader.turn < leader.shared->nblocks)
			elog(ERROR, "parallel worker stopped before all rows were computed");
	}
	DestroyParallelContext(leader.pcxt);
	ExitParallelMode();
	MemoryContextDelete(leader.mcxt);
	return started;
}
