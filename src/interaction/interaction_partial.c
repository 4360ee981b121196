/*-------------------------------------------------------------------------
 *
 * interaction_partial.c
 *	  Partial sets of interactions: combined, sent and received.
 *
 * A parallel worker of an aggregate sends to the leader the ids of users and
 * items, in the order of their numbers, then the interactions as numbers.  Ids
 * are sent by their types' send and receive functions, or as text where a type
 * has none.  All that is received is checked.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/interaction_partial.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "interaction/interaction_partial.h"
#include "interaction/stream.h"
#include "libpq/pqformat.h"
#include "storage/shmem.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* Return the numbers that the ids of one dictionary have in another. */
static uint32 *
map_numbers(const RecDict *from, RecDict *to)
{
	uint32		n = rec_dictionary_count(from);
	uint32	   *map = MemoryContextAllocHuge(CurrentMemoryContext,
											 mul_size(Max(n, 1), sizeof(uint32)));

	/* bytes from elsewhere may have any type */
	if (rec_dictionary_type(from) != rec_dictionary_type(to) ||
		rec_dictionary_collation(from) != rec_dictionary_collation(to))
		rec_interaction_partial_refuse();
	for (uint32 i = 0; i < n; i++)
		map[i] = rec_dictionary_intern(to, rec_dictionary_id(from, i));
	return map;
}

/*
 * Add another set of interactions, with ids of the same types, in which users
 * and items may have other numbers.  Times are not copied.
 */
void
rec_interaction_partial_append(RecInteractions *to, const RecInteractions *from)
{
	const RecStream *stream = from->stream;
	uint32	   *user = map_numbers(from->users, to->users);
	uint32	   *item = map_numbers(from->items, to->items);

	rec_stream_reserve(to->stream, stream->count);
	for (int64 i = 0; i < stream->count; i++)
		rec_stream_add(to->stream, user[rec_stream_user(stream, i)],
					   item[rec_stream_item(stream, i)], rec_stream_weight(stream, i),
					   REC_NO_TIME);
	to->null_keys += from->null_keys;
	pfree(user);
	pfree(item);
}

/*
 * Raise an error for bytes that rec_interaction_partial_send() has not
 * written.
 */
void
rec_interaction_partial_refuse(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("serialized state of item_similarity_agg is not valid")));
}

/*
 * How ids are sent: by the type's send and receive functions, or as text when
 * it has none.
 */
typedef struct IdTransport
{
	bool		binary;
	FmgrInfo	function;
	Oid			ioparam;
} IdTransport;

static void
prepare_transport(IdTransport *transport, Oid type, bool send)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Form_pg_type form;

	if (!HeapTupleIsValid(tuple))
		rec_interaction_partial_refuse();
	form = (Form_pg_type) GETSTRUCT(tuple);
	transport->binary = OidIsValid(form->typsend) && OidIsValid(form->typreceive);
	transport->ioparam = getTypeIOParam(tuple);
	fmgr_info(transport->binary ? (send ? form->typsend : form->typreceive) :
			  (send ? form->typoutput : form->typinput), &transport->function);
	ReleaseSysCache(tuple);
}

static void
send_dict(StringInfo buffer, const RecDict *dict)
{
	IdTransport transport;

	prepare_transport(&transport, rec_dictionary_type(dict), true);
	pq_sendint32(buffer, rec_dictionary_type(dict));
	pq_sendint32(buffer, rec_dictionary_collation(dict));
	pq_sendint32(buffer, rec_dictionary_count(dict));
	for (uint32 i = 0; i < rec_dictionary_count(dict); i++)
	{
		if (transport.binary)
		{
			bytea	   *bytes = SendFunctionCall(&transport.function, rec_dictionary_id(dict, i));

			pq_sendint32(buffer, VARSIZE(bytes) - VARHDRSZ);
			pq_sendbytes(buffer, VARDATA(bytes), VARSIZE(bytes) - VARHDRSZ);
			pfree(bytes);
		}
		else
		{
			char	   *text = OutputFunctionCall(&transport.function, rec_dictionary_id(dict, i));

			pq_sendint32(buffer, strlen(text));
			pq_sendbytes(buffer, text, strlen(text));
			pfree(text);
		}
	}
}

