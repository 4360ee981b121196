/*
 * textbook.c
 *	  The kernels of a textbook, as a reference for ours.
 *
 * Reads lines "user item" of small integers, computes for each item the 50
 * most similar ones by binary cosine with a dense accumulator and a heap, then
 * for each user the 10 items with the largest sums of similarities that he
 * does not have, and prints the CPU seconds that each of the two took, reading
 * left out.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define K 50
#define BEST 10

typedef struct Pair
{
	int			user;
	int			item;
} Pair;

typedef struct Entry
{
	double		score;
	int			item;
} Entry;

static void
sift_down(Entry *heap, int n, int i)
{
	for (;;)
	{
		int			least = i;
		Entry		swap;

		for (int c = 2 * i + 1; c <= 2 * i + 2; c++)
			if (c < n && heap[c].score < heap[least].score)
				least = c;
		if (least == i)
			return;
		swap = heap[i];
		heap[i] = heap[least];
		heap[least] = swap;
		i = least;
	}
}

/* Rows of a compressed sparse matrix: start[r] .. start[r + 1] of column. */
static void
compress(const Pair *pairs, long n, int rows, int by_item, long *start, int *column)
{
	memset(start, 0, (rows + 2) * sizeof(long));
	for (long i = 0; i < n; i++)
		start[(by_item ? pairs[i].item : pairs[i].user) + 2]++;
	for (int r = 2; r < rows + 2; r++)
		start[r] += start[r - 1];
	for (long i = 0; i < n; i++)
		column[start[(by_item ? pairs[i].item : pairs[i].user) + 1]++] =
			by_item ? pairs[i].user : pairs[i].item;
}

/* Keeps the best K of what comes; the least of them is on top. */
static void
keep(Entry *heap, int *n, int k, Entry entry)
{
	if (*n < k)
	{
		heap[(*n)++] = entry;
		if (*n == k)
			for (int h = k / 2; h >= 0; h--)
				sift_down(heap, k, h);
	}
	else if (entry.score > heap[0].score)
	{
		heap[0] = entry;
		sift_down(heap, k, 0);
	}
}

/* The neighbours of each item, K for each at the most. */
static void
similarities(int nitems, const long *user_start, const int *user_item,
			 const long *item_start, const int *item_user,
			 Entry *neighbors, int *nneighbors)
{
	double	   *count = calloc(nitems, sizeof(double));
	int		   *touched = malloc(nitems * sizeof(int));

	for (int i = 0; i < nitems; i++)
	{
		int			ntouched = 0;

		nneighbors[i] = 0;
		for (long p = item_start[i]; p < item_start[i + 1]; p++)
			for (long q = user_start[item_user[p]]; q < user_start[item_user[p] + 1]; q++)
			{
				if (count[user_item[q]] == 0)
					touched[ntouched++] = user_item[q];
				count[user_item[q]]++;
			}
		for (int t = 0; t < ntouched; t++)
		{
			int			j = touched[t];
			Entry		entry = {count[j] / sqrt((double) (item_start[i + 1] - item_start[i]) *
												 (double) (item_start[j + 1] - item_start[j])), j};

			count[j] = 0;
			if (j != i)
				keep(neighbors + (long) i * K, &nneighbors[i], K, entry);
		}
	}
}

/* The best items for each user; gives the sum of their scores. */
static double
recommendations(int nusers, int nitems, const long *user_start, const int *user_item,
				const Entry *neighbors, const int *nneighbors)
{
	double	   *sum = calloc(nitems, sizeof(double));
	int		   *touched = malloc(nitems * sizeof(int));
	double		checksum = 0;

	for (int u = 0; u < nusers; u++)
	{
		Entry		heap[BEST];
		int			n = 0;
		int			ntouched = 0;

		for (long p = user_start[u]; p < user_start[u + 1]; p++)
			for (int k = 0; k < nneighbors[user_item[p]]; k++)
			{
				Entry		entry = neighbors[(long) user_item[p] * K + k];

				if (sum[entry.item] == 0)
					touched[ntouched++] = entry.item;
				sum[entry.item] += entry.score;
			}
		for (long p = user_start[u]; p < user_start[u + 1]; p++)
			sum[user_item[p]] = 0;
		for (int t = 0; t < ntouched; t++)
		{
			Entry		entry = {sum[touched[t]], touched[t]};

			sum[touched[t]] = 0;
			if (entry.score > 0)
				keep(heap, &n, BEST, entry);
		}
		for (int i = 0; i < n; i++)
			checksum += heap[i].score;
	}
	return checksum;
}

int
main(void)
{
	long		n = 0;
	long		allocated = 1024;
	Pair	   *pairs = malloc(allocated * sizeof(Pair));
	int			nusers = 0;
	int			nitems = 0;
	clock_t		started;
	clock_t		between;

	while (scanf("%d %d", &pairs[n].user, &pairs[n].item) == 2)
	{
		nusers = pairs[n].user >= nusers ? pairs[n].user + 1 : nusers;
		nitems = pairs[n].item >= nitems ? pairs[n].item + 1 : nitems;
		if (++n == allocated)
			pairs = realloc(pairs, (allocated *= 2) * sizeof(Pair));
	}
	started = clock();
	{
		long	   *user_start = malloc((nusers + 2) * sizeof(long));
		long	   *item_start = malloc((nitems + 2) * sizeof(long));
		int		   *user_item = malloc(n * sizeof(int));
		int		   *item_user = malloc(n * sizeof(int));
		Entry	   *neighbors = malloc((long) nitems * K * sizeof(Entry));
		int		   *nneighbors = malloc(nitems * sizeof(int));

		compress(pairs, n, nusers, 0, user_start, user_item);
		compress(pairs, n, nitems, 1, item_start, item_user);
		similarities(nitems, user_start, user_item, item_start, item_user, neighbors, nneighbors);
		between = clock();
		fprintf(stderr, "checksum %.6f\n",
				recommendations(nusers, nitems, user_start, user_item, neighbors, nneighbors));
	}
	printf("%.3f %.3f\n", (double) (between - started) / CLOCKS_PER_SEC,
		   (double) (clock() - between) / CLOCKS_PER_SEC);
	return 0;
}
