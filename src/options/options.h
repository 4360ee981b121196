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
 * The terms of a score, in the order in which they are added up.  The first
 * ones come as lists of items, from signals; the others each item has.
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

/* What gives the weights of an item's neighbours. */
typedef enum RecModel
{
	REC_MODEL_NEIGHBORS,		/* the similarity, by a measure */
	REC_MODEL_RIDGE,			/* ridge regression */
	REC_MODEL_ALS				/* the similarity, and factors beside it */
} RecModel;

#define REC_NMODELS		(REC_MODEL_ALS + 1)

typedef enum RecTruncate
{
	REC_TRUNCATE_SOURCE,
	REC_TRUNCATE_TARGET
} RecTruncate;

/* At most so many items of one value of a column. */
typedef struct RecCap
{
	char	   *column;
	int			most;
} RecCap;

/* What an event of a source weighs, instead of what the source says. */
typedef struct RecSourceWeight
{
	char	   *relation;
	char	   *event;
	double		weight;
} RecSourceWeight;

/* When an option may be given: these are bits of a scope. */
#define REC_SCOPE_BUILD		1	/* takes effect with the next build */
#define REC_SCOPE_SERVE		2	/* takes effect with the next call */
#define REC_SCOPE_SOURCE	4	/* kept by the sources of interactions */
#define REC_SCOPE_ALL		(REC_SCOPE_BUILD | REC_SCOPE_SERVE | REC_SCOPE_SOURCE)

typedef struct RecOptions
{
	/* build: what the matrix is made of */
	int			repeats;		/* RecRepeats: how repeated pairs combine */
	double		half_life;		/* microseconds; 0 means no decay */
	int			max_history;	/* pairs kept of a user, the newest */
	int			weighting;		/* RecWeighting */
	double		bm25_k1;
	double		bm25_b;

	/* build: how items are compared */
	int			model;			/* RecModel */
	int			measure;		/* RecMeasureNumber */
	int			neighbors;		/* kept for each item */
	int			min_support;	/* users that must stand behind a pair */
	double		shrinkage;
	double		user_exponent;
	double		source_exponent;
	double		target_exponent;
	double		tversky_alpha;
	double		tversky_beta;
	int			truncate;		/* RecTruncate */
	double		content_kappa;	/* users that what an item borrows is worth */
	double		ridge_lambda;	/* penalty on weights, in interactions */
	double		ridge_damping;	/* power of a target's popularity */
	int			ridge_candidates;	/* items that explain one: local form */
	int			ridge_exact_items;	/* catalogues up to this: exact form */
	int			als_factors;
	int			als_iterations;
	double		als_unobserved; /* weight of all pairs, in observed ones */
	double		als_regularization;
	double		als_exponent;	/* of interactions, in the penalty of factors */
	int			als_seed;

	/* build: what the context says of items */
	int			context_time;	/* bits 1 << RecTimePart */
	const char *context_timezone;	/* where the clock hangs; never freed */
	double		context_smoothing;	/* users added to those there are and to
									 * those expected */
	double		context_significance;	/* p-value that a lift may have */

	/* serve */
	bool		context_now;	/* the time of the call is context */
	double		blend[REC_NCOMPONENTS]; /* weight of each component */
	double		kappa;			/* evidence at which behaviour has half */
	double		item_kappa;		/* users at which an item's behaviour has half */
	int			history;		/* newest items of the user that count */
	int			new_items;		/* newest ones that the model does not know */
	bool		exclude_seen;
	int			nseen_events;
	char	  **seen_events;	/* events after which an item is seen */
	double		session_decay;	/* factor per step back in a session */
	int			reasons;		/* contributions shown with a row */
	double		diversity;		/* of an answer, 0 to 1 */
	int			ncaps;
	RecCap	   *caps;			/* in order of the columns' names */
	double		popularity_discount;	/* times popularity, off a score */
	char	   *language;		/* of the sentences shown with them, or NULL */
	double		trend_window;	/* microseconds */
	double		trend_baseline; /* microseconds before the window */
	double		trend_smoothing;	/* weight added to what is expected */

	/* of sources */
	int			nevent_weights;
	RecSourceWeight *event_weights;

	bool		stored_model;	/* has the defaults of one */
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
