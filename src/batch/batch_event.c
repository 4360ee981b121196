/*-------------------------------------------------------------------------
 *
 * batch_event.c
 *	  The events of a batch and their weights.
 *
 * An evaluation can give events other weights than the recommender's sources do
 * (the option event_weights).  Such weights are used for training and for
 * histories.  The rows to be found always have the sources' weights; otherwise
 * settings could not be compared.  So each row keeps its weight without the
 * event's, and the number of its event.  The weights of events are kept here: one
 * for each event named by the sources or the options, and one for all other
 * events of each source.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/batch/batch_event.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "batch/batch_event.h"
#include "definition/source.h"
#include "pg/relation.h"

/*
 * Return the number of an event of a source, or that of the source's other
 * events.
 */
static uint32
find_event(const RecBatch *batch, int source, const char *name)
{
	uint32		others = batch->first_event[source];

	for (uint32 e = others + 1; name && e < batch->first_event[source + 1]; e++)
		if (strcmp(batch->events[e].name, name) == 0)
			return e;
	return others;
}

static void
add_event(RecBatch *batch, int source, const char *name)
{
	RecBatchEvent *event;

	if (name && find_event(batch, source, name) != batch->first_event[source])
		return;
	batch->events = batch->events ?
		repalloc(batch->events, (batch->nevents + 1) * sizeof(RecBatchEvent)) :
		MemoryContextAlloc(batch->mcxt, sizeof(RecBatchEvent));
	event = &batch->events[batch->nevents++];
	memset(event, 0, sizeof(*event));
	event->source = source;
	event->name = name;
	batch->first_event[source + 1] = batch->nevents;
}

/* Add the events of a source to which the options give weights. */
static void
add_named(RecBatch *batch, int source, const RecOptions *options)
{
	for (int i = 0; options && i < options->nevent_weights; i++)
		if (rec_source_of_weight(batch->definition, &options->event_weights[i]) == source)
			add_event(batch, source, options->event_weights[i].event);
}

/* Set the weights of all events by their sources. */
static void
weigh_by_sources(RecBatch *batch)
{
	for (uint32 e = 0; e < batch->nevents; e++)
	{
		RecBatchEvent *event = &batch->events[e];
		const RecEventWeights *weights = batch->definition->sources[event->source].event_weights;

		event->found_weight = 1;
		event->found = weights == NULL ||
			rec_interaction_event_weight(weights, event->name, &event->found_weight);
	}
}

/* Set up the events of the definition and of the batch's options. */
void
rec_batch_event_begin(RecBatch *batch)
{
	const RecDefinition *definition = batch->definition;

	batch->first_event = MemoryContextAllocZero(batch->mcxt,
												(definition->nsources + 1) * sizeof(uint32));
	for (int s = 0; s < definition->nsources; s++)
	{
		const RecSource *source = &definition->sources[s];

		add_event(batch, s, NULL);
		for (int i = 0; source->event_weights && i < source->event_weights->count; i++)
			add_event(batch, s, source->event_weights->entries[i].event);
		/* a source with a constant event need not have weights */
		if (source->event)
			add_event(batch, s, source->event);
		add_named(batch, s, batch->options);
		add_named(batch, s, batch->other_options);
	}
	weigh_by_sources(batch);
	rec_batch_event_weigh(batch);
}

/*
 * Return the number of an event, or of NULL, of the source that is being
 * read.
 */
uint32
rec_batch_event_find(const RecBatch *batch, const char *name)
{
	return find_event(batch, (int) (batch->source - batch->definition->sources), name);
}

/* Set the weights of events by the options in force, if these name them. */
void
rec_batch_event_weigh(RecBatch *batch)
{
	const RecOptions *options = batch->options;

	for (uint32 e = 0; e < batch->nevents; e++)
	{
		batch->events[e].weight = batch->events[e].found_weight;
		batch->events[e].counts = batch->events[e].found;
	}
	for (int i = 0; i < options->nevent_weights; i++)
	{
		const RecSourceWeight *given = &options->event_weights[i];
		uint32		e = find_event(batch, rec_source_of_weight(batch->definition, given),
								   given->event);

		batch->events[e].weight = given->weight;
		batch->events[e].counts = true;
	}
}

/*
 * Return the weights, by their sources, of the events that occur in rows that
 * are not reserved; events of weight 0 are left out.
 */
RecSourceWeight *
rec_batch_event_weights(const RecBatch *batch, int *n)
{
	RecSourceWeight *weights = palloc_array(RecSourceWeight, batch->nevents + 1);
	bool	   *comes = palloc0_array(bool, batch->nevents + 1);

	*n = 0;
	for (int64 i = 0; i < batch->nrows; i++)
		comes[batch->rows[i].event] |= !batch->rows[i].reserved;
	for (uint32 e = 0; e < batch->nevents; e++)
	{
		const RecBatchEvent *event = &batch->events[e];

		if (!comes[e] || event->name == NULL || !event->found || event->found_weight == 0)
			continue;
		weights[*n].relation = rec_relation_quoted(batch->definition->sources[event->source].relid);
		weights[*n].event = pstrdup(event->name);
		weights[(*n)++].weight = event->found_weight;
	}
	pfree(comes);
	return weights;
}
