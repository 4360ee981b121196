/*-------------------------------------------------------------------------
 *
 * purchase.h
 *	  Models of purchasing: MBG/NBD and BG/NBD.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/purchase.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_PURCHASE_H
#define REC_PURCHASE_H

#include "customer/pattern.h"

#define REC_PURCHASE_MIN_USERS	100 /* no model is fitted on fewer */

typedef enum RecPurchaseKind
{
	REC_PURCHASE_MBG,			/* a customer may leave after the first
								 * purchase, too */
	REC_PURCHASE_BG,			/* only after a repeat purchase */
} RecPurchaseKind;

/* A customer, in one unit of time: recency and age count from the first purchase. */
typedef struct RecPurchases
{
	int32		frequency;		/* repeat purchases, x */
	double		recency;		/* time of the last one, t_x; 0 without any */
	double		age;			/* time until now, T */
} RecPurchases;

typedef struct RecPurchaseModel
{
	RecPurchaseKind kind;
	bool		fitted;			/* else all that follows up to users is 0 */
	double		r;				/* rates of purchasing are Gamma(r, alpha) ... */
	double		alpha;			/* ... in the unit of time */
	double		a;				/* probabilities to leave are Beta(a, b) */
	double		b;
	double		log_likelihood;
	bool		dropout;		/* false: a is 0, nobody leaves */
	bool		converged;
	int64		users;
	int64		repeaters;
} RecPurchaseModel;

/* What a model predicts of a customer. */
typedef struct RecPurchaseOutlook
{
	double		alive;			/* probability that the customer has not left */
	double		expected;		/* purchases within the horizon */
	double		probability;	/* of at least one of them */
	double		median_wait;	/* NaN: more likely than not there is no other
								 * purchase */
	double		overdue;		/* share of such customers who would have
								 * bought again by now */
} RecPurchaseOutlook;

extern void rec_purchase_fit(RecPurchaseModel *model, RecPurchaseKind kind, RecPatterns *patterns);
extern RecPurchaseOutlook rec_purchase_outlook(const RecPurchaseModel *model,
											   const RecPurchases *customer, double horizon);

#endif							/* REC_PURCHASE_H */
