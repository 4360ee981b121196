/*-------------------------------------------------------------------------
 *
 * call_factors.c
 *	  Scoring by factors in a call: the user folded in, and explained.
 *
 * A call reads the factors of the history's items, folds the user in, and then
 * multiplies the user's factors with those of all items.
 *
 * To explain a score by the items of the history, the user's equations are
 * solved for each of them; the solutions are kept until the end of the call.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/call_factors.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "factor/factor_table.h"
#include "miscadmin.h"
#include "rank/history.h"
#include "serve/call_factors.h"

/* An item of the history whose factors took part. */
typedef struct Observation
{
	uint32		ref;			/* its number in the history */
	double		weight;
	const float4 *factors;
	RecSignal	signal;			/* as if it were one of its own */
} Observation;

struct RecCallFactors
{
	const RecCall *call;
	RecFolds	folds;
	RecFolding *folding;
	int			n;
	Observation *observations;	/* those that count, in order of the history */
	double	   *responses;		/* of each, or NULL until asked for */
};

/* ----------------
 *		a user
 * ----------------
 */

/* Keep those items of the history that the model knows and that count. */
static void
observe(RecCallFactors *user, const RecPair *pairs, const int32 *numbers, int n)
{
	const RecServedModel *model = &user->call->model;
	int32	   *known = palloc_array(int32, n + 1);
	float4	   *factors;

	user->observations = palloc_array(Observation, n + 1);
	for (int i = 0; i < n; i++)
	{
		Observation *observation = &user->observations[user->n];
		double		weight = rec_history_confidence(&user->call->options, pairs[i].weight);

		if (numbers[i] < 0 || numbers[i] >= user->folds.ncolumns ||
			!rec_folding_counts(&user->folds, weight))
			continue;
		observation->ref = pairs[i].item;
		observation->weight = weight;
		known[user->n++] = numbers[i];
	}
	if (user->n == 0)
		return;
	factors = rec_factor_table_read_items(model->definition, model->generation,
										  user->folds.nfactors, known, user->n);
	for (int i = 0; i < user->n; i++)
		user->observations[i].factors = factors + (Size) i * user->folds.nfactors;
}

/* Solve the user's equations and add the scores of all items as a signal. */
static void
add_signal(RecCallFactors *user)
{
	const RecCall *call = user->call;
	const RecServedModel *model = &call->model;
	RecSignal	signal = {REC_FACTORS, PG_UINT32_MAX, 1, 0, NULL, NULL};
	double	   *factors = palloc_array(double, user->folds.nfactors);

	user->folding = rec_folding_create(CurrentMemoryContext, user->folds.nfactors);
	rec_folding_begin(user->folding, &user->folds, user->n);
	for (int i = 0; i < user->n; i++)
		rec_folding_add(user->folding, user->observations[i].factors, user->observations[i].weight);
	rec_folding_finish(user->folding, factors);
	signal.values = rec_factor_table_score(model->definition, model->generation, model->nitems,
										   &user->folds, factors, &signal.n);
	rec_score_expect_all(call->scores, signal.n);
	rec_score_add(call->scores, &signal);
}

/*
 * Fold a user with this history in and add the products with all items to the
 * scores, if the model has factors and the blend weighs them; return NULL if
 * not.  "numbers" are those of the history's items in the model, or -1.
 */
RecCallFactors *
rec_call_factors_add(const RecCall *call, const RecPair *pairs, const int32 *numbers, int n)
{
	const RecServedModel *model = &call->model;
	RecCallFactors *user = palloc0_object(RecCallFactors);

	user->call = call;
	if (call->options.model != REC_MODEL_ALS || call->options.blend[REC_FACTORS] == 0 ||
		!rec_factor_table_read_folds(model->definition, model->generation, &user->folds))
		return NULL;
	observe(user, pairs, numbers, n);
	if (user->n == 0)
		return NULL;
	add_signal(user);
	return user;
}

/* ----------------
 *		explanations
 * ----------------
 */

/* Solve the user's equations for each observation. */
static void
find_responses(RecCallFactors *user)
{
	int			nfactors = user->folds.nfactors;

	user->responses = palloc_array(double, (Size) user->n * nfactors);
	rec_folding_begin_responses(user->folding, &user->folds, user->n);
	for (int i = 0; i < user->n; i++)
		rec_folding_add(user->folding, user->observations[i].factors, user->observations[i].weight);
	rec_folding_end_responses(user->folding);
	for (int i = 0; i < user->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rec_folding_response(user->folding, user->observations[i].factors,
							 user->observations[i].weight, user->responses + (Size) i * nfactors);
	}
}

/* Return what each observation adds to the value for an item. */
static double *
find_values(RecCallFactors *user, uint32 item)
{
	const RecCall *call = user->call;
	int			nfactors = user->folds.nfactors;
	int32		number = (int32) item;
	float4	   *factors = rec_factor_table_read_items(call->model.definition, call->model.generation,
													  nfactors, &number, 1);
	double	   *values = palloc0_array(double, user->n);

	if (user->responses == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(call->mcxt);

		find_responses(user);
		MemoryContextSwitchTo(old);
	}
	for (int i = 0; i < user->n; i++)
		for (int k = 0; k < nfactors; k++)
			values[i] += user->responses[(Size) i * nfactors + k] * factors[k];
	return values;
}

/*
 * Replace the factors' contribution to an item, if there is one among n, by
 * those of the history's items, of the user that was folded in, or NULL;
 * return the new number.
 */
int
rec_call_factors_split(RecCallFactors *user, const RecScoredItem *item,
					   RecContribution **contributions, int n)
{
	RecContribution *split;
	double	   *values;
	double	   *parts;
	int			at = 0;
	int			m = 0;

	while (at < n && (*contributions)[at].component != REC_FACTORS)
		at++;
	if (at == n || user == NULL)
		return n;
	values = find_values(user, item->item);
	parts = palloc_array(double, user->n);
	rec_contribution_split(user->call->scores, &(*contributions)[at], values, user->n, parts);
	split = palloc_array(RecContribution, n + user->n);
	memcpy(split, *contributions, at * sizeof(RecContribution));
	for (int i = 0; i < user->n; i++)
	{
		Observation *observation = &user->observations[i];
		RecSignal	signal = {REC_FACTORS, observation->ref, observation->weight, 0, NULL, NULL};
		RecContribution part = {REC_FACTORS, &observation->signal, values[i] / observation->weight, parts[i]};

		observation->signal = signal;
		if (parts[i] != 0)
			split[at + m++] = part;
	}
	memcpy(split + at + m, *contributions + at + 1, (n - at - 1) * sizeof(RecContribution));
	*contributions = split;
	return n - 1 + m;
}
