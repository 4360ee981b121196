# A crash of the server during a refresh: the old generation serves on, no row of
# the new one is visible, and the next refresh succeeds.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecommenderTest;

my $node = start_server('crash', conf => "restart_after_crash = on\n");
make_shop($node, 'gated_orders');
$node->safe_psql('shop', 'CREATE EXTENSION amcheck');

my $answers;

# what makes a refresh stop where, and the phase that it then shows
my %places = (
	'reading' =>
	  [ 'SELECT pg_advisory_lock(' . GATE . ')', 'reading interactions' ],
	'the items are written' =>
	  [ 'LOCK TABLE recs.neighbor IN SHARE MODE', 'computing neighbours' ],
	'the pointer is moved' =>
	  [ 'LOCK TABLE recs.refresh_run IN SHARE MODE', 'deleting the old generation' ]);

# Starts a refresh that stops at a place; gives its session.
sub begin_refresh
{
	my ($place) = @_;
	my ($stop, $phase) = @{ $places{$place} };
	my ($blocker, $session, $watcher) = map { RecommenderTest::Session->new($node) } 1 .. 3;

	$blocker->run("BEGIN; $stop");
	$session->send("SELECT recommender.refresh('recs')");
	$watcher->wait_until_blocked($session);
	is($watcher->run("SELECT phase FROM recommender.refresh_progress WHERE pid = $session->{pid}"),
		$phase, "$place: the refresh is there");
	return ($session, $blocker, $watcher);
}

# The old generation serves, and what is left is sound; then a refresh.
sub check_after
{
	my ($name) = @_;

	is(answers($node), $answers, "$name: the old generation serves");
	is( $node->safe_psql('shop', q{
			SELECT count(*) FILTER (WHERE i.generation <> d.generation),
				(SELECT count(*) FROM recs.refresh_run r WHERE r.generation > d.generation)
			FROM recs.item i, recs.definition d GROUP BY d.generation}),
		'0|0', "$name: nothing of the new one is there");
	my $before = $node->safe_psql('shop', 'SELECT generation FROM recs.definition');
	is( $node->safe_psql('shop', "SELECT generation FROM recommender.refresh('recs')"),
		$before + 1, "$name: the next refresh works");
	is(model('recs'), model('calm'), "$name: and is the model that it should be");
	is( $node->safe_psql('shop', q{
			SELECT count(bt_index_check(c.oid, true)) > 3
			FROM pg_class c WHERE c.relnamespace = 'recs'::regnamespace AND c.relkind = 'i'}),
		't', "$name: the indexes are sound");
	is( $node->safe_psql('shop', q{
			SELECT count(*) FROM pg_class c, verify_heapam(c.oid) v
			WHERE c.relnamespace = 'recs'::regnamespace AND c.relkind = 'r'}),
		'0', "$name: the tables are sound");
	$answers = answers($node);
	return;
}

# a model without its generation's number
sub model
{
	my ($recs) = @_;

	return $node->safe_psql('shop', qq{
		SELECT md5(string_agg(v::text, ';' ORDER BY v.item_id, v.rank)) FROM $recs.neighbors v
		UNION ALL
		SELECT md5(string_agg((item_no, item_id, users, weight, popularity, trend)::text, ';' ORDER BY item_no))
		FROM $recs.item});
}

# Kills the postmaster and starts it again, once its children are gone, too.
sub kill_and_start
{
	my ($pid) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');

	$node->kill9;
	for (1 .. 50 * $PostgreSQL::Test::Utils::timeout_default)
	{
		next if kill 0, $pid;
		return if $node->start(fail_ok => 1);
	}
	continue
	{
		select undef, undef, undef, 0.02;
	}
	BAIL_OUT('the server does not start again');
}

$node->safe_psql('shop', "SELECT recommender.refresh('recs')");

# more data, so that the next generation is another; and a recommender which
# is refreshed in peace
$node->safe_psql('shop', q{
	INSERT INTO orders SELECT 1000 + n, n % 40 + 1, 'P' || n % 37, 'purchase', 1, '2026-03-01'
	FROM generate_series(1, 200) n;
	SET client_min_messages = warning;
	SELECT recommender.create_recommender('calm', 'orders', user_column => 'customer',
		item_column => 'product', time_column => 'ordered_at', event_column => 'kind',
		weight_column => 'amount', event_weights => s.event_weights, options => d.options)
	FROM recs.source s, recs.definition d WHERE s.relation = 'gated_orders'::regclass;
	SELECT recommender.add_interactions('calm', 'visits', user_column => 'visitor',
		item_column => 'page', time_column => 'at', event => 'visit',
		event_weights => '{"visit": 0.5}');
	SELECT recommender.refresh('calm');
});
isnt(model('recs'), model('calm'), 'the next generation will be another');
$answers = answers($node);

for my $place ('reading', 'the pointer is moved')
{
	my @sessions = begin_refresh($place);
	kill_and_start();
	$_->quit for @sessions;
	check_after("kill -9 of the server, $place");
}

for my $place (sort keys %places)
{
	my @sessions = begin_refresh($place);
	kill 'KILL', $sessions[0]{pid};
	$_->quit for @sessions;
	$node->poll_query_until('shop', 'SELECT true') or die 'the server does not come back';
	check_after("kill -9 of the backend, $place");
}

$node->stop;
done_testing();
