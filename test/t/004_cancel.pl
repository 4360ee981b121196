# Cancelling a refresh: it ends at once in every phase, the old generation serves
# on, and no row of the new one remains.  Also its progress while it runs.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecommenderTest;

my $node = start_server('cancel');
make_shop($node, 'gated_orders');
# "big" takes seconds to compute, and reads no table: 3,000 items of each of
# 150 users
$node->safe_psql(
	'shop', q{
CREATE TABLE big AS SELECT n % 150 AS user_id, n % 11 AS item_id FROM generate_series(1, 1000) n;
CREATE VIEW big_view AS SELECT user_id, item_id FROM big;
SET client_min_messages = warning;
SELECT recommender.create_recommender('big', 'big_view',
	options => '{"max_history": 1000000, "weighting": "tfidf", "truncate": "source"}');
SELECT recommender.refresh('recs'), recommender.refresh('big');
CREATE OR REPLACE VIEW big_view AS
SELECT u AS user_id, i AS item_id FROM generate_series(1, 150) u, generate_series(1, 3000) i;
INSERT INTO orders SELECT 1000 + n, n % 40 + 1, 'P' || n % 37, 'purchase', 1, '2026-03-01'
FROM generate_series(1, 200) n;
});
my $answers = answers($node);

my ($session, $blocker, $watcher) = map { RecommenderTest::Session->new($node) } 1 .. 3;
$session->run("SET maintenance_work_mem = '1GB'");

