/*-------------------------------------------------------------------------
 *
 * options.h
 *	  The options of a similarity computation and of a recommender.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/options/options.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_OPTIONS_H
#define REC_OPTIONS_H

#include "options/measure_name.h"

/*
 * The components of a score, in the order in which they are added up.  The
 * first ones come as lists of items, from signals; each item has a value of
 * the others.
 */
typedef enum RecComponent
{
	REC_BEHAVIOUR,
	REC_FACTORS,
	REC_CONTENT,
	REC_CONTEXT,
	REC_POPULARITY,
	REC_TREND,
	REC_NCOMPONENTS
} RecComponent;

#define REC_NLISTED		REC_POPULARITY	/* components that come as lists */

typedef enum RecWeighting
{
	REC_WEIGHTING_NONE,
	REC_WEIGHTING_BINARY,
	REC_WEIGHTING_LOG,
	REC_WEIGHTING_TFIDF,
	REC_WEIGHTING_BM25
} RecWeighting;

typedef enum RecRepeats
{
	REC_REPEATS_SUM,
	REC_REPEATS_MAX,
	REC_REPEATS_LAST,
	REC_REPEATS_BINARY
} RecRepeats;

/* What the weights of an item's neighbours are computed by. */
typedef enum RecModel
{
	REC_MODEL_NEIGHBORS,		/* the similarity, by a measure */
	REC_MODEL_RIDGE,			/* ridge regression */
	REC_MODEL_ALS				/* the similarity, and in addition factors */
} RecModel;

#define REC_NMODELS		(REC_MODEL_ALS + 1)

typedef enum RecTruncate
{
	REC_TRUNCATE_SOURCE,
	REC_TRUNCATE_TARGET
} RecTruncate;

/* At most so many items with one value of a column. */
typedef struct RecCap
{
	char	   *column;
	int			most;
} RecCap;

/*
 * The weight of a kind of event of one source, in place of the source's own.
 */
typedef struct RecSourceWeight
{
	char	   *relation;
	char	   *event;
	double		weight;
} RecSourceWeight;

/* When an option may be given: bits of a scope. */
#define REC_SCOPE_BUILD		1	/* takes effect with the next build */
#define REC_SCOPE_SERVE		2	/* takes effect with the next call */
#define REC_SCOPE_SOURCE	4	/* stored with the sources of interactions */
#define REC_SCOPE_ALL		(REC_SCOPE_BUILD | REC_SCOPE_SERVE | REC_SCOPE_SOURCE)

typedef struct RecOptions
{
	/* build: making the matrix */
	int			repeats;		/* RecRepeats: how repeated pairs combine */
	double		half_life;		/* microseconds; 0 means no decay */
	int			max_history;	/* newest pairs of a user that are kept */
	int			weighting;		/* RecWeighting */
	double		bm25_k1;
	double		bm25_b;

	/* build: comparing items */
	int			model;			/* RecModel */
	int			measure;		/* RecMeasureNumber */
	int			neighbors;		/* kept for each item */
	int			min_support;	/* least number of common users of a pair */
	double		shrinkage;
	double		user_exponent;
	double		source_exponent;
	double		target_exponent;
	double		tversky_alpha;
	double		tversky_beta;
	int			truncate;		/* RecTruncate */
	double		content_kappa;	/* users that borrowed similarities count as */
	double		ridge_lambda;	/* penalty on weights, in interactions */
	double		ridge_damping;	/* power of a target's popularity */
	int			ridge_candidates;	/* items that explain one item: local form */
	int			ridge_exact_items;	/* largest catalogue of the exact form */
	int			als_factors;
	int			als_iterations;
	double		als_unobserved; /* weight of all pairs, relative to the
								 * observed ones */
	double		als_regularization;
	double		als_exponent;	/* of a row's interactions, in the penalty of
								 * its factors */
	int			als_seed;

	/* build: lifts of the context */
	int			context_time;	/* bits 1 << RecTimePart */
	const char *context_timezone;	/* for the hour, weekday and month; never
									 * freed */
	double		context_smoothing;	/* users added to the observed and to the
									 * expected number */
	double		context_significance;	/* largest p-value of a lift that is
										 * kept */

	/* serve */
	bool		context_now;	/* the time of the call is context */
	double		blend[REC_NCOMPONENTS]; /* weight of each component */
	double		kappa;			/* evidence at which behaviour has half of the
								 * weight */
	double		item_kappa;		/* users at which an item's behaviour has half */
	int			history;		/* newest items of the user's history that
								 * count */
	int			new_items;		/* newest items unknown to the model that are
								 * scored */
	bool		exclude_seen;
	int			nseen_events;
	char	  **seen_events;	/* events whose items count as seen */
	double		session_decay;	/* weight per step back in a session */
	int			reasons;		/* contributions shown with a row */
	double		diversity;		/* of an answer, 0 to 1 */
	int			ncaps;
	RecCap	   *caps;			/* in order of the columns' names */
	double		popularity_discount;	/* subtracted from a score, times
										 * popularity */
	char	   *language;		/* of the explanations shown with
								 * contributions, or NULL */
	double		trend_window;	/* microseconds */
	double		trend_baseline; /* microseconds before the window */
	double		trend_smoothing;	/* weight added to the expected weight */

	/* of sources */
	int			nevent_weights;
	RecSourceWeight *event_weights;

	bool		stored_model;	/* has the defaults of a stored model */
} RecOptions;

extern const char *const rec_options_component_names[];

extern const char *rec_options_weighting_name(int value);
extern const char *rec_options_repeats_name(int value);
extern const char *rec_options_model_name(int value);
extern const char *rec_options_truncate_name(int value);
extern RecModel rec_options_model(const char *name);
extern const RecMeasureTraits *rec_options_measure_traits(const RecOptions *options);
extern void rec_options_cap(RecOptions *options, const char *column, int most);
extern void rec_options_check(const RecOptions *options);

#endif							/* REC_OPTIONS_H */
