/*-------------------------------------------------------------------------
 *
 * interleave_sql.c
 *	  Two rankings in one list, and which of them is preferred, as SQL functions.
 *
 * Team draft interleaving (Radlinski, Kurup, Joachims 2008): the team with fewer
 * picks goes next, of equal ones a coin decides, and it picks its best item
 * that is not in the list.  The coin of a round is the bucket of salt, id and
 * draw / round: below 1/2 team a goes first.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/interleave_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "experiment/assignment.h"
#include "experiment/number_argument.h"
#include "fmgr.h"
#include "funcapi.h"
#include "interaction/dictionary.h"
#include "math/distribution.h"
#include "miscadmin.h"
#include "pg/arguments.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define INTERLEAVE_NCOLS	3	/* rank, item_id, team */

/* The ranking of one team. */
typedef struct Team
{
	const char *name;
	Datum	   *id;
	bool	   *null;
	int			count;
	int			next;			/* place of the first item not looked at */
	int			picks;
} Team;

static Team
read_team(FunctionCallInfo fcinfo, int n, const char *name)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(n);
	Team		team = {.name = name};
	int16		typlen;
	bool		typbyval;
	char		typalign;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be a one-dimensional array", name)));
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign,
					  &team.id, &team.null, &team.count);
	return team;
}

/* Move on to the team's best item that is not in the list; false without one. */
static bool
find_next(Team *team, RecDict *listed)
{
	while (team->next < team->count
		   && (team->null[team->next] || rec_dictionary_find(listed, team->id[team->next]) != REC_NOT_FOUND))
		team->next++;
	return team->next < team->count;
}

/* interleave(a, b, salt, id, draw, k) */
PG_FUNCTION_INFO_V1(rec_interleave);
Datum
rec_interleave(PG_FUNCTION_ARGS)
{
	Team		team[2] = {read_team(fcinfo, 0, "a"), read_team(fcinfo, 1, "b")};
	Oid			type = ARR_ELEMTYPE(PG_GETARG_ARRAYTYPE_P(0));
	char	   *salt = rec_arguments_text(fcinfo, 2);
	char	   *id = rec_assignment_id_text(fcinfo, 3);
	char	   *draw = rec_arguments_text(fcinfo, 4);
	int			k = PG_GETARG_INT32(5);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RecDict    *listed;
	int			round = 0;

	rec_arguments_check_k(k);
	if (!OidIsValid(PG_GET_COLLATION()) && type_is_collatable(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_COLLATION),
				 errmsg("could not determine which collation to use for ids"),
				 errhint("Use the COLLATE clause to set the collation explicitly.")));
	InitMaterializedSRF(fcinfo, 0);
	listed = rec_dictionary_create(type, PG_GET_COLLATION(), CurrentMemoryContext);
	for (int rank = 1; rank <= k; rank++)
	{
		bool		has[2] = {find_next(&team[0], listed), find_next(&team[1], listed)};
		int			turn;
		Datum		value[INTERLEAVE_NCOLS];
		bool		null[INTERLEAVE_NCOLS] = {false, false, false};

		CHECK_FOR_INTERRUPTS();
		if (!has[0] && !has[1])
			break;
		if (team[0].picks != team[1].picks)
			turn = team[0].picks < team[1].picks ? 0 : 1;
		else
			turn = rec_assignment_bucket(salt, id, psprintf("%s/%d", draw, ++round)) < 0.5 ? 0 : 1;
		if (!has[turn])
			turn = 1 - turn;
		value[0] = Int32GetDatum(rank);
		value[1] = team[turn].id[team[turn].next];
		value[2] = CStringGetTextDatum(team[turn].name);
		tuplestore_putvalues(result->setResult, result->setDesc, value, null);
		(void) rec_dictionary_intern(listed, team[turn].id[team[turn].next]);
		team[turn].picks++;
	}
	return (Datum) 0;
}

/* sign_test(wins, losses): the exact two-sided p-value of a fair coin. */
PG_FUNCTION_INFO_V1(rec_sign_test);
Datum
rec_sign_test(PG_FUNCTION_ARGS)
{
	double		wins = rec_number_argument_count(fcinfo, 0, 0, "wins");
	double		losses = rec_number_argument_count(fcinfo, 1, 0, "losses");

	PG_RETURN_FLOAT8(rec_distribution_sign_test(wins, losses));
}
