# What if an aggregate over customers is cancelled?  Each ends at once, whether
# it reads rows or computes its result.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('customer');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmaintenance_work_mem = '1GB'\njit = off\nmax_parallel_workers_per_gather = 0\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION recommender');

# Runs a query that takes long, ends it after a moment, and says how long the
# end took beyond that, in milliseconds.
sub cancel
{
	my ($name, $query) = @_;
	my @late;

	for my $timeout (150, 400, 900, 1700)
	{
		my $start = time;
		my ($status, undef, $error) = $node->psql('postgres', "SET statement_timeout = $timeout; $query");

		last if $error !~ /canceling statement due to statement timeout/;
		push @late, 1000 * (time - $start) - $timeout;
	}
	cmp_ok(scalar @late, '>', 1, "$name takes long enough to be ended");
	@late = sort { $a <=> $b } @late;
	# starting psql and a busy machine are in it
	cmp_ok($late[0], '<', 600, "$name: it ends at once");
	return;
}

cancel('window_funnel', q{SELECT recommender.window_funnel(to_timestamp(n % 10007), NULL, ARRAY[n % 3 = 0, n % 3 = 1, n % 3 = 2], 'strict')
	FROM generate_series(1, 20000000) n});
cancel('purchase_model_agg', q{SELECT recommender.purchase_model_agg(1 + n % 9, 1 + n % 100003 / 100003.0, 2 + n % 100019 / 100019.0)
	FROM generate_series(1, 3000000) n});
cancel('cluster_agg', q{SELECT recommender.cluster_agg(ARRAY[hashint4(n), hashint4(n + 7), hashint4(-n)], 200) FROM generate_series(1, 300000) n});
cancel('attribution_agg', q{SELECT recommender.attribution_agg(ARRAY[n % 2000, n * 7 % 2000, n / 3 % 2000]::text[], 1, 1, 1) FROM generate_series(1, 30000) n});
cancel('word_scores_agg', q{SELECT recommender.word_scores_agg(to_tsvector('simple', n || ' ' || -n || ' word ' || n * 3), n % 2 = 0) FROM generate_series(1, 1000000) n});

# the final function of a funnel, over rows that are there already
$node->safe_psql('postgres', 'CREATE TABLE event AS SELECT to_timestamp(-n) AS at, ARRAY[n % 2 = 0, n % 2 = 1] AS steps FROM generate_series(1, 3000000) n');
cancel('a sort of events', 'SELECT recommender.window_funnel_times(at, NULL, steps) FROM event, generate_series(1, 6)');

$node->stop;
done_testing();
