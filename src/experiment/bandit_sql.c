/*-------------------------------------------------------------------------
 *
 * bandit_sql.c
 *	  Policies of bandits as SQL functions, and the state of a linear arm as an
 *	  aggregate.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/bandit_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "experiment/bandit.h"
#include "experiment/number_argument.h"
#include "fmgr.h"
#include "funcapi.h"
#include "pg/arguments.h"
#include "pg/closest_name.h"
#include "pg/json_reader.h"

#define ARM_NCOLS		4		/* of bandit_arm */

/* ----------------
 *		options
 * ----------------
 */

/* An option of a policy. */
typedef struct OptionSpec
{
	const char *name;
	size_t		offset;			/* in RecBanditOptions */
	double		low;
	double		high;
	double		value;			/* by default */
} OptionSpec;

static const OptionSpec specs[] = {
	{"alpha", offsetof(RecBanditOptions, alpha), 0, 1e6, 1},
	{"epsilon", offsetof(RecBanditOptions, epsilon), 0, 1, 0.1},
	{"floor", offsetof(RecBanditOptions, floor), 0, 1, 0.01},
	{"prior_alpha", offsetof(RecBanditOptions, prior_alpha), 1e-6, 1e15, 1},
	{"prior_beta", offsetof(RecBanditOptions, prior_beta), 1e-6, 1e15, 1},
	{"prior_mean", offsetof(RecBanditOptions, prior_mean), -1e15, 1e15, 0},
	{"prior_variance", offsetof(RecBanditOptions, prior_variance), 1e-15, 1e15, 1},
	{"ridge", offsetof(RecBanditOptions, ridge), 1e-9, 1e9, 1},
	{"temperature", offsetof(RecBanditOptions, temperature), 1e-9, 1e9, 1},
	{"warmup", offsetof(RecBanditOptions, warmup), 0, 1e15, 0}
};

static double *
option_value(RecBanditOptions *options, const OptionSpec *spec)
{
	return (double *) ((char *) options + spec->offset);
}

/* Return the name of an option by its number, NULL after the last. */
static const char *
option_name(int number)
{
	return number < (int) lengthof(specs) ? specs[number].name : NULL;
}

/* Read the options, an argument of type jsonb. */
static RecBanditOptions
read_options(FunctionCallInfo fcinfo, int n)
{
	RecBanditOptions options;
	RecJsonMembers member = rec_json_reader_members(rec_json_reader_root_object(PG_GETARG_JSONB_P(n), "options"));

	for (int i = 0; i < (int) lengthof(specs); i++)
		*option_value(&options, &specs[i]) = specs[i].value;
	while (rec_json_reader_next_member(&member))
	{
		const OptionSpec *spec = &specs[rec_closest_name_number("option", option_name, member.name)];

		*option_value(&options, spec) =
			rec_json_reader_double_within(psprintf("option \"%s\"", spec->name), &member.value,
										  spec->low, spec->high, false);
	}
	return options;
}

/* ----------------
 *		choices
 * ----------------
 */

static RecArmChoice
create_choice(int count)
{
	RecArmChoice choice;

	choice.mean = palloc_array(double, Max(count, 1));
	choice.index = palloc_array(double, Max(count, 1));
	choice.probability = palloc_array(double, Max(count, 1));
	return choice;
}

/* Return rows of (arm, mean, index, probability). */
static Datum
return_choice(FunctionCallInfo fcinfo, const RecArmChoice *choice, int count)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		Datum		value[ARM_NCOLS] = {
			Int32GetDatum(i + 1), Float8GetDatum(choice->mean[i]),
			Float8GetDatum(choice->index[i]), Float8GetDatum(choice->probability[i])};
		bool		null[ARM_NCOLS] = {false, isnan(choice->mean[i]), false, false};

		tuplestore_putvalues(result->setResult, result->setDesc, value, null);
	}
	return (Datum) 0;
}

static RecPolicy
read_policy(FunctionCallInfo fcinfo, int n, bool linear)
{
	char	   *name = rec_arguments_text(fcinfo, n);
	RecPolicy	policy = rec_closest_name_number("policy", rec_bandit_policy_name, name);
	bool		is_linear = policy == REC_POLICY_LINUCB || policy == REC_POLICY_LINTS;

	if (is_linear && !linear)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the policy \"%s\" needs a context", name),
				 errhint("Use linear_bandit_arms().")));
	if (linear && !is_linear)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the policy \"%s\" does not take a context", name),
				 errhint("Use bandit_arms().")));
	return policy;
}

static void
check_length(int count, int other, const char *name)
{
	if (count != other)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("n and %s must have the same number of elements", name),
				 errdetail("Their lengths are %d and %d.", count, other)));
}

/* bandit_arms(n, total, total_squares, policy, options) */
PG_FUNCTION_INFO_V1(rec_bandit_arms);
Datum
rec_bandit_arms(PG_FUNCTION_ARGS)
{
	RecArmSums	sums = {0};
	RecArmChoice choice;
	RecBanditOptions options;
	RecPolicy	policy;
	int			length;

	for (int i = 0; i < 5; i++)
	{
		if (i != 2 && PG_ARGISNULL(i))
			return return_choice(fcinfo, NULL, 0);
	}
	sums.n = rec_number_argument_array(fcinfo, 0, "n", &sums.count);
	sums.total = rec_number_argument_array(fcinfo, 1, "total", &length);
	check_length(sums.count, length, "total");
	if (!PG_ARGISNULL(2))
	{
		sums.squares = rec_number_argument_array(fcinfo, 2, "total_squares", &length);
		check_length(sums.count, length, "total_squares");
	}
	policy = read_policy(fcinfo, 3, false);
	options = read_options(fcinfo, 4);
	for (int i = 0; i < sums.count; i++)
	{
		rec_number_argument_check(sums.n[i], 0, HUGE_VAL, "n");
		if (policy == REC_POLICY_THOMPSON && sums.squares == NULL)
			rec_number_argument_check(sums.total[i], 0, sums.n[i], "total of rewards that are 0 or 1");
		if (sums.squares != NULL)
			rec_number_argument_check(sums.squares[i], 0, HUGE_VAL, "total_squares");
	}
	choice = create_choice(sums.count);
	if (sums.count > 0)
		rec_bandit_choose(policy, &options, &sums, &choice);
	return return_choice(fcinfo, &choice, sums.count);
}

