/*-------------------------------------------------------------------------
 *
 * owner.c
 *	  Doing something with the rights of somebody else, and no others.
 *
 * Tables, views, functions, types and triggers of somebody else run code of
 * theirs when they are read or written.  Whoever may act for the owner of such
 * objects, a superuser for instance, does so as the owner and in a
 * security-restricted operation, as REFRESH MATERIALIZED VIEW does: that code
 * then has the rights of the owner alone.  This is the only file that changes
 * the current user.
 *
 * An error on the way needs no clean-up here: the end of the transaction or
 * subtransaction restores the user, the security context and the settings.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/pg/owner.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pg/owner.h"
#include "utils/acl.h"
#include "utils/guc.h"

/* Set a setting until rec_owner_return(), or the end of a level of settings. */
void
rec_owner_set(const char *setting, const char *value)
{
	(void) set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Run what follows, until rec_owner_return(), as a role in a
 * security-restricted operation, with a search_path that nobody else can write
 * to.  Row security applies to the role, whatever the caller's setting is.
 */
void
rec_owner_become(Oid owner, RecOwnerRows rows, RecCaller *caller)
{
	GetUserIdAndSecContext(&caller->user, &caller->security);
	SetUserIdAndSecContext(owner, caller->security | SECURITY_RESTRICTED_OPERATION);
	caller->nest = NewGUCNestLevel();
	rec_owner_set("search_path", "pg_catalog, pg_temp");
	rec_owner_set("row_security", rows == REC_ALL_ROWS ? "off" : "on");
}

/*
 * Run what follows as a role, like rec_owner_become(), if the current user is a
 * member of the role, as superusers are of all roles; other users keep their own
 * rights.
 */
void
rec_owner_become_if_member(Oid owner, RecOwnerRows rows, RecCaller *caller)
{
	if (has_privs_of_role(GetUserId(), owner))
		rec_owner_become(owner, rows, caller);
	else
		caller->nest = 0;
}

/* End what rec_owner_become() began, and restore the caller's user and settings. */
void
rec_owner_return(const RecCaller *caller)
{
	if (caller->nest == 0)
		return;
	AtEOXact_GUC(false, caller->nest);
	SetUserIdAndSecContext(caller->user, caller->security);
}