# the refresh was ended, and all is as before
sub check_after
{
	my ($name, $state) = @_;

	like($session->{error}, qr/^ERROR:  $state: /, "$name: the error is $state");
	is($watcher->run("SELECT state, query !~ 'recommender.refresh [^:]*: ' FROM pg_stat_activity WHERE pid = $session->{pid}"),
		'idle|t', "$name: the session shows its own query again");
	is($watcher->run('SELECT count(*) FROM recommender.refresh_progress'), '0', "$name: no refresh is shown");
	is($watcher->run("SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
			WHERE c.relnamespace IN ('recs'::regnamespace, 'big'::regnamespace) AND l.mode <> 'AccessShareLock'
			AND l.pid = $session->{pid}"), '0', "$name: no lock is left");
	is($session->run("SELECT (SELECT generation FROM recs.definition), (SELECT generation FROM big.definition),
			(SELECT count(DISTINCT generation) FROM recs.item), current_setting('search_path'),
			current_setting('row_security'), current_user = session_user"),
		'1|1|1|"$user", public|on|t', "$name: all is as it was");
	is($session->run(RecommenderTest::answers_query('recs')), $answers, "$name: the old generation serves");
	return;
}

# A refresh waits at a place that a blocker holds; it says where it is, and is
# ended there.
sub check_place
{
	my ($name, $hold, $phase, $end, $state) = @_;

	$blocker->run("BEGIN; $hold");
	$session->send("SELECT recommender.refresh('recs')");
	$watcher->wait_until_blocked($session);
	like($watcher->run("SELECT query FROM pg_stat_activity WHERE pid = $session->{pid}"),
		qr/^recommender\.refresh recs: $phase, \d+ %$/, "$name: pg_stat_activity shows the phase");
	is($watcher->run("SELECT pid, datname, usename, recommender, phase, percent BETWEEN 0 AND 100, started_at <= now()
			FROM recommender.refresh_progress"),
		join('|', $session->{pid}, 'shop', $watcher->run('SELECT user'), 'recs', $phase, 't', 't'),
		"$name: refresh_progress shows it");
	my $start = time;
	$watcher->run("SELECT $end($session->{pid})");
	$session->wait;
	cmp_ok(time - $start, '<', 2, "$name: it ends at once");
	$blocker->run('COMMIT; SELECT pg_advisory_unlock_all()');
	check_after($name, $state);
	return;
}

check_place('reading', 'SELECT pg_advisory_lock(' . GATE . ')', 'reading interactions',
	'pg_cancel_backend', '57014');
check_place('writing items', 'LOCK TABLE recs.item IN SHARE MODE', 'writing items',
	'pg_cancel_backend', '57014');
check_place('writing neighbours', 'LOCK TABLE recs.neighbor IN SHARE MODE', 'computing neighbours',
	'pg_cancel_backend', '57014');
check_place('the pointer is moved', 'LOCK TABLE recs.refresh_run IN SHARE MODE', 'deleting the old generation',
	'pg_cancel_backend', '57014');

# another refresh waits for the first, and may be cancelled while it does
$blocker->run("BEGIN; SELECT recommender.refresh('recs')");
$session->send("SELECT recommender.refresh('recs')");
$watcher->wait_until_blocked($session);
$watcher->run("SELECT pg_cancel_backend($session->{pid})");
$session->wait;
$blocker->run('ROLLBACK');
check_after('waiting for another refresh', '57014');

# an error that is caught leaves nothing either
$session->run(q{
CREATE VIEW failing AS SELECT customer, product, 1 / (id - 500) AS amount FROM orders;
SET client_min_messages = warning;
SELECT recommender.create_recommender('failing', 'failing', 'customer', 'product', weight_column => 'amount')});
is( $session->run(q{
		CREATE TEMP TABLE seen (query text);
		DO $$
		BEGIN
			PERFORM recommender.refresh('failing');
		EXCEPTION WHEN division_by_zero THEN
			-- the statistics of a transaction do not change
			PERFORM pg_stat_clear_snapshot();
			INSERT INTO seen SELECT recommender FROM recommender.refresh_progress;
		END $$;
		SELECT count(*) FROM seen}),
	'0', 'an error that is caught: no refresh is shown');
$session->query("SELECT recommender.refresh('failing')");
check_after('an error', '22012');
# while it computes
$session->send("SELECT recommender.refresh('big')");
$watcher->wait_until(q{SELECT count(*) = 1 FROM recommender.refresh_progress
	WHERE recommender = 'big' AND phase = 'computing neighbours' AND percent > 0});
my $start = time;
$watcher->run("SELECT pg_cancel_backend($session->{pid})");
$session->wait;
cmp_ok(time - $start, '<', 2, 'computing: it ends at once');
check_after('computing', '57014');

# wherever a timeout meets it, again and again so that no machine is done before
for my $timeout (1, 30, 100, 200, 400, 700)
{
	my $truncate = $timeout > 200 ? 'target' : 'source';

	$watcher->run(qq{SELECT recommender.set_options('big', '{"truncate": "$truncate"}')});
	$start = time;
	$session->query("SET statement_timeout = $timeout; SELECT count(*) FROM generate_series(1, 1000) n, recommender.refresh('big', verbose => n < 0)");
	cmp_ok(time - $start, '<', 2 + $timeout / 1000, "statement_timeout of $timeout ms: it ends at once");
	my $error = $session->{error};
	$session->run('SET statement_timeout = 0');
	$session->{error} = $error;
	check_after("statement_timeout of $timeout ms", '57014');
}

# with what items are: wherever it is, it takes no more than 100 ms of the
# processor's time to end
$session->run(q{
CREATE UNLOGGED TABLE goods AS
SELECT n AS id, 'c' || n % 300 AS category, n * 7919 % 10007 AS price, 'w' || n * 31 % 900 || ' w' || n * 37 % 907 || ' rare' || n AS title,
	ARRAY(SELECT (hashint8(n * 1000 + d) % 1000)::real FROM generate_series(1, 48) d) AS picture
FROM generate_series(0, 11999) n;
SET client_min_messages = warning;
SELECT recommender.create_recommender(r, 'big', options => '{"neighbors": 50}') FROM unnest('{described,embedded}'::text[]) r;
SELECT recommender.set_items('described', 'goods', feature_columns => '{category,price}', text_columns => '{title}', options => '{"config": "simple"}');
SELECT recommender.set_items('embedded', 'goods', feature_columns => '{picture}', options => '{"embedding_exact_items": 100}');
});

# the processor's time that a session has used, in ms; undef where nobody tells
sub used
{
	my ($pid) = @_;

	return (-r "/proc/$pid/schedstat" ? slurp_file("/proc/$pid/schedstat") : '') =~ /^(\d+) / ? $1 / 1e6 : undef;
}

SKIP:
for my $name ('described', 'embedded')
{
	my $pid = $session->{pid};
	my $begin = used($pid);

	skip 'nobody tells of the time that a process has used', 1 unless defined $begin;
	$session->run("SELECT recommender.refresh('$name')");
	my $whole = used($pid) - $begin;
	for my $part (1 .. 9)
	{
		$begin = used($pid);
		$session->send("SELECT recommender.refresh('$name')");
		sleep 0.002 while used($pid) - $begin < $whole * $part / 11;
		kill 'INT', $pid;
		my $cancelled = used($pid);
		$session->wait;
		my $more = used($pid) - $cancelled;
		note("$name, part $part: $more ms");
		like($session->{error}, qr/^ERROR:  57014: /, "$name: cancelled after $part of 11 parts");
		cmp_ok($more, '<', 100, "$name: after $part of 11 parts it takes little time");
	}
	is($session->run("SELECT generation FROM $name.definition"), '1', "$name: the old generation serves");
}
$session->run("SELECT recommender.drop_recommender(r) FROM unnest('{described,embedded}'::text[]) r; DROP TABLE goods");

# each model, and measuring and tuning by it, wherever a timeout meets them: a
# thousand times, so that no machine is done before
for my $options ('{"model": "ridge"}', '{"model": "ridge", "ridge_exact_items": 0}', '{"model": "als", "weighting": "log"}',
	'{"model": "neighbors", "truncate": "target", "weighting": "tfidf"}')
{
	$watcher->run("SELECT recommender.set_options('big', '$options')");
	for my $query ("recommender.refresh('big', verbose => n < 0)",
		"recommender.evaluate('big', split => 'random', metrics => '{ndcg,intra_list_diversity}', seed => n)",
		"recommender.compare_options('big', '{}', '{\"kappa\": 2}', split => 'users', test_share => 0.5, seed => n)",
		"recommender.tune('big', trials => 10, split => 'leave_last', last => 100, seed => n)")
	{
		for my $timeout (150, 500)
		{
			$start = time;
			$session->query("SET statement_timeout = $timeout; SELECT count(*) FROM generate_series(1, 1000) n, $query");
			cmp_ok(time - $start, '<', 2 + $timeout / 1000, "$options, $query: timeout of $timeout ms");
			my $error = $session->{error};
			$session->run('SET statement_timeout = 0');
			$session->{error} = $error;
			check_after("$options, $query: timeout of $timeout ms", '57014');
		}
	}
}
is($session->run('SELECT (SELECT count(*) FROM big.evaluation), (SELECT count(*) FROM big.trial)'), '0|0',
	'nothing is kept of measurements that were ended');
$watcher->run(q{SELECT recommender.set_options('big', '{"model": null, "truncate": "source"}')});

# the same for one that refreshes all
$session->send('CALL recommender.refresh_all()');
$watcher->wait_until(q{SELECT count(*) = 1 FROM recommender.refresh_progress
	WHERE recommender = 'big' AND phase = 'computing neighbours'});
$watcher->run("SELECT pg_cancel_backend($session->{pid})");
$session->wait;
check_after('refresh_all', '57014');

# and one whose session is ended
$session->send("SELECT recommender.refresh('big')");
$watcher->wait_until(q{SELECT count(*) = 1 FROM recommender.refresh_progress
	WHERE recommender = 'big' AND phase = 'computing neighbours'});
$watcher->run("SELECT pg_terminate_backend($session->{pid})");
$session->quit;
$watcher->wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $session->{pid}");
is(answers($node), $answers, 'pg_terminate_backend: the old generation serves');

# what it shows while all goes well
$session = RecommenderTest::Session->new($node);
$blocker->run('SELECT pg_advisory_lock(' . GATE . ')');
$session->send("SELECT generation FROM recommender.refresh('recs', verbose => true)");
$watcher->wait_until_blocked($session);
$blocker->run('SELECT pg_advisory_unlock(' . GATE . ')');
is($session->wait, '2', 'a refresh after all that');
like($session->{error}, qr/^INFO:  00000: recommender "recs": $_ took \d+ ms$/m, "verbose tells of $_")
  for ('reading interactions', 'building the matrix', 'writing items', 'computing neighbours',
	'deleting the old generation');
like($watcher->run("SELECT query FROM pg_stat_activity WHERE pid = $session->{pid}"),
	qr/^SELECT generation FROM recommender\.refresh/, 'then the session shows its own query again');
isnt(answers($node), $answers, 'and the new generation serves');

# one that fails does not stop the others, and is told of
$session->run('CREATE OR REPLACE VIEW big_view AS SELECT user_id, item_id FROM big');
$session->query('CALL recommender.refresh_all()');
like($session->{error}, qr/^WARNING:  22012: recommender "failing" was not refreshed: division by zero\n/,
	'refresh_all tells of an error');
like($session->{error}, qr/^ERROR:  55000: 1 of 3 recommenders were not refreshed\n/m, 'and fails in the end');
is($session->run('SELECT recommender, max(generation) FROM recommender.refresh_runs GROUP BY 1 ORDER BY 1'),
	"big|2\nrecs|3", 'having refreshed the others');
is($watcher->run('SELECT count(*) FROM recommender.refresh_progress'), '0', 'no refresh is shown');

$_->quit for $session, $blocker, $watcher;
$node->stop;
done_testing();