/* linear_bandit_arms(states, context, policy, options) */
PG_FUNCTION_INFO_V1(rec_linear_bandit_arms);
Datum
rec_linear_bandit_arms(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int			cells;
	int			nfeatures;
	double	   *state = rec_number_argument_array(fcinfo, 0, "states", &cells);
	double	   *context = rec_number_argument_array(fcinfo, 1, "context", &nfeatures);
	RecPolicy	policy = read_policy(fcinfo, 2, true);
	RecBanditOptions options = read_options(fcinfo, 3);
	int			count = ARR_NDIM(array) == 2 ? ARR_DIMS(array)[0] : 0;
	RecArmChoice choice = create_choice(count);

	if (ARR_NDIM(array) != 2)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("states must be an array of the arms' states"),
				 errhint("array_agg() of what linear_state() returns for each arm is one.")));
	for (int i = 0; i < count; i++)
	{
		int			length = cells / count;

		if (rec_bandit_state_features(state + (Size) i * length, length) != nfeatures)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("state %d is not the state of an arm with %d features", i + 1, nfeatures)));
	}
	rec_bandit_choose_linear(policy, &options, state, count, context, nfeatures, &choice);
	return return_choice(fcinfo, &choice, count);
}

/* ----------------
 *		the state of a linear arm
 * ----------------
 */

/* Return a new state in the aggregate's memory, without rewards. */
static ArrayType *
create_state(MemoryContext mcxt, int nfeatures)
{
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	double	   *zero = palloc0_array(double, rec_bandit_state_length(nfeatures));
	ArrayType  *state;

	zero[1] = nfeatures;
	state = rec_number_argument_new_array(zero, rec_bandit_state_length(nfeatures));
	pfree(zero);
	MemoryContextSwitchTo(old);
	return state;
}

/* Return the numbers of a state, which may be any array. */
static double *
state_numbers(ArrayType *state, int *nfeatures)
{
	double	   *number = (double *) ARR_DATA_PTR(state);

	*nfeatures = ARR_NDIM(state) != 1 || ARR_HASNULL(state) ? -1
		: rec_bandit_state_features(number, ARR_DIMS(state)[0]);
	if (*nfeatures < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("state of linear_state() is not valid")));
	return number;
}

/*
 * linear_state's transition: (state, reward, context).  A row without a reward
 * tells the number of features only.
 */
PG_FUNCTION_INFO_V1(rec_linear_state_transition);
Datum
rec_linear_state_transition(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	ArrayType  *state = PG_ARGISNULL(0) ? NULL : PG_GETARG_ARRAYTYPE_P(0);
	double		reward;
	double	   *x;
	double	   *number;
	double	   *cell;
	int			count;
	int			nfeatures;

	if (PG_ARGISNULL(2))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_ARRAYTYPE_P(state);
	}
	x = rec_number_argument_array(fcinfo, 2, "context", &count);
	if (count < 1 || count > REC_BANDIT_MOST_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("context must have between 1 and %d features, not %d", REC_BANDIT_MOST_FEATURES, count)));
	if (state == NULL)
		state = create_state(mcxt, count);
	number = state_numbers(state, &nfeatures);
	if (nfeatures != count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("all contexts must have the same number of features"),
				 errdetail("Contexts of %d and of %d were found.", nfeatures, count)));
	if (PG_ARGISNULL(1))
		PG_RETURN_ARRAYTYPE_P(state);
	reward = rec_number_argument_finite(fcinfo, 1, "reward");
	number[0]++;
	cell = number + 2 + nfeatures;
	for (int i = 0; i < nfeatures; i++)
	{
		number[2 + i] += reward * x[i];
		for (int j = 0; j <= i; j++)
			*cell++ += x[i] * x[j];
	}
	pfree(x);
	PG_RETURN_ARRAYTYPE_P(state);
}

/* Combine function of linear_state: adds the second state to the first. */
PG_FUNCTION_INFO_V1(rec_linear_state_combine);
Datum
rec_linear_state_combine(PG_FUNCTION_ARGS)
{
	MemoryContext mcxt = rec_arguments_aggregate_mcxt(fcinfo);
	ArrayType  *state = PG_ARGISNULL(0) ? NULL : PG_GETARG_ARRAYTYPE_P(0);
	double	   *number;
	double	   *other;
	int			nfeatures;
	int			nothers;

	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_ARRAYTYPE_P(state);
	}
	other = state_numbers(PG_GETARG_ARRAYTYPE_P(1), &nothers);
	if (state == NULL)
		state = create_state(mcxt, nothers);
	number = state_numbers(state, &nfeatures);
	if (nfeatures != nothers)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("all contexts must have the same number of features"),
				 errdetail("Contexts of %d and of %d were found.", nfeatures, nothers)));
	for (int i = 0; i < rec_bandit_state_length(nfeatures); i++)
	{
		if (i != 1)
			number[i] += other[i];
	}
	PG_RETURN_ARRAYTYPE_P(state);
}
