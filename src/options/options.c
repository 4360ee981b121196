/*-------------------------------------------------------------------------
 *
 * options.c
 *	  The options of a similarity computation and of a recommender.
 *
 * option_spec.c has the table of options, from which defaults, reading and
 * writing follow.  This file has the functions that computations need.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options/options.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "options/options.h"
#include "pg/closest_name.h"

const char *const rec_options_component_names[] = {
	"behaviour", "factors", "content", "context", "popularity", "trend"
};

/* ----------------
 *		names of values, NULL past the last one
 * ----------------
 */

const char *
rec_options_weighting_name(int value)
{
	static const char *const names[] = {"none", "binary", "log", "tfidf", "bm25"};

	return value < (int) lengthof(names) ? names[value] : NULL;
}

const char *
rec_options_repeats_name(int value)
{
	static const char *const names[] = {"sum", "max", "last", "binary"};

	return value < (int) lengthof(names) ? names[value] : NULL;
}

const char *
rec_options_model_name(int value)
{
	static const char *const names[] = {"neighbors", "ridge", "als"};

	return value < (int) lengthof(names) ? names[value] : NULL;
}

const char *
rec_options_truncate_name(int value)
{
	static const char *const names[] = {"source", "target"};

	return value < (int) lengthof(names) ? names[value] : NULL;
}

/* Return the model with a name; an ERROR when there is none. */
RecModel
rec_options_model(const char *name)
{
	return (RecModel) rec_closest_name_number("model", rec_options_model_name, name);
}

/*
 * Return how the measure uses the weights of interactions.  A model without
 * neighbours has no measure and uses them as cosine does.
 */
const RecMeasureTraits *
rec_options_measure_traits(const RecOptions *options)
{
	return &rec_measure_name_traits[options->model == REC_MODEL_RIDGE ? REC_MEASURE_COSINE :
							   options->measure];
}

/* Make a cap of one column the value of max_per, in the current context. */
void
rec_options_cap(RecOptions *options, const char *column, int most)
{
	options->caps = palloc_object(RecCap);
	options->caps[0].column = pstrdup(column);
	options->caps[0].most = most;
	options->ncaps = 1;
}

/*
 * Raise an error when two options contradict each other, each of them valid
 * alone.
 */
void
rec_options_check(const RecOptions *options)
{
	if (options->model == REC_MODEL_ALS &&
		(options->weighting == REC_WEIGHTING_TFIDF || options->weighting == REC_WEIGHTING_BM25))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"als\" takes no weighting \"%s\"", rec_options_weighting_name(options->weighting)),
				 errhint("Weightings for it are none, binary and log.")));
	if (rec_options_measure_traits(options)->centring != REC_CENTRE_NONE &&
		options->weighting != REC_WEIGHTING_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("measure \"%s\" compares ratings and takes no weighting",
						rec_options_measure_traits(options)->name)));
}