/*
 * Write interactions, without times, for rec_interaction_partial_receive().
 */
void
rec_interaction_partial_send(StringInfo buffer, const RecInteractions *interactions)
{
	const RecStream *stream = interactions->stream;

	send_dict(buffer, interactions->users);
	send_dict(buffer, interactions->items);
	pq_sendint64(buffer, interactions->null_keys);
	pq_sendint32(buffer, (uint32) stream->count);
	pq_sendbyte(buffer, rec_stream_has_weights(stream));
	for (int64 i = 0; i < stream->count; i++)
	{
		pq_sendint32(buffer, rec_stream_user(stream, i));
		pq_sendint32(buffer, rec_stream_item(stream, i));
		if (rec_stream_has_weights(stream))
			pq_sendfloat8(buffer, rec_stream_weight(stream, i));
	}
}

static RecDict *
receive_dict(StringInfo buffer, MemoryContext mcxt)
{
	Oid			type = pq_getmsgint(buffer, 4);
	Oid			collation = pq_getmsgint(buffer, 4);
	uint32		count = pq_getmsgint(buffer, 4);
	RecDict    *dict = rec_dictionary_create(type, collation, mcxt);
	IdTransport transport;

	prepare_transport(&transport, type, false);
	for (uint32 i = 0; i < count; i++)
	{
		int			length = pq_getmsgint(buffer, 4);
		StringInfoData bytes;
		Datum		id;

		if (length < 0 || length > buffer->len - buffer->cursor)
			rec_interaction_partial_refuse();
		initStringInfo(&bytes);
		appendBinaryStringInfo(&bytes, pq_getmsgbytes(buffer, length), length);
		if (transport.binary)
			id = ReceiveFunctionCall(&transport.function, &bytes, transport.ioparam, -1);
		else
			id = InputFunctionCall(&transport.function, bytes.data, transport.ioparam, -1);
		if (rec_dictionary_intern(dict, id) != i)
			rec_interaction_partial_refuse();
		pfree(bytes.data);
	}
	return dict;
}

static void
receive_stream(StringInfo buffer, RecInteractions *interactions)
{
	uint32		nusers = rec_dictionary_count(interactions->users);
	uint32		nitems = rec_dictionary_count(interactions->items);
	uint32		count = pq_getmsgint(buffer, 4);
	bool		weighted = pq_getmsgbyte(buffer) != 0;
	Size		width = 2 * sizeof(uint32) + (weighted ? sizeof(double) : 0);

	if (mul_size(count, width) != (Size) (buffer->len - buffer->cursor))
		rec_interaction_partial_refuse();
	rec_stream_reserve(interactions->stream, count);
	for (uint32 i = 0; i < count; i++)
	{
		uint32		user = pq_getmsgint(buffer, 4);
		uint32		item = pq_getmsgint(buffer, 4);
		double		weight = weighted ? pq_getmsgfloat8(buffer) : 1;

		if (user >= nusers || item >= nitems || !rec_interaction_weight_is_valid(weight))
			rec_interaction_partial_refuse();
		rec_stream_add(interactions->stream, user, item, weight, REC_NO_TIME);
	}
}

/*
 * Read bytes written by rec_interaction_partial_send(), in the current
 * context; an ERROR when they are not valid.
 */
RecInteractions *
rec_interaction_partial_receive(StringInfo buffer)
{
	RecInteractions *interactions = palloc0_object(RecInteractions);

	interactions->mcxt = CurrentMemoryContext;
	interactions->users = receive_dict(buffer, CurrentMemoryContext);
	interactions->items = receive_dict(buffer, CurrentMemoryContext);
	interactions->stream = rec_stream_create(CurrentMemoryContext);
	interactions->null_keys = pq_getmsgint64(buffer);
	if (interactions->null_keys < 0)
		rec_interaction_partial_refuse();
	receive_stream(buffer, interactions);
	return interactions;
}
