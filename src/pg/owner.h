/*-------------------------------------------------------------------------
 *
 * owner.h
 *	  Doing something with the rights of somebody else, and no others.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/owner.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_OWNER_H
#define REC_OWNER_H

/* The caller, to whom rec_owner_return() returns. */
typedef struct RecCaller
{
	Oid			user;
	int			security;		/* the flags of the security context */
	int			nest;			/* level of settings, 0 if nothing changed */
} RecCaller;

/* Which rows of a table with row security are read. */
typedef enum RecOwnerRows
{
	REC_VISIBLE_ROWS,			/* those that policies show to the owner */
	REC_ALL_ROWS				/* all; a policy that would hide one is an
								 * error */
} RecOwnerRows;

extern void rec_owner_become(Oid owner, RecOwnerRows rows, RecCaller *caller);
extern void rec_owner_become_if_member(Oid owner, RecOwnerRows rows, RecCaller *caller);
extern void rec_owner_set(const char *setting, const char *value);
extern void rec_owner_return(const RecCaller *caller);

#endif							/* REC_OWNER_H */
